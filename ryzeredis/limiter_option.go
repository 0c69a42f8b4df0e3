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

// WithPatience sets how long a call waits for Redis before the window in memory
// takes over: 250 milliseconds by default. A distant Redis or an overloaded
// machine needs longer. For [NewLimiter].
func WithPatience(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d <= 0 {
			return invalid("WithPatience", "must be more than zero")
		}
		c.limiter.patience = d
		return nil
	})
}

// WithoutFallback makes calls fail while Redis is away, instead of using a
// window in memory. Then no request goes uncounted. The error matches
// [ErrUnavailable]. For [NewLimiter].
func WithoutFallback() Option {
	return optionFunc(func(c *config) error {
		c.limiter.noFallback = true
		return nil
	})
}

// WithStatus sets a function that is called once when Redis is away, with the
// reason, and once with nil when it is back. The limiter tries Redis again
// after it returns. For [NewLimiter].
func WithStatus(fn func(error)) Option {
	return optionFunc(func(c *config) error {
		if fn == nil {
			return invalid("WithStatus", "was given no function")
		}
		c.limiter.status = fn
		return nil
	})
}
