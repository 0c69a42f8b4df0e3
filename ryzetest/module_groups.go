package ryzetest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Texts of the group module.
const (
	textIdentifier = "Identifier is required"
	textNoGroup    = "Group not found or you are not a member of this group"
)

func groupRoutes() []route {
	settings := object("groupSettings", boolean("membersCanEditInfo"), boolean("membersCanSendMessages"),
		boolean("membersCanAddOthers"), boolean("requireAdminApproval"))
	group := func(name, method, path string, handle func(*call) reply) route {
		return route{
			id: "groups." + name, method: method, path: "/api/group/" + path + "/:instance",
			offline: http.StatusBadRequest, handle: handle,
		}
	}
	withBody := func(r route, fields ...field) route {
		r.body = fields
		return r
	}
	withQuery := func(r route, names ...string) route {
		r.query = names
		return r
	}
	create := withBody(group("create", "POST", "create", createGroup), str("name"), list("participants", str("")),
		str("description"), str("image"), str("communityJid"), settings)
	create.stream = []string{"image"}
	update := withBody(group("update", "PUT", "update", updateGroup), str("identifier"), str("name"), str("description"),
		str("image"), boolean("removeImage"), settings)
	update.stream = []string{"image"}
	return []route{
		create,
		withQuery(group("list", "GET", "list", listGroups), "includeMembers"),
		withQuery(group("info", "GET", "info", groupInfo), "identifier", "participants"),
		update,
		withBody(group("participants", "POST", "participants", changeParticipants),
			str("action", "add", "remove", "promote", "demote", "approve", "reject"), str("identifier"),
			list("participants", str(""))),
		withBody(group("join", "POST", "join", joinGroup), str("identifier")),
		withBody(group("reset_link", "POST", "resetLink", onGroup(resetGroupLink)), str("identifier")),
		withQuery(group("requests", "GET", "requests", onGroup(groupRequests)), "identifier"),
		withQuery(group("leave", "DELETE", "leave", onGroup(leaveGroup)), "identifier"),
	}
}

// inGroup finds the group that a request names, in which the account must be.
// The caller holds the lock.
func (c *call) inGroup(identifier string) (*Group, *Member, reply, bool) {
	if res, stop := c.offline(); stop {
		return nil, nil, res, true
	}
	g, _ := c.s.world.group(identifier)
	if g == nil {
		return nil, nil, notFound(textNoGroup), true
	}
	me := g.member(c.inst.jid())
	if me == nil {
		return nil, nil, notFound(textNoGroup), true
	}
	return g, me, reply{}, false
}

// onGroup is the handler of a route that names a group in which the account
// must be, in its body or, for a route without one, in its query.
func onGroup(fn func(c *call, g *Group, me *Member) reply) func(*call) reply {
	return func(c *call) reply {
		identifier := c.body.str("identifier")
		if c.route.body == nil {
			identifier, _ = c.param("identifier")
		}
		if identifier == "" {
			return badRequest(textIdentifier)
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		g, me, res, stop := c.inGroup(identifier)
		if stop {
			return res
		}
		return fn(c, g, me)
	}
}

func (g *Group) settingsView() obj {
	return obj{
		"membersCanEditInfo": g.settings.MembersCanEditInfo, "membersCanSendMessages": g.settings.MembersCanSendMessages,
		"membersCanAddOthers": g.settings.MembersCanAddOthers, "requireAdminApproval": g.settings.RequireAdminApproval,
	}
}

// memberViews lists the members; only the details of a group show LIDs.
func (g *Group) memberViews(withLID bool) []obj {
	list := make([]obj, len(g.members))
	for k, m := range g.members {
		list[k] = obj{"jid": m.JID, "isAdmin": m.Admin, "isSuperAdmin": m.SuperAdmin}
		if lid := g.s.world.contact(m.JID).LID; withLID && lid != "" {
			list[k]["lid"] = lid
		}
	}
	return list
}

// view is the GroupInfo of a group.
func (g *Group) view() obj {
	return obj{
		"name": g.name, "jid": g.jid, "description": g.description, "inviteCode": g.code, "inviteLink": groupLink + g.code,
		"createdBy": g.owner, "participantCount": len(g.members), "participants": g.memberViews(false),
		"groupSettings": g.settingsView(),
	}
}

// set applies the permissions that a body holds.
func (st *GroupSettings) set(b values) {
	for name, flag := range map[string]*bool{
		"membersCanEditInfo": &st.MembersCanEditInfo, "membersCanSendMessages": &st.MembersCanSendMessages,
		"membersCanAddOthers": &st.MembersCanAddOthers, "requireAdminApproval": &st.RequireAdminApproval,
	} {
		if b.has(name) {
			*flag = b.bool(name)
		}
	}
}

// createGroup leaves out people whom it cannot add; whether the service says
// so is not documented. A picture that fails does not undo the group.
func createGroup(c *call) reply {
	b := c.body
	if b.str("name") == "" {
		return badRequest("Group name is required")
	}
	picture, _, _ := c.picture("image")
	s, i := c.s, c.inst
	s.mu.Lock()
	defer s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	var community *Group
	if jid := b.str("communityJid"); jid != "" {
		if community = s.world.groups.byJID[jid]; community == nil || !community.isCommunity || !community.isAdmin(i.jid()) {
			return notFound("Community not found")
		}
	}
	settings := defaultGroupSettings
	settings.set(b.object("groupSettings"))
	members := []string{}
	for _, who := range b.strings("participants") {
		if jid, err := s.world.reach(who); err == nil {
			members = append(members, jid)
		}
	}
	g := s.addGroup(NewGroup{
		Name: b.str("name"), Description: b.str("description"), Owner: i.jid(), Members: members, Settings: &settings,
	})
	g.picture, g.parent = picture, community
	joined := []string{}
	for _, m := range g.members {
		joined = append(joined, m.JID)
	}
	g.tellAbout("joined", joined)
	return ok(obj{"message": "Group created successfully", "group": g.view()})
}

func (g *Group) isAdmin(jid string) bool {
	m := g.member(jid)
	return m != nil && m.Admin
}

// reach finds the JID of somebody who is to be added to a group. The caller
// holds the lock.
func (w *world) reach(who string) (string, error) {
	jid, valid := parseNumber(who)
	if !valid {
		return "", fmt.Errorf("%q is neither a number nor a JID", who)
	}
	if _, server := splitJID(jid); server == serverUser {
		if _, there := w.resolve(jid); !there {
			return "", errors.New("number not on WhatsApp")
		}
	}
	jid = w.canonical(jid)
	if user, _ := splitJID(jid); w.groups.unaddable[user] {
		return "", errors.New("privacy settings forbid adding this number")
	}
	return jid, nil
}

// listGroups leaves the members out when it is told so; their shape here is
// not documented.
func listGroups(c *call) reply {
	members, _ := c.param("includeMembers")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	items := []obj{}
	for _, g := range c.s.world.groupsOf(c.inst.jid()) {
		item := obj{"groupJid": g.jid, "name": g.name, "memberCount": len(g.members)}
		if members != "false" {
			item["participants"] = g.memberViews(true)
		}
		items = append(items, item)
	}
	return ok(obj{"message": fmt.Sprintf("%d groups found", len(items)), "groups": items})
}

// groupInfo also previews a group of which the account has a code or link.
func groupInfo(c *call) reply {
	identifier, _ := c.param("identifier")
	if identifier == "" {
		return badRequest(textIdentifier)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	g, byInvite := c.s.world.group(identifier)
	if g == nil || !byInvite && g.member(c.inst.jid()) == nil {
		return notFound(textNoGroup)
	}
	view := g.view()
	if p, _ := c.param("participants"); p == "false" {
		delete(view, "participants")
	} else {
		view["participants"] = g.memberViews(true)
	}
	view["image"] = g.picture
	view["createdAt"] = utc(g.created)
	view["metadata"] = obj{}
	view["isEphemeral"], view["isIncognito"], view["isSuspended"] = false, false, false
	view["isDefaultSubGroup"] = g.isDefault
	return ok(obj{"message": "Group info retrieved successfully", "group": view})
}

// updateGroup names the fields that it changed. Permissions are for admins,
// the rest for whom they allow it; the text of the refusal is not documented.
func updateGroup(c *call) reply {
	b := c.body
	if b.str("identifier") == "" {
		return badRequest(textIdentifier)
	}
	picture, newPicture, err := c.picture("image")
	info := b.str("name") != "" || b.has("description") || b.bool("removeImage") || newPicture
	if !info && !b.has("groupSettings") {
		return badRequest("At least one field must be provided")
	}
	if err != nil && !b.bool("removeImage") {
		return badRequest(err.Error())
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g, me, res, stop := c.inGroup(b.str("identifier"))
	if stop {
		return res
	}
	if !me.Admin && (b.has("groupSettings") || !g.settings.MembersCanEditInfo) {
		return fail(http.StatusForbidden, "Not authorized to update group (must be admin)")
	}
	var changed []string
	if b.str("name") != "" {
		changed = append(changed, "name")
		if g.name != b.str("name") {
			g.name = b.str("name")
			g.tell("name")
		}
	}
	if b.has("description") {
		changed = append(changed, "description")
		if g.description != b.str("description") {
			g.description = b.str("description")
			g.tell("topic")
		}
	}
	switch {
	case b.bool("removeImage"):
		changed = append(changed, "image")
		g.picture = ""
	case newPicture:
		changed = append(changed, "image")
		g.picture = picture
	}
	if b.has("groupSettings") {
		changed = append(changed, "groupSettings")
		announce := g.settings.MembersCanSendMessages
		g.settings.set(b.object("groupSettings"))
		if announce != g.settings.MembersCanSendMessages {
			g.tell("announce")
		}
	}
	return ok(obj{"message": "Group updated successfully: " + strings.Join(changed, ", "), "group": g.view()})
}

// changeParticipants answers for each participant, in the order of the
// request. By which key an answer names its participant is not documented, so
// there is none.
func changeParticipants(c *call) reply {
	b := c.body
	action := b.str("action")
	who := b.strings("participants")
	var apply func(g *Group, jid string) error
	super := false
	switch action {
	case "add":
		apply = (*Group).add
	case "remove":
		apply = (*Group).remove
	case "promote", "demote":
		super = true
		apply = func(g *Group, jid string) error { return g.rank(jid, action == "promote") }
	case "approve", "reject":
		apply = func(g *Group, jid string) error { return g.decide(jid, action == "approve") }
	case "":
		return badRequest("Action is required")
	default:
		return badRequest("Invalid action. Use add, remove, promote, demote, approve or reject")
	}
	switch {
	case b.str("identifier") == "":
		return badRequest(textIdentifier)
	case len(who) == 0:
		return badRequest("At least one participant is required")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g, me, res, stop := c.inGroup(b.str("identifier"))
	if stop {
		return res
	}
	allowed := me.Admin || action == "add" && g.settings.MembersCanAddOthers
	if super {
		allowed = me.SuperAdmin
	}
	if !allowed {
		return fail(http.StatusForbidden, "Not authorized to change participants (must be admin)")
	}
	outcomes := make([]obj, len(who))
	for k, w := range who {
		outcomes[k] = obj{"success": true}
		jid, valid := parseNumber(w)
		err := fmt.Errorf("%q is neither a number nor a JID", w)
		if valid {
			err = apply(g, c.s.world.canonical(jid))
		}
		if err != nil {
			outcomes[k] = obj{"success": false, "error": err.Error()}
		}
	}
	return ok(obj{"message": "Participants updated", "participants": outcomes})
}

func (g *Group) add(jid string) error {
	jid, err := g.s.world.reach(jid)
	if err != nil {
		return err
	}
	if g.member(jid) != nil {
		return errors.New("already a member of the group")
	}
	g.admit(jid)
	return nil
}

var errNotInGroup = errors.New("not a member of the group")

func (g *Group) remove(jid string) error {
	if g.member(jid) == nil {
		return errNotInGroup
	}
	g.dismiss(jid)
	return nil
}

func (g *Group) rank(jid string, admin bool) error {
	m := g.member(jid)
	switch {
	case m == nil:
		return errNotInGroup
	case m.SuperAdmin:
		return errors.New("the super admin stays one")
	case m.Admin != admin:
		g.setAdmin(admin, jid)
	}
	return nil
}

func (g *Group) decide(jid string, approve bool) error {
	if !g.unqueue(jid) {
		return errors.New("no pending request")
	}
	if approve {
		g.admit(jid)
	}
	return nil
}

// joinGroup takes a code or a link, no JID. The status of the documented
// refusal, and the texts beside it, are not documented.
func joinGroup(c *call) reply {
	identifier := c.body.str("identifier")
	switch {
	case identifier == "":
		return badRequest(textIdentifier)
	case strings.Contains(identifier, "@"):
		return badRequest("Identifier must be an invite code or link")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	g, _ := c.s.world.group(identifier)
	if g == nil {
		return badRequest("Invite link has been revoked or expired")
	}
	jid := c.inst.jid()
	waits := g.settings.RequireAdminApproval && g.member(jid) == nil
	message := "Successfully joined the group"
	if waits {
		g.queue(jid)
		message = "Join request sent, waiting for approval"
	} else if g.member(jid) == nil {
		g.admit(jid)
	}
	return ok(obj{"message": message, "groupJid": g.jid, "requiresApproval": waits})
}

func resetGroupLink(_ *call, g *Group, me *Member) reply {
	if !me.Admin {
		return fail(http.StatusForbidden, "Not authorized to reset group invite link (must be admin)")
	}
	g.newCode()
	g.tell("link")
	return ok(obj{
		"message": "Group invite link reset successfully", "groupJid": g.jid,
		"inviteCode": g.code, "inviteLink": groupLink + g.code,
	})
}

func groupRequests(c *call, g *Group, me *Member) reply {
	if !me.Admin {
		return fail(http.StatusForbidden, "Not authorized to view group requests (must be admin)")
	}
	items := make([]obj, len(g.requests))
	for k, r := range g.requests {
		var phone any
		if _, server := splitJID(r.jid); server == serverUser {
			phone = r.jid
		}
		items[k] = obj{"jid": c.s.world.lid(r.jid), "phoneNumber": phone, "requestedAt": utc(r.at)}
	}
	return ok(obj{
		"message": fmt.Sprintf("%d pending requests found", len(items)), "groupJid": g.jid,
		"requests": items, "meta": obj{"total": len(items)},
	})
}

// leaveGroup also leaves the groups linked to a community that is left.
func leaveGroup(c *call, g *Group, _ *Member) reply {
	jid := c.inst.jid()
	g.dismiss(jid)
	for _, other := range c.s.world.groupsOf(jid) {
		if g.isCommunity && other.parent == g {
			other.dismiss(jid)
		}
	}
	return ok(obj{"message": "Successfully left the group", "groupJid": g.jid})
}
