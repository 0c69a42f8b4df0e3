// Command groups runs a group from its creation to the farewell: members, some
// of whom cannot be added, an admin, the invite link, people who ask to join, a
// new name.
//
//	go run ./examples/groups
//
// plays it against a simulator. With a number of yours (RYZE_INSTANCE and
// RYZE_INSTANCE_TOKEN) it makes a real group with real people in it, and leaves
// it at the end; name at least two:
//
//	go run ./examples/groups -members 5511987654321,5521998765432
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

func main() {
	members := flag.String("members", "", "whom to add, with the real service: numbers with country code, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	service, err := open(*members)
	if err == nil {
		err = errors.Join(run(ctx, service, os.Stdout), service.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "groups:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, service *service, out io.Writer) (err error) {
	groups := service.Instance.Groups

	// 1. A group begins with at least one member.
	created, err := groups.Create(ctx, ryze.CreateGroupParams{
		Name:        "Night market",
		Description: "Who sells what, and where",
		Members:     service.members[:1],
		Permissions: ryze.GroupPermissionsUpdate{RequireAdminApproval: new(true)},
	})
	if created == nil {
		// After ErrOutcomeUnknown, look at groups.List before trying again.
		return err
	}
	group := created.JID
	fmt.Fprintf(out, "Created %q; %d people are in it.\n", created.Name, created.MemberCount)
	defer func() { err = errors.Join(err, leave(ctx, groups, group, out)) }()
	if err != nil { // it matches ErrPartial: the group is there, but lacks something
		fmt.Fprintln(out, err)
	}

	// 2. Some people cannot be added: then the error matches ErrPartial, and the
	// result has an answer for each of them.
	added, err := groups.AddMembers(ctx, group, service.members[1:]...)
	if err != nil && !errors.Is(err, ryze.ErrPartial) {
		return err
	}
	var last ryze.JID
	for _, m := range added.Members {
		if m.Done {
			last = m.Member
			fmt.Fprintf(out, "  + %s\n", m.Member)
		} else {
			fmt.Fprintf(out, "  - %s: %s\n", m.Member, m.Reason)
		}
	}

	// 3. An admin beside us. One person only: what was not done is an error.
	if last != "" {
		if _, err := groups.Promote(ctx, group, last); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is an admin now.\n", last)
	}

	// 4. The link lets people ask to join, because we asked for approval.
	invite, err := groups.InviteLink(ctx, group)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Share this link:", invite.Link)
	service.linkShared(group)
	if err := admit(ctx, groups, group, service.wait, out); err != nil {
		return err
	}
	// Whoever has the old link knocks in vain from now on.
	if _, err := groups.ResetInviteLink(ctx, group); err != nil {
		return err
	}

	// 5. An update changes what it names and nothing else.
	updated, err := groups.Update(ctx, group, ryze.GroupUpdate{Name: new("Night market 2027")})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The group is called %q now.\n", updated.Name)

	// 6. Info has the members.
	info, err := groups.Info(ctx, group)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "In %q are:\n", info.Name)
	for _, m := range info.Members {
		role := "member"
		switch {
		case m.IsSuperAdmin:
			role = "owner"
		case m.IsAdmin:
			role = "admin"
		}
		fmt.Fprintf(out, "  %s (%s)\n", m.JID, role)
	}
	return nil
}

// admit waits for the first people who ask to join. It lets in those whose
// number it can see and turns the others away. There is no event for requests.
func admit(ctx context.Context, groups *ryze.GroupsService, group ryze.JID, wait time.Duration, out io.Writer) error {
	var requests []ryze.JoinRequest
	for deadline := time.Now().Add(wait); len(requests) == 0; {
		var err error
		if requests, err = groups.Requests(ctx, group); err != nil {
			return err
		}
		if len(requests) == 0 && time.Now().After(deadline) {
			fmt.Fprintln(out, "Nobody asked to join.")
			return nil
		}
		if len(requests) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(3 * time.Second):
			}
		}
	}
	for _, r := range requests {
		who, answer, verb := r.JID, groups.RejectRequests, "Turned away"
		if r.Phone != "" {
			who, answer, verb = r.Phone, groups.ApproveRequests, "Let in"
		}
		if _, err := answer(ctx, group, r.JID); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s %s, who asked at %s.\n", verb, who, r.RequestedAt.Local().Format(time.TimeOnly))
	}
	return nil
}

// leave works also when the program was interrupted. A group cannot be deleted.
func leave(ctx context.Context, groups *ryze.GroupsService, group ryze.JID, out io.Writer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := groups.Leave(ctx, group); err != nil {
		return err
	}
	fmt.Fprintln(out, "Left the group.")
	return nil
}
