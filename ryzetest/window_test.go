package ryzetest

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bubble runs a test against an in-memory server, where time costs nothing.
func bubble(t *testing.T, fn func(t *testing.T, s *Server, c client), opts ...Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(append([]Option{InMemory()}, opts...)...)
		defer s.Close()
		fn(t, s, client{t, s, s.AccountToken})
	})
}

func rate(t *testing.T, h http.Header) (limit, remaining int, reset int64) {
	t.Helper()
	number := func(name string) int64 {
		n, err := strconv.ParseInt(h.Get(name), 10, 64)
		require.NoError(t, err, name)
		return n
	}
	return int(number("X-RateLimit-Limit")), int(number("X-RateLimit-Remaining")), number("X-RateLimit-Reset")
}

func TestWindowIsAFixedMinuteFromItsFirstRequest(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		time.Sleep(400 * time.Millisecond) // not on a whole second
		start := time.Now().Truncate(time.Second)
		for want := 2; want >= 0; want-- {
			a := c.do("GET", "/api/instance/list", "")
			require.Equal(t, 200, a.status)
			limit, remaining, reset := rate(t, a.header)
			assert.Equal(t, 3, limit)
			assert.Equal(t, want, remaining)
			assert.Equal(t, start.Add(time.Minute).Unix(), reset)
			time.Sleep(10 * time.Second)
		}
		a := c.do("GET", "/api/instance/list", "")
		assert.Equal(t, 429, a.status)
		assert.Equal(t, "Rate limit exceeded. Try again later.", a.text())
		_, remaining, reset := rate(t, a.header)
		assert.Equal(t, 0, remaining)
		assert.Empty(t, a.header.Get("Retry-After"))

		time.Sleep(time.Until(time.Unix(reset, 0)) - time.Millisecond)
		assert.Equal(t, 429, c.do("GET", "/api/instance/list", "").status, "just before the reset")
		time.Sleep(time.Millisecond)
		a = c.do("GET", "/api/instance/list", "")
		assert.Equal(t, 200, a.status, "at the reset")
		_, remaining, next := rate(t, a.header)
		assert.Equal(t, 2, remaining)
		assert.Equal(t, reset+60, next)
	}, WithRateLimit(3))
}

func TestWindowHasTheLengthThatItWasGiven(t *testing.T) {
	bubble(t, func(t *testing.T, _ *Server, c client) {
		start := time.Now().Truncate(time.Second)
		for window := range 3 {
			for _, status := range []int{200, 200, 429} {
				a := c.do("GET", "/api/instance/list", "")
				assert.Equal(t, status, a.status)
				_, _, reset := rate(t, a.header)
				assert.Equal(t, start.Add(time.Duration(window+1)*3*time.Second).Unix(), reset)
			}
			time.Sleep(3 * time.Second)
		}
	}, WithRateLimit(2), WithRateWindow(3500*time.Millisecond))
}

func TestRefusedRequestHasNoEffect(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		s.Eat(s.AccountToken, 100)
		a := c.do("POST", "/api/message/text/a", `{"number":"5511987654321","message":"x"}`)
		assert.Equal(t, 429, a.status)
		assert.Empty(t, s.Instance("a").Sent())
	})
}

func TestWindowsArePerTokenAndClass(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		remaining := func(a answer) int { _, n, _ := rate(t, a.header); return n }

		assert.Equal(t, 9, remaining(c.do("GET", "/api/instance/list", "")))
		assert.Equal(t, 9, remaining(c.with(i.Token()).do("GET", "/api/instance/list", "")))

		req := c.with("").request("GET", "/api/instance/list", "")
		req.Header.Set("Authorization", "Bearer "+s.AccountToken)
		a, err := c.send(req)
		require.NoError(t, err)
		assert.Equal(t, 8, remaining(a), "the form of the token does not matter")

		for k := range 2 {
			a := c.do("POST", "/api/instance/new", fmt.Sprintf(`{"name":"n%d"}`, k))
			require.Equal(t, 201, a.status)
			assert.Equal(t, 1-k, remaining(a))
		}
		assert.Equal(t, 429, c.do("POST", "/api/instance/new", `{"name":"n2"}`).status)
		assert.Equal(t, 7, remaining(c.do("GET", "/api/instance/list", "")), "creations have their own window")

		assert.Equal(t, 6, remaining(c.do("GET", "/api/instance/metrics/nobody", "")), "errors count and carry the headers")
		assert.Equal(t, 5, remaining(c.do("GET", "/ws/a", "")), "the upgrade counts")
		h := c.do("GET", "/health", "")
		assert.Empty(t, h.header.Get("X-RateLimit-Limit"))
		assert.Equal(t, 4, remaining(c.do("GET", "/api/instance/list", "")), "health does not count")
	}, WithRateLimit(10), WithCreateRateLimit(2))
}

func TestStrangersShareTheWindow(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.Eat(s.AccountToken, 50)
		s.SetStranger(0.5)
		var seen []int
		for range 4 {
			_, n, _ := rate(t, c.do("GET", "/api/instance/list", "").header)
			seen = append(seen, n)
		}
		assert.Equal(t, []int{49, 47, 46, 44}, seen)
	})
}

func TestSkewMovesDateAndReset(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		a := c.do("GET", "/api/instance/list", "")
		date, err := http.ParseTime(a.header.Get("Date"))
		require.NoError(t, err)
		assert.Equal(t, time.Now().Add(90*time.Second).Unix(), date.Unix())
		_, _, reset := rate(t, a.header)
		assert.Equal(t, date.Unix()+60, reset)

		s.Advance(61 * time.Second)
		a = c.do("GET", "/api/instance/list", "")
		date, _ = http.ParseTime(a.header.Get("Date"))
		assert.Equal(t, time.Now().Add(151*time.Second).Unix(), date.Unix())
		_, remaining, _ := rate(t, a.header)
		assert.Equal(t, 99, remaining, "the window follows the virtual clock")
	}, WithClockSkew(90*time.Second))
}

func TestResetCanBeRelativeOrMissing(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		c.do("GET", "/api/instance/list", "")
		time.Sleep(15 * time.Second)
		_, _, reset := rate(t, c.do("GET", "/api/instance/list", "").header)
		assert.EqualValues(t, 45, reset)
	}, WithRelativeReset())
	bubble(t, func(t *testing.T, s *Server, c client) {
		a := c.do("GET", "/api/instance/list", "")
		assert.Empty(t, a.header.Values("X-RateLimit-Limit"))
		assert.Empty(t, a.header.Values("X-RateLimit-Reset"))
	}, WithoutRateHeaders())
}
