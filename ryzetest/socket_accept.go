//go:build !js

package ryzetest

import (
	"context"

	"github.com/coder/websocket"
)

// acceptOptions are those of a stream. A frozen server answers no pings.
func (s *Server) acceptOptions() *websocket.AcceptOptions {
	return &websocket.AcceptOptions{
		InsecureSkipVerify: true, // checked before, and only when it is there
		OnPingReceived:     func(context.Context, []byte) bool { return !s.isFrozen() },
	}
}
