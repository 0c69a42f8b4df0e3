package jsonscan

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// maxDepth is how deep a text may be nested. It is encoding/json's own limit.
const maxDepth = 10000

// A SyntaxError says where a text stops being JSON. It shows nothing of the text.
type SyntaxError struct {
	Offset int // what is before it can be read
}

// Error names the position.
func (e *SyntaxError) Error() string {
	return "it cannot be read from byte " + strconv.Itoa(e.Offset) + " on"
}

// A Cutter leaves secret members out of a text: those with one of its names that
// stand in the outermost object, or in anything below a holder, however deep. A
// holder that is a string is left out whole, because it may hold JSON itself.
// Case and underscores of a name do not count.
type Cutter struct {
	holder []byte
	names  [][]byte
}

// NewCutter returns a Cutter for members with these names in holders with that name.
func NewCutter(holder string, names ...string) *Cutter {
	c := &Cutter{holder: []byte(holder)}
	for _, name := range names {
		c.names = append(c.names, []byte(name))
	}
	return c
}

// Cut returns a copy of text without its secret members, otherwise byte by byte.
// What is left of valid JSON is valid JSON. For any other text it returns a
// [*SyntaxError], and of the text what could be read, without the secrets.
func (c *Cutter) Cut(text []byte) ([]byte, error) {
	var few [4]span // enough for every event that is known
	w := walk{Cutter: c, text: text, broken: !json.Valid(text), cuts: few[:0]}
	w.space()
	if w.value(placeRoot) {
		w.space()
	}
	if w.broken {
		return without(text[:w.at], w.cuts), &SyntaxError{Offset: w.at}
	}
	return without(text, w.cuts), nil
}

// A span is the part text[from:to] of a text.
type span struct{ from, to int }

// without copies b without the cuts, which are in order and do not overlap.
func without(b []byte, cuts []span) []byte {
	kept := bytes.Clone(b) // in one piece, which is not cleared first
	if len(cuts) == 0 {
		return kept
	}
	end, at := cuts[0].from, cuts[0].to
	for _, cut := range append(cuts[1:], span{len(b), len(b)}) {
		end += copy(kept[end:], b[at:cut.from])
		at = cut.to
	}
	clear(kept[end:])
	return kept[:end:end]
}

// A place is what matters of where a value lies.
type place uint8

const (
	placeElsewhere place = iota
	placeRoot            // the whole text
	placeHolder          // the value of a holder, or anything below one
)

// A walk finds the secrets of a text. It trusts a text that is valid JSON; in one
// that is broken it looks at each value, to stop where the text stops being JSON.
type walk struct {
	*Cutter

	text   []byte
	broken bool
	at     int
	depth  int
	cuts   []span
}

// next returns the byte at which the walk is, 0 at the end of the text.
func (w *walk) next() byte {
	if w.at == len(w.text) {
		return 0
	}
	return w.text[w.at]
}

// take goes past ch if it is next.
func (w *walk) take(ch byte) bool {
	if w.next() != ch || w.at == len(w.text) {
		return false
	}
	w.at++
	return true
}

func (w *walk) space() {
	for {
		switch w.next() {
		case ' ', '\t', '\r', '\n':
			w.at++
		default:
			return
		}
	}
}

// value goes past a value. It returns false where the text is broken.
func (w *walk) value(p place) bool {
	ch := w.next()
	if ch != '{' && ch != '[' {
		return w.scalar()
	}
	if w.depth == maxDepth {
		return false
	}
	w.depth++
	w.at++
	w.space()
	var ok bool
	if ch == '{' {
		ok = w.object(p)
	} else {
		ok = w.array(p)
	}
	w.depth--
	return ok
}

// scalar goes past a string, a number or a literal.
func (w *walk) scalar() bool {
	var end int
	if w.next() == '"' {
		end = skipString(w.text, w.at)
	} else {
		end = skipScalar(w.text, w.at)
	}
	if w.broken && !json.Valid(w.text[w.at:end]) {
		return false
	}
	w.at = end
	return true
}

// array goes past the rest of an array.
func (w *walk) array(p place) bool {
	if p == placeRoot {
		p = placeElsewhere
	}
	if w.take(']') {
		return true
	}
	for w.value(p) {
		w.space()
		if w.take(']') {
			return true
		}
		if !w.take(',') {
			break
		}
		w.space()
	}
	return false
}

// object goes past the rest of an object. A secret member is cut out together with the comma
// before it or, when no member before it is kept, the comma after it: what
// remains is an object again.
func (w *walk) object(p place) bool {
	if w.take('}') {
		return true
	}
	kept := false // a member before this one stays
	comma := 0    // position of the comma before this member
	for {
		start := w.at
		inner, secret, ok := w.key(p)
		if !ok {
			return false
		}
		value, cuts := w.at, len(w.cuts)
		ok = w.value(inner)
		end, last := w.at, false
		if ok {
			w.space()
			last = w.take('}')
			ok = last || w.take(',')
		}
		if secret {
			w.cuts = w.cuts[:cuts] // those inside go with it
		}
		switch {
		case !ok && secret:
			w.at = value // what there is of a secret must not be shown either
			return false
		case !ok:
			return false
		case !secret:
			kept = true
		case kept:
			w.cuts = append(w.cuts, span{comma, end})
		case last:
			w.cuts = append(w.cuts, span{start, end})
		default:
			w.cuts = append(w.cuts, span{start, w.at})
		}
		if last {
			return true
		}
		comma = w.at - 1
		w.space()
	}
}

// key goes past a key and its colon, and says what place its value is and
// whether the member is secret.
func (w *walk) key(p place) (inner place, secret, ok bool) {
	start := w.at
	if w.next() != '"' || !w.scalar() {
		return 0, false, false
	}
	key := w.text[start+1 : w.at-1]
	w.space()
	if !w.take(':') {
		return 0, false, false
	}
	w.space()
	holds := isNamed(key, w.holder)
	if holds || p == placeHolder {
		inner = placeHolder
	}
	secret = holds && w.next() == '"'
	for i := 0; p != placeElsewhere && !secret && i < len(w.names); i++ {
		secret = isNamed(key, w.names[i])
	}
	return inner, secret, true
}

// isNamed compares a key, as it is written, with a name. Nothing that a key may
// have more makes it shorter than the name, so most keys are done at once.
func isNamed(key, name []byte) bool {
	switch {
	case len(key) < len(name):
		return false
	case bytes.EqualFold(key, name):
		return true
	case bytes.IndexByte(key, '\\') >= 0:
		key = Unquote(key)
	}
	return bytes.IndexByte(key, '_') >= 0 && bytes.EqualFold(bytes.ReplaceAll(key, []byte("_"), nil), name) || bytes.EqualFold(key, name)
}
