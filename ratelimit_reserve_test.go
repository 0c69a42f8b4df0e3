package ryze_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A broadcast fills the window up to the reserve; a one-time password in the same
// window does not wait for the next.
func TestOneTimePasswordFindsTheReserveOfABroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithRateLimit(50))
		defer sim.Close()
		line := sim.AddInstance("line")
		line.Pair("5511900000001")
		client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(sim.HTTPClient()), ryze.WithReserve(8))
		require.NoError(t, err)
		defer func() { assert.NoError(t, client.Close()) }()
		inst := client.Instance("line", line.Token())

		var broadcast sync.WaitGroup
		for range 100 {
			broadcast.Go(func() {
				_, err := inst.Messages.SendText(context.Background(), "5511987654321", "News")
				assert.NoError(t, err)
			})
		}
		time.Sleep(40 * time.Second) // in the first window
		assert.Len(t, sim.Requests(), 42)
		began := time.Now()
		_, err = inst.Messages.SendText(ryze.WithPriority(t.Context(), ryze.PriorityHigh), "5511912345678", "Your code is 493201")
		require.NoError(t, err)
		assert.Less(t, time.Since(began), time.Second)
		broadcast.Wait()
		for _, r := range sim.Requests() {
			assert.NotEqual(t, http.StatusTooManyRequests, r.Status)
		}
	})
}

func TestAReserveBelowNothingIsRefused(t *testing.T) {
	_, err := ryze.New(ryze.WithReserve(-1))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
}
