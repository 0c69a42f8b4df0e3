package ryzetest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"
)

const (
	defaultRing = 8 // seconds
	maxRing     = 60
)

// Call is a call that an instance has placed.
type Call struct {
	ID      string    // callId of the reply
	To      string    // JID
	Seconds int       // of ringing, for a fake call
	Audio   *Media    // for an audio call
	At      time.Time // on the server's clock
}

func callRoutes() []route {
	fake := route{
		id: "calls.fake", method: "POST", path: "/api/call/fake/:instance", badBody: badBodyDetail,
		unknown: "instance not found", handle: fakeCall, body: []field{str("number"), integer("duration")},
	}
	audio := route{
		id: "calls.audio", method: "POST", path: "/api/call/audio/:instance", badBody: badBodyDetail,
		unknown: "instance not found", handle: audioCall,
		body:   []field{str("number"), str("mediaUrl"), str("mediaBase64")},
		stream: []string{"mediaUrl", "mediaBase64"},
	}
	return []route{fake, audio}
}

// Calls returns the calls that the instance has placed, in order.
func (i *Instance) Calls() []Call {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	list := make([]Call, len(i.calls))
	for k, placed := range i.calls {
		list[k] = *placed
		if placed.Audio != nil {
			audio := *placed.Audio
			list[k].Audio = &audio
		}
	}
	return list
}

// place rings a phone. It answers at once; whether the service waits until the
// ringing is over is not documented. The caller does not hold the lock.
func (c *call) place(placed Call) (Call, reply, bool) {
	number := c.body.str("number")
	jid, valid := parseNumber(number)
	if _, server := splitJID(jid); !valid || server != serverUser {
		return placed, badNumber(number), true
	}
	s, i := c.s, c.inst
	s.mu.Lock()
	defer s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return placed, res, true
	}
	if res, stop := c.refused(""); stop {
		return placed, res, true
	}
	to, there := s.world.resolve(jid)
	if !there {
		return placed, fail(http.StatusInternalServerError, "number is not on WhatsApp"), true
	}
	placed.ID, placed.To, placed.At = newCallID(), to, s.clock.now()
	i.calls = append(i.calls, &placed)
	i.emitCall("offer", placed)
	if placed.Seconds > 0 {
		s.clock.after(time.Duration(placed.Seconds)*time.Second, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			i.emitCall("terminated", placed)
		})
	}
	return placed, reply{}, false
}

// emitCall emits an event whose fields are an invention. The caller holds the
// lock.
func (i *Instance) emitCall(status string, placed Call) {
	if !i.s.cfg.callEvents || i.state != StateConnected {
		return
	}
	data := obj{
		"status": status, "callId": placed.ID, "timestamp": i.s.stamp(i.s.clock.now()),
		"chat": obj{"jid": i.s.eventJID(placed.To), "type": "private"},
	}
	i.emit("call.update", func(bool) any { return data })
}

func newCallID() string {
	var b [10]byte
	rand.Read(b[:])
	return fmt.Sprintf("%X", b)
}

func fakeCall(c *call) reply {
	if c.body.str("number") == "" {
		return badRequest(textNumberRequired)
	}
	seconds := c.body.int("duration")
	if seconds == 0 {
		seconds = defaultRing
	}
	if seconds < 1 || seconds > maxRing {
		return badRequest("Duration must be between 1 and 60 seconds")
	}
	placed, res, stop := c.place(Call{Seconds: seconds})
	if stop {
		return res
	}
	return ok(obj{
		"message": "Call placed successfully", "callId": placed.ID, "number": c.body.str("number"), "duration": seconds,
	})
}

// audioCall fails with a 500 when the audio is of no use, as the conversion
// would.
func audioCall(c *call) reply {
	if c.body.str("number") == "" {
		return badRequest(textNumberRequired)
	}
	given := 0
	for _, name := range []string{"mediaUrl", "mediaBase64"} {
		if p := c.media[name]; p != nil && !p.empty {
			given++
		}
	}
	if given != 1 {
		return badRequest("Provide exactly one of mediaUrl or mediaBase64")
	}
	audio, err := c.file("audio", "mediaUrl", "mediaBase64")
	if err != nil {
		return fail(http.StatusInternalServerError, err.Error())
	}
	placed, res, stop := c.place(Call{Audio: audio})
	if stop {
		return res
	}
	return ok(obj{"message": "Audio call placed", "callId": placed.ID, "number": c.body.str("number")})
}
