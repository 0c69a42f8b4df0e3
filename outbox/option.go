package outbox

import (
	"context"
	"crypto/cipher"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	ryze "github.com/ryzeapi/ryze-go"
)

// Open gives the client of an instance. It is called before each send and each
// look-up, so keep what it makes. Its error holds the instance back for a
// while, and nothing is lost.
type Open func(ctx context.Context, instance string) (*ryze.InstanceClient, error)

// Option configures an [Outbox]. All processes of one database need the same
// options.
type Option func(*config) error

type config struct {
	policy
	forget      []byte // key of what is left; nil: contents are kept
	seal        cipher.AEAD
	concurrency int
	observe     func(context.Context, *Entry)
	logger      *slog.Logger
	pacing      map[string]Pacing
	opening     context.Context       //nolint:containedctx // for as long as it is opened
	river       *river.Client[pgx.Tx] // the application's; nil: one of our own
	workers     *river.Workers
	timing
}

// timing is how long things may take. Tests make it shorter.
type timing struct {
	text   time.Duration // a send of a text, its wait for quota included
	other  time.Duration // any other send
	looks  time.Duration // a look
	orphan time.Duration // after this a job that still runs is taken for that of a dead process
	sweep  time.Duration // between two searches for such jobs
	poll   time.Duration // of SQLite for jobs
	reach  time.Duration // PostgreSQL
}

func configured(opts []Option) (config, error) {
	c := config{
		opening: context.Background(),
		policy:  policy{patience: 3 * time.Minute, hold: 10 * time.Second}, concurrency: 16, logger: slog.New(slog.DiscardHandler), pacing: map[string]Pacing{},
		timing: timing{
			text: time.Minute, other: 3 * time.Minute, looks: time.Minute,
			orphan: time.Minute, sweep: 15 * time.Second, poll: 100 * time.Millisecond,
			reach: 30 * time.Second,
		},
	}
	for _, opt := range opts {
		if opt == nil {
			return c, invalid("option", "is nil")
		}
		if err := opt(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// limit is how long a send of the entry may take.
func (c *config) limit(e *Entry) time.Duration {
	if _, ok := e.Content.(ryze.Text); ok {
		return c.text + e.Delay
	}
	return c.other + e.Delay
}

// WithPatience sets how long to look for a message with an unknown outcome: 3
// minutes by default. The least is 2, because a message may travel for a
// minute.
func WithPatience(d time.Duration) Option {
	return func(c *config) error {
		if d < 2*time.Minute {
			return invalid("WithPatience", "is less than 2 minutes")
		}
		c.patience = d
		return nil
	}
}

// WithResendWhenNotFound sends an unknown message again when it was not found
// within the patience. That is strong evidence, no proof: see
// [ryze.MessagesService.Find]. Without it the entry stays unknown.
func WithResendWhenNotFound() Option {
	return func(c *config) error { c.resend = true; return nil }
}

// WithForget removes an entry's content from the database when its state is
// final. An HMAC-SHA-256 stays, so the same key with other content is still an
// error.
//
// The secret has at least 16 bytes. Keep it out of the database: whoever has it
// can guess a short content. With another secret, a forgotten message that is
// added again is [ErrKeyReused], and nothing is sent. Backups and PostgreSQL's
// log may still hold a content. While Run works, SQLite's -wal file loses it
// within 15 seconds.
func WithForget(secret []byte) Option {
	return func(c *config) error {
		if len(secret) < 16 {
			return invalid("WithForget", "has a secret of less than 16 bytes")
		}
		c.forget = slices.Clone(secret)
		return nil
	}
}

// WithCipher encrypts contents, and their hashes, in the database. The nonce is
// random and needs at least 12 bytes. Recipients and keys are not encrypted.
func WithCipher(aead cipher.AEAD) Option {
	return func(c *config) error {
		if aead == nil || aead.NonceSize() < 12 {
			return invalid("WithCipher", "is nil or has a nonce of less than 12 bytes")
		}
		c.seal = aead
		return nil
	}
}

// WithConcurrency sets how many messages this process sends at the same time:
// 16 by default. Messages above [ryze.PriorityNormal] have as many workers of
// their own.
func WithConcurrency(n int) Option {
	return func(c *config) error {
		if n < 1 || n > 1000 {
			return invalid("WithConcurrency", "is not between 1 and 1000")
		}
		c.concurrency = n
		return nil
	}
}

// WithObserver sets a function that is told of each change of an entry by this
// process. It must be quick. Its panic is logged.
func WithObserver(observe func(context.Context, *Entry)) Option {
	return func(c *config) error {
		if observe == nil {
			return invalid("WithObserver", "is nil")
		}
		c.observe = observe
		return nil
	}
}

// WithContext sets a context that ends the opening of the outbox: reaching the
// database, waiting for another process that migrates, and migrating. The next
// opening goes on with what was not migrated. Without it PostgreSQL has 30 seconds
// to answer, and migrations have no limit. An open outbox ignores it.
func WithContext(ctx context.Context) Option {
	return func(c *config) error {
		if ctx == nil {
			return invalid("WithContext", "is nil")
		}
		c.opening = ctx
		return nil
	}
}

// WithLogger sets the logger, also for River. By default nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return invalid("WithLogger", "is nil")
		}
		c.logger = logger
		return nil
	}
}
