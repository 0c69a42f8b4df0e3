package ryze

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

const (
	windowLength  = time.Minute            // the documented window
	slowBelow     = 10                     // requests left, from where on they keep apart
	slowPause     = 500 * time.Millisecond // by how much
	probePatience = time.Second            // how long requests wait for the first word on a window
	shortestReset = time.Second            // the shortest wait after a 429
	mostDoublings = 4                      // of that wait
	sameWindow    = 5 * time.Second        // by how much times for the end of one window differ
	travelTime    = 5 * time.Second        // after it a request is surely in the service's count
	mostGrace     = sameWindow
	mostOdd       = 3 // ends in the past that are believed in a row
)

// errForgotten is what a window says that is not in the limiter any more.
var errForgotten = errors.New("window forgotten")

// window is the quota of one key. Its times are durations since base: they do
// not jump when the clock of the machine is set.
//
// What remains is left - inFlight - slow - doubtful: left is the least that the
// service has said, and a request under way may not be in that number yet. One
// that is slow, such as an upload, may not be for long; but it is when the
// service has counted more than the requests that came back. Nor may one be in it
// of which no word came back. It surely is in what the service says to a request
// that left after that.
type window struct {
	key  LimiterKey
	base time.Time

	// Of the limiter.
	due   time.Duration
	after *window

	mu         sync.Mutex
	forgotten  bool
	generation uint32 // counts windows
	limit      int
	limitSaid  bool // limit was said by the service, not assumed
	unlimited  bool
	left       int
	heard      bool          // left was said by the service, not assumed
	reset      time.Duration // end of the window; from then on a new one is due
	known      bool          // reset was said by the service, not assumed
	guessed    bool          // reset is a guess after a 429
	floor      time.Duration // the latest end that a 429 spoke of
	opened     time.Duration
	onTime     bool          // it was opened when the one before ended, which was known
	saidAt     time.Duration // when it was said last
	saidTo     time.Duration // when the latest request left to which it was said
	asked      time.Duration // when a request went only to end doubts
	asks       int           // how many did since the service spoke
	length     time.Duration
	measured   bool          // length was learned from two windows in a row
	seen       time.Duration // the longest part seen of a window, from when it was opened here

	// Before the first word on a window only so many requests go.
	probing  bool
	allowed  int
	passed   int
	probeEnd time.Duration

	head, tail *ticket // under way, in the order in which they left, without those long on their way
	inFlight   int     // how many they are
	slow       int     // long on their way
	stale      int     // that were under way when the window began
	staleUntil time.Duration

	// What the service has counted: whole was left when nothing here was, and
	// accounted are the requests that came back, or are held to be in left.
	whole, accounted int

	// Requests that may be in left or not: an older batch and a newer one, each
	// ended by a reply to a request that left after the last of the batch.
	older, newer doubts

	last     time.Duration // when the last request was let through
	grace    time.Duration // how much later than said a window ends
	odd      int           // ends in the past, in a row
	refusals int           // guesses in a row
	heldAt   time.Duration // when the last 429 came

	queue  waiters
	dirty  bool // some waiter may have to wait longer than it thought
	waking bool // a waiter has been woken, which will look after the next

	timer   *time.Timer
	timerAt time.Duration
}

// ticket is the right to one request of a window.
type ticket struct {
	window     *window
	prev, next *ticket
	issued     time.Duration
	generation uint32
	aged       bool // long on its way
	landed     bool
	asks       bool // goes only to end doubts
}

func newWindow(key LimiterKey) *window {
	return &window{key: key, base: time.Now(), limit: max(key.Class.Limit(), 1), length: windowLength}
}

func (w *window) now() time.Duration { return time.Since(w.base) }

// when turns a moment into a time of the clock, in UTC.
func when(at, now time.Duration) time.Time { return time.Now().Add(at - now).UTC() }

// acquire waits for a request. Its result is a *ticket, a *RateLimitError or
// errForgotten.
func (w *window) acquire(ctx context.Context, req LimiterRequest, maxWait time.Duration) (*ticket, error) {
	w.mu.Lock()
	if w.forgotten {
		w.mu.Unlock()
		return nil, errForgotten
	}
	now := w.now()
	ok, again := w.ready(now, req.Reserve)
	if ok && w.queue.root == nil {
		t := w.issue(now)
		w.mu.Unlock()
		return t, nil
	}
	me := w.waiter(ctx, req, now, maxWait)
	place := w.queue.ahead(me)
	if ok && place == 0 && req.MaxWait <= 0 {
		t := w.issue(now) // it goes before all who wait
		w.dirty = true
		w.serve(now)
		w.mu.Unlock()
		return t, nil
	}
	if w.soonest(place, me.reserve, now) > me.latest || req.MaxWait <= 0 {
		err := w.refusal(max(w.expected(place, me.reserve, now), again), now, nil)
		w.mu.Unlock()
		return nil, err
	}
	if place < w.queue.len() {
		w.dirty = true // the others move back
	}
	w.queue.insert(me)
	w.serve(now)
	expected := max(w.expected(place, me.reserve, now), again) - now
	w.mu.Unlock()
	if req.OnWait != nil && !me.served() {
		req.OnWait(expected)
	}

	select {
	case <-me.ready:
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now = w.now()
	if me.woken {
		w.waking = false
	} else {
		w.queue.remove(me)
	}
	if me.ticket != nil && ctx.Err() != nil {
		w.giveBack(me.ticket, now)
		me.ticket = nil
	}
	w.serve(now)
	switch {
	case me.ticket != nil:
		return me.ticket, nil
	case ctx.Err() != nil:
		return nil, w.refusal(w.expected(w.queue.len(), me.reserve, now), now, ctx.Err())
	default:
		var cause error
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
			cause = context.DeadlineExceeded // the context will say so in a moment
		}
		return nil, w.refusal(me.retryAt, now, cause)
	}
}

func (w *window) waiter(ctx context.Context, req LimiterRequest, now, maxWait time.Duration) *waiter {
	me := &waiter{ready: make(chan struct{}), priority: req.Priority, reserve: req.Reserve, since: now}
	if !req.Since.IsZero() {
		me.since = req.Since.Sub(w.base)
	}
	me.latest = now + min(req.MaxWait, maxWait, math.MaxInt64-now)
	if deadline, ok := ctx.Deadline(); ok {
		// At the deadline itself it would be a race.
		me.latest = min(me.latest, now+time.Until(deadline)-1)
	}
	w.queue.enlist(me)
	return me
}

func (w *window) refusal(at, now time.Duration, cause error) error {
	return &RateLimitError{RetryAt: when(at, now), RateLimit: w.snapshot(now), Err: cause}
}

// ready reports whether a request may go now that leaves a reserve to others, and
// otherwise when to look again.
func (w *window) ready(now time.Duration, reserve int) (ok bool, again time.Duration) {
	if now >= w.reset || w.unlimited {
		return true, now
	}
	if w.probing && w.passed >= w.allowed {
		if now < w.probeEnd {
			return false, w.probeEnd
		}
		// No word for long: a few more, in case that this reply takes its time.
		w.allowed, w.probeEnd = 2*w.allowed, now+probePatience
	}
	w.age(now)
	room := w.room(now)
	switch {
	case room <= 0 && w.mayAsk(room) && now >= w.nextAsk():
		return true, now
	case room <= w.kept(reserve):
		again = w.reset
		if room <= 0 && w.mayAsk(room) {
			again = min(again, w.nextAsk())
		}
		if w.head != nil {
			again = min(again, w.head.issued+travelTime)
		}
		if now < w.staleUntil && w.stale > 0 {
			again = min(again, w.staleUntil)
		}
		return false, again
	case room < w.few() && now < w.last+slowPause:
		return false, min(w.last+slowPause, w.reset)
	default:
		return true, now
	}
}

// room is how many requests may still go in the window.
func (w *window) room(now time.Duration) int {
	room := w.left - w.inFlight - max(w.slow-w.unaccounted(), 0) - w.older.count - w.newer.count
	if now < w.staleUntil {
		room -= w.stale
	}
	return room
}

// kept is what of a reserve is kept: at most half of the window, or else those who
// leave it to others would never go.
func (w *window) kept(reserve int) int { return max(min(reserve, w.limit/2), 0) }

// unaccounted is how many requests the service has counted that have not come
// back: those under way, or of strangers.
func (w *window) unaccounted() int {
	if !w.heard {
		return 0
	}
	return max(w.whole-w.left-w.accounted, 0)
}

// few is the number of requests left below which they keep apart.
func (w *window) few() int { return min(slowBelow, w.limit/10) }

// age looks for requests that are long on their way. The service may have
// counted them.
func (w *window) age(now time.Duration) {
	for w.head != nil && now-w.head.issued >= travelTime {
		t := w.head
		w.unlink(t)
		t.aged = true
		w.slow++
	}
}

// charge counts a request as used of which the service has not said what it
// left. at is when it surely was used.
func (w *window) charge(t *ticket, at time.Duration) {
	if w.heard && w.saidAt <= t.issued {
		w.left-- // nothing that was said can include it
		w.accounted++
		return
	}
	w.newer.add(t, at, w.saidTo)
}

// dispel ends the doubts that the reply to t ends.
func (w *window) dispel(t *ticket) {
	for range 2 {
		if w.older.count == 0 || t.issued >= w.older.latest {
			w.accounted += w.older.count
			w.older, w.newer = w.newer, doubts{}
		}
	}
}

// weak is how many doubts are weak, because the service has spoken to requests that
// left later, or has counted more than those that came back.
func (w *window) weak() int {
	doubtful := w.older.count + w.newer.count
	if !w.heard || doubtful == 0 {
		return 0
	}
	return max(w.older.weak(w.saidTo)+w.newer.weak(w.saidTo), min(w.unaccounted()-w.inFlight-w.slow, doubtful))
}

// mayAsk reports whether a request may go although nothing seems to remain: when
// that is due to weak doubts.
func (w *window) mayAsk(room int) bool {
	weak := w.weak()
	return weak > 0 && room+weak > 0
}

// nextAsk is when the next request may go that ends doubts. When none comes back
// with a word, they become rare.
func (w *window) nextAsk() time.Duration {
	return w.asked + probePatience<<min(max(w.asks-1, 0), mostDoublings)
}

func (w *window) unlink(t *ticket) {
	if t.prev == nil {
		w.head = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		w.tail = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
	w.inFlight--
}

// issue lets one request through; the first of a window opens it.
func (w *window) issue(now time.Duration) *ticket {
	if now >= w.reset {
		w.open(now)
	}
	t := &ticket{window: w, issued: now, generation: w.generation, prev: w.tail}
	if w.heard && w.room(now) <= 0 && now < w.reset {
		t.asks, w.asked = true, now
		w.asks++
	}
	if w.tail == nil {
		w.head = t
	} else {
		w.tail.next = t
	}
	w.tail = t
	w.inFlight++
	w.passed++
	w.last = now
	return t
}

// open begins a window of which nothing is known yet.
func (w *window) open(now time.Duration) {
	w.onTime = w.known && now-w.reset < 2*time.Second
	w.next(now)
	w.left, w.reset, w.opened = w.limit, now+w.length, now
	w.heard, w.known = false, false
	w.probing, w.allowed, w.passed, w.probeEnd = !w.unlimited, 1, 0, now+probePatience
}

// next leaves the requests of the window so far behind.
func (w *window) next(now time.Duration) {
	w.generation++
	w.stale, w.staleUntil = w.inFlight, now+travelTime
	w.head, w.tail, w.inFlight, w.slow = nil, nil, 0, 0
	w.floor, w.guessed, w.asked, w.asks = 0, false, now-probePatience, 0
	w.older, w.newer = doubts{}, doubts{}
}

// land takes t out of those under way, once. It reports whether t was one of this
// window.
func (w *window) land(t *ticket) (current bool) {
	if t.landed {
		return false
	}
	t.landed = true
	if t.generation != w.generation {
		if t.generation == w.generation-1 && !t.aged && w.stale > 0 {
			w.stale--
		}
		return false
	}
	if t.aged {
		w.slow--
	} else {
		w.unlink(t)
	}
	return true
}

func (w *window) rate() RateLimit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snapshot(w.now())
}

func (w *window) snapshot(now time.Duration) RateLimit {
	switch {
	case !w.heard || now >= w.reset:
		return RateLimit{}
	case w.unlimited:
		return RateLimit{Known: true, Limit: -1, Remaining: -1}
	default:
		return RateLimit{Known: true, Limit: w.limit, Remaining: max(w.room(now), 0), Reset: when(w.reset, now)}
	}
}

// forget takes the window out of use, if it is over and nobody uses it.
// Otherwise it says until when it will be in use at least.
func (w *window) forget() (until time.Duration, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	w.age(now)
	if now < w.reset || w.inFlight > 0 || w.queue.root != nil || w.waking {
		return w.reset, false
	}
	w.forgotten = true
	return now, true
}
