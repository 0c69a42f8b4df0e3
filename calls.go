package ryze

import (
	"context"
	"time"
)

// CallsService places calls to people. It cannot hang up, call a group, or tell
// whether somebody answered. [Settings] decides about incoming calls.
type CallsService service

// PlacedCall is a call that was placed. It does not tell whether somebody
// answered.
type PlacedCall struct {
	Meta `json:"-"`

	ID       string
	Phone    JID
	Duration time.Duration // of the ringing, for [CallsService.Ring]
}

type callReply struct {
	envelope
	CallID   wireID      `json:"callId"`
	Number   stringOrInt `json:"number"`
	Duration wireSeconds `json:"duration"`
}

func (h handle) placeCall(ctx context.Context, op *Operation, phone JID, in input) (*PlacedCall, error) {
	in.to, in.hint = phone, "the call may have been placed"
	r, err := fetchChecked(ctx, h, op, in, func(r *callReply) string {
		if r.CallID == "" {
			return "the reply has no call id"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return &PlacedCall{
		Meta: r.Meta, ID: string(r.CallID), Phone: eventJID(string(r.Number), ChatPrivate),
		Duration: time.Duration(r.Duration),
	}, nil
}

const (
	defaultRing = 8 * time.Second // the service's own
	longestRing = 60 * time.Second
)

// Ring calls a phone without sound and hangs up after d. Limits: 1 to 60
// seconds, rounded up to whole seconds; zero means 8. The call's time limit
// includes d.
//
// With [ErrOutcomeUnknown] the phone may have rung.
//
// POST /api/call/fake/:instance. Not safe to repeat.
func (s *CallsService) Ring(ctx context.Context, phone JID, d time.Duration) (*PlacedCall, error) {
	if err := phone.check("phone", phones); err != nil {
		return nil, err
	}
	if d < 0 || d > longestRing {
		return nil, invalid("duration", "is "+d.String()+", which is not between 1 and 60 s, or zero for the default")
	}
	body := map[string]any{"number": phone.wire()}
	if d > 0 {
		body["duration"] = wholeSeconds(d)
	}
	return s.h.placeCall(ctx, opCallFake, phone, input{body: body, patient: max(d, defaultRing)})
}

type audioCallBody struct {
	Number   string `json:"number"`
	MediaURL string `json:"mediaUrl,omitempty"`
}

// PlayAudio calls a phone and plays an mp3, ogg, wav or m4a after the answer.
// The audio is a [MediaURL] or a file. Its limits are not known; see
// docs/service-notes.md.
//
// With [ErrOutcomeUnknown] the call may have been placed.
//
// POST /api/call/audio/:instance. Not safe to repeat.
func (s *CallsService) PlayAudio(ctx context.Context, phone JID, audio MediaSource) (*PlacedCall, error) {
	const field = "audio"
	if err := phone.check("phone", phones); err != nil {
		return nil, err
	}
	body := audioCallBody{Number: phone.wire(), MediaURL: audio.url}
	if audio.url != "" {
		if _, err := checkMediaURL(field, audio.url); err != nil {
			return nil, err
		}
		return s.h.placeCall(ctx, opCallAudio, phone, input{body: body})
	}
	if _, err := audio.head(ctx, field, opCallAudio.Timeout); err != nil {
		return nil, err
	}
	stream, err := uploadOf(audio.file, body, "mediaBase64", "")
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	return s.h.placeCall(ctx, opCallAudio, phone, input{stream: stream})
}
