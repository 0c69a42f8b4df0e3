package ryze

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// session is one call on its way: it takes quota before each attempt and
// decides after it. The table that it carries out:
//
//	what happened                            repeatable    anything else
//	certainly nobody has carried it out      again         again
//	429 of the rate limit                    wait, again   wait, again
//	429 with another text                    again         ErrThrottled
//	connection lost, time-out, 408, 5xx      again         ErrOutcomeUnknown
//	not connected, other 4xx, 501            error         error
//	a redirect                               error         error; not 307, 308: ErrOutcomeUnknown
//	a 2xx that cannot be read                error         error, ErrOutcomeUnknown
//	a 2xx that says that it failed           error         error; not plainly: ErrOutcomeUnknown
//	a refusal that is not the service's own  again         4xx: ErrForeignReply, others: ErrOutcomeUnknown
//	a wait beyond the deadline or the cap    RateLimitError at once
type session struct {
	client *Client
	handle handle
	op     *Operation
	in     input
	call   transport.Call
	seen   *observation // nil when nobody observes

	ticket  Ticket
	began   time.Time     // when quota was first asked for: the call's place in the queue
	tries   int           // attempts, without those that met the rate limit or a stale connection
	stale   int           // attempts that met a stale connection
	limited int           // 429s of the rate limit in a row
	waited  time.Duration // for quota, in all
	// notBefore is when the last 429 of the rate limit allows the next attempt.
	notBefore time.Time
	doubted   bool // an earlier attempt may have been carried out
	open      bool // so may one that nobody but the service can have refused

	reply rawReply
	err   error
}

// Admit implements [transport.Policy]: it takes a request from the quota.
func (s *session) Admit(ctx context.Context) error {
	s.ticket = nil
	if s.op.Class == RateBypass {
		return ctx.Err()
	}
	now := time.Now()
	if s.began.IsZero() {
		s.began = now
	}
	var err error
	if s.limited > 0 && time.Until(s.notBefore) > s.client.config.retry.MaxRateLimitWait-s.waited {
		err = &RateLimitError{RetryAt: s.notBefore}
	} else {
		err = s.acquire(ctx)
	}
	if err == nil && s.limited > 0 {
		err = s.outwait(ctx)
	}
	if err == nil {
		err = ctx.Err() // a limiter of the application's may not have looked
	}
	s.waited += time.Since(now)
	s.seen.waitDone(err)
	if err != nil {
		s.returnTicket(unsent, false)
		s.err = s.notAdmitted(err)
		return s.err
	}
	return nil
}

// unsent is an attempt that was not made.
var unsent = &transport.Attempt{Undone: true}

// acquire takes a ticket. The limiter may be the application's.
func (s *session) acquire(ctx context.Context) (err error) {
	defer catch("the limiter", &err)
	config, priority := s.client.config, priorityOf(ctx)
	s.ticket, err = config.limiter.Acquire(ctx, LimiterRequest{
		LimiterKey: s.handle.key(s.op.Class), Priority: priority, Reserve: config.reserveFor(priority), Since: s.began,
		MaxWait: config.retry.MaxRateLimitWait - s.waited, OnWait: s.seen.waiting(priority),
	})
	if err != nil {
		s.ticket = nil
	}
	return sound("the limiter", err)
}

// outwait waits for what the last 429 of the quota asked for. A limiter has done
// so already, but one that does not believe in the refusal must not make a storm.
func (s *session) outwait(ctx context.Context) error {
	wait := time.Until(s.notBefore)
	deadline, limited := ctx.Deadline()
	if wait > 0 && (wait > s.client.config.retry.MaxRateLimitWait-s.waited || limited && !s.notBefore.Before(deadline)) {
		return &RateLimitError{RetryAt: s.notBefore} // at the deadline itself it would be a race
	}
	if wait > 0 {
		s.seen.waitStarted(wait)
	}
	return sleep(ctx, wait)
}

// notAdmitted returns the error of a call that gets no quota. What came of an
// attempt before stays part of it.
func (s *session) notAdmitted(err error) error {
	var limited *RateLimitError
	if errors.As(err, &limited) {
		limited.Operation = s.op.ID
		switch {
		case limited.Err == nil:
			limited.Err = s.err
		case s.err != nil:
			limited.Err = fmt.Errorf("%w, after an attempt that failed: %w", limited.Err, s.err)
		}
		if limited.RateLimit == (RateLimit{}) {
			limited.RateLimit = s.reply.rate
		}
		err = limited
		limited.open = s.open
	} else {
		kind := ErrLimiter
		if isContextError(err) {
			kind = nil
		}
		err = &callError{op: s.op.ID, kind: kind, err: err, open: s.open}
	}
	if s.doubted && !s.op.Repeatable {
		return s.doubt(err)
	}
	return err
}

// Heard implements [transport.Policy]: the quota is known before the body is. Of
// a reply that is not a success, the text says whether it counts.
func (s *session) Heard(a *transport.Attempt) {
	s.reply.rate = parseRateLimit(a.Header, a.Arrived, &s.client.skew)
	if a.Status/100 == 2 {
		s.client.skew.serverTime(a.Header.Get("Date"), a.Arrived) // for Settle
		s.returnTicket(a, false)
	}
}

// Judge implements [transport.Policy]. What the reply says is made out first and
// redacted afterwards, so that a token which is also a word of the service's
// changes nothing.
func (s *session) Judge(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	s.reply = rawReply{session: s, status: a.Status, body: plainJSON(a.Body), began: a.Began, rate: s.reply.rate, cut: a.BodyErr != nil}
	if !a.Replied {
		s.reply.rate = RateLimit{}
	}
	s.err = nil
	limited := s.limited
	again, wait = s.decide(ctx, a)
	s.mark()
	refused := s.limited > limited
	if !refused {
		s.limited = 0
	}
	s.returnTicket(a, refused)
	if s.seen != nil {
		if s.handle.auth != nil { // without a token there is no quota
			s.seen.heard(s.handle.key(s.op.Class), s.reply.rate)
		}
		s.seen.attempted(AttemptDoneInfo{StatusCode: a.Status, Sent: a.Sent, Again: again, Pause: wait}, s.err, a.Began)
	}
	s.log(ctx, a, again, wait)
	return again, wait
}

// mark notes in the error of the attempt whether something may have been done.
func (s *session) mark() {
	switch e := s.err.(type) { //nolint:errorlint // what the attempt itself has made
	case *APIError:
		e.open = s.open
	case *callError:
		e.open = s.open
	case *redirectError:
		e.open = s.open
	case *RateLimitError:
		e.open = s.open
	}
}

// returnTicket tells the limiter what the attempt used; refused marks a 429 of
// the quota. What a limiter of the application's makes of it does not concern
// the call.
func (s *session) returnTicket(a *transport.Attempt, refused bool) {
	if s.ticket == nil {
		return
	}
	if err := s.tell(a, refused); err != nil {
		log.Print(err) //nolint:forbidigo // where net/http would report a panic
	}
	s.ticket = nil
}

func (s *session) tell(a *transport.Attempt, refused bool) (err error) {
	defer catch("the limiter", &err)
	switch {
	case !a.Replied && !a.Sent:
		s.ticket.Cancel()
	case refused:
		s.ticket.Refused(s.reply.rate)
	default:
		s.ticket.Done(s.reply.rate)
	}
	return nil
}

func (s *session) decide(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	switch {
	case !a.Replied:
		return s.decideLost(ctx, a)
	case a.Status/100 == 2 && a.BodyErr != nil:
		cut := s.reply.unreadable(s.op, "the reply could not be read", s.clean(a.BodyErr))
		cut.ended = ctx.Err() != nil && errors.Is(a.BodyErr, ctx.Err())
		s.err = s.doubt(cut)
		if !a.Cut || cut.ended || !s.op.Repeatable || s.in.passedOn() {
			return false, 0
		}
		return s.backOff(ctx)
	case a.Status/100 == 2:
		return false, 0
	case a.Status/100 == 3:
		redirect := &redirectError{StatusCode: a.Status, Operation: s.op.ID, Host: s.redactText(redirectHost(a.Header)), contradicts: saysSucceeded(a.Body)}
		s.err = redirect
		if !redirect.isCertain() {
			s.err = s.doubt(redirect)
		}
		return false, 0
	default:
		return s.decideRefusal(ctx, a)
	}
}

// mostStale bounds how often a call is given a connection that was closed here,
// in about half a second, before that counts as an attempt.
const mostStale = 8

// decideLost decides about an attempt that brought no reply.
func (s *session) decideLost(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	cause := &callError{op: s.op.ID, kind: ErrNetwork, err: s.clean(a.Err)}
	if ctx.Err() != nil && errors.Is(a.Err, ctx.Err()) {
		cause.kind = nil
	}
	var certificate *tls.CertificateVerificationError
	switch {
	case s.in.stream != nil && s.in.stream.Err() != nil:
		// The source of the body broke, so the request was never whole.
		s.err = &callError{op: s.op.ID, action: readingMedia, kind: ErrMediaSource, err: s.in.stream.Err()}
		return false, 0
	case a.Undone:
		if s.in.stream != nil && s.in.stream.Stalled() {
			cause.action = readingMedia
			if cause.kind != nil {
				cause.kind = ErrMediaSource
			}
		}
		s.err = cause
		if a.Unmade || errors.As(a.Err, &certificate) || errors.Is(a.Err, transport.ErrForeignOrigin) {
			return false, 0
		}
		if a.Stale && s.stale < mostStale && ctx.Err() == nil && !s.readOnce() {
			s.stale++
			return true, time.Millisecond << s.stale
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

// decideRefusal decides about a reply that is neither a success nor a redirect.
func (s *session) decideRefusal(ctx context.Context, a *transport.Attempt) (again bool, wait time.Duration) {
	e := s.reply.refused(s.op)
	contradicts := saysSucceeded(a.Body)
	e.retryAt = retryTime(a.Header, a.Arrived, &s.client.skew)
	s.err = e
	switch {
	case s.op.reports && a.Status == http.StatusServiceUnavailable && !e.Is(ErrForeignReply):
		return false, 0
	case contradicts: // nobody knows what it did
	case e.Is(ErrRateLimited):
		s.reply.rate = parseRefusal(a.Header, a.Arrived, &s.client.skew)
		e.RateLimit = s.reply.rate
		return s.awaitQuota(a)
	case e.Is(ErrForeignReply):
		if !s.op.Repeatable && saysRefused(a.Status) {
			return false, 0
		}
	case e.Is(ErrThrottled):
		if !s.op.Repeatable {
			return false, 0
		}
		return s.backOff(ctx)
	case s.op.gone != nil && s.doubted && e.Is(s.op.gone):
		s.reply.status, s.reply.body = http.StatusOK, []byte(`{"success":true}`)
		s.err = nil
		return false, 0
	case saysRefused(a.Status) || e.isCertain():
		return false, 0
	}
	open := s.open || !saysRefused(a.Status) || contradicts
	s.err = s.doubt(e)
	s.open = open // whoever it was, a plain 4xx is a no
	if !s.op.Repeatable {
		return false, 0
	}
	return s.backOff(ctx)
}

// doubt marks the call as one that may have been carried out, and returns the
// error to give if it ends here.
func (s *session) doubt(cause error) error {
	s.doubted, s.open = true, true
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
	wait = fullJitter(policy.MinBackoff, policy.MaxBackoff, s.tries-1)
	if deadline, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(deadline) {
		return false, 0
	}
	return true, wait
}

// awaitQuota asks for another attempt when the quota is back: the service says
// that the request was not accepted. The limiter does the waiting, in which the
// call keeps its place.
func (s *session) awaitQuota(a *transport.Attempt) (again bool, wait time.Duration) {
	pause := shortestReset
	if s.reply.rate.Reset.IsZero() {
		pause <<= min(s.limited, mostDoublings)
	}
	s.limited++
	// Retry-After is a lower bound, however far it is.
	asked := retryTime(a.Header, a.Arrived, &s.client.skew)
	s.notBefore = latest(latest(a.Arrived.Add(pause), s.reply.rate.Reset), asked).UTC()
	if s.readOnce() || s.ticket == nil {
		s.err = &RateLimitError{RetryAt: s.reply.rate.Reset, Operation: s.op.ID, RateLimit: s.reply.rate, Err: s.err}
		return false, 0
	}
	return true, 0
}

// readOnce reports whether the body has been read and cannot be had again.
func (s *session) readOnce() bool { return s.in.stream != nil && !s.in.stream.Repeatable() }

// interrupted is the error of a call that ended between two attempts. Nothing is
// under way then, but an attempt before may have left a doubt or a refusal.
func (s *session) interrupted(err error) error {
	switch {
	case s.err == nil:
		return &callError{op: s.op.ID, err: err}
	case errors.Is(s.err, err): // not admitted, or the body did not open
		return s.err
	default:
		return &callError{op: s.op.ID, err: fmt.Errorf("%w, after an attempt that failed: %w", err, s.err), open: s.open}
	}
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

// redactText takes the secrets of a call out of a text from the network.
func (s *session) redactText(text string) string {
	return string(s.redact([]byte(text)))
}

// redactBody returns what an error keeps of a body, without the secrets that the
// call carried and those that the service may have told in it.
func (s *session) redactBody(body []byte) []byte {
	// A secret that the end of what is kept would cut in two is whole here.
	const margin = 4 << 10
	return bounded(withoutBegunSecrets(bounded(body, maxErrorBody+margin), s.secrets()...), maxErrorBody)
}

// secrets are those of a call: the token, those that are in the request, and those
// that the reply tells.
func (s *session) secrets() []string {
	body := s.reply.body
	return append(s.handle.auth.secrets(s.in.secrets), toldIn(body[:min(len(body), maxErrorBody)])...)
}

// redact takes the secrets of a call out of b.
func (s *session) redact(b []byte) []byte { return withoutSecrets(b, s.secrets()...) }

// clean is the function of that name for what the call's connections say.
func (s *session) clean(err error) error { return clean(err, s.redact) }
