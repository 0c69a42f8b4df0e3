package ryzetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAdvanceRunsJobsInOrderAtTheirDueTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		start := c.now()
		var ran []time.Duration
		note := func() { ran = append(ran, c.now().Sub(start)) }
		c.after(30*time.Second, note)
		c.after(10*time.Second, func() {
			note()
			c.after(5*time.Second, note) // due on the way too
		})
		c.after(2*time.Minute, note)
		cancel := c.after(20*time.Second, note)
		cancel()
		cancel()

		c.advance(time.Minute)
		assert.Equal(t, []time.Duration{10 * time.Second, 15 * time.Second, 30 * time.Second}, ran)
		assert.Equal(t, time.Minute, c.now().Sub(start))
		c.advance(-time.Hour)
		assert.Equal(t, time.Minute, c.now().Sub(start))
	})
}

func TestJobsRunByThemselvesAndSleepFollowsAdvance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := newClock()
		go c.loop(ctx)

		began := time.Now()
		require.NoError(t, c.sleep(ctx, time.Hour))
		assert.Equal(t, time.Hour, time.Since(began))

		woke := make(chan error, 1)
		go func() { woke <- c.sleep(ctx, time.Hour) }()
		synctest.Wait()
		c.advance(time.Hour)
		require.NoError(t, <-woke)
		assert.Equal(t, time.Hour, time.Since(began), "only the virtual clock may have moved")

		go func() { woke <- c.sleep(ctx, time.Hour) }()
		synctest.Wait()
		cancel()
		assert.ErrorIs(t, <-woke, context.Canceled)
	})
}
