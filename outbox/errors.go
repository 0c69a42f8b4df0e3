package outbox

import (
	"context"
	"errors"
	"fmt"

	ryze "github.com/ryzeapi/ryze-go"
)

// Errors of the outbox, to be matched with [errors.Is]. An argument that can
// never be right is a [*ryze.ValidationError].
var (
	// ErrKeyReused: the key has another content or recipient.
	ErrKeyReused = errors.New("outbox: the key belongs to another message")
	// ErrNotFound: there is no entry of this key.
	ErrNotFound = errors.New("outbox: no entry of this key")
	// ErrTooLate: the entry's state does not allow it any more.
	ErrTooLate = errors.New("outbox: too late")
	// ErrInUse: another process, or another Outbox of this one, has the SQLite file
	// open.
	ErrInUse = errors.New("outbox: the file is in use")
	// ErrNewerSchema: a newer version of this module or of River has migrated the
	// database. Nothing was changed.
	ErrNewerSchema = errors.New("outbox: the database has a newer schema")
	// ErrReadOnly: the database cannot be written.
	ErrReadOnly = errors.New("outbox: the database is read-only")
	// ErrFull: the database has no space left. The message was not taken.
	ErrFull = errors.New("outbox: the database is full")
	// ErrNoInstance: the application's function knows no client for the instance.
	ErrNoInstance = errors.New("outbox: no client for the instance")
	// ErrConflict: another transaction was in the way. Nothing was changed;
	// begin the transaction again.
	ErrConflict = errors.New("outbox: another transaction was in the way")
	// ErrRunning: Run was called while another call of it runs.
	ErrRunning = errors.New("outbox: it runs already")
)

var errTaken = errors.New("outbox: somebody else was faster")

func invalid(field, reason string) error {
	return &ryze.ValidationError{Field: field, Reason: reason}
}

// tooLate says which state is in the way.
func tooLate(e *Entry) error { return fmt.Errorf("%w: it is %s", ErrTooLate, e.State) }

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
