package ryze

import (
	"cmp"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// Direction says which way a message went.
type Direction string

// Directions of a message.
const (
	DirectionIncoming Direction = "incoming"
	// DirectionOutgoing is a message from the API, the phone or a linked
	// device; see [Event.Origin].
	DirectionOutgoing Direction = "outgoing"
)

// MessageEvent is a message that was sent or received, an edit, a revocation or
// a reaction. Only fields of its kind are set.
type MessageEvent struct {
	ID        string // id of the message; for a revocation that of the revoked one
	Direction Direction
	Timestamp time.Time // zero when absent or unreadable
	Chat      EventChat
	// Sender is the author. Of an outgoing message it is the account itself. In
	// a private chat it is taken from Chat when the service leaves it out.
	Sender EventUser
	// Recipient is rarely given. It is read like Sender; see
	// docs/service-notes.md.
	Recipient *EventUser

	Type MessageType
	// Text is the body, the caption of media, or the new text of an edit.
	Text string
	// Source is the label of a send over the API: "api" when it had none. It is
	// "" for incoming messages and those typed on the phone.
	Source    string
	Forwarded bool
	// ForwardCount is the service's count for a forwarded message, or 0.
	ForwardCount int
	Mentions     []JID

	Media     *EventMedia
	Selection *Selection
	Reply     *EventReply
	Edit      *EventEdit
	Reaction  *EventReaction
	RevokedID string // id of the message that was revoked for everyone
	Location  *Location
	Contacts  []EventContact
	// Poll is a poll at its creation. MaxAnswers is always zero, because no
	// event says it. Read votes with [MessagesService.PollVotes].
	Poll *Poll
}

// Origin says who caused a message.
type Origin string

// Origins of a message.
const (
	OriginCustomer Origin = "customer" // the other side
	OriginSelf     Origin = "self"     // this application: an echo of its own send
	OriginAPI      Origin = "api"      // another client of the API
	OriginPhone    Origin = "phone"    // a human, on the phone or a linked device
	OriginUnknown  Origin = "unknown"  // not a message, or one without a direction
)

// messageFields is what one of the two places (data, data.message) says.
type messageFields struct {
	MessageEvent

	wireType  string
	fromMe    Direction // as other routes of the service say it
	isEdit    bool
	voice     bool
	saysEmoji bool // the reaction itself does
	answer    answerFields
	tapped    EventReply // what an answer quotes
}

func readMessage(data jsonscan.Value) *MessageEvent {
	var outer, inner messageFields
	var message jsonscan.Value
	var key foldedKey
	for c := data.Members(); c.Next(); {
		if name := key.fold(c.Key); string(name) == "message" {
			message = c.Val
		} else {
			outer.read(name, c.Val)
		}
	}
	for c := message.Members(); c.Next(); {
		inner.read(key.fold(c.Key), c.Val)
	}
	if message.IsString() {
		inner.readContent(message)
	}
	m := merge(&outer, &inner)
	return &m
}

// read takes one member, whose key is folded. A null or a value of another
// type than the member should have is as good as absent.
func (f *messageFields) read(key []byte, v jsonscan.Value) {
	if v[0] == 'n' {
		return
	}
	switch string(key) {
	case "id":
		setID(&f.ID, v)
	case "direction":
		f.Direction = readDirection(v)
	case "fromme", "isfromme":
		if own, said := v.Truth(); said {
			f.fromMe = DirectionIncoming
			if own {
				f.fromMe = DirectionOutgoing
			}
		}
	case "timestamp":
		if t := readTime(v); !t.IsZero() {
			f.Timestamp = t
		}
	case "chat":
		f.Chat = readChat(v)
	case "sender":
		f.Sender = readUser(v)
	case "recipient":
		if u := readUser(v); u != (EventUser{}) {
			f.Recipient = &u
		}
	case "forward":
		f.readForward(v)
	case "type":
		setString(&f.wireType, v)
	case "content":
		f.readContent(v)
	case "source":
		setString(&f.Source, v)
	case "isforwarded":
		f.Forwarded = f.Forwarded || v.Bool()
	case "isedit":
		f.isEdit = v.Bool()
	case "isvoicenote", "ptt":
		f.voice = v.Bool()
	case "edit":
		f.readEdit(v)
	case "reply":
		if reply := readReply(v); reply.MessageID != "" {
			f.Reply = &reply
		}
	case "context":
		// What it holds on a real quote is not documented. It is read like
		// reply, which goes first.
		if reply := readReply(v); reply.MessageID != "" && f.Reply == nil {
			f.Reply = &reply
		}
	case "mentions":
		f.readMentions(v)
	case "reaction":
		f.readReaction(v)
	case "media":
		if m := readMedia(v); m != nil {
			f.Media = m
		}
	case "location":
		f.readLocation(v)
	case "contact", "contacts":
		f.readContacts(v)
	case "poll":
		f.readPoll(v)
	case "buttonresponse", "buttonsresponse", "listresponse", "templatebuttonreply", "interactive":
		f.readAnswer(v)
	}
}

// merge lets the outer place win what says who, where and when, and the inner
// one what was said; each fills the gaps of the other.
func merge(outer, inner *messageFields) MessageEvent {
	m := inner.MessageEvent
	m.ID = cmp.Or(outer.ID, inner.ID)
	m.Direction = cmp.Or(outer.Direction, inner.Direction, outer.fromMe, inner.fromMe)
	m.Timestamp = cmp.Or(outer.Timestamp, inner.Timestamp)
	m.Chat = mergeChat(outer.Chat, inner.Chat)
	m.Sender = mergeUser(outer.Sender, inner.Sender)
	m.Recipient = mergeRecipient(outer.Recipient, inner.Recipient)
	m.completePeople()
	m.Reply = mergeReply(outer.Reply, inner.Reply)
	if outer.Mentions != nil {
		m.Mentions = outer.Mentions
	}

	m.Text = cmp.Or(inner.Text, outer.Text)
	m.Source = cmp.Or(inner.Source, outer.Source)
	m.Forwarded = inner.Forwarded || outer.Forwarded
	m.ForwardCount = cmp.Or(inner.ForwardCount, outer.ForwardCount)
	m.Media = mergeMedia(outer.Media, inner.Media)
	m.Edit = mergeEdit(outer.Edit, inner.Edit)
	m.Reaction = mergeReaction(outer, inner)
	m.Location = cmp.Or(inner.Location, outer.Location)
	m.Poll = cmp.Or(inner.Poll, outer.Poll)
	if m.Contacts == nil {
		m.Contacts = outer.Contacts
	}
	wireType := cmp.Or(inner.wireType, outer.wireType)
	answer := mergeAnswer(outer.answer, inner.answer)
	m.complete(wireType, &answer, inner.isEdit || outer.isEdit, inner.voice || outer.voice)
	if m.Type == MessageReaction && m.Reaction != nil && !inner.saysEmoji && !outer.saysEmoji {
		m.Reaction.Emoji = m.Text
	}
	if tapped := cmp.Or(inner.tapped, outer.tapped); m.Reply == nil && m.isAnswer() && tapped.MessageID != "" && tapped.MessageID != m.ID {
		m.Reply = new(tapped)
	}
	return m
}

// complete makes one message of what was read: the type decides how some fields
// are to be understood, and the fields decide a type that is missing.
func (m *MessageEvent) complete(wireType string, answer *answerFields, isEdit, voice bool) {
	t := messageType(wireType)
	m.Selection = answer.selection(t, m.Text)
	if m.Media != nil {
		m.Media.complete(wireType, voice)
		if t == "" || t == "media" || isMediaKind(MediaKind(t)) {
			t = MessageType(m.Media.Kind)
		}
		m.Text = cmp.Or(m.Text, m.Media.Caption)
	}
	switch t {
	case MessageRevoke:
		m.RevokedID = m.ID
	case MessageEdit:
		isEdit = true
	case MessageReaction:
		if m.Reaction == nil {
			m.Reaction = &EventReaction{}
		}
	}
	if m.Reaction != nil && t != MessageReaction && *m.Reaction == (EventReaction{}) {
		m.Reaction = nil
	}
	if m.Reaction != nil {
		m.Reaction.quotes(m.Reply)
	}
	if isEdit && m.Edit == nil {
		m.Edit = &EventEdit{}
	}
	if m.Edit != nil {
		m.Edit.Text = cmp.Or(m.Edit.Text, m.Text)
		m.Text = m.Edit.Text
		t = MessageEdit
	}
	m.Type = cmp.Or(t, m.typeByContent())
}

// isAnswer reports whether the message answers buttons, a list or a form. A menu
// that was sent has the same members.
func (m *MessageEvent) isAnswer() bool {
	switch m.Type {
	case MessageButtonsResponse, MessageTemplateButtonReply, MessageListResponse:
		return true
	default:
		return m.Selection != nil
	}
}

func (m *MessageEvent) typeByContent() MessageType {
	switch {
	case m.Selection != nil && m.Selection.Kind == SelectionButton:
		return MessageButtonsResponse
	case m.Selection != nil && m.Selection.Kind == SelectionList:
		return MessageListResponse
	case m.Selection != nil:
		return MessageInteractive
	case m.Reaction != nil:
		return MessageReaction
	case m.Location != nil:
		return MessageLocation
	case m.Contacts != nil:
		return MessageContact
	case m.Poll != nil:
		return MessagePoll
	case m.Text != "":
		return MessageText
	default:
		return ""
	}
}

// readContent reads the body: a string, or an object with the member text. The
// string "{}" is an empty object that was written as a string.
func (f *messageFields) readContent(v jsonscan.Value) {
	f.Text = cmp.Or(contentText(v), f.Text)
}

func readDirection(v jsonscan.Value) Direction {
	switch s := v.TextBytes(); string(s) { // no copy of a word that is known
	case string(DirectionIncoming):
		return DirectionIncoming
	case string(DirectionOutgoing):
		return DirectionOutgoing
	default:
		return knownWord(string(s), DirectionIncoming, DirectionOutgoing)
	}
}

func mergeRecipient(outer, inner *EventUser) *EventUser {
	if outer == nil || inner == nil {
		return cmp.Or(outer, inner)
	}
	return new(mergeUser(*outer, *inner))
}

// completePeople fills what the addresses of a message say of each other. In a
// private chat there are two people: the account, and the one that the chat is
// named for.
func (m *MessageEvent) completePeople() {
	other := &m.Sender
	if m.Direction == DirectionOutgoing {
		if other = m.Recipient; other == nil {
			other = &EventUser{}
		}
	}
	// Everything below needs to know that the other person is the chat's.
	if m.Direction != "" && m.Chat.isPrivate() {
		if m.Chat.JID == "" && m.Chat.LID == "" {
			m.Chat.JID, m.Chat.LID = other.JID, other.LID
		}
		if m.Direction == DirectionIncoming {
			m.Sender = senderOf(m.Sender, m.Chat)
		}
	}
	m.Chat = m.Chat.withAddress()
	m.Sender = m.Sender.withAddress()
	if m.Recipient != nil {
		*m.Recipient = m.Recipient.withAddress()
	}
}

// senderOf returns the author of an incoming message of a private chat, with
// the addresses of the chat where the service gives none of its own, or only a
// LID that the chat's does not contradict.
func senderOf(sender EventUser, chat EventChat) EventUser {
	hidden := sender.JID == "" || sender.JID.IsLID()
	if !hidden || sender.LID != "" && chat.LID != "" && !sender.LID.Same(chat.LID) {
		return sender
	}
	return EventUser{
		JID:  mergeJID(chat.JID, sender.JID),
		LID:  cmp.Or(sender.LID, chat.LID),
		Name: cmp.Or(sender.Name, chat.Name),
	}
}
