package ryzetest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	defaultLabel = "default"
	maxHooks     = 3 // enabled ones per instance
)

func eventRoutes() []route {
	events := list("events", str("", eventNames...))
	return []route{
		{id: "events.webhook.set", method: "POST", path: "/api/events/webhook/:instance", handle: setWebhook, body: []field{
			str("label"), boolean("enabled"), str("url"), str("authorization"), boolean("byEvents"), events, boolean("mediaBase64"),
		}},
		{id: "events.webhook.get", method: "GET", path: "/api/events/getWebhook/:instance", query: []string{"label"}, handle: getWebhook},
		{id: "events.webhook.get_alias", method: "GET", path: "/api/events/webhook/:instance", query: []string{"label"}, handle: getWebhook},
		{id: "events.websocket.set", method: "POST", path: "/api/events/websocket/:instance", handle: setWebsocket, body: []field{
			boolean("enabled"), events, boolean("mediaBase64"),
		}},
		{id: "events.websocket.get", method: "GET", path: "/api/events/getWebsocket/:instance", handle: getWebsocket},
		{id: "events.websocket.connect", method: "GET", path: "/ws/:instance", auth: authStream, query: []string{"token"}, handle: openStream},
	}
}

func (i *Instance) hook(label string) *hook {
	for _, h := range i.hooks {
		if h.label == label {
			return h
		}
	}
	return nil
}

func (h *hook) view() obj {
	var auth any
	if h.authorization != nil {
		auth = *h.authorization
	}
	return obj{
		"label": h.label, "enabled": h.enabled, "url": h.url, "authorization": auth, "byEvents": h.byEvents,
		"events": notNil(h.events), "mediaBase64": h.mediaBase64,
	}
}

func (c *streamConfig) view() obj {
	return obj{"enabled": c.enabled, "events": notNil(c.events), "mediaBase64": c.mediaBase64}
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func validURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// setWebhook writes one labelled row. Whether an omitted field keeps its stored
// value is not documented; here it does.
func setWebhook(c *call) reply {
	b, i := c.body, c.inst
	label := b.str("label")
	if label == "" {
		label = defaultLabel
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()

	h := i.hook(label)
	next := hook{inst: i, label: label}
	if h != nil {
		next.url, next.authorization, next.byEvents = h.url, h.authorization, h.byEvents
		next.events, next.mediaBase64 = h.events, h.mediaBase64
	}
	if b.has("byEvents") {
		next.byEvents = b.bool("byEvents")
	}
	if b.bool("enabled") {
		next.enabled = true
		if b.has("url") {
			next.url = b.str("url")
		}
		if b.has("authorization") {
			v := b.str("authorization")
			next.authorization = &v
		}
		if b.has("events") {
			next.events = b.strings("events")
		}
		if b.has("mediaBase64") {
			next.mediaBase64 = b.bool("mediaBase64")
		}
		if !validURL(next.url) {
			return badRequest("A valid url is required when the webhook is enabled")
		}
		if i.enabledHooks(label) >= maxHooks {
			return fail(http.StatusConflict, "An instance takes at most 3 enabled webhooks")
		}
	} else {
		next.url, next.authorization, next.events, next.mediaBase64 = "", nil, nil, false
	}

	if h == nil {
		h = &hook{inst: i, label: label}
		i.hooks = append(i.hooks, h)
		slices.SortFunc(i.hooks, func(a, b *hook) int { return strings.Compare(a.label, b.label) })
	}
	h.enabled, h.url, h.authorization, h.byEvents = next.enabled, next.url, next.authorization, next.byEvents
	h.events, h.mediaBase64 = next.events, next.mediaBase64
	return ok(obj{"message": "Webhook configured successfully", "webhook": h.view()})
}

// enabledHooks counts the enabled webhooks with another label.
func (i *Instance) enabledHooks(except string) int {
	n := 0
	for _, h := range i.hooks {
		if h.enabled && h.label != except {
			n++
		}
	}
	return n
}

// getWebhook answers with one row when there is a label, which an empty value
// is too, and with all of them when there is none.
func getWebhook(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if label, one := c.param("label"); one {
		if label == "" {
			label = defaultLabel
		}
		h := c.inst.hook(label)
		if h == nil {
			return notFound("Webhook not found")
		}
		return ok(obj{"message": "Webhook configuration retrieved", "webhook": h.view()})
	}
	rows := make([]obj, len(c.inst.hooks))
	for k, h := range c.inst.hooks {
		rows[k] = h.view()
	}
	return ok(obj{"message": "Webhook configuration retrieved", "webhooks": rows})
}

func setWebsocket(c *call) reply {
	b := c.body
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	cfg := &streamConfig{}
	if b.bool("enabled") {
		cfg = &streamConfig{enabled: true, events: b.strings("events"), mediaBase64: b.bool("mediaBase64")}
	}
	c.inst.stream = cfg
	return ok(obj{"message": "WebSocket configured successfully", "websocket": cfg.view()})
}

func getWebsocket(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.inst.stream == nil {
		return notFound("WebSocket not configured for this instance")
	}
	return ok(obj{"message": "WebSocket configuration retrieved", "websocket": c.inst.stream.view()})
}
