// Package demo gives the examples something to talk to: one instance of the
// real service, when the environment names one, or else a simulator inside the
// program.
package demo

import (
	"context"
	"os"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// Service is a client with one instance, real or simulated.
type Service struct {
	Client   *ryze.Client
	Instance *ryze.InstanceClient

	// Simulator and Phone are nil with the real service. Phone is the phone
	// behind the instance: through it a script plays the customers.
	Simulator *ryzetest.Server
	Phone     *ryzetest.Instance
}

// Config says how an example wants its client and its simulator to be.
type Config struct {
	Client    []ryze.Option
	Simulator []ryzetest.Option
}

// Open returns the service that the environment names with RYZE_INSTANCE,
// RYZE_INSTANCE_TOKEN and, unless it is the usual one, RYZE_BASE_URL. Without
// any of them it returns a simulator.
func Open(config Config) (*Service, error) {
	if os.Getenv("RYZE_BASE_URL") == "" && os.Getenv("RYZE_INSTANCE") == "" && os.Getenv("RYZE_INSTANCE_TOKEN") == "" {
		return Simulate(config)
	}
	instance, err := ryze.InstanceFromEnv(config.Client...)
	if err != nil {
		return nil, err
	}
	return &Service{Client: instance.Client(), Instance: instance}, nil
}

// Simulate returns a simulator with an instance that is connected to WhatsApp.
func Simulate(config Config) (*Service, error) {
	sim, err := ryzetest.Start(config.Simulator...)
	if err != nil {
		return nil, err
	}
	client, err := ryze.New(append([]ryze.Option{ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(sim.HTTPClient())}, config.Client...)...)
	if err != nil {
		sim.Close()
		return nil, err
	}
	phone := sim.AddInstance("demo")
	phone.Pair("5511900000001")
	return &Service{Client: client, Instance: client.Instance("demo", phone.Token()), Simulator: sim, Phone: phone}, nil
}

// Close ends the client and the simulator.
func (s *Service) Close() error {
	err := s.Client.Close()
	if s.Simulator != nil {
		s.Simulator.Close()
	}
	return err
}

// Play runs a script beside the example. The context that it returns ends with
// the script, so that the example ends too; end waits for the script. With the
// real service, where people play themselves, nothing is run and the context
// is the caller's.
func (s *Service) Play(ctx context.Context, script func(context.Context, *Service)) (playing context.Context, end func()) {
	if s.Simulator == nil {
		return ctx, func() {}
	}
	playing, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer cancel()
		script(playing, s)
	}()
	return playing, func() { cancel(); <-ended }
}

// Until lets a script wait for something, for at most ten seconds.
func Until(ctx context.Context, happened func() bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for ctx.Err() == nil && !happened() {
		Pause(ctx, 10*time.Millisecond)
	}
}

// Pause lets some time pass in a script.
func Pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
