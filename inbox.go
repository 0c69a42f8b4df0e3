package ryze

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Inbox joins the channels of events in one flow: a stream gives speed, a
// webhook durability, and each event is handled once, whichever brings it first.
//
//	inbox, err := ryze.NewInbox(handle)
//	mux.Handle("/hooks/ryze", inbox.Handler(authorization))
//	go inbox.Run(ctx, subscription)
//
// The rules:
//
//   - An event is handled by the channel that brings it first. When its handler
//     fails there, the event counts as not handled, and the next delivery is
//     handled again. The stream repeats nothing, so what failed there comes
//     again by the webhook only.
//   - The webhook is answered with 200 when the event has been handled with
//     success by either channel, and not before: a delivery that comes while the
//     same event is being handled waits for the outcome, and handles the event
//     itself if that was a failure.
//   - Events of one chat are handled one at a time, in the order in which they
//     arrive here; different chats go on side by side, up to a limit. A private
//     chat is one, whether its phone, its LID or both come, from the first event
//     on that names both. A delivery that the service repeats arrives when it
//     arrives: later than its elders.
//   - Events that say neither what nor when, such as labels in the documented
//     form, come once by each channel; see [Deduper].
//   - A [*GapEvent] is passed on as it is, when everything before it in its
//     stream has been handled and before anything after it is.
//
// That is processing at least once: an event is handled again when the process
// ends, or the store of the keys forgets, between the handling and the next
// delivery. Several processes do the same together by sharing a [DedupeStore].
//
// An Inbox starts no goroutines of its own; it is safe for concurrent use.
type Inbox struct {
	handle  func(context.Context, *Event) error
	dedupe  *Deduper
	timeout time.Duration
	report  func(context.Context, *Event, error)

	backlog chan struct{} // one for each event taken from a stream and not done

	mu     sync.Mutex
	lanes  lanes
	ready  turnList // turns that have come
	places int      // how many more handlers may run
}

// InboxOption configures an [Inbox].
type InboxOption func(*inboxConfig) error

type inboxConfig struct {
	store    DedupeStore
	parallel int
	backlog  int
	timeout  time.Duration
	report   func(context.Context, *Event, error)
}

// WithDedupeStore sets where the inbox remembers what it has handled. The
// default is a new [MemoryDedupe], which serves one process and forgets when
// that ends.
func WithDedupeStore(store DedupeStore) InboxOption {
	return func(c *inboxConfig) error {
		if store == nil {
			return invalid("WithDedupeStore", "was given no store")
		}
		c.store = store
		return nil
	}
}

// WithParallel sets how many events are handled at a time, 16 by default.
func WithParallel(n int) InboxOption {
	return func(c *inboxConfig) error {
		if n < 1 {
			return invalid("WithParallel", "is not positive")
		}
		c.parallel = n
		return nil
	}
}

// WithBacklog sets how many events of streams are taken and not yet handled
// before the inbox takes no more, 256 by default. What comes then waits in the
// [Subscription], which has its own limit and reports what it drops.
func WithBacklog(n int) InboxOption {
	return func(c *inboxConfig) error {
		if n < 1 {
			return invalid("WithBacklog", "is not positive")
		}
		c.backlog = n
		return nil
	}
}

// WithEventTimeout ends the context of the handler d after it was called, one
// minute by default. It must be shorter than the lease of the store
// ([MemoryDedupe].Lease), or else another delivery of the event is handled
// while the first one is still at it.
func WithEventTimeout(d time.Duration) InboxOption {
	return func(c *inboxConfig) error {
		if d <= 0 {
			return invalid("WithEventTimeout", "is not a positive duration")
		}
		c.timeout = d
		return nil
	}
}

// WithInboxErrors calls report for what nobody else is told: events of a stream
// whose handling failed, and the store's failure to record what was handled.
// The failures of webhook deliveries go to [WithWebhookErrors]. Without it
// panics and failures of the store go to the standard logger, and the errors
// that the handler returns for events of a stream are dropped.
func WithInboxErrors(report func(ctx context.Context, e *Event, err error)) InboxOption {
	return func(c *inboxConfig) error {
		if report == nil {
			return invalid("WithInboxErrors", "was given no function")
		}
		c.report = report
		return nil
	}
}

// NewInbox returns an inbox that gives each event to handle. Its error decides
// whether the event is dealt with: nil and [ErrIgnore] say so, anything else,
// and a panic, asks for another delivery.
//
// [*ValidationError] when handle is nil or an option is not valid.
func NewInbox(handle func(context.Context, *Event) error, opts ...InboxOption) (*Inbox, error) {
	c := inboxConfig{parallel: 16, backlog: 256, timeout: time.Minute}
	if handle == nil {
		return nil, invalid("handle", "is nil")
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("option", "is nil")
		}
		if err := opt(&c); err != nil {
			return nil, err
		}
	}
	return &Inbox{
		handle: handle, dedupe: NewDeduper(c.store), timeout: c.timeout, report: c.report,
		backlog: make(chan struct{}, c.backlog),
		ready:   turnList{kind: linkOffer},
		places:  c.parallel,
	}, nil
}

// Handler returns the handler of the webhook's deliveries, with the options and
// the behaviour of [NewWebhookHandler]. Its answer is the outcome of the event.
// It may be called again, for another path or another authorization.
func (in *Inbox) Handler(authorization string, opts ...WebhookOption) http.Handler {
	return NewWebhookHandler(authorization, in.Handle, opts...)
}

// Handle takes one event, from whatever brought it, and returns when its
// outcome is known: nil or [ErrIgnore] when it has been handled, now or before,
// and otherwise an error, with which it must be delivered again. It is what
// Handler calls; give it to [NewWebhookReceiver] to have the errors of that.
//
// While the event waits for its turn, the end of ctx ends the wait. Once the
// handler has been called, ctx does not interrupt it, only [WithEventTimeout]
// does: when the service hangs up on a slow handler, its work is finished and
// recorded, and the next delivery has its answer at once.
//
// It matches [ErrInProgress] when another process is at the same event.
func (in *Inbox) Handle(ctx context.Context, e *Event) error {
	_, err := in.process(ctx, context.WithoutCancel(ctx), in.enter(e))
	return err
}

// EventSource is where [Inbox.Run] takes events from. A [*Subscription] is one.
type EventSource interface {
	Events() <-chan *Event // closed when the source ends
	Err() error            // why it ended, nil when it was closed
}

// Run handles the events of a source until the source ends, and then returns
// its error, or until ctx ends, and then returns the context's error. In both
// cases it waits for the handlers that are at work, whose contexts end with
// ctx. It does not close the source.
//
// Run several sources side by side by calling it once for each.
func (in *Inbox) Run(ctx context.Context, source EventSource) error {
	var work sync.WaitGroup
	defer work.Wait()
	events := source.Events()
	for {
		var e *Event
		select {
		case <-ctx.Done():
			return ctx.Err()
		case next, open := <-events:
			if !open {
				return source.Err()
			}
			e = next
		}
		if e.Type == EventGap {
			work.Wait()
			in.runOne(ctx, in.enter(e))
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case in.backlog <- struct{}{}:
		}
		t := in.enter(e) // here, so that turns are taken in the order of the stream
		work.Go(func() {
			defer func() { <-in.backlog }()
			in.runOne(ctx, t)
		})
	}
}

// runOne handles an event of a stream, where nobody waits for the outcome.
func (in *Inbox) runOne(ctx context.Context, t *turn) {
	byHandler, err := in.process(ctx, ctx, t)
	switch {
	case err == nil, errors.Is(err, ErrIgnore):
	case errors.Is(err, ErrInProgress):
		// Another process has it. If that fails, it reports it and the webhook
		// brings the event again.
	case ctx.Err() != nil:
		// Run was told to stop, and says so.
	default:
		in.tell(ctx, t.event, err, !byHandler)
	}
}

// tell reports an error. What nobody else would ever hear of is urgent.
func (in *Inbox) tell(ctx context.Context, e *Event, err error, urgent bool) {
	switch {
	case in.report != nil:
		if panicked := guard("the error handler", func() { in.report(ctx, e, err) }); panicked != nil {
			logUrgent(ctx, panicked)
		}
	case urgent:
		logUrgent(ctx, fmt.Errorf("ryze: inbox: %v: %w", e, err))
	}
}

// process handles an event when its turn has come. The context wait ends the
// waiting, the context ctx the work. byHandler says that the error is one that
// the handler returned.
func (in *Inbox) process(wait, ctx context.Context, t *turn) (byHandler bool, err error) {
	defer in.leave(t)
	if err := t.await(wait); err != nil {
		return false, err
	}

	ignored := false
	handled, err, storeErr := in.dedupe.do(wait, ctx, t.event, func(ctx context.Context, e *Event) error {
		ctx, cancel := context.WithTimeout(ctx, in.timeout)
		defer cancel()
		err := callHandler(ctx, e, in.handle)
		if errors.Is(err, ErrIgnore) {
			ignored = true
			return nil
		}
		var panicked *PanicError
		byHandler = !errors.As(err, &panicked)
		return err
	})
	if storeErr != nil {
		err = errors.Join(err, storeErr)
	}
	if !handled {
		return byHandler, err // nil when it was handled before
	}
	if err != nil {
		// Done, but not recorded. A delivery that is asked for again would repeat
		// the work.
		in.tell(ctx, t.event, err, true)
	}
	if ignored {
		return true, ErrIgnore
	}
	return true, nil
}

// await waits until the turn has come and there is a place among the handlers
// at work.
func (t *turn) await(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-t.granted:
	}
	return ctx.Err()
}

// enter joins the end of an event's lane. Every turn must be left.
func (in *Inbox) enter(e *Event) *turn {
	t := &turn{event: e, offers: &in.ready, granted: make(chan struct{})}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.lanes.enter(t)
	in.grant()
	return t
}

// leave gives a turn up, whether it has come or not.
func (in *Inbox) leave(t *turn) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if t.running {
		in.places++
	}
	in.lanes.leave(t)
	in.grant()
}

// grant fills the free places.
func (in *Inbox) grant() {
	for in.places > 0 && in.ready.head != nil {
		t := in.ready.head
		in.lanes.begin(t)
		in.places--
		close(t.granted)
	}
}
