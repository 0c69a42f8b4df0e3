package ryze

import (
	"fmt"
	"strings"
)

// JID is a WhatsApp address. It is a string, so an untyped constant can be
// passed wherever a JID is wanted; every method of this package checks it
// before any request.
//
//	5511987654321                      a person, by phone: digits with country code
//	5511987654321@s.whatsapp.net       the same person
//	123456789012345@lid                a person whose phone is hidden
//	120363000000000001@g.us            a group (also the older 5511987654321-1600000000@g.us)
//	120363000000000009@newsletter      a channel
//	status@broadcast                   the status (story) feed
//
// A device suffix, as in 5511987654321:12@s.whatsapp.net, is accepted when
// reading and removed by [JID.Bare].
//
// A LID is not a phone number, however much its digits look like one: nothing
// in this package turns one into the other.
type JID string

// StatusBroadcast is the address of the status (story) feed.
const StatusBroadcast JID = "status@broadcast"

// The servers (the part after the @) of the addresses that the service documents.
const (
	ServerUser       = "s.whatsapp.net"
	ServerLID        = "lid"
	ServerGroup      = "g.us"
	ServerNewsletter = "newsletter"
	ServerBroadcast  = "broadcast"
)

// JIDKind says what an address stands for.
type JIDKind string

// Kinds of addresses. An address whose server is not known has JIDUnknown; it
// can be read from events and replies but not sent to.
const (
	JIDUser       JIDKind = "user"
	JIDLID        JIDKind = "lid"
	JIDGroup      JIDKind = "group"
	JIDNewsletter JIDKind = "newsletter"
	JIDBroadcast  JIDKind = "broadcast"
	JIDUnknown    JIDKind = "unknown"
)

// A bare number longer than this is taken for a LID that lost its server.
// E.164 allows 15 digits; no country in use on WhatsApp has more than 13, and
// LIDs have 14 or 15.
const maxBarePhoneDigits = 13

const (
	minPhoneDigits = 5
	maxPhoneDigits = 15
)

// PhoneJID returns the address of a phone number written in any usual way,
// such as "+55 (11) 98765-4321": everything but digits is dropped, then the
// number must have 5 to 15 digits, country code included. It never adds or
// removes a Brazilian ninth digit, because the service tries both forms itself.
//
// It returns a [*ValidationError] for anything else, letters included.
func PhoneJID(phone string) (JID, error) {
	var digits strings.Builder
	for _, r := range phone {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case strings.ContainsRune("+-(). \u00a0/", r):
		default:
			return "", invalid("phone", fmt.Sprintf("has the character %q, which is not part of a phone number", r))
		}
	}
	n := digits.Len()
	if n < minPhoneDigits || n > maxPhoneDigits {
		return "", invalid("phone", fmt.Sprintf("has %d digits; a phone number with country code has %d to %d", n, minPhoneDigits, maxPhoneDigits))
	}
	return JID(digits.String() + "@" + ServerUser), nil
}

// ParseJID checks that s is an address in one of the forms listed at [JID] and
// returns it unchanged. It returns a [*ValidationError] otherwise.
func ParseJID(s string) (JID, error) {
	j := JID(s)
	if err := j.validate("jid"); err != nil {
		return "", err
	}
	return j, nil
}

// split returns the user, device and server parts: "1:2@s" gives "1", "2", "s".
func (j JID) split() (user, device, server string) {
	user, server, _ = strings.Cut(string(j), "@")
	user, device, _ = strings.Cut(user, ":")
	return user, device, server
}

// User returns the part before the @, without a device suffix.
func (j JID) User() string {
	user, _, _ := j.split()
	return user
}

// Server returns the part after the @; a bare number has [ServerUser], unless
// it is so long that it looks like a LID without its server.
func (j JID) Server() string {
	if _, _, server := j.split(); server != "" || strings.Contains(string(j), "@") {
		return server
	}
	if user := j.User(); isDigits(user) && len(user) <= maxBarePhoneDigits {
		return ServerUser
	}
	return ""
}

// Device returns the device suffix without its colon, or "".
func (j JID) Device() string {
	_, device, _ := j.split()
	return device
}

// Bare returns the address without a device suffix and with its server written
// out: "5511987654321" and "5511987654321:12@s.whatsapp.net" both give
// "5511987654321@s.whatsapp.net". Compare addresses in this form. An address
// that is not understood is returned unchanged.
func (j JID) Bare() JID {
	user, _, _ := j.split()
	server := j.Server()
	if user == "" || server == "" {
		return j
	}
	return JID(user + "@" + server)
}

// Kind says what the address stands for, judged by its server.
func (j JID) Kind() JIDKind {
	switch j.Server() {
	case ServerUser:
		return JIDUser
	case ServerLID:
		return JIDLID
	case ServerGroup:
		return JIDGroup
	case ServerNewsletter:
		return JIDNewsletter
	case ServerBroadcast:
		return JIDBroadcast
	default:
		return JIDUnknown
	}
}

// IsGroup reports whether the address is a group.
func (j JID) IsGroup() bool { return j.Kind() == JIDGroup }

// IsLID reports whether the address is a LID, a person whose phone is hidden.
func (j JID) IsLID() bool { return j.Kind() == JIDLID }

// IsNewsletter reports whether the address is a channel.
func (j JID) IsNewsletter() bool { return j.Kind() == JIDNewsletter }

// Phone returns the digits of the phone number, or "" when the address is not
// a person known by phone. It is always "" for a LID.
func (j JID) Phone() string {
	if j.Kind() != JIDUser || !isDigits(j.User()) {
		return ""
	}
	return j.User()
}

// Same reports whether both name the same chat: bare numbers and full
// addresses compare equal, device suffixes do not count. It does not join a
// phone and a LID, nor the two forms of a Brazilian mobile number.
func (j JID) Same(other JID) bool { return j != "" && j.Bare() == other.Bare() }

// String returns the address as written.
func (j JID) String() string { return string(j) }

// validate checks the address as something to send to; field names it in the error.
func (j JID) validate(field string) error {
	if j == "" {
		return invalid(field, "is empty")
	}
	user, device, server := j.split()
	hasServer := strings.Contains(string(j), "@")
	switch {
	case !hasServer && strings.HasPrefix(user, "+"):
		return invalid(field, "has a plus sign; write the digits only, or use PhoneJID")
	case !hasServer && strings.Contains(string(j), ":"):
		return invalid(field, "has a device suffix but no server")
	case !hasServer && isDigits(user) && len(user) > maxBarePhoneDigits:
		return invalid(field, fmt.Sprintf("is a bare number of %d digits, which looks like a LID: add @lid, or @%s if it is a phone", len(user), ServerUser))
	case !hasServer && !isDigits(user):
		return invalid(field, fmt.Sprintf("%q is neither digits nor an address with a server such as @%s or @%s", string(j), ServerUser, ServerGroup))
	case hasServer && device != "" && !isDigits(device):
		return invalid(field, "has a device suffix that is not a number")
	case strings.Count(string(j), "@") > 1:
		return invalid(field, "has more than one @")
	}
	switch {
	case !hasServer || server == ServerUser:
		if !isDigits(user) || len(user) < minPhoneDigits || len(user) > maxPhoneDigits {
			return invalid(field, fmt.Sprintf("a phone number has %d to %d digits with its country code", minPhoneDigits, maxPhoneDigits))
		}
	case server == ServerLID, server == ServerNewsletter:
		if !isDigits(user) {
			return invalid(field, fmt.Sprintf("the part before @%s is made of digits", server))
		}
	case server == ServerGroup:
		creator, created, old := strings.Cut(user, "-")
		if !isDigits(creator) || (old && !isDigits(created)) {
			return invalid(field, "a group is digits@g.us, or digits-digits@g.us in the older form")
		}
	case j == StatusBroadcast:
	default:
		return invalid(field, fmt.Sprintf("the server %q is not one of %s, %s, %s, %s", server, ServerUser, ServerLID, ServerGroup, ServerNewsletter))
	}
	return nil
}

// wire returns the form that travels: people by bare digits, which the service
// prefers, everything else as written, without a device suffix.
func (j JID) wire() string {
	if phone := j.Phone(); phone != "" {
		return phone
	}
	return string(j.Bare())
}

// A recipient is what one operation accepts as its target.
type jidKinds []JIDKind

var (
	anyChat      = jidKinds{JIDUser, JIDLID, JIDGroup, JIDNewsletter}
	peopleGroups = jidKinds{JIDUser, JIDLID, JIDGroup}
	people       = jidKinds{JIDUser, JIDLID}
	phones       = jidKinds{JIDUser}
	groupsOnly   = jidKinds{JIDGroup}
)

// check validates the address and that its kind is one of those accepted.
func (j JID) check(field string, accepted jidKinds) error {
	if err := j.validate(field); err != nil {
		return err
	}
	kind := j.Kind()
	for _, k := range accepted {
		if k == kind {
			return nil
		}
	}
	names := make([]string, len(accepted))
	for i, k := range accepted {
		names[i] = string(k)
	}
	reason := fmt.Sprintf("is a %s, but this call takes: %s", kind, strings.Join(names, ", "))
	if kind == JIDLID {
		reason += "; a LID is not a phone number and cannot be turned into one"
	}
	return invalid(field, reason)
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
