package ryze

import "context"

// Priority orders the calls that wait for one token's quota. The higher goes
// first, then the earlier. Other values than the constants work too.
type Priority int

// Named priorities. Without [WithPriority] a call has PriorityNormal.
const (
	PriorityLow    Priority = -100 // what may wait, such as a broadcast
	PriorityNormal Priority = 0
	PriorityHigh   Priority = 100 // what somebody waits for, such as a one-time password
)

type priorityKey struct{}

// WithPriority returns a context whose calls wait with priority p. It matters
// only while calls wait for quota.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

func priorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return p
}
