package ryze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnCallsItsFunctionForItsDataAlone(t *testing.T) {
	var got []string
	messages := On(func(_ context.Context, e *Event, m *MessageEvent) error {
		got = append(got, m.ID)
		return errors.New(string(e.Type))
	})
	require.EqualError(t, messages(t.Context(), textEvent("1")), string(EventMessage))
	require.NoError(t, messages(t.Context(), &Event{Type: EventGap, Data: &GapEvent{}}))
	require.NoError(t, messages(t.Context(), &Event{Type: "new"}), "without data")
	assert.Equal(t, []string{"1"}, got)
	assert.Nil(t, On[*MessageEvent](nil), "so that it is refused by all who take a handler")
}

func TestHandlersCallOneAfterAnotherUntilOneFails(t *testing.T) {
	broken := errors.New("broken")
	ignored := fmt.Errorf("not mine: %w", ErrIgnore)
	for name, c := range map[string]struct {
		returns []error
		want    error
		calls   int
	}{
		"all":                      {[]error{nil, nil, nil}, nil, 3},
		"the first error":          {[]error{nil, broken, errors.New("other")}, broken, 2},
		"one ignores":              {[]error{ignored, nil, nil}, ignored, 3},
		"one ignores, one fails":   {[]error{ignored, broken, nil}, broken, 2},
		"all ignore":               {[]error{ErrIgnore, ErrIgnore}, ErrIgnore, 2},
		"one is a nil in an error": {[]error{typedNil(), nil}, nil, 1},
	} {
		calls := 0
		var handlers []Handler
		for _, err := range c.returns {
			handlers = append(handlers, func(context.Context, *Event) error { calls++; return err })
		}
		h := Handlers(handlers...)
		clear(handlers) // the slice is the caller's
		err := h(t.Context(), textEvent("1"))
		assert.Equal(t, c.calls, calls, name)
		if c.want == nil && c.calls == len(c.returns) {
			assert.NoError(t, err, name)
		} else if c.want != nil {
			assert.Equal(t, c.want, err, name)
		} else {
			assert.Error(t, err, name)
		}
	}
	calls := 0
	count := On(func(context.Context, *Event, EventData) error { calls++; return nil })
	assert.Panics(t, func() {
		_ = Handlers(count, func(context.Context, *Event) error { panic("no") }, count)(t.Context(), textEvent("1"))
	})
	assert.Equal(t, 1, calls)
}

// What cannot handle is refused before anything happens, by all alike.
func TestNilHandlersAndOptionsAreRefusedInTheSameWords(t *testing.T) {
	client, err := New()
	require.NoError(t, err)
	work := func(context.Context, *Event) error { return nil }
	refused := func(name, field string, err error) {
		t.Helper()
		var bad *ValidationError
		if assert.ErrorAs(t, err, &bad, name) {
			assert.Equal(t, ValidationError{Field: field, Reason: "is nil"}, ValidationError{Field: bad.Field, Reason: bad.Reason}, name)
		}
	}
	for name, nothing := range map[string]Handler{
		"nil": nil, "On": On[*GapEvent](nil), "no Handlers": Handlers(), "a nil one": Handlers(work, nil), "a nil On": Handlers(On[EventData](nil), work),
		"wrapped": NewDeduper(nil).Wrap(nil),
	} {
		refused(name, "handle", fed(t).Handle(t.Context(), nothing))
		_, err := NewInbox(nothing)
		refused(name, "handle", err)
		_, err = NewWebhookReceiver("Bearer x", nothing)
		refused(name, "handle", err)
		_, err = NewDeduper(nil).Do(t.Context(), textEvent("1"), nothing)
		refused(name, "handle", err)
		_, err = NewWebhookReceiver("Bearer x", work, WithUnauthenticatedState(nothing))
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	_, err = client.Instance("a", "token").Subscribe(t.Context(), nil)
	refused("Subscribe", "option", err)
	refused("Handle", "option", fed(t).Handle(t.Context(), work, nil))
	_, err = NewInbox(work, nil)
	refused("NewInbox", "option", err)
	_, err = NewWebhookReceiver("Bearer x", work, nil)
	refused("NewWebhookReceiver", "option", err)
}

// One word for one thing: an option is taken by all that have the thing.
func TestSharedOptionsAreTakenByAll(t *testing.T) {
	report := WithErrorHandler(func(context.Context, *HandlerError) {})
	timeout := WithHandlerTimeout(time.Second)
	work := func(context.Context, *Event) error { return nil }

	in, err := NewInbox(work, report, timeout, WithConcurrency(3))
	require.NoError(t, err)
	assert.Equal(t, 3, in.places)
	assert.Equal(t, time.Second, in.timeout)
	assert.NotNil(t, in.report)

	r, err := NewWebhookReceiver("Bearer x", work, report, timeout, WithReadLimit(9), WithEvents(EventMessage), WithConcurrency(3))
	require.NoError(t, err)
	assert.Equal(t, time.Second, r.cfg.timeout)
	assert.Equal(t, 3, cap(r.places))
	assert.EqualValues(t, 9, r.cfg.readLimit)
	assert.NotNil(t, r.cfg.report)

	config, err := newStreamConfig([]SubscribeOption{WithReadLimit(9), WithEvents(EventMessage)})
	require.NoError(t, err)
	assert.EqualValues(t, 9, config.readLimit)
	assert.Equal(t, []EventType{EventMessage}, config.only)
}

func TestHandlersContextOfAStreamEndsAfterItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 1, 1)
		sub.finish(nil)
		began := time.Now()
		err := sub.Handle(t.Context(), func(ctx context.Context, _ *Event) error {
			<-ctx.Done()
			return ctx.Err()
		}, WithHandlerTimeout(3*time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

type ctxKey struct{}

// Whoever is at work when the program is told to stop may finish.
func TestHandleEndsGracefully(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 10, upTo(10)...)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, "kept"))
		var mu sync.Mutex
		begun, finished := 0, 0
		done := make(chan error)
		go func() {
			done <- sub.Handle(ctx, func(ctx context.Context, _ *Event) error {
				mu.Lock()
				begun++
				mu.Unlock()
				select {
				case <-time.After(30 * time.Second):
				case <-ctx.Done():
					return ctx.Err()
				}
				mu.Lock()
				defer mu.Unlock()
				finished++
				assert.Equal(t, "kept", ctx.Value(ctxKey{}))
				return nil
			}, WithConcurrency(4))
		}()
		time.Sleep(10 * time.Second)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		assert.Equal(t, 4, begun, "nothing more is taken")
		assert.Equal(t, 4, finished)
		assert.Equal(t, 6, sub.Stats().Queued)
	})
}

func TestHandleOfAContextThatHasEndedTakesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // whatever is still being set up
		sub := fed(t)
		sub.feed(t, 1, 1)
		require.ErrorIs(t, sub.Handle(ctx, func(context.Context, *Event) error { t.Error("handled"); return nil }), context.Canceled)
		require.Equal(t, 1, sub.Stats().Queued)
	}
}

// Only for so long: a minute, or the time limit of the handlers.
func TestGracefulEndHasATimeLimit(t *testing.T) {
	for name, c := range map[string]struct {
		opts []HandleOption
		want time.Duration
	}{
		"default":   {nil, 10*time.Second + time.Minute},
		"own limit": {[]HandleOption{WithHandlerTimeout(25 * time.Second)}, 25 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			sub := fed(t)
			sub.feed(t, 1, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			began := time.Now()
			err := sub.Handle(ctx, func(ctx context.Context, _ *Event) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}, c.opts...)
			var failed *HandlerError
			require.ErrorAs(t, err, &failed, "%s: the failure is told, though ctx has ended", name)
			assert.Equal(t, c.want, time.Since(began), name)
		})
	}
}

// The first error ends the others at once.
func TestErrorOfAHandlerEndsTheContextsOfTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 2, 0, 1)
		began := time.Now()
		broken := errors.New("broken")
		err := sub.Handle(t.Context(), On(func(ctx context.Context, _ *Event, m *MessageEvent) error {
			if numberIn(m) == 0 {
				<-ctx.Done()
				return ctx.Err()
			}
			time.Sleep(time.Second)
			return broken
		}))
		require.ErrorIs(t, err, broken)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// A handler may end its goroutine, as a failed test does: that is a failure of
// its event, and nothing else.
func TestHandlerThatEndsItsGoroutineFails(t *testing.T) {
	for _, concurrency := range []int{1, 2, 16} {
		synctest.Test(t, func(t *testing.T) {
			sub := fed(t)
			sub.feed(t, 3, upTo(9)...)
			sub.feedGap(t)
			sub.feed(t, 3, 9, 10, 11)
			sub.finish(nil)
			var mu sync.Mutex
			var reported []*HandlerError
			err := sub.Handle(t.Context(), func(context.Context, *Event) error {
				runtime.Goexit()
				return nil
			}, WithConcurrency(concurrency), WithErrorHandler(func(_ context.Context, err *HandlerError) {
				mu.Lock()
				reported = append(reported, err)
				mu.Unlock()
				var panicked *PanicError
				if assert.ErrorAs(t, err, &panicked) {
					assert.Nil(t, panicked.Value)
					assert.Contains(t, string(panicked.Stack), "event_handler_test.go")
					assert.ErrorContains(t, err, "runtime.Goexit")
				}
			}))
			require.NoError(t, err)
			assert.Len(t, reported, 13)
			assert.Empty(t, sub.queue.lanes.byName)

			other := fed(t)
			other.feed(t, 1, 1, 2)
			var failed *HandlerError
			err = other.Handle(t.Context(), func(context.Context, *Event) error { runtime.Goexit(); return nil }, WithConcurrency(concurrency))
			require.ErrorAs(t, err, &failed, "nobody takes it, so it ends Handle")

			other = fed(t)
			other.feed(t, 1, 1, 2)
			err = other.Handle(t.Context(), func(context.Context, *Event) error { return errors.New("broken") },
				WithErrorHandler(func(context.Context, *HandlerError) { runtime.Goexit() }), WithConcurrency(concurrency))
			require.ErrorContains(t, err, "the error handler ended its goroutine")

			other = fed(t)
			other.feed(t, 1, 1, 2)
			err = other.Handle(t.Context(), func(context.Context, *Event) error { runtime.Goexit(); return nil },
				WithErrorHandler(func(context.Context, *HandlerError) { panic("no") }), WithConcurrency(concurrency))
			require.ErrorContains(t, err, "the error handler panicked")
		})
	}
}

func TestClaimIsReleasedWhenTheHandlerEndsItsGoroutine(t *testing.T) {
	d := NewDeduper(nil)
	for _, run := range []func(Handler){
		func(h Handler) { _, _ = d.Do(t.Context(), textEvent("1"), h) },
		func(h Handler) { _ = d.Wrap(h)(t.Context(), textEvent("1")) },
	} {
		var done sync.WaitGroup
		done.Go(func() { run(func(context.Context, *Event) error { runtime.Goexit(); return nil }) })
		done.Wait()
	}
	handled, err := d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { return nil })
	require.NoError(t, err)
	assert.True(t, handled)
}

// An event that its handler ignores is dealt with.
func TestIgnoredEventIsRemembered(t *testing.T) {
	d := NewDeduper(nil)
	calls := 0
	ignore := func(context.Context, *Event) error { calls++; return fmt.Errorf("spam: %w", ErrIgnore) }
	handled, err := d.Do(t.Context(), textEvent("1"), ignore)
	require.ErrorIs(t, err, ErrIgnore)
	assert.True(t, handled)
	require.NoError(t, d.Wrap(ignore)(t.Context(), textEvent("1")))
	assert.Equal(t, 1, calls)
}

// exitingStore ends the goroutine that asks it.
type exitingStore struct{ MemoryDedupe }

func (*exitingStore) Claim(context.Context, string) (DedupeClaim, error) {
	runtime.Goexit()
	return nil, nil
}

func TestStoreThatEndsItsGoroutineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := NewDeduper(&exitingStore{}).Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { return nil })
		require.ErrorContains(t, err, "the store ended its goroutine")
		assert.Zero(t, time.Since(began))
	})
}

func TestStateHandlerThatEndsItsGoroutineIsToldOfTheNextState(t *testing.T) {
	before := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(before)
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		var mu sync.Mutex
		var seen []StreamState
		sub.config.onState = func(s StreamState) {
			mu.Lock()
			seen = append(seen, s)
			mu.Unlock()
			runtime.Goexit()
		}
		sub.setState(StreamOpen)
		synctest.Wait()
		sub.setState(StreamReconnecting)
		sub.setState(StreamClosed)
		sub.setState(StreamOpen) // somebody who comes too late
		synctest.Wait()
		assert.Equal(t, []StreamState{StreamOpen, StreamReconnecting, StreamClosed}, seen)
		assert.Equal(t, StreamClosed, sub.State())
	})
}

func TestHandlerErrorSaysWhatThereIs(t *testing.T) {
	broken := errors.New("ryze: broken")
	e := textEvent("1")
	for _, c := range []struct {
		err  HandlerError
		want string
	}{
		{HandlerError{Event: e, Err: broken}, "ryze: handling " + e.String() + ": broken"},
		{HandlerError{Err: broken, StatusCode: 401}, "ryze: webhook: answered with HTTP 401: broken"},
		{HandlerError{Event: e, Err: broken, StatusCode: 503}, "ryze: webhook: answered with HTTP 503: " + e.String() + ": broken"},
		{HandlerError{StatusCode: 503}, "ryze: webhook: answered with HTTP 503"},
	} {
		for _, verb := range []string{"%v", "%s", "%+v", "%#v"} {
			assert.Equal(t, c.want, fmt.Sprintf(verb, &c.err))
		}
		assert.Equal(t, c.err.Err, errors.Unwrap(&c.err))
		assert.NotContains(t, c.err.LogValue().String(), "hi")
	}
}
