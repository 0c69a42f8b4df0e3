package ryze

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// Client is the engine that handles share: connections, quota, retry policy,
// logger. Make one for a process, and take as many handles from it as there
// are accounts and instances; it is safe for concurrent use.
//
// Handles cost little and need not be kept.
type Client struct {
	config    *config
	transport *transport.Client
	userAgent []string
	skew      clockSkew
	accepted  recentIDs // messages that the service has accepted, for Settle

	closed  atomic.Bool
	mu      sync.Mutex
	closing map[io.Closer]struct{} // event streams to end with the client
}

// New returns a client. It makes no connection. It returns a
// [*ValidationError] when an option has a bad value.
func New(opts ...Option) (*Client, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	agent := "ryze-go/" + Version + " (" + runtime.Version() + ")"
	if cfg.userAgent != "" {
		agent = cfg.userAgent + " " + agent
	}
	return &Client{
		config:    cfg,
		transport: transport.New(cfg.base, cfg.http),
		userAgent: []string{agent},
		closing:   make(map[io.Closer]struct{}),
	}, nil
}

// Account returns the handle of an account. A bad token is reported by the
// first call, as a [*ValidationError]; [NewAccountClient] reports it at once.
func (c *Client) Account(token string) *AccountClient {
	return &AccountClient{h: c.handle("", token, false)}
}

// Instance returns the handle of an instance. The token is the instance's own
// (TokenInstance) or its account's (TokenAccount). Names are case-sensitive. A
// bad name or token is reported by the first call, as a [*ValidationError];
// [NewInstanceClient] reports it at once.
func (c *Client) Instance(name, token string) *InstanceClient {
	return newInstanceClient(c.handle(name, token, true))
}

// Close ends the event streams of the client, closes its idle connections and
// refuses further calls with [ErrClosed]. Calls under way are not cut off.
// Close may be called more than once.
func (c *Client) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.mu.Lock()
	streams := make([]io.Closer, 0, len(c.closing))
	for s := range c.closing {
		streams = append(streams, s)
	}
	c.mu.Unlock()
	errs := make([]error, len(streams))
	var closing sync.WaitGroup
	for k, s := range streams {
		closing.Go(func() { errs[k] = s.Close() }) // each may take a second to say goodbye
	}
	closing.Wait()
	c.transport.CloseIdle()
	return errors.Join(errs...)
}

// closeWith makes s end with the client; the function undoes it. It reports
// false when the client is closed already.
func (c *Client) closeWith(s io.Closer) (forget func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return nil, false
	}
	c.closing[s] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.closing, s)
	}, true
}

// String names the base URL and nothing else.
func (c *Client) String() string { return "ryze.Client(" + c.config.base.String() + ")" }

// Health is the service's report about itself.
type Health struct {
	Meta `json:"-"`

	Status    string            `json:"status"` // "ok" or "degraded"
	Service   string            `json:"service"`
	Uptime    string            `json:"uptime"` // Go duration text, such as "12h34m56s"
	Timestamp string            `json:"timestamp"`
	Checks    map[string]string `json:"checks"` // "ok", or "fail: " and a reason; "db" is always there
}

// Healthy reports whether the service calls itself ok.
func (h *Health) Healthy() bool { return h.Status == "ok" }

// Health asks the service how it is. A degraded service is a report, not an
// error: look at [Health.Healthy]. No token is sent, and the call takes nothing
// from any quota.
//
// GET /health. Safe to repeat.
func (c *Client) Health(ctx context.Context) (*Health, error) {
	rep, err := c.call(ctx, handle{client: c}, opHealth, input{})
	var api *APIError
	if errors.As(err, &api) && api.StatusCode == http.StatusServiceUnavailable {
		rep, err = &rawReply{session: new(session), status: api.StatusCode, body: api.Body, rate: api.RateLimit}, nil
	}
	if err != nil {
		return nil, err
	}
	h := new(Health)
	err = rep.decode(opHealth, h)
	switch {
	case api != nil && h.Status == "": // not a report: a proxy's page, say
		return nil, api
	case err != nil:
		return nil, err
	case h.Status == "":
		return nil, rep.unreadable(opHealth, "the reply has no status", nil)
	}
	h.Meta = rep.meta()
	return h, nil
}

// Do makes a request that this package has no method for: path is a route of
// the service, such as "/api/chat/mute/support-line", already escaped and with
// its query, if any. in is encoded as JSON unless it is nil; out, unless nil,
// is decoded from the reply's body. Token, quota, retries and errors work as
// everywhere. A route that is in [Operations] has the properties listed there;
// for others, GET and HEAD are safe to repeat and nothing else is.
func (c *Client) Do(ctx context.Context, method, path, token string, in, out any) (Meta, error) {
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" || len(u.Path) < 2 || u.Path[0] != '/' {
		return Meta{}, invalid("path", "is not the path of a route, such as /api/instance/list")
	}
	if slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return Meta{}, invalid("path", "has a relative segment; proxies would rewrite it to another route")
	}
	if method == "" {
		return Meta{}, invalid("method", "is empty")
	}
	op := operationFor(method, u.EscapedPath())
	if op == nil {
		op = &Operation{ID: method + " " + u.Path, Method: method, Class: RateGlobal, Timeout: mediaLimit}
		op.Repeatable = method == http.MethodGet || method == http.MethodHead
	}
	h := c.handle("", token, false)
	if op.anonymous {
		h.err = nil
	}
	h.path, h.rawPath = u.Path, u.EscapedPath()
	rep, err := c.call(ctx, h, op, input{body: in, query: u.RawQuery})
	if err != nil {
		return Meta{}, err
	}
	if len(rep.body) == 0 && (method == http.MethodHead || rep.status == http.StatusNoContent) {
		return rep.meta(), nil
	}
	var env envelope
	if err := rep.decode(op, &env); err != nil {
		return rep.meta(), rep.doubt(op, input{}, err)
	}
	if err := env.failure(op, rep); err != nil {
		return rep.meta(), err
	}
	if out != nil {
		if err := json.Unmarshal(rep.body, out); err != nil {
			return rep.meta(), rep.unreadable(op, "the reply does not fit the value given", err)
		}
	}
	return rep.meta(), nil
}

// handle is what a call needs to know of its caller.
type handle struct {
	client *Client
	name   string // of the instance, "" for an account
	raw    string // the name, escaped as a path segment
	auth   *credential
	err    error // a bad name or token, reported by every call

	path, rawPath string // a path given as it is, by Do
}

// credential is a token in the form in which it travels.
type credential struct {
	header string
	values hidden[[]string]
	scope  string
}

// token returns the token as it is.
func (c *credential) token() string { return strings.TrimPrefix(c.values.get()[0], "Bearer ") }

// hidden keeps a value out of sight of fmt, which does not ask the methods of
// unexported fields, and follows one pointer for verbs that do not fit, but
// not two. testify's diff follows any pointer, ten levels deep; the value lies
// below that.
type hidden[T any] struct{ value **veils[T] }

type veil[T any] struct{ of T }

type veils[T any] = veil[veil[veil[veil[veil[veil[veil[veil[veil[veil[T]]]]]]]]]]

func hide[T any](v T) hidden[T] {
	p := new(veils[T])
	p.of.of.of.of.of.of.of.of.of.of = v
	return hidden[T]{&p}
}

func (h hidden[T]) get() (v T) {
	if h.value == nil {
		return v
	}
	return (**h.value).of.of.of.of.of.of.of.of.of.of
}

// String is for printers that ask the methods of unexported fields.
func (h hidden[T]) String() string { return redacted }

func (c *Client) handle(name, token string, needsName bool) handle {
	h := handle{client: c, name: name, raw: url.PathEscape(name)}
	if needsName {
		h.err = checkInstanceName(name)
	}
	if err := checkToken(token); err != nil && h.err == nil {
		h.err = err
	}
	if h.err != nil {
		return h
	}
	digest := sha256.Sum256([]byte(c.config.base.String() + "\x00" + token))
	h.auth = &credential{header: "Token", values: hide([]string{token}), scope: hex.EncodeToString(digest[:16])}
	if c.config.bearer {
		h.auth.header, h.auth.values = "Authorization", hide([]string{"Bearer " + token})
	}
	return h
}

func (h handle) key(class RateClass) LimiterKey { return LimiterKey{Scope: h.auth.scope, Class: class} }

// rateLimit is what is known of the quota of the handle's token.
func (h handle) rateLimit(class RateClass) RateLimit {
	if h.auth == nil {
		return RateLimit{}
	}
	return h.client.config.limiter.Rate(h.key(class))
}

// Meta is what every result knows of the reply it was read from.
type Meta struct {
	// RateLimit is the quota as the reply stated it.
	RateLimit RateLimit `json:"-"`

	raw hidden[json.RawMessage] // the reply may hold secrets
}

// Raw returns the JSON that the result was read from, with fields that this
// package does not know. For an item of a list it is the item's own JSON. It
// may contain secrets. Do not change it.
func (m Meta) Raw() json.RawMessage {
	return m.raw.get()
}

// input is what goes into a request, beside the operation and the handle.
type input struct {
	query   string
	body    any                        // encoded as JSON
	stream  *bodyStream                // instead of body: JSON with a long base64 string in it
	limit   time.Duration              // instead of the operation's time limit, if set
	patient time.Duration              // in addition to it
	sink    func(*http.Response) error // reads a 2xx body as it comes
	passed  func() bool                // reports whether sink has passed something on
	secrets []Secret                   // those that the request carries, beside the handle's token

	// What an OutcomeError tells.
	hint   string
	to     JID
	source string
}

// passedOn reports whether a part of the reply has reached the caller already.
func (in *input) passedOn() bool { return in.sink != nil && (in.passed == nil || in.passed()) }

// What a reply's body may hold: lists can be long, what a send answers cannot,
// and of a refusal only the text counts.
const (
	maxReply   = 32 << 20
	maxReceipt = 4 << 20
	maxRefusal = 1 << 20
)

var jsonType = []string{"application/json"}

// call makes the request of an operation and returns its reply, if that is a 2xx.
func (c *Client) call(ctx context.Context, h handle, op *Operation, in input) (*rawReply, error) {
	if h.err != nil {
		return nil, h.err
	}
	if c.closed.Load() {
		return nil, closedError(op)
	}
	s := &session{client: c, handle: h, op: op, in: in}
	t := &s.call
	*t = transport.Call{
		Policy:     s,
		Method:     op.Method,
		Query:      in.query,
		Header:     make(http.Header, 4),
		Timeout:    op.Timeout + in.patient,
		Repeatable: op.Repeatable,
		MaxBody:    maxReply,
		MaxRefusal: maxRefusal,
		Sink:       in.sink,
	}
	if !op.Repeatable {
		t.MaxBody = maxReceipt
	}
	if in.limit > 0 {
		t.Timeout = in.limit + in.patient
	}
	if own := c.config.http.Timeout; own > 0 {
		t.Timeout = min(t.Timeout, own)
	}
	t.Path, t.Raw = h.path, h.rawPath
	if t.Path == "" {
		t.Path, t.Raw = op.path(h.name, h.raw)
	}
	if !op.anonymous {
		t.TokenHeader, t.Token = h.auth.header, h.auth.values.get()
	}
	t.Header["User-Agent"] = c.userAgent
	if err := s.setBody(); err != nil {
		return nil, err
	}
	if err := c.transport.Do(ctx, t); err != nil {
		return nil, s.interrupted(err)
	}
	if s.err != nil {
		return nil, s.err
	}
	return &s.reply, nil
}

// path fills the instance's name into the route, in decoded and escaped form.
func (op *Operation) path(name, raw string) (decoded, escaped string) {
	const parameter = ":instance"
	before := len(op.Path) - len(parameter)
	if before < 0 || op.Path[before:] != parameter {
		return op.Path, ""
	}
	decoded = op.Path[:before] + name
	if raw != name {
		escaped = op.Path[:before] + raw
	}
	return decoded, escaped
}

func (s *session) setBody() error {
	if err := checkQuery(s.in.query); err != nil {
		return err
	}
	switch {
	case s.in.stream != nil:
		s.call.Open, s.call.Size = s.in.stream.open, s.in.stream.size()
	case s.in.body != nil:
		b, err := encode(s.in.body)
		if err != nil {
			return fmt.Errorf("ryze: %s: encoding the request: %w", s.op.ID, err)
		}
		s.call.Bytes = b
	default:
		return nil
	}
	s.call.Header["Content-Type"] = jsonType
	return nil
}

// NewAccountClient returns the handle of an account on a client of its own.
// Use [Client.Account] to share one client between handles. It makes no
// connection, and returns a [*ValidationError] for a bad token or option.
func NewAccountClient(token string, opts ...Option) (*AccountClient, error) {
	c, err := New(opts...)
	if err != nil {
		return nil, err
	}
	a := c.Account(token)
	return a, a.h.err
}

// RateLimit returns what is known at this moment of the quota of a token in a
// rate class.
func (c *Client) RateLimit(token string, class RateClass) RateLimit {
	return c.handle("", token, false).rateLimit(class)
}

// NewInstanceClient returns the handle of an instance on a client of its own.
// Use [Client.Instance] to share one client between handles. It makes no
// connection, and returns a [*ValidationError] for a bad name, token or option.
func NewInstanceClient(name, token string, opts ...Option) (*InstanceClient, error) {
	c, err := New(opts...)
	if err != nil {
		return nil, err
	}
	i := c.Instance(name, token)
	return i, i.h.err
}
