package outbox

import (
	"time"
)

// Pacing slows an instance down, so that a broadcast does not get its number
// banned. It holds for all processes of a database. Messages above
// [ryze.PriorityNormal] do not wait for it.
type Pacing struct {
	PerMinute float64       // messages a minute; 0: as many as the quota allows
	Jitter    time.Duration // at most so much is added to each pause, at random
	// From and Until bound the hours of sending, since midnight in Location,
	// such as 8*time.Hour and 20*time.Hour. Both zero: all day. When From is
	// later than Until, it sends through the night.
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
		case p.From < 0 || p.From > day || p.Until < 0 || p.Until > day, p.From == p.Until && p.From != 0:
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

// opens is how long it is until the hours in which it sends; zero within them.
func (p Pacing) opens(now time.Time) time.Duration {
	if p.From == p.Until {
		return 0
	}
	local := now.In(time.UTC)
	if p.Location != nil {
		local = now.In(p.Location)
	}
	at := func(day int, clock time.Duration) time.Time { // noon and all, when clocks are changed
		return time.Date(local.Year(), local.Month(), local.Day()+day, int(clock.Hours()), int(clock.Minutes())%60, int(clock.Seconds())%60, 0, local.Location())
	}
	from, until := at(0, p.From), at(0, p.Until)
	switch within := !local.Before(from) && local.Before(until); {
	case p.From < p.Until && within, p.From > p.Until && (!local.Before(from) || local.Before(until)):
		return 0
	case local.Before(from):
		return from.Sub(local)
	default:
		return at(1, p.From).Sub(local)
	}
}
