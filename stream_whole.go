package ryze

import "time"

// WithWholeUntil begins the stream with a [*GapEvent] from a moment until the
// stream is open. Give it what [Subscription.WholeUntil] said of the stream
// before, perhaps in another process: then the hole between the two is told.
func WithWholeUntil(t time.Time) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if t.IsZero() {
			return invalid("WithWholeUntil", "is the zero time")
		}
		c.wholeUntil = t.UTC()
		return nil
	})
}

// WholeUntil returns a moment before which nothing was sent by the service that
// has not been handled, or told by a gap that has been handled. It is when the
// last ping was sent whose answer came after events that have all been handled
// since, so it follows the present by the interval of [WithPing].
//
// It is about a stream whose events are taken by Handle. An event counts as handled
// when its handler has returned, whatever it returned; what is taken by Events or All
// counts as handled at once. After the end of the stream it stays as it was. The
// clock is that of this machine.
func (s *Subscription) WholeUntil() time.Time {
	var moment int64
	if conn := s.conn.Load(); conn != nil { // before the queue, which may get more meanwhile
		moment = conn.Whole().UnixNano()
	}
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.items.head; t != nil {
		moment = min(moment, t.whole)
	}
	if q.lost != nil {
		moment = min(moment, q.lostWhole)
	}
	for t := range q.underWay {
		moment = min(moment, t.whole)
	}
	if moment <= 0 {
		return time.Time{}
	}
	return time.Unix(0, moment).UTC()
}
