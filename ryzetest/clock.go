package ryzetest

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// clock is the server's time: the time of the machine (or of the synctest
// bubble) plus an offset that Advance moves. Scheduled work runs on it, in the
// order of its due times.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
	jobs   jobHeap
	seq    uint64
	closed bool
	wake   chan struct{}

	// running is held while due jobs run, so that Advance and the loop do not
	// run them out of order. Jobs must not block.
	running sync.Mutex
}

type job struct {
	at    time.Time
	seq   uint64
	index int
	run   func()
}

func newClock() *clock {
	return &clock{wake: make(chan struct{}, 1)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nowLocked()
}

// ahead is how far Advance has moved the time.
func (c *clock) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

func (c *clock) nowLocked() time.Time { return time.Now().Add(c.offset) }

// after runs fn once d has passed on this clock. The returned function
// cancels it, if it has not run yet.
func (c *clock) after(d time.Duration, fn func()) (cancel func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return func() {}
	}
	c.seq++
	j := &job{at: c.nowLocked().Add(d), seq: c.seq, run: fn}
	heap.Push(&c.jobs, j)
	if j.index == 0 {
		c.poke()
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if j.index >= 0 {
			heap.Remove(&c.jobs, j.index)
		}
	}
}

// sleep waits for d on this clock, or for the context.
func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	done := make(chan struct{})
	cancel := c.after(d, func() { close(done) })
	defer cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// advance moves the clock forward by d. Every job that falls due on the way
// runs at its own due time, before advance returns.
func (c *clock) advance(d time.Duration) {
	if d <= 0 {
		return
	}
	c.running.Lock()
	defer c.running.Unlock()

	c.mu.Lock()
	final := c.offset + d
	target := c.nowLocked().Add(d)
	c.mu.Unlock()
	for {
		c.mu.Lock()
		if len(c.jobs) == 0 || c.jobs[0].at.After(target) {
			c.offset = max(c.offset, final)
			c.mu.Unlock()
			c.poke()
			return
		}
		j := heap.Pop(&c.jobs).(*job)
		if jump := j.at.Sub(c.nowLocked()); jump > 0 {
			c.offset += jump
		}
		c.mu.Unlock()
		j.run()
	}
}

// loop runs the jobs as they fall due, until the context ends.
func (c *clock) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(c.runDue())
		select {
		case <-ctx.Done():
			c.close()
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// runDue runs what is due and returns how long to wait for the next job.
func (c *clock) runDue() time.Duration {
	c.running.Lock()
	defer c.running.Unlock()
	for {
		c.mu.Lock()
		if len(c.jobs) == 0 {
			c.mu.Unlock()
			return 24 * time.Hour
		}
		if wait := c.jobs[0].at.Sub(c.nowLocked()); wait > 0 {
			c.mu.Unlock()
			return wait
		}
		j := heap.Pop(&c.jobs).(*job)
		c.mu.Unlock()
		j.run()
	}
}

func (c *clock) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, j := range c.jobs {
		j.index = -1
	}
	c.jobs = nil
}

func (c *clock) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

type jobHeap []*job

func (h jobHeap) Len() int { return len(h) }

func (h jobHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}

func (h jobHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *jobHeap) Push(x any) {
	j := x.(*job)
	j.index = len(*h)
	*h = append(*h, j)
}

func (h *jobHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	j.index = -1
	return j
}
