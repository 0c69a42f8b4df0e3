package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

func (a *app) execCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "exec [NAME] -- PROGRAM [ARGS]",
		Short: "Run a program with the token of an instance in its environment",
		Long: `Run a program with RYZE_BASE_URL, RYZE_INSTANCE and RYZE_INSTANCE_TOKEN set, as
ryze.InstanceFromEnv reads them. The token is that of the instance; the account's is
taken out of the environment. So no token has to be shown or copied.

The exit code is that of the program.`,
		Example: `  ryze exec support-line -- go run ./bot`,
		Args: func(cmd *cobra.Command, args []string) error {
			if at := cmd.ArgsLenAtDash(); at < 0 || at > 1 || at == len(args) {
				return usage("the program stands behind --: ryze exec NAME -- PROGRAM")
			}
			return nil
		},
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			at := cmd.ArgsLenAtDash()
			name, _, err := a.named(args[:at], 0)
			if err != nil {
				return err
			}
			token, err := a.ownToken(cmd.Context(), name)
			if err != nil {
				return err
			}
			return a.runProgram(cmd.Context(), args[at:], name, token)
		},
	}
	return c
}

// ownToken returns the token of an instance itself.
func (a *app) ownToken(ctx context.Context, name string) (ryze.Secret, error) {
	inst, err := a.instance(ctx, name)
	if err != nil {
		return "", err
	}
	info, err := inst.Info(ctx)
	if err != nil {
		return "", err
	}
	if info.Token == "" {
		return "", fmt.Errorf("the service does not tell the token of %s", quote(name))
	}
	return info.Token, nil
}

func (a *app) runProgram(ctx context.Context, args []string, name string, token ryze.Secret) error {
	program := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // running what the caller names is what it is for
	program.Cancel = func() error { return program.Process.Signal(os.Interrupt) }
	program.WaitDelay = 10 * time.Second
	program.Stdin, program.Stdout, program.Stderr = a.in, a.plain(a.rawOut), a.plain(a.rawErr)
	for _, variable := range a.env.environ() {
		if key, _, _ := strings.Cut(variable, "="); key != envAccountToken {
			program.Env = append(program.Env, variable)
		}
	}
	program.Env = append(program.Env, envBaseURL+"="+a.baseURL(), envInstance+"="+name, envInstanceToken+"="+token.Reveal())
	err := program.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if code := exit.ExitCode(); code >= 0 {
			return &exitError{code}
		}
		return &exitError{exitInterrupted}
	}
	if err != nil {
		return usage("%v", err)
	}
	return nil
}
