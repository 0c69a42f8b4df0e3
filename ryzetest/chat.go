package ryzetest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of WhatsApp that the service passes on.
const (
	maxPinnedChats = 3
	editWindow     = 15 * time.Minute
	revokeWindow   = 60 * time.Hour // two days and twelve hours
)

// presenceFade is how long "typing" shows when nobody takes it back. The
// service says about 5 to 10 seconds.
const presenceFade = 10 * time.Second

// labelSync is how long a label that was deleted still shows in the list.
const labelSync = 2 * time.Second

// Chat is what an account keeps about one of its chats.
type Chat struct {
	JID      string
	Archived bool
	Pinned   bool
	Favorite bool
	Blocked  bool
	Muted    bool // now
	// MutedUntil is zero for a chat that is muted for good.
	MutedUntil time.Time
	// MarkedUnread is set when the chat was marked unread by hand.
	MarkedUnread bool
	// Unread counts the incoming messages since the chat was last marked read.
	Unread int
	// Presence is what the other side sees: "typing", "recording" or "".
	Presence string
	Labels   []string // ids, sorted
	// Name is what the events call the chat. LastMessage is the id of its
	// newest message that is not deleted, and LastAt its time. They are empty
	// when there is none.
	Name        string
	LastMessage string
	LastAt      time.Time
}

// chatState is the part of a Chat that is kept.
type chatState struct {
	archived, pinned, favorite, blocked, markedUnread, muted bool

	mutedUntil time.Time
	readUpTo   int // index into the instance's messages
	presence   string
	shown      int // how often the presence has changed
}

// label is a label (the routes say tag) of a WhatsApp Business account.
type label struct {
	id      string
	name    string
	color   int
	deleted bool
	chats   map[string]bool // by canonical JID
}

// vote is what one person picked in a poll.
type vote struct {
	id      string
	voter   string
	options []string
	at      time.Time
}

// chatbook is everything that the chat routes keep for an instance.
type chatbook struct {
	chats     map[string]*chatState // by canonical JID
	labels    []*label
	lastLabel int
	votes     map[string][]vote // by id of the poll
}

// canonical is the JID under which a chat is kept: the phone's when a LID is
// known, and the form of a Brazilian number that WhatsApp has.
func (w *world) canonical(jid string) string {
	if digits, known := w.byLID[jid]; known {
		return digits + "@" + serverUser
	}
	if there, ok := w.resolve(jid); ok {
		return there
	}
	return jid
}

// chatState returns the state of a chat, a fresh one for a chat not seen
// before. The caller holds the lock.
func (i *Instance) chatState(jid string) *chatState {
	jid = i.s.world.canonical(jid)
	st := i.book.chats[jid]
	if st == nil {
		if i.book.chats == nil {
			i.book.chats = map[string]*chatState{}
		}
		st = &chatState{}
		i.book.chats[jid] = st
	}
	return st
}

// blocks reports whether the account has blocked that person. The caller holds
// the lock.
func (i *Instance) blocks(jid string) bool {
	st := i.book.chats[i.s.world.canonical(jid)]
	return st != nil && st.blocked
}

// Chat returns what the account keeps about the chat with a number or JID.
func (i *Instance) Chat(who string) Chat {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	jid := i.s.world.canonical(userJID(who))
	return *i.chatsOf(func(other string) bool { return other == jid }, jid)[jid]
}

// Chats returns the chats that have a message or their own state, such as
// pinned. The newest messages come first.
func (i *Instance) Chats() []Chat {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	found := i.chatsOf(func(string) bool { return true }, slices.Collect(maps.Keys(i.book.chats))...)
	list := make([]Chat, 0, len(found))
	for _, c := range found {
		if !c.isBare() {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b Chat) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), strings.Compare(a.JID, b.JID))
	})
	return list
}

// isBare reports whether there is nothing to say about the chat.
func (c *Chat) isBare() bool {
	return c.LastMessage == "" && c.Presence == "" && len(c.Labels) == 0 && c.Unread == 0 &&
		!c.Archived && !c.Pinned && !c.Favorite && !c.Blocked && !c.Muted && !c.MarkedUnread
}

// chatsOf returns the chats named and those that have messages, of which wanted
// are of interest, by their canonical JID. The caller holds the lock.
func (i *Instance) chatsOf(wanted func(jid string) bool, named ...string) map[string]*Chat {
	found := map[string]*Chat{}
	chat := func(jid string) *Chat {
		c := found[jid]
		if c == nil {
			st := i.chatState(jid)
			c = &Chat{
				JID: jid, Archived: st.archived, Pinned: st.pinned, Favorite: st.favorite, Blocked: st.blocked,
				Muted: st.mutedNow(i.s.clock.now()), MarkedUnread: st.markedUnread, Presence: st.presence,
				Name: i.chatName(jid),
			}
			if c.Muted {
				c.MutedUntil = st.mutedUntil
			}
			found[jid] = c
		}
		return c
	}
	for _, jid := range named {
		chat(jid)
	}
	canonical := i.s.world.canonicals()
	for k, m := range i.messages {
		jid := canonical(m.Chat)
		if !wanted(jid) {
			continue
		}
		if !m.Deleted {
			c := chat(jid)
			c.LastMessage, c.LastAt = m.ID, m.Timestamp
		}
		if !m.FromMe && k >= i.chatState(jid).readUpTo {
			chat(jid).Unread++
		}
	}
	for _, l := range i.book.labels {
		for jid := range l.chats {
			if wanted(jid) {
				c := chat(jid)
				c.Labels = append(c.Labels, l.id)
			}
		}
	}
	for _, c := range found {
		slices.Sort(c.Labels)
	}
	return found
}

func (st *chatState) mutedNow(now time.Time) bool {
	return st.muted && (st.mutedUntil.IsZero() || now.Before(st.mutedUntil))
}

// show sets the presence in a chat, and takes it back after a while. The caller
// holds the lock.
func (i *Instance) show(jid, presence string, d time.Duration) {
	st := i.chatState(jid)
	st.presence = presence
	st.shown++
	i.changedChat(jid)
	if presence == "" {
		return
	}
	mine := st.shown
	i.s.clock.after(d, func() {
		i.s.mu.Lock()
		defer i.s.mu.Unlock()
		if st.shown == mine {
			st.presence = ""
			i.changedChat(jid)
		}
	})
}

// inChat reports whether a message is of the chat with that canonical JID, and
// was not deleted by the account for itself.
func (i *Instance) inChat(m *Message, jid string) bool {
	return !m.Deleted && i.s.world.canonical(m.Chat) == jid
}

// visible returns a stored message that the account has not deleted. The
// caller holds the lock.
func (i *Instance) visible(id string) *Message {
	m := i.byID[id]
	if m == nil || m.Deleted {
		return nil
	}
	return m
}

// AddLabel plays a label made on the phone. It returns its id. A color is 0 to
// 10; others become 0.
func (i *Instance) AddLabel(name string, color int) (id string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.addLabel(name, color).id
}

// LabelChat plays a label put on a chat, or taken off it, on the phone. It
// reports whether there is such a label.
func (i *Instance) LabelChat(labelID, who string, on bool) bool {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	l := i.label(labelID)
	if l == nil {
		return false
	}
	i.setLabel(l, userJID(who), on)
	return true
}

// label returns a label that is not deleted. The caller holds the lock.
func (i *Instance) label(id string) *label {
	for _, l := range i.book.labels {
		if l.id == id && !l.deleted {
			return l
		}
	}
	return nil
}

func (i *Instance) addLabel(name string, color int) *label {
	if color < 0 || color > 10 {
		color = 0
	}
	i.book.lastLabel++
	l := &label{id: strconv.Itoa(i.book.lastLabel), name: name, color: color, chats: map[string]bool{}}
	i.book.labels = append(i.book.labels, l)
	i.emitLabel(l, "updated")
	return l
}

// deleteLabel marks a label as deleted; the sync with WhatsApp drops it later.
func (i *Instance) deleteLabel(l *label) {
	l.deleted = true
	clear(l.chats)
	i.emitLabel(l, "deleted")
	i.s.clock.after(labelSync, func() {
		i.s.mu.Lock()
		defer i.s.mu.Unlock()
		i.book.labels = slices.DeleteFunc(i.book.labels, func(other *label) bool { return other == l })
	})
}

// setLabel puts a label on a chat or takes it off; what changes is announced.
func (i *Instance) setLabel(l *label, jid string, on bool) {
	jid = i.s.world.canonical(jid)
	if l.chats[jid] == on {
		return
	}
	action := "add"
	if on {
		l.chats[jid] = true
	} else {
		delete(l.chats, jid)
		action = "remove"
	}
	i.changedChat(jid)
	data := obj{"type": "chat", "labelId": l.id, "action": action, "chatJid": jid, "labeled": on}
	i.emit("label.update", func(bool) any { return data })
}

func (i *Instance) emitLabel(l *label, action string) {
	data := obj{"type": "edit", "labelId": l.id, "action": action, "name": l.name, "color": l.color, "deleted": l.deleted}
	i.emit("label.update", func(bool) any { return data })
}

func (l *label) view() obj {
	return obj{"id": l.id, "name": l.name, "color": l.color, "type": "CUSTOM", "deleted": l.deleted}
}

// Vote plays a vote in a poll of the instance. It replaces the voter's earlier
// one; without options it is withdrawn. It returns the id of the vote's
// message. It returns "" for an unknown poll or option, or for too many
// options. No event goes out; see Emit.
func (i *Instance) Vote(pollID, voter string, options ...string) (messageID string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	m := i.byID[pollID]
	if m == nil || m.Poll == nil || !m.FromMe || len(options) > max(1, m.Poll.Max) {
		return ""
	}
	for _, o := range options {
		if !slices.Contains(m.Poll.Options, o) {
			return ""
		}
	}
	voter = i.s.world.canonical(userJID(voter))
	if i.book.votes == nil {
		i.book.votes = map[string][]vote{}
	}
	votes := slices.DeleteFunc(i.book.votes[pollID], func(v vote) bool { return v.voter == voter })
	v := vote{id: newMessageID(), voter: voter, options: slices.Clone(options), at: i.s.clock.now()}
	if len(options) > 0 {
		votes = append(votes, v)
	}
	i.book.votes[pollID] = votes
	i.changedMessage(m)
	return v.id
}

// optionHash is how WhatsApp names an option of a poll.
func optionHash(option string) string {
	sum := sha256.Sum256([]byte(option))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// muteFor reads how long a chat is muted: seconds, 0 for good.
func muteFor(duration string) (seconds int, message string, ok bool) {
	switch duration {
	case "8h", "8 hours":
		return 8 * 60 * 60, "Chat muted for 8 hours", true
	case "1w", "7d", "1 week":
		return 7 * 24 * 60 * 60, "Chat muted for 1 week", true
	case "", "always", "forever", "permanent":
		return 0, "Chat muted permanently", true
	}
	return 0, "", false
}
