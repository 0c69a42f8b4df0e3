package ryze

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
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

// Format implements [fmt.Formatter]: with any verb, no secret is printed.
func (c WebhookConfig) Format(f fmt.State, verb rune) {
	type plain WebhookConfig
	formatPlain(f, verb, plain(c))
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
	return checkTexts("Webhook", c)
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
	Webhook *wireWebhook `json:"webhook"`
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
	in := input{body: body, secrets: []Secret{config.Authorization}}
	return webhook(fetchChecked(ctx, s.h, opWebhookSet, in, (*webhookReply).missing))
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

// MaxWebhooks is how many webhooks of an instance can be enabled at a time.
const MaxWebhooks = 3

// ErrTooManyWebhooks says that the instance has [MaxWebhooks] enabled webhooks
// already.
var ErrTooManyWebhooks = errors.New("too many enabled webhooks")

// EnsuredWebhook is a webhook that the service was seen to have as asked for.
type EnsuredWebhook struct {
	WebhookConfig

	// Changed is false when nothing had to be written.
	Changed bool
	// Stray are the labels of the other enabled webhooks of the instance,
	// sorted. Each of them receives the events that it asks for as well; see
	// [WebhooksService.DisableOthers].
	Stray []string
}

// Format implements [fmt.Formatter]: with any verb, no secret is printed.
func (e EnsuredWebhook) Format(f fmt.State, verb rune) {
	type plain struct { // not embedded: its Format would print for all
		WebhookConfig WebhookConfig
		Changed       bool
		Stray         []string
	}
	formatPlain(f, verb, plain{e.WebhookConfig, e.Changed, e.Stray})
}

// Ensure makes the webhook of config's label be as config says: it reads what
// there is, writes only when a field differs, and then reads it back and
// compares every field. Run it at each start of a program: webhooks drift, for
// example when somebody sets one by hand, or when the block that sets one at
// the creation of the instance fails.
//
// The order of Events does not count, and all six events are the same as none.
// Whether an empty Authorization takes a stored one away is not documented; if
// it does not, Ensure says so, and [WebhooksService.Disable] clears it.
//
// [*ConfigMismatchError] when the service has stored something else than it was
// told; [ErrTooManyWebhooks], before anything is written, when the label is not
// enabled yet and three others are.
//
// GET /api/events/getWebhook/:instance, POST /api/events/webhook/:instance.
// Safe to repeat.
func (s *WebhooksService) Ensure(ctx context.Context, config WebhookConfig) (*EnsuredWebhook, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config.Label, config.Enabled = labelOr(config.Label), true
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	ensured := &EnsuredWebhook{}
	var stored *WebhookConfig
	for i := range all {
		switch {
		case all[i].Label == config.Label:
			stored = &all[i]
		case all[i].Enabled:
			ensured.Stray = append(ensured.Stray, all[i].Label)
		}
	}
	slices.Sort(ensured.Stray)
	if stored != nil && len(config.differences(stored)) == 0 {
		ensured.WebhookConfig = *stored
		return ensured, nil
	}
	if (stored == nil || !stored.Enabled) && len(ensured.Stray) >= MaxWebhooks {
		return nil, fmt.Errorf("ryze: webhook %s: %w: %s", quoted(config.Label), ErrTooManyWebhooks, quotedList(ensured.Stray))
	}
	if _, err := s.Set(ctx, config); err != nil {
		return nil, err
	}
	stored, err = s.Get(ctx, config.Label)
	if err != nil {
		return nil, err
	}
	if diff := config.differences(stored); len(diff) > 0 {
		return nil, &ConfigMismatchError{
			What: "webhook " + quoted(config.Label), Fields: diff,
			Quoted: isQuotedForm(stored.Authorization.Reveal(), config.Authorization.Reveal()),
		}
	}
	ensured.WebhookConfig, ensured.Changed = *stored, true
	return ensured, nil
}

// DisableOthers disables every enabled webhook whose label is not in keep (""
// is the default one) and returns the labels that it disabled, also when it
// stops at an error. It takes at least one label to keep.
//
// GET /api/events/getWebhook/:instance, POST /api/events/webhook/:instance.
// Safe to repeat.
func (s *WebhooksService) DisableOthers(ctx context.Context, keep ...string) (disabled []string, err error) {
	if len(keep) == 0 {
		return nil, invalid("keep", "names no webhook")
	}
	keep = slices.Clone(keep)
	for i := range keep {
		keep[i] = labelOr(keep[i])
	}
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if !all[i].Enabled || slices.Contains(keep, all[i].Label) {
			continue
		}
		if err := s.Disable(ctx, all[i].Label); err != nil {
			return disabled, err
		}
		disabled = append(disabled, all[i].Label)
	}
	return disabled, nil
}

// differences names the fields in which stored is not what c asks for.
func (c *WebhookConfig) differences(stored *WebhookConfig) []string {
	var d []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"Label", labelOr(c.Label) == stored.Label},
		{"Enabled", stored.Enabled},
		{"URL", c.URL == stored.URL},
		{"Authorization", c.Authorization == stored.Authorization},
		{"ByEvents", c.ByEvents == stored.ByEvents},
		{"Events", sameEvents(c.Events, stored.Events)},
		{"MediaBase64", c.MediaBase64 == stored.MediaBase64},
	} {
		if !field.same {
			d = append(d, field.name)
		}
	}
	return d
}

// isQuotedForm reports whether got is want with quotes around all of it or
// around what follows the scheme: Bearer "abc" for Bearer abc.
func isQuotedForm(got, want string) bool {
	return got != want && want != "" && slices.Contains(quotedForms(want), got)
}

// quotedForms are the ways in which an authorization value has been seen, or
// may be expected, to gain quotes between its configuration and its delivery.
func quotedForms(value string) []string {
	forms := []string{`"` + value + `"`}
	if scheme, rest, ok := strings.Cut(value, " "); ok {
		forms = append(forms, scheme+` "`+rest+`"`)
	}
	return forms
}

func quotedList(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quoted(name)
	}
	return strings.Join(list, ", ")
}

// List returns every webhook, disabled ones included, sorted by label.
//
// GET /api/events/getWebhook/:instance. Safe to repeat.
func (s *WebhooksService) List(ctx context.Context) ([]WebhookConfig, error) {
	return fetchList(ctx, s.h, opWebhookGet, input{}, []string{"webhooks"}, func(w *wireWebhook, meta Meta) WebhookConfig {
		c := w.config()
		c.Meta = meta
		return *c
	})
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
		return nil, invalid("Webhook.Label", "is fixed to \"default\" at creation; set further webhooks afterwards")
	}
	return &webhookBlock{true, c.URL, c.Authorization.Reveal(), c.ByEvents, c.Events, c.MediaBase64}, nil
}
