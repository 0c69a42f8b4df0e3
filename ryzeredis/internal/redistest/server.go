// Package redistest runs real Redis servers for tests.
package redistest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	startPatience = 20 * time.Second
	startPause    = 10 * time.Millisecond
)

// Server is a redis-server of its own process, on a port of this machine. It
// keeps nothing on disk: a restart begins empty.
type Server struct {
	// Addr is the server's host and port. It stays the same across a restart.
	Addr string
	// Client is connected to the server. It is closed with the test.
	Client *redis.Client

	tb   testing.TB
	dir  string
	args func(s *Server, port string) []string

	mu  sync.Mutex
	cmd *process
}

type process struct {
	*exec.Cmd
	gone chan struct{} // closed when it has ended
	out  *bytes.Buffer
}

// Start runs a server until the test ends. Where there is no redis-server, the
// test is skipped, or fails when CI is set.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	s := startWith(tb, func(s *Server, port string) []string {
		return append([]string{
			"--port", port, "--bind", "127.0.0.1", "--dir", s.dir,
			"--save", "", "--appendonly", "no", "--daemonize", "no",
		}, args...)
	})
	s.Client = redis.NewClient(&redis.Options{Addr: s.Addr})
	tb.Cleanup(func() { _ = s.Client.Close() })
	return s
}

func startWith(tb testing.TB, args func(s *Server, port string) []string) *Server {
	tb.Helper()
	s := &Server{tb: tb, dir: tb.TempDir(), args: args}
	tb.Cleanup(s.Kill)
	for range 5 { // somebody else may take the port meanwhile
		s.Addr = freeAddr(tb)
		if s.run() {
			return s
		}
	}
	tb.Fatal("redistest: redis-server does not start")
	return nil
}

func program(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "redistest: there is no redis-server here: make deps"
	if os.Getenv("CI") != "" {
		tb.Fatal(missing)
	}
	tb.Skip(missing)
	return ""
}

// freeAddr finds a port that is free, also for the bus of a cluster, which is
// 10000 above it.
func freeAddr(tb testing.TB) string {
	tb.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal("redistest: ", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if port > 55000 {
			port -= 20000
		}
		free := true
		for _, p := range []int{port, port + 10000} {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(p))
			if err != nil {
				free = false
				continue
			}
			_ = l.Close()
		}
		if free {
			return "127.0.0.1:" + strconv.Itoa(port)
		}
	}
	tb.Fatal("redistest: there is no free port")
	return ""
}

// run starts the process and waits until it answers.
func (s *Server) run() bool {
	s.tb.Helper()
	path := program(s.tb)
	_, port, _ := net.SplitHostPort(s.Addr)
	p := &process{Cmd: exec.Command(path, s.args(s, port)...), gone: make(chan struct{}), out: new(bytes.Buffer)}
	p.Stdout, p.Stderr = p.out, p.out
	dieWithParent(p.Cmd)
	started := make(chan error)
	go func() {
		// The signal at the parent's death comes when the thread ends that has
		// started the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.Start()
		started <- err
		if err == nil {
			_ = p.Wait()
			close(p.gone)
		}
	}()
	if err := <-started; err != nil {
		s.tb.Fatal("redistest: ", err)
	}
	s.mu.Lock()
	s.cmd = p
	s.mu.Unlock()

	client := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, DialerRetries: 1})
	defer client.Close()
	for began := time.Now(); time.Since(began) < startPatience; {
		if client.Ping(context.Background()).Err() == nil {
			return true
		}
		select {
		case <-p.gone:
			s.tb.Logf("redistest: redis-server ended: %s", p.out)
			return false
		case <-time.After(startPause):
		}
	}
	s.Kill()
	return false
}

// Kill ends the server by SIGKILL, and waits until it has ended. What it held is
// lost.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.cmd.gone
		s.cmd = nil
	}
}

// Restart starts the server anew at the same address, empty, after Kill or
// instead of it.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	for range 5 {
		if s.run() {
			return
		}
	}
	s.tb.Fatal("redistest: redis-server does not start again")
}

// Stop halts the server by SIGSTOP: connections stay open, and nothing answers.
func (s *Server) Stop() { s.signal(syscall.SIGSTOP) }

// Cont lets a halted server go on.
func (s *Server) Cont() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.tb.Fatal("redistest: the server does not run")
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatal("redistest: ", err)
	}
}
