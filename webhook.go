package ryze

import (
	"context"
	"net/url"
)

// WebhooksService sets where the service delivers an instance's events: up to
// three enabled webhooks, told apart by their labels. To receive the
// deliveries use [NewWebhookHandler].
type WebhooksService service

// DefaultWebhookLabel is the label of the webhook that is set at creation.
const DefaultWebhookLabel = "default"

// WebhookConfig is one webhook of an instance.
type WebhookConfig struct {
	Meta `json:"-"`

	Label   string // "" stands for [DefaultWebhookLabel]
	Enabled bool   // read only: Set always enables
	URL     string
	// Authorization is sent verbatim as the Authorization header of each
	// delivery, scheme included. It is the only proof of origin: deliveries
	// are not signed. One public client saw instance.state events arrive
	// without it.
	Authorization Secret
	ByEvents      bool        // append "/<event name>" to the URL's path
	Events        []EventType // empty for all
	MediaBase64   bool        // put the file into message events
}

func (c *WebhookConfig) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return invalid("Webhook.URL", "is empty")
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "":
		return invalid("Webhook.URL", "is not a full http or https URL")
	}
	if c.Authorization != "" {
		if err := checkText("Webhook.Authorization", c.Authorization.Reveal()); err != nil {
			return err
		}
	}
	return nil
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
	Label         string      `json:"label"`
	Enabled       bool        `json:"enabled"`
	URL           string      `json:"url"`
	Authorization Secret      `json:"authorization"`
	ByEvents      bool        `json:"byEvents"`
	Events        []EventType `json:"events"`
	MediaBase64   bool        `json:"mediaBase64"`
}

func (w *wireWebhook) config() *WebhookConfig {
	return &WebhookConfig{
		Label: w.Label, Enabled: w.Enabled, URL: w.URL, Authorization: w.Authorization,
		ByEvents: w.ByEvents, Events: w.Events, MediaBase64: w.MediaBase64,
	}
}

type webhookReply struct {
	envelope
	Webhook  *wireWebhook   `json:"webhook"`
	Webhooks []*wireWebhook `json:"webhooks"`
}

func webhook(r *webhookReply, err error) (*WebhookConfig, error) {
	if err != nil {
		return nil, err
	}
	c := r.Webhook.config()
	c.Meta = r.Meta
	return c, nil
}

func (r *webhookReply) missing() string {
	if r.Webhook == nil {
		return "the reply has no webhook"
	}
	return ""
}

// Set creates or replaces the webhook of config's label and enables it. Every
// field replaces the stored one. It returns what the service has stored. A
// fourth enabled webhook is refused; with which error is not documented.
//
// POST /api/events/webhook/:instance. Safe to repeat.
func (s *WebhooksService) Set(ctx context.Context, config WebhookConfig) (*WebhookConfig, error) {
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
	return webhook(fetchChecked(ctx, s.h, opWebhookSet, input{body: body}, (*webhookReply).missing))
}

// Disable stops the deliveries of the webhook with that label; "" is the
// default one. The service keeps the row, without URL, authorization and
// filter, and no longer counts it.
//
// POST /api/events/webhook/:instance. Safe to repeat.
func (s *WebhooksService) Disable(ctx context.Context, label string) error {
	return run(ctx, s.h, opWebhookSet, input{body: webhookBody{Label: labelOr(label)}})
}

// Get returns the webhook with that label; "" is the default one. [ErrNotFound]
// when there is none.
//
// GET /api/events/getWebhook/:instance. Safe to repeat.
func (s *WebhooksService) Get(ctx context.Context, label string) (*WebhookConfig, error) {
	in := input{query: url.Values{"label": {labelOr(label)}}.Encode()}
	return webhook(fetchChecked(ctx, s.h, opWebhookGet, in, (*webhookReply).missing))
}

// List returns every webhook, disabled ones included, sorted by label.
//
// GET /api/events/getWebhook/:instance. Safe to repeat.
func (s *WebhooksService) List(ctx context.Context) ([]WebhookConfig, error) {
	r, err := fetchChecked(ctx, s.h, opWebhookGet, input{}, func(r *webhookReply) string {
		if r.Webhooks == nil {
			return "the reply has no webhooks"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	list := make([]WebhookConfig, 0, len(r.Webhooks))
	for _, w := range r.Webhooks {
		if w == nil {
			continue
		}
		c := w.config()
		c.RateLimit = r.RateLimit
		list = append(list, *c)
	}
	return list, nil
}

func labelOr(label string) string {
	if label == "" {
		return DefaultWebhookLabel
	}
	return label
}
