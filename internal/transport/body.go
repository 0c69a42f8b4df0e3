package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
)

// oneWrite is the largest body that is given to net/http as a reader which it
// knows: over HTTP/1 it then sends head and body in one write.
const oneWrite = 64 << 10

// setBody gives the request of an attempt its body.
//
// Most get one that cannot be had twice, so that net/http does not send the
// request again by itself: it would do so after errors that leave open whether
// it was carried out, and nobody would count it. Over HTTP/1 it is allowed to,
// because there a request that has a body and is not idempotent by its method
// is sent again only when no byte of it was written.
func (call *Call) setBody(req *http.Request) error {
	http1 := call.client.protocol.Load() == 1
	body := &call.first
	if call.attempt.Number > 0 {
		body = new(requestBody) // net/http may not be done with the last one
	}
	call.body, call.known = nil, nil
	req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	switch {
	case call.Open != nil:
		source, err := call.Open()
		if err != nil {
			return err
		}
		req.ContentLength = call.Size
		call.body = body
		body.source, body.left = source, call.Size
	case call.Bytes != nil && http1 && len(call.Bytes) <= oneWrite:
		req.ContentLength = int64(len(call.Bytes))
		call.known = bytes.NewReader(call.Bytes)
		req.Body, req.GetBody = io.NopCloser(call.known), call.bodyAgain
		return nil
	case call.Bytes != nil:
		req.ContentLength = int64(len(call.Bytes))
		call.body = body
		body.left = req.ContentLength
		body.bytes.Reset(call.Bytes)
	case !call.Repeatable && (call.Method == http.MethodGet || !http1):
		call.body = body
		body.left = -1 // it is empty, but does not look so
	default:
		return nil
	}
	req.Body = call.body
	return nil
}

// bodyAgain is the GetBody of a request over HTTP/1. When there was a connection,
// it is for net/http alone, which asks only when nothing was written: a transport
// around it would ask after any failure. Between the last reply and this request
// the peer may have changed to HTTP/2.
func (call *Call) bodyAgain() (io.ReadCloser, error) {
	conn := call.conn.last()
	if conn != nil && (call.client.alive.speaksHTTP2(conn) || !calledBy("net/http.rewindBody")) {
		return nil, errReplay
	}
	return io.NopCloser(bytes.NewReader(call.Bytes)), nil
}

// calledBy reports whether the caller's caller is that function.
func calledBy(name string) bool {
	pc, _, _, _ := runtime.Caller(2)
	caller := runtime.FuncForPC(pc)
	return caller != nil && caller.Name() == name
}

// requestBody is the body of one attempt. It knows whether it was read to its
// end: a request that was not is not whole, so nobody can have carried it out.
type requestBody struct {
	source io.ReadCloser // nil for bytes
	bytes  bytes.Reader
	left   int64 // of a body whose length is known, -1 for others; of the reader alone
	state  atomic.Int32
}

// The states of a body: a sealed one gives nothing more, a whole one has given
// everything.
const (
	bodyUntouched = iota
	bodyTouched
	bodyWhole
	bodySealed
)

var errSealed = errors.New("the attempt is over")

// Read implements [io.Reader].
func (b *requestBody) Read(p []byte) (n int, err error) {
	b.state.CompareAndSwap(bodyUntouched, bodyTouched)
	if b.source != nil {
		n, err = b.source.Read(p)
	} else {
		n, err = b.bytes.Read(p)
	}
	if b.left > 0 {
		b.left -= int64(n)
	}
	atEnd := b.left == 0 || errors.Is(err, io.EOF)
	if !atEnd {
		if b.state.Load() == bodySealed { // whatever the source says of its end
			return 0, errSealed
		}
		return n, err
	}
	if !b.state.CompareAndSwap(bodyTouched, bodyWhole) && b.state.Load() == bodySealed {
		return 0, errSealed
	}
	return n, err
}

// Close implements [io.Closer].
func (b *requestBody) Close() error {
	if b.source != nil {
		return b.source.Close()
	}
	return nil
}

// end ends a Read that waits for the source, which may block for ever: net/http
// does not return before it. The source's Close must not wait for it either.
func (b *requestBody) end() {
	b.seal()
	_ = b.Close()
}

// touched reports whether a part of the body may have left. A body that is not
// tracked, or none, may have.
func (b *requestBody) touched() bool { return b == nil || b.state.Load() != bodyUntouched }

// seal ends the reading, and reports whether the body was read to its end. A
// body that is not tracked, or none, was.
func (b *requestBody) seal() bool {
	if b == nil {
		return true
	}
	for {
		s := b.state.Load()
		switch {
		case s == bodyWhole:
			return true
		case s == bodySealed || b.state.CompareAndSwap(s, bodySealed):
			return false
		}
	}
}
