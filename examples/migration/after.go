package main

import (
	"context"
	"errors"

	ryze "github.com/ryzeapi/ryze-go"
)

// after does the same with the SDK.
type after struct{ inst *ryze.InstanceClient }

func (a *after) confirm(ctx context.Context, to, question, text string) error {
	_, err := a.inst.Messages.SendText(ctx, ryze.JID(to), text, ryze.ReplyTo(question)) // (3) a name that the compiler checks
	if errors.Is(err, ryze.ErrOutcomeUnknown) {
		_, err = a.inst.Messages.Settle(ctx, err) // (1) looked for, and not sent again
	}
	return err // (2) no token in it (4) the quota was waited for (5) a success is proven by the id of the message
}
