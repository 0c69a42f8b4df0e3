package ryze_test

import (
	"context"
	"fmt"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A stream survives outages and says where it may have missed something.
func ExampleInstanceClient_Subscribe() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	events, err := inst.Subscribe(ctx,
		ryze.WithWebSocket(ryze.WebSocketConfig{Events: []ryze.EventType{ryze.EventMessage}}),
		ryze.WithBackoff(time.Millisecond, time.Second), // for the example; the defaults are kinder
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = events.Close() }()

	phone := sim.Instance("support-line")
	phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
	for event := range events.Events() {
		switch data := event.Data.(type) {
		case *ryze.MessageEvent:
			fmt.Println("message:", data.Text)
			phone.DropWebSockets(1012) // the service restarts
		case *ryze.GapEvent:
			fmt.Println("a hole:", data.Cause)
			return // a program would read the chats' histories from data.From to data.To
		}
	}
	fmt.Println(events.Err())
	// Output:
	// message: Hello
	// a hole: the service closed the connection with code 1012
}

// The loop ends with the stream. Its last round has the error, and no event.
func ExampleSubscription_All() {
	sim, inst := demo()
	defer sim.Close()
	events, err := inst.Subscribe(context.Background(), ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = events.Close() }()

	phone := sim.Instance("support-line")
	phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
	for event, err := range events.All() {
		if err != nil {
			fmt.Println(err)
			break
		}
		if message, ok := event.Data.(*ryze.MessageEvent); ok {
			fmt.Println(message.Text)
			phone.DropWebSockets(1008) // the service does not want us any more
		}
	}
	// Output:
	// Hello
	// ryze: the event stream of "support-line" has ended: the service closed the connection with code 1008
}

// The hole between two processes is told by the second one.
func ExampleSubscription_WholeUntil() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	first, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = first.Close()
	until := first.WholeUntil() // a program writes this down from time to time

	second, err := inst.Subscribe(ctx, ryze.WithWholeUntil(until))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = second.Close() }()
	gap, isGap := (<-second.Events()).Data.(*ryze.GapEvent)
	fmt.Println(isGap && gap.From.Equal(until))
	// Output:
	// true
}

// Handlers are typed. Chats are handled side by side, and the events of one
// chat one after another.
func ExampleOn() {
	sim, inst := demo()
	defer sim.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = events.Close() }()

	sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
	err = events.Handle(ctx, ryze.Handlers(
		ryze.On(func(ctx context.Context, _ *ryze.Event, message *ryze.MessageEvent) error {
			if message.Direction != ryze.DirectionIncoming {
				return nil
			}
			_, err := inst.Messages.SendText(ctx, message.Chat.JID, "You said: "+message.Text)
			return err
		}),
		ryze.On(func(_ context.Context, _ *ryze.Event, receipt *ryze.ReceiptEvent) error {
			fmt.Println("the answer is", receipt.Status)
			cancel() // enough for an example
			return nil
		}),
	), ryze.WithErrorHandler(func(_ context.Context, err *ryze.HandlerError) { fmt.Println(err) }))
	fmt.Println(err)
	// Output:
	// the answer is delivered
	// context canceled
}
