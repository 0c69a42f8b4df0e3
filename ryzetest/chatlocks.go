package ryzetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// ChatLockRules tells [TestChatLocks] about the locks that it tests. The zero
// value suits locks in memory.
type ChatLockRules struct {
	// Lease is how long the lock of a dead process stays. It must be long
	// enough for a few calls, such as 300 milliseconds. Zero, or more than two
	// seconds, skips the rules about leases.
	Lease time.Duration
	// Shared says that all locks of newLocks are shared, like those of two
	// processes with one server. Some workers of a rule then have their own
	// locks.
	Shared bool
	// Pause cuts locks of newLocks off from the server, as when their process
	// is stopped: what they hold ends after the lease. The rules about lost
	// locks need it, Lease and Shared.
	Pause func(locks ryze.ChatLocks)
	// Unordered says that the locks keep no order. It skips the rules about
	// order.
	Unordered bool
	// Within runs each rule; nil calls it. For locks in memory use
	// synctest.Test: waits then cost nothing.
	Within func(t *testing.T, rule func(*testing.T))
}

// TestChatLocks checks a [ryze.ChatLocks] against the documented rules, each in
// a subtest. It calls newLocks for each rule. Each rule has its own keys, so a
// server can be shared. It takes two seconds and ten leases.
func TestChatLocks(t *testing.T, newLocks func() ryze.ChatLocks, rules ...ChatLockRules) {
	t.Helper()
	var r ChatLockRules
	if len(rules) > 0 {
		r = rules[0]
	}
	if r.Within == nil {
		r.Within = callRule
	}
	for _, rule := range chatLockRules {
		t.Run(rule.name, func(t *testing.T) {
			switch {
			case rule.needs&needsLease != 0 && !short(r.Lease):
				t.Skip("needs a short ChatLockRules.Lease")
			case rule.needs&needsPause != 0 && (r.Pause == nil || !r.Shared):
				t.Skip("needs ChatLockRules.Pause and Shared")
			case rule.needs&needsOrder != 0 && r.Unordered:
				t.Skip("ChatLockRules.Unordered is set")
			}
			r.Within(t, func(t *testing.T) {
				d := &lockDesk{T: t, rules: r, locks: newLocks()}
				d.other = d.locks
				if r.Shared {
					d.other = newLocks()
				}
				d.keys = []string{lockKey(), lockKey(), lockKey()}
				slices.Sort(d.keys)
				rule.check(d)
			})
		})
	}
}

// lockKey returns a key like those of an inbox.
func lockKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%x", b)
}

// What a rule needs of ChatLockRules, beside needsLease.
const (
	needsPause = 1 << (iota + 8)
	needsOrder
)

// lockDesk is locks under test, for two processes, and keys.
type lockDesk struct {
	*testing.T
	locks, other ryze.ChatLocks
	rules        ChatLockRules
	keys         []string
}

// settling is how long a rule waits to see that something does not happen.
const settling = 100 * time.Millisecond

// lockCall is a call of Lock that goes on.
type lockCall struct {
	queued chan struct{} // gets a value when queued is called
	done   chan struct{} // closed when Lock has returned
	lock   ryze.ChatLock
	err    error
}

// start calls Lock, and waits until its places are taken if it says so.
func (d *lockDesk) start(ctx context.Context, locks ryze.ChatLocks, keys ...string) *lockCall {
	d.Helper()
	c := &lockCall{queued: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.lock, c.err = locks.Lock(ctx, keys, func() {
			select {
			case c.queued <- struct{}{}:
			default:
			}
		})
	}()
	select {
	case <-c.queued:
	case <-c.done:
	case <-time.After(settling):
	}
	return c
}

// granted waits for the lock of a call.
func (d *lockDesk) granted(c *lockCall, when string) ryze.ChatLock {
	d.Helper()
	select {
	case <-c.done:
	case <-time.After(promptly):
		d.Fatalf("%s: Lock has not returned after %v", when, promptly)
	}
	switch {
	case c.err != nil:
		d.Fatalf("%s: Lock failed: %v", when, c.err)
	case c.lock == nil:
		d.Fatalf("%s: Lock returned neither a lock nor an error", when)
	}
	d.holds(c.lock, when)
	return c.lock
}

// lock takes keys that are free.
func (d *lockDesk) lock(locks ryze.ChatLocks, when string, keys ...string) ryze.ChatLock {
	d.Helper()
	return d.granted(d.start(d.Context(), locks, keys...), when)
}

// waits makes sure that a call has not returned, and does not soon.
func (d *lockDesk) waits(c *lockCall, when string) {
	d.Helper()
	select {
	case <-c.done:
		d.Fatalf("%s: Lock returned a lock: %t, and the error %v; it must wait", when, c.lock != nil, c.err)
	case <-time.After(settling):
	}
}

// holds makes sure that a lock is not lost.
func (d *lockDesk) holds(lock ryze.ChatLock, when string) {
	d.Helper()
	select {
	case <-lock.Lost():
		d.Fatalf("%s: Lost is closed, although the lock is held", when)
	default:
	}
}

func (d *lockDesk) unlock(lock ryze.ChatLock) {
	d.Helper()
	if err := lock.Unlock(d.Context()); err != nil {
		d.Fatalf("Unlock failed: %v", err)
	}
}

// ended makes sure that a call returns the error of its context, and no lock.
func (d *lockDesk) ended(c *lockCall, want error, when string) {
	d.Helper()
	select {
	case <-c.done:
	case <-time.After(promptly):
		d.Fatalf("%s: Lock has not returned %v after its context ended", when, promptly)
	}
	if c.lock != nil || !errors.Is(c.err, want) {
		d.Fatalf("%s: Lock returned a lock: %t, and the error %v; it must return that of the context", when, c.lock != nil, c.err)
	}
}
