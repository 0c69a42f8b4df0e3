//go:build linux

// Package postgrestest starts a PostgreSQL server of a test's own, from the Debian
// package.
package postgrestest

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Server is a server on a unix socket in a directory of the test's.
type Server struct {
	// URL is what pgx connects to.
	URL     string
	dir     string
	bin     string
	account *syscall.Credential
	process *exec.Cmd
	args    []string
}

// Start starts a server, which ends with the test. Without PostgreSQL the test is
// skipped; with CI set in the environment it fails. It leaves it to the kernel when
// something reaches the disk: a process may die in a test, and the machine does not.
// Arguments of the server, such as "-c", "fsync=on", come last.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		const how = "PostgreSQL is not installed: make deps"
		if os.Getenv("CI") != "" {
			tb.Fatal(how)
		}
		tb.Skip(how)
	}
	// A unix socket's path may be 107 bytes long, and another user must reach it.
	dir, err := os.MkdirTemp("/tmp", "pg")
	require.NoError(tb, err)
	s := &Server{dir: dir, bin: filepath.Dir(slices.Max(found)), args: args}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		nobody, err := user.Lookup("nobody")
		require.NoError(tb, err)
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		s.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // ids of users
		require.NoError(tb, os.Chown(dir, uid, gid))
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "-N").CombinedOutput()
	require.NoError(tb, err, string(out))
	s.URL = "postgres://test@/postgres?host=" + dir
	s.start(tb)
	tb.Cleanup(func() { s.stop(syscall.SIGQUIT) })
	return s
}

// Database creates a database, and returns what pgx connects to.
func (s *Server) Database(tb testing.TB, name string) (url string) {
	tb.Helper()
	out, err := s.command("createdb", "-h", s.dir, "-U", "test", name).CombinedOutput()
	require.NoError(tb, err, string(out))
	return "postgres://test@/" + name + "?host=" + s.dir
}

// Restart ends the server at once, as a crash would, and starts it again.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.stop(syscall.SIGQUIT)
	s.start(tb)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...) //nolint:gosec // a program of the package
	c.Dir = s.dir
	// With the test dies the server, however the test dies.
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.account, Pdeathsig: syscall.SIGQUIT}
	return c
}

func (s *Server) start(tb testing.TB) {
	tb.Helper()
	args := []string{"-D", s.data(), "-k", s.dir, "-h", "", "-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "fsync=off"}
	s.process = s.command("postgres", append(args, s.args...)...)
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(tb, err)
	s.process.Stderr = log
	require.NoError(tb, s.process.Start())
	_ = log.Close()
	require.Eventually(tb, func() bool {
		return s.command("pg_isready", "-q", "-h", s.dir, "-U", "test", "-d", "postgres").Run() == nil
	},
		30*time.Second, 20*time.Millisecond, "the server does not come up")
}

func (s *Server) stop(how syscall.Signal) {
	_ = s.process.Process.Signal(how)
	_ = s.process.Wait()
}
