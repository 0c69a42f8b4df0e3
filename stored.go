package ryze

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// storedKind is how contents of one type are stored.
type storedKind struct {
	name     string // in the stored form: never change it
	typeName string
	// write returns what is stored; ok is false for a content of another type.
	write func(Content) (form any, ok bool, err error)
	read  func(form []byte) (Content, error)
}

// storedAsIs stores contents as the JSON tags of their type say. Tags are part of
// the stored form: never change one. "omitzero" keeps an empty list apart from none.
// It would drop the sign of -0, so fields with fractions do without it.
func storedAsIs[T Content](name string) storedKind {
	same := func(content T) (T, error) { return content, nil }
	return storedAs(name, same, same)
}

// storedAs stores contents in a form of their own.
func storedAs[T Content, F any](name string, write func(T) (F, error), read func(F) (T, error)) storedKind {
	return storedKind{
		name: name, typeName: reflect.TypeFor[T]().Name(),
		write: func(c Content) (any, bool, error) {
			content, ok := c.(T)
			if p, isPointer := c.(any).(*T); isPointer && p != nil {
				content, ok = *p, true
			}
			if !ok {
				return nil, false, nil
			}
			form, err := write(content)
			return form, true, err
		},
		read: func(b []byte) (Content, error) {
			var form F
			if err := readStored(b, &form); err != nil {
				return nil, err
			}
			return read(form)
		},
	}
}

// storedField is how errors name what was to be read.
const storedField = "stored content"

// readStored reads JSON that scanStored has passed. What the type does not know was
// written by a newer release.
func readStored[T any](b []byte, into *T) error {
	strict := json.NewDecoder(bytes.NewReader(b))
	strict.DisallowUnknownFields()
	err := strict.Decode(into)
	if err == nil {
		return nil
	}
	if json.Unmarshal(b, new(T)) == nil {
		return newerContent("has a field that this release does not know")
	}
	return &ValidationError{Field: storedField, Reason: "has a value of the wrong type or size", err: err}
}

func newerContent(reason string) error {
	return &ValidationError{Field: storedField, Reason: reason, err: ErrNewerContent}
}

// scanStored refuses what is no JSON, and what encoding/json would pass over or
// change without a word.
func scanStored(b []byte) error {
	switch {
	case !utf8.Valid(b):
		return invalid(storedField, notUTF8)
	case !json.Valid(b):
		return invalid(storedField, "is not JSON, or was cut off")
	case hasHalfCharacter(b):
		return invalid(storedField, "has one half of an escaped character")
	}
	return scanValue(bytes.TrimSpace(b), 0)
}

// maxStoredDepth bounds the cost of a scan, which goes over a value once for each
// level around it. No stored form is half as deep.
const maxStoredDepth = 16

func scanValue(v jsonscan.Value, depth int) error {
	switch {
	case depth > maxStoredDepth:
		return invalid(storedField, "is nested too deep")
	case v.IsNull():
		return invalid(storedField, "has a null")
	}
	for c := v.Elements(); c.Next(); {
		if err := scanValue(c.Val, depth+1); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for c := v.Members(); c.Next(); {
		key := strings.ToLower(strings.ToUpper(string(c.Key))) // as encoding/json compares them
		if seen[key] {
			return invalid(storedField, "has the field "+quoted(string(c.Key))+" twice")
		}
		seen[key] = true
		if err := scanValue(c.Val, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// hasHalfCharacter reports whether valid JSON has an escaped surrogate without its
// other half, which encoding/json replaces.
func hasHalfCharacter(b []byte) bool {
	escaped := func(at int) rune { // the unit of UTF-16 that is escaped there
		if at+6 > len(b) || b[at] != '\\' || b[at+1] != 'u' {
			return -1
		}
		unit, _ := strconv.ParseUint(string(b[at+2:at+6]), 16, 16)
		return rune(unit)
	}
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		unit := escaped(i)
		if utf16.IsSurrogate(unit) {
			if utf16.DecodeRune(unit, escaped(i+6)) == utf8.RuneError {
				return true
			}
			i += 6
		}
		i++ // what is escaped
	}
	return false
}
