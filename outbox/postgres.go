package outbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// OnPostgres makes an outbox on a PostgreSQL database, which any number of
// processes may share. It creates or updates its tables and those of River in the
// schema of the pool's search_path. The pool needs three connections at least, and
// stays open when the outbox is closed.
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
	driver := riverpgxv5.New(pool)
	client, err := river.NewClient(driver, riverConfig(o, false))
	if err != nil {
		return nil, err
	}
	s := &riverStore[pgx.Tx]{
		conn: postgres{pool}, driver: driver, client: client,
		begin: func(ctx context.Context) (pgx.Tx, func(context.Context) error, func(context.Context) error, error) {
			tx, err := pool.Begin(ctx)
			if err != nil {
				return nil, nil, nil, err
			}
			return tx, tx.Commit, tx.Rollback, nil
		},
		on: func(tx pgx.Tx) conn { return postgres{tx} },
		is: postgresError,
		unique: func(err error) bool {
			var e *pgconn.PgError
			return errors.As(err, &e) && e.Code == "23505"
		},
		end: func() error { return nil },
	}
	o.store = s
	return o, migratePostgres(pool, s)
}

// migratePostgres lets one process at a time migrate.
func migratePostgres(pool *pgxpool.Pool, s *riverStore[pgx.Tx]) error {
	ctx := context.Background()
	c, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("outbox: the database cannot be reached: %w", err)
	}
	defer c.Release()
	if _, err := c.Exec(ctx, `SELECT pg_advisory_lock(hashtext('ryze_outbox'))`); err != nil {
		return postgresError(err)
	}
	defer func() { _, _ = c.Exec(ctx, `SELECT pg_advisory_unlock(hashtext('ryze_outbox'))`) }()
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
	case "53100":
		return fmt.Errorf("%w: %w", ErrFull, err)
	default:
		return err
	}
}

// postgres is a pool or a transaction.
type postgres struct {
	db interface {
		Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
		Query(context.Context, string, ...any) (pgx.Rows, error)
	}
}

func (p postgres) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := p.db.Exec(ctx, postgresDialect.Replace(query), args...)
	return tag.RowsAffected(), err
}

func (p postgres) query(ctx context.Context, query string, args ...any) (rows, error) {
	return p.db.Query(ctx, postgresDialect.Replace(query), args...)
}
