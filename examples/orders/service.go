package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/outbox"
)

func start(ctx context.Context, database, phone, item string, out io.Writer) (err error) {
	if database == "" {
		return errors.New("set DATABASE_URL to a PostgreSQL database")
	}
	service, err := demo.Open(demo.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, tables); err != nil {
		return err
	}
	open := func(context.Context, string) (*ryze.InstanceClient, error) { return service.Instance, nil }
	box, err := outbox.OnPostgres(pool, open)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	sending := make(chan error, 1)
	go func() { sending <- box.Run(running) }()
	defer func() { stop(); err = errors.Join(err, <-sending) }()

	shop := &shop{pool: pool, outbox: box, instance: service.Instance.Name()}
	if service.Simulator != nil {
		return play(ctx, shop, out)
	}
	to, err := ryze.PhoneJID(phone)
	if err != nil {
		return fmt.Errorf("-phone: %w", err)
	}
	return shop.serve(ctx, to, item, out)
}

// serve takes an order and waits for its confirmation.
func (s *shop) serve(ctx context.Context, to ryze.JID, item string, out io.Writer) error {
	key, err := s.order(ctx, to, item)
	if err != nil {
		return err
	}
	entry, err := s.outbox.Wait(ctx, key)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s for %s: %s\n", key, to.Phone(), entry.State)
	return nil
}

// play has four people who want tea, of which there are two, whoever has played before.
func play(ctx context.Context, shop *shop, out io.Writer) error {
	if _, err := shop.pool.Exec(ctx, `UPDATE stock SET pieces = 2 WHERE item = 'tea'`); err != nil {
		return err
	}
	for _, phone := range []string{"5511987654321", "5521998765432", "5511987654322", "5521998765433"} {
		if err := shop.serve(ctx, ryze.JID(phone), "tea", out); err != nil {
			fmt.Fprintf(out, "%s gets none: %v\n", phone, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return shop.report(ctx, out)
}
