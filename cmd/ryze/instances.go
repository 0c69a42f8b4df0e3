package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// instanceView is an instance as --json shows it. It has no token.
type instanceView struct {
	Name      string     `json:"name"`
	ID        string     `json:"id,omitempty"`
	State     string     `json:"state"`
	Number    string     `json:"number,omitempty"`
	Profile   string     `json:"profile,omitempty"`
	Webhook   bool       `json:"webhook"` // the one labelled "default"
	WebSocket bool       `json:"websocket"`
	CreatedAt *time.Time `json:"createdAt,omitempty"`
}

func viewInstance(i *ryze.Instance) instanceView {
	v := instanceView{
		Name: i.Name, ID: i.ID, State: string(i.State), Number: i.JID.Phone(), Profile: cmp.Or(i.Profile.BusinessName, i.Profile.Name),
		Webhook: i.Webhook != nil && i.Webhook.Enabled, WebSocket: i.WebSocket != nil && i.WebSocket.Enabled,
	}
	if !i.CreatedAt.IsZero() {
		v.CreatedAt = &i.CreatedAt
	}
	return v
}

func (a *app) instancesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "instances",
		Short: "List the instances and their states",
		Long: `List the instances of the account, or the one that RYZE_INSTANCE_TOKEN belongs to.

With --json: one JSON object a line. Tokens are not shown.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.list(cmd.Context())
			if err != nil {
				return err
			}
			rows := [][]string{{"NAME", "STATE", "NUMBER", "PROFILE", "WEBHOOK", "STREAM"}}
			for i := range all {
				v := viewInstance(&all[i])
				if a.asJSON {
					if err := a.jsonLine(v); err != nil {
						return err
					}
				}
				rows = append(rows, []string{v.Name, v.State, cmp.Or(v.Number, "-"), cmp.Or(v.Profile, "-"), onOff(v.Webhook), onOff(v.WebSocket)})
			}
			if a.asJSON {
				return nil
			}
			if len(all) == 0 {
				a.note("There are no instances yet. Make one: ryze new NAME")
				return nil
			}
			a.table(rows)
			return nil
		},
	}
	a.jsonFlag(c)
	return c
}

func (a *app) list(ctx context.Context) ([]ryze.Instance, error) {
	t, err := a.accountToken()
	if err != nil {
		return nil, err
	}
	if name := a.env.getenv(envInstance); t.none() && name != "" {
		inst, err := a.instance(ctx, name)
		if err != nil {
			return nil, err
		}
		info, err := inst.Info(ctx)
		if err != nil {
			return nil, err
		}
		return []ryze.Instance{*info}, nil
	}
	account, err := a.account()
	if err != nil {
		return nil, err
	}
	return account.ListInstances(ctx)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
