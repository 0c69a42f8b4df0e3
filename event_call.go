package ryze

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// CallStatus is the stage of a call. Other values can come.
type CallStatus string

// Stages of a call.
const (
	CallOffer        CallStatus = "offer"
	CallAccepted     CallStatus = "accepted"
	CallRejected     CallStatus = "rejected"
	CallTerminated   CallStatus = "terminated"
	CallNotification CallStatus = "notification"
	CallLatency      CallStatus = "latency"
)

// CallEvent is a step of a call. Only the values of Status are documented:
// other fields may be empty, and Data has everything. See
// docs/service-notes.md.
type CallEvent struct {
	ID        string // data.id
	Status    CallStatus
	Timestamp time.Time
	Chat      EventChat
	Data      json.RawMessage // the member "data" as received
}

func readCall(data jsonscan.Value) *CallEvent {
	call := &CallEvent{Data: json.RawMessage(data)}
	var status, kind CallStatus
	var key foldedKey
	for c := data.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "id":
			setID(&call.ID, c.Val)
		case "status":
			status = readCallStatus(c.Val)
		case "type":
			kind = readCallStatus(c.Val)
		case "timestamp":
			call.Timestamp = readTime(c.Val)
		case "chat":
			call.Chat = readChat(c.Val).withAddress()
		}
	}
	call.Status = cmp.Or(status, kind)
	if !isCallStatus(status) && isCallStatus(kind) {
		call.Status = kind
	}
	return call
}

var callStatuses = []CallStatus{CallOffer, CallAccepted, CallRejected, CallTerminated, CallNotification, CallLatency}

func readCallStatus(v jsonscan.Value) CallStatus { return knownWord(v.Text(), callStatuses...) }

func isCallStatus(s CallStatus) bool { return slices.Contains(callStatuses, s) }
