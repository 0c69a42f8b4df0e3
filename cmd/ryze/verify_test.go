package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const myNumber = "5511987654321"

// watched is a shell whose simulator can do something at a request.
type watched struct {
	*shell
	at     atomic.Pointer[func(ryzetest.Request)]
	client *ryze.InstanceClient
}

func newWatched(t *testing.T, opts ...ryzetest.Option) *watched {
	t.Helper()
	w := &watched{}
	w.shell = newShell(t, append(opts, ryzetest.WithObserver(func(r ryzetest.Request) {
		if do := w.at.Load(); do != nil {
			(*do)(r)
		}
	}))...)
	var err error
	w.client, err = ryze.NewInstanceClient("demo", w.inst.Token(), ryze.WithBaseURL(w.srv.URL), ryze.WithHTTPClient(w.srv.HTTPClient()))
	require.NoError(t, err)
	return w
}

// once does something at the first request for a route.
func (w *watched) once(route string, do func()) {
	var done atomic.Bool
	at := func(r ryzetest.Request) {
		if strings.HasPrefix(r.Route, route) && done.CompareAndSwap(false, true) {
			do()
		}
	}
	w.at.Store(&at)
}

// verify runs ryze verify, which asks nobody, and returns its answers.
func (w *watched) verify(args ...string) (answers map[string]answer, r result) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "report.json")
	r = w.run(append([]string{"verify", "demo", "--to", myNumber, "--yes", "--json", "--wait", "400ms", "--report", file}, args...)...)
	text, err := os.ReadFile(file)
	require.NoError(w.t, err, r.err)
	assert.Equal(w.t, r.out, string(text))
	return answersOf(w.t, r.out), r
}

func answersOf(t *testing.T, text string) map[string]answer {
	t.Helper()
	var report verifyReport
	require.NoError(t, json.Unmarshal([]byte(text), &report))
	answers := map[string]answer{}
	for _, a := range report.Answers {
		assert.NotContains(t, answers, a.ID)
		answers[a.ID] = a
	}
	return answers
}

// settings is all that verify could have changed, as the service tells it.
func (w *watched) settings() string {
	w.t.Helper()
	ctx := w.t.Context()
	hooks, err := w.client.Webhooks.List(ctx)
	require.NoError(w.t, err)
	var all []any
	for _, h := range hooks {
		if h.Label == "ryze-verify" { // the service cannot delete a webhook
			assert.False(w.t, h.Enabled)
			continue
		}
		all = append(all, h.Label, h.Enabled, h.URL, h.Authorization.Reveal(), h.ByEvents, h.Events, h.MediaBase64)
	}
	stream, err := w.client.WebSocket.Get(ctx)
	if stream == nil || !stream.Enabled && len(stream.Events) == 0 {
		all = append(all, "off")
	} else {
		require.NoError(w.t, err)
		all = append(all, stream.Enabled, stream.Events, stream.MediaBase64)
	}
	settings, err := w.client.Settings.Get(ctx)
	require.NoError(w.t, err)
	settings.Meta = ryze.Meta{}
	all = append(all, settings, w.inst.State(), w.inst.Calls())
	for _, chat := range w.inst.Chats() {
		if !chat.Archived && !chat.Pinned && !chat.Muted && !chat.Blocked && len(chat.Labels) == 0 {
			continue // a message makes a chat
		}
		all = append(all, chat.JID, chat.Archived, chat.Pinned, chat.Muted, chat.Blocked, chat.Labels)
	}
	text, err := json.Marshal(all)
	require.NoError(w.t, err)
	return string(text)
}

func TestVerifyFindsNoDifferenceInThePlainSimulator(t *testing.T) {
	hook := func(label string) ryze.WebhookConfig {
		return ryze.WebhookConfig{Label: label, URL: "http://127.0.0.1:1/" + label, Authorization: authorization, Events: []ryze.EventType{ryze.EventMessage}}
	}
	for name, prepare := range map[string]func(context.Context, *watched){
		"nothing set": func(context.Context, *watched) {},
		"stream off, webhooks on and off": func(ctx context.Context, w *watched) {
			_, err := w.client.WebSocket.Set(ctx, ryze.WebSocketConfig{Events: []ryze.EventType{ryze.EventReceipt}, MediaBase64: true})
			require.NoError(w.t, err)
			require.NoError(w.t, w.client.WebSocket.Disable(ctx))
			for _, label := range []string{"one", "two"} {
				_, err = w.client.Webhooks.Set(ctx, hook(label))
				require.NoError(w.t, err)
			}
			require.NoError(w.t, w.client.Webhooks.Disable(ctx, "one"))
		},
		"stream on, three webhooks": func(ctx context.Context, w *watched) {
			_, err := w.client.WebSocket.Set(ctx, ryze.WebSocketConfig{Events: []ryze.EventType{ryze.EventMessage}})
			require.NoError(w.t, err)
			for _, label := range []string{"one", "two", "three"} {
				_, err = w.client.Webhooks.Set(ctx, hook(label))
				require.NoError(w.t, err)
			}
		},
	} {
		for _, reconnect := range []bool{false, true} {
			t.Run(name+" "+strconv.FormatBool(reconnect), func(t *testing.T) {
				t.Parallel()
				w := newWatched(t)
				prepare(t.Context(), w)
				before, asked := w.settings(), len(w.srv.Requests())
				answers, r := w.verify("--reconnect=" + strconv.FormatBool(reconnect))
				assert.Zero(t, r.code, r.err)
				assert.LessOrEqual(t, len(w.srv.Requests())-asked, verifyRequests)
				assert.Equal(t, before, w.settings())
				assert.Len(t, w.inst.Sent(), len(w.inst.Messages()))
				w.noStrangerSince(w.srv.Requests()[asked:])
				for id, a := range answers {
					assert.NotEqual(t, isDifferent, a.Verdict, "%s: %s", id, a.Found)
					assert.NotContains(t, a.Found, "%!")
				}
				assert.Equal(t, asDocumented, answers["echo-label"].Verdict)
				assert.Equal(t, `"Instance not found"`, strings.TrimPrefix(answers["refusal.no-instance"].Found, "status 404: "), "what the document has can be read")
				if reconnect && name != "stream on, three webhooks" {
					assert.Equal(t, asDocumented, answers["state-authorization"].Verdict)
				} else {
					assert.Equal(t, isNotSeen, answers["state-authorization"].Verdict)
				}
			})
		}
	}
}

// TestVerifyNamesEachDifference turns the simulator in every way that a service may
// differ from its document.
func TestVerifyNamesEachDifference(t *testing.T) {
	edit := func(route string, change func(map[string]any)) func(*watched) {
		return func(w *watched) { w.srv.Fault(route, ryzetest.Fault{Times: 99, Edit: change}) }
	}
	answerWith := func(route string, f ryzetest.Fault) func(*watched) {
		return func(w *watched) { f.Times = 99; w.srv.Fault(route, f) }
	}
	event := func(name string, data any) func(*watched) {
		return func(w *watched) {
			w.once("POST /api/message/reaction", func() { w.inst.Emit(name, data) })
		}
	}
	status := func(more map[string]any) map[string]any {
		data := map[string]any{"messageIds": []any{"A", "B"}, "status": "read", "timestamp": "2026-09-15T12:00:00Z", "chat": map[string]any{"jid": myNumber, "type": "private"}}
		for name, value := range more {
			data[name] = value
		}
		return data
	}
	for _, test := range []struct {
		name    string
		opts    []ryzetest.Option
		turn    func(*watched)
		args    string
		id      string
		verdict string
		says    string
	}{
		{name: "relative reset", opts: []ryzetest.Option{ryzetest.WithRelativeReset()}, id: "rate-reset", says: "the seconds that are left"},
		{name: "reset in ms", opts: []ryzetest.Option{ryzetest.WithReset(ryzetest.TimeUnixMillis)}, id: "rate-reset", says: "Unix milliseconds"},
		{name: "ms left", opts: []ryzetest.Option{ryzetest.WithReset(ryzetest.TimeDeltaMillis)}, id: "rate-reset", says: "the milliseconds that are left"},
		{name: "reset as ISO", opts: []ryzetest.Option{ryzetest.WithReset(ryzetest.TimeISO)}, id: "rate-reset", says: "RFC 3339"},
		{name: "reset as HTTP", opts: []ryzetest.Option{ryzetest.WithReset(ryzetest.TimeHTTP)}, id: "rate-reset", says: "as in the header Date"},
		{name: "clock ahead", opts: []ryzetest.Option{ryzetest.WithClockSkew(1e13)}, id: "rate-reset", verdict: asDocumented, says: "Unix seconds"},
		{name: "no rate headers", opts: []ryzetest.Option{ryzetest.WithoutRateHeaders()}, id: "rate-headers", says: "X-RateLimit-Limit is missing"},
		{name: "no reset", opts: []ryzetest.Option{ryzetest.WithoutRateHeaders("X-RateLimit-Reset")}, id: "rate-headers", says: "X-RateLimit-Reset is missing"},
		{name: "another limit", opts: []ryzetest.Option{ryzetest.WithRateLimit(300)}, id: "rate-limit", says: "300"},
		{name: "no limit", opts: []ryzetest.Option{ryzetest.WithRateLimit(-1)}, id: "rate-limit", says: "-1"},
		{name: "retry-after", turn: answerWith("chat.tags.list", ryzetest.Fault{Status: 429, Message: "Rate limit exceeded. Try again later.", Header: http.Header{"Retry-After": {"7"}}}), id: "rate-retry-after", says: "yes, with status 429"},
		{name: "another header", turn: answerWith("chat.tags.list", ryzetest.Fault{Header: http.Header{"X-Served-By": {"x"}}}), id: "headers", says: "X-Served-By"},

		{name: "documented layout", opts: []ryzetest.Option{ryzetest.WithLayout(ryzetest.LayoutDocumented)}, id: "layout", says: "that of the documentation"},
		{name: "content is an object", opts: []ryzetest.Option{ryzetest.WithLayout(ryzetest.LayoutDocumented)}, id: "content", says: "an object"},
		{name: "bare JID", opts: []ryzetest.Option{ryzetest.WithLayout(ryzetest.LayoutDocumented)}, id: "jid", says: "bare digits"},
		{name: "no echoes", opts: []ryzetest.Option{ryzetest.WithoutEchoes()}, id: "echo", says: "none of "},
		{name: "no echo, no label", opts: []ryzetest.Option{ryzetest.WithoutEchoes()}, id: "echo-label", verdict: isNotSeen, says: "there was no echo"},
		{name: "state without authorization", opts: []ryzetest.Option{ryzetest.WithoutStateAuthorization()}, args: "--reconnect", id: "state-authorization", says: "came without it"},
		{name: "other events with it", opts: []ryzetest.Option{ryzetest.WithoutStateAuthorization()}, args: "--reconnect", id: "webhook-authorization", verdict: asDocumented},
		{name: "late media", opts: []ryzetest.Option{ryzetest.WithMediaDelay(3e8)}, args: "--wait 2s", id: "media-early", verdict: isOpen, says: "with 404: \"Message not found or no media available\""},
		{name: "very late media", opts: []ryzetest.Option{ryzetest.WithMediaDelay(1e12)}, id: "media-early", says: "longer than "},
		{name: "lost reply", turn: func(w *watched) {
			w.srv.Fault("messages.text", ryzetest.Fault{}, ryzetest.Fault{}, ryzetest.Fault{Delay: 3e8})
		}, id: "echo-lost", verdict: isOpen, says: "yes"},

		{name: "unknown member", turn: edit("instance.settings.get", func(r map[string]any) { r["somethingNew"] = 1 }), id: "reply.instance.settings.get", says: "$.somethingNew is not in the document"},
		{name: "unknown member deep in a list", turn: edit("instance.list", func(r map[string]any) {
			r["instances"].([]any)[0].(map[string]any)["somethingNew"] = true
		}), id: "reply.instance.list", says: "$.instances[].somethingNew is not in the document"},
		{name: "other type", turn: edit("messages.text", func(r map[string]any) { r["data"].(map[string]any)["timestamp"] = 17.0 }), id: "reply.messages.text", says: "$.data.timestamp is number instead of null or string"},
		{name: "missing member", turn: edit("chat.tags.list", func(r map[string]any) { delete(r, "success") }), id: "reply.chat.tags.list", says: "$.success is missing"},
		{name: "undeclared status", turn: answerWith("profile.get_privacy", ryzetest.Fault{Status: 418, Message: "no"}), id: "reply.profile.get_privacy", says: "status 418 is not in the document"},
		{name: "not JSON", turn: answerWith("profile.get_privacy", ryzetest.Fault{Body: "{"}), id: "reply.profile.get_privacy", says: "not JSON"},
		{name: "other content type", turn: answerWith("profile.get_privacy", ryzetest.Fault{Header: http.Header{"Content-Type": {"text/html"}}}), id: "reply.profile.get_privacy", says: "text/html"},
		{name: "other error text", turn: answerWith("chat.message.status", ryzetest.Fault{Status: 404, Message: "No such message exists"}), id: "refusal.no-message", says: `status 404: "No such message exists"`},
		{name: "other error text, of the operation", turn: answerWith("chat.message.status", ryzetest.Fault{Status: 404, Message: "No such message exists"}), id: "reply.chat.message.status", says: `"No such message exists"`},
		{name: "other status of a refusal", turn: answerWith("chat.message.status", ryzetest.Fault{Status: 410, Message: "gone"}), id: "refusal.no-message", says: "status 410"},
		{name: "filter honoured", turn: func(w *watched) {
			w.once("GET /api/newsletter/list", func() {
				edit("instance.list", func(r map[string]any) { r["instances"] = []any{} })(w)
			})
		}, id: "instance-filter", says: "0 instances"},

		{name: "unknown member of an event", turn: event("message.status", status(map[string]any{"somethingNew": 1})), id: "event.message.status", says: "$.data.somethingNew is not in the document"},
		{name: "other type in an event", turn: event("message.status", status(map[string]any{"status": 3})), id: "event.message.status", says: "$.data.status is number instead of string"},
		{name: "missing member of an event", turn: event("message.status", map[string]any{}), id: "event.message.status", says: "is missing"},
		{name: "unknown event", turn: event("message.pinned", map[string]any{}), id: "event.other", says: `the event `},
		{name: "receipts of several", turn: event("message.status", status(map[string]any{"id": "x"})), id: "receipts", verdict: isOpen, says: "the longest names 2"},
		{name: "close code", turn: func(w *watched) {
			at := func(r ryzetest.Request) {
				if strings.HasPrefix(r.Route, "POST /api/events/websocket") && strings.Contains(string(r.Body), `"enabled":false`) {
					w.inst.DropWebSockets(4321)
				}
			}
			w.at.Store(&at)
		}, id: "close-code", verdict: isOpen, says: "code 4321"},
		{name: "cut stream", turn: func(w *watched) { w.once("POST /api/message/media", func() { w.inst.DropWebSockets(0) }) }, id: "close-code", verdict: isOpen, says: "the stream ended by itself: the connection ends without a code"},
		{name: "little quota", opts: []ryzetest.Option{ryzetest.WithRateLimit(30)}, id: "echo", verdict: isNotSeen, says: "the quota is nearly used up"},
		{name: "not connected", turn: func(w *watched) { w.inst.Disconnect() }, id: "echo", verdict: isNotSeen, says: "refused with status 503"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, test.opts...)
			before := w.settings()
			asked := len(w.srv.Requests())
			if test.turn != nil {
				test.turn(w)
			}
			answers, r := w.verify(strings.Fields(test.args)...)
			assert.Zero(t, r.code, r.err)
			a := answers[test.id]
			want := test.verdict
			if want == "" {
				want = isDifferent
			}
			assert.Equal(t, want, a.Verdict, a.Found)
			assert.Contains(t, a.Found, test.says)
			w.noStrangerSince(w.srv.Requests()[asked:])
			w.srv.ClearFaults()
			if test.name != "not connected" {
				assert.Equal(t, before, w.settings())
			}
		})
	}
}

// noStrangerSince makes sure that only the number was written to.
func (w *watched) noStrangerSince(requests []ryzetest.Request) {
	w.t.Helper()
	messages := w.inst.Sent()
	assert.LessOrEqual(w.t, len(messages), verifyMessages)
	for _, m := range messages {
		assert.Equal(w.t, myNumber+"@s.whatsapp.net", m.Chat)
	}
	for _, r := range requests {
		if r.Method == http.MethodGet {
			continue
		}
		switch route := strings.TrimSuffix(r.Route[strings.Index(r.Route, " ")+1:], "/:instance"); route {
		case "/api/message/text", "/api/message/media", "/api/message/reaction":
			var body struct{ Number string }
			require.NoError(w.t, json.Unmarshal(r.Body, &body))
			assert.Equal(w.t, myNumber, body.Number)
		case "/api/chat/edit", "/api/chat/history", "/api/events/websocket", "/api/events/webhook", "/api/instance/reconnect":
		default:
			assert.Fail(w.t, "unexpected request", r.Route)
		}
	}
}

func TestVerifyAsksBeforeItBegins(t *testing.T) {
	w := newWatched(t)
	for _, said := range []string{"", "yes\n"} {
		w.in = strings.NewReader(said)
		r := w.run("verify", "demo", "--to", myNumber)
		assert.Equal(t, exitFailed, r.code)
		assert.Contains(t, r.err, "At most 6 messages go to "+myNumber)
		assert.Contains(t, r.err, "nothing was done")
	}
	assert.Empty(t, w.inst.Messages())
	for _, r := range w.srv.Requests() {
		assert.Equal(t, http.MethodGet, r.Method)
	}
	for _, args := range [][]string{{}, {"--to", "120363000000000001@g.us"}, {"--to", "status@broadcast"}, {"--to", "123"}, {"--to", myNumber, "--wait", "0s"}} {
		assert.Equal(t, exitUsage, w.run(append([]string{"verify", "demo", "--yes"}, args...)...).code, args)
	}
}

func TestVerifyPutsBackWhenItIsInterrupted(t *testing.T) {
	for _, route := range []string{"GET /api/instance/list", "POST /api/events/websocket", "POST /api/events/webhook", "POST /api/message/text", "POST /api/message/media", "POST /api/instance/reconnect"} {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			before := w.settings()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.once(route, cancel)
			file := filepath.Join(t.TempDir(), "report")
			var out, err output
			code := w.start(ctx, &out, &err, "verify", "demo", "--to", myNumber, "--yes", "--reconnect", "--wait", "2s", "--report", file)
			assert.Equal(t, exitInterrupted, code, &err)
			assert.NotContains(t, err.String(), "Not put back")
			w.at.Store(nil)
			assert.Equal(t, before, w.settings())
			if route != "GET /api/instance/list" { // it was not begun
				assert.FileExists(t, file)
			}
		})
	}
}

func TestVerifySaysWhatItCouldNotPutBack(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.once("POST /api/message/text", func() {
		w.srv.Fault("events.websocket.set", ryzetest.Fault{Status: 500, Times: 99})
		w.srv.Fault("events.webhook.set", ryzetest.Fault{Status: 500, Times: 99})
	})
	_, r := w.verify()
	assert.Equal(t, exitPartly, r.code)
	assert.Contains(t, r.err, `set it with POST /api/events/websocket/demo and the body {"enabled":false}`)
	assert.Contains(t, r.err, "ryze webhook demo off --label ryze-verify")
	assert.Contains(t, r.out, `"notPutBack": 2`)
}

func TestVerifyWritesAReportForTheOwnerAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	w := newWatched(t)
	for range 2 {
		r := w.run("verify", "demo", "--to", "+"+myNumber, "--yes", "--wait", "100ms")
		require.Zero(t, r.code, r.err)
		assert.Regexp(t, `(?m)^QUESTION +ANSWER$`, r.out)
	}
	files, err := filepath.Glob("*")
	require.NoError(t, err)
	require.Len(t, files, 2, "an older report is not replaced")
	for _, file := range files {
		assert.Regexp(t, `^ryze-verify-\d{4}-\d\d-\d\d(-2)?\.md$`, file)
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no half-written file is left")
}

// secrets are what must be in no report.
var secrets = []string{
	"Zoraide Quintanilha", "Zoraide", "5521912345678", "+55 21 91234-5678", "98765432109876@lid", "5521912345678@s.whatsapp.net",
	"Onde fica a loja? \"Perto\" da praça", "sk-live-9fQ/Zk+71", "e3b0c442-98fc-4c14-9afb-f4c8996fb924", "3EB0C7D9A1B2C3D4E5F6", "praça",
}

// spelled are the ways in which a text can be written.
func spelled(s string) []string {
	quoted, _ := json.Marshal(s) //nolint:errchkjson // a text always can be
	ascii := strconv.QuoteToASCII(s)
	return []string{
		s, strings.ToUpper(s), url.QueryEscape(s), url.PathEscape(s), string(quoted[1 : len(quoted)-1]), ascii[1 : len(ascii)-1],
		base64.StdEncoding.EncodeToString([]byte(s)), base64.URLEncoding.EncodeToString([]byte("x" + s)), base64.RawStdEncoding.EncodeToString([]byte("id:" + s + "!")),
		"(" + s + ")", "<" + s + ">", "ryze-" + s, "demo/" + s + "/x",
	}
}

// forbidden are the secrets in every spelling, in lower case but for base64.
var forbidden = sync.OnceValue(func() (all []string) {
	for _, secret := range secrets {
		for _, spelling := range spelled(secret) {
			if !strings.Contains(spelling, secret) {
				all = append(all, strings.ToLower(spelling))
			}
		}
		all = append(all, strings.ToLower(secret))
		for offset := range 3 {
			code := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), secret...))
			all = append(all, code[(offset*8+5)/6:(offset+len(secret))*8/6])
		}
	}
	return all
})

func assertClean(t *testing.T, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, spelling := range forbidden() {
		if strings.Contains(lower, spelling) || strings.Contains(text, spelling) {
			t.Errorf("%q is in %q", spelling, text)
		}
	}
}

func TestAReportHasNothingOfAnybody(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		r := newRedactor()
		if known {
			for _, secret := range secrets {
				body, err := json.Marshal(map[string]any{"data": map[string]any{"x": []any{secret}}})
				require.NoError(t, err)
				r.learn(body)
			}
		}
		for _, secret := range secrets {
			for _, s := range spelled(secret) {
				for _, parts := range [][]any{
					{foreign(s)}, {foreign("Instance " + s + " not found")}, {foreign("not found:" + s + ", sorry")}, {foreign(s + s)},
				} {
					assertClean(t, r.say(parts))
				}
				if known {
					for _, parts := range [][]any{{jsonPath{"data", s, "id"}}, {jsonPath{"data", "new_" + s}}, {fieldName(s)}, {fieldName("X-" + s)}} {
						assertClean(t, r.say(parts))
					}
				}
			}
		}
	}
	r := newRedactor()
	r.keep("name", "Zoraide Quintanilha")
	assert.Equal(t, r.say([]any{foreign("Zoraide Quintanilha was not found")}), r.say([]any{foreign("zoraide quintanilha was not found")}))
	assert.Equal(t, `"[name-1] was not found"`, r.say([]any{foreign("Zoraide Quintanilha was not found")}))
	assert.Equal(t, "$.data[].somethingNew", r.say([]any{jsonPath{"data", "3", "somethingNew"}}), "what helps stays")
}

// TestNothingOfAnybodyReachesTheReport has a service that puts everything everywhere.
func TestNothingOfAnybodyReachesTheReport(t *testing.T) {
	for i, format := range []string{"json", "table", "json", "table", "json", "table"} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			write := func(s string) string { all := spelled(s); return all[(i*3)%len(all)] }
			spoil := func(r map[string]any) {
				for n, secret := range secrets {
					r[write(secret)] = map[string]any{write(secret): secret}
					r["more"+strconv.Itoa(n)] = secret
				}
			}
			var everything strings.Builder
			for _, secret := range secrets {
				everything.WriteString(write(secret) + " ")
			}
			header := http.Header{"X-Request-For": {everything.String()[:20]}, "X-Zoraide": {"1"}}
			for _, route := range []string{"instance.list", "instance.settings.get", "profile.get_account", "messages.text", "chat.contacts.list"} {
				w.srv.Fault(route, ryzetest.Fault{Times: 99, Edit: spoil, Header: header})
			}
			for n, route := range []string{"chat.tags.list", "groups.list", "profile.get_privacy", "chat.message.status", "chat.message.media_base64", "newsletter.list"} {
				w.srv.Fault(route, ryzetest.Fault{Times: 99, Status: 404, Message: write(secrets[n]) + " not found " + everything.String()})
			}
			w.srv.Fault("instance.metrics", ryzetest.Fault{Header: http.Header{"Content-Type": {"x/" + write("Zoraide")}}})
			w.once("POST /api/message/reaction", func() {
				for _, secret := range secrets {
					w.inst.Emit("message.exchange", map[string]any{"id": secret, "direction": secret, "timestamp": secret, "chat": map[string]any{"jid": secret, write(secret): 1}, "message": map[string]any{"type": secret, "content": secret, "source": write(secret), write(secret): secret}})
					w.inst.Emit("message.status", map[string]any{write(secret): []any{secret}})
					w.inst.Emit(write(secret), map[string]any{secret: secret})
				}
			})
			file := filepath.Join(t.TempDir(), "report")
			r := w.run("verify", "demo", "--to", myNumber, "--yes", "--wait", "300ms", "--report", file, "--output", format)
			require.Zero(t, r.code, r.err)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Contains(t, string(text), "not in the document")
			for _, s := range []string{string(text), r.out} {
				assertClean(t, s)
				for _, own := range []string{w.inst.Token(), w.srv.AccountToken, myNumber, w.inst.Phone(), "5511900000001", w.srv.URL} {
					assert.NotContains(t, s, own)
				}
				for _, m := range w.inst.Messages() {
					assert.NotContains(t, s, m.ID)
				}
			}
		})
	}
}
