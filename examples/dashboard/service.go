package main

import (
	"context"
	"os"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// open returns the address of the service, and what stands behind the page's address:
// nothing with the real service, the token of the account with a simulator.
func open(ctx context.Context, origin string) (service, token string, end func(), err error) {
	if base := strings.TrimRight(os.Getenv("RYZE_BASE_URL"), "/"); base != "" {
		return base, "", func() {}, nil
	}
	sim, err := ryzetest.Start(ryzetest.WithAllowedOrigins(origin))
	if err != nil {
		return "", "", nil, err
	}
	account, err := ryze.NewAccountClient(sim.AccountToken, ryze.WithBaseURL(sim.URL))
	if err == nil {
		err = shops(ctx, sim, account)
	}
	if err != nil {
		sim.Close()
		return "", "", nil, err
	}
	playing, stop := context.WithCancel(ctx)
	played := make(chan struct{})
	go func() { defer close(played); play(playing, sim, account) }()
	return sim.URL, "#token=" + sim.AccountToken, func() {
		stop()
		<-played
		_ = account.Client().Close()
		sim.Close()
	}, nil
}

// shops makes a shop, a delivery service, and a number that nobody has paired.
func shops(ctx context.Context, sim *ryzetest.Server, account *ryze.AccountClient) error {
	for name, number := range map[string]string{"pizzeria": "5511900000001", "delivery": "5521900000002", "new-number": ""} {
		if _, err := account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: name, WebSocket: &ryze.WebSocketConfig{}}); err != nil {
			return err
		}
		if number != "" {
			sim.Instance(name).Pair(number)
		}
	}
	return nil
}

// play lets customers write, and the shops answer, until it is told to stop.
func play(ctx context.Context, sim *ryzetest.Server, account *ryze.AccountClient) {
	for {
		for _, scene := range []struct{ shop, from, name, text, answer string }{
			{"pizzeria", "5511987654321", "Ana Souza", "Hi, is the oven hot?", "It is! What may it be?"},
			{"pizzeria", "5511976543210", "Bruno Carvalho", "Do you deliver to Pinheiros?", "We do, in 40 minutes."},
			{"delivery", "5521998877665", "Carla Mendes", "Where is my parcel?", "It is on its way: https://example.com/track/1042"},
			{"pizzeria", "5511987654321", "Ana Souza", "Two margheritas, please 🍕", "Thank you!"},
		} {
			demo.Pause(ctx, time.Second)
			if ctx.Err() != nil {
				return
			}
			sim.Instance(scene.shop).Receive(ryzetest.Incoming{From: scene.from, Name: scene.name, Text: scene.text})
			demo.Pause(ctx, time.Second)
			if _, err := account.Instance(scene.shop).Messages.SendText(ctx, ryze.JID(scene.from), scene.answer); err != nil {
				return
			}
		}
		demo.Pause(ctx, 10*time.Second)
	}
}
