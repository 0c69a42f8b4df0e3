package ryze

import (
	"context"
	"time"
)

// WithWholeUntil begins the stream with a [*GapEvent] of the reason [GapTakeover],
// from a moment until the stream is open, as if the stream had lost its connection
// then. Give it [StreamStats].HandledUntil of the stream before, perhaps of another
// process: then the hole between the two is told. The zero time does nothing.
//
// The two processes may have different clocks. Take off what they may differ by.
func WithWholeUntil(t time.Time) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		c.wholeUntil = t.UTC()
		return nil
	})
}

// beginAfter puts the hole before the stream in front of everything.
func (s *Subscription) beginAfter(from, opened time.Time) {
	if from.IsZero() {
		return
	}
	if from.After(opened) {
		from = opened // by a clock that is ahead of this one
	}
	moment := int64(1)
	if from.Unix() > 0 {
		moment = from.UnixNano()
	}
	s.noteWhole(moment)
	gap := &GapEvent{From: from, To: opened, Reason: GapTakeover}
	_ = s.queue.push(s.gapEvent(gap), opened) // there is room for one
}

// aliveUntil is [StreamStats].AliveUntil in Unix nanoseconds, 0 before the first
// connection.
func (s *Subscription) aliveUntil() int64 {
	conn := s.conn.Load()
	if conn == nil {
		return 0
	}
	return conn.Whole().UnixNano()
}

// noteWhole notes until when the stream is handled at most while what is pushed
// from now on is not. It is called by the reader.
func (s *Subscription) noteWhole(moment int64) {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.queue.whole = moment
}

// handledUntil is [StreamStats].HandledUntil of a stream of which everything was
// received until a moment.
func (q *eventQueue) handledUntil(moment int64) int64 {
	if t := q.items.head; t != nil { // what came later has a later one
		moment = min(moment, t.whole)
	}
	if q.lost != nil {
		moment = min(moment, q.lostWhole)
	}
	if q.unhandled != 0 {
		moment = min(moment, q.unhandled)
	}
	for t := q.underWay.head; t != nil; t = t.links[linkQueue].next {
		moment = min(moment, t.whole)
	}
	return moment
}

// atNano reads Unix nanoseconds. 0 is the zero time.
func atNano(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}

// take takes the first event of all. It returns nil when the stream or ctx has
// ended. The queue's hasHandled must be called when it has been handled.
func (s *Subscription) take(ctx context.Context) *turn { return next(ctx, s, s.queue.takeFirst) }

// handled notes that what was taken is not under way any more.
func (q *eventQueue) handled(t *turn) {
	q.underWay.remove(t)
	if t.undone && (q.unhandled == 0 || t.whole < q.unhandled) {
		q.unhandled = t.whole
	}
}

// hasHandled is handled for who took by takeFirst.
func (q *eventQueue) hasHandled(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handled(t)
}

// handOver notes that somebody has taken an event from the channel of Events. He
// has handled the one before.
func (q *eventQueue) handOver(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.delivered != nil {
		q.handled(q.delivered)
	}
	q.delivered = t
}
