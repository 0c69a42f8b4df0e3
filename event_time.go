package ryze

import (
	"bytes"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// readTime reads a time of an event; see momentOf.
func readTime(v jsonscan.Value) time.Time { return timeOf(v.TextBytes()) }

// timeOf is readTime for the text itself. It serves events and replies alike.
func timeOf(s []byte) time.Time {
	t, _ := momentOf(s)
	return t
}

// momentOf reads a time in any of the forms that occur or may occur, and
// reports whether it says of which zone it is. It is the only function that
// reads times of events and bodies. The forms:
//   - a date and a time of day as in RFC 3339 and ISO 8601, also with a blank
//     instead of the T, without punctuation, with a fraction, without seconds,
//     with an offset as in +03:00, +0300 or +03, or with UTC for it;
//   - the dates of HTTP, of mail, and of JavaScript;
//   - a Unix time in seconds, milliseconds, microseconds or nanoseconds, told by
//     its size, as a number or as a text, with a fraction or without.
//
// A time without a zone is taken as UTC. Anything else gives the zero time; so
// does a day without a time, which is no moment, and a zone that has only a name.
func momentOf(s []byte) (t time.Time, zoned bool) {
	if s = bytes.TrimSpace(s); len(s) == 0 || len(s) > 100 {
		return time.Time{}, false
	}
	text := string(s)
	switch {
	case len(text) > 8 && (text[4] == '-' || text[4] == '/' || isDigits(text[:8]) && isBetween(text[8])):
		t, zoned = readISO(text)
	case isDigits(text) && len(text) == len("20060102150405"): // as milliseconds beyond the year 2286
		if t, zoned = readISO(text[:8] + "T" + text[8:]); t.IsZero() {
			t, zoned = readUnix(text), true
		}
	case text[0] >= '0' && text[0] <= '9' || text[0] == '+' || text[0] == '.':
		t, zoned = readUnix(text), true
	default:
		t, zoned = readNamed(text), true
	}
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, zoned && !t.IsZero()
}

// isBetween reports whether a character may stand between date and time.
func isBetween(c byte) bool { return c == 'T' || c == 't' || c == ' ' || c == '_' }

// readISO reads a date that begins with its year.
func readISO(s string) (t time.Time, zoned bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	date, rest := s[:8], s[8:]
	if s[4] == '-' || s[4] == '/' {
		if len(s) < len("2006-01-02T1504") {
			return time.Time{}, false
		}
		date, rest = s[:4]+s[5:7]+s[8:10], s[10:]
		if s[7] != s[4] || !isDigits(date) {
			return time.Time{}, false
		}
	}
	if !isBetween(rest[0]) {
		return time.Time{}, false
	}
	rest = strings.TrimLeft(rest[1:], " ")
	end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != ':' && r != '.' && r != ',' })
	if end < 0 {
		end = len(rest)
	}
	offset, zoned, ok := readZone(strings.TrimLeft(rest[end:], " "))
	if !ok {
		return time.Time{}, false
	}
	for _, clock := range []string{"15:04:05", "15:04", "150405", "1504"} {
		if t, err := time.Parse("20060102"+clock+"Z07:00", date+rest[:end]+offset); err == nil {
			return t, zoned
		}
	}
	return time.Time{}, false
}

// readZone brings the zone of a time into the form of RFC 3339. What follows the
// offset is only another name for it.
func readZone(s string) (offset string, zoned, ok bool) {
	upper := strings.ToUpper(s)
	for _, name := range []string{"UTC", "GMT", "Z"} {
		if rest, found := strings.CutPrefix(upper, name); found {
			if upper = strings.TrimLeft(rest, " "); upper == "" || upper[0] == '[' {
				return "Z", true, true
			}
			break
		}
	}
	if upper == "" {
		return "Z", false, s == ""
	}
	if upper[0] != '+' && upper[0] != '-' {
		return "", false, false
	}
	sign := upper[:1]
	digits := upper[1:]
	if end := strings.IndexAny(digits, " [("); end >= 0 {
		digits = digits[:end]
	}
	digits = strings.ReplaceAll(digits, ":", "")
	switch {
	case !isDigits(digits):
		return "", false, false
	case len(digits) <= 2:
		digits = ("0" + digits)[len(digits)-1:] + "00"
	case len(digits) == 6 && digits[4:] == "00": // seconds of an offset
		digits = digits[:4]
	case len(digits) != 4:
		return "", false, false
	}
	return sign + digits[:2] + ":" + digits[2:], true, true
}

// readNamed reads a date that begins with the name of its day.
func readNamed(s string) time.Time {
	s, _, _ = strings.Cut(s, " (") // the name of the zone
	for _, layout := range []string{
		http.TimeFormat, time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 UTC", "Mon, 2 Jan 2006 15:04:05 -0700",
		"Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC, "Mon Jan _2 2006 15:04:05 GMT-0700", "Mon Jan _2 15:04:05 UTC 2006",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// readUnix reads a Unix time. Its size tells its unit: seconds reach the year
// 5138 before they could be milliseconds, and so on.
func readUnix(s string) time.Time {
	unit := func(n float64) time.Duration {
		switch {
		case n < 1e11:
			return time.Second
		case n < 1e14:
			return time.Millisecond
		case n < 1e17:
			return time.Microsecond
		default:
			return time.Nanosecond
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n <= 0 {
			return time.Time{}
		}
		u := unit(float64(n))
		perSecond := int64(time.Second / u)
		return time.Unix(n/perSecond, n%perSecond*int64(u))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0) || f > math.MaxInt64 || strings.ContainsAny(s, "xX_pPiInN") {
		return time.Time{}
	}
	// A float has no more than microseconds of today; what is behind them is noise.
	seconds, fraction := math.Modf(f * unit(f).Seconds())
	return time.Unix(int64(seconds), int64(math.Round(fraction*1e6))*int64(time.Microsecond))
}
