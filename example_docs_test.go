package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of the guides and of the package documentation. They show pieces of
// this file, letter for letter.

// use stands for what an application does with a value.
func use(...any) {}

func Example_account() {
	sim := ryzetest.NewServer(ryzetest.WithAutoPair(0))
	defer sim.Close()
	defer withEnv("RYZE_BASE_URL", sim.URL, "RYZE_ACCOUNT_TOKEN", sim.AccountToken)()
	show := func(*ryze.Pairing) { sim.Instance("support-line").Pair("5511900000001") }

	err := func(ctx context.Context) error {
		account, err := ryze.AccountFromEnv() // reads RYZE_ACCOUNT_TOKEN
		if err != nil {
			return err
		}
		created, err := account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "support-line"})
		if err != nil && !errors.Is(err, ryze.ErrPartial) { // in part: the instance is there
			return err
		}
		inst := account.InstanceFrom(created) // acts with the instance's own token: keep it

		pairing, err := inst.Connect(ctx, ryze.ConnectParams{})
		if err != nil {
			return err
		}
		show(pairing) // pairing.QRCode, or pairing.PNG(): somebody scans it
		info, err := inst.WaitConnected(ctx)
		if err != nil {
			return err
		}
		fmt.Println(info.State)
		return nil
	}(context.Background())
	fmt.Println(err)
	// Output:
	// connected
	// <nil>
}

func Example_media() {
	sim, inst := demo()
	defer sim.Close()
	file, err := os.CreateTemp("", "report-*.pdf")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, _ = file.WriteString("%PDF-1.7 ...")
	_ = file.Close()
	question := sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: "The report, please"})

	err = func(ctx context.Context, to ryze.JID, id, path string) error {
		report := ryze.Media{Source: ryze.MediaFile(path), Caption: "As promised"}
		sent, err := inst.Messages.Send(ctx, to, report, ryze.ReplyTo(id))
		if err != nil {
			return err
		}
		fmt.Println(sent.Type)
		return nil
	}(context.Background(), "5511987654321", question, file.Name())
	fmt.Println(err)
	// Output:
	// document
	// <nil>
}

func Example_webhook() {
	const authorization = "Bearer a-long-random-text"
	handle := ryze.On(func(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		fmt.Println(m.Text)
		return nil
	})
	err := func(mux *http.ServeMux) error {
		inbox, err := ryze.NewInbox(handle)
		if err != nil {
			return err
		}
		mux.Handle("POST /wh", inbox.Handler(authorization)) // what Webhooks.Set was given

		hello := ryzetest.NewEvents("support-line").Message(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
		for range 2 { // delivered twice
			fmt.Println(ryzetest.Deliver(mux, "/wh", authorization, hello).StatusCode)
		}
		return nil
	}(http.NewServeMux())
	fmt.Println(err)
	// Output:
	// Hello
	// 200
	// 200
	// <nil>
}

func Example_stream() {
	sim, inst := demo()
	defer sim.Close()
	phone := sim.Instance("support-line")
	answer := func(ctx context.Context, m *ryze.MessageEvent) error {
		fmt.Println(m.Text)
		phone.DropWebSockets(1012) // the service restarts
		return ctx.Err()
	}
	catchUp := func(ctx context.Context, from, to time.Time) error {
		fmt.Println("a hole:", !to.Before(from))
		phone.DropWebSockets(1008) // the service does not want us any more
		return ctx.Err()
	}
	err := func(ctx context.Context) error {
		sub, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithBackoff(time.Millisecond, time.Second))
		if err != nil {
			return err
		}
		defer func() { _ = sub.Close() }()
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
		for event, err := range sub.All() {
			if err != nil {
				return err // the stream has ended for good; outages do not end it
			}
			switch data := event.Data.(type) {
			case *ryze.MessageEvent:
				err = answer(ctx, data)
			case *ryze.GapEvent: // the stream was down: read the chats' histories
				err = catchUp(ctx, data.From, data.To)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}(context.Background())
	fmt.Println(err)
	// Output:
	// Hello
	// a hole: true
	// ryze: the event stream of "support-line" has ended: the service closed the connection with code 1008
}

// send sends a text until it is accepted or refused, and never twice.
func send(ctx context.Context, inst *ryze.InstanceClient, to ryze.JID, text string) (*ryze.SentMessage, error) {
	for {
		sent, err := inst.Messages.SendText(ctx, to, text)
		if errors.Is(err, ryze.ErrOutcomeUnknown) { // perhaps sent
			sent, err = inst.Messages.Settle(ctx, err) // looks for it, and sends nothing
		}
		pause, again := ryze.RetryAfter(err)
		if !again {
			return sent, err // sent, refused, or still unknown
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

func Example_errors() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess}) // accepted, then the line dies
	sent, err := send(ctx, inst, "5511987654321", "Your code is 4711")
	fmt.Println(sent.Content, err)
	sim.Fault("messages.text", ryzetest.Fault{Status: http.StatusTooManyRequests, Message: "slow down", Header: http.Header{"Retry-After": {"0"}}})
	sent, err = send(ctx, inst, "5511987654321", "Your code is 4712")
	fmt.Println(sent.Content, err)
	fmt.Println(len(sim.Instance("support-line").Sent()))
	// Output:
	// Your code is 4711 <nil>
	// Your code is 4712 <nil>
	// 2
}

func Example_partial() {
	sim, inst := demo()
	defer sim.Close()
	sim.SetUnaddable("5521912345678")
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)

	params := ryze.CreateGroupParams{Name: "Release crew", Members: []ryze.JID{"5531987654321"}}
	err := func(ctx context.Context) error {
		crew, err := inst.Groups.Create(ctx, params)
		if err != nil && !errors.Is(err, ryze.ErrPartial) {
			return err
		}
		use(crew.JID) // the group is there; err may still name what it lacks

		added, err := inst.Groups.AddMembers(ctx, crew.JID, "5511987654321", "5521912345678")
		var partial *ryze.PartialError
		if errors.As(err, &partial) {
			log.Print(partial.Failures) // who was not added, and why
		}
		fmt.Println(len(added.Members), errors.Is(err, ryze.ErrPartial))
		return nil
	}(context.Background())
	fmt.Println(err)
	// Output:
	// 2 true
	// <nil>
}

func Example_quota() {
	sim, _ := demo()
	defer sim.Close()
	defer withEnv("RYZE_BASE_URL", sim.URL, "RYZE_INSTANCE", "support-line", "RYZE_INSTANCE_TOKEN", sim.Instance("support-line").Token())()

	err := func(ctx context.Context, to ryze.JID) error {
		inst, err := ryze.InstanceFromEnv(ryze.WithReserve(10)) // of each window, for urgent calls
		if err != nil {
			return err
		}
		urgent := ryze.WithPriority(ctx, ryze.PriorityHigh) // goes before all that wait
		sent, err := inst.Messages.SendText(urgent, to, "Your code is 4711")
		var refused *ryze.APIError
		switch {
		case err == nil:
			fmt.Println(sent.RateLimit.Remaining) // X-RateLimit-Remaining of this reply
		case errors.As(err, &refused):
			fmt.Println(refused.RateLimit.Remaining)
		}
		fmt.Println(inst.RateLimit().Remaining) // of this token, as known now
		return nil
	}(context.Background(), "5511987654321")
	fmt.Println(err)
	// Output:
	// 99
	// 99
	// <nil>
}

func Example_settle() {
	sim, inst := demo()
	defer sim.Close()
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})

	err := func(ctx context.Context, to ryze.JID, text string) error {
		sent, err := inst.Messages.SendText(ctx, to, text)
		if errors.Is(err, ryze.ErrOutcomeUnknown) {
			sent, err = inst.Messages.Settle(ctx, err)
		}
		switch {
		case err == nil: // sent, and this is the message
		case errors.Is(err, ryze.ErrNotSent): // looked for everywhere and not there: it may be sent again
		case errors.Is(err, ryze.ErrOutcomeUnknown): // still unknown, and the text says why: Settle takes err again later
		}
		fmt.Println(sent.Content)
		return err
	}(context.Background(), "5511987654321", "Hello")
	fmt.Println(err)
	// Output:
	// Hello
	// <nil>
}

func Example_history() {
	sim, inst := demo()
	defer sim.Close()
	const authorization = "Bearer svc"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = stream.Close() }()
	answer := func(ctx context.Context, e *ryze.Event) error {
		fmt.Println(e.Type)
		cancel() // enough for an example
		return ctx.Err()
	}
	sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: "Happy new year", At: time.Now().AddDate(0, -1, 0)})
	sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: "Are you open?"})

	err = func() error {
		info, err := inst.Info(ctx)
		if err != nil {
			return err
		}
		handle := func(ctx context.Context, event *ryze.Event) error {
			if event.IsHistory(info.CreatedAt) {
				return nil
			}
			return answer(ctx, event)
		}
		webhook := ryze.NewWebhookHandler(authorization, handle) // the webhook
		err = stream.Handle(ctx, handle)                         // and the stream
		use(webhook)
		return err
	}()
	fmt.Println(err)
	// Output:
	// message.exchange
	// context canceled
}

// withEnv sets variables for an example, and returns what takes them away again.
func withEnv(pairs ...string) (unset func()) {
	for i := 0; i < len(pairs); i += 2 {
		if err := os.Setenv(pairs[i], pairs[i+1]); err != nil {
			panic(err)
		}
	}
	return func() {
		for i := 0; i < len(pairs); i += 2 {
			_ = os.Unsetenv(pairs[i])
		}
	}
}

// Who may do what with which token: the table of docs/tokens.md.
func Example_tokens() {
	sim, inst := demo() // with its own token
	defer sim.Close()
	sim.AddInstance("sales")
	sim.AddAccount("another-account", 1)
	sim.AddInstanceTo("another-account", "stranger")
	ctx := context.Background()
	client, own := inst.Client(), sim.Instance("support-line").Token()

	_, err := client.Account(own).CreateInstance(ctx, ryze.CreateInstanceParams{Name: "new"})
	fmt.Println(errors.Is(err, ryze.ErrUnauthorized))
	fmt.Println(errors.Is(client.Account(own).DeleteInstance(ctx, "support-line"), ryze.ErrUnauthorized))
	_, err = client.Instance("sales", own).Settings.Get(ctx)
	fmt.Println(errors.Is(err, ryze.ErrInstanceTokenMismatch))
	mine, err := client.Account(own).ListInstances(ctx)
	fmt.Println(len(mine), err)

	account := client.Account(sim.AccountToken)
	all, err := account.ListInstances(ctx)
	fmt.Println(len(all), err)
	_, err = account.Instance("sales").Settings.Get(ctx)
	fmt.Println(err)
	_, err = account.Instance("stranger").Settings.Get(ctx)
	fmt.Println(errors.Is(err, ryze.ErrInstanceNotOwned))
	// Output:
	// true
	// true
	// true
	// 1 <nil>
	// 2 <nil>
	// <nil>
	// true
}
