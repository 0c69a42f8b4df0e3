package ryze

import (
	"context"
	"slices"
	"time"
)

// ReceiveOption sets how a [Handler] is called, by a stream
// ([Subscription.Handle]), an [Inbox] or a webhook ([NewWebhookHandler]).
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

// WithErrorHandler sets a function that is told of errors, before the next event
// of the same chat.
//
//   - Stream: each error and panic of the handler, which then does not end
//     [Subscription.Handle].
//   - Inbox: failed events of streams and failures of the store. By default
//     panics and the store's failures go to the standard logger.
//   - Webhook: each delivery that is not answered with 200. By default panics
//     and bad configuration go to the server's ErrorLog.
func WithErrorHandler(handle func(ctx context.Context, err *HandlerError)) ReceiveOption {
	return receiveOption(func(h *handling) error {
		if handle == nil {
			return invalid("WithErrorHandler", "was given no function")
		}
		h.report = handle
		return nil
	})
}

// WithHandlerTimeout ends the handler's context after d. A handler that ignores
// it still holds up its chat.
//
//   - Inbox: one minute by default. It must be shorter than the store's lease
//     ([MemoryDedupe].Lease).
//   - Stream: none by default. After a stop, handlers may go on for d, or one
//     minute.
//   - Webhook: none by default, but the request's end. In front of an [Inbox] d
//     also limits the wait.
func WithHandlerTimeout(d time.Duration) ReceiveOption {
	return receiveOption(func(h *handling) error {
		if d <= 0 {
			return invalid("WithHandlerTimeout", "is not a positive duration")
		}
		h.timeout = d
		return nil
	})
}

// WithConcurrency sets how many events are handled at the same time. The
// default is 16 for streams and inboxes; webhooks have no limit. With 1 a
// stream handles all chats in one order. With an inbox set it there, not at its
// webhook.
func WithConcurrency(n int) ReceiveOption {
	return receiveOption(func(h *handling) error {
		if n < 1 {
			return invalid("WithConcurrency", "is not positive")
		}
		h.concurrency = n
		return nil
	})
}

// ReadOption sets which events are read, by a stream
// ([InstanceClient.Subscribe]) or a webhook ([NewWebhookHandler]).
type ReadOption interface {
	SubscribeOption
	WebhookOption
}

// readOption is a [ReadOption].
type readOption func(*reading) error

func (o readOption) applyToStream(c *streamConfig) error   { return o(&c.reading) }
func (o readOption) applyToWebhook(c *webhookConfig) error { return o(&c.reading) }

// WithReadLimit sets the size of the largest event, in bytes. The default is 32
// MiB: media of 24 MB in base64. A larger event ends a stream's connection; see
// [ErrEventTooLarge]. A larger delivery is answered with 413.
func WithReadLimit(bytes int64) ReadOption {
	return readOption(func(r *reading) error {
		if bytes < 1 {
			return invalid("WithReadLimit", "is not positive")
		}
		r.readLimit = bytes
		return nil
	})
}

// WithEvents reads only events of these types, and gaps. Others do not enter a
// stream's queue. A webhook answers them with 200, without a handler, except
// that of [WithUnauthenticatedState]. To stop the service from sending them,
// use [WithWebSocket] or [WebhookConfig].
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
