package ryzetest_test

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestSuiteFindsFlawsOfADedupeStore(t *testing.T) {
	findsFlaws(t, map[string]string{
		"grants nothing":                "the first claim is granted",
		"grants everything":             "a second claim is in progress",
		"takes a claim for done":        "a second claim is in progress",
		"does not commit":               "a committed key has been done",
		"does not release":              "a released key can be claimed again",
		"deletes what is committed":     "Release does not touch a committed key",
		"remembers a failure for ever":  "a key that failed and then was done stays done",
		"releases every key":            "keys do not touch each other",
		"takes A for a":                 "keys do not touch each other",
		"cuts keys":                     "keys do not touch each other",
		"looks and takes in two steps":  "of many claims at once exactly one is granted",
		"ignores the context":           "a claim whose context has ended is not granted",
		"claims and looks at the clock": "a claim whose context has ended is not granted",
		"hangs":                         "no call hangs when its context has ended",
		"keeps claims for ever":         "a claim passes with its lease",
		"prolongs at every claim":       "a refused claim does not prolong the lease",
		"counts the lease from before":  "a released key has a whole lease again",
		"forgets with the lease":        "a committed key is remembered longer than a lease",
		"wants the claim to commit":     "a commit after the lease counts",
		"remembers for ever":            "a committed key is forgotten with its window",
		"keeps what was refused":        "a refused claim takes nothing from its holder",
		"deletes any claim":             "a release by who has no claim does not touch that of another",
		"deletes the claim of another":  "a late release does not touch the claim of another",
		"releases when late to commit":  "a late commit lets nobody in",
	}, func(t *testing.T, flaw string) {
		t.Helper()
		rules := shortTimes
		rules.Shared, rules.Within = true, inBubble
		var server *keyServer
		ryzetest.TestDedupeStore(t, func() ryze.DedupeStore {
			if server == nil {
				server = &keyServer{keys: make(map[string]keyEntry)}
			}
			return &serverStore{server: server, flaw: flaw, mine: make(map[string]string), first: make(map[string]time.Time)}
		}, rules)
	})
}

// The recipe in the documentation of DedupeStore, by a server that two processes
// share.
func TestRecipeForAServerKeepsTheRules(t *testing.T) {
	rules := shortTimes
	rules.Shared, rules.Within = true, synctest.Test
	server := &keyServer{keys: make(map[string]keyEntry)}
	ryzetest.TestDedupeStore(t, func() ryze.DedupeStore {
		return &serverStore{server: server, mine: make(map[string]string), first: make(map[string]time.Time)}
	}, rules)
}

// keyServer is what the recipe needs of a server of keys and values.
type keyServer struct {
	mu   sync.Mutex
	keys map[string]keyEntry
}

type keyEntry struct {
	value string
	until time.Time
}

func (s *keyServer) get(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.keys[key]; time.Now().Before(e.until) {
		return e.value
	}
	return ""
}

func (s *keyServer) set(key, value string, expiry time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[key] = keyEntry{value, time.Now().Add(expiry)}
}

func (s *keyServer) setIfAbsent(key, value string, expiry time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.keys[key].until) {
		return false
	}
	s.keys[key] = keyEntry{value, time.Now().Add(expiry)}
	return true
}

func (s *keyServer) deleteIfEqual(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[key].value == value {
		delete(s.keys, key)
	}
}

// serverStore is the store of one process, with one fault or none.
type serverStore struct {
	server *keyServer
	flaw   string

	mu    sync.Mutex
	mine  map[string]string    // the value of each claim
	first map[string]time.Time // when a key was first claimed
}

const doneValue = "done"

func (s *serverStore) key(key string) string {
	switch s.flaw {
	case "takes A for a":
		return strings.ToLower(key)
	case "cuts keys":
		return key[:min(len(key), 100)]
	}
	return key
}

func (s *serverStore) Claim(ctx context.Context, key string) (bool, error) {
	if err := ctx.Err(); err != nil && s.flaw != "ignores the context" && s.flaw != "claims and looks at the clock" {
		return false, err
	}
	key = s.key(key)
	claim := rand.Text()
	hold := shortTimes.Lease
	switch s.flaw {
	case "grants nothing":
		return false, nil
	case "grants everything":
		s.server.set(key, claim, hold)
		return true, nil
	case "keeps claims for ever":
		hold = time.Hour
	case "looks and takes in two steps":
		if s.server.get(key) == "" {
			time.Sleep(time.Millisecond)
			s.server.set(key, claim, hold)
			return true, nil
		}
	case "counts the lease from before":
		s.mu.Lock()
		if s.first[key].IsZero() {
			s.first[key] = time.Now()
		}
		hold -= time.Since(s.first[key])
		s.mu.Unlock()
	}
	for range 10 {
		if s.server.setIfAbsent(key, claim, hold) {
			s.mu.Lock()
			s.mine[key] = claim
			s.mu.Unlock()
			return true, ctx.Err()
		}
		value := s.server.get(key)
		if s.flaw == "keeps what was refused" {
			s.mu.Lock()
			s.mine[key] = claim
			s.mu.Unlock()
		}
		switch {
		case value == "":
			continue // it has passed just now
		case value == doneValue, s.flaw == "takes a claim for done":
			return false, ctx.Err()
		case s.flaw == "prolongs at every claim":
			s.server.set(key, value, hold)
		}
		return false, ryze.ErrInProgress
	}
	return false, ryze.ErrInProgress
}

func (s *serverStore) Commit(ctx context.Context, key string) error {
	if s.flaw == "hangs" && ctx.Err() != nil {
		time.Sleep(time.Minute)
	}
	key = s.key(key)
	keep := shortTimes.Window
	switch s.flaw {
	case "does not commit":
		return nil
	case "remembers a failure for ever":
		if s.server.get(key+" failed") != "" {
			return nil
		}
	case "forgets with the lease":
		keep = shortTimes.Lease
	case "remembers for ever":
		keep = time.Hour
	case "wants the claim to commit":
		if s.server.get(key) == "" {
			return nil
		}
	case "releases when late to commit":
		if value := s.server.get(key); value != s.mine[key] && value != doneValue {
			s.server.deleteIfEqual(key, value)
			return nil
		}
	}
	s.server.set(key, doneValue, keep)
	return nil
}

func (s *serverStore) Release(_ context.Context, key string) error {
	key = s.key(key)
	s.mu.Lock()
	claim := s.mine[key]
	delete(s.mine, key)
	s.mu.Unlock()
	switch s.flaw {
	case "does not release":
		return nil
	case "remembers a failure for ever":
		s.server.set(key+" failed", claim, time.Hour)
	case "deletes what is committed":
		s.server.deleteIfEqual(key, s.server.get(key))
	case "deletes the claim of another", "deletes any claim":
		if value := s.server.get(key); value != doneValue {
			s.server.deleteIfEqual(key, value)
		}
	case "releases every key":
		s.server.mu.Lock()
		clear(s.server.keys)
		s.server.mu.Unlock()
	}
	s.server.deleteIfEqual(key, claim)
	return nil
}
