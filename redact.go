package ryze

import (
	"bytes"
	"cmp"
	"errors"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// shortestSecret is how many characters a secret needs to be looked for in texts.
// Shorter ones are parts of ordinary words: every text would be full of holes.
const shortestSecret = 4

// deepest is how many times over a secret may be escaped. The innermost escapes
// may be of several kinds at once.
const deepest = 3

// span is a part of a text that is not to be seen, and what stands for it.
type span struct {
	from, to int
	mark     string
}

// withoutSecrets replaces secrets in b by a mark, however JSON, HTML or a URL may
// have escaped them, also one inside the other. Where b has members that hold
// secrets, like those that the service tells, their values are replaced as well.
func withoutSecrets(b []byte, secrets ...string) []byte {
	return layer{text: b}.without(secrets)
}

// withoutBegunSecrets is withoutSecrets for a text that may have been cut: what is
// left of a secret at its end is replaced too.
func withoutBegunSecrets(b []byte, secrets ...string) []byte {
	return layer{text: b, cut: true}.without(secrets)
}

func (l layer) without(secrets []string) []byte {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool {
		return utf8.RuneCountInString(strings.TrimSpace(s)) < shortestSecret
	})
	var spans []span
	look(l, secrets, deepest, &spans)
	b := l.text
	if len(spans) == 0 {
		return b
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	out := make([]byte, 0, len(b))
	at := 0
	for _, s := range spans {
		if s.from >= at {
			out = append(append(out, b[at:s.from]...), s.mark...)
		}
		at = max(at, s.to)
	}
	return append(out, b[at:]...)
}

// layer is a text with some of its escapes taken off.
type layer struct {
	text []byte
	// starts is where each byte of text began in the text that was given, and
	// where that ends; nil for that text itself.
	starts []int
	cut    bool // the end may be missing
}

// at returns the place of a byte in the text that was given.
func (l *layer) at(i int) int {
	if l.starts == nil {
		return i
	}
	return l.starts[i]
}

// look finds the secrets in a layer and in those below it.
func look(l layer, secrets []string, depth int, spans *[]span) {
	for _, secret := range secrets {
		l.find(secret, spans)
	}
	l.members(spans)
	if depth == 1 {
		return
	}
	for _, e := range escapes {
		if below, changed := l.unescaped(e); changed {
			look(below, secrets, depth-1, spans)
		}
	}
}

// find finds a secret, each of its characters as it is or escaped.
func (l *layer) find(secret string, spans *[]span) {
	var first [256]bool // what a secret may begin with
	for _, c := range []byte{secret[0], '\\', '%', '&', '+'} {
		first[c] = true
	}
	for i := 0; i < len(l.text); i++ {
		if !first[l.text[i]] {
			continue
		}
		if n := match(l.text[i:], secret, l.cut); n > 0 {
			*spans = append(*spans, span{l.at(i), l.at(i + n), redacted})
			i += n - 1
		}
	}
}

// match returns how many bytes at the beginning of b stand for the secret, or 0.
// In a text that was cut its beginning will do, if the text ends with it.
func match(b []byte, secret string, cut bool) int {
	if len(b) >= len(secret) && string(b[:len(secret)]) == secret {
		return len(secret) // also if it looks escaped
	}
	at, whole, broken := 0, secret, false
	begun := func() bool {
		return cut && utf8.RuneCountInString(whole[:len(whole)-len(secret)]) >= shortestSecret
	}
	// mayBreak reports whether an escape that was cut may begin here.
	mayBreak := func() bool {
		return len(b)-at < longestEscape && beginsEscape(b[at]) && begun()
	}
next:
	for secret != "" {
		if at == len(b) {
			if begun() {
				return at
			}
			return 0
		}
		for _, e := range escapes {
			if r, n := e.read(b[at:]); n > 0 && strings.HasPrefix(secret, r) {
				secret = secret[len(r):]
				at += n
				continue next
			}
		}
		switch {
		case b[at] == secret[0], b[at] == '+' && secret[0] == ' ': // a query's blank
			broken = broken || mayBreak()
			secret = secret[1:]
			at++
		case broken || mayBreak():
			return len(b)
		default:
			return 0
		}
	}
	return at
}

// unescaped returns the layer below, without one kind of escapes.
func (l *layer) unescaped(e escape) (below layer, changed bool) {
	if bytes.IndexByte(l.text, e.begin) < 0 {
		return below, false
	}
	below = layer{text: make([]byte, 0, len(l.text)), starts: make([]int, 0, len(l.text)+1), cut: l.cut}
	for i := 0; i < len(l.text); {
		r, n := e.read(l.text[i:])
		if n == 0 {
			below.text = append(below.text, l.text[i])
			below.starts = append(below.starts, l.at(i))
			i++
			continue
		}
		changed = true
		below.text = append(below.text, r...)
		for range len(r) {
			below.starts = append(below.starts, l.at(i))
		}
		i += n
	}
	below.starts = append(below.starts, l.at(len(l.text)))
	return below, changed
}

// escape is one way of writing a character as several.
type escape struct {
	begin byte
	// unescape reads an escape at the beginning of b. It returns what that stands
	// for, which is not empty, and its length, 0 when it is none.
	unescape func(b []byte) (string, int)
}

func (e escape) read(b []byte) (string, int) {
	if b[0] != e.begin {
		return "", 0
	}
	return e.unescape(b)
}

// longestEscape is the longest of the names that HTML has.
const longestEscape = 33

func beginsEscape(c byte) bool { return c == '\\' || c == '%' || c == '&' }

var escapes = []escape{{'\\', fromBackslash}, {'%', fromPercent}, {'&', fromEntity}}

// fromBackslash reads an escape of JSON, or of a language like it.
func fromBackslash(b []byte) (string, int) {
	if len(b) < 2 {
		return "", 0
	}
	switch c := b[1]; c {
	case 'u':
		high, ok := hexNumber(b[2:], 4)
		if !ok {
			return "", 0
		}
		if utf16.IsSurrogate(high) && len(b) > 8 && b[6] == '\\' && b[7] == 'u' {
			if low, ok := hexNumber(b[8:], 4); ok {
				return string(utf16.DecodeRune(high, low)), 12
			}
		}
		return string(high), 6
	case 'U':
		if r, ok := hexNumber(b[2:], 8); ok {
			return string(r), 10
		}
	case 'x':
		if r, ok := hexNumber(b[2:], 2); ok {
			return string([]byte{byte(r)}), 4 //nolint:gosec // two digits
		}
	default:
		if short, ok := shortEscapes[c]; ok {
			return short, 2
		}
		if c < utf8.RuneSelf && (unicode.IsPunct(rune(c)) || unicode.IsSymbol(rune(c))) {
			return string(rune(c)), 2
		}
	}
	return "", 0
}

var shortEscapes = map[byte]string{'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}

// fromPercent reads an escape of a URL.
func fromPercent(b []byte) (string, int) {
	if r, ok := hexNumber(b[1:], 2); ok {
		return string([]byte{byte(r)}), 3 //nolint:gosec // two digits
	}
	if len(b) > 1 && b[1]|0x20 == 'u' { // an old form of JavaScript's
		if r, ok := hexNumber(b[2:], 4); ok {
			return string(r), 6
		}
	}
	return "", 0
}

// fromEntity reads an entity of HTML, with its semicolon.
func fromEntity(b []byte) (string, int) {
	end := bytes.IndexByte(b[:min(len(b), longestEscape)], ';')
	if end < 2 {
		return "", 0
	}
	name := string(b[:end+1])
	text := html.UnescapeString(name)
	if text == name || strings.HasSuffix(text, ";") && text != ";" {
		return "", 0 // not an entity, or one without its semicolon
	}
	return text, end + 1
}

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
	"qrcode": true, "qrcodebase64": true, "pairingcode": true, "codes": true, "tokeninstance": true, "tokenaccount": true,
}

// secretEndings are what other names of secrets end with: token and instanceToken,
// password and proxyPassword.
var secretEndings = []string{"token", "authorization", "password", "secretkey", "apikey"}

func isSecretMember(name []byte) bool {
	folded := memberName(name)
	return secretMembers[folded] || slices.ContainsFunc(secretEndings, func(ending string) bool { return strings.HasSuffix(folded, ending) })
}

const longestMember = 32

// A secret that a reply tells may stand in its texts as well. A shorter one may be
// an ordinary word, and a reply that tells more of them is made to keep us busy.
const (
	shortestTold = 8
	mostTold     = 8
)

// toldIn returns the secrets that members of what may be a JSON text hold.
func toldIn(b []byte) []string {
	var spans []span
	l := layer{text: b}
	l.members(&spans)
	var told []string
	for _, s := range spans {
		secret := string(jsonscan.Unquote(b[s.from:s.to]))
		if len(told) < mostTold && utf8.RuneCountInString(secret) >= shortestTold && !slices.Contains(told, secret) {
			told = append(told, secret)
		}
	}
	return told
}

// members finds the values of members that hold secrets in what may be a JSON
// text, whole or cut: strings, numbers, and lists of both.
func (l *layer) members(spans *[]span) {
	b := l.text
	for i := 0; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		length := bytes.IndexByte(b[i+1:min(len(b), i+1+longestMember)], '"')
		if length < 0 {
			continue
		}
		value := skipBlank(b, i+1+length+1)
		if value >= len(b) || b[value] != ':' || !isSecretMember(b[i+1:i+1+length]) {
			continue
		}
		i = l.hideValue(skipBlank(b, value+1), spans) - 1
	}
}

// hideValue finds the secret in the value at i, and returns where it ends.
func (l *layer) hideValue(i int, spans *[]span) int {
	b := l.text
	listed := i < len(b) && b[i] == '['
	if listed {
		i = skipBlank(b, i+1)
	}
	for i < len(b) {
		end := i
		switch c := b[i]; {
		case c == '"':
			end = stringEnd(b, i)
			closed := end - 1
			if end == len(b) && (end == i+1 || b[end-1] != '"') {
				closed = end // it was cut
			}
			if closed > i+1 { // an empty one tells that there is none
				*spans = append(*spans, span{l.at(i + 1), l.at(closed), redacted})
			}
		case '0' <= c && c <= '9', c == '-':
			for end < len(b) && (b[end] > ' ' && b[end] != ',' && b[end] != '}' && b[end] != ']' && b[end] != '"') {
				end++
			}
			mark := redacted
			if l.starts == nil {
				mark = `"` + redacted + `"`
			}
			*spans = append(*spans, span{l.at(i), l.at(end), mark})
		}
		if !listed || end == i {
			return max(end, i)
		}
		i = skipBlank(b, end)
		if i >= len(b) || b[i] != ',' {
			return i
		}
		i = skipBlank(b, i+1)
	}
	return i
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

// skipBlank goes past space; a query has a plus for it.
func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '+' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
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
