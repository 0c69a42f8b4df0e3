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

// ClusterServer is a Redis Cluster of three masters, without replicas unless there is
// a call of Replica.
type ClusterServer struct {
	// Client is connected to the cluster. It is closed with the test.
	Client *redis.ClusterClient
	Nodes  []*Server

	tb testing.TB
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
	c := &ClusterServer{tb: tb}
	ctx, cancel := context.WithTimeout(context.Background(), clusterPatience)
	defer cancel()
	for i := range clusterNodes {
		node := clusterNode(tb)
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

func clusterNode(tb testing.TB) *Server {
	tb.Helper()
	return Start(tb, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0")
}

// Node returns the master that has the slot of a key.
func (c *ClusterServer) Node(key string) *Server {
	c.tb.Helper()
	slot, err := c.Nodes[0].Client.ClusterKeySlot(context.Background(), key).Result()
	must(c.tb, err)
	i := 0
	for int(slot) >= (i+1)*clusterSlots/clusterNodes {
		i++
	}
	return c.Nodes[i]
}

// Replica gives a master a replica, which takes over when the master is away.
func (c *ClusterServer) Replica(master *Server) *Server {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clusterPatience)
	defer cancel()
	replica := clusterNode(c.tb)
	host, port, _ := net.SplitHostPort(master.Addr)
	must(c.tb, replica.Client.ClusterMeet(ctx, host, port).Err())
	id, err := master.Client.ClusterMyID(ctx).Result()
	must(c.tb, err)
	eventually(ctx, c.tb, "the replica is not known", func() bool { return replica.Client.ClusterReplicate(ctx, id).Err() == nil })
	replica.follows(ctx)
	for _, node := range c.Nodes { // all must know it, or it is not elected
		self, err := replica.Client.ClusterMyID(ctx).Result()
		must(c.tb, err)
		eventually(ctx, c.tb, "the replica is not known", func() bool {
			nodes, err := node.Client.ClusterNodes(ctx).Result()
			return err == nil && strings.Contains(nodes, self) && strings.Contains(nodes, "slave "+id)
		})
	}
	return replica
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
}
