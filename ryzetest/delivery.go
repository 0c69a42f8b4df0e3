package ryzetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// Events builds events as the service delivers them, without a Server: for
// tests of code that receives webhooks. Each method returns the JSON of one
// event, the instance's token included, ready for Deliver.
//
//	events := ryzetest.NewEvents("support-line")
//	body := events.Message(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
//	res := ryzetest.Deliver(handler, "/hooks/ryze", "Bearer secret", body)
//
// The events are those that an Instance of a Server would send, in the layout
// of WithLayout. It is safe for concurrent use.
type Events struct{ inst *Instance }

// EventsToken is the instance token in every event that an Events builds. It is
// there to be looked for: it must not show up in logs, stores or errors.
const EventsToken = "5ec2e700-0000-4000-8000-c0ffee5ec2e7" //nolint:gosec // invented, and meant to be seen

const eventsPhone = "5511900000001"

// NewEvents returns a builder of the events of an instance, which is paired
// with the number 5511900000001. WithLayout is the option that concerns it.
func NewEvents(instance string, opts ...Option) *Events {
	s := &Server{cfg: configured(opts), clock: newClock(), URL: "https://ryzeapi.cloud"}
	i := s.newInstance(&account{}, instance, EventsToken)
	i.state, i.phone, i.profile.name = StateConnected, eventsPhone, instance
	return &Events{i}
}

// Message is the message.exchange of a message that a customer wrote. Its media
// carry base64, as with the webhook's mediaBase64. A message without ID gets a
// new one; one without At was written now.
func (e *Events) Message(in Incoming) []byte {
	e.inst.s.mu.Lock()
	defer e.inst.s.mu.Unlock()
	if in.Name != "" {
		e.inst.s.remember(in.From, in.Name)
	}
	m := e.inst.compose(in, in.chat())
	m.Sender = userJID(in.From)
	return e.inst.envelope("message.exchange", e.inst.exchange(m, true))
}

// Outgoing is the message.exchange of a message that the instance sent to a
// number or JID: the echo of an API send with this source label, or of what a
// human typed on the phone when source is empty.
func (e *Events) Outgoing(to, source string, in Incoming) []byte {
	e.inst.s.mu.Lock()
	defer e.inst.s.mu.Unlock()
	m := e.inst.compose(in, userJID(to))
	m.Sender, m.FromMe, m.Source = e.inst.jid(), true, source
	return e.inst.envelope("message.exchange", e.inst.exchange(m, true))
}

// Receipt is the message.status of messages to a number or JID, with any status
// ("delivered", "read", "played", "server_error", ...).
func (e *Events) Receipt(status, to string, messageIDs ...string) []byte {
	e.inst.s.mu.Lock()
	defer e.inst.s.mu.Unlock()
	return e.inst.envelope("message.status", e.inst.receipt(status, userJID(to), messageIDs))
}

// State is an instance.state in the event's spelling of states ("connected",
// "logged_out", "qr_ready", ...), with QR codes if any are given.
func (e *Events) State(state string, codes ...string) []byte {
	data := obj{"state": state, "timestamp": e.inst.s.stamp(e.inst.s.clock.now()), "instance": e.inst.name}
	if state == "connected" {
		data["jid"] = e.inst.jid()
	}
	if len(codes) > 0 {
		data["codes"] = codes
	}
	return e.inst.envelope("instance.state", data)
}

// Event is an event of any name with any data, for those that have no method
// and for those that do not exist yet. It panics if data is not valid as JSON.
func (e *Events) Event(name string, data any) []byte { return e.inst.envelope(name, data) }

// Response is what a receiver answered.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       string // at most 1 MiB of it
}

const maxAnswer = 1 << 20

// Deliver posts an event to a receiver of webhooks as the service does, and
// returns the answer. Nothing listens and nothing leaves the process.
//
// path is the path of the webhook's URL, or a whole URL; with byEvents the
// service appends "/" and the name of the event to it. authorization is the
// value of the header of that name, left out when empty, as the service does
// for a webhook without one. event is the body: a []byte, string or
// json.RawMessage goes out as it is, anything else as JSON.
//
// A panic of the handler reaches the caller, and so does a path that is no URL,
// as a panic.
func Deliver(h http.Handler, path, authorization string, event any) Response {
	if len(path) > 0 && path[0] == '/' {
		path = "http://hooks.test" + path
	}
	client := &http.Client{Transport: handlerTransport{h}, CheckRedirect: noRedirect}
	res, err := DeliverTo(context.Background(), client, path, authorization, event)
	if err != nil {
		panic("ryzetest: " + err.Error())
	}
	return res
}

// DeliverTo is Deliver to a URL, through client. An error says that there was
// no answer.
func DeliverTo(ctx context.Context, client *http.Client, url, authorization string, event any) (Response, error) {
	req, err := newDelivery(ctx, url, authorization, eventBody(event))
	if err != nil {
		return Response{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return Response{}, err
	}
	return Response{StatusCode: res.StatusCode, Header: res.Header, Body: string(body)}, nil
}

func eventBody(event any) []byte {
	switch b := event.(type) {
	case []byte:
		return b
	case json.RawMessage:
		return b
	case string:
		return []byte(b)
	default:
		return encode(event)
	}
}

// newDelivery is one attempt to deliver an event.
func newDelivery(ctx context.Context, url, authorization string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "RyzeAPI")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return req, nil
}
