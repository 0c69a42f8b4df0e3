package ryzetest

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// LimiterRules tells [TestLimiter] about the limiters that it tests. The zero
// value suits most.
type LimiterRules struct {
	// Step is how long a call may need to get its place among the waiters. Zero
	// means 50 milliseconds. A distant server may need more.
	Step time.Duration
	// Shared says that all limiters of newLimiter share their windows, like two
	// processes with one server. Each rule then uses two in turn. What a call
	// gives back may take a second to reach the other.
	Shared bool
	// Within runs each rule; nil calls it. For a limiter in memory use
	// synctest.Test: waits then cost nothing, and a goroutine left behind fails
	// the test.
	Within func(t *testing.T, rule func(*testing.T))
}

// TestLimiter checks a [ryze.Limiter] against the documented rules, each in a
// subtest. It calls newLimiter for each rule. Each rule has its own keys, so a
// server can be shared. It takes five seconds, or none in synctest.
//
// Its windows have fewer than ten requests, and a limiter must not space these
// out. It tests neither fairness between keys nor a failing server.
func TestLimiter(t *testing.T, newLimiter func() ryze.Limiter, rules ...LimiterRules) {
	t.Helper()
	var r LimiterRules
	if len(rules) > 0 {
		r = rules[0]
	}
	if r.Step <= 0 {
		r.Step = 50 * time.Millisecond
	}
	if r.Within == nil {
		r.Within = callRule
	}
	for _, rule := range limiterRules {
		t.Run(rule.name, func(t *testing.T) {
			r.Within(t, func(t *testing.T) { rule.check(newMeter(t, newLimiter, r)) })
		})
	}
}

// callRule runs a rule as it is.
func callRule(t *testing.T, rule func(*testing.T)) {
	t.Helper()
	rule(t)
}

var limiterRules = []struct {
	name  string
	check func(*meter)
}{
	{"a window is used to its last request", usedToTheLast},
	{"no request goes beyond the quota", notBeyond},
	{"the headers say what remains", headersRule},
	{"a reply that comes late never raises what remains", lateReply},
	{"a reply without headers counts as used", headerless},
	{"replies without headers leave nothing unused", headerlessUnused},
	{"a window starts anew at Reset and not before", startsAnew},
	{"a window without a limit lets everything go", unlimited},
	{"Rate tells what is known", rateTells},
	{"windows of other tokens and classes are not touched", windowsApart},
	{"a 429 holds the window until Reset", refusedHolds},
	{"a 429 without Reset holds for a second, then longer", refusedGuesses},
	{"a wait beyond MaxWait is refused at once", beyondMaxWait},
	{"a wait beyond the deadline is refused at once", beyondDeadline},
	{"a wait that becomes too long is refused then", becomesTooLong},
	{"Cancel gives the request back", cancelGivesBack},
	{"Cancel after Done gives nothing back", onlyOnce},
	{"Cancel lets a waiter go", cancelWakes},
	{"a context that has ended takes nothing", endedContext},
	{"a wait ends with its context", waitEnds},
	{"a waiter that gives up leaves its place to the next", placeIsLeft},
	{"a context that ends as the request is granted loses nothing", grantedAsItEnds},
	{"waiters go in the order in which they came", firstComeFirst},
	{"a higher Priority goes first", higherFirst},
	{"an earlier Since goes first", earlierFirst},
	{"Priority counts before Since", priorityBeforeSince},
	{"OnWait tells of a wait once, as it begins", onWaitTells},
	{"Reserve leaves requests to others", reserveLeaves},
	{"Reserve keeps at most half of a window", reserveHalf},
	{"who waits for more than its Reserve holds up nobody urgent", reserveBlocksNobody},
	{"who does not wait goes before those behind it", goesBeforeWaiters},
	{"who does not wait is refused for nobody that goes", noWaitAtOnce},
	{"many callers at once get the quota and no more", manyAtOnce},
	{"many callers that wait are served by the windows that follow", manyWaiting},
}

const (
	promptly   = time.Second             // how long something may take that comes at once
	patience   = 5 * time.Second         // after it a call hangs
	distant    = time.Minute             // a Reset that no rule waits for
	nearby     = 1200 * time.Millisecond // one that it waits for
	clockError = 5 * time.Millisecond    // by how much two readings of a clock may differ
)

// meter is a limiter under test, and one key of it.
type meter struct {
	*testing.T
	limiter  ryze.Limiter
	key      ryze.LimiterKey
	step     time.Duration
	limit    int
	reset    time.Time
	attempts int
}

func newMeter(t *testing.T, newLimiter func() ryze.Limiter, r LimiterRules) *meter {
	t.Helper()
	limiter := newLimiter()
	if r.Shared {
		limiter = &inTurn{limiters: [2]ryze.Limiter{limiter, newLimiter()}}
	}
	return &meter{T: t, limiter: limiter, key: freshKey(), step: r.Step}
}

// freshKey is a key that nobody else uses, not even on the same server.
func freshKey() ryze.LimiterKey {
	return ryze.LimiterKey{Scope: "ryzetest-" + rand.Text(), Class: ryze.RateGlobal}
}

// inTurn asks two limiters in turn that share their windows.
type inTurn struct {
	limiters [2]ryze.Limiter
	calls    atomic.Uint32
}

func (l *inTurn) next() ryze.Limiter { return l.limiters[l.calls.Add(1)%2] }

func (l *inTurn) Acquire(ctx context.Context, req ryze.LimiterRequest) (ryze.Ticket, error) {
	return l.next().Acquire(ctx, req)
}

func (l *inTurn) Rate(key ryze.LimiterKey) ryze.RateLimit { return l.next().Rate(key) }

// attempt is a call of Acquire.
type attempt struct {
	number int
	ticket ryze.Ticket
	err    error
	began  time.Time
	ended  time.Time
	done   chan struct{}
}

// start calls Acquire, for the meter's key unless req names one. When the call
// returns, the attempt goes into the channels, which must have room.
func (m *meter) start(ctx context.Context, req ryze.LimiterRequest, served ...chan<- *attempt) *attempt {
	if req.LimiterKey == (ryze.LimiterKey{}) {
		req.LimiterKey = m.key
	}
	a := &attempt{number: m.attempts, began: time.Now(), done: make(chan struct{})}
	m.attempts++
	go func() {
		a.ticket, a.err = m.limiter.Acquire(ctx, req)
		a.ended = time.Now()
		close(a.done)
		for _, c := range served {
			c <- a
		}
	}()
	return a
}

// outcome waits for an attempt.
func (m *meter) outcome(a *attempt) *attempt {
	m.Helper()
	select {
	case <-a.done:
	case <-time.After(patience):
		m.Fatalf("Acquire has not returned after %v", patience)
	}
	switch {
	case a.err == nil && a.ticket == nil:
		m.Fatal("Acquire returned neither a ticket nor an error")
	case a.err != nil && a.ticket != nil:
		m.Fatalf("Acquire returned a ticket and an error: %v", a.err)
	}
	return a
}

// take gets a request that must be had at once.
func (m *meter) take(why string) ryze.Ticket {
	m.Helper()
	return m.takeOf(ryze.LimiterRequest{}, why)
}

func (m *meter) takeOf(req ryze.LimiterRequest, why string) ryze.Ticket {
	m.Helper()
	req.MaxWait = patience
	a := m.outcome(m.start(m.Context(), req))
	if a.err != nil {
		m.Fatalf("%s: refused: %v", why, a.err)
	}
	if took := a.ended.Sub(a.began); took > promptly {
		m.Fatalf("%s: it took %v", why, took)
	}
	return a.ticket
}

// refused makes sure that no request can be had now, and returns when
// one is expected.
func (m *meter) refused(why string) (retryAt time.Time) {
	m.Helper()
	return m.refusedOf(m.Context(), ryze.LimiterRequest{}, why)
}

func (m *meter) refusedOf(ctx context.Context, req ryze.LimiterRequest, why string) (retryAt time.Time) {
	m.Helper()
	a := m.outcome(m.start(ctx, req))
	if a.err == nil {
		m.Fatalf("%s: a request went", why)
	}
	if took := a.ended.Sub(a.began); took > promptly {
		m.Fatalf("%s: it was refused after %v, not at once", why, took)
	}
	return m.limited(a.err, why)
}

// limited makes sure that a refusal is what callers expect.
func (m *meter) limited(err error, why string) (retryAt time.Time) {
	m.Helper()
	limited, ok := errors.AsType[*ryze.RateLimitError](err)
	if !ok {
		m.Fatalf("%s: the error is no *RateLimitError: %v", why, err)
	}
	if limited.RetryAt.Before(time.Now().Add(-promptly)) {
		m.Fatalf("%s: RetryAt does not say when the quota is expected back: %v", why, limited.RetryAt)
	}
	return limited.RetryAt
}

// drain takes what can be had without a wait, and returns how much that was.
func (m *meter) drain(req ryze.LimiterRequest) (count int) {
	m.Helper()
	for ; count < 200; count++ {
		if a := m.outcome(m.start(m.Context(), req)); a.err != nil {
			m.limited(a.err, "the window is used up")
			break
		}
	}
	return count
}

// open plays the first request of a window and the reply to it. Its times have
// no fractions of a millisecond, which a server may cut off.
func (m *meter) open(limit, remaining int, length time.Duration) {
	m.Helper()
	first := m.take("the first request of a window")
	m.limit = limit
	m.reset = time.Now().Add(length).Truncate(time.Millisecond).UTC()
	first.Done(m.says(remaining))
}

// says is what the headers of a reply say in the window.
func (m *meter) says(remaining int) ryze.RateLimit {
	return ryze.RateLimit{Known: true, Limit: m.limit, Remaining: remaining, Reset: m.reset}
}

// servedAtReset makes sure that an attempt waits for Reset, and no longer.
func (m *meter) servedAtReset(a *attempt, why string) {
	m.Helper()
	m.outcome(a)
	switch {
	case a.err != nil:
		m.Fatalf("%s: refused: %v", why, a.err)
	case a.ended.Before(m.reset.Add(-clockError)):
		m.Fatalf("%s: a request went %v before Reset", why, m.reset.Sub(a.ended))
	case a.ended.After(m.reset.Add(promptly)):
		m.Fatalf("%s: a request went only %v after Reset", why, a.ended.Sub(m.reset))
	}
}

// waiting gives attempts the time to begin their wait, and makes sure that they do.
func (m *meter) waiting(attempts ...*attempt) {
	m.Helper()
	time.Sleep(m.step)
	for _, a := range attempts {
		select {
		case <-a.done:
			if a.err != nil {
				m.Fatalf("Acquire does not wait as long as it may: %v", a.err)
			}
			m.Fatal("Acquire does not wait although the window is used up")
		default:
		}
	}
}
