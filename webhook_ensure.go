package ryze

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxWebhooks is how many webhooks of an instance can be enabled at a time.
const maxWebhooks = 3

// ErrTooManyWebhooks says that the instance already has three enabled webhooks,
// the maximum.
var ErrTooManyWebhooks = sentinel("too many enabled webhooks")

// EnsuredWebhook is the webhook that [WebhooksService.Ensure] read back.
type EnsuredWebhook struct {
	Webhook

	// Changed is false when nothing had to be written.
	Changed bool
	// Stray are the labels of other enabled webhooks, sorted. They receive
	// events too; see [WebhooksService.DisableOthers].
	Stray []string
}

// Format implements [fmt.Formatter] without secrets.
func (e EnsuredWebhook) Format(f fmt.State, verb rune) {
	type plain struct { // not embedded: its Format would print for all
		Webhook Webhook
		Changed bool
		Stray   []string
	}
	formatPlain(f, verb, plain{e.Webhook, e.Changed, e.Stray})
}

// Ensure makes the webhook of this label equal config. It reads the webhook,
// writes only a difference, and reads it back. Run it at each start of a
// program. The order of Events does not count, and none means all six.
//
// When the service stored something else, the result comes with [ErrPartial].
// [ErrTooManyWebhooks] comes before any write. If an old Authorization stays,
// call [WebhooksService.Disable] first.
//
//	hook, err := inst.Webhooks.Ensure(ctx, config)
//	if errors.Is(err, ryze.ErrPartial) {
//		// hook is what is stored; the *PartialError names the fields that differ.
//	}
//
// GET /api/events/getWebhook/:instance, POST /api/events/webhook/:instance.
// Safe to repeat.
func (s *WebhooksService) Ensure(ctx context.Context, config WebhookConfig) (*EnsuredWebhook, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config.Label = labelOr(config.Label)
	all, err := s.list(ctx, config.secrets()...)
	if err != nil {
		return nil, err
	}
	ensured := &EnsuredWebhook{}
	var stored *Webhook
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
		ensured.Webhook = *stored
		return ensured, nil
	}
	if (stored == nil || !stored.Enabled) && len(ensured.Stray) >= maxWebhooks {
		return nil, fmt.Errorf("ryze: webhook %s: %w: %s", quoted(config.Label), ErrTooManyWebhooks, quotedList(ensured.Stray))
	}
	if _, err := s.Set(ctx, config); err != nil {
		return nil, err
	}
	stored, err = s.get(ctx, config.Label, config.secrets()...)
	if err != nil {
		return nil, err
	}
	ensured.Webhook, ensured.Changed = *stored, true
	failed := partsOf(s.h, opWebhookSet)
	for _, field := range config.differences(stored) {
		reason := "is stored otherwise than it was set in the webhook " + quoted(config.Label)
		if field == "Authorization" && isQuotedForm(stored.Authorization.Reveal(), config.Authorization.Reveal()) {
			reason += ": wrapped in extra quotes"
		}
		failed.add(field, reason)
	}
	return ensured, failed.err()
}

// DisableOthers disables all webhooks whose labels are not in keep; "" is the
// default one. It returns the disabled labels, also with an error. keep needs
// one label or more.
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
			return disabled, fmt.Errorf("ryze: disabling the webhook %s: %w", quoted(all[i].Label), err)
		}
		disabled = append(disabled, all[i].Label)
	}
	return disabled, nil
}

// differences names the fields in which stored is not what c asks for.
func (c *WebhookConfig) differences(stored *Webhook) []string {
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
