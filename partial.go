package ryze

import "errors"

// ErrPartial says that the service answered with a success, but a part of what was
// asked for was not done. Results of calls that can end so have a method Err
// that returns it; the call's own error is nil then.
var ErrPartial = errors.New("done in part")

// PartialError is one part of a call that was not done although the call as a
// whole succeeded. The Err methods of results join one for each such part. It
// matches [ErrPartial].
type PartialError struct {
	Operation string // id of the operation, such as "groups.participants"
	Target    string // what it is about: an address, or the Go name of a field
	Reason    string // the service's own words where it has any
}

// Error names the target and the reason.
func (e *PartialError) Error() string {
	return "ryze: " + e.Operation + ": " + e.Target + ": " + printable(e.Reason)
}

// Is matches [ErrPartial].
func (e *PartialError) Is(target error) bool { return target == ErrPartial }

// parts collects the parts of an operation that were not done.
type parts struct {
	op   *Operation
	errs []error
}

func (p *parts) add(target, reason string) {
	p.errs = append(p.errs, &PartialError{Operation: p.op.ID, Target: target, Reason: reason})
}

// differs adds the target when the reply shows another value than was asked
// for. A value that was not asked for, or that the reply does not show, is nil.
func differs[T comparable](p *parts, target string, asked, shown *T) {
	if asked != nil && shown != nil && *asked != *shown {
		p.add(target, "the reply does not show the value asked for")
	}
}

func (p *parts) err() error { return errors.Join(p.errs...) }
