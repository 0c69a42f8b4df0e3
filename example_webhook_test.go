package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func ExampleNewWebhookHandler() {
	handle := func(_ context.Context, e *ryze.Event) error {
		message, ok := e.Data.(*ryze.MessageEvent)
		if !ok {
			return ryze.ErrIgnore // answered with 200: not delivered again
		}
		if message.Text == "" {
			return errors.New("the database is down") // answered with 503: delivered again
		}
		fmt.Printf("%s wrote %q\n", message.Sender.Name, message.Text)
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/ryze", ryze.NewWebhookHandler("Bearer a-long-random-text", handle))

	// What follows stands in for the service.
	events := ryzetest.NewEvents("support-line")
	for _, delivery := range []struct {
		authorization string
		event         []byte
	}{
		{"Bearer a-long-random-text", events.Message(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Hello"})},
		{"Bearer a-long-random-text", events.State("connected")},
		{"Bearer a-long-random-text", events.Message(ryzetest.Incoming{From: "5511987654321"})},
		{"Bearer guessed", events.Message(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})},
	} {
		res := ryzetest.Deliver(mux, "/hooks/ryze", delivery.authorization, delivery.event)
		fmt.Println(res.StatusCode, res.Body)
	}
	// Output:
	// Ana wrote "Hello"
	// 200 {"status":"accepted"}
	// 200 {"status":"ignored"}
	// 503 {"status":"service unavailable"}
	// 401 {"status":"unauthorized"}
}

// The stream brings each event at once, the webhook makes sure of it, and the
// inbox handles it once.
func ExampleInbox() {
	sim := ryzetest.NewServer() // stands in for the service
	defer sim.Close()
	sim.AddInstance("support-line").Pair("5511900000001")

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	instance, err := ryze.NewInstanceClient("support-line", sim.Instance("support-line").Token(), ryze.WithBaseURL(sim.URL))
	if err != nil {
		fmt.Println(err)
		return
	}

	inbox, err := ryze.NewInbox(func(_ context.Context, e *ryze.Event) error {
		if message, ok := e.Data.(*ryze.MessageEvent); ok {
			fmt.Printf("%s wrote %q\n", message.Sender.Name, message.Text)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/ryze", inbox.Handler("Bearer a-long-random-text"))

	stream, err := instance.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error, 1)
	go func() { done <- inbox.Run(ctx, stream) }()

	// A customer writes. The event comes by the stream, and twice by the webhook.
	hello := ryzetest.Incoming{ID: "3EB0A1B2C3D4E5F60001", From: "5511987654321", Name: "Ana", Text: "Hello"}
	sim.Instance("support-line").Receive(hello)
	for range 2 {
		event := ryzetest.NewEvents("support-line").Message(hello)
		fmt.Println(ryzetest.Deliver(mux, "/hooks/ryze", "Bearer a-long-random-text", event).StatusCode)
	}

	_ = stream.Close()
	fmt.Println("stream:", <-done)
	// Output:
	// Ana wrote "Hello"
	// 200
	// 200
	// stream: <nil>
}
