package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

type service struct {
	*demo.Service
	database *database

	listener      net.Listener
	url           string
	authorization ryze.Secret
}

func open(listen, url string) (*service, error) {
	base, err := demo.Open(demo.Config{})
	if err != nil {
		return nil, err
	}
	s := &service{Service: base, database: &database{}, url: url}
	s.authorization = ryze.Secret(os.Getenv("RYZE_WEBHOOK_AUTHORIZATION"))
	if base.Simulator == nil && (url == "" || s.authorization == "") {
		return nil, errors.Join(errors.New("set -url and RYZE_WEBHOOK_AUTHORIZATION"), base.Close())
	}
	if s.authorization == "" {
		s.authorization = ryze.Secret("Bearer " + rand.Text())
	}
	s.listener, err = net.Listen("tcp", listen)
	if err != nil {
		return nil, errors.Join(err, base.Close())
	}
	if s.url == "" {
		s.url = "http://" + s.listener.Addr().String() + path
	}
	return s, nil
}

// customers plays the people around the simulated number.
func (s *service) customers(ctx context.Context, _ *demo.Service) {
	saved := func(n int) { demo.Until(ctx, func() bool { return s.database.count() == n }) }
	delivered := func(status, n int) { demo.Until(ctx, func() bool { return count(s.Simulator, status) == n }) }
	streaming := func() { demo.Until(ctx, func() bool { return s.Phone.WebSockets() == 1 }) }
	streaming()

	// Both channels bring it.
	s.Phone.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "two pizzas"})
	saved(1)
	delivered(http.StatusOK, 1)

	// The stream is down; the webhook brings it.
	s.Simulator.Fault("GET /ws/:instance", ryzetest.Fault{Status: http.StatusBadGateway, Gateway: true})
	s.Phone.DropWebSockets(0)
	s.Phone.Receive(ryzetest.Incoming{From: "5521998765432", Name: "Bruno", Text: "a salad"})
	delivered(http.StatusOK, 2)
	streaming()

	// The database fails until a delivery was refused; the service repeats it.
	s.database.setTrouble(func(context.Context) error { return errors.New("the database is down") })
	s.Phone.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "and a tiramisu"})
	delivered(http.StatusServiceUnavailable, 1)
	s.database.setTrouble(nil)
	delivered(http.StatusOK, 3)
}

// count counts the deliveries that were answered with a status.
func count(sim *ryzetest.Server, status int) (n int) {
	for _, d := range sim.Deliveries() {
		if d.Status == status {
			n++
		}
	}
	return n
}

// database stands for a real one.
type database struct {
	mu      sync.Mutex
	orders  []string
	trouble func(context.Context) error
}

func (d *database) save(ctx context.Context, message *ryze.MessageEvent) error {
	d.mu.Lock()
	trouble := d.trouble
	d.mu.Unlock()
	if trouble != nil {
		if err := trouble(ctx); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders = append(d.orders, message.Text)
	return nil
}

func (d *database) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.orders)
}

func (d *database) setTrouble(trouble func(context.Context) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trouble = trouble
}
