package ryze

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// peerOf opens a stream to a server that does nothing by itself.
func peerOf(t *testing.T, opts ...SubscribeOption) (*Subscription, *peer) {
	t.Helper()
	peers := make(chan *peer, 1)
	server := newStreamServer(t, nil)
	server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
		p, err := server.accept(w, r, conn)
		if assert.NoError(t, err) {
			peers <- p
			<-p.gone
		}
	}
	sub, err := server.instance(t).Subscribe(t.Context(), opts...)
	require.NoError(t, err)
	return sub, <-peers
}

func TestStreamBeginsWithTheHoleBeforeIt(t *testing.T) {
	for name, c := range map[string]struct{ ago, want time.Duration }{
		"an hour":                  {time.Hour, time.Hour},
		"a clock that is ahead":    {-time.Hour, 0},
		"before there were clocks": {100 * 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := time.Now()
				sub, p := peerOf(t, WithWholeUntil(opened.Add(-c.ago)), WithEvents(EventMessage))
				require.NoError(t, p.say(numberedFrame(1)))
				synctest.Wait()
				stats := sub.Stats()
				assert.Equal(t, 2, stats.Queued)
				assert.Equal(t, time.UTC, stats.AliveUntil.Location())
				assert.Equal(t, time.UTC, sub.WholeUntil().Location())
				assert.False(t, sub.WholeUntil().IsZero(), "the gap has not been handled")
				assert.False(t, sub.WholeUntil().After(stats.AliveUntil))

				gap := gapOf(t, <-sub.Events())
				assert.Equal(t, GapTakeover, gap.Reason)
				assert.True(t, gap.From.Equal(opened.Add(-c.want)), "from %v", gap.From)
				assert.True(t, gap.To.Equal(opened))
				assert.Equal(t, time.UTC, gap.From.Location())
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		sub, p := peerOf(t, WithWholeUntil(time.Time{}))
		require.NoError(t, p.say(numberedFrame(1)))
		assert.Equal(t, "Hello", textOf(t, <-sub.Events()), "there was nothing before it")
	})
}

// A hole that was not handled is told again by who comes next.
func TestHoleThatWasNotHandledStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().Add(-time.Hour)
		sub, _ := peerOf(t, WithWholeUntil(began))
		time.Sleep(10 * time.Minute)
		assert.True(t, sub.WholeUntil().Equal(began))
		handled := make(chan struct{})
		go func() {
			_ = sub.Handle(t.Context(), func(context.Context, *Event) error { <-handled; return nil })
		}()
		time.Sleep(10 * time.Minute)
		assert.True(t, sub.WholeUntil().Equal(began), "the handler is at it")
		close(handled)
		synctest.Wait()
		assert.WithinDuration(t, time.Now(), sub.WholeUntil(), time.Minute)
	})
}

// Whoever takes the events: what has been received and not handled holds
// WholeUntil back, and nothing else does.
func TestWholeUntilStandsBeforeWhatIsNotHandled(t *testing.T) {
	for name, serve := range map[string]func(ctx context.Context, sub *Subscription, handle Handler){
		"Handle": func(ctx context.Context, sub *Subscription, handle Handler) { _ = sub.Handle(ctx, handle) },
		"All": func(ctx context.Context, sub *Subscription, handle Handler) {
			for e, err := range sub.All() {
				if err == nil {
					_ = handle(ctx, e)
				}
			}
		},
		"Events": func(ctx context.Context, sub *Subscription, handle Handler) {
			for e := range sub.Events() {
				_ = handle(ctx, e)
			}
		},
		"Inbox": func(ctx context.Context, sub *Subscription, handle Handler) {
			in, _ := NewInbox(handle, WithHandlerTimeout(24*time.Hour))
			_ = in.Run(ctx, sub)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := time.Now()
				sub, p := peerOf(t)
				hold := make(chan struct{})
				go serve(t.Context(), sub, func(context.Context, *Event) error { <-hold; return nil })
				assert.True(t, sub.WholeUntil().Equal(opened))

				time.Sleep(10 * time.Minute)
				stats := sub.Stats()
				assert.WithinDuration(t, time.Now(), stats.AliveUntil, 30*time.Second)
				assert.Equal(t, stats.AliveUntil, sub.WholeUntil())

				sent := time.Now()
				for n := range 3 {
					require.NoError(t, p.say(numberedFrame(n)))
				}
				for range 3 { // one after another, in All and Events
					time.Sleep(10 * time.Minute)
					stats = sub.Stats()
					assert.WithinDuration(t, time.Now(), stats.AliveUntil, 30*time.Second)
					assert.False(t, sub.WholeUntil().After(sent), "%v, sent at %v", sub.WholeUntil(), sent)
					assert.WithinDuration(t, sent, sub.WholeUntil(), 30*time.Second)
					hold <- struct{}{}
				}
				if name == "Events" { // the last one is handled when the next is taken
					require.NoError(t, p.say(numberedFrame(3)))
					sent = time.Now()
				}
				time.Sleep(10 * time.Minute)
				stats = sub.Stats()
				if name == "Events" {
					assert.WithinDuration(t, sent, sub.WholeUntil(), 30*time.Second)
				} else {
					assert.Equal(t, stats.AliveUntil, sub.WholeUntil())
					require.NoError(t, p.say(numberedFrame(4)))
				}
				time.Sleep(10 * time.Minute)
				_ = sub.Close()
				before := sub.WholeUntil()
				assert.Less(t, before, sub.Stats().AliveUntil, "the last one is not handled")
				time.Sleep(time.Hour)
				assert.Equal(t, before, sub.WholeUntil(), "it stays")
				close(hold)
			})
		})
	}
}

// What an inbox has taken and gives up is for the next stream to tell.
func TestEventThatAnInboxGivesUpHoldsTheStreamBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub, p := peerOf(t)
		ctx, cancel := context.WithCancel(t.Context())
		in, err := NewInbox(func(context.Context, *Event) error {
			time.Sleep(time.Second) // the other waits
			cancel()
			return nil
		}, WithConcurrency(1))
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		for n := range 2 {
			require.NoError(t, p.say(numberedFrame(n)))
		}
		sent := time.Now()
		require.ErrorIs(t, in.Run(ctx, sub), context.Canceled)
		assert.Equal(t, InboxStats{Handled: 1, Abandoned: 1}, in.Stats())
		time.Sleep(10 * time.Minute)
		assert.False(t, sub.WholeUntil().After(sent))
	})
}

// An answer in the middle of a message says nothing of the message.
func TestAnswerInTheMiddleOfAnEventDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub, p := peerOf(t)
		time.Sleep(10 * time.Minute)
		began := time.Now()
		_, _ = p.conn.Write([]byte("\x01\x05{\"eve")) // the first part of a message in parts
		time.Sleep(10 * time.Minute)                  // pings are answered in between
		assert.Equal(t, StreamOpen, sub.State())
		assert.False(t, sub.Stats().AliveUntil.After(began))
		assert.WithinDuration(t, began, sub.Stats().AliveUntil, 30*time.Second)
	})
}

// An event for which there was no room has not been received.
func TestEventThatWasRefusedDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub, p := peerOf(t, WithBuffer(1, 1<<20), WithOverflow(FailWhenFull()))
		time.Sleep(10 * time.Minute)
		sent := time.Now()
		require.NoError(t, p.say(numberedFrame(1)))
		require.NoError(t, p.say(numberedFrame(2)))
		<-p.gone
		for _, err := range sub.All() {
			if err != nil {
				break
			}
		}
		require.ErrorIs(t, sub.Err(), ErrOverflow)
		assert.False(t, sub.WholeUntil().After(sent))
	})
}

func TestEventThatWasNotDealtWithHoldsTheStreamBack(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		handle Handler
		opts   []HandleOption
		done   bool
	}{
		"ends Handle":       {func(context.Context, *Event) error { return broken }, nil, false},
		"panics":            {func(context.Context, *Event) error { panic("boom") }, nil, false},
		"is told":           {func(context.Context, *Event) error { return broken }, []HandleOption{WithErrorHandler(func(context.Context, *HandlerError) {})}, true},
		"ignored":           {func(context.Context, *Event) error { return ErrIgnore }, nil, true},
		"telling it panics": {func(context.Context, *Event) error { return broken }, []HandleOption{WithErrorHandler(func(context.Context, *HandlerError) { panic("boom") })}, false},
		"is cut off": {func(ctx context.Context, _ *Event) error { <-ctx.Done(); return ctx.Err() },
			[]HandleOption{WithErrorHandler(func(context.Context, *HandlerError) {})}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sub, p := peerOf(t)
				time.Sleep(time.Minute)
				sent := time.Now()
				require.NoError(t, p.say(numberedFrame(1)))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_ = sub.Handle(ctx, c.handle, c.opts...)
				time.Sleep(time.Hour)
				assert.Equal(t, c.done, sub.WholeUntil().After(sent))
			})
		})
	}
}

// Whenever a process dies: what the service had sent before WholeUntil has been
// handled, or was told by a gap that has been.
func TestNothingBeforeWholeUntilIsUnhandled(t *testing.T) {
	t.Parallel()
	for name, takes := range map[string]func(context.Context, *Subscription, Handler){
		"Handle": func(ctx context.Context, sub *Subscription, handle Handler) {
			_ = sub.Handle(ctx, handle, WithConcurrency(4), WithErrorHandler(func(context.Context, *HandlerError) {}))
		},
		"Inbox": func(ctx context.Context, sub *Subscription, handle Handler) {
			in, _ := NewInbox(handle, WithConcurrency(4), WithBacklog(8))
			_ = in.Run(ctx, sub)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				synctest.Test(t, func(t *testing.T) { wholeUntilTells(t, takes) })
			}
		})
	}
}

func wholeUntilTells(t *testing.T, takes func(context.Context, *Subscription, Handler)) {
	t.Helper()
	type sentEvent struct {
		id string
		at time.Time
	}
	var mu sync.Mutex
	var sent []sentEvent
	done := make(map[string]bool)
	var told []GapEvent
	server := newStreamServer(t, nil)
	server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
		p, err := server.accept(w, r, conn)
		if err != nil {
			return
		}
		for range rand.N(200) {
			time.Sleep(rand.N(3 * time.Second))
			mu.Lock()
			n := len(sent)
			sent = append(sent, sentEvent{fmt.Sprintf("id-%d", n), time.Now()})
			mu.Unlock()
			if p.say(numberedFrame(n)) != nil {
				return
			}
		}
		time.Sleep(rand.N(time.Minute))
		conn.Reset()
		<-p.gone
	}
	sub, err := server.instance(t).Subscribe(t.Context(), WithBuffer(10, 1<<20), WithPing(5*time.Second, 5*time.Second))
	require.NoError(t, err)
	opened := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var taking sync.WaitGroup
	handle := func(_ context.Context, e *Event) error {
		time.Sleep(rand.N(6 * time.Second))
		mu.Lock()
		defer mu.Unlock()
		if gap, ok := e.Data.(*GapEvent); ok {
			told = append(told, *gap)
			return nil
		}
		done[e.Data.(*MessageEvent).ID] = true
		return nil
	}
	taking.Go(func() { takes(ctx, sub, handle) })
	moved := false
	for n := range 101 {
		if n == 100 { // it stops in the middle
			cancel()
			taking.Wait()
			time.Sleep(time.Minute)
		}
		time.Sleep(rand.N(20 * time.Second))
		mu.Lock()
		until := sub.WholeUntil()
		moved = moved || until.After(opened.Add(time.Minute))
		for _, e := range sent {
			if !e.at.Before(until) || done[e.id] {
				continue
			}
			covered := false
			for _, gap := range told {
				covered = covered || !e.at.Before(gap.From) && !e.at.After(gap.To)
			}
			if !covered {
				t.Errorf("%s was sent at %v and is not handled, but all until %v is said to be", e.id, e.at, until)
			}
		}
		mu.Unlock()
	}
	assert.True(t, moved, "it does not stand still")
	_ = sub.Close()
}
