package ryze_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	setRoute   = "events.webhook.set"
	getRoute   = "events.webhook.get"
	wsSetRoute = "events.websocket.set"
	wsGetRoute = "events.websocket.get"
)

var wantedWebhook = WebhookConfig{
	Label: "crm", URL: "https://app.example.com/hooks/ryze", Authorization: testAuthorization,
	Events: []EventType{EventReceipt, EventMessage}, MediaBase64: true,
}

func TestEnsureWritesOnlyWhatDiffers(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		ctx := t.Context()

		got, err := inst.Webhooks.Ensure(ctx, wantedWebhook)
		require.NoError(t, err)
		assert.True(t, got.Changed)
		assert.True(t, got.Enabled)
		assert.Equal(t, "crm", got.Label)
		assert.Equal(t, testAuthorization, got.Authorization.Reveal())
		assert.NotEmpty(t, got.Raw())
		assert.Equal(t, 1, sim.Count(setRoute))

		reordered := wantedWebhook
		reordered.Events = []EventType{EventMessage, EventReceipt, EventMessage}
		for range 3 {
			got, err = inst.Webhooks.Ensure(ctx, reordered)
			require.NoError(t, err)
			assert.False(t, got.Changed)
			assert.True(t, got.MediaBase64)
			assert.NotEmpty(t, got.Raw())
			assert.True(t, got.RateLimit.Known)
		}
		assert.Equal(t, 1, sim.Count(setRoute), "nothing to write")

		for name, change := range map[string]func(*WebhookConfig){
			"URL":           func(c *WebhookConfig) { c.URL += "/v2" },
			"Authorization": func(c *WebhookConfig) { c.Authorization = "Bearer next" },
			"none":          func(c *WebhookConfig) { c.Authorization = "" },
			"ByEvents":      func(c *WebhookConfig) { c.ByEvents = true },
			"Events":        func(c *WebhookConfig) { c.Events = []EventType{EventMessage} },
			"all events":    func(c *WebhookConfig) { c.Events = nil },
			"MediaBase64":   func(c *WebhookConfig) { c.MediaBase64 = false },
		} {
			_, err = inst.Webhooks.Ensure(ctx, wantedWebhook)
			require.NoError(t, err)
			config := wantedWebhook
			change(&config)
			got, err = inst.Webhooks.Ensure(ctx, config)
			if name == "none" {
				// What an absent authorization does to a stored one is not
				// documented; the simulator keeps it, and Ensure notices.
				assert.Equal(t, []string{"Authorization"}, Targets(err))
				continue
			}
			require.NoError(t, err, name)
			assert.True(t, got.Changed, name)
			assert.Empty(t, config.Differences(&got.Webhook), name)
		}
		assert.Empty(t, sim.Violations())
	})
}

func TestEnsureEnablesADisabledWebhook(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		_, err := inst.Webhooks.Ensure(t.Context(), wantedWebhook)
		require.NoError(t, err)
		require.NoError(t, inst.Webhooks.Disable(t.Context(), "crm"))
		got, err := inst.Webhooks.Ensure(t.Context(), wantedWebhook)
		require.NoError(t, err)
		assert.True(t, got.Changed)
		assert.True(t, got.Enabled)
	})
}

func TestEnsureNamesEveryFieldThatIsStoredDifferently(t *testing.T) {
	stored := map[string]any{
		"label": "crm", "enabled": true, "url": wantedWebhook.URL, "authorization": testAuthorization,
		"byEvents": false, "events": []string{"message.exchange", "message.status"}, "mediaBase64": true,
	}
	for name, c := range map[string]struct {
		change map[string]any
		fields []string
		quoted bool
	}{
		"label":      {map[string]any{"label": "CRM"}, []string{"Label"}, false},
		"enabled":    {map[string]any{"enabled": false}, []string{"Enabled"}, false},
		"url":        {map[string]any{"url": wantedWebhook.URL + "/"}, []string{"URL"}, false},
		"quoted":     {map[string]any{"authorization": `Bearer "0f9a1c37-webhook-secret"`}, []string{"Authorization"}, true},
		"all quoted": {map[string]any{"authorization": `"` + testAuthorization + `"`}, []string{"Authorization"}, true},
		"cipher":     {map[string]any{"authorization": "enc:v1:bm90IGl0"}, []string{"Authorization"}, false},
		"null":       {map[string]any{"authorization": nil}, []string{"Authorization"}, false},
		"cleared": {
			map[string]any{"enabled": false, "url": "", "authorization": nil, "events": []string{}, "mediaBase64": false, "byEvents": true},
			[]string{"Enabled", "URL", "Authorization", "ByEvents", "Events", "MediaBase64"}, false,
		},
		"another event": {map[string]any{"events": []string{"message.exchange", "message.status", "poll.vote"}}, []string{"Events"}, false},
		"no base64":     {map[string]any{"mediaBase64": false}, []string{"MediaBase64"}, false},
		"wrong type":    {map[string]any{"byEvents": "yes", "url": 7}, []string{"URL"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				inst := paired(t, sim, client, "support-line")
				row := map[string]any{}
				for k, v := range stored {
					row[k] = v
				}
				for k, v := range c.change {
					row[k] = v
				}
				body, err := json.Marshal(map[string]any{"success": true, "webhook": row})
				require.NoError(t, err)
				sim.Fault(getRoute, ryzetest.Fault{Status: 200, Body: `{"success":true,"webhooks":[]}`}, ryzetest.Fault{Status: 200, Body: string(body)})

				got, err := inst.Webhooks.Ensure(t.Context(), wantedWebhook)
				require.ErrorIs(t, err, ErrPartial)
				assert.JSONEq(t, string(body), string(got.Raw()), "what is stored comes along")
				assert.Equal(t, c.fields, Targets(err))
				assert.Equal(t, c.quoted, strings.Contains(err.Error(), "extra quotes"))
				assert.Contains(t, err.Error(), c.fields[0]+`: is stored otherwise than it was set in the webhook "crm"`)
				for _, verb := range []string{"%v", "%+v", "%#v"} {
					assert.NotContains(t, fmt.Sprintf(verb, err), "0f9a1c37")
					assert.NotContains(t, fmt.Sprintf(verb, err), "bm90IGl0")
				}
			})
		})
	}
}

// Each of the three requests knows the authorization, so none shows it.
func TestEnsureQuotesNoAuthorization(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		failure := ryzetest.Fault{Status: 400, Body: `{"success":false,"error":{"message":"the value ` + testAuthorization + ` is taken"}}`}
		empty := ryzetest.Fault{Status: 200, Body: `{"success":true,"webhooks":[]}`}
		for at, faults := range map[string][]ryzetest.Fault{"before": {failure}, "after": {empty, failure}} {
			sim.Fault(getRoute, faults...)
			_, err := inst.Webhooks.Ensure(t.Context(), wantedWebhook)
			var api *APIError
			require.ErrorAs(t, err, &api, at)
			assert.Contains(t, api.Error(), "[redacted]", at)
			assert.NotContains(t, api.Error()+string(api.Body), testAuthorization, at)
		}
		sim.Fault(getRoute, empty)
		sim.Fault("events.webhook.set", failure)
		_, err := inst.Webhooks.Ensure(t.Context(), wantedWebhook)
		require.ErrorContains(t, err, "[redacted]")
	})
}

func TestEnsureReportsStrayWebhooksAndDisableOthersStopsThem(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		ctx := t.Context()
		for _, label := range []string{"old", "", "gone"} {
			_, err := inst.Webhooks.Set(ctx, WebhookConfig{Label: label, URL: "https://old.example.com/"})
			require.NoError(t, err)
		}
		require.NoError(t, inst.Webhooks.Disable(ctx, "gone"))

		got, err := inst.Webhooks.Ensure(ctx, wantedWebhook)
		require.NoError(t, err)
		assert.Equal(t, []string{"default", "old"}, got.Stray)

		_, err = inst.Webhooks.DisableOthers(ctx)
		assert.ErrorIs(t, err, ErrInvalidArgument, "would disable all")
		disabled, err := inst.Webhooks.DisableOthers(ctx, "crm", "")
		require.NoError(t, err)
		assert.Equal(t, []string{"old"}, disabled)
		disabled, err = inst.Webhooks.DisableOthers(ctx, "crm")
		require.NoError(t, err)
		assert.Equal(t, []string{"default"}, disabled)

		got, err = inst.Webhooks.Ensure(ctx, wantedWebhook)
		require.NoError(t, err)
		assert.Empty(t, got.Stray)
		assert.False(t, got.Changed)
		assert.Empty(t, sim.Violations())
	})
}

func TestDisableOthersSaysHowFarItGot(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		for _, label := range []string{"a", "b", "c"} {
			_, err := inst.Webhooks.Set(t.Context(), WebhookConfig{Label: label, URL: "https://old.example.com/"})
			require.NoError(t, err)
		}
		sim.Fault(setRoute, ryzetest.Fault{}, ryzetest.Fault{Status: 403, Message: "Forbidden"})
		disabled, err := inst.Webhooks.DisableOthers(t.Context(), "c")
		assert.ErrorIs(t, err, ErrForbidden)
		assert.Equal(t, []string{"a"}, disabled)
	})
}

func TestFourthWebhookIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		ctx := t.Context()
		for _, label := range []string{"a", "b", "c"} {
			_, err := inst.Webhooks.Set(ctx, WebhookConfig{Label: label, URL: "https://app.example.com/"})
			require.NoError(t, err)
		}
		before := sim.Count(setRoute)
		_, err := inst.Webhooks.Ensure(ctx, wantedWebhook)
		require.ErrorIs(t, err, ErrTooManyWebhooks)
		assert.Contains(t, err.Error(), `"a", "b", "c"`)
		assert.Equal(t, before, sim.Count(setRoute))

		third := wantedWebhook
		third.Label = "c"
		got, err := inst.Webhooks.Ensure(ctx, third)
		require.NoError(t, err, "one of the three may change")
		assert.True(t, got.Changed)
		assert.Equal(t, []string{"a", "b"}, got.Stray)

		// Should the service allow more one day, an enabled one may still change.
		row := `{"label":"%s","enabled":true,"url":"https://app.example.com/"}`
		rows := fmt.Sprintf("["+row+","+row+","+row+","+row+"]", "a", "b", "x", "c")
		sim.Fault(getRoute, ryzetest.Fault{Status: 200, Body: `{"success":true,"webhooks":` + rows + `}`})
		got, err = inst.Webhooks.Ensure(ctx, third)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b", "x"}, got.Stray)
	})
}

func TestEnsureChecksItsArgumentBeforeAnyRequest(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		for _, config := range []WebhookConfig{{}, {URL: "ftp://x"}, {URL: "/hooks"}, {URL: "https://x", Authorization: " x"}} {
			_, err := inst.Webhooks.Ensure(t.Context(), config)
			assert.ErrorIs(t, err, ErrInvalidArgument)
		}
		assert.Empty(t, sim.Requests())
	})
}

func TestWebhooksAreListedWithTheirOwnJSON(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		sim.Fault(getRoute, ryzetest.Fault{Status: 200, Body: `{"success":true,"webhooks":[{"label":"a","new":1},{"label":"b","enabled":"odd"}]}`})
		list, err := inst.Webhooks.List(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 2)
		assert.JSONEq(t, `{"label":"a","new":1}`, string(list[0].Raw()))
		assert.Equal(t, "b", list[1].Label)
	})
}

func TestWebSocketEnsureWritesOnlyWhatDiffers(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		ctx := t.Context()
		want := WebSocketConfig{Events: []EventType{EventReceipt, EventMessage}}

		got, err := inst.WebSocket.Ensure(ctx, want) // never configured
		require.NoError(t, err)
		assert.True(t, got.Changed)
		assert.True(t, got.Enabled)

		want.Events = []EventType{EventMessage, EventReceipt}
		got, err = inst.WebSocket.Ensure(ctx, want)
		require.NoError(t, err)
		assert.False(t, got.Changed)
		assert.Equal(t, 1, sim.Count(wsSetRoute))

		require.NoError(t, inst.WebSocket.Disable(ctx))
		for _, want := range []WebSocketConfig{want, {}, {MediaBase64: true}} {
			got, err = inst.WebSocket.Ensure(ctx, want)
			require.NoError(t, err)
			assert.True(t, got.Changed)
			assert.Empty(t, want.Differences(&got.WebSocket))
		}
		assert.Empty(t, sim.Violations())
	})
}

func TestWebSocketEnsureNamesEveryFieldThatIsStoredDifferently(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		sim.Fault(wsGetRoute, ryzetest.Fault{},
			ryzetest.Fault{Status: 200, Body: `{"success":true,"websocket":{"enabled":false,"events":["message.exchange"],"mediaBase64":false}}`})
		got, err := inst.WebSocket.Ensure(t.Context(), WebSocketConfig{MediaBase64: true})
		assert.Equal(t, []string{"Enabled", "Events", "MediaBase64"}, Targets(err))
		assert.Equal(t, []EventType{EventMessage}, got.Events)
	})
}

func TestWebSocketEnsureDoesNotTakeAMissingInstanceForAMissingConfiguration(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := client.Instance("nobody", sim.AccountToken)
		_, err := inst.WebSocket.Ensure(t.Context(), WebSocketConfig{})
		assert.ErrorIs(t, err, ErrInstanceNotFound)
		assert.Zero(t, sim.Count(wsSetRoute))
	})
}
