// Package transport sends requests to one origin, attempt by attempt. It lets
// go-retryablehttp drive the attempts, keeps the token away from every other
// host, follows no redirect, bounds what it reads, and knows of every attempt
// whether the server can have carried it out. It knows no endpoint.
package transport

import (
	"bytes"
	"context"
	"errors"
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
	// Heard is told when the headers of a reply have come; the body may take long.
	Heard(a *Attempt)
	// Judge is told what came of an attempt, and says whether and after how
	// long to try again.
	Judge(ctx context.Context, a *Attempt) (again bool, wait time.Duration)
}

// Call is one call: a request, sent as often as its policy says.
type Call struct {
	Policy Policy
	Method string
	Path   string // decoded
	Raw    string // escaped form of Path, or "" when it needs no escaping
	Query  string // encoded
	// Header has the token too. It leaves with requests for the client's origin
	// alone, and is not changed.
	Header http.Header
	// Bytes is the request's body. Instead of it, Open opens the body, once for
	// each attempt, and Size is its length, -1 when it is not known. Closing it must
	// end a Read that waits, and must not wait itself.
	Bytes []byte
	Open  func() (io.ReadCloser, error)
	Size  int64
	// Timeout limits one attempt, from admission to the end of the body.
	Timeout time.Duration
	// Repeatable says that carrying the request out twice does no harm.
	Repeatable bool
	// MaxBody bounds a reply's body, MaxRefusal that of one that is not a 2xx.
	MaxBody, MaxRefusal int64
	// Sink reads the body of a 2xx reply instead of its being kept, if set.
	Sink func(*http.Response) error

	client  *Client
	url     url.URL
	http    http.Client
	retry   retryablehttp.Client
	trace   httptrace.ClientTrace
	attempt Attempt
	conn    connection
	body    *requestBody
	known   *bytes.Reader  // the body of an attempt that has none of ours
	first   requestBody    // the body of the first attempt
	limited limitedContext // that of the first attempt
	reply   replyBody      // of the attempt
	wait    time.Duration
	between bool // no attempt is under way
}

// Client sends calls to one origin. It is safe for concurrent use.
type Client struct {
	scheme, host string
	next         http.RoundTripper
	handshakes   http.Client
	protocol     atomic.Int32 // major version of HTTP of the last reply, 0 before it
	alive        liveness
	deadlines    deadlines
}

// New returns a client for the origin of base. Of the given client only the
// transport is used: no cookies, no redirects, and time limits come with each
// call, because the client's own would count the wait for quota.
func New(base *url.URL, client *http.Client) *Client {
	c := &Client{scheme: base.Scheme, host: base.Host, next: client.Transport}
	if c.next == nil {
		c.next = http.DefaultTransport //nolint:forbidigo // what a client without a transport means
	}
	c.handshakes = http.Client{Transport: guard{c}, CheckRedirect: noRedirect}
	return c
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// HTTP returns a client with the same guard for handshakes: no redirects, no
// foreign origin. A token is added only to calls made through Do.
func (c *Client) HTTP() *http.Client { return &c.handshakes }

// CloseIdle closes idle connections of the underlying transport.
func (c *Client) CloseIdle() {
	if t, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// guard lets requests through to the client's own origin alone.
type guard struct{ client *Client }

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if !g.client.owns(req) {
		closeBody(req)
		return nil, ErrForeignOrigin
	}
	return g.client.next.RoundTrip(req)
}

// owns reports whether the request goes to the client's own origin.
func (c *Client) owns(req *http.Request) bool {
	return req.URL.Scheme == c.scheme && c.isHost(req.URL.Host) && c.isHost(req.Host)
}

func (c *Client) isHost(host string) bool { return host == c.host || strings.EqualFold(host, c.host) }

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// Do makes the call. What came of its attempts has been told to the policy;
// the error is only for what kept an attempt from being made: it was not
// admitted, the context ended during a wait, or the body could not be opened.
func (c *Client) Do(ctx context.Context, call *Call) error {
	call.client = c
	if err := call.Policy.Admit(ctx); err != nil {
		return err
	}
	call.trace.GetConn, call.trace.GotConn = call.getConn, call.gotConn
	req := call.request(httptrace.WithClientTrace(ctx, &call.trace))
	if err := call.setBody(req); err != nil {
		call.unsent(ctx, err)
		return err
	}
	call.http.Transport = (*attempts)(call)
	retry := &call.retry
	retry.HTTPClient = &call.http
	retry.Logger = nil             // the default prints URLs to stderr
	retry.RetryMax = math.MaxInt32 // the policy counts
	retry.CheckRetry, retry.ErrorHandler = call.checkRetry, retryablehttp.PassthroughErrorHandler
	_, err := retry.Do(&retryablehttp.Request{Request: req}) //nolint:bodyclose // it has been read
	if call.between {
		return err
	}
	return nil
}

// noHeader is the header of a request before it leaves; http.Client would copy
// another.
var noHeader = http.Header{}

// request returns the request without its body and its headers.
func (call *Call) request(ctx context.Context) *http.Request {
	u := &call.url
	u.Scheme, u.Host = call.client.scheme, call.client.host
	u.Path, u.RawPath, u.RawQuery = call.Path, call.Raw, call.Query
	req := http.Request{
		Method: call.Method, URL: u, Host: call.client.host, Header: noHeader,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return req.WithContext(ctx)
}

// checkRetry is the hook that judges an attempt when it is over. The hooks of
// a repetition are set with the first one, which most calls never see.
func (call *Call) checkRetry(ctx context.Context, _ *http.Response, err error) (bool, error) {
	if a := &call.attempt; err != nil && a.Err == nil {
		a.Err = WithoutURL(err)
	}
	var again bool
	again, call.wait = call.Policy.Judge(ctx, &call.attempt)
	if again {
		call.between = true
		call.retry.Backoff, call.retry.PrepareRetry = call.backoff, call.prepareRetry
	}
	return again, nil
}

// backoff is the hook that says how long to wait before a repetition.
func (call *Call) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	return call.wait
}

// prepareRetry is the hook that takes quota for the next attempt, and gives it a
// body of its own.
func (call *Call) prepareRetry(req *http.Request) error {
	ctx := req.Context()
	if err := call.Policy.Admit(ctx); err != nil {
		return err
	}
	if err := call.setBody(req); err != nil {
		call.unsent(ctx, err)
		return err
	}
	return nil
}

// unsent tells the policy of an admitted attempt that could not be made.
func (call *Call) unsent(ctx context.Context, err error) {
	call.attempt = Attempt{Number: call.attempt.Number + 1, Undone: true, Unmade: true, Err: err}
	call.Policy.Judge(ctx, &call.attempt)
	call.between = true
}

// WithoutURL takes off the wrapping of net/http, whose text repeats the URL.
func WithoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
