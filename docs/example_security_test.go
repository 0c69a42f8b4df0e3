package docs_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A secret hides from whatever prints it. Reveal is the one way to its value.
func Example_securitySecret() {
	type tenant struct {
		Name  string
		Token ryze.Secret
	}
	shop := tenant{Name: "shop", Token: "5ec2e700-0000-4000-8000-c0ffee5ec2e7"}

	fmt.Printf("%v %+v\n", shop, shop)
	encoded, err := json.Marshal(shop)
	fmt.Println(string(encoded), err)
	fmt.Println(len(shop.Token.Reveal()))
	// Output:
	// {shop [redacted]} {Name:shop Token:[redacted]}
	// {"Name":"shop","Token":"[redacted]"} <nil>
	// 36
}

// The receiver of a shop, while its authorization is changed from one value to another.
func Example_securityReceiver() {
	handle := func(context.Context, *ryze.Event) error { return nil }
	look := func(_ context.Context, event *ryze.Event) error {
		fmt.Println("a hint: ask", event.Instance, "for its state")
		return nil
	}

	receiver, err := ryze.NewWebhookReceiver("Bearer the-new-value", handle,
		ryze.WithAcceptedAuthorization("Bearer the-old-value"), // until the service has the new one
		ryze.WithInstances("shop"),                             // events of others are refused
		ryze.WithReadLimit(1<<20),                              // enough for events without media
		ryze.WithUnauthenticatedState(look),                    // only if state events come without the header
	)
	if err != nil {
		fmt.Println(err)
		return
	}

	shop, stranger := ryzetest.NewEvents("shop"), ryzetest.NewEvents("stranger")
	hello := ryzetest.Incoming{From: "5511987654321", Text: "Hello"}
	fmt.Println(ryzetest.Deliver(receiver, "/hooks/ryze", "Bearer the-old-value", shop.Message(hello)).StatusCode)
	fmt.Println(ryzetest.Deliver(receiver, "/hooks/ryze", "Bearer the-new-value", stranger.Message(hello)).StatusCode)
	fmt.Println(ryzetest.Deliver(receiver, "/hooks/ryze", "", shop.Message(hello)).StatusCode)
	fmt.Println(ryzetest.Deliver(receiver, "/hooks/ryze", "", shop.State("logged_out")).StatusCode)
	// Output:
	// 200
	// 403
	// 401
	// a hint: ask shop for its state
	// 200
}
