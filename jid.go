package ryze

import (
	"fmt"
	"strings"
	"unicode"
)

// JID is a WhatsApp address. A string constant can be passed as one. Each
// method checks it before any request.
//
//	5511987654321                      a person, by phone: 7 to 15 digits with country code
//	5511987654321@s.whatsapp.net       the same person
//	123456789012345@lid                a person whose phone is hidden
//	120363000000000001@g.us            a group (also the older 5511987654321-1600000000@g.us)
//	120363000000000009@newsletter      a channel
//	status@broadcast                   the status (story) feed
//
// A device suffix, an upper-case server and c.us (for s.whatsapp.net) are
// accepted; [JID.Bare] removes them. A LID is never turned into a phone number,
// or the reverse.
type JID string

// StatusBroadcast is the address of the status (story) feed.
const StatusBroadcast JID = "status@broadcast"

// The servers (the part after the @) of the addresses that the service documents.
const (
	serverUser       = "s.whatsapp.net"
	serverLID        = "lid"
	serverGroup      = "g.us"
	serverNewsletter = "newsletter"
	serverBroadcast  = "broadcast"
)

// serverLegacy is the former name of serverUser, which other libraries and
// what they have stored still use. It never travels.
const serverLegacy = "c.us"

// JIDKind is the kind of an address.
type JIDKind string

// Kinds of addresses. An address with an unknown server is JIDUnknown: it can
// be read, but not sent to.
const (
	JIDUser       JIDKind = "user"
	JIDLID        JIDKind = "lid"
	JIDGroup      JIDKind = "group"
	JIDNewsletter JIDKind = "newsletter"
	JIDBroadcast  JIDKind = "broadcast"
	JIDUnknown    JIDKind = "unknown"
)

// E.164 allows 15 digits. The least is not documented; the shortest whole
// numbers in use have seven, such as those of Niue, +683 and four digits.
const (
	minPhoneDigits = 7
	maxPhoneDigits = 15
)

// maxBarePhoneDigits is for events: a longer number that came without its
// server is left as it came, because LIDs have 14 or 15 digits.
const maxBarePhoneDigits = 13

// phoneFault says why digits are no phone number with its country code, and
// what to do; "" when they can be one.
func phoneFault(digits string) string {
	n := len(digits)
	switch {
	case strings.HasPrefix(digits, "0"):
		return "begins with 0; write the number as it is dialled from abroad: country code first, without the 0 of national calls; for numbers of Brazil see BrazilPhone"
	case n < minPhoneDigits || n > maxPhoneDigits:
		return fmt.Sprintf("has %d digits; a phone number with country code has %d to %d", n, minPhoneDigits, maxPhoneDigits)
	case lacksBrazilCode(digits):
		return "is no number with a country code; it looks like one of Brazil: write 55 in front, or use BrazilPhone"
	case strings.HasPrefix(digits, brazilCode+"0"):
		return "has a 0 after the country code 55; leave it out, or use BrazilPhone"
	case hasTrunkZero(digits):
		return "has a 0 after its country code, which is dialled for national calls only; leave it out"
	case tooLongForCountry(digits):
		return fmt.Sprintf("has %d digits, more than numbers of its country code have, so that it looks like a LID: add @%s if it is one", n, serverLID)
	}
	return ""
}

// lacksBrazilCode reports whether digits are an area code and a number of Brazil,
// and no number of another country. The areas that it does not know begin like
// numbers of another country, also with a 9 behind them: 51 9 like those of Peru.
func lacksBrazilCode(digits string) bool {
	switch len(digits) {
	case 10: // numbers of country 1 have eleven digits
		return digits[0] == '1' && digits[1] != '0' && digits[2] >= '2'
	case 11:
		return digits[2] == '9' && strings.Contains(areasNowhereElse, " "+digits[:2]+" ")
	}
	return false
}

// areasNowhereElse are the area codes of Brazil that begin no number of another
// country when a 9 follows: 219 and its like are no country codes, and country 1
// has no area codes with a 9 in the middle.
const areasNowhereElse = " 11 12 13 14 15 16 17 18 19 21 28 42 69 85 87 88 89 96 99 "

// hasTrunkZero reports whether a 0 follows the code of a country where it is
// dialled for national calls only. In others, such as Italy, it is part of a number.
func hasTrunkZero(digits string) bool {
	for n := 2; n <= 3; n++ {
		if digits[n] == '0' && strings.Contains(trunkZeroCountries, " "+digits[:n]+" ") {
			return true
		}
	}
	return false
}

// trunkZeroCountries dial a 0 before national numbers, and have none that begins
// with one. Greece, Singapore and others dial no 0 at all.
const trunkZeroCountries = " 20 27 31 32 33 40 41 43 44 46 49 51 53 54 57 58 60 61 62 63 64 66 81 82 84 86 90 91 92 93 94 95 98" +
	" 211 212 213 218 231 232 233 234 243 249 251 252 254 255 256 260 261 262 263 264 265 291" +
	" 353 355 358 359 370 373 374 380 381 382 383 385 386 387 389 421 590 591 593 594 595 596 598" +
	" 855 856 880 886 961 962 963 964 966 967 970 971 972 976 977 994 995 996 "

// tooLongForCountry knows the countries whose numbers have a fixed length and
// that many numbers belong to. It tells most LIDs that lost their server.
func tooLongForCountry(digits string) bool {
	switch {
	case strings.HasPrefix(digits, "1"), strings.HasPrefix(digits, "7"):
		return len(digits) > 11
	case strings.HasPrefix(digits, "55"):
		return len(digits) > 13
	}
	return false
}

// PhoneJID returns the address of a phone number with country code, such as
// "+55 (11) 98765-4321" or "0055 11 98765-4321". It needs 7 to 15 digits. It
// drops blanks, hyphens, dots, brackets, slashes and 00 in front. It never
// changes a Brazilian ninth digit.
//
// Anything else is a [*ValidationError], such as letters or the 0 in "+44
// (0)7700 900123". Without a country code use [BrazilPhone].
func PhoneJID(phone string) (JID, error) {
	w, err := readPhone(phone)
	if err != nil {
		return "", err
	}
	if w.trunk {
		return "", invalid(phoneField, quoted(phone)+" has a 0 in brackets, which most countries dial for national calls only; write the number as it is dialled from abroad, without brackets")
	}
	if fault := phoneFault(w.digits); fault != "" {
		return "", invalid(phoneField, quoted(phone)+" "+fault)
	}
	return JID(w.digits + "@" + serverUser), nil
}

const phoneField = "phone"

// writtenPhone is a phone number as people write it.
type writtenPhone struct {
	digits string // without the international prefix
	abroad bool   // began with + or 00: the country code comes first
	trunk  bool   // brackets that begin with 0 follow other digits
	marks  uint64 // bit i: something stands before digit i
}

// isAlone reports whether digit i stands by itself before a longer group.
func (w writtenPhone) isAlone(i int) bool { return w.marks>>(i+1)&0b11 == 0b01 }

// readPhone takes a phone number apart.
func readPhone(phone string) (w writtenPhone, err error) {
	fault := func(reason string) (writtenPhone, error) {
		return writtenPhone{}, invalid(phoneField, quoted(phone)+" "+reason)
	}
	var digits []byte
	plus, slash := false, false
	opened := -1 // where the digits in brackets begin
	for _, r := range strings.TrimSpace(phone) {
		if (r < '0' || r > '9') && len(digits) > 0 {
			w.marks |= 1 << len(digits)
		}
		switch {
		case r >= '0' && r <= '9':
			if opened == len(digits) && r == '0' && len(digits) > 0 {
				w.trunk = true
			}
			opened = -1
			digits = append(digits, byte(r))
		case r == '+':
			if plus || len(digits) > 0 {
				return fault("has a plus sign in its middle: give one number at a time")
			}
			plus = true
		case r == '/':
			if slash || len(digits) >= minPhoneDigits {
				return fault("has a slash: give one number at a time")
			}
			slash = true
		case r == '(', r == '[':
			opened = len(digits)
		case strings.ContainsRune(phoneMarks, r):
		default:
			return fault(fmt.Sprintf("has the character %q, which is not part of a phone number", r))
		}
	}
	if strings.HasSuffix(phone, ".0") {
		return fault("ends like a number of a spreadsheet; write it as a text")
	}
	w.digits, w.abroad = string(digits), plus
	if prefix := strings.HasPrefix(w.digits, "00"); prefix && plus {
		return fault("has both a plus sign and 00; write one of them")
	} else if prefix {
		w.digits, w.abroad, w.marks = w.digits[2:], true, w.marks>>2
	}
	return w, nil
}

// phoneMarks may stand between the digits of a phone number: ASCII, and what
// word processors, address books and web pages make of it. That is blanks of any
// width, dashes, and invisible marks, such as those of writing direction.
const phoneMarks = "-)]. " +
	"\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000" +
	"\u2010\u2011\u2012\u2013\u2014\u2015\u2212" +
	"\u00ad\u200b\u200c\u200d\u2060\ufeff" +
	"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

// ParseJID checks that s is an address in a form of [JID] and returns it
// unchanged. Otherwise it returns a [*ValidationError].
func ParseJID(s string) (JID, error) {
	j := JID(s)
	if err := j.validate("jid"); err != nil {
		return "", err
	}
	return j, nil
}

// split returns the user, device and server parts: "1:2@s" gives "1", "2", "s".
// The server is in lower case, and c.us in today's spelling.
func (j JID) split() (user, device, server string) {
	user = string(j)
	if at := strings.IndexByte(user, '@'); at >= 0 {
		user, server = user[:at], user[at+1:]
	}
	if colon := strings.IndexByte(user, ':'); colon >= 0 {
		user, device = user[:colon], user[colon+1:]
	}
	if server == serverUser || server == serverLID { // nearly all of an event's addresses
		return user, device, server
	}
	if server = strings.ToLower(server); server == serverLegacy {
		server = serverUser
	}
	return user, device, server
}

// User returns the part before the @, without a device suffix.
func (j JID) User() string {
	user, _, _ := j.split()
	return user
}

// Server returns the part after the @, in lower case, and s.whatsapp.net for
// c.us. A bare number has s.whatsapp.net too, unless it is too long for its
// country: it may then be a LID.
func (j JID) Server() string {
	user, _, server := j.split()
	if server != "" || strings.Contains(string(j), "@") {
		return server
	}
	if isDigits(user) && len(user) <= maxPhoneDigits && !tooLongForCountry(user) {
		return serverUser
	}
	return ""
}

// Device returns the device suffix without its colon, or "".
func (j JID) Device() string {
	_, device, _ := j.split()
	return device
}

// Bare returns the address with its server and without a device:
// "5511987654321" becomes "5511987654321@s.whatsapp.net". Compare addresses in
// this form. An unknown form is returned unchanged.
func (j JID) Bare() JID {
	user, _, server := j.split()
	if server == "" {
		server = j.Server()
	}
	if user == "" || server == "" {
		return j
	}
	if len(j) == len(user)+len("@")+len(server) && strings.HasSuffix(string(j), server) {
		return j // as it is, without a copy
	}
	return JID(user + "@" + server)
}

// Kind returns the kind of the address, by its server.
func (j JID) Kind() JIDKind {
	switch j.Server() {
	case serverUser:
		return JIDUser
	case serverLID:
		return JIDLID
	case serverGroup:
		return JIDGroup
	case serverNewsletter:
		return JIDNewsletter
	case serverBroadcast:
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

// Phone returns the digits of the phone number, or "". It is always "" for a
// LID.
func (j JID) Phone() string {
	if user := j.User(); j.Kind() == JIDUser && isDigits(user) {
		return user
	}
	return ""
}

// Same reports whether both name the same chat, without devices. A phone and a
// LID never do, nor two forms of a Brazilian number; see [BrazilAliases].
func (j JID) Same(other JID) bool {
	return j != "" && other != "" && (j == other || j.Bare() == other.Bare())
}

// String returns the address as written.
func (j JID) String() string { return string(j) }

// validate checks the address as something to send to; field names it in the error.
func (j JID) validate(field string) error {
	if j == "" {
		return invalid(field, "is empty")
	}
	bad := func(reason string) error { return invalid(field, quoted(string(j))+" "+reason) }
	user, device, server := j.split()
	_, written, hasServer := strings.Cut(string(j), "@")
	for _, r := range written {
		if r > unicode.MaxASCII { // İ in lower case is an i
			return bad("has a server that is not written in ASCII")
		}
	}
	hasDevice := strings.Contains(string(j), ":")
	switch {
	case !hasServer && strings.HasPrefix(user, "+"):
		return bad("has a plus sign; write the digits only, or use PhoneJID")
	case !hasServer && hasDevice:
		return bad("has a device suffix but no server")
	case !hasServer && !isDigits(user):
		return bad("is neither digits nor an address with a server such as @" + serverUser + " or @" + serverGroup)
	case hasServer && hasDevice && !isDigits(device):
		return bad("has a device suffix that is not a number")
	case hasServer && strings.Count(string(j), "@") > 1:
		return bad("has more than one @")
	}
	switch {
	case !hasServer || server == serverUser:
		if !isDigits(user) {
			return bad("is not a phone number: digits, country code first")
		}
		if fault := phoneFault(user); fault != "" {
			return bad(fault)
		}
	case server == serverLID, server == serverNewsletter:
		if !isDigits(user) {
			return bad("has other characters than digits before @" + server)
		}
	case server == serverGroup:
		creator, created, old := strings.Cut(user, "-")
		if !isDigits(creator) || (old && !isDigits(created)) {
			return bad("is no group: digits@g.us, or digits-digits@g.us in the older form")
		}
	case j.Bare() == StatusBroadcast:
	default:
		return bad(fmt.Sprintf("has a server that is not one of %s, %s, %s, %s", serverUser, serverLID, serverGroup, serverNewsletter))
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
	reason := fmt.Sprintf("%q is a %s, but this call takes: %s", string(j), kind, strings.Join(names, ", "))
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
