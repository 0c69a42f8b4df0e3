package outbox

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// template is a file that is migrated. That takes the race detector a second.
var template = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "template")
	if err != nil {
		return nil
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "outbox.db")
	o, err := OpenSQLite(path, nobody)
	if err != nil || o.Close() != nil {
		return nil
	}
	made, _ := os.ReadFile(path)
	return made
})

// emptyFile is the path of an outbox without messages.
func emptyFile(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "out box?#%.db")
	require.NotEmpty(tb, template())
	require.NoError(tb, os.WriteFile(path, template(), 0o600))
	return path
}

func sqliteOutbox(tb testing.TB, open Open, opts ...Option) *Outbox {
	tb.Helper()
	o, err := OpenSQLite(emptyFile(tb), open, opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, o.Close()) })
	return o
}

func nobody(context.Context, string) (*ryze.InstanceClient, error) { return nil, errors.New("nobody") }

func hello(key string) Message {
	return Message{Key: key, Instance: "shop", To: "5511987654321", Content: ryze.Text("Hello")}
}

func TestBadMessagesAreRefusedBeforeTheyAreStored(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody)
	for name, spoil := range map[string]func(*Message){
		"no key":             func(m *Message) { m.Key = "" },
		"key of 10 KB":       func(m *Message) { m.Key = strings.Repeat("k", 10<<10) },
		"key with a NUL":     func(m *Message) { m.Key = "a\x00b" },
		"key not UTF-8":      func(m *Message) { m.Key = "\xff" },
		"delay of years":     func(m *Message) { m.Delay = math.MaxInt64 },
		"no instance":        func(m *Message) { m.Instance = "" },
		"instance of 10 KB":  func(m *Message) { m.Instance = strings.Repeat("i", 10<<10) },
		"recipient of 9 KB":  func(m *Message) { m.To = ryze.JID(strings.Repeat("1", 9<<10) + "@lid") },
		"no recipient":       func(m *Message) { m.To = "" },
		"wrong recipient":    func(m *Message) { m.To = "somebody" },
		"no content":         func(m *Message) { m.Content = nil },
		"empty text":         func(m *Message) { m.Content = ryze.Text("") },
		"one-shot reader":    func(m *Message) { m.Content = ryze.Media{Source: ryze.MediaReader("x.png", strings.NewReader("x"))} },
		"mention of nobody":  func(m *Message) { m.Mention = []ryze.JID{"5511987654321"} },
		"negative delay":     func(m *Message) { m.Delay = -1 },
		"private to nothing": func(m *Message) { m.ReplyPrivate = true },
		"expired before":     func(m *Message) { m.NotBefore, m.ExpiresAt = time.Now().Add(time.Hour), time.Now() },
		"year 12000":         func(m *Message) { m.NotBefore = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			m := hello("k")
			spoil(&m)
			_, err := o.Add(t.Context(), m)
			require.ErrorIs(t, err, ryze.ErrInvalidArgument)
		})
	}
	stats, err := o.Stats(t.Context())
	require.NoError(t, err)
	assert.Empty(t, stats)
	for _, key := range []string{"", strings.Repeat("k", 10<<10), "a\x00b"} {
		_, err = o.Get(t.Context(), key)
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
		_, err = o.Wait(t.Context(), key)
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
		_, err = o.Cancel(t.Context(), key)
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
		_, err = o.Resolve(t.Context(), key, GiveUp())
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	}
	_, err = o.Add(t.Context(), hello(strings.Repeat("k", 512)))
	require.NoError(t, err)
}

func TestPathThatNamesNoFileIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{"", ":memory:", filepath.Join(dir, "a\x00b")} {
		o, err := OpenSQLite(path, nobody)
		if err == nil {
			assert.NoError(t, o.Close())
		}
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	}
	assert.NoFileExists(t, filepath.Join(dir, "a"))
}

func TestTransactionThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody)
	_, err := o.AddSQLTx(t.Context(), nil, hello("k"))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	_, err = o.AddTx(t.Context(), nil, hello("k"))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
}

func TestSameKeyIsSameMessageOrAnError(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody)
	first, err := o.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	other := hello("k")
	other.To = "551187654321" // the same person, without the ninth digit
	again, err := o.Add(t.Context(), other)
	require.NoError(t, err)
	assert.Equal(t, first.ID, again.ID)
	other.Content = ryze.Text("Good bye")
	_, err = o.Add(t.Context(), other)
	require.ErrorIs(t, err, ErrKeyReused)
	other = hello("k")
	other.To = "5511987654322"
	_, err = o.Add(t.Context(), other)
	require.ErrorIs(t, err, ErrKeyReused)
}

func TestSecondUserOfTheFileIsTold(t *testing.T) {
	t.Parallel()
	path := emptyFile(t)
	o, err := OpenSQLite(path, nobody)
	require.NoError(t, err)
	_, err = OpenSQLite(path, nobody)
	require.ErrorIs(t, err, ErrInUse)
	_, err = o.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	require.NoError(t, o.Close())
	o, err = OpenSQLite(path, nobody)
	require.NoError(t, err)
	_, err = o.Get(t.Context(), "k")
	require.NoError(t, err)
	require.NoError(t, o.Close())
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"ours":    `INSERT INTO ryze_outbox_migration (version) VALUES (1000)`,
		"River's": `INSERT INTO river_migration (line, version) VALUES ('main', 1000)`,
	} {
		t.Run(name, func(t *testing.T) {
			path := emptyFile(t)
			o, err := OpenSQLite(path, nobody)
			require.NoError(t, err)
			_, err = o.DB().ExecContext(t.Context(), query)
			require.NoError(t, err)
			require.NoError(t, o.Close())
			_, err = OpenSQLite(path, nobody)
			require.ErrorIs(t, err, ErrNewerSchema)
		})
	}
}

func TestStoreThatCannotBeWrittenIsTold(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody)
	_, err := o.Add(t.Context(), hello("first"))
	require.NoError(t, err)
	for pragma, want := range map[string]error{"query_only": ErrReadOnly, "max_page_count": ErrFull} {
		_, err = o.DB().ExecContext(t.Context(), "PRAGMA "+pragma+" = 1")
		require.NoError(t, err)
		big := hello(pragma)
		big.Content = ryze.Text(strings.Repeat("long ", 800))
		for range 100 {
			big.Key += "x"
			if _, err = o.Add(t.Context(), big); err != nil {
				break
			}
		}
		require.ErrorIs(t, err, want)
		_, err = o.DB().ExecContext(t.Context(), "PRAGMA "+pragma+" = "+map[error]string{ErrReadOnly: "0", ErrFull: "1000000"}[want])
		require.NoError(t, err)
		_, err = o.Add(t.Context(), hello(pragma+"-after"))
		require.NoError(t, err)
	}
	_, err = o.Get(t.Context(), "first")
	require.NoError(t, err)
}

// SQLite says only that it cannot open it.
func TestPlaceThatCannotHaveAFileIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link, loop := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "loop")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink(filepath.Join("gone", "outbox.db"), link))
	require.NoError(t, os.Symlink("loop", loop))
	for path, named := range map[string]string{
		filepath.Join(dir, "no", "such", "x.db"): filepath.Join(dir, "no", "such"),
		filepath.Join(dir, "no") + "/":           "",
		link:                                     filepath.Join(dir, "gone"),
		loop:                                     loop,
		dir:                                      dir,
		filepath.Join(file, "outbox.db"):         file,
		filepath.Join(dir, strings.Repeat("n", 5000)): "name too long",
	} {
		o, err := OpenSQLite(path, nobody)
		if named == "" { // it is the file "no"
			require.NoError(t, err)
			require.NoError(t, o.Close())
			require.NoError(t, os.Remove(filepath.Join(dir, "no")))
			continue
		}
		require.ErrorContains(t, err, named)
		require.NotErrorIs(t, err, ErrReadOnly)
	}
	_, err := OpenSQLite(filepath.Join(dir, "no", "such", "x.db"), nobody)
	require.ErrorIs(t, err, fs.ErrNotExist)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = OpenSQLite(filepath.Join(dir, "outbox.db"), nobody, WithContext(ended))
	require.ErrorIs(t, err, context.Canceled)
}

// Root may write any file, so the thread that opens it becomes another user.
func TestFileThatMayNotBeWrittenIsTold(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "outbox.db")
	o, err := OpenSQLite(path, nobody)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	require.NoError(t, os.Chmod(path, 0o444))
	require.NoError(t, os.Chmod(dir, 0o555))
	defer func() { require.NoError(t, os.Chmod(dir, 0o700)) }()
	if os.Getuid() == 0 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		require.NoError(t, syscall.Setfsuid(65534))
		defer func() { require.NoError(t, syscall.Setfsuid(0)) }()
	}
	_, err = OpenSQLite(path, nobody)
	require.ErrorIs(t, err, ErrReadOnly)
	_, err = OpenSQLite(filepath.Join(dir, "another.db"), nobody)
	require.ErrorIs(t, err, ErrReadOnly)
}

// The other process is killed, and then the file is free.
func TestSecondProcessIsToldThatTheFileIsInUse(t *testing.T) {
	t.Parallel()
	path := emptyFile(t)
	crew := &crew{t: t, store: path, s: simulated(t), all: make([]*exec.Cmd, 1)}
	defer crew.kill(0)
	require.NoError(t, crew.hire(0))
	_, err := OpenSQLite(path, nobody)
	require.ErrorIs(t, err, ErrInUse)
	crew.kill(0)
	o, err := OpenSQLite(path, nobody)
	require.NoError(t, err)
	require.NoError(t, o.Close())
}

func TestFileThatIsNoDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "letter.txt")
	letter := []byte(strings.Repeat("Dear Ana, ", 1000))
	require.NoError(t, os.WriteFile(path, letter, 0o600))
	_, err := OpenSQLite(path, nobody)
	require.Error(t, err)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, letter, kept)
}

func TestClockThatWasSetBackHoldsNothingUp(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody, short)
	setBack(t, o, nil)
}

// setBack adds messages while the clock is a day ahead.
func setBack(t *testing.T, o *Outbox, pool *pgxpool.Pool) {
	t.Helper()
	s := simulated(t)
	o.open = s.open
	future := time.Now().Add(24 * time.Hour)
	held := hello("held by a clock that was ahead")
	held.To = "5511987654322"
	unknown := hello("unknown")
	unknown.To = "5511987654323"
	planned := hello("planned")
	planned.NotBefore, planned.To = future, "5511987654324"
	for _, m := range []Message{hello("k"), held, unknown, planned} {
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := o.store.exec(t.Context(), query, args...)
		require.NoError(t, err)
	}
	exec(`UPDATE ryze_outbox SET added_at = added_at + 86400000, next_at = next_at + 86400000 WHERE message_key <> 'planned'`)
	exec(`UPDATE ryze_outbox SET added_at = $1, next_at = $1 WHERE message_key = 'planned'`, millis(future))
	exec(`UPDATE ryze_outbox SET state = 'unknown', sent_at = $1 WHERE message_key = 'unknown'`, millis(future))
	exec(sqlHold, "shop", millis(future), "gone")
	if pool != nil {
		exec(`UPDATE river_job SET scheduled_at = scheduled_at + interval '1 day', state = 'scheduled'`)
		exec(`INSERT INTO river_leader (elected_at, expires_at, leader_id) VALUES (now() + interval '1 day', now() + interval '2 days', 'dead')`)
	} else {
		exec(`UPDATE river_job SET scheduled_at = datetime(scheduled_at, '+1 day'), state = 'scheduled'`)
		exec(`INSERT INTO river_leader (elected_at, expires_at, leader_id, name) VALUES (datetime('now', '+1 day'), datetime('now', '+2 days'), 'dead', 'default')`)
	}
	run(t, o)
	assert.Equal(t, Sent, wait(t, o, "k").State)
	assert.Equal(t, Sent, wait(t, o, held.Key).State)
	e := wait(t, o, "unknown")
	assert.Equal(t, Unknown, e.State)
	assert.NotEmpty(t, e.Reason)
	e, err := o.Get(t.Context(), "planned")
	require.NoError(t, err)
	assert.Equal(t, Queued, e.State)
	assert.Equal(t, millis(future), millis(e.NextAt))
	require.Eventually(t, func() bool { // of those who live
		var leader string
		_, err := one(t.Context(), o.store, `SELECT leader_id FROM river_leader`, nil, &leader)
		return err == nil && leader != "dead" && leader != ""
	}, 30*time.Second, 50*time.Millisecond)
}

func TestClockThatJumpsIsNoticed(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for jump, want := range map[time.Duration]time.Duration{
		0: time.Hour, time.Second: time.Hour, 24 * time.Hour: 0, -24 * time.Hour: 0,
	} {
		var c clock
		c.check(start, 0)
		assert.Equal(t, time.Minute, c.check(start.Add(time.Minute), time.Minute))
		assert.Equal(t, want, c.check(start.Add(time.Hour+jump), time.Hour), jump)
		assert.Equal(t, want+time.Minute, c.check(start.Add(time.Hour+jump+time.Minute), time.Hour+time.Minute), jump)
	}
}

// Whoever has the table cannot try out codes, and the key is still that of one message.
func TestForgottenContentCannotBeGuessed(t *testing.T) {
	t.Parallel()
	sealer := func() Option {
		block, err := aes.NewCipher(make([]byte, 32))
		require.NoError(t, err)
		aead, err := cipher.NewGCM(block)
		require.NoError(t, err)
		return WithCipher(aead)
	}
	secret := WithForget([]byte("0123456789abcdef"))
	for name, row := range map[string]struct{ before, after []Option }{
		"forget":             {[]Option{secret}, []Option{secret}},
		"cipher":             {[]Option{sealer()}, []Option{sealer()}},
		"both":               {[]Option{sealer(), secret}, []Option{sealer(), secret}},
		"forget from now on": {nil, []Option{secret}},
		"cipher, and forget": {[]Option{sealer()}, []Option{sealer(), secret}},
	} {
		t.Run(name, func(t *testing.T) {
			path := emptyFile(t)
			o, err := OpenSQLite(path, nobody, row.before...)
			require.NoError(t, err)
			code := hello("k")
			code.Content = ryze.Text(strings.Repeat("A long text. ", 310) + "Your code is 123456")
			n, err := o.compose(t.Context(), code)
			require.NoError(t, err)
			_, err = o.Add(t.Context(), code)
			require.NoError(t, err)
			require.NoError(t, o.Close())
			o, err = OpenSQLite(path, nobody, row.after...)
			require.NoError(t, err)
			same, err := o.Add(t.Context(), code)
			require.NoError(t, err)
			require.NoError(t, o.move(t.Context(), same, step{to: Sent}))

			var left []byte
			require.NoError(t, o.DB().QueryRowContext(t.Context(), "SELECT fingerprint FROM ryze_outbox").Scan(&left))
			assert.False(t, bytes.Contains(left, n.fingerprint))
			_, err = o.Add(t.Context(), code)
			require.NoError(t, err)
			other := code
			other.Content = ryze.Text("Your code is 654321")
			_, err = o.Add(t.Context(), other)
			require.ErrorIs(t, err, ErrKeyReused)
			require.NoError(t, o.Close())
			if len(row.after) > len(row.before) {
				return // its pages were not overwritten before
			}
			for _, file := range []string{path, path + "-wal"} {
				b, _ := os.ReadFile(file)
				assert.False(t, bytes.Contains(b, n.fingerprint), file)
				assert.False(t, bytes.Contains(b, []byte("123456")), file)
			}
		})
	}
	_, err := OpenSQLite(filepath.Join(t.TempDir(), "outbox.db"), nobody, WithForget([]byte("short")))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
}

func TestMessageIsTakenWithTheCallersTransaction(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody)
	for _, commits := range []bool{false, true} {
		tx, err := o.DB().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = o.AddSQLTx(t.Context(), tx, hello("k"))
		require.NoError(t, err)
		if commits {
			require.NoError(t, tx.Commit())
		} else {
			require.NoError(t, tx.Rollback())
		}
		_, err = o.Get(t.Context(), "k")
		if commits {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrNotFound)
		}
	}
	_, err := o.AddTx(t.Context(), nil, hello("other"))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
}

func TestContentsAreEncryptedAndForgotten(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	block, err := aes.NewCipher(make([]byte, 32))
	require.NoError(t, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(t, err)
	o := sqliteOutbox(t, s.open, WithCipher(aead), WithForget([]byte("a secret of a test")))
	_, err = o.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	stored := func() (b sql.RawBytes) {
		var content []byte
		require.NoError(t, o.DB().QueryRowContext(t.Context(), "SELECT content FROM ryze_outbox").Scan(&content))
		return content
	}
	assert.NotEmpty(t, stored())
	assert.False(t, bytes.Contains(stored(), []byte("Hello")))
	run(t, o)
	e := wait(t, o, "k")
	assert.Equal(t, Sent, e.State)
	assert.Empty(t, stored())
	_, err = o.Add(t.Context(), hello("k")) // the key is remembered
	require.NoError(t, err)
}

// The file beside the database has what was written last, for as long as it is open.
func TestForgottenContentIsInNoFile(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	path := emptyFile(t)
	o, err := OpenSQLite(path, s.open, short, WithForget([]byte("a secret of a test")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	occurs := func() (n int) {
		for _, name := range []string{path, path + "-wal"} {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			n += bytes.Count(b, []byte("4711 is your code"))
		}
		return n
	}
	for i := range 10 {
		m := hello(fmt.Sprint(i))
		m.Content = ryze.Text("4711 is your code")
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
	}
	assert.NotZero(t, occurs())
	run(t, o)
	for i := range 10 {
		assert.Equal(t, Sent, wait(t, o, fmt.Sprint(i)).State)
	}
	assert.Eventually(t, func() bool { return occurs() == 0 }, 5*time.Second, 50*time.Millisecond)
}

func wait(tb testing.TB, o *Outbox, key string) *Entry {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	defer cancel()
	e, err := o.Wait(ctx, key)
	require.NoError(tb, err)
	return e
}

func TestRecipientGetsMessagesInTheirOrder(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o := sqliteOutbox(t, s.open, short)
	var want []string
	for i := range 12 {
		m := hello(strings.Repeat("k", i+1))
		m.Content, m.Priority = ryze.Text(m.Key), ryze.Priority(100*(i%3-1))
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
		want = append(want, m.Key)
	}
	s.Fault("messages.text", rateLimited(), ryzetest.Fault{Delay: 20 * time.Millisecond})
	run(t, o)
	for _, key := range want {
		assert.Equal(t, Sent, wait(t, o, key).State)
	}
	var got []string
	for _, m := range s.phone.Sent() {
		got = append(got, m.Text)
	}
	assert.Equal(t, want, got)
}

func TestExpiredCanceledAndRefusedAreNotSent(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o := sqliteOutbox(t, s.open, short)
	late, taken, wrong := hello("late"), hello("taken back"), hello("refused")
	late.ExpiresAt = time.Now().Add(50 * time.Millisecond)
	taken.NotBefore = time.Now().Add(time.Hour)
	wrong.To = "5511987000007"
	s.SetUnreachable("5511987000007", "551187000007")
	for _, m := range []Message{late, taken, wrong} {
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
	}
	e, err := o.Cancel(t.Context(), taken.Key)
	require.NoError(t, err)
	assert.Equal(t, Canceled, e.State)
	time.Sleep(60 * time.Millisecond) // past ExpiresAt, on SQLite's clock too
	run(t, o)
	assert.Equal(t, Expired, wait(t, o, late.Key).State)
	assert.Equal(t, Failed, wait(t, o, wrong.Key).State)
	_, err = o.Cancel(t.Context(), late.Key)
	require.ErrorIs(t, err, ErrTooLate)
	assert.Empty(t, s.phone.Sent())
}

func TestPersonResolvesWhatIsUnknown(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o := sqliteOutbox(t, s.open, short)
	run(t, o)
	unknown := func(key string) {
		m := hello(key)
		m.NotBefore = time.Now().Add(time.Hour)
		e, err := o.Add(t.Context(), m)
		require.NoError(t, err)
		_, err = o.Resolve(t.Context(), key, SendAgain()) // it is queued: there is nothing to resolve
		require.NoError(t, err)
		_, err = o.Resolve(t.Context(), key, GiveUp())
		require.ErrorIs(t, err, ErrTooLate)
		require.NoError(t, o.move(t.Context(), e, step{to: Unknown, reason: "nobody knows"}))
	}
	for key, row := range map[string]struct {
		how  Resolution
		want State
		id   string
	}{
		"sent":         {WasSent("3EB0"), Sent, "3EB0"},
		"sent somehow": {WasSent(""), Sent, ""},
		"given up":     {GiveUp(), Failed, ""},
	} {
		unknown(key)
		for range 2 { // it may be said twice
			e, err := o.Resolve(t.Context(), key, row.how)
			require.NoError(t, err)
			assert.Equal(t, row.want, e.State)
			assert.Equal(t, row.id, e.MessageID)
			assert.True(t, e.Settled())
		}
		_, err := o.Cancel(t.Context(), key)
		require.ErrorIs(t, err, ErrTooLate)
	}
	_, err := o.Resolve(t.Context(), "sent", SendAgain())
	require.ErrorIs(t, err, ErrTooLate)
	_, err = o.Resolve(t.Context(), "sent", Resolution{})
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	_, err = o.Resolve(t.Context(), "never added", GiveUp())
	require.ErrorIs(t, err, ErrNotFound)
	assert.Empty(t, s.phone.Sent())
}

func TestPersonHasSomethingSentAgain(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o := sqliteOutbox(t, s.open, short)
	run(t, o)
	for _, state := range []State{Unknown, Failed} {
		m := hello(string(state))
		m.NotBefore = time.Now().Add(time.Hour)
		e, err := o.Add(t.Context(), m)
		require.NoError(t, err)
		e.NotBefore = time.Time{}
		_, err = o.store.exec(t.Context(), `UPDATE ryze_outbox SET not_before = 0 WHERE id = $1`, e.ID)
		require.NoError(t, err)
		require.NoError(t, o.move(t.Context(), e, step{to: state, reason: "nobody knows"}))
		_, err = o.Resolve(t.Context(), m.Key, SendAgain())
		require.NoError(t, err)
		assert.Equal(t, Sent, wait(t, o, m.Key).State)
	}
	assert.Len(t, s.phone.Sent(), 2)
}

// One content that this program cannot read holds up nobody but its recipient.
func TestContentThatCannotBeReadWaitsForWhoCan(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o := sqliteOutbox(t, s.open, short)
	other := hello("other")
	other.To = "5511987654322"
	for _, m := range []Message{hello("sending"), hello("queued"), other} {
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
	}
	const newer = `{"version":1000,"kind":"text","content":{"text":"Hello"}}`
	change := func(query string, args ...any) {
		_, err := o.DB().ExecContext(t.Context(), query, args...)
		require.NoError(t, err)
	}
	change(`UPDATE ryze_outbox SET content = ? WHERE message_key <> 'other'`, []byte(newer))
	change(`UPDATE ryze_outbox SET state = 'sending', sent_at = ?, next_at = 1 WHERE message_key = 'sending'`, time.Now().UnixMilli())
	run(t, o)
	assert.Equal(t, Sent, wait(t, o, "other").State)
	told := func(key string, state State) func() bool {
		return func() bool {
			e, err := o.Get(t.Context(), key)
			return err == nil && e.State == state && e.Content == nil && strings.Contains(e.Reason, "cannot be read")
		}
	}
	require.Eventually(t, told("sending", Unknown), 20*time.Second, 20*time.Millisecond)
	require.Eventually(t, told("queued", Queued), 20*time.Second, 20*time.Millisecond)
	for e, err := range o.Entries(t.Context(), Filter{}) {
		require.NoError(t, err)
		assert.NotEmpty(t, e.Key)
	}
	assert.Len(t, s.phone.Sent(), 1)
}

// An echo is a proof, also against what somebody has said or a look has found.
func TestEchoSettlesAMessageInAnyState(t *testing.T) {
	t.Parallel()
	for _, state := range []State{Queued, Sending, Unknown, Failed, Expired, Canceled} {
		o := sqliteOutbox(t, simulated(t).open)
		e, err := o.Add(t.Context(), hello("k"))
		require.NoError(t, err)
		require.NoError(t, o.move(t.Context(), e, step{to: state, reason: "so it seemed"}))
		echo := &ryze.Event{Instance: "shop", Data: &ryze.MessageEvent{ID: "3EB0", Direction: ryze.DirectionOutgoing, Source: e.Source}}
		require.NoError(t, o.Observe(t.Context(), echo))
		assert.Equal(t, Sent, wait(t, o, "k").State, state)
	}
}

func TestEchoSettlesAnUnknownMessage(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o := sqliteOutbox(t, s.open)
	e, err := o.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	require.NoError(t, o.move(t.Context(), e, step{to: Unknown, next: time.Now().Add(time.Hour), reason: "lost"}))
	echo := &ryze.Event{Instance: "shop", Data: &ryze.MessageEvent{ID: "3EB0", Direction: ryze.DirectionOutgoing, Source: e.Source}}
	require.NoError(t, o.Observe(t.Context(), echo))
	require.NoError(t, o.Observe(t.Context(), &ryze.Event{Instance: "shop", Data: &ryze.ReceiptEvent{MessageIDs: []string{"3EB0"}, Status: ryze.StatusRead}}))
	e = wait(t, o, "k")
	assert.Equal(t, Sent, e.State)
	assert.Equal(t, "3EB0", e.MessageID)
	assert.False(t, e.ReadAt.IsZero())
}
