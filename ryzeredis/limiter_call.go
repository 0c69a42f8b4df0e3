package ryzeredis

import (
	"time"
)

// call runs the script, and waits no longer than the patience allows.
func (l *Limiter) call(name string, args ...any) ([]int64, error) {
	type reply struct {
		values []int64
		err    error
	}
	c := make(chan reply, 1)
	if !l.spawn(func() {
		values, err := l.script.Run(l.ctx, l.client, []string{name}, args...).Int64Slice()
		c <- reply{values, err}
	}) {
		return nil, errClosed
	}
	patience := time.NewTimer(l.config.patience)
	defer patience.Stop()
	select {
	case r := <-c:
		return r.values, r.err
	case <-patience.C:
		return nil, errSlow
	}
}
