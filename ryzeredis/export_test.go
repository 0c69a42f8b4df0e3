package ryzeredis

// Idle says whether the locks have neither goroutine nor tickets.
func (c *ChatLocks) Idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.keeping && len(c.tickets) == 0
}
