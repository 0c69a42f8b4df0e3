package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/outbox"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func Example() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithInsecureHTTP())
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // as a program has it

	open := func(_ context.Context, instance string) (*ryze.InstanceClient, error) {
		return client.Instance(instance, phone.Token()), nil
	}
	o, err := outbox.OpenSQLite(filepath.Join(dir, "outbox.db"), open)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	ended := make(chan error)
	go func() { ended <- o.Run(ctx) }()

	code := outbox.Message{
		Key: "login-42", Instance: "shop", To: "5511987654321", Content: ryze.Text("Your code is 123456"),
		Priority: ryze.PriorityHigh, ExpiresAt: time.Now().Add(5 * time.Minute),
	}
	for range 2 { // the same key is the same message
		if _, err := o.Add(ctx, code); err != nil {
			log.Fatal(err)
		}
	}
	entry, err := o.Wait(ctx, "login-42")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(entry.State, len(phone.Sent()))

	code.Content = ryze.Text("Your code is 654321")
	_, err = o.Add(ctx, code)
	fmt.Println(errors.Is(err, outbox.ErrKeyReused))

	cancel()
	if err := errors.Join(<-ended, o.Close()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// sent 1
	// true
}
