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

// Event is one event of an instance, the same whichever channel (WebSocket or
// webhook) and whichever of the service's two layouts brought it.
//
//	switch data := e.Data.(type) {
//	case *ryze.MessageEvent:
//	case *ryze.ReceiptEvent:
//	case *ryze.GapEvent:
//	default: // other events, also those that do not exist yet
//	}
//
// Fields that the service leaves out or sends as null are zero. Times are UTC.
// Addresses are in the form of [JID.Bare]: with their server, without a device.
//
// Printing or logging an Event shows its type, instance and id, never content.
// Its JSON form holds everything, so that events can wait in a queue or go to
// another process: json.Unmarshal makes the same event of it.
type Event struct {
	Type     EventType
	Instance string // name of the instance, "" when the event does not say
	// Data is never nil in an event that [ParseEvent] returns.
	Data EventData

	// Raw is the event as received, byte by byte, without the instance's token
	// and base URL: members token and baseUrl of the envelope and of anything
	// below a member named instanceData, however deep. An instanceData that is a
	// string is left out whole. Raw is nil for a [GapEvent].
	//
	// It holds everything else: of an instance.state event that means the QR
	// codes, which let anyone pair the number while they are valid. Treat the
	// raw form of those as secret.
	//
	// Parts of Data point into Raw: do not change it.
	Raw json.RawMessage `json:"-"`

	arrived time.Time // over a stream that somebody observes
}

// EventData is the content of an event: one of [*MessageEvent],
// [*ReceiptEvent], [*CallEvent], [*GroupEvent], [*InstanceStateEvent],
// [*LabelEvent], [*UnknownEvent] and [*GapEvent].
type EventData interface{ eventData() }

func (*MessageEvent) eventData()       {}
func (*ReceiptEvent) eventData()       {}
func (*CallEvent) eventData()          {}
func (*GroupEvent) eventData()         {}
func (*InstanceStateEvent) eventData() {}
func (*LabelEvent) eventData()         {}
func (*UnknownEvent) eventData()       {}
func (*GapEvent) eventData()           {}

// UnknownEvent is an event that this package cannot read further: its name is
// not known, or its data is not the object that its name promises.
type UnknownEvent struct {
	// Data is the member "data" as received, nil when there was none.
	Data json.RawMessage
}

// Format implements [fmt.Formatter]: nobody knows what Data holds, so no verb
// prints it.
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
	GapUnreadable GapReason = "unreadable" // something came that is not an event; Cause is a *ResponseError
	GapTakeover   GapReason = "takeover"   // the stream follows another one, which was whole until From; see [WithWholeUntil]
)

// GapEvent stands in a stream where events may be missing, so that a hole is
// never silent: what came before it is complete up to From, what follows is
// complete from To. Only streams make it; the service does not send it and
// [ParseEvent] does not return it.
//
// What was missed cannot be fetched again from the service. An application
// that must not lose messages uses a webhook, or reads the chat histories
// between From and To.
type GapEvent struct {
	From    time.Time // the last moment at which the stream was known to be whole
	To      time.Time // when it was whole again
	Reason  GapReason
	Dropped int   // events dropped on this side; 0 for an outage, where the number cannot be known
	Cause   error // what ended the connection or could not be read, if known
}

// maxEventErrorBody is how much of an unreadable event an error keeps.
const maxEventErrorBody = 4 << 10

func unreadableEvent(reason string, kept []byte) *ResponseError {
	return &ResponseError{Reason: "not an event: " + reason, Body: bytes.Clone(kept[:min(len(kept), maxEventErrorBody)])}
}

// ParseEvent reads an event as the WebSocket and the webhooks deliver it. It
// keeps no reference to b.
//
// It fails, with a [*ResponseError], only when b is not a JSON object with an
// event name. An event, a field or a value that this package does not know is
// not an error: an unknown name, or data that is not an object, gives an
// [*UnknownEvent], and every field stays reachable through Raw and
// [Event.Lookup].
//
// Two layouts of message.exchange exist. Where the identity of a message (id,
// direction, timestamp, chat, sender, recipient, reply, mentions) is given
// both on data and inside data.message, the outer one wins and the inner one
// fills its gaps.
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
		if string(c.Key) == "instance" && c.Val.IsString() {
			name = c.Val.Text()
		}
	}
	return name
}

// Lookup returns a value of the raw event by its keys, which are compared
// exactly: Lookup("data", "message", "interactive"). It serves fields that
// this package does not read. It returns nil when there is no such value; a
// JSON null is returned as such. The result points into Raw.
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

// At returns when the event happened by the service's clock, and the zero time
// when it does not say or says it in a way that cannot be read. For a gap it
// is the end of the gap.
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
// moment at which the instance was first paired: after pairing the service delivers
// old messages like new ones, which nobody should answer.
//
// Give it [Instance.CreatedAt], which [InstanceClient.Info] returns at every start,
// or the Timestamp of the event with [InstancePairSuccess] if you wrote it down.
// With the time at which a program started or connected, messages that came while
// it was down are lost. With the zero time nothing is history. Seconds count as
// whole. See docs/receiving.md.
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

// String returns the type, the instance and the id, and nothing of the content.
func (e Event) String() string {
	s := printable(string(e.Type)) + " instance=" + strconv.Quote(printable(e.Instance))
	if id := e.id(); id != "" {
		s += " id=" + strconv.Quote(printable(id))
	}
	return s
}

// Format implements [fmt.Formatter]: every verb prints what String returns,
// because Raw and Data hold messages, and the codes of a pairing.
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

// Origin tells own sends from those of other API clients and from a human on
// the phone, given the source label that this application sends with
// ([WithSource]). Outgoing messages without a label count as typed on the
// phone. Echoes of API sends without any label have been seen as well, so an
// application that reacts to a human taking over should also compare the id
// with those it sent.
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

// IsEcho reports whether the event is the echo of a message that was sent
// through the API with this source label. It is always false for an empty label.
func (e *Event) IsEcho(source string) bool { return e.Origin(source) == OriginSelf }
