package ryzeredis

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
)

const (
	defaultDedupeLease  = 5 * time.Minute
	defaultDedupeWindow = 24 * time.Hour
)

// DedupeStore is a [ryze.DedupeStore] that processes share. Give it to
// [ryze.WithDedupeStore] or [ryze.NewDeduper] in each process.
//
// A claim is a random value that expires after the lease ([WithDedupeLease]). A
// process that dies before it commits loses its claim, and the next delivery is
// handled again. An expired claim cannot release another one. When Redis fails,
// its error is returned and the event counts as not handled.
//
// Redis replicates after it has answered. A promoted replica may lack the last
// claims and commits, and these events may be handled twice. The first handler
// then gets [ryze.ErrClaimLost] when it commits.
type DedupeStore struct {
	client        redis.UniversalClient
	prefix        string
	lease, window time.Duration
}

// NewDedupeStore returns a store. A nil client, a nil option or a bad value is
// a [*ryze.ValidationError].
func NewDedupeStore(client redis.UniversalClient, opts ...Option) (*DedupeStore, error) {
	c, err := configureFor(client, opts)
	if err != nil {
		return nil, err
	}
	return &DedupeStore{
		client: client, prefix: c.prefix + ":dedupe:",
		lease:  cmp.Or(c.dedupe.lease, defaultDedupeLease),
		window: cmp.Or(c.dedupe.window, defaultDedupeWindow),
	}, nil
}

// WithDedupeLease sets how long an open claim holds: five minutes by default.
// It must be longer than the work. For [NewDedupeStore].
func WithDedupeLease(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d < time.Millisecond {
			return invalid("WithDedupeLease", "is shorter than a millisecond")
		}
		c.dedupe.lease = d
		return nil
	})
}

// WithDedupeWindow sets how long a committed key is remembered: 24 hours by
// default. For [NewDedupeStore].
func WithDedupeWindow(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d < time.Millisecond {
			return invalid("WithDedupeWindow", "is shorter than a millisecond")
		}
		c.dedupe.window = d
		return nil
	})
}

// ErrUnavailable says that Redis does not answer, or answers with an error such as
// OOM or WRONGTYPE; the error that matches it says which. A [DedupeStore] or
// [ChatLocks] then has handled nothing. [Streams] calls its handler again after
// a pause, while the lease holds. A [Limiter] without fallback has no quota,
// and nothing was sent.
var ErrUnavailable = errors.New("ryzeredis: Redis could not do it")

// claimPatience is less than what a Deduper gives its store.
const claimPatience = 4 * time.Second

// dedupeDone begins the value of a key whose work was done.
const dedupeDone = "done:"

// claimScript returns the value of the key, or nothing when it was free and is
// claimed now.
var claimScript = redis.NewScript(`
local value = redis.call('GET', KEYS[1])
if not value then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return value
`)

// commitScript commits a key that is free or has the value of the claim. It
// returns 0 when it is another's.
var commitScript = redis.NewScript(`
local value = redis.call('GET', KEYS[1])
if value and value ~= ARGV[1] and value ~= 'done:' .. ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'done:' .. ARGV[1], 'PX', ARGV[2])
return 1
`)

// releaseScript deletes a key that has the value of the claim. It returns 0 when
// it is another's.
var releaseScript = redis.NewScript(`
local value = redis.call('GET', KEYS[1])
if value and value ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
`)

// Claim implements [ryze.DedupeStore]. It costs one round trip.
func (s *DedupeStore) Claim(ctx context.Context, key string) (ryze.DedupeClaim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &dedupeClaim{s, s.prefix + digest(key), rand.Text()}
	within, cancel := context.WithTimeout(ctx, claimPatience)
	defer cancel()
	known, err := untilEnd(within, s.client, func(ctx context.Context) (string, error) {
		return claimScript.Run(ctx, s.client, []string{c.key}, c.value, s.lease.Milliseconds()).Text()
	}, func(err error) {
		if err == nil || errors.Is(err, redis.Nil) {
			c.giveBack(ctx) // it came after all
		}
	})
	switch {
	case errors.Is(err, redis.Nil) || err == nil && known == c.value: // its own when the client has asked twice
		return c, nil
	case err != nil:
		c.giveBack(ctx)
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case strings.HasPrefix(known, dedupeDone):
		return nil, nil //nolint:nilnil // as the interface has it
	default:
		return nil, ryze.ErrInProgress
	}
}

// dedupeClaim is a claim of a store.
type dedupeClaim struct {
	store      *DedupeStore
	key, value string
}

// giveBack releases a claim whose answer was lost.
func (c *dedupeClaim) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	go func() {
		defer cancel()
		_ = c.Release(ctx) // else it passes with its lease
	}()
}

// Commit implements [ryze.DedupeClaim].
func (c *dedupeClaim) Commit(ctx context.Context) error {
	return c.run(ctx, commitScript, c.value, c.store.window.Milliseconds())
}

// Release implements [ryze.DedupeClaim].
func (c *dedupeClaim) Release(ctx context.Context) error { return c.run(ctx, releaseScript, c.value) }

func (c *dedupeClaim) run(ctx context.Context, script *redis.Script, args ...any) error {
	mine, err := untilEnd(ctx, c.store.client, func(ctx context.Context) (int, error) {
		return script.Run(ctx, c.store.client, []string{c.key}, args...).Int()
	}, func(error) {})
	switch {
	case err != nil:
		return fmt.Errorf("ryzeredis: dedupe: %w", err)
	case mine == 0:
		return ryze.ErrClaimLost
	default:
		return nil
	}
}

// untilEnd asks Redis, and ends with its context. go-redis alone goes on for as long
// as its own timeouts let it. What comes after that is for late.
func untilEnd[T any](ctx context.Context, client redis.UniversalClient, ask func(context.Context) (T, error), late func(error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	came := make(chan answer)
	go func() {
		value, err := ask(ctx)
		lookAgain(ctx, client, err)
		select {
		case came <- answer{value, err}:
		case <-ctx.Done():
			late(err)
		}
	}()
	select {
	case a := <-came:
		return a.value, a.err
	case <-ctx.Done():
		return *new(T), ctx.Err()
	}
}
