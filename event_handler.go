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
)

// ErrIgnore is what a handler of events returns, alone or wrapped, for an event
// that is of no interest to it. The event counts as dealt with: it is not
// delivered again.
var ErrIgnore = errors.New("event ignored")

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

// PanicError is a panic of a function of the application: one that handles
// events, one that is told of errors, a [Limiter], or the store of a [Deduper]. It was caught
// so that other events are not concerned. A webhook delivery is then asked for
// again; an event of a stream is not, because the service does not replay.
type PanicError struct {
	Value any    // what was given to panic; it may hold anything, so Error does not show it
	Stack []byte // where it happened

	who string // panicked; "" for the handler
}

// Error says who panicked, and gives the text of a run-time error, and of
// anything else only the type.
func (e *PanicError) Error() string {
	who := cmp.Or(e.who, "the handler")
	if err, ok := e.Value.(runtime.Error); ok {
		return "ryze: " + who + " panicked: " + err.Error()
	}
	return fmt.Sprintf("ryze: %s panicked with a value of type %T", who, e.Value)
}

// Format implements [fmt.Formatter], so that %+v and %#v do not print Value.
func (e *PanicError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }

// LogValue implements [slog.LogValuer] without the value.
func (e *PanicError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("error", e.Error()), slog.String("stack", string(e.Stack)))
}

// guard calls a function of the application and turns a panic into a
// [*PanicError]. It is the one place where panics are caught.
func guard(who string, call func()) (err error) {
	defer catch(who, &err)
	call()
	return nil
}

// catch is deferred: it makes the error of a panic. It is for where a function
// literal would cost too much.
func catch(who string, err *error) {
	if value := recover(); value != nil {
		*err = &PanicError{Value: value, Stack: debug.Stack(), who: who}
	}
}

// guarded is guard for a function that returns an error.
func guarded(who string, call func() error) error {
	var err error
	if panicked := guard(who, func() { err = call() }); panicked != nil {
		return panicked
	}
	return sound(who, err)
}

// sound returns err, or another in its place when err cannot even be looked at:
// a nil pointer in an error is not a nil error, and its methods may panic.
func sound(who string, err error) error {
	if err == nil {
		return nil
	}
	broken := guard(who, func() {
		_ = err.Error()
		_ = errors.Is(err, ErrIgnore)
		_ = errors.As(err, new(*PanicError))
	})
	if broken == nil {
		return err
	}
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("ryze: %s returned a nil %T as its error, which is not the same as nil", who, err)
	}
	return fmt.Errorf("ryze: %s returned an error of type %T that panics when it is read", who, err)
}

// callHandler calls handle and turns a panic into an error.
func callHandler(ctx context.Context, e *Event, handle func(context.Context, *Event) error) error {
	return guarded("the handler", func() error { return handle(ctx, e) })
}
