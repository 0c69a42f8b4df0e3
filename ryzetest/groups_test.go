package ryzetest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flows lists the types of the group.flow events that came in a bubble.
func flows(t *testing.T, s *Server, i *Instance) func() []string {
	t.Helper()
	c := client{t, s, i.Token()}
	c.good("POST", "/api/events/websocket/"+i.Name(), `{"enabled":true,"events":["group.flow"]}`)
	conn := dial(t, s, i.Name(), i.Token())
	return func() []string {
		i.Emit("group.flow", map[string]any{"type": "end"})
		var kinds []string
		for {
			e := readEvent(t, conn)
			kind := e.at("data", "type").(string)
			if kind == "end" {
				return kinds
			}
			parts, _ := e.at("data", "participants").([]any)
			for _, p := range parts {
				user, _ := splitJID(p.(map[string]any)["jid"].(string))
				kind += " " + user
			}
			kinds = append(kinds, kind)
		}
	}
}

func outcomes(a answer) []bool {
	var list []bool
	for _, p := range a.at("participants").([]any) {
		list = append(list, p.(map[string]any)["success"].(bool))
	}
	return list
}

func TestGroupLivesThroughTheAPI(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		s.SetUnreachable("4400")
		s.SetUnaddable("4401")
		seen := flows(t, s, i)
		a := c.good("POST", "/api/group/create/a", `{"name":"Crew","participants":["5511987654321","4400","4401"],"description":"d","groupSettings":{"membersCanAddOthers":true}}`)
		group := a.at("group", "jid").(string)
		assert.EqualValues(t, 2, a.at("group", "participantCount"), "who cannot be added is left out")
		assert.Equal(t, map[string]any{"membersCanEditInfo": true, "membersCanSendMessages": true,
			"membersCanAddOthers": true, "requireAdminApproval": false}, a.at("group", "groupSettings"))
		assert.Equal(t, []string{"joined 5511900000001 5511987654321"}, seen())

		a = c.good("POST", "/api/group/participants/a", fmt.Sprintf(`{"action":"add","identifier":%q,"participants":["4400","4401","5511987654321","5511911112222","x"]}`, group))
		assert.Equal(t, []bool{false, false, false, true, false}, outcomes(a))
		reasons := []string{"not on WhatsApp", "privacy", "already a member"}
		for k, reason := range reasons {
			assert.Contains(t, a.at("participants").([]any)[k].(map[string]any)["error"], reason)
		}
		c.good("POST", "/api/group/participants/a", fmt.Sprintf(`{"action":"promote","identifier":%q,"participants":["5511911112222"]}`, group))
		c.good("POST", "/api/group/participants/a", fmt.Sprintf(`{"action":"demote","identifier":%q,"participants":["5511911112222"]}`, group))
		c.good("POST", "/api/group/participants/a", fmt.Sprintf(`{"action":"remove","identifier":%q,"participants":["5511911112222"]}`, group))
		assert.Equal(t, []string{"joined 5511911112222", "promoted 5511911112222", "demoted 5511911112222", "left 5511911112222"}, seen())

		a = c.good("PUT", "/api/group/update/a", fmt.Sprintf(`{"identifier":%q,"name":"New","description":"","groupSettings":{"membersCanSendMessages":false}}`, group))
		assert.Equal(t, "New", a.at("group", "name"))
		assert.Equal(t, "", a.at("group", "description")) //nolint:testifylint // null would be empty too
		assert.Equal(t, false, a.at("group", "groupSettings", "membersCanSendMessages"))
		assert.Equal(t, true, a.at("group", "groupSettings", "membersCanAddOthers"), "what is absent stays")
		for _, field := range []string{"name", "description", "groupSettings"} {
			assert.Contains(t, a.at("message"), field)
		}
		assert.Equal(t, []string{"name", "topic", "announce"}, seen())

		a = c.good("POST", "/api/group/resetLink/a", fmt.Sprintf(`{"identifier":%q}`, group))
		link := a.at("inviteLink").(string)
		assert.Equal(t, "https://chat.whatsapp.com/"+a.at("inviteCode").(string), link)
		assert.Equal(t, []string{"link"}, seen())
		a = c.good("GET", "/api/group/info/a?identifier="+url.QueryEscape(link), "")
		assert.Equal(t, link, a.at("group", "inviteLink"))
		assert.Len(t, a.at("group", "participants"), 2)
		a = c.good("GET", "/api/group/info/a?participants=false&identifier="+group, "")
		assert.Nil(t, a.at("group", "participants"))
		assert.EqualValues(t, 2, a.at("group", "participantCount"))

		a = c.good("GET", "/api/group/list/a?includeMembers=false", "")
		assert.Equal(t, []any{map[string]any{"groupJid": group, "name": "New", "memberCount": 2.0}}, a.at("groups"))
		c.good("DELETE", "/api/group/leave/a?identifier="+group, "")
		assert.Equal(t, []string{"left 5511900000001"}, seen())
		assert.Equal(t, 404, c.do("DELETE", "/api/group/leave/a?identifier="+group, "").status)
		assert.Empty(t, c.good("GET", "/api/group/list/a", "").at("groups"))
		assert.Empty(t, s.Violations())
	})
}

func TestJoiningMayNeedApproval(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, admin *Instance) {
		guest := s.AddInstance("b")
		guest.Pair("5511900000002")
		s.AddContact(Contact{Phone: friend, LID: "77@lid", Name: "Ana"})
		g := admin.AddGroup("Crew")
		join := func() answer {
			return c.good("POST", "/api/group/join/b", fmt.Sprintf(`{"identifier":%q}`, g.InviteLink()))
		}
		c.good("PUT", "/api/group/update/a", fmt.Sprintf(`{"identifier":%q,"groupSettings":{"requireAdminApproval":true}}`, g.JID()))
		seen := flows(t, s, guest)
		a := join()
		assert.Equal(t, true, a.at("requiresApproval"))
		assert.Equal(t, true, join().at("requiresApproval"), "asking again changes nothing")
		assert.True(t, g.RequestToJoin(friend))
		assert.False(t, g.RequestToJoin(friend))
		requests := "/api/group/requests/a?identifier=" + g.JID()
		a = c.good("GET", requests, "")
		assert.Equal(t, "2 pending requests found", a.at("message"))
		assert.EqualValues(t, 2, a.at("meta", "total"))
		last := a.at("requests").([]any)[1].(map[string]any)
		assert.Equal(t, "77@lid", last["jid"])
		assert.Equal(t, friend+"@s.whatsapp.net", last["phoneNumber"])
		lid := a.at("requests").([]any)[0].(map[string]any)["jid"]
		assert.Contains(t, lid, "@lid")

		a = c.good("POST", "/api/group/participants/a", fmt.Sprintf(`{"action":"approve","identifier":%q,"participants":[%q,"5511933334444"]}`, g.JID(), lid))
		assert.Equal(t, []bool{true, false}, outcomes(a))
		c.good("POST", "/api/group/participants/a", fmt.Sprintf(`{"action":"reject","identifier":%q,"participants":[%q]}`, g.JID(), friend))
		assert.Empty(t, c.good("GET", requests, "").at("requests"))
		assert.Equal(t, []string{"joined 5511900000002"}, seen())
		assert.Len(t, g.Members(), 2)
		assert.Equal(t, false, join().at("requiresApproval"), "who is in is in")

		old := g.InviteCode()
		c.good("POST", "/api/group/resetLink/a", fmt.Sprintf(`{"identifier":%q}`, g.JID()))
		c.bad(400, "Invite link has been revoked or expired", "POST", "/api/group/join/b", fmt.Sprintf(`{"identifier":%q}`, old))
		assert.Equal(t, 400, c.do("POST", "/api/group/join/b", fmt.Sprintf(`{"identifier":%q}`, g.JID())).status)
	})
}

func TestGroupRightsAreChecked(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		g := s.AddGroup(NewGroup{JID: "120363000000000001@g.us", Name: "Theirs", Owner: "5511933334444", Members: []string{i.Phone(), friend},
			Settings: &GroupSettings{MembersCanEditInfo: true}})
		body := `{"identifier":"120363000000000001@g.us"}`
		c.bad(403, "Not authorized to reset group invite link (must be admin)", "POST", "/api/group/resetLink/a", body)
		c.bad(403, "Not authorized to view group requests (must be admin)", "GET", "/api/group/requests/a?identifier="+g.JID(), "")
		act := func(action string) int {
			return c.do("POST", "/api/group/participants/a", fmt.Sprintf(`{"action":%q,"identifier":%q,"participants":[%q]}`, action, g.JID(), friend)).status
		}
		assert.Equal(t, 403, act("remove"))
		c.good("PUT", "/api/group/update/a", `{"identifier":"120363000000000001@g.us","name":"Ours"}`)
		assert.Equal(t, "Ours", g.Name())
		assert.Equal(t, 403, c.do("PUT", "/api/group/update/a", `{"identifier":"120363000000000001@g.us","groupSettings":{"requireAdminApproval":true}}`).status)

		text := fmt.Sprintf(`{"number":%q,"message":"x"}`, g.JID())
		assert.Equal(t, 403, c.do("POST", "/api/message/text/a", text).status, "only admins write here")
		assert.Empty(t, i.Receive(Incoming{From: friend, Group: g.JID(), Text: "x"}))
		assert.NotEmpty(t, i.Receive(Incoming{From: "5511933334444", Group: g.JID(), Text: "x"}))
		g.Promote(i.Phone())
		a := c.good("POST", "/api/message/text/a", text)
		assert.Equal(t, "Ours", a.at("data", "chat", "groupName"))
		assert.Equal(t, 200, act("remove"))
		assert.Equal(t, 403, act("promote"), "for a super admin only")
		g.Leave(i.Phone())
		assert.Equal(t, 404, c.do("POST", "/api/message/text/a", text).status)
		assert.Empty(t, i.Receive(Incoming{From: "5511933334444", Group: g.JID(), Text: "x"}))
		c.bad(404, textNoGroup, "GET", "/api/group/info/a?identifier="+g.JID(), "")
		c.good("GET", "/api/group/info/a?identifier="+g.InviteCode(), "")
	})
}

func TestGroupErrorTexts(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		g := i.AddGroup("Crew", friend)
		for _, tt := range []struct {
			text, method, name, body string
			status                   int
		}{
			{"Identifier is required", "GET", "info/a", "", 400},
			{"Identifier is required", "PUT", "update/a", `{}`, 400},
			{"Identifier is required", "POST", "join/a", `{}`, 400},
			{"Identifier is required", "POST", "resetLink/a", `{}`, 400},
			{"Identifier is required", "GET", "requests/a", "", 400},
			{"Identifier is required", "DELETE", "leave/a", "", 400},
			{"Identifier is required", "POST", "participants/a", `{"action":"add","participants":["1"]}`, 400},
			{textNoGroup, "GET", "requests/a?identifier=120363000000000009@g.us", "", 404},
			{textNoGroup, "POST", "resetLink/a", `{"identifier":"120363000000000009@g.us"}`, 404},
			{textNoGroup, "DELETE", "leave/a?identifier=none", "", 404},
			{"Invite link has been revoked or expired", "POST", "join/a", `{"identifier":"none"}`, 400},
		} {
			c.bad(tt.status, tt.text, tt.method, "/api/group/"+tt.name, tt.body)
		}
		for name, body := range map[string]string{
			"create":       `{"participants":["1"]}`,
			"participants": fmt.Sprintf(`{"action":"kick","identifier":%q,"participants":["1"]}`, g.JID()),
		} {
			assert.Equal(t, 400, c.do("POST", "/api/group/"+name+"/a", body).status)
		}
		assert.Equal(t, 400, c.do("PUT", "/api/group/update/a", fmt.Sprintf(`{"identifier":%q}`, g.JID())).status)
		i.Disconnect()
		c.bad(400, textNotConnected, "GET", "/api/group/list/a", "")
		c.bad(400, textNotConnected, "POST", "/api/group/create/a", `{"name":"x","participants":["1"]}`)
	})
}

func TestGroupPictureIsSetAndRemoved(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		a := c.good("POST", "/api/group/create/a", `{"name":"x","participants":["5511987654321"],"image":"https://example.com/a.png"}`)
		info := "/api/group/info/a?identifier=" + a.at("group", "jid").(string)
		assert.NotEmpty(t, c.good("GET", info, "").at("group", "image"))
		body := fmt.Sprintf(`{"identifier":%q,"image":"data:image/png;base64,iVBORw0KGgo=","removeImage":true}`, a.at("group", "jid"))
		c.good("PUT", "/api/group/update/a", body)
		assert.Empty(t, c.good("GET", info, "").at("group", "image"), "removeImage wins")
		c.good("PUT", "/api/group/update/a", strings.Replace(body, `,"removeImage":true`, "", 1))
		assert.NotEmpty(t, c.good("GET", info, "").at("group", "image"))
		assert.Equal(t, 400, c.do("PUT", "/api/group/update/a", strings.NewReplacer("iVBORw0KGgo=", "QUJD", `,"removeImage":true`, "").Replace(body)).status, "no picture")
	})
}

func TestEventsOfAGroupComeFromItsPeople(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		s.AddContact(Contact{Phone: friend, LID: "77@lid", Name: "Ana"})
		g := i.AddGroup("Crew")
		c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["group.flow"]}`)
		conn := dial(t, s, "a", i.Token())
		g.Join(friend, friend)
		e := readEvent(t, conn)
		assert.Equal(t, "joined", e.at("data", "type"))
		assert.Equal(t, g.JID(), e.at("data", "groupJid"))
		assert.Equal(t, "Crew", e.at("data", "groupName"))
		assert.Equal(t, []any{map[string]any{"jid": friend + "@s.whatsapp.net", "lid": "77@lid", "name": "Ana"}}, e.at("data", "participants"))
		_, err := time.Parse(time.RFC3339, e.at("data", "timestamp").(string))
		require.NoError(t, err)
		g.Rename("Old crew")
		assert.Equal(t, "Old crew", readEvent(t, conn).at("data", "groupName"))
		g.Demote("5511911112222") // nobody there
		g.Leave(friend)
		assert.Equal(t, "left", readEvent(t, conn).at("data", "type"))
		synctest.Wait()
	})
}

func TestGroupIsLinkedOnThePhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory())
		defer s.Close()
		i := s.AddInstance("line")
		i.Pair("5511900000001")
		hub, sub := i.AddCommunity("Hub"), i.AddGroup("Sub")
		began := time.Now()
		assert.False(t, sub.LinkTo(i.AddGroup("Another")), "that is no community")
		assert.True(t, sub.LinkTo(hub))
		assert.False(t, sub.LinkTo(hub), "it belongs to one")
		assert.False(t, hub.LinkTo(hub))
		assert.Equal(t, began, time.Now(), "it takes no time")
		s.mu.Lock()
		defer s.mu.Unlock()
		assert.Contains(t, hub.subgroups(), sub)
	})
}
