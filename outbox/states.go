package outbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

// State is the state of an entry.
type State string

// The states. What leads from one to the next:
//
//	queued    its turn has come               sending   on disk before the request leaves
//	queued    ExpiresAt has passed            expired
//	queued    Cancel                          canceled
//	sending   accepted                        sent
//	sending   certainly not, may be later     queued    after a pause
//	sending   certainly not, and never        failed
//	sending   not certain, or a crash         unknown   and is looked for
//	unknown   found                           sent
//	any       its echo came                   sent
//	unknown   cannot be looked for            unknown   and is looked for again
//	unknown   not there after the patience    queued    with WithResendWhenNotFound
//	unknown   anything else by then           unknown   until Resolve
const (
	Queued   State = "queued"   // waits for its turn
	Sending  State = "sending"  // a request may have left
	Sent     State = "sent"     // accepted; MessageID is known
	Unknown  State = "unknown"  // may have been accepted, and Reason says what is known
	Failed   State = "failed"   // certainly not accepted, and never will be
	Expired  State = "expired"  // certainly not accepted before ExpiresAt
	Canceled State = "canceled" // certainly not accepted before it was canceled
)

// step is what becomes of an entry.
type step struct {
	to      State
	next    time.Time     // when to act again; zero: never
	hold    time.Duration // so long the whole instance waits
	reason  string
	message *ryze.SentMessage // of sent
}

// policy is what an application has chosen.
type policy struct {
	patience time.Duration // how long a message is looked for
	resend   bool          // when it is not there after that
	hold     time.Duration // of an instance that cannot send
}

// afterSend is what becomes of an entry whose request has ended.
func (p policy) afterSend(e *Entry, message *ryze.SentMessage, err error, now time.Time) step {
	outcome := ryze.OutcomeOf(err)
	pause, helps := ryze.RetryAfter(err)
	pause = min(pause, longest)
	switch {
	case outcome == ryze.OutcomeAccepted && message != nil:
		return step{to: Sent, message: message}
	case outcome != ryze.OutcomeNotAccepted:
		return step{to: Unknown, next: now, reason: text(err)}
	case e.hasExpired(now):
		return step{to: Expired, reason: text(err)}
	case concernsInstance(err):
		pause = max(pause, p.hold)
		return step{to: Queued, next: now.Add(pause), hold: pause, reason: text(err)}
	case errors.Is(err, ryze.ErrThrottled):
		return step{to: Queued, next: now.Add(pause), hold: pause, reason: text(err)}
	case errors.Is(err, ryze.ErrRateLimited):
		return step{to: Queued, next: now.Add(pause + jitter(time.Second)), reason: text(err)}
	case helps, endedEarly(err):
		return step{to: Queued, next: now.Add(max(pause, backOff(e.Attempts))), reason: text(err)}
	default:
		return step{to: Failed, reason: text(err)}
	}
}

// afterCrash is what becomes of an entry that was left in sending.
func (p policy) afterCrash(now time.Time) step {
	return step{to: Unknown, next: now, reason: "the process ended while it was being sent"}
}

// afterLook is what becomes of an unknown entry that was looked for. The patience
// begins anew when the clock has jumped.
func (p policy) afterLook(e *Entry, message *ryze.SentMessage, err error, now time.Time, steady time.Duration) step {
	waited := min(now.Sub(e.SentAt), steady) // negative when the clock was set back: then it may have been too short
	switch {
	case err == nil && message != nil:
		return step{to: Sent, message: message}
	case waited < p.patience && waited >= 0:
		next := min(max(waited/2, lookPause), p.patience-waited)
		return step{to: Unknown, next: now.Add(next), reason: text(err)}
	case concernsInstance(err), waited < 0 && waited > -p.patience: // also of ErrNotSent: it is that nobody could look
		return step{to: Unknown, next: now.Add(p.hold), reason: text(err)}
	case isOutage(err) && waited >= 0 && waited < p.patience+lookLonger:
		return step{to: Unknown, next: now.Add(min(max(waited/10, p.hold), longest)), reason: text(err)}
	case errors.Is(err, ryze.ErrNotSent) && p.resend && waited >= p.patience && e.hasExpired(now):
		return step{to: Expired, reason: "looked for and not found"}
	case errors.Is(err, ryze.ErrNotSent) && p.resend && waited >= p.patience:
		return step{to: Queued, next: now, reason: "looked for and not found"}
	case errors.Is(err, ryze.ErrNotSent):
		return step{to: Unknown, reason: "looked for and not found"}
	default:
		return step{to: Unknown, reason: text(err)}
	}
}

// concernsInstance reports whether an error is about the instance, so that every
// message of it would fare alike until somebody has seen to it.
func concernsInstance(err error) bool {
	return isAny(err, ryze.ErrNotConnected, ryze.ErrNoSession, ryze.ErrUnauthorized, ryze.ErrForbidden, ryze.ErrInstanceNotFound, ErrNoInstance)
}

// isOutage reports whether a look has not come to its end for a reason that passes.
func isOutage(err error) bool {
	return endedEarly(err) || isAny(err, ryze.ErrNetwork, ryze.ErrLimiter, ryze.ErrServer, ryze.ErrRateLimited, ryze.ErrThrottled, ryze.ErrForeignReply)
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// endedEarly reports whether a call ended because this process had no more time for
// it. Nothing speaks against another try.
func endedEarly(err error) bool {
	return isContext(err) || errors.Is(err, ryze.ErrClosed)
}

const (
	lookPause  = 5 * time.Second // between looks at first
	lookLonger = 24 * time.Hour  // than the patience, when a look cannot be made
)

// backOff grows with the attempts up to five minutes.
func backOff(attempts int) time.Duration {
	full := min(time.Second<<min(max(attempts, 1), 9), 5*time.Minute)
	return full/2 + jitter(full/2)
}

func jitter(most time.Duration) time.Duration { return rand.N(max(most, 1)) }

func text(err error) string {
	if err == nil {
		return ""
	}
	const most = 500
	// Whoever wrote the error may have put into it what a database refuses.
	return fmt.Sprintf("%.*s", most, strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "\uFFFD"))
}
