package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// WithRiver uses your own River client for an outbox on PostgreSQL. You start
// and stop it; [Outbox.Run] then only settles what crashes have left. workers
// are those of the client and get one more, and the client gets two more
// queues. Call it before the client starts.
//
// With nil workers this process only adds, and the client must not work.
// River's tables are updated in the client's schema.
func WithRiver(client *river.Client[pgx.Tx], workers *river.Workers) Option {
	return func(c *config) error {
		if client == nil {
			return invalid("WithRiver", "has no client")
		}
		c.river, c.workers = client, workers
		return nil
	}
}

// OnPostgres returns an outbox on a PostgreSQL database, for any number of
// processes. It creates or updates its tables, and River's, in the schema of
// the pool's search_path. With tables up to date, the role needs only rows and
// sequences. The pool needs three connections or more. Closing the outbox
// leaves it open. A server that cannot be reached is an error after 30 seconds,
// or when the context of [WithContext] ends.
func OnPostgres(pool *pgxpool.Pool, open Open, opts ...Option) (*Outbox, error) {
	if pool == nil {
		return nil, invalid("pool", "is nil")
	}
	if most := pool.Config().MaxConns; most < 3 {
		return nil, invalid("pool", fmt.Sprintf("allows %d connections, fewer than 3", most))
	}
	o, err := newOutbox(open, opts)
	if err != nil {
		return nil, err
	}
	s := &riverStore[pgx.Tx]{
		client: o.river, theirs: o.river != nil,
		begin: func(ctx context.Context) (pgx.Tx, func(context.Context) error, func(context.Context) error, error) {
			tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
			if err != nil {
				return nil, nil, nil, err
			}
			return tx, tx.Commit, tx.Rollback, nil
		},
		is: postgresError,
		unique: func(err error) bool {
			var e *pgconn.PgError
			return errors.As(err, &e) && e.Code == "23505"
		},
		end: func() error { return nil },
	}
	if s.theirs {
		err = s.join(o)
	} else {
		s.client, err = river.NewClient(riverpgxv5.New(pool), riverConfig(o, false))
	}
	if err != nil {
		return nil, err
	}
	dialect := postgresDialect(s.client.Schema())
	s.conn, s.on = postgres{dialect, pool}, func(tx pgx.Tx) conn { return postgres{dialect, tx} }
	o.store = s
	if err := migratePostgres(o.opening, o.reach, pool, s); err != nil {
		return nil, err
	}
	o.opening = nil
	return o, nil
}

// migratePostgres lets one process at a time migrate.
func migratePostgres(ctx context.Context, reach time.Duration, pool *pgxpool.Pool, s *riverStore[pgx.Tx]) error {
	within, cancel := context.WithTimeout(ctx, reach)
	defer cancel()
	c, err := pool.Acquire(within)
	if err != nil {
		return fmt.Errorf("outbox: the database cannot be reached: %w", err)
	}
	defer c.Release()
	if err := c.Ping(within); err != nil { // it may have been connected long ago
		return fmt.Errorf("outbox: the database cannot be reached: %w", err)
	}
	if _, err := c.Exec(ctx, `SELECT pg_advisory_lock(hashtext('ryze_outbox'))`); err != nil {
		return postgresError(err)
	}
	defer func() {
		_, _ = c.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtext('ryze_outbox'))`)
	}()
	return s.migrate(ctx)
}

func postgresError(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case "25006", "42501":
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case "40001", "40P01": // serialization failure, deadlock
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case "53100":
		return fmt.Errorf("%w: %w", ErrFull, err)
	default:
		return err
	}
}

// isDenied reports whether the role may not do it.
func isDenied(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "42501"
}

// postgres is a pool or a transaction.
type postgres struct {
	dialect *strings.Replacer
	db      interface {
		Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
		Query(context.Context, string, ...any) (pgx.Rows, error)
	}
}

func (p postgres) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := p.db.Exec(ctx, p.dialect.Replace(query), args...)
	return tag.RowsAffected(), err
}

func (p postgres) query(ctx context.Context, query string, args ...any) (rows, error) {
	return p.db.Query(ctx, p.dialect.Replace(query), args...)
}
