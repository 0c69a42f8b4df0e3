package ryze

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// session is one call on its way: it takes quota before each attempt and
// decides after it. The table that it carries out:
//
//	what happened                            repeatable    anything else
//	no byte of the request was written       again         again
//	429 of the rate limit                    wait, again   wait, again
//	429 with another text                    again         ErrThrottled
//	connection lost, time-out, 408, 5xx      again         ErrOutcomeUnknown
//	not connected, other 4xx, 501            error         error
//	a 2xx that cannot be read                error         error, ErrOutcomeUnknown
//	a wait beyond the deadline or the cap    RateLimitError at once
type session struct {
	client *Client
	handle handle
	op     *Operation
	in     input
	call   transport.Call

	ticket  Ticket
	since   time.Time     // when it first asked for quota
	tries   int           // attempts, without those that met the rate limit
	limited int           // 429s of the rate limit in a row
	waited  time.Duration // for quota, in all
	doubted bool          // an earlier attempt may have been carried out

	reply rawReply
	err   error
}

// Admit implements [transport.Policy]: it takes a request from the quota.
func (s *session) Admit(ctx context.Context) error {
	s.ticket = nil
	if s.op.Class == RateBypass {
		return ctx.Err()
	}
	asked := time.Now()
	if s.since.IsZero() {
		s.since = asked
	}
	ticket, err := s.client.config.limiter.Acquire(ctx, LimiterRequest{
		LimiterKey: s.handle.key(s.op.Class), Priority: priorityOf(ctx),
		Since: s.since, MaxWait: s.client.config.retry.MaxRateLimitWait - s.waited,
	})
	s.waited += time.Since(asked)
	if err != nil {
		return err
	}
	s.ticket = ticket
	return nil
}

// Judge implements [transport.Policy].
func (s *session) Judge(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	rate := s.settleTicket(a)
	if a.Status/100 != 2 && s.handle.auth != nil {
		// Errors repeat what the service says, and it may repeat the token.
		a.Body = []byte(s.handle.auth.redact(string(a.Body)))
	}
	s.reply = rawReply{status: a.Status, body: a.Body, rate: rate, began: a.Began}
	s.err = nil
	again, wait = s.decide(ctx, a)
	s.log(ctx, a, again, wait)
	return again, wait
}

// settleTicket tells the limiter what the attempt used.
func (s *session) settleTicket(a *transport.Attempt) RateLimit {
	var rate RateLimit
	if a.Arrived.IsZero() {
		a.Arrived = time.Now() // a handshake has no body
	}
	if a.Status != 0 {
		rate = parseRateLimit(a.Header, a.Arrived, &s.client.skew)
	}
	refused := a.Status == http.StatusTooManyRequests && isRateLimit(a)
	if refused {
		rate = parseRefusal(a.Header, a.Arrived, &s.client.skew)
	}
	if s.ticket == nil {
		return rate
	}
	switch {
	case !a.Sent:
		s.ticket.Cancel()
	case refused:
		s.ticket.Refused(rate)
	default:
		s.ticket.Done(rate)
	}
	s.ticket = nil
	return rate
}

func isRateLimit(a *transport.Attempt) bool {
	return errors.Is(newAPIError(&Operation{}, a.Status, errorMessage(a.Body), RateLimit{}, nil), ErrRateLimited)
}

func (s *session) decide(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	switch {
	case a.Refused:
		s.err = s.refused(a.Err)
		return false, 0
	case a.Err != nil:
		return s.decideLost(ctx, a)
	case a.Status/100 == 2:
		if a.BodyErr != nil {
			s.err = s.doubt(s.reply.unreadable(s.op, "the reply could not be read", a.BodyErr))
		}
		return false, 0
	case a.Status/100 == 3:
		s.err = &RedirectError{StatusCode: a.Status, Operation: s.op.ID, Host: redirectHost(a.Header)}
		return false, 0
	default:
		return s.decideRefusal(ctx, a)
	}
}

// decideLost decides about an attempt that brought no reply.
func (s *session) decideLost(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	cause := fmt.Errorf("ryze: %s: %w", s.op.ID, a.Err)
	var certificate *tls.CertificateVerificationError
	switch {
	case s.in.stream != nil && s.in.stream.failed() != nil:
		// The source of the body broke, so the request was never whole.
		s.err = fmt.Errorf("ryze: %s: reading the media: %w", s.op.ID, s.in.stream.failed())
		return false, 0
	case !a.Sent:
		s.err = cause
		if errors.As(a.Err, &certificate) || errors.Is(a.Err, transport.ErrForeignOrigin) {
			return false, 0
		}
	default:
		s.err = s.doubt(cause)
		if !s.op.Repeatable {
			return false, 0
		}
	}
	if ctx.Err() != nil {
		return false, 0
	}
	return s.backOff(ctx)
}

// decideRefusal decides about a reply with status 4xx or 5xx.
func (s *session) decideRefusal(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	e := newAPIError(s.op, a.Status, errorMessage(a.Body), s.reply.rate, a.Body)
	s.err = e
	switch {
	case e.Is(ErrRateLimited):
		return s.awaitQuota(ctx, e)
	case e.Is(ErrThrottled):
		if !s.op.Repeatable {
			return false, 0
		}
		return s.backOff(ctx)
	case s.op.reports && a.Status == http.StatusServiceUnavailable:
		return false, 0
	case a.Status == http.StatusRequestTimeout, e.Is(ErrServer):
		s.err = s.doubt(e)
		if !s.op.Repeatable {
			return false, 0
		}
		return s.backOff(ctx)
	case s.op.goneIsDone && s.doubted && e.Is(ErrNotFound):
		s.reply = rawReply{status: http.StatusOK, body: []byte("{}"), rate: s.reply.rate, began: a.Began}
		s.err = nil
		return false, 0
	default:
		return false, 0
	}
}

// doubt marks the call as one that may have been carried out, and returns the
// error to give if it ends here.
func (s *session) doubt(cause error) error {
	s.doubted = true
	return s.reply.doubt(s.op, s.in, cause)
}

// backOff asks for another attempt after a pause drawn with full jitter, if
// the policy and the context have room for it.
func (s *session) backOff(ctx context.Context) (again bool, wait time.Duration) {
	s.tries++
	s.limited = 0
	policy := s.client.config.retry
	if s.tries >= policy.MaxAttempts || s.readOnce() {
		return false, 0
	}
	bound := policy.MaxBackoff
	if doubled := policy.MinBackoff << (s.tries - 1); s.tries < 32 && doubled > 0 && doubled < bound {
		bound = doubled
	}
	wait = rand.N(bound + 1)
	if deadline, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(deadline) {
		return false, 0
	}
	return true, wait
}

// awaitQuota asks for another attempt when the quota is back: the service says
// that the request was not accepted.
func (s *session) awaitQuota(ctx context.Context, e *APIError) (again bool, wait time.Duration) {
	now := time.Now()
	wait = max(e.RateLimit.Reset.Sub(now), shortestReset)
	if e.RateLimit.Reset.IsZero() {
		wait = shortestReset << min(s.limited, mostDoublings)
	}
	s.limited++
	retryAt := now.Add(wait)
	if s.readOnce() || s.waited+wait > s.client.config.retry.MaxRateLimitWait || outlasts(ctx, retryAt) {
		s.err = &RateLimitError{RetryAt: retryAt, Operation: s.op.ID, RateLimit: e.RateLimit, Err: e}
		return false, 0
	}
	s.waited += wait
	return true, wait
}

// outlasts reports whether waiting until at is longer than the context allows.
func outlasts(ctx context.Context, at time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && !at.Before(deadline) // at the deadline itself it would be a race
}

// readOnce reports whether the body has been read and cannot be had again.
func (s *session) readOnce() bool { return s.in.stream != nil && !s.in.stream.repeatable() }

// refused completes the error of a limiter.
func (s *session) refused(err error) error {
	var limited *RateLimitError
	if errors.As(err, &limited) {
		limited.Operation = s.op.ID
		return limited
	}
	return fmt.Errorf("ryze: %s: %w", s.op.ID, err)
}

// interrupted is the error of a call whose context ended during a wait, or
// whose body could not be opened. Nothing is under way then, but an attempt
// before the wait may have left a doubt or a refusal.
func (s *session) interrupted(err error) error {
	var api *APIError
	switch {
	case s.err == nil:
		return fmt.Errorf("ryze: %s: %w", s.op.ID, err)
	case errors.As(s.err, &api) && api.Is(ErrRateLimited):
		return &RateLimitError{RetryAt: api.RateLimit.Reset, Operation: s.op.ID, RateLimit: api.RateLimit, Err: err}
	default:
		return fmt.Errorf("ryze: %s: %w, after an attempt that failed: %w", s.op.ID, err, s.err)
	}
}

func redirectHost(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil {
		return ""
	}
	return u.Host
}

func (s *session) log(ctx context.Context, a *transport.Attempt, again bool, wait time.Duration) {
	logger := s.client.config.logger
	if logger == nil {
		return
	}
	level, text := slog.LevelDebug, "request"
	if again {
		level, text = slog.LevelWarn, "request will be repeated"
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", s.op.ID),
		slog.String("instance", s.handle.name),
		slog.Int("attempt", a.Number),
		slog.Int("status", a.Status),
	}
	if !a.Began.IsZero() {
		attrs = append(attrs, slog.Duration("took", time.Since(a.Began)))
	}
	if s.reply.rate.Known {
		attrs = append(attrs, slog.Int("remaining", s.reply.rate.Remaining))
	}
	if again {
		attrs = append(attrs, slog.Duration("wait", wait))
	}
	if s.err != nil {
		attrs = append(attrs, slog.String("error", s.err.Error()))
	}
	logger.LogAttrs(ctx, level, "ryze: "+text, attrs...)
}
