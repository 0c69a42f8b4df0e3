package ryze

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Settlement is what became of a send whose outcome was unknown.
type Settlement string

// Outcomes of [MessagesService.Settle].
const (
	// Sent: the message is there; its id is in the SentMessage.
	Sent Settlement = "sent"
	// NotFound: the service answered and does not have the message. It may
	// still be on its way through the service: this is strong evidence after a
	// minute or two, not proof.
	NotFound Settlement = "not_found"
	// StillUnknown: it could not be looked up, or several messages fit.
	StillUnknown Settlement = "unknown"
)

var errNotOutcome = invalid("err", "is not the error of a send that matches ErrOutcomeUnknown")

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
	return func(s *settling) { s.exclude(messageIDs) }
}

// Settle finds out what became of a send whose error matches
// [ErrOutcomeUnknown]. It looks for the message in the events given with
// [SettleWith], then in the history of the chat, under both forms of a
// Brazilian mobile number, and never sends anything.
//
// A message counts as the one looked for when the instance sent it to the same
// chat, it has the same type and text (for media the caption), it is not older
// than the attempt by the service's clock, and it is not known to be another.
// The answer is [Sent] with that message when there is exactly one,
// [StillUnknown] when there are several or one that leaves a doubt, and
// [NotFound] when there is none. The service's times are whole seconds: a
// person or another program that sends the very same text to the same chat in
// the second of the attempt cannot be told apart.
//
// [StillUnknown] is also the answer for what a history cannot show (status
// messages, reactions, answers sent with [ReplyPrivate]) and before a [Delay]
// is over. How contacts and PIX cards look in a history is not documented, so
// they are found in events only, and anything else that the instance sent in
// that time leaves a doubt.
//
// The error lives as long as the process: an application that must survive a
// crash writes each send down before it makes it, and uses
// [MessagesService.Find] afterwards.
//
// The error is not nil when err is not that of a send of this instance, or when
// the service could not be asked; the answer is then [StillUnknown].
//
// The service documents neither this use of the history nor how soon it shows
// what was accepted: ask again before trusting [NotFound].
//
// POST /api/chat/history/:instance. Safe to repeat.
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
		opt(w)
	}
	for _, event := range w.events {
		if m := w.echo(event); m != nil {
			w.consider(m, certain)
		}
	}
	if len(w.fits) > 0 {
		return w.answer()
	}
	if w.redirected || w.outline.notStored || e.Recipient.Kind() == JIDBroadcast {
		return StillUnknown, nil, nil
	}
	if err := w.searchHistory(ctx, (*ChatsService)(s)); err != nil {
		return StillUnknown, nil, err
	}
	return w.answer()
}

// Attempt is a send that an application has written down before it made it, so
// that it can look for the message after a crash, when there is no error to
// settle.
type Attempt struct {
	To      JID
	Content Content // a file in it is not read; it may be gone
	Source  string  // the label of the send; only events are compared with it
	SentAt  time.Time
	Delay   time.Duration // that of the [Delay] option, if it was given
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
	return e.try() != nil && newSettling(e).echo(event) != nil
}

// try returns what the error knows of a send, nil for other operations.
func (e *OutcomeError) try() *attempted {
	try, _ := e.content.(*attempted)
	return try
}

// attempted is the content of a send with what Settle needs beside it.
type attempted struct {
	Content
	h          handle
	delay      time.Duration
	redirected bool     // the message went to another chat than its recipient
	others     []string // ids of messages that were accepted before
	recorded   bool     // known from the application's records, not from an error
}

// uncertain completes the error of a send whose outcome is unknown.
func (s *MessagesService) uncertain(err error, content Content, o *sendOptions) error {
	var e *OutcomeError
	if errors.As(err, &e) {
		e.content = &attempted{
			Content: content, h: s.h, delay: o.delay, redirected: o.replyPrivate, others: s.h.client.accepted.ids(),
		}
	}
	return err
}

// settling is one search.
type settling struct {
	*attempted
	outcome *OutcomeError
	outline *outline
	events  []*Event
	known   map[string]struct{} // ids of other messages

	fits   []*SentMessage
	doubts int // how many of them are doubtful
}

func newSettling(e *OutcomeError) *settling {
	try := e.try()
	w := &settling{attempted: try, outcome: e, outline: outlineOf(try.Content), known: make(map[string]struct{})}
	w.exclude(try.others)
	if !try.recorded { // else the record may be of one that was accepted
		w.exclude(try.h.client.accepted.ids())
	}
	return w
}

func (w *settling) exclude(ids []string) {
	for _, id := range ids {
		w.known[id] = struct{}{}
	}
}

// consider takes a message that fits so well.
func (w *settling) consider(m *SentMessage, c confidence) {
	if slices.ContainsFunc(w.fits, func(other *SentMessage) bool { return other.ID == m.ID }) {
		return
	}
	w.fits = append(w.fits, m)
	if c == doubtful {
		w.doubts++
	}
}

func (w *settling) answer() (Settlement, *SentMessage, error) {
	switch {
	case len(w.fits) == 1 && w.doubts == 0:
		return Sent, w.fits[0], nil
	case len(w.fits) > 0, time.Since(w.outcome.SentAt) < w.delay:
		return StillUnknown, nil, nil
	default:
		return NotFound, nil, nil
	}
}

const (
	// unknownSkew is how far the service's clock may be behind ours when
	// nothing is known of it.
	unknownSkew = 2 * time.Minute
	// skewError is how far the estimate may be off.
	skewError = 2 * time.Second

	settlePageSize = 100
	mostSearched   = 5000 // messages of one chat
)

var errTooManyMessages = fmt.Errorf("ryze: the chat has more than %d messages since the attempt", mostSearched)

// window returns when the message can have been sent, by the service's clock:
// from begin for certain, from earliest perhaps. Both are whole seconds, as the
// service's times are.
func (w *settling) window() (earliest, begin time.Time) {
	begin, slack := w.outcome.SentAt, unknownSkew
	if skew, known := w.h.client.skew.estimate(); known {
		begin, slack = begin.Add(skew), skewError
	}
	begin = begin.Truncate(time.Second)
	return begin.Add(-slack), begin
}

// byTime says how well a time fits. One that cannot be read leaves a doubt.
func (w *settling) byTime(t time.Time) confidence {
	earliest, begin := w.window()
	switch {
	case t.IsZero():
		return doubtful
	case t.Before(earliest):
		return unfit
	case t.Before(begin):
		return doubtful
	default:
		return certain
	}
}

// echo returns the message of an event that is certain to be the one looked
// for, nil for all others.
func (w *settling) echo(event *Event) *SentMessage {
	if event == nil || w.outcome.Source == "" || !event.IsEcho(w.outcome.Source) {
		return nil
	}
	m := event.Data.(*MessageEvent) // or it would not be an echo
	_, known := w.known[m.ID]
	here := w.redirected || samePerson(m.Chat.JID, w.outcome.Recipient) || m.Chat.LID.Same(w.outcome.Recipient)
	switch {
	case m.ID == "" || known || !here || m.Edit != nil || m.RevokedID != "":
		return nil
	case w.outline.ofEvent(m) != certain || w.byTime(m.Timestamp) != certain:
		return nil
	}
	return &SentMessage{
		ID: m.ID, Chat: m.Chat.JID, Timestamp: m.Timestamp, Type: string(m.Type), Content: m.Text, Source: m.Source,
	}
}

// searchHistory looks at what the chat holds since the attempt, newest first.
func (w *settling) searchHistory(ctx context.Context, chats *ChatsService) error {
	earliest, _ := w.window()
	for i, chat := range BrazilAliases(w.outcome.Recipient) {
		n := 0
		for m, err := range chats.History(ctx, chat, HistoryQuery{From: earliest, PageSize: settlePageSize}) {
			if err != nil && i > 0 && (errors.Is(err, ErrInvalidArgument) || errors.Is(err, ErrNotFound)) {
				break // the other form of the number is nobody's
			}
			if err != nil {
				return err
			}
			if n++; n > mostSearched {
				return errTooManyMessages
			}
			w.look(m)
		}
	}
	return nil
}

func (w *settling) look(m *HistoryMessage) {
	if _, known := w.known[m.ID]; known || !m.FromMe || m.ID == "" {
		return
	}
	c := min(w.outline.weigh(m.Type, m.Text), w.byTime(m.Timestamp))
	if c == unfit {
		return
	}
	w.consider(&SentMessage{
		Meta: m.Meta, ID: m.ID, Chat: m.Chat, Timestamp: m.Timestamp, Type: string(m.Type), Content: m.Text,
		Source: w.outcome.Source,
	}, c)
}

// confidence is how well a message fits.
type confidence int

const (
	unfit confidence = iota
	doubtful
	certain
)

// outline is how the message looked for can be recognized.
type outline struct {
	types    []MessageType // none when the name is not documented
	text     string
	similar  func(text string) bool // instead of text
	loose    bool                   // how a history shows it is not documented
	reaction *Reaction

	blurred   bool // neither type nor text is documented for this kind
	notStored bool // a history does not show this kind, as far as is known
}

// plainTypes are the types about which there is no doubt what they mean.
var plainTypes = []MessageType{
	MessageText, MessageImage, MessageVideo, MessageAudio, MessageDocument, MessageSticker, MessageLocation, MessageReaction,
}

// weigh compares type and text.
func (o *outline) weigh(t MessageType, text string) confidence {
	if o.blurred {
		return doubtful
	}
	unclear := !slices.Contains(plainTypes, t)
	typeFits := slices.Contains(o.types, t) || (len(o.types) == 0 && unclear)
	textFits := text == o.text
	if o.similar != nil {
		textFits = o.similar(text)
	}
	switch {
	case typeFits && textFits:
		return certain
	case textFits && text != "": // under another name
		return doubtful
	case (o.loose || text == "") && (typeFits || unclear): // or with other words, or none
		return doubtful
	default:
		return unfit
	}
}

func (o *outline) ofEvent(m *MessageEvent) confidence {
	r := o.reaction
	switch {
	case r == nil:
		return o.weigh(m.Type, m.Text)
	case m.Reaction != nil && m.Reaction.Emoji == r.Emoji && m.Reaction.TargetID == r.MessageID:
		return certain
	default:
		return unfit
	}
}

// outlineOf says how the service describes a message of that content.
func outlineOf(content Content) *outline {
	switch c := content.(type) {
	case Text:
		return &outline{types: []MessageType{MessageText, ""}, text: string(c)}
	case TextStatus:
		return &outline{types: []MessageType{MessageText, ""}, text: c.Text}
	case Media:
		return &outline{types: c.possibleTypes(), text: c.Caption}
	case MediaStatus:
		return &outline{types: Media(c).possibleTypes(), text: c.Caption}
	case Sticker:
		return &outline{types: []MessageType{MessageSticker}}
	case Location:
		return &outline{types: []MessageType{MessageLocation}, similar: inOrder(c.Name, c.Address), loose: true}
	case Buttons:
		return &outline{types: []MessageType{"buttons"}, text: c.Text, loose: true}
	case List:
		return &outline{types: []MessageType{"list"}, text: c.Text, loose: true}
	case Form:
		return &outline{types: []MessageType{MessageInteractive}, text: c.Text, loose: true}
	case Carousel:
		rendered := c.Text + " - Carousel with " + strconv.Itoa(len(c.Cards)) + " card(s)"
		return &outline{types: []MessageType{MessageInteractive}, loose: true, similar: func(text string) bool {
			return text == rendered || text == c.Text
		}}
	case Poll:
		rendered := inOrder(append([]string{c.Question}, c.Options...)...)
		return &outline{loose: true, similar: func(text string) bool { return text == c.Question || rendered(text) }}
	case CalendarEvent:
		return &outline{text: c.Name, loose: true}
	case Reaction:
		return &outline{reaction: &c, notStored: true}
	case RemoveReaction:
		return &outline{reaction: &Reaction{MessageID: c.MessageID}, notStored: true}
	default:
		return &outline{blurred: true}
	}
}

// inOrder finds texts one after the other in another.
func inOrder(parts ...string) func(string) bool {
	return func(text string) bool {
		for _, part := range parts {
			_, after, found := strings.Cut(text, part)
			if !found {
				return false
			}
			text = after
		}
		return true
	}
}

// possibleTypes are the types that the message can have. A file is not looked
// into, because it may be gone: it can have any.
func (m Media) possibleTypes() []MessageType {
	kind := m.Kind
	switch {
	case kind != "":
	case m.MIME != "":
		kind = kindOfMIME(m.MIME)
	case m.Source.url != "":
		name, _ := checkMediaURL("", m.Source.url)
		kind = kindOfMIME(typeByName(name))
	default:
		return []MessageType{MessageImage, MessageVideo, MessageAudio, MessageDocument}
	}
	return []MessageType{MessageType(kind)}
}

// mostRecentIDs bounds what [recentIDs] keeps.
const mostRecentIDs = 4096

// recentIDs remembers the last messages that were accepted, so that none of
// them is taken for one whose outcome is unknown.
type recentIDs struct {
	mu   sync.Mutex
	ring []string
	next int
}

func (r *recentIDs) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < mostRecentIDs {
		r.ring = append(r.ring, id)
		return
	}
	r.ring[r.next] = id
	r.next = (r.next + 1) % mostRecentIDs
}

func (r *recentIDs) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ring)
}
