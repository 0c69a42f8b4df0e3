package ryze

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// streaming opens a stream of a new, paired instance.
func streaming(t *testing.T, sim *ryzetest.Server, client *Client, opts ...SubscribeOption) (*Subscription, *ryzetest.Instance) {
	t.Helper()
	inst := paired(t, sim, client, "support-line")
	sub, err := inst.Subscribe(t.Context(), append([]SubscribeOption{EnsureEnabled(WebSocketConfig{})}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sub.Close()) })
	return sub, sim.Instance("support-line")
}

func TestStreamDeliversWhatHappens(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})

		e := <-sub.Events()
		require.IsType(t, &MessageEvent{}, e.Data)
		assert.Equal(t, "Hello", e.Data.(*MessageEvent).Text)
		assert.Equal(t, StreamOpen, sub.State())
		assert.Empty(t, sim.Violations())
	})
}

func TestStreamSurvivesADropAndTellsTheHole(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		opened := time.Now()
		time.Sleep(10 * time.Second)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "before"})
		assert.Equal(t, "before", (<-sub.Events()).Data.(*MessageEvent).Text)
		phone.DropWebSockets(1001)
		time.Sleep(time.Minute)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "after"})

		gap := (<-sub.Events()).Data.(*GapEvent)
		assert.Equal(t, GapOutage, gap.Reason)
		assert.Equal(t, opened.Add(10*time.Second).UTC(), gap.From)
		assert.True(t, gap.To.After(gap.From), "%v %v", gap.From, gap.To)
		var closed *CloseError
		require.ErrorAs(t, gap.Cause, &closed)
		assert.Equal(t, 1001, closed.Code)
		assert.Equal(t, "after", (<-sub.Events()).Data.(*MessageEvent).Text)
		assert.Equal(t, uint64(1), sub.Stats().Reconnects)
	})
}

func TestCloseOfTheClientEndsItsStreams(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		require.NoError(t, client.Close())
		_, open := <-sub.Events()
		assert.False(t, open)
		require.ErrorIs(t, sub.Err(), ErrClosed)
		synctest.Wait()
		assert.Zero(t, phone.WebSockets())
	})
}

func TestContextEndsTheStream(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		ctx, cancel := context.WithCancel(t.Context())
		sub, err := inst.Subscribe(ctx, EnsureEnabled(WebSocketConfig{}))
		require.NoError(t, err)
		cancel()
		for _, err := range sub.All() {
			require.ErrorIs(t, err, context.Canceled)
		}
		require.NoError(t, sub.Close())
	})
}
