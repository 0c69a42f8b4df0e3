package ryze

import (
	"strconv"
	"strings"
	"time"
)

// Ptr returns a pointer to v, for fields that tell "absent" from a zero value.
func Ptr[T any](v T) *T { return &v }

// parseTime reads a time of a reply, in UTC: RFC 3339 with any offset, or a Unix
// time in seconds or milliseconds. It is the zero time when it cannot be read.
// A field that holds one is a [stringOrInt], because a Unix time may be a number.
func parseTime[S ~string](s S) time.Time { return timeOf([]byte(s)) }

// The types below read a field of a reply whatever form it has. Their
// UnmarshalJSON never fails: what cannot be read is left as if it were absent,
// so that it takes neither the reply nor the fields beside it along.

// stringOrInt is a text that the service may also send as a number.
type stringOrInt string

// UnmarshalJSON never fails.
func (s *stringOrInt) UnmarshalJSON(b []byte) error {
	if text := jsonValue(b).str(); text != "" {
		*s = stringOrInt(text)
	}
	return nil
}

// wireInt is a whole number that the service may also send as a text.
type wireInt int

// UnmarshalJSON never fails.
func (n *wireInt) UnmarshalJSON(b []byte) error {
	if whole, ok := jsonValue(b).int64(); ok && int64(int(whole)) == whole {
		*n = wireInt(whole)
	}
	return nil
}

// wireBool is a yes or no that the service may also send as a text or a number.
type wireBool struct{ known, on bool }

// UnmarshalJSON never fails.
func (w *wireBool) UnmarshalJSON(b []byte) error {
	v := jsonValue(b)
	on := v.bool()
	if known := on || string(v) == "false" || isNo(v.str()); known {
		*w = wireBool{known, on}
	}
	return nil
}

func isNo(s string) bool {
	on, err := strconv.ParseBool(s)
	return err == nil && !on
}

// wireCounts are numbers by name. A member that is not a number is left out.
type wireCounts map[string]int

// UnmarshalJSON never fails.
func (c *wireCounts) UnmarshalJSON(b []byte) error {
	for m := jsonValue(b).members(); m.next(); {
		if n, ok := m.val.int64(); ok && int64(int(n)) == n {
			if *c == nil {
				*c = make(wireCounts)
			}
			(*c)[string(m.key)] = int(n)
		}
	}
	return nil
}

// wireText is the text of a message: a string, or an object with the member
// text. The string "{}" is an empty object that was written as a string.
type wireText string

// UnmarshalJSON never fails.
func (w *wireText) UnmarshalJSON(b []byte) error {
	*w = wireText(contentText(jsonValue(b)))
	return nil
}

// stringOrList is a list of names that the service may send as one text, with
// commas between them.
type stringOrList []string

// UnmarshalJSON never fails.
func (l *stringOrList) UnmarshalJSON(b []byte) error {
	v := jsonValue(b)
	l.add(v.str())
	for c := v.elements(); c.next(); {
		l.add(c.val.str())
	}
	return nil
}

func (l *stringOrList) add(names string) {
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name != "" {
			*l = append(*l, name)
		}
	}
}
