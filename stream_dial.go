//go:build !js

package ryze

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// dial makes the handshake of a stream, with the token in a header, and fills
// in what came of it. It returns nil unless there is a connection.
func (s *Subscription) dial(ctx context.Context, a *transport.Attempt) *link {
	h, c := s.handle, s.handle.client
	limit := opWebSocketConnect.Timeout
	if own := c.config.http.Timeout; own > 0 {
		limit = min(limit, own)
	}
	attempt, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var state atomic.Int32
	attempt = httptrace.WithClientTrace(attempt, &httptrace.ClientTrace{
		GetConn: func(string) { state.Store(connWanted) },
		GotConn: func(httptrace.GotConnInfo) { state.Store(connHad) },
	})

	up := &upgrade{next: c.transport.HTTP().Transport, attempt: a}
	l := &link{config: s.config}
	target := url.URL{Scheme: c.config.base.Scheme, Host: c.config.base.Host}
	target.Path, target.RawPath = opWebSocketConnect.path(h.name, h.raw)
	conn, _, err := websocket.Dial(attempt, target.String(), &websocket.DialOptions{
		HTTPClient:     &http.Client{Transport: up, CheckRedirect: c.transport.HTTP().CheckRedirect},
		HTTPHeader:     http.Header{h.auth.header: h.auth.values.get(), "User-Agent": c.userAgent},
		OnPingReceived: func(context.Context, []byte) bool { l.isWhole(); return true },
		OnPongReceived: func(context.Context, []byte) { l.isWhole() },
	})
	a.Sent = state.Load() != connWanted
	a.Undone = !a.Sent && !a.Replied
	switch {
	case err == nil && up.wire != nil:
		l.conn, l.wire = conn, up.wire
		return l
	case a.Status != 0 && a.Status != http.StatusSwitchingProtocols:
		return nil // the reply says why
	case err == nil:
		err = errors.New("the connection cannot be written to")
		_ = conn.CloseNow()
	case attempt.Err() != nil && ctx.Err() == nil:
		err = fmt.Errorf("no reply within %v: %w", limit, context.DeadlineExceeded)
	default:
		err = h.auth.clean(withoutURL(err))
	}
	a.Replied, a.Err = false, err
	return nil
}

// What is known of the connection of a handshake; a transport that does not
// report its connections leaves connUntraced.
const (
	connUntraced = iota
	connWanted
	connHad
)

// withoutURL takes off the wrapping of net/http, whose text repeats the URL.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// upgrade is the transport of one handshake. It keeps the reply, and gets
// between the WebSocket and its connection.
type upgrade struct {
	next    http.RoundTripper
	attempt *transport.Attempt
	wire    *wire
}

func (u *upgrade) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := u.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	a := u.attempt
	a.Replied, a.Arrived, a.Status, a.Header = true, time.Now(), resp.StatusCode, resp.Header
	if resp.StatusCode == http.StatusSwitchingProtocols {
		if conn, ok := resp.Body.(io.ReadWriteCloser); ok {
			u.wire = &wire{ReadWriteCloser: conn}
			resp.Body = u.wire
		}
		return resp, nil
	}
	body := resp.Body
	// Not every transport ends a body with the context.
	stop := context.AfterFunc(req.Context(), func() { _ = body.Close() })
	a.Body, a.BodyErr = io.ReadAll(io.LimitReader(body, maxRefusal))
	if stop() {
		_ = body.Close()
	}
	resp.Body = io.NopCloser(bytes.NewReader(a.Body))
	return resp, nil
}

// wire is the connection under a WebSocket. It knows when it was last read.
type wire struct {
	io.ReadWriteCloser
	last atomic.Int64 // Unix nanoseconds
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.ReadWriteCloser.Read(p)
	if n > 0 {
		w.last.Store(time.Now().UnixNano())
	}
	return n, err
}

// link is one connection of a stream.
type link struct {
	config *streamConfig
	conn   *websocket.Conn
	wire   *wire
	opened time.Time

	// For the reader alone: whether it is inside a message, and the last moment
	// at which everything sent before had been received whole.
	inside bool
	alive  time.Time

	mu      sync.Mutex
	timer   *time.Timer // of the next ping
	stopped bool
	cause   error // why this side gave the connection up
	pings   sync.WaitGroup
}

// isWhole notes a sign of life that is not in the middle of an event.
func (l *link) isWhole() {
	if !l.inside {
		l.alive = time.Now().UTC()
	}
}

// keepAlive begins to ping.
func (l *link) keepAlive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pings.Add(1)
	l.timer = time.AfterFunc(l.untilPing(), l.ping)
}

// untilPing spreads the pings of many streams: every interval, give or take a
// tenth.
func (l *link) untilPing() time.Duration {
	tenth := l.config.pingEvery / 10
	return l.config.pingEvery - tenth + rand.N(2*tenth+1)
}

// ping pings once, waits for any sign of life, and sets the timer for the next.
func (l *link) ping() {
	defer l.pings.Done()
	began := time.Now().UnixNano()
	ctx, cancel := context.WithTimeout(context.Background(), l.config.pingWait)
	defer cancel()
	err := l.conn.Ping(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stopped:
	case err != nil && l.wire.last.Load() < began:
		l.cause = fmt.Errorf("no answer to a ping within %v: %w", l.config.pingWait, os.ErrDeadlineExceeded)
		_ = l.wire.Close() // the reader notices
	default:
		l.pings.Add(1)
		l.timer.Reset(l.untilPing())
	}
}

// stopPings lets no further ping begin.
func (l *link) stopPings() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	if l.timer.Stop() {
		l.pings.Done()
	}
}

// waitPings returns when no ping is under way, which is soon when the
// connection is closed.
func (l *link) waitPings() { l.pings.Wait() }

// goodbye is how long the service has to answer a close frame.
const goodbye = time.Second

// hangUp says goodbye and closes the connection.
func (l *link) hangUp() {
	timer := time.AfterFunc(goodbye, func() { _ = l.wire.Close() })
	_ = l.conn.Close(websocket.StatusNormalClosure, "")
	timer.Stop()
}

// drop closes the connection at once.
func (l *link) drop() {
	_ = l.wire.Close()
	_ = l.conn.CloseNow()
}

// givenUp returns why this side gave the connection up, if it did.
func (l *link) givenUp() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}
