package docs_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of docs/numbers.md.

func Example_numbersBrazil() {
	to, err := ryze.BrazilPhone("(11) 98765-4321") // adds the 55
	if err != nil {
		fmt.Println(err) // says what is wrong, such as an area code that is missing
		return
	}
	fmt.Println(to)

	_, err = ryze.BrazilPhone("98765-4321")
	fmt.Println(err)
	_, err = ryze.PhoneJID("011 98765-4321")
	fmt.Println(errors.Is(err, ryze.ErrInvalidArgument))
	// Output:
	// 5511987654321@s.whatsapp.net
	// ryze: phone "98765-4321" has no area code, such as 11
	// true
}

func Example_numbersAliases() {
	customers := map[ryze.JID]string{"551187654321@s.whatsapp.net": "Ana"} // stored in the old form

	find := func(chat ryze.JID) (string, bool) {
		for _, form := range ryze.BrazilAliases(chat) { // as it came, then the other form
			if name, ok := customers[form]; ok {
				return name, true
			}
		}
		return "", false
	}

	fmt.Println(find("5511987654321"))
	fmt.Println(find("5511987654322"))
	// Output:
	// Ana true
	//  false
}

func Example_numbersLID() {
	sim, _, inst := supportLine()
	defer sim.Close()
	sim.AddContact(ryzetest.Contact{Phone: "5511987654321", LID: "100000000000001@lid", Name: "Ana"})

	phoneOf := func(ctx context.Context, who ryze.JID) (string, error) {
		if !who.IsLID() {
			return who.Phone(), nil // "" for a group or a channel
		}
		phone, err := inst.Contacts.PhoneOf(ctx, who)
		if errors.Is(err, ryze.ErrContactNotFound) {
			return "", nil // nobody knows: answer to the LID, it works as well
		}
		return phone.Phone(), err
	}

	fmt.Println(phoneOf(context.Background(), "100000000000001@lid"))
	fmt.Println(phoneOf(context.Background(), "100000000000002@lid"))
	// Output:
	// 5511987654321 <nil>
	//  <nil>
}

func Example_numbersExists() {
	sim, _, inst := supportLine()
	defer sim.Close()
	sim.SetUnreachable("5511933334444", "551133334444")

	err := func(ctx context.Context, phone ryze.JID) error {
		profile, err := inst.Profile.Lookup(ctx, phone)
		switch {
		case err == nil && profile.Exists():
			use(profile.JID) // the form that WhatsApp knows
			return nil
		case errors.Is(err, ryze.ErrInstanceNotFound), errors.Is(err, ryze.ErrForeignReply):
			return err // says nothing about the number
		case err == nil, errors.Is(err, ryze.ErrNotFound):
			return errors.New("this number is not on WhatsApp")
		default:
			return err // nobody knows
		}
	}(context.Background(), "5511933334444")
	fmt.Println(err)
	// Output: this number is not on WhatsApp
}

func Example_numbersGroups() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	phone.AddGroup("Deliveries", "5511987654321")

	err := func(ctx context.Context) error {
		groups, err := inst.Groups.List(ctx) // may take a minute: keep what you need of it
		if err != nil {
			return err
		}
		for _, g := range groups {
			if g.Name == "Deliveries" {
				_, err := inst.Messages.SendText(ctx, g.JID, "The van has left")
				return err
			}
		}
		return errors.New("no such group")
	}(context.Background())
	fmt.Println(phone.Sent()[0].Text, err)
	// Output: The van has left <nil>
}
