package ryze_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// FuzzWebhook: whatever comes, the receiver does not panic, answers 200 only to
// the right authorization (or to a bare state, apart), only to a POST of JSON
// that is an event within the limit, and never repeats the token or the body.
func FuzzWebhook(f *testing.F) {
	const limit = 8 << 10
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		events := ryzetest.NewEvents("a", ryzetest.WithLayout(layout))
		for _, body := range [][]byte{
			events.Message(greeting), events.Outgoing("5511987654321", "crm", ryzetest.Incoming{Text: "x"}),
			events.Receipt("read", "5511987654321", "1", "2"), events.State("qr_ready", "2@code"), events.Event("other", nil),
		} {
			f.Add("POST", "/wh", testAuthorization, "application/json", "", body, int64(len(body)))
			f.Add("POST", "/wh/message.status", "", "application/json; charset=utf-8", "", body, int64(-1))
		}
	}
	f.Add("POST", "/", `"`+testAuthorization+`"`, "application/json", "gzip", []byte("{"), int64(1))
	f.Add("GET", "/", testAuthorization, "", "", []byte(nil), int64(0))
	f.Add("POST", "/", testAuthorization, "application/json", "identity", bytes.Repeat([]byte(" "), limit+1), int64(-1))
	f.Add("POST", "/", "none", "application/json;;=", "", []byte(`{"event":"instance.state","data":{}}`), int64(5))

	f.Fuzz(func(t *testing.T, method, path, authorization, kind, coding string, body []byte, length int64) {
		var proven, claimed *Event
		bare := authorization == "none"
		h := NewWebhookHandler(testAuthorization,
			func(_ context.Context, e *Event) error { proven = e; return nil },
			WithReadLimit(limit),
			WithUnauthenticatedState(func(_ context.Context, e *Event) error { claimed = e; return nil }),
			WithErrorHandler(func(_ context.Context, err *HandlerError) {
				text := err.Error()
				if strings.Contains(text, "0f9a1c37") || strings.Contains(text, ryzetest.EventsToken) {
					t.Fatalf("a secret is reported: %s", text)
				}
				var panicked *PanicError
				if errors.As(err.Err, &panicked) {
					t.Fatalf("%v\n%s", panicked.Value, panicked.Stack)
				}
			}))
		req := delivery(t, bytes.NewReader(body))
		req.Method, req.URL.Path, req.ContentLength = method, path, max(length, -1)
		req.Header = http.Header{"Content-Type": {kind}, "Content-Encoding": {coding}}
		if !bare {
			req.Header["Authorization"] = []string{authorization}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)

		if (w.Code == http.StatusOK) != (proven != nil || claimed != nil) {
			t.Fatalf("answer %d, handled %v, %v", w.Code, proven, claimed)
		}
		switch {
		case proven != nil && claimed != nil:
			t.Fatal("one delivery, two events")
		case proven != nil && authorization != testAuthorization:
			t.Fatalf("accepted with %q", authorization)
		case claimed != nil && (!bare || claimed.Type != EventInstanceState || claimed.Raw != nil):
			t.Fatalf("a claim of %v with %q", claimed, authorization)
		case w.Code != http.StatusOK:
			return
		}
		if method != http.MethodPost || len(body) > limit {
			t.Fatalf("accepted %s of %d bytes", method, len(body))
		}
		if e, err := ParseEvent(body); err != nil || proven != nil && !bytes.Equal(e.Raw, proven.Raw) {
			t.Fatalf("not what was delivered: %v", err)
		}
	})
}
