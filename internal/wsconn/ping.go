//go:build !js

package wsconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// wire is the connection under a WebSocket. It counts what comes: a clock may step
// back, and what came before would seem to come after.
type wire struct {
	io.ReadWriteCloser
	signs atomic.Uint64 // of life
}

// Read implements [io.Reader], with errEnded for io.EOF.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.ReadWriteCloser.Read(p)
	if n > 0 {
		w.signs.Add(1)
	}
	if errors.Is(err, io.EOF) {
		err = errEnded
	}
	return n, err
}

// keeper finds out when a connection is dead.
type keeper struct {
	wire        *wire
	every, wait time.Duration // see [Config]

	mu      sync.Mutex
	timer   *time.Timer // of the next ping
	stopped bool
	cause   error // why this side gave the connection up
	pings   sync.WaitGroup
}

// keepAlive begins to ping.
func (c *Conn) keepAlive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings.Add(1)
	c.timer = time.AfterFunc(c.untilPing(), c.ping)
}

// untilPing spreads the pings of many connections: every interval, give or take
// a tenth.
func (c *Conn) untilPing() time.Duration {
	tenth := c.every / 10
	return c.every - tenth + rand.N(2*tenth+1)
}

// ping pings once, waits for any sign of life, and sets the timer for the next.
func (c *Conn) ping() {
	defer c.pings.Done()
	began, signs := time.Now().UnixNano(), c.wire.signs.Load()
	ctx, cancel := context.WithTimeout(context.Background(), c.wait)
	defer cancel()
	err := c.ws.Ping(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && !c.stopped && !c.cut.Load() {
		c.answered.Store(began) // the reader has read the answer, and everything before it
	}
	switch {
	case c.stopped:
	case err != nil && c.wire.signs.Load() == signs:
		c.cause = fmt.Errorf("no answer to a ping within %v: %w", c.wait, os.ErrDeadlineExceeded)
		_ = c.wire.Close() // the reader notices
	default:
		c.pings.Add(1)
		c.timer.Reset(c.untilPing())
	}
}

// stopPings lets no further ping begin.
func (c *Conn) stopPings() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.timer.Stop() {
		c.pings.Done()
	}
}

// waitPings returns when no ping is under way, which is soon when the
// connection is closed.
func (c *Conn) waitPings() { c.pings.Wait() }

// givenUp returns why this side gave the connection up, if it did.
func (c *Conn) givenUp() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// HangUp says goodbye, for at most a second, and closes the connection.
func (c *Conn) HangUp() {
	c.leaving.Store(true)
	timer := time.AfterFunc(goodbye, func() { _ = c.wire.Close() })
	_ = c.ws.Close(websocket.StatusNormalClosure, "")
	timer.Stop()
}

// drop closes the connection at once.
func (c *Conn) drop() {
	_ = c.wire.Close()
	_ = c.ws.CloseNow()
}
