package ryzetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sim is a client of the control API.
type sim struct {
	t *testing.T
	s *Server
}

func startControl(t *testing.T, opts ...Option) sim {
	t.Helper()
	s := NewServer(append([]Option{InMemory(), WithControl("")}, opts...)...)
	t.Cleanup(s.Close)
	return sim{t, s}
}

func (c sim) request(method, path, body string) *http.Request {
	c.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL+path, r)
	require.NoError(c.t, err)
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (c sim) send(req *http.Request) answer {
	c.t.Helper()
	res, err := c.s.HTTPClient().Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	a := answer{status: res.StatusCode, header: res.Header, raw: raw}
	_ = json.Unmarshal(raw, &a.body) // not every reply is JSON
	return a
}

// do calls the API, below /_sim/api/, and expects that it works.
func (c sim) do(method, path, body string) answer {
	c.t.Helper()
	a := c.try(method, path, body)
	require.Equal(c.t, http.StatusOK, a.status, "%s %s: %s", method, path, a.raw)
	return a
}

func (c sim) try(method, path, body string) answer {
	c.t.Helper()
	return c.send(c.request(method, controlAPI+path, body))
}

func (c sim) messages(instance, chat string) []any {
	c.t.Helper()
	return c.do("GET", "instances/"+instance+"/chats/"+chat+"/messages", "").at("messages").([]any)
}

func (c sim) state() map[string]any { return c.do("GET", "state", "").body }

// get follows keys and indexes into decoded JSON.
func get(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			list, _ := v.([]any)
			if p >= len(list) {
				return nil
			}
			v = list[p]
		}
	}
	return v
}

func TestTheControlAPIIsOffUnlessAskedFor(t *testing.T) {
	s := NewServer(InMemory())
	t.Cleanup(s.Close)
	c := sim{t, s}
	for _, path := range []string{"/_sim/", "/_sim/api/state", "/_sim/openapi.yaml", "/_sim", "/favicon.ico"} {
		assert.Equal(t, http.StatusNotFound, c.send(c.request("GET", path, "")).status, path)
	}
	assert.Len(t, s.Violations(), 5)
}

func TestTheControlAPIIsNeitherCountedNorLogged(t *testing.T) {
	c := startControl(t, WithRateLimit(1))
	c.s.Fault("*", Fault{Status: 500})
	for range 3 {
		c.do("GET", "state", "")
		c.try("POST", "no/such", "")
	}
	assert.Equal(t, http.StatusOK, c.send(c.request("GET", "/_sim/", "")).status)
	assert.Equal(t, http.StatusNoContent, c.send(c.request("GET", "/favicon.ico", "")).status)
	assert.Empty(t, c.s.Requests())
	assert.Zero(t, c.s.Count("*"))
	assert.EqualValues(t, 1, get(c.state(), "windows", 0, "remaining"))
	assert.Len(t, c.state()["faults"], 1, "no fault was taken")
}

// refusals of what is not the page's own.

func TestAForeignHostIsRefused(t *testing.T) {
	c := startControl(t)
	for host, status := range map[string]int{
		"evil.example": 403, "evil.example:8484": 403, "localhost.evil.example": 403, "127.0.0.1.nip.io": 403, "[::2]:80": 403,
		"192.168.1.7:8484": 403, "": 200, "localhost": 200, "localhost:8484": 200, "LOCALHOST": 200, "127.0.0.1:1": 200,
		"[::1]:8484": 200, "127.9.9.9": 200,
	} {
		for _, path := range []string{"/_sim/", "/_sim/api/state", "/_sim/openapi.yaml"} {
			req := c.request("GET", path, "")
			req.Host = host
			assert.Equal(t, status, c.send(req).status, "%s of %q", path, host)
		}
	}
}

func TestAForeignOriginIsRefused(t *testing.T) {
	c := startControl(t)
	for origin, status := range map[string]int{
		"https://evil.example": 403, "null": 403, "http://localhost:3000": 403, "https://localhost:0": 403,
		"http://localhost:0.evil.example": 403, "http://localhost": 403, "http://user@localhost:0": 200, "http://localhost:0": 200,
	} {
		for method, path := range map[string]string{"GET": "state", "POST": "instances/none/pair"} {
			req := c.request(method, controlAPI+path, "")
			req.Header.Set("Origin", origin)
			a := c.send(req)
			assert.Equal(t, status == 403, a.status == 403, "%s %s", method, origin)
			assert.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
		}
	}
	req := c.request("OPTIONS", "/_sim/api/reset", "")
	req.Header.Set("Origin", "https://evil.example")
	req.Header.Set("Access-Control-Request-Method", "POST")
	a := c.send(req)
	assert.Equal(t, http.StatusForbidden, a.status, "a preflight")
	assert.Empty(t, a.header.Get("Access-Control-Allow-Methods"))
}

func TestAllowedOriginsOfTheServiceAreNotThoseOfTheControlAPI(t *testing.T) {
	c := startControl(t, WithAllowedOrigins("https://app.example.com"))
	req := c.request("GET", "/_sim/api/state", "")
	req.Header.Set("Origin", "https://app.example.com")
	assert.Equal(t, http.StatusForbidden, c.send(req).status)
}

func TestARequestThatAnotherSiteStartedIsRefused(t *testing.T) {
	c := startControl(t)
	for _, r := range []struct {
		path, site, mode string
		status           int
	}{
		{"/_sim/api/state", "cross-site", "no-cors", 403}, {"/_sim/api/state", "cross-site", "navigate", 403},
		{"/_sim/", "cross-site", "navigate", 403}, {"/_sim/api/state", "same-site", "navigate", 403},
		{"/_sim/api/state", "same-site", "no-cors", 403}, {"/_sim/", "same-site", "no-cors", 403},
		{"/_sim/api/state", "something new", "cors", 403},
		{"/_sim/", "same-site", "navigate", 200}, {"/_sim/", "none", "navigate", 200}, {"/_sim/api/state", "same-origin", "cors", 200},
	} {
		req := c.request("GET", r.path, "")
		req.Header.Set("Sec-Fetch-Site", r.site)
		req.Header.Set("Sec-Fetch-Mode", r.mode)
		assert.Equal(t, r.status, c.send(req).status, "%v", r)
	}
}

func TestAFormCannotChangeAnything(t *testing.T) {
	c := startControl(t)
	c.s.AddInstance("shop")
	for _, contentType := range []string{
		"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "", "text/plain; application/json",
		"application/jsonp",
	} {
		for _, path := range []string{"instances/shop/pair", "reset", "clock/advance"} {
			req := c.request("POST", controlAPI+path, `{"by":"1m"}`)
			req.Header.Set("Content-Type", contentType)
			assert.Equal(t, http.StatusUnsupportedMediaType, c.send(req).status, "%s as %q", path, contentType)
		}
	}
	assert.Equal(t, StateDisconnected, c.s.Instance("shop").State())
	req := c.request("POST", "/_sim/api/instances/shop/pair", `{}`)
	req.Header.Set("Content-Type", "Application/JSON; charset=utf-8")
	assert.Equal(t, http.StatusOK, c.send(req).status)
	// No form can delete: a DELETE needs no body, and hence no type.
	req = c.request("DELETE", "/_sim/api/faults", "")
	req.Header.Del("Content-Type")
	assert.Equal(t, http.StatusOK, c.send(req).status)
}

const controlToken = "0123456789abcdef"

func TestOffLoopbackATokenIsWanted(t *testing.T) {
	_, err := Start(WithListen("0.0.0.0:0"), WithControl(""))
	require.ErrorContains(t, err, "WithControl wants a token")
	_, err = Start(WithListen(":0"), WithControl(""))
	require.ErrorContains(t, err, "WithControl wants a token")

	s, err := Start(WithListen("0.0.0.0:0"), WithControl(controlToken))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	c := sim{t, s}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	require.NoError(t, err)
	for host, status := range map[string]int{"192.168.1.7:" + port: 200, "evil.example:" + port: 403, "localhost:" + port: 200} {
		req := c.request("GET", "/_sim/api/state", "")
		req.Host = host
		req.Header.Set("Authorization", "Bearer "+controlToken)
		assert.Equal(t, status, c.send(req).status, host)
		if status == 200 {
			req.Header.Del("Authorization")
			assert.Equal(t, http.StatusUnauthorized, c.send(req).status, host)
		}
	}
}

func TestWithATokenNothingIsSeenWithoutIt(t *testing.T) {
	c := startControl(t, WithControl(controlToken))
	for _, path := range []string{"/_sim/", "/_sim/api/state", "/_sim/api/changes", "/_sim/openapi.yaml", "/_sim/app.js", "/_sim/api/no/such"} {
		for _, authorization := range []string{
			"", "Bearer", "Bearer ", "Bearer " + controlToken + "0", "Bearer " + controlToken[:15], "Basic " + controlToken, controlToken,
			"Bearer " + c.s.AccountToken,
		} {
			req := c.request("GET", path, "")
			req.Header.Set("Authorization", authorization)
			a := c.send(req)
			assert.Equal(t, http.StatusUnauthorized, a.status, "%s with %q", path, authorization)
			assert.Equal(t, "Bearer", a.header.Get("Www-Authenticate"))
		}
	}
	// In the address it opens the page, and nothing else.
	assert.Equal(t, http.StatusUnauthorized, c.send(c.request("GET", "/_sim/api/state?token="+controlToken, "")).status)
	assert.Equal(t, http.StatusUnauthorized, c.send(c.request("GET", "/_sim/?token=wrong", "")).status)
	assert.Equal(t, http.StatusUnauthorized, c.send(c.request("POST", "/_sim/?token="+controlToken, "")).status)

	a := c.send(c.request("GET", "/_sim/?token="+controlToken, ""))
	assert.Equal(t, http.StatusSeeOther, a.status)
	assert.Equal(t, "/_sim/", a.header.Get("Location"), "the token is gone from the address")
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	require.NoError(t, err)
	assert.True(t, cookie.HttpOnly)
	assert.False(t, cookie.Secure)
	assert.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	assert.Equal(t, "/_sim/", cookie.Path)
	assert.NotContains(t, cookie.Value, controlToken)
	req := c.request("GET", "/_sim/api/state", "")
	req.AddCookie(cookie)
	assert.Equal(t, http.StatusOK, c.send(req).status)
	cookie.Value = strings.Repeat("0", len(cookie.Value))
	req = c.request("GET", "/_sim/api/state", "")
	req.AddCookie(cookie)
	assert.Equal(t, http.StatusUnauthorized, c.send(req).status)

	// The guard comes first: a foreign host learns nothing about tokens.
	req = c.request("GET", "/_sim/?token="+controlToken, "")
	req.Host = "evil.example"
	assert.Equal(t, http.StatusForbidden, c.send(req).status)
}

func TestOverTLSTheCookieIsSecure(t *testing.T) {
	c := startControl(t, WithControl(controlToken), WithTLS())
	a := c.send(c.request("GET", "/_sim/?token="+controlToken, ""))
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	require.NoError(t, err)
	assert.True(t, cookie.Secure)
	req := c.request("GET", "/_sim/api/state", "")
	req.AddCookie(cookie)
	req.Header.Set("Origin", c.s.URL)
	assert.Equal(t, http.StatusOK, c.send(req).status)
	req.Header.Set("Origin", strings.Replace(c.s.URL, "https", "http", 1))
	assert.Equal(t, http.StatusForbidden, c.send(req).status)
}

func TestThePageIsServedWithTypesAndPolicy(t *testing.T) {
	c := startControl(t)
	a := c.send(c.request("GET", "/_sim/", ""))
	require.Equal(t, http.StatusOK, a.status)
	assert.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
	assert.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	policy := a.header.Get("Content-Security-Policy")
	for _, rule := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'"} {
		assert.Contains(t, policy, rule)
	}
	assert.NotContains(t, policy, "unsafe")
	etag := a.header.Get("ETag")
	require.NotEmpty(t, etag)
	req := c.request("GET", "/_sim/index.html", "")
	req.Header.Set("If-None-Match", etag)
	assert.Equal(t, http.StatusNotModified, c.send(req).status)

	for _, path := range []string{"/_sim/nothing.js", "/_sim/../go.mod", "/_sim/%2e%2e/phone.go", "/_sim/a/b", "/_sim/.hidden"} {
		assert.NotEqual(t, http.StatusOK, c.send(c.request("GET", path, "")).status, path)
	}
	assert.Equal(t, "/_sim/", c.send(c.request("GET", "/_sim", "")).header.Get("Location"))
	assert.Equal(t, http.StatusMethodNotAllowed, c.send(c.request("POST", "/_sim/", "{}")).status)
	assert.Equal(t, "application/yaml", c.send(c.request("GET", "/_sim/openapi.yaml", "")).header.Get("Content-Type"))
}

func TestMediaIsNeverExecuted(t *testing.T) {
	c := startControl(t)
	c.s.AddInstance("shop").Pair("")
	script := base64.StdEncoding.EncodeToString([]byte("<script>alert(1)</script>"))
	for _, m := range []struct {
		mime, name, kind string
		inline           bool
	}{
		{"text/html", "a.html", "document", false}, {"image/svg+xml", "a.svg", "image", false}, {"application/xhtml+xml", "", "document", false},
		{"text/xml", "", "document", false}, {"application/pdf", `a"b; filename=x.html`, "document", false}, {"image/png\r\nX-Evil: 1", "", "image", false},
		{"", "x", "document", false}, {"text/javascript", "a.js", "document", false}, {"multipart/x-mixed-replace; boundary=x", "", "document", false},
		{"image/png", "../../ä\r\n.png", "image", true}, {"audio/ogg; codecs=opus", "", "audio", true}, {"video/mp4", "v.mp4", "video", true},
	} {
		body, err := json.Marshal(map[string]any{"from": "5511987654321", "media": map[string]any{
			"data": script, "mime": m.mime, "fileName": m.name, "kind": m.kind,
		}})
		require.NoError(t, err)
		id := c.do("POST", "instances/shop/receive", string(body)).at("id").(string)
		a := c.do("GET", "instances/shop/messages/"+id+"/media", "")
		assert.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), m.mime)
		assert.Equal(t, "sandbox; default-src 'none'", a.header.Get("Content-Security-Policy"), m.mime)
		assert.Empty(t, a.header.Get("X-Evil"))
		disposition := a.header.Get("Content-Disposition")
		if m.inline {
			assert.Equal(t, m.mime, a.header.Get("Content-Type"))
			assert.True(t, strings.HasPrefix(disposition, "inline"), disposition)
		} else {
			assert.Equal(t, "application/octet-stream", a.header.Get("Content-Type"), m.mime)
			assert.True(t, strings.HasPrefix(disposition, "attachment"), disposition)
		}
		assert.NotContains(t, disposition, "/")
		assert.NotContains(t, disposition, "\n")
	}
}

func TestMediaIsServedInRanges(t *testing.T) {
	c := startControl(t)
	c.s.AddInstance("a/b c").Pair("")
	c.do("POST", "instances/a%2Fb%20c/receive", `{"from":"5511987654321","media":{"data":"MDEyMzQ1Njc4OQ==","mime":"video/mp4"}}`)
	m := c.messages("a%2Fb%20c", "5511987654321")
	address := get(m, 0, "media", "url").(string)
	for r, want := range map[string]string{"bytes=2-4": "234", "bytes=-3": "789", "bytes=8-": "89", "": "0123456789"} {
		req := c.request("GET", address, "")
		req.Header.Set("Range", r)
		a := c.send(req)
		assert.Equal(t, want, string(a.raw), r)
		assert.Equal(t, r != "", a.status == http.StatusPartialContent, r)
		assert.Equal(t, "bytes", a.header.Get("Accept-Ranges"))
	}
	req := c.request("GET", address, "")
	req.Header.Set("Range", "bytes=99-")
	assert.Equal(t, http.StatusRequestedRangeNotSatisfiable, c.send(req).status)
	etag := c.send(c.request("GET", address, "")).header.Get("ETag")
	req = c.request("GET", address, "")
	req.Header.Set("If-None-Match", etag)
	assert.Equal(t, http.StatusNotModified, c.send(req).status)
}

// errors

func TestErrorsNameTheFieldAndTheNearestName(t *testing.T) {
	c := startControl(t)
	shop := c.s.AddInstance("shop")
	shop.Pair("5511900000001")
	poll, ok := shop.Message(shop.TypeOnPhone("5511987654321", Incoming{Poll: &Poll{Question: "?", Options: []string{"red", "green"}}}))
	require.True(t, ok)
	text, _ := shop.Message(shop.Receive(Incoming{From: "5511987654321", Text: "Hi"}))
	for _, e := range []struct {
		method, path, body string
		status             int
		field, says        string
	}{
		{"POST", "instances/shop/receive", `{"from":"5511987654321","txt":"x"}`, 400, "txt", `did you mean "text"?`},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","message":"x"}`, 400, "message", `did you mean "text"?`},
		{"POST", "instances/shop/receive", `{"number":"5511987654321","text":"x"}`, 400, "number", `did you mean "from"?`},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","media":{"base64":"x"}}`, 400, "media.base64", `did you mean "data"?`},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","media":{"data":"eA==","kind":"vidoe"}}`, 400, "media.kind", `did you mean "video"?`},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","media":{"data":"!"}}`, 400, "media.data", "base64"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","media":{}}`, 400, "media.data", "wanted"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","text":5}`, 400, "text", "want string"},
		{"POST", "instances/shop/receive", `{"text":"x"}`, 400, "from", "wanted"},
		{"POST", "instances/shop/receive", `{"from":"Ana","text":"x"}`, 400, "from", "Ana"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321"}`, 400, "text", "wanted"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","text":"a","location":{}}`, 400, "text", "two messages"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","poll":{},"location":{}}`, 400, "poll", "two messages"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","location":{"latitude":91}}`, 400, "location", "latitude"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","edit":"X"}`, 400, "text", "wanted"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","reaction":{"emoji":"x"}}`, 400, "reaction.messageId", "wanted"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","answer":{"kind":"butt","id":"x"}}`, 400, "answer.kind", `did you mean "button"?`},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","answer":{}}`, 400, "answer.id", "wanted"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","poll":{"question":"?","options":["a"]}}`, 400, "poll.options", "between"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","text":"x","at":"yesterday"}`, 400, "at", "RFC 3339"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","text":"x","group":"5511987654321"}`, 400, "group", "group"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","text":"x","mentions":["1","b"]}`, 400, "mentions[1]", "b"},
		{"POST", "instances/shop/receive", `{"from":"5511987654321","card":{"phone":"1"}}`, 400, "card.name", "wanted"},
		{"POST", "instances/shop/receive", `[]`, 400, "", "object"},
		{"POST", "instances/shop/receive", `{"from":`, 400, "", "JSON"},
		{"POST", "instances/shop/receive", `{} {}`, 400, "", "follows"},
		{"POST", "instances/shop/type", `{"from":"1","text":"x"}`, 400, "from", `did you mean "to"?`},
		{"POST", "instances/shop/pair", `{"phone":"call me"}`, 400, "phone", "digits"},
		{"POST", "instances/shop/pair", `{"number":"1"}`, 400, "number", `did you mean "phone"?`},
		{"POST", "instances/shop/ban", `{"now":true}`, 400, "now", "none is known here"},
		{"POST", "instances/shop/drop-streams", `{"code":1006}`, 400, "code", "1006"},
		{"POST", "instances/shop/vote", `{"poll":"X","voter":"5511987654321","options":["red"]}`, 400, "poll", "X"},
		{"POST", "instances/shop/vote", `{"poll":"` + text.ID + `","voter":"5511987654321"}`, 400, "poll", "no poll"},
		{"POST", "instances/shop/vote", `{"poll":"` + poll.ID + `","voter":"5511987654321","options":["grene"]}`, 400, "options[0]", `did you mean "green"?`},
		{"POST", "instances/shop/vote", `{"poll":"` + poll.ID + `","voter":"5511987654321","options":["red","green"]}`, 400, "options", "1 at most"},
		{"POST", "instances/shop/receipt", `{"status":"raed","ids":["` + text.ID + `"]}`, 400, "status", `did you mean "read"?`},
		{"POST", "instances/shop/receipt", `{"status":"read","ids":["X"]}`, 400, "ids[0]", "X"},
		{"POST", "instances/shop/receipt", `{"status":"read"}`, 400, "ids", "wanted"},
		{"POST", "instances/shop/raceive", `{}`, 404, "", "did you mean POST /_sim/api/instances/{name}/receive?"},
		{"GET", "instances/shop/receive", ``, 405, "", "use POST"},
		{"GET", "instances/shopp/chats", ``, 404, "", `did you mean "shop"?`},
		{"GET", "instances/shop/messages/X", ``, 404, "", "X"},
		{"GET", "instances/shop/messages/" + text.ID + "/media", ``, 404, "", "file"},
		{"GET", "instances/shop/chats/Ana/messages", ``, 400, "jid", "Ana"},
		{"GET", "instances/shop/chats/5511987654321/messages?limit=0", ``, 400, "limit", "from 1"},
		{"GET", "instances/shop/chats/5511987654321/messages?befor=X", ``, 400, "befor", `did you mean "before"?`},
		{"GET", "instances/shop/chats/5511987654321/messages?before=X", ``, 400, "before", "X"},
		{"GET", "requests?after=x", ``, 400, "after", "whole number"},
		{"GET", "requests/99", ``, 404, "", "99"},
		{"GET", "requests/x", ``, 400, "number", "x"},
		{"GET", "changes?after=-1", ``, 400, "after", "whole number"},
		{"POST", "instances", `{"name":"shop"}`, 409, "", "already"},
		{"POST", "instances", `{}`, 400, "name", "wanted"},
		{"POST", "contacts", `{"name":"Ana"}`, 400, "phone", "wanted"},
		{"POST", "contacts", `{"phone":"5511987654321","lid":"x"}`, 400, "lid", "LID"},
		{"POST", "groups", `{"owner":"1"}`, 400, "name", "wanted"},
		{"POST", "groups", `{"name":"G","members":["1","x"]}`, 400, "members[1]", "x"},
		{"POST", "groups", `{"name":"G","jid":"1"}`, 400, "jid", "group"},
		{"POST", "faults", `{"what":"slwo"}`, 400, "what", `did you mean "slow"?`},
		{"POST", "faults", `{}`, 400, "what", "wanted"},
		{"POST", "faults", `{"what":"slow","delay":"soon"}`, 400, "delay", "duration"},
		{"POST", "faults", `{"what":"slow","times":0}`, 400, "times", "from 1"},
		{"POST", "faults", `{"what":"slow","route":"POST /api/message/txt/:instance"}`, 400, "route", "POST /api/message/text/:instance"},
		{"DELETE", "faults/7", ``, 404, "", "7"},
		{"POST", "clock/advance", `{"by":"-1s"}`, 400, "by", "duration"},
		{"POST", "clock/advance", `{}`, 400, "by", "wanted"},
		{"POST", "windows/eat", `{"key":"shpo","n":1}`, 400, "key", `did you mean "shop"?`},
		{"POST", "windows/eat", `{"key":"shop"}`, 400, "n", "wanted"},
	} {
		a := c.try(e.method, e.path, e.body)
		assert.Equal(t, e.status, a.status, "%v: %s", e, a.raw)
		assert.Contains(t, a.text(), e.says, "%v", e)
		field, _ := a.at("error", "field").(string)
		assert.Equal(t, e.field, field, "%v", e)
	}
	assert.Equal(t, http.StatusRequestEntityTooLarge, c.try("POST", "contacts", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`).status)
	big := `{"from":"5511987654321","media":{"data":"` + strings.Repeat("QUFB", 6<<20/4) + `"}}`
	assert.Equal(t, http.StatusOK, c.try("POST", "instances/shop/receive", big).status)
}

func TestWhatComesToNothingSaysWhy(t *testing.T) {
	c := startControl(t)
	shop := c.s.AddInstance("shop")
	says := func(path, body, why string) {
		t.Helper()
		a := c.try("POST", "instances/shop/"+path, body)
		assert.Equal(t, http.StatusConflict, a.status, "%s", a.raw)
		assert.Contains(t, a.text(), why)
	}
	hello := `{"from":"5511987654321","text":"Hi"}`
	says("receive", hello, "no phone is paired with shop")
	says("reconnect", "", "no phone is paired with shop")
	says("type", `{"to":"5511987654321","text":"Hi"}`, "shop is disconnected")
	c.do("POST", "instances/shop/pair", `{"phone":"5511900000001"}`)
	group := c.do("POST", "groups", `{"name":"Others","members":["5511987654321"]}`).at("jid").(string)
	says("receive", `{"from":"5511987654321","group":"`+group+`","text":"Hi"}`, "is not in the group")
	client := client{t, c.s, shop.Token()}
	require.Equal(t, 200, client.do("POST", "/api/chat/block/shop", `{"number":"5511987654321","block":true}`).status)
	says("receive", hello, "has blocked")
	require.Equal(t, 200, client.do("POST", "/api/instance/settings/shop", `{"ignoreGroupMessages":true}`).status)
	says("receive", `{"from":"5511987654321","group":"1203630@g.us","text":"Hi"}`, "ignore groups")
	c.s.AddInstance("other")
	a := c.try("POST", "instances/other/pair", `{"phone":"5511900000001"}`)
	assert.Contains(t, a.text(), "paired with shop")
}

// changes

// reader reads the events of the stream of changes.
type reader struct {
	t    *testing.T
	body io.ReadCloser
	in   *bufio.Reader
}

func (c sim) changes(query string, header ...string) *reader {
	c.t.Helper()
	req := c.request("GET", "/_sim/api/changes"+query, "")
	for k := 0; k < len(header); k += 2 {
		req.Header.Set(header[k], header[k+1])
	}
	res, err := c.s.HTTPClient().Do(req)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, res.StatusCode)
	assert.Equal(c.t, "text/event-stream", res.Header.Get("Content-Type"))
	return &reader{c.t, res.Body, bufio.NewReader(res.Body)}
}

// next is the next event, or comment, without its line breaks.
func (r *reader) next() (id string, data map[string]any) {
	r.t.Helper()
	for {
		line, err := r.in.ReadString('\n')
		require.NoError(r.t, err)
		line = strings.TrimSuffix(line, "\n")
		switch name, value, _ := strings.Cut(line, ": "); name {
		case "id":
			id = value
		case "event":
			require.Equal(r.t, "change", value)
		case "data":
			require.NoError(r.t, json.Unmarshal([]byte(value), &data))
		case "":
			if value != "" {
				return "", map[string]any{"comment": value}
			}
			if data != nil {
				return id, data
			}
		}
	}
}

func TestChangesAreStreamedToSeveralReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory(), WithControl(""))
		defer s.Close()
		c := sim{t, s}
		a, b := c.changes(""), c.changes("")
		synctest.Wait()
		s.AddInstance("shop").Pair("")
		s.Instance("shop").Receive(Incoming{From: "5511987654321", Text: "Hi"})
		for _, r := range []*reader{a, b} {
			last := 0
			for {
				id, change := r.next()
				assert.Equal(t, id, digits(change["number"]))
				last++
				assert.EqualValues(t, last, change["number"])
				if change["kind"] == "message" {
					assert.Equal(t, "shop", change["instance"])
					assert.Equal(t, "5511987654321@s.whatsapp.net", change["chat"])
					break
				}
			}
			require.NoError(t, r.body.Close())
		}

		// One that comes back goes on where it was.
		again := c.changes("?after=9999", "Last-Event-ID", "2")
		id, _ := again.next()
		assert.Equal(t, "3", id)
		require.NoError(t, again.body.Close())
		later := c.changes("?after=1")
		id, _ = later.next()
		assert.Equal(t, "2", id)

		// A quiet stream says that it is still there.
		quiet := c.changes("")
		began := time.Now()
		_, comment := quiet.next()
		assert.NotEmpty(t, comment["comment"])
		assert.Equal(t, heartbeat, time.Since(began))
		require.NoError(t, quiet.body.Close())
		require.NoError(t, later.body.Close())
	})
}

// digits is a decoded whole number as it was written.
func digits(v any) string { return string(encode(v)) }

func TestAReaderOfAnotherServerIsToldToLookAgain(t *testing.T) {
	c := startControl(t)
	c.s.AddInstance("shop")
	r := c.changes("?after=4711")
	id, change := r.next()
	assert.Equal(t, "lost", change["kind"])
	assert.Equal(t, "1", id)
	c.s.Advance(time.Second)
	id, change = r.next()
	assert.Equal(t, "clock", change["kind"])
	assert.Equal(t, "2", id)
	require.NoError(t, r.body.Close())
}

func TestASlowReaderOfTheStreamIsToldThatItLostChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory(), WithControl(""))
		defer s.Close()
		r := sim{t, s}.changes("")
		synctest.Wait()
		for range 3 * maxChanges {
			s.Advance(0)
		}
		kinds := map[any]int{}
		for {
			_, change := r.next()
			if change["kind"] == "lost" {
				kinds["clock"] = 0
			}
			kinds[change["kind"]]++
			if change["number"].(float64) >= 3*maxChanges {
				break
			}
		}
		assert.Equal(t, 1, kinds["lost"])
		assert.Less(t, kinds["clock"], 100, "what was lost is not sent afterwards")
		require.NoError(t, r.body.Close())
	})
}

func TestReadersAreBoundedAndFreedWhenTheyGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory(), WithControl(""))
		defer s.Close()
		c := sim{t, s}
		var readers []*reader
		for range maxReaders {
			readers = append(readers, c.changes(""))
		}
		a := c.try("GET", "changes", "")
		assert.Equal(t, http.StatusServiceUnavailable, a.status)
		assert.NotEmpty(t, a.header.Get("Retry-After"))
		for _, r := range readers[1:] {
			require.NoError(t, r.body.Close())
		}
		time.Sleep(time.Second) // Go 1.27 first reads a little of what it closes
		require.NoError(t, c.changes("").body.Close())
		time.Sleep(time.Second)

		// One that stops reading, without going, is let go of as well.
		assert.Len(t, s.control.readers, 1)
		for range 10 {
			s.Advance(time.Second)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Empty(t, s.control.readers)
	})
}

func TestAHeadOfTheStreamEnds(t *testing.T) {
	c := startControl(t)
	a := c.send(c.request("HEAD", "/_sim/api/changes", ""))
	assert.Equal(t, http.StatusOK, a.status)
	assert.Equal(t, "text/event-stream", a.header.Get("Content-Type"))
}

func TestReadersDoNotKeepTheServerOpen(t *testing.T) {
	s := NewServer(WithControl(""))
	r := sim{t, s}.changes("")
	closed := make(chan struct{})
	go func() { s.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for a reader")
	}
	_, err := io.ReadAll(r.body)
	_ = err // it ends, in order or not
	_ = r.body.Close()
}

func TestChangesWorkOverHTTP2(t *testing.T) {
	c := startControl(t, WithTLS())
	r := c.changes("")
	c.s.AddInstance("shop")
	_, change := r.next()
	assert.Equal(t, "instance", change["kind"])
	require.NoError(t, r.body.Close())
}

// what the log says

func TestTheLogShowsRequestsWithoutTheirTokens(t *testing.T) {
	c := startControl(t)
	shop := c.s.AddInstance("shop")
	shop.Pair("5511900000001")
	client := client{t, c.s, c.s.AccountToken}
	client.do("GET", "/api/instance/list", "")
	client.do("POST", "/api/message/text/shop", `{"number":"5511987654321","text":"Hi"}`)
	client.do("POST", "/api/events/webhook/shop", `{"enabled":true,"url":"http://127.0.0.1:1/hook","authorization":"Bearer hush-hush"}`)
	client.do("POST", "/api/instance/proxy/shop", `{"enabled":true,"host":"proxy.example.net","port":"1080","protocol":"socks5","username":"u","password":"hush\"hush"}`)
	client.do("GET", "/api/instance/list?token="+shop.Token(), "")
	client.do("GET", "/api/chat/status/shop?messageId="+shop.Token(), "")
	client.do("POST", "/api/message/text/shop", `{"number":"5511987654321","message":"my token is `+shop.Token()+`"}`)

	list := c.do("GET", "requests", "").at("requests").([]any)
	require.Len(t, list, 7)
	for k := range list {
		assert.EqualValues(t, k+1, get(list, k, "number"))
		_, err := time.ParseDuration(get(list, k, "duration").(string))
		require.NoError(t, err)
		one := c.do("GET", "requests/"+digits(get(list, k, "number")), "")
		for _, secret := range []string{c.s.AccountToken, shop.Token(), "hush"} {
			assert.NotContains(t, string(encode(list[k])), secret)
			assert.NotContains(t, string(one.raw), secret, "request %d", k+1)
		}
		assert.NotEmpty(t, one.at("replyBody"))
	}
	one := c.do("GET", "requests/2", "")
	assert.Equal(t, "POST /api/message/text/:instance", one.at("route"))
	assert.EqualValues(t, 400, one.at("status"))
	assert.JSONEq(t, `{"number":"5511987654321","text":"Hi"}`, one.at("body").(string))
	assert.JSONEq(t, `{"success":false,"error":{"message":"Message is required"}}`, one.at("replyBody").(string))
	violation := get(one.body, "violations", 0)
	assert.Equal(t, "message", get(violation, "instead"))
	assert.Equal(t, "unknown field “text”: the service would ignore it. Did you mean “message”?", get(violation, "text"))
	assert.Len(t, c.do("GET", "requests?after=3", "").at("requests"), 4)
	assert.EqualValues(t, 7, get(c.do("GET", "requests?limit=1", "").body, "requests", 0, "number"))
}

func TestRepliesInTheLogAreBounded(t *testing.T) {
	var l requestLog
	c := &call{r: c0(t), conn: &conn{}}
	for range 600 {
		l.keepReply(l.add(c, time.Now()), bytes.Repeat([]byte("x"), 100<<10))
	}
	held := 0
	for _, r := range l.after(0, 1000) {
		assert.LessOrEqual(t, len(r.Reply), maxLoggedBody)
		held += len(r.Reply)
	}
	assert.LessOrEqual(t, held, maxReplies)
	newest, ok := l.one(600)
	assert.True(t, ok)
	assert.Len(t, newest.Reply, maxLoggedBody)
	for range maxLogged {
		l.add(c, time.Now())
	}
	_, ok = l.one(600)
	assert.False(t, ok)
	last, ok := l.one(600 + maxLogged)
	assert.True(t, ok)
	assert.EqualValues(t, 600+maxLogged, last.Number)
}

func c0(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost/health", nil)
	require.NoError(t, err)
	return r
}
