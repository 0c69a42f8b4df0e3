// Command menu takes pizza orders by taps: buttons, a list and a form, each
// answered by the customer.
//
//	go run ./examples/menu
//
// plays it against a simulator in which a customer taps. To run it on a number
// of yours until Ctrl-C, set RYZE_INSTANCE and RYZE_INSTANCE_TOKEN; then write
// anything to that number from WhatsApp on a phone.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	service, err := demo.Open(demo.Config{})
	if err == nil {
		err = errors.Join(run(ctx, service, os.Stdout), service.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "menu:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, service *demo.Service, out io.Writer) error {
	info, err := service.Instance.Info(ctx)
	if err != nil {
		return err
	}
	p := &pizzeria{
		inst: service.Instance, log: log.New(out, "", 0), seen: ryze.NewDeduper(nil),
		since: info.CreatedAt, visits: map[ryze.JID]*visit{},
	}
	stream, err := p.inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithEvents(ryze.EventMessage))
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	p.log.Print("Open.")
	ctx, end := service.Play(ctx, customer)
	defer end()

	// The messages of one chat are handled one after another, so a dialogue
	// never overtakes itself.
	err = stream.Handle(ctx, ryze.On(p.message), ryze.WithErrorHandler(func(_ context.Context, err *ryze.HandlerError) {
		p.log.Print("Failed: ", err) // the customer writes again, and starts anew
	}))
	if ctx.Err() != nil {
		return nil // it was told to stop
	}
	return err
}

type pizzeria struct {
	inst  *ryze.InstanceClient
	log   *log.Logger
	seen  *ryze.Deduper
	since time.Time

	mu     sync.Mutex
	visits map[ryze.JID]*visit
}

// visit is a dialogue that is not over. A tap does not tell which message it
// belongs to, so every id carries the token of its visit: a tap on the menu of
// last week is not taken for one on that of today.
type visit struct {
	token string
	pizza string
}

func (v *visit) id(choice string) string { return v.token + ":" + choice }

var pizzas = []ryze.ListRow{
	{ID: "margherita", Title: "Margherita", Description: "Tomato, mozzarella, basil"},
	{ID: "funghi", Title: "Funghi", Description: "Mushrooms"},
}

func (p *pizzeria) message(ctx context.Context, event *ryze.Event, message *ryze.MessageEvent) error {
	if message.Direction != ryze.DirectionIncoming || event.IsHistory(p.since) || message.Chat.Type != ryze.ChatPrivate {
		return nil
	}
	_, err := p.seen.Do(ctx, event, func(ctx context.Context, event *ryze.Event) error {
		return p.answer(ctx, event, message)
	})
	return err
}

func (p *pizzeria) answer(ctx context.Context, event *ryze.Event, message *ryze.MessageEvent) error {
	chat := message.Chat.JID
	p.mu.Lock()
	v := p.visits[chat]
	p.mu.Unlock()

	choice, tapped := v.choice(message)
	switch {
	case !tapped:
		p.log.Printf("%s writes %q.", cmp.Or(message.Sender.Name, message.Sender.JID.User()), message.Text)
		return p.welcome(ctx, chat, "Welcome! What can we do for you?")
	case choice == "":
		p.log.Printf("%s taps on an old menu.", cmp.Or(message.Sender.Name, message.Sender.JID.User()))
		return p.welcome(ctx, chat, "That menu is closed. Here is a new one:")
	}
	p.log.Printf("%s taps %q.", cmp.Or(message.Sender.Name, message.Sender.JID.User()), choice)
	switch {
	case choice == "hours":
		return p.send(ctx, chat, ryze.Text("From six to midnight."))
	case choice == "order":
		return p.offer(ctx, chat, v)
	case choice == "address" && v.pizza != "":
		return p.confirm(ctx, chat, v, event)
	default:
		v.pizza = choice
		return p.askAddress(ctx, chat, v)
	}
}

// choice returns what was tapped, which is nothing for an old menu.
func (v *visit) choice(message *ryze.MessageEvent) (choice string, tapped bool) {
	// Some clients cannot show buttons: a tap there is said to send the id as a
	// text, without a Selection.
	answer := message.Text
	if message.Selection != nil {
		answer, tapped = message.Selection.ID, true
	}
	if v == nil {
		return "", tapped
	}
	if choice, ok := strings.CutPrefix(answer, v.token+":"); ok {
		return choice, true
	}
	// One of the two layouts of events has the name of a list's row for its id.
	for _, row := range pizzas {
		if tapped && answer == row.Title {
			return row.ID, true
		}
	}
	return "", tapped
}

func (p *pizzeria) welcome(ctx context.Context, chat ryze.JID, text string) error {
	v := &visit{token: rand.Text()}
	p.mu.Lock()
	p.visits[chat] = v
	p.mu.Unlock()
	return p.send(ctx, chat, ryze.Buttons{
		Text: text,
		Buttons: []ryze.Button{
			{Label: "Order a pizza", Value: v.id("order")},
			{Label: "Opening hours", Value: v.id("hours")},
		},
	})
}

func (p *pizzeria) offer(ctx context.Context, chat ryze.JID, v *visit) error {
	section := ryze.ListSection{Title: "Pizzas"}
	for _, row := range pizzas {
		row.ID = v.id(row.ID)
		section.Rows = append(section.Rows, row)
	}
	return p.send(ctx, chat, ryze.List{Text: "Which one?", Label: "Pizzas", Sections: []ryze.ListSection{section}})
}

func (p *pizzeria) askAddress(ctx context.Context, chat ryze.JID, v *visit) error {
	return p.send(ctx, chat, ryze.Form{
		Text: "Where to?", Kind: ryze.FormContactDetails, Button: "My address", FlowToken: v.id("address"),
		FullName: new(true), DeliveryAddress: new(true),
		Phone: new(false), Email: new(false), CPFOrCNPJ: new(false),
	})
}

// confirm ends the visit. Where the service puts what was filled in is not
// documented, so it is kept as it came.
func (p *pizzeria) confirm(ctx context.Context, chat ryze.JID, v *visit, event *ryze.Event) error {
	p.mu.Lock()
	delete(p.visits, chat)
	p.mu.Unlock()
	p.log.Printf("An order: %s. The form: %s", v.pizza, event.Lookup("data", "message", "interactive"))
	return p.send(ctx, chat, ryze.Text("Thank you! Your "+v.pizza+" is on its way."))
}

func (p *pizzeria) send(ctx context.Context, chat ryze.JID, content ryze.Content) error {
	sent, err := p.inst.Messages.Send(ctx, chat, content)
	if err != nil {
		return err
	}
	p.log.Printf("  -> %s: %s", sent.Type, sent.Content)
	return nil
}
