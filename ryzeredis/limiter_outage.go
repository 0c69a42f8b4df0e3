package ryzeredis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// errRecovered is why a wait in memory ends when Redis is back.
var errRecovered = errors.New("ryzeredis: Redis is back")

// outage is a time in which Redis does not answer. Its memory takes over.
type outage struct {
	cause  error
	memory ryze.Limiter
	strict bool
	ended  context.Context //nolint:containedctx // ends with the outage
	end    context.CancelCauseFunc
}

// acquire serves a call from memory. The error is errRecovered when Redis is back
// before the call was served.
func (o *outage) acquire(ctx context.Context, w *window, req ryze.LimiterRequest) (*ticket, error) {
	if o.strict {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, o.cause)
	}
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.ended, cancel)() //nolint:contextcheck // it goes on when the caller has gone
	t, err := o.memory.Acquire(within, req)
	switch {
	case err == nil:
		return w.adopt(t), nil
	case ctx.Err() == nil && o.ended.Err() != nil:
		return nil, errRecovered
	default:
		return nil, err //nolint:wrapcheck // as documented by ryze.Limiter
	}
}

// away lets the memory take over until Redis answers again.
func (l *Limiter) away(cause error, failed *window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage != nil || l.closing {
		return
	}
	// What the memory of an earlier outage knew is too old.
	o := &outage{cause: cause, memory: ryze.NewMemoryLimiter(0), strict: l.config.noFallback}
	o.ended, o.end = context.WithCancelCause(l.ctx)
	l.outage = o
	l.work.Go(func() { l.survive(o, failed) })
}

// survive tries Redis until it is back, and tells it what it has missed.
func (l *Limiter) survive(o *outage, failed *window) {
	for _, w := range l.all() {
		w.estrange()
	}
	l.tell(o.cause)
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(comeBack):
		}
		// Not a ping: Redis may answer and yet not do this.
		if failed.touch() == nil {
			break
		}
	}
	l.mu.Lock()
	l.outage = nil
	l.mu.Unlock()
	for _, w := range l.all() {
		w.kick()
	}
	o.end(errRecovered)
	l.tell(nil)
}

func (l *Limiter) tell(err error) {
	if l.config.status != nil {
		l.config.status(err)
	}
}

// estrange notes that Redis may forget, and does not hear, what happens from now
// on. What is leased and unused is not used any more.
func (w *window) estrange() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.estranged, w.free = true, 0
}

// touch makes sure that Redis knows the window, and tells what the process holds.
func (w *window) touch() error {
	w.mu.Lock()
	q := &question{Gen: w.gen, Held: w.flying, Old: w.old, News: &news{Kind: kindTouch}}
	w.mu.Unlock()
	_, err := w.l.call(w.l.ctx, w, q)
	return err
}

// reconcile is the first question after an outage: from then on the requests that
// the memory let go count in the window that Redis has. w.mu is held, and given up
// meanwhile.
func (w *window) reconcile() error {
	began := time.Now()
	q := &question{Gen: w.gen, Held: w.flying, Old: w.old, News: &news{Kind: kindTouch}}
	w.mu.Unlock()
	a, err := w.l.call(w.l.ctx, w, q)
	w.mu.Lock()
	if err != nil {
		return err
	}
	w.learn(a, 0, began)
	for t := range w.spare {
		t.gen = w.gen
		w.flying++
	}
	w.spare, w.estranged = nil, false
	w.keep()
	return nil
}

// adopt takes over a request that the memory has let go.
func (w *window) adopt(memory ryze.Ticket) *ticket {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &ticket{w: w, gen: w.gen, issued: time.Now(), memory: memory}
	if !w.estranged {
		w.flying++ // Redis has come back meanwhile
		w.start()
		return t
	}
	if w.spare == nil {
		w.spare = make(map[*ticket]struct{})
	}
	w.spare[t] = struct{}{}
	return t
}

// keep makes one of what Redis has not been told.
func (w *window) keep() {
	if len(w.pending) == 0 {
		return
	}
	k := learned{kind: kindKept}
	for _, e := range w.pending {
		k.absorb(&e)
	}
	w.pending = append(w.pending[:0], k)
}

// absorb adds what a later reply told. The least that remains counts, and the latest
// window.
func (k *learned) absorb(e *learned) {
	if k.issued.Before(e.issued) {
		k.issued = e.issued
	}
	rate := e.rate
	if e.kind == kindRefused {
		rate.Known, rate.Remaining = true, 0
		if rate.Reset.IsZero() {
			rate.Reset = time.Now().Add(time.Second)
		}
	}
	if !rate.Known {
		k.charged += e.charged
		return
	}
	known, later := k.rate, rate.Reset.Sub(k.rate.Reset)
	either := known.Reset.IsZero() || rate.Reset.IsZero()
	switch {
	case !known.Known, rate.Unlimited(), known.Unlimited():
		k.rate = rate
		k.charged += e.charged
	case !either && later > sameWindow:
		k.rate, k.charged = rate, e.charged
	case either || later >= -sameWindow:
		k.rate.Remaining, k.charged = min(known.Remaining, rate.Remaining), k.charged+e.charged
		if known.Reset.IsZero() {
			k.rate.Reset = rate.Reset
		}
		k.rate.Limit = max(known.Limit, rate.Limit)
	}
}
