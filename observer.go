package ryze

import (
	"context"
	"errors"
	"log"
	"time"
)

// Observer is told what happens: to calls, to quota, to streams, to webhook
// deliveries and to the events of an [Inbox]. Give it to [WithObserver]. A
// function that is nil costs nothing.
//
// Functions are called in the goroutine in which the thing happens, which waits
// for them: they must be quick. They may be called by many goroutines at once. A
// panic of a function goes to the standard logger and changes nothing else.
//
// Nothing that a function is given holds a token, a message's content or the
// address of a person. Package otelryze makes OpenTelemetry spans and metrics of it.
type Observer struct {
	// CallStart is told when a call begins. The call goes on with the context that
	// it returns, or with its own if that is nil.
	CallStart func(context.Context, CallStartInfo) context.Context
	// CallDone is told when a call has ended, and how.
	CallDone func(context.Context, CallDoneInfo)
	// AttemptDone is told when a request has been answered or given up. An attempt
	// of a stream to connect counts as well.
	AttemptDone func(context.Context, AttemptDoneInfo)

	// QuotaWaitStart is told when a call begins to wait for quota. A [Limiter] of
	// the application's has to tell it by [LimiterRequest].OnWait.
	QuotaWaitStart func(context.Context, QuotaWaitStartInfo)
	// QuotaWaitDone is told when that wait is over.
	QuotaWaitDone func(context.Context, QuotaWaitDoneInfo)
	// QuotaChange is told what each reply says of the quota.
	QuotaChange func(context.Context, QuotaInfo)

	// StreamStateChange is told when a stream changes its state.
	StreamStateChange func(context.Context, StreamStateInfo)
	// EventReceived is told when an event has come over a stream. The reader of the
	// stream waits for it.
	EventReceived func(context.Context, EventReceivedInfo)
	// EventsDropped is told when events were lost: see [GapEvent].
	EventsDropped func(context.Context, EventsDroppedInfo)
	// EventStart is told before a [Handler] is called. The handler gets the context
	// that it returns, or its own if that is nil.
	EventStart func(context.Context, EventStartInfo) context.Context
	// EventDone is told what became of an event: when its handler has ended, or when
	// an [Inbox] did not call it because the event had been handled before.
	EventDone func(context.Context, EventDoneInfo)
	// DeliveryDone is told how a delivery to a webhook is answered.
	DeliveryDone func(context.Context, DeliveryDoneInfo)
}

// CallInfo says which call something is about.
type CallInfo struct {
	Operation string // id of the operation, such as "messages.text"; "other" for a route of Do that is not known
	Instance  string // name of the instance; "" for a call of an account
}

// CallStartInfo is what [Observer].CallStart is told.
type CallStartInfo struct {
	CallInfo
	Method string // of HTTP
	Route  string // the path, with ":instance" in the place of the name
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

// QuotaWaitStartInfo is what [Observer].QuotaWaitStart is told.
type QuotaWaitStartInfo struct {
	CallInfo
	Priority Priority
	Expected time.Duration // as it looks now; it may change
}

// QuotaWaitDoneInfo is what [Observer].QuotaWaitDone is told.
type QuotaWaitDoneInfo struct {
	CallInfo
	Priority Priority
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

// EventReceivedInfo is what [Observer].EventReceived is told.
type EventReceivedInfo struct {
	Instance string
	Type     EventType
	Bytes    int // of its JSON
	Queued   int // events that wait in the stream, this one included
}

// EventsDroppedInfo is what [Observer].EventsDropped is told.
type EventsDroppedInfo struct {
	Instance string
	Reason   GapReason // [GapOverflow] or [GapUnreadable]
	Count    int
}

// EventVia says where an event was handed to a [Handler].
type EventVia string

// Where events are handed to handlers.
const (
	ViaStream  EventVia = "stream"  // by [Subscription.Handle]
	ViaWebhook EventVia = "webhook" // by a [WebhookReceiver]
	ViaInbox   EventVia = "inbox"   // by an [Inbox]
)

// EventStartInfo is what [Observer].EventStart is told.
type EventStartInfo struct {
	Instance string
	Type     EventType
	Via      EventVia
	Lag      time.Duration // since the event came over the stream; 0 elsewhere
	Queued   int           // events that wait in the stream; 0 elsewhere
}

// EventResult says what became of an event.
type EventResult string

// Results of events.
const (
	EventHandled  EventResult = "handled"
	EventIgnored  EventResult = "ignored"  // the handler returned [ErrIgnore]
	EventFailed   EventResult = "failed"   // the handler failed
	EventRepeated EventResult = "repeated" // it had been handled before
)

// EventDoneInfo is what [Observer].EventDone is told.
type EventDoneInfo struct {
	Instance string
	Type     EventType
	Via      EventVia
	Result   EventResult
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
// matches counts, so that the more special stand first.
var observedErrors = []error{
	ErrRateLimited, ErrThrottled, ErrNotConnected, ErrNoSession,
	ErrMissingToken, ErrInvalidToken, ErrInvalidInstanceToken, ErrInvalidAccountToken, ErrUnauthorized,
	ErrInstanceTokenMismatch, ErrInstanceNotOwned, ErrQuotaExceeded, ErrNotAdmin, ErrForbidden,
	ErrInstanceNotFound, ErrMessageNotFound, ErrLabelNotFound, ErrPollNotFound, ErrGroupNotFound, ErrNewsletterNotFound,
	ErrInviteRevoked, ErrNotConfigured, ErrWebSocketDisabled, ErrForeignReply, ErrNotFound, ErrConflict, ErrNotEditable,
	ErrMediaTooLarge, ErrMediaSource, ErrLimiter, ErrPartial, ErrChatwootDisabled, ErrChatwoot, ErrInvalidArgument, ErrNotImplemented, ErrRedirect,
	ErrBadResponse, ErrServer, ErrClosed, ErrNetwork, context.Canceled, context.DeadlineExceeded, ErrOutcomeUnknown,
}

// ErrorType names what kind an error is, in a few words that come from a short
// list: "rate limited", "not found", "context canceled". It is meant for metrics
// and logs. It returns "" for nil, and "other" for an error of no known kind.
func ErrorType(err error) string {
	if err == nil {
		return ""
	}
	for _, kind := range observedErrors {
		if errors.Is(err, kind) {
			return kind.Error()
		}
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

func (o *Observer) eventReceived(ctx context.Context, info EventReceivedInfo) {
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
