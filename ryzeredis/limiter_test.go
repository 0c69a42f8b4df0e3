package ryzeredis_test

import (
	"os"
	"regexp"
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

// What the script may call is in Redis 6.2, and is allowed in scripts of a cluster.
func TestScriptOfTheLimiterNeedsNothingNewerThanRedis62(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("limiter.lua")
	require.NoError(t, err)
	calls := regexp.MustCompile(`redis\.(\w+)\('?(\w*)`).FindAllStringSubmatch(string(script), -1)
	require.Len(t, calls, 4)
	for _, call := range calls {
		assert.Contains(t, []string{"call", "pcall"}, call[1])
		assert.Contains(t, []string{"TIME", "GET", "SET", "PUBLISH"}, call[2])
	}
	assert.NotContains(t, string(script), "KEYS[2]", "all is under one key")
	assert.NotRegexp(t, `\b(KEEPTTL|GETEX|EXAT|PXAT)\b|#!lua`, string(script))
}
