package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

func (a *app) newCommand() *cobra.Command {
	var stream bool
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Create an instance",
		Long: `Create an instance. It is not connected yet: pair it with "ryze connect".

Its token is not shown. The other commands find it by the account's token.

With --json: the instance as one JSON value.`,
		Args:    cobra.ExactArgs(1),
		Example: `  ryze new support-line`,
		RunE: func(cmd *cobra.Command, args []string) error {
			account, err := a.account()
			if err != nil {
				return err
			}
			params := ryze.CreateInstanceParams{Name: args[0]}
			if stream {
				params.WebSocket = &ryze.WebSocketConfig{}
			}
			created, err := account.CreateInstance(cmd.Context(), params)
			if created == nil {
				return explainCreation(cmd.Context(), account, args[0], err)
			}
			if a.asJSON {
				return errors.Join(a.value(viewInstance(created)), err)
			}
			a.tell("Created the instance %q.", created.Name)
			if err == nil {
				a.note("Pair it with a phone: ryze connect %s", shellWord(created.Name))
			}
			return err
		},
	}
	c.Flags().BoolVar(&stream, "stream", true, "switch its event stream on, as ryze listen needs it")
	a.jsonFlag(c)
	return c
}

// explainCreation says more about a creation that may have been carried out.
func explainCreation(ctx context.Context, account *ryze.AccountClient, name string, err error) error {
	if !errors.Is(err, ryze.ErrOutcomeUnknown) || ctx.Err() != nil {
		return err
	}
	switch _, found := account.GetInstance(ctx, name); {
	case found == nil:
		return &hinted{err, fmt.Sprintf("an instance %q exists now: it was made by this, or was there before", name)}
	case errors.Is(found, ryze.ErrInstanceNotFound):
		return &hinted{err, fmt.Sprintf("there is no instance %q now; look again with ryze instances before a new try", name)}
	default:
		return &hinted{err, "look with ryze instances before a new try"}
	}
}
