// Package jsonscan reads JSON in place: it finds values in a text without a copy
// of them, leaves secret members out of a text, and reads a text that is too
// long for the memory. Whether a text is JSON, and what an escape means, is for
// encoding/json to say.
package jsonscan

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Value is one value of a valid JSON text, without space around it. It is a
// part of that text. It is nil for a member that is absent.
type Value []byte

// IsObject reports whether v is an object.
func (v Value) IsObject() bool { return len(v) > 0 && v[0] == '{' }

// IsArray reports whether v is an array.
func (v Value) IsArray() bool { return len(v) > 0 && v[0] == '[' }

// IsNull reports whether v is null. An absent value is not.
func (v Value) IsNull() bool { return len(v) > 0 && v[0] == 'n' }

// IsString reports whether v is a string.
func (v Value) IsString() bool { return len(v) > 0 && v[0] == '"' }

// IsNumber reports whether v is a number.
func (v Value) IsNumber() bool {
	return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9')
}

// Text returns the text of a string and the digits of a number, and "" for
// anything else.
func (v Value) Text() string { return string(v.TextBytes()) }

// TextBytes is Text without a copy. Its result is a part of v, unless v is a
// string with escapes or with bytes that are not UTF-8.
func (v Value) TextBytes() []byte {
	switch {
	case v.IsString():
		return Unquote(v[1 : len(v)-1])
	case v.IsNumber():
		return v
	default:
		return nil
	}
}

// Bool returns true for true, for 1, and for a string that
// [strconv.ParseBool] takes as true.
func (v Value) Bool() bool {
	on, _ := v.Truth()
	return on
}

// Truth is Bool, and reports whether v says yes or no at all.
func (v Value) Truth() (on, said bool) {
	if v.IsString() || v.IsNumber() {
		on, err := strconv.ParseBool(v.Text())
		return err == nil && on, err == nil
	}
	return len(v) > 0 && v[0] == 't', len(v) > 0 && (v[0] == 't' || v[0] == 'f')
}

// Float returns a number, or what a string holds of one. The result is false
// when v is neither, or not finite.
func (v Value) Float() (float64, bool) {
	if !v.IsString() && !v.IsNumber() {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text(), 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// Int returns a whole number in any notation, or what a string holds of one.
// The result is false when v is neither, or too large to be exact.
func (v Value) Int() (int64, bool) {
	if !v.IsString() && !v.IsNumber() {
		return 0, false
	}
	s := strings.TrimSpace(v.Text())
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

// A Cursor walks the members of an object or the elements of an array, in their
// order, duplicate keys included.
//
//	for c := v.Members(); c.Next(); {
//		use(c.Key, c.Val)
//	}
type Cursor struct {
	Key []byte // the current key, without quotes and escapes; empty in an array
	Val Value  // the current value

	text   []byte
	at     int
	object bool
}

// Members returns a cursor over an object; over nothing if v is none.
func (v Value) Members() Cursor {
	if !v.IsObject() {
		return Cursor{}
	}
	return Cursor{text: v[1 : len(v)-1], object: true}
}

// Elements returns a cursor over an array; over nothing if v is none.
func (v Value) Elements() Cursor {
	if !v.IsArray() {
		return Cursor{}
	}
	return Cursor{text: v[1 : len(v)-1]}
}

// Next goes to the next member or element. It returns false when there is none.
func (c *Cursor) Next() bool {
	i := skipSeparators(c.text, c.at)
	if i >= len(c.text) {
		return false
	}
	if c.object {
		end := skipString(c.text, i)
		c.Key = Unquote(c.text[i+1 : end-1])
		i = skipSeparators(c.text, end)
	}
	c.at = skipValue(c.text, i)
	c.Val = Value(c.text[i:c.at])
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
			return len(b) // cannot be, in a valid text
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

// skipScalar returns the position behind the number or the literal that starts at i.
func skipScalar(b []byte, i int) int {
	for i < len(b) && !endsScalar[b[i]] {
		i++
	}
	return i
}

// skipValue returns the position behind the value that starts at i.
func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
	default:
		return skipScalar(b, i)
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

// Unquote returns the text of a string of which content is what stands between
// the quotes: content itself when nothing in it needs changing.
func Unquote(content []byte) []byte {
	if bytes.IndexByte(content, '\\') < 0 && utf8.Valid(content) {
		return content
	}
	var text string
	_ = json.Unmarshal(slices.Concat([]byte{'"'}, content, []byte{'"'}), &text) // no error in a valid text
	return []byte(text)
}
