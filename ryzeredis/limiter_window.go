package ryzeredis

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// sameWindow is by how much two words on the end of one window differ.
const sameWindow = time.Second

// window is what this process knows of a window, and holds of it. One goroutine at
// a time asks Redis, for all calls together.
type window struct {
	l    *Limiter
	key  ryze.LimiterKey
	name string

	mu       sync.Mutex
	gen      int64     // counts windows in Redis
	free     int       // leased and not used
	flying   int       // under way
	old      int       // under way since the window before
	used     time.Time // when it was used last
	leased   time.Time // when Redis was asked last that has answered
	asked    time.Time // when somebody wanted something last
	burst    int       // how many are leased ahead
	view     view
	waiters  []*waiter // in order
	pending  []learned // not told to Redis yet
	reported []chan struct{}
	number   uint64 // of the latest waiter

	estranged bool // Redis was away, and has not been told what this process holds
	spare     map[*ticket]struct{}

	busy      bool // Redis is being asked
	again     bool // and has to be asked again
	closed    bool
	forgotten bool
	timer     *time.Timer
	due       time.Time // when the timer fires, zero when it has
}

// view is the last answer of Redis.
type view struct {
	windowState
	reset, look time.Time
}

type waiter struct {
	number uint64
	req    ryze.LimiterRequest
	latest time.Time
	ready  chan struct{}
	placed chan struct{} // closed when Redis has answered and it has to wait
	asked  bool          // it is in the last question
	seen   bool
	ticket *ticket
	err    error
}

// take uses a request that is leased, if there is one that may be used.
func (w *window) take(reserve int) *ticket {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.free <= 0 || len(w.waiters) > 0 || w.closed || w.estranged {
		return nil
	}
	now := time.Now()
	if !now.Before(w.view.reset) || w.expired(now) || reserve > 0 && !w.view.Unlimited && w.view.Room < w.kept(reserve) {
		return nil
	}
	return w.issue(now)
}

// expired reports whether Redis may have given to others what this process has
// leased, by both clocks: one of them goes on while the machine is suspended.
func (w *window) expired(now time.Time) bool {
	const most = limiterLease - limiterLease/5
	return now.Sub(w.leased) >= most || now.Round(0).Sub(w.leased.Round(0)) >= most
}

// issue uses one request that is held.
func (w *window) issue(now time.Time) *ticket {
	w.free--
	w.flying++
	w.used = now
	return &ticket{w: w, gen: w.gen, issued: now}
}

func (w *window) kept(reserve int) int { return max(min(reserve, w.view.Limit/2), 0) }

// acquire waits for a request. The error is errSlow when Redis does not answer, and
// errForgotten when the limiter has another window for the key.
func (w *window) acquire(ctx context.Context, req ryze.LimiterRequest) (*ticket, error) {
	w.mu.Lock()
	switch {
	case w.forgotten:
		w.mu.Unlock()
		return nil, errForgotten
	case w.closed:
		w.mu.Unlock()
		return nil, errClosed
	}
	me := &waiter{
		req: req, latest: time.Now().Add(min(req.MaxWait, maxWait)),
		ready: make(chan struct{}), placed: make(chan struct{}),
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
	return w.await(ctx, me)
}

func (w *window) await(ctx context.Context, me *waiter) (*ticket, error) {
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
			if me.req.OnWait != nil {
				w.mu.Lock()
				expected := max(time.Until(w.view.reset), 0)
				w.mu.Unlock()
				me.req.OnWait(expected)
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
	return cmp.Or(cmp.Compare(b.req.Priority, a.req.Priority), a.req.Since.Compare(b.req.Since), cmp.Compare(a.number, b.number))
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

// serve gives what is free to those who have asked, and refuses those who cannot be
// served in time.
func (w *window) serve(asking uint64, now time.Time) {
	for w.free > 0 && len(w.waiters) > 0 && w.waiters[0].number <= asking {
		me := w.waiters[0]
		w.waiters = w.waiters[1:]
		me.ticket = w.issue(now)
		close(me.ready)
	}
	left, waits := w.waiters[:0:0], false // waits: somebody ahead does
	for ahead, me := range w.waiters {
		switch {
		case me.number > asking, // Redis has not heard of it
			me.req.MaxWait > 0 && len(w.pending) > 0,                   // what is still to be told may let it go
			me.req.MaxWait <= 0 && !waits && (!me.asked || w.free > 0): // the next question is for it
			w.again = true
		case me.req.MaxWait <= 0, now.After(me.latest), w.expected(ahead, me.req.Reserve, now).After(me.latest):
			me.err = &ryze.RateLimitError{RetryAt: w.retryAt(), RateLimit: w.snapshot()}
			close(me.ready)
			w.again = w.again || me.req.MaxWait > 0 // Redis believes that it waits
			continue
		case !me.seen:
			me.seen = true
			close(me.placed)
		}
		waits = waits || me.req.MaxWait > 0
		left = append(left, me)
	}
	w.waiters = left
}

// expected says when a waiter with so many ahead of it in this process can go.
// Nobody is refused on a guess.
func (w *window) expected(ahead, reserve int, now time.Time) time.Time {
	v := &w.view
	kept := w.kept(reserve)
	free := v.Likely - kept
	switch {
	case !v.Heard || v.Unlimited || ahead < free:
		return now
	case v.look.Before(v.reset):
		return v.look
	case !v.Told:
		return v.reset
	default:
		windows := (ahead - max(free, 0)) / max(v.Limit-kept, 1)
		return v.reset.Add(time.Duration(windows) * time.Duration(v.Length) * time.Millisecond)
	}
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
	switch v := &w.view; {
	case !v.Heard || !time.Now().Before(v.reset):
		return ryze.RateLimit{}
	case v.Unlimited:
		return ryze.RateLimit{Known: true, Limit: -1, Remaining: -1}
	default:
		return ryze.RateLimit{Known: true, Limit: v.Limit, Remaining: max(v.Room+w.free, 0), Reset: v.reset.UTC()}
	}
}

// fail ends all waits: the callers do without Redis. What was learned is kept.
func (w *window) fail(err error) {
	for _, me := range w.waiters {
		me.err = err
		close(me.ready)
	}
	w.waiters, w.free, w.estranged = nil, 0, true
	w.keep()
	w.answered()
}

// answered lets those go on who wait for an answer.
func (w *window) answered() {
	for _, c := range w.reported {
		close(c)
	}
	w.reported = nil
}

// forget takes the window out of use, if it is over and nobody uses it.
func (w *window) forget() bool {
	if !w.mu.TryLock() {
		return false
	}
	defer w.mu.Unlock()
	unused := !w.busy && len(w.waiters)+len(w.pending)+len(w.spare)+w.free+w.flying+w.old == 0
	if unused && time.Since(w.view.reset) > forgetAfter {
		w.forgotten = true
		w.disarm()
	}
	return w.forgotten
}

// close fails all waits. It reports whether Redis is to be told what the window
// held.
func (w *window) close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	leased := w.free > 0 || len(w.pending) > 0
	w.closed = true
	w.disarm()
	w.flying += len(w.pending) // nobody will say what they left
	w.fail(errClosed)
	w.pending = nil
	return leased
}

// giveBack tells Redis that only what is under way is held still.
func (w *window) giveBack(ctx context.Context) error {
	w.mu.Lock()
	q := &question{Gen: w.gen, Held: w.flying, Old: w.old}
	w.mu.Unlock()
	_, err := w.l.call(ctx, w, q)
	return err
}
