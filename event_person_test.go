package ryze

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whoever comes, and wherever, is known by the phone when the service gives it,
// in whichever of the two members it stands.
func TestPersonsAreReadInOneWay(t *testing.T) {
	const phone, lid JID = "5511987654321@s.whatsapp.net", "123456789012345@lid"
	both := EventUser{JID: phone, LID: lid}
	for person, want := range map[string]EventUser{
		`{"jid":"5511987654321@s.whatsapp.net","lid":"123456789012345@lid"}`:     both,
		`{"jid":"123456789012345@lid","lid":"5511987654321@s.whatsapp.net"}`:     both,
		`{"jid":"123456789012345@lid","lid":"5511987654321"}`:                    both,
		`{"jid":"123456789012345:7@lid","lid":"5511987654321:2@s.whatsapp.net"}`: both,
		`{"jid":"123456789012345@LID","lid":"5511987654321@c.us"}`:               both,
		`{"jid":"123456789012345","lid":"5511987654321@S.WhatsApp.net"}`:         both,
		`{"JID":"5511987654321","LID":"123456789012345"}`:                        both,
		`{"jid":5511987654321,"lid":"123456789012345@lid"}`:                      both,
		`{"jid":"123456789012345@lid"}`:                                          {JID: lid, LID: lid},
		`{"lid":"123456789012345@lid"}`:                                          {JID: lid, LID: lid},
		`"123456789012345@lid"`:                                                  {JID: lid, LID: lid},
		`"5511987654321"`:                                                        {JID: phone},
		`{"jid":"undefined","lid":"123456789012345@lid"}`:                        {JID: lid, LID: lid},
		`{"jid":"5511987654321","lid":"null@lid"}`:                               {JID: phone},
		`{"jid":"5511987654321","lid":null}`:                                     {JID: phone},
		`{"jid":"123456789012345@lid","lid":"123456789012346@lid"}`:              {JID: lid, LID: "123456789012346@lid"},
		`{"jid":"5511987654321","lid":"100@s.whatsapp.net"}`:                     {JID: phone, LID: "100@lid"}, // as documented
	} {
		message := func(data string) *MessageEvent {
			return parse(t, fmt.Appendf(nil, `{"event":"message.exchange","data":`+data+`}`, person)).Data.(*MessageEvent)
		}
		receipt := func(data string) *ReceiptEvent {
			return parse(t, fmt.Appendf(nil, `{"event":"message.status","data":`+data+`}`, person)).Data.(*ReceiptEvent)
		}
		const group = `"chat":{"jid":"120363000000000001@g.us"}`
		users := map[string]EventUser{
			"sender":            message(`{` + group + `,"sender":%s}`).Sender,
			"sender inside":     message(`{"message":{` + group + `,"sender":%s}}`).Sender,
			"recipient":         *message(`{"direction":"outgoing","recipient":%s}`).Recipient,
			"reply.sender":      message(`{` + group + `,"reply":{"message_id":"A","sender":%s}}`).Reply.Sender,
			"context.sender":    message(`{"message":{"context":{"id":"A","sender":%s}}}`).Reply.Sender,
			"participants":      parse(t, fmt.Appendf(nil, `{"event":"group.flow","data":{"participants":[%s]}}`, person)).Data.(*GroupEvent).Participants[0],
			"a participant":     parse(t, fmt.Appendf(nil, `{"event":"group.flow","data":{"participants":%s}}`, person)).Data.(*GroupEvent).Participants[0],
			"sender of a react": message(`{` + group + `,"sender":%s,"message":{"type":"reaction","reaction":{"text":"a"}}}`).Sender,
		}
		chats := map[string]EventChat{
			"chat":            message(`{"chat":%s}`).Chat,
			"chat inside":     message(`{"message":{"chat":%s}}`).Chat,
			"chat of receipt": receipt(`{"chat":%s}`).Chat,
			"chat of call":    parse(t, fmt.Appendf(nil, `{"event":"call.update","data":{"chat":%s}}`, person)).Data.(*CallEvent).Chat,
		}
		for where, chat := range chats {
			users[where] = EventUser{JID: chat.JID, LID: chat.LID}
		}
		for where, got := range users {
			assert.Equal(t, want, got, "%s as %s", person, where)
		}
		for where, got := range map[string]JID{
			"recipient of a receipt":      receipt(`{` + group + `,"recipient":%s}`).Recipient,
			"messageSender":               receipt(`{` + group + `,"messageSender":%s}`).MessageSender,
			"receipt without a recipient": receipt(`{"chat":%s}`).Recipient,
			"mention":                     message(`{"mentions":[%s]}`).Mentions[0],
			"mention in an object":        message(`{"message":{"mentions":{"mentionedUsers":[%s]}}}`).Mentions[0],
			"chat of a label":             parse(t, fmt.Appendf(nil, `{"event":"label.update","data":{"chatJid":%s}}`, person)).Data.(*LabelEvent).Chat,
			"number of an instance":       parse(t, fmt.Appendf(nil, `{"event":"instance.state","data":{"jid":%s}}`, person)).Data.(*InstanceStateEvent).JID,
		} {
			assert.Equal(t, want.JID, got, "%s as %s", person, where)
		}
	}
	r := parse(t, []byte(`{"event":"message.status","data":{"chat":{"jid":"5511987654321","lid":"123456789012345@lid"},"recipient":"123456789012345:3@lid","messageSender":{"lid":"123456789012345@lid"}}}`)).Data.(*ReceiptEvent)
	assert.Equal(t, []JID{phone, phone}, []JID{r.Recipient, r.MessageSender}, "the chat says who the LID is")
}
