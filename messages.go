package ryze

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/ryzeapi/ryze-go/internal/upload"
)

// MessagesService sends messages and acts on messages that were sent or
// received.
type MessagesService service

// SentMessage is a message that the service has accepted. It does not prove
// delivery, or that the recipient exists. Receipts come as events.
type SentMessage struct {
	Meta `json:"-"`

	// ID is the WhatsApp id. Use it to quote, edit, delete or look up the
	// message.
	ID string
	// Chat is the recipient as the service resolved it, maybe in another
	// Brazilian form. Store this one.
	Chat      JID
	GroupName string // only for groups
	Timestamp time.Time
	// Status is the service's word, usually "sent". An unknown word counts as
	// accepted, because the reply has a message id. A word that says no, such
	// as "rejected" or "cancelado", is [ErrOutcomeUnknown]; see
	// docs/service-notes.md.
	Status  MessageStatus
	Type    string // such as "text" or "image"
	Content string // what the service stored as text
	// Source is the label that the message carries; see [WithSource].
	Source string
	// ReplyTo is the id of the quoted message; for a reaction, of the message
	// reacted to.
	ReplyTo string
	// Media describes the uploaded file, for media and stickers.
	Media SentMedia
}

// SentMedia describes a file after the service has uploaded it to WhatsApp.
type SentMedia struct {
	URL      string // on WhatsApp's own host
	MIME     string
	Size     int64         // bytes
	Duration time.Duration // voice notes, when it could be computed
}

// Send sends a message to a person, a group or a channel. It checks recipient,
// content and options before the request.
//
// It repeats only when the service certainly did not accept the message. With
// [ErrOutcomeUnknown] the message may be sent: see [MessagesService.Settle].
// With another error it was not accepted; see [OutcomeOf].
//
// Errors: [*ValidationError], [ErrNotConnected], [ErrRateLimited],
// [ErrThrottled], [ErrNetwork], and [ErrInvalidArgument] by the service, such
// as for a number that is not on WhatsApp.
//
// It returns when its context ends, if your transport obeys the context.
//
// POST /api/message/<kind>/:instance. Not safe to repeat.
func (s *MessagesService) Send(ctx context.Context, to JID, content Content, opts ...SendOption) (*SentMessage, error) {
	if isNil(content) {
		return nil, invalid("content", "is nil")
	}
	kind := content.kind()
	if err := to.check("to", kind.to); err != nil {
		return nil, err
	}
	return s.send(ctx, to, content, kind, opts)
}

// SendText sends a [Text]. It works like [MessagesService.Send].
//
// POST /api/message/text/:instance. Not safe to repeat.
func (s *MessagesService) SendText(ctx context.Context, to JID, text string, opts ...SendOption) (*SentMessage, error) {
	return s.Send(ctx, to, Text(text), opts...)
}

func (s *MessagesService) send(ctx context.Context, to JID, content Content, kind contentKind, opts []SendOption) (*SentMessage, error) {
	if s.h.err != nil {
		return nil, s.h.err
	}
	o, err := s.options(opts)
	if err != nil {
		return nil, err
	}
	if err := o.check(kind.name, kind.features, to); err != nil {
		return nil, err
	}
	common := sendCommon{
		Number: to.wire(), Source: o.source, sendExtras: o.extras(),
		ctx: ctx, limit: cmp.Or(o.limit, kind.op.Timeout),
	}
	if _, plain := content.(Text); !plain { // Text.body checks its text itself
		if err := checkContent(content); err != nil {
			return nil, err
		}
	}
	body, err := content.body(common)
	if err != nil {
		if e, ok := err.(*callError); ok { //nolint:errorlint // what head has made
			e.op = kind.op.ID
		}
		return nil, err
	}
	in := input{
		body: body, limit: o.limit, patient: roundedUp(o.delay),
		to: to, source: o.source,
		hint: "the message may have been sent: settle it before sending again",
	}
	if stream, ok := body.(*upload.Body); ok {
		in.body, in.stream = nil, stream
		defer stream.Close()
	}
	r, err := fetchChecked(ctx, s.h, kind.op, in, (*sendReply).missing)
	if err != nil {
		return nil, s.uncertain(err, content, &o)
	}
	d := &r.data
	id := string(d.messageID)
	s.h.client.accepted.add(id, d.timestamp, r.began)
	return &SentMessage{
		Meta: r.Meta, ID: id, Chat: d.chat, GroupName: d.groupName,
		Timestamp: d.timestamp, Status: messageStatus(r.status), Type: d.messageType, Content: d.content,
		Source: o.source, ReplyTo: d.replyTo, Media: d.media,
	}, nil
}

// options applies the options of a send to the defaults.
func (s *MessagesService) options(opts []SendOption) (sendOptions, error) {
	source := s.h.client.config.source
	if len(opts) == 0 {
		return sendOptions{source: source}, nil
	}
	o := sendOptions{source: source}
	for _, opt := range opts {
		if opt == nil {
			return sendOptions{}, invalid("option", "is nil")
		}
		if err := opt(&o); err != nil {
			return sendOptions{}, err
		}
	}
	return o, nil
}

// checkContent checks the texts of a content, whose fields it names as their
// type does.
func checkContent(c Content) error {
	if t, plain := c.(Text); plain {
		return checkUTF8("text", string(t))
	}
	t := reflect.TypeOf(c)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return checkTexts(t.Name(), c)
}

// attempted is the content of a send with what Settle needs beside it.
type attempted struct {
	Content
	h          handle
	delay      time.Duration
	limit      time.Duration // that of the attempt, if one was given
	redirected bool          // the message went to another chat than its recipient
	quotes     string        // id of the quoted message
	others     recentSnapshot
	recorded   bool // known from the application's records, not from an error
}

// uncertain completes the error of a send whose outcome is unknown.
func (s *MessagesService) uncertain(err error, content Content, o *sendOptions) error {
	var e *OutcomeError
	if errors.As(err, &e) {
		e.content = &attempted{
			Content: content, h: s.h, delay: o.delay, limit: o.limit, redirected: o.replyPrivate, quotes: o.replyTo,
			others: s.h.client.accepted.snapshot(),
		}
	}
	return err
}
