package otelryze

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	ryze "github.com/ryzeapi/ryze-go"
)

// callSpan is the span of a call that is under way.
type callSpan struct {
	span  trace.Span
	call  ryze.CallInfo
	route route
}

func (t *telemetry) callStart(ctx context.Context, info ryze.CallInfo) context.Context {
	own := &callSpan{call: info, route: t.names.route(info.Operation, info.Method)}
	attributes := append(own.route.attributes(), semconv.MessagingSystemKey.String(messagingSystem))
	attributes = withInstance(attributes, info.Instance)
	ctx, own.span = t.tracer.Start(ctx, own.route.operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	return context.WithValue(ctx, spanKey{owner: t}, own)
}

func (t *telemetry) callDone(ctx context.Context, info ryze.CallDoneInfo) {
	outcome := outcomeKey.String(info.Outcome.String())
	t.meters.call.record(ctx, info.Duration, withResult([]attribute.KeyValue{
		operationKey.String(t.names.route(info.Operation, info.Method).operation), outcome,
	}, 0, info.Error))
	span := t.callSpan(ctx, info.CallInfo)
	if span == nil {
		return
	}
	span.SetAttributes(withResult([]attribute.KeyValue{
		outcome, attemptsKey.Int(info.Attempts), waitsKey.Int(info.Waits), waitedKey.Float64(info.Waited.Seconds()),
	}, info.StatusCode, info.Error)...)
	if info.Error != "" {
		span.SetStatus(codes.Error, info.Error)
	}
	span.End()
}

func (t *telemetry) attemptDone(ctx context.Context, info ryze.AttemptDoneInfo) {
	r := t.names.route(info.Operation, info.Method)
	if own := t.callOf(ctx, info.CallInfo); own != nil {
		r = own.route
		attributes := withResult([]attribute.KeyValue{
			attemptNumberKey.Int(info.Number), attemptTimeKey.Float64(info.Duration.Seconds()),
			attemptSentKey.Bool(info.Sent), attemptAgainKey.Bool(info.Again),
		}, info.StatusCode, info.Error)
		if info.Again {
			attributes = append(attributes, attemptPauseKey.Float64(info.Pause.Seconds()))
		}
		own.span.AddEvent(attemptEvent, trace.WithAttributes(attributes...))
	}
	t.meters.attempt.record(ctx, info.Duration, withResult(r.attributes(), info.StatusCode, info.Error))
}

func (t *telemetry) quotaWaitDone(ctx context.Context, info ryze.QuotaWaitInfo) {
	attributes := withResult([]attribute.KeyValue{priorityKey.String(priorityName(info.Priority))}, 0, info.Error)
	t.meters.wait.record(ctx, info.Waited, attributes)
	if span := t.callSpan(ctx, info.CallInfo); span != nil {
		span.AddEvent(quotaWaitEvent, trace.WithAttributes(append(attributes, waitedKey.Float64(info.Waited.Seconds()))...))
	}
}

func (t *telemetry) quotaChange(_ context.Context, info ryze.QuotaInfo) {
	t.meters.quota.set(info)
}

// callOf returns the call that a context belongs to. The attempts of a stream belong to none.
func (t *telemetry) callOf(ctx context.Context, call ryze.CallInfo) *callSpan {
	own, ok := ctx.Value(spanKey{owner: t}).(*callSpan)
	if !ok || own.call != call {
		return nil
	}
	return own
}

func (t *telemetry) callSpan(ctx context.Context, call ryze.CallInfo) trace.Span {
	if own := t.callOf(ctx, call); own != nil {
		return own.span
	}
	return nil
}
