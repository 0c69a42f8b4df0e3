package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script is a policy that repeats as often as it is told and keeps what came.
type script struct {
	again    int
	admit    error
	attempts []Attempt
}

func (s *script) Admit(context.Context) error { return s.admit }

func (s *script) Heard(*Attempt) {}

func (s *script) Judge(_ context.Context, a *Attempt) (bool, time.Duration) {
	s.attempts = append(s.attempts, *a)
	s.again--
	return s.again >= 0, 0
}

func newCall(s *script, method string) *Call {
	return &Call{Policy: s, Method: method, Path: "/x", Header: http.Header{"Token": {"tok"}}, Timeout: time.Minute, MaxBody: 1 << 20, MaxRefusal: 1 << 20}
}

func clientFor(t *testing.T, rawURL string, h *http.Client) *Client {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	return New(u, h)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTokenStaysWithItsOrigin(t *testing.T) {
	var seen []*http.Request
	c := clientFor(t, "https://api.example", &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r)
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	})})
	require.NoError(t, c.Do(t.Context(), newCall(&script{}, http.MethodGet)))
	require.Len(t, seen, 1)
	assert.Equal(t, "tok", seen[0].Header.Get("Token"))

	for _, foreign := range []string{"https://evil.example/x", "http://api.example/x", "https://api.example:8443/x"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, foreign, strings.NewReader("body"))
		require.NoError(t, err)
		_, err = c.HTTP().Do(req)
		require.ErrorIs(t, err, ErrForeignOrigin, foreign)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example/x", nil)
	require.NoError(t, err)
	req.Host = "evil.example"
	_, err = c.HTTP().Do(req)
	require.ErrorIs(t, err, ErrForeignOrigin)
	assert.Len(t, seen, 1)
}

// A transport may go on reading a request after it has given up.
func TestHeadersAreNotWrittenWhileAnOldAttemptReadsThem(t *testing.T) {
	stop, reading := make(chan struct{}), sync.WaitGroup{}
	c := clientFor(t, "https://api.example", &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = r.Header.Clone()
				}
			}
		})
		return nil, io.ErrUnexpectedEOF
	})})
	s := &script{again: 3}
	call := newCall(s, http.MethodPost)
	call.Bytes = []byte("x")
	require.NoError(t, c.Do(t.Context(), call))
	close(stop)
	reading.Wait()
	assert.Len(t, s.attempts, 4)
}

func TestBodyIsReadToTheLimit(t *testing.T) {
	for _, c := range []struct {
		name    string
		size    int
		chunked bool
		tooLong bool
	}{
		{"empty", 0, false, false}, {"small", 10, false, false}, {"small, length not said", 10, true, false},
		{"at the limit", 1 << 20, false, false}, {"at the limit, length not said", 1 << 20, true, false},
		{"above", 1<<20 + 1, false, true}, {"above, length not said", 1<<20 + 1, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := bytes.Repeat([]byte("a"), c.size)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.chunked {
					w.(http.Flusher).Flush()
				}
				_, _ = w.Write(content)
			}))
			defer server.Close()
			s := &script{}
			client := clientFor(t, server.URL, &http.Client{Transport: &http.Transport{}})
			defer client.CloseIdle()
			require.NoError(t, client.Do(t.Context(), newCall(s, http.MethodGet)))
			a := s.attempts[0]
			if c.tooLong {
				require.ErrorIs(t, a.BodyErr, ErrTooLarge)
				assert.LessOrEqual(t, len(a.Body), 1<<20)
				return
			}
			require.NoError(t, a.BodyErr)
			assert.Len(t, a.Body, len(content))
		})
	}
}

func TestEachAttemptHasItsOwnBody(t *testing.T) {
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(b))
		assert.Equal(t, int64(len(b)), r.ContentLength)
	}))
	defer server.Close()
	client := clientFor(t, server.URL, &http.Client{Transport: &http.Transport{}})
	defer client.CloseIdle()

	call := newCall(&script{again: 2}, http.MethodPost)
	call.Bytes = []byte("hello")
	require.NoError(t, client.Do(t.Context(), call))

	opened := 0
	call = newCall(&script{again: 1}, http.MethodPost)
	call.Size = 3
	call.Open = func() (io.ReadCloser, error) { opened++; return io.NopCloser(strings.NewReader("abc")), nil }
	require.NoError(t, client.Do(t.Context(), call))

	assert.Equal(t, []string{"hello", "hello", "hello", "abc", "abc"}, bodies)
	assert.Equal(t, 2, opened, "once for each attempt, none to learn the length")
}

func TestWaitEndsWithTheContext(t *testing.T) {
	c := clientFor(t, "https://api.example", &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusInternalServerError, Body: http.NoBody, Request: r}, nil
	})})
	ctx, cancel := context.WithCancel(t.Context())
	call := newCall(nil, http.MethodGet)
	call.Policy = waitForever{cancel}
	require.ErrorIs(t, c.Do(ctx, call), context.Canceled)
}

type waitForever struct{ cancel func() }

func (waitForever) Admit(context.Context) error { return nil }
func (waitForever) Heard(*Attempt)              {}
func (w waitForever) Judge(context.Context, *Attempt) (bool, time.Duration) {
	w.cancel()
	return true, time.Hour
}

func TestRefusedAttemptIsNotMade(t *testing.T) {
	refusal := errors.New("no quota")
	c := clientFor(t, "https://api.example", &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, io.EOF
	})})
	s := &script{admit: refusal}
	require.ErrorIs(t, c.Do(t.Context(), newCall(s, http.MethodPost)), refusal)
	assert.Empty(t, s.attempts)
}

func TestErrorsDoNotRepeatTheURL(t *testing.T) {
	s := &script{}
	c := clientFor(t, "http://127.0.0.1:1", &http.Client{Transport: &http.Transport{}})
	call := newCall(s, http.MethodGet)
	call.Query = "number=5511987654321"
	require.NoError(t, c.Do(t.Context(), call))
	require.Error(t, s.attempts[0].Err)
	assert.False(t, s.attempts[0].Sent)
	assert.NotContains(t, s.attempts[0].Err.Error(), "5511987654321")
}

// A proxy may compress what nobody asked it to, and a transport around net/http
// may ask for it, and undo it, or not.
func TestCompressedReplyIsRead(t *testing.T) {
	const text = `{"success":true,"data":{"messageId":"X"}}`
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(w, text)
	require.NoError(t, w.Close())
	for name, c := range map[string]struct {
		body, want string
		cut        bool
	}{
		"compressed": {zipped.String(), text, false}, "undone already": {text, text, false}, "empty": {"", "", false},
		"cut": {zipped.String()[:zipped.Len()-9], text, true}, "cut at once": {zipped.String()[:5], "", true},
	} {
		for _, status := range []int{200, 400} {
			next := roundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: status, Header: http.Header{"Content-Encoding": {"gzip"}}, ContentLength: int64(len(c.body)),
					Body: io.NopCloser(strings.NewReader(c.body)), Request: r,
				}, nil
			})
			s := &script{}
			require.NoError(t, clientFor(t, "https://api.example", &http.Client{Transport: next}).Do(t.Context(), newCall(s, http.MethodPost)))
			require.Len(t, s.attempts, 1, name)
			assert.Equal(t, c.cut, s.attempts[0].Cut, name)
			assert.Equal(t, c.cut, s.attempts[0].BodyErr != nil, name)
			if !c.cut {
				assert.Equal(t, c.want, string(s.attempts[0].Body), name)
			}
		}
	}
}
