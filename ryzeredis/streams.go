package ryzeredis

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
)

// Streams shares the event streams of many instances among workers, which are
// processes with the same Redis and the same list of instances: each instance's
// stream is open in exactly one of them.
//
//	streams, err := ryzeredis.NewStreams(client)
//	streams.Set("loja-1", "loja-2")
//	err = streams.Run(ctx, open, inbox.Handle)
//
// The rules:
//
//   - Which worker holds an instance is decided by rendezvous hashing over the
//     workers that are alive: when one joins or leaves, only its share moves. A
//     worker that leaves hands over at once; the instances of one that dies are
//     free after the lease ([WithStreamLease]), and open elsewhere within two
//     leases: 20 seconds by default, if their number and [WithOpenRate] allow it.
//   - A holder that cannot renew its lease, because it was paused or Redis is
//     away, delivers nothing more once four fifths of the lease have passed since
//     it sent its last renewal, by the clocks of its own machine. It looks before
//     each event, and the context of a handler that is at work ends.
//   - The lease carries until when everything was handled. The next holder
//     delivers a [ryze.GapEvent] that begins there, before anything else.
//   - While Redis is away, holders keep their streams for as long as their leases
//     surely hold, then close them. They come back by themselves.
//   - A Redis that has restarted, or a replica that was promoted, may have
//     forgotten the last leases that were granted. It grants none for the length
//     of a lease. So does a new one: the first streams open after that time.
//
// Names of instances are not in Redis, only their digests. Everything is in one
// slot of a cluster. It is safe for concurrent use.
type Streams struct {
	client redis.UniversalClient
	streamsConfig

	prefix string
	worker string
	poke   chan struct{} // something has changed here

	mu        sync.Mutex
	running   bool
	instances map[string]bool
	holds     map[string]*hold
	workers   []string
	redisErr  error
	grace     time.Duration
}

// OpenStream opens the stream of an instance and passes the options on. The
// stream must end with ctx.
//
//	func(ctx context.Context, instance string, opts ...ryze.SubscribeOption) (*ryze.Subscription, error) {
//		return account.Instance(instance).Subscribe(ctx, opts...)
//	}
type OpenStream func(ctx context.Context, instance string, opts ...ryze.SubscribeOption) (*ryze.Subscription, error)

// NewStreams returns a worker that holds nothing until [Streams.Run] is called.
// The client's keys of all workers must have the same prefix.
//
// [*ryze.ValidationError] when client or an option is nil, or an option has a
// bad value.
func NewStreams(client redis.UniversalClient, opts ...Option) (*Streams, error) {
	c, err := configureFor(client, opts)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	name := cmp.Or(c.streams.worker, fmt.Sprintf("%s-%d", host, os.Getpid()))
	o := c.streams
	o.lease = cmp.Or(o.lease, defaultStreamLease)
	o.openRate, o.opens = cmp.Or(o.openRate, defaultOpenRate), cmp.Or(o.opens, defaultOpens)
	return &Streams{
		client: client, streamsConfig: o, prefix: c.prefix,
		worker:    name + "-" + rand.Text()[:8], // nobody else's, also after a restart
		poke:      make(chan struct{}, 1),
		instances: make(map[string]bool),
		holds:     make(map[string]*hold),
	}, nil
}

// Set replaces the list of instances. It may be called at any time, also while
// Run is at work: a stream that is no longer in the list is handed over as when
// a worker leaves. All workers must be given the same list; while they differ, an
// instance that its own worker does not know is open in none.
func (s *Streams) Set(instances ...string) {
	s.mu.Lock()
	s.instances = make(map[string]bool, len(instances))
	for _, name := range instances {
		s.instances[name] = true
	}
	s.mu.Unlock()
	s.wake()
}

// Worker returns the name of this worker, as [StreamHolder] has it. It is
// another after each start of the process; see [WithWorker].
func (s *Streams) Worker() string { return s.worker }

// ErrRunning says that [Streams.Run] is at work already.
var ErrRunning = errors.New("ryzeredis: Run is at work already")

// Run takes part in the work until ctx ends: it opens the streams of its share of
// the instances, gives their events to handle as [ryze.Subscription.Handle] does,
// and closes those that go to other workers. To handle each event once, also over
// webhooks and hand-overs, give it the Handle of an [ryze.Inbox].
//
// An error of the handler ends nothing; [ryze.WithErrorHandler] gets it, and
// without that it goes to the standard logger. A failure to open a stream, and
// a stream that has ended, are tried again after a pause of up to 30 seconds;
// [WithStreamHandler] is told.
//
// When ctx ends, Run takes no more events, waits for the handlers that are at
// work, as [ryze.Subscription.Handle] does, hands its instances over and returns
// the context's error. A failure of Redis never ends it. [*ryze.ValidationError]
// when open, handle or an option is nil; [ErrRunning] when it runs already.
func (s *Streams) Run(ctx context.Context, open OpenStream, handle ryze.Handler, opts ...ryze.HandleOption) error {
	switch {
	case open == nil:
		return &ryze.ValidationError{Field: "open", Reason: "is nil"}
	case handle == nil:
		return &ryze.ValidationError{Field: "handle", Reason: "is nil"}
	case slices.Contains(opts, nil):
		return &ryze.ValidationError{Field: "option", Reason: "is nil"}
	}
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return ErrRunning
	}
	s.running = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running = false
		s.mu.Unlock()
	}()
	k := &keeper{
		Streams: s, open: open, handle: handle,
		opts:  append([]ryze.HandleOption{ryze.WithErrorHandler(logFailures)}, opts...),
		pace:  pace{perSecond: s.openRate, atOnce: s.opens},
		notes: make(map[string]time.Time), failed: make(map[string]failure),
	}
	k.run(ctx)
	return ctx.Err()
}

// StreamHolder says who holds the stream of an instance.
type StreamHolder struct {
	Instance string
	Worker   string    // its name; "" when nobody holds it
	Since    time.Time // when it acquired the lease, by the clock of Redis
	Until    time.Time // when the lease ends unless it is renewed
	Token    int64     // see [Lease.Token]
	// Whole is until when everything is known to have been handled, or told by a
	// gap. It is zero when the stream has never been open.
	Whole time.Time
}

// StreamsStats is the state of the work at one moment.
type StreamsStats struct {
	Workers []string       // that are alive
	Holders []StreamHolder // one for each instance of [Streams.Set], by name
}

// Stats asks Redis who holds what. It costs one round trip for the workers, and
// one for every thousand instances.
func (s *Streams) Stats(ctx context.Context) (*StreamsStats, error) {
	s.mu.Lock()
	names := make([]string, 0, len(s.instances))
	for name := range s.instances {
		names = append(names, name)
	}
	s.mu.Unlock()
	slices.Sort(names)
	now, err := s.client.Time(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("ryzeredis: streams: %w", err)
	}
	stats := &StreamsStats{}
	alive := &redis.ZRangeBy{Min: fmt.Sprintf("(%d", now.UnixMilli()), Max: "+inf"}
	if stats.Workers, err = s.client.ZRangeByScore(ctx, s.key("workers"), alive).Result(); err != nil {
		return nil, fmt.Errorf("ryzeredis: streams: %w", err)
	}
	slices.Sort(stats.Workers)
	for some := range slices.Chunk(names, 1000) {
		replies := make([]*redis.SliceCmd, len(some))
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, name := range some {
				replies[i] = p.HMGet(ctx, s.record(name), "owner", "since", "until", "token", "whole")
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("ryzeredis: streams: %w", err)
		}
		for i, name := range some {
			stats.Holders = append(stats.Holders, readHolder(name, replies[i].Val(), now))
		}
	}
	return stats, nil
}

func readHolder(instance string, fields []any, now time.Time) StreamHolder {
	h := StreamHolder{Instance: instance}
	if len(fields) != 5 {
		return h
	}
	h.Whole = moment(fields[4])
	if until := time.UnixMilli(number(fields[2])).UTC(); until.After(now) {
		h.Worker, _ = fields[0].(string)
		h.Since, h.Until, h.Token = time.UnixMilli(number(fields[1])).UTC(), until, number(fields[3])
	}
	return h
}

// key names something of all workers. What is in braces decides the slot.
func (s *Streams) key(parts ...string) string {
	name := "{" + s.prefix + ":streams}"
	for _, p := range parts {
		name += ":" + p
	}
	return name
}

// record is where the lease of an instance is.
func (s *Streams) record(instance string) string { return s.key("i", digest(instance)) }

// wake has the keeper look at everything.
func (s *Streams) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}
