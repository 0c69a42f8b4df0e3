package ryze

import (
	"cmp"
	"fmt"
	"time"
)

// Instance is an instance as the service shows it.
type Instance struct {
	Meta `json:"-"`

	ID    string
	Name  string
	Token Secret // the instance's own; empty when the service leaves it out

	// State is the connection's state in one spelling. RawState is the
	// service's word. Other values can come.
	State    InstanceState
	RawState string
	// JID is the address of the paired number, without a device. It is empty
	// before the first connection.
	JID           JID
	Presence      string // "available", "unavailable", "composing" and others
	DisplayStatus string // a label for people

	Profile   InstanceProfile
	Webhook   *Webhook   // the one labelled "default"; nil when not said
	WebSocket *WebSocket // nil when not said
	// Chatwoot is the state of the integration. For its keys see
	// docs/service-notes.md.
	Chatwoot *ChatwootState

	CreatedAt time.Time // zero when the service does not say
	UpdatedAt time.Time
}

// Format implements [fmt.Formatter] without secrets.
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

// Connected reports whether the instance is connected to WhatsApp.
func (i *Instance) Connected() bool {
	return i.State.isOnline()
}

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
	Webhook   object[wireWebhook]   `json:"webhook"`
	WebSocket object[wireWebSocket] `json:"websocket"`
	Chatwoot  object[wireChatwoot]  `json:"chatwoot"`
	CreatedAt stringOrInt           `json:"createdAt"`
	UpdatedAt stringOrInt           `json:"updatedAt"`
}

func (w *wireInstance) instance(auth *credential, meta Meta) *Instance {
	i := &Instance{
		Meta: meta, ID: string(w.ID), Name: string(w.Name), Token: w.Token,
		RawState: string(cmp.Or(w.Connection.State, w.Status)),
		JID:      JID(cmp.Or(w.Connection.NumberJID, w.NumberJID)).Bare(),
		Presence: string(w.Connection.PresenceStatus), DisplayStatus: string(w.Connection.DisplayStatus),
		Profile: InstanceProfile{
			Name: string(w.Profile.Name), PictureURL: string(w.Profile.PictureURL),
			IsBusiness: w.Profile.IsBusiness.on, BusinessName: string(w.Profile.BusinessName),
		},
		CreatedAt: parseTime(w.CreatedAt), UpdatedAt: parseTime(w.UpdatedAt),
	}
	i.State = ParseInstanceState(i.RawState)
	if shown := w.Webhook.value; shown != nil {
		hook := shown.webhook(Meta{})
		i.Webhook = &hook
	}
	if shown := w.WebSocket.value; shown != nil {
		i.WebSocket = shown.webSocket(Meta{})
	}
	if c := w.Chatwoot.value; c != nil {
		i.Chatwoot = &ChatwootState{Enabled: c.Enabled.on, Status: c.Status, Error: auth.redact(c.Error, w.Token)}
	}
	return i
}
