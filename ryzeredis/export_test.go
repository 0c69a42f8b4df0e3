package ryzeredis

import (
	"context"
	"time"
)

// Idle says whether the locks have neither goroutine nor tickets.
func (c *ChatLocks) Idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.keeping && len(c.tickets) == 0
}

// KeepLines sets how long lines are kept that nobody touches.
func (c *ChatLocks) KeepLines(d time.Duration) { c.lineKept = d }

// EnterLate sends a request for a ticket that nobody has any longer.
func (c *ChatLocks) EnterLate(ctx context.Context, key string) error {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	_, err := c.askEnter(ctx, s, &lockTicket{number: 1 << 40, lines: []string{c.key("k", digest(key))}}, 0, false)
	return err
}
