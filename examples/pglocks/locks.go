// Package pglocks shows locks of chats on PostgreSQL, for [ryze.WithChatLocks], in
// about a page: copy it. Each wait and each lock has a connection, so that they end
// when the process dies; a thousand chats at the same time are a thousand of them.
package pglocks

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ryzeapi/ryze-go"
)

// A place in the line is a row, which the connection keeps by an advisory lock on
// the row's id for as long as it lives. The ids begin where nobody else's advisory
// locks are. After a crash of the server all connections are gone, and so may the
// rows be.
const schema = `
CREATE UNLOGGED TABLE IF NOT EXISTS ryze_chat_lines (
	id bigint GENERATED ALWAYS AS IDENTITY (START WITH 8247345000000000000) PRIMARY KEY,
	keys text[] NOT NULL
);
CREATE INDEX IF NOT EXISTS ryze_chat_lines_keys ON ryze_chat_lines USING gin (keys)`

// arrival is locked while a place is taken: ids must be in the order of commits.
const arrival = 8247345000000000000 - 1

// Locks are [ryze.ChatLocks] that processes with one database share.
type Locks struct{ pool *pgxpool.Pool }

// Open connects. The pool's size, pool_max_conns in the URL, limits how many events
// wait or are handled at the same time; 4 or the number of CPUs are its default.
func Open(ctx context.Context, url string) (*Locks, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	// Or the server notices the death of a process that waits only after the wait.
	config.ConnConfig.RuntimeParams["client_connection_check_interval"] = "1s"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(arrival)); err != nil {
			return err // two processes must not create it at once
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &Locks{pool}, nil
}

// Close ends all connections.
func (l *Locks) Close() { l.pool.Close() }

// Lock implements [ryze.ChatLocks].
func (l *Locks) Lock(ctx context.Context, keys []string, queued func()) (ryze.ChatLock, error) {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	id, err := enter(ctx, conn, keys)
	if err == nil {
		queued()
		err = wait(ctx, conn, id, keys)
	}
	if err != nil {
		discard(conn)
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	lock := &lock{conn: conn, id: id, stop: stop, lost: make(chan struct{}), watched: make(chan struct{})}
	go lock.watch(watching)
	return lock, nil
}

// enter takes the last place.
func enter(ctx context.Context, conn *pgxpool.Conn, keys []string) (id int64, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(arrival)); err != nil {
			return err
		}
		const place = "INSERT INTO ryze_chat_lines (keys) VALUES ($1) RETURNING id, pg_advisory_lock(id)::text"
		return tx.QueryRow(ctx, place, keys).Scan(&id, nil)
	})
	return id, err
}

// wait waits until nobody is before the place in any of its lines.
func wait(ctx context.Context, conn *pgxpool.Conn, id int64, keys []string) error {
	for {
		var before *int64
		const last = "SELECT max(id) FROM ryze_chat_lines WHERE keys && $1 AND id < $2"
		if err := conn.QueryRow(ctx, last, keys, id).Scan(&before); err != nil || before == nil {
			return err
		}
		// It is free when who has that place has unlocked, given up or died.
		for _, step := range []string{
			"SELECT pg_advisory_lock_shared($1)", "DELETE FROM ryze_chat_lines WHERE id = $1", "SELECT pg_advisory_unlock_shared($1)",
		} {
			if _, err := conn.Exec(ctx, step, *before); err != nil {
				return err
			}
		}
	}
}

// discard ends a connection, and with it what it holds and waits for.
func discard(conn *pgxpool.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // without farewell
	_ = conn.Hijack().Close(ctx)
}

// lock is a [ryze.ChatLock].
type lock struct {
	conn          *pgxpool.Conn
	id            int64
	stop          func()
	lost, watched chan struct{}
	ended         bool
	err           error // of its end
}

// watch notices the end of the connection. A network that is silently away it
// notices no sooner than TCP does: locks on Redis promise more.
func (l *lock) watch(ctx context.Context) {
	defer close(l.watched)
	for {
		if _, err := l.conn.Conn().WaitForNotification(ctx); ctx.Err() != nil {
			return
		} else if err != nil {
			close(l.lost)
			return
		}
	}
}

// Lost implements [ryze.ChatLock].
func (l *lock) Lost() <-chan struct{} { return l.lost }

// Unlock implements [ryze.ChatLock]. When it fails, the connection is ended, and so
// is the lock.
func (l *lock) Unlock(ctx context.Context) error {
	if l.ended {
		return l.err
	}
	l.ended = true
	l.stop()
	<-l.watched
	const leave = "WITH gone AS (DELETE FROM ryze_chat_lines WHERE id = $1) SELECT pg_advisory_unlock($1)"
	_, err := l.conn.Exec(ctx, leave, l.id)
	switch {
	case err == nil:
		l.conn.Release()
		return nil
	case ctx.Err() == nil:
		l.err = fmt.Errorf("%w: %w", ryze.ErrChatLockLost, err)
		err = l.err
	}
	discard(l.conn)
	return err
}
