package ryzetest

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
)

// eventNames are the six events that a channel can be asked for.
var eventNames = []string{"message.exchange", "message.status", "call.update", "group.flow", "instance.state", "label.update"}

// localZone is the offset of the timestamps of the live layout.
var localZone = time.FixedZone("", -3*60*60)

// stamp writes a time as the service does.
func (s *Server) stamp(t time.Time) string {
	if s.cfg.layout == LayoutDocumented {
		return t.UTC().Format(time.RFC3339)
	}
	return t.In(localZone).Format(time.RFC3339)
}

// eventJID writes a JID as events do.
func (s *Server) eventJID(jid string) string {
	if user, server := splitJID(jid); s.cfg.layout == LayoutDocumented && server == serverUser {
		return user
	}
	return jid
}

// Emit sends an event with data of the test's choosing to every channel that
// wants it: for events that the simulator does not play by itself, unknown
// events and malformed ones. The event name is not checked.
func (i *Instance) Emit(event string, data any) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.emit(event, func(bool) any { return data })
}

// emit sends an event to the webhooks and streams that want it. data builds
// the event's data, with or without the base64 of its media; it is not called
// when nobody listens. The caller holds the lock.
func (i *Instance) emit(event string, data func(withMedia bool) any) {
	if i.deleted() {
		return
	}
	var rendered [2][]byte
	render := func(withMedia bool) []byte {
		k := 0
		if withMedia {
			k = 1
		}
		if rendered[k] == nil {
			rendered[k] = encode(obj{
				"event":        event,
				"data":         data(withMedia),
				"instanceData": obj{"baseUrl": i.s.URL, "instance": i.name, "token": i.token},
			})
		}
		return rendered[k]
	}
	for _, h := range i.hooks {
		if h.enabled && wants(h.events, event) {
			h.enqueue(event, render(h.mediaBase64))
		}
	}
	if i.stream == nil || !i.stream.enabled || !wants(i.stream.events, event) {
		return
	}
	for so := range i.sockets {
		so.push(render(i.stream.mediaBase64))
	}
}

// wants tells whether a filter lets an event through; an empty one lets all.
func wants(filter []string, event string) bool {
	return len(filter) == 0 || slices.Contains(filter, event)
}

// announce emits the message.exchange of a message. The caller holds the lock.
func (i *Instance) announce(m *Message) {
	shot := *m // the message may change before somebody renders the event
	i.emit("message.exchange", func(withMedia bool) any {
		if i.s.cfg.layout == LayoutDocumented {
			return i.documentedExchange(&shot, withMedia)
		}
		return i.liveExchange(&shot, withMedia)
	})
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
	switch {
	case m.event.revoke:
		body["type"] = "message_revoke"
	case m.event.original != "":
		body["type"] = "message_edit"
		body["edit"] = obj{"original_id": m.event.original, "text": m.Text}
	}
	if m.Media != nil {
		media := i.mediaPart(m, withMedia)
		media["isVoiceNote"] = m.Media.Voice
		media["fileSize"] = m.Media.Size
		body["media"] = media
		body["content"] = ""
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
	switch {
	case m.event.revoke:
		body["type"] = "message_revoke"
	case m.event.original != "":
		body["type"] = "message_edit"
		body["edit"] = obj{"original_id": m.event.original, "text": m.Text}
	}
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
	if m.Answer != nil {
		maps.Copy(body, m.Answer.documented())
	}
	maps.Copy(body, m.event.patch)
	i.quote(body, m)
	return obj{"id": m.eventID(), "message": body}
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

// AnswerKind says what a customer tapped.
type AnswerKind string

const (
	// AnswerButton is a tap on a button.
	AnswerButton AnswerKind = "button"
	// AnswerList is a row picked from a list.
	AnswerList AnswerKind = "list"
	// AnswerCarousel is a tap on a button of a carousel card.
	AnswerCarousel AnswerKind = "carousel"
	// AnswerForm is a form filled in.
	AnswerForm AnswerKind = "form"
	// AnswerText is a tap that arrives as a text message carrying the button's
	// id, as the pages of buttons and carousel describe it.
	AnswerText AnswerKind = "text"
)

// Answer is a tap on a button, a list row or a carousel card, or a form filled
// in.
type Answer struct {
	Kind  AnswerKind
	ID    string // of the button or row; the flow token of a form
	Title string // its label; a live button tap does not carry it
	Card  int    // index of the carousel card
	// Values are further members of data.message.interactive, for forms.
	Values map[string]any
}

func (a *Answer) live() obj {
	interactive := obj{}
	var kind string
	switch a.Kind {
	case AnswerText:
		return obj{"type": "text", "content": a.ID}
	case AnswerList:
		kind = "list_response"
		interactive["selectedReply"] = obj{"selectedRowID": a.ID}
		interactive["title"] = a.Title
	case AnswerCarousel:
		kind = "template_button_reply"
		interactive["selectedButtonId"] = a.ID
		interactive["selectedCarouselCardIndex"] = a.Card
		if a.Title != "" {
			interactive["title"] = a.Title
		}
	case AnswerForm:
		kind = "interactive"
		interactive["flow_token"] = a.ID
	default:
		kind = "buttons_response"
		interactive["selectedButtonId"] = a.ID
	}
	maps.Copy(interactive, a.Values)
	return obj{"type": kind, "content": "", "interactive": interactive}
}

func (a *Answer) documented() obj {
	switch a.Kind {
	case AnswerText:
		return obj{"type": "text", "content": obj{"text": a.ID}}
	case AnswerList:
		return obj{"type": "list_response", "list_response": obj{
			"title": a.Title, "single_select_reply": obj{"option_name": a.ID},
		}}
	case AnswerCarousel:
		return obj{"type": "template_button_reply", "interactive": obj{"selectedButtonId": a.ID}}
	case AnswerForm:
		interactive := obj{"flow_token": a.ID}
		maps.Copy(interactive, a.Values)
		return obj{"type": "interactive", "interactive": interactive}
	}
	return obj{"type": "button_response", "button_response": obj{
		"title": a.Title, "selected_button_id": a.ID,
	}}
}

// mediaKind names the kind of a file by its MIME type.
func mediaKind(mime string) string {
	kind, _, _ := strings.Cut(mime, "/")
	switch kind {
	case "image", "video", "audio":
		return kind
	}
	return "document"
}
