package docs_test

import (
	"context"
	"fmt"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// What the service has added after a release of the SDK is not lost.
func Example_versionsUnknown() {
	handle := func(_ context.Context, event *ryze.Event) error {
		switch data := event.Data.(type) {
		case *ryze.MessageEvent:
			fmt.Println(data.Text, string(event.Lookup("data", "message", "mood")))
		case *ryze.ReceiptEvent:
			fmt.Println(data.Status, data.Status.Supersedes(ryze.StatusRead)) // a word that is not known takes nothing back
		default: // events that this release does not know, too
			fmt.Println(event.Type, string(event.Lookup("data", "reason")))
			return ryze.ErrIgnore
		}
		return nil
	}

	shop := ryzetest.NewEvents("shop")
	for _, received := range [][]byte{
		shop.Message(ryzetest.Incoming{From: "5511987654321", Text: "Hello", Patch: map[string]any{"mood": "good"}}),
		shop.Receipt("smiled_at", "5511987654321", "3EB0C0FFEE"),
		shop.Event("weather.change", map[string]string{"reason": "rain"}),
	} {
		event, err := ryze.ParseEvent(received)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = handle(context.Background(), event)
	}
	// Output:
	// Hello "good"
	// smiled_at false
	// weather.change "rain"
}

// A route that this release has no method for.
func Example_versionsDo() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	shop := sim.AddInstance("shop")
	shop.Pair("5511900000001")
	ctx := context.Background()
	client, err := ryze.New(ryze.WithBaseURL(sim.URL))
	if err != nil {
		fmt.Println(err)
		return
	}

	var settings struct {
		Settings map[string]any `json:"settings"`
	}
	meta, err := client.Do(ctx, "GET", "/api/instance/getSettings/shop", shop.Token(), nil, &settings)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(settings.Settings["ignoreStatus"], meta.RateLimit.Remaining)
	// Output:
	// false 99
}
