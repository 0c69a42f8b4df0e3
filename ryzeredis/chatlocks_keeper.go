package ryzeredis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// lockKeeper is the goroutine that keeps the session of a process while there are
// tickets, and a lease longer.
type lockKeeper struct {
	*ChatLocks

	renewAt   time.Time
	notBefore time.Time     // no request to renew or open before
	pause     time.Duration // after a failure
	askAt     time.Time     // when the heads ask again
	idle      time.Time     // since when there are no tickets
	sweeping  chan struct{} // closed when what leaves has been asked for
}

func (c *ChatLocks) wakeKeeper() {
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// floor is how long a wake that was lost delays the next one.
func (c *ChatLocks) floor() time.Duration { return min(c.lease/6, time.Second) }

// keep runs until there has been no ticket for a lease.
func (c *ChatLocks) keep() {
	done := make(chan struct{})
	close(done)
	k := &lockKeeper{ChatLocks: c, sweeping: done, askAt: time.Now().Add(c.floor())}
	news := c.client.Subscribe(context.Background())
	go c.listen(news)
	defer func() { go func() { _ = news.Close() }() }() // it may be about to connect
	for {
		wait, over := k.tick()
		if over {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.poke:
			k.renewAt = time.Time{}
		}
		timer.Stop()
	}
}

// listen wakes the tickets that Redis names.
func (c *ChatLocks) listen(news *redis.PubSub) {
	_ = news.Subscribe(context.Background(), c.key("w", c.process)) // else the channel does it
	for m := range news.ChannelWithSubscriptions() {
		switch m := m.(type) {
		case *redis.Subscription:
			c.wakeHeads() // what was published before is lost
		case *redis.Message:
			if t := c.known(m.Payload); t != nil {
				t.wakeUp()
			}
		}
	}
}

func (t *lockTicket) wakeUp() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// known returns the ticket with a name in Redis, nil when it is of another session
// or was given up.
func (c *ChatLocks) known(name string) *lockTicket {
	session, text, _ := strings.Cut(name, ":")
	number, _ := strconv.ParseInt(text, 10, 64)
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tickets[number]
	if t == nil || t.session == nil || t.session.name != session {
		return nil
	}
	return t
}

// wakeHeads has those ask again that no other ticket of this process is before.
func (c *ChatLocks) wakeHeads() {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := make(map[string]bool)
	var waiting []*lockTicket
	for _, t := range c.tickets {
		switch {
		case t.held:
			for _, line := range t.lines {
				taken[line] = true
			}
		case !t.leaving && t.score != 0:
			waiting = append(waiting, t)
		}
	}
	slices.SortFunc(waiting, func(a, b *lockTicket) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.number, b.number))
	})
	for _, t := range waiting {
		first := true
		for _, line := range t.lines {
			first = first && !taken[line]
			taken[line] = true
		}
		if first {
			t.wakeUp()
		}
	}
}

// tick does what is due, and returns how long nothing is.
func (k *lockKeeper) tick() (wait time.Duration, over bool) {
	now := time.Now()
	k.mu.Lock()
	s := k.session
	held := s != nil && s.lease.Held()
	if !held {
		k.bury(s)
	}
	busy := len(k.tickets) > 0
	switch {
	case busy:
		k.idle = time.Time{}
	case k.idle.IsZero():
		k.idle = now
	case now.Sub(k.idle) >= k.lease:
		k.session, k.failure, k.keeping = nil, nil, false
		k.mu.Unlock()
		k.close(s)
		return 0, true
	}
	k.mu.Unlock()

	if due := held && !now.Before(k.renewAt) || !held && busy; due && !now.Before(k.notBefore) {
		var err error
		if held {
			err = k.renew(s)
		} else {
			err = k.open()
		}
		now = time.Now()
		k.note(err, now)
	}
	if !now.Before(k.askAt) {
		k.askAt = now.Add(k.floor())
		k.wakeHeads()
		k.sweep()
	}
	next := k.askAt
	if held || busy {
		at := k.notBefore
		if held && k.renewAt.After(at) {
			at = k.renewAt
		}
		if at.Before(next) {
			next = at
		}
	}
	return max(time.Until(next), time.Millisecond), false
}

// note remembers how a request for the session went.
func (k *lockKeeper) note(err error, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failure = err
	if err == nil {
		k.pause = 0
		k.renewAt, k.notBefore = now.Add(k.lease/3), now.Add(firstPause/4)
	} else {
		k.pause = min(max(2*k.pause, firstPause), longestPause, k.lease/10)
		k.notBefore = now.Add(k.pause)
	}
	if err == nil || !willPass(err) {
		close(k.changed)
		k.changed = make(chan struct{})
	}
}

// bury forgets the tickets of a session that was lost, but for those that wait:
// they have their places again in the next one.
func (k *lockKeeper) bury(s *lockSession) {
	if s == nil {
		return
	}
	for number, t := range k.tickets {
		if t.session == s && (t.held || t.leaving) {
			delete(k.tickets, number)
		}
	}
}

var errSilent = errors.New("ryzeredis: no answer in time")

// inTime waits for an answer no longer than for patience, whatever the client does.
func inTime[T any](patience time.Duration, ask func(context.Context) (T, error)) (T, error) {
	type answer struct {
		got T
		err error
	}
	came := make(chan answer, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	go func() {
		defer cancel()
		got, err := ask(ctx)
		came <- answer{got, err}
	}()
	select {
	case a := <-came:
		return a.got, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-came:
		return a.got, a.err
	default:
		var none T
		return none, errSilent
	}
}

// open begins a session. Its name is new each time: what becomes of one whose
// answer is lost does not matter, it passes.
func (k *lockKeeper) open() error {
	k.mu.Lock()
	k.sessions++
	name := fmt.Sprintf("%s.%d", k.process, k.sessions)
	k.mu.Unlock()
	sent := time.Now()
	got, err := inTime(k.lease/2, func(ctx context.Context) (renewed, error) { return k.askRenew(ctx, name, true) })
	if err != nil {
		return err
	}
	s := &lockSession{name: name, epoch: got.epoch, lease: newLease(context.Background(), name, 0, sent, k.lease*4/5)}
	k.mu.Lock()
	k.session = s
	k.mu.Unlock()
	return nil
}

// renew renews the session.
func (k *lockKeeper) renew(s *lockSession) error {
	sent := time.Now()
	got, err := inTime(k.lease/4, func(ctx context.Context) (renewed, error) { return k.askRenew(ctx, s.name, false) })
	switch {
	case err != nil:
		return err
	case !got.alive:
		s.lease.drop()
		k.wakeKeeper()
		return nil
	}
	if err := k.compare(s, got, sent); err != nil {
		return err
	}
	s.epoch = got.epoch
	s.lease.renew(sent) // not before: what the server has forgotten is not held
	return nil
}

// compare puts right what Redis knows of the tickets, by its answer to a request
// that was sent at sent.
func (k *lockKeeper) compare(s *lockSession, got renewed, sent time.Time) error {
	listed := make(map[string]bool, len(got.tickets))
	var strange []string // requests that came after their ticket had left
	for _, name := range got.tickets {
		listed[name] = true
		if k.known(name) == nil {
			strange = append(strange, name)
		}
	}
	type had struct {
		*lockTicket
		score int64
	}
	var held []had
	k.mu.Lock()
	for _, t := range k.tickets {
		if t.session != s || t.leaving || t.placed.IsZero() {
			continue
		}
		forgotten := t.placed.Before(sent) && !listed[s.ticket(t)]
		if !forgotten && got.epoch == s.epoch && time.Since(t.placed) < k.lineKept/4 {
			continue
		}
		if t.held {
			held = append(held, had{t, t.score})
		} else {
			t.wakeUp() // to ask for the place that it had
		}
	}
	k.mu.Unlock()
	for _, t := range held {
		has, err := inTime(k.lease/4, func(ctx context.Context) (placed, error) { return k.askEnter(ctx, s, t.lockTicket, t.score, true) })
		if err != nil {
			return err
		}
		if has.state != ticketLocked {
			s.lease.drop()
			return nil
		}
		k.mu.Lock()
		t.placed = time.Now()
		k.mu.Unlock()
	}
	if len(strange) > 0 {
		k.inBackground(func(ctx context.Context) {
			for _, name := range strange {
				if _, err := k.askLeave(ctx, s.name, name, nil); err != nil {
					return // the next answer names it again
				}
			}
		})
	}
	return nil
}

// sweep asks again for those to leave that Redis may not have heard of.
func (k *lockKeeper) sweep() {
	select {
	case <-k.sweeping:
	default:
		return
	}
	var leaving []*lockTicket
	k.mu.Lock()
	for _, t := range k.tickets {
		if t.leaving && t.asking == 0 && t.session != nil {
			leaving = append(leaving, t)
		}
	}
	k.mu.Unlock()
	if len(leaving) == 0 {
		return
	}
	done := make(chan struct{})
	k.sweeping = done
	go func() {
		defer close(done)
		for _, t := range leaving {
			if k.leave(t) != nil {
				return
			}
		}
	}()
}

// close ends a session that nobody needs.
func (k *lockKeeper) close(s *lockSession) {
	if s == nil {
		return
	}
	s.lease.drop()
	k.inBackground(func(ctx context.Context) { _ = k.client.Del(ctx, k.key("s", s.name)).Err() })
}

func (k *lockKeeper) inBackground(f func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), askPatience)
	go func() {
		defer cancel()
		f(ctx)
	}()
}
