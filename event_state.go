package ryze

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// InstanceState is a state of the connection between an instance and
// WhatsApp. The set is open.
type InstanceState string

// States of an instance. The events and the list of instances spell some of
// them differently; both are read into these.
const (
	InstanceConnected              InstanceState = "connected"
	InstanceConnecting             InstanceState = "connecting"
	InstanceDisconnected           InstanceState = "disconnected"
	InstanceClosed                 InstanceState = "closed"     // reported for an instance that was never paired, or whose QR code ran out
	InstanceLoggedOut              InstanceState = "logged_out" // pair again
	InstanceBanned                 InstanceState = "banned"
	InstanceTempBanned             InstanceState = "temp_banned"
	InstanceQRReady                InstanceState = "qr_ready"
	InstancePairSuccess            InstanceState = "pair_success"
	InstancePairError              InstanceState = "pair_error"
	InstanceQRScannedNoMultidevice InstanceState = "qr_scanned_no_multidevice"
	InstanceStreamReplaced         InstanceState = "stream_replaced" // the session was opened elsewhere
	InstanceStreamError            InstanceState = "stream_error"
	InstanceClientOutdated         InstanceState = "client_outdated"
	InstanceConnectFailure         InstanceState = "connect_failure"
	InstanceCATRefreshError        InstanceState = "cat_refresh_error"
	InstanceKeepaliveTimeout       InstanceState = "keepalive_timeout"
	InstanceKeepaliveRestored      InstanceState = "keepalive_restored"
	InstanceManualReconnect        InstanceState = "manual_reconnect"
	InstanceOpen                   InstanceState = "open" // seen in the list of instances
)

// ParseInstanceState reads a state in any of the service's spellings: the list
// of instances says loggedout and qr where events say logged_out and qr_ready,
// and a QR code that was made is the QR state. Case does not count, and neither
// do blanks, hyphens and underscores in the states that have a constant here.
// A state that is not known is returned in lower case and otherwise as it is.
func ParseInstanceState(s string) InstanceState {
	s = strings.ToLower(strings.TrimSpace(s))
	if state, ok := instanceStates[wordsTogether.Replace(s)]; ok {
		return state
	}
	return InstanceState(s)
}

var wordsTogether = strings.NewReplacer(" ", "", "-", "", "_", "")

// instanceStates are the known states by their spellings in one word.
var instanceStates = func() map[string]InstanceState {
	spellings := map[string]InstanceState{
		"close":           InstanceClosed,
		"qr":              InstanceQRReady,
		"qrcode":          InstanceQRReady,
		"qrcodeready":     InstanceQRReady,
		"qrgenerated":     InstanceQRReady,
		"qrcodegenerated": InstanceQRReady,
	}
	for _, state := range []InstanceState{
		InstanceConnected, InstanceConnecting, InstanceDisconnected, InstanceClosed, InstanceLoggedOut, InstanceBanned,
		InstanceTempBanned, InstanceQRReady, InstancePairSuccess, InstancePairError, InstanceQRScannedNoMultidevice,
		InstanceStreamReplaced, InstanceStreamError, InstanceClientOutdated, InstanceConnectFailure, InstanceCATRefreshError,
		InstanceKeepaliveTimeout, InstanceKeepaliveRestored, InstanceManualReconnect, InstanceOpen,
	} {
		spellings[wordsTogether.Replace(string(state))] = state
	}
	return spellings
}()

// isOnline reports whether an instance in this state is connected to WhatsApp.
func (s InstanceState) isOnline() bool { return s == InstanceConnected || s == InstanceOpen }

// InstanceStateEvent is a change of an instance's connection. Reasons and
// expiry times of bans and failures are not documented; see [Event.Lookup].
//
// Some deployments have delivered this event to webhooks without the
// configured Authorization header: take it as a hint to ask for the state, not
// as proof of it.
type InstanceStateEvent struct {
	State     InstanceState // in the spelling of the constants
	RawState  string        // as received
	Timestamp time.Time
	JID       JID // the paired number, when given
	// Codes are the texts of QR codes, for InstanceQRReady. Whoever has one while
	// it is valid can pair the number: show it, do not log it or hand it to a
	// service that draws codes.
	Codes []Secret
}

// Format implements [fmt.Formatter]: with any verb, no secret is printed.
func (e InstanceStateEvent) Format(f fmt.State, verb rune) {
	type plain InstanceStateEvent
	formatPlain(f, verb, plain(e))
}

func readInstanceState(data jsonscan.Value) *InstanceStateEvent {
	e := &InstanceStateEvent{}
	status := ""
	for c := data.Members(); c.Next(); {
		switch string(c.Key) {
		case "state":
			setString(&e.RawState, c.Val)
		case "status": // read by old clients, unproven
			setString(&status, c.Val)
		case "timestamp":
			e.Timestamp = readTime(c.Val)
		case "jid":
			e.JID = readUser(c.Val).withAddress().JID
		case "codes":
			e.Codes = nil
			if code := c.Val.Text(); code != "" {
				e.Codes = append(e.Codes, Secret(code))
			}
			for code := c.Val.Elements(); code.Next(); {
				if s := code.Val.Text(); s != "" {
					e.Codes = append(e.Codes, Secret(s))
				}
			}
		}
	}
	e.RawState = cmp.Or(e.RawState, status)
	e.State = ParseInstanceState(e.RawState)
	return e
}
