package ryze

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// RateLimit is what the service said about a token's quota: the headers
// X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset. It is on
// every result and every error of the service.
type RateLimit struct {
	// Known is false when the reply did not say how many requests remain.
	// Remaining then says nothing; Limit and Reset may be set all the same.
	Known     bool
	Limit     int // requests of one window; 0 when not said, -1 when there is no limit
	Remaining int // requests left in the window; -1 when there is no limit
	// Reset is when the window starts anew, by the clock of this machine: the
	// service's clock is corrected by its Date header. It is in UTC. It is zero
	// when not said, or said in a way that makes no sense, such as a time more
	// than five minutes ahead.
	Reset time.Time
}

// Exhausted reports whether nothing is left of the window.
func (r RateLimit) Exhausted() bool { return r.Known && r.Remaining == 0 && !r.Unlimited() }

// Unlimited reports whether the service said that there is no limit.
func (r RateLimit) Unlimited() bool { return r.Known && (r.Limit < 0 || r.Remaining < 0) }

// String gives the quota in the form "57/100 until 15:04:05".
func (r RateLimit) String() string {
	switch {
	case !r.Known:
		return "unknown"
	case r.Unlimited():
		return "unlimited"
	}
	text := fmt.Sprint(r.Remaining)
	if r.Limit > 0 {
		text += fmt.Sprintf("/%d", r.Limit)
	}
	if !r.Reset.IsZero() {
		text += " until " + r.Reset.Format(time.TimeOnly)
	}
	return text
}

// Limiter meters requests: every attempt takes one request from the window of
// its token, waits for it if need be, and reports afterwards what the service
// said. [NewMemoryLimiter] is the one in use unless [WithLimiter] names
// another, for instance one that several processes share.
//
// A Limiter must be safe for concurrent use, must serve waiters in the order
// that [LimiterRequest] describes, and must return at once when the context
// ends.
type Limiter interface {
	// Acquire waits until the key's window has room and takes one request from
	// it. It returns a *RateLimitError as soon as it knows that the wait would
	// outlast the context's deadline or req.MaxWait: at once, or later, when the
	// wait becomes longer than it seemed at first.
	Acquire(ctx context.Context, req LimiterRequest) (Ticket, error)
	// Rate returns what is known of key's window.
	Rate(key LimiterKey) RateLimit
}

// LimiterKey names one window: a token at one base URL, and a rate class.
type LimiterKey struct {
	Scope string // a digest of base URL and token, from which neither can be had
	Class RateClass
}

// LimiterRequest asks a [Limiter] for one request.
type LimiterRequest struct {
	LimiterKey
	// Priority orders the waiters of a window: the higher goes first.
	Priority Priority
	// Since is when the call first asked for quota. Among equals, who asked
	// earlier goes first. A call that met a 429 asks again with the same Since,
	// and so keeps its place. Zero means now.
	Since time.Time
	// MaxWait is how long the call may still wait for quota. With zero or less
	// it does not wait at all.
	MaxWait time.Duration
}

// Ticket is the right to one request. Exactly one of its methods is called,
// once, when the headers of the reply have come or the attempt is over.
type Ticket interface {
	// Done reports the reply's rate headers; Known is false when there was no
	// reply or it did not say what remains. The request counts as used.
	Done(RateLimit)
	// Refused reports a 429 of the quota: the request did not count, and
	// nothing of the window goes before Reset. When Reset is zero, the limiter
	// makes its own guess, which grows from one refusal to the next and is never
	// under a second.
	Refused(RateLimit)
	// Cancel returns the request unused: it never left this machine.
	Cancel()
}

const defaultRateLimitWait = 5 * time.Minute

// NewMemoryLimiter returns the limiter that a [Client] makes for itself: it
// keeps one window per key in memory, and forgets those that are over and not
// in use. Share one between clients through [WithLimiter] when they use the
// same tokens. A wait longer than maxWait is refused with a
// [*RateLimitError]; 0 means five minutes.
//
// It follows the service's headers. Before the first reply of a window is
// known it lets one request through to learn what the window holds, and a few
// more for every second in which no reply comes; without headers it counts the
// documented quota by itself. What remains is never raised by a reply that
// comes late, or without headers. With fewer than ten requests left, or a tenth
// of the limit if that is less, requests keep half a second apart.
//
// Waiters with a higher [Priority] go first, then those who have waited longer.
// The wait of each is estimated anew when something changes, and it is refused
// when it can no longer be served in time.
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

// RateClass names a rate limit of the service. Each token has one window for
// each class.
type RateClass string

// The rate classes of the service.
const (
	RateGlobal RateClass = "global_100" // 100 requests a minute: nearly everything
	RateCreate RateClass = "create_20"  // 20 a minute: creating instances
	RateBypass RateClass = "bypass"     // not metered: the health probe
)

// Limit returns the documented requests per minute of the class, 0 for none.
// The service's own headers win over it.
func (c RateClass) Limit() int {
	switch c {
	case RateGlobal:
		return 100
	case RateCreate:
		return 20
	default:
		return 0
	}
}
