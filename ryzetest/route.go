package ryzetest

import (
	"fmt"
	"math"
	"net/url"
	"strings"

	"github.com/ryzeapi/ryze-go/internal/levenshtein"
)

// authKind says which tokens a route takes.
type authKind int

const (
	authAny     authKind = iota // TokenAccount of the owner, or TokenInstance
	authAccount                 // TokenAccount only
	authNone                    // none is looked at
	authStream                  // authAny, and the token may be in the query
)

// route is one row of the table of everything that the server answers.
type route struct {
	id      string // as in "messages.text"
	method  string
	path    string // ":instance" stands for one segment
	auth    authKind
	rate    rateClass
	query   []string // parameters that the route knows
	body    []field  // JSON fields that the route knows; nil: any body is ignored
	stream  []string // fields whose (base64) value is read without holding it
	badBody string   // text of the 400 for a body that is no JSON of the right types
	several bool     // :instance may be several names joined by commas
	unknown string   // text for an unknown instance, "Instance not found" by default
	offline int      // status for an instance that is not connected; WithNotConnectedStatus when 0
	handle  func(*call) reply

	keepsChat bool // replyPrivate is declared, and not heeded
	// gate answers before the instance is looked up, when it reports true.
	gate func(*call) (reply, bool)
}

// name is how tests and logs call the route.
func (r *route) name() string { return r.method + " " + r.path }

// Texts of the 400 for a malformed body; the modules differ.
const (
	badBodyPlain  = "Invalid request body"
	badBodyDetail = "Invalid request body: " // and the detail
	badBodyLower  = "invalid body: "         // and the detail
)

// routes is the table, one function per module. It is filled by init because
// handlers look things up in it.
var routes []*route

func init() {
	for _, module := range [][]route{
		healthRoutes(),
		instanceRoutes(),
		settingsRoutes(),
		messageRoutes(),
		kindRoutes(),
		chatRoutes(),
		groupRoutes(),
		communityRoutes(),
		newsletterRoutes(),
		profileRoutes(),
		callRoutes(),
		chatwootRoutes(),
		eventRoutes(),
	} {
		for i := range module {
			routes = append(routes, &module[i])
		}
	}
}

// match finds the route of a request. The path is the escaped one, so that an
// escaped slash stays inside its segment. methodOnly reports that the path
// exists under another method.
func match(method, escapedPath string) (r *route, params map[string]string, methodOnly bool) {
	segments := strings.Split(strings.TrimPrefix(escapedPath, "/"), "/")
	for _, r := range routes {
		params, ok := r.matches(segments)
		if !ok {
			continue
		}
		if r.method == method {
			return r, params, false
		}
		methodOnly = true
	}
	return nil, nil, methodOnly
}

func (r *route) matches(segments []string) (map[string]string, bool) {
	pattern := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
	if len(segments) == len(pattern)-1 && strings.HasPrefix(pattern[len(pattern)-1], ":") {
		segments = append(segments[:len(segments):len(segments)], "") // the name is missing
	}
	if len(segments) != len(pattern) {
		return nil, false
	}
	var params map[string]string
	for i, p := range pattern {
		if !strings.HasPrefix(p, ":") {
			if p != segments[i] {
				return nil, false
			}
			continue
		}
		v, err := url.PathUnescape(segments[i])
		if err != nil {
			return nil, false
		}
		if params == nil {
			params = map[string]string{}
		}
		params[p[1:]] = v
	}
	return params, true
}

// findRoute returns the route that a test names: "POST /api/message/text/:instance"
// or "messages.text".
func findRoute(name string) *route {
	for _, r := range routes {
		if r.id == name || r.name() == name {
			return r
		}
	}
	return nil
}

// routeKey is the name under which faults and counts of a route are kept; "*" is
// any route. It panics on a route that there is not.
func routeKey(name string) string {
	if name == "*" {
		return name
	}
	r := findRoute(name)
	if r == nil {
		panic(fmt.Sprintf("ryzetest: no route %q; did you mean %q?", name, nearestRoute(name)))
	}
	return r.name()
}

// nearestRoute is the route whose name, in the form that was used, takes the
// fewest changes to get to.
func nearestRoute(name string) string {
	nearest, fewest := "", math.MaxInt
	for _, r := range routes {
		known := r.id
		if strings.Contains(name, "/") {
			known = r.name()
		}
		n := levenshtein.Distance(strings.ToLower(name), strings.ToLower(known))
		if k, given := strings.ToLower(known), strings.ToLower(name); strings.HasPrefix(k, given) || strings.HasSuffix(k, "."+given) {
			n = 1 // what was left out counts little
		}
		if n < fewest {
			nearest, fewest = known, n
		}
	}
	return nearest
}

// Routes lists everything that the server answers, as "METHOD /path/:instance".
func Routes() []string {
	names := make([]string, len(routes))
	for i, r := range routes {
		names[i] = r.name()
	}
	return names
}
