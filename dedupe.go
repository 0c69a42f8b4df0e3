package ryze

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrInProgress says that another worker holds the claim on a key. Do not
// acknowledge the event: let it come again.
var ErrInProgress = sentinel("another worker is at it")

// ErrClaimLost says that a claim's lease passed, and another worker claimed or
// committed the key.
var ErrClaimLost = sentinel("the claim has passed to another")

// DedupeStore remembers handled keys, so that an event that comes again is not
// handled again. Claim a key before the work, then commit it, or release it after
// a failure. The lease must be longer than the work.
//
// A store is safe for concurrent use. TestDedupeStore of package ryzetest
// checks an implementation. Module ryzeredis has one on Redis; its commands are
// in docs/service-notes.md.
//
// Each call has five seconds. After that the event counts as not handled.
type DedupeStore interface {
	// Claim takes a key. It returns a claim when the caller must do the work,
	// and nil when the work was done before. It returns [ErrInProgress] when
	// another worker has the key. When ctx has ended, it takes nothing and
	// returns the error of ctx.
	Claim(ctx context.Context, key string) (DedupeClaim, error)
}

// DedupeClaim is the right to do the work of a key. Call one method when the
// work ends. When another worker has taken the key since, they change nothing
// and return [ErrClaimLost]. After another error a method may be called again.
type DedupeClaim interface {
	// Commit says that the work is done: Claim then returns nil until the
	// window has passed. It also counts after the lease, unless another worker
	// has claimed the key. It may be called again.
	Commit(ctx context.Context) error
	// Release gives up the claim, so that the next Claim gets the key. It never
	// changes a committed key.
	Release(ctx context.Context) error
}

// Deduper lets each event through once, judged by [Event.DedupeKey].
type Deduper struct{ store DedupeStore }

// NewDeduper returns a Deduper over a store, or over a new [MemoryDedupe] when
// store is nil. Channels with the same events must share the store.
func NewDeduper(store DedupeStore) *Deduper {
	if isNil(store) {
		store = &MemoryDedupe{}
	}
	return &Deduper{store}
}

// storeTimeout limits every call of a store. Commit and Release go on when the
// caller's context has ended: the outcome of the work must be recorded.
const storeTimeout = 5 * time.Second

// Do calls handle unless the event was handled before. It returns true when
// handle ran and returned nil or [ErrIgnore].
//
// After an error without true, deliver the event again. An error with true
// means: the work is done and was not recorded.
//
// Gaps always pass. So do events without an id and a time: two equal ones may
// be two occurrences. A nil handle is a [*ValidationError].
func (d *Deduper) Do(ctx context.Context, e *Event, handle Handler) (handled bool, err error) {
	if handle == nil {
		return false, invalid("handle", "is nil")
	}
	o := d.do(ctx, e, handle)
	return o.done(), o.failure()
}

// Wrap returns a handler that calls [Deduper.Do]. It returns nil for an event
// that was handled before, and for work that was done but not recorded.
// Wrap(nil) is nil.
func (d *Deduper) Wrap(handle Handler) Handler {
	if handle == nil {
		return nil
	}
	return func(ctx context.Context, e *Event) error {
		o := d.do(ctx, e, handle)
		return o.err
	}
}

// outcome is what became of an event.
type outcome struct {
	claim      DedupeClaim // nil for none
	called     bool        // the handler was called
	repeated   bool        // the event has been handled before
	unheard    bool        // nobody waits for the outcome
	abandoned  bool        // the wait for its turn has ended, or another process has it
	err        error       // of the handler, or why it was not called
	unrecorded error       // why the store does not know what became of the event
}

// done reports whether the event has been handled with success.
func (o *outcome) done() bool { return o.called && (o.err == nil || o.ignored()) }

// ignored reports whether the handler had no interest in the event.
func (o *outcome) ignored() bool { return o.called && errors.Is(o.err, ErrIgnore) }

// failure returns all that went wrong.
func (o *outcome) failure() error {
	if o.unrecorded == nil {
		return o.err // as it is, for those who compare
	}
	return errors.Join(o.err, o.unrecorded)
}

// do lets a panic of handle pass.
func (d *Deduper) do(ctx context.Context, e *Event, handle Handler) (o outcome) {
	if d.begin(ctx, e, &o) {
		defer d.end(ctx, &o) // also when handle does not return
		o.err = sound("the handler", handle(ctx, e))
	}
	return o
}

// begin claims an event, and reports whether the handler is to be called. Then
// end must be called, whatever the handler does.
func (d *Deduper) begin(ctx context.Context, e *Event, o *outcome) (call bool) {
	if e.tellsOccurrence() {
		claim, err := d.claim(ctx, e.DedupeKey())
		switch {
		case err != nil:
			o.err = fmt.Errorf("ryze: claim an event: %w", err)
			o.abandoned = ctx.Err() != nil || errors.Is(err, ErrInProgress)
			return false
		case claim == nil:
			o.repeated = true
			return false
		}
		o.claim = claim
	}
	o.called, o.err = true, errUnfinished
	return true
}

// end records what became of an event.
func (d *Deduper) end(ctx context.Context, o *outcome) {
	if o.claim == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if o.done() {
		if err := d.ask(ctx, o.claim.Commit); err != nil {
			o.unrecorded = fmt.Errorf("ryze: the event was handled but not committed: %w", err)
		}
	} else if err := d.ask(ctx, o.claim.Release); err != nil {
		o.unrecorded = fmt.Errorf("ryze: release an event: %w", err)
	}
}

// claim takes a key. A claim for which nobody waits any more is given back, or the
// next delivery would find the key taken.
func (d *Deduper) claim(ctx context.Context, key string) (DedupeClaim, error) {
	return askGranted(
		func(call func(context.Context) error) error { return d.ask(ctx, call) },
		func(ctx context.Context) (claim DedupeClaim, granted bool, err error) {
			claim, err = d.store.Claim(ctx, key)
			return claim, claim != nil, err
		},
		func(claim DedupeClaim) error { return d.ask(context.WithoutCancel(ctx), claim.Release) })
}

// ask calls the store and waits for its answer, but not for ever: not every
// store heeds its context.
func (d *Deduper) ask(ctx context.Context, call func(context.Context) error) error {
	if _, ok := d.store.(*MemoryDedupe); ok {
		return call(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	return askInTime(ctx, cancel, "the store", call)
}

// MemoryDedupe is a [DedupeStore] for one process. The zero value is ready for
// use. Its memory is bounded.
type MemoryDedupe struct {
	// Size is the least number of latest keys in memory; there are at most
	// twice as many. Zero means 16 384.
	Size int
	// Window is how long a committed key is remembered, unless Size newer ones
	// push it out. Zero means 24 hours.
	Window time.Duration
	// Lease is how long an open claim holds. It must be longer than the work.
	// Zero means five minutes.
	Lease time.Duration

	mu     sync.Mutex
	keys   generations[string, dedupeEntry]
	claims uint64 // so far
}

const (
	defaultDedupeSize   = 16_384
	defaultDedupeWindow = 24 * time.Hour
	defaultDedupeLease  = 5 * time.Minute
)

type dedupeEntry struct {
	claim uint64 // the claim of the key, by its number
	done  bool
	until time.Time
}

// memoryClaim is a claim of a [MemoryDedupe].
type memoryClaim struct {
	store *MemoryDedupe
	key   string
	id    uint64
}

// Claim implements [DedupeStore].
func (m *MemoryDedupe) Claim(ctx context.Context, key string) (DedupeClaim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if e, ok := m.keys.get(key); ok && now.Before(e.until) {
		if !e.done {
			return nil, ErrInProgress
		}
		return nil, nil //nolint:nilnil // as documented: it has been done
	}
	m.claims++
	m.put(key, dedupeEntry{claim: m.claims, until: now.Add(orDefault(m.Lease, defaultDedupeLease))})
	return &memoryClaim{m, key, m.claims}, nil
}

// Commit implements [DedupeClaim]. It fails with [ErrClaimLost] alone.
func (c *memoryClaim) Commit(context.Context) error {
	m := c.store
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if e, ok := m.keys.get(c.key); ok && e.claim != c.id && now.Before(e.until) {
		return ErrClaimLost
	}
	m.put(c.key, dedupeEntry{claim: c.id, done: true, until: now.Add(orDefault(m.Window, defaultDedupeWindow))})
	return nil
}

// Release implements [DedupeClaim]. It fails with [ErrClaimLost] alone.
func (c *memoryClaim) Release(context.Context) error {
	m := c.store
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.keys.get(c.key)
	switch {
	case !ok || !time.Now().Before(e.until): // it has passed, and nobody has the key
	case e.claim != c.id || e.done:
		return ErrClaimLost
	default:
		m.keys.remove(c.key)
	}
	return nil
}

func (m *MemoryDedupe) put(key string, e dedupeEntry) {
	m.keys.put(key, e, orDefault(m.Size, defaultDedupeSize))
}
