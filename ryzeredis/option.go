package ryzeredis

import (
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// Option is an option of everything that this package makes. One that is given a
// bad value returns a [*ryze.ValidationError], which the constructor passes on.
type Option interface {
	apply(*config) error
}

type optionFunc func(*config) error

func (f optionFunc) apply(c *config) error { return f(c) }

type config struct {
	prefix string

	patience   time.Duration // of the limiter
	noFallback bool
	status     func(error)

	streams streamsConfig
	dedupe  dedupeConfig
}

const (
	defaultPrefix = "ryze"
	longestPrefix = 200
)

// WithPrefix sets the beginning of all keys in Redis, which is "ryze" without it.
// Processes that share something need the same prefix. It has 1 to 200 bytes, and
// no braces, which mean something to a Redis Cluster.
func WithPrefix(prefix string) Option {
	return optionFunc(func(c *config) error {
		switch {
		case prefix == "":
			return invalid("WithPrefix", "was given no prefix")
		case len(prefix) > longestPrefix:
			return invalid("WithPrefix", "must not be longer than 200 bytes")
		case strings.ContainsAny(prefix, "{}"):
			return invalid("WithPrefix", "must not contain braces")
		}
		c.prefix = prefix
		return nil
	})
}

// WithPatience sets how long a call waits for an answer of Redis, 100 milliseconds
// without it. After that the limiter in memory takes over.
func WithPatience(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d <= 0 {
			return invalid("WithPatience", "must be more than zero")
		}
		c.patience = d
		return nil
	})
}

// WithoutFallback has calls fail while Redis is away. Without it a limiter in memory
// takes over, which does not know of other processes.
func WithoutFallback() Option {
	return optionFunc(func(c *config) error {
		c.noFallback = true
		return nil
	})
}

// WithStatus has fn told once when Redis is away, with the reason, and once with nil
// when it is back. It is called in a goroutine of the limiter.
func WithStatus(fn func(error)) Option {
	return optionFunc(func(c *config) error {
		if fn == nil {
			return invalid("WithStatus", "was given no function")
		}
		c.status = fn
		return nil
	})
}

// configure applies options to the defaults.
func configure(opts []Option) (*config, error) {
	c := &config{prefix: defaultPrefix, patience: defaultPatience}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("Option", "must not be nil")
		}
		if err := opt.apply(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func invalid(field, reason string) error {
	return &ryze.ValidationError{Field: field, Reason: reason}
}
