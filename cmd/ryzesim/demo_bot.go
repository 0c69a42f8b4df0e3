package main

import (
	"context"
	"strings"
	"sync"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

// bot answers the shop's customers, through the SDK and the port, as a program
// elsewhere would.
type bot struct {
	*demo
	inst, courier *ryze.InstanceClient

	mu     sync.Mutex
	orders map[ryze.JID]*order
}

// order is one that is not paid yet.
type order struct {
	cake string
}

// Choices of the bot; buttons and rows have them as ids.
const (
	choiceMenu   = "menu"
	choiceHours  = "hours"
	choicePerson = "person"
)

// choice is what the button of a choice says.
func (t translator) choice(id string) string {
	return map[string]string{
		choiceMenu: t.say("Order a cake", "Pedir um bolo"), choiceHours: t.say("Opening hours", "Horário"), choicePerson: t.say("Talk to a person", "Falar com uma pessoa"),
	}[id]
}

type cake struct {
	id, name, text string
	price          float64
}

func (t translator) cakes() []cake {
	return []cake{
		{"carrot", t.say("Carrot cake", "Bolo de cenoura"), t.say("With chocolate", "Com cobertura de chocolate"), 42},
		{"orange", t.say("Orange cake", "Bolo de laranja"), t.say("Light and fresh", "Leve e fresco"), 38},
		{"corn", t.say("Corn cake", "Bolo de milho"), t.say("As grandma made it", "Como o da vovó"), 35},
	}
}

func (t translator) cake(id string) (cake, bool) {
	for _, c := range t.cakes() {
		if id == c.id || id == c.name { // one layout of events has the title for the id
			return c, true
		}
	}
	return cake{}, false
}

// run answers until the context ends. It closes open once it listens.
func (b *bot) run(ctx context.Context, open chan<- struct{}) error {
	stream, err := b.inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithEvents(ryze.EventMessage))
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // Handle has returned why it ended
	close(open)
	return stream.Handle(ctx, ryze.On(b.message), ryze.WithErrorHandler(func(ctx context.Context, err *ryze.HandlerError) {
		b.failed(ctx, err)
	}))
}

func (b *bot) message(ctx context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
	if m.Direction != ryze.DirectionIncoming || m.Chat.Type != ryze.ChatPrivate || m.Reaction != nil || m.Edit != nil || m.Text == "" && m.Selection == nil && m.Media == nil {
		return nil
	}
	chat := m.Chat.JID
	if err := b.pause(ctx, chat); err != nil {
		return err
	}
	b.mu.Lock()
	o := b.orders[chat]
	b.mu.Unlock()
	choice := m.Text
	if m.Selection != nil {
		choice = m.Selection.ID
	}
	say := b.say.say
	c, isCake := b.say.cake(choice)
	switch {
	case isCake:
		return b.take(ctx, chat, c)
	case choice == choiceMenu:
		return b.offer(ctx, chat)
	case choice == choiceHours:
		return b.text(ctx, chat, say("*Opening hours*\nTuesday to Sunday, 9 am to 7 pm.\n_Closed on Mondays._", "*Horário*\nTerça a domingo, das 9h às 19h.\n_Segunda fechado._"))
	case choice == choicePerson:
		return b.text(ctx, chat, say("Somebody will write to you in a minute.", "Alguém já escreve para você."))
	case o != nil && (strings.HasPrefix(choice, "order-") || m.Selection != nil && m.Selection.Kind == ryze.SelectionForm):
		return b.bill(ctx, chat, o)
	case o != nil && m.Media != nil:
		return b.deliver(ctx, chat, m, o)
	case m.Media != nil:
		return b.text(ctx, chat, say("Thank you! A person will look at it.", "Obrigado! Uma pessoa vai olhar."))
	}
	return b.welcome(ctx, chat, m.Sender.Name)
}

// pause shows that somebody types, for a human while on the simulator's clock.
func (b *bot) pause(ctx context.Context, chat ryze.JID) error {
	if err := b.inst.Chats.MarkRead(ctx, chat); err != nil {
		return err
	}
	if err := b.inst.Chats.Typing(ctx, chat, 0); err != nil {
		return err
	}
	if err := b.srv.Sleep(ctx, 1500*time.Millisecond); err != nil {
		return err
	}
	return b.inst.Chats.Pause(ctx, chat)
}

func (b *bot) send(ctx context.Context, chat ryze.JID, content ryze.Content) error {
	_, err := b.inst.Messages.Send(ctx, chat, content, ryze.SourceLabel("demo-bot"))
	return err
}

func (b *bot) text(ctx context.Context, chat ryze.JID, text string) error {
	return b.send(ctx, chat, ryze.Text(text))
}

func (b *bot) welcome(ctx context.Context, chat ryze.JID, name string) error {
	say := b.say.say
	hello := say("Hello!", "Olá!")
	if first, _, _ := strings.Cut(name, " "); first != "" {
		hello = say("Hello ", "Olá ") + first + "!"
	}
	return b.send(ctx, chat, ryze.Buttons{
		Text: hello + say(" What can we do for you?", " O que podemos fazer por você?"), Footer: say("The cake shop", "A confeitaria"),
		Buttons: []ryze.Button{
			{Label: b.say.choice(choiceMenu), Value: choiceMenu},
			{Label: b.say.choice(choiceHours), Value: choiceHours},
			{Label: b.say.choice(choicePerson), Value: choicePerson},
		},
	})
}

func (b *bot) offer(ctx context.Context, chat ryze.JID) error {
	section := ryze.ListSection{Title: b.say.say("Cakes of today", "Bolos de hoje")}
	for _, c := range b.say.cakes() {
		section.Rows = append(section.Rows, ryze.ListRow{ID: c.id, Title: c.name, Description: c.text})
	}
	return b.send(ctx, chat, ryze.List{
		Text: b.say.say("Which one?", "Qual deles?"), Label: b.say.say("See the cakes", "Ver os bolos"), Sections: []ryze.ListSection{section},
	})
}

func (b *bot) take(ctx context.Context, chat ryze.JID, c cake) error {
	b.mu.Lock()
	b.orders[chat] = &order{cake: c.id}
	b.mu.Unlock()
	return b.send(ctx, chat, ryze.Form{
		Text: b.say.say("Where shall we bring it?", "Para onde levamos?"), Kind: ryze.FormContactDetails, Button: b.say.say("My address", "Meu endereço"),
		FlowToken: "order-" + c.id, FullName: new(true), DeliveryAddress: new(true), Phone: new(false), Email: new(false), CPFOrCNPJ: new(false),
	})
}

func (b *bot) bill(ctx context.Context, chat ryze.JID, o *order) error {
	c, _ := b.say.cake(o.cake)
	return b.send(ctx, chat, ryze.Pix{
		MerchantName: b.say.say("The cake shop", "A confeitaria"), Key: "pix@cake.example", KeyType: ryze.PixEmail,
		Message: b.say.say("Send us the receipt", "Mande o comprovante"), Items: []ryze.PixItem{{Name: c.name, Quantity: 1, UnitPrice: c.price}},
	})
}

// deliver closes an order: thanks from the shop, and a word from the courier.
func (b *bot) deliver(ctx context.Context, chat ryze.JID, m *ryze.MessageEvent, o *order) error {
	b.mu.Lock()
	delete(b.orders, chat)
	b.mu.Unlock()
	if err := b.send(ctx, chat, ryze.Reaction{MessageID: m.ID, Emoji: "👍"}); err != nil {
		return err
	}
	c, _ := b.say.cake(o.cake)
	if err := b.text(ctx, chat, b.say.say("Paid, thank you! Your ", "Pago, obrigado! Seu ")+strings.ToLower(c.name)+b.say.say(" is on its way.", " já está a caminho.")); err != nil {
		return err
	}
	_, err := b.courier.Messages.Send(ctx, chat, ryze.Text(b.say.say("I have your cake. See you in twenty minutes! 🛵", "Estou com seu bolo. Chego em vinte minutos! 🛵")))
	return err
}
