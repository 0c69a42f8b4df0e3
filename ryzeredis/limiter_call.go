package ryzeredis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// impatient returns a client whose connections give up after d, where that can be
// had: a context alone does not end a read of go-redis.
func impatient(client redis.UniversalClient, d time.Duration) redis.UniversalClient {
	if c, ok := client.(*redis.Client); ok {
		return c.WithTimeout(d)
	}
	return client
}

// call runs the script, and waits no longer than the patience allows.
func (l *Limiter) call(name string, args ...any) ([]int64, error) {
	type reply struct {
		values []int64
		err    error
	}
	c := make(chan reply, 1)
	ctx, cancel := context.WithTimeout(l.ctx, l.config.patience)
	defer cancel()
	l.calls.Add(1)
	go func() {
		defer l.calls.Add(-1)
		values, err := l.script.Run(ctx, l.fast, []string{name}, args...).Int64Slice()
		c <- reply{values, err}
	}()
	select {
	case r := <-c:
		return r.values, r.err
	case <-ctx.Done():
		return nil, errSlow
	}
}
