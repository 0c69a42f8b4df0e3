package ryzeredis

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
)

const (
	defaultChatLockLease = 10 * time.Second
	// chatLineKept is how long a line is kept that nobody touches. What lives in it
	// touches it four times as often.
	chatLineKept = time.Hour
	// askPatience is how long one request may take. The client has its own limits.
	askPatience = 10 * time.Second
	// firstPause is between a request that Redis did not answer and the next.
	firstPause   = 20 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// ChatLocks are [ryze.ChatLocks] that processes share. Give one to
// [ryze.WithChatLocks] in each process: then one process at a time handles a
// chat, in the order in which its events arrive. The package comment has the
// rules.
type ChatLocks struct {
	client          redis.UniversalClient
	base            string // of keys; what is in braces decides the slot
	lease, lineKept time.Duration
	process         string // nobody else's, also after a restart
	poke            chan struct{}

	mu       sync.Mutex
	numbers  int64
	tickets  map[int64]*lockTicket
	sessions int
	session  *lockSession  // nil when there was none
	changed  chan struct{} // closed when the session or the failure becomes another
	failure  error         // why there is no session, or it could not be renewed; nil when all is well
	keeping  bool          // the keeper is at work
}

var _ ryze.ChatLocks = (*ChatLocks)(nil)

// lockTicket is a place in the lines of a chat, or its lock.
type lockTicket struct {
	number int64
	lines  []string      // keys in Redis
	wake   chan struct{} // it is worth asking again

	// With ChatLocks.mu:
	session *lockSession // in which it was asked for last
	score   int64        // its place, 0 until it has one
	placed  time.Time    // when the last answer came, zero when none has in this session
	held    bool
	leaving bool // nobody wants it any longer
	left    bool // and Redis knows that
	asking  int  // requests under way
}

// lockSession is a time in which the lease of the process did not pass.
type lockSession struct {
	name  string
	lease *Lease
	epoch string // of the server; the keeper's
}

// ticket returns the name of a ticket in Redis.
func (s *lockSession) ticket(t *lockTicket) string {
	return s.name + ":" + strconv.FormatInt(t.number, 10)
}

// NewChatLocks returns locks. All processes need the same Redis, prefix and
// lease. A nil client, a nil option or a bad value is a
// [*ryze.ValidationError].
func NewChatLocks(client redis.UniversalClient, opts ...Option) (*ChatLocks, error) {
	c, err := configureFor(client, opts)
	if err != nil {
		return nil, err
	}
	return &ChatLocks{
		client: client, base: "{" + c.prefix + ":locks}",
		lease: cmp.Or(c.locks.lease, defaultChatLockLease), lineKept: chatLineKept,
		process: rand.Text()[:16],
		poke:    make(chan struct{}, 1),
		tickets: make(map[int64]*lockTicket),
		changed: make(chan struct{}),
	}, nil
}

// locksConfig is what options say of [ChatLocks], zero where they say nothing.
type locksConfig struct{ lease time.Duration }

// WithChatLockLease sets how long the locks of a dead process stay: 10 seconds
// by default, at least half a second. A process that pauses for four fifths of
// it loses its locks. All processes need the same. For [NewChatLocks].
func WithChatLockLease(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d < 500*time.Millisecond {
			return invalid("WithChatLockLease", "is shorter than half a second")
		}
		c.locks.lease = d
		return nil
	})
}

func (c *ChatLocks) key(parts ...string) string {
	return c.base + ":" + strings.Join(parts, ":")
}

// Lock implements [ryze.ChatLocks]. Its error is that of ctx, which also says
// when Redis was away. An answer of Redis that will not change, such as a wrong
// password, is an error too.
func (c *ChatLocks) Lock(ctx context.Context, keys []string, queued func()) (ryze.ChatLock, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := c.join(keys) //nolint:contextcheck // it goes on when the caller has gone
	var failure error
	pause := firstPause
	for {
		s, err := c.opened(ctx)
		if err != nil {
			c.giveUp(t) //nolint:contextcheck // it goes on when the caller has gone
			return nil, err
		}
		got, err := c.place(ctx, s, t)
		switch {
		case ctx.Err() != nil && err != nil:
			c.giveUp(t) //nolint:contextcheck // it goes on when the caller has gone
			return nil, c.ended(ctx, failure)
		case err != nil && !willPass(err):
			c.giveUp(t) //nolint:contextcheck // it goes on when the caller has gone
			return nil, refused(err)
		case err != nil:
			failure = err
		case got.state == ticketLocked:
			return &chatLock{c, t, s}, nil
		case got.state == ticketWaits:
			failure = nil
			queued()
		}
		var again <-chan time.Time // nil: when it is woken
		switch {
		case err != nil || got.state == ticketGone:
			again = time.After(pause)
			pause = min(2*pause, longestPause)
		case got.grace > 0:
			again = time.After(got.grace + time.Millisecond)
		}
		select {
		case <-ctx.Done():
			c.giveUp(t) //nolint:contextcheck // it goes on when the caller has gone
			return nil, c.ended(ctx, failure)
		case <-t.wake:
		case <-again:
		case <-s.lease.ended.Done():
		}
	}
}

func failed(what string, err error) error {
	return fmt.Errorf("ryzeredis: chat locks: %s: %w", what, err)
}

// refused is the error of a lock that Redis will not give.
func refused(answer error) error {
	return failed("lock", fmt.Errorf("%w: %w", ErrUnavailable, answer))
}

// ended is the error of a wait whose context has ended.
func (c *ChatLocks) ended(ctx context.Context, failure error) error {
	c.mu.Lock()
	failure = cmp.Or(failure, c.failure)
	c.mu.Unlock()
	if failure == nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w while waiting: %w: %w", ctx.Err(), ErrUnavailable, failure)
}

// join makes a ticket, and has the keeper work.
func (c *ChatLocks) join(keys []string) *lockTicket {
	t := &lockTicket{wake: make(chan struct{}, 1), lines: make([]string, len(keys))}
	for i, key := range keys {
		t.lines[i] = c.key("k", digest(key))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.numbers++
	t.number = c.numbers
	c.tickets[t.number] = t
	if !c.keeping {
		c.keeping = true
		go c.keep()
	}
	return t
}

// opened waits for a session.
func (c *ChatLocks) opened(ctx context.Context) (*lockSession, error) {
	for {
		c.mu.Lock()
		s, changed, failure := c.session, c.changed, c.failure
		c.mu.Unlock()
		switch {
		case s != nil && s.lease.Held():
			return s, nil
		case failure != nil && !willPass(failure):
			return nil, refused(failure)
		}
		c.wakeKeeper()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, c.ended(ctx, nil)
		}
	}
}

// place asks for the place of a ticket, or for the lock, until ctx ends.
func (c *ChatLocks) place(ctx context.Context, s *lockSession, t *lockTicket) (placed, error) {
	type answer struct {
		placed
		err error
	}
	came := make(chan answer, 1)
	c.mu.Lock()
	if t.session != s {
		t.session, t.placed = s, time.Time{}
	}
	score := t.score // in another session the place is the same
	t.asking++
	c.mu.Unlock()
	go func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), askPatience)
		defer cancel()
		got, err := c.askEnter(within, s, t, score, false)
		c.mu.Lock()
		t.asking--
		if err == nil && got.state != ticketGone {
			t.score, t.placed = got.score, time.Now()
			// A lock that comes when the lease may have passed is none.
			if t.held = got.state == ticketLocked && !t.leaving && s.lease.Held(); !t.held && got.state == ticketLocked {
				got.state = ticketGone
			}
		}
		leave := t.leaving && t.asking == 0
		c.mu.Unlock()
		if leave { // not before: what is asked for last must be what holds
			_ = c.leave(t) //nolint:contextcheck // it is asked for again with the lease
		}
		came <- answer{got, err}
	}()
	select {
	case a := <-came:
		if a.state == ticketGone {
			c.wakeKeeper()
		}
		return a.placed, a.err
	case <-ctx.Done():
		return placed{}, ctx.Err()
	}
}

// giveUp has a ticket leave, for which nobody waits any longer.
func (c *ChatLocks) giveUp(t *lockTicket) {
	c.mu.Lock()
	t.leaving, t.held = true, false
	now := t.asking == 0
	if t.session == nil {
		delete(c.tickets, t.number)
		now = false
	}
	c.mu.Unlock()
	if now {
		go c.leave(t) //nolint:errcheck // it is asked for again with the lease
	}
}

// leave takes a ticket out of Redis. When that fails, the keeper does it.
func (c *ChatLocks) leave(t *lockTicket) error {
	c.mu.Lock()
	s := t.session
	t.asking++
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), askPatience)
	defer cancel()
	alive, err := c.askLeave(ctx, s.name, s.ticket(t), t.lines)
	alive = s.lease.Held() || alive // the server may have forgotten the session, and grants nothing then
	c.mu.Lock()
	defer c.mu.Unlock()
	t.asking--
	if err != nil {
		return err
	}
	delete(c.tickets, t.number)
	if !alive {
		return ryze.ErrChatLockLost
	}
	t.left = true
	return nil
}

// chatLock is a lock that is held.
type chatLock struct {
	locks   *ChatLocks
	ticket  *lockTicket
	session *lockSession
}

// Lost implements [ryze.ChatLock].
func (l *chatLock) Lost() <-chan struct{} {
	l.session.lease.Held() // ends it if it has passed
	return l.session.lease.ended.Done()
}

// Unlock implements [ryze.ChatLock]. When it fails because Redis is away, the lock
// is given back as soon as Redis can be asked.
func (l *chatLock) Unlock(ctx context.Context) error {
	c, t := l.locks, l.ticket
	held := l.session.lease.Held()
	c.mu.Lock()
	if t.left {
		c.mu.Unlock()
		return nil
	}
	t.leaving = true
	if !held {
		delete(c.tickets, t.number) // what Redis has of it passes with the session
		c.mu.Unlock()
		return failed("unlock", ryze.ErrChatLockLost)
	}
	c.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- c.leave(t) }() //nolint:contextcheck // it goes on when the caller has gone
	select {
	case err := <-done:
		if err != nil {
			return failed("unlock", err)
		}
		return nil
	case <-ctx.Done():
		return failed("unlock", ctx.Err())
	}
}
