package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const (
	own   = "5511900000001"
	ana   = "5511987654321"
	bruno = "5511976543210"
	carla = "5521998877665"
)

// simulator starts one with the page.
func simulator(t *testing.T, options ...ryzetest.Option) *ryzetest.Server {
	t.Helper()
	chromium(t) // skipped before anything is started
	s, err := ryzetest.Start(append([]ryzetest.Option{ryzetest.WithControl("")}, options...)...)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// pizza paints one, from above.
func pizza(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			dx, dy := float64(x-w/2)/float64(h), float64(y-h/2)/float64(h)
			r, a := math.Hypot(dx, dy), math.Atan2(dy, dx)
			c := color.RGBA{uint8(206 - 60*r), uint8(74 + 60*r), 52, 255}
			switch {
			case r > .46:
				c = color.RGBA{uint8(74 + 24*dy), uint8(58 + 10*dx), 50, 255}
			case r > .41:
				c = color.RGBA{206, uint8(144 + 10*math.Sin(a*11)), 78, 255}
			case math.Sin(a*7+r*14)*math.Cos(r*40+a*2) > .55:
				c = color.RGBA{250, 240, 214, 255}
			case math.Sin(a*5-r*20) > .9:
				c = color.RGBA{70, 130, 58, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// hum is a voice note, as a WAV.
func hum(t *testing.T, seconds int) []byte {
	t.Helper()
	const rate = 8000
	n := uint32(rate * seconds)
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			if text, ok := v.(string); ok {
				v = []byte(text)
			}
			require.NoError(t, binary.Write(&b, binary.LittleEndian, v))
		}
	}
	put("RIFF", 36+2*n, "WAVEfmt ", uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2*rate), uint16(2), uint16(16), "data", 2*n)
	for i := range n {
		at := float64(i) / rate
		loud := math.Max(0, math.Sin(at*17)) * (.5 + .5*math.Sin(at*1.7))
		put(int16(9000 * loud * math.Sin(at*1068)))
	}
	return b.Bytes()
}

// shop is an instance with a life: every kind of message is in its chats.
type shop struct {
	sim   *ryzetest.Server
	phone *ryzetest.Instance
	bot   *ryze.InstanceClient
	group string
}

func play(t *testing.T, film []byte) *shop {
	t.Helper()
	sim := simulator(t)
	ctx := t.Context()
	for _, c := range []ryzetest.Contact{
		{Phone: ana, Name: "Ana Souza", About: "Pizza on Fridays"}, {Phone: carla, Name: "Carla Mendes"},
		{Phone: bruno, Name: "Bruno Carvalho", LID: "184467440737095@lid"},
	} {
		sim.AddContact(c)
	}
	phone := sim.AddInstance("shop")
	phone.Pair(own)
	client, err := ryze.New(ryze.WithBaseURL(sim.URL))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	support := sim.AddInstance("support")
	_, err = client.Instance("support", support.Token()).Connect(ctx, ryze.ConnectParams{})
	require.NoError(t, err)

	s := &shop{sim: sim, phone: phone, bot: client.Instance("shop", phone.Token())}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "cold") {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(hook.Close)
	_, err = s.bot.Webhooks.Ensure(ctx, ryze.WebhookConfig{URL: hook.URL + "/hook"})
	require.NoError(t, err)
	stream, err := s.bot.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	require.NoError(t, err)
	t.Cleanup(func() { _ = stream.Close() })
	go func() {
		for range stream.All() { //nolint:errcheck // it is only listened to
		}
	}()
	s.talk(ctx, t, film)
	return s
}

func (s *shop) says(in ryzetest.Incoming) string {
	if in.From == "" {
		in.From = ana
	}
	return s.phone.Receive(in)
}

func (s *shop) sends(ctx context.Context, t *testing.T, to string, content ryze.Content, options ...ryze.SendOption) string {
	t.Helper()
	sent, err := s.bot.Messages.Send(ctx, ryze.JID(to), content, options...)
	require.NoError(t, err)
	return sent.ID
}

func (s *shop) talk(ctx context.Context, t *testing.T, film []byte) {
	t.Helper()
	send := func(content ryze.Content, options ...ryze.SendOption) string {
		return s.sends(ctx, t, ana, content, options...)
	}
	answer := func(a ryzetest.Answer) { s.says(ryzetest.Incoming{Answer: &a}) }
	yesterday := time.Now().AddDate(0, 0, -1)
	s.says(ryzetest.Incoming{Text: "Boa noite! Do you deliver to Pinheiros?", At: yesterday})

	// What a stranger may write is text, and an address is asked nobody.
	s.says(ryzetest.Incoming{Text: `<script>alert(1)</script> <img src=x onerror=alert(2)> https://example.com/a?b=1&c=2.`})
	s.says(ryzetest.Incoming{Text: "https://example.com/\u202egpj.exe"})
	s.says(ryzetest.Incoming{Media: &ryzetest.File{Data: []byte("<script>alert(3)</script>"), MIME: "text/html", Kind: "document", FileName: `a"b<b>.html`}})
	s.says(ryzetest.Incoming{Media: &ryzetest.File{Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(4)"/>`), MIME: "image/svg+xml", Kind: "image"}})
	s.says(ryzetest.Incoming{Text: "*bold* _italic_ ~struck~ `code`\n> a quote\n- one\n- two\n1. first\n```\nif x {\n\treturn\n}\n```\nfile *not bold_ 2*3*4"})
	s.says(ryzetest.Incoming{Text: "Forwarded words", Forwarded: true})
	s.says(ryzetest.Incoming{Revoke: s.says(ryzetest.Incoming{Text: "oops"})})
	s.says(ryzetest.Incoming{Text: "Two margheritas, please", Edit: s.says(ryzetest.Incoming{Text: "Two margeritas plese"})})
	s.says(ryzetest.Incoming{Location: &ryzetest.Location{Latitude: -23.561414, Longitude: -46.655881, Name: "MASP", Address: "Av. Paulista, 1578"}})
	s.says(ryzetest.Incoming{Media: &ryzetest.File{Data: pizza(t, 256, 256), MIME: "image/png", Kind: "sticker"}})
	s.says(ryzetest.Incoming{Media: &ryzetest.File{Data: hum(t, 3), MIME: "audio/wav", Kind: "audio", FileName: "jingle.wav"}})

	send(ryze.Pix{MerchantName: "Pizzaria da Praça", Key: "7d9f0335-8dcc-4054-9bf9-0dbd61d36906", KeyType: ryze.PixRandom, Items: []ryze.PixItem{
		{Name: "Margherita", Quantity: 2, UnitPrice: 42}, {Name: "Guaraná", Description: "2 l", Quantity: 1, UnitPrice: 12.5},
	}})
	send(ryze.Carousel{Text: "More for the table:", Cards: []ryze.Card{
		{Title: "Tiramisu", Text: "Coffee, mascarpone", ImageURL: "https://cdn.example.com/tiramisu.jpg", Buttons: []ryze.Button{{Label: "I want it", Value: "tiramisu"}}},
		{Title: "Panna cotta", Text: "Berries", Buttons: []ryze.Button{{Label: "I want it", Value: "panna"}}},
	}})
	send(ryze.Buttons{Text: "Anything else?", Buttons: []ryze.Button{
		{Kind: ryze.ButtonURL, Label: "Whole menu", Value: "https://example.com/menu?from=whatsapp"}, {Kind: ryze.ButtonCall, Label: "Call us", Value: own}, {Kind: ryze.ButtonCopy, Label: "Copy coupon", Value: "PIZZA10"},
	}})
	send(ryze.ContactCards{{FullName: "Giuseppe, the cook", Phone: "5511955554444", Organization: "Pizzaria da Praça"}, {FullName: "Delivery", Phone: "5511955553333"}})
	send(ryze.CalendarEvent{
		Name: "Pizza night", StartAt: time.Date(2027, 12, 3, 22, 30, 0, 0, time.UTC), EndAt: time.Date(2027, 12, 4, 2, 0, 0, 0, time.UTC),
		Description: "All you can eat", JoinLink: "https://meet.example.com/pizza", ReminderBefore: time.Hour,
		Place: &ryze.Location{Name: "Praça da República", Address: "São Paulo"},
	})
	send(ryze.Media{Source: ryze.MediaBytes("order-1042.pdf", []byte("%PDF-1.4")), Kind: ryze.MediaDocument, Caption: "Your order"})
	send(ryze.Media{Source: ryze.MediaURL("https://cdn.example.com/films/oven.mp4"), Kind: ryze.MediaVideo, Caption: "How it is made"})
	if film != nil {
		send(ryze.Media{Source: ryze.MediaBytes("oven.webm", film), Kind: ryze.MediaVideo, MIME: "video/webm", Caption: "The oven"})
	}
	s.phone.TypeOnPhone(ana, ryzetest.Incoming{Text: "This is Giuseppe himself: the oven is hot!"})
	poll := send(ryze.Poll{Question: "When shall we bring it?", Options: []string{"19:00", "20:00", "21:00"}})
	s.phone.Vote(poll, ana, "20:00")
	s.phone.Vote(poll, bruno, "20:00")
	s.phone.Vote(poll, carla, "19:00")

	hi := s.says(ryzetest.Incoming{Text: "Hi, what is on the menu?"})
	send(ryze.Buttons{Header: "Pizzaria da Praça", Text: "Welcome, *Ana*! What can we do for you?", Footer: "Open until midnight", Buttons: []ryze.Button{
		{Label: "Order a pizza", Value: "order"}, {Label: "Opening hours", Value: "hours"},
	}}, ryze.ReplyTo(hi), ryze.SourceLabel("menu"))
	answer(ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: "order", Title: "Order a pizza"})
	send(ryze.List{Header: "Pizzas", Text: "Which one would you like?", Label: "See the pizzas", Footer: "All 35 cm", Sections: []ryze.ListSection{
		{Title: "Classic", Rows: []ryze.ListRow{{ID: "margherita", Title: "Margherita", Description: "Tomato, mozzarella, basil"}, {ID: "funghi", Title: "Funghi"}}},
		{Title: "Sweet", Rows: []ryze.ListRow{{ID: "banana", Title: "Banana with cinnamon"}}},
	}})
	answer(ryzetest.Answer{Kind: ryzetest.AnswerList, ID: "margherita", Title: "Margherita"})
	picture := send(ryze.Media{Source: ryze.MediaBytes("pizza.png", pizza(t, 720, 440)), Caption: "*Margherita*, R$ 42"})
	s.says(ryzetest.Incoming{Reaction: &ryzetest.Reaction{Emoji: "❤️", MessageID: picture}})
	send(ryze.Form{
		Text: "Where shall we bring it?", Kind: ryze.FormContactDetails, Button: "My address", FlowToken: "visit-1",
		FullName: new(true), DeliveryAddress: new(true), Phone: new(false), Email: new(false), CPFOrCNPJ: new(false),
	})
	answer(ryzetest.Answer{Kind: ryzetest.AnswerForm, ID: "visit-1", Values: map[string]any{"fullName": "Ana Souza", "deliveryAddress": "Rua das Flores, 12"}})
	s.says(ryzetest.Incoming{Media: &ryzetest.File{Data: hum(t, 7), MIME: "audio/wav", Kind: "audio", Voice: true, Duration: 7}})
	send(ryze.Text("Thank you! Your order is on its way:\nhttps://example.com/track/1042"))

	s.says(ryzetest.Incoming{From: bruno, Text: "Is the order 1042 ready?", HideNumber: true})
	s.group = s.sim.AddGroup(ryzetest.NewGroup{Name: "Family lunch", Owner: ana, Members: []string{own, bruno, carla}}).JID()
	first := s.says(ryzetest.Incoming{Group: s.group, Text: "Sunday at one?"})
	s.says(ryzetest.Incoming{From: bruno, Group: s.group, Text: "I am in 🙌", ReplyTo: first})
	s.says(ryzetest.Incoming{From: carla, Group: s.group, Text: "@" + ana + " who brings the salad?", Mentions: []string{ana}})
	s.sends(ctx, t, s.group, ryze.Text("The shop does."), ryze.MentionAll())
	_, err := s.bot.Messages.PostStatus(ctx, ryze.TextStatus{Text: "Open today until midnight", BackgroundColor: "#7A3E9D"})
	require.NoError(t, err)
	require.NoError(t, s.bot.Chats.Typing(ctx, ana, 50*time.Second))
	s.says(ryzetest.Incoming{From: carla, Text: "The pizza is cold :("})

	// A client with a typo, as the log shows it.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.sim.URL+"/api/message/text/shop", strings.NewReader(`{"number":"`+carla+`","message":"We bring another one.","text":"lost"}`))
	require.NoError(t, err)
	request.Header.Set("Token", s.phone.Token())
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, reply.Body.Close())
}
