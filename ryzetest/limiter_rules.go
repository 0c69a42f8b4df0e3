package ryzetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// The rules about a window, and what of it may be used.

func usedToTheLast(m *meter) {
	m.open(5, 4, distant)
	for range 4 {
		m.take("a request that the window has room for")
	}
}

func notBeyond(m *meter) {
	m.open(5, 4, distant)
	tickets := make([]ryze.Ticket, 0, 4)
	for range 4 {
		tickets = append(tickets, m.take("a request that the window has room for"))
	}
	m.refused("all requests of the window are under way")
	for i, ticket := range tickets {
		ticket.Done(m.says(3 - i))
	}
	m.refused("nothing of the window remains")
}

func headersRule(m *meter) {
	m.open(9, 8, distant)
	m.take("a request that the window has room for").Done(m.says(1)) // somebody else uses the token
	if n := m.drain(ryze.LimiterRequest{}); n != 1 {
		m.Fatalf("the service said that 1 remains, and %d went", n)
	}
}

func lateReply(m *meter) {
	m.open(9, 8, distant)
	late := m.take("a request that the window has room for")
	m.take("a request that the window has room for").Done(m.says(2))
	late.Done(m.says(7))
	if rate := m.limiter.Rate(m.key); rate.Remaining > 2 {
		m.Errorf("2 remained, and a late reply made it %d", rate.Remaining)
	}
	if n := m.drain(ryze.LimiterRequest{}); n > 2 {
		m.Errorf("2 remained, and after a late reply %d went", n)
	}
}

func headerless(m *meter) {
	m.open(5, 3, distant)
	m.take("a request that the window has room for").Done(ryze.RateLimit{})
	m.take("a request that the window has room for").Done(ryze.RateLimit{Limit: m.limit, Reset: m.reset})
	if n := m.drain(ryze.LimiterRequest{}); n > 1 {
		m.Fatalf("3 remained and 2 were used without a word on the quota, and then %d went", n)
	}
}

// Every second reply has no headers. Each of these requests ends after the next has
// left, so a reply in between may or may not have counted it; a later one has.
func headerlessUnused(m *meter) {
	m.open(9, 8, distant)
	silent := m.take("a request that the window has room for")
	spoken := m.take("another")
	for remaining := 6; remaining > 2; remaining -= 2 {
		silent.Done(ryze.RateLimit{})
		silent = m.takeLater("a request that the window has room for")
		time.Sleep(clockError)
		spoken.Done(m.says(remaining))
		spoken = m.takeLater("another")
		time.Sleep(clockError)
	}
	silent.Done(ryze.RateLimit{})
	spoken.Done(m.says(2))
	if n := m.drain(ryze.LimiterRequest{}); n != 2 {
		m.Fatalf("the service said that 2 remain, every other reply said nothing, and %d went", n)
	}
}

// takeLater gets a request after a moment that every clock can tell.
func (m *meter) takeLater(why string) ryze.Ticket {
	m.Helper()
	time.Sleep(clockError)
	return m.take(why)
}

func startsAnew(m *meter) {
	m.open(3, 1, nearby)
	m.take("the last request of the window").Done(m.says(0))
	a := m.start(m.Context(), ryze.LimiterRequest{MaxWait: patience})
	m.servedAtReset(a, "a request that waits for the next window")
	m.reset = m.reset.Add(distant)
	a.ticket.Done(m.says(2))
	if n := m.drain(ryze.LimiterRequest{}); n != 2 {
		m.Fatalf("2 remain of the new window, and %d went", n)
	}
}

func unlimited(m *meter) {
	m.take("the first request").Done(ryze.RateLimit{Known: true, Limit: -1, Remaining: -1})
	if rate := m.limiter.Rate(m.key); !rate.Unlimited() {
		m.Errorf("Rate does not say that there is no limit: %v", rate)
	}
	const many = 120 // more than the documented quota
	var wg sync.WaitGroup
	var refused atomic.Int32
	for range many / 10 {
		wg.Go(func() {
			for range 10 {
				if _, err := m.limiter.Acquire(m.Context(), ryze.LimiterRequest{LimiterKey: m.key}); err != nil {
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := refused.Load(); n > 0 {
		m.Errorf("%d of %d requests were refused although there is no limit", n, many)
	}
}

func rateTells(m *meter) {
	if rate := m.limiter.Rate(m.key); rate.Known {
		m.Fatalf("of a key that was never used something is known: %v", rate)
	}
	m.open(5, 3, distant)
	m.tells(3)
	for range 20 {
		m.limiter.Rate(m.key)
	}
	m.take("a request that the window has room for").Done(m.says(2))
	m.tells(2)
	if rate := m.limiter.Rate(freshKey()); rate.Known {
		m.Errorf("something is known of another key: %v", rate)
	}
	if n := m.drain(ryze.LimiterRequest{}); n != 2 {
		m.Errorf("2 remained, and %d went: Rate must not take any", n)
	}
}

func (m *meter) tells(remaining int) {
	m.Helper()
	rate := m.limiter.Rate(m.key)
	off := rate.Reset.Sub(m.reset)
	switch {
	case !rate.Known || rate.Limit != m.limit || rate.Remaining != remaining:
		m.Errorf("the service said %v, and Rate says %v", m.says(remaining), rate)
	case off < -promptly || off > promptly:
		m.Errorf("the service said a Reset at %v, and Rate says %v", m.reset, rate.Reset)
	case rate.Reset.Location() != time.UTC:
		m.Errorf("Reset is not in UTC: %v", rate.Reset)
	}
}

func windowsApart(m *meter) {
	m.open(3, 0, distant)
	m.refused("nothing of the window remains")
	class, scope := m.key, freshKey()
	class.Class = ryze.RateCreate
	m.takeOf(ryze.LimiterRequest{LimiterKey: class}, "a window of another class")
	m.takeOf(ryze.LimiterRequest{LimiterKey: scope}, "a window of another token")
	m.refused("a request of another window does not open this one")
}

func refusedHolds(m *meter) {
	m.open(9, 8, nearby)
	late, refused := m.take("a request that the window has room for"), m.take("another")
	refused.Refused(m.says(5)) // what it says of Remaining counts for nothing
	m.refused("after a 429")
	a := m.start(m.Context(), ryze.LimiterRequest{MaxWait: patience})
	m.waiting(a)
	late.Done(m.says(6))
	m.refused("after a 429 and the reply to a request before it")
	m.servedAtReset(a, "a request after a 429")
}

func refusedGuesses(m *meter) {
	guess := func() (at time.Time, wait time.Duration) {
		m.Helper()
		ticket := m.take("a request that may go")
		at = time.Now()
		ticket.Refused(ryze.RateLimit{})
		wait = m.refused("after a 429 that does not say how long").Sub(at)
		if wait < time.Second-clockError {
			m.Fatalf("after a 429 that does not say how long, RetryAt is %v away: under a second", wait)
		}
		return at, wait
	}
	at, first := guess()
	if first > patience/2 {
		m.Skipf("after a 429 that does not say how long the limiter waits %v: too long for a test", first)
	}
	a := m.outcome(m.start(m.Context(), patient))
	if a.err != nil {
		m.Fatalf("after that wait: refused: %v", a.err)
	}
	if waited := a.ended.Sub(at); waited < time.Second-clockError {
		m.Fatalf("a request went %v after a 429 that does not say how long: under a second", waited)
	}
	a.ticket.Cancel()
	if _, second := guess(); second < first+100*time.Millisecond {
		m.Errorf("the guess does not grow from one refusal to the next: %v, then %v", first, second)
	}
}

func reserveLeaves(m *meter) {
	m.open(8, 4, distant)
	if n := m.drain(ryze.LimiterRequest{Reserve: 2}); n != 2 {
		m.Fatalf("4 remained, and with a Reserve of 2 went %d, not 2", n)
	}
	if n := m.drain(ryze.LimiterRequest{}); n != 2 {
		m.Fatalf("2 were left to others, and of these went %d", n)
	}
}

func reserveHalf(m *meter) {
	m.open(8, 7, distant)
	if n := m.drain(ryze.LimiterRequest{Reserve: 100}); n < 3 {
		m.Fatalf("half of a window of 8 can be kept, 7 remained, and with a large Reserve went %d, not 3", n)
	}
}

func reserveBlocksNobody(m *meter) {
	m.open(8, 2, distant)
	low := m.start(m.Context(), ryze.LimiterRequest{Priority: ryze.PriorityLow, Reserve: 2, MaxWait: patient.MaxWait})
	m.waiting(low)
	for range 2 {
		m.takeOf(ryze.LimiterRequest{Priority: ryze.PriorityHigh}, "an urgent request that others leave room for")
	}
	m.waiting(low)
}

func goesBeforeWaiters(m *meter) {
	m.open(8, 3, distant)
	waiting := make([]*attempt, 0, 3)
	for range 3 {
		waiting = append(waiting, m.start(m.Context(), ryze.LimiterRequest{Priority: ryze.PriorityLow, Reserve: 3, MaxWait: patient.MaxWait}))
	}
	m.waiting(waiting...)
	m.refusedOf(m.Context(), ryze.LimiterRequest{Priority: ryze.PriorityLow - 1}, "others wait before it")
	if n := m.drain(ryze.LimiterRequest{Priority: ryze.PriorityHigh}); n != 3 {
		m.Fatalf("3 remained, left to urgent requests by those who wait, and %d urgent ones went that do not wait", n)
	}
	m.waiting(waiting...)
}

func noWaitAtOnce(m *meter) {
	const many = 4
	for range 5 {
		m.key = freshKey()
		m.open(9, many, distant)
		attempts := make([]*attempt, 0, many)
		for i := range many {
			attempts = append(attempts, m.start(m.Context(), ryze.LimiterRequest{Priority: ryze.Priority(i)}))
		}
		for _, a := range attempts {
			if m.outcome(a); a.err != nil {
				m.Fatalf("%d remained for %d requests of different priorities, and one was refused: %v", many, many, a.err)
			}
		}
	}
}

func manyAtOnce(m *meter) {
	m.open(9, 8, distant)
	var went, wrong atomic.Int32
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			_, err := m.limiter.Acquire(m.Context(), ryze.LimiterRequest{LimiterKey: m.key})
			switch {
			case err == nil:
				went.Add(1)
			case !errors.Is(err, ryze.ErrRateLimited):
				wrong.Add(1)
			}
			m.limiter.Rate(m.key)
		})
	}
	wg.Wait()
	if went.Load() != 8 || wrong.Load() > 0 {
		m.Fatalf("8 remained, and %d went; %d were refused without a *RateLimitError", went.Load(), wrong.Load())
	}
}

// manyWaiting plays a service that counts by its own clock. A third window comes
// too late for those who are left.
func manyWaiting(m *meter) {
	m.open(8, 7, nearby)
	var mu sync.Mutex
	remaining, over := 7, 0
	serve := func() (rate ryze.RateLimit, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if !time.Now().Before(m.reset.Add(-clockError)) {
			remaining, m.reset = m.limit, m.reset.Add(distant)
		}
		if remaining == 0 {
			over++
			return m.says(0), false
		}
		remaining--
		return m.says(remaining), true
	}
	var wg sync.WaitGroup
	served, wrong := 0, 0
	for range 20 {
		wg.Go(func() {
			ticket, err := m.limiter.Acquire(m.Context(), ryze.LimiterRequest{LimiterKey: m.key, MaxWait: patience})
			if err == nil {
				rate, ok := serve()
				time.Sleep(20 * time.Millisecond) // the way back
				if ok {
					ticket.Done(rate)
				} else {
					ticket.Refused(rate)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				served++
			case !errors.Is(err, ryze.ErrRateLimited):
				wrong++
			}
		})
	}
	wg.Wait()
	if over > 0 {
		m.Errorf("%d requests went beyond the quota of the service", over)
	}
	if want := 7 + m.limit; served != want || wrong > 0 {
		m.Errorf("two windows had room for %d of 20 requests, and %d went; %d were refused without a *RateLimitError", want, served, wrong)
	}
}
