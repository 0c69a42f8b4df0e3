package ryze

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What stands in the place of a resource and is no object says nothing: it is not
// a resource that is switched off.
func TestResourceOfAnotherTypeIsMissing(t *testing.T) {
	resources := map[string]func(context.Context, *InstanceClient) error{
		"settings": func(ctx context.Context, i *InstanceClient) error { _, err := i.Settings.Get(ctx); return err },
		"proxy":    func(ctx context.Context, i *InstanceClient) error { _, err := i.Proxy.Get(ctx); return err },
		"s3":       func(ctx context.Context, i *InstanceClient) error { _, err := i.Storage.Get(ctx); return err },
		"webhook":  func(ctx context.Context, i *InstanceClient) error { _, err := i.Webhooks.Get(ctx, ""); return err },
		"websocket": func(ctx context.Context, i *InstanceClient) error {
			_, err := i.WebSocket.Get(ctx)
			return err
		},
		"profile": func(ctx context.Context, i *InstanceClient) error { _, err := i.Profile.Get(ctx); return err },
		"data":    func(ctx context.Context, i *InstanceClient) error { _, err := i.Messages.Get(ctx, "X"); return err },
	}
	for key, get := range resources {
		for _, value := range []string{`[]`, `[{"enabled":true}]`, `""`, `"off"`, `0`, `false`, `null`} {
			for _, body := range []string{`{"success":true,%q:%s}`, `{"success":true,"data":{%q:%s}}`} {
				reply := fmt.Sprintf(body, key, value)
				if key == "data" && body != `{"success":true,%q:%s}` {
					continue // an object, if an odd one
				}
				err := get(t.Context(), replying(t, reply).Instance("i", "t"))
				require.ErrorIs(t, err, ErrBadResponse, reply)
			}
		}
	}
	list, err := replying(t, `{"instances":[{"name":"i","webhook":[],"websocket":"","chatwoot":0}]}`).Account("a").ListInstances(t.Context())
	require.NoError(t, err)
	assert.Nil(t, list[0].Webhook)
	assert.Nil(t, list[0].WebSocket)
	assert.Nil(t, list[0].Chatwoot)
	group, err := replying(t, `{"group":{"jid":"120363000000000001@g.us","groupSettings":[]}}`).Instance("i", "t").Groups.Info(t.Context(), crew)
	require.NoError(t, err)
	assert.Nil(t, group.Permissions)
}

// A null at the top does not hide what stands in the data.
func TestNullAtTheTopHidesNothing(t *testing.T) {
	inData := func(member, value string) *InstanceClient {
		return replying(t, fmt.Sprintf(`{"success":true,%[1]q:null,"data":{%[1]q:%[2]s}}`, member, value)).Instance("i", "t")
	}
	settings, err := inData("settings", `{"rejectCalls":true}`).Settings.Get(t.Context())
	require.NoError(t, err)
	assert.NotNil(t, settings)
	added, err := inData("participants", `[{"success":true}]`).Groups.AddMembers(t.Context(), crew, ana)
	require.NoError(t, err)
	assert.True(t, added.Members[0].Done)
	forwarded, err := inData("messageId", `"M"`).Messages.Forward(t.Context(), "X", ana)
	require.NoError(t, err)
	assert.Equal(t, "M", forwarded.ID)
	groups, err := inData("groups", `[{"jid":"120363000000000001@g.us"}]`).Groups.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, groups, 1)
	empty, err := inData("groups", `null`).Groups.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, empty)
}

// Upper and lower case differ on no level of a reply.
func TestKeysOfRepliesAreReadInAnyCase(t *testing.T) {
	group, err := replying(t, `{"Success":true,"Data":{"Group":{"JID":"120363000000000001@g.us"}}}`).Instance("i", "t").Groups.Create(t.Context(), CreateGroupParams{Name: "Crew", Members: []JID{ana}})
	require.NoError(t, err)
	assert.EqualValues(t, "120363000000000001@g.us", group.JID)
	label, err := replying(t, `{"SUCCESS":true,"TAG":{"ID":7}}`).Instance("i", "t").Labels.Create(t.Context(), "Lead", 1)
	require.NoError(t, err)
	assert.Equal(t, "7", label.ID)
}

// A null among the events of a filter is no event without a name.
func TestFiltersHoldNames(t *testing.T) {
	for events, want := range map[string][]EventType{
		`["message.exchange",null,7,{},"",[]]`: {EventMessage, "7"},
		`"message.exchange, call.update"`:      {EventMessage, EventCall},
		`[null]`:                               {},
		`[]`:                                   {},
		`null`:                                 nil,
		`{}`:                                   nil,
	} {
		stored, err := replying(t, `{"websocket":{"enabled":true,"events":`+events+`}}`).Instance("i", "t").WebSocket.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, stored.Events, events)
		hook, err := replying(t, `{"webhook":{"enabled":"true","byEvents":1,"events":`+events+`}}`).Instance("i", "t").Webhooks.Get(t.Context(), "")
		require.NoError(t, err)
		assert.Equal(t, want, hook.Events, events)
		assert.True(t, hook.ByEvents)
	}
}

// What the envelope says is not taken from the data.
func TestDataDoesNotSpeakForTheEnvelope(t *testing.T) {
	_, err := replying(t, `{"success":false,"error":{"message":"no"},"data":{"success":true,"error":null,"settings":{"ignoreStatus":true}}}`).Instance("i", "t").Settings.Get(t.Context())
	var api *APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, "no", api.Message)
	set, err := replying(t, `{"success":true,"settings":{"ignoreStatus":true},"data":{"settings":{"ignoreStatus":false}}}`).Instance("i", "t").Settings.Get(t.Context())
	require.NoError(t, err)
	assert.True(t, set.IgnoreStatus, "the top is looked at first")
}
