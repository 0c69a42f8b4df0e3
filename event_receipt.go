package ryze

import (
	"cmp"
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// ReceiptEvent tells the status of messages. It can come before the reply of
// the send, and out of order: see [Receipts].
type ReceiptEvent struct {
	MessageIDs []string
	Status     MessageStatus
	Timestamp  time.Time
	Chat       EventChat
	// Recipient is the person of the receipt. When the service leaves it out,
	// it is the chat's address.
	Recipient     JID
	MessageSender JID  // in groups, the author of the messages
	FromMe        bool // as received; false when left out
}

func readReceipt(data jsonscan.Value) *ReceiptEvent {
	r := &ReceiptEvent{}
	var key foldedKey
	for c := data.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "messageids":
			r.MessageIDs = nil
			if id := readKey(c.Val); id != "" {
				r.MessageIDs = append(r.MessageIDs, id)
			}
			for id := c.Val.Elements(); id.Next(); {
				if s := readKey(id.Val); s != "" {
					r.MessageIDs = append(r.MessageIDs, s)
				}
			}
		case "status":
			r.Status = readStatus(c.Val)
		case "timestamp":
			r.Timestamp = readTime(c.Val)
		case "chat":
			r.Chat = readChat(c.Val).withAddress()
		case "recipient":
			r.Recipient = readUser(c.Val).withAddress().JID
		case "messagesender":
			r.MessageSender = readUser(c.Val).withAddress().JID
		case "isfromme":
			r.FromMe = c.Val.Bool()
		}
	}
	r.Recipient = r.Chat.named(cmp.Or(r.Recipient, r.Chat.JID))
	r.MessageSender = r.Chat.named(r.MessageSender)
	return r
}

// ReceiptUpdate is progress of one message.
type ReceiptUpdate struct {
	MessageID string
	Recipient JID           // who received, read or played it
	Status    MessageStatus // what is known now
	Previous  MessageStatus // what was known before, "" for nothing
	Timestamp time.Time     // the receipt's own time
	Chat      JID
}

// Receipts turns receipts into progress: never backwards, no step twice. Tell
// it of each accepted send ([Receipts.Sent]) and each receipt
// ([Receipts.Observe]). A receipt can come before the reply of its send.
//
// In groups and the status feed each recipient has its own progress. In a
// private chat phone and LID count as one.
//
// The zero value is ready for use. It is safe for concurrent use. Its memory is
// bounded.
type Receipts struct {
	// MaxMessages is the least number of latest messages in memory, and the
	// limit of progress steps and early receipts. There are at most twice as
	// many. Zero means 10 000.
	MaxMessages int
	// HoldFor is how long a receipt of an unknown message waits. Zero means
	// five minutes.
	HoldFor time.Duration

	mu       sync.Mutex
	sent     generations[string, struct{}]
	progress generations[receiptKey, MessageStatus]
	held     heldReceipts
}

const (
	defaultReceiptMessages = 10_000
	defaultReceiptHold     = 5 * time.Minute
)

type receiptKey struct {
	message   string
	recipient JID // "" in a private chat
}

type heldReceipt struct {
	update ReceiptUpdate
	many   bool // the chat has many recipients
	at     time.Time
}

// heldReceipts are the receipts of messages that are not known yet, the latest
// of all messages together. It forgets as [generations] does, by receipts: a
// message in a large group has hundreds.
type heldReceipts struct {
	young, old heldGeneration
}

type heldGeneration struct {
	of  map[string][]heldReceipt // by message, in the order in which they came
	has map[heldStep]struct{}
}

// heldStep is what makes two receipts say the same.
type heldStep struct {
	receiptKey
	status MessageStatus
}

func (h *heldReceipts) put(r heldReceipt, limit int) {
	step := heldStep{receiptKey{r.update.MessageID, r.update.Recipient}, r.update.Status}
	if _, ok := h.young.has[step]; ok {
		return // another delivery of it
	}
	if len(h.young.has) >= limit {
		h.old, h.young = h.young, heldGeneration{}
	}
	g := &h.young
	if g.has == nil {
		g.of, g.has = make(map[string][]heldReceipt), make(map[heldStep]struct{})
	}
	g.has[step] = struct{}{}
	g.of[step.message] = append(g.of[step.message], r)
}

// claim removes and returns the receipts of a message.
func (h *heldReceipts) claim(message string) []heldReceipt {
	older, newer := h.old.of[message], h.young.of[message]
	for _, g := range []*heldGeneration{&h.old, &h.young} {
		for _, r := range g.of[message] {
			delete(g.has, heldStep{receiptKey{message, r.update.Recipient}, r.update.Status})
		}
		delete(g.of, message)
	}
	if len(older) == 0 {
		return newer
	}
	return append(older, newer...)
}

// Sent tells that a message was accepted. It returns the progress of receipts
// that came before.
func (r *Receipts) Sent(messageID string) []ReceiptUpdate {
	if messageID == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent.put(messageID, struct{}{}, r.maxMessages())
	var updates []ReceiptUpdate
	for _, h := range r.held.claim(messageID) {
		if time.Since(h.at) < r.holdFor() {
			updates = r.advance(updates, h)
		}
	}
	return updates
}

// Observe takes a receipt and returns one update for each message that it
// moves. It returns nothing for unknown messages and known progress.
func (r *Receipts) Observe(e *ReceiptEvent) []ReceiptUpdate {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	var updates []ReceiptUpdate
	for _, id := range e.MessageIDs {
		h := heldReceipt{at: now, many: hasManyRecipients(e.Chat.JID), update: ReceiptUpdate{
			MessageID: id, Recipient: e.Recipient.Bare(), Status: e.Status, Timestamp: e.Timestamp, Chat: e.Chat.JID,
		}}
		if _, known := r.sent.get(id); known {
			r.sent.put(id, struct{}{}, r.maxMessages())
			updates = r.advance(updates, h)
		} else {
			r.held.put(h, r.maxMessages())
		}
	}
	return updates
}

// Status returns a message's status for a recipient, or "". In a private chat
// the recipient may be empty.
func (r *Receipts) Status(messageID string, recipient JID) MessageStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	status, known := r.progress.get(receiptKey{message: messageID})
	if !known {
		status, _ = r.progress.get(receiptKey{messageID, recipient.Bare()})
	}
	return status
}

func (r *Receipts) advance(updates []ReceiptUpdate, h heldReceipt) []ReceiptUpdate {
	u := h.update
	key := receiptKey{message: u.MessageID}
	if h.many {
		key.recipient = u.Recipient
	}
	u.Previous, _ = r.progress.get(key)
	if !u.Status.Supersedes(u.Previous) {
		r.progress.put(key, u.Previous, r.maxMessages()) // still in use
		return updates
	}
	r.progress.put(key, u.Status, r.maxMessages())
	return append(updates, u)
}

func hasManyRecipients(chat JID) bool {
	kind := chat.Kind()
	return kind == JIDGroup || kind == JIDBroadcast
}

func (r *Receipts) maxMessages() int {
	if r.MaxMessages > 0 {
		return r.MaxMessages
	}
	return defaultReceiptMessages
}

func (r *Receipts) holdFor() time.Duration {
	if r.HoldFor > 0 {
		return r.HoldFor
	}
	return defaultReceiptHold
}
