package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// The exit codes; README.md explains them. Those of doctor are its own.
const (
	exitDone        = 0
	exitFailed      = 1  // certainly not done
	exitUnknown     = 3  // it may have been done
	exitPartly      = 4  // done, but for a part
	exitUsage       = 64 // wrong arguments: nothing was asked of the service
	exitInterrupted = 130
)

// environment is what the program has of the machine beside its three files.
type environment struct {
	getenv    func(string) string
	environ   func() []string
	configDir func() (string, error)
	transport http.RoundTripper // nil: that of net/http
	terminal  terminal
}

// terminal says which of the three files are one. Its functions are asked only
// when one is.
type terminal struct {
	in, out, err bool
	width        func() int
	readSecret   func(context.Context) (string, error)
}

// app is one run of the program.
type app struct {
	env      environment
	in       io.Reader
	out, err io.Writer // free of control characters, whatever is written
	rawOut   io.Writer // for what steers the terminal: codes and colours
	rawErr   io.Writer

	output string // of the flag --output
	asJSON bool   // of the flag --json

	client  *ryze.Client
	probe   *probe
	started bool // the arguments were right
	code    int  // what to exit with when there is no error
}

// run runs the command line args and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env environment) int {
	shown, told := &lockedWriter{w: stdout}, &lockedWriter{w: stderr}
	a := &app{
		env: env, in: stdin, out: cleanWriter{shown}, err: cleanWriter{told}, rawOut: shown, rawErr: told,
		probe: &probe{next: env.transport},
	}
	root := a.root() //nolint:contextcheck // the commands get theirs from ExecuteContextC
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(a.out)
	refuseOtherShells(root) // it keeps the output that there is now
	root.SetErr(a.err)
	command, err := root.ExecuteContextC(ctx)
	if a.client != nil {
		_ = a.client.Close() // it never fails
	}
	if err != nil {
		return a.fail(ctx, command.CommandPath(), err)
	}
	return a.code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ryze",
		Short: "WhatsApp numbers on RyzeAPI from the command line",
		Long: `ryze works with the WhatsApp numbers (instances) of a RyzeAPI account.

Tokens come from the environment or from the file that "ryze login" writes,
never from a flag:

  RYZE_BASE_URL          where the service is (https://ryzeapi.cloud)
  RYZE_ACCOUNT_TOKEN     the account's token: for all its instances
  RYZE_INSTANCE          the instance that NAME stands for when it is left out
  RYZE_INSTANCE_TOKEN    the instance's own token

Everything works against the simulator, too: start "ryzesim -instance demo" and
set what it prints.`,
		Example: `  ryze login
  ryze new support-line
  ryze connect support-line
  ryze send support-line 5511987654321 "Hello!"
  ryze listen support-line --forward-to http://localhost:3000/hook`,
		Version:                    fmt.Sprintf("%s (%s)", ryze.Version, runtime.Version()),
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 1,
		SilenceUsage:               true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			switch a.output {
			case "table":
			case "json":
				a.asJSON = true
			default:
				return usage("--output is %q; it is table or json", a.output)
			}
			a.started = true
			return nil
		},
	}
	root.PersistentFlags().StringVarP(&a.output, "output", "o", "table", "write results as `FORMAT`: table or json")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddGroup(
		&cobra.Group{ID: groupNumber, Title: "Numbers:"},
		&cobra.Group{ID: groupMessages, Title: "Messages:"},
		&cobra.Group{ID: groupEvents, Title: "Events:"},
		&cobra.Group{ID: groupSetup, Title: "Setup:"},
	)
	root.SetCompletionCommandGroupID(groupSetup)
	root.SetHelpCommandGroupID(groupSetup)
	for _, group := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{groupNumber, []*cobra.Command{a.instancesCommand(), a.newCommand(), a.connectCommand(), a.logoutCommand(), a.deleteCommand()}},
		{groupMessages, []*cobra.Command{a.sendCommand(), a.chatsCommand(), a.historyCommand(), a.downloadCommand()}},
		{groupEvents, []*cobra.Command{a.listenCommand(), a.webhookCommand()}},
		{groupSetup, []*cobra.Command{a.loginCommand(), a.execCommand(), a.doctorCommand(), a.verifyCommand()}},
	} {
		for _, c := range group.commands {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	return root
}

// refuseOtherShells has "ryze completion SHELL" fail for a shell that it does not
// know; by itself it would print its help, and "source" would read that.
func refuseOtherShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args = func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usage("there is no completion for %q; it is bash, zsh, fish or powershell", args[0])
		}
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
}

const (
	groupNumber   = "number"
	groupMessages = "messages"
	groupEvents   = "events"
	groupSetup    = "setup"
)

// jsonFlag gives a command the short form of --output json.
func (a *app) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.asJSON, "json", false, "short for --output json")
}

// usageError is a mistake in the arguments.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// hinted is an error with what may be done next.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// maybeDoneError is the error of a change that may have been made, and may be made again.
type maybeDoneError struct{ error }

func (e *maybeDoneError) Unwrap() error { return e.error }

// changing marks the error of a change when nobody knows whether it was made.
func changing(err error) error {
	if err == nil || ryze.OutcomeOf(err) != ryze.OutcomeUnknown || errors.Is(err, ryze.ErrOutcomeUnknown) {
		return err
	}
	return &maybeDoneError{err}
}

// exitError ends the program with a code, when all has been said.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// fail says what went wrong in a line, and in another what may be done next.
func (a *app) fail(ctx context.Context, command string, err error) int {
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	text, hint, code := a.explain(ctx, err)
	if code == exitUsage && hint == "" {
		hint = "see " + command + " --help"
	}
	fmt.Fprintf(a.err, "ryze: %s\n", line(text))
	if hint != "" {
		fmt.Fprintf(a.err, "  → %s\n", line(hint))
	}
	return code
}

// explain returns the text of an error, what may be done next, and the exit code.
func (a *app) explain(ctx context.Context, err error) (text, hint string, code int) {
	text = strings.ReplaceAll(err.Error(), "ryze: ", "")
	code = exitFailed
	help, _ := errors.AsType[*hinted](err)
	_, isUsage := errors.AsType[*usageError](err)
	_, isArgument := errors.AsType[*ryze.ValidationError](err)
	_, maybe := errors.AsType[*maybeDoneError](err)
	switch {
	case errors.Is(err, ryze.ErrOutcomeUnknown):
		code = exitUnknown
		hint = "it may have been done: look before you do it again"
	case maybe:
		code = exitUnknown
		hint = "it may have been done or not: to run it again does no harm"
	case ctx.Err() != nil && help != nil:
		return "interrupted: " + text, help.hint, exitInterrupted
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return "interrupted", "", exitInterrupted
	case isUsage, isArgument, !a.started:
		code = exitUsage
		// Cobra puts what it suggests on lines of their own.
		text, hint, _ = strings.Cut(text, "\n\nDid you mean this?\n")
		if names := strings.Fields(hint); len(names) > 0 {
			hint = "did you mean " + strings.Join(names, " or ") + "?"
		}
	case errors.Is(err, ryze.ErrPartial):
		code = exitPartly
		hint = "the rest was done: set only what is missing"
	default:
		hint = hintFor(err)
	}
	if help != nil {
		hint = help.hint
	}
	return text, hint, code
}

// hintFor says what may be done next about a refusal.
func hintFor(err error) string {
	for _, h := range []struct {
		is   error
		hint string
	}{
		{ryze.ErrInstanceTokenMismatch, "the token belongs to another instance: check RYZE_INSTANCE and RYZE_INSTANCE_TOKEN"},
		{ryze.ErrInstanceNotOwned, "the instance is another account's: check RYZE_ACCOUNT_TOKEN"},
		{ryze.ErrQuotaExceeded, "the account has as many instances as it may: delete one, or ask for more"},
		{ryze.ErrForeignReply, "something in front of the service answered: check RYZE_BASE_URL, and proxies on the way"},
		{ryze.ErrUnauthorized, "check the token, and that it belongs to this service: ryze doctor says more"},
		{ryze.ErrInstanceNotFound, "names are case-sensitive: ryze instances lists them"},
		{ryze.ErrMessageNotFound, "check the id: ryze history lists a chat's"},
		{ryze.ErrBanned, "WhatsApp has banned the number: see its phone"},
		{ryze.ErrNoSession, "pair it: ryze connect NAME"},
		{ryze.ErrNotConnected, "connect it: ryze connect NAME"},
		{ryze.ErrConflict, "the name is taken: ryze instances lists the names"},
		{ryze.ErrWebSocketDisabled, "ryze listen switches the event stream on"},
	} {
		if errors.Is(err, h.is) {
			return h.hint
		}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "a simulator's certificate wants SSL_CERT_FILE; ryze doctor says more"
	}
	if pause, again := ryze.RetryAfter(err); again {
		hint := "it may be tried again"
		if pause > 0 {
			hint += " in " + pause.Round(time.Second).String()
		}
		if errors.Is(err, ryze.ErrNetwork) {
			hint += "; check RYZE_BASE_URL if that does not help"
		}
		return hint
	}
	return ""
}
