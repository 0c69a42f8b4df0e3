package ryze

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// InstanceClient acts on one instance: one WhatsApp number. Its services group
// what can be done with it. Get one from [Client.Instance],
// [AccountClient.Instance] or [AccountClient.InstanceFrom]. It is safe for
// concurrent use.
type InstanceClient struct {
	h handle

	Messages    *MessagesService    // send, and act on messages
	Chats       *ChatsService       // history, archive, pin, mute, read, presence
	Contacts    *ContactsService    // address book, blocking, phone and LID
	Labels      *LabelsService      // WhatsApp Business labels
	Groups      *GroupsService      // groups and their members
	Communities *CommunitiesService // communities and their subgroups
	Newsletters *NewslettersService // channels
	Profile     *ProfileService     // the account's own profile and privacy
	Calls       *CallsService       // ring a phone, play a recording
	Settings    *SettingsService    // behaviour of the instance
	Proxy       *ProxyService       // the instance's own proxy
	Storage     *StorageService     // S3 storage of the instance's media
	Webhooks    *WebhooksService    // where events are delivered
	WebSocket   *WebSocketService   // configuration of the event stream
	Chatwoot    *ChatwootService    // the Chatwoot integration
}

// service is what every service of an instance holds.
type service struct{ h handle }

func newInstanceClient(h handle) *InstanceClient {
	s := &service{h}
	return &InstanceClient{
		h:           h,
		Messages:    (*MessagesService)(s),
		Chats:       (*ChatsService)(s),
		Contacts:    (*ContactsService)(s),
		Labels:      (*LabelsService)(s),
		Groups:      (*GroupsService)(s),
		Communities: (*CommunitiesService)(s),
		Newsletters: (*NewslettersService)(s),
		Profile:     (*ProfileService)(s),
		Calls:       (*CallsService)(s),
		Settings:    (*SettingsService)(s),
		Proxy:       (*ProxyService)(s),
		Storage:     (*StorageService)(s),
		Webhooks:    (*WebhooksService)(s),
		WebSocket:   (*WebSocketService)(s),
		Chatwoot:    (*ChatwootService)(s),
	}
}

// NewInstanceClient returns the handle of an instance on a client of its own.
// Use [Client.Instance] to share one client between handles. It makes no
// connection, and returns a [*ValidationError] for a bad name, token or option.
func NewInstanceClient(name, token string, opts ...Option) (*InstanceClient, error) {
	c, err := New(opts...)
	if err != nil {
		return nil, err
	}
	i := c.Instance(name, token)
	return i, i.h.err
}

// Name returns the instance's name.
func (i *InstanceClient) Name() string { return i.h.name }

// Client returns the engine that the handle belongs to.
func (i *InstanceClient) Client() *Client { return i.h.client }

// RateLimit returns what is known of the quota of the handle's token at this
// moment.
func (i *InstanceClient) RateLimit() RateLimit { return i.h.rateLimit(RateGlobal) }

// String names the instance, not the token.
func (i *InstanceClient) String() string { return "ryze.InstanceClient(" + quoted(i.h.name) + ")" }

// Instance is what the service tells about an instance.
type Instance struct {
	Meta `json:"-"`

	ID    string
	Name  string
	Token Secret // the instance's own; empty when the service leaves it out

	// State is the connection's state in one spelling, RawState as the service
	// wrote it. The set is open.
	State    InstanceState
	RawState string
	// JID is the address of the paired number, without device suffix; empty
	// until the instance has connected once.
	JID           JID
	Presence      string // "available", "unavailable", "composing" and others
	DisplayStatus string // a label for people

	Profile   InstanceProfile
	Webhook   *WebhookConfig   // the one labelled "default"; nil when not said
	WebSocket *WebSocketConfig // nil when not said
	// Chatwoot is the state of the integration; its inner keys are documented
	// only for a failure at creation.
	Chatwoot *ChatwootState

	CreatedAt time.Time // not documented; zero when not said
	UpdatedAt time.Time
}

// Format implements [fmt.Formatter]: with any verb, no secret is printed.
func (i Instance) Format(f fmt.State, verb rune) {
	type plain Instance
	formatPlain(f, verb, plain(i))
}

// InstanceProfile is the WhatsApp profile of the paired number.
type InstanceProfile struct {
	Name         string
	PictureURL   string // cached by the service
	IsBusiness   bool
	BusinessName string
}

// ChatwootState is how the Chatwoot integration of an instance is doing.
type ChatwootState struct {
	Enabled bool
	Status  string // "active", "paused" or "error"
	Error   string // why, when Status is "error"
}

// Connected reports whether the instance is connected to WhatsApp.
func (i *Instance) Connected() bool {
	return i.State == InstanceConnected || i.State == InstanceOpen
}

// SetupErr reports a block of the creation that the service says has failed;
// the creation itself succeeded. A nil result does not prove that a webhook or
// WebSocket was set up: the service may leave the block out of its reply.
func (i *Instance) SetupErr() error {
	if i.Chatwoot != nil && i.Chatwoot.Status == "error" {
		return &ChatwootSetupError{Reason: i.Chatwoot.Error}
	}
	return nil
}

// ChatwootSetupError says that an instance was created but its Chatwoot
// integration was not. It matches [ErrChatwoot]. Correct the credentials with
// [ChatwootService.Set].
type ChatwootSetupError struct{ Reason string }

// Error gives the reason.
func (e *ChatwootSetupError) Error() string {
	return "ryze: the instance was created, but its Chatwoot integration failed: " + printable(e.Reason)
}

// Is matches [ErrChatwoot].
func (e *ChatwootSetupError) Is(target error) bool { return target == ErrChatwoot }

// wireInstance is an instance as it travels.
type wireInstance struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Token      Secret `json:"token"`
	Status     string `json:"status"`
	NumberJID  JID    `json:"numberJid"`
	Connection struct {
		State          string `json:"state"`
		NumberJID      JID    `json:"numberJid"`
		PresenceStatus string `json:"presenceStatus"`
		DisplayStatus  string `json:"displayStatus"`
	} `json:"connection"`
	Profile struct {
		Name         string `json:"name"`
		PictureURL   string `json:"pictureUrl"`
		IsBusiness   bool   `json:"isBusiness"`
		BusinessName string `json:"businessName"`
	} `json:"profile"`
	Webhook   *wireWebhook   `json:"webhook"`
	WebSocket *wireWebSocket `json:"websocket"`
	Chatwoot  *wireChatwoot  `json:"chatwoot"`
	CreatedAt string         `json:"createdAt"`
	UpdatedAt string         `json:"updatedAt"`
}

type wireChatwoot struct {
	Enabled bool   `json:"enabled"`
	Status  string `json:"status"`
	Error   string `json:"error"`
}

func (w *wireInstance) instance(meta Meta) *Instance {
	i := &Instance{
		Meta: meta, ID: w.ID, Name: w.Name, Token: w.Token,
		RawState: w.Connection.State, JID: w.Connection.NumberJID,
		Presence: w.Connection.PresenceStatus, DisplayStatus: w.Connection.DisplayStatus,
		Profile:   InstanceProfile(w.Profile),
		CreatedAt: parseTime(w.CreatedAt), UpdatedAt: parseTime(w.UpdatedAt),
	}
	if i.RawState == "" {
		i.RawState = w.Status
	}
	if i.JID == "" {
		i.JID = w.NumberJID
	}
	i.JID = i.JID.Bare()
	i.State = ParseInstanceState(i.RawState)
	if w.Webhook != nil {
		i.Webhook = w.Webhook.config()
	}
	if w.WebSocket != nil {
		i.WebSocket = w.WebSocket.config()
	}
	if w.Chatwoot != nil {
		state := ChatwootState(*w.Chatwoot)
		i.Chatwoot = &state
	}
	return i
}

// Info returns what the service tells about the instance: its state, number,
// profile and a summary of its integrations. It is the recommended check of the
// state. The returned instance has exactly the handle's name; under a token of
// another instance it is an [*InstanceNotFoundError].
//
// GET /api/instance/list. Safe to repeat.
func (i *InstanceClient) Info(ctx context.Context) (*Instance, error) {
	if i.h.err != nil {
		return nil, i.h.err
	}
	return i.h.find(ctx, i.h.name)
}

// ConnectParams says how to pair.
type ConnectParams struct {
	// Phone asks for a pairing code to be typed on the phone of that number,
	// instead of a QR code. It takes a phone, not a LID.
	Phone JID
	// HistoryDays asks WhatsApp for so many days of old messages at the first
	// pairing, even when the instance's DisableHistorySync is on; it may not
	// comply. They arrive as ordinary events with old timestamps.
	HistoryDays int
}

// Pairing is what has to be shown to whoever holds the phone. Both codes are
// secrets while they are valid: whoever sees them can take the number.
type Pairing struct {
	Meta `json:"-"`

	// Status is the service's word: "qr" with a QR code. The words of the
	// other answers are not documented.
	Status string
	// QRCode is the text to render as a QR code. WhatsApp replaces it after
	// about 20 seconds; call Connect again for a fresh one.
	QRCode Secret
	// Code is the pairing code, eight characters, possibly with a hyphen in
	// the middle. It works once.
	Code Secret

	png hidden[[]byte]
}

// PNG returns the QR code as a picture, or nil when the service sent none.
func (p *Pairing) PNG() []byte { return p.png.get() }

// AlreadyConnected reports whether there is nothing to pair, because the
// instance is connected. That answer is not documented.
func (p *Pairing) AlreadyConnected() bool {
	return p.QRCode == "" && p.Code == "" && len(p.PNG()) == 0 && ParseInstanceState(p.Status) == InstanceConnected
}

type connectReply struct {
	envelope
	Status       string `json:"status"`
	QRCode       Secret `json:"qrCode"`
	QRCodeBase64 string `json:"qrCodeBase64"`
	PairingCode  Secret `json:"pairingCode"`
}

// Connect starts the pairing with a phone and returns the QR code, or the
// pairing code, to show. The service holds the request until it has one, up to
// about a minute. Show the code, then wait with [InstanceClient.WaitConnected];
// a QR code that has expired needs another Connect.
//
// Every call begins a new pairing, so it is never repeated by itself. For a
// session that already exists use [InstanceClient.Reconnect].
//
// GET /api/instance/connect/:instance. Not safe to repeat.
func (i *InstanceClient) Connect(ctx context.Context, params ConnectParams) (*Pairing, error) {
	query := url.Values{}
	if params.Phone != "" {
		if err := params.Phone.check("Phone", phones); err != nil {
			return nil, err
		}
		query.Set("number", params.Phone.Phone())
	}
	switch {
	case params.HistoryDays < 0:
		return nil, invalid("HistoryDays", "is negative")
	case params.HistoryDays > 0:
		query.Set("history", strconv.Itoa(params.HistoryDays))
	}
	in := input{query: query.Encode(), hint: "a pairing may have begun: look at the state, or connect again for a new code"}
	rep, err := fetchChecked(ctx, i.h, opInstanceConnect, in, func(r *connectReply) string {
		if r.QRCode == "" && r.QRCodeBase64 == "" && r.PairingCode == "" && ParseInstanceState(r.Status) != InstanceConnected {
			return "the reply has neither a QR code nor a pairing code"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	p := &Pairing{Meta: rep.Meta, Status: rep.Status, QRCode: rep.QRCode, Code: rep.PairingCode}
	if rep.QRCodeBase64 != "" {
		p.png = hide(decodeBase64(rep.QRCodeBase64))
	}
	return p, nil
}

// decodeBase64 decodes base64 with or without a data URI in front, padded or
// not; it returns nil for anything else.
func decodeBase64(s string) []byte {
	if strings.HasPrefix(s, "data:") {
		_, s, _ = strings.Cut(s, ",")
	}
	raw := bytes.TrimRight([]byte(strings.TrimSpace(s)), "=")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(raw)))
	n, err := base64.RawStdEncoding.Decode(out, raw)
	if err != nil {
		return nil
	}
	return out[:n]
}

// StateError says that an instance reached a state from which it will not
// connect by waiting.
type StateError struct {
	Instance string
	State    InstanceState
}

// Error names the instance and the state.
func (e *StateError) Error() string {
	return "ryze: instance " + quoted(e.Instance) + " is " + string(e.State) + " and will not connect by waiting"
}

// Is matches [ErrNotConnected].
func (e *StateError) Is(target error) bool { return target == ErrNotConnected }

// How often WaitConnected asks. At this pace it takes a fifth of a token's quota.
const connectPoll = 3 * time.Second

// WaitConnected waits until the instance is connected to WhatsApp and returns
// it. It asks every few seconds, less often when the quota runs low, and
// listens to the instance's event stream, if that is enabled, to know at once.
// It ends with the context, or with a [*StateError] when the number is banned.
//
// GET /api/instance/list. Safe to repeat.
func (i *InstanceClient) WaitConnected(ctx context.Context) (*Instance, error) {
	var changed <-chan struct{} // never, unless there is a stream to listen to
	listening := false
	for {
		info, err := i.Info(ctx)
		switch {
		case err != nil:
			if ctx.Err() != nil || !errors.Is(err, ErrServer) {
				return nil, err
			}
		case info.Connected():
			return info, nil
		case info.State == InstanceBanned, info.State == InstanceTempBanned:
			return nil, &StateError{Instance: i.h.name, State: info.State}
		case !listening && info.WebSocket.tells(EventInstanceState):
			listening = true
			var stop func()
			changed, stop = i.listenState(ctx)
			defer stop()
		}
		pause := connectPoll
		if rate := i.RateLimit(); rate.Known && !rate.Unlimited() && rate.Remaining < rate.Limit/4 {
			pause *= 4
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// Reconnect brings the stored session back up, without a new code. It only
// starts that: wait with [InstanceClient.WaitConnected]. [ErrNoSession] when
// there is no session, as after a logout; then use [InstanceClient.Connect].
//
// POST /api/instance/reconnect/:instance. Not safe to repeat.
func (i *InstanceClient) Reconnect(ctx context.Context) error {
	return run(ctx, i.h, opInstanceReconnect, input{hint: "the session may be coming up: look at the state"})
}

// Logout unlinks the device from WhatsApp and drops the session. The instance,
// its token, settings and webhooks stay.
//
// DELETE /api/instance/logout/:instance. Safe to repeat.
func (i *InstanceClient) Logout(ctx context.Context) error {
	return run(ctx, i.h, opInstanceLogout, input{})
}

// Metrics returns the instance's message counters.
//
// GET /api/instance/metrics/:instance. Safe to repeat.
func (i *InstanceClient) Metrics(ctx context.Context) (*Metrics, error) {
	if i.h.err != nil {
		return nil, i.h.err
	}
	return metrics(ctx, i.h, []string{i.h.name})
}
