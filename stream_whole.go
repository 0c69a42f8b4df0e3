package ryze

import "time"

// WithWholeUntil begins the stream with a [*GapEvent] ([GapTakeover]) from t
// until the stream is open. Give it [Subscription.WholeUntil] of the stream
// before, also of another process. Subtract the difference of the machines'
// clocks. The zero time does nothing.
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
	s.queue.setWhole(from)
	gap := &GapEvent{From: from, To: opened, Reason: GapTakeover}
	_ = s.queue.push(s.gapEvent(gap), opened) // there is room for one
}

// WholeUntil returns a moment up to which all events sent were handled, or told
// by a handled gap. It follows the present by the interval of [WithPing].
//
// An event is handled when its handler returns, or a loop asks for the next
// one. An error that ends [Subscription.Handle] holds the moment back for good.
// The clock is this machine's. See docs/service-notes.md.
func (s *Subscription) WholeUntil() time.Time {
	conn := s.conn.Load()
	if conn == nil {
		return time.Time{}
	}
	received := conn.Whole() // before the queue is looked at, which may get more meanwhile
	return time.Unix(0, s.queue.handledUntil(received.UnixNano())).UTC()
}
