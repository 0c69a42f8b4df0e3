package ryzetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest/internal/web"
)

func controlChatRoutes() []controlRoute {
	return []controlRoute{
		{method: "GET", path: "instances/{name}/chats", handle: (*controlCall).chats},
		{method: "GET", path: "instances/{name}/chats/{jid}/messages", query: []string{"limit", "before"}, handle: (*controlCall).messages},
		{method: "GET", path: "instances/{name}/messages/{id}", handle: (*controlCall).message},
		{method: "GET", path: "instances/{name}/messages/{id}/media", handle: (*controlCall).media},
	}
}

type chatsView struct {
	Chats []chatView `json:"chats"`
}

type chatView struct {
	JID          string       `json:"jid"`
	Name         string       `json:"name"`
	Kind         string       `json:"kind"`
	Phone        string       `json:"phone"`
	LID          string       `json:"lid"`
	Archived     bool         `json:"archived"`
	Pinned       bool         `json:"pinned"`
	Muted        bool         `json:"muted"`
	Blocked      bool         `json:"blocked"`
	Favorite     bool         `json:"favorite"`
	MarkedUnread bool         `json:"markedUnread"`
	Unread       int          `json:"unread"`
	Presence     string       `json:"presence"`
	Labels       []string     `json:"labels"`
	LastMessage  *shortView   `json:"lastMessage"`
	LastAt       *instant     `json:"lastAt"`
	Members      []memberView `json:"members,omitempty"`
}

// shortView is as much of a message as its quote or the list of chats shows.
type shortView struct {
	ID         string  `json:"id"`
	Sender     string  `json:"sender"`
	SenderName string  `json:"senderName"`
	FromMe     bool    `json:"fromMe"`
	Kind       string  `json:"kind"`
	Text       string  `json:"text"`
	Timestamp  instant `json:"timestamp"`
	Status     string  `json:"status"`
	Revoked    bool    `json:"revoked"`
	Voice      bool    `json:"voice"`
}

type memberView struct {
	JID        string `json:"jid"`
	Name       string `json:"name"`
	Phone      string `json:"phone"`
	LID        string `json:"lid"`
	Admin      bool   `json:"admin"`
	SuperAdmin bool   `json:"superAdmin"`
	Me         bool   `json:"me"`
}

// chatKind is chatType, and tells the feed of status messages from private chats.
func chatKind(jid string) string {
	if jid == jidStatus {
		return "status"
	}
	return chatType(jid)
}

// chats are those with messages or a state of their own, and the groups that the
// account is in, those with the newest messages first.
func (c *controlCall) chats() (any, error) {
	i := c.inst
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	named := slices.Collect(maps.Keys(i.book.chats))
	groups := map[string]bool{}
	if i.phone != "" {
		for _, g := range i.s.world.groupsOf(i.jid()) {
			named, groups[g.jid] = append(named, g.jid), true
		}
		for _, n := range i.s.world.newslettersOf(i.jid()) {
			named, groups[n.jid] = append(named, n.jid), true
		}
	}
	list := []chatView{}
	for _, chat := range i.chatsOf(func(string) bool { return true }, named...) {
		if !chat.isBare() || groups[chat.JID] {
			list = append(list, i.chatView(chat))
		}
	}
	slices.SortFunc(list, func(a, b chatView) int {
		return cmp.Or(cmp.Compare(b.at(), a.at()), strings.Compare(a.JID, b.JID))
	})
	return chatsView{list}, nil
}

func (v chatView) at() int64 {
	if v.LastAt == nil {
		return 0
	}
	return time.Time(*v.LastAt).UnixNano()
}

// chatView is a chat as the page shows it. The caller holds the lock.
func (i *Instance) chatView(c *Chat) chatView {
	v := chatView{
		JID: c.JID, Name: i.nameOf(c.JID), Kind: chatKind(c.JID), Archived: c.Archived, Pinned: c.Pinned, Muted: c.Muted,
		Blocked: c.Blocked, Favorite: c.Favorite, MarkedUnread: c.MarkedUnread, Unread: c.Unread, Presence: c.Presence,
		Labels: notNil(c.Labels), LastAt: moment(c.LastAt),
	}
	if m := i.byID[c.LastMessage]; m != nil {
		v.LastMessage = new(i.short(m))
	}
	if v.Kind == "private" {
		v.Phone, v.LID = i.s.world.numbers(c.JID)
	}
	if g := i.s.world.groups.byJID[c.JID]; g != nil {
		v.Members = i.members(g)
	}
	return v
}

func (i *Instance) members(g *Group) []memberView {
	list := make([]memberView, len(g.members))
	for k, m := range g.members {
		phone, lid := i.s.world.numbers(m.JID)
		list[k] = memberView{m.JID, i.nameOf(m.JID), phone, lid, m.Admin, m.SuperAdmin, m.JID == i.jid()}
	}
	return list
}

// nameOf is how a chat or a person is called, "" when nobody has said. The caller
// holds the lock.
func (i *Instance) nameOf(jid string) string {
	if i.phone != "" && jid == i.jid() {
		return i.profile.name
	}
	if n := i.s.world.newsletters.byJID[jid]; n != nil {
		return n.name
	}
	if name := i.chatName(jid); name != "" {
		return name
	}
	for other := range i.s.instances() { // a number of the same simulator
		if other.phone != "" && other.jid() == jid {
			return other.profile.name
		}
	}
	return ""
}

// numbers are the digits and the LID of a person, as far as they are known.
func (w *world) numbers(jid string) (phone, lid string) {
	user, server := splitJID(w.canonical(jid))
	switch server {
	case serverUser:
		return user, w.contacts[user].LID
	case serverLID:
		return "", jid
	}
	return "", ""
}

func (i *Instance) short(m *Message) shortView {
	v := shortView{
		ID: m.ID, Sender: m.Sender, SenderName: i.nameOf(m.Sender), FromMe: m.FromMe, Kind: m.Kind, Text: m.Text,
		Timestamp: instant(m.Timestamp), Status: m.Status, Revoked: m.Revoked,
	}
	if m.Reaction != nil {
		v.Text = m.Reaction.Emoji
	}
	if m.Media != nil {
		v.Voice = m.Media.Voice
	}
	return v
}

type messagesView struct {
	Messages []messageView `json:"messages"`
	More     bool          `json:"more"`
}

// messages are those of a chat that came before one, the oldest first. Reactions
// are shown with what they are to.
func (c *controlCall) messages() (any, error) {
	limit, err := c.whole("limit", 100, 1, 1000)
	if err != nil {
		return nil, err
	}
	jid, ok := parseNumber(c.r.PathValue("jid"))
	if !ok {
		return nil, web.Invalid("jid", "%q is neither the digits of a number nor a JID", c.r.PathValue("jid"))
	}
	i := c.inst
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	list := i.conversation(jid)
	if before := c.query.Get("before"); before != "" {
		k := slices.IndexFunc(list, func(m *Message) bool { return m.ID == before })
		if k < 0 {
			return nil, web.Invalid("before", "there is no message %q in this chat", before)
		}
		list = list[:k]
	}
	from := max(0, len(list)-int(limit))
	view := messagesView{Messages: make([]messageView, 0, len(list)-from), More: from > 0}
	for _, m := range list[from:] {
		view.Messages = append(view.Messages, i.messageView(m))
	}
	return view, nil
}

// conversation are the messages of a chat by their time. The caller holds the lock.
func (i *Instance) conversation(jid string) []*Message {
	canonical := i.s.world.canonicals()
	jid = canonical(jid)
	var list []*Message
	for _, m := range i.messages {
		if canonical(m.Chat) == jid && (m.Reaction == nil || i.byID[m.Reaction.MessageID] == nil) {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b *Message) int { return a.Timestamp.Compare(b.Timestamp) })
	return list
}

// one finds the message of the path. The caller holds the lock.
func (c *controlCall) one() (*Message, error) {
	m := c.inst.byID[c.r.PathValue("id")]
	if m == nil {
		return nil, web.NotFound("there is no message %q", c.r.PathValue("id"))
	}
	return m, nil
}

func (c *controlCall) message() (any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m, err := c.one()
	if err != nil {
		return nil, err
	}
	return c.inst.messageView(m), nil
}

// media answers with the file of a message.
func (c *controlCall) media() (any, error) {
	c.s.mu.Lock()
	m, err := c.one()
	var file Media
	if err == nil && m.Media != nil {
		file = *m.Media
	}
	c.s.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case file.Bytes == nil:
		return nil, web.NotFound("the simulator does not hold the file of this message")
	}
	web.ServeMedia(c.w, c.r, file.MIME, file.FileName, file.Bytes)
	return nil, nil //nolint:nilnil // it has answered
}
