package ryzeredis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

// What a busy process pays for one request, leases included, beside one round trip
// to Redis.
func BenchmarkLimiter(b *testing.B) {
	server := redistest.Start(b)
	b.Run("Acquire and Done", func(b *testing.B) {
		l, err := ryzeredis.NewLimiter(server.Client, ryzeredis.WithPatience(5*time.Second))
		require.NoError(b, err)
		defer func() { require.NoError(b, l.Close()) }()
		const much = 1_000_000_000
		rate := ryze.RateLimit{Known: true, Limit: much, Remaining: much - 1, Reset: time.Now().Add(4 * time.Minute)}
		req := ryze.LimiterRequest{LimiterKey: ryze.LimiterKey{Scope: b.Name(), Class: ryze.RateGlobal}, MaxWait: time.Minute}
		for b.Loop() {
			ticket, err := l.Acquire(b.Context(), req)
			if err != nil {
				b.Fatal(err)
			}
			ticket.Done(rate)
			rate.Remaining--
		}
	})
	b.Run("PING", func(b *testing.B) {
		for b.Loop() {
			if err := server.Client.Ping(b.Context()).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
