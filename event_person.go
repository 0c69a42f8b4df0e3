package ryze

import (
	"cmp"
	"strings"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// ChatType is the type of a chat. Other values can come.
type ChatType string

// Types of chats.
const (
	ChatPrivate    ChatType = "private"
	ChatGroup      ChatType = "group"
	ChatNewsletter ChatType = "newsletter"
)

// EventChat is the chat of a message or receipt.
type EventChat struct {
	JID  JID // where to answer
	LID  JID // the LID of a private chat, when given
	Name string
	Type ChatType // as received, or told from JID when absent
	// IsCommunity marks the announcements group of a community. Its other
	// groups do not have it.
	IsCommunity bool
}

// EventUser is a person in an event. When the phone is hidden, JID is the LID.
type EventUser struct {
	JID  JID
	LID  JID
	Name string
}

// readChat reads a chat object, or the address by itself. A chat of which only
// the LID is given has no JID yet: see [EventChat.withAddress].
func readChat(v jsonscan.Value) EventChat {
	var chat EventChat
	var jid, lid string
	if v.IsString() || v.IsNumber() && len(v) >= minPhoneDigits && isDigits(string(v)) {
		jid = v.Text()
	}
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "jid":
			setString(&jid, c.Val)
		case "lid":
			setString(&lid, c.Val)
		case "name":
			setString(&chat.Name, c.Val)
		case "type":
			chat.Type = readChatType(c.Val)
		case "iscommunity":
			chat.IsCommunity = c.Val.Bool()
		}
	}
	chat.JID, chat.LID = eventAddresses(jid, lid, chat.Type)
	if chat.Type == "" {
		chat.Type = chatTypeOf(chat.JID)
	}
	return chat
}

func readChatType(v jsonscan.Value) ChatType {
	switch s := v.TextBytes(); string(s) { // no copy of a word that is known
	case string(ChatPrivate):
		return ChatPrivate
	case string(ChatGroup):
		return ChatGroup
	default:
		return knownWord(string(s), ChatPrivate, ChatGroup, ChatNewsletter)
	}
}

func chatTypeOf(j JID) ChatType {
	switch j.Kind() {
	case JIDUser, JIDLID:
		return ChatPrivate
	case JIDGroup:
		return ChatGroup
	case JIDNewsletter:
		return ChatNewsletter
	default:
		return ""
	}
}

// isPrivate reports whether the chat is one with a person. The status feed, for
// one, is not, whatever its type says.
func (c *EventChat) isPrivate() bool {
	switch c.JID.Kind() {
	case JIDUser, JIDLID:
		return c.Type != ChatGroup && c.Type != ChatNewsletter
	case JIDUnknown: // no address, or digits that may be a LID
		return c.Type == ChatPrivate && !strings.Contains(string(c.JID), "@")
	default:
		return false
	}
}

// readUser reads a person's object, or the address by itself. A person of whom
// only the LID is given has no JID yet: see [EventUser.withAddress].
func readUser(v jsonscan.Value) EventUser {
	var u EventUser
	var jid, lid string
	if v.IsString() || v.IsNumber() {
		jid = v.Text()
	}
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "jid":
			setString(&jid, c.Val)
		case "lid":
			setString(&lid, c.Val)
		case "name":
			setString(&u.Name, c.Val)
		}
	}
	u.JID, u.LID = eventAddresses(jid, lid, ChatPrivate)
	return u
}

// withAddress returns the chat with the LID as JID when there is no other.
func (c EventChat) withAddress() EventChat {
	c.JID = cmp.Or(c.JID, c.LID)
	return c
}

// named returns the address under which the chat itself is known, for its LID.
func (c EventChat) named(j JID) JID {
	if j.Same(c.LID) {
		return c.JID
	}
	return j
}

// withAddress returns the person with the LID as JID when there is no other.
func (u EventUser) withAddress() EventUser {
	u.JID = cmp.Or(u.JID, u.LID)
	return u
}

// eventAddresses reads the two addresses of a person, or of a chat. This is
// where whatever is wrong with them is mended:
//   - a LID in jid beside a phone in lid are the other way round, see phoneIn;
//   - a lid with the server of a phone number, which the documentation shows, is
//     a LID;
//   - a lid that repeats the phone is no LID, and neither is one with a plus.
func eventAddresses(jid, lid string, t ChatType) (address, hidden JID) {
	address = eventJID(jid, t)
	lid, plus := tidyAddress(lid)
	if phone, turned := phoneIn(lid, address); turned {
		return phone, eventLID(jid)
	}
	if plus && JID(lid).Server() != serverLID {
		lid = ""
	}
	hidden = eventLID(lid)
	switch {
	case address.Server() != serverLID && JID(lid).Server() == serverLID && address == JID(hidden.User()):
		address = hidden // the same digits, of which only lid says what they are
	case hidden == "" && address.IsLID():
		hidden = address
	case hidden != "" && address.Phone() == hidden.User() && JID(lid).Server() != serverLID:
		hidden = ""
	}
	return address, hidden
}

// tidyAddress brings an address into one of the forms of [JID]: without blanks
// around it, a plus, and the agent of "5511987654321.0:12". Digits with a plus are
// a phone, however many they are.
func tidyAddress(s string) (tidy string, plus bool) {
	if s == "" || s[0] >= '0' && s[0] <= '9' && s[len(s)-1] > ' ' {
		return withoutAgent(s), false
	}
	s = strings.TrimSpace(s)
	rest, plus := strings.CutPrefix(s, "+")
	switch {
	case !plus:
		return withoutAgent(s), false
	case strings.Contains(rest, "@"):
		return withoutAgent(rest), true
	}
	if phone, err := PhoneJID(s); err == nil {
		return string(phone), true
	}
	return withoutAgent(rest), true
}

// withoutAgent takes the agent out of a person's address.
func withoutAgent(s string) string {
	user := len(s)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			user = i
			break
		}
	}
	if user == 0 || user == len(s) || s[user] != '.' {
		return s
	}
	end := user + 1
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == user+1 || end < len(s) && s[end] != ':' && s[end] != '@' {
		return s
	}
	return s[:user] + s[end:]
}

// phoneIn returns the phone that stands where the LID belongs, beside an address
// that is the LID. A person has one LID, so beside one any other address that can
// be a phone is the phone. Digits that are too many for a phone are taken for a
// LID only where the other ones say of themselves that they are a phone, or where
// no number of their country has so many.
func phoneIn(lid string, beside JID) (phone JID, turned bool) {
	phone = JID(lid)
	user, _, server := phone.split()
	switch {
	case lid == "" || user == beside.User():
		return "", false
	case beside.IsLID():
		turned = server == serverUser || server == ""
	case isDigits(string(beside)): // more than eventJID takes for a phone
		turned = (server == serverUser || server == "" && tooLongForCountry(string(beside))) && len(user) <= maxBarePhoneDigits
	}
	if !turned || phone.check("", phones) != nil {
		return "", false
	}
	return phone.Bare(), true
}

// eventJID brings an address into its bare form. The documented layout leaves
// the server out, and then only the type of the chat says what it was. Digits
// too many for a phone are left as they are: they may be a LID.
func eventJID(s string, t ChatType) JID {
	s, _ = tidyAddress(s)
	j := JID(s)
	switch {
	case s == "" || saysNone(j.User()):
		return ""
	case strings.Contains(s, "@"):
		return j.Bare()
	case t == ChatGroup:
		return JID(s + "@" + serverGroup)
	case t == ChatNewsletter:
		return JID(s + "@" + serverNewsletter)
	case len(j.User()) > maxBarePhoneDigits:
		return j
	default:
		return j.Bare()
	}
}

// eventLID brings a LID into its bare form. The documentation shows one with
// the server of a phone number.
func eventLID(s string) JID {
	s, _ = tidyAddress(s)
	j := JID(s)
	if s == "" || saysNone(j.User()) {
		return ""
	}
	if server := j.Server(); server == "" || server == serverUser {
		return JID(j.User() + "@" + serverLID)
	}
	return j.Bare()
}

// samePeople reports whether both mean one person or chat, as far as can be
// told: a missing address contradicts nothing.
func samePeople(jidA, lidA, jidB, lidB JID) bool {
	switch {
	case jidA.Same(jidB):
		return true
	case lidA != "" && lidB != "":
		return lidA.Same(lidB)
	default:
		return jidA == "" || jidB == ""
	}
}

// mergeJID returns the outer address, or the inner one when only that is more
// than a LID.
func mergeJID(outer, inner JID) JID {
	if outer == "" || outer.IsLID() && inner != "" {
		return inner
	}
	return outer
}

// mergeChat fills the gaps of outer from inner when both mean the same chat.
func mergeChat(outer, inner EventChat) EventChat {
	if !samePeople(outer.JID, outer.LID, inner.JID, inner.LID) {
		return outer
	}
	return EventChat{
		JID:         mergeJID(outer.JID, inner.JID),
		LID:         cmp.Or(outer.LID, inner.LID),
		Name:        cmp.Or(outer.Name, inner.Name),
		Type:        cmp.Or(outer.Type, inner.Type),
		IsCommunity: outer.IsCommunity || inner.IsCommunity,
	}
}

// mergeUser fills the gaps of outer from inner when both mean the same person.
func mergeUser(outer, inner EventUser) EventUser {
	if !samePeople(outer.JID, outer.LID, inner.JID, inner.LID) {
		return outer
	}
	return EventUser{
		JID:  mergeJID(outer.JID, inner.JID),
		LID:  cmp.Or(outer.LID, inner.LID),
		Name: cmp.Or(outer.Name, inner.Name),
	}
}
