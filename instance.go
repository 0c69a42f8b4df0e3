package ryze

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// InstanceClient acts on one instance: one WhatsApp number. Its services group
// the methods. It is safe for concurrent use.
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

// Name returns the instance's name.
func (i *InstanceClient) Name() string { return i.h.name }

// Client returns the engine that the handle belongs to.
func (i *InstanceClient) Client() *Client { return i.h.client }

// RateLimit returns what is known now of the quota of the handle's token.
func (i *InstanceClient) RateLimit() RateLimit { return i.h.rateLimit(RateGlobal) }

// String returns the instance's name, never the token.
func (i *InstanceClient) String() string { return "ryze.InstanceClient(" + quoted(i.h.name) + ")" }

// Info returns the instance with exactly the handle's name: state, number,
// profile and integrations. Use it to check the state. It returns
// [ErrInstanceNotFound] when the token belongs to another instance.
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
	// Phone asks for a pairing code instead of a QR code. Somebody types the
	// code on the phone of that number. It is a phone, not a LID.
	Phone JID
	// HistoryDays asks WhatsApp for old messages of that many days, at the
	// first pairing only, also with DisableHistorySync on. WhatsApp may send
	// fewer. They arrive as ordinary events with old times.
	HistoryDays int
}

// Pairing is what the owner of the phone needs. Its codes are secrets: whoever
// sees a valid one can take the number.
type Pairing struct {
	Meta `json:"-"`

	// Status is the service's word, such as "qr" with a QR code.
	Status string
	// QRCode is the text of the QR code. It is valid for about 20 seconds. Call
	// Connect again for a new one.
	QRCode Secret
	// Code is the pairing code: eight characters, maybe with a hyphen in the
	// middle. It works once.
	Code Secret

	png hidden[[]byte]
}

// Format implements [fmt.Formatter] without secrets.
func (p Pairing) Format(f fmt.State, verb rune) {
	type plain Pairing
	formatPlain(f, verb, plain(p))
}

// PNG returns the QR code as a picture, or nil when the service sent none.
func (p *Pairing) PNG() []byte { return p.png.get() }

// AlreadyConnected reports whether the instance is connected already, so that
// there is nothing to pair. It is a guess; see docs/service-notes.md.
func (p *Pairing) AlreadyConnected() bool {
	return p.QRCode == "" && p.Code == "" && len(p.PNG()) == 0 && ParseInstanceState(p.Status).isOnline()
}

// connectReply has its fields at the top. Where they are when the instance is
// connected already is not documented, so they are looked for wherever the
// service puts an instance.
type connectReply struct {
	envelope
	wirePairing
	Data struct {
		wirePairing
		Instance wirePairing `json:"instance"`
	} `json:"data"`
	Instance wirePairing `json:"instance"`
}

type wirePairing struct {
	Status       stringOrInt `json:"status"`
	State        stringOrInt `json:"state"`
	QRCode       Secret      `json:"qrCode"`
	QRCodeBase64 stringOrInt `json:"qrCodeBase64"`
	PairingCode  Secret      `json:"pairingCode"`
	Connection   struct {
		State stringOrInt `json:"state"`
	} `json:"connection"`
}

// gather fills what the top lacks from the other places. Of several states the
// connection's own goes first, as in the list of instances.
func (r *connectReply) gather() {
	places := []*wirePairing{&r.wirePairing, &r.Instance, &r.Data.wirePairing, &r.Data.Instance}
	top := places[0]
	for i, p := range places {
		p.Status = cmp.Or(p.Connection.State, cmp.Or(p.State, p.Status))
		if i == 0 {
			continue
		}
		top.Status = cmp.Or(top.Status, p.Status)
		if !ParseInstanceState(string(top.Status)).isOnline() && ParseInstanceState(string(p.Status)).isOnline() {
			top.Status = p.Status
		}
		top.QRCode = cmp.Or(top.QRCode, p.QRCode)
		top.QRCodeBase64 = cmp.Or(top.QRCodeBase64, p.QRCodeBase64)
		top.PairingCode = cmp.Or(top.PairingCode, p.PairingCode)
	}
}

func (r *connectReply) missing() string {
	if r.gather(); r.QRCode == "" && r.QRCodeBase64 == "" && r.PairingCode == "" && !ParseInstanceState(string(r.Status)).isOnline() {
		return "the reply has neither a QR code nor a pairing code"
	}
	return ""
}

// Connect starts to pair a phone and returns a QR code or a pairing code,
// within about a minute. Show it, then call [InstanceClient.WaitConnected].
// When a code expires, call Connect again.
//
// Each call starts a new pairing. For a stored session use
// [InstanceClient.Reconnect].
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
		return nil, invalid("HistoryDays", fmt.Sprintf("is %d, which is negative", params.HistoryDays))
	case params.HistoryDays > 0:
		query.Set("history", strconv.Itoa(params.HistoryDays))
	}
	in := input{query: query.Encode(), hint: "a pairing may have begun: look at the state, or connect again for a new code"}
	rep, err := fetchChecked(ctx, i.h, opInstanceConnect, in, (*connectReply).missing)
	if err != nil {
		return nil, err
	}
	p := &Pairing{Meta: rep.Meta, Status: string(rep.Status), QRCode: rep.QRCode, Code: rep.PairingCode}
	if rep.QRCodeBase64 != "" {
		p.png = hide(decodeBase64(string(rep.QRCodeBase64)))
	}
	return p, nil
}

// decodeBase64 decodes base64 with or without a data URI in front, padded or
// not; it returns nil for anything else.
func decodeBase64(s string) []byte {
	enc, encoding := plainBase64([]byte(s))
	out := make([]byte, encoding.DecodedLen(len(enc)))
	n, err := encoding.Decode(out, enc)
	if err != nil {
		return nil
	}
	return out[:n]
}

// Reconnect starts the stored session again, without a new code. Then call
// [InstanceClient.WaitConnected]. It returns [ErrNoSession] without a session,
// such as after a logout: use [InstanceClient.Connect].
//
// POST /api/instance/reconnect/:instance. Not safe to repeat.
func (i *InstanceClient) Reconnect(ctx context.Context) error {
	return run(ctx, i.h, opInstanceReconnect, input{hint: "the session may be coming up: look at the state"})
}

// Logout unlinks the device from WhatsApp and deletes the session. The
// instance, its token, settings and webhooks stay.
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

// Metrics counts messages. The service counts anew for each call, which is slow
// on busy instances. A count in an unknown form is zero; Raw has it.
type Metrics struct {
	Meta `json:"-"`

	Instances          []string // the names that were asked for
	TotalMessages      int
	MessagesReceived   int
	MessagesSent       int
	MessagesByType     map[string]int
	GroupMessages      int // not counted while IgnoreGroupMessages is on
	IndividualMessages int
	MessagesWithMedia  int
	MediaByType        map[string]int
	MessagesByStatus   map[string]int
	UniqueChats        int
	UniqueGroups       int
	UniqueContacts     int
	MessagesLast7Days  int
	MessagesLast30Days int
	FirstMessageAt     time.Time // zero when there is none
	LastMessageAt      time.Time
}

type metricsReply struct {
	envelope
	Metrics json.RawMessage `json:"metrics"`
}

type wireMetrics struct {
	Instance           stringOrList `json:"instance"`
	TotalMessages      wireInt      `json:"totalMessages"`
	MessagesReceived   wireInt      `json:"messagesReceived"`
	MessagesSent       wireInt      `json:"messagesSent"`
	MessagesByType     wireCounts   `json:"messagesByType"`
	GroupMessages      wireInt      `json:"groupMessages"`
	IndividualMessages wireInt      `json:"individualMessages"`
	MessagesWithMedia  wireInt      `json:"messagesWithMedia"`
	MediaByType        wireCounts   `json:"mediaByType"`
	MessagesByStatus   wireCounts   `json:"messagesByStatus"`
	UniqueChats        wireInt      `json:"uniqueChats"`
	UniqueGroups       wireInt      `json:"uniqueGroups"`
	UniqueContacts     wireInt      `json:"uniqueContacts"`
	MessagesLast7Days  wireInt      `json:"messagesLast7Days"`
	MessagesLast30Days wireInt      `json:"messagesLast30Days"`
	FirstMessageAt     stringOrInt  `json:"firstMessageAt"`
	LastMessageAt      stringOrInt  `json:"lastMessageAt"`
}

func metrics(ctx context.Context, h handle, names []string) (*Metrics, error) {
	if len(names) == 0 {
		return nil, invalid("names", "is empty")
	}
	escaped := make([]string, len(names))
	for i, name := range names {
		if err := checkInstanceName(name); err != nil {
			return nil, err
		}
		if strings.Contains(name, ",") {
			return nil, invalid("instance name", quoted(name)+" has a comma, which separates names on this route")
		}
		escaped[i] = url.PathEscape(name)
	}
	h.name, h.raw = strings.Join(names, ","), strings.Join(escaped, ",")
	rep, err := fetchChecked(ctx, h, opInstanceMetrics, input{}, func(r *metricsReply) string {
		if !jsonscan.Value(r.Metrics).IsObject() {
			return "the reply has no metrics"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	var m wireMetrics
	_ = json.Unmarshal(rep.Metrics, &m) // what could be read; Raw has the rest
	if len(m.Instance) == 0 {
		m.Instance = names
	}
	return &Metrics{
		Meta: rep.Meta, Instances: slices.Clone(m.Instance), TotalMessages: int(m.TotalMessages),
		MessagesReceived: int(m.MessagesReceived), MessagesSent: int(m.MessagesSent), MessagesByType: m.MessagesByType,
		GroupMessages: int(m.GroupMessages), IndividualMessages: int(m.IndividualMessages),
		MessagesWithMedia: int(m.MessagesWithMedia), MediaByType: m.MediaByType, MessagesByStatus: m.MessagesByStatus,
		UniqueChats: int(m.UniqueChats), UniqueGroups: int(m.UniqueGroups), UniqueContacts: int(m.UniqueContacts),
		MessagesLast7Days: int(m.MessagesLast7Days), MessagesLast30Days: int(m.MessagesLast30Days),
		FirstMessageAt: parseTime(m.FirstMessageAt), LastMessageAt: parseTime(m.LastMessageAt),
	}, nil
}
