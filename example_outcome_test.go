package ryze_test

import (
	"context"
	"fmt"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// What to do about a send that failed.
func ExampleOutcomeOf() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	for _, fault := range []ryzetest.Fault{
		{},
		{Status: 400, Message: "Number is required"},
		{Status: 502, Body: "<html>Bad Gateway</html>"},
	} {
		if fault.Status != 0 {
			sim.Fault("messages.text", fault)
		}
		_, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
		switch outcome := ryze.OutcomeOf(err); outcome {
		case ryze.OutcomeAccepted:
			fmt.Println(outcome)
		case ryze.OutcomeNotAccepted:
			fmt.Println(outcome, "- it may be sent again")
		case ryze.OutcomeUnknown:
			fmt.Println(outcome, "- settle it first")
		}
	}
	// Output:
	// accepted
	// not accepted - it may be sent again
	// unknown - settle it first
}

// A loop that tries again for as long as that makes sense.
func ExampleRetryAfter() {
	sim, inst := demo()
	defer sim.Close()
	sim.Fault("messages.text", ryzetest.Fault{Status: 429, Message: "slow down", Header: map[string][]string{"Retry-After": {"0"}}})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	for {
		_, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
		pause, again := ryze.RetryAfter(err)
		if !again {
			fmt.Println(ryze.OutcomeOf(err))
			return
		}
		fmt.Println("again")
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
	// Output:
	// again
	// accepted
}
