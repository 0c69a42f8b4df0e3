package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	ryze "github.com/ryzeapi/ryze-go"
)

// Outbox keeps messages until they are sent, once each. It is safe for concurrent
// use.
type Outbox struct {
	config
	store    store
	db       *sql.DB // of SQLite
	alone    bool    // no other process works on the database
	open     Open
	rehearse *rehearsal
	running  atomic.Bool
	closed   atomic.Bool
	forgot   atomic.Bool // since the last scrub
	clock    clock

	mu      sync.Mutex
	changed chan struct{} // closed when this process has changed an entry
}

func newOutbox(open Open, opts []Option) (*Outbox, error) {
	if open == nil {
		return nil, invalid("open", "is nil")
	}
	c, err := configured(opts)
	if err != nil {
		return nil, err
	}
	r, err := newRehearsal()
	if err != nil {
		return nil, err
	}
	return &Outbox{config: c, open: open, rehearse: r, clock: clock{began: time.Now()}, changed: make(chan struct{})}, nil
}

// Close frees the SQLite file. End Run first. On PostgreSQL it does nothing.
func (o *Outbox) Close() error {
	o.closed.Store(true)
	return o.store.close()
}

// DB returns the database of [OpenSQLite], or nil. You may keep your own tables
// in it and use its transactions with [Outbox.AddSQLTx]. It has one connection:
// everything waits for an open transaction.
func (o *Outbox) DB() *sql.DB { return o.db }

// Add takes a message and returns when it is on disk. It makes no request. It
// may be repeated: the same key with the same content and recipient returns its
// entry. Another content or recipient is [ErrKeyReused].
//
// Instance and options such as ReplyTo count as content. Priority, NotBefore
// and ExpiresAt do not count, and stay as they were. An argument that can never
// be right is a [*ryze.ValidationError].
func (o *Outbox) Add(ctx context.Context, m Message) (*Entry, error) {
	n, err := o.compose(ctx, m)
	if err != nil {
		return nil, err
	}
	var e *Entry
	err = o.store.within(ctx, func(t tx) error {
		e, err = o.add(ctx, t, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// AddTx is [Outbox.Add] in your own transaction, on PostgreSQL: the message is
// taken when the transaction commits. After an error roll back. After
// [ErrConflict] begin again. It comes mostly under REPEATABLE READ and
// SERIALIZABLE, where your commit can fail for the same reason.
func (o *Outbox) AddTx(ctx context.Context, tx pgx.Tx, m Message) (*Entry, error) {
	return o.addJoined(ctx, tx, m)
}

// AddSQLTx is [Outbox.AddTx] for SQLite, in a transaction of [Outbox.DB].
func (o *Outbox) AddSQLTx(ctx context.Context, tx *sql.Tx, m Message) (*Entry, error) {
	if tx == nil {
		return nil, invalid("tx", "is nil")
	}
	return o.addJoined(ctx, tx, m)
}

func (o *Outbox) addJoined(ctx context.Context, theirs any, m Message) (*Entry, error) {
	n, err := o.compose(ctx, m)
	if err != nil {
		return nil, err
	}
	t, err := o.store.joined(theirs)
	if err != nil {
		return nil, err
	}
	e, err := o.add(ctx, t, n)
	return e, o.store.translated(err)
}

func (o *Outbox) add(ctx context.Context, t tx, n *composed) (*Entry, error) {
	now := time.Now()
	next := now
	if n.NotBefore.After(now) {
		next = n.NotBefore
	}
	var id int64
	stored := o.concealed(n.fingerprint, n.Key)
	added, err := one(ctx, t, sqlAdd, []any{
		n.Key, stored, n.Instance, string(n.To), lane(n.To), n.content, n.options, int64(n.Priority),
		millis(n.NotBefore), millis(n.ExpiresAt), n.source, millis(now), millis(next),
	}, &id)
	if err != nil {
		return nil, err
	}
	if !added {
		switch e, err := o.find(ctx, t, byKey, n.Key); {
		case errors.Is(err, ErrNotFound): // it was added by a transaction that this one does not see
			return nil, ErrConflict
		case err != nil:
			return nil, err
		case !o.isPrint(e.stored, n.fingerprint, n.Key):
			return nil, ErrKeyReused
		default:
			return e, nil
		}
	}
	job, err := t.enqueue(ctx, jobArgs{Entry: id}, jobOptions(n.Priority, next))
	if err != nil {
		return nil, err
	}
	if _, err := t.exec(ctx, sqlJob, job, id, 0); err != nil {
		return nil, err
	}
	return &Entry{
		Message: n.Message, ID: id, State: Queued, Source: n.source,
		AddedAt: fromMillis(millis(now)), NextAt: fromMillis(millis(next)), jobID: job, stored: stored,
	}, nil
}

// Get returns the entry of a key, or [ErrNotFound].
func (o *Outbox) Get(ctx context.Context, key string) (*Entry, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	e, err := o.find(ctx, o.store, byKey, key)
	if err != nil {
		return nil, err
	}
	return e, o.explain(ctx, e)
}

// list reads the entries that a query finds.
func (o *Outbox) list(ctx context.Context, query string, args ...any) (entries []*Entry, err error) {
	err = each(ctx, o.store, func(r rows) error {
		e, err := o.scan(r)
		entries = append(entries, e)
		return err
	}, query, args...)
	return entries, o.store.translated(err)
}

func (o *Outbox) find(ctx context.Context, c conn, query string, args ...any) (*Entry, error) {
	var e *Entry
	err := each(ctx, c, func(r rows) (err error) {
		if e == nil {
			e, err = o.scan(r)
		}
		return err
	}, query, args...)
	switch {
	case err != nil:
		return nil, o.store.translated(err)
	case e == nil:
		return nil, ErrNotFound
	default:
		return e, nil
	}
}

// Wait waits until the entry is settled and returns it: check its State. When
// the context ends first, it returns the entry as it was last seen, and the
// context's error. A database that is away meanwhile does not end it: its error
// is joined to the context's.
func (o *Outbox) Wait(ctx context.Context, key string) (*Entry, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	const elsewhere = 500 * time.Millisecond // another process may be the one that sends
	var last *Entry
	for ticked := true; ; {
		o.mu.Lock()
		changed := o.changed
		o.mu.Unlock()
		e, err := o.find(ctx, o.store, byKey, key)
		if err == nil && (ticked || last == nil || e.rev != last.rev) {
			last, err = e, o.explain(ctx, e)
		}
		switch {
		case err == nil && e.Settled():
			return e, nil
		case errors.Is(err, ErrNotFound), err != nil && o.closed.Load():
			return nil, err
		}
		timer := time.NewTimer(elsewhere)
		ticked = false
		select {
		case <-changed:
		case <-timer.C:
			ticked = true
		case <-ctx.Done():
			timer.Stop()
			if err == nil || isContext(err) {
				return last, ctx.Err()
			}
			return last, fmt.Errorf("%w; the database: %w", ctx.Err(), err)
		}
		timer.Stop()
	}
}

// Cancel cancels a queued message. Another state is [ErrTooLate]. The River job
// stays and does nothing.
func (o *Outbox) Cancel(ctx context.Context, key string) (*Entry, error) {
	return o.ask(ctx, key, func(e *Entry) (step, error) {
		switch e.State {
		case Canceled:
			return step{}, errSame
		case Queued:
			return step{to: Canceled}, nil
		default:
			return step{}, tooLate(e)
		}
	})
}

// Resolution is what a person has decided about an entry.
type Resolution struct {
	to        State
	messageID string
}

// WasSent resolves an entry as sent. The id may be "".
func WasSent(messageID string) Resolution { return Resolution{Sent, messageID} }

// SendAgain puts an entry back into the queue. Use it only when the message was
// certainly not accepted.
func SendAgain() Resolution { return Resolution{to: Queued} }

// GiveUp resolves an entry as failed.
func GiveUp() Resolution { return Resolution{to: Failed} }

// Resolve settles an unknown entry, also while the outbox looks for it.
// [SendAgain] also takes failed entries whose content can still be read.
// Another state is [ErrTooLate].
func (o *Outbox) Resolve(ctx context.Context, key string, r Resolution) (*Entry, error) {
	if r.to == "" {
		return nil, invalid("resolution", "is empty")
	}
	if !isText(r.messageID) {
		return nil, invalid("WasSent", "has a message id that is no text")
	}
	return o.ask(ctx, key, func(e *Entry) (step, error) {
		switch again := r.to == Queued; {
		case e.State == r.to:
			return step{}, errSame
		case e.State != Unknown && !(again && e.State == Failed), again && e.Content == nil:
			return step{}, tooLate(e)
		case again:
			return step{to: Queued, next: time.Now(), reason: "to be sent again, somebody has said"}, nil
		default:
			return step{to: r.to, reason: "resolved by somebody", message: &ryze.SentMessage{ID: r.messageID, Chat: e.Chat}}, nil
		}
	})
}

// errSame says that nothing has to be changed.
var errSame = errors.New("")

// change makes a change to the entry that a query finds, as it is at the time.
func (o *Outbox) change(ctx context.Context, decide func(*Entry) (step, error), write func(context.Context, *Entry, step) error, query string, args ...any) (*Entry, error) {
	for {
		e, err := o.find(ctx, o.store, query, args...)
		if err != nil {
			return nil, err
		}
		s, err := decide(e)
		if errors.Is(err, errSame) {
			return e, nil
		}
		if err != nil {
			return e, err
		}
		switch err := write(ctx, e, s); {
		case errors.Is(err, errTaken):
		case err != nil:
			return nil, err
		default:
			return e, nil
		}
	}
}

// ask makes a change that a person asks for.
func (o *Outbox) ask(ctx context.Context, key string, decide func(*Entry) (step, error)) (*Entry, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return o.change(ctx, decide, o.requeue, byKey, key)
}

// requeue changes an entry and gives it a new job, if there is more to do.
func (o *Outbox) requeue(ctx context.Context, e *Entry, s step) error {
	err := o.store.within(ctx, func(t tx) error {
		if err := o.apply(ctx, t, e, s); err != nil || s.next.IsZero() {
			return err
		}
		return rejob(ctx, t, e)
	})
	if err == nil {
		o.tell(ctx, e)
	}
	return err
}

// rejob gives an entry a new job.
func rejob(ctx context.Context, t tx, e *Entry) error {
	job, err := t.enqueue(ctx, jobArgs{Entry: e.ID}, jobOptions(e.Priority, e.NextAt))
	if err != nil {
		return err
	}
	switch n, err := t.exec(ctx, sqlJob, job, e.ID, e.jobID); {
	case err != nil:
		return err
	case n == 0:
		return errTaken
	}
	e.jobID = job
	return nil
}

// Entries iterates over the entries of a filter, oldest first. It reads a few
// hundred at a time.
func (o *Outbox) Entries(ctx context.Context, f Filter) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		const page = 200
		if !isText(f.Instance) || !isText(string(f.To)) || slices.ContainsFunc(f.States, func(s State) bool { return !isText(string(s)) }) {
			yield(nil, invalid("Filter", "has what is no text"))
			return
		}
		query, args := byPage, []any{f.AfterID}
		only := func(column string, values ...string) {
			for i, v := range values {
				args = append(args, v)
				values[i] = "$" + strconv.Itoa(len(args))
			}
			query += " AND " + column + " IN (" + strings.Join(values, ", ") + ")"
		}
		if f.Instance != "" {
			only("instance", f.Instance)
		}
		if f.To != "" {
			only("lane", lane(f.To))
		}
		if f.Unsettled {
			query += " AND next_at > 0"
		}
		if len(f.States) > 0 {
			states := make([]string, len(f.States))
			for i, s := range f.States {
				states[i] = string(s)
			}
			only("state", states...)
		}
		query += " ORDER BY id LIMIT 200"
		for {
			entries, err := o.list(ctx, query, args...)
			if err != nil {
				yield(nil, err)
				return
			}
			if err := o.explain(ctx, entries...); err != nil {
				yield(nil, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
				args[0] = e.ID
			}
			if len(entries) < page {
				return
			}
		}
	}
}

// Stats counts the entries by state. It reads each entry.
func (o *Outbox) Stats(ctx context.Context) (Stats, error) {
	stats := Stats{}
	err := each(ctx, o.store, func(r rows) error {
		var state string
		var n int
		err := r.Scan(&state, &n)
		stats[State(state)] = n
		return err
	}, sqlStats)
	return stats, o.store.translated(err)
}

// lane names the recipient: both forms of a Brazilian mobile number are one.
func lane(to ryze.JID) string { return string(slices.Min(ryze.BrazilAliases(to.Bare()))) }
