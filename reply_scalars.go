package ryze

import (
	"encoding/json"
	"math"
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
