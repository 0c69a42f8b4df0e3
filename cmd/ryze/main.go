// Command ryze is the command line of RyzeAPI. It creates and pairs instances,
// sends messages, reads chats, brings the events of an instance to a program on
// this machine, and says what is wrong with a setup. See README.md beside it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, environment{
		getenv:    os.Getenv,
		environ:   os.Environ,
		configDir: os.UserConfigDir,
		terminal: terminal{
			in:         term.IsTerminal(int(os.Stdin.Fd())),
			out:        term.IsTerminal(int(os.Stdout.Fd())),
			err:        term.IsTerminal(int(os.Stderr.Fd())),
			width:      width,
			readSecret: readSecret,
		},
	}))
}

// width returns the columns of the terminal, 0 when nobody knows.
func width() int {
	w, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// readSecret reads a line from the terminal without showing it. A read from a
// terminal cannot be interrupted: when ctx ends, the terminal is put right, and
// the read ends with the program.
func readSecret(ctx context.Context) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	return interruptible(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	}, func() { _ = term.Restore(fd, before) })
}
