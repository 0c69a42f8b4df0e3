package ryzetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHostedMCPSaysThatItIsNotSimulated(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			for accept, isJSON := range map[string]bool{
				"application/json, text/event-stream": true, "application/problem+json": true,
				"text/html": false, "*/*": false,
			} {
				req := c.request(method, "/mcp", "")
				req.Header.Set("Accept", accept)
				a, err := c.send(req)
				require.NoError(t, err, "%s %s", method, accept)
				assert.Equal(t, 501, a.status)
				if isJSON {
					assert.Equal(t, textHosted, a.text())
				} else {
					assert.Equal(t, textHosted+"\n", string(a.raw))
					assert.Equal(t, "text/plain; charset=utf-8", a.header.Get("Content-Type"))
				}
			}
		}
		a := c.do("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"initialize"}`)
		assert.Equal(t, textHosted, a.text(), "who sends JSON reads it")
		assert.Equal(t, false, a.at("success"))
		require.NotEmpty(t, s.Violations())
		first := s.Violations()[0]
		assert.Equal(t, UnknownRoute, first.Kind)
		assert.Contains(t, first.Advice(), "not simulated")
		assert.NotContains(t, first.Advice(), "Did you mean")
		assert.Empty(t, first.Instead())
		assert.Equal(t, 404, c.do("GET", "/mcp/x", "").status)
	})
}
