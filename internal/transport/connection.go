package transport

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"slices"
	"sync"
	"time"
)

// errReplay is the error of an attempt that net/http, or a transport around it,
// was about to send again by itself although nobody can tell whether it was
// carried out.
var errReplay = fmt.Errorf("the request failed, and the HTTP transport was about to send the request again: %w", io.ErrUnexpectedEOF)

// errRetired is the error of an attempt that was given a connection which had been
// closed here already.
var errRetired = fmt.Errorf("the connection had been given up: %w", net.ErrClosed)

// mostConnections bounds how often net/http may begin one attempt anew.
const mostConnections = 4

// connection is what is known of the connections of one attempt. A transport
// that does not report them through httptrace counts as having had one.
type connection struct {
	mu     sync.Mutex
	veto   *limitedContext
	wanted int
	had    bool
	reused bool  // the last one had served another request before
	taken  bool  // somebody has read the body before the first was wanted
	dead   bool  // the only one was retired before it was had
	vetoed error // why the attempt was ended
	conn   net.Conn
}

func (c *connection) begin(veto *limitedContext) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.veto, c.wanted, c.had, c.dead, c.vetoed, c.conn = veto, 0, false, false, nil, nil
	c.reused, c.taken = false, false
}

// getConn is the hook of httptrace that comes before each connection. A second
// one means that the attempt begins anew, by net/http or by a transport of the
// application's around it. Nobody counts that, and the peer may have carried the
// request out, so it is stopped here, unless the request cannot have left yet.
func (call *Call) getConn(string) {
	c := &call.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wanted++; c.wanted == 1 {
		c.taken = call.known != nil && call.known.Len() < len(call.Bytes)
	}
	if c.had && call.mayHaveLeft() || c.wanted > mostConnections {
		c.end(errReplay)
	}
}

// mayHaveLeft reports whether the request may have been written to the connection
// that was had. Over HTTP/1 net/http begins anew only what was not written, on a
// connection that it had used before, and with the body that it was given.
func (call *Call) mayHaveLeft() bool {
	c := &call.conn
	switch {
	case call.body != nil:
		return call.body.touched()
	case call.client.alive.speaksHTTP2(c.conn):
		return true
	default:
		return !call.Repeatable && (c.taken || !c.reused)
	}
}

// gotConn is the hook that comes with each connection. Once had, always had,
// unless it was a dead one: net/http needs a moment to notice that a shared
// connection was retired, and nothing can leave on it.
func (call *Call) gotConn(info httptrace.GotConnInfo) {
	dead := call.client.alive.isRetired(info.Conn)
	c := &call.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = dead && !c.had
	c.had, c.reused, c.conn = true, info.Reused, info.Conn
	if dead {
		c.end(errRetired) // net/http might wait for a reply all the same
	}
}

// end ends the attempt, for the first reason that there is.
func (c *connection) end(why error) {
	if c.vetoed == nil {
		c.vetoed = why
	}
	c.veto.end()
}

func (c *connection) wasHad() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.had || c.wanted == 0
}

// wasDead reports whether the only connection had been retired before it was had.
func (c *connection) wasDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

func (c *connection) wasVetoed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.vetoed
}

func (c *connection) last() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// liveness knows when the connections that many requests share were last heard
// of. net/http keeps an HTTP/2 connection on which requests time out, so a dead
// one would be used again and again.
type liveness struct {
	mu      sync.Mutex
	last    map[net.Conn]time.Time
	retired []net.Conn // the newest ones
}

// mostShared bounds how many connections are known; there are one or two.
const mostShared = 16

// isRetired reports whether a connection has been closed here. The usual answer
// costs nothing: none has.
func (l *liveness) isRetired(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.retired, conn)
}

// heard notes that a reply came on an HTTP/2 connection.
func (l *liveness) heard(conn net.Conn, at time.Time) {
	if conn == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		l.last = make(map[net.Conn]time.Time)
	}
	l.last[conn] = at
	if len(l.last) <= mostShared {
		return
	}
	oldest := conn
	for other, when := range l.last {
		if when.Before(l.last[oldest]) {
			oldest = other
		}
	}
	delete(l.last, oldest)
}

// retire closes a shared connection on which nothing has come since a request
// that has timed out began. On one that is alive, only that request was slow.
func (l *liveness) retire(conn net.Conn, began time.Time) {
	if conn == nil || !l.speaksHTTP2(conn) {
		return // net/http has closed it
	}
	l.mu.Lock()
	heard := l.last[conn]
	if heard.After(began) {
		l.mu.Unlock()
		return
	}
	delete(l.last, conn)
	l.mu.Unlock()
	shared := conn
	if c, ok := conn.(*tls.Conn); ok {
		conn = c.NetConn() // without a goodbye, which could block
	}
	_ = conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.retired) == mostShared {
		l.retired = slices.Delete(l.retired, 0, 1)
	}
	l.retired = append(l.retired, shared) // now that nothing can leave on it
}

func (l *liveness) speaksHTTP2(conn net.Conn) bool {
	if c, ok := conn.(*tls.Conn); ok {
		return c.ConnectionState().NegotiatedProtocol == "h2"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, shared := l.last[conn]
	return shared
}
