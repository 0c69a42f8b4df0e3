package main

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// caller calls a simulator that runs.
type caller struct {
	t           *testing.T
	out         *screen
	base, token string
	client      *http.Client
}

type answer struct {
	status int
	proto  string
	header http.Header
	text   string
}

// at follows keys into the JSON of an answer.
func (a answer) at(keys ...string) any {
	var v any
	_ = json.Unmarshal([]byte(a.text), &v) // what is none has nothing at its keys
	for _, key := range keys {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		o, _ := v.(map[string]any)
		v = o[key]
	}
	return v
}

func (c caller) do(method, path, body string, header ...string) answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("token", c.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k := 0; k < len(header); k += 2 {
		req.Header.Set(header[k], header[k+1])
	}
	res, err := c.client.Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	return answer{res.StatusCode, res.Proto, res.Header, string(text)}
}

func (c caller) send() answer { return c.do("POST", "/api/message/text/a", hello) }

func (c caller) list() answer { return c.do("GET", "/api/instance/list", "") }

const hello = `{"number":"5511987654321","message":"hello"}`

// hooked is a program with a webhook for its instance "a", and what comes there.
func hooked(c caller, answer int) <-chan *http.Request {
	got := make(chan *http.Request, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what is missing fails the test elsewhere
		r.Body = io.NopCloser(bytes.NewReader(body))
		select {
		case got <- r:
		default:
		}
		w.WriteHeader(answer)
	}))
	c.t.Cleanup(receiver.Close)
	a := c.do("POST", "/api/events/webhook/a", `{"enabled":true,"authorization":"Bearer w","url":"`+receiver.URL+`"}`)
	require.Equal(c.t, 200, a.status, a.text)
	return got
}

func next(t *testing.T, got <-chan *http.Request) string {
	t.Helper()
	select {
	case r := <-got:
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return r.Header.Get("Authorization") + " " + string(body)
	case <-time.After(10 * time.Second):
		require.Fail(t, "nothing was delivered")
		return ""
	}
}

// Each flag, and that a program with it does what the flag says and one without it
// does not.
var behaviours = map[string]struct {
	args  string
	check func(c caller) bool
}{
	"token": {"-token acct", func(c caller) bool { return c.token == "acct" }},
	"quota": {"-quota 1", func(c caller) bool {
		return c.do("POST", "/api/instance/new", `{"name":"b"}`).status == 403
	}},
	"rate": {"-rate 7", func(c caller) bool { return c.list().header.Get("X-RateLimit-Limit") == "7" }},
	"create-rate": {"-create-rate 3", func(c caller) bool {
		return c.do("POST", "/api/instance/new", `{}`).header.Get("X-RateLimit-Limit") == "3"
	}},
	"rate-window": {"-rate-window 2s -reset delta", func(c caller) bool { return len(c.list().header.Get("X-RateLimit-Reset")) == 1 }},
	"stranger":    {"-stranger 4", func(c caller) bool { return c.list().header.Get("X-RateLimit-Remaining") == "95" }},
	"without-rate-headers": {"-without-rate-headers reset,limit", func(c caller) bool {
		h := c.list().header
		return h.Get("X-RateLimit-Reset") == "" && h.Get("X-RateLimit-Remaining") != ""
	}},
	"reset": {"-reset iso", func(c caller) bool {
		return strings.Contains(c.list().header.Get("X-RateLimit-Reset"), "T")
	}},
	"retry-after": {"-retry-after delta -rate 1", func(c caller) bool { c.list(); return c.list().header.Get("Retry-After") != "" }},
	"clock-skew": {"-clock-skew 240h", func(c caller) bool {
		d, _ := http.ParseTime(c.list().header.Get("Date"))
		return time.Until(d) > 200*time.Hour
	}},
	"allow-origin": {"-allow-origin https://app.example", func(c caller) bool {
		return c.do("OPTIONS", "/api/instance/list", "", "Origin", "https://app.example").header.Get("Access-Control-Allow-Origin") != ""
	}},
	"expose-rate-headers": {"-expose-rate-headers -allow-origin https://app.example", func(c caller) bool {
		return c.do("GET", "/api/instance/list", "", "Origin", "https://app.example").header.Get("Access-Control-Expose-Headers") != ""
	}},
	"control": {"-control=false", func(c caller) bool { return c.do("GET", "/_sim/", "").status == 404 }},
	"token-in-data": {"-token-in-data", func(c caller) bool {
		return c.do("POST", "/api/instance/new", `{"name":"b"}`).at("data", "token") != nil
	}},
	"device-suffix": {"-device-suffix 9", func(c caller) bool { return strings.Contains(c.list().text, ":9@s.whatsapp.net") }},
	"not-connected-status": {"-not-connected-status 400", func(c caller) bool {
		c.do("DELETE", "/api/instance/logout/a", "")
		return c.send().status == 400
	}},
	"without-chatwoot": {"-without-chatwoot", func(c caller) bool { return c.do("GET", "/api/chatwoot/list/a", "").status == 503 }},
	"old-library": {"-old-library", func(c caller) bool {
		return c.do("GET", "/api/newsletter/info/a?newsletterJid=1@newsletter", "").status == 501
	}},
	"body-limit": {"-body-limit 10", func(c caller) bool { return c.send().status == 413 }},
	"media-body-limit": {"-media-body-limit 10", func(c caller) bool {
		return c.do("POST", "/api/message/media/a", `{"number":"5511987654321"}`).status == 413
	}},
	"quiet": {"-quiet", func(c caller) bool {
		c.list()
		return !soon(func() bool { return strings.Contains(c.out.String(), "GET /api") })
	}},
	"log-text": {"-log-text", func(c caller) bool {
		c.send()
		return soon(func() bool { return strings.Contains(c.out.String(), "5511987654321") })
	}},
	"tls": {"-tls", func(c caller) bool {
		return strings.HasPrefix(c.base, "https") && c.list().proto == "HTTP/2.0"
	}},
	"http2": {"-tls -http2=false", func(c caller) bool {
		return strings.HasPrefix(c.base, "https") && c.list().proto == "HTTP/1.1"
	}},
	"demo":     {"-demo", func(c caller) bool { return strings.Contains(c.list().text, "5511900000101") }},
	"lang":     {"-demo -lang pt", func(c caller) bool { return strings.Contains(c.list().text, "confeitaria") }},
	"instance": {"-instance b,c", func(c caller) bool { return strings.Count(c.list().text, `"status":"connected"`) == 3 }},
	"observed-states": {"-observed-states", func(c caller) bool {
		c.connect()
		return strings.Contains(c.list().text, `"status":"qr"`)
	}},
	"without-qr-prefix": {"-without-qr-prefix", func(c caller) bool { return !strings.Contains(c.connect().text, "data:image/png") }},
	"code-delay": {"-code-delay 1h", func(c caller) bool {
		answered := make(chan struct{})
		go func() { c.connect(); close(answered) }()
		late := !soon(func() bool {
			select {
			case <-answered:
				return true
			default:
				return false
			}
		})
		c.do("POST", "/_sim/api/clock/advance", `{"by":"2h"}`)
		<-answered
		return late
	}},
	"auto-pair": {"-auto-pair 1ms", func(c caller) bool {
		c.connect()
		return soon(func() bool { return strings.Count(c.list().text, `"status":"connected"`) == 2 })
	}},
	"reconnect-delay": {"-reconnect-delay 1h", func(c caller) bool {
		c.do("POST", "/api/instance/reconnect/a", "")
		return !soon(func() bool { return strings.Contains(c.list().text, `"status":"connected"`) })
	}},
	"media-delay": {"-media-delay 1h", func(c caller) bool { return c.download().status == 404 }},
	"media-keep":  {"-media-keep 1", func(c caller) bool { return c.download().status != 200 }},
	"receipts": {"-receipts none", func(c caller) bool {
		c.send()
		return !soon(func() bool { return strings.Contains(c.history().text, `"status":"read"`) })
	}},
	"layout": {"-layout documented", func(c caller) bool {
		got := hooked(c, 200)
		c.send()
		return strings.Contains(next(c.t, got), `"content":{"text":"hello"}`)
	}},
	"without-echoes": {"-without-echoes", func(c caller) bool {
		got := hooked(c, 200)
		c.send()
		return !strings.Contains(next(c.t, got), "message.exchange")
	}},
	"without-state-authorization": {"-without-state-authorization", func(c caller) bool {
		got := hooked(c, 200)
		c.do("DELETE", "/api/instance/logout/a", "")
		return !strings.Contains(next(c.t, got), "Bearer")
	}},
	"call-events": {"-call-events", func(c caller) bool {
		got := hooked(c, 200)
		c.do("POST", "/api/call/fake/a", `{"number":"5511987654321"}`)
		c.send()
		return strings.Contains(next(c.t, got), "call.update")
	}},
	"webhook-retry": {"-webhook-retry none", func(c caller) bool {
		hooked(c, 500)
		c.do("DELETE", "/api/instance/logout/a", "")
		return soon(func() bool { return strings.Contains(c.do("GET", "/_sim/api/deliveries", "").text, `"dead":true`) })
	}},
}

// soon reports whether something comes to be within a while.
func soon(is func() bool) bool {
	for range 30 {
		if is() {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

func (c caller) connect() answer {
	require.Equal(c.t, 201, c.do("POST", "/api/instance/new", `{"name":"b"}`).status)
	return c.do("GET", "/api/instance/connect/b", "")
}

func (c caller) history() answer {
	return c.do("GET", "/_sim/api/instances/a/chats/5511987654321@s.whatsapp.net/messages", "")
}

func (c caller) download() answer {
	c.t.Helper()
	a := c.do("POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"document","mediaBase64":"`+base64.StdEncoding.EncodeToString([]byte("some text"))+`"}`)
	require.Equal(c.t, 200, a.status, a.text)
	id, _ := a.at("data", "messageId").(string)
	return c.do("GET", "/api/chat/base64/a?messageId="+id, "")
}

func TestEachFlagChangesWhatItSays(t *testing.T) {
	elsewhere := map[string]string{
		"addr": "every test", "cert": "TestServesHTTP2WithACertificateToTrust", "state": "TestStateSurvivesARestartAndAKill",
		"console": "TestConsolePlaysThePhone", "webhook-targets": "TestWebhookTargets", "webhook-timeout": "TestWebhookTimeout",
	}
	for _, g := range declared().groups {
		for _, name := range g.names {
			b, here := behaviours[name]
			if !here {
				assert.NotEmpty(t, elsewhere[name], "-%s is not tested", name)
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, with := range []bool{true, false} {
					args := []string{"-instance", "a"}
					switch {
					case with:
						args = append(args, strings.Fields(b.args)...)
					case name == "http2":
						args = append(args, "-tls")
					case name == "lang":
						args = append(args, "-demo", "-lang", "en")
					case name == "expose-rate-headers":
						args = append(args, "-allow-origin", "https://app.example")
					case name == "retry-after":
						args = append(args, "-rate", "1")
					}
					assert.Equal(t, with, b.check(call(t, args...)), "%v", args)
				}
			})
		}
	}
}

func call(t *testing.T, args ...string) caller {
	t.Helper()
	out, base, token, _ := launch(t, nil, args...)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return caller{t, out, base, token, &http.Client{Transport: transport}}
}

func TestWebhookTargets(t *testing.T) {
	// An address of a test network: nobody is there, and nothing leaves the machine for it.
	for targets, told := range map[string]bool{"loopback": true, "any": false} {
		c := call(t, "-instance", "a", "-webhook-targets", targets, "-webhook-retry", "none", "-webhook-timeout", "50ms")
		c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://192.0.2.1/"}`)
		c.do("DELETE", "/api/instance/logout/a", "")
		require.Eventually(t, func() bool {
			a := c.do("GET", "/_sim/api/deliveries", "")
			return strings.Contains(a.text, `"dead":true`) && strings.Contains(a.text, "only loopback") == told
		}, 10*time.Second, 10*time.Millisecond, targets)
	}
}

func TestWebhookTimeout(t *testing.T) {
	c := call(t, "-instance", "a", "-webhook-retry", "none", "-webhook-timeout", "50ms")
	hang := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	t.Cleanup(receiver.Close)
	t.Cleanup(func() { close(hang) })
	c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"`+receiver.URL+`"}`)
	c.do("DELETE", "/api/instance/logout/a", "")
	require.Eventually(t, func() bool { return strings.Contains(c.do("GET", "/_sim/api/deliveries", "").text, `"dead":true`) }, 10*time.Second, 10*time.Millisecond)
}

func TestHostedMCPIsAnsweredClearly(t *testing.T) {
	c := call(t, "-instance", "a")
	a := c.do("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"initialize"}`, "Accept", "application/json, text/event-stream")
	assert.Equal(t, 501, a.status)
	assert.Contains(t, a.at("error", "message"), "not simulated")
	a = c.do("GET", "/mcp", "")
	assert.Equal(t, 501, a.status)
	assert.Contains(t, a.text, "not simulated")
	assert.NotContains(t, a.text, "{")
}

func TestCertificateFileOfAStateIsApart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cert.pem")
	c := call(t, "-tls", "-cert", file)
	assert.Contains(t, c.out.String(), "export SSL_CERT_FILE="+file)
	t.Chdir(filepath.Dir(file))
	near := call(t, "-tls", "-cert", "near.pem")
	assert.Contains(t, near.out.String(), "export SSL_CERT_FILE="+filepath.Join(filepath.Dir(file), "near.pem"), "it is pasted elsewhere")
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
