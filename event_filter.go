package ryze

import "slices"

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

// checkEvents refuses a filter with events that the service does not know: what
// it does with those is not documented. An application can have all events, those
// that are to come included, by naming none.
func checkEvents(field string, events []EventType) error {
	for i, t := range events {
		if !slices.Contains(allEvents, t) {
			return invalid(at(field, i), "is "+quoted(string(t))+", which is no event of the service; leave the list empty for all")
		}
	}
	return nil
}
