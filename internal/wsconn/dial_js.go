package wsconn

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// Dial makes the handshake and notes in a what came of it. It returns nil unless
// there is a connection. A browser does not say why a handshake failed; its
// error repeats the URL and is dropped.
func Dial(ctx context.Context, config *Config, a *transport.Attempt) *Conn {
	attempt, cancel := context.WithTimeout(ctx, config.Timeout)
	defer cancel()
	a.Sent = true
	ws, _, err := websocket.Dial(attempt, config.URL.String(), nil)
	if err != nil {
		a.Err = errors.New("the browser could not open the WebSocket, and does not say why")
		if ctx.Err() != nil {
			a.Err = ctx.Err()
		}
		return nil
	}
	a.Status = http.StatusSwitchingProtocols
	c := &Conn{}
	c.begin(ws, config.MaxMessage, time.Now())
	return c
}

// keeper is nothing here: a browser pings by itself, or not at all.
type keeper struct{}

func (keeper) keepAlive()     {}
func (keeper) stopPings()     {}
func (keeper) waitPings()     {}
func (keeper) givenUp() error { return nil }

// HangUp says goodbye, for at most a second, and closes the connection.
func (c *Conn) HangUp() {
	done := make(chan struct{})
	go func() { // ends when the browser has closed the connection
		defer close(done)
		_ = c.ws.Close(websocket.StatusNormalClosure, "")
	}()
	select {
	case <-done:
	case <-time.After(goodbye):
	}
}

func (c *Conn) drop() { c.HangUp() }
