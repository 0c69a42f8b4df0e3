package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func newGateway(inst *ryze.InstanceClient, people []ryze.JID, token ryze.Secret, out io.Writer) *gateway {
	return &gateway{
		inst: inst, people: people, token: token, log: log.New(out, "", 0),
		gather: 10 * time.Second, deliver: 2 * time.Minute, answer: 5 * time.Minute,
		incidents: map[string]*incident{}, about: map[string]message{},
	}
}

// run follows what people do with the messages, until ctx ends.
func (g *gateway) run(ctx context.Context) error {
	stream, err := g.inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithEvents(ryze.EventMessage, ryze.EventReceipt))
	if err != nil {
		return err
	}
	err = stream.Handle(ctx, g.events())
	if ctx.Err() != nil {
		err = nil // it was told to stop
	}
	return errors.Join(err, stream.Close())
}

// start serves until its context ends, or plays a night against a simulator.
func start(ctx context.Context, listen, people string, out io.Writer) (err error) {
	service, err := demo.Open(demo.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	token := ryze.Secret(os.Getenv("ALERTS_TOKEN"))
	if service.Simulator != nil {
		listen, people, token = "localhost:0", "5511987654321,5521998765432", ryze.Secret(rand.Text())
	}
	var persons []ryze.JID
	for person := range strings.SplitSeq(people, ",") {
		who, err := ryze.PhoneJID(person)
		if err != nil {
			return fmt.Errorf("-people: %w", err)
		}
		persons = append(persons, who)
	}
	if token == "" {
		return errors.New("set ALERTS_TOKEN")
	}
	g := newGateway(service.Instance, persons, token, out)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	if service.Simulator != nil {
		g.gather, g.deliver, g.answer = 100*time.Millisecond, time.Second, 5*time.Second
	}
	ctx, end := service.Play(ctx, func(ctx context.Context, _ *demo.Service) {
		night(ctx, service, "http://"+listener.Addr().String()+"/alerts", g.token.Reveal())
	})
	defer end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mux := http.NewServeMux()
	mux.Handle("POST /alerts", g.serve(ctx))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	serving := make(chan error, 1)
	go func() { defer cancel(); serving <- server.Serve(listener) }()
	err = g.run(ctx)
	cancel()
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	_ = server.Shutdown(grace)
	g.running.Wait() // nothing is taken any more
	if served := <-serving; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// night plays Alertmanager, and two phones of which the first is off.
func night(ctx context.Context, service *demo.Service, url, token string) {
	phone := service.Phone
	post := func(status string) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(fmt.Sprintf(`{
			"version": "4", "groupKey": "{}:{alertname=\"DiskFull\"}", "groupLabels": {"alertname": "DiskFull"},
			"alerts": [
				{"status": %[1]q, "fingerprint": "a1", "labels": {"severity": "critical"}, "annotations": {"summary": "db1 is full"}},
				{"status": %[1]q, "fingerprint": "a2", "labels": {"severity": "critical"}, "annotations": {"summary": "db2 is full"}}]}`, status)))
		if err != nil {
			return
		}
		request.Header.Set("Authorization", "Bearer "+token)
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}
	sent := func(n int) { demo.Until(ctx, func() bool { return len(phone.Sent()) >= n }) }

	demo.Until(ctx, func() bool { return phone.WebSockets() == 1 })
	phone.SetDelivery(ryzetest.Receipts{Delivered: -1, Read: -1})
	post("firing")
	post("firing") // the other Alertmanager
	sent(1)
	phone.SetDelivery(ryzetest.Receipts{Delivered: 50 * time.Millisecond, Read: -1})
	sent(2)
	phone.Receive(ryzetest.Incoming{From: "5521998765432", Name: "Bruno", Reaction: &ryzetest.Reaction{Emoji: "👍", MessageID: phone.Sent()[1].ID}})
	demo.Pause(ctx, 100*time.Millisecond)
	post("resolved")
	sent(4)
	demo.Pause(ctx, 100*time.Millisecond)
}
