package ryze

import (
	"encoding/json"
	"strconv"
	"time"
)

// Ptr returns a pointer to v, for fields that tell "absent" from a zero value.
func Ptr[T any](v T) *T { return &v }

// quoted quotes a name for an error text, with control characters escaped.
func quoted(s string) string { return strconv.Quote(s) }

// parseTime reads a timestamp of the service: RFC 3339, with any offset. What
// cannot be read is the zero time.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// stringOrInt is a text that the service may also send as a number.
type stringOrInt string

// UnmarshalJSON never fails.
func (s *stringOrInt) UnmarshalJSON(b []byte) error {
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(b, &text) == nil:
		*s = stringOrInt(text)
	case json.Unmarshal(b, &number) == nil:
		*s = stringOrInt(number)
	}
	return nil
}

// stringOrList is a list of texts that the service may send as a single one.
type stringOrList []string

// UnmarshalJSON never fails.
func (l *stringOrList) UnmarshalJSON(b []byte) error {
	var one string
	var many []string
	switch {
	case json.Unmarshal(b, &one) == nil && one != "":
		*l = stringOrList{one}
	case json.Unmarshal(b, &many) == nil:
		*l = many
	}
	return nil
}
