package ryze

import (
	"math"
	"math/rand/v2"
	"time"
)

// waiter is a call that waits for quota, and at the same time a node of the
// queue that it waits in.
type waiter struct {
	ready   chan struct{} // closed when the wait is over
	woken   bool          // ready is closed
	ticket  *ticket       // once it may go
	retryAt time.Duration // else when it could have gone, too late for it

	priority Priority
	reserve  int // requests that it leaves to others
	since    time.Duration
	number   uint64 // of the waiters, as they came
	latest   time.Duration

	heap        uint32 // random, keeps the tree in balance
	size        int    // nodes of this subtree
	earliest    time.Duration
	most        int // the largest reserve
	left, right *waiter
}

// served reports whether the wait is over.
func (n *waiter) served() bool {
	select {
	case <-n.ready:
		return true
	default:
		return false
	}
}

// before is the order in which waiters are served.
func (n *waiter) before(other *waiter) bool {
	switch {
	case n.priority != other.priority:
		return n.priority > other.priority
	case n.since != other.since:
		return n.since < other.since
	default:
		return n.number < other.number
	}
}

// waiters is a queue of waiters: a treap, in which every subtree knows its size,
// the earliest of its limits and the largest of its reserves. Every operation costs the logarithm of what
// waits.
type waiters struct {
	root   *waiter
	number uint64
}

func (q *waiters) len() int { return q.root.count() }

// enlist gives n its place among those who came at the same time.
func (q *waiters) enlist(n *waiter) {
	q.number++
	n.number, n.heap = q.number, rand.Uint32()
}

// ahead counts those who are served before n, which need not be in the queue.
func (q *waiters) ahead(n *waiter) (count int) {
	for at := q.root; at != nil; {
		if at.before(n) {
			count += at.left.count() + 1
			at = at.right
		} else {
			at = at.left
		}
	}
	return count
}

func (q *waiters) insert(n *waiter) { q.root = q.root.insert(n) }
func (q *waiters) remove(n *waiter) { q.root = q.root.remove(n) }

// first is the one whose turn it is.
func (q *waiters) first() *waiter {
	first := q.root
	for first.left != nil {
		first = first.left
	}
	return first
}

// pop takes out the one whose turn it is.
func (q *waiters) pop() *waiter {
	first := q.first()
	q.remove(first)
	return first
}

// late finds a waiter who cannot be served in time, when expected says when the
// waiter with so many others ahead of it will be. The times it gives must not
// fall with the place in the queue, nor with the reserve.
func (q *waiters) late(expected func(ahead, reserve int) time.Duration) *waiter {
	return q.root.late(0, expected)
}

func (n *waiter) count() int {
	if n == nil {
		return 0
	}
	return n.size
}

func (n *waiter) limit() time.Duration {
	if n == nil {
		return math.MaxInt64
	}
	return n.earliest
}

func (n *waiter) largest() int {
	if n == nil {
		return 0
	}
	return n.most
}

func (n *waiter) update() {
	n.most = max(n.reserve, n.left.largest(), n.right.largest())
	n.size = n.left.count() + n.right.count() + 1
	n.earliest = min(n.latest, n.left.limit(), n.right.limit())
}

func (n *waiter) insert(x *waiter) *waiter {
	switch {
	case n == nil:
		x.left, x.right = nil, nil
		x.update()
		return x
	case x.heap > n.heap:
		x.left, x.right = n.split(x)
		x.update()
		return x
	case x.before(n):
		n.left = n.left.insert(x)
	default:
		n.right = n.right.insert(x)
	}
	n.update()
	return n
}

// split parts the subtree into what comes before x and what comes after.
func (n *waiter) split(x *waiter) (before, after *waiter) {
	if n == nil {
		return nil, nil
	}
	if n.before(x) {
		n.right, after = n.right.split(x)
		n.update()
		return n, after
	}
	before, n.left = n.left.split(x)
	n.update()
	return before, n
}

func (n *waiter) remove(x *waiter) *waiter {
	switch {
	case n == nil:
		return nil
	case n == x:
		return n.left.join(n.right)
	case x.before(n):
		n.left = n.left.remove(x)
	default:
		n.right = n.right.remove(x)
	}
	n.update()
	return n
}

// join is the inverse of split.
func (n *waiter) join(after *waiter) *waiter {
	switch {
	case n == nil:
		return after
	case after == nil:
		return n
	case n.heap > after.heap:
		n.right = n.right.join(after)
		n.update()
		return n
	default:
		after.left = n.join(after.left)
		after.update()
		return after
	}
}

// late looks only into subtrees whose last place comes too late for somebody in
// them. Where all places come at the same time there is somebody, so the search
// goes astray at most once for every step of expected.
func (n *waiter) late(ahead int, expected func(ahead, reserve int) time.Duration) *waiter {
	if n == nil || expected(ahead+n.size-1, n.most) <= n.earliest {
		return nil
	}
	if found := n.left.late(ahead, expected); found != nil {
		return found
	}
	ahead += n.left.count()
	if expected(ahead, n.reserve) > n.latest {
		return n
	}
	return n.right.late(ahead+1, expected)
}

// serve wakes the next waiter if it may go, or cannot be served in time. It
// wakes only one: who wakes calls serve again, so that no caller has to
// wake them all.
func (w *window) serve(now time.Duration) {
	if w.waking {
		return
	}
	if w.queue.root == nil {
		if w.timer != nil {
			w.timer.Stop()
			w.timer = nil
		}
		return
	}
	if w.dirty {
		soonest := func(ahead, reserve int) time.Duration { return w.soonest(ahead, reserve, now) }
		if late := w.queue.late(soonest); late != nil {
			late.retryAt = w.expected(w.queue.ahead(late), late.reserve, now)
			w.queue.remove(late)
			w.wake(late)
			return
		}
		w.dirty = false
	}
	ok, again := w.ready(now, w.queue.first().reserve)
	if !ok {
		if limit := w.queue.root.limit(); limit < again {
			again = limit + 1 // somebody's time is over then
		}
		w.arm(again, now)
		return
	}
	first := w.queue.pop()
	first.ticket = w.issue(now)
	w.wake(first)
}

func (w *window) wake(n *waiter) {
	n.woken, w.waking = true, true
	close(n.ready)
}

// arm sets the timer that looks after the queue when nobody else does.
func (w *window) arm(at, now time.Duration) {
	switch {
	case w.timer == nil:
		w.timer = time.AfterFunc(at-now, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.timerAt = 0
			w.dirty = true // time has passed
			w.serve(w.now())
		})
	case w.timerAt == at:
		return
	default:
		w.timer.Reset(at - now)
	}
	w.timerAt = at
}
