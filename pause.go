package ryze

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// sleep waits, unless the context ends before.
func sleep(ctx context.Context, d time.Duration) error { return sleepUntil(ctx, d, nil) }

// sleepUntil is sleep that something can end before its time.
func sleepUntil(ctx context.Context, d time.Duration, woken <-chan struct{}) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-woken:
	case <-timer.C:
	}
	return nil
}

// fullJitter draws a pause between nothing and a bound, which is the shortest,
// doubled so many times, but at most the longest.
func fullJitter(shortest, longest time.Duration, doublings int) time.Duration {
	bound := longest
	if longest>>doublings >= shortest { // else the doubling would go beyond it
		bound = shortest << doublings
	}
	return rand.N(min(bound, math.MaxInt64-1) + 1)
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
