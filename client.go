package ryze

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// New returns a client. It opens no connection. A bad option is a
// [*ValidationError].
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

// Account returns the handle of an account. The first call reports a bad token
// as a [*ValidationError].
func (c *Client) Account(token string) *AccountClient {
	return &AccountClient{h: c.handle("", token, false)}
}

// Instance returns the handle of an instance. The token is the instance's own
// or its account's. Names are case-sensitive. The first call reports a bad name
// or token as a [*ValidationError].
func (c *Client) Instance(name, token string) *InstanceClient {
	return newInstanceClient(c.handle(name, token, true))
}

// Close ends the client's event streams and closes idle connections. Later
// calls return [ErrClosed]; running calls go on. It may be called more than
// once.
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

// String returns the base URL, and nothing secret.
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

// Healthy reports whether the service says that it is ok.
func (h *Health) Healthy() bool { return h.Status == "ok" }

// Health asks the service for its state, without token and quota. A degraded
// service is not an error: see [Health.Healthy].
//
// GET /health. Safe to repeat.
func (c *Client) Health(ctx context.Context) (health *Health, err error) {
	var in input
	ctx, in.seen = observeCall(ctx, c.config.observer, opHealth, "")
	defer in.seen.done(&err)
	rep, err := c.call(ctx, handle{client: c}, opHealth, in)
	var api *APIError
	if errors.As(err, &api) && api.StatusCode == http.StatusServiceUnavailable {
		rep, err = &rawReply{session: new(session), status: api.StatusCode, body: api.Body, rate: api.RateLimit}, nil
	}
	if err != nil {
		return nil, err
	}
	h := new(Health)
	err = rep.decode(opHealth, h)
	var env envelope // which a report does not have
	_ = json.Unmarshal(rep.body, &env)
	switch {
	case api != nil && h.Status == "": // not a report: a proxy's page, say
		return nil, api
	case err != nil:
		return nil, err
	case env.failed():
		return nil, env.failure(opHealth, rep)
	case h.Status == "":
		return nil, rep.unreadable(opHealth, "the reply has no status", nil)
	}
	h.Meta = rep.meta()
	return h, nil
}

// Do calls a route that has no method here. path is an escaped path with its
// query, such as "/api/chat/mute/support-line". in is sent as JSON and out
// receives the reply, unless they are nil.
//
// Token, quota, retries and errors work as everywhere. [Operations] says which
// routes may be repeated; of other routes only GET and HEAD.
func (c *Client) Do(ctx context.Context, method, path, token string, in, out any) (meta Meta, err error) {
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" || len(u.Path) < 2 || u.Path[0] != '/' {
		return Meta{}, invalid("path", "is not the path of a route, such as /api/instance/list")
	}
	if slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return Meta{}, invalid("path", "has a relative segment; proxies would rewrite it to another route")
	}
	if method == "" || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return Meta{}, invalid("method", "is not a method of HTTP in capital letters, such as GET")
	}
	op := operationFor(method, u.EscapedPath(), u.Path)
	if op == nil {
		op = &Operation{ID: method + " " + u.Path, Method: method, Class: RateGlobal, Timeout: mediaLimit}
		op.Repeatable = method == http.MethodGet || method == http.MethodHead && repeatableGet(u.EscapedPath(), u.Path)
	}
	h := c.handle("", token, false)
	if op.anonymous {
		h.err = nil
	}
	h.path, h.rawPath = u.Path, u.EscapedPath()
	request := input{body: in, query: u.RawQuery}
	ctx, request.seen = observeCall(ctx, c.config.observer, op, h.name)
	defer request.seen.done(&err)
	rep, err := c.call(ctx, h, op, request)
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
			return rep.meta(), rep.doubt(op, input{}, rep.unreadable(op, "the reply does not fit the value given", rep.session.clean(err)))
		}
	}
	return rep.meta(), nil
}

// NewAccountClient returns the handle of an account with a client of its own.
// It opens no connection. A bad token or option is a [*ValidationError].
func NewAccountClient(token string, opts ...Option) (*AccountClient, error) {
	c, err := New(opts...)
	if err != nil {
		return nil, err
	}
	a := c.Account(token)
	return a, a.h.err
}

// RateLimit returns what is known now of a token's quota in a rate class.
func (c *Client) RateLimit(token string, class RateClass) RateLimit {
	return c.handle("", token, false).rateLimit(class)
}

// NewInstanceClient returns the handle of an instance with a client of its own.
// It opens no connection. A bad name, token or option is a [*ValidationError].
func NewInstanceClient(name, token string, opts ...Option) (*InstanceClient, error) {
	c, err := New(opts...)
	if err != nil {
		return nil, err
	}
	i := c.Instance(name, token)
	return i, i.h.err
}
