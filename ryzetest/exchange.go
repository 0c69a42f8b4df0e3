package ryzetest

import (
	"encoding/base64"
	"maps"
)

// exchange is the data of a message.exchange in the server's layout.
func (i *Instance) exchange(m *Message, withMedia bool) obj {
	if i.s.cfg.layout == LayoutDocumented {
		return i.documentedExchange(m, withMedia)
	}
	return i.liveExchange(m, withMedia)
}

func (m *Message) eventID() string {
	if m.event.id != "" {
		return m.event.id
	}
	return m.ID
}

func direction(fromMe bool) string {
	if fromMe {
		return "outgoing"
	}
	return "incoming"
}

// chatName is what the event calls the chat.
func (i *Instance) chatName(chat string) string {
	if chatType(chat) == "group" {
		return i.groupName(chat)
	}
	return i.s.world.contact(chat).Name
}

// party describes the author of a message.
func (i *Instance) party(m *Message) obj {
	if m.FromMe {
		return obj{"jid": i.s.eventJID(i.jid()), "name": i.profile.name}
	}
	c := i.s.world.contact(m.Sender)
	p := obj{"jid": i.s.eventJID(m.Sender)}
	if c.LID != "" {
		p["lid"] = c.LID
		if m.event.hidden {
			p["jid"] = c.LID
		}
	}
	if c.Name != "" {
		p["name"] = c.Name
	}
	return p
}

func (i *Instance) chat(m *Message) obj {
	c := obj{"jid": i.s.eventJID(m.Chat), "type": chatType(m.Chat)}
	if name := i.chatName(m.Chat); name != "" {
		c["name"] = name
	}
	if i.s.world.isAnnouncements(m.Chat) {
		c["isCommunity"] = true
	}
	if chatType(m.Chat) == "private" {
		if lid := i.s.world.contact(m.Chat).LID; lid != "" {
			c["lid"] = lid
			if m.event.hidden {
				c["jid"] = lid
			}
		}
	}
	return c
}

// liveExchange is the data of a message.exchange as the running service sends
// it. Where no capture shows a part, the keys that clients look for are used.
func (i *Instance) liveExchange(m *Message, withMedia bool) obj {
	body := obj{
		"type": m.Kind, "content": m.Text, "source": m.Source,
		"isForwarded": m.Forwarded, "isEdit": m.event.original != "",
		"edit": nil, "context": nil, "media": nil, "reaction": nil,
		"location": nil, "contact": nil, "interactive": nil,
	}
	m.addParts(body)
	if m.Media != nil {
		media := i.mediaPart(m, withMedia)
		media["isVoiceNote"] = m.Media.Voice
		media["fileSize"] = m.Media.Size
		body["media"] = media
		body["content"] = ""
	}
	if m.Answer != nil {
		maps.Copy(body, m.Answer.live())
	}
	maps.Copy(body, m.event.patch)

	data := obj{
		"id": m.eventID(), "direction": direction(m.FromMe), "timestamp": i.s.stamp(m.Timestamp),
		"chat": i.chat(m), "sender": i.party(m), "recipient": nil, "message": body,
	}
	if m.FromMe && chatType(m.Chat) == "private" {
		data["recipient"] = obj{"jid": m.Chat}
	}
	i.quote(data, m)
	return data
}

// documentedExchange is the same in the layout of the documentation.
func (i *Instance) documentedExchange(m *Message, withMedia bool) obj {
	body := obj{
		"id": m.eventID(), "direction": direction(m.FromMe), "timestamp": i.s.stamp(m.Timestamp),
		"type": m.Kind, "chat": i.chat(m), "sender": i.party(m),
	}
	if m.Source != "" {
		body["source"] = m.Source
	}
	m.addParts(body)
	switch {
	case m.Media != nil:
		media := i.mediaPart(m, withMedia)
		if m.Media.Voice {
			media["type"] = "ptt"
		}
		body["media"] = media
	case m.Text != "" && m.Answer == nil:
		body["content"] = obj{"text": m.Text}
	}
	if m.Answer != nil {
		maps.Copy(body, m.Answer.documented())
	}
	maps.Copy(body, m.event.patch)
	i.quote(body, m)
	return obj{"id": m.eventID(), "message": body}
}

// addParts adds what both layouts spell alike.
func (m *Message) addParts(body obj) {
	switch {
	case m.event.revoke:
		body["type"] = "message_revoke"
	case m.event.original != "":
		body["type"] = "message_edit"
		body["edit"] = obj{"original_id": m.event.original, "text": m.Text}
	}
	if m.Reaction != nil {
		body["reaction"] = obj{"text": m.Reaction.Emoji, "message_id": m.Reaction.MessageID}
	}
	if m.Location != nil {
		body["location"] = locationPart(m.Location)
	}
	if m.Card != nil {
		body["contact"] = cardPart(m.Card)
	}
	if m.Poll != nil {
		body["poll"] = pollPart(m.Poll)
	}
}

// quote adds what a message refers to.
func (i *Instance) quote(to obj, m *Message) {
	if m.ReplyTo != "" {
		reply := obj{"message_id": m.ReplyTo}
		if q := i.byID[m.ReplyTo]; q != nil {
			reply["text"] = q.Text
		}
		to["reply"] = reply
	}
	if len(m.Mentions) > 0 {
		users := make([]string, len(m.Mentions))
		for k, who := range m.Mentions {
			users[k] = userJID(who)
		}
		to["mentions"] = obj{"mentionedUsers": users}
	}
}

func (i *Instance) mediaPart(msg *Message, withMedia bool) obj {
	m := msg.Media
	p := obj{"type": m.Kind, "url": m.remoteURL(), "mimetype": m.MIME}
	if i.s3.enabled {
		p["s3Url"] = i.s3.object(msg.ID)
	}
	if m.FileName != "" {
		p["fileName"] = m.FileName
	}
	if m.Caption != "" {
		p["caption"] = m.Caption
	}
	if withMedia && m.Bytes != nil {
		p["base64"] = base64.StdEncoding.EncodeToString(m.Bytes)
	}
	return p
}

func locationPart(l *Location) obj {
	p := obj{"latitude": l.Latitude, "longitude": l.Longitude}
	if l.Name != "" {
		p["name"] = l.Name
	}
	if l.Address != "" {
		p["address"] = l.Address
	}
	return p
}

func cardPart(c *ContactCard) obj {
	return obj{"display_name": c.Name, "phone_number": c.Phone, "vcard": c.VCard}
}

func pollPart(p *Poll) obj {
	options := make([]obj, len(p.Options))
	for i, name := range p.Options {
		options[i] = obj{"name": name}
	}
	return obj{"title": p.Question, "options": options}
}
