package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// bot answers what customers write now, each message once.
type bot struct {
	inst *ryze.InstanceClient
	seen *ryze.Deduper // the service may deliver an event more than once
	info *ryze.Instance
}

func (b *bot) message(ctx context.Context, event *ryze.Event, m *ryze.MessageEvent) error {
	switch {
	case m.Direction != ryze.DirectionIncoming, m.Chat.Type != ryze.ChatPrivate:
		return nil // what the bot wrote itself, and groups
	case event.IsHistory(b.info.CreatedAt):
		return nil // old messages, which a fresh pairing brings along
	}
	_, err := b.seen.Do(ctx, event, func(ctx context.Context, _ *ryze.Event) error {
		answer := "Write \"hours\", please."
		if strings.EqualFold(m.Text, "hours") {
			answer = "We are open from six to midnight."
		}
		_, err := b.inst.Messages.SendText(ctx, m.Chat.JID, answer, ryze.ReplyTo(m.ID))
		if errors.Is(err, ryze.ErrOutcomeUnknown) {
			return nil // it may have been sent: rather nothing than the same twice
		}
		return err
	})
	return err
}

// run works until ctx ends. The stream mends itself after outages.
func (b *bot) run(ctx context.Context) (err error) {
	if b.info, err = b.inst.Info(ctx); err != nil {
		return err
	}
	stream, err := b.inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	return stream.Handle(ctx, ryze.On(b.message), ryze.WithErrorHandler(func(_ context.Context, err *ryze.HandlerError) {
		log.Print(err) // one message that failed does not end the bot
	}))
}

// A bot, with a simulator in the place of the service. A program of yours has
// [ryze.InstanceFromEnv] and b.run(ctx), and nothing below them.
func Example_bot() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	inst, err := ryze.NewInstanceClient("shop", phone.Token(), ryze.WithBaseURL(sim.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	changes := sim.Changes(ctx)
	ended := make(chan error)
	go func() { ended <- (&bot{inst: inst, seen: ryze.NewDeduper(nil)}).run(ctx) }()

	// The customer writes when the bot listens, and reads the answer.
	asked := false
	for range changes {
		if !asked && phone.WebSockets() == 1 {
			phone.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Hours"})
			asked = true
		}
		if sent := phone.Sent(); len(sent) > 0 {
			fmt.Println(sent[0].Text)
			break
		}
	}
	stop()
	fmt.Println(errors.Is(<-ended, context.Canceled))
	// Output:
	// We are open from six to midnight.
	// true
}
