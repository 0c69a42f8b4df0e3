package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

const help = `pair INSTANCE [PHONE]           scan the QR code, or type the pairing code
receive INSTANCE FROM TEXT...   a customer writes
type INSTANCE TO TEXT...        somebody writes on the phone itself
tap INSTANCE FROM ID            a customer taps a button
disconnect INSTANCE             lose the connection
logout INSTANCE                 unlink the device on the phone
ban INSTANCE                    WhatsApp bans the number
drop                            cut every event stream
advance DURATION                move the server's clock forward`

// command plays the phone as its input says, line by line.
func command(srv *ryzetest.Server, in io.Reader, log *lines) {
	sc := bufio.NewScanner(in)
	for sc.Scan() {
		words := strings.Fields(sc.Text())
		if len(words) == 0 {
			continue
		}
		answer, err := execute(srv, words[0], words[1:])
		switch {
		case err != nil:
			log.printf("%v", err)
		case answer != "":
			log.printf("%s", answer)
		}
	}
}

var errUsage = errors.New(`wrong arguments; see "help"`)

func execute(srv *ryzetest.Server, verb string, args []string) (string, error) {
	switch verb {
	case "help":
		return help, nil
	case "drop":
		srv.DropWebSockets(0)
		return "", nil
	case "advance":
		if len(args) != 1 {
			return "", errUsage
		}
		d, err := time.ParseDuration(args[0])
		if err != nil {
			return "", err
		}
		srv.Advance(d)
		return "", nil
	}

	if len(args) == 0 {
		return "", errUsage
	}
	i := srv.Instance(args[0])
	if i == nil {
		return "", fmt.Errorf("no instance %q", args[0])
	}
	args = args[1:]
	switch verb {
	case "pair":
		i.Pair(strings.Join(args, ""))
	case "disconnect":
		i.Disconnect()
	case "logout":
		i.LogOutFromPhone()
	case "ban":
		i.Ban()
	case "receive", "type", "tap":
		if len(args) < 2 {
			return "", errUsage
		}
		return talk(i, verb, args[0], strings.Join(args[1:], " "))
	default:
		return "", fmt.Errorf(`unknown command %q; see "help"`, verb)
	}
	return fmt.Sprintf("%s is %s", i.Name(), i.State()), nil
}

func talk(i *ryzetest.Instance, verb, who, text string) (string, error) {
	var id string
	switch verb {
	case "receive":
		id = i.Receive(ryzetest.Incoming{From: who, Text: text})
	case "tap":
		id = i.Receive(ryzetest.Incoming{From: who, Answer: &ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: text}})
	case "type":
		id = i.TypeOnPhone(who, ryzetest.Incoming{Text: text})
	}
	if id == "" {
		return "", fmt.Errorf("%s is %s", i.Name(), i.State())
	}
	return "message " + id, nil
}
