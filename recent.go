package ryze

import "time"

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
