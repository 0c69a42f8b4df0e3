package ryzetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// Events builds events as the service delivers them, without a Server, for
// tests of webhook receivers. Each method returns the JSON of one event, with
// the instance's token, for Deliver.
//
//	events := ryzetest.NewEvents("support-line")
//	body := events.Message(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
//	res := ryzetest.Deliver(handler, "/hooks/ryze", "Bearer secret", body)
//
// The events equal those of an Instance, in the layout of WithLayout. It is
// safe for concurrent use.
type Events struct{ inst *Instance }

// EventsToken is the instance token in every event that an Events builds. It is
// there to be looked for: it must not show up in logs, stores or errors.
const EventsToken = "5ec2e700-0000-4000-8000-c0ffee5ec2e7" //nolint:gosec // invented, and meant to be seen

const eventsPhone = "5511900000001"

// NewEvents returns a builder of events of an instance with the number
// 5511900000001. Its only option is WithLayout.
func NewEvents(instance string, opts ...Option) *Events {
	s := &Server{cfg: configured(opts), clock: newClock(), URL: "https://ryzeapi.cloud"}
	i := s.newInstance(&account{}, instance, EventsToken)
	i.state, i.phone, i.profile.name = StateConnected, eventsPhone, instance
	return &Events{i}
}

// Message is a message.exchange: a customer wrote. Media have base64, as with
// the webhook's mediaBase64. Without an ID it gets a new one; without At it is
// written now.
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

// Outgoing is a message.exchange: the instance wrote to a number or JID. With a
// source it is the echo of an API send. Without one a person typed it on the
// phone.
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

// Event is an event with any name and data, also one that does not exist yet.
// It panics when data is not valid as JSON.
func (e *Events) Event(name string, data any) []byte { return e.inst.envelope(name, data) }

// Response is what a receiver answered.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       string // at most 1 MiB of it
}

const maxAnswer = 1 << 20

// Deliver posts an event to a webhook receiver, as the service does, and
// returns the answer. Nothing leaves the process.
//
// path is a path or a URL; for byEvents add "/" and the event's name.
// authorization is the header's value; an empty one is left out. event is the
// body: a []byte, string or json.RawMessage as it is, anything else as JSON.
//
// It panics when the handler panics, or when path is no URL.
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
