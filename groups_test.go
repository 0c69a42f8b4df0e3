package ryze

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	crew      = JID("120363000000000001@g.us")
	crewQuery = "identifier=120363000000000001%40g.us"
)

func TestGroupCreationSendsOnlyWhatWasGiven(t *testing.T) {
	t.Run("everything", func(t *testing.T) {
		inst := exchanging(t, exchange{
			method: "POST", path: "/api/group/create/main",
			body: `{"name":"Release crew","participants":["5511987654321","100000000000001@lid"],"description":"Coordination channel",
				"image":"https://cdn.example.com/crew.png","communityJid":"120363000000000009@g.us",
				"groupSettings":{"membersCanSendMessages":false,"requireAdminApproval":true}}`,
			status: http.StatusCreated,
			reply: `{"success":true,"message":"Group created","group":{"name":"Release crew","jid":"120363000000000001@g.us",
				"description":"Coordination channel","inviteCode":"AbCdEf123","inviteLink":"https://chat.whatsapp.com/AbCdEf123",
				"createdBy":"5511900000001@s.whatsapp.net","participantCount":3,
				"participants":[{"jid":"5511900000001@s.whatsapp.net","isAdmin":true,"isSuperAdmin":true}],
				"groupSettings":{"membersCanEditInfo":true,"membersCanSendMessages":false,"membersCanAddOthers":true,"requireAdminApproval":true},
				"novelty":{"a":1}}}`,
		})
		group, err := inst.Groups.Create(t.Context(), CreateGroupParams{
			Name: "Release crew", Members: []JID{"5511987654321@s.whatsapp.net", "100000000000001@lid"},
			Description: "Coordination channel", ImageURL: "https://cdn.example.com/crew.png", Community: "120363000000000009@g.us",
			Permissions: GroupPermissionsUpdate{MembersCanSendMessages: new(false), RequireAdminApproval: new(true)},
		})
		require.NoError(t, err)
		assert.Equal(t, crew, group.JID)
		assert.Equal(t, "Group created", group.Message)
		assert.Equal(t, 3, group.MemberCount)
		assert.Equal(t, []GroupMember{{JID: "5511900000001@s.whatsapp.net", IsAdmin: true, IsSuperAdmin: true}}, group.Members)
		assert.Equal(t, &GroupPermissions{MembersCanEditInfo: true, MembersCanAddOthers: true, RequireAdminApproval: true}, group.Permissions)
		assert.Contains(t, string(group.Raw()), "novelty")
		assert.Equal(t, 57, group.RateLimit.Remaining)
	})
	t.Run("the least", func(t *testing.T) {
		inst := exchanging(t, exchange{
			method: "POST", path: "/api/group/create/main", body: `{"name":"Crew","participants":["5511987654321"]}`,
			reply: `{"data":{"jid":"120363000000000001@g.us"}}`,
		})
		group, err := inst.Groups.Create(t.Context(), CreateGroupParams{Name: "Crew", Members: []JID{"5511987654321"}})
		require.NoError(t, err)
		assert.Equal(t, crew, group.JID)
		assert.Nil(t, group.Permissions)
	})
}

func TestGroupWithoutItsDescriptionSaysSo(t *testing.T) {
	inst := exchanging(t, exchange{
		method: "POST", path: "/api/group/create/main",
		body: `{"name":"Crew","participants":["5511987654321"],"description":"Coordination","groupSettings":{"membersCanAddOthers":false}}`,
		reply: `{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Crew","description":"",
			"groupSettings":{"membersCanAddOthers":true,"requireAdminApproval":null}}}`,
	})
	group, err := inst.Groups.Create(t.Context(), CreateGroupParams{
		Name: "Crew", Members: []JID{"5511987654321"}, Description: "Coordination",
		Permissions: GroupPermissionsUpdate{MembersCanAddOthers: new(false)},
	})
	require.ErrorIs(t, err, ErrPartial)
	assert.Equal(t, crew, group.JID)
	assert.Equal(t, []string{"Description", "Permissions.MembersCanAddOthers"}, targets(err))
}

// targets are those of the parts that were not done.
func targets(err error) []string {
	var list []string
	var partial *PartialError
	if errors.As(err, &partial) {
		for _, f := range partial.Failures {
			list = append(list, f.Target)
		}
	}
	return list
}

func TestGroupCreationWithALostReplyIsAnUnknownOutcome(t *testing.T) {
	params := CreateGroupParams{Name: "Crew", Members: []JID{"5511987654321"}}
	for name, x := range map[string]exchange{
		"connection lost": {err: io.ErrUnexpectedEOF},
		"server error":    {status: http.StatusInternalServerError, reply: refusal("oops")},
		"no group":        {reply: `{"success":true,"message":"Group created"}`},
		"null group":      {reply: `{"success":true,"group":null,"data":null}`},
		"cut":             {reply: `{"success":true,"group":{"jid":"1203630000`},
	} {
		t.Run(name, func(t *testing.T) {
			x.method, x.path, x.body = "POST", "/api/group/create/main", `{"name":"Crew","participants":["5511987654321"]}`
			_, err := exchanging(t, x).Groups.Create(t.Context(), params)
			require.ErrorIs(t, err, ErrOutcomeUnknown)
			assert.ErrorContains(t, err, "list the groups")
		})
	}
	t.Run("refused", func(t *testing.T) {
		inst := exchanging(t, exchange{
			method: "POST", path: "/api/group/create/main", body: `{"name":"Crew","participants":["5511987654321"]}`,
			status: http.StatusBadRequest, reply: refusal("Instance is not connected to WhatsApp"),
		})
		_, err := inst.Groups.Create(t.Context(), params)
		require.ErrorIs(t, err, ErrNotConnected)
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
	})
}

func TestGroupListReadsBothSpellings(t *testing.T) {
	const path = "/api/group/list/main"
	for name, reply := range map[string]string{
		"observed":   `{"groups":[{"groupJid":"120363000000000001@g.us","name":"Release crew","memberCount":12,"new":1},{"groupJid":"5511987654321-1600000000@g.us"}]}`,
		"documented": `{"success":true,"groups":[{"jid":"120363000000000001@g.us","name":"Release crew","participantCount":12,"new":1},{"jid":"5511987654321-1600000000@g.us","name":null,"memberCount":null},null]}`,
		"in data":    `{"success":true,"data":[{"groupJid":"120363000000000001@g.us","name":"Release crew","memberCount":12,"new":1},{"jid":"5511987654321-1600000000@g.us","memberCount":"many"}]}`,
		"below data": `{"success":true,"data":{"groups":[{"jid":"120363000000000001@g.us","name":"Release crew","memberCount":12,"new":1},{"jid":"5511987654321-1600000000@g.us"}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			groups, err := exchanging(t, exchange{method: "GET", path: path, query: "includeMembers=false", reply: reply}).Groups.List(t.Context())
			require.NoError(t, err)
			require.Len(t, groups, 2)
			assert.Equal(t, crew, groups[0].JID)
			assert.Equal(t, "Release crew", groups[0].Name)
			assert.Equal(t, 12, groups[0].MemberCount)
			assert.Contains(t, string(groups[0].Raw()), `"new":1`)
			assert.Equal(t, JID("5511987654321-1600000000@g.us"), groups[1].JID)
			assert.Zero(t, groups[1].MemberCount)
		})
	}
	t.Run("members of any form", func(t *testing.T) {
		inst := exchanging(t, exchange{method: "GET", path: path, query: "includeMembers=true", reply: `{"groups":[
			{"groupJid":"120363000000000001@g.us","members":["5511987654321@s.whatsapp.net",{"jid":"5521912345678@s.whatsapp.net","isAdmin":true},7]}]}`})
		groups, err := inst.Groups.ListWithMembers(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []GroupMember{{JID: "5511987654321@s.whatsapp.net"}, {JID: "5521912345678@s.whatsapp.net", IsAdmin: true}, {}}, groups[0].Members)
		assert.Equal(t, 3, groups[0].MemberCount)
	})
	t.Run("none", func(t *testing.T) {
		for _, reply := range []string{`{"groups":[]}`, `{"success":true,"groups":null}`} {
			groups, err := exchanging(t, exchange{method: "GET", path: path, query: "includeMembers=false", reply: reply}).Groups.List(t.Context())
			require.NoError(t, err)
			assert.Empty(t, groups)
		}
	})
	t.Run("no list is not none", func(t *testing.T) {
		for _, reply := range []string{`{"success":true}`, `{"groups":"none"}`, `{"data":{}}`} {
			_, err := exchanging(t, exchange{method: "GET", path: path, query: "includeMembers=false", reply: reply}).Groups.List(t.Context())
			require.ErrorIs(t, err, ErrBadResponse)
		}
	})
}

func TestGroupInfoByAddressAndByInvite(t *testing.T) {
	const path = "/api/group/info/main"
	reply := `{"success":true,"message":"ok","group":{"name":"Release crew","jid":"120363000000000001@g.us","image":"https://pps.example.net/signed",
		"inviteLink":"https://chat.whatsapp.com/AbCdEf123","createdAt":"2026-01-02T03:04:05-03:00","participantCount":3,
		"participants":[{"jid":"5511987654321@s.whatsapp.net","lid":"100000000000001@lid","isAdmin":true,"isSuperAdmin":false,"name":"Ana"}],
		"metadata":{"nameSetBy":"x"},"isEphemeral":true,"isIncognito":false,"isSuspended":null,"isDefaultSubGroup":true}}`

	inst := exchanging(t,
		exchange{method: "GET", path: path, query: crewQuery, reply: reply},
		exchange{method: "GET", path: path, query: crewQuery + "&participants=false", reply: reply},
		exchange{method: "GET", path: path, query: "identifier=AbCdEf123", reply: reply},
		exchange{method: "GET", path: path, query: "identifier=https%3A%2F%2Fchat.whatsapp.com%2FAbCdEf123&participants=false", reply: reply},
	)
	group, err := inst.Groups.Info(t.Context(), crew)
	require.NoError(t, err)
	assert.Equal(t, []GroupMember{{JID: "5511987654321@s.whatsapp.net", LID: "100000000000001@lid", IsAdmin: true}}, group.Members)
	assert.True(t, group.CreatedAt.Equal(time.Date(2026, 1, 2, 6, 4, 5, 0, time.UTC)))
	assert.JSONEq(t, `{"nameSetBy":"x"}`, string(group.Metadata))
	assert.True(t, group.IsEphemeral)
	assert.True(t, group.IsAnnouncements)
	assert.Nil(t, group.Permissions)

	_, err = inst.Groups.InfoWithoutMembers(t.Context(), crew)
	require.NoError(t, err)
	_, err = inst.Groups.Preview(t.Context(), "AbCdEf123")
	require.NoError(t, err)
	_, err = inst.Groups.PreviewWithoutMembers(t.Context(), "chat.whatsapp.com/AbCdEf123/?mode=ac_t")
	require.NoError(t, err)
}

func TestUndocumentedCreationTimeIsNotGuessed(t *testing.T) {
	for _, at := range []string{`1700000000`, `"yesterday"`, `{}`, `null`} {
		inst := exchanging(t, exchange{method: "GET", path: "/api/group/info/main", query: crewQuery,
			reply: `{"group":{"createdAt":` + at + `,"jid":"120363000000000001@g.us","name":"Crew"}}`})
		group, err := inst.Groups.Info(t.Context(), crew)
		require.NoError(t, err)
		assert.True(t, group.CreatedAt.IsZero())
		assert.Equal(t, "Crew", group.Name, "what follows a field of another type is read all the same")
	}
}

func TestUnknownGroupIsErrGroupNotFound(t *testing.T) {
	inst := exchanging(t, exchange{method: "GET", path: "/api/group/info/main", query: crewQuery,
		status: http.StatusNotFound, reply: refusal("Group not found or you are not a member of this group")})
	_, err := inst.Groups.Info(t.Context(), crew)
	require.ErrorIs(t, err, ErrGroupNotFound)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestGroupUpdateTellsAbsentFromEmpty(t *testing.T) {
	const done = `{"success":true,"message":"Updated: description","group":{"jid":"120363000000000001@g.us"}}`
	for name, test := range map[string]struct {
		update GroupUpdate
		body   string
	}{
		"description cleared":  {GroupUpdate{Description: new("")}, `{"description":""}`},
		"description kept":     {GroupUpdate{Name: new("New")}, `{"name":"New"}`},
		"picture":              {GroupUpdate{ImageURL: "https://cdn.example.com/a.png"}, `{"image":"https://cdn.example.com/a.png"}`},
		"false is a value":     {GroupUpdate{Permissions: GroupPermissionsUpdate{MembersCanEditInfo: new(false)}}, `{"groupSettings":{"membersCanEditInfo":false}}`},
		"all four permissions": {GroupUpdate{Permissions: GroupPermissionsUpdate{new(true), new(false), new(true), new(false)}}, `{"groupSettings":{"membersCanEditInfo":true,"membersCanSendMessages":false,"membersCanAddOthers":true,"requireAdminApproval":false}}`},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"identifier":"120363000000000001@g.us",` + strings.TrimPrefix(test.body, "{")
			inst := exchanging(t, exchange{method: "PUT", path: "/api/group/update/main", body: body, reply: done})
			group, err := inst.Groups.Update(t.Context(), crew, test.update)
			require.NoError(t, err)
			assert.Equal(t, "Updated: description", group.Message)
		})
	}
}

func TestGroupUpdateAppliedInPartSaysSo(t *testing.T) {
	update := GroupUpdate{Name: new("New"), Permissions: GroupPermissionsUpdate{RequireAdminApproval: new(true)}}
	x := exchange{method: "PUT", path: "/api/group/update/main",
		body: `{"identifier":"120363000000000001@g.us","name":"New","groupSettings":{"requireAdminApproval":true}}`}

	x.reply = `{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Old","groupSettings":{"requireAdminApproval":true}}}`
	group, err := exchanging(t, x).Groups.Update(t.Context(), crew, update)
	require.ErrorIs(t, err, ErrPartial)
	assert.Equal(t, []string{"Name"}, targets(err))
	assert.Equal(t, crew, group.JID)

	x.reply = `{"success":true,"message":"ok"}` // shows no group: nothing can be said
	group, err = exchanging(t, x).Groups.Update(t.Context(), crew, update)
	require.NoError(t, err)
	assert.Equal(t, crew, group.JID)

	x.reply = `{"success":true,"data":{"name":"Old"}}`
	group, err = exchanging(t, x).Groups.Update(t.Context(), crew, update)
	require.ErrorIs(t, err, ErrPartial)
	assert.Equal(t, []string{"Name"}, targets(err))
	assert.Equal(t, crew, group.JID)
	assert.Equal(t, crew, group.JID)
}

func TestEachMemberActionIsItsOwnMethod(t *testing.T) {
	type method func(context.Context, JID, ...JID) (*MembersResult, error)
	methods := map[string]func(*GroupsService) method{
		"add":     func(s *GroupsService) method { return s.AddMembers },
		"remove":  func(s *GroupsService) method { return s.RemoveMembers },
		"promote": func(s *GroupsService) method { return s.Promote },
		"demote":  func(s *GroupsService) method { return s.Demote },
		"approve": func(s *GroupsService) method { return s.ApproveRequests },
		"reject":  func(s *GroupsService) method { return s.RejectRequests },
	}
	for action, of := range methods {
		t.Run(action, func(t *testing.T) {
			inst := exchanging(t, exchange{
				method: "POST", path: "/api/group/participants/main",
				body:  `{"action":"` + action + `","identifier":"120363000000000001@g.us","participants":["5511987654321","100000000000001@lid"]}`,
				reply: `{"success":true,"message":"done","participants":[{"success":true},{"success":false,"error":"a reason"}]}`,
			})
			result, err := of(inst.Groups)(t.Context(), crew, "5511987654321@s.whatsapp.net", "100000000000001@lid")
			require.ErrorIs(t, err, ErrPartial)
			require.EqualError(t, err, "ryze: groups.participants: not all of it was done: 100000000000001@lid: "+action+" failed: a reason")
			assert.Equal(t, "done", result.Message)
			require.Len(t, result.Members, 2)
		})
	}
}

func TestMemberResultsAreMatchedByAddressThenByPosition(t *testing.T) {
	const ana, bob, eve = JID("5511987654321"), JID("5521912345678@s.whatsapp.net"), JID("100000000000001@lid")
	type row struct {
		done       bool
		reason     string
		byPosition bool
	}
	const unsaid = "the reply does not say what became of it"
	for name, test := range map[string]struct {
		entries string
		want    []row
	}{
		"by position":         {`[{"success":true},{"success":false,"error":"private"},{"success":true}]`, []row{{true, "", true}, {false, "private", true}, {true, "", true}}},
		"in another order":    {`[{"jid":"5521912345678@s.whatsapp.net","success":false,"error":"private"},{"lid":"100000000000001@lid","success":true},{"number":"5511987654321","success":true}]`, []row{{true, "", false}, {false, "private", false}, {true, "", false}}},
		"Brazilian old form":  {`[{"phone":"551187654321","success":true},{"phoneNumber":"5521912345678","success":true},{"jid":"100000000000001@lid","success":true}]`, []row{{true, "", false}, {true, "", false}, {true, "", false}}},
		"fewer entries":       {`[{"success":true}]`, []row{{false, unsaid, false}, {false, unsaid, false}, {false, unsaid, false}}},
		"fewer, but named":    {`[{"jid":"5521912345678","success":true}]`, []row{{false, unsaid, false}, {true, "", false}, {false, unsaid, false}}},
		"named differently":   {`[{"jid":"200000000000002@lid","success":true},{"success":true},{"jid":"5531900000000@s.whatsapp.net","success":true}]`, []row{{true, "", true}, {true, "", true}, {true, "", true}}},
		"names somebody else": {`[{"jid":"5531900000000@s.whatsapp.net","success":true},{"success":true},{"success":true}]`, []row{{false, unsaid, false}, {true, "", true}, {true, "", true}}},
		"an object as error":  {`[{"success":false,"error":{"message":"private"}},{"success":false,"error":null},{}]`, []row{{false, "private", true}, {false, "the reply gives no reason", true}, {false, "the reply gives no reason", true}}},
		"not objects":         {`[true,null,"x"]`, []row{{false, "the reply gives no reason", true}, {false, "the reply gives no reason", true}, {false, "the reply gives no reason", true}}},
		"empty":               {`[]`, []row{{false, unsaid, false}, {false, unsaid, false}, {false, unsaid, false}}},
		"null":                {`null`, []row{{false, unsaid, false}, {false, unsaid, false}, {false, unsaid, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			inst := exchanging(t, exchange{
				method: "POST", path: "/api/group/participants/main",
				body:  `{"action":"add","identifier":"120363000000000001@g.us","participants":["5511987654321","5521912345678","100000000000001@lid"]}`,
				reply: `{"success":true,"participants":` + test.entries + `}`,
			})
			result, err := inst.Groups.AddMembers(t.Context(), crew, ana, bob, eve)
			var got []row
			var failures []string
			for i, m := range result.Members {
				assert.Equal(t, []JID{ana, bob, eve}[i], m.Member)
				got = append(got, row{m.Done, m.Reason, m.ByPosition})
				if !m.Done {
					failures = append(failures, string(m.Member))
				}
			}
			assert.Equal(t, test.want, got)
			assert.Equal(t, failures, targets(err))
			assert.Equal(t, failures != nil, errors.Is(err, ErrPartial))
		})
	}
}

func TestPersonNamedTwiceHasAResultForEach(t *testing.T) {
	inst := exchanging(t, exchange{
		method: "POST", path: "/api/group/participants/main",
		body:  `{"action":"add","identifier":"120363000000000001@g.us","participants":["5511987654321","5511987654321"]}`,
		reply: `{"success":true,"participants":[{"jid":"5511987654321@s.whatsapp.net","success":true},{"jid":"5511987654321@s.whatsapp.net","success":false,"error":"already a member"}]}`,
	})
	result, err := inst.Groups.AddMembers(t.Context(), crew, "5511987654321", "5511987654321")
	require.ErrorIs(t, err, ErrPartial)
	assert.True(t, result.Members[0].Done)
	assert.Equal(t, "already a member", result.Members[1].Reason)
}

func TestMemberChangeWithALostReplyIsAnUnknownOutcome(t *testing.T) {
	inst := exchanging(t, exchange{
		method: "POST", path: "/api/group/participants/main",
		body: `{"action":"remove","identifier":"120363000000000001@g.us","participants":["5511987654321"]}`, err: io.ErrUnexpectedEOF,
	})
	_, err := inst.Groups.RemoveMembers(t.Context(), crew, "5511987654321")
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	assert.ErrorContains(t, err, "read the members")
}

func TestJoiningTakesInvitesOnly(t *testing.T) {
	for _, invite := range []string{"AbCdEf123", "https://chat.whatsapp.com/AbCdEf123", "http://chat.whatsapp.com/AbCdEf123?mode=ac_t#x", "CHAT.whatsapp.com/AbCdEf123/"} {
		sent := "https://chat.whatsapp.com/AbCdEf123"
		if invite == "AbCdEf123" {
			sent = invite
		}
		inst := exchanging(t, exchange{method: "POST", path: "/api/group/join/main", body: `{"identifier":"` + sent + `"}`,
			reply: `{"success":true,"message":"Successfully joined","groupJid":"120363000000000001@g.us","requiresApproval":true}`})
		joined, err := inst.Groups.Join(t.Context(), invite)
		require.NoError(t, err, invite)
		assert.Equal(t, crew, joined.Group)
		assert.True(t, joined.Pending)
	}
	for _, invite := range []string{
		"", " AbC", "Ab C", "120363000000000001@g.us", "5511987654321@s.whatsapp.net", "https://chat.whatsapp.com/",
		"https://example.com/AbCdEf123", "https://chat.whatsapp.com.example.com/AbC", "https://user@chat.whatsapp.com/AbC", "ftp://chat.whatsapp.com/AbC",
		"https://chat.whatsapp.com/a/b", "https://chat.whatsapp.com/a%2Fb", "AbC?x", "a\nb", "https://whatsapp.com/channel/AbC",
	} {
		_, err := silent(t).Groups.Join(t.Context(), invite)
		requireInvalid(t, err, "invite")
		_, err = silent(t).Groups.Preview(t.Context(), invite)
		requireInvalid(t, err, "invite")
	}
}

func TestJoiningByAddressSaysWhatIsWanted(t *testing.T) {
	_, err := silent(t).Groups.Join(t.Context(), string(crew))
	require.ErrorContains(t, err, "is an address")
}

func TestRevokedInviteIsErrInviteRevoked(t *testing.T) {
	inst := exchanging(t, exchange{method: "POST", path: "/api/group/join/main", body: `{"identifier":"AbCdEf123"}`,
		status: http.StatusGone, reply: refusal("Invite link has been revoked or expired")})
	_, err := inst.Groups.Join(t.Context(), "AbCdEf123")
	require.ErrorIs(t, err, ErrInviteRevoked)
}

func TestInviteLinkIsReadWithoutResettingIt(t *testing.T) {
	x := exchange{method: "GET", path: "/api/group/info/main", query: crewQuery + "&participants=false",
		reply: `{"group":{"jid":"120363000000000001@g.us","inviteCode":"AbCdEf123","inviteLink":"https://chat.whatsapp.com/AbCdEf123"}}`}
	link, err := exchanging(t, x).Groups.InviteLink(t.Context(), crew)
	require.NoError(t, err)
	assert.Equal(t, "AbCdEf123", link.Code)
	assert.Equal(t, "https://chat.whatsapp.com/AbCdEf123", link.Link)
	assert.Equal(t, crew, link.Group)

	x.reply = `{"success":true,"group":{"jid":"120363000000000001@g.us","inviteLink":null}}`
	_, err = exchanging(t, x).Groups.InviteLink(t.Context(), crew)
	require.ErrorIs(t, err, ErrBadResponse)
}

func TestResettingTheLinkReturnsTheNewOne(t *testing.T) {
	x := exchange{method: "POST", path: "/api/group/resetLink/main", body: `{"identifier":"120363000000000001@g.us"}`}

	x.reply = `{"success":true,"message":"Group invite link reset successfully","groupJid":"120363000000000001@g.us","inviteCode":"NewCode456","inviteLink":"https://chat.whatsapp.com/NewCode456"}`
	link, err := exchanging(t, x).Groups.ResetInviteLink(t.Context(), crew)
	require.NoError(t, err)
	assert.Equal(t, GroupInvite{Meta: link.Meta, Group: crew, Code: "NewCode456", Link: "https://chat.whatsapp.com/NewCode456"}, *link)

	x.reply = `{"success":true}`
	_, err = exchanging(t, x).Groups.ResetInviteLink(t.Context(), crew)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	assert.ErrorContains(t, err, "read the current one")

	x.status, x.reply = http.StatusForbidden, refusal("Not authorized to reset group invite link (must be admin)")
	_, err = exchanging(t, x).Groups.ResetInviteLink(t.Context(), crew)
	require.ErrorIs(t, err, ErrNotAdmin)
}

func TestJoinRequestsMayHideThePhone(t *testing.T) {
	inst := exchanging(t, exchange{method: "GET", path: "/api/group/requests/main", query: crewQuery,
		reply: `{"success":true,"message":"2 pending requests found","groupJid":"120363000000000001@g.us","requests":[
			{"jid":"100000000000001@lid","phoneNumber":"5511987654321@s.whatsapp.net","requestedAt":"2026-01-02T03:04:05Z","extra":true},
			{"jid":"100000000000002@lid","phoneNumber":null}],"meta":{"total":2}}`})
	requests, err := inst.Groups.Requests(t.Context(), crew)
	require.NoError(t, err)
	require.Len(t, requests, 2)
	assert.Equal(t, JID("100000000000001@lid"), requests[0].JID)
	assert.Equal(t, JID("5511987654321@s.whatsapp.net"), requests[0].Phone)
	assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), requests[0].RequestedAt)
	assert.Contains(t, string(requests[0].Raw()), "extra")
	assert.Empty(t, requests[1].Phone)
}

func TestLeavingNamesTheGroupInTheQuery(t *testing.T) {
	inst := exchanging(t, exchange{method: "DELETE", path: "/api/group/leave/main", query: crewQuery,
		reply: `{"success":true,"message":"Successfully left the group","groupJid":"120363000000000001@g.us"}`})
	require.NoError(t, inst.Groups.Leave(t.Context(), crew))
}

func TestLeavingTwiceBecauseOfALostReplyIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := exchange{method: "DELETE", path: "/api/group/leave/main", query: crewQuery}
		lost, gone := x, x
		lost.err = io.ErrUnexpectedEOF
		gone.status, gone.reply = http.StatusNotFound, refusal("Group not found or you are not a member of this group")
		script := &exchangeTransport{t: t, left: []exchange{lost, gone}}
		inst, err := NewInstanceClient("main", "instance-token", WithHTTPClient(&http.Client{Transport: script}))
		require.NoError(t, err)
		require.NoError(t, inst.Groups.Leave(t.Context(), crew))
		assert.Empty(t, script.left)
	})
}

func TestGroupArgumentsAreRefusedBeforeAnyRequest(t *testing.T) {
	ctx := t.Context()
	s := silent(t).Groups
	good := CreateGroupParams{Name: "Crew", Members: []JID{"5511987654321"}}
	create := func(change func(*CreateGroupParams)) error {
		params := good
		change(&params)
		_, err := s.Create(ctx, params)
		return err
	}
	update := func(group JID, u GroupUpdate) error {
		_, err := s.Update(ctx, group, u)
		return err
	}
	add := func(group JID, members ...JID) error {
		_, err := s.AddMembers(ctx, group, members...)
		return err
	}
	for name, test := range map[string]struct {
		err   error
		field string
	}{
		"no name":              {create(func(p *CreateGroupParams) { p.Name = " " }), "CreateGroupParams.Name"},
		"no members":           {create(func(p *CreateGroupParams) { p.Members = nil }), "CreateGroupParams.Members"},
		"a group as member":    {create(func(p *CreateGroupParams) { p.Members = []JID{crew} }), "CreateGroupParams.Members"},
		"picture not a URL":    {create(func(p *CreateGroupParams) { p.ImageURL = "data:image/png;base64,AA" }), "CreateGroupParams.ImageURL"},
		"community not one":    {create(func(p *CreateGroupParams) { p.Community = "5511987654321" }), "CreateGroupParams.Community"},
		"update of nothing":    {update(crew, GroupUpdate{}), "GroupUpdate"},
		"update to no name":    {update(crew, GroupUpdate{Name: new("")}), "GroupUpdate.Name"},
		"update of a person":   {update("5511987654321", GroupUpdate{RemoveImage: true}), "group"},
		"update picture":       {update(crew, GroupUpdate{ImageURL: "crew.png"}), "GroupUpdate.ImageURL"},
		"nobody to add":        {add(crew), "members"},
		"a letter in a number": {add(crew, "5511987654321", "abc"), "members"},
		"add to a link":        {add("https://chat.whatsapp.com/AbCdEf123", "5511987654321"), "group"},
		"info of nothing":      {second(s.Info(ctx, "")), "group"},
		"link of a person":     {second(s.InviteLink(ctx, "5511987654321")), "group"},
		"reset of a person":    {second(s.ResetInviteLink(ctx, "5511987654321")), "group"},
		"requests of nothing":  {second(s.Requests(ctx, "")), "group"},
		"leave a channel":      {s.Leave(ctx, "120363000000000009@newsletter"), "group"},
	} {
		t.Run(name, func(t *testing.T) { requireInvalid(t, test.err, test.field) })
	}
}
