package ryzetest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hello = `{"number":"5511987654321","message":"hello"}`

// TestFaultsDoWhatTheySay checks, for each fault, what the client sees and
// whether the message was stored.
func TestFaultsDoWhatTheySay(t *testing.T) {
	tests := []struct {
		name   string
		fault  Fault
		status int // 0: the request fails
		text   string
		stored int
	}{
		{"status", Fault{Status: 500, Message: "boom"}, 500, "boom", 0},
		{"status without a message", Fault{Status: 502}, 502, "Bad Gateway", 0},
		{"status after processing", Fault{Status: 504, AfterProcess: true}, 504, "Gateway Timeout", 1},
		{"body", Fault{Status: 502, Body: "<html>", Gateway: true}, 502, "", 0},
		{"a 2xx that says no", Fault{Status: 200, Body: `{"success":false}`, AfterProcess: true}, 200, "", 1},
		{"garbled body", Fault{Body: "not json"}, 200, "", 1},
		{"slow", Fault{Delay: time.Minute}, 200, "", 1},
		{"slow failure", Fault{Delay: time.Minute, Status: 503}, 503, "Service Unavailable", 0},
		{"drop before read", Fault{Drop: DropBeforeRead}, 0, "", 0},
		{"drop after read", Fault{Drop: DropAfterRead}, 0, "", 0},
		{"drop after process", Fault{Drop: DropAfterProcess}, 0, "", 1},
		{"half a reply", Fault{Drop: HalfReply}, 0, "", 1},
		{"rate limited", RateLimited(), 429, "Rate limit exceeded. Try again later.", 0},
		{"throttled", Throttled(), 429, "rate-overlimit: too many messages, WhatsApp is throttling this number", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *Server, c client) {
				s.AddInstance("a").Pair("")
				s.Fault(textRoute, tt.fault)
				got, err := c.try("POST", "/api/message/text/a", hello)
				if tt.status == 0 {
					assert.Error(t, err)
				} else {
					require.NoError(t, err)
					assert.Equal(t, tt.status, got.status)
					assert.Equal(t, tt.text, got.text())
				}
				if tt.fault.Body != "" {
					assert.Equal(t, tt.fault.Body, string(got.raw))
				}
				assert.Len(t, s.Instance("a").Sent(), tt.stored)
				assert.Equal(t, 1, s.Count(textRoute))
				assert.True(t, s.Requests()[0].Faulted)
				assert.Equal(t, tt.stored == 1, s.Requests()[0].Applied)

				assert.Equal(t, 200, c.do("POST", "/api/message/text/a", hello).status, "the fault is used up")
			})
		})
	}
}

func TestHalfReplyIsCutInItsBody(t *testing.T) {
	for _, opts := range [][]Option{nil, {InMemory()}} {
		s, c := start(t, opts...)
		s.AddInstance("a").Pair("")
		s.Fault("messages.text", Fault{Drop: HalfReply})
		got, err := c.try("POST", "/api/message/text/a", hello)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, 200, got.status)
		assert.NotEmpty(t, got.raw)
		assert.NotEmpty(t, got.header.Get("X-RateLimit-Remaining"))
	}
}

func TestDropsResetTheConnection(t *testing.T) {
	for _, opts := range [][]Option{nil, {InMemory()}} {
		s, c := start(t, opts...)
		s.AddInstance("a").Pair("")
		s.Fault("messages.text", Fault{Drop: DropAfterRead})
		_, err := c.try("POST", "/api/message/text/a", hello)
		assert.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
	}
}

func TestNeverAnswerWaitsForTheClientToGiveUp(t *testing.T) {
	for _, process := range []bool{false, true} {
		bubble(t, func(t *testing.T, s *Server, c client) {
			s.AddInstance("a").Pair("")
			s.Fault("messages.text", Fault{Drop: NeverAnswer, AfterProcess: process})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := c.send(c.request("POST", "/api/message/text/a", hello).WithContext(ctx))
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			synctest.Wait()
			require.Len(t, s.Requests(), 1)
			assert.True(t, s.Requests()[0].Done, "the server notices that the client left")
			want := 0
			if process {
				want = 1
			}
			assert.Len(t, s.Instance("a").Sent(), want)
		})
	}
}

func TestSlowReplyStoresTheMessageEvenWhenTheClientLeft(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		s.Fault("messages.text", Fault{Delay: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.send(c.request("POST", "/api/message/text/a", hello).WithContext(ctx))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, s.Instance("a").Sent(), 1)
	})
}

func TestQueuedFaultsComeInOrderAndAsOftenAsTheySay(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.Fault("*", Fault{Status: 418, Message: "any"})
		s.Fault("GET /api/instance/list", Fault{Status: 500, Times: 2}, Fault{Status: 503})
		var seen []int
		for range 5 {
			seen = append(seen, c.do("GET", "/api/instance/list", "").status)
		}
		assert.Equal(t, []int{500, 500, 503, 418, 200}, seen)
		assert.Panics(t, func() { s.Fault("GET /api/no/such", Fault{}) })

		s.Fault("*", Fault{Status: 500, Times: 100})
		s.ClearFaults()
		assert.Equal(t, 200, c.do("GET", "/api/instance/list", "").status)
	})
}

func TestFaultsAndTheWindow(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		remaining := func() int {
			_, n, _ := rate(t, c.do("GET", "/api/instance/list", "").header)
			return n
		}
		assert.Equal(t, 99, remaining())

		s.Fault("instance.list", RateLimited())
		a := c.do("GET", "/api/instance/list", "")
		_, n, reset := rate(t, a.header)
		assert.Equal(t, 0, n)
		assert.Equal(t, time.Now().Truncate(time.Second).Unix()+60, reset)
		assert.Equal(t, 98, remaining(), "the window was not touched")

		s.Fault("instance.list", Throttled())
		_, n, _ = rate(t, c.do("GET", "/api/instance/list", "").header)
		assert.Equal(t, 97, n, "throttling says nothing about the window")

		s.Fault("instance.list", Fault{Status: 502, Gateway: true})
		a = c.do("GET", "/api/instance/list", "")
		assert.Empty(t, a.header.Get("X-RateLimit-Limit"))
		assert.Equal(t, 96, remaining(), "a gateway's answer is not counted")

		s.Fault("instance.list", Fault{Status: 429, Header: http.Header{"x-ratelimit-reset": {"7"}, "Retry-After": {"3"}, "Date": nil}})
		a = c.do("GET", "/api/instance/list", "")
		assert.Equal(t, "7", a.header.Get("X-RateLimit-Reset"))
		assert.Equal(t, "3", a.header.Get("Retry-After"))
		assert.Empty(t, a.header.Get("Date"))

		s.Eat(s.AccountToken, 100)
		s.Fault("instance.list", Fault{Status: 500})
		assert.Equal(t, 429, c.do("GET", "/api/instance/list", "").status)
		time.Sleep(time.Minute)
		assert.Equal(t, 500, c.do("GET", "/api/instance/list", "").status, "a refused request uses no fault up")
	})
}

func TestRefusedConnectionsCarryNothing(t *testing.T) {
	for _, opts := range [][]Option{nil, {InMemory()}} {
		s, c := start(t, opts...)
		s.RefuseConnections(1)
		_, err := c.try("GET", "/health", "")
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Equal(t, 0, s.Count("*"))
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
	}
}
