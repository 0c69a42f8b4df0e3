package ryzeredis_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

var addr = "localhost:6379" // of Redis

// A load balancer gives the messages of a chat to two replicas, in turn. They are
// handled one at a time, in the order in which they came.
func ExampleNewChatLocks() { //nolint:testableexamples // it needs a Redis
	replica := func(name string) *ryze.Inbox {
		client := redis.NewClient(&redis.Options{Addr: addr})
		locks, err := ryzeredis.NewChatLocks(client)
		if err != nil {
			log.Fatal(err)
		}
		store, err := ryzeredis.NewDedupeStore(client)
		if err != nil {
			log.Fatal(err)
		}
		handle := ryze.On(func(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
			time.Sleep(100 * time.Millisecond) // some work
			fmt.Printf("%s: %s\n", name, m.Text)
			return nil
		})
		inbox, err := ryze.NewInbox(handle, ryze.WithChatLocks(locks), ryze.WithDedupeStore(store))
		if err != nil {
			log.Fatal(err)
		}
		return inbox
	}
	replicas := []*ryze.Inbox{replica("replica 1"), replica("replica 2")}

	phone := ryzetest.NewEvents("loja-1")
	var deliveries sync.WaitGroup
	for i, text := range []string{"Hello", "a pizza, please", "large", "and a beer"} {
		event, err := ryze.ParseEvent(phone.Message(ryzetest.Incoming{From: "5511987654321", Text: text}))
		if err != nil {
			log.Fatal(err)
		}
		deliveries.Go(func() { // as Inbox.Handler does for an HTTP request
			if err := replicas[i%2].Handle(context.Background(), event); err != nil {
				log.Print(err)
			}
		})
		time.Sleep(20 * time.Millisecond) // she types
	}
	deliveries.Wait()
	// It prints:
	// replica 1: Hello
	// replica 2: a pizza, please
	// replica 1: large
	// replica 2: and a beer
}

// The example needs a server, so it runs here.
func TestExampleOfChatLocksRuns(t *testing.T) {
	server := redistest.Start(t)
	grants(t, server.Client, 500*time.Millisecond)
	// The server has run for longer than the lease of the example.
	require.NoError(t, server.Client.HSet(t.Context(), "{ryze:locks}:server", "since", 1).Err())
	before, stdout := addr, os.Stdout
	r, w, err := os.Pipe()
	require.NoError(t, err)
	addr, os.Stdout = server.Addr, w
	defer func() { addr, os.Stdout = before, stdout }()
	ExampleNewChatLocks()
	require.NoError(t, w.Close())
	printed, err := io.ReadAll(r)
	require.NoError(t, err)
	for _, line := range []string{"replica 1: Hello\n", "replica 2: a pizza, please\n", "replica 1: large\n", "replica 2: and a beer\n"} {
		assert.Contains(t, string(printed), line)
	}
}
