package ryzetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ryzeapi/ryze-go"
)

var chatLockRules = []struct {
	name  string
	needs int
	check func(*lockDesk)
}{
	{"a free chat is locked at once", 0, lockFree},
	{"who comes second waits until the lock is given back", 0, lockExcludes},
	{"chats do not touch each other", 0, lockApart},
	{"all keys are locked", 0, lockAllKeys},
	{"who waits for several keys waits for all of them", 0, lockWaitsForAll},
	{"keys that overlap never lock each other out", 0, lockNoDeadlock},
	{"first come, first served", needsOrder, lockInOrder},
	{"first come, first served, also when keys overlap", needsOrder, lockOverlapInOrder},
	{"a place is told as soon as it is had", needsOrder, lockTellsPlace},
	{"a wait ends with its context", 0, lockWaitEnds},
	{"who has stopped waiting leaves no trace", 0, lockNoTrace},
	{"a context that has ended locks nothing", 0, lockEnded},
	{"Unlock is done once", 0, unlockOnce},
	{"a lock that was given back touches no later one", 0, unlockLater},
	{"no call hangs when its context has ended", 0, unlockHangs},
	{"a lock holds longer than a lease", needsLease, lockOutlivesLease},
	{"a place is kept longer than a lease", needsLease | needsOrder, placeOutlivesLease},
	{"a lock that is lost is told", needsLease | needsPause, lockLost},
	{"the lock of a dead process passes", needsLease | needsPause, lockPasses},
	{"the places of a dead process pass", needsLease | needsPause, placesPass},
}

func lockFree(d *lockDesk) {
	for _, locks := range []ryze.ChatLocks{d.locks, d.other, d.locks} {
		d.unlock(d.lock(locks, "a free chat", d.keys...))
	}
}

func lockExcludes(d *lockDesk) {
	for range 2 {
		for _, other := range []ryze.ChatLocks{d.locks, d.other} {
			first := d.lock(d.locks, "a free chat", d.keys[0])
			second := d.start(d.Context(), other, d.keys[0])
			d.waits(second, "a locked chat")
			d.holds(first, "a lock for which another waits")
			d.unlock(first)
			d.unlock(d.granted(second, "a chat that was unlocked"))
		}
	}
}

func lockApart(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	second := d.lock(d.other, "a free chat beside a locked one", d.keys[1])
	d.unlock(first)
	third := d.start(d.Context(), d.locks, d.keys[1])
	d.waits(third, "a locked chat, after another was unlocked")
	d.unlock(second)
	d.unlock(d.granted(third, "a chat that was unlocked"))
}

func lockAllKeys(d *lockDesk) {
	all := d.lock(d.locks, "a free chat", d.keys...)
	var calls []*lockCall
	for _, key := range d.keys {
		c := d.start(d.Context(), d.other, key)
		d.waits(c, "one of the keys of a locked chat")
		calls = append(calls, c)
	}
	d.unlock(all)
	for _, c := range calls {
		d.unlock(d.granted(c, "one of the keys of a chat that was unlocked"))
	}
}

func lockWaitsForAll(d *lockDesk) {
	held := []ryze.ChatLock{
		d.lock(d.locks, "a free chat", d.keys[0]),
		d.lock(d.other, "a free chat", d.keys[1]),
		d.lock(d.locks, "a free chat", d.keys[2]),
	}
	all := d.start(d.Context(), d.other, d.keys...)
	for _, i := range []int{1, 0, 2} {
		d.waits(all, "a chat of which a key is locked")
		d.unlock(held[i])
	}
	d.unlock(d.granted(all, "a chat whose keys were all unlocked"))
}

// Many workers lock and unlock chats whose keys overlap.
func lockNoDeadlock(d *lockDesk) {
	var inside [3]atomic.Int32
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(d.Context(), 4*promptly)
	defer cancel()
	for i := range 12 {
		locks := d.locks
		if i%2 == 1 {
			locks = d.other
		}
		wg.Go(func() {
			for n := range 6 {
				which := [][]int{{0, 1}, {1, 2}, {0, 2}, {0, 1, 2}, {0}, {1}, {2}}[(i+n)%7]
				var keys []string
				for _, k := range which {
					keys = append(keys, d.keys[k])
				}
				lock, err := locks.Lock(ctx, keys, func() {})
				if err != nil {
					d.Errorf("Lock failed: %v", err)
					return
				}
				for _, k := range which {
					if inside[k].Add(1) > 1 {
						d.Error("two have locked the same key")
					}
				}
				time.Sleep(rand.N(2 * time.Millisecond))
				for _, k := range which {
					inside[k].Add(-1)
				}
				if err := lock.Unlock(ctx); err != nil {
					d.Errorf("Unlock failed: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func lockInOrder(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	var calls []*lockCall
	for i := range 6 {
		locks := d.locks
		if i%3 != 1 {
			locks = d.other
		}
		calls = append(calls, d.start(d.Context(), locks, d.keys[0]))
	}
	d.unlock(first)
	for i, c := range calls {
		lock := d.granted(c, "the first of those who wait")
		for _, later := range calls[i+1:] {
			select {
			case <-later.done:
				d.Fatal("one who came later was served at the same time")
			default:
			}
		}
		d.unlock(lock)
	}
}

// Who knows a person by two names comes between two who know one of them.
func lockOverlapInOrder(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	both := d.start(d.Context(), d.other, d.keys[0], d.keys[1])
	last := d.start(d.Context(), d.locks, d.keys[1])
	d.waits(both, "a chat of which a key is locked")
	d.waits(last, "a key for which another waits that came before")
	d.unlock(first)
	lock := d.granted(both, "the first of those who wait")
	d.waits(last, "a locked key")
	d.unlock(lock)
	d.unlock(d.granted(last, "the last"))
}

func lockTellsPlace(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	c := &lockCall{queued: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.lock, c.err = d.other.Lock(d.Context(), d.keys[:1], func() {
			select {
			case c.queued <- struct{}{}:
			default:
			}
		})
	}()
	select {
	case <-c.queued:
	case <-time.After(promptly):
		d.Errorf("queued has not been called after %v", promptly)
	}
	d.unlock(first)
	d.unlock(d.granted(c, "a chat that was unlocked"))
}

func lockWaitEnds(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	ctx, cancel := context.WithCancel(d.Context())
	canceled := d.start(ctx, d.other, d.keys[:2]...)
	late, stop := context.WithTimeout(d.Context(), 2*settling)
	defer stop()
	timedOut := d.start(late, d.locks, d.keys[0])
	cancel()
	d.ended(canceled, context.Canceled, "a wait that was canceled")
	d.ended(timedOut, context.DeadlineExceeded, "a wait that took too long")
	d.holds(first, "a lock for which nobody waits any longer")
	d.unlock(first)
}

func lockNoTrace(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	ctx, cancel := context.WithCancel(d.Context())
	var gone []*lockCall
	for _, locks := range []ryze.ChatLocks{d.locks, d.other, d.other} {
		gone = append(gone, d.start(ctx, locks, d.keys...))
	}
	next := d.start(d.Context(), d.other, d.keys[0])
	cancel()
	for _, c := range gone {
		d.ended(c, context.Canceled, "a wait that was canceled")
	}
	d.unlock(d.lock(d.locks, "a key that was only waited for, by who has stopped", d.keys[1]))
	d.waits(next, "a locked chat")
	d.unlock(first)
	d.unlock(d.granted(next, "a chat that was unlocked, behind those who have stopped waiting"))
	d.unlock(d.lock(d.other, "a free chat", d.keys...))
}

func lockEnded(d *lockDesk) {
	ended, cancel := context.WithCancel(d.Context())
	cancel()
	late, cancel := context.WithTimeout(d.Context(), -time.Second)
	defer cancel()
	for _, ctx := range []context.Context{ended, late} {
		d.ended(d.start(ctx, d.locks, d.keys...), ctx.Err(), "a context that has ended")
	}
	d.unlock(d.lock(d.other, "a free chat", d.keys...))
}

func unlockOnce(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	d.unlock(first)
	d.unlock(first) // as when the first answer was lost
	d.unlock(d.lock(d.other, "a chat that was unlocked twice", d.keys[0]))
}

func unlockLater(d *lockDesk) {
	for _, other := range []ryze.ChatLocks{d.locks, d.other} {
		first := d.lock(d.locks, "a free chat", d.keys[0])
		waiting := d.start(d.Context(), other, d.keys[0])
		d.unlock(first)
		second := d.granted(waiting, "a chat that was unlocked")
		third := d.start(d.Context(), d.locks, d.keys[0])
		d.unlock(first)
		d.waits(third, "a locked chat, after who had it before has unlocked once more")
		d.holds(second, "a lock, after who had it before has unlocked once more")
		d.unlock(second)
		d.unlock(d.granted(third, "a chat that was unlocked"))
	}
}

func unlockHangs(d *lockDesk) {
	ended, cancel := context.WithCancel(d.Context())
	cancel()
	lock := d.lock(d.locks, "a free chat", d.keys[0])
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		_ = lock.Unlock(ended) // it may do its work all the same
	}()
	select {
	case <-returned:
	case <-time.After(promptly):
		d.Errorf("Unlock has not returned %v after its context ended", promptly)
	}
	_ = lock.Unlock(d.Context())
}

func lockOutlivesLease(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	second := d.start(d.Context(), d.other, d.keys[0])
	for range 3 {
		pass(d.rules.Lease)
		d.waits(second, "a chat that was locked leases ago")
		d.holds(first, "a lock of a process that is alive")
	}
	d.unlock(first)
	d.unlock(d.granted(second, "a chat that was unlocked"))
}

func placeOutlivesLease(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	second := d.start(d.Context(), d.other, d.keys[0])
	pass(2 * d.rules.Lease)
	third := d.start(d.Context(), d.locks, d.keys[0])
	d.unlock(first)
	lock := d.granted(second, "who waits for leases")
	d.waits(third, "who came later")
	d.unlock(lock)
	d.unlock(d.granted(third, "the last"))
}

// lost waits until a lock is lost.
func (d *lockDesk) lost(lock ryze.ChatLock) {
	d.Helper()
	select {
	case <-lock.Lost():
	case <-time.After(d.rules.Lease + d.rules.Lease/4 + settling):
		d.Error("a lock whose process cannot reach the server is not told to be lost within a lease")
	}
}

func lockLost(d *lockDesk) {
	first := d.lock(d.locks, "a free chat", d.keys[0])
	second := d.start(d.Context(), d.other, d.keys[0])
	d.rules.Pause(d.locks)
	d.lost(first)
	lock := d.granted(second, "a chat whose lock was lost")
	if err := first.Unlock(d.Context()); err == nil || !errors.Is(err, ryze.ErrChatLockLost) {
		d.Errorf("Unlock of a lock that was lost returned %v; it must return ErrChatLockLost", err)
	}
	d.waits(d.start(d.Context(), d.other, d.keys[0]), "a chat that another locked, after the first has unlocked what it had lost")
	d.holds(lock, "a lock, after the first has unlocked what it had lost")
}

func lockPasses(d *lockDesk) {
	d.lock(d.locks, "a free chat", d.keys...)
	d.rules.Pause(d.locks)
	pass(2 * d.rules.Lease)
	keys := slices.Clone(d.keys)
	lock := d.lock(d.other, "a chat whose holder is dead", keys...)
	pass(d.rules.Lease)
	d.holds(lock, "a lock that was taken over")
	d.unlock(lock)
}

func placesPass(d *lockDesk) {
	first := d.lock(d.other, "a free chat", d.keys[0])
	dead := d.start(d.Context(), d.locks, d.keys...)
	second := d.start(d.Context(), d.other, d.keys[0])
	third := d.start(d.Context(), d.other, d.keys[1])
	d.rules.Pause(d.locks)
	pass(2 * d.rules.Lease)
	d.unlock(d.granted(third, "a key that a dead process has waited for"))
	d.waits(second, "a locked chat")
	d.unlock(first)
	d.unlock(d.granted(second, "a chat that was unlocked, behind a dead process"))
	select {
	case <-dead.done:
		if dead.err == nil {
			d.lost(dead.lock)
		}
	default:
	}
}
