package ryzetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// DedupeRules tells [TestDedupeStore] about the stores that it tests. The zero
// value suits a store with the usual times.
type DedupeRules struct {
	// Lease is how long a claim holds. It must be long enough for a few calls,
	// such as 300 milliseconds. Zero, or more than two seconds, skips the rules
	// about expired claims.
	Lease time.Duration
	// Window is how long a committed key is remembered: at least three times
	// Lease. Zero, or more than two seconds, skips the rule about its end.
	Window time.Duration
	// Shared says that all stores of newStore share their keys, like two
	// processes with one server. Some workers of a rule then have their own
	// store.
	Shared bool
	// Within runs each rule; nil calls it. For a store in memory use
	// synctest.Test: waits then cost nothing.
	Within func(t *testing.T, rule func(*testing.T))
}

// TestDedupeStore checks a [ryze.DedupeStore] against the documented rules,
// each in a subtest. It calls newStore for each rule. Each rule has its own
// keys, so a server can be shared. It takes ten leases and a window.
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
)

var dedupeRules = []struct {
	name  string
	needs int
	check func(*desk)
}{
	{"the first claim is granted", 0, firstClaim},
	{"a second claim is in progress", 0, secondClaim},
	{"a committed key has been done", 0, committed},
	{"what is committed can be committed again", 0, committedAgain},
	{"a released key can be claimed again", 0, released},
	{"Release does not touch a committed key", 0, releaseCommitted},
	{"a key that failed and then was done stays done", 0, doneAtLast},
	{"a refused claim takes nothing from its holder", 0, refusedClaim},
	{"a claim that was given up touches no later one", 0, givenUp},
	{"keys do not touch each other", 0, keysApart},
	{"of many claims at once exactly one is granted", 0, oneOfMany},
	{"of many claims after a release exactly one is granted", 0, oneAfterRelease},
	{"a claim whose context has ended is not granted", 0, claimEnded},
	{"no call hangs when its context has ended", 0, nothingHangs},
	{"a claim passes with its lease", needsLease, leasePasses},
	{"a refused claim does not prolong the lease", needsLease, leaseNotProlonged},
	{"a released key has a whole lease again", needsLease, leaseRenewed},
	{"a committed key is remembered longer than a lease", needsLease, outlivesLease},
	{"a commit after the lease counts when nobody has the key", needsLease, lateCommit},
	{"a release after the lease is no loss when nobody has the key", needsLease, lateRelease},
	{"a late release does not touch the claim of another", needsLease, lateReleaseOfAnother},
	{"a late commit does not touch the claim of another", needsLease, lateCommitOfAnother},
	{"who is late does not touch what another has committed", needsLease, lateAfterCommit},
	{"a committed key is forgotten with its window", needsWindow, windowPasses},
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
	granted    verdict = "a claim: it is the first"
	isDone     verdict = "nil: it has been done"
	inProgress verdict = "ErrInProgress: another worker is at it"
)

func ask(ctx context.Context, store ryze.DedupeStore, key string) (verdict, ryze.DedupeClaim, error) {
	claim, err := store.Claim(ctx, key)
	switch {
	case claim != nil && err != nil:
		return "", nil, fmt.Errorf("it returned a claim and an error: %w", err)
	case claim != nil:
		return granted, claim, nil
	case err == nil:
		return isDone, nil, nil
	case errors.Is(err, ryze.ErrInProgress):
		return inProgress, nil, nil
	default:
		return "", nil, err
	}
}

func (d *desk) ask(store ryze.DedupeStore, key string, want verdict, when string) ryze.DedupeClaim {
	d.Helper()
	got, claim, err := ask(d.Context(), store, key)
	switch {
	case err != nil:
		d.Fatalf("%s: Claim failed: %v", when, err)
	case got != want:
		d.Fatalf("%s: Claim returned %s; it must return %s", when, got, want)
	}
	return claim
}

func (d *desk) claim(store ryze.DedupeStore, key, when string) ryze.DedupeClaim {
	d.Helper()
	return d.ask(store, key, granted, when)
}

func (d *desk) commit(claim ryze.DedupeClaim) {
	d.Helper()
	if err := claim.Commit(d.Context()); err != nil {
		d.Fatalf("Commit failed: %v", err)
	}
}

func (d *desk) release(claim ryze.DedupeClaim) {
	d.Helper()
	if err := claim.Release(d.Context()); err != nil {
		d.Fatalf("Release failed: %v", err)
	}
}

// lost makes sure that a method says that the claim has passed to another.
func (d *desk) lost(method string, call func(context.Context) error) {
	d.Helper()
	if err := call(d.Context()); !errors.Is(err, ryze.ErrClaimLost) {
		d.Fatalf("%s of a claim that has passed to another returned %v; it must return ErrClaimLost", method, err)
	}
}

// pass waits until d is over, also by the clock of a server.
func pass(d time.Duration) { time.Sleep(d + d/4 + 20*time.Millisecond) }
