package transport

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func (d *deadlines) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue)
}

func TestEachAttemptEndsAtItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadlines
		began := time.Now()
		limits := []time.Duration{30 * time.Second, 75 * time.Second, 15 * time.Second, 15*time.Second + 1, 120 * time.Second, time.Millisecond}
		var all sync.WaitGroup
		for i, limit := range limits {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				l := new(limitedContext)
				d.enter(t.Context(), l, time.Now(), limit)
				defer d.leave(l)
				child, cancel := context.WithCancel(l)
				defer cancel()
				assert.NoError(t, l.Err())
				<-child.Done()
				assert.Equal(t, time.Duration(i)*time.Second+limit, time.Since(began))
				assert.Equal(t, context.DeadlineExceeded, l.Err(), "as that of a context of package context")
				assert.ErrorIs(t, context.Cause(child), context.DeadlineExceeded)
				var timeout interface{ Timeout() bool }
				assert.True(t, errors.As(context.Cause(child), &timeout) && timeout.Timeout())
			})
		}
		all.Wait()
		assert.Zero(t, d.waiting())
		assert.Zero(t, d.next, "no timer is left")
	})
}

func TestAttemptThatIsLeftHasNotTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadlines
		var left [3]limitedContext
		for i := range left {
			d.enter(t.Context(), &left[i], time.Now(), time.Duration(i+1)*time.Second)
		}
		d.leave(&left[0])
		d.leave(&left[2])
		d.leave(&left[2]) // as a deferred call may
		assert.Equal(t, 1, d.waiting())
		time.Sleep(time.Hour)
		assert.Equal(t, context.Canceled, left[0].Err())
		assert.Equal(t, context.DeadlineExceeded, left[1].Err())
		assert.Equal(t, context.Canceled, left[2].Err())
	})
}

func TestTimeThatIsOverAtOnceLetsNothingGo(t *testing.T) {
	for _, limit := range []time.Duration{-time.Hour, 0, 1} {
		var d deadlines
		var l limitedContext
		d.enter(t.Context(), &l, time.Now(), limit)
		assert.Equal(t, context.DeadlineExceeded, l.Err())
		d.leave(&l)
		assert.Equal(t, context.DeadlineExceeded, l.Err())
	}
}

func TestParentEndsItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadlines
		parent, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var l, cancelled limitedContext
		d.enter(parent, &l, time.Now(), time.Minute)
		defer d.leave(&l)
		at, _ := l.Deadline()
		assert.Equal(t, time.Now().Add(time.Second), at, "the earlier one counts")
		assert.Zero(t, d.waiting(), "the parent sees to it")

		why := errors.New("enough")
		canceller, end := context.WithCancelCause(t.Context())
		d.enter(canceller, &cancelled, time.Now(), time.Minute)
		defer d.leave(&cancelled)
		end(why)
		assert.Equal(t, context.Canceled, cancelled.Err())
		assert.Equal(t, why, context.Cause(&cancelled))

		<-l.Done()
		assert.Equal(t, context.DeadlineExceeded, l.Err())
	})
}

// A timer that was set inside another bubble of synctest, or is late, must not
// keep those that came since from their end.
func TestTimerThatNeverComesIsSetAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadlines
		began := time.Now()
		d.next = began.Add(-time.Nanosecond)
		var l, older limitedContext
		d.enter(t.Context(), &older, began, 10*time.Second)
		defer d.leave(&older)
		time.Sleep(5 * time.Second)
		d.next = began // overdue once more, with one waiting
		d.enter(t.Context(), &l, time.Now(), 10*time.Second)
		defer d.leave(&l)
		<-older.Done()
		assert.Equal(t, 10*time.Second, time.Since(began))
		<-l.Done()
		assert.Equal(t, 15*time.Second, time.Since(began))
	})
}

// BenchmarkDeadlines shows that an attempt costs the same, however many are
// under way.
func BenchmarkDeadlines(b *testing.B) {
	for _, waiting := range []int{1, 1_000, 100_000} {
		b.Run(strconv.Itoa(waiting), func(b *testing.B) {
			var d deadlines
			under := make([]limitedContext, waiting)
			for i := range under {
				d.enter(context.Background(), &under[i], time.Now(), time.Hour)
			}
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				l := new(limitedContext)
				d.enter(ctx, l, time.Now(), time.Hour)
				d.leave(l)
			}
			for i := range under {
				d.leave(&under[i])
			}
		})
	}
}
