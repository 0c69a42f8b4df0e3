package ryze_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// played runs the same scenes in one layout and returns the events in their order.
func played(t *testing.T, layout ryzetest.Layout) (events []*Event) {
	t.Helper()
	taken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		t.Helper()
		_, err := client.Account(sim.AccountToken).CreateInstance(t.Context(), CreateInstanceParams{
			Name: "support-line", Webhook: &WebhookConfig{URL: "https://hooks.example.com/wh", MediaBase64: true},
		})
		require.NoError(t, err)
		instance := sim.Instance("support-line")
		instance.Pair("5511900000001")
		group := "120363000000000001@g.us"
		instance.NameGroup(group, "Example group")
		for _, in := range []ryzetest.Incoming{
			{ID: "text", Text: "hi", Name: "Ana"},
			{ID: "group", Group: group, Text: "hi all", Mentions: []string{"5511900000002"}},
			{ID: "reply", Text: "fine", ReplyTo: "text", Forwarded: false},
			{ID: "image", Text: "look", Media: &ryzetest.File{Data: []byte("\x89PNG\r\n\x1a\n"), MIME: "image/png"}},
			{ID: "voice", Media: &ryzetest.File{Data: []byte("OggS"), MIME: "audio/ogg; codecs=opus", Voice: true}},
			{ID: "document", Media: &ryzetest.File{Data: []byte("%PDF-"), MIME: "application/pdf", FileName: "a.pdf"}},
			{ID: "location", Location: &ryzetest.Location{Latitude: -23.5, Longitude: -46.6, Name: "Sé"}},
			{ID: "card", Card: &ryzetest.ContactCard{Name: "Bia", Phone: "5511912345678", VCard: "BEGIN:VCARD"}},
			{ID: "poll", Poll: &ryzetest.Poll{Question: "Lunch?", Options: []string{"Yes", "No"}}},
			{ID: "button", Answer: &ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: "approve"}},
			{ID: "list", Answer: &ryzetest.Answer{Kind: ryzetest.AnswerList, ID: "row-1", Title: "Row one"}},
			{ID: "form", Answer: &ryzetest.Answer{Kind: ryzetest.AnswerForm, ID: "flow-1", Values: map[string]any{"a": 1}}},
			{ID: "tap as text", Answer: &ryzetest.Answer{Kind: ryzetest.AnswerText, ID: "approve"}},
			{ID: "reaction", Reaction: &ryzetest.Reaction{MessageID: "text", Emoji: "👍"}},
			{ID: "removed", Reaction: &ryzetest.Reaction{MessageID: "text"}},
			{ID: "edit", Edit: "text", Text: "hello"},
			{ID: "revoke", Revoke: "text"},
		} {
			in.From = "5511987654321"
			require.NotEmpty(t, instance.Receive(in))
		}
		instance.TypeOnPhone("5511987654321", ryzetest.Incoming{ID: "phone", Text: "a human here"})
		synctest.Wait()
		for _, d := range sim.Deliveries() {
			e, err := ParseEvent(d.Body)
			require.NoError(t, err)
			assert.NotContains(t, string(e.Raw), instance.Token())
			assert.Contains(t, string(d.Body), instance.Token(), "or there was nothing to remove")
			events = append(events, e)
		}
	}, ryzetest.WithLayout(layout), ryzetest.WithWebhookHandler(taken))
	return events
}

func TestApplicationCannotTellTheLayoutOfTheSimulator(t *testing.T) {
	live, documented := played(t, ryzetest.LayoutLive), played(t, ryzetest.LayoutDocumented)
	require.Len(t, live, len(documented))
	messages := 0
	for i, l := range live {
		d := documented[i]
		assert.Equal(t, l.DedupeKey(), d.DedupeKey(), "%s\n%s", l.Raw, d.Raw)
		if m, ok := l.Data.(*MessageEvent); ok {
			messages++
			// What only the live layout carries.
			m.Recipient = nil
			if m.Media != nil {
				m.Media.FileSize = 0
			}
		}
		assert.Equal(t, l.Data, d.Data, "%s\n%s", l.Raw, d.Raw)
	}
	assert.GreaterOrEqual(t, messages, 18)
}
