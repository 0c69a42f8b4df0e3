package ryze

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exchange is a request that a test expects, to the letter, and its reply.
type exchange struct {
	method string
	path   string
	query  string // as sent, "" for none
	body   string // compared as JSON, "" for none
	status int    // 0 stands for 200
	reply  string
	err    error // instead of a reply: the connection is lost after the request
}

// exchanging returns the handle of the instance "main" whose requests must be
// those of the exchanges, in their order and no others. Nothing is repeated.
func exchanging(t *testing.T, exchanges ...exchange) *InstanceClient {
	t.Helper()
	script := &exchangeTransport{t: t, left: exchanges}
	t.Cleanup(func() { assert.Empty(t, script.left, "requests that were not made") })
	instance, err := NewInstanceClient("main", "instance-token",
		WithHTTPClient(&http.Client{Transport: script}), WithRetry(RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	return instance
}

// silent returns a handle that must make no request.
func silent(t *testing.T) *InstanceClient {
	t.Helper()
	return exchanging(t)
}

type exchangeTransport struct {
	t    *testing.T
	left []exchange
}

func (x *exchangeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	if len(x.left) == 0 {
		x.t.Errorf("unexpected request: %s %s %s", req.Method, req.URL, body)
		return nil, errors.New("unexpected request")
	}
	want := x.left[0]
	x.left = x.left[1:]
	assert.Equal(x.t, want.method, req.Method)
	assert.Equal(x.t, want.path, req.URL.Path)
	assert.Equal(x.t, want.query, req.URL.RawQuery)
	assert.Equal(x.t, []string{"instance-token"}, req.Header["Token"])
	if want.body == "" {
		assert.Empty(x.t, string(body))
	} else {
		assert.JSONEq(x.t, want.body, string(body))
	}
	if want.err != nil {
		return nil, want.err
	}
	if want.status == 0 {
		want.status = http.StatusOK
	}
	return &http.Response{
		StatusCode: want.status, ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"57"}, "X-Ratelimit-Reset": {"30"}},
		Body:   io.NopCloser(strings.NewReader(want.reply)), ContentLength: int64(len(want.reply)),
	}, nil
}

// refusal is a reply of the service that says no.
func refusal(text string) string { return `{"success":false,"error":{"message":"` + text + `"}}` }

// requireInvalid requires that an argument was refused by this package.
func requireInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var v *ValidationError
	require.ErrorAs(t, err, &v)
	assert.Equal(t, field, v.Field)
	require.ErrorIs(t, err, ErrInvalidArgument)
}
