package ryze

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// dial makes the handshake of a stream. A browser lets nobody set headers on a
// WebSocket, so here, and nowhere else, the token travels in the URL. Nor does
// it say why a handshake failed; its error repeats the URL and is dropped.
func (s *Subscription) dial(ctx context.Context, a *transport.Attempt) *link {
	h, base := s.handle, s.handle.client.config.base
	attempt, cancel := context.WithTimeout(ctx, opWebSocketConnect.Timeout)
	defer cancel()
	target := url.URL{Scheme: base.Scheme, Host: base.Host}
	target.Path, target.RawPath = opWebSocketConnect.path(h.name, h.raw)
	target.RawQuery = url.Values{"token": {h.auth.token()}}.Encode()
	a.Sent = true
	conn, _, err := websocket.Dial(attempt, target.String(), nil)
	if err != nil {
		a.Err = errors.New("the browser could not open the WebSocket, and does not say why")
		if ctx.Err() != nil {
			a.Err = ctx.Err()
		}
		return nil
	}
	a.Status = http.StatusSwitchingProtocols
	return &link{conn: conn}
}

// link is one connection of a stream.
type link struct {
	conn   *websocket.Conn
	opened time.Time
	inside bool
	alive  time.Time
}

func (l *link) isWhole() { l.alive = time.Now().UTC() }

// A browser pings by itself, or not at all.
func (l *link) keepAlive()     {}
func (l *link) stopPings()     {}
func (l *link) waitPings()     {}
func (l *link) givenUp() error { return nil }

// goodbye is how long the service has to answer a close frame.
const goodbye = time.Second

func (l *link) hangUp() {
	done := make(chan struct{})
	go func() { // ends when the browser has closed the connection
		defer close(done)
		_ = l.conn.Close(websocket.StatusNormalClosure, "")
	}()
	select {
	case <-done:
	case <-time.After(goodbye):
	}
}

func (l *link) drop() { l.hangUp() }
