package ryzetest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fields that several sends share.
var (
	targetFields  = []field{str("number"), integer("delay"), str("replyTo"), boolean("replyPrivate"), str("source")}
	mentionFields = []field{list("mention", str("")), boolean("mentionAll")}
	voiceFields   = []field{boolean("isVoice"), integer("duration"), list("waveform", integer(""))}
)

func messageRoutes() []route {
	media := sendRoute("media", composeMedia, slices.Concat(targetFields, mentionFields, voiceFields, []field{
		str("mediaType", "image", "video", "document", "audio"), str("mediaUrl"), str("mediaBase64"), str("message"),
		str("mimeType"), str("fileName"),
	})...)
	media.stream = []string{"mediaBase64", "mediaUrl"}
	return []route{
		sendRoute("text", composeText, slices.Concat(targetFields, mentionFields, []field{str("message"), boolean("linkPreview")})...),
		media,
	}
}

// sendRoute is the route of one kind of send.
func sendRoute(kind string, compose composer, fields ...field) route {
	return route{
		id: "messages." + kind, method: "POST", path: "/api/message/" + kind + "/:instance",
		body: fields, badBody: badBodyDetail, handle: sender(compose),
	}
}

// draft is what one kind of send makes of its body.
type draft struct {
	kind string // of the event, "text"
	// messageType is that of the reply; the kind when empty.
	messageType string
	text        string // body or caption
	// content is that of the reply; the text when empty. Kinds without one set
	// noContent.
	content   string
	noContent bool
	data      obj    // further members of the reply's data
	message   string // of the reply; "Message sent successfully" when empty
	media     *Media
	location  *Location
	card      *ContactCard
	poll      *Poll
	reaction  *Reaction
	patch     obj // of the event
}

// composer checks the body of one kind of send and makes its draft. It reports
// true with the reply of a body that will not do.
type composer func(c *call) (draft, reply, bool)

func composeText(c *call) (draft, reply, bool) {
	text := c.body.str("message")
	if text == "" {
		return refuse("Message is required")
	}
	return draft{kind: "text", text: text}, reply{}, false
}

func composeMedia(c *call) (draft, reply, bool) {
	b := c.body
	kind := b.str("mediaType")
	if !slices.Contains([]string{"image", "video", "document", "audio"}, kind) {
		return refuse("mediaType must be one of: image, video, document, audio")
	}
	m, err := c.file(kind, "mediaUrl", "mediaBase64")
	if err != nil {
		return refuse("%v", err)
	}
	m.describe(b)
	data := obj{"mediaUrl": m.remoteURL(), "mediaMimeType": m.MIME}
	if m.Size > 0 {
		data["mediaSize"] = m.Size
	}
	if m.Voice && m.Duration > 0 {
		data["mediaDuration"] = m.Duration
	}
	return draft{kind: kind, text: m.Caption, media: m, data: data}, reply{}, false
}

// sender is the handler of every send: body checked, recipient found, delay
// waited for, message stored, echo and receipts on their way.
func sender(compose composer) func(*call) reply {
	return func(c *call) reply {
		b := c.body
		jid, res, stop := c.recipient()
		if stop {
			return res
		}
		d, res, stop := compose(c)
		if stop {
			return res
		}
		if b.int("delay") < 0 {
			return badRequest("delay cannot be negative")
		}

		m := c.message(d)
		if res, stop := c.prepare(m, jid); stop {
			return res
		}
		if err := c.sleep(time.Duration(b.int("delay")) * time.Second); err != nil {
			return fail(http.StatusServiceUnavailable, textNotConnected)
		}
		return c.send(m, d)
	}
}

// message makes the message of a draft.
func (c *call) message(d draft) *Message {
	return &Message{
		Kind: d.kind, Text: d.text, Source: cmp.Or(c.body.str("source"), "api"), Request: c.body,
		Media: d.media, Location: d.location, Card: d.card, Poll: d.poll, Reaction: d.reaction,
		ReplyTo: c.body.str("replyTo"),
		event:   eventPart{patch: d.patch},
	}
}

// prepare finds the recipient and what the message quotes, before the delay.
func (c *call) prepare(m *Message, jid string) (reply, bool) {
	i := c.inst
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if i.state != StateConnected {
		return fail(c.s.cfg.notConnected, textNotConnected), true
	}
	if m.ReplyTo != "" {
		quoted := i.byID[m.ReplyTo]
		if quoted == nil {
			return badRequest("replyTo message not found"), true
		}
		if c.body.bool("replyPrivate") && !c.route.keepsChat && chatType(quoted.Chat) == "group" {
			jid = quoted.Sender
		}
	}
	var there bool
	if m.Chat, there = c.s.world.resolve(jid); !there {
		return badRequest(fmt.Sprintf("Number %s is not on WhatsApp", strings.TrimSuffix(jid, "@"+serverUser))), true
	}
	if res, stop := i.mayWrite(m.Chat); stop {
		return res, true
	}
	if chatType(m.Chat) == "group" {
		m.Mentions = c.body.strings("mention")
		m.MentionAll = c.body.bool("mentionAll")
	}
	return reply{}, false
}

// send stores the message, announces it and answers.
func (c *call) send(m *Message, d draft) reply {
	s, i := c.s, c.inst
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.state != StateConnected || i.deleted() {
		return fail(s.cfg.notConnected, textNotConnected)
	}
	m.ID, m.Sender, m.FromMe, m.Status, m.Timestamp = newMessageID(), i.jid(), true, "sent", s.clock.now()
	i.store(m)
	if !s.cfg.noEchoes {
		i.announce(m)
	}
	i.scheduleReceipts(m)

	data := obj{
		"messageId": m.ID, "timestamp": s.stamp(m.Timestamp), "direction": "outgoing",
		"messageType": cmp.Or(d.messageType, d.kind), "chat": i.replyChat(m.Chat),
		"sender": obj{"jid": i.jid(), "name": i.profile.name},
	}
	if !d.noContent {
		data["content"] = cmp.Or(d.content, d.text)
	}
	if len(m.Mentions) > 0 {
		data["mentions"] = m.Mentions
	}
	if m.ReplyTo != "" {
		data["replyTo"] = obj{"messageId": m.ReplyTo}
	}
	maps.Copy(data, d.data)
	return ok(obj{"message": cmp.Or(d.message, "Message sent successfully"), "status": "sent", "data": data})
}

// replyChat is the chat of a send's reply: the JID that WhatsApp knows it by.
func (i *Instance) replyChat(jid string) obj {
	chat := obj{"jid": jid}
	isGroup := chatType(jid) == "group"
	if i.s.cfg.layout == LayoutLive {
		chat["isGroup"] = isGroup
	}
	if isGroup {
		chat["groupName"] = i.groupName(jid)
	}
	return chat
}
