package ryze

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// filled is a text that must be given, with its name for the error.
type filled struct{ field, text string }

// checkFilled refuses the first text that is blank or not UTF-8.
func checkFilled(texts ...filled) error {
	for _, t := range texts {
		if isBlank(t.text) {
			return invalid(t.field, "is empty")
		}
		if err := checkUTF8(t.field, t.text); err != nil {
			return err
		}
	}
	return nil
}

// checkPhoneDigits checks a phone number that travels as digits only.
func checkPhoneDigits(field, phone string) error {
	switch {
	case phone == "":
		return invalid(field, "is empty")
	case strings.HasPrefix(phone, "+"):
		return invalid(field, "has a plus sign; write the digits only, country code first")
	case !isDigits(phone):
		return invalid(field, "is not made of digits only")
	}
	if fault := phoneFault(phone); fault != "" {
		return invalid(field, fault)
	}
	return nil
}

// wholeSeconds counts seconds; a part of one counts as one.
func wholeSeconds(d time.Duration) int64 {
	n := int64(d / time.Second)
	if d%time.Second > 0 {
		n++
	}
	return n
}

// roundedUp is d in whole seconds, or the longest that there is.
func roundedUp(d time.Duration) time.Duration {
	if n := wholeSeconds(d); n <= int64(math.MaxInt64/time.Second) {
		return time.Duration(n) * time.Second
	}
	return math.MaxInt64
}

// rfc3339 writes a moment with its own time zone; field names it. RFC 3339 has
// years of four digits, and zones of less than a day.
func rfc3339(field, layout string, t time.Time) (string, error) {
	if _, err := t.MarshalText(); err != nil {
		return "", &ValidationError{Field: field, Reason: "cannot be written in RFC 3339: " + err.Error(), err: err}
	}
	return t.Format(layout), nil
}

func checkDigitCount(field, s string, n int, name string) error {
	if !isDigits(s) || len(s) != n {
		return invalid(field, fmt.Sprintf("is not %s: %d digits without punctuation", name, n))
	}
	return nil
}

func isUUID(s string) bool {
	groups := strings.Split(s, "-")
	if len(groups) != 5 {
		return false
	}
	for i, n := range [5]int{8, 4, 4, 4, 12} {
		if len(groups[i]) != n || strings.Trim(groups[i], "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}

func checkImageURL(field, u string) error {
	if u == "" {
		return nil
	}
	_, err := checkMediaURL(field, u)
	return err
}

// addresses checks a list of addresses, which must not be empty, and returns
// the form that travels.
func addresses(field string, list []JID, accepted jidKinds) ([]string, error) {
	if len(list) == 0 {
		return nil, invalid(field, "is empty")
	}
	out := make([]string, len(list))
	for i, j := range list {
		if err := j.check(field, accepted); err != nil {
			return nil, err
		}
		out[i] = j.wire()
	}
	return out, nil
}

// parseInvite checks an invite code, or a link to that host with the code
// below that path, and returns it in the documented form: the code as it is,
// the link without what apps append to it. The alphabet of codes is not
// documented; upper and lower case differ.
func parseInvite(field, s, host, below string) (string, error) {
	if err := checkText(field, s); err != nil {
		return "", err
	}
	code, isLink := s, strings.Contains(s, "/")
	if isLink {
		if !strings.Contains(s, "://") {
			s = "https://" + s
		}
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil ||
			strings.TrimPrefix(strings.ToLower(u.Host), "www.") != host || !strings.HasPrefix(u.Path, below) {
			return "", invalid(field, "is not a link that begins with https://"+host+below)
		}
		code = strings.TrimSuffix(strings.TrimPrefix(u.Path, below), "/")
	}
	if code == "" || strings.ContainsAny(code, " /?#&%:@") {
		return "", invalid(field, "has no invite code, or one with characters that have no place in it")
	}
	if isLink {
		return "https://" + host + below + code, nil
	}
	return code, nil
}

// turningMarks break a line or turn the direction of writing: with one of them
// report-fdp.exe is shown as report-exe.pdf.
const turningMarks = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

// checkFileName checks the name that is shown on a document.
func checkFileName(field, name string) error {
	if strings.ContainsAny(name, `/\`+turningMarks) || strings.ContainsFunc(name, unicode.IsControl) || name == "." || name == ".." {
		return invalid(field, "is not a plain file name")
	}
	return checkUTF8(field, name)
}

func checkMediaURL(field, raw string) (name string, err error) {
	u, parseErr := url.Parse(raw)
	switch {
	case parseErr != nil || !hasHost(u) || (u.Scheme != "http" && u.Scheme != "https"):
		return "", invalid(field, "is not a full http or https URL")
	case u.User != nil:
		return "", invalid(field, "has credentials in it; the service fetches public URLs")
	case raw != strings.TrimSpace(raw):
		return "", invalid(field, "has blanks around it")
	}
	return path.Base(u.Path), checkUTF8(field, raw)
}

// hasHost reports whether a URL says where to: the host of https://:80 is empty,
// which means this machine.
func hasHost(u *url.URL) bool {
	port, err := strconv.Atoi(u.Port())
	return u.Hostname() != "" && (u.Port() == "" || err == nil && port > 0 && port <= math.MaxUint16)
}

// checkFullURL checks an address that the service is to call. It is not quoted:
// its path or its query may be a secret.
func checkFullURL(field, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return invalid(field, "is empty")
	case err != nil:
		return invalid(field, "is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return invalid(field, "is not a full http or https URL: its scheme is "+quoted(u.Scheme))
	case !hasHost(u):
		return invalid(field, "is not a full http or https URL: it has no host, or no port that exists")
	case raw != strings.TrimSpace(raw):
		return invalid(field, "has blanks around it")
	}
	return nil
}

// checkText checks a short text that travels in a header or a label: not
// empty, no blanks around it, no control characters.
func checkText(field, s string) error {
	switch {
	case s == "":
		return invalid(field, "is empty")
	case s != strings.TrimSpace(s):
		return invalid(field, "has blanks around it")
	case !utf8.ValidString(s):
		return invalid(field, "is not valid UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return invalid(field, "has a control character")
	default:
		return nil
	}
}

// checkName is checkText for what is no secret: the error quotes it.
func checkName(field, s string) error {
	err := checkText(field, s)
	var bad *ValidationError
	if s != "" && errors.As(err, &bad) {
		return invalid(field, quoted(s)+" "+bad.Reason)
	}
	return err
}

// checkInstanceName checks a name that becomes a path segment. The service
// documents no rule for names; anything but what would break a path is passed.
func checkInstanceName(name string) error {
	const field = "instance name"
	if err := checkName(field, name); err != nil {
		return err
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(name, `\`, "/"), "/") {
		if part == "." || part == ".." {
			return invalid(field, quoted(name)+" is a relative path; proxies would rewrite it to another route")
		}
	}
	return nil
}

func checkToken(token string) error {
	const field = "token"
	if err := checkText(field, token); err != nil {
		return err
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r > unicode.MaxASCII || r == ' ' }) {
		return invalid(field, "has a blank or a character outside ASCII")
	}
	return nil
}

// isNil reports whether an argument is nil, also when that is a nil pointer or
// function in an interface.
func isNil(argument any) bool {
	v := reflect.ValueOf(argument)
	return !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil()
}
