package ryzetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// savedWorld is what WhatsApp knows beyond the instances.
type savedWorld struct {
	Contacts       []Contact         `json:",omitempty"`
	Unreachable    []string          `json:",omitempty"`
	Unaddable      []string          `json:",omitempty"`
	Groups         []savedGroup      `json:",omitempty"`
	LastGroup      int               `json:",omitempty"`
	Newsletters    []savedNewsletter `json:",omitempty"`
	LastNewsletter int               `json:",omitempty"`
	Chatwoot       savedChatwoot     `json:",omitzero"`
}

type savedGroup struct {
	JID, Name   string
	Description string `json:",omitempty"`
	Picture     string `json:",omitempty"`
	Code, Owner string
	Created     time.Time
	Members     []Member
	Settings    GroupSettings
	Requests    []savedJoin `json:",omitempty"`
	Parent      string      `json:",omitempty"` // JID of the community
	IsCommunity bool        `json:",omitempty"`
	IsDefault   bool        `json:",omitempty"`
}

type savedJoin struct {
	JID string
	At  time.Time
}

type savedNewsletter struct {
	JID, Name   string
	Description string `json:",omitempty"`
	Picture     string `json:",omitempty"`
	State, Code string
	Owner       string   `json:",omitempty"`
	Followers   []string `json:",omitempty"`
	Strangers   int      `json:",omitempty"`
}

// savedChatwoot is how the Chatwoot installation behaves.
type savedChatwoot struct {
	Refuse    int    `json:",omitempty"`
	Detail    string `json:",omitempty"`
	LastInbox int    `json:",omitempty"`
}

// save copies it. The caller holds the lock.
func (w *world) save() savedWorld {
	sw := savedWorld{
		Unreachable: keysOf(w.unreachable), Unaddable: keysOf(w.groups.unaddable),
		LastGroup: w.groups.lastSerial, LastNewsletter: w.newsletters.lastSerial,
		Chatwoot: savedChatwoot{w.chatwoot.refuse, w.chatwoot.detail, w.chatwoot.lastInbox},
	}
	for _, phone := range slices.Sorted(maps.Keys(w.contacts)) {
		sw.Contacts = append(sw.Contacts, w.contacts[phone])
	}
	for _, jid := range slices.Sorted(maps.Keys(w.groups.byJID)) {
		sw.Groups = append(sw.Groups, w.groups.byJID[jid].save())
	}
	for _, jid := range slices.Sorted(maps.Keys(w.newsletters.byJID)) {
		n := w.newsletters.byJID[jid]
		sw.Newsletters = append(sw.Newsletters, savedNewsletter{
			JID: n.jid, Name: n.name, Description: n.description, Picture: n.picture, State: n.state, Code: n.code,
			Owner: n.owner, Followers: keysOf(n.followers), Strangers: n.strangers,
		})
	}
	return sw
}

func (g *Group) save() savedGroup {
	sg := savedGroup{
		JID: g.jid, Name: g.name, Description: g.description, Picture: g.picture, Code: g.code, Owner: g.owner,
		Created: g.created, Settings: g.settings, IsCommunity: g.isCommunity, IsDefault: g.isDefault,
	}
	for _, m := range g.members {
		sg.Members = append(sg.Members, *m)
	}
	for _, r := range g.requests {
		sg.Requests = append(sg.Requests, savedJoin{r.jid, r.at})
	}
	if g.parent != nil {
		sg.Parent = g.parent.jid
	}
	return sg
}

func (sw *savedWorld) check() error {
	known := map[string]bool{}
	for _, g := range sw.Groups {
		if g.JID == "" || known[g.JID] {
			return fmt.Errorf("there are two groups %q", g.JID)
		}
		known[g.JID] = true
	}
	for _, g := range sw.Groups {
		if g.Parent != "" && !known[g.Parent] {
			return fmt.Errorf("group %q is of a community that is missing", g.JID)
		}
	}
	return nil
}

func (w *world) restore(s *Server, sw savedWorld) {
	for _, c := range sw.Contacts {
		w.know(c)
	}
	w.unreachable, w.groups.unaddable = setOf(sw.Unreachable), setOf(sw.Unaddable)
	w.groups.lastSerial, w.newsletters.lastSerial = sw.LastGroup, sw.LastNewsletter
	w.chatwoot = chatwootPlay{sw.Chatwoot.Refuse, sw.Chatwoot.Detail, sw.Chatwoot.LastInbox}
	if len(sw.Groups) > 0 {
		w.groups.byJID, w.groups.byCode = map[string]*Group{}, map[string]*Group{}
	}
	for _, sg := range sw.Groups {
		g := &Group{
			s: s, jid: sg.JID, name: sg.Name, description: sg.Description, picture: sg.Picture, code: sg.Code, owner: sg.Owner,
			created: sg.Created, settings: sg.Settings, isCommunity: sg.IsCommunity, isDefault: sg.IsDefault,
		}
		for _, m := range sg.Members {
			g.members = append(g.members, &m)
		}
		for _, r := range sg.Requests {
			g.requests = append(g.requests, joinRequest{r.JID, r.At})
		}
		w.groups.byJID[g.jid], w.groups.byCode[g.code] = g, g
	}
	for _, sg := range sw.Groups {
		if sg.Parent != "" {
			w.groups.byJID[sg.JID].parent = w.groups.byJID[sg.Parent]
		}
	}
	if len(sw.Newsletters) > 0 {
		w.newsletters.byJID, w.newsletters.byCode = map[string]*Newsletter{}, map[string]*Newsletter{}
	}
	for _, sn := range sw.Newsletters {
		n := &Newsletter{
			s: s, jid: sn.JID, name: sn.Name, description: sn.Description, picture: sn.Picture, state: sn.State, code: sn.Code,
			owner: sn.Owner, followers: map[string]bool{}, strangers: sn.Strangers,
		}
		maps.Copy(n.followers, setOf(sn.Followers))
		w.newsletters.byJID[n.jid], w.newsletters.byCode[n.code] = n, n
	}
}

// keysOf lists what a set holds, sorted.
func keysOf[K cmp.Ordered](set map[K]bool) []K {
	var list []K
	for k, in := range set {
		if in {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}

// setOf is the set of a list, nil when it is empty.
func setOf[K comparable](list []K) map[K]bool {
	if len(list) == 0 {
		return nil
	}
	set := map[K]bool{}
	for _, k := range list {
		set[k] = true
	}
	return set
}
