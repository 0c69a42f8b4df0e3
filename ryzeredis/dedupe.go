package ryzeredis

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
)

const (
	defaultDedupeLease  = 5 * time.Minute
	defaultDedupeWindow = 24 * time.Hour
)

// DedupeStore is a [ryze.DedupeStore] that processes share. Give it to
// [ryze.WithDedupeStore] or [ryze.NewDeduper] in each of them.
//
// A claim is a random value with an expiry, the lease ([WithDedupeLease]). A
// process that dies before it commits loses its claim with that, and the next
// delivery is handled: an event is handled again rather than lost. A claim that
// has passed cannot release what another has claimed since.
//
// Keys are hashed: no address and no text of a message is in Redis. The keys of
// a cluster are in all of its slots. When Redis cannot be asked, its error is
// returned: the event counts as not handled.
type DedupeStore struct {
	client        redis.UniversalClient
	prefix        string
	lease, window time.Duration

	mu     sync.Mutex
	claims map[string]heldClaim // by key
	swept  time.Time
}

// heldClaim is a claim of this store.
type heldClaim struct {
	value string
	at    time.Time
}

// NewDedupeStore returns a store. [*ryze.ValidationError] when client or an
// option is nil, or an option has a bad value.
func NewDedupeStore(client redis.UniversalClient, opts ...Option) (*DedupeStore, error) {
	c, err := configureFor(client, opts)
	if err != nil {
		return nil, err
	}
	return &DedupeStore{
		client: client, prefix: c.prefix + ":dedupe:",
		lease:  cmp.Or(c.dedupe.lease, defaultDedupeLease),
		window: cmp.Or(c.dedupe.window, defaultDedupeWindow),
		claims: make(map[string]heldClaim),
	}, nil
}

// WithDedupeLease sets how long a claim holds that is neither committed nor
// released, five minutes by default. It must be longer than the work takes. For
// [NewDedupeStore].
func WithDedupeLease(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d < time.Millisecond {
			return invalid("WithDedupeLease", "is shorter than a millisecond")
		}
		c.dedupe.lease = d
		return nil
	})
}

// WithDedupeWindow sets how long a key is remembered whose work was done, 24
// hours by default. For [NewDedupeStore].
func WithDedupeWindow(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d < time.Millisecond {
			return invalid("WithDedupeWindow", "is shorter than a millisecond")
		}
		c.dedupe.window = d
		return nil
	})
}

// ErrUnavailable says that a claim could not be asked for: Redis does not answer.
// Nothing has been handled. [Streams] then calls its handler again after a pause,
// for as long as the lease holds.
var ErrUnavailable = errors.New("ryzeredis: Redis does not answer")

// claimPatience is less than what a Deduper gives its store.
const claimPatience = 4 * time.Second

// dedupeDone is the value of a key whose work was done. No claim is so short.
const dedupeDone = "done"

// claimScript returns the value of the key, or nothing when it was free and is
// claimed now.
var claimScript = redis.NewScript(`
local value = redis.call('GET', KEYS[1])
if not value then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return value
`)

// commitScript commits a key that is free or has the value of the claim. It
// returns 0 when another has claimed it.
var commitScript = redis.NewScript(`
local value = redis.call('GET', KEYS[1])
if value and value ~= ARGV[1] and value ~= 'done' then return 0 end
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
return 1
`)

// releaseScript deletes a key that has the value of the claim.
var releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`)

// Claim implements [ryze.DedupeStore]. It costs one round trip.
func (s *DedupeStore) Claim(ctx context.Context, key string) (first bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, claimPatience)
	defer cancel()
	value := rand.Text()
	known, err := claimScript.Run(ctx, s.client, []string{s.key(key)}, value, s.lease.Milliseconds()).Text()
	switch {
	case err == redis.Nil || err == nil && known == value: //nolint:errorlint // as it is; a retry of the client finds its own claim
		s.remember(key, value)
		return true, nil
	case err != nil:
		s.giveBack(ctx, key, value)
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if known == dedupeDone {
		return false, nil
	}
	return false, ryze.ErrInProgress
}

// giveBack releases a claim whose answer was lost.
func (s *DedupeStore) giveBack(ctx context.Context, key, value string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	go func() {
		defer cancel()
		_ = releaseScript.Run(ctx, s.client, []string{s.key(key)}, value).Err() // else it passes with its lease
	}()
}

// Commit implements [ryze.DedupeStore]. When the lease has passed and another
// has claimed the key since, the claim of the other stays.
func (s *DedupeStore) Commit(ctx context.Context, key string) error {
	value := s.claimOf(key)
	if err := commitScript.Run(ctx, s.client, []string{s.key(key)}, value, s.window.Milliseconds()).Err(); err != nil {
		return fmt.Errorf("ryzeredis: dedupe: %w", err)
	}
	s.forget(key, value)
	return nil
}

// Release implements [ryze.DedupeStore].
func (s *DedupeStore) Release(ctx context.Context, key string) error {
	value := s.claimOf(key)
	if value == "" {
		return nil
	}
	if err := releaseScript.Run(ctx, s.client, []string{s.key(key)}, value).Err(); err != nil {
		return fmt.Errorf("ryzeredis: dedupe: %w", err)
	}
	s.forget(key, value)
	return nil
}

func (s *DedupeStore) key(key string) string { return s.prefix + digest(key) }

func (s *DedupeStore) claimOf(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims[key].value
}

func (s *DedupeStore) remember(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.swept) > s.lease { // claims that were never ended
		s.swept = now
		for k, c := range s.claims {
			if now.Sub(c.at) > 2*s.lease {
				delete(s.claims, k)
			}
		}
	}
	s.claims[key] = heldClaim{value, now}
}

func (s *DedupeStore) forget(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[key].value == value {
		delete(s.claims, key)
	}
}
