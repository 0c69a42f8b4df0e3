package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const controlFile = "../ryzetest/internal/web/openapi.yaml"

// controlled is a program in another language: it knows the document of the control
// API, and nothing of the simulator. Whatever goes to and fro is held against it.
type controlled struct {
	t       *testing.T
	base    string
	doc     *document
	called  map[string]bool // operations that went well
	members map[string]bool // of messages
}

func (c *controlled) do(method, path string, body any) (status int, raw []byte) {
	c.t.Helper()
	var text []byte
	if body != nil {
		text = encode(body)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewReader(text))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	raw, err = io.ReadAll(res.Body)
	require.NoError(c.t, err)

	o := c.doc.matching(req)
	require.NotNil(c.t, o, "%s %s is not in the document", method, path)
	if res.StatusCode/100 == 2 {
		c.called[o.id] = true
		if spec := o.spec.get("requestBody"); body != nil {
			assert.Empty(c.t, againstBody(spec, req.Header, text), "%s %s %s", method, path, text)
		}
	}
	reply := o.reply(res.StatusCode)
	assert.True(c.t, reply.exists(), "%s %s: %d", method, path, res.StatusCode)
	if reply.get("content", "application/json").exists() {
		assert.Empty(c.t, againstBody(reply, res.Header, raw), "%s %s: %s", method, path, raw)
	}
	return res.StatusCode, raw
}

func fetch[T any](c *controlled, method, path string, body any) (v T) {
	c.t.Helper()
	status, raw := c.do(method, path, body)
	require.Equal(c.t, http.StatusOK, status, "%s %s: %s", method, path, raw)
	require.NoError(c.t, json.Unmarshal(raw, &v))
	return v
}

type object = map[string]any

func (c *controlled) play(path string, body any) object {
	c.t.Helper()
	return fetch[object](c, http.MethodPost, "/_sim/api/"+path, body)
}

func (c *controlled) receive(body object) string {
	c.t.Helper()
	if body["from"] == nil {
		body["from"] = customer
	}
	return c.play("instances/shop/receive", body)["id"].(string)
}

// message is a message as the API has it.
func (c *controlled) message(id string) object {
	c.t.Helper()
	m := fetch[object](c, http.MethodGet, "/_sim/api/instances/shop/messages/"+id, nil)
	for name := range m {
		c.members[name] = true
	}
	return m
}

func (c *controlled) chat(jid string) (messages []any) {
	c.t.Helper()
	return fetch[object](c, http.MethodGet, "/_sim/api/instances/shop/chats/"+jid+"/messages", nil)["messages"].([]any)
}

// at follows names and indexes.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(object)
			v = o[p]
		case int:
			list, _ := v.([]any)
			if v = nil; p < len(list) {
				v = list[p]
			}
		}
	}
	return v
}

const (
	customer    = "5511987654321"
	customerJID = customer + "@s.whatsapp.net"
	shopPhone   = "5511900000001"
)

func startControlled(t *testing.T) (*controlled, *ryzetest.Server) {
	t.Helper()
	doc, err := readOpenAPI(controlFile)
	require.NoError(t, err)
	s := ryzetest.NewServer(ryzetest.WithControl(""), ryzetest.WithoutEchoes())
	t.Cleanup(s.Close)
	return &controlled{t, s.URL, doc, map[string]bool{}, map[string]bool{}}, s
}

func TestTheControlDocumentHasEveryRoute(t *testing.T) {
	doc, err := readOpenAPI(controlFile)
	require.NoError(t, err)
	var documented []string
	for path, item := range doc.root.get("paths").all() {
		for method := range item.all() {
			if method != "parameters" {
				documented = append(documented, strings.ToUpper(method)+" "+path)
			}
		}
	}
	assert.ElementsMatch(t, ryzetest.ControlRoutes(), documented)
	for _, o := range doc.operations {
		assert.NotEmpty(t, o.spec.get("summary").text(), o.id)
		assert.True(t, o.reply(0).exists(), "%s has no default reply", o.id)
	}
}

func TestAWholeChatIsPlayedThroughTheControlAPI(t *testing.T) {
	c, s := startControlled(t)
	made := c.play("instances", object{"name": "shop"})
	assert.Equal(t, "disconnected", made["state"])
	client, err := ryze.New(ryze.WithBaseURL(s.URL))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	shop := client.Instance("shop", made["token"].(string))

	c.pairing(shop)
	c.people()
	c.kinds(shop)
	c.answers(shop)
	c.groups()
	c.owner(shop)
	c.trouble(shop)
	c.log(s, shop)
	c.connection()

	for _, o := range c.doc.operations {
		if o.id != "streamChanges" { // ryzetest has its tests
			assert.True(t, c.called[o.id], "%s was not called", o.id)
		}
	}
	for name := range c.doc.root.get("components", "schemas", "Message", "properties").all() {
		assert.True(t, c.members[name], "no message had the member %s", name)
	}
}

func (c *controlled) state() object {
	c.t.Helper()
	return fetch[object](c, http.MethodGet, "/_sim/api/state", nil)
}

// pairing asks for a code, and scans it.
func (c *controlled) pairing(shop *ryze.InstanceClient) {
	t := c.t
	_, err := shop.Connect(t.Context(), ryze.ConnectParams{})
	require.NoError(t, err)
	i := at(c.state(), "instances", 0)
	assert.Equal(t, "qr_code", at(i, "state"))
	assert.NotEmpty(t, at(i, "qr"))
	assert.Contains(t, at(i, "qrPNG"), "data:image/png;base64,")
	assert.NotNil(t, at(i, "codeExpires"))
	c.play("instances/shop/fail-pairing", nil)
	_, err = shop.Connect(t.Context(), ryze.ConnectParams{Phone: shopPhone})
	require.NoError(t, err)
	assert.Len(t, at(c.state(), "instances", 0, "pairingCode"), 8)
	i = c.play("instances/shop/pair", object{})
	assert.Equal(t, "connected", at(i, "state"))
	assert.Equal(t, shopPhone, at(i, "phone"))
	assert.Empty(t, at(i, "qr"))
}

func (c *controlled) people() {
	t := c.t
	ana := c.play("contacts", object{"phone": customer, "name": "Ana", "lid": "100000000000009@lid"})
	assert.Equal(t, true, ana["reachable"])
	ana = c.play("contacts", object{"phone": "+" + customer, "about": "Busy"})
	assert.Equal(t, object{"phone": customer, "name": "Ana", "lid": "100000000000009@lid", "about": "Busy", "reachable": true}, ana)
	c.play("contacts", object{"phone": "5511900000404", "reachable": false})
	contacts := c.state()["contacts"].([]any)
	assert.Len(t, contacts, 2)
	assert.Equal(t, false, at(contacts, 0, "reachable"))
}

// kinds receives a message of every kind.
func (c *controlled) kinds(shop *ryze.InstanceClient) {
	t := c.t
	hello := c.receive(object{"text": "Hello <script>", "at": "2026-01-31T12:00:00Z", "hideNumber": true})
	m := c.message(hello)
	assert.Equal(t, "Hello <script>", m["text"])
	assert.Equal(t, "Ana", m["senderName"])
	assert.Equal(t, "100000000000009@lid", m["senderLID"])
	assert.Equal(t, "2026-01-31T12:00:00.000Z", m["timestamp"])
	assert.Equal(t, customerJID, m["chat"])

	photo := c.receive(object{"text": "Look", "media": object{"data": "iVBORw0KGgoAAAA=", "fileName": "a.png"}})
	media := c.message(photo)["media"]
	assert.Equal(t, "image", at(media, "kind"))
	assert.Equal(t, "image/png", at(media, "mime"))
	status, raw := c.do(http.MethodGet, at(media, "url").(string), nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "\x89PNG\r\n\x1a\n\x00\x00\x00", string(raw))
	voice := c.receive(object{"media": object{"data": "T2dnUw==", "mime": "audio/ogg; codecs=opus", "voice": true, "duration": 7}})
	assert.Equal(t, true, at(c.message(voice), "media", "voice"))
	assert.EqualValues(t, 7, at(c.message(voice), "media", "duration"))

	place := c.receive(object{"location": object{"latitude": -23.5, "longitude": -46.6, "name": "Park", "address": "Av. 1"}})
	assert.Equal(t, object{"latitude": -23.5, "longitude": -46.6, "name": "Park", "address": "Av. 1"}, c.message(place)["location"])
	card := c.receive(object{"card": object{"name": "Bob", "phone": "5511911112222"}})
	assert.Equal(t, "5511911112222", at(c.message(card), "cards", 0, "phones", 0))
	poll := c.receive(object{"poll": object{"question": "When?", "options": []string{"Now", "Later"}}})
	assert.Equal(t, "Later", at(c.message(poll), "poll", "options", 1, "title"))

	reply := c.receive(object{"text": "Look at this", "replyTo": hello, "forwarded": true, "mentions": []string{customer}})
	assert.Equal(t, "Hello <script>", at(c.message(reply), "quoted", "text"))
	assert.Equal(t, "Ana", at(c.message(reply), "mentions", 0, "name"))

	thumb := c.receive(object{"reaction": object{"emoji": "👍", "messageId": hello}})
	assert.Equal(t, hello, at(c.message(thumb), "reaction", "messageId"))
	c.receive(object{"reaction": object{"emoji": "❤️", "messageId": hello}})
	assert.Equal(t, "❤️", at(c.message(hello), "reactions", 0, "emoji"))
	assert.Len(t, c.message(hello)["reactions"], 1, "one of each person")
	c.receive(object{"reaction": object{"messageId": hello}})
	assert.Empty(t, c.message(hello)["reactions"])

	c.receive(object{"edit": hello, "text": "Hello!"})
	assert.Equal(t, "Hello!", c.message(hello)["text"])
	assert.Equal(t, true, c.message(hello)["edited"])
	c.receive(object{"revoke": poll})
	assert.Equal(t, true, c.message(poll)["revoked"])

	assert.Len(t, c.chat(customer), 7, "reactions, edits and revocations are no messages of their own")
	page := fetch[object](c, http.MethodGet, "/_sim/api/instances/shop/chats/"+customerJID+"/messages?limit=2&before="+card, nil)
	assert.Equal(t, []any{voice, place}, []any{at(page, "messages", 0, "id"), at(page, "messages", 1, "id")})
	assert.Equal(t, true, page["more"])
	chat := at(fetch[object](c, http.MethodGet, "/_sim/api/instances/shop/chats", nil), "chats", 0)
	assert.Equal(t, "Ana", at(chat, "name"))
	assert.Equal(t, "private", at(chat, "kind"))
	assert.EqualValues(t, at(chat, "unread"), at(c.state(), "instances", 0, "unread"))
	require.NoError(t, shop.Chats.MarkRead(t.Context(), customer))
	assert.EqualValues(t, 0, at(c.state(), "instances", 0, "unread"))
}

// answers sends what can be tapped, and taps it.
func (c *controlled) answers(shop *ryze.InstanceClient) {
	t := c.t
	send := func(content ryze.Content) object {
		t.Helper()
		sent, err := shop.Messages.Send(t.Context(), customer, content)
		require.NoError(t, err)
		return c.message(sent.ID)
	}
	buttons := send(ryze.Buttons{Header: "Menu", Text: "What may it be?", Footer: "Closed on Sundays", Mixed: true, Buttons: []ryze.Button{
		{Label: "Coffee", Value: "coffee"}, {Kind: ryze.ButtonURL, Label: "All of it", Value: "https://example.com/menu"},
	}})
	assert.Equal(t, object{"kind": "reply", "id": "coffee", "label": "Coffee", "value": ""}, at(buttons, "buttons", "buttons", 0))
	assert.Equal(t, "https://example.com/menu", at(buttons, "buttons", "buttons", 1, "value"))
	tap := c.receive(object{"answer": object{"id": at(buttons, "buttons", "buttons", 0, "id"), "title": "Coffee"}, "replyTo": buttons["id"]})
	assert.Equal(t, object{"kind": "button", "id": "coffee", "title": "Coffee", "card": 0.0, "values": nil}, c.message(tap)["answer"])

	list := send(ryze.List{Header: "Menu", Text: "Choose", Label: "Open", Sections: []ryze.ListSection{
		{Title: "Hot", Rows: []ryze.ListRow{{ID: "tea", Title: "Tea", Description: "Green"}}},
	}})
	assert.Equal(t, object{"id": "tea", "title": "Tea", "description": "Green"}, at(list, "list", "sections", 0, "rows", 0))
	c.receive(object{"answer": object{"kind": "list", "id": "tea", "title": "Tea"}})

	carousel := send(ryze.Carousel{Text: "Ours", Cards: []ryze.Card{{
		Title: "One", Text: "Text", ImageURL: "https://example.com/1.png", Buttons: []ryze.Button{{Label: "Take it", Value: "one"}},
	}}})
	assert.Equal(t, "https://example.com/1.png", at(carousel, "carousel", "cards", 0, "media", "external"))
	c.receive(object{"answer": object{"kind": "carousel", "id": "one", "card": 0}})

	form := send(ryze.Form{Text: "Who are you?", Button: "Fill in", FlowToken: "f1", Phone: new(false)})
	assert.Equal(t, "f1", at(form, "form", "token"))
	filled := c.receive(object{"answer": object{"kind": "form", "id": "f1", "values": object{"fullName": "Ana", "n": 1}}})
	assert.Equal(t, object{"fullName": "Ana", "n": 1.0}, at(c.message(filled), "answer", "values"))

	pix := send(ryze.Pix{MerchantName: "Shop", Key: "12345678909", KeyType: ryze.PixCPF})
	assert.Equal(t, "12345678909", at(pix, "pix", "key"))
	event := send(ryze.CalendarEvent{Name: "Party", StartAt: time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC)})
	assert.Equal(t, "Party", at(event, "event", "name"))

	poll := send(ryze.Poll{Question: "Lunch?", Options: []string{"Pizza", "Salad"}})
	c.play("instances/shop/vote", object{"poll": poll["id"], "voter": customer, "options": []string{"Pizza"}})
	assert.Equal(t, object{"title": "Pizza", "votes": 1.0, "voters": []any{"Ana"}}, at(c.message(poll["id"].(string)), "poll", "options", 0))

	story, err := shop.Messages.PostStatus(t.Context(), ryze.TextStatus{Text: "Open", BackgroundColor: "#00AA00"})
	require.NoError(t, err)
	assert.Equal(t, "#00AA00", at(c.message(story.ID), "style", "backgroundColor"))
	assert.Len(t, c.chat("status@broadcast"), 1)
}

func (c *controlled) groups() {
	t := c.t
	group := c.play("groups", object{
		"name": "Family", "description": "Us", "owner": customer, "members": []string{shopPhone}, "admins": []string{"5511911112222"},
	})["jid"].(string)
	c.receive(object{"text": "Dinner?", "group": group})
	c.receive(object{"from": "5511911112222", "name": "Bob", "text": "Yes", "group": group})
	messages := c.chat(group)
	assert.Equal(t, []any{"Ana", "Bob"}, []any{at(messages, 0, "senderName"), at(messages, 1, "senderName")})
	chat := at(fetch[object](c, http.MethodGet, "/_sim/api/instances/shop/chats", nil), "chats", 0)
	assert.Equal(t, []any{"Family", "group"}, []any{at(chat, "name"), at(chat, "kind")})
	members := at(chat, "members")
	require.Len(t, members, 3)
	assert.Equal(t, true, at(members, 0, "superAdmin"))
	assert.Equal(t, true, at(members, 2, "me"))
}

// owner writes on the phone, and others receive and read it.
func (c *controlled) owner(shop *ryze.InstanceClient) {
	t := c.t
	typed := c.play("instances/shop/type", object{"to": customer, "text": "I will call you"})["id"].(string)
	m := c.message(typed)
	assert.Equal(t, []any{true, ""}, []any{m["fromMe"], m["source"]})
	c.play("instances/shop/receipt", object{"status": "played", "ids": []string{typed}})
	assert.Equal(t, "played", c.message(typed)["status"])
	c.play("instances/shop/type", object{"to": customer, "reaction": object{"emoji": "😀", "messageId": typed}})
	assert.Equal(t, object{"emoji": "😀", "who": shopPhone + "@s.whatsapp.net", "name": "shop", "fromMe": true}, at(c.message(typed), "reactions", 0))
	c.play("instances/shop/type", object{"to": customer, "edit": typed, "text": "I will write"})
	assert.Equal(t, "I will write", c.message(typed)["text"])

	require.NoError(t, shop.Chats.Typing(t.Context(), customer, time.Minute))
	chat := at(fetch[object](c, http.MethodGet, "/_sim/api/instances/shop/chats", nil), "chats", 0)
	assert.Equal(t, []any{customerJID, "typing"}, []any{at(chat, "jid"), at(chat, "presence")})
}

func (c *controlled) trouble(shop *ryze.InstanceClient) {
	t := c.t
	id := c.play("faults", object{"route": "messages.text", "what": "throttled", "times": 2, "delay": "1ms"})["id"]
	c.play("faults", object{"what": "503"})
	fault := at(c.state(), "faults", 0)
	assert.Equal(t, object{"id": id, "route": "POST /api/message/text/:instance", "left": 2.0, "what": "throttled"}, fault)
	_, err := shop.Messages.SendText(t.Context(), customer, "Hi")
	require.ErrorIs(t, err, ryze.ErrThrottled)
	assert.EqualValues(t, 1, at(c.state(), "faults", 0, "left"))
	status, _ := c.do(http.MethodDelete, "/_sim/api/faults/"+id.(string), nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Len(t, c.state()["faults"], 1)
	status, _ = c.do(http.MethodDelete, "/_sim/api/faults", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, c.state()["faults"])

	before, err := time.Parse(time.RFC3339, at(c.state(), "server", "now").(string))
	require.NoError(t, err)
	after, err := time.Parse(time.RFC3339, c.play("clock/advance", object{"by": "2m"})["now"].(string))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, after.Sub(before), 2*time.Minute)
	assert.EqualValues(t, 100, at(c.state(), "windows", 2, "remaining"), "the minute is over")
	window := c.play("windows/eat", object{"key": "shop", "n": 40})
	assert.EqualValues(t, 60, window["remaining"])
	assert.Equal(t, window, at(c.state(), "windows", 2))
	assert.Equal(t, []any{"account", "create_20"}, []any{at(c.state(), "windows", 1, "key"), at(c.state(), "windows", 1, "class")})
}

func (c *controlled) log(s *ryzetest.Server, shop *ryze.InstanceClient) {
	t := c.t
	last := at(fetch[object](c, http.MethodGet, "/_sim/api/requests?limit=1", nil), "requests", 0, "number")
	_, err := shop.Messages.SendText(t.Context(), customer, "Hi")
	require.NoError(t, err)
	r := at(fetch[object](c, http.MethodGet, "/_sim/api/requests?after="+string(encode(last)), nil), "requests", 0)
	one := fetch[object](c, http.MethodGet, "/_sim/api/requests/"+string(encode(at(r, "number"))), nil)
	assert.Equal(t, "POST /api/message/text/:instance", one["route"])
	assert.Contains(t, one["body"], `"Hi"`)
	assert.Contains(t, one["replyBody"], "messageId")
	assert.NotContains(t, string(encode(one)), s.Instance("shop").Token())

	hook := func(url string) {
		_, err := shop.Webhooks.Set(t.Context(), ryze.WebhookConfig{URL: url})
		require.NoError(t, err)
	}
	hook("http://127.0.0.1:9/hook") // the port of discard: nobody listens
	_, err = shop.WebSocket.Set(t.Context(), ryze.WebSocketConfig{})
	require.NoError(t, err)
	stream, err := shop.Subscribe(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, at(c.state(), "instances", 0, "streams"))
	c.receive(object{"text": "Are you there?"})
	require.Eventually(t, func() bool {
		list := fetch[object](c, http.MethodGet, "/_sim/api/deliveries?after=0", nil)["deliveries"].([]any)
		seen := map[any]any{}
		for _, d := range list {
			assert.NotContains(t, at(d, "body"), s.Instance("shop").Token())
			if at(d, "event") == "message.exchange" {
				seen[at(d, "channel")] = d
			}
		}
		return len(seen) == 2 && at(seen["webhook"], "error") != "" && at(seen["stream"], "error") == ""
	}, 30*time.Second, 10*time.Millisecond)
	assert.Equal(t, "http://127.0.0.1:9/hook", at(c.state(), "instances", 0, "webhooks", 0, "url"))
	c.play("instances/shop/drop-streams", object{"code": 1012})
	require.NoError(t, stream.Close())
}

func (c *controlled) connection() {
	t := c.t
	assert.Equal(t, "disconnected", c.play("instances/shop/disconnect", nil)["state"])
	waits := c.receive(object{"text": "While you were away"})
	status, _ := c.do(http.MethodGet, "/_sim/api/instances/shop/messages/"+waits, nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "connected", c.play("instances/shop/reconnect", nil)["state"])
	assert.Equal(t, "While you were away", c.message(waits)["text"])
	assert.Equal(t, "banned", c.play("instances/shop/ban", nil)["state"])
	assert.Equal(t, "loggedout", c.play("instances/shop/logout", nil)["state"])
	status, _ = c.do(http.MethodPost, "/_sim/api/instances/shop/receive", object{"from": customer, "text": "Hi"})
	assert.Equal(t, http.StatusConflict, status)
	c.play("instances", object{"name": "other"})
	status, _ = c.do(http.MethodDelete, "/_sim/api/instances/other", nil)
	assert.Equal(t, http.StatusOK, status)
	c.play("reset", nil)
	state := c.state()
	for _, list := range []string{"instances", "faults", "contacts"} {
		assert.Empty(t, state[list], list)
	}
	for _, list := range []string{"requests", "deliveries"} {
		assert.Empty(t, fetch[object](c, http.MethodGet, "/_sim/api/"+list, nil)[list])
	}
}
