package ryzetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is a request that reached the server. Tokens in query and headers are
// hidden; the body is as it came.
type Request struct {
	// Number counts the requests of the server from 1.
	Number int64
	Time   time.Time // of arrival, on the server's clock
	// Duration is the time until the end of the reply, on the server's clock;
	// of an event stream, until it is open.
	Duration time.Duration
	Method   string
	Path     string // with its query; a token in it is redacted
	// Proto is "HTTP/1.1" or "HTTP/2.0".
	Proto string
	// Conn is the number of the connection that the request came on. The server
	// counts its connections from 1.
	Conn int
	// Route is the route that matched, as "POST /api/message/text/:instance",
	// or empty.
	Route    string
	Instance string      // name in the path
	Header   http.Header // tokens are replaced by a short digest, see Digest
	// Body holds the first 64 KiB of the body.
	Body []byte
	// Size is how many bytes of the body were read.
	Size int64
	// Status is what was answered; 0 while nothing was, and after a drop.
	Status     int
	Faulted    bool // a Fault took part
	Applied    bool // the service has done what was asked for, whatever the client was told
	Done       bool // the server is through with it; of an event stream: it is open
	Violations []Violation
	// Reply has the first 64 KiB of the reply's body, of the newest requests,
	// with WithControl only.
	Reply []byte
}

// A Violation is a part of a request that the documentation does not have. The
// simulator ignores it silently. The service may do so too.
type Violation struct {
	Route  string // "POST /api/message/text/:instance"; "" for an unknown one
	Kind   ViolationKind
	Detail string // the field, parameter or value
}

// String is one line for a log.
func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.Route, v.Kind, v.Detail) }

// A ViolationKind says what is wrong with a request.
type ViolationKind string

const (
	// UnknownRoute is a method and path that the service does not document.
	UnknownRoute ViolationKind = "unknown route"
	// UnknownField is a JSON member that the route does not document. Case
	// counts.
	UnknownField ViolationKind = "unknown field"
	// UnknownQuery is a query parameter that the route does not document.
	UnknownQuery ViolationKind = "unknown query parameter"
	// UnknownValue is a value that a documented enumeration does not hold.
	UnknownValue ViolationKind = "value outside its enumeration"
	// WrongType is a JSON type other than the documented one; the simulator
	// also answers 400.
	WrongType ViolationKind = "wrong JSON type"
	// TokenInQuery is a token in the URL of anything but an event stream.
	TokenInQuery ViolationKind = "token in the query"
	// ContentType is a JSON body that does not call itself application/json.
	ContentType ViolationKind = "content type is not application/json"
	// UselessBody is a body on a GET.
	UselessBody ViolationKind = "body on a route without one"
)

// Digest is what the request log shows in place of a token: "sha256:" and the
// first eight digits of its hash.
func Digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(sum[:4])
}

const (
	maxLoggedBody = 64 << 10
	maxLogged     = 20000 // requests
	maxReplies    = 32 << 20
)

type requestLog struct {
	mu      sync.Mutex
	entries []*entry
	counts  map[string]int
	last    int64 // number of the last request

	replies   []*entry // those that hold a reply, the oldest first
	replySize int      // of all of them
}

// entry is a Request in the making.
type entry struct {
	mu  *sync.Mutex
	req Request
}

func (l *requestLog) add(c *call, now time.Time) *entry {
	e := &entry{mu: &l.mu, req: Request{
		Time:   now,
		Method: c.r.Method,
		Path:   redactPath(c.r.URL),
		Header: redactHeader(c.r.Header),
		Proto:  c.r.Proto,
		Conn:   c.conn.id,
	}}
	if c.route != nil {
		e.req.Route = c.route.name()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.req.Number = l.last
	l.entries = appendBounded(l.entries, e, maxLogged)
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[e.req.Route]++
	l.counts["*"]++
	return e
}

// appendBounded appends to a log, of which the oldest half goes when it is full.
func appendBounded[T any](log []T, item T, limit int) []T {
	if len(log) >= limit {
		log = slices.Clone(log[limit/2:])
	}
	return append(log, item)
}

func (l *requestLog) finish(e *entry, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.req.Done, e.req.Duration = true, now.Sub(e.req.Time)
}

// keepReply keeps the beginning of a reply, and lets go of the oldest ones.
func (l *requestLog) keepReply(e *entry, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.req.Reply != nil || len(body) == 0 {
		return
	}
	e.req.Reply = slices.Clone(body[:min(len(body), maxLoggedBody)])
	l.replies, l.replySize = append(l.replies, e), l.replySize+len(e.req.Reply)
	for l.replySize > maxReplies {
		oldest := l.replies[0]
		l.replies, l.replySize = l.replies[1:], l.replySize-len(oldest.req.Reply)
		oldest.req.Reply = nil
	}
}

// after copies the requests that follow a number, the newest ones when there are
// more than limit.
func (l *requestLog) after(number int64, limit int) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := int(max(number-(l.last-int64(len(l.entries))), 0))
	from = min(max(from, len(l.entries)-limit), len(l.entries))
	list := make([]Request, 0, len(l.entries)-from)
	for _, e := range l.entries[from:] {
		list = append(list, e.copy())
	}
	return list
}

// reset forgets the requests. Numbers go on.
func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.counts, l.replies, l.replySize = nil, nil, nil, 0
}

func (l *requestLog) snapshot(e *entry) Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return e.copy()
}

func (e *entry) copy() Request {
	r := e.req
	r.Header = r.Header.Clone()
	r.Body = slices.Clone(r.Body)
	r.Reply = slices.Clone(r.Reply)
	r.Violations = slices.Clone(r.Violations)
	return r
}

func (e *entry) setStatus(status int) { e.mu.Lock(); e.req.Status = status; e.mu.Unlock() }
func (e *entry) setFaulted()          { e.mu.Lock(); e.req.Faulted = true; e.mu.Unlock() }
func (e *entry) setApplied()          { e.mu.Lock(); e.req.Applied = true; e.mu.Unlock() }
func (e *entry) setInstance(n string) { e.mu.Lock(); e.req.Instance = n; e.mu.Unlock() }

func (e *entry) instance() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.req.Instance
}

// Write records what is read of the body, up to a bound.
func (e *entry) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.req.Size += int64(len(p))
	if room := maxLoggedBody - len(e.req.Body); room > 0 {
		e.req.Body = append(e.req.Body, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (c *call) violate(kind ViolationKind, detail string) {
	v := Violation{Kind: kind, Detail: detail}
	if c.route != nil {
		v.Route = c.route.name()
	}
	c.entry.mu.Lock()
	defer c.entry.mu.Unlock()
	c.entry.req.Violations = append(c.entry.req.Violations, v)
}

// Requests returns the requests that reached the server, in order of arrival.
// Very long logs (20000 requests) lose their older half.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	list := make([]Request, len(s.log.entries))
	for i, e := range s.log.entries {
		list[i] = e.copy()
	}
	return list
}

// Count returns how many requests reached a route, also faulted and refused
// ones; "*" counts all. It panics on an unknown route.
func (s *Server) Count(route string) int {
	key := routeKey(route)
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.counts[key]
}

// Violations returns the undocumented parts of requests. A test of a client
// should find none.
func (s *Server) Violations() []Violation {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	var list []Violation
	for _, e := range s.log.entries {
		list = append(list, e.req.Violations...)
	}
	return list
}

func redactHeader(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Token", "Authorization", "Proxy-Authorization", "Cookie"} {
		for i, v := range h[name] {
			if scheme, t, ok := strings.Cut(v, " "); ok {
				h[name][i] = scheme + " " + Digest(strings.TrimSpace(t))
			} else {
				h[name][i] = Digest(v)
			}
		}
	}
	return h
}

func redactPath(u *url.URL) string {
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	pairs := strings.Split(u.RawQuery, "&")
	for i, p := range pairs {
		if name, _, ok := strings.Cut(p, "="); ok && name == "token" {
			pairs[i] = "token=redacted"
		}
	}
	return u.EscapedPath() + "?" + strings.Join(pairs, "&")
}
