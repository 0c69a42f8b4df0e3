package ryze_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadBaseURLsAreRefused(t *testing.T) {
	for _, bad := range []string{
		"", " ", "ryzeapi.cloud", "ftp://ryzeapi.cloud", "https://", "https:///api", "://", "https://ryzeapi.cloud/api",
		"https://user:pass@ryzeapi.cloud", "https://token@ryzeapi.cloud", "https://ryzeapi.cloud?token=x", "https://ryzeapi.cloud/?", "https://ryzeapi.cloud#x",
		"http://ryzeapi.cloud", "http://10.0.0.1", "http://localhost.evil.example", "http://127.0.0.1.evil.example", " https://ryzeapi.cloud", "https://ryzeapi.cloud\n",
	} {
		_, err := New(WithBaseURL(bad))
		var v *ValidationError
		require.ErrorAs(t, err, &v, "%q", bad)
		assert.NotContains(t, err.Error(), "pass")
	}
}

func TestGoodBaseURLsAreAccepted(t *testing.T) {
	for _, good := range []string{
		"https://ryzeapi.cloud", "https://ryzeapi.cloud/", "https://RyzeAPI.cloud:8443", "http://localhost:8080", "http://127.0.0.1:1", "http://127.8.8.8", "http://[::1]:8080",
	} {
		_, err := New(WithBaseURL(good))
		require.NoError(t, err, "%q", good)
	}
	_, err := New(WithBaseURL("http://10.0.0.1:8080"), WithInsecureHTTP())
	require.NoError(t, err)
}

func TestBadOptionsAreRefused(t *testing.T) {
	for name, opt := range map[string]Option{
		"nil":                   nil,
		"no client":             WithHTTPClient(nil),
		"no logger":             WithLogger(nil),
		"no limiter":            WithLimiter(nil),
		"empty source":          WithSource(""),
		"padded source":         WithSource(" crm"),
		"source with a newline": WithSource("crm\r\nx: y"),
		"user agent":            WithUserAgent("acme\r\ntoken: x"),
		"user agent, unicode":   WithUserAgent("açme"),
		"negative attempts":     WithRetry(RetryPolicy{MaxAttempts: -1}),
		"negative backoff":      WithRetry(RetryPolicy{MinBackoff: -1}),
		"backoff upside down":   WithRetry(RetryPolicy{MinBackoff: 2, MaxBackoff: 1}),
	} {
		_, err := New(opt)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
}

func TestOddNamesReachTheirInstance(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		account := client.Account(sim.AccountToken)
		for _, name := range []string{"a/b", "%2f", "a b", "über-número", "日本", "a?b=c", "a#b", "a%20b", "...", "a,b", "a+b", "a:b", "A", `"`} {
			created, err := account.CreateInstance(t.Context(), CreateInstanceParams{Name: name})
			require.NoError(t, err, name)
			inst := account.InstanceFrom(created)
			_, err = inst.Settings.Get(t.Context())
			require.NoError(t, err, name)
			info, err := inst.Info(t.Context())
			require.NoError(t, err, name)
			assert.Equal(t, name, info.Name)
			got, err := account.GetInstance(t.Context(), name)
			require.NoError(t, err, name)
			assert.Equal(t, name, got.Name)
		}
		assert.Empty(t, sim.Violations())
	}, ryzetest.WithQuota(100), ryzetest.WithCreateRateLimit(1000))
}

func TestGetInstanceNeverReturnsANeighbour(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sim.AddInstance("one")
		sim.AddInstance("two")
		account := client.Account(sim.AccountToken)
		for _, name := range []string{"One", "three", "one,two", "on"} {
			_, err := account.GetInstance(t.Context(), name)
			require.ErrorIs(t, err, ErrInstanceNotFound, name)
		}
		// The service ignores the filter under an instance's token.
		_, err := client.Instance("two", sim.Instance("one").Token()).Info(t.Context())
		require.ErrorIs(t, err, ErrInstanceNotFound)
		require.ErrorIs(t, err, ErrNotFound)
		require.ErrorContains(t, err, `no instance is named "two", and the token belongs to the instance "one"`)
	})
}

func TestOwnershipErrors(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sim.AddAccount("other-account", 1)
		mine, theirs := sim.AddInstance("mine"), sim.AddInstanceTo("other-account", "theirs")
		ctx := t.Context()

		_, err := client.Instance("mine", "nobody").Settings.Get(ctx)
		require.ErrorIs(t, err, ErrUnauthorized)
		_, err = client.Instance("theirs", mine.Token()).Settings.Get(ctx)
		require.ErrorIs(t, err, ErrForbidden)
		_, err = client.Account(sim.AccountToken).Instance("theirs").Settings.Get(ctx)
		require.ErrorIs(t, err, ErrForbidden)
		err = client.Account(mine.Token()).DeleteInstance(ctx, "mine")
		require.ErrorIs(t, err, ErrUnauthorized, "an instance's token cannot delete")
		_, err = client.Account("other-account").CreateInstance(ctx, CreateInstanceParams{Name: "second"})
		require.ErrorIs(t, err, ErrQuotaExceeded)
		_, err = client.Account(sim.AccountToken).CreateInstance(ctx, CreateInstanceParams{Name: "mine"})
		require.ErrorIs(t, err, ErrConflict)
		_ = theirs
	})
}

func TestTokenTravelsInOneHeaderOnly(t *testing.T) {
	for _, c := range []struct {
		opts         []Option
		header, want string
		absent       string
	}{
		{nil, "Token", "tok", "Authorization"},
		{[]Option{WithBearerAuth()}, "Authorization", "Bearer tok", "Token"},
	} {
		var seen *http.Request
		client, err := New(append(c.opts, WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			seen = r
			return nil, http.ErrAbortHandler
		})}))...)
		require.NoError(t, err)
		_, _ = client.Instance("a", "tok").Messages.SendText(t.Context(), "5511987654321", "hi")
		require.NotNil(t, seen)
		assert.Equal(t, c.want, seen.Header.Get(c.header))
		assert.Empty(t, seen.Header.Get(c.absent))
		assert.Empty(t, seen.URL.RawQuery)
		assert.Contains(t, seen.UserAgent(), "ryze-go/"+Version)

		seen = nil
		_, _ = client.Health(t.Context())
		require.NotNil(t, seen)
		assert.Empty(t, seen.Header.Get("Token")+seen.Header.Get("Authorization"), "the probe carries no token")
	}
}

func TestNothingThatIsPrintedOrLoggedHasASecret(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, _ *Client) {
		var log bytes.Buffer
		client := newTestClient(t, sim, WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
			WithRetry(RetryPolicy{MinBackoff: time.Millisecond}))
		account := client.Account(sim.AccountToken)
		created, err := account.CreateInstance(t.Context(), CreateInstanceParams{
			Name: "a", Token: "tok-of-the-instance",
			Webhook: &WebhookConfig{URL: "https://hooks.example.net/x", Authorization: "hook-secret"},
			Proxy:   &ProxyConfig{Host: "p.example", Port: "1080", Protocol: ProxySOCKS5, Password: "proxy-secret"},
		})
		require.NoError(t, err)
		inst := account.InstanceFrom(created)
		pairing, err := inst.Connect(t.Context(), ConnectParams{})
		require.NoError(t, err)
		hook, err := inst.Webhooks.Get(t.Context(), "")
		require.NoError(t, err)
		assert.Equal(t, "hook-secret", hook.Authorization.Reveal())
		list, err := account.ListInstances(t.Context())
		require.NoError(t, err)
		sim.Fault("instance.settings.get", ryzetest.Fault{Status: 500, Message: "Failed"}, ryzetest.RateLimited())
		_, err = inst.Settings.Get(t.Context())
		require.NoError(t, err)
		_, err = client.Instance("a", "wrong-token-here").Settings.Get(t.Context())
		require.Error(t, err)

		for _, v := range []any{client, account, inst, *inst, created, *created, pairing, *pairing, hook, *hook, list, inst.Messages, err,
			CreateInstanceParams{Token: "tok-of-the-instance", Webhook: &WebhookConfig{Authorization: "hook-secret"}}} {
			fmt.Fprintf(&log, "%v\n%+v\n%#v\n%s\n%d\n%x\n", v, v, v, v, v, v)
			slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		}
		require.Contains(t, log.String(), "instance.create")
		for _, secret := range []string{sim.AccountToken, "tok-of-the-instance", "hook-secret", "proxy-secret", "wrong-token-here",
			pairing.QRCode.Reveal(), fmt.Sprint(pairing.PNG()[:16]), fmt.Sprint([]byte("tok-of-the"))} {
			require.NotEmpty(t, secret)
			found := strings.Contains(log.String(), strings.Trim(secret, "[]")) // NotContains would print it all
			assert.False(t, found, "%.12s... is in the output", secret)
		}
	})
}

func TestRedirectIsNotFollowedWithTheToken(t *testing.T) {
	visited := false
	client, err := New(WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "ryzeapi.cloud" {
			visited = true
		}
		return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"https://evil.example/?token=tok"}}, Body: http.NoBody, Request: r}, nil
	})}))
	require.NoError(t, err)
	_, err = client.Instance("a", "tok").Messages.SendText(t.Context(), "5511987654321", "hi")
	require.ErrorIs(t, err, ErrRedirect)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
	require.ErrorContains(t, err, `"evil.example" (HTTP 307)`)
	assert.NotContains(t, err.Error(), "tok=")
	assert.NotContains(t, err.Error(), "token=")
	assert.False(t, visited)
}

func TestClosedClientRefusesCalls(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		require.NoError(t, client.Close())
		require.NoError(t, client.Close(), "twice")
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.ErrorIs(t, err, ErrClosed)
	})
}

func TestHealthReportsADegradedServiceWithoutAnError(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		h, err := client.Health(t.Context())
		require.NoError(t, err)
		assert.True(t, h.Healthy())
		assert.Equal(t, "ok", h.Checks["db"])

		sim.Degrade("db", "connection refused")
		h, err = client.Health(t.Context())
		require.NoError(t, err)
		assert.False(t, h.Healthy())
		assert.Contains(t, h.Checks["db"], "connection refused")
		assert.Equal(t, 2, sim.Count("observability.health"), "a report is not repeated")

		for _, page := range []string{"<html>", `{"error":{"message":"no healthy upstream"}}`} {
			sim.Fault("observability.health", ryzetest.Fault{Status: 503, Body: page, Gateway: true})
			_, err = client.Health(t.Context())
			require.NoError(t, err, "a proxy's page is no report, so it is asked again")
		}
		assert.Equal(t, 6, sim.Count("observability.health"))

		sim.Fault("observability.health", ryzetest.Fault{Status: 503, Body: "<html>", Times: 9, Gateway: true})
		_, err = client.Health(t.Context())
		require.ErrorIs(t, err, ErrServer, "a proxy's page is not a report")
	})
}

func TestDoReachesAnyRoute(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		token := sim.AddInstance("a b").Token()
		var out struct{ Settings map[string]any }
		meta, err := client.Do(t.Context(), http.MethodGet, "/api/instance/getSettings/a%20b", token, nil, &out)
		require.NoError(t, err)
		assert.Contains(t, out.Settings, "autoRejectCalls")
		assert.True(t, meta.RateLimit.Known)
		assert.Contains(t, string(meta.Raw()), "autoRejectCalls")

		_, err = client.Do(t.Context(), http.MethodPost, "/api/instance/settings/a%20b", token, map[string]any{"autoReadMessages": true}, nil)
		require.NoError(t, err)

		// A known route keeps its properties, even when it is a GET.
		sim.Fault("instance.connect", ryzetest.Fault{Drop: ryzetest.DropAfterRead})
		_, err = client.Do(t.Context(), http.MethodGet, "/api/instance/connect/a%20b?history=7", token, nil, nil)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.Equal(t, 1, sim.Count("instance.connect"))

		for _, bad := range []string{"", "api", "https://evil.example/api", "//evil.example/api", "/", "/api/instance/delete/..", "/api/%2e%2e/x", "/api/a\nb"} {
			_, err = client.Do(t.Context(), http.MethodGet, bad, token, nil, nil)
			require.ErrorIs(t, err, ErrInvalidArgument, bad)
		}
		_, err = client.Do(t.Context(), http.MethodGet, "/api/no/such/route", token, nil, nil)
		require.ErrorIs(t, err, ErrNotFound)
	})
}

func TestTokenThatTheServiceRepeatsIsNotInTheError(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		token := sim.AddInstance("a").Token()
		sim.Fault("instance.settings.get", ryzetest.Fault{Status: 401, Message: "Invalid token " + token})
		_, err := client.Instance("a", token).Settings.Get(t.Context())
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Contains(t, err.Error(), "Invalid token [redacted]")
		assert.NotContains(t, api.Message+string(api.Body), token)
	})
}

// A connection that froze while it was idle is found out before it is used again.
func TestFrozenIdleConnectionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithTLS())
		defer sim.Close()
		transport := DefaultTransport()
		transport.DialContext = sim.DialContext
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		transport.TLSClientConfig.RootCAs.AddCert(sim.Certificate())
		client, err := New(WithBaseURL(sim.URL), WithHTTPClient(&http.Client{Transport: transport}))
		require.NoError(t, err)
		defer func() { require.NoError(t, client.Close()) }()
		inst := paired(t, sim, client, "a")
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "one")
		require.NoError(t, err)
		sim.FreezeConnections()
		time.Sleep(PingAfter + PingWait + time.Second)
		began := time.Now()
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "two")
		require.NoError(t, err)
		assert.Zero(t, time.Since(began))
	})
}
