package ryze_test

import (
	"testing"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGroupFromItsCreationToLeavingIt(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		ctx := t.Context()
		groups := paired(t, sim, client, "main").Groups
		sim.SetUnaddable("5521912345678")

		group, err := groups.Create(ctx, CreateGroupParams{
			Name: "Release crew", Members: []JID{"5511987654321"}, Description: "Coordination",
			Permissions: GroupPermissionsUpdate{RequireAdminApproval: new(true)},
		})
		require.NoError(t, err)
		assert.Equal(t, 2, group.MemberCount)

		added, err := groups.AddMembers(ctx, group.JID, "5531987654321", "5521912345678")
		require.ErrorIs(t, err, ErrPartial)
		assert.True(t, added.Members[0].Done)
		assert.Equal(t, []string{"5521912345678"}, Targets(err))

		for _, change := range []func() (*MembersResult, error){
			func() (*MembersResult, error) { return groups.Promote(ctx, group.JID, "5531987654321") },
			func() (*MembersResult, error) { return groups.Demote(ctx, group.JID, "5531987654321") },
			func() (*MembersResult, error) { return groups.RemoveMembers(ctx, group.JID, "5531987654321") },
		} {
			_, err := change()
			require.NoError(t, err)
		}

		_, err = groups.Update(ctx, group.JID, GroupUpdate{
			Description: new(""), Permissions: GroupPermissionsUpdate{MembersCanSendMessages: new(false)},
		})
		require.NoError(t, err)
		info, err := groups.Info(ctx, group.JID)
		require.NoError(t, err)
		assert.Empty(t, info.Description)
		assert.Equal(t, "Release crew", info.Name)
		assert.False(t, info.Permissions.MembersCanSendMessages)
		assert.Len(t, info.Members, 2)
		assert.False(t, info.CreatedAt.IsZero())

		list, err := groups.ListWithMembers(ctx)
		require.NoError(t, err)
		require.Len(t, list, 1)
		assert.Equal(t, group.JID, list[0].JID)
		assert.Len(t, list[0].Members, 2)

		// Somebody else's instance comes in by the link.
		link, err := groups.InviteLink(ctx, group.JID)
		require.NoError(t, err)
		guest := sim.AddInstance("guest")
		guest.Pair("5511900000002")
		visitors := client.Instance("guest", guest.Token()).Groups
		seen, err := visitors.Preview(ctx, link.Code)
		require.NoError(t, err)
		assert.Equal(t, group.JID, seen.JID)
		joined, err := visitors.Join(ctx, link.Link)
		require.NoError(t, err)
		assert.Equal(t, group.JID, joined.Group)
		assert.True(t, joined.Pending)

		require.True(t, sim.Group(string(group.JID)).RequestToJoin("5541987654321"))
		requests, err := groups.Requests(ctx, group.JID)
		require.NoError(t, err)
		require.Len(t, requests, 2)
		_, err = groups.ApproveRequests(ctx, group.JID, requests[0].JID)
		require.NoError(t, err)
		_, err = groups.RejectRequests(ctx, group.JID, requests[1].JID)
		require.NoError(t, err)

		renewed, err := groups.ResetInviteLink(ctx, group.JID)
		require.NoError(t, err)
		assert.NotEqual(t, link.Link, renewed.Link)
		_, err = visitors.Join(ctx, link.Link)
		require.ErrorIs(t, err, ErrInviteRevoked)

		require.NoError(t, groups.Leave(ctx, group.JID))
		require.ErrorIs(t, groups.Leave(ctx, group.JID), ErrGroupNotFound)
		assert.Empty(t, sim.Violations())
	})
}

func TestCommunityFromItsCreationToUnlinking(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		ctx := t.Context()
		inst := paired(t, sim, client, "main")
		var own []JID
		for _, name := range []string{"General", "Sales"} {
			own = append(own, JID(sim.Instance("main").AddGroup(name).JID()))
		}
		foreign := JID(sim.AddGroup(ryzetest.NewGroup{Name: "Foreign", Owner: "5511987654321"}).JID())

		began := time.Now()
		community, err := inst.Communities.Create(ctx, CreateCommunityParams{
			Name: "Acme hub", Groups: []JID{own[0], foreign}, RequireAdminApproval: true, Image: MediaBytes("a.png", []byte(PNG)),
		})
		assert.Equal(t, []string{string(foreign)}, Targets(err))
		assert.GreaterOrEqual(t, time.Since(began), 2*time.Second, "virtual time: the service pauses for each group")
		assert.True(t, community.IsCommunity)

		linked, err := inst.Communities.Link(ctx, community.JID, own[1], foreign)
		assert.Equal(t, []string{string(foreign)}, Targets(err))
		assert.Equal(t, []JID{own[1]}, linked.Done)

		subgroups, err := inst.Communities.Subgroups(ctx, community.JID)
		require.NoError(t, err)
		require.Len(t, subgroups, 3)
		assert.True(t, subgroups[0].IsAnnouncements)

		unlinked, err := inst.Communities.Unlink(ctx, community.JID, own...)
		require.NoError(t, err)
		assert.Equal(t, own, unlinked.Done)

		sim.Instance("main").RefuseCommunities(true)
		plain, err := inst.Communities.Create(ctx, CreateCommunityParams{Name: "Acme hub"})
		require.ErrorIs(t, err, ErrPartial)
		assert.False(t, plain.IsCommunity)
		assert.Empty(t, sim.Violations())
	})
}

func TestChannelFromItsCreationToUnfollowingIt(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		ctx := t.Context()
		channels := paired(t, sim, client, "main").Newsletters
		guest := sim.AddInstance("guest")
		guest.Pair("5511900000002")
		readers := client.Instance("guest", guest.Token()).Newsletters

		created, err := channels.Create(ctx, CreateNewsletterParams{Name: "Acme news", Image: MediaBytes("a.png", []byte(PNG))})
		require.NoError(t, err)
		assert.Equal(t, NewsletterActive, created.State)
		assert.NotEmpty(t, created.PictureURL)

		for _, ref := range []string{string(created.JID), created.InviteLink} {
			info, err := readers.Info(ctx, ref)
			require.NoError(t, err)
			assert.Equal(t, created.JID, info.JID)
			followed, err := readers.Follow(ctx, ref)
			require.NoError(t, err)
			assert.Equal(t, created.JID, followed)
			list, err := readers.List(ctx)
			require.NoError(t, err)
			require.Len(t, list, 1)
			assert.Equal(t, "Acme news", list[0].Name)
			require.NoError(t, readers.Unfollow(ctx, ref))
			require.ErrorIs(t, readers.Unfollow(ctx, ref), ErrNewsletterNotFound)
		}
		assert.Empty(t, sim.Violations())
	})
}

func TestProfileAndPrivacyAreChangedAndReadBack(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		ctx := t.Context()
		profile := paired(t, sim, client, "main").Profile

		_, err := profile.Update(ctx, ProfileUpdate{Name: new("Support Line"), About: new("Weekdays"), Picture: MediaBytes("a.png", []byte(PNG))})
		require.NoError(t, err)
		own, err := profile.Get(ctx)
		require.NoError(t, err)
		assert.Equal(t, "Support Line", own.Name)
		assert.Equal(t, "Weekdays", own.About)
		assert.NotEmpty(t, own.PictureURL)

		_, err = profile.Update(ctx, ProfileUpdate{About: new(""), RemovePicture: true})
		require.NoError(t, err)
		own, err = profile.Lookup(ctx, "5511900000001")
		require.NoError(t, err)
		assert.True(t, own.Exists())
		assert.Equal(t, "Support Line", own.Name)
		assert.Empty(t, own.About)
		assert.Empty(t, own.PictureURL)

		want := PrivacySettings{LastSeen: PrivacyNone, Online: PrivacyMatchLastSeen, GroupAdd: PrivacyContacts}
		updated, err := profile.UpdatePrivacy(ctx, want)
		require.NoError(t, err)
		assert.Equal(t, PrivacyAll, updated.Calls)
		now, err := profile.Privacy(ctx)
		require.NoError(t, err)
		assert.Equal(t, PrivacySettings{}, now.Pending(want))
		assert.Empty(t, sim.Violations())
	})
}

func TestHalfAppliedPrivacyUpdateCanBeFinished(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, _ *Client) {
		ctx := t.Context()
		client := newTestClient(t, sim, WithRetry(RetryPolicy{MaxAttempts: 1}))
		defer func() { require.NoError(t, client.Close()) }()
		profile := paired(t, sim, client, "main").Profile
		sim.Instance("main").FailPrivacyAfter(1)

		want := PrivacySettings{LastSeen: PrivacyNone, Calls: PrivacyKnown}
		_, err := profile.UpdatePrivacy(ctx, want)
		require.ErrorIs(t, err, ErrServer)
		now, err := profile.Privacy(ctx)
		require.NoError(t, err)
		rest := now.Pending(want)
		assert.Equal(t, PrivacySettings{Calls: PrivacyKnown}, rest)
		updated, err := profile.UpdatePrivacy(ctx, rest)
		require.NoError(t, err)
		assert.Equal(t, PrivacySettings{}, updated.Pending(want))
	})
}

func TestChatwootIsSetReadAndDeleted(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		ctx := t.Context()
		chatwoot := paired(t, sim, client, "main").Chatwoot

		_, err := chatwoot.Get(ctx)
		require.ErrorIs(t, err, ErrNotConfigured)
		sim.RejectChatwoot(401, `{"error":"Invalid Access Token"}`)
		_, err = chatwoot.Set(ctx, WholeChatwootConfig())
		require.ErrorIs(t, err, ErrChatwoot)
		require.NotErrorIs(t, err, ErrUnauthorized)
		sim.RejectChatwoot(0, "")

		activation, err := chatwoot.Set(ctx, WholeChatwootConfig())
		require.NoError(t, err)
		assert.Equal(t, ChatwootActive, activation.Status)
		stored, err := chatwoot.Get(ctx)
		require.NoError(t, err)
		assert.Equal(t, WholeChatwootConfig(), stored.ChatwootConfig)
		assert.True(t, stored.FlagsKnown)
		assert.Equal(t, activation.IntegrationID, stored.IntegrationID)

		require.NoError(t, chatwoot.Delete(ctx))
		require.ErrorIs(t, chatwoot.Delete(ctx), ErrNotConfigured)
		assert.Empty(t, sim.Violations())
	})
}
