package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"

	ryze "github.com/ryzeapi/ryze-go"
)

// Run sends until its context ends, then waits about 20 seconds at most for
// running requests, and returns nil. When it cannot begin, such as on a full disk
// or while the server is restarted, it returns an error at once. Any number of
// processes may run on one PostgreSQL database.
func (o *Outbox) Run(ctx context.Context) error {
	if !o.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer o.running.Store(false)
	if err := o.work(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

func (o *Outbox) work(ctx context.Context) error {
	if o.alone { // whoever was sending is dead
		if err := o.salvage(ctx, time.Now().Add(24*time.Hour)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sweeper sync.WaitGroup
	defer sweeper.Wait()
	sweeper.Go(func() {
		for tick := time.NewTicker(o.sweep); ; {
			o.clock.steady(time.Now())
			if err := o.salvage(ctx, time.Now()); err != nil && ctx.Err() == nil {
				o.logger.WarnContext(ctx, "outbox: search for what a crash has left", slog.Any("error", err))
			}
			if err := o.scrub(ctx); err != nil && ctx.Err() == nil {
				o.logger.WarnContext(ctx, "outbox: remove what is forgotten from the -wal file", slog.Any("error", err))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	})
	defer cancel()
	return o.store.work(ctx)
}

// salvage takes care of what dead processes have left: entries in sending, and
// entries whose job will not run. River finds the latter too, an hour later.
func (o *Outbox) salvage(ctx context.Context, now time.Time) error {
	crashed, err := o.list(ctx, sqlCrashed, millis(now))
	if err != nil {
		return err
	}
	for _, e := range crashed {
		if err := o.move(ctx, e, o.afterCrash(time.Now())); err != nil && !errors.Is(err, errTaken) {
			return err
		}
	}
	if err := o.afterSetBack(ctx, time.Now()); err != nil {
		return err
	}
	var orphans []*Entry
	err = each(ctx, o.store, func(r rows) error {
		var e Entry
		var priority, next int64
		err := r.Scan(&e.ID, &e.jobID, &priority, &next)
		e.Priority, e.NextAt = ryze.Priority(priority), fromMillis(next)
		orphans = append(orphans, &e)
		return err
	}, sqlOrphans, millis(now.Add(-o.orphan)))
	if err != nil {
		return o.store.translated(err)
	}
	for _, e := range orphans {
		err := o.store.within(ctx, func(t tx) error { return rejob(ctx, t, e) })
		if err != nil && !errors.Is(err, errTaken) {
			return err
		}
	}
	return nil
}

// scrub removes from SQLite's -wal file what was forgotten since the last time. Else it
// stays there until as much was written anew.
func (o *Outbox) scrub(ctx context.Context) error {
	if o.db == nil || !o.forgot.Swap(false) {
		return nil
	}
	var busy, pages, moved int
	err := o.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err != nil || busy != 0 {
		o.forgot.Store(true)
	}
	return o.store.translated(err)
}

// afterSetBack wakes what waits for a time that a clock has told that was ahead.
func (o *Outbox) afterSetBack(ctx context.Context, now time.Time) error {
	early, err := o.list(ctx, sqlEarly, millis(now.Add(agree)), millis(now), millis(now.Add(longest)))
	if err != nil {
		return err
	}
	for _, e := range early {
		s := step{to: e.State, next: now, reason: "the clock was set back"}
		if e.State == Sending {
			s = o.afterCrash(now)
		}
		if err := o.requeue(ctx, e, s); err != nil && !errors.Is(err, errTaken) {
			return err
		}
	}
	_, err = o.store.exec(ctx, sqlEarlyLeader, millis(now.Add(agree))) // River would have none until then
	return o.store.translated(err)
}

// worker brings recipients forward for River.
type worker struct {
	river.WorkerDefaults[jobArgs]
	outbox *Outbox
}

// Timeout is that of each step, and not of the client.
func (w *worker) Timeout(*river.Job[jobArgs]) time.Duration { return -1 }

// NextRetry is for what only the database can have caused.
func (w *worker) NextRetry(*river.Job[jobArgs]) time.Time {
	return time.Now().Add(time.Second + jitter(2*time.Second))
}

func (w *worker) Work(ctx context.Context, job *river.Job[jobArgs]) error {
	again, err := w.outbox.advance(ctx, job.Args.Entry)
	switch {
	case errors.Is(err, errTaken):
		return river.JobSnooze(jitter(200 * time.Millisecond))
	case err != nil:
		return err
	case again < 0:
		return nil
	default:
		return river.JobSnooze(again)
	}
}

const done = time.Duration(-1)

// advance does the next thing for the recipient of an entry, and says in how long
// there may be more to do before that entry is settled.
func (o *Outbox) advance(ctx context.Context, id int64) (time.Duration, error) {
	own, err := o.find(ctx, o.store, byID, id)
	switch now := time.Now(); {
	case errors.Is(err, ErrNotFound):
		return done, nil
	case err != nil:
		return 0, err
	case own.Settled():
		return done, nil
	case own.State == Queued && own.hasExpired(now):
		return done, o.move(ctx, own, step{to: Expired, reason: own.Reason})
	case own.State == Queued && own.NotBefore.After(now):
		return own.NotBefore.Sub(now), nil
	}
	head, wait, err := o.forward(ctx, own)
	if errors.Is(err, ErrNotFound) {
		return 0, nil // it was settled just now
	}
	if err != nil {
		return 0, err
	}
	if wait <= 0 && head.ID == own.ID && head.Settled() {
		return done, nil
	}
	if head.ID != own.ID { // give those before it the time that they need
		var ahead int
		if _, err := one(ctx, o.store, sqlAhead, []any{own.Instance, lane(own.To), own.ID, asInt(isUrgent(head))}, &ahead); err != nil {
			return 0, err
		}
		wait = max(wait, time.Duration(ahead-1)*50*time.Millisecond)
	}
	if !own.ExpiresAt.IsZero() && own.State == Queued {
		wait = min(wait, time.Until(own.ExpiresAt))
	}
	return max(wait, 0), nil
}

// turn does what the state of an entry asks for, and says how long nothing can be
// done for it.
func (o *Outbox) turn(ctx context.Context, e *Entry) (time.Duration, error) {
	now := time.Now()
	switch wait := e.NextAt.Sub(now); {
	case e.State == Sending && wait > 0:
		return min(wait, 250*time.Millisecond+jitter(250*time.Millisecond)), nil // another worker is at it
	case wait > 0 && e.State == Queued && e.hasExpired(e.NextAt):
		wait = e.ExpiresAt.Sub(now)
		if wait > 0 {
			return wait, nil
		}
	case wait > 0:
		return wait, nil
	}
	switch {
	case e.State == Sending:
		return 0, o.move(ctx, e, o.afterCrash(now))
	case e.unreadable != nil && !(e.State == Queued && e.hasExpired(now)):
		return 0, o.move(ctx, e, step{to: e.State, next: now.Add(o.hold), reason: text(e.unreadable)})
	case e.State == Unknown:
		return 0, o.look(ctx, e)
	case e.hasExpired(now):
		return 0, o.move(ctx, e, step{to: Expired, reason: e.Reason})
	}
	if wait, err := o.pace(ctx, e, now); wait > 0 || err != nil {
		return wait, err
	}
	return 0, o.send(ctx, e)
}

// send writes down that the message is being sent, sends it, and writes down what
// became of it.
func (o *Outbox) send(ctx context.Context, e *Entry) error {
	client, err := o.clientOf(ctx, e.Instance)
	if err != nil {
		return o.settle(ctx, e, func(e *Entry, now time.Time) step { return o.afterSend(e, nil, err, now) })
	}
	priority, err := o.inherited(ctx, e, time.Now())
	if err != nil {
		return err
	}
	began := time.Now()
	until := began.Add(o.limit(e))
	if !e.ExpiresAt.IsZero() && e.ExpiresAt.Before(until) {
		until = e.ExpiresAt
	}
	e.Attempts++
	e.SentAt = fromMillis(millis(began))
	// The time in which it is sent ends well before anybody looks for it.
	if err := o.move(ctx, e, step{to: Sending, next: until.Add(o.limit(e) / 4)}); err != nil {
		if o.store.isTaken(err) {
			return errTaken // another message to the same recipient is being sent
		}
		return err
	}
	call, cancel := context.WithDeadline(ryze.WithPriority(ctx, priority), until)
	defer cancel()
	message, err := sendOnce(call, client, e)
	return o.settle(ctx, e, func(e *Entry, now time.Time) step { return o.afterSend(e, message, err, now) })
}

func sendOnce(ctx context.Context, client *ryze.InstanceClient, e *Entry) (*ryze.SentMessage, error) {
	if err := ctx.Err(); err != nil { // this process was stopped for a while: nothing has left
		return nil, errors.Join(ryze.ErrNotSent, err)
	}
	return client.Messages.Send(ctx, e.To, e.Content, e.options()...)
}

// look looks for a message of which nobody knows whether it was accepted.
func (o *Outbox) look(ctx context.Context, e *Entry) error {
	call, cancel := context.WithTimeout(ryze.WithPriority(ctx, e.Priority), o.looks)
	defer cancel()
	// Whoever comes meanwhile waits; when this process dies, it is looked for again.
	if err := o.move(ctx, e, step{to: Unknown, next: time.Now().Add(o.looks), reason: e.Reason}); err != nil {
		return err
	}
	message, err := o.lookFor(call, e)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return o.settle(ctx, e, func(e *Entry, now time.Time) step { return o.afterLook(e, message, err, now, o.clock.steady(now)) })
}

func (o *Outbox) lookFor(ctx context.Context, e *Entry) (*ryze.SentMessage, error) {
	client, err := o.clientOf(ctx, e.Instance)
	if err != nil {
		return nil, err
	}
	var others []string
	err = each(ctx, o.store, func(r rows) error {
		var id string
		err := r.Scan(&id)
		others = append(others, id)
		return err
	}, sqlOthers, e.Instance, lane(e.To), e.ID, millis(e.SentAt.Add(-time.Hour)))
	if err != nil {
		return nil, err
	}
	attempt := ryze.Attempt{To: e.To, Content: e.Content, Source: e.Source, SentAt: e.SentAt, Delay: e.Delay}
	return client.Messages.Find(ctx, attempt, ryze.SettleExcept(others...))
}

func (o *Outbox) clientOf(ctx context.Context, instance string) (*ryze.InstanceClient, error) {
	client, err := o.open(ctx, instance)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w %q (%w): %w", ErrNoInstance, instance, ryze.ErrNotSent, err)
	case client == nil:
		return nil, fmt.Errorf("%w %q (%w)", ErrNoInstance, instance, ryze.ErrNotSent)
	}
	return client, nil
}

// settle writes down what has become of an entry, and does not give up soon: what
// it knows nobody else does. When the entry was changed meanwhile, that it was sent
// counts more than whatever else was found out.
func (o *Outbox) settle(ctx context.Context, e *Entry, what func(*Entry, time.Time) step) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	s := what(e, time.Now())
	if s.hold > 0 {
		if _, err := o.store.exec(ctx, sqlHold, e.Instance, millis(time.Now().Add(s.hold)), s.reason); err != nil {
			o.logger.WarnContext(ctx, "outbox: hold an instance", slog.Any("error", err))
		}
	}
	for {
		err := o.move(ctx, e, s)
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.Is(err, errTaken):
			now, err := o.find(ctx, o.store, byID, e.ID)
			if err == nil && (s.to != Sent || now.State == Sent) {
				return nil
			}
			if err == nil {
				*e = *now
			}
		}
		select {
		case <-time.After(100*time.Millisecond + jitter(200*time.Millisecond)):
		case <-ctx.Done():
		}
	}
}

// move changes an entry and tells the observer.
func (o *Outbox) move(ctx context.Context, e *Entry, s step) error {
	if err := o.apply(ctx, o.store, e, s); err != nil {
		return err
	}
	o.tell(ctx, e)
	return nil
}

// apply writes a step down, unless the entry was changed since it was read.
func (o *Outbox) apply(ctx context.Context, c conn, e *Entry, s step) error {
	next := *e
	next.State, next.Reason, next.NextAt = s.to, s.reason, fromMillis(millis(s.next))
	if s.message != nil {
		next.MessageID, next.Chat = s.message.ID, s.message.Chat
		if !isText(next.MessageID) { // no store holds it, and no message has such an id
			next.MessageID = ""
		}
		if !isText(string(next.Chat)) {
			next.Chat = ""
		}
	}
	forget := 0
	if o.forget != nil && s.next.IsZero() && s.to != Unknown {
		forget, next.Content = 1, nil
		if len(e.stored) > 0 && e.stored[0] == plainPrint { // it was added before the option was given
			next.stored = o.concealed(e.stored[1:], e.Key)
		}
	}
	n, err := c.exec(ctx, sqlChange, string(next.State), next.Reason, next.Attempts, millis(next.SentAt), millis(next.NextAt),
		next.MessageID, string(next.Chat), millis(next.DeliveredAt), millis(next.ReadAt), forget, next.ID, next.rev, next.stored)
	switch err := o.store.translated(err); {
	case errors.Is(err, ErrConflict):
		return errTaken
	case err != nil:
		return err
	case n == 0:
		return errTaken
	}
	if forget == 1 {
		o.forgot.Store(true)
	}
	next.rev++
	*e = next
	return nil
}

// tell wakes those that wait, and tells the observer.
func (o *Outbox) tell(ctx context.Context, e *Entry) {
	o.mu.Lock()
	close(o.changed)
	o.changed = make(chan struct{})
	o.mu.Unlock()
	if o.observe == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			o.logger.ErrorContext(ctx, "outbox: the observer panicked", slog.Any("panic", p))
		}
	}()
	told := *e
	o.observe(ctx, &told)
}
