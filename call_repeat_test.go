package ryze

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repeating is a transport that sends what failed again, as many do that
// applications share.
type repeating struct {
	next    http.RoundTripper
	getBody bool // as net/http has it, instead of a copy of the body
}

func (t repeating) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	again := r.GetBody
	if !t.getBody && r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		again = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		r.Body, _ = again()
	}
	for try := range 3 {
		if try > 0 && r.Body != nil {
			if again == nil {
				return resp, err
			}
			r = r.Clone(r.Context())
			if r.Body, err = again(); err != nil {
				return resp, err
			}
		}
		if resp, err = t.next.RoundTrip(r); err == nil && resp.StatusCode < 500 {
			return resp, nil
		}
	}
	return resp, err
}

// A transport of the application's that repeats by itself is stopped, whether
// the connection is new or was used before, over HTTP/1 and over HTTP/2.
func TestTransportThatRepeatsDoesNotSendTwice(t *testing.T) {
	var count atomic.Int32
	var lost, healthy atomic.Bool
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch count.Add(1); {
		case healthy.Load():
			_, _ = io.WriteString(w, `{"success":true,"data":{"messageId":"X"},"qrCode":"x"}`)
		case lost.Load():
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	calls := map[string]func(context.Context, *InstanceClient) error{
		"send": func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Messages.SendText(ctx, "5511987654321", "hi")
			return err
		},
		"connect": func(ctx context.Context, i *InstanceClient) error {
			_, err := i.Connect(ctx, ConnectParams{})
			return err
		},
	}
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(handler)
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		for _, getBody := range []bool{false, true} {
			for _, reused := range []bool{false, true} {
				for name, call := range calls {
					for _, lose := range []bool{false, true} {
						next := server.Client().Transport.(*http.Transport).Clone()
						client, err := New(WithBaseURL(server.URL), WithHTTPClient(&http.Client{Transport: repeating{next, getBody}}), WithRetry(RetryPolicy{MinBackoff: time.Millisecond}))
						require.NoError(t, err)
						inst := client.Instance("line", "t0ken")
						if reused {
							healthy.Store(true)
							require.NoError(t, calls["send"](t.Context(), inst))
						}
						healthy.Store(false)
						lost.Store(lose)
						count.Store(0)
						err = call(t.Context(), inst)
						what := []any{"http2 %v, GetBody %v, reused %v, %s, lost %v: %v", http2, getBody, reused, name, lose, err}
						assert.Equal(t, int32(1), count.Load(), what...)
						assert.ErrorIs(t, err, ErrOutcomeUnknown, what...)
						next.CloseIdleConnections()
					}
				}
			}
		}
	}
}

// One that looks at the body before it sends the request repeats nothing.
func TestTransportThatLogsBodiesSendsThem(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"success":true,"data":{"messageId":"X"}}`)
	}))
	defer server.Close()
	next := &http.Transport{}
	defer next.CloseIdleConnections()
	var logged []string
	logging := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			b, _ := io.ReadAll(body)
			logged = append(logged, string(b))
		}
		return next.RoundTrip(r)
	})
	client, err := New(WithBaseURL(server.URL), WithHTTPClient(&http.Client{Transport: logging}))
	require.NoError(t, err)
	for range 3 {
		_, err := client.Instance("line", "t0ken").Messages.SendText(t.Context(), "5511987654321", "hi")
		require.NoError(t, err)
	}
	require.NotEmpty(t, logged)
	assert.Contains(t, logged[0], `"message":"hi"`)
}
