package ryze

import (
	"fmt"
	"log/slog"
)

// redacted is what every printed form of a [Secret] shows.
const redacted = "[redacted]"

// Secret is a string that must not be seen: a token, a webhook authorization
// value, a QR code, a proxy password. However it is printed, logged or encoded,
// it shows "[redacted]"; an empty Secret shows as an empty string, so that
// "not set" stays visible. [Secret.Reveal] is the only way to the value.
//
// Reading JSON into a Secret keeps the value. Writing it does not: a struct
// that holds a Secret can be logged or stored as JSON without leaking, and
// therefore cannot be read back.
//
// A type cannot hide from a printer that does not ask its methods. These cases
// are left, and all but that of testify are in your hands:
//
//   - fmt does not ask the methods of what lies in an unexported field. Keep a
//     Secret, or a type of this package with one in it, in an exported field,
//     give your type a Format method, or keep the field out of what is printed.
//   - With a verb that does not fit a pointer, such as %s, fmt prints what a
//     pointer in a struct points to, and asks no methods. The verbs %p and %w do
//     not fit a Secret itself. go vet reports them all; print structs with %v.
//   - encoding/json takes a map's keys of any string type as they are: do not
//     use a Secret as a key.
//   - encoding/gob writes the value itself.
//   - The diff of testify's assert.Equal prints fields as they are. Compare
//     what does not hold a Secret, or compare values of [Secret.Reveal] with
//     assert.True.
type Secret string

// Reveal returns the value. Call it where the value is handed over (an
// encrypted store, another client), never on the way to a log.
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

// Format implements [fmt.Formatter], because verbs such as %x and %q would
// otherwise reach the value.
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

// MarshalText implements [encoding.TextMarshaler] with the redacted form. It
// also serves JSON and XML, but not JSON's map keys: see [Secret].
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
