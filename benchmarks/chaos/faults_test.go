package chaos

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const (
	http1 = "HTTP/1.1"
	http2 = "HTTP/2.0"
)

// forever is more often than any call tries.
const forever = 1 << 20

// fault is something that goes wrong with one attempt, or with all.
type fault struct {
	name string
	over []string
	is   ryzetest.Fault
	// Faults of connections are set by play, times attempts long, instead of is.
	// The request that they strike is not seen by the server.
	play   func(sim *ryzetest.Server, times int)
	signal func(proto string) signal
	// Only on a connection that was used before, only on a new one, and only
	// once, because what is tried next is well again.
	warm, cold, once bool
}

func (f *fault) unseen() bool { return f.play != nil }

// strikes reports whether the fault has a cell for a used or for a new connection.
// Where the connection lives on it makes no difference to a whole reply which of
// them brought it; the cells alternate then.
func (f *fault) strikes(warm bool, cell int) bool {
	switch {
	case f.warm || f.cold:
		return warm == f.warm
	case f.isReply():
		return warm == (cell%2 == 0)
	default:
		return true
	}
}

// isReply reports whether the fault is a reply, and nothing happens to connections.
func (f *fault) isReply() bool {
	return f.play == nil && f.is.Drop == ryzetest.NoDrop && f.is.GoAway == nil && f.name != "none"
}

// silent reports whether the client has to run out of patience.
func (f *fault) silent() bool {
	switch f.is.Drop {
	case ryzetest.NeverAnswer, ryzetest.Freeze, ryzetest.StalledReply:
		return true
	}
	return strings.Contains(f.name, "silent") || strings.Contains(f.name, "frozen")
}

// waits reports whether a call of the fault spends its time with waiting.
func (f *fault) waits() bool {
	return f.silent() || f.is.Delay > 0 || f.signalOfReply() == quota
}

func (f *fault) isHuge() bool { return f.is.Padding > 0 }

// faults are those of the simulator's catalogue, and those of connections.
func faults() []fault {
	always := func(s signal) func(string) signal { return func(string) signal { return s } }
	both := []string{http1, http2}
	// A connection is there for HTTP/2 once the handshake of TLS is over.
	unlessTLS := func(s signal) func(string) signal {
		return func(proto string) signal {
			if proto == http2 {
				return nothing
			}
			return s
		}
	}
	list := []fault{
		{name: "none", over: both},
		{
			name: "connection/refused", over: both, cold: true, signal: always(nothing),
			play: func(sim *ryzetest.Server, times int) { sim.RefuseConnections(times) },
		},
		{
			name: "connection/new one reset", over: both, cold: true, signal: unlessTLS(perhaps),
			play: func(sim *ryzetest.Server, times int) { sim.FaultConnections(times, ryzetest.ConnReset) },
		},
		{
			name: "connection/new one silent", over: both, cold: true, signal: unlessTLS(lost),
			play: func(sim *ryzetest.Server, times int) { sim.FaultConnections(times, ryzetest.ConnSilent) },
		},
		{
			name: "connection/used one stale", over: both, warm: true, once: true, signal: always(perhaps),
			play: func(sim *ryzetest.Server, times int) { sim.ResetReused(times) },
		},
		{
			name: "connection/used one closed", over: both, warm: true, once: true, signal: always(perhaps),
			play: func(sim *ryzetest.Server, _ int) { sim.CloseIdleConnections() },
		},
		{
			name: "connection/used one frozen", over: both, warm: true, once: true, signal: always(lost),
			play: func(sim *ryzetest.Server, _ int) { sim.FreezeConnections() },
		},
	}
	for _, c := range ryzetest.Catalogue() {
		f := fault{name: c.Name, over: c.Over, is: c.Fault}
		if s := f.signalOfReply(); (s == nothing || s == quota) && c.Fault.Applies() {
			continue // a peer that lies: it promises that it has done nothing
		}
		list = append(list, f)
	}
	return list
}

// signal is what a client can know of an attempt that met a fault.
type signal int

const (
	answered   signal = iota // it worked
	nothing                  // certainly nobody has carried it out
	perhaps                  // net/http cannot always tell whether that is certain
	lost                     // anything may have become of it
	refusal                  // the service says no
	foreign                  // somebody else says no
	quota                    // the quota is used up
	throttled                // WhatsApp throttles
	redirected               // another address is named
	unreadable               // a success that cannot be read
	odd                      // a success of another shape than is documented
	denied                   // a success that says that it failed
)

// signalOfReply is the signal of the fault itself, as the table has it.
func (f *fault) signalOfReply() signal {
	is := f.is
	switch {
	case is.GoAway != nil && is.GoAway.LastStream < 0:
		return nothing
	case is.Drop == ryzetest.ResetStream && is.Code == ryzetest.H2RefusedStream:
		return nothing
	case is.GoAway != nil && is.Drop == ryzetest.NoDrop:
		return answered
	case is.Drop == ryzetest.DropBeforeRead, is.Read > 0 && is.Drop != ryzetest.NeverAnswer:
		return perhaps
	case is.Drop != ryzetest.NoDrop, is.RawStatus != "", is.Header.Get("Content-Length") == "500":
		return lost
	case is.Status == http.StatusNoContent:
		return odd
	case is.Status == http.StatusTooManyRequests:
		return f.signalOf429()
	case is.Status/100 == 3:
		return redirected
	case is.Status >= 400:
		return f.signalOfRefusal()
	default:
		return f.signalOfSuccess()
	}
}

// foreignReply reports whether a refusal is not in the service's envelope.
func (f *fault) foreignReply() bool { return f.is.Body != "" || f.is.Empty }

func (f *fault) signalOf429() signal {
	switch {
	case f.is.Empty, !f.foreignReply() && (f.is.Message == ryzetest.RateLimited().Message):
		return quota
	case f.foreignReply():
		return foreign
	default:
		return throttled
	}
}

func (f *fault) signalOfRefusal() signal {
	switch status := f.is.Status; {
	case status == http.StatusRequestTimeout || status == 499:
		return lost
	case f.foreignReply() && status >= 500:
		return lost
	case f.foreignReply():
		return foreign
	case status >= 500 && status != http.StatusNotImplemented:
		return lost
	default:
		return refusal
	}
}

// whole are the bodies of the catalogue that are a JSON object. A byte order mark
// before it does not count.
var whole = regexp.MustCompile(`^reply/body "(\\ufeff)?{(\\"success\\":true)?}"$`)

func (f *fault) signalOfSuccess() signal {
	switch {
	case f.name == "reply/success false" || f.name == "reply/error without success":
		return denied
	case f.is.Padding > 0, f.is.Edit != nil, whole.MatchString(f.name):
		return odd
	case f.is.Body != "" || f.is.Empty:
		return unreadable
	default:
		return answered
	}
}

// signalFor is the signal for one cell of the matrix.
func (f *fault) signalFor(c *cell) signal {
	if f.signal != nil {
		return f.signal(c.proto)
	}
	s := f.signalOfReply()
	switch {
	case c.op.ID == "observability.health" && f.is.Status == http.StatusServiceUnavailable && !f.foreignReply():
		return refusal // it is a report, not an outage
	case f.is.GoAway != nil && s == nothing && f.is.GoAway.Code != ryzetest.H2NoError && (c.always || !c.warm):
		// net/http takes an error for the first stream of a connection as
		// final, and does not say which streams the peer has looked at.
		return perhaps
	}
	return s
}

// bare reports whether the operation's refusals have no envelope.
func bare(op *ryze.Operation) bool { return strings.HasPrefix(op.ID, "chatwoot.") }

var (
	codeName   = regexp.MustCompile(`(stream/.*?) (?:[A-Z][A-Z0-9_]{3,}|0x[0-9a-f]+|H2Code\S+|\d+)\b`)
	statusName = regexp.MustCompile(`\b([1-5])\d\d\b`)
	quoted     = regexp.MustCompile(`^(reply/(?:body|status|success)) .*`)
	raw        = regexp.MustCompile(`raw \S+?(/|$)`)
)

// family is the row of the table that a fault belongs to.
func (f *fault) family() string {
	name := quoted.ReplaceAllString(f.name, "$1")
	switch {
	case strings.HasPrefix(name, "stream/"):
		name = codeName.ReplaceAllString(name, "$1")
	case strings.HasPrefix(name, "status/raw"):
		name = raw.ReplaceAllString(name, "raw$1")
	case strings.HasPrefix(name, "rate/"), strings.HasPrefix(name, "status/101 "), strings.HasPrefix(name, "reply/2"):
	default:
		name = statusName.ReplaceAllString(name, "${1}xx")
	}
	return name
}

// cuts reports whether a reply begins and does not end.
func (f *fault) cuts() bool {
	return f.is.Drop == ryzetest.HalfReply || f.is.Drop == ryzetest.StalledReply || f.is.Header.Get("Content-Length") == "500"
}
