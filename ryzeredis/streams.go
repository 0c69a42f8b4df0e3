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

// Streams shares the event streams of many instances among workers: processes
// with the same Redis and the same list of instances. Exactly one worker has
// each instance's stream open. The package comment has the rules.
//
//	streams, err := ryzeredis.NewStreams(client)
//	streams.Set("loja-1", "loja-2")
//	err = streams.Run(ctx, open, inbox.Handle)
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

// OpenStream opens the stream of an instance with the given options. The stream
// must end with ctx.
//
//	func(ctx context.Context, instance string, opts ...ryze.SubscribeOption) (*ryze.Subscription, error) {
//		return account.Instance(instance).Subscribe(ctx, opts...)
//	}
type OpenStream func(ctx context.Context, instance string, opts ...ryze.SubscribeOption) (*ryze.Subscription, error)

// NewStreams returns a worker that holds nothing until [Streams.Run]. All
// workers need the same prefix. A nil client, a nil option or a bad value is a
// [*ryze.ValidationError].
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

// Set replaces the list of instances, also while Run works. A stream that is no
// longer in the list is handed over. All workers need the same list: an
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

// Worker returns the name of this worker, as [StreamHolder] has it. It changes
// with each start of the process; see [WithWorker].
func (s *Streams) Worker() string { return s.worker }

// ErrRunning says that [Streams.Run] runs already.
var ErrRunning = errors.New("ryzeredis: Run is at work already")

// Run works until ctx ends. It opens the streams of its instances and gives
// their events to handle, as [ryze.Subscription.Handle] does. To handle each
// event once, give it the Handle of an [ryze.Inbox].
//
// An error of the handler ends nothing: [ryze.WithErrorHandler] or the standard
// logger gets it. A failed or ended stream is opened again after at most 30
// seconds; [WithStreamHandler] is told. A failure of Redis ends nothing either.
//
// When ctx ends, Run waits for running handlers, hands its instances over and
// returns the context's error. [ErrRunning] when it runs already. A nil
// argument is a [*ryze.ValidationError].
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
	// Whole is until when everything is known to be handled, or told by a gap.
	// It is zero before the first stream.
	Whole time.Time
}

// StreamsStats is the state of the work at one moment.
type StreamsStats struct {
	Workers []string       // that are alive
	Holders []StreamHolder // one for each instance of [Streams.Set], by name
}

// Stats asks Redis who holds what: one round trip for the workers, and one for
// each thousand instances.
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
