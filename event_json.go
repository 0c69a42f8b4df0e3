package ryze

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Events are read by hand and not with encoding/json, for three reasons: the
// token must be cut out of the raw JSON, which needs the position of every
// member; a media event carries megabytes of base64 that encoding/json would
// scan twice and copy; and one field has several names and types. A first pass
// checks the whole text and finds what has to be cut out; afterwards values are
// spans of that text, walked without further checks.

// maxEventDepth is how deep an event may be nested. It is encoding/json's own limit.
const maxEventDepth = 10000

// A jsonSpan is the part b[from:to] of a text.
type jsonSpan struct{ from, to int }

// jsonSyntaxError says where a text stops being JSON.
type jsonSyntaxError struct {
	reason string
	offset int
}

func (e *jsonSyntaxError) Error() string {
	return e.reason + " at byte " + strconv.Itoa(e.offset)
}

// jsonPlace is what the checker needs to know about where a value lies.
type jsonPlace uint8

const (
	placeElsewhere    jsonPlace = iota
	placeRoot                   // the event itself
	placeInstanceData           // an instanceData value, or anything below one
)

// jsonChecker checks that b is one JSON value, with the same verdict as
// [json.Valid], and collects the members that must not be kept.
type jsonChecker struct {
	b     []byte
	i     int
	depth int
	cuts  []jsonSpan
}

// checkEvent checks b and returns what to leave out of it, in order. After an
// error the cuts are those found before the text broke, and end is how far the
// text may be shown.
func checkEvent(b []byte) (cuts []jsonSpan, end int, err error) {
	c := jsonChecker{b: b}
	c.space()
	if err = c.value(placeRoot); err == nil {
		c.space()
		if c.i < len(b) {
			err = c.unexpected("after the value")
		}
	}
	return c.cuts, c.i, err
}

func (c *jsonChecker) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\t', '\r', '\n':
			c.i++
		default:
			return
		}
	}
}

func (c *jsonChecker) unexpected(where string) error {
	if c.i >= len(c.b) {
		return &jsonSyntaxError{"unexpected end", len(c.b)}
	}
	return &jsonSyntaxError{fmt.Sprintf("unexpected character %q %s", c.b[c.i], where), c.i}
}

func (c *jsonChecker) value(place jsonPlace) error {
	if c.i >= len(c.b) {
		return c.unexpected("")
	}
	switch ch := c.b[c.i]; {
	case ch == '{' || ch == '[':
		if c.depth == maxEventDepth {
			return &jsonSyntaxError{"nested too deeply", c.i}
		}
		c.depth++
		c.i++
		c.space()
		var err error
		if ch == '{' {
			err = c.object(place)
		} else {
			err = c.array(place)
		}
		c.depth--
		return err
	case ch == '"':
		return c.str()
	case ch == '-' || ch >= '0' && ch <= '9':
		return c.number()
	case ch == 't':
		return c.literal("true")
	case ch == 'f':
		return c.literal("false")
	case ch == 'n':
		return c.literal("null")
	default:
		return c.unexpected("at the start of a value")
	}
}

func (c *jsonChecker) array(place jsonPlace) error {
	if place == placeRoot {
		place = placeElsewhere
	}
	if c.at(']') {
		return nil
	}
	for {
		if err := c.value(place); err != nil {
			return err
		}
		c.space()
		if c.at(']') {
			return nil
		}
		if !c.at(',') {
			return c.unexpected("in an array")
		}
		c.space()
	}
}

// object checks the rest of an object. A member that must not be kept is cut
// out together with the comma before it or, when no member before it is kept,
// the comma after it: what remains is an object again.
func (c *jsonChecker) object(place jsonPlace) error {
	if c.at('}') {
		return nil
	}
	kept := false // a member before this one stays
	comma := 0    // position of the comma before this member
	for {
		start := c.i
		if c.i >= len(c.b) || c.b[c.i] != '"' {
			return c.unexpected("where a key should be")
		}
		if err := c.str(); err != nil {
			return err
		}
		key := unquoted(c.b[start+1 : c.i-1])
		c.space()
		if !c.at(':') {
			return c.unexpected("after a key")
		}
		c.space()
		inner := placeElsewhere
		isInstanceData := bytes.EqualFold(key, keyInstanceData)
		if isInstanceData || place == placeInstanceData {
			inner = placeInstanceData
		}
		cut := place != placeElsewhere && isSecretKey(key) ||
			// Not an object: JSON inside a string, perhaps. Nothing that is
			// documented is lost with it.
			isInstanceData && c.i < len(c.b) && c.b[c.i] == '"'
		valueStart, cutsBefore := c.i, len(c.cuts)
		err := c.value(inner)
		end, last := c.i, false
		if err == nil {
			c.space()
			if last = c.at('}'); !last && !c.at(',') {
				err = c.unexpected("in an object")
			}
		}
		if cut {
			c.cuts = c.cuts[:cutsBefore] // those inside go with it
		}
		if err != nil {
			if cut {
				c.i = valueStart // what there is of a secret must not be shown either
			}
			return err
		}
		switch {
		case !cut:
			kept = true
		case kept:
			c.cuts = append(c.cuts, jsonSpan{comma, end})
		case last:
			c.cuts = append(c.cuts, jsonSpan{start, end})
		default:
			c.cuts = append(c.cuts, jsonSpan{start, c.i})
		}
		if last {
			return nil
		}
		comma = c.i - 1
		c.space()
	}
}

// at consumes ch when it is next.
func (c *jsonChecker) at(ch byte) bool {
	if c.i < len(c.b) && c.b[c.i] == ch {
		c.i++
		return true
	}
	return false
}

// endsRun marks the bytes at which a run of ordinary string bytes ends.
var endsRun = func() (t [256]bool) {
	for ch := range 0x20 {
		t[ch] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

func (c *jsonChecker) str() error {
	b, start := c.b, c.i
	for i := c.i + 1; i < len(b); {
		if !endsRun[b[i]] {
			i++
			continue
		}
		switch b[i] {
		case '"':
			c.i = i + 1
			return nil
		case '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return &jsonSyntaxError{"bad escape in a string", start}
			}
			i += n
		default:
			return &jsonSyntaxError{"control character in a string", start}
		}
	}
	return &jsonSyntaxError{"unexpected end of a string", start}
}

// escapeLen returns the length of the escape sequence at the start of b, 0 if it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && hex4(b[2:6]) >= 0 {
			return 6
		}
	}
	return 0
}

// hex4 reads four hexadecimal digits, -1 if they are none.
func hex4(b []byte) rune {
	var r rune
	for _, ch := range b[:4] {
		switch {
		case ch >= '0' && ch <= '9':
			ch -= '0'
		case ch >= 'a' && ch <= 'f':
			ch -= 'a' - 10
		case ch >= 'A' && ch <= 'F':
			ch -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(ch)
	}
	return r
}

func (c *jsonChecker) number() error {
	start := c.i
	c.at('-')
	if !c.at('0') && !c.digits() {
		return &jsonSyntaxError{"bad number", start}
	}
	if c.at('.') && !c.digits() {
		return &jsonSyntaxError{"bad number", start}
	}
	if c.at('e') || c.at('E') {
		if !c.at('+') {
			c.at('-')
		}
		if !c.digits() {
			return &jsonSyntaxError{"bad number", start}
		}
	}
	return nil
}

func (c *jsonChecker) digits() bool {
	start := c.i
	for c.i < len(c.b) && c.b[c.i] >= '0' && c.b[c.i] <= '9' {
		c.i++
	}
	return c.i > start
}

func (c *jsonChecker) literal(word string) error {
	if !bytes.HasPrefix(c.b[c.i:], []byte(word)) {
		return &jsonSyntaxError{"bad literal", c.i}
	}
	c.i += len(word)
	return nil
}

var (
	keyInstanceData = []byte("instanceData")
	keyToken        = []byte("token")
	keyBaseURL      = []byte("baseUrl")
)

// isSecretKey reports whether a member of instanceData must not be kept. Case
// does not count, since it would not count for encoding/json either.
func isSecretKey(key []byte) bool {
	return bytes.EqualFold(key, keyToken) || bytes.EqualFold(key, keyBaseURL)
}

// withoutSpans copies b without the given spans, which are in order and do not
// overlap.
func withoutSpans(b []byte, cuts []jsonSpan) []byte {
	n := len(b)
	for _, cut := range cuts {
		n -= cut.to - cut.from
	}
	out := make([]byte, 0, n)
	at := 0
	for _, cut := range cuts {
		out = append(out, b[at:cut.from]...)
		at = cut.to
	}
	return append(out, b[at:]...)
}

// A jsonValue is one value of a text that has been checked, without space
// around it. It is nil for a member that is absent.
type jsonValue []byte

func (v jsonValue) isObject() bool { return len(v) > 0 && v[0] == '{' }
func (v jsonValue) isArray() bool  { return len(v) > 0 && v[0] == '[' }
func (v jsonValue) isNull() bool   { return len(v) > 0 && v[0] == 'n' }
func (v jsonValue) isString() bool { return len(v) > 0 && v[0] == '"' }
func (v jsonValue) isNumber() bool {
	return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9')
}

// str returns a string's text and a number's digits, and "" for anything else.
func (v jsonValue) str() string {
	switch {
	case v.isString():
		return string(unquoted(v[1 : len(v)-1]))
	case v.isNumber():
		return string(v)
	default:
		return ""
	}
}

// bool returns true for true, "true" and numbers other than 0.
func (v jsonValue) bool() bool {
	if v.isString() || v.isNumber() {
		on, err := strconv.ParseBool(v.str())
		return err == nil && on
	}
	return len(v) > 0 && v[0] == 't'
}

// float reads a number, or a string that holds one.
func (v jsonValue) float() (float64, bool) {
	if !v.isString() && !v.isNumber() {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.str(), 64)
	return f, err == nil
}

// int64 reads a whole number in any notation, or a string that holds one.
func (v jsonValue) int64() (int64, bool) {
	if !v.isString() && !v.isNumber() {
		return 0, false
	}
	s := strings.TrimSpace(v.str())
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	const exact = 1 << 53 // up to here a float64 holds every whole number
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, false
	}
	return int64(f), true
}

// A jsonCursor walks the members of an object or the elements of an array.
//
//	for c := v.members(); c.next(); {
//		use(c.key, c.val)
//	}
type jsonCursor struct {
	key []byte    // unquoted; empty in an array
	val jsonValue // the current value

	b      []byte
	i      int
	object bool
}

// members returns a cursor over an object; over nothing if v is none.
func (v jsonValue) members() jsonCursor {
	if !v.isObject() {
		return jsonCursor{}
	}
	return jsonCursor{b: v[1 : len(v)-1], object: true}
}

// elements returns a cursor over an array; over nothing if v is none.
func (v jsonValue) elements() jsonCursor {
	if !v.isArray() {
		return jsonCursor{}
	}
	return jsonCursor{b: v[1 : len(v)-1]}
}

func (c *jsonCursor) next() bool {
	i := skipSeparators(c.b, c.i)
	if i >= len(c.b) {
		return false
	}
	if c.object {
		end := skipString(c.b, i)
		c.key = unquoted(c.b[i+1 : end-1])
		i = skipSeparators(c.b, end)
	}
	c.i = skipValue(c.b, i)
	c.val = jsonValue(c.b[i:c.i])
	return true
}

// skipSeparators skips space, commas and colons.
func skipSeparators(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
	return i
}

// skipString returns the position behind the string that starts at i.
func skipString(b []byte, i int) int {
	i++
	start := i
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b) // cannot be, in a text that has been checked
		}
		i += n
		slashes := 0
		for i-slashes > start && b[i-slashes-1] == '\\' {
			slashes++
		}
		i++
		if slashes%2 == 0 {
			return i
		}
	}
}

// skipValue returns the position behind the value that starts at i.
func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
	default:
		for i < len(b) && !endsScalar[b[i]] {
			i++
		}
		return i
	}
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return i
}

// endsScalar marks the bytes that end a number or a literal.
var endsScalar = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, '}': true, ']': true}

// unquoted returns the text of a string without its quotes: s itself when
// nothing in it needs changing. Like encoding/json, it puts U+FFFD for what is
// not UTF-8 and for half a surrogate pair.
func unquoted(s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 && utf8.Valid(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			r, n := utf8.DecodeRune(s[i:])
			out = utf8.AppendRune(out, r)
			i += n
			continue
		}
		switch s[i+1] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := hex4(s[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				pair := rune(-1)
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					pair = hex4(s[i+2:])
				}
				if r = utf16.DecodeRune(r, pair); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		default:
			out = append(out, s[i+1])
		}
		i += 2
	}
	return out
}

// A foldedKey is a key as fields are looked up: the service writes one name as
// selectedRowID, selectedRowId and selected_row_id, so case and underscores do
// not count.
type foldedKey struct {
	buf [32]byte
	n   int
}

func (k *foldedKey) fold(key []byte) []byte {
	k.n = 0
	for _, ch := range key {
		if ch == '_' {
			continue
		}
		if k.n == len(k.buf) {
			return nil // longer than any name that is known
		}
		if ch >= 'A' && ch <= 'Z' {
			ch += 'a' - 'A'
		}
		k.buf[k.n] = ch
		k.n++
	}
	return k.buf[:k.n]
}

// readTime reads a time in any of the forms that occur or may occur: RFC 3339
// with any offset, or a Unix time in seconds or milliseconds, as a number or
// as a string. Anything else gives the zero time.
func readTime(v jsonValue) time.Time {
	if !v.isString() && !v.isNumber() {
		return time.Time{}
	}
	if v.isString() {
		return timeOf(unquoted(v[1 : len(v)-1]))
	}
	return timeOf(v)
}

// timeOf is readTime for the text itself. It serves events and replies alike.
func timeOf(s []byte) time.Time {
	if s = bytes.TrimSpace(s); len(s) == 0 || len(s) > 64 {
		return time.Time{}
	}
	if len(s) > len("2006-01-02") && s[4] == '-' {
		t, err := time.Parse(time.RFC3339, string(s))
		if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
			return time.Time{}
		}
		return t
	}
	unix, err := strconv.ParseFloat(string(s), 64)
	if err != nil || unix <= 0 || math.IsNaN(unix) || unix >= 1e14 {
		return time.Time{}
	}
	if unix >= 1e11 { // as seconds it would be the year 5138
		return time.UnixMilli(int64(unix)).UTC()
	}
	whole, fraction := math.Modf(unix)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC()
}

// setString overwrites s with a value that is a string or a number and not empty.
func setString(s *string, v jsonValue) {
	if text := v.str(); text != "" {
		*s = text
	}
}

// first returns the first of two values that is not zero.
func first[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}
