// Package wsconn is one WebSocket connection: the handshake, reading, pings of
// its own, the goodbye. What an error means, whether to connect again and what
// a message is, its caller knows.
package wsconn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Config is what a connection is made with. A browser makes the handshake by
// itself: there Client, Header and the pings play no part.
type Config struct {
	Client     *http.Client
	URL        url.URL
	Header     http.Header
	Timeout    time.Duration // of the handshake
	MaxRefusal int64         // how many bytes are read of the body of a reply that refuses
	MaxMessage int64         // how many bytes a message may have
	PingEvery  time.Duration // give or take a tenth
	PingWait   time.Duration // for an answer
}

// ErrTooLarge is the error of a connection on which a message came that is
// larger than Config.MaxMessage.
var ErrTooLarge = errors.New("message is larger than the limit")

// CloseError says that the peer closed the connection with a close frame. Its
// reason is what the peer said, as it is.
type CloseError struct {
	Code   int // 1005 stands for a frame without a code
	Reason string
}

// Error gives the code.
func (e *CloseError) Error() string { return fmt.Sprintf("closed by the peer with code %d", e.Code) }

// Conn is one connection; see [Dial]. It has one user, who calls Receive or
// HangUp.
type Conn struct {
	ws     *websocket.Conn
	opened time.Time

	// For the reader alone: whether it is inside a message, and the last moment
	// at which everything sent before had been received whole.
	inside bool
	alive  time.Time

	answered atomic.Int64 // see Whole, in Unix nanoseconds
	cut      atomic.Bool  // the last answer to a ping came in the middle of a message
	leaving  atomic.Bool  // the goodbye reads too, beside the reader

	keeper // of the connection, by pings
}

// begin is the beginning of a connection that the handshake has made.
func (c *Conn) begin(ws *websocket.Conn, maxMessage int64, began time.Time) {
	c.ws = ws
	ws.SetReadLimit(maxMessage)
	c.opened = time.Now().UTC()
	c.alive = c.opened
	c.answered.Store(began.UnixNano())
}

// Whole returns a moment before which nothing was sent that has not been given
// to accept, and accepted: when the last ping was sent that has been answered
// between two messages, or when the handshake began. Time on the way, and pauses
// of this process, do not make it wrong. It may be called at any time.
func (c *Conn) Whole() time.Time { return time.Unix(0, c.answered.Load()).UTC() }

// Opened returns when the connection was made.
func (c *Conn) Opened() time.Time { return c.opened }

// Alive returns the last moment at which everything that the peer had sent
// before had been received whole. It must not be called during Receive.
func (c *Conn) Alive() time.Time { return c.alive }

// hasAnswer notes an answer to a ping. It is called before the ping returns.
func (c *Conn) hasAnswer() {
	if c.leaving.Load() {
		return
	}
	c.cut.Store(c.inside)
	c.isWhole()
}

// hasPing notes a ping of the peer.
func (c *Conn) hasPing() {
	if !c.leaving.Load() {
		c.isWhole()
	}
}

// isWhole notes a sign of life that is not in the middle of a message.
func (c *Conn) isWhole() {
	if !c.inside {
		c.alive = time.Now().UTC()
	}
}

// Receive reads the connection until it breaks, ctx ends or accept fails, and
// closes it: with a goodbye, unless it broke. It returns what broke it: a
// [*CloseError], [ErrTooLarge], what a ping or the network says, or the error of
// accept as it is. When ctx ends, the error says nothing of use.
//
// Accept is called with every message, when it came, and the last sign of life
// before it. It must not keep the message. One that it fails with does not
// count for Alive.
func (c *Conn) Receive(ctx context.Context, accept func(message []byte, came, before time.Time) error) error {
	hungUp := make(chan struct{})
	keep := context.AfterFunc(ctx, func() {
		defer close(hungUp)
		c.HangUp()
	})
	c.keepAlive()
	refused, broken := c.read(accept) //nolint:contextcheck // the context closes the connection, above
	c.stopPings()
	switch {
	case !keep():
		<-hungUp
	case refused != nil:
		c.HangUp()
	default:
		c.drop()
	}
	c.waitPings()
	if refused != nil {
		return refused
	}
	return broken
}

// read reads until accept refuses a message or the connection breaks. Its
// context never ends, because a context that ends would cost an allocation for
// every message, and take the connection down without a goodbye.
func (c *Conn) read(accept func(message []byte, came, before time.Time) error) (refused, broken error) {
	for {
		_, r, err := c.ws.Reader(context.Background())
		if err != nil {
			return nil, c.broken(err)
		}
		c.inside = true
		message := messages.Get().(*bytes.Buffer)
		message.Reset()
		if _, err = message.ReadFrom(r); err != nil {
			putBack(message)
			return nil, c.broken(err)
		}
		before := c.alive
		c.inside = false
		c.isWhole()
		err = accept(message.Bytes(), c.alive, before)
		putBack(message)
		if err != nil {
			c.alive = before // it will not be delivered
			return err, nil
		}
	}
}

// messages holds buffers for messages; connections have none of their own,
// because most of the time they wait.
var messages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// largestPooled is the largest buffer that is kept for the next message.
const largestPooled = 1 << 20

func putBack(b *bytes.Buffer) {
	if b.Cap() <= largestPooled {
		messages.Put(b)
	}
}

// errEnded is the end of a connection. Where it cuts a message off, io.EOF would
// pass for the end of the message.
var errEnded = errors.New("the peer has gone")

// broken returns why a connection broke.
func (c *Conn) broken(err error) error {
	if cause := c.givenUp(); cause != nil {
		return cause
	}
	var closed websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		return ErrTooLarge
	case errors.As(err, &closed):
		return &CloseError{Code: int(closed.Code), Reason: closed.Reason}
	case errors.Is(err, errEnded) && c.inside:
		return lost(io.ErrUnexpectedEOF)
	case errors.Is(err, errEnded):
		return lost(io.EOF)
	default:
		return lost(innermost(err))
	}
}

func lost(err error) error { return fmt.Errorf("the connection was lost: %w", err) }

// innermost takes off what the layers above the network say about their steps.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if _, ok := err.(*net.OpError); ok || inner == nil { //nolint:errorlint // one layer at a time
			return err
		}
		err = inner
	}
}

// goodbye is how long the peer has to answer a close frame.
const goodbye = time.Second
