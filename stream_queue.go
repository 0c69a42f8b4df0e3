package ryze

import (
	"fmt"
	"sync"
	"time"
)

// ErrOverflow ends a stream with [FailWhenFull] when its queue is full.
var ErrOverflow = sentinel("the queue of events is full")

// eventQueue is the bounded queue between the reader and the application. It
// takes no memory while it is empty. It is emptied either from its front
// ([eventQueue.takeFirst]) or by lanes ([eventQueue.takeTurn]); every operation
// takes constant time.
type eventQueue struct {
	instance  string
	maxEvents int
	maxBytes  int
	overflow  Overflow

	mu      sync.Mutex
	changed chan struct{} // closed when there may be something to take; nil when nobody waits
	items   turnList
	count   int
	bytes   int
	over    time.Time // since when it has been over its bounds, if it may be
	ended   bool
	// lost is the gap in front of the first item, left by what was dropped.
	lost *GapEvent

	// For [Subscription.WholeUntil], in Unix nanoseconds.
	whole     int64    // of what is pushed now
	lostWhole int64    // of lost
	unhandled int64    // of the first that was taken and not handled, 0 for none
	underWay  turnList // taken, and perhaps handled
	delivered *turn    // the last that was given to the channel of Events

	// For those who take by lanes. Nothing is put into lanes before there is one.
	lanes  lanes
	sorted bool     // everything before rest is in its lane
	rest   *turn    // the first that is not, nil for none
	front  *section // the one under way
	back   *section
	inGap  bool // a gap is being handled

	received, dropped uint64
	last              time.Time // when the last event came
}

func newEventQueue(instance string, c *streamConfig) eventQueue {
	first := newSection(nil)
	return eventQueue{
		instance: instance, maxEvents: c.bufferEvents, maxBytes: c.bufferBytes, overflow: c.overflow,
		items: turnList{kind: linkQueue}, underWay: turnList{kind: linkQueue}, front: first, back: first,
	}
}

// signal wakes everybody who waits for a change.
func (q *eventQueue) signal() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wake()
}

func (q *eventQueue) wake() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// watch returns what is closed at the next change.
func (q *eventQueue) watch() <-chan struct{} {
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return q.changed
}

// len is how many events wait.
func (q *eventQueue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// push adds an event at the end. It fails, with [ErrOverflow], only under
// [FailWhenFull].
func (q *eventQueue) push(e *Event, now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := len(e.Raw)
	times := q.allowance(size, now)
	for !q.fits(size, times) {
		if q.overflow.fail {
			return fmt.Errorf("%w: %d events, %d bytes, have not been taken", ErrOverflow, q.count, q.bytes)
		}
		q.dropFirst()
	}
	t := &turn{event: e, size: size, at: now.UnixNano(), whole: q.whole}
	q.items.push(t)
	q.count++
	q.bytes += size
	q.note(e, now)
	if q.sorted && q.rest == nil {
		q.sort(t)
	}
	q.wake()
	return nil
}

// note counts an event that has come.
func (q *eventQueue) note(e *Event, now time.Time) {
	if e.Type != EventGap {
		q.received++
		q.last = now
	}
}

// allowance returns how many times its bounds the queue may hold.
func (q *eventQueue) allowance(size int, now time.Time) int {
	if q.overflow.wait == 0 || q.fits(size, 1) {
		return 1
	}
	if q.over.IsZero() {
		q.over = now
	}
	if now.Sub(q.over) > q.overflow.wait {
		return 1
	}
	return 2
}

func (q *eventQueue) fits(size, times int) bool {
	return q.count == 0 || q.count < q.maxEvents*times && q.bytes+size <= q.maxBytes*times
}

// dropFirst drops the first item and widens the gap in front of the queue by it.
func (q *eventQueue) dropFirst() {
	first := q.items.head
	q.remove(first)
	if q.lost == nil {
		q.lostWhole = first.whole
	}
	if first.lane != nil {
		q.lanes.leave(first)
	}
	if gap, ok := first.event.Data.(*GapEvent); ok {
		if q.lost == nil {
			lost := *gap
			q.lost = &lost
			return
		}
		q.lost.To = gap.To
		q.lost.Cause = gap.Cause
		return
	}
	q.dropped++
	at := time.Unix(0, first.at).UTC()
	if q.lost == nil {
		q.lost = &GapEvent{From: at}
	}
	q.lost.To = at
	q.lost.Reason = GapOverflow
	q.lost.Dropped++
}

// remove takes an item out of the queue. Its lane is not concerned.
func (q *eventQueue) remove(t *turn) {
	if q.rest == t {
		q.rest = t.links[linkQueue].next
	}
	q.items.remove(t)
	q.count--
	q.bytes -= t.size
	if s := t.section; s != nil && s.gap == t {
		// A gap leaves from the front of the queue only, so the sections before
		// it are empty.
		s.gap, q.front = nil, s
	}
}

// hasTaken is remove for somebody who takes, which makes room.
func (q *eventQueue) hasTaken(t *turn) {
	q.remove(t)
	if q.fits(0, 1) {
		q.over = time.Time{}
	}
}

// takeFirst removes the first event of all. It returns nil, and what to wait
// for, when there is none, and over when there never will be. Call hasHandled
// when it has been handled.
func (q *eventQueue) takeFirst() (t *turn, over bool, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t = q.takeLost(); t == nil {
		if t = q.items.head; t == nil {
			return nil, q.ended, q.watch()
		}
		q.hasTaken(t)
		if t.lane != nil {
			q.lanes.leave(t)
		}
	}
	q.underWay.push(t)
	return t, false, nil
}

// takeLost takes the gap in front of the first item, nil for none.
func (q *eventQueue) takeLost() *turn {
	if q.lost == nil {
		return nil
	}
	gap := &Event{Type: EventGap, Instance: q.instance, Data: q.lost}
	q.lost = nil
	return &turn{event: gap, whole: q.lostWhole}
}

// takeTurn removes an event whose lane is free, the longest waiting first, or
// the gap whose turn has come. It must be ended. With inOrder only the first
// event of all is considered.
func (q *eventQueue) takeTurn(inOrder bool) (t *turn, over bool, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t = q.choose(inOrder)
	if t == nil {
		return nil, q.ended && q.count == 0 && q.lost == nil, q.watch()
	}
	if t.event.Type == EventGap {
		q.inGap = true
	}
	if t.lane != nil {
		q.lanes.begin(t)
	}
	q.underWay.push(t)
	return t, false, nil
}

func (q *eventQueue) choose(inOrder bool) *turn {
	if q.inGap {
		return nil
	}
	if t := q.takeLost(); t != nil {
		return t
	}
	t := q.items.head
	switch {
	case t == nil || t == q.rest:
		return nil
	case t.event.Type == EventGap:
	case inOrder && !t.isOffered():
		return nil
	case !inOrder:
		if t = q.front.ready.head; t == nil {
			return nil
		}
	}
	q.hasTaken(t)
	return t
}

// endTurn ends a turn that was taken.
func (q *eventQueue) endTurn(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handled(t)
	if t.event.Type == EventGap {
		q.inGap = false
	}
	if t.lane != nil {
		q.lanes.leave(t)
	}
	q.wake()
}

// sort puts an event into its lane. It is called for one after another.
func (q *eventQueue) sort(t *turn) {
	if t.event.Type == EventGap {
		t.section = newSection(t)
		q.back = t.section
		return
	}
	t.section = q.back
	t.offers = &t.section.ready
	q.lanes.enter(t)
}

// sortedAtOnce is how many events are put into lanes before the reader may add
// another.
const sortedAtOnce = 256

// sortAll puts events into lanes from now on, for somebody who takes by lanes.
func (q *eventQueue) sortAll() {
	q.mu.Lock()
	if !q.sorted {
		q.sorted, q.rest = true, q.items.head
	}
	q.mu.Unlock()
	for q.sortSome() {
	}
}

// sortSome puts some of the events that came before sortAll into their lanes, and reports whether there are more.
func (q *eventQueue) sortSome() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range sortedAtOnce {
		t := q.rest
		if t == nil {
			break
		}
		q.rest = t.links[linkQueue].next
		q.sort(t)
	}
	if q.rest == nil {
		q.wake()
	}
	return q.rest != nil
}

// end lets the queue run dry.
func (q *eventQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.wake()
}

// setWhole notes until when the stream is whole while what comes now is not
// handled.
func (q *eventQueue) setWhole(t time.Time) {
	moment := int64(1) // for what is too long ago to be counted
	if t.Unix() > 0 {
		moment = t.UnixNano()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.whole = moment
}

// handledUntil returns until when everything has been handled, of a stream of
// which everything was received until a moment. Both are Unix nanoseconds.
func (q *eventQueue) handledUntil(moment int64) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.items.head; t != nil { // what came later has a later one
		moment = min(moment, t.whole)
	}
	if q.lost != nil {
		moment = min(moment, q.lostWhole)
	}
	if q.unhandled != 0 {
		moment = min(moment, q.unhandled)
	}
	for t := q.underWay.head; t != nil; t = t.links[linkQueue].next {
		moment = min(moment, t.whole)
	}
	return moment
}

// handled notes that what was taken is not under way any more.
func (q *eventQueue) handled(t *turn) {
	q.underWay.remove(t)
	if t.undone && (q.unhandled == 0 || t.whole < q.unhandled) {
		q.unhandled = t.whole
	}
}

// hasHandled is handled for who took by takeFirst.
func (q *eventQueue) hasHandled(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handled(t)
}

// handOver notes that somebody has taken an event from the channel of Events. He
// has handled the one before.
func (q *eventQueue) handOver(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.delivered != nil {
		q.handled(q.delivered)
	}
	q.delivered = t
}
