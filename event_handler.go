package ryze

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Handler handles an event of a stream ([Subscription.Handle]), a webhook
// ([NewWebhookHandler]) or an [Inbox]. It must be safe for concurrent use. Make
// handlers with [On] and [Handlers].
//
// Nil and [ErrIgnore] mean that the event is done. Any other error, and a panic
// (a [*PanicError]), means that it is not. A nil Handler is refused.
type Handler func(ctx context.Context, e *Event) error

// ErrIgnore is what a [Handler] returns for an event that it does not need. The
// event is done and is not delivered again.
var ErrIgnore = errors.New("event ignored")

// On returns a handler for events with one type of data, and does nothing for
// others. T is a pointer type of [EventData], or EventData for all events.
// On(nil) is nil.
//
//	err := sub.Handle(ctx, ryze.Handlers(
//		ryze.On(func(ctx context.Context, e *ryze.Event, m *ryze.MessageEvent) error {
//			return reply(ctx, m)
//		}),
//		ryze.On(func(ctx context.Context, e *ryze.Event, gap *ryze.GapEvent) error {
//			return catchUp(ctx, gap.From, gap.To)
//		}),
//	))
func On[T EventData](f func(ctx context.Context, e *Event, data T) error) Handler {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, e *Event) error {
		data, ok := e.Data.(T)
		if !ok {
			return nil
		}
		return f(ctx, e, data)
	}
}

// Handlers returns a handler that calls the given ones in turn, until the first
// error or panic. [ErrIgnore] does not end the turn; it is the result when no
// handler failed. The result is nil when a handler is nil or none is given.
func Handlers(handlers ...Handler) Handler {
	if len(handlers) == 0 || slices.ContainsFunc(handlers, func(h Handler) bool { return h == nil }) {
		return nil
	}
	handlers = slices.Clone(handlers)
	return func(ctx context.Context, e *Event) error {
		var ignored error
		for _, handle := range handlers {
			err := sound("the handler", handle(ctx, e))
			switch {
			case err == nil:
			case errors.Is(err, ErrIgnore):
				ignored = err
			default:
				return err
			}
		}
		return ignored
	}
}

// HandlerError says what went wrong with an event: a handler failed, or a
// delivery was refused. It prints no content, body or header, unless the text
// of Err does.
type HandlerError struct {
	// Event is nil when a webhook delivery was refused before it was read.
	Event *Event
	// Err is what the handler returned, a [*PanicError], what the store of an
	// [Inbox] failed with, or why a delivery was refused.
	Err error
	// StatusCode is the answer to a webhook delivery, such as 503 when the
	// handler failed; see [WebhookReceiver]. It is 0 for a stream and an inbox.
	StatusCode int
}

// Error names the event and the answer, if there are any, and gives the cause.
func (e *HandlerError) Error() string {
	text := "ryze: handling "
	if e.StatusCode != 0 {
		text = fmt.Sprintf("ryze: webhook: answered with HTTP %d: ", e.StatusCode)
	}
	if e.Event != nil {
		text += e.Event.String() + ": "
	}
	if e.Err == nil {
		return strings.TrimSuffix(text, ": ")
	}
	return text + strings.TrimPrefix(e.Err.Error(), "ryze: ")
}

// Unwrap returns the cause.
func (e *HandlerError) Unwrap() error { return e.Err }

// Format implements [fmt.Formatter]. It prints no more than %v.
func (e *HandlerError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }

// LogValue implements [slog.LogValuer] with the text of Error.
func (e *HandlerError) LogValue() slog.Value {
	var attrs []slog.Attr
	if e.StatusCode != 0 {
		attrs = append(attrs, slog.Int("status", e.StatusCode))
	}
	if e.Event != nil {
		attrs = append(attrs, slog.Any("event", e.Event))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", printable(e.Err.Error())))
	}
	return slog.GroupValue(attrs...)
}

// handling is how a handler is called, by whoever has events. It is the one
// place where handlers and error handlers are called.
type handling struct {
	concurrency int
	timeout     time.Duration // 0 for none
	report      func(context.Context, *HandlerError)

	observing
}

const (
	// defaultConcurrency is how many events a stream and an inbox handle at the
	// same time.
	defaultConcurrency = 16
	// defaultHandlerTimeout is how long the handler of an inbox may take, and for
	// how long a handler of a stream may go on when it is told to stop.
	defaultHandlerTimeout = time.Minute
)

// reading is which events a stream and a webhook read.
type reading struct {
	only      []EventType // empty for all
	readLimit int64
}

const defaultReadLimit = 32 << 20

// wants reports whether events of a type are wanted.
func (r *reading) wants(t EventType) bool { return len(r.only) == 0 || slices.Contains(r.only, t) }

// ignore is the handler of what is not wanted.
func ignore(context.Context, *Event) error { return ErrIgnore }

// call calls handle. *err is what came of it, also when handle panics, and when
// it ends its goroutine. In that case call does not return: whoever acts on *err
// does so in a deferred call.
func (h *handling) call(ctx context.Context, e *Event, handle Handler, err *error) {
	*err = errUnfinished
	ctx, seen := h.observe(ctx, e)
	defer seen.done(err)
	defer catch("the handler", err)
	if h.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.timeout)
		defer cancel()
	}
	*err = sound("the handler", handle(ctx, e))
}

// tell gives an error to the error handler. When there is none, it goes to the
// log if it is urgent: when nobody else would ever hear of it.
func (h *handling) tell(ctx context.Context, failed *HandlerError, urgent bool) {
	if h.report == nil {
		if urgent {
			logUrgent(ctx, failed)
		}
		return
	}
	var panicked error
	defer func() {
		if panicked != nil {
			logUrgent(ctx, panicked)
		}
	}()
	h.reportTo(ctx, failed, &panicked)
}

// reportTo calls the error handler. *err says whether it panicked, as in call.
func (h *handling) reportTo(ctx context.Context, failed *HandlerError, err *error) {
	guard("the error handler", err, func() { h.report(ctx, failed) })
}

// logUrgent writes to where net/http would report a panic.
func logUrgent(ctx context.Context, err error) {
	logger := log.Default()
	if srv, ok := ctx.Value(http.ServerContextKey).(*http.Server); ok && srv.ErrorLog != nil {
		logger = srv.ErrorLog
	}
	text := err.Error()
	var panicked *PanicError
	if errors.As(err, &panicked) {
		text += "\n" + string(panicked.Stack)
	}
	logger.Print(text)
}

// PanicError is a panic in a function of the application, such as a [Handler].
// Other events go on. A webhook delivery then comes again, an event of a stream
// does not.
type PanicError struct {
	// Value is the argument of panic, or nil after [runtime.Goexit]. It may
	// hold anything, so Error does not show it.
	Value any
	Stack []byte // where it happened

	who string // panicked; "" for the handler
}

// Error says where the panic came from, with the text of a run-time error or
// only a type.
func (e *PanicError) Error() string {
	who := cmp.Or(e.who, "the handler")
	switch value := e.Value.(type) {
	case nil:
		return "ryze: " + who + " ended its goroutine with runtime.Goexit"
	case runtime.Error:
		return "ryze: " + who + " panicked: " + value.Error()
	default:
		return fmt.Sprintf("ryze: %s panicked with a value of type %T", who, e.Value)
	}
}

// Format implements [fmt.Formatter]. It never prints Value.
func (e *PanicError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }

// LogValue implements [slog.LogValuer]. It leaves out the value.
func (e *PanicError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("error", e.Error()), slog.String("stack", string(e.Stack)))
}

// isPanic reports whether a function panicked or ended its goroutine.
func isPanic(err error) bool { return errors.As(err, new(*PanicError)) }

// endedGoroutine reports whether a function ended its goroutine.
func endedGoroutine(err error) bool {
	var panicked *PanicError
	return errors.As(err, &panicked) && panicked.Value == nil
}

// errUnfinished is the outcome of a call that has not returned.
var errUnfinished = errors.New("unfinished")

// guard calls a function of the application. *err is nil, or a [*PanicError]
// when it panicked or ended its goroutine. In the last case guard does not
// return.
func guard(who string, err *error, call func()) {
	*err = errUnfinished
	defer catch(who, err)
	call()
	*err = nil
}

// catch is deferred: it makes the error of a panic, and of a call that ended its
// goroutine and so left *err as errUnfinished. It is the one place where panics
// are caught.
func catch(who string, err *error) {
	if value := recover(); value != nil || *err == errUnfinished { //nolint:errorlint // never wrapped
		*err = &PanicError{Value: value, Stack: debug.Stack(), who: who}
	}
}

// guarded is guard for a function that returns an error.
func guarded(who string, err *error, call func() error) {
	*err = errUnfinished
	defer catch(who, err)
	*err = sound(who, call())
}

// sound returns err, or another in its place when err cannot even be looked at:
// a nil pointer in an error is not a nil error, and its methods may panic.
func sound(who string, err error) error {
	if err == nil {
		return nil
	}
	var broken error
	guard(who, &broken, func() {
		_ = err.Error()
		_ = errors.Is(err, ErrIgnore)
		_ = isPanic(err)
	})
	if broken == nil {
		return err
	}
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("ryze: %s returned a nil %T as its error, which is not the same as nil", who, err)
	}
	return fmt.Errorf("ryze: %s returned an error of type %T that panics when it is read", who, err)
}

// applyOptions applies options in the order in which they were given.
func applyOptions[O any](opts []O, apply func(O) error) error {
	for _, opt := range opts {
		if isNil(opt) {
			return invalid("option", "is nil")
		}
		if err := apply(opt); err != nil {
			return err
		}
	}
	return nil
}
