package ryze

import (
	"fmt"
	"strings"
	"time"
)

// OutcomeError says that an operation may have been carried out: no reply
// proves the outcome. It matches [ErrOutcomeUnknown] and wraps the cause.
// Before a repetition settle it: a message with [MessagesService.Settle], a
// creation with a list.
type OutcomeError struct {
	Operation string    // id of the operation
	Recipient JID       // whom a message was for; "" for other operations
	Source    string    // the label that the message carries in its echo
	SentAt    time.Time // when the attempt began, in UTC
	Err       error     // the cause

	hint    string  // what to do next
	content Content // what the message said, for Settle
}

// Error says why the outcome is unknown and what to do.
func (e *OutcomeError) Error() string {
	text := "ryze: " + e.Operation + ": outcome unknown"
	if e.hint != "" {
		text += " (" + e.hint + ")"
	}
	if e.Err != nil {
		text += ": " + strings.TrimPrefix(e.Err.Error(), "ryze: ")
	}
	return text
}

// Is matches [ErrOutcomeUnknown].
func (e *OutcomeError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Unwrap returns the cause.
func (e *OutcomeError) Unwrap() error { return e.Err }

// Format implements [fmt.Formatter]. It prints no more than %v.
func (e *OutcomeError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }
