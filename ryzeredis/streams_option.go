package ryzeredis

import (
	"reflect"
	"time"

	"github.com/redis/go-redis/v9"
)

// Defaults of Streams.
const (
	defaultStreamLease = 10 * time.Second
	defaultOpenRate    = 10
	defaultOpens       = 4
)

// streamsConfig is what options say of [Streams], zero where they say nothing.
type streamsConfig struct {
	worker   string
	lease    time.Duration
	openRate float64
	opens    int
	onStream func(StreamChange)
}

// WithWorker sets the name of this worker in [Streams.Stats]. The default is
// the host's name and the process's number. Eight random characters follow, so
// a restarted process is another worker. For [NewStreams].
func WithWorker(name string) Option {
	return optionFunc(func(c *config) error {
		if name == "" {
			return invalid("WithWorker", "is empty")
		}
		c.streams.worker = name
		return nil
	})
}

// WithStreamLease sets the lease of an instance: 10 seconds by default, at
// least half a second. It is renewed five times in that time. A holder that
// cannot renew it stops after four fifths of it. All workers need the same. For
// [NewStreams].
func WithStreamLease(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d < 500*time.Millisecond {
			return invalid("WithStreamLease", "is shorter than half a second")
		}
		c.streams.lease = d
		return nil
	})
}

// WithOpenRate limits how many streams this worker opens in a second (10 by
// default) and at the same time (4). Each takes one request of its token's
// quota. For [NewStreams].
func WithOpenRate(perSecond float64, atOnce int) Option {
	return optionFunc(func(c *config) error {
		if !(perSecond > 0) || perSecond > 1e6 || atOnce < 1 {
			return invalid("WithOpenRate", "is not positive")
		}
		c.streams.openRate, c.streams.opens = perSecond, atOnce
		return nil
	})
}

// StreamState says what happened in a [StreamChange]. Other values can come.
type StreamState string

// States that a [StreamChange] tells.
const (
	StreamOpened   StreamState = "opened"   // the stream is open here
	StreamReleased StreamState = "released" // it was closed and handed over
	StreamLost     StreamState = "lost"     // its lease has passed
	StreamFailed   StreamState = "failed"   // it could not be opened, or has ended; it will be tried again
	RedisAway      StreamState = "away"     // Redis does not answer
	RedisBack      StreamState = "back"     // Redis answers again
)

// StreamChange is what [WithStreamHandler] is told.
type StreamChange struct {
	Instance string // "" when it is about Redis
	State    StreamState
	Token    int64     // see [Lease.Token]
	From     time.Time // where the stream begins: the moment of the holder before; zero for none
	Err      error     // of StreamLost, StreamFailed and RedisAway
}

// WithStreamHandler sets a function that is told what happens to this worker's
// streams. It must be quick, because its caller waits, and may be called at the
// same time. Its panic goes to the standard logger. For what an open stream
// does see [ryze.Observer]. For [NewStreams].
func WithStreamHandler(handle func(StreamChange)) Option {
	return optionFunc(func(c *config) error {
		if handle == nil {
			return invalid("WithStreamHandler", "was given no function")
		}
		c.streams.onStream = handle
		return nil
	})
}

// dedupeConfig is what options say of a [DedupeStore], zero where they say nothing.
type dedupeConfig struct{ lease, window time.Duration }

// configureFor is configure for who needs a client.
func configureFor(client redis.UniversalClient, opts []Option) (*config, error) {
	if v := reflect.ValueOf(client); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, invalid("client", "must not be nil")
	}
	return configure(opts)
}
