package ryze

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// askInTime calls what may not heed its context, and waits for its answer until
// the context ends. When the call has returned, it calls after in the same
// goroutine.
func askInTime(ctx context.Context, after func(), who string, call func(context.Context) error) error {
	answer := make(chan error, 1)
	go func() {
		defer after()
		var err error
		defer func() { answer <- err }() // also when the call ends the goroutine
		guarded(who, &err, func() error { return call(ctx) })
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-answer: // both
		return err
	default:
		return fmt.Errorf("%s did not answer: %w", who, ctx.Err())
	}
}

// askGranted asks for what is granted and must be given back, such as a claim or a
// lock. What is granted when nobody waits for it any more, is given back.
func askGranted[T any](
	ask func(call func(context.Context) error) error,
	get func(context.Context) (got T, granted bool, err error),
	giveBack func(T) error,
) (T, error) {
	var mu sync.Mutex
	var kept, none T
	has, over := false, false // over: nobody waits any more
	err := ask(func(ctx context.Context) error {
		got, granted, err := get(ctx)
		if !granted || err != nil {
			return err
		}
		mu.Lock()
		late := over
		if !late {
			kept, has = got, true
		}
		mu.Unlock()
		if late {
			return giveBack(got)
		}
		return nil
	})
	mu.Lock()
	over = true
	mu.Unlock()
	if err != nil && has { // both at the same moment
		return none, errors.Join(err, giveBack(kept))
	}
	return kept, err
}
