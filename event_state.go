package ryze

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// InstanceState is the state of an instance's connection to WhatsApp. Other
// values can come.
type InstanceState string

// States of an instance, in one spelling for events and lists.
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
	InstanceOpen                   InstanceState = "open" // only in the list of instances
)

// ParseInstanceState reads a state in any spelling of the service, such as
// loggedout for logged_out, or qr_ready for qr. Case, blanks, hyphens and
// underscores do not count. An unknown state is returned in lower case.
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

// InstanceStateEvent is a change of an instance's connection. For bans and
// failures see [Event.Lookup]. It can come without the Authorization header:
// use it as a hint to ask for the state. See docs/service-notes.md.
type InstanceStateEvent struct {
	State     InstanceState // in the spelling of the constants
	RawState  string        // as received
	Timestamp time.Time
	JID       JID // the paired number, when given
	// Codes are the texts of QR codes, for InstanceQRReady. Whoever has a valid
	// code can pair the number: show it, never log it or send it elsewhere.
	Codes []Secret
}

// Format implements [fmt.Formatter] without secrets.
func (e InstanceStateEvent) Format(f fmt.State, verb rune) {
	type plain InstanceStateEvent
	formatPlain(f, verb, plain(e))
}

func readInstanceState(data jsonscan.Value) *InstanceStateEvent {
	e := &InstanceStateEvent{}
	status := ""
	var key foldedKey
	for c := data.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
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
