package ryzetest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest/internal/web"
)

// contentFields are the members of what somebody writes, see Incoming.
var contentFields = []field{
	str("id"), str("at"), str("text"),
	object("media", str("data"), str("mime"), str("fileName"), str("kind", "image", "video", "audio", "document", "sticker"),
		boolean("voice"), integer("duration")),
	object("location", number("latitude"), number("longitude"), str("name"), str("address")),
	object("card", str("name"), str("phone"), str("vcard")),
	object("poll", str("question"), list("options", str("")), integer("max")),
	object("answer", str("kind", string(AnswerButton), string(AnswerList), string(AnswerCarousel), string(AnswerForm), string(AnswerText)),
		str("id"), str("title"), integer("card"), object("values")),
	object("reaction", str("emoji"), str("messageId")),
	str("edit"), str("revoke"), str("replyTo"), list("mentions", str("")), boolean("forwarded"), object("patch"),
}

// receiptStatuses are those of message.status events.
var receiptStatuses = []string{
	"delivered", "read", "played", "sender", "read_self", "played_self", "retry", "inactive", "server_error",
}

func controlPlayRoutes() []controlRoute {
	play := func(path string, handle func(*controlCall) (any, error), fields ...field) controlRoute {
		return controlRoute{method: "POST", path: "instances/{name}/" + path, body: fields, handle: handle}
	}
	// phone is what happens to the connection; the instance as it is then is answered.
	phone := func(path string, fn func(*Instance)) controlRoute {
		return play(path, func(c *controlCall) (any, error) {
			c.s.mu.Lock()
			defer c.s.mu.Unlock()
			if c.inst.deleted() {
				return nil, web.NotFound("the instance %q was deleted", c.inst.name)
			}
			fn(c.inst)
			return c.inst.view(), nil
		})
	}
	receive := play("receive", (*controlCall).receive, slices.Concat(contentFields,
		[]field{str("from"), str("name"), str("group"), boolean("hideNumber")})...)
	write := play("type", (*controlCall).typeOnPhone, slices.Concat(contentFields, []field{str("to")})...)
	receive.media, write.media = true, true
	return []controlRoute{
		play("pair", (*controlCall).pair, str("phone")),
		play("reconnect", (*controlCall).reconnect),
		phone("disconnect", (*Instance).disconnect),
		phone("logout", (*Instance).logOut),
		phone("ban", (*Instance).ban),
		phone("fail-pairing", (*Instance).failPairing),
		play("drop-streams", (*controlCall).dropStreams, integer("code")),
		receive,
		write,
		play("vote", (*controlCall).vote, str("poll"), str("voter"), list("options", str(""))),
		play("receipt", (*controlCall).receipt, str("status", receiptStatuses...), list("ids", str(""))),
		{method: "POST", path: "contacts", handle: (*controlCall).addContact, body: []field{
			str("phone"), str("lid"), str("name"), str("about"), boolean("reachable"),
		}},
		{method: "POST", path: "groups", handle: (*controlCall).addGroup, body: []field{
			str("jid"), str("name"), str("description"), str("owner"), list("members", str("")), list("admins", str("")),
		}},
	}
}

// idView names what was made.
type idView struct {
	ID string `json:"id"`
}

func (c *controlCall) pair() (any, error) {
	phone := strings.TrimPrefix(c.body.str("phone"), "+")
	if phone != "" && (!isDigits(phone) || len(phone) > 20) {
		return nil, web.Invalid("phone", "phone: %q is not the digits of a number", phone)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for other := range c.s.instances() {
		if phone != "" && other != c.inst && other.phone == phone && other.session {
			return nil, web.Conflict("the phone %s is paired with %s", phone, other.name)
		}
	}
	c.inst.pair(phone)
	return c.inst.view(), nil
}

func (c *controlCall) reconnect() (any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.inst.session {
		return nil, web.Conflict("no phone is paired with %s: there is nothing to reconnect", c.inst.name)
	}
	c.inst.comeBack()
	return c.inst.view(), nil
}

func (c *controlCall) dropStreams() (any, error) {
	code := c.body.int("code")
	sendable := code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code < 5000
	if code != 0 && !sendable {
		return nil, web.Invalid("code", "code: %d is not the code of a close frame; 0 ends the streams abruptly", code)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.inst.dropSockets(code)
	return c.inst.view(), nil
}

// receive plays somebody who writes to the instance.
func (c *controlCall) receive() (any, error) {
	in, err := c.content()
	if err != nil {
		return nil, err
	}
	if in.From, err = c.person("from"); err != nil {
		return nil, err
	}
	if group := c.body.str("group"); group != "" {
		jid, ok := parseNumber(group)
		if !ok || chatKind(jid) != "group" && chatKind(jid) != "status" {
			return nil, web.Invalid("group", "group: %q is not the JID of a group", group)
		}
		in.Group = jid
	}
	in.Name, in.HideNumber = c.body.str("name"), c.body.bool("hideNumber")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	id, refusal := c.inst.take(in)
	if refusal != "" {
		return nil, web.Conflict("%s", refusal)
	}
	return idView{id}, nil
}

// typeOnPhone plays the owner, who writes on the phone itself.
func (c *controlCall) typeOnPhone() (any, error) {
	in, err := c.content()
	if err != nil {
		return nil, err
	}
	to, err := c.person("to")
	if err != nil {
		return nil, err
	}
	id := c.inst.TypeOnPhone(to, in)
	if id == "" {
		return nil, web.Conflict("%s is %s: only a connected phone is heard of", c.inst.name, c.inst.State())
	}
	return idView{id}, nil
}

// content reads what somebody writes: one kind of it.
func (c *controlCall) content() (Incoming, error) {
	b := c.body
	in := Incoming{
		ID: b.str("id"), Text: b.str("text"), Edit: b.str("edit"), Revoke: b.str("revoke"), ReplyTo: b.str("replyTo"),
		Forwarded: b.bool("forwarded"), Patch: b.object("patch"),
	}
	var kinds []string
	for _, name := range []string{"media", "location", "card", "poll", "answer", "reaction", "edit", "revoke"} {
		if text, isText := b[name].(string); b.has(name) && (!isText || text != "") {
			kinds = append(kinds, name)
		}
	}
	switch {
	case len(kinds) > 1:
		return in, web.Invalid(kinds[1], "%s and %s make two messages: write them one after the other", kinds[0], kinds[1])
	case len(kinds) == 0 && in.Text == "":
		return in, web.Invalid("text", "one of text, media, location, card, poll, answer, reaction, edit and revoke is wanted")
	}
	if len(kinds) == 1 && in.Text != "" && kinds[0] != "media" && kinds[0] != "edit" {
		return in, web.Invalid("text", "text and %s make two messages: write them one after the other", kinds[0])
	}
	if in.Edit != "" && in.Text == "" {
		return in, web.Invalid("text", "text is wanted: what the message says now")
	}
	if at := b.str("at"); at != "" {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return in, web.Invalid("at", "at: %q is not a time of RFC 3339, as 2026-01-31T12:00:00Z", at)
		}
		in.At = t
	}
	for k, who := range b.strings("mentions") {
		jid, err := personOf(who, fmt.Sprintf("mentions[%d]", k))
		if err != nil {
			return in, err
		}
		in.Mentions = append(in.Mentions, jid)
	}
	return in, c.part(&in)
}

// part reads the member that makes the kind of a message.
func (c *controlCall) part(in *Incoming) (err error) {
	b := c.body
	switch {
	case b.has("media"):
		in.Media, err = fileOf(b.object("media"))
	case b.has("location"):
		l := b.object("location")
		in.Location = &Location{l.float("latitude"), l.float("longitude"), l.str("name"), l.str("address")}
		if x := in.Location; x.Latitude < -90 || x.Latitude > 90 || x.Longitude < -180 || x.Longitude > 180 {
			err = web.Invalid("location", "location: the latitude goes from -90 to 90, the longitude from -180 to 180")
		}
	case b.has("card"):
		in.Card, err = cardOf(b.object("card"))
	case b.has("poll"):
		in.Poll, err = pollOf(b.object("poll"))
	case b.has("answer"):
		a := b.object("answer")
		in.Answer = &Answer{AnswerKind(a.str("kind")), a.str("id"), a.str("title"), a.int("card"), a.object("values")}
		if in.Answer.ID == "" && in.Answer.Kind != AnswerForm {
			err = web.Invalid("answer.id", "answer.id is wanted: that of the button or row")
		}
	case b.has("reaction"):
		r := b.object("reaction")
		in.Reaction = &Reaction{r.str("emoji"), r.str("messageId")}
		if in.Reaction.MessageID == "" {
			err = web.Invalid("reaction.messageId", "reaction.messageId is wanted; an empty emoji takes the reaction away")
		}
	}
	return err
}

func fileOf(b values) (*File, error) {
	text := b.str("data")
	if text == "" {
		return nil, web.Invalid("media.data", "media.data is wanted: the file, in base64")
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, web.Invalid("media.data", "media.data is not base64: %v", err)
	}
	if b.int("duration") < 0 {
		return nil, web.Invalid("media.duration", "media.duration is in seconds, from 0 on")
	}
	return &File{data, b.str("mime"), b.str("fileName"), b.str("kind"), b.bool("voice"), b.int("duration")}, nil
}

func cardOf(b values) (*ContactCard, error) {
	card := &ContactCard{b.str("name"), b.str("phone"), b.str("vcard")}
	if card.Name == "" {
		return nil, web.Invalid("card.name", "card.name is wanted")
	}
	if card.VCard == "" {
		card.VCard = vcard(values{"fullName": card.Name, "phone": card.Phone})
	}
	return card, nil
}

func pollOf(b values) (*Poll, error) {
	p := &Poll{b.str("question"), b.strings("options"), b.int("max")}
	switch {
	case p.Question == "":
		return nil, web.Invalid("poll.question", "poll.question is wanted")
	case len(p.Options) < minPollOptions || len(p.Options) > maxPollOptions:
		return nil, web.Invalid("poll.options", "poll.options must have between %d and %d entries", minPollOptions, maxPollOptions)
	case p.Max < 0 || p.Max > len(p.Options):
		return nil, web.Invalid("poll.max", "poll.max must be a number from 0 to that of the options")
	}
	return p, nil
}

// vote plays a vote in a poll that the instance has sent.
func (c *controlCall) vote() (any, error) {
	voter, err := c.person("voter")
	if err != nil {
		return nil, err
	}
	options := c.body.strings("options")
	m, found := c.inst.Message(c.body.str("poll"))
	switch {
	case !found || m.Poll == nil:
		return nil, web.Invalid("poll", "poll: there is no poll %q", c.body.str("poll"))
	case !m.FromMe:
		return nil, web.Invalid("poll", "poll: only votes in polls that the instance has sent are played")
	case len(options) > max(1, m.Poll.Max):
		return nil, web.Invalid("options", "options: the poll takes %d at most", max(1, m.Poll.Max))
	}
	for k, o := range options {
		if !slices.Contains(m.Poll.Options, o) {
			return nil, web.Invalid(fmt.Sprintf("options[%d]", k), "the poll has no option %q%s", o, didYouMean(o, m.Poll.Options))
		}
	}
	return idView{c.inst.Vote(m.ID, voter, options...)}, nil
}

// receipt plays a message.status event.
func (c *controlCall) receipt() (any, error) {
	status, ids := c.body.str("status"), c.body.strings("ids")
	if status == "" {
		return nil, web.Invalid("status", "status is wanted: one of %s", strings.Join(receiptStatuses, ", "))
	}
	if len(ids) == 0 {
		return nil, web.Invalid("ids", "ids is wanted: those of messages")
	}
	for k, id := range ids {
		if _, found := c.inst.Message(id); !found {
			return nil, web.Invalid(fmt.Sprintf("ids[%d]", k), "there is no message %q", id)
		}
	}
	c.inst.Receipt(status, ids...)
	return obj{}, nil
}

// addContact notes somebody, or changes what is known of somebody.
func (c *controlCall) addContact() (any, error) {
	b := c.body
	phone := strings.TrimPrefix(b.str("phone"), "+")
	if !isDigits(phone) {
		return nil, web.Invalid("phone", "phone is wanted: the digits of a number")
	}
	lid := b.str("lid")
	if lid != "" {
		lid = strings.TrimSuffix(lid, "@"+serverLID)
		if !isDigits(lid) {
			return nil, web.Invalid("lid", "lid: %q is not a LID, as 100000000000001@lid", b.str("lid"))
		}
		lid += "@" + serverLID
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.world
	if other := w.byLID[lid]; lid != "" && other != "" && other != phone {
		return nil, web.Conflict("the LID %s is that of %s", lid, other)
	}
	k := w.contacts[phone]
	k.Phone = phone
	for name, to := range map[string]*string{"name": &k.Name, "about": &k.About} {
		if b.has(name) {
			*to = b.str(name)
		}
	}
	if b.has("lid") && k.LID != lid {
		delete(w.byLID, k.LID)
		k.LID = lid
	}
	w.know(k)
	if b.has("reachable") {
		if w.unreachable == nil {
			w.unreachable = map[string]bool{}
		}
		w.unreachable[phone] = !b.bool("reachable")
	}
	s.changed(ChangeServer)
	return contactView{phone, k.LID, k.Name, k.About, !w.unreachable[phone]}, nil
}

type groupView struct {
	JID string `json:"jid"`
}

func (c *controlCall) addGroup() (any, error) {
	b := c.body
	g := NewGroup{JID: b.str("jid"), Name: b.str("name"), Description: b.str("description")}
	if g.Name == "" {
		return nil, web.Invalid("name", "name is wanted")
	}
	if jid, ok := parseNumber(g.JID); g.JID != "" && (!ok || chatType(jid) != "group") {
		return nil, web.Invalid("jid", "jid: %q is not the JID of a group", g.JID)
	}
	var err error
	if b.str("owner") != "" {
		if g.Owner, err = c.person("owner"); err != nil {
			return nil, err
		}
	}
	for name, to := range map[string]*[]string{"members": &g.Members, "admins": &g.Admins} {
		for k, who := range b.strings(name) {
			jid, err := personOf(who, fmt.Sprintf("%s[%d]", name, k))
			if err != nil {
				return nil, err
			}
			*to = append(*to, jid)
		}
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.groups.byJID[g.JID] != nil {
		return nil, web.Conflict("there is a group %s already", g.JID)
	}
	made := s.addGroup(g)
	for i := range s.instances() {
		if i.phone != "" && made.member(i.jid()) != nil {
			i.changedChat(made.jid)
		}
	}
	return groupView{made.jid}, nil
}
