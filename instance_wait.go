package ryze

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// connectPoll is how often WaitConnected asks. At this pace it takes a fifth
	// of a quota of 100 a minute.
	connectPoll = 3 * time.Second
	// longestConnectPoll is how often it asks when it gets no answer.
	longestConnectPoll = time.Minute
)

// WaitConnected waits until the instance is connected and returns it. It asks
// every few seconds, less often with little quota, and listens to the event
// stream if that is enabled.
//
// It survives outages and a used up quota, with pauses of up to a minute. The
// error of an ended context holds the last trouble.
//
// Errors that end it match [ErrNotConnected]: [ErrBanned]; [ErrUnauthorized],
// [ErrForbidden] or [ErrNotFound] by the service; [ErrClosed]. A bad name or
// token is a [*ValidationError].
//
// GET /api/instance/list, GET /ws/:instance. Safe to repeat.
func (i *InstanceClient) WaitConnected(ctx context.Context) (*Instance, error) {
	if i.h.err != nil {
		return nil, i.h.err
	}
	var (
		changed   <-chan struct{} // never, unless there is a stream to listen to
		listening bool
		failures  int
	)
	for {
		info, err := i.Info(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, i.notConnected(ctx, err)
		case err != nil && willNotHeal(err):
			return nil, fmt.Errorf("ryze: instance %s cannot be waited for: %w: %w", quoted(i.h.name), ErrNotConnected, err)
		case err != nil:
			failures++
		case info.Connected():
			return info, nil
		case info.State == InstanceBanned, info.State == InstanceTempBanned:
			return nil, fmt.Errorf("ryze: instance %s has the state %s: %w", quoted(i.h.name), quoted(string(info.State)), ErrBanned)
		default:
			failures = 0
			if !listening && info.WebSocket.tells(EventInstanceState) {
				listening = true
				var stop func()
				changed, stop = i.listenState(ctx)
				defer stop()
			}
		}
		if sleepUntil(ctx, i.untilNextPoll(err, failures), changed) != nil {
			return nil, i.notConnected(ctx, err)
		}
	}
}

// untilNextPoll returns when to ask again, after so many failures in a row.
func (i *InstanceClient) untilNextPoll(err error, failures int) time.Duration {
	var limited *RateLimitError
	if errors.As(err, &limited) {
		return max(time.Until(limited.RetryAt), connectPoll)
	}
	if failures > 0 {
		longest := min(connectPoll<<min(failures, 10), longestConnectPoll)
		return longest/2 + rand.N(longest/2)
	}
	if rate := i.RateLimit(); rate.Known && !rate.Unlimited() && rate.Remaining < rate.Limit/4 {
		return 4 * connectPoll
	}
	return connectPoll
}

// notConnected is the error of a wait that its context has ended.
func (i *InstanceClient) notConnected(ctx context.Context, last error) error {
	if last == nil || errors.Is(last, ctx.Err()) {
		return fmt.Errorf("ryze: waiting for instance %s to connect: %w", quoted(i.h.name), cmp.Or(last, ctx.Err()))
	}
	return fmt.Errorf("ryze: waiting for instance %s to connect: %w; what went wrong last: %w", quoted(i.h.name), ctx.Err(), last)
}

// willNotHeal reports whether asking for the state is pointless from now on:
// the service itself, and not a proxy in front of it, says so.
func willNotHeal(err error) bool {
	var api *APIError
	switch {
	case errors.Is(err, ErrClosed), errors.Is(err, ErrInstanceNotFound):
		return true
	case errors.As(err, &api):
		switch api.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
			return !api.Is(ErrForeignReply)
		}
	}
	return false
}

// listenState opens the instance's event stream, beside the caller, and
// signals every change of state, or a hole in which there may have been one.
// stop ends it. Without a stream nothing is ever signalled.
func (i *InstanceClient) listenState(ctx context.Context) (changed <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signal, done := make(chan struct{}, 1), make(chan struct{})
	listen := func() {
		sub, err := i.Subscribe(ctx, WithEvents(EventInstanceState), WithBuffer(1, 1))
		if err != nil {
			return // the caller asks every few seconds anyway
		}
		defer func() { _ = sub.Close() }()
		for _, err := range sub.All() {
			if err != nil {
				return
			}
			select {
			case signal <- struct{}{}:
			default:
			}
		}
	}
	go func() {
		defer close(done)
		var panicked error
		guard(usedByStream, &panicked, listen)
		if panicked != nil {
			logUrgent(ctx, panicked)
		}
	}()
	return signal, func() {
		cancel()
		<-done
	}
}
