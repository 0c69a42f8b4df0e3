package ryze

import "context"

// Priority orders the calls that wait for quota of the same token: those of a
// higher priority go first. Calls of one priority go in the order in which they
// came. Values between and beyond the three constants may be used.
type Priority int

// The priorities that have a name. A call has PriorityNormal unless
// [WithPriority] says otherwise.
const (
	PriorityLow    Priority = -100 // what may wait, such as a broadcast
	PriorityNormal Priority = 0
	PriorityHigh   Priority = 100 // what somebody waits for, such as a one-time password
)

type priorityKey struct{}

// WithPriority returns a context whose calls wait for quota with priority p. It
// matters only while calls wait: low ones use the whole window when nobody
// else wants it.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// WithReserve keeps n requests of each window for calls of a higher priority than
// [PriorityNormal]; see [WithPriority]. The others wait for the next window as soon
// as no more than n remain, so that a one-time password never waits for it. What
// is kept and not needed is lost. At most half of a window is kept. The default is 0.
func WithReserve(n int) Option {
	return func(c *config) error {
		if n < 0 {
			return invalid("WithReserve", "is negative")
		}
		c.reserve = n
		return nil
	}
}

// reserveFor is what a call leaves in the window.
func (c *config) reserveFor(p Priority) int {
	if p > PriorityNormal {
		return 0
	}
	return c.reserve
}

func priorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return p
}
