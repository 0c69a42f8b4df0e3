package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/outbox"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// serving runs the service on a simulator, until the test or stop ends it.
func serving(t *testing.T, service *demo.Service, file string) (address string, stop func()) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "localhost:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, service, file, []byte("0123456789abcdef")) }()
	stop = func() {
		cancel()
		if ended != nil {
			require.NoError(t, <-ended)
			ended = nil
		}
	}
	t.Cleanup(stop)
	return "http://" + listener.Addr().String() + "/otp", stop
}

func ask(t *testing.T, address, key, phone string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"phone": {phone}}.Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, response.Body)
	require.NoError(t, response.Body.Close())
	return response
}

func simulated(t *testing.T) *demo.Service {
	t.Helper()
	service, err := demo.Simulate(demo.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	return service
}

func TestCodeIsSentOnceForAKey(t *testing.T) {
	service := simulated(t)
	file := filepath.Join(t.TempDir(), "otp.db")
	address, stop := serving(t, service, file)
	assert.Equal(t, http.StatusOK, ask(t, address, "a", "5511987654321").StatusCode)
	assert.Equal(t, http.StatusOK, ask(t, address, "a", "+55 11 98765-4321").StatusCode)
	assert.Equal(t, http.StatusOK, ask(t, address, "a", "551187654321").StatusCode, "the same person, without the ninth digit")
	stop() // and it is remembered
	address, _ = serving(t, service, file)
	assert.Equal(t, http.StatusOK, ask(t, address, "a", "5511987654321").StatusCode)
	require.Len(t, service.Phone.Sent(), 1)
	assert.Regexp(t, `^Your code is \d{6}$`, service.Phone.Sent()[0].Text)

	early := ask(t, address, "b", "5511987654321")
	assert.Equal(t, http.StatusTooManyRequests, early.StatusCode)
	assert.Regexp(t, `^([12]?\d|30)$`, early.Header.Get("Retry-After"))
	assert.Equal(t, http.StatusUnprocessableEntity, ask(t, address, "a", "5521998765432").StatusCode)
	assert.Equal(t, http.StatusOK, ask(t, address, "c", "5521998765432").StatusCode)
	assert.Len(t, service.Phone.Sent(), 2)
	assert.NotEqual(t, service.Phone.Sent()[0].Text, service.Phone.Sent()[1].Text)
}

func TestCodeThatIsOnItsWayIsAccepted(t *testing.T) {
	service := simulated(t)
	address, _ := serving(t, service, filepath.Join(t.TempDir(), "otp.db"))
	service.Simulator.Fault("messages.text", ryzetest.Fault{Delay: patience * 3 / 2})
	slow := ask(t, address, "a", "5511987654321")
	assert.Equal(t, http.StatusAccepted, slow.StatusCode)
	assert.Equal(t, fmt.Sprint(patience.Seconds()), slow.Header.Get("Retry-After"))
	assert.Equal(t, http.StatusOK, ask(t, address, "a", "5511987654321").StatusCode)
	assert.Len(t, service.Phone.Sent(), 1)
}

func TestRequestThatCannotBeTakenIsRefused(t *testing.T) {
	service := simulated(t)
	service.Simulator.SetUnreachable("5511987000007", "551187000007")
	address, _ := serving(t, service, filepath.Join(t.TempDir(), "otp.db"))
	for _, row := range []struct {
		key, phone string
		want       int
	}{
		{"", "5511987654321", http.StatusBadRequest},
		{"a", "Ana", http.StatusBadRequest},
		{strings.Repeat("k", 10<<10), "5511987654321", http.StatusBadRequest},
		{"b", "5511987000007", http.StatusUnprocessableEntity},
	} {
		assert.Equal(t, row.want, ask(t, address, row.key, row.phone).StatusCode, row)
	}
	assert.Empty(t, service.Phone.Sent())
}

func TestStoreThatCannotBeWrittenIsAReasonToAskAgain(t *testing.T) {
	service := simulated(t)
	open := func(context.Context, string) (*ryze.InstanceClient, error) { return service.Instance, nil }
	box, err := outbox.OpenSQLite(filepath.Join(t.TempDir(), "otp.db"), open)
	require.NoError(t, err)
	defer func() { require.NoError(t, box.Close()) }()
	server := httptest.NewServer(&otp{outbox: box, instance: service.Instance.Name()})
	defer server.Close()
	_, err = box.DB().ExecContext(t.Context(), "PRAGMA query_only = 1")
	require.NoError(t, err)
	refused := ask(t, server.URL, "a", "5511987654321")
	assert.Equal(t, http.StatusServiceUnavailable, refused.StatusCode)
	assert.Equal(t, "5", refused.Header.Get("Retry-After"))
	_, err = box.DB().ExecContext(t.Context(), "PRAGMA query_only = 0")
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, ask(t, server.URL, "a", "5511987654321").StatusCode) // nobody sends here
}

func TestPhoneGetsOneCodeHoweverManyAskAtOnce(t *testing.T) {
	service := simulated(t)
	address, _ := serving(t, service, filepath.Join(t.TempDir(), "otp.db"))
	status := make([]int, 40)
	var asking sync.WaitGroup
	for i := range status {
		asking.Go(func() { status[i] = ask(t, address, fmt.Sprint("key-", i), "5511987654321").StatusCode })
	}
	asking.Wait()
	slices.Sort(status)
	assert.Equal(t, http.StatusOK, status[0])
	assert.Equal(t, slices.Repeat([]int{http.StatusTooManyRequests}, 39), status[1:])
	assert.Len(t, service.Phone.Sent(), 1)
}

// Nothing more happens to it, so nobody may be told to ask again with the same key.
func TestCodeOfWhichNobodyKnowsNeedsAnotherKey(t *testing.T) {
	service := simulated(t)
	open := func(context.Context, string) (*ryze.InstanceClient, error) { return service.Instance, nil }
	box, err := outbox.OpenSQLite(filepath.Join(t.TempDir(), "otp.db"), open)
	require.NoError(t, err)
	defer func() { require.NoError(t, box.Close()) }()
	server := httptest.NewServer(&otp{outbox: box, instance: service.Instance.Name()})
	defer server.Close()
	assert.Equal(t, http.StatusAccepted, ask(t, server.URL, "a", "5511987654321").StatusCode) // nobody sends here
	_, err = box.DB().ExecContext(t.Context(), "UPDATE ryze_outbox SET state = 'unknown', next_at = 0")
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, ask(t, server.URL, "a", "5511987654321").StatusCode)
}

func TestDemonstration(t *testing.T) {
	var out strings.Builder
	require.NoError(t, start(t.Context(), "", "", &out))
	for _, line := range []string{"login-1: 200", "login-2: 429", "login-3: 202", "login-3: 200", "Codes sent: 2."} {
		assert.Contains(t, out.String(), line)
	}
}
