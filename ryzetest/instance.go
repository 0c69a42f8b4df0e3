package ryzetest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"time"
)

// State is the connection state of an instance, in the spelling of
// GET /api/instance/list.
type State string

// The documented states.
const (
	StateConnected    State = "connected"    // sends and receives
	StateConnecting   State = "connecting"   // waits for a QR code, a pairing code or a reconnect
	StateDisconnected State = "disconnected" // the initial state, and a lost connection
	StateLoggedOut    State = "loggedout"    // the session is gone, only connect helps
)

// Further states; see docs/service-notes.md. StateClosed and StateQR appear
// only with WithObservedStates.
const (
	StateBanned State = "banned" // by WhatsApp, see Instance.Ban
	StateClosed State = "closed" // the last QR code expired unused
	StateQR     State = "qr"     // a QR code is on show
)

// Instance is one WhatsApp connection and the phone behind it. Its methods play
// what happens outside the API. They are safe for concurrent use.
type Instance struct {
	s     *Server
	acc   *account
	id    string
	name  string
	token string
	seed  seed
	life
}

// life is what an instance has between two resets of its server, which guards it
// with its lock.
type life struct {
	created, updated time.Time
	gone             chan struct{} // closed when the instance is deleted

	state    State
	phone    string // digits; empty before the first pairing
	session  bool   // there is something to reconnect with
	profile  profile
	settings settings
	proxy    proxy
	s3       s3
	chatwoot obj

	pairing   *pairing
	reconnect func() // cancels a reconnect on its way

	hooks   []*hook // sorted by label
	stream  *streamConfig
	sockets map[*socket]struct{}

	messages []*Message
	byID     map[string]*Message
	reacted  map[string][]*Message // reactions, by the message that they are to
	receipts Receipts
	unread   map[string][]*Message // delivered, not read yet, by chat
	history  []Incoming
	offline  []*Message        // written by others while the instance was not connected
	groups   map[string]string // group JID to name
	book     chatbook

	about             string
	privacy           map[string]string // by "section.field"
	privacyFault      *int              // writes that the next update gets through
	calls             []*Call
	chatwootLink      *chatwootLink
	refuseCommunities bool
	upstream          upstream
}

// seed is what a reset brings back: the instances that the program has made by
// itself, and paired.
type seed struct {
	made  bool
	phone string
}

type profile struct {
	name, picture, businessName string
	business                    bool
}

// settings are the seven behaviour flags.
type settings struct {
	autoRejectCalls     bool
	callRejectMessage   string
	ignoreGroupMessages bool
	keepOnlineStatus    bool
	autoReadMessages    bool
	disableHistorySync  bool
	ignoreStatus        bool
}

type proxy struct {
	enabled                                  bool
	host, port, protocol, username, password string
}

type s3 struct {
	enabled                                                    bool
	region, bucket, accessKey, secretKey, endpoint, pathPrefix string
}

// pairing is one attempt to log in.
type pairing struct {
	number  string    // set when a pairing code was asked for
	code    string    // the pairing code
	codes   []string  // the QR codes that are left, the current one first
	history int       // days of history that were asked for; -1: not asked
	expires time.Time // of the code on show
	cancel  []func()
}

// Pairing figures. A QR code lives about 20 seconds; that WhatsApp hands out
// six of them per attempt, and that a pairing code lives two minutes, is not
// documented by the service.
const (
	qrLifetime   = 20 * time.Second
	qrCodes      = 6
	codeLifetime = 2 * time.Minute
)

// newInstance adds an instance to an account. The caller holds the lock.
func (s *Server) newInstance(acc *account, name, token string) *Instance {
	now := s.clock.now()
	i := &Instance{
		s: s, acc: acc, id: newToken(), name: name, token: token,
		life: life{
			created: now, updated: now, gone: make(chan struct{}),
			state:    StateDisconnected,
			settings: settings{disableHistorySync: true},
			sockets:  map[*socket]struct{}{},
			byID:     map[string]*Message{},
			receipts: s.cfg.receipts,
			groups:   map[string]string{},
			unread:   map[string][]*Message{},
		},
	}
	acc.instances = append(acc.instances, i)
	i.changed(Change{Kind: ChangeInstance})
	return i
}

// Name returns the instance's name.
func (i *Instance) Name() string { return i.name }

// Token returns the TokenInstance.
func (i *Instance) Token() string { return i.token }

// State returns the connection state, as the list shows it.
func (i *Instance) State() State {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.state
}

// Phone returns the digits of the paired number, or "".
func (i *Instance) Phone() string {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.phone
}

// jid is the account's own JID.
func (i *Instance) jid() string { return i.phone + "@" + serverUser }

// QRCode returns the text of the QR code on show, or "". It changes every 20
// seconds, six times (invented).
func (i *Instance) QRCode() string {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.pairing == nil || len(i.pairing.codes) == 0 {
		return ""
	}
	return i.pairing.codes[0]
}

// PairingCode returns the pairing code that waits, or "". It lives two minutes
// (invented).
func (i *Instance) PairingCode() string {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.pairing == nil {
		return ""
	}
	return i.pairing.code
}

// setState changes the state and tells the event channels, with the event's
// own spelling of it. The caller holds the lock.
func (i *Instance) setState(state State, event string, extra obj) {
	i.state = state
	i.updated = i.s.clock.now()
	i.changed(Change{Kind: ChangeInstance})
	if event != "" {
		i.emitState(event, extra)
	}
	if state != StateConnected {
		return
	}
	waiting := i.offline
	i.offline = nil
	for _, m := range waiting {
		i.deliver(m)
	}
}

func (i *Instance) emitState(event string, extra obj) {
	i.changed(Change{Kind: ChangeInstance})
	data := obj{"state": event, "timestamp": i.s.stamp(i.s.clock.now()), "instance": i.name}
	if i.phone != "" {
		data["jid"] = i.jid()
	}
	maps.Copy(data, extra)
	i.emit("instance.state", func(bool) any { return data })
}

// startPairing begins a fresh attempt and drops the old one. The caller holds
// the lock.
func (i *Instance) startPairing(number string, history int) {
	i.stopPairing()
	p := &pairing{number: number, history: history}
	i.pairing = p
	if number != "" {
		p.code = newPairingCode()
		p.expires = i.s.clock.now().Add(codeLifetime)
		i.setState(StateConnecting, "", nil)
	} else {
		for range qrCodes {
			p.codes = append(p.codes, newQRText())
		}
		p.expires = i.s.clock.now().Add(qrLifetime)
		state := StateConnecting
		if i.s.cfg.observedStates {
			state = StateQR
		}
		i.setState(state, "qr_ready", obj{"codes": p.codes})
	}
	i.awaitPairing(p)
}

// awaitPairing waits for what ends the attempt, or renews its code. The caller
// holds the lock.
func (i *Instance) awaitPairing(p *pairing) {
	left := p.expires.Sub(i.s.clock.now())
	if p.code != "" {
		p.cancel = append(p.cancel, i.s.clock.after(left, func() { i.expire(p) }))
	} else {
		p.cancel = append(p.cancel, i.s.clock.after(left, func() { i.rotate(p) }))
	}
	if d := i.s.cfg.autoPair; d > 0 {
		p.cancel = append(p.cancel, i.s.clock.after(max(0, d-p.age(i.s.clock.now())), func() { i.pairIf(p) }))
	}
}

// age is how long the attempt has lasted, which its codes tell.
func (p *pairing) age(now time.Time) time.Duration {
	whole := codeLifetime
	if p.code == "" {
		whole = qrCodes * qrLifetime
	}
	left := p.expires.Sub(now) + time.Duration(max(0, len(p.codes)-1))*qrLifetime
	return max(0, whole-left)
}

// rotate puts the next QR code on show, or ends the attempt.
func (i *Instance) rotate(p *pairing) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.pairing != p {
		return
	}
	p.codes = p.codes[1:]
	if len(p.codes) == 0 {
		i.giveUpPairing()
		return
	}
	p.expires = i.s.clock.now().Add(qrLifetime)
	i.emitState("qr_ready", obj{"codes": p.codes})
	p.cancel = append(p.cancel, i.s.clock.after(qrLifetime, func() { i.rotate(p) }))
}

func (i *Instance) expire(p *pairing) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.pairing == p {
		i.giveUpPairing()
	}
}

func (i *Instance) giveUpPairing() {
	i.stopPairing()
	state := StateDisconnected
	if i.s.cfg.observedStates {
		state = StateClosed
	}
	i.setState(state, "disconnected", nil)
}

func (i *Instance) stopPairing() {
	if i.pairing == nil {
		return
	}
	for _, cancel := range i.pairing.cancel {
		cancel()
	}
	i.pairing = nil
}

func (i *Instance) stopReconnect() {
	if i.reconnect != nil {
		i.reconnect()
		i.reconnect = nil
	}
}

// Pair plays the user who scans the QR code or types the pairing code, with the
// phone of that number (digits). "" means the number of the pairing code, of
// the last pairing, or a new one.
//
// The instance is then connected: instance.state pair_success and connected go
// out, and old messages if asked for. Pair also works without a code.
func (i *Instance) Pair(phone string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.pair(phone)
	i.seed.phone = i.phone
}

func (i *Instance) pairIf(p *pairing) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.pairing == p {
		i.pair("")
	}
}

func (i *Instance) pair(phone string) {
	days := -1
	if i.pairing != nil {
		days = i.pairing.history
		if phone == "" {
			phone = i.pairing.number
		}
	}
	if phone == "" {
		phone = i.phone
	}
	if phone == "" {
		i.s.nextPhone++
		phone = fmt.Sprintf("55119%08d", i.s.nextPhone)
	}
	i.stopPairing()
	i.stopReconnect()
	i.phone = phone
	i.session = true
	if i.profile.name == "" {
		i.profile.name = i.name
	}
	i.emitState("pair_success", nil)
	i.setState(StateConnected, "connected", nil)
	if days >= 0 || !i.settings.disableHistorySync {
		i.replayHistory(days)
	}
}

// FailPairing plays a pairing that WhatsApp refused: instance.state pair_error
// goes out, and the attempt is over.
func (i *Instance) FailPairing() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.failPairing()
}

func (i *Instance) failPairing() {
	i.emitState("pair_error", nil)
	i.stopPairing()
	i.setState(StateDisconnected, "", nil)
}

// LogOutFromPhone plays the user who unlinks the device on the phone. The
// session is gone: only connect brings the instance back.
func (i *Instance) LogOutFromPhone() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.logOut()
}

// logOut ends the session, if there is one. The caller holds the lock.
func (i *Instance) logOut() {
	i.stopPairing()
	i.stopReconnect()
	had := i.session
	i.session = false
	i.offline = nil
	event := ""
	if had {
		event = "logged_out"
	}
	i.setState(StateLoggedOut, event, nil)
}

// Ban plays WhatsApp banning the number for a while: the connection is lost and
// temp_banned goes out. Reconnect, Pair or a request ends it (invented).
func (i *Instance) Ban() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.ban()
}

func (i *Instance) ban() {
	i.stopPairing()
	i.stopReconnect()
	i.setState(StateBanned, "temp_banned", nil)
}

// Disconnect plays a lost connection. The session stays: reconnect works.
func (i *Instance) Disconnect() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.disconnect()
}

func (i *Instance) disconnect() {
	i.stopPairing()
	i.stopReconnect()
	i.setState(StateDisconnected, "disconnected", nil)
}

// Reconnect plays the connection coming back by itself. It does nothing
// without a session.
func (i *Instance) Reconnect() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.session {
		i.comeBack()
	}
}

// comeBack is Reconnect with a session. The caller holds the lock.
func (i *Instance) comeBack() {
	i.stopPairing()
	i.stopReconnect()
	i.setState(StateConnected, "connected", nil)
}

// startReconnect brings a stored session back up, a little later.
func (i *Instance) startReconnect() {
	i.stopPairing()
	i.stopReconnect()
	i.setState(StateConnecting, "manual_reconnect", nil)
	i.awaitReconnect()
}

func (i *Instance) awaitReconnect() {
	i.reconnect = i.s.clock.after(i.s.cfg.reconnectDelay, func() {
		i.s.mu.Lock()
		defer i.s.mu.Unlock()
		if i.state == StateConnecting && i.session {
			i.reconnect = nil
			i.setState(StateConnected, "connected", nil)
		}
	})
}

// remove deletes the instance from its account. The caller holds the lock.
func (i *Instance) remove() {
	if i.session {
		i.logOut()
	}
	i.stopPairing()
	i.stopReconnect()
	for k, other := range i.acc.instances {
		if other == i {
			i.acc.instances = append(i.acc.instances[:k:k], i.acc.instances[k+1:]...)
			break
		}
	}
	close(i.gone)
	i.changed(Change{Kind: ChangeInstance})
}

// deleted reports whether the instance was removed. The caller holds the lock.
func (i *Instance) deleted() bool {
	select {
	case <-i.gone:
		return true
	default:
		return false
	}
}

// newQRText returns a text of the form that WhatsApp puts into its QR codes:
// a reference and three keys.
func newQRText() string {
	part := func(n int) string {
		b := make([]byte, n)
		rand.Read(b)
		return base64.StdEncoding.EncodeToString(b)
	}
	return "2@" + part(64) + "," + part(32) + "," + part(32) + "," + part(32)
}

// newPairingCode returns eight characters without the ones that look alike.
func newPairingCode() string {
	return randomText("123456789ABCDEFGHJKLMNPQRSTVWXYZ", 8)
}
