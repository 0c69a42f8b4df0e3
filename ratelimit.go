package ryze

import (
	"context"
	"fmt"
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
// ends. TestLimiter of package ryzetest holds one to these rules.
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
	// Reserve is how many requests the call leaves in the window for more urgent
	// ones, as [WithReserve] asks for; 0 for the urgent ones themselves. Of a
	// window at most half is kept.
	Reserve int
	// Since is when the call first asked for quota. Among equals, who asked
	// earlier goes first. A call that met a 429 asks again with the same Since,
	// and so keeps its place. Zero means now.
	Since time.Time
	// MaxWait is how long the call may still wait for quota. With zero or less
	// it does not wait at all.
	MaxWait time.Duration
	// OnWait, if it is not nil, is called once when the call begins to wait, with
	// how long that will take as it looks then. It returns quickly.
	OnWait func(expected time.Duration)
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
