package ryze

import (
	"fmt"
	"sync"
	"time"
)

// OverflowError ends a stream with [FailWhenFull] whose queue was full.
type OverflowError struct {
	Events int // in the queue
	Bytes  int // of their JSON
}

// Error gives the size of the queue.
func (e *OverflowError) Error() string {
	return fmt.Sprintf("the queue is full: %d events, %d bytes, have not been taken", e.Events, e.Bytes)
}

// queuedEvent is an event that waits to be taken.
type queuedEvent struct {
	event *Event
	size  int
	at    int64 // when it came, in Unix nanoseconds
}

// eventQueue is the bounded queue between the reader and the application. It
// takes no memory while it is empty.
type eventQueue struct {
	instance  string
	maxEvents int
	maxBytes  int
	overflow  Overflow
	ready     chan struct{} // has a token when there may be something to take

	mu    sync.Mutex
	items []queuedEvent
	head  int
	bytes int
	over  time.Time // since when it has been over its bounds, if it may be
	ended bool
	// lost is the gap in front of the first item, left by what was dropped.
	lost *GapEvent

	received, dropped uint64
	last              time.Time // when the last event came
}

func newEventQueue(instance string, c *streamConfig) eventQueue {
	return eventQueue{
		instance: instance, maxEvents: c.bufferEvents, maxBytes: c.bufferBytes,
		overflow: c.overflow, ready: make(chan struct{}, 1),
	}
}

// emptyCapacity is how much of its room an empty queue keeps.
const emptyCapacity = 32

func (q *eventQueue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// push adds an event at the end. It fails, with an [*OverflowError], only under
// [FailWhenFull].
func (q *eventQueue) push(e *Event, now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := len(e.Raw)
	times := q.allowance(size, now)
	for !q.fits(size, times) {
		if q.overflow.fail {
			return &OverflowError{Events: len(q.items) - q.head, Bytes: q.bytes}
		}
		q.dropFirst()
	}
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, queuedEvent{e, size, now.UnixNano()})
	q.bytes += size
	if e.Type != EventGap {
		q.received++
		q.last = now
	}
	q.signal()
	return nil
}

// allowance returns how many times its bounds the queue may hold.
func (q *eventQueue) allowance(size int, now time.Time) int {
	if q.overflow.wait == 0 || q.fits(size, 1) {
		return 1
	}
	if q.over.IsZero() {
		q.over = now
	}
	if now.Sub(q.over) > q.overflow.wait {
		return 1
	}
	return 2
}

func (q *eventQueue) fits(size, times int) bool {
	n := len(q.items) - q.head
	return n == 0 || n < q.maxEvents*times && q.bytes+size <= q.maxBytes*times
}

// dropFirst drops the first item and widens the gap in front of the queue by it.
func (q *eventQueue) dropFirst() {
	first := q.removeAt(q.head)
	if gap, ok := first.event.Data.(*GapEvent); ok {
		if q.lost == nil {
			lost := *gap
			q.lost = &lost
			return
		}
		q.lost.To = gap.To
		q.lost.Cause = gap.Cause
		return
	}
	q.dropped++
	at := time.Unix(0, first.at).UTC()
	if q.lost == nil {
		q.lost = &GapEvent{From: at}
	}
	q.lost.To = at
	q.lost.Reason = GapOverflow
	q.lost.Dropped++
}

func (q *eventQueue) removeAt(i int) queuedEvent {
	item := q.items[i]
	copy(q.items[q.head+1:i+1], q.items[q.head:i])
	q.items[q.head] = queuedEvent{}
	q.head++
	q.bytes -= item.size
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > emptyCapacity {
			q.items = nil
		}
	}
	return item
}

// verdict is what a consumer says about an event of the queue.
type verdict int

const (
	take verdict = iota // this one
	skip                // leave it, look at the next
	stop                // leave it and all behind it
)

// take removes the first event that choose says to take; nil takes the first
// of all. first is true for the event at the front. It returns nil when there
// is none, and over when there never will be.
func (q *eventQueue) take(choose func(e *Event, first bool) verdict) (e *Event, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lost != nil {
		gap := &Event{Type: EventGap, Instance: q.instance, Data: q.lost}
		if choose == nil || choose(gap, true) == take {
			q.lost = nil
			q.signal()
			return gap, false
		}
		return nil, false
	}
	for i := q.head; i < len(q.items); i++ {
		what := take
		if choose != nil {
			what = choose(q.items[i].event, i == q.head)
		}
		if what == stop {
			break
		}
		if what == take {
			item := q.removeAt(i)
			if q.fits(0, 1) {
				q.over = time.Time{}
			}
			if q.head < len(q.items) {
				q.signal() // another consumer may be waiting
			}
			return item.event, false
		}
	}
	if over = q.ended && len(q.items) == q.head; over {
		q.signal() // for the next consumer that waits
	}
	return nil, over
}

// end lets the queue run dry.
func (q *eventQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
}
