package ryzeredis

import (
	"reflect"
	"time"

	"github.com/redis/go-redis/v9"
)

// Option configures what this package makes. An option that something has no
// use for has no effect there.
type Option func(*config) error

type config struct {
	streamsConfig

	prefix string
	dedupe dedupeConfig
	locks  locksConfig
}

// WithPrefix begins the names of all keys, "ryze:" by default. Who shares a
// Redis with others, or has several groups of workers, gives each its own.
func WithPrefix(prefix string) Option {
	return func(c *config) error {
		c.prefix = prefix
		return nil
	}
}

func newConfig(client redis.UniversalClient, opts []Option) (*config, error) {
	if v := reflect.ValueOf(client); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, invalid("client", "is nil")
	}
	c := &config{prefix: "ryze:"}
	c.lease, c.openRate, c.opens = defaultStreamLease, defaultOpenRate, defaultOpens
	c.dedupe = dedupeConfig{lease: 5 * time.Minute, window: 24 * time.Hour}
	c.locks = locksConfig{lease: 10 * time.Second}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("option", "is nil")
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

type dedupeConfig struct{ lease, window time.Duration }

type locksConfig struct{ lease time.Duration }
