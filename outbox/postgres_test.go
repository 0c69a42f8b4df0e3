package outbox

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/internal/postgrestest"
)

func TestPostgresIsSharedMigratedOnceAndRefusedWhenNewer(t *testing.T) {
	s := simulated(t)
	pool, err := pgxpool.New(t.Context(), postgrestest.Start(t).URL)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
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
		tx, err := pool.Begin(t.Context())
		require.NoError(t, err)
		_, err = o.AddTx(t.Context(), tx, hello("k"))
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

	_, err = pool.Exec(t.Context(), `INSERT INTO river_migration (line, version) VALUES ('main', 1000)`)
	require.NoError(t, err)
	_, err = OnPostgres(pool, s.open)
	require.ErrorIs(t, err, ErrNewerSchema)

	_, err = pool.Exec(t.Context(), `SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; ALTER DATABASE postgres SET default_transaction_read_only = on`)
	require.NoError(t, err)
	pool.Reset()
	_, err = o.Add(t.Context(), hello("another"))
	require.ErrorIs(t, err, ErrReadOnly)
}
