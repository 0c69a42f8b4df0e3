package ryzetest

import (
	"slices"
	"time"
)

// eventNames are the six events that a channel can be asked for.
var eventNames = []string{"message.exchange", "message.status", "call.update", "group.flow", "instance.state", "label.update"}

// localZone is the offset of the timestamps of the live layout.
var localZone = time.FixedZone("", -3*60*60)

// stamp writes a time as the service does.
func (s *Server) stamp(t time.Time) string {
	if s.cfg.layout == LayoutDocumented {
		return utc(t)
	}
	return t.In(localZone).Format(time.RFC3339)
}

// eventJID writes a JID as events do.
func (s *Server) eventJID(jid string) string {
	if user, server := splitJID(jid); s.cfg.layout == LayoutDocumented && server == serverUser {
		return user
	}
	return jid
}

// Emit sends an event with your data to each channel that wants it: for unknown
// or malformed events, and events that the simulator does not play. It does not
// check the name.
func (i *Instance) Emit(event string, data any) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.emit(event, func(bool) any { return data })
}

// emit sends an event to the webhooks and streams that want it. data builds
// the event's data, with or without the base64 of its media; it is not called
// when nobody listens. The caller holds the lock.
func (i *Instance) emit(event string, data func(withMedia bool) any) {
	if i.deleted() {
		return
	}
	var rendered [2][]byte
	render := func(withMedia bool) []byte {
		k := 0
		if withMedia {
			k = 1
		}
		if rendered[k] == nil {
			rendered[k] = i.envelope(event, data(withMedia))
		}
		return rendered[k]
	}
	for _, h := range i.hooks {
		if h.enabled && wants(h.events, event) {
			h.enqueue(event, render(h.mediaBase64))
		}
	}
	if i.stream == nil || !i.stream.enabled || !wants(i.stream.events, event) {
		return
	}
	for so := range i.sockets {
		so.push(frame{event, render(i.stream.mediaBase64)})
	}
}

// envelope puts around data what the service puts around it.
func (i *Instance) envelope(event string, data any) []byte {
	return encode(obj{
		"event":        event,
		"data":         data,
		"instanceData": obj{"baseUrl": i.s.URL, "instance": i.name, "token": i.token},
	})
}

// wants tells whether a filter lets an event through; an empty one lets all.
func wants(filter []string, event string) bool {
	return len(filter) == 0 || slices.Contains(filter, event)
}

// announce emits the message.exchange of a message. The caller holds the lock.
func (i *Instance) announce(m *Message) {
	shot := *m // the message may change before somebody renders the event
	i.emit("message.exchange", func(withMedia bool) any { return i.exchange(&shot, withMedia) })
}
