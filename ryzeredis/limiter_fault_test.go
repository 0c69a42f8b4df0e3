package ryzeredis_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

var global = ryze.LimiterKey{Scope: "one token", Class: ryze.RateGlobal}

func request() ryze.LimiterRequest {
	return ryze.LimiterRequest{LimiterKey: global, MaxWait: 10 * time.Second}
}

func says(remaining int, reset time.Time) ryze.RateLimit {
	return ryze.RateLimit{Known: true, Limit: 100, Remaining: remaining, Reset: reset}
}

// theGoroutinesEnd waits for the goroutines of this package and of go-redis that
// have come since the names were listed.
func theGoroutinesEnd(t *testing.T, before int) {
	t.Helper()
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		stacks := ours()
		assert.LessOrEqual(c, len(stacks), before, strings.Join(stacks, "\n\n"))
	}, time.Second, 10*time.Millisecond)
}

func ours() (stacks []string) {
	buf := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, "ryzeredis.(*") || strings.Contains(stack, "redis.(*PubSub)") || strings.Contains(stack, "redis.(*channel)") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

func TestNothingIsLeftAfterClose(t *testing.T) {
	for name, while := range map[string]func(*redistest.Server){
		"Redis answers": func(*redistest.Server) {}, "Redis hangs": (*redistest.Server).Stop, "Redis is gone": (*redistest.Server).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			before := len(ours())
			l, err := ryzeredis.NewLimiter(server.Client)
			require.NoError(t, err)
			reset := time.Now().Add(time.Minute)
			ticket, err := l.Acquire(t.Context(), request())
			require.NoError(t, err)
			ticket.Done(says(1, reset))
			_, err = l.Acquire(t.Context(), request()) // stays under way
			require.NoError(t, err)
			waits := make(chan error, 1)
			go func() {
				req := request()
				req.MaxWait = 2 * time.Minute
				_, err := l.Acquire(context.Background(), req)
				waits <- err
			}()
			require.Eventually(t, func() bool { return server.Client.PubSubNumPat(t.Context()).Err() == nil }, time.Second, time.Millisecond)
			while(server)
			began := time.Now()
			require.NoError(t, l.Close())
			assert.Less(t, time.Since(began), time.Second)
			require.Error(t, <-waits)
			theGoroutinesEnd(t, before)
			require.NoError(t, l.Close())
			_, err = l.Acquire(t.Context(), request())
			require.Error(t, err)
		})
	}
}

func TestCloseGivesBackWhatIsLeased(t *testing.T) {
	server := redistest.Start(t)
	one, err := ryzeredis.NewLimiter(server.Client)
	require.NoError(t, err)
	reset := time.Now().Add(time.Minute)
	for i := range 60 { // quickly, so that several are leased at a time
		ticket, err := one.Acquire(t.Context(), request())
		require.NoError(t, err)
		ticket.Done(says(99-i, reset))
	}
	require.NoError(t, one.Close())
	other, err := ryzeredis.NewLimiter(server.Client)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	count := 0
	for ; count < 200; count++ {
		if _, err := other.Acquire(t.Context(), ryze.LimiterRequest{LimiterKey: global}); err != nil {
			break
		}
	}
	assert.Equal(t, 40, count)
}

func TestRateOfAnUnknownKeyWritesNothing(t *testing.T) {
	server := redistest.Start(t)
	l, err := ryzeredis.NewLimiter(server.Client)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	for i := range 50 {
		assert.False(t, l.Rate(ryze.LimiterKey{Scope: fmt.Sprint(i), Class: ryze.RateGlobal}).Known)
	}
	n, err := server.Client.DBSize(t.Context()).Result()
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestNoTokenIsInRedis(t *testing.T) {
	server := redistest.Start(t)
	l, err := ryzeredis.NewLimiter(server.Client)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	_, err = l.Acquire(t.Context(), request())
	require.NoError(t, err)
	keys, err := server.Client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.NotContains(t, keys[0], global.Scope)
	assert.Regexp(t, `^ryze:limiter:\{[0-9a-f]{32}\}$`, keys[0], "all of a window is in one slot")
	ttl, err := server.Client.TTL(t.Context(), keys[0]).Result()
	require.NoError(t, err)
	assert.Positive(t, ttl)
}

func TestMemoryTakesOverWhileRedisIsAway(t *testing.T) {
	for name, away := range map[string]func(*redistest.Server){
		"killed": (*redistest.Server).Kill, "hanging": (*redistest.Server).Stop,
		"refusing": func(s *redistest.Server) {
			require.NoError(t, s.Client.ConfigSet(t.Context(), "maxmemory", "1").Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			told := make(chan error, 100)
			l, err := ryzeredis.NewLimiter(server.Client, ryzeredis.WithStatus(func(err error) { told <- err }))
			require.NoError(t, err)
			defer func() { require.NoError(t, l.Close()) }()
			reset := time.Now().Add(time.Minute)
			call := func() {
				t.Helper()
				began := time.Now()
				ticket, err := l.Acquire(t.Context(), request())
				require.NoError(t, err)
				assert.Less(t, time.Since(began), 300*time.Millisecond)
				began = time.Now()
				ticket.Done(says(50, reset))
				assert.Less(t, time.Since(began), 300*time.Millisecond)
			}
			call()
			away(server)
			for began := time.Now(); time.Since(began) < 700*time.Millisecond; {
				call()
			}
			require.Error(t, <-told)
			require.Empty(t, told, "it is told once")
			switch name {
			case "killed":
				server.Restart()
			case "hanging":
				server.Cont()
			default:
				require.NoError(t, server.Client.ConfigSet(t.Context(), "maxmemory", "0").Err())
			}
			select {
			case err := <-told:
				require.NoError(t, err)
			case <-time.After(3 * time.Second):
				t.Fatal("Redis is back, and the limiter is not")
			}
			call()
			n, err := server.Client.DBSize(t.Context()).Result()
			require.NoError(t, err)
			assert.EqualValues(t, 1, n)
			require.Empty(t, told)
		})
	}
}

func TestWhoWaitsWhenRedisGoesIsServedByMemory(t *testing.T) {
	server := redistest.Start(t)
	l, err := ryzeredis.NewLimiter(server.Client)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	ticket, err := l.Acquire(t.Context(), request())
	require.NoError(t, err)
	ticket.Done(says(0, time.Now().Add(8*time.Second)))
	served, waits := make(chan error, 1), make(chan struct{})
	go func() {
		req := request()
		req.OnWait = func(time.Duration) { close(waits) }
		_, err := l.Acquire(context.Background(), req)
		served <- err
	}()
	<-waits
	server.Kill()
	select {
	case err := <-served:
		require.NoError(t, err)
	case <-time.After(3 * time.Second):
		t.Fatal("it waits on")
	}
}

func TestWithoutFallbackACallFails(t *testing.T) {
	server := redistest.Start(t)
	l, err := ryzeredis.NewLimiter(server.Client, ryzeredis.WithoutFallback())
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	server.Kill()
	_, err = l.Acquire(t.Context(), request())
	require.Error(t, err)
}
