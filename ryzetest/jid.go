package ryzetest

import "strings"

// Servers of JIDs.
const (
	serverUser       = "s.whatsapp.net"
	serverGroup      = "g.us"
	serverLID        = "lid"
	serverNewsletter = "newsletter"
	jidStatus        = "status@broadcast"
)

func splitJID(jid string) (user, server string) {
	user, server, _ = strings.Cut(jid, "@")
	return user, server
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// parseNumber reads what a client names a chat with: digits, or a JID of one
// of the known servers.
func parseNumber(number string) (jid string, ok bool) {
	user, server, isJID := strings.Cut(number, "@")
	if !isJID {
		if !isDigits(number) {
			return "", false
		}
		return number + "@" + serverUser, true
	}
	switch server {
	case serverUser, serverLID, serverNewsletter:
		return number, isDigits(user)
	case serverGroup:
		return number, isDigits(strings.ReplaceAll(user, "-", ""))
	}
	return number, number == jidStatus
}

func chatType(jid string) string {
	switch _, server := splitJID(jid); server {
	case serverGroup:
		return "group"
	case serverNewsletter:
		return "newsletter"
	}
	return "private"
}

// userJID completes digits to a JID.
func userJID(who string) string {
	if who == "" || strings.Contains(who, "@") {
		return who
	}
	return who + "@" + serverUser
}

// ninthDigit returns the other form of a Brazilian mobile number: without the
// ninth digit, or with it. Other numbers have no other form.
func ninthDigit(digits string) (string, bool) {
	if !strings.HasPrefix(digits, "55") {
		return "", false
	}
	area, local := "", ""
	if len(digits) >= 4 {
		area, local = digits[:4], digits[4:]
	}
	switch {
	case len(local) == 9 && local[0] == '9':
		return area + local[1:], true
	case len(local) == 8 && local[0] >= '6':
		return area + "9" + local, true
	}
	return "", false
}

// world is what WhatsApp knows beyond the instances.
type world struct {
	contacts    map[string]Contact // by digits
	byLID       map[string]string  // LID to digits
	unreachable map[string]bool    // digits without a WhatsApp account
	groups      groupPlay
	newsletters newsletterPlay
	chatwoot    chatwootPlay
}

// Contact is a WhatsApp user.
type Contact struct {
	Phone string // digits, in the form in which WhatsApp has the number
	LID   string // "digits@lid"; optional
	Name  string // push name; optional

	// About and Picture (an address) are what a look-up of the profile shows.
	About, Picture string
}

// AddContact makes a WhatsApp user known to all instances. Events have its name
// and LID. A send to the other Brazilian form of its number reaches it.
func (s *Server) AddContact(c Contact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.know(c)
	s.changed(ChangeServer)
}

// know notes a contact. The caller holds the lock.
func (w *world) know(c Contact) {
	if w.contacts == nil {
		w.contacts, w.byLID = map[string]Contact{}, map[string]string{}
	}
	w.contacts[c.Phone] = c
	if c.LID != "" {
		w.byLID[c.LID] = c.Phone
	}
}

// SetUnreachable marks numbers (digits) that have no WhatsApp account: a send
// to them is a 400. A mobile of Brazil is still found by its other form, with or
// without the ninth digit, unless that one is marked too.
func (s *Server) SetUnreachable(numbers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.unreachable == nil {
		s.world.unreachable = map[string]bool{}
	}
	for _, n := range numbers {
		s.world.unreachable[n] = true
	}
	s.changed(ChangeServer)
}

// resolve finds the canonical JID behind what a client wrote, or reports that
// there is no such account. The caller holds the lock.
func (w *world) resolve(jid string) (string, bool) {
	user, server := splitJID(jid)
	if server != serverUser {
		return jid, true
	}
	other, hasOther := ninthDigit(user)
	if _, known := w.contacts[user]; known {
		return jid, true
	}
	if _, known := w.contacts[other]; hasOther && known {
		return other + "@" + serverUser, true
	}
	if !w.unreachable[user] {
		return jid, true
	}
	if hasOther && !w.unreachable[other] {
		return other + "@" + serverUser, true
	}
	return "", false
}

// contact returns what is known about the user of a JID.
func (w *world) contact(jid string) Contact {
	user, server := splitJID(jid)
	if server == serverLID {
		user = w.byLID[jid]
	}
	return w.contacts[user]
}
