package ryze

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Of a person, the LID and the phone may be the other way round, or one of them
// may be under the server of the other. They are told apart wherever a person
// or a chat occurs; a phone is never made of a LID, nor a LID of a phone.
func TestAddressesOfAPersonAreToldApart(t *testing.T) {
	const phone, lid = JID("5511987654321@s.whatsapp.net"), JID("123456789012345@lid")
	for person, want := range map[string][2]JID{
		`{"jid":"123456789012345@lid","lid":"5511987654321@s.whatsapp.net"}`:          {phone, lid},
		`{"jid":"123456789012345:7@lid","lid":"5511987654321:12@s.whatsapp.net"}`:     {phone, lid},
		`{"lid":"5511987654321@s.whatsapp.net","jid":"123456789012345@lid"}`:          {phone, lid},
		`{"JID":"123456789012345@lid","Lid":"5511987654321@s.whatsapp.net"}`:          {phone, lid},
		`{"jid":"5511987654321@s.whatsapp.net","lid":"123456789012345@lid"}`:          {phone, lid},
		`{"jid":"5511987654321","lid":"123456789012345@s.whatsapp.net"}`:              {phone, lid},
		`{"jid":"5511987654321","lid":"123456789012345"}`:                             {phone, lid},
		`{"jid":"123456789012345@lid","lid":"123456789012345@s.whatsapp.net"}`:        {lid, lid},
		`{"jid":"123456789012345@lid","lid":"123456789012345"}`:                       {lid, lid},
		`{"jid":"123456789012345@lid","lid":"100@s.whatsapp.net"}`:                    {lid, "100@lid"}, // no phone
		`{"jid":"123456789012345@lid","lid":null}`:                                    {lid, lid},
		`{"jid":null,"lid":"123456789012345@lid"}`:                                    {lid, lid},
		`{"lid":"123456789012345@lid"}`:                                               {lid, lid},
		`{"jid":"123456789012345","lid":"123456789012345@lid"}`:                       {lid, lid},
		`{"jid":"5511987654321@s.whatsapp.net","lid":"5511987654321@s.whatsapp.net"}`: {phone, ""},
		`{"jid":"5511987654321","lid":"5511987654321"}`:                               {phone, ""},
		`{"jid":"5511987654321@s.whatsapp.net","lid":""}`:                             {phone, ""},
	} {
		for place, addresses := range map[string]func() (jid, lid JID){
			"sender": func() (JID, JID) {
				u := parseMessage(t, []byte(`{"event":"message.exchange","data":{"sender":`+person+`}}`)).Sender
				return u.JID, u.LID
			},
			"sender inside": func() (JID, JID) {
				u := parseMessage(t, message(`{"sender":`+person+`}`)).Sender
				return u.JID, u.LID
			},
			"chat": func() (JID, JID) {
				c := parseMessage(t, []byte(`{"event":"message.exchange","data":{"chat":`+person+`}}`)).Chat
				return c.JID, c.LID
			},
			"recipient": func() (JID, JID) {
				u := parseMessage(t, []byte(`{"event":"message.exchange","data":{"recipient":`+person+`}}`)).Recipient
				return u.JID, u.LID
			},
			"reply.sender": func() (JID, JID) {
				u := parseMessage(t, message(`{"reply":{"message_id":"Q","sender":`+person+`}}`)).Reply.Sender
				return u.JID, u.LID
			},
			"sender of a reaction": func() (JID, JID) {
				u := parseMessage(t, []byte(`{"event":"message.exchange","data":{"sender":`+person+`,"message":{"type":"reaction","reaction":{"text":"+","key":"Q"}}}}`)).Sender
				return u.JID, u.LID
			},
			"receipt": func() (JID, JID) {
				c := parse(t, []byte(`{"event":"message.status","data":{"chat":`+person+`}}`)).Data.(*ReceiptEvent).Chat
				return c.JID, c.LID
			},
			"call": func() (JID, JID) {
				c := parse(t, []byte(`{"event":"call.update","data":{"chat":`+person+`}}`)).Data.(*CallEvent).Chat
				return c.JID, c.LID
			},
			"participant": func() (JID, JID) {
				u := parse(t, []byte(`{"event":"group.flow","data":{"participants":[`+person+`]}}`)).Data.(*GroupEvent).Participants[0]
				return u.JID, u.LID
			},
		} {
			jid, lid := addresses()
			assert.Equal(t, want, [2]JID{jid, lid}, "%s %s", place, person)
		}
		receipt := parse(t, []byte(`{"event":"message.status","data":{"recipient":`+person+`,"messageSender":`+person+`}}`)).Data.(*ReceiptEvent)
		assert.Equal(t, want[0], receipt.Recipient, person)
		assert.Equal(t, want[0], receipt.MessageSender, person)
		mention := parseMessage(t, message(`{"mentions":[`+person+`]}`))
		assert.Equal(t, []JID{want[0]}, mention.Mentions, person)
	}
}

// In a private chat there is nobody else who could have written.
func TestSenderWithoutAnAddressIsThePrivateChat(t *testing.T) {
	private := EventChat{JID: "5511987654321@s.whatsapp.net", LID: "1@lid", Name: "Ana", Type: ChatPrivate}
	for _, c := range []struct {
		name, direction, chat, sender string
		want                          EventUser
	}{
		{"only a name", "incoming", `{"jid":"5511987654321","lid":"1@lid","name":"Ana","type":"private"}`, `{"name":"Ana B"}`,
			EventUser{JID: private.JID, LID: "1@lid", Name: "Ana B"}},
		{"a jid that is empty", "incoming", `{"jid":"5511987654321@s.whatsapp.net"}`, `{"jid":"","lid":null,"name":"Ana B"}`,
			EventUser{JID: private.JID, Name: "Ana B"}},
		{"a chat that does not say what it is", "incoming", `{"jid":"5511987654321@s.whatsapp.net"}`, `{"name":"Ana B"}`,
			EventUser{JID: private.JID, Name: "Ana B"}},
		{"a hidden phone that the chat shows", "incoming", `{"jid":"5511987654321@s.whatsapp.net","type":"private"}`, `{"jid":"1:57@lid","name":"Ana B"}`,
			EventUser{JID: private.JID, LID: "1@lid", Name: "Ana B"}},
		{"only a LID", "incoming", `{"jid":"5511987654321@s.whatsapp.net","type":"private"}`, `{"lid":"1@lid"}`,
			EventUser{JID: private.JID, LID: "1@lid"}},
		{"a hidden chat", "incoming", `{"jid":"1@lid","type":"private"}`, `{"name":"Ana B"}`,
			EventUser{JID: "1@lid", LID: "1@lid", Name: "Ana B"}},
		{"another LID", "incoming", `{"jid":"5511987654321@s.whatsapp.net","lid":"1@lid"}`, `{"jid":"2@lid","name":"Bia"}`,
			EventUser{JID: "2@lid", LID: "2@lid", Name: "Bia"}},
		{"an address of its own", "incoming", `{"jid":"5511987654321@s.whatsapp.net"}`, `{"jid":"5511900000009","name":"Bia"}`,
			EventUser{JID: "5511900000009@s.whatsapp.net", Name: "Bia"}},
		{"outgoing", "outgoing", `{"jid":"5511987654321","type":"private"}`, `{"name":"Shop"}`, EventUser{Name: "Shop"}},
		{"no direction", "", `{"jid":"5511987654321","type":"private"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"group", "incoming", `{"jid":"120363000000000001@g.us","type":"group"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"group without its type", "incoming", `{"jid":"120363000000000001@g.us"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"group that says private", "incoming", `{"jid":"120363000000000001@g.us","type":"private"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"bare group", "incoming", `{"jid":"120363000000000001","type":"group"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"newsletter", "incoming", `{"jid":"120363000000000009@newsletter"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"status feed", "incoming", `{"jid":"status@broadcast","type":"private"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"unknown server", "incoming", `{"jid":"5@galaxy","type":"private"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
		{"a phone in a chat that is a group", "incoming", `{"jid":"5511987654321@s.whatsapp.net","type":"group"}`, `{"name":"Ana B"}`, EventUser{Name: "Ana B"}},
	} {
		live := `{"event":"message.exchange","data":{"direction":"` + c.direction + `","chat":` + c.chat + `,"sender":` + c.sender + `,"message":{"type":"text","content":"hi"}}}`
		documented := `{"event":"message.exchange","data":{"message":{"direction":"` + c.direction + `","chat":` + c.chat + `,"sender":` + c.sender + `,"content":{"text":"hi"}}}}`
		assert.Equal(t, c.want, parseMessage(t, []byte(live)).Sender, c.name)
		assert.Equal(t, c.want, parseMessage(t, []byte(documented)).Sender, c.name)
	}
}

// A private chat without an address is that of the other person.
func TestPrivateChatWithoutAnAddressIsTheOtherPerson(t *testing.T) {
	for in, want := range map[string]JID{
		`"direction":"incoming","chat":{"type":"private","name":"Ana"},"sender":{"jid":"5511987654321"}`:                        "5511987654321@s.whatsapp.net",
		`"direction":"outgoing","chat":{"type":"private"},"sender":{"jid":"5511900000001"},"recipient":{"jid":"5511987654321"}`: "5511987654321@s.whatsapp.net",
		`"direction":"outgoing","chat":{"type":"private"},"sender":{"jid":"5511900000001"}`:                                     "",
		`"direction":"incoming","chat":{"type":"group"},"sender":{"jid":"5511987654321"}`:                                       "",
		`"direction":"incoming","sender":{"jid":"5511987654321"}`:                                                               "",
	} {
		assert.Equal(t, want, parseMessage(t, []byte(`{"event":"message.exchange","data":{`+in+`}}`)).Chat.JID, in)
	}
}

func TestTwoPlacesNameOnePersonByEitherAddress(t *testing.T) {
	m := parseMessage(t, []byte(`{"event":"message.exchange","data":{"chat":{"jid":"1@lid"},"sender":{"jid":"1@lid"},
		"message":{"chat":{"jid":"5511987654321","lid":"1@lid","name":"Ana"},"sender":{"jid":"5511987654321","lid":"1@lid","name":"Ana"}}}}`))
	assert.Equal(t, EventChat{JID: "5511987654321@s.whatsapp.net", LID: "1@lid", Name: "Ana", Type: ChatPrivate}, m.Chat)
	assert.Equal(t, EventUser{JID: "5511987654321@s.whatsapp.net", LID: "1@lid", Name: "Ana"}, m.Sender)
	m = parseMessage(t, []byte(`{"event":"message.exchange","data":{"sender":{"lid":"1@lid"},"message":{"sender":{"jid":"5511987654321","lid":"2@lid","name":"Mallory"}}}}`))
	assert.Equal(t, EventUser{JID: "1@lid", LID: "1@lid"}, m.Sender, "two LIDs are two people")
}

func TestTargetOfAReactionInEveryPlace(t *testing.T) {
	for _, data := range []string{
		`"message":{"type":"reaction","reaction":{"text":"+"},"reply":{"message_id":"Q"}}`,
		`"message":{"type":"reaction","reaction":{"emoji":"+"},"reply":{"messageId":"Q","text":"hi"}}`,
		`"message":{"type":"reaction","reaction":{"emoji":"+"},"context":{"stanzaId":"Q"}}`,
		`"message":{"type":"reaction","reaction":"+"},"reply":{"message_id":"Q"}`,
		`"message":{"type":"reaction","content":"+","reaction":null,"reply":{"message_id":"Q"}}`,
		`"message":{"reaction":{"text":"+"},"reply":{"message_id":"Q"}}`,
		`"message":{"type":"reaction","reaction":{"text":"+","message_id":"Q"},"reply":{"message_id":"another"}}`,
		`"message":{"type":"reaction","reaction":{"text":"+","messageID":"Q","key":{"id":"another"}}}`,
		`"message":{"type":"reaction","reaction":{"text":"+","key":{"ID":"Q"}}}`,
		`"message":{"type":"reaction","reaction":{"text":"+","reply":{"message_id":"Q"}}}`,
		`"message":{"type":"reaction","reaction":{"text":"+","target_message_id":"Q"}}`,
	} {
		m := parseMessage(t, []byte(`{"event":"message.exchange","data":{"id":"own","direction":"incoming",`+data+`}}`))
		assert.Equal(t, MessageReaction, m.Type, data)
		assert.Equal(t, &EventReaction{Emoji: "+", TargetID: "Q"}, m.Reaction, data)
	}
	m := parseMessage(t, message(`{"type":"text","content":"Fine","reaction":{},"reply":{"message_id":"Q"}}`))
	assert.Nil(t, m.Reaction, "a quote is no reaction")
	assert.Equal(t, &EventReply{MessageID: "Q"}, m.Reply)
}

func TestQuotedMessageOfATapInEverySpelling(t *testing.T) {
	for _, content := range []string{
		`{"type":"buttons_response","interactive":{"selectedButtonId":"ok","messageId":"Q"}}`,
		`{"type":"buttons_response","interactive":{"selectedButtonId":"ok","message_id":"Q"}}`,
		`{"type":"buttons_response","interactive":{"selectedButtonId":"ok","context":{"stanzaId":"Q"}}}`,
		`{"type":"buttons_response","interactive":{"selectedButtonId":"ok"},"reply":{"message_id":"Q"}}`,
		`{"type":"buttons_response","interactive":{"selectedButtonId":"ok","messageId":"other"},"reply":{"message_id":"Q"}}`,
		`{"button_response":{"selected_button_id":"ok","title":"Ok","message_id":"Q"}}`,
		`{"buttonResponse":{"selectedButtonID":"ok","messageID":"Q"}}`,
		`{"button_response":{"selected_button_id":"ok","reply":{"message_id":"Q"}}}`,
		`{"type":"template_button_reply","content":"ok","template_button_reply":{"message_id":"Q"}}`,
		`{"type":"list_response","list_response":{"message_id":"Q","single_select_reply":{"option_name":"ok"}}}`,
		`{"type":"list_response","interactive":{"selectedReply":{"selectedRowID":"ok","messageId":"Q"}}}`,
		`{"type":"list_response","interactive":{"selectedRowId":"ok","quotedMessageId":"Q"}}`,
		`{"interactive":{"flow_token":"ok","messageId":"Q"}}`,
	} {
		m := parseMessage(t, message(content))
		if assert.NotNil(t, m.Selection, content) {
			assert.Equal(t, "ok", m.Selection.ID, content)
		}
		assert.Equal(t, &EventReply{MessageID: "Q"}, m.Reply, content)
	}
	for _, content := range []string{
		`{"type":"interactive","content":"Choose","interactive":{"messageId":"Q","title":"Menu"}}`,      // a menu
		`{"type":"buttons_response","interactive":{"selectedButtonId":"ok","messageId":"3EB0"}}`,        // itself
		`{"type":"list_response","interactive":{"selectedReply":{"selectedRowID":"ok","id":"row-id"}}}`, // a row
		`{"type":"buttons_response","interactive":{"selectedButtonId":"ok","messageId":null,"context":null}}`,
	} {
		assert.Nil(t, parseMessage(t, message(content)).Reply, content)
	}
}

func TestQuotedMessageNamesItsAuthor(t *testing.T) {
	want := &EventReply{MessageID: "Q", Text: "Hm?", Sender: EventUser{JID: "5511987654321@s.whatsapp.net", Name: "Ana"}}
	for _, data := range []string{
		`"message":{"reply":{"message_id":"Q","sender":{"jid":"5511987654321","name":"Ana"},"text":"Hm?"}}`,
		`"message":{"context":{"messageId":"Q","sender":{"jid":"5511987654321","name":"Ana"},"text":{"text":"Hm?"}}}`,
		`"reply":{"message_id":"Q"},"message":{"reply":{"message_id":"Q","sender":{"jid":"5511987654321","name":"Ana"},"text":"Hm?"}}`,
		`"reply":{"message_id":"Q","sender":{"jid":"5511987654321@s.whatsapp.net"},"text":"Hm?"},"message":{"reply":{"message_id":"Q","sender":{"name":"Ana"}}}`,
	} {
		assert.Equal(t, want, parseMessage(t, []byte(`{"event":"message.exchange","data":{`+data+`}}`)).Reply, data)
	}
}

func TestEditTellsTheTextBefore(t *testing.T) {
	want := &EventEdit{OriginalID: "O", OriginalText: "Helo", Text: "Hello"}
	for _, content := range []string{
		`{"edit":{"original_id":"O","originalContent":"Helo","text":"Hello"}}`,
		`{"isEdit":true,"content":"Hello","edit":{"originalId":"O","original_content":{"text":"Helo"}}}`,
		`{"type":"message_edit","edit":{"original_id":"O","originalContent":"Helo","text":{"text":"Hello"}}}`,
	} {
		m := parseMessage(t, message(content))
		assert.Equal(t, want, m.Edit, content)
		assert.Equal(t, "Hello", m.Text, content)
	}
	m := parseMessage(t, message(`{"edit":{"original_id":"O","originalContent":[],"text":"Hello"}}`))
	assert.Equal(t, &EventEdit{OriginalID: "O", Text: "Hello"}, m.Edit)
}

func TestForwardedInBothForms(t *testing.T) {
	for content, want := range map[string]int{
		`{"isForwarded":true}`:                          0,
		`{"forward":{"count":3}}`:                       3,
		`{"forward":{"count":"3"},"isForwarded":false}`: 3,
		`{"isForwarded":true,"forward":{"count":0}}`:    0,
		`{"forward":3}`:                                 3,
		`{"isForwarded":true,"forward":null}`:           0,
	} {
		m := parseMessage(t, message(content))
		assert.True(t, m.Forwarded, content)
		assert.Equal(t, want, m.ForwardCount, content)
	}
	for _, content := range []string{`{}`, `{"forward":{}}`, `{"forward":{"count":0}}`, `{"forward":{"count":-1}}`, `{"forward":{"count":"x"}}`, `{"forward":[3]}`, `{"isForwarded":false}`} {
		m := parseMessage(t, message(content))
		assert.False(t, m.Forwarded, content)
		assert.Zero(t, m.ForwardCount, content)
	}
}

func TestKindOfMediaWithoutMIME(t *testing.T) {
	for _, c := range []struct {
		message, media string
		kind           MediaKind
		typ            MessageType
		voice          bool
	}{
		{`"voice"`, `{"type":"voice"}`, MediaAudio, MessageAudio, true},
		{`"media"`, `{"type":"voice"}`, MediaAudio, MessageAudio, true},
		{`null`, `{"type":"voice_note"}`, MediaAudio, MessageAudio, true},
		{`"voiceMessage"`, `{"url":"https://x/y.enc"}`, MediaAudio, MessageAudio, true},
		{`"audio"`, `{"type":"PTT"}`, MediaAudio, MessageAudio, true},
		{`"media"`, `{"isVoiceNote":true}`, MediaAudio, MessageAudio, true},
		{`"file"`, `{"type":"file"}`, MediaDocument, MessageDocument, false},
		{`"media"`, `{"type":"file","fileName":"offer.pdf"}`, MediaDocument, MessageDocument, false},
		{`null`, `{"type":"file","fileName":"no ending"}`, MediaDocument, MessageDocument, false},
		{`"image"`, `{"type":"file"}`, MediaImage, MessageImage, false},
		{`"media"`, `{"fileName":"offer.pdf"}`, MediaDocument, MessageDocument, false},
		{`null`, `{"fileName":"Offer.PDF"}`, MediaDocument, MessageDocument, false},
		{`null`, `{"fileName":"photo.JPG"}`, MediaImage, MessageImage, false},
		{`null`, `{"fileName":"clip.mp4"}`, MediaVideo, MessageVideo, false},
		{`null`, `{"fileName":"song.mp3","mimetype":"application/octet-stream"}`, MediaAudio, MessageAudio, false},
		{`null`, `{"fileName":"plan.odd-ending"}`, MediaDocument, MessageDocument, false},
		{`"document"`, `{"fileName":"photo.jpg"}`, MediaDocument, MessageDocument, false},
		{`"media"`, `{"type":"photo"}`, MediaImage, MessageImage, false},
		{`"audio"`, `{"type":"unknown"}`, MediaAudio, MessageAudio, false},
		{`"media"`, `{"type":"hologram"}`, "hologram", "hologram", false},
		{`"media"`, `{"fileName":"x"}`, "", "", false},
	} {
		m := parseMessage(t, message(`{"type":`+c.message+`,"media":`+c.media+`}`))
		assert.Equal(t, c.kind, m.Media.Kind, "%s %s", c.message, c.media)
		assert.Equal(t, c.typ, m.Type, "%s %s", c.message, c.media)
		assert.Equal(t, c.voice, m.Media.VoiceNote, "%s %s", c.message, c.media)
	}
	assert.True(t, parseMessage(t, message(`{"type":"media","media":{"type":"ptv"}}`)).Media.VideoNote)
}

func TestSizeOfMediaInBothSpellings(t *testing.T) {
	for media, want := range map[string]int64{
		`{"size":12345}`: 12345, `{"fileSize":12345}`: 12345, `{"file_size":"12345"}`: 12345, `{"size":12345,"fileSize":0}`: 12345,
		`{"fileSize":12345,"size":null}`: 12345, `{"size":1.2345e4}`: 12345, `{"size":-1,"url":"u"}`: 0, `{"size":1.5}`: 0, `{"size":{}}`: 0,
	} {
		assert.Equal(t, want, parseMessage(t, message(`{"media":`+media+`}`)).Media.FileSize, media)
	}
}

func TestEveryWordForAStateIsUnderstood(t *testing.T) {
	for state, words := range map[InstanceState][]string{
		InstanceQRReady:    {"qr", "QR", "qr_ready", "qr_code", "qrcode", "qr_code_generated", "QR code generated", "qr-code-ready"},
		InstanceLoggedOut:  {"loggedout", "logged_out", "LoggedOut", "Logged out", "logged-out"},
		InstanceClosed:     {"close", "closed", " Closed "},
		InstanceTempBanned: {"temp_banned", "tempbanned", "TEMP-BANNED"},
		InstanceOpen:       {"open", "OPEN"}, InstanceConnected: {"connected"}, InstanceConnecting: {"connecting"},
		InstanceDisconnected: {"disconnected"}, InstanceBanned: {"banned"},
		InstanceStreamReplaced: {"stream_replaced", "StreamReplaced"}, InstanceStreamError: {"stream_error"},
		InstanceClientOutdated: {"client_outdated"}, InstanceConnectFailure: {"connect_failure"},
		InstanceCATRefreshError: {"cat_refresh_error"}, InstancePairSuccess: {"pair_success", "PairSuccess"},
		InstancePairError: {"pair_error"}, InstanceQRScannedNoMultidevice: {"qr_scanned_no_multidevice"},
		InstanceKeepaliveTimeout: {"keepalive_timeout"}, InstanceKeepaliveRestored: {"keepalive_restored"},
		InstanceManualReconnect: {"manual_reconnect"},
	} {
		for _, word := range words {
			assert.Equal(t, state, ParseInstanceState(word), word)
		}
	}
	for word, want := range map[string]InstanceState{"Unknown": "unknown", "qr_expired": "qr_expired", "On Fire": "on fire", "": ""} {
		assert.Equal(t, want, ParseInstanceState(word))
	}
}
