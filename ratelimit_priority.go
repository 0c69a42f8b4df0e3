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

func priorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return p
}
