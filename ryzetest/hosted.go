package ryzetest

import (
	"mime"
	"net/http"
	"strings"
)

// hostedPath is where the service has an endpoint of the Model Context Protocol,
// beside its documented routes.
const hostedPath = "/mcp"

// hostedDetail ends the violation of who asks for it.
const hostedDetail = hostedPath + ": not simulated"

const textHosted = "The MCP endpoint of the hosted service is not simulated. Use the HTTP routes of the API, which it calls too."

// refuseHosted answers whoever looks for the hosted endpoint: in the envelope of
// the API when the client takes JSON, else as plain text for a person.
func (c *call) refuseHosted() {
	c.violate(UnknownRoute, c.r.Method+" "+hostedDetail)
	c.drain()
	if takesJSON(c.r.Header) {
		c.write(http.StatusNotImplemented, encode(fail(http.StatusNotImplemented, textHosted).body), nil)
		return
	}
	c.write(http.StatusNotImplemented, []byte(textHosted+"\n"), http.Header{"Content-Type": {"text/plain; charset=utf-8"}})
}

func isHosted(v Violation) bool { return strings.HasSuffix(v.Detail, " "+hostedDetail) }

// takesJSON reports whether a client asks for JSON, or sends it without saying
// what it takes.
func takesJSON(h http.Header) bool {
	accept := strings.Join(h.Values("Accept"), ",")
	if accept == "" {
		accept = h.Get("Content-Type")
	}
	for part := range strings.SplitSeq(accept, ",") {
		if t, _, _ := mime.ParseMediaType(part); t == "application/json" || strings.HasSuffix(t, "+json") {
			return true
		}
	}
	return false
}
