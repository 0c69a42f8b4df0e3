package ryze

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// CallStatus is the stage of a call. The set is open.
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

// CallEvent is a step in the signalling of a call. The service documents the
// values of Status and no field name at all, so the fields below are read under
// the names that the other events use, and may all be empty: Data holds the
// whole.
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
	for c := data.Members(); c.Next(); {
		switch string(c.Key) {
		case "id":
			setString(&call.ID, c.Val)
		case "status":
			status = CallStatus(c.Val.Text())
		case "type":
			kind = CallStatus(c.Val.Text())
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

func isCallStatus(s CallStatus) bool {
	switch s {
	case CallOffer, CallAccepted, CallRejected, CallTerminated, CallNotification, CallLatency:
		return true
	default:
		return false
	}
}
