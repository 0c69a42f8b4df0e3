package outbox

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/internal/postgrestest"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// Each has a database of its own on one server.
func TestOnPostgres(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	for name, test := range map[string]func(*testing.T, *pgxpool.Pool){
		"IsSharedMigratedOnceAndRefusedWhenNewer": isShared,
		"FullAndReadOnlyAreTold":                  fullAndReadOnly,
		"ConflictOfTransactionsHasAnError":        conflicts,
		"ApplicationsOwnRiverDoesTheWork":         ownRiver,
		"RoleThatMayOnlyWriteRowsWillDo":          onlyRows,
		"OpeningEndsWithItsContext":               migrationEnds,
		"UrgentOvertakesOnlyWhatThePaceHolds":     overtakesOnPostgres,
		"WhatIsNoTextIsNoFault":                   func(t *testing.T, pool *pgxpool.Pool) { noText(t, pool) },
		"ClockThatWasSetBackHoldsNothingUp":       func(t *testing.T, pool *pgxpool.Pool) { setBack(t, opened(t, pool), pool) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, err := pgxpool.New(t.Context(), server.Database(t, strings.ToLower(name)))
			require.NoError(t, err)
			t.Cleanup(pool.Close)
			test(t, pool)
		})
	}
}

func isShared(t *testing.T, pool *pgxpool.Pool) {
	s := simulated(t)
	outboxes := make([]*Outbox, 3)
	var opening sync.WaitGroup
	for i := range outboxes {
		opening.Go(func() {
			o, err := OnPostgres(pool, s.open, short)
			assert.NoError(t, err)
			outboxes[i] = o
		})
	}
	opening.Wait()
	o := outboxes[0]

	for _, commits := range []bool{false, true} { // with the caller's transaction or not at all
		tx := begun(t, pool, "")
		_, err := o.AddTx(t.Context(), tx, hello("k"))
		require.NoError(t, err)
		if commits {
			require.NoError(t, tx.Commit(t.Context()))
		} else {
			require.NoError(t, tx.Rollback(t.Context()))
			_, err = o.Get(t.Context(), "k")
			require.ErrorIs(t, err, ErrNotFound)
		}
	}
	var adding sync.WaitGroup
	for i := range 20 { // the same key from everywhere is one entry
		adding.Go(func() {
			_, err := outboxes[i%3].Add(t.Context(), hello("same"))
			assert.NoError(t, err)
		})
	}
	adding.Wait()
	run(t, outboxes[1])
	assert.Equal(t, Sent, wait(t, o, "k").State)
	assert.Equal(t, Sent, wait(t, o, "same").State)
	assert.Len(t, s.phone.Sent(), 2)

	for table, query := range map[string]string{
		"ryze_outbox_migration": `INSERT INTO ryze_outbox_migration (version) VALUES (1000)`,
		"river_migration":       `INSERT INTO river_migration (line, version) VALUES ('main', 1000)`,
	} {
		_, err := pool.Exec(t.Context(), query)
		require.NoError(t, err)
		_, err = OnPostgres(pool, s.open)
		require.ErrorIs(t, err, ErrNewerSchema, table)
		_, err = pool.Exec(t.Context(), `DELETE FROM `+table+` WHERE version = 1000`)
		require.NoError(t, err)
	}
}

// begun is a transaction that ends with the test, or the pool could not be closed.
// Another role has made the tables, as where migrations are a step of their own.
func onlyRows(t *testing.T, pool *pgxpool.Pool) {
	s := simulated(t)
	opened(t, pool)
	_, err := pool.Exec(t.Context(), `CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA public TO clerk;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk`)
	require.NoError(t, err)
	config := pool.Config()
	config.ConnConfig.User = "clerk"
	clerks, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer clerks.Close()
	o, err := OnPostgres(clerks, s.open, short)
	require.NoError(t, err)
	defer run(t, o)()
	_, err = o.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	assert.Equal(t, Sent, wait(t, o, "k").State)
}

// PostgreSQL takes no NUL and nothing that is not UTF-8.
func noText(t *testing.T, pool *pgxpool.Pool) {
	s := simulated(t)
	reasons := make(chan string, 100)
	unknownInstance := func(ctx context.Context, instance string) (*ryze.InstanceClient, error) {
		if instance == "shop" {
			return s.open(ctx, instance)
		}
		return nil, errors.New("no \x00 \xff token")
	}
	o, err := OnPostgres(pool, unknownInstance, short, WithObserver(func(_ context.Context, e *Entry) {
		if e.Instance != "shop" {
			reasons <- e.Reason
		}
	}))
	require.NoError(t, err)
	run(t, o)
	other := hello("other")
	other.Instance = "other"
	_, err = o.Add(t.Context(), other)
	require.NoError(t, err)
	select {
	case reason := <-reasons:
		assert.Contains(t, reason, "token")
	case <-time.After(10 * time.Second):
		assert.Fail(t, "what an entry waits for is not written down")
	}

	s.Fault("messages.text", ryzetest.Fault{Edit: spoiled})
	_, err = o.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, err := o.Wait(ctx, "k")
	require.NoError(t, err, "what was sent is written down at once")
	assert.Equal(t, Sent, e.State)
	assert.Empty(t, e.MessageID)

	for _, bad := range []string{"a\x00b", "\xff"} {
		for _, event := range []*ryze.Event{
			{Instance: bad, Data: &ryze.ReceiptEvent{Status: ryze.StatusRead, MessageIDs: []string{"3EB0"}}},
			{Instance: "shop", Data: &ryze.ReceiptEvent{Status: ryze.StatusRead, MessageIDs: []string{bad}}},
			{Instance: "shop", Data: &ryze.MessageEvent{Direction: ryze.DirectionOutgoing, Source: labelPrefix + bad, ID: "3EB0"}},
			{Instance: "shop", Data: &ryze.MessageEvent{Direction: ryze.DirectionOutgoing, Source: e.Source, ID: bad}},
		} {
			require.NoError(t, o.Observe(t.Context(), event))
		}
		for _, f := range []Filter{{Instance: bad}, {To: ryze.JID(bad)}, {States: []State{State(bad)}}} {
			for _, err := range o.Entries(t.Context(), f) {
				require.ErrorIs(t, err, ryze.ErrInvalidArgument)
			}
		}
		_, err = o.Resolve(t.Context(), "k", WasSent(bad))
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	}
}

// spoiled gives every id in an answer a NUL.
func spoiled(answer map[string]any) {
	for name, value := range answer {
		if inner, ok := value.(map[string]any); ok {
			spoiled(inner)
		} else if id, ok := value.(string); ok && (name == "id" || name == "messageId") {
			answer[name] = id + "\x00"
		}
	}
}

func begun(t *testing.T, pool *pgxpool.Pool, level pgx.TxIsoLevel) pgx.Tx {
	tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

func opened(t *testing.T, pool *pgxpool.Pool) *Outbox {
	o, err := OnPostgres(pool, nobody, short)
	require.NoError(t, err)
	return o
}

func fullAndReadOnly(t *testing.T, pool *pgxpool.Pool) {
	o := opened(t, pool)
	_, err := o.Add(t.Context(), hello("first"))
	require.NoError(t, err)
	// A full disk, as far as PostgreSQL tells of one.
	_, err = pool.Exec(t.Context(), `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
		CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON ryze_outbox EXECUTE FUNCTION full_disk()`)
	require.NoError(t, err)
	_, err = o.Add(t.Context(), hello("k"))
	require.ErrorIs(t, err, ErrFull)
	_, err = o.Cancel(t.Context(), "first")
	require.ErrorIs(t, err, ErrFull)
	_, err = pool.Exec(t.Context(), `DROP TRIGGER full_disk ON ryze_outbox`)
	require.NoError(t, err)
	_, err = o.Add(t.Context(), hello("k"))
	require.NoError(t, err)

	_, err = pool.Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	require.NoError(t, err)
	pool.Reset()
	_, err = o.Add(t.Context(), hello("another"))
	require.ErrorIs(t, err, ErrReadOnly)
	_, err = OnPostgres(pool, nobody)
	require.ErrorIs(t, err, ErrReadOnly)
	e, err := o.Get(t.Context(), "first")
	require.NoError(t, err)
	assert.Equal(t, Queued, e.State)
}

func conflicts(t *testing.T, pool *pgxpool.Pool) {
	o := opened(t, pool)
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		tx := begun(t, pool, level)
		_, err := tx.Exec(t.Context(), `SELECT 1`) // from here on it sees nothing of others
		require.NoError(t, err)
		theirs, err := o.Add(t.Context(), hello(string(level)))
		require.NoError(t, err)
		_, err = o.AddTx(t.Context(), tx, hello(string(level)))
		require.ErrorIs(t, err, ErrConflict)
		require.NoError(t, tx.Rollback(t.Context()))

		again := begun(t, pool, level)
		e, err := o.AddTx(t.Context(), again, hello(string(level)))
		require.NoError(t, err)
		assert.Equal(t, theirs.ID, e.ID)
		require.NoError(t, again.Commit(t.Context()))
	}

	// What the outbox does by itself does not depend on the database's usual level.
	_, err := pool.Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`)
	require.NoError(t, err)
	pool.Reset()
	var adding sync.WaitGroup
	for i := range 40 {
		adding.Go(func() {
			_, err := o.Add(t.Context(), hello([]string{"a", "b"}[i%2]))
			assert.NoError(t, err)
		})
	}
	adding.Wait()
	var canceling sync.WaitGroup
	for range 10 {
		canceling.Go(func() {
			_, err := o.Cancel(t.Context(), "a")
			assert.NoError(t, err)
		})
	}
	canceling.Wait()
}

type ownArgs struct{}

func (ownArgs) Kind() string { return "own" }

type ownWorker struct {
	river.WorkerDefaults[ownArgs]
	done chan struct{}
}

func (w *ownWorker) Work(context.Context, *river.Job[ownArgs]) error { close(w.done); return nil }

// It takes connections and says nothing.
func TestServerThatDoesNotAnswerDoesNotHangTheProgram(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	pool, err := pgxpool.New(t.Context(), "postgres://test@"+silent.Addr().String()+"/test?sslmode=disable")
	require.NoError(t, err)
	defer pool.Close()
	_, err = OnPostgres(pool, nobody, func(c *config) error { c.reach = 50 * time.Millisecond; return nil })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "cannot be reached")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = OnPostgres(pool, nobody, WithContext(ended))
	require.ErrorIs(t, err, context.Canceled)
	_, err = OnPostgres(pool, nobody, WithContext(nil)) //nolint:staticcheck // it is refused
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
}

// Another process migrates, and does not come to its end.
func migrationEnds(t *testing.T, pool *pgxpool.Pool) {
	tx := begun(t, pool, "")
	_, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(hashtext('ryze_outbox'))`)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = OnPostgres(pool, nobody, WithContext(ctx))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, tx.Rollback(t.Context()))
	_, err = OnPostgres(pool, nobody, WithContext(t.Context()))
	require.NoError(t, err)
}

func ownRiver(t *testing.T, pool *pgxpool.Pool) {
	s := simulated(t)
	_, err := pool.Exec(t.Context(), `CREATE SCHEMA "App_Jobs"`)
	require.NoError(t, err)
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: "App_Jobs"})
	require.NoError(t, err)
	_, err = migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil)
	require.NoError(t, err)
	workers, own := river.NewWorkers(), &ownWorker{done: make(chan struct{})}
	river.AddWorker(workers, own)
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: "App_Jobs", Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}},
	})
	require.NoError(t, err)
	o, err := OnPostgres(pool, s.open, short, WithRiver(client, workers))
	require.NoError(t, err)
	_, err = OnPostgres(pool, s.open, WithRiver(client, workers))
	require.ErrorContains(t, err, "already registered")

	tx := begun(t, pool, "")
	_, err = client.InsertTx(t.Context(), tx, ownArgs{}, nil)
	require.NoError(t, err)
	_, err = o.AddTx(t.Context(), tx, hello("k"))
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))

	inserts, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: "App_Jobs"})
	require.NoError(t, err)
	adds, err := OnPostgres(pool, nobody, WithRiver(inserts, nil)) // a process that only adds
	require.NoError(t, err)
	lost, err := adds.Add(t.Context(), hello("another"))
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `DELETE FROM "App_Jobs".river_job WHERE id = $1`, lost.jobID)
	require.NoError(t, err)

	require.NoError(t, client.Start(context.Background()))
	stop := run(t, o)
	assert.Equal(t, Sent, wait(t, o, "k").State)
	assert.Equal(t, Sent, wait(t, o, "another").State, "its job was lost, and Run looks after it")
	select {
	case <-own.done:
	case <-time.After(20 * time.Second):
		t.Error("the application's own job was not worked")
	}
	stop()
	require.NoError(t, client.Stop(context.Background()))
	for _, bad := range []Option{WithRiver(nil, workers)} {
		_, err = OnPostgres(pool, s.open, bad)
		require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	}
	_, err = OpenSQLite(t.TempDir()+"/outbox.db", s.open, WithRiver(client, nil))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
}
