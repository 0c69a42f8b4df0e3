package ryze

import (
	"context"
	"slices"
	"time"
)

// ReceiveOption says how a [Handler] is called. It is an option of a stream
// ([Subscription.Handle]), of an [Inbox] and of a webhook ([NewWebhookHandler]).
type ReceiveOption interface {
	HandleOption
	InboxOption
	WebhookOption
}

// receiveOption is a [ReceiveOption].
type receiveOption func(*handling) error

func (o receiveOption) applyToHandle(h *handling) error       { return o(h) }
func (o receiveOption) applyToInbox(c *inboxConfig) error     { return o(&c.handling) }
func (o receiveOption) applyToWebhook(c *webhookConfig) error { return o(&c.handling) }

// WithErrorHandler has a function called with what goes wrong. It is called by
// the goroutine of the handler, before the next event of the same chat.
//
// Of a stream, it gets every error and panic of the handler, which then does not
// end [Subscription.Handle]. When it panics itself, Handle ends with that.
//
// Of an inbox, it gets what nobody else is told: events of a stream whose
// handling failed, and the failure of the store to record what was handled.
// Without it, panics and failures of the store go to the standard logger, and
// the errors of the handler for events of a stream are dropped. The failures of
// webhook deliveries go to the error handler of the webhook.
//
// Of a webhook, it gets every delivery that is not answered with 200, before the
// answer is sent. Without it, panics and mistakes in the configuration go to the
// ErrorLog of the [http.Server], where net/http reports panics too.
//
// [http.Server]: https://pkg.go.dev/net/http#Server
func WithErrorHandler(handle func(ctx context.Context, err *HandlerError)) ReceiveOption {
	return receiveOption(func(h *handling) error {
		if handle == nil {
			return invalid("WithErrorHandler", "was given no function")
		}
		h.report = handle
		return nil
	})
}

// WithHandlerTimeout ends the context of the handler d after the handler was
// called. Nobody stops a handler that does not heed its context: the next event
// of the chat, or the answer to the delivery, waits until it returns.
//
// The default of an inbox is one minute. It must be shorter than the lease of
// the store ([MemoryDedupe].Lease), or else another delivery of the event is
// handled while the first one is still at work.
//
// A stream has no limit by default. When it is told to stop, d, or else one
// minute, is how long handlers may go on; see [Subscription.Handle].
//
// A webhook has no limit by default. Only the end of the request ends the
// context, when the service hangs up. In front of an [Inbox] the limit is also
// that of the wait for the turn of the event.
func WithHandlerTimeout(d time.Duration) ReceiveOption {
	return receiveOption(func(h *handling) error {
		if d <= 0 {
			return invalid("WithHandlerTimeout", "is not a positive duration")
		}
		h.timeout = d
		return nil
	})
}

// WithConcurrency sets how many events are handled at the same time. The default
// of a stream and an inbox is 16, a webhook has no limit by default. With 1 a
// stream handles the events of all chats one after another, in the order in
// which they came.
//
// A delivery that waits for its turn is given up when its request ends. An inbox
// knows the order of each chat, so set the limit there and not at its webhook.
func WithConcurrency(n int) ReceiveOption {
	return receiveOption(func(h *handling) error {
		if n < 1 {
			return invalid("WithConcurrency", "is not positive")
		}
		h.concurrency = n
		return nil
	})
}

// ReadOption says which events are read. It is an option of a stream
// ([InstanceClient.Subscribe]) and of a webhook ([NewWebhookHandler]).
type ReadOption interface {
	SubscribeOption
	WebhookOption
}

// readOption is a [ReadOption].
type readOption func(*reading) error

func (o readOption) applyToStream(c *streamConfig) error   { return o(&c.reading) }
func (o readOption) applyToWebhook(c *webhookConfig) error { return o(&c.reading) }

// WithReadLimit sets the size in bytes of the largest event that is read. The
// default is 32 MiB, which is room for media of 24 MB in base64.
//
// The connection of a stream does not survive a larger event: see
// [ErrEventTooLarge]. A larger delivery of a webhook is answered with 413.
func WithReadLimit(bytes int64) ReadOption {
	return readOption(func(r *reading) error {
		if bytes < 1 {
			return invalid("WithReadLimit", "is not positive")
		}
		r.readLimit = bytes
		return nil
	})
}

// WithEvents leaves out events of other types than these. In a stream they do
// not enter the queue, so they do not wait behind a busy chat, nor count against
// the bounds of the queue. Gaps are always delivered. A webhook answers them with
// 200 and calls no handler, except that of [WithUnauthenticatedState].
//
// The service sends all events that the configuration of the instance asks for.
// To keep it from that, use [WithWebSocket] or [WebSocketService.Set], and
// [WebhookConfig] for a webhook.
func WithEvents(types ...EventType) ReadOption {
	types = slices.Clone(types)
	return readOption(func(r *reading) error {
		if len(types) == 0 || slices.Contains(types, "") {
			return invalid("WithEvents", "has no event type, or an empty one")
		}
		r.only = types
		return nil
	})
}
