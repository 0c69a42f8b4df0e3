package ryzeredis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// ErrLeaseLost says that the lease of an instance has passed: the event was not
// given to its handler, or the handler's context ended. Another worker handles
// what comes next.
var ErrLeaseLost = errors.New("ryzeredis: the lease of the instance was lost")

// Lease is the right of one worker to deliver the events of one instance. The
// context of each handler has it; see [LeaseOf].
type Lease struct {
	instance string
	token    int64
	length   time.Duration // from before a request to the end, margin taken off
	since    time.Time

	ended context.Context //nolint:containedctx // it is what ends with the lease
	end   context.CancelCauseFunc

	mu    sync.Mutex
	from  time.Time // before the request that the server granted
	lost  bool      // for ever
	timer *time.Timer
}

// newLease returns a lease that was granted to a request sent at from.
func newLease(ctx context.Context, instance string, token int64, from time.Time, length time.Duration) *Lease {
	l := &Lease{instance: instance, token: token, length: length, since: from, from: from}
	l.ended, l.end = context.WithCancelCause(ctx)
	l.timer = time.AfterFunc(length-time.Since(from), func() { l.Held() })
	return l
}

// Instance returns the name of the instance.
func (l *Lease) Instance() string { return l.instance }

// Token returns the fencing token, a number that grows with each holder of the
// instance. A store can refuse writes with a smaller token than the largest one
// seen. That protects it from a worker that was paused in its handler.
func (l *Lease) Token() int64 { return l.token }

// Held reports whether the lease holds now, by this machine's clock. It makes
// no request. A lost lease never holds again.
func (l *Lease) Held() bool {
	l.mu.Lock()
	held := l.check(time.Now())
	l.mu.Unlock()
	if !held {
		l.end(ErrLeaseLost)
	}
	return held
}

// check judges by both clocks: the monotonic one does not jump, and the other
// goes on while a machine is suspended.
func (l *Lease) check(now time.Time) bool {
	if !l.lost && (now.Sub(l.from) >= l.length || now.Round(0).Sub(l.from.Round(0)) >= l.length) {
		l.lost = true
		l.timer.Stop()
	}
	return !l.lost
}

// renew prolongs the lease by a request that was sent at from, unless it was
// lost meanwhile.
func (l *Lease) renew(from time.Time) bool {
	l.mu.Lock()
	now := time.Now()
	held := l.check(now)
	if held && from.After(l.from) {
		l.from = from
		l.timer.Reset(l.length - now.Sub(from))
		held = l.check(now)
	}
	l.mu.Unlock()
	if !held {
		l.end(ErrLeaseLost)
	}
	return held
}

// age is how long ago the request was sent by which the lease was prolonged.
func (l *Lease) age() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.from)
}

// drop ends the lease.
func (l *Lease) drop() {
	l.mu.Lock()
	l.lost = true
	l.timer.Stop()
	l.mu.Unlock()
	l.end(ErrLeaseLost)
}

type leaseKey struct{}

// LeaseOf returns the lease of an event from its handler's context. It also
// works in the handler of an [ryze.Inbox] that gets its events from
// [Streams.Run]. An event of a webhook has none.
func LeaseOf(ctx context.Context) (*Lease, bool) {
	l, ok := ctx.Value(leaseKey{}).(*Lease)
	return l, ok
}

// WhileHeld returns a handler that calls handle only while the event's lease
// holds. The handler's context ends with the lease. Without the lease it
// returns [ErrLeaseLost]. Events without a lease, such as those of a webhook,
// are handled. WhileHeld(nil) is nil.
//
// Give it to [ryze.NewInbox]: an event may wait there after [Streams.Run] has
// checked the lease. The handler of Run does not need it.
func WhileHeld(handle ryze.Handler) ryze.Handler {
	if handle == nil {
		return nil
	}
	return func(ctx context.Context, e *ryze.Event) error {
		l, ok := LeaseOf(ctx)
		if !ok {
			return handle(ctx, e)
		}
		return l.do(ctx, func(ctx context.Context) error { return handle(ctx, e) })
	}
}

// do calls f unless the lease was lost.
func (l *Lease) do(ctx context.Context, f func(context.Context) error) error {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(l.ended, func() { cancel(context.Cause(l.ended)) })() //nolint:contextcheck // it goes on when the caller has gone
	if !l.Held() {
		return ErrLeaseLost
	}
	return f(&leaseContext{Context: within, lease: l, cancel: cancel}) //nolint:contextcheck // it goes on when the caller has gone
}

// leaseContext is a context that ends with a lease. Whoever asks it for its
// error gets the answer of the clock, also when the process was paused and no
// timer has run since.
type leaseContext struct {
	context.Context //nolint:containedctx // it is one

	lease  *Lease
	cancel context.CancelCauseFunc
}

// Err returns why the context has ended.
func (c *leaseContext) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	if !c.lease.Held() {
		c.cancel(ErrLeaseLost)
	}
	return c.Context.Err()
}

// Value finds the lease.
func (c *leaseContext) Value(key any) any {
	if key == (leaseKey{}) {
		return c.lease
	}
	return c.Context.Value(key)
}
