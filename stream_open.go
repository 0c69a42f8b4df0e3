package ryze

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Subscribe opens the instance's event stream and keeps it open: through lost
// connections, restarts of the service, silent peers, pages of proxies and
// refused reconnections, until ctx ends, Close is called on the Subscription or the Client, or an
// error says that it will not come back; see [StreamError].
//
// The service does not replay what happened while a stream was down. Every
// such hole is told: an outage puts exactly one event with a [*GapEvent] at its
// place among the events, with the time of the last sign of life, the time of
// the reconnection and the cause. (Only when the queue overflows is it merged
// with the gap of what was dropped.) An application that must not miss messages
// reads the chat histories of that time, or uses a webhook beside the stream
// and a deduplicator; see [Event.DedupeKey]. The service may deliver an event
// more than once.
//
// Subscribe makes the first connection itself, so that a wrong token, a wrong
// name or a stream that is not enabled is an error at once: see
// [ErrWebSocketDisabled] and [EnsureEnabled]. Outages at that point are retried
// as in any call, within ctx and the client's [RetryPolicy]. Every attempt to
// connect takes one request from the token's quota; a refused one waits for
// the quota's reset.
//
// One goroutine reads and never waits for the application; events wait in a
// queue that is bounded by [WithBuffer] and [WithOverflow]. A frame that is not
// an event becomes a gap with the reason [GapUnreadable]. Pings find silent
// connections ([WithPing]).
//
// Time is the process's own: there is no option for a clock, because tests run
// streams in virtual time with testing/synctest.
//
// GET /ws/:instance. Safe to repeat; every stream of an instance gets every
// event. How many streams the service allows is not documented.
func (i *InstanceClient) Subscribe(ctx context.Context, opts ...SubscribeOption) (*Subscription, error) {
	if i.h.err != nil {
		return nil, i.h.err
	}
	config, err := newStreamConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		handle: i.h, config: config, queue: newEventQueue(i.h.name, config), parent: ctx,
		closed: make(chan struct{}),
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.goroutines.Add(1)
	forget, ok := i.h.client.closeWith((*streamOfClient)(s))
	if !ok {
		s.cancel()
		return nil, closedError(opWebSocketConnect)
	}
	s.setState(StreamConnecting)
	l, err := s.open(ctx, i)
	if err != nil {
		if s.isClosed() {
			err = closedError(opWebSocketConnect)
		}
		s.finish(err)
		forget()
		s.goroutines.Done()
		return nil, err
	}
	s.setOpen(l)
	go func() {
		defer s.goroutines.Done()
		defer forget()
		err := s.run(ctx, l)
		if ctx.Err() == nil {
			s.log(slog.LevelWarn, "event stream has ended", err)
		}
		s.finish(err)
	}()
	return s, nil
}

// open makes the first connection.
func (s *Subscription) open(ctx context.Context, i *InstanceClient) (*link, error) {
	if s.config.ensure != nil {
		if _, err := i.WebSocket.Ensure(ctx, *s.config.ensure); err != nil {
			return nil, err
		}
	}
	try := s.newSession()
	for {
		l, a := s.attempt(ctx, try)
		if l != nil {
			return l, nil
		}
		again, wait := s.judge(ctx, try, a)
		if !again {
			return nil, try.err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, try.interrupted(err)
		}
	}
}

// run reads, and connects again after every outage, until the stream ends: with
// a StreamError, or because the context has ended.
func (s *Subscription) run(ctx context.Context, l *link) error {
	tries := 0
	var tooLarge time.Time
	for {
		cause := s.receive(ctx, l)
		alive := l.alive
		if err := ctx.Err(); err != nil {
			return err
		}
		if endsStream(cause) {
			return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: cause}
		}
		now := time.Now()
		if errors.Is(cause, ErrEventTooLarge) {
			if !tooLarge.IsZero() && now.Sub(tooLarge) < tooLargeWithin {
				return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: cause}
			}
			tooLarge = now
		}
		if now.Sub(l.opened) >= healthyAfter {
			tries = 0
		}
		s.setLost(cause)
		var err error
		if l, err = s.reconnect(ctx, &tries); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: err}
		}
		gap := &GapEvent{From: alive, To: l.opened, Reason: GapOutage, Cause: cause}
		if err := s.queue.push(s.gapEvent(gap), l.opened); err != nil {
			l.hangUp()
			return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: err}
		}
		s.setOpen(l)
	}
}

// reconnect tries until there is a connection, or an error that is final.
func (s *Subscription) reconnect(ctx context.Context, tries *int) (*link, error) {
	try := s.newSession()
	wait := s.backOff(tries)
	var foreign time.Time // since when only others than the service have refused
	for {
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		l, a := s.attempt(ctx, try)
		if l != nil {
			return l, nil
		}
		heard := listen(a)
		_, wait = s.judge(ctx, try, a)
		if ctx.Err() != nil {
			return nil, try.err
		}
		switch heard.understand(try.err) {
		case wordFinal:
			return nil, try.err
		case wordForeign:
			if foreign.IsZero() {
				foreign = a.Began
			}
			if time.Since(foreign) >= foreignPatience {
				return nil, try.err
			}
		case wordOutage:
			if !a.Unmade { // there was an attempt
				foreign = time.Time{}
			}
		}
		var limited *RateLimitError
		switch {
		case errors.As(try.err, &limited):
			if wait = time.Until(limited.RetryAt); wait <= 0 {
				wait = s.backOff(tries)
			}
		case !errors.Is(try.err, ErrRateLimited): // else wait is until the reset
			wait = s.backOff(tries)
		}
	}
}

// backOff draws the pause before the next attempt, with full jitter.
func (s *Subscription) backOff(tries *int) time.Duration {
	bound := s.config.maxPause
	if doubled := s.config.minPause << *tries; *tries < 32 && doubled > 0 && doubled < bound {
		bound = doubled
		*tries++
	}
	return rand.N(bound + 1)
}
