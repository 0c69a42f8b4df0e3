package ryzetest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestSuiteFindsFlawsOfChatLocks(t *testing.T) {
	t.Parallel()
	findsFlaws(t, map[string]string{
		"never grants":                  "a free chat is locked at once",
		"grants everything":             "who comes second waits until the lock is given back",
		"has one lock for all":          "chats do not touch each other",
		"looks at the first key alone":  "all keys are locked",
		"waits for one key":             "who waits for several keys waits for all of them",
		"takes keys as it likes":        "keys that overlap never lock each other out",
		"serves the last first":         "first come, first served",
		"serves single keys first":      "first come, first served, also when keys overlap",
		"does not tell of places":       "a place is told as soon as it is had",
		"waits for ever":                "a wait ends with its context",
		"leaves its places":             "who has stopped waiting leaves no trace",
		"looks at the context too late": "a context that has ended locks nothing",
		"fails to unlock again":         "Unlock is done once",
		"unlocks the key":               "a lock that was given back touches no later one",
		"hangs":                         "no call hangs when its context has ended",
		"loses locks with the lease":    "a lock holds longer than a lease",
		"drops places with the lease":   "a place is kept longer than a lease",
		"does not tell of a loss":       "a lock that is lost is told",
		"unlocks what was lost":         "a lock that is lost is told",
		"keeps the locks of the dead":   "the lock of a dead process passes",
		"keeps the places of the dead":  "the places of a dead process pass",
	}, func(t *testing.T, flaw string) {
		t.Helper()
		runLockServer(t, flaw, inBubble)
	})
}

// A server that several processes share can keep all rules.
func TestRulesOfChatLocksCanBeKept(t *testing.T) { runLockServer(t, "", synctest.Test) }

func runLockServer(t *testing.T, flaw string, within func(*testing.T, func(*testing.T))) {
	t.Helper()
	server := &lockServer{flaw: flaw}
	ryzetest.TestChatLocks(t, func() ryze.ChatLocks { return &serverLocks{lockServer: server} }, ryzetest.ChatLockRules{
		Lease: shortTimes.Lease, Shared: true, Within: within,
		Pause: func(locks ryze.ChatLocks) { locks.(*serverLocks).pause() },
	})
}

// lockServer has the lines of all keys, as one list.
type lockServer struct {
	flaw string

	mu    sync.Mutex
	lines []*serverPlace
}

// serverLocks are the locks of one process.
type serverLocks struct {
	*lockServer

	paused time.Time // zero for never
}

// serverPlace is a lock, or waits to become one.
type serverPlace struct {
	of       *serverLocks
	keys     []string
	came     time.Time
	locked   time.Time
	lost     chan struct{}
	unlocked bool
}

// isDead reports whether the lease of the place's process has passed.
func (p *serverPlace) isDead() bool {
	lease := shortTimes.Lease
	switch {
	case p.of.flaw == "loses locks with the lease" && !p.locked.IsZero() && time.Since(p.locked) > lease,
		p.of.flaw == "drops places with the lease" && p.locked.IsZero() && time.Since(p.came) > lease:
		return true
	case p.of.paused.IsZero() || time.Since(p.of.paused) < lease,
		p.of.flaw == "keeps the locks of the dead" && !p.locked.IsZero(),
		p.of.flaw == "keeps the places of the dead" && p.locked.IsZero():
		return false
	}
	return true
}

func (l *serverLocks) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paused = time.Now()
	if l.flaw == "does not tell of a loss" {
		return
	}
	for _, p := range l.lines {
		if p.of == l {
			time.AfterFunc(shortTimes.Lease*9/10, func() { close(p.lost) })
		}
	}
}

// isFirst reports whether nobody that counts stands before a place.
func (l *serverLocks) isFirst(p *serverPlace) bool {
	free := 0
	for _, key := range p.keys {
		before := slices.ContainsFunc(l.lines[:slices.Index(l.lines, p)], func(q *serverPlace) bool {
			switch {
			case l.flaw == "has one lock for all":
				return true
			case l.flaw == "looks at the first key alone":
				return q.keys[0] == p.keys[0]
			case l.flaw == "serves single keys first" && len(p.keys) == 1 && len(q.keys) > 1 && q.locked.IsZero():
				return false
			}
			return slices.Contains(q.keys, key)
		})
		if l.flaw == "serves the last first" {
			before = slices.ContainsFunc(l.lines, func(q *serverPlace) bool {
				return q != p && slices.Contains(q.keys, key) && (!q.locked.IsZero() || q.came.After(p.came))
			})
		}
		if !before {
			free++
		}
	}
	return free == len(p.keys) || l.flaw == "waits for one key" && free > 0
}

func (l *serverLocks) take(p *serverPlace) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = slices.DeleteFunc(l.lines, func(q *serverPlace) bool { return q != p && q.isDead() })
	if !slices.Contains(l.lines, p) || !l.paused.IsZero() || p.isDead() || l.flaw == "never grants" {
		return false
	}
	if l.flaw == "grants everything" || l.isFirst(p) {
		p.locked = time.Now()
		return true
	}
	return false
}

func (l *serverLocks) Lock(ctx context.Context, keys []string, queued func()) (ryze.ChatLock, error) {
	if l.flaw == "takes keys as it likes" && len(keys) > 1 {
		return l.lockEach(ctx, keys, queued)
	}
	if err := ctx.Err(); err != nil && l.flaw != "looks at the context too late" {
		return nil, err
	}
	p := &serverPlace{of: l, keys: keys, came: time.Now(), lost: make(chan struct{})}
	l.mu.Lock()
	l.lines = append(l.lines, p)
	l.mu.Unlock()
	if l.flaw != "does not tell of places" {
		queued()
	}
	for !l.take(p) {
		select {
		case <-ctx.Done():
			if l.flaw == "waits for ever" {
				time.Sleep(time.Minute)
			}
			if l.flaw != "leaves its places" {
				l.remove(p)
			}
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return p, nil
}

// lockEach locks one key after the other, from the front or from the back.
func (l *serverLocks) lockEach(ctx context.Context, keys []string, queued func()) (ryze.ChatLock, error) {
	keys = slices.Clone(keys)
	l.mu.Lock()
	if l.paused.IsZero() && len(l.lines)%2 == 0 {
		slices.Reverse(keys)
	}
	l.mu.Unlock()
	queued()
	var all manyLocks
	for _, key := range keys {
		lock, err := l.Lock(ctx, []string{key}, queued)
		if err != nil {
			_ = all.Unlock(ctx)
			return nil, err
		}
		time.Sleep(time.Millisecond)
		all = append(all, lock)
	}
	return all, nil
}

type manyLocks []ryze.ChatLock

func (m manyLocks) Lost() <-chan struct{} { return m[0].Lost() }

func (m manyLocks) Unlock(ctx context.Context) (err error) {
	for _, lock := range m {
		err = errors.Join(err, lock.Unlock(ctx))
	}
	return err
}

func (l *serverLocks) remove(p *serverPlace) (found bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flaw == "unlocks the key" {
		if i := slices.IndexFunc(l.lines, func(q *serverPlace) bool { return slices.Equal(q.keys, p.keys) }); i >= 0 {
			l.lines = slices.Delete(l.lines, i, i+1)
		}
		return true
	}
	i := slices.Index(l.lines, p)
	if i < 0 || p.isDead() {
		return false
	}
	l.lines = slices.Delete(l.lines, i, i+1)
	return true
}

func (p *serverPlace) Lost() <-chan struct{} { return p.lost }

func (p *serverPlace) Unlock(ctx context.Context) error {
	if p.of.flaw == "hangs" && ctx.Err() != nil {
		time.Sleep(time.Minute)
	}
	if p.unlocked && p.of.flaw != "unlocks the key" {
		if p.of.flaw == "fails to unlock again" {
			return ryze.ErrChatLockLost
		}
		return nil
	}
	if !p.of.remove(p) && p.of.flaw != "unlocks what was lost" {
		return ryze.ErrChatLockLost
	}
	p.unlocked = true
	return nil
}
