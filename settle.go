package ryze

import (
	"context"
	"errors"
	"time"
)

// SettleOption changes how [MessagesService.Settle] and [MessagesService.Find]
// look for a message.
type SettleOption func(*settling)

// SettleWith lets Settle look into events that the application has received
// since the send, before it asks the service. An echo found there saves the
// request; none found proves nothing. Events of other kinds are passed over.
func SettleWith(events ...*Event) SettleOption {
	return func(s *settling) { s.events = append(s.events, events...) }
}

// SettleExcept names messages that are known to be others, by their ids: those
// of the application's own earlier sends, for instance. What the same [Client]
// has sent since it was made is known without this, up to the last 4096.
func SettleExcept(messageIDs ...string) SettleOption {
	return func(s *settling) { s.except = append(s.except, messageIDs...) }
}

// Settle finds out what became of a send whose error matches [ErrOutcomeUnknown],
// and sends nothing. It returns the message when it was sent; [ErrNotSent] when it
// was looked for everywhere and is not there, or when err is certain; otherwise
// ErrOutcomeUnknown with the reason, an [*OutcomeError] that Settle takes again.
//
// The service documents neither this use of a history nor what one shows:
// ErrNotSent is strong evidence, no proof. It costs a request for every 100
// messages since the attempt, one to four for most. A nil err is a
// [*ValidationError]. Limits and doubts are in docs/settling.md.
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

// Attempt is a send that an application has written down before it made it, so
// that it can look for the message after a crash, when there is no error to
// settle.
type Attempt struct {
	To      JID
	Content Content // a file in it is not read; it may be gone
	Source  string  // the label of the send; only events are compared with it
	// SentAt is when the record was written, before the send. When it lies in the
	// future the clock was set back since, and the message cannot be told missing.
	SentAt time.Time
	Delay  time.Duration // that of the [Delay] option, if it was given
}

// Find is [MessagesService.Settle] for a send that is known only from the
// application's own records: the answers, limits and costs are the same. SentAt is
// when the record was written, before the send.
//
// Ids of messages that are known to be others are given with [SettleExcept].
// Without them an earlier message of the same text cannot be told apart if it was
// sent after SentAt. An attempt without content or SentAt, or with a recipient that
// Send refuses, stays unknown; the cause is a [*ValidationError].
//
// POST /api/chat/history/:instance, GET /api/chat/contacts/:instance. Safe to
// repeat.
func (s *MessagesService) Find(ctx context.Context, attempt Attempt, opts ...SettleOption) (*SentMessage, error) {
	e := &OutcomeError{
		Operation: "find a message", Recipient: attempt.To, Source: attempt.Source, SentAt: attempt.SentAt.UTC(),
		hint: "the message may have been sent",
	}
	switch {
	case isNilContent(attempt.Content):
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

// IsEcho reports whether an event is the echo of the message whose outcome is
// unknown: outgoing, with the same source label, chat, type and text, not older
// than the attempt and not known to be another message. An application that
// listens to events can keep the errors of its uncertain sends and hold each
// event against them.
//
// An echo is evidence that the message was sent; that none came proves nothing.
// Give each send a [SourceLabel] of its own to be certain.
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
