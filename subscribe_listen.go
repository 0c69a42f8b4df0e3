package ryze

import (
	"context"
)

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
