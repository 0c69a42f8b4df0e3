package ryze

import (
	"slices"
	"strings"
)

// allEvents are the events that an empty filter stands for.
var allEvents = []EventType{EventMessage, EventReceipt, EventCall, EventGroup, EventInstanceState, EventLabel}

// sameEvents compares two filters.
func sameEvents(a, b []EventType) bool {
	return slices.Equal(eventSet(a), eventSet(b))
}

func eventSet(events []EventType) []EventType {
	if len(events) == 0 {
		events = allEvents
	}
	events = slices.Clone(events)
	slices.Sort(events)
	return slices.Compact(events)
}

// ConfigMismatchError says that the service has accepted a configuration and
// stored another one. It never shows values: one of them is a secret.
type ConfigMismatchError struct {
	What   string   // which configuration, such as `webhook "default"`
	Fields []string // fields of the struct that was given, such as "URL"
	// Quoted says that Authorization was stored with extra quotes around it:
	// what the service sends will not be what the receiver expects.
	Quoted bool
}

// Error names the fields that differ.
func (e *ConfigMismatchError) Error() string {
	text := "ryze: " + e.What + " is not stored as it was set: " + strings.Join(e.Fields, ", ") + " differ"
	if len(e.Fields) == 1 {
		text += "s"
	}
	if e.Quoted {
		text += "; Authorization is wrapped in extra quotes"
	}
	return text
}
