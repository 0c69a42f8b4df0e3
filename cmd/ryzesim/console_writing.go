package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

const writingDetail = `Options stand before FROM: -group JID (written in that group), -name NAME (how FROM is called),
-reply ID (quotes), -mention NUMBER (may be repeated), -forwarded, -lid (FROM shows its LID only),
-ago DURATION (it was written then), -me (the owner writes to FROM on the phone itself).`

const idDetail = `ID may be the end of one, or the word last: the newest message of the chat that fits.`

func writingVerbs() []verb {
	return []verb{
		{"receive", "INSTANCE [OPTION]... FROM TEXT...", "a customer writes", writingDetail, writing(1, text)},
		{"type", "INSTANCE [OPTION]... TO TEXT...", "somebody writes on the phone itself", writingDetail, onPhone(1, text)},
		{"media", "INSTANCE [OPTION]... FROM FILE [CAPTION...]", "a customer sends a file", writingDetail +
			"\nThe kind follows from the content and the name; -kind image, video, audio, document or sticker sets it.", writing(1, media)},
		{"voice", "INSTANCE [OPTION]... FROM FILE [SECONDS]", "a customer sends a voice note", writingDetail, writing(1, voice)},
		{"location", "INSTANCE [OPTION]... FROM LATITUDE LONGITUDE [NAME...]", "a customer shares a place", writingDetail, writing(2, location)},
		{"card", "INSTANCE [OPTION]... FROM NUMBER NAME...", "a customer shares a contact", writingDetail, writing(2, card)},
		{"poll", "INSTANCE [OPTION]... FROM QUESTION OPTION...", "a customer asks with a poll", writingDetail, writing(3, poll)},
		{"reply", "INSTANCE [OPTION]... FROM ID TEXT...", "a customer answers a message", writingDetail + "\n" + idDetail, writing(2, reply)},
		{"react", "INSTANCE [OPTION]... FROM ID [EMOJI]", "a customer reacts; without an emoji it is taken away", writingDetail + "\n" + idDetail, writing(1, react)},
		{"edit", "INSTANCE [OPTION]... FROM ID TEXT...", "a customer changes a text", writingDetail + "\n" + idDetail, writing(2, edit)},
		{"revoke", "INSTANCE [OPTION]... FROM ID", "a customer takes a message back", writingDetail + "\n" + idDetail, writing(1, revoke)},
		{"tap", "INSTANCE [OPTION]... FROM ID", "a customer taps a button", writingDetail +
			"\n-card N is the card of a carousel, from 0; -as-text is a tap that arrives as a text with the id.", writing(1, tap)},
		{"pick", "INSTANCE [OPTION]... FROM ID [TITLE...]", "a customer picks a row of a list", writingDetail, writing(1, pick)},
		{"fill", "INSTANCE [OPTION]... FROM TOKEN [KEY=VALUE]...", "a customer fills a form", writingDetail, writing(1, fill)},
		{"vote", "INSTANCE VOTER POLL [OPTION]...", "somebody votes in a poll that the instance sent; without an option the vote is withdrawn",
			"POLL is the id of its message, the end of one, or last.", onInstance(2, vote)},
		{"history", "INSTANCE AGO FROM TEXT...", "an old message that the phone has, for the next pairing", `FROM me TO TEXT is one that the phone sent. It comes with a pairing that asks for the history.
history INSTANCE clear forgets all of them. Example: history demo 48h 5511987654321 Hello`, onInstance(1, history)},
	}
}

// written is what the options of a writing command say.
type written struct {
	ryzetest.Incoming
	me     bool
	kind   string
	card   int
	asText bool
	ago    time.Duration
}

type composer func(c *console, i *ryzetest.Instance, w *written, args []string) error

// writing is a command in which FROM writes; so many words at least follow it.
func writing(least int, compose composer) func(*console, []string) (string, error) {
	return write(least, compose, false)
}

func onPhone(least int, compose composer) func(*console, []string) (string, error) {
	return write(least, compose, true)
}

func write(least int, compose composer, me bool) func(*console, []string) (string, error) {
	return func(c *console, args []string) (string, error) {
		w := &written{me: me, card: -1}
		args, err := w.options(args)
		if err != nil {
			return "", err
		}
		if len(args) < 2+least {
			return "", errUsage
		}
		i, err := c.instance(args[0])
		if err != nil {
			return "", err
		}
		if w.From, err = who(args[1]); err != nil {
			return "", err
		}
		if w.ago != 0 {
			w.At = c.srv.Now().Add(-w.ago)
		}
		if w.ReplyTo != "" {
			if w.ReplyTo, err = messageID(i, w, w.ReplyTo, anyone); err != nil {
				return "", err
			}
		}
		if err := compose(c, i, w, args[2:]); err != nil {
			return "", err
		}
		var id string
		if w.me {
			to := cmp.Or(w.Group, w.From)
			w.From, w.Group = "", ""
			id = i.TypeOnPhone(to, w.Incoming)
		} else {
			id = i.Receive(w.Incoming)
		}
		if id == "" {
			return "", fmt.Errorf("nothing came of it: %s is %s, or it ignores or blocks that chat, or who writes is not in the group", i.Name(), i.State())
		}
		return "message " + id, nil
	}
}

// options reads the options behind the verb or behind the instance.
func (w *written) options(args []string) ([]string, error) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&w.Group, "group", "", "")
	f.StringVar(&w.Name, "name", "", "")
	f.StringVar(&w.ReplyTo, "reply", "", "")
	f.StringVar(&w.ID, "id", "", "")
	f.StringVar(&w.kind, "kind", "", "")
	f.Var((*words)(&w.Mentions), "mention", "")
	f.BoolVar(&w.Forwarded, "forwarded", false, "")
	f.BoolVar(&w.HideNumber, "lid", false, "")
	f.BoolVar(&w.me, "me", w.me, "")
	f.BoolVar(&w.asText, "as-text", false, "")
	f.IntVar(&w.card, "card", w.card, "")
	f.DurationVar(&w.ago, "ago", 0, "")
	parse := func(args []string) ([]string, error) {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, errUsage
		} else if err != nil {
			return nil, err
		}
		return f.Args(), nil
	}
	rest, err := parse(args)
	if err != nil || len(rest) == 0 {
		return rest, err
	}
	behind, err := parse(rest[1:])
	return append([]string{rest[0]}, behind...), err
}

// who reads a number or a JID: "+55 (11) 98765-4321" is one word in quotes.
func who(s string) (string, error) {
	if strings.Contains(s, "@") {
		return s, nil
	}
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune("+ ()-.", r) {
			return -1
		}
		return r
	}, s)
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", fmt.Errorf("%q is neither a number nor a JID", s)
	}
	return digits, nil
}

// author says whose messages a reference may mean.
type author int

const (
	anyone  author = iota
	oneself        // whoever writes
	others         // everybody else
)

// messageID finds the message that a reference means.
func messageID(i *ryzetest.Instance, w *written, ref string, by author) (string, error) {
	if ref != "last" {
		return ending(i, ref)
	}
	canonical := canonicalJIDs(i)
	writer := canonical(w.From)
	chat := cmp.Or(w.Group, writer)
	for _, m := range slices.Backward(i.Messages()) {
		own := m.FromMe == w.me && (w.me || canonical(m.Sender) == writer)
		if canonical(m.Chat) == chat && m.Reaction == nil && (by == anyone || own == (by == oneself)) {
			return m.ID, nil
		}
	}
	return "", fmt.Errorf("no message in %s fits", chat)
}

// canonicalJIDs returns a function that gives the one JID under which a chat is kept,
// whichever of its addresses it is asked for.
func canonicalJIDs(i *ryzetest.Instance) func(string) string {
	known := map[string]string{}
	return func(jid string) string {
		c, ok := known[jid]
		if !ok {
			c = i.Chat(jid).JID
			known[jid] = c
		}
		return c
	}
}

// ending finds the message whose id is that, or ends so.
func ending(i *ryzetest.Instance, ref string) (string, error) {
	if _, there := i.Message(ref); there {
		return ref, nil
	}
	found := ""
	for _, m := range i.Messages() {
		if len(ref) >= 4 && strings.HasSuffix(strings.ToUpper(m.ID), strings.ToUpper(ref)) {
			if found != "" {
				return "", fmt.Errorf("%q is the end of several ids", ref)
			}
			found = m.ID
		}
	}
	if found == "" {
		return "", fmt.Errorf(`no message %q; "messages %s" lists them`, ref, i.Name())
	}
	return found, nil
}

func text(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	w.Text = strings.Join(args, " ")
	return nil
}

func media(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	file, err := readFile(args[0])
	if err != nil {
		return err
	}
	file.Kind = w.kind
	w.Media, w.Text = file, strings.Join(args[1:], " ")
	return nil
}

func voice(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	file, err := readFile(args[0])
	if err != nil {
		return err
	}
	file.Kind, file.Voice, file.FileName = "audio", true, ""
	if len(args) > 1 {
		if file.Duration, err = strconv.Atoi(args[1]); err != nil || file.Duration < 0 {
			return fmt.Errorf("%q is no number of seconds", args[1])
		}
	}
	w.Media = file
	return nil
}

// maxFile bounds a file that a customer sends, in bytes.
const maxFile = 100 << 20

func readFile(path string) (*ryzetest.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than 100 MiB", path)
	}
	file := &ryzetest.File{Data: data, FileName: filepath.Base(path)}
	if t := mime.TypeByExtension(filepath.Ext(path)); t != "" {
		file.MIME = t
	}
	return file, nil
}

func location(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	latitude, err := strconv.ParseFloat(args[0], 64)
	if err != nil || latitude < -90 || latitude > 90 {
		return fmt.Errorf("%q is no latitude", args[0])
	}
	longitude, err := strconv.ParseFloat(args[1], 64)
	if err != nil || longitude < -180 || longitude > 180 {
		return fmt.Errorf("%q is no longitude", args[1])
	}
	w.Location = &ryzetest.Location{Latitude: latitude, Longitude: longitude, Name: strings.Join(args[2:], " ")}
	return nil
}

func card(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	number, err := who(args[0])
	if err != nil {
		return err
	}
	w.Card = contactCard(strings.Join(args[1:], " "), number)
	return nil
}

func contactCard(name, number string) *ryzetest.ContactCard {
	return &ryzetest.ContactCard{Name: name, Phone: number, VCard: "BEGIN:VCARD\nVERSION:3.0\nFN:" + name +
		"\nTEL;type=CELL;waid=" + number + ":+" + number + "\nEND:VCARD"}
}

func poll(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	w.Poll = &ryzetest.Poll{Question: args[0], Options: args[1:], Max: 1}
	return nil
}

func reply(_ *console, i *ryzetest.Instance, w *written, args []string) (err error) {
	w.ReplyTo, err = messageID(i, w, args[0], others)
	w.Text = strings.Join(args[1:], " ")
	return err
}

func react(_ *console, i *ryzetest.Instance, w *written, args []string) error {
	id, err := messageID(i, w, args[0], others)
	w.Reaction = &ryzetest.Reaction{MessageID: id, Emoji: strings.Join(args[1:], " ")}
	return err
}

func edit(_ *console, i *ryzetest.Instance, w *written, args []string) (err error) {
	w.Edit, err = messageID(i, w, args[0], oneself)
	w.Text = strings.Join(args[1:], " ")
	return err
}

func revoke(_ *console, i *ryzetest.Instance, w *written, args []string) (err error) {
	w.Revoke, err = messageID(i, w, args[0], oneself)
	return err
}

func tap(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	w.Answer = &ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: strings.Join(args, " ")}
	switch {
	case w.asText:
		w.Answer.Kind = ryzetest.AnswerText
	case w.card >= 0:
		w.Answer.Kind, w.Answer.Card = ryzetest.AnswerCarousel, w.card
	}
	return nil
}

func pick(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	w.Answer = &ryzetest.Answer{Kind: ryzetest.AnswerList, ID: args[0], Title: strings.Join(args[1:], " ")}
	return nil
}

func fill(_ *console, _ *ryzetest.Instance, w *written, args []string) error {
	w.Answer = &ryzetest.Answer{Kind: ryzetest.AnswerForm, ID: args[0], Values: map[string]any{}}
	for _, pair := range args[1:] {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return fmt.Errorf("%q is not KEY=VALUE", pair)
		}
		w.Answer.Values[key] = value
	}
	return nil
}

func vote(_ *console, i *ryzetest.Instance, args []string) (string, error) {
	voter, err := who(args[0])
	if err != nil {
		return "", err
	}
	id := args[1]
	if id == "last" {
		for _, m := range i.Messages() {
			if m.Poll != nil && m.FromMe {
				id = m.ID
			}
		}
	} else if id, err = ending(i, id); err != nil {
		return "", err
	}
	ballot := i.Vote(id, voter, args[2:]...)
	if ballot == "" {
		m, there := i.Message(id)
		if !there || m.Poll == nil || !m.FromMe {
			return "", fmt.Errorf("the instance has sent no poll %q", args[1])
		}
		return "", fmt.Errorf("the poll takes %d of %q", max(1, m.Poll.Max), m.Poll.Options)
	}
	return "vote " + ballot, nil
}
