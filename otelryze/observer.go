package otelryze

import (
	"go.opentelemetry.io/otel/trace"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	ryze "github.com/ryzeapi/ryze-go"
)

const scope = "github.com/ryzeapi/ryze-go/otelryze"

// Observer returns an observer for [ryze.WithObserver] that makes spans and
// metrics; the package comment lists them. Nil options do nothing.
//
// One observer serves many clients, inboxes and receivers. Make one for each
// pair of providers and keep it: its gauge is read while its metrics provider
// lives.
func Observer(opts ...Option) *ryze.Observer {
	c := configOf(opts)
	t := &telemetry{
		tracer: c.tracers.Tracer(scope, trace.WithInstrumentationVersion(ryze.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		names:  knownNames(),
	}
	t.meters.init(c.meters)
	return &ryze.Observer{
		CallStart:         t.callStart,
		CallDone:          t.callDone,
		AttemptDone:       t.attemptDone,
		QuotaWaitDone:     t.quotaWaitDone,
		QuotaChange:       t.quotaChange,
		StreamStateChange: t.streamStateChange,
		EventReceived:     t.eventReceived,
		EventsDropped:     t.eventsDropped,
		EventStart:        t.eventStart,
		EventDone:         t.eventDone,
		DeliveryDone:      t.deliveryDone,
	}
}

// telemetry is what the functions of one observer share.
type telemetry struct {
	tracer trace.Tracer
	names  names
	meters meters
}

// spanKey finds the span of a call or an event in its context. It names its owner, so
// that two observers, one of which calls the other, keep their spans apart.
type spanKey struct {
	owner *telemetry
	event bool
}
