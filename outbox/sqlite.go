package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// OpenSQLite opens the outbox in a SQLite file, and creates the file if needed.
// One process has it at a time; another gets [ErrInUse]. [Outbox.Close], or the
// end of the process, frees it. The file must be on a local disk, in a directory
// that exists: else the error matches [fs.ErrNotExist]. Files that end in -wal or
// -journal appear beside it.
func OpenSQLite(path string, open Open, opts ...Option) (*Outbox, error) {
	if path == "" || path == ":memory:" || strings.ContainsRune(path, 0) { // SQLite would end the name at a NUL
		return nil, invalid("path", "names no file")
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := checkPlace(full); err != nil {
		return nil, err
	}
	o, err := newOutbox(open, opts)
	if err != nil {
		return nil, err
	}
	if o.river != nil {
		return nil, invalid("WithRiver", "is for PostgreSQL")
	}
	// The lock is SQLite's own, held as long as the connection lives. With it, one
	// connection is all there can be. FULL: what is committed survives a loss of power.
	pragmas := []string{"busy_timeout(500)", "locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(FULL)"}
	if o.forget != nil {
		pragmas = append(pragmas, "secure_delete(ON)") // what was removed is overwritten
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetConnMaxIdleTime(0)
	client, err := river.NewClient(riversqlite.New(db), riverConfig(o, true))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &riverStore[*sql.Tx]{
		conn: lite{db}, client: client,
		begin: func(ctx context.Context) (*sql.Tx, func(context.Context) error, func(context.Context) error, error) {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return nil, nil, nil, err
			}
			return tx, func(context.Context) error { return tx.Commit() }, func(context.Context) error { return tx.Rollback() }, nil
		},
		on: func(tx *sql.Tx) conn { return lite{tx} },
		is: sqliteError,
		unique: func(err error) bool {
			var e *sqlite.Error
			return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
		},
		end: db.Close,
	}
	o.store, o.db, o.alone = s, db, true
	o.forgot.Store(o.forget != nil) // perhaps by a process that has died
	err = s.migrate(o.opening)
	if err == nil { // SQLite takes the lock when it writes for the first time, and there may have been nothing to migrate
		_, err = s.exec(o.opening, sqlOwn)
	}
	if err != nil {
		return nil, errors.Join(s.is(err), db.Close())
	}
	o.opening = nil
	return o, nil
}

// checkPlace says why there can be no file of a name, which SQLite does not. A link
// that leads to nothing has the place to which it leads.
func checkPlace(path string) error {
	switch info, err := os.Stat(path); { //nolint:gosec // the caller names the file
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("outbox: %s is no regular file", path)
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("outbox: %w", err)
	}
	dir := filepath.Dir(path)
	if target, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		return checkPlace(target)
	}
	if _, err := os.Stat(dir); err != nil { //nolint:gosec // the caller names the file
		return fmt.Errorf("outbox: the directory of the file: %w", err)
	}
	return nil
}

func sqliteError(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrInUse, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	default:
		return err
	}
}

// lite is the database or a transaction.
type lite struct {
	db interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}
}

func (l lite) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := l.db.ExecContext(ctx, sqliteDialect.Replace(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (l lite) query(ctx context.Context, query string, args ...any) (rows, error) {
	r, err := l.db.QueryContext(ctx, sqliteDialect.Replace(query), args...)
	if err != nil {
		return nil, err
	}
	return liteRows{r}, nil
}

type liteRows struct{ *sql.Rows }

func (r liteRows) Close() { _ = r.Rows.Close() }
