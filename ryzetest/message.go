package ryzetest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Message is a stored message of an instance.
type Message struct {
	ID        string
	Chat      string // JID
	Sender    string // JID of the author
	FromMe    bool
	Kind      string // "text", "image", "location", ...: the type of its event
	Text      string // body or caption
	Source    string // label of the send; "" for what did not come through the API
	Timestamp time.Time
	// Status is pending, sent, delivered, read, played or error for outgoing
	// messages, received or read for incoming ones.
	Status     string
	ReplyTo    string // id of the quoted message
	Mentions   []string
	MentionAll bool
	Forwarded  bool
	Edited     bool
	Revoked    bool
	Pinned     bool // in its chat, for everyone
	Starred    bool // a favorite of the account
	Deleted    bool // by the account for itself, alone or with its chat
	Media      *Media
	Location   *Location
	Card       *ContactCard
	Poll       *Poll
	Answer     *Answer
	Reaction   *Reaction
	// Request is the body of the send that made the message, nil for others.
	// Streamed media fields are empty strings in it.
	Request map[string]any

	event  eventPart // what only its event shows
	stored time.Time
}

// eventPart is what a message.exchange says beyond the stored message.
type eventPart struct {
	id       string // when the event's id is not the message's
	original string // id of the message that an edit changes
	revoke   bool
	hidden   bool // the sender shows only a LID
	patch    obj  // merged into data.message
}

// Location is a point on the map.
type Location struct {
	Latitude, Longitude float64 // degrees
	Name, Address       string  // optional
}

// ContactCard is a contact that somebody shares.
type ContactCard struct {
	Name  string
	Phone string // digits
	VCard string // the card itself, in vCard 3.0
}

// Poll is a question with options.
type Poll struct {
	Question string
	Options  []string
	Max      int // how many options one person may pick; 0 means 1
}

// Reaction is an emoji on a message; an empty one takes it away.
type Reaction struct{ Emoji, MessageID string }

// Receipts says when the other side receives, reads and plays messages, on the
// server's clock.
type Receipts struct {
	Off       bool          // no receipts at all
	Delivered time.Duration // after the send; negative: never
	Read      time.Duration // after the send; negative: never
	Played    time.Duration // after the send, voice notes only; 0 or negative: never
}

var defaultReceipts = Receipts{Delivered: 50 * time.Millisecond, Read: 150 * time.Millisecond}

// SetDelivery changes when receipts come for later messages. By default a
// message is delivered after 50 ms and read after 150 ms (invented). Tests of
// statuses need Receipts{Off: true} or their own times.
func (i *Instance) SetDelivery(r Receipts) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.receipts = r
	i.changed(Change{Kind: ChangeInstance})
}

// Messages returns copies of the stored messages of both sides, in order of
// arrival, also revoked and deleted ones. An edit changes its message.
func (i *Instance) Messages() []Message {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	list := make([]Message, len(i.messages))
	for k, m := range i.messages {
		list[k] = m.copy()
	}
	return list
}

// Sent returns the stored messages that went out through the API.
func (i *Instance) Sent() []Message {
	return slices.DeleteFunc(i.Messages(), func(m Message) bool { return m.Request == nil })
}

// Message returns a copy of the stored message with that id, and whether there
// is one.
func (i *Instance) Message(id string) (Message, bool) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	m := i.byID[id]
	if m == nil {
		return Message{}, false
	}
	return m.copy(), true
}

func (m *Message) copy() Message {
	c := *m
	c.Mentions = slices.Clone(m.Mentions)
	c.Request = maps.Clone(m.Request)
	if m.Media != nil {
		media := *m.Media
		c.Media = &media
	}
	return c
}

// newMessageID returns an id of the form that WhatsApp gives.
func newMessageID() string {
	var b [8]byte
	rand.Read(b[:])
	return fmt.Sprintf("3EB0%016X", b)
}

// store keeps a message. The caller holds the lock.
func (i *Instance) store(m *Message) {
	m.stored = i.s.clock.now()
	i.index(m)
	i.changedMessage(m)
	if m.Reaction == nil {
		return
	}
	if m := i.byID[m.Reaction.MessageID]; m != nil {
		i.changedMessage(m)
	}
}

// index puts a message where it is looked for.
func (i *Instance) index(m *Message) {
	i.messages = append(i.messages, m)
	i.byID[m.ID] = m
	if m.Reaction == nil {
		return
	}
	if i.reacted == nil {
		i.reacted = map[string][]*Message{}
	}
	to := m.Reaction.MessageID
	i.reacted[to] = append(i.reacted[to], m)
}

// rank orders the states of an outgoing message; they never go back.
var rank = map[string]int{"pending": 0, "sent": 1, "delivered": 2, "read": 3, "played": 4}

// scheduleReceipts plays the other side's device. The caller holds the lock.
func (i *Instance) scheduleReceipts(m *Message) {
	r := i.receipts
	if r.Off || m.Chat == jidStatus || chatType(m.Chat) == "newsletter" || i.blocks(m.Chat) {
		return
	}
	gone := i.gone
	at := func(d time.Duration, status string) {
		i.s.clock.after(d, func() { i.receive(status, m, gone) })
	}
	if r.Delivered >= 0 {
		at(r.Delivered, "delivered")
	}
	if r.Read >= 0 {
		at(r.Read, "read")
	}
	if r.Played > 0 && m.Media != nil && m.Media.Voice {
		at(r.Played, "played")
	}
}

// receive plays a receipt for a message. Reading a chat reads everything that
// was delivered in it: one receipt then names several ids.
func (i *Instance) receive(status string, m *Message, gone <-chan struct{}) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.gone != gone || i.state != StateConnected || i.deleted() {
		return
	}
	due := []*Message{m}
	if status == "read" {
		due = append(i.unread[m.Chat], m)
		delete(i.unread, m.Chat)
	}
	var ids []string
	for _, other := range due {
		if rank[other.Status] >= rank[status] {
			continue
		}
		other.Status = status
		i.changedMessage(other)
		ids = append(ids, other.ID)
		if status == "delivered" {
			i.unread[m.Chat] = append(i.unread[m.Chat], other)
		}
	}
	if len(ids) == 0 {
		return
	}
	i.emitReceipt(status, m.Chat, ids)
}

// Receipt plays one message.status event for the named messages, with any
// status. The stored status follows delivered, read and played, never
// backwards; server_error makes it error. Unknown ids are in the event too.
func (i *Instance) Receipt(status string, ids ...string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	chat := ""
	for _, id := range ids {
		m := i.byID[id]
		if m == nil {
			continue
		}
		chat = m.Chat
		if _, known := rank[status]; known && rank[status] > rank[m.Status] {
			m.Status = status
		}
		if status == "server_error" {
			m.Status = "error"
		}
		i.changedMessage(m)
	}
	i.emitReceipt(status, chat, ids)
}

func (i *Instance) emitReceipt(status, chat string, ids []string) {
	data := i.receipt(status, chat, ids)
	i.emit("message.status", func(bool) any { return data })
}

// receipt is the data of a message.status. The caller holds the lock.
func (i *Instance) receipt(status, chat string, ids []string) obj {
	data := obj{
		"messageIds": ids,
		"status":     status,
		"timestamp":  i.s.stamp(i.s.clock.now()),
		"chat":       obj{"jid": i.s.eventJID(chat), "type": chatType(chat)},
	}
	if i.s.world.isAnnouncements(chat) {
		data["chat"].(obj)["isCommunity"] = true
	}
	if chatType(chat) == "group" {
		data["messageSender"] = i.jid()
	} else {
		data["recipient"] = i.s.eventJID(chat)
	}
	return data
}
