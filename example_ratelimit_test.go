package ryze_test

import (
	"context"
	"fmt"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A one-time password does not queue behind a broadcast with the same token.
func ExampleWithPriority() {
	sim, inst := demo()
	defer sim.Close()

	ctx := ryze.WithPriority(context.Background(), ryze.PriorityHigh)
	sent, err := inst.Messages.SendText(ctx, "5511987654321", "Your code is 493201")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sent.RateLimit.Unlimited(), sent.RateLimit.Exhausted())
	// Output: false false
}

// Ten requests of each window are kept for what somebody waits for.
func ExampleWithReserve() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	line := sim.AddInstance("support-line")
	line.Pair("5511900000001")
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithReserve(10))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	inst := client.Instance("support-line", line.Token())

	urgent := ryze.WithPriority(context.Background(), ryze.PriorityHigh)
	_, err = inst.Messages.SendText(urgent, "5511987654321", "Your code is 493201")
	fmt.Println(line.Sent()[0].Text, err)
	// Output: Your code is 493201 <nil>
}
