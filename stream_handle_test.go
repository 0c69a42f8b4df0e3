package ryze

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
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
		err := sub.Handle(t.Context(), On(func(_ context.Context, _ *Event, m *MessageEvent) error {
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
		}), WithConcurrency(8))
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
			done <- sub.Handle(t.Context(), On(func(_ context.Context, _ *Event, m *MessageEvent) error {
				if m.Chat.JID == "0@s.whatsapp.net" {
					<-release
					return nil
				}
				fast.Add(1)
				return nil
			}), WithConcurrency(2))
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
		err := sub.Handle(t.Context(), Handlers(
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
			}),
		))
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
		err := sub.Handle(t.Context(), Handlers(
			On(func(_ context.Context, _ *Event, _ *MessageEvent) error { calls = append(calls, "message"); return nil }),
			On(func(_ context.Context, e *Event, _ EventData) error {
				calls = append(calls, "any "+string(e.Type))
				return nil
			}),
			On(func(_ context.Context, _ *Event, _ *UnknownEvent) error { calls = append(calls, "unknown"); return nil }),
		), WithConcurrency(1))
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
		err := sub.Handle(t.Context(), work, WithErrorHandler(func(_ context.Context, err *HandlerError) { reported = append(reported, err) }))
		require.NoError(t, err)
		require.Len(t, reported, 1)
		var panicked *PanicError
		require.ErrorAs(t, reported[0], &panicked)
		assert.Equal(t, "a secret of the customer", panicked.Value)
		assert.Contains(t, string(panicked.Stack), "stream_handle_test.go")
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
	for name, c := range map[string]struct {
		handle Handler
		opts   []HandleOption
	}{
		"no handler": {}, "nil": {work, []HandleOption{nil}}, "no function": {On[*MessageEvent](nil), nil},
		"nothing at a time": {work, []HandleOption{WithConcurrency(0)}}, "no error handler": {work, []HandleOption{WithErrorHandler(nil)}},
		"no time":     {work, []HandleOption{WithHandlerTimeout(0)}},
		"no handlers": {Handlers(), nil}, "a nil one": {Handlers(work, nil), nil},
	} {
		assert.ErrorIs(t, sub.Handle(t.Context(), c.handle, c.opts...), ErrInvalidArgument, name)
	}
}

// order notes what handlers see, and complains when events of one chat are
// handled at once or out of order.
type order struct {
	mu      sync.Mutex
	last    map[string]int
	running map[string]int
	handled int
	wrong   []string
}

func newOrder() *order { return &order{last: map[string]int{}, running: map[string]int{}} }

func (o *order) begin(chat string, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if before, seen := o.last[chat]; seen && n <= before {
		o.wrong = append(o.wrong, fmt.Sprintf("%s: %d after %d", chat, n, before))
	}
	if o.running[chat]++; o.running[chat] > 1 {
		o.wrong = append(o.wrong, fmt.Sprintf("%s: %d beside another", chat, n))
	}
	o.last[chat] = n
}

func (o *order) end(chat string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running[chat]--
	o.handled++
}

// With real goroutines that are as fast as they can be: the events come while
// others are handled, one chat has most of them, and two Handles share the
// stream.
func TestHandleKeepsTheOrderOfAChatUnderAnyTiming(t *testing.T) {
	const events = 20_000
	for _, handles := range []int{1, 2} {
		sub := fed(t)
		o := newOrder()
		work := On(func(_ context.Context, _ *Event, m *MessageEvent) error {
			chat := string(m.Chat.JID)
			o.begin(chat, numberIn(m))
			for range numberIn(m) % 5 {
				runtime.Gosched()
			}
			o.end(chat)
			return nil
		})
		var running sync.WaitGroup
		for range handles {
			running.Go(func() { assert.NoError(t, sub.Handle(t.Context(), work)) })
		}
		random := rand.New(rand.NewPCG(1, 2))
		for n := range events {
			e := numberedEvent(n, 10)
			chat := 0
			if random.IntN(2) == 0 {
				chat = random.IntN(20)
			}
			e.Data.(*MessageEvent).Chat.JID = JID(fmt.Sprintf("551190000%04d@s.whatsapp.net", chat))
			assert.NoError(t, sub.queue.push(e, time.Now()))
			if random.IntN(50) == 0 {
				runtime.Gosched()
			}
		}
		sub.finish(nil)
		running.Wait()
		assert.Empty(t, o.wrong)
		assert.Equal(t, events, o.handled)
		assert.Empty(t, sub.queue.lanes.byName, "lanes are forgotten when they are empty")
		assert.Zero(t, sub.queue.bytes)
	}
}

// An event that names both addresses comes while handlers of both are at work,
// with more waiting under each.
func TestPhoneAndLIDOfAChatAreHandledOneAfterAnother(t *testing.T) {
	who := person(1)
	byPhone := func() *Event { return receiptIn(who.asPhone(0)) }
	byLID := func() *Event { return receiptIn(who.asLID(0)) }
	both := func() *Event { return inChat("pair", EventChat{JID: who.asPhone(0), LID: who.asLID(0)}) }
	for name, events := range map[string][]*Event{
		"the phone first":                {byPhone(), both(), byLID(), byPhone(), byLID()},
		"the LID first":                  {byLID(), both(), byPhone(), byLID()},
		"the pair first":                 {both(), byPhone(), byLID(), byPhone()},
		"more waiting":                   {byPhone(), byPhone(), byPhone(), both(), byLID(), byLID()},
		"both at work before it is told": {byPhone(), byLID(), byPhone(), byLID(), both(), byPhone(), byLID()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sub := fed(t)
				place := map[*Event]int{}
				told := 0 // the place of the event that tells
				for i, e := range events {
					place[e] = i
					if e.Type == EventMessage {
						told = i
					}
				}
				step, done := make(chan struct{}), make(chan error)
				var mu sync.Mutex
				var begun []int
				now := 0
				go func() {
					done <- sub.Handle(t.Context(), On(func(_ context.Context, e *Event, _ EventData) error {
						mu.Lock()
						now++
						if n := place[e]; n >= told || len(begun) >= 2 {
							assert.Equal(t, 1, now, "event %d beside another", n)
						}
						begun = append(begun, place[e])
						mu.Unlock()
						<-step
						mu.Lock()
						now--
						mu.Unlock()
						return nil
					}))
				}()
				for _, e := range events {
					require.NoError(t, sub.queue.push(e, time.Now()))
					synctest.Wait()
				}
				for range events {
					step <- struct{}{}
					synctest.Wait()
				}
				sub.finish(nil)
				require.NoError(t, <-done)
				assert.True(t, slices.IsSorted(begun), "%v", begun)
				assert.Len(t, begun, len(events))
			})
		})
	}
}

func TestWithOneLaneEventsAreHandledInTheOrderOfTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 7, upTo(500)...)
		sub.finish(nil)
		var got []int
		require.NoError(t, sub.Handle(t.Context(), On(func(_ context.Context, _ *Event, m *MessageEvent) error {
			got = append(got, numberIn(m))
			return nil
		}), WithConcurrency(1)))
		assert.Equal(t, upTo(500), got)
	})
}

// Events of types that are left out take no room, even behind a chat that hangs.
func TestEventsThatNobodyWantsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		require.NoError(t, WithEvents(EventMessage).applyToStream(sub.config))
		release, done := make(chan struct{}), make(chan error)
		go func() {
			done <- sub.Handle(t.Context(), On(func(context.Context, *Event, *MessageEvent) error { <-release; return nil }))
		}()
		sub.feed(t, 1, 1, 2)
		synctest.Wait()
		for range 1000 {
			require.NoError(t, sub.enqueue([]byte(`{"event":"message.status","data":{}}`), time.Now(), time.Now()))
		}
		sub.feedGap(t)
		synctest.Wait()
		assert.Equal(t, 2, sub.Stats().Queued, "the second message, and the gap")
		assert.Equal(t, uint64(2), sub.Stats().Received)
		assert.Zero(t, sub.Stats().Dropped)
		close(release)
		sub.finish(nil)
		require.NoError(t, <-done)
	})
}

// Whatever is dropped, and wherever it lay: what is left is handled once and in
// order, and every event is handled or told of in a gap.
func TestOverflowAndGapsWithHandlersAccountForEveryEvent(t *testing.T) {
	t.Parallel()
	dropped := 0
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			sub := fed(t)
			sub.queue.maxEvents = 20
			o := newOrder()
			var mu sync.Mutex
			told, gaps := 0, 0
			const noGap = 1 << 30
			after := noGap   // the number of the first message after the gap that is being handled
			if seed%2 == 0 { // something is there before the handlers are
				sub.feed(t, 5, upTo(15)...)
			}
			done := make(chan error)
			go func() {
				done <- sub.Handle(t.Context(), Handlers(
					On(func(_ context.Context, _ *Event, m *MessageEvent) error {
						mu.Lock()
						assert.Less(t, numberIn(m), after, "a gap is handled before what follows it")
						wait := time.Duration(random.IntN(4)) * time.Second
						mu.Unlock()
						o.begin(string(m.Chat.JID), numberIn(m))
						time.Sleep(wait)
						o.end(string(m.Chat.JID))
						return nil
					}),
					On(func(_ context.Context, _ *Event, gap *GapEvent) error {
						mu.Lock()
						if gap.Reason == GapOutage {
							after = int(gap.From.Unix())
						}
						told += gap.Dropped
						gaps++
						mu.Unlock()
						time.Sleep(time.Second)
						mu.Lock()
						after = noGap
						mu.Unlock()
						return nil
					}),
				), WithConcurrency(3))
			}()
			n := 0
			if seed%2 == 0 {
				n = 15
			}
			for range 1000 {
				mu.Lock()
				pause, gap, burst := time.Duration(random.IntN(2000))*time.Millisecond, random.IntN(10) == 0, random.IntN(4)
				mu.Unlock()
				time.Sleep(pause)
				if gap {
					at := time.Unix(int64(n), 0)
					require.NoError(t, sub.queue.push(sub.gapEvent(&GapEvent{From: at, To: at, Reason: GapOutage}), time.Now()))
				}
				for range burst {
					sub.feed(t, 5, n)
					n++
				}
			}
			sub.finish(nil)
			require.NoError(t, <-done)
			assert.Empty(t, o.wrong)
			assert.Equal(t, n, o.handled+told)
			assert.NotZero(t, gaps)
			assert.Empty(t, sub.queue.lanes.byName)
			dropped += told
		})
	}
	assert.NotZero(t, dropped)
}

func TestErrorHandlerThatPanicsEndsHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 1, 1, 2)
		err := sub.Handle(t.Context(),
			On(func(context.Context, *Event, *MessageEvent) error { return errors.New("broken") }),
			WithErrorHandler(func(context.Context, *HandlerError) { panic("worse") }))
		var panicked *PanicError
		require.ErrorAs(t, err, &panicked)
		assert.ErrorContains(t, err, "the error handler panicked")
	})
}

// nilError is an error type whose nil pointer cannot be looked at.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }
func (e *nilError) Is(error) bool { return e.text == "" }
func (e *nilError) Unwrap() error { return errors.New(e.text) }

func typedNil() error {
	var e *nilError
	return e
}

func TestNilPointerInAnErrorIsAnErrorThatCanBeRead(t *testing.T) {
	for name, returned := range map[string]error{
		"typed nil": typedNil(), "joined": errors.Join(typedNil()), "wrapped": fmt.Errorf("it failed: %w", typedNil()),
		"of this package": (*APIError)(nil), "of this package, wrapping": (*StreamError)(nil),
	} {
		synctest.Test(t, func(t *testing.T) {
			sub := fed(t)
			sub.feed(t, 1, 1)
			sub.finish(nil)
			var reported []*HandlerError
			require.NoError(t, sub.Handle(t.Context(),
				On(func(context.Context, *Event, *MessageEvent) error { return returned }),
				WithErrorHandler(func(_ context.Context, err *HandlerError) { reported = append(reported, err) })))
			require.Len(t, reported, 1, name)
			assert.NotEmpty(t, reported[0].Error())
			assert.NotErrorIs(t, reported[0], ErrIgnore, name)
		})
	}
}

// A handler that ends its goroutine, as a failed test does, leaves its lane.
func TestHandlerThatEndsItsGoroutineHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.feed(t, 1, upTo(10)...)
		sub.finish(nil)
		handled := 0
		require.NoError(t, sub.Handle(t.Context(), On(func(context.Context, *Event, *MessageEvent) error {
			if handled++; handled%2 == 1 {
				runtime.Goexit()
			}
			return nil
		}), WithConcurrency(2), WithErrorHandler(func(context.Context, *HandlerError) {})))
		assert.Equal(t, 10, handled)
	})
}

func TestFunctionOfStateChangesMayPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		before := log.Writer()
		log.SetOutput(&out)
		defer log.SetOutput(before)
		sub := fed(t)
		var seen []StreamState
		sub.config.onState = func(s StreamState) { seen = append(seen, s); panic("no") }
		sub.setState(StreamOpen)
		sub.setState(StreamClosed)
		synctest.Wait()
		assert.Equal(t, []StreamState{StreamOpen, StreamClosed}, seen)
		assert.Contains(t, out.String(), "the state handler panicked")
	})
}

// At 20,000 events a second, with the default buffer and handlers that keep up,
// nothing is dropped: while a chat that hangs fills a part of the buffer, too.
func TestDefaultBufferKeepsUpWithTheStream(t *testing.T) {
	config, err := newStreamConfig(nil)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		sub := fed(t)
		sub.queue = newEventQueue("support-line", config)
		release, done := make(chan struct{}), make(chan error)
		handled := 0
		var mu sync.Mutex
		go func() {
			done <- sub.Handle(t.Context(), On(func(_ context.Context, _ *Event, m *MessageEvent) error {
				if m.Chat.JID == "hangs" {
					<-release
				}
				mu.Lock()
				handled++
				mu.Unlock()
				return nil
			}))
		}()
		for range 600 {
			require.NoError(t, sub.queue.push(inChat("", EventChat{JID: "hangs"}), time.Now()))
		}
		const events = 100_000
		for n := range events {
			sub.feed(t, 1000, n)
			if n%100 == 99 {
				time.Sleep(5 * time.Millisecond) // 20,000 a second, in bursts of a hundred
			}
		}
		assert.Zero(t, sub.Stats().Dropped)
		close(release)
		sub.finish(nil)
		require.NoError(t, <-done)
		assert.Equal(t, events+600, handled)
	})
}

// BenchmarkHandle measures one event on its way through Handle, while others
// of a busy chat wait.
func BenchmarkHandle(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			client, err := New()
			require.NoError(b, err)
			config, err := newStreamConfig([]SubscribeOption{WithBuffer(1<<20, 1<<30)})
			require.NoError(b, err)
			sub := &Subscription{
				handle: client.Instance("support-line", "token").h, config: config, queue: newEventQueue("support-line", config),
				parent: b.Context(), cancel: func() {}, closed: make(chan struct{}),
			}
			release, handled, done := make(chan struct{}), make(chan struct{}), make(chan error)
			go func() {
				done <- sub.Handle(b.Context(), On(func(_ context.Context, _ *Event, m *MessageEvent) error {
					if m.ID == "hangs" {
						<-release
						return nil
					}
					handled <- struct{}{}
					return nil
				}))
			}()
			now := time.Now()
			for range n + 1 {
				require.NoError(b, sub.queue.push(inChat("hangs", EventChat{JID: person(0).asPhone(0)}), now))
			}
			e := inChat("", EventChat{JID: person(1).asPhone(0)})
			b.ReportAllocs()
			for b.Loop() {
				_ = sub.queue.push(e, now)
				<-handled
			}
			b.StopTimer()
			close(release)
			sub.finish(nil)
			require.NoError(b, <-done)
		})
	}
}

// An event that a handler ignores is dealt with, by the stream as by all others.
func TestIgnoredEventDoesNotEndHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newStreamServer(t, func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {})
		server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			p, err := server.accept(w, r, conn)
			if assert.NoError(t, err) {
				assert.NoError(t, p.say(numberedFrame(1)))
				assert.NoError(t, p.say(numberedFrame(2)))
				<-p.gone
			}
		}
		sub, err := server.instance(t).Subscribe(t.Context())
		require.NoError(t, err)
		var seen atomic.Int32
		err = sub.Handle(t.Context(), On(func(context.Context, *Event, *MessageEvent) error {
			if seen.Add(1) == 2 {
				_ = sub.Close()
			}
			return fmt.Errorf("not mine: %w", ErrIgnore)
		}))
		require.NoError(t, err)
		assert.Equal(t, int32(2), seen.Load())
	})
}

func accept(context.Context, *Event) error { return nil }
