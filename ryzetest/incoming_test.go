package ryzetest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestIncomingMessagesInBothLayouts compares, for each kind of message, the
// part of the event that carries it.
func TestIncomingMessagesInBothLayouts(t *testing.T) {
	ana := "5511987654321"
	tests := []struct {
		name             string
		in               Incoming
		live, documented string // members of data.message
	}{
		{"text", Incoming{Text: "hi"},
			`{"type":"text","content":"hi","source":"","isForwarded":false,"isEdit":false,"edit":null,"context":null,"media":null,"reaction":null,"interactive":null}`,
			`{"type":"text","content":{"text":"hi"}}`},
		{"voice note", Incoming{Media: &File{Data: []byte("OggS"), MIME: "audio/ogg; codecs=opus", Voice: true}},
			`{"type":"audio","content":"","media":{"type":"audio","mimetype":"audio/ogg; codecs=opus","isVoiceNote":true,"fileSize":4,"base64":"T2dnUw=="}}`,
			`{"type":"audio","media":{"type":"ptt","mimetype":"audio/ogg; codecs=opus","base64":"T2dnUw=="}}`},
		{"document", Incoming{Text: "cap", Media: &File{Data: []byte("%PDF-1"), FileName: "a.pdf"}},
			`{"type":"document","content":"","media":{"type":"document","mimetype":"application/pdf","fileName":"a.pdf","caption":"cap"}}`,
			`{"type":"document","media":{"type":"document","fileName":"a.pdf","caption":"cap"}}`},
		{"location", Incoming{Location: &Location{Latitude: -23.5, Longitude: -46.6, Address: "Street 1"}},
			`{"type":"location","location":{"latitude":-23.5,"longitude":-46.6,"address":"Street 1"}}`,
			`{"type":"location","location":{"latitude":-23.5,"longitude":-46.6,"address":"Street 1"}}`},
		{"contact", Incoming{Card: &ContactCard{Name: "Bo", Phone: "1", VCard: "V"}},
			`{"type":"contact","contact":{"display_name":"Bo","phone_number":"1","vcard":"V"}}`,
			`{"type":"contact","contact":{"display_name":"Bo","phone_number":"1","vcard":"V"}}`},
		{"poll", Incoming{Poll: &Poll{Question: "When?", Options: []string{"now"}}},
			`{"type":"poll","poll":{"title":"When?","options":[{"name":"now"}]}}`,
			`{"type":"poll","poll":{"title":"When?","options":[{"name":"now"}]}}`},
		{"reaction", Incoming{Reaction: &Reaction{Emoji: "+", MessageID: "M"}},
			`{"type":"reaction","reaction":{"text":"+","message_id":"M"}}`,
			`{"type":"reaction","reaction":{"text":"+","message_id":"M"}}`},
		{"button", Incoming{Answer: &Answer{Kind: AnswerButton, ID: "b:1", Title: "Yes"}},
			`{"type":"buttons_response","content":"","context":null,"interactive":{"selectedButtonId":"b:1"}}`,
			`{"type":"button_response","button_response":{"title":"Yes","selected_button_id":"b:1"}}`},
		{"list", Incoming{Answer: &Answer{Kind: AnswerList, ID: "row-1", Title: "Row one"}},
			`{"type":"list_response","content":"","interactive":{"selectedReply":{"selectedRowID":"row-1"},"title":"Row one"}}`,
			`{"type":"list_response","list_response":{"title":"Row one","single_select_reply":{"option_name":"row-1"}}}`},
		{"carousel", Incoming{Answer: &Answer{Kind: AnswerCarousel, ID: "c:1", Card: 2}},
			`{"type":"template_button_reply","interactive":{"selectedButtonId":"c:1","selectedCarouselCardIndex":2}}`,
			`{"type":"template_button_reply","interactive":{"selectedButtonId":"c:1"}}`},
		{"form", Incoming{Answer: &Answer{Kind: AnswerForm, ID: "flow", Values: map[string]any{"name": "Ana"}}},
			`{"interactive":{"flow_token":"flow","name":"Ana"}}`,
			`{"interactive":{"flow_token":"flow","name":"Ana"}}`},
		{"tap as text", Incoming{Answer: &Answer{Kind: AnswerText, ID: "b:1"}},
			`{"type":"text","content":"b:1","interactive":null}`,
			`{"type":"text","content":{"text":"b:1"}}`},
		{"edit", Incoming{Edit: "M1", Text: "better", ID: "E1"},
			`{"type":"message_edit","content":"better","isEdit":true,"edit":{"original_id":"M1","text":"better"}}`,
			`{"id":"E1","type":"message_edit","edit":{"original_id":"M1","text":"better"}}`},
		{"revoke", Incoming{Revoke: "M1"},
			`{"type":"message_revoke","isEdit":false}`,
			`{"id":"M1","type":"message_revoke"}`},
		{"patch", Incoming{Text: "x", Patch: map[string]any{"content": "{}", "media": map[string]any{"mime": "a/b"}}},
			`{"content":"{}","media":{"mime":"a/b"}}`,
			`{"content":"{}","media":{"mime":"a/b"}}`},
	}
	for _, layout := range []Layout{LayoutLive, LayoutDocumented} {
		s, c := start(t, WithLayout(layout), WithRateLimit(1000))
		i := s.AddInstance("a")
		i.Pair("5511900000001")
		c.do("POST", "/api/events/websocket/a", `{"enabled":true,"mediaBase64":true}`)
		conn := dial(t, s, "a", i.Token())
		s.AddContact(Contact{Phone: ana, LID: "123@lid", Name: "Ana"})
		for _, tt := range tests {
			t.Run(string(layout)+" "+tt.name, func(t *testing.T) {
				tt.in.From = ana
				id := i.Receive(tt.in)
				require.NotEmpty(t, id)
				got := readEvent(t, conn)
				assert.Equal(t, "message.exchange", got.at("event"))
				assert.Equal(t, id, got.at("data", "id"))
				text := tt.live
				if layout == LayoutDocumented {
					text = tt.documented
				}
				var want map[string]any
				require.NoError(t, json.Unmarshal([]byte(text), &want))
				message := got.at("data", "message").(map[string]any)
				assertHolds(t, want, message)

				who := got.at("data").(map[string]any)
				if layout == LayoutDocumented {
					who = message
					assert.Equal(t, ana, got.at("data", "message", "chat", "jid"), "bare digits")
					assert.Regexp(t, "Z$", who["timestamp"])
				} else {
					assert.Equal(t, map[string]any{"jid": ana + "@s.whatsapp.net", "lid": "123@lid", "name": "Ana", "type": "private"}, who["chat"])
					assert.Contains(t, who, "recipient")
					assert.Regexp(t, "-03:00$", who["timestamp"])
				}
				assert.Equal(t, "incoming", who["direction"])
				assert.Equal(t, "Ana", who["sender"].(map[string]any)["name"])
			})
		}
	}
}

// assertHolds checks that got has every member of want; objects are compared
// member by member.
func assertHolds(t *testing.T, want, got map[string]any) {
	t.Helper()
	for k, v := range want {
		if o, ok := v.(map[string]any); ok {
			inner, _ := got[k].(map[string]any)
			assertHolds(t, o, inner)
			continue
		}
		assert.Contains(t, got, k)
		assert.Equal(t, v, got[k], k)
	}
}

func TestWhatCustomersDoChangesTheStore(t *testing.T) {
	s, c := start(t)
	i := s.AddInstance("a")
	assert.Empty(t, i.Receive(Incoming{From: "5511987654321", Text: "nobody is paired"}))
	i.Pair("5511900000001")
	id := i.Receive(Incoming{From: "5511987654321", Name: "Ana", Text: "one"})
	i.Receive(Incoming{From: "5511987654321", Edit: id, Text: "two"})
	m, ok := i.Message(id)
	require.True(t, ok)
	assert.Equal(t, "two", m.Text)
	assert.True(t, m.Edited)
	assert.Equal(t, "received", m.Status)
	i.Receive(Incoming{From: "5511987654321", Revoke: id})
	m, _ = i.Message(id)
	assert.True(t, m.Revoked)
	assert.Len(t, i.Messages(), 1)

	i.Disconnect()
	waiting := i.Receive(Incoming{From: "5511987654321", Text: "are you there?"})
	_, ok = i.Message(waiting)
	assert.False(t, ok, "WhatsApp keeps it while the connection is lost")
	i.Reconnect()
	_, ok = i.Message(waiting)
	assert.True(t, ok)
	i.Disconnect()
	i.Reconnect()
	assert.Len(t, i.Messages(), 2, "it comes once")

	c.do("POST", "/api/instance/settings/a", `{"ignoreGroupMessages":true,"ignoreStatus":true,"autoReadMessages":true}`)
	assert.Empty(t, i.Receive(Incoming{From: "5511987654321", Group: "120363000000000001@g.us", Text: "x"}))
	assert.Empty(t, i.Receive(Incoming{From: "5511987654321", Group: "status@broadcast", Text: "x"}))
	m, _ = i.Message(i.Receive(Incoming{From: "5511987654321", Text: "x"}))
	assert.Equal(t, "read", m.Status)
}

func TestSenderOfAnEventCanBeHiddenOrInAGroup(t *testing.T) {
	s, c := start(t)
	i := s.AddInstance("a")
	i.Pair("5511900000001")
	i.NameGroup("120363000000000001@g.us", "Team")
	s.AddContact(Contact{Phone: "5511987654321", LID: "123@lid"})
	c.do("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
	conn := dial(t, s, "a", i.Token())

	quoted := i.Receive(Incoming{From: "5511987654321", Name: "Ana", Text: "x", HideNumber: true})
	e := readEvent(t, conn)
	assert.Equal(t, "123@lid", e.at("data", "sender", "jid"))
	assert.Equal(t, "123@lid", e.at("data", "chat", "jid"))

	i.Receive(Incoming{From: "123@lid", Group: "120363000000000001@g.us", Text: "y", ReplyTo: quoted, Mentions: []string{"5511900000001"}})
	e = readEvent(t, conn)
	assert.Equal(t, map[string]any{"jid": "120363000000000001@g.us", "type": "group", "name": "Team"}, e.at("data", "chat"))
	assert.Equal(t, "Ana", e.at("data", "sender", "name"))
	assert.Equal(t, map[string]any{"message_id": quoted, "text": "x"}, e.at("data", "reply"))
	assert.Equal(t, []any{"5511900000001@s.whatsapp.net"}, e.at("data", "mentions", "mentionedUsers"))

	i.TypeOnPhone("5511987654321", Incoming{Text: "by hand"})
	e = readEvent(t, conn)
	assert.Equal(t, "outgoing", e.at("data", "direction"))
	assert.Equal(t, "", e.at("data", "message", "source")) //nolint:testifylint // null would be empty too
	assert.Equal(t, "5511900000001@s.whatsapp.net", e.at("data", "sender", "jid"))
	assert.Equal(t, "5511987654321@s.whatsapp.net", e.at("data", "recipient", "jid"))
}
