package ryzetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// received is a receiver that keeps the last request.
type received struct {
	req  *http.Request
	body map[string]any
}

func (r *received) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.req, r.body = req, nil
	raw, _ := io.ReadAll(req.Body)
	_ = json.Unmarshal(raw, &r.body)
	w.Header().Set("X-Answer", "yes")
	w.WriteHeader(http.StatusTeapot)
	_, _ = io.WriteString(w, "short and stout")
}

func TestDeliverPostsAsTheServiceDoes(t *testing.T) {
	r := &received{}
	res := Deliver(r, "/hooks/ryze/message.exchange?x=1", "Bearer q", NewEvents("a").Message(Incoming{From: "5511987654321", Text: "hi"}))
	assert.Equal(t, 418, res.StatusCode)
	assert.Equal(t, "yes", res.Header.Get("X-Answer"))
	assert.Equal(t, "short and stout", res.Body)

	assert.Equal(t, "POST", r.req.Method)
	assert.Equal(t, "/hooks/ryze/message.exchange", r.req.URL.Path)
	assert.Equal(t, "x=1", r.req.URL.RawQuery)
	assert.Equal(t, []string{"Bearer q"}, r.req.Header["Authorization"])
	assert.Equal(t, "application/json", r.req.Header.Get("Content-Type"))
	assert.Positive(t, r.req.ContentLength)
	assert.Equal(t, "message.exchange", r.body["event"])

	Deliver(r, "https://app.example.com/x", "", `{"event":"y"}`)
	assert.NotContains(t, r.req.Header, "Authorization")
	assert.Equal(t, "app.example.com", r.req.Host)
	assert.Equal(t, "y", r.body["event"])
	Deliver(r, "/", "", json.RawMessage(`{"event":"z"}`))
	assert.Equal(t, "z", r.body["event"])
	Deliver(r, "/", "", map[string]any{"event": "w"})
	assert.Equal(t, "w", r.body["event"])
}

func TestDeliverToPostsToAURL(t *testing.T) {
	r := &received{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	res, err := DeliverTo(t.Context(), srv.Client(), srv.URL+"/hooks", "Bearer q", NewEvents("a").State("connected"))
	require.NoError(t, err)
	assert.Equal(t, 418, res.StatusCode)
	assert.Equal(t, "Bearer q", r.req.Header.Get("Authorization"))
	assert.Equal(t, "instance.state", r.body["event"])

	_, err = DeliverTo(t.Context(), srv.Client(), "http://a b/", "", nil)
	assert.Error(t, err)
}

func TestDeliverPassesPanicsOn(t *testing.T) {
	assert.PanicsWithValue(t, "oh", func() {
		Deliver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }), "/", "", "{}")
	})
}

// delivered catches what a server's own instance delivers.
func delivered(t *testing.T, layout Layout, play func(*Instance)) []map[string]any {
	t.Helper()
	var got []map[string]any
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory(), WithLayout(layout), WithWebhookHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var body map[string]any
			raw, _ := io.ReadAll(r.Body)
			_ = json.Unmarshal(raw, &body)
			got = append(got, body)
		})))
		defer s.Close()
		i := s.AddInstance("a")
		i.Pair("5511900000001")
		i.SetDelivery(Receipts{Off: true})
		client{t, s, s.AccountToken}.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://hooks.test/","mediaBase64":true}`)
		play(i)
		time.Sleep(time.Second)
		synctest.Wait()
	})
	return got
}

// TestEventsBuildsWhatAServerDelivers: with the same message the same event, in
// both layouts, but for what is the server's own.
func TestEventsBuildsWhatAServerDelivers(t *testing.T) {
	at := time.Date(2026, 9, 28, 20, 40, 0, 0, time.UTC)
	messages := []Incoming{
		{ID: "1", At: at, From: "5511987654321", Name: "Ana", Text: "hi", ReplyTo: "0", Mentions: []string{"5511911111111"}},
		{ID: "2", At: at, From: "5511987654321", Group: "120363000000000001@g.us", Text: "hi all", Forwarded: true},
		{ID: "3", At: at, From: "5511987654321", Text: "look", Media: &File{Data: []byte("GIF89a"), MIME: "image/gif"}},
		{ID: "4", At: at, From: "5511987654321", Answer: &Answer{Kind: AnswerList, ID: "row", Title: "Row"}},
		{ID: "5", At: at, From: "5511987654321", Edit: "1", Text: "ho"},
		{ID: "6", At: at, From: "5511987654321", Revoke: "1"},
		{ID: "7", At: at, From: "5511987654321", Patch: map[string]any{"new": 1}},
	}
	for _, layout := range []Layout{LayoutLive, LayoutDocumented} {
		want := delivered(t, layout, func(i *Instance) {
			for _, in := range messages {
				i.Receive(in)
			}
			i.TypeOnPhone("5511987654321", Incoming{ID: "8", At: at, Text: "from the phone"})
		})
		events := NewEvents("a", WithLayout(layout))
		built := [][]byte{}
		for _, in := range messages {
			built = append(built, events.Message(in))
		}
		built = append(built, events.Outgoing("5511987654321", "", Incoming{ID: "8", At: at, Text: "from the phone"}))

		require.Len(t, want, len(built))
		for k, raw := range built {
			var got map[string]any
			require.NoError(t, json.Unmarshal(raw, &got))
			assert.Equal(t, EventsToken, got["instanceData"].(map[string]any)["token"])
			assert.Equal(t, common(want[k]), common(got), "%s %d", layout, k)
		}
	}
}

// common takes off what differs between two servers.
func common(event map[string]any) map[string]any {
	instance := event["instanceData"].(map[string]any)
	delete(instance, "token")
	delete(instance, "baseUrl")
	return event
}

func TestEventsBuildsReceiptsStatesAndAnythingElse(t *testing.T) {
	want := delivered(t, LayoutLive, func(i *Instance) {
		id := i.TypeOnPhone("5511987654321", Incoming{ID: "9", Text: "x"})
		i.Receipt("read", id)
		i.LogOutFromPhone()
		i.Emit("presence.update", obj{"state": "typing"})
	})
	require.Len(t, want, 4)
	events := NewEvents("a")
	for k, raw := range [][]byte{
		events.Receipt("read", "5511987654321", "9"), events.State("logged_out"), events.Event("presence.update", obj{"state": "typing"}),
	} {
		var got map[string]any
		require.NoError(t, json.Unmarshal(raw, &got))
		for _, e := range []map[string]any{want[k+1], got} {
			common(e)
			if data := e["data"].(map[string]any); data["timestamp"] != nil {
				_, err := time.Parse(time.RFC3339, data["timestamp"].(string))
				assert.NoError(t, err)
				delete(data, "timestamp")
				delete(data, "jid") // the builder does not know what a state says of it
			}
		}
		assert.Equal(t, want[k+1], got)
	}

	var qr map[string]any
	require.NoError(t, json.Unmarshal(events.State("qr_ready", "2@a", "2@b"), &qr))
	assert.Equal(t, []any{"2@a", "2@b"}, qr["data"].(map[string]any)["codes"])
	var group map[string]any
	require.NoError(t, json.Unmarshal(events.Receipt("delivered", "120363000000000001@g.us", "1", "2"), &group))
	assert.Equal(t, "5511900000001@s.whatsapp.net", group["data"].(map[string]any)["messageSender"])
}
