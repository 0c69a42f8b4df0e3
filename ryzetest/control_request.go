package ryzetest

import (
	"cmp"
	"regexp"
	"strings"
)

// The simulator keeps of interactive messages the request that made them. These are
// what a phone shows of it.

type buttonView struct {
	Kind  string `json:"kind"` // reply, url, call or copy
	ID    string `json:"id"`
	Label string `json:"label"`
	Value string `json:"value"` // the address, number or text of the other kinds
}

type attachedView struct {
	Kind     string `json:"kind"`
	External string `json:"external"`
}

type buttonsView struct {
	Header  string        `json:"header"`
	Body    string        `json:"body"`
	Footer  string        `json:"footer"`
	Media   *attachedView `json:"media,omitempty"`
	Buttons []buttonView  `json:"buttons"`
}

type listView struct {
	Title    string        `json:"title"`
	Body     string        `json:"body"`
	Footer   string        `json:"footer"`
	Button   string        `json:"button"`
	Sections []sectionView `json:"sections"`
}

type sectionView struct {
	Title string    `json:"title"`
	Rows  []rowView `json:"rows"`
}

type rowView struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

type carouselView struct {
	Body   string             `json:"body"`
	Footer string             `json:"footer"`
	Cards  []carouselCardView `json:"cards"`
}

type carouselCardView struct {
	Media    *attachedView `json:"media,omitempty"`
	Title    string        `json:"title"`
	Subtitle string        `json:"subtitle"`
	Body     string        `json:"body"`
	Footer   string        `json:"footer"`
	Buttons  []buttonView  `json:"buttons"`
}

type formView struct {
	Type             string          `json:"type"`
	Body             string          `json:"body"`
	Button           string          `json:"button"`
	Token            string          `json:"token"` // the id of the answer
	OfferName        string          `json:"offerName"`
	OfferDescription string          `json:"offerDescription"`
	Fields           []formFieldView `json:"fields"`
	Params           string          `json:"params"` // of the native flow, instead of the fields
}

type formFieldView struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // text, tel, email or address
}

type pixView struct {
	Merchant string        `json:"merchant"`
	Key      string        `json:"key"`
	KeyType  string        `json:"keyType"`
	Message  string        `json:"message"`
	Items    []pixItemView `json:"items"`
	Total    float64       `json:"total"`
}

type pixItemView struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Quantity    int     `json:"quantity"`
	UnitPrice   float64 `json:"unitPrice"`
}

type eventView struct {
	Name              string        `json:"name"`
	Description       string        `json:"description"`
	StartAt           string        `json:"startAt"`
	EndAt             string        `json:"endAt"`
	Location          *locationView `json:"location,omitempty"`
	JoinLink          string        `json:"joinLink"`
	ScheduledCall     bool          `json:"scheduledCall"`
	ReminderOffsetSec int           `json:"reminderOffsetSec"`
	ExtraGuests       bool          `json:"extraGuests"`
	Canceled          bool          `json:"canceled"`
}

// styleView is how a text status looks.
type styleView struct {
	BackgroundColor string `json:"backgroundColor"`
	Font            string `json:"font"`
}

// fromRequest reads the parts of an interactive message out of its request.
func (v *messageView) fromRequest(m *Message) {
	b := values(m.Request)
	switch {
	case b == nil:
	case m.Chat == jidStatus:
		if b.has("backgroundColor") || b.has("font") {
			v.Style = &styleView{hexColor(b.str("backgroundColor")), b.str("font")}
		}
	case m.Kind == "buttons":
		v.Buttons = &buttonsView{
			Header: b.str("headerText"), Body: b.str("contentText"), Footer: b.str("footerText"),
			Media: attached(strings.ToLower(b.str("mediaType")), b.str("mediaUrl")), Buttons: buttonViews(b.objects("buttons")),
		}
	case m.Kind == "list":
		v.List = listOf(b)
	case m.Kind == "interactive" && b.has("cards"):
		v.Carousel = carouselOf(b)
	case m.Kind == "interactive":
		v.Form = formOf(b)
	case m.Kind == "pix":
		v.Pix = pixOf(b)
	case m.Kind == "event":
		v.Event = eventOf(b)
	}
}

func attached(kind, address string) *attachedView {
	if address == "" {
		return nil
	}
	return &attachedView{kind, address}
}

func buttonViews(buttons []values) []buttonView {
	list := make([]buttonView, len(buttons))
	for k, b := range buttons {
		list[k] = buttonView{Kind: strings.ToLower(cmp.Or(b.str("type"), "REPLY")), ID: b.str("id"), Label: b.str("displayText")}
		if list[k].Kind != "reply" {
			list[k].Value = b.str("id")
		}
	}
	return list
}

func listOf(b values) *listView {
	v := &listView{
		Title: b.str("headerText"), Body: b.str("contentText"), Footer: b.str("footerText"), Button: b.str("buttonText"),
		Sections: []sectionView{},
	}
	for _, s := range b.objects("sections") {
		section := sectionView{Title: s.str("title"), Rows: []rowView{}}
		for _, r := range s.objects("rows") {
			section.Rows = append(section.Rows, rowView{r.str("id"), r.str("title"), r.str("description")})
		}
		v.Sections = append(v.Sections, section)
	}
	return v
}

func carouselOf(b values) *carouselView {
	v := &carouselView{Body: b.str("message"), Footer: b.str("footer"), Cards: []carouselCardView{}}
	for _, c := range b.objects("cards") {
		header := c.object("header")
		media := attached("image", header.str("imageUrl"))
		if media == nil {
			media = attached("video", header.str("videoUrl"))
		}
		v.Cards = append(v.Cards, carouselCardView{
			media, header.str("title"), header.str("subtitle"), c.object("body").str("text"), c.str("footer"),
			buttonViews(c.objects("buttons")),
		})
	}
	return v
}

// formFields are those of a form; each is shown unless its flag says false. The names
// that the service gives the answers are not documented.
var formFields = []struct{ flag, id, kind string }{
	{"fullNameVisible", "fullName", "text"}, {"phoneNumberVisible", "phoneNumber", "tel"}, {"emailVisible", "email", "email"},
	{"cpfOrCnpjVisible", "cpfOrCnpj", "text"}, {"deliveryAddressVisible", "deliveryAddress", "address"},
}

func formOf(b values) *formView {
	v := &formView{
		Type: cmp.Or(b.str("formType"), "contact_details"), Body: b.str("message"), Button: b.str("buttonLabel"), Token: b.str("flowToken"),
		OfferName: b.str("offerName"), OfferDescription: b.str("offerDescription"), Fields: []formFieldView{},
		Params: b.str("buttonParamsJSON"),
	}
	if v.Params != "" {
		return v
	}
	for _, f := range formFields {
		if !b.has(f.flag) || b.bool(f.flag) {
			v.Fields = append(v.Fields, formFieldView{f.id, f.kind})
		}
	}
	return v
}

func pixOf(b values) *pixView {
	v := &pixView{
		Merchant: b.str("merchantName"), Key: b.str("pixKey"), KeyType: b.str("pixKeyType"), Message: b.str("message"),
		Items: []pixItemView{},
	}
	for _, item := range b.objects("items") {
		i := pixItemView{item.str("name"), item.str("description"), item.int("quantity"), item.float("unitPrice")}
		v.Items = append(v.Items, i)
		v.Total += float64(i.Quantity) * i.UnitPrice
	}
	return v
}

func eventOf(b values) *eventView {
	v := &eventView{
		Name: b.str("name"), Description: b.str("description"), StartAt: b.str("startAt"), EndAt: b.str("endAt"),
		JoinLink: b.str("joinLink"), ScheduledCall: b.bool("isScheduleCall"), ExtraGuests: b.bool("extraGuestsAllowed"),
		Canceled: b.bool("isCanceled"),
	}
	if b.bool("hasReminder") {
		v.ReminderOffsetSec = b.int("reminderOffsetSec")
	}
	if l := b.object("location"); l != nil {
		v.Location = &locationView{l.float("latitude"), l.float("longitude"), l.str("name"), l.str("address")}
	}
	return v
}

var hexDigits = regexp.MustCompile(`^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$`)

// hexColor lets nothing through but a colour: it ends up in a style.
func hexColor(text string) string {
	if hexDigits.MatchString(text) {
		return text
	}
	return ""
}
