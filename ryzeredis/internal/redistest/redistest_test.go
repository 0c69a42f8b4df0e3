package redistest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

func TestServerIsKilledStoppedAndRestarted(t *testing.T) {
	server := redistest.Start(t)
	ctx := t.Context()
	require.NoError(t, server.Client.Set(ctx, "a", "b", 0).Err())
	server.Stop()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	require.Error(t, server.Client.Get(short, "a").Err())
	server.Cont()
	require.NoError(t, server.Client.Get(ctx, "a").Err())
	server.Kill()
	require.Error(t, server.Client.Get(ctx, "a").Err())
	server.Restart()
	n, err := server.Client.DBSize(ctx).Result()
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestClusterHoldsKeysOnAllNodes(t *testing.T) {
	cluster := redistest.Cluster(t)
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		require.NoError(t, cluster.Client.Set(t.Context(), key, key, 0).Err())
	}
	for _, node := range cluster.Nodes {
		n, err := node.Client.DBSize(t.Context()).Result()
		require.NoError(t, err)
		assert.NotZero(t, n)
	}
}
