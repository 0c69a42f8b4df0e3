package ryze

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// ErrChatLockLost says that a chat's lock was lost: another process may handle
// the same chat. It is the [context.Cause] of the handler's context.
var ErrChatLockLost = sentinel("the lock of the chat was lost")

// ChatLocks are locks of chats for several processes; see [WithChatLocks].
// Module ryzeredis has them on Redis. They are safe for concurrent use.
// TestChatLocks of package ryzetest checks an implementation.
type ChatLocks interface {
	// Lock waits for the locks of all keys and takes them together. The keys
	// name one chat: at least one, sorted, each once.
	//
	// Lock enters the line of each key at one moment, and is granted when it is
	// first in all. It then calls queued at once: later calls stand behind it.
	// Queued is quick and may be called more than once.
	//
	// After an error, also that of ctx, Lock holds nothing. Places and locks of
	// a dead process end after a lease. See docs/service-notes.md.
	Lock(ctx context.Context, keys []string, queued func()) (ChatLock, error)
}

// ChatLock is a lock that is held until Unlock, or until it is lost: the
// process paused longer than a lease, or lost the store.
type ChatLock interface {
	// Lost is closed when the lock is lost, before another process can have it.
	// The inbox calls it right before the handler.
	Lost() <-chan struct{}
	// Unlock gives the lock back. For a lost lock it returns [ErrChatLockLost];
	// a second call is no error. After another error it may be called again,
	// and the lock ends after a lease.
	Unlock(ctx context.Context) error
}

// WithChatLocks locks the chat of each event while it is handled. Several
// processes with the same locks handle a chat's events one at a time, in the
// order of arrival.
//
// When the chat cannot be locked, the event is not handled and counts as Failed
// in [InboxStats]. When a lock is lost, the handler's context ends with
// [ErrChatLockLost]. Gaps are not locked. See docs/service-notes.md.
func WithChatLocks(locks ChatLocks) InboxOption {
	return inboxOption(func(c *inboxConfig) error {
		if isNil(locks) {
			return invalid("WithChatLocks", "was given no locks")
		}
		c.locks = locks
		return nil
	})
}

// lockKeys returns the keys of the locks for the names of a chat.
func lockKeys(names []laneName) []string {
	if names == nil {
		return nil
	}
	keys := make([]string, 0, len(names))
	for _, name := range names {
		sum := sha256.Sum256([]byte("ryze chat\x00" + name.instance + "\x00" + name.chat + "\x00" + string(name.other)))
		keys = append(keys, hex.EncodeToString(sum[:16]))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// asksLocks names who is asked about the lock of a chat.
const asksLocks = "the locks of chats"

// hold asks whether a lock is lost, and returns a context that ends when it is,
// and when end is called. It does not rely on what it was told: in a process that
// was paused, nobody may have been told yet. A lock that does not say counts as
// lost. It costs one goroutine, until end.
func (in *Inbox) hold(ctx context.Context, lock ChatLock) (held context.Context, end func(), err error) {
	working := context.WithoutCancel(ctx)
	if _, ok := lock.(*memoryChatLock); ok || lock == nil {
		return working, func() {}, nil // it is never lost
	}
	working, cancel := context.WithCancelCause(working)
	asked, stop := context.WithTimeout(ctx, storeTimeout)
	var lost <-chan struct{}
	watch := func() {
		stop()
		select {
		case <-lost:
			cancel(ErrChatLockLost)
		case <-working.Done():
		}
	}
	err = askInTime(asked, watch, asksLocks, func(context.Context) error {
		lost = lock.Lost()
		select {
		case <-lost:
			return fmt.Errorf("ryze: %w", ErrChatLockLost)
		default:
			return nil
		}
	})
	if err != nil {
		cancel(nil)
	}
	return working, func() { cancel(nil) }, err
}

// lock locks the chat of a turn when the turn has come. It lets the next one of
// the chat in this process go to the line when this one has its places there.
func (in *Inbox) lock(ctx context.Context, t *turn) (ChatLock, error) {
	select {
	case <-ctx.Done():
	case <-t.place.arrived:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lock, err := in.askForLock(ctx, t)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pass(t)
	if err != nil {
		return nil, fmt.Errorf("ryze: lock a chat: %w", err)
	}
	t.place.asks = true
	in.ready.push(t)
	in.grant()
	return lock, nil
}

// pass lets the next turn of the chat begin.
func (in *Inbox) pass(t *turn) {
	if t.lane != nil {
		in.lanes.leave(t)
		in.grant()
	}
}

// queued is pass for who has places in the lines.
func (in *Inbox) queued(t *turn) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pass(t)
}

// askForLock asks for the lock of a chat. One for which nobody waits any more is
// given back.
func (in *Inbox) askForLock(ctx context.Context, t *turn) (ChatLock, error) {
	return askGranted(
		func(call func(context.Context) error) error { return in.askLocks(ctx, func() {}, call) },
		func(ctx context.Context) (lock ChatLock, granted bool, err error) {
			lock, err = in.locks.Lock(ctx, t.place.keys, func() { in.queued(t) })
			if err == nil && isNil(lock) {
				err = errors.New("there is neither a lock nor an error")
			}
			return lock, err == nil, err
		},
		func(lock ChatLock) error { in.unlock(ctx, t, lock); return nil })
}

// askLocks calls the locks and waits for the answer until ctx ends: not all heed it.
func (in *Inbox) askLocks(ctx context.Context, cancel func(), call func(context.Context) error) error {
	if _, ok := in.locks.(*MemoryChatLocks); ok {
		defer cancel()
		return call(ctx)
	}
	return askInTime(ctx, cancel, asksLocks, call)
}

// unlock gives a lock back. What goes wrong with that is not the outcome of the
// event, so it is told.
func (in *Inbox) unlock(ctx context.Context, t *turn, lock ChatLock) {
	if lock == nil {
		return
	}
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	err := in.askLocks(asked, cancel, lock.Unlock)
	if err != nil {
		in.tell(context.WithoutCancel(ctx), &HandlerError{Event: t.event, Err: fmt.Errorf("ryze: unlock a chat: %w", err)}, true)
	}
}
