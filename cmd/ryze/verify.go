package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

const (
	verifyMessages = 6                // that go to the number, at most
	verifyRequests = 70               // of all questions together, at most
	verifyReserve  = 10               // requests of the quota that stay for other programs
	putBackLimit   = 20 * time.Second // for putting back, also after Ctrl-C
)

type verifyFlags struct {
	to            string
	report        string
	yes           bool
	wait          time.Duration
	reconnect     bool
	webhookURL    string
	webhookListen string
}

func (a *app) verifyCommand() *cobra.Command {
	var flags verifyFlags
	c := &cobra.Command{
		Use:   "verify [NAME] --to MY_NUMBER",
		Short: "Ask the service what no document says, and write a report",
		Long: `Hold the service against its document, and ask it what no document says: the rate
headers, the shapes of replies, errors and events, whether the echo of a message carries
its label, how long the media of a new message is refused, whether instance.state comes
with the authorization, close codes.

At most 6 messages are sent, all to MY_NUMBER, and at most 70 requests. It says so and
asks before it begins. Nobody else is written to.

If the event stream is off, it is on during the run, and off again afterwards. A webhook
is set only where the service can reach this program: with --webhook-url, or when the
service is on this machine. It takes a label of its own, and is off afterwards; the
service has no way to delete it. --reconnect interrupts the number for a moment. What was
changed is put back after Ctrl-C and errors, too; what could not be is told.

The report is meant to be attached to an issue. Tokens, numbers, names, ids and texts in
it are replaced, the same one by the same mark. Look at it before you publish it.

With --json: the report as JSON, on standard output and in the file.`,
		Example: `  ryze verify support-line --to 5511987654321
  ryze verify support-line --to 5511987654321 --reconnect \
    --webhook-url https://my-tunnel.example --webhook-listen 127.0.0.1:4000`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, _, err := a.named(args, 0)
			if err != nil {
				return err
			}
			v := &verifier{app: a, flags: flags, name: name}
			return v.run(cmd.Context())
		},
	}
	c.Flags().StringVar(&flags.to, "to", "", "your own `NUMBER`, which gets the messages")
	c.Flags().StringVar(&flags.report, "report", "", "write the report to this `FILE` (default ryze-verify-DATE.md or .json)")
	c.Flags().BoolVarP(&flags.yes, "yes", "y", false, "do not ask")
	c.Flags().DurationVar(&flags.wait, "wait", 20*time.Second, "how long to wait for an event, or for a media")
	c.Flags().BoolVar(&flags.reconnect, "reconnect", false, "reconnect the instance once, to see instance.state")
	c.Flags().StringVar(&flags.webhookURL, "webhook-url", "", "the `URL` at which the service reaches this program")
	c.Flags().StringVar(&flags.webhookListen, "webhook-listen", "127.0.0.1:0", "the `ADDRESS` on which this program takes events")
	a.jsonFlag(c)
	return c
}

// The verdicts on a question.
const (
	asDocumented = "as documented"
	isDifferent  = "differs"
	isNotSeen    = "not seen"
	isOpen       = "found" // the document leaves it open
)

// An answer is what was found out about one question.
type answer struct {
	ID      string `json:"id"`
	Text    string `json:"question"`
	Verdict string `json:"verdict"`
	Found   string `json:"found,omitempty"`

	parts []any // of Found, before anything in it is replaced
}

// undo is something that has to be put back.
type undo struct {
	what   string // was changed
	manual string // what the user does if it cannot be put back
	do     func(context.Context) error
}

// verifier is one run of ryze verify.
type verifier struct {
	*app
	flags verifyFlags
	name  string
	token ryze.Secret
	inst  *ryze.InstanceClient
	doc   *document
	http  *http.Client

	redact   *redactor
	answers  []answer
	replies  map[string]*replies // of each operation
	order    []string            // of replies
	rates    []rateSample
	extra    map[string]bool // headers that are not in the document
	requests int
	messages int
	undos    []undo
	left     []string // what could not be put back

	events events
	stream *rawStream
	hook   *hookServer
	sent   map[string]*sending
}

var phonePattern = regexp.MustCompile(`^\d{8,15}$`)

func (v *verifier) run(ctx context.Context) (err error) {
	v.flags.to = strings.TrimPrefix(v.flags.to, "+")
	switch {
	case v.flags.to == "":
		return usage("--to is missing: your own number, which gets the messages")
	case !phonePattern.MatchString(v.flags.to):
		return usage("--to wants a number of 8 to 15 digits with the country code, and no group")
	case v.flags.wait <= 0:
		return usage("--wait wants a time greater than 0")
	}
	if v.doc, err = readDocument(); err != nil {
		return err
	}
	if v.inst, err = v.instance(ctx, v.name); err != nil {
		return err
	}
	if v.token, err = v.ownToken(ctx, v.name); err != nil {
		return err
	}
	v.redact = newRedactor()
	v.redact.keep("token", v.token.Reveal())
	v.redact.keep("number", v.flags.to)
	v.redact.keep("instance", v.name)
	v.replies, v.extra, v.sent = map[string]*replies{}, map[string]bool{}, map[string]*sending{}
	v.http = &http.Client{Transport: v.probe, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if err := v.agree(ctx); err != nil {
		return err
	}
	interrupted := v.examine(ctx)
	path, err := v.report(interrupted)
	for _, left := range v.left {
		v.note("Not put back: %s", left)
	}
	switch {
	case err != nil:
		return err
	case interrupted:
		return &hinted{fmt.Errorf("not everything was asked: %w", context.Cause(ctx)), "what there is stands in " + path}
	case len(v.left) > 0:
		v.code = exitPartly
	}
	return nil
}

// agree says what will happen, and asks.
func (v *verifier) agree(ctx context.Context) error {
	plan := fmt.Sprintf("At most %d messages go to %s, and to nobody else; at most %d requests to %s. If the event stream of %s is off, it is on for that time.",
		verifyMessages, v.flags.to, verifyRequests, v.baseURL(), v.name)
	if v.hasWebhook() {
		plan += " A webhook is set for that time; switched off, it stays in the list, for the service cannot delete it."
	}
	if v.flags.reconnect {
		plan += " The instance is reconnected once: for a moment it neither sends nor receives."
	}
	if v.flags.yes {
		v.note("%s", plan)
		return nil
	}
	return v.confirm(ctx, plan, v.name)
}

// examine asks one question after another, and puts back what it has changed. It
// reports whether it was interrupted.
func (v *verifier) examine(ctx context.Context) (interrupted bool) {
	defer v.putBack(ctx)
	for _, step := range []struct {
		name  string
		limit time.Duration
		do    func(context.Context)
	}{
		{"replies", time.Minute, v.askReads},
		{"refusals", time.Minute, v.askRefusals},
		{"event channels", time.Minute, v.openChannels},
		{"messages", 2 * time.Minute, v.askMessages},
		{"media", 3*v.flags.wait + time.Minute, v.askMedia},
		{"events", 2*v.flags.wait + time.Minute, v.askEvents},
		{"stored messages", time.Minute, v.askStored},
		{"state", v.flags.wait + time.Minute, v.askState},
		{"the end of a stream", time.Minute, v.askClose},
	} {
		if ctx.Err() != nil {
			return true
		}
		if v.env.terminal.out && !v.asJSON {
			v.note("Asking about %s ...", step.name)
		}
		limited, cancel := context.WithTimeout(ctx, step.limit)
		step.do(limited)
		cancel()
	}
	return ctx.Err() != nil
}

// putBack undoes what was changed, the last first.
func (v *verifier) putBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackLimit)
	defer cancel()
	for _, u := range slices.Backward(v.undos) {
		if err := u.do(ctx); err != nil {
			v.left = append(v.left, u.what+"; "+u.manual)
		}
	}
	v.undos = nil
	v.stream.close()
	v.hook.close()
}

func (v *verifier) add(verdict, id, text string, parts ...any) {
	v.answers = append(v.answers, answer{ID: id, Text: text, Verdict: verdict, parts: parts})
}

// summary puts the answers together, at the end: a name is known when it was seen once.
func (v *verifier) summary() []answer {
	all := slices.Clone(v.answers)
	all = append(all, v.rateAnswers()...)
	for _, id := range v.order {
		all = append(all, v.replies[id].answer(id))
	}
	all = append(all, v.unasked()...)
	for i := range all {
		all[i].Found = line(v.redact.say(all[i].parts))
	}
	rank := []string{isDifferent, isOpen, asDocumented, isNotSeen}
	slices.SortStableFunc(all, func(a, b answer) int {
		return cmp.Compare(slices.Index(rank, a.Verdict), slices.Index(rank, b.Verdict))
	})
	return all
}

// verifyReport is a report as JSON.
type verifyReport struct {
	Date        string   `json:"date"`
	Version     string   `json:"version"`
	Go          string   `json:"go"`
	Service     string   `json:"service"`
	Requests    int      `json:"requests"`
	Messages    int      `json:"messages"`
	Interrupted bool     `json:"interrupted"`
	Answers     []answer `json:"answers"`
	NotPutBack  int      `json:"notPutBack"` // how many changes; which is told on standard error
}

// report prints the answers, and writes them to the file, whose path it returns.
func (v *verifier) report(interrupted bool) (path string, err error) {
	r := verifyReport{
		Date: time.Now().UTC().Format(time.DateOnly), Version: ryze.Version, Go: runtime.Version(), Service: "another address",
		Requests: v.requests, Messages: v.messages, Interrupted: interrupted, Answers: v.summary(), NotPutBack: len(v.left),
	}
	if v.baseURL() == ryze.DefaultBaseURL {
		r.Service = ryze.DefaultBaseURL
	}
	var text []byte
	if v.asJSON {
		if text, err = r.json(); err != nil {
			return "", err
		}
		if _, err := v.out.Write(text); err != nil {
			return "", err
		}
	} else {
		text = r.markdown()
		rows := [][]string{{"QUESTION", "ANSWER"}}
		for _, q := range r.Answers {
			rows = append(rows, []string{q.Text, q.said()})
		}
		v.table(rows)
	}
	if path, err = writeReport(v.flags.report, r.Date, v.asJSON, text); err != nil {
		return "", err
	}
	v.note("%s; %d messages and %d requests. The report is in %s: look at it before you publish it.", r.counts(), v.messages, v.requests, path)
	return path, nil
}

func (q *answer) said() string {
	if q.Found == "" {
		return q.Verdict
	}
	return q.Verdict + ": " + q.Found
}

func (r *verifyReport) counts() string {
	count := map[string]int{}
	for _, q := range r.Answers {
		count[q.Verdict]++
	}
	return fmt.Sprintf("%d as documented, %d differ, %d not documented, %d not seen", count[asDocumented], count[isDifferent], count[isOpen], count[isNotSeen])
}

func (r *verifyReport) markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# ryze verify, %s\n\nryze %s, %s; service: %s; %d requests, %d messages\n\n", r.Date, r.Version, r.Go, r.Service, r.Requests, r.Messages)
	if r.Interrupted {
		b.WriteString("Interrupted: not everything was asked.\n\n")
	}
	if r.NotPutBack > 0 {
		fmt.Fprintf(&b, "Changes that could not be put back: %d.\n\n", r.NotPutBack)
	}
	b.WriteString(r.counts() + ".\n\n| question | verdict | found |\n|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace
	for _, q := range r.Answers {
		fmt.Fprintf(&b, "| %s (`%s`) | %s | %s |\n", cell(q.Text), q.ID, q.Verdict, cell(q.Found))
	}
	return []byte(b.String())
}

// writeReport writes a file that the owner alone can read. It replaces one only when
// its name was given.
func writeReport(path, date string, asJSON bool, text []byte) (string, error) {
	given := path != ""
	if !given {
		ending := ".md"
		if asJSON {
			ending = ".json"
		}
		for n := 1; ; n++ {
			path = "ryze-verify-" + date
			if n > 1 {
				path += fmt.Sprintf("-%d", n)
			}
			path += ending
			if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
				break
			}
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ryze-verify-*") // with the mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error that counts is the other one
		return "", err
	}
	return path, nil
}

func (r *verifyReport) json() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	return escapeJSON(b.Bytes()), nil
}
