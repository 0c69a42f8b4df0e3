package ryze

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	ana     JID = "5511987654321"
	anaFull     = "5511987654321@s.whatsapp.net"
	anaLID  JID = "123456789012345@lid"
	family  JID = "120363000000000001@g.us"
	channel JID = "120363000000000009@newsletter"
	anID        = "3EB0AAAAAAAAAAAAAAAA"
)

// methodCase is one method: what it asks, what the service answers to that,
// and what is made of it.
type methodCase struct {
	name  string
	call  func(context.Context, *InstanceClient) (any, error)
	want  asked // the query and the body exactly as they leave
	reply string
	check func(t *testing.T, got any)
}

// done is a method that returns an error only.
func done(f func(context.Context, *InstanceClient) error) func(context.Context, *InstanceClient) (any, error) {
	return func(ctx context.Context, i *InstanceClient) (any, error) { return nil, f(ctx, i) }
}

const ok = `{"success":true,"message":"Done"}`

var noon = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

var methodCases = []methodCase{
	{
		name:  "Chats.Archive",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Archive(ctx, ana) }),
		want:  asked{"POST", "/api/chat/archive/support", "", `{"archive":true,"number":"5511987654321"}`},
		reply: `{"success":true,"message":"Chat archived successfully","chat_jid":"5511987654321@s.whatsapp.net","archived":true}`,
	},
	{
		name:  "Chats.Unarchive",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Unarchive(ctx, family) }),
		want:  asked{"POST", "/api/chat/archive/support", "", `{"archive":false,"number":"120363000000000001@g.us"}`},
		reply: ok,
	},
	{
		name:  "Chats.Pin",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Pin(ctx, anaFull) }),
		want:  asked{"POST", "/api/chat/pinChat/support", "", `{"number":"5511987654321","pin":true}`},
		reply: ok,
	},
	{
		name:  "Chats.Unpin",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Unpin(ctx, anaLID) }),
		want:  asked{"POST", "/api/chat/pinChat/support", "", `{"number":"123456789012345@lid","pin":false}`},
		reply: ok,
	},
	{
		name:  "Chats.MarkRead",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.MarkRead(ctx, ana) }),
		want:  asked{"POST", "/api/chat/markChatRead/support", "", `{"number":"5511987654321","read":true}`},
		reply: ok,
	},
	{
		name:  "Chats.MarkUnread",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.MarkUnread(ctx, channel) }),
		want:  asked{"POST", "/api/chat/markChatRead/support", "", `{"number":"120363000000000009@newsletter","read":false}`},
		reply: ok,
	},
	{
		name:  "Chats.Favorite",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Favorite(ctx, ana) }),
		want:  asked{"POST", "/api/chat/favorite/support", "", `{"favorite":true,"number":"5511987654321"}`},
		reply: ok,
	},
	{
		name:  "Chats.Unfavorite",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Unfavorite(ctx, ana) }),
		want:  asked{"POST", "/api/chat/favorite/support", "", `{"favorite":false,"number":"5511987654321"}`},
		reply: ok,
	},
	{
		name:  "Chats.Mute",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Mute(ctx, ana, 8*time.Hour) }),
		want:  asked{"POST", "/api/chat/mute/support", "", `{"duration":"8h","mute":true,"number":"5511987654321"}`},
		reply: `{"success":true,"message":"Chat muted for 8 hours","muted":true,"duration":28800}`,
	},
	{
		name:  "Chats.Mute for a week",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Mute(ctx, ana, 7*24*time.Hour) }),
		want:  asked{"POST", "/api/chat/mute/support", "", `{"duration":"1w","mute":true,"number":"5511987654321"}`},
		reply: `{"success":true,"message":"Chat muted for 1 week","muted":true,"duration":604800}`,
	},
	{
		name:  "Chats.MuteAlways",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.MuteAlways(ctx, ana) }),
		want:  asked{"POST", "/api/chat/mute/support", "", `{"duration":"always","mute":true,"number":"5511987654321"}`},
		reply: `{"success":true,"message":"Chat muted","muted":true,"duration":0}`,
	},
	{
		name:  "Chats.Unmute",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Unmute(ctx, ana) }),
		want:  asked{"POST", "/api/chat/mute/support", "", `{"mute":false,"number":"5511987654321"}`},
		reply: ok,
	},
	{
		name:  "Chats.Delete",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Delete(ctx, ana) }),
		want:  asked{"DELETE", "/api/chat/deleteChat/support", "", `{"deleteMedia":false,"number":"5511987654321"}`},
		reply: `{"success":true,"message":"Chat deleted successfully","chat_jid":"5511987654321@s.whatsapp.net","delete_media":false}`,
	},
	{
		name:  "Chats.DeleteWithMedia",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.DeleteWithMedia(ctx, family) }),
		want:  asked{"DELETE", "/api/chat/deleteChat/support", "", `{"deleteMedia":true,"number":"120363000000000001@g.us"}`},
		reply: ok,
	},
	{
		name: "Chats.Typing for a time",
		call: done(func(ctx context.Context, i *InstanceClient) error {
			return i.Chats.Typing(ctx, ana, 1500*time.Millisecond)
		}),
		want:  asked{"POST", "/api/chat/presence/support", "", `{"duration":2,"number":"5511987654321","state":"typing"}`},
		reply: ok,
	},
	{
		name:  "Chats.Typing",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Typing(ctx, ana, 0) }),
		want:  asked{"POST", "/api/chat/presence/support", "", `{"number":"5511987654321","state":"typing"}`},
		reply: ok,
	},
	{
		name:  "Chats.Recording",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Recording(ctx, ana, time.Minute) }),
		want:  asked{"POST", "/api/chat/presence/support", "", `{"duration":60,"number":"5511987654321","state":"recording"}`},
		reply: ok,
	},
	{
		name:  "Chats.Pause",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Chats.Pause(ctx, ana) }),
		want:  asked{"POST", "/api/chat/presence/support", "", `{"number":"5511987654321","state":"pause"}`},
		reply: ok,
	},
	{
		name: "Chats.HistoryPage",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Chats.HistoryPage(ctx, ana, HistoryQuery{From: noon, To: noon.Add(1500 * time.Millisecond), PageSize: 2})
		},
		want: asked{"POST", "/api/chat/history/support", "", `{"number":"5511987654321","count":2,"from":"2026-01-02T15:04:05Z","to":"2026-01-02T15:04:06.5Z"}`},
		reply: `{"success":true,"chat_jid":"5511987654321@s.whatsapp.net","count":2,"hasMore":true,"messages":[
			{"id":"A","timestamp":"2026-01-02T12:04:06-03:00","fromMe":true,"type":"imageMessage","content":"look","chatJid":"5511987654321@s.whatsapp.net","senderJid":"5511900000001:7@s.whatsapp.net"},
			{"id":"B","timestamp":"2026-01-02T15:04:05Z","fromMe":false,"type":"text","content":"hi","senderJid":"5511987654321","stars":3}]}`,
		check: func(t *testing.T, got any) {
			page := got.(*HistoryPage)
			assert.Equal(t, JID(anaFull), page.Chat)
			assert.True(t, page.HasMore)
			require.Len(t, page.Messages, 2)
			a, b := page.Messages[0], page.Messages[1]
			assert.JSONEq(t, `{"id":"B","timestamp":"2026-01-02T15:04:05Z","fromMe":false,"type":"text","content":"hi","senderJid":"5511987654321","stars":3}`, string(b.Raw()))
			a.Meta, b.Meta = Meta{}, Meta{}
			assert.True(t, a.Timestamp.Equal(noon.Add(time.Second)))
			a.Timestamp = time.Time{}
			assert.Equal(t, HistoryMessage{ID: "A", Chat: anaFull, Sender: "5511900000001@s.whatsapp.net", FromMe: true, Type: MessageImage, Text: "look"}, a)
			assert.Equal(t, HistoryMessage{ID: "B", Chat: anaFull, Sender: anaFull, Type: MessageText, Text: "hi", Timestamp: noon}, b)
		},
	},
	{
		name:  "Contacts.List",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Contacts.List(ctx) },
		want:  asked{"GET", "/api/chat/contacts/support", "", ""},
		reply: `{"success":true,"contacts":[{"jid":"5511987654321@s.whatsapp.net","lid":"123456789012345@lid","first_name":"Ana","more":1},{"jid":"551133334444@s.whatsapp.net"}],"total":2}`,
		check: func(t *testing.T, got any) {
			contacts := got.([]Contact)
			require.Len(t, contacts, 2)
			assert.JSONEq(t, `{"jid":"551133334444@s.whatsapp.net"}`, string(contacts[1].Raw()))
			contacts[0].Meta, contacts[1].Meta = Meta{}, Meta{}
			assert.Equal(t, []Contact{{Found: true, JID: anaFull, LID: anaLID, FirstName: "Ana"}, {Found: true, JID: "551133334444@s.whatsapp.net"}}, contacts)
		},
	},
	{
		name:  "Contacts.Get",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Contacts.Get(ctx, anaLID) },
		want:  asked{"GET", "/api/chat/contacts/support", "number=123456789012345%40lid", ""},
		reply: `{"success":true,"contact":{"jid":"5511987654321@s.whatsapp.net","lid":"123456789012345@lid","first_name":"Ana","push_name":"ana","found":true}}`,
		check: func(t *testing.T, got any) {
			c := got.(*Contact)
			c.Meta = Meta{}
			assert.Equal(t, &Contact{Found: true, JID: anaFull, LID: anaLID, FirstName: "Ana", PushName: "ana"}, c)
		},
	},
	{
		name:  "Contacts.PhoneOf",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Contacts.PhoneOf(ctx, anaLID) },
		want:  asked{"GET", "/api/chat/contacts/support", "number=123456789012345%40lid", ""},
		reply: `{"success":true,"contact":{"jid":"5511987654321@s.whatsapp.net","lid":"123456789012345@lid","found":true}}`,
		check: func(t *testing.T, got any) { assert.Equal(t, JID(anaFull), got) },
	},
	{
		name:  "Contacts.LIDOf",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Contacts.LIDOf(ctx, ana) },
		want:  asked{"GET", "/api/chat/contacts/support", "number=5511987654321", ""},
		reply: `{"success":true,"contact":{"jid":"551187654321@s.whatsapp.net","lid":"123456789012345@lid","found":true}}`, // the older form of the number
		check: func(t *testing.T, got any) { assert.Equal(t, anaLID, got) },
	},
	{
		name: "Contacts.ByLabel",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Contacts.ByLabel(ctx, LabelFilter{IDs: []string{"1", "2"}, Names: []string{"Lead & co"}, Refresh: true})
		},
		want:  asked{"GET", "/api/chat/contactsByLabel/support", "labelIds=1%2C2&labelNames=Lead+%26+co&refresh=true", ""},
		reply: `{"success":true,"chats":[{"any":"thing"}],"total_chats":1,"total_rows":2,"refreshed":true,"filter_label_ids":["1",2]}`,
		check: func(t *testing.T, got any) {
			chats := got.(*LabeledChats)
			require.Len(t, chats.Chats, 1)
			assert.JSONEq(t, `{"any":"thing"}`, string(chats.Chats[0]))
			assert.Equal(t, 2, chats.Pairs)
			assert.True(t, chats.Refreshed)
			assert.Equal(t, []string{"1", "2"}, chats.LabelIDs)
		},
	},
	{
		name:  "Contacts.Block",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Contacts.Block(ctx, ana) }),
		want:  asked{"POST", "/api/chat/block/support", "", `{"block":true,"number":"5511987654321"}`},
		reply: `{"success":true,"message":"Contact blocked successfully","contact_jid":"5511987654321@s.whatsapp.net","blocked_count":3,"blocked":true}`,
	},
	{
		name:  "Contacts.Unblock",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Contacts.Unblock(ctx, anaLID) }),
		want:  asked{"POST", "/api/chat/block/support", "", `{"block":false,"number":"123456789012345@lid"}`},
		reply: ok,
	},
	{
		name:  "Labels.List",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Labels.List(ctx) },
		want:  asked{"GET", "/api/chat/tag/support", "", ""},
		reply: `{"success":true,"tags":[{"id":"1","name":"Lead","color":3,"type":"CUSTOM","deleted":false},{"id":2,"name":"Gone","color":0,"type":"CUSTOM","deleted":true},{"id":3,"name":"New"}],"total":3}`,
		check: func(t *testing.T, got any) {
			labels := got.([]Label)
			require.Len(t, labels, 2)
			assert.JSONEq(t, `{"id":3,"name":"New"}`, string(labels[1].Raw()))
			labels[0].Meta, labels[1].Meta = Meta{}, Meta{}
			assert.Equal(t, []Label{{ID: "1", Name: "Lead", Color: 3, Type: "CUSTOM"}, {ID: "3", Name: "New"}}, labels)
		},
	},
	{
		name:  "Labels.Create",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Labels.Create(ctx, "Lead", 10) },
		want:  asked{"POST", "/api/chat/tag/support", "", `{"color":10,"name":"Lead"}`},
		reply: `{"success":true,"message":"Tag created successfully","tag":{"id":"3","name":"Lead","color":10,"type":"CUSTOM","deleted":false}}`,
		check: func(t *testing.T, got any) {
			label := *got.(*Label)
			label.Meta = Meta{}
			assert.Equal(t, Label{ID: "3", Name: "Lead", Color: 10, Type: "CUSTOM"}, label)
		},
	},
	{
		name:  "Labels.Delete",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Labels.Delete(ctx, "3") }),
		want:  asked{"DELETE", "/api/chat/tag/support", "tagId=3", ""},
		reply: `{"success":true,"message":"Tag deleted successfully","tag":{"id":"3","name":"","color":0,"type":"","deleted":true}}`,
	},
	{
		name:  "Labels.Assign",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Labels.Assign(ctx, ana, "3") }),
		want:  asked{"POST", "/api/chat/assignTag/support", "", `{"number":"5511987654321","tagId":"3"}`},
		reply: `{"success":true,"message":"Tag assigned successfully","tag_id":"3"}`,
	},
	{
		name:  "Labels.Unassign",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Labels.Unassign(ctx, family, "3") }),
		want:  asked{"DELETE", "/api/chat/assignTag/support", "number=120363000000000001%40g.us&tagId=3", ""},
		reply: `{"success":true,"message":"Tag removed successfully","tag_id":"3"}`,
	},
	{
		name: "Calls.Ring",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Calls.Ring(ctx, ana, 14500*time.Millisecond)
		},
		want:  asked{"POST", "/api/call/fake/support", "", `{"duration":15,"number":"5511987654321"}`},
		reply: `{"success":true,"message":"Call placed successfully","callId":"3EB0AAAABBBBCCCCDDDD","number":"5511987654321","duration":15}`,
		check: func(t *testing.T, got any) {
			call := *got.(*PlacedCall)
			call.Meta = Meta{}
			assert.Equal(t, PlacedCall{ID: "3EB0AAAABBBBCCCCDDDD", Phone: anaFull, Duration: 15 * time.Second}, call)
		},
	},
	{
		name: "Calls.PlayAudio of a URL",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Calls.PlayAudio(ctx, anaFull, MediaURL("https://cdn.example.com/notice.mp3"))
		},
		want:  asked{"POST", "/api/call/audio/support", "", `{"number":"5511987654321","mediaUrl":"https://cdn.example.com/notice.mp3"}`},
		reply: `{"success":true,"message":"Audio call placed","callId":"3EB0AAAABBBBCCCCDDDD","number":"5511987654321"}`,
	},
	{
		name: "Calls.PlayAudio of a file",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Calls.PlayAudio(ctx, ana, MediaBytes("notice.mp3", []byte("ID3?>")))
		},
		want:  asked{"POST", "/api/call/audio/support", "", `{"number":"5511987654321","mediaBase64":"SUQzPz4="}`},
		reply: `{"success":true,"message":"Audio call placed","callId":"3EB0AAAABBBBCCCCDDDD","number":"5511987654321"}`,
	},
	{
		name: "Messages.Get",
		call: func(ctx context.Context, i *InstanceClient) (any, error) { return i.Messages.Get(ctx, anID) },
		want: asked{"GET", "/api/chat/getMessage/support", "messageId=" + anID, ""},
		reply: `{"success":true,"message":"Message found","messageId":"3EB0AAAAAAAAAAAAAAAA","data":{"content":"Hello","type":"video","from":"5511900000001@s.whatsapp.net",
			"to":"5511987654321@s.whatsapp.net","chat":"5511987654321@s.whatsapp.net","timestamp":"2026-01-02T15:04:05Z","isGroup":false,"status":"delivered",
			"media":{"type":"video","mimeType":"video/mp4","size":12345,"duration":7.5}},"status":"found"}`,
		check: func(t *testing.T, got any) {
			m := *got.(*StoredMessage)
			m.Meta = Meta{}
			assert.Equal(t, StoredMessage{
				ID: anID, Type: MessageVideo, Text: "Hello", Chat: anaFull, From: "5511900000001@s.whatsapp.net", To: anaFull,
				Timestamp: noon, Status: StatusDelivered,
				Media: &StoredMedia{Kind: MediaVideo, MIME: "video/mp4", Size: 12345, Duration: 7500 * time.Millisecond},
			}, m)
		},
	},
	{
		name:  "Messages.DeliveryStatus",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Messages.DeliveryStatus(ctx, anID) },
		want:  asked{"GET", "/api/chat/status/support", "messageId=" + anID, ""},
		reply: `{"success":true,"message":"Message status retrieved successfully","message_id":"3EB0AAAAAAAAAAAAAAAA","status":"read","status_code":4,"direction":"sent","chat_jid":"5511987654321@s.whatsapp.net","timestamp":"2026-01-02T15:04:05Z"}`,
		check: func(t *testing.T, got any) {
			d := *got.(*DeliveryStatus)
			d.Meta = Meta{}
			assert.Equal(t, DeliveryStatus{MessageID: anID, Status: StatusRead, Code: 4, Direction: DirectionOutgoing, Chat: anaFull, Timestamp: noon}, d)
		},
	},
	{
		name: "Messages.Edit",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Messages.Edit(ctx, anID, "Corrected")
		},
		want:  asked{"POST", "/api/chat/edit/support", "", `{"content":"Corrected","messageId":"3EB0AAAAAAAAAAAAAAAA"}`},
		reply: `{"success":true,"message":"Message edited successfully","messageId":"3EB0AAAAAAAAAAAAAAAA","chatJid":"5511987654321@s.whatsapp.net","oldContent":"Old","newContent":"Corrected"}`,
		check: func(t *testing.T, got any) {
			e := *got.(*EditedMessage)
			e.Meta = Meta{}
			assert.Equal(t, EditedMessage{ID: anID, Chat: anaFull, OldText: "Old", NewText: "Corrected"}, e)
		},
	},
	{
		name:  "Messages.DeleteForEveryone",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.DeleteForEveryone(ctx, anID) }),
		want:  asked{"DELETE", "/api/chat/delete/support", "", `{"deleteForEveryone":true,"messageId":"3EB0AAAAAAAAAAAAAAAA"}`},
		reply: `{"success":true,"message":"Message deleted for everyone","delete_type":"revoke"}`,
	},
	{
		name:  "Messages.DeleteForMe",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.DeleteForMe(ctx, anID) }),
		want:  asked{"DELETE", "/api/chat/delete/support", "", `{"deleteForEveryone":false,"messageId":"3EB0AAAAAAAAAAAAAAAA"}`},
		reply: ok,
	},
	{
		name: "Messages.Forward",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Messages.Forward(ctx, anID, channel)
		},
		want:  asked{"POST", "/api/chat/forward/support", "", `{"messageId":"3EB0AAAAAAAAAAAAAAAA","to":"120363000000000009@newsletter"}`},
		reply: `{"success":true,"message":"Message forwarded successfully","messageId":"3EB0CC","originalId":"3EB0AAAAAAAAAAAAAAAA","destinationJid":"120363000000000009@newsletter"}`,
		check: func(t *testing.T, got any) {
			f := *got.(*ForwardedMessage)
			f.Meta = Meta{}
			assert.Equal(t, ForwardedMessage{ID: "3EB0CC", OriginalID: anID, Chat: channel}, f)
		},
	},
	{
		name:  "Messages.Pin",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.Pin(ctx, anID, 7*24*time.Hour) }),
		want:  asked{"POST", "/api/chat/pinMessage/support", "", `{"duration":"7d","messageId":"3EB0AAAAAAAAAAAAAAAA","pin":true}`},
		reply: `{"success":true,"message":"Message pinned successfully","chat_jid":"5511987654321@s.whatsapp.net","message_id":"3EB0AAAAAAAAAAAAAAAA","pinned":true,"duration":"7d"}`,
	},
	{
		name:  "Messages.Unpin",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.Unpin(ctx, anID) }),
		want:  asked{"POST", "/api/chat/pinMessage/support", "", `{"messageId":"3EB0AAAAAAAAAAAAAAAA","pin":false}`},
		reply: ok,
	},
	{
		name:  "Messages.Favorite",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.Favorite(ctx, anID) }),
		want:  asked{"POST", "/api/chat/favorite/support", "", `{"favorite":true,"messageId":"3EB0AAAAAAAAAAAAAAAA"}`},
		reply: `{"success":true,"message":"...","type":"message","chat_jid":"5511987654321@s.whatsapp.net","message_id":"3EB0AAAAAAAAAAAAAAAA","favorite":true}`,
	},
	{
		name:  "Messages.Unfavorite",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.Unfavorite(ctx, anID) }),
		want:  asked{"POST", "/api/chat/favorite/support", "", `{"favorite":false,"messageId":"3EB0AAAAAAAAAAAAAAAA"}`},
		reply: ok,
	},
	{
		name:  "Messages.MarkRead in a group",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.MarkRead(ctx, family, anID, ana) }),
		want:  asked{"POST", "/api/chat/markRead/support", "", `{"messageId":"3EB0AAAAAAAAAAAAAAAA","number":"120363000000000001@g.us","sender":"5511987654321@s.whatsapp.net"}`},
		reply: `{"success":true,"message":"Message marked as read successfully","message_id":"3EB0AAAAAAAAAAAAAAAA","chat_jid":"120363000000000001@g.us"}`,
	},
	{
		name:  "Messages.MarkRead in a private chat",
		call:  done(func(ctx context.Context, i *InstanceClient) error { return i.Messages.MarkRead(ctx, ana, anID, "") }),
		want:  asked{"POST", "/api/chat/markRead/support", "", `{"messageId":"3EB0AAAAAAAAAAAAAAAA","number":"5511987654321"}`},
		reply: ok,
	},
	{
		name: "Messages.PollVotes",
		call: func(ctx context.Context, i *InstanceClient) (any, error) { return i.Messages.PollVotes(ctx, anID) },
		want: asked{"GET", "/api/chat/poll/support", "messageId=" + anID, ""},
		reply: `{"success":true,"message":"Poll votes retrieved successfully","messageId":"3EB0AAAAAAAAAAAAAAAA","data":{"messageId":"3EB0AAAAAAAAAAAAAAAA","name":"Which day?",
			"votes":[{"optionName":"Monday","optionVoteCount":2}],
			"voteDetails":[{"optionHash":"0A1B2C","optionName":"Monday","senderJid":"5511987654321","voteMessageId":"3EB0BB","createdAt":"2026-01-02T15:04:05Z"}]}}`,
		check: func(t *testing.T, got any) {
			v := *got.(*PollVotes)
			v.Meta = Meta{}
			assert.Equal(t, PollVotes{
				MessageID: anID, Question: "Which day?", Options: []PollOption{{"Monday", 2}},
				Votes: []PollVote{{"Monday", "0A1B2C", anaFull, "3EB0BB", noon}},
			}, v)
		},
	},
}

func TestEveryMethodAsksAndReadsWhatIsDocumented(t *testing.T) {
	for _, c := range methodCases {
		t.Run(c.name, func(t *testing.T) {
			inst, s := script(t, scriptedReply{body: c.reply})
			got, err := c.call(t.Context(), inst)
			require.NoError(t, err)
			assert.Equal(t, []asked{c.want}, s.requests())
			if c.check != nil {
				c.check(t, got)
			}
		})
	}
}

// A reply with a member missing, null, unknown or of another type is read as
// far as it goes: the outcome is a result or says that the reply is no good,
// and the request is made once.
func TestOddRepliesAreReadOrReported(t *testing.T) {
	for _, c := range methodCases {
		t.Run(c.name, func(t *testing.T) {
			for _, reply := range mutations(t, c.reply) {
				inst, s := script(t, scriptedReply{body: reply})
				_, err := c.call(t.Context(), inst)
				var api *APIError // of a success that is false
				if err != nil && !errors.As(err, &api) && !errors.Is(err, ErrBadResponse) && !errors.Is(err, ErrNotFound) {
					t.Fatalf("%v for %s", err, reply)
				}
				assert.Len(t, s.requests(), 1)
			}
		})
	}
}

// Every method stops at the service's own refusal and names it.
func TestRefusalsReachTheCaller(t *testing.T) {
	for _, c := range methodCases {
		t.Run(c.name, func(t *testing.T) {
			inst, _ := script(t, scriptedReply{status: http.StatusServiceUnavailable, body: `{"success":false,"error":{"message":"Instance is not connected to WhatsApp"}}`})
			got, err := c.call(t.Context(), inst)
			require.ErrorIs(t, err, ErrNotConnected)
			assert.Empty(t, got)

			inst, _ = script(t, scriptedReply{body: `{"success":false,"error":{"message":"no"}}`})
			_, err = c.call(t.Context(), inst)
			var api *APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, "no", api.Message)
		})
	}
}

// What must not be repeated says that it may have happened, and what to do.
func TestLostRepliesOfWhatMustNotBeRepeated(t *testing.T) {
	for name, call := range map[string]func(context.Context, *InstanceClient) error{
		"edit": func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.Edit(ctx, anID, "x")
			return err
		},
		"forward": func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.Forward(ctx, anID, ana)
			return err
		},
		"label": func(ctx context.Context, i *InstanceClient) error { _, err := i.Labels.Create(ctx, "x", 0); return err },
		"ring":  func(ctx context.Context, i *InstanceClient) error { _, err := i.Calls.Ring(ctx, ana, 0); return err },
		"audio": func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Calls.PlayAudio(ctx, ana, MediaBytes("a.mp3", []byte("ID3")))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inst, s := script(t, scriptedReply{status: http.StatusBadGateway})
			err := call(t.Context(), inst)
			require.ErrorIs(t, err, ErrOutcomeUnknown)
			assert.Contains(t, err.Error(), "may")
			assert.Len(t, s.requests(), 1)

			_, err = inst.Messages.Settle(t.Context(), err)
			require.ErrorIs(t, err, ErrInvalidArgument)
			assert.ErrorIs(t, err, ErrOutcomeUnknown)
			assert.Len(t, s.requests(), 1)
		})
	}
}

func TestArgumentsAreCheckedBeforeAnyRequest(t *testing.T) {
	const long = 61 * time.Second
	for _, c := range []struct {
		name  string
		call  func(context.Context, *InstanceClient) error
		field string
	}{
		{"archive nothing", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Archive(ctx, "") }, "chat"},
		{"archive a status", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Archive(ctx, StatusBroadcast) }, "chat"},
		{"a LID without its server", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Pin(ctx, "123456789012345") }, "chat"},
		{"mute for no time", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Mute(ctx, ana, 0) }, "duration"},
		{"mute for a day", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Mute(ctx, ana, 24*time.Hour) }, "duration"},
		{"pin for an hour", func(ctx context.Context, i *InstanceClient) error { return i.Messages.Pin(ctx, anID, time.Hour) }, "duration"},
		{"mute nobody", func(ctx context.Context, i *InstanceClient) error { return i.Chats.MuteAlways(ctx, "x") }, "chat"},
		{"delete a channel", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Delete(ctx, channel) }, "chat"},
		{"type too long", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Typing(ctx, ana, long) }, "duration"},
		{"type backwards", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Typing(ctx, ana, -1) }, "duration"},
		{"record too long", func(ctx context.Context, i *InstanceClient) error { return i.Chats.Recording(ctx, ana, long) }, "duration"},
		{"page of less than nothing", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Chats.HistoryPage(ctx, ana, HistoryQuery{PageSize: -1})
			return err
		}, "HistoryQuery.PageSize"},
		{"history backwards", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Chats.HistoryPage(ctx, ana, HistoryQuery{From: noon, To: noon.Add(-1)})
			return err
		}, "HistoryQuery.To"},
		{"history of nobody", func(ctx context.Context, i *InstanceClient) error {
			for _, err := range i.Chats.History(ctx, "", HistoryQuery{}) {
				return err
			}
			return nil
		}, "chat"},
		{"contact of a group", func(ctx context.Context, i *InstanceClient) error { _, err := i.Contacts.Get(ctx, family); return err }, "contact"},
		{"phone of a phone", func(ctx context.Context, i *InstanceClient) error { _, err := i.Contacts.PhoneOf(ctx, ana); return err }, "lid"},
		{"LID of a LID", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Contacts.LIDOf(ctx, anaLID)
			return err
		}, "phone"},
		{"block a group", func(ctx context.Context, i *InstanceClient) error { return i.Contacts.Block(ctx, family) }, "person"},
		{"label with a comma", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Contacts.ByLabel(ctx, LabelFilter{Names: []string{"a", "b,c"}})
			return err
		}, "LabelFilter.Names[1]"},
		{"label without a name", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Labels.Create(ctx, "  ", 0)
			return err
		}, "name"},
		{"color 11", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Labels.Create(ctx, "x", 11)
			return err
		}, "color"},
		{"color -1", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Labels.Create(ctx, "x", -1)
			return err
		}, "color"},
		{"delete no label", func(ctx context.Context, i *InstanceClient) error { return i.Labels.Delete(ctx, "") }, "label id"},
		{"assign no label", func(ctx context.Context, i *InstanceClient) error { return i.Labels.Assign(ctx, ana, " 1") }, "label id"},
		{"unassign nobody", func(ctx context.Context, i *InstanceClient) error { return i.Labels.Unassign(ctx, "", "1") }, "chat"},
		{"ring a group", func(ctx context.Context, i *InstanceClient) error { _, err := i.Calls.Ring(ctx, family, 0); return err }, "phone"},
		{"ring a LID", func(ctx context.Context, i *InstanceClient) error { _, err := i.Calls.Ring(ctx, anaLID, 0); return err }, "phone"},
		{"ring too long", func(ctx context.Context, i *InstanceClient) error { _, err := i.Calls.Ring(ctx, ana, long); return err }, "duration"},
		{"play nothing", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Calls.PlayAudio(ctx, ana, MediaSource{})
			return err
		}, "audio"},
		{"play an empty file", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Calls.PlayAudio(ctx, ana, MediaBytes("a.mp3", nil))
			return err
		}, "audio"},
		{"play a path", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Calls.PlayAudio(ctx, ana, MediaURL("/notice.mp3"))
			return err
		}, "audio"},
		{"get no message", func(ctx context.Context, i *InstanceClient) error { _, err := i.Messages.Get(ctx, ""); return err }, "message id"},
		{"status of no message", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.DeliveryStatus(ctx, "a\nb")
			return err
		}, "message id"},
		{"votes of no message", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.PollVotes(ctx, "")
			return err
		}, "message id"},
		{"edit no message", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.Edit(ctx, "", "x")
			return err
		}, "message id"},
		{"edit to nothing", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.Edit(ctx, anID, " ")
			return err
		}, "text"},
		{"delete no message", func(ctx context.Context, i *InstanceClient) error { return i.Messages.DeleteForMe(ctx, "") }, "message id"},
		{"forward no message", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.Forward(ctx, "", ana)
			return err
		}, "message id"},
		{"forward to a status", func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.Forward(ctx, anID, StatusBroadcast)
			return err
		}, "to"},
		{"pin for no time", func(ctx context.Context, i *InstanceClient) error { return i.Messages.Pin(ctx, anID, 0) }, "duration"},
		{"read without a sender", func(ctx context.Context, i *InstanceClient) error { return i.Messages.MarkRead(ctx, family, anID, "") }, "sender"},
		{"read with a group as sender", func(ctx context.Context, i *InstanceClient) error {
			return i.Messages.MarkRead(ctx, family, anID, family)
		}, "sender"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inst, s := script(t)
			err := c.call(t.Context(), inst)
			var bad *ValidationError
			require.ErrorAs(t, err, &bad)
			require.ErrorIs(t, err, ErrInvalidArgument)
			assert.Equal(t, c.field, bad.Field)
			assert.Empty(t, s.requests())
		})
	}
}

// A phone is accepted only from an answer that names exactly the LID asked for.
func TestPhoneOfALIDIsNeverAnothers(t *testing.T) {
	for name, contact := range map[string]string{
		"not found":       `{"found":false}`,
		"another LID":     `{"found":true,"jid":"5511987654321@s.whatsapp.net","lid":"999999999999999@lid"}`,
		"no LID":          `{"found":true,"jid":"5511987654321@s.whatsapp.net"}`,
		"no phone":        `{"found":true,"lid":"123456789012345@lid"}`,
		"the LID as JID":  `{"found":true,"jid":"123456789012345@lid","lid":"123456789012345@lid"}`,
		"its bare digits": `{"found":true,"jid":"123456789012345","lid":"123456789012345@lid"}`,
		"not found after": `{"found":false,"jid":"5511987654321@s.whatsapp.net","lid":"123456789012345@lid"}`,
	} {
		t.Run(name, func(t *testing.T) {
			inst, _ := script(t, scriptedReply{body: `{"success":true,"contact":` + contact + `}`})
			phone, err := inst.Contacts.PhoneOf(t.Context(), anaLID)
			require.ErrorIs(t, err, ErrContactNotFound)
			require.ErrorIs(t, err, ErrNotFound)
			assert.Contains(t, err.Error(), string(anaLID))
			assert.Empty(t, phone)
		})
	}
	inst, _ := script(t, scriptedReply{body: `{"success":true,"contact":{"found":true,"jid":"5521987654321@s.whatsapp.net","lid":"123456789012345@lid"}}`})
	_, err := inst.Contacts.LIDOf(t.Context(), ana)
	require.ErrorIs(t, err, ErrNotFound)
}

// Whether the service answers before or after the time asked for is not
// documented, so the time limit has room for it.
func TestTimeLimitsHaveRoomForWhatWasAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		call  func(context.Context, *InstanceClient) error
	}{
		"typing for a minute": {70 * time.Second, func(ctx context.Context, i *InstanceClient) error {
			return i.Chats.Typing(ctx, ana, time.Minute)
		}},
		"ringing for a minute": {85 * time.Second, func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Calls.Ring(ctx, ana, time.Minute)
			return err
		}},
		"ringing as long as the service does": {36 * time.Second, func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Calls.Ring(ctx, ana, 0)
			return err
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				select {
				case <-r.Context().Done():
					return nil, r.Context().Err()
				case <-time.After(c.after):
					return jsonResponse(r, `{"success":true,"callId":"C"}`), nil
				}
			})}))
			require.NoError(t, err)
			require.NoError(t, c.call(t.Context(), client.Instance("a", "t0ken")), name)
		})
	}
}
