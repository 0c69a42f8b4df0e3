package ryze

import (
	"context"
	"errors"
	"time"
)

// Who calls a handler, in the words of [EventInfo].
const (
	viaStream  = "stream"
	viaWebhook = "webhook"
	viaInbox   = "inbox"
)

// observing is who is told of calls of a handler, and where the events come from.
type observing struct {
	observer *Observer // nil when nobody observes
	via      string
	queued   func() int // events that wait, nil when nobody knows
}

// observedEvent is what an observer is told of one call of a handler.
type observedEvent struct {
	by    *observing      // nil when nobody observes
	ctx   context.Context //nolint:containedctx // of the call
	info  EventInfo
	began time.Time
}

// observe begins the observation of a call, if somebody observes. The handler gets
// the context that it returns.
func (by *observing) observe(ctx context.Context, e *Event) (context.Context, observedEvent) {
	o := by.observer
	if o == nil || o.EventStart == nil && o.EventDone == nil {
		return ctx, observedEvent{}
	}
	info, began := EventInfo{Instance: e.Instance, Type: e.Type, Via: by.via}, time.Now()
	if !e.arrived.IsZero() {
		info.Lag = began.Sub(e.arrived)
	}
	if by.queued != nil {
		info.Queued = by.queued()
	}
	if o.EventStart != nil {
		observed(func() {
			if own := o.EventStart(ctx, info); own != nil {
				ctx = own //nolint:fatcontext // one for the call
			}
		})
	}
	return ctx, observedEvent{by, ctx, info, began}
}

// done ends the observation with what came of the call.
func (seen *observedEvent) done(err *error) {
	if seen.by == nil {
		return
	}
	done := EventDoneInfo{EventInfo: seen.info, Result: "handled", Duration: time.Since(seen.began)}
	switch {
	case errors.Is(*err, ErrIgnore):
		done.Result = "ignored"
	case *err != nil:
		done.Result, done.Error = "failed", ErrorType(*err)
	}
	seen.by.observer.eventDone(seen.ctx, done)
}

// repeated tells of an event that had been handled before.
func (by *observing) repeated(ctx context.Context, e *Event) {
	by.observer.eventDone(ctx, EventDoneInfo{EventInfo: EventInfo{Instance: e.Instance, Type: e.Type, Via: by.via}, Result: "repeated"})
}

// answered tells how a delivery is answered. There is no event when it was not read.
func (by *observing) answered(ctx context.Context, e *Event, status int, err error, began time.Time) {
	done := DeliveryDoneInfo{StatusCode: status, Error: ErrorType(err), Duration: time.Since(began)}
	if e != nil {
		done.Instance, done.Type = e.Instance, e.Type
	}
	by.observer.deliveryDone(ctx, done)
}
