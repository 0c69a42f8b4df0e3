package ryze

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// HandleOption is a handler, or how handlers are run: what [On], [OnError] and
// [WithLanes] return.
type HandleOption func(*streamWorkers) error

// On returns a handler for the events with one kind of data: one of the types
// of [EventData], by pointer, or EventData itself for all events.
//
//	err := sub.Handle(ctx,
//		ryze.On(func(ctx context.Context, e *ryze.Event, m *ryze.MessageEvent) error {
//			return reply(ctx, m)
//		}),
//		ryze.On(func(ctx context.Context, e *ryze.Event, gap *ryze.GapEvent) error {
//			return catchUp(ctx, gap.From, gap.To)
//		}),
//	)
func On[T EventData](f func(ctx context.Context, e *Event, data T) error) HandleOption {
	return func(w *streamWorkers) error {
		if f == nil {
			return invalid("On", "was given no function")
		}
		w.handlers = append(w.handlers, streamHandler{
			wants: func(e *Event) bool { _, ok := e.Data.(T); return ok },
			run:   func(ctx context.Context, e *Event) error { return f(ctx, e, e.Data.(T)) },
		})
		return nil
	}
}

// OnError has a function called with every error and panic of a handler, which
// then does not end Handle: a [*HandlerError]. It is called by the goroutine
// that ran the handler, before the next event of the same chat. When it panics
// itself, Handle ends with that.
func OnError(report func(ctx context.Context, err *HandlerError)) HandleOption {
	return func(w *streamWorkers) error {
		if report == nil {
			return invalid("OnError", "was given no function")
		}
		w.report = report
		return nil
	}
}

// WithLanes sets how many events are handled at the same time; the default is
// 16. With 1 the events of all chats are handled one after another, in the order
// of the stream.
func WithLanes(lanes int) HandleOption {
	return func(w *streamWorkers) error {
		if lanes < 1 {
			return invalid("WithLanes", "is not positive")
		}
		w.lanes = lanes
		return nil
	}
}

// HandlerError says which event a handler failed with. Neither its text nor
// the event's shows content.
type HandlerError struct {
	Event *Event
	Err   error // what the handler returned, or a [*PanicError]
}

// Error names the event and gives the handler's error.
func (e *HandlerError) Error() string {
	return fmt.Sprintf("ryze: handling %v: %v", e.Event, e.Err)
}

// Unwrap returns the handler's error.
func (e *HandlerError) Unwrap() error { return e.Err }

const defaultLanes = 16

// Handle takes the stream's events and runs the handlers, until the stream or
// ctx ends or a handler fails. Several handlers may want an event; they are
// called in the order in which they were given. An event that no handler wants
// is passed over.
//
// Events of one chat are handled one after another, in the order of the stream;
// those of different chats at the same time, as many as [WithLanes] says. A
// private chat is one, whether its phone, its LID or both come: from the first
// event on that names both, what waits under either is one line, and what has
// begun under either ends first. Many people are remembered so, not all. Events
// that belong to no chat go one after another by their type. Several calls of
// Handle keep the order together. The turn of a gap
// comes when everything before it has been given to its handlers, which may
// still be at work, and nothing after it is given to any until the gap has been
// handled. An event waits in the stream's queue, and counts against
// its bounds, until its handler starts; a busy chat does not hold up others. An
// event that no handler wants does not wait. Choosing the next event takes the
// same time whatever waits.
//
// A handler that panics does not take the program down: the panic is an error,
// a [*PanicError]. The first error ends Handle, unless [OnError] takes them;
// ctx, as handlers see it, then ends. Handle returns when no handler is running:
// with the [*HandlerError], with the error of ctx, or with that of
// [Subscription.Err]. It does not close the stream.
func (s *Subscription) Handle(ctx context.Context, opts ...HandleOption) error {
	w := &streamWorkers{lanes: defaultLanes, stream: s}
	for _, opt := range opts {
		if opt == nil {
			return invalid("handler", "is nil")
		}
		if err := opt(w); err != nil {
			return err
		}
	}
	if len(w.handlers) == 0 {
		return invalid("Handle", "was given no handler; make one with On")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.fail = cancel
	w.slots = make(chan struct{}, w.lanes)
	wanted := &taker{w.wanted}
	s.queue.addTaker(wanted)
	defer s.queue.removeTaker(wanted)
	w.run(ctx)
	w.running.Wait()

	var failed *HandlerError
	switch err := context.Cause(ctx); {
	case err == nil:
		return s.Err()
	case errors.As(err, &failed):
		return failed
	default:
		return ctx.Err()
	}
}

type streamHandler struct {
	wants func(*Event) bool
	run   func(context.Context, *Event) error
}

// streamWorkers is one call of Handle: those who run its handlers.
type streamWorkers struct {
	stream   *Subscription
	handlers []streamHandler
	lanes    int
	report   func(context.Context, *HandlerError)
	fail     context.CancelCauseFunc
	slots    chan struct{} // one for each worker
	running  sync.WaitGroup
}

// run starts a worker whenever there is an event that may be handled now and
// room for one more.
func (w *streamWorkers) run(ctx context.Context) {
	for {
		select {
		case w.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		t := next(ctx, w.stream, w.takeTurn)
		if t == nil {
			return
		}
		w.running.Go(func() { w.work(ctx, t) })
	}
}

// takeTurn takes an event that may be handled now.
func (w *streamWorkers) takeTurn() (t *turn, over bool, changed <-chan struct{}) {
	return w.stream.queue.takeTurn(w.lanes == 1)
}

// work handles one event after another, until none may be handled now.
func (w *streamWorkers) work(ctx context.Context, t *turn) {
	defer func() { <-w.slots }()
	for t != nil {
		w.serve(ctx, t)
		if ctx.Err() != nil || w.stream.isOver() {
			return
		}
		t, _, _ = w.takeTurn()
	}
}

// serve handles an event and ends its turn, also if the handler ends its
// goroutine.
func (w *streamWorkers) serve(ctx context.Context, t *turn) {
	defer w.stream.queue.endTurn(t)
	if w.wanted(t.event) {
		w.callHandlers(ctx, t.event)
	}
}

func (w *streamWorkers) wanted(e *Event) bool {
	return slices.ContainsFunc(w.handlers, func(h streamHandler) bool { return h.wants(e) })
}

// callHandlers calls the handlers that want the event.
func (w *streamWorkers) callHandlers(ctx context.Context, e *Event) {
	for _, h := range w.handlers {
		if !h.wants(e) {
			continue
		}
		err := callHandler(ctx, e, h.run)
		if err == nil || errors.Is(err, ErrIgnore) {
			continue
		}
		failed := &HandlerError{Event: e, Err: err}
		if w.report == nil {
			w.fail(failed)
			return
		}
		if err := guard("the error handler", func() { w.report(ctx, failed) }); err != nil {
			w.fail(&HandlerError{Event: e, Err: err})
			return
		}
	}
}
