package ryze_test

import (
	"context"
	"fmt"

	ryze "github.com/ryzeapi/ryze-go"
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
