// Command migration shows a program that calls the service with net/http, and the same
// program with the SDK: before.go and after.go, side by side. It plays the days on which
// they differ, on a simulator, and prints what became of the message.
//
//	go run ./examples/migration
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func main() {
	if err := run(context.Background(), os.Stdout, days, ryzetest.WithRateWindow(2*time.Second)); err != nil {
		fmt.Fprintln(os.Stderr, "migration:", err)
		os.Exit(1)
	}
}

// day is something that happens to a request.
type day struct {
	name string
	sim  func(*ryzetest.Server, *ryzetest.Instance)
}

var days = []day{
	{"a good day", func(*ryzetest.Server, *ryzetest.Instance) {}},
	{"the reply is lost", func(sim *ryzetest.Server, _ *ryzetest.Instance) {
		sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
	}},
	{"the phone is not connected", func(_ *ryzetest.Server, phone *ryzetest.Instance) { phone.LogOutFromPhone() }},
	{"the quota is used up", func(sim *ryzetest.Server, phone *ryzetest.Instance) { sim.Eat(phone.Token(), 100) }},
	{"200, and not of the service", func(sim *ryzetest.Server, _ *ryzetest.Instance) {
		sim.Fault("messages.text", ryzetest.Fault{Status: 200, Body: "<html>Sign in to the wireless network</html>"})
	}},
}

// result is what became of one message.
type result struct {
	sent, quoted int // how often the customer got it, and how often as an answer
	err          error
	leaked       bool // the error tells the token
}

func (r result) String() string {
	said := "no error"
	if r.err != nil {
		said = "an error"
	}
	if r.leaked {
		said += " with the token in it"
	}
	return fmt.Sprintf("%s, sent %d×, quoted %d×", said, r.sent, r.quoted)
}

type program interface {
	confirm(ctx context.Context, to, question, text string) error
}

// play lets a customer ask, breaks what the day breaks, and lets a program answer.
func play(ctx context.Context, d day, with func(*ryzetest.Server, *ryzetest.Instance) (program, func() error, error), opts ...ryzetest.Option) (r result, err error) {
	sim, err := ryzetest.Start(opts...)
	if err != nil {
		return r, err
	}
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	question := phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Has my order left?"})
	answering, end, err := with(sim, phone)
	if err != nil {
		return r, err
	}
	d.sim(sim, phone)
	r.err = answering.confirm(ctx, "5511987654321", question, "It has.")
	r.leaked = r.err != nil && strings.Contains(r.err.Error(), phone.Token())
	for _, m := range phone.Sent() {
		r.sent++
		if m.ReplyTo == question {
			r.quoted++
		}
	}
	return r, end()
}

func withBefore(sim *ryzetest.Server, phone *ryzetest.Instance) (program, func() error, error) {
	return &before{base: sim.URL, instance: phone.Name(), token: phone.Token(), client: sim.HTTPClient()}, func() error { return nil }, nil
}

func withAfter(sim *ryzetest.Server, phone *ryzetest.Instance) (program, func() error, error) {
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(sim.HTTPClient()))
	if err != nil {
		return nil, nil, err
	}
	return &after{inst: client.Instance(phone.Name(), phone.Token())}, client.Close, nil
}

func run(ctx context.Context, out io.Writer, days []day, opts ...ryzetest.Option) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\tbefore: net/http\tafter: the SDK")
	for _, d := range days {
		was, err := play(ctx, d, withBefore, opts...)
		is, err2 := play(ctx, d, withAfter, opts...)
		if err := cmp.Or(err, err2); err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%v\t%v\n", d.name, was, is)
	}
	return table.Flush()
}
