package ryzetest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxCommunityName = 25
	maxSubgroups     = 50
	linkPause        = time.Second // per group that is linked
)

func communityRoutes() []route {
	community := func(id, method, path string, handle func(*call) reply, fields ...field) route {
		return route{
			id: "communities." + id, method: method, path: "/api/community/" + path + "/:instance",
			body: fields, offline: http.StatusBadRequest, handle: handle,
		}
	}
	groups := list("groupJid", str(""))
	create := community("create", "POST", "create", createCommunity, str("name"), str("description"), str("image"), groups,
		str("membershipApprovalMode", "request_required"))
	create.stream = []string{"image"}
	subgroups := community("list_subgroups", "GET", "listSubGroups", listSubgroups)
	subgroups.query = []string{"communityJid"}
	return []route{
		create,
		community("link", "POST", "link", linkGroups, str("communityJid"), groups),
		community("unlink", "POST", "unlink", unlinkGroups, str("communityJid"), groups),
		subgroups,
	}
}

// RefuseCommunities sets whether WhatsApp refuses a community's parent group.
// The service then makes a plain group without an error. The reply's message is
// invented.
func (i *Instance) RefuseCommunities(refuse bool) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.refuseCommunities = refuse
}

// AddCommunity makes a community of the instance, with an announcements group
// named "Announcements". It returns the parent group, whose JID is the
// community's. The instance must have been paired.
func (i *Instance) AddCommunity(name string) *Group {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.addCommunity(NewGroup{Name: name, Owner: i.jid()})
}

func (i *Instance) addCommunity(n NewGroup) *Group {
	parent := i.s.addGroup(n)
	parent.isCommunity = true
	announcements := i.s.addGroup(NewGroup{
		Name: "Announcements", Owner: n.Owner, Settings: &GroupSettings{MembersCanEditInfo: false},
	})
	announcements.parent, announcements.isDefault = parent, true
	return parent
}

// checkGroupJID tells what is wrong with the JID of a group.
func checkGroupJID(jid string) error {
	user, server := splitJID(jid)
	switch {
	case server != serverGroup:
		return fmt.Errorf("%q is not the JID of a group", jid)
	case !isDigits(strings.ReplaceAll(user, "-", "")):
		return fmt.Errorf("%q has no valid id", jid)
	}
	return nil
}

// createCommunity makes the parent group, and links groups with a pause for
// each. Its texts for bad bodies are not documented.
func createCommunity(c *call) reply {
	b, s, i := c.body, c.s, c.inst
	name := b.str("name")
	switch {
	case name == "":
		return badRequest("name is required")
	case utf8.RuneCountInString(name) > maxCommunityName:
		return badRequest("name must have at most 25 characters")
	case b.str("membershipApprovalMode") != "" && b.str("membershipApprovalMode") != "request_required":
		return badRequest("membershipApprovalMode must be request_required or empty")
	}
	picture, _, pictureErr := c.picture("image")
	groups := b.strings("groupJid")

	s.mu.Lock()
	if res, stop := c.offline(); stop {
		s.mu.Unlock()
		return res
	}
	settings := defaultGroupSettings
	settings.RequireAdminApproval = b.str("membershipApprovalMode") != ""
	n := NewGroup{Name: name, Description: b.str("description"), Owner: i.jid(), Settings: &settings}
	plain := i.refuseCommunities
	var g *Group
	message := "Community created successfully"
	if plain {
		g = s.addGroup(n)
		message = "WhatsApp refused the community, a plain group was created instead"
	} else {
		g = i.addCommunity(n)
	}
	g.picture = picture
	body := obj{"isCommunity": !plain}
	if pictureErr != nil {
		body["imageError"] = pictureErr.Error()
	}
	s.mu.Unlock()

	linked, failed := []string{}, groups
	if !plain {
		linked, failed = c.link(g.jid, groups)
	}
	// Of the group only the JID is documented.
	body["message"], body["group"], body["linkedGroups"], body["failedGroups"] = message, obj{"jid": g.jid}, linked, failed
	return ok(body)
}

// link attaches groups to a community, one after the other.
func (c *call) link(community string, groups []string) (linked, failed []string) {
	linked, failed = []string{}, []string{}
	for _, jid := range groups {
		if c.sleep(linkPause) == nil && c.linkOne(community, jid) == nil {
			linked = append(linked, jid)
		} else {
			failed = append(failed, jid)
		}
	}
	return linked, failed
}

var (
	errNotLinkable = errors.New("the group cannot be linked")
	errNotAdmin    = errors.New("the account is not an admin of both groups")
)

func (c *call) linkOne(community, jid string) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	parent, g := c.s.world.groups.byJID[community], c.s.world.groups.byJID[jid]
	if parent == nil || g == nil {
		return errNotLinkable
	}
	if !parent.isAdmin(c.inst.jid()) || !g.isAdmin(c.inst.jid()) {
		return errNotAdmin
	}
	return g.linkTo(parent)
}

func (g *Group) linkTo(parent *Group) error {
	if !parent.isCommunity || g.isCommunity || g.parent != nil {
		return errNotLinkable
	}
	if len(parent.subgroups()) > maxSubgroups { // the announcements group is one more
		return errNotLinkable
	}
	g.parent = parent
	return nil
}

// subgroups are the groups of a community, its announcements group first.
func (g *Group) subgroups() []*Group {
	var list []*Group
	for _, other := range g.s.world.groups.byJID {
		if other.parent == g {
			list = append(list, other)
		}
	}
	slices.SortFunc(list, func(a, b *Group) int {
		switch {
		case a.isDefault:
			return -1
		case b.isDefault:
			return 1
		}
		return strings.Compare(a.jid, b.jid)
	})
	return list
}

// groupsBody checks what link and unlink have in common.
func (c *call) groupsBody() (community string, groups []string, res reply, stop bool) {
	community, groups = c.body.str("communityJid"), c.body.strings("groupJid")
	switch {
	case community == "":
		return "", nil, badRequest("community jid is required"), true
	case len(groups) == 0:
		return "", nil, badRequest("group jid is required"), true
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return "", nil, res, true
	}
	if err := checkGroupJID(community); err != nil {
		return "", nil, fail(http.StatusInternalServerError, "error parse community jid: "+err.Error()), true
	}
	return community, groups, reply{}, false
}

// linkReply reports success as soon as one group went well. What the service
// answers when none did is not documented; here success is false then.
func linkReply(pattern string, done, failed []string) reply {
	message := fmt.Sprintf(pattern, len(done), len(done)+len(failed))
	res := ok(obj{"message": message, "linked": done, "failed": failed})
	res.body.(obj)["success"] = len(done) > 0
	return res
}

func linkGroups(c *call) reply {
	community, groups, res, stop := c.groupsBody()
	if stop {
		return res
	}
	linked, failed := c.link(community, groups)
	return linkReply("Linked %d of %d groups to community", linked, failed)
}

func unlinkGroups(c *call) reply {
	community, groups, res, stop := c.groupsBody()
	if stop {
		return res
	}
	done, failed := []string{}, []string{}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, jid := range groups {
		g := c.s.world.groups.byJID[jid]
		if g == nil || g.parent == nil || g.parent.jid != community || g.isDefault ||
			!g.parent.isAdmin(c.inst.jid()) || !g.isAdmin(c.inst.jid()) {
			failed = append(failed, jid)
			continue
		}
		g.parent = nil
		done = append(done, jid)
	}
	return linkReply("Unlinked %d of %d groups from community", done, failed)
}

func listSubgroups(c *call) reply {
	jid, _ := c.param("communityJid")
	if jid == "" {
		return badRequest("communityJid query parameter is required")
	}
	if !strings.Contains(jid, "@") {
		jid += "@" + serverGroup
	}
	if err := checkGroupJID(jid); err != nil {
		return badRequest("invalid community JID: " + err.Error())
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	if res, stop := c.refused("failed to get groups: "); stop {
		return res
	}
	items := []obj{}
	if parent := c.s.world.groups.byJID[jid]; parent != nil {
		for _, g := range parent.subgroups() {
			if g.member(c.inst.jid()) != nil {
				items = append(items, obj{"jid": g.jid, "name": g.name, "isDefaultSubGroup": g.isDefault})
			}
		}
	}
	return ok(obj{"message": fmt.Sprintf("%d subgroup(s) found", len(items)), "communityJid": jid, "subgroups": items})
}
