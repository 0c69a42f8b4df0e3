package ryze

import (
	"container/list"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RateLimit is what the service said about a token's quota: the headers
// X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset. It is on
// every result and every error of the service.
type RateLimit struct {
	// Known is false when the reply had no such headers; the other fields
	// then say nothing.
	Known     bool
	Limit     int // requests of one window, 0 when not said
	Remaining int // requests left in the window
	// Reset is when the window starts anew, in local time: the service's clock
	// is corrected by its Date header. It is zero when not said, or said in a
	// way that makes no sense.
	Reset time.Time
}

// Exhausted reports whether nothing is left of the window.
func (r RateLimit) Exhausted() bool { return r.Known && r.Remaining == 0 }

// Limiter meters requests: every attempt takes one request from the window of
// its token, waits for it if need be, and reports afterwards what the service
// said. [NewMemoryLimiter] is the one in use unless [WithLimiter] names
// another, for instance one that several processes share.
//
// A Limiter must be safe for concurrent use, must serve waiters in the order
// in which they came, and must return at once when the context ends.
type Limiter interface {
	// Acquire waits until key's window has room and takes one request from it.
	// When the wait would outlast the context's deadline, or what the limiter
	// allows at all, it returns a *RateLimitError at once.
	Acquire(ctx context.Context, req LimiterRequest) (Ticket, error)
	// Rate returns what is known of key's window.
	Rate(key LimiterKey) RateLimit
}

// LimiterKey names one window: a token at one base URL, and a rate class.
type LimiterKey struct {
	Scope string // a digest of base URL and token, from which neither can be had
	Class RateClass
}

// Ticket is the right to one request. Exactly one of its methods is called,
// once, when the attempt is over.
type Ticket interface {
	// Done reports the reply's rate headers; Known is false when there was no
	// reply or it had none. The request counts as used.
	Done(RateLimit)
	Refused(RateLimit)
	// Cancel returns the request unused: it never left this machine.
	Cancel()
}

const (
	windowLength   = time.Minute            // the documented window
	tenthPause     = 500 * time.Millisecond // pause between requests under a tenth of the quota
	probePatience  = time.Second            // how long a new window waits for its first reply
	shortestReset  = time.Second            // the shortest wait after a 429
	mostDoublings  = 4                      // of that wait
	sameWindow     = 1500 * time.Millisecond
	farthestReset  = 24 * time.Hour // beyond it a Reset makes no sense
	epochThreshold = 100_000_000    // smaller values of Reset are seconds from now
	largestQuota   = 1_000_000

	defaultRateLimitWait = 5 * time.Minute
)

// NewMemoryLimiter returns the limiter that a [Client] makes for itself: it
// keeps one window per key in memory. Share one between clients through
// [WithLimiter] when they use the same tokens. A wait longer than maxWait is
// refused with a [*RateLimitError]; 0 means five minutes.
//
// It follows the service's headers. Before the first reply of a window is
// known it lets one request through, for at most a second, to learn what the
// window holds; without headers it counts the documented quota by itself. What
// remains is never raised by a reply that comes late, or without headers.
// Under a tenth of the quota, requests keep half a second apart.
func NewMemoryLimiter(maxWait time.Duration) Limiter {
	if maxWait <= 0 {
		maxWait = defaultRateLimitWait
	}
	return &memoryLimiter{maxWait: maxWait, windows: make(map[LimiterKey]*window)}
}

type memoryLimiter struct {
	maxWait time.Duration

	mu      sync.Mutex
	windows map[LimiterKey]*window
}

func (l *memoryLimiter) window(key LimiterKey) *window {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[key]
	if w == nil {
		w = &window{limit: max(key.Class.Limit(), 1)}
		l.windows[key] = w
	}
	return w
}

func (l *memoryLimiter) Acquire(ctx context.Context, req LimiterRequest) (Ticket, error) {
	return l.window(req.LimiterKey).acquire(ctx, min(l.maxWait, req.MaxWait))
}

type LimiterRequest struct {
	LimiterKey
	Priority Priority
	Since    time.Time
	MaxWait  time.Duration
}
type Priority int

func priorityOf(ctx context.Context) Priority { return 0 }

func (t *ticket) Refused(rate RateLimit) {
	rate.Known, rate.Remaining = true, 0
	t.window.done(t.generation, rate)
}

func (l *memoryLimiter) Rate(key LimiterKey) RateLimit { return l.window(key).rate() }

// window is the quota of one key. What remains is left - inFlight: left is
// what the service last said, and each request under way may not be in that
// number yet.
type window struct {
	mu         sync.Mutex
	limit      int
	left       int
	inFlight   int
	reset      time.Time // end of the window; a time in the past means that a new one is due
	known      bool      // reset was said by the service, not assumed
	spoken     bool      // the service has spoken about this window
	generation int       // counts windows
	probing    bool      // the first request of the window is under way
	probeEnd   time.Time // others wait for its reply until then
	last       time.Time // when the last request was let through
	grace      time.Duration
	refusals   int // windows in a row whose first request was refused without a reset

	queue list.List // of *waiter, first in first out
	timer *time.Timer
}

type waiter struct {
	ready  chan struct{}
	ticket *ticket // once it may go
}

func (w *window) acquire(ctx context.Context, maxWait time.Duration) (Ticket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	now := time.Now()
	if w.queue.Len() == 0 {
		if ok, _ := w.ready(now); ok {
			t := w.take(now)
			w.mu.Unlock()
			return t, nil
		}
	}
	if retryAt := w.estimate(now); tooLate(ctx, retryAt, now, maxWait) {
		rate := w.snapshot()
		w.mu.Unlock()
		return nil, &RateLimitError{RetryAt: retryAt, RateLimit: rate}
	}
	me := &waiter{ready: make(chan struct{})}
	place := w.queue.PushBack(me)
	w.dispatch(now)
	w.mu.Unlock()

	select {
	case <-me.ready:
		return me.ticket, nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now = time.Now()
	if me.ticket != nil {
		w.inFlight--
	} else {
		w.queue.Remove(place)
	}
	w.dispatch(now)
	return nil, &RateLimitError{RetryAt: w.estimate(now), RateLimit: w.snapshot(), Err: ctx.Err()}
}

// tooLate reports whether waiting until at is longer than the context or the
// longest wait allow.
func tooLate(ctx context.Context, at, now time.Time, maxWait time.Duration) bool {
	if at.Sub(now) > maxWait {
		return true
	}
	deadline, ok := ctx.Deadline()
	return ok && !at.Before(deadline) // at the deadline itself it would be a race
}

// ready reports whether a request may go now, and otherwise when to look again.
func (w *window) ready(now time.Time) (ok bool, again time.Time) {
	switch left := w.left - w.inFlight; {
	case !now.Before(w.reset):
		return true, now
	case w.probing && now.Before(w.probeEnd):
		return false, w.probeEnd
	case left <= 0:
		return false, w.reset
	case left < w.limit/10 && now.Before(w.last.Add(tenthPause)):
		return false, w.last.Add(tenthPause)
	default:
		return true, now
	}
}

// take lets one request through; the first of a window opens it.
func (w *window) take(now time.Time) *ticket {
	if !now.Before(w.reset) {
		w.generation++
		w.left, w.reset = w.limit, now.Add(windowLength)
		w.known, w.spoken = false, false
		w.probing, w.probeEnd = true, now.Add(probePatience)
	}
	w.inFlight++
	w.last = now
	return &ticket{window: w, generation: w.generation}
}

// dispatch lets waiters through, in order, and sets the timer for the next.
func (w *window) dispatch(now time.Time) {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	for w.queue.Len() > 0 {
		ok, again := w.ready(now)
		if !ok {
			w.timer = time.AfterFunc(again.Sub(now), func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.dispatch(time.Now())
			})
			return
		}
		me := w.queue.Remove(w.queue.Front()).(*waiter)
		me.ticket = w.take(now)
		close(me.ready)
	}
}

// estimate says when a request that joins the queue now can expect to go.
func (w *window) estimate(now time.Time) time.Time {
	ahead := w.queue.Len()
	left := w.left - w.inFlight
	if !now.Before(w.reset) || w.probing {
		left = w.limit // not known yet; the first reply will tell
	}
	if ahead >= left {
		windows := (ahead - max(left, 0)) / w.limit
		return w.reset.Add(time.Duration(windows) * windowLength)
	}
	if spaced := w.limit/10 - (left - ahead); spaced > 0 {
		return w.last.Add(time.Duration(min(spaced, ahead+1)) * tenthPause)
	}
	return now
}

// done takes in what the reply to a request of the given generation said.
func (w *window) done(generation int, rate RateLimit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.inFlight--
	ofThisWindow := generation == w.generation
	first := ofThisWindow && w.probing
	if first {
		w.probing = false
	}
	switch {
	case rate.Known && (ofThisWindow || rate.Reset.After(now)):
		w.learn(rate, now, first)
	case !rate.Known && ofThisWindow:
		w.left-- // it was sent, so it counts
	}
	w.dispatch(now)
}

// learn takes in rate headers; first marks the first reply of a window.
func (w *window) learn(rate RateLimit, now time.Time, first bool) {
	reset := rate.Reset
	if !reset.IsZero() {
		reset = reset.Add(w.grace)
	}
	if rate.Remaining > 0 {
		w.refusals = 0
	}
	switch {
	case !reset.IsZero() && w.known && w.reset.Sub(reset) > sameWindow:
		return // late: it speaks of a window that is over
	case !reset.After(now):
		// Nothing usable about the end of the window: keep the one we count.
		w.left = min(w.left, rate.Remaining)
		if rate.Remaining == 0 && first {
			// By our count the window is new, yet the service refuses. Its
			// clock may cut off fractions of a second: come later from now on.
			w.grace = shortestReset
			w.reset = now.Add(shortestReset << min(w.refusals, mostDoublings))
			w.refusals++
		}
	case !w.known, reset.Sub(w.reset) > sameWindow:
		w.left, w.reset, w.known = rate.Remaining, reset, true
	default:
		w.left, w.reset = min(w.left, rate.Remaining), reset
	}
	w.spoken = true
	if rate.Limit > 0 {
		w.limit = rate.Limit
	}
}

func (w *window) cancel(generation int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight--
	if w.probing && generation == w.generation {
		// The window was opened by a request that never left.
		w.probing, w.reset = false, time.Time{}
	}
	w.dispatch(time.Now())
}

func (w *window) rate() RateLimit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snapshot()
}

func (w *window) snapshot() RateLimit {
	now := time.Now()
	if !w.spoken || !now.Before(w.reset) {
		return RateLimit{}
	}
	return RateLimit{Known: true, Limit: w.limit, Remaining: max(w.left-w.inFlight, 0), Reset: w.reset}
}

type ticket struct {
	window     *window
	generation int
}

func (t *ticket) Done(rate RateLimit) { t.window.done(t.generation, rate) }
func (t *ticket) Cancel()             { t.window.cancel(t.generation) }

// clockSkew learns how far the service's clock is from ours. A Date header is
// cut to the second and grows old on its way, so each one gives a lower bound
// of the difference: the largest of the last minutes is the best guess, and
// errs by waiting a fraction of a second longer, never by coming early.
type clockSkew struct {
	mu       sync.Mutex
	best     time.Duration // largest bound of this period
	previous time.Duration // and of the one before
	known    int           // how many of the two are known
	since    time.Time
}

const skewPeriod = time.Minute

func (c *clockSkew) observe(date, now time.Time) time.Duration {
	bound := date.Sub(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.known == 0:
		c.best, c.known, c.since = bound, 1, now
	case now.Sub(c.since) >= skewPeriod || now.Before(c.since):
		c.previous, c.best, c.known, c.since = c.best, bound, 2, now
	default:
		c.best = max(c.best, bound)
	}
	if c.known == 2 {
		return max(c.best, c.previous)
	}
	return c.best
}

// parseRateLimit reads the quota headers of a reply that came at now.
func parseRateLimit(h http.Header, now time.Time, skew *clockSkew) RateLimit {
	remaining, hasRemaining := headerInt(h, "X-Ratelimit-Remaining")
	limit, hasLimit := headerInt(h, "X-Ratelimit-Limit")
	if !hasRemaining {
		return RateLimit{}
	}
	rate := RateLimit{Known: true, Remaining: int(min(max(remaining, 0), largestQuota))}
	if hasLimit && limit > 0 {
		rate.Limit = int(min(limit, largestQuota))
		rate.Remaining = min(rate.Remaining, rate.Limit)
	}
	if reset, ok := headerInt(h, "X-Ratelimit-Reset"); ok {
		rate.Reset = resetTime(reset, h.Get("Date"), now, skew)
	}
	return rate
}

// resetTime turns the value of X-RateLimit-Reset into local time.
func resetTime(value int64, date string, now time.Time, skew *clockSkew) time.Time {
	var reset time.Time
	switch {
	case value < 0:
		return time.Time{}
	case value < epochThreshold:
		if value > int64(farthestReset/time.Second) {
			return time.Time{}
		}
		return now.Add(time.Duration(value) * time.Second)
	case value-now.Unix() > int64(2*farthestReset/time.Second):
		return time.Time{}
	default:
		reset = time.Unix(value, 0)
	}
	limit := defaultRateLimitWait // without a Date the difference of the clocks is not known
	if d, err := http.ParseTime(date); err == nil {
		reset = reset.Add(-skew.observe(d, now))
		limit = farthestReset
	}
	if now.Sub(reset) > limit || reset.Sub(now) > limit {
		return time.Time{}
	}
	return reset
}

func headerInt(h http.Header, name string) (int64, bool) {
	values := h[name]
	if len(values) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	return n, err == nil
}

// String gives the quota in the form "57/100 until 15:04:05".
func (r RateLimit) String() string {
	if !r.Known {
		return "unknown"
	}
	text := fmt.Sprintf("%d/%d", r.Remaining, r.Limit)
	if !r.Reset.IsZero() {
		text += " until " + r.Reset.Format(time.TimeOnly)
	}
	return text
}
