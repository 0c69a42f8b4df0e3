package ryze

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asked is a request as it left.
type asked struct{ Method, Path, Query, Body string }

// scriptedReply is a reply: a body with status 200 unless another is given.
type scriptedReply struct {
	status int
	body   string
	stream io.Reader // instead of body
}

// scripted answers the requests of a client, one after the other, and keeps
// them. A request that is not in the script fails the test.
type scripted struct {
	t       *testing.T
	mu      sync.Mutex
	answers []scriptedReply
	asked   []asked
}

// script returns the handle of an instance whose requests are answered so.
func script(t *testing.T, answers ...scriptedReply) (*InstanceClient, *scripted) {
	t.Helper()
	s := &scripted{t: t, answers: answers}
	client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: s}))
	require.NoError(t, err)
	return client.Instance("support", "t0ken"), s
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, asked{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body)})
	if !assert.NotEmpty(s.t, s.answers, "a request more than expected: %s %s", r.Method, r.URL) {
		return nil, io.ErrUnexpectedEOF
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	if a.status == 0 {
		a.status = http.StatusOK
	}
	var stream io.Reader = strings.NewReader(a.body)
	length := int64(len(a.body))
	if a.stream != nil {
		stream, length = a.stream, -1
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}, Body: io.NopCloser(stream), ContentLength: length, Request: r,
	}, nil
}

// requests returns what was asked so far.
func (s *scripted) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// mutations returns a JSON text with one member missing, null or of another
// type, or one unknown added, in every way.
func mutations(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	var root any
	require.NoError(t, json.Unmarshal([]byte(text), &root))
	emit := func() {
		b, err := json.Marshal(root)
		require.NoError(t, err)
		out = append(out, string(b))
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, old := range v {
				delete(v, key)
				emit()
				for _, odd := range []any{nil, 7, "odd", true, []any{}, []any{nil, 1}, map[string]any{"x": 1}} {
					v[key] = odd
					emit()
				}
				v[key] = old
				walk(old)
			}
			v["notKnown"] = map[string]any{"a": 1}
			emit()
			delete(v, "notKnown")
		case []any:
			for i, old := range v {
				v[i] = nil
				emit()
				v[i] = old
				walk(old)
			}
		}
	}
	walk(root)
	return out
}

func jsonResponse(r *http.Request, body string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
