package ryze

import (
	"context"
	"errors"
	"sync"
)

// ErrChatLockLost says that the lock of a chat was lost before it was given
// back: another process may be at the same chat. It is the cause of the end of
// the handler's context; see [context.Cause].
var ErrChatLockLost = errors.New("the lock of the chat was lost")

// ChatLocks are locks that several processes share, one for each chat; see
// [WithChatLocks]. [MemoryChatLocks] is one for a single process.
//
// It must be safe for concurrent use. TestChatLocks of package ryzetest holds
// one to these rules.
type ChatLocks interface {
	// Lock waits for the locks of all keys and takes them together. The keys are
	// the names of one chat: at least one, sorted, each once. They are digests, of
	// 32 letters and digits; no address can be read from one.
	//
	// First come, first served: Lock goes to the end of the line of each of its
	// keys at one moment, and is granted when it is the first in all of them. As
	// soon as it has its places it calls queued: whoever calls Lock after that comes
	// after it. Queued may be called late, also never: then the place is taken to be
	// had when Lock returns, and what comes later in this process waits with its
	// own call until then. It returns quickly and may be called more than once.
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
	// Lost is closed when the lock is lost, not later than anybody else can have it, as far as this process runs at all.
	Lost() <-chan struct{}
	// Unlock gives the lock back. It acts on this lock alone: for one that was lost
	// it changes nothing and its error matches [ErrChatLockLost]. A lock that was
	// given back before is no error. When it fails otherwise, it may be called
	// again, and the lock passes after a lease.
	Unlock(ctx context.Context) error
}

// MemoryChatLocks are [ChatLocks] for one process: for tests, and for several
// inboxes that share chats. The zero value is ready for use. A lock is never lost. Waiting, granting and giving
// up take the same time whatever waits, and a chat without locks takes no memory.
type MemoryChatLocks struct {
	mu    sync.Mutex
	lines map[string]*chatLine // by key
}

// chatLine is who holds a key, and who waits for it.
type chatLine struct{ first, last *chatPlace }

// chatPlace is a place in the line of one key.
type chatPlace struct {
	of         *memoryChatLock
	key        string
	prev, next *chatPlace
}

// memoryChatLock is a [ChatLock], or waits to become one.
type memoryChatLock struct {
	locks   *MemoryChatLocks
	places  []chatPlace // nil when they were given back
	behind  int         // in how many lines others are before it
	granted chan struct{}
}

// Lock implements [ChatLocks]. It fails with the error of ctx alone.
func (m *MemoryChatLocks) Lock(ctx context.Context, keys []string, queued func()) (ChatLock, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := m.join(keys)
	queued()
	select {
	case <-ctx.Done():
		l.leave()
		return nil, ctx.Err()
	case <-l.granted:
		return l, nil
	}
}

// join takes the last place in the line of each key.
func (m *MemoryChatLocks) join(keys []string) *memoryChatLock {
	l := &memoryChatLock{locks: m, places: make([]chatPlace, len(keys)), granted: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lines == nil {
		m.lines = make(map[string]*chatLine)
	}
	for i, key := range keys {
		line := m.lines[key]
		if line == nil {
			line = &chatLine{}
			m.lines[key] = line
		}
		p := &l.places[i]
		*p = chatPlace{of: l, key: key, prev: line.last}
		if line.last == nil {
			line.first = p
		} else {
			line.last.next = p
			l.behind++
		}
		line.last = p
	}
	if l.behind == 0 {
		close(l.granted)
	}
	return l
}

// leave gives the places up, and grants the lock to those who are first then.
func (l *memoryChatLock) leave() {
	m := l.locks
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range l.places {
		p := &l.places[i]
		line := m.lines[p.key]
		if p.next == nil {
			line.last = p.prev
		} else {
			p.next.prev = p.prev
		}
		if p.prev != nil {
			p.prev.next = p.next
			continue
		}
		line.first = p.next
		if line.first == nil {
			delete(m.lines, p.key)
			continue
		}
		next := line.first.of
		if next.behind--; next.behind == 0 {
			close(next.granted)
		}
	}
	l.places = nil
}

// Lost implements [ChatLock]. It is nil, because the lock is never lost.
func (l *memoryChatLock) Lost() <-chan struct{} { return nil }

// Unlock implements [ChatLock]. It never fails.
func (l *memoryChatLock) Unlock(context.Context) error {
	l.leave()
	return nil
}
