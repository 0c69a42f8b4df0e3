package main

import (
	"errors"
	"os"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// service is what run talks to: the real one, or a simulator together with
// somebody who plays the people on the other side.
type service struct {
	open     func(...ryze.Option) (*ryze.AccountClient, error)
	options  []ryze.Option
	instance string
	to       ryze.JID

	codeShown    func(instance string) // the QR code is on the screen
	picturesSent func(instance string) // the customer has something to answer
	close        func()
}

func chooseService(to string) (*service, error) {
	if os.Getenv("RYZE_BASE_URL") == "" && os.Getenv("RYZE_ACCOUNT_TOKEN") == "" {
		return simulated(), nil
	}
	if to == "" {
		return nil, errors.New("say whom to write to: -to 5511987654321")
	}
	name := os.Getenv("RYZE_INSTANCE")
	if name == "" {
		name = "quickstart-" + time.Now().Format("20060102-150405")
	}
	nothing := func(string) {}
	return &service{
		open: ryze.AccountFromEnv, instance: name, to: ryze.JID(to),
		codeShown: nothing, picturesSent: nothing, close: func() {},
	}, nil
}

func simulated() *service { return simulatedBy(ryzetest.NewServer()) }

// simulatedBy plays with a simulator in which a phone scans the code at once,
// and a customer answers the picture.
func simulatedBy(sim *ryzetest.Server) *service {
	return &service{
		open: func(opts ...ryze.Option) (*ryze.AccountClient, error) {
			return ryze.NewAccountClient(sim.AccountToken, append(opts, ryze.WithBaseURL(sim.URL))...)
		},
		instance: "quickstart", to: "5511987654321",
		codeShown: func(name string) { sim.Instance(name).Pair("5511900000001") },
		picturesSent: func(name string) {
			sim.Instance(name).Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "What a view!"})
		},
		close: sim.Close,
	}
}
