package ryze

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// PartialError says that a call succeeded without a part. It matches
// [ErrPartial] and comes with the call's result:
//
//	crew, err := inst.Groups.Create(ctx, params)
//	switch {
//	case errors.Is(err, ryze.ErrPartial):
//		log.Print(err) // the group is there: do not create it again
//	case err != nil:
//		return err
//	}
//	use(crew.JID)
//
// The error also holds what was created.
type PartialError struct {
	Operation string // id of the operation, such as "groups.create"
	// Instance is what [AccountClient.CreateInstance] created, with its token.
	// Other calls leave it nil.
	Instance *Instance
	// Group is the address of the group or community of the call, or "".
	Group JID
	// Failures are the parts that were not done, or have an error: at least one.
	Failures []PartialFailure

	kinds []error
}

// PartialFailure is a part of a call that was not done, or has an error.
type PartialFailure struct {
	// Target is that part: the address of a person or group, or a Go field such
	// as "Permissions.MembersCanEditInfo". It is "" when the service does not say.
	Target string
	Reason string // the service's own words where it has any
}

// shownFailures is how many failures an error text repeats.
const shownFailures = 5

// Error says what was created, and the first failure.
func (e *PartialError) Error() string {
	var b strings.Builder
	b.WriteString("ryze: " + e.Operation + ": ")
	switch {
	case e.Instance != nil:
		fmt.Fprintf(&b, "the instance %s was created, but ", quoted(e.Instance.Name))
	case e.Operation == opGroupCreate.ID:
		fmt.Fprintf(&b, "the group %s was created, but ", printable(string(e.Group)))
	case e.Operation == opCommunityCreate.ID:
		fmt.Fprintf(&b, "the community %s was created, but ", printable(string(e.Group)))
	default:
		b.WriteString(ErrPartial.Error() + ": ")
	}
	for i, f := range e.Failures[:min(len(e.Failures), shownFailures)] {
		if i > 0 {
			b.WriteString("; ")
		}
		if f.Target != "" {
			b.WriteString(printable(f.Target) + ": ")
		}
		b.WriteString(printable(f.Reason))
	}
	if more := len(e.Failures) - shownFailures; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Is matches [ErrPartial], and [ErrChatwoot] when it is about Chatwoot.
func (e *PartialError) Is(target error) bool {
	return target == ErrPartial || slices.Contains(e.kinds, target)
}

// Format implements [fmt.Formatter] without secrets.
func (e *PartialError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }

// parts collects what of a call was not done.
type parts struct {
	failed  PartialError
	auth    *credential
	secrets []Secret // must not come back in a reason, and neither must the token
}

func partsOf(h handle, op *Operation, secrets ...Secret) *parts {
	return &parts{failed: PartialError{Operation: op.ID}, auth: h.auth, secrets: secrets}
}

func (p *parts) add(target, reason string) {
	p.failed.Failures = append(p.failed.Failures, PartialFailure{Target: target, Reason: p.redact(reason)})
}

// redact takes the secrets of the call out of a text from the network.
func (p *parts) redact(text string) string { return p.auth.redact(text, p.secrets...) }

// addAs is add for a part that matches a sentinel as well.
func (p *parts) addAs(kind error, target, reason string) {
	p.add(target, reason)
	p.failed.kinds = append(p.failed.kinds, kind)
}

// differs adds the target when the reply shows another value than was asked
// for. A value that was not asked for, or that the reply does not show, is nil.
func differs[T comparable](p *parts, target string, asked, shown *T) {
	if asked != nil && shown != nil && *asked != *shown {
		p.add(target, "the reply does not show the value asked for")
	}
}

// differsText is differs for a text, in which blanks around it and the way in which
// lines end do not count.
func differsText(p *parts, target string, asked, shown *string) {
	if asked != nil && shown != nil {
		differs(p, target, new(plainText(*asked)), new(plainText(*shown)))
	}
}

func plainText(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s))
}

// err returns nil when everything was done.
func (p *parts) err() error {
	if len(p.failed.Failures) == 0 {
		return nil
	}
	return &p.failed
}

// partialReply is the envelope of a reply that shows what was done: a new group, or
// what became of each person. When it says success, that counts, and an error
// beside it is one more part that failed.
type partialReply struct {
	envelope
	complaint string // what it says against its own success
}

// unproven returns what such a reply lacks to be a success, or "". Shown is whether
// it shows anything, and done whether it shows that anything was done.
func (r *partialReply) unproven(op *Operation, shown, done bool) (missing string) {
	missing = r.unacknowledged(op)
	switch {
	case r.failed() && done:
		return "" // [fetchChecked] tells that it contradicts itself
	case r.failed() || !shown:
		return missing
	case r.Success == succeeded && missing != "":
		if r.complaint = missing; r.Failure.said() {
			r.complaint = cmp.Or(r.Failure.message, missing)
		}
		r.Failure = nil // it is no contradiction
	}
	return ""
}

// saysFailed leaves out what is a complaint.
func (r *partialReply) saysFailed() bool {
	return r.Success != succeeded && saysFailed(&r.envelope, r.Raw())
}

// addComplaint adds what the reply says against its own success.
func (p *parts) addComplaint(r *partialReply) {
	if r.complaint != "" {
		p.add("", r.complaint)
	}
}
