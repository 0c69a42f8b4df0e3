package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// demo starts a simulator with a paired instance named "support-line" and
// returns a handle of it. Against the real service only the options differ.
func demo(opts ...ryze.Option) (*ryzetest.Server, *ryze.InstanceClient) {
	sim := ryzetest.NewServer()
	instance := sim.AddInstance("support-line")
	instance.Pair("5511900000001")
	client, err := ryze.New(append(opts, ryze.WithBaseURL(sim.URL))...)
	if err != nil {
		panic(err)
	}
	return sim, client.Instance("support-line", instance.Token())
}

func Example() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	sent, err := inst.Messages.SendText(ctx, "5511987654321", "Your code is 4711", ryze.SourceLabel("otp"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sent.Status, "to", sent.Chat)
	// Output: sent to 5511987654321@s.whatsapp.net
}

func ExampleNew() {
	client, err := ryze.New(
		ryze.WithUserAgent("acme-crm/2.1"),
		ryze.WithSource("acme-crm"),
		ryze.WithLogger(slog.New(slog.DiscardHandler)),
		ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: 3, MaxRateLimitWait: time.Minute}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	fmt.Println(client)
	// Output: ryze.Client(https://ryzeapi.cloud)
}

// Two clients of one process that use the same tokens share a limiter.
func ExampleNewMemoryLimiter() {
	limiter := ryze.NewMemoryLimiter(time.Minute)
	for range 2 {
		_, err := ryze.New(ryze.WithLimiter(limiter), ryze.WithBearerAuth())
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// <nil>
}

// Tokens never travel in clear text by accident.
func ExampleWithInsecureHTTP() {
	_, err := ryze.New(ryze.WithBaseURL("http://10.0.0.7:8080"))
	fmt.Println(err)
	_, err = ryze.New(ryze.WithBaseURL("http://10.0.0.7:8080"), ryze.WithInsecureHTTP())
	fmt.Println(err)
	// Output:
	// ryze: base URL has the scheme http, which would send tokens in clear text; use https, or WithInsecureHTTP
	// <nil>
}

func ExampleAccountClient() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	ctx := context.Background()
	account, err := ryze.NewAccountClient(sim.AccountToken, ryze.WithBaseURL(sim.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = account.Client().Close() }()

	created, err := account.CreateInstance(ctx, ryze.CreateInstanceParams{
		Name:     "support-line",
		Webhook:  &ryze.WebhookConfig{URL: "https://hooks.example.net/ryze", Authorization: "Bearer a-long-random-value"},
		Settings: &ryze.SettingsUpdate{AutoReadMessages: new(true)},
	})
	if err != nil && !errors.Is(err, ryze.ErrPartial) { // in part: the instance is there, a block of it failed
		fmt.Println(err)
		return
	}
	fmt.Println(created.Name, created.State, created.Token, created.Connected(), err)

	list, err := account.ListInstances(ctx)
	fmt.Println(len(list), err)
	_, err = account.GetInstance(ctx, "Support-Line") // names are case-sensitive
	fmt.Println(errors.Is(err, ryze.ErrInstanceNotFound))
	metrics, err := account.Metrics(ctx, "support-line")
	fmt.Println(metrics.TotalMessages, err)
	fmt.Println(account.DeleteInstance(ctx, "support-line"))
	// Output:
	// support-line disconnected [redacted] false <nil>
	// 1 <nil>
	// true
	// 0 <nil>
	// <nil>
}

func ExampleInstanceClient_Connect() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	ctx := context.Background()
	inst, err := ryze.NewInstanceClient("support-line", sim.AddInstance("support-line").Token(), ryze.WithBaseURL(sim.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = inst.Client().Close() }()

	pairing, err := inst.Connect(ctx, ryze.ConnectParams{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pairing.Status, pairing.AlreadyConnected(), len(pairing.PNG()) > 0)
	fmt.Println(pairing.QRCode) // a secret: show it with Reveal, never log it

	sim.Instance("support-line").Pair("5511900000001") // somebody scans the code
	info, err := inst.WaitConnected(ctx)
	fmt.Println(info.JID, err)
	// Output:
	// qr false true
	// [redacted]
	// 5511900000001@s.whatsapp.net <nil>
}

func ExampleInstanceClient_Info() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	info, err := inst.Info(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Name, info.State, info.RateLimit.Remaining)
	fmt.Println(strings.Contains(string(info.Raw()), `"connection"`)) // fields that this package does not know are in Raw
	metrics, err := inst.Metrics(ctx)
	fmt.Println(metrics.MessagesSent, err)

	sim.Instance("support-line").Disconnect()
	fmt.Println(inst.Reconnect(ctx))
	fmt.Println(inst.Logout(ctx))
	// Output:
	// support-line connected 99
	// true
	// 0 <nil>
	// <nil>
	// <nil>
}

func ExampleSettingsService() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	settings, err := inst.Settings.Update(ctx, ryze.SettingsUpdate{IgnoreStatus: new(true)}) // the others stay
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(settings.IgnoreStatus, settings.DisableHistorySync)

	err = inst.Proxy.Set(ctx, ryze.ProxyConfig{Host: "proxy.example.net", Port: "1080", Protocol: ryze.ProxySOCKS5})
	fmt.Println(err)
	fmt.Println(inst.Proxy.Remove(ctx))

	storage, err := inst.Storage.Set(ctx, ryze.StorageConfig{Region: "us-east-1", Bucket: "media", AccessKey: "AK", SecretKey: "SK"})
	fmt.Println(storage.Bucket, err)
	fmt.Println(inst.Storage.Disable(ctx))
	// Output:
	// true true
	// <nil>
	// <nil>
	// media <nil>
	// <nil>
}

func ExampleMessagesService_Send() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	const group = "120363000000000001@g.us"

	question, err := inst.Messages.Send(ctx, group, ryze.Text("Who is in, @5511987654321?"),
		ryze.Mention("5511987654321"), ryze.LinkPreview(false), ryze.Delay(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := os.CreateTemp("", "report-*.pdf")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, _ = file.WriteString("%PDF-1.7 ...")
	_ = file.Close()
	for _, media := range []ryze.Media{
		{Source: ryze.MediaFile(file.Name()), FileName: "report.pdf"},
		{Source: ryze.MediaBytes("pixel.gif", []byte("GIF89a..."))},
		{Source: ryze.MediaReader("song.mp3", strings.NewReader("ID3 ...")), Voice: new(false)},
		{Source: ryze.MediaURL("https://cdn.example.net/film.mp4"), Caption: "Watch this"},
	} {
		sent, err := inst.Messages.Send(ctx, group, media, ryze.ReplyTo(question.ID), ryze.MentionAll(), ryze.TimeLimit(time.Minute))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(sent.Type)
	}
	_, err = inst.Messages.Send(ctx, group, ryze.Text("Just you"), ryze.ReplyPrivate(question.ID))
	fmt.Println(err)
	// Output:
	// document
	// image
	// audio
	// video
	// <nil>
}

// The line dies after the service has accepted the message. The package does
// not send it again, and says that it does not know.
func ExampleOutcomeError() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})

	_, err := inst.Messages.SendText(ctx, "5511987654321", "Your code is 4711")
	var unknown *ryze.OutcomeError
	if errors.As(err, &unknown) {
		fmt.Println("perhaps sent to", unknown.Recipient)
	}
	sent, err := inst.Messages.Settle(ctx, err)
	switch {
	case err == nil:
		fmt.Println("sent after all:", sent.Content)
	case errors.Is(err, ryze.ErrNotSent):
		fmt.Println("not sent: it may be sent again")
	default: // ErrOutcomeUnknown, and the text says why
		fmt.Println("still unknown: settle it again later")
	}
	fmt.Println("messages that left:", len(sim.Instance("support-line").Sent()))
	// Output:
	// perhaps sent to 5511987654321
	// sent after all: Your code is 4711
	// messages that left: 1
}

// A call that would have to wait longer than its context allows fails at once,
// and says when to come back.
func ExampleRateLimitError() {
	sim, inst := demo()
	defer sim.Close()
	sim.Eat(sim.Instance("support-line").Token(), 100) // somebody else used the quota up
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()

	_, err := inst.Messages.SendText(ctx, "5511987654321", "hi")
	var limited *ryze.RateLimitError
	if errors.As(err, &limited) {
		fmt.Println("not sent; come back in about a minute:", time.Until(limited.RetryAt) > 0)
		fmt.Println("nothing left:", limited.RateLimit.Exhausted())
	}
	// Output:
	// not sent; come back in about a minute: true
	// nothing left: true
}

func ExampleClient_Health() {
	sim, inst := demo()
	defer sim.Close()
	health, err := inst.Client().Health(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(health.Healthy(), health.Checks["db"])
	// Output: true ok
}

// A route that this package does not know is reached with everything else that
// it does: tokens, quota, retries, errors.
func ExampleClient_Do() {
	sim, inst := demo()
	defer sim.Close()
	var out struct {
		Settings map[string]any `json:"settings"`
	}
	token := sim.Instance("support-line").Token()
	meta, err := inst.Client().Do(context.Background(), http.MethodGet, "/api/instance/getSettings/support-line", token, nil, &out)
	fmt.Println(out.Settings["ignoreStatus"], meta.RateLimit.Limit, err)
	// Output: false 100 <nil>
}

func ExampleOperations() {
	for _, op := range ryze.Operations()[:3] {
		fmt.Println(op.Method, op.Path, op.Repeatable, op.Class.Limit())
	}
	// Output:
	// GET /health true 0
	// POST /api/instance/new false 20
	// GET /api/instance/list true 100
}

func ExampleJID() {
	person, err := ryze.PhoneJID("+55 (11) 98765-4321")
	fmt.Println(person, person.Phone(), err)
	device := ryze.JID("5511987654321:12@s.whatsapp.net")
	fmt.Println(device.Bare(), device.Device(), device.User(), device.Server(), device.Same("5511987654321"))
	hidden := ryze.JID("123456789012345@lid")
	fmt.Println(hidden.Kind(), hidden.IsLID(), hidden.Phone() == "", hidden.IsGroup(), hidden.IsNewsletter())
	_, err = ryze.ParseJID("123456789012345")
	fmt.Println(err)
	// Output:
	// 5511987654321@s.whatsapp.net 5511987654321 <nil>
	// 5511987654321@s.whatsapp.net 12 5511987654321 s.whatsapp.net true
	// lid true true false false
	// ryze: jid "123456789012345" has 15 digits, more than numbers of its country code have, so that it looks like a LID: add @lid if it is one
}

func ExampleBrazilPhone() {
	for _, written := range []string{"(11) 98765-4321", "0xx11 98765-4321", "+55 11 3333-4444", "98765-4321"} {
		fmt.Println(ryze.BrazilPhone(written))
	}
	// Output:
	// 5511987654321@s.whatsapp.net <nil>
	// 5511987654321@s.whatsapp.net <nil>
	// 551133334444@s.whatsapp.net <nil>
	//  ryze: phone "98765-4321" has no area code, such as 11
}

func ExampleSecret() {
	token := ryze.Secret("tok-4f1c9b7e")
	fmt.Println(token, token.IsZero())
	fmt.Printf("%v %q %#v %x\n", token, token, token, token)
	fmt.Println(token.Reveal()) // on the way to a vault, say
	// Output:
	// [redacted] false
	// [redacted] "[redacted]" ryze.Secret("[redacted]") [redacted]
	// tok-4f1c9b7e
}
