package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	sentinels      = 3
	sentinelMaster = "ryze"
)

// SentinelServers are a master, its replica, and three Sentinels that promote the
// replica within some seconds when the master is away.
type SentinelServers struct {
	Master, Replica *Server
	addrs           []string // of the Sentinels
	tb              testing.TB
}

// Sentinel runs the servers until the test ends. See [Start] for what happens where
// there is no redis-server.
func Sentinel(tb testing.TB) *SentinelServers {
	tb.Helper()
	s := &SentinelServers{tb: tb, Master: Start(tb, "--repl-diskless-sync-delay", "0")}
	s.Replica = replicaOf(tb, s.Master)
	host, port, _ := net.SplitHostPort(s.Master.Addr)
	var nodes []*Server
	for range sentinels {
		node := startWith(tb, func(s *Server, own string) []string {
			config := filepath.Join(s.dir, "sentinel.conf") // it is rewritten by the Sentinel
			text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor %s %s %s 2\nsentinel down-after-milliseconds %[3]s 600\nsentinel failover-timeout %[3]s 4000\n",
				own, s.dir, sentinelMaster, host, port)
			must(tb, os.WriteFile(config, []byte(text), 0o600))
			return []string{config, "--sentinel"}
		})
		nodes, s.addrs = append(nodes, node), append(s.addrs, node.Addr)
	}
	ctx, cancel := context.WithTimeout(context.Background(), clusterPatience)
	defer cancel()
	for _, node := range nodes {
		client := redis.NewSentinelClient(&redis.Options{Addr: node.Addr})
		defer client.Close()
		eventually(ctx, tb, "the Sentinels do not know each other", func() bool {
			master, err := client.Master(ctx, sentinelMaster).Result()
			return err == nil && master["num-other-sentinels"] == "2" && master["num-slaves"] == "1" && master["flags"] == "master"
		})
	}
	return s
}

// Client returns a client that finds the master by the Sentinels. It is closed with
// the test.
func (s *SentinelServers) Client() redis.UniversalClient {
	client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: sentinelMaster, SentinelAddrs: s.addrs})
	s.tb.Cleanup(func() { _ = client.Close() })
	return client
}

// replicaOf runs a replica, and waits until it has what the master has.
func replicaOf(tb testing.TB, master *Server) *Server {
	tb.Helper()
	host, port, _ := net.SplitHostPort(master.Addr)
	replica := Start(tb, "--replicaof", host, port, "--repl-diskless-sync-delay", "0")
	ctx, cancel := context.WithTimeout(context.Background(), clusterPatience)
	defer cancel()
	replica.follows(ctx)
	return replica
}

// follows waits until a replica is connected to its master.
func (s *Server) follows(ctx context.Context) {
	s.tb.Helper()
	eventually(ctx, s.tb, "the replica is not connected", func() bool {
		info, err := s.Client.Info(ctx, "replication").Result()
		return err == nil && strings.Contains(info, "role:slave") && strings.Contains(info, "master_link_status:up")
	})
}

// Promoted waits until a replica has become a master.
func (s *Server) Promoted(ctx context.Context) {
	s.tb.Helper()
	eventually(ctx, s.tb, "the replica is not promoted", func() bool {
		info, err := s.Client.Info(ctx, "replication").Result()
		return err == nil && strings.Contains(info, "role:master")
	})
}

func eventually(ctx context.Context, tb testing.TB, otherwise string, is func() bool) {
	tb.Helper()
	for !is() {
		select {
		case <-time.After(startPause):
		case <-ctx.Done():
			tb.Fatal("redistest: ", otherwise)
		}
	}
}
