package conformance

import (
	"context"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

var closedGroup = ryze.GroupPermissionsUpdate{
	MembersCanEditInfo: new(false), MembersCanSendMessages: new(true),
	MembersCanAddOthers: new(false), RequireAdminApproval: new(true),
}

// foreign makes a group that the instance is not in, open or with approval.
func foreign(approval bool) func(*env) {
	return func(e *env) {
		g := e.sim.AddGroup(ryzetest.NewGroup{
			Name: "Book club", Description: "A book a month", Owner: string(bruno), Members: []string{string(ana)},
			Settings: &ryzetest.GroupSettings{MembersCanSendMessages: true, RequireAdminApproval: approval},
		})
		e.group, e.invite = ryze.JID(g.JID()), g.InviteCode()
	}
}

// waiting closes the group and lets somebody wait before it.
func waiting(e *env) {
	if _, err := e.inst.Groups.Update(context.Background(), e.group, ryze.GroupUpdate{Permissions: ryze.GroupPermissionsUpdate{RequireAdminApproval: new(true)}}); err != nil {
		panic(err)
	}
	e.sim.Group(string(e.group)).RequestToJoin(string(carla))
}

// members is a call of one of the six methods for members.
func members(name string, method func(context.Context, *ryze.GroupsService, ryze.JID) (*ryze.MembersResult, error)) call {
	return gives(name, func(ctx context.Context, e *env) (*ryze.MembersResult, error) {
		return method(ctx, e.inst.Groups, e.group)
	})
}

var groupCalls = []call{
	gives("create a group", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.Create(ctx, ryze.CreateGroupParams{Name: "Launch", Members: []ryze.JID{ana}})
	}),
	gives("create a group with everything", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.Create(ctx, ryze.CreateGroupParams{
			Name: "Launch", Members: []ryze.JID{ana, bruno}, Description: "What is left", ImageURL: picture, Community: e.community, Permissions: closedGroup,
		})
	}),
	gives("groups", func(ctx context.Context, e *env) ([]ryze.Group, error) { return e.inst.Groups.List(ctx) }),
	gives("groups with their members", func(ctx context.Context, e *env) ([]ryze.Group, error) {
		return e.inst.Groups.ListWithMembers(ctx)
	}),
	gives("a group", func(ctx context.Context, e *env) (*ryze.Group, error) { return e.inst.Groups.Info(ctx, e.group) }),
	gives("a group without its members", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.InfoWithoutMembers(ctx, e.group)
	}),
	gives("a group by its link", func(ctx context.Context, e *env) (*ryze.Group, error) { return e.inst.Groups.Preview(ctx, e.invite) }),
	gives("a foreign group by its code", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.PreviewWithoutMembers(ctx, e.invite)
	}).after(foreign(false)),
	gives("rename a group", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.Update(ctx, e.group, ryze.GroupUpdate{Name: new("Release")})
	}),
	gives("update a group", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.Update(ctx, e.group, ryze.GroupUpdate{Name: new("Release"), Description: new(""), ImageURL: picture, Permissions: closedGroup})
	}),
	gives("remove a group's picture", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.Update(ctx, e.group, ryze.GroupUpdate{RemoveImage: true})
	}),
	members("add members", func(ctx context.Context, s *ryze.GroupsService, g ryze.JID) (*ryze.MembersResult, error) {
		return s.AddMembers(ctx, g, bruno, carla)
	}),
	members("add somebody who does not want to be", func(ctx context.Context, s *ryze.GroupsService, g ryze.JID) (*ryze.MembersResult, error) {
		return s.AddMembers(ctx, g, bruno, carla)
	}).after(func(e *env) { e.sim.SetUnaddable(string(bruno)) }).inPart(),
	members("remove members", func(ctx context.Context, s *ryze.GroupsService, g ryze.JID) (*ryze.MembersResult, error) {
		return s.RemoveMembers(ctx, g, ana)
	}),
	members("promote", func(ctx context.Context, s *ryze.GroupsService, g ryze.JID) (*ryze.MembersResult, error) {
		return s.Promote(ctx, g, ana)
	}),
	members("demote", func(ctx context.Context, s *ryze.GroupsService, g ryze.JID) (*ryze.MembersResult, error) {
		return s.Demote(ctx, g, ana)
	}).after(func(e *env) { e.sim.Group(string(e.group)).Promote(string(ana)) }),
	members("approve", func(ctx context.Context, s *ryze.GroupsService, g ryze.JID) (*ryze.MembersResult, error) {
		return s.ApproveRequests(ctx, g, carla)
	}).after(waiting),
	members("reject", func(ctx context.Context, s *ryze.GroupsService, g ryze.JID) (*ryze.MembersResult, error) {
		return s.RejectRequests(ctx, g, carla)
	}).after(waiting),
	gives("requests to join", func(ctx context.Context, e *env) ([]ryze.JoinRequest, error) {
		return e.inst.Groups.Requests(ctx, e.group)
	}).after(waiting),
	gives("no requests to join", func(ctx context.Context, e *env) ([]ryze.JoinRequest, error) {
		return e.inst.Groups.Requests(ctx, e.group)
	}),
	gives("invite link", func(ctx context.Context, e *env) (*ryze.GroupInvite, error) {
		return e.inst.Groups.InviteLink(ctx, e.group)
	}),
	gives("reset the invite link", func(ctx context.Context, e *env) (*ryze.GroupInvite, error) {
		return e.inst.Groups.ResetInviteLink(ctx, e.group)
	}),
	gives("join", func(ctx context.Context, e *env) (*ryze.JoinedGroup, error) { return e.inst.Groups.Join(ctx, e.invite) }).after(foreign(false)),
	gives("ask to join", func(ctx context.Context, e *env) (*ryze.JoinedGroup, error) { return e.inst.Groups.Join(ctx, e.invite) }).after(foreign(true)),
	does("leave", func(ctx context.Context, e *env) error { return e.inst.Groups.Leave(ctx, e.group) }),
}

var communityCalls = []call{
	gives("create a community", func(ctx context.Context, e *env) (*ryze.CreatedCommunity, error) {
		return e.inst.Communities.Create(ctx, ryze.CreateCommunityParams{Name: "Street"})
	}),
	gives("create a community with everything", func(ctx context.Context, e *env) (*ryze.CreatedCommunity, error) {
		return e.inst.Communities.Create(ctx, ryze.CreateCommunityParams{
			Name: "Street", Description: "All houses", Image: ryze.MediaBytes("dot.png", png), Groups: []ryze.JID{e.group}, RequireAdminApproval: true,
		})
	}),
	gives("create a community with an image by its URL", func(ctx context.Context, e *env) (*ryze.CreatedCommunity, error) {
		return e.inst.Communities.Create(ctx, ryze.CreateCommunityParams{Name: "Street", Image: ryze.MediaURL(picture)})
	}),
	gives("create a community that becomes a group", func(ctx context.Context, e *env) (*ryze.CreatedCommunity, error) {
		return e.inst.Communities.Create(ctx, ryze.CreateCommunityParams{Name: "Street"})
	}).after(func(e *env) { e.phone.RefuseCommunities(true) }).inPart(),
	gives("link groups", func(ctx context.Context, e *env) (*ryze.LinkResult, error) {
		return e.inst.Communities.Link(ctx, e.community, e.subgroup)
	}),
	gives("link a group that is not there", func(ctx context.Context, e *env) (*ryze.LinkResult, error) {
		return e.inst.Communities.Link(ctx, e.community, e.subgroup, "120363999999999999@g.us")
	}).inPart(),
	gives("unlink groups", func(ctx context.Context, e *env) (*ryze.LinkResult, error) {
		return e.inst.Communities.Unlink(ctx, e.community, e.subgroup)
	}).after(link),
	gives("unlink a group that is not in it", func(ctx context.Context, e *env) (*ryze.LinkResult, error) {
		return e.inst.Communities.Unlink(ctx, e.community, e.subgroup)
	}).failing(refused("Unlinked 0 of 1")),
	gives("subgroups", func(ctx context.Context, e *env) ([]ryze.Group, error) {
		return e.inst.Communities.Subgroups(ctx, e.community)
	}).after(link),
}

func link(e *env) {
	if _, err := e.inst.Communities.Link(context.Background(), e.community, e.subgroup); err != nil {
		panic(err)
	}
}

func follow(e *env) {
	if _, err := e.inst.Newsletters.Follow(context.Background(), e.channel); err != nil {
		panic(err)
	}
}

var newsletterCalls = []call{
	gives("create a channel", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Create(ctx, ryze.CreateNewsletterParams{Name: "Notices"})
	}),
	gives("create a channel with a picture", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Create(ctx, ryze.CreateNewsletterParams{Name: "Notices", Description: "Of the house", Image: ryze.MediaBytes("dot.png", png)})
	}),
	gives("create a channel with a picture by its URL", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Create(ctx, ryze.CreateNewsletterParams{Name: "Notices", Image: ryze.MediaURL(picture)})
	}),
	gives("channels", func(ctx context.Context, e *env) ([]ryze.Newsletter, error) { return e.inst.Newsletters.List(ctx) }).after(follow),
	gives("no channels", func(ctx context.Context, e *env) ([]ryze.Newsletter, error) { return e.inst.Newsletters.List(ctx) }),
	gives("a channel", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Info(ctx, e.channel)
	}),
	gives("a channel by its link", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Info(ctx, e.channel)
	}).after(func(e *env) { e.channel = e.sim.Newsletter(e.channel).Link() }),
	gives("follow a channel", func(ctx context.Context, e *env) (ryze.JID, error) { return e.inst.Newsletters.Follow(ctx, e.channel) }),
	does("unfollow a channel", func(ctx context.Context, e *env) error { return e.inst.Newsletters.Unfollow(ctx, e.channel) }).after(follow),
}

var profileCalls = []call{
	gives("own profile", func(ctx context.Context, e *env) (*ryze.Profile, error) { return e.inst.Profile.Get(ctx) }).
		after(func(e *env) { e.phone.SetProfile("Support", "We answer", picture) }),
	gives("a profile", func(ctx context.Context, e *env) (*ryze.Profile, error) { return e.inst.Profile.Lookup(ctx, ana) }),
	gives("profile of nobody", func(ctx context.Context, e *env) (*ryze.Profile, error) {
		return e.inst.Profile.Lookup(ctx, "5511911112222")
	}),
	gives("update the profile", func(ctx context.Context, e *env) (*ryze.UpdatedProfile, error) {
		return e.inst.Profile.Update(ctx, ryze.ProfileUpdate{Name: new("Support"), About: new("We answer"), Picture: ryze.MediaBytes("dot.png", png)})
	}),
	gives("clear the about text and the picture", func(ctx context.Context, e *env) (*ryze.UpdatedProfile, error) {
		return e.inst.Profile.Update(ctx, ryze.ProfileUpdate{About: new(""), RemovePicture: true})
	}),
	gives("picture by its URL", func(ctx context.Context, e *env) (*ryze.UpdatedProfile, error) {
		return e.inst.Profile.Update(ctx, ryze.ProfileUpdate{Picture: ryze.MediaURL(picture)})
	}),
	gives("privacy", func(ctx context.Context, e *env) (*ryze.Privacy, error) { return e.inst.Profile.Privacy(ctx) }),
	gives("update the privacy", func(ctx context.Context, e *env) (*ryze.Privacy, error) {
		return e.inst.Profile.UpdatePrivacy(ctx, ryze.PrivacySettings{
			LastSeen: ryze.PrivacyContacts, Status: ryze.PrivacyContactBlacklist, ProfilePicture: ryze.PrivacyAll, Online: ryze.PrivacyMatchLastSeen,
			ReadReceipts: ryze.PrivacyNone, Calls: ryze.PrivacyKnown, GroupAdd: ryze.PrivacyContacts,
		})
	}),
	gives("update one part of the privacy", func(ctx context.Context, e *env) (*ryze.Privacy, error) {
		return e.inst.Profile.UpdatePrivacy(ctx, ryze.PrivacySettings{ReadReceipts: ryze.PrivacyAll})
	}),
}
