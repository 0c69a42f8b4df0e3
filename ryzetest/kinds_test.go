package ryzetest

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryKindOfMessageIsStoredAndEchoed(t *testing.T) {
	const png = "data:image/png;base64,iVBORw0KGgo="
	for _, tt := range []struct {
		name, body  string
		messageType any
		content     any // nil: the reply has no content key
		message     string
		data        map[string]any // further members of the reply's data
		event       map[string]any // members of the echo's data.message
	}{
		{name: "sticker", body: `"imageUrl":"` + png + `"`, messageType: "sticker",
			data: map[string]any{"mediaMimeType": "image/webp"}, event: map[string]any{"type": "sticker", "content": ""}},
		{name: "sticker", body: `"imageUrl":"https://example.com/s.png"`, messageType: "sticker"},
		{name: "location", body: `"latitude":-23.5,"longitude":-46.6,"name":"Office","address":"Street 1"`, messageType: "location",
			content: "📍 Office\nStreet 1\nLat: -23.5, Long: -46.6",
			event: map[string]any{"type": "location", "location": map[string]any{
				"latitude": -23.5, "longitude": -46.6, "name": "Office", "address": "Street 1"}}},
		{name: "contact", body: `"vcard":{"fullName":"Test Person","phone":"5511987654321"}`, messageType: "contact",
			message: "Contact sent successfully",
			data:    map[string]any{"vcard": []any{map[string]any{"fullName": "Test Person", "phone": "5511987654321"}}},
			event: map[string]any{"contact": map[string]any{"display_name": "Test Person", "phone_number": "5511987654321",
				"vcard": "BEGIN:VCARD\nVERSION:3.0\nFN:Test Person\nTEL;type=CELL:+5511987654321\nEND:VCARD"}}},
		{name: "contact", body: `"vcard":[{"fullName":"A","phone":"1"},{"fullName":"B","phone":"2","organization":"o","email":"e","url":"u"}]`,
			messageType: "contact", message: "2 contacts sent successfully in one message"},
		{name: "reaction", body: `"messageId":"3EB0","reaction":"👍","fromMe":false`, messageType: "reaction", content: "👍",
			message: "Reaction sent successfully", data: map[string]any{"replyTo": map[string]any{"messageId": "3EB0"}},
			event: map[string]any{"type": "reaction", "reaction": map[string]any{"text": "👍", "message_id": "3EB0"}}},
		{name: "reaction", body: `"messageId":"3EB0","reaction":"remove","fromMe":true`, messageType: "reaction", content: "",
			message: "Reaction removed successfully", event: map[string]any{"reaction": map[string]any{"text": "", "message_id": "3EB0"}}},
		{name: "poll", body: `"question":"When?","options":["9am","2pm"],"maxAnswer":7`, messageType: "poll", content: "When?\n1. 9am\n2. 2pm"},
		{name: "carousel", body: `"message":"Pick one","footer":"until Friday","cards":[{"header":{"title":"Plan A","imageUrl":"https://example.com/a.jpg"},
			"body":{"text":"details"},"footer":"49","buttons":[{"displayText":"I want A","id":"plan_a","type":"REPLY"}]}]`,
			messageType: "interactive", content: "Pick one - Carousel with 1 card(s)"},
		{name: "button", body: `"contentText":"Choose","headerText":"Support","footerText":"24/7","buttons":[{"id":"a","displayText":"Sales"}]`,
			messageType: "buttons", content: "Choose"},
		{name: "list", body: `"contentText":"Menu","buttonText":"Open","sections":[{"title":"Dishes","rows":[{"id":"p1","title":"Lasagna","description":"4 slices"}]}]`,
			messageType: "list", content: "Menu"},
		{name: "form", body: `"message":"Fill in","formType":"contact_details","buttonLabel":"Open","deliveryAddressVisible":false`,
			messageType: "interactive", content: "Fill in"},
		{name: "pix", body: `"merchantName":"support-line","pixKey":"test@example.com","pixKeyType":"EMAIL"`, messageType: "pix"},
		{name: "event", body: `"name":"Meeting","startAt":"2027-01-01T14:00:00-03:00","location":{"name":"Room 3"},"hasReminder":true,"reminderOffsetSec":900`,
			messageType: "event", content: "Meeting"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
				c.good("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
				conn := dial(t, s, "a", i.Token())
				a := c.good("POST", "/api/message/"+tt.name+"/a", `{"number":"5511987654321","source":"crm",`+tt.body+`}`)
				assert.Equal(t, "sent", a.at("status"))
				assert.Equal(t, cmp.Or(tt.message, "Message sent successfully"), a.at("message"))
				assert.Equal(t, tt.messageType, a.at("data", "messageType"))
				assert.Equal(t, "5511987654321@s.whatsapp.net", a.at("data", "chat", "jid"))
				data := a.at("data").(map[string]any)
				content, has := data["content"]
				assert.Equal(t, tt.content != nil, has)
				assert.Equal(t, tt.content, content)
				for k, want := range tt.data {
					assert.Equal(t, want, data[k], k)
				}
				id := a.at("data", "messageId").(string)
				m, stored := i.Message(id)
				require.True(t, stored)
				assert.Equal(t, "crm", m.Source)
				e := readEvent(t, conn)
				assert.Equal(t, id, e.at("data", "id"))
				assert.Equal(t, "crm", e.at("data", "message", "source"))
				for k, want := range tt.event {
					assert.Equal(t, want, e.at("data", "message", k), k)
				}
				assert.Empty(t, s.Violations())
			})
		})
	}
}

func TestStatusGoesToEverybody(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		a := c.good("POST", "/api/message/status/a", `{"type":"text","message":"News","backgroundColor":"#00AAFF","font":"serif"}`)
		assert.Equal(t, "text", a.at("data", "messageType"))
		assert.Equal(t, "status@broadcast", a.at("data", "chat", "jid"))
		a = c.good("POST", "/api/message/status/a", `{"type":"image","message":"cap","mediaUrl":"https://example.com/a.jpg"}`)
		assert.Equal(t, "image", a.at("data", "messageType"))
		m, _ := i.Message(a.at("data", "messageId").(string))
		assert.Equal(t, "https://example.com/a.jpg", m.Media.URL)
		assert.Empty(t, s.Violations())
		c.do("POST", "/api/message/status/a", `{"type":"text","message":"x","number":"5511987654321","delay":1}`)
		assert.Len(t, s.Violations(), 2)
	})
}

func TestBodiesOfSendsAreChecked(t *testing.T) {
	button := `{"id":"a","displayText":"b"}`
	row := `{"id":"a","title":"b"}`
	section := func(rows int) string {
		return `{"title":"s","rows":[` + strings.TrimSuffix(strings.Repeat(row+",", rows), ",") + `]}`
	}
	repeat := func(item string, n int) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	for _, tt := range []struct{ kind, body, text string }{
		{"location", `"latitude":0,"longitude":0,"name":"x","address":"y"`, "^Latitu"},
		{"location", ``, "^Latitu"},
		{"sticker", ``, "^imageUrl is required"},
		{"sticker", `"imageUrl":"iVBORw0KGgo="`, "data URL"},
		{"sticker", `"imageUrl":"data:image/png;base64,!!!!"`, "base64"},
		{"contact", `"vcard":[]`, "vcard"},
		{"contact", `"vcard":{"fullName":"x"}`, "phone"},
		{"reaction", `"messageId":"x"`, "reaction"},
		{"reaction", `"reaction":"x"`, "messageId"},
		{"poll", `"question":"x","options":["1"]`, "options"},
		{"poll", `"question":"x","options":[` + repeat(`"1"`, 13) + `]`, "options"},
		{"poll", `"options":["1","2"]`, "question"},
		{"carousel", `"cards":[]`, "card"},
		{"carousel", `"cards":[{"header":{"title":"x"}}]`, "body.text"},
		{"carousel", `"cards":[{"header":{"title":"x","imageUrl":"a","videoUrl":"b"},"body":{"text":"y"}}]`, "not both"},
		{"carousel", `"cards":[{"header":{"title":"x"},"body":{"text":"y"},"buttons":[{"id":"x"}]}]`, "displayText"},
		{"button", `"contentText":"x","buttons":[]`, "buttons"},
		{"button", `"contentText":"x","buttons":[` + repeat(button, 4) + `]`, "buttons"},
		{"button", `"buttons":[` + button + `]`, "contentText"},
		{"button", `"contentText":"x","mediaUrl":"https://example.com/x","buttons":[` + button + `]`, "mediaType"},
		{"button", `"contentText":"x","buttons":[{"id":"a","displayText":"b","type":"reply"}]`, "type must be one of"},
		{"list", `"contentText":"x","sections":[` + section(1) + `]`, "buttonText"},
		{"list", `"contentText":"x","buttonText":"y","sections":[` + section(11) + `]`, "rows"},
		{"list", `"contentText":"x","buttonText":"y","sections":[` + repeat(section(1), 11) + `]`, "sections"},
		{"form", ``, "message"},
		{"pix", `"merchantName":"x","pixKey":"y","pixKeyType":"email"`, "pixKeyType"},
		{"event", `"name":"x","startAt":"2027-01-01"`, "startAt"},
		{"event", `"name":"x"`, "startAt"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
				body := `{"number":"5511987654321"}`
				if tt.body != "" {
					body = `{"number":"5511987654321",` + tt.body + `}`
				}
				a := c.do("POST", "/api/message/"+tt.kind+"/a", body)
				assert.Equal(t, 400, a.status, string(a.raw))
				assert.Regexp(t, tt.text, a.text())
				assert.Empty(t, i.Sent())
			})
		})
	}
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		a := c.do("POST", "/api/message/reaction/a", `{"number":"120363000000000001@g.us","messageId":"x","reaction":"y","fromMe":false}`)
		assert.Equal(t, 400, a.status)
		assert.Contains(t, a.text(), "participant")
		for _, kind := range []string{"sticker", "poll", "list", "event"} {
			c.bad(400, "Number is required", "POST", "/api/message/"+kind+"/a", `{}`)
		}
		for body, text := range map[string]string{
			`{}`: "type", `{"type":"text"}`: "Message is required", `{"type":"image"}`: "mediaUrl is required",
			`{"type":"image","mediaUrl":"QUJDRA=="}`: "URL",
		} {
			a := c.do("POST", "/api/message/status/a", body)
			assert.Equal(t, 400, a.status)
			assert.Contains(t, a.text(), text)
		}
		i.Disconnect()
		c.bad(503, textNotConnected, "POST", "/api/message/status/a", `{"type":"text","message":"x"}`)
	})
}

func TestPollKeepsHowManyAnswersItTakes(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		for asked, want := range map[int]int{-1: 1, 0: 1, 1: 1, 2: 2, 9: 2} {
			a := c.good("POST", "/api/message/poll/a",
				fmt.Sprintf(`{"number":"5511987654321","question":"?","options":["a","b"],"maxAnswer":%d}`, asked))
			m, _ := i.Message(a.at("data", "messageId").(string))
			assert.Equal(t, want, m.Poll.Max, "asked for %d", asked)
		}
	})
}

func TestReplyPrivateHasNoEffectOnContacts(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		const group = "120363000000000001@g.us"
		id := i.Receive(Incoming{From: friend, Group: group, Text: "x"})
		common := fmt.Sprintf(`"number":%q,"replyTo":%q,"replyPrivate":true`, group, id)
		a := c.good("POST", "/api/message/contact/a", `{`+common+`,"vcard":{"fullName":"A","phone":"1"}}`)
		assert.Equal(t, group, a.at("data", "chat", "jid"))
		a = c.good("POST", "/api/message/event/a", `{`+common+`,"name":"A","startAt":"2027-01-01T14:00:00Z"}`)
		assert.Equal(t, friend+"@s.whatsapp.net", a.at("data", "chat", "jid"))
	})
}

func TestStickerStreamsThroughInBoundedMemory(t *testing.T) {
	s, c := start(t, WithMediaKeep(1<<20), WithBodyLimits(1<<20, 16<<20))
	s.AddInstance("a").Pair("")
	const size = 6 << 20
	req := c.request("POST", "/api/message/sticker/a", "")
	req.Body = io.NopCloser(io.MultiReader(
		strings.NewReader(`{"number":"5511987654321","imageUrl":"data:image/png;base64,`),
		strings.NewReader(strings.Repeat("QUJD", size/3)), strings.NewReader(`"}`)))
	req.Header.Set("Content-Type", "application/json")
	a, err := c.send(req)
	require.NoError(t, err)
	require.Equal(t, 200, a.status, string(a.raw))
	m, _ := s.Instance("a").Message(a.at("data", "messageId").(string))
	assert.EqualValues(t, size, m.Media.Size)
	assert.Nil(t, m.Media.Bytes)
	assert.Empty(t, s.Violations())
}
