package outbox

import (
	"sync"
	"time"
)

// clock notices when the time of the computer jumps: beside it goes a time that is
// never set.
type clock struct {
	began time.Time

	mu     sync.Mutex
	wall   time.Time     // at the last check
	passed time.Duration // since began, at the last check
	jumped time.Duration // since began, at the last jump
}

// steady is for how long the time has gone on without a jump. Nobody knows what it
// did before this process.
func (c *clock) steady(now time.Time) time.Duration {
	return c.check(now.Round(0), now.Sub(c.began))
}

func (c *clock) check(wall time.Time, passed time.Duration) time.Duration {
	const slewed = 2 * time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wall.IsZero() && (wall.Sub(c.wall)-(passed-c.passed)).Abs() > slewed {
		c.jumped = passed
	}
	c.wall, c.passed = wall, passed
	return passed - c.jumped
}

const (
	agree   = time.Minute      // no clock that works is further ahead of another
	longest = 15 * time.Minute // a pause, unless NotBefore or the pacing asks for it
)
