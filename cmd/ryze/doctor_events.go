package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

const (
	answerSoon  = 2 * time.Second  // one client of the service lost deliveries after answers that took longer
	answerLimit = 10 * time.Second // how long doctor waits
)

// checkEvents looks at the two ways on which events come.
func (d *doctor) checkEvents(ctx context.Context) bool {
	stream, ok := d.checkStream(ctx)
	hooks, err := d.inst.Webhooks.List(ctx)
	if err != nil {
		d.failed(ctx, "webhook", "The webhooks cannot be read", err)
		return true
	}
	var enabled []ryze.Webhook
	for _, hook := range hooks {
		if hook.Enabled {
			enabled = append(enabled, hook)
		}
	}
	if len(enabled) == 0 && ok && !stream && d.flags.url == "" {
		d.warn("events", "ryze listen "+shellWord(d.name)+" switches the stream on; ryze webhook "+shellWord(d.name)+" set URL sets a webhook", "Nobody is told of events: there is neither a webhook nor the stream.")
	}
	d.limit = d.inst.RateLimit() // programs that hang may outlast the minute that it is about
	d.checkWebhooks(ctx, enabled)
	return true
}

// checkStream reports whether the stream is on, and whether that is known.
func (d *doctor) checkStream(ctx context.Context) (on, ok bool) {
	config, err := d.inst.WebSocket.Get(ctx)
	if err != nil && !errors.Is(err, ryze.ErrNotConfigured) {
		d.failed(ctx, "stream", "The event stream's configuration cannot be read", err)
		return false, false
	}
	if config == nil || !config.Enabled {
		if d.flags.stream {
			d.wrong("stream", "ryze listen "+shellWord(d.name)+" switches it on, and so does WithWebSocket in a program", "The event stream is off.")
		}
		return false, true
	}
	if left := missingEvents(config.Events, d.flags.events); len(left) > 0 {
		d.warn("stream", "set the stream's events in the program (WithWebSocket)", "The event stream leaves out %s.", strings.Join(left, ", "))
	}
	if d.changed("want-media-base64") && config.MediaBase64 != d.flags.mediaBase64 {
		d.warn("stream", "set it in the program (WithWebSocket)", "The event stream %s the files in its events.", hasNot(config.MediaBase64))
	}
	sub, err := d.inst.Subscribe(ctx)
	if err != nil {
		d.failed(ctx, "stream", "The event stream is on, but cannot be opened", err)
		return true, true
	}
	_ = sub.Close() // it always returns nil
	d.ok("stream", "The event stream is on, and can be opened.")
	return true, true
}

func hasNot(has bool) string {
	if has {
		return "has"
	}
	return "does not have"
}

// missingEvents are the wanted events that a filter leaves out. An empty filter
// leaves out nothing; when nothing is said, nothing in particular is wanted.
func missingEvents(filter []ryze.EventType, wanted []string) []string {
	var missing []string
	for _, event := range wanted {
		if len(filter) > 0 && !slices.Contains(filter, ryze.EventType(event)) {
			missing = append(missing, event)
		}
	}
	return missing
}

// checkWebhooks looks at the wanted webhook, and at those beside it.
func (d *doctor) checkWebhooks(ctx context.Context, enabled []ryze.Webhook) {
	label := d.flags.label
	if label == "" {
		label = ryze.DefaultWebhookLabel
		if len(enabled) == 1 && d.flags.url == "" {
			label = enabled[0].Label
		}
	}
	there := false
	for i := range enabled {
		hook := &enabled[i]
		if hook.Label == label {
			there = true
			d.checkWanted(hook)
		} else {
			d.warn("webhook", "if it is not wanted: ryze webhook "+shellWord(d.name)+" off --label "+shellWord(hook.Label),
				"A further webhook, %s, gets events as well, at %s.", quote(hook.Label), shownURL(hook.URL))
		}
		d.checkWebhook(ctx, hook)
	}
	if !there && (d.flags.url != "" || d.flags.label != "") {
		d.wrong("webhook", "set it: ryze webhook "+shellWord(d.name)+" set URL --label "+shellWord(label), "There is no enabled webhook %s.", quote(label))
	}
}

// checkWanted holds a webhook against what it should be.
func (d *doctor) checkWanted(hook *ryze.Webhook) {
	set := "set it anew: ryze webhook " + shellWord(d.name) + " set URL --label " + shellWord(hook.Label)
	name := "The webhook " + quote(hook.Label)
	if d.flags.url != "" && d.flags.url != hook.URL {
		d.wrong("webhook", set, "%s goes to %s, not to %s.", name, shownURL(hook.URL), shownURL(d.flags.url))
	}
	if left := missingEvents(hook.Events, d.flags.events); len(left) > 0 {
		d.wrong("webhook", set, "%s leaves out %s.", name, strings.Join(left, ", "))
	}
	if d.changed("want-by-events") && d.flags.byEvents != hook.ByEvents {
		d.wrong("webhook", set, "%s %s the name of the event to the path.", name, map[bool]string{true: "appends", false: "does not append"}[hook.ByEvents])
	}
	if d.changed("want-media-base64") && d.flags.mediaBase64 != hook.MediaBase64 {
		d.wrong("webhook", set, "%s %s the files in its events.", name, hasNot(hook.MediaBase64))
	}
	if want := d.env.getenv(envAuthorization); want != "" && want != hook.Authorization.Reveal() {
		d.wrong("webhook", set, "%s has another authorization than %s says.", name, envAuthorization)
	}
}

// checkWebhook looks at what is wrong with a webhook whatever is wanted, and at the
// program behind it.
func (d *doctor) checkWebhook(ctx context.Context, hook *ryze.Webhook) {
	name := "The webhook " + quote(hook.Label)
	auth := hook.Authorization.Reveal()
	if auth == "" {
		d.warn("webhook", "set one: "+envAuthorization+"=... ryze webhook "+shellWord(d.name)+" set URL --label "+shellWord(hook.Label),
			"%s has no authorization: nobody can tell its events from forged ones.", name)
	} else if strings.Contains(auth, `"`) {
		d.warn("webhook", "set it without quotes", "%s has an authorization with quotes in it.", name)
	}
	if isPrivate(hook.URL) && !isPrivate(d.baseURL()) {
		d.wrong("webhook", "give it a public address, or use ryze listen "+shellWord(d.name)+" --forward-to instead",
			"%s goes to %s, which the service cannot reach.", name, shownURL(hook.URL))
	} else if strings.HasPrefix(hook.URL, "http://") && !isPrivate(hook.URL) {
		d.warn("webhook", "use https", "%s has no TLS: messages travel in clear text.", name)
	}
	if strings.Contains(hook.URL, "?") {
		d.warn("webhook", "use the authorization for secrets", "%s has values in its URL, which end up in logs.", name)
	}
	if !d.flags.noProbe && ctx.Err() == nil {
		d.tryWebhook(ctx, hook, name)
	}
}

// tryWebhook posts events to the program behind a webhook.
func (d *doctor) tryWebhook(ctx context.Context, hook *ryze.Webhook, name string) {
	client := &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true},
		// The authorization must not follow a redirect.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	address := hook.URL
	if hook.ByEvents {
		address = eventURL(address, ryze.EventMessage)
	}
	body, err := json.Marshal(map[string]any{
		"event":        "ryze.doctor",
		"data":         map[string]any{"id": rand.Text(), "timestamp": time.Now().UTC().Format(time.RFC3339)},
		"instanceData": map[string]any{"instance": d.name},
	})
	if err != nil {
		return
	}
	try := func(authorization ryze.Secret) (int, time.Duration, error) {
		limited, cancel := context.WithTimeout(ctx, answerLimit)
		defer cancel()
		start := time.Now()
		status, err := post(limited, client, address, authorization, body)
		return status, time.Since(start), err
	}
	if hook.Authorization != "" {
		for _, forged := range []struct {
			with ryze.Secret
			what string
		}{{"", "without authorization"}, {ryze.Secret("Bearer " + rand.Text()), "with a wrong authorization"}} {
			if status, _, err := try(forged.with); err == nil && status >= 200 && status < 300 {
				d.wrong("webhook", "have the program compare the Authorization header, as ryze.NewWebhookHandler does", "The program behind %s takes events %s.", quote(hook.Label), forged.what)
			}
		}
	}
	status, took, err := try(hook.Authorization)
	if ctx.Err() != nil {
		return
	}
	d.answered(name, hook, status, took, err)
}

func (d *doctor) answered(name string, hook *ryze.Webhook, status int, took time.Duration, err error) {
	_, untrusted := errors.AsType[x509.UnknownAuthorityError](err)
	_, otherHost := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	where := shownURL(hook.URL)
	switch {
	case untrusted || otherHost || invalid:
		d.wrong("webhook", "give it a certificate that everybody trusts", "%s: the certificate of %s is not valid: %v.", name, where, rootCause(err))
	case errors.Is(err, context.DeadlineExceeded):
		d.wrong("webhook", "answer first and work afterwards", "The program behind %s has not answered within %s.", quote(hook.Label), answerLimit)
	case err != nil:
		d.wrong("webhook", "start the program; if only the service reaches it, use --no-probe", "The program behind %s does not answer at %s: %s.", quote(hook.Label), where, reason(err, answerLimit))
	case took >= answerLimit: // the status has come, and the end has not
		d.wrong("webhook", "answer first and work afterwards", "The program behind %s has not ended its answer within %s.", quote(hook.Label), answerLimit)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		d.wrong("webhook", "set the webhook's authorization to what the program expects, or the other way round", "The program behind %s refuses the webhook's own authorization (%d).", quote(hook.Label), status)
	case status >= 300 && status < 400:
		d.wrong("webhook", "set the URL that it redirects to", "%s: %s redirects (%d); a delivery is not redirected.", name, where, status)
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		d.wrong("webhook", "check the path, and whether the program wants the name of the event behind it", "There is nobody at %s (%d).", where, status)
	case status >= 400:
		d.warn("webhook", "answer 200 to events that the program does not know, or they are delivered again and again", "The program behind %s answers %d to an event that it does not know.", quote(hook.Label), status)
	case took > answerSoon:
		d.warn("webhook", "answer first and work afterwards", "The program behind %s takes %s to answer.", quote(hook.Label), rounded(took))
	default:
		d.ok("webhook", "%s goes to %s, which answers %d in %s.", name, where, status, rounded(took))
	}
}
