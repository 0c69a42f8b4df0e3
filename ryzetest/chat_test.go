package ryzetest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// paired runs a test in a bubble, with an in-memory server and one connected
// instance "a".
func paired(t *testing.T, fn func(t *testing.T, s *Server, c client, i *Instance), opts ...Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(append([]Option{InMemory(), WithRateLimit(10000)}, opts...)...)
		defer s.Close()
		i := s.AddInstance("a")
		i.Pair("5511900000001")
		fn(t, s, client{t, s, s.AccountToken}, i)
	})
}

// sent sends a text message and returns its id.
func (c client) sent(number, text string) string {
	c.t.Helper()
	a := c.do("POST", "/api/message/text/a", fmt.Sprintf(`{"number":%q,"message":%q}`, number, text))
	require.Equal(c.t, 200, a.status, string(a.raw))
	return a.at("data", "messageId").(string)
}

// good expects a 200 and returns the reply.
func (c client) good(method, path, body string) answer {
	c.t.Helper()
	a := c.do(method, path, body)
	require.Equal(c.t, 200, a.status, string(a.raw))
	return a
}

// bad expects an error of that status and text.
func (c client) bad(status int, text, method, path, body string) {
	c.t.Helper()
	a := c.do(method, path, body)
	assert.Equal(c.t, status, a.status, "%s %s %s", method, path, a.raw)
	assert.Equal(c.t, text, a.text(), "%s %s", method, path)
}

func ids(a answer, list, key string) []string {
	var got []string
	items, _ := a.body[list].([]any)
	for _, item := range items {
		id, _ := item.(map[string]any)[key].(string)
		got = append(got, id)
	}
	return got
}

const friend = "5511987654321"

func TestHistoryPagesBackWithInclusiveBounds(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		var all []string
		for n := range 5 {
			all = append([]string{i.Receive(Incoming{From: friend, Text: fmt.Sprint(n)})}, all...)
			time.Sleep(1500 * time.Millisecond) // timestamps have whole seconds
		}
		i.Receive(Incoming{From: "5511911112222", Text: "another chat"})

		page := c.good("POST", "/api/chat/history/a", `{"number":"5511987654321","count":2}`)
		assert.Equal(t, all[:2], ids(page, "messages", "id"))
		assert.Equal(t, true, page.at("hasMore"))
		assert.EqualValues(t, 2, page.at("count"))
		oldest := page.at("messages").([]any)[1].(map[string]any)["timestamp"].(string)
		page = c.good("POST", "/api/chat/history/a", fmt.Sprintf(`{"number":"5511987654321","count":9,"to":%q}`, oldest))
		assert.Equal(t, all[1:], ids(page, "messages", "id"), "the boundary message comes again")
		assert.Equal(t, false, page.at("hasMore"))
		page = c.good("POST", "/api/chat/history/a", fmt.Sprintf(`{"number":"5511987654321@s.whatsapp.net","from":%q}`, oldest))
		assert.Equal(t, all[:2], ids(page, "messages", "id"))
		assert.Empty(t, s.Violations())
	})
}

func TestHistoryFindsAChatByItsLID(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		s.AddContact(Contact{Phone: friend, LID: "123@lid", Name: "Ana"})
		id := i.Receive(Incoming{From: friend, Text: "hi", HideNumber: true})
		other := c.sent("123@lid", "hello")
		page := c.good("POST", "/api/chat/history/a", `{"number":"123@lid"}`)
		assert.ElementsMatch(t, []string{id, other}, ids(page, "messages", "id"))
	})
}

func TestMediaIsNotThereBeforeItWasIngested(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		id := i.Receive(Incoming{From: friend, Media: &File{Data: []byte("abc"), MIME: "image/png"}})
		path := "/api/chat/base64/a?messageId=" + id
		c.bad(404, "Message not found or no media available", "GET", path, "")
		time.Sleep(500 * time.Millisecond)
		a := c.good("GET", path, "")
		assert.Equal(t, "YWJj", a.at("base64"))
		assert.Equal(t, "image/png", a.at("mime_type"))
		assert.Equal(t, "image", a.at("media_type"))

		c.good("DELETE", "/api/chat/deleteChat/a", `{"number":"5511987654321"}`)
		assert.Equal(t, 200, c.do("GET", path, "").status, "media is kept unless it is to be deleted too")
		c.bad(404, "Message not found", "GET", "/api/chat/getMessage/a?messageId="+id, "")
		c.good("DELETE", "/api/chat/deleteChat/a", `{"number":"5511987654321","deleteMedia":true}`)
		assert.Equal(t, 404, c.do("GET", path, "").status)
	}, WithMediaDelay(500*time.Millisecond))
}

func TestStatusFollowsTheReceipts(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		id := c.sent(friend, "x")
		status := func(id, word string, code int, direction string) {
			t.Helper()
			a := c.good("GET", "/api/chat/status/a?messageId="+id, "")
			assert.Equal(t, word, a.at("status"))
			assert.EqualValues(t, code, a.at("status_code"))
			assert.Equal(t, direction, a.at("direction"))
		}
		status(id, "sent", 1, "sent")
		time.Sleep(100 * time.Millisecond)
		status(id, "delivered", 2, "sent")
		time.Sleep(100 * time.Millisecond)
		status(id, "read", 4, "sent")
		i.Receipt("server_error", id)
		status(id, "error", -1, "sent")
		in := i.Receive(Incoming{From: friend, Text: "y"})
		status(in, "received", 3, "received")
		c.good("POST", "/api/chat/markRead/a", fmt.Sprintf(`{"messageId":%q,"number":%q}`, in, friend))
		status(in, "read", 4, "received")

		s.AddInstance("b").Pair("")
		c.bad(404, "Message does not belong to this instance", "GET", "/api/chat/status/b?messageId="+id, "")
		c.bad(404, "Message not found", "GET", "/api/chat/status/b?messageId=none", "")
	})
}

func TestEditEndsAfterItsWindow(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
		conn := dial(t, s, "a", i.Token())
		id := c.sent(friend, "old")
		readEvent(t, conn)
		edit := fmt.Sprintf(`{"messageId":%q,"content":"new"}`, id)

		time.Sleep(15 * time.Minute)
		a := c.good("POST", "/api/chat/edit/a", edit)
		assert.Equal(t, "old", a.at("oldContent"))
		assert.Equal(t, "new", a.at("newContent"))
		e := readEvent(t, conn)
		assert.Equal(t, "message_edit", e.at("data", "message", "type"))
		assert.Equal(t, id, e.at("data", "message", "edit", "original_id"))
		m, _ := i.Message(id)
		assert.Equal(t, "new", m.Text)

		time.Sleep(time.Second)
		a = c.do("POST", "/api/chat/edit/a", edit)
		assert.Equal(t, 400, a.status)
		assert.Contains(t, a.text(), "too old to edit")

		theirs := i.Receive(Incoming{From: friend, Text: "theirs"})
		a = c.do("POST", "/api/chat/edit/a", fmt.Sprintf(`{"messageId":%q,"content":"new"}`, theirs))
		assert.Equal(t, 400, a.status)
		assert.Contains(t, a.text(), "can only edit")
		c.bad(404, "message not found", "POST", "/api/chat/edit/a", `{"messageId":"x","content":"new"}`)
	})
}

func TestRevokeReportsSuccessEvenWhenItIsTooLate(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
		conn := dial(t, s, "a", i.Token())
		early, late, mine := c.sent(friend, "1"), c.sent(friend, "2"), c.sent(friend, "3")
		for range 3 {
			readEvent(t, conn)
		}
		a := c.good("DELETE", "/api/chat/delete/a", fmt.Sprintf(`{"messageId":%q,"deleteForEveryone":true}`, early))
		assert.Equal(t, "revoke", a.at("delete_type"))
		e := readEvent(t, conn)
		assert.Equal(t, "message_revoke", e.at("data", "message", "type"))
		assert.Equal(t, early, e.at("data", "id"))
		time.Sleep(61 * time.Hour)
		a = c.good("DELETE", "/api/chat/delete/a", fmt.Sprintf(`{"messageId":%q,"deleteForEveryone":true}`, late))
		assert.Equal(t, "revoke", a.at("delete_type"))
		a = c.good("DELETE", "/api/chat/delete/a", fmt.Sprintf(`{"messageId":%q}`, mine))
		assert.Equal(t, "delete_for_me", a.at("delete_type"))

		m, _ := i.Message(early)
		assert.True(t, m.Revoked)
		m, _ = i.Message(late)
		assert.False(t, m.Revoked)
		m, _ = i.Message(mine)
		assert.True(t, m.Deleted)
		page := c.good("POST", "/api/chat/history/a", `{"number":"5511987654321"}`)
		assert.NotContains(t, ids(page, "messages", "id"), mine)
	})
}

func TestForwardMakesANewMessage(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
		conn := dial(t, s, "a", i.Token())
		id := i.Receive(Incoming{From: friend, Text: "cap", Media: &File{Data: []byte("abc"), MIME: "image/png"}})
		readEvent(t, conn)
		a := c.good("POST", "/api/chat/forward/a", fmt.Sprintf(`{"messageId":%q,"to":"5511911112222"}`, id))
		assert.Equal(t, id, a.at("originalId"))
		assert.Equal(t, "5511911112222@s.whatsapp.net", a.at("destinationJid"))
		e := readEvent(t, conn)
		assert.Equal(t, a.at("messageId"), e.at("data", "id"))
		assert.Equal(t, true, e.at("data", "message", "isForwarded"))
		assert.Equal(t, "outgoing", e.at("data", "direction"))
		m, _ := i.Message(a.at("messageId").(string))
		assert.Equal(t, []byte("abc"), m.Media.Bytes)

		poll := i.Receive(Incoming{From: friend, Poll: &Poll{Question: "?", Options: []string{"a", "b"}}})
		c.bad(500, "unsupported message type for forwarding: poll", "POST", "/api/chat/forward/a",
			fmt.Sprintf(`{"messageId":%q,"to":"5511911112222"}`, poll))
		s.SetUnreachable("4400")
		assert.Equal(t, 400, c.do("POST", "/api/chat/forward/a", fmt.Sprintf(`{"messageId":%q,"to":"4400"}`, id)).status)
	})
}

func TestVoteReplacesTheFormerOne(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		id := i.TypeOnPhone(friend, Incoming{Poll: &Poll{Question: "When?", Options: []string{"Mon", "Tue", "Wed"}, Max: 2}})
		require.NotEmpty(t, i.Vote(id, friend, "Mon"))
		last := i.Vote(id, friend, "Tue", "Wed")
		i.Vote(id, "5511911112222", "Tue")
		gone := i.Vote(id, "5511933334444", "Mon")
		require.NotEmpty(t, gone)
		i.Vote(id, "5511933334444")
		assert.Empty(t, i.Vote(id, friend, "Sun"))
		assert.Empty(t, i.Vote(id, friend, "Mon", "Tue", "Wed"))

		a := c.good("GET", "/api/chat/poll/a?messageId="+id, "")
		assert.Equal(t, "When?", a.at("data", "name"))
		assert.Equal(t, []any{
			map[string]any{"optionName": "Mon", "optionVoteCount": 0.0},
			map[string]any{"optionName": "Tue", "optionVoteCount": 2.0},
			map[string]any{"optionName": "Wed", "optionVoteCount": 1.0},
		}, a.at("data", "votes"))
		first := a.at("data", "voteDetails").([]any)[0].(map[string]any)
		assert.Equal(t, friend, first["senderJid"])
		assert.Equal(t, last, first["voteMessageId"])
		assert.Equal(t, "D1EB39B09BF52B68D1C4CB75B98211855DCFF0BB908C62C7B969B04EF9CE81F0", first["optionHash"])
		theirs := i.Receive(Incoming{From: friend, Poll: &Poll{Question: "?", Options: []string{"a", "b"}}})
		c.bad(404, "Poll not found", "GET", "/api/chat/poll/a?messageId="+theirs, "")
	})
}

func TestLabelsGoThroughTheirLife(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["label.update"]}`)
		conn := dial(t, s, "a", i.Token())
		a := c.good("POST", "/api/chat/tag/a", `{"name":" Lead ","color":11}`)
		assert.Equal(t, map[string]any{"id": "1", "name": "Lead", "color": 0.0, "type": "CUSTOM", "deleted": false}, a.at("tag"))
		e := readEvent(t, conn)
		assert.Equal(t, map[string]any{"type": "edit", "labelId": "1", "action": "updated", "name": "Lead", "color": 0.0, "deleted": false}, e.at("data"))
		assert.Equal(t, "2", i.AddLabel("Gold", 7))
		readEvent(t, conn)

		body := `{"number":"5511987654321","tagId":"1"}`
		c.good("POST", "/api/chat/assignTag/a", body)
		c.good("POST", "/api/chat/assignTag/a", body)
		e = readEvent(t, conn)
		assert.Equal(t, map[string]any{"type": "chat", "labelId": "1", "action": "add", "chatJid": "5511987654321@s.whatsapp.net", "labeled": true}, e.at("data"))
		i.LabelChat("2", "5511911112222", true)
		assert.Equal(t, "2", readEvent(t, conn).at("data", "labelId"), "a label that is on already is not announced again")
		assert.Equal(t, []string{"1"}, i.Chat(friend).Labels)

		a = c.good("GET", "/api/chat/contactsByLabel/a", "")
		assert.EqualValues(t, 2, a.at("total_chats"))
		a = c.good("GET", "/api/chat/contactsByLabel/a?labelNames=gold,none&refresh=true", "")
		assert.EqualValues(t, 1, a.at("total_chats"))
		assert.Equal(t, []any{"2"}, a.at("filter_label_ids"))
		assert.Equal(t, true, a.at("refreshed"))

		c.good("DELETE", "/api/chat/assignTag/a?number=5511911112222&tagId=2", "")
		assert.Equal(t, "remove", readEvent(t, conn).at("data", "action"))
		c.good("DELETE", "/api/chat/tag/a?tagId=1", "")
		assert.Equal(t, "deleted", readEvent(t, conn).at("data", "action"))
		c.bad(404, "Tag not found", "DELETE", "/api/chat/tag/a?tagId=1", "")
		assert.Equal(t, []string{"1", "2"}, ids(c.good("GET", "/api/chat/tag/a", ""), "tags", "id"))
		time.Sleep(labelSync)
		synctest.Wait()
		assert.Equal(t, []string{"2"}, ids(c.good("GET", "/api/chat/tag/a", ""), "tags", "id"))
		assert.Empty(t, i.Chat(friend).Labels)
		assert.Empty(t, s.Violations())
	})
}

func TestChatStateIsKept(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		i.Receive(Incoming{From: friend, Text: "1"})
		in := i.Receive(Incoming{From: friend, Text: "2"})
		assert.Equal(t, 2, i.Chat(friend).Unread)
		c.good("POST", "/api/chat/markRead/a", fmt.Sprintf(`{"messageId":%q,"number":%q}`, in, friend))
		assert.Equal(t, 2, i.Chat(friend).Unread, "a receipt leaves the badge alone")
		c.good("POST", "/api/chat/markChatRead/a", `{"number":"5511987654321","read":true}`)
		assert.Zero(t, i.Chat(friend).Unread)
		c.good("POST", "/api/chat/markChatRead/a", `{"number":"5511987654321","read":false}`)
		assert.True(t, i.Chat(friend).MarkedUnread)

		for _, what := range []string{"archive", "pinChat", "mute", "block", "favorite"} {
			key := map[string]string{"pinChat": "pin"}[what]
			if key == "" {
				key = what
			}
			c.good("POST", "/api/chat/"+what+"/a", fmt.Sprintf(`{"number":%q,%q:true}`, friend, key))
		}
		got := i.Chat(friend)
		assert.True(t, got.Archived && got.Pinned && got.Muted && got.Blocked && got.Favorite, "%+v", got)
		assert.Empty(t, i.Receive(Incoming{From: friend, Text: "from somebody blocked"}))

		a := c.good("POST", "/api/chat/mute/a", `{"number":"5511987654321","mute":true,"duration":"8h"}`)
		assert.EqualValues(t, 28800, a.at("duration"))
		assert.Equal(t, "Chat muted for 8 hours", a.at("message"))
		time.Sleep(8 * time.Hour)
		assert.False(t, i.Chat(friend).Muted)
		c.bad(400, "Invalid duration: 3h", "POST", "/api/chat/mute/a", `{"number":"5511987654321","mute":true,"duration":"3h"}`)

		for n := range 2 {
			c.good("POST", "/api/chat/pinChat/a", fmt.Sprintf(`{"number":"551190000000%d","pin":true}`, n+3))
		}
		c.good("POST", "/api/chat/pinChat/a", `{"number":"5511987654321","pin":true}`)
		assert.Equal(t, 500, c.do("POST", "/api/chat/pinChat/a", `{"number":"5511900000009","pin":true}`).status)
		c.good("POST", "/api/chat/pinChat/a", `{"number":"5511987654321","pin":false}`)
		c.good("POST", "/api/chat/pinChat/a", `{"number":"5511900000009","pin":true}`)

		assert.Equal(t, 400, c.do("POST", "/api/chat/block/a", `{"number":"120363000000000001@g.us","block":true}`).status)
		assert.Empty(t, s.Violations())
	})
}

func TestPresenceEndsByItself(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/chat/presence/a", `{"number":"5511987654321","state":"Typing","duration":90}`)
		time.Sleep(59 * time.Second)
		assert.Equal(t, "typing", i.Chat(friend).Presence)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Empty(t, i.Chat(friend).Presence, "durations are cut to 60 s")
		c.good("POST", "/api/chat/presence/a", `{"number":"5511987654321","state":"typing","duration":10}`)
		time.Sleep(5 * time.Second)
		c.good("POST", "/api/chat/presence/a", `{"number":"5511987654321","state":"recording","duration":10}`)
		time.Sleep(6 * time.Second)
		assert.Equal(t, "recording", i.Chat(friend).Presence, "the end of the former one is no end of this one")
		c.good("POST", "/api/chat/presence/a", `{"number":"5511987654321","state":"recording"}`)
		assert.Equal(t, "recording", i.Chat(friend).Presence)
		c.good("POST", "/api/chat/presence/a", `{"number":"5511987654321","state":"paused"}`)
		assert.Empty(t, i.Chat(friend).Presence)
	})
}

func TestChatRoutesOfAnInstanceThatIsNotConnected(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		id := c.sent(friend, "x")
		s.AddContact(Contact{Phone: friend, Name: "Ana"})
		i.Disconnect()
		for _, r := range routes {
			if r.offline == 503 {
				assert.Contains(t, r.path, "/api/chat/")
			}
		}
		c.bad(503, textNotConnected, "POST", "/api/chat/archive/a", `{"number":"5511987654321","archive":true}`)
		c.bad(503, textNotConnected, "GET", "/api/chat/tag/a", "")
		c.bad(503, textNotConnected, "GET", "/api/chat/contactsByLabel/a?refresh=true", "")
		c.good("GET", "/api/chat/contactsByLabel/a", "")
		c.good("GET", "/api/chat/status/a?messageId="+id, "")
		a := c.good("GET", "/api/chat/contacts/a?number="+friend, "")
		assert.Equal(t, map[string]any{"jid": friend + "@s.whatsapp.net", "first_name": "Ana", "push_name": "Ana", "found": true}, a.at("contact"))
		a = c.good("GET", "/api/chat/contacts/a?number=4400", "")
		assert.Equal(t, false, a.at("contact", "found"))
	}, WithNotConnectedStatus(400))
}

func TestUnknownChatFieldsAndParametersAreViolations(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.do("POST", "/api/chat/archive/a", `{"number":"5511987654321","archived":true}`)
		c.do("GET", "/api/chat/status/a?message_id=x", "")
		v := s.Violations()
		require.Len(t, v, 2)
		assert.Equal(t, Violation{"POST /api/chat/archive/:instance", UnknownField, "archived"}, v[0])
		assert.Equal(t, Violation{"GET /api/chat/status/:instance", UnknownQuery, "message_id"}, v[1])
	})
}

func TestChatErrorTexts(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		for _, tt := range []struct {
			text, method, name, body string
			status                   int
		}{
			{"Message ID is required (use ?messageId=<message-id>)", "GET", "getMessage/a", "", 400},
			{"Message not found", "GET", "getMessage/a?messageId=x", "", 404},
			{"Number is required", "POST", "history/a", `{}`, 400},
			{"invalid 'from' date format. Use ISO 8601 format (e.g., '2026-02-16T18:32:39Z')", "POST", "history/a", `{"number":"1","from":"x"}`, 400},
			{"invalid 'to' date format. Use ISO 8601 format (e.g., '2026-02-16T18:32:39Z')", "POST", "history/a", `{"number":"1","to":"x"}`, 400},
			{"messageId query parameter is required", "GET", "base64/a", "", 400},
			{"messageId query parameter is required", "GET", "status/a", "", 400},
			{"messageId query parameter is required", "GET", "poll/a", "", 400},
			{"messageId is required", "POST", "markRead/a", `{}`, 400},
			{"Number is required", "POST", "markRead/a", `{"messageId":"x"}`, 400},
			{"sender is required for group messages", "POST", "markRead/a", `{"messageId":"x","number":"120363000000000001@g.us"}`, 400},
			{"Invalid request body", "POST", "edit/a", `[]`, 400},
			{"messageId is required", "POST", "edit/a", `{}`, 400},
			{"content is required", "POST", "edit/a", `{"messageId":"x"}`, 400},
			{"MessageID is required", "DELETE", "delete/a", `{}`, 400},
			{"message not found", "DELETE", "delete/a", `{"messageId":"x"}`, 404},
			{"messageId is required", "POST", "forward/a", `{}`, 400},
			{"to is required", "POST", "forward/a", `{"messageId":"x"}`, 400},
			{"message not found", "POST", "forward/a", `{"messageId":"x","to":"1"}`, 404},
			{"message with ID x not found", "POST", "pinMessage/a", `{"messageId":"x","pin":true}`, 404},
			{"Either number or messageId is required", "POST", "favorite/a", `{"favorite":true}`, 400},
			{"Message not found", "POST", "favorite/a", `{"messageId":"x","number":"1"}`, 404},
			{"Tag name is required", "POST", "tag/a", `{"name":" "}`, 400},
			{"tagId query parameter is required", "DELETE", "tag/a", "", 400},
			{"Tag not found", "DELETE", "tag/a?tagId=9", "", 404},
			{"Number is required", "POST", "assignTag/a", `{}`, 400},
			{"tagId is required", "POST", "assignTag/a", `{"number":"1"}`, 400},
			{"Tag not found", "POST", "assignTag/a", `{"number":"1","tagId":"9"}`, 404},
			{"number query parameter is required", "DELETE", "assignTag/a?tagId=9", "", 400},
			{"tagId query parameter is required", "DELETE", "assignTag/a?number=1", "", 400},
			{"Tag not found", "DELETE", "assignTag/a?number=1&tagId=9", "", 404},
			{"Number is required", "POST", "archive/a", `{}`, 400},
			{"Invalid request body", "POST", "block/a", `{`, 400},
			{"State is required. Use 'typing', 'recording', or 'pause'", "POST", "presence/a", `{"number":"1"}`, 400},
			{"Invalid state. Use 'typing', 'recording', or 'pause'", "POST", "presence/a", `{"number":"1","state":"x"}`, 400},
			{"Instance name is required", "GET", "tag", "", 400},
			{"Instance not found", "GET", "tag/b", "", 404},
		} {
			c.bad(tt.status, tt.text, tt.method, "/api/chat/"+tt.name, tt.body)
		}
		a := c.do("POST", "/api/chat/history/a", `[]`)
		assert.Equal(t, 400, a.status)
		assert.Regexp(t, "^Invalid request body: .", a.text())
	})
}

func TestContactsAreListed(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		assert.Equal(t, []any{}, c.good("GET", "/api/chat/contacts/a", "").at("contacts"))
		s.AddContact(Contact{Phone: "5521", LID: "77@lid", Name: "Ana"})
		i.Receive(Incoming{From: "5511", Name: "Bia", Text: "hi"})
		a := c.good("GET", "/api/chat/contacts/a", "")
		assert.Equal(t, []any{
			map[string]any{"jid": "5511@s.whatsapp.net", "first_name": "Bia", "push_name": "Bia"},
			map[string]any{"jid": "5521@s.whatsapp.net", "lid": "77@lid", "first_name": "Ana", "push_name": "Ana"},
		}, a.at("contacts"))
		assert.EqualValues(t, 2, a.at("total"))
		assert.Equal(t, 400, c.do("GET", "/api/chat/contacts/a?number=x", "").status)
	})
}

func TestChangesWithoutEchoesAreStillMade(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/events/websocket/a", `{"enabled":true}`)
		i.SetDelivery(Receipts{Off: true})
		conn := dial(t, s, "a", i.Token())
		id := c.sent(friend, "old")
		c.good("POST", "/api/chat/edit/a", fmt.Sprintf(`{"messageId":%q,"content":"new"}`, id))
		c.good("POST", "/api/chat/forward/a", fmt.Sprintf(`{"messageId":%q,"to":"1"}`, id))
		c.good("DELETE", "/api/chat/delete/a", fmt.Sprintf(`{"messageId":%q,"deleteForEveryone":true}`, id))
		i.Emit("last", nil)
		assert.Equal(t, "last", readEvent(t, conn).at("event"))
		m, _ := i.Message(id)
		assert.Equal(t, "new", m.Text)
		assert.True(t, m.Edited && m.Revoked)
		assert.Len(t, i.Sent(), 2)
	}, WithoutEchoes())
}

func TestBlockedChatsGetNoReceipts(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/chat/block/a", `{"number":"5511987654321","block":true}`)
		id := c.sent(friend, "x")
		time.Sleep(time.Minute)
		m, _ := i.Message(id)
		assert.Equal(t, "sent", m.Status)
		a := c.good("POST", "/api/chat/block/a", `{"number":"5511987654321","block":false}`)
		assert.EqualValues(t, 0, a.at("blocked_count"))
		id = c.sent(friend, "y")
		time.Sleep(time.Minute)
		m, _ = i.Message(id)
		assert.Equal(t, "read", m.Status)
	})
}

func TestGroupAdminsRevokeWhatOthersWrote(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		g := s.AddGroup(NewGroup{Owner: "5511933334444", Members: []string{i.Phone(), friend}})
		id := i.Receive(Incoming{From: friend, Group: g.JID(), Text: "x"})
		revoke := fmt.Sprintf(`{"messageId":%q,"deleteForEveryone":true}`, id)
		c.good("DELETE", "/api/chat/delete/a", revoke)
		m, _ := i.Message(id)
		assert.False(t, m.Revoked, "success proves nothing")
		g.Promote(i.Phone())
		c.good("DELETE", "/api/chat/delete/a", revoke)
		m, _ = i.Message(id)
		assert.True(t, m.Revoked)
	})
}
