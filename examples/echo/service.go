package main

import (
	"context"
	"net/http"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func config(simulator ...ryzetest.Option) demo.Config {
	return demo.Config{
		Client:    []ryze.Option{ryze.WithSource(source)},
		Simulator: simulator,
	}
}

// customers plays the people around the simulated number.
func customers(ctx context.Context, service *demo.Service) {
	phone := service.Phone
	answered := func(n int) { demo.Until(ctx, func() bool { return len(phone.Sent()) == n }) }

	phone.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Good morning"})
	phone.Receive(ryzetest.Incoming{From: "5521998765432", Name: "Bruno", Text: "Are you there?"})
	answered(2)

	// The service delivers a message twice.
	once := ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Only once, please", ID: "3EB0ECH0D0B1E"}
	phone.Receive(once)
	phone.Receive(once)
	answered(3)

	// Somebody takes the phone and writes to Ana.
	phone.TypeOnPhone("5511987654321", ryzetest.Incoming{Text: "This is a human"})
	demo.Pause(ctx, 100*time.Millisecond)

	// The network fails, also for the first attempt to come back; what Bruno
	// writes meanwhile is not repeated on the stream.
	service.Simulator.Fault("GET /ws/:instance", ryzetest.Fault{Status: http.StatusBadGateway, Gateway: true})
	phone.DropWebSockets(0)
	phone.Receive(ryzetest.Incoming{From: "5521998765432", Name: "Bruno", Text: "Into the void"})
	demo.Until(ctx, func() bool { return phone.WebSockets() == 1 })

	// The number is paired anew, and WhatsApp hands over old messages.
	phone.SetHistory([]ryzetest.Incoming{
		{From: "5511987654321", Name: "Ana", Text: "Happy new year", At: time.Now().AddDate(0, 0, -5)},
	})
	phone.LogOutFromPhone()
	if _, err := service.Instance.Connect(ctx, ryze.ConnectParams{HistoryDays: 7}); err != nil {
		return
	}
	phone.Pair("5511900000001")

	phone.Receive(ryzetest.Incoming{From: "5521998765432", Name: "Bruno", Text: "Good bye"})
	answered(4)
	demo.Pause(ctx, 100*time.Millisecond) // for the last line on the screen
}
