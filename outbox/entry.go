package outbox

import (
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

// Message is a message to send. Key, Instance, To and Content are required.
type Message struct {
	// Key is your own name for this message, at most 512 bytes. The same key
	// always means the same message.
	Key      string
	Instance string // name of the instance that sends it
	To       ryze.JID
	// Content must have a stored form: a reader that can be read only once is
	// refused. A file with a path is read when it is sent.
	Content ryze.Content

	Priority  ryze.Priority // across recipients; messages of one recipient keep their order
	NotBefore time.Time     // zero: at once
	ExpiresAt time.Time     // zero: never; no request leaves after it

	Delay        time.Duration // see [ryze.Delay]; at most an hour
	ReplyTo      string        // see [ryze.ReplyTo]
	ReplyPrivate bool          // ReplyTo is answered in private; see [ryze.ReplyPrivate]
	Mention      []ryze.JID    // see [ryze.Mention]
	MentionAll   bool          // see [ryze.MentionAll]
	LinkPreview  *bool         // see [ryze.LinkPreview]
}

// Entry is a message in the outbox with its state. All times are UTC.
type Entry struct {
	// Content is nil when it was forgotten ([WithForget]), and when this program cannot
	// read it: it is of a newer release, or encrypted otherwise. Then it waits for a
	// process that can, and Reason says so.
	Message
	ID    int64 // in the order of adding
	State State // what is known
	// Reason is why it failed, waits or is not known; "" otherwise. What a queued one
	// waits for, such as the pace or a message before it, is found out by
	// [Outbox.Get], [Outbox.Wait] and [Outbox.Entries].
	Reason   string
	Source   string // the label that the message carries; see [ryze.SourceLabel]
	Attempts int    // how often a request was begun
	AddedAt  time.Time
	// SentAt is when the last attempt began. It is written before the request
	// leaves.
	SentAt time.Time
	// NextAt is when the outbox works on it next. Zero means never again.
	NextAt time.Time

	MessageID   string    // id of WhatsApp, when it is known
	Chat        ryze.JID  // the recipient as the service resolved it
	DeliveredAt time.Time // from a receipt given to [Outbox.Observe]; zero: not known
	ReadAt      time.Time // the same

	rev        int64  // grows with each change; a change names the one that it has seen
	jobID      int64  // the job of River that is to bring it forward
	stored     []byte // fingerprint, as it is in the database
	unreadable error  // why there is no content
}

// Settled reports whether the outbox has finished with the entry. Its state is
// final, or it is unknown and waits for [Outbox.Resolve].
func (e *Entry) Settled() bool { return e.NextAt.IsZero() }

func (e *Entry) hasExpired(now time.Time) bool {
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt)
}

// options are those of the send.
func (e *Entry) options() []ryze.SendOption {
	opts := []ryze.SendOption{ryze.SourceLabel(e.Source)}
	switch {
	case e.ReplyPrivate:
		opts = append(opts, ryze.ReplyPrivate(e.ReplyTo))
	case e.ReplyTo != "":
		opts = append(opts, ryze.ReplyTo(e.ReplyTo))
	}
	if e.Delay != 0 {
		opts = append(opts, ryze.Delay(e.Delay))
	}
	if len(e.Mention) > 0 {
		opts = append(opts, ryze.Mention(e.Mention...))
	}
	if e.MentionAll {
		opts = append(opts, ryze.MentionAll())
	}
	if e.LinkPreview != nil {
		opts = append(opts, ryze.LinkPreview(*e.LinkPreview))
	}
	return opts
}

// Filter chooses entries. Its zero value chooses all.
type Filter struct {
	Instance string   // "": of all
	To       ryze.JID // "": to all
	States   []State  // none: in all
	// Unsettled leaves out settled entries.
	Unsettled bool
	AfterID   int64 // entries that were added after this one
}

// Stats counts the entries by their state.
type Stats map[State]int
