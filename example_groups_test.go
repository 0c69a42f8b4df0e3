package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	ryze "github.com/ryzeapi/ryze-go"
)

// answering returns an instance of a service that gives these answers, one
// after the other. An application has ryze.NewInstanceClient("support-line",
// token) in its place.
func answering(answers ...string) *ryze.InstanceClient {
	inst, err := ryze.NewInstanceClient("support-line", "token", ryze.WithHTTPClient(&http.Client{
		Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Body != nil {
				_, _ = io.Copy(io.Discard, req.Body)
				_ = req.Body.Close()
			}
			answer := answers[0]
			answers = answers[1:]
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer)), Request: req}, nil
		}),
	}))
	if err != nil {
		panic(err)
	}
	return inst
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func ExampleGroupsService() {
	inst := answering(
		`{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Release crew","participantCount":2}}`,
		`{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Release crew","participants":[{"jid":"5511900000001@s.whatsapp.net","isAdmin":true},{"jid":"5511987654321@s.whatsapp.net"}]}}`,
		`{"success":true,"message":"Group updated: groupSettings","group":{"jid":"120363000000000001@g.us","groupSettings":{"membersCanSendMessages":false}}}`,
		`{"groups":[{"groupJid":"120363000000000001@g.us","name":"Release crew","memberCount":2}]}`,
		`{"success":true,"message":"Successfully left the group"}`,
	)
	ctx := context.Background()

	crew, err := inst.Groups.Create(ctx, ryze.CreateGroupParams{
		Name:    "Release crew",
		Members: []ryze.JID{"5511987654321"},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := crew.Err(); err != nil {
		log.Print("created, but: ", err)
	}

	group, err := inst.Groups.Info(ctx, crew.JID)
	if err != nil {
		log.Fatal(err)
	}
	for _, member := range group.Members {
		fmt.Println(member.JID, "admin:", member.IsAdmin)
	}

	// From now on only admins write. What is nil stays as it is.
	updated, err := inst.Groups.Update(ctx, crew.JID, ryze.GroupUpdate{
		Permissions: ryze.GroupPermissionsUpdate{MembersCanSendMessages: ryze.Ptr(false)},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := updated.Err(); err != nil {
		log.Fatal(err) // the reply shows another value
	}
	fmt.Println(updated.Message)

	groups, err := inst.Groups.List(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range groups {
		fmt.Println(g.Name, g.MemberCount)
	}
	if err := inst.Groups.Leave(ctx, crew.JID); err != nil {
		log.Fatal(err)
	}

	// Output:
	// 5511900000001@s.whatsapp.net admin: true
	// 5511987654321@s.whatsapp.net admin: false
	// Group updated: groupSettings
	// Release crew 2
}

func ExampleGroupsService_AddMembers() {
	inst := answering(
		`{"success":true,"participants":[{"success":true},{"success":false,"error":"privacy settings forbid adding"}]}`,
		`{"success":true,"participants":[{"success":true}]}`,
		`{"success":true,"participants":[{"success":true}]}`,
		`{"success":true,"participants":[{"success":true}]}`,
	)
	ctx := context.Background()
	const crew ryze.JID = "120363000000000001@g.us"

	result, err := inst.Groups.AddMembers(ctx, crew, "5511987654321", "5521912345678")
	if err != nil {
		log.Fatal(err) // nobody was added, or it is not known
	}
	if err := result.Err(); err != nil {
		fmt.Println(err) // somebody was not added
	}
	for _, m := range result.Members {
		fmt.Printf("%s %t %q\n", m.Member, m.Done, m.Reason)
	}

	// The other actions work alike.
	type action func(context.Context, ryze.JID, ...ryze.JID) (*ryze.MembersResult, error)
	for _, do := range []action{inst.Groups.Promote, inst.Groups.Demote, inst.Groups.RemoveMembers} {
		result, err := do(ctx, crew, "5511987654321")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Err())
	}

	// Output:
	// ryze: groups.participants: 5521912345678: add failed: privacy settings forbid adding
	// 5511987654321 true ""
	// 5521912345678 false "privacy settings forbid adding"
	// <nil>
	// <nil>
	// <nil>
}

func ExampleGroupsService_Requests() {
	inst := answering(
		`{"success":true,"requests":[
			{"jid":"100000000000001@lid","phoneNumber":"5511987654321@s.whatsapp.net","requestedAt":"2026-01-02T03:04:05Z"},
			{"jid":"100000000000002@lid","phoneNumber":null,"requestedAt":"2026-01-02T03:05:00Z"}]}`,
		`{"success":true,"participants":[{"success":true}]}`,
		`{"success":true,"participants":[{"success":true}]}`,
	)
	ctx := context.Background()
	const crew ryze.JID = "120363000000000001@g.us"

	requests, err := inst.Groups.Requests(ctx, crew)
	if err != nil {
		log.Fatal(err)
	}
	var known, hidden []ryze.JID
	for _, r := range requests {
		if r.Phone == "" {
			hidden = append(hidden, r.JID)
		} else {
			known = append(known, r.JID)
		}
	}
	approved, err := inst.Groups.ApproveRequests(ctx, crew, known...)
	if err != nil {
		log.Fatal(err)
	}
	rejected, err := inst.Groups.RejectRequests(ctx, crew, hidden...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("in:", known, approved.Err())
	fmt.Println("out:", hidden, rejected.Err())

	// Output:
	// in: [100000000000001@lid] <nil>
	// out: [100000000000002@lid] <nil>
}

func ExampleGroupsService_Join() {
	inst := answering(
		`{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Release crew","participantCount":12}}`,
		`{"success":true,"groupJid":"120363000000000001@g.us","requiresApproval":true}`,
	)
	ctx := context.Background()
	const invite = "https://chat.whatsapp.com/AbCdEf123"

	group, err := inst.Groups.Preview(ctx, invite, ryze.WithoutMembers())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Name, group.MemberCount)

	joined, err := inst.Groups.Join(ctx, invite)
	switch {
	case errors.Is(err, ryze.ErrInviteRevoked):
		log.Fatal("ask for a new link")
	case err != nil:
		log.Fatal(err)
	case joined.Pending:
		fmt.Println("an admin has to approve")
	}

	// Output:
	// Release crew 12
	// an admin has to approve
}

func ExampleGroupsService_ResetInviteLink() {
	inst := answering(
		`{"success":true,"group":{"jid":"120363000000000001@g.us","inviteCode":"AbCdEf123","inviteLink":"https://chat.whatsapp.com/AbCdEf123"}}`,
		`{"success":true,"groupJid":"120363000000000001@g.us","inviteCode":"NewCode456","inviteLink":"https://chat.whatsapp.com/NewCode456"}`,
	)
	ctx := context.Background()
	const crew ryze.JID = "120363000000000001@g.us"

	before, err := inst.Groups.InviteLink(ctx, crew)
	if err != nil {
		log.Fatal(err)
	}
	after, err := inst.Groups.ResetInviteLink(ctx, crew)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("was", before.Link)
	fmt.Println("is ", after.Link)

	// Output:
	// was https://chat.whatsapp.com/AbCdEf123
	// is  https://chat.whatsapp.com/NewCode456
}

func ExampleCommunitiesService() {
	inst := answering(
		`{"success":true,"group":{"jid":"120363000000000009@g.us"},"isCommunity":true,"linkedGroups":["120363000000000001@g.us"]}`,
		`{"success":true,"message":"Linked 1 of 2 groups to community","linked":["120363000000000002@g.us"],"failed":["120363000000000003@g.us"]}`,
		`{"success":true,"subgroups":[{"jid":"120363000000000008@g.us","name":"Announcements","isDefaultSubGroup":true},{"jid":"120363000000000001@g.us","name":"General"}]}`,
		`{"success":true,"message":"Unlinked 1 of 1 groups from community","linked":["120363000000000001@g.us"],"failed":[]}`,
	)
	ctx := context.Background()

	hub, err := inst.Communities.Create(ctx, ryze.CreateCommunityParams{
		Name:   "Acme hub",
		Groups: []ryze.JID{"120363000000000001@g.us"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("community:", hub.IsCommunity, hub.Err())

	linked, err := inst.Communities.Link(ctx, hub.JID, "120363000000000002@g.us", "120363000000000003@g.us")
	if err != nil {
		log.Fatal(err)
	}
	if err := linked.Err(); errors.Is(err, ryze.ErrPartial) {
		fmt.Println("not linked:", linked.Failed)
	}

	subgroups, err := inst.Communities.Subgroups(ctx, hub.JID)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range subgroups {
		fmt.Println(g.Name, g.IsAnnouncements)
	}

	unlinked, err := inst.Communities.Unlink(ctx, hub.JID, "120363000000000001@g.us")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("unlinked:", unlinked.Unlinked)

	// Output:
	// community: true <nil>
	// not linked: [120363000000000003@g.us]
	// Announcements true
	// General false
	// unlinked: [120363000000000001@g.us]
}
