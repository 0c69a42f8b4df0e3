package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// delivery returns the schema and the examples of what a webhook receives for
// an event.
func (d *document) delivery(t *testing.T, event string) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	body := d.root.get("webhooks", event, "post", "requestBody").body()
	require.True(t, body.exists(), "the document has no event %s", event)
	shown := map[string]any{}
	for name, e := range body.get("examples").all() {
		shown[name] = e.get("value").value()
	}
	return body.get("schema").schema(), shown
}

// collector is the receiver of a webhook.
type collector struct {
	mu     sync.Mutex
	events [][]byte
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	c.add(body)
}

func (c *collector) add(event []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, event)
}

// received are the events by name.
func (c *collector) received(t *testing.T) map[string][]string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	byName := map[string][]string{}
	for _, b := range c.events {
		var e struct{ Event string }
		require.NoError(t, json.Unmarshal(b, &e))
		byName[e.Event] = append(byName[e.Event], string(b))
	}
	return byName
}

// happens plays all that a simulated phone can play.
func happens(t *testing.T, e *env) {
	t.Helper()
	ctx := t.Context()
	from := string(ana)
	group := e.sim.Group(string(e.group))
	for _, in := range []ryzetest.Incoming{
		{Text: "Hello"},
		{Text: "In a group", Group: group.JID(), Mentions: []string{own}},
		{Text: "Answer", ReplyTo: e.received, Forwarded: true},
		{Text: "From nowhere", HideNumber: true},
		{Text: "A dot", Media: &ryzetest.File{Data: png, MIME: "image/png", FileName: "dot.png"}},
		{Media: &ryzetest.File{Data: ogg, MIME: "audio/ogg; codecs=opus", Voice: true, Duration: 3}},
		{Media: &ryzetest.File{Data: []byte("notes"), MIME: "text/plain", FileName: "notes.txt"}},
		{Media: &ryzetest.File{Data: []byte("RIFF"), MIME: "image/webp", Kind: "sticker"}},
		{Media: &ryzetest.File{Data: []byte("film"), MIME: "video/mp4"}},
		{Location: &ryzetest.Location{Latitude: -23.5, Longitude: -46.6, Name: "Office", Address: "1 Example Street"}},
		{Card: &ryzetest.ContactCard{Name: "Bruno Example", Phone: string(bruno)}},
		{Poll: &ryzetest.Poll{Question: "Which day?", Options: []string{"Monday", "Tuesday"}, Max: 1}},
		{Reaction: &ryzetest.Reaction{Emoji: "👍", MessageID: e.sent}},
		{Reaction: &ryzetest.Reaction{MessageID: e.sent}},
		{Edit: e.received, Text: "Hello again"},
		{Revoke: e.received},
		{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: "yes", Title: "Yes"}},
		{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerText, ID: "yes", Title: "Yes"}},
		{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerList, ID: "row-1", Title: "Prices"}},
		{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerCarousel, ID: "one", Title: "Take it", Card: 1}},
		{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerForm, ID: "t"}},
	} {
		in.From = from
		require.NotEmpty(t, e.phone.Receive(in))
	}
	require.NotEmpty(t, e.phone.TypeOnPhone(from, ryzetest.Incoming{Text: "From the phone"}))
	for i := range sendCalls {
		_, err := sendCalls[i].do(ctx, e)
		require.NoError(t, err, sendCalls[i].name)
	}
	e.sim.Advance(time.Minute) // receipts

	group.Join(string(bruno), string(carla))
	group.Promote(string(bruno))
	group.Demote(string(bruno))
	group.Leave(string(carla))
	group.Rename("Released")
	_, err := e.inst.Groups.Update(ctx, e.group, ryze.GroupUpdate{Description: new("Done"), Permissions: closedGroup})
	require.NoError(t, err)
	group.RequestToJoin(string(carla))
	follow(e)
	e.sim.Newsletter(e.channel).Post("News")

	label, err := e.inst.Labels.Create(ctx, "Customer", 4)
	require.NoError(t, err)
	require.NoError(t, e.inst.Labels.Assign(ctx, ana, label.ID))
	require.NoError(t, e.inst.Labels.Unassign(ctx, ana, label.ID))
	require.NoError(t, e.inst.Labels.Delete(ctx, label.ID))

	e.phone.Emit("call.update", map[string]any{})
	e.phone.Disconnect()
	e.phone.Reconnect()
	e.sim.Advance(time.Minute)
}

// leavesWhatsApp ends the session, and begins another.
func leavesWhatsApp(t *testing.T, e *env) {
	t.Helper()
	e.phone.LogOutFromPhone()
	_, err := e.inst.Connect(t.Context(), ryze.ConnectParams{})
	require.NoError(t, err)
	e.phone.Pair(own)
	e.phone.Ban()
}

// TestEventsAreAsDocumented plays everything, in both layouts, to a webhook and
// a WebSocket, and validates what arrives there.
func TestEventsAreAsDocumented(t *testing.T) {
	d := theDocument(t)
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		for _, withMedia := range []bool{true, false} {
			t.Run(string(layout)+" "+map[bool]string{true: "with media", false: "without media"}[withMedia], func(t *testing.T) {
				var hooked, streamed collector
				synctest.Test(t, func(t *testing.T) { playEvents(t, layout, withMedia, &hooked, &streamed) })
				all := hooked.received(t)
				for name, schema := range eventSchemas(t, d) {
					assert.NotEmpty(t, all[name], "no %s", name)
					for _, text := range all[name] {
						if problems := against(schema, []byte(text)); len(problems) > 0 {
							t.Errorf("%s\n%s", strings.Join(problems, "\n"), cut([]byte(text)))
						}
						parsed, err := ryze.ParseEvent([]byte(text))
						require.NoError(t, err)
						assert.NotEqual(t, "*ryze.UnknownEvent", reflect.TypeOf(parsed.Data).String(), text)
						assert.Equal(t, name, string(parsed.Type))
						assert.Equal(t, "support-line", parsed.Instance)
					}
				}
				assert.Len(t, all, 6)
				for name, texts := range streamed.received(t) {
					assert.Subset(t, all[name], texts, "the stream has others than the webhook")
				}
				assert.NotEmpty(t, streamed.events)
			})
		}
	}
}

func playEvents(t *testing.T, layout ryzetest.Layout, withMedia bool, hooked, streamed *collector) {
	t.Helper()
	sim := ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithLayout(layout), ryzetest.WithWebhookHandler(hooked), ryzetest.WithRateLimit(100000))
	defer sim.Close()
	e := simulated(t, sim, sim.HTTPClient().Transport)
	defer func() { require.NoError(t, e.client.Close()) }()
	_, err := e.inst.Webhooks.Set(t.Context(), ryze.WebhookConfig{URL: "https://hooks.example.net/all", MediaBase64: withMedia})
	require.NoError(t, err)
	_, err = e.inst.WebSocket.Set(t.Context(), ryze.WebSocketConfig{MediaBase64: withMedia})
	require.NoError(t, err)
	stop := listen(t, e, streamed)
	happens(t, e)
	synctest.Wait()
	stop()
	leavesWhatsApp(t, e)
	time.Sleep(time.Minute) // of virtual time: the last deliveries
}

// listen reads the frames of the instance's WebSocket as they come.
func listen(t *testing.T, e *env, to *collector) (stop func()) {
	t.Helper()
	conn, resp, err := websocket.Dial(t.Context(), strings.Replace(e.sim.URL, "http", "ws", 1)+"/ws/"+name, &websocket.DialOptions{
		HTTPClient: e.sim.HTTPClient(), HTTPHeader: http.Header{"token": {e.phone.Token()}},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	conn.SetReadLimit(-1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, frame, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			to.add(frame)
		}
	}()
	return func() {
		_ = conn.CloseNow()
		<-done
	}
}

// eventSchemas are the schemas of all events of the document.
func eventSchemas(t *testing.T, d *document) map[string]*jsonschema.Schema {
	t.Helper()
	all := map[string]*jsonschema.Schema{}
	for name := range d.root.get("webhooks").all() {
		all[name], _ = d.delivery(t, name)
	}
	require.Len(t, all, 6)
	return all
}

// eventExcuses are for what an event does not show, other than through Raw.
var eventExcuses = excuseList{
	excused("a secret, and an address that must not be called", `\S+ instanceData\.(token|baseUrl)`),
	excused("instanceData.instance comes first", `instance\.state data\.instance`),
	excused("the identity outside comes first", `(message\.exchange|edit) data\.message\.id`),
	excused("told by Edit not being nil", `(message\.exchange|edit) data\.message\.isEdit`),
	excused("told by Edit, whose text comes first", `edit data\.message\.(type|content(\.text)?)`),
	excused("told by the MIME type", `message\.exchange data\.message\.media\.type`),
	excused("told by the action", `label\.update data\.(labeled|deleted)`),
}

// TestEveryFieldOfEventsReachesTheCaller changes each value of each event that
// the document shows or the simulator emits, and looks for the new value in what
// ParseEvent makes of it.
func TestEveryFieldOfEventsReachesTheCaller(t *testing.T) {
	d := theDocument(t)
	for name := range eventSchemas(t, d) {
		schema, shown := d.delivery(t, name)
		for example, body := range shown {
			t.Run(name+"/"+example, func(t *testing.T) {
				assert.Empty(t, against(schema, encode(body)))
				eventReaches(t, name, body)
			})
		}
	}
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		var hooked, streamed collector
		synctest.Test(t, func(t *testing.T) { playEvents(t, layout, true, &hooked, &streamed) })
		for name, texts := range hooked.received(t) {
			for i, text := range texts {
				t.Run(fmt.Sprintf("%s/%s %d", name, layout, i), func(t *testing.T) {
					var body any
					require.NoError(t, json.Unmarshal([]byte(text), &body))
					eventReaches(t, name, body)
				})
			}
		}
	}
	for _, e := range eventExcuses {
		assert.True(t, e.used, "no field needs the excuse %q", e.why)
	}
}

func eventReaches(t *testing.T, name string, body any) {
	t.Helper()
	whole, err := ryze.ParseEvent(encode(body))
	require.NoError(t, err)
	was := dumpOf(whole, nil)
	if m, ok := whole.Data.(*ryze.MessageEvent); ok && m.Edit != nil {
		name = "edit"
	}
	for _, l := range leaves(body, false) {
		to := other(l.value)
		l.set(to)
		text := encode(body)
		l.set(l.value)
		what := name + " " + strings.TrimPrefix(l.path, "$.")
		parsed, err := ryze.ParseEvent(text)
		require.NoError(t, err, what)
		if strings.HasSuffix(what, "instanceData.token") {
			assert.NotContains(t, string(parsed.Raw), to.(string))
		}
		reached := slices.ContainsFunc(dumpOf(parsed, nil).changed(was), func(v any) bool { return shows(v, to) })
		assert.True(t, reached || eventExcuses.cover(what), "%s = %v is lost", what, l.value)
	}
}

// TestDamagedEventsAreRead damages every event that the document shows: what
// comes out is an event with what could be read.
func TestDamagedEventsAreRead(t *testing.T) {
	d := theDocument(t)
	for name := range eventSchemas(t, d) {
		_, shown := d.delivery(t, name)
		for example, body := range shown {
			t.Run(name+"/"+example, func(t *testing.T) {
				check := func(what string) {
					e, err := ryze.ParseEvent(encode(body))
					if what == "$.event" {
						return // without a name it is no event
					}
					require.NoError(t, err, what)
					assert.Equal(t, name, string(e.Type), what)
					require.NotNil(t, e.Data, what)
				}
				for _, l := range leaves(body, true) {
					for _, odd := range []any{nil, "somethingNew", 7.5, true, []any{}, []any{nil, 1.0}, map[string]any{"x": 1.0}} {
						l.set(odd)
						check(l.path)
					}
					l.set(l.value)
					if l.drop != nil {
						l.drop()
						check(l.path)
						l.set(l.value)
					}
				}
				for _, object := range objects(body) {
					object["notKnownYet"] = map[string]any{"a": 1.0}
					check("one more member")
					delete(object, "notKnownYet")
				}
			})
		}
	}
}
