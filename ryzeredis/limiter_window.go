package ryzeredis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// window is what this process knows of a window, and holds of it. One goroutine at
// a time asks Redis, for all calls together.
type window struct {
	l    *Limiter
	key  ryze.LimiterKey
	name string

	mu       sync.Mutex
	gen      int64
	free     int       // leased and not used
	flying   int       // under way
	old      int       // under way since the window before
	used     time.Time // when it was used last
	asked    time.Time
	burst    int
	view     view
	waiters  []*waiter // in order
	pending  []learned
	reported []chan struct{} // wait for the next answer
	number   uint64          // of the latest waiter
	busy     bool
	again    bool
	closed   bool
	timer    *time.Timer
	due      time.Time // when the timer fires, zero when it has
}

// view is the last answer of Redis.
type view struct {
	room, limit, waiting   int
	reset, look            time.Time
	length                 time.Duration
	heard, said, unlimited bool
}

// learned is what one reply told.
type learned struct {
	kind     string
	gen      int64
	rate     ryze.RateLimit
	issued   time.Time
	charged  int
	canceled int
}

type waiter struct {
	number uint64
	req    ryze.LimiterRequest
	since  time.Time
	latest time.Time
	ready  chan struct{}
	placed chan struct{} // closed when Redis has answered and it has to wait
	seen   bool
	ticket *ticket
	err    error
}

type ticket struct {
	w      *window
	gen    int64
	issued time.Time
	once   sync.Once
}

// issue uses one request that is held.
func (w *window) issue() *ticket {
	w.free--
	w.flying++
	w.used = time.Now()
	return &ticket{w: w, gen: w.gen, issued: w.used}
}

func (w *window) kept(reserve int) int { return max(min(reserve, w.view.limit/2), 0) }

func (w *window) acquire(ctx context.Context, req ryze.LimiterRequest) (*ticket, error) {
	w.mu.Lock()
	now := time.Now()
	if w.free > 0 && len(w.waiters) == 0 && now.Before(w.view.reset) && (req.Reserve <= 0 || w.view.room >= w.kept(req.Reserve)) {
		t := w.issue()
		w.mu.Unlock()
		return t, nil
	}
	me := &waiter{req: req, since: req.Since, latest: now.Add(min(req.MaxWait, maxWait)), ready: make(chan struct{}), placed: make(chan struct{})}
	if me.since.IsZero() {
		me.since = now
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(me.latest) {
		me.latest = deadline.Add(-1)
	}
	w.number++
	me.number = w.number
	at, _ := slices.BinarySearchFunc(w.waiters, me, inOrder)
	w.waiters = slices.Insert(w.waiters, at, me)
	w.start()
	w.mu.Unlock()

	patience := time.NewTimer(w.l.config.patience)
	defer patience.Stop()
	placed, slow := me.placed, patience.C
	for {
		select {
		case <-me.ready:
			if ctx.Err() != nil && me.ticket != nil {
				me.ticket.Cancel()
				return nil, w.refusal(ctx.Err())
			}
			return me.ticket, me.err
		case <-placed:
			placed, slow = nil, nil
			if req.OnWait != nil {
				w.mu.Lock()
				expected := max(time.Until(w.view.reset), 0)
				w.mu.Unlock()
				req.OnWait(expected)
			}
		case <-slow:
			if w.leave(me) {
				w.l.away(errSlow, w)
				return nil, errSlow
			}
			slow = nil
		case <-ctx.Done():
			if w.leave(me) {
				return nil, w.refusal(ctx.Err())
			}
			<-me.ready
		}
	}
}

// inOrder is the order in which waiters are served.
func inOrder(a, b *waiter) int {
	return cmp.Or(cmp.Compare(b.req.Priority, a.req.Priority), a.since.Compare(b.since), cmp.Compare(a.number, b.number))
}

// leave takes me out of the queue; false when its wait is over already.
func (w *window) leave(me *waiter) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, found := slices.BinarySearchFunc(w.waiters, me, inOrder)
	if !found {
		return false
	}
	w.waiters = slices.Delete(w.waiters, i, i+1)
	w.start() // others need not wait for it
	return true
}

func (w *window) refusal(cause error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &ryze.RateLimitError{RetryAt: w.retryAt(), RateLimit: w.snapshot(), Err: cause}
}

func (w *window) retryAt() time.Time {
	if now := time.Now(); w.view.reset.Before(now) {
		return now.UTC()
	}
	return w.view.reset.UTC()
}

func (w *window) rate() ryze.RateLimit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snapshot()
}

func (w *window) snapshot() ryze.RateLimit {
	switch v := w.view; {
	case !v.heard || !time.Now().Before(v.reset):
		return ryze.RateLimit{}
	case v.unlimited:
		return ryze.RateLimit{Known: true, Limit: -1, Remaining: -1}
	default:
		return ryze.RateLimit{Known: true, Limit: v.limit, Remaining: max(v.room+w.free, 0), Reset: v.reset.UTC()}
	}
}

func (t *ticket) Done(rate ryze.RateLimit) {
	e := learned{kind: "d", gen: t.gen, rate: rate, issued: t.issued}
	if !rate.Known {
		e.charged = 1
	}
	t.end(e, false)
}

func (t *ticket) Refused(rate ryze.RateLimit) {
	t.end(learned{kind: "r", gen: t.gen, rate: rate, issued: t.issued}, true)
}

func (t *ticket) Cancel() { t.end(learned{gen: t.gen, canceled: 1, issued: t.issued}, true) }

func (t *ticket) end(e learned, now bool) {
	t.once.Do(func() {
		w := t.w
		w.mu.Lock()
		switch t.gen {
		case w.gen:
			w.flying = max(w.flying-1, 0)
		case w.gen - 1:
			w.old = max(w.old-1, 0)
		}
		// Only what is no news may wait a little.
		v := w.view
		now = now || !e.rate.Known || !v.heard || v.room < 10 || v.waiting > 0 || e.rate.Remaining < v.room || e.gen != w.gen
		w.mu.Unlock()
		w.report(&e, now)
	})
}

// report passes on what was learned, and waits for the answer if it has to be
// known to all now.
func (w *window) report(e *learned, now bool) {
	var answered chan struct{}
	w.mu.Lock()
	if e != nil {
		w.pending = append(w.pending, *e)
	}
	if now {
		answered = make(chan struct{})
		w.reported = append(w.reported, answered)
		w.start()
	} else {
		w.arm(flushAfter)
	}
	w.mu.Unlock()
	if answered != nil {
		patience := time.NewTimer(w.l.config.patience)
		defer patience.Stop()
		select {
		case <-answered:
		case <-patience.C:
		}
	}
}

func (w *window) kick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start()
}

// start has Redis asked, now or after the question that is under way.
func (w *window) start() {
	if w.busy {
		w.again = true
		return
	}
	w.busy = true
	if err := w.l.ask(w.run); err != nil {
		w.busy = false
		w.fail(err)
	}
}

// arm has Redis asked in d at the latest.
func (w *window) arm(d time.Duration) {
	due := time.Now().Add(d)
	if w.closed || !w.due.IsZero() && !due.Before(w.due) {
		return
	}
	w.disarm()
	w.due = due
	w.timer = time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.due.Equal(due) {
			w.due = time.Time{}
			w.start()
		}
	})
}

func (w *window) disarm() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.due = time.Time{}
}

func (w *window) run() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		w.again = false
		if err := w.ask(); err != nil {
			w.busy = false
			w.fail(errSlow)
			w.l.away(err, w)
			return
		}
		if !w.again && len(w.pending) == 0 {
			break
		}
	}
	w.busy = false
	w.disarm()
	switch now := time.Now(); {
	case len(w.waiters) > 0:
		wait := min(w.view.look.Sub(now), heartbeat)
		if !w.l.heard.Load() {
			wait = min(wait, flushAfter) // nobody wakes this process yet
		}
		for _, me := range w.waiters {
			wait = min(wait, me.latest.Sub(now)+1)
		}
		w.arm(max(wait, time.Millisecond))
	case w.free > 0:
		w.arm(idleAfter)
	case w.flying+w.old > 0:
		w.arm(heartbeat)
	}
}

// fail ends all waits; the callers do without Redis.
func (w *window) fail(err error) {
	for _, me := range w.waiters {
		me.err = err
		close(me.ready)
	}
	w.waiters, w.pending, w.free = nil, nil, 0
	w.answer()
}

func (w *window) answer() {
	for _, c := range w.reported {
		close(c)
	}
	w.reported = nil
}

// ask puts one question to Redis, with w.mu given up meanwhile.
func (w *window) ask() error {
	now := time.Now()
	if !now.Before(w.view.reset) || w.free > 0 && len(w.waiters) == 0 && now.Sub(w.used) >= idleAfter {
		w.free = 0
	}
	var e learned
	if len(w.pending) > 0 {
		e = w.pending[0]
		w.pending = w.pending[1:]
		for len(w.pending) > 0 && e.kind == "d" && e.rate.Known && w.pending[0].kind == "d" && w.pending[0].rate.Known && w.pending[0].gen == e.gen && !e.rate.Unlimited() && !w.pending[0].rate.Unlimited() {
			next := w.pending[0]
			next.rate.Remaining = min(next.rate.Remaining, e.rate.Remaining)
			if next.issued.Before(e.issued) {
				next.issued = e.issued
			}
			e, w.pending = next, w.pending[1:]
		}
	}
	remaining, resetIn := -2, int64(-1_000_000)
	if e.rate.Known {
		remaining = e.rate.Remaining
		if e.rate.Unlimited() {
			remaining = -1
		}
	}
	if !e.rate.Reset.IsZero() {
		resetIn = int64(math.Ceil(float64(time.Until(e.rate.Reset)) / 1e6))
	}
	since := time.Duration(0)
	want, prio, reserve, same := len(w.waiters), 0, 0, 0
	if want > 0 {
		first := w.waiters[0]
		prio, reserve, since = int(first.req.Priority), first.req.Reserve, now.Sub(first.since)
		for same < want && w.waiters[same].req.Priority == first.req.Priority && w.waiters[same].req.Reserve == reserve {
			same++
		}
		want = same
		if now.Sub(w.asked) < idleAfter {
			w.burst = min(2*w.burst+1, mostExtra)
		} else {
			w.burst = 0
		}
		w.asked = now
	}
	asking, staying := w.number, 0
	for _, me := range w.waiters[:same] {
		if me.req.MaxWait > 0 {
			staying++ // the others are refused by the answer if they are not served
		}
	}
	reported := w.reported
	w.reported = nil
	held, old, gen := w.flying, w.old, w.gen
	for _, e := range w.pending { // back, and not told yet
		switch {
		case e.canceled > 0:
		case e.gen == gen:
			held++
		case e.gen == gen-1:
			old++
		}
	}
	if want == 0 {
		held += w.free
	} else {
		w.free = 0 // asked for anew
	}
	extra := w.burst
	if reserve > 0 {
		extra = 0
	}
	w.mu.Unlock()
	values, err := w.l.call(w.name, w.l.id, gen, held, old, lease.Milliseconds(), want, extra, prio, since.Milliseconds(), staying, reserve,
		e.kind, e.gen, remaining, e.rate.Limit, resetIn, now.Sub(e.issued).Milliseconds()*min(int64(len(e.kind)+e.canceled), 1),
		e.charged, now.Sub(e.issued).Milliseconds()*int64(e.charged), e.canceled, max(w.key.Class.Limit(), 1), w.l.channel())
	w.mu.Lock()
	w.reported = append(reported, w.reported...)
	if err != nil {
		return err
	}
	w.learn(values, asking)
	w.answer()
	return nil
}

// learn takes in an answer, and serves who has asked.
func (w *window) learn(v []int64, asking uint64) {
	now := time.Now()
	if v[1] != w.gen {
		if v[1] != w.gen+1 {
			w.flying = 0 // of a window before that, or of a Redis that has forgotten it
		}
		w.old, w.flying, w.free, w.gen = w.flying, 0, 0, v[1]
	}
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	w.free += int(v[0])
	w.view = view{
		room: int(v[2]), reset: now.Add(ms(v[3])), look: now.Add(ms(v[4])), heard: v[5] == 1, limit: int(v[6]),
		said: v[7] == 1, unlimited: v[8] == 1, waiting: int(v[9]), length: ms(v[10]),
	}
	for w.free > 0 && len(w.waiters) > 0 {
		me := w.waiters[0]
		if me.number > asking {
			break
		}
		w.waiters = w.waiters[1:]
		me.ticket = w.issue()
		close(me.ready)
	}
	left := w.waiters[:0:0]
	for i, me := range w.waiters {
		if me.number > asking {
			w.again = true
			left = append(left, me)
			continue
		}
		expected := now
		if w.view.heard && w.view.room <= w.kept(me.req.Reserve) {
			expected = w.view.reset.Add(time.Duration(i/max(w.view.limit-w.kept(me.req.Reserve), 1)) * w.view.length)
			if w.view.look.Before(w.view.reset) {
				expected = w.view.look
			}
		}
		if me.req.MaxWait <= 0 || expected.After(me.latest) || now.After(me.latest) {
			me.err = &ryze.RateLimitError{RetryAt: w.retryAt(), RateLimit: w.snapshot()}
			close(me.ready)
			w.again = w.again || me.req.MaxWait > 0 // Redis believes that it waits
			continue
		}
		if !me.seen {
			me.seen = true
			close(me.placed)
		}
		left = append(left, me)
	}
	w.waiters = left
	if w.free > 0 && len(left) == 0 && w.view.waiting > 0 {
		w.free, w.again = 0, true // others need it
	}
}

// over reports whether the window can be forgotten.
func (w *window) over() bool {
	if !w.mu.TryLock() {
		return false
	}
	defer w.mu.Unlock()
	return !w.busy && len(w.waiters) == 0 && w.free+w.flying+w.old == 0 && time.Since(w.view.reset) > forgetAfter
}

// close fails all waits, and gives back what is leased and not used.
func (w *window) close(reachable bool) {
	w.mu.Lock()
	w.closed = true
	w.disarm()
	leased := w.free > 0 || len(w.pending) > 0
	w.flying += len(w.pending) // nobody will say what they left
	w.fail(errClosed)
	held, old, gen, tell := w.flying, w.old, w.gen, leased && reachable
	w.mu.Unlock()
	if tell {
		_, _ = w.l.state(w, w.l.id, gen, held, old)
	}
}

// state tells Redis what a process holds, and nothing else.
func (l *Limiter) state(w *window, id string, gen int64, held, old int) ([]int64, error) {
	return l.call(w.name, id, gen, held, old, lease.Milliseconds(), 0, 0, 0, 0, 0, 0,
		"", gen, -2, 0, -1_000_000, 0, 0, 0, 0, max(w.key.Class.Limit(), 1), l.channel())
}
