package ryzeredis

import (
	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
)

// NewDedupeStore is to come.
func NewDedupeStore(client redis.UniversalClient, opts ...Option) (ryze.DedupeStore, error) {
	if _, err := configureFor(client, opts); err != nil {
		return nil, err
	}
	return &ryze.MemoryDedupe{}, nil
}
