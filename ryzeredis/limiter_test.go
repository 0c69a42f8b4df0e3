package ryzeredis_test

import (
	"context"
	"fmt"
	"strings"
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

func keepsTheRules(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	t.Parallel()
	ryzetest.TestLimiter(t, func() ryze.Limiter {
		l, err := ryzeredis.NewLimiter(client, ryzeredis.WithPatience(2*time.Second), ryzeredis.WithoutFallback())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		return l
	}, ryzetest.LimiterRules{Shared: true, Step: 100 * time.Millisecond}) // a machine that is busy with other tests is slow
}

func TestLimiterKeepsTheRules(t *testing.T) { keepsTheRules(t, redistest.Start(t).Client) }

func TestLimiterKeepsTheRulesOnACluster(t *testing.T) { keepsTheRules(t, redistest.Cluster(t).Client) }

// A reply tells of requests whose own replies are still on their way. Counted twice
// they seem to fill the window.
func TestRequestsThatTheServiceHasCountedAreNotCountedTwice(t *testing.T) {
	client := redistest.Start(t).Client
	var limiters [2]*ryzeredis.Limiter
	for i := range limiters {
		l, err := ryzeredis.NewLimiter(client, ryzeredis.WithPatience(2*time.Second), ryzeredis.WithoutFallback())
		require.NoError(t, err)
		defer func() { require.NoError(t, l.Close()) }()
		limiters[i] = l
	}
	reset := time.Now().Add(time.Minute)
	says := func(remaining int) ryze.RateLimit {
		return ryze.RateLimit{Known: true, Limit: 8, Remaining: remaining, Reset: reset}
	}
	take := func(l *ryzeredis.Limiter) ryze.Ticket {
		t.Helper()
		ticket, err := l.Acquire(t.Context(), request())
		require.NoError(t, err)
		return ticket
	}
	take(limiters[0]).Done(says(7))
	one, two, three := take(limiters[0]), take(limiters[1]), take(limiters[0])
	three.Done(says(4)) // the service has counted one and two
	served := make(chan error, 4)
	for i := range 4 {
		go func() {
			_, err := limiters[i%2].Acquire(t.Context(), request())
			served <- err
		}()
	}
	for range 2 {
		require.NoError(t, <-served)
	}
	one.Done(says(6))
	two.Done(says(5))
	for range 2 {
		require.NoError(t, <-served)
	}
}

// Nobody wakes a process before the window ends.
func TestAWindowWithoutAWordIsNotAskedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	l, err := ryzeredis.NewLimiter(server.Client, ryzeredis.WithPatience(2*time.Second))
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	req := ryze.LimiterRequest{LimiterKey: ryze.LimiterKey{Scope: "silent", Class: ryze.RateCreate}}
	for range req.Class.Limit() {
		ticket, err := l.Acquire(t.Context(), req)
		require.NoError(t, err)
		ticket.Done(ryze.RateLimit{})
	}
	waits := make(chan struct{})
	req.MaxWait, req.OnWait = 2*time.Minute, func(time.Duration) { close(waits) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _, _ = l.Acquire(ctx, req) }()
	<-waits
	time.Sleep(1200 * time.Millisecond) // until the wait for a first word is over
	require.NoError(t, server.Client.ConfigResetStat(t.Context()).Err())
	time.Sleep(300 * time.Millisecond)
	stats, err := server.Client.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	calls := 0
	if _, stats, ok := strings.Cut(stats, "cmdstat_evalsha:calls="); ok {
		_, err := fmt.Sscan(stats[:strings.IndexByte(stats, ',')], &calls)
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, calls, 2)
}
