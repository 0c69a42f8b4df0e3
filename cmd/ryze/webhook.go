package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

type webhookFlags struct {
	label       string
	events      []string
	byEvents    bool
	mediaBase64 bool
	open        bool
}

// webhookView is a webhook as --json shows it, without what is secret.
type webhookView struct {
	Label         string   `json:"label"`
	Enabled       bool     `json:"enabled"`
	URL           string   `json:"url,omitempty"` // without the values of its query
	Authorization bool     `json:"authorization"` // whether there is one
	ByEvents      bool     `json:"byEvents"`
	Events        []string `json:"events"` // empty for all
	MediaBase64   bool     `json:"mediaBase64"`
}

func viewWebhook(w *ryze.Webhook) webhookView {
	v := webhookView{Label: w.Label, Enabled: w.Enabled, Authorization: w.Authorization != "", ByEvents: w.ByEvents, Events: texts(w.Events), MediaBase64: w.MediaBase64}
	if w.URL != "" {
		v.URL = shownURL(w.URL)
	}
	return v
}

func (a *app) webhookCommand() *cobra.Command {
	var flags webhookFlags
	c := &cobra.Command{
		Use:   "webhook [NAME] [show | set URL | off]",
		Short: "Show, set or switch off where events are delivered",
		Long: `Show the webhooks of an instance, set one, or switch one off. An instance has up to
three, which are told apart by their labels.

set replaces the whole webhook and reads back what the service has stored. The
Authorization header of the deliveries is the value of RYZE_WEBHOOK_AUTHORIZATION.
Without it the webhook keeps the one that it has; a new webhook is asked for it, on
the terminal or standard input. --open wants none: then anybody can forge events.

With --json: show prints one JSON object a line, set one JSON value. The
authorization is not shown.`,
		Example: `  ryze webhook support-line
  RYZE_WEBHOOK_AUTHORIZATION="Bearer $(cat secret)" \
    ryze webhook support-line set https://shop.example/hooks/ryze --events message.exchange
  ryze webhook support-line off --label old`,
		Args: cobra.MaximumNArgs(3),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return []string{"show", "set", "off"}, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeName(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name, verb, address, err := a.webhookArgs(args)
			if err != nil {
				return err
			}
			config := ryze.WebhookConfig{Label: flags.label, URL: address, ByEvents: flags.byEvents, MediaBase64: flags.mediaBase64}
			if config.Events, err = eventTypes(flags.events); err != nil {
				return err
			}
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			switch verb {
			case "set":
				return a.setWebhook(cmd.Context(), inst, config, flags.open)
			case "off":
				if err := inst.Webhooks.Disable(cmd.Context(), flags.label); err != nil {
					return changing(err)
				}
				return a.done("The webhook %q is off.", cmp.Or(flags.label, ryze.DefaultWebhookLabel))
			default:
				return a.showWebhooks(cmd.Context(), inst)
			}
		},
	}
	c.Flags().StringVar(&flags.label, "label", "", "which webhook (default \"default\")")
	c.Flags().StringSliceVar(&flags.events, "events", nil, "only these events (default all)")
	c.Flags().BoolVar(&flags.byEvents, "by-events", false, "append the name of the event to the path")
	c.Flags().BoolVar(&flags.mediaBase64, "media-base64", false, "have the files in the events")
	c.Flags().BoolVar(&flags.open, "open", false, "set it without an authorization")
	_ = c.RegisterFlagCompletionFunc("events", cobra.FixedCompletions(texts(eventNames), cobra.ShellCompDirectiveNoFileComp))
	a.jsonFlag(c)
	return c
}

// webhookArgs reads [NAME] [show | set URL | off].
func (a *app) webhookArgs(args []string) (name, verb, address string, err error) {
	verbs := []string{"show", "set", "off"}
	own := a.env.getenv(envInstance)
	switch {
	case len(args) == 0 || slices.Contains(verbs, args[0]) && (len(args) == 1 || !slices.Contains(verbs, args[1])):
		if own == "" {
			return "", "", "", usage("NAME can be left out only when %s is set", envInstance)
		}
		name = own
	default:
		name, args = args[0], args[1:]
	}
	verb = "show"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch {
	case !slices.Contains(verbs, verb):
		return "", "", "", usage("%q is not one of show, set and off", verb)
	case verb == "set" && len(args) != 1:
		return "", "", "", usage("set wants a URL")
	case verb != "set" && len(args) > 0:
		return "", "", "", usage("%s takes nothing behind it", verb)
	case verb == "set":
		address = args[0]
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", "", "", &hinted{usage("%q is not a URL", address), "write all of it, as in https://shop.example/hooks/ryze"}
		}
	}
	return name, verb, address, nil
}

func (a *app) showWebhooks(ctx context.Context, inst *ryze.InstanceClient) error {
	all, err := inst.Webhooks.List(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"LABEL", "STATE", "AUTHORIZATION", "BY EVENTS", "FILES", "EVENTS", "URL"}}
	for i := range all {
		v := viewWebhook(&all[i])
		if a.asJSON {
			if err := a.jsonLine(v); err != nil {
				return err
			}
			continue
		}
		if !v.Enabled {
			rows = append(rows, []string{v.Label, "off", "-", "-", "-", "-", "-"})
			continue
		}
		rows = append(rows, []string{v.Label, "on", yesNo(v.Authorization), yesNo(v.ByEvents), yesNo(v.MediaBase64), cmp.Or(strings.Join(v.Events, ","), "all"), v.URL})
	}
	switch {
	case len(all) == 0:
		a.note("There is no webhook. Set one: ryze webhook %s set URL", shellWord(inst.Name()))
	case !a.asJSON:
		a.table(rows)
	}
	return nil
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func (a *app) setWebhook(ctx context.Context, inst *ryze.InstanceClient, config ryze.WebhookConfig, open bool) error {
	config.Authorization = ryze.Secret(a.env.getenv(envAuthorization))
	switch {
	case open && config.Authorization != "":
		return usage("--open and %s contradict each other", envAuthorization)
	case config.Authorization == "" && !open:
		stored, err := inst.Webhooks.Get(ctx, config.Label)
		switch {
		case err == nil && stored.Authorization != "":
			config.Authorization = stored.Authorization
		case err != nil && (!errors.Is(err, ryze.ErrNotFound) || errors.Is(err, ryze.ErrInstanceNotFound)):
			return err
		default:
			value, err := a.readSecret(ctx, "Authorization of the deliveries, such as Bearer and a long random text: ")
			if err != nil {
				return err
			}
			if value == "" {
				return &hinted{usage("the webhook has no authorization"), "set " + envAuthorization + "; --open wants none, and lets anybody forge events"}
			}
			config.Authorization = ryze.Secret(value)
		}
	}
	hook, err := inst.Webhooks.Ensure(ctx, config)
	if hook == nil {
		return changing(err)
	}
	if a.asJSON {
		return errors.Join(a.value(viewWebhook(&hook.Webhook)), err)
	}
	if err != nil {
		return err
	}
	how := "was like that already"
	if hook.Changed {
		how = "is set"
	}
	a.tell("The webhook %q %s: events go to %s.", hook.Label, how, shownURL(hook.URL))
	if len(hook.Stray) > 0 {
		a.note("These webhooks get events, too: %s.", strings.Join(hook.Stray, ", "))
	}
	return nil
}

// done tells that something was done.
func (a *app) done(format string, args ...any) error {
	if a.asJSON {
		return a.value(map[string]bool{"done": true})
	}
	a.tell("%s", fmt.Sprintf(format, args...))
	return nil
}
