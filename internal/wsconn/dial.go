//go:build !js

package wsconn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// Dial makes the handshake and notes in a what came of it. It returns nil unless
// there is a connection.
func Dial(ctx context.Context, config *Config, a *transport.Attempt) *Conn {
	began := time.Now()
	attempt, cancel := context.WithTimeout(ctx, config.Timeout)
	defer cancel()
	up := &upgrade{next: config.Client.Transport, limit: config.MaxRefusal, attempt: a}
	var state atomic.Int32
	attempt = httptrace.WithClientTrace(attempt, &httptrace.ClientTrace{
		GetConn: func(string) { state.Store(connWanted) },
		GotConn: func(info httptrace.GotConnInfo) { state.Store(connHad); up.conn.Store(&info.Conn) },
	})

	c := &Conn{}
	ws, _, err := websocket.Dial(attempt, config.URL.String(), &websocket.DialOptions{
		HTTPClient:     &http.Client{Transport: up, CheckRedirect: config.Client.CheckRedirect},
		HTTPHeader:     config.Header,
		OnPingReceived: func(context.Context, []byte) bool { c.hasPing(); return true },
		OnPongReceived: func(context.Context, []byte) { c.hasAnswer() },
	})
	a.Sent = state.Load() != connWanted
	a.Undone = !a.Sent && !a.Replied
	switch {
	case err == nil && up.wire != nil:
		c.wire, c.every, c.wait = up.wire, config.PingEvery, config.PingWait
		c.begin(ws, config.MaxMessage, began)
		return c
	case a.Replied && a.Status != http.StatusSwitchingProtocols:
		return nil // the reply says why
	case err == nil:
		err = errors.New("the connection cannot be written to")
		_ = ws.CloseNow()
	case attempt.Err() != nil && ctx.Err() == nil:
		err = fmt.Errorf("no reply within %v: %w", config.Timeout, context.DeadlineExceeded)
	default:
		err = transport.WithoutURL(err)
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

// upgrade is the transport of one handshake. It keeps the reply, and gets
// between the WebSocket and its connection.
type upgrade struct {
	next    http.RoundTripper
	limit   int64 // of a reply that refuses
	attempt *transport.Attempt
	wire    *wire
	conn    atomic.Pointer[net.Conn]
}

// end closes the connection. A transport that reads each reply's body to its end,
// to log it, say, would read an open WebSocket for ever.
func (u *upgrade) end() {
	if conn := u.conn.Load(); conn != nil {
		_ = (*conn).Close()
	}
}

// RoundTrip implements [http.RoundTripper].
func (u *upgrade) RoundTrip(req *http.Request) (*http.Response, error) {
	live := context.AfterFunc(req.Context(), u.end)
	resp, err := u.next.RoundTrip(req)
	if end := req.Context(); !live() && !errors.Is(err, context.Cause(end)) {
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, end.Err() // and not what the closed connection says
	}
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
	a.Body, a.BodyErr = io.ReadAll(io.LimitReader(body, u.limit))
	if stop() {
		_ = body.Close()
	}
	resp.Body = io.NopCloser(bytes.NewReader(a.Body))
	return resp, nil
}
