package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// messageView is a stored message as --json shows it.
type messageView struct {
	ID        string    `json:"id"`
	Chat      string    `json:"chat"`
	Sender    string    `json:"sender,omitempty"`
	FromMe    bool      `json:"fromMe"`
	Type      string    `json:"type,omitempty"`
	Text      string    `json:"text,omitempty"`
	Timestamp time.Time `json:"timestamp,omitzero"`
}

type historyFlags struct {
	limit        int
	since, until string
}

func (a *app) historyCommand() *cobra.Command {
	var flags historyFlags
	c := &cobra.Command{
		Use:   "history [NAME] CHAT",
		Short: "Show the messages of a chat",
		Long: `Show the newest messages of a chat, the newest last. CHAT is a phone or an address;
"ryze chats" lists some.

--since and --until take a time (2026-01-31, 2026-01-31T15:04:05Z) or a duration
before now (24h).

What stands in [brackets] is not a text: the history has none of these messages, and
does not say which button was tapped. Events do.

With --json: one JSON object a line.`,
		Example:           `  ryze history support-line 5511987654321 --since 24h`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, rest, err := a.named(args, 1)
			if err != nil {
				return err
			}
			chat, err := recipient(rest[0])
			if err != nil {
				return err
			}
			if flags.limit < 1 {
				return usage("--limit is %d; it is at least 1", flags.limit)
			}
			query := ryze.HistoryQuery{PageSize: min(flags.limit, 100)}
			if query.From, err = moment("--since", flags.since, time.Now()); err != nil {
				return err
			}
			if query.To, err = moment("--until", flags.until, time.Now()); err != nil {
				return err
			}
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			return a.history(cmd.Context(), inst, chat, query, flags.limit)
		},
	}
	c.Flags().IntVarP(&flags.limit, "limit", "n", 30, "how many messages at most")
	c.Flags().StringVar(&flags.since, "since", "", "only messages from this `TIME` on")
	c.Flags().StringVar(&flags.until, "until", "", "only messages up to this `TIME`")
	a.jsonFlag(c)
	return c
}

// wordless says what a message is whose text the history does not have, and whose type
// says little. Which button or row it was, only the event tells.
var wordless = map[ryze.MessageType]string{
	ryze.MessageButtonsResponse: "[tapped a button]", ryze.MessageTemplateButtonReply: "[tapped a button]",
	"button_response":        "[tapped a button]",
	ryze.MessageListResponse: "[picked a row of a list]",
	ryze.MessageInteractive:  "[a form, or what was filled in]",
	"buttons":                "[buttons]", "list": "[a list]", "carousel": "[cards]", "pix": "[a PIX payment]",
	ryze.MessageEdit: "[changed a message]", ryze.MessageRevoke: "[took a message back]",
}

// textOf is the text of a message, or what there is in its place.
func textOf(m *ryze.HistoryMessage) string {
	switch {
	case m.Text == "":
		return wordless[m.Type]
	case !visible(m.Text):
		return "[nothing that can be seen]"
	}
	return m.Text
}

// moment reads a time, or a duration before now. An empty text is no time.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("%s is %q; it is a time such as 2026-01-31 or 2026-01-31T15:04:05Z, or a duration such as 24h", flag, text)
}

func (a *app) history(ctx context.Context, inst *ryze.InstanceClient, chat ryze.JID, query ryze.HistoryQuery, limit int) error {
	var messages []*ryze.HistoryMessage
	for message, err := range inst.Chats.History(ctx, chat, query) {
		if err != nil {
			return err
		}
		if messages = append(messages, message); len(messages) == limit {
			break
		}
	}
	slices.Reverse(messages)
	rows := [][]string{{"TIME", "ID", "FROM", "TYPE", "TEXT"}}
	for _, m := range messages {
		if a.asJSON {
			v := messageView{ID: m.ID, Chat: m.Chat.String(), Sender: m.Sender.String(), FromMe: m.FromMe, Type: string(m.Type), Text: m.Text, Timestamp: m.Timestamp}
			if err := a.jsonLine(v); err != nil {
				return err
			}
			continue
		}
		from := "me"
		if !m.FromMe {
			from = cmp.Or(m.Sender, m.Chat, chat).User()
		}
		at := "-"
		if !m.Timestamp.IsZero() {
			at = m.Timestamp.Local().Format("2006-01-02 15:04")
		}
		rows = append(rows, []string{at, m.ID, from, cmp.Or(string(m.Type), "-"), textOf(m)})
	}
	switch {
	case len(messages) == 0:
		a.note("There are no messages.")
	case !a.asJSON:
		a.table(rows)
	}
	return nil
}
