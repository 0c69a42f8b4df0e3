package otelryze_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/otelryze"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A client whose calls are spans and measurements. A program would give the providers
// exporters, such as those of OTLP, where this one keeps everything in memory.
func ExampleObserver() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	line := sim.AddInstance("support-line")
	line.Pair("5511900000001")

	ctx := context.Background()
	spans, reader := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithObserver(otelryze.Observer(
		otelryze.WithTracerProvider(tracers), otelryze.WithMeterProvider(meters),
	)))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	_, err = client.Instance("support-line", line.Token()).Messages.SendText(ctx, "5511987654321", "Hello")
	fmt.Println(err)
	for _, span := range spans.GetSpans() {
		fmt.Println("span", span.Name, span.SpanKind)
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		fmt.Println(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		fmt.Println("metric", m.Name, m.Unit)
	}
	// Output:
	// <nil>
	// span messages.text client
	// metric http.client.request.duration s
	// metric ryze.call.duration s
	// metric ryze.quota.remaining {request}
}
