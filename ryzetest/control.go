package ryzetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ryzeapi/ryze-go/ryzetest/internal/phone"
	"github.com/ryzeapi/ryze-go/ryzetest/internal/web"
)

// WithControl serves a page that looks like a phone under /_sim/, and its API
// under /_sim/api; /_sim/openapi.yaml describes that. It is off by default. Its
// requests are not counted or logged.
//
// The token comes as Authorization: Bearer, or once as /_sim/?token= in
// browsers. "" needs none, but a server that others can reach does not start
// without one.
func WithControl(token string) Option {
	return func(c *config) { c.control = &controlConfig{token} }
}

type controlConfig struct{ token string }

const (
	controlPrefix = "/_sim/"
	controlAPI    = "/_sim/api/"

	maxControlBody  = 1 << 20
	maxControlMedia = 32 << 20 // of a body that may carry a file
)

// control answers what is below /_sim/.
type control struct {
	s       *Server
	guard   web.Guard
	page    web.Page
	mux     *http.ServeMux
	readers chan struct{} // a token for each reader of changes
}

// controlRoute is one row of the table of the control API.
type controlRoute struct {
	method, path string   // the path below /_sim/api, as a pattern of ServeMux
	query        []string // parameters that it knows
	body         []field  // members that it knows; nil: there is no body
	media        bool     // the body may carry a file
	// handle returns what is answered as JSON; nil when it has answered by itself.
	handle func(*controlCall) (any, error)
}

func (r controlRoute) name() string { return r.method + " " + controlAPI + r.path }

// controlCall is one request to the control API.
type controlCall struct {
	s     *Server
	c     *control
	w     http.ResponseWriter
	r     *http.Request
	query url.Values
	body  values
	inst  *Instance // of the path
}

var controlRoutes []controlRoute

func init() {
	controlRoutes = slices.Concat(controlStateRoutes(), controlChatRoutes(), controlPlayRoutes(),
		controlFaultRoutes(), controlLogRoutes(), controlChangeRoutes())
}

// ControlRoutes lists the routes of the control API, as "METHOD /_sim/api/path/{name}".
func ControlRoutes() []string {
	names := make([]string, len(controlRoutes))
	for k, r := range controlRoutes {
		names[k] = r.name()
	}
	return names
}

func newControl(s *Server, token string) (*control, error) {
	host := "localhost"
	if !s.cfg.inMemory {
		host, _, _ = net.SplitHostPort(s.cfg.listen) // it was listened on
		addr, _, _ := net.SplitHostPort(s.listener.Addr().String())
		if token == "" && !web.IsLoopback(addr) {
			return nil, fmt.Errorf("ryzetest: WithControl wants a token when others can reach the server, as on %s", s.cfg.listen)
		}
	}
	c := &control{
		s: s, page: web.Page{Files: phone.Files()}, mux: http.NewServeMux(), readers: make(chan struct{}, maxReaders),
		guard: web.Guard{Token: token, Secure: s.cfg.tls, Host: host, Prefix: controlPrefix, API: controlAPI},
	}
	for _, r := range controlRoutes {
		c.mux.HandleFunc(r.name(), func(w http.ResponseWriter, req *http.Request) { c.answer(r, w, req) })
	}
	c.mux.HandleFunc(controlAPI, c.unknown)
	c.mux.HandleFunc(controlPrefix+"openapi.yaml", web.ServeDocument)
	c.mux.HandleFunc(controlPrefix, c.file)
	return c, nil
}

// serve answers a request, if it is one of the page or the API.
func (c *control) serve(w http.ResponseWriter, r *http.Request) bool {
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, controlPrefix):
		if c.guard.Check(w, r) {
			c.mux.ServeHTTP(w, r)
		}
	case path+"/" == controlPrefix:
		http.Redirect(w, r, controlPrefix, http.StatusSeeOther)
	case path == "/favicon.ico" && r.Method == http.MethodGet: // browsers ask for it unasked
		w.WriteHeader(http.StatusNoContent)
	default:
		return false
	}
	return true
}

func (c *control) file(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		c.notAllowed(w, "GET, HEAD")
		return
	}
	c.page.Serve(w, r, strings.TrimPrefix(r.URL.Path, controlPrefix))
}

func (c *control) notAllowed(w http.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	web.Fail(w, &web.Error{Status: http.StatusMethodNotAllowed, Message: "the method is not allowed here: use " + allowed})
}

// unknown answers what no route of the API takes.
func (c *control) unknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := c.mux.Handler(other); pattern != controlAPI {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		c.notAllowed(w, strings.Join(allowed, ", "))
		return
	}
	hint := nearestOf(r.Method, r.URL.Path, ControlRoutes(), func(segment string) bool { return strings.HasPrefix(segment, "{") })
	if hint != "" {
		hint = "; did you mean " + hint + "?"
	}
	web.Fail(w, web.NotFound("there is no %s %s%s; %sopenapi.yaml says what there is", r.Method, r.URL.Path, hint, controlPrefix))
}

// answer runs one request through its route.
func (c *control) answer(route controlRoute, w http.ResponseWriter, r *http.Request) {
	call := &controlCall{s: c.s, c: c, w: w, r: r}
	var body any
	var err error
	if call.query, err = url.ParseQuery(r.URL.RawQuery); err == nil {
		body, err = call.run(route)
	} else {
		err = web.Invalid("", "the query cannot be read: %v", err)
	}
	switch {
	case err != nil:
		web.Fail(w, err)
	case body != nil:
		web.Answer(w, http.StatusOK, body)
	}
}

func (c *controlCall) run(route controlRoute) (any, error) {
	for name, given := range c.query {
		if len(given) > 1 {
			return nil, web.Invalid(name, "%s is given %d times", name, len(given))
		}
		if !slices.Contains(route.query, name) {
			return nil, unknownName("query parameter", name, name, route.query)
		}
	}
	if name := c.r.PathValue("name"); name != "" {
		if c.inst = c.s.named(name); c.inst == nil {
			return nil, web.NotFound("there is no instance %q%s", name, didYouMean(name, c.s.instanceNames()))
		}
	}
	if route.method == http.MethodPost {
		limit := int64(maxControlBody)
		if route.media {
			limit = maxControlMedia
		}
		if err := c.readBody(route.body, limit); err != nil {
			return nil, err
		}
	}
	return route.handle(c)
}

// named finds an instance: that of the main account when several accounts have one
// of that name.
func (s *Server) named(name string) *Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.instances() {
		if i.name == name {
			return i
		}
	}
	return nil
}

func (s *Server) instanceNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for i := range s.instances() {
		names = append(names, i.name)
	}
	return names
}

// readBody reads a JSON object of known members. No body at all is an empty one.
func (c *controlCall) readBody(known []field, limit int64) error {
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &web.Error{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("the body is larger than %d bytes", limit)}
	}
	if err != nil {
		return web.Invalid("", "the body could not be read: %v", err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		c.body = values{}
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return web.Invalid("", "the body is not JSON: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return web.Invalid("", "something follows the JSON object of the body")
	}
	o, isObject := v.(obj)
	if !isObject {
		return web.Invalid("", "the body is not a JSON object")
	}
	for _, f := range checkObject(o, known, "") {
		return refused(f, known)
	}
	if path := nullItem(o, known, ""); path != "" {
		return web.Invalid(path, "%s: null is no entry of a list", path)
	}
	c.body = o
	return nil
}

// nullItem is the path of a list's entry that is null, or "".
func nullItem(o obj, known []field, path string) string {
	for _, f := range known {
		switch v := o[f.name].(type) {
		case obj:
			if at := nullItem(v, f.fields, path+f.name+"."); at != "" {
				return at
			}
		case []any:
			if k := slices.Index(v, nil); k >= 0 {
				return fmt.Sprintf("%s%s[%d]", path, f.name, k)
			}
		}
	}
	return ""
}

// refused is the error of a member that will not do.
func refused(f finding, known []field) error {
	switch path, rest, _ := strings.Cut(f.detail, ": "); f.kind {
	case UnknownField:
		return unknownName("field", f.detail, leaf(f.detail), fieldNames(membersAt(known, parent(f.detail))))
	case UnknownValue:
		fields := membersAt(known, path)
		return web.Invalid(path, "%s is not a value of %s, which takes %s%s", rest, path,
			strings.Join(fields[0].enum, ", "), didYouMean(strings.Trim(rest, `"`), fields[0].enum))
	default:
		return web.Invalid(path, "%s: %s", path, rest)
	}
}

// unknownName is the error of a name that is not known in its place.
func unknownName(what, path, name string, known []string) error {
	hint := didYouMean(name, known)
	if hint == "" && len(known) > 0 {
		hint = "; known here: " + strings.Join(known, ", ")
	}
	if len(known) == 0 {
		hint = "; none is known here"
	}
	return web.Invalid(path, "unknown %s %q%s", what, path, hint)
}

func didYouMean(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// whole reads a query parameter that is a number within bounds; missing it is fallback.
func (c *controlCall) whole(name string, fallback, least, most int64) (int64, error) {
	if !c.query.Has(name) {
		return fallback, nil
	}
	n, err := strconv.ParseInt(c.query.Get(name), 10, 64)
	if err != nil || n < least || n > most {
		return 0, web.Invalid(name, "%s must be a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// person reads a member that names somebody: digits or a JID.
func (c *controlCall) person(name string) (string, error) {
	return personOf(c.body.str(name), name)
}

func personOf(who, field string) (string, error) {
	if who == "" {
		return "", web.Invalid(field, "%s is wanted: the digits of a number, or a JID", field)
	}
	jid, ok := parseNumber(strings.TrimPrefix(who, "+"))
	if !ok {
		return "", web.Invalid(field, "%s: %q is neither the digits of a number nor a JID", field, who)
	}
	return jid, nil
}
