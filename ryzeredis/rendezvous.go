package ryzeredis

import "hash/fnv"

// ownerOf returns the worker that should hold an instance: the one with the
// highest score for it. When a worker comes or goes, only its own instances
// move. It returns "" when there are no workers.
func ownerOf(instance string, workers []string) (owner string) {
	var best uint64
	for _, w := range workers {
		score := scoreOf(w, instance)
		if owner == "" || score > best || score == best && w < owner {
			owner, best = w, score
		}
	}
	return owner
}

func scoreOf(worker, instance string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(worker))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(instance))
	x := h.Sum64() // FNV's high bits hardly change with the last bytes
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
