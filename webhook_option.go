package ryze

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// WebhookOption configures a [WebhookReceiver].
type WebhookOption func(*webhookConfig) error

type webhookConfig struct {
	accepted  []string
	limit     int64
	timeout   time.Duration
	instances map[string]bool
	state     func(context.Context, *Event) error
	report    func(context.Context, *WebhookError)
}

const (
	defaultWebhookLimit = 32 << 20
	// maxBareState bounds what is read from somebody who has not proved
	// anything. A state event with six QR codes has about 2 KiB.
	maxBareState = 64 << 10
)

// WithAcceptedAuthorization accepts further values of the Authorization header
// beside the first, for the time in which one value is replaced by another:
// accept both, change the webhook, then stop accepting the old one.
func WithAcceptedAuthorization(values ...string) WebhookOption {
	return func(c *webhookConfig) error {
		for _, v := range values {
			if err := checkText("WithAcceptedAuthorization", v); err != nil {
				return err
			}
		}
		c.accepted = append(c.accepted, values...)
		return nil
	}
}

// WithBodyLimit sets the largest body that is read, in bytes. The default,
// 32 MiB, has room for a file of 24 MB in a message event (mediaBase64). The
// largest body that the service sends is not documented.
func WithBodyLimit(n int64) WebhookOption {
	return func(c *webhookConfig) error {
		if n <= 0 {
			return invalid("WithBodyLimit", "is not a positive number of bytes")
		}
		c.limit = n
		return nil
	}
}

// WithHandleTimeout ends the context of the handler after d. The answer still
// waits until the handler returns: an event is neither accepted nor refused
// while it is being worked on. Without it only the end of the request, such as
// the service hanging up, ends the context. In front of an [Inbox] it limits
// how long a delivery waits for its turn.
func WithHandleTimeout(d time.Duration) WebhookOption {
	return func(c *webhookConfig) error {
		if d <= 0 {
			return invalid("WithHandleTimeout", "is not a positive duration")
		}
		c.timeout = d
		return nil
	}
}

// WithInstances refuses events of instances that are not named, and events
// that name none, with 403. Names are compared exactly. Use it when one
// application keeps several customers apart by instance.
func WithInstances(names ...string) WebhookOption {
	return func(c *webhookConfig) error {
		if len(names) == 0 {
			return invalid("WithInstances", "names no instance")
		}
		if c.instances == nil {
			c.instances = make(map[string]bool, len(names))
		}
		for _, name := range names {
			if err := checkInstanceName(name); err != nil {
				return err
			}
			c.instances[name] = true
		}
		return nil
	}
}

// WithUnauthenticatedState passes instance.state events that come without an
// Authorization header to handle instead of refusing them with 401. The service
// documents that it sends the header with every event; one of its users found
// that state events come without it.
//
// Anybody who knows the URL can forge such an event. It is therefore given to a
// function of its own, and holds no more than Type, Instance and the state, its
// time and the number: no QR codes, because whoever scans a forged one hands
// his account to the forger, and no Raw. Take it as a hint to ask
// [InstanceClient.Info], never as the truth, and use a URL that cannot be
// guessed. A wrong header is refused as always, as are bodies above 64 KiB.
func WithUnauthenticatedState(handle func(context.Context, *Event) error) WebhookOption {
	return func(c *webhookConfig) error {
		if handle == nil {
			return invalid("WithUnauthenticatedState", "was given no handler")
		}
		c.state = handle
		return nil
	}
}

// WithWebhookErrors calls report for every delivery that is not answered with
// 200, before the answer is sent, from the goroutine of the request. Without it
// panics of the handler, and what is wrong with the configuration, go to the
// ErrorLog of the [http.Server], where net/http reports panics too, and nothing
// else is reported.
func WithWebhookErrors(report func(context.Context, *WebhookError)) WebhookOption {
	return func(c *webhookConfig) error {
		if report == nil {
			return invalid("WithWebhookErrors", "was given no function")
		}
		c.report = report
		return nil
	}
}

// WebhookError says why a delivery was not accepted. Neither its text nor its
// printed form shows the body, a header or the content of the event, unless the
// error that the handler returned does.
type WebhookError struct {
	StatusCode int    // the answer
	Reason     string // why
	Event      *Event // nil when it was refused before it was read
	Err        error  // what the handler returned, a *PanicError, an *EventError, or nil
}

// Error gives the reason, the event by type, instance and id, and the cause.
func (e *WebhookError) Error() string {
	text := fmt.Sprintf("ryze: webhook: %s (HTTP %d)", e.Reason, e.StatusCode)
	if e.Event != nil {
		text += " " + e.Event.String()
	}
	if e.Err != nil {
		text += ": " + strings.TrimPrefix(e.Err.Error(), "ryze: ")
	}
	return text
}

// Unwrap returns the cause.
func (e *WebhookError) Unwrap() error { return e.Err }

// Format implements [fmt.Formatter], so that %+v and %#v print no more than %v.
func (e *WebhookError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }

// LogValue implements [slog.LogValuer] with what Error says.
func (e *WebhookError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Int("status", e.StatusCode), slog.String("reason", e.Reason)}
	if e.Event != nil {
		attrs = append(attrs, slog.Any("event", e.Event))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", printable(e.Err.Error())))
	}
	return slog.GroupValue(attrs...)
}

// tell reports an error. What nobody else would ever hear of is urgent.
func (c *webhookConfig) tell(ctx context.Context, err *WebhookError, urgent bool) {
	switch {
	case c.report != nil:
		if panicked := guard("the error handler", func() { c.report(ctx, err) }); panicked != nil {
			logUrgent(ctx, panicked)
		}
	case urgent:
		logUrgent(ctx, err)
	}
}
