package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// In virtual time and in memory; a goroutine left behind fails the test.
func TestWebhookSavesEachOrderOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := inMemory(t)
		defer func() { require.NoError(t, service.Close()) }()

		var out strings.Builder
		require.NoError(t, run(t.Context(), service, &out))
		for _, line := range []string{
			`The webhook "orders" is set.`,
			"Order of Ana: two pizzas",
			"Order of Bruno: a salad",
			"the stream was down for",
			"a delivery is answered with 503",
			"Order of Ana: and a tiramisu",
			"Closed, with 3 orders.",
		} {
			assert.Contains(t, out.String(), line)
		}
		assert.NotContains(t, out.String(), service.authorization.Reveal())
		assert.NotContains(t, out.String(), service.Phone.Token())
		assert.Equal(t, []string{"two pizzas", "a salad", "and a tiramisu"}, service.database.orders)

		var answers []int
		for _, d := range service.Simulator.Deliveries() {
			answers = append(answers, d.Status)
		}
		assert.Equal(t, []int{200, 200, 503, 200}, answers)
		assert.Empty(t, service.Simulator.DeadLetters())
		assert.Empty(t, service.Simulator.Violations())
	})
}

func TestWebhookAnswersWhatIsUnderWayBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := inMemory(t)
		defer func() { require.NoError(t, service.Close()) }()
		ctx, interrupt := context.WithCancel(t.Context())
		service.database.setTrouble(func(ctx context.Context) error { // slow, and interrupted meanwhile
			time.Sleep(time.Second)
			interrupt()
			time.Sleep(time.Second)
			return ctx.Err()
		})

		var out strings.Builder
		require.NoError(t, run(ctx, service, &out))
		assert.NotContains(t, out.String(), "not saved")
		assert.Equal(t, []string{"two pizzas"}, service.database.orders)
		deliveries := service.Simulator.Deliveries()
		require.NotEmpty(t, deliveries)
		assert.Equal(t, http.StatusOK, deliveries[0].Status)
	})
}

func inMemory(t *testing.T) *service {
	t.Helper()
	listener := &listener{connections: make(chan net.Conn), closed: make(chan struct{})}
	base, err := demo.Simulate(demo.Config{Simulator: []ryzetest.Option{
		ryzetest.InMemory(),
		ryzetest.WithWebhookClient(&http.Client{Transport: &http.Transport{DialContext: listener.dial}}),
	}})
	require.NoError(t, err)
	return &service{
		Service: base, database: &database{}, listener: listener,
		url: "http://shop.example" + path, authorization: "Bearer of-good-news",
	}
}

// listener listens in memory. Its network is slow, so that the stream is first.
type listener struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
	here, there := net.Pipe()
	select {
	case l.connections <- there:
		return here, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }
