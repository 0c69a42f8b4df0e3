package ryze_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// orders takes orders that come by a webhook. save stands for a database.
type orders struct {
	inst          *ryze.InstanceClient
	authorization ryze.Secret // "Bearer " and a long random text: deliveries are not signed
	save          func(ctx context.Context, id, text string) error
}

// handle says by its error what becomes of a delivery: nil is done, another error
// asks for it again.
func (o *orders) handle(ctx context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
	if m.Direction != ryze.DirectionIncoming || m.Text == "" {
		return ryze.ErrIgnore
	}
	return o.save(ctx, m.ID, m.Text) // and work afterwards: the service waits for the answer
}

// serve receives on a listener until ctx ends.
func (o *orders) serve(ctx context.Context, listener net.Listener) error {
	inbox, err := ryze.NewInbox(ryze.On(o.handle)) // each message once, chat by chat in order
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/ryze", inbox.Handler(o.authorization.Reveal(), ryze.WithInstances(o.inst.Name()),
		ryze.WithErrorHandler(func(_ context.Context, err *ryze.HandlerError) { log.Print(err) })))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	select {
	case err := <-serving:
		return err
	case <-ctx.Done(): // the webhook stays set: the service keeps what comes until the next start
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return server.Shutdown(grace) // deliveries under way are answered
}

// A receiver of webhooks, with a simulator in the place of the service. A program of
// yours has [ryze.InstanceFromEnv] in its place, and an address that the service reaches.
func Example_webhookServer() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	inst, err := ryze.NewInstanceClient("shop", phone.Token(), ryze.WithBaseURL(sim.URL))
	if err != nil {
		log.Fatal(err)
	}
	saved := make(chan string)
	o := &orders{inst: inst, authorization: "Bearer a-long-random-text", save: func(_ context.Context, _, text string) error {
		saved <- text
		return nil
	}}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	// Ensure writes only when something differs, so every start may call it.
	_, err = inst.Webhooks.Ensure(ctx, ryze.WebhookConfig{
		URL: "http://" + listener.Addr().String() + "/hooks/ryze", Authorization: o.authorization, Events: []ryze.EventType{ryze.EventMessage},
	})
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- o.serve(ctx, listener) }()

	// A customer orders; the service delivers the first order twice.
	order := ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "two pizzas", ID: "3EB0A1B2C3"}
	phone.Receive(order)
	fmt.Println(<-saved)
	phone.Receive(order)
	phone.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "and a salad"})
	fmt.Println(<-saved)
	stop()
	fmt.Println(<-ended)
	// Output:
	// two pizzas
	// and a salad
	// <nil>
}
