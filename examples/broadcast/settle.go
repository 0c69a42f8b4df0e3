package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

// settle looks for the messages that may have been sent. It waits a while
// before: that a message is not found says little while it is on its way.
func (b *broadcast) settle(ctx context.Context) error {
	if len(b.unknown) == 0 {
		return nil
	}
	fmt.Fprintf(b.out, "In %s: a look for what may have been sent, %d in all.\n", b.patience, len(b.unknown))
	select {
	case <-ctx.Done():
		return ctx.Err() // the next run looks back
	case <-time.After(b.patience):
	}
	for to, err := range b.unknown {
		message, err := b.inst.Messages.Settle(ctx, err)
		e := b.journal.state(to)
		switch {
		case err == nil:
			e.State, e.ID, e.Reason = sent, message.ID, ""
		case errors.Is(err, ryze.ErrNotSent):
			e.State = missing
		case ctx.Err() != nil:
			return err
		default: // still unknown
			continue
		}
		if err := b.journal.write(e); err != nil {
			return err
		}
	}
	return nil
}

// lookBack finds out about sends of an earlier run of which the journal does
// not know the end. The errors are gone with that run; what the journal wrote
// down before each send is enough to look for the message.
func (b *broadcast) lookBack(ctx context.Context) error {
	found := 0
	for _, to := range b.recipients {
		e := b.journal.state(to)
		if e.State != sending && e.State != unknown && e.State != missing {
			continue
		}
		message, err := b.inst.Messages.Find(ctx, ryze.Attempt{To: e.To, Content: ryze.Text(b.text), SentAt: e.At})
		switch {
		case err == nil:
			e.State, e.ID, e.Reason = sent, message.ID, ""
			found++
		case ctx.Err() != nil:
			return err
		case !errors.Is(err, ryze.ErrNotSent) || time.Since(e.At) < b.patience:
			continue // a doubt is no reason to send again
		case b.again:
			e.State = unsent
		default:
			e.State = missing
		}
		if err := b.journal.write(e); err != nil {
			return err
		}
	}
	if found > 0 {
		fmt.Fprintf(b.out, "Sent after all, by an earlier run: %d.\n", found)
	}
	return nil
}
