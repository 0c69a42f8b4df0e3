package ryze

// WebhookOption configures a [WebhookReceiver]. Each [ReadOption] and each
// [ReceiveOption] is one, too.
type WebhookOption interface {
	applyToWebhook(*webhookConfig) error
}

type webhookOption func(*webhookConfig) error

func (o webhookOption) applyToWebhook(c *webhookConfig) error { return o(c) }

type webhookConfig struct {
	reading
	handling

	accepted  []string
	instances map[string]bool
	state     Handler
}

// maxBareState bounds what is read from somebody who has not proved anything.
// A state event with six QR codes has about 2 KiB.
const maxBareState = 64 << 10

// WithAcceptedAuthorization accepts more values of the Authorization header. To
// change the value: accept both, change the webhook, then remove the old one.
func WithAcceptedAuthorization(values ...string) WebhookOption {
	return webhookOption(func(c *webhookConfig) error {
		for _, v := range values {
			if err := checkText("WithAcceptedAuthorization", v); err != nil {
				return err
			}
		}
		c.accepted = append(c.accepted, values...)
		return nil
	})
}

// WithInstances answers 403 to events of other instances, or of none. Names
// match exactly. Use it to keep customers apart.
func WithInstances(names ...string) WebhookOption {
	return webhookOption(func(c *webhookConfig) error {
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
	})
}

// WithUnauthenticatedState gives instance.state events without an Authorization
// header to handle, instead of an answer of 401. The service may send them so;
// see docs/service-notes.md.
//
// Anybody who knows the URL can forge one: it is a hint to ask
// [InstanceClient.Info]. It has only Type, Instance, state, time and number, no
// QR codes. A wrong header, or a body over 64 KiB, is still refused.
func WithUnauthenticatedState(handle Handler) WebhookOption {
	return webhookOption(func(c *webhookConfig) error {
		if handle == nil {
			return invalid("WithUnauthenticatedState", "was given no handler")
		}
		c.state = handle
		return nil
	})
}
