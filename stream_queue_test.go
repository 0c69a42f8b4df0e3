package ryze

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func numberedEvent(n, size int) *Event {
	return &Event{Type: EventMessage, Data: &MessageEvent{ID: strconv.Itoa(n)}, Raw: make(json.RawMessage, size)}
}

// Whatever comes and goes, the queue stays within its bounds, delivers in
// order, and accounts for every event: taken, or dropped and told of in a gap
// at its place.
func TestQueueIsBoundedAndAccountsForEveryEvent(t *testing.T) {
	t.Parallel()
	const maxEvents, maxBytes = 50, 10_000
	for name, test := range map[string]struct {
		policy Overflow
		times  int
	}{
		"drop oldest":    {DropOldest(), 1},
		"fail":           {FailWhenFull(), 1},
		"block and drop": {BlockUpTo(time.Minute, DropOldest()), 2},
		"block and fail": {BlockUpTo(time.Minute, FailWhenFull()), 2},
	} {
		t.Run(name, func(t *testing.T) {
			q := newEventQueue("support-line", &streamConfig{bufferEvents: maxEvents, bufferBytes: maxBytes, overflow: test.policy})
			random := rand.New(rand.NewPCG(1, 2))
			now := time.Unix(1_800_000_000, 0)
			next := 0 // the number that has to come out next
			taken, outages, merged := 0, 0, 0
			drain := func(n int) {
				for range n {
					e, _, _ := q.pop()
					if e == nil {
						return
					}
					if gap, ok := e.Data.(*GapEvent); ok {
						next += gap.Dropped
						if gap.Reason == GapOutage {
							merged++ // not merged, told as it was
						}
						assert.False(t, gap.To.Before(gap.From))
						continue
					}
					require.Equal(t, strconv.Itoa(next), e.Data.(*MessageEvent).ID)
					next++
					taken++
				}
			}
			pushed := 0
			for range 50_000 {
				now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
				if random.IntN(300) == 0 {
					outages++
					gap := &GapEvent{From: now, To: now, Reason: GapOutage, Cause: errors.New("outage")}
					if q.push(&Event{Type: EventGap, Data: gap}, now) != nil {
						outages--
					}
				}
				size := random.IntN(400)
				if random.IntN(500) == 0 {
					size = 3 * maxBytes
				}
				if err := q.push(numberedEvent(pushed, size), now); err != nil {
					require.True(t, test.policy.fail)
					drain(random.IntN(2 * maxEvents))
				} else {
					pushed++
				}
				n := q.count
				require.LessOrEqual(t, n, test.times*maxEvents)
				require.True(t, q.bytes <= test.times*maxBytes || n == 1, "%d bytes in %d events", q.bytes, n)
				if random.IntN(100) == 0 {
					drain(random.IntN(2 * maxEvents))
				}
			}
			drain(1 << 20)
			assert.Equal(t, pushed, next)
			assert.Equal(t, uint64(pushed), q.received)
			assert.Equal(t, uint64(pushed-taken), q.dropped)
			assert.Zero(t, q.bytes)
			assert.Equal(t, turnList{kind: linkQueue}, q.items, "an empty queue gives its memory back")
			if test.policy.fail {
				assert.Zero(t, q.dropped)
				assert.Equal(t, outages, merged)
			} else {
				assert.NotZero(t, q.dropped)
			}
		})
	}
}

func TestOneEventIsAlwaysAccepted(t *testing.T) {
	q := newEventQueue("", &streamConfig{bufferEvents: 1, bufferBytes: 1, overflow: FailWhenFull()})
	require.NoError(t, q.push(numberedEvent(0, 1000), time.Now()))
	full := q.push(numberedEvent(1, 1), time.Now())
	require.ErrorIs(t, full, ErrOverflow)
	assert.ErrorContains(t, full, "1 events, 1000 bytes")
}

func TestGapsThatAreDroppedWidenTheGapThatIsTold(t *testing.T) {
	q := newEventQueue("support-line", &streamConfig{bufferEvents: 2, bufferBytes: 1000})
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	require.NoError(t, q.push(numberedEvent(0, 1), at(1)))
	outage := errors.New("outage")
	require.NoError(t, q.push(&Event{Type: EventGap, Data: &GapEvent{From: at(2), To: at(5), Reason: GapOutage, Cause: outage}}, at(5)))
	require.NoError(t, q.push(numberedEvent(1, 1), at(6)))
	require.NoError(t, q.push(numberedEvent(2, 1), at(7)))

	e, _, _ := q.pop()
	assert.Equal(t, EventGap, e.Type)
	assert.Equal(t, "support-line", e.Instance)
	assert.Equal(t, &GapEvent{From: at(1), To: at(5), Reason: GapOverflow, Dropped: 1, Cause: outage}, e.Data)
	for _, id := range []string{"1", "2"} {
		e, _, _ = q.pop()
		assert.Equal(t, id, e.Data.(*MessageEvent).ID)
	}
}

// Blocking gives the application time: nothing is dropped before it is over,
// and the old bounds hold afterwards.
func TestBlockingGivesTimeAndThenFollowsThePolicy(t *testing.T) {
	q := newEventQueue("", &streamConfig{bufferEvents: 10, bufferBytes: 1000, overflow: BlockUpTo(time.Minute, DropOldest())})
	now := time.Unix(1_800_000_000, 0)
	for n := range 15 {
		require.NoError(t, q.push(numberedEvent(n, 1), now))
	}
	assert.Zero(t, q.dropped)
	now = now.Add(61 * time.Second)
	require.NoError(t, q.push(numberedEvent(15, 1), now))
	assert.Equal(t, uint64(6), q.dropped)
	assert.Equal(t, 10, q.count)
	require.NoError(t, q.push(numberedEvent(16, 1), now))
	assert.Equal(t, uint64(7), q.dropped, "there is no new time until there was room")

	for range 5 {
		_, _, _ = q.pop()
	}
	for n := range 10 {
		require.NoError(t, q.push(numberedEvent(n, 1), now))
	}
	assert.Equal(t, uint64(7), q.dropped)
}

// Every consumer that waits hears of every change, so none sleeps while there is
// something that it alone can take.
func TestEveryConsumerThatWaitsHearsOfAChange(t *testing.T) {
	q := newEventQueue("", &streamConfig{bufferEvents: 2, bufferBytes: 100})
	_, over, first := q.pop()
	assert.False(t, over)
	_, _, second := q.takeTurn(false)
	isOpen := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return false
		default:
			return true
		}
	}
	assert.True(t, isOpen(first) && isOpen(second))
	for n := range 3 { // one more than there is room for, which leaves a gap
		require.NoError(t, q.push(numberedEvent(n, 1), time.Now()))
	}
	assert.False(t, isOpen(first) || isOpen(second))
	for range 3 { // the gap, and two events
		e, _, _ := q.pop()
		require.NotNil(t, e)
	}
	e, over, last := q.pop()
	assert.Nil(t, e)
	assert.False(t, over)
	q.end()
	assert.False(t, isOpen(last), "the end is for everybody")
	_, over, _ = q.pop()
	assert.True(t, over)
	_, over, _ = q.takeTurn(true)
	assert.True(t, over)
}

// pop takes the first event, which is handled at once.
func (q *eventQueue) pop() (e *Event, over bool, changed <-chan struct{}) {
	t, over, changed := q.takeFirst()
	if t == nil {
		return nil, over, changed
	}
	q.hasHandled(t)
	return t.event, over, changed
}
