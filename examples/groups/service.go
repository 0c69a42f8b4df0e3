package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
)

type service struct {
	*demo.Service
	members []ryze.JID
	wait    time.Duration // how long to wait for people who ask to join

	linkShared func(group ryze.JID)
}

func open(members string) (*service, error) {
	base, err := demo.Open(demo.Config{})
	if err != nil {
		return nil, err
	}
	if base.Simulator != nil {
		return simulated(base), nil
	}
	s := &service{Service: base, wait: time.Minute, linkShared: func(ryze.JID) {}}
	for _, number := range strings.Split(members, ",") {
		member, err := ryze.PhoneJID(number)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("-members: %w", err), base.Close())
		}
		s.members = append(s.members, member)
	}
	if len(s.members) < 2 {
		return nil, errors.Join(errors.New("name at least two people: -members 5511987654321,5521998765432"), base.Close())
	}
	return s, nil
}

// simulated has four people in it, of whom one is not on WhatsApp and one does
// not want to be added; two others ask to join.
func simulated(base *demo.Service) *service {
	base.Simulator.SetUnreachable("5531000000000")
	base.Simulator.SetUnaddable("5541977776666")
	return &service{
		Service: base,
		members: []ryze.JID{"5511987654321", "5531000000000", "5541977776666", "5521998765432"},
		linkShared: func(group ryze.JID) {
			g := base.Simulator.Group(string(group))
			g.RequestToJoin("5551966665555")
			g.RequestToJoin("199999999999999@lid") // somebody who hides the number
		},
	}
}
