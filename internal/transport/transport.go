// Package transport sends requests to one origin, attempt by attempt. It wires
// go-retryablehttp so that nothing is repeated unless its caller says so, keeps
// the token away from every other host, follows no redirect, bounds what it
// reads, and knows of every attempt whether the request can have reached the
// server. It knows no endpoint.
package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// ErrForeignOrigin is the error of a request that was about to leave for
// another origin than the client's own.
var ErrForeignOrigin = errors.New("request for a foreign origin refused")

// ErrTooLarge is the error of reading a reply larger than the limit.
var ErrTooLarge = errors.New("reply is larger than the limit")

// Policy decides about one call.
type Policy interface {
	// Admit is asked before each attempt; it may wait.
	Admit(ctx context.Context) error
	// Judge is told what came of an attempt that was admitted, and says
	// whether and after how long to try again.
	Judge(ctx context.Context, a *Attempt) (again bool, wait time.Duration)
}

// Attempt is what is known of one attempt when it is over. Either Status is
// set or Err is.
type Attempt struct {
	Number int       // 1 for the first
	Began  time.Time // after it was admitted
	// Arrived is when the reply's headers came.
	Arrived time.Time
	// Sent is false when it is certain that no byte of the request has left:
	// there never was a connection to write it to.
	Sent   bool
	Status int
	Header http.Header
	Body   []byte // the whole body, or what was read of it
	// BodyErr is why Body is not whole, such as [ErrTooLarge].
	BodyErr error
	Err     error
	// Refused is true when Err comes from Admit.
	Refused bool
}

// Call is one call: a request, sent as often as its policy says.
type Call struct {
	Policy Policy
	Method string
	Path   string // decoded
	Raw    string // escaped form of Path, or "" when it needs no escaping
	Query  string // encoded
	Header http.Header
	// Token headers, added at the last moment. The slice is shared and not changed.
	TokenHeader string
	Token       []string
	// Bytes is the request's body. Instead of it, Open opens the body, once for
	// each attempt, and Size is its length, -1 when it is not known.
	Bytes []byte
	Open  func() (io.ReadCloser, error)
	Size  int64
	// Timeout limits one attempt, from admission to the end of the body.
	Timeout time.Duration
	// Replayable allows net/http to send the request again by itself when a
	// kept-alive connection dies under it. It matters only for GET.
	Replayable bool
	// MaxBody bounds the reply.
	MaxBody int64
	// Sink reads the body of a 2xx reply instead of its being kept, if set.
	Sink func(*http.Response) error

	ctx     callContext
	attempt Attempt
	trace   httptrace.ClientTrace
	conn    atomic.Int32 // connUntraced, connWanted or connHad
	cancel  context.CancelFunc
	wait    time.Duration
	probed  bool // retryablehttp has asked for the body's length
}

// Client sends calls to one origin. It is safe for concurrent use.
type Client struct {
	scheme, host string
	http         http.Client
	retry        *retryablehttp.Client
}

// New returns a client for the origin of base. Of the given client only the
// transport is used: no cookies, no redirects, and time limits come with each
// call, because the client's own would count the wait for quota.
func New(base *url.URL, client *http.Client) *Client {
	c := &Client{scheme: base.Scheme, host: base.Host}
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport //nolint:forbidigo // what a client without a transport means
	}
	c.http = http.Client{
		Transport:     &guard{client: c, next: next},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.retry = &retryablehttp.Client{
		HTTPClient:   &c.http,
		Logger:       nil,           // the default prints URLs to stderr
		RetryMax:     math.MaxInt32, // the policy counts
		CheckRetry:   checkRetry,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return 0 },
		PrepareRetry: waitBeforeRetry, // waits, because Backoff is not told whose call it is
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return c
}

// HTTP returns a client with the same guard for handshakes: no redirects, no
// foreign origin. A token is added only to calls made through Do.
func (c *Client) HTTP() *http.Client { return &c.http }

// CloseIdle closes idle connections of the underlying transport.
func (c *Client) CloseIdle() {
	type closer interface{ CloseIdleConnections() }
	if t, ok := c.http.Transport.(*guard).next.(closer); ok {
		t.CloseIdleConnections()
	}
}

// Do makes the call. Everything that came of its attempts has been told to the
// policy; the error is only for what kept an attempt from being made: the
// context ended during a wait, or the body could not be opened.
func (c *Client) Do(ctx context.Context, call *Call) error {
	req, err := c.request(ctx, call)
	if err != nil {
		return err
	}
	resp, err := c.retry.Do(req)
	if resp != nil {
		_ = resp.Body.Close() // read to its end, or replaced by NoBody, in checkRetry
	}
	if err != nil && call.attempt.Err == nil {
		return unwrapURL(err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, call *Call) (*retryablehttp.Request, error) {
	call.ctx = callContext{ctx, call}
	hr, err := http.NewRequestWithContext(&call.ctx, call.Method, "", nil) //nolint:contextcheck // call.ctx is ctx with the call in it
	if err != nil {
		return nil, err
	}
	hr.URL.Scheme, hr.URL.Host = c.scheme, c.host
	hr.URL.Path, hr.URL.RawPath, hr.URL.RawQuery = call.Path, call.Raw, call.Query
	hr.Host = c.host
	hr.Header = call.Header
	call.trace.GetConn, call.trace.GotConn = call.getConn, call.gotConn
	if call.Bytes == nil && call.Open == nil {
		if !call.Replayable {
			// net/http sends a GET again when a kept-alive connection dies,
			// unless it has a body that cannot be had twice. An empty one will do.
			hr.Body = unrepeatable{}
		}
		return &retryablehttp.Request{Request: hr}, nil
	}
	req := &retryablehttp.Request{Request: hr}
	if err := req.SetBody(retryablehttp.ReaderFunc(call.open)); err != nil {
		return nil, err
	}
	return req, nil
}

// open is the body's ReaderFunc. Its first call only serves SetBody, which
// wants to know the length.
func (call *Call) open() (io.Reader, error) {
	if call.Bytes != nil {
		// net/http knows this type and sends head and body in one write.
		return bytes.NewReader(call.Bytes), nil
	}
	if !call.probed {
		call.probed = true
		if call.Size < 0 {
			return unrepeatable{}, nil // has no length
		}
		return length(call.Size), nil
	}
	return call.Open()
}

type length int64

func (n length) Len() int                 { return int(n) }
func (n length) Read([]byte) (int, error) { return 0, io.EOF }

// unrepeatable is an empty body that does not look like one.
type unrepeatable struct{}

func (unrepeatable) Read([]byte) (int, error) { return 0, io.EOF }
func (unrepeatable) Close() error             { return nil }

// callContext carries the call to the places that only get a context.
type callContext struct {
	context.Context //nolint:containedctx // it is a context
	call            *Call
}

type callKey struct{}

func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c.call
	}
	return c.Context.Value(key)
}

func callFrom(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// A transport that does not report its connections through httptrace leaves
// the state at connUntraced, which has to count as sent.
const (
	connUntraced = iota
	connWanted
	connHad
)

func (call *Call) getConn(string)                { call.conn.Store(connWanted) }
func (call *Call) gotConn(httptrace.GotConnInfo) { call.conn.Store(connHad) }

// guard is the innermost transport of ours. It alone adds the token, and only
// to requests for its own origin.
type guard struct {
	client *Client
	next   http.RoundTripper
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != g.client.scheme || !strings.EqualFold(req.URL.Host, g.client.host) || !strings.EqualFold(req.Host, g.client.host) {
		closeBody(req)
		return nil, ErrForeignOrigin
	}
	ctx := req.Context()
	call := callFrom(ctx)
	if call == nil { // a handshake: its caller has set everything
		return g.next.RoundTrip(req)
	}
	call.attempt = Attempt{Number: call.attempt.Number + 1}
	call.conn.Store(connUntraced)
	if err := call.Policy.Admit(ctx); err != nil {
		closeBody(req)
		call.attempt.Refused = true
		return nil, err
	}
	call.attempt.Began = time.Now()
	attempt := httptrace.WithClientTrace(ctx, &call.trace)
	attempt, call.cancel = context.WithTimeout(attempt, call.Timeout)
	if call.TokenHeader != "" {
		req.Header[call.TokenHeader] = call.Token
	}
	resp, err := g.next.RoundTrip(req.WithContext(attempt))
	call.attempt.Arrived = time.Now()
	if err != nil && attempt.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("no reply within %v: %w", call.Timeout, context.DeadlineExceeded)
	}
	return resp, err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// checkRetry ends an attempt: it reads the reply and asks the policy.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	call := callFrom(ctx)
	a := &call.attempt
	a.Sent = call.conn.Load() != connWanted
	if err != nil {
		a.Err = unwrapURL(err)
	} else {
		call.read(ctx, resp)
	}
	if call.cancel != nil {
		call.cancel()
		call.cancel = nil
	}
	again, wait := call.Policy.Judge(ctx, a)
	call.wait = wait
	return again, nil
}

func (call *Call) read(ctx context.Context, resp *http.Response) {
	a := &call.attempt
	a.Status, a.Header = resp.StatusCode, resp.Header
	if call.Sink != nil && resp.StatusCode/100 == 2 {
		a.BodyErr = call.Sink(resp)
	} else {
		a.Body, a.BodyErr = readAll(resp.Body, resp.ContentLength, call.MaxBody)
	}
	_ = resp.Body.Close()
	resp.Body = http.NoBody
	if a.BodyErr != nil && errors.Is(a.BodyErr, context.DeadlineExceeded) && ctx.Err() == nil {
		a.BodyErr = fmt.Errorf("reply not complete within %v: %w", call.Timeout, context.DeadlineExceeded)
	}
}

// waitBeforeRetry waits as long as the policy said.
func waitBeforeRetry(req *http.Request) error {
	ctx := req.Context()
	call := callFrom(ctx)
	call.attempt.Err = nil // from here on an error is about the wait
	if call.wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(call.wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// unwrapURL takes off the wrapping of net/http, whose text repeats the URL.
func unwrapURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

const (
	firstRead   = 4 << 10
	largestRead = 1 << 20
)

// readAll reads a body of the stated size (-1 when not known) up to the limit.
// On an error it returns what was read.
func readAll(body io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		b, _ := readAll(body, -1, min(limit, firstRead))
		return b, ErrTooLarge
	}
	room := int64(firstRead)
	if size >= 0 {
		room = min(size, largestRead) // the header may lie
	}
	buf := make([]byte, 0, room+1) // one more, to see the end without growing
	for {
		if int64(len(buf)) > limit {
			return buf[:limit], ErrTooLarge
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			if int64(len(buf)) > limit {
				return buf[:limit], ErrTooLarge
			}
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}
