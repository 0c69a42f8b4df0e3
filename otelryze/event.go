package otelryze

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	ryze "github.com/ryzeapi/ryze-go"
)

// eventSpan is the span of an event whose handler is at work.
type eventSpan struct {
	span trace.Span
	kind ryze.EventType
	via  string
}

func (t *telemetry) eventStart(ctx context.Context, info ryze.EventInfo) context.Context {
	streamed := info.Via == "stream" || info.Lag > 0
	attributes := withInstance(append(t.messaging(info.Type, processOperation),
		semconv.MessagingOperationTypeProcess, eventViaKey.String(info.Via)), info.Instance)
	opts := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer)}
	_, nested := ctx.Value(spanKey{owner: t, event: true}).(*eventSpan)
	if streamed && !nested {
		attributes = append(attributes, streamLagKey.Float64(info.Lag.Seconds()), streamQueuedKey.Int(info.Queued))
		t.meters.lag.record(ctx, info.Lag, withInstance(nil, info.Instance))
		// The context is that of the whole stream. Its span, if any, may last for
		// days, and would gather every event in one trace.
		opts = append(opts, trace.WithNewRoot())
		if whole := trace.SpanContextFromContext(ctx); whole.IsValid() {
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: whole}))
		}
	}
	own := &eventSpan{kind: info.Type, via: info.Via}
	ctx, own.span = t.tracer.Start(ctx, processOperation+" "+t.names.event(info.Type), append(opts, trace.WithAttributes(attributes...))...)
	return context.WithValue(ctx, spanKey{owner: t, event: true}, own)
}

func (t *telemetry) eventDone(ctx context.Context, info ryze.EventDoneInfo) {
	if info.Result == "repeated" { // no handler was called, so that there is no span
		t.meters.repeated.Add(ctx, 1, metric.WithAttributes(semconv.MessagingDestinationName(t.names.event(info.Type))))
		return
	}
	result := withResult([]attribute.KeyValue{eventResultKey.String(info.Result)}, 0, info.Error)
	t.meters.process.record(ctx, info.Duration, append(append(t.messaging(info.Type, processOperation),
		eventViaKey.String(info.Via)), result...))
	own, ok := ctx.Value(spanKey{owner: t, event: true}).(*eventSpan)
	if !ok || own.kind != info.Type || own.via != info.Via {
		return
	}
	own.span.SetAttributes(result...)
	if info.Result == "failed" {
		own.span.SetStatus(codes.Error, info.Error)
	}
	own.span.End()
}

func (t *telemetry) messaging(kind ryze.EventType, operation string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String(messagingSystem),
		semconv.MessagingOperationName(operation),
		semconv.MessagingDestinationName(t.names.event(kind)),
	}
}

func (t *telemetry) streamStateChange(ctx context.Context, info ryze.StreamStateInfo) {
	if info.State == ryze.StreamReconnecting {
		t.lost(ctx, info.Instance, ryze.GapOutage, 1)
	}
}

func (t *telemetry) eventsDropped(ctx context.Context, info ryze.EventsDroppedInfo) {
	t.lost(ctx, info.Instance, info.Reason, info.Count)
}

func (t *telemetry) lost(ctx context.Context, instance string, reason ryze.GapReason, count int) {
	t.meters.gap.Add(ctx, int64(count), metric.WithAttributes(
		withInstance([]attribute.KeyValue{gapReasonKey.String(string(reason))}, instance)...))
}

func (t *telemetry) eventReceived(ctx context.Context, info ryze.EventInfo) {
	t.meters.received.Add(ctx, 1, metric.WithAttributes(t.messaging(info.Type, receiveOperation)...))
}

func (t *telemetry) deliveryDone(ctx context.Context, info ryze.DeliveryDoneInfo) {
	t.meters.delivery.record(ctx, info.Duration, withResult(nil, info.StatusCode, info.Error))
}
