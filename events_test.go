package ryze

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fixtureToken is the instance's token in every fixture.
const fixtureToken = "00000000-0000-0000-0000-00000000beef"

func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "events", name+".json"))
	require.NoError(tb, err)
	return b
}

func fixtures(tb testing.TB, dir string) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "events", dir, "*.json"))
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	all := make(map[string][]byte)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		all[name] = fixture(tb, dir+"/"+name)
	}
	return all
}

func parse(tb testing.TB, b []byte) *Event {
	tb.Helper()
	e, err := ParseEvent(b)
	require.NoError(tb, err)
	require.NotNil(tb, e.Data)
	return e
}

func parseMessage(tb testing.TB, b []byte) *MessageEvent {
	tb.Helper()
	e := parse(tb, b)
	require.IsType(tb, &MessageEvent{}, e.Data)
	return e.Data.(*MessageEvent)
}

// message returns the event of a message whose data.message is given.
func message(content string) []byte {
	return []byte(`{"event":"message.exchange","data":{"id":"3EB0","direction":"incoming","message":` + content + `}}`)
}

// messageFixture is what every message fixture has in common.
func messageFixture(change func(*MessageEvent)) *MessageEvent {
	m := &MessageEvent{
		ID:        "3EB0A1B2C3D4E5F60001",
		Direction: DirectionIncoming,
		Timestamp: time.Date(2026, 4, 28, 10, 30, 0, 0, time.UTC),
		Chat:      EventChat{JID: "5511987654321@s.whatsapp.net", LID: "123456789012345@lid", Name: "Ana Example", Type: ChatPrivate},
		Sender:    EventUser{JID: "5511987654321@s.whatsapp.net", LID: "123456789012345@lid", Name: "Ana Example"},
	}
	change(m)
	return m
}

var wantMessages = map[string]func(*MessageEvent){
	"text": func(m *MessageEvent) { m.Type, m.Text = MessageText, "Hello, \"world\" \U0001F44B" },
	"image": func(m *MessageEvent) {
		m.Type, m.Text = MessageImage, "Look"
		m.Media = &EventMedia{Kind: MediaImage, MIMEType: "image/jpeg", Caption: "Look", URL: "https://cdn.example.net/m1.enc",
			S3URL: "https://bucket.example.com/m1.jpg", encoded: []byte("aGVsbG8=")}
	},
	"voice_note": func(m *MessageEvent) {
		m.Type = MessageAudio
		m.Media = &EventMedia{Kind: MediaAudio, MIMEType: "audio/ogg; codecs=opus", VoiceNote: true, encoded: []byte("data:audio/ogg;base64,T2dnUw==")}
	},
	"video_note": func(m *MessageEvent) {
		m.Type = MessageVideo
		m.Media = &EventMedia{Kind: MediaVideo, MIMEType: "video/mp4", VideoNote: true, URL: "https://cdn.example.net/v.enc"}
	},
	"document": func(m *MessageEvent) {
		m.Type = MessageDocument
		m.Media = &EventMedia{Kind: MediaDocument, MIMEType: "application/octet-stream", FileName: "offer.pdf", FileSize: 1234}
	},
	"sticker": func(m *MessageEvent) {
		m.Type = MessageSticker
		m.Media = &EventMedia{Kind: MediaSticker, MIMEType: "image/webp", URL: "https://cdn.example.net/s.enc"}
	},
	"location": func(m *MessageEvent) {
		m.Type = MessageLocation
		m.Location = &Location{Latitude: -23.55052, Longitude: -46.633308, Name: "Sé", Address: "Praça da Sé"}
	},
	"contact": func(m *MessageEvent) {
		m.Type = MessageContact
		m.Contacts = []EventContact{{Name: "Bia Example", Phone: "+55 11 91234-5678", VCard: "BEGIN:VCARD\nEND:VCARD"}}
	},
	"contacts": func(m *MessageEvent) {
		m.Type = MessageContact
		m.Contacts = []EventContact{{Name: "Bia Example", Phone: "+55 11 91234-5678", VCard: "BEGIN:VCARD\nEND:VCARD"}, {Name: "Caio"}}
	},
	"poll": func(m *MessageEvent) {
		m.Type, m.Poll = MessagePoll, &Poll{Question: "Lunch?", Options: []string{"Yes", "No"}}
	},
	"reaction": func(m *MessageEvent) {
		m.Type, m.Reaction = MessageReaction, &EventReaction{Emoji: "👍", TargetID: "3EB0TARGET"}
	},
	"reaction_removed": func(m *MessageEvent) {
		m.Type, m.Reaction = MessageReaction, &EventReaction{TargetID: "3EB0TARGET"}
	},
	"reply": func(m *MessageEvent) {
		m.Type, m.Text, m.Reply = MessageText, "Fine", &EventReply{MessageID: "3EB0QUOTED", Text: "What do you think?"}
	},
	"mentions": func(m *MessageEvent) {
		m.Type, m.Text = MessageText, "@5511900000001 hi"
		m.Mentions = []JID{"5511900000001@s.whatsapp.net", "987654321098765@lid"}
	},
	"edit": func(m *MessageEvent) {
		m.Type, m.Text, m.Edit = MessageEdit, "Corrected", &EventEdit{OriginalID: "3EB0ORIGINAL", Text: "Corrected"}
	},
	"revoke": func(m *MessageEvent) { m.Type, m.RevokedID = MessageRevoke, "3EB0A1B2C3D4E5F60001" },
	"button": func(m *MessageEvent) {
		m.Type, m.Selection = MessageButtonsResponse, &Selection{Kind: SelectionButton, ID: "order:approve:1"}
	},
	"button_titled": func(m *MessageEvent) {
		m.Type, m.Selection = MessageButtonsResponse, &Selection{Kind: SelectionButton, ID: "order:approve:1", Title: "Approve"}
	},
	"template_button": func(m *MessageEvent) {
		m.Type, m.Selection = MessageTemplateButtonReply, &Selection{Kind: SelectionButton, ID: "order:approve:1"}
	},
	"template_button_in_content": func(m *MessageEvent) {
		m.Type, m.Text = MessageTemplateButtonReply, "order:approve:1"
		m.Selection = &Selection{Kind: SelectionButton, ID: "order:approve:1"}
	},
	"list": func(m *MessageEvent) {
		m.Type, m.Selection = MessageListResponse, &Selection{Kind: SelectionList, ID: "row-1", Title: "Row one"}
	},
	"carousel": func(m *MessageEvent) {
		m.Type, m.Selection = MessageTemplateButtonReply, &Selection{Kind: SelectionCarousel, ID: "buy:2", Title: "Buy", Card: 1}
	},
	"form": func(m *MessageEvent) {
		m.Type, m.Selection = MessageInteractive, &Selection{Kind: SelectionForm, ID: "form-7"}
	},
	"group": func(m *MessageEvent) {
		m.Type, m.Text = MessageText, "hi all"
		m.Chat = EventChat{JID: "120363000000000001@g.us", Name: "Example group", Type: ChatGroup}
	},
	"newsletter": func(m *MessageEvent) {
		m.Type, m.Text = MessageText, "news"
		m.Chat = EventChat{JID: "120363000000000009@newsletter", Name: "Example channel", Type: ChatNewsletter}
	},
	"empty_content": func(m *MessageEvent) { m.Type = "hologram" },
}

func init() {
	wantMessages["image_generic_type"] = wantMessages["image"]
	wantMessages["reaction_key"] = wantMessages["reaction"]
	wantMessages["reply_inside"] = wantMessages["reply"]
	wantMessages["reply_context"] = wantMessages["reply"]
	wantMessages["edit_by_type"] = wantMessages["edit"]
	wantMessages["list_flat"] = wantMessages["list"]
}

func TestBothLayoutsGiveTheSameMessage(t *testing.T) {
	live, documented := fixtures(t, "live"), fixtures(t, "documented")
	require.Len(t, live, len(wantMessages), "a fixture without an expectation")
	require.Len(t, documented, len(wantMessages))
	for name, change := range wantMessages {
		t.Run(name, func(t *testing.T) {
			want := messageFixture(change)
			l, d := parse(t, live[name]), parse(t, documented[name])
			assert.Equal(t, want, l.Data, "live layout")
			assert.Equal(t, want, d.Data, "documented layout")
			assert.Equal(t, l.DedupeKey(), d.DedupeKey())
			for _, e := range []*Event{l, d} {
				assert.Equal(t, EventMessage, e.Type)
				assert.Equal(t, "support-line", e.Instance)
				assert.Equal(t, want.Timestamp, e.At())
			}
		})
	}
}

func TestOuterIdentityWinsAndInnerFillsItsGaps(t *testing.T) {
	m := parseMessage(t, []byte(`{"event":"message.exchange","data":{
		"id":"outer","direction":"incoming","timestamp":"2026-04-28T10:30:00Z",
		"chat":{"jid":"5511900000001","name":null},
		"sender":{"jid":"5511900000001@s.whatsapp.net"},
		"reply":{"message_id":"quoted-outer"},
		"message":{"id":"inner","direction":"outgoing","timestamp":"2020-01-01T00:00:00Z",
			"chat":{"jid":"5511900000001:7@s.whatsapp.net","lid":"1@lid","name":"Ana","type":"private","isCommunity":true},
			"sender":{"jid":"5511999999999","name":"Mallory"},
			"recipient":{"jid":"5511900000002"},
			"reply":{"message_id":"quoted-inner"},"type":"text","content":"hi"}}}`))
	assert.Equal(t, &MessageEvent{
		ID: "outer", Direction: DirectionIncoming, Timestamp: time.Date(2026, 4, 28, 10, 30, 0, 0, time.UTC),
		Chat:      EventChat{JID: "5511900000001@s.whatsapp.net", LID: "1@lid", Name: "Ana", Type: ChatPrivate, IsCommunity: true},
		Sender:    EventUser{JID: "5511900000001@s.whatsapp.net"},
		Recipient: &EventUser{JID: "5511900000002@s.whatsapp.net"},
		Reply:     &EventReply{MessageID: "quoted-outer"},
		Type:      MessageText, Text: "hi",
	}, m, "another person's name must not be put on the sender")
}

func TestSenderOfAPrivateChatIsTheChat(t *testing.T) {
	in := `{"event":"message.exchange","data":{"direction":"incoming","chat":{"jid":"5511987654321","lid":"1@lid","name":"Ana"},"sender":null}}`
	want := EventUser{JID: "5511987654321@s.whatsapp.net", LID: "1@lid", Name: "Ana"}
	assert.Equal(t, want, parseMessage(t, []byte(in)).Sender)
	for old, changed := range map[string]string{"incoming": "outgoing", "5511987654321": "120363000000000001@g.us"} {
		assert.Zero(t, parseMessage(t, []byte(strings.Replace(in, old, changed, 1))).Sender, changed)
	}
}

func TestContentInAnyForm(t *testing.T) {
	for content, want := range map[string]string{
		`"hi"`:                          "hi",
		`""`:                            "",
		`"{}"`:                          "",
		`null`:                          "",
		`{}`:                            "",
		`{"text":"hi"}`:                 "hi",
		`{"text":null}`:                 "",
		`{"other":1,"text":"hi","x":2}`: "hi",
		`["hi"]`:                        "",
		`true`:                          "",
		`42`:                            "",
		`"\u0068\ud83d\udc4b\n"`:        "h👋\n",
		`"half \ud83d pair"`:            "half \uFFFD pair",
		"\"bad \xff utf8\"":             "bad \uFFFD utf8",
	} {
		m := parseMessage(t, message(`{"type":"text","content":`+content+`}`))
		assert.Equal(t, want, m.Text, content)
	}
	assert.Equal(t, "hi", parseMessage(t, message(`"hi"`)).Text, "a message that is only its content")
}

func TestAddressesAreBroughtIntoOneForm(t *testing.T) {
	for in, want := range map[string]EventChat{
		`{"jid":"5511987654321"}`:                               {JID: "5511987654321@s.whatsapp.net", Type: ChatPrivate},
		`{"jid":"5511987654321:12@s.whatsapp.net"}`:             {JID: "5511987654321@s.whatsapp.net", Type: ChatPrivate},
		`"5511987654321"`:                                       {JID: "5511987654321@s.whatsapp.net", Type: ChatPrivate},
		`{"jid":"123456789012345:57@lid"}`:                      {JID: "123456789012345@lid", LID: "123456789012345@lid", Type: ChatPrivate},
		`{"jid":"123456789012345"}`:                             {JID: "123456789012345", Type: ChatPrivate},
		`{"jid":"120363000000000001","type":"group"}`:           {JID: "120363000000000001@g.us", Type: ChatGroup},
		`{"jid":"5511987654321-1600000000","type":"group"}`:     {JID: "5511987654321-1600000000@g.us", Type: ChatGroup},
		`{"jid":"120363000000000009@newsletter"}`:               {JID: "120363000000000009@newsletter", Type: ChatNewsletter},
		`{"jid":"status@broadcast"}`:                            {JID: "status@broadcast"},
		`{"jid":"1@s.whatsapp.net","lid":"100@s.whatsapp.net"}`: {JID: "1@s.whatsapp.net", LID: "100@lid", Type: ChatPrivate},
		`{"jid":null,"lid":null,"name":null,"type":null}`:       {},
		`null`:              {},
		`7`:                 {},
		`{"type":"galaxy"}`: {Type: "galaxy"},
		`{"jid":{"x":"y"}}`: {},
	} {
		m := parseMessage(t, []byte(`{"event":"message.exchange","data":{"chat":`+in+`}}`))
		if in == `{"jid":"123456789012345"}` {
			want.Type = m.Chat.Type // digits that may be a LID; whatever they are taken for
		}
		assert.Equal(t, want, m.Chat, in)
	}
}

func TestTimestampsInAnyForm(t *testing.T) {
	want := time.Date(2026, 4, 28, 10, 30, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		`"2026-04-28T10:30:00Z"`:            want,
		`"2026-04-28T07:30:00-03:00"`:       want,
		`"2026-04-28T10:30:00.25Z"`:         want.Add(250 * time.Millisecond),
		`1777372200`:                        want,
		`1777372200000`:                     want,
		`"1777372200"`:                      want,
		`1777372200.5`:                      want.Add(500 * time.Millisecond),
		`1.7773722e9`:                       want,
		`"yesterday"`:                       {},
		`"2026-04-28"`:                      {},
		`"2026-13-99T99:99:99Z"`:            {},
		`""`:                                {},
		`0`:                                 {},
		`-5`:                                {},
		`1e400`:                             {},
		`99999999999999999999999`:           {},
		`"NaN"`:                             {},
		`"Inf"`:                             {},
		`null`:                              {},
		`{}`:                                {},
		`[1777372200]`:                      {},
		`true`:                              {},
		`"0000-01-01T00:00:00Z"`:            {},
		`"9999-12-31T23:59:59-23:00"`:       {},
		`"` + strings.Repeat("1", 99) + `"`: {},
	} {
		e := parse(t, []byte(`{"event":"message.exchange","data":{"timestamp":`+in+`}}`))
		assert.Equal(t, want, e.At(), in)
		assert.Equal(t, in, string(e.Lookup("data", "timestamp")), "the raw value stays reachable")
	}
}

func TestMediaKindIsToldByMIMEFirst(t *testing.T) {
	for _, tt := range []struct {
		message, media string
		kind           MediaKind
		typ            MessageType
		voice          bool
	}{
		{`"audio"`, `{"type":"unknown","mimetype":"audio/mpeg","isVoiceNote":true}`, MediaAudio, MessageAudio, true},
		{`"unknown"`, `{"type":"","mimetype":"audio/mpeg","ptt":true}`, MediaAudio, "unknown", true},
		{`"media"`, `{"type":"document","mimeType":"IMAGE/PNG; q=1"}`, MediaImage, MessageImage, false},
		{`"media"`, `{"type":"image","mime":"application/pdf"}`, MediaDocument, MessageDocument, false},
		{`"media"`, `{"type":"image","mimetype":"text/plain"}`, MediaDocument, MessageDocument, false},
		{`"media"`, `{"type":"videoMessage"}`, MediaVideo, MessageVideo, false},
		{`"media"`, `{"type":"videoMessage","mimetype":"application/octet-stream"}`, MediaVideo, MessageVideo, false},
		{`"imageMessage"`, `{"url":"https://x/y.enc"}`, MediaImage, MessageImage, false},
		{`"ptt"`, `{"url":"https://x/y.enc"}`, MediaAudio, MessageAudio, true},
		{`"sticker"`, `{"mimetype":"image/webp"}`, MediaSticker, MessageSticker, false},
		{`null`, `{"type":"hologram"}`, "hologram", "hologram", false},
		{`null`, `{"base64":"data:image\/png;base64,AAAA"}`, MediaImage, MessageImage, false},
		{`"audio"`, `{"mimetype":"application/ogg"}`, MediaAudio, MessageAudio, false},
		{`"media"`, `{"fileName":"x"}`, "", "", false},
		{`"text"`, `{"mimetype":"image/png"}`, MediaImage, MessageText, false},
	} {
		m := parseMessage(t, message(`{"type":`+tt.message+`,"media":`+tt.media+`}`))
		require.NotNil(t, m.Media, tt.media)
		assert.Equal(t, tt.kind, m.Media.Kind, tt.media)
		assert.Equal(t, tt.typ, m.Type, tt.media)
		assert.Equal(t, tt.voice, m.Media.VoiceNote, tt.media)
	}
	for _, none := range []string{`null`, `{}`, `{"type":null,"base64":null}`, `"x"`, `[]`} {
		assert.Nil(t, parseMessage(t, message(`{"media":`+none+`}`)).Media, none)
	}
}

func TestMediaBytesAreDecodedOnDemand(t *testing.T) {
	for in, want := range map[string]string{
		`"aGVsbG8="`:                        "hello",
		`"aGVsbG8"`:                         "hello",
		`"aGVs\nbG8=\r\n"`:                  "hello",
		`"data:text/plain;base64,aGVsbG8="`: "hello",
		`"DATA:text/plain;base64,aGVsbG8="`: "hello",
		`"\/\/79"`:                          "\xff\xfe\xfd",
		`"__79"`:                            "\xff\xfe\xfd",
		`"data:;base64,"`:                   "",
		`"\u0061GVsbG8="`:                   "hello",
		`" data:image/png; name=a;BASE64,\taGVs\r\n bG8= "`: "hello",
	} {
		m := parseMessage(t, message(`{"media":{"base64":`+in+`}}`))
		require.True(t, m.Media.HasBytes(), in)
		got, err := m.Media.Bytes()
		require.NoError(t, err, in)
		assert.Equal(t, want, string(got), in)
		for range 2 {
			got, err = io.ReadAll(m.Media.Reader())
			require.NoError(t, err, in)
			assert.Equal(t, want, string(got), in)
		}
	}
	for _, in := range []string{`"!!!!"`, `"a"`, `"data:,%%"`, `"data:,aGVsbG8="`, `"data:text/plain,aGVs"`, `"-_-_++//"`} {
		m := parseMessage(t, message(`{"media":{"base64":`+in+`}}`))
		_, err := m.Media.Bytes()
		require.ErrorIs(t, err, ErrBadResponse, in)
		_, err = io.ReadAll(m.Media.Reader())
		require.ErrorIs(t, err, ErrBadResponse, in)
	}
	m := parseMessage(t, message(`{"media":{"url":"https://x/y.enc","base64":""}}`))
	assert.False(t, m.Media.HasBytes())
	_, err := m.Media.Bytes()
	require.ErrorIs(t, err, ErrNoInlineMedia)
	_, err = io.ReadAll(m.Media.Reader())
	require.ErrorIs(t, err, ErrNoInlineMedia)
}

func TestNullIsAsGoodAsAbsent(t *testing.T) {
	want := parseMessage(t, message(`{}`))
	nulls := parseMessage(t, []byte(`{"event":"message.exchange","data":{"id":"3EB0","direction":"incoming","timestamp":null,
		"chat":null,"sender":null,"recipient":null,"reply":null,"mentions":null,"message":{"id":null,"direction":null,
		"timestamp":null,"type":null,"content":null,"source":null,"isForwarded":null,"isEdit":null,"edit":null,"context":null,
		"media":null,"reaction":null,"location":null,"contact":null,"poll":null,"interactive":null,"button_response":null,
		"list_response":null,"mentions":null,"chat":null,"sender":null,"recipient":null,"reply":null}}}`))
	assert.Equal(t, want, nulls)
	wrong := parseMessage(t, []byte(`{"event":"message.exchange","data":{"id":"3EB0","direction":"incoming","timestamp":[],
		"chat":7,"sender":true,"recipient":[],"reply":"x","mentions":"x","message":{"id":{},"direction":[],
		"timestamp":{},"type":{},"content":7,"source":[],"isForwarded":"perhaps","isEdit":{},"edit":"x","context":"x",
		"media":"x","reaction":7,"location":"x","contact":"x","poll":"x","interactive":"x","button_response":[],
		"list_response":7}}}`))
	assert.Equal(t, want, wrong)
}

func TestSelectionWinsOverNothing(t *testing.T) {
	// A menu that was sent has an interactive part too, but nothing was selected in it.
	m := parseMessage(t, message(`{"type":"interactive","content":"Choose","interactive":{"title":"Menu","buttons":[{"id":"1"}]}}`))
	assert.Nil(t, m.Selection)
	assert.Equal(t, "Choose", m.Text)
	m = parseMessage(t, message(`{"type":"buttons_response","content":""}`))
	assert.Nil(t, m.Selection)
}

func TestEveryKindOfEvent(t *testing.T) {
	at := time.Date(2026, 4, 28, 10, 30, 5, 0, time.UTC)
	later := time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC)
	private := EventChat{JID: "5511987654321@s.whatsapp.net", Type: ChatPrivate}
	for name, want := range map[string]Event{
		"receipt": {Type: EventReceipt, Data: &ReceiptEvent{MessageIDs: []string{"3EB0A", "3EB0B"}, Status: StatusDelivered,
			Timestamp: at, Chat: private, Recipient: "5511987654321@s.whatsapp.net"}},
		"receipt_group": {Type: EventReceipt, Data: &ReceiptEvent{MessageIDs: []string{"3EB0A"}, Status: StatusRead, Timestamp: at,
			Chat:      EventChat{JID: "120363000000000001@g.us", Type: ChatGroup, IsCommunity: true},
			Recipient: "5511900000001@s.whatsapp.net", MessageSender: "5511987654321@s.whatsapp.net", FromMe: true}},
		"receipt_without_recipient": {Type: EventReceipt, Data: &ReceiptEvent{MessageIDs: []string{"3EB0A"}, Status: StatusPlayedSelf,
			Timestamp: at, Chat: private, Recipient: "5511987654321@s.whatsapp.net"}},
		"group_joined": {Type: EventGroup, Data: &GroupEvent{Change: GroupJoined, Group: "120363000000000001@g.us", Name: "Example group",
			Timestamp: later, Participants: []EventUser{{JID: "123456789@lid", LID: "123456789@lid", Name: "Ana Example"},
				{JID: "5511987654321@s.whatsapp.net", LID: "123456789012345@lid"}}}},
		"group_topic": {Type: EventGroup, Data: &GroupEvent{Change: GroupTopic, Group: "120363000000000001@g.us", Timestamp: later}},
		"state_connected": {Type: EventInstanceState, Data: &InstanceStateEvent{State: InstanceConnected, RawState: "connected",
			Timestamp: later, JID: "5511987654321@s.whatsapp.net"}},
		"state_qr": {Type: EventInstanceState, Data: &InstanceStateEvent{State: InstanceQRReady, RawState: "qr_ready",
			Timestamp: later, Codes: []Secret{"2@qr-code-secret-1", "2@qr-code-secret-2"}}},
		"state_list_spelling": {Type: EventInstanceState, Data: &InstanceStateEvent{State: InstanceLoggedOut, RawState: "loggedout", Timestamp: later}},
		"label_chat": {Type: EventLabel, Data: &LabelEvent{Change: LabelChat, LabelID: "100", Action: "add",
			Chat: "5511987654321@s.whatsapp.net", Labeled: new(true)}},
		"label_edit": {Type: EventLabel, Data: &LabelEvent{Change: LabelEdit, LabelID: "100", Action: "updated", Name: "Gold customer", Color: new(7)}},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, fixture(t, "other/"+name))
			assert.Equal(t, want.Type, got.Type)
			assert.Equal(t, want.Data, got.Data)
			assert.Equal(t, "support-line", got.Instance)
		})
	}
}

func TestInstanceStatesOfBothSpellings(t *testing.T) {
	for in, want := range map[string]InstanceState{
		"connected": InstanceConnected, "loggedout": InstanceLoggedOut, "logged_out": InstanceLoggedOut, "LoggedOut": InstanceLoggedOut,
		"qr": InstanceQRReady, "qr_ready": InstanceQRReady, "close": InstanceClosed, "closed": InstanceClosed, "banned": InstanceBanned,
		"temp_banned": InstanceTempBanned, "": "", "on_fire": "on_fire",
	} {
		assert.Equal(t, want, ParseInstanceState(in), in)
		e := parse(t, fmt.Appendf(nil, `{"event":"instance.state","data":{"state":%q}}`, in)).Data.(*InstanceStateEvent)
		assert.Equal(t, want, e.State)
		assert.Equal(t, in, e.RawState)
	}
	old := parse(t, []byte(`{"event":"instance.state","data":{"status":"close","state":null,"instance":"shop","codes":"2@one"}}`))
	assert.Equal(t, &InstanceStateEvent{State: InstanceClosed, RawState: "close", Codes: []Secret{"2@one"}}, old.Data)
	assert.Equal(t, "shop", old.Instance, "the state event names its instance when the envelope does not")
}

func TestLabelsOfAnyType(t *testing.T) {
	for in, want := range map[string]LabelEvent{
		`{"type":"edit","labelId":7,"action":"deleted","color":3}`:                                 {Change: LabelEdit, LabelID: "7", Action: "deleted", Color: new(3), Deleted: true},
		`{"type":"chat","labelId":"7","chatJid":"5511987654321","action":"remove","labeled":true}`: {Change: LabelChat, LabelID: "7", Action: "remove", Chat: "5511987654321@s.whatsapp.net", Labeled: new(false)},
		`{"type":"chat","labelId":"7","labeled":false,"action":null}`:                              {Change: LabelChat, LabelID: "7", Labeled: new(false)},
		`{"type":"message","labelId":"7","color":"red"}`:                                           {Change: LabelMessage, LabelID: "7"},
		`{"color":99999999999999999999}`:                                                           {},
	} {
		assert.Equal(t, &want, parse(t, []byte(`{"event":"label.update","data":`+in+`}`)).Data, in)
	}
}

func TestCallsKeepTheirWholeData(t *testing.T) {
	e := parse(t, fixture(t, "other/call"))
	call := e.Data.(*CallEvent)
	assert.Equal(t, CallOffer, call.Status)
	assert.Equal(t, "CALL1", call.ID)
	assert.Equal(t, time.Date(2026, 4, 28, 10, 30, 5, 0, time.UTC), e.At())
	assert.JSONEq(t, `{"id":"CALL1","status":"offer","from":"5511987654321@s.whatsapp.net","timestamp":"2026-04-28T10:30:05Z","isVideo":false}`, string(call.Data))
	assert.Equal(t, CallTerminated, parse(t, fixture(t, "other/call_by_type")).Data.(*CallEvent).Status, "the documented word wins")
	assert.Equal(t, CallStatus("new"), parse(t, []byte(`{"event":"call.update","data":{"type":"new"}}`)).Data.(*CallEvent).Status)
}

func TestUnknownIsDelivered(t *testing.T) {
	for in, data := range map[string]string{
		`{"event":"presence.update","data":{"state":"typing"}}`: `{"state":"typing"}`,
		`{"event":"presence.update"}`:                           ``,
		`{"event":"ryze.gap","data":{}}`:                        `{}`,
		`{"event":"message.exchange","data":"text"}`:            `"text"`,
		`{"event":"message.exchange","data":null}`:              `null`,
		`{"event":"message.status","data":[1,2]}`:               `[1,2]`,
		`{"event":"group.flow","data":7}`:                       `7`,
		`{"event":"label.update"}`:                              ``,
	} {
		e := parse(t, []byte(in))
		require.IsType(t, &UnknownEvent{}, e.Data, in)
		assert.Equal(t, data, string(e.Data.(*UnknownEvent).Data), in)
		assert.JSONEq(t, in, string(e.Raw))
	}
}

func TestOnlyWhatIsNotAnEventIsAnError(t *testing.T) {
	for in, reason := range map[string]string{
		``:                              "from byte 0 on",
		`<html>bad gateway</html>`:      "from byte 0 on",
		`[]`:                            "not a JSON object",
		`"message.exchange"`:            "not a JSON object",
		`null`:                          "not a JSON object",
		`{}`:                            "no event name",
		`{"event":""}`:                  "no event name",
		`{"event":null,"data":{}}`:      "no event name",
		`{"event":7}`:                   "no event name",
		`{"event":"message.exchange"`:   "from byte 27 on",
		`{"event":"message.exchange"}}`: "from byte 28 on",
		`{"event":"x","data":{"a":01}}`: "from byte 25 on",
		`{"event":"x","data":"` + "\n":  "from byte 20 on",
		`{"event":"x","data":"\q"}`:     "from byte 20 on",
		`{"event":"x","data":tru}`:      "from byte 20 on",
		`{"event":"x","data":-}`:        "from byte 20 on",
		`{"event" "x"}`:                 "from byte 9 on",
		`{event:"x"}`:                   "from byte 1 on",
		strings.Repeat(`[`, 20000):      "from byte 10000 on",
	} {
		_, err := ParseEvent([]byte(in))
		var eventErr *ResponseError
		require.ErrorAs(t, err, &eventErr, in)
		require.ErrorIs(t, err, ErrBadResponse)
		assert.Contains(t, eventErr.Reason, reason, in)
		assert.LessOrEqual(t, len(eventErr.Body), maxEventErrorBody)
		assert.True(t, strings.HasPrefix(err.Error(), "ryze: not an event: "), err.Error())
		_, again := RetryAfter(err)
		assert.False(t, again, "the same bytes are no event another time")
	}
}

func TestDeepNestingIsBounded(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 4000) + strings.Repeat(`]}`, 4000)
	e := parse(t, []byte(`{"event":"group.flow","data":{"type":"joined","x":`+deep+`}}`))
	assert.Equal(t, GroupJoined, e.Data.(*GroupEvent).Change)
	assert.NotEmpty(t, e.DedupeKey())
}

func TestLastOfDuplicateKeysWins(t *testing.T) {
	e := parse(t, []byte(`{"event":"x","event":"message.exchange","data":7,"data":{"id":"1","id":"2","message":{"content":"a","content":"b"}}}`))
	assert.Equal(t, &MessageEvent{ID: "2", Text: "b", Type: MessageText}, e.Data)
}

func TestParsedEventKeepsNoReferenceToTheInput(t *testing.T) {
	in := fixture(t, "live/image")
	e := parse(t, in)
	raw := string(e.Raw)
	for i := range in {
		in[i] = 'x'
	}
	assert.Equal(t, raw, string(e.Raw))
	b, err := e.Data.(*MessageEvent).Media.Bytes()
	require.NoError(t, err)
	assert.Equal(t, "hello", string(b))
}

func TestLookupReachesFieldsThatAreNotKnown(t *testing.T) {
	e := parse(t, fixture(t, "live/form"))
	assert.JSONEq(t, `{"name":"Ana"}`, string(e.Lookup("data", "message", "interactive", "answers")))
	assert.Equal(t, "null", string(e.Lookup("data", "recipient")))
	assert.Nil(t, e.Lookup("data", "recipient", "jid"))
	assert.Nil(t, e.Lookup("nothing"))
	assert.Equal(t, string(e.Raw), string(e.Lookup()))
	assert.Nil(t, (&Event{Type: EventGap, Data: &GapEvent{}}).Lookup("data"))
}

func TestRawNeverHoldsTokenNorBaseURL(t *testing.T) {
	for name, in := range map[string]string{
		"as documented":      `{"event":"x","data":{"a":1},"instanceData":{"baseUrl":"URL","instance":"i","token":"TOKEN"}}`,
		"token only":         `{"event":"x","instanceData":{"token":"TOKEN"}}`,
		"token first":        `{"event":"x","instanceData":{"token":"TOKEN","instance":"i"}}`,
		"both first":         `{"event":"x","instanceData":{"token":"TOKEN","baseUrl":"URL","instance":"i"}}`,
		"both last":          `{"event":"x","instanceData":{"instance":"i" , "token" : "TOKEN" , "baseUrl" : "URL" } }`,
		"underscores":        `{"event":"x","instance_data":{"instance_token":"TOKEN","base_url":"URL"},"instanceData":{"Base_URL":"URL","tokenInstance":"TOKEN"}}`,
		"around":             `{"event":"x","instanceData":{"token":"TOKEN","instance":"i","baseUrl":"URL"}}`,
		"twice":              `{"event":"x","instanceData":{"token":"TOKEN","instance":"i","token":"TOKEN"},"instanceData":{"token":"TOKEN"}}`,
		"escaped key":        `{"event":"x","instanceData":{"\u0074oken":"TOKEN","b\u0061seUrl":"URL","instance":"i"}}`,
		"escaped parent":     `{"event":"x","\u0069nstanceData":{"token":"TOKEN"}}`,
		"other case":         `{"event":"x","INSTANCEDATA":{"Token":"TOKEN","BASEURL":"URL"}}`,
		"folding":            "{\"event\":\"x\",\"in\u017ftanceData\":{\"to\u212aen\":\"TOKEN\"}}",
		"nested copy":        `{"event":"x","data":{"instanceData":{"token":"TOKEN","instance":"i"},"b":[{"instanceData":{"token":"TOKEN"}}]}}`,
		"array":              `{"event":"x","instanceData":[{"token":"TOKEN"},{"a":{"token":"TOKEN"}}]}`,
		"deeper":             `{"event":"x","instanceData":{"auth":{"v":[{"token":"TOKEN","x":1}]}}}`,
		"object token":       `{"event":"x","instanceData":{"token":{"value":"TOKEN","token":"TOKEN"},"instance":"i"}}`,
		"text":               `{"event":"x","instanceData":"{\"token\":\"TOKEN\"}"}`,
		"text, first":        `{"instanceData":"{\"token\":\"TOKEN\"}","event":"x"}`,
		"at the root":        `{"event":"x","token":"TOKEN","baseUrl":"URL"}`,
		"space":              " \n{ \"event\" : \"x\" ,\n\t\"instanceData\" : {\n \"token\" : \"TOKEN\"\n } \n} \n",
		"number":             `{"event":"x","instanceData":{"token":123456,"instance":"i"}}`,
		"large, token first": `{"instanceData":{"token":"TOKEN","instance":"i"},"event":"x","data":{"b":"` + strings.Repeat("A", 1<<16) + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			e := parse(t, []byte(in))
			raw := string(e.Raw)
			assert.True(t, json.Valid(e.Raw), raw)
			for _, secret := range []string{"TOKEN", "123456", "URL"} {
				assert.NotContains(t, raw, secret)
			}
			assert.Equal(t, treeWithoutSecrets(jsonTree(t, []byte(in)), placeRoot), jsonTree(t, e.Raw), "nothing else may be missing")
			assert.Equal(t, EventType("x"), e.Type)
		})
	}
}

func TestRawIsTheReceivedTextAroundTheToken(t *testing.T) {
	in := "{\"event\" :\"x\",\"n\":1.50e+2, \"s\":\"\\u00e9\\/\", \"instanceData\":{\"instance\":\"i\", \"token\":\"TOKEN\"} }"
	e := parse(t, []byte(in))
	want := strings.Replace(in, ", \"token\":\"TOKEN\"", "", 1)
	assert.Equal(t, want, string(e.Raw), "byte by byte")
}

func TestUnreadableEventsDoNotShowTheToken(t *testing.T) {
	whole := `{"instanceData":{"instance":"i","token":"TOKEN-TOKEN-TOKEN","extra":{"token":"TOKEN-TOKEN-TOKEN"}},"data":{"a":[1,{"instanceData":{"\u0074oken":{"v":"TOKEN-TOKEN-TOKEN"}}}]},"x":1}`
	check := func(in string) {
		_, err := ParseEvent([]byte(in))
		var eventErr *ResponseError
		require.ErrorAs(t, err, &eventErr)
		for _, text := range []string{string(eventErr.Body), err.Error(), fmt.Sprintf("%+v %#v %q", err, err, err)} {
			require.NotContains(t, text, "TOKEN", in)
		}
	}
	check(whole)
	check(`[` + whole + `]`)
	for i := range whole {
		check(whole[:i])
		check(whole[:i] + "\x00" + whole[i:])
		check(whole[:i] + "\x00" + whole[i+1:])
	}
}

func TestPrintingAnEventShowsNoContent(t *testing.T) {
	e := parse(t, fixture(t, "other/state_qr"))
	m := parse(t, fixture(t, "live/image"))
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		for _, e := range []*Event{e, m} {
			logger.Info("event", "event", e, "value", *e, "data", e.Data, "all", []*Event{e})
		}
	}
	text := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, e := range []*Event{e, m} {
			text += fmt.Sprintf(verb+verb+verb+verb, e, *e, []*Event{e}, struct{ E Event }{*e})
			text += fmt.Sprintf(verb, e.Data)
			switch d := e.Data.(type) {
			case *InstanceStateEvent:
				text += fmt.Sprintf(verb+verb, d.Codes, *d)
			case *MessageEvent:
				text += fmt.Sprintf(verb+verb, d.Media, *d.Media)
			}
		}
	}
	odd := parse(t, []byte(`{"event":"instance.state","data":["2@qr-code-secret-1"]}`))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text += fmt.Sprintf(verb+verb, odd, odd.Data)
	}
	for _, v := range []any{e, *e, e.Data, m} {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		text += string(b)
	}
	for _, secret := range []string{"qr-code-secret", fmt.Sprintf("%x", "qr-code"), fixtureToken, "aGVsbG8", "hello", "97 71 86", "internal.example.net"} {
		assert.NotContains(t, text, secret)
	}
	assert.Equal(t, `message.exchange instance="support-line" id="3EB0A1B2C3D4E5F60001"`, m.String())
	assert.Equal(t, "<nil>", fmt.Sprint((*Event)(nil)))
	evil := parse(t, []byte(`{"event":"a\nb","instanceData":{"instance":"c\nd"}}`))
	assert.NotContains(t, evil.String(), "\n", "one event is one line")
}

func TestOriginTellsSelfFromOtherClientsAndHumans(t *testing.T) {
	for _, tt := range []struct {
		direction, source string
		origin            Origin
	}{
		{"incoming", "", OriginCustomer},
		{"incoming", "mine", OriginCustomer},
		{"outgoing", "mine", OriginSelf},
		{"outgoing", "api", OriginAPI},
		{"outgoing", "crm", OriginAPI},
		{"outgoing", "", OriginPhone},
		{"", "mine", OriginUnknown},
		{"sideways", "mine", OriginUnknown},
	} {
		e := parse(t, fmt.Appendf(nil, `{"event":"message.exchange","data":{"direction":%q,"message":{"source":%q}}}`, tt.direction, tt.source))
		assert.Equal(t, tt.origin, e.Origin("mine"), tt)
		assert.Equal(t, tt.origin == OriginSelf, e.IsEcho("mine"), tt)
		assert.False(t, e.IsEcho(""), tt)
	}
	assert.Equal(t, OriginUnknown, parse(t, fixture(t, "other/receipt")).Origin("mine"))
}

func TestHistoryIsWhatCameBeforeTheConnection(t *testing.T) {
	e := parse(t, fixture(t, "live/text"))
	at := e.At()
	assert.True(t, e.IsHistory(at.Add(time.Second)))
	assert.False(t, e.IsHistory(at))
	assert.False(t, e.IsHistory(at.Add(999*time.Millisecond)), "the service's clock has whole seconds")
	assert.False(t, e.IsHistory(at.Add(-time.Hour)))
	assert.False(t, parse(t, message(`{"content":"no time"}`)).IsHistory(at))
	assert.False(t, parse(t, fixture(t, "other/receipt")).IsHistory(at.AddDate(9, 0, 0)))
}

func TestDedupeKeyDistinguishesEvents(t *testing.T) {
	seen := map[string]string{}
	add := func(name string, in []byte) {
		key := parse(t, in).DedupeKey()
		assert.LessOrEqual(t, len(key), 64)
		if other, ok := seen[key]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key] = name
	}
	for name, in := range fixtures(t, "other") {
		add(name, in)
	}
	add("text", fixture(t, "live/text"))
	add("edit", fixture(t, "live/edit"))
	add("reaction", fixture(t, "live/reaction"))
	add("removed", fixture(t, "live/reaction_removed"))
	add("revoke", fixture(t, "live/revoke"))
	for _, in := range []string{
		`{"event":"message.exchange","instanceData":{"instance":"a"},"data":{"id":"1"}}`,
		`{"event":"message.exchange","instanceData":{"instance":"b"},"data":{"id":"1"}}`,
		`{"event":"message.exchange","instanceData":{"instance":"a"},"data":{"id":"2"}}`,
		`{"event":"message.exchange","data":{"message":{"content":"a"}}}`,
		`{"event":"message.exchange","data":{"message":{"content":"b"}}}`,
		`{"event":"message.exchange","data":{"message":{"media":{"base64":"AAAA"}}}}`,
		`{"event":"message.exchange","data":{"message":{"media":{"base64":"BBBB"}}}}`,
		`{"event":"message.exchange","data":{"id":"r","timestamp":1777372200,"message":{"reaction":{"text":"a"}}}}`,
		`{"event":"message.exchange","data":{"id":"r","timestamp":1777372201,"message":{"reaction":{"text":"a"}}}}`,
		`{"event":"message.status","data":{"messageIds":["1"],"status":"read"}}`,
		`{"event":"message.status","data":{"messageIds":["1","2"],"status":"read"}}`,
		`{"event":"message.status","data":{"messageIds":["12"],"status":"read"}}`,
		`{"event":"message.status","data":{"messageIds":["1"],"status":"delivered"}}`,
		`{"event":"message.status","data":{"messageIds":["1"],"status":"read","timestamp":1777372200}}`,
		`{"event":"message.status","data":{"messageIds":["1"],"status":"read","recipient":"5511987654321"}}`,
		`{"event":"message.status","data":{"messageIds":["1"],"status":"read","chat":{"jid":"5511987654321"}, "recipient":"5511900000001"}}`,
		`{"event":"group.flow","data":{"type":"topic","topic":"a"}}`,
		`{"event":"group.flow","data":{"type":"topic","topic":"b"}}`,
		`{"event":"new","data":{"a":1}}`,
		`{"event":"new","data":{"a":2}}`,
		`{"event":"newer","data":{"a":1}}`,
	} {
		add(in, []byte(in))
	}
}

func TestDedupeKeyIsStable(t *testing.T) {
	for _, same := range [][]string{
		{ // receipts: order, repetition and spelling of addresses do not matter
			`{"event":"message.status","data":{"messageIds":["1","2"],"status":"read","timestamp":"2026-04-28T10:30:00Z","chat":{"jid":"5511987654321"}}}`,
			`{"event":"message.status","data":{"chat":{"jid":"5511987654321:4@s.whatsapp.net"},"recipient":"5511987654321@s.whatsapp.net","messageIds":["2","1","2"],"status":"read","timestamp":1777372200}}`,
		},
		{ // data: space, order of keys and nulls do not matter
			`{"event":"group.flow","data":{"type":"topic","topic":"é","old":null,"p":[{"a":null}]},"instanceData":{"token":"a"}}`,
			`{ "event":"group.flow", "data":{ "topic":"\u00e9", "p":[{}], "type":"topic" }, "instanceData":{"token":"b","baseUrl":"c"} }`,
		},
		{ // nor do the spelling of times and addresses
			`{"event":"instance.state","data":{"state":"connected","timestamp":"2026-09-15T12:00:00Z","jid":"5511987654321"}}`,
			`{"event":"instance.state","data":{"state":"connected","timestamp":"2026-09-15T09:00:00-03:00","jid":"5511987654321:2@s.whatsapp.net"}}`,
		},
		{ // a message is its id
			`{"event":"message.exchange","data":{"id":"1","message":{"content":"a"}}}`,
			`{"event":"message.exchange","data":{"message":{"id":"1","content":{"text":"a"},"media":null}}}`,
		},
	} {
		want := parse(t, []byte(same[0])).DedupeKey()
		for _, in := range same[1:] {
			assert.Equal(t, want, parse(t, []byte(in)).DedupeKey(), in)
		}
	}
	made := &Event{Type: EventLabel, Data: &LabelEvent{LabelID: "1"}}
	assert.Equal(t, made.DedupeKey(), (&Event{Type: EventLabel, Data: &LabelEvent{LabelID: "1"}}).DedupeKey())
	assert.NotEqual(t, made.DedupeKey(), (&Event{Type: EventLabel, Data: &LabelEvent{LabelID: "2"}}).DedupeKey())
	assert.NotEmpty(t, (&Event{Type: EventType(strings.Repeat("x", 999))}).DedupeKey())
}

func TestIncompleteMessagesAreReadAsFarAsTheyGo(t *testing.T) {
	for in, want := range map[string]MessageEvent{
		`{"type":"reaction","content":"👍"}`:                     {Type: MessageReaction, Text: "👍", Reaction: &EventReaction{Emoji: "👍"}},
		`{"reaction":"👍"}`:                                      {Type: MessageReaction, Reaction: &EventReaction{Emoji: "👍"}},
		`{"type":"reaction","reaction":{}}`:                     {Type: MessageReaction, Reaction: &EventReaction{}},
		`{"type":"text","content":"hi","reaction":{"text":""}}`: {Type: MessageText, Text: "hi"},
		`{"type":"text","content":"new","isEdit":true}`:         {Type: MessageEdit, Text: "new", Edit: &EventEdit{Text: "new"}},
		`{"type":"message_edit","content":"new"}`:               {Type: MessageEdit, Text: "new", Edit: &EventEdit{Text: "new"}},
		`{"content":"old","edit":{"text":"new"}}`:               {Type: MessageEdit, Text: "new", Edit: &EventEdit{Text: "new"}},
		`{"edit":{"original_id":"","text":""}}`:                 {},
		`{"type":"ptt"}`:                                        {Type: MessageAudio},
		`{"type":"ptv"}`:                                        {Type: MessageVideo},
		`{"type":"stickerMessage"}`:                             {Type: MessageSticker},
		`{"type":"holoMessage"}`:                                {Type: "holoMessage"},
		`{"location":{"latitude":"-23.5","longitude":"x"}}`:     {Type: MessageLocation, Location: &Location{Latitude: -23.5}},
		`{"location":{"name":"nowhere"}}`:                       {},
		`{"poll":{"options":["Yes",{"name":"No"},{}]}}`:         {Type: MessagePoll, Poll: &Poll{Options: []string{"Yes", "No", ""}}},
		`{"mentions":["5511900000001",null,7,{}]}`:              {Mentions: []JID{"5511900000001@s.whatsapp.net", "7@s.whatsapp.net"}},
		`{"context":{"forwardingScore":1}}`:                     {},
		`{"interactive":{"selectedCarouselCardIndex":2}}`:       {Type: MessageInteractive, Selection: &Selection{Kind: SelectionCarousel, Card: 2}},
		`{"isForwarded":"true"}`:                                {Forwarded: true},
	} {
		want.ID, want.Direction = "3EB0", DirectionIncoming
		assert.Equal(t, &want, parseMessage(t, message(in)), in)
	}
	assert.True(t, (&EventReaction{TargetID: "1"}).Removed())
	assert.False(t, (&EventReaction{Emoji: "👍"}).Removed())
}

func TestAnotherChatInsideFillsNoGap(t *testing.T) {
	m := parseMessage(t, []byte(`{"event":"message.exchange","data":{"chat":{"jid":"5511900000001"},
		"message":{"chat":{"jid":"5511900000002","name":"Mallory","lid":"2@lid"}}}}`))
	assert.Equal(t, EventChat{JID: "5511900000001@s.whatsapp.net", Type: ChatPrivate}, m.Chat)
}

func TestLoggedErrorsAndMediaShowNoBytes(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	_, err := ParseEvent([]byte(`{"data":"private text"}`))
	require.Error(t, err)
	media := parseMessage(t, fixture(t, "live/image")).Media
	unknown := parse(t, []byte(`{"event":"x","data":"private text"}`)).Data
	logger.Info("all", "err", err, "media", media, "unknown", unknown)
	assert.Contains(t, log.String(), "no event name")
	assert.Contains(t, log.String(), "image (image/jpeg, inline)")
	assert.NotContains(t, log.String(), "private text")
	assert.NotContains(t, log.String(), "aGVsbG8")
}
