package main

import "github.com/spf13/cobra"

func (a *app) logoutCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "logout [NAME]",
		Short: "Unlink an instance from its phone",
		Long: `Unlink an instance from its phone. The instance, its token, settings and webhooks
stay; "ryze connect" pairs it again. It asks back.

With --json: {"done": true}.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, _, err := a.named(args, 0)
			if err != nil {
				return err
			}
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			if !yes {
				if err := a.confirm(cmd.Context(), "The instance "+quote(name)+" is unlinked from its phone, and must be paired again.", name); err != nil {
					return err
				}
			}
			if err := inst.Logout(cmd.Context()); err != nil {
				return changing(err)
			}
			return a.done("Logged out: %s.", name)
		},
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	a.jsonFlag(c)
	return c
}
