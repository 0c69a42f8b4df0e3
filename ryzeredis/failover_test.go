package ryzeredis_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

// failover is a master that is killed, and the replica that takes over.
type failover struct {
	master, replica *redistest.Server
	client          func() redis.UniversalClient
}

func TestSentinelPromotesAReplica(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	t.Parallel()
	servers := redistest.Sentinel(t)
	survive(t, failover{servers.Master, servers.Replica, servers.Client})
}

func TestClusterPromotesAReplica(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	t.Parallel()
	cluster := redistest.Cluster(t)
	master := cluster.Node("{ryze:locks}")
	survive(t, failover{master, cluster.Replica(master), func() redis.UniversalClient {
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
		t.Cleanup(func() { _ = client.Close() })
		return client
	}})
}

// on finds a name whose key, which use makes, the master has.
func (f failover) on(t *testing.T, kind string, use func(name string)) (name string) {
	t.Helper()
	for i := range 200 {
		name := fmt.Sprint(kind, "-", i)
		before, err := f.master.Client.DBSize(t.Context()).Result()
		require.NoError(t, err)
		use(name)
		after, err := f.master.Client.DBSize(t.Context()).Result()
		require.NoError(t, err)
		if after > before {
			return name
		}
	}
	t.Fatal("the master has none of many keys")
	return ""
}

// survive uses everything while the master is killed. What was written last, the
// replica does not know: it was halted.
func survive(t *testing.T, f failover) {
	const lease = 6 * time.Second
	one, two := f.client(), f.client()
	claims := func(client redis.UniversalClient) *ryzeredis.DedupeStore {
		store, err := ryzeredis.NewDedupeStore(client, ryzeredis.WithDedupeLease(time.Minute))
		require.NoError(t, err)
		return store
	}
	locks := func(client redis.UniversalClient) *ryzeredis.ChatLocks {
		locks, err := ryzeredis.NewChatLocks(client, ryzeredis.WithChatLockLease(lease))
		require.NoError(t, err)
		return locks
	}
	stores := []*ryzeredis.DedupeStore{claims(one), claims(two)}
	chats := []*ryzeredis.ChatLocks{locks(one), locks(two)}
	claim := func(store *ryzeredis.DedupeStore, key string) ryze.DedupeClaim {
		claim, err := store.Claim(t.Context(), key)
		require.NoError(t, err)
		return claim
	}
	held := line(t, t.Context(), chats[0], chatKey).has(t, 30*time.Second)
	second := line(t, t.Context(), chats[1], chatKey)

	status := make(chan error, 100)
	limiter, err := ryzeredis.NewLimiter(one, ryzeredis.WithStatus(func(err error) { status <- err }))
	require.NoError(t, err)
	defer func() { require.NoError(t, limiter.Close()) }()
	reset := time.Now().Add(5 * time.Minute)
	var remaining atomic.Int64
	remaining.Store(100_000)
	acquire := func(scope string) {
		req := request()
		req.Scope = scope
		ticket, err := limiter.Acquire(t.Context(), req)
		if assert.NoError(t, err, "no call fails because of Redis") {
			ticket.Done(ryze.RateLimit{Known: true, Limit: 100_000, Remaining: int(remaining.Add(-1)), Reset: reset})
		}
	}
	scope := f.on(t, "token", acquire)
	var done, kept ryze.DedupeClaim
	handled := f.on(t, "handled", func(key string) { done = claim(stores[0], key) })
	require.NoError(t, done.Commit(t.Context()))
	keptKey := f.on(t, "kept", func(key string) { kept = claim(stores[0], key) })
	require.EqualValues(t, 1, f.master.Client.Wait(t.Context(), 1, 10*time.Second).Val(), "the replica knows it")
	f.replica.Stop()
	require.NoError(t, f.master.Client.ClientKillByFilter(t.Context(), "TYPE", "replica").Err()) // or it has it on its way
	var lost ryze.DedupeClaim
	lostKey := f.on(t, "lost", func(key string) { lost = claim(stores[0], key) })
	f.master.Kill()
	f.replica.Cont()
	killed := time.Now()

	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	calls, back := 0, false
	for away := false; !back; {
		require.NoError(t, ctx.Err(), "the limiter is not back")
		acquire(scope)
		calls++
		select {
		case err := <-status:
			away, back = away || err != nil, away && err == nil
		default:
			time.Sleep(time.Millisecond) // as a program that sends
		}
		select {
		case <-second.done:
			t.Fatal("two have a chat")
		default:
		}
	}
	f.replica.Promoted(ctx)
	t.Logf("%d calls went on; the limiter was back after %v", calls, time.Since(killed).Round(10*time.Millisecond))
	acquire(scope)

	// What the replica knew holds.
	again := func(key string) (ryze.DedupeClaim, error) {
		for {
			claim, err := stores[1].Claim(ctx, key)
			if err == nil || ctx.Err() != nil {
				return claim, err
			}
			if !assert.ErrorIs(t, err, ryzeredis.ErrUnavailable) {
				return nil, err
			}
		}
	}
	none, err := again(handled)
	require.NoError(t, err)
	assert.Nil(t, none, "it was handled")
	_, err = stores[1].Claim(ctx, keptKey)
	require.ErrorIs(t, err, ryze.ErrInProgress)
	require.NoError(t, kept.Commit(ctx))
	// What it did not know is claimed by another as well. The first one learns that.
	other, err := again(lostKey)
	require.NoError(t, err)
	require.NotNil(t, other)
	require.ErrorIs(t, lost.Commit(ctx), ryze.ErrClaimLost)
	require.ErrorIs(t, lost.Release(ctx), ryze.ErrClaimLost)
	require.NoError(t, other.Commit(ctx))

	select {
	case <-held.Lost(): // the machine was slow
	default:
		require.NoError(t, held.Unlock(ctx))
	}
	require.NoError(t, second.has(t, 3*lease).Unlock(ctx))
}
