package ryze

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ryzeapi/ryze-go/internal/transport"
	"github.com/ryzeapi/ryze-go/internal/upload"
)

// set sends the body {"number": chat, flag: on}, which is all that most
// changes of a chat's state need.
func (h handle) set(ctx context.Context, op *Operation, chat JID, kinds jidKinds, flag string, on bool) error {
	if err := chat.check("chat", kinds); err != nil {
		return err
	}
	return run(ctx, h, op, input{body: map[string]any{"number": chat.wire(), flag: on}})
}

// Client holds what its handles share: connections, quota, retry policy and
// logger. Make one for each process and take all handles from it. Handles cost
// little. It is safe for concurrent use.
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

// Meta is what each result keeps of its reply.
type Meta struct {
	// RateLimit is the quota as the reply stated it.
	RateLimit RateLimit `json:"-"`

	raw hidden[json.RawMessage] // the reply may hold secrets
}

// Raw returns the JSON of the result, or of the item of a list, with unknown
// fields. It may contain secrets. Do not change it.
func (m Meta) Raw() json.RawMessage {
	return m.raw.get()
}

// input is what goes into a request, beside the operation and the handle.
type input struct {
	query   string
	body    any                        // encoded as JSON
	stream  *upload.Body               // instead of body: JSON with a long base64 string in it
	limit   time.Duration              // instead of the operation's time limit, if set
	patient time.Duration              // in addition to it
	sink    func(*http.Response) error // reads a 2xx body as it comes
	passed  func() bool                // reports whether sink has passed something on
	secrets []Secret                   // those that the request carries, beside the handle's token
	seen    *observation               // nil when nobody observes

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
	s := &session{client: c, handle: h, op: op, in: in, seen: in.seen}
	t := &s.call // field by field: a literal would be made beside it and copied
	t.Policy = s
	t.Method, t.Query, t.Header = op.Method, in.query, make(http.Header, 4)
	t.Timeout, t.Repeatable = sum(op.Timeout, in.patient), op.Repeatable
	t.MaxBody, t.MaxRefusal, t.Sink = maxReply, maxRefusal, in.sink
	if !op.Repeatable {
		t.MaxBody = maxReceipt
	}
	if in.limit > 0 {
		t.Timeout = sum(in.limit, in.patient)
	}
	if own := c.config.http.Timeout; own > 0 {
		t.Timeout = min(t.Timeout, own)
	}
	t.Path, t.Raw = h.path, h.rawPath
	if t.Path == "" {
		t.Path, t.Raw = op.path(h.name, h.raw)
	}
	if !op.anonymous {
		t.Header[h.auth.header] = h.auth.values.get()
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

// sum is a + b, or the longest duration when that would be beyond it.
func sum(a, b time.Duration) time.Duration { return a + min(b, math.MaxInt64-a) }

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
		s.call.Open, s.call.Size = s.in.stream.Open, s.in.stream.Size()
	case s.in.body != nil:
		b, err := encode(s.in.body)
		if err != nil {
			if errors.Is(err, ErrInvalidArgument) {
				return fmt.Errorf("ryze: %s: encoding the request: %w", s.op.ID, err)
			}
			return &ValidationError{Field: "request", Reason: "cannot be encoded: " + err.Error(), err: err}
		}
		s.call.Bytes = b
	default:
		return nil
	}
	s.call.Header["Content-Type"] = jsonType
	return nil
}

// closedError is the error of a call through a closed client.
func closedError(op *Operation) error { return fmt.Errorf("ryze: %s: %w", op.ID, ErrClosed) }

// identified is the body of routes that only want to know of whom they are.
type identified struct {
	Identifier string `json:"identifier"`
}

// identifiedQuery is the same for routes without a body.
func identifiedQuery(identifier string) string {
	return url.Values{"identifier": {identifier}}.Encode()
}

// service is what every service of an instance holds.
type service struct{ h handle }

// fetchList makes the request of an operation whose reply has an array under
// one of the keys, and returns its items, each made by item from what travels.
// See [listIn] for what counts as an array. An item that cannot be read keeps
// what could be, and its JSON; an item that is null is left out.
func fetchList[W, T any](ctx context.Context, h handle, op *Operation, in input, keys []string, item func(*W, Meta) T) ([]T, error) {
	var items []T
	_, err := fetchChecked(ctx, h, op, in, func(e *envelope) string {
		list, missing := listIn(e.Raw(), keys...)
		if missing == "" {
			items = readItems(withoutNulls(list), e.RateLimit, item)
		}
		return missing
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}

// close releases what a streamed body may have left open.
func (in input) close() {
	if in.stream != nil {
		in.stream.Close()
	}
}

// fetch makes the request of an operation and reads its reply into a new T, a
// struct that embeds [envelope]. The reply must say that it worked.
func fetch[T any, P interface {
	*T
	base() *envelope
}](ctx context.Context, h handle, op *Operation, in input) (*T, error) {
	return fetchChecked[T, P](ctx, h, op, in, func(v *T) string {
		e := P(v).base()
		readInData(v, e)
		return e.unacknowledged(op)
	})
}

// fetchChecked is fetch for replies that must say something to be a success:
// check returns what is missing, or "".
//
// A reply that shows what was made, such as a message's id, is proof that the
// request was accepted. Then only a plain "success": false says that it failed all
// the same, and for operations whose reply proves what it shows not even that.
// Anything else leaves the outcome open, and the result comes with the error.
func fetchChecked[T any, P interface {
	*T
	base() *envelope
}](ctx context.Context, h handle, op *Operation, in input, check func(*T) string) (result *T, err error) {
	ctx, in.seen = observeCall(ctx, h.client.config.observer, op, h.name)
	defer in.seen.done(&err)
	rep, err := h.client.call(ctx, h, op, in)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := rep.decode(op, v); err != nil {
		return nil, rep.doubt(op, in, err)
	}
	e := P(v).base()
	e.Meta, e.began = rep.meta(), rep.began
	missing := check(v)
	if missing != "" && readInData(v, e) {
		missing = check(v)
	}
	failure := e.failure(op, rep)
	switch {
	case missing == "" && e.contradicts(op, failure, v, rep.body):
		reason := "the reply shows a success and says that it failed"
		if text := e.message(); text != "" && (failure != nil || e.Failure.said()) {
			reason += ": " + quoted(rep.session.redactText(text))
		}
		return v, rep.doubt(op, in, rep.unreadable(op, reason, nil))
	case failure != nil:
		return nil, failure
	case missing != "":
		return nil, rep.doubt(op, in, rep.unreadable(op, missing, nil))
	}
	return v, nil
}

// run makes the request of an operation whose reply says nothing more than
// that it worked.
func run(ctx context.Context, h handle, op *Operation, in input) error {
	_, err := fetchChecked(ctx, h, op, in, func(e *envelope) string { return e.unacknowledged(op) })
	return err
}

// redact is redactBytes for a text.
func (c *credential) redact(text string, others ...Secret) string {
	return string(c.redactBytes([]byte(text), others...))
}

// redactBytes takes the token and other secrets out of what the network says.
func (c *credential) redactBytes(b []byte, others ...Secret) []byte {
	return withoutSecrets(b, c.secrets(others)...)
}

// secrets returns the token and others. A nil credential has no token.
func (c *credential) secrets(others []Secret) []string {
	secrets := make([]string, 0, 1+len(others))
	if c != nil {
		secrets = append(secrets, c.token())
	}
	for _, s := range others {
		secrets = append(secrets, s.Reveal())
	}
	return secrets
}

// into returns the request of a body, with the file in it under that key. A
// URL is the body's own field. The caller closes what it returns.
func (p picture) into(body any, key string) (input, error) {
	if p.file == nil {
		return input{body: body}, nil
	}
	stream, err := uploadOf(p.file, body, key, "")
	if err != nil {
		return input{}, err
	}
	return input{stream: stream}, nil
}
