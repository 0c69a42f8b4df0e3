// Command quickstart shows a number's whole life: it creates an instance, shows
// its QR code, waits until it is paired, sends a text and a picture, receives
// the receipts and a customer's reply, answers it, and deletes the instance.
//
//	go run ./examples/quickstart
//
// plays all of it against a simulator inside the program. To use the real
// service, set RYZE_BASE_URL and RYZE_ACCOUNT_TOKEN and name a recipient:
//
//	go run ./examples/quickstart -to 5511987654321
package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/mdp/qrterminal/v3"

	ryze "github.com/ryzeapi/ryze-go"
)

//go:embed picture.png
var files embed.FS

func main() {
	to := flag.String("to", "", "whom to write to, with the real service: digits with country code")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	service, err := chooseService(*to)
	if err == nil {
		defer service.close()
		err = run(ctx, service, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, service *service, out io.Writer) (err error) {
	account, err := service.open(service.options...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, account.Client().Close()) }()

	// 1. An instance is one WhatsApp number. The account creates it...
	created, err := account.CreateInstance(ctx, ryze.CreateInstanceParams{
		Name:      service.instance,
		WebSocket: &ryze.WebSocketConfig{}, // all events
	})
	if created == nil {
		return err
	}
	fmt.Fprintf(out, "Created the instance %q.\n", created.Name)
	defer func() { err = errors.Join(err, remove(context.WithoutCancel(ctx), account, created.Name, out)) }()
	if err != nil { // it matches ErrPartial: the instance is there, but not its stream
		return err
	}

	// ... and from then on its own token is used.
	inst := account.InstanceFrom(created)

	// 2. Pair it: whoever holds the phone scans this code.
	pairing, err := inst.Connect(ctx, ryze.ConnectParams{})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Scan this code: WhatsApp, Linked devices, Link a device.")
	qrterminal.GenerateHalfBlock(pairing.QRCode.Reveal(), qrterminal.L, out)
	service.codeShown(created.Name)
	info, err := waitPaired(ctx, inst, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Connected as %s.\n", info.JID.Phone())

	// 3. Listen before sending, so that no receipt is missed.
	events, err := inst.Subscribe(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, events.Close()) }()

	// 4. Send a text, and a file of any size.
	text, err := inst.Messages.SendText(ctx, service.to, "Hello! This is ryze-go.")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Sent the text %s; %d requests are left this minute.\n", text.ID, text.RateLimit.Remaining)
	file, err := files.Open("picture.png")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	picture, err := inst.Messages.Send(ctx, service.to, ryze.Media{Source: ryze.MediaFS(file), Caption: "A picture. Please answer."})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Sent the picture %s.\n", picture.ID)
	service.picturesSent(created.Name)

	// 5. Receipts come as events, and so does the answer.
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	return converse(ctx, inst, events, picture.ID, out)
}

// converse prints what happens until the customer has answered, and been
// answered, and the picture was delivered.
func converse(ctx context.Context, inst *ryze.InstanceClient, events *ryze.Subscription, picture string, out io.Writer) error {
	var answered, delivered bool
	for !answered || !delivered {
		var event *ryze.Event
		select {
		case <-ctx.Done():
			return errors.New("nobody answered within five minutes")
		case event = <-events.Events():
		}
		if event == nil { // the stream has ended
			return events.Err()
		}
		switch e := event.Data.(type) {
		case *ryze.ReceiptEvent:
			for _, id := range e.MessageIDs {
				fmt.Fprintf(out, "Receipt: %s is %s.\n", id, e.Status)
				delivered = delivered || id == picture
			}
		case *ryze.MessageEvent:
			if e.Direction != ryze.DirectionIncoming || answered {
				continue // an echo of what we sent
			}
			fmt.Fprintf(out, "%s writes: %q\n", cmp.Or(e.Sender.Name, e.Chat.JID.User()), e.Text)
			answer, err := inst.Messages.SendText(ctx, e.Chat.JID, "Thank you!", ryze.ReplyTo(e.ID))
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "Answered with %s.\n", answer.ID)
			answered = true
		case *ryze.GapEvent:
			fmt.Fprintf(out, "The stream had a hole from %s to %s.\n", e.From.Format(time.TimeOnly), e.To.Format(time.TimeOnly))
		}
	}
	return nil
}

// waitPaired waits for the scan. A QR code lives about twenty seconds, so it
// shows a fresh one until somebody has scanned one.
func waitPaired(ctx context.Context, inst *ryze.InstanceClient, out io.Writer) (*ryze.Instance, error) {
	for range 6 {
		scan, cancel := context.WithTimeout(ctx, 20*time.Second)
		info, err := inst.WaitConnected(scan)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return info, err
		}
		pairing, err := inst.Connect(ctx, ryze.ConnectParams{})
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(out, "A fresh code:")
		qrterminal.GenerateHalfBlock(pairing.QRCode.Reveal(), qrterminal.L, out)
	}
	return nil, errors.New("nobody scanned the code")
}

// remove deletes the instance even when the program was interrupted.
func remove(ctx context.Context, account *ryze.AccountClient, name string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := account.DeleteInstance(ctx, name); err != nil {
		return err
	}
	fmt.Fprintf(out, "Deleted the instance %q.\n", name)
	return nil
}
