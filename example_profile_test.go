package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	ryze "github.com/ryzeapi/ryze-go"
)

func ExampleNewslettersService() {
	const channel = `{"jid":"120363000000000009@newsletter","state":"active","name":"Acme news","subscriberCount":42}`
	inst := answering(
		`{"success":true,"channel":`+channel+`}`,
		`{"success":true,"channel":`+channel+`}`,
		`{"success":true,"channelJid":"120363000000000009@newsletter"}`,
		`{"success":true,"channels":[`+channel+`]}`,
		`{"success":true,"channelJid":"120363000000000009@newsletter"}`,
	)
	ctx := context.Background()

	created, err := inst.Newsletters.Create(ctx, ryze.CreateNewsletterParams{Name: "Acme news"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(created.JID)

	// A channel is named by its address, its link or the code in the link.
	info, err := inst.Newsletters.Info(ctx, "https://whatsapp.com/channel/0029VaAbC")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Name, info.State, info.Subscribers)

	jid, err := inst.Newsletters.Follow(ctx, "0029VaAbC")
	if err != nil {
		log.Fatal(err)
	}
	channels, err := inst.Newsletters.List(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("following", len(channels))
	if err := inst.Newsletters.Unfollow(ctx, ryze.NewsletterRef(jid)); err != nil {
		log.Fatal(err)
	}

	// Output:
	// 120363000000000009@newsletter
	// Acme news active 42
	// following 1
}

func ExampleProfileService() {
	inst := answering(
		`{"success":true,"profile":{"profilePicture":null,"profileName":"Acme","jid":"5511900000001@s.whatsapp.net"}}`,
		`{"success":true,"profile":{"profilePicture":null,"jid":"5511987654321@s.whatsapp.net","lid":"11122233344455@lid"}}`,
		`{"success":true,"updatedFields":["profileName"]}`,
	)
	ctx := context.Background()

	own, err := inst.Profile.Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(own.Name)

	other, err := inst.Profile.Lookup(ctx, "5511987654321")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("on WhatsApp:", other.Exists(), other.LID)

	result, err := inst.Profile.Update(ctx, ryze.ProfileUpdate{
		Name:  ryze.Ptr("Support Line"),
		About: ryze.Ptr(""), // clears it; nil would keep it
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := result.Err(); errors.Is(err, ryze.ErrPartial) {
		fmt.Println("changed", result.Updated, "but not", result.Ignored)
	}

	// Output:
	// Acme
	// on WhatsApp: true 11122233344455@lid
	// changed [Name] but not [About]
}

func ExampleProfileService_UpdatePrivacy() {
	inst := answering(
		`{"success":true,"settings":{"visibility":{"lastSeen":"none","online":"all"},"permissions":{"callAdd":"all"}}}`,
		`{"success":true,"settings":{"visibility":{"lastSeen":"none","online":"all"},"permissions":{"callAdd":"all"}}}`,
	)
	ctx := context.Background()

	result, err := inst.Profile.UpdatePrivacy(ctx, ryze.Privacy{
		LastSeen: ryze.PrivacyNone,
		Calls:    ryze.PrivacyKnown,
	})
	var failed *ryze.PrivacyUpdateError
	switch {
	case errors.As(err, &failed):
		log.Fatal("read the settings back: ", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(result.Err())

	now, err := inst.Profile.Privacy(ctx)
	if err != nil {
		log.Fatal(err)
	}
	rest := now.Pending(ryze.Privacy{LastSeen: ryze.PrivacyNone, Calls: ryze.PrivacyKnown})
	fmt.Println("last seen:", now.LastSeen, "still to do: calls", rest.Calls)

	// Output:
	// ryze: profile.update_privacy: Calls: is "all", not "known"
	// last seen: none still to do: calls known
}

func ExampleChatwootService() {
	inst := answering(
		`{"instance":"support-line","status":"active","bridge_integration_id":"int_1","message":"chatwoot integration activated"}`,
		`{"instance_name":"support-line","status":"active","chatwoot_api_token":"cw_example_token","chatwoot_inbox_id":42,"chatwoot_inbox_name":"support-line"}`,
		`{"message":"chatwoot integration deactivated"}`,
	)
	ctx := context.Background()

	activation, err := inst.Chatwoot.Set(ctx, ryze.ChatwootConfig{
		BaseURL:   "https://chatwoot.example.com",
		AccountID: 7,
		APIToken:  "cw_example_token",
		InboxName: "support-line",
	})
	switch {
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
	fmt.Println("inbox", integration.InboxID, "token", integration.Config.APIToken)

	if err := inst.Chatwoot.Delete(ctx); err != nil {
		log.Fatal(err)
	}

	// Output:
	// active
	// inbox 42 token [redacted]
}
