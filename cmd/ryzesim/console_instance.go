package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func instanceVerbs() []verb {
	return []verb{
		{"new", "NAME", "make an instance, not connected yet", "", newInstance},
		{"pair", "INSTANCE [PHONE]", "scan the QR code, or type the pairing code", "Without PHONE it is the number of the pairing code, of the last pairing, or a new one.", onInstance(0, pair)},
		{"fail-pairing", "INSTANCE", "WhatsApp refuses the pairing", "", play((*ryzetest.Instance).FailPairing)},
		{"code", "INSTANCE", "show the QR code's text or the pairing code", "", onInstance(0, code)},
		{"disconnect", "INSTANCE", "lose the connection", "", play((*ryzetest.Instance).Disconnect)},
		{"reconnect", "INSTANCE", "the connection comes back by itself", "", play((*ryzetest.Instance).Reconnect)},
		{"logout", "INSTANCE", "unlink the device on the phone", "", play((*ryzetest.Instance).LogOutFromPhone)},
		{"ban", "INSTANCE", "WhatsApp bans the number", "", play((*ryzetest.Instance).Ban)},
		{"drop", "[INSTANCE] [CODE]", "cut event streams: all, or those of an instance", "With CODE (1000 to 4999) they end with a close frame of that code, else abruptly.", drop},
		{"receipts", "INSTANCE off|DELIVERED [READ [PLAYED]]", "when customers receive, read and play what is sent from now on",
			"Each is a duration after the send, or none for never. Example: receipts demo 2s 1m", onInstance(1, receipts)},
		{"receipt", "INSTANCE STATUS ID...", "a receipt comes now", "STATUS is delivered, read, played, retry, server_error or anything else.", onInstance(2, receipt)},
		{"refuse", "INSTANCE TIMES REASON...", "WhatsApp refuses the next calls and newsletter operations",
			"The routes are those whose documented 500 ends with the reason. Faults play errors of any route: \"help fault\".", onInstance(2, refuse)},
		{"eat", "[INSTANCE] REQUESTS", "another program spends so many requests of the window of the account or of an instance", "", eat},
	}
}

// play is a command about an instance and nothing else.
func play(do func(*ryzetest.Instance)) func(*console, []string) (string, error) {
	return onInstance(0, func(_ *console, i *ryzetest.Instance, args []string) (string, error) {
		if len(args) > 0 {
			return "", errUsage
		}
		do(i)
		return is(i), nil
	})
}

func is(i *ryzetest.Instance) string { return fmt.Sprintf("%s is %s", i.Name(), i.State()) }

func newInstance(c *console, args []string) (string, error) {
	if len(args) != 1 || args[0] == "" {
		return "", errUsage
	}
	if c.srv.Instance(args[0]) != nil {
		return "", fmt.Errorf("there is an instance %q already", args[0])
	}
	return is(c.srv.AddInstance(args[0])), nil
}

func pair(_ *console, i *ryzetest.Instance, args []string) (string, error) {
	phone := ""
	if len(args) > 0 {
		var err error
		if phone, err = who(strings.Join(args, "")); err != nil {
			return "", err
		}
		if strings.Contains(phone, "@") {
			return "", fmt.Errorf("%q is no number", phone)
		}
	}
	i.Pair(phone)
	return is(i) + " with the number " + i.Phone(), nil
}

func code(_ *console, i *ryzetest.Instance, _ []string) (string, error) {
	switch {
	case i.PairingCode() != "":
		return "pairing code " + i.PairingCode(), nil
	case i.QRCode() != "":
		return "QR code " + i.QRCode(), nil
	}
	return "", fmt.Errorf("%s shows no code: it is %s", i.Name(), i.State())
}

func drop(c *console, args []string) (string, error) {
	end := c.srv.DropWebSockets
	if len(args) > 0 {
		if _, err := strconv.Atoi(args[0]); err != nil || c.srv.Instance(args[0]) != nil {
			i, err := c.instance(args[0])
			if err != nil {
				return "", err
			}
			end, args = i.DropWebSockets, args[1:]
		}
	}
	code := 0
	switch len(args) {
	case 0:
	case 1:
		var err error
		if code, err = strconv.Atoi(args[0]); err != nil || code < 1000 || code > 4999 {
			return "", fmt.Errorf("%q is no close code, from 1000 to 4999", args[0])
		}
	default:
		return "", errUsage
	}
	end(code)
	return "", nil
}

func receipts(_ *console, i *ryzetest.Instance, args []string) (string, error) {
	r, err := parseReceipts(args)
	if err != nil {
		return "", err
	}
	i.SetDelivery(r)
	return "", nil
}

func receipt(_ *console, i *ryzetest.Instance, args []string) (string, error) {
	ids := args[1:]
	for k, ref := range ids {
		if full, err := ending(i, ref); err == nil {
			ids[k] = full // what is unknown goes into the event as it is
		}
	}
	i.Receipt(args[0], ids...)
	return "", nil
}

func refuse(_ *console, i *ryzetest.Instance, args []string) (string, error) {
	times, err := strconv.Atoi(args[0])
	if err != nil || times < 0 {
		return "", fmt.Errorf("%q is no number of times", args[0])
	}
	i.FailWhatsApp(strings.Join(args[1:], " "), times)
	return "", nil
}

func eat(c *console, args []string) (string, error) {
	token := c.srv.AccountToken
	if len(args) == 2 {
		i, err := c.instance(args[0])
		if err != nil {
			return "", err
		}
		token, args = i.Token(), args[1:]
	}
	if len(args) != 1 {
		return "", errUsage
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return "", fmt.Errorf("%q is no number of requests", args[0])
	}
	c.srv.Eat(token, n)
	return "", nil
}

// history adds to what the phone holds, or forgets it.
func history(c *console, i *ryzetest.Instance, args []string) (string, error) {
	if len(args) == 1 && args[0] == "clear" {
		i.SetHistory(nil)
		return "", nil
	}
	if len(args) < 3 {
		return "", errUsage
	}
	ago, err := time.ParseDuration(args[0])
	if err != nil || ago < 0 {
		return "", fmt.Errorf("%q is no duration, such as 48h", args[0])
	}
	in := ryzetest.Incoming{From: "me", At: c.srv.Now().Add(-ago)}
	words := args[2:]
	switch {
	case args[1] != "me":
		if in.From, err = who(args[1]); err != nil {
			return "", err
		}
	case len(words) < 2:
		return "", errUsage
	default:
		if in.Group, err = who(words[0]); err != nil {
			return "", err
		}
		words = words[1:]
	}
	in.Text = strings.Join(words, " ")
	old := append(i.History(), in)
	i.SetHistory(old)
	return fmt.Sprintf("%s holds %d old messages", i.Name(), len(old)), nil
}
