// Package redistest starts real Redis servers for tests.
package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a redis-server that belongs to a test.
type Server struct {
	Addr string

	dir  string
	args []string
	cmd  *exec.Cmd
}

// Start starts a server on a free port. The test ends it. Without redis-server the
// test fails in CI and is skipped elsewhere.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		const text = "redis-server is missing: `make deps` installs it"
		if os.Getenv("CI") != "" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	s := &Server{dir: t.TempDir(), args: args}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	_ = l.Close()
	s.Restart(t)
	t.Cleanup(s.Kill)
	return s
}

// Restart starts the server again, with its files.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	_, port, _ := strings.Cut(s.Addr, ":")
	args := append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--logfile", filepath.Join(s.dir, "log")}, s.args...)
	s.cmd = exec.Command("redis-server", args...) //nolint:gosec // of the test
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: s.Addr})
	defer c.Close()
	for range 200 {
		if c.Ping(context.Background()).Err() == nil {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	t.Fatalf("redis-server has not started: %s", text)
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Client returns a client of the server.
func (s *Server) Client(t testing.TB) redis.UniversalClient {
	c := redis.NewClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// StartCluster starts a cluster of three nodes and returns a client.
func StartCluster(t testing.TB) redis.UniversalClient {
	t.Helper()
	ctx := context.Background()
	var addrs []string
	for i := range 3 {
		s := Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", fmt.Sprint(freePort(t)))
		addrs = append(addrs, s.Addr)
		c := redis.NewClient(&redis.Options{Addr: s.Addr})
		first, last := i*5462, min(16383, (i+1)*5462-1)
		if err := c.ClusterAddSlotsRange(ctx, first, last).Err(); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			host, port, _ := net.SplitHostPort(addrs[0])
			if err := c.Do(ctx, "CLUSTER", "MEET", host, port, busPort(t, addrs[0])).Err(); err != nil {
				t.Fatal(err)
			}
		}
		_ = c.Close()
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { _ = client.Close() })
	for range 400 {
		ok := true
		for _, a := range addrs {
			c := redis.NewClient(&redis.Options{Addr: a})
			info, err := c.ClusterInfo(ctx).Result()
			ok = ok && err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
			_ = c.Close()
		}
		if ok {
			return client
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("the cluster has not formed")
	return nil
}

func busPort(t testing.TB, addr string) string {
	c := redis.NewClient(&redis.Options{Addr: addr})
	defer c.Close()
	nodes, err := c.ClusterNodes(context.Background()).Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(nodes, "@")
	port, _, _ := strings.Cut(rest, " ")
	port, _, _ = strings.Cut(port, ",")
	return port
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
