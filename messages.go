package ryze

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"
)

// MessagesService sends messages and acts on messages that were sent or
// received.
type MessagesService service

// SendOption is a common option of a send. Options that the kind of message
// does not support are refused with a [*ValidationError]: the service would
// ignore them without a word.
type SendOption func(*sendOptions) error

type sendOptions struct {
	delay        time.Duration
	replyTo      string
	replyPrivate bool
	mention      []string
	mentionAll   bool
	linkPreview  *bool
	source       string
	limit        time.Duration
}

// ReplyTo quotes a message of the same instance, by its id. The service must
// have stored it, as it does with everything it sends or receives.
func ReplyTo(messageID string) SendOption {
	return func(o *sendOptions) error {
		o.replyTo = messageID
		return checkText("ReplyTo", messageID)
	}
}

// ReplyPrivate quotes a message of a group and sends the answer to its
// author's private chat. The recipient of the send is the group. The service
// ignores the redirection when the quoted message is not from a group.
func ReplyPrivate(messageID string) SendOption {
	return func(o *sendOptions) error {
		o.replyTo, o.replyPrivate = messageID, true
		return checkText("ReplyPrivate", messageID)
	}
}

// Delay makes the service wait before sending, and show the typing indicator
// meanwhile. Whole seconds are sent: parts of a second are rounded up. The call
// may take that much longer, so its time limit grows accordingly. The longest
// delay is not documented.
func Delay(d time.Duration) SendOption {
	return func(o *sendOptions) error {
		if d < 0 {
			return invalid("Delay", "is negative")
		}
		o.delay = d
		return nil
	}
}

// Mention mentions people, in groups only. The text must carry @<number> for a
// visible mention; without it they are notified silently.
func Mention(people ...JID) SendOption {
	return func(o *sendOptions) error {
		for _, p := range people {
			if err := p.check("Mention", jidKinds{JIDUser, JIDLID}); err != nil {
				return err
			}
			o.mention = append(o.mention, p.wire())
		}
		return nil
	}
}

// MentionAll mentions every member of the group, without visible tags.
func MentionAll() SendOption {
	return func(o *sendOptions) error {
		o.mentionAll = true
		return nil
	}
}

// LinkPreview says whether WhatsApp shows a preview of a link in the text. The
// service's default is not documented.
func LinkPreview(show bool) SendOption {
	return func(o *sendOptions) error {
		o.linkPreview = &show
		return nil
	}
}

// SourceLabel labels this message; see [WithSource].
func SourceLabel(source string) SendOption {
	return func(o *sendOptions) error {
		o.source = source
		return checkText("SourceLabel", source)
	}
}

// TimeLimit replaces the time limit of the attempt (30 s, for media 120 s),
// for instance to upload a large file over a slow line. The context's deadline
// holds all the same.
func TimeLimit(d time.Duration) SendOption {
	return func(o *sendOptions) error {
		if d <= 0 {
			return invalid("TimeLimit", "is not positive")
		}
		o.limit = d
		return nil
	}
}

func (o *sendOptions) check(kind string, f features, to JID) error {
	refuse := func(option string) error {
		return invalid(option, "is not supported by "+kind+": the service would ignore it")
	}
	mentions := len(o.mention) > 0 || o.mentionAll
	switch {
	case o.delay > 0 && f&canDelay == 0:
		return refuse("Delay")
	case o.replyPrivate && f&canReplyPrivate == 0:
		return refuse("ReplyPrivate")
	case o.replyTo != "" && f&canReply == 0:
		return refuse("ReplyTo")
	case mentions && f&canMention == 0:
		return refuse("Mention")
	case mentions && !to.IsGroup():
		return invalid("Mention", "works in groups only")
	case o.linkPreview != nil && f&canPreview == 0:
		return refuse("LinkPreview")
	case o.replyPrivate && !to.IsGroup():
		return invalid("ReplyPrivate", "needs the group as recipient")
	}
	return nil
}

// SentMessage says that the service has accepted a message. It proves neither
// delivery nor that the recipient exists in every case; receipts arrive as
// events.
type SentMessage struct {
	Meta `json:"-"`

	// ID is the WhatsApp id, used to quote, edit, delete or look up the message.
	ID string
	// Chat is the recipient as the service resolved it, for instance with the
	// other form of a Brazilian mobile number. Store this one.
	Chat      JID
	GroupName string // only for groups
	Timestamp time.Time
	Status    string // the service's word, "sent"
	Type      string // such as "text" or "image"; not documented for every kind
	Content   string // what the service stored as text
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

type sendReply struct {
	envelope
	Status string `json:"status"`
	Data   struct {
		MessageID   string      `json:"messageId"`
		Status      string      `json:"status"`
		Timestamp   stringOrInt `json:"timestamp"`
		MessageType string      `json:"messageType"`
		Content     string      `json:"content"`
		Chat        struct {
			JID       JID    `json:"jid"`
			GroupName string `json:"groupName"`
		} `json:"chat"`
		ReplyTo struct {
			MessageID string `json:"messageId"`
		} `json:"replyTo"`
		MediaURL      string  `json:"mediaUrl"`
		MediaMIMEType string  `json:"mediaMimeType"`
		MediaSize     int64   `json:"mediaSize"`
		MediaDuration float64 `json:"mediaDuration"`
	} `json:"data"`
}

// saysFailed reports whether one of the words for what became of the message
// means that it was not sent.
func (r *sendReply) saysFailed() bool {
	return meansFailure(r.Status) || meansFailure(r.Data.Status) ||
		strings.EqualFold(r.Status, "disconnected") || strings.EqualFold(r.Data.Status, "disconnected")
}

func (r *sendReply) missing() string {
	if r.Data.MessageID == "" {
		return "the reply has no message id"
	}
	return ""
}

// Send sends a message to a person, a group or a channel. The content decides
// which route is used; which recipients and options it allows is checked
// before the request.
//
// A send is never repeated unless it is certain that the service did not
// accept it. When that is not certain the error matches [ErrOutcomeUnknown];
// its [*OutcomeError] has what [MessagesService.Settle] needs to look for the
// message.
//
// With any other error the message was not accepted: [*ValidationError] before
// any request; [ErrNotConnected];
// [ErrRateLimited] when waiting for quota would take too long; [ErrThrottled]
// when WhatsApp itself throttles; [ErrInvalidArgument] when the service
// refuses, for instance a number that is not on WhatsApp.
//
// POST /api/message/<kind>/:instance. Not safe to repeat.
func (s *MessagesService) Send(ctx context.Context, to JID, content Content, opts ...SendOption) (*SentMessage, error) {
	if content == nil {
		return nil, invalid("content", "is nil")
	}
	kind := content.kind()
	if err := to.check("to", kind.to); err != nil {
		return nil, err
	}
	return s.send(ctx, to, content, kind, opts)
}

// SendText sends a text message: Send with [Text].
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
		Number: to.wire(), Delay: int64((o.delay + time.Second - 1) / time.Second),
		ReplyTo: o.replyTo, ReplyPrivate: o.replyPrivate,
		Mention: o.mention, MentionAll: o.mentionAll, LinkPreview: o.linkPreview,
		Source: o.source,
	}
	if err := checkContent(content); err != nil {
		return nil, err
	}
	body, err := content.body(common)
	if err != nil {
		return nil, err
	}
	in := input{
		body: body, limit: o.limit, patient: time.Duration(common.Delay) * time.Second,
		to: to, source: o.source,
		hint: "the message may have been sent: settle it before sending again",
	}
	if stream, ok := body.(*bodyStream); ok {
		in.body, in.stream = nil, stream
		defer stream.Close()
	}
	began := time.Now()
	r, err := fetchChecked(ctx, s.h, kind.op, in, (*sendReply).missing)
	if err != nil {
		return nil, s.uncertain(err, content, &o)
	}
	d := &r.Data
	stamp := parseTime(d.Timestamp)
	s.h.client.accepted.add(d.MessageID)
	s.h.client.accepted.stamped(stamp, began)
	return &SentMessage{
		Meta: r.Meta, ID: d.MessageID, Chat: d.Chat.JID, GroupName: d.Chat.GroupName,
		Timestamp: stamp, Status: r.Status, Type: d.MessageType, Content: d.Content,
		Source: o.source, ReplyTo: d.ReplyTo.MessageID,
		Media: SentMedia{
			URL: d.MediaURL, MIME: d.MediaMIMEType, Size: d.MediaSize,
			Duration: time.Duration(d.MediaDuration * float64(time.Second)),
		},
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
