package ryzetest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func ExampleNewServer() {
	srv := ryzetest.NewServer()
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001") // somebody scans the QR code

	client, err := ryze.NewInstanceClient("shop", shop.Token(), ryze.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Messages.SendText(context.Background(), "5511987654321", "Your order is on its way"); err != nil {
		log.Fatal(err)
	}

	for _, m := range shop.Sent() {
		fmt.Printf("%s: %s\n", m.Chat, m.Text)
	}
	fmt.Println("requests:", srv.Count("messages.text"))
	// Output:
	// 5511987654321@s.whatsapp.net: Your order is on its way
	// requests: 1
}

// The connection dies after the message was accepted. A client that sends again
// would send twice; this one says that it does not know.
func ExampleServer_Fault() {
	srv := ryzetest.NewServer()
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")
	srv.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})

	client, err := ryze.NewInstanceClient("shop", shop.Token(), ryze.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Messages.SendText(context.Background(), "5511987654321", "Your order is on its way")

	fmt.Println("unknown outcome:", errors.Is(err, ryze.ErrOutcomeUnknown))
	fmt.Println("requests:", srv.Count("messages.text"))
	fmt.Println("sent:", shop.Sent()[0].Text)
	// Output:
	// unknown outcome: true
	// requests: 1
	// sent: Your order is on its way
}

// A customer writes, and the application answers over its event stream.
func ExampleInstance_Receive() {
	srv := ryzetest.NewServer()
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")

	client, err := ryze.NewInstanceClient("shop", shop.Token(), ryze.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	sub, err := client.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		log.Fatal(err)
	}
	defer sub.Close() //nolint:errcheck // nothing is left to lose

	shop.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Are you open?"})
	for event := range sub.Events() {
		message, ok := event.Data.(*ryze.MessageEvent)
		if !ok || message.Direction != ryze.DirectionIncoming {
			continue
		}
		fmt.Printf("%s: %s\n", message.Sender.Name, message.Text)
		if _, err := client.Messages.SendText(ctx, message.Chat.JID, "Until six."); err != nil {
			log.Fatal(err)
		}
		break
	}
	fmt.Println("answer:", shop.Sent()[0].Text)
	// Output:
	// Ana: Are you open?
	// answer: Until six.
}

// A customer taps a button. Code that reads taps should be tried with both
// layouts: the live one has no label.
func ExampleInstance_Receive_tap() {
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		received := make(chan *ryze.Selection, 1)
		handler := ryze.NewWebhookHandler("Bearer secret", func(_ context.Context, e *ryze.Event) error {
			if message, ok := e.Data.(*ryze.MessageEvent); ok {
				received <- message.Selection
			}
			return nil
		})
		srv := ryzetest.NewServer(ryzetest.WithLayout(layout), ryzetest.WithWebhookHandler(handler))
		shop := srv.AddInstance("shop")
		shop.Pair("5511900000001")
		client, err := ryze.NewInstanceClient("shop", shop.Token(), ryze.WithBaseURL(srv.URL))
		if err != nil {
			log.Fatal(err)
		}
		hook := ryze.WebhookConfig{URL: "https://crm.example.com/ryze", Authorization: "Bearer secret"}
		if _, err := client.Webhooks.Set(context.Background(), hook); err != nil {
			log.Fatal(err)
		}

		shop.Receive(ryzetest.Incoming{From: "5511987654321", Answer: &ryzetest.Answer{
			Kind: ryzetest.AnswerButton, ID: "order:approve:1", Title: "Approve",
		}})
		tap := <-received
		fmt.Printf("%s: %s %q\n", layout, tap.ID, tap.Title)
		srv.Close()
	}
	// Output:
	// live: order:approve:1 ""
	// documented: order:approve:1 "Approve"
}

// The customer reads after two hours, which are over at once.
func ExampleServer_Advance() {
	srv := ryzetest.NewServer()
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")
	shop.SetDelivery(ryzetest.Receipts{Delivered: time.Hour, Read: 2 * time.Hour})

	client, err := ryze.NewInstanceClient("shop", shop.Token(), ryze.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	sent, err := client.Messages.SendText(context.Background(), "5511987654321", "Your order is on its way")
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		message, _ := shop.Message(sent.ID)
		fmt.Println(message.Status)
		srv.Advance(time.Hour)
	}
	// Output:
	// sent
	// delivered
	// read
}

// Every webhook of the server ends at one handler, whatever its address. The
// receiver fails once; the second attempt comes after a pause.
func ExampleWithWebhookHandler() {
	attempts := make(chan int, 2)
	n := 0
	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Println(r.Method, r.URL, r.Header.Get("Authorization"))
		if n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		attempts <- n
	})
	srv := ryzetest.NewServer(ryzetest.WithWebhookHandler(receiver), ryzetest.WithWebhookRetry(10*time.Millisecond))
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")

	client, err := ryze.NewInstanceClient("shop", shop.Token(), ryze.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	hook := ryze.WebhookConfig{URL: "https://crm.example.com/ryze", Authorization: "Bearer secret"}
	if _, err := client.Webhooks.Set(context.Background(), hook); err != nil {
		log.Fatal(err)
	}
	shop.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Are you open?"})
	<-attempts
	<-attempts
	srv.Close() // waits for the deliveries that are on their way
	// Output:
	// POST https://crm.example.com/ryze Bearer secret
	// POST https://crm.example.com/ryze Bearer secret
}

// Nothing listens and nothing leaves the process. The client takes its transport
// from the server.
func ExampleInMemory() {
	srv := ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithAccountToken("an-account-token"))
	defer srv.Close()
	client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	created, err := client.Account("an-account-token").CreateInstance(context.Background(), ryze.CreateInstanceParams{Name: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(created.Name, srv.Instance("shop").State())
	// Output: shop disconnected
}

// A field with a wrong name is ignored, and the message goes out without its
// preview. Nobody would notice.
func ExampleServer_Violations() {
	srv := ryzetest.NewServer()
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")

	client, err := ryze.New(ryze.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	body := map[string]any{"number": "5511987654321", "message": "https://shop.example.com", "link_preview": true}
	_, err = client.Do(context.Background(), http.MethodPost, "/api/message/text/shop", shop.Token(), body, nil)
	fmt.Println("error:", err)
	for _, v := range srv.Violations() {
		fmt.Println(v)
	}
	// Output:
	// error: <nil>
	// POST /api/message/text/:instance: unknown field: link_preview
}

// A receiver of webhooks is tested without a server.
func ExampleDeliver() {
	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	event := ryzetest.NewEvents("shop").Message(ryzetest.Incoming{From: "5511987654321", Text: "Are you open?"})
	fmt.Println(ryzetest.Deliver(receiver, "/hooks/ryze", "Bearer secret", event).StatusCode)
	fmt.Println(ryzetest.Deliver(receiver, "/hooks/ryze", "Bearer guessed", event).StatusCode)
	// Output:
	// 200
	// 401
}

// Over HTTP/2 a server can end one request with an error code. This one has read
// the message and says that something went wrong inside it; the client cannot know
// whether it was sent.
func ExampleWithTLS() {
	srv := ryzetest.NewServer(ryzetest.WithTLS())
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")
	srv.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.ResetStream, Code: ryzetest.H2InternalError})

	client, err := ryze.NewInstanceClient("shop", shop.Token(),
		ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Messages.SendText(context.Background(), "5511987654321", "Your order is on its way")

	request := srv.Requests()[0]
	fmt.Println(request.Proto, "unknown outcome:", errors.Is(err, ryze.ErrOutcomeUnknown))
	// Output: HTTP/2.0 unknown outcome: true
}

// A server that has had enough of a connection announces its end, answers what it
// has, and serves the next request on another connection.
func ExampleGoAway() {
	srv := ryzetest.NewServer(ryzetest.WithTLS())
	defer srv.Close()
	client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	srv.Fault("observability.health", ryzetest.Fault{GoAway: &ryzetest.GoAway{}})
	for range 2 {
		if _, err := client.Health(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	for _, r := range srv.Requests() {
		fmt.Println(r.Route, "on connection", r.Conn)
	}
	// Output:
	// GET /health on connection 1
	// GET /health on connection 2
}

// Every fault that the simulator knows, played over the protocols that it is for.
func ExampleCatalogue() {
	cases := map[string]int{}
	for _, c := range ryzetest.Catalogue() {
		kind, _, _ := strings.Cut(c.Name, "/")
		cases[kind]++
	}
	for _, kind := range slices.Sorted(maps.Keys(cases)) {
		fmt.Println(kind, cases[kind] > 0)
	}
	// Output:
	// connection true
	// proxy true
	// rate true
	// redirect true
	// reply true
	// status true
	// stream true
}

// A proxy answers in the place of the service.
func ExampleProxyPage() {
	srv := ryzetest.NewServer()
	defer srv.Close()
	srv.Fault("instance.list", ryzetest.ProxyPage(http.StatusForbidden))
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.URL+"/api/instance/list", nil)
	if err != nil {
		log.Fatal(err)
	}
	reply, err := srv.HTTPClient().Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer reply.Body.Close()
	fmt.Println(reply.StatusCode, reply.Header.Get("Content-Type"))
	// Output: 403 text/html; charset=utf-8
}

// Two servers behind one address answer in turn, one of them two hours ahead, and show
// the reset of the rate limit as a date.
func ExampleWithReset() {
	srv := ryzetest.NewServer(
		ryzetest.WithClockSkew(0, 2*time.Hour),
		ryzetest.WithReset(ryzetest.TimeHTTP),
	)
	defer srv.Close()
	var resets []time.Time
	for range 2 {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.URL+"/api/instance/list", nil)
		if err != nil {
			log.Fatal(err)
		}
		reply, err := srv.HTTPClient().Do(request)
		if err != nil {
			log.Fatal(err)
		}
		reply.Body.Close()
		reset, err := http.ParseTime(reply.Header.Get("X-RateLimit-Reset"))
		if err != nil {
			log.Fatal(err)
		}
		resets = append(resets, reset)
	}
	fmt.Println(resets[1].Sub(resets[0]).Round(time.Hour))
	// Output: 2h0m0s
}
