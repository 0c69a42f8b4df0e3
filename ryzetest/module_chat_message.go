package ryzetest

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// forwardable are the kinds of messages that can be forwarded.
var forwardable = []string{"text", "image", "video", "audio", "document", "sticker", "contact", "location"}

// statusCodes are the numbers beside the words of GET /api/chat/status.
var statusCodes = map[string]int{
	"pending": 0, "sent": 1, "delivered": 2, "received": 3, "read": 4, "played": 5, "error": -1,
}

// held finds a message of the account, for an operation of WhatsApp. The caller
// holds the lock.
func (c *call) held(id, missing string) (*Message, reply, bool) {
	if res, stop := c.offline(); stop {
		return nil, res, true
	}
	m := c.inst.visible(id)
	if m == nil {
		return nil, notFound(missing), true
	}
	return m, reply{}, false
}

func getMessage(c *call) reply {
	id, _ := c.param("messageId")
	if id == "" {
		return badRequest("Message ID is required (use ?messageId=<message-id>)")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m, res, stop := c.held(id, textMessageNotFound)
	if stop {
		return res
	}
	isGroup := chatType(m.Chat) == "group"
	to := c.inst.jid()
	if m.FromMe || isGroup {
		to = m.Chat
	}
	data := obj{
		"content": m.Text, "type": m.Kind, "from": m.Sender, "to": to, "chat": m.Chat,
		"timestamp": utc(m.Timestamp), "isGroup": isGroup, "status": m.Status,
	}
	if m.Media != nil {
		media := obj{"type": m.Media.Kind, "mimeType": m.Media.MIME, "size": m.Media.Size}
		if m.Media.Kind == "audio" || m.Media.Kind == "video" {
			media["duration"] = m.Media.Duration
		}
		data["media"] = media
	}
	return ok(obj{"message": "Message found", "messageId": m.ID, "data": data, "status": "found"})
}

// chatHistory shows the newest messages first. Both bounds are inclusive, to
// the second that timestamps have.
func chatHistory(c *call) reply {
	b := c.body
	jid, res, stop := c.recipient()
	if stop {
		return res
	}
	var bounds [2]time.Time
	for k, name := range []string{"from", "to"} {
		text := b.str(name)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return badRequest("invalid '" + name + "' date format. Use ISO 8601 format (e.g., '2026-02-16T18:32:39Z')")
		}
		bounds[k] = t
	}
	from, to := bounds[0], bounds[1]
	limit := b.int("count")
	if limit <= 0 {
		limit = 50
	}

	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	jid = c.s.world.canonical(jid)
	var found []*Message
	for _, m := range c.inst.messages {
		at := m.Timestamp.Truncate(time.Second)
		if !c.inst.inChat(m, jid) || !from.IsZero() && at.Before(from) || !to.IsZero() && at.After(to) {
			continue
		}
		found = append(found, m)
	}
	slices.Reverse(found) // of two with the same time the later one comes first
	slices.SortStableFunc(found, func(a, b *Message) int { return b.Timestamp.Compare(a.Timestamp) })
	found = found[:min(limit, len(found))]
	items := make([]obj, len(found))
	for k, m := range found {
		items[k] = obj{
			"id": m.ID, "timestamp": utc(m.Timestamp), "fromMe": m.FromMe, "type": m.Kind, "content": m.Text,
			"chatJid": m.Chat, "senderJid": m.Sender,
		}
	}
	return ok(obj{"chat_jid": jid, "messages": items, "count": len(items), "hasMore": len(items) == limit})
}

// mediaBase64 finds what the service has downloaded by now.
func mediaBase64(c *call) reply {
	id, _ := c.param("messageId")
	if id == "" {
		return badRequest(textMessageIDQuery)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	m := c.inst.byID[id]
	if m == nil || m.Media == nil || m.Media.Bytes == nil || c.s.clock.now().Before(m.stored.Add(c.s.cfg.mediaDelay)) {
		return notFound("Message not found or no media available")
	}
	return ok(obj{
		"message": "Base64 retrieved successfully", "message_id": m.ID, "mime_type": m.Media.MIME,
		"media_type": m.Media.Kind, "base64": base64.StdEncoding.EncodeToString(m.Media.Bytes),
	})
}

// messageStatus reads the database: it works without a connection.
func messageStatus(c *call) reply {
	id, _ := c.param("messageId")
	if id == "" {
		return badRequest(textMessageIDQuery)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m := c.inst.visible(id)
	if m == nil {
		if c.s.heldElsewhere(c.inst, id) {
			return notFound("Message does not belong to this instance")
		}
		return notFound(textMessageNotFound)
	}
	direction := "received"
	if m.FromMe {
		direction = "sent"
	}
	return ok(obj{
		"message": "Message status retrieved successfully", "message_id": m.ID, "status": m.Status,
		"status_code": statusCodes[m.Status], "direction": direction, "chat_jid": m.Chat, "timestamp": utc(m.Timestamp),
	})
}

// heldElsewhere reports whether another instance has a message with that id.
func (s *Server) heldElsewhere(except *Instance, id string) bool {
	for i := range s.instances() {
		if i != except && i.byID[id] != nil {
			return true
		}
	}
	return false
}

// pollVotes lists every option. Whether those without votes are listed, and
// whether a withdrawn vote disappears, is not documented.
func pollVotes(c *call) reply {
	id, _ := c.param("messageId")
	if id == "" {
		return badRequest(textMessageIDQuery)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m := c.inst.visible(id)
	if m == nil || m.Poll == nil || !m.FromMe {
		return notFound("Poll not found")
	}
	votes := make([]obj, len(m.Poll.Options))
	details := []obj{}
	for k, option := range m.Poll.Options {
		count := 0
		for _, v := range c.inst.book.votes[id] {
			if !slices.Contains(v.options, option) {
				continue
			}
			count++
			voter, _ := splitJID(v.voter)
			details = append(details, obj{
				"optionHash": optionHash(option), "optionName": option, "senderJid": voter,
				"voteMessageId": v.id, "createdAt": utc(v.at),
			})
		}
		votes[k] = obj{"optionName": option, "optionVoteCount": count}
	}
	return ok(obj{
		"message": "Poll votes retrieved successfully", "messageId": id,
		"data": obj{"messageId": id, "name": m.Poll.Question, "votes": votes, "voteDetails": details},
	})
}

// markRead sends a receipt; a message that the service does not know is none
// of its concern.
func markRead(c *call) reply {
	b := c.body
	id := b.str("messageId")
	if id == "" {
		return badRequest(textMessageID)
	}
	jid, res, stop := c.recipient()
	if stop {
		return res
	}
	if chatType(jid) == "group" && b.str("sender") == "" {
		return badRequest("sender is required for group messages")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	jid = c.s.world.canonical(jid)
	if m := c.inst.visible(id); m != nil && !m.FromMe && c.inst.inChat(m, jid) {
		m.Status = "read"
	}
	return ok(obj{"message": "Message marked as read successfully", "message_id": id, "chat_jid": jid})
}

func editMessage(c *call) reply {
	id, content := c.body.str("messageId"), c.body.str("content")
	switch {
	case id == "":
		return badRequest(textMessageID)
	case content == "":
		return badRequest("content is required")
	}
	s, i := c.s, c.inst
	s.mu.Lock()
	defer s.mu.Unlock()
	m, res, stop := c.held(id, "message not found")
	if stop {
		return res
	}
	now := s.clock.now()
	switch {
	case !m.FromMe:
		return badRequest("can only edit messages sent by this instance")
	case m.Kind != "text" || m.Revoked:
		return badRequest("can only edit text messages")
	case now.Sub(m.Timestamp) > editWindow:
		return badRequest("message is too old to edit")
	}
	old := m.Text
	i.amend(&Message{
		ID: newMessageID(), Chat: m.Chat, Sender: i.jid(), FromMe: true, Kind: "text", Text: content,
		Source: "api", Timestamp: now, event: eventPart{original: id},
	})
	return ok(obj{
		"message": "Message edited successfully", "messageId": id, "chatJid": m.Chat,
		"oldContent": old, "newContent": content,
	})
}

// amend applies an edit or a revoke that came through the API, and announces
// it unless echoes are off. The caller holds the lock.
func (i *Instance) amend(m *Message) {
	if !i.s.cfg.noEchoes {
		i.deliver(m)
		return
	}
	if m.event.revoke {
		old := i.byID[m.event.id]
		old.Revoked = true
		i.changedMessage(old)
		return
	}
	old := i.byID[m.event.original]
	old.Text, old.Edited = m.Text, true
	i.changedMessage(old)
}

// deleteMessage always reports success for everyone, even when the window of
// WhatsApp is over, or the message is somebody else's, and nothing goes away.
func deleteMessage(c *call) reply {
	id := c.body.str("messageId")
	if id == "" {
		return badRequest("MessageID is required")
	}
	s, i := c.s, c.inst
	s.mu.Lock()
	defer s.mu.Unlock()
	m, res, stop := c.held(id, "message not found")
	if stop {
		return res
	}
	if !c.body.bool("deleteForEveryone") {
		m.Deleted = true
		i.changedMessage(m)
		return ok(obj{"message": "Message deleted for me", "delete_type": "delete_for_me"})
	}
	now := s.clock.now()
	g := s.world.groups.byJID[m.Chat]
	allowed := m.FromMe || g != nil && g.isAdmin(i.jid())
	if allowed && now.Sub(m.Timestamp) <= revokeWindow {
		i.amend(&Message{
			ID: newMessageID(), Chat: m.Chat, Sender: i.jid(), FromMe: true, Kind: m.Kind,
			Source: "api", Timestamp: now, event: eventPart{revoke: true, id: id},
		})
	}
	return ok(obj{"message": "Message deleted for everyone", "delete_type": "revoke"})
}

func forwardMessage(c *call) reply {
	id, to := c.body.str("messageId"), c.body.str("to")
	switch {
	case id == "":
		return badRequest(textMessageID)
	case to == "":
		return badRequest("to is required")
	}
	jid, valid := parseNumber(to)
	if !valid {
		return badNumber(to)
	}
	s, i := c.s, c.inst
	s.mu.Lock()
	defer s.mu.Unlock()
	m, res, stop := c.held(id, "message not found")
	if stop {
		return res
	}
	if m.Revoked {
		return notFound("message not found")
	}
	if !slices.Contains(forwardable, m.Kind) {
		return fail(http.StatusInternalServerError, "unsupported message type for forwarding: "+m.Kind)
	}
	chat, there := s.world.resolve(jid)
	if !there {
		return badRequest("Number " + strings.TrimSuffix(jid, "@"+serverUser) + " is not on WhatsApp")
	}
	if res, stop := i.mayWrite(chat); stop {
		return res
	}
	f := m.copy()
	f.ID, f.Chat, f.Sender, f.FromMe, f.Status, f.Timestamp = newMessageID(), chat, i.jid(), true, "sent", s.clock.now()
	f.Forwarded, f.Edited, f.Source, f.Request = true, false, "api", c.body
	f.ReplyTo, f.Mentions, f.MentionAll, f.event = "", nil, false, eventPart{}
	f.Pinned, f.Starred = false, false
	i.store(&f)
	if !s.cfg.noEchoes {
		i.announce(&f)
	}
	i.scheduleReceipts(&f)
	return ok(obj{
		"message": "Message forwarded successfully", "messageId": f.ID, "originalId": id, "destinationJid": chat,
	})
}

// pinMessage takes any duration and answers with it: which ones the service
// takes, its default (here 7d), and the status of its not-found text are not
// documented.
func pinMessage(c *call) reply {
	id := c.body.str("messageId")
	if id == "" {
		return badRequest(textMessageID)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m, res, stop := c.held(id, "message with ID "+id+" not found")
	if stop {
		return res
	}
	m.Pinned = c.body.bool("pin")
	c.inst.changedMessage(m)
	body := obj{"message": "Message unpinned successfully", "chat_jid": m.Chat, "message_id": id, "pinned": m.Pinned}
	if m.Pinned {
		body["message"] = "Message pinned successfully"
		body["duration"] = cmp.Or(c.body.str("duration"), "7d")
	}
	return ok(body)
}

// favorite stars a message or a chat. Its message texts are not documented.
func favorite(c *call) reply {
	number, id := c.body.str("number"), c.body.str("messageId")
	if number == "" && id == "" {
		return badRequest("Either number or messageId is required")
	}
	jid := ""
	if id == "" {
		var valid bool
		if jid, valid = parseNumber(number); !valid {
			return badNumber(number)
		}
	}
	on := c.body.bool("favorite")
	verb := " removed from favorites"
	if on {
		verb = " added to favorites"
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if id == "" {
		if res, stop := c.offline(); stop {
			return res
		}
		jid = c.s.world.canonical(jid)
		c.inst.chatState(jid).favorite = on
		c.inst.changedChat(jid)
		return ok(obj{"message": "Chat" + verb, "type": "chat", "chat_jid": jid, "favorite": on})
	}
	m, res, stop := c.held(id, textMessageNotFound)
	if stop {
		return res
	}
	m.Starred = on
	c.inst.changedMessage(m)
	return ok(obj{
		"message": "Message" + verb, "type": "message", "chat_jid": m.Chat, "message_id": id, "favorite": on,
	})
}
