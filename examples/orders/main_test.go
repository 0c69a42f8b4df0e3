package main

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/internal/postgrestest"
	"github.com/ryzeapi/ryze-go/outbox"
)

func TestOrderAndItsConfirmationAreOne(t *testing.T) {
	server := postgrestest.Start(t)
	var out strings.Builder
	require.NoError(t, start(t.Context(), server.URL, "", "", &out))
	assert.Equal(t, 2, strings.Count(out.String(), ": sent\n"), out.String())
	assert.Equal(t, 2, strings.Count(out.String(), "gets none"))
	assert.Contains(t, out.String(), "2 orders, 2 confirmations sent.")
	out.Reset()
	require.NoError(t, start(t.Context(), server.URL, "", "", &out)) // it is played again
	assert.Equal(t, 2, strings.Count(out.String(), ": sent\n"), out.String())
	assert.Contains(t, out.String(), "4 orders, 4 confirmations sent.")

	// A confirmation that is refused takes its order back.
	pool, err := pgxpool.New(t.Context(), server.URL)
	require.NoError(t, err)
	defer pool.Close()
	nobody := func(context.Context, string) (*ryze.InstanceClient, error) { return nil, nil }
	box, err := outbox.OnPostgres(pool, nobody)
	require.NoError(t, err)
	shop := &shop{pool: pool, outbox: box, instance: ""}
	_, err = shop.order(t.Context(), "5511987654321", "coffee")
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	var orders, messages, pieces int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM ryze_outbox), (SELECT pieces FROM stock WHERE item = 'coffee')`).
		Scan(&orders, &messages, &pieces))
	assert.Equal(t, []int{4, 4, 100}, []int{orders, messages, pieces})
	require.ErrorContains(t, start(t.Context(), "", "", "", &out), "DATABASE_URL")
}
