package ryze

import "time"

const (
	// clockDoubt is how far clocks may differ without anything that tells: those
	// of several servers, and of what stamps the messages.
	clockDoubt = 2 * time.Minute
	// onItsWay is how long a message may take to the history.
	onItsWay = time.Minute
	// longestWay is how long after the attempt a message is stamped that comes of
	// it for certain.
	longestWay = 3 * time.Minute
	// smallestStep is more than two readings of the clock are apart.
	smallestStep = 100 * time.Millisecond
)

// allBegan is before all messages: an earlier time is none, such as the zero
// time of a system.
var allBegan = time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)

// clocks is what is known of the service's clocks: how far they may be behind
// ours, how far ahead, and from when on a stamp is surely not before the attempt.
type clocks struct {
	behind, ahead, surely time.Duration
	known                 bool // anything has told
}

// clocks weighs the Date of replies, the stamps of messages that were accepted,
// and the steps of our own clock. None corrects the others: they only widen what
// is possible. A clock that seems to be behind moves the begin only when the
// stamps themselves say so, because a Date may be another machine's.
func (w *settling) clocks() clocks {
	var c clocks
	stamps := w.h.client.accepted.stamps()
	lowest, low, high, stamped := stamps.span()
	c.known = stamped || w.alive
	if stamped {
		c.behind, c.ahead = min(lowest, 0), max(low, 0)
		if c.surely = c.ahead; high < 0 {
			c.surely = high
		}
	}
	if dates, known := w.h.client.skew.estimate(); known {
		c.known = true
		c.behind = min(c.behind, dates.low)
		c.ahead = max(c.ahead, dates.high)
		c.surely = max(c.surely, dates.high)
	}
	now := time.Now()
	if step := now.Round(0).Sub(w.outcome.SentAt.Round(0)) - now.Sub(w.outcome.SentAt); step.Abs() > smallestStep {
		c.behind += min(step, 0) // our clock was set since
		c.surely += max(step, 0)
	}
	return c
}

// earliest is the first time that the message can bear, whichever clock it is
// of. Whole seconds, as the service's times may be.
func (w *settling) earliest() time.Time {
	sent := w.outcome.SentAt
	if sent.IsZero() {
		return time.Time{}
	}
	if now := time.Now(); now.Before(sent) { // our clock was set back, at least so far
		sent = now.Add(now.Sub(sent))
	}
	return sent.Round(0).Add(w.clocks().behind - clockDoubt).Truncate(time.Second)
}

// byTime says how well a time fits. One that cannot be read leaves a doubt.
func (w *settling) byTime(t time.Time) confidence {
	sent := w.outcome.SentAt.Round(0)
	if sent.IsZero() || t.Before(allBegan) {
		return doubtful
	}
	c := w.clocks()
	way := longestWay + w.limit + w.wholeDelay()
	if w.recorded {
		way += defaultRateLimitWait // the send came after the record
	}
	switch {
	case t.Before(w.earliest()):
		return unfit
	case t.Before(sent.Add(c.surely).Truncate(time.Second)), t.After(sent.Add(c.ahead + way)),
		t.After(time.Now().Add(c.ahead + clockDoubt)):
		return doubtful
	default:
		return certain
	}
}

// wholeDelay is the delay as it travels.
func (w *settling) wholeDelay() time.Duration {
	return roundedUp(w.delay)
}

// isOver reports whether the message is no longer on its way, if it ever was.
func (w *settling) isOver() bool {
	sent := w.outcome.SentAt
	return !sent.IsZero() && time.Since(sent) >= w.wholeDelay()+onItsWay
}
