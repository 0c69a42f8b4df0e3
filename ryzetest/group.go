package ryzetest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// GroupSettings are the permissions of a group, as in groupSettings of the routes.
type GroupSettings struct {
	MembersCanEditInfo     bool // name, description, picture; else admins only
	MembersCanSendMessages bool // else admins only
	MembersCanAddOthers    bool // else admins only
	RequireAdminApproval   bool // of those who join with the link
}

var defaultGroupSettings = GroupSettings{MembersCanEditInfo: true, MembersCanSendMessages: true}

// NewGroup describes a group that exists without a request.
type NewGroup struct {
	JID         string // a fresh one when empty
	Name        string
	Description string
	Owner       string   // number or JID of the super admin
	Admins      []string // numbers or JIDs
	Members     []string // numbers or JIDs of the others
	// Settings are those of a new group when nil: members edit the info and
	// write, admins add members, and no approval is needed.
	Settings *GroupSettings
}

// Member is somebody in a group.
type Member struct {
	JID               string
	Admin, SuperAdmin bool // a super admin is an admin too
}

// Group is a WhatsApp group. All instances of a server share it, and its
// members are told what happens in it. Its methods play other people. They are
// safe for concurrent use.
type Group struct {
	s   *Server
	jid string

	// What follows is guarded by the server's lock.
	name, description string
	picture           string
	code              string
	owner             string
	created           time.Time
	members           []*Member // in order of joining
	settings          GroupSettings
	requests          []joinRequest

	parent      *Group // the community that it is linked to
	isCommunity bool
	isDefault   bool // the announcements group of its community
}

// joinRequest is somebody who waits to be let in.
type joinRequest struct {
	jid string
	at  time.Time
}

// groupPlay is what the server knows about groups.
type groupPlay struct {
	byJID      map[string]*Group
	byCode     map[string]*Group
	unaddable  map[string]bool // digits of people whose privacy settings forbid adding
	lastSerial int
}

// AddGroup makes a group exist. It panics when the JID is taken.
func (s *Server) AddGroup(n NewGroup) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addGroup(n)
}

// AddGroup makes a group that the instance has created, as its super admin. The
// instance must have been paired.
func (i *Instance) AddGroup(name string, members ...string) *Group {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.s.addGroup(NewGroup{Name: name, Owner: i.jid(), Members: members})
}

// Group returns the group with that JID, or nil.
func (s *Server) Group(jid string) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.groups.byJID[jid]
}

// SetUnaddable marks numbers (digits) whose privacy settings forbid adding
// them to groups.
func (s *Server) SetUnaddable(numbers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.groups.unaddable == nil {
		s.world.groups.unaddable = map[string]bool{}
	}
	for _, n := range numbers {
		s.world.groups.unaddable[n] = true
	}
	s.changed(ChangeServer)
}

// addGroup makes a group. The caller holds the lock.
func (s *Server) addGroup(n NewGroup) *Group {
	w := &s.world.groups
	if w.byJID == nil {
		w.byJID, w.byCode = map[string]*Group{}, map[string]*Group{}
	}
	if n.JID == "" {
		n.JID = s.newGroupJID()
	}
	if w.byJID[n.JID] != nil {
		panic(fmt.Sprintf("ryzetest: there is a group %q already", n.JID))
	}
	g := &Group{
		s: s, jid: n.JID, name: n.Name, description: n.Description, owner: s.world.canonical(userJID(n.Owner)),
		created: s.clock.now(), settings: defaultGroupSettings,
	}
	if n.Settings != nil {
		g.settings = *n.Settings
	}
	if n.Owner != "" {
		g.members = append(g.members, &Member{JID: g.owner, Admin: true, SuperAdmin: true})
	}
	for _, who := range n.Admins {
		g.join(who).Admin = true
	}
	for _, who := range n.Members {
		g.join(who)
	}
	w.byJID[n.JID] = g
	g.newCode()
	s.changed(ChangeServer)
	return g
}

// newGroupJID returns the JID of a group in the form that WhatsApp gives now.
func (s *Server) newGroupJID() string {
	w := &s.world.groups
	for {
		w.lastSerial++
		jid := fmt.Sprintf("120363%012d@%s", 400000000000+int64(w.lastSerial), serverGroup)
		if w.byJID[jid] == nil {
			return jid
		}
	}
}

func (g *Group) newCode() {
	delete(g.s.world.groups.byCode, g.code)
	g.code = newCode(22)
	g.s.world.groups.byCode[g.code] = g
}

const groupLink = "https://chat.whatsapp.com/"

// JID returns the group's JID.
func (g *Group) JID() string { return g.jid }

// Name returns the group's name.
func (g *Group) Name() string {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.name
}

// InviteCode returns the code that lets people join.
func (g *Group) InviteCode() string {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.code
}

// InviteLink returns the address that lets people join.
func (g *Group) InviteLink() string { return groupLink + g.InviteCode() }

// Members returns who is in the group, in order of joining.
func (g *Group) Members() []Member {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	list := make([]Member, len(g.members))
	for k, m := range g.members {
		list[k] = *m
	}
	return list
}

// RequestToJoin plays a person who asks to join. It returns false for a member
// and for a person who waits already.
func (g *Group) RequestToJoin(who string) bool {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.queue(g.s.world.canonical(userJID(who)))
}

// Join plays people who join with the link, or whom somebody else adds.
func (g *Group) Join(who ...string) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.admit(g.absent(who)...)
}

// Leave plays people who leave, or whom somebody removes. Leave, Promote and
// Demote ignore people who are no members.
func (g *Group) Leave(who ...string) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.dismiss(g.present(who)...)
}

// Promote plays another admin who makes members admins.
func (g *Group) Promote(who ...string) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.setAdmin(true, g.present(who)...)
}

// Demote plays another admin who makes admins members.
func (g *Group) Demote(who ...string) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.setAdmin(false, g.present(who)...)
}

// Rename plays another member who changes the name.
func (g *Group) Rename(name string) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.name = name
	g.tell("name")
}

// ---- state; the caller holds the lock

// LinkTo links the group to a community, as an admin does on a phone. It
// returns false when WhatsApp would refuse: for wrong kinds, a group that has a
// community, or a full community.
func (g *Group) LinkTo(community *Group) bool {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.linkTo(community) == nil
}

// join adds a member without telling anybody.
func (g *Group) join(who string) *Member {
	jid := g.s.world.canonical(userJID(who))
	if m := g.member(jid); m != nil {
		return m
	}
	m := &Member{JID: jid}
	g.members = append(g.members, m)
	return m
}

func (g *Group) member(jid string) *Member {
	jid = g.s.world.canonical(jid)
	for _, m := range g.members {
		if m.JID == jid {
			return m
		}
	}
	return nil
}

// absent are the JIDs of those who are not in the group, each once; present of
// those who are.
func (g *Group) absent(who []string) []string  { return g.pick(who, false) }
func (g *Group) present(who []string) []string { return g.pick(who, true) }

func (g *Group) pick(who []string, in bool) []string {
	var list []string
	for _, w := range who {
		jid := g.s.world.canonical(userJID(w))
		if (g.member(jid) != nil) == in && !slices.Contains(list, jid) {
			list = append(list, jid)
		}
	}
	return list
}

func (g *Group) queue(jid string) bool {
	waits := slices.ContainsFunc(g.requests, func(r joinRequest) bool { return r.jid == jid })
	if waits || g.member(jid) != nil {
		return false
	}
	g.requests = append(g.requests, joinRequest{jid, g.s.clock.now()})
	g.s.changed(ChangeServer)
	return true
}

// unqueue takes somebody off the list of those who wait.
func (g *Group) unqueue(jid string) bool {
	n := len(g.requests)
	g.requests = slices.DeleteFunc(g.requests, func(r joinRequest) bool { return r.jid == jid })
	return len(g.requests) < n
}

func (g *Group) admit(jids ...string) {
	for _, jid := range jids {
		g.unqueue(jid)
		g.join(jid)
	}
	g.tellAbout("joined", jids)
}

// dismiss takes people out. They are told as well.
func (g *Group) dismiss(jids ...string) {
	g.tellAbout("left", jids)
	g.members = slices.DeleteFunc(g.members, func(m *Member) bool { return slices.Contains(jids, m.JID) })
}

func (g *Group) setAdmin(on bool, jids ...string) {
	for _, jid := range jids {
		g.member(jid).Admin = on
	}
	if on {
		g.tellAbout("promoted", jids)
	} else {
		g.tellAbout("demoted", jids)
	}
}

// tell emits the group.flow of a change of the group itself. What the service
// adds to it (the new value, who changed it) is not documented; nothing here.
func (g *Group) tell(kind string) { g.emit(kind, nil) }

// tellAbout emits the group.flow of what people do, if there are any.
func (g *Group) tellAbout(kind string, people []string) {
	if len(people) == 0 {
		return
	}
	participants := make([]obj, len(people))
	for k, jid := range people {
		c := g.s.world.contact(jid)
		participants[k] = obj{"jid": jid}
		if c.LID != "" {
			participants[k]["lid"] = c.LID
		}
		if c.Name != "" {
			participants[k]["name"] = c.Name
		}
	}
	g.emit(kind, obj{"participants": participants})
}

// emit tells every connected instance in the group.
func (g *Group) emit(kind string, extra obj) {
	g.s.changed(ChangeServer)
	data := obj{"type": kind, "groupJid": g.jid, "groupName": g.name, "timestamp": g.s.stamp(g.s.clock.now())}
	maps.Copy(data, extra)
	for i := range g.s.instances() {
		if i.state == StateConnected && g.member(i.jid()) != nil {
			i.emit("group.flow", func(bool) any { return data })
		}
	}
}

// mayWrite returns nil when somebody may write in a chat: groups that the
// server knows take members only, or admins only.
func (w *world) mayWrite(jid, chat string) *refusal {
	g := w.groups.byJID[chat]
	if g == nil {
		return nil
	}
	m := g.member(w.canonical(jid))
	switch {
	case m == nil:
		return &refusal{http.StatusNotFound, textNoGroup}
	case !g.settings.MembersCanSendMessages && !m.Admin:
		return &refusal{http.StatusForbidden, "Only admins can send messages to this group"}
	}
	return nil
}

// shutsOut reports whether a message in a group does not reach one of the two.
func (w *world) shutsOut(chat, reader, writer string) bool {
	g := w.groups.byJID[chat]
	return g != nil && (g.member(reader) == nil || w.mayWrite(writer, chat) != nil)
}

// refusal is the reply to somebody who may not write.
type refusal struct {
	status int
	text   string
}

// mayWrite is the reply to a send into a group in which the account may not
// write. The texts that the service has for that are not documented.
func (i *Instance) mayWrite(chat string) (reply, bool) {
	if r := i.s.world.mayWrite(i.jid(), chat); r != nil {
		return fail(r.status, r.text), true
	}
	return reply{}, false
}

// groupName is how a group is called: by its own name, or by that of NameGroup.
func (i *Instance) groupName(jid string) string {
	if g := i.s.world.groups.byJID[jid]; g != nil {
		return g.name
	}
	return i.groups[jid]
}

// isAnnouncements reports whether a chat is the announcements group of a
// community.
func (w *world) isAnnouncements(chat string) bool {
	g := w.groups.byJID[chat]
	return g != nil && g.isDefault
}

// group finds the group behind a JID, an invite code or a link. byInvite tells
// the last two from the first.
func (w *world) group(identifier string) (g *Group, byInvite bool) {
	if strings.HasSuffix(identifier, "@"+serverGroup) {
		return w.groups.byJID[identifier], false
	}
	return w.groups.byCode[inviteCode(identifier, "chat.whatsapp.com", "")], true
}

// inviteCode takes the code out of a link, or returns what is no link as it is.
func inviteCode(identifier, host, prefix string) string {
	u, err := url.Parse(identifier)
	if err != nil || u.Host != host {
		return identifier
	}
	return strings.TrimPrefix(strings.Trim(u.Path, "/"), prefix)
}

// groupsOf lists the groups that an account is in, by JID.
func (w *world) groupsOf(jid string) []*Group {
	var list []*Group
	for _, g := range w.groups.byJID {
		if g.member(jid) != nil {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *Group) int { return cmp.Compare(a.jid, b.jid) })
	return list
}

// lid returns the LID of a person, who gets one if there is none yet.
func (w *world) lid(jid string) string {
	user, server := splitJID(jid)
	if server != serverUser {
		return jid
	}
	c := w.contacts[user]
	if c.LID != "" {
		return c.LID
	}
	c.Phone, c.LID = user, fmt.Sprintf("%d@%s", 100000000000001+int64(len(w.byLID)), serverLID)
	w.know(c)
	return c.LID
}
