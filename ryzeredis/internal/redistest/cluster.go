package redistest

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	clusterNodes    = 3
	clusterSlots    = 16384
	clusterPatience = 30 * time.Second
)

// ClusterServer is a Redis Cluster of three masters without replicas.
type ClusterServer struct {
	// Client is connected to the cluster. It is closed with the test.
	Client *redis.ClusterClient
	Nodes  []*Server
}

// Addrs returns the addresses of the nodes.
func (c *ClusterServer) Addrs() []string {
	addrs := make([]string, 0, len(c.Nodes))
	for _, node := range c.Nodes {
		addrs = append(addrs, node.Addr)
	}
	return addrs
}

// Cluster runs a cluster until the test ends. See [Start] for what happens where
// there is no redis-server.
func Cluster(tb testing.TB) *ClusterServer {
	tb.Helper()
	c := &ClusterServer{}
	ctx, cancel := context.WithTimeout(context.Background(), clusterPatience)
	defer cancel()
	for i := range clusterNodes {
		node := Start(tb, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000")
		c.Nodes = append(c.Nodes, node)
		first, next := i*clusterSlots/clusterNodes, (i+1)*clusterSlots/clusterNodes
		must(tb, node.Client.ClusterAddSlotsRange(ctx, first, next-1).Err())
		must(tb, node.Client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
	}
	for _, node := range c.Nodes[1:] {
		host, port, _ := net.SplitHostPort(node.Addr)
		must(tb, c.Nodes[0].Client.ClusterMeet(ctx, host, port).Err())
	}
	for _, node := range c.Nodes {
		for {
			info, err := node.Client.ClusterInfo(ctx).Result()
			must(tb, err)
			if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_ok:16384") {
				break
			}
			select {
			case <-time.After(startPause):
			case <-ctx.Done():
				tb.Fatalf("redistest: the cluster does not come up: %s", info)
			}
		}
	}
	c.Client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()})
	tb.Cleanup(func() { _ = c.Client.Close() })
	return c
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
}
