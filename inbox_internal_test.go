package ryze

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source is an EventSource that a test feeds.
type source struct {
	Chan    chan *Event
	Failure error // of Err
}

func (s *source) Events() <-chan *Event { return s.Chan }

func (s *source) Err() error { return s.Failure }

func (s *source) Push(t *testing.T, body []byte) {
	t.Helper()
	e, err := ParseEvent(body)
	require.NoError(t, err)
	s.Chan <- e
}

func newSource() *source { return &source{Chan: make(chan *Event, 20_000)} }

// A chat known by phone, by LID or by both is one chat, across both channels.
func TestInboxHandlesPhoneAndLIDOfAChatOneAfterAnother(t *testing.T) {
	for _, parallel := range []int{2, 16} {
		synctest.Test(t, func(t *testing.T) {
			who := person(1)
			step := make(chan struct{})
			var mu sync.Mutex
			now, told := 0, false
			in, err := NewInbox(func(_ context.Context, e *Event) error {
				mu.Lock()
				now++
				if told || e.Type == EventMessage {
					assert.Equal(t, 1, now, "two handlers in one chat")
				}
				mu.Unlock()
				<-step
				mu.Lock()
				now--
				mu.Unlock()
				return nil
			}, WithConcurrency(parallel))
			require.NoError(t, err)
			receipt := func(n int, jid JID) *Event {
				e := receiptIn(jid)
				e.Data.(*ReceiptEvent).MessageIDs = []string{strconv.Itoa(n)}
				return e
			}
			events := []*Event{
				receipt(1, who.asPhone(0)), receipt(2, who.asLID(0)), receipt(3, who.asPhone(0)), receipt(4, who.asLID(0)),
				inChat("both", EventChat{JID: who.asPhone(0), LID: who.asLID(0)}),
				receipt(5, who.asPhone(1)), receipt(6, who.asLID(1)),
			}
			stream := &source{Chan: make(chan *Event)}
			done := make(chan error, 1)
			go func() { done <- in.Run(t.Context(), stream) }()
			for i, e := range events {
				if i%2 == 0 {
					stream.Chan <- e
				} else {
					go func() { assert.NoError(t, in.Handle(t.Context(), e)) }()
				}
				synctest.Wait()
			}
			for i := range events {
				step <- struct{}{}
				synctest.Wait()
				if i == 1 { // what was at work before the pair was known has ended
					mu.Lock()
					assert.LessOrEqual(t, now, 1)
					told = true
					mu.Unlock()
				}
			}
			close(stream.Chan)
			require.NoError(t, <-done)
			assert.Empty(t, in.lanes.byName)
		})
	}
}

// With real goroutines, both channels, and deliveries that are given up.
func TestInboxKeepsTheOrderOfAChatUnderAnyTiming(t *testing.T) {
	const events, chats = 4000, 5
	o := newOrder()
	in, err := NewInbox(func(_ context.Context, e *Event) error {
		m := e.Data.(*MessageEvent)
		o.begin(m.Chat.Name, numberIn(m))
		if numberIn(m)%3 == 0 {
			runtime.Gosched()
		}
		o.end(m.Chat.Name)
		return nil
	}, WithConcurrency(4))
	require.NoError(t, err)
	stream := &source{Chan: make(chan *Event)}
	var all sync.WaitGroup
	all.Go(func() { assert.NoError(t, in.Run(t.Context(), stream)) })
	for n := range events {
		who := person(n % chats)
		e := numberedEvent(n, 10)
		e.Instance = "support-line"
		chat := EventChat{JID: who.asPhone(0), LID: who.asLID(0), Name: strconv.Itoa(n % chats)}
		switch {
		case n < chats: // the first tells both
		case n%2 == 0:
			chat.LID = ""
		default:
			chat.JID = chat.LID
		}
		e.Data.(*MessageEvent).Chat = chat
		if n%7 == 6 {
			in.leave(in.enter(numberedEvent(n, 10)), &outcome{abandoned: true}) // nobody waits for it any more
		}
		// One feeder, so the order of arrival is known; whichever way, the turn is
		// taken before the next event comes.
		if n%3 == 0 {
			turn := in.enter(e)
			all.Go(func() {
				var o outcome
				in.process(t.Context(), turn, &o)
				assert.NoError(t, o.err)
			})
			continue
		}
		before := in.entered()
		stream.Chan <- e
		for in.entered() == before {
			runtime.Gosched()
		}
	}
	close(stream.Chan)
	all.Wait()
	assert.Empty(t, o.wrong)
	assert.Equal(t, events, o.handled)
	assert.Empty(t, in.lanes.byName)
	assert.Equal(t, 4, in.places)
}

// entered is how many turns have been taken so far.
func (in *Inbox) entered() uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.lanes.seq
}

// BenchmarkInboxLeave measures a delivery that joins the end of a chat's queue
// and gives up there.
func BenchmarkInboxLeave(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			in, err := NewInbox(accept)
			require.NoError(b, err)
			e := receiptIn(person(0).asPhone(0))
			for range n + 1 {
				in.enter(e)
			}
			b.ReportAllocs()
			for b.Loop() {
				in.leave(in.enter(e), &outcome{})
			}
		})
	}
}

// BenchmarkInboxNext measures the end of a turn and the begin of the next, with
// as many chats waiting for a place.
func BenchmarkInboxNext(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("chats=%d", n), func(b *testing.B) {
			in, err := NewInbox(accept, WithConcurrency(1))
			require.NoError(b, err)
			var events []*Event
			var turns []*turn
			for i := range n {
				events = append(events, receiptIn(person(i).asPhone(0)))
				turns = append(turns, in.enter(events[i]))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				in.leave(turns[i], &outcome{})
				turns[i] = in.enter(events[i])
				i = (i + 1) % n
			}
		})
	}
}
