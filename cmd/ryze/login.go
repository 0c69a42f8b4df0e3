package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

func (a *app) loginCommand() *cobra.Command {
	var remove bool
	c := &cobra.Command{
		Use:   "login [NAME]",
		Short: "Keep a token in a file that only you can read",
		Long: `Ask for the account's token, or with NAME for the instance's own, try it, and keep
it in the credentials file. The token is not shown; without a terminal it is read
from standard input.

The file is "ryze/credentials" in the folder for configuration (~/.config on Linux),
with mode 0600. It is refused when others can read it. Each token belongs to the
service that RYZE_BASE_URL names at the time, and is sent to no other. Variables
of the environment go first.

--remove takes the tokens of the service out of the file, or that of NAME alone.`,
		Example: `  ryze login
  ryze login support-line < token.txt
  ryze login --remove`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			path, err := a.credentialsPath()
			if err != nil {
				return err
			}
			kept, err := a.credentials()
			if err != nil {
				return err
			}
			key := serviceKey(a.baseURL())
			if remove {
				return a.forget(path, kept, key, name)
			}
			what := "Token of the account"
			if name != "" {
				what = "Token of the instance " + quote(name)
			}
			value, err := a.readSecret(cmd.Context(), fmt.Sprintf("%s at %s: ", line(what), shownURL(a.baseURL())))
			if err != nil {
				return err
			}
			value = strings.TrimSpace(value)
			if value == "" {
				return usage("there is no token")
			}
			saw, err := a.try(cmd, name, value)
			if err != nil {
				return err
			}
			t := kept.of(a.baseURL())
			if name == "" {
				t.Account = value
			} else {
				if t.Instances == nil {
					t.Instances = map[string]string{}
				}
				t.Instances[name] = value
			}
			if kept.Services == nil {
				kept.Services = map[string]*tokens{}
			}
			kept.Services[key] = t
			if err := writeCredentials(path, kept); err != nil {
				return err
			}
			a.note("%s It is kept in %s.", saw, path)
			if used := a.env.getenv(envAccountToken); used != "" && used != value {
				a.note("%s is set, and goes first.", envAccountToken)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&remove, "remove", false, "take tokens out of the file")
	return c
}

// try finds out whether a token is what it is said to be, and says what it sees.
func (a *app) try(cmd *cobra.Command, name, value string) (saw string, err error) {
	client, err := a.engine()
	if err != nil {
		return "", err
	}
	all, err := client.Account(value).ListInstances(cmd.Context())
	if err != nil {
		return "", fmt.Errorf("the token was not kept: %w", err)
	}
	isInstances := len(all) == 1 && all[0].Token.Reveal() == value
	switch {
	case name == "" && isInstances:
		return "", &hinted{errors.New("this is the token of the instance " + quote(all[0].Name) + ", not the account's; it was not kept"), "ryze login " + shellWord(all[0].Name)}
	case name == "":
		return fmt.Sprintf("The token sees %s.", plural(len(all), "instance")), nil
	case isInstances && all[0].Name == name:
		return fmt.Sprintf("The token is that of %s.", quote(name)), nil
	case isInstances:
		return "", &hinted{errors.New("this is the token of the instance " + quote(all[0].Name) + "; it was not kept"), "names are case-sensitive"}
	}
	for i := range all {
		if all[i].Name == name && cmp.Or(all[i].Token, ryze.Secret(value)).Reveal() == value {
			return fmt.Sprintf("The token is that of %s.", quote(name)), nil
		}
	}
	return "", &hinted{errors.New("this is an account's token, not that of the instance " + quote(name) + "; it was not kept"), "ryze login, without NAME"}
}

// forget takes tokens out of the file.
func (a *app) forget(path string, kept *credentials, key, name string) error {
	t := kept.Services[key]
	if t == nil || name != "" && t.Instances[name] == "" {
		a.note("There was no such token.")
		return nil
	}
	if name == "" {
		delete(kept.Services, key)
	} else {
		delete(t.Instances, name)
	}
	if err := writeCredentials(path, kept); err != nil {
		return err
	}
	a.note("Removed.")
	return nil
}
