package ryze

import (
	"context"
	"sync"
)

// MemoryChatLocks are [ChatLocks] for one process: for tests and for inboxes
// that share chats. The zero value is ready for use. A lock is never lost.
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

// Lock implements [ChatLocks]. Its only error is that of ctx.
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
