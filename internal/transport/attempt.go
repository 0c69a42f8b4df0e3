package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Attempt is what is known of one attempt when it is over. Either Replied is
// true or Err is set.
type Attempt struct {
	Number int       // 1 for the first
	Began  time.Time // after it was admitted

	Replied bool
	Arrived time.Time // when the reply's headers came
	Status  int       // which may be anything, 0 too
	Header  http.Header
	Body    []byte // the whole body, or what was read of it
	// BodyErr is why Body is not whole, such as [ErrTooLarge]. Cut is true when
	// it was the connection that failed.
	BodyErr error
	Cut     bool

	Err error
	// Sent is false when it is certain that no byte of the request has left:
	// there never was a connection to write it to.
	Sent bool
	// Undone is true when it is certain that nobody has carried the request out:
	// it was not sent, not whole, or the peer says that it has not looked at it.
	Undone bool
	// Stale is true when the only connection had been closed here before it was
	// had. net/http needs a moment to notice that, and opens another then.
	Stale bool
	// Unmade is true when the request could not even be made: its body did not open.
	Unmade bool
}

// errNoReply is the error of a transport that gives neither a reply nor an error.
var errNoReply = errors.New("the transport gave neither a reply nor an error")

// attempts is the transport of a call: it makes one attempt whenever it is
// asked. It alone adds the headers, among them the token, and only to requests
// for the call's origin.
type attempts Call

// above is what those above see of every reply. A Location would be parsed and
// followed, and the policy has been told what came.
var above = &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}

// RoundTrip sends the request, reads the reply, and notes what came of it.
func (t *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	call := (*Call)(t)
	a := &call.attempt
	*a = Attempt{Number: a.Number + 1, Began: time.Now(), Undone: true}
	call.between = false
	if !call.client.owns(req) {
		closeBody(req)
		return nil, ErrForeignOrigin
	}
	ctx := req.Context()
	limited := &call.limited
	if a.Number > 1 {
		limited = new(limitedContext) // net/http may not be done with the last one
	}
	deadlines := &call.client.deadlines
	deadlines.enter(ctx, limited, a.Began, call.Timeout)
	defer deadlines.leave(limited)
	call.conn.begin(limited)
	if body := call.body; body != nil && body.source != nil {
		stop := context.AfterFunc(limited, body.end) //nolint:contextcheck // it is a child of ctx
		defer func() {
			stop()
			body.end() // a reply may have come before the body was sent
		}()
	}
	sent := req.WithContext(limited) //nolint:contextcheck // as above
	sent.Header = call.Header
	resp, err := call.client.next.RoundTrip(sent)
	if err == nil && resp == nil {
		err = errNoReply
	}
	if err != nil {
		return nil, call.lost(ctx, limited, err)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if call.body != nil && call.body.source != nil && limited.Err() != nil && !call.body.seal() {
		// It answers a request that was broken off here when the time was over.
		_ = resp.Body.Close()
		return nil, call.lost(ctx, limited, limited.Err())
	}
	a.Replied, a.Sent, a.Undone = true, true, false
	a.Arrived, a.Status, a.Header = time.Now(), resp.StatusCode, resp.Header
	call.client.protocol.Store(int32(resp.ProtoMajor)) //nolint:gosec // 1, 2 or 3
	if resp.ProtoMajor > 1 {
		call.client.alive.heard(call.conn.last(), a.Arrived)
	}
	call.Policy.Heard(a)
	call.read(limited, ctx, resp)
	return above, nil
}

// lost notes what is known of an attempt that brought no reply.
func (call *Call) lost(ctx, limited context.Context, err error) error {
	a := &call.attempt
	whole := call.body.seal()
	a.Stale = call.conn.wasDead()
	a.Sent = call.conn.wasHad() && !a.Stale
	a.Undone = !a.Sent || !whole && call.conn.last() != nil || declined(err)
	switch {
	case call.conn.wasVetoed() != nil:
		err = call.conn.wasVetoed()
	case limited.Err() != nil && errors.Is(limited.Err(), context.DeadlineExceeded):
		if a.Sent {
			call.client.alive.retire(call.conn.last(), a.Began)
		}
		if ctx.Err() == nil {
			err = fmt.Errorf("no reply within %v: %w", call.Timeout, context.DeadlineExceeded)
		}
	}
	if errors.Is(err, errSealed) && ctx.Err() != nil {
		err = ctx.Err() // the body was ended for it
	}
	a.Err = ended(ctx, err)
	return a.Err
}

// ended returns an error as one of the end of the caller's context, if it is that:
// of a context that has a cause, net/http tells only the cause.
func ended(ctx context.Context, err error) error {
	if end := ctx.Err(); end != nil && !errors.Is(err, end) && errors.Is(err, context.Cause(ctx)) {
		return fmt.Errorf("%w: %w", end, err)
	}
	return err
}

// read reads the reply's body, unless the connection is no longer HTTP.
func (call *Call) read(limited, ctx context.Context, resp *http.Response) {
	a := &call.attempt
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close()
		return
	}
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") { // net/http takes it off when it has asked for it
		resp.Body, resp.ContentLength = &gzipBody{ReadCloser: resp.Body}, -1
	}
	call.reply = replyBody{ReadCloser: resp.Body}
	body := &call.reply
	defer func() { _ = body.Close() }()
	switch {
	case resp.StatusCode/100 != 2:
		a.Body, a.BodyErr = readAll(body, resp.ContentLength, call.MaxRefusal)
	case call.Sink != nil:
		resp.Body = body
		a.BodyErr = call.Sink(resp)
	default:
		a.Body, a.BodyErr = readAll(body, resp.ContentLength, call.MaxBody)
	}
	a.BodyErr = ended(ctx, a.BodyErr)
	a.Cut = a.BodyErr != nil && body.err != nil
	if a.Cut && ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		a.BodyErr = fmt.Errorf("reply not complete within %v: %w", call.Timeout, context.DeadlineExceeded)
	}
}

// declined reports whether net/http's error says that the peer has not looked at
// the request: an HTTP/2 stream that was refused, or that is younger than the
// last one which the peer's GOAWAY promises to finish (RFC 9113, 8.7). net/http
// would repeat such a request by itself if it could read the body again, which
// it is not allowed to, because it does the same after PROTOCOL_ERROR, which
// promises nothing. It tells the cause in words only; a sentence that is not
// known is no promise.
func declined(err error) bool {
	const refused, before, after = "http2: Transport: cannot retry err [", "stream error: stream ID ", "; REFUSED_STREAM"
	text := err.Error()
	_, cause, found := strings.Cut(text, refused)
	switch {
	case !found:
		return false
	case strings.HasPrefix(cause, "http2: Transport received Server's graceful shutdown GOAWAY]"):
		return true
	default:
		id, ok := strings.CutPrefix(cause, before)
		id = strings.TrimLeft(id, "0123456789")
		return ok && strings.HasPrefix(id, after)
	}
}
