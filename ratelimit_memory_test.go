package ryze

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The limiter alone, with replies made by hand.

func acquired(t *testing.T, l Limiter) Ticket {
	t.Helper()
	ticket, err := l.Acquire(t.Context(), testRequest)
	require.NoError(t, err)
	return ticket
}

var (
	testKey     = LimiterKey{Scope: "x", Class: RateGlobal}
	testRequest = LimiterRequest{LimiterKey: testKey, MaxWait: time.Hour}
)

func TestLateAndHeaderlessRepliesNeverRaiseWhatRemains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		reset := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 99, Reset: reset})
		late := acquired(t, l)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 40, Reset: reset})
		late.Done(RateLimit{Known: true, Limit: 100, Remaining: 98, Reset: reset})
		assert.Equal(t, 40, l.Rate(testKey).Remaining)

		acquired(t, l).Done(RateLimit{})
		assert.Equal(t, 39, l.Rate(testKey).Remaining, "a reply without headers was counted all the same")

		acquired(t, l).Cancel()
		assert.Equal(t, 39, l.Rate(testKey).Remaining, "a request that never left gives its place back")
	})
}

func TestReplyOfThePastWindowDoesNotDrainTheNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		first := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 5, Reset: first})
		slow := acquired(t, l)
		time.Sleep(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 99, Reset: first.Add(time.Minute)})
		slow.Done(RateLimit{Known: true, Limit: 100, Remaining: 4, Reset: first})
		assert.Equal(t, 99, l.Rate(testKey).Remaining)
	})
}

func TestWaitersAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 0, Reset: time.Now().Add(time.Minute)})
		var order []int
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ticket, err := l.Acquire(context.Background(), testRequest)
				assert.NoError(t, err)
				order = append(order, i) // one at a time: each waits for the one before
				ticket.Done(RateLimit{Known: true, Limit: 1, Remaining: 0, Reset: time.Now().Add(time.Second)})
			})
			synctest.Wait()
		}
		wg.Wait()
		for i, who := range order {
			require.Equal(t, i, who, "%v", order)
		}
	})
}

func TestAWaiterThatGivesUpLeavesItsPlaceToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 0, Reset: time.Now().Add(time.Minute)})
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := l.Acquire(ctx, testRequest)
			gone <- err
		}()
		synctest.Wait()
		served := make(chan time.Time, 1)
		go func() {
			ticket, err := l.Acquire(context.Background(), testRequest)
			assert.NoError(t, err)
			served <- time.Now()
			ticket.Cancel()
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		assert.WithinDuration(t, time.Now().Add(time.Minute), <-served, time.Minute)
	})
}

func TestANewWindowIsProbedByOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		var through atomic.Int32
		var wg sync.WaitGroup
		probe := acquired(t, l)
		for range 50 {
			wg.Go(func() {
				ticket, err := l.Acquire(context.Background(), testRequest)
				assert.NoError(t, err)
				through.Add(1)
				ticket.Done(RateLimit{})
			})
		}
		synctest.Wait()
		require.Zero(t, through.Load(), "nobody goes before the first reply")
		probe.Done(RateLimit{Known: true, Limit: 100, Remaining: 70, Reset: time.Now().Add(time.Minute)})
		synctest.Wait()
		assert.Equal(t, int32(50), through.Load())
		wg.Wait()
	})
}

func TestAProbeThatTakesLongHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		probe := acquired(t, l) // a call that blocks for a minute, such as connect
		began := time.Now()
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 98, Reset: time.Now().Add(time.Minute)})
		assert.Equal(t, probePatience, time.Since(began))
		probe.Done(RateLimit{})
	})
}

func TestWindowsThatAreCutToTheSecondCostOneRefusal(t *testing.T) {
	// A service whose windows begin at any moment, but whose header is cut to
	// the second, seems to restart up to a second early.
	simulatedService := func(began time.Time) func() RateLimit {
		window, used := began, 0
		return func() RateLimit {
			for !time.Now().Before(window.Add(time.Minute)) {
				window, used = window.Add(time.Minute), 0
			}
			used++
			return RateLimit{Known: true, Limit: 10, Remaining: max(10-used, 0), Reset: window.Add(time.Minute).Truncate(time.Second)}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(700 * time.Millisecond)
		l := NewMemoryLimiter(0)
		reply := simulatedService(time.Now())
		refused, accepted := 0, 0
		for range 80 {
			ticket := acquired(t, l)
			rate := reply()
			if accepted > 0 && rate.Remaining == 0 && !rate.Reset.After(time.Now()) {
				refused++
			} else {
				accepted++
			}
			ticket.Done(rate)
		}
		assert.LessOrEqual(t, refused, 1)
	})
}

func TestTheErrorOfALimiterAloneReadsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		reset := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 0, Reset: reset})
		_, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: testKey})
		assert.EqualError(t, err, "ryze: rate limited until "+reset.UTC().Format(time.RFC3339))
	})
}
