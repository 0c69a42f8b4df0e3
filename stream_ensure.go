package ryze

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// EnsuredWebSocket is the configuration that [WebSocketService.Ensure] read
// back.
type EnsuredWebSocket struct {
	WebSocket

	// Changed is false when nothing had to be written. For open streams see
	// docs/service-notes.md.
	Changed bool
}

// Ensure enables streams with this filter. It reads the configuration, writes
// only a difference, and reads it back. The order of Events does not count, and
// none means all six.
//
// When the service stored something else, the result comes with [ErrPartial].
//
//	socket, err := inst.WebSocket.Ensure(ctx, config)
//	if errors.Is(err, ryze.ErrPartial) {
//		// socket is what is stored; the *PartialError names the fields that differ.
//	}
//
// GET /api/events/getWebsocket/:instance, POST /api/events/websocket/:instance.
// Safe to repeat.
func (s *WebSocketService) Ensure(ctx context.Context, config WebSocketConfig) (*EnsuredWebSocket, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	stored, err := s.Get(ctx)
	switch {
	case err == nil && len(config.differences(stored)) == 0:
		return &EnsuredWebSocket{WebSocket: *stored}, nil
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
	failed := partsOf(s.h, opWebSocketSet)
	for _, field := range config.differences(stored) {
		failed.add(field, "is stored otherwise than it was set")
	}
	return &EnsuredWebSocket{WebSocket: *stored, Changed: true}, failed.err()
}

// ensureForStream is Ensure before a stream is opened. A partial failure comes with
// a result, and here there will be none: the error does not match [ErrPartial].
func (s *WebSocketService) ensureForStream(ctx context.Context, config WebSocketConfig) error {
	_, err := s.Ensure(ctx, config)
	if errors.Is(err, ErrPartial) {
		return fmt.Errorf("ryze: the event stream of the instance %s was not opened: %s", quoted(s.h.name), strings.TrimPrefix(err.Error(), "ryze: "))
	}
	return err
}

// differences names the fields in which stored is not what c asks for.
func (c *WebSocketConfig) differences(stored *WebSocket) []string {
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
