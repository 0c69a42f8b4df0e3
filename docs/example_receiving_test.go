package docs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of docs/receiving.md.

const authorization = "Bearer a-long-random-text"

// answerTo is the handler of the guide: it answers what customers write.
func answerTo(inst *ryze.InstanceClient) ryze.Handler {
	return ryze.On(func(ctx context.Context, e *ryze.Event, m *ryze.MessageEvent) error {
		if m.Direction != ryze.DirectionIncoming || m.Chat.JID.IsGroup() {
			return nil // our own messages are events too
		}
		_, err := inst.Messages.SendText(ctx, m.Chat.JID, "You said: "+m.Text)
		return err
	})
}

func Example_receivingStream() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	handle := ryze.Handlers(answerTo(inst), func(context.Context, *ryze.Event) error { cancel(); return nil })
	report := func(_ context.Context, err *ryze.HandlerError) { fmt.Println(err) }
	phone.SetDelivery(ryzetest.Receipts{})

	err := func() error {
		stream, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{})) // all events
		if err != nil {
			return err
		}
		defer func() { _ = stream.Close() }()
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
		return stream.Handle(ctx, handle, ryze.WithErrorHandler(report))
	}()
	fmt.Println(errors.Is(err, context.Canceled), phone.Sent()[0].Text)
	// Output: true You said: Hello
}

func Example_receivingWebhook() {
	sim, _, inst := supportLine()
	defer sim.Close()
	handle := func(context.Context, *ryze.Event) error { fmt.Println("handled"); return nil }
	mux := http.NewServeMux()

	err := func(ctx context.Context) error {
		inbox, err := ryze.NewInbox(handle)
		if err != nil {
			return err
		}
		mux.Handle("POST /wh", inbox.Handler(authorization, ryze.WithInstances("support-line")))

		_, err = inst.Webhooks.Ensure(ctx, ryze.WebhookConfig{
			URL: "https://bot.example.com/wh", Authorization: authorization,
		}) // at each start: somebody may have changed it
		return err
	}(context.Background())
	hello := ryzetest.NewEvents("support-line").Message(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
	for range 2 { // the service repeats a delivery
		fmt.Println(ryzetest.Deliver(mux, "/wh", authorization, hello).StatusCode)
	}
	fmt.Println(err)
	// Output:
	// handled
	// 200
	// 200
	// <nil>
}

func Example_receivingBoth() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	handle := func(context.Context, *ryze.Event) error { fmt.Println("handled"); cancel(); return nil }
	mux := http.NewServeMux()

	err := func() error {
		inbox, err := ryze.NewInbox(handle)
		if err != nil {
			return err
		}
		mux.Handle("POST /wh", inbox.Handler(authorization))
		stream, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
		if err != nil {
			return err
		}
		defer func() { _ = stream.Close() }()
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
		return inbox.Run(ctx, stream) // the webhook and the stream: each event once
	}()
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// handled
	// true
}

func Example_receivingGap() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Are you there?"})
	handle := func(_ context.Context, m *ryze.HistoryMessage) error { fmt.Println(m.Text); return nil }
	chats := []ryze.JID{"5511987654321"}

	catchUp := ryze.On(func(ctx context.Context, _ *ryze.Event, gap *ryze.GapEvent) error {
		for _, chat := range chats { // those that your program knows
			for m, err := range inst.Chats.History(ctx, chat, ryze.HistoryQuery{From: gap.From, To: gap.To}) {
				if err != nil {
					return err
				}
				if err := handle(ctx, m); err != nil {
					return err
				}
			}
		}
		return nil
	})

	gap := &ryze.Event{Data: &ryze.GapEvent{From: time.Now().Add(-time.Minute), To: time.Now().Add(time.Minute)}}
	fmt.Println(catchUp(context.Background(), gap))
	// Output:
	// Are you there?
	// <nil>
}
