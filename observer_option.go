package ryze

// ObserverOption says who is told of what happens. It is an option of a client
// ([New]), of an [Inbox] and of a webhook ([NewWebhookHandler]).
type ObserverOption interface {
	Option
	ReceiveOption
}

// WithObserver has an observer told of what a client does, with its streams, or an
// inbox, or a receiver of webhooks. A stream's [Subscription.Handle] has that of its
// client. The observer is copied: changing it later has no effect.
func WithObserver(o *Observer) ObserverOption {
	return observerOption{o}
}

type observerOption struct{ observer *Observer }

func (o observerOption) applyToClient(c *config) error         { return o.copyTo(&c.observer) }
func (o observerOption) applyToHandle(h *handling) error       { return o.copyTo(&h.observer) }
func (o observerOption) applyToInbox(c *inboxConfig) error     { return o.copyTo(&c.observer) }
func (o observerOption) applyToWebhook(c *webhookConfig) error { return o.copyTo(&c.observer) }

func (o observerOption) copyTo(to **Observer) error {
	if o.observer == nil {
		return invalid("WithObserver", "was given no observer")
	}
	*to = new(*o.observer)
	return nil
}
