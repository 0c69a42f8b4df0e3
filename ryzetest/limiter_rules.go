package ryzetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// patient is a request that waits longer than any rule lasts.
var patient = ryze.LimiterRequest{MaxWait: 5 * time.Minute}

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
		wait = m.refused("after a 429 that does not say how long").RetryAt.Sub(at)
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

func beyondMaxWait(m *meter) {
	m.open(3, 0, distant)
	for _, wait := range []time.Duration{0, -time.Second, time.Second, distant / 2} {
		limited := m.refusedOf(m.Context(), ryze.LimiterRequest{MaxWait: wait}, "a MaxWait of "+wait.String())
		if limited.RetryAt.Before(m.reset.Add(-promptly)) {
			m.Errorf("RetryAt is %v, before the Reset at %v", limited.RetryAt, m.reset)
		}
	}
}

func beyondDeadline(m *meter) {
	m.open(3, 0, distant)
	ctx, cancel := context.WithTimeout(m.Context(), distant/2)
	defer cancel()
	m.refusedOf(ctx, patient, "a deadline before Reset")
}

func becomesTooLong(m *meter) {
	m.open(5, 1, nearby)
	last := m.take("the last request of the window")
	a := m.start(m.Context(), ryze.LimiterRequest{MaxWait: patience})
	m.waiting(a)
	m.reset = m.reset.Add(distant)
	last.Refused(m.says(0))
	began := time.Now()
	m.outcome(a)
	if a.err == nil {
		m.Fatal("a request went before the Reset of a 429 that came while it waited")
	}
	m.limited(a.err, "a 429 that came while it waited made the wait too long")
	if took := a.ended.Sub(began); took > promptly {
		m.Errorf("the wait became too long, and it was refused only %v later", took)
	}
}

func cancelGivesBack(m *meter) {
	m.take("the first request of a window").Cancel()
	m.open(5, 1, distant)
	for range 3 {
		ticket := m.take("the last request of the window, which went back")
		m.refused("nothing of the window remains")
		ticket.Cancel()
	}
}

func cancelWakes(m *meter) {
	m.open(5, 1, distant)
	last := m.take("the last request of the window")
	a := m.start(m.Context(), patient)
	m.waiting(a)
	began := time.Now()
	last.Cancel()
	m.outcome(a)
	if took := a.ended.Sub(began); a.err != nil || took > promptly {
		m.Fatalf("a request went back, and who waits for it has it after %v, with the error %v", took, a.err)
	}
}

func endedContext(m *meter) {
	m.open(5, 1, distant)
	ctx, cancel := context.WithCancel(m.Context())
	cancel()
	a := m.outcome(m.start(ctx, patient))
	if a.err == nil {
		m.Fatal("a request went although the context had ended")
	}
	m.endedBy(a, context.Canceled, a.began)
	m.take("the last request of the window, which a context that had ended must not take")
}

func (m *meter) endedBy(a *attempt, cause error, at time.Time) {
	m.Helper()
	if !errors.Is(a.err, cause) {
		m.Errorf("the error does not match that of the context, %v: %v", cause, a.err)
	}
	if took := a.ended.Sub(at); took > promptly {
		m.Errorf("the context had ended, and Acquire returned only %v later", took)
	}
}

func waitEnds(m *meter) {
	m.open(5, 0, distant)
	ctx, cancel := context.WithCancel(m.Context())
	defer cancel()
	a := m.start(ctx, patient)
	m.waiting(a)
	at := time.Now()
	cancel()
	if m.outcome(a); a.err == nil {
		m.Fatal("a request went beyond the quota")
	}
	m.endedBy(a, context.Canceled, at)
}

func placeIsLeft(m *meter) {
	m.open(5, 1, distant)
	last := m.take("the last request of the window")
	ctx, cancel := context.WithCancel(m.Context())
	defer cancel()
	gone := m.start(ctx, patient)
	m.waiting(gone)
	next := m.start(m.Context(), patient)
	m.waiting(gone, next)
	cancel()
	m.outcome(gone)
	last.Cancel()
	if m.outcome(next); next.err != nil {
		m.Fatalf("the next was refused: %v", next.err)
	}
}

func grantedAsItEnds(m *meter) {
	m.open(5, 1, distant)
	for i := range 20 {
		last := m.take("the last request of the window, which went back")
		ctx, cancel := context.WithCancel(m.Context())
		a := m.start(ctx, patient)
		m.waiting(a)
		var wg sync.WaitGroup
		wg.Go(last.Cancel)
		wg.Go(func() {
			time.Sleep(time.Duration(i%5) * 300 * time.Microsecond) // as long as a server may take
			cancel()
		})
		wg.Wait()
		if m.outcome(a); a.err == nil {
			a.ticket.Cancel()
		}
	}
	m.take("the last request of the window, which went back")
	m.refused("nothing of the window remains")
}

// inOrder lets requests begin to wait, one after another, and then gives them one
// place at a time.
func (m *meter) inOrder(want []int, requests ...ryze.LimiterRequest) {
	m.Helper()
	m.open(5, 1, distant)
	place := m.take("the last request of the window")
	served := make(chan *attempt, len(requests))
	began := m.attempts
	waiting := make([]*attempt, 0, len(requests))
	for _, req := range requests {
		req.MaxWait = patient.MaxWait
		waiting = append(waiting, m.start(m.Context(), req, served))
		m.waiting(waiting...)
	}
	order := make([]int, 0, len(requests))
	for range requests {
		place.Cancel()
		select {
		case a := <-served:
			if m.outcome(a); a.err != nil {
				m.Fatalf("who waits was refused: %v", a.err)
			}
			order = append(order, a.number-began)
			place = a.ticket
		case <-time.After(patience):
			m.Fatal("a request went back, and nobody who waits has it")
		}
	}
	for i := range want {
		if want[i] != order[i] {
			m.Fatalf("the waiters, numbered as they came, should go in the order %v, and went in the order %v", want, order)
		}
	}
}

func firstComeFirst(m *meter) {
	m.inOrder([]int{0, 1, 2, 3}, make([]ryze.LimiterRequest, 4)...)
}

func higherFirst(m *meter) {
	of := func(p ryze.Priority) ryze.LimiterRequest { return ryze.LimiterRequest{Priority: p} }
	m.inOrder([]int{2, 4, 1, 3, 0}, of(ryze.PriorityLow), of(ryze.PriorityNormal), of(ryze.PriorityHigh), of(ryze.PriorityNormal), of(1))
}

func earlierFirst(m *meter) {
	now := time.Now()
	ago := func(d time.Duration) ryze.LimiterRequest { return ryze.LimiterRequest{Since: now.Add(-d)} }
	m.inOrder([]int{3, 1, 2, 0}, ryze.LimiterRequest{}, ago(2*time.Second), ago(time.Second), ago(3*time.Second))
}

func priorityBeforeSince(m *meter) {
	old := time.Now().Add(-patience)
	m.inOrder([]int{1, 0}, ryze.LimiterRequest{Since: old}, ryze.LimiterRequest{Priority: ryze.PriorityHigh})
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
