package ryze

import (
	"crypto/tls"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// Outcome is what is known of an operation after its call.
type Outcome int

// The outcomes. The zero value is unknown.
const (
	// OutcomeUnknown: it may have been carried out. Settle it first.
	OutcomeUnknown Outcome = iota
	// OutcomeAccepted: the service has accepted it.
	OutcomeAccepted
	// OutcomeNotAccepted: nothing was carried out. It may be called again.
	OutcomeNotAccepted
)

// String returns "accepted", "not accepted" or "unknown".
func (o Outcome) String() string {
	switch o {
	case OutcomeAccepted:
		return "accepted"
	case OutcomeNotAccepted:
		return "not accepted"
	default:
		return "unknown"
	}
}

// OutcomeOf says what an error of a call means for the operation.
//
//   - OutcomeAccepted: nil, and [ErrPartial].
//   - OutcomeNotAccepted: bad arguments, refusals, 4xx except 408 and 499, the
//     rate limit, throttling, nothing written, [ErrMediaSource], [ErrNotSent],
//     [ErrClosed].
//   - OutcomeUnknown: [ErrOutcomeUnknown], errors of others, such as a bare
//     context error, and a lost call that is safe to repeat.
//
// Of several joined errors the least certain one counts.
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OutcomeAccepted
	case errors.Is(err, ErrOutcomeUnknown):
		return OutcomeUnknown
	case errors.Is(err, ErrPartial):
		return OutcomeAccepted
	}
	if o, told := outcomeIn(err); told {
		return o
	}
	if slices.ContainsFunc(certainErrors, func(certain error) bool { return errors.Is(err, certain) }) {
		return OutcomeNotAccepted
	}
	return OutcomeUnknown
}

// certainErrors are the sentinels that say by themselves that nothing was done.
// Others need the error that they came with.
var certainErrors = []error{
	ErrNotSent, ErrClosed, ErrInvalidArgument, ErrRateLimited, ErrThrottled, ErrNotConnected, ErrNotImplemented, ErrMediaSource, ErrLimiter,
	ErrUnauthorized, ErrForbidden, ErrNotFound, ErrConflict, ErrWebSocketDisabled, ErrInviteRevoked, ErrNotEditable, ErrChatwootDisabled,
}

// outcomeIn looks for the errors of this package that know their outcome.
func outcomeIn(err error) (o Outcome, told bool) {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ outcome() Outcome }:
		return e.outcome(), true
	case interface{ Unwrap() error }:
		return outcomeIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, each := range e.Unwrap() {
			one, known := outcomeIn(each)
			if known && (!told || one == OutcomeUnknown) {
				o, told = one, true
			}
		}
	}
	return o, told
}

// saysRefused reports whether a status says of itself that the request was not
// accepted. Of these, 408 and 499 only say that somebody stopped waiting.
func saysRefused(status int) bool {
	return status/100 == 4 && status != http.StatusRequestTimeout && status != statusClientClosedRequest
}

// statusClientClosedRequest is what proxies say when their client went away.
const statusClientClosedRequest = 499

// certainUnless is the outcome of an error that is certain unless it is open.
func certainUnless(open bool) Outcome {
	if open {
		return OutcomeUnknown
	}
	return OutcomeNotAccepted
}

func (e *APIError) outcome() Outcome {
	refused := saysRefused(e.StatusCode) || e.StatusCode/100 == 2 || !e.Is(ErrForeignReply) && e.isCertain()
	return certainUnless(e.open || !refused)
}

func (e *RateLimitError) outcome() Outcome  { return certainUnless(e.open) }
func (e *ValidationError) outcome() Outcome { return OutcomeNotAccepted }
func (e *redirectError) outcome() Outcome   { return certainUnless(e.open || !e.isCertain()) }
func (e *ResponseError) outcome() Outcome   { return OutcomeUnknown }
func (e *callError) outcome() Outcome       { return certainUnless(e.open) }

// How long to wait before another try when nobody says how long.
const (
	outagePause   = 5 * time.Second
	connectPause  = 10 * time.Second
	throttlePause = time.Minute
)

// RetryAfter says whether another try can help, and after which pause. It
// counts no tries and adds no jitter.
//
//   - [RateLimitError]: until its RetryAt.
//   - [ErrNotSent]: at once.
//   - [ErrThrottled]: a minute.
//   - [ErrNotConnected]: 10 seconds, without [ErrNoSession] and [ErrBanned].
//   - [ErrNetwork], [ErrLimiter], 408, 499, 5xx except 501, replies cut short,
//     and 401, 403, 404 with [ErrForeignReply]: 5 seconds.
//
// A Retry-After header of at most a day wins. It returns false for everything
// else, such as [ErrOutcomeUnknown], refusals, and the end of the call's own
// context.
func RetryAfter(err error) (time.Duration, bool) {
	var (
		limited     *RateLimitError
		api         *APIError
		response    *ResponseError
		certificate *tls.CertificateVerificationError
	)
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
	}
	switch {
	case err == nil, is(ErrOutcomeUnknown, ErrPartial, ErrClosed, ErrBanned):
		return 0, false
	case is(ErrNotSent):
		return 0, true
	case errors.As(err, &limited):
		if limited.RetryAt.IsZero() {
			return outagePause, true
		}
		return max(time.Until(limited.RetryAt), 0), true
	case is(ErrMediaSource, ErrRedirect), errors.As(err, &certificate), is(transport.ErrForeignOrigin), endedByContext(err):
		return 0, false
	case errors.As(err, &api):
		return api.retryAfter()
	case errors.As(err, &response):
		return outagePause, response.Operation != "" && !response.ended && !is(transport.ErrTooLarge)
	case is(ErrThrottled):
		return throttlePause, true
	case is(ErrNoSession, ErrInvalidArgument, ErrNotFound):
		return 0, false
	case is(ErrNotConnected):
		return connectPause, true
	case is(ErrNetwork, ErrLimiter, ErrRateLimited):
		return outagePause, true
	default:
		return 0, false
	}
}

// endedByContext reports whether the call ended because its own context did.
func endedByContext(err error) bool {
	var e *callError
	return errors.As(err, &e) && e.kind == nil
}

// retryAfter is the function of that name for a reply that says no.
func (e *APIError) retryAfter() (time.Duration, bool) {
	var pause time.Duration
	status := e.StatusCode
	switch {
	case e.Is(ErrThrottled):
		pause = throttlePause
	case e.Is(ErrRateLimited):
		pause = max(time.Until(e.RateLimit.Reset), 0)
	case e.Is(ErrForeignReply) && !e.Is(ErrNotImplemented):
		if saysRefused(status) && !e.Is(ErrUnauthorized) && !e.Is(ErrForbidden) && !e.Is(ErrNotFound) {
			return 0, false
		}
		pause = outagePause
	case e.Is(ErrNoSession), e.Is(ErrNotImplemented), e.Is(ErrChatwootDisabled), e.Is(ErrInvalidArgument):
		return 0, false
	case e.Is(ErrNotConnected):
		pause = connectPause
	case status/100 == 2 || saysRefused(status) || e.isCertain():
		return 0, false
	default:
		pause = outagePause
	}
	if !e.retryAt.IsZero() {
		pause = max(time.Until(e.retryAt), 0)
	}
	return pause, true
}
