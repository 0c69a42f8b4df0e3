package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// demo is a little cake shop: a line that a bot answers, a line of its courier,
// customers who write by themselves, and a past.
type demo struct {
	srv           *ryzetest.Server
	log           *lines
	say           translator
	shop, courier *ryzetest.Instance
	group         string // JID of the group in which neighbours order together
}

// translator chooses between English and, when it is true, Portuguese.
type translator bool

func (t translator) say(en, pt string) string {
	if t {
		return pt
	}
	return en
}

// language is that of -lang, or of the environment, as other programs read it.
func language(lang string) translator {
	for _, variable := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if lang == "" {
			lang = os.Getenv(variable)
		}
	}
	return translator(strings.HasPrefix(strings.ToLower(lang), "pt"))
}

func (t translator) shopName() string    { return t.say("cake-shop", "confeitaria") }
func (t translator) courierName() string { return t.say("courier", "entregas") }

// People of the demo. The numbers are invented.
const (
	anaPhone   = "5511987654321"
	brunoPhone = "5521976543210"
	carlaPhone = "5531965432109"
	daviPhone  = "5541954321098"
	evaPhone   = "5511943210987"

	shopPhone    = "5511900000101"
	courierPhone = "5511900000102"
)

// newDemo makes the two lines and their past, unless a state has brought them.
func newDemo(srv *ryzetest.Server, log *lines, say translator) *demo {
	d := &demo{srv: srv, log: log, say: say}
	d.shop = d.line(say.shopName(), shopPhone)
	d.courier = d.line(say.courierName(), courierPhone)
	return d
}

func (d *demo) line(name, phone string) *ryzetest.Instance {
	i := d.srv.Instance(name)
	if i == nil {
		i = d.srv.AddInstance(name)
	}
	if i.Phone() == "" {
		i.Pair(phone)
	}
	return i
}

// run plays until the context ends.
func (d *demo) run(ctx context.Context) {
	client, err := ryze.New(ryze.WithBaseURL(d.srv.URL), ryze.WithHTTPClient(d.srv.HTTPClient()), ryze.WithInsecureHTTP())
	if err != nil {
		d.failed(ctx, err)
		return
	}
	shop := client.Instance(d.shop.Name(), d.shop.Token())
	courier := client.Instance(d.courier.Name(), d.courier.Token())
	fresh := len(d.shop.Messages()) == 0
	if fresh {
		d.past() //nolint:contextcheck // the simulator works on until it is closed
		if err := d.offers(ctx, shop); err != nil {
			d.failed(ctx, err)
		}
	}
	b := &bot{demo: d, inst: shop, courier: courier, orders: map[ryze.JID]*order{}}
	open := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { d.failed(ctx, b.run(ctx, open)) })
	if fresh {
		select {
		case <-open:
			d.people(ctx, &work)
		case <-ctx.Done():
		}
	}
	work.Wait()
	if err := client.Close(); err != nil {
		d.failed(ctx, err)
	}
}

// failed logs what went wrong, unless the program is told to stop.
func (d *demo) failed(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		d.log.printf("demo: %s", plain(hide(err.Error(), tokensOf(d.srv))))
	}
}

// past is what was written before the program began, of many kinds.
func (d *demo) past() {
	say := d.say.say
	for _, c := range []ryzetest.Contact{
		{Phone: anaPhone, LID: "81234567890123@lid", Name: "Ana Lima", About: say("Cake is an answer.", "Bolo é resposta.")},
		{Phone: brunoPhone, Name: "Bruno Reis"},
		{Phone: carlaPhone, LID: "92345678901234@lid", Name: "Carla Nunes", About: say("Available", "Disponível")},
		{Phone: daviPhone, Name: "Davi Melo"},
		{Phone: evaPhone, Name: say("Eva (courier)", "Eva (entregadora)")},
	} {
		d.srv.AddContact(c)
	}
	d.srv.SetUnreachable("5511900000999", "551100000999")
	d.group = d.srv.AddGroup(ryzetest.NewGroup{
		Name: say("Neighbours of Flower Street", "Vizinhos da Rua das Flores"), Owner: daviPhone,
		Members: []string{shopPhone, anaPhone, carlaPhone},
	}).JID()

	at := func(ago time.Duration) time.Time { return d.srv.Now().Add(-ago) }
	from := func(who string, ago time.Duration, in ryzetest.Incoming) string {
		in.From, in.At = who, at(ago)
		return d.shop.Receive(in)
	}
	mine := func(to string, ago time.Duration, in ryzetest.Incoming) string {
		in.At = at(ago)
		return d.shop.TypeOnPhone(to, in)
	}
	day := 24 * time.Hour

	asked := from(brunoPhone, 2*day+3*time.Hour, ryzetest.Incoming{Text: say("Do you make *birthday* cakes? For about _thirty_ people", "Vocês fazem bolo de *aniversário*? Para umas _trinta_ pessoas")})
	mine(brunoPhone, 2*day+2*time.Hour, ryzetest.Incoming{Text: say("We do! Two days ahead is enough.", "Fazemos! Dois dias antes já basta."), ReplyTo: asked})
	from(brunoPhone, 2*day+2*time.Hour-time.Minute, ryzetest.Incoming{
		Media: &ryzetest.File{Data: picture(lastYear), FileName: "cake.png"}, Text: say("Like this one, from last year", "Como este, do ano passado"),
	})
	mine(brunoPhone, 2*day+time.Hour, ryzetest.Incoming{
		Media: &ryzetest.File{Data: priceList(d.say), MIME: "application/pdf", Kind: "document", FileName: say("prices.pdf", "precos.pdf")},
		Text:  say("Our prices", "Nossos preços"),
	})
	from(brunoPhone, 2*day, ryzetest.Incoming{Media: &ryzetest.File{Data: picture(sticker), Kind: "sticker"}})

	order := from(carlaPhone, day+5*time.Hour, ryzetest.Incoming{Text: say("One carrot cake for 5 pm, please", "Um bolo de cenoura para as 17h, por favor"), HideNumber: true})
	from(carlaPhone, day+5*time.Hour-time.Minute, ryzetest.Incoming{Edit: order, Text: say("One carrot cake for 6 pm, please", "Um bolo de cenoura para as 18h, por favor"), HideNumber: true})
	wrong := from(carlaPhone, day+5*time.Hour-2*time.Minute, ryzetest.Incoming{Text: say("Mum, the cake is ordered", "Mãe, o bolo está pedido")})
	from(carlaPhone, day+5*time.Hour-3*time.Minute, ryzetest.Incoming{Revoke: wrong})
	from(carlaPhone, day+5*time.Hour-4*time.Minute, ryzetest.Incoming{Location: &ryzetest.Location{
		Latitude: -19.9245, Longitude: -43.9352, Name: say("My place", "Minha casa"), Address: "Rua das Flores 12",
	}})
	ready := mine(carlaPhone, day+2*time.Hour, ryzetest.Incoming{Text: say("It is ready ✨", "Está pronto ✨")})
	from(carlaPhone, day+2*time.Hour-time.Minute, ryzetest.Incoming{Reaction: &ryzetest.Reaction{Emoji: "🎂", MessageID: ready}})

	from(daviPhone, 6*time.Hour, ryzetest.Incoming{Group: d.group, Text: say("Who joins for cake on Saturday? https://ryzeapi.cloud", "Quem vai no bolo de sábado? https://ryzeapi.cloud")})
	from(anaPhone, 6*time.Hour-5*time.Minute, ryzetest.Incoming{Group: d.group, Text: say("Me! @"+carlaPhone+", you too?", "Eu! @"+carlaPhone+", você também?"), Mentions: []string{carlaPhone}})
	from(carlaPhone, 6*time.Hour-6*time.Minute, ryzetest.Incoming{Group: d.group, Forwarded: true, Text: say("Cake is a hug that one can eat", "Bolo é um abraço que se come")})

	from(anaPhone, 3*time.Hour, ryzetest.Incoming{Media: &ryzetest.File{Data: chime(), MIME: "audio/wav", Kind: "audio", Voice: true, Duration: 2}})
	from(anaPhone, 3*time.Hour-time.Minute, ryzetest.Incoming{Card: contactCard("Eva", evaPhone)})
	from(anaPhone, 3*time.Hour-2*time.Minute, ryzetest.Incoming{Poll: &ryzetest.Poll{
		Question: say("Which one for the party?", "Qual para a festa?"), Options: []string{say("Carrot", "Cenoura"), say("Orange", "Laranja")}, Max: 1,
	}})

	d.courier.Receive(ryzetest.Incoming{From: evaPhone, At: at(4 * time.Hour), Text: say("The bike is repaired, I am back", "A moto está pronta, voltei")})
	d.courier.TypeOnPhone(evaPhone, ryzetest.Incoming{At: at(4*time.Hour - time.Minute), Text: say("Great! Three tours today.", "Ótimo! Três entregas hoje.")})
}

// offers is what only a program can send: each kind once.
func (d *demo) offers(ctx context.Context, shop *ryze.InstanceClient) error {
	say := d.say.say
	saturday := d.srv.Now().Add(72 * time.Hour).Truncate(time.Hour)
	for _, offer := range []struct {
		to      ryze.JID
		content ryze.Content
	}{
		{brunoPhone, ryze.Carousel{Text: say("This week", "Esta semana"), Cards: []ryze.Card{
			{Title: say("Carrot cake", "Bolo de cenoura"), Text: say("With chocolate", "Com chocolate"), ImageURL: "https://ryzeapi.cloud/demo/carrot.jpg", Buttons: []ryze.Button{{Label: say("I want it", "Eu quero"), Value: "carrot"}}},
			{Title: say("Orange cake", "Bolo de laranja"), Text: say("Light and fresh", "Leve e fresco"), ImageURL: "https://ryzeapi.cloud/demo/orange.jpg", Buttons: []ryze.Button{{Label: say("I want it", "Eu quero"), Value: "orange"}}},
		}}},
		{carlaPhone, ryze.Buttons{Text: say("Your order came with a coupon", "Seu pedido veio com um cupom"), Footer: say("Valid this month", "Vale este mês"), Buttons: []ryze.Button{
			{Kind: ryze.ButtonCopy, Label: say("Copy the code", "Copiar o código"), Value: "CAKE10"}, {Kind: ryze.ButtonURL, Label: say("To the shop", "Para a loja"), Value: "https://ryzeapi.cloud"},
		}}},
		{carlaPhone, ryze.Location{Latitude: -23.5614, Longitude: -46.6559, Name: say("The cake shop", "A confeitaria"), Address: "Avenida Paulista 1000"}},
		{carlaPhone, ryze.Media{Source: ryze.MediaBytes("receipt.png", picture(receiptSheet)), Caption: say("Your receipt", "Seu recibo")}},
		{ryze.JID(d.group), ryze.Poll{Question: say("Saturday's cake?", "O bolo de sábado?"), Options: []string{say("Carrot", "Cenoura"), say("Orange", "Laranja"), say("Corn", "Milho")}, MaxAnswers: 2}},
		{ryze.JID(d.group), ryze.CalendarEvent{Name: say("Cake on Flower Street", "Bolo na Rua das Flores"), StartAt: saturday, Place: &ryze.Location{Name: "Rua das Flores 12"}}},
	} {
		sent, err := shop.Messages.Send(ctx, offer.to, offer.content)
		if err != nil {
			return fmt.Errorf("%T: %w", offer.content, err)
		}
		if p, isPoll := offer.content.(ryze.Poll); isPoll {
			d.shop.Vote(sent.ID, anaPhone, p.Options[0])
			d.shop.Vote(sent.ID, carlaPhone, p.Options[0], p.Options[2])
		}
	}
	return nil
}
