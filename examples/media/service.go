package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func open(s *settings) (*demo.Service, error) {
	service, err := demo.Open(config())
	if err != nil {
		return nil, err
	}
	s.rows = 500_000
	if service.Simulator != nil {
		s.to = ana
	}
	switch {
	case s.to == "":
		err = errors.New("say whom to write to: -to 5511987654321")
	case s.dir == "":
		s.dir, err = os.MkdirTemp("", "media")
	default:
		err = os.MkdirAll(s.dir, 0o700)
	}
	if err != nil {
		return nil, errors.Join(err, service.Close())
	}
	return service, nil
}

// config lets the simulated service take a while to store what it receives.
func config(simulator ...ryzetest.Option) demo.Config {
	return demo.Config{Simulator: append(simulator, ryzetest.WithMediaDelay(700*time.Millisecond))}
}

const ana = "5511987654321"

// customer sends a picture whose name would like to be somewhere else.
func customer(ctx context.Context, service *demo.Service) {
	picture, err := files.ReadFile("files/view.png")
	if err != nil {
		return
	}
	service.Phone.Receive(ryzetest.Incoming{From: ana, Name: "Ana", Media: &ryzetest.File{
		Data: picture, FileName: "../../.ssh/my view.png",
	}})
	<-ctx.Done() // the example ends by itself
}
