package ryze

import (
	"context"
	"errors"
	"time"
)

// SettleOption is an option of [MessagesService.Settle] and
// [MessagesService.Find].
type SettleOption func(*settling)

// SettleWith gives Settle the events since the send, to be searched before the
// history. An echo found there saves the request. A missing one proves nothing.
func SettleWith(events ...*Event) SettleOption {
	return func(s *settling) { s.events = append(s.events, events...) }
}

// SettleExcept names messages that are certainly others, by id. The last 4096
// sends of this [Client] are known without it.
func SettleExcept(messageIDs ...string) SettleOption {
	return func(s *settling) { s.except = append(s.except, messageIDs...) }
}

// Settle looks for a message whose send ended with [ErrOutcomeUnknown]. It
// never sends. It returns the message, or [ErrNotSent] when it searched
// everywhere in vain. Otherwise it returns ErrOutcomeUnknown with the reason,
// for another try.
//
// [ErrNotSent] is strong evidence, no proof; see docs/settling.md. It costs one
// request for each 100 messages since the attempt, usually one to four. A nil
// err is a [*ValidationError].
//
// POST /api/chat/history/:instance, GET /api/chat/contacts/:instance. Safe to
// repeat.
func (s *MessagesService) Settle(ctx context.Context, err error, opts ...SettleOption) (*SentMessage, error) {
	var e *OutcomeError
	switch {
	case err == nil:
		return nil, invalid("err", "is nil: the send was accepted")
	case errors.As(err, &e) && e == nil:
		return nil, invalid("err", "is a nil *OutcomeError")
	case e != nil:
		return s.settle(ctx, e, opts)
	case isCertainlyUnsent(err):
		return nil, notSent(err)
	default:
		return nil, errorsOf(ErrOutcomeUnknown, errNotOutcome, err)
	}
}

func (s *MessagesService) settle(ctx context.Context, e *OutcomeError, opts []SettleOption) (*SentMessage, error) {
	try := e.try()
	switch {
	case try == nil:
		return nil, e.still(errNotOutcome)
	case try.h.name != s.h.name:
		return nil, e.still(invalid("err", "is that of a send of the instance "+quoted(try.h.name)))
	}
	w := newSettling(e)
	for _, opt := range opts {
		if opt == nil {
			return nil, e.still(invalid("option", "is nil"))
		}
		opt(w)
	}
	for _, event := range w.events {
		w.consider(w.echo(event))
	}
	if message, doubt := w.verdict(labelledOnly); message != nil || doubt != nil {
		return w.answer(message, doubt) // the label tells it from all others
	}
	if w.redirected || w.outline.notStored || e.Recipient.Kind() == JIDBroadcast {
		return nil, e.still(errNotStored)
	}
	if err := w.searchHistory(ctx, s); err != nil {
		return nil, e.still(err)
	}
	return w.answer(w.verdict(everything))
}

// Attempt is a send that an application wrote down before it, to look for the
// message after a crash.
type Attempt struct {
	To      JID
	Content Content // a file in it is not read; it may be gone
	Source  string  // the label of the send; compared only with events
	// SentAt is when the record was written, before the send. When it is in the
	// future, the message cannot be called missing.
	SentAt time.Time
	Delay  time.Duration // that of the [Delay] option, if it was given
}

// Find works like [MessagesService.Settle], for a send that is known only from
// your own records. Name other messages with [SettleExcept]: a later one with
// the same text looks the same. An attempt without content or SentAt, or with a
// bad recipient, stays unknown, with a [*ValidationError].
//
// POST /api/chat/history/:instance, GET /api/chat/contacts/:instance. Safe to
// repeat.
func (s *MessagesService) Find(ctx context.Context, attempt Attempt, opts ...SettleOption) (*SentMessage, error) {
	e := &OutcomeError{
		Operation: "find a message", Recipient: attempt.To, Source: attempt.Source, SentAt: attempt.SentAt.UTC(),
		hint: "the message may have been sent",
	}
	switch {
	case isNil(attempt.Content):
		return nil, e.still(invalid("Attempt.Content", "is nil"))
	case attempt.SentAt.IsZero():
		return nil, e.still(invalid("Attempt.SentAt", "is zero"))
	}
	kind := attempt.Content.kind()
	if err := attempt.To.check("Attempt.To", kind.to); err != nil {
		return nil, e.still(err)
	}
	e.Operation = kind.op.ID
	e.content = &attempted{Content: attempt.Content, h: s.h, delay: attempt.Delay, recorded: true}
	return s.settle(ctx, e, opts)
}

// IsEcho reports whether an event is the echo of this message: outgoing, with
// its label, chat, type and text. An echo is evidence that the message was
// sent; no echo proves nothing. To be certain, give each send its own
// [SourceLabel].
func (e *OutcomeError) IsEcho(event *Event) bool {
	if e.try() == nil {
		return false
	}
	w := newSettling(e)
	c := w.echo(event)
	return c.labelled && c.fit == certain && w.byTime(c.message.Timestamp) == certain && !w.twins
}

func newSettling(e *OutcomeError) *settling {
	try := e.try()
	return &settling{attempted: try, outcome: e, outline: outlineOf(try.Content), byID: make(map[string]int)}
}
