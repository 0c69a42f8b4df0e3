package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// heard is an event as it came.
type heard struct {
	channel    string // "stream" or "webhook"
	name       string
	body       []byte
	data       map[string]any
	authorized bool // of the webhook: the Authorization header was right
}

// events are those that came, on all channels.
type events struct {
	mu   sync.Mutex
	list []heard
}

func (e *events) add(h heard) {
	var envelope struct {
		Event string
		Data  map[string]any
	}
	_ = json.Unmarshal(h.body, &envelope) // what is no event has no name, which is told
	h.name, h.data = envelope.Event, envelope.Data
	e.mu.Lock()
	defer e.mu.Unlock()
	const most = 2000 // of a busy number the rest says nothing new
	if len(e.list) < most {
		e.list = append(e.list, h)
	}
}

func (e *events) all() []heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// wait waits until something is there, but not longer than limit.
func (e *events) wait(ctx context.Context, limit time.Duration, there func([]heard) bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !there(e.all()) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// rawStream is an open event stream.
type rawStream struct {
	conn      *websocket.Conn
	done      chan struct{}
	err       error // why it ended, once done is closed
	turnedOn  bool  // it was off before
	opened    time.Time
	withoutIt string // why there is no stream
}

func (s *rawStream) close() {
	if s != nil && s.conn != nil {
		_ = s.conn.CloseNow() // it ends either way
		<-s.done
	}
}

func (s *rawStream) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// dial opens the event stream, and holds a refusal against the document.
func (v *verifier) dial(ctx context.Context) (*websocket.Conn, error) {
	const op = "events.websocket.connect"
	if err := v.count(); err != nil {
		return nil, err
	}
	q := question{op: op}
	req, err := v.newRequest(ctx, &q)
	if err != nil {
		return nil, err
	}
	conn, res, err := websocket.Dial(ctx, req.URL.String(), &websocket.DialOptions{HTTPClient: v.http, HTTPHeader: req.Header})
	if res == nil {
		v.record(op, &reply{err: err})
		return nil, err
	}
	r := &reply{status: res.StatusCode, header: res.Header, at: time.Now()}
	if err != nil && res.Body != nil {
		r.body, _ = io.ReadAll(io.LimitReader(res.Body, 64<<10)) // a part is better than nothing
		_ = res.Body.Close()
	}
	v.record(op, r)
	return conn, err
}

// openChannels has events come, on the stream and if possible on a webhook.
func (v *verifier) openChannels(ctx context.Context) {
	v.stream = &rawStream{done: make(chan struct{})}
	if why := v.openRawStream(ctx); why != "" {
		v.stream.withoutIt = why
	}
	v.openHook(ctx)
}

func (v *verifier) openRawStream(ctx context.Context) (why string) {
	const op = "events.websocket.set"
	r := v.ask(ctx, question{op: "events.websocket.get"})
	before := members(r.value()["websocket"])
	if r.err != nil || !r.ok() && r.status != http.StatusNotFound {
		return "the stream's configuration could not be read: " + r.why()
	}
	if on, _ := before["enabled"].(bool); !on {
		// What the service says of a stream that is off.
		if conn, err := v.dial(ctx); err == nil {
			_ = conn.CloseNow()
			v.add(isDifferent, "stream-off", "Does a stream that is off refuse to open?", "it opens")
		}
		off := map[string]any{"enabled": false}
		for _, name := range []string{"events", "mediaBase64"} {
			if value, ok := before[name]; ok {
				off[name] = value
			}
		}
		text, _ := json.Marshal(off) //nolint:errchkjson // what was read from JSON
		v.stream.turnedOn = true
		v.undos = append(v.undos, undo{
			what: "the event stream is on, and was off", manual: fmt.Sprintf("set it with POST /api/events/websocket/%s and the body %s", v.name, text),
			do: func(ctx context.Context) error { return v.turnOff(ctx, off, before) },
		})
		if r := v.ask(ctx, question{op: op, body: map[string]any{"enabled": true, "events": []string{}, "mediaBase64": false}}); !r.ok() {
			return "the stream was off, and could not be switched on: " + r.why()
		}
	}
	conn, err := v.dial(ctx)
	if err != nil {
		return "the stream could not be opened"
	}
	conn.SetReadLimit(largestReply)
	v.stream.conn, v.stream.opened = conn, time.Now()
	go func() {
		defer close(v.stream.done)
		for {
			_, body, err := conn.Read(context.WithoutCancel(ctx)) // until it is closed
			if err != nil {
				v.stream.err = err
				return
			}
			v.events.add(heard{channel: "stream", body: body})
		}
	}()
	return ""
}

// turnOff switches the stream off, as it was, and makes sure of it.
func (v *verifier) turnOff(ctx context.Context, off, before map[string]any) error {
	r := v.insist(ctx, question{op: "events.websocket.set", body: off})
	if !r.ok() {
		return errNotPutBack
	}
	r = v.insist(ctx, question{op: "events.websocket.get"})
	after := members(r.value()["websocket"])
	if on, known := after["enabled"].(bool); on || !known || before != nil && !reflect.DeepEqual(before, after) {
		return errNotPutBack
	}
	return nil
}

var errNotPutBack = errors.New("not put back")

// insist asks again what may be asked again, for putting back. It is not counted: what
// was changed is put back whatever the bound.
func (v *verifier) insist(ctx context.Context, q question) (r *reply) {
	for pause := 200 * time.Millisecond; ; pause *= 2 {
		v.requests++
		r = v.exchange(ctx, &q)
		if r.err == nil && r.status < 500 && r.status != http.StatusTooManyRequests || pause > 3*time.Second {
			return r
		}
		select {
		case <-ctx.Done():
			return r
		case <-time.After(pause):
		}
	}
}

// hookServer takes the deliveries of a webhook.
type hookServer struct {
	server        *http.Server
	path          string
	authorization string
}

func (h *hookServer) close() {
	if h != nil {
		_ = h.server.Close() // nothing is left to be said
	}
}

func (v *verifier) hasWebhook() bool {
	return v.flags.webhookURL != "" || isLoopback(hostOf(v.baseURL()))
}

// openHook sets a webhook that comes to this program.
func (v *verifier) openHook(ctx context.Context) {
	if !v.hasWebhook() {
		return
	}
	r := v.ask(ctx, question{op: "events.webhook.get"})
	rows, known := r.value()["webhooks"].([]any)
	if !r.ok() || !known {
		return
	}
	label, on := "", 0
	for _, row := range rows {
		if enabled, _ := member(row, "enabled").(bool); enabled {
			on++
		} else if label == "" {
			label, _ = member(row, "label").(string) // off it is, and off it will be
		}
	}
	const most = 3
	if on >= most {
		return
	}
	if label == "" {
		label = "ryze-verify"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", v.flags.webhookListen)
	if err != nil {
		v.note("No webhook: %v", err)
		return
	}
	h := &hookServer{path: "/" + rand.Text(), authorization: "Bearer " + rand.Text()}
	v.redact.keep("token", h.authorization)
	v.redact.keep("token", h.path)
	h.server = &http.Server{Handler: v.hookHandler(h), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.server.Serve(listener) }() // it ends with close
	v.hook = h
	address := strings.TrimSuffix(v.flags.webhookURL, "/")
	if address == "" {
		address = "http://" + listener.Addr().String()
	}
	v.undos = append(v.undos, undo{
		what:   fmt.Sprintf("the webhook %q is on, and was not", label),
		manual: "run: ryze webhook " + shellWord(v.name) + " off --label " + shellWord(label),
		do:     func(ctx context.Context) error { return v.hookOff(ctx, label, rows) },
	})
	v.ask(ctx, question{op: "events.webhook.set", body: map[string]any{
		"label": label, "enabled": true, "url": address + h.path, "authorization": h.authorization,
		"byEvents": false, "events": []string{}, "mediaBase64": false,
	}})
}

func (v *verifier) hookHandler(h *hookServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != h.path {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, largestReply))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		v.events.add(heard{channel: "webhook", body: body, authorized: req.Header.Get("Authorization") == h.authorization})
	})
}

// hookOff switches the webhook off, and makes sure that all others are as they were.
func (v *verifier) hookOff(ctx context.Context, label string, before []any) error {
	if r := v.insist(ctx, question{op: "events.webhook.set", body: map[string]any{"label": label, "enabled": false}}); !r.ok() {
		return errNotPutBack
	}
	r := v.insist(ctx, question{op: "events.webhook.get"})
	after, _ := r.value()["webhooks"].([]any)
	byLabel := map[any]any{}
	for _, row := range after {
		byLabel[member(row, "label")] = row
	}
	if on, known := member(byLabel[label], "enabled").(bool); on || !known {
		return errNotPutBack
	}
	for _, row := range before {
		if name := member(row, "label"); name != label && !reflect.DeepEqual(row, byLabel[name]) {
			return errNotPutBack
		}
	}
	return nil
}

// askClose ends the stream, and looks at how the service does.
func (v *verifier) askClose(ctx context.Context) {
	const id, text = "close-code", "With which code does the service close a stream that is switched off?"
	s := v.stream
	switch {
	case s.withoutIt != "":
		v.add(isNotSeen, id, text, s.withoutIt)
		return
	case s.ended():
		v.add(isOpen, id, text, append([]any{"the stream ended by itself: "}, closeParts(s.err)...)...)
		return
	case !s.turnedOn:
		v.add(isNotSeen, id, text, "the stream was on before, and other programs may use it")
		return
	}
	// The stream is the first that was changed. Switching it off is putting it back.
	u := v.undos[0]
	if err := u.do(ctx); err != nil {
		v.add(isNotSeen, id, text, "the stream could not be switched off")
		return
	}
	v.undos = v.undos[1:]
	select {
	case <-s.done:
		v.add(isOpen, id, text, closeParts(s.err)...)
	case <-time.After(min(v.flags.wait, 5*time.Second)):
		v.add(isOpen, id, text, "an open stream stays open")
	case <-ctx.Done():
		v.add(isNotSeen, id, text, "interrupted")
	}
}

func closeParts(err error) []any {
	if closed, ok := errors.AsType[websocket.CloseError](err); ok {
		parts := []any{fmt.Sprintf("code %d", closed.Code)}
		if closed.Reason != "" {
			parts = append(parts, ", ", foreign(closed.Reason))
		}
		return parts
	}
	return []any{"the connection ends without a code"}
}
