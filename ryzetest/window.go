package ryzetest

import (
	"net/http"
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

const windowLength = time.Minute

// maxWindows bounds the table: a server that answers millions of requests
// with invented tokens must not grow for ever.
const maxWindows = 4096

type windowKey struct {
	token string
	class rateClass
}

// window is one fixed minute of one token and class.
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
	stranger float64
	open     map[windowKey]*window
}

// quota is what the rate headers say.
type quota struct {
	limit, remaining int
	reset            time.Time
}

func newWindows(global, create int) *windows {
	return &windows{limit: [2]int{global, create}, open: map[windowKey]*window{}}
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
	w = &window{reset: now.Truncate(time.Second).Add(windowLength)}
	ws.open[key] = w
	return w
}

// take counts one request, unless the window has no room.
func (ws *windows) take(token string, class rateClass, now time.Time) (quota, bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.at(windowKey{token, class}, now)
	limit := ws.limit[class]
	ok := w.used < limit
	if ok {
		w.used++
		w.eaten += ws.stranger
		whole := int(w.eaten)
		w.eaten -= float64(whole)
		w.used = min(w.used+whole, limit)
	}
	return quota{limit, limit - w.used, w.reset}, ok
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
	w.used = max(0, min(w.used+n, ws.limit[rateGlobal]))
}

func (ws *windows) setStranger(share float64) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.stranger = max(0, share)
}

func (s *Server) setRateHeaders(h http.Header, q quota) {
	if s.cfg.noRateHeaders {
		return
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(q.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(q.remaining))
	reset := q.reset.Add(s.cfg.skew).Unix()
	if s.cfg.relativeReset {
		wait := q.reset.Sub(s.clock.now())
		reset = int64((wait + time.Second - 1) / time.Second)
	}
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
}
