package ryze

// ObserverOption is an option of a client ([New]), an [Inbox] and a webhook
// ([NewWebhookHandler]).
type ObserverOption interface {
	Option
	ReceiveOption
}

// WithObserver sets an observer of a client with its streams, an inbox or a
// webhook. The observer is copied.
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
