package ryze

import (
	"context"
	"errors"
	"log"
	"time"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// Observer is told what happens: to calls, to quota, to streams, to webhook
// deliveries and to the events of an [Inbox]. Give it to [WithObserver]. A
// function that is nil costs nothing.
//
// Functions are called in the goroutine in which the thing happens, which waits
// for them: they must be quick. They may be called by many goroutines at once. A
// panic of a function goes to the standard logger and changes nothing else.
//
// Nothing that a function is given holds a token, a message's content or the
// address of a person. Package otelryze makes OpenTelemetry spans and metrics of it.
type Observer struct {
	// CallStart is told when a call begins. The call goes on with the context that
	// it returns, or with its own if that is nil.
	CallStart func(context.Context, CallStartInfo) context.Context
	// CallDone is told when a call has ended, and how.
	CallDone func(context.Context, CallDoneInfo)
	// AttemptDone is told when a request has been answered or given up. An attempt
	// of a stream to connect counts as well.
	AttemptDone func(context.Context, AttemptDoneInfo)

	// QuotaWaitStart is told when a call begins to wait for quota. A [Limiter] of
	// the application's has to tell it by [LimiterRequest].OnWait.
	QuotaWaitStart func(context.Context, QuotaWaitStartInfo)
	// QuotaWaitDone is told when that wait is over.
	QuotaWaitDone func(context.Context, QuotaWaitDoneInfo)
	// QuotaChange is told what each reply says of the quota.
	QuotaChange func(context.Context, QuotaInfo)
}

// CallInfo says which call something is about.
type CallInfo struct {
	Operation string // id of the operation, such as "messages.text"
	Instance  string // name of the instance; "" for a call of an account
}

// CallStartInfo is what [Observer].CallStart is told.
type CallStartInfo struct {
	CallInfo
	Method string // of HTTP
	Route  string // the path, with ":instance" in the place of the name
}

// CallDoneInfo is what [Observer].CallDone is told.
type CallDoneInfo struct {
	CallInfo
	Outcome    Outcome
	Error      string // see [ErrorType]
	StatusCode int    // of the last reply; 0 when there was none
	Attempts   int    // requests made
	Waits      int    // waits for quota
	Waited     time.Duration
	Duration   time.Duration // in all
}

// AttemptDoneInfo is what [Observer].AttemptDone is told.
type AttemptDoneInfo struct {
	CallInfo
	Number     int           // 1 for the first of the call
	StatusCode int           // 0 when no reply came
	Sent       bool          // false: certainly no byte of it has left
	Error      string        // see [ErrorType]
	Duration   time.Duration // until the reply was read
	Again      bool          // another attempt follows,
	Pause      time.Duration // after at least so long
}

// QuotaWaitStartInfo is what [Observer].QuotaWaitStart is told.
type QuotaWaitStartInfo struct {
	CallInfo
	Priority Priority
	Expected time.Duration // as it looks now; it may change
}

// QuotaWaitDoneInfo is what [Observer].QuotaWaitDone is told.
type QuotaWaitDoneInfo struct {
	CallInfo
	Priority Priority
	Waited   time.Duration
	Error    string // see [ErrorType]; "" when the call may go
}

// QuotaInfo is what [Observer].QuotaChange is told.
type QuotaInfo struct {
	CallInfo
	Key       LimiterKey // the window; a token cannot be had from it
	RateLimit RateLimit
}

// WithObserver has an observer told of what the client does, or the inbox, or
// the receiver of webhooks. The observer is copied: changing it later has no effect.
func WithObserver(o *Observer) Option {
	return func(c *config) error {
		if o == nil {
			return invalid("WithObserver", "was given no observer")
		}
		c.observer = new(*o)
		return nil
	}
}

// observedErrors are the errors by which [ErrorType] sorts: the first that
// matches counts, so that the more special stand first.
var observedErrors = []error{
	ErrRateLimited, ErrThrottled, ErrNotConnected, ErrNoSession,
	ErrMissingToken, ErrInvalidToken, ErrInvalidInstanceToken, ErrInvalidAccountToken, ErrUnauthenticated, ErrUnauthorized,
	ErrInstanceTokenMismatch, ErrInstanceNotOwned, ErrQuotaExceeded, ErrNotAdmin, ErrForbidden,
	ErrInstanceNotFound, ErrMessageNotFound, ErrLabelNotFound, ErrPollNotFound, ErrGroupNotFound, ErrNewsletterNotFound,
	ErrInviteRevoked, ErrNotConfigured, ErrWebSocketDisabled, ErrForeignReply, ErrNotFound, ErrConflict, ErrNotEditable,
	ErrMediaTooLarge, ErrPartial, ErrChatwootDisabled, ErrChatwoot, ErrInvalidArgument, ErrNotImplemented, ErrRedirect,
	ErrBadResponse, ErrServer, ErrClosed, context.Canceled, context.DeadlineExceeded, ErrOutcomeUnknown,
}

// ErrorType names what kind an error is, in a few words that come from a short
// list: "rate limited", "not found", "context canceled". It is meant for metrics
// and logs. It returns "" for nil, and "other" for an error of no known kind.
func ErrorType(err error) string {
	if err == nil {
		return ""
	}
	for _, kind := range observedErrors {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return "other"
}

// observation is what an observer is told of one call.
type observation struct {
	observer *Observer
	info     CallInfo
	ctx      context.Context //nolint:containedctx // of the call, as long as that is under way
	began    time.Time
	session  *session // once there is one

	waits     int // for quota
	waitBegan time.Time
	priority  Priority
}

// observe begins the observation of a call, if somebody observes.
func (c *Client) observe(ctx context.Context, h handle, op *Operation) (context.Context, *observation) {
	o := c.config.observer
	if o == nil {
		return ctx, nil
	}
	seen := &observation{observer: o, info: CallInfo{op.ID, h.name}, ctx: ctx, began: time.Now()}
	if o.CallStart != nil {
		observed(func() {
			if own := o.CallStart(ctx, CallStartInfo{seen.info, op.Method, op.Path}); own != nil {
				seen.ctx = own
			}
		})
	}
	return seen.ctx, seen
}

// done ends the observation with the error of the call.
func (seen *observation) done(err *error) {
	if seen == nil || seen.observer.CallDone == nil {
		return
	}
	done := CallDoneInfo{
		CallInfo: seen.info, Outcome: OutcomeOf(*err), Error: ErrorType(*err),
		Waits: seen.waits, Duration: time.Since(seen.began),
	}
	if s := seen.session; s != nil {
		done.StatusCode, done.Attempts, done.Waited = s.reply.status, s.made, s.waited
	}
	observed(func() { seen.observer.CallDone(seen.ctx, done) })
}

// attempted tells of an attempt.
func (seen *observation) attempted(s *session, a *transport.Attempt, again bool, pause time.Duration) {
	if seen == nil || seen.observer.AttemptDone == nil {
		return
	}
	done := AttemptDoneInfo{
		CallInfo: seen.info, Number: s.made, StatusCode: a.Status, Sent: a.Sent,
		Error: ErrorType(s.err), Again: again, Pause: pause,
	}
	if !a.Began.IsZero() {
		done.Duration = time.Since(a.Began)
	}
	observed(func() { seen.observer.AttemptDone(seen.ctx, done) })
}

// heard tells of what a reply said of the quota.
func (seen *observation) heard(s *session) {
	if seen == nil || seen.observer.QuotaChange == nil || !s.reply.rate.Known {
		return
	}
	change := QuotaInfo{seen.info, s.handle.key(s.op.Class), s.reply.rate}
	observed(func() { seen.observer.QuotaChange(seen.ctx, change) })
}

// waiting returns what a limiter calls when the call has to wait; see waited.
func (seen *observation) waiting(p Priority) func(expected time.Duration) {
	if seen == nil {
		return nil
	}
	seen.priority, seen.waitBegan = p, time.Time{}
	return seen.waitStarted
}

func (seen *observation) waitStarted(expected time.Duration) {
	if seen == nil || !seen.waitBegan.IsZero() {
		return
	}
	seen.waitBegan = time.Now()
	seen.waits++
	if tell := seen.observer.QuotaWaitStart; tell != nil {
		start := QuotaWaitStartInfo{seen.info, seen.priority, max(expected, 0)}
		observed(func() { tell(seen.ctx, start) })
	}
}

// waited tells that the wait for quota is over, if there was one.
func (seen *observation) waited(err error) {
	if seen == nil || seen.waitBegan.IsZero() || seen.observer.QuotaWaitDone == nil {
		return
	}
	done := QuotaWaitDoneInfo{seen.info, seen.priority, time.Since(seen.waitBegan), ErrorType(err)}
	observed(func() { seen.observer.QuotaWaitDone(seen.ctx, done) })
}

// observed calls a function of an observer.
func observed(tell func()) {
	if err := guard("the observer", tell); err != nil {
		log.Print(err) // where net/http would report a panic
	}
}
