package ryze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// told is what a call is expected to tell of itself: a send, and a read.
type told struct {
	is    Outcome
	pause time.Duration
	again bool
}

func certainlyNot(pause time.Duration, again bool) told {
	return told{OutcomeNotAccepted, pause, again}
}

var (
	open     = told{is: OutcomeUnknown}
	hopeless = certainlyNot(0, false)
)

// What an error tells of the outcome, and whether another try makes sense, for
// errors that calls gave, over both protocols.
func TestErrorsOfCallsTellTheirOutcome(t *testing.T) {
	outage := told{OutcomeUnknown, outagePause, true}
	text := func(message string) string {
		return `{"success":false,"error":{"message":` + strconv.Quote(message) + `}}`
	}
	const page = "<html>no</html>"
	for _, c := range []struct {
		name       string
		status     int
		body       string
		header     map[string]string
		send, read told
	}{
		{"400", 400, text("Number is required"), nil, hopeless, hopeless},
		{"401", 401, text("Invalid token"), nil, hopeless, hopeless},
		{"401 with Retry-After", 401, text("Invalid token"), map[string]string{"Retry-After": "7"}, hopeless, hopeless},
		{"403", 403, text("Account instance quota exceeded"), nil, hopeless, hopeless},
		{"404", 404, text("Instance not found"), nil, hopeless, hopeless},
		{"409", 409, text("already exists"), nil, hopeless, hopeless},
		{"418", 418, text("odd"), nil, hopeless, hopeless},
		{"422", 422, text("no"), nil, hopeless, hopeless},
		{"501", 501, text("no"), nil, hopeless, hopeless},
		{"503 not connected", 503, text("Instance is not connected to WhatsApp"), nil, certainlyNot(connectPause, true), certainlyNot(connectPause, true)},
		{"400 not connected", 400, text("Instance is not connected to WhatsApp"), map[string]string{"Retry-After": "33"}, certainlyNot(33*time.Second, true), certainlyNot(33*time.Second, true)},
		{"no session", 400, text("Instance has no saved session"), nil, hopeless, hopeless},
		{"throttled", 429, text("slow down"), nil, certainlyNot(throttlePause, true), certainlyNot(throttlePause, true)},
		{"throttled for long", 429, text("slow down"), map[string]string{"Retry-After": "3600"}, certainlyNot(time.Hour, true), certainlyNot(time.Hour, true)},
		{"throttled for nonsense", 429, text("slow down"), map[string]string{"Retry-After": "99999999"}, certainlyNot(throttlePause, true), certainlyNot(throttlePause, true)},
		{"throttled for words", 429, text("slow down"), map[string]string{"Retry-After": "soon"}, certainlyNot(throttlePause, true), certainlyNot(throttlePause, true)},
		{"500", 500, text("failed"), nil, open, outage},
		{"503 with Retry-After", 503, text("failed"), map[string]string{"Retry-After": "20"}, open, told{OutcomeUnknown, 20 * time.Second, true}},
		{"408", 408, text("timeout"), nil, open, outage},
		{"502 of a gateway", 502, page, nil, open, outage},
		{"404 of a router", 404, "404 page not found", nil, certainlyNot(outagePause, true), certainlyNot(outagePause, true)},
		{"413 of a gateway", 413, page, nil, hopeless, hopeless},
		{"405 of a gateway", 405, page, nil, hopeless, hopeless},
		{"301", 301, "", map[string]string{"Location": "https://elsewhere.example"}, open, told{is: OutcomeUnknown}},
		{"302", 302, "", map[string]string{"Location": "/"}, open, told{is: OutcomeUnknown}},
		{"303", 303, "", map[string]string{"Location": "/done"}, open, told{is: OutcomeUnknown}},
		{"300", 300, "", nil, open, told{is: OutcomeUnknown}},
		{"305", 305, "", nil, open, told{is: OutcomeUnknown}},
		{"399", 399, page, nil, open, told{is: OutcomeUnknown}},
		{"307", 307, "", map[string]string{"Location": "https://elsewhere.example"}, hopeless, hopeless},
		{"308", 308, "", nil, hopeless, hopeless},
		{"200 that says no", 200, text("Number is not on WhatsApp"), nil, hopeless, hopeless},
		{"200 that says 0", 200, `{"success":0}`, nil, open, told{is: OutcomeUnknown}},
		{"200 of somebody", 200, page, nil, open, outage},
		{"200 that is empty", 200, "", nil, open, outage},
		{"200 that is cut", 200, `{"success":true,`, map[string]string{"Content-Length": "500"}, open, outage},
	} {
		answer := func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range c.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}
		overBoth(t, answer, func(t *testing.T, inst *InstanceClient) {
			_, sent := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			checkTold(t, c.name+", send", c.send, sent)
			_, read := inst.Settings.Get(t.Context())
			checkTold(t, c.name+", read", c.read, read)
			require.NotErrorIs(t, read, ErrOutcomeUnknown, c.name)
			if c.status/100 == 3 {
				var redirect *redirectError
				require.ErrorAs(t, sent, &redirect, c.name)
				require.ErrorIs(t, sent, ErrRedirect, c.name)
				assert.Equal(t, c.status, redirect.StatusCode)
			}
		})
	}
}

func checkTold(t *testing.T, name string, want told, err error) {
	t.Helper()
	require.Error(t, err, name)
	for what, err := range map[string]error{"": err, "wrapped, ": fmt.Errorf("x: %w", err), "joined, ": errors.Join(io.EOF, err)} {
		assert.Equal(t, want.is, OutcomeOf(err), "%s%s: %v", what, name, err)
		pause, again := RetryAfter(err)
		assert.Equal(t, want.again, again, "%s%s: %v", what, name, err)
		assert.InDelta(t, want.pause.Seconds(), pause.Seconds(), 3, "%s%s: %v", what, name, err)
	}
	assert.Equal(t, want.is == OutcomeUnknown && strings.Contains(name, "send"), errors.Is(err, ErrOutcomeUnknown), name)
}

// Errors of calls that got no reply, or made no request.
func TestErrorsWithoutAReplyTellTheirOutcome(t *testing.T) {
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	overBoth(t, hangUp, func(t *testing.T, inst *InstanceClient) {
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		checkTold(t, "lost send", open, err)
		require.ErrorIs(t, err, ErrNetwork)
		_, err = inst.Settings.Get(t.Context())
		checkTold(t, "lost read", told{OutcomeUnknown, outagePause, true}, err)
		require.ErrorIs(t, err, ErrNetwork)
		_, err = inst.Messages.SendText(t.Context(), "", "hi")
		checkTold(t, "bad argument", hopeless, err)

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = inst.Messages.SendText(ended, "5511987654321", "hi")
		checkTold(t, "ended before", hopeless, err)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ErrNetwork)
		_ = inst.h.client.Close()
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		checkTold(t, "closed", hopeless, err)
	})
	silent := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // an empty 200 could still come in time
	}
	overBoth(t, silent, func(t *testing.T, inst *InstanceClient) {
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi", TimeLimit(500*time.Millisecond)) // time enough for the handshake
		checkTold(t, "time limit, send", open, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		// Time enough for another connection: what has not left is not accepted.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = inst.Settings.Get(ctx)
		checkTold(t, "deadline, read", told{is: OutcomeUnknown}, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, ErrNetwork, "it was the caller's own")
	})

	refused := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}}
	client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: refused}), WithRetry(RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	_, err = client.Instance("support", "t0ken-1").Messages.SendText(t.Context(), "5511987654321", "hi")
	checkTold(t, "nothing written", certainlyNot(outagePause, true), err)
	require.ErrorIs(t, err, ErrNetwork)

	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.StartTLS()
	defer server.Close()
	server.Config.ErrorLog = nil
	client, err = New(WithBaseURL(server.URL), WithHTTPClient(&http.Client{Transport: &http.Transport{}}))
	require.NoError(t, err)
	_, err = client.Instance("support", "t0ken-1").Messages.SendText(t.Context(), "5511987654321", "hi")
	checkTold(t, "bad certificate", hopeless, err)

	sick := errors.New("the store is gone")
	client, err = New(WithBaseURL("https://ryze.test"), WithLimiter(emptyLimiter{sick}))
	require.NoError(t, err)
	_, err = client.Instance("support", "t0ken-1").Messages.SendText(t.Context(), "5511987654321", "hi")
	checkTold(t, "limiter", certainlyNot(outagePause, true), err)
	require.ErrorIs(t, err, sick)
	require.ErrorIs(t, err, ErrLimiter)

	client, err = New(WithBaseURL("https://ryze.test"), WithLimiter(emptyLimiter{&RateLimitError{RetryAt: time.Now().Add(42 * time.Second)}}))
	require.NoError(t, err)
	_, err = client.Instance("support", "t0ken-1").Messages.SendText(t.Context(), "5511987654321", "hi")
	checkTold(t, "no quota", certainlyNot(42*time.Second, true), err)
	_, err = client.Do(t.Context(), http.MethodPost, "/api/x", "t0ken-1", make(chan int), nil)
	checkTold(t, "not JSON", hopeless, err)
}

// emptyLimiter gives no quota.
type emptyLimiter struct{ err error }

func (l emptyLimiter) Acquire(context.Context, LimiterRequest) (Ticket, error) { return nil, l.err }
func (emptyLimiter) Rate(LimiterKey) RateLimit                                 { return RateLimit{} }

// What an earlier attempt has left open stays open when a later one is refused.
func TestOutcomeOfARepeatedCallKnowsItsEarlierAttempts(t *testing.T) {
	gone := scriptedReply{status: 403, body: refusal("Not authorized to do this")}
	inst, _ := script(t, scriptedReply{status: 502, body: "<html>"}, gone)
	assert.Equal(t, OutcomeUnknown, OutcomeOf(inst.Groups.Leave(t.Context(), "120363000000000001@g.us")))
	inst, _ = script(t, scriptedReply{status: 404, body: "<html>"}, gone)
	assert.Equal(t, OutcomeNotAccepted, OutcomeOf(inst.Groups.Leave(t.Context(), "120363000000000001@g.us")))

	for _, no := range []scriptedReply{{body: refusal("Group not found")}, {status: 307, body: ""}, {status: 410, body: refusal("Gone")}} {
		inst, _ = script(t, scriptedReply{status: 502, body: "<html>"}, no)
		err := inst.Groups.Leave(t.Context(), "120363000000000001@g.us")
		assert.Equal(t, OutcomeUnknown, OutcomeOf(err), "%d: %v", no.status, err)
		inst, _ = script(t, no)
		err = inst.Groups.Leave(t.Context(), "120363000000000001@g.us")
		assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err), "%d: %v", no.status, err)
	}
}

// Errors that were not made by a call.
func TestOutcomeOfOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err   error
		want  Outcome
		again bool
	}{
		{nil, OutcomeAccepted, false},
		{&PartialError{}, OutcomeAccepted, false},
		{errors.Join(&PartialError{}, &PartialError{}), OutcomeAccepted, false},
		{errors.Join(&PartialError{}, &OutcomeError{}), OutcomeUnknown, false},
		{errors.Join(&ValidationError{}, &OutcomeError{}), OutcomeUnknown, false},
		{&OutcomeError{Err: &APIError{StatusCode: 503, retryAt: time.Now().Add(time.Hour)}}, OutcomeUnknown, false},
		{&OutcomeError{Err: &ValidationError{}}, OutcomeUnknown, false},
		{ErrNotSent, OutcomeNotAccepted, true},
		{fmt.Errorf("settle: %w", ErrNotSent), OutcomeNotAccepted, true},
		{ErrClosed, OutcomeNotAccepted, false},
		{ErrOutcomeUnknown, OutcomeUnknown, false},
		{ErrThrottled, OutcomeNotAccepted, true},
		{&RateLimitError{RetryAt: time.Now().Add(-time.Hour)}, OutcomeNotAccepted, true},
		{&RateLimitError{}, OutcomeNotAccepted, true},
		{ErrBanned, OutcomeNotAccepted, false},
		{ErrContactNotFound, OutcomeNotAccepted, false},
		{context.Canceled, OutcomeUnknown, false},
		{context.DeadlineExceeded, OutcomeUnknown, false},
		{io.EOF, OutcomeUnknown, false},
		{errors.New("other"), OutcomeUnknown, false},
		{errors.Join(errors.New("other"), &ValidationError{}), OutcomeNotAccepted, false},
	} {
		assert.Equal(t, c.want, OutcomeOf(c.err), "%v", c.err)
		pause, again := RetryAfter(c.err)
		assert.Equal(t, c.again, again, "%v", c.err)
		assert.GreaterOrEqual(t, pause, time.Duration(0))
	}
	assert.Equal(t, []string{"unknown", "accepted", "not accepted", "unknown"}, []string{OutcomeUnknown.String(), OutcomeAccepted.String(), OutcomeNotAccepted.String(), Outcome(9).String()})
}
