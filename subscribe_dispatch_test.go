package ryze

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fed returns a stream without a connection whose queue the test fills.
func fed(t *testing.T) *Subscription {
	t.Helper()
	client, err := New()
	require.NoError(t, err)
	config, err := newStreamConfig([]SubscribeOption{WithBuffer(1<<20, 1<<30)})
	require.NoError(t, err)
	return &Subscription{
		handle: client.Instance("support-line", "token").h, config: config,
		queue: newEventQueue("support-line", config), parent: t.Context(),
		cancel: func() {}, closed: make(chan struct{}),
	}
}

// feed puts messages into the queue: message n goes to a chat by its number.
func (s *Subscription) feed(t *testing.T, chats int, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		e := numberedEvent(n, 10)
		e.Data.(*MessageEvent).Chat.JID = JID(fmt.Sprintf("%d@s.whatsapp.net", n%chats))
		require.NoError(t, s.queue.push(e, time.Now()))
	}
}

func (s *Subscription) feedGap(t *testing.T) {
	t.Helper()
	require.NoError(t, s.queue.push(s.gapEvent(&GapEvent{Reason: GapOutage}), time.Now()))
}

func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func numberIn(m *MessageEvent) int {
	n, _ := strconv.Atoi(m.ID)
	return n
}

func TestEventsOfAChatKeepTheirOrderAndChatsRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const chats, messages = 50, 5000
		sub := fed(t)
		sub.feed(t, chats, upTo(messages)...)
		sub.finish(nil)

		var mu sync.Mutex
		last := map[JID]int{}
		handled := 0
		var now, most atomic.Int64
		began := time.Now()
		err := sub.Handle(t.Context(), WithLanes(8), On(func(_ context.Context, _ *Event, m *MessageEvent) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			mu.Lock()
			before, seen := last[m.Chat.JID]
			assert.True(t, !seen || before == numberIn(m)-chats, "chat %s: %d after %d", m.Chat.JID, numberIn(m), before)
			last[m.Chat.JID] = numberIn(m)
			handled++
			mu.Unlock()
			time.Sleep(time.Second)
			now.Add(-1)
			return nil
		}))
		require.NoError(t, err)
		assert.Equal(t, messages, handled)
		assert.Equal(t, int64(8), most.Load(), "lanes at the same time")
		assert.LessOrEqual(t, time.Since(began), messages/8*time.Second+10*time.Second, "no lane is idle while there is work")
	})
}

func TestBusyChatDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		var fast atomic.Int64
		release := make(chan struct{})
		done := make(chan error)
		go func() {
			done <- sub.Handle(t.Context(), WithLanes(2), On(func(_ context.Context, _ *Event, m *MessageEvent) error {
				if m.Chat.JID == "0@s.whatsapp.net" {
					<-release
					return nil
				}
				fast.Add(1)
				return nil
			}))
		}()
		sub.feed(t, 2, upTo(1000)...) // every other one is for the chat that hangs
		synctest.Wait()
		assert.Equal(t, int64(500), fast.Load())
		close(release)
		sub.finish(nil)
		sub.queue.signal()
		require.NoError(t, <-done)
	})
}

func TestGapIsHandledAtItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 5, upTo(10)...)
		sub.feedGap(t)
		sub.feed(t, 5, 10, 11, 12, 13, 14)
		sub.finish(nil)
		var mu sync.Mutex
		started, gapEnded := 0, false
		err := sub.Handle(t.Context(),
			On(func(_ context.Context, _ *Event, m *MessageEvent) error {
				mu.Lock()
				assert.Equal(t, numberIn(m) >= 10, gapEnded, "message %d", numberIn(m))
				started++
				mu.Unlock()
				time.Sleep(time.Second)
				return nil
			}),
			On(func(_ context.Context, e *Event, gap *GapEvent) error {
				time.Sleep(time.Nanosecond) // until every goroutine has come to rest
				mu.Lock()
				assert.Equal(t, 10, started)
				mu.Unlock()
				time.Sleep(time.Minute)
				mu.Lock()
				gapEnded = true
				mu.Unlock()
				return nil
			}))
		require.NoError(t, err)
		assert.Equal(t, 15, started)
	})
}

func TestHandlersGetWhatTheyAskFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 1, 1)
		sub.feedGap(t)
		require.NoError(t, sub.queue.push(&Event{Type: "new", Data: &UnknownEvent{}}, time.Now()))
		require.NoError(t, sub.queue.push(&Event{Type: EventLabel, Data: &LabelEvent{}}, time.Now()))
		sub.finish(nil)
		var calls []string
		err := sub.Handle(t.Context(), WithLanes(1),
			On(func(_ context.Context, _ *Event, _ *MessageEvent) error { calls = append(calls, "message"); return nil }),
			On(func(_ context.Context, e *Event, _ EventData) error {
				calls = append(calls, "any "+string(e.Type))
				return nil
			}),
			On(func(_ context.Context, _ *Event, _ *UnknownEvent) error { calls = append(calls, "unknown"); return nil }))
		require.NoError(t, err)
		assert.Equal(t, []string{"message", "any message.exchange", "any ryze.gap", "any new", "unknown", "any label.update"}, calls)
	})
}

func TestFirstErrorOfAHandlerEndsHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 10, upTo(10)...)
		broken := errors.New("broken")
		running := 0
		err := sub.Handle(t.Context(), On(func(ctx context.Context, _ *Event, m *MessageEvent) error {
			if numberIn(m) == 3 {
				return broken
			}
			if numberIn(m) == 2 { // at work when the other fails
				running++
				<-ctx.Done()
				running--
			}
			return nil
		}))
		var failed *HandlerError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, broken)
		assert.Equal(t, 3, numberIn(failed.Event.Data.(*MessageEvent)))
		assert.Zero(t, running, "Handle returned while a handler was running")
		require.NoError(t, sub.Err(), "the stream goes on")
	})
}

func TestPanicOfAHandlerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 1, 1, 2)
		sub.finish(nil)
		handled := 0
		work := On(func(_ context.Context, _ *Event, m *MessageEvent) error {
			if handled++; numberIn(m) == 1 {
				panic("a secret of the customer")
			}
			return nil
		})
		var reported []*HandlerError
		err := sub.Handle(t.Context(), work, OnError(func(_ context.Context, err *HandlerError) { reported = append(reported, err) }))
		require.NoError(t, err)
		require.Len(t, reported, 1)
		var panicked *PanicError
		require.ErrorAs(t, reported[0], &panicked)
		assert.Equal(t, "a secret of the customer", panicked.Value)
		assert.Contains(t, string(panicked.Stack), "subscribe_dispatch_test.go")
		assert.NotContains(t, reported[0].Error(), "secret")
		assert.Equal(t, 2, handled)

		other := fed(t)
		other.feed(t, 1, 1)
		require.ErrorAs(t, other.Handle(t.Context(), work), &panicked)
	})
}

func TestHandleEndsWithItsContextAndLeavesTheStreamOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		handled := 0
		work := On(func(context.Context, *Event, *MessageEvent) error { handled++; return nil })
		require.ErrorIs(t, sub.Handle(ctx, work), context.DeadlineExceeded)
		sub.feed(t, 1, 1)
		sub.finish(nil)
		require.NoError(t, sub.Handle(t.Context(), work))
		assert.Equal(t, 1, handled)
	})
}

func TestHandleReturnsTheErrorOfTheStream(t *testing.T) {
	sub := fed(t)
	sub.finish(&StreamError{Instance: "support-line", Err: ErrInvalidToken})
	require.ErrorIs(t, sub.Handle(t.Context(), On(func(context.Context, *Event, *MessageEvent) error { return nil })), ErrInvalidToken)
}

func TestHandleChecksItsArguments(t *testing.T) {
	sub := fed(t)
	work := On(func(context.Context, *Event, *MessageEvent) error { return nil })
	for name, opts := range map[string][]HandleOption{
		"none": {}, "nil": {nil}, "no function": {On[*MessageEvent](nil)}, "no lanes": {work, WithLanes(0)},
		"no report": {work, OnError(nil)}, "only options": {WithLanes(1)},
	} {
		assert.ErrorIs(t, sub.Handle(t.Context(), opts...), ErrInvalidArgument, name)
	}
}
