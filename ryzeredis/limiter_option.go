package ryzeredis

import "time"

// limiterConfig is what the options of [NewLimiter] set.
type limiterConfig struct {
	patience   time.Duration
	noFallback bool
	status     func(error)
}

// defaultPatience is far above a round trip within a region, even when a collector
// or a neighbour takes the processor for a moment. It is little beside the time of
// a request to the service, which a call pays for once when Redis goes away.
const defaultPatience = 250 * time.Millisecond

// WithPatience sets how long a call waits for an answer of Redis, 250 milliseconds
// without it. After that the window in memory takes over. Longer suits a distant
// Redis, or a machine that is overloaded. For [NewLimiter].
func WithPatience(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d <= 0 {
			return invalid("WithPatience", "must be more than zero")
		}
		c.limiter.patience = d
		return nil
	})
}

// WithoutFallback has calls fail while Redis is away: rather no request than one
// that is not counted together with those of other processes. Their error matches
// [ErrUnavailable]. Without this option the window in memory takes over. For
// [NewLimiter].
func WithoutFallback() Option {
	return optionFunc(func(c *config) error {
		c.limiter.noFallback = true
		return nil
	})
}

// WithStatus has fn told once when Redis is away, with the reason, and once with nil
// when it is back. It is called in a goroutine of the limiter, which tries Redis
// again when it has returned. For [NewLimiter].
func WithStatus(fn func(error)) Option {
	return optionFunc(func(c *config) error {
		if fn == nil {
			return invalid("WithStatus", "was given no function")
		}
		c.limiter.status = fn
		return nil
	})
}
