//go:build !js

package ryze_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The hole between two streams of an instance is an event of the second.
func TestHoleBetweenTwoStreamsIsTold(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		first, phone := streaming(t, sim, client)
		time.Sleep(2 * time.Minute) // pings were answered
		whole := first.WholeUntil()
		assert.WithinRange(t, whole, time.Now().Add(-time.Minute), time.Now())
		require.NoError(t, first.Close())
		assert.True(t, first.WholeUntil().Equal(whole), "it stays when the stream has ended")
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "missed"})
		time.Sleep(time.Minute)

		second, err := client.Instance("support-line", phone.Token()).Subscribe(t.Context(), WithWholeUntil(whole))
		require.NoError(t, err)
		defer func() { _ = second.Close() }()
		gap := GapOf(t, <-second.Events())
		assert.Equal(t, GapTakeover, gap.Reason)
		assert.True(t, gap.From.Equal(whole))
		assert.True(t, gap.To.Equal(time.Now()))
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "after"})
		assert.Equal(t, "after", TextOf(t, <-second.Events()))
	})
}

// What is received and not handled is not whole, however long it waits.
func TestWholeUntilWaitsForHandlers(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		time.Sleep(2 * time.Minute)
		came := time.Now()
		release := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- sub.Handle(t.Context(), func(context.Context, *Event) error {
				<-release
				return nil
			})
		}()
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "slow"})
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "behind it"})
		time.Sleep(5 * time.Minute)
		assert.False(t, sub.WholeUntil().After(came), "two events wait")
		release <- struct{}{}
		time.Sleep(5 * time.Minute)
		assert.False(t, sub.WholeUntil().After(came.Add(5*time.Minute)), "one event waits")
		close(release)
		time.Sleep(2 * time.Minute)
		assert.WithinRange(t, sub.WholeUntil(), time.Now().Add(-time.Minute), time.Now())
		require.NoError(t, sub.Close())
		require.NoError(t, <-done)
	})
}
