package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// The exit codes of doctor are the worst level of its findings.
type level int

const (
	levelOK level = iota
	levelWarning
	levelWrong
)

func (l level) String() string { return [...]string{"ok", "warning", "wrong"}[l] }

// A finding is a sentence about one thing that was looked at.
type finding struct {
	Level level  `json:"-"`
	Word  string `json:"level"`
	Check string `json:"check"`
	Text  string `json:"text"`
	Do    string `json:"do,omitempty"` // what may be done about it
}

type doctorFlags struct {
	label       string
	url         string
	events      []string
	byEvents    bool
	mediaBase64 bool
	stream      bool
	noProbe     bool
}

// doctor is one run of ryze doctor.
type doctor struct {
	*app
	flags   doctorFlags
	changed func(flag string) bool
	name    string
	found   []finding

	client *ryze.Client
	inst   *ryze.InstanceClient // acts with the token that programs would use
	info   *ryze.Instance
	limit  ryze.RateLimit // before the webhooks were tried
}

func (a *app) doctorCommand() *cobra.Command {
	var flags doctorFlags
	c := &cobra.Command{
		Use:   "doctor [NAME]",
		Short: "Say what is wrong with the setup of an instance, and what to do",
		Long: `Look at everything that an instance needs, and say what is wrong and what to do:
tokens and what they may do, the way to the service, the clock, the state of the
instance, its event stream, its webhooks and the programs behind them, the quota.

Nothing is changed and no message is sent. Each webhook gets three small events
with the name "ryze.doctor": one without authorization, one with a wrong one, which
it should refuse, and one with the right one, which it should answer in two seconds.
--no-probe leaves that out.

With --want-url and the flags beside it, the webhook is held against what it should
be; its authorization against RYZE_WEBHOOK_AUTHORIZATION, if that is set.

Exit codes: 0 all is well, 1 there are warnings, 2 something is wrong.

With --json: one JSON value with the findings.`,
		Example: `  ryze doctor support-line
  ryze doctor support-line --want-url https://shop.example/hooks/ryze --want-stream`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, _, err := a.named(args, 0)
			if err != nil {
				return err
			}
			if _, err := eventTypes(flags.events); err != nil {
				return err
			}
			d := &doctor{app: a, flags: flags, name: name, changed: cmd.Flags().Changed}
			d.examine(cmd.Context())
			return d.report(cmd.Context())
		},
	}
	c.Flags().StringVar(&flags.label, "label", "", "the webhook that there should be (default: \"default\", or the only one)")
	c.Flags().StringVar(&flags.url, "want-url", "", "the `URL` that the webhook should have")
	c.Flags().StringSliceVar(&flags.events, "want-events", nil, "the events that webhook and stream should have")
	c.Flags().BoolVar(&flags.byEvents, "want-by-events", false, "whether the webhook should append the name of the event")
	c.Flags().BoolVar(&flags.mediaBase64, "want-media-base64", false, "whether webhook and stream should have the files in their events")
	c.Flags().BoolVar(&flags.stream, "want-stream", false, "the event stream should be on")
	c.Flags().BoolVar(&flags.noProbe, "no-probe", false, "post nothing to the webhooks")
	_ = c.RegisterFlagCompletionFunc("want-events", cobra.FixedCompletions(texts(eventNames), cobra.ShellCompDirectiveNoFileComp))
	a.jsonFlag(c)
	return c
}

// examine looks at one thing after another; what rests on something broken is
// left out.
func (d *doctor) examine(ctx context.Context) {
	d.ok("version", "ryze %s, built with %s.", ryze.Version, runtime.Version())
	for _, step := range []func(context.Context) bool{
		d.checkCredentials, d.checkService, d.checkTokens, d.checkState, d.checkEvents, d.checkQuota,
	} {
		if ctx.Err() != nil || !step(ctx) {
			return
		}
	}
}

// add notes a finding and shows it at once.
func (d *doctor) add(f finding) {
	f.Word, f.Text, f.Do = f.Level.String(), line(f.Text), line(f.Do)
	d.found = append(d.found, f)
	if d.asJSON {
		return
	}
	mark := [...]string{"✓", "!", "✗"}[f.Level]
	if d.colors() {
		mark = [...]string{"\x1b[32m✓\x1b[0m", "\x1b[33m!\x1b[0m", "\x1b[31m✗\x1b[0m"}[f.Level]
	}
	fmt.Fprintf(d.rawOut, "%s %s\n", mark, clean(f.Text))
	if f.Do != "" {
		fmt.Fprintf(d.out, "    → %s\n", f.Do)
	}
}

func (a *app) colors() bool { return a.env.terminal.out && a.env.getenv("NO_COLOR") == "" }

func (d *doctor) ok(check, format string, args ...any) {
	d.add(finding{Level: levelOK, Check: check, Text: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, do, format string, args ...any) {
	d.add(finding{Level: levelWarning, Check: check, Text: fmt.Sprintf(format, args...), Do: do})
}

func (d *doctor) wrong(check, do, format string, args ...any) {
	d.add(finding{Level: levelWrong, Check: check, Text: fmt.Sprintf(format, args...), Do: do})
}

// failed notes that something could not be looked at.
func (d *doctor) failed(ctx context.Context, check, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	text, _, _ := d.explain(ctx, err)
	d.wrong(check, hintFor(err), "%s: %s.", what, strings.TrimSuffix(text, "."))
}

// worst is the worst level among the findings.
func (d *doctor) worst() level {
	worst := levelOK
	for _, f := range d.found {
		worst = max(worst, f.Level)
	}
	return worst
}

func (d *doctor) report(ctx context.Context) error {
	counts := [3]int{}
	for _, f := range d.found {
		counts[f.Level]++
	}
	switch {
	case d.asJSON:
		if err := d.value(map[string]any{"instance": d.name, "level": d.worst().String(), "findings": d.found, "interrupted": ctx.Err() != nil}); err != nil {
			return err
		}
	case ctx.Err() == nil:
		d.tell("%s: %d fine, %s, %d wrong.", d.name, counts[levelOK], plural(counts[levelWarning], "warning"), counts[levelWrong])
	}
	if ctx.Err() != nil {
		return &hinted{errors.New("not everything was looked at"), ""}
	}
	d.code = int(d.worst())
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
