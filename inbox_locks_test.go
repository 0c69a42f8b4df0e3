package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// inChatOf returns the event of a message of a person.
func inChatOf(t *testing.T, person, number int) *Event {
	t.Helper()
	e, err := ParseEvent(ryzetest.NewEvents("a").Message(ryzetest.Incoming{
		From: fmt.Sprintf("55119876%05d", person), ID: fmt.Sprintf("3EB0%04d%06d", person, number), Text: fmt.Sprint(number),
	}))
	require.NoError(t, err)
	return e
}

// silentLocks do not say when a place in a line is taken.
type silentLocks struct{ MemoryChatLocks }

func (l *silentLocks) Lock(ctx context.Context, keys []string, _ func()) (ChatLock, error) {
	return l.MemoryChatLocks.Lock(ctx, keys, func() {})
}

// A load balancer gives each delivery to any replica.
func TestReplicasThatShareLocksHandleAChatInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		locks ChatLocks
		order bool
	}{
		"locks":                            {&MemoryChatLocks{}, true},
		"locks that do not tell of places": {&silentLocks{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const replicas, chats, each = 3, 4, 25
				var mu sync.Mutex
				var busy [chats]int
				var seen [chats][]string
				most := 0
				store := &MemoryDedupe{}
				var all []*Inbox
				for range replicas {
					all = append(all, newInbox(t, func(_ context.Context, e *Event) error {
						m := e.Data.(*MessageEvent)
						var chat int
						_, err := fmt.Sscanf(m.ID, "3EB0%04d", &chat)
						require.NoError(t, err)
						mu.Lock()
						busy[chat]++
						assert.Equal(t, 1, busy[chat], "handlers in one chat")
						now := 0
						for _, n := range busy {
							now += n
						}
						most = max(most, now)
						mu.Unlock()
						time.Sleep(rand.N(20 * time.Millisecond))
						mu.Lock()
						busy[chat]--
						seen[chat] = append(seen[chat], m.Text)
						mu.Unlock()
						return nil
					}, WithChatLocks(c.locks), WithDedupeStore(store), WithConcurrency(2)))
				}
				var wg sync.WaitGroup
				for n := range each {
					for chat := range chats {
						e := inChatOf(t, chat, n)
						for range 1 + rand.N(2) { // some are delivered twice
							in := all[rand.N(replicas)]
							wg.Go(func() { assert.NoError(t, in.Handle(t.Context(), e)) })
							time.Sleep(time.Millisecond)
						}
					}
				}
				wg.Wait()
				var want []string
				for n := range each {
					want = append(want, fmt.Sprint(n))
				}
				for chat := range chats {
					if c.order {
						assert.Equal(t, want, seen[chat])
					} else {
						assert.ElementsMatch(t, want, seen[chat])
					}
				}
				assert.Greater(t, most, 1, "chats go on side by side")
				for _, in := range all {
					assert.Zero(t, in.Lanes())
					assert.Equal(t, 2, in.Places())
				}
			})
		})
	}
}

// A stream that is fast does not lose its order on the way to the line.
func TestStreamWithLocksKeepsItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []string
		in := newInbox(t, func(_ context.Context, e *Event) error {
			mu.Lock()
			defer mu.Unlock()
			if gap, ok := e.Data.(*GapEvent); ok {
				seen = append(seen, string(gap.Reason))
				return nil
			}
			seen = append(seen, e.Data.(*MessageEvent).Text)
			return nil
		}, WithChatLocks(slowLocks{&MemoryChatLocks{}}))
		stream := NewSource()
		var want []string
		for n := range 100 {
			if n == 50 {
				stream.Chan <- &Event{Type: EventGap, Instance: "a", Data: &GapEvent{Reason: GapOutage}}
				want = append(want, string(GapOutage))
			}
			stream.Chan <- inChatOf(t, 1, n)
			want = append(want, fmt.Sprint(n))
		}
		close(stream.Chan)
		require.NoError(t, in.Run(t.Context(), stream))
		assert.Equal(t, want, seen)
		assert.Equal(t, InboxStats{Handled: 101}, in.Stats())
	})
}

// slowLocks take a while to ask, as a network does, and never the same.
type slowLocks struct{ *MemoryChatLocks }

func (l slowLocks) Lock(ctx context.Context, keys []string, queued func()) (ChatLock, error) {
	time.Sleep(rand.N(5 * time.Millisecond))
	return l.MemoryChatLocks.Lock(ctx, keys, func() { time.Sleep(rand.N(5 * time.Millisecond)); queued(); queued() })
}

func TestWaitForALockTakesNoPlaceAndLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := &MemoryChatLocks{}
		var calls atomic.Int32
		count := func(context.Context, *Event) error { calls.Add(1); return nil }
		let := make(chan struct{})
		elsewhere := newInbox(t, func(context.Context, *Event) error { <-let; return nil }, WithChatLocks(locks))
		here := newInbox(t, count, WithChatLocks(locks), WithConcurrency(1))
		done := make(chan error, 1)
		first := inChatOf(t, 1, 1)
		go func() { done <- elsewhere.Handle(t.Context(), first) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		given := make(chan error, 2)
		for n := 2; n < 4; n++ {
			e := inChatOf(t, 1, n)
			go func() { given <- here.Handle(ctx, e) }()
		}
		synctest.Wait()
		assert.Equal(t, InboxStats{Waiting: 2}, here.Stats())
		require.NoError(t, here.Handle(t.Context(), inChatOf(t, 2, 1)), "another chat")

		cancel()
		for range 2 {
			require.ErrorIs(t, <-given, context.Canceled)
		}
		assert.Equal(t, InboxStats{Handled: 1, Abandoned: 2}, here.Stats())
		close(let)
		require.NoError(t, <-done)
		require.NoError(t, here.Handle(t.Context(), inChatOf(t, 1, 2)))
		assert.EqualValues(t, 2, calls.Load())
		assert.Zero(t, locks.Lines())
		assert.Zero(t, here.Lanes())
		assert.Equal(t, 1, here.Places())
	})
}

// testLocks do what a test says.
type testLocks struct {
	lock   func(ctx context.Context) (ChatLock, error)
	lost   chan struct{}
	unlock func(ctx context.Context) error
	seen   [][]string
	held   atomic.Int32
}

func (l *testLocks) Lock(ctx context.Context, keys []string, queued func()) (ChatLock, error) {
	queued()
	l.seen = append(l.seen, keys)
	if l.lock != nil {
		return l.lock(ctx)
	}
	l.held.Add(1)
	return l, nil
}

func (l *testLocks) Lost() <-chan struct{} { return l.lost }

func (l *testLocks) Unlock(ctx context.Context) error {
	l.held.Add(-1)
	if l.unlock != nil {
		return l.unlock(ctx)
	}
	return nil
}

func TestEventWhoseChatCannotBeLockedIsNotHandled(t *testing.T) {
	quietly(t)
	down := errors.New("store is down")
	for name, lock := range map[string]func(context.Context) (ChatLock, error){
		"it is away":        func(context.Context) (ChatLock, error) { return nil, down },
		"it panics":         func(context.Context) (ChatLock, error) { panic("private words") },
		"typed nil":         func(context.Context) (ChatLock, error) { return (*ChatLockOfNobody)(nil), nil },
		"no lock":           func(context.Context) (ChatLock, error) { return nil, nil },
		"a typed nil error": func(context.Context) (ChatLock, error) { return nil, TypedNil() },
	} {
		t.Run(name, func(t *testing.T) {
			store := &MemoryDedupe{}
			var told []*HandlerError
			in := newInbox(t, func(context.Context, *Event) error { t.Error("handled without a lock"); return nil },
				WithChatLocks(&testLocks{lock: lock}), WithDedupeStore(store),
				WithErrorHandler(func(_ context.Context, err *HandlerError) { told = append(told, err) }))
			e := inChatOf(t, 1, 1)
			err := in.Handle(t.Context(), e)
			require.ErrorContains(t, err, "lock a chat")
			assert.NotContains(t, err.Error(), "private words")
			assert.Empty(t, told, "the delivery has its answer")
			stream := NewSource()
			stream.Chan <- e
			close(stream.Chan)
			require.NoError(t, in.Run(t.Context(), stream))
			assert.Len(t, told, 1)
			assert.Equal(t, InboxStats{Failed: 2}, in.Stats())
			claim, err := store.Claim(t.Context(), e.DedupeKey())
			require.NoError(t, err)
			assert.NotNil(t, claim)
			assert.Zero(t, in.Lanes())
		})
	}
}

// ChatLockOfNobody is a lock whose methods panic.
type ChatLockOfNobody struct{ lost chan struct{} }

func (l *ChatLockOfNobody) Lost() <-chan struct{}        { return l.lost }
func (l *ChatLockOfNobody) Unlock(context.Context) error { return nil }

func TestHandlerIsToldWhenTheLockOfItsChatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := &testLocks{lost: make(chan struct{}), unlock: func(context.Context) error { return ErrChatLockLost }}
		var told []*HandlerError
		in := newInbox(t, func(ctx context.Context, _ *Event) error {
			time.Sleep(time.Second)
			require.NoError(t, ctx.Err())
			close(locks.lost)
			<-ctx.Done()
			require.ErrorIs(t, context.Cause(ctx), ErrChatLockLost)
			return nil
		}, WithChatLocks(locks), WithErrorHandler(func(_ context.Context, err *HandlerError) { told = append(told, err) }))
		require.NoError(t, in.Handle(t.Context(), inChatOf(t, 1, 1)), "what it returns counts")
		require.Len(t, told, 1)
		require.ErrorIs(t, told[0], ErrChatLockLost)
		require.ErrorIs(t, in.Handle(t.Context(), inChatOf(t, 1, 2)), ErrChatLockLost, "lost before the handler begins")
		assert.Equal(t, InboxStats{Handled: 1, Failed: 1}, in.Stats())
		assert.Zero(t, locks.held.Load())
		synctest.Wait()
	})
}

// clockLocks are lost at a moment, and tell it only to those who ask.
type clockLocks struct {
	testLocks
	until time.Time
}

func (l *clockLocks) Lock(context.Context, []string, func()) (ChatLock, error) { return l, nil }

func (l *clockLocks) Lost() <-chan struct{} {
	lost := make(chan struct{})
	if !time.Now().Before(l.until) {
		close(lost)
	}
	return lost
}

// slowStore takes its time for a claim.
type slowStore struct {
	MemoryDedupe
	takes time.Duration
}

func (s *slowStore) Claim(ctx context.Context, key string) (DedupeClaim, error) {
	time.Sleep(s.takes)
	return s.MemoryDedupe.Claim(ctx, key)
}

// A process that is paused right before it calls the handler goes on there, before
// anybody has told it that its lock is lost.
func TestLockThatWasLostOnTheWayToTheHandlerIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := &clockLocks{until: time.Now().Add(time.Second)}
		store := &slowStore{takes: 2 * time.Second}
		in := newInbox(t, func(context.Context, *Event) error { t.Error("handled without a lock"); return nil },
			WithChatLocks(locks), WithDedupeStore(store))
		e := inChatOf(t, 1, 1)
		require.ErrorIs(t, in.Handle(t.Context(), e), ErrChatLockLost)
		assert.Equal(t, InboxStats{Failed: 1}, in.Stats())
		claim, err := store.Claim(t.Context(), e.DedupeKey())
		require.NoError(t, err)
		assert.NotNil(t, claim, "it may be delivered again")
	})
}

// The outcome is recorded before anybody else has the chat, and what goes wrong
// afterwards does not change it.
func TestChatIsUnlockedAfterTheOutcomeIsRecorded(t *testing.T) {
	quietly(t)
	store := &MemoryDedupe{}
	for name, handle := range map[string]Handler{
		"done":   func(context.Context, *Event) error { return nil },
		"failed": func(context.Context, *Event) error { return errors.New("broken") },
		"panics": func(context.Context, *Event) error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			e := inChatOf(t, 1, len(name)) // each its own
			locks := &testLocks{unlock: func(ctx context.Context) error {
				claim, err := store.Claim(ctx, e.DedupeKey())
				require.NoError(t, err)
				assert.Equal(t, name == "done", claim == nil)
				if claim != nil {
					require.NoError(t, claim.Release(ctx))
				}
				panic("private words")
			}}
			var told []*HandlerError
			in := newInbox(t, handle, WithChatLocks(locks), WithDedupeStore(store),
				WithErrorHandler(func(_ context.Context, err *HandlerError) { told = append(told, err) }))
			assert.Equal(t, name == "done", in.Handle(t.Context(), e) == nil)
			require.Len(t, told, 1)
			require.ErrorContains(t, told[0], "unlock a chat")
			assert.Zero(t, locks.held.Load())
		})
	}
}

// A lock that is granted when nobody waits for it any more is given back.
func TestLockThatComesTooLateIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		locks := &testLocks{}
		locks.lock = func(context.Context) (ChatLock, error) { <-let; locks.held.Add(1); return locks, nil }
		in := newInbox(t, func(context.Context, *Event) error { t.Error("handled"); return nil }, WithChatLocks(locks))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, in.Handle(ctx, inChatOf(t, 1, 1)), context.DeadlineExceeded)
		assert.Equal(t, InboxStats{Abandoned: 1}, in.Stats())
		close(let)
		synctest.Wait()
		assert.Zero(t, locks.held.Load())
	})
}

// Keys are digests of all that is known of a chat, by instance.
func TestKeysOfChatLocksTellNoAddress(t *testing.T) {
	locks := &testLocks{}
	in := newInbox(t, func(context.Context, *Event) error { return nil }, WithChatLocks(locks))
	const phone, lid = "5511987654321", "123456789012345"
	message := func(instance string, jid, lid JID) []string {
		require.NoError(t, in.Handle(t.Context(), &Event{Type: EventMessage, Instance: instance, Data: &MessageEvent{
			Chat: EventChat{JID: jid, LID: lid}, ID: fmt.Sprint(len(locks.seen)), Direction: DirectionIncoming,
		}}))
		return locks.seen[len(locks.seen)-1]
	}
	byPhone := message("a", phone+"@s.whatsapp.net", "")
	byLID := message("a", lid+"@lid", "")
	require.Len(t, byPhone, 1)
	require.Len(t, byLID, 1)
	assert.NotEqual(t, byPhone, byLID)
	assert.NotEqual(t, byPhone, message("b", phone+"@s.whatsapp.net", ""), "another instance's chat")
	both := message("a", phone+"@s.whatsapp.net", lid+"@lid")
	assert.ElementsMatch(t, append(byPhone, byLID...), both)
	assert.IsIncreasing(t, both)
	assert.Equal(t, both, message("a", lid+"@lid", ""), "known from then on")
	for _, keys := range locks.seen {
		for _, key := range keys {
			assert.Len(t, key, 32)
			assert.False(t, strings.Contains(key, phone) || strings.Contains(key, lid))
		}
	}
}

// silentLock does not say whether it is lost.
type silentLock struct {
	asked, held int
	fail        func()
}

func (l *silentLock) Lock(_ context.Context, _ []string, queued func()) (ChatLock, error) {
	queued()
	l.held++
	return l, nil
}

func (l *silentLock) Lost() <-chan struct{} {
	l.asked++
	l.fail()
	return nil
}

func (l *silentLock) Unlock(context.Context) error {
	l.held--
	return nil
}

// Whatever a lock does when it is asked, the process goes on, the event comes
// again, and others can have the lock.
func TestLockThatDoesNotSayWhetherItIsLostCountsAsLost(t *testing.T) {
	for how, fail := range map[string]func(){"panic": func() { panic("private words") }, "Goexit": runtime.Goexit} {
		var told error
		locks := &silentLock{fail: fail}
		in := newInbox(t, Accept, WithChatLocks(locks),
			WithErrorHandler(func(_ context.Context, err *HandlerError) { told = err }))
		stream := NewSource()
		stream.Push(t, ryzetest.NewEvents("a").Message(greeting))
		close(stream.Chan)
		require.NoError(t, in.Run(t.Context(), stream))
		var panicked *PanicError
		require.ErrorAs(t, told, &panicked, how)
		assert.Equal(t, InboxStats{Failed: 1}, in.Stats(), how)
		assert.Zero(t, in.Lanes())
		assert.Equal(t, 1, locks.asked, "an event is asked for once")
		assert.Zero(t, locks.held, how)
	}
}

func TestCancelledRunDoesNotWaitForALockThatDoesNotSayWhetherItIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan struct{})
		locks := &silentLock{fail: func() { cancel(); <-answer }}
		store := &MemoryDedupe{}
		in := newInbox(t, func(context.Context, *Event) error { t.Error("handled without a lock"); return nil },
			WithChatLocks(locks), WithDedupeStore(store))
		e := inChatOf(t, 1, 1)
		stream := NewSource()
		stream.Chan <- e
		began := time.Now()
		require.ErrorIs(t, in.Run(ctx, stream), context.Canceled)
		assert.Zero(t, time.Since(began))
		assert.Equal(t, InboxStats{Abandoned: 1}, in.Stats())
		assert.Zero(t, locks.held)
		claim, err := store.Claim(t.Context(), e.DedupeKey())
		require.NoError(t, err)
		assert.NotNil(t, claim, "it may be delivered again")
		close(answer)
	})
}

// What holds nothing but a nil pointer is as good as nil.
func TestNilPointersAreRefusedWhereEventsAreReceived(t *testing.T) {
	in := newInbox(t, Accept)
	require.ErrorIs(t, in.Run(t.Context(), (*Subscription)(nil)), ErrInvalidArgument)
	require.ErrorIs(t, in.Run(t.Context(), nil), ErrInvalidArgument)
	require.ErrorIs(t, in.Handle(t.Context(), nil), ErrInvalidArgument)
	assert.Panics(t, func() { _ = in.Handle(t.Context(), &Event{Data: (*MessageEvent)(nil)}) })
	require.NoError(t, in.Handle(t.Context(), inChatOf(t, 1, 1)), "the inbox goes on")
	assert.Equal(t, InboxStats{Handled: 1}, in.Stats())
	handled, err := NewDeduper((*MemoryDedupe)(nil)).Do(t.Context(), &Event{Type: EventMessage, Data: &MessageEvent{ID: "A"}}, Accept)
	require.NoError(t, err)
	assert.True(t, handled)
}
