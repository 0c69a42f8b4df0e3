package ryzeredis_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

// A chat that is free is locked and unlocked, beside two round trips.
func BenchmarkChatLock(b *testing.B) {
	client := redistest.Start(b).Client
	b.Run("two pings", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, client.Ping(b.Context()).Err())
			require.NoError(b, client.Ping(b.Context()).Err())
		}
	})
	locks, err := ryzeredis.NewChatLocks(client, ryzeredis.WithChatLockLease(2*time.Second))
	require.NoError(b, err)
	keys := []string{chatKey}
	lockOnce := func(b *testing.B) {
		b.Helper()
		lock, err := locks.Lock(b.Context(), keys, func() {})
		require.NoError(b, err)
		require.NoError(b, lock.Unlock(b.Context()))
	}
	lockOnce(b) // a new server grants nothing at first
	b.Run("lock and unlock", func(b *testing.B) {
		for b.Loop() {
			lockOnce(b)
		}
	})
	// Two processes take turns with one chat.
	b.Run("hand-over", func(b *testing.B) {
		other := redis.NewClient(client.Options())
		b.Cleanup(func() { _ = other.Close() })
		second, err := ryzeredis.NewChatLocks(other, ryzeredis.WithChatLockLease(2*time.Second))
		require.NoError(b, err)
		both := []*ryzeredis.ChatLocks{locks, second}
		lock, err := locks.Lock(b.Context(), keys, func() {})
		require.NoError(b, err)
		i := 0
		for b.Loop() {
			i++
			placed, next := make(chan struct{}, 8), make(chan error, 1)
			before := lock
			go func() {
				var err error
				lock, err = both[i%2].Lock(b.Context(), keys, func() { placed <- struct{}{} })
				next <- err
			}()
			<-placed
			require.NoError(b, before.Unlock(b.Context()))
			require.NoError(b, <-next)
		}
		require.NoError(b, lock.Unlock(b.Context()))
	})
}
