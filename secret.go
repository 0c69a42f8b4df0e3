package ryze

import (
	"fmt"
	"log/slog"
)

// redacted is what every printed form of a [Secret] shows.
const redacted = "[redacted]"

// Secret is a string that must not be seen, such as a token or a QR code. It
// prints as "[redacted]", or as "" when it is empty. [Secret.Reveal] returns
// the value. JSON can be read into a Secret, but it is written redacted.
//
// Keep it in exported fields and print structs with %v: fmt asks no methods of
// an unexported field. Map keys in JSON, encoding/gob and testify's diffs show
// it. See docs/service-notes.md.
type Secret string

// Reveal returns the value. Call it only where the value is handed over, never
// for a log.
func (s Secret) Reveal() string { return string(s) }

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s == "" }

// String returns "[redacted]", or "" for an empty Secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString returns the redacted form, quoted, for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("ryze.Secret(%q)", s.String()) }

// Format implements [fmt.Formatter]. It redacts with each verb, such as %x and
// %q.
func (s Secret) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('#'):
		_, _ = fmt.Fprint(f, s.GoString())
	case verb == 'q':
		_, _ = fmt.Fprintf(f, "%q", s.String())
	default:
		_, _ = fmt.Fprint(f, s.String())
	}
}

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements [encoding.TextMarshaler] with the redacted form, for
// JSON and XML. It does not redact map keys.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] and keeps the value.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = Secret(b)
	return nil
}

// formatPlain prints v, a value of a type without methods of its own, for the
// Format method of a struct that points to others with secrets: for a verb
// that does not fit, fmt would print those without asking [Secret].
func formatPlain(f fmt.State, verb rune, v any) {
	format := "%v"
	if verb == 'v' {
		format = fmt.FormatString(f, verb)
	}
	_, _ = fmt.Fprintf(f, format, v)
}

// hidden keeps a value out of sight of fmt, which does not ask the methods of
// unexported fields, and follows one pointer for verbs that do not fit, but
// not two. testify's diff follows any pointer, ten levels deep; the value lies
// below that.
type hidden[T any] struct{ value **veils[T] }

type veil[T any] struct{ of T }

type veils[T any] = veil[veil[veil[veil[veil[veil[veil[veil[veil[veil[T]]]]]]]]]]

func hide[T any](v T) hidden[T] {
	// Both pointers point into one allocation.
	var held struct {
		first *veils[T]
		rest  veils[T]
	}
	p := &held
	p.first = &p.rest
	p.rest.of.of.of.of.of.of.of.of.of.of = v
	return hidden[T]{&p.first}
}

func (h hidden[T]) get() (v T) {
	if h.value == nil {
		return v
	}
	return (**h.value).of.of.of.of.of.of.of.of.of.of
}

// String is for printers that ask the methods of unexported fields.
func (h hidden[T]) String() string { return redacted }
