package ryzetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of interactive messages.
const (
	maxButtons     = 3
	maxSections    = 10
	maxRows        = 10 // per section, hence 100 in all
	minPollOptions = 2
	maxPollOptions = 12
)

var (
	buttonTypes = []string{"REPLY", "URL", "CALL", "COPY"}
	pixKeyTypes = []string{"CPF", "CNPJ", "EMAIL", "PHONE", "RANDOM"}
	statusTypes = []string{"text", "image", "video", "audio"}
)

// kindRoutes are the sends beyond text and media. Where their texts for bad
// bodies are not documented, the simulator has its own.
func kindRoutes() []route {
	send := func(kind string, compose composer, fields ...field) route {
		return sendRoute(kind, compose, slices.Concat(targetFields, fields)...)
	}
	button := object("", str("displayText"), str("id"), str("type", buttonTypes...))

	sticker := send("sticker", composeSticker, str("imageUrl"))
	sticker.stream = []string{"imageUrl"}
	contact := send("contact", composeContact, listOrOne("vcard", object("",
		str("fullName"), str("phone"), str("organization"), str("email"), str("url"))))
	contact.keepsChat = true
	status := sendRoute("status", nil, slices.Concat(voiceFields, []field{
		str("type", statusTypes...), str("message"), str("mediaUrl"), str("mimeType"), str("fileName"),
		str("backgroundColor"), str("font"), str("source"),
	})...)
	status.handle = publishStatus
	status.stream = []string{"mediaUrl"}
	return []route{
		sticker,
		send("location", composeLocation, number("latitude"), number("longitude"), str("name"), str("address")),
		contact,
		sendRoute("reaction", composeReaction, str("number"), str("messageId"), str("reaction"), boolean("fromMe"),
			str("participant"), str("source")),
		send("poll", composePoll, str("question"), list("options", str("")), integer("maxAnswer")),
		send("carousel", composeCarousel, str("message"), str("footer"), list("cards", object("",
			object("header", str("title"), str("subtitle"), str("imageUrl"), str("videoUrl")),
			object("body", str("text")), str("footer"), list("buttons", button)))),
		send("button", composeButton, str("contentText"), list("buttons", button), str("headerText"), str("footerText"),
			str("mediaUrl"), str("mediaType", "IMAGE", "VIDEO", "DOCUMENT")),
		send("list", composeList, str("contentText"), str("buttonText"), str("headerText"), str("footerText"),
			list("sections", object("", str("title"),
				list("rows", object("", str("id"), str("title"), str("description")))))),
		send("form", composeForm, str("message"), str("formType", "contact_details", "registration_offer"),
			str("buttonLabel"), str("flowToken"), str("flowId"), str("flowMessageVersion"), integer("messageVersion"),
			str("buttonParamsJSON"), boolean("fullNameVisible"), boolean("phoneNumberVisible"), boolean("emailVisible"),
			boolean("cpfOrCnpjVisible"), boolean("deliveryAddressVisible"), str("offerName"), str("offerDescription")),
		send("pix", composePix, str("merchantName"), str("pixKey"), str("pixKeyType", pixKeyTypes...), str("message"),
			list("items", object("", str("name"), str("description"), integer("quantity"), number("unitPrice")))),
		send("event", composeEvent, str("name"), str("startAt"), str("endAt"), str("description"),
			object("location", str("name"), str("address"), number("latitude"), number("longitude")),
			str("joinLink"), boolean("isScheduleCall"), boolean("hasReminder"), integer("reminderOffsetSec"),
			boolean("extraGuestsAllowed"), boolean("isCanceled")),
		status,
	}
}

// refuse is what a composer returns for a body that will not do.
func refuse(format string, args ...any) (draft, reply, bool) {
	return draft{}, badRequest(fmt.Sprintf(format, args...)), true
}

// require reports the first of some members that is missing or empty.
func (v values) require(names ...string) (missing string, found bool) {
	for _, name := range names {
		if v.str(name) == "" {
			return name, true
		}
	}
	return "", false
}

// composeSticker takes an image by address, or in a data: URL. The service
// makes a WebP of it; the simulator keeps the bytes as they came.
func composeSticker(c *call) (draft, reply, bool) {
	if p := c.media["imageUrl"]; p == nil || p.empty {
		return refuse("imageUrl is required")
	}
	m, err := c.file("sticker", "imageUrl", "")
	if err != nil {
		return refuse("%v", err)
	}
	if p := c.media["imageUrl"]; p.mode != modeURL && p.mime == "" {
		return refuse("imageUrl is neither a URL nor a data URL")
	}
	m.MIME = "image/webp"
	return draft{kind: "sticker", media: m, noContent: true, data: obj{"mediaMimeType": m.MIME}}, reply{}, false
}

// composeLocation takes 0, 0 for missing coordinates, as the service does.
// Whether name and address may be empty is not documented; here they may.
func composeLocation(c *call) (draft, reply, bool) {
	l := &Location{
		Latitude: c.body.float("latitude"), Longitude: c.body.float("longitude"),
		Name: c.body.str("name"), Address: c.body.str("address"),
	}
	if l.Latitude == 0 && l.Longitude == 0 {
		return refuse("Latitude and longitude are required")
	}
	var lines []string
	for _, line := range []string{l.Name, l.Address} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	lines = append(lines, fmt.Sprintf("Lat: %v, Long: %v", l.Latitude, l.Longitude))
	return draft{kind: "location", content: "📍 " + strings.Join(lines, "\n"), location: l}, reply{}, false
}

func composeContact(c *call) (draft, reply, bool) {
	cards := c.body.objects("vcard")
	if len(cards) == 0 {
		return refuse("vcard is required")
	}
	for k, card := range cards {
		if name, missing := card.require("fullName", "phone"); missing {
			return refuse("vcard[%d].%s is required", k, name)
		}
	}
	first := cards[0]
	d := draft{
		kind: "contact", noContent: true, data: obj{"vcard": cards}, message: "Contact sent successfully",
		card: &ContactCard{Name: first.str("fullName"), Phone: first.str("phone"), VCard: vcard(first)},
	}
	if len(cards) > 1 {
		d.message = fmt.Sprintf("%d contacts sent successfully in one message", len(cards))
	}
	return d, reply{}, false
}

// vcard writes a contact in the format of the event.
func vcard(card values) string {
	var b strings.Builder
	line := func(format, value string) {
		if value != "" {
			fmt.Fprintf(&b, format+"\n", value)
		}
	}
	b.WriteString("BEGIN:VCARD\nVERSION:3.0\n")
	line("FN:%s", card.str("fullName"))
	line("ORG:%s", card.str("organization"))
	line("TEL;type=CELL:+%s", card.str("phone"))
	line("EMAIL:%s", card.str("email"))
	line("URL:%s", card.str("url"))
	b.WriteString("END:VCARD")
	return b.String()
}

func composeReaction(c *call) (draft, reply, bool) {
	b := c.body
	if name, missing := b.require("messageId", "reaction"); missing {
		return refuse("%s is required", name)
	}
	c.listed()
	if jid, _ := parseNumber(b.str("number")); chatType(jid) == "group" && !b.bool("fromMe") && b.str("participant") == "" {
		return refuse("participant is required in groups when fromMe is false")
	}
	d := draft{
		kind: "reaction", content: b.str("reaction"), message: "Reaction sent successfully",
		data: obj{"replyTo": obj{"messageId": b.str("messageId")}},
	}
	if d.content == "remove" {
		d.content, d.message = "", "Reaction removed successfully"
	}
	d.reaction = &Reaction{Emoji: d.content, MessageID: b.str("messageId")}
	return d, reply{}, false
}

// listed notes a send to a channel, on routes whose pages do not list channels
// among the recipients.
func (c *call) listed() {
	if jid, _ := parseNumber(c.body.str("number")); chatType(jid) == "newsletter" {
		c.violate(UnknownValue, "number: a newsletter is not listed for this route")
	}
}

func composePoll(c *call) (draft, reply, bool) {
	b := c.body
	if name, missing := b.require("question"); missing {
		return refuse("%s is required", name)
	}
	options := b.strings("options")
	if len(options) < minPollOptions || len(options) > maxPollOptions {
		return refuse("options must have between %d and %d entries", minPollOptions, maxPollOptions)
	}
	p := &Poll{Question: b.str("question"), Options: options, Max: min(max(1, b.int("maxAnswer")), len(options))}
	content := p.Question
	for k, option := range options {
		content += "\n" + strconv.Itoa(k+1) + ". " + option
	}
	return draft{kind: "poll", text: p.Question, content: content, poll: p}, reply{}, false
}

// checkButtons looks for what every button needs.
func checkButtons(at string, buttons []values) error {
	for k, button := range buttons {
		if name, missing := button.require("displayText", "id"); missing {
			return fmt.Errorf("%s[%d].%s is required", at, k, name)
		}
		if t := button.str("type"); t != "" && !slices.Contains(buttonTypes, t) {
			return fmt.Errorf("%s[%d].type must be one of: %s", at, k, strings.Join(buttonTypes, ", "))
		}
	}
	return nil
}

func composeCarousel(c *call) (draft, reply, bool) {
	cards := c.body.objects("cards")
	if len(cards) == 0 {
		return refuse("At least one card is required")
	}
	for k, card := range cards {
		header := card.object("header")
		switch {
		case header.str("title") == "":
			return refuse("cards[%d].header.title is required", k)
		case card.object("body").str("text") == "":
			return refuse("cards[%d].body.text is required", k)
		case header.str("imageUrl") != "" && header.str("videoUrl") != "":
			return refuse("cards[%d].header takes imageUrl or videoUrl, not both", k)
		}
		if err := checkButtons(fmt.Sprintf("cards[%d].buttons", k), card.objects("buttons")); err != nil {
			return refuse("%v", err)
		}
	}
	text := c.body.str("message")
	content := fmt.Sprintf("Carousel with %d card(s)", len(cards))
	if text != "" {
		content = text + " - " + content
	}
	return draft{kind: "interactive", text: text, content: content}, reply{}, false
}

func composeButton(c *call) (draft, reply, bool) {
	b := c.body
	if name, missing := b.require("contentText"); missing {
		return refuse("%s is required", name)
	}
	buttons := b.objects("buttons")
	if len(buttons) == 0 || len(buttons) > maxButtons {
		return refuse("buttons must have between 1 and %d entries", maxButtons)
	}
	if err := checkButtons("buttons", buttons); err != nil {
		return refuse("%v", err)
	}
	if t := b.str("mediaType"); b.str("mediaUrl") != "" && !slices.Contains([]string{"IMAGE", "VIDEO", "DOCUMENT"}, t) {
		return refuse("mediaType must be one of: IMAGE, VIDEO, DOCUMENT")
	}
	return draft{kind: "buttons", text: b.str("contentText")}, reply{}, false
}

func composeList(c *call) (draft, reply, bool) {
	b := c.body
	if name, missing := b.require("contentText", "buttonText"); missing {
		return refuse("%s is required", name)
	}
	sections := b.objects("sections")
	if len(sections) == 0 || len(sections) > maxSections {
		return refuse("sections must have between 1 and %d entries", maxSections)
	}
	for k, section := range sections {
		if section.str("title") == "" {
			return refuse("sections[%d].title is required", k)
		}
		rows := section.objects("rows")
		if len(rows) == 0 || len(rows) > maxRows {
			return refuse("sections[%d].rows must have between 1 and %d entries", k, maxRows)
		}
		for n, row := range rows {
			if name, missing := row.require("id", "title"); missing {
				return refuse("sections[%d].rows[%d].%s is required", k, n, name)
			}
		}
	}
	return draft{kind: "list", text: b.str("contentText")}, reply{}, false
}

func composeForm(c *call) (draft, reply, bool) {
	if name, missing := c.body.require("message"); missing {
		return refuse("%s is required", name)
	}
	return draft{kind: "interactive", text: c.body.str("message")}, reply{}, false
}

func composePix(c *call) (draft, reply, bool) {
	if name, missing := c.body.require("merchantName", "pixKey", "pixKeyType"); missing {
		return refuse("%s is required", name)
	}
	c.listed()
	if !slices.Contains(pixKeyTypes, c.body.str("pixKeyType")) {
		return refuse("pixKeyType must be one of: %s", strings.Join(pixKeyTypes, ", "))
	}
	return draft{kind: "pix", noContent: true}, reply{}, false
}

func composeEvent(c *call) (draft, reply, bool) {
	if name, missing := c.body.require("name", "startAt"); missing {
		return refuse("%s is required", name)
	}
	for _, name := range []string{"startAt", "endAt"} {
		text := c.body.str(name)
		if _, err := time.Parse(time.RFC3339, text); text != "" && err != nil {
			return refuse("%s must be RFC 3339 with a timezone", name)
		}
	}
	return draft{kind: "event", text: c.body.str("name")}, reply{}, false
}

// publishStatus sends to everybody whom the privacy settings let see a status:
// there is no number, and no delay.
func publishStatus(c *call) reply {
	b := c.body
	d := draft{kind: b.str("type"), text: b.str("message")}
	switch {
	case !slices.Contains(statusTypes, d.kind):
		return badRequest("type must be one of: " + strings.Join(statusTypes, ", "))
	case d.kind == "text":
		if d.text == "" {
			return badRequest("Message is required")
		}
	default:
		p := c.media["mediaUrl"]
		if p == nil || p.empty {
			return badRequest("mediaUrl is required")
		}
		file, err := c.file(d.kind, "mediaUrl", "")
		if err != nil {
			return badRequest(err.Error())
		}
		if p.mode != modeURL {
			return badRequest("mediaUrl is not a URL")
		}
		file.describe(b)
		d.media = file
	}
	m := c.message(d)
	m.Chat = jidStatus
	return c.send(m, d)
}
