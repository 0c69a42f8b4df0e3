package ryzetest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokensGiveTheirRightsAndNoMore(t *testing.T) {
	s, c := start(t, WithAccountToken("acct"), WithRateLimit(1000))
	s.AddAccount("other", 1)
	a, b := s.AddInstance("a"), s.AddInstance("b")
	foreign := s.AddInstanceTo("other", "foreign")

	tests := []struct {
		name, method, path, token string
		status                    int
		text                      string
	}{
		{"no token", "GET", "/api/instance/list", "", 401, "Missing token in header"},
		{"unknown token", "GET", "/api/instance/list", "nope", 401, "Invalid token"},
		{"no token on a stream", "GET", "/ws/a", "", 401, "Missing token in header, Authorization header, or query parameter"},
		{"unknown token on a stream", "GET", "/ws/a", "nope", 401, "Invalid token"},
		{"account on its instance", "GET", "/api/instance/getSettings/a", "acct", 200, ""},
		{"instance on itself", "GET", "/api/instance/getSettings/a", a.Token(), 200, ""},
		{"instance on its neighbour", "GET", "/api/instance/getSettings/b", a.Token(), 403, "Instance token does not match requested instance"},
		{"instance on a foreign one", "GET", "/api/instance/getSettings/foreign", a.Token(), 403, "Instance token does not match requested instance"},
		{"instance on nothing", "GET", "/api/instance/getSettings/nobody", a.Token(), 404, "Instance not found"},
		{"account on a foreign one", "GET", "/api/instance/getSettings/foreign", "acct", 403, "Instance does not belong to your account"},
		{"account on nothing", "GET", "/api/instance/getSettings/nobody", "acct", 404, "Instance not found"},
		{"names are case-sensitive", "GET", "/api/instance/getSettings/A", "acct", 404, "Instance not found"},
		{"no name", "GET", "/api/instance/getSettings/", "acct", 400, "Instance name is required"},
		{"instance cannot create", "POST", "/api/instance/new", b.Token(), 401, "Invalid token"},
		{"instance cannot delete itself", "DELETE", "/api/instance/delete/b", b.Token(), 401, "Invalid token"},
		{"owner of the foreign one", "GET", "/api/instance/getSettings/foreign", "other", 200, ""},
		{"the foreign one itself", "GET", "/api/instance/getSettings/foreign", foreign.Token(), 200, ""},
		{"unknown path", "GET", "/api/instance/nothing", "acct", 404, "Not Found"},
		{"wrong method", "PUT", "/api/instance/list", "acct", 405, "Method Not Allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := c.with(tt.token).do(tt.method, tt.path, "")
			assert.Equal(t, tt.status, got.status, string(got.raw))
			assert.Equal(t, tt.text, got.text())
			assert.Equal(t, tt.status < 400, got.at("success"))
		})
	}
}

func TestQuotaCapsTheInstancesOfAnAccount(t *testing.T) {
	_, c := start(t, WithQuota(1))
	require.Equal(t, 201, c.do("POST", "/api/instance/new", `{"name":"a"}`).status)
	got := c.do("POST", "/api/instance/new", `{"name":"b"}`)
	assert.Equal(t, 403, got.status)
	assert.Equal(t, "Account instance quota exceeded", got.text())
}

func TestTokenHeaderComesBeforeBearerAndQueryIsForStreamsOnly(t *testing.T) {
	s, c := start(t, WithAccountToken("acct"))
	s.AddInstance("a")
	send := func(path string, header ...string) answer {
		req := c.with("").request("GET", path, "")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		a, err := c.send(req)
		require.NoError(t, err)
		return a
	}
	assert.Equal(t, 200, send("/api/instance/list", "Authorization", "Bearer acct").status)
	assert.Equal(t, 200, send("/api/instance/list", "Authorization", "Bearer nope", "token", "acct").status)
	assert.Equal(t, 401, send("/api/instance/list", "Authorization", "Bearer acct", "token", "nope").status)
	assert.Equal(t, 401, send("/api/instance/list", "Authorization", "Basic acct").status)
	assert.Empty(t, s.Violations())

	assert.Equal(t, 401, send("/api/instance/list?token=acct").status)
	require.Len(t, s.Violations(), 1)
	assert.Equal(t, TokenInQuery, s.Violations()[0].Kind)
	assert.Equal(t, 400, send("/ws/a?token=acct").status, "accepted, and the stream is not enabled")
	assert.Len(t, s.Violations(), 1)
}

func TestBrowsersAreAnsweredOnlyForAllowedOrigins(t *testing.T) {
	_, c := start(t, WithAllowedOrigins("https://app.example.com"))
	for origin, want := range map[string]string{"https://app.example.com": "https://app.example.com", "https://evil.example.com": ""} {
		req := c.with("").request("OPTIONS", "/api/instance/list", "")
		req.Header.Set("Origin", origin)
		a, err := c.send(req)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNoContent, a.status)
		assert.Equal(t, want, a.header.Get("Access-Control-Allow-Origin"))
	}
}
