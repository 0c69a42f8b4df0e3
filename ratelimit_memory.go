package ryze

import (
	"context"
	"sync"
	"time"
)

// NewMemoryLimiter returns the default limiter: one window per key, in memory.
// Clients with the same tokens can share it by [WithLimiter]. A wait longer
// than maxWait is a [*RateLimitError]; 0 means five minutes.
//
// It follows the service's headers. In a new window one request goes first, and
// others follow its reply. With fewer than ten left, requests keep half a
// second apart. Higher [Priority] goes first, then who waited longer. See
// docs/service-notes.md.
func NewMemoryLimiter(maxWait time.Duration) Limiter {
	if maxWait <= 0 {
		maxWait = defaultRateLimitWait
	}
	return &memoryLimiter{maxWait: maxWait, windows: make(map[LimiterKey]*window)}
}

type memoryLimiter struct {
	maxWait time.Duration

	mu      sync.Mutex
	windows map[LimiterKey]*window
	most    int // windows in the map since it was made
	// The windows in the order in which the sweep looks at them.
	oldest, newest *window
	sweeping       bool // a sweep is due
}

const (
	sweepInterval = time.Minute // each window in use is looked at this often
	sweepBatch    = 256         // windows that one sweep looks at
	smallMap      = 1024        // a map smaller than this is not worth shrinking
)

// Acquire implements [Limiter].
func (l *memoryLimiter) Acquire(ctx context.Context, req LimiterRequest) (Ticket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for {
		t, err := l.window(req.LimiterKey).acquire(ctx, req, l.maxWait)
		switch {
		case err == errForgotten: //nolint:errorlint // never wrapped
			continue
		case err != nil:
			return nil, err
		default:
			return t, nil
		}
	}
}

// Rate implements [Limiter].
func (l *memoryLimiter) Rate(key LimiterKey) RateLimit {
	l.mu.Lock()
	w := l.windows[key]
	l.mu.Unlock()
	if w == nil {
		return RateLimit{}
	}
	return w.rate()
}

func (l *memoryLimiter) window(key LimiterKey) *window {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[key]
	if w == nil {
		w = newWindow(key)
		l.windows[key] = w
		l.most = max(l.most, len(l.windows))
		l.enlist(w, w.now()+windowLength)
	}
	return w
}

// enlist puts w at the end of the list of windows to look at.
func (l *memoryLimiter) enlist(w *window, due time.Duration) {
	w.due, w.after = due, nil
	if l.newest == nil {
		l.oldest = w
	} else {
		l.newest.after = w
	}
	l.newest = w
	l.schedule()
}

func (l *memoryLimiter) schedule() {
	if !l.sweeping && l.oldest != nil {
		l.sweeping = true
		time.AfterFunc(l.oldest.due-l.oldest.now(), l.sweep)
	}
}

// sweep forgets windows that are over and not in use, a batch at a time so that
// nobody waits long for the lock.
func (l *memoryLimiter) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	// sweeping stays set until the end, or enlist would set a timer.
	for range sweepBatch {
		w := l.oldest
		if w == nil || w.due > w.now() {
			break
		}
		l.oldest = w.after
		if l.oldest == nil {
			l.newest = nil
		}
		if until, over := w.forget(); !over {
			now := w.now()
			l.enlist(w, min(max(until, now+time.Second), now+sweepInterval))
			continue
		}
		delete(l.windows, w.key)
	}
	if l.most > smallMap && len(l.windows) < l.most/4 {
		// A map keeps the room it once needed.
		left := make(map[LimiterKey]*window, len(l.windows))
		for key, w := range l.windows {
			left[key] = w
		}
		l.windows, l.most = left, len(left)
	}
	l.sweeping = false
	l.schedule()
}
