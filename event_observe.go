package ryze

import (
	"context"
	"errors"
	"time"
)

// observing is who is told of calls of a handler, and where the events come from.
type observing struct {
	observer *Observer // nil when nobody observes
	via      EventVia
	queued   func() int // events that wait, nil when nobody knows
}

// observedEvent is what an observer is told of one call of a handler.
type observedEvent struct {
	by    *observing      // nil when nobody observes
	ctx   context.Context //nolint:containedctx // of the call
	event *Event
	began time.Time
}

// observe begins the observation of a call, if somebody observes. The handler gets
// the context that it returns.
func (by *observing) observe(ctx context.Context, e *Event) (context.Context, observedEvent) {
	o := by.observer
	if o == nil || o.EventStart == nil && o.EventDone == nil {
		return ctx, observedEvent{}
	}
	seen := observedEvent{by, ctx, e, time.Now()}
	if o.EventStart != nil {
		start := EventStartInfo{Instance: e.Instance, Type: e.Type, Via: by.via}
		if !e.arrived.IsZero() {
			start.Lag = seen.began.Sub(e.arrived)
		}
		if by.queued != nil {
			start.Queued = by.queued()
		}
		observed(func() {
			if own := o.EventStart(ctx, start); own != nil {
				seen.ctx = own //nolint:fatcontext // one for the call
			}
		})
	}
	return seen.ctx, seen
}

// done ends the observation with what came of the call.
func (seen *observedEvent) done(err *error) {
	if seen.by == nil {
		return
	}
	done := EventDoneInfo{
		Instance: seen.event.Instance, Type: seen.event.Type, Via: seen.by.via, Result: EventHandled, Duration: time.Since(seen.began),
	}
	switch {
	case errors.Is(*err, ErrIgnore):
		done.Result = EventIgnored
	case *err != nil:
		done.Result, done.Error = EventFailed, ErrorType(*err)
	}
	seen.by.observer.eventDone(seen.ctx, done)
}

// repeated tells of an event that had been handled before.
func (by *observing) repeated(ctx context.Context, e *Event) {
	by.observer.eventDone(ctx, EventDoneInfo{Instance: e.Instance, Type: e.Type, Via: by.via, Result: EventRepeated})
}

// answered tells how a delivery is answered. There is no event when it was not read.
func (by *observing) answered(ctx context.Context, e *Event, status int, err error, began time.Time) {
	done := DeliveryDoneInfo{StatusCode: status, Error: ErrorType(err), Duration: time.Since(began)}
	if e != nil {
		done.Instance, done.Type = e.Instance, e.Type
	}
	by.observer.deliveryDone(ctx, done)
}
