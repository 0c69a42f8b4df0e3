package ryze

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// WebhooksService sets where the service delivers an instance's events: up to
// three enabled webhooks. Receive them with [NewWebhookHandler].
type WebhooksService service

// DefaultWebhookLabel is the label of the webhook that is set at creation.
const DefaultWebhookLabel = "default"

// WebhookConfig is a webhook that an instance should have.
type WebhookConfig struct {
	Label string // "" stands for [DefaultWebhookLabel]
	URL   string
	// Authorization is the whole value of each delivery's Authorization header,
	// with its scheme. It is the only proof of origin, and instance.state may
	// come without it; see docs/service-notes.md.
	Authorization Secret
	ByEvents      bool        // append "/<event name>" to the URL's path
	Events        []EventType // of the six event types; empty for all
	MediaBase64   bool        // put the file into message events
}

// secrets returns what of the configuration must not come back in an error: the
// authorization, also without its scheme, and a password in the URL.
func (c *WebhookConfig) secrets() []Secret {
	list := []Secret{c.Authorization}
	if _, credentials, ok := strings.Cut(c.Authorization.Reveal(), " "); ok {
		list = append(list, Secret(credentials))
	}
	if u, err := url.Parse(c.URL); err == nil && u.User != nil {
		password, _ := u.User.Password()
		list = append(list, Secret(password))
	}
	return list
}

// Webhook is a webhook that the service has. Its WebhookConfig can be changed
// and given to [WebhooksService.Set].
type Webhook struct {
	Meta `json:"-"`
	WebhookConfig

	// Enabled is false for a disabled webhook. The service keeps its label
	// only.
	Enabled bool
}

// Format implements [fmt.Formatter] without secrets.
func (c WebhookConfig) Format(f fmt.State, verb rune) {
	type plain WebhookConfig
	formatPlain(f, verb, plain(c))
}

// Format implements [fmt.Formatter] without secrets.
func (w Webhook) Format(f fmt.State, verb rune) {
	type plain struct { // not embedded: its Format would print for all
		Meta          Meta
		WebhookConfig WebhookConfig
		Enabled       bool
	}
	formatPlain(f, verb, plain{w.Meta, w.WebhookConfig, w.Enabled})
}

func (c *WebhookConfig) check() error {
	if err := checkFullURL("Webhook.URL", c.URL); err != nil {
		return err
	}
	if c.Authorization != "" {
		if err := checkText("Webhook.Authorization", c.Authorization.Reveal()); err != nil {
			return err
		}
	}
	if err := checkTexts("Webhook", c); err != nil {
		return err
	}
	return checkEvents("Webhook.Events", c.Events)
}

// webhookBody always carries every field, because the service does not
// document what an absent one becomes.
type webhookBody struct {
	Label         string      `json:"label"`
	Enabled       bool        `json:"enabled"`
	URL           string      `json:"url,omitempty"`
	Authorization string      `json:"authorization,omitempty"`
	ByEvents      *bool       `json:"byEvents,omitempty"`
	Events        []EventType `json:"events,omitzero"`
	MediaBase64   *bool       `json:"mediaBase64,omitempty"`
}

type wireWebhook struct {
	Label         string     `json:"label"`
	Enabled       wireBool   `json:"enabled"`
	URL           string     `json:"url"`
	Authorization Secret     `json:"authorization"`
	ByEvents      wireBool   `json:"byEvents"`
	Events        wireEvents `json:"events"`
	MediaBase64   wireBool   `json:"mediaBase64"`
}

func (w *wireWebhook) webhook(meta Meta) Webhook {
	return Webhook{Meta: meta, Enabled: w.Enabled.on, WebhookConfig: WebhookConfig{
		Label: w.Label, URL: w.URL, Authorization: w.Authorization,
		ByEvents: w.ByEvents.on, Events: w.Events, MediaBase64: w.MediaBase64.on,
	}}
}

type webhookReply struct {
	envelope
	Webhook object[wireWebhook] `json:"webhook"`
}

func webhook(r *webhookReply, err error) (*Webhook, error) {
	if err != nil {
		return nil, err
	}
	w := r.Webhook.value.webhook(r.Meta)
	return &w, nil
}

func (r *webhookReply) missing() string {
	if r.Webhook.value == nil {
		return "the reply has no webhook"
	}
	return ""
}

// Set creates or replaces the webhook of this label, with every field, and
// enables it. It returns the stored one without a comparison: see
// [WebhooksService.Ensure]. An unknown event is a [*ValidationError]. The
// service refuses a fourth enabled webhook.
//
// POST /api/events/webhook/:instance. Safe to repeat.
func (s *WebhooksService) Set(ctx context.Context, config WebhookConfig) (*Webhook, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	body := webhookBody{
		Label: labelOr(config.Label), Enabled: true, URL: config.URL, Authorization: config.Authorization.Reveal(),
		ByEvents: &config.ByEvents, Events: config.Events, MediaBase64: &config.MediaBase64,
	}
	if body.Events == nil {
		body.Events = []EventType{}
	}
	in := input{body: body, secrets: config.secrets()}
	return webhook(fetchChecked(ctx, s.h, opWebhookSet, in, (*webhookReply).missing))
}

// Disable stops the webhook with this label; "" is the default one. The service
// keeps the label, without URL, authorization and filter, and does not count
// it.
//
// POST /api/events/webhook/:instance. Safe to repeat.
func (s *WebhooksService) Disable(ctx context.Context, label string) error {
	return run(ctx, s.h, opWebhookSet, input{body: webhookBody{Label: labelOr(label)}})
}

// Get returns the webhook with this label; "" is the default one. It returns
// [ErrNotFound] when there is none.
//
// GET /api/events/getWebhook/:instance. Safe to repeat.
func (s *WebhooksService) Get(ctx context.Context, label string) (*Webhook, error) {
	return s.get(ctx, label)
}

// get is Get for a call that knows secrets, which an error might quote.
func (s *WebhooksService) get(ctx context.Context, label string, secrets ...Secret) (*Webhook, error) {
	in := input{query: url.Values{"label": {labelOr(label)}}.Encode(), secrets: secrets}
	return webhook(fetchChecked(ctx, s.h, opWebhookGet, in, (*webhookReply).missing))
}

// List returns all webhooks, also disabled ones, by label.
//
// GET /api/events/getWebhook/:instance. Safe to repeat.
func (s *WebhooksService) List(ctx context.Context) ([]Webhook, error) { return s.list(ctx) }

// list is List for a call that knows secrets, which an error might quote.
func (s *WebhooksService) list(ctx context.Context, secrets ...Secret) ([]Webhook, error) {
	return fetchList(ctx, s.h, opWebhookGet, input{secrets: secrets}, []string{"webhooks"}, (*wireWebhook).webhook)
}

func labelOr(label string) string {
	if label == "" {
		return DefaultWebhookLabel
	}
	return label
}

// webhookBlock is a webhook in the creation of an instance.
type webhookBlock struct {
	Enabled       bool        `json:"webhookEnabled"`
	URL           string      `json:"webhookURL,omitempty"`
	Authorization string      `json:"webhookAuthorization,omitempty"`
	ByEvents      bool        `json:"webhookByEvents"`
	Events        []EventType `json:"webhookEvents,omitempty"`
	MediaBase64   bool        `json:"webhookMediaBase64"`
}

// block returns what travels at the creation of an instance; nil is none.
func (c *WebhookConfig) block() (*webhookBlock, error) {
	if c == nil {
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Label != "" && c.Label != DefaultWebhookLabel {
		return nil, invalid("Webhook.Label", "is "+quoted(c.Label)+"; at creation it is always "+quoted(DefaultWebhookLabel)+": set further webhooks afterwards")
	}
	return &webhookBlock{true, c.URL, c.Authorization.Reveal(), c.ByEvents, c.Events, c.MediaBase64}, nil
}
