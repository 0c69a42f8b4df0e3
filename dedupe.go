package ryze

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrInProgress says that another worker holds the claim on a key and has
// neither committed nor released it. Whether the work will be done is not known yet:
// do not acknowledge the event, let it be delivered again.
var ErrInProgress = sentinel("another worker is at it")

// ErrClaimLost says that a claim is not held any more: its lease has passed, and
// another has claimed or committed the key since.
var ErrClaimLost = sentinel("the claim has passed to another")

// DedupeStore remembers which keys have been dealt with, so that an event that
// is delivered several times (webhook retries, several webhooks, WebSocket and
// webhook together) is processed once.
//
// It is made for processing at least once: a key is claimed before the work
// and committed after it, or released when the work failed. A worker that dies
// in between loses its claim after a lease, and the next delivery is processed.
// A lease must be longer than the work takes.
//
// A store must be safe for concurrent use. TestDedupeStore of package ryzetest
// holds one to these rules.
//
// With Redis, each claim has a random value of its own, such as [rand.Text]
// makes, and the [DedupeClaim] keeps it. The key holds that value, and the same
// with "done:" before it once the work is done. Claim is
//
//	SET key value NX PX lease
//
// If the key is there, GET tells whether the value begins with "done:". If the
// key has gone meanwhile, Claim begins again. Commit and Release compare the value
// and change the key in one step, so they are scripts. Commit gets the key, the
// value and the window:
//
//	local held = redis.call("GET", KEYS[1])
//	if held and held ~= ARGV[1] and held ~= "done:" .. ARGV[1] then
//		return 0 -- ErrClaimLost
//	end
//	redis.call("SET", KEYS[1], "done:" .. ARGV[1], "PX", ARGV[2])
//	return 1
//
// Release gets the key and the value:
//
//	local held = redis.call("GET", KEYS[1])
//	if held and held ~= ARGV[1] then
//		return 0 -- ErrClaimLost
//	end
//	redis.call("DEL", KEYS[1])
//	return 1
//
// A plain SET or DEL would act on what another has claimed or committed after
// the lease. A Claim whose answer is lost may hold the key. It should release it
// by the same script, or nobody handles the event until the lease has passed.
//
// Each call has a context that ends after five seconds. A store that does not
// heed it is not waited for any longer: the event counts as not handled, and a
// claim that is granted later is released.
//
// [rand.Text]: https://pkg.go.dev/crypto/rand#Text
type DedupeStore interface {
	// Claim takes a key. It returns a claim when the caller is the first and must
	// do the work; nil and no error when the work has been done before; and an
	// error that matches [ErrInProgress] when somebody else has claimed the key
	// and is not done. When ctx has ended, it takes nothing and returns the error
	// of ctx.
	Claim(ctx context.Context, key string) (DedupeClaim, error)
}

// DedupeClaim is the right to do the work of a key, and the duty to say what
// came of it, by one of the methods. They act on this claim alone: when its
// lease has passed and another has claimed or committed the key since, they
// change nothing, and their error matches [ErrClaimLost].
//
// When a method fails otherwise, it may be called again.
type DedupeClaim interface {
	// Commit says that the work is done: until the window has passed, Claim returns
	// no claim of the key. It counts also when the lease has passed, if nobody has
	// claimed the key since. What is committed can be committed again.
	Commit(ctx context.Context) error
	// Release gives up the claim, so that the next Claim is granted. It never
	// touches a key that has been committed, by this claim or another.
	Release(ctx context.Context) error
}

// Deduper lets each event through once, judged by [Event.DedupeKey].
type Deduper struct{ store DedupeStore }

// NewDeduper returns a Deduper over a store, or over a new [MemoryDedupe] when
// store is nil. Channels that deliver the same events must share the store.
func NewDeduper(store DedupeStore) *Deduper {
	if store == nil {
		store = &MemoryDedupe{}
	}
	return &Deduper{store}
}

// storeTimeout limits every call of a store. Commit and Release go on when the
// caller's context has ended: the outcome of the work must be recorded.
const storeTimeout = 5 * time.Second

// Do calls handle with the event unless it has been handled before, and
// returns whether it did so with success. The event counts as handled when
// handle returns nil or [ErrIgnore], which Do returns. When handle fails, panics
// or ends the goroutine, the event counts as not handled. An error without a
// call to handle means that nothing is known (the store failed) or that somebody
// else is at it ([ErrInProgress]): in both cases the event must be delivered
// again.
//
// When the work was done but could not be recorded, Do returns true and the
// error of the store: the event may be handled once more, if it is delivered
// once more.
//
// Gaps, and events that say neither what nor when (labels have no time in the
// documented form), always pass: of those, two equal ones may be two
// occurrences.
//
// [*ValidationError] when handle is nil.
func (d *Deduper) Do(ctx context.Context, e *Event, handle Handler) (handled bool, err error) {
	if handle == nil {
		return false, invalid("handle", "is nil")
	}
	o := d.do(ctx, e, handle)
	return o.done(), o.failure()
}

// Wrap returns a handler with [Deduper.Do] around handle. It returns nil for an
// event that has been handled before, and also when the work was done but could
// not be recorded: a delivery that is asked for again would repeat the work. Of
// nil it makes nil.
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
// use. Every operation takes constant time, and memory is bounded.
type MemoryDedupe struct {
	// Size is how many of the latest keys are remembered at least. At most twice
	// as many are in memory. Zero means 16 384.
	Size int
	// Window is how long a committed key is remembered, unless Size newer ones
	// push it out. Zero means 24 hours. For how long the service repeats a
	// delivery is not documented.
	Window time.Duration
	// Lease is how long a claim holds that is neither committed nor released.
	// Zero means five minutes. It must be longer than the work takes.
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

// Claim implements [DedupeStore]. It returns the context's error when the context has ended.
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
