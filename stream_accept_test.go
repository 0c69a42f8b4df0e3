//go:build !js

package ryze

import (
	"context"

	"github.com/coder/websocket"
)

func (p *peer) acceptOptions() *websocket.AcceptOptions {
	return &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		OnPingReceived:     func(context.Context, []byte) bool { return !p.mute.Load() },
	}
}
