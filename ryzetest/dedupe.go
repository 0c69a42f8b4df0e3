package ryzetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// DedupeRules says what [TestDedupeStore] has to know of the stores that it
// tests. The zero value suits a store with the usual times.
type DedupeRules struct {
	// Lease is how long a claim of the stores holds. The rules about claims that
	// pass are skipped when it is zero or longer than two seconds. It must be long
	// enough for a few calls: 300 milliseconds suit most servers.
	Lease time.Duration
	// Window is how long the stores remember a committed key. The rule about the
	// end of the window is skipped when it is zero or longer than two seconds.
	// Otherwise it must be at least three times Lease.
	Window time.Duration
	// Shared says that all stores of newStore share their keys, as two processes
	// with one server do. Each worker then has a store of its own, and more rules
	// are tested: what a worker may do to the claim of another.
	Shared bool
	// Within runs each rule, nil calls it. For a store in memory it can be
	// synctest.Test: the waits then cost nothing.
	Within func(t *testing.T, rule func(*testing.T))
}

// TestDedupeStore holds an implementation of [ryze.DedupeStore] to the documented
// rules, one subtest for each. newStore is called for every rule. The stores may
// share a server with others: each rule has keys of its own. It takes as long as
// seven leases and a window.
//
// Two workers of one store that claim the same key, one after the lease of the
// other, cannot be told apart: the methods have the key alone. What the first
// does then counts for the second. That is tested of workers with stores of
// their own, with Shared.
func TestDedupeStore(t *testing.T, newStore func() ryze.DedupeStore, rules ...DedupeRules) {
	t.Helper()
	var r DedupeRules
	if len(rules) > 0 {
		r = rules[0]
	}
	if r.Within == nil {
		r.Within = callRule
	}
	for _, rule := range dedupeRules {
		t.Run(rule.name, func(t *testing.T) {
			switch {
			case rule.needs&needsLease != 0 && !short(r.Lease):
				t.Skip("needs a short DedupeRules.Lease")
			case rule.needs&needsWindow != 0 && !short(r.Window):
				t.Skip("needs a short DedupeRules.Window")
			case rule.needs&needsShared != 0 && !r.Shared:
				t.Skip("needs DedupeRules.Shared")
			}
			r.Within(t, func(t *testing.T) {
				d := &desk{T: t, rules: r, key: "ryzetest-" + rand.Text()}
				d.store = newStore()
				d.other = d.store
				if r.Shared {
					d.other = newStore()
				}
				rule.check(d)
			})
		})
	}
}

// short reports whether a test can wait for d to pass.
func short(d time.Duration) bool { return 0 < d && d <= 2*time.Second }

// What a rule needs of DedupeRules.
const (
	needsLease = 1 << iota
	needsWindow
	needsShared
)

var dedupeRules = []struct {
	name  string
	needs int
	check func(*desk)
}{
	{"the first claim is granted", 0, firstClaim},
	{"a second claim is in progress", 0, secondClaim},
	{"a committed key has been done", 0, committed},
	{"a released key can be claimed again", 0, released},
	{"Release does not touch a committed key", 0, releaseCommitted},
	{"a key that failed and then was done stays done", 0, doneAtLast},
	{"a refused claim takes nothing from its holder", 0, refusedClaim},
	{"keys do not touch each other", 0, keysApart},
	{"of many claims at once exactly one is granted", 0, oneOfMany},
	{"of many claims after a release exactly one is granted", 0, oneAfterRelease},
	{"a claim whose context has ended is not granted", 0, claimEnded},
	{"no call hangs when its context has ended", 0, nothingHangs},
	{"a claim passes with its lease", needsLease, leasePasses},
	{"a refused claim does not prolong the lease", needsLease, leaseNotProlonged},
	{"a released key has a whole lease again", needsLease, leaseRenewed},
	{"a committed key is remembered longer than a lease", needsLease, outlivesLease},
	{"a commit after the lease counts", needsLease, lateCommit},
	{"a committed key is forgotten with its window", needsWindow, windowPasses},
	{"a release by who has no claim does not touch that of another", needsShared, releaseWithoutClaim},
	{"a late release does not touch the claim of another", needsLease | needsShared, lateRelease},
	{"a late commit lets nobody in", needsLease | needsShared, lateCommitOfAnother},
}

// desk is a store under test, with two workers and one key.
type desk struct {
	*testing.T
	store, other ryze.DedupeStore
	rules        DedupeRules
	key          string
}

// verdict is what Claim says.
type verdict string

const (
	granted    verdict = "true: it is the first"
	isDone     verdict = "false: it has been done"
	inProgress verdict = "ErrInProgress: another worker is at it"
)

func ask(ctx context.Context, store ryze.DedupeStore, key string) (verdict, error) {
	first, err := store.Claim(ctx, key)
	switch {
	case first && err != nil:
		return "", fmt.Errorf("it returned true and an error: %w", err)
	case first:
		return granted, nil
	case err == nil:
		return isDone, nil
	case errors.Is(err, ryze.ErrInProgress):
		return inProgress, nil
	default:
		return "", err
	}
}

func (d *desk) claim(store ryze.DedupeStore, key string, want verdict, when string) {
	d.Helper()
	switch got, err := ask(d.Context(), store, key); {
	case err != nil:
		d.Fatalf("%s: Claim failed: %v", when, err)
	case got != want:
		d.Fatalf("%s: Claim returned %s; it must return %s", when, got, want)
	}
}

func (d *desk) commit(store ryze.DedupeStore, key string) {
	d.Helper()
	if err := store.Commit(d.Context(), key); err != nil {
		d.Fatalf("Commit failed: %v", err)
	}
}

func (d *desk) release(store ryze.DedupeStore, key string) {
	d.Helper()
	if err := store.Release(d.Context(), key); err != nil {
		d.Fatalf("Release failed: %v", err)
	}
}

// pass waits until d is over, also by the clock of a server.
func pass(d time.Duration) { time.Sleep(d + d/4 + 20*time.Millisecond) }

func firstClaim(d *desk) { d.claim(d.store, d.key, granted, "a new key") }

func secondClaim(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	for range 2 {
		d.claim(d.other, d.key, inProgress, "a claimed key")
	}
	d.claim(d.store, d.key, inProgress, "a key that the worker itself has claimed")
}

func committed(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	d.commit(d.store, d.key)
	for range 2 {
		d.claim(d.store, d.key, isDone, "a committed key")
		d.claim(d.other, d.key, isDone, "a committed key")
	}
}

func released(d *desk) {
	for range 3 {
		d.claim(d.store, d.key, granted, "a free key")
		d.claim(d.other, d.key, inProgress, "a claimed key")
		d.release(d.store, d.key)
	}
	d.claim(d.other, d.key, granted, "a released key")
	d.claim(d.store, d.key, inProgress, "a key that was released, and claimed again")
}

func releaseCommitted(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	d.commit(d.store, d.key)
	for _, store := range []ryze.DedupeStore{d.store, d.other} {
		_ = store.Release(d.Context(), d.key) // whether it is an error is not said
		d.claim(d.store, d.key, isDone, "a committed key after Release")
	}
}

func doneAtLast(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	d.release(d.store, d.key)
	d.claim(d.other, d.key, granted, "a released key")
	d.commit(d.other, d.key)
	d.claim(d.store, d.key, isDone, "a committed key")
}

func refusedClaim(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	d.claim(d.store, d.key, inProgress, "a claimed key")
	d.claim(d.other, d.key, inProgress, "a claimed key")
	d.release(d.store, d.key)
	d.claim(d.other, d.key, granted, "a key that its holder released, after others had claimed it in vain")
}

func releaseWithoutClaim(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	d.claim(d.other, d.key, inProgress, "a claimed key")
	_ = d.other.Release(d.Context(), d.key) // whether it is an error is not said
	d.claim(d.other, d.key, inProgress, "a claimed key, after Release by another that was refused")
	d.commit(d.store, d.key)
	d.claim(d.other, d.key, isDone, "a committed key")
}

func keysApart(d *desk) {
	long := strings.Repeat("x", 200)
	keys := []string{
		d.key, d.key + "a", d.key + "A", d.key + "b", d.key + " ", d.key + ":", d.key + ":a", d.key + "%", d.key + "_",
		d.key + "*", d.key + "é", d.key + "e", d.key + "'", d.key + "\\", d.key + long + "1", d.key + long + "2",
	}
	for _, key := range keys {
		d.claim(d.store, key, granted, "a new key that resembles others")
	}
	d.commit(d.store, keys[0])
	d.release(d.store, keys[1])
	d.claim(d.store, keys[0], isDone, "a committed key")
	d.claim(d.store, keys[1], granted, "a released key")
	for _, key := range keys[2:] {
		d.claim(d.other, key, inProgress, "a claimed key, after others were committed and released")
	}
}

// contest lets many workers claim the key at once.
func (d *desk) contest(when string) (winner ryze.DedupeStore) {
	d.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var winners []ryze.DedupeStore
	start := make(chan struct{})
	for i := range 32 {
		store := d.store
		if i%2 == 1 {
			store = d.other
		}
		wg.Go(func() {
			<-start
			got, err := ask(d.Context(), store, d.key)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				d.Errorf("%s: Claim failed: %v", when, err)
			case got == granted:
				winners = append(winners, store)
			case got != inProgress:
				d.Errorf("%s: Claim returned %s", when, got)
			}
		})
	}
	close(start)
	wg.Wait()
	if len(winners) != 1 {
		d.Fatalf("%s: %d of 32 claims were granted, not exactly one", when, len(winners))
	}
	return winners[0]
}

func oneOfMany(d *desk) {
	for range 5 {
		d.contest("a new key")
		d.key += "+"
	}
}

func oneAfterRelease(d *desk) {
	for range 3 {
		d.release(d.contest("a free key"), d.key)
	}
	d.commit(d.contest("a free key"), d.key)
	d.claim(d.store, d.key, isDone, "a committed key")
}

func claimEnded(d *desk) {
	ended, cancel := context.WithCancel(d.Context())
	cancel()
	first, err := d.store.Claim(ended, d.key)
	if first || !errors.Is(err, context.Canceled) {
		d.Fatalf("Claim returned %t and the error %v; it must return that of the context", first, err)
	}
	late, cancel := context.WithTimeout(d.Context(), -time.Second)
	defer cancel()
	first, err = d.store.Claim(late, d.key)
	if first || !errors.Is(err, context.DeadlineExceeded) {
		d.Fatalf("Claim returned %t and the error %v; it must return that of the context", first, err)
	}
	d.claim(d.store, d.key, granted, "a key that was claimed with contexts that had ended alone")
}

func nothingHangs(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	ended, cancel := context.WithCancel(d.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Claim":   func() error { _, err := d.store.Claim(ended, d.key+"2"); return err },
		"Commit":  func() error { return d.store.Commit(ended, d.key) },
		"Release": func() error { return d.store.Release(ended, d.key+"3") },
	} {
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			_ = call() // Commit and Release may do their work all the same
		}()
		select {
		case <-returned:
		case <-time.After(promptly):
			d.Errorf("%s has not returned %v after its context ended", name, promptly)
		}
	}
}

func leasePasses(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	pass(d.rules.Lease)
	d.claim(d.other, d.key, granted, "a key whose claim has passed")
	d.claim(d.store, d.key, inProgress, "a key that was claimed after the lease of another")
	d.commit(d.other, d.key)
	d.claim(d.store, d.key, isDone, "a committed key")
}

func leaseNotProlonged(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	until := time.Now().Add(d.rules.Lease)
	time.Sleep(d.rules.Lease / 2)
	d.claim(d.other, d.key, inProgress, "a claimed key, before its lease is over")
	pass(time.Until(until))
	d.claim(d.other, d.key, granted, "a key whose claim has passed, and that was claimed in vain before")
}

func leaseRenewed(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	time.Sleep(d.rules.Lease * 6 / 10)
	d.release(d.store, d.key)
	d.claim(d.store, d.key, granted, "a released key")
	time.Sleep(d.rules.Lease * 6 / 10)
	d.claim(d.other, d.key, inProgress, "a key whose second claim still holds")
}

func outlivesLease(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	d.commit(d.store, d.key)
	pass(d.rules.Lease)
	d.claim(d.other, d.key, isDone, "a committed key, after the lease of its claim")
}

func lateCommit(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	pass(d.rules.Lease)
	_ = d.store.Commit(d.Context(), d.key) // whether it is an error is not said
	d.claim(d.other, d.key, isDone, "a key whose work was done after the lease, and that nobody else has claimed")
}

func windowPasses(d *desk) {
	d.claim(d.store, d.key, granted, "a new key")
	d.commit(d.store, d.key)
	pass(d.rules.Window)
	d.claim(d.other, d.key, granted, "a key that was committed a window ago")
}

// overtaken gives the key to the other worker, after the lease of the first.
func (d *desk) overtaken() {
	d.Helper()
	d.claim(d.store, d.key, granted, "a new key")
	pass(d.rules.Lease)
	d.claim(d.other, d.key, granted, "a key whose claim has passed")
}

func lateRelease(d *desk) {
	d.overtaken()
	_ = d.store.Release(d.Context(), d.key) // whether it is an error is not said
	d.claim(d.store, d.key, inProgress, "a key that another claimed after the lease, and the first released after that")
	d.commit(d.other, d.key)
	_ = d.store.Release(d.Context(), d.key)
	d.claim(d.store, d.key, isDone, "a key that another committed, and the first released after that")
}

func lateCommitOfAnother(d *desk) {
	d.overtaken()
	_ = d.store.Commit(d.Context(), d.key)
	if got, err := ask(d.Context(), d.store, d.key); err != nil || got == granted {
		d.Fatalf("the first worker committed after its lease, while another is at it: Claim returned %s, %v", got, err)
	}
	d.commit(d.other, d.key)
	d.claim(d.store, d.key, isDone, "a key that both have committed")
}
