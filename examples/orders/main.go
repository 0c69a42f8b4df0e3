// Command orders takes orders into PostgreSQL and confirms each of them on
// WhatsApp. An order and its confirmation are committed together: there is no order
// without a confirmation, and no confirmation of an order that was rolled back.
//
//	DATABASE_URL=postgres://localhost/shop go run ./examples/orders
//
// plays it against a simulator; it makes a table of its own, and those of the
// outbox, in the schema of the connection. With RYZE_INSTANCE and
// RYZE_INSTANCE_TOKEN it takes one order from the command line:
//
//	go run ./examples/orders -phone 5511987654321 -item tea
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/outbox"
)

func main() {
	phone := flag.String("phone", "", "who orders")
	item := flag.String("item", "", "what is ordered")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, os.Getenv("DATABASE_URL"), *phone, *item, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

const tables = `
CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, pieces INT NOT NULL CHECK (pieces >= 0));
CREATE TABLE IF NOT EXISTS orders (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, phone TEXT NOT NULL, item TEXT NOT NULL REFERENCES stock);
INSERT INTO stock VALUES ('tea', 2), ('coffee', 100) ON CONFLICT DO NOTHING;`

// shop is what the application has: a database, and the outbox in it.
type shop struct {
	pool     *pgxpool.Pool
	outbox   *outbox.Outbox
	instance string
}

// order takes an order. When it returns an error, nothing was written.
func (s *shop) order(ctx context.Context, to ryze.JID, item string) (key string, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, `INSERT INTO orders (phone, item) VALUES ($1, $2) RETURNING id`, to.Phone(), item).Scan(&id)
		if err != nil {
			return err
		}
		key = fmt.Sprint("order-", id)
		_, err = s.outbox.AddTx(ctx, tx, outbox.Message{
			Key: key, Instance: s.instance, To: to, Content: ryze.Text(fmt.Sprintf("Order %d: one %s. Thank you!", id, item)),
		})
		if err != nil {
			return err
		}
		// Whatever fails from here on takes the confirmation back with the order.
		_, err = tx.Exec(ctx, `UPDATE stock SET pieces = pieces - 1 WHERE item = $1`, item)
		return err
	})
	return key, err
}

// report tells what became of the confirmations.
func (s *shop) report(ctx context.Context, out io.Writer) error {
	var orders int
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM orders`).Scan(&orders); err != nil {
		return err
	}
	stats, err := s.outbox.Stats(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d orders, %d confirmations sent.\n", orders, stats[outbox.Sent])
	return nil
}
