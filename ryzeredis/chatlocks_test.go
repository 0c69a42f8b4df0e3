package ryzeredis_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
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

// chatKey is a key as an inbox makes them.
const chatKey = "0123456789abcdef0123456789abcdef"

// cutOff is a hook of a client that can be cut off from the server.
type cutOff struct{ cut atomic.Bool }

var errCutOff = errors.New("the network is away")

func (c *cutOff) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if c.cut.Load() {
			return nil, errCutOff
		}
		return next(ctx, network, addr)
	}
}

func (c *cutOff) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.cut.Load() {
			return errCutOff
		}
		return next(ctx, cmd)
	}
}

func (c *cutOff) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func testChatLocks(t *testing.T, connect func() redis.UniversalClient) {
	t.Helper()
	const lease = time.Second
	var mu sync.Mutex
	networks := make(map[ryze.ChatLocks]*cutOff)
	ryzetest.TestChatLocks(t, func() ryze.ChatLocks {
		client := connect()
		t.Cleanup(func() { _ = client.Close() })
		grants(t, client, lease) // once it is connected; to a cluster that takes a while
		network := &cutOff{}
		client.AddHook(network)
		locks, err := ryzeredis.NewChatLocks(client, ryzeredis.WithChatLockLease(lease))
		require.NoError(t, err)
		mu.Lock()
		defer mu.Unlock()
		networks[locks] = network
		return locks
	}, ryzetest.ChatLockRules{Lease: lease, Shared: true, Pause: func(locks ryze.ChatLocks) {
		mu.Lock()
		defer mu.Unlock()
		networks[locks].cut.Store(true)
	}})
}

// grants waits until a server that has just started grants locks.
func grants(t *testing.T, client redis.UniversalClient, lease time.Duration) {
	t.Helper()
	locks, err := ryzeredis.NewChatLocks(client, ryzeredis.WithChatLockLease(lease))
	require.NoError(t, err)
	lock, err := locks.Lock(t.Context(), []string{chatKey}, func() {})
	require.NoError(t, err)
	require.NoError(t, lock.Unlock(t.Context()))
}

func TestChatLocksKeepTheRules(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	grants(t, server.Client, time.Second)
	testChatLocks(t, func() redis.UniversalClient { return redis.NewClient(&redis.Options{Addr: server.Addr}) })
}

func TestChatLocksKeepTheRulesInACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.Cluster(t)
	grants(t, cluster.Client, time.Second)
	testChatLocks(t, func() redis.UniversalClient {
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	})
}

func TestChatLocksShowNothingInRedis(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client
	locks, err := ryzeredis.NewChatLocks(client, ryzeredis.WithChatLockLease(time.Second))
	require.NoError(t, err)
	lock, err := locks.Lock(t.Context(), []string{"5511987654321"}, func() {})
	require.NoError(t, err)
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 3)
	for _, key := range keys {
		assert.NotContains(t, key, "5511")
		text, err := client.Dump(t.Context(), key).Result()
		require.NoError(t, err)
		assert.NotContains(t, text, "5511")
		expiry, err := client.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		assert.Positive(t, expiry, "what a process leaves behind passes")
	}
	require.NoError(t, lock.Unlock(t.Context()))
	assert.Eventually(t, func() bool {
		n, err := client.DBSize(t.Context()).Result()
		return err == nil && n == 1 // what is remembered of the server
	}, 10*time.Second, 10*time.Millisecond)
}
