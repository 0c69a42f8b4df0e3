package ryze

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// Event is one event of an instance, from a stream or a webhook, in either
// layout.
//
//	switch data := e.Data.(type) {
//	case *ryze.MessageEvent:
//	case *ryze.ReceiptEvent:
//	case *ryze.GapEvent:
//	default: // other events, also those that do not exist yet
//	}
//
// Missing fields and null are zero. Times are UTC. Addresses are in the form of
// [JID.Bare].
//
// Logs show its type, instance and id, never content. Its JSON has everything
// and can be read back.
type Event struct {
	Type     EventType
	Instance string // name of the instance, "" when the event does not say
	// Data is never nil in an event that [ParseEvent] returns.
	Data EventData

	// Raw is the event as received, without the instance's token and base URL.
	// It is nil for a [GapEvent]. Parts of Data point into it: do not change
	// it.
	//
	// It has everything else. Of an instance.state event that includes QR
	// codes, with which anybody can pair the number: keep those secret.
	Raw json.RawMessage `json:"-" xml:"-"`

	arrived time.Time // over a stream that somebody observes
}

// EventData is the content of an event: [*MessageEvent], [*ReceiptEvent],
// [*CallEvent], [*GroupEvent], [*InstanceStateEvent], [*LabelEvent],
// [*UnknownEvent] or [*GapEvent].
type EventData interface{ eventData() }

func (*MessageEvent) eventData()       {}
func (*ReceiptEvent) eventData()       {}
func (*CallEvent) eventData()          {}
func (*GroupEvent) eventData()         {}
func (*InstanceStateEvent) eventData() {}
func (*LabelEvent) eventData()         {}
func (*UnknownEvent) eventData()       {}
func (*GapEvent) eventData()           {}

// UnknownEvent is an event with an unknown name, or with data that is not the
// expected object.
type UnknownEvent struct {
	// Data is the member "data" as received, nil when there was none.
	Data json.RawMessage
}

// Format implements [fmt.Formatter]. It never prints Data.
func (u UnknownEvent) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, u.summary()) }

// LogValue implements [slog.LogValuer] with the size of the data.
func (u UnknownEvent) LogValue() slog.Value { return slog.StringValue(u.summary()) }

func (u UnknownEvent) summary() string { return fmt.Sprintf("%d bytes of data", len(u.Data)) }

// GapReason says why a stream may have missed events.
type GapReason string

// Reasons for a gap.
const (
	GapOutage     GapReason = "outage"     // the connection was lost; the service replays nothing
	GapOverflow   GapReason = "overflow"   // the queue was full because the events were not taken fast enough
	GapUnreadable GapReason = "unreadable" // something that is not an event came; Cause is a *ResponseError
	GapTakeover   GapReason = "takeover"   // the stream follows one that was whole until From; see [WithWholeUntil]
)

// GapEvent marks a place in a stream where events may be missing. The stream is
// complete before From and after To. Only streams make it.
//
// The service cannot send missed events again. To lose none, add a webhook, or
// read the chat histories between From and To.
type GapEvent struct {
	From    time.Time // the last moment at which the stream was complete
	To      time.Time // when it was complete again
	Reason  GapReason
	Dropped int   // events that the stream dropped; 0 for an outage, where the number is unknown
	Cause   error // what ended the connection or could not be read, if known
}

// maxEventErrorBody is how much of an unreadable event an error keeps.
const maxEventErrorBody = 4 << 10

func unreadableEvent(reason string, kept []byte) *ResponseError {
	body := bytes.Clone(kept[:min(len(kept), maxEventErrorBody)])
	return &ResponseError{Reason: "not an event: " + reason, Body: withoutBegunSecrets(body, toldIn(body)...)}
}

// ParseEvent reads an event of a WebSocket or a webhook. It keeps no reference
// to b.
//
// It fails, with a [*ResponseError], only when b is not a JSON object with an
// event name. An unknown name, or data that is not an object, gives an
// [*UnknownEvent]. [Event.Lookup] reads unknown fields. For the two layouts see
// docs/service-notes.md.
func ParseEvent(b []byte) (*Event, error) {
	kept, err := eventSecrets.Cut(b)
	if err != nil {
		return nil, unreadableEvent("not JSON: "+err.Error(), kept)
	}
	envelope := jsonscan.Value(bytes.TrimSpace(kept))
	if !envelope.IsObject() {
		return nil, unreadableEvent("not a JSON object", kept)
	}

	e := &Event{Raw: json.RawMessage(envelope)}
	var data jsonscan.Value
	for c := envelope.Members(); c.Next(); {
		switch string(c.Key) {
		case "event":
			e.Type = eventType(c.Val)
		case "data":
			data = c.Val
		case "instanceData":
			e.Instance = instanceName(c.Val)
		}
	}
	if e.Type == "" {
		return nil, unreadableEvent("it has no event name", kept)
	}
	if e.Instance == "" && e.Type == EventInstanceState {
		e.Instance = instanceName(data)
	}
	e.Data = readEventData(e.Type, data)
	return e, nil
}

func readEventData(t EventType, data jsonscan.Value) EventData {
	if data.IsObject() {
		switch t {
		case EventMessage:
			return readMessage(data)
		case EventReceipt:
			return readReceipt(data)
		case EventCall:
			return readCall(data)
		case EventGroup:
			return readGroup(data)
		case EventInstanceState:
			return readInstanceState(data)
		case EventLabel:
			return readLabel(data)
		}
	}
	return &UnknownEvent{Data: json.RawMessage(data)}
}

// eventType reads the event's name, without an allocation for the usual ones.
func eventType(v jsonscan.Value) EventType {
	if !v.IsString() {
		return ""
	}
	switch t := v[1 : len(v)-1]; string(t) {
	case string(EventMessage):
		return EventMessage
	case string(EventReceipt):
		return EventReceipt
	default:
		return EventType(v.Text())
	}
}

func instanceName(v jsonscan.Value) string {
	name := ""
	for c := v.Members(); c.Next(); {
		if string(c.Key) == "instance" {
			setString(&name, c.Val)
		}
	}
	return name
}

// Lookup returns the value of a path in the raw event, such as Lookup("data",
// "message", "interactive"). Keys match exactly. It returns nil when there is
// none. The result points into Raw.
func (e *Event) Lookup(path ...string) json.RawMessage {
	v := jsonscan.Value(e.Raw)
	for _, key := range path {
		var found jsonscan.Value
		for c := v.Members(); c.Next(); {
			if string(c.Key) == key {
				found = c.Val
			}
		}
		if v = found; v == nil {
			return nil
		}
	}
	return json.RawMessage(v)
}

// At returns the event's time by the service's clock, or zero when it has none.
// Of a gap it is the end.
func (e *Event) At() time.Time {
	switch d := e.Data.(type) {
	case *MessageEvent:
		return d.Timestamp
	case *ReceiptEvent:
		return d.Timestamp
	case *CallEvent:
		return d.Timestamp
	case *GroupEvent:
		return d.Timestamp
	case *InstanceStateEvent:
		return d.Timestamp
	case *LabelEvent:
		return d.Timestamp
	case *GapEvent:
		return d.To
	default:
		return time.Time{}
	}
}

// IsHistory reports whether the event is a message from before pairedAt, the
// first pairing. The service delivers old messages like new ones: do not answer
// them.
//
// Give it [Instance.CreatedAt], or the Timestamp of [InstancePairSuccess],
// never the start of the program. With the zero time nothing is history. See
// docs/receiving.md.
func (e *Event) IsHistory(pairedAt time.Time) bool {
	m, ok := e.Data.(*MessageEvent)
	return ok && !m.Timestamp.IsZero() && m.Timestamp.Before(pairedAt.Truncate(time.Second))
}

// id returns what identifies the event in a log.
func (e Event) id() string {
	switch d := e.Data.(type) {
	case *MessageEvent:
		return d.ID
	case *ReceiptEvent:
		return strings.Join(d.MessageIDs, ",")
	case *CallEvent:
		return d.ID
	default:
		return ""
	}
}

// String returns the type, the instance and the id, never content.
func (e Event) String() string {
	s := printable(string(e.Type)) + " instance=" + strconv.Quote(printable(e.Instance))
	if id := e.id(); id != "" {
		s += " id=" + strconv.Quote(printable(id))
	}
	return s
}

// Format implements [fmt.Formatter]. It prints the text of String with each
// verb.
func (e Event) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(f, "%q", e.String())
		return
	}
	_, _ = fmt.Fprint(f, e.String())
}

// LogValue implements [slog.LogValuer] with the type, the instance and the id.
func (e Event) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("type", printable(string(e.Type))), slog.String("instance", printable(e.Instance))}
	if id := e.id(); id != "" {
		attrs = append(attrs, slog.String("id", printable(id)))
	}
	return slog.GroupValue(attrs...)
}

// Origin tells who made a message: this application (by its [WithSource]
// label), another API client, or a person on the phone. Some API echoes have no
// label: also compare ids with your own sends.
func (e *Event) Origin(source string) Origin {
	m, ok := e.Data.(*MessageEvent)
	switch {
	case !ok:
		return OriginUnknown
	case m.Direction == DirectionIncoming:
		return OriginCustomer
	case m.Direction != DirectionOutgoing:
		return OriginUnknown
	case m.Source == "":
		return OriginPhone
	case m.Source == source:
		return OriginSelf
	default:
		return OriginAPI
	}
}

// IsEcho reports whether the event is the echo of a send over the API with this
// label. It is false for an empty label.
func (e *Event) IsEcho(source string) bool { return e.Origin(source) == OriginSelf }
