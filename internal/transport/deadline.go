package transport

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// deadlines ends the attempts of a client when their time is over. They share
// one timer, which is set only for an end that comes before its own: a timer for
// each attempt costs more, and would nearly always be stopped unused.
type deadlines struct {
	mu    sync.Mutex
	queue deadlineQueue
	next  time.Time // when the timer goes off, zero when none is set
}

// limitedContext is the context of one attempt. It ends with its parent, when it is
// left, and at its deadline. A context that a transport makes from it is cancelled
// then, and has [context.DeadlineExceeded] as its cause.
type limitedContext struct {
	context.Context //nolint:containedctx // it is one
	cancel          context.CancelCauseFunc
	deadline        time.Time
	place           int // in the queue, -1 when it is in none
}

// errOverdue is why a context ended at its deadline.
var errOverdue error = overdue{}

type overdue struct{}

func (overdue) Error() string   { return context.DeadlineExceeded.Error() }
func (overdue) Unwrap() error   { return context.DeadlineExceeded }
func (overdue) Timeout() bool   { return true }
func (overdue) Temporary() bool { return true }

// Deadline implements [context.Context].
func (l *limitedContext) Deadline() (time.Time, bool) { return l.deadline, true }

// Err implements [context.Context].
func (l *limitedContext) Err() error {
	err := l.Context.Err()
	if err != nil && context.Cause(l.Context) == errOverdue { //nolint:errorlint // this very value
		return context.DeadlineExceeded
	}
	return err
}

// enter makes l a child of parent that ends after limit at the latest, counted
// from now. It has to be left.
func (d *deadlines) enter(parent context.Context, l *limitedContext, now time.Time, limit time.Duration) {
	l.Context, l.cancel = context.WithCancelCause(parent)
	l.deadline, l.place = now.Add(limit), -1
	if earlier, ok := parent.Deadline(); ok && !l.deadline.Before(earlier) {
		l.deadline = earlier // the parent sees to it
		return
	}
	if limit < time.Millisecond && !l.deadline.After(time.Now()) {
		l.cancel(errOverdue) // over before it began
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	heap.Push(&d.queue, l)
	first := d.queue[0].deadline
	// An overdue timer may never come: its test with a clock of its own may be over.
	if d.next.IsZero() || first.Before(d.next) || d.next.Before(now) {
		d.set(first, first.Sub(now))
	}
}

// end ends l before its time.
func (l *limitedContext) end() { l.cancel(context.Canceled) }

// leave ends l. The timer stays: another attempt is likely to need it.
func (d *deadlines) leave(l *limitedContext) {
	l.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.place >= 0 {
		heap.Remove(&d.queue, l.place)
	}
}

// set sets the timer. One that was set before finds nothing to do.
func (d *deadlines) set(at time.Time, after time.Duration) {
	d.next = at
	time.AfterFunc(after, func() { d.expire(at) })
}

// expire ends the attempts whose time is over, and sets the timer for the next.
func (d *deadlines) expire(set time.Time) {
	var over []*limitedContext
	defer func() {
		for _, l := range over {
			l.cancel(errOverdue)
		}
	}()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !set.Equal(d.next) {
		return // another was set since
	}
	now := time.Now()
	for len(d.queue) > 0 && !d.queue[0].deadline.After(now) {
		over = append(over, heap.Pop(&d.queue).(*limitedContext)) //nolint:forcetypeassert // it holds nothing else
	}
	d.next = time.Time{}
	if len(d.queue) > 0 {
		first := d.queue[0].deadline
		d.set(first, first.Sub(now))
	}
}

// deadlineQueue is a heap, the earliest deadline first.
type deadlineQueue []*limitedContext

// Len implements [heap.Interface].
func (q deadlineQueue) Len() int { return len(q) }

// Less implements [heap.Interface].
func (q deadlineQueue) Less(i, j int) bool { return q[i].deadline.Before(q[j].deadline) }

// Swap implements [heap.Interface].
func (q deadlineQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push implements [heap.Interface].
func (q *deadlineQueue) Push(x any) {
	l := x.(*limitedContext) //nolint:forcetypeassert // see expire
	l.place = len(*q)
	*q = append(*q, l)
}

// Pop implements [heap.Interface].
func (q *deadlineQueue) Pop() any {
	last := len(*q) - 1
	l := (*q)[last]
	(*q)[last] = nil
	*q, l.place = (*q)[:last], -1
	return l
}
