package ryzeredis_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
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
	}, ryzetest.LimiterRules{Shared: true})
}

func TestLimiterKeepsTheRules(t *testing.T) { keepsTheRules(t, redistest.Start(t).Client) }

func TestLimiterKeepsTheRulesOnACluster(t *testing.T) { keepsTheRules(t, redistest.Cluster(t).Client) }
