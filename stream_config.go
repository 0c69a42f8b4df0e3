package ryze

import (
	"context"
	"slices"
)

// tells reports whether w is enabled and lets events of type t through.
func (w *WebSocket) tells(t EventType) bool {
	return w != nil && w.Enabled && (len(w.Events) == 0 || slices.Contains(w.Events, t))
}

// WebSocketService sets what an instance sends to its event streams. An
// instance has one configuration for all streams.
type WebSocketService service

// WebSocketConfig is what event streams should send.
type WebSocketConfig struct {
	Events      []EventType // of the six event types; empty for all
	MediaBase64 bool        // put the file into message events
}

func (c *WebSocketConfig) check() error {
	if err := checkTexts("WebSocket", c); err != nil {
		return err
	}
	return checkEvents("WebSocket.Events", c.Events)
}

// WebSocket is the configuration that the service has. Its WebSocketConfig can
// be changed and given to [WebSocketService.Set].
type WebSocket struct {
	Meta `json:"-"`
	WebSocketConfig

	Enabled bool // false: the service refuses streams
}

type webSocketBody struct {
	Enabled     bool        `json:"enabled"`
	Events      []EventType `json:"events"`
	MediaBase64 bool        `json:"mediaBase64"`
}

type wireWebSocket struct {
	Enabled     wireBool   `json:"enabled"`
	Events      wireEvents `json:"events"`
	MediaBase64 wireBool   `json:"mediaBase64"`
}

func (w *wireWebSocket) webSocket(meta Meta) *WebSocket {
	return &WebSocket{Meta: meta, Enabled: w.Enabled.on, WebSocketConfig: WebSocketConfig{Events: w.Events, MediaBase64: w.MediaBase64.on}}
}

type webSocketReply struct {
	envelope
	WebSocket object[wireWebSocket] `json:"websocket"`
}

func (r *webSocketReply) missing() string {
	if r.WebSocket.value == nil {
		return "the reply has no websocket"
	}
	return ""
}

func webSocket(r *webSocketReply, err error) (*WebSocket, error) {
	if err != nil {
		return nil, err
	}
	return r.WebSocket.value.webSocket(r.Meta), nil
}

// Set enables streams with this filter and returns the stored configuration. An
// unknown event is a [*ValidationError]. Subscribe again to apply it to open
// streams; see docs/service-notes.md.
//
// POST /api/events/websocket/:instance. Safe to repeat.
func (s *WebSocketService) Set(ctx context.Context, config WebSocketConfig) (*WebSocket, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	body := webSocketBody{Enabled: true, Events: config.Events, MediaBase64: config.MediaBase64}
	if body.Events == nil {
		body.Events = []EventType{}
	}
	return webSocket(fetchChecked(ctx, s.h, opWebSocketSet, input{body: body}, (*webSocketReply).missing))
}

// Disable refuses new streams. Open ones stay open.
//
// POST /api/events/websocket/:instance. Safe to repeat.
func (s *WebSocketService) Disable(ctx context.Context) error {
	return run(ctx, s.h, opWebSocketSet, input{body: webSocketBody{Events: []EventType{}}})
}

// Get returns the configuration. Enabled is false when streams are off. It
// returns [ErrNotConfigured] when there never was one.
//
// GET /api/events/getWebsocket/:instance. Safe to repeat.
func (s *WebSocketService) Get(ctx context.Context) (*WebSocket, error) {
	return webSocket(fetchChecked(ctx, s.h, opWebSocketGet, input{}, (*webSocketReply).missing))
}

// webSocketBlock is the event stream in the creation of an instance.
type webSocketBlock struct {
	Enabled     bool        `json:"websocketEnabled"`
	Events      []EventType `json:"websocketEvents,omitempty"`
	MediaBase64 bool        `json:"websocketMediaBase64"`
}

// block returns what travels at the creation of an instance; nil is none.
func (c *WebSocketConfig) block() (*webSocketBlock, error) {
	if c == nil {
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &webSocketBlock{true, c.Events, c.MediaBase64}, nil
}
