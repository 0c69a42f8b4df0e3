package ryze_test

import (
	"context"
	"fmt"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// An observer counts calls by what became of them.
func ExampleWithObserver() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	line := sim.AddInstance("support-line")
	line.Pair("5511900000001")

	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithObserver(&ryze.Observer{
		CallDone: func(_ context.Context, call ryze.CallDoneInfo) {
			fmt.Printf("%s: %s %q\n", call.Operation, call.Outcome, call.Error)
		},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	inst := client.Instance("support-line", line.Token())
	_, err = inst.Messages.SendText(context.Background(), "5511987654321", "Hello")
	sim.Fault("messages.text", ryzetest.Throttled())
	_, again := inst.Messages.SendText(context.Background(), "5511987654321", "Hello")
	fmt.Println(err, ryze.ErrorType(again))
	// Output:
	// messages.text: accepted ""
	// messages.text: not accepted "throttled by WhatsApp"
	// <nil> throttled by WhatsApp
}
