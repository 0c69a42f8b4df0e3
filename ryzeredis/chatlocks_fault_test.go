package ryzeredis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

// lockProcess returns locks as a process has them, with a client of their own.
func lockProcess(t *testing.T, addr string, lease time.Duration) *ryzeredis.ChatLocks {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: lease / 4, DialTimeout: time.Second, MaxRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	locks, err := ryzeredis.NewChatLocks(client, ryzeredis.WithChatLockLease(lease))
	require.NoError(t, err)
	return locks
}

// inLine is a call of Lock that goes on.
type inLine struct {
	ryze.ChatLock

	err  error
	done chan struct{}
}

// line calls Lock, and waits until it has a place.
func line(t *testing.T, ctx context.Context, locks ryze.ChatLocks, keys ...string) *inLine { //nolint:revive // the test first
	t.Helper()
	c := &inLine{done: make(chan struct{})}
	placed := make(chan struct{}, 100)
	go func() {
		defer close(c.done)
		c.ChatLock, c.err = locks.Lock(ctx, keys, func() {
			select {
			case placed <- struct{}{}:
			default:
			}
		})
	}()
	select {
	case <-placed:
	case <-c.done:
	case <-time.After(20 * time.Second):
		t.Fatal("there is no place in the line")
	}
	return c
}

// has waits for the lock.
func (c *inLine) has(t *testing.T, within time.Duration) ryze.ChatLock {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(within):
		t.Fatalf("there is no lock after %v", within)
	}
	require.NoError(t, c.err)
	return c.ChatLock
}

func (c *inLine) mustWait(t *testing.T) {
	t.Helper()
	select {
	case <-c.done:
		t.Fatalf("locked although another has the chat: %v", c.err)
	default:
	}
}

func mustHold(t *testing.T, lock ryze.ChatLock) {
	t.Helper()
	select {
	case <-lock.Lost():
		t.Fatal("the lock was lost")
	default:
	}
}

// A server that comes back empty, or with a part of its memory, grants nothing until
// everybody has written down what he has.
func TestChatLocksOutliveARestartOfRedis(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(t *testing.T, server *redistest.Server){
		"restarted empty": func(_ *testing.T, server *redistest.Server) { server.Restart() },
		"flushed": func(t *testing.T, server *redistest.Server) {
			t.Helper()
			require.NoError(t, server.Client.FlushAll(t.Context()).Err())
		},
		"without the last that was granted": func(t *testing.T, server *redistest.Server) {
			t.Helper()
			// As when a replica is promoted that does not know yet who has the lock.
			lines, err := server.Client.Keys(t.Context(), "*:k:*").Result()
			require.NoError(t, err)
			for _, key := range lines {
				tickets, err := server.Client.ZRange(t.Context(), key, 0, 0).Result() // who has the lock
				require.NoError(t, err)
				for _, ticket := range tickets {
					require.NoError(t, server.Client.ZAdd(t.Context(), key, redis.Z{Score: 9e15, Member: ticket}).Err())
				}
			}
			require.NoError(t, server.Client.HSet(t.Context(), "{ryze:locks}:server", "run", "another").Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const lease = 2 * time.Second
			server := redistest.Start(t)
			one, two, three := lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)
			held := line(t, t.Context(), one, chatKey).has(t, 20*time.Second)
			second := line(t, t.Context(), two, chatKey)
			third := line(t, t.Context(), three, chatKey)
			fourth := line(t, t.Context(), one, chatKey)
			forget(t, server)
			fifth := line(t, t.Context(), two, chatKey) // comes when nobody has written down anything
			for began := time.Now(); time.Since(began) < 2*lease; time.Sleep(10 * time.Millisecond) {
				mustHold(t, held)
				for _, c := range []*inLine{second, third, fourth, fifth} {
					c.mustWait(t)
				}
			}
			for _, c := range []*inLine{second, third, fourth, fifth} {
				require.NoError(t, held.Unlock(t.Context()))
				held = c.has(t, 5*time.Second)
			}
			require.NoError(t, held.Unlock(t.Context()))
		})
	}
}

func TestChatLockWaitsForRedisAndSaysSo(t *testing.T) {
	t.Parallel()
	const lease = time.Second
	server := redistest.Start(t)
	one, two := lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)
	held := line(t, t.Context(), one, chatKey).has(t, 10*time.Second)
	waiting := line(t, t.Context(), two, chatKey)
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := one.Lock(ctx, []string{chatKey}, func() { t.Error("there is no place") })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, ryzeredis.ErrUnavailable)
	_, err = lockProcess(t, server.Addr, lease).Lock(ctx, []string{chatKey}, func() { t.Error("there is no place") })
	require.ErrorIs(t, err, context.DeadlineExceeded)

	select {
	case <-held.Lost():
	case <-time.After(2 * lease):
		t.Fatal("the lock is not lost, although Redis is away for longer than a lease")
	}
	waiting.mustWait(t)
	require.ErrorIs(t, held.Unlock(t.Context()), ryze.ErrChatLockLost)
	late := make(chan error, 1)
	go func() {
		lock, err := one.Lock(t.Context(), []string{chatKey}, func() {})
		if err == nil {
			err = lock.Unlock(t.Context())
		}
		late <- err
	}()
	server.Restart()
	require.NoError(t, waiting.has(t, 10*time.Second).Unlock(t.Context()))
	require.NoError(t, <-late)
}

// What comes to the server after its ticket has left blocks no chat for long.
func TestRequestThatComesLateBlocksNoChat(t *testing.T) {
	t.Parallel()
	const lease = 3 * time.Second
	server := redistest.Start(t)
	one, two := lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)
	held := line(t, t.Context(), one, "another chat").has(t, 10*time.Second)
	require.NoError(t, one.EnterLate(t.Context(), chatKey))
	next := line(t, t.Context(), two, chatKey)
	next.mustWait(t)
	require.NoError(t, next.has(t, lease).Unlock(t.Context()))
	mustHold(t, held)
	require.NoError(t, held.Unlock(t.Context()))
}

// Who gives up while the server does not answer leaves no trace either.
func TestGivingUpWhileRedisIsHaltedBlocksNoChat(t *testing.T) {
	t.Parallel()
	const lease = 3 * time.Second
	server := redistest.Start(t)
	one, two := lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)
	require.NoError(t, line(t, t.Context(), one, chatKey).has(t, 10*time.Second).Unlock(t.Context()))
	require.NoError(t, line(t, t.Context(), two, chatKey).has(t, 10*time.Second).Unlock(t.Context()))
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for range 20 {
		go func() { _, _ = one.Lock(ctx, []string{chatKey}, func() {}) }()
	}
	<-ctx.Done()
	time.Sleep(lease / 3) // so that the client asks again on other connections
	server.Cont()
	require.NoError(t, line(t, t.Context(), two, chatKey).has(t, lease).Unlock(t.Context()))
}

// An Unlock that Redis did not hear of is done as soon as it can be.
func TestUnlockIsMadeUpForWhenRedisComesBack(t *testing.T) {
	t.Parallel()
	const lease = 4 * time.Second
	server := redistest.Start(t)
	one, two := lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)
	held := line(t, t.Context(), one, chatKey).has(t, 10*time.Second)
	second := line(t, t.Context(), two, chatKey)
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, held.Unlock(ctx), context.DeadlineExceeded)
	time.Sleep(lease / 3)
	server.Cont()
	lock := second.has(t, lease*2/3)
	require.NoError(t, held.Unlock(t.Context()), "it may be called again")
	require.NoError(t, lock.Unlock(t.Context()))
}

// noMessages has a server pass no messages on, as its rules for users may have it.
func noMessages(t *testing.T, client *redis.Client) {
	t.Helper()
	require.NoError(t, client.Do(t.Context(), "ACL", "SETUSER", "default", "resetchannels").Err())
}

// Those who wait are woken at once; when that fails, they ask themselves.
func TestChatLockIsHandedOnAtOnceAndWithoutMessagesToo(t *testing.T) {
	t.Parallel()
	const lease, turns = 4 * time.Second, 6
	for name, messages := range map[string]bool{"woken": true, "without messages": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			if !messages {
				noMessages(t, server.Client)
			}
			processes := []*ryzeredis.ChatLocks{lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)}
			lock := line(t, t.Context(), processes[0], chatKey).has(t, 20*time.Second)
			var all []*inLine
			for i := range turns {
				all = append(all, line(t, t.Context(), processes[i%2], chatKey))
			}
			began := time.Now()
			for _, c := range all {
				require.NoError(t, lock.Unlock(t.Context()))
				lock = c.has(t, lease)
			}
			require.NoError(t, lock.Unlock(t.Context()))
			took := time.Since(began)
			t.Logf("%d hand-overs: %v", turns, took)
			if messages {
				assert.Less(t, took, time.Second, "hand-overs do not wait until somebody asks")
			}
		})
	}
}

func TestAnswerThatWillNotChangeEndsLock(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	require.NoError(t, server.Client.ConfigSet(t.Context(), "requirepass", "secret").Err())
	locks := lockProcess(t, server.Addr, time.Second)
	for range 2 {
		_, err := locks.Lock(t.Context(), []string{chatKey}, func() {})
		require.ErrorContains(t, err, "NOAUTH")
		require.ErrorIs(t, err, ryzeredis.ErrUnavailable)
	}
	closed := redis.NewClient(&redis.Options{Addr: server.Addr, Password: "secret"})
	require.NoError(t, closed.Close())
	locks, err := ryzeredis.NewChatLocks(closed)
	require.NoError(t, err)
	_, err = locks.Lock(t.Context(), []string{chatKey}, func() {})
	require.ErrorIs(t, err, redis.ErrClosed)
}

// A process with much work asks no more for each lock, and leaves nothing behind.
func TestChatLocksAreManyAndLeaveNothing(t *testing.T) {
	t.Parallel()
	const lease, many = 3 * time.Second, 150
	server := redistest.Start(t)
	one, two := lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)
	hold := func(locks ryze.ChatLocks) (all []ryze.ChatLock) {
		for i := range many {
			lock, err := locks.Lock(t.Context(), []string{fmt.Sprintf("%s-%d", chatKey, i)}, func() {})
			require.NoError(t, err)
			all = append(all, lock)
		}
		return all
	}
	held := hold(one)
	var waiting []*inLine
	for i := range many {
		waiting = append(waiting, line(t, t.Context(), two, fmt.Sprintf("%s-%d", chatKey, i)))
	}
	time.Sleep(lease / 2)
	for i, lock := range held {
		mustHold(t, lock)
		waiting[i].mustWait(t)
		require.NoError(t, lock.Unlock(t.Context()))
	}
	for _, c := range waiting {
		require.NoError(t, c.has(t, 5*time.Second).Unlock(t.Context()))
	}
	lines, err := server.Client.Keys(t.Context(), "*:k:*").Result()
	require.NoError(t, err)
	assert.Empty(t, lines)
	assert.Eventually(t, func() bool { return one.Idle() && two.Idle() }, 20*time.Second, 10*time.Millisecond, "its goroutine ends")
}

func TestChatLocksRefuseBadOptions(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { _ = client.Close() })
	var none *redis.Client
	for name, create := range map[string]func() (*ryzeredis.ChatLocks, error){
		"no client":  func() (*ryzeredis.ChatLocks, error) { return ryzeredis.NewChatLocks(nil) },
		"nil client": func() (*ryzeredis.ChatLocks, error) { return ryzeredis.NewChatLocks(none) },
		"nil option": func() (*ryzeredis.ChatLocks, error) { return ryzeredis.NewChatLocks(client, nil) },
		"short lease": func() (*ryzeredis.ChatLocks, error) {
			return ryzeredis.NewChatLocks(client, ryzeredis.WithChatLockLease(time.Millisecond))
		},
	} {
		locks, err := create()
		var invalid *ryze.ValidationError
		require.ErrorAs(t, err, &invalid, name)
		assert.Nil(t, locks, name)
	}
}

// What a process leaves behind passes, and what it has does not.
func TestLineOutlivesItsExpiryWhileItIsNeeded(t *testing.T) {
	t.Parallel()
	const lease, kept = time.Second, 2 * time.Second
	server := redistest.Start(t)
	one, two := lockProcess(t, server.Addr, lease), lockProcess(t, server.Addr, lease)
	one.KeepLines(kept)
	two.KeepLines(kept)
	held := line(t, t.Context(), one, chatKey).has(t, 10*time.Second)
	var waiting []*inLine
	for i := range 4 {
		waiting = append(waiting, line(t, t.Context(), []*ryzeredis.ChatLocks{one, two}[i%2], chatKey))
	}
	time.Sleep(2 * kept)
	mustHold(t, held)
	for _, c := range waiting {
		c.mustWait(t)
		require.NoError(t, held.Unlock(t.Context()))
		held = c.has(t, 5*time.Second)
	}
	require.NoError(t, held.Unlock(t.Context()))
}
