package ryze

import "slices"

// tells reports whether c is enabled and lets events of type t through.
func (c *WebSocketConfig) tells(t EventType) bool {
	return c != nil && c.Enabled && (len(c.Events) == 0 || slices.Contains(c.Events, t))
}
