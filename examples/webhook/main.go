// Command webhook takes orders. Messages reach it by a webhook, which the
// service repeats until it is answered, and beside it by a stream, which is
// faster; whichever brings an order first, it is saved once.
//
//	go run ./examples/webhook
//
// plays it against a simulator that delivers over loopback, with an outage and
// a database that fails for a while. With a number of yours it runs until
// Ctrl-C and needs an address that the service can reach:
//
//	RYZE_INSTANCE=... RYZE_INSTANCE_TOKEN=... RYZE_WEBHOOK_AUTHORIZATION="Bearer <a long random text>" \
//	go run ./examples/webhook -listen :8080 -url https://shop.example/hooks/ryze
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	ryze "github.com/ryzeapi/ryze-go"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "the address to listen on")
	url := flag.String("url", "", "the address under which the service reaches "+path+" here")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	service, err := open(*listen, *url)
	if err == nil {
		err = errors.Join(run(ctx, service, os.Stdout), service.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "webhook:", err)
		os.Exit(1)
	}
}

const path = "/hooks/ryze"

func run(ctx context.Context, service *service, out io.Writer) error {
	shop := &shop{log: log.New(out, "", 0), database: service.database}
	ctx, end := service.Play(ctx, service.customers)
	defer end()

	// 1. The inbox joins both channels: each event is handled once.
	inbox, err := ryze.NewInbox(shop.handle,
		ryze.WithErrorHandler(func(_ context.Context, err *ryze.HandlerError) {
			shop.log.Printf("  (not saved from the stream, the webhook will bring it again: %v)", err)
		}),
	)
	if err != nil {
		return err
	}

	// 2. The webhook's side is an http.Handler. It refuses whatever does not
	// carry the authorization.
	mux := http.NewServeMux()
	mux.Handle("POST "+path, inbox.Handler(service.authorization.Reveal(),
		ryze.WithInstances(service.Instance.Name()),
		ryze.WithErrorHandler(func(_ context.Context, err *ryze.HandlerError) {
			shop.log.Printf("  (a delivery is answered with %d: %v)", err.StatusCode, err)
		}),
	))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(service.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error { return receive(ctx, service, inbox, shop.log) })

	// 3. The graceful end: no new deliveries, and those under way are answered.
	// The webhook stays set: the service keeps what comes until the next start.
	group.Go(func() error {
		<-ctx.Done()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		return server.Shutdown(limited)
	})
	err = group.Wait()
	shop.log.Printf("Closed, with %d orders.", service.database.count())
	if errors.Is(err, context.Canceled) { // interrupted before the stream was open
		return nil
	}
	return err
}

// receive has the service deliver to this program, and listens to the stream.
func receive(ctx context.Context, service *service, inbox *ryze.Inbox, log *log.Logger) error {
	// Ensure writes only when something differs, so every start may call it.
	hook, err := service.Instance.Webhooks.Ensure(ctx, ryze.WebhookConfig{
		Label:         "orders", // an instance has up to three webhooks
		URL:           service.url,
		Authorization: service.authorization,
		Events:        []ryze.EventType{ryze.EventMessage},
	})
	if err != nil {
		return err
	}
	log.Printf("The webhook %q is set.", hook.Label)
	if len(hook.Stray) > 0 {
		log.Printf("These webhooks of the instance get events, too: %q", hook.Stray)
	}

	stream, err := service.Instance.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithEvents(ryze.EventMessage))
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	log.Print("The stream is open.")

	// When ctx ends, Run takes no more events and lets the handlers finish.
	err = inbox.Run(ctx, stream)
	if ctx.Err() == nil {
		log.Print("The stream has ended; the webhook goes on: ", err)
	}
	return nil
}

type shop struct {
	log      *log.Logger
	database *database
}

// handle saves an order. An error asks for the event to be delivered again.
func (s *shop) handle(ctx context.Context, event *ryze.Event) error {
	if gap, ok := event.Data.(*ryze.GapEvent); ok {
		s.log.Printf("  (the stream was down for %s; the webhook was not)", gap.To.Sub(gap.From).Round(time.Millisecond))
		return nil
	}
	message, ok := event.Data.(*ryze.MessageEvent)
	if !ok || message.Direction != ryze.DirectionIncoming || message.Text == "" {
		return ryze.ErrIgnore
	}
	if err := s.database.save(ctx, message); err != nil {
		return err
	}
	s.log.Printf("Order of %s: %s", cmp.Or(message.Sender.Name, message.Sender.JID.User()), message.Text)
	return nil
}
