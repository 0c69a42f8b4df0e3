package ryze

import (
	"fmt"
	"time"
)

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
	return i.State.isOnline()
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
	ID         stringOrInt `json:"id"`
	Name       stringOrInt `json:"name"`
	Token      Secret      `json:"token"`
	Status     stringOrInt `json:"status"`
	NumberJID  stringOrInt `json:"numberJid"`
	Connection struct {
		State          stringOrInt `json:"state"`
		NumberJID      stringOrInt `json:"numberJid"`
		PresenceStatus stringOrInt `json:"presenceStatus"`
		DisplayStatus  stringOrInt `json:"displayStatus"`
	} `json:"connection"`
	Profile struct {
		Name         stringOrInt `json:"name"`
		PictureURL   stringOrInt `json:"pictureUrl"`
		IsBusiness   wireBool    `json:"isBusiness"`
		BusinessName stringOrInt `json:"businessName"`
	} `json:"profile"`
	Webhook   *wireWebhook   `json:"webhook"`
	WebSocket *wireWebSocket `json:"websocket"`
	Chatwoot  *wireChatwoot  `json:"chatwoot"`
	CreatedAt stringOrInt    `json:"createdAt"`
	UpdatedAt stringOrInt    `json:"updatedAt"`
}

type wireChatwoot struct {
	Enabled bool   `json:"enabled"`
	Status  string `json:"status"`
	Error   string `json:"error"`
}

func (w *wireInstance) instance(meta Meta) *Instance {
	i := &Instance{
		Meta: meta, ID: string(w.ID), Name: string(w.Name), Token: w.Token,
		RawState: string(first(w.Connection.State, w.Status)),
		JID:      JID(first(w.Connection.NumberJID, w.NumberJID)).Bare(),
		Presence: string(w.Connection.PresenceStatus), DisplayStatus: string(w.Connection.DisplayStatus),
		Profile: InstanceProfile{
			Name: string(w.Profile.Name), PictureURL: string(w.Profile.PictureURL),
			IsBusiness: w.Profile.IsBusiness.on, BusinessName: string(w.Profile.BusinessName),
		},
		CreatedAt: parseTime(w.CreatedAt), UpdatedAt: parseTime(w.UpdatedAt),
	}
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
