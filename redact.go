package ryze

import (
	"bytes"
	"cmp"
	"errors"
	"html"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// shortestSecret is the length from which on a secret is looked for in texts. What
// is shorter keeps nothing secret, and is in every other word.
const shortestSecret = 3

// withoutSecret replaces a secret in b by a mark, however JSON, a URL or HTML may
// have escaped it, one inside the other too: an error text in JSON in an attribute
// of a page.
func withoutSecret(b []byte, secret string) []byte {
	if len(secret) < shortestSecret || len(b) == 0 {
		return b
	}
	var found spans
	found.look(layer{text: b}, []byte(secret), mostLayers)
	return found.cutOut(b)
}

// mostLayers is how often a text may have been escaped.
const mostLayers = 3

// layer is a text with some of its escapes undone. Its byte i began at from[i] of
// the text as it came; from is nil for that text itself, and one longer than text
// for the others.
type layer struct {
	text []byte
	from []int32
}

func (l *layer) origin(i int) int {
	if l.from == nil {
		return i
	}
	return int(l.from[i])
}

// span is a part of a text.
type span struct{ begin, end int }

type spans []span

// look finds the secret in a layer, and in those below it.
func (found *spans) look(l layer, secret []byte, layers int) {
	for at := 0; ; {
		i := bytes.Index(l.text[at:], secret)
		if i < 0 {
			break
		}
		at += i + len(secret)
		*found = append(*found, span{l.origin(at - len(secret)), l.origin(at)})
	}
	if layers == 0 {
		return
	}
	kinds := escapings
	if layers == 1 {
		kinds = escapings[:1] // only JSON is put into itself that often
	}
	for i := range kinds {
		if below, escaped := l.undo(&escapings[i]); escaped {
			found.look(below, secret, layers-1)
		}
	}
}

// cutOut returns b with a mark in the place of what was found.
func (found spans) cutOut(b []byte) []byte {
	if len(found) == 0 {
		return b
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Or(a.begin-b.begin, a.end-b.end) })
	var out []byte
	copied := 0
	for i := 0; i < len(found); {
		begin, end := found[i].begin, found[i].end
		for i++; i < len(found) && found[i].begin < end; i++ {
			end = max(end, found[i].end)
		}
		out = append(append(out, b[copied:begin]...), redacted...)
		copied = end
	}
	return append(out, b[copied:]...)
}

// escaping is a way to write characters by others.
type escaping struct {
	begins string // the characters with which an escape begins
	// undo returns what the escape at the beginning of b stands for and its length, 0
	// when it is none.
	undo func(b []byte) (string, int)
}

var escapings = []escaping{
	{`\`, undoJSON},
	{"%", undoURL},
	{"%+", undoForm},
	{"&", undoHTML},
}

// undo returns the layer below, in which the escapes of a kind are undone, and
// whether there were any.
func (l *layer) undo(kind *escaping) (below layer, escaped bool) {
	first := bytes.IndexAny(l.text, kind.begins)
	if first < 0 {
		return layer{}, false
	}
	below.text, below.from = make([]byte, 0, len(l.text)), make([]int32, 0, len(l.text)+1)
	for i := 0; i < len(l.text); {
		text, n := "", 0
		if i >= first && strings.IndexByte(kind.begins, l.text[i]) >= 0 {
			text, n = kind.undo(l.text[i:])
		}
		if n == 0 {
			below.text, below.from = append(below.text, l.text[i]), append(below.from, int32(l.origin(i))) //nolint:gosec // a text of an error
			i++
			continue
		}
		escaped = true
		below.text = append(below.text, text...)
		for range len(text) {
			below.from = append(below.from, int32(l.origin(i))) //nolint:gosec // a text of an error
		}
		i += n
	}
	below.from = append(below.from, int32(l.origin(len(l.text)))) //nolint:gosec // a text of an error
	return below, escaped
}

func undoJSON(b []byte) (string, int) {
	if len(b) < 2 {
		return "", 0
	}
	if b[1] == 'u' {
		r, ok := hexNumber(b[2:], 4)
		if !ok {
			return "", 0
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			if second, ok := hexNumber(b[8:], 4); ok {
				if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
					return string(both), 12
				}
			}
		}
		return string(r), 6
	}
	short, ok := shortEscapes[b[1]]
	if !ok {
		return "", 0
	}
	return short, 2
}

func undoURL(b []byte) (string, int) {
	if r, ok := hexNumber(b[1:], 2); ok && b[0] == '%' {
		return string([]byte{byte(r)}), 3 //nolint:gosec // two digits
	}
	return "", 0
}

func undoForm(b []byte) (string, int) {
	if b[0] == '+' {
		return " ", 1
	}
	return undoURL(b)
}

func undoHTML(b []byte) (string, int) {
	const longest = 12
	end := bytes.IndexByte(b[:min(len(b), longest)], ';')
	if end < 0 {
		return "", 0
	}
	entity := string(b[:end+1])
	text := html.UnescapeString(entity)
	if text == entity {
		return "", 0
	}
	return text, end + 1
}

var shortEscapes = map[byte]string{'"': `"`, '\\': `\`, '/': "/", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}

// hexNumber reads a number of n hexadecimal digits.
func hexNumber(b []byte, n int) (rune, bool) {
	if len(b) < n {
		return 0, false
	}
	var r rune
	for _, c := range b[:n] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// secretMembers are the names under which the service tells secrets, in lower
// case and without underscores.
var secretMembers = map[string]bool{
	"token": true, "authorization": true, "webhookauthorization": true, "password": true, "proxypassword": true,
	"secretkey": true, "s3secretkey": true, "chatwootapitoken": true, "apitoken": true,
	"qrcode": true, "qrcodebase64": true, "pairingcode": true, "codes": true,
}

// withoutMembers replaces the values of members that hold secrets in what may be
// a JSON text, whole or cut. It sees strings, and lists of strings.
func withoutMembers(b []byte) []byte {
	var out []byte
	copied, listed := 0, false
	for i := 0; i < len(b); {
		if b[i] != '"' {
			if listed && b[i] == ']' {
				listed = false
			}
			i++
			continue
		}
		end := stringEnd(b, i)
		name, next := b[i+1:max(i+1, end-1)], skipBlank(b, end)
		switch {
		case listed:
			out = append(append(out, b[copied:i]...), `"`+redacted+`"`...)
			copied = end
		case next < len(b) && b[next] == ':' && secretMembers[memberName(name)]:
			value := skipBlank(b, next+1)
			if value < len(b) && b[value] == '[' {
				listed = true
				end = value
			}
			if value < len(b) && b[value] == '"' {
				end = stringEnd(b, value)
				if end-value > 2 { // an empty one tells that there is none
					out = append(append(out, b[copied:value]...), `"`+redacted+`"`...)
					copied = end
				}
			}
		}
		i = end
	}
	if copied == 0 {
		return b
	}
	return append(out, b[copied:]...)
}

func memberName(name []byte) string {
	return strings.ReplaceAll(strings.ToLower(string(name)), "_", "")
}

// stringEnd returns where the JSON string that begins at i ends, or the end of b.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// clean returns an error of the network whose text neither has a secret in it
// nor goes over more than one line. It is matched as before.
func clean(err error, redact func([]byte) []byte) error {
	text := err.Error()
	if safe := printable(string(redact([]byte(text)))); safe != text {
		return &cleanError{text: safe, err: hide(err)}
	}
	return err
}

// cleanError is an error of the network that cannot be printed as it is.
type cleanError struct {
	text string
	err  hidden[error]
}

func (e *cleanError) Error() string        { return e.text }
func (e *cleanError) Is(target error) bool { return errors.Is(e.err.get(), target) }
func (e *cleanError) As(target any) bool   { return errors.As(e.err.get(), target) }

// bounded copies the beginning of a body.
func bounded(body []byte, most int) []byte {
	if len(body) > most {
		body = body[:most]
	}
	return append([]byte(nil), body...)
}
