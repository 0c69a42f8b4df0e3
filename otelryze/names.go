package otelryze

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	ryze "github.com/ryzeapi/ryze-go"
)

// other stands for whatever is not on a list. It keeps the number of attribute values
// small, and keeps out what somebody has put into a path or a name.
const other = "_OTHER"

const (
	operationKey      = attribute.Key("ryze.operation")
	instanceKey       = attribute.Key("ryze.instance")
	outcomeKey        = attribute.Key("ryze.outcome")
	attemptsKey       = attribute.Key("ryze.attempts")
	waitsKey          = attribute.Key("ryze.waits")
	waitedKey         = attribute.Key("ryze.waited")
	priorityKey       = attribute.Key("ryze.priority")
	rateClassKey      = attribute.Key("ryze.rate_class")
	attemptNumberKey  = attribute.Key("ryze.attempt.number")
	attemptTimeKey    = attribute.Key("ryze.attempt.duration")
	attemptSentKey    = attribute.Key("ryze.attempt.sent")
	attemptAgainKey   = attribute.Key("ryze.attempt.again")
	attemptPauseKey   = attribute.Key("ryze.attempt.pause")
	eventViaKey       = attribute.Key("ryze.event.via")
	eventResultKey    = attribute.Key("ryze.event.result")
	streamLagKey      = attribute.Key("ryze.stream.lag")
	streamQueuedKey   = attribute.Key("ryze.stream.queued")
	gapReasonKey      = attribute.Key("ryze.gap.reason")
	attemptEvent      = "ryze.attempt"
	quotaWaitEvent    = "ryze.quota.wait"
	processOperation  = "process"
	receiveOperation  = "receive"
	messagingSystem   = "ryzeapi"
	priorityNameLow   = "low"
	priorityNameHigh  = "high"
	priorityNameOther = "normal"
)

// route is how a request of an operation looks.
type route struct {
	operation, method, template string
}

// names are those that may be recorded.
type names struct {
	routes map[string]route // by the id of the operation
	types  map[ryze.EventType]bool
}

func knownNames() names {
	n := names{routes: map[string]route{}, types: map[ryze.EventType]bool{
		ryze.EventMessage: true, ryze.EventReceipt: true, ryze.EventCall: true, ryze.EventGroup: true,
		ryze.EventInstanceState: true, ryze.EventLabel: true, ryze.EventGap: true,
	}}
	for _, op := range ryze.Operations() {
		n.routes[op.ID] = route{op.ID, op.Method, op.Path}
	}
	return n
}

// route returns how an operation may be called. An operation that [ryze.Client.Do]
// was asked for has the path in its id.
func (n *names) route(operation, method string) route {
	if r, ok := n.routes[operation]; ok {
		return r
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return route{operation: other, method: method}
	}
	return route{operation: other, method: other}
}

func (r route) attributes() []attribute.KeyValue {
	list := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(r.method)}
	if r.template != "" {
		list = append(list, semconv.URLTemplate(r.template))
	}
	return list
}

func (n *names) event(kind ryze.EventType) string {
	if n.types[kind] {
		return string(kind)
	}
	return other
}

func priorityName(p ryze.Priority) string {
	switch {
	case p < ryze.PriorityNormal:
		return priorityNameLow
	case p > ryze.PriorityNormal:
		return priorityNameHigh
	}
	return priorityNameOther
}

// withResult adds how something ended: status is 0 and failure is "" when there is none.
func withResult(list []attribute.KeyValue, status int, failure string) []attribute.KeyValue {
	if status != 0 {
		list = append(list, semconv.HTTPResponseStatusCode(status))
	}
	if failure != "" {
		list = append(list, semconv.ErrorTypeKey.String(failure))
	}
	return list
}

func withInstance(list []attribute.KeyValue, instance string) []attribute.KeyValue {
	if instance != "" {
		list = append(list, instanceKey.String(instance))
	}
	return list
}
