package ryzetest

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// rateClass names one of the service's counters.
type rateClass int

const (
	rateGlobal rateClass = iota // 100 requests per minute and token
	rateCreate                  // 20 per minute and token: POST /api/instance/new
	rateBypass                  // not counted: GET /health
)

const windowLength = time.Minute // unless WithRateWindow says otherwise

// maxWindows bounds the table: a server that answers millions of requests
// with invented tokens must not grow for ever.
const maxWindows = 4096

type windowKey struct {
	token string
	class rateClass
}

// window is one fixed minute, or another length, of one token and class.
type window struct {
	reset time.Time
	used  int
	eaten float64 // fraction that the stranger has not eaten whole yet
}

// windows counts requests. The first request counted opens a window; its start
// is cut to the second, so that X-RateLimit-Reset, in seconds, is exact.
type windows struct {
	mu       sync.Mutex
	limit    [2]int
	length   time.Duration
	stranger float64
	open     map[windowKey]*window
}

// quota is what the rate headers say.
type quota struct {
	limit, remaining int
	reset            time.Time
	refused          bool
}

func newWindows(global, create int, length time.Duration) *windows {
	return &windows{limit: [2]int{global, create}, length: length, open: map[windowKey]*window{}}
}

func (ws *windows) at(key windowKey, now time.Time) *window {
	w := ws.open[key]
	if w != nil && now.Before(w.reset) {
		return w
	}
	if len(ws.open) >= maxWindows {
		for k, old := range ws.open {
			if !now.Before(old.reset) {
				delete(ws.open, k)
			}
		}
	}
	w = &window{reset: now.Truncate(time.Second).Add(ws.length)}
	ws.open[key] = w
	return w
}

// take counts one request, unless the window has no room.
func (ws *windows) take(token string, class rateClass, now time.Time) (quota, bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.at(windowKey{token, class}, now)
	limit := ws.limit[class]
	if limit < 0 {
		return quota{limit: limit, remaining: limit, reset: w.reset}, true
	}
	ok := w.used < limit
	if ok {
		w.used++
		w.eaten += ws.stranger
		whole := int(w.eaten)
		w.eaten -= float64(whole)
		w.used = min(w.used+whole, limit)
	}
	return quota{limit, limit - w.used, w.reset, !ok}, ok
}

// giveBack undoes one take, for requests that a fault keeps from being counted.
func (ws *windows) giveBack(token string, class rateClass, now time.Time) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	key := windowKey{token, class}
	if w := ws.open[key]; w != nil && now.Before(w.reset) && w.used > 0 {
		if w.used--; w.used == 0 {
			delete(ws.open, key)
		}
	}
}

// eat spends n requests of the global window, as another program with the
// same token would.
func (ws *windows) eat(token string, n int, now time.Time) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.at(windowKey{token, rateGlobal}, now)
	w.used = max(0, min(w.used+n, ws.limit[rateGlobal])) // nothing when there is no limit
}

func (ws *windows) setStranger(share float64) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.stranger = max(0, share)
}

// SetClockSkew changes the clocks of WithClockSkew, as a step of the server's
// clock. Date and X-RateLimit-Reset move, and windows continue.
func (s *Server) SetClockSkew(skews ...time.Duration) {
	s.clocks.mu.Lock()
	defer s.clocks.mu.Unlock()
	s.clocks.skews = skews
}

// clocks are those that replies show, beside the one that the server runs on.
type clocks struct {
	mu    sync.Mutex
	skews []time.Duration
	turn  int
}

// next is the skew of the server that answers next.
func (c *clocks) next() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.skews) == 0 {
		return 0
	}
	c.turn++
	return c.skews[(c.turn-1)%len(c.skews)]
}

// setRateHeaders shows a window, by a clock that says now.
func (s *Server) setRateHeaders(h http.Header, q quota, now time.Time, skew time.Duration) {
	reset := q.reset.Add(skew)
	for name, value := range map[string]string{
		"X-Ratelimit-Limit":     strconv.Itoa(q.limit),
		"X-Ratelimit-Remaining": strconv.Itoa(q.remaining),
		"X-Ratelimit-Reset":     s.cfg.reset(reset, now),
	} {
		if value != "" && !slices.Contains(s.cfg.withoutRate, name) {
			h.Set(name, value)
		}
	}
	if q.refused && s.cfg.retryAfter != nil {
		h.Set("Retry-After", s.cfg.retryAfter(reset, now))
	}
}
