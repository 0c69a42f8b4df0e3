package ryze

import (
	"context"
	"fmt"
	"time"
)

// RateLimit is a token's quota as the X-RateLimit headers of a reply say. Each
// result and each error of the service has it.
type RateLimit struct {
	// Known is false when the reply did not say what remains. Remaining then
	// means nothing; Limit and Reset may be set.
	Known     bool
	Limit     int // requests of one window; 0 when not said, -1 when there is no limit
	Remaining int // requests left in the window; -1 when there is no limit
	// Reset is when the next window starts, in UTC, by this machine's clock
	// (corrected by the reply's Date). It is zero when it is missing or makes
	// no sense, such as more than five minutes ahead.
	Reset time.Time
}

// Exhausted reports whether nothing is left of the window.
func (r RateLimit) Exhausted() bool { return r.Known && r.Remaining == 0 && !r.Unlimited() }

// Unlimited reports whether the service said that it has no limit.
func (r RateLimit) Unlimited() bool { return r.Known && (r.Limit < 0 || r.Remaining < 0) }

// String returns the quota in the form "57/100 until 15:04:05".
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

// Limiter meters requests: each attempt takes one from its token's window and
// reports the reply's headers. The default is [NewMemoryLimiter]; [WithLimiter]
// sets another.
//
// It is safe for concurrent use, serves waiters in the order of
// [LimiterRequest], and returns when the context ends. TestLimiter of package
// ryzetest checks an implementation.
type Limiter interface {
	// Acquire waits for room in the key's window and takes one request. It
	// returns a *RateLimitError as soon as it knows that the wait will pass the
	// context's deadline or req.MaxWait.
	Acquire(ctx context.Context, req LimiterRequest) (Ticket, error)
	// Rate returns what is known now of key's window.
	Rate(key LimiterKey) RateLimit
}

// LimiterKey names a window: a token at a base URL, and a rate class.
type LimiterKey struct {
	Scope string // a digest of base URL and token; it reveals neither
	Class RateClass
}

// LimiterRequest asks a [Limiter] for one request.
type LimiterRequest struct {
	LimiterKey
	// Priority orders the waiters of a window. The higher goes first.
	Priority Priority
	// Reserve is how many requests the call leaves for more urgent ones; see
	// [WithReserve]. It is 0 for urgent calls. At most half of a window is
	// kept.
	Reserve int
	// Since is when the call first asked. Among equals the earlier goes first,
	// also after a 429. Zero means now.
	Since time.Time
	// MaxWait limits the rest of the call's wait. With zero or less it does not
	// wait.
	MaxWait time.Duration
	// OnWait, unless nil, is called once when the wait begins, with its
	// expected length. It must be quick.
	OnWait func(expected time.Duration)
}

// Ticket is the right to one request. Call one method, when the reply's headers
// have come or the attempt is over. Later calls give nothing back.
type Ticket interface {
	// Done reports the reply's headers. Known is false without a reply or
	// without a remaining count. The request counts as used.
	Done(RateLimit)
	// Refused reports a 429 of the quota. The request did not count, and the
	// window rests until Reset. When Reset is zero the limiter guesses: at
	// least a second, more with each refusal.
	Refused(RateLimit)
	// Cancel returns the request: it never left this machine.
	Cancel()
}

const defaultRateLimitWait = 5 * time.Minute

// RateClass is a rate limit of the service. Each token has a window for each
// class.
type RateClass string

// The rate classes of the service.
const (
	RateGlobal RateClass = "global_100" // 100 requests a minute: nearly everything
	RateCreate RateClass = "create_20"  // 20 a minute: creating instances
	RateBypass RateClass = "bypass"     // not metered: the health probe
)

// Limit returns the documented requests per minute, or 0. Headers of the
// service win over it.
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
