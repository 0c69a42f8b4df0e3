package ryze

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func textEvent(id string) *Event {
	return &Event{Type: EventMessage, Instance: "shop", Data: &MessageEvent{ID: id, Text: "hi"}}
}

func TestEventIsHandledOnceHoweverOftenItIsDelivered(t *testing.T) {
	d := NewDeduper(nil)
	calls := 0
	handle := d.Wrap(func(context.Context, *Event) error { calls++; return nil })
	for range 3 {
		require.NoError(t, handle(t.Context(), textEvent("1")))
	}
	require.NoError(t, handle(t.Context(), textEvent("2")))
	assert.Equal(t, 2, calls)

	handled, err := d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { panic("again") })
	require.NoError(t, err)
	assert.False(t, handled)
}

func TestEventWhoseHandlingFailedIsHandledAgain(t *testing.T) {
	d := NewDeduper(nil)
	broken := errors.New("broken")
	handled, err := d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { return broken })
	require.Equal(t, broken, err)
	assert.False(t, handled)
	assert.PanicsWithValue(t, "boom", func() {
		_, _ = d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { panic("boom") })
	})
	handled, err = d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { return nil })
	require.NoError(t, err)
	assert.True(t, handled)
}

// remoteStore honours the context, as a store across a network does.
type remoteStore struct{ MemoryDedupe }

func (s *remoteStore) Claim(ctx context.Context, key string) (DedupeClaim, error) {
	return s.ClaimBefore(ctx, key, context.Context.Err, context.Context.Err)
}

func TestOutcomeIsRecordedAlthoughTheContextEnded(t *testing.T) {
	d := NewDeduper(&remoteStore{})
	ctx, cancel := context.WithCancel(t.Context())
	handled, err := d.Do(ctx, textEvent("done"), func(context.Context, *Event) error { cancel(); return nil })
	require.NoError(t, err)
	assert.True(t, handled)
	handled, err = d.Do(t.Context(), textEvent("done"), func(context.Context, *Event) error { return nil })
	require.NoError(t, err)
	assert.False(t, handled)

	ctx, cancel = context.WithCancel(t.Context())
	_, err = d.Do(ctx, textEvent("failed"), func(ctx context.Context, _ *Event) error { cancel(); return ctx.Err() })
	require.Equal(t, context.Canceled, err, "and nothing of the store")
	handled, err = d.Do(t.Context(), textEvent("failed"), func(context.Context, *Event) error { return nil })
	require.NoError(t, err)
	assert.True(t, handled)
}

func TestEventInProgressIsNeitherHandledNorAcknowledged(t *testing.T) {
	d := NewDeduper(nil)
	_, err := d.Do(t.Context(), textEvent("1"), func(ctx context.Context, e *Event) error {
		handled, err := d.Do(ctx, e, func(context.Context, *Event) error { panic("twice at once") })
		assert.False(t, handled)
		require.ErrorIs(t, err, ErrInProgress)
		return nil
	})
	require.NoError(t, err)
}

func TestEventsThatDoNotTellTheirOccurrenceAlwaysPass(t *testing.T) {
	d := NewDeduper(nil)
	for name, e := range map[string]*Event{
		"gap":            {Type: EventGap, Data: &GapEvent{From: time.Unix(1, 0), To: time.Unix(2, 0)}},
		"label":          parse(t, fixture(t, "other/label_chat")),
		"call":           parse(t, fixture(t, "other/call_by_type")),
		"unknown":        parse(t, fixture(t, "other/unknown")),
		"empty message":  parse(t, message(`{}`)),
		"empty receipts": {Type: EventReceipt, Data: &ReceiptEvent{}},
	} {
		if m, ok := e.Data.(*MessageEvent); ok {
			m.ID = ""
		}
		for range 2 {
			handled, err := d.Do(t.Context(), e, func(context.Context, *Event) error { return nil })
			require.NoError(t, err)
			assert.True(t, handled, name)
		}
	}
	for _, in := range []string{
		`{"event":"new","data":{"timestamp":1777372200}}`,
		`{"event":"label.update","data":{"timestamp":1777372200}}`,
	} {
		for i := range 2 {
			handled, err := d.Do(t.Context(), parse(t, []byte(in)), func(context.Context, *Event) error { return nil })
			require.NoError(t, err)
			assert.Equal(t, i == 0, handled, in)
		}
	}
}

// brokenStore fails where it is told to.
type brokenStore struct {
	MemoryDedupe
	claim, commit, release error
}

func (s *brokenStore) Claim(ctx context.Context, key string) (DedupeClaim, error) {
	if s.claim != nil {
		return nil, s.claim
	}
	return s.ClaimBefore(ctx, key, func(context.Context) error { return s.commit }, func(context.Context) error { return s.release })
}

func TestStoreThatFails(t *testing.T) {
	down := errors.New("store is down")
	ok := func(context.Context, *Event) error { return nil }

	d := NewDeduper(&brokenStore{claim: down})
	handled, err := d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { panic("handled without a claim") })
	require.ErrorIs(t, err, down)
	assert.False(t, handled)
	require.ErrorIs(t, d.Wrap(ok)(t.Context(), textEvent("1")), down, "the event must be delivered again")

	d = NewDeduper(&brokenStore{commit: down})
	handled, err = d.Do(t.Context(), textEvent("1"), ok)
	require.ErrorIs(t, err, down)
	assert.True(t, handled)
	require.NoError(t, d.Wrap(ok)(t.Context(), textEvent("2")), "a redelivery would repeat what is done")

	d = NewDeduper(&brokenStore{release: down})
	broken := errors.New("broken")
	_, err = d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { return broken })
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, err, down)
}

func TestClaimsLapseAndCommitsAreForgottenAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := MemoryDedupe{Window: time.Hour, Lease: time.Minute}
		claim := func() DedupeClaim {
			c, err := m.Claim(t.Context(), "k")
			require.NoError(t, err)
			return c
		}
		first := claim()
		require.NotNil(t, first)
		time.Sleep(time.Minute - 1)
		_, err := m.Claim(t.Context(), "k")
		require.ErrorIs(t, err, ErrInProgress)
		time.Sleep(time.Nanosecond)
		second := claim()
		require.NotNil(t, second, "the worker is taken for dead")

		require.ErrorIs(t, first.Release(t.Context()), ErrClaimLost)
		require.ErrorIs(t, first.Commit(t.Context()), ErrClaimLost)
		_, err = m.Claim(t.Context(), "k")
		require.ErrorIs(t, err, ErrInProgress, "the second is at it")
		require.NoError(t, second.Commit(t.Context()))
		require.ErrorIs(t, first.Commit(t.Context()), ErrClaimLost)
		require.ErrorIs(t, second.Release(t.Context()), ErrClaimLost)
		time.Sleep(time.Hour - 1)
		require.Nil(t, claim())
		time.Sleep(time.Nanosecond)
		third := claim()
		require.NotNil(t, third)
		require.NoError(t, third.Release(t.Context()))
		require.NotNil(t, claim(), "released")
	})
}

// The worker whose lease has passed is told, and the work of the other counts.
func TestWorkerWhoseLeaseHasPassedIsToldWhenAnotherHasTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDeduper(&MemoryDedupe{Lease: time.Minute})
		other := func(ctx context.Context, _ *Event) error { time.Sleep(2 * time.Minute); return ctx.Err() }
		began := time.Now()
		handled, err := d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error {
			time.Sleep(time.Minute)
			go func() { _, _ = d.Do(t.Context(), textEvent("1"), other) }()
			time.Sleep(time.Second)
			return nil
		})
		assert.True(t, handled)
		require.ErrorIs(t, err, ErrClaimLost)
		_, err = d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { panic("twice at once") })
		require.ErrorIs(t, err, ErrInProgress)
		time.Sleep(time.Until(began.Add(3 * time.Minute)))
		synctest.Wait()
		handled, err = d.Do(t.Context(), textEvent("1"), func(context.Context, *Event) error { panic("again") })
		require.NoError(t, err)
		assert.False(t, handled)
	})
}

func TestMemoryDedupeKeepsTheLatestKeysAndNotMoreThanTwice(t *testing.T) {
	m := MemoryDedupe{Size: 100}
	for i := range 1050 {
		claim, err := m.Claim(t.Context(), fmt.Sprint(i))
		require.NoError(t, err)
		require.NotNil(t, claim)
		require.NoError(t, claim.Commit(t.Context()))
		require.LessOrEqual(t, len(m.keys.young)+len(m.keys.old), 200)
	}
	for i := 950; i < 1050; i++ {
		claim, err := m.Claim(t.Context(), fmt.Sprint(i))
		require.NoError(t, err)
		require.Nil(t, claim, i)
	}
	claim, err := m.Claim(t.Context(), "0")
	require.NoError(t, err)
	assert.NotNil(t, claim)
}

func TestMemoryDedupeHonoursTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var m MemoryDedupe
	_, err := m.Claim(ctx, "k")
	require.ErrorIs(t, err, context.Canceled)
	claim, err := m.Claim(t.Context(), "k")
	require.NoError(t, err)
	assert.NotNil(t, claim)
}

func TestOneOfManyWorkersHandlesAnEvent(t *testing.T) {
	d := NewDeduper(nil)
	var calls atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				_, err := d.Do(t.Context(), textEvent(fmt.Sprint(i)), func(context.Context, *Event) error {
					calls.Add(1)
					return nil
				})
				if err != nil && !errors.Is(err, ErrInProgress) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 200, calls.Load())
}

// The same reaction or receipt has one key, whichever address of its chat and
// of its sender came.
func TestKeyDoesNotDependOnWhichAddressOfAPersonCame(t *testing.T) {
	p, l := person(1).asPhone(0), person(1).asLID(0)
	q, m := person(2).asPhone(0), person(2).asLID(0)
	at := time.Unix(1_777_372_200, 0)
	reaction := func(id string, d Direction, chat EventChat, sender EventUser) string {
		return (&Event{Type: EventMessage, Data: &MessageEvent{
			ID: id, Direction: d, Timestamp: at, Chat: chat, Sender: sender, Reaction: &EventReaction{TargetID: "target", Emoji: "x"},
		}}).DedupeKey()
	}
	both, group := EventChat{JID: p, LID: l}, EventChat{JID: "120363000000000001@g.us"}

	want := reaction("r", DirectionIncoming, both, EventUser{JID: p, LID: l})
	for _, chat := range []EventChat{both, {JID: p}, {JID: l, LID: l}, {LID: l}, {JID: l, LID: p}} {
		for _, sender := range []EventUser{{JID: p, LID: l}, {JID: p}, {JID: l, LID: l}, {LID: l}, {}} {
			assert.Equal(t, want, reaction("r", DirectionIncoming, chat, sender), "%v %v", chat, sender)
		}
	}
	assert.Equal(t, reaction("r", "", group, EventUser{JID: q, LID: m}), reaction("r", "", group, EventUser{JID: m, LID: m}))
	assert.NotEqual(t, want, reaction("s", DirectionIncoming, both, EventUser{JID: p, LID: l}))

	for _, id := range []string{"", "target"} { // no id of its own
		want := reaction(id, DirectionIncoming, both, EventUser{JID: p, LID: l})
		for _, sender := range []EventUser{{JID: p}, {JID: l, LID: l}, {}} {
			assert.Equal(t, want, reaction(id, DirectionIncoming, both, sender), "a private chat has one other side")
			assert.Equal(t, want, reaction(id, DirectionIncoming, EventChat{JID: p}, sender))
			assert.Equal(t, want, reaction(id, DirectionIncoming, EventChat{JID: l, LID: p}, sender))
		}
		assert.NotEqual(t, want, reaction(id, DirectionOutgoing, both, EventUser{JID: q}), "the other side")
		inGroup := reaction(id, DirectionIncoming, group, EventUser{JID: q, LID: m})
		assert.Equal(t, inGroup, reaction(id, DirectionIncoming, group, EventUser{JID: q}))
		assert.Equal(t, inGroup, reaction(id, DirectionIncoming, group, EventUser{JID: m, LID: q}), "the other way round")
		assert.NotEqual(t, inGroup, reaction(id, DirectionIncoming, group, EventUser{JID: p}), "another member")
	}

	receipt := func(chat EventChat, recipient JID) string {
		return (&Event{Type: EventReceipt, Data: &ReceiptEvent{MessageIDs: []string{"1"}, Status: StatusRead, Timestamp: at, Chat: chat, Recipient: recipient}}).DedupeKey()
	}
	want = receipt(both, p)
	for _, chat := range []EventChat{both, {JID: p}, {JID: l, LID: p}} {
		for _, recipient := range []JID{p, l, ""} {
			assert.Equal(t, want, receipt(chat, recipient), "%v %v", chat, recipient)
		}
	}
	assert.NotEqual(t, want, receipt(both, q))
	assert.NotEqual(t, receipt(group, p), receipt(group, q))
	assert.NotEqual(t, receipt(EventChat{JID: StatusBroadcast}, p), receipt(EventChat{JID: StatusBroadcast}, q))
}

// BenchmarkMemoryDedupe measures one event with as many keys remembered.
func BenchmarkMemoryDedupe(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			m := MemoryDedupe{Size: n}
			keys := make([]string, 4*n)
			for i := range keys {
				keys[i] = fmt.Sprint(i)
				_, _ = m.Claim(b.Context(), keys[i])
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if claim, _ := m.Claim(b.Context(), keys[i]); claim != nil {
					_ = claim.Commit(b.Context())
				}
				i = (i + 1) % len(keys)
			}
		})
	}
}
