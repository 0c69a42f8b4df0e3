package ryze

import (
	"context"
	"time"
)

// observation is what an observer is told of one call, or of the attempts of a
// stream to connect. Its methods do nothing when it is nil.
type observation struct {
	observer *Observer
	info     CallInfo
	ctx      context.Context //nolint:containedctx // of the call, as long as that is under way
	began    time.Time

	status   int // of the last reply
	attempts int
	waits    int // for quota
	waited   time.Duration

	waitBegan time.Time
	expected  time.Duration
	priority  Priority
}

// observeCall begins the observation of a call, if somebody observes. The call goes
// on with the context that it returns.
func observeCall(ctx context.Context, o *Observer, op *Operation, instance string) (context.Context, *observation) {
	seen := observeAttempts(ctx, o, op, instance)
	if seen == nil || o.CallStart == nil {
		return ctx, seen
	}
	observed(func() {
		if own := o.CallStart(ctx, seen.info); own != nil {
			seen.ctx = own
		}
	})
	return seen.ctx, seen
}

// observeAttempts is observeCall for what is no call: the attempts of a stream to
// connect.
func observeAttempts(ctx context.Context, o *Observer, op *Operation, instance string) *observation {
	if o == nil {
		return nil
	}
	id := op.ID
	if op.Path == "" {
		id = "other" // the id of a route that is not known has its path in it, which may name a person
	}
	return &observation{observer: o, info: CallInfo{id, instance, op.Method, op.Path}, ctx: ctx, began: time.Now()}
}

// done ends the observation with the error of the call.
func (seen *observation) done(err *error) {
	if seen == nil || seen.observer.CallDone == nil {
		return
	}
	done := CallDoneInfo{
		CallInfo: seen.info, Outcome: OutcomeOf(*err), Error: ErrorType(*err), StatusCode: seen.status,
		Attempts: seen.attempts, Waits: seen.waits, Waited: seen.waited, Duration: time.Since(seen.began),
	}
	observed(func() { seen.observer.CallDone(seen.ctx, done) })
}

// attempted tells of an attempt, of which the caller fills in what it knows.
func (seen *observation) attempted(done AttemptDoneInfo, err error, began time.Time) {
	if seen == nil {
		return
	}
	seen.attempts++
	seen.status = done.StatusCode
	if seen.observer.AttemptDone == nil {
		return
	}
	done.CallInfo, done.Number, done.Error = seen.info, seen.attempts, ErrorType(err)
	if !began.IsZero() {
		done.Duration = time.Since(began)
	}
	observed(func() { seen.observer.AttemptDone(seen.ctx, done) })
}

// heard tells of what a reply said of the quota.
func (seen *observation) heard(key LimiterKey, rate RateLimit) {
	if seen != nil {
		seen.observer.quotaChange(seen.ctx, QuotaInfo{seen.info, key, rate})
	}
}

// waiting returns what a limiter calls when the call has to wait; see waitDone.
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
	seen.waitBegan, seen.expected = time.Now(), max(expected, 0)
	seen.waits++
	if tell := seen.observer.QuotaWaitStart; tell != nil {
		start := QuotaWaitInfo{CallInfo: seen.info, Priority: seen.priority, Expected: seen.expected}
		observed(func() { tell(seen.ctx, start) })
	}
}

// waitDone tells that the wait for quota is over, if there was one.
func (seen *observation) waitDone(err error) {
	if seen == nil || seen.waitBegan.IsZero() {
		return
	}
	took := time.Since(seen.waitBegan)
	seen.waited += took
	if tell := seen.observer.QuotaWaitDone; tell != nil {
		done := QuotaWaitInfo{seen.info, seen.priority, seen.expected, took, ErrorType(err)}
		observed(func() { tell(seen.ctx, done) })
	}
}
