package ryze

import (
	"slices"
	"sync"
	"time"
)

func orDefault[T int | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// generations is a map that forgets: when the young half is full, the old half
// is dropped and the young one becomes the old one. The latest limit keys
// are always there, and never more than twice as many.
type generations[K comparable, V any] struct {
	young, old map[K]V
}

func (g *generations[K, V]) get(key K) (V, bool) {
	if v, ok := g.young[key]; ok {
		return v, true
	}
	v, ok := g.old[key]
	return v, ok
}

func (g *generations[K, V]) put(key K, v V, limit int) {
	if _, ok := g.young[key]; !ok && len(g.young) >= limit {
		g.old, g.young = g.young, nil
	}
	if g.young == nil {
		g.young = make(map[K]V)
	}
	g.young[key] = v
	delete(g.old, key)
}

func (g *generations[K, V]) remove(key K) {
	delete(g.young, key)
	delete(g.old, key)
}

const (
	// mostRecentIDs is how many of the last ids [recentIDs] keeps at least.
	mostRecentIDs = 4096
	idsPerChunk   = 256
)

// recentIDs remembers the last messages that were accepted, so that none of
// them is taken for one whose outcome is unknown. It keeps them in chunks that
// snapshots share, so that an outage with thousands of uncertain sends does not
// hold thousands of copies.
type recentIDs struct {
	mu        sync.Mutex
	chunks    []*idChunk
	total     int       // ids ever added
	forgotten time.Time // when the last of those that are dropped was accepted
	clock     stampClock
}

type idChunk struct {
	ids  [idsPerChunk]string
	last time.Time // when the last id was added
}

// add notes an accepted message, and compares the time that the service gave to
// it, if it did, with our clock: the send began then, and is over now.
func (r *recentIDs) add(id string, stamp, began time.Time) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.total % idsPerChunk
	if at == 0 {
		if len(r.chunks) > mostRecentIDs/idsPerChunk {
			r.forgotten = r.chunks[0].last
			r.chunks = slices.Delete(r.chunks, 0, 1)
		}
		r.chunks = append(r.chunks, new(idChunk))
	}
	c := r.chunks[len(r.chunks)-1]
	c.ids[at] = id
	c.last = latest(c.last, now)
	r.total++
	if !stamp.IsZero() {
		r.clock.observe(stamp, began, now)
	}
}

func (r *recentIDs) snapshot() recentSnapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return recentSnapshot{chunks: slices.Clone(r.chunks), total: r.total, forgotten: r.forgotten}
}

// stamps returns what is known of the clock that stamps messages.
func (r *recentIDs) stamps() stampClock {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

// recentSnapshot is what [recentIDs] knew at one moment.
type recentSnapshot struct {
	chunks    []*idChunk
	total     int
	forgotten time.Time
}

func (s recentSnapshot) each(visit func(id string)) {
	for i, c := range s.chunks {
		n := idsPerChunk
		if i == len(s.chunks)-1 {
			n = (s.total-1)%idsPerChunk + 1 // what came later is not ours to read
		}
		for _, id := range c.ids[:n] {
			visit(id)
		}
	}
}

// reaches reports whether no id is missing between this snapshot and a later one.
func (s recentSnapshot) reaches(later recentSnapshot) bool {
	return later.total-s.total <= mostRecentIDs
}

// stampClock learns how far the clock that stamps messages is ahead of ours. A
// stamp is cut to the second and lies between the begin and the end of the call,
// so each send gives a lower and an upper bound.
type stampClock struct {
	bounds [16]struct{ low, high time.Duration }
	n      int
}

func (c *stampClock) observe(stamp, began, ended time.Time) {
	b := &c.bounds[c.n%len(c.bounds)]
	b.low, b.high = stamp.Sub(ended.Round(0)), stamp.Sub(began.Round(0))
	c.n++
}

// span returns the smallest lower bound, the largest, and the largest upper
// bound: servers may have clocks of their own.
func (c *stampClock) span() (lowest, low, high time.Duration, known bool) {
	for i, b := range c.bounds[:min(c.n, len(c.bounds))] {
		if i == 0 {
			lowest, low, high = b.low, b.low, b.high
		}
		lowest, low, high = min(lowest, b.low), max(low, b.low), max(high, b.high)
	}
	return lowest, low, high, c.n > 0
}
