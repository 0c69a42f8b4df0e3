package ryzetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Drop says how the connection of a faulted request ends.
type Drop int

const (
	// NoDrop answers.
	NoDrop Drop = iota
	// DropBeforeRead resets the connection after the request's headers. The
	// body is not read and nothing is processed.
	DropBeforeRead
	// DropAfterRead reads the request, or as much as Read says, and resets the
	// connection. Nothing is processed.
	DropAfterRead
	// DropAfterProcess processes the request and resets the connection without
	// an answer: the message was sent, and the client cannot know.
	DropAfterProcess
	// HalfReply sends the reply's headers with the whole Content-Length, and
	// half of the body. HTTP/1 then closes the connection; HTTP/2 resets the
	// stream with Code. The request is processed, unless there is a Status.
	HalfReply
	// NeverAnswer reads the request and stays silent until the client gives up
	// or the server closes. It processes the request only with AfterProcess.
	// The connection lives: HTTP/2 answers PINGs.
	NeverAnswer
	// StalledReply sends what HalfReply sends, and then nothing more. The
	// connection stays until the client gives up or the server closes.
	StalledReply
	// Freeze is NeverAnswer on a dead connection: nothing on it is answered
	// again, also no other request and no HTTP/2 PING. It stays open until the
	// client or the server closes it. See Server.FreezeConnections.
	Freeze
	// ResetStream ends the request with RST_STREAM and Code. It processes the
	// request only with AfterProcess. HTTP/1 has no streams: it resets the
	// connection.
	ResetStream
)

// A GoAway announces that the server will end the connection.
type GoAway struct {
	Code H2Code
	// LastStream says which request is the last that the server admits to have
	// seen, from the faulted one (0). -1 says that the faulted one is not
	// processed. The Fault decides what is true.
	LastStream int
}

// RawStatus is the Status in the log of a request that was answered with a
// RawStatus.
const RawStatus = -1

// A Fault breaks one or more requests. The zero Fault does nothing.
type Fault struct {
	// Times is how many requests the fault takes, one after another; 0 means 1.
	Times int
	// Status is the answer, without processing the request. Without Body the
	// error envelope has Message, or the status's own text.
	Status  int
	Message string // of the error envelope
	// RawStatus is an answer that is no valid status: "101", "000", "099",
	// "1000", "abc". With AfterProcess the request is processed.
	RawStatus string
	// Body replaces the reply's body. Empty removes it.
	Body  string
	Empty bool
	// Edit changes the reply's JSON object, decoded with encoding/json's own types,
	// before it is sent. It runs on the server's goroutines.
	Edit func(reply map[string]any)
	// Padding makes the body longer by about that many bytes. A JSON object
	// gets a member "padding" at its beginning, anything else blanks at its
	// end.
	Padding int64
	// Header is added to the reply and replaces the server's own. A nil value
	// removes a header. A Content-Length larger than the body makes a cut
	// reply.
	Header http.Header
	// Delay holds the reply or the drop back, on the server's clock. Without a
	// Status it makes a slow server: the request is processed, and its reply is
	// late.
	Delay time.Duration
	// Drop ends the request or its connection in one of several ways.
	Drop Drop
	// Code is what RST_STREAM carries with ResetStream and HalfReply.
	Code H2Code
	// GoAway is sent after the request was read, and processed if it is.
	// Without a Drop a reply follows. With DropAfterRead or DropAfterProcess
	// the connection then ends in order. Over HTTP/1 the reply says
	// "Connection: close" instead.
	GoAway *GoAway
	// Read is how many bytes of the body are read by a fault that does not
	// process the request; 0 means all.
	Read int64
	// AfterProcess processes the request before it fails with Status,
	// RawStatus, NeverAnswer, Freeze or ResetStream, like a gateway's time-out.
	AfterProcess bool
	// Gateway makes Status the answer of something in front of the service:
	// without rate headers and without quota.
	Gateway bool

	limited bool
	id      int64  // given by the queue
	what    string // how the control API calls it
}

// RateLimited is the service's own 429, with its text and headers that say that
// nothing remains. The window stays as it was, so the next request works.
func RateLimited() Fault {
	return Fault{Status: http.StatusTooManyRequests, Message: textRateLimit, limited: true}
}

// Throttled is the other 429, from WhatsApp. Its rate headers do not speak of
// it. Its text is invented; see docs/service-notes.md.
func Throttled() Fault {
	return Fault{Status: http.StatusTooManyRequests, Message: "rate-overlimit: too many messages, WhatsApp is throttling this number"}
}

// Applies reports whether the faulted request takes effect, for example whether
// its message is sent although the client sees a failure.
func (f *Fault) Applies() bool {
	switch f.Drop {
	case DropAfterProcess:
		return true
	case DropBeforeRead, DropAfterRead:
		return false
	case NeverAnswer, Freeze, ResetStream:
		return f.AfterProcess
	case NoDrop, HalfReply, StalledReply:
	}
	return f.AfterProcess || f.Status == 0 && f.RawStatus == ""
}

func (f *Fault) uncounted() bool { return f.Gateway || f.limited }

// faults holds the queues of faults, by route name; "*" is for any route.
type faults struct {
	mu     sync.Mutex
	queues map[string][]Fault
	last   int64 // id
}

// Fault queues faults for a route, named as "POST /api/message/text/:instance"
// or "messages.text"; "*" is any route. A request takes the first fault of its
// route, or else of "*". A request that the rate limit refuses takes none. It
// panics on an unknown route.
func (s *Server) Fault(route string, f ...Fault) {
	s.faults.add(routeKey(route), f...)
	s.changed(ChangeServer)
}

// ClearFaults empties every queue of faults.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	s.faults.queues = nil
	s.faults.mu.Unlock()
	s.changed(ChangeServer)
}

// add queues faults, and returns the id of the last one.
func (q *faults) add(key string, list ...Fault) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queues == nil {
		q.queues = map[string][]Fault{}
	}
	for _, f := range list {
		q.last++
		f.id = q.last
		q.queues[key] = append(q.queues[key], f)
	}
	return q.last
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
	switch {
	case f.Drop == DropBeforeRead:
		c.wait(ctx, f.Delay)
		c.cut(true)
	case f.Read > 0:
		_, _ = io.CopyN(c.entry, c.r.Body, f.Read) // less of it: all of it
	default:
		c.drain()
	}
	c.failAfter(ctx, f, reply{})
}

// failAfter plays the rest of a fault, when the request has been read and, if
// the fault lets it, processed.
func (c *call) failAfter(ctx context.Context, f *Fault, res reply) {
	if f.GoAway != nil {
		c.goAway(*f.GoAway)
	}
	switch f.Drop {
	case NeverAnswer:
		c.hang(ctx)
	case Freeze:
		c.wait(ctx, f.Delay)
		c.conn.freeze()
		if c.stream == 0 {
			c.hang(ctx)
		}
		panic(http.ErrAbortHandler)
	case ResetStream:
		c.wait(ctx, f.Delay)
		if c.stream == 0 {
			c.cut(true)
		}
		c.conn.frames.reset(c.stream, f.Code)
		panic(http.ErrAbortHandler)
	case DropBeforeRead, DropAfterRead, DropAfterProcess:
		c.wait(ctx, f.Delay)
		c.cut(f.GoAway == nil)
	}

	status, body := res.status, []byte(nil)
	switch {
	case f.Status != 0:
		status = f.Status
		body = encode(fail(status, cmp.Or(f.Message, http.StatusText(status))).body)
	case res.body != nil:
		body = encode(res.body)
	}
	if f.Edit != nil && res.body != nil && f.Status == 0 {
		body = edited(body, f.Edit)
	}
	switch {
	case f.Body != "":
		body = []byte(f.Body)
	case f.Empty:
		body = nil
	}
	if f.limited {
		c.quota.remaining = 0
	}
	c.wait(ctx, f.Delay)
	switch {
	case f.RawStatus != "":
		c.answerRaw(ctx, f, body)
	case f.Drop == HalfReply || f.Drop == StalledReply:
		c.half(ctx, f, status, body)
	case f.Padding > 0:
		c.writePadded(status, body, f)
	default:
		c.write(status, body, f.Header)
	}
}

// edited is a JSON object after a change; anything else stays as it is.
func edited(body []byte, edit func(map[string]any)) []byte {
	var o map[string]any
	if json.Unmarshal(body, &o) != nil || o == nil {
		return body
	}
	edit(o)
	return encode(o)
}

// writePadded writes a long body without holding it.
func (c *call) writePadded(status int, body []byte, f *Fault) {
	before, filler, after := string(body), " ", ""
	if rest, isObject := strings.CutPrefix(before, "{"); isObject {
		before, filler, after = `{"padding":"`, "x", `",`+rest
		if rest == "}" {
			after = `"}`
		}
	}
	h := c.w.Header()
	c.replyHeaders(h, 0, f.Header)
	h.Set("Content-Length", strconv.FormatInt(int64(len(before))+f.Padding+int64(len(after)), 10))
	c.entry.setStatus(status)
	c.w.WriteHeader(status)
	// Once a write fails the client is gone, and the rest fails as well.
	_, _ = io.WriteString(c.w, before)
	chunk := strings.Repeat(filler, 32<<10)
	for left := f.Padding; left > 0; {
		n, err := io.WriteString(c.w, chunk[:min(left, int64(len(chunk)))])
		if err != nil {
			return
		}
		left -= int64(n)
	}
	_, _ = io.WriteString(c.w, after)
}

// wait holds a faulted reply back, unless the client or the server leaves first.
func (c *call) wait(ctx context.Context, d time.Duration) {
	ctx, cancel := c.patience(ctx)
	defer cancel()
	_ = c.s.clock.sleep(ctx, d)
}

// hang stays silent until the client gives up or the server closes, and does not
// return.
func (c *call) hang(ctx context.Context) {
	ctx, cancel := c.patience(ctx)
	defer cancel()
	<-ctx.Done()
	panic(http.ErrAbortHandler)
}

// goAway announces the end of the connection: with a frame of HTTP/2, with a header
// of HTTP/1.
func (c *call) goAway(g GoAway) {
	if c.stream == 0 {
		c.w.Header().Set("Connection", "close")
		return
	}
	last := int64(c.stream) + 2*int64(g.LastStream)
	c.conn.frames.goAway(g.Code, uint32(min(max(last, 0), math.MaxInt32)))
}

// half begins a reply, and stops in the middle of its body.
func (c *call) half(ctx context.Context, f *Fault, status int, body []byte) {
	half := body[:len(body)/2]
	c.keep(half)
	if f.Drop == HalfReply && c.stream != 0 {
		c.conn.frames.resetAfter(c.stream, len(half), f.Code)
		c.write(status, body, f.Header)
		return
	}
	c.replyHeaders(c.w.Header(), len(body), f.Header)
	c.entry.setStatus(status)
	c.w.WriteHeader(status)
	c.w.Write(half)
	_ = http.NewResponseController(c.w).Flush() // the client may be gone
	if f.Drop == StalledReply {
		c.hang(ctx)
	}
	panic(http.ErrAbortHandler) // closes the connection in order
}

// answerRaw sends a reply whose status net/http's server would not send.
func (c *call) answerRaw(ctx context.Context, f *Fault, body []byte) {
	h := c.w.Header().Clone()
	c.replyHeaders(h, len(body), f.Header)
	c.entry.setStatus(RawStatus)
	if f.Drop == HalfReply || f.Drop == StalledReply {
		body = body[:len(body)/2]
	}
	c.keep(body)
	if c.stream != 0 {
		var fields [][2]string
		for name, values := range h {
			for _, v := range values {
				fields = append(fields, [2]string{strings.ToLower(name), v})
			}
		}
		c.conn.frames.answer(c.stream, f.RawStatus, fields, body, f.Drop == NoDrop)
		switch f.Drop {
		case StalledReply:
			c.hang(ctx)
		case HalfReply:
			c.conn.frames.reset(c.stream, f.Code)
		}
		panic(http.ErrAbortHandler)
	}

	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %s \r\n", f.RawStatus)
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	b.Write(body)
	_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, _ = conn.Write(b.Bytes()) // the client may be gone
	if f.Drop == StalledReply {
		ctx, cancel := c.patience(ctx) // hijacking has not ended the request's context
		defer cancel()
		defer context.AfterFunc(ctx, func() { c.conn.raw.Close() })()
		_, _ = io.Copy(io.Discard, conn) // until the client leaves
		conn.Close()
		return
	}
	c.conn.closeInOrder()
}

// cut ends the connection, with an RST or in order, and does not return.
func (c *call) cut(reset bool) {
	switch {
	case reset:
		resetConn(c.conn)
	case c.stream != 0:
		c.conn.closeWrite() // the server reads on, until the client leaves too
	default:
		if _, _, err := http.NewResponseController(c.w).Hijack(); err == nil {
			c.conn.closeInOrder()
		}
	}
	panic(http.ErrAbortHandler)
}
