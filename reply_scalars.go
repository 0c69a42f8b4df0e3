package ryze

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// object is an object of a reply: nil when there is none in its place, or
// something else. An instance whose webhook is [] has no webhook, not one that is
// switched off.
type object[T any] struct{ value *T }

// UnmarshalJSON never fails.
func (o *object[T]) UnmarshalJSON(b []byte) error {
	o.value = nil
	if jsonscan.Value(b).IsObject() {
		o.value = new(T)
		_ = json.Unmarshal(b, o.value) // what could be read
	}
	return nil
}

// wireEvents are the events of a filter. What is no name among them is left out.
type wireEvents []EventType

// UnmarshalJSON never fails.
func (l *wireEvents) UnmarshalJSON(b []byte) error {
	*l = nil
	if jsonscan.Value(b).IsArray() {
		*l = wireEvents{}
	}
	var names stringOrList
	_ = names.UnmarshalJSON(b)
	for _, name := range names {
		*l = append(*l, EventType(name))
	}
	return nil
}

// pointer is nil when the service says nothing.
func (w wireBool) pointer() *bool {
	if !w.known {
		return nil
	}
	return &w.on
}

// wireSize is [wireInt] for what may be more than an int holds on small machines.
type wireSize int64

// UnmarshalJSON never fails.
func (n *wireSize) UnmarshalJSON(b []byte) error {
	if whole, ok := jsonscan.Value(b).Int(); ok {
		*n = wireSize(whole)
	}
	return nil
}

// wireSeconds is a number of seconds, perhaps with a fraction, that the service
// may also send as a text.
type wireSeconds time.Duration

// UnmarshalJSON never fails.
func (d *wireSeconds) UnmarshalJSON(b []byte) error {
	if s, ok := jsonscan.Value(b).Float(); ok && math.Abs(s) < math.MaxInt64/float64(time.Second) {
		*d = wireSeconds(s * float64(time.Second))
	}
	return nil
}

// parseTime reads a time of a reply as momentOf does, in UTC. It is the zero time
// when it cannot be read.
// A field that holds one is a [stringOrInt], because a Unix time may be a number.
func parseTime[S ~string](s S) time.Time { return timeOf([]byte(s)) }

// stringOrInt is a text that the service may also send as a number.
type stringOrInt string

// UnmarshalJSON never fails.
func (s *stringOrInt) UnmarshalJSON(b []byte) error {
	if text := jsonscan.Value(b).Text(); text != "" {
		*s = stringOrInt(text)
	}
	return nil
}

// wireInt is a whole number that the service may also send as a text.
type wireInt int

// UnmarshalJSON never fails.
func (n *wireInt) UnmarshalJSON(b []byte) error {
	if whole, ok := jsonscan.Value(b).Int(); ok && int64(int(whole)) == whole {
		*n = wireInt(whole)
	}
	return nil
}

// wireBool is a yes or no that the service may also send as a text or a number.
type wireBool struct{ known, on bool }

// isOff reports whether the service says no, and not merely nothing.
func (w wireBool) isOff() bool { return w.known && !w.on }

// UnmarshalJSON never fails.
func (w *wireBool) UnmarshalJSON(b []byte) error {
	if on, known := jsonscan.Value(b).Truth(); known {
		*w = wireBool{known, on}
	}
	return nil
}

// wireCounts are numbers by name. A member that is not a number is left out.
type wireCounts map[string]int

// UnmarshalJSON never fails.
func (c *wireCounts) UnmarshalJSON(b []byte) error {
	*c = nil
	for m := jsonscan.Value(b).Members(); m.Next(); {
		if n, ok := m.Val.Int(); ok && int64(int(n)) == n {
			if *c == nil {
				*c = make(wireCounts)
			}
			(*c)[string(m.Key)] = int(n)
		}
	}
	return nil
}

// wireText is the text of a message: a string, or an object with the member
// text. The string "{}" is an empty object that was written as a string.
type wireText string

// UnmarshalJSON never fails.
func (w *wireText) UnmarshalJSON(b []byte) error {
	*w = wireText(contentText(jsonscan.Value(b)))
	return nil
}

// stringOrList is a list of names that the service may send as one text, with
// commas between them.
type stringOrList []string

// UnmarshalJSON never fails.
func (l *stringOrList) UnmarshalJSON(b []byte) error {
	*l = nil
	v := jsonscan.Value(b)
	l.add(v.Text())
	for c := v.Elements(); c.Next(); {
		l.add(c.Val.Text())
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
