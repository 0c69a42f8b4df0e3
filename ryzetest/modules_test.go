package ryzetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quote(list []string) string { return string(encode(list)) }

func TestCommunityLinksGroupsOneByOne(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		mine, other := i.AddGroup("Mine"), i.AddGroup("Other")
		theirs := s.AddGroup(NewGroup{Name: "Theirs", Owner: friend, Members: []string{i.Phone()}})
		started := time.Now()
		a := c.good("POST", "/api/community/create/a", fmt.Sprintf(
			`{"name":"Acme hub","description":"d","membershipApprovalMode":"request_required","groupJid":%s}`,
			quote([]string{mine.JID(), theirs.JID(), "x"})))
		assert.Equal(t, 3*time.Second, time.Since(started), "a second for each group")
		assert.Equal(t, true, a.at("isCommunity"))
		assert.Equal(t, []any{mine.JID()}, a.at("linkedGroups"))
		assert.Equal(t, []any{theirs.JID(), "x"}, a.at("failedGroups"))
		assert.Nil(t, a.at("imageError"))
		hub := a.at("group", "jid").(string)

		list := func() []string {
			return ids(c.good("GET", "/api/community/listSubGroups/a?communityJid="+strings.TrimSuffix(hub, "@g.us"), ""), "subgroups", "name")
		}
		assert.Equal(t, []string{"Announcements", "Mine"}, list())
		body := func(groups ...string) string {
			return fmt.Sprintf(`{"communityJid":%q,"groupJid":%s}`, hub, quote(groups))
		}
		a = c.good("POST", "/api/community/link/a", body(other.JID(), mine.JID()))
		assert.Equal(t, "Linked 1 of 2 groups to community", a.at("message"))
		assert.Equal(t, []any{other.JID()}, a.at("linked"))
		assert.Equal(t, []any{mine.JID()}, a.at("failed"))
		a = c.good("POST", "/api/community/link/a", body(mine.JID()))
		assert.Equal(t, false, a.at("success"), "nothing was linked")
		sub := c.good("GET", "/api/community/listSubGroups/a?communityJid="+hub, "")
		announcements := sub.at("subgroups").([]any)[0].(map[string]any)
		assert.Equal(t, true, announcements["isDefaultSubGroup"])
		a = c.good("POST", "/api/community/unlink/a", body(mine.JID(), announcements["jid"].(string)))
		assert.Equal(t, "Unlinked 1 of 2 groups from community", a.at("message"))
		assert.Equal(t, []any{mine.JID()}, a.at("linked"))
		assert.Equal(t, []string{"Announcements", "Other"}, list())

		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
		conn := dial(t, s, "a", i.Token())
		c.good("POST", "/api/message/text/a", fmt.Sprintf(`{"number":%q,"message":"x"}`, announcements["jid"]))
		assert.Equal(t, true, readEvent(t, conn).at("data", "chat", "isCommunity"))
		c.good("POST", "/api/message/text/a", fmt.Sprintf(`{"number":%q,"message":"x"}`, other.JID()))
		assert.Nil(t, readEvent(t, conn).at("data", "chat", "isCommunity"))

		a = c.good("POST", "/api/group/create/a", fmt.Sprintf(`{"name":"New","participants":["1"],"communityJid":%q}`, hub))
		assert.Len(t, list(), 3)
		c.good("DELETE", "/api/group/leave/a?identifier="+hub, "")
		assert.Empty(t, list(), "who leaves the community leaves its groups")
		c.good("GET", "/api/group/info/a?identifier="+mine.JID(), "")
		assert.NotNil(t, a.at("group", "jid"))
		assert.Empty(t, s.Violations())
	})
}

func TestCommunityFallsBackToAPlainGroup(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		i.RefuseCommunities(true)
		g := i.AddGroup("Mine")
		a := c.good("POST", "/api/community/create/a", fmt.Sprintf(`{"name":"Hub","image":"data:image/png;base64,QUJD","groupJid":[%q]}`, g.JID()))
		assert.Equal(t, false, a.at("isCommunity"))
		assert.Equal(t, []any{g.JID()}, a.at("failedGroups"))
		assert.NotEmpty(t, a.at("imageError"))
		assert.NotNil(t, s.Group(a.at("group", "jid").(string)))
	})
}

func TestCommunityTakesFiftyGroups(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		hub := i.AddCommunity("Hub")
		var groups []string
		for n := range 51 {
			groups = append(groups, i.AddGroup(fmt.Sprint(n)).JID())
		}
		a := c.good("POST", "/api/community/link/a", fmt.Sprintf(`{"communityJid":%q,"groupJid":%s}`, hub.JID(), quote(groups)))
		assert.Equal(t, "Linked 50 of 51 groups to community", a.at("message"))
		assert.Equal(t, []any{groups[50]}, a.at("failed"))
	})
}

func TestNewsletterIsFollowedAndLeft(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		a := c.good("POST", "/api/newsletter/create/a", `{"name":"Mine","description":"d","image":"https://example.com/a.png"}`)
		assert.Equal(t, "active", a.at("channel", "state"))
		assert.NotNil(t, a.at("channel", "pictureUrl"))
		assert.EqualValues(t, 0, a.at("channel", "subscriberCount"))
		mine := a.at("channel", "jid").(string)

		n := s.AddNewsletter("Theirs", "", 41)
		code := strings.TrimPrefix(n.Link(), "https://whatsapp.com/channel/")
		for _, identifier := range []string{n.JID(), n.Link(), code} {
			a = c.good("GET", "/api/newsletter/info/a?identifier="+url.QueryEscape(identifier), "")
			assert.Equal(t, n.JID(), a.at("channel", "jid"))
			assert.NotContains(t, a.at("channel"), "inviteLink", "for the owner only")
			a = c.good("POST", "/api/newsletter/join/a", fmt.Sprintf(`{"identifier":%q}`, identifier))
			assert.Equal(t, n.JID(), a.at("channelJid"))
		}
		assert.EqualValues(t, 42, c.good("GET", "/api/newsletter/info/a?identifier="+code, "").at("channel", "subscriberCount"))
		assert.Equal(t, []string{mine, n.JID()}, ids(c.good("GET", "/api/newsletter/list/a", ""), "channels", "jid"))

		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
		conn := dial(t, s, "a", i.Token())
		n.Post("news")
		e := readEvent(t, conn)
		assert.Equal(t, "newsletter", e.at("data", "chat", "type"))
		assert.Equal(t, "news", e.at("data", "message", "content"))

		c.bad(400, "newsletter not found", "POST", "/api/newsletter/join/a", fmt.Sprintf(`{"identifier":%q}`, strings.ToLower(code)))
		assert.NotEqual(t, n.Link(), n.ResetLink())
		c.bad(400, "newsletter not found", "POST", "/api/newsletter/join/a", fmt.Sprintf(`{"identifier":%q}`, code))
		a = c.good("DELETE", "/api/newsletter/leave/a?identifier="+n.JID(), "")
		assert.Equal(t, n.JID(), a.at("channelJid"))
		assert.Equal(t, 400, c.do("DELETE", "/api/newsletter/leave/a?identifier="+n.JID(), "").status)
		assert.Equal(t, []string{mine}, ids(c.good("GET", "/api/newsletter/list/a", ""), "channels", "jid"))
		assert.Same(t, n, s.Newsletter(n.JID()))
		n.Post("unread")
		for _, m := range i.Messages() {
			assert.NotEqual(t, "unread", m.Text)
		}
		n.SetState(NewsletterSuspended)
		a = c.do("POST", "/api/newsletter/join/a", fmt.Sprintf(`{"identifier":%q}`, n.JID()))
		assert.Equal(t, 500, a.status)
		assert.Contains(t, a.text(), "failed to follow newsletter: ")
		assert.Empty(t, s.Violations())
	})
}

func TestProfileTellsAbsentFromEmpty(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		update := func(body string) any { return c.good("POST", "/api/profile/account/a", body).at("updatedFields") }
		get := func(query string) map[string]any {
			return c.good("GET", "/api/profile/getAccount/a"+query, "").at("profile").(map[string]any)
		}
		assert.Equal(t, []any{"profilePicture", "profileName", "profileStatus"},
			update(`{"profilePicture":"data:image/png;base64,iVBORw0KGgo=","profileName":"Support","profileStatus":"9-18"}`))
		p := get("")
		assert.Contains(t, p["profilePicture"], "https://pps.whatsapp.net/")
		assert.Equal(t, []any{}, update(`{"profileName":""}`), "an empty name is ignored")
		assert.Equal(t, []any{"profilePicture"}, update(`{"profilePicture":""}`))
		assert.Equal(t, map[string]any{"profilePicture": nil, "profileName": "Support", "profileStatus": "9-18",
			"phoneNumber": "5511900000001", "jid": "5511900000001@s.whatsapp.net"}, get(""))
		assert.Equal(t, []any{"profileStatus"}, update(`{"profileStatus":""}`))
		assert.NotContains(t, get(""), "profileStatus")
		assert.Equal(t, 400, c.do("POST", "/api/profile/account/a", `{}`).status)
		assert.Equal(t, 400, c.do("POST", "/api/profile/account/a", `{"profilePicture":"QUJD"}`).status, "no picture")

		s.AddContact(Contact{Phone: "551187654321", LID: "77@lid", Name: "Ana", About: "hi", Picture: "https://pps.whatsapp.net/x.jpg"})
		ana := map[string]any{"profilePicture": "https://pps.whatsapp.net/x.jpg", "profileName": "Ana", "profileStatus": "hi",
			"phoneNumber": "551187654321", "jid": "551187654321@s.whatsapp.net", "lid": "77@lid"}
		for _, number := range []string{"+55 (11) 98765-4321", "551187654321@s.whatsapp.net", "77@lid"} {
			assert.Equal(t, ana, get("?number="+url.QueryEscape(number)), number)
		}
		assert.Equal(t, map[string]any{"profilePicture": nil, "phoneNumber": "4401", "jid": "4401@s.whatsapp.net"}, get("?number=4401"))
		s.SetUnreachable("4400")
		assert.Equal(t, 404, c.do("GET", "/api/profile/getAccount/a?number=4400", "").status)
		assert.Equal(t, 400, c.do("GET", "/api/profile/getAccount/a?number=x", "").status)
		other := s.AddInstance("b")
		other.Pair("5511900000002")
		other.SetProfile("Sales", "24/7", "")
		assert.Equal(t, "24/7", get("?number=5511900000002")["profileStatus"])
		assert.Empty(t, s.Violations())
	})
}

func TestPrivacyMayBeAppliedInPart(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		all := `{"visibility":{"lastSeen":"none","status":"contacts","profile":"contacts","online":"match_last_seen"},"privacy":{"readReceipts":"none"},"permissions":{"callAdd":"known","groupAdd":"contacts"}}`
		i.FailPrivacyAfter(2)
		assert.Equal(t, 500, c.do("POST", "/api/profile/privacy/a", all).status)
		a := c.good("GET", "/api/profile/privacy/a", "")
		assert.Equal(t, map[string]any{"lastSeen": "none", "status": "contacts", "profile": "all", "online": "all"}, a.at("settings", "visibility"))
		a = c.good("POST", "/api/profile/privacy/a", all)
		raw, _ := json.Marshal(a.at("settings"))
		assert.JSONEq(t, all, string(raw))
		a = c.good("POST", "/api/profile/privacy/a", `{"permissions":{"callAdd":"all"}}`)
		assert.Equal(t, map[string]any{"callAdd": "all", "groupAdd": "contacts"}, a.at("settings", "permissions"))
		assert.Equal(t, a.at("settings"), c.good("GET", "/api/profile/getPrivacy/a", "").at("settings"))
		assert.Empty(t, s.Violations())
		assert.Equal(t, 400, c.do("POST", "/api/profile/privacy/a", `{}`).status)
		assert.Equal(t, 400, c.do("POST", "/api/profile/privacy/a", `{"permissions":{"groupAdd":"none"}}`).status)
		require.Len(t, s.Violations(), 1)
		assert.Equal(t, UnknownValue, s.Violations()[0].Kind)
	})
}

func TestCallsArePlaced(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["call.update"]}`)
		conn := dial(t, s, "a", i.Token())
		a := c.good("POST", "/api/call/fake/a", `{"number":"5511987654321"}`)
		assert.EqualValues(t, 8, a.at("duration"))
		assert.Regexp(t, "^[0-9A-F]{20}$", a.at("callId"))
		assert.Equal(t, "offer", readEvent(t, conn).at("data", "status"))
		started := time.Now()
		assert.Equal(t, "terminated", readEvent(t, conn).at("data", "status"))
		assert.Equal(t, 8*time.Second, time.Since(started))
		c.bad(400, "Duration must be between 1 and 60 seconds", "POST", "/api/call/fake/a", `{"number":"1","duration":61}`)
		c.bad(400, "Duration must be between 1 and 60 seconds", "POST", "/api/call/fake/a", `{"number":"1","duration":-1}`)
		c.bad(400, "Number is required", "POST", "/api/call/fake/a", `{}`)
		c.bad(400, "Number is required", "POST", "/api/call/audio/a", `{}`)
		assert.Equal(t, 400, c.do("POST", "/api/call/fake/a", `{"number":"120363000000000001@g.us"}`).status)
		c.bad(404, "instance not found", "POST", "/api/call/fake/b", `{}`)

		for _, body := range []string{
			`"mediaUrl":"https://example.com/a.mp3"`, `"mediaUrl":"T2dnUw=="`, `"mediaUrl":"data:audio/ogg;base64,T2dnUw=="`, `"mediaBase64":"T2dnUw=="`,
		} {
			a = c.good("POST", "/api/call/audio/a", `{"number":"5511987654321",`+body+`}`)
			assert.NotContains(t, a.body, "duration")
		}
		const one = "Provide exactly one of mediaUrl or mediaBase64"
		c.bad(400, one, "POST", "/api/call/audio/a", `{"number":"1"}`)
		c.bad(400, one, "POST", "/api/call/audio/a", `{"number":"1","mediaUrl":"T2dnUw==","mediaBase64":"T2dnUw=="}`)
		i.FailWhatsApp("call rejected", 1)
		c.bad(500, "call rejected", "POST", "/api/call/audio/a", `{"number":"1","mediaBase64":"T2dnUw=="}`)
		calls := i.Calls()
		require.Len(t, calls, 5)
		assert.Equal(t, "5511987654321@s.whatsapp.net", calls[0].To)
		assert.Equal(t, []byte("OggS"), calls[4].Audio.Bytes)
		assert.Empty(t, s.Violations())
	}, WithCallEvents())
}

func TestCallsEmitNothingUnlessAsked(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.good("POST", "/api/events/websocket/a", `{"enabled":true}`)
		conn := dial(t, s, "a", i.Token())
		c.good("POST", "/api/call/fake/a", `{"number":"5511987654321","duration":1}`)
		time.Sleep(2 * time.Second)
		i.Emit("last", nil)
		assert.Equal(t, "last", readEvent(t, conn).at("event"))
		synctest.Wait()
	})
}

const activation = `{"chatwootBaseUrl":"https://chatwoot.example.com/","chatwootAccountId":7,"chatwootApiToken":"cw","inboxName":"support","signMessages":true,"reopenResolved":true}`

func TestChatwootIsActivatedReadAndRemoved(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		i.Disconnect() // the module does not care
		c.bad(404, "no chatwoot integration for this instance", "GET", "/api/chatwoot/list/a", "")
		c.bad(404, "no chatwoot integration to delete", "DELETE", "/api/chatwoot/delete/a", "")
		c.bad(404, "instance not found", "GET", "/api/chatwoot/list/b", "")
		a := c.do("POST", "/api/chatwoot/set/a", activation)
		require.Equal(t, 201, a.status, string(a.raw))
		assert.NotContains(t, a.body, "success")
		assert.Equal(t, "active", a.at("status"))
		assert.NotContains(t, string(a.raw), `"cw"`)

		got := c.good("GET", "/api/chatwoot/list/a", "")
		assert.NotContains(t, got.body, "success")
		assert.Equal(t, a.at("bridge_integration_id"), got.at("bridge_integration_id"))
		assert.Equal(t, "https://chatwoot.example.com", got.at("chatwoot_base_url"))
		assert.Equal(t, "cw", got.at("chatwoot_api_token"))
		assert.Equal(t, true, got.at("sign_messages"))
		assert.Equal(t, false, got.at("ignore_groups"))
		inbox := got.at("chatwoot_inbox_id")
		c.do("POST", "/api/chatwoot/set/a", activation)
		assert.NotEqual(t, inbox, c.good("GET", "/api/chatwoot/list/a", "").at("chatwoot_inbox_id"), "a repeat makes another inbox")
		assert.True(t, i.SetChatwootStatus("error", "timeout"))
		got = c.good("GET", "/api/chatwoot/list/a", "")
		assert.Equal(t, "error", got.at("status"))
		assert.Equal(t, "timeout", got.at("last_error"))
		assert.Equal(t, map[string]any{"message": "chatwoot integration deactivated"}, c.good("DELETE", "/api/chatwoot/delete/a", "").body)
		assert.Equal(t, 404, c.do("GET", "/api/chatwoot/list/a", "").status)
		assert.False(t, i.SetChatwootStatus("error", ""))
		assert.Empty(t, s.Violations())
	})
}

func TestChatwootRefusals(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		for _, tt := range []struct {
			chatwoot, status int
			text             string
		}{
			{401, 401, "Chatwoot rejected the API token — verify chatwootApiToken. Detail: no"},
			{403, 403, "Chatwoot denied the request — verify the API token has admin scope on account 7. Detail: no"},
			{404, 400, "Chatwoot account or endpoint not found - verify chatwootBaseUrl (https://chatwoot.example.com) and chatwootAccountId (7). Detail: no"},
			{422, 400, "Chatwoot rejected the request as invalid. Detail: no"},
		} {
			s.RejectChatwoot(tt.chatwoot, "no")
			c.bad(tt.status, tt.text, "POST", "/api/chatwoot/set/a", activation)
		}
		assert.Equal(t, 404, c.do("GET", "/api/chatwoot/list/a", "").status)
		for _, body := range []string{`{`, `{}`, strings.Replace(activation, "7", "0", 1)} {
			a := c.do("POST", "/api/chatwoot/set/a", body)
			assert.Equal(t, 400, a.status)
			assert.Regexp(t, "^invalid body: .", a.text())
		}
	})
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		for _, name := range []string{"a", "nobody"} {
			c.bad(503, "integration gateway not configured", "GET", "/api/chatwoot/list/"+name, "")
			c.bad(503, "integration gateway not configured", "POST", "/api/chatwoot/set/"+name, activation)
			c.bad(503, "integration gateway not configured", "DELETE", "/api/chatwoot/delete/"+name, "")
		}
	}, WithoutChatwoot())
}

func TestTextsOfCommunitiesAndNewsletters(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		n := s.AddNewsletter("x", "", 0)
		const (
			field = "The 'identifier' field is required (JID @newsletter or invite link/code)"
			query = "The 'identifier' query parameter is required (JID @newsletter or invite link/code)"
			wrong = "Invalid newsletter identifier (use JID @newsletter or invite link/code)"
		)
		rows := []struct {
			text, method, path, body string
			status, fail             int // fail: how often WhatsApp refuses
		}{
			{"community jid is required", "POST", "community/link", `{}`, 400, 0},
			{"group jid is required", "POST", "community/link", `{"communityJid":"1@g.us"}`, 400, 0},
			{`error parse community jid: "x" is not the JID of a group`, "POST", "community/link", `{"communityJid":"x","groupJid":["1@g.us"]}`, 500, 0},
			{"community jid is required", "POST", "community/unlink", `{"groupJid":["1@g.us"]}`, 400, 0},
			{"group jid is required", "POST", "community/unlink", `{"communityJid":"1@g.us","groupJid":[]}`, 400, 0},
			{`error parse community jid: "x@g.us" has no valid id`, "POST", "community/unlink", `{"communityJid":"x@g.us","groupJid":["1@g.us"]}`, 500, 0},
			{"communityJid query parameter is required", "GET", "community/listSubGroups", "", 400, 0},
			{`invalid community JID: "x@g.us" has no valid id`, "GET", "community/listSubGroups?communityJid=x", "", 400, 0},
			{"failed to get groups: down", "GET", "community/listSubGroups?communityJid=1", "", 500, 1},
			{"The 'name' field is required", "POST", "newsletter/create", `{}`, 400, 0},
			{"failed to create newsletter: down", "POST", "newsletter/create", `{"name":"x"}`, 500, 1},
			{query, "GET", "newsletter/info", "", 400, 0},
			{wrong, "GET", "newsletter/info?identifier=1@g.us", "", 400, 0},
			{"newsletter not found or no metadata returned", "GET", "newsletter/info?identifier=1@newsletter", "", 400, 0},
			{"failed to get newsletter info: down", "GET", "newsletter/info?identifier=" + n.JID(), "", 500, 1},
			{field, "POST", "newsletter/join", `{}`, 400, 0},
			{wrong, "POST", "newsletter/join", `{"identifier":"https://example.com/x"}`, 400, 0},
			{"newsletter not found", "POST", "newsletter/join", `{"identifier":"x"}`, 400, 0},
			{"failed to follow newsletter: down", "POST", "newsletter/join", `{"identifier":"x"}`, 500, 1},
			{query, "DELETE", "newsletter/leave", "", 400, 0},
			{wrong, "DELETE", "newsletter/leave?identifier=a%20b", "", 400, 0},
			{"failed to leave newsletter: down", "DELETE", "newsletter/leave?identifier=" + n.JID(), "", 500, 1},
		}
		at := func(path string) string {
			name, query, _ := strings.Cut(path, "?")
			return "/api/" + name + "/a?" + query
		}
		for _, tt := range rows {
			i.FailWhatsApp("down", tt.fail)
			c.bad(tt.status, tt.text, tt.method, at(tt.path), tt.body)
		}
		for _, body := range []string{`{}`, `{"name":"12345678901234567890123456"}`, `{"name":"x","membershipApprovalMode":"open"}`} {
			assert.Equal(t, 400, c.do("POST", "/api/community/create/a", body).status)
		}
		i.Disconnect()
		for _, tt := range []struct{ method, path, body string }{
			{"POST", "community/create", `{"name":"x"}`},
			{"POST", "community/link", `{"communityJid":"1@g.us","groupJid":["2@g.us"]}`},
			{"POST", "community/unlink", `{"communityJid":"1@g.us","groupJid":["2@g.us"]}`},
			{"GET", "community/listSubGroups?communityJid=1", ""},
			{"POST", "newsletter/create", `{"name":"x"}`},
			{"GET", "newsletter/list", ""},
			{"GET", "newsletter/info?identifier=x", ""},
			{"POST", "newsletter/join", `{"identifier":"x"}`},
			{"DELETE", "newsletter/leave?identifier=x", ""},
		} {
			c.bad(400, textNotConnected, tt.method, at(tt.path), tt.body)
		}
		c.bad(503, textNotConnected, "GET", "/api/profile/getAccount/a", "")
		c.bad(503, textNotConnected, "POST", "/api/call/fake/a", `{"number":"1"}`)
	})
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		c.bad(501, "WhatsApp client does not support GetNewsletterInfo", "GET", "/api/newsletter/info/a?identifier=x", "")
		c.bad(501, "WhatsApp client does not support UnfollowNewsletter", "DELETE", "/api/newsletter/leave/a?identifier=x", "")
	}, WithOldLibrary())
}

func TestPicturesAndAudioAreBounded(t *testing.T) {
	s, c := start(t, WithMediaKeep(1<<10), WithBodyLimits(8<<10, 400<<10))
	s.AddInstance("a").Pair("")
	for path, field := range map[string]string{
		"POST /api/call/audio/a":        `"number":"1","mediaBase64"`,
		"POST /api/profile/account/a":   `"profilePicture"`,
		"POST /api/group/create/a":      `"name":"x","participants":["1"],"image"`,
		"POST /api/newsletter/create/a": `"name":"x","image"`,
		"POST /api/community/create/a":  `"name":"x","image"`,
	} {
		for size, status := range map[int]int{300 << 10: 200, 500 << 10: 413} {
			method, target, _ := strings.Cut(path, " ")
			req := c.request(method, target, "")
			req.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"+field+`:"iVBORw0KGgoA`),
				strings.NewReader(strings.Repeat("QUJD", size/4)), strings.NewReader(`"}`)))
			req.Header.Set("Content-Type", "application/json")
			a, err := c.send(req)
			require.NoError(t, err)
			assert.Equal(t, status, a.status, "%s with %d bytes: %s", path, size, a.raw)
		}
	}
	calls := s.Instance("a").Calls()
	require.Len(t, calls, 1)
	assert.Nil(t, calls[0].Audio.Bytes)
	assert.Greater(t, calls[0].Audio.Size, int64(200<<10))
}
