package ryzeredis

import (
	"strings"

	"github.com/ryzeapi/ryze-go"
)

// Option is an option of everything in this package. A bad value is a
// [*ryze.ValidationError] of the constructor.
type Option interface {
	apply(*config) error
}

type optionFunc func(*config) error

func (f optionFunc) apply(c *config) error { return f(c) }

type config struct {
	prefix string

	limiter limiterConfig
	streams streamsConfig
	dedupe  dedupeConfig
	locks   locksConfig
}

const (
	defaultPrefix = "ryze"
	longestPrefix = 200
)

// WithPrefix sets the beginning of all keys in Redis: "ryze" by default.
// Processes that share something need the same prefix. It has 1 to 200 bytes
// and no braces, because a Redis Cluster reads those.
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

// configure applies options to the defaults.
func configure(opts []Option) (*config, error) {
	c := &config{prefix: defaultPrefix}
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
