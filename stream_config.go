package ryze

import (
	"context"
	"errors"
	"slices"
)

// tells reports whether c is enabled and lets events of type t through.
func (c *WebSocketConfig) tells(t EventType) bool {
	return c != nil && c.Enabled && (len(c.Events) == 0 || slices.Contains(c.Events, t))
}

// WebSocketService sets whether and what an instance sends to its event
// stream; see [InstanceClient.Subscribe]. An instance has one such
// configuration.
type WebSocketService service

// WebSocketConfig is the configuration of the event stream.
type WebSocketConfig struct {
	Meta `json:"-"`

	Enabled     bool        // read only: Set always enables
	Events      []EventType // empty for all
	MediaBase64 bool        // put the file into message events
}

type wireWebSocket struct {
	Enabled     bool        `json:"enabled"`
	Events      []EventType `json:"events"`
	MediaBase64 bool        `json:"mediaBase64"`
}

func (w *wireWebSocket) config() *WebSocketConfig {
	return &WebSocketConfig{Enabled: w.Enabled, Events: w.Events, MediaBase64: w.MediaBase64}
}

type webSocketReply struct {
	envelope
	WebSocket *wireWebSocket `json:"websocket"`
}

func (r *webSocketReply) missing() string {
	if r.WebSocket == nil {
		return "the reply has no websocket"
	}
	return ""
}

func webSocket(r *webSocketReply, err error) (*WebSocketConfig, error) {
	if err != nil {
		return nil, err
	}
	c := r.WebSocket.config()
	c.Meta = r.Meta
	return c, nil
}

// Set enables the stream with this filter and returns what the service has
// stored. Which filter holds for streams that are already open is not documented:
// subscribe again to be sure.
//
// POST /api/events/websocket/:instance. Safe to repeat.
func (s *WebSocketService) Set(ctx context.Context, config WebSocketConfig) (*WebSocketConfig, error) {
	if err := checkTexts("WebSocket", config); err != nil {
		return nil, err
	}
	body := wireWebSocket{Enabled: true, Events: config.Events, MediaBase64: config.MediaBase64}
	if body.Events == nil {
		body.Events = []EventType{}
	}
	return webSocket(fetchChecked(ctx, s.h, opWebSocketSet, input{body: body}, (*webSocketReply).missing))
}

// Disable refuses new streams. Open ones live on until they end by themselves.
//
// POST /api/events/websocket/:instance. Safe to repeat.
func (s *WebSocketService) Disable(ctx context.Context) error {
	return run(ctx, s.h, opWebSocketSet, input{body: wireWebSocket{Events: []EventType{}}})
}

// Get returns the configuration; Enabled is false when the stream is off.
// [ErrNotConfigured] when it was never configured.
//
// GET /api/events/getWebsocket/:instance. Safe to repeat.
func (s *WebSocketService) Get(ctx context.Context) (*WebSocketConfig, error) {
	return webSocket(fetchChecked(ctx, s.h, opWebSocketGet, input{}, (*webSocketReply).missing))
}

// EnsuredWebSocket is a configuration that the service was seen to have as
// asked for.
type EnsuredWebSocket struct {
	WebSocketConfig

	// Changed is false when nothing had to be written. When it is true, which filter
	// holds for streams that were open before is not documented.
	Changed bool
}

// Ensure makes the stream be enabled with this filter: it reads what there is,
// writes only when that differs or was never configured, and then reads it back
// and compares every field. The order of Events does not count, and all six
// events are the same as none.
//
// [*ConfigMismatchError] when the service has stored something else than it was
// told.
//
// GET /api/events/getWebsocket/:instance, POST /api/events/websocket/:instance.
// Safe to repeat.
func (s *WebSocketService) Ensure(ctx context.Context, config WebSocketConfig) (*EnsuredWebSocket, error) {
	stored, err := s.Get(ctx)
	switch {
	case err == nil && len(config.differences(stored)) == 0:
		return &EnsuredWebSocket{WebSocketConfig: *stored}, nil
	case err != nil && !errors.Is(err, ErrNotConfigured):
		return nil, err
	}
	if _, err := s.Set(ctx, config); err != nil {
		return nil, err
	}
	stored, err = s.Get(ctx)
	if err != nil {
		return nil, err
	}
	if diff := config.differences(stored); len(diff) > 0 {
		return nil, &ConfigMismatchError{What: "WebSocket", Fields: diff}
	}
	return &EnsuredWebSocket{WebSocketConfig: *stored, Changed: true}, nil
}

// differences names the fields in which stored is not what c asks for.
func (c *WebSocketConfig) differences(stored *WebSocketConfig) []string {
	var d []string
	if !stored.Enabled {
		d = append(d, "Enabled")
	}
	if !sameEvents(c.Events, stored.Events) {
		d = append(d, "Events")
	}
	if c.MediaBase64 != stored.MediaBase64 {
		d = append(d, "MediaBase64")
	}
	return d
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
	if err := checkTexts("WebSocket", c); err != nil {
		return nil, err
	}
	return &webSocketBlock{true, c.Events, c.MediaBase64}, nil
}
