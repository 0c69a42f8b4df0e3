package ryzetest

import (
	"maps"
	"slices"
	"time"
)

type savedMessage struct {
	Instance int       // index
	Message  *Message  // its exported fields
	Event    savedPart `json:",omitzero"`
	Stored   time.Time `json:",omitzero"`
	Offline  bool      `json:",omitempty"` // it waits for the instance to be connected
}

// savedPart is what only the event of a message shows.
type savedPart struct {
	ID       string `json:",omitempty"`
	Original string `json:",omitempty"`
	Revoke   bool   `json:",omitempty"`
	Hidden   bool   `json:",omitempty"`
	Patch    obj    `json:",omitempty"`
}

type savedChat struct {
	Archived     bool      `json:",omitempty"`
	Pinned       bool      `json:",omitempty"`
	Favorite     bool      `json:",omitempty"`
	Blocked      bool      `json:",omitempty"`
	MarkedUnread bool      `json:",omitempty"`
	Muted        bool      `json:",omitempty"`
	MutedUntil   time.Time `json:",omitzero"`
	ReadUpTo     int       `json:",omitempty"` // how many messages of the instance were there
}

type savedLabel struct {
	ID, Name string
	Color    int
	Chats    []string `json:",omitempty"`
}

type savedVote struct {
	ID, Voter string
	Options   []string
	At        time.Time
}

// saveMessages copies the messages, those that wait too. The caller holds the lock.
func (i *Instance) saveMessages(instance int) []savedMessage {
	list := make([]savedMessage, 0, len(i.messages)+len(i.offline))
	add := func(m *Message, offline bool) {
		shot := *m
		e := m.event
		list = append(list, savedMessage{instance, &shot, savedPart{e.id, e.original, e.revoke, e.hidden, e.patch}, m.stored, offline})
	}
	for _, m := range i.messages {
		add(m, false)
	}
	for _, m := range i.offline {
		add(m, true)
	}
	return list
}

func (i *Instance) restoreMessage(sm savedMessage) {
	m := sm.Message
	m.event = eventPart{sm.Event.ID, sm.Event.Original, sm.Event.Revoke, sm.Event.Hidden, sm.Event.Patch}
	m.stored = sm.Stored
	if sm.Offline {
		i.offline = append(i.offline, m)
		return
	}
	i.index(m)
}

// resumeReceipts plays the receipts of a message that were still to come.
func (i *Instance) resumeReceipts(m *Message, at time.Time) {
	r := i.receipts
	if r.Off || m.Chat == jidStatus || chatType(m.Chat) == "newsletter" || i.blocks(m.Chat) {
		return
	}
	now, gone := i.s.clock.now(), i.gone
	later := func(status string, d time.Duration) {
		if due := m.stored.Add(d); due.After(at) {
			i.s.clock.after(due.Sub(now), func() { i.receive(status, m, gone) })
		}
	}
	if r.Delivered >= 0 {
		later("delivered", r.Delivered)
	}
	if r.Read >= 0 {
		later("read", r.Read)
	}
	if r.Played > 0 && m.Media != nil && m.Media.Voice {
		later("played", r.Played)
	}
}

// save copies what the chat routes keep. A presence fades in seconds, and so does a
// label that was deleted: they are left out.
func (b *chatbook) save(si *savedInstance) {
	si.Label = b.lastLabel
	si.Chats = map[string]savedChat{}
	for jid, st := range b.chats {
		si.Chats[jid] = savedChat{
			st.archived, st.pinned, st.favorite, st.blocked, st.markedUnread, st.muted, st.mutedUntil, st.readUpTo,
		}
	}
	for _, l := range b.labels {
		if !l.deleted {
			si.Labels = append(si.Labels, savedLabel{l.id, l.name, l.color, keysOf(l.chats)})
		}
	}
	si.Votes = map[string][]savedVote{}
	for poll, votes := range b.votes {
		for _, v := range votes {
			si.Votes[poll] = append(si.Votes[poll], savedVote{v.id, v.voter, v.options, v.at})
		}
	}
}

func (b *chatbook) restore(si savedInstance) {
	b.lastLabel = si.Label
	b.chats, b.votes = map[string]*chatState{}, map[string][]vote{}
	for jid, c := range si.Chats {
		b.chats[jid] = &chatState{
			archived: c.Archived, pinned: c.Pinned, favorite: c.Favorite, blocked: c.Blocked, markedUnread: c.MarkedUnread,
			muted: c.Muted, mutedUntil: c.MutedUntil, readUpTo: c.ReadUpTo,
		}
	}
	for _, sl := range si.Labels {
		l := &label{id: sl.ID, name: sl.Name, color: sl.Color, chats: map[string]bool{}}
		maps.Copy(l.chats, setOf(sl.Chats))
		b.labels = append(b.labels, l)
	}
	for poll, votes := range si.Votes {
		for _, v := range votes {
			b.votes[poll] = append(b.votes[poll], vote{v.ID, v.Voter, slices.Clone(v.Options), v.At})
		}
	}
}
