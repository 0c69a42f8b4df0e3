package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func peopleVerbs() []verb {
	return []verb{
		{"contact", "NUMBER [-lid LID] [-about TEXT] [NAME...]", "make a WhatsApp user known, with name and LID", "LID is digits, with or without @lid. Example: contact 5511987654321 -lid 7788 Ana Lima", contact},
		{"unreachable", "NUMBER...", "numbers without WhatsApp: a send to them is a 400",
			"A Brazilian mobile number has two forms, with and without the ninth digit: name both.", unreachable},
		{"unaddable", "NUMBER...", "people whose privacy settings forbid adding them to groups", "", unaddable},
		{"group", "NAME OWNER MEMBER...", "make a group; its JID is printed", `OWNER and MEMBER are numbers, or names of instances. Customers write in it with
receive INSTANCE -group JID FROM TEXT`, newGroup},
		{"join", "GROUP WHO...", "people join a group, or are added", "", groupOf((*ryzetest.Group).Join)},
		{"leave", "GROUP WHO...", "people leave a group, or are removed", "", groupOf((*ryzetest.Group).Leave)},
		{"promote", "GROUP WHO...", "members become admins", "", groupOf((*ryzetest.Group).Promote)},
		{"demote", "GROUP WHO...", "admins become members", "", groupOf((*ryzetest.Group).Demote)},
		{"ask", "GROUP WHO...", "people ask to be let in", "", groupOf(func(g *ryzetest.Group, who ...string) {
			for _, w := range who {
				g.RequestToJoin(w)
			}
		})},
		{"rename", "GROUP NAME...", "another member changes the name", "", rename},
		{"members", "GROUP", "who is in a group", "", members},
	}
}

func contact(c *console, args []string) (string, error) {
	person := ryzetest.Contact{}
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&person.LID, "lid", "", "")
	f.StringVar(&person.About, "about", "", "")
	if len(args) == 0 {
		return "", errUsage
	}
	var err error
	if person.Phone, err = who(args[0]); err != nil {
		return "", err
	}
	if strings.Contains(person.Phone, "@") {
		return "", fmt.Errorf("%q is no number", args[0])
	}
	if err := f.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return "", errUsage
	} else if err != nil {
		return "", err
	}
	person.Name = strings.Join(f.Args(), " ")
	if person.LID != "" {
		if person.LID, err = who(strings.TrimSuffix(person.LID, "@lid")); err != nil || strings.Contains(person.LID, "@") {
			return "", errors.New("a LID is digits, with or without @lid")
		}
		person.LID += "@lid"
	}
	c.srv.AddContact(person)
	return "", nil
}

func unreachable(c *console, args []string) (string, error) {
	list, err := numbers(args)
	c.srv.SetUnreachable(list...)
	return "", err
}

func unaddable(c *console, args []string) (string, error) {
	list, err := numbers(args)
	c.srv.SetUnaddable(list...)
	return "", err
}

// numbers are digits, all of them or none.
func numbers(args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, errUsage
	}
	list := make([]string, len(args))
	for k, arg := range args {
		var err error
		if list[k], err = who(arg); err != nil {
			return nil, err
		}
		list[k] = strings.TrimSuffix(list[k], "@s.whatsapp.net")
		if strings.Contains(list[k], "@") {
			return nil, fmt.Errorf("%q is no number", arg)
		}
	}
	return list, nil
}

// person is a number, a JID, or the number of an instance.
func (c *console) person(arg string) (string, error) {
	if i := c.srv.Instance(arg); i != nil {
		if i.Phone() == "" {
			return "", fmt.Errorf("%s has no number yet; \"pair %s\" gives it one", arg, arg)
		}
		return i.Phone(), nil
	}
	return who(arg)
}

func (c *console) people(args []string) ([]string, error) {
	list := make([]string, len(args))
	for k, arg := range args {
		var err error
		if list[k], err = c.person(arg); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func newGroup(c *console, args []string) (string, error) {
	if len(args) < 2 {
		return "", errUsage
	}
	people, err := c.people(args[1:])
	if err != nil {
		return "", err
	}
	return "group " + c.srv.AddGroup(ryzetest.NewGroup{Name: args[0], Owner: people[0], Members: people[1:]}).JID(), nil
}

func (c *console) group(jid string) (*ryzetest.Group, error) {
	for _, full := range []string{jid, jid + "@g.us"} {
		if g := c.srv.Group(full); g != nil {
			return g, nil
		}
	}
	return nil, fmt.Errorf(`no group %q: it is named by the JID that "group" has printed`, jid)
}

func groupOf(do func(*ryzetest.Group, ...string)) func(*console, []string) (string, error) {
	return func(c *console, args []string) (string, error) {
		if len(args) < 2 {
			return "", errUsage
		}
		g, err := c.group(args[0])
		if err != nil {
			return "", err
		}
		people, err := c.people(args[1:])
		if err != nil {
			return "", err
		}
		do(g, people...)
		return fmt.Sprintf("%s has %d members", g.Name(), len(g.Members())), nil
	}
}

func rename(c *console, args []string) (string, error) {
	if len(args) < 2 {
		return "", errUsage
	}
	g, err := c.group(args[0])
	if err == nil {
		g.Rename(strings.Join(args[1:], " "))
	}
	return "", err
}

func members(c *console, args []string) (string, error) {
	if len(args) != 1 {
		return "", errUsage
	}
	g, err := c.group(args[0])
	if err != nil {
		return "", err
	}
	list := []string{g.Name()}
	for _, m := range g.Members() {
		line := "  " + m.JID
		switch {
		case m.SuperAdmin:
			line += " owner"
		case m.Admin:
			line += " admin"
		}
		list = append(list, line)
	}
	return strings.Join(list, "\n"), nil
}
