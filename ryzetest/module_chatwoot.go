package ryzetest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Texts of the Chatwoot module, in its lower case.
const (
	textNoGateway         = "integration gateway not configured"
	textNoChatwoot        = "no chatwoot integration for this instance"
	textNoChatwootRemoval = "no chatwoot integration to delete"
)

func chatwootRoutes() []route {
	chatwoot := func(method, id, name string, handle func(*call) reply) route {
		return route{
			id: "chatwoot." + id, method: method, path: "/api/chatwoot/" + name + "/:instance",
			unknown: "instance not found", badBody: badBodyLower, gate: chatwootGate, handle: handle,
		}
	}
	set := chatwoot("POST", "set", "set", setChatwoot)
	set.body = []field{
		str("chatwootBaseUrl"), integer("chatwootAccountId"), str("chatwootApiToken"), str("inboxName"),
		boolean("signMessages"), boolean("ignoreGroups"), boolean("startAsPending"), boolean("reopenResolved"),
	}
	return []route{
		set,
		chatwoot("GET", "get", "list", getChatwoot),
		chatwoot("DELETE", "delete", "delete", deleteChatwoot),
	}
}

// chatwootGate answers when the module is off, before any instance is looked
// up.
func chatwootGate(c *call) (reply, bool) {
	if c.s.cfg.noChatwoot {
		return fail(http.StatusServiceUnavailable, textNoGateway), true
	}
	return reply{}, false
}

// chatwootLink is the integration of one instance.
type chatwootLink struct {
	id, baseURL, token, inbox           string
	account, inboxID                    int
	sign, ignoreGroups, pending, reopen bool
	status, lastError                   string
	created                             time.Time
}

// chatwootPlay is how the Chatwoot installation behaves.
type chatwootPlay struct {
	refuse    int
	detail    string
	lastInbox int
}

// RejectChatwoot makes Chatwoot refuse each activation with this status (401,
// 403, 404 or 422) and detail. 0 ends it.
func (s *Server) RejectChatwoot(status int, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.chatwoot.refuse, s.world.chatwoot.detail = status, detail
}

// SetChatwootStatus sets the state of the integration (active, paused or error)
// and its last error. It returns false when there is none.
func (i *Instance) SetChatwootStatus(status, lastError string) bool {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.chatwootLink == nil {
		return false
	}
	i.chatwootLink.status, i.chatwootLink.lastError = status, lastError
	i.showChatwoot()
	return true
}

// showChatwoot refreshes what the list of instances says about it; the keys
// there are not documented.
func (i *Instance) showChatwoot() {
	i.chatwoot = nil
	if l := i.chatwootLink; l != nil {
		i.chatwoot = obj{"enabled": true, "status": l.status}
	}
}

// refusal is what Chatwoot says to an activation. The service's texts quote
// its answer at their end; "" when it agrees.
func (p *chatwootPlay) refusal(l *chatwootLink) (status int, text string) {
	detail := " Detail: " + p.detail
	switch p.refuse {
	case 0:
		return 0, ""
	case http.StatusUnauthorized:
		return p.refuse, "Chatwoot rejected the API token — verify chatwootApiToken." + detail
	case http.StatusForbidden:
		return p.refuse, fmt.Sprintf("Chatwoot denied the request — verify the API token has admin scope on account %d.%s", l.account, detail)
	case http.StatusUnprocessableEntity:
		return http.StatusBadRequest, "Chatwoot rejected the request as invalid." + detail
	}
	return http.StatusBadRequest, fmt.Sprintf(
		"Chatwoot account or endpoint not found - verify chatwootBaseUrl (%s) and chatwootAccountId (%d).%s", l.baseURL, l.account, detail)
}

// activate links an instance, and makes another inbox even when there is one
// already. It returns Chatwoot's refusal. The caller holds the lock.
func (i *Instance) activate(l *chatwootLink) (status int, text string) {
	p := &i.s.world.chatwoot
	if status, text := p.refusal(l); text != "" {
		return status, text
	}
	p.lastInbox++
	l.id, l.inboxID = "int_"+newCode(12), p.lastInbox
	l.status, l.created = "active", i.s.clock.now()
	i.chatwootLink = l
	i.showChatwoot()
	return 0, ""
}

// setChatwoot has a body of its own, without success. Which fields are
// required is not documented; here the three are without which there is no
// connection.
func setChatwoot(c *call) reply {
	b := c.body
	if name, missing := b.require("chatwootBaseUrl", "chatwootApiToken"); missing {
		return badRequest(badBodyLower + name + " is required")
	}
	if b.int("chatwootAccountId") <= 0 {
		return badRequest(badBodyLower + "chatwootAccountId must be greater than 0")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l := &chatwootLink{
		baseURL: strings.TrimSuffix(b.str("chatwootBaseUrl"), "/"), account: b.int("chatwootAccountId"),
		token: b.str("chatwootApiToken"), inbox: b.str("inboxName"), sign: b.bool("signMessages"),
		ignoreGroups: b.bool("ignoreGroups"), pending: b.bool("startAsPending"), reopen: b.bool("reopenResolved"),
	}
	if status, text := c.inst.activate(l); text != "" {
		return fail(status, text)
	}
	return reply{status: http.StatusCreated, body: obj{
		"instance": c.inst.name, "status": l.status, "bridge_integration_id": l.id,
		"message": "chatwoot integration activated",
	}}
}

// activateInline is the block of a creation: a failure of it is only noted.
func (i *Instance) activateInline(b values) {
	l := &chatwootLink{
		baseURL: strings.TrimSuffix(b.str("chatwootBaseUrl"), "/"), account: b.int("chatwootAccountId"),
		token: b.str("chatwootApiToken"), inbox: b.str("chatwootInboxName"), sign: b.bool("chatwootSignMessages"),
		ignoreGroups: b.bool("chatwootIgnoreGroups"), pending: b.bool("chatwootStartAsPending"), reopen: b.bool("chatwootReopenResolved"),
	}
	text := textNoGateway
	if !i.s.cfg.noChatwoot {
		_, text = i.activate(l)
	}
	if text != "" {
		i.chatwoot = obj{"enabled": false, "status": "error", "error": text}
	}
}

func getChatwoot(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l := c.inst.chatwootLink
	if l == nil {
		return notFound(textNoChatwoot)
	}
	return reply{status: http.StatusOK, body: obj{
		"instance_name": c.inst.name, "status": l.status, "bridge_integration_id": l.id,
		"chatwoot_base_url": l.baseURL, "chatwoot_account_id": l.account, "chatwoot_api_token": l.token,
		"chatwoot_inbox_id": l.inboxID, "chatwoot_inbox_name": l.inbox, "last_error": l.lastError,
		"created_at": utc(l.created), "sign_messages": l.sign, "ignore_groups": l.ignoreGroups,
		"start_as_pending": l.pending, "reopen_resolved": l.reopen,
	}}
}

func deleteChatwoot(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.inst.chatwootLink == nil {
		return notFound(textNoChatwootRemoval)
	}
	c.inst.chatwootLink = nil
	c.inst.showChatwoot()
	return reply{status: http.StatusOK, body: obj{"message": "chatwoot integration deactivated"}}
}
