package main

import (
	"context"
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// step is something that a person does, a while after the one before.
type step struct {
	after time.Duration
	do    func()
}

// people lets everybody go their way, each in order, on the simulator's clock. What
// they do ends: after about a quarter of an hour they have gone home.
func (d *demo) people(ctx context.Context, work *sync.WaitGroup) {
	for _, person := range d.days() { //nolint:contextcheck // the simulator works on until it is closed
		work.Go(func() {
			for _, s := range person {
				if d.srv.Sleep(ctx, s.after) != nil {
					return
				}
				s.do()
			}
		})
	}
}

// days are those of all people.
func (d *demo) days() [][]step {
	return [][]step{d.ana(), d.bruno(), d.carla(), d.neighbours(), d.eva()}
}

// writes is a step in which somebody writes to the shop.
func (d *demo) writes(after time.Duration, from string, in ryzetest.Incoming) step {
	return step{after, func() {
		in.From = from
		d.shop.Receive(in)
	}}
}

func (d *demo) text(after time.Duration, from, en, pt string) step {
	return d.writes(after, from, ryzetest.Incoming{Text: d.say.say(en, pt)})
}

func (d *demo) taps(after time.Duration, from, id string) step {
	return d.writes(after, from, ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: id, Title: d.say.choice(id)}})
}

func (d *demo) picks(after time.Duration, from, id string) step {
	c, _ := d.say.cake(id)
	return d.writes(after, from, ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerList, ID: c.id, Title: c.name}})
}

func (d *demo) fills(after time.Duration, from, id string, values map[string]any) step {
	return d.writes(after, from, ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerForm, ID: "order-" + id, Values: values}})
}

// reacts is a step in which a customer reacts to the shop's last message to them.
func (d *demo) reacts(after time.Duration, from, emoji string) step {
	return step{after, func() {
		id := d.shop.Chat(from).LastMessage
		d.shop.Receive(ryzetest.Incoming{From: from, Reaction: &ryzetest.Reaction{Emoji: emoji, MessageID: id}})
	}}
}

const second = time.Second

// ana orders a cake, from the first word to the receipt.
func (d *demo) ana() []step {
	return []step{
		d.text(2*second, anaPhone, "Hi! Are you open today?", "Oi! Vocês estão abertos hoje?"),
		d.taps(8*second, anaPhone, choiceMenu),
		d.picks(9*second, anaPhone, "carrot"),
		d.fills(14*second, anaPhone, "carrot", map[string]any{"name": "Ana Lima", "address": "Rua das Flores 12"}),
		d.writes(15*second, anaPhone, ryzetest.Incoming{
			Media: &ryzetest.File{Data: picture(receiptSheet), FileName: "pix.png"}, Text: d.say.say("Here is the receipt", "Segue o comprovante"),
		}),
		d.reacts(8*second, anaPhone, "❤️"),
		d.writes(180*second, anaPhone, ryzetest.Incoming{Media: &ryzetest.File{Data: picture(slice), FileName: "slice.png"}, Text: d.say.say("So good!", "Que delícia!")}),
		d.text(240*second, anaPhone, "Is there a cake without milk?", "Tem bolo sem leite?"),
		d.taps(10*second, anaPhone, choicePerson),
		{20 * second, func() {
			d.shop.TypeOnPhone(anaPhone, ryzetest.Incoming{Text: d.say.say("The orange one, Ana. I put one aside for you.", "O de laranja, Ana. Separei um para você.")})
		}},
		d.reacts(10*second, anaPhone, "🙏"),
	}
}

// bruno asks for the hours, and sends a voice note.
func (d *demo) bruno() []step {
	return []step{
		d.text(12*second, brunoPhone, "What time do you close?", "Que horas vocês fecham?"),
		d.taps(9*second, brunoPhone, choiceHours),
		d.reacts(7*second, brunoPhone, "👍"),
		d.writes(40*second, brunoPhone, ryzetest.Incoming{Media: &ryzetest.File{Data: chime(), MIME: "audio/wav", Kind: "audio", Voice: true, Duration: 2}}),
		d.writes(150*second, brunoPhone, ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerCarousel, ID: "orange", Card: 1}}),
		d.fills(20*second, brunoPhone, "orange", map[string]any{"name": "Bruno Reis", "address": "Rua do Sol 7"}),
		d.text(300*second, brunoPhone, "Sorry, I will pay tomorrow", "Desculpe, pago amanhã"),
	}
}

// carla changes her mind, and shows her LID alone.
func (d *demo) carla() []step {
	id := "3EB0DE300CA41A000001"
	return []step{
		d.writes(25*second, carlaPhone, ryzetest.Incoming{ID: id, Text: d.say.say("Two corn cakes, please", "Dois bolos de milho, por favor"), HideNumber: true}),
		d.writes(12*second, carlaPhone, ryzetest.Incoming{Edit: id, Text: d.say.say("One corn cake, please", "Um bolo de milho, por favor"), HideNumber: true}),
		d.taps(10*second, carlaPhone, choiceMenu),
		d.picks(12*second, carlaPhone, "corn"),
		d.writes(30*second, carlaPhone, ryzetest.Incoming{Location: &ryzetest.Location{Latitude: -19.9245, Longitude: -43.9352, Name: d.say.say("Here!", "Aqui!")}}),
		d.fills(15*second, carlaPhone, "corn", map[string]any{"name": "Carla Nunes", "address": "Rua da Lua 3"}),
		d.writes(20*second, carlaPhone, ryzetest.Incoming{Media: &ryzetest.File{Data: picture(receiptSheet), FileName: "pix.png"}, Text: "Pix"}),
		d.reacts(200*second, carlaPhone, "😋"),
	}
}

// neighbours talk in the group.
func (d *demo) neighbours() []step {
	in := func(after time.Duration, from, en, pt string) step {
		return d.writes(after, from, ryzetest.Incoming{Group: d.group, Text: d.say.say(en, pt)})
	}
	return []step{
		in(18*second, daviPhone, "The shop has asked: which cake on Saturday?", "A confeitaria perguntou: qual bolo no sábado?"),
		{6 * second, func() {
			for _, m := range d.shop.Messages() {
				if m.Poll != nil && m.FromMe && m.Chat == d.group {
					d.shop.Vote(m.ID, daviPhone, m.Poll.Options[1])
				}
			}
		}},
		in(10*second, anaPhone, "Carrot, of course", "Cenoura, claro"),
		d.writes(15*second, carlaPhone, ryzetest.Incoming{Group: d.group, Media: &ryzetest.File{Data: picture(sticker), Kind: "sticker"}}),
		in(120*second, daviPhone, "Then carrot it is", "Então é cenoura"),
	}
}

// eva rides for the other line.
func (d *demo) eva() []step {
	write := func(after time.Duration, in ryzetest.Incoming) step {
		return step{after, func() {
			in.From = evaPhone
			d.courier.Receive(in)
		}}
	}
	return []step{
		write(30*second, ryzetest.Incoming{Text: d.say.say("First tour is done", "Primeira entrega feita")}),
		write(60*second, ryzetest.Incoming{Location: &ryzetest.Location{Latitude: -23.5558, Longitude: -46.6396, Name: d.say.say("On my way", "A caminho")}}),
		write(90*second, ryzetest.Incoming{Media: &ryzetest.File{Data: picture(door), FileName: "door.png"}, Text: d.say.say("Handed over", "Entregue")}),
	}
}
