package ryzetest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Texts of the chat module.
const (
	textMessageIDQuery  = "messageId query parameter is required"
	textMessageID       = "messageId is required"
	textMessageNotFound = "Message not found"
	textTagNotFound     = "Tag not found"
	textTagIDQuery      = "tagId query parameter is required"
)

func chatRoutes() []route {
	chat := func(id, method, name string, handle func(*call) reply) route {
		return route{
			id: "chat." + id, method: method, path: "/api/chat/" + name + "/:instance",
			offline: http.StatusServiceUnavailable, handle: handle,
		}
	}
	get := func(id, name string, handle func(*call) reply, query ...string) route {
		r := chat(id, http.MethodGet, name, handle)
		r.query = query
		return r
	}
	withBody := func(method, id, name, badBody string, handle func(*call) reply, fields ...field) route {
		r := chat(id, method, name, handle)
		r.body, r.badBody = fields, badBody
		return r
	}
	post := func(id, name, badBody string, handle func(*call) reply, fields ...field) route {
		return withBody(http.MethodPost, id, name, badBody, handle, fields...)
	}
	deleteTag := chat("tags.delete", http.MethodDelete, "tag", deleteTag)
	deleteTag.query = []string{"tagId"}
	unassignTag := chat("tags.unassign", http.MethodDelete, "assignTag", unassignTag)
	unassignTag.query = []string{"number", "tagId"}
	return []route{
		get("contacts.list", "contacts", listContacts, "number"),
		get("contacts.by_label", "contactsByLabel", contactsByLabel, "labelIds", "labelNames", "refresh"),
		get("message.get", "getMessage", getMessage, "messageId"),
		post("history", "history", badBodyDetail, chatHistory, str("number"), integer("count"), str("from"), str("to")),
		get("message.media_base64", "base64", mediaBase64, "messageId"),
		get("message.status", "status", messageStatus, "messageId"),
		get("poll.votes", "poll", pollVotes, "messageId"),
		post("message.mark_read", "markRead", badBodyDetail, markRead, str("messageId"), str("number"), str("sender")),
		post("message.edit", "edit", badBodyPlain, editMessage, str("messageId"), str("content")),
		withBody(http.MethodDelete, "message.delete", "delete", badBodyPlain, deleteMessage,
			str("messageId"), boolean("deleteForEveryone")),
		post("message.forward", "forward", badBodyPlain, forwardMessage, str("messageId"), str("to")),
		post("message.pin", "pinMessage", badBodyPlain, pinMessage, str("messageId"), boolean("pin"), str("duration")),
		post("favorite", "favorite", badBodyDetail, favorite, str("number"), str("messageId"), boolean("favorite")),
		get("tags.list", "tag", listTags),
		post("tags.create", "tag", badBodyDetail, createTag, str("name"), integer("color")),
		deleteTag,
		post("tags.assign", "assignTag", badBodyDetail, assignTag, str("number"), str("tagId")),
		unassignTag,
		post("archive", "archive", badBodyDetail, onChat(archiveChat), str("number"), boolean("archive")),
		post("mark_chat_read", "markChatRead", badBodyDetail, onChat(markChatRead), str("number"), boolean("read")),
		post("pin", "pinChat", badBodyDetail, onChat(pinChat), str("number"), boolean("pin")),
		post("mute", "mute", badBodyDetail, onChat(muteChat), str("number"), boolean("mute"), str("duration")),
		post("block", "block", badBodyPlain, onChat(blockContact), str("number"), boolean("block")),
		post("presence.send", "presence", badBodyPlain, onChat(sendPresence), str("number"), str("state"), integer("duration")),
		withBody(http.MethodDelete, "delete", "deleteChat", badBodyPlain, onChat(deleteChat),
			str("number"), boolean("deleteMedia")),
	}
}

// onChat is the handler of a route whose body names a chat.
func onChat(fn func(c *call, jid string) reply) func(*call) reply {
	return func(c *call) reply {
		jid, res, stop := c.recipient()
		if stop {
			return res
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		return fn(c, c.s.world.canonical(jid))
	}
}

// ---- contacts

func (w *world) contactView(c Contact) obj {
	view := obj{"jid": c.Phone + "@" + serverUser}
	if c.LID != "" {
		view["lid"] = c.LID
	}
	if c.Name != "" {
		view["first_name"], view["push_name"] = c.Name, c.Name
	}
	return view
}

// listContacts reads the local store: it works without a connection.
func listContacts(c *call) reply {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if number, one := c.param("number"); one {
		jid, valid := parseNumber(number)
		if !valid {
			return badNumber(number)
		}
		user, _ := splitJID(s.world.canonical(jid))
		known, found := s.world.contacts[user]
		view := obj{"jid": jid}
		if found {
			view = s.world.contactView(known)
		}
		view["found"] = found
		return ok(obj{"contact": view})
	}
	contacts := make([]obj, 0, len(s.world.contacts))
	for _, known := range s.world.contacts {
		contacts = append(contacts, s.world.contactView(known))
	}
	slices.SortFunc(contacts, func(a, b obj) int { return cmp.Compare(a["jid"].(string), b["jid"].(string)) })
	return ok(obj{"contacts": contacts, "total": len(contacts)})
}

// contactsByLabel takes a chat when one of its labels has an id or a name that
// is asked for. What both filters do together, and the keys of an item, are
// not documented.
func contactsByLabel(c *call) reply {
	ids, _ := c.param("labelIds")
	names, _ := c.param("labelNames")
	refresh, _ := c.param("refresh")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if refresh == "true" {
		if res, stop := c.offline(); stop {
			return res
		}
	}
	wantIDs, wantNames := splitNames(ids), splitNames(names)
	applied := []string{}
	byChat := map[string][]obj{}
	rows := 0
	filtered := len(wantIDs)+len(wantNames) > 0
	matching := map[string]bool{}
	for _, l := range c.inst.book.labels {
		if l.deleted {
			continue
		}
		match := !filtered || slices.Contains(wantIDs, l.id) ||
			slices.ContainsFunc(wantNames, func(n string) bool { return strings.EqualFold(n, l.name) })
		if match && filtered {
			applied = append(applied, l.id)
		}
		for jid := range l.chats {
			byChat[jid] = append(byChat[jid], obj{"id": l.id, "name": l.name, "color": l.color})
			matching[jid] = matching[jid] || match
		}
	}
	chats := []obj{}
	for jid, labels := range byChat {
		if matching[jid] {
			chats = append(chats, obj{"chat_jid": jid, "labels": labels})
			rows += len(labels)
		}
	}
	slices.SortFunc(chats, func(a, b obj) int { return cmp.Compare(a["chat_jid"].(string), b["chat_jid"].(string)) })
	return ok(obj{
		"chats": chats, "total_chats": len(chats), "total_rows": rows,
		"refreshed": refresh == "true", "filter_label_ids": applied,
	})
}

// ---- labels

func listTags(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	tags := make([]obj, len(c.inst.book.labels))
	for k, l := range c.inst.book.labels {
		tags[k] = l.view()
	}
	return ok(obj{"message": "Tags retrieved successfully", "tags": tags, "total": len(tags)})
}

func createTag(c *call) reply {
	name := strings.TrimSpace(c.body.str("name"))
	if name == "" {
		return badRequest("Tag name is required")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	l := c.inst.addLabel(name, c.body.int("color"))
	return ok(obj{"message": "Tag created successfully", "tag": l.view()})
}

// deleteTag answers with a tag of which only the id is left.
func deleteTag(c *call) reply {
	id, _ := c.param("tagId")
	if id == "" {
		return badRequest(textTagIDQuery)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	l := c.inst.label(id)
	if l == nil {
		return notFound(textTagNotFound)
	}
	c.inst.deleteLabel(l)
	return ok(obj{
		"message": "Tag deleted successfully",
		"tag":     obj{"id": id, "name": "", "color": 0, "type": "", "deleted": true},
	})
}

func assignTag(c *call) reply {
	number, id := c.body.str("number"), c.body.str("tagId")
	switch {
	case number == "":
		return badRequest(textNumberRequired)
	case id == "":
		return badRequest("tagId is required")
	}
	return c.tagChat(number, id, true, "Tag assigned successfully")
}

func unassignTag(c *call) reply {
	number, _ := c.param("number")
	id, _ := c.param("tagId")
	switch {
	case number == "":
		return badRequest("number query parameter is required")
	case id == "":
		return badRequest(textTagIDQuery)
	}
	return c.tagChat(number, id, false, "Tag removed successfully")
}

func (c *call) tagChat(number, id string, on bool, message string) reply {
	jid, valid := parseNumber(number)
	if !valid {
		return badNumber(number)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	l := c.inst.label(id)
	if l == nil {
		return notFound(textTagNotFound)
	}
	c.inst.setLabel(l, jid, on)
	return ok(obj{"message": message, "tag_id": id})
}

// ---- state of a chat

func archiveChat(c *call, jid string) reply {
	if res, stop := c.offline(); stop {
		return res
	}
	on := c.body.bool("archive")
	c.inst.chatState(jid).archived = on
	c.inst.changedChat(jid)
	message := "Chat unarchived successfully"
	if on {
		message = "Chat archived successfully"
	}
	return ok(obj{"message": message, "chat_jid": jid, "archived": on})
}

func markChatRead(c *call, jid string) reply {
	if res, stop := c.offline(); stop {
		return res
	}
	read := c.body.bool("read")
	st := c.inst.chatState(jid)
	st.markedUnread = !read
	c.inst.changedChat(jid)
	message := "Chat marked as unread successfully"
	if read {
		message = "Chat marked as read successfully"
		st.readUpTo = len(c.inst.messages)
		for _, m := range c.inst.messages {
			if !m.FromMe && c.inst.inChat(m, jid) {
				m.Status = "read"
				c.inst.changedMessage(m)
			}
		}
	}
	return ok(obj{"message": message, "chat_jid": jid, "read": read})
}

// pinChat refuses a fourth chat. That it fails is documented, with what status
// and text is not.
func pinChat(c *call, jid string) reply {
	if res, stop := c.offline(); stop {
		return res
	}
	on := c.body.bool("pin")
	st := c.inst.chatState(jid)
	if on && !st.pinned {
		pinned := 0
		for _, other := range c.inst.book.chats {
			if other.pinned {
				pinned++
			}
		}
		if pinned >= maxPinnedChats {
			return fail(http.StatusInternalServerError, "Failed to pin chat: at most 3 chats can be pinned")
		}
	}
	st.pinned = on
	c.inst.changedChat(jid)
	message := "Chat unpinned successfully"
	if on {
		message = "Chat pinned successfully"
	}
	return ok(obj{"message": message, "chat_jid": jid, "pinned": on})
}

func muteChat(c *call, jid string) reply {
	on := c.body.bool("mute")
	seconds, message, valid := 0, "Chat notifications unmuted successfully", true
	if on {
		seconds, message, valid = muteFor(c.body.str("duration"))
	}
	if !valid {
		return badRequest("Invalid duration: " + c.body.str("duration"))
	}
	if res, stop := c.offline(); stop {
		return res
	}
	st := c.inst.chatState(jid)
	st.muted, st.mutedUntil = on, time.Time{}
	if seconds > 0 {
		st.mutedUntil = c.s.clock.now().Add(time.Duration(seconds) * time.Second)
	}
	c.inst.changedChat(jid)
	return ok(obj{"message": message, "muted": on, "duration": seconds})
}

// blockContact takes people only; the text for others is not documented.
func blockContact(c *call, jid string) reply {
	if _, server := splitJID(jid); server != serverUser && server != serverLID {
		return badRequest("Only contacts can be blocked")
	}
	if res, stop := c.offline(); stop {
		return res
	}
	on := c.body.bool("block")
	c.inst.chatState(jid).blocked = on
	c.inst.changedChat(jid)
	count := 0
	for _, st := range c.inst.book.chats {
		if st.blocked {
			count++
		}
	}
	message := "Contact unblocked successfully"
	if on {
		message = "Contact blocked successfully"
	}
	return ok(obj{"message": message, "contact_jid": jid, "blocked_count": count, "blocked": on})
}

// sendPresence answers at once, and takes the presence back by itself. Whether
// the service waits is not documented, nor is what it answers beyond success.
func sendPresence(c *call, jid string) reply {
	state := strings.ToLower(c.body.str("state"))
	switch state {
	case "":
		return badRequest("State is required. Use 'typing', 'recording', or 'pause'")
	case "typing", "recording":
	case "pause", "paused":
		state = ""
	default:
		return badRequest("Invalid state. Use 'typing', 'recording', or 'pause'")
	}
	if res, stop := c.offline(); stop {
		return res
	}
	d := time.Duration(min(c.body.int("duration"), 60)) * time.Second
	if d <= 0 {
		d = presenceFade
	}
	c.inst.show(jid, state, d)
	return ok(obj{})
}

// deleteChat keeps the media that the service has stored, unless it is told
// otherwise.
func deleteChat(c *call, jid string) reply {
	if res, stop := c.offline(); stop {
		return res
	}
	media := c.body.bool("deleteMedia")
	for _, m := range c.inst.messages {
		if c.s.world.canonical(m.Chat) != jid {
			continue
		}
		m.Deleted = true
		c.inst.changedMessage(m)
		if media && m.Media != nil {
			dropped := *m.Media
			dropped.Bytes = nil
			m.Media = &dropped
		}
	}
	if st := c.inst.book.chats[jid]; st != nil {
		*st = chatState{blocked: st.blocked, readUpTo: len(c.inst.messages), shown: st.shown + 1}
	}
	message := "Chat deleted successfully"
	if media {
		message = "Chat deleted successfully (including media)"
	}
	return ok(obj{"message": message, "chat_jid": jid, "delete_media": media})
}
