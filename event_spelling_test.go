package ryze

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However an address is written, it is the same person, so that a chat has one
// lane. No phone becomes a LID.
func TestAddressIsTheSamePersonHoweverItIsWritten(t *testing.T) {
	const phone, long, lid JID = "5511987654321@s.whatsapp.net", "62895325678901@s.whatsapp.net", "123456789012345@lid"
	for person, want := range map[string][2]JID{
		`"+5511987654321"`:                                        {phone},
		`"+55 11 98765-4321"`:                                     {phone},
		`5511987654321`:                                           {phone},
		`{"jid":"+5511987654321"}`:                                {phone},
		`{"jid":"+5511987654321@s.whatsapp.net"}`:                 {phone},
		`{"jid":"+62895325678901"}`:                               {long},
		`{"jid":" 5511987654321@s.whatsapp.net "}`:                {phone},
		`{"jid":"5511987654321.0:12@s.whatsapp.net"}`:             {phone},
		`{"jid":"5511987654321.0@c.us"}`:                          {phone},
		`{"jid":"5511987654321","lid":"123456789012345.1:7@lid"}`: {phone, lid},
		`{"jid":"5511987654321","lid":"+5511987654321"}`:          {phone},
		`{"jid":"5511987654321","lid":"+5511900000009"}`:          {phone},
		`{"jid":"123456789012345@lid","lid":"+5511987654321"}`:    {phone, lid},
		`{"jid":"123456789012345@lid","lid":"+62895325678901"}`:   {long, lid},
		`{"jid":123456789012345,"lid":5511987654321}`:             {phone, lid},
		`{"jid":"123456789012345","lid":"5511987654321"}`:         {phone, lid},
		`{"jid":"62895325678901","lid":"12345678901234"}`:         {"62895325678901", "12345678901234@lid"}, // either may be either
	} {
		for _, place := range []string{
			`{"event":"message.exchange","data":{"chat":` + person + `}}`,
			`{"event":"message.exchange","data":{"message":{"chat":` + person + `}}}`,
		} {
			chat := parseMessage(t, []byte(place)).Chat
			assert.Equal(t, want, [2]JID{chat.JID, chat.LID}, place)
		}
		user := parseMessage(t, []byte(`{"event":"message.exchange","data":{"chat":{"jid":"1@g.us"},"sender":`+person+`}}`)).Sender
		assert.Equal(t, want, [2]JID{user.JID, user.LID}, "sender %s", person)
		receipt := parse(t, []byte(`{"event":"message.status","data":{"chat":`+person+`,"recipient":`+person+`}}`)).Data.(*ReceiptEvent)
		assert.Equal(t, [3]JID{want[0], want[1], want[0]}, [3]JID{receipt.Chat.JID, receipt.Chat.LID, receipt.Recipient}, "receipt %s", person)
		label := parse(t, []byte(`{"event":"label.update","data":{"chatJid":`+person+`}}`)).Data.(*LabelEvent)
		assert.Equal(t, want[0], label.Chat, "label %s", person)
	}
	for _, none := range []string{`7`, `-5511987654321`, `5.511e12`, `true`, `[5511987654321]`, `"+"`} {
		chat := parseMessage(t, []byte(`{"event":"message.exchange","data":{"chat":`+none+`}}`)).Chat
		assert.NotEqual(t, JIDUser, chat.JID.Kind(), none)
	}
}

// The service writes one word in several ways: case does not count, and for types
// neither do underscores and the ending "Message".
func TestWordsAreReadInAnySpelling(t *testing.T) {
	for want, words := range map[MessageType][]string{
		MessageText:                {"Text", "TEXT"},
		MessageLocation:            {"locationMessage"},
		MessageContact:             {"contactMessage", "Contact"},
		MessagePoll:                {"POLL"},
		MessageReaction:            {"reactionMessage", "Reaction"},
		MessageButtonsResponse:     {"buttonsResponse", "buttonsResponseMessage", "BUTTONS_RESPONSE", "button_response", "buttonResponse"},
		MessageTemplateButtonReply: {"templateButtonReply", "templateButtonReplyMessage"},
		MessageListResponse:        {"listResponse", "listResponseMessage", "List_Response"},
		MessageEdit:                {"messageEdit", "MESSAGE_EDIT"},
		MessageRevoke:              {"messageRevoke", "MESSAGE_REVOKE"},
		"revoked":                  {"revoked"},
		"message":                  {"message"},
		"Hologram":                 {"Hologram"},
	} {
		for _, word := range words {
			assert.Equal(t, want, parseMessage(t, message(`{"type":"`+word+`"}`)).Type, word)
		}
	}
	assert.Equal(t, "3EB0", parseMessage(t, message(`{"type":"messageRevoke"}`)).RevokedID)
	assert.Equal(t, &Selection{Kind: SelectionList, ID: "r"}, parseMessage(t, message(`{"type":"listResponseMessage","content":"r"}`)).Selection)

	m := parseMessage(t, []byte(`{"event":"message.exchange","data":{"direction":"OUTGOING","chat":{"type":"Private"}}}`))
	assert.Equal(t, DirectionOutgoing, m.Direction)
	assert.Equal(t, ChatPrivate, m.Chat.Type)
	m = parseMessage(t, []byte(`{"event":"message.exchange","data":{"direction":"Sideways","chat":{"type":"Galaxy"}}}`))
	assert.Equal(t, Direction("Sideways"), m.Direction)
	assert.Equal(t, ChatType("Galaxy"), m.Chat.Type)

	data := func(event, data string) EventData {
		return parse(t, []byte(`{"event":"`+event+`","data":`+data+`}`)).Data
	}
	assert.Equal(t, CallOffer, data("call.update", `{"Status":"OFFER"}`).(*CallEvent).Status)
	assert.Equal(t, CallTerminated, data("call.update", `{"status":"video","type":"Terminated"}`).(*CallEvent).Status)
	assert.Equal(t, CallStatus("Ringing"), data("call.update", `{"status":"Ringing"}`).(*CallEvent).Status)
	assert.Equal(t, GroupPromoted, data("group.flow", `{"type":"Promoted"}`).(*GroupEvent).Change)
	assert.Equal(t, GroupChange("Locked"), data("group.flow", `{"type":"Locked"}`).(*GroupEvent).Change)
	assert.Equal(t, &LabelEvent{Change: LabelChat, Action: "remove", Labeled: new(false)}, data("label.update", `{"type":"CHAT","action":"Remove"}`))
	assert.Equal(t, InstanceConnected, data("instance.state", `{"State":"connected"}`).(*InstanceStateEvent).State)
}

// What both places say of one part of a message is put together: the inner one
// wins, each fills the gaps of the other.
func TestPartsOfAMessageAreReadFromBothPlaces(t *testing.T) {
	in := func(data string) *MessageEvent {
		return parseMessage(t, []byte(`{"event":"message.exchange","data":{"id":"A","direction":"incoming",`+data+`}}`))
	}
	m := in(`"media":{"mimetype":"image/png","fileSize":7,"url":"outer"},"message":{"type":"media","media":{"base64":"aGk=","url":"inner"}}`)
	assert.Equal(t, []any{MediaImage, "image/png", int64(7), "inner", MessageImage}, []any{m.Media.Kind, m.Media.MIMEType, m.Media.FileSize, m.Media.URL, m.Type})
	file, err := m.Media.Bytes()
	require.NoError(t, err)
	assert.Equal(t, "hi", string(file))
	m = in(`"media":{"base64":"aGk=","ptt":true},"message":{"media":{"url":"u"}}`)
	assert.True(t, m.Media.VoiceNote && m.Media.HasBytes())

	m = in(`"edit":{"original_id":"O","text":"outer"},"message":{"isEdit":true,"content":"new","edit":{"text":"new","originalContent":"old"}}`)
	assert.Equal(t, &EventEdit{OriginalID: "O", Text: "new", OriginalText: "old"}, m.Edit)

	m = in(`"reaction":{"message_id":"Q"},"message":{"type":"reaction","reaction":{"text":"+"}}`)
	assert.Equal(t, &EventReaction{Emoji: "+", TargetID: "Q"}, m.Reaction)
	m = in(`"reaction":{"emoji":"+"},"message":{"type":"reaction","reaction":{"message_id":"Q"}}`)
	assert.Equal(t, &EventReaction{Emoji: "+", TargetID: "Q"}, m.Reaction)
	m = in(`"reaction":{"emoji":"+","key":"Q"},"message":{"type":"reaction","reaction":{"text":""}}`)
	assert.Equal(t, &EventReaction{TargetID: "Q"}, m.Reaction, "taken back")

	m = in(`"interactive":{"selectedButtonId":"b"},"message":{"type":"buttons_response","button_response":{"title":"Yes"}}`)
	assert.Equal(t, &Selection{Kind: SelectionButton, ID: "b", Title: "Yes"}, m.Selection)
	m = in(`"interactive":{"selectedCarouselCardIndex":2,"title":"outer"},"message":{"type":"template_button_reply","interactive":{"selectedButtonId":"b","title":"Yes"}}`)
	assert.Equal(t, &Selection{Kind: SelectionCarousel, ID: "b", Title: "Yes", Card: 2}, m.Selection)
}

// A reaction counts as taken back only when it says so, or says nothing at all.
func TestEmojiOfAReactionMayBeTheContent(t *testing.T) {
	for content, emoji := range map[string]string{
		`{"type":"reaction","content":"+","reaction":{"message_id":"Q"}}`:              "+",
		`{"type":"reaction","content":"+","reaction":{"message_id":"Q","text":null}}`:  "+",
		`{"content":"+","reaction":{"message_id":"Q"}}`:                                "+",
		`{"type":"reaction","content":{"text":"+"},"reply":{"message_id":"Q"}}`:        "+",
		`{"type":"reaction","content":"-","reaction":{"message_id":"Q","text":"+"}}`:   "+",
		`{"type":"reaction","content":"quoted","reaction":{"key":"Q","text":""}}`:      "",
		`{"type":"reaction","content":"","reaction":{"message_id":"Q","emoji":""}}`:    "",
		`{"type":"reaction","content":"","reaction":{"message_id":"Q","emoji":null}}`:  "",
		`{"type":"reaction","content":"","reaction":"","context":{"message_id":"Q"}}`:  "",
		`{"type":"reaction","content":"{}","reaction":{"message_id":"Q","text":null}}`: "",
	} {
		assert.Equal(t, &EventReaction{Emoji: emoji, TargetID: "Q"}, parseMessage(t, message(content)).Reaction, content)
	}
}

// A tap of which only the title came is told all the same; so is a row whose id
// stands by itself.
func TestTapKeepsWhatCame(t *testing.T) {
	for content, want := range map[string]*Selection{
		`{"type":"buttons_response","content":"","button_response":{"title":"Yes"}}`:                             {Kind: SelectionButton, Title: "Yes"},
		`{"type":"template_button_reply","interactive":{"title":"Yes","selectedButtonId":null}}`:                 {Kind: SelectionButton, Title: "Yes"},
		`{"type":"list_response","list_response":{"title":"Row","single_select_reply":{"option_name":""}}}`:      {Kind: SelectionList, Title: "Row"},
		`{"type":"list_response","list_response":{"title":"Row","single_select_reply":"row-1"}}`:                 {Kind: SelectionList, ID: "row-1", Title: "Row"},
		`{"type":"list_response","interactive":{"selectedReply":"row-1"}}`:                                       {Kind: SelectionList, ID: "row-1"},
		`{"type":"list_response","interactive":{"selectedReply":7}}`:                                             {Kind: SelectionList, ID: "7"},
		`{"type":"list_response","interactive":{"selectedRowId":"row-1","selectedReply":"Row"}}`:                 {Kind: SelectionList, ID: "row-1"},
		`{"type":"list_response","interactive":{"selectedReply":{"selectedRowID":"row-1"},"title":"Row"}}`:       {Kind: SelectionList, ID: "row-1", Title: "Row"},
		`{"type":"interactive","content":"Choose","interactive":{"title":"Menu"}}`:                               nil, // it was sent
		`{"type":"list_response","content":"","interactive":{"selectedReply":{},"title":""},"list_response":{}}`: nil,
	} {
		assert.Equal(t, want, parseMessage(t, message(content)).Selection, content)
	}
}

// Members that are there and say nothing are as good as absent.
func TestEmptyPartsSayNothing(t *testing.T) {
	m := parseMessage(t, message(`{"type":"text","content":"hi","media":{"type":"","url":"","mimetype":"","fileSize":0,"isVoiceNote":false,"base64":""}}`))
	assert.Nil(t, m.Media)
	m = parseMessage(t, message(`{"type":"location","location":{"latitude":"NaN","longitude":"Inf"}}`))
	assert.Nil(t, m.Location)
	_, err := json.Marshal(m)
	require.NoError(t, err)
	m = parseMessage(t, message(`{"type":"location","location":{"Latitude":-23.5,"Longitude":1e999}}`))
	assert.Equal(t, &Location{Latitude: -23.5}, m.Location)
	for labeled, want := range map[string]*bool{
		`{}`: nil, `[]`: nil, `""`: nil, `"perhaps"`: nil, `2`: nil, `null`: nil, `true`: new(true), `"true"`: new(true), `1`: new(true), `false`: new(false), `"false"`: new(false), `0`: new(false),
	} {
		assert.Equal(t, want, parse(t, []byte(`{"event":"label.update","data":{"type":"chat","labeled":`+labeled+`}}`)).Data.(*LabelEvent).Labeled, labeled)
	}
	r := parse(t, []byte(`{"event":"message.status","data":{"messageIds":[{"id":"A"},"B",7,null,{},[],{"id":null}]}}`)).Data.(*ReceiptEvent)
	assert.Equal(t, []string{"A", "B", "7"}, r.MessageIDs)
	assert.True(t, parseMessage(t, message(`{"type":"text","forward":true}`)).Forwarded)
}

// What other routes of the service call it, tells the direction of a message that
// does not say it itself.
func TestDirectionMayBeSaidInOtherWords(t *testing.T) {
	for data, want := range map[string]Direction{
		`"fromMe":true`:                                          DirectionOutgoing,
		`"isFromMe":"true","direction":null`:                     DirectionOutgoing,
		`"from_me":1`:                                            DirectionOutgoing,
		`"message":{"fromMe":false}`:                             DirectionIncoming,
		`"fromMe":false,"message":{"isFromMe":true}`:             DirectionIncoming, // the outer one wins
		`"fromMe":true,"direction":"incoming"`:                   DirectionIncoming,
		`"fromMe":true,"message":{"direction":"incoming"}`:       DirectionIncoming,
		`"fromMe":null`:                                          "",
		`"fromMe":"perhaps"`:                                     "",
		`"fromMe":{}`:                                            "",
		`"direction":"sideways","fromMe":true`:                   "sideways",
		`"direction":"","message":{"direction":"","fromMe":"1"}`: DirectionOutgoing,
	} {
		m := parseMessage(t, []byte(`{"event":"message.exchange","data":{`+data+`}}`))
		assert.Equal(t, want, m.Direction, data)
	}
	m := parseMessage(t, []byte(`{"event":"message.exchange","data":{"fromMe":false,"chat":{"jid":"5511987654321"},"sender":{"name":"Ana"}}}`))
	assert.Equal(t, JID("5511987654321@s.whatsapp.net"), m.Sender.JID)
}

// A word for nothing in the place of an id would make one event of many.
func TestWordForNothingIsNoID(t *testing.T) {
	for _, none := range noIDs {
		m := parseMessage(t, []byte(`{"event":"message.exchange","data":{"id":`+none+`,"message":{"id":"A","reply":{"message_id":`+none+`},"edit":{"original_id":`+none+`}}}}`))
		assert.Equal(t, "A", m.ID, none)
		assert.Nil(t, m.Reply, none)
		assert.Nil(t, m.Edit, none)
		r := parse(t, []byte(`{"event":"message.status","data":{"messageIds":[`+none+`,"A"]}}`)).Data.(*ReceiptEvent)
		assert.Equal(t, []string{"A"}, r.MessageIDs, none)
		first := parse(t, []byte(`{"event":"message.exchange","data":{"id":`+none+`,"timestamp":1777372200,"message":{"content":"one"}}}`))
		second := parse(t, []byte(`{"event":"message.exchange","data":{"id":`+none+`,"timestamp":1777372200,"message":{"content":"two"}}}`))
		assert.NotEqual(t, first.DedupeKey(), second.DedupeKey(), none)
	}
	assert.Equal(t, "3EB0", parseMessage(t, []byte(`{"event":"message.exchange","data":{"id":" 3EB0\n"}}`)).ID, "as in a reply")
	assert.Equal(t, "7", parse(t, []byte(`{"event":"x","instanceData":{"instance":7}}`)).Instance)
}
