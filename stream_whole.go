package ryze

import "time"

// WithWholeUntil begins the stream with a [*GapEvent] of the reason [GapTakeover],
// from a moment until the stream is open, as if the stream had lost its connection
// then. Give it what [Subscription.WholeUntil] said of the stream before, perhaps
// in another process: then the hole between the two is told. The zero time does
// nothing.
//
// Two machines may have different clocks. Take off what they may differ by.
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

// WholeUntil returns a moment before which nothing was sent by the service that
// has not been handled, or told by a gap that has been handled. It is when the
// last ping was sent whose answer came after events that have all been handled
// since, so it follows the present by the interval of [WithPing].
//
// An event counts as handled when its handler has returned, also with an error
// that an error handler was told of; not when the end of its context cut it off,
// nor when its error ended [Subscription.Handle]. In a loop over All it is handled
// when the loop asks for the next. What is taken from Events is handled when the
// next is taken, and what [Inbox.Run] takes when its outcome is known.
//
// What was not handled holds the moment back for good. After the end of the
// stream it stays as it was. The clock is that of this machine.
func (s *Subscription) WholeUntil() time.Time {
	conn := s.conn.Load()
	if conn == nil {
		return time.Time{}
	}
	received := conn.Whole() // before the queue is looked at, which may get more meanwhile
	return time.Unix(0, s.queue.handledUntil(received.UnixNano())).UTC()
}
