package ryze

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// queuedEvent is an event on its way through a queue.
type queuedEvent struct {
	Type     EventType `json:"event,omitempty"`
	Instance string    `json:"instance,omitempty"`
	// Raw is in base64: so it comes back byte by byte, and a log does not show it at
	// a glance.
	Raw []byte    `json:"raw,omitempty"`
	Gap *GapEvent `json:"gap,omitempty"`
	// Made is the data of an event that was not received but made, of the kind Kind.
	Made []byte `json:"made,omitempty"`
	Kind string `json:"kind,omitempty"`
}

// madeKinds are the kinds of data that an event can be made of.
var madeKinds = map[string]func() EventData{
	"message": func() EventData { return new(MessageEvent) },
	"receipt": func() EventData { return new(ReceiptEvent) },
	"call":    func() EventData { return new(CallEvent) },
	"group":   func() EventData { return new(GroupEvent) },
	"state":   func() EventData { return new(InstanceStateEvent) },
	"label":   func() EventData { return new(LabelEvent) },
	"unknown": func() EventData { return new(UnknownEvent) },
}

// MarshalJSON returns the event as JSON for a queue. [Event.UnmarshalJSON]
// reads it back. Only its members "event" and "instance" are stable. It has no
// token and no base URL, but an instance.state event has QR codes. An event
// without Raw loses media bytes and codes.
func (e Event) MarshalJSON() ([]byte, error) {
	q := queuedEvent{Type: e.Type, Instance: e.Instance, Raw: e.Raw}
	gap, isGap := e.Data.(*GapEvent)
	switch {
	case len(e.Raw) > 0 || e.Data == nil:
	case isGap:
		q.Gap = gap
	default:
		if state, ok := e.Data.(*InstanceStateEvent); ok && state != nil {
			without := *state
			without.Codes = nil
			e.Data = &without
		}
		made, err := json.Marshal(e.Data)
		if err != nil {
			return nil, fmt.Errorf("ryze: an event for a queue: %w", err)
		}
		q.Made, q.Kind = made, kindOf(e.Data)
	}
	return json.Marshal(q)
}

func kindOf(d EventData) string {
	switch d.(type) {
	case *MessageEvent:
		return "message"
	case *ReceiptEvent:
		return "receipt"
	case *CallEvent:
		return "call"
	case *GroupEvent:
		return "group"
	case *InstanceStateEvent:
		return "state"
	case *LabelEvent:
		return "label"
	default:
		return "unknown"
	}
}

// UnmarshalJSON reads what [Event.MarshalJSON] wrote, or an event of the
// service as [ParseEvent] does. It keeps no reference to b. JSON null changes
// nothing.
func (e *Event) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var q struct {
		queuedEvent

		Data         json.RawMessage `json:"data"`
		InstanceData json.RawMessage `json:"instanceData"`
	}
	err := json.Unmarshal(b, &q)
	var mismatch *json.UnmarshalTypeError
	foreign := len(q.Raw) == 0 && q.Gap == nil && len(q.Made) == 0 && (q.Data != nil || q.InstanceData != nil)
	switch {
	case foreign && (err == nil || errors.As(err, &mismatch)):
		q.Raw = b
	case err != nil:
		return unreadableEvent("not an event of a queue: "+err.Error(), nil)
	}
	if len(q.Raw) > 0 {
		parsed, err := ParseEvent(q.Raw)
		if err != nil {
			return err
		}
		*e = *parsed
		if !foreign {
			e.Instance = cmp.Or(q.Instance, e.Instance)
		}
		return nil
	}
	*e = Event{Type: q.Type, Instance: q.Instance}
	switch {
	case q.Gap != nil:
		e.Data = q.Gap
	case len(q.Made) > 0 && string(q.Made) != "null":
		made := madeKinds[q.Kind]
		if made == nil {
			made = madeKinds["unknown"]
		}
		data := made()
		if err := json.Unmarshal(q.Made, data); err != nil {
			return unreadableEvent("not the data of an event: "+err.Error(), nil)
		}
		switch d := data.(type) { // how JSON writes that there is none
		case *UnknownEvent:
			d.Data = unlessNull(d.Data)
		case *CallEvent:
			d.Data = unlessNull(d.Data)
		}
		e.Data = data
	}
	return nil
}

func unlessNull(data json.RawMessage) json.RawMessage {
	if string(data) == "null" {
		return nil
	}
	return data
}

// queuedGap is a gap on its way through a queue.
type queuedGap struct {
	From       time.Time         `json:"from"`
	To         time.Time         `json:"to"`
	Reason     GapReason         `json:"reason"`
	Dropped    int               `json:"dropped,omitempty"`
	Cause      string            `json:"cause,omitempty"`
	Unreadable *queuedUnreadable `json:"unreadable,omitempty"`
}

// queuedUnreadable is what of a cause comes back as the error that it was.
type queuedUnreadable struct {
	Reason string `json:"reason"`
	Body   []byte `json:"body"`
}

// MarshalJSON writes the gap, the text of its cause, and what was received when
// that is no event.
func (g GapEvent) MarshalJSON() ([]byte, error) {
	q := queuedGap{From: g.From.UTC(), To: g.To.UTC(), Reason: g.Reason, Dropped: g.Dropped}
	var unreadable *ResponseError
	switch {
	case errors.As(g.Cause, &unreadable) && unreadable.Operation == "":
		q.Unreadable = &queuedUnreadable{unreadable.Reason, unreadable.Body}
	case g.Cause != nil:
		q.Cause = g.Cause.Error()
	}
	return json.Marshal(q)
}

// UnmarshalJSON reads what [GapEvent.MarshalJSON] wrote. The cause of
// [GapUnreadable] is a [*ResponseError] again. Other causes keep their text
// only.
func (g *GapEvent) UnmarshalJSON(b []byte) error {
	var q queuedGap
	if err := json.Unmarshal(b, &q); err != nil {
		return fmt.Errorf("ryze: a gap of a queue: %w", err)
	}
	*g = GapEvent{From: q.From.UTC(), To: q.To.UTC(), Reason: q.Reason, Dropped: q.Dropped}
	switch {
	case q.Unreadable != nil:
		g.Cause = &ResponseError{Reason: q.Unreadable.Reason, Body: q.Unreadable.Body}
	case q.Cause != "":
		g.Cause = errors.New(q.Cause)
	}
	return nil
}
