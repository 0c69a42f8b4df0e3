package outbox

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

// Messages to one recipient stand in a lane, oldest first.

// isUrgent reports whether pacing does not hold an entry.
func isUrgent(e *Entry) bool { return e.Priority > ryze.PriorityNormal }

// forward does the next thing in the lane of an entry. It says for which entry, and
// how long nothing can be done for that.
func (o *Outbox) forward(ctx context.Context, own *Entry) (head *Entry, wait time.Duration, err error) {
	if own.State == Unknown { // to look for it is nobody's turn
		wait, err = o.turn(ctx, own)
		return own, wait, err
	}
	if head, err = o.head(ctx, own, false); err != nil {
		return nil, 0, err
	}
	wait, err = o.turn(ctx, head)
	if err != nil || wait <= 0 || !mayOvertake(own, head) {
		return head, wait, err
	}
	// What somebody waits for does not stand behind a broadcast that the pace holds,
	// perhaps for a night. Nor is the broadcast sent at night because of it.
	i, err := o.instance(ctx, own.Instance)
	if err != nil || o.paced(i, time.Now()).IsZero() {
		return head, wait, err
	}
	if head, err = o.head(ctx, own, true); err != nil {
		return nil, 0, err
	}
	wait, err = o.turn(ctx, head)
	return head, wait, err
}

// mayOvertake reports whether an entry is sent before another that the pace holds.
func mayOvertake(own, head *Entry) bool {
	return isUrgent(own) && head.State == Queued && !isUrgent(head)
}

// head finds whose turn it is in the lane of an entry. With urgent those that the
// pace can hold are passed over, unless one of them is under way.
func (o *Outbox) head(ctx context.Context, own *Entry, urgent bool) (*Entry, error) {
	return o.find(ctx, o.store, sqlHead, own.Instance, lane(own.To), millis(time.Now()), asInt(o.resend), asInt(urgent))
}

// inherited is the priority with which an entry waits for quota: the highest of those
// that stand behind it.
func (o *Outbox) inherited(ctx context.Context, e *Entry, now time.Time) (ryze.Priority, error) {
	highest := int64(e.Priority)
	_, err := one(ctx, o.store, sqlHighest, []any{e.Instance, lane(e.To), e.ID, millis(now), highest}, &highest)
	return max(e.Priority, ryze.Priority(highest)), o.store.translated(err)
}

// explain says of entries that are queued and due what they wait for. That is found
// out when they are read: who writes it down would write each message of a broadcast
// many times.
func (o *Outbox) explain(ctx context.Context, entries ...*Entry) error {
	now := time.Now()
	var due []*Entry
	var marks []string
	args := []any{millis(now), asInt(o.resend)}
	instances := map[string]instanceRow{}
	for _, e := range entries {
		if e.State != Queued || e.NextAt.After(now) || e.hasExpired(now) {
			continue
		}
		due, args = append(due, e), append(args, e.ID)
		marks = append(marks, "$"+strconv.Itoa(len(args)))
		if _, ok := instances[e.Instance]; !ok {
			i, err := o.instance(ctx, e.Instance)
			if err != nil {
				return err
			}
			instances[e.Instance] = i
		}
	}
	if len(due) == 0 {
		return nil
	}
	behind := map[int64]string{}
	err := each(ctx, o.store, func(r rows) error {
		var id int64
		var key string
		err := r.Scan(&id, &key)
		behind[id] = key
		return err
	}, strings.Replace(sqlBehind, "{ids}", strings.Join(marks, ", "), 1), args...)
	if err != nil {
		return o.store.translated(err)
	}
	for _, e := range due {
		i := instances[e.Instance]
		paced := o.paced(i, now)
		if behind[e.ID] != "" && isUrgent(e) && !paced.IsZero() { // it may overtake that one
			head, err := o.head(ctx, e, true)
			if err != nil {
				continue // it was settled just now
			}
			behind[e.ID] = head.Key
			if head.ID == e.ID {
				behind[e.ID] = ""
			}
		}
		switch {
		case behind[e.ID] != "":
			e.Reason = fmt.Sprintf("waits for the message %.100q to the same recipient", behind[e.ID])
		case i.isHeld(now):
			e.NextAt, e.Reason = i.held, "the instance cannot send: "+i.reason
		case isUrgent(e) || paced.IsZero():
		case o.pacing[e.Instance].opens(now) > 0:
			e.NextAt, e.Reason = paced, "waits for the hours of the pacing"
		default:
			e.NextAt, e.Reason = paced, "waits for the pace of the instance"
		}
	}
	return nil
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
