package ryze

import (
	"context"
	"errors"
	"log"
	"time"
)

// Observer is told of calls, quota, streams, webhook deliveries and events of
// an [Inbox]. Give it to [WithObserver]. Package otelryze makes OpenTelemetry
// data of it.
//
// Functions must be quick, because the call waits, and may run at the same
// time. Nil ones cost nothing. A panic goes to the standard logger. A function
// gets no token, no content and no address of a person.
type Observer struct {
	// CallStart is told when a call begins. The call continues with the context
	// that it returns, unless that is nil.
	CallStart func(context.Context, CallInfo) context.Context
	// CallDone is told when a call has ended, and how.
	CallDone func(context.Context, CallDoneInfo)
	// AttemptDone is told when a request was answered or given up. A stream's
	// connection counts too.
	AttemptDone func(context.Context, AttemptDoneInfo)

	// QuotaWaitStart is told when a call begins to wait for quota. A [Limiter]
	// of your own tells it by [LimiterRequest].OnWait.
	QuotaWaitStart func(context.Context, QuotaWaitInfo)
	// QuotaWaitDone is told when that wait is over.
	QuotaWaitDone func(context.Context, QuotaWaitInfo)
	// QuotaChange is told what each reply says of the quota.
	QuotaChange func(context.Context, QuotaInfo)

	// StreamStateChange is told when a stream changes its state.
	StreamStateChange func(context.Context, StreamStateInfo)
	// EventReceived is told when an event comes over a stream. The stream's
	// reader waits for it.
	EventReceived func(context.Context, EventInfo)
	// EventsDropped is told when events were lost: see [GapEvent].
	EventsDropped func(context.Context, EventsDroppedInfo)
	// EventStart is told before a [Handler] is called. The handler gets the
	// context that it returns, unless that is nil.
	EventStart func(context.Context, EventInfo) context.Context
	// EventDone is told when a handler has ended, or an [Inbox] did not call it
	// because the event was handled before.
	EventDone func(context.Context, EventDoneInfo)
	// DeliveryDone is told how a delivery to a webhook is answered.
	DeliveryDone func(context.Context, DeliveryDoneInfo)
}

// CallInfo names a call.
type CallInfo struct {
	Operation string // id of the operation, such as "messages.text"; "other" for a route of Do that is not known
	Instance  string // name of the instance; "" for a call of an account
	Method    string // of HTTP
	Route     string // the path, with ":instance" in the place of the name; "" for a route that is not known
}

// CallDoneInfo is what [Observer].CallDone is told.
type CallDoneInfo struct {
	CallInfo
	Outcome    Outcome
	Error      string // see [ErrorType]
	StatusCode int    // of the last reply; 0 when there was none
	Attempts   int    // requests made
	Waits      int    // waits for quota
	Waited     time.Duration
	Duration   time.Duration // in all
}

// AttemptDoneInfo is what [Observer].AttemptDone is told.
type AttemptDoneInfo struct {
	CallInfo
	Number     int           // 1 for the first of the call
	StatusCode int           // 0 when no reply came
	Sent       bool          // false: certainly no byte of it has left
	Error      string        // see [ErrorType]
	Duration   time.Duration // until the reply was read
	Again      bool          // another attempt follows,
	Pause      time.Duration // after at least so long
}

// QuotaWaitInfo is what [Observer].QuotaWaitStart and QuotaWaitDone are told. What
// is known only in the end is zero before.
type QuotaWaitInfo struct {
	CallInfo
	Priority Priority
	Expected time.Duration // as it looked at the start; it may change
	Waited   time.Duration
	Error    string // see [ErrorType]; "" when the call may go
}

// QuotaInfo is what [Observer].QuotaChange is told.
type QuotaInfo struct {
	CallInfo
	Key       LimiterKey // the window; a token cannot be had from it
	RateLimit RateLimit
}

// StreamStateInfo is what [Observer].StreamStateChange is told.
type StreamStateInfo struct {
	Instance string
	State    StreamState
	Error    string // what ended the connection, see [ErrorType]; "" if nothing did
}

// EventsDroppedInfo is what [Observer].EventsDropped is told.
type EventsDroppedInfo struct {
	Instance string
	Reason   GapReason // [GapOverflow] or [GapUnreadable]
	Count    int
}

// EventInfo names an event.
type EventInfo struct {
	Instance string
	Type     EventType
	Via      string        // "stream", "webhook" or "inbox": who received it, or calls the handler
	Lag      time.Duration // since the event came over the stream; 0 elsewhere
	Queued   int           // events that wait in the stream, a new one included; 0 elsewhere
	Bytes    int           // of its JSON, for [Observer].EventReceived; 0 elsewhere
}

// EventDoneInfo is what [Observer].EventDone is told.
type EventDoneInfo struct {
	EventInfo // as it was at the start
	// Result is "handled", "ignored" (the handler returned [ErrIgnore]),
	// "failed" or "repeated" (handled before).
	Result   string
	Error    string // see [ErrorType]
	Duration time.Duration
}

// DeliveryDoneInfo is what [Observer].DeliveryDone is told.
type DeliveryDoneInfo struct {
	Instance   string    // "" when the delivery was not read
	Type       EventType // "" when the delivery was not read
	StatusCode int       // of the answer
	Error      string    // see [ErrorType]; "" when it was accepted
	Duration   time.Duration
}

// observedErrors are the errors by which [ErrorType] sorts: the first that
// matches counts, so that the more special stand first. A [namedError] need not
// be here.
var observedErrors = []error{
	ErrRateLimited, ErrThrottled, ErrForeignReply, ErrNoSession, ErrBanned, ErrNotConnected,
	ErrMissingToken, ErrInvalidToken, ErrInvalidInstanceToken, ErrInvalidAccountToken, ErrUnauthorized,
	ErrInstanceTokenMismatch, ErrInstanceNotOwned, ErrQuotaExceeded, ErrNotAdmin, ErrForbidden,
	ErrInstanceNotFound, ErrMessageNotFound, ErrLabelNotFound, ErrPollNotFound, ErrGroupNotFound, ErrNewsletterNotFound, ErrContactNotFound,
	ErrInviteRevoked, ErrNotConfigured, ErrWebSocketDisabled, ErrNotFound, ErrConflict, ErrNotEditable,
	ErrNewerContent,
	ErrMediaTooLarge, ErrMediaSource, ErrLimiter, ErrPartial, ErrChatwootDisabled, ErrChatwoot, ErrInvalidArgument, ErrNotImplemented, ErrRedirect,
	ErrBadResponse, ErrServer, ErrClosed, ErrNetwork, context.Canceled, context.DeadlineExceeded, ErrOutcomeUnknown, ErrNotSent,
}

// ErrorType names the kind of an error for metrics and logs, from a short list
// such as "rate limited" or "not found". It returns "" for nil and "other" for
// unknown kinds.
func ErrorType(err error) string {
	if err == nil {
		return ""
	}
	for _, kind := range observedErrors {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	var own *namedError
	if errors.As(err, &own) {
		return own.name
	}
	return "other"
}

// observed calls a function of an observer.
func observed(tell func()) {
	var err error
	defer func() {
		if err != nil {
			log.Print(err) //nolint:forbidigo // where net/http would report a panic
		}
	}()
	guard("the observer", &err, tell)
}

// The methods below tell an observer, if there is one and it wants to know.

func (o *Observer) quotaChange(ctx context.Context, info QuotaInfo) {
	if o.QuotaChange != nil && info.RateLimit.Known {
		observed(func() { o.QuotaChange(ctx, info) })
	}
}

func (o *Observer) streamState(ctx context.Context, info StreamStateInfo) {
	if o != nil && o.StreamStateChange != nil {
		observed(func() { o.StreamStateChange(ctx, info) })
	}
}

func (o *Observer) eventReceived(ctx context.Context, info EventInfo) {
	if o.EventReceived != nil {
		observed(func() { o.EventReceived(ctx, info) })
	}
}

func (o *Observer) eventsDropped(ctx context.Context, info EventsDroppedInfo) {
	if o != nil && o.EventsDropped != nil {
		observed(func() { o.EventsDropped(ctx, info) })
	}
}

func (o *Observer) eventDone(ctx context.Context, info EventDoneInfo) {
	if o != nil && o.EventDone != nil {
		observed(func() { o.EventDone(ctx, info) })
	}
}

func (o *Observer) deliveryDone(ctx context.Context, info DeliveryDoneInfo) {
	if o != nil && o.DeliveryDone != nil {
		observed(func() { o.DeliveryDone(ctx, info) })
	}
}
