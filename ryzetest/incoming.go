package ryzetest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"
)

// Incoming is what a customer does in a chat. Exactly one of Text, Media,
// Location, Card, Poll, Answer, Reaction, Edit and Revoke is its kind. With
// Edit and Media, Text is the new text or the caption.
type Incoming struct {
	From  string // who writes: digits, or a JID
	Name  string // push name, remembered for the contact
	Group string // JID of the group it is written in; "" for a private chat
	// ID is the id of the message (or of the edit); a fresh one when empty.
	ID string
	// At is when it was written; now when zero.
	At time.Time

	Text     string
	Media    *File
	Location *Location
	Card     *ContactCard
	Poll     *Poll
	Answer   *Answer
	Reaction *Reaction
	Edit     string // id of the message that gets a new Text
	Revoke   string // id of the message that is taken back

	ReplyTo   string   // id of the message quoted
	Mentions  []string // numbers or JIDs
	Forwarded bool
	// HideNumber lets chat and sender show the contact's LID instead of its JID.
	HideNumber bool
	// Patch is merged into data.message of the event, for parts that the
	// simulator does not play, such as {"media": {...}}.
	Patch map[string]any
}

// File is a media that somebody sends.
type File struct {
	Data     []byte // its content
	MIME     string // detected when empty
	FileName string
	Kind     string // image, video, audio, document, sticker; from MIME when empty
	Voice    bool   // a voice note, for an audio
	Duration int    // seconds
}

// Receive plays a customer who writes. The message is stored and sent to the
// event channels. While the connection is lost, it waits.
//
// It returns "" when nothing comes of it: no phone is paired, the settings
// ignore the message, the writer is blocked, or somebody is not in the group.
func (i *Instance) Receive(in Incoming) (messageID string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	id, _ := i.take(in)
	return id
}

// take is Receive, and says why nothing comes of it. The caller holds the lock.
func (i *Instance) take(in Incoming) (messageID, refusal string) {
	if !i.session {
		return "", "no phone is paired with " + i.name
	}
	if in.Name != "" {
		i.s.remember(in.From, in.Name)
	}
	chat := in.chat()
	switch {
	case chatType(chat) == "group" && i.settings.ignoreGroupMessages:
		return "", "the settings of " + i.name + " ignore groups"
	case chat == jidStatus && i.settings.ignoreStatus:
		return "", "the settings of " + i.name + " ignore status messages"
	case in.Group == "" && i.blocks(chat):
		return "", i.name + " has blocked " + in.From
	case i.s.world.shutsOut(chat, i.jid(), userJID(in.From)):
		return "", "one of " + i.name + " and " + in.From + " is not in the group, or may not write there"
	}
	m := i.compose(in, chat)
	m.Sender = userJID(in.From)
	m.Status = "received"
	if i.settings.autoReadMessages {
		m.Status = "read"
	}
	if i.state != StateConnected {
		i.offline = append(i.offline, m)
		return m.eventID(), ""
	}
	i.deliver(m)
	return m.eventID(), ""
}

// TypeOnPhone plays a person who writes on the instance's own phone: an
// outgoing message without a source. to is a number or JID; From is not used.
// It returns "" when the instance is not connected.
func (i *Instance) TypeOnPhone(to string, in Incoming) (messageID string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.state != StateConnected {
		return ""
	}
	m := i.compose(in, userJID(to))
	m.Sender = i.jid()
	m.FromMe = true
	m.Status = "sent"
	i.deliver(m)
	i.scheduleReceipts(m)
	return m.eventID()
}

// NameGroup gives a group its name, as events and replies show it. The group
// need not exist (see Server.AddGroup), and no event tells of the change.
func (i *Instance) NameGroup(jid, name string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	defer i.s.changed(ChangeServer)
	if g := i.s.world.groups.byJID[jid]; g != nil {
		g.name = name
		return
	}
	i.groups[jid] = name
}

// SetHistory sets the old messages of the phone. After a pairing with
// ?history=, or with disableHistorySync false, they come as message.exchange
// events with old times; see docs/service-notes.md. From "me" is a message of
// the phone itself, to Group, which may be a private chat.
func (i *Instance) SetHistory(messages []Incoming) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.history = slices.Clone(messages)
	i.changed(Change{Kind: ChangeInstance})
}

// History returns the old messages that SetHistory has set.
func (i *Instance) History() []Incoming {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return slices.Clone(i.history)
}

// replayHistory brings in what the phone holds, of the last days (all when
// days is not positive). The caller holds the lock.
func (i *Instance) replayHistory(days int) {
	now := i.s.clock.now()
	for _, in := range i.history {
		if days > 0 && !in.At.IsZero() && in.At.Before(now.AddDate(0, 0, -days)) {
			continue
		}
		mine := in.From == "me"
		m := i.compose(in, userJID(in.chat()))
		m.Sender, m.Status = userJID(in.From), "received"
		if mine {
			m.Sender, m.FromMe, m.Status = i.jid(), true, "sent"
		}
		if in.Name != "" {
			i.s.remember(in.From, in.Name)
		}
		i.deliver(m)
	}
}

// chat is the JID of the chat that it is written in.
func (in Incoming) chat() string {
	if in.Group != "" {
		return in.Group
	}
	return userJID(in.From)
}

// compose makes the message of an Incoming.
func (i *Instance) compose(in Incoming, chat string) *Message {
	m := &Message{
		ID: in.ID, Chat: chat, Kind: "text", Text: in.Text, Timestamp: in.At,
		ReplyTo: in.ReplyTo, Mentions: in.Mentions, Forwarded: in.Forwarded,
		Location: in.Location, Card: in.Card, Poll: in.Poll, Answer: in.Answer, Reaction: in.Reaction,
		event: eventPart{hidden: in.HideNumber, patch: maps.Clone(in.Patch)},
	}
	if m.ID == "" {
		m.ID = newMessageID()
	}
	if m.Timestamp.IsZero() {
		m.Timestamp = i.s.clock.now()
	}
	switch {
	case in.Media != nil:
		m.Media = in.Media.media(in.Text)
		m.Kind = m.Media.Kind
	case in.Location != nil:
		m.Kind = "location"
	case in.Card != nil:
		m.Kind = "contact"
	case in.Poll != nil:
		m.Kind = "poll"
		m.Text = in.Poll.Question
	case in.Answer != nil:
		m.Kind, _ = in.Answer.live()["type"].(string)
	case in.Reaction != nil:
		m.Kind = "reaction"
	case in.Edit != "":
		m.event.original = in.Edit
	case in.Revoke != "":
		m.event.revoke = true
		m.event.id = in.Revoke
	}
	return m
}

// deliver stores a message and announces it. Edits and revokes change the
// message that they mean. The caller holds the lock.
func (i *Instance) deliver(m *Message) {
	switch {
	case m.event.revoke:
		if old := i.byID[m.event.id]; old != nil {
			old.Revoked = true
			i.changedMessage(old)
		}
	case m.event.original != "":
		if old := i.byID[m.event.original]; old != nil {
			old.Text = m.Text
			old.Edited = true
			i.changedMessage(old)
		}
	default:
		i.store(m)
	}
	i.announce(m)
}

func (f *File) media(caption string) *Media {
	sum := sha256.Sum256(f.Data)
	m := &Media{
		Kind: f.Kind, MIME: f.MIME, FileName: f.FileName, Voice: f.Voice, Duration: f.Duration,
		Caption: caption, Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:]), Bytes: f.Data,
	}
	if m.MIME == "" {
		m.MIME = sniff(f.Data)
	}
	if m.Kind == "" {
		m.Kind = mediaKind(m.MIME)
	}
	return m
}

// remember notes the push name of whoever writes. The caller holds the lock.
func (s *Server) remember(who, name string) {
	user, server := splitJID(userJID(who))
	if server == serverLID {
		if user = s.world.byLID[who]; user == "" {
			return
		}
	}
	c := s.world.contacts[user]
	c.Phone, c.Name = user, name
	s.world.know(c)
}
