package ryze

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// ErrChatLockLost says that the lock of a chat was lost before it was given
// back: another process may be at the same chat. It is the cause of the end of
// the handler's context; see [context.Cause].
var ErrChatLockLost = sentinel("the lock of the chat was lost")

// ChatLocks are locks that several processes share, one for each chat; see
// [WithChatLocks]. Module ryzeredis has one on Redis. [MemoryChatLocks] is one for
// a single process.
//
// It must be safe for concurrent use. TestChatLocks of package ryzetest holds
// one to these rules.
type ChatLocks interface {
	// Lock waits for the locks of all keys and takes them together. The keys are
	// the names of one chat: at least one, sorted, each once. They are digests of
	// 32 letters and digits. They are not secret: whoever knows the instance's name
	// can try out phones until a digest fits.
	//
	// First come, first served: Lock goes to the end of the line of each of its
	// keys at one moment, and is granted when it is the first in all of them. As
	// soon as it has its places it calls queued: whoever calls Lock after that comes
	// after it. Until queued is called, or Lock returns, the inbox makes no other
	// call for the chat. A Lock that never calls it is right, but slower. Queued
	// returns quickly and may be called more than once.
	//
	// When ctx ends first, Lock returns the error of ctx at once, and holds nothing:
	// nobody waits for it any longer. After any other error it holds nothing either.
	// Places and locks of a process that has died pass after a lease.
	Lock(ctx context.Context, keys []string, queued func()) (ChatLock, error)
}

// ChatLock is a lock that is held. It holds until Unlock, however long that
// takes, or until it is lost: when the process was paused for longer than a
// lease, or could not reach the store.
type ChatLock interface {
	// Lost is closed when the lock is lost, before anybody else can have it. A
	// process that is paused at that moment learns it when it goes on. The inbox
	// calls Lost once more before it calls the handler: who has a clock looks at it.
	Lost() <-chan struct{}
	// Unlock gives the lock back. It acts on this lock alone: for one that was lost
	// it changes nothing and its error matches [ErrChatLockLost]. A lock that was
	// given back before is no error. When it fails otherwise, it may be called
	// again, and the lock passes after a lease.
	Unlock(ctx context.Context) error
}

// WithChatLocks has each event locked by its chat while it is handled, by locks
// that several processes share. Then events of one chat are handled one at a
// time, and in the order in which they arrive, also when a load balancer spreads
// the deliveries over the processes. By default each process keeps the order of
// what it gets itself, and no more.
//
// An event goes to the end of its chat's line when it arrives; those that arrive
// in one process go there in their order. What arrives in two processes at the
// same moment may go there either way. While it waits for the lock, it takes no
// place among the handlers ([WithConcurrency]). The lock is taken before the event
// is claimed in the [DedupeStore], and given back when the outcome is recorded
// there. Gaps are not locked.
//
// A process knows that a phone and a LID are one chat when it has seen an event
// with both; see [Inbox]. Two processes that each know one of them do not keep each
// other out.
//
// Locks may wait for a store that is away, as those of module ryzeredis do, until
// the delivery or [Inbox.Run] ends. When the chat cannot be locked, the event is not
// handled. It counts as Failed in [InboxStats]: a delivery is asked
// for again, and of an event of a stream the error handler is told. So order
// counts more than speed while the store is away.
//
// When a lock is lost while the handler is at work, the handler's context ends
// with the cause [ErrChatLockLost]. What the handler returns decides, as always.
// The error handler is told, for another process may have been at the same chat.
func WithChatLocks(locks ChatLocks) InboxOption {
	return inboxOption(func(c *inboxConfig) error {
		if locks == nil {
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

// heldLock is the lock of a chat. A nil one is none, and is never lost.
type heldLock struct {
	lock ChatLock
	lost <-chan struct{}
}

func (h *heldLock) isLost() <-chan struct{} {
	if h == nil {
		return nil
	}
	return h.lost
}

// err asks whether the lock is lost. It does not rely on what it was told: in a
// process that was paused, nobody may have been told yet.
func (h *heldLock) err() error {
	if h == nil {
		return nil
	}
	select {
	case <-h.lock.Lost():
		return fmt.Errorf("ryze: %w", ErrChatLockLost)
	default:
		return nil
	}
}

// hold returns a context that ends when the lock is lost, and when end is called.
func (h *heldLock) hold(ctx context.Context) (held context.Context, end func()) {
	lost := h.isLost()
	if lost == nil {
		return ctx, func() {}
	}
	held, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-lost:
			cancel(ErrChatLockLost)
		case <-held.Done():
		}
	}()
	return held, func() { cancel(nil) }
}

// lock locks the chat of a turn when the turn has come. It lets the next one of
// the chat in this process go to the line when this one has its places there.
func (in *Inbox) lock(ctx context.Context, t *turn) (*heldLock, error) {
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
func (in *Inbox) askForLock(ctx context.Context, t *turn) (*heldLock, error) {
	return askGranted(
		func(call func(context.Context) error) error { return in.askLocks(ctx, func() {}, call) },
		func(ctx context.Context) (*heldLock, bool, error) {
			lock, err := in.locks.Lock(ctx, t.place.keys, func() { in.queued(t) })
			switch {
			case err != nil:
				return nil, false, err
			case lock == nil:
				return nil, false, errors.New("there is neither a lock nor an error")
			}
			return &heldLock{lock, lock.Lost()}, true, nil
		},
		func(held *heldLock) error { in.unlock(ctx, t, held); return nil })
}

// askLocks calls the locks and waits for the answer until ctx ends: not all heed it.
func (in *Inbox) askLocks(ctx context.Context, cancel func(), call func(context.Context) error) error {
	if _, ok := in.locks.(*MemoryChatLocks); ok {
		defer cancel()
		return call(ctx)
	}
	return askInTime(ctx, cancel, "the locks of chats", call)
}

// unlock gives a lock back. What goes wrong with that is not the outcome of the
// event, so it is told.
func (in *Inbox) unlock(ctx context.Context, t *turn, held *heldLock) {
	if held == nil {
		return
	}
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	err := in.askLocks(asked, cancel, held.lock.Unlock)
	if err != nil {
		in.tell(context.WithoutCancel(ctx), &HandlerError{Event: t.event, Err: fmt.Errorf("ryze: unlock a chat: %w", err)}, true)
	}
}
