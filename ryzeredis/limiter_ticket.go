package ryzeredis

import (
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go"
)

const (
	kindDone    = "done"
	kindRefused = "refused"
	kindKept    = "kept"  // several of them, learned during an outage
	kindTouch   = "touch" // nothing: the window is to be known
)

// ticket is the right to one request. Its window guards gen.
type ticket struct {
	w      *window
	gen    int64
	issued time.Time
	memory ryze.Ticket // of a request that was let go while Redis was away
	once   sync.Once
}

// learned is what one reply told, or several.
type learned struct {
	kind     string
	gen      int64
	rate     ryze.RateLimit
	issued   time.Time // when the last of the requests left
	replies  int       // that said what remains
	charged  int       // requests used without a word on what remains
	canceled int       // requests that never left
}

// Done implements [ryze.Ticket].
func (t *ticket) Done(rate ryze.RateLimit) {
	t.end(learned{kind: kindDone, rate: rate}, ryze.Ticket.Done)
}

// Refused implements [ryze.Ticket].
func (t *ticket) Refused(rate ryze.RateLimit) {
	t.end(learned{kind: kindRefused, rate: rate}, ryze.Ticket.Refused)
}

// Cancel implements [ryze.Ticket].
func (t *ticket) Cancel() {
	t.end(learned{canceled: 1}, func(m ryze.Ticket, _ ryze.RateLimit) { m.Cancel() })
}

func (t *ticket) end(e learned, memory func(ryze.Ticket, ryze.RateLimit)) {
	t.once.Do(func() {
		if t.memory != nil {
			memory(t.memory, e.rate)
		}
		e.issued = t.issued
		switch {
		case e.kind == kindDone && e.rate.Known:
			e.replies = 1
		case e.kind == kindDone:
			e.charged = 1
		}
		t.w.report(&e, t.land(&e))
	})
}

// land takes the request out of those under way. It reports whether what was learned
// has to be known to all at once: what is no news may wait a little.
func (t *ticket) land(e *learned) (now bool) {
	w := t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	e.gen = t.gen
	_, spare := w.spare[t]
	switch {
	case spare:
		delete(w.spare, t)
	case t.gen == w.gen:
		w.flying = max(w.flying-1, 0)
	case t.gen == w.gen-1:
		w.old = max(w.old-1, 0)
	}
	v := &w.view
	return e.kind != kindDone || !e.rate.Known || !v.Heard || v.Room < 10 || v.Needy > 0 || e.rate.Remaining < v.Room || e.gen != w.gen
}

// report passes on what was learned, and waits for the answer if it has to be known
// to all now.
func (w *window) report(e *learned, now bool) {
	answered := w.submit(e, now)
	if answered == nil {
		return
	}
	patience := time.NewTimer(w.l.config.patience)
	defer patience.Stop()
	select {
	case <-answered:
	case <-patience.C:
	}
}

func (w *window) submit(e *learned, now bool) (answered chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e != nil && !w.closed {
		w.pending = append(w.pending, *e)
	}
	if !now {
		w.arm(flushAfter)
		return nil
	}
	answered = make(chan struct{})
	w.reported = append(w.reported, answered)
	w.start()
	return answered
}

// next takes the first of what is to be told, together with those that say the same.
func (w *window) next() (e learned, ok bool) {
	if len(w.pending) == 0 {
		return e, false
	}
	e = w.pending[0]
	w.pending = w.pending[1:]
	for len(w.pending) > 0 && e.plain() && w.pending[0].plain() && w.pending[0].gen == e.gen {
		n := w.pending[0]
		w.pending = w.pending[1:]
		n.rate.Remaining = min(n.rate.Remaining, e.rate.Remaining)
		n.replies += e.replies
		if n.issued.Before(e.issued) {
			n.issued = e.issued
		}
		e = n
	}
	return e, true
}

// plain reports whether it is a reply that says what remains, as nearly all are.
func (e *learned) plain() bool { return e.kind == kindDone && e.rate.Known && !e.rate.Unlimited() }

// news is what Redis is told of it at now.
func (e *learned) news(now time.Time) *news {
	n := &news{Kind: e.kind, Gen: e.gen, Limit: max(e.rate.Limit, 0), Age: now.Sub(e.issued).Milliseconds(), Replies: e.replies, Charged: e.charged, Canceled: e.canceled}
	if e.rate.Known {
		n.Remaining = new(e.rate.Remaining)
		if e.rate.Unlimited() {
			*n.Remaining = -1
		}
	}
	if !e.rate.Reset.IsZero() {
		n.Reset = new((e.rate.Reset.Sub(now) + time.Millisecond - 1).Milliseconds())
	}
	return n
}
