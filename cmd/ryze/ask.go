package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// interruptible calls read, which may block, and returns when it does or when
// ctx ends. In that case give is called, and read ends with the program.
func interruptible(ctx context.Context, read func() (string, error), give func()) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		if give != nil {
			give()
		}
		return "", ctx.Err()
	}
}

// readLine reads a line of standard input. Its end counts as one.
func (a *app) readLine(ctx context.Context) (string, error) {
	text, err := interruptible(ctx, func() (string, error) { return bufio.NewReader(a.in).ReadString('\n') }, nil)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return strings.TrimRight(text, "\r\n"), err
}

// maxInput is how much of standard input is read at most.
const maxInput = 16 << 20

// readAll reads standard input to its end.
func (a *app) readAll(ctx context.Context) ([]byte, error) {
	text, err := interruptible(ctx, func() (string, error) {
		b, err := io.ReadAll(io.LimitReader(a.in, maxInput+1))
		return string(b), err
	}, nil)
	if err == nil && len(text) > maxInput {
		err = usage("standard input is larger than %d MiB", maxInput>>20)
	}
	return []byte(text), err
}

// readSecret reads a secret: from the terminal without showing it, or a line of
// standard input.
func (a *app) readSecret(ctx context.Context, prompt string) (string, error) {
	if !a.env.terminal.in {
		return a.readLine(ctx)
	}
	fmt.Fprint(a.err, prompt)
	defer fmt.Fprintln(a.err)
	return a.env.terminal.readSecret(ctx)
}

// confirm asks for a word before something that cannot be undone.
func (a *app) confirm(ctx context.Context, question, word string) error {
	fmt.Fprintf(a.err, "%s\nType %s to go on: ", line(question), line(word))
	answer, err := a.readLine(ctx)
	if err != nil {
		return err
	}
	if !a.env.terminal.in {
		fmt.Fprintln(a.err)
	}
	if strings.TrimSpace(answer) != word {
		return &hinted{errors.New("not confirmed, so nothing was done"), "scripts say --yes"}
	}
	return nil
}
