package ryze

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sent = `{"success":true,"message":"Message sent successfully","status":"sent","data":{"messageId":"3EB0AAAAAAAAAAAAAAAA"}}`

var saoPaulo = time.FixedZone("", -3*60*60)

// Each kind of message leaves in exactly this form.
func TestContentsTravelAsDocumented(t *testing.T) {
	for _, c := range []struct {
		name    string
		to      JID
		content Content
		opts    []SendOption
		route   string
		body    string
	}{
		{
			"public answer after a private one", family, Text("x"), []SendOption{ReplyPrivate("Q"), ReplyTo("R")}, "text",
			`{"number":"120363000000000001@g.us","replyTo":"R","source":"ryze-go","message":"x"}`,
		},
		{
			"sticker of a URL", ana, Sticker{MediaURL("https://example.com/s.png")}, nil, "sticker",
			`{"number":"5511987654321","source":"ryze-go","imageUrl":"https://example.com/s.png"}`,
		},
		{
			"sticker of a file", ana, Sticker{MediaBytes("s.png", pngHead)}, []SendOption{ReplyTo("Q"), Delay(1200 * time.Millisecond)}, "sticker",
			`{"number":"5511987654321","delay":2,"replyTo":"Q","source":"ryze-go","imageUrl":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="}`,
		},
		{
			"sticker of a reader", ana, Sticker{MediaReader("s", iotest.OneByteReader(strings.NewReader("GIF89a")))}, nil, "sticker",
			`{"number":"5511987654321","source":"ryze-go","imageUrl":"data:image/gif;base64,R0lGODlh"}`,
		},
		{
			"location", family, Location{Latitude: -23.5, Longitude: 0, Name: "Office", Address: "Street 1"}, []SendOption{ReplyPrivate("Q")}, "location",
			`{"number":"120363000000000001@g.us","replyTo":"Q","replyPrivate":true,"source":"ryze-go","latitude":-23.5,"longitude":0,"name":"Office","address":"Street 1"}`,
		},
		{
			"contact", channel, ContactCard{FullName: "Ana", Phone: "5511987654321"}, []SendOption{ReplyTo("Q")}, "contact",
			`{"number":"120363000000000009@newsletter","replyTo":"Q","source":"ryze-go","vcard":[{"fullName":"Ana","phone":"5511987654321"}]}`,
		},
		{
			"contacts", anaLID, ContactCards{{FullName: "Ana", Phone: "5511987654321", Organization: "Acme", Email: "a@example.com", URL: "https://example.com"}, {FullName: "Bia", Phone: "5521987654321"}}, nil, "contact",
			`{"number":"123456789012345@lid","source":"ryze-go","vcard":[{"fullName":"Ana","phone":"5511987654321","organization":"Acme","email":"a@example.com","url":"https://example.com"},{"fullName":"Bia","phone":"5521987654321"}]}`,
		},
		{
			"poll", family, Poll{Question: "When?", Options: []string{"9am", "2pm"}, MaxAnswers: 2}, []SendOption{SourceLabel("crm")}, "poll",
			`{"number":"120363000000000001@g.us","source":"crm","question":"When?","options":["9am","2pm"],"maxAnswer":2}`,
		},
		{
			"poll with one answer", family, Poll{Question: "When?", Options: []string{"9am", "2pm"}}, nil, "poll",
			`{"number":"120363000000000001@g.us","source":"ryze-go","question":"When?","options":["9am","2pm"]}`,
		},
		{
			"reply buttons", ana, Buttons{Text: "Choose", Header: "Support", Footer: "24/7", Buttons: []Button{{Label: "Sales", Value: "a"}, {Label: "Help", Value: "b"}}}, nil, "button",
			`{"number":"5511987654321","source":"ryze-go","contentText":"Choose","buttons":[{"id":"a","displayText":"Sales","type":"REPLY"},{"id":"b","displayText":"Help","type":"REPLY"}],"headerText":"Support","footerText":"24/7"}`,
		},
		{
			"other buttons with media", ana, Buttons{
				Text: "Look", Buttons: []Button{{Kind: ButtonURL, Label: "Open", Value: "https://example.com"}, {Kind: ButtonCall, Label: "Call", Value: "+5511987654321"}, {Kind: ButtonCopy, Label: "Copy", Value: "CODE"}},
				MediaURL: "https://example.com/a.jpg", MediaKind: MediaImage,
			}, nil, "button",
			`{"number":"5511987654321","source":"ryze-go","contentText":"Look","buttons":[{"id":"https://example.com","displayText":"Open","type":"URL"},{"id":"+5511987654321","displayText":"Call","type":"CALL"},{"id":"CODE","displayText":"Copy","type":"COPY"}],"mediaUrl":"https://example.com/a.jpg","mediaType":"IMAGE"}`,
		},
		{
			"list", ana, List{Text: "Menu", Label: "Open", Header: "H", Footer: "F", Sections: []ListSection{{"Dishes", []ListRow{{"p1", "Lasagna", "4 slices"}, {ID: "p2", Title: "Soup"}}}}}, nil, "list",
			`{"number":"5511987654321","source":"ryze-go","contentText":"Menu","buttonText":"Open","sections":[{"title":"Dishes","rows":[{"id":"p1","title":"Lasagna","description":"4 slices"},{"id":"p2","title":"Soup"}]}],"headerText":"H","footerText":"F"}`,
		},
		{
			"carousel", ana, Carousel{Text: "Pick one", Footer: "until Friday", Cards: []Card{
				{Title: "Plan A", Subtitle: "small", ImageURL: "https://example.com/a.jpg", Text: "details", Footer: "49", Buttons: []Button{{Label: "I want A", Value: "plan_a"}, {Kind: ButtonURL, Label: "More", Value: "https://example.com"}}},
				{Title: "Plan B", VideoURL: "https://example.com/b.mp4", Text: "more"},
			}}, nil, "carousel",
			`{"number":"5511987654321","source":"ryze-go","message":"Pick one","footer":"until Friday","cards":[
				{"header":{"title":"Plan A","subtitle":"small","imageUrl":"https://example.com/a.jpg"},"body":{"text":"details"},"footer":"49","buttons":[{"id":"plan_a","displayText":"I want A","type":"REPLY"},{"id":"https://example.com","displayText":"More","type":"URL"}]},
				{"header":{"title":"Plan B","videoUrl":"https://example.com/b.mp4"},"body":{"text":"more"}}]}`,
		},
		{
			"form", ana, Form{
				Text: "Fill in", Kind: FormRegistrationOffer, Button: "Open", FlowToken: "T", FlowID: "I", FlowMessageVersion: "3", MessageVersion: 1,
				FullName: new(true), Phone: new(false), Email: new(false), CPFOrCNPJ: new(true), DeliveryAddress: new(false), OfferName: "N", OfferDescription: "D",
			}, nil, "form",
			`{"number":"5511987654321","source":"ryze-go","message":"Fill in","formType":"registration_offer","buttonLabel":"Open","flowToken":"T","flowId":"I","flowMessageVersion":"3","messageVersion":1,
				"fullNameVisible":true,"phoneNumberVisible":false,"emailVisible":false,"cpfOrCnpjVisible":true,"deliveryAddressVisible":false,"offerName":"N","offerDescription":"D"}`,
		},
		{
			"form with absent flags", ana, Form{Text: "Fill in", Kind: FormContactDetails}, nil, "form",
			`{"number":"5511987654321","source":"ryze-go","message":"Fill in","formType":"contact_details"}`,
		},
		{
			"form in literal JSON", ana, Form{Text: "Fill in", Button: "Open", ButtonParams: json.RawMessage(`{"a":1}`)}, nil, "form",
			`{"number":"5511987654321","source":"ryze-go","message":"Fill in","buttonLabel":"Open","buttonParamsJSON":"{\"a\":1}"}`,
		},
		{
			"pix", family, Pix{MerchantName: "Acme", Key: "test@example.com", KeyType: PixEmail}, nil, "pix",
			`{"number":"120363000000000001@g.us","source":"ryze-go","merchantName":"Acme","pixKey":"test@example.com","pixKeyType":"EMAIL"}`,
		},
		{
			"pix with items", ana, Pix{"Acme", "12345678901", PixCPF, "Order 7", []PixItem{{"Cake", "of carrot", 2, 12.5}, {Name: "Box", Quantity: 1}}}, nil, "pix",
			`{"number":"5511987654321","source":"ryze-go","merchantName":"Acme","pixKey":"12345678901","pixKeyType":"CPF","message":"Order 7",
				"items":[{"name":"Cake","description":"of carrot","quantity":2,"unitPrice":12.5},{"name":"Box","quantity":1,"unitPrice":0}]}`,
		},
		{
			"location without labels", ana, Location{Latitude: -23.5, Longitude: -46.6}, nil, "location",
			`{"number":"5511987654321","source":"ryze-go","latitude":-23.5,"longitude":-46.6}`,
		},
		{
			"calendar event", family, CalendarEvent{
				Name: "Meeting", Description: "Plans", StartAt: time.Date(2027, 1, 1, 14, 0, 0, 0, saoPaulo), EndAt: time.Date(2027, 1, 1, 15, 0, 0, 0, saoPaulo),
				Place: &Location{Name: "Room 3"}, JoinLink: "https://example.com/j", ScheduledCall: true, ReminderBefore: 15 * time.Minute, GuestsMayBring: true, Canceled: true,
			}, nil, "event",
			`{"number":"120363000000000001@g.us","source":"ryze-go","name":"Meeting","startAt":"2027-01-01T14:00:00-03:00","endAt":"2027-01-01T15:00:00-03:00","description":"Plans","location":{"name":"Room 3"},
				"joinLink":"https://example.com/j","isScheduleCall":true,"hasReminder":true,"reminderOffsetSec":900,"extraGuestsAllowed":true,"isCanceled":true}`,
		},
		{
			"calendar event on the map", ana, CalendarEvent{Name: "Meeting", StartAt: noon, Place: &Location{Latitude: -23.5, Address: "Street 1"}, Reminder: true}, nil, "event",
			`{"number":"5511987654321","source":"ryze-go","name":"Meeting","startAt":"2026-01-02T15:04:05Z","location":{"address":"Street 1","latitude":-23.5,"longitude":0},"hasReminder":true}`,
		},
		{
			"reaction in a private chat", ana, Reaction{MessageID: "M", Emoji: "👍"}, nil, "reaction",
			`{"number":"5511987654321","source":"ryze-go","messageId":"M","reaction":"👍","fromMe":false}`,
		},
		{
			"reaction in a group", family, Reaction{MessageID: "M", Emoji: "👍", Participant: ana}, nil, "reaction",
			`{"number":"120363000000000001@g.us","source":"ryze-go","messageId":"M","reaction":"👍","fromMe":false,"participant":"5511987654321@s.whatsapp.net"}`,
		},
		{
			"reaction to an own message in a group, taken back", family, RemoveReaction{MessageID: "M", FromMe: true}, nil, "reaction",
			`{"number":"120363000000000001@g.us","source":"ryze-go","messageId":"M","reaction":"remove","fromMe":true}`,
		},
		{
			"text status", StatusBroadcast, TextStatus{Text: "News", BackgroundColor: "#00AAFF", Font: "serif"}, nil, "status",
			`{"type":"text","message":"News","backgroundColor":"#00AAFF","font":"serif","source":"ryze-go"}`,
		},
		{
			"image status", StatusBroadcast, MediaStatus{Source: MediaURL("https://example.com/a.jpg"), Caption: "Look", MIME: "image/jpeg", FileName: "a.jpg"}, nil, "status",
			`{"type":"image","message":"Look","mediaUrl":"https://example.com/a.jpg","mimeType":"image/jpeg","fileName":"a.jpg","source":"ryze-go"}`,
		},
		{
			"video status", StatusBroadcast, MediaStatus{Source: MediaURL("https://example.com/a.mp4")}, []SendOption{SourceLabel("crm")}, "status",
			`{"type":"video","mediaUrl":"https://example.com/a.mp4","source":"crm"}`,
		},
		{
			"audio status", StatusBroadcast, MediaStatus{Source: MediaURL("https://example.com/a"), Kind: MediaAudio, Voice: new(false), Duration: 3 * time.Second, Waveform: []byte{0, 255}}, nil, "status",
			`{"type":"audio","mediaUrl":"https://example.com/a","isVoice":false,"duration":3,"waveform":[0,255],"source":"ryze-go"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inst, s := script(t, scriptedReply{body: sent})
			message, err := inst.Messages.Send(t.Context(), c.to, c.content, c.opts...)
			require.NoError(t, err)
			assert.Equal(t, anID, message.ID)
			require.Len(t, s.requests(), 1)
			r := s.requests()[0]
			assert.Equal(t, "POST /api/message/"+c.route+"/support", r.Method+" "+r.Path)
			assert.JSONEq(t, c.body, r.Body)
		})
	}
}

func TestPostStatusGoesToTheStatusFeed(t *testing.T) {
	inst, s := script(t, scriptedReply{body: sent})
	_, err := inst.Messages.PostStatus(t.Context(), TextStatus{Text: "News"})
	require.NoError(t, err)
	assert.Equal(t, []asked{{"POST", "/api/message/status/support", "", `{"type":"text","message":"News","source":"ryze-go"}`}}, s.requests())
}

// The limits of the service are told before the request, with the field.
func TestContentsAreCheckedBeforeAnyRequest(t *testing.T) {
	poll := func(n int) Poll {
		p := Poll{Question: "q"}
		for i := range n {
			p.Options = append(p.Options, fmt.Sprint("o", i))
		}
		return p
	}
	buttons := func(n int) Buttons {
		b := Buttons{Text: "t"}
		for i := range n {
			b.Buttons = append(b.Buttons, Button{Label: "l", Value: fmt.Sprint("i", i)})
		}
		return b
	}
	list := func(sections, rows int) List {
		l := List{Text: "t", Label: "l"}
		for i := range sections {
			s := ListSection{Title: "s"}
			for k := range rows {
				s.Rows = append(s.Rows, ListRow{ID: fmt.Sprint(i, "-", k), Title: "t"})
			}
			l.Sections = append(l.Sections, s)
		}
		return l
	}
	card := Card{Title: "t", Text: "x"}
	place := Location{Latitude: 1, Longitude: 1, Name: "n", Address: "a"}
	with := func(b Buttons, change func(*Buttons)) Buttons { change(&b); return b }
	moved := func(change func(*Location)) Location { l := place; change(&l); return l }
	for _, c := range []struct {
		name    string
		to      JID
		content Content
		opts    []SendOption
		field   string // "" for what is fine
	}{
		{"poll of 1", ana, poll(1), nil, "Poll.Options"},
		{"poll of 2", ana, poll(2), nil, ""},
		{"poll of 12", ana, poll(12), nil, ""},
		{"poll of 13", ana, poll(13), nil, "Poll.Options"},
		{"poll with a blank option", ana, Poll{Question: "q", Options: []string{"a", " "}}, nil, "Poll.Options[1]"},
		{"poll without a question", ana, Poll{Options: []string{"a", "b"}}, nil, "Poll.Question"},
		{"poll with more answers than options", ana, Poll{Question: "q", Options: []string{"a", "b"}, MaxAnswers: 3}, nil, "Poll.MaxAnswers"},
		{"poll with less than one answer", ana, Poll{Question: "q", Options: []string{"a", "b"}, MaxAnswers: -1}, nil, "Poll.MaxAnswers"},

		{"no button", ana, buttons(0), nil, "Buttons.Buttons"},
		{"3 buttons", ana, buttons(3), nil, ""},
		{"4 buttons", ana, buttons(4), nil, "Buttons.Buttons"},
		{"buttons without a text", ana, Buttons{Buttons: buttons(1).Buttons}, nil, "Buttons.Text"},
		{"button without a label", ana, Buttons{Text: "t", Buttons: []Button{{Label: "", Value: "i"}}}, nil, "Buttons.Buttons[0].Label"},
		{"button without an id", ana, Buttons{Text: "t", Buttons: []Button{{Label: "l", Value: "i"}, {Label: "l", Value: ""}}}, nil, "Buttons.Buttons[1].Value"},
		{"button of another kind", ana, Buttons{Text: "t", Buttons: []Button{{"url", "l", "v"}}}, nil, "Buttons.Buttons[0].Kind"},
		{"reply and link mixed", ana, Buttons{Text: "t", Buttons: []Button{{Label: "l", Value: "i"}, {Kind: ButtonURL, Label: "l", Value: "https://example.com"}}}, nil, "Buttons.Buttons"},
		{"copy and reply mixed", ana, Buttons{Text: "t", Buttons: []Button{{Kind: ButtonCopy, Label: "l", Value: "c"}, {Label: "l", Value: "i"}}}, nil, "Buttons.Buttons"},
		{"buttons with media of no kind", ana, with(buttons(1), func(b *Buttons) { b.MediaURL = "https://example.com/a.jpg" }), nil, "Buttons.MediaKind"},
		{"buttons with audio", ana, with(buttons(1), func(b *Buttons) { b.MediaURL, b.MediaKind = "https://example.com/a.mp3", MediaAudio }), nil, "Buttons.MediaKind"},
		{"buttons with a kind of no media", ana, with(buttons(1), func(b *Buttons) { b.MediaKind = MediaImage }), nil, "Buttons.MediaKind"},
		{"buttons with media and header", ana, with(buttons(1), func(b *Buttons) { b.MediaURL, b.MediaKind, b.Header = "https://example.com/a.jpg", MediaImage, "h" }), nil, "Buttons.Header"},
		{"buttons with media that is no URL", ana, with(buttons(1), func(b *Buttons) { b.MediaURL, b.MediaKind = "a.jpg", MediaImage }), nil, "Buttons.MediaURL"},

		{"reply and link mixed on purpose", ana, Buttons{Text: "t", Mixed: true, Buttons: []Button{{Label: "l", Value: "i"}, {Kind: ButtonURL, Label: "l", Value: "https://example.com"}}}, nil, ""},
		{"equal reply ids", ana, Buttons{Text: "t", Buttons: []Button{{Label: "a", Value: "i"}, {Label: "a", Value: "j"}, {Label: "b", Value: " i"}}}, nil, "Buttons.Buttons[2].Value"},
		{"equal links", ana, Buttons{Text: "t", Buttons: []Button{{Kind: ButtonURL, Label: "a", Value: "https://example.com"}, {Kind: ButtonURL, Label: "b", Value: "https://example.com"}}}, nil, ""},
		{"id and link of one text, mixed on purpose", ana, Buttons{Text: "t", Mixed: true, Buttons: []Button{{Label: "a", Value: "i"}, {Kind: ButtonCopy, Label: "b", Value: "i"}}}, nil, ""},
		{"equal poll options", ana, Poll{Question: "q", Options: []string{"a", "b", "a"}}, nil, "Poll.Options[2]"},
		{"poll options that differ in blanks around them", ana, Poll{Question: "q", Options: []string{"a", "a "}}, nil, "Poll.Options[1]"},
		{"poll options that differ in case", ana, Poll{Question: "q", Options: []string{"a", "A"}}, nil, ""},
		{"equal row ids in a section", ana, List{Text: "t", Label: "l", Sections: []ListSection{{"s", []ListRow{{ID: "i", Title: "t"}, {ID: "i", Title: "u"}}}}}, nil, "List.Sections[0].Rows[1].ID"},
		{"equal row ids in two sections", ana, List{Text: "t", Label: "l", Sections: []ListSection{{"s", []ListRow{{ID: "i", Title: "t"}}}, {"r", []ListRow{{ID: "i", Title: "u"}}}}}, nil, "List.Sections[1].Rows[0].ID"},
		{"equal ids on a card", ana, Carousel{Cards: []Card{{Title: "t", Text: "x", Buttons: []Button{{Label: "a", Value: "i"}, {Label: "b", Value: "i"}}}}}, nil, "Carousel.Cards[0].Buttons[1].Value"},
		{"equal ids on two cards", ana, Carousel{Cards: []Card{{Title: "t", Text: "x", Buttons: []Button{{Label: "a", Value: "i"}}}, {Title: "t", Text: "x", Buttons: []Button{{Label: "a", Value: "i"}}}}}, nil, "Carousel.Cards[1].Buttons[0].Value"},

		{"list of 10 by 10", ana, list(10, 10), nil, ""},
		{"list of no section", ana, list(0, 1), nil, "List.Sections"},
		{"list of 11 sections", ana, list(11, 1), nil, "List.Sections"},
		{"section of no row", ana, list(1, 0), nil, "List.Sections[0].Rows"},
		{"section of 11 rows", ana, list(2, 11), nil, "List.Sections[0].Rows"},
		{"list without a text", ana, List{Label: "l", Sections: list(1, 1).Sections}, nil, "List.Text"},
		{"list without a label", ana, List{Text: "t", Sections: list(1, 1).Sections}, nil, "List.Label"},
		{"section without a title", ana, List{Text: "t", Label: "l", Sections: []ListSection{{"", list(1, 1).Sections[0].Rows}}}, nil, "List.Sections[0].Title"},
		{"row without an id", ana, List{Text: "t", Label: "l", Sections: []ListSection{{"s", []ListRow{{Title: "t"}}}}}, nil, "List.Sections[0].Rows[0].ID"},
		{"row without a title", ana, List{Text: "t", Label: "l", Sections: []ListSection{{"s", []ListRow{{ID: "i"}}}}}, nil, "List.Sections[0].Rows[0].Title"},

		{"carousel of no card", ana, Carousel{Text: "t"}, nil, "Carousel.Cards"},
		{"carousel without a text", ana, Carousel{Cards: []Card{card}}, nil, ""},
		{"card without a title", ana, Carousel{Cards: []Card{card, {Text: "x"}}}, nil, "Carousel.Cards[1].Title"},
		{"card without a text", ana, Carousel{Cards: []Card{{Title: "t"}}}, nil, "Carousel.Cards[0].Text"},
		{"card with image and video", ana, Carousel{Cards: []Card{{Title: "t", Text: "x", ImageURL: "https://example.com/a.jpg", VideoURL: "https://example.com/a.mp4"}}}, nil, "Carousel.Cards[0]"},
		{"card with a path", ana, Carousel{Cards: []Card{{Title: "t", Text: "x", VideoURL: "a.mp4"}}}, nil, "Carousel.Cards[0].VideoURL"},
		{"card with a bad button", ana, Carousel{Cards: []Card{{Title: "t", Text: "x", Buttons: []Button{{Label: "l"}}}}}, nil, "Carousel.Cards[0].Buttons[0].Value"},

		{"form without a text", ana, Form{}, nil, "Form.Text"},
		{"form with half a JSON", ana, Form{Text: "t", ButtonParams: json.RawMessage(`{"a":`)}, nil, "Form.ButtonParams"},
		{"form with JSON and fields", ana, Form{Text: "t", Email: new(false), ButtonParams: json.RawMessage(`{}`)}, nil, "Form.ButtonParams"},

		{"location nowhere", ana, Location{Name: "n", Address: "a"}, nil, "Location"},
		{"location on the equator", ana, moved(func(l *Location) { l.Latitude = 0 }), nil, ""},
		{"location beyond the pole", ana, moved(func(l *Location) { l.Latitude = 90.1 }), nil, "Location.Latitude"},
		{"location that is no number", ana, moved(func(l *Location) { l.Longitude = math.NaN() }), nil, "Location.Longitude"},
		{"location without an address", ana, moved(func(l *Location) { l.Address = "" }), nil, ""},
		{"location without a name", ana, moved(func(l *Location) { l.Name = "" }), nil, ""},

		{"no contact", ana, ContactCards{}, nil, "ContactCards"},
		{"contact without a name", ana, ContactCard{Phone: "5511987654321"}, nil, "ContactCard.FullName"},
		{"contact without a phone", ana, ContactCard{FullName: "n"}, nil, "ContactCard.Phone"},
		{"contact with a plus", ana, ContactCards{{FullName: "n", Phone: "5511987654321"}, {FullName: "n", Phone: "+5511987654321"}}, nil, "ContactCards[1].Phone"},
		{"contact with blanks", ana, ContactCard{FullName: "n", Phone: "55 11 987654321"}, nil, "ContactCard.Phone"},
		{"contact with three digits", ana, ContactCard{FullName: "n", Phone: "190"}, nil, "ContactCard.Phone"},
		{"contact as a private answer", family, ContactCard{FullName: "n", Phone: "5511987654321"}, []SendOption{ReplyPrivate("m")}, "ReplyPrivate"},

		{"CPF", ana, Pix{MerchantName: "m", Key: "12345678901", KeyType: PixCPF}, nil, ""},
		{"CPF of 10", ana, Pix{MerchantName: "m", Key: "1234567890", KeyType: PixCPF}, nil, "Pix.Key"},
		{"CPF with dots", ana, Pix{MerchantName: "m", Key: "123.456.789-01", KeyType: PixCPF}, nil, "Pix.Key"},
		{"CNPJ", ana, Pix{MerchantName: "m", Key: "12345678000195", KeyType: PixCNPJ}, nil, ""},
		{"CNPJ of 11", ana, Pix{MerchantName: "m", Key: "12345678901", KeyType: PixCNPJ}, nil, "Pix.Key"},
		{"PIX phone", ana, Pix{MerchantName: "m", Key: "5511987654321", KeyType: PixPhone}, nil, ""},
		{"PIX phone with a plus", ana, Pix{MerchantName: "m", Key: "+5511987654321", KeyType: PixPhone}, nil, "Pix.Key"},
		{"PIX e-mail", ana, Pix{MerchantName: "m", Key: "a@example.com", KeyType: PixEmail}, nil, ""},
		{"PIX e-mail with a name", ana, Pix{MerchantName: "m", Key: "A <a@example.com>", KeyType: PixEmail}, nil, "Pix.Key"},
		{"PIX e-mail without an at", ana, Pix{MerchantName: "m", Key: "example.com", KeyType: PixEmail}, nil, "Pix.Key"},
		{"PIX UUID", ana, Pix{MerchantName: "m", Key: "123e4567-e89b-12d3-a456-42661417400A", KeyType: PixRandom}, nil, ""},
		{"PIX UUID without dashes", ana, Pix{MerchantName: "m", Key: "123e4567e89b12d3a45642661417400a", KeyType: PixRandom}, nil, "Pix.Key"},
		{"PIX UUID with a letter too far", ana, Pix{MerchantName: "m", Key: "123e4567-e89b-12d3-a456-42661417400g", KeyType: PixRandom}, nil, "Pix.Key"},
		{"PIX type in lower case", ana, Pix{MerchantName: "m", Key: "12345678901", KeyType: "cpf"}, nil, "Pix.KeyType"},
		{"PIX without a merchant", ana, Pix{MerchantName: "", Key: "12345678901", KeyType: PixCPF}, nil, "Pix.MerchantName"},
		{"PIX item without a name", ana, Pix{MerchantName: "m", Key: "12345678901", KeyType: PixCPF, Items: []PixItem{{"i", "", 1, 0}, {Quantity: 1}}}, nil, "Pix.Items[1].Name"},
		{"PIX item of none", ana, Pix{MerchantName: "m", Key: "12345678901", KeyType: PixCPF, Items: []PixItem{{Name: "i"}}}, nil, "Pix.Items[0].Quantity"},
		{"PIX item below nothing", ana, Pix{MerchantName: "m", Key: "12345678901", KeyType: PixCPF, Items: []PixItem{{"i", "", 1, -1}}}, nil, "Pix.Items[0].UnitPrice"},
		{"PIX item of no number", ana, Pix{MerchantName: "m", Key: "12345678901", KeyType: PixCPF, Items: []PixItem{{"i", "", 1, math.NaN()}}}, nil, "Pix.Items[0].UnitPrice"},
		{"PIX in a channel", channel, Pix{MerchantName: "m", Key: "12345678901", KeyType: PixCPF}, nil, "to"},

		{"event without a start", ana, CalendarEvent{Name: "n"}, nil, "CalendarEvent.StartAt"},
		{"event that ends as it starts", ana, CalendarEvent{Name: "n", StartAt: noon, EndAt: noon.In(saoPaulo)}, nil, ""},
		{"event that ends before it starts", ana, CalendarEvent{Name: "n", StartAt: noon, EndAt: noon.Add(-time.Second)}, nil, "CalendarEvent.EndAt"},
		{"event without a name", ana, CalendarEvent{StartAt: noon}, nil, "CalendarEvent.Name"},
		{"event with a reminder after it", ana, CalendarEvent{Name: "n", StartAt: noon, ReminderBefore: -1}, nil, "CalendarEvent.ReminderBefore"},
		{"event beyond the pole", ana, CalendarEvent{Name: "n", StartAt: noon, Place: &Location{Latitude: 91}}, nil, "CalendarEvent.Place.Latitude"},

		{"reaction without a message", ana, Reaction{Emoji: "👍"}, nil, "Reaction.MessageID"},
		{"reaction without an emoji", ana, Reaction{MessageID: "m"}, nil, "Reaction.Emoji"},
		{"reaction with the word for removal", ana, Reaction{MessageID: "m", Emoji: "remove"}, nil, "Reaction.Emoji"},
		{"reaction in a group without an author", family, Reaction{MessageID: "m", Emoji: "👍"}, nil, "Reaction.Participant"},
		{"removal in a group without an author", family, RemoveReaction{MessageID: "m"}, nil, "RemoveReaction.Participant"},
		{"reaction to a group's message", family, Reaction{MessageID: "m", Emoji: "👍", Participant: family}, nil, "Reaction.Participant"},
		{"reaction in a channel", channel, Reaction{MessageID: "m", Emoji: "👍"}, nil, "to"},
		{"reaction with a delay", ana, Reaction{MessageID: "m", Emoji: "👍"}, []SendOption{Delay(time.Second)}, "Delay"},
		{"reaction as an answer", ana, Reaction{MessageID: "m", Emoji: "👍"}, []SendOption{ReplyTo("q")}, "ReplyTo"},

		{"sticker of nothing", ana, Sticker{}, nil, "Sticker.Source"},
		{"sticker of a text", ana, Sticker{MediaBytes("a.txt", []byte("text"))}, nil, "Sticker.Source"},
		{"sticker of an empty file", ana, Sticker{MediaBytes("a.png", nil)}, nil, "Sticker.Source"},
		{"sticker that cannot be read", ana, Sticker{MediaReader("a.png", iotest.ErrReader(io.ErrClosedPipe))}, nil, "Sticker.Source"},
		{"sticker of a path", ana, Sticker{MediaURL("a.png")}, nil, "Sticker.Source"},
		{"sticker with a mention", family, Sticker{MediaURL("https://example.com/a.png")}, []SendOption{Mention(ana)}, "Mention"},

		{"status without a text", StatusBroadcast, TextStatus{}, nil, "TextStatus.Text"},
		{"status to a person", ana, TextStatus{Text: "t"}, nil, "to"},
		{"text as a status", StatusBroadcast, Text("t"), nil, "to"},
		{"status with a delay", StatusBroadcast, TextStatus{Text: "t"}, []SendOption{Delay(1)}, "Delay"},
		{"status of a file", StatusBroadcast, MediaStatus{Source: MediaBytes("a.png", pngHead)}, nil, "MediaStatus.Source"},
		{"status of a document", StatusBroadcast, MediaStatus{Source: MediaURL("https://example.com/a.pdf")}, nil, "MediaStatus.Kind"},
		{"nothing", ana, nil, nil, "content"},
		{"a pointer to nothing", ana, (*Poll)(nil), nil, "content"},
		{"status of nothing", StatusBroadcast, MediaStatus{}, nil, "Media.Source"},
		{"a media kind in capitals", ana, Media{Source: MediaURL("https://example.com/a.png"), Kind: "Image"}, nil, "Media.Kind"},
		{"a sticker as media", ana, Media{Source: MediaURL("https://example.com/a.webp"), Kind: MediaSticker}, nil, "Media.Kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inst, s := script(t, scriptedReply{body: sent})
			_, err := inst.Messages.Send(t.Context(), c.to, c.content, c.opts...)
			if c.field == "" {
				require.NoError(t, err)
				assert.Len(t, s.requests(), 1)
				return
			}
			var bad *ValidationError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, c.field, bad.Field, bad.Reason)
			assert.Empty(t, s.requests())
		})
	}
	_, err := func() (*SentMessage, error) { i, _ := script(t); return i.Messages.PostStatus(t.Context(), nil) }()
	require.ErrorIs(t, err, ErrInvalidArgument)
}

// A sticker from a file goes out again after a rate limit, whole.
func TestStickerFileSurvivesTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := scriptedReply{status: 429, body: `{"success":false,"error":{"message":"Rate limit exceeded. Try again later."}}`}
		inst, s := script(t, refused, scriptedReply{body: sent})
		_, err := inst.Messages.Send(t.Context(), ana, Sticker{MediaBytes("s.png", pngHead)})
		require.NoError(t, err)
		require.Len(t, s.requests(), 2)
		assert.Equal(t, s.requests()[0], s.requests()[1])
		assert.Contains(t, s.requests()[1].Body, fmt.Sprintf("%q:%q", "imageUrl", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="))
	})
}

var pngHead = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")

// Durations at the end of their range travel as they are, not as what they
// overflow to.
func TestLongestDurationsDoNotOverflow(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	inst, s := script(t, scriptedReply{body: sent}, scriptedReply{body: sent}, scriptedReply{body: sent})
	_, err := inst.Messages.SendText(t.Context(), ana, "hi", Delay(longest))
	require.NoError(t, err)
	_, err = inst.Messages.Send(t.Context(), ana, Media{Source: MediaURL("https://example.com/a.mp3"), Duration: longest})
	require.NoError(t, err)
	_, err = inst.Messages.Send(t.Context(), family, CalendarEvent{Name: "x", StartAt: noon, ReminderBefore: longest})
	require.NoError(t, err)
	for i, want := range []string{`"delay":9223372037`, `"duration":9223372036`, `"reminderOffsetSec":9223372037`} {
		assert.Contains(t, s.requests()[i].Body, want)
	}
}

// RFC 3339 has no five digits for a year, and no zone of a day or more.
func TestMomentsThatCannotBeWrittenAreRefused(t *testing.T) {
	inst := silent(t)
	later, zone := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), noon.In(time.FixedZone("x", 25*60*60))
	for field, call := range map[string]func() error{
		"CalendarEvent.StartAt": func() error {
			_, err := inst.Messages.Send(t.Context(), ana, CalendarEvent{Name: "x", StartAt: zone})
			return err
		},
		"CalendarEvent.EndAt": func() error {
			_, err := inst.Messages.Send(t.Context(), ana, CalendarEvent{Name: "x", StartAt: noon, EndAt: later})
			return err
		},
		"HistoryQuery.From": func() error {
			_, err := inst.Chats.HistoryPage(t.Context(), ana, HistoryQuery{From: later})
			return err
		},
		"HistoryQuery.To": func() error {
			_, err := inst.Chats.HistoryPage(t.Context(), ana, HistoryQuery{To: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)})
			return err
		},
	} {
		requireInvalid(t, call(), field)
	}
}
