package ryzetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCatalogueDoesWhatItSays plays every fault against a plain client: the message
// is stored if the fault says that it applies, the client is not left waiting
// when it has set a limit, and the next request on a new connection is served.
func TestCatalogueDoesWhatItSays(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, tt := range Catalogue() {
		assert.False(t, names[tt.Name], "%s is there twice", tt.Name)
		names[tt.Name] = true
		if tt.Fault.Padding > 0 {
			tt.Fault.Padding = 1 << 20
		}
		for _, proto := range tt.Over {
			t.Run(tt.Name+"/"+proto, func(t *testing.T) {
				opts := []Option{InMemory()}
				if proto == http2 {
					opts = append(opts, WithTLS())
				}
				synctest.Test(t, func(t *testing.T) {
					s, c := start(t, opts...)
					i := s.AddInstance("a")
					i.Pair("")
					c.do("GET", "/health", "") // GOAWAY on the first stream is a case of its own for some clients
					s.Fault(textRoute, tt.Fault)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					req := c.request("POST", "/api/message/text/a", "").WithContext(ctx)
					req.Body = fixed(hello)
					req.Header.Set("Content-Type", "application/json")
					res, err := s.HTTPClient().Do(req)
					if err == nil {
						// A body of 101 does not end with the context.
						context.AfterFunc(ctx, func() { res.Body.Close() })
						_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 2<<20))
						res.Body.Close()
					}
					cancel()
					synctest.Wait()
					assert.Len(t, i.Sent(), map[bool]int{false: 0, true: 1}[tt.Fault.Applies()])
					require.Equal(t, 1, s.Count(textRoute))
					r := s.Requests()[1]
					assert.Equal(t, proto, r.Proto)
					assert.True(t, r.Faulted)

					s.HTTPClient().CloseIdleConnections()
					s.Restart()
					synctest.Wait()
					assert.Equal(t, 200, c.do("GET", "/health", "").status)
				})
			})
		}
	}
}

func TestProxyPagesAreNotTheServices(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.Fault("*", ProxyPage(502))
		a := c.do("GET", "/api/instance/list", "")
		assert.Equal(t, 502, a.status)
		assert.Contains(t, string(a.raw), "<h1>502 Bad Gateway</h1>")
		assert.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
		assert.Empty(t, a.header.Get("X-RateLimit-Limit"))
	})
}

func TestReplyIsEditedPaddedOrEmptied(t *testing.T) {
	bothProtocols(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		s.Fault(textRoute,
			Fault{Edit: func(r map[string]any) { r["success"] = 1; delete(r, "message") }},
			Fault{Padding: 5 << 20},
			Fault{Padding: 100, Body: "{}"},
			Fault{Padding: 100, Body: "<html>"},
			Fault{Empty: true},
			Fault{Status: 404, Empty: true})
		send := func() answer { return c.do("POST", "/api/message/text/a", hello) }

		a := send()
		assert.EqualValues(t, 1, a.at("success"))
		assert.NotEmpty(t, a.at("data", "messageId"))
		assert.Nil(t, a.at("message"))

		a = send()
		assert.Len(t, a.at("padding"), 5<<20)
		assert.Equal(t, true, a.at("success"))
		assert.NotEmpty(t, a.at("data", "messageId"))

		assert.Equal(t, map[string]any{"padding": strings.Repeat("x", 100)}, send().body)
		assert.Equal(t, "<html>"+strings.Repeat(" ", 100), string(send().raw))

		for _, status := range []int{200, 404} {
			a = send()
			assert.Equal(t, status, a.status)
			assert.Empty(t, a.raw)
		}
		assert.Len(t, s.Instance("a").Sent(), 5)
	})
}

func TestResetTakesOddForms(t *testing.T) {
	for _, tt := range []struct {
		form TimeForm
		want func(reset, now time.Time) string
	}{
		{TimeUnix, func(r, _ time.Time) string { return fmt.Sprint(r.Unix()) }},
		{TimeUnixMillis, func(r, _ time.Time) string { return fmt.Sprint(r.UnixMilli()) }},
		{TimeDelta, func(_, _ time.Time) string { return "45" }},
		{TimeDeltaMillis, func(_, _ time.Time) string { return "45000" }},
		{TimeISO, func(r, _ time.Time) string { return r.UTC().Format("2006-01-02T15:04:05Z") }},
		{TimeHTTP, func(r, _ time.Time) string { return r.UTC().Format(http.TimeFormat) }},
		{func(_, _ time.Time) string { return "30000" }, func(_, _ time.Time) string { return "30000" }},
		{func(_, _ time.Time) string { return "" }, func(_, _ time.Time) string { return "" }},
	} {
		bubble(t, func(t *testing.T, s *Server, c client) {
			reset := time.Now().Add(time.Minute + time.Hour)
			c.do("GET", "/api/instance/list", "")
			time.Sleep(15 * time.Second)
			a := c.do("GET", "/api/instance/list", "")
			assert.Equal(t, tt.want(reset, time.Now().Add(time.Hour)), a.header.Get("X-RateLimit-Reset"))
			assert.Empty(t, a.header.Get("Retry-After"))
			s.Eat(s.AccountToken, 100)
			a = c.do("GET", "/api/instance/list", "")
			assert.Equal(t, 429, a.status)
			assert.Equal(t, "45", a.header.Get("Retry-After"))
		}, WithReset(tt.form), WithRetryAfter(TimeDelta), WithClockSkew(time.Hour))
	}
}

func TestRateHeadersCanBeLeftOutOneByOne(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		h := c.do("GET", "/api/instance/list", "").header
		assert.Empty(t, h.Values("X-RateLimit-Remaining"))
		assert.Equal(t, "100", h.Get("X-RateLimit-Limit"))
		assert.NotEmpty(t, h.Get("X-RateLimit-Reset"))
	}, WithoutRateHeaders("X-RateLimit-Remaining"))
}

func TestLargePlans(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, s *Server, c client) {
		for left := 9999; left > 5000; left-- {
			limit, remaining, _ := rate(t, c.do("GET", "/api/instance/list", "").header)
			require.Equal(t, 10000, limit)
			require.Equal(t, left, remaining)
		}
	}, WithRateLimit(10000))
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.Eat(s.AccountToken, 1000)
		for range 200 {
			a := c.do("GET", "/api/instance/list", "")
			require.Equal(t, 200, a.status)
			limit, remaining, _ := rate(t, a.header)
			require.Equal(t, -1, limit)
			require.Equal(t, -1, remaining)
		}
	}, WithRateLimit(-1))
}

func TestServersAnswerInTurnByTheirOwnClocks(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		now := time.Now()
		ahead := func() time.Duration {
			a := c.do("GET", "/api/instance/list", "")
			date, err := http.ParseTime(a.header.Get("Date"))
			require.NoError(t, err)
			_, _, reset := rate(t, a.header)
			assert.Equal(t, date.Unix()+60, reset, "a server uses one clock for both")
			return date.Sub(now.Truncate(time.Second))
		}
		var seen []time.Duration
		for range 6 {
			seen = append(seen, ahead())
		}
		assert.Equal(t, []time.Duration{0, 0, 2 * time.Second, 0, 0, 2 * time.Second}, seen)
		s.SetClockSkew(-time.Hour)
		assert.Equal(t, -time.Hour, ahead())
		s.SetClockSkew()
		assert.Zero(t, ahead())
		_, remaining, _ := rate(t, c.do("GET", "/api/instance/list", "").header)
		assert.Equal(t, 91, remaining, "the window goes on")
	}, WithClockSkew(0, 0, 2*time.Second))
}

func TestStreamIsLoggedWhenItOpens(t *testing.T) {
	seen := make(chan Request, 10)
	s, c := start(t, WithObserver(func(r Request) { seen <- r }))
	i := s.AddInstance("a")
	c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
	<-seen
	conn := dial(t, s, "a", i.Token())
	r := <-seen
	assert.Equal(t, "GET /ws/:instance", r.Route)
	assert.Equal(t, 101, r.Status)
	assert.True(t, r.Done)
	conn.CloseNow()
	s.Close()
	assert.Empty(t, seen, "its end is not logged again")
}

func TestCreationShowsItsChatwootBlock(t *testing.T) {
	const block = `,"chatwootEnabled":true,"chatwootBaseUrl":"https://c.test","chatwootAccountId":1,"chatwootApiToken":"x"`
	bubble(t, func(t *testing.T, s *Server, c client) {
		a := c.do("POST", "/api/instance/new", `{"name":"a"`+block+`}`)
		assert.Equal(t, map[string]any{"enabled": true, "status": "active"}, a.at("instance", "chatwoot"))
		s.RejectChatwoot(401, "no")
		a = c.do("POST", "/api/instance/new", `{"name":"b"`+block+`}`)
		assert.Equal(t, 201, a.status)
		assert.Equal(t, "error", a.at("instance", "chatwoot", "status"))
		assert.Contains(t, a.at("instance", "chatwoot", "error"), "API token")
		assert.Nil(t, c.do("POST", "/api/instance/new", `{"name":"c"}`).at("instance", "chatwoot"))
	})
}

func TestRateHeadersAreExposedToAllowedOriginsOnly(t *testing.T) {
	for _, opts := range [][]Option{{}, {WithExposedRateHeaders()}} {
		bubble(t, func(t *testing.T, s *Server, c client) {
			for _, origin := range []string{"https://app.example.com", "https://other.example.com"} {
				req := c.request("GET", "/api/instance/list", "")
				req.Header.Set("Origin", origin)
				a, err := c.send(req)
				require.NoError(t, err)
				want := ""
				if len(opts) > 0 && origin == "https://app.example.com" {
					want = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
				}
				assert.Equal(t, want, a.header.Get("Access-Control-Expose-Headers"))
			}
		}, append(opts, WithAllowedOrigins("https://app.example.com"))...)
	}
}
