package ryze

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// HandleOption is an option of [Subscription.Handle]. Each [ReceiveOption] is
// one.
type HandleOption interface {
	applyToHandle(*handling) error
}

// Handle gives each event to the handler, until the stream ends, ctx ends or
// the handler fails. Make handlers with [On] and [Handlers].
//
// Events of one chat are handled in order, one at a time. Different chats run
// at the same time, up to [WithConcurrency]. A gap waits for earlier events to
// begin, and later events wait for its end.
//
// The first error or panic ends Handle, unless [WithErrorHandler] takes it.
// When ctx ends, running handlers may finish within [WithHandlerTimeout]. It
// returns a [*HandlerError], the error of ctx or that of [Subscription.Err].
// See docs/service-notes.md.
func (s *Subscription) Handle(ctx context.Context, handle Handler, opts ...HandleOption) error {
	w := &streamWorkers{stream: s, handle: handle}
	w.concurrency = defaultConcurrency
	w.observing = observing{s.observer(), viaStream, s.queue.len}
	if handle == nil {
		return invalid("handle", "is nil")
	}
	if err := applyOptions(opts, func(o HandleOption) error { return o.applyToHandle(&w.handling) }); err != nil {
		return err
	}
	taking, stop := context.WithCancel(ctx)
	defer stop()
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	w.taking, w.working, w.stop = taking, work, func() { stop(); end() }
	defer context.AfterFunc(ctx, func() { w.endLater(end) })() // not before it is whole
	w.slots = make(chan struct{}, w.concurrency)
	s.queue.sortAll()
	w.run()
	w.running.Wait()

	failed := w.failed.Load()
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return s.Err()
	}
}

// streamWorkers is one call of Handle: those who run its handler.
type streamWorkers struct {
	handling

	stream  *Subscription
	handle  Handler
	taking  context.Context //nolint:containedctx // until its end events are taken
	working context.Context //nolint:containedctx // of the handlers
	stop    func()          // ends both
	slots   chan struct{}   // one for each worker
	running sync.WaitGroup
	failed  atomic.Pointer[HandlerError] // the first that nobody has taken
}

// endLater ends the context of the handlers when they have had time to finish.
func (w *streamWorkers) endLater(end func()) {
	timer := time.NewTimer(cmp.Or(w.timeout, defaultHandlerTimeout))
	defer timer.Stop()
	select {
	case <-timer.C:
		end()
	case <-w.working.Done(): // they have
	}
}

// run starts a worker whenever there is an event that may be handled now and
// room for one more.
func (w *streamWorkers) run() {
	for {
		select {
		case w.slots <- struct{}{}:
		case <-w.taking.Done():
			return
		}
		t := next(w.taking, w.stream, w.takeTurn)
		if t == nil {
			return
		}
		w.running.Go(func() { w.work(t) })
	}
}

// takeTurn takes an event that may be handled now.
func (w *streamWorkers) takeTurn() (t *turn, over bool, changed <-chan struct{}) {
	return w.stream.queue.takeTurn(w.concurrency == 1)
}

// work handles one event after another, until none may be handled now. When the
// handler ends the goroutine, run starts another.
func (w *streamWorkers) work(t *turn) {
	defer func() { <-w.slots }()
	for t != nil {
		w.serve(t)
		if w.taking.Err() != nil || w.stream.isOver() {
			return
		}
		t, _, _ = w.takeTurn()
	}
}

// serve handles an event and ends its turn, whatever the handler does.
func (w *streamWorkers) serve(t *turn) {
	defer w.stream.queue.endTurn(t)
	var err error
	defer w.judge(t, &err)
	w.call(w.working, t.event, w.handle, &err)
}

// judge looks at what came of an event.
func (w *streamWorkers) judge(t *turn, err *error) {
	if *err == nil || errors.Is(*err, ErrIgnore) {
		return
	}
	t.undone = w.working.Err() != nil // it was cut off
	failed := &HandlerError{Event: t.event, Err: *err}
	if w.report == nil {
		t.undone = true
		w.fail(failed)
		return
	}
	var panicked error
	defer func() {
		if panicked != nil {
			t.undone = true
			w.fail(&HandlerError{Event: t.event, Err: panicked})
		}
	}()
	w.reportTo(w.working, failed, &panicked)
}

// fail ends Handle.
func (w *streamWorkers) fail(failed *HandlerError) {
	w.failed.CompareAndSwap(nil, failed)
	w.stop()
}
