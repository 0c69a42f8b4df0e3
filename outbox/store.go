package outbox

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"

	ryze "github.com/ryzeapi/ryze-go"
)

// store is a database with River on it.
type store interface {
	conn
	// within runs f in a transaction and commits it when f returns nil.
	within(ctx context.Context, f func(tx) error) error
	// joined is the caller's own transaction, which is a pgx.Tx or a *sql.Tx.
	joined(theirs any) (tx, error)
	work(ctx context.Context) error
	// translated says what the error of a database means, if it is one of ours.
	translated(err error) error
	// isTaken reports whether an error says that a unique index refuses a row.
	isTaken(err error) bool
	close() error
}

// tx is a transaction in which jobs can be added.
type tx interface {
	conn
	enqueue(ctx context.Context, job jobArgs, opts *river.InsertOpts) (id int64, err error)
}

// jobArgs are those of a job: bring forward the recipient of an entry until the
// entry is settled. Which message is sent next the record says, not the job.
type jobArgs struct {
	Entry int64 `json:"entry"`
}

func (jobArgs) Kind() string { return "ryze_outbox" }

const (
	queueNormal = "ryze_outbox"
	queueUrgent = "ryze_outbox_urgent"
)

func jobOptions(p ryze.Priority, at time.Time) *river.InsertOpts {
	o := &river.InsertOpts{Queue: queueNormal, Priority: 2, MaxAttempts: 1000}
	if at.After(time.Now()) { // River moves what is scheduled every five seconds, so only what must be is
		o.ScheduledAt = at
	}
	switch {
	case p >= ryze.PriorityHigh:
		o.Queue, o.Priority = queueUrgent, 1
	case p > ryze.PriorityNormal:
		o.Queue = queueUrgent
	case p < ryze.PriorityNormal:
		o.Priority = 3
	}
	return o
}

// riverStore is either store; T is the transaction of its driver.
type riverStore[T any] struct {
	conn
	client *river.Client[T]
	theirs bool // the client is the application's
	begin  func(context.Context) (tx T, commit, rollback func(context.Context) error, err error)
	on     func(T) conn
	is     func(err error) error // translated
	unique func(err error) bool
	end    func() error
}

type riverTx[T any] struct {
	conn
	client *river.Client[T]
	tx     T
}

func (t riverTx[T]) enqueue(ctx context.Context, job jobArgs, opts *river.InsertOpts) (int64, error) {
	result, err := t.client.InsertTx(ctx, t.tx, job, opts)
	if err != nil {
		return 0, err
	}
	return result.Job.ID, nil
}

func (s *riverStore[T]) within(ctx context.Context, f func(tx) error) error {
	theirs, commit, rollback, err := s.begin(ctx)
	if err != nil {
		return s.is(err)
	}
	if err := f(riverTx[T]{conn: s.on(theirs), client: s.client, tx: theirs}); err != nil {
		_ = rollback(context.WithoutCancel(ctx))
		return s.is(err)
	}
	return s.is(commit(ctx))
}

func (s *riverStore[T]) joined(theirs any) (tx, error) {
	t, ok := theirs.(T)
	if !ok {
		return nil, invalid("tx", fmt.Sprintf("is a %T, and the store takes another", theirs))
	}
	return riverTx[T]{conn: s.on(t), client: s.client, tx: t}, nil
}

func (s *riverStore[T]) work(ctx context.Context) error {
	if s.theirs {
		<-ctx.Done()
		return nil
	}
	if err := s.client.Start(ctx); err != nil {
		return s.is(err)
	}
	<-s.client.Stopped()
	return nil
}

func (s *riverStore[T]) translated(err error) error { return s.is(err) }
func (s *riverStore[T]) isTaken(err error) bool     { return s.unique(err) }
func (s *riverStore[T]) close() error               { return s.end() }

// migrate brings the tables of River and ours up to date, and refuses a database
// that is ahead.
func (s *riverStore[T]) migrate(ctx context.Context) error {
	_, made := s.exec(ctx, sqlVersionTable)
	if made != nil && !isDenied(made) { // a role that may make no tables can use those of another
		return s.is(made)
	}
	var version int
	if _, err := one(ctx, s, sqlVersion, nil, &version); err != nil {
		return s.is(cmp.Or(made, err))
	}
	if version > len(schema) {
		return fmt.Errorf("%w: it has version %d of the outbox, this module knows %d", ErrNewerSchema, version, len(schema))
	}
	migrator, err := rivermigrate.New(s.client.Driver(), &rivermigrate.Config{Schema: s.client.Schema()})
	if err != nil {
		return err
	}
	known := migrator.AllVersions()
	have, err := migrator.ExistingVersions(ctx)
	if err != nil { // also when it has versions that River does not know here
		var last int
		if _, e := one(ctx, s, sqlRiverVersion, nil, &last); e == nil && last > known[len(known)-1].Version {
			return fmt.Errorf("%w: %w", ErrNewerSchema, err)
		}
		return s.is(err)
	}
	if len(have) < len(known) {
		if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return s.is(err)
		}
	}
	for ; version < len(schema); version++ {
		err := s.within(ctx, func(t tx) error {
			if _, err := t.exec(ctx, schema[version]); err != nil {
				return err
			}
			_, err := t.exec(ctx, sqlVersionAdd, version+1)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// queues are those of our jobs.
func queues(o *Outbox) map[string]river.QueueConfig {
	return map[string]river.QueueConfig{queueNormal: {MaxWorkers: o.concurrency}, queueUrgent: {MaxWorkers: o.concurrency}}
}

// join gives the application's client what a client of our own has.
func (s *riverStore[T]) join(o *Outbox) error {
	if o.workers == nil {
		return nil
	}
	if err := river.AddWorkerSafely(o.workers, &worker{outbox: o}); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	for name, queue := range queues(o) {
		if err := s.client.Queues().Add(name, queue); err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
	}
	return nil
}

func riverConfig(o *Outbox, pollOnly bool) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{outbox: o})
	c := &river.Config{
		Workers: workers, Logger: o.logger,
		Queues:          queues(o),
		SoftStopTimeout: 20 * time.Second,
		PollOnly:        pollOnly,
	}
	if pollOnly {
		c.FetchPollInterval, c.FetchCooldown = o.poll, o.poll
	}
	return c
}
