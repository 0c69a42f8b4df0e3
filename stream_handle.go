package ryze

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// HandleOption says how [Subscription.Handle] runs its handler. Every
// [ReceiveOption] is one.
type HandleOption interface {
	applyToHandle(*handling) error
}

// Handle takes the stream's events and gives each to the handler, until the
// stream or ctx ends or the handler fails. Make a handler for several types of
// data with [On] and [Handlers].
//
// Events of one chat are handled one after another, in the order of the stream;
// those of different chats at the same time, as many as [WithConcurrency] says.
// A private chat is one, whether its phone, its LID or both come: from the first
// event on that names both, what waits under either is one line, and what has
// begun under either ends first. Many people are remembered so, not all. Events
// that belong to no chat go one after another by their type. Several calls of
// Handle keep the order together. The turn of a gap comes when everything before
// it has been given to the handler, which may still be at work, and nothing
// after it is given to any until the gap has been handled.
//
// An event waits in the stream's queue, and counts against its bounds, until its
// turn comes. A busy chat does not hold up others. Events that no handler is for
// wait like all others; [WithEvents] keeps them out of the queue. Choosing the
// next event takes the same time whatever waits.
//
// A handler that panics does not take the program down: the panic is an error,
// a [*PanicError]. The first error ends Handle, and the contexts of the other
// handlers, unless [WithErrorHandler] takes the errors.
//
// When ctx ends, Handle takes no more events, and the handlers that are at work
// may finish. Their contexts have the values of ctx but do not end with it: they
// end after [WithHandlerTimeout], or one minute when it is not given. What waits
// is not handled.
//
// Handle returns when no handler is running: with the first [*HandlerError] that
// nobody has taken, with the error of ctx, or with that of [Subscription.Err]. It
// does not close the stream. [*ValidationError] when handle or an option is nil,
// or an option has a bad value.
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
