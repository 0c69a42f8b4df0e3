package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// chatView is a chat as --json shows it.
type chatView struct {
	Kind string `json:"kind"` // contact, group or channel
	JID  string `json:"jid"`
	LID  string `json:"lid,omitempty"`
	Name string `json:"name,omitempty"`
}

// chatKinds are the kinds of chats, and how each is listed.
var chatKinds = []struct {
	name string
	list func(context.Context, *ryze.InstanceClient) ([]chatView, error)
}{
	{"contact", listContacts},
	{"group", listGroups},
	{"channel", listChannels},
}

func listContacts(ctx context.Context, inst *ryze.InstanceClient) ([]chatView, error) {
	all, err := inst.Contacts.List(ctx)
	var views []chatView
	for i := range all {
		c := &all[i]
		views = append(views, chatView{"contact", cmp.Or(c.JID, c.LID).String(), c.LID.String(), cmp.Or(c.FullName, c.FirstName, c.BusinessName, c.PushName)})
	}
	return views, err
}

func listGroups(ctx context.Context, inst *ryze.InstanceClient) ([]chatView, error) {
	all, err := inst.Groups.List(ctx)
	var views []chatView
	for i := range all {
		views = append(views, chatView{"group", all[i].JID.String(), "", all[i].Name})
	}
	return views, err
}

func listChannels(ctx context.Context, inst *ryze.InstanceClient) ([]chatView, error) {
	all, err := inst.Newsletters.List(ctx)
	var views []chatView
	for i := range all {
		views = append(views, chatView{"channel", all[i].JID.String(), "", all[i].Name})
	}
	return views, err
}

func (a *app) chatsCommand() *cobra.Command {
	var kinds []string
	c := &cobra.Command{
		Use:   "chats [NAME]",
		Short: "List whom an instance can write to: contacts, groups, channels",
		Long: `List the contacts, groups and channels of an instance. The service has no list of
chats: these are the addresses that "ryze send" and "ryze history" take.

With --json: one JSON object a line.`,
		Example:           `  ryze chats support-line --kind group`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, _, err := a.named(args, 0)
			if err != nil {
				return err
			}
			for _, kind := range kinds {
				if kind != "contact" && kind != "group" && kind != "channel" {
					return usage("--kind is %q; it is contact, group or channel", kind)
				}
			}
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			return a.chats(cmd.Context(), inst, kinds)
		},
	}
	c.Flags().StringSliceVar(&kinds, "kind", nil, "only these kinds: contact, group, channel (default all)")
	_ = c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"contact", "group", "channel"}, cobra.ShellCompDirectiveNoFileComp))
	a.jsonFlag(c)
	return c
}

// chats lists each kind. A kind that cannot be listed does not hide the others.
func (a *app) chats(ctx context.Context, inst *ryze.InstanceClient, kinds []string) error {
	rows := [][]string{{"KIND", "ADDRESS", "NAME"}}
	var failed []error
	listed := 0
	for _, kind := range chatKinds {
		if len(kinds) > 0 && !slices.Contains(kinds, kind.name) {
			continue
		}
		views, err := kind.list(ctx, inst)
		if err != nil {
			failed = append(failed, fmt.Errorf("the %ss cannot be listed: %w", kind.name, err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		listed++
		for _, v := range views {
			if a.asJSON {
				if err := a.jsonLine(v); err != nil {
					return err
				}
			}
			rows = append(rows, []string{v.Kind, v.JID, cmp.Or(v.Name, "-")})
		}
	}
	if !a.asJSON && len(rows) > 1 {
		a.table(rows)
	} else if len(rows) == 1 && len(failed) == 0 {
		a.note("There are none yet.")
	}
	if len(failed) > 0 && listed > 0 && ctx.Err() == nil {
		for _, err := range failed {
			text, hint, _ := a.explain(ctx, err)
			a.note("ryze: %s", text)
			if hint != "" {
				a.note("  → %s", hint)
			}
		}
		return &exitError{exitPartly}
	}
	if len(failed) > 0 {
		return failed[0]
	}
	return nil
}
