package outbox

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
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
		pool, err := pgxpool.New(b.Context(), postgrestest.Start(b, "-c", "fsync=on").URL)
		require.NoError(b, err)
		defer pool.Close()
		o, err := OnPostgres(pool, nobody)
		require.NoError(b, err)
		b.ResetTimer()
		bench(b, o)
	})
}

// BenchmarkAdd adds a message and inserts a bare row in a transaction of its own, in
// turns, so that both meet the same machine.
func BenchmarkAdd(b *testing.B) {
	stores(b, func(b *testing.B, o *Outbox) {
		_, err := o.store.exec(b.Context(), `CREATE TABLE bare (id {identity}, message TEXT NOT NULL)`)
		require.NoError(b, err)
		b.ResetTimer()
		var adds, inserts time.Duration
		for i := range b.N {
			began := time.Now()
			_, err := o.Add(b.Context(), hello(fmt.Sprint(i)))
			require.NoError(b, err)
			adds += time.Since(began)
			began = time.Now()
			_, err = o.store.exec(b.Context(), `INSERT INTO bare (message) VALUES ($1)`, "Hello")
			require.NoError(b, err)
			inserts += time.Since(began)
		}
		b.ReportMetric(float64(b.N)/adds.Seconds(), "adds/s")
		b.ReportMetric(float64(b.N)/inserts.Seconds(), "inserts/s")
	})
}

// BenchmarkQueued100000 tells how much memory the process takes more that has so many
// queued, while it tries to send them for some seconds.
func BenchmarkQueued100000(b *testing.B) {
	before := heap()
	o, err := OpenSQLite(filepath.Join(b.TempDir(), "outbox.db"), nobody)
	require.NoError(b, err)
	defer func() { require.NoError(b, o.Close()) }()
	_, err = o.DB().ExecContext(b.Context(), "PRAGMA synchronous = OFF")
	require.NoError(b, err)
	const n = 100_000
	require.NoError(b, o.store.within(context.Background(), func(t tx) error {
		for i := range n {
			message := hello(fmt.Sprint(i))
			message.To = ryze.JID(fmt.Sprintf("5511987%06d", i))
			m, err := o.compose(b.Context(), message)
			if err != nil {
				return err
			}
			if _, err := o.add(b.Context(), t, m); err != nil {
				return err
			}
		}
		return nil
	}))
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	most := before
	for ctx.Err() == nil {
		most = max(most, heap())
		time.Sleep(100 * time.Millisecond)
	}
	require.NoError(b, <-ended)
	b.ReportMetric((most-before)/(1<<20), "heap-MiB")
	b.ReportMetric(0, "ns/op")
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
