package ryzetest

import "net/http"

const (
	textNewsletterField = "The 'identifier' field is required (JID @newsletter or invite link/code)"
	textNewsletterQuery = "The 'identifier' query parameter is required (JID @newsletter or invite link/code)"
	textNewsletterWrong = "Invalid newsletter identifier (use JID @newsletter or invite link/code)"
	textNoNewsletter    = "newsletter not found"
)

func newsletterRoutes() []route {
	newsletter := func(method, name string, handle func(*call) reply) route {
		return route{
			id: "newsletter." + name, method: method, path: "/api/newsletter/" + name + "/:instance",
			offline: http.StatusBadRequest, handle: handle,
		}
	}
	create := newsletter("POST", "create", createNewsletter)
	create.body = []field{str("name"), str("description"), str("image")}
	create.stream = []string{"image"}
	info := newsletter("GET", "info", newsletterInfo)
	info.query = []string{"identifier"}
	join := newsletter("POST", "join", joinNewsletter)
	join.body = []field{str("identifier")}
	leave := newsletter("DELETE", "leave", leaveNewsletter)
	leave.query = []string{"identifier"}
	return []route{create, newsletter("GET", "list", listNewsletters), info, join, leave}
}

// createNewsletter makes a channel without a picture when the picture fails.
// The key of the picture is not documented; it is the one of groups here.
func createNewsletter(c *call) reply {
	if c.body.str("name") == "" {
		return badRequest("The 'name' field is required")
	}
	picture, _, _ := c.picture("image")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	if res, stop := c.refused("failed to create newsletter: "); stop {
		return res
	}
	n := c.s.addNewsletter(c.body.str("name"), c.body.str("description"))
	n.owner, n.picture = c.inst.jid(), picture
	return ok(obj{"message": "Newsletter created successfully", "channel": n.view(n.owner)})
}

// listNewsletters has a shape that is not documented: "channels" is the likely
// key. Whether owned channels are in it is not documented either.
func listNewsletters(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	items := []obj{}
	for _, n := range c.s.world.newslettersOf(c.inst.jid()) {
		items = append(items, n.view(c.inst.jid()))
	}
	return ok(obj{"channels": items})
}

// newsletter finds the channel that a request names, for an operation of
// WhatsApp. The caller holds the lock.
func (c *call) newsletter(identifier, missing, unknown, failed string) (*Newsletter, reply, bool) {
	if identifier == "" {
		return nil, badRequest(missing), true
	}
	n, valid := c.s.world.newsletter(identifier)
	if !valid {
		return nil, badRequest(textNewsletterWrong), true
	}
	if res, stop := c.offline(); stop {
		return nil, res, true
	}
	if res, stop := c.refused(failed); stop {
		return nil, res, true
	}
	if n == nil {
		return nil, badRequest(unknown), true
	}
	return n, reply{}, false
}

// unsupported is the reply of a server whose WhatsApp library lacks a call.
func (c *call) unsupported(name string) (reply, bool) {
	if !c.s.cfg.oldLibrary {
		return reply{}, false
	}
	return fail(http.StatusNotImplemented, "WhatsApp client does not support "+name), true
}

func newsletterInfo(c *call) reply {
	if res, stop := c.unsupported("GetNewsletterInfo"); stop {
		return res
	}
	identifier, _ := c.param("identifier")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	n, res, stop := c.newsletter(identifier, textNewsletterQuery, "newsletter not found or no metadata returned",
		"failed to get newsletter info: ")
	if stop {
		return res
	}
	return ok(obj{"message": "Newsletter info retrieved", "channel": n.view(c.inst.jid())})
}

func joinNewsletter(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	const failed = "failed to follow newsletter: "
	n, res, stop := c.newsletter(c.body.str("identifier"), textNewsletterField, textNoNewsletter, failed)
	if stop {
		return res
	}
	if n.state != NewsletterActive {
		return fail(http.StatusInternalServerError, failed+"the newsletter is "+n.state)
	}
	n.followers[c.inst.jid()] = true
	return ok(obj{"message": "Successfully joined newsletter", "channelJid": n.jid})
}

// leaveNewsletter does not find a channel that the account does not follow;
// the service documents that this may happen, not with what status and text.
func leaveNewsletter(c *call) reply {
	if res, stop := c.unsupported("UnfollowNewsletter"); stop {
		return res
	}
	identifier, _ := c.param("identifier")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	n, res, stop := c.newsletter(identifier, textNewsletterQuery, textNoNewsletter, "failed to leave newsletter: ")
	if stop {
		return res
	}
	if !n.followers[c.inst.jid()] {
		return badRequest(textNoNewsletter)
	}
	delete(n.followers, c.inst.jid())
	return ok(obj{"message": "Successfully left newsletter", "channelJid": n.jid})
}
