package docs_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of docs/tokens.md.

func Example_tokensCreate() {
	sim := ryzetest.NewServer(ryzetest.WithAutoPair(0))
	defer sim.Close()
	client, err := ryze.New(ryze.WithBaseURL(sim.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	account := client.Account(sim.AccountToken)
	save := func(name, token string) error {
		fmt.Println(name, token == sim.Instance(name).Token())
		return nil
	}
	show := func([]byte) { sim.Instance("customer-17").Pair("5511900000001") }

	err = func(ctx context.Context) error {
		created, err := account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "customer-17"})
		if err != nil && !errors.Is(err, ryze.ErrPartial) { // in part: the instance is there
			return err
		}
		if err := save(created.Name, created.Token.Reveal()); err != nil { // encrypted, please
			return err
		}
		inst := account.InstanceFrom(created) // acts with the instance's own token
		pairing, err := inst.Connect(ctx, ryze.ConnectParams{})
		if err != nil {
			return err
		}
		show(pairing.PNG()) // to the person who holds the phone, and to nobody else
		_, err = inst.WaitConnected(ctx)
		return err
	}(context.Background())
	fmt.Println(err)
	// Output:
	// customer-17 true
	// <nil>
}

func Example_tokensTenants() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	client := inst.Client()
	load := func(context.Context, string) (name, token string, err error) {
		return "support-line", phone.Token(), nil
	}

	err := func(ctx context.Context, tenant string, to ryze.JID) error {
		name, token, err := load(ctx, tenant) // what was saved at creation
		if err != nil {
			return err
		}
		_, err = client.Instance(name, token).Messages.SendText(ctx, to, "Hello")
		return err
	}(context.Background(), "customer-17", "5511987654321")
	fmt.Println(len(phone.Sent()), err)
	// Output: 1 <nil>
}

func Example_tokensCheck() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	wrong := inst.Client().Instance("support-lne", phone.Token()) // a letter is missing
	check := func(ctx context.Context, inst *ryze.InstanceClient) error {
		info, err := inst.Info(ctx)
		switch {
		case errors.Is(err, ryze.ErrUnauthorized): // the token is wrong, or its instance was deleted
			return err
		case errors.Is(err, ryze.ErrNotFound): // no instance of this name, for this token
			return err
		case err != nil: // nobody knows: ask again later
			return err
		case !info.Connected():
			return fmt.Errorf("%s is %s", info.Name, info.State)
		}
		return nil
	}

	fmt.Println(check(context.Background(), inst))
	fmt.Println(check(context.Background(), wrong))
	phone.Disconnect()
	fmt.Println(check(context.Background(), inst))
	// Output:
	// <nil>
	// ryze: no instance is named "support-lne", and the token belongs to the instance "support-line": instance not found
	// support-line is disconnected
}
