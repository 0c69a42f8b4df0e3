package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// witness notes everything that an observer is told, in order.
type witness struct {
	mu   sync.Mutex
	told []any
}

func (w *witness) note(what any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, what)
}

func (w *witness) all() []any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.told)
}

// of returns what was told of one kind.
func of[T any](w *witness) (list []T) {
	for _, what := range w.all() {
		if v, ok := what.(T); ok {
			list = append(list, v)
		}
	}
	return list
}

type ctxKey struct{}

// The start of a wait and the coming of an event have the type of what follows them.
type (
	waitBegun ryze.QuotaWaitInfo
	received  ryze.EventInfo
)

func (w *witness) observer() *ryze.Observer {
	return &ryze.Observer{
		CallStart: func(ctx context.Context, i ryze.CallInfo) context.Context {
			w.note(i)
			return context.WithValue(ctx, ctxKey{}, "call "+i.Operation)
		},
		CallDone: func(ctx context.Context, i ryze.CallDoneInfo) {
			if ctx.Value(ctxKey{}) != "call "+i.Operation {
				w.note(errors.New("another context"))
			}
			w.note(i)
		},
		AttemptDone:       func(_ context.Context, i ryze.AttemptDoneInfo) { w.note(i) },
		QuotaWaitStart:    func(_ context.Context, i ryze.QuotaWaitInfo) { w.note(waitBegun(i)) },
		QuotaWaitDone:     func(_ context.Context, i ryze.QuotaWaitInfo) { w.note(i) },
		QuotaChange:       func(_ context.Context, i ryze.QuotaInfo) { w.note(i) },
		StreamStateChange: func(_ context.Context, i ryze.StreamStateInfo) { w.note(i) },
		EventReceived:     func(_ context.Context, i ryze.EventInfo) { w.note(received(i)) },
		EventsDropped:     func(_ context.Context, i ryze.EventsDroppedInfo) { w.note(i) },
		EventStart: func(ctx context.Context, i ryze.EventInfo) context.Context {
			w.note(i)
			return context.WithValue(ctx, ctxKey{}, "event "+string(i.Type))
		},
		EventDone:    func(_ context.Context, i ryze.EventDoneInfo) { w.note(i) },
		DeliveryDone: func(_ context.Context, i ryze.DeliveryDoneInfo) { w.note(i) },
	}
}

// watched runs a test in virtual time with a client that a witness observes.
func watched(t *testing.T, test func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, w *witness), opts ...ryzetest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, line, httpClient := ryzetest.New(t, opts...)
		w := &witness{}
		client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient), ryze.WithObserver(w.observer()))
		require.NoError(t, err)
		defer func() { require.NoError(t, client.Close()) }()
		test(t, srv, line, client.Instance(line.Name(), line.Token()), w)
		for _, what := range w.all() {
			if err, ok := what.(error); ok {
				t.Error(err)
			}
			text := fmt.Sprintf("%+v", what)
			for _, secret := range []string{line.Token(), srv.AccountToken, "5511987654321", "a private word"} {
				assert.NotContains(t, text, secret)
			}
		}
	})
}

func TestAnObserverSeesACallFromItsStartToItsEnd(t *testing.T) {
	watched(t, func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, w *witness) {
		srv.Fault("messages.text", ryzetest.Fault{Status: 429, Message: ryzetest.RateLimited().Message, Header: http.Header{"X-Ratelimit-Remaining": {"0"}}})
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "a private word")
		require.NoError(t, err)

		call := ryze.CallInfo{Operation: "messages.text", Instance: line.Name(), Method: "POST", Route: "/api/message/text/:instance"}
		assert.Equal(t, []ryze.CallInfo{call}, of[ryze.CallInfo](w))
		attempts := of[ryze.AttemptDoneInfo](w)
		require.Len(t, attempts, 2)
		assert.Equal(t, ryze.AttemptDoneInfo{CallInfo: call, Number: 1, StatusCode: 429, Sent: true, Error: "rate limited", Again: true}, attempts[0])
		assert.Equal(t, ryze.AttemptDoneInfo{CallInfo: call, Number: 2, StatusCode: 200, Sent: true}, attempts[1])
		waits, done := of[waitBegun](w), of[ryze.QuotaWaitInfo](w)
		require.Len(t, waits, 1)
		require.Len(t, done, 1)
		assert.Equal(t, waits[0].Expected, done[0].Waited, "nothing else came in between")
		assert.Positive(t, done[0].Waited)
		assert.Equal(t, waits[0].Expected, done[0].Expected)
		calls := of[ryze.CallDoneInfo](w)
		require.Len(t, calls, 1)
		assert.Equal(t, ryze.CallDoneInfo{
			CallInfo: call, Outcome: ryze.OutcomeAccepted, StatusCode: 200, Attempts: 2,
			Waits: 1, Waited: done[0].Waited, Duration: calls[0].Duration,
		}, calls[0])
		assert.GreaterOrEqual(t, calls[0].Duration, calls[0].Waited)
		quota := of[ryze.QuotaInfo](w)
		require.NotEmpty(t, quota)
		assert.Equal(t, 99, quota[len(quota)-1].RateLimit.Remaining)
		assert.NotContains(t, quota[0].Key.Scope, line.Token())
	})
}

func TestAnObserverIsToldHowACallFailed(t *testing.T) {
	for _, c := range []struct {
		fault   ryzetest.Fault
		outcome ryze.Outcome
		kind    string
	}{
		{ryzetest.Fault{Status: 400, Message: "Number is required"}, ryze.OutcomeNotAccepted, "invalid argument"},
		{ryzetest.Throttled(), ryze.OutcomeNotAccepted, "throttled by WhatsApp"},
		{ryzetest.Fault{Status: 502, Body: "<html>"}, ryze.OutcomeUnknown, "the reply is not the service's own"},
		{ryzetest.ProxyPage(403), ryze.OutcomeNotAccepted, "the reply is not the service's own"},
		{ryzetest.Fault{Drop: ryzetest.DropAfterProcess}, ryze.OutcomeUnknown, "no reply"},
		{ryzetest.Fault{Status: 200, Body: "{"}, ryze.OutcomeUnknown, "unreadable response"},
	} {
		watched(t, func(t *testing.T, srv *ryzetest.Server, _ *ryzetest.Instance, inst *ryze.InstanceClient, w *witness) {
			srv.Fault("messages.text", c.fault)
			_, err := inst.Messages.SendText(t.Context(), "5511987654321", "a private word")
			require.Error(t, err)
			calls := of[ryze.CallDoneInfo](w)
			require.Len(t, calls, 1)
			assert.Equal(t, c.outcome, calls[0].Outcome)
			assert.Equal(t, c.kind, calls[0].Error)
			assert.Equal(t, c.kind, ryze.ErrorType(fmt.Errorf("job 7: %w", err)))
		})
	}
	assert.Empty(t, ryze.ErrorType(nil))
	assert.Equal(t, "other", ryze.ErrorType(io.EOF))
	assert.Equal(t, "context canceled", ryze.ErrorType(context.Canceled))
}

func TestAnObserverSeesACallWithoutAToken(t *testing.T) {
	seen := &witness{}
	srv := ryzetest.NewServer(ryzetest.InMemory())
	defer srv.Close()
	client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()), ryze.WithObserver(seen.observer()))
	require.NoError(t, err)
	_, err = client.Health(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ryze.OutcomeAccepted, of[ryze.CallDoneInfo](seen)[0].Outcome)
	assert.Len(t, of[ryze.AttemptDoneInfo](seen), 1)
	assert.Empty(t, of[ryze.QuotaInfo](seen), "there is no quota without a token")
}

func TestAnObserverSeesAStream(t *testing.T) {
	watched(t, func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, w *witness) {
		sub, err := inst.Subscribe(t.Context(), ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithBuffer(3, 1<<20))
		require.NoError(t, err)
		for range 5 {
			line.Receive(ryzetest.Incoming{From: "5511987654321", Text: "a private word"})
		}
		time.Sleep(time.Second)
		srv.DropWebSockets(1001)
		time.Sleep(time.Minute)
		done := make(chan error, 1)
		go func() {
			done <- sub.Handle(t.Context(), func(ctx context.Context, e *ryze.Event) error {
				assert.Equal(t, "event "+string(e.Type), ctx.Value(ctxKey{}))
				if e.Type == ryze.EventGap {
					return ryze.ErrIgnore
				}
				return errors.New("a private word")
			}, ryze.WithErrorHandler(func(context.Context, *ryze.HandlerError) {}))
		}()
		time.Sleep(time.Second)
		require.NoError(t, sub.Close())
		require.NoError(t, <-done)

		attempts := of[ryze.AttemptDoneInfo](w)
		assert.Equal(t, "events.websocket.connect", attempts[len(attempts)-1].Operation)
		assert.Equal(t, http.StatusSwitchingProtocols, attempts[len(attempts)-1].StatusCode)
		var states []ryze.StreamState
		for _, s := range of[ryze.StreamStateInfo](w) {
			states = append(states, s.State)
			if s.State == ryze.StreamReconnecting {
				assert.Equal(t, "connection closed by the service", s.Error)
			}
		}
		assert.Equal(t, []ryze.StreamState{ryze.StreamConnecting, ryze.StreamOpen, ryze.StreamReconnecting, ryze.StreamOpen, ryze.StreamClosed}, states)
		came := of[received](w)
		require.Len(t, came, 5)
		assert.Equal(t, ryze.EventMessage, came[0].Type)
		assert.Equal(t, "stream", came[0].Via)
		assert.Positive(t, came[0].Bytes)
		assert.Positive(t, came[0].Queued)
		dropped := of[ryze.EventsDroppedInfo](w)
		require.NotEmpty(t, dropped)
		lost := 0
		for _, d := range dropped {
			assert.Equal(t, ryze.GapOverflow, d.Reason)
			lost += d.Count
		}
		started, ended := of[ryze.EventInfo](w), of[ryze.EventDoneInfo](w)
		require.NotEmpty(t, started)
		assert.Len(t, ended, len(started))
		results := map[string]int{}
		for _, e := range ended {
			assert.Contains(t, started, e.EventInfo, "the end says which event began")
			assert.Equal(t, "stream", e.Via)
			results[e.Result]++
		}
		assert.Equal(t, 5-lost, results["failed"])
		assert.Positive(t, results["ignored"])
		late := slices.IndexFunc(started, func(s ryze.EventInfo) bool { return s.Type == ryze.EventMessage })
		assert.GreaterOrEqual(t, started[late].Lag, time.Minute, "it waited for its handler")
	})
}

func TestAnObserverSeesDeliveriesAndTheInbox(t *testing.T) {
	w := &witness{}
	inbox, err := ryze.NewInbox(func(context.Context, *ryze.Event) error { return nil }, ryze.WithObserver(w.observer()))
	require.NoError(t, err)
	handler := inbox.Handler("Bearer secret", ryze.WithObserver(w.observer()))
	body := ryzetest.NewEvents("line").Message(ryzetest.Incoming{From: "5511987654321", Text: "a private word"})
	for range 2 {
		assert.Equal(t, 200, ryzetest.Deliver(handler, "/", "Bearer secret", body).StatusCode)
	}
	assert.Equal(t, 401, ryzetest.Deliver(handler, "/", "Bearer other", body).StatusCode)

	var answers []int
	for _, d := range of[ryze.DeliveryDoneInfo](w) {
		answers = append(answers, d.StatusCode)
		assert.Equal(t, d.StatusCode == http.StatusUnauthorized, d.Instance == "", "what was not read is not told")
		if d.StatusCode == http.StatusUnauthorized {
			assert.Equal(t, "the Authorization header is wrong", d.Error)
		} else {
			assert.Empty(t, d.Error)
		}
	}
	assert.Equal(t, []int{200, 200, 401}, answers)
	var results []string
	for _, d := range of[ryze.EventDoneInfo](w) {
		results = append(results, d.Via+" "+d.Result)
	}
	assert.Equal(t, []string{"inbox handled", "webhook handled", "inbox repeated", "webhook handled"}, results)
	for _, what := range w.all() {
		text := fmt.Sprintf("%+v", what)
		assert.False(t, strings.Contains(text, "private") || strings.Contains(text, "5511987654321") || strings.Contains(text, ryzetest.EventsToken), text)
	}
}

// A function that panics changes nothing else.
func TestAnObserverThatPanicsChangesNothing(t *testing.T) {
	log.SetOutput(io.Discard) // where panics are told
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	observer := &ryze.Observer{}
	v := reflect.ValueOf(observer).Elem()
	for i := range v.NumField() {
		v.Field(i).Set(reflect.MakeFunc(v.Type().Field(i).Type, func([]reflect.Value) []reflect.Value { panic("observer") }))
	}
	synctest.Test(t, func(t *testing.T) {
		srv, line, httpClient := ryzetest.New(t)
		client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient), ryze.WithObserver(observer))
		require.NoError(t, err)
		defer func() { assert.NoError(t, client.Close()) }()
		inst := client.Instance(line.Name(), line.Token())
		srv.Fault("messages.text", ryzetest.RateLimited())
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "Hello")
		require.NoError(t, err)
		sub, err := inst.Subscribe(t.Context(), ryze.WithWebSocket(ryze.WebSocketConfig{}))
		require.NoError(t, err)
		line.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hi"})
		handled := make(chan struct{})
		go func() {
			_ = sub.Handle(t.Context(), func(context.Context, *ryze.Event) error { close(handled); return nil })
		}()
		<-handled
		require.NoError(t, sub.Close())
	})
}

// The path of a route that is not known may name a person.
func TestAnObserverIsNotToldAPath(t *testing.T) {
	sim := ryzetest.NewServer(ryzetest.InMemory())
	defer sim.Close()
	w := &witness{}
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(sim.HTTPClient()), ryze.WithObserver(w.observer()))
	require.NoError(t, err)
	_, err = client.Do(t.Context(), http.MethodPost, "/api/new/5511987654321", sim.AccountToken, nil, nil)
	require.Error(t, err)
	calls := of[ryze.CallDoneInfo](w)
	require.Len(t, calls, 1)
	assert.Equal(t, "other", calls[0].Operation)
	for _, what := range w.all() {
		assert.NotContains(t, fmt.Sprintf("%+v", what), "5511987654321")
	}
	require.NoError(t, client.Close())
}

func TestNoObserverIsRefused(t *testing.T) {
	_, err := ryze.New(ryze.WithObserver(nil))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	_, err = ryze.NewInbox(func(context.Context, *ryze.Event) error { return nil }, ryze.WithObserver(nil))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	_, err = ryze.NewWebhookReceiver("secret", func(context.Context, *ryze.Event) error { return nil }, ryze.WithObserver(nil))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
}

// answerer answers every request alike.
type answerer struct{}

func (answerer) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"X-Ratelimit-Limit": {"1000000"}, "X-Ratelimit-Remaining": {"999999"}, "X-Ratelimit-Reset": {"60"}},
		Body: io.NopCloser(strings.NewReader(`{"success":true,"data":{"messageId":"3EB0"}}`)),
	}, nil
}

// nothing is an observer that wants to know everything and does nothing.
func nothing() *ryze.Observer {
	return &ryze.Observer{
		CallStart:      func(context.Context, ryze.CallInfo) context.Context { return nil },
		CallDone:       func(context.Context, ryze.CallDoneInfo) {},
		AttemptDone:    func(context.Context, ryze.AttemptDoneInfo) {},
		QuotaWaitStart: func(context.Context, ryze.QuotaWaitInfo) {},
		QuotaWaitDone:  func(context.Context, ryze.QuotaWaitInfo) {},
		QuotaChange:    func(context.Context, ryze.QuotaInfo) {},
	}
}

// sender returns a send over a transport that costs little.
func sender(tb testing.TB, opts ...ryze.Option) func() {
	tb.Helper()
	client, err := ryze.New(append(opts, ryze.WithBaseURL("https://ryze.test"), ryze.WithHTTPClient(&http.Client{Transport: answerer{}}))...)
	require.NoError(tb, err)
	inst := client.Instance("line", "t0ken-of-a-line")
	return func() {
		if _, err := inst.Messages.SendText(context.Background(), "5511987654321", "Hello"); err != nil {
			tb.Error(err)
		}
	}
}

func TestAnObserverCostsAtMostTwoAllocations(t *testing.T) {
	without := testing.AllocsPerRun(200, sender(t))
	unset := testing.AllocsPerRun(200, sender(t, ryze.WithObserver(&ryze.Observer{})))
	set := testing.AllocsPerRun(200, sender(t, ryze.WithObserver(nothing())))
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	assert.LessOrEqual(t, set, without+2)
	assert.LessOrEqual(t, unset, without+2)
}

func BenchmarkObserver(b *testing.B) {
	for name, opts := range map[string][]ryze.Option{"none": nil, "empty functions": {ryze.WithObserver(nothing())}} {
		b.Run(name, func(b *testing.B) {
			send := sender(b, opts...)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}
