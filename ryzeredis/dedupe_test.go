package ryzeredis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func testDedupeStore(t *testing.T, client redis.UniversalClient) {
	const lease, window = 500 * time.Millisecond, 2 * time.Second
	ryzetest.TestDedupeStore(t, func() ryze.DedupeStore {
		store, err := ryzeredis.NewDedupeStore(client, ryzeredis.WithDedupeLease(lease), ryzeredis.WithDedupeWindow(window))
		require.NoError(t, err)
		return store
	}, ryzetest.DedupeRules{Lease: lease, Window: window, Shared: true})
}

func TestDedupeStoreKeepsTheRules(t *testing.T) {
	t.Parallel()
	testDedupeStore(t, redistest.Start(t).Client)
}

func TestDedupeStoreKeepsTheRulesInACluster(t *testing.T) {
	t.Parallel()
	testDedupeStore(t, redistest.Cluster(t).Client)
}

func TestDedupeStoreShowsNothingInRedis(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client
	store, err := ryzeredis.NewDedupeStore(client)
	require.NoError(t, err)
	const key = "5511987654321@s.whatsapp.net secret"
	claim, err := store.Claim(t.Context(), key)
	require.NoError(t, err)
	require.NotNil(t, claim)
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.NotContains(t, keys[0], "5511")
	assert.NotContains(t, keys[0], "secret")
}

// It answers, and that is what is said.
func TestDedupeStoreSaysWhatRedisAnswers(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client
	store, err := ryzeredis.NewDedupeStore(client)
	require.NoError(t, err)
	_, err = store.Claim(t.Context(), "key")
	require.NoError(t, err)
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.NoError(t, client.Del(t.Context(), keys...).Err())
	require.NoError(t, client.RPush(t.Context(), keys[0], "of somebody else").Err())
	_, err = store.Claim(t.Context(), "key")
	require.ErrorIs(t, err, ryzeredis.ErrUnavailable)
	require.ErrorContains(t, err, "WRONGTYPE")
	require.NotContains(t, err.Error(), "not answer")
}

// The client's own timeouts are much longer.
func TestDedupeStoreEndsWithItsContextWhileRedisHangs(t *testing.T) {
	server := redistest.Start(t)
	store, err := ryzeredis.NewDedupeStore(server.Client)
	require.NoError(t, err)
	claim, err := store.Claim(t.Context(), "held")
	require.NoError(t, err)
	server.Stop()
	for name, call := range map[string]func(context.Context) error{
		"claim":   func(ctx context.Context) error { _, err := store.Claim(ctx, "key"); return err },
		"commit":  claim.Commit,
		"release": claim.Release,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		require.ErrorIs(t, call(ctx), context.DeadlineExceeded, name)
		assert.Less(t, time.Since(began), 2*time.Second, name)
		cancel()
	}
	server.Cont()
	assert.Eventually(t, func() bool { // it was not taken by who has gone
		claim, err := store.Claim(t.Context(), "key")
		return err == nil && claim != nil
	}, 10*time.Second, 50*time.Millisecond)
}
