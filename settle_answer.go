package ryze

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

var (
	errNotOutcome = invalid("err", "is not the error of a send of which it is unknown whether it was accepted")

	// Reasons why an outcome stays unknown.
	errNotStored = errors.New("a history does not show such a message; only its event can tell")
	errSeveral   = errors.New("several messages could be the one looked for")
	errFitsBadly = errors.New("a message could be the one looked for, but does not fit in everything")
	errUnclear   = errors.New("the history has messages that cannot be read, or may be of another chat")
	errNoClock   = errors.New("no reply of the service tells how its clock differs from this one, so what was searched may be another time")
	errTwins     = errors.New("the client has sent so much since that it does not know which messages are others")
)

// unsettledError is why a look-up has not settled a send, beside what first made its
// outcome unknown.
type unsettledError struct{ why, cause error }

func (e *unsettledError) Error() string {
	text := strings.TrimPrefix(e.why.Error(), "ryze: ")
	if e.cause != nil {
		text += "; of the send: " + strings.TrimPrefix(e.cause.Error(), "ryze: ")
	}
	return text
}

func (e *unsettledError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.why}
	}
	return []error{e.why, e.cause}
}

// still returns the error of the same send after a look-up that settled nothing.
// It takes the place of e: looking again and again does not make it longer.
func (e *OutcomeError) still(why error) error {
	next := *e
	cause := e.Err
	if before, ok := cause.(*unsettledError); ok { //nolint:errorlint // only what this function made
		cause = before.cause
	}
	next.Err, next.SentAt = &unsettledError{why: why, cause: cause}, e.SentAt.UTC()
	return &next
}

// answer turns a verdict into what Settle returns.
func (w *settling) answer(found *SentMessage, doubt error) (*SentMessage, error) {
	switch {
	case found != nil:
		return found, nil
	case doubt != nil:
		return nil, w.outcome.still(doubt)
	default:
		return nil, fmt.Errorf("ryze: %s: %w: nothing that the service shows since the attempt could be the message", w.outcome.Operation, ErrNotSent)
	}
}

// notSent is the answer to the error of a send that was certainly not accepted.
func notSent(err error) error {
	if errors.Is(err, ErrNotSent) {
		return err
	}
	return errorsOf(ErrNotSent, nil, err)
}

// errorsOf says of err what kind it is, and why if that needs to be said.
func errorsOf(kind, why, err error) error {
	text := strings.TrimPrefix(err.Error(), "ryze: ")
	if why != nil {
		return &kindError{fmt.Sprintf("ryze: %s: %s: %s", kind, strings.TrimPrefix(why.Error(), "ryze: "), text), []error{kind, why, err}}
	}
	return &kindError{fmt.Sprintf("ryze: %s: %s", kind, text), []error{kind, err}}
}

type kindError struct {
	text string
	of   []error
}

func (e *kindError) Error() string   { return e.text }
func (e *kindError) Unwrap() []error { return e.of }

// isCertainlyUnsent reports whether the error of a send says of itself that the
// message was not accepted. Of an error that may come from anywhere nobody knows.
func isCertainlyUnsent(err error) bool {
	switch OutcomeOf(err) {
	case OutcomeNotAccepted:
		return true
	case OutcomeAccepted:
		return false
	}
	if errors.Is(err, ErrOutcomeUnknown) {
		return false
	}
	var name *net.DNSError
	var dial *net.OpError
	return errors.As(err, &name) || errors.As(err, &dial) && dial.Op == "dial"
}

// onItsWayUntil says how long a message may still be on its way.
func (w *settling) onItsWayUntil() error {
	if w.outcome.SentAt.IsZero() {
		return errors.New("it is not known when the attempt was made")
	}
	over := w.outcome.SentAt.Add(w.wholeDelay() + onItsWay).UTC().Truncate(time.Second).Add(time.Second)
	return fmt.Errorf("the message may be on its way until %s", over.Format(time.RFC3339))
}
