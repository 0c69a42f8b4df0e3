package docs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of docs/quota.md.

func Example_quotaPriority() {
	sim, phone, _ := supportLine()
	defer sim.Close()
	name, token, simulator := "support-line", phone.Token(), ryze.WithBaseURL(sim.URL)

	err := func(ctx context.Context, to ryze.JID, everybody []ryze.JID) error {
		inst, err := ryze.NewInstanceClient(name, token, simulator, ryze.WithReserve(10)) // of each minute
		if err != nil {
			return err
		}
		urgent := ryze.WithPriority(ctx, ryze.PriorityHigh) // somebody waits for it
		if _, err := inst.Messages.SendText(urgent, to, "Your code is 4711"); err != nil {
			return err
		}
		slow := ryze.WithPriority(ctx, ryze.PriorityLow) // may wait
		for _, to := range everybody {
			if _, err := inst.Messages.SendText(slow, to, "We open at nine"); err != nil {
				return err
			}
		}
		return nil
	}(context.Background(), "5511987654321", []ryze.JID{"5511987654322", "5511987654323"})
	fmt.Println(len(phone.Sent()), err)
	// Output: 3 <nil>
}

func Example_quotaNoWait() {
	sim, phone, _ := supportLine()
	defer sim.Close()
	name, token, simulator := "support-line", phone.Token(), ryze.WithBaseURL(sim.URL)
	answerBusy := func(after time.Duration) error {
		fmt.Println("busy:", after > 0)
		return nil
	}

	err := func(ctx context.Context, to ryze.JID) error {
		patience := ryze.WithRetry(ryze.RetryPolicy{MaxRateLimitWait: 5 * time.Second})
		inst, err := ryze.NewInstanceClient(name, token, simulator, patience)
		if err != nil {
			return err
		}
		if _, err := inst.Info(ctx); err != nil {
			return err
		}
		sim.Eat(phone.Token(), 100) // others have used the rest of this minute
		if _, err := inst.Info(ctx); err == nil {
			return errors.New("the quota was not used up")
		}
		_, err = inst.Messages.SendText(ctx, to, "Hello")
		var limited *ryze.RateLimitError
		if errors.As(err, &limited) { // certainly not sent
			return answerBusy(time.Until(limited.RetryAt))
		}
		return err
	}(context.Background(), "5511987654321")
	fmt.Println(err)
	// Output:
	// busy: true
	// <nil>
}

func Example_quotaBanned() {
	stopBroadcast := func(instance string, state ryze.InstanceState) { fmt.Println(instance, state) }

	handle := ryze.On(func(_ context.Context, e *ryze.Event, s *ryze.InstanceStateEvent) error {
		switch s.State {
		case ryze.InstanceTempBanned, ryze.InstanceBanned, ryze.InstanceLoggedOut:
			stopBroadcast(e.Instance, s.State)
		}
		return nil
	})

	event, err := ryze.ParseEvent(ryzetest.NewEvents("support-line").State("temp_banned"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(handle(context.Background(), event))
	// Output:
	// support-line temp_banned
	// <nil>
}
