package ryze

import (
	"slices"
	"time"
)

// SubscribeOption configures a stream. A bad value or a nil option is a
// [*ValidationError] before any request. Each [ReadOption] is one, too.
type SubscribeOption interface {
	applyToStream(*streamConfig) error
}

type subscribeOption func(*streamConfig) error

func (o subscribeOption) applyToStream(c *streamConfig) error { return o(c) }

// Defaults of a stream.
const (
	defaultBufferEvents = 1024
	defaultBufferBytes  = 64 << 20
	defaultPingEvery    = 25 * time.Second
	defaultPingWait     = 20 * time.Second
	defaultMinPause     = time.Second
	defaultMaxPause     = 30 * time.Second
)

type streamConfig struct {
	reading

	bufferEvents int
	bufferBytes  int
	overflow     Overflow
	pingEvery    time.Duration
	pingWait     time.Duration
	minPause     time.Duration
	maxPause     time.Duration
	ensure       *WebSocketConfig
	onState      func(StreamState)
	wholeUntil   time.Time
}

func newStreamConfig(opts []SubscribeOption) (*streamConfig, error) {
	c := &streamConfig{
		bufferEvents: defaultBufferEvents,
		bufferBytes:  defaultBufferBytes,
		reading:      reading{readLimit: defaultReadLimit},
		pingEvery:    defaultPingEvery,
		pingWait:     defaultPingWait,
		minPause:     defaultMinPause,
		maxPause:     defaultMaxPause,
	}
	if err := applyOptions(opts, func(o SubscribeOption) error { return o.applyToStream(c) }); err != nil {
		return nil, err
	}
	return c, nil
}

// WithBuffer limits the queue of a stream, by events and by bytes of JSON. The
// defaults are 1,024 and 64 MiB. One event always fits. Beyond the limits
// [WithOverflow] decides.
func WithBuffer(events, bytes int) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if events < 1 || bytes < 1 {
			return invalid("WithBuffer", "has no room")
		}
		c.bufferEvents, c.bufferBytes = events, bytes
		return nil
	})
}

// Overflow says what a stream does when its queue is full: [DropOldest],
// [FailWhenFull] or [BlockUpTo].
type Overflow struct {
	fail bool
	wait time.Duration
}

// DropOldest drops the oldest events and puts a [GapEvent] ([GapOverflow]) with
// their number in their place. It is the default: memory stays bounded.
func DropOldest() Overflow { return Overflow{} }

// FailWhenFull ends the stream with [ErrOverflow]. It still delivers the queue.
func FailWhenFull() Overflow { return Overflow{fail: true} }

// BlockUpTo waits at most wait for room in the queue. After that the policy
// then applies. Meanwhile events wait in a second queue of the same size; when
// that is full too, the policy applies at once. The stream keeps reading, to
// answer pings.
func BlockUpTo(wait time.Duration, then Overflow) Overflow {
	then.wait = wait
	return then
}

// WithOverflow sets what happens when the queue is full. The default is
// [DropOldest].
func WithOverflow(policy Overflow) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if policy.wait < 0 {
			return invalid("BlockUpTo", "has a negative duration")
		}
		c.overflow = policy
		return nil
	})
}

// WithPing sets the interval of pings (within a tenth) and how long to wait for
// an answer. The defaults are 25 and 20 seconds. Browsers do not let programs
// ping: it has no effect under GOOS=js.
func WithPing(every, wait time.Duration) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if every <= 0 || wait <= 0 {
			return invalid("WithPing", "has a duration that is not positive")
		}
		c.pingEvery, c.pingWait = every, wait
		return nil
	})
}

// WithBackoff limits the pause before a reconnection. The pause is random,
// below a bound that doubles from first to longest (full jitter), and starts
// again after a minute of connection. The defaults are 1 and 30 seconds.
func WithBackoff(first, longest time.Duration) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if first <= 0 || longest < first {
			return invalid("WithBackoff", "has a first bound that is not positive, or a longest below it")
		}
		c.minPause, c.maxPause = first, longest
		return nil
	})
}

// WithWebSocket makes Subscribe call [WebSocketService.Ensure] first. It costs
// one request, or three.
//
// All streams of an instance share the configuration: two programs must ask for
// the same one. A reconnection does not ensure it again.
func WithWebSocket(config WebSocketConfig) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if slices.Contains(config.Events, "") {
			return invalid("WithWebSocket", "has an empty event type")
		}
		config.Events = slices.Clone(config.Events)
		c.ensure = &config
		return nil
	})
}

// WithStateHandler sets a function that is told of each state of the stream,
// one at a time, in order. It does not hold up events or Close. When it is slow
// it misses states, never the last. Its panic goes to the standard logger.
func WithStateHandler(handle func(StreamState)) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if handle == nil {
			return invalid("WithStateHandler", "was given no function")
		}
		c.onState = handle
		return nil
	})
}
