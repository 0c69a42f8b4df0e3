package ryze

import (
	"cmp"
	"math"
	"strings"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// EventReply is the message that a message quotes, such as the buttons or the
// list of an answer.
type EventReply struct {
	MessageID string
	Sender    EventUser // who wrote the quoted message, when given
	Text      string    // text of the quoted message, when given
}

// EventEdit is a change to an earlier message.
type EventEdit struct {
	OriginalID string // id of the edited message; the event has another. "" when not given
	Text       string // the new text
	// OriginalText is the text before the edit, when given.
	OriginalText string
}

// EventReaction is a reaction to a message. When it quotes its target, Reply is
// set too; see docs/service-notes.md.
type EventReaction struct {
	Emoji    string // "" when a reaction was taken back
	TargetID string // id of the message reacted to, "" when not given
}

// Removed reports whether the reaction was taken back.
func (r *EventReaction) Removed() bool { return r.Emoji == "" }

// EventContact is a contact card.
type EventContact struct {
	Name  string
	Phone string // as written on the card, in any format
	VCard string
}

// readForward reads {"count": n}, or the number by itself. Only a message that
// was forwarded has it.
func (f *messageFields) readForward(v jsonscan.Value) {
	count := v
	var key foldedKey
	for c := v.Members(); c.Next(); {
		if string(key.fold(c.Key)) == "count" {
			count = c.Val
		}
	}
	if string(v) == "true" {
		f.Forwarded = true
	}
	if n, ok := count.Int(); ok && n > 0 && n <= math.MaxInt32 {
		f.ForwardCount, f.Forwarded = int(n), true
	}
}

func (f *messageFields) readEdit(v jsonscan.Value) {
	var edit EventEdit
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "originalid":
			setID(&edit.OriginalID, c.Val)
		case "text":
			edit.Text = cmp.Or(contentText(c.Val), edit.Text)
		case "originalcontent":
			edit.OriginalText = cmp.Or(contentText(c.Val), edit.OriginalText)
		}
	}
	if edit != (EventEdit{}) {
		f.Edit = &edit
	}
}

// mergeEdit fills the gaps of inner from outer.
func mergeEdit(outer, inner *EventEdit) *EventEdit {
	if outer == nil || inner == nil {
		return cmp.Or(inner, outer)
	}
	return &EventEdit{
		OriginalID:   cmp.Or(inner.OriginalID, outer.OriginalID),
		Text:         cmp.Or(inner.Text, outer.Text),
		OriginalText: cmp.Or(inner.OriginalText, outer.OriginalText),
	}
}

// readReply reads what is said of another message: its id, author and text.
func readReply(v jsonscan.Value) EventReply {
	var reply EventReply
	other := "" // the id under a name that is not as sure
	var key foldedKey
	for c := v.Members(); c.Next(); {
		name := key.fold(c.Key)
		if namesMessage(name) {
			reply.MessageID = cmp.Or(readKey(c.Val), reply.MessageID)
			continue
		}
		switch string(name) {
		case "key", "id":
			other = cmp.Or(other, readKey(c.Val))
		case "text":
			reply.Text = cmp.Or(contentText(c.Val), reply.Text)
		case "sender":
			if u := readUser(c.Val); u != (EventUser{}) {
				reply.Sender = u.withAddress()
			}
		}
	}
	reply.MessageID = cmp.Or(reply.MessageID, other)
	return reply
}

// namesMessage reports whether the value of a member with this folded key is
// the id of another message, or an object with it. Which of the names occur
// where is not documented, so all of them are read wherever a message may refer
// to another.
func namesMessage(name []byte) bool {
	switch string(name) {
	case "messageid", "quotedmessageid", "targetmessageid", "stanzaid":
		return true
	default:
		return false
	}
}

// mergeReply fills the gaps of outer from inner when both mean the same message.
func mergeReply(outer, inner *EventReply) *EventReply {
	if outer == nil || inner == nil || outer.MessageID != inner.MessageID {
		return cmp.Or(outer, inner)
	}
	return &EventReply{
		MessageID: outer.MessageID,
		Sender:    mergeUser(outer.Sender, inner.Sender),
		Text:      cmp.Or(outer.Text, inner.Text),
	}
}

// readMentions reads {"mentionedUsers": [...]}, or the array by itself.
func (f *messageFields) readMentions(v jsonscan.Value) {
	var key foldedKey
	for c := v.Members(); c.Next(); {
		if string(key.fold(c.Key)) == "mentionedusers" {
			v = c.Val
		}
	}
	for c := v.Elements(); c.Next(); {
		if u := readUser(c.Val).withAddress(); u.JID != "" {
			f.Mentions = append(f.Mentions, u.JID)
		}
	}
}

func (f *messageFields) readReaction(v jsonscan.Value) {
	var r EventReaction
	other := "" // the target under a name that is not as sure
	if v.IsString() {
		r.Emoji = v.Text()
		f.saysEmoji = r.Emoji != ""
	}
	var key foldedKey
	for c := v.Members(); c.Next(); {
		name := key.fold(c.Key)
		if namesMessage(name) {
			r.TargetID = cmp.Or(readKey(c.Val), r.TargetID)
			continue
		}
		switch string(name) {
		case "text", "emoji":
			setString(&r.Emoji, c.Val)
			f.saysEmoji = f.saysEmoji || c.Val.IsString()
		case "key":
			other = cmp.Or(readKey(c.Val), other)
		case "reply", "context":
			other = cmp.Or(other, readReply(c.Val).MessageID)
		}
	}
	r.TargetID = cmp.Or(r.TargetID, other)
	f.Reaction = &r
}

// mergeReaction fills the gaps of inner from outer. An emoji that inner says to be
// none was taken back.
func mergeReaction(outer, inner *messageFields) *EventReaction {
	a, b := outer.Reaction, inner.Reaction
	if a == nil || b == nil {
		return cmp.Or(b, a)
	}
	merged := &EventReaction{Emoji: b.Emoji, TargetID: cmp.Or(b.TargetID, a.TargetID)}
	if !inner.saysEmoji {
		merged.Emoji = a.Emoji
	}
	return merged
}

// quotes takes the target from what the message quotes, when the reaction
// itself does not name it.
func (r *EventReaction) quotes(reply *EventReply) {
	if r.TargetID == "" && reply != nil {
		r.TargetID = reply.MessageID
	}
}

// readKey reads the id of a message key: the id itself, or an object with it.
func readKey(v jsonscan.Value) string {
	id := ""
	setID(&id, v)
	for c := v.Members(); c.Next(); {
		if strings.EqualFold(string(c.Key), "id") {
			setID(&id, c.Val)
		}
	}
	return id
}

func (f *messageFields) readLocation(v jsonscan.Value) {
	var l Location
	found := false
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "latitude":
			if n, ok := c.Val.Float(); ok {
				l.Latitude, found = n, true
			}
		case "longitude":
			if n, ok := c.Val.Float(); ok {
				l.Longitude, found = n, true
			}
		case "name":
			setString(&l.Name, c.Val)
		case "address":
			setString(&l.Address, c.Val)
		}
	}
	if found {
		f.Location = &l
	}
}

// readContacts reads one card, or an array of cards.
func (f *messageFields) readContacts(v jsonscan.Value) {
	if v.IsArray() {
		for c := v.Elements(); c.Next(); {
			if c.Val.IsObject() {
				f.readContacts(c.Val)
			}
		}
		return
	}
	var contact EventContact
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "displayname":
			setString(&contact.Name, c.Val)
		case "phonenumber":
			setString(&contact.Phone, c.Val)
		case "vcard":
			setString(&contact.VCard, c.Val)
		}
	}
	if contact != (EventContact{}) {
		f.Contacts = append(f.Contacts, contact)
	}
}

func (f *messageFields) readPoll(v jsonscan.Value) {
	var poll Poll
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "title":
			setString(&poll.Question, c.Val)
		case "options":
			poll.Options = nil
			for o := c.Val.Elements(); o.Next(); {
				name := o.Val.Text()
				for m := o.Val.Members(); m.Next(); {
					if string(m.Key) == "name" {
						name = m.Val.Text()
					}
				}
				poll.Options = append(poll.Options, name)
			}
		}
	}
	if poll.Question != "" || poll.Options != nil {
		f.Poll = &poll
	}
}

func contentText(v jsonscan.Value) string {
	text := ""
	if v.IsString() {
		if text = v.Text(); text == "{}" {
			text = ""
		}
	}
	for c := v.Members(); c.Next(); {
		if strings.EqualFold(string(c.Key), "text") {
			text = c.Val.Text()
		}
	}
	return text
}
