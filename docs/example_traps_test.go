package docs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of skills/ryze-go/SKILL.md. Lines marked "wrong" compile, and each
// example shows what they do; those marked "right" stand beside them.

// trapLine starts a simulator with a paired instance, and returns a handle of it.
func trapLine(opts ...ryze.Option) (*ryzetest.Server, *ryzetest.Instance, *ryze.InstanceClient) {
	sim := ryzetest.NewServer()
	line := sim.AddInstance("support-line")
	line.Pair("5511900000001")
	client, err := ryze.New(append(opts, ryze.WithBaseURL(sim.URL))...)
	if err != nil {
		panic(err)
	}
	return sim, line, client.Instance(line.Name(), line.Token())
}

// The reply is lost after the service has accepted the message.
func Example_trapsRepeat() {
	const to, text = "5511987654321", "Your code is 4711"
	ctx := context.Background()
	lost := ryzetest.Fault{Drop: ryzetest.DropAfterProcess}

	sim, line, inst := trapLine()
	defer sim.Close()
	sim.Fault("messages.text", lost)
	err := func() error {
		_, err := inst.Messages.SendText(ctx, to, text)
		if err != nil {
			_, err = inst.Messages.SendText(ctx, to, text) // wrong: the first one may have arrived
		}
		return err
	}()
	fmt.Println(len(line.Sent()), err)

	sim, line, inst = trapLine()
	defer sim.Close()
	sim.Fault("messages.text", lost)
	err = func() error {
		sent, err := inst.Messages.SendText(ctx, to, text)
		if errors.Is(err, ryze.ErrOutcomeUnknown) {
			sent, err = inst.Messages.Settle(ctx, err) // right: looks for it, and sends nothing
		}
		if err != nil {
			return err
		}
		fmt.Println(sent.Content)
		return nil
	}()
	fmt.Println(len(line.Sent()), err)
	// Output:
	// 2 <nil>
	// Your code is 4711
	// 1 <nil>
}

func Example_trapsErrorText() {
	sim, line, inst := trapLine()
	defer sim.Close()
	line.Disconnect()
	ctx := context.Background()
	const to = "5511987654321"

	_, err := inst.Messages.SendText(ctx, to, "Hello")
	if strings.Contains(err.Error(), "instance not connected") { // wrong: a text may change
		fmt.Println("found by its text")
	}
	if errors.Is(err, ryze.ErrNotConnected) { // right
		fmt.Println("not connected")
	}
	// Output: not connected
}

// One of the members cannot be added; the group is there.
func Example_trapsPartial() {
	sim, _, inst := trapLine()
	defer sim.Close()
	sim.SetUnaddable("5521912345678")
	ctx := context.Background()
	params := ryze.CreateGroupParams{Name: "Crew", Members: []ryze.JID{"5531987654321", "5521912345678"}}

	wrong := func() error {
		group, err := inst.Groups.Create(ctx, params)
		if err != nil {
			return err // wrong: the group may be there, and the next try makes another
		}
		_ = group
		return nil
	}
	_, _ = wrong(), wrong()
	groups, err := inst.Groups.List(ctx)
	fmt.Println(len(groups), err)

	err = func() error {
		group, err := inst.Groups.Create(ctx, params)
		if err != nil && !errors.Is(err, ryze.ErrPartial) { // right: in part, the result is there
			return err
		}
		fmt.Println(group.Name)
		return nil
	}()
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// Crew
	// <nil>
}

func Example_trapsAccountToken() {
	sim, _, sales := trapLine()
	defer sim.Close()
	account := sales.Client().Account(sim.AccountToken)
	ctx := context.Background()
	name := "support-line"

	err := func() error {
		for range 2 { // two programs, or two instances
			inst := account.Instance(name) // wrong for daily work: one quota for the whole account
			sent, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
			if err != nil {
				return err
			}
			fmt.Println(sent.RateLimit.Remaining)
		}
		found, err := account.GetInstance(ctx, name)
		if err != nil {
			return err
		}
		inst := account.InstanceFrom(found) // right: the instance's own token, and its own quota
		sent, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
		if err != nil {
			return err
		}
		fmt.Println(sent.RateLimit.Remaining)
		return nil
	}()
	fmt.Println(err)
	// Output:
	// 99
	// 98
	// 99
	// <nil>
}

// What a client has learnt of the quota is lost with it.
func Example_trapsClientPerRequest() {
	sim, line, _ := trapLine()
	defer sim.Close()
	name, token, base := line.Name(), line.Token(), ryze.WithBaseURL(sim.URL)

	wrong := func(w http.ResponseWriter, r *http.Request) {
		inst, err := ryze.NewInstanceClient(name, token, base) // wrong: a pool and a limiter for each request
		if err != nil {
			return
		}
		known := inst.RateLimit().Known
		_, err = inst.Messages.SendText(r.Context(), "5511987654321", "Hello")
		fmt.Println(known, err)
	}
	for range 2 {
		ryzetest.Deliver(http.HandlerFunc(wrong), "/", "", "")
	}

	inst, err := ryze.NewInstanceClient(name, token, base) // right: once, when the program starts
	if err != nil {
		return
	}
	right := func(w http.ResponseWriter, r *http.Request) {
		known := inst.RateLimit().Known
		_, err = inst.Messages.SendText(r.Context(), "5511987654321", "Hello")
		fmt.Println(known, err)
	}
	for range 2 {
		ryzetest.Deliver(http.HandlerFunc(right), "/", "", "")
	}
	// Output:
	// false <nil>
	// false <nil>
	// false <nil>
	// true <nil>
}

// A bot that answers what itself has said never stops.
func Example_trapsEcho() {
	sim, line, inst := trapLine(ryze.WithSource("shop-bot"))
	defer sim.Close()
	events := ryzetest.NewEvents("support-line")
	deliver := func(handle ryze.Handler) {
		const authorization = "Bearer a-long-random-text"
		for _, event := range [][]byte{
			events.Message(ryzetest.Incoming{From: "5511987654321", Text: "Are you open?"}),
			events.Message(ryzetest.Incoming{From: "5511987654321", Text: "Happy 2001", At: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)}),
			events.Outgoing("5511987654321", "shop-bot", ryzetest.Incoming{Text: "Hello!"}),
			events.Outgoing("5511987654321", "", ryzetest.Incoming{Text: "Typed on the phone"}),
		} {
			ryzetest.Deliver(ryze.NewWebhookHandler(authorization, handle), "/", authorization, event)
		}
	}

	deliver(ryze.On(func(ctx context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		_, err := inst.Messages.SendText(ctx, m.Chat.JID, "Hello!") // wrong: answers itself, and old messages
		return err
	}))
	fmt.Println(len(line.Sent()))

	err := func(ctx context.Context) error {
		info, err := inst.Info(ctx) // once, at the start
		if err != nil {
			return err
		}
		answer := ryze.On(func(ctx context.Context, event *ryze.Event, m *ryze.MessageEvent) error {
			if event.Origin("shop-bot") != ryze.OriginCustomer || event.IsHistory(info.CreatedAt) {
				return nil // right: neither what this side wrote, nor what is from before the pairing
			}
			_, err := inst.Messages.SendText(ctx, m.Chat.JID, "Hello!")
			return err
		})
		deliver(answer)
		return nil
	}(context.Background())
	fmt.Println(len(line.Sent()), err)
	// Output:
	// 4
	// 5 <nil>
}

// The customer is stored with the ninth digit. Three events come from this person.
func Example_trapsSamePerson() {
	sim, _, inst := trapLine()
	defer sim.Close()
	sim.AddContact(ryzetest.Contact{Phone: "551187654321", LID: "123456789012345@lid", Name: "Ana"})
	ctx := context.Background()
	const customer ryze.JID = "5511987654321"

	for _, from := range []ryze.JID{"5511987654321@s.whatsapp.net", "551187654321@s.whatsapp.net", "123456789012345@lid"} {
		m := &ryze.MessageEvent{Sender: ryze.EventUser{JID: from}}
		err := func() error {
			wrong := m.Sender.JID == customer // wrong: one person has a phone, an older form of it, and a LID

			who, err := m.Sender.JID, error(nil)
			if who.IsLID() {
				who, err = inst.Contacts.PhoneOf(ctx, who) // right: asks; a LID has no phone in its digits
			}
			if err != nil {
				return err
			}
			right := slices.ContainsFunc(ryze.BrazilAliases(customer), who.Same)
			fmt.Println(wrong, right)
			return nil
		}()
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// false true
	// false true
	// false true
}

// The stream breaks once. What was written meanwhile does not come again.
func Example_trapsGap() {
	sim, line, inst := trapLine()
	defer sim.Close()
	message := func(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		fmt.Println(m.Text)
		line.DropWebSockets(1012) // the service restarts
		return nil
	}
	readHistories := func(_ context.Context, _ *ryze.Event, gap *ryze.GapEvent) error {
		fmt.Println("read the histories:", gap.Reason)
		line.DropWebSockets(1008) // and wants us no more
		return nil
	}
	listen := func(ctx context.Context) error {
		sub, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithBackoff(time.Millisecond, time.Second))
		if err != nil {
			return err
		}
		line.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
		handle := ryze.On(message)                             // wrong: nobody hears that messages were missed
		handle = ryze.Handlers(handle, ryze.On(readHistories)) // right: the hole in the stream is an event, too
		return sub.Handle(ctx, handle)
	}
	fmt.Println(listen(context.Background()) != nil)
	// Output:
	// Hello
	// read the histories: outage
	// true
}

// Anybody who knows the URL can post to it.
func Example_trapsForgery() {
	const authorization = "Bearer a-long-random-text"
	handle := ryze.On(func(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		fmt.Println("handled:", m.Text)
		return nil
	})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /wrong", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		event, err := ryze.ParseEvent(body) // wrong: anybody can post this; there is no limit either
		if err == nil {
			err = handle(r.Context(), event)
		}
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.Handle("POST /right", ryze.NewWebhookHandler(authorization, handle)) // right: what Webhooks.Set was given

	forged := ryzetest.NewEvents("support-line").Message(ryzetest.Incoming{From: "5511987654321", Text: "I have paid"})
	for _, path := range []string{"/wrong", "/right"} {
		fmt.Println(path, ryzetest.Deliver(mux, path, "Bearer guess", forged).StatusCode)
	}
	// Output:
	// handled: I have paid
	// /wrong 200
	// /right 401
}

// The first try meets the rate limit; the file has been read by then.
func Example_trapsReader() {
	sim, line, inst := trapLine()
	defer sim.Close()
	ctx := context.Background()
	const to = "5511987654321"
	dir, err := os.MkdirTemp("", "report-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "report.pdf")
	if err := os.WriteFile(path, []byte("%PDF-1.7 ..."), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	pipe := io.MultiReader(strings.NewReader("%PDF-1.7 ..."))
	refused := ryzetest.RateLimited()
	refused.Header = http.Header{"X-Ratelimit-Reset": {"1"}} // second

	sim.Fault("messages.media", refused)
	report := ryze.Media{Source: ryze.MediaReader("report.pdf", pipe)} // wrong when it may have to be sent again
	_, err = inst.Messages.Send(ctx, to, report)
	fmt.Println(len(line.Sent()), errors.Is(err, ryze.ErrRateLimited))

	sim.Fault("messages.media", refused)
	report = ryze.Media{Source: ryze.MediaFile(path)} // right: opened for each attempt; MediaBytes is, too
	_, err = inst.Messages.Send(ctx, to, report)
	fmt.Println(len(line.Sent()), err)
	// Output:
	// 0 true
	// 1 <nil>
}

func Example_trapsReveal() {
	token := ryze.Secret("00000000-0000-4000-8000-000000000000")
	out := log.New(os.Stdout, "", 0)

	out.Printf("using %v", token.Reveal()) // wrong: the log has it now
	out.Printf("using %v", token)          // right: prints [redacted]
	// Output:
	// using 00000000-0000-4000-8000-000000000000
	// using [redacted]
}

func Example_trapsSleep() {
	sim, line, inst := trapLine()
	defer sim.Close()
	ctx := context.Background()
	people := []ryze.JID{"5511987654321"}

	err := func() error {
		for _, to := range people {
			if _, err := inst.Messages.SendText(ctx, to, "We open at nine"); err != nil {
				return err
			}
			time.Sleep(600 * time.Millisecond) // wrong: slower than the quota allows, and 64 of these loops are too fast
		}
		calm := ryze.WithPriority(ctx, ryze.PriorityLow) // right: the client waits for quota; urgent calls go first
		for _, to := range people {
			if _, err := inst.Messages.SendText(calm, to, "We open at nine"); err != nil {
				return err
			}
		}
		return nil
	}()
	fmt.Println(len(line.Sent()), err)
	// Output: 2 <nil>
}
