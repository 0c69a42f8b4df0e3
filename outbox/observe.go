package outbox

import (
	"context"
	"errors"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

// Observe takes an event of your stream, webhook or inbox, and can be a
// [ryze.Handler]. The echo of a message proves that it was sent. Receipts tell
// when it was delivered and read. Other events do nothing, so give it all.
func (o *Outbox) Observe(ctx context.Context, event *ryze.Event) error {
	if event == nil || !isText(event.Instance) {
		return nil
	}
	switch data := event.Data.(type) {
	case *ryze.MessageEvent:
		if data.Direction != ryze.DirectionOutgoing || !isLabel(data.Source) || !isText(data.Source) || data.ID == "" || data.Edit != nil || data.RevokedID != "" {
			return nil
		}
		return o.notice(ctx, func(e *Entry) (step, error) {
			if e.State == Sent {
				return step{}, errSame
			}
			return step{to: Sent, message: &ryze.SentMessage{ID: data.ID, Chat: data.Chat.JID}}, nil
		}, bySource, data.Source, event.Instance)
	case *ryze.ReceiptEvent:
		at := data.Timestamp
		if at.IsZero() {
			at = time.Now()
		}
		read := data.Status == ryze.StatusRead || data.Status == ryze.StatusPlayed
		if !read && data.Status != ryze.StatusDelivered {
			return nil
		}
		for _, id := range data.MessageIDs {
			if !isText(id) {
				continue
			}
			err := o.notice(ctx, func(e *Entry) (step, error) {
				if !e.DeliveredAt.IsZero() && (!read || !e.ReadAt.IsZero()) {
					return step{}, errSame
				}
				if e.DeliveredAt.IsZero() {
					e.DeliveredAt = at.UTC()
				}
				if read {
					e.ReadAt = at.UTC()
				}
				return step{to: e.State, next: e.NextAt, reason: e.Reason}, nil
			}, byMessage, event.Instance, id)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// notice changes the entry that a query finds, if there is one.
func (o *Outbox) notice(ctx context.Context, decide func(*Entry) (step, error), query string, args ...any) error {
	_, err := o.change(ctx, decide, o.move, query, args...)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
