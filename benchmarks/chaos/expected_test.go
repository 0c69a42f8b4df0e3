package chaos

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// kind is what a call gave, as its error tells it.
type kind string

const (
	done      kind = "done"
	unknown   kind = "outcome unknown"
	notSent   kind = "lost"
	refused   kind = "refused"
	byOther   kind = "foreign reply"
	limited   kind = "rate limited"
	slowed    kind = "throttled"
	redirect  kind = "redirect"
	bad       kind = "bad response"
	untyped   kind = "untyped"
	unnatural kind = "never returned"
)

// sentinels are all errors that package ryze documents, beside those that
// have a kind of their own.
var sentinels = []error{
	ryze.ErrInvalidArgument, ryze.ErrUnauthorized, ryze.ErrForbidden, ryze.ErrNotFound, ryze.ErrConflict, ryze.ErrNotConnected,
	ryze.ErrNoSession, ryze.ErrWebSocketDisabled, ryze.ErrInviteRevoked, ryze.ErrNotEditable, ryze.ErrNotImplemented, ryze.ErrServer,
	ryze.ErrChatwoot, ryze.ErrChatwootDisabled,
}

// kindOf classifies an error of a call, as an application would do.
func kindOf(op string, err error) kind {
	var outcome *ryze.OutcomeError
	var partial *ryze.PartialError
	var rate *ryze.RateLimitError
	var api *ryze.APIError
	var response *ryze.ResponseError
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case err == nil:
		return done
	case !strings.HasPrefix(err.Error(), "ryze: "+op+": "):
		return untyped
	case is(ryze.ErrPartial): // what was asked for is done, and the error says which part is not, or not for certain
		return oneOf(done, errors.As(err, &partial) && partial.Operation == op && len(partial.Failures) > 0)
	case errors.As(err, &outcome):
		return oneOf(unknown, is(ryze.ErrOutcomeUnknown) && outcome.Operation == op && !outcome.SentAt.IsZero() && outcome.Err != nil)
	case is(ryze.ErrOutcomeUnknown):
		return untyped
	case errors.As(err, &rate):
		return oneOf(limited, is(ryze.ErrRateLimited) && rate.Operation == op)
	case is(ryze.ErrRedirect):
		return redirect
	case is(ryze.ErrMediaTooLarge):
		return bad
	case errors.As(err, &response):
		return oneOf(bad, is(ryze.ErrBadResponse) && response.Operation == op)
	case errors.As(err, &api):
		switch {
		case api.Operation != op:
			return untyped
		case is(ryze.ErrForeignReply):
			return byOther
		case is(ryze.ErrThrottled):
			return slowed
		case api.StatusCode >= 400 && api.StatusCode < 500:
			return refused // not every status has a sentinel
		}
		return oneOf(refused, slices.ContainsFunc(sentinels, is))
	default:
		return oneOf(notSent, is(ryze.ErrNetwork) || is(ryze.ErrMediaSource) || is(context.DeadlineExceeded))
	}
}

func oneOf(k kind, holds bool) kind {
	if holds {
		return k
	}
	return untyped
}

// expectation is what the table allows in a cell.
type expectation struct {
	kinds []kind
	// The requests that the server sees. Of more, a send went out twice.
	least, most int
}

const attempts = 3 // of the retry policy

func exactly(requests int, kinds ...kind) expectation {
	return expectation{kinds: kinds, least: requests, most: requests}
}

// expected is the retry table.
func expected(c *cell) expectation {
	if c.op.ID == "events.websocket.connect" {
		// A handshake is not a call: how it ends is for the tests of streams.
		// Over HTTP/1 it is a GET that net/http repeats when an old connection broke.
		return expectation{
			kinds: []kind{done, notSent, refused, byOther, limited, slowed, redirect, bad},
			most:  2 * (attempts + 1),
		}
	}
	if c.op.Repeatable {
		return expectedOfRepeatable(c)
	}
	return expectedOfSend(c)
}

func expectedOfSend(c *cell) expectation {
	seen := 1 // requests of an attempt that fails
	if c.fault.unseen() {
		seen = 0
	}
	switch s := c.fault.signalFor(c); s {
	case answered:
		return exactly(1, done)
	case nothing:
		if c.always {
			return exactly(seen*attempts, notSent)
		}
		return exactly(seen+1, done)
	case perhaps:
		if c.always {
			return expectation{[]kind{notSent, unknown}, seen, seen * attempts}
		}
		return expectation{[]kind{done, unknown}, seen, seen + 1}
	case lost:
		return exactly(seen, unknown)
	case refusal:
		return exactly(1, refused)
	case foreign:
		if bare(c.op) {
			return exactly(1, byOther, refused, slowed)
		}
		return exactly(1, byOther)
	case quota:
		if c.always {
			return expectation{[]kind{limited}, 1, 10}
		}
		return exactly(2, done)
	case throttled:
		return exactly(1, slowed)
	case redirected:
		if status := c.fault.is.Status; status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect {
			return exactly(1, redirect)
		}
		return exactly(1, unknown)
	case unreadable:
		return exactly(1, unknown)
	case odd:
		if c.fault.name == "reply/success 0" { // it says no, if nothing else in it says yes
			return exactly(1, done, unknown, refused)
		}
		return exactly(1, done, unknown)
	default:
		return exactly(1, refused, unknown)
	}
}

func expectedOfRepeatable(c *cell) expectation {
	seen := 1
	if c.fault.unseen() {
		seen = 0
	}
	// net/http may repeat by itself what does no harm.
	again := func(kinds ...kind) expectation {
		if c.always && c.fault.is.RawStatus != "" && c.proto == "HTTP/1.1" {
			// The server hangs up after such a reply: an attempt may take the
			// connection that is ending, and not be seen.
			return expectation{kinds, seen, seen * (attempts + 4)}
		}
		if c.always {
			return expectation{kinds, seen * attempts, seen * (attempts + 4)}
		}
		return expectation{[]kind{done}, seen + 1, seen + 2}
	}
	switch s := c.fault.signalFor(c); s {
	case answered:
		return exactly(1, done)
	case perhaps:
		e := again(notSent)
		e.least = min(e.least, 1) // net/http may notice in time
		return e
	case nothing:
		return again(notSent)
	case lost:
		if c.passesOn() {
			return exactly(1, bad)
		}
		return again(c.causes()...)
	case refusal:
		return exactly(1, refused)
	case foreign:
		if bare(c.op) {
			return expectation{[]kind{done, byOther, refused, slowed}, 1, attempts}
		}
		return again(byOther)
	case quota:
		switch {
		case c.op.Class == ryze.RateBypass: // there is nothing to wait for
			return exactly(1, limited)
		case c.always:
			return expectation{[]kind{limited}, 1, 10}
		}
		return exactly(2, done)
	case throttled:
		return again(slowed)
	case redirected:
		return exactly(1, redirect)
	case unreadable:
		return exactly(1, bad)
	case odd:
		return exactly(1, done, bad, refused)
	default:
		return exactly(1, refused)
	}
}

// passesOn reports whether a part of the reply has reached the caller when it
// breaks off: media go straight to his writer, and cannot be had twice.
func (c *cell) passesOn() bool {
	is := c.fault.is
	return c.op.ID == "chat.message.media_base64" && is.RawStatus == "" && (is.Drop == ryzetest.HalfReply || is.Drop == ryzetest.StalledReply)
}

// causes are how the last of several attempts that came to nothing is told.
func (c *cell) causes() []kind {
	is := c.fault.is
	switch {
	case is.RawStatus != "":
		return []kind{notSent, byOther, refused} // the service's words under a status that HTTP does not have
	case is.Status != 0 && c.fault.foreignReply() && bare(c.op):
		return []kind{byOther, refused}
	case is.Status != 0 && c.fault.foreignReply():
		return []kind{byOther}
	case is.Status != 0:
		return []kind{refused}
	case c.fault.cuts(): // a second removal is refused, and that refusal cut
		return []kind{bad, byOther}
	default:
		return []kind{notSent}
	}
}
