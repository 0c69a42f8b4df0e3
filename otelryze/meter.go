package otelryze

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	ryze "github.com/ryzeapi/ryze-go"
)

// meters are the instruments of an observer.
type meters struct {
	attempt, call, wait, lag, process, delivery histogram

	gap, received, repeated metric.Int64Counter

	quota quota
}

// Bounds of the histograms, in seconds. The first are those of the conventions for HTTP;
// a call may wait for the quota of several minutes.
var (
	boundsOfRequest = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	boundsOfWait    = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}
)

func (m *meters) init(provider metric.MeterProvider) {
	meter := provider.Meter(scope, metric.WithInstrumentationVersion(ryze.Version), metric.WithSchemaURL(semconv.SchemaURL))
	m.attempt = newHistogram(meter, "http.client.request.duration", "Duration of HTTP client requests.", boundsOfRequest)
	m.call = newHistogram(meter, "ryze.call.duration", "Duration of calls, with all attempts and waits.", boundsOfWait)
	m.wait = newHistogram(meter, "ryze.quota.wait", "Time that calls waited for quota.", boundsOfWait)
	m.lag = newHistogram(meter, "ryze.stream.lag", "Time that events of a stream waited for their handler.", boundsOfWait)
	m.process = newHistogram(meter, "messaging.process.duration", "Duration of processing operation.", boundsOfRequest)
	m.delivery = newHistogram(meter, "ryze.delivery.duration", "Duration of deliveries to a webhook, until they were answered.", boundsOfRequest)
	m.gap = newCounter(meter, "ryze.gap", "{gap}", "Events that streams lost, and outages of streams.")
	m.received = newCounter(meter, "messaging.client.consumed.messages", "{message}", "Number of messages that were delivered to the application.")
	m.repeated = newCounter(meter, "ryze.event.repeated", "{event}", "Events left out because they had been handled before.")
	m.quota.tokens = map[ryze.LimiterKey]heard{}
	remaining, err := meter.Int64ObservableGauge("ryze.quota.remaining",
		metric.WithUnit("{request}"), metric.WithDescription("Requests left in the window of a token."))
	if err == nil {
		_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			for set, left := range m.quota.remaining(time.Now()) {
				o.ObserveInt64(remaining, left, metric.WithAttributeSet(set.attributes()))
			}
			return nil
		}, remaining)
	}
	report(err)
}

// histogram records durations.
type histogram struct{ metric.Float64Histogram }

func (h histogram) record(ctx context.Context, d time.Duration, attributes []attribute.KeyValue) {
	h.Record(ctx, d.Seconds(), metric.WithAttributes(attributes...))
}

func newHistogram(meter metric.Meter, name, description string, bounds []float64) histogram {
	h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(bounds...))
	if report(err) || h == nil {
		h = noop.Float64Histogram{}
	}
	return histogram{h}
}

func newCounter(meter metric.Meter, name, unit, description string) metric.Int64Counter {
	c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	if report(err) || c == nil {
		c = noop.Int64Counter{}
	}
	return c
}

// report tells OpenTelemetry of an error: an observer works without the instrument.
func report(err error) bool {
	if err != nil {
		otel.Handle(err)
	}
	return err != nil
}
