package ryze_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// says is a service that always answers the same.
type says string

func (s says) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(s))), Request: req}, nil
}

func (s says) client(t *testing.T) *Client {
	t.Helper()
	client, err := New(WithHTTPClient(&http.Client{Transport: s}))
	require.NoError(t, err)
	return client
}

const (
	crewJID  = JID("120363000000000001@g.us")
	salesJID = JID("120363000000000003@g.us")
	ownToken = "tok-of-the-caller"
	newToken = "tok-of-the-new-one"
	botToken = "cw-s3cret-token"
)

var failingChatwoot = ChatwootConfig{BaseURL: "https://chat.example.com", AccountID: 7, APIToken: botToken, InboxName: "a"}

// partialCalls are all calls that can succeed in part: what the service answers,
// and what of it is to be seen.
var partialCalls = map[string]struct {
	reply    string
	call     func(context.Context, *Client) (any, error)
	failed   []string // targets
	text     string
	group    JID
	chatwoot bool
}{
	"create a group": {
		`{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Crew","description":""}}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Groups.Create(ctx, CreateGroupParams{Name: "Crew", Members: []JID{"5511987654321"}, Description: "Who does what"})
			return r.JID, err
		},
		[]string{"Description"}, "ryze: groups.create: the group 120363000000000001@g.us was created, but Description: ", crewJID, false,
	},
	"update a group": {
		`{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Old"}}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Groups.Update(ctx, crewJID, GroupUpdate{Name: new("New")})
			return r.Name, err
		},
		[]string{"Name"}, "ryze: groups.update: not all of it was done: Name: ", crewJID, false,
	},
	"add members": {
		`{"success":true,"participants":[{"success":true},{"success":false,"error":"private"}]}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Groups.AddMembers(ctx, crewJID, "5511987654321", "5521912345678")
			return r.Members, err
		},
		[]string{"5521912345678"}, "ryze: groups.participants: not all of it was done: 5521912345678: add failed: private", crewJID, false,
	},
	"nobody was added": {
		`{"success":true,"participants":[{"success":false,"error":"private"}]}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Groups.AddMembers(ctx, crewJID, "5511987654321")
			return r.Members, err
		},
		[]string{"5511987654321"}, "not all of it was done", crewJID, false,
	},
	"create a community": {
		`{"success":true,"message":"as a group","group":{"jid":"120363000000000001@g.us"},"isCommunity":false,"linkedGroups":[],"failedGroups":["120363000000000003@g.us"],"imageError":"too big"}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Communities.Create(ctx, CreateCommunityParams{Name: "Hub", Groups: []JID{salesJID}, Image: MediaURL("https://cdn.example.com/a.png")})
			return r.JID, err
		},
		[]string{string(crewJID), string(salesJID), "Image"}, "ryze: communities.create: the community 120363000000000001@g.us was created, but ", crewJID, false,
	},
	"link groups": {
		`{"success":true,"linked":[],"failed":["120363000000000003@g.us"]}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Communities.Link(ctx, crewJID, salesJID)
			return r.Failed, err
		},
		[]string{string(salesJID)}, "was not linked", crewJID, false,
	},
	"unlink groups": {
		`{"success":true,"linked":[],"failed":["120363000000000003@g.us"]}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Communities.Unlink(ctx, crewJID, salesJID)
			return r.Failed, err
		},
		[]string{string(salesJID)}, "was not unlinked", crewJID, false,
	},
	"update the profile": {
		`{"success":true,"updatedFields":["profileName"]}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Profile.Update(ctx, ProfileUpdate{Name: new("Line"), About: new("9-18")})
			return r.Updated, err
		},
		[]string{"About"}, "ryze: profile.update_account: not all of it was done: About: ", "", false,
	},
	"update the privacy": {
		`{"success":true,"settings":{"visibility":{"lastSeen":"all"},"permissions":{"callAdd":"known"}}}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Profile.UpdatePrivacy(ctx, PrivacySettings{LastSeen: PrivacyNone, Calls: PrivacyKnown})
			return r.Calls, err
		},
		[]string{"LastSeen"}, `ryze: profile.update_privacy: not all of it was done: LastSeen: is "all", not "none"`, "", false,
	},
	"activate Chatwoot": {
		`{"instance":"a","status":"error","message":"the token cw-s3cret-token was refused"}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Instance("a", ownToken).Chatwoot.Set(ctx, failingChatwoot)
			return r.Status, err
		},
		[]string{"Chatwoot"}, "the token [redacted] was refused", "", true,
	},
	"create an instance whose Chatwoot fails": {
		`{"success":true,"instance":{"name":"a","token":"` + newToken + `"},"chatwoot":{"status":"error","error":"the token cw-s3cret-token was refused"}}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Account(ownToken).CreateInstance(ctx, CreateInstanceParams{Name: "a", Chatwoot: &failingChatwoot})
			return r.Token, err
		},
		[]string{"Chatwoot"}, `ryze: instance.create: the instance "a" was created, but Chatwoot: the token [redacted] was refused`, "", true,
	},
	"create an instance whose Chatwoot is off": {
		`{"success":true,"instance":{"name":"a","token":"` + newToken + `","chatwoot":{"enabled":false}}}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Account(ownToken).CreateInstance(ctx, CreateInstanceParams{Name: "a", Chatwoot: &failingChatwoot})
			return r.Token, err
		},
		[]string{"Chatwoot"}, `the instance "a" was created, but Chatwoot: `, "", true,
	},
	"create an instance whose webhook and stream are off": {
		`{"success":true,"instance":{"name":"a","token":"` + newToken + `","webhook":{"enabled":false},"websocket":{"enabled":"false"}}}`,
		func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Account(ownToken).CreateInstance(ctx, CreateInstanceParams{Name: "a", Webhook: &WebhookConfig{URL: "https://a.example"}, WebSocket: &WebSocketConfig{}})
			return r.Token, err
		},
		[]string{"Webhook", "WebSocket"}, `ryze: instance.create: the instance "a" was created, but Webhook: the reply shows it disabled; WebSocket: `, "", false,
	},
}

// Whether a block is shown inside the instance, beside it or in the data is not
// documented, nor how the words are written: one that says that it failed is enough.
func TestFailedBlockIsSeenWhereverTheReplyShowsIt(t *testing.T) {
	asked := CreateInstanceParams{Name: "a", Webhook: &WebhookConfig{URL: "https://a.example"}, Chatwoot: &failingChatwoot}
	for _, reply := range []string{
		`{"success":true,"instance":{"name":"a","token":"tok-1","webhook":{"enabled":false},"chatwoot":{"status":"error"}}}`,
		`{"success":true,"instance":{"name":"a","token":"tok-1"},"webhook":{"enabled":false},"chatwoot":{"status":"ERROR","error":"no"}}`,
		`{"success":true,"data":{"instance":{"name":"a","token":"tok-1"},"webhook":{"enabled":"false"},"chatwoot":{"status":"failed"}}}`,
		`{"success":true,"data":{"name":"a","token":"tok-1","webhook":{"enabled":0},"chatwoot":{"enabled":false,"error":"no"}}}`,
		`{"success":true,"instance":{"name":"a","token":"tok-1","webhook":{},"chatwoot":{}},"webhook":{"enabled":false},"chatwoot":{"error":"no"}}`,
		`{"success":true,"instance":{"name":"a","token":"tok-1","webhook":{"enabled":true},"chatwoot":{"enabled":true}},"webhook":{"enabled":false},"chatwoot":{"status":"error"}}`,
	} {
		created, err := says(reply).client(t).Account(ownToken).CreateInstance(t.Context(), asked)
		require.ErrorIs(t, err, ErrChatwoot, reply)
		var partial *PartialError
		require.ErrorAs(t, err, &partial)
		require.Len(t, partial.Failures, 2, reply)
		assert.Equal(t, "Webhook", partial.Failures[0].Target)
		assert.Equal(t, "Chatwoot", partial.Failures[1].Target)
		assert.Same(t, created, partial.Instance)
	}
}

// A reply that says yes in other words, or repeats a text as it is stored, is no
// failure.
func TestWhatWasDoneIsNoPartialFailure(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		reply string
		call  func(*InstanceClient) error
	}{
		"texts without blanks": {
			`{"success":true,"group":{"jid":"120363000000000001@g.us","name":"Crew","description":"One\nTwo"}}`,
			func(i *InstanceClient) error {
				_, err := i.Groups.Create(ctx, CreateGroupParams{Name: " Crew ", Description: "One\r\nTwo\n", Members: []JID{"5511987654321"}})
				return err
			},
		},
		"successes as texts and numbers": {
			`{"success":true,"participants":[{"success":"true"},{"success":1}]}`,
			func(i *InstanceClient) error {
				_, err := i.Groups.AddMembers(ctx, crewJID, "5511987654321", "5521912345678")
				return err
			},
		},
		"a community that is one": {
			`{"success":true,"group":{"jid":"120363000000000001@g.us"},"isCommunity":"true"}`,
			func(i *InstanceClient) error {
				_, err := i.Communities.Create(ctx, CreateCommunityParams{Name: "Hub"})
				return err
			},
		},
		"Chatwoot that is paused": {
			`{"instance":"a","status":"paused"}`,
			func(i *InstanceClient) error { _, err := i.Chatwoot.Set(ctx, failingChatwoot); return err },
		},
	} {
		assert.NoError(t, c.call(says(c.reply).client(t).Instance("a", ownToken)), name)
	}
}

// A program that looks at the error alone, or at the result alone, loses nothing.
func TestPartialFailureComesWithTheResult(t *testing.T) {
	for name, c := range partialCalls {
		t.Run(name, func(t *testing.T) {
			result, err := c.call(t.Context(), says(c.reply).client(t))
			assert.NotEmpty(t, result)
			require.ErrorIs(t, err, ErrPartial)
			require.NotErrorIs(t, err, ErrOutcomeUnknown)
			assert.Equal(t, c.chatwoot, errors.Is(err, ErrChatwoot))
			assert.ErrorContains(t, err, c.text)

			var partial *PartialError
			require.ErrorAs(t, err, &partial)
			var failed []string
			for _, f := range partial.Failures {
				failed = append(failed, f.Target)
				assert.NotEmpty(t, f.Reason)
			}
			assert.Equal(t, c.failed, failed)
			assert.Equal(t, c.group, partial.Group)
			if strings.HasPrefix(name, "create an instance") {
				assert.Equal(t, newToken, partial.Instance.Token.Reveal())
				assert.Equal(t, "a", partial.Instance.Name)
			} else {
				assert.Nil(t, partial.Instance)
			}
		})
	}
}

func TestPartialErrorPrintsNoSecret(t *testing.T) {
	for name, c := range partialCalls {
		_, err := c.call(t.Context(), says(c.reply).client(t))
		var partial *PartialError
		require.ErrorAs(t, err, &partial, name)
		var log bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			_, _ = fmt.Fprintf(&log, verb, err)
			_, _ = fmt.Fprintf(&log, verb, fmt.Errorf("creating: %w", err))
		}
		slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "error", err, "partial", partial)
		encoded, err := json.Marshal(partial)
		require.NoError(t, err)
		log.Write(encoded)
		assert.NotContains(t, log.String(), newToken, name)
		assert.NotContains(t, log.String(), botToken, name)
	}
}

// What was not asked for cannot fail, and what the reply does not show has not.
func TestCreationIsPartialOnlyInWhatWasAskedFor(t *testing.T) {
	const start = `{"success":true,"instance":{"name":"a","token":"` + newToken + `"`
	hook, stream := &WebhookConfig{URL: "https://a.example"}, &WebSocketConfig{}
	for name, c := range map[string]struct {
		reply  string
		params CreateInstanceParams
	}{
		"not asked for":   {start + `,"webhook":{"enabled":false},"websocket":{"enabled":false},"chatwoot":{"enabled":false,"status":"error"}}}`, CreateInstanceParams{Name: "a"}},
		"not shown":       {start + `}}`, CreateInstanceParams{Name: "a", Webhook: hook, WebSocket: stream, Chatwoot: &failingChatwoot}},
		"null":            {start + `,"webhook":null,"websocket":null,"chatwoot":null}}`, CreateInstanceParams{Name: "a", Webhook: hook, WebSocket: stream, Chatwoot: &failingChatwoot}},
		"shown, not said": {start + `,"webhook":{},"websocket":{"events":[]},"chatwoot":{}}}`, CreateInstanceParams{Name: "a", Webhook: hook, WebSocket: stream, Chatwoot: &failingChatwoot}},
		"done":            {start + `,"webhook":{"enabled":true},"chatwoot":{"status":"active"}},"websocket":{"enabled":1}}`, CreateInstanceParams{Name: "a", Webhook: hook, WebSocket: stream, Chatwoot: &failingChatwoot}},
	} {
		created, err := says(c.reply).client(t).Account(ownToken).CreateInstance(t.Context(), c.params)
		require.NoError(t, err, name)
		assert.Equal(t, newToken, created.Token.Reveal(), name)
	}
}

func TestPartialErrorOfManyFailuresStaysShort(t *testing.T) {
	people := make([]JID, 200)
	for i := range people {
		people[i] = JID(fmt.Sprintf("55119876%05d", i))
	}
	result, err := says(`{"success":true,"participants":[]}`).client(t).Instance("a", ownToken).Groups.AddMembers(t.Context(), crewJID, people...)
	require.ErrorIs(t, err, ErrPartial)
	assert.Less(t, len(err.Error()), 1000)
	assert.ErrorContains(t, err, "and 195 more")
	var partial *PartialError
	require.ErrorAs(t, err, &partial)
	assert.Len(t, partial.Failures, len(people))
	assert.Len(t, result.Members, len(people))
}

func TestTextsOfThePartialErrorStayOnOneLine(t *testing.T) {
	_, err := says(`{"success":true,"participants":[{"success":false,"error":"a\nb\u2028c\u202ed"}]}`).client(t).
		Instance("a", ownToken).Groups.AddMembers(t.Context(), crewJID, "5511987654321")
	assert.ErrorContains(t, err, "a b c d")
}

// An instance that was created in part is not lost, and not created again, by a
// program that passes errors on.
func TestInstanceIsFoundInTheErrorOfItsCreation(t *testing.T) {
	sim := ryzetest.NewServer()
	defer sim.Close()
	sim.RejectChatwoot(http.StatusUnauthorized, "detail")
	client, err := New(WithBaseURL(sim.URL), WithHTTPClient(sim.HTTPClient()))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	account := client.Account(sim.AccountToken)

	provision := func() error {
		_, err := account.CreateInstance(t.Context(), CreateInstanceParams{Name: "line", Chatwoot: &failingChatwoot})
		return fmt.Errorf("provisioning: %w", err)
	}
	var partial *PartialError
	require.ErrorAs(t, provision(), &partial)
	_, err = account.InstanceFrom(partial.Instance).Settings.Get(t.Context())
	require.NoError(t, err, "with the new instance's own token")
	assert.Equal(t, 1, sim.Count("instance.create"))
}

func TestConfigurationThatCannotBeStoredIsRefusedBeforeAnyRequest(t *testing.T) {
	inst := says("").client(t).Instance("a", ownToken)
	account := says("").client(t).Account(ownToken)
	ctx := t.Context()
	unknown := []EventType{EventMessage, "poll.vote"}
	hook := WebhookConfig{URL: "https://a.example", Events: unknown}
	for name, c := range map[string]struct {
		call  func() error
		field string
		text  string
	}{
		"set an unknown event":    {func() error { _, err := inst.Webhooks.Set(ctx, hook); return err }, "Webhook.Events[1]", `"poll.vote"`},
		"ensure an unknown event": {func() error { _, err := inst.Webhooks.Ensure(ctx, hook); return err }, "Webhook.Events[1]", `"poll.vote"`},
		"create with an unknown event": {func() error {
			_, err := account.CreateInstance(ctx, CreateInstanceParams{Name: "a", Webhook: &hook})
			return err
		}, "Webhook.Events[1]", `"poll.vote"`},
		"the gap, which is no event": {func() error {
			_, err := inst.Webhooks.Set(ctx, WebhookConfig{URL: "https://a.example", Events: []EventType{EventGap}})
			return err
		}, "Webhook.Events[0]", `"ryze.gap"`},
		"stream an unknown event": {func() error { _, err := inst.WebSocket.Set(ctx, WebSocketConfig{Events: unknown}); return err }, "WebSocket.Events[1]", `"poll.vote"`},
		"ensure a stream of it":   {func() error { _, err := inst.WebSocket.Ensure(ctx, WebSocketConfig{Events: unknown}); return err }, "WebSocket.Events[1]", `"poll.vote"`},
		"subscribe to it": {func() error {
			_, err := inst.Subscribe(ctx, WithWebSocket(WebSocketConfig{Events: unknown}))
			return err
		}, "WebSocket.Events[1]", `"poll.vote"`},
		"create with a stream of it": {func() error {
			_, err := account.CreateInstance(ctx, CreateInstanceParams{Name: "a", WebSocket: &WebSocketConfig{Events: unknown}})
			return err
		}, "WebSocket.Events[1]", `"poll.vote"`},
		"label of another webhook": {func() error {
			_, err := account.CreateInstance(ctx, CreateInstanceParams{Name: "a", Webhook: &WebhookConfig{URL: "https://a.example", Label: "crm"}})
			return err
		}, "Webhook.Label", `"crm"`},
		"new picture and none": {func() error {
			_, err := inst.Groups.Update(ctx, crewJID, GroupUpdate{ImageURL: "https://a.example/a.png", RemoveImage: true})
			return err
		}, "GroupUpdate.ImageURL", "RemoveImage"},
		"new portrait and none": {func() error {
			_, err := inst.Profile.Update(ctx, ProfileUpdate{Picture: MediaURL("https://a.example/a.png"), RemovePicture: true})
			return err
		}, "ProfileUpdate.Picture", "RemovePicture"},
		"port": {func() error { return inst.Proxy.Set(ctx, ProxyConfig{Host: "h", Port: "http"}) }, "Proxy.Port", `"http"`},
		"scheme": {func() error {
			_, err := inst.Webhooks.Set(ctx, WebhookConfig{URL: "ftp://a.example/x?token=s3cret"})
			return err
		}, "Webhook.URL", `"ftp"`},
		"only a port": {func() error {
			_, err := inst.Webhooks.Set(ctx, WebhookConfig{URL: "https://:443/x"})
			return err
		}, "Webhook.URL", "no host"},
		"no such port": {func() error {
			_, err := inst.Chatwoot.Set(ctx, ChatwootConfig{BaseURL: "https://a.example:70000", AccountID: 1, APIToken: "x"})
			return err
		}, "Chatwoot.BaseURL", "no port"},
		"color":                     {func() error { _, err := inst.Labels.Create(ctx, "a", 11); return err }, "color", "11"},
		"a group among the members": {func() error { _, err := inst.Groups.AddMembers(ctx, crewJID, "5511987654321", salesJID); return err }, "members", `"120363000000000003@g.us"`},
		"a person to leave":         {func() error { return inst.Groups.Leave(ctx, "5511987654321") }, "group", `"5511987654321" is a`},
		"a group with a letter":     {func() error { return inst.Groups.Leave(ctx, "12x@g.us") }, "group", `"12x@g.us"`},
		"a person with two servers": {func() error { return inst.Contacts.Block(ctx, "1@lid@lid") }, "person", `"1@lid@lid"`},
		"a name with blanks":        {func() error { _, err := account.GetInstance(ctx, " line "); return err }, "instance name", `" line " has blanks`},
		"a name that is a path":     {func() error { return account.DeleteInstance(ctx, "..") }, "instance name", `".." is a relative path`},
		"a label of two lines":      {func() error { return inst.Labels.Delete(ctx, "3\n4") }, "label id", `"3\n4"`},
		"a comma in a name":         {func() error { _, err := account.Metrics(ctx, "a,b"); return err }, "instance name", `"a,b"`},
		"account of Chatwoot": {func() error {
			_, err := inst.Chatwoot.Set(ctx, ChatwootConfig{BaseURL: "https://a.example", AccountID: -7})
			return err
		}, "Chatwoot.AccountID", "-7"},
		"history of less than no days":  {func() error { _, err := inst.Connect(ctx, ConnectParams{HistoryDays: -1}); return err }, "HistoryDays", "-1"},
		"a call that rings for an hour": {func() error { _, err := inst.Calls.Ring(ctx, "5511987654321", 3600e9); return err }, "duration", "1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.call() // a request would end in another error: the reply is empty
			var bad *ValidationError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, c.field, bad.Field)
			assert.ErrorContains(t, err, c.text)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}

// What the service has can be changed and given back: it holds no field of which
// Set takes no notice.
func TestStoredConfigurationCanBeChangedAndSetAgain(t *testing.T) {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("line")
	client, err := New(WithBaseURL(sim.URL), WithHTTPClient(sim.HTTPClient()))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	inst := client.Instance("line", phone.Token())
	ctx := t.Context()

	hook, err := inst.Webhooks.Set(ctx, WebhookConfig{Label: "crm", URL: "https://a.example/", Authorization: "Bearer x", Events: []EventType{EventMessage}})
	require.NoError(t, err)
	hook.URL = "https://b.example/"
	changed, err := inst.Webhooks.Set(ctx, hook.WebhookConfig)
	require.NoError(t, err)
	assert.True(t, changed.Enabled)
	assert.Equal(t, hook.WebhookConfig, changed.WebhookConfig)

	socket, err := inst.WebSocket.Set(ctx, WebSocketConfig{Events: []EventType{EventMessage}})
	require.NoError(t, err)
	socket.MediaBase64 = true
	again, err := inst.WebSocket.Set(ctx, socket.WebSocketConfig)
	require.NoError(t, err)
	assert.True(t, again.Enabled)
	assert.Equal(t, socket.WebSocketConfig, again.WebSocketConfig)

	storage, err := inst.Storage.Set(ctx, StorageConfig{Region: "r", Bucket: "b", AccessKey: "AK", SecretKey: "SK"})
	require.NoError(t, err)
	storage.Bucket, storage.SecretKey = "c", "SK"
	stored, err := inst.Storage.Set(ctx, storage.StorageConfig)
	require.NoError(t, err)
	assert.Equal(t, "c", stored.Bucket)
	assert.Empty(t, stored.SecretKey)

	require.NoError(t, inst.Proxy.Set(ctx, ProxyConfig{Host: "h", Port: "1080", Password: "p"}))
	proxy, err := inst.Proxy.Get(ctx)
	require.NoError(t, err)
	proxy.Port, proxy.Password = "3128", "p"
	require.NoError(t, inst.Proxy.Set(ctx, proxy.ProxyConfig))
	proxy, err = inst.Proxy.Get(ctx)
	require.NoError(t, err)
	assert.True(t, proxy.Enabled)
	assert.Equal(t, "3128", proxy.Port)
	assert.Empty(t, sim.Violations())
}

// Sentinels say what happened, their text of whom.
func TestErrorsOfLookUpsQuoteWhatWasLookedFor(t *testing.T) {
	_, err := says(`{"success":true,"instances":[]}`).client(t).Account(ownToken).GetInstance(t.Context(), "Line")
	require.ErrorIs(t, err, ErrInstanceNotFound)
	require.ErrorIs(t, err, ErrNotFound)
	require.EqualError(t, err, `ryze: no instance is named "Line": instance not found`)

	_, err = says(`{"success":true,"contact":{"found":false}}`).client(t).Instance("a", ownToken).Contacts.LIDOf(t.Context(), "5511987654321")
	require.ErrorIs(t, err, ErrContactNotFound)
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, `"5511987654321"`)

	_, err = says(`{"success":true,"instances":[{"name":"a","connection":{"state":"temp_banned"}}]}`).client(t).Instance("a", ownToken).WaitConnected(t.Context())
	require.ErrorIs(t, err, ErrBanned)
	require.ErrorIs(t, err, ErrNotConnected)
	require.ErrorContains(t, err, `"a" has the state "temp_banned"`)
}

// A list without the instance is the service's own word that it is not there.
func TestWaitConnectedDoesNotWaitForAnInstanceThatIsNotThere(t *testing.T) {
	for _, list := range []string{`[]`, `[{"name":"other","connection":{"state":"connected"}}]`} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := says(`{"success":true,"instances":`+list+`}`).client(t).Instance("a", ownToken).WaitConnected(ctx)
			require.ErrorIs(t, err, ErrInstanceNotFound)
			require.ErrorIs(t, err, ErrNotConnected)
			assert.Zero(t, time.Since(began))
		})
	}
}
