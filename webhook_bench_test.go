package ryze_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/require"
)

// blankWriter is a ResponseWriter that costs nothing, so that the figures are
// those of the receiver.
type blankWriter struct {
	header http.Header
	status int
}

func (w *blankWriter) Header() http.Header         { return w.header }
func (w *blankWriter) WriteHeader(status int)      { w.status = status }
func (w *blankWriter) Write(p []byte) (int, error) { return len(p), nil }

// deliverer posts one body again and again with what can be reused reused.
type deliverer struct {
	req  *http.Request
	body *bytes.Reader
	w    blankWriter
}

func newDeliverer(tb testing.TB, body []byte) *deliverer {
	tb.Helper()
	d := &deliverer{body: bytes.NewReader(body), w: blankWriter{header: http.Header{}}}
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "/hooks/ryze", nil)
	require.NoError(tb, err)
	req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {testAuthorization}}
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(d.body)
	d.req = req
	return d
}

func (d *deliverer) deliver(h http.Handler) {
	_, _ = d.body.Seek(0, io.SeekStart)
	clear(d.w.header)
	h.ServeHTTP(&d.w, d.req)
}

// BenchmarkWebhook receives one message: authorization checked, body read,
// event typed, handler called, answer written.
func BenchmarkWebhook(b *testing.B) {
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		b.Run(string(layout), func(b *testing.B) {
			var text string
			h := NewWebhookHandler(testAuthorization, func(_ context.Context, e *Event) error {
				text = e.Data.(*MessageEvent).Text
				return nil
			})
			benchmarkDeliveries(b, h, ryzetest.NewEvents("support-line", ryzetest.WithLayout(layout)).Message(greeting))
			require.Equal(b, greeting.Text, text)
		})
	}
	b.Run("refused", func(b *testing.B) {
		d := newDeliverer(b, ryzetest.NewEvents("a").Message(greeting))
		d.req.Header["Authorization"] = []string{"Bearer wrong"}
		h := NewWebhookHandler(testAuthorization, Accept)
		b.ReportAllocs()
		for b.Loop() {
			d.deliver(h)
		}
		require.Equal(b, http.StatusUnauthorized, d.w.status)
	})
}

// BenchmarkInbox is the same through an inbox, for an event that was handled
// before.
func BenchmarkInbox(b *testing.B) {
	in, err := NewInbox(Accept)
	require.NoError(b, err)
	benchmarkDeliveries(b, in.Handler(testAuthorization), ryzetest.NewEvents("support-line").Message(greeting))
}

func benchmarkDeliveries(b *testing.B, h http.Handler, body []byte) {
	b.Helper()
	d := newDeliverer(b, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		d.deliver(h)
	}
	require.Equal(b, http.StatusOK, d.w.status)
}

// TestWebhookAllocatesLittle keeps the receiver from getting expensive.
func TestWebhookAllocatesLittle(t *testing.T) {
	d := newDeliverer(t, ryzetest.NewEvents("support-line").Message(greeting))
	h := NewWebhookHandler(testAuthorization, Accept)
	n := testing.AllocsPerRun(200, func() { d.deliver(h) })
	require.Equal(t, http.StatusOK, d.w.status)
	require.LessOrEqual(t, n, 45.0)
}
