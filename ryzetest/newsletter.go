package ryzetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// States of a newsletter, for Newsletter.SetState.
const (
	NewsletterActive       = "active"
	NewsletterSuspended    = "suspended"    // by WhatsApp
	NewsletterGeosuspended = "geosuspended" // by WhatsApp, in some countries
)

const newsletterLink = "https://whatsapp.com/channel/"

// Newsletter is a WhatsApp channel. Its methods play its owner and WhatsApp.
// They are safe for concurrent use.
type Newsletter struct {
	s   *Server
	jid string

	// What follows is guarded by the server's lock.
	name, description string
	picture           string
	state             string
	code              string
	owner             string          // JID; "" for somebody who is no instance
	followers         map[string]bool // by JID of the account
	strangers         int             // followers who are no instances
}

// newsletterPlay is what the server knows about newsletters.
type newsletterPlay struct {
	byJID      map[string]*Newsletter
	byCode     map[string]*Newsletter
	lastSerial int
}

// AddNewsletter makes a channel exist that somebody else owns, with that many
// subscribers.
func (s *Server) AddNewsletter(name, description string, subscribers int) *Newsletter {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.addNewsletter(name, description)
	n.strangers = subscribers
	return n
}

// Newsletter returns the channel with that JID, or nil.
func (s *Server) Newsletter(jid string) *Newsletter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.newsletters.byJID[jid]
}

// addNewsletter makes a channel. The caller holds the lock.
func (s *Server) addNewsletter(name, description string) *Newsletter {
	w := &s.world.newsletters
	if w.byJID == nil {
		w.byJID, w.byCode = map[string]*Newsletter{}, map[string]*Newsletter{}
	}
	w.lastSerial++
	n := &Newsletter{
		s: s, jid: fmt.Sprintf("120363%012d@%s", 300000000000+int64(w.lastSerial), serverNewsletter),
		name: name, description: description, state: NewsletterActive, followers: map[string]bool{},
	}
	w.byJID[n.jid] = n
	n.newCode()
	s.changed(ChangeServer)
	return n
}

func (n *Newsletter) newCode() {
	delete(n.s.world.newsletters.byCode, n.code)
	n.code = "0029V" + newCode(17)
	n.s.world.newsletters.byCode[n.code] = n
}

// JID returns the channel's JID.
func (n *Newsletter) JID() string { return n.jid }

// Link returns the address of the channel.
func (n *Newsletter) Link() string {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	return newsletterLink + n.code
}

// ResetLink plays the owner who revokes the link. It returns the new one.
func (n *Newsletter) ResetLink() string {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.newCode()
	return newsletterLink + n.code
}

// SetState plays WhatsApp suspending the channel, or ending that. A channel
// that is not active cannot be followed (invented).
func (n *Newsletter) SetState(state string) {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.state = state
	n.s.changed(ChangeServer)
}

// Post plays a post of the owner: every connected instance that follows the
// channel receives it.
func (n *Newsletter) Post(text string) {
	n.s.mu.Lock()
	var readers []*Instance
	for i := range n.s.instances() {
		if n.followers[i.jid()] {
			readers = append(readers, i)
		}
	}
	n.s.mu.Unlock()
	id := newMessageID()
	for _, i := range readers {
		i.Receive(Incoming{From: n.jid, ID: id, Text: text})
	}
}

// newsletter finds the channel behind a JID, a link or a code. valid is false
// for what is none of these.
func (w *world) newsletter(identifier string) (n *Newsletter, valid bool) {
	if user, server, isJID := strings.Cut(identifier, "@"); isJID {
		return w.newsletters.byJID[identifier], server == serverNewsletter && isDigits(user)
	}
	code := inviteCode(identifier, "whatsapp.com", "channel/")
	if code == "" || strings.ContainsAny(code, "/ .:") {
		return nil, false
	}
	return w.newsletters.byCode[code], true
}

// newslettersOf lists the channels that an account follows or owns, by JID.
func (w *world) newslettersOf(jid string) []*Newsletter {
	var list []*Newsletter
	for _, n := range w.newsletters.byJID {
		if n.followers[jid] || n.owner == jid {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b *Newsletter) int { return cmp.Compare(a.jid, b.jid) })
	return list
}

// view shows the link to the owner only.
func (n *Newsletter) view(reader string) obj {
	var picture any
	if n.picture != "" {
		picture = n.picture
	}
	view := obj{
		"jid": n.jid, "state": n.state, "name": n.name, "description": n.description,
		"subscriberCount": n.strangers + len(n.followers), "pictureUrl": picture,
	}
	if n.owner == reader {
		view["inviteLink"] = newsletterLink + n.code
	}
	return view
}
