package ryze

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The documentation requires no field of a proxy.
func TestProxyNeedsNoFieldThatTheServiceDoesNotRequire(t *testing.T) {
	for _, c := range []struct {
		proxy ProxyConfig
		body  string
	}{
		{ProxyConfig{Host: "h"}, `{"enabled":true,"host":"h"}`},
		{ProxyConfig{Host: "h", Port: "1080"}, `{"enabled":true,"host":"h","port":"1080"}`},
		{ProxyConfig{Host: "h", Protocol: "SOCKS5", Password: "p"}, `{"enabled":true,"host":"h","protocol":"SOCKS5","password":"p"}`},
	} {
		inst := exchanging(t, exchange{method: "POST", path: "/api/instance/proxy/main", body: c.body, reply: `{"success":true}`})
		require.NoError(t, inst.Proxy.Set(t.Context(), c.proxy))
	}
	requireInvalid(t, silent(t).Proxy.Set(t.Context(), ProxyConfig{}), "Proxy")
}

// Everything but the service's own refusal is survived, with growing pauses.
func TestWaitConnectedSurvivesWhateverHeals(t *testing.T) {
	refused := func(status int, body string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			reply := jsonResponse(r, body)
			reply.StatusCode = status
			return reply, nil
		}
	}
	limited := func(r *http.Request) (*http.Response, error) {
		reply := jsonResponse(r, `{"success":false,"error":{"message":"Rate limit exceeded. Try again later."}}`)
		reply.StatusCode = http.StatusTooManyRequests
		reply.Header.Set("X-RateLimit-Limit", "100")
		reply.Header.Set("X-RateLimit-Remaining", "0")
		reply.Header.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10))
		return reply, nil
	}
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"refused connection": func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED },
		"reset":              func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET },
		"bad certificate": func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: io.EOF}
		},
		"cut JSON":            refused(200, `{"success":true,"instances":[{"na`),
		"a page":              refused(200, page),
		"nothing":             refused(200, ""),
		"no instances":        refused(200, `{"success":true}`),
		"failure":             refused(200, `{"success":false,"error":{"message":"Failed to list"}}`),
		"quota":               limited,
		"foreign 429":         refused(429, page),
		"throttled":           refused(429, `{"success":false,"error":{"message":"slow down"}}`),
		"foreign 401":         refused(401, page),
		"foreign 403":         refused(403, page),
		"foreign 404":         refused(404, "404 page not found"),
		"empty 404":           refused(404, ""),
		"400":                 refused(400, `{"success":false,"error":{"message":"not now"}}`),
		"408":                 refused(408, ""),
		"426":                 refused(426, ""),
		"500":                 refused(500, `{"success":false,"error":{"message":"Failed to get instance"}}`),
		"502":                 refused(502, page),
		"redirect":            refused(302, ""),
		"no reply for a time": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				healed := time.Now().Add(time.Hour)
				asked := 0
				transport := roundTripper(func(r *http.Request) (*http.Response, error) {
					asked++
					if time.Now().Before(healed) {
						return fault(r)
					}
					return jsonResponse(r, `{"success":true,"instances":[{"name":"a","connection":{"state":"connected"}}]}`), nil
				})
				client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: transport}))
				require.NoError(t, err)
				defer func() { require.NoError(t, client.Close()) }()

				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				began := time.Now()
				_, err = client.Instance("a", "token").WaitConnected(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, 2*time.Minute, time.Since(began), "neither early nor late")

				info, err := client.Instance("a", "token").WaitConnected(t.Context())
				require.NoError(t, err)
				assert.True(t, info.Connected())
				assert.WithinRange(t, time.Now(), healed, healed.Add(5*time.Minute+longestConnectPoll), "it is noticed soon")
				assert.Less(t, asked, 1000, "pauses grow")
			})
		})
	}
}

func TestWaitConnectedEndsWithTheServicesOwnRefusal(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		is     error
	}{
		{401, "Invalid token", ErrInvalidToken}, {403, "Instance does not belong to your account", ErrInstanceNotOwned}, {404, "Instance not found", ErrInstanceNotFound},
	} {
		inst, s := script(t, scriptedReply{status: c.status, body: `{"success":false,"error":{"message":"` + c.text + `"}}`})
		_, err := inst.WaitConnected(t.Context())
		require.ErrorIs(t, err, c.is)
		require.ErrorIs(t, err, ErrNotConnected)
		assert.ErrorContains(t, err, c.text)
		assert.Len(t, s.requests(), 1)
	}
	inst, s := script(t)
	require.NoError(t, inst.Client().Close())
	_, err := inst.WaitConnected(t.Context())
	require.ErrorIs(t, err, ErrNotConnected)
	require.ErrorIs(t, err, ErrClosed)
	_, err = inst.Client().Instance("", "t").WaitConnected(t.Context())
	require.ErrorIs(t, err, ErrInvalidArgument)
	assert.Empty(t, s.requests())
}
