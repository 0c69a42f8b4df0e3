package ryzetest

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// Texts that several modules share.
const (
	textRateLimit      = "Rate limit exceeded. Try again later."
	textMissingToken   = "Missing token in header"
	textMissingStream  = "Missing token in header, Authorization header, or query parameter"
	textInvalidToken   = "Invalid token"
	textMismatch       = "Instance token does not match requested instance"
	textNotOwned       = "Instance does not belong to your account"
	textQuota          = "Account instance quota exceeded"
	textNoInstance     = "Instance not found"
	textNameRequired   = "Instance name is required"
	textNotConnected   = "Instance is not connected to WhatsApp"
	textNumberRequired = "Number is required"
)

// readToken finds the token: the token header first, then Authorization:
// Bearer, then, for event streams only, the query.
func (c *call) readToken() (token, from string) {
	if t := c.r.Header.Get("token"); t != "" {
		return t, "token"
	}
	if scheme, t, ok := strings.Cut(c.r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		if t = strings.TrimSpace(t); t != "" {
			return t, "authorization"
		}
	}
	if c.route != nil && c.route.auth == authStream {
		if t, _ := c.param("token"); t != "" {
			return t, "query"
		}
	}
	return "", ""
}

// authorize checks the token and what it gives a right to, and finds the
// instance of the path.
func (c *call) authorize() (reply, bool) {
	if c.route.auth == authNone {
		return reply{}, false
	}
	if _, there := c.query["token"]; there && c.route.auth != authStream {
		c.violate(TokenInQuery, c.route.name())
	}
	if c.token == "" {
		if c.route.auth == authStream {
			return fail(http.StatusUnauthorized, textMissingStream), true
		}
		return fail(http.StatusUnauthorized, textMissingToken), true
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.acc, c.byKey = c.s.owner(c.token)
	if c.acc == nil || c.byKey != nil && c.route.auth == authAccount {
		return fail(http.StatusUnauthorized, textInvalidToken), true
	}
	if c.route.gate != nil {
		if res, stop := c.route.gate(c); stop {
			return res, true
		}
	}
	if name, ok := c.params["instance"]; ok {
		c.entry.setInstance(name)
		return c.findInstances(name)
	}
	return reply{}, false
}

func (c *call) findInstances(path string) (reply, bool) {
	names := []string{path}
	if c.route.several {
		names = splitNames(path)
	}
	if len(names) == 0 || names[0] == "" {
		return badRequest(textNameRequired), true
	}
	for _, name := range names {
		inst, res, stop := c.findInstance(name)
		if stop {
			return res, true
		}
		c.insts = append(c.insts, inst)
	}
	c.inst = c.insts[0]
	return reply{}, false
}

// findInstance tells an unknown name (404) from one that the token has no
// right to (403). A TokenInstance never learns about other accounts' names
// beyond that.
func (c *call) findInstance(name string) (*Instance, reply, bool) {
	inst := c.acc.find(name)
	if c.byKey != nil {
		if c.byKey.name == name {
			return c.byKey, reply{}, false
		}
		if inst != nil || c.s.elsewhere(c.acc, name) {
			return nil, fail(http.StatusForbidden, textMismatch), true
		}
	} else {
		if inst != nil {
			return inst, reply{}, false
		}
		if c.s.elsewhere(c.acc, name) {
			return nil, fail(http.StatusForbidden, textNotOwned), true
		}
	}
	text := c.route.unknown
	if text == "" {
		text = textNoInstance
	}
	return nil, notFound(text), true
}

// owner finds whose token it is. Every comparison takes constant time.
func (s *Server) owner(token string) (acc *account, inst *Instance) {
	same := func(a string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(token)) == 1 }
	for _, a := range s.accounts {
		if same(a.token) {
			acc = a
		}
		for _, i := range a.instances {
			if same(i.token) && acc == nil {
				acc, inst = a, i
			}
		}
	}
	return acc, inst
}

func (s *Server) account(token string) *account {
	for _, a := range s.accounts {
		if subtle.ConstantTimeCompare([]byte(a.token), []byte(token)) == 1 {
			return a
		}
	}
	return nil
}

func (s *Server) elsewhere(acc *account, name string) bool {
	for _, a := range s.accounts {
		if a != acc && a.find(name) != nil {
			return true
		}
	}
	return false
}

// splitNames reads names joined by commas, with blanks around them.
func splitNames(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
