package ryzetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A Drop says how the connection of a faulted request ends.
type Drop int

const (
	// NoDrop answers.
	NoDrop Drop = iota
	// DropBeforeRead resets the connection once the request line and headers
	// are there; the body is not read, nothing is processed.
	DropBeforeRead
	// DropAfterRead reads the whole request and resets the connection without
	// processing it.
	DropAfterRead
	// DropAfterProcess processes the request and resets the connection instead
	// of answering: the message was sent, and the client cannot know.
	DropAfterProcess
	// HalfReply processes the request, then sends the reply's headers with the
	// whole Content-Length and half of its body, and closes.
	HalfReply
	// NeverAnswer reads the request and stays silent, without processing it,
	// until the client gives up or the server closes. With AfterProcess it
	// processes it first.
	NeverAnswer
)

// A Fault is one or more requests going wrong. The zero Fault is none.
type Fault struct {
	// Times is how many requests the fault takes, one after the other; 0 means 1.
	Times int
	// Status is answered instead of processing the request. Without Body the
	// documented error envelope carries Message, or the status's own text.
	Status  int
	Message string // of the error envelope
	// Body replaces the reply's body, whatever it is.
	Body string
	// Header is added to the reply; it replaces what the server would send, and
	// a nil value takes a header away.
	Header http.Header
	// Delay holds the reply (or the drop) back, on the server's clock. Alone it
	// makes a slow server: the request is processed, its reply comes late, or
	// finds the client gone.
	Delay time.Duration
	// Drop ends the connection in one of several ways.
	Drop Drop
	// AfterProcess processes the request before it fails with Status or
	// NeverAnswer, as a gateway's time-out does.
	AfterProcess bool
	// Gateway makes Status the answer of something in front of the service: it
	// carries no rate headers and is not counted in the window.
	Gateway bool

	limited bool
}

// RateLimited is the service's own 429, with its text and its headers saying
// that nothing remains. The window is left as it was, so the next request is
// served.
func RateLimited() Fault {
	return Fault{Status: http.StatusTooManyRequests, Message: textRateLimit, limited: true}
}

// Throttled is the other 429: WhatsApp itself slowing the instance down, with
// rate headers that say nothing about it. That it exists is documented; its text
// here is an invention.
func Throttled() Fault {
	return Fault{Status: http.StatusTooManyRequests, Message: "rate-overlimit: too many messages, WhatsApp is throttling this number"}
}

// processes reports whether the request takes effect.
func (f *Fault) processes() bool {
	switch f.Drop {
	case DropAfterProcess, HalfReply:
		return true
	case DropBeforeRead, DropAfterRead:
		return false
	case NeverAnswer:
		return f.AfterProcess
	}
	return f.AfterProcess || f.Status == 0
}

func (f *Fault) uncounted() bool { return f.Gateway || f.limited }

// faults holds the queues of faults, by route name; "*" is for any route.
type faults struct {
	mu     sync.Mutex
	queues map[string][]Fault
}

// Fault queues faults for a route, named as "POST /api/message/text/:instance"
// or "messages.text"; "*" is any route. A request takes the first fault of its
// route's queue, else of the queue of "*". Requests that the rate limit refuses
// take none. It panics on a route that the server does not have.
func (s *Server) Fault(route string, f ...Fault) {
	key := routeKey(route)
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.queues == nil {
		s.faults.queues = map[string][]Fault{}
	}
	s.faults.queues[key] = append(s.faults.queues[key], f...)
}

// ClearFaults empties every queue of faults.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queues = nil
}

func (q *faults) take(r *route) *Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, key := range []string{r.name(), "*"} {
		queue := q.queues[key]
		if len(queue) == 0 {
			continue
		}
		f := queue[0]
		if f.Times > 1 {
			queue[0].Times--
		} else {
			q.queues[key] = queue[1:]
		}
		return &f
	}
	return nil
}

// failWithout plays a fault that keeps the request from being processed.
func (c *call) failWithout(ctx context.Context) {
	f := c.fault
	if f.Drop == DropBeforeRead {
		c.wait(ctx, f.Delay)
		c.cut(nil, true)
		return
	}
	c.drain()
	c.failAfter(ctx, f, reply{})
}

// failAfter plays the rest of a fault, when the request has been read and, if
// the fault lets it, processed.
func (c *call) failAfter(ctx context.Context, f *Fault, res reply) {
	switch f.Drop {
	case NeverAnswer:
		ctx, cancel := c.patience(ctx)
		defer cancel()
		<-ctx.Done()
		c.cut(nil, true)
		return
	case DropAfterRead, DropAfterProcess:
		c.wait(ctx, f.Delay)
		c.cut(nil, true)
		return
	}

	status, body := res.status, []byte(nil)
	switch {
	case f.Status != 0:
		status = f.Status
		body = encode(fail(status, cmp.Or(f.Message, http.StatusText(status))).body)
	case res.body != nil:
		body = encode(res.body)
	}
	if f.Body != "" {
		body = []byte(f.Body)
	}
	if f.limited {
		c.quota.remaining = 0
	}
	c.wait(ctx, f.Delay)
	if f.Drop == HalfReply {
		c.cut(c.half(status, body), false)
		return
	}
	c.write(status, body, f.Header)
}

// wait holds a faulted reply back, unless the client or the server leaves first.
func (c *call) wait(ctx context.Context, d time.Duration) {
	ctx, cancel := c.patience(ctx)
	defer cancel()
	_ = c.s.clock.sleep(ctx, d)
}

// half is a raw reply that stops in the middle of its body.
func (c *call) half(status int, body []byte) []byte {
	h := c.w.Header().Clone()
	h.Set("Content-Type", "application/json")
	c.commonHeaders(h)
	for k, v := range c.fault.Header {
		h[http.CanonicalHeaderKey(k)] = v
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	b.Write(body[:len(body)/2])
	c.entry.setStatus(status)
	return b.Bytes()
}

// cut takes the connection over, writes raw bytes and ends it, with an RST or
// in order.
func (c *call) cut(raw []byte, reset bool) {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if len(raw) > 0 {
		conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Write(raw) // the client may be gone
	}
	if reset {
		resetConn(conn)
		return
	}
	closeInOrder(conn)
}

// closeInOrder lets what was written arrive before the connection ends.
func closeInOrder(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		// What fails here fails because the client has ended the connection first.
		_ = tcp.CloseWrite()
		_ = tcp.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, tcp)
	}
	conn.Close()
}
