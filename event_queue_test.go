package ryze

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// queued returns what comes out of a queue that an event was put into.
func queued(t *testing.T, e *Event) *Event {
	t.Helper()
	text, err := json.Marshal(e)
	require.NoError(t, err)
	back := Event{Instance: "left over", Raw: json.RawMessage(`{}`)}
	require.NoError(t, json.Unmarshal(text, &back))
	var list []Event // by value, and indented by somebody on the way
	indented, err := json.MarshalIndent([]Event{*e}, "", "  ")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(indented, &list))
	require.Equal(t, back, list[0])
	return &back
}

func eachFixture(t *testing.T, do func(name string, body []byte)) {
	t.Helper()
	n := 0
	require.NoError(t, filepath.WalkDir("testdata/events", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		do(path, body)
		n++
		return err
	}))
	require.Greater(t, n, 70)
}

func TestEventSurvivesAQueue(t *testing.T) {
	check := func(name string, body []byte) {
		e := parse(t, body)
		back := queued(t, e)
		assert.Equal(t, e, back, name)
		assert.Equal(t, string(e.Raw), string(back.Raw), "byte by byte")
		assert.Equal(t, e.DedupeKey(), back.DedupeKey(), name)
		assert.Equal(t, e.At(), back.At(), name)
		text, err := json.Marshal(e)
		require.NoError(t, err)
		for _, secret := range []string{fixtureToken, "internal.example.net", "qr-code-secret", "aGVsbG8"} {
			assert.NotContains(t, string(text), secret)
			if secret == fixtureToken {
				assert.NotContains(t, string(back.Raw), secret)
			}
		}
		if m, ok := e.Data.(*MessageEvent); ok && m.Media != nil && m.Media.HasBytes() {
			want, err := m.Media.Bytes()
			require.NoError(t, err)
			got, err := back.Data.(*MessageEvent).Media.Bytes()
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		var direct Event // what the service delivers is read as well
		require.NoError(t, json.Unmarshal(body, &direct))
		assert.Equal(t, e.Data, direct.Data, name)
		assert.Equal(t, e.DedupeKey(), direct.DedupeKey(), name)
		assert.NotContains(t, string(direct.Raw), fixtureToken)
	}
	eachFixture(t, check)
	for _, body := range []string{
		`{"event":"x","data":null}`, `{"event":"x","instanceData":{}}`, `{"event":"message.exchange","data":"text"}`, `{"event":"message.exchange","data":{}}`,
		" {\"event\" :\"x\",\n\t\"data\":{\"n\":1.50e+2,\"s\":\"\\u00e9\\/<>&\u2028\"},\"data\":{\"a\":1} } ", `{"event":"ryze.gap","data":{"reason":"outage"}}`,
		`{"event":"x","data":{"raw":"eyJ9","gap":{},"made":{},"kind":"message"}}`, `{"event":"a\nb","data":7,"instanceData":{"instance":"c\"d"}}`,
		"{\"event\":\"x\",\"data\":\"not UTF-8: \xff\xfe\"}",
	} {
		check(body, []byte(body))
	}
	e := parse(t, []byte(`{"event":"x"}`)) // its own JSON form has no more
	assert.Equal(t, e, queued(t, e))
	e.Instance = "named by the application"
	assert.Equal(t, e, queued(t, e))
}

func TestGapSurvivesAQueue(t *testing.T) {
	from := time.Date(2026, 4, 28, 10, 30, 5, 123456789, time.UTC)
	_, unreadable := ParseEvent([]byte(`<html>`))
	for name, gap := range map[string]GapEvent{
		"outage":     {From: from, To: from.Add(time.Minute), Reason: GapOutage, Cause: errors.New("connection reset by peer")},
		"overflow":   {From: from, To: from.Add(time.Second), Reason: GapOverflow, Dropped: 7},
		"unreadable": {From: from, To: from, Reason: GapUnreadable, Cause: unreadable},
		"new":        {From: from, Reason: "new"},
		"zero":       {},
	} {
		e := &Event{Type: EventGap, Instance: "support-line", Data: &gap}
		back := queued(t, e)
		assert.Equal(t, e, back, name)
		assert.Equal(t, e.DedupeKey(), back.DedupeKey())
		assert.Equal(t, e.At(), back.At())
		assert.Nil(t, back.Raw)
		assert.Equal(t, back, queued(t, back))
	}
	back := queued(t, &Event{Type: EventGap, Data: &GapEvent{Reason: GapUnreadable, Cause: fmt.Errorf("stream: %w", unreadable)}})
	var reason *ResponseError
	require.ErrorAs(t, back.Data.(*GapEvent).Cause, &reason)
	require.ErrorIs(t, reason, ErrBadResponse)
	here := time.Now().In(time.FixedZone("", -3*3600))
	back = queued(t, &Event{Type: EventGap, Data: &GapEvent{From: here, To: here}})
	assert.Equal(t, time.UTC, back.Data.(*GapEvent).From.Location())
	assert.True(t, here.Equal(back.At()))
}

// An event that was made, as in a test of an application, or is not even that.
func TestMadeEventsSurviveAQueue(t *testing.T) {
	at := time.Date(2026, 4, 28, 10, 30, 5, 0, time.UTC)
	for name, e := range map[string]*Event{
		"zero":     {},
		"typeless": {Data: &MessageEvent{ID: "A"}},
		"nil data": {Type: EventMessage, Instance: "i"},
		"message": {Type: EventMessage, Instance: "i", Data: &MessageEvent{ID: "A", Timestamp: at, Chat: EventChat{JID: anaFull}, Sender: EventUser{Name: "Ana"}, Type: MessageText,
			Text: "<hi>", Mentions: []JID{anaFull}, Recipient: &EventUser{JID: anaFull}, Reaction: &EventReaction{Emoji: "👍"}, Media: &EventMedia{Kind: MediaImage, MIMEType: "image/png"}}},
		"receipt":     {Type: EventReceipt, Data: &ReceiptEvent{MessageIDs: []string{"A"}, Status: StatusRead, Timestamp: at}},
		"call":        {Type: EventCall, Data: &CallEvent{ID: "A", Data: json.RawMessage(`{"a":1}`)}},
		"empty call":  {Type: EventCall, Data: &CallEvent{ID: "A"}},
		"group":       {Type: EventGroup, Data: &GroupEvent{Change: GroupJoined, Participants: []EventUser{{JID: anaFull}}}},
		"state":       {Type: EventInstanceState, Data: &InstanceStateEvent{State: InstanceConnected, RawState: "connected"}},
		"label":       {Type: EventLabel, Data: &LabelEvent{Change: LabelChat, Labeled: new(true), Color: new(7)}},
		"unknown":     {Type: "x", Data: &UnknownEvent{Data: json.RawMessage(`{"a":1}`)}},
		"unknown nil": {Type: "x", Data: &UnknownEvent{}},
	} {
		back := queued(t, e)
		assert.Equal(t, e, back, name)
		assert.Equal(t, e.DedupeKey(), back.DedupeKey(), name)
	}
	qr := queued(t, &Event{Type: EventInstanceState, Data: &InstanceStateEvent{State: InstanceQRReady, Codes: []Secret{"2@secret"}}})
	assert.Empty(t, qr.Data.(*InstanceStateEvent).Codes, "neither the code nor what is printed for it")
	text, err := json.Marshal([]*Event{nil, {Type: EventMessage, Data: (*MessageEvent)(nil)}, {Type: EventGap, Data: (*GapEvent)(nil)}})
	require.NoError(t, err)
	var back []*Event
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, []*Event{nil, {Type: EventMessage}, {Type: EventGap}}, back)
}

func TestWhatIsNoQueuedEventIsAnError(t *testing.T) {
	for _, text := range []string{
		`7`, `"x"`, `[]`, `{"event":7}`, `{"raw":"!"}`, `{"raw":7}`, `{"raw":"e30="}`, `{"raw":"eA=="}`, `{"gap":7}`, `{"gap":{"from":"x"}}`,
		`{"kind":"message","made":7}`, `{"kind":"message","made":"Nw=="}`, `{"kind":"message","made":"eyJJRCI6N30="}`, `{"event":"","data":{}}`, `{"data":{}}`,
	} {
		e := Event{Type: "before"}
		require.Error(t, json.Unmarshal([]byte(text), &e), text)
	}
	e := Event{Type: "before"}
	require.NoError(t, json.Unmarshal([]byte(`null`), &e))
	assert.Equal(t, EventType("before"), e.Type)
}

func FuzzQueuedEvent(f *testing.F) {
	for _, s := range []string{`{"event":"x","raw":"e30="}`, `{"event":"ryze.gap","gap":{"from":"2026-04-28T10:30:05Z","cause":"x"}}`, `{"kind":"call","made":"eyJEYXRhIjpudWxsfQ=="}`, `{"event":"message.exchange","data":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Event
		if json.Unmarshal(b, &e) != nil {
			return
		}
		back := queued(t, &e)
		assert.Equal(t, e.DedupeKey(), back.DedupeKey())
		assert.Equal(t, string(e.Raw), string(back.Raw))
	})
}
