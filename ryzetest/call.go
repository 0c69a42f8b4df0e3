package ryzetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// obj is a JSON object.
type obj = map[string]any

// reply is what a handler answers with.
type reply struct {
	status   int
	body     any
	hijacked bool // the handler has answered by itself
}

func ok(body obj) reply {
	body["success"] = true
	return reply{status: http.StatusOK, body: body}
}

func fail(status int, text string) reply {
	return reply{status: status, body: obj{"success": false, "error": obj{"message": text}}}
}

func badRequest(text string) reply { return fail(http.StatusBadRequest, text) }
func notFound(text string) reply   { return fail(http.StatusNotFound, text) }

// utc writes a time as the routes do that show it in UTC.
func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// badNumber is the reply to a number that names nobody. The service's own text
// is not documented.
func badNumber(number string) reply {
	return badRequest(fmt.Sprintf("Number %q is neither digits nor a JID", number))
}

// call is one request on its way through the server.
type call struct {
	s        *Server
	w        http.ResponseWriter
	r        *http.Request
	conn     *conn
	stream   uint32 // of HTTP/2; 0 over HTTP/1
	route    *route
	params   map[string]string
	query    map[string][]string
	body     values
	media    map[string]*payload // the streamed fields, by name
	entry    *entry              // in the request log
	fault    *Fault
	quota    quota
	finished bool
	class    rateClass

	token string
	acc   *account  // owner of the token, or of the token's instance
	inst  *Instance // of the path; the first one when there are several
	insts []*Instance
	byKey *Instance // set when the token is a TokenInstance
}

// serve answers one request of the service: log, rate window, faults, token, ownership, body,
// handler, in that order.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		panic(http.ErrAbortHandler)
	}
	defer s.work.Done()

	if r.ProtoMajor == 2 && connOf(r.Context()).frames == nil {
		// It began by itself, without ALPN: RFC 9113 has no such thing over TLS.
		http.Error(w, "HTTP/2 over TLS is chosen by ALPN", http.StatusHTTPVersionNotSupported)
		return
	}
	if s.control != nil && s.control.serve(w, r) {
		return
	}
	ctx := r.Context()
	c := &call{s: s, w: w, r: r, conn: connOf(ctx), query: r.URL.Query()}
	c.readStream()
	var otherMethod bool
	c.route, c.params, otherMethod = match(r.Method, r.URL.EscapedPath())
	c.entry = s.log.add(c, s.clock.now())
	defer c.finish()

	if r.Method == http.MethodOptions {
		c.preflight()
		return
	}
	c.allowOrigin()
	c.class = rateGlobal
	if c.route != nil {
		c.class = c.route.rate
	}
	c.token, _ = c.readToken()
	if c.class != rateBypass {
		var room bool
		c.quota, room = s.windows.take(c.token, c.class, s.clock.now())
		if !room {
			c.drain()
			c.answer(ctx, fail(http.StatusTooManyRequests, textRateLimit))
			return
		}
	}
	if c.route == nil {
		if r.URL.Path == hostedPath {
			c.refuseHosted()
			return
		}
		c.violate(UnknownRoute, r.Method+" "+r.URL.Path)
		c.drain()
		if otherMethod {
			c.answer(ctx, fail(http.StatusMethodNotAllowed, "Method Not Allowed"))
			return
		}
		c.answer(ctx, notFound("Not Found"))
		return
	}
	if c.fault = s.faults.take(c.route); c.fault != nil {
		c.entry.setFaulted()
		if c.fault.uncounted() && c.class != rateBypass {
			s.windows.giveBack(c.token, c.class, s.clock.now())
		}
		if !c.fault.Applies() {
			c.failWithout(ctx)
			return
		}
	}
	c.answer(ctx, c.process())
}

// finish closes the request's entry in the log, and shows it to the observer, once.
// An event stream does so when it opens: it may stay open for days.
func (c *call) finish() {
	if c.finished {
		return
	}
	c.finished = true
	c.s.log.finish(c.entry, c.s.clock.now())
	c.s.changes.add(Change{Time: c.s.clock.now(), Kind: ChangeRequest, Instance: c.entry.instance()})
	if c.s.cfg.observer != nil {
		c.s.cfg.observer(c.s.log.snapshot(c.entry))
	}
}

// readStream takes the number of the stream out of the request's headers.
func (c *call) readStream() {
	if c.r.ProtoMajor != 2 {
		return
	}
	key := http.CanonicalHeaderKey(streamHeader)
	values := c.r.Header[key]
	n, _ := strconv.ParseUint(values[len(values)-1], 10, 31) // frames wrote it
	c.stream = uint32(n)
	delete(c.r.Header, key)
}

// process does what the request asks for.
func (c *call) process() reply {
	if res, stop := c.authorize(); stop {
		c.drain()
		return res
	}
	if res, stop := c.readBody(); stop {
		return res
	}
	c.checkQuery()
	res := c.route.handle(c)
	if res.hijacked || res.status/100 == 2 {
		c.entry.setApplied()
	}
	return res
}

// answer writes a reply, bent by the fault if there is one.
func (c *call) answer(ctx context.Context, res reply) {
	if res.hijacked {
		return
	}
	if f := c.fault; f != nil {
		c.failAfter(ctx, f, res)
		return
	}
	c.write(res.status, encode(res.body), nil)
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("ryzetest: " + err.Error()) // only values of our own get here
	}
	return b
}

func (c *call) write(status int, body []byte, extra http.Header) {
	h := c.w.Header()
	c.replyHeaders(h, len(body), extra)
	c.entry.setStatus(status)
	c.keep(body)
	c.w.WriteHeader(status)
	c.w.Write(body)
}

// keep keeps a reply for the log, when there is somebody to look at it.
func (c *call) keep(body []byte) {
	if c.s.cfg.control != nil {
		c.s.log.keepReply(c.entry, body)
	}
}

// replyHeaders sets every header of a reply, those of a fault last.
func (c *call) replyHeaders(h http.Header, size int, extra http.Header) {
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(size))
	c.commonHeaders(h)
	for k, v := range extra {
		h[http.CanonicalHeaderKey(k)] = v
	}
}

// commonHeaders sets the headers of every reply of the service.
func (c *call) commonHeaders(h http.Header) {
	skew := c.s.clocks.next()
	now := c.s.clock.now().Add(skew)
	h.Set("Date", TimeHTTP(now, now))
	if c.class != rateBypass && (c.fault == nil || !c.fault.Gateway) {
		c.s.setRateHeaders(h, c.quota, now, skew)
	}
}

// sleep waits on the server's clock, until the server closes. It does not stop
// when the client goes away: the service goes on with what it has accepted.
func (c *call) sleep(d time.Duration) error { return c.s.clock.sleep(c.s.ctx, d) }

// patience bounds the request's context: the server's closing ends it as well. The client's
// leaving is only noticed once its request was read whole.
func (c *call) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// param returns a query parameter, and whether it is there at all.
func (c *call) param(name string) (string, bool) {
	v, ok := c.query[name]
	if !ok || len(v) == 0 {
		return "", ok
	}
	return v[0], true
}

// recipient reads the number of a body, digits or a JID.
func (c *call) recipient() (jid string, res reply, stop bool) {
	number := c.body.str("number")
	if number == "" {
		return "", badRequest(textNumberRequired), true
	}
	jid, valid := parseNumber(number)
	if !valid {
		return "", badNumber(number), true
	}
	return jid, reply{}, false
}

// offline answers for an instance that is not connected, with the status that
// the route's module documents. The caller holds the lock.
func (c *call) offline() (reply, bool) {
	if c.inst.state == StateConnected {
		return reply{}, false
	}
	status := c.route.offline
	if status == 0 {
		status = c.s.cfg.notConnected
	}
	return fail(status, textNotConnected), true
}

func (c *call) checkQuery() {
	for name := range c.query {
		if slices.Contains(c.route.query, name) || name == "token" {
			continue
		}
		c.violate(UnknownQuery, name)
	}
}

func (c *call) preflight() {
	origin := c.r.Header.Get("Origin")
	h := c.w.Header()
	if c.s.originAllowed(origin) {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, token")
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS")
		h.Set("Vary", "Origin")
	}
	c.entry.setStatus(http.StatusNoContent)
	c.w.WriteHeader(http.StatusNoContent)
}

func (c *call) allowOrigin() {
	if origin := c.r.Header.Get("Origin"); origin != "" && c.s.originAllowed(origin) {
		c.w.Header().Set("Access-Control-Allow-Origin", origin)
		c.w.Header().Set("Vary", "Origin")
		if c.s.cfg.exposeRate {
			c.w.Header().Set("Access-Control-Expose-Headers", "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset")
		}
	}
}

func (s *Server) originAllowed(origin string) bool {
	return slices.ContainsFunc(s.cfg.allowedOrigins, func(o string) bool { return strings.EqualFold(o, origin) })
}
