package ryze_test

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testAuthorization = "Bearer 0f9a1c37-webhook-secret"

var greeting = ryzetest.Incoming{From: "5511987654321", Name: "Ana Example", ID: "3EB0A1B2C3D4E5F60001", Text: "private words"}

// delivery is a request that a receiver accepts, as far as the header goes.
func delivery(tb testing.TB, body io.Reader) *http.Request {
	tb.Helper()
	req := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, "/", body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", testAuthorization)
	return req
}

// refuseAll fails the test when a delivery gets through.
func refuseAll(t *testing.T) func(context.Context, *Event) error {
	t.Helper()
	return func(_ context.Context, e *Event) error {
		t.Errorf("handled: %v", e)
		return nil
	}
}

// collect returns an option that keeps what is reported.
func collect(errs *[]*HandlerError) WebhookOption {
	return WithErrorHandler(func(_ context.Context, err *HandlerError) { *errs = append(*errs, err) })
}

func TestWebhookAnswerIsTheOutcomeOfTheHandler(t *testing.T) {
	events := ryzetest.NewEvents("support-line")
	for name, c := range map[string]struct {
		err    error
		status int
		body   string
	}{
		"done":            {nil, 200, `{"status":"accepted"}`},
		"ignored":         {ErrIgnore, 200, `{"status":"ignored"}`},
		"ignored, why":    {fmt.Errorf("a group: %w", ErrIgnore), 200, `{"status":"ignored"}`},
		"failed":          {errors.New("database is down"), 503, `{"status":"service unavailable"}`},
		"being worked on": {ErrInProgress, 503, `{"status":"service unavailable"}`},
	} {
		t.Run(name, func(t *testing.T) {
			var got *Event
			h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
				got = e
				return c.err
			})
			res := ryzetest.Deliver(h, "/hooks/ryze", testAuthorization, events.Message(greeting))
			assert.Equal(t, c.status, res.StatusCode)
			assert.Equal(t, c.body, res.Body)
			assert.Equal(t, "application/json", res.Header.Get("Content-Type"))
			require.NotNil(t, got)
			assert.Equal(t, "support-line", got.Instance)
		})
	}
}

func TestWebhookReadsBothLayouts(t *testing.T) {
	keys := map[string]bool{}
	at := time.Date(2026, 4, 28, 10, 30, 0, 0, time.UTC)
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		events := ryzetest.NewEvents("support-line", ryzetest.WithLayout(layout))
		in := greeting
		in.At = at
		h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
			m, ok := e.Data.(*MessageEvent)
			if assert.True(t, ok) {
				assert.Equal(t, greeting.ID, m.ID)
				assert.Equal(t, "private words", m.Text)
				assert.Equal(t, JID("5511987654321@s.whatsapp.net"), m.Chat.JID)
				assert.Equal(t, at, m.Timestamp)
			}
			assert.NotContains(t, string(e.Raw), ryzetest.EventsToken)
			keys[e.DedupeKey()] = true
			return nil
		})
		res := ryzetest.Deliver(h, "/", testAuthorization, events.Message(in))
		assert.Equal(t, 200, res.StatusCode, layout)
	}
	assert.Len(t, keys, 1, "the same message has one key")
}

// wrongHeaders are Authorization headers that must not be accepted.
var wrongHeaders = map[string][]string{
	"missing":        nil,
	"empty":          {""},
	"same length":    {"Bearer 0f9a1c37-webhook-secreT"},
	"shorter":        {testAuthorization[:len(testAuthorization)-1]},
	"longer":         {testAuthorization + "x"},
	"another scheme": {"bearer 0f9a1c37-webhook-secret"},
	"no scheme":      {"0f9a1c37-webhook-secret"},
	"quoted":         {`Bearer "0f9a1c37-webhook-secret"`},
	"all quoted":     {`"Bearer 0f9a1c37-webhook-secret"`},
	"twice":          {testAuthorization, testAuthorization},
	"right second":   {"Bearer x", testAuthorization},
	"a list":         {testAuthorization + ", " + testAuthorization},
}

func TestWebhookRefusesAllButTheRightAuthorization(t *testing.T) {
	body := ryzetest.NewEvents("support-line").Message(greeting)
	h := NewWebhookHandler(testAuthorization, refuseAll(t))
	var answers []string
	for name, values := range wrongHeaders {
		req := delivery(t, unreadable{t})
		req.Header["Authorization"] = values
		if values == nil {
			delete(req.Header, "Authorization")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		assert.Equal(t, 401, w.Code, name)
		answers = append(answers, fmt.Sprint(w.Header(), w.Body))
	}
	for _, a := range answers {
		assert.Equal(t, answers[0], a, "the answer must not tell what was wrong")
	}
	res := ryzetest.Deliver(NewWebhookHandler(testAuthorization, Accept), "/", testAuthorization, body)
	assert.Equal(t, 200, res.StatusCode)
}

// unreadable is a body that must not be touched.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body of a refused delivery was read")
	return 0, io.EOF
}

func TestAuthorizationIsComparedInConstantTime(t *testing.T) {
	r, err := NewWebhookReceiver(testAuthorization, Accept, WithAcceptedAuthorization("Basic b2xkOnZhbHVl", "x"))
	require.NoError(t, err)
	calls := 0
	r.SetCompare(func(a, b []byte) int {
		calls++
		assert.Len(t, a, 32, "hashes are compared, so that length tells nothing")
		assert.Len(t, b, 32)
		return subtle.ConstantTimeCompare(a, b)
	})
	body := ryzetest.NewEvents("a").Message(greeting)

	// A wrong value meets every accepted hash and every quoted one, however much
	// of it is right and however long it is.
	want := 3 + 2 + 2 + 1
	for name, values := range wrongHeaders {
		if len(values) != 1 || strings.Contains(name, "quoted") {
			continue
		}
		calls = 0
		req := delivery(t, bytes.NewReader(body))
		req.Header.Set("Authorization", values[0])
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		assert.Equal(t, 401, w.Code, name)
		assert.Equal(t, want, calls, name)
	}
	// A right one meets all accepted hashes, whichever it is.
	for _, value := range []string{testAuthorization, "Basic b2xkOnZhbHVl", "x"} {
		calls = 0
		assert.Equal(t, 200, ryzetest.Deliver(r, "/", value, body).StatusCode)
		assert.Equal(t, 3, calls)
	}
}

func TestExtraQuotesAreRefusedAndReported(t *testing.T) {
	body := ryzetest.NewEvents("a").Message(greeting)
	var errs []*HandlerError
	h := NewWebhookHandler(testAuthorization, refuseAll(t), collect(&errs))
	for _, value := range []string{`Bearer "0f9a1c37-webhook-secret"`, `"Bearer 0f9a1c37-webhook-secret"`} {
		errs = nil
		assert.Equal(t, 401, ryzetest.Deliver(h, "/", value, body).StatusCode)
		require.Len(t, errs, 1)
		assert.Contains(t, errs[0].Error(), "extra quotes")
		assert.NotContains(t, errs[0].Error(), "0f9a1c37")
	}
}

func TestBothAuthorizationsAreAcceptedDuringARotation(t *testing.T) {
	body := ryzetest.NewEvents("a").Message(greeting)
	h := NewWebhookHandler("Bearer new", Accept, WithAcceptedAuthorization("Bearer old"))
	for value, status := range map[string]int{"Bearer new": 200, "Bearer old": 200, "Bearer older": 401} {
		assert.Equal(t, status, ryzetest.Deliver(h, "/", value, body).StatusCode, value)
	}
}

func TestWebhookWithoutAuthorizationRefusesEverything(t *testing.T) {
	body := ryzetest.NewEvents("a").Message(greeting)
	for name, h := range map[string]func(...WebhookOption) http.Handler{
		"empty":      func(o ...WebhookOption) http.Handler { return NewWebhookHandler("", refuseAll(t), o...) },
		"blank":      func(o ...WebhookOption) http.Handler { return NewWebhookHandler(" ", refuseAll(t), o...) },
		"line break": func(o ...WebhookOption) http.Handler { return NewWebhookHandler("Bearer a\n", refuseAll(t), o...) },
		"no handler": func(o ...WebhookOption) http.Handler { return NewWebhookHandler(testAuthorization, nil, o...) },
		"empty second": func(o ...WebhookOption) http.Handler {
			return NewWebhookHandler(testAuthorization, refuseAll(t), append(o, WithAcceptedAuthorization(""))...)
		},
		"option": func(o ...WebhookOption) http.Handler {
			return NewWebhookHandler(testAuthorization, refuseAll(t), append(o, WithReadLimit(0))...)
		},
		"nil option": func(o ...WebhookOption) http.Handler {
			return NewWebhookHandler(testAuthorization, refuseAll(t), append(o, nil)...)
		},
	} {
		var errs []*HandlerError
		handler := h(collect(&errs))
		for _, value := range []string{"", " ", testAuthorization, "Bearer a"} {
			assert.Equal(t, 503, ryzetest.Deliver(handler, "/", strings.TrimSpace(value), body).StatusCode, name)
		}
		if assert.Len(t, errs, 1, "%s: reported once", name) {
			assert.ErrorIs(t, errs[0], ErrInvalidArgument, name)
		}
	}
}

func TestWebhookReceiverRefusesBadArguments(t *testing.T) {
	for field, construct := range map[string]func() (*WebhookReceiver, error){
		"authorization": func() (*WebhookReceiver, error) { return NewWebhookReceiver("", Accept) },
		"handle":        func() (*WebhookReceiver, error) { return NewWebhookReceiver("x", nil) },
		"option":        func() (*WebhookReceiver, error) { return NewWebhookReceiver("x", Accept, nil) },
		"WithAcceptedAuthorization": func() (*WebhookReceiver, error) {
			return NewWebhookReceiver("x", Accept, WithAcceptedAuthorization("y", ""))
		},
		"WithReadLimit":      func() (*WebhookReceiver, error) { return NewWebhookReceiver("x", Accept, WithReadLimit(-1)) },
		"WithHandlerTimeout": func() (*WebhookReceiver, error) { return NewWebhookReceiver("x", Accept, WithHandlerTimeout(0)) },
		"WithInstances":      func() (*WebhookReceiver, error) { return NewWebhookReceiver("x", Accept, WithInstances()) },
		"instance name":      func() (*WebhookReceiver, error) { return NewWebhookReceiver("x", Accept, WithInstances("")) },
		"WithUnauthenticatedState": func() (*WebhookReceiver, error) {
			return NewWebhookReceiver("x", Accept, WithUnauthenticatedState(nil))
		},
		"WithErrorHandler": func() (*WebhookReceiver, error) { return NewWebhookReceiver("x", Accept, WithErrorHandler(nil)) },
	} {
		r, err := construct()
		assert.Nil(t, r, field)
		var invalid *ValidationError
		if assert.ErrorAs(t, err, &invalid, field) {
			assert.Equal(t, field, invalid.Field)
		}
	}
}

// counting counts what is read of a body that does not end.
type counting struct{ n int64 }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	c.n += int64(len(p))
	return len(p), nil
}

func TestWebhookBodyIsBounded(t *testing.T) {
	const limit = 2 << 20
	var errs []*HandlerError
	h := NewWebhookHandler(testAuthorization, refuseAll(t), WithReadLimit(limit), collect(&errs))

	deliver := func(body io.Reader, length int64) int {
		req := delivery(t, body)
		req.ContentLength = length
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w.Code
	}
	assert.Equal(t, 413, deliver(unreadable{t}, limit+1), "by its declared length, without reading")

	endless := &counting{}
	assert.Equal(t, 413, deliver(endless, -1), "by what was read")
	assert.LessOrEqual(t, endless.n, int64(2*limit))
	endless = &counting{}
	assert.Equal(t, 413, deliver(endless, 10), "whatever it declares")
	assert.LessOrEqual(t, endless.n, int64(2*limit))
	assert.Len(t, errs, 3)

	fits := ryzetest.NewEvents("a").Event("x", strings.Repeat("x", limit-1000))
	res := ryzetest.Deliver(NewWebhookHandler(testAuthorization, Accept, WithReadLimit(limit)), "/", testAuthorization, fits)
	assert.Equal(t, 200, res.StatusCode)
}

func TestWebhookTakesAFileOf24MegabytesByDefault(t *testing.T) {
	event := `{"event":"message.exchange","data":{"id":"1","message":{"type":"video","media":{"mimetype":"video/mp4","base64":"` +
		strings.Repeat("AQID", 24_000_000/3) + `"}}},"instanceData":{"instance":"a"}}`
	h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
		file, err := e.Data.(*MessageEvent).Media.Bytes()
		assert.NoError(t, err)
		assert.Len(t, file, 24_000_000)
		return nil
	})
	assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, event).StatusCode)
}

func TestEventDoesNotChangeWithTheNextDelivery(t *testing.T) {
	var kept []*Event
	h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
		kept = append(kept, e)
		return nil
	})
	events := ryzetest.NewEvents("a")
	for _, text := range []string{"first", "other", "third"} {
		ryzetest.Deliver(h, "/", testAuthorization, events.Message(ryzetest.Incoming{From: "5511987654321", Text: text}))
	}
	require.Len(t, kept, 3)
	assert.Contains(t, string(kept[0].Raw), "first")
	assert.Equal(t, "first", kept[0].Data.(*MessageEvent).Text)
}

func TestWebhookTakesOnlyPostsOfJSON(t *testing.T) {
	body := ryzetest.NewEvents("a").Message(greeting)
	h := NewWebhookHandler(testAuthorization, Accept)
	deliver := func(method string, header map[string]string) *httptest.ResponseRecorder {
		req := delivery(t, bytes.NewReader(body))
		req.Method = method
		for k, v := range header {
			req.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"} {
		w := deliver(method, map[string]string{"Content-Type": "application/json"})
		assert.Equal(t, 405, w.Code, method)
		assert.Equal(t, "POST", w.Header().Get("Allow"), method)
	}
	for kind, status := range map[string]int{
		"application/json":                   200,
		"application/json; charset=utf-8":    200,
		"Application/JSON;charset=\"UTF-8\"": 200,
		"application/json;":                  200,
		"application/json; charset":          200,
		"":                                   415,
		"text/plain":                         415,
		"application/x-www-form-urlencoded":  415,
		"multipart/form-data; boundary=x":    415,
		"application/jsonp":                  415,
		"text/plain; application/json":       415,
	} {
		assert.Equal(t, status, deliver("POST", map[string]string{"Content-Type": kind}).Code, "%q", kind)
	}
	for coding, status := range map[string]int{"gzip": 415, "br": 415, "identity": 200, "": 200} {
		w := deliver("POST", map[string]string{"Content-Type": "application/json", "Content-Encoding": coding})
		assert.Equal(t, status, w.Code, "%q", coding)
	}
}

func TestNameOfTheEventIsThatOfTheBodyWhateverThePath(t *testing.T) {
	events := ryzetest.NewEvents("a")
	var got []EventType
	h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
		got = append(got, e.Type)
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("POST /wh", h)
	mux.Handle("POST /wh/", h)
	mux.Handle("POST /deep/", http.StripPrefix("/deep", h))
	for _, path := range []string{"/wh", "/wh/message.exchange", "/wh/message.status", "/wh/?x=1", "/deep/er/message.exchange"} {
		assert.Equal(t, 200, ryzetest.Deliver(mux, path, testAuthorization, events.Message(greeting)).StatusCode, path)
	}
	assert.Equal(t, []EventType{EventMessage, EventMessage, EventMessage, EventMessage, EventMessage}, got)
}

func TestUnknownEventsAreDelivered(t *testing.T) {
	var got *Event
	h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error { got = e; return nil })
	res := ryzetest.Deliver(h, "/", testAuthorization, ryzetest.NewEvents("a").Event("presence.update", map[string]any{"state": "typing"}))
	assert.Equal(t, 200, res.StatusCode)
	assert.Equal(t, EventType("presence.update"), got.Type)
	assert.IsType(t, &UnknownEvent{}, got.Data)
}

func TestMalformedBodiesAreRefused(t *testing.T) {
	var errs []*HandlerError
	h := NewWebhookHandler(testAuthorization, refuseAll(t), collect(&errs))
	bodies := []string{"", "{", "null", "[]", `"x"`, "{}", `{"event":""}`, `{"event":7}`, `{"event":"x"} trailing`, "\x00"}
	for _, body := range bodies {
		assert.Equal(t, 400, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode, "%q", body)
	}
	require.Len(t, errs, len(bodies))
	for _, err := range errs {
		assert.ErrorIs(t, err, ErrBadResponse)
	}
}

func TestBodyThatBreaksOffIsAskedForAgain(t *testing.T) {
	var errs []*HandlerError
	h := NewWebhookHandler(testAuthorization, refuseAll(t), collect(&errs))
	half := io.MultiReader(strings.NewReader(`{"event":"x"}`), iotest.ErrReader(io.ErrUnexpectedEOF))
	req := delivery(t, half)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	assert.Equal(t, 503, w.Code)
	require.Len(t, errs, 1)
	assert.ErrorIs(t, errs[0], io.ErrUnexpectedEOF)
}

func TestPanicIsAskedForAgainAndReported(t *testing.T) {
	body := ryzetest.NewEvents("a").Message(greeting)
	var nothing map[string]int
	for name, c := range map[string]struct {
		fail func()
		says string
	}{
		"text":         {func() { panic("customer said: private words") }, "type string"},
		"error":        {func() { panic(errors.New("private words")) }, "errorString"},
		"ignore":       {func() { panic(ErrIgnore) }, "errorString"},
		"runtime":      {func() { nothing["a"] = 1 }, "assignment to entry in nil map"},
		"abort":        {func() { panic(http.ErrAbortHandler) }, "errorString"},
		"wrapped safe": {func() { panic(fmt.Errorf("x: %w", io.EOF)) }, "wrapError"},
	} {
		var errs []*HandlerError
		h := NewWebhookHandler(testAuthorization, func(context.Context, *Event) error { c.fail(); return nil }, collect(&errs))
		assert.Equal(t, 503, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode, name)
		require.Len(t, errs, 1, name)
		var panicked *PanicError
		require.ErrorAs(t, errs[0], &panicked, name)
		assert.Contains(t, string(panicked.Stack), "TestPanicIsAskedForAgainAndReported", name)
		assert.Contains(t, panicked.Error(), c.says, name)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			assert.NotContains(t, fmt.Sprintf(verb, panicked), "private words", name)
			assert.NotContains(t, fmt.Sprintf(verb, errs[0]), "private words", name)
		}
	}
}

func TestPanicGoesToTheServersLogWhenNobodyElseListens(t *testing.T) {
	var out bytes.Buffer
	srv := &http.Server{ErrorLog: log.New(&out, "", 0)}
	h := NewWebhookHandler(testAuthorization, func(context.Context, *Event) error { panic("private words") })
	req := delivery(t, bytes.NewReader(ryzetest.NewEvents("a").Message(greeting)))
	req = req.WithContext(context.WithValue(req.Context(), http.ServerContextKey, srv))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	assert.Equal(t, 503, w.Code)
	assert.Contains(t, out.String(), "the handler panicked")
	assert.Contains(t, out.String(), "webhook_receiver_test.go")
	assert.NotContains(t, out.String(), "private words")

	out.Reset()
	req.Header.Set("Authorization", "Bearer wrong")
	h.ServeHTTP(httptest.NewRecorder(), req)
	assert.Empty(t, out.String(), "scanners do not fill the log")
}

func TestNothingSecretIsReported(t *testing.T) {
	events := ryzetest.NewEvents("support-line")
	fail := func(context.Context, *Event) error { return errors.New("no disk") }
	var text strings.Builder
	report := WithErrorHandler(func(ctx context.Context, err *HandlerError) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			fmt.Fprintf(&text, verb+"\n", err)
		}
		slog.New(slog.NewJSONHandler(&text, nil)).ErrorContext(ctx, "delivery", "error", err, "event", err.Event, "cause", err.Err)
		slog.New(slog.NewTextHandler(&text, nil)).ErrorContext(ctx, "delivery", "error", err, "event", err.Event, "cause", err.Err)
	})
	h := NewWebhookHandler(testAuthorization, fail, report, WithInstances("support-line"), WithReadLimit(5000))
	body := events.Message(greeting)
	for _, value := range []string{"", "Bearer guessed-value", testAuthorization, `"` + testAuthorization + `"`} {
		ryzetest.Deliver(h, "/", value, body)
		ryzetest.Deliver(h, "/", value, body[:len(body)-3])
		ryzetest.Deliver(h, "/", value, strings.Repeat(string(body), 20))
		ryzetest.Deliver(h, "/", value, events.State("qr_ready", "2@pairing-code"))
		ryzetest.Deliver(h, "/", value, ryzetest.NewEvents("other").Message(greeting))
	}
	assert.Contains(t, text.String(), "no disk")
	assert.Contains(t, text.String(), "support-line")
	for _, secret := range []string{"private words", "0f9a1c37", "guessed-value", ryzetest.EventsToken, "pairing-code", "ryzeapi.cloud", "Ana Example"} {
		assert.NotContains(t, text.String(), secret)
	}
}

func TestStateWithoutAuthorizationIsRefusedByDefault(t *testing.T) {
	h := NewWebhookHandler(testAuthorization, refuseAll(t))
	assert.Equal(t, 401, ryzetest.Deliver(h, "/", "", ryzetest.NewEvents("a").State("connected")).StatusCode)
}

func TestUnauthenticatedStateIsKeptApart(t *testing.T) {
	events := ryzetest.NewEvents("support-line")
	var proven, claimed []*Event
	h := NewWebhookHandler(testAuthorization,
		func(_ context.Context, e *Event) error { proven = append(proven, e); return nil },
		WithInstances("support-line"),
		WithUnauthenticatedState(func(_ context.Context, e *Event) error { claimed = append(claimed, e); return nil }))

	qr := events.State("qr_ready", "2@forged")
	assert.Equal(t, 200, ryzetest.Deliver(h, "/", "", qr).StatusCode)
	require.Len(t, claimed, 1)
	state, ok := claimed[0].Data.(*InstanceStateEvent)
	require.True(t, ok)
	assert.Equal(t, InstanceQRReady, state.State)
	assert.Equal(t, "support-line", claimed[0].Instance)
	assert.Empty(t, state.Codes, "a forged code would pair somebody else's device")
	assert.Nil(t, claimed[0].Raw)
	assert.Empty(t, proven)

	assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, qr).StatusCode)
	require.Len(t, proven, 1)
	assert.Len(t, proven[0].Data.(*InstanceStateEvent).Codes, 1)
	assert.Len(t, claimed, 1)

	for name, body := range map[string]any{
		"a message":        events.Message(greeting),
		"a receipt":        events.Receipt("read", "5511987654321", "3EB0"),
		"a made-up state":  events.Event("instance.state", "connected"),
		"malformed":        "{",
		"another instance": ryzetest.NewEvents("other").State("connected"),
		"a large body":     events.Event("instance.state", map[string]any{"state": "connected", "x": strings.Repeat("x", MaxBareState)}),
	} {
		assert.Equal(t, 401, ryzetest.Deliver(h, "/", "", body).StatusCode, name)
	}
	assert.Equal(t, 401, ryzetest.Deliver(h, "/", "Bearer wrong", qr).StatusCode)
	assert.Equal(t, 401, ryzetest.Deliver(h, "/", `Bearer "0f9a1c37-webhook-secret"`, qr).StatusCode)
	assert.Len(t, proven, 1)
	assert.Len(t, claimed, 1)
}

func TestEventsOfOtherInstancesAreRefused(t *testing.T) {
	var got []string
	h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
		got = append(got, e.Instance)
		return nil
	}, WithInstances("alpha"), WithInstances("beta"))
	for name, status := range map[string]int{"alpha": 200, "beta": 200, "Alpha": 403, "gamma": 403, "alpha ": 403, "": 403} {
		assert.Equal(t, status, ryzetest.Deliver(h, "/", testAuthorization, ryzetest.NewEvents(name).Message(greeting)).StatusCode, "%q", name)
	}
	assert.ElementsMatch(t, []string{"alpha", "beta"}, got)
}

func TestHandlersContextEndsAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := ryzetest.NewEvents("a").Message(greeting)
		h := NewWebhookHandler(testAuthorization, func(ctx context.Context, _ *Event) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, WithHandlerTimeout(3*time.Second))
		started := time.Now()
		assert.Equal(t, 503, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
		assert.Equal(t, 3*time.Second, time.Since(started))
	})
}

// settle lets time pass in a bubble until everything that falls due has come
// to rest.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// webhookTo sets a webhook by the API, so that the simulator delivers.
func webhookTo(t *testing.T, inst *InstanceClient, config WebhookConfig) {
	t.Helper()
	if config.URL == "" {
		config.URL = "https://app.example.com/hooks/ryze"
	}
	config.Authorization = testAuthorization
	_, err := inst.Webhooks.Ensure(t.Context(), config)
	require.NoError(t, err)
}

func TestDeliveriesAreRepeatedUntilTheHandlerSucceeds(t *testing.T) {
	var calls atomic.Int32
	h := NewWebhookHandler(testAuthorization, func(context.Context, *Event) error {
		if calls.Add(1) < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		webhookTo(t, inst, WebhookConfig{Events: []EventType{EventMessage}})
		sim.Instance("support-line").Receive(greeting)
		settle(time.Hour)

		var statuses []int
		for _, d := range sim.Deliveries() {
			statuses = append(statuses, d.Status)
		}
		assert.Equal(t, []int{503, 503, 200}, statuses)
		assert.Empty(t, sim.DeadLetters())
		assert.EqualValues(t, 3, calls.Load())
		assert.Empty(t, sim.Violations())
	}, ryzetest.WithWebhookHandler(h))
}

func TestEventThatIsNeverHandledBecomesADeadLetter(t *testing.T) {
	h := NewWebhookHandler(testAuthorization, func(context.Context, *Event) error { panic("always") },
		WithErrorHandler(func(context.Context, *HandlerError) {}))
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		webhookTo(t, inst, WebhookConfig{Events: []EventType{EventMessage}})
		sim.Instance("support-line").Receive(greeting)
		settle(time.Hour)
		dead := sim.DeadLetters()
		require.Len(t, dead, 1)
		assert.Equal(t, 503, dead[0].Status)
		assert.Equal(t, 3, dead[0].Attempt)
	}, ryzetest.WithWebhookHandler(h), ryzetest.WithWebhookRetry(time.Second, time.Minute))
}

func TestWebhookByEventsThroughARouter(t *testing.T) {
	var got []EventType
	h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
		got = append(got, e.Type)
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/ryze/{event}", h)
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		webhookTo(t, inst, WebhookConfig{ByEvents: true})
		sim.Instance("support-line").Receive(greeting)
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "Hello")
		require.NoError(t, err)
		settle(time.Hour)
		assert.Contains(t, got, EventMessage)
		assert.Contains(t, got, EventReceipt)
		assert.Empty(t, sim.DeadLetters())
	}, ryzetest.WithWebhookHandler(mux))
}

func TestStateWithoutTheHeaderEndToEnd(t *testing.T) {
	var claimed []InstanceState
	h := NewWebhookHandler(testAuthorization, Accept, WithUnauthenticatedState(func(_ context.Context, e *Event) error {
		claimed = append(claimed, e.Data.(*InstanceStateEvent).State)
		return nil
	}))
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		webhookTo(t, inst, WebhookConfig{})
		sim.Instance("support-line").LogOutFromPhone()
		settle(time.Minute)
		assert.Equal(t, []InstanceState{InstanceLoggedOut}, claimed)
		assert.Empty(t, sim.DeadLetters())
	}, ryzetest.WithWebhookHandler(h), ryzetest.WithoutStateAuthorization())
}
