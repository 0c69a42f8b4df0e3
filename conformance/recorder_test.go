package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
)

// exchange is one request, whole, and its reply.
type exchange struct {
	operation    string   // of the document, once that is known
	methods      []string // exported methods that were under way, innermost first
	request      *http.Request
	requestBody  []byte
	response     *http.Response // nil when the connection was lost
	responseBody []byte
}

// recorder is the transport between the client and the simulator. It keeps
// every exchange, and which methods of package ryze asked for it.
type recorder struct {
	next http.RoundTripper

	mu        sync.Mutex
	exchanges []*exchange
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{methods: methodsUnderWay(debug.Stack())}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if err := req.Body.Close(); err != nil {
			return nil, err
		}
		x.requestBody = body
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	x.request = req
	r.mu.Lock()
	r.exchanges = append(r.exchanges, x)
	r.mu.Unlock()
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	kept := *resp
	if resp.StatusCode != http.StatusSwitchingProtocols {
		x.responseBody, err = io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(x.responseBody))
	}
	x.response = &kept
	return resp, nil
}

func (r *recorder) all() []*exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.exchanges
}

// describe is the exchange for a failure's text.
func (x *exchange) describe() string {
	if x.response == nil {
		return fmt.Sprintf("%s %s\n%s", x.request.Method, x.request.URL.RequestURI(), cut(x.requestBody))
	}
	return fmt.Sprintf("%s %s\n%s\n%d %s", x.request.Method, x.request.URL.RequestURI(), cut(x.requestBody), x.response.StatusCode, cut(x.responseBody))
}

func cut(b []byte) string {
	const most = 400
	if len(b) > most {
		return string(b[:most]) + "..."
	}
	return string(b)
}

// A line of a stack trace that names a method of package ryze, or the function
// that started a goroutine. Literals inside a method count for it.
var methodLine = regexp.MustCompile(`(?m)^(?:created by )?(?:github\.com/ryzeapi/ryze-go|\S*conformance\S*)\.(?:\S*\.)?\(\*([A-Z]\w*)\)\.([A-Z]\w*)[.(\[\n ]`)

// methodsUnderWay reads the exported methods of package ryze out of a stack
// trace, innermost first.
func methodsUnderWay(stack []byte) []string {
	var names []string
	for _, m := range methodLine.FindAllSubmatch(stack, -1) {
		name := string(m[1]) + "." + string(m[2])
		if !strings.HasPrefix(name, "Subscription.") && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	return names
}
