package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// clinic is a setup without a fault: an instance that is connected, its stream
// on, and a webhook with a program that checks the authorization.
type clinic struct {
	*shell
	client  *ryze.InstanceClient
	program *httptest.Server
	handler http.Handler
}

func newClinic(t *testing.T, opts ...ryzetest.Option) *clinic {
	t.Helper()
	c := &clinic{shell: newShell(t, opts...)}
	c.handler = ryze.NewWebhookHandler(authorization, func(context.Context, *ryze.Event) error { return nil })
	c.program = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { c.handler.ServeHTTP(w, req) }))
	t.Cleanup(c.program.Close)
	var err error
	c.client, err = ryze.NewInstanceClient("demo", c.inst.Token(), ryze.WithBaseURL(c.srv.URL), ryze.WithHTTPClient(c.srv.HTTPClient()))
	require.NoError(t, err)
	_, err = c.client.WebSocket.Set(t.Context(), ryze.WebSocketConfig{})
	require.NoError(t, err)
	c.set(ryze.WebhookConfig{})
	c.vars = map[string]string{envBaseURL: c.srv.URL, envInstance: "demo", envInstanceToken: c.inst.Token()}
	return c
}

// set sets a webhook that goes to the program, changed by config.
func (c *clinic) set(config ryze.WebhookConfig) {
	c.t.Helper()
	if config.URL == "" {
		config.URL = c.program.URL + "/hook"
	}
	switch config.Authorization {
	case "":
		config.Authorization = authorization
	case "none":
		require.NoError(c.t, c.client.Webhooks.Disable(c.t.Context(), config.Label))
		config.Authorization = ""
	}
	_, err := c.client.Webhooks.Set(c.t.Context(), config)
	require.NoError(c.t, err)
}

func TestDoctorFindsNothingWhereNothingIsWrong(t *testing.T) {
	for _, tokens := range []map[string]string{{}, {envAccountToken: "account"}, {envAccountToken: "account", envInstanceToken: "", envInstance: ""}} {
		c := newClinic(t, ryzetest.WithAccountToken("account"))
		for name, value := range tokens {
			c.vars[name] = value
		}
		before := len(c.inst.Messages())
		var out, err output
		code := c.start(t.Context(), &out, &err, "doctor", "demo", "--want-stream", "--want-url", c.program.URL+"/hook")
		assert.Zero(t, code, "%s%s", &out, &err)
		assert.NotContains(t, out.String(), c.inst.Token())
		assert.Contains(t, out.String(), "✓ demo is connected as 5511900000001.\n")
		assert.Contains(t, out.String(), "0 warnings, 0 wrong")
		assert.NotContains(t, out.String(), "→")
		assert.Len(t, c.inst.Messages(), before)
		for _, r := range c.srv.Requests()[2:] {
			assert.Equal(t, http.MethodGet, r.Method, r.Path)
		}
	}
}

func TestDoctorFindsEachFault(t *testing.T) {
	answer := func(status int) func(*clinic) {
		return func(c *clinic) {
			c.handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") != authorization {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.WriteHeader(status)
			})
		}
	}
	for _, test := range []struct {
		name  string
		opts  []ryzetest.Option
		fault func(*clinic)
		args  string
		code  int
		says  string
		do    string
	}{
		// tokens
		{name: "no token", fault: func(c *clinic) { c.vars[envInstanceToken] = "" }, code: 2, says: "There is no token", do: "ryze login"},
		{name: "wrong token", fault: func(c *clinic) { c.vars[envInstanceToken] = "wrong" }, code: 2, says: "does not accept the token of RYZE_INSTANCE_TOKEN", do: "copy it anew"},
		{name: "token of another instance", fault: func(c *clinic) { c.vars[envInstanceToken] = c.srv.AddInstance("other").Token() }, code: 2, says: `belongs to the instance "other"`, do: `take the token of "demo"`},
		{name: "token of the account", fault: func(c *clinic) { c.vars[envInstanceToken] = c.srv.AccountToken }, code: 1, says: "is the account's: whoever has it can delete", do: "own token"},
		{name: "account token that is an instance's", fault: func(c *clinic) { c.vars[envAccountToken] = c.inst.Token() }, code: 2, says: "it cannot create, list or delete", do: envAccountToken},
		{name: "token that stands beside another name", fault: func(c *clinic) {
			c.vars[envInstance], c.vars[envAccountToken] = "other", c.srv.AccountToken
		}, code: 1, says: `RYZE_INSTANCE_TOKEN is not used`, do: "set both"},
		{name: "another account's token", fault: func(c *clinic) {
			c.srv.AddAccount("foreign", 5)
			c.vars[envAccountToken] = "foreign"
		}, code: 1, says: `has no instance "demo"`, do: "another account"},
		{name: "no such instance", fault: func(c *clinic) {
			c.srv.AddAccount("foreign", 5)
			c.vars = map[string]string{envBaseURL: c.srv.URL, envAccountToken: "foreign"}
		}, code: 2, says: `There is no instance "demo"`, do: "ryze new demo"},
		{name: "case of the name", fault: func(c *clinic) {
			c.srv.AddAccount("foreign", 5)
			c.srv.AddInstanceTo("foreign", "Demo")
			c.vars = map[string]string{envBaseURL: c.srv.URL, envAccountToken: "foreign"}
		}, code: 2, says: `There is no instance "demo"`, do: "did you mean Demo?"},
		{name: "credentials that others can read", fault: func(c *clinic) { c.file("ryze/credentials", "{}", 0o644) }, code: 2, says: "others may read or write it", do: "chmod 600"},
		{name: "credentials that are damaged", fault: func(c *clinic) { c.file("ryze/credentials", "secret-token", 0o600) }, code: 2, says: "not in the form", do: "ryze login"},

		// the service
		{name: "bad URL", fault: func(c *clinic) { c.vars[envBaseURL] = "http://example.org" }, code: 2, says: envBaseURL},
		{name: "nobody there", fault: func(c *clinic) {
			c.srv.ResetReused(99)
			c.srv.RefuseConnections(99)
		}, code: 2, says: "does not answer", do: envBaseURL},
		{name: "another service", fault: func(c *clinic) {
			f := ryzetest.ProxyPage(404)
			f.Times = 99
			c.srv.Fault("*", f)
		}, code: 2, says: "is not RyzeAPI", do: "proxies"},
		{name: "degraded", fault: func(c *clinic) { c.srv.Degrade("db", "slow") }, code: 1, says: `db is "fail: slow"`, do: "operator"},
		{name: "clock behind", opts: []ryzetest.Option{ryzetest.WithClockSkew(time.Hour)}, code: 1, says: "1h0m0s behind the service's", do: "NTP"},
		{name: "clock ahead", opts: []ryzetest.Option{ryzetest.WithClockSkew(-time.Minute)}, code: 1, says: "1m0s ahead of the service's", do: "NTP"},
		{name: "little quota", fault: func(c *clinic) { c.srv.Eat(c.inst.Token(), 85) }, code: 1, says: "of 100 requests are left", do: "uses it up"},
		{name: "no rate headers", opts: []ryzetest.Option{ryzetest.WithoutRateHeaders()}, code: 1, says: "does not say how much of the quota", do: "X-RateLimit"},

		// the state
		{name: "disconnected", fault: func(c *clinic) { c.inst.Disconnect() }, code: 2, says: "demo is not connected", do: "ryze connect demo"},
		{name: "logged out", fault: func(c *clinic) { c.inst.LogOutFromPhone() }, code: 2, says: "was logged out", do: "pair it again"},
		{name: "banned", fault: func(c *clinic) { c.inst.Ban() }, code: 2, says: "has banned the number", do: "phone"},

		// the stream
		{name: "stream off", fault: func(c *clinic) { require.NoError(c.t, c.client.WebSocket.Disable(c.t.Context())) }, args: "--want-stream", code: 2, says: "The event stream is off", do: "ryze listen demo"},
		{name: "stream that cannot be opened", fault: func(c *clinic) {
			c.srv.Fault("events.websocket.connect", ryzetest.Fault{Status: 403, Message: "Instance does not belong to your account", Times: 9})
		}, code: 2, says: "cannot be opened"},
		{name: "stream leaves out", fault: func(c *clinic) {
			_, err := c.client.WebSocket.Set(c.t.Context(), ryze.WebSocketConfig{Events: []ryze.EventType{ryze.EventCall}})
			require.NoError(c.t, err)
		}, args: "--want-events message.exchange", code: 1, says: "The event stream leaves out message.exchange"},
		{name: "stream without files", args: "--want-media-base64", code: 2, says: "The event stream does not have the files"},
		{name: "nobody is told", fault: func(c *clinic) {
			require.NoError(c.t, c.client.WebSocket.Disable(c.t.Context()))
			require.NoError(c.t, c.client.Webhooks.Disable(c.t.Context(), ""))
		}, code: 1, says: "Nobody is told of events", do: "ryze listen demo"},

		// the webhook's configuration
		{name: "no webhook", fault: func(c *clinic) { require.NoError(c.t, c.client.Webhooks.Disable(c.t.Context(), "")) }, args: "--want-url https://shop.example/", code: 2, says: `There is no enabled webhook "default"`, do: "ryze webhook demo set"},
		{name: "other URL", args: "--want-url https://shop.example/", code: 2, says: "not to https://shop.example/", do: "set it anew"},
		{name: "leaves out", fault: func(c *clinic) { c.set(ryze.WebhookConfig{Events: []ryze.EventType{ryze.EventCall}}) }, args: "--want-events message.exchange", code: 2, says: `"default" leaves out message.exchange`},
		{name: "not by events", args: "--want-by-events", code: 2, says: "does not append the name"},
		{name: "files", fault: func(c *clinic) { c.set(ryze.WebhookConfig{MediaBase64: true}) }, args: "--want-media-base64=false", code: 2, says: "has the files in its events"},
		{name: "other authorization", fault: func(c *clinic) { c.vars[envAuthorization] = "Bearer other" }, code: 2, says: "another authorization than RYZE_WEBHOOK_AUTHORIZATION"},
		{name: "stray", fault: func(c *clinic) { c.set(ryze.WebhookConfig{Label: "old; rm -rf"}) }, code: 1, says: `A further webhook, "old; rm -rf"`, do: "off --label 'old; rm -rf'"},
		{name: "no authorization", fault: func(c *clinic) { c.set(ryze.WebhookConfig{Authorization: "none"}) }, code: 2, says: "has no authorization", do: envAuthorization},
		{name: "quotes", fault: func(c *clinic) { c.set(ryze.WebhookConfig{Authorization: `Bearer "x"`}) }, code: 2, says: "with quotes in it"},
		{name: "clear text", fault: func(c *clinic) { c.set(ryze.WebhookConfig{URL: "http://shop.example/hook"}) }, args: "--no-probe", code: 1, says: "messages travel in clear text", do: "https"},
		{name: "secret in the URL", fault: func(c *clinic) { c.set(ryze.WebhookConfig{URL: c.program.URL + "/hook?key=5ecret"}) }, code: 1, says: "has values in its URL", do: "authorization"},

		// the program behind it
		{name: "takes forged events", fault: func(c *clinic) { c.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) }, code: 2, says: "takes events with a wrong authorization", do: "compare the Authorization header"},
		{name: "takes events without authorization", fault: func(c *clinic) {
			c.handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if a := req.Header.Get("Authorization"); a != "" && a != authorization {
					w.WriteHeader(http.StatusUnauthorized)
				}
			})
		}, code: 2, says: "takes events without authorization"},
		{name: "expects another authorization", fault: func(c *clinic) {
			c.handler = ryze.NewWebhookHandler("Bearer other", func(context.Context, *ryze.Event) error { return nil })
		}, code: 2, says: "refuses the webhook's own authorization (401)"},
		{name: "down", fault: func(c *clinic) { c.program.Close() }, code: 2, says: "does not answer at", do: "start the program"},
		{name: "slow", fault: func(c *clinic) {
			handler := c.handler
			c.handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") == authorization {
					<-time.After(answerSoon + 50*time.Millisecond)
				}
				handler.ServeHTTP(w, req)
			})
		}, code: 1, says: "takes 2.1s to answer", do: "answer first"},
		{name: "redirects", fault: answer(http.StatusFound), code: 2, says: "redirects (302)"},
		{name: "wrong path", fault: answer(http.StatusNotFound), code: 2, says: "There is nobody at", do: "check the path"},
		{name: "chokes on what it does not know", fault: answer(http.StatusInternalServerError), code: 1, says: "answers 500 to an event that it does not know"},
		{name: "bad certificate", fault: func(c *clinic) {
			secure := httptest.NewTLSServer(c.handler)
			c.t.Cleanup(secure.Close)
			c.set(ryze.WebhookConfig{URL: secure.URL})
		}, code: 2, says: "is not valid", do: "certificate that everybody trusts"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, test.opts...)
			if test.fault != nil {
				test.fault(c)
			}
			r := c.shell.run(append([]string{"doctor", "demo"}, strings.Fields(test.args)...)...)
			assert.Equal(t, test.code, r.code, r.out)
			assert.Contains(t, r.out, test.says)
			assert.Contains(t, r.out, test.do)
			for _, secret := range []string{authorization, "5ecret", "secret-token", "foreign\n"} {
				assert.NotContains(t, r.out+r.err, secret)
			}
		})
	}
}

func TestDoctorTellsThatACertificateIsNotTrusted(t *testing.T) {
	c := newClinic(t)
	secure := ryzetest.NewServer(ryzetest.WithTLS())
	t.Cleanup(secure.Close)
	var out, err output
	code := run(t.Context(), []string{"doctor", "demo"}, c.in, &out, &err, environment{
		getenv: func(name string) string {
			return map[string]string{envBaseURL: secure.URL, envAccountToken: "x"}[name]
		},
		configDir: func() (string, error) { return c.dir, nil },
		transport: &http.Transport{}, // trusts nobody
	})
	assert.Equal(t, 2, code)
	assert.Contains(t, out.String(), "is not trusted")
	assert.Contains(t, out.String(), "SSL_CERT_FILE")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestDoctorTellsThatANameIsNotKnown(t *testing.T) {
	var out, err output
	code := run(t.Context(), []string{"doctor", "demo"}, strings.NewReader(""), &out, &err, environment{
		getenv: func(name string) string {
			return map[string]string{envBaseURL: "https://ryze.invalid", envAccountToken: "x"}[name]
		},
		configDir: func() (string, error) { return t.TempDir(), nil },
		transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "ryze.invalid", IsNotFound: true}}
		}),
	})
	assert.Equal(t, 2, code)
	assert.Contains(t, out.String(), `The name "ryze.invalid" is not known.`)
}

// judged returns the last finding of a doctor without a patient.
func judged(look func(*doctor)) finding {
	d := &doctor{app: &app{asJSON: true, env: environment{getenv: func(string) string { return "" }}}}
	look(d)
	return d.found[len(d.found)-1]
}

func TestDoctorTellsThatACertificateEndsSoon(t *testing.T) {
	state := func(left time.Duration) *tls.ConnectionState {
		return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{NotAfter: time.Now().Add(left)}}}
	}
	assert.Equal(t, "warning", judged(func(d *doctor) { d.checkTLS(state(13 * 24 * time.Hour)) }).Word)
	assert.Equal(t, "ok", judged(func(d *doctor) { d.checkTLS(state(15 * 24 * time.Hour)) }).Word)
}

func TestDoctorComparesClocks(t *testing.T) {
	now := time.Now()
	for behind, want := range map[time.Duration]string{0: "ok", 4 * time.Second: "ok", 7 * time.Second: "warning", -7 * time.Second: "warning"} {
		got := judged(func(d *doctor) { d.checkClock(now.Add(behind).UTC().Format(http.TimeFormat), now) })
		assert.Equal(t, want, got.Word, "%s: %s", behind, got.Text)
	}
	assert.Equal(t, "warning", judged(func(d *doctor) { d.checkClock("", now) }).Word)
}

func TestDoctorTellsThatAProgramHangs(t *testing.T) {
	got := judged(func(d *doctor) {
		d.answered("The webhook", &ryze.Webhook{}, 0, answerLimit, fmt.Errorf("post: %w", context.DeadlineExceeded))
	})
	assert.Equal(t, "wrong", got.Word)
	assert.Contains(t, got.Text, "has not answered within 10s")
	got = judged(func(d *doctor) { d.answered("The webhook", &ryze.Webhook{}, 200, answerLimit, nil) })
	assert.Equal(t, "wrong", got.Word)
	assert.Contains(t, got.Text, "has not ended its answer within 10s")
}

func TestDoctorKnowsTheQuotaAfterSlowPrograms(t *testing.T) {
	inst, err := ryze.NewInstanceClient("demo", "never-used")
	require.NoError(t, err)
	for known, want := range map[bool]string{true: "ok", false: "warning"} {
		got := judged(func(d *doctor) {
			d.inst, d.limit = inst, ryze.RateLimit{Known: known, Limit: 100, Remaining: 90}
			d.checkQuota(t.Context())
		})
		assert.Equal(t, want, got.Word, got.Text)
	}
}

func TestAServiceBehindThisMachineIsNotReachedFromTheCloud(t *testing.T) {
	for address, private := range map[string]bool{
		"http://localhost:3000/hook": true, "http://10.1.2.3/": true, "https://192.168.0.1": true, "http://printer/": true,
		"https://db.internal/x": true, "http://169.254.1.1/": true, "http://[fd00::1]/": true,
		"https://shop.example/hook": false, "https://8.8.8.8/": false, "https://[2606:4700::1]/": false,
	} {
		assert.Equal(t, private, isPrivate(address), address)
	}
}

func TestDoctorAsJSON(t *testing.T) {
	c := newClinic(t)
	c.inst.Disconnect()
	r := c.shell.run("doctor", "--json")
	assert.Equal(t, 2, r.code)
	v := object(t, r.out)
	assert.Equal(t, "wrong", v["level"])
	assert.Equal(t, "demo", v["instance"])
	assert.Contains(t, v["findings"], map[string]any{
		"level": "wrong", "check": "state", "text": `demo is not connected: "disconnected".`, "do": "connect it: ryze connect demo",
	})
}

func TestDoctorIsInterrupted(t *testing.T) {
	c := newClinic(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() })
	var out, err output
	assert.Equal(t, exitInterrupted, c.start(ctx, &out, &err, "doctor"))
	assert.Contains(t, out.String(), "✓ demo is connected", "what was found is told")
	assert.Contains(t, err.String(), "interrupted: not everything was looked at")
}
