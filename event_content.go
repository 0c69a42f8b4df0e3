package ryze

import (
	"math"
	"strings"
)

// EventReply is the message that a message quotes. A tap on a button and a pick
// from a list quote the message that held the button or the list, if the
// service says which one it was.
type EventReply struct {
	MessageID string
	Sender    EventUser // who wrote the quoted message, when given
	Text      string    // text of the quoted message, when given
}

// EventEdit is a change to an earlier message.
type EventEdit struct {
	OriginalID string // id of the edited message; the event's own id is another. "" when not given
	Text       string // the new text
	// OriginalText is the text before the edit, when given.
	OriginalText string
}

// EventReaction is a reaction to a message. No complete reaction has been
// published: emoji and target are read under the names that are known to
// occur. A reaction that names its target as the message that it quotes
// (reply.message_id) also has a Reply.
type EventReaction struct {
	Emoji    string // "" when a reaction was taken back
	TargetID string // id of the message reacted to, "" when not given
}

// Removed reports whether the reaction was taken back.
func (r *EventReaction) Removed() bool { return r.Emoji == "" }

// EventLocation is a place sent as a message.
type EventLocation struct {
	Latitude, Longitude float64 // degrees
	Name                string
	Address             string
}

// EventContact is a contact card.
type EventContact struct {
	Name  string
	Phone string // as written on the card, in any format
	VCard string
}

// EventPoll is a poll as it was created. How votes arrive is not documented.
type EventPoll struct {
	Title   string
	Options []string
}

// readForward reads {"count": n}, or the number by itself. Only a message that
// was forwarded has it.
func (f *messageFields) readForward(v jsonValue) {
	count := v
	for c := v.members(); c.next(); {
		if string(c.key) == "count" {
			count = c.val
		}
	}
	if n, ok := count.int64(); ok && n > 0 && n <= math.MaxInt32 {
		f.ForwardCount, f.Forwarded = int(n), true
	}
}

func (f *messageFields) readEdit(v jsonValue) {
	var edit EventEdit
	var key foldedKey
	for c := v.members(); c.next(); {
		switch string(key.fold(c.key)) {
		case "originalid":
			setString(&edit.OriginalID, c.val)
		case "text":
			edit.Text = first(contentText(c.val), edit.Text)
		case "originalcontent":
			edit.OriginalText = first(contentText(c.val), edit.OriginalText)
		}
	}
	if edit != (EventEdit{}) {
		f.Edit = &edit
	}
}

// readReply reads what is said of another message: its id, author and text.
func readReply(v jsonValue) EventReply {
	var reply EventReply
	other := "" // the id under a name that is not as sure
	var key foldedKey
	for c := v.members(); c.next(); {
		name := key.fold(c.key)
		if namesMessage(name) {
			reply.MessageID = first(readKey(c.val), reply.MessageID)
			continue
		}
		switch string(name) {
		case "key", "id":
			other = first(other, readKey(c.val))
		case "text":
			reply.Text = first(contentText(c.val), reply.Text)
		case "sender":
			if u := readUser(c.val); u != (EventUser{}) {
				reply.Sender = u.withAddress()
			}
		}
	}
	reply.MessageID = first(reply.MessageID, other)
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
		return first(outer, inner)
	}
	return &EventReply{
		MessageID: outer.MessageID,
		Sender:    mergeUser(outer.Sender, inner.Sender),
		Text:      first(outer.Text, inner.Text),
	}
}

// readMentions reads {"mentionedUsers": [...]}, or the array by itself.
func (f *messageFields) readMentions(v jsonValue) {
	var key foldedKey
	for c := v.members(); c.next(); {
		if string(key.fold(c.key)) == "mentionedusers" {
			v = c.val
		}
	}
	for c := v.elements(); c.next(); {
		if u := readUser(c.val).withAddress(); u.JID != "" {
			f.Mentions = append(f.Mentions, u.JID)
		}
	}
}

func (f *messageFields) readReaction(v jsonValue) {
	var r EventReaction
	other := "" // the target under a name that is not as sure
	if v.isString() {
		r.Emoji = v.str()
	}
	var key foldedKey
	for c := v.members(); c.next(); {
		name := key.fold(c.key)
		if namesMessage(name) {
			r.TargetID = first(readKey(c.val), r.TargetID)
			continue
		}
		switch string(name) {
		case "text", "emoji":
			setString(&r.Emoji, c.val)
		case "key":
			other = first(readKey(c.val), other)
		case "reply", "context":
			other = first(other, readReply(c.val).MessageID)
		}
	}
	r.TargetID = first(r.TargetID, other)
	f.Reaction = &r
}

// quotes takes the target from what the message quotes, when the reaction
// itself does not name it.
func (r *EventReaction) quotes(reply *EventReply) {
	if r.TargetID == "" && reply != nil {
		r.TargetID = reply.MessageID
	}
}

// readKey reads the id of a message key: the id itself, or an object with it.
func readKey(v jsonValue) string {
	id := v.str()
	for c := v.members(); c.next(); {
		if strings.EqualFold(string(c.key), "id") {
			setString(&id, c.val)
		}
	}
	return id
}

func (f *messageFields) readLocation(v jsonValue) {
	var l EventLocation
	found := false
	for c := v.members(); c.next(); {
		switch string(c.key) {
		case "latitude":
			if n, ok := c.val.float(); ok {
				l.Latitude, found = n, true
			}
		case "longitude":
			if n, ok := c.val.float(); ok {
				l.Longitude, found = n, true
			}
		case "name":
			setString(&l.Name, c.val)
		case "address":
			setString(&l.Address, c.val)
		}
	}
	if found {
		f.Location = &l
	}
}

// readContacts reads one card, or an array of cards.
func (f *messageFields) readContacts(v jsonValue) {
	if v.isArray() {
		for c := v.elements(); c.next(); {
			if c.val.isObject() {
				f.readContacts(c.val)
			}
		}
		return
	}
	var contact EventContact
	var key foldedKey
	for c := v.members(); c.next(); {
		switch string(key.fold(c.key)) {
		case "displayname":
			setString(&contact.Name, c.val)
		case "phonenumber":
			setString(&contact.Phone, c.val)
		case "vcard":
			setString(&contact.VCard, c.val)
		}
	}
	if contact != (EventContact{}) {
		f.Contacts = append(f.Contacts, contact)
	}
}

func (f *messageFields) readPoll(v jsonValue) {
	var poll EventPoll
	for c := v.members(); c.next(); {
		switch string(c.key) {
		case "title":
			setString(&poll.Title, c.val)
		case "options":
			poll.Options = nil
			for o := c.val.elements(); o.next(); {
				name := o.val.str()
				for m := o.val.members(); m.next(); {
					if string(m.key) == "name" {
						name = m.val.str()
					}
				}
				poll.Options = append(poll.Options, name)
			}
		}
	}
	if poll.Title != "" || poll.Options != nil {
		f.Poll = &poll
	}
}

func contentText(v jsonValue) string {
	text := ""
	if v.isString() {
		if text = v.str(); text == "{}" {
			text = ""
		}
	}
	for c := v.members(); c.next(); {
		if string(c.key) == "text" {
			text = c.val.str()
		}
	}
	return text
}
