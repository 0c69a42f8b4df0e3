// Package docs_test holds the code of the guides, so that it is compiled and run.
package docs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of docs/sending.md.

// supportLine is a simulator with one paired instance, and its handle.
func supportLine(opts ...ryze.Option) (*ryzetest.Server, *ryzetest.Instance, *ryze.InstanceClient) {
	sim := ryzetest.NewServer()
	phone := sim.AddInstance("support-line")
	phone.Pair("5511900000001")
	inst, err := ryze.NewInstanceClient("support-line", phone.Token(), append(opts, ryze.WithBaseURL(sim.URL))...)
	if err != nil {
		panic(err)
	}
	return sim, phone, inst
}

// use stands for what an application does with a value.
func use(...any) {}

func Example_sendingText() {
	sim, _, inst := supportLine()
	defer sim.Close()
	save := func(id string, chat ryze.JID) { fmt.Println(id != "", chat) }

	err := func(ctx context.Context) error {
		sent, err := inst.Messages.SendText(ctx, "5511987654321", "Your order has left")
		if err != nil {
			return err
		}
		save(sent.ID, sent.Chat) // the id of the message, and the chat that the service chose
		return nil
	}(context.Background())
	fmt.Println(err)
	// Output:
	// true 5511987654321@s.whatsapp.net
	// <nil>
}

func Example_sendingContent() {
	sim, phone, inst := supportLine()
	defer sim.Close()

	err := func(ctx context.Context, to ryze.JID) error {
		question := ryze.Buttons{
			Text:    "Shall we deliver today?",
			Buttons: []ryze.Button{{Label: "Yes", Value: "today:yes"}, {Label: "No", Value: "today:no"}},
		}
		sent, err := inst.Messages.Send(ctx, to, question)
		if err != nil {
			return err
		}
		quote := ryze.ReplyTo(sent.ID)
		_, err = inst.Messages.SendText(ctx, to, "We need to know by noon", quote, ryze.Delay(time.Second))
		return err
	}(context.Background(), "5511987654321")
	fmt.Println(len(phone.Sent()), err)
	// Output: 2 <nil>
}

func Example_sendingOutcome() {
	sim, _, inst := supportLine()
	defer sim.Close()
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess}) // accepted, then the line dies
	done := func(sent *ryze.SentMessage) error { fmt.Println("sent:", sent.Content); return nil }
	later := func(err error) error { return err }

	err := func(ctx context.Context, to ryze.JID, text string) error {
		sent, err := inst.Messages.SendText(ctx, to, text)
		if ryze.OutcomeOf(err) == ryze.OutcomeUnknown {
			sent, err = inst.Messages.Settle(ctx, err) // looks for it, and sends nothing
		}
		switch ryze.OutcomeOf(err) {
		case ryze.OutcomeAccepted:
			return done(sent)
		case ryze.OutcomeNotAccepted: // certainly not sent: it may be sent again
			return later(err)
		default: // perhaps sent: do not send it again by yourself
			return err
		}
	}(context.Background(), "5511987654321", "Your order has left")
	fmt.Println(err)
	// Output:
	// sent: Your order has left
	// <nil>
}

func Example_sendingReceipts() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stream, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = stream.Close() }()
	progress := func(id string, status ryze.MessageStatus) {
		fmt.Println(id != "", status)
		if status == ryze.StatusRead {
			cancel() // enough for an example
		}
	}

	var receipts ryze.Receipts
	tell := func(updates []ryze.ReceiptUpdate) {
		for _, u := range updates {
			progress(u.MessageID, u.Status)
		}
	}
	sent, err := inst.Messages.SendText(ctx, "5511987654321", "Your order has left")
	if err != nil {
		fmt.Println(err)
		return
	}
	tell(receipts.Sent(sent.ID))
	phone.Receipt("delivered", sent.ID)
	phone.Receipt("read", sent.ID)
	phone.Receipt("delivered", sent.ID) // late, and told to nobody
	err = stream.Handle(ctx, ryze.On(func(_ context.Context, _ *ryze.Event, r *ryze.ReceiptEvent) error {
		tell(receipts.Observe(r)) // forwards only, and each step once
		return nil
	}))
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// true delivered
	// true read
	// true
}

func Example_sendingOrigin() {
	takeOver := func(chat ryze.JID) { fmt.Println("a person wrote to", chat) }

	handle := ryze.On(func(_ context.Context, e *ryze.Event, m *ryze.MessageEvent) error {
		switch e.Origin("shop-bot") { // the label of ryze.WithSource("shop-bot")
		case ryze.OriginCustomer:
			use(m.Text) // somebody wrote to us
		case ryze.OriginSelf: // our own message, back as an event
		case ryze.OriginPhone:
			takeOver(m.Chat.JID) // a person answers on the phone: the bot is silent
		}
		return nil
	})

	events := ryzetest.NewEvents("support-line")
	for _, b := range [][]byte{
		events.Outgoing("5511987654321", "shop-bot", ryzetest.Incoming{Text: "Hello"}),
		events.Outgoing("5511987654321", "", ryzetest.Incoming{Text: "This is Ana"}),
	} {
		event, err := ryze.ParseEvent(b)
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := handle(context.Background(), event); err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output: a person wrote to 5511987654321@s.whatsapp.net
}
