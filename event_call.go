package ryze

import (
	"encoding/json"
	"time"
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

func readCall(data jsonValue) *CallEvent {
	call := &CallEvent{Data: json.RawMessage(data)}
	var status, kind CallStatus
	for c := data.members(); c.next(); {
		switch string(c.key) {
		case "id":
			setString(&call.ID, c.val)
		case "status":
			status = CallStatus(c.val.str())
		case "type":
			kind = CallStatus(c.val.str())
		case "timestamp":
			call.Timestamp = readTime(c.val)
		case "chat":
			call.Chat = readChat(c.val).withAddress()
		}
	}
	call.Status = first(status, kind)
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
