package ryzetest

import "net/http"

// FailWhatsApp makes WhatsApp refuse the next operations with this reason, on
// routes with a documented 500 that ends in "<reason>": newsletters, calls, and
// the list of a community's groups. For other routes use Server.Fault.
func (i *Instance) FailWhatsApp(reason string, times int) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.upstream.reason, i.upstream.left = reason, times
}

type upstream struct {
	reason string
	left   int
}

// refused is the reply when WhatsApp refuses. The caller holds the lock.
func (c *call) refused(prefix string) (reply, bool) {
	u := &c.inst.upstream
	if u.left <= 0 {
		return reply{}, false
	}
	u.left--
	return fail(http.StatusInternalServerError, prefix+u.reason), true
}
