package otelryze_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/otelryze"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const (
	phone   = "5511987654321"
	private = "a private word"
)

// recorder keeps the spans that ended, and reads the metrics.
type recorder struct {
	spans   *tracetest.SpanRecorder
	tracers *sdktrace.TracerProvider
	reader  *metric.ManualReader
	meters  *metric.MeterProvider
}

func newRecorder() *recorder {
	r := &recorder{spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	r.tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))
	r.meters = metric.NewMeterProvider(metric.WithReader(r.reader))
	return r
}

func (r *recorder) observer() *ryze.Observer {
	return otelryze.Observer(otelryze.WithTracerProvider(r.tracers), otelryze.WithMeterProvider(r.meters))
}

// named returns the spans of a name that have ended.
func (r *recorder) named(name string) (list []sdktrace.ReadOnlySpan) {
	for _, s := range r.spans.Ended() {
		if s.Name() == name {
			list = append(list, s)
		}
	}
	return list
}

func (r *recorder) one(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	list := r.named(name)
	require.Len(t, list, 1, name)
	return list[0]
}

func (r *recorder) collect(t *testing.T) metricdata.ResourceMetrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, r.reader.Collect(context.Background(), &all))
	return all
}

// points are what a metric holds, by its attributes: sums and gauges as they are, of
// histograms the number of measurements.
func (r *recorder) points(t *testing.T, name string) map[string]int64 {
	t.Helper()
	points := map[string]int64{}
	for _, s := range r.collect(t).ScopeMetrics {
		for _, m := range s.Metrics {
			if m.Name != name {
				continue
			}
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				assert.Equal(t, "s", m.Unit)
				for _, p := range data.DataPoints {
					points[text(p.Attributes.ToSlice())] = int64(p.Count)
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					points[text(p.Attributes.ToSlice())] = p.Value
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					points[text(p.Attributes.ToSlice())] = p.Value
				}
			default:
				t.Errorf("%s is a %T", name, data)
			}
		}
	}
	return points
}

// sum is the sum of a histogram, in seconds.
func (r *recorder) sum(t *testing.T, name string) (sum float64) {
	t.Helper()
	for _, s := range r.collect(t).ScopeMetrics {
		for _, m := range s.Metrics {
			if data, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == name {
				for _, p := range data.DataPoints {
					sum += p.Sum
				}
			}
		}
	}
	return sum
}

func text(list []attribute.KeyValue) string {
	parts := make([]string, 0, len(list))
	for _, a := range list {
		parts = append(parts, string(a.Key)+"="+a.Value.String())
	}
	return strings.Join(parts, " ")
}

func values(list []attribute.KeyValue) map[attribute.Key]any {
	m := map[attribute.Key]any{}
	for _, a := range list {
		m[a.Key] = a.Value.AsInterface()
	}
	return m
}

// everything is all that was recorded, as text.
func (r *recorder) everything(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, s := range tracetest.SpanStubsFromReadOnlySpans(r.spans.Ended()) {
		fmt.Fprintf(&b, "%s %v %s\n", s.Name, s.Status, text(s.Attributes))
		for _, e := range s.Events {
			fmt.Fprintf(&b, "  %s %s\n", e.Name, text(e.Attributes))
		}
	}
	for _, s := range r.collect(t).ScopeMetrics {
		for _, m := range s.Metrics {
			for set := range r.points(t, m.Name) {
				fmt.Fprintf(&b, "%s %s\n", m.Name, set)
			}
		}
	}
	return b.String()
}

// recorded runs a test in virtual time with a client whose calls and streams are recorded.
func recorded(t *testing.T, test func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, line, httpClient := ryzetest.New(t)
		r := newRecorder()
		client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient), ryze.WithObserver(r.observer()))
		require.NoError(t, err)
		defer func() { require.NoError(t, client.Close()) }()
		test(t, srv, line, client.Instance(line.Name(), line.Token()), r)
		assert.Len(t, r.spans.Ended(), len(r.spans.Started()), "every span has ended")
		all := r.everything(t)
		for _, secret := range []string{line.Token(), srv.AccountToken, phone, private, strings.TrimPrefix(srv.URL, "http://")} {
			assert.NotContains(t, all, secret)
		}
	})
}

func TestARetriedCallIsOneSpanWithAnEventForEachAttempt(t *testing.T) {
	recorded(t, func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
		srv.Fault("messages.text", ryzetest.RateLimited())
		ctx, parent := r.tracers.Tracer("test").Start(t.Context(), "order")
		_, err := inst.Messages.SendText(ctx, phone, private)
		require.NoError(t, err)
		parent.End()

		span := r.one(t, "messages.text")
		assert.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
		assert.Equal(t, trace.SpanKindClient, span.SpanKind())
		assert.Equal(t, codes.Unset, span.Status().Code)
		got := values(span.Attributes())
		waited := got["ryze.waited"]
		assert.Positive(t, waited)
		assert.Equal(t, map[attribute.Key]any{
			"http.request.method": "POST", "url.template": "/api/message/text/:instance", "http.response.status_code": int64(200),
			"messaging.system": "ryzeapi", "ryze.instance": line.Name(), "ryze.outcome": "accepted",
			"ryze.attempts": int64(2), "ryze.waits": int64(1), "ryze.waited": waited,
		}, got)

		var attempts, waits []map[attribute.Key]any
		for _, e := range span.Events() {
			switch e.Name {
			case "ryze.attempt":
				attempts = append(attempts, values(e.Attributes))
			case "ryze.quota.wait":
				waits = append(waits, values(e.Attributes))
			}
		}
		require.Len(t, attempts, 2)
		assert.Equal(t, []any{int64(1), int64(429), "rate limited", true}, []any{
			attempts[0]["ryze.attempt.number"], attempts[0]["http.response.status_code"], attempts[0]["error.type"], attempts[0]["ryze.attempt.again"],
		})
		assert.Equal(t, []any{int64(2), int64(200), nil, false}, []any{
			attempts[1]["ryze.attempt.number"], attempts[1]["http.response.status_code"], attempts[1]["error.type"], attempts[1]["ryze.attempt.again"],
		})
		assert.Equal(t, []map[attribute.Key]any{{"ryze.priority": "normal", "ryze.waited": waited}}, waits)

		assert.Equal(t, map[string]int64{
			"error.type=rate limited http.request.method=POST http.response.status_code=429 url.template=/api/message/text/:instance": 1,
			"http.request.method=POST http.response.status_code=200 url.template=/api/message/text/:instance":                         1,
		}, r.points(t, "http.client.request.duration"))
		assert.Equal(t, map[string]int64{"ryze.operation=messages.text ryze.outcome=accepted": 1}, r.points(t, "ryze.call.duration"))
		assert.Equal(t, map[string]int64{"ryze.priority=normal": 1}, r.points(t, "ryze.quota.wait"))
		assert.InDelta(t, waited, r.sum(t, "ryze.quota.wait"), 1e-6)
	})
}

func TestACallThatFailedHasTheStatusErrorAndItsType(t *testing.T) {
	for _, c := range []struct {
		fault         ryzetest.Fault
		kind, outcome string
		status        any
	}{
		{ryzetest.Fault{Status: 400, Message: private}, "invalid argument", "not accepted", int64(400)},
		{ryzetest.Fault{Drop: ryzetest.DropAfterProcess}, "no reply", "unknown", nil},
		{ryzetest.Fault{Status: 200, Body: private}, "unreadable response", "unknown", int64(200)},
	} {
		recorded(t, func(t *testing.T, srv *ryzetest.Server, _ *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
			srv.Fault("messages.text", c.fault)
			_, err := inst.Messages.SendText(t.Context(), phone, private)
			require.Error(t, err)
			span := r.one(t, "messages.text")
			assert.Equal(t, sdktrace.Status{Code: codes.Error, Description: c.kind}, span.Status())
			got := values(span.Attributes())
			assert.Equal(t, []any{c.kind, c.outcome, c.status}, []any{got["error.type"], got["ryze.outcome"], got["http.response.status_code"]})
			assert.Equal(t, map[string]int64{"error.type=" + c.kind + " ryze.operation=messages.text ryze.outcome=" + c.outcome: 1}, r.points(t, "ryze.call.duration"))
		})
	}
}

// The path of a route that this SDK does not know may hold anything.
func TestAnUnknownRouteIsNotNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := ryzetest.NewServer(ryzetest.InMemory())
		defer srv.Close()
		r := newRecorder()
		client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()), ryze.WithObserver(r.observer()))
		require.NoError(t, err)
		defer func() { _ = client.Close() }()
		for _, method := range []string{"GET", "SECRET"} {
			_, err = client.Do(t.Context(), method, "/api/unknown/"+phone, srv.AccountToken, nil, nil)
			require.Error(t, err)
		}
		require.Len(t, r.named("_OTHER"), 2)
		all := r.everything(t)
		assert.Contains(t, all, "http.request.method=GET")
		assert.NotContains(t, all, phone)
		assert.NotContains(t, all, "SECRET")
		assert.NotContains(t, all, srv.AccountToken)
	})
}

func TestTheGaugeFollowsTheQuotaAndItsReset(t *testing.T) {
	recorded(t, func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
		set := "ryze.instance=" + line.Name() + " ryze.rate_class=global_100"
		assert.Empty(t, r.points(t, "ryze.quota.remaining"))
		for left := range 3 {
			_, err := inst.Messages.SendText(t.Context(), phone, private)
			require.NoError(t, err)
			assert.Equal(t, map[string]int64{set: int64(99 - left)}, r.points(t, "ryze.quota.remaining"))
		}
		time.Sleep(2 * time.Minute)
		assert.Equal(t, map[string]int64{set: 100}, r.points(t, "ryze.quota.remaining"))
		time.Sleep(time.Hour)
		assert.Empty(t, r.points(t, "ryze.quota.remaining"))
	})
}

func TestWaitsAreMeasuredByPriority(t *testing.T) {
	recorded(t, func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
		_, err := inst.Messages.SendText(t.Context(), phone, private)
		require.NoError(t, err)
		srv.Eat(line.Token(), 99)
		srv.Fault("messages.text", ryzetest.RateLimited())
		var calls sync.WaitGroup
		for _, p := range []ryze.Priority{ryze.PriorityLow, ryze.PriorityHigh, 7} {
			calls.Go(func() {
				_, err := inst.Messages.SendText(ryze.WithPriority(t.Context(), p), phone, private)
				assert.NoError(t, err)
			})
		}
		calls.Wait()
		waits := r.points(t, "ryze.quota.wait")
		assert.Positive(t, waits["ryze.priority=low"])
		assert.Positive(t, waits["ryze.priority=high"])
		assert.Len(t, waits, 2)
	})
}

func TestTheSpanOfAHandlerIsTheParentOfTheCallsItMakes(t *testing.T) {
	recorded(t, func(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
		sub, err := inst.Subscribe(t.Context(), ryze.WithWebSocket(ryze.WebSocketConfig{}))
		require.NoError(t, err)
		line.Receive(ryzetest.Incoming{From: phone, Text: private})
		time.Sleep(time.Minute)

		ctx, whole := r.tracers.Tracer("test").Start(t.Context(), "main")
		handled, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- sub.Handle(ctx, func(ctx context.Context, e *ryze.Event) error {
				if e.Type != ryze.EventMessage {
					return ryze.ErrIgnore
				}
				defer close(handled)
				return inst.Chats.MarkRead(ctx, phone)
			})
		}()
		<-handled
		srv.Fault("GET /ws/:instance", ryzetest.Fault{Status: 502, Gateway: true})
		srv.DropWebSockets(1001)
		time.Sleep(time.Minute)
		require.NoError(t, sub.Close())
		require.NoError(t, <-ended)
		whole.End()

		handler := r.one(t, "process message.exchange")
		assert.Equal(t, trace.SpanKindConsumer, handler.SpanKind())
		assert.False(t, handler.Parent().IsValid(), "it is a root")
		require.Len(t, handler.Links(), 1)
		assert.Equal(t, whole.SpanContext().SpanID(), handler.Links()[0].SpanContext.SpanID())
		got := values(handler.Attributes())
		assert.GreaterOrEqual(t, got["ryze.stream.lag"], 60.0)
		assert.Equal(t, []any{"ryzeapi", "process", "process", "message.exchange", line.Name(), "stream", "handled"}, []any{
			got["messaging.system"], got["messaging.operation.name"], got["messaging.operation.type"], got["messaging.destination.name"],
			got["ryze.instance"], got["ryze.event.via"], got["ryze.event.result"],
		})
		children := 0
		for _, s := range r.spans.Ended() {
			if s.SpanKind() == trace.SpanKindClient && s.Parent().SpanID() == handler.SpanContext().SpanID() {
				children++
			}
		}
		assert.Equal(t, 1, children)

		assert.InDelta(t, got["ryze.stream.lag"], r.sum(t, "ryze.stream.lag"), 1, "the gap was not late")
		assert.Equal(t, int64(1), r.points(t, "ryze.gap")["ryze.gap.reason=outage ryze.instance="+line.Name()])
		assert.Equal(t, int64(1), r.points(t, "messaging.client.consumed.messages")["messaging.destination.name=message.exchange messaging.operation.name=receive messaging.system=ryzeapi"])
		process := r.points(t, "messaging.process.duration")
		assert.Equal(t, int64(1), process["messaging.destination.name=message.exchange messaging.operation.name=process messaging.system=ryzeapi ryze.event.result=handled ryze.event.via=stream"], process)
		assert.Equal(t, int64(1), process["messaging.destination.name=ryze.gap messaging.operation.name=process messaging.system=ryzeapi ryze.event.result=ignored ryze.event.via=stream"], process)
		// A stream that connects is no call, but its requests are requests.
		requests := r.points(t, "http.client.request.duration")
		assert.Positive(t, requests["error.type=server error http.request.method=GET http.response.status_code=502 url.template=/ws/:instance"], requests)
		assert.Empty(t, r.named("events.websocket.connect"))
	})
}

func TestDroppedEventsAreCounted(t *testing.T) {
	recorded(t, func(t *testing.T, _ *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
		sub, err := inst.Subscribe(t.Context(), ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithBuffer(3, 1<<20))
		require.NoError(t, err)
		for range 8 {
			line.Receive(ryzetest.Incoming{From: phone, Text: private})
		}
		time.Sleep(time.Second)
		lost := sub.Stats().Dropped
		require.NoError(t, sub.Close())
		require.Positive(t, lost)
		assert.Equal(t, map[string]int64{"ryze.gap.reason=overflow ryze.instance=" + line.Name(): int64(lost)}, r.points(t, "ryze.gap"))
	})
}

func TestDeliveriesRepetitionsAndFailuresAreRecorded(t *testing.T) {
	r := newRecorder()
	observer := ryze.WithObserver(r.observer())
	fail := true
	inbox, err := ryze.NewInbox(func(context.Context, *ryze.Event) error {
		if fail {
			return errors.New(private)
		}
		return nil
	}, observer)
	require.NoError(t, err)
	handler := inbox.Handler("Bearer secret", observer)
	traced := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		ctx, span := r.tracers.Tracer("test").Start(req.Context(), "POST /hooks/ryze")
		defer span.End()
		handler.ServeHTTP(w, req.WithContext(ctx))
	})
	events := ryzetest.NewEvents("line")
	body := events.Message(ryzetest.Incoming{From: phone, Text: private})
	ryzetest.Deliver(traced, "/", "Bearer secret", body)
	fail = false
	for range 2 {
		assert.Equal(t, 200, ryzetest.Deliver(traced, "/", "Bearer secret", body).StatusCode)
	}
	assert.Equal(t, 401, ryzetest.Deliver(traced, "/", "Bearer other", body).StatusCode)
	ryzetest.Deliver(traced, "/", "Bearer secret", events.Event(phone+".joined", map[string]any{}))

	requests := map[trace.SpanID]bool{}
	for _, s := range r.named("POST /hooks/ryze") {
		requests[s.SpanContext().SpanID()] = true
	}
	webhooks := map[trace.SpanID]bool{}
	var inboxes []string
	for _, s := range r.named("process message.exchange") {
		if values(s.Attributes())["ryze.event.via"] == "webhook" {
			assert.True(t, requests[s.Parent().SpanID()], "a child of the request")
			webhooks[s.SpanContext().SpanID()] = true
		}
	}
	for _, s := range r.named("process message.exchange") {
		if got := values(s.Attributes()); got["ryze.event.via"] == "inbox" {
			assert.True(t, webhooks[s.Parent().SpanID()], "a child of the delivery")
			inboxes = append(inboxes, fmt.Sprint(got["ryze.event.result"], " ", s.Status().Code))
		}
	}
	assert.Len(t, webhooks, 3)
	assert.Equal(t, []string{"failed Error", "handled Unset"}, inboxes)
	assert.Len(t, r.spans.Ended(), len(r.spans.Started()), "every span has ended")
	assert.Equal(t, map[string]int64{"messaging.destination.name=message.exchange": 1}, r.points(t, "ryze.event.repeated"))
	statuses := r.points(t, "ryze.delivery.duration")
	assert.Equal(t, int64(3), statuses["http.response.status_code=200"], statuses)
	assert.Len(t, statuses, 3, statuses)
	assert.NotEmpty(t, r.named("process _OTHER"))
	all := r.everything(t)
	for _, secret := range []string{phone, private, "secret", ryzetest.EventsToken} {
		assert.NotContains(t, all, secret)
	}
}

// What comes over a stream is a root also when an inbox takes it from the stream.
func TestAnInboxThatTakesFromAStreamMakesRoots(t *testing.T) {
	recorded(t, func(t *testing.T, _ *ryzetest.Server, line *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
		sub, err := inst.Subscribe(t.Context(), ryze.WithWebSocket(ryze.WebSocketConfig{}))
		require.NoError(t, err)
		line.Receive(ryzetest.Incoming{From: phone, Text: private})
		time.Sleep(time.Second)
		handled := make(chan struct{})
		inbox, err := ryze.NewInbox(func(context.Context, *ryze.Event) error { close(handled); return nil }, ryze.WithObserver(r.observer()))
		require.NoError(t, err)
		ctx, whole := r.tracers.Tracer("test").Start(t.Context(), "main")
		ended := make(chan error, 1)
		go func() { ended <- inbox.Run(ctx, sub) }()
		<-handled
		require.NoError(t, sub.Close())
		require.NoError(t, <-ended)
		whole.End()
		span := r.one(t, "process message.exchange")
		assert.False(t, span.Parent().IsValid())
		assert.Len(t, span.Links(), 1)
		assert.Equal(t, map[string]int64{"ryze.instance=" + line.Name(): 1}, r.points(t, "ryze.stream.lag"))
	})
}

func TestCallsAtTheSameTimeHaveSpansOfTheirOwn(t *testing.T) {
	recorded(t, func(t *testing.T, _ *ryzetest.Server, _ *ryzetest.Instance, inst *ryze.InstanceClient, r *recorder) {
		var calls sync.WaitGroup
		for range 80 {
			calls.Go(func() {
				_, err := inst.Messages.SendText(t.Context(), phone, private)
				assert.NoError(t, err)
				r.points(t, "ryze.quota.remaining")
			})
		}
		calls.Wait()
		spans := r.named("messages.text")
		require.Len(t, spans, 80)
		for _, s := range spans {
			attempts := 0
			for _, e := range s.Events() {
				if e.Name == "ryze.attempt" {
					attempts++
				}
			}
			assert.Equal(t, 1, attempts)
		}
		assert.Equal(t, map[string]int64{"ryze.operation=messages.text ryze.outcome=accepted": 80}, r.points(t, "ryze.call.duration"))
	})
}

func TestWithoutProvidersTheGlobalsAreUsedAndNilIsPassedOver(t *testing.T) {
	for _, opts := range [][]otelryze.Option{nil, {nil}, {otelryze.WithMeterProvider(nil), otelryze.WithTracerProvider(nil)}} {
		synctest.Test(t, func(t *testing.T) {
			srv, line, httpClient := ryzetest.New(t)
			inst, err := ryze.NewInstanceClient(line.Name(), line.Token(), ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient),
				ryze.WithObserver(otelryze.Observer(opts...)))
			require.NoError(t, err)
			_, err = inst.Messages.SendText(t.Context(), phone, private)
			require.NoError(t, err)
			require.NoError(t, inst.Client().Close())
		})
	}
}
