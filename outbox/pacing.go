package outbox

import (
	"context"
	"time"
)

// Pacing slows an instance down, for broadcasts. It holds for all processes of a
// database. Messages above [ryze.PriorityNormal] do not wait for it: they overtake
// held messages, also of the same recipient. The service names no pace that
// protects a number from a ban.
type Pacing struct {
	PerMinute float64       // messages a minute; 0: as many as the quota allows
	Jitter    time.Duration // at most so much is added to each pause, at random
	// From and Until bound the hours of sending, since midnight in Location,
	// such as 8*time.Hour and 20*time.Hour. Both zero: all day. When From is
	// later than Until, it sends through the night. A message whose turn came
	// before Until may still wait for quota, and leave up to some minutes later.
	From, Until time.Duration
	Location    *time.Location // nil: UTC
}

// WithPacing sets the pace of an instance.
func WithPacing(instance string, p Pacing) Option {
	return func(c *config) error {
		day := 24 * time.Hour
		switch {
		case instance == "":
			return invalid("WithPacing", "names no instance")
		case !(p.PerMinute >= 0) || p.PerMinute > 6000 || p.Jitter < 0:
			return invalid("WithPacing", "PerMinute or Jitter is out of range")
		case p.From < 0 || p.From > day || p.Until < 0 || p.Until > day, p.From%day == p.Until%day && p.From != 0:
			return invalid("WithPacing", "From or Until is no time of the day")
		}
		c.pacing[instance] = p
		return nil
	}
}

// gap is the pause after a message, and the longest that there can be.
func (p Pacing) gap() (gap, most time.Duration) {
	if p.PerMinute > 0 {
		gap = time.Duration(min(float64(time.Minute)/p.PerMinute, float64(30*24*time.Hour)))
	}
	return gap + jitter(p.Jitter), gap + p.Jitter
}

// opens is how long it is until the hours in which it sends; zero within them. It
// goes by what a clock on the wall shows, also on the days when clocks are changed.
func (p Pacing) opens(now time.Time) time.Duration {
	if p.From == p.Until {
		return 0
	}
	local := now.In(time.UTC)
	if p.Location != nil {
		local = now.In(p.Location)
	}
	shown := clockOf(local)
	afterFrom, beforeUntil := shown >= p.From, shown < p.Until
	if p.From < p.Until && afterFrom && beforeUntil || p.From > p.Until && (afterFrom || beforeUntil) {
		return 0
	}
	days, wait := 0, p.From-shown
	if wait <= 0 {
		days, wait = 1, wait+24*time.Hour
	}
	h, m, s := p.From/time.Hour, p.From%time.Hour/time.Minute, p.From%time.Minute/time.Second
	opens := time.Date(local.Year(), local.Month(), local.Day()+days, int(h), int(m), int(s), int(p.From%time.Second), local.Location())
	if early := p.From%(24*time.Hour) - clockOf(opens); early > 0 { // that hour is left out, and Go takes the one before
		opens = opens.Add(early)
	} else if early < -12*time.Hour { // also when that is on the day before
		opens = opens.Add(early + 24*time.Hour)
	}
	if opens.After(local) {
		wait = opens.Sub(local)
	}
	return wait
}

// clockOf is what a clock on the wall shows.
func clockOf(t time.Time) time.Duration {
	h, m, s := t.Clock()
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(t.Nanosecond())
}

// instanceRow is what is known of an instance.
type instanceRow struct {
	name        string
	held        time.Time // until then it sends nothing
	reason      string    // why it is held
	lastGapEnds time.Time
}

// isHeld reports whether nothing is sent, whatever its priority. What a clock that
// was ahead has written does not count.
func (i instanceRow) isHeld(now time.Time) bool {
	return i.held.After(now) && i.held.Sub(now) <= longest
}

func (o *Outbox) instance(ctx context.Context, name string) (instanceRow, error) {
	i := instanceRow{name: name}
	var held, paced int64
	_, err := one(ctx, o.store, sqlInstance, []any{name}, &held, &paced, &i.reason)
	i.held, i.lastGapEnds = fromMillis(held), fromMillis(paced)
	return i, o.store.translated(err)
}

// paced is until when the pacing holds what is not urgent; zero: it does not.
func (o *Outbox) paced(i instanceRow, now time.Time) time.Time {
	p, isPaced := o.pacing[i.name]
	if !isPaced {
		return time.Time{}
	}
	if wait := p.opens(now); wait > 0 {
		return now.Add(wait).UTC()
	}
	if _, most := p.gap(); i.lastGapEnds.After(now) && i.lastGapEnds.Sub(now) <= most {
		return i.lastGapEnds
	}
	return time.Time{}
}

// pace takes a turn of the instance, or says how long there is none.
func (o *Outbox) pace(ctx context.Context, e *Entry, now time.Time) (time.Duration, error) {
	i, err := o.instance(ctx, e.Instance)
	if err != nil {
		return 0, err
	}
	if i.isHeld(now) {
		return o.spread(ctx, e, now, i.held.Sub(now)+jitter(time.Second), 25*time.Millisecond)
	}
	p, isPaced := o.pacing[e.Instance]
	if !isPaced || isUrgent(e) {
		return 0, nil
	}
	gap, most := p.gap()
	if wait := p.opens(now); wait > 0 {
		return o.spread(ctx, e, now, wait+jitter(p.Jitter), gap/2)
	}
	if most == 0 {
		return 0, nil
	}
	if until := o.paced(i, now); !until.IsZero() {
		return o.spread(ctx, e, now, until.Sub(now)+jitter(gap/2), gap/2)
	}
	switch n, err := o.store.exec(ctx, sqlPace, e.Instance, millis(now.Add(gap)), millis(now), millis(now.Add(most))); {
	case err != nil:
		return 0, o.store.translated(err)
	case n == 0: // another had it
		return o.spread(ctx, e, now, gap/2+jitter(gap), gap/2)
	}
	return 0, nil
}

// spread makes a wait longer for each entry of the instance that will be sent
// before, or thousands would ask for their turn again and again.
func (o *Outbox) spread(ctx context.Context, e *Entry, now time.Time, wait, each time.Duration) (time.Duration, error) {
	var before int
	_, err := one(ctx, o.store, sqlBefore, []any{e.Instance, e.ID, millis(now), int64(e.Priority)}, &before)
	return wait + min(time.Duration(before)*each, longest), o.store.translated(err)
}
