package ryzetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// The rules about waits, and who goes first.

// patient is a request that waits longer than any rule lasts.
var patient = ryze.LimiterRequest{MaxWait: 5 * time.Minute}

func beyondMaxWait(m *meter) {
	m.open(3, 0, distant)
	for _, wait := range []time.Duration{0, -time.Second, time.Second, distant / 2} {
		retryAt := m.refusedOf(m.Context(), ryze.LimiterRequest{MaxWait: wait}, "a MaxWait of "+wait.String())
		if retryAt.Before(m.reset.Add(-promptly)) {
			m.Errorf("RetryAt is %v, before the Reset at %v", retryAt, m.reset)
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

func onlyOnce(m *meter) {
	m.open(5, 3, distant)
	for i := range 2 {
		ticket := m.take("a request that the window has room for")
		ticket.Done(m.says(2 - i))
		ticket.Cancel()
		ticket.Cancel()
	}
	silent := m.take("the last request of the window")
	silent.Done(ryze.RateLimit{})
	silent.Cancel()
	silent.Cancel()
	m.refused("nothing of the window remains")
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
		last := m.takeBack("the last request of the window, which went back")
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
	m.takeBack("the last request of the window, which went back")
	m.refused("nothing of the window remains")
}

// takeBack takes a request that another limiter has just given back, which takes a
// moment to be known to all that share the window.
func (m *meter) takeBack(why string) ryze.Ticket {
	m.Helper()
	_, isShared := m.limiter.(*inTurn)
	for until := time.Now().Add(promptly); isShared && time.Now().Before(until); time.Sleep(promptly / 100) {
		if a := m.outcome(m.start(m.Context(), ryze.LimiterRequest{})); a.err == nil {
			return a.ticket
		}
	}
	return m.take(why)
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

func onWaitTells(m *meter) {
	m.open(5, 1, distant)
	told := make(chan time.Duration, 10)
	req := ryze.LimiterRequest{OnWait: func(expected time.Duration) { told <- expected }}
	last := m.takeOf(req, "the last request of the window")
	m.refusedOf(m.Context(), req, "nothing of the window remains")
	if len(told) > 0 {
		m.Fatal("OnWait was called, and nobody waited")
	}
	req.MaxWait = patient.MaxWait
	a := m.start(m.Context(), req)
	select {
	case expected := <-told:
		if left := time.Until(m.reset); expected <= 0 || expected < left-promptly {
			m.Errorf("OnWait was told of a wait of %v, and Reset is %v away", expected, left)
		}
	case <-time.After(promptly):
		m.Fatal("OnWait was not called as the wait began")
	}
	m.waiting(a)
	last.Cancel()
	if m.outcome(a); a.err != nil {
		m.Fatalf("who waits was refused: %v", a.err)
	}
	if len(told) > 0 {
		m.Error("OnWait was called more than once for one wait")
	}
}
