package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

var inMemory = demo.Config{Simulator: []ryzetest.Option{ryzetest.InMemory()}}

// In virtual time and in memory; a goroutine left behind fails the test.
func TestGroupsPlaysTheWholeLifeOfAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, err := demo.Simulate(inMemory)
		require.NoError(t, err)
		defer func() { require.NoError(t, base.Close()) }()
		service := simulated(base)
		var group ryze.JID
		share := service.linkShared
		service.linkShared = func(g ryze.JID) { group = g; share(g) }

		var out strings.Builder
		require.NoError(t, run(t.Context(), service, &out))
		for _, line := range []string{
			`Created "Night market"; 2 people are in it.`,
			"- 5531000000000: number not on WhatsApp",
			"- 5541977776666: privacy settings forbid adding this number",
			"+ 5521998765432",
			"5521998765432 is an admin now.",
			"Share this link: https://chat.whatsapp.com/",
			"Let in 5551966665555@s.whatsapp.net",
			"Turned away 199999999999999@lid",
			`The group is called "Night market 2027" now.`,
			"5511900000001@s.whatsapp.net (owner)",
			"5521998765432@s.whatsapp.net (admin)",
			"5551966665555@s.whatsapp.net (member)",
			"Left the group.",
		} {
			assert.Contains(t, out.String(), line)
		}
		assert.NotContains(t, out.String(), base.Phone.Token())

		left := base.Simulator.Group(string(group))
		assert.Equal(t, "Night market 2027", left.Name())
		var members []string
		for _, m := range left.Members() {
			members = append(members, m.JID)
		}
		assert.Equal(t, []string{"5511987654321@s.whatsapp.net", "5521998765432@s.whatsapp.net", "5551966665555@s.whatsapp.net"}, members)
		assert.Empty(t, base.Simulator.Violations())
	})
}

func TestGroupsGoesOnWhenNobodyAsksToJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, err := demo.Simulate(inMemory)
		require.NoError(t, err)
		defer func() { require.NoError(t, base.Close()) }()
		service := simulated(base)
		service.linkShared = func(ryze.JID) {}

		var out strings.Builder
		require.NoError(t, run(t.Context(), service, &out))
		assert.Contains(t, out.String(), "Nobody asked to join.")
		assert.Contains(t, out.String(), "Left the group.")
	})
}

func TestGroupsLeavesTheGroupWhenItIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, err := demo.Simulate(inMemory)
		require.NoError(t, err)
		defer func() { require.NoError(t, base.Close()) }()
		ctx, interrupt := context.WithCancel(t.Context())
		service := simulated(base)
		service.linkShared = func(ryze.JID) { interrupt() }

		var out strings.Builder
		require.ErrorIs(t, run(ctx, service, &out), context.Canceled)
		assert.Contains(t, out.String(), "Left the group.")
	})
}
