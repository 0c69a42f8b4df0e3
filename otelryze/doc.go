// Package otelryze makes OpenTelemetry spans and metrics of what package ryze
// does. [Observer] returns a [ryze.Observer]. Give it to [ryze.WithObserver], for a
// client, an inbox, or a receiver of webhooks:
//
//	client, err := ryze.FromEnv(ryze.WithObserver(otelryze.Observer()))
//
// A program of its own, with an SDK and Prometheus:
//
//	reader, err := prometheus.New() // go.opentelemetry.io/otel/exporters/prometheus
//	if err != nil {
//		return err
//	}
//	meters := metric.NewMeterProvider(metric.WithReader(reader)) // .../otel/sdk/metric
//	defer meters.Shutdown(context.Background())
//	observer := otelryze.Observer(otelryze.WithMeterProvider(meters))
//	client, err := ryze.FromEnv(ryze.WithObserver(observer))
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	http.Handle("/metrics", promhttp.Handler()) // .../prometheus/client_golang/prometheus/promhttp
//
// It depends on the API of OpenTelemetry only. Which exporter is used, and where
// spans and metrics go, is decided by the application, with an SDK. Without an SDK
// nothing is recorded. The example in examples/metrics serves the metrics to Prometheus.
//
// No span and no metric holds a token, a message's content, or the address of a
// person. A route that is not in [ryze.Operations] is called "_OTHER", since its
// path may name a person. The same holds for events of unknown types, and for
// methods that HTTP does not define. The name of the instance is recorded: do not
// put a phone number into it.
//
// # Spans
//
// Each call is one span of kind client, however many requests it takes. Its name is
// the id of the operation, such as "messages.text". The call goes on with the
// context of the span, so that the span of an instrumented transport is its child.
// Its attributes:
//
//   - http.request.method, url.template: the route
//   - http.response.status_code: of the last reply, if there was one
//   - error.type: what [ryze.ErrorType] says, when the call failed
//   - messaging.system: "ryzeapi"
//   - ryze.instance: the name, for a call of an instance
//   - ryze.outcome: "accepted", "not accepted", or "unknown"
//   - ryze.attempts: requests made
//   - ryze.waits, ryze.waited: waits for quota, and their seconds in all
//
// A call that failed has the status Error. An error may come with the outcome
// "accepted", when only a part of the work failed.
//
// Each request is an event "ryze.attempt" in the span of its call. It holds
// ryze.attempt.number, ryze.attempt.duration (seconds), ryze.attempt.sent, and the
// status code or the error. With ryze.attempt.again another one follows, after
// ryze.attempt.pause (seconds). Each wait for quota that has ended is an event
// "ryze.quota.wait", with ryze.waited (seconds) and ryze.priority ("low", "normal",
// or "high").
//
// Each event that is given to a handler is one span of kind consumer. Its name is
// "process" and the type of the event. Its attributes:
//
//   - messaging.system, messaging.operation.name, messaging.operation.type
//   - messaging.destination.name: the type of the event
//   - error.type, when the handler failed
//   - ryze.instance
//   - ryze.event.via: "stream", "webhook", or "inbox"
//   - ryze.event.result: "handled", "ignored", or "failed"
//   - ryze.stream.lag (seconds), ryze.stream.queued: for events of a stream
//
// Events of the service carry no trace context. So the span of an event of a
// stream is the root of a trace. It has a link to the span of the context with
// which the stream's handler was started, if there is one. The span of an event
// that a webhook brought is a child of the span of the HTTP request, if the
// application makes one. A handler gets the context of its span. The calls that
// it makes with that context are children of the span.
//
// # Metrics
//
// Durations are histograms, in seconds. The attributes stand in parentheses.
//
//   - http.client.request.duration: each request (http.request.method, url.template,
//     http.response.status_code, error.type). server.address is not recorded
//   - ryze.call.duration: each call, with all its attempts and waits
//     (ryze.operation, ryze.outcome, error.type)
//   - ryze.quota.wait: each wait for quota (ryze.priority, error.type)
//   - ryze.quota.remaining: a gauge, the requests left in the window
//     (ryze.instance, ryze.rate_class)
//   - ryze.stream.lag: how long an event of a stream waited for its handler
//     (ryze.instance)
//   - ryze.gap: a counter, the events lost, and the outages of streams
//     (ryze.instance, ryze.gap.reason)
//   - messaging.client.consumed.messages: a counter, the events that came over a
//     stream (messaging.system, messaging.operation.name, messaging.destination.name)
//   - messaging.process.duration: each event given to a handler
//     (messaging.system, messaging.operation.name, messaging.destination.name,
//     ryze.event.via, ryze.event.result, error.type)
//   - ryze.event.repeated: a counter, the events that an inbox left out because they
//     had been handled before (messaging.destination.name)
//   - ryze.delivery.duration: each delivery of a webhook
//     (http.response.status_code, error.type)
//
// The gauge holds what the newest reply said of a window. When the time of the
// window is over, it holds the limit. A token without a limit, and one of which
// nothing was heard for ten minutes, is not reported. When several tokens have the
// same attributes, the gauge holds the smallest number: those of accounts have no
// instance.
package otelryze
