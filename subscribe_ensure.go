package ryze

import (
	"context"
	"errors"
	"slices"
)

// ensure writes the configuration of the event stream if it differs from what
// is wanted, and reads it back.
func (s *WebSocketService) ensure(ctx context.Context, want WebSocketConfig) error {
	is, err := s.Get(ctx)
	switch {
	case errors.Is(err, ErrNotConfigured):
		is = nil
	case err != nil:
		return err
	}
	if is.delivers(want) {
		return nil
	}
	if _, err := s.Set(ctx, want); err != nil {
		return err
	}
	if is, err = s.Get(ctx); err != nil {
		return err
	}
	if !is.delivers(want) {
		return &ResponseError{
			StatusCode: 200, Operation: opWebSocketGet.ID, RateLimit: is.RateLimit, Body: bounded(is.Raw()),
			Reason: "the stored configuration is not the one that was set",
		}
	}
	return nil
}

// delivers reports whether c is enabled and means the same as want. Order and
// repetitions of events mean nothing.
func (c *WebSocketConfig) delivers(want WebSocketConfig) bool {
	return c != nil && c.Enabled && c.MediaBase64 == want.MediaBase64 && slices.Equal(eventSet(c.Events), eventSet(want.Events))
}

// tells reports whether c is enabled and lets events of type t through.
func (c *WebSocketConfig) tells(t EventType) bool {
	return c != nil && c.Enabled && (len(c.Events) == 0 || slices.Contains(c.Events, t))
}

func eventSet(types []EventType) []EventType {
	set := slices.Clone(types)
	slices.Sort(set)
	return slices.Compact(set)
}

// listenState opens the instance's event stream, beside the caller, and
// signals every change of state, or a hole in which there may have been one.
// stop ends it. Without a stream nothing is ever signalled.
func (i *InstanceClient) listenState(ctx context.Context) (changed <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signal, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		sub, err := i.Subscribe(ctx, OnlyEvents(EventInstanceState), WithBuffer(1, 1))
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
	}()
	return signal, func() {
		cancel()
		<-done
	}
}
