package ryzeredis_test

import (
	"context"
	"log"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
)

// Every process of an application does the same: each stream is open in one of
// them, and each event is handled once.
func ExampleNewStreams() { //nolint:testableexamples // it needs a Redis
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	account, err := ryze.AccountFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	store, err := ryzeredis.NewDedupeStore(client)
	if err != nil {
		log.Fatal(err)
	}
	handle := func(_ context.Context, e *ryze.Event) error {
		log.Print(e.Instance, e.Type)
		return nil
	}
	inbox, err := ryze.NewInbox(ryzeredis.WhileHeld(handle), ryze.WithDedupeStore(store))
	if err != nil {
		log.Fatal(err)
	}
	streams, err := ryzeredis.NewStreams(client)
	if err != nil {
		log.Fatal(err)
	}
	streams.Set("loja-1", "loja-2")
	open := func(ctx context.Context, instance string, opts ...ryze.SubscribeOption) (*ryze.Subscription, error) {
		return account.Instance(instance).Subscribe(ctx, opts...)
	}
	log.Print(streams.Run(context.Background(), open, inbox.Handle))
}

func ExampleNewDedupeStore() { //nolint:testableexamples // it needs a Redis
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	store, err := ryzeredis.NewDedupeStore(client)
	if err != nil {
		log.Fatal(err)
	}
	handle := func(_ context.Context, e *ryze.Event) error {
		log.Print(e.Instance, e.Type)
		return nil
	}
	_, err = ryze.NewInbox(handle, ryze.WithDedupeStore(store))
	if err != nil {
		log.Fatal(err)
	}
}
