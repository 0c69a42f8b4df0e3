package two

// c uses both, and nothing uses c.
func all() int { return start + first(nil) }
