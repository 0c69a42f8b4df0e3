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
		"grants nothing":                  "the first claim is granted",
		"grants everything":               "a second claim is in progress",
		"takes a claim for done":          "a second claim is in progress",
		"does not commit":                 "a committed key has been done",
		"loses what it commits again":     "what is committed can be committed again",
		"takes its own commit for lost":   "what is committed can be committed again",
		"does not release":                "a released key can be claimed again",
		"deletes what is committed":       "Release does not touch a committed key",
		"remembers a failure for ever":    "a key that failed and then was done stays done",
		"releases every key":              "keys do not touch each other",
		"takes A for a":                   "keys do not touch each other",
		"cuts keys":                       "keys do not touch each other",
		"looks and takes in two steps":    "of many claims at once exactly one is granted",
		"releases for a while":            "of many claims after a release exactly one is granted",
		"ignores the context":             "a claim whose context has ended is not granted",
		"claims and looks at the clock":   "a claim whose context has ended is not granted",
		"hangs":                           "no call hangs when its context has ended",
		"keeps claims for ever":           "a claim passes with its lease",
		"prolongs at every claim":         "a refused claim does not prolong the lease",
		"counts the lease from before":    "a released key has a whole lease again",
		"forgets with the lease":          "a committed key is remembered longer than a lease",
		"wants the claim to commit":       "a commit after the lease counts when nobody has the key",
		"wants the claim to release":      "a release after the lease is no loss when nobody has the key",
		"remembers for ever":              "a committed key is forgotten with its window",
		"counts who was refused":          "a refused claim takes nothing from its holder",
		"fences by the store":             "a claim that was given up touches no later one",
		"deletes the claim of another":    "a late release does not touch the claim of another",
		"does not tell of a late release": "a late release does not touch the claim of another",
		"commits over another":            "a late commit does not touch the claim of another",
		"does not tell of a late commit":  "a late commit does not touch the claim of another",
		"deletes what another committed":  "who is late does not touch what another has committed",
		"commits what another committed":  "who is late does not touch what another has committed",
	}, func(t *testing.T, flaw string) {
		t.Helper()
		rules := shortTimes
		rules.Shared, rules.Within = true, inBubble
		var server *keyServer
		ryzetest.TestDedupeStore(t, func() ryze.DedupeStore {
			if server == nil {
				server = &keyServer{keys: make(map[string]keyEntry)}
			}
			return &serverStore{server: server, flaw: flaw, own: rand.Text(), first: make(map[string]time.Time)}
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
		return &serverStore{server: server, first: make(map[string]time.Time)}
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

// setIfHeld is the script of Commit.
func (s *keyServer) setIfHeld(key, claim string, expiry time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.keys[key]; time.Now().Before(e.until) && e.value != claim && e.value != done+claim {
		return false
	}
	s.keys[key] = keyEntry{done + claim, time.Now().Add(expiry)}
	return true
}

// deleteIfHeld is the script of Release.
func (s *keyServer) deleteIfHeld(key, claim string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.keys[key]; time.Now().Before(e.until) && e.value != claim {
		return false
	}
	delete(s.keys, key)
	return true
}

// serverStore is the store of one process, with one fault or none.
type serverStore struct {
	server *keyServer
	flaw   string
	own    string // the value of all claims, for the one that fences by the store

	mu    sync.Mutex
	first map[string]time.Time // when a key was first claimed
}

// serverClaim is a claim of a serverStore.
type serverClaim struct {
	*serverStore

	name, value string
}

const done = "done:"

func (s *serverStore) key(key string) string {
	switch s.flaw {
	case "takes A for a":
		return strings.ToLower(key)
	case "cuts keys":
		return key[:min(len(key), 100)]
	}
	return key
}

func (s *serverStore) Claim(ctx context.Context, key string) (ryze.DedupeClaim, error) {
	if err := ctx.Err(); err != nil && s.flaw != "ignores the context" && s.flaw != "claims and looks at the clock" {
		return nil, err
	}
	key = s.key(key)
	claim := &serverClaim{serverStore: s, name: key, value: rand.Text()}
	hold := shortTimes.Lease
	switch s.flaw {
	case "grants nothing":
		return nil, nil
	case "grants everything":
		s.server.set(key, claim.value, hold)
		return claim, nil
	case "fences by the store":
		claim.value = s.own
	case "keeps claims for ever":
		hold = time.Hour
	case "looks and takes in two steps":
		if s.server.get(key) == "" {
			time.Sleep(time.Millisecond)
			s.server.set(key, claim.value, hold)
			return claim, nil
		}
	case "releases for a while":
		if strings.HasPrefix(s.server.get(key+" free"), "free") {
			return claim, nil
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
		if s.server.setIfAbsent(key, claim.value, hold) {
			if err := ctx.Err(); err != nil && s.flaw != "ignores the context" {
				return nil, err
			}
			return claim, nil
		}
		value := s.server.get(key)
		switch {
		case value == "":
			continue // it has passed just now
		case strings.HasPrefix(value, done), s.flaw == "takes a claim for done":
			return nil, nil
		case s.flaw == "prolongs at every claim":
			s.server.set(key, value, hold)
		case s.flaw == "counts who was refused":
			s.server.set(key, claim.value, hold)
		}
		return nil, ryze.ErrInProgress
	}
	return nil, ryze.ErrInProgress
}

func (c *serverClaim) Commit(ctx context.Context) error {
	if c.flaw == "hangs" && ctx.Err() != nil {
		time.Sleep(time.Minute)
	}
	keep := shortTimes.Window
	value := c.server.get(c.name)
	switch c.flaw {
	case "does not commit":
		return nil
	case "takes its own commit for lost":
		if value == done+c.value {
			return ryze.ErrClaimLost
		}
	case "loses what it commits again":
		if value == done+c.value {
			c.server.set(c.name, "", 0)
			return nil
		}
	case "remembers a failure for ever":
		if c.server.get(c.name+" failed") != "" {
			return nil
		}
	case "forgets with the lease":
		keep = shortTimes.Lease
	case "remembers for ever":
		keep = time.Hour
	case "wants the claim to commit":
		if value == "" {
			return ryze.ErrClaimLost
		}
	case "commits over another":
		if !strings.HasPrefix(value, done) {
			c.server.set(c.name, done+c.value, keep)
			return ryze.ErrClaimLost
		}
	case "commits what another committed":
		if strings.HasPrefix(value, done) {
			c.server.set(c.name, done+c.value, keep)
			return nil
		}
	}
	if !c.server.setIfHeld(c.name, c.value, keep) && c.flaw != "does not tell of a late commit" {
		return ryze.ErrClaimLost
	}
	return nil
}

func (c *serverClaim) Release(context.Context) error {
	value := c.server.get(c.name)
	switch c.flaw {
	case "does not release":
		return nil
	case "releases for a while":
		c.server.set(c.name+" free", "free", time.Nanosecond)
	case "remembers a failure for ever":
		c.server.set(c.name+" failed", "failed", time.Hour)
	case "wants the claim to release":
		if value == "" {
			return ryze.ErrClaimLost
		}
	case "deletes what is committed":
		if value == done+c.value {
			c.server.set(c.name, "", 0)
		}
	case "deletes what another committed":
		if strings.HasPrefix(value, done) && value != done+c.value {
			c.server.set(c.name, "", 0)
			return ryze.ErrClaimLost
		}
	case "deletes the claim of another":
		if value != c.value && !strings.HasPrefix(value, done) {
			c.server.set(c.name, "", 0)
			return ryze.ErrClaimLost
		}
	case "releases every key":
		c.server.mu.Lock()
		clear(c.server.keys)
		c.server.mu.Unlock()
	}
	if !c.server.deleteIfHeld(c.name, c.value) && c.flaw != "does not tell of a late release" {
		return ryze.ErrClaimLost
	}
	return nil
}
