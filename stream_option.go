package ryze

import (
	"slices"
	"time"
)

// SubscribeOption configures a stream; see [InstanceClient.Subscribe]. For an
// option with a bad value, and for one that is nil, Subscribe returns a
// [*ValidationError] before any request. Every [ReadOption] is an option of a
// stream, too.
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

// WithBuffer bounds the queue of events that have come and have not been
// taken: by their number, and by the bytes of their JSON. The queue takes
// memory only for what is in it. One event is always accepted, whatever its
// size. The defaults are 1,024 events and 64 MiB; what happens beyond them is
// said by [WithOverflow].
func WithBuffer(events, bytes int) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if events < 1 || bytes < 1 {
			return invalid("WithBuffer", "has no room")
		}
		c.bufferEvents, c.bufferBytes = events, bytes
		return nil
	})
}

// Overflow says what a stream does with events for which its queue has no
// room, because the application does not take them fast enough. It is one of
// [DropOldest], [FailWhenFull] and [BlockUpTo].
type Overflow struct {
	fail bool
	wait time.Duration
}

// DropOldest drops the oldest events of the queue, and puts a [GapEvent] with
// the reason [GapOverflow] and their number in their place. It is the default,
// because it alone keeps the stream going with bounded memory while the
// application is told of what it missed.
func DropOldest() Overflow { return Overflow{} }

// FailWhenFull ends the stream with [ErrOverflow]. What is in the queue
// is still delivered.
func FailWhenFull() Overflow { return Overflow{fail: true} }

// BlockUpTo gives the application so much time to make room, and follows the
// policy then only if it has not. Events that come meanwhile wait beside the
// queue, as many again as the queue holds, so its memory may double; when that
// room is used up too, the policy is followed at once. Reading from the
// connection never pauses: a connection that is not read answers no pings, and
// the service would take it for dead.
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

// WithPing sets how often the stream pings the service, give or take a tenth,
// and how long it then waits for any byte before it takes the connection for
// dead. The defaults are 25 and 20 seconds. Browsers do not let programs ping,
// so under GOOS=js it has no effect.
func WithPing(every, wait time.Duration) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if every <= 0 || wait <= 0 {
			return invalid("WithPing", "has a duration that is not positive")
		}
		c.pingEvery, c.pingWait = every, wait
		return nil
	})
}

// WithBackoff bounds the pause before the stream connects again. It is drawn
// between nothing and a bound, which begins at first and doubles up to longest
// with every attempt (full jitter); it begins anew once a connection has lasted
// a minute. The defaults are 1 and 30 seconds.
func WithBackoff(first, longest time.Duration) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if first <= 0 || longest < first {
			return invalid("WithBackoff", "has a first bound that is not positive, or a longest below it")
		}
		c.minPause, c.maxPause = first, longest
		return nil
	})
}

// WithWebSocket makes Subscribe call [WebSocketService.Ensure] before it
// connects: the configuration of the instance's stream is read, written only
// when it differs, and read back. It costs one request, or three.
//
// The instance has one such configuration, which all its streams share, so two
// programs should not ask for different ones. It is not enforced again when
// the stream reconnects: a stream that somebody disables ends with
// [ErrWebSocketDisabled].
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

// WithStateHandler has a function called with every change of the stream's
// state, one call at a time and in order, beside the stream: it does not hold up
// events. When it is so slow that many changes wait for it, those in between
// are left out, never the last. It may call methods of the Subscription. Close
// does not wait for it. A panic of it goes to the standard logger.
func WithStateHandler(handle func(StreamState)) SubscribeOption {
	return subscribeOption(func(c *streamConfig) error {
		if handle == nil {
			return invalid("WithStateHandler", "was given no function")
		}
		c.onState = handle
		return nil
	})
}
