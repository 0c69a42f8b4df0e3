package ryze

import (
	"context"
	"errors"
	"time"
)

// SettleOption changes how [MessagesService.Settle] looks for a message.
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
// [ErrOutcomeUnknown]. It looks for the message in the events given with
// [SettleWith], then in the history of the chat, under both forms of a
// Brazilian mobile number and under the person's LID or phone, if the service
// knows it. It never sends anything.
//
// A message counts as the one looked for when the instance sent it to the same
// chat, it has the same type and text (for media the caption), its time is that
// of the attempt, and it is not known to be another. The answer is [Sent] with
// that message when there is exactly one, and [NotFound] when there is none and
// nothing leaves a doubt. Everything else is [StillUnknown].
//
// What fits badly leaves a doubt: a text that differs in blanks, in the form of
// its accents, in its end or in its mentions; another type with the same text; a
// time that is missing, or out of place by less than two minutes or by less than
// the clocks are known to differ; a message that was edited or revoked. A
// message of which nothing is left to compare is not found.
//
// The answer is [StillUnknown] as well for what a history cannot show (status
// messages, reactions, answers sent with [ReplyPrivate]), and as long as the
// message may be on its way: for a minute after the attempt, and its [Delay].
// How contacts and PIX cards look in a history is not documented, so they are
// found in events only, and anything else that the instance sent in that time
// leaves a doubt.
//
// A person or another program that sends the very same text to the same chat in
// the three minutes after the attempt cannot be told apart. For media without a
// caption that is any file of the same type.
//
// The error lives as long as the process: an application that must survive a
// crash writes each send down before it makes it, and uses
// [MessagesService.Find] afterwards.
//
// The error is not nil when err is not that of a send of this instance, or when
// the service could not be asked, or did not answer in full; the answer is then
// [StillUnknown]. The service documents neither this use of the history nor what
// a history shows.
//
// POST /api/chat/history/:instance, and GET /api/chat/contacts/:instance for a
// person's other address. Safe to repeat.
func (s *MessagesService) Settle(ctx context.Context, err error, opts ...SettleOption) (Settlement, *SentMessage, error) {
	var e *OutcomeError
	if !errors.As(err, &e) || e.try() == nil {
		return StillUnknown, nil, errNotOutcome
	}
	if e.try().h.name != s.h.name {
		return StillUnknown, nil, invalid("err", "is that of a send of the instance "+quoted(e.try().h.name))
	}
	w := newSettling(e)
	for _, opt := range opts {
		if opt == nil {
			return StillUnknown, nil, invalid("option", "is nil")
		}
		opt(w)
	}
	for _, event := range w.events {
		w.consider(w.echo(event))
	}
	if settlement, m := w.verdict(labelledOnly); settlement != NotFound {
		return settlement, m, nil // the label tells it from all others
	}
	if w.redirected || w.outline.notStored || e.Recipient.Kind() == JIDBroadcast {
		return StillUnknown, nil, nil
	}
	if err := w.searchHistory(ctx, s); err != nil {
		return StillUnknown, nil, err
	}
	settlement, m := w.verdict(everything)
	return settlement, m, nil
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
// application's own records: everything said there holds. SentAt is when the
// record was written, before the send. Ids of messages that are known to be
// others are given with [SettleExcept]; without them an earlier message of the
// same text cannot be told apart if it was sent after SentAt.
//
// POST /api/chat/history/:instance. Safe to repeat.
func (s *MessagesService) Find(ctx context.Context, attempt Attempt, opts ...SettleOption) (Settlement, *SentMessage, error) {
	switch {
	case attempt.Content == nil:
		return StillUnknown, nil, invalid("Attempt.Content", "is nil")
	case attempt.SentAt.IsZero():
		return StillUnknown, nil, invalid("Attempt.SentAt", "is zero")
	}
	kind := attempt.Content.kind()
	if err := attempt.To.check("Attempt.To", kind.to); err != nil {
		return StillUnknown, nil, err
	}
	return s.Settle(ctx, &OutcomeError{
		Operation: kind.op.ID, Recipient: attempt.To, Source: attempt.Source, SentAt: attempt.SentAt,
		content: &attempted{Content: attempt.Content, h: s.h, delay: attempt.Delay, recorded: true},
	}, opts...)
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
