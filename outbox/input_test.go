package outbox

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func sqliteOutbox(t testing.TB, open Open, opts ...Option) *Outbox {
	t.Helper()
	o, err := OpenSQLite(filepath.Join(t.TempDir(), "out box?#%.db"), open, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	return o
}

func nobody(context.Context, string) (*ryze.InstanceClient, error) { return nil, errors.New("nobody") }

func hello(key string) Message {
	return Message{Key: key, Instance: "shop", To: "5511987654321", Content: ryze.Text("Hello")}
}

func TestBadMessagesAreRefusedBeforeTheyAreStored(t *testing.T) {
	o := sqliteOutbox(t, nobody)
	for name, spoil := range map[string]func(*Message){
		"no key":             func(m *Message) { m.Key = "" },
		"key of 10 KB":       func(m *Message) { m.Key = strings.Repeat("k", 10<<10) },
		"key with a NUL":     func(m *Message) { m.Key = "a\x00b" },
		"key not UTF-8":      func(m *Message) { m.Key = "\xff" },
		"no instance":        func(m *Message) { m.Instance = "" },
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
}

func TestSameKeyIsSameMessageOrAnError(t *testing.T) {
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
	path := filepath.Join(t.TempDir(), "outbox.db")
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
	for name, query := range map[string]string{
		"ours":    `INSERT INTO ryze_outbox_migration (version) VALUES (1000)`,
		"River's": `INSERT INTO river_migration (line, version) VALUES ('main', 1000)`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outbox.db")
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

	_, err = OpenSQLite(filepath.Join(t.TempDir(), "no", "such", "directory.db"), nobody)
	require.ErrorIs(t, err, ErrReadOnly)
}

func TestMessageIsTakenWithTheCallersTransaction(t *testing.T) {
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
	s := simulated(t)
	block, err := aes.NewCipher(make([]byte, 32))
	require.NoError(t, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(t, err)
	o := sqliteOutbox(t, s.open, WithCipher(aead), WithForget())
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

func wait(t testing.TB, o *Outbox, key string) *Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	e, err := o.Wait(ctx, key)
	require.NoError(t, err)
	return e
}

func TestRecipientGetsMessagesInTheirOrder(t *testing.T) {
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

// One content that this program cannot read holds up nobody but its recipient.
func TestContentThatCannotBeReadWaitsForWhoCan(t *testing.T) {
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
