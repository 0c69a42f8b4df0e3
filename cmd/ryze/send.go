package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

type sendFlags struct {
	file    string
	caption string
	as      string
	name    string
	stored  bool
	replyTo string
	delay   time.Duration
	look    time.Duration
}

// sentView is a sent message as --json shows it.
type sentView struct {
	ID        string     `json:"id"`
	Chat      string     `json:"chat"`
	Status    string     `json:"status,omitempty"`
	Timestamp *time.Time `json:"timestamp,omitempty"`
	// Found: the reply was lost, and the message was found afterwards.
	Found bool `json:"found,omitempty"`
}

func (a *app) sendCommand() *cobra.Command {
	var flags sendFlags
	c := &cobra.Command{
		Use:   "send [NAME] TO [TEXT]",
		Short: "Send a text, a file or a stored content",
		Long: `Send a message. TO is a phone with its country code, in any usual form, or the
address of a group, a LID or a channel. TEXT is the text; - reads it from
standard input.

--file sends a file, or what an http or https URL names. --json reads a content
of any kind from standard input, in the form that ryze.MarshalContent writes:

  {"version":1,"kind":"text","content":{"text":"Hello"}}

A message is never sent twice. When the reply is lost the message may have been
sent: ryze looks for it, and exits with 3 if it does not know even then.

With --json, or --output json: the sent message as one JSON value.`,
		Example: `  ryze send support-line 5511987654321 "Hello!"
  ryze send support-line "+55 11 98765-4321" --file photo.jpg --caption "The view"
  ryze send support-line 120363000000000001@g.us --json < poll.json`,
		Args:              cobra.RangeArgs(1, 3),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			rest := 2
			if flags.file != "" || flags.stored {
				rest = 1
			}
			if flags.stored {
				a.asJSON = true
			}
			if rest == 2 && a.textMissing(args) {
				return &hinted{usage("there is no text"), "the text comes last, in quotes; --file FILE sends a file, --json a stored content"}
			}
			name, args, err := a.named(args, rest)
			if err != nil {
				return err
			}
			to, err := recipient(args[0])
			if err != nil {
				return err
			}
			opts := []ryze.SendOption{}
			if flags.replyTo != "" {
				opts = append(opts, ryze.ReplyTo(flags.replyTo))
			}
			if flags.delay > 0 {
				opts = append(opts, ryze.Delay(flags.delay))
			}
			text := ""
			if rest == 2 {
				text = args[1]
			}
			content, done, err := a.content(cmd.Context(), text, flags)
			if err != nil {
				return err
			}
			defer done()
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			return a.send(cmd.Context(), inst, to, content, flags.look, opts)
		},
	}
	c.Flags().StringVarP(&flags.file, "file", "f", "", "send this file, or what this URL names")
	c.Flags().StringVar(&flags.caption, "caption", "", "the text below the file")
	c.Flags().StringVar(&flags.as, "as", "", "how the file is shown: image, video, audio or document (default: by its type)")
	c.Flags().StringVar(&flags.name, "file-name", "", "the name that is shown on a document")
	c.Flags().BoolVar(&flags.stored, "json", false, "send the stored content on standard input, and answer in JSON")
	c.Flags().StringVar(&flags.replyTo, "reply-to", "", "quote the message with this id")
	c.Flags().DurationVar(&flags.delay, "delay", 0, "show \"typing\" so long before it is sent")
	c.Flags().DurationVar(&flags.look, "look", 30*time.Second, "how long to look for a message whose reply was lost; certainty that it is not there takes minutes")
	c.MarkFlagsMutuallyExclusive("file", "json")
	_ = c.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"image", "video", "audio", "document"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// textMissing reports whether the arguments are NAME and TO, or TO alone.
func (a *app) textMissing(args []string) bool {
	last, err := recipient(args[len(args)-1])
	if err != nil || last == "" {
		return false
	}
	if a.env.getenv(envInstance) == "" {
		return len(args) == 2
	}
	if len(args) == 1 {
		return true
	}
	_, err = recipient(args[0])
	return len(args) == 2 && err != nil
}

// recipient reads an address, or a phone in any usual form.
func recipient(s string) (ryze.JID, error) {
	if jid, err := ryze.ParseJID(s); err == nil {
		return jid, nil
	}
	if strings.Contains(s, "@") {
		_, err := ryze.ParseJID(s)
		return "", err
	}
	jid, err := ryze.PhoneJID(s)
	if bad, ok := errors.AsType[*ryze.ValidationError](err); ok {
		return "", &hinted{usage("%q is not a phone: %s", s, bad.Reason), "write it with its country code, as in 5511987654321; groups end in @g.us"}
	}
	return jid, err
}

// content makes what is to be sent. The caller calls done afterwards.
func (a *app) content(ctx context.Context, text string, flags sendFlags) (content ryze.Content, done func(), err error) {
	done = func() {}
	switch {
	case flags.file == "" && (flags.caption != "" || flags.as != "" || flags.name != ""):
		return nil, done, usage("--caption, --as and --file-name belong to --file")
	case flags.file != "":
		return a.media(flags)
	case flags.stored:
		b, err := a.readAll(ctx)
		if err != nil {
			return nil, done, err
		}
		if len(bytes.TrimSpace(b)) == 0 {
			return nil, done, usage("there is no content on standard input")
		}
		content, err = ryze.UnmarshalContent(b)
		return content, done, err
	case text == "-":
		b, err := a.readAll(ctx)
		if err != nil {
			return nil, done, err
		}
		text = strings.TrimRight(string(b), "\r\n")
	}
	if text == "" {
		return nil, done, usage("the text is empty")
	}
	return ryze.Text(text), done, nil
}

func (a *app) media(flags sendFlags) (ryze.Content, func(), error) {
	media := ryze.Media{Caption: flags.caption, Kind: ryze.MediaKind(flags.as), FileName: flags.name}
	if strings.HasPrefix(flags.file, "http://") || strings.HasPrefix(flags.file, "https://") {
		media.Source = ryze.MediaURL(flags.file)
		return media, func() {}, nil
	}
	f, err := os.Open(flags.file)
	if err != nil {
		return nil, func() {}, usage("%v", err)
	}
	done := func() { _ = f.Close() }
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		done()
		return nil, func() {}, usage("%s is not a file with something in it", flags.file)
	}
	bar := a.bar(info.Size(), "sending "+filepath.Base(flags.file))
	media.Source = ryze.MediaReader(filepath.Base(flags.file), &seenReader{f: f, bar: bar})
	return media, func() { bar.end(); done() }, nil
}

// seenReader shows how much of a file was read.
type seenReader struct {
	f   io.ReadSeeker
	bar *bar
}

func (r *seenReader) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	r.bar.add(n)
	return n, err
}

func (r *seenReader) Seek(offset int64, whence int) (int64, error) {
	at, err := r.f.Seek(offset, whence)
	if err == nil && whence == io.SeekStart {
		r.bar.set(at) // another attempt, or only a look at the type
	}
	return at, err
}

func (a *app) send(ctx context.Context, inst *ryze.InstanceClient, to ryze.JID, content ryze.Content, look time.Duration, opts []ryze.SendOption) error {
	sent, err := inst.Messages.Send(ctx, to, content, opts...)
	if err == nil {
		return a.sent(sent, false)
	}
	if !errors.Is(err, ryze.ErrOutcomeUnknown) {
		return err
	}
	again := fmt.Sprintf("look at the chat before you send it again: ryze history %s %s", inst.Name(), to)
	if ctx.Err() != nil { // Ctrl-C ends at once
		return &hinted{fmt.Errorf("interrupted: the message may have been sent: %w", ryze.ErrOutcomeUnknown), again}
	}
	a.note("The reply was lost, so the message may have been sent. Looking for it...")
	sent, found := settle(ctx, inst, err, look)
	switch {
	case found == nil:
		return a.sent(sent, true)
	case errors.Is(found, ryze.ErrNotSent):
		return &hinted{fmt.Errorf("the message was not sent: it was looked for, and is not there: %w", ryze.ErrNotSent), "it may be sent again"}
	case ctx.Err() != nil:
		return &hinted{fmt.Errorf("interrupted: the message may have been sent: %w", ryze.ErrOutcomeUnknown), again}
	default:
		return &hinted{found, again + "; --look 3m looks for longer"}
	}
}

// settle looks for a message whose reply was lost, again and again for so long:
// the service may be at it yet. It returns what Settle says in the end.
func settle(ctx context.Context, inst *ryze.InstanceClient, lost error, look time.Duration) (*ryze.SentMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, look)
	defer cancel()
	for pause := 2 * time.Second; ; pause = min(2*pause, 30*time.Second) {
		sent, err := inst.Messages.Settle(ctx, lost)
		if err == nil || !errors.Is(err, ryze.ErrOutcomeUnknown) {
			return sent, err
		}
		if ctx.Err() == nil {
			lost = err // it knows what has been found so far
		}
		select {
		case <-ctx.Done():
			return nil, lost
		case <-time.After(pause):
		}
	}
}

func (a *app) sent(sent *ryze.SentMessage, found bool) error {
	if a.asJSON {
		v := sentView{ID: sent.ID, Chat: string(sent.Chat), Status: string(sent.Status), Found: found}
		if !sent.Timestamp.IsZero() {
			v.Timestamp = &sent.Timestamp
		}
		return a.value(v)
	}
	if found {
		a.note("Found it: it was sent.")
	}
	a.tell("Sent to %s: %s", sent.Chat, sent.ID)
	return nil
}
