package ryze_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newInbox(t *testing.T, handle func(context.Context, *Event) error, opts ...InboxOption) *Inbox {
	t.Helper()
	in, err := NewInbox(handle, opts...)
	require.NoError(t, err)
	return in
}

// ledger counts what a handler did with each message.
type ledger struct {
	mu       sync.Mutex
	calls    map[string]int
	effects  map[string]int
	running  int
	parallel int              // most handlers at a time
	chats    map[JID]int      // running handlers of a chat
	tangled  bool             // two handlers of one chat ran at a time
	order    map[JID][]string // of the effects
}

func newLedger() *ledger {
	return &ledger{calls: map[string]int{}, effects: map[string]int{}, chats: map[JID]int{}, order: map[JID][]string{}}
}

// handle runs work between the beginning and the end of a message's handling.
// Its call is the number of this call for the message, from 1.
func (l *ledger) handle(e *Event, work func(call int) error) error {
	m, ok := e.Data.(*MessageEvent)
	if !ok {
		return ErrIgnore
	}
	l.mu.Lock()
	l.calls[m.ID]++
	call := l.calls[m.ID]
	l.running++
	l.parallel = max(l.parallel, l.running)
	l.chats[m.Chat.JID]++
	l.tangled = l.tangled || l.chats[m.Chat.JID] > 1
	l.mu.Unlock()

	var err error
	defer func() {
		failed := recover()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.running--
		l.chats[m.Chat.JID]--
		if failed != nil {
			panic(failed)
		}
		if err == nil {
			l.effects[m.ID]++
			l.order[m.Chat.JID] = append(l.order[m.Chat.JID], m.ID)
		}
	}()
	err = work(call)
	return err
}

// numbered are messages of several chats, each with a number of its own.
func numbered(events *ryzetest.Events, n, chats int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = events.Message(ryzetest.Incoming{From: fmt.Sprintf("55119876%05d", i%chats), ID: fmt.Sprintf("3EB0%06d", i), Text: "hi"})
	}
	return list
}

// TestTenThousandDeliveriesHaveOneEffectEach: every tenth delivery is a
// duplicate, every seventh message fails at its first handling, some panic,
// half of the messages come by the stream as well, and everything happens at
// the same time. The service repeats what is not answered with 200.
func TestTenThousandDeliveriesHaveOneEffectEach(t *testing.T) {
	t.Parallel()
	const unique, duplicates, chats, parallel = 9_000, 1_000, 700, 12
	bodies := numbered(ryzetest.NewEvents("support-line"), unique, chats)

	l := newLedger()
	in := newInbox(t, func(_ context.Context, e *Event) error {
		return l.handle(e, func(call int) error {
			n := numberOf(e)
			switch {
			case call == 1 && n%7 == 0:
				return errors.New("first try")
			case call <= 2 && n%101 == 0:
				panic("worse")
			}
			return nil
		})
	}, WithConcurrency(parallel), WithErrorHandler(func(context.Context, *HandlerError) {}))
	h := in.Handler(testAuthorization, WithErrorHandler(func(context.Context, *HandlerError) {}))

	stream := NewSource()
	for i := 0; i < unique; i += 2 {
		stream.Push(t, bodies[i])
	}
	close(stream.Chan)

	deliveries := slices.Clone(bodies)
	for range duplicates {
		deliveries = append(deliveries, bodies[rand.IntN(unique)])
	}
	require.Len(t, deliveries, 10_000)
	rand.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })

	work := make(chan []byte)
	var repeated atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for body := range work {
				for ryzetest.Deliver(h, "/hooks/ryze", testAuthorization, body).StatusCode != http.StatusOK {
					repeated.Add(1)
				}
			}
		})
	}
	wg.Go(func() { assert.NoError(t, in.Run(t.Context(), stream)) })
	for _, body := range deliveries {
		work <- body
	}
	close(work)
	wg.Wait()

	require.Len(t, l.effects, unique)
	failures := 0
	for id, n := range l.effects {
		require.Equal(t, 1, n, id)
		failures += l.calls[id] - n
	}
	want := 0
	for n := range unique {
		switch {
		case n%101 == 0: // two panics, of which the first may be the error
			want += 2
		case n%7 == 0:
			want++
		}
	}
	assert.Equal(t, want, failures, "handled again only after a failure")
	assert.Positive(t, repeated.Load())
	assert.False(t, l.tangled, "one chat, one handler at a time")
	assert.LessOrEqual(t, l.parallel, parallel)
	assert.Zero(t, in.Lanes(), "lanes are forgotten when they are empty")
}

func numberOf(e *Event) int {
	n, err := strconv.Atoi(strings.TrimPrefix(e.Data.(*MessageEvent).ID, "3EB0"))
	if err != nil {
		panic(err)
	}
	return n
}

func TestWebhookIsNotAnsweredBeforeTheStreamsHandlerHasSucceeded(t *testing.T) {
	for name, c := range map[string]struct {
		first error
		calls int
	}{
		"it succeeds":         {nil, 1},
		"it fails":            {errors.New("no"), 2},
		"it is not for us":    {ErrIgnore, 1},
		"it finds a deadline": {context.DeadlineExceeded, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body := ryzetest.NewEvents("a").Message(greeting)
				finish := make(chan error)
				calls := 0
				in := newInbox(t, func(context.Context, *Event) error {
					calls++
					if calls == 1 {
						return <-finish
					}
					return nil
				})
				stream := NewSource()
				stream.Push(t, body)
				go func() { _ = in.Run(t.Context(), stream) }()
				synctest.Wait()

				var answered atomic.Int32
				h := in.Handler(testAuthorization)
				go func() { answered.Store(int32(ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)) }()
				settle(30 * time.Second)
				assert.Zero(t, answered.Load(), "answered while nothing was known")
				finish <- c.first
				synctest.Wait()
				assert.EqualValues(t, 200, answered.Load())
				assert.Equal(t, c.calls, calls)
				close(stream.Chan)
			})
		})
	}
}

func TestEventThatFailedOnTheStreamComesAgainByTheWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := ryzetest.NewEvents("a").Message(greeting)
		for name, fail := range map[string]func() error{
			"error": func() error { return errors.New("no") },
			"panic": func() error { panic("no") },
		} {
			l := newLedger()
			var reported []error
			in := newInbox(t, func(_ context.Context, e *Event) error {
				return l.handle(e, func(call int) error {
					if call == 1 {
						return fail()
					}
					return nil
				})
			}, WithErrorHandler(func(_ context.Context, err *HandlerError) { reported = append(reported, err) }))
			stream := NewSource()
			stream.Push(t, body)
			close(stream.Chan)
			require.NoError(t, in.Run(t.Context(), stream))
			assert.Len(t, reported, 1, name)
			assert.Empty(t, l.effects, name)

			h := in.Handler(testAuthorization)
			for range 3 {
				assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode, name)
			}
			assert.Equal(t, map[string]int{greeting.ID: 1}, l.effects, name)
			assert.Equal(t, 2, l.calls[greeting.ID], name)
		}
	})
}

func TestWebhookFailureIsHandledAgainByEitherChannel(t *testing.T) {
	body := ryzetest.NewEvents("a").Message(greeting)
	l := newLedger()
	in := newInbox(t, func(_ context.Context, e *Event) error {
		return l.handle(e, func(call int) error {
			if call < 3 {
				return errors.New("no")
			}
			return nil
		})
	})
	h := in.Handler(testAuthorization)
	assert.Equal(t, 503, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
	assert.Equal(t, 503, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
	stream := NewSource()
	stream.Push(t, body)
	close(stream.Chan)
	require.NoError(t, in.Run(t.Context(), stream))
	assert.Equal(t, 1, l.effects[greeting.ID])
	assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
	assert.Equal(t, 3, l.calls[greeting.ID])
}

func TestIgnoredEventIsNotHandledAgain(t *testing.T) {
	body := ryzetest.NewEvents("a").Message(greeting)
	calls := 0
	in := newInbox(t, func(context.Context, *Event) error { calls++; return fmt.Errorf("spam: %w", ErrIgnore) })
	h := in.Handler(testAuthorization)
	assert.JSONEq(t, `{"status":"ignored"}`, ryzetest.Deliver(h, "/", testAuthorization, body).Body)
	assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
	assert.Equal(t, 1, calls)
}

func TestSlowHandlerIsFinishedThoughTheServiceHungUp(t *testing.T) {
	l := newLedger()
	hooks := &receiver{}
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		in := newInbox(t, func(ctx context.Context, e *Event) error {
			return l.handle(e, func(int) error {
				select {
				case <-time.After(25 * time.Second): // the simulator waits for ten
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		})
		hooks.Handler = in.Handler(testAuthorization)
		inst := paired(t, sim, client, "support-line")
		webhookTo(t, inst, WebhookConfig{Events: []EventType{EventMessage}})
		sim.Instance("support-line").Receive(greeting)
		settle(time.Hour)
		deliveries := sim.Deliveries()
		assert.Zero(t, deliveries[0].Status, "the service hung up")
		assert.Equal(t, 200, deliveries[len(deliveries)-1].Status)
		assert.Equal(t, map[string]int{greeting.ID: 1}, l.effects)
		assert.Equal(t, 1, l.calls[greeting.ID])
	}, ryzetest.WithWebhookHandler(hooks))
}

func TestEventTimeoutEndsTheHandlersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox(t, func(ctx context.Context, _ *Event) error {
			<-ctx.Done()
			return ctx.Err()
		}, WithHandlerTimeout(20*time.Second))
		h := in.Handler(testAuthorization)
		started := time.Now()
		assert.Equal(t, 503, ryzetest.Deliver(h, "/", testAuthorization, ryzetest.NewEvents("a").Message(greeting)).StatusCode)
		assert.Equal(t, 20*time.Second, time.Since(started))
	})
}

func TestWaitForATurnEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := ryzetest.NewEvents("a")
		hold := make(chan struct{})
		calls := 0
		in := newInbox(t, func(context.Context, *Event) error {
			calls++
			<-hold
			return nil
		}, WithConcurrency(1))
		parse := func(from, id string) *Event {
			e, err := ParseEvent(events.Message(ryzetest.Incoming{From: from, ID: id, Text: "x"}))
			require.NoError(t, err)
			return e
		}
		go func() { assert.NoError(t, in.Handle(t.Context(), parse("5511987654321", "1"))) }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, in.Handle(ctx, parse("5511987654321", "2")), context.DeadlineExceeded, "behind the same chat")
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, in.Handle(ctx, parse("5511900000002", "3")), context.DeadlineExceeded, "for a place")

		close(hold)
		synctest.Wait()
		assert.Equal(t, 1, calls)
		assert.NoError(t, in.Handle(t.Context(), parse("5511987654321", "2")))
		assert.NoError(t, in.Handle(t.Context(), parse("5511900000002", "3")))
		assert.Equal(t, 3, calls)
		assert.Zero(t, in.Lanes())
	})
}

func TestChatsKeepTheirOrderAndDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := ryzetest.NewEvents("a")
		l := newLedger()
		in := newInbox(t, func(_ context.Context, e *Event) error {
			return l.handle(e, func(int) error {
				time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond)
				if e.Data.(*MessageEvent).Chat.JID == "5511900000000@s.whatsapp.net" {
					time.Sleep(time.Hour)
				}
				return nil
			})
		}, WithHandlerTimeout(24*time.Hour))
		stream := NewSource()
		want := map[JID][]string{}
		for i := range 300 {
			from, id := fmt.Sprintf("551190000000%d", i%6), fmt.Sprintf("%03d", i)
			if i%6 == 0 && i > 0 {
				continue // the slow chat has one message
			}
			stream.Push(t, events.Message(ryzetest.Incoming{From: from, ID: id, Text: "x"}))
			want[JID(from+"@s.whatsapp.net")] = append(want[JID(from+"@s.whatsapp.net")], id)
		}
		close(stream.Chan)
		done := make(chan error, 1)
		go func() { done <- in.Run(t.Context(), stream) }()
		settle(30 * time.Minute)
		l.mu.Lock()
		assert.Len(t, l.effects, 250, "all but the slow one")
		l.mu.Unlock()
		assert.NoError(t, <-done)
		assert.Equal(t, want, l.order)
		assert.Greater(t, l.parallel, 1)
	})
}

func TestChannelsShareTheOrderOfAChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := ryzetest.NewEvents("a")
		l := newLedger()
		in := newInbox(t, func(_ context.Context, e *Event) error {
			return l.handle(e, func(int) error { time.Sleep(time.Second); return nil })
		})
		h := in.Handler(testAuthorization)
		stream := &Source{Chan: make(chan *Event)}
		go func() { _ = in.Run(t.Context(), stream) }()
		var want []string
		for i := range 20 {
			id := fmt.Sprintf("%02d", i)
			body := events.Message(ryzetest.Incoming{From: "5511987654321", ID: id, Text: "x"})
			if i%3 == 0 {
				stream.Push(t, body)
			} else {
				go ryzetest.Deliver(h, "/", testAuthorization, body)
			}
			synctest.Wait()
			want = append(want, id)
		}
		close(stream.Chan)
		settle(time.Minute)
		assert.Equal(t, want, l.order["5511987654321@s.whatsapp.net"])
	})
}

func TestGroupMessagesAndChangesOfTheGroupShareALane(t *testing.T) {
	const group = "120363000000000001@g.us"
	events := ryzetest.NewEvents("a")
	parse := func(body []byte) [][2]string {
		e, err := ParseEvent(body)
		require.NoError(t, err)
		return LaneNames(e)
	}
	want := [][2]string{{"a", group}}
	assert.Equal(t, want, parse(events.Message(ryzetest.Incoming{From: "5511987654321", Group: group, Text: "x"})))
	assert.Equal(t, want, parse(events.Event("group.flow", map[string]any{"type": "name", "groupJid": group})))
	assert.Equal(t, want, parse(events.Event("label.update", map[string]any{"type": "chat", "labelId": "1", "chatJid": group})))
	assert.Equal(t, want, parse(events.Receipt("read", group, "1")))
	assert.NotEqual(t, parse(events.State("connected")), parse(events.Event("other", nil)))

	documented := ryzetest.NewEvents("a", ryzetest.WithLayout(ryzetest.LayoutDocumented))
	assert.Equal(t, parse(events.Message(greeting)), parse(documented.Message(greeting)))
	assert.NotEqual(t, parse(events.Message(greeting)), parse(ryzetest.NewEvents("b").Message(greeting)))
}

func TestGapsPassThroughInTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		var mu sync.Mutex
		in := newInbox(t, func(_ context.Context, e *Event) error {
			time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			if m, ok := e.Data.(*MessageEvent); ok {
				got = append(got, m.Text)
			} else {
				got = append(got, "gap")
			}
			return nil
		})
		events := ryzetest.NewEvents("a")
		stream := NewSource()
		gap := &Event{Type: EventGap, Instance: "a", Data: &GapEvent{Reason: GapOutage}}
		for part := range 4 {
			for chat := range 10 {
				stream.Push(t, events.Message(ryzetest.Incoming{From: fmt.Sprintf("551190000000%d", chat), Text: fmt.Sprint(part)}))
			}
			stream.Chan <- gap
		}
		stream.Chan <- gap
		close(stream.Chan)
		require.NoError(t, in.Run(t.Context(), stream))
		var want []string
		for part := range 4 {
			want = append(append(want, slices.Repeat([]string{fmt.Sprint(part)}, 10)...), "gap")
		}
		assert.Equal(t, append(want, "gap"), got)
	})
}

// receiver is a handler that is filled in later, and can be switched off.
type receiver struct {
	http.Handler
	down atomic.Bool
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.down.Load() {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	r.Handler.ServeHTTP(w, req)
}

// TestNothingIsLostOrDoneTwiceThroughOutagesOfBothChannels: the stream breaks
// again and again, the receiver is down for minutes, and at times both are.
func TestNothingIsLostOrDoneTwiceThroughOutagesOfBothChannels(t *testing.T) {
	hooks := &receiver{}
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		l := newLedger()
		gaps := 0
		in := newInbox(t, func(_ context.Context, e *Event) error {
			if e.Type == EventGap {
				gaps++
				return nil
			}
			return l.handle(e, func(call int) error {
				time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
				if call == 1 && rand.IntN(10) == 0 {
					return errors.New("first try")
				}
				return nil
			})
		})
		hooks.Handler = in.Handler(testAuthorization)

		inst := paired(t, sim, client, "support-line")
		webhookTo(t, inst, WebhookConfig{})
		sub, err := inst.Subscribe(t.Context(), WithWebSocket(WebSocketConfig{}))
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- in.Run(t.Context(), sub) }()

		const messages = 600
		want := map[string]int{}
		for i := range messages {
			switch i % 100 {
			case 20:
				sim.DropWebSockets(1001)
			case 40:
				hooks.down.Store(true)
			case 50:
				sim.DropWebSockets(1006)
			case 60:
				hooks.down.Store(false)
			case 80:
				sim.Restart()
			}
			id := sim.Instance("support-line").Receive(ryzetest.Incoming{From: fmt.Sprintf("55119876500%02d", i%37), Text: "hi"})
			require.NotEmpty(t, id)
			want[id] = 1
			time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		}
		settle(2 * time.Hour)
		require.NoError(t, sub.Close())
		require.NoError(t, <-done)
		assert.Equal(t, want, l.effects)
		assert.Positive(t, gaps, "the stream did break")
		assert.Positive(t, sub.Stats().Reconnects)
		assert.Empty(t, sim.DeadLetters())
		assert.False(t, l.tangled)
		assert.Empty(t, sim.Violations())
	}, ryzetest.WithWebhookHandler(hooks))
}

func TestStreamAloneSufficesWhileTheReceiverIsDown(t *testing.T) {
	hooks := &receiver{}
	hooks.down.Store(true)
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		l := newLedger()
		in := newInbox(t, func(_ context.Context, e *Event) error { return l.handle(e, func(int) error { return nil }) })
		hooks.Handler = in.Handler(testAuthorization)
		inst := paired(t, sim, client, "support-line")
		webhookTo(t, inst, WebhookConfig{})
		sub, err := inst.Subscribe(t.Context(), WithWebSocket(WebSocketConfig{}))
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- in.Run(t.Context(), sub) }()
		id := sim.Instance("support-line").Receive(greeting)
		synctest.Wait()
		assert.Equal(t, map[string]int{id: 1}, l.effects)
		hooks.down.Store(false)
		settle(time.Hour)
		deliveries := sim.Deliveries()
		assert.Equal(t, 200, deliveries[len(deliveries)-1].Status)
		assert.Equal(t, map[string]int{id: 1}, l.effects)
		require.NoError(t, sub.Close())
		require.NoError(t, <-done)
	}, ryzetest.WithWebhookHandler(hooks))
}

func TestRunEndsWithItsSourceAndSaysWhy(t *testing.T) {
	in := newInbox(t, Accept)
	stream := NewSource()
	stream.Failure = ErrWebSocketDisabled
	close(stream.Chan)
	assert.ErrorIs(t, in.Run(t.Context(), stream), ErrWebSocketDisabled)
}

func TestRunStopsItsHandlersAfterItsContextAndWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := ryzetest.NewEvents("a")
		var begun, ended atomic.Int32
		var reported atomic.Int32
		var repaired atomic.Bool
		in := newInbox(t, func(ctx context.Context, _ *Event) error {
			if repaired.Load() {
				return nil
			}
			begun.Add(1)
			<-ctx.Done()
			time.Sleep(time.Second) // tidying up
			ended.Add(1)
			return ctx.Err()
		}, WithConcurrency(2), WithErrorHandler(func(context.Context, *HandlerError) { reported.Add(1) }))
		stream := NewSource()
		for _, body := range numbered(events, 10, 10) {
			stream.Push(t, body)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- in.Run(ctx, stream) }()
		settle(time.Second)
		cancel()
		assert.ErrorIs(t, <-done, context.Canceled)
		assert.EqualValues(t, 2, begun.Load())
		assert.EqualValues(t, 2, ended.Load())
		assert.EqualValues(t, 2, reported.Load(), "they had a minute")
		assert.Zero(t, in.Lanes())

		// None of them counts as handled.
		repaired.Store(true)
		h := in.Handler(testAuthorization)
		assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, events.Message(greeting)).StatusCode)
	})
}

func TestBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox(t, func(ctx context.Context, _ *Event) error { <-ctx.Done(); return ctx.Err() }, WithConcurrency(1), WithBacklog(5))
		stream := NewSource()
		for _, body := range numbered(ryzetest.NewEvents("a"), 100, 100) {
			stream.Push(t, body)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- in.Run(ctx, stream) }()
		synctest.Wait()
		assert.Len(t, stream.Chan, 100-5-1, "five in the backlog, one in hand")
		cancel()
		assert.ErrorIs(t, <-done, context.Canceled)
	})
}

func TestIdleSourcesTakeNoRoomFromBusyOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		in := newInbox(t, func(context.Context, *Event) error { calls.Add(1); return nil }, WithBacklog(1))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 50 {
			go func() { _ = in.Run(ctx, NewSource()) }()
		}
		busy := NewSource()
		go func() { _ = in.Run(ctx, busy) }()
		for _, body := range numbered(ryzetest.NewEvents("a"), 20, 3) {
			busy.Push(t, body)
		}
		synctest.Wait()
		assert.EqualValues(t, 20, calls.Load())
	})
}

// failingStore fails where it is told to.
type failingStore struct {
	MemoryDedupe
	claim, commit error
}

func (s *failingStore) Claim(ctx context.Context, key string) (DedupeClaim, error) {
	if s.claim != nil {
		return nil, s.claim
	}
	return s.ClaimBefore(ctx, key, func(context.Context) error { return s.commit }, func(context.Context) error { return nil })
}

func TestNothingIsAcknowledgedWhenTheStoreFails(t *testing.T) {
	down := errors.New("store is down")
	store := &failingStore{claim: down}
	var reported []error
	in := newInbox(t, func(context.Context, *Event) error { t.Error("handled without a claim"); return nil },
		WithDedupeStore(store), WithErrorHandler(func(_ context.Context, err *HandlerError) { reported = append(reported, err) }))
	body := ryzetest.NewEvents("a").Message(greeting)
	assert.Equal(t, 503, ryzetest.Deliver(in.Handler(testAuthorization), "/", testAuthorization, body).StatusCode)

	stream := NewSource()
	stream.Push(t, body)
	close(stream.Chan)
	require.NoError(t, in.Run(t.Context(), stream))
	require.Len(t, reported, 1)
	assert.ErrorIs(t, reported[0], down)
}

func TestWorkThatCouldNotBeRecordedIsNotAskedForAgain(t *testing.T) {
	full := errors.New("store is full")
	var reported []error
	calls := 0
	in := newInbox(t, func(context.Context, *Event) error { calls++; return nil },
		WithDedupeStore(&failingStore{commit: full}), WithErrorHandler(func(_ context.Context, err *HandlerError) { reported = append(reported, err) }))
	body := ryzetest.NewEvents("a").Message(greeting)
	assert.Equal(t, 200, ryzetest.Deliver(in.Handler(testAuthorization), "/", testAuthorization, body).StatusCode)
	assert.Equal(t, 1, calls)
	require.Len(t, reported, 1)
	assert.ErrorIs(t, reported[0], full)
}

func TestDeliveryIsRefusedWhileAnotherProcessIsAtIt(t *testing.T) {
	store := &MemoryDedupe{}
	body := ryzetest.NewEvents("a").Message(greeting)
	e, err := ParseEvent(body)
	require.NoError(t, err)
	claim, err := store.Claim(t.Context(), e.DedupeKey())
	require.NoError(t, err)
	require.NotNil(t, claim)

	calls := 0
	in := newInbox(t, func(context.Context, *Event) error { calls++; return nil }, WithDedupeStore(store),
		WithErrorHandler(func(_ context.Context, err *HandlerError) { t.Error(err) }))
	h := in.Handler(testAuthorization)
	assert.Equal(t, 503, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
	stream := NewSource()
	stream.Push(t, body)
	close(stream.Chan)
	require.NoError(t, in.Run(t.Context(), stream))
	assert.Zero(t, calls)

	require.NoError(t, claim.Release(t.Context())) // it failed
	assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
	assert.Equal(t, 1, calls)
}

func TestInboxRefusesBadArguments(t *testing.T) {
	for field, c := range map[string]struct {
		handle Handler
		opt    InboxOption
	}{
		"handle":             {nil, WithConcurrency(1)},
		"option":             {Accept, nil},
		"WithDedupeStore":    {Accept, WithDedupeStore((*MemoryDedupe)(nil))},
		"WithChatLocks":      {Accept, WithChatLocks((*MemoryChatLocks)(nil))},
		"WithConcurrency":    {Accept, WithConcurrency(0)},
		"WithBacklog":        {Accept, WithBacklog(-1)},
		"WithHandlerTimeout": {Accept, WithHandlerTimeout(0)},
		"WithErrorHandler":   {Accept, WithErrorHandler(nil)},
	} {
		in, err := NewInbox(c.handle, c.opt)
		assert.Nil(t, in, field)
		var invalid *ValidationError
		if assert.ErrorAs(t, err, &invalid, field) {
			assert.Equal(t, field, invalid.Field)
		}
	}
}

func TestStreamPanicIsNeverSilent(t *testing.T) {
	var out bytes.Buffer
	before := log.Writer()
	log.SetOutput(&out)
	defer log.SetOutput(before)
	in := newInbox(t, func(context.Context, *Event) error { panic("private words") })
	stream := NewSource()
	stream.Push(t, ryzetest.NewEvents("a").Message(greeting))
	close(stream.Chan)
	require.NoError(t, in.Run(t.Context(), stream))
	assert.Contains(t, out.String(), "the handler panicked")
	assert.Contains(t, out.String(), greeting.ID)
	assert.NotContains(t, out.String(), "private words")
	assert.Equal(t, 1, strings.Count(out.String(), "ryze: handling"))
}

// hangingStore hangs where it is told to, until it is let go.
type hangingStore struct {
	MemoryDedupe
	on    atomic.Bool
	heeds bool          // its context
	let   chan struct{} // closed to let it go
}

func (s *hangingStore) hang(ctx context.Context) error {
	if !s.on.Load() {
		return nil
	}
	if !s.heeds {
		ctx = context.Background()
	}
	select {
	case <-s.let:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *hangingStore) Claim(ctx context.Context, key string) (DedupeClaim, error) {
	if err := s.hang(ctx); err != nil {
		return nil, err
	}
	return s.MemoryDedupe.Claim(context.WithoutCancel(ctx), key)
}

func TestStoreThatHangsStopsNothingForLong(t *testing.T) {
	for name, heeds := range map[string]bool{"it heeds its context": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &hangingStore{heeds: heeds, let: make(chan struct{})}
				store.on.Store(true)
				var reported atomic.Int64
				calls := 0
				in := newInbox(t, func(context.Context, *Event) error { calls++; return nil }, WithConcurrency(2), WithDedupeStore(store),
					WithErrorHandler(func(context.Context, *HandlerError) { reported.Add(1) }))
				body := ryzetest.NewEvents("a").Message(greeting)
				h := in.Handler(testAuthorization)
				Quickly(t, StoreTimeout+time.Second, func() {
					assert.Equal(t, 503, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
				})
				// The caller's context counts as well.
				e, err := ParseEvent(body)
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				Quickly(t, 2*time.Second, func() { assert.ErrorIs(t, in.Handle(ctx, e), context.DeadlineExceeded) })

				stream := NewSource()
				for range 5 {
					stream.Push(t, body)
				}
				close(stream.Chan)
				Quickly(t, 6*StoreTimeout, func() { require.NoError(t, in.Run(t.Context(), stream)) })
				assert.EqualValues(t, 5, reported.Load())
				assert.Zero(t, calls)

				store.on.Store(false)
				close(store.let) // those that hang are granted their claims, and give them back
				synctest.Wait()
				assert.Equal(t, 200, ryzetest.Deliver(h, "/", testAuthorization, body).StatusCode)
				assert.Equal(t, 1, calls)
				assert.Zero(t, in.Lanes())
			})
		})
	}
}

// panickingStore panics where it is told to.
type panickingStore struct {
	MemoryDedupe
	where string
}

func (s *panickingStore) at(where string) func(context.Context) error {
	return func(context.Context) error {
		if s.where == where {
			panic("private words")
		}
		return nil
	}
}

func (s *panickingStore) Claim(ctx context.Context, key string) (DedupeClaim, error) {
	_ = s.at("claim")(ctx)
	if s.where == "nil claim" {
		var claim *ClaimWith
		return claim, nil
	}
	return s.ClaimBefore(ctx, key, s.at("commit"), s.at("release"))
}

func TestNothingOfTheApplicationTakesTheProcessDown(t *testing.T) {
	broken := errors.New("broken")
	ignore := func(context.Context, *HandlerError) {}
	for name, c := range map[string]struct {
		handle func() error
		store  DedupeStore
		report func(context.Context, *HandlerError)
		status int // of the same event as a delivery
	}{
		"handler panics":        {func() error { panic("private words") }, nil, ignore, 503},
		"typed nil":             {TypedNil, nil, ignore, 503},
		"typed nil, not told":   {TypedNil, nil, nil, 503},
		"joined typed nil":      {func() error { return errors.Join(broken, TypedNil()) }, nil, ignore, 503},
		"error handler panics":  {func() error { return broken }, nil, func(context.Context, *HandlerError) { panic("private words") }, 503},
		"claim panics":          {func() error { return nil }, &panickingStore{where: "claim"}, ignore, 503},
		"commit panics":         {func() error { return nil }, &panickingStore{where: "commit"}, ignore, 200},
		"commit, and the error": {func() error { return nil }, &panickingStore{where: "commit"}, func(context.Context, *HandlerError) { panic("private words") }, 200},
		"claim is a typed nil":  {func() error { return nil }, &panickingStore{where: "nil claim"}, nil, 200},
		"release panics":        {func() error { return broken }, &panickingStore{where: "release"}, ignore, 503},
		"claim typed nil":       {func() error { return nil }, &failingStore{claim: TypedNil()}, nil, 503},
		"commit typed nil":      {func() error { return nil }, &failingStore{commit: TypedNil()}, nil, 200},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			before := log.Writer()
			log.SetOutput(&out)
			defer log.SetOutput(before)
			opts := []InboxOption{WithConcurrency(1)}
			if c.store != nil {
				opts = append(opts, WithDedupeStore(c.store))
			}
			if c.report != nil {
				opts = append(opts, WithErrorHandler(c.report))
			}
			in := newInbox(t, func(context.Context, *Event) error { return c.handle() }, opts...)
			events := ryzetest.NewEvents("a")
			stream := NewSource()
			for _, body := range numbered(events, 3, 1) {
				stream.Push(t, body)
			}
			close(stream.Chan)
			require.NoError(t, in.Run(t.Context(), stream))
			h := in.Handler(testAuthorization, WithErrorHandler(func(_ context.Context, err *HandlerError) { _ = err.Error(); panic("private words") }))
			assert.Equal(t, c.status, ryzetest.Deliver(h, "/", testAuthorization, events.Message(greeting)).StatusCode)
			assert.Zero(t, in.Lanes())
			assert.Equal(t, 1, in.Places())
			assert.NotContains(t, out.String(), "private words")
		})
	}
}
