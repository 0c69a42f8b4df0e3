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

// Settle finds out what became of a send whose error matches
// [ErrOutcomeUnknown]. It never sends anything. It has three answers:
//
//   - the message and no error: it was sent;
//   - an error that matches [ErrNotSent]: the message was looked for everywhere,
//     and is not there, so it may be sent again;
//   - an error that matches [ErrOutcomeUnknown]: still unknown. Its text says
//     why. It is an [*OutcomeError] for the same send, so Settle takes it again
//     later.
//
// No other error is an answer about a send. Where a look-up failed, or an
// argument is wrong, the third answer wraps the cause.
//
// The service does not document this use of a history, nor what a history
// shows, nor how soon. So ErrNotSent is strong evidence and no proof.
//
// # What counts
//
// Settle looks into the events given with [SettleWith], then into the history of
// the chat: under both forms of a Brazilian mobile number, and under the
// person's LID or phone, if the service knows it.
//
// A message counts as the one looked for when the instance sent it to the same
// chat, it has the same type and text (for media the caption), its time is that
// of the attempt, and it is not known to be another. There must be exactly one.
//
// What fits badly leaves a doubt, and the answer is the third: a text that
// differs in blanks, in the form of its accents, in its end or in its mentions;
// another type with the same text; a time that is missing or has no zone, or is
// out of place by less than two minutes or by less than the clocks are known to
// differ; a message that was edited or revoked; a chat named by a LID where the
// recipient is a phone, or the other way round, if the service does not say that
// they are one person. A message of which nothing is left to compare is not
// found.
//
// # Limits
//
// Unknown stays what a history cannot show: status messages, reactions, answers
// sent with [ReplyPrivate]. So does everything as long as the message may be on
// its way: for a minute after the attempt, and its [Delay]. How contacts and PIX
// cards look in a history is not documented, so they are found in events only,
// and anything else that the instance sent in that time leaves a doubt.
//
// A person or another program that sends the very same text to the same chat in
// the three minutes after the attempt cannot be told apart. For media without a
// caption that is any file of the same type.
//
// The error lives as long as the process: an application that must survive a
// crash writes each send down before it makes it, and uses
// [MessagesService.Find] afterwards.
//
// # Errors that are certain
//
// An error of a send that does not match ErrOutcomeUnknown is certain: a
// [*ValidationError], a refusal of the service, a [*RateLimitError]. Settle asks
// nothing then; its error matches ErrNotSent and wraps err. A nil err is a
// *ValidationError. An err that is not a send's is the third answer, with a
// *ValidationError as its cause.
//
// # Costs
//
// Each address costs one request for every 100 messages since the attempt, at
// most 5000 messages; the other address of a person costs one more. Most calls
// need one to four requests. All of them count against the quota.
//
// POST /api/chat/history/:instance, and GET /api/chat/contacts/:instance for a
// person's other address. Safe to repeat.
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
// application's own records: everything said there holds, the three answers, the
// limits and the costs. SentAt is when the record was written, before the send.
//
// Ids of messages that are known to be others are given with [SettleExcept].
// Without them an earlier message of the same text cannot be told apart if it
// was sent after SentAt.
//
// An attempt that Send would have refused, or that has no content or no SentAt,
// stays unknown, with a [*ValidationError] as the cause.
//
// POST /api/chat/history/:instance, and GET /api/chat/contacts/:instance for a
// person's other address. Safe to repeat.
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
