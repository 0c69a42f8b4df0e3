package outbox

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The SQL of both stores. It is PostgreSQL's; what SQLite writes differently stands
// in dialects. Times are milliseconds since 1970, 0 for none.

// schema has the migrations in their order. One that was released never changes.
var schema = []string{`
CREATE TABLE ryze_outbox (
	id {identity},
	message_key TEXT NOT NULL UNIQUE,
	fingerprint {bytes} NOT NULL,
	instance TEXT NOT NULL,
	recipient TEXT NOT NULL,
	lane TEXT NOT NULL,
	content {bytes},
	options TEXT NOT NULL,
	priority BIGINT NOT NULL,
	not_before BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	source TEXT NOT NULL,
	added_at BIGINT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL DEFAULT '',
	attempts BIGINT NOT NULL DEFAULT 0,
	sent_at BIGINT NOT NULL DEFAULT 0,
	next_at BIGINT NOT NULL,
	message_id TEXT NOT NULL DEFAULT '',
	chat TEXT NOT NULL DEFAULT '',
	delivered_at BIGINT NOT NULL DEFAULT 0,
	read_at BIGINT NOT NULL DEFAULT 0,
	rev BIGINT NOT NULL DEFAULT 0,
	job_id BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX ryze_outbox_waiting ON ryze_outbox (instance, lane, id) WHERE next_at > 0;
CREATE UNIQUE INDEX ryze_outbox_one_at_a_time ON ryze_outbox (instance, lane) WHERE state = 'sending';
CREATE INDEX ryze_outbox_recipient ON ryze_outbox (instance, lane, id);
CREATE INDEX ryze_outbox_message ON ryze_outbox (instance, message_id) WHERE message_id <> '';
CREATE INDEX ryze_outbox_source ON ryze_outbox (source);
CREATE TABLE ryze_outbox_instance (
	instance TEXT NOT NULL PRIMARY KEY,
	held_until BIGINT NOT NULL DEFAULT 0,
	paced_until BIGINT NOT NULL DEFAULT 0
);
`, `
ALTER TABLE ryze_outbox_instance ADD COLUMN held_reason TEXT NOT NULL DEFAULT '';
`}

const (
	sqlVersionTable = `CREATE TABLE IF NOT EXISTS ryze_outbox_migration (version BIGINT NOT NULL PRIMARY KEY)`
	sqlVersion      = `SELECT coalesce(max(version), 0) FROM ryze_outbox_migration`
	sqlVersionAdd   = `INSERT INTO ryze_outbox_migration (version) VALUES ($1)`

	sqlOwn = `UPDATE ryze_outbox_migration SET version = version`

	sqlRiverVersion = `SELECT coalesce(max(version), 0) FROM {river}river_migration WHERE line = 'main'`

	columns = `SELECT id, message_key, instance, recipient, content, options, priority, not_before, expires_at, source, added_at,
	state, reason, attempts, sent_at, next_at, message_id, chat, delivered_at, read_at, rev, job_id, fingerprint FROM ryze_outbox `
	byKey     = columns + `WHERE message_key = $1`
	byID      = columns + `WHERE id = $1`
	bySource  = columns + `WHERE source = $1 AND instance = $2`
	byMessage = columns + `WHERE instance = $1 AND message_id = $2`
	byPage    = columns + `WHERE id > $1`
	// sqlHead finds whose turn it is: the oldest that may be sent by now. Unknown ones
	// are passed over unless they may be sent again, and with $5 those that the pace
	// can hold.
	sqlHead = columns + `WHERE instance = $1 AND lane = $2 AND next_at > 0 AND (not_before <= $3 OR state <> 'queued') AND ($4 = 1 OR state <> 'unknown') AND ($5 = 0 OR state <> 'queued' OR priority > 0) ORDER BY id LIMIT 1`
	// sqlAhead counts who is before an entry, as far as it matters.
	sqlAhead = `SELECT count(*) FROM (SELECT 1 FROM ryze_outbox WHERE instance = $1 AND lane = $2 AND next_at > 0 AND id < $3 AND ($4 = 0 OR state <> 'queued' OR priority > 0) LIMIT 200) AS ahead`
	// sqlHighest finds the highest priority behind an entry, as far as it matters.
	sqlHighest = `SELECT coalesce(max(priority), $5) FROM (SELECT priority FROM ryze_outbox WHERE instance = $1 AND lane = $2 AND next_at > 0 AND id > $3
	AND state = 'queued' AND not_before <= $4 LIMIT 200) AS behind`
	// sqlBehind names whom entries stand behind; see sqlHead.
	sqlBehind = `SELECT e.id, coalesce((SELECT b.message_key FROM ryze_outbox b WHERE b.instance = e.instance AND b.lane = e.lane AND b.next_at > 0 AND b.id < e.id
	AND (b.not_before <= $1 OR b.state <> 'queued') AND ($2 = 1 OR b.state <> 'unknown') ORDER BY b.id LIMIT 1), '') FROM ryze_outbox e WHERE e.id IN ({ids})`
	// sqlBefore counts those of the instance that are sent before an entry.
	sqlBefore = `SELECT count(*) FROM (SELECT 1 FROM ryze_outbox WHERE instance = $1 AND id < $2 AND next_at > 0 AND next_at <= $3 AND priority >= $4 LIMIT 2000) AS before`
	// sqlOthers finds the ids of other messages to the same recipient.
	sqlOthers = `SELECT message_id FROM ryze_outbox WHERE instance = $1 AND lane = $2 AND message_id <> '' AND id <> $3 AND sent_at > $4 ORDER BY id DESC LIMIT 5000`

	sqlAdd = `INSERT INTO ryze_outbox (message_key, fingerprint, instance, recipient, lane, content, options, priority, not_before, expires_at, source, added_at, state, next_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', $13) ON CONFLICT (message_key) DO NOTHING RETURNING id`
	sqlJob    = `UPDATE ryze_outbox SET job_id = $1 WHERE id = $2 AND job_id = $3`
	sqlChange = `UPDATE ryze_outbox SET state = $1, reason = $2, attempts = $3, sent_at = $4, next_at = $5, message_id = $6, chat = $7,
	delivered_at = $8, read_at = $9, content = CASE WHEN $10 = 1 THEN NULL ELSE content END, fingerprint = $13, rev = rev + 1 WHERE id = $11 AND rev = $12`
	sqlStats = `SELECT state, count(*) FROM ryze_outbox GROUP BY state`

	// sqlCrashed finds what no living process can be sending.
	sqlCrashed = columns + `WHERE state = 'sending' AND next_at <= $1 LIMIT 1000`
	// sqlEarly finds what was added or sent later than now and waits, so the clock was
	// set back. sqlEarlyLeader does so for the leader of River.
	sqlEarly       = columns + `WHERE next_at > $3 AND not_before <= $2 AND (added_at > $1 OR sent_at > $1) LIMIT 1000`
	sqlEarlyLeader = `DELETE FROM {river}river_leader WHERE {elected} > $1`
	// sqlOrphans finds entries whose job will not bring them forward: it is gone, or
	// the process that runs it is.
	sqlOrphans = `SELECT e.id, e.job_id, e.priority, e.next_at FROM ryze_outbox e LEFT JOIN {river}river_job j ON j.id = e.job_id
	WHERE e.next_at > 0 AND (j.id IS NULL OR j.state IN ('completed', 'cancelled', 'discarded') OR j.state = 'running' AND {attempted} < $1) LIMIT 1000`

	sqlInstance = `SELECT held_until, paced_until, held_reason FROM ryze_outbox_instance WHERE instance = $1`
	sqlHold     = `INSERT INTO ryze_outbox_instance (instance, held_until, held_reason) VALUES ($1, $2, $3)
	ON CONFLICT (instance) DO UPDATE SET held_until = excluded.held_until, held_reason = excluded.held_reason WHERE ryze_outbox_instance.held_until < excluded.held_until`
	// sqlPace takes a turn: at most one of those who ask at the same time gets it.
	sqlPace = `INSERT INTO ryze_outbox_instance (instance, paced_until) VALUES ($1, $2)
	ON CONFLICT (instance) DO UPDATE SET paced_until = excluded.paced_until WHERE ryze_outbox_instance.paced_until <= $3 OR ryze_outbox_instance.paced_until > $4`
)

// postgresDialect finds the tables of River in a schema; "": in the search_path.
func postgresDialect(schema string) *strings.Replacer {
	if schema != "" {
		schema = pgx.Identifier{schema}.Sanitize() + "."
	}
	return strings.NewReplacer(
		"{identity}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{bytes}", "BYTEA",
		"{attempted}", "extract(epoch FROM j.attempted_at) * 1000",
		"{elected}", "extract(epoch FROM elected_at) * 1000", "{river}", schema)
}

var sqliteDialect = strings.NewReplacer(
	"{identity}", "INTEGER PRIMARY KEY AUTOINCREMENT", "{bytes}", "BLOB",
	"{attempted}", "unixepoch(j.attempted_at, 'subsec') * 1000",
	"{elected}", "unixepoch(elected_at, 'subsec') * 1000", "{river}", "", "$", "?")

// conn is a connection or a transaction of either store.
type conn interface {
	exec(ctx context.Context, query string, args ...any) (rows int64, err error)
	query(ctx context.Context, query string, args ...any) (rows, error)
}

type rows interface {
	Next() bool
	Scan(...any) error
	Err() error
	Close()
}

// each calls scan for each row.
func each(ctx context.Context, c conn, scan func(rows) error, query string, args ...any) error {
	r, err := c.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		if err := scan(r); err != nil {
			return err
		}
	}
	return r.Err()
}

// one scans the first row, and reports whether there is one.
func one(ctx context.Context, c conn, query string, args []any, into ...any) (found bool, err error) {
	err = each(ctx, c, func(r rows) error {
		if found {
			return nil
		}
		found = true
		return r.Scan(into...)
	}, query, args...)
	return found, err
}
