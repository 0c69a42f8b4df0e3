package ryze

import (
	"context"
	"net/http"
	"sync"
)

// Inbox joins a fast stream and a durable webhook. It handles each event once:
//
//	inbox, err := ryze.NewInbox(handle)
//	mux.Handle("/hooks/ryze", inbox.Handler(authorization))
//	go inbox.Run(ctx, subscription)
//
// The first channel that brings an event handles it. A webhook is answered with
// 200 after success, over either channel. A failed event comes again by the
// webhook only. Events of one chat are handled in order, one at a time.
//
// Several processes share a [DedupeStore] and [WithChatLocks]. It is safe for
// concurrent use. See docs/service-notes.md.
type Inbox struct {
	handling

	handle  Handler
	dedupe  *Deduper
	locks   ChatLocks     // nil for none
	backlog chan struct{} // one for each event taken from a stream and not done

	mu       sync.Mutex
	lanes    lanes
	arriving turnList // turns that have come, whose chat is to be locked
	ready    turnList // turns that have come otherwise, and those that have locks
	places   int      // how many more handlers may run
	stats    InboxStats
}

// InboxOption configures an [Inbox]. Each [ReceiveOption] is one, too.
type InboxOption interface {
	applyToInbox(*inboxConfig) error
}

type inboxOption func(*inboxConfig) error

func (o inboxOption) applyToInbox(c *inboxConfig) error { return o(c) }

type inboxConfig struct {
	handling

	store   DedupeStore
	locks   ChatLocks
	backlog int
}

// InboxStats are the counters of an [Inbox] since [NewInbox], at one moment.
// Each event counts in exactly one.
type InboxStats struct {
	Handled   uint64 // the handler returned nil
	Ignored   uint64 // the handler returned ErrIgnore
	Repeated  uint64 // had been handled before; the handler was not called
	Failed    uint64 // the handler failed, or the store or the locks of chats did
	Abandoned uint64 // the wait ended with its context, or another process has the event
	Waiting   int    // for their turn, for the lock of the chat, or for a place among the handlers
	Running   int    // in the handler, or in the store before and after it
}

// WithDedupeStore sets where the inbox remembers handled events. The default is
// a new [MemoryDedupe], for one process.
func WithDedupeStore(store DedupeStore) InboxOption {
	return inboxOption(func(c *inboxConfig) error {
		if isNil(store) {
			return invalid("WithDedupeStore", "was given no store")
		}
		c.store = store
		return nil
	})
}

// WithBacklog sets how many events of streams the inbox holds before it takes
// no more. The default is 256. Further events wait in the [Subscription],
// within its own limit.
func WithBacklog(n int) InboxOption {
	return inboxOption(func(c *inboxConfig) error {
		if n < 1 {
			return invalid("WithBacklog", "is not positive")
		}
		c.backlog = n
		return nil
	})
}

// NewInbox returns an inbox that gives each event to handle. Nil and
// [ErrIgnore] end the event; another error or a panic asks for a new delivery.
// Bad arguments and nil options are a [*ValidationError].
func NewInbox(handle Handler, opts ...InboxOption) (*Inbox, error) {
	c := inboxConfig{backlog: 256}
	c.concurrency, c.timeout, c.via = defaultConcurrency, defaultHandlerTimeout, viaInbox
	if handle == nil {
		return nil, invalid("handle", "is nil")
	}
	if err := applyOptions(opts, func(o InboxOption) error { return o.applyToInbox(&c) }); err != nil {
		return nil, err
	}
	return &Inbox{
		handling: c.handling, handle: handle, dedupe: NewDeduper(c.store),
		locks:    c.locks,
		backlog:  make(chan struct{}, c.backlog),
		arriving: turnList{kind: linkOffer}, ready: turnList{kind: linkOffer},
		places: c.concurrency,
	}, nil
}

// Handler returns the webhook's HTTP handler, with the options and answers of
// [NewWebhookHandler]. It may be called for several paths. For counters give
// Handle to [NewWebhookReceiver].
func (in *Inbox) Handler(authorization string, opts ...WebhookOption) http.Handler {
	return NewWebhookHandler(authorization, in.Handle, opts...)
}

// Handle takes one event and waits for its outcome. Nil and [ErrIgnore] mean
// handled, now or before. With another error, deliver the event again;
// [ErrInProgress] means that another process has it.
//
// The end of ctx ends the wait, not the handler: that ends by
// [WithHandlerTimeout]. So work that began is recorded after the service hangs
// up.
func (in *Inbox) Handle(ctx context.Context, e *Event) error {
	if e == nil {
		return invalid("event", "is nil")
	}
	var o outcome
	in.process(ctx, in.enter(e), &o)
	if o.done() {
		return o.err
	}
	return o.failure()
}

// EventSource is where [Inbox.Run] takes events from. A [*Subscription] is one.
type EventSource interface {
	Events() <-chan *Event // closed when the source ends
	Err() error            // why it ended, nil when it was closed
}

// Run handles the events of a source. It returns the source's error at its end,
// or the error of ctx. Call it once for each source. It does not close the
// source.
//
// When ctx ends, running handlers may finish, within [WithHandlerTimeout] (one
// minute by default). Waiting events are not handled; the webhook brings them
// again. A nil source is a [*ValidationError].
func (in *Inbox) Run(ctx context.Context, source EventSource) error {
	if isNil(source) {
		return invalid("source", "is nil")
	}
	var work sync.WaitGroup
	defer work.Wait()
	take := takeFrom(source)
	for {
		e, done := take(ctx)
		switch {
		case ctx.Err() != nil:
			if e != nil {
				done(false)
			}
			return ctx.Err()
		case e == nil:
			return source.Err()
		case e.Type == EventGap:
			work.Wait()
			work.Go(func() { in.runOne(ctx, in.enter(e), done) }) // it may end its goroutine
			work.Wait()
			continue
		}
		select {
		case <-ctx.Done():
			done(false)
			return ctx.Err()
		case in.backlog <- struct{}{}:
		}
		t := in.enter(e) // here, so that turns are taken in the order of the stream
		work.Go(func() {
			defer func() { <-in.backlog }()
			in.runOne(ctx, t, done)
		})
	}
}

// takeFrom returns what takes the next event of a source, nil when there will be
// none or ctx has ended. Call done when the outcome of the event is known, and say
// whether it counts as handled.
func takeFrom(source EventSource) func(context.Context) (e *Event, done func(handled bool)) {
	if s, ok := source.(*Subscription); ok {
		return func(ctx context.Context) (*Event, func(bool)) {
			t := next(ctx, s, s.queue.takeFirst)
			if t == nil {
				return nil, nil
			}
			return t.event, func(handled bool) {
				t.undone = !handled
				s.queue.hasHandled(t)
			}
		}
	}
	events := source.Events()
	return func(ctx context.Context) (*Event, func(bool)) {
		select {
		case <-ctx.Done():
			return nil, nil
		case e := <-events: // nil when it is closed
			return e, func(bool) {}
		}
	}
}

// runOne handles an event of a stream, where nobody waits for the outcome.
func (in *Inbox) runOne(ctx context.Context, t *turn, done func(handled bool)) {
	o := outcome{unheard: true}
	defer func() { done(!o.abandoned || ctx.Err() == nil) }()
	in.process(ctx, t, &o)
}

// process handles an event when its turn has come. The end of ctx ends the wait
// for that, and not the handler. Only *o says what came of it, for the handler
// may end the goroutine.
func (in *Inbox) process(ctx context.Context, t *turn, o *outcome) {
	defer in.leave(t, o)
	defer in.tellOutcome(ctx, t.event, o)
	lock, err := in.await(ctx, t)
	if err != nil {
		o.err, o.abandoned = err, ctx.Err() != nil
		return
	}
	defer in.unlock(ctx, t, lock)
	if !in.dedupe.begin(ctx, t.event, o) {
		if o.repeated {
			in.repeated(ctx, t.event)
		}
		return
	}
	defer in.dedupe.end(ctx, o)
	working, end, err := in.hold(ctx, lock)
	defer end()
	if err != nil {
		o.called, o.err, o.abandoned = false, err, ctx.Err() != nil
		return
	}
	in.call(working, t.event, in.handle, &o.err)
}

// tellOutcome reports what nobody else is told of.
func (in *Inbox) tellOutcome(ctx context.Context, e *Event, o *outcome) {
	var err error
	urgent := true
	switch {
	case o.done():
		err = o.unrecorded // a delivery that is asked for again would repeat the work
	case o.repeated, o.abandoned, !o.unheard:
		// Another process reports its failure itself, Run says that it was told
		// to stop, and a delivery has its answer.
	default:
		err, urgent = o.failure(), !o.called || isPanic(o.err)
	}
	if err != nil {
		in.tell(context.WithoutCancel(ctx), &HandlerError{Event: e, Err: err}, urgent)
	}
}

// await waits until the turn has come, the chat is locked if it is to be, and
// there is a place among the handlers at work. A lock that it returns must be
// given back.
func (in *Inbox) await(ctx context.Context, t *turn) (lock ChatLock, err error) {
	if t.place.arrived != nil {
		if lock, err = in.lock(ctx, t); err != nil {
			return nil, err
		}
	}
	select {
	case <-ctx.Done():
	case <-t.place.granted:
	}
	if err = ctx.Err(); err != nil {
		in.unlock(ctx, t, lock)
		return nil, err
	}
	return lock, nil
}

// enter joins the end of an event's lane. Every turn must be left.
func (in *Inbox) enter(e *Event) *turn {
	both := struct { // in one piece of memory
		turn
		place
	}{turn{event: e, offers: &in.ready}, place{granted: make(chan struct{})}}
	t := &both.turn
	t.place = &both.place
	var room [4]laneName
	t.place.keys = lockKeys(in.enterLane(t, room[:0]))
	return t
}

// enterLane returns the names of the chat that is to be locked, in room for four.
// An event of nil data panics, and leaves the inbox as it was.
func (in *Inbox) enterLane(t *turn, room []laneName) (names []laneName) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.locks != nil && t.event.Type != EventGap { // a gap is of one stream, and so of this process
		t.offers, t.place.arrived = &in.arriving, make(chan struct{})
		in.lanes.enter(t)
		names = in.lanes.book.names(room, t.event)
	} else {
		in.lanes.enter(t)
	}
	in.stats.Waiting++
	in.grant()
	return names
}

// leave gives a turn up, whether it has come or not, and counts what came of it.
func (in *Inbox) leave(t *turn, o *outcome) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case o.repeated:
		in.stats.Repeated++
	case o.abandoned:
		in.stats.Abandoned++
	case !o.done():
		in.stats.Failed++
	case o.ignored():
		in.stats.Ignored++
	default:
		in.stats.Handled++
	}
	if t.place.placed {
		in.places++
		in.stats.Running--
	} else {
		in.stats.Waiting--
	}
	if t.place.asks {
		in.ready.remove(t)
	}
	if t.lane != nil {
		in.lanes.leave(t)
	}
	in.grant()
}

// grant lets those lock their chat whose turn has come, and fills the free places.
func (in *Inbox) grant() {
	for in.arriving.head != nil {
		t := in.arriving.head
		in.lanes.begin(t)
		close(t.place.arrived)
	}
	for in.places > 0 && in.ready.head != nil {
		t := in.ready.head
		if t.place.asks {
			in.ready.remove(t)
			t.place.asks = false
		} else {
			in.lanes.begin(t)
		}
		t.place.placed = true
		in.places--
		in.stats.Waiting--
		in.stats.Running++
		close(t.place.granted)
	}
}

// Stats returns the counters of the inbox.
func (in *Inbox) Stats() InboxStats {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.stats
}
