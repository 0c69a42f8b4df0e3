package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func lookVerbs() []verb {
	return []verb{
		{"instances", "", "list the instances", "", instances},
		{"chats", "INSTANCE", "list the chats, the newest first", "", onInstance(0, chats)},
		{"messages", "INSTANCE [CHAT] [COUNT]", "list the newest messages with their ids", "CHAT is a number or a JID. COUNT is 20 when it is left out.", onInstance(0, messages)},
		{"typing", "INSTANCE", "in which chats customers see the instance typing or recording", "The service has no event for a customer who types, so none can be played.", onInstance(0, typing)},
		{"calls", "INSTANCE", "list the calls that the instance has placed", "", onInstance(0, calls)},
		{"deliveries", "[COUNT]", "list the newest attempts to deliver to webhooks", "", deliveries},
		{"dead-letters", "", "list the events that no attempt could deliver", "", deadLetters},
	}
}

const listed = 20 // lines, when no count is given

func instances(c *console, args []string) (string, error) {
	if len(args) > 0 {
		return "", errUsage
	}
	var b strings.Builder
	for _, i := range c.srv.Instances() {
		fmt.Fprintf(&b, "%s is %s", i.Name(), i.State())
		if i.Phone() != "" {
			fmt.Fprintf(&b, " with the number %s", i.Phone())
		}
		fmt.Fprintf(&b, ", %d streams\n", i.WebSockets())
	}
	if b.Len() == 0 {
		return `There is no instance yet; "new NAME" makes one.`, nil
	}
	return b.String(), nil
}

func chats(_ *console, i *ryzetest.Instance, args []string) (string, error) {
	if len(args) > 0 {
		return "", errUsage
	}
	var b strings.Builder
	for _, chat := range i.Chats() {
		fmt.Fprintf(&b, "%s %s", chat.JID, strconv.Quote(chat.Name))
		if chat.Unread > 0 {
			fmt.Fprintf(&b, " unread=%d", chat.Unread)
		}
		for _, mark := range []struct {
			word string
			on   bool
		}{{"archived", chat.Archived}, {"pinned", chat.Pinned}, {"muted", chat.Muted}, {"blocked", chat.Blocked}, {chat.Presence, chat.Presence != ""}} {
			if mark.on {
				b.WriteString(" " + mark.word)
			}
		}
		b.WriteString("\n")
	}
	if b.Len() == 0 {
		return i.Name() + " has no chats", nil
	}
	return b.String(), nil
}

func messages(_ *console, i *ryzetest.Instance, args []string) (string, error) {
	count := listed
	if len(args) > 0 {
		if n, err := strconv.Atoi(args[len(args)-1]); err == nil && n >= 0 && n < 100000 {
			count, args = n, args[:len(args)-1]
		}
	}
	if len(args) > 1 {
		return "", errUsage
	}
	chat, canonical := "", canonicalJIDs(i)
	if len(args) == 1 {
		number, err := who(args[0])
		if err != nil {
			return "", err
		}
		chat = canonical(number)
	}
	var list []string
	for _, m := range i.Messages() {
		if chat == "" || canonical(m.Chat) == chat {
			list = append(list, describe(m))
		}
	}
	if len(list) == 0 {
		return "There are no messages.", nil
	}
	return strings.Join(list[max(0, len(list)-count):], "\n"), nil
}

// describe is a line about a message.
func describe(m ryzetest.Message) string {
	from := "from " + m.Sender
	if m.FromMe {
		from = "to " + m.Chat
	} else if m.Chat != m.Sender {
		from += " in " + m.Chat
	}
	line := fmt.Sprintf("%s %s %s %s", m.ID, m.Timestamp.Format(time.TimeOnly), from, m.Kind)
	if m.Text != "" {
		line += " " + strconv.Quote(cut(m.Text, maxLoggedText))
	}
	if m.Media != nil && m.Media.FileName != "" {
		line += " file=" + strconv.Quote(m.Media.FileName)
	}
	if m.Reaction != nil {
		line += " " + m.Reaction.Emoji + " on " + m.Reaction.MessageID
	}
	if m.Answer != nil {
		line += " id=" + strconv.Quote(m.Answer.ID)
	}
	for _, mark := range []struct {
		word string
		on   bool
	}{{"edited", m.Edited}, {"revoked", m.Revoked}, {"deleted", m.Deleted}} {
		if mark.on {
			line += " " + mark.word
		}
	}
	return line + " " + m.Status
}

func typing(_ *console, i *ryzetest.Instance, _ []string) (string, error) {
	var list []string
	for _, chat := range i.Chats() {
		if chat.Presence != "" {
			list = append(list, chat.JID+" sees "+chat.Presence)
		}
	}
	if len(list) == 0 {
		return "Nobody sees anything.", nil
	}
	return strings.Join(list, "\n"), nil
}

func calls(_ *console, i *ryzetest.Instance, _ []string) (string, error) {
	var list []string
	for _, call := range i.Calls() {
		list = append(list, fmt.Sprintf("%s %s to %s", call.ID, call.At.Format(time.TimeOnly), call.To))
	}
	if len(list) == 0 {
		return i.Name() + " has placed no calls", nil
	}
	return strings.Join(list, "\n"), nil
}

func deliveries(c *console, args []string) (string, error) {
	count := listed
	if len(args) > 1 {
		return "", errUsage
	}
	if len(args) == 1 {
		var err error
		if count, err = strconv.Atoi(args[0]); err != nil || count < 0 {
			return "", fmt.Errorf("%q is no count", args[0])
		}
	}
	all := c.srv.Deliveries()
	return delivered(c, all[max(0, len(all)-count):]), nil
}

func deadLetters(c *console, _ []string) (string, error) {
	var list []ryzetest.Delivery
	for _, letter := range c.srv.DeadLetters() {
		list = append(list, letter.Delivery)
	}
	return delivered(c, list), nil
}

func delivered(c *console, list []ryzetest.Delivery) string {
	if len(list) == 0 {
		return "There are none."
	}
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s %s %s to %s, attempt %d: ", d.Time.Format(time.TimeOnly), d.Instance, d.Event, d.URL, d.Attempt)
		if d.Err != nil {
			fmt.Fprintf(&b, "%v\n", d.Err)
		} else {
			fmt.Fprintf(&b, "%d\n", d.Status)
		}
	}
	return hide(b.String(), tokensOf(c.srv))
}
