package pglocks_test

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/pglocks"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// startPostgres starts a server of the test's own and returns its URL.
func startPostgres(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL is not installed: make deps")
		}
		t.Skip("PostgreSQL is not installed: make deps")
	}
	dir, err := os.MkdirTemp("/tmp", "pg") //nolint:usetesting // the path of a unix socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	account := &syscall.SysProcAttr{}
	if os.Getuid() == 0 { // it refuses to run as root
		nobody, err := user.Lookup("nobody")
		require.NoError(t, err)
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		require.NoError(t, os.Chown(dir, uid, gid))
		account.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(filepath.Dir(slices.Max(found)), name), args...) //nolint:noctx // a program of the package; the server outlives the start
		c.Dir, c.SysProcAttr = dir, account
		return c
	}
	out, err := command("initdb", "-D", "data", "-U", "test", "-A", "trust", "-N").CombinedOutput()
	require.NoError(t, err, string(out))
	server := command("postgres", "-D", "data", "-k", dir, "-h", "", "-c", "shared_buffers=16MB", "-c", "fsync=off", "-c", "max_connections=300")
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		_ = server.Wait()
	})
	url := "postgres://test@/postgres?host=" + dir
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(context.Background(), url)
		if err == nil {
			_ = conn.Close(context.Background())
		}
		return err == nil
	}, 30*time.Second, 20*time.Millisecond, "the server does not come up")
	return url
}

func open(t *testing.T, url string) *pglocks.Locks {
	t.Helper()
	locks, err := pglocks.Open(t.Context(), url+"&pool_max_conns=20")
	require.NoError(t, err)
	return locks
}

func TestLocksOnPostgresKeepTheRules(t *testing.T) {
	url := startPostgres(t)
	ryzetest.TestChatLocks(t, func() ryze.ChatLocks { return open(t, url) }, ryzetest.ChatLockRules{Shared: true})
}

// A server that ends a connection gives its lock to the next one.
func TestLockOfAConnectionThatWasEndedIsLostAndPasses(t *testing.T) {
	url := startPostgres(t)
	one, two := open(t, url), open(t, url)
	lock, err := one.Lock(t.Context(), []string{"chat"}, func() {})
	require.NoError(t, err)
	placed, next := make(chan struct{}), make(chan ryze.ChatLock, 1)
	go func() {
		lock, err := two.Lock(t.Context(), []string{"chat", "other name"}, func() { close(placed) })
		if err == nil {
			next <- lock
		}
	}()
	<-placed
	admin, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), `
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' ORDER BY objid LIMIT 1`)
	require.NoError(t, err)
	<-lock.Lost()
	require.ErrorIs(t, lock.Unlock(t.Context()), ryze.ErrChatLockLost)
	require.NoError(t, (<-next).Unlock(t.Context()))
}
