package outbox

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/internal/postgrestest"
)

// stores gives both stores to a benchmark.
func stores(b *testing.B, bench func(*testing.B, *Outbox)) {
	b.Run("SQLite", func(b *testing.B) {
		o, err := OpenSQLite(filepath.Join(b.TempDir(), "outbox.db"), nobody)
		require.NoError(b, err)
		defer func() { require.NoError(b, o.Close()) }()
		b.ResetTimer()
		bench(b, o)
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		pool, err := pgxpool.New(b.Context(), postgrestest.Start(b).URL)
		require.NoError(b, err)
		defer pool.Close()
		o, err := OnPostgres(pool, nobody)
		require.NoError(b, err)
		b.ResetTimer()
		bench(b, o)
	})
}

func BenchmarkAdd(b *testing.B) {
	stores(b, func(b *testing.B, o *Outbox) {
		for i := range b.N {
			_, err := o.Add(b.Context(), hello(fmt.Sprint(i)))
			require.NoError(b, err)
		}
	})
}

// BenchmarkBareInsert is one row in a transaction of its own.
func BenchmarkBareInsert(b *testing.B) {
	stores(b, func(b *testing.B, o *Outbox) {
		_, err := o.store.exec(b.Context(), `CREATE TABLE bare (id {identity}, message TEXT NOT NULL)`)
		require.NoError(b, err)
		b.ResetTimer()
		for range b.N {
			_, err := o.store.exec(b.Context(), `INSERT INTO bare (message) VALUES ($1)`, "Hello")
			require.NoError(b, err)
		}
	})
}

// BenchmarkQueued100000 tells the memory of the process that has so many queued.
func BenchmarkQueued100000(b *testing.B) {
	o, err := OpenSQLite(filepath.Join(b.TempDir(), "outbox.db"), nobody)
	require.NoError(b, err)
	defer func() { require.NoError(b, o.Close()) }()
	_, err = o.DB().ExecContext(b.Context(), "PRAGMA synchronous = OFF")
	require.NoError(b, err)
	const n = 100_000
	require.NoError(b, o.store.within(context.Background(), func(t tx) error {
		for i := range n {
			m, err := o.compose(b.Context(), hello(fmt.Sprint(i)))
			if err != nil {
				return err
			}
			if _, err := o.add(b.Context(), t, m); err != nil {
				return err
			}
		}
		return nil
	}))
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
}
