package outbox_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/outbox"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of docs/outbox.md.

//nolint:errcheck // as the page has it
func Example_guide() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithInsecureHTTP())
	if err != nil {
		log.Fatal(err)
	}
	instance := client.Instance("shop", phone.Token())
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	if err := begin(ctx, filepath.Join(dir, "outbox.db"), instance); err != nil {
		log.Fatal(err)
	}
	// Output: sent
}

//nolint:errcheck // as the page has it
func begin(ctx context.Context, path string, instance *ryze.InstanceClient) error {
	open := func(ctx context.Context, name string) (*ryze.InstanceClient, error) {
		return instance, nil // an application of many instances keeps a client of each
	}
	o, err := outbox.OpenSQLite(path, open)
	if err != nil {
		return err
	}
	defer o.Close()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- o.Run(running) }()
	defer func() { stop(); <-ended }()

	entry, err := o.Add(ctx, outbox.Message{
		Key: "order-4711", Instance: "shop", To: "5511987654321", Content: ryze.Text("Thank you"),
	})
	if err != nil {
		return err // it was not taken: do as when any write to a database fails
	}
	entry, err = o.Wait(ctx, entry.Key) // who needs to know; most do not
	if err != nil {
		return err
	}
	fmt.Println(entry.State)
	return listen(ctx, o, instance)
}

//nolint:errcheck // as the page has it
func listen(ctx context.Context, o *outbox.Outbox, instance *ryze.InstanceClient) error {
	stream, err := instance.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		return err
	}
	defer stream.Close()
	go stream.Handle(ctx, o.Observe) //nolint:errcheck // it ends with the context
	return resolve(ctx, o, func(*outbox.Entry) (string, bool) { return "", false })
}

func resolve(ctx context.Context, o *outbox.Outbox, ask func(*outbox.Entry) (id string, sent bool)) error {
	for e, err := range o.Entries(ctx, outbox.Filter{States: []outbox.State{outbox.Unknown}}) {
		if err != nil {
			return err
		}
		if !e.Settled() {
			continue // it is still looked for
		}
		verdict := outbox.SendAgain()
		if id, sent := ask(e); sent { // a person looks at the phone
			verdict = outbox.WasSent(id)
		}
		if _, err := o.Resolve(ctx, e.Key, verdict); err != nil {
			return err
		}
	}
	return nil
}

func paced(path string, open outbox.Open, saoPaulo *time.Location) (*outbox.Outbox, error) {
	return outbox.OpenSQLite(path, open, outbox.WithPacing("shop", outbox.Pacing{
		PerMinute: 20, Jitter: 3 * time.Second, From: 8 * time.Hour, Until: 20 * time.Hour, Location: saoPaulo,
	}))
}

func confirm(ctx context.Context, pool *pgxpool.Pool, o *outbox.Outbox, to ryze.JID) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var id int64
		if err := tx.QueryRow(ctx, `INSERT INTO orders (phone) VALUES ($1) RETURNING id`, to.Phone()).Scan(&id); err != nil {
			return err
		}
		_, err := o.AddTx(ctx, tx, outbox.Message{Key: fmt.Sprint("order-", id), Instance: "shop", To: to, Content: ryze.Text("Thank you")})
		return err
	})
}

func shared(ctx context.Context, pool *pgxpool.Pool, open outbox.Open, workers *river.Workers) (*outbox.Outbox, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 10}},
	})
	if err != nil {
		return nil, err
	}
	o, err := outbox.OnPostgres(pool, open, outbox.WithRiver(client, workers))
	if err != nil {
		return nil, err
	}
	return o, client.Start(ctx) // after it; and o.Run as ever
}

var _, _, _ = paced, confirm, shared
