package ryze

// WebhookOption configures a [WebhookReceiver]. Every [ReadOption] and every
// [ReceiveOption] is an option of a webhook, too.
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

// WithAcceptedAuthorization accepts further values of the Authorization header
// beside the first, for the time in which one value is replaced by another:
// accept both, change the webhook, then stop accepting the old one.
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

// WithInstances refuses events of instances that are not named, and events
// that name none, with 403. Names are compared exactly. Use it when one
// application keeps several customers apart by instance.
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
func WithUnauthenticatedState(handle Handler) WebhookOption {
	return webhookOption(func(c *webhookConfig) error {
		if handle == nil {
			return invalid("WithUnauthenticatedState", "was given no handler")
		}
		c.state = handle
		return nil
	})
}
