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
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func ExampleGroupsService() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	crew, err := inst.Groups.Create(ctx, ryze.CreateGroupParams{
		Name:        "Release crew",
		Description: "Coordination",
		Members:     []ryze.JID{"5511987654321"},
	})
	switch {
	case errors.Is(err, ryze.ErrPartial):
		fmt.Println(err) // the group is there, and the error says what it lacks
	case err != nil:
		log.Fatal(err)
	}

	// From now on only admins write. What is nil stays as it is.
	updated, err := inst.Groups.Update(ctx, crew.JID, ryze.GroupUpdate{
		Permissions: ryze.GroupPermissionsUpdate{MembersCanSendMessages: new(false)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(updated.Message)

	group, err := inst.Groups.Info(ctx, crew.JID)
	if err != nil {
		log.Fatal(err)
	}
	for _, member := range group.Members {
		fmt.Println(member.JID, "admin:", member.IsAdmin)
	}

	groups, err := inst.Groups.List(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range groups {
		fmt.Println(g.Name, g.MemberCount)
	}
	fmt.Println("left:", inst.Groups.Leave(ctx, crew.JID))

	// Output:
	// Group updated successfully: groupSettings
	// 5511900000001@s.whatsapp.net admin: true
	// 5511987654321@s.whatsapp.net admin: false
	// Release crew 2
	// left: <nil>
}

func ExampleGroupsService_AddMembers() {
	sim, inst := demo()
	defer sim.Close()
	sim.SetUnaddable("5521912345678")
	crew := ryze.JID(sim.Instance("support-line").AddGroup("Release crew").JID())
	ctx := context.Background()

	result, err := inst.Groups.AddMembers(ctx, crew, "5511987654321", "5521912345678")
	switch {
	case errors.Is(err, ryze.ErrPartial):
		fmt.Println(err) // somebody was not added
	case err != nil:
		log.Fatal(err) // the service refused, or it is not known
	}
	for _, m := range result.Members {
		fmt.Printf("%s %t %q\n", m.Member, m.Done, m.Reason)
	}

	// The other actions work alike.
	_, err = inst.Groups.Promote(ctx, crew, "5511987654321")
	fmt.Println("promoted:", err)
	_, err = inst.Groups.Demote(ctx, crew, "5511987654321")
	fmt.Println("demoted:", err)
	_, err = inst.Groups.RemoveMembers(ctx, crew, "5511987654321")
	fmt.Println("removed:", err)

	// Output:
	// ryze: groups.participants: not all of it was done: 5521912345678: add failed: privacy settings forbid adding this number
	// 5511987654321 true ""
	// 5521912345678 false "privacy settings forbid adding this number"
	// promoted: <nil>
	// demoted: <nil>
	// removed: <nil>
}

func ExampleGroupsService_Requests() {
	sim, inst := demo()
	defer sim.Close()
	group := sim.AddGroup(ryzetest.NewGroup{
		Name: "Release crew", Owner: "5511900000001",
		Settings: &ryzetest.GroupSettings{RequireAdminApproval: true},
	})
	group.RequestToJoin("5511987654321")
	group.RequestToJoin("5521912345678")
	crew := ryze.JID(group.JID())
	ctx := context.Background()

	requests, err := inst.Groups.Requests(ctx, crew)
	if err != nil {
		log.Fatal(err)
	}
	var welcome, others []ryze.JID
	for _, r := range requests { // r.JID is a LID; r.Phone may be empty
		if r.Phone.Same("5511987654321") {
			welcome = append(welcome, r.JID)
		} else {
			others = append(others, r.JID)
		}
	}
	_, err = inst.Groups.ApproveRequests(ctx, crew, welcome...)
	fmt.Println(len(welcome), "approved:", err)
	_, err = inst.Groups.RejectRequests(ctx, crew, others...)
	fmt.Println(len(others), "rejected:", err)

	// Output:
	// 1 approved: <nil>
	// 1 rejected: <nil>
}

func ExampleGroupsService_Join() {
	sim, inst := demo()
	defer sim.Close()
	invite := sim.AddGroup(ryzetest.NewGroup{
		Name: "Release crew", Owner: "5511987654321",
		Settings: &ryzetest.GroupSettings{RequireAdminApproval: true},
	}).InviteLink() // such as https://chat.whatsapp.com/AbCdEf123
	ctx := context.Background()

	group, err := inst.Groups.PreviewWithoutMembers(ctx, invite)
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
	// Release crew 1
	// an admin has to approve
}

func ExampleGroupsService_ResetInviteLink() {
	sim, inst := demo()
	defer sim.Close()
	crew := ryze.JID(sim.Instance("support-line").AddGroup("Release crew").JID())
	ctx := context.Background()

	before, err := inst.Groups.InviteLink(ctx, crew)
	if err != nil {
		log.Fatal(err)
	}
	after, err := inst.Groups.ResetInviteLink(ctx, crew)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("another link:", before.Link != after.Link)
	_, err = inst.Groups.Preview(ctx, before.Link)
	fmt.Println("the former one works:", err == nil)

	// Output:
	// another link: true
	// the former one works: false
}

// answering returns an instance of a service that gives these answers, one
// after the other, where the simulator would take its time.
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
	if err != nil && !errors.Is(err, ryze.ErrPartial) {
		log.Fatal(err)
	}
	fmt.Println("community:", hub.IsCommunity, err)

	linked, err := inst.Communities.Link(ctx, hub.JID, "120363000000000002@g.us", "120363000000000003@g.us")
	switch {
	case errors.Is(err, ryze.ErrPartial):
		fmt.Println("not linked:", linked.Failed)
	case err != nil:
		log.Fatal(err)
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
	fmt.Println("unlinked:", unlinked.Done)

	// Output:
	// community: true <nil>
	// not linked: [120363000000000003@g.us]
	// Announcements true
	// General false
	// unlinked: [120363000000000001@g.us]
}
