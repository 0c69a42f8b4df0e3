package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func ExampleNewslettersService() {
	sim, inst := demo()
	defer sim.Close()
	daily := sim.AddNewsletter("Daily", "One story a day", 41)
	ctx := context.Background()

	own, err := inst.Newsletters.Create(ctx, ryze.CreateNewsletterParams{Name: "Acme news"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(own.Name, own.State, own.JID.IsNewsletter())

	// A channel is named by its address, its link or the code in the link.
	info, err := inst.Newsletters.Info(ctx, daily.Link())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Name, info.Subscribers)

	jid, err := inst.Newsletters.Follow(ctx, daily.Link())
	if err != nil {
		log.Fatal(err)
	}
	channels, err := inst.Newsletters.List(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range channels {
		if c.JID == jid {
			fmt.Println("following", c.Name)
		}
	}
	fmt.Println("left:", inst.Newsletters.Unfollow(ctx, string(jid)))

	// Output:
	// Acme news active true
	// Daily 41
	// following Daily
	// left: <nil>
}

func ExampleProfileService() {
	sim, inst := demo()
	defer sim.Close()
	sim.AddContact(ryzetest.Contact{Phone: "5511987654321", LID: "11122233344455@lid", Name: "Ana"})
	ctx := context.Background()

	result, err := inst.Profile.Update(ctx, ryze.ProfileUpdate{
		Name:  new("Support Line"),
		About: new(""), // clears it; nil would keep it
	})
	switch {
	case errors.Is(err, ryze.ErrPartial):
		fmt.Println(err) // names the fields that the service ignored
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println("changed", result.Updated)

	own, err := inst.Profile.Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(own.Name, own.Phone)

	other, err := inst.Profile.Lookup(ctx, "5511987654321")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("on WhatsApp:", other.Exists(), other.LID)

	// Output:
	// changed [Name About]
	// Support Line 5511900000001
	// on WhatsApp: true 11122233344455@lid
}

func ExampleProfileService_UpdatePrivacy() {
	sim, inst := demo(ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: 1})) // to show what a failure looks like
	defer sim.Close()
	sim.Instance("support-line").FailPrivacyAfter(1)
	ctx := context.Background()

	want := ryze.PrivacySettings{LastSeen: ryze.PrivacyNone, Calls: ryze.PrivacyKnown}
	_, err := inst.Profile.UpdatePrivacy(ctx, want)
	fmt.Println("failed half-way:", errors.Is(err, ryze.ErrServer))

	// Read back what is in force, and do the rest.
	now, err := inst.Profile.Privacy(ctx)
	if err != nil {
		log.Fatal(err)
	}
	rest := now.Pending(want)
	fmt.Println("last seen:", now.LastSeen, "calls:", now.Calls, "to do: calls", rest.Calls)
	now, err = inst.Profile.UpdatePrivacy(ctx, rest)
	switch {
	case errors.Is(err, ryze.ErrPartial):
		fmt.Println("still to do:", now.Pending(rest))
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println("calls:", now.Calls)

	// Output:
	// failed half-way: true
	// last seen: none calls: all to do: calls known
	// calls: known
}

func ExampleChatwootService() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	activation, err := inst.Chatwoot.Set(ctx, ryze.ChatwootConfig{
		BaseURL:   "https://chatwoot.example.com",
		AccountID: 7,
		APIToken:  "cw_example_token",
		InboxName: "support-line",
	})
	switch {
	case errors.Is(err, ryze.ErrPartial):
		fmt.Println("stored, but it does not work:", err)
	case errors.Is(err, ryze.ErrChatwoot):
		log.Fatal("Chatwoot refused: ", err)
	case errors.Is(err, ryze.ErrChatwootDisabled):
		log.Fatal("not available on this server")
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(activation.Status)

	integration, err := inst.Chatwoot.Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(integration.InboxName, integration.APIToken)
	fmt.Println("deleted:", inst.Chatwoot.Delete(ctx))

	// Output:
	// active
	// support-line [redacted]
	// deleted: <nil>
}
