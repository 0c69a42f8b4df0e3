// Command echo is a bot that answers every text with the same text. It answers
// each message once, and only what a customer writes now: not its own messages,
// not those of a person on the number's phone, not the old messages that a
// freshly paired phone brings along.
//
//	go run ./examples/echo
//
// plays it against a simulator in which two customers write. To run it on a
// number of yours until Ctrl-C, set RYZE_INSTANCE and RYZE_INSTANCE_TOKEN (and
// RYZE_BASE_URL, if it is not the usual one).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	service, err := demo.Open(config())
	if err == nil {
		err = errors.Join(run(ctx, service, os.Stdout), service.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

// source is the label on everything that the bot sends. It comes back in the
// events of these messages, which is how the bot knows them.
const source = "echo-bot"

func run(ctx context.Context, service *demo.Service, out io.Writer) (err error) {
	info, err := service.Instance.Info(ctx)
	if err != nil {
		return err
	}
	b := &bot{
		inst: service.Instance,
		log:  log.New(out, "", 0),
		seen: ryze.NewDeduper(nil), // in memory; a DedupeStore can keep it across restarts
		// Whatever is older than the instance is history. What was written while
		// the bot was down is not.
		since: info.CreatedAt,
	}

	// The stream mends itself after an outage. It ends for good when the token
	// is revoked or the instance deleted, and then says so.
	stream, err := b.inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	b.log.Print("Listening.")
	ctx, end := service.Play(ctx, customers)
	defer end()

	// The messages of one chat come one after another, those of different
	// chats side by side: a slow answer holds up nobody else.
	err = stream.Handle(ctx, ryze.Handlers(
		ryze.On(b.message),
		ryze.On(b.gap),
		ryze.On(b.state),
	), ryze.WithErrorHandler(func(_ context.Context, err *ryze.HandlerError) { b.log.Print("Failed: ", err) }))
	if ctx.Err() != nil {
		return nil // it was told to stop
	}
	return err
}

type bot struct {
	inst  *ryze.InstanceClient
	log   *log.Logger
	seen  *ryze.Deduper
	since time.Time
}

func (b *bot) message(ctx context.Context, event *ryze.Event, message *ryze.MessageEvent) error {
	// The service may deliver an event more than once.
	first, err := b.seen.Do(ctx, event, func(ctx context.Context, event *ryze.Event) error {
		return b.answer(ctx, event, message)
	})
	if !first && err == nil {
		b.log.Printf("  (a duplicate of %q)", message.Text)
	}
	return err
}

func (b *bot) answer(ctx context.Context, event *ryze.Event, message *ryze.MessageEvent) error {
	switch {
	case event.IsHistory(b.since):
		b.log.Printf("  (from the past: %q)", message.Text)
		return nil
	case event.Origin(source) == ryze.OriginPhone:
		b.log.Printf("  (a person answers on the phone: %q)", message.Text)
		return nil
	case event.Origin(source) != ryze.OriginCustomer: // this bot, or another program
		return nil
	case message.Type != ryze.MessageText:
		return nil
	}
	b.log.Printf("%s writes %q.", message.Sender.Name, message.Text)
	sent, err := b.inst.Messages.SendText(ctx, message.Chat.JID, "You said: "+message.Text)
	if errors.Is(err, ryze.ErrOutcomeUnknown) {
		// It may have been sent. A bot that must know asks Messages.Settle;
		// this one rather says nothing than the same twice.
		b.log.Print("Perhaps answered: ", err)
		return nil
	}
	if err != nil {
		return err
	}
	b.log.Printf("Answered %s with %q.", message.Sender.Name, sent.Content)
	return nil
}

// gap tells of a hole: the service does not repeat on a stream what happened
// while it was down. The webhook example shows a channel that does.
func (b *bot) gap(_ context.Context, _ *ryze.Event, gap *ryze.GapEvent) error {
	b.log.Printf("The stream had a hole of %s (%s). What was written in it is not here.",
		gap.To.Sub(gap.From).Round(time.Millisecond), gap.Reason)
	return nil
}

func (b *bot) state(_ context.Context, _ *ryze.Event, state *ryze.InstanceStateEvent) error {
	b.log.Printf("The number is now %s.", state.State)
	return nil
}
