package main

import "github.com/spf13/cobra"

func (a *app) deleteCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete an instance with everything that the service holds of it",
		Long: `Log an instance out and delete it, with its token, settings, webhooks and stored
messages. This cannot be undone. It asks back. It needs the account's token, and
NAME cannot be left out.

With --json: {"done": true}.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			account, err := a.account()
			if err != nil {
				return err
			}
			if _, err := account.GetInstance(cmd.Context(), name); err != nil {
				return err
			}
			if !yes {
				if err := a.confirm(cmd.Context(), "The instance "+quote(name)+" and everything that the service holds of it is deleted for good.", name); err != nil {
					return err
				}
			}
			if err := account.DeleteInstance(cmd.Context(), name); err != nil {
				return changing(err)
			}
			return a.done("Deleted: %s.", name)
		},
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	a.jsonFlag(c)
	return c
}
