package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// source is the label on everything that the bot sends.
const source = "metrics-bot"

// service is a simulator, with a client that talks to it.
type service struct {
	simulator *ryzetest.Server
	phone     *ryzetest.Instance
	instance  *ryze.InstanceClient
}

func simulate(opts ...ryze.Option) (*service, error) {
	simulator, err := ryzetest.Start()
	if err != nil {
		return nil, err
	}
	phone := simulator.AddInstance("demo")
	phone.Pair("5511900000001")
	instance, err := ryze.NewInstanceClient(phone.Name(), phone.Token(), append(opts,
		ryze.WithBaseURL(simulator.URL), ryze.WithHTTPClient(simulator.HTTPClient()), ryze.WithSource(source))...)
	if err != nil {
		simulator.Close()
		return nil, err
	}
	return &service{simulator, phone, instance}, nil
}

func (s *service) close() error {
	err := s.instance.Client().Close()
	s.simulator.Close()
	return err
}

// customer plays somebody who writes every second. Now and then the quota is spent for a
// moment, or the stream breaks.
func (s *service) customer(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		switch n % 10 {
		case 1:
			full := ryzetest.RateLimited()
			full.Header = http.Header{
				"X-Ratelimit-Remaining": {"0"},
				"X-Ratelimit-Reset":     {strconv.FormatInt(time.Now().Add(2*time.Second).Unix(), 10)},
			}
			s.simulator.Fault("messages.text", full)
		case 5:
			s.phone.DropWebSockets(0)
		}
		s.phone.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Hello"})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
