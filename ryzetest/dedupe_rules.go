package ryzetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ryzeapi/ryze-go"
)

func firstClaim(d *desk) { d.claim(d.store, d.key, "a new key") }

func secondClaim(d *desk) {
	d.claim(d.store, d.key, "a new key")
	for range 2 {
		d.ask(d.other, d.key, inProgress, "a claimed key")
	}
	d.ask(d.store, d.key, inProgress, "a key that the worker itself has claimed")
}

func (d *desk) stayDone(when string) {
	d.Helper()
	for range 2 {
		d.ask(d.store, d.key, isDone, when)
		d.ask(d.other, d.key, isDone, when)
	}
}

func committed(d *desk) {
	d.commit(d.claim(d.store, d.key, "a new key"))
	d.stayDone("a committed key")
}

func committedAgain(d *desk) {
	claim := d.claim(d.store, d.key, "a new key")
	d.commit(claim)
	d.commit(claim) // as when the first answer was lost
	d.stayDone("a key that was committed twice")
}

func released(d *desk) {
	for range 3 {
		claim := d.claim(d.store, d.key, "a free key")
		d.ask(d.other, d.key, inProgress, "a claimed key")
		d.release(claim)
	}
	d.claim(d.other, d.key, "a released key")
	d.ask(d.store, d.key, inProgress, "a key that was released, and claimed again")
}

func releaseCommitted(d *desk) {
	claim := d.claim(d.store, d.key, "a new key")
	d.commit(claim)
	for range 2 {
		_ = claim.Release(d.Context()) // whether it is an error is not said
		d.stayDone("a committed key after Release")
	}
}

func doneAtLast(d *desk) {
	d.release(d.claim(d.store, d.key, "a new key"))
	d.commit(d.claim(d.other, d.key, "a released key"))
	d.stayDone("a committed key")
}

func refusedClaim(d *desk) {
	claim := d.claim(d.store, d.key, "a new key")
	d.ask(d.store, d.key, inProgress, "a claimed key")
	d.ask(d.other, d.key, inProgress, "a claimed key")
	d.release(claim)
	claim = d.claim(d.other, d.key, "a key that its holder released, after others had claimed it in vain")
	d.ask(d.store, d.key, inProgress, "a claimed key")
	d.commit(claim)
	d.stayDone("a key that its holder committed, after others had claimed it in vain")
}

func givenUp(d *desk) {
	for _, store := range []ryze.DedupeStore{d.store, d.other} {
		first := d.claim(d.store, d.key, "a free key")
		d.release(first)
		second := d.claim(store, d.key, "a released key")
		d.lost("Release", first.Release)
		d.lost("Commit", first.Commit)
		d.ask(d.store, d.key, inProgress, "a key that another has claimed, after who had given it up before used its claim")
		d.release(second)
	}
}

func keysApart(d *desk) {
	long := strings.Repeat("x", 200)
	keys := []string{
		d.key, d.key + "a", d.key + "A", d.key + "b", d.key + " ", d.key + ":", d.key + ":a", d.key + "%", d.key + "_",
		d.key + "*", d.key + "é", d.key + "e", d.key + "'", d.key + "\\", d.key + long + "1", d.key + long + "2",
	}
	claims := make([]ryze.DedupeClaim, len(keys))
	for i, key := range keys {
		claims[i] = d.claim(d.store, key, "a new key that resembles others")
	}
	d.commit(claims[0])
	d.release(claims[1])
	d.ask(d.store, keys[0], isDone, "a committed key")
	d.claim(d.store, keys[1], "a released key")
	for _, key := range keys[2:] {
		d.ask(d.other, key, inProgress, "a claimed key, after others were committed and released")
	}
}

// contest lets many workers claim the key at once.
func (d *desk) contest(when string) (winner ryze.DedupeClaim) {
	d.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var winners []ryze.DedupeClaim
	start := make(chan struct{})
	for i := range 32 {
		store := d.store
		if i%2 == 1 {
			store = d.other
		}
		wg.Go(func() {
			<-start
			got, claim, err := ask(d.Context(), store, d.key)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				d.Errorf("%s: Claim failed: %v", when, err)
			case got == granted:
				winners = append(winners, claim)
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
		d.release(d.contest("a free key"))
	}
	d.commit(d.contest("a free key"))
	d.stayDone("a committed key")
}

func claimEnded(d *desk) {
	ended, cancel := context.WithCancel(d.Context())
	cancel()
	late, cancel := context.WithTimeout(d.Context(), -time.Second)
	defer cancel()
	for _, ctx := range []context.Context{ended, late} {
		if claim, err := d.store.Claim(ctx, d.key); claim != nil || !errors.Is(err, ctx.Err()) {
			d.Fatalf("Claim returned a claim: %t, and the error %v; it must return that of the context", claim != nil, err)
		}
	}
	d.claim(d.store, d.key, "a key that was claimed with contexts that had ended alone")
}

func nothingHangs(d *desk) {
	ended, cancel := context.WithCancel(d.Context())
	cancel()
	commit, release := d.claim(d.store, d.key, "a new key"), d.claim(d.store, d.key+"3", "a new key")
	for name, call := range map[string]func() error{
		"Claim":   func() error { _, err := d.store.Claim(ended, d.key+"2"); return err },
		"Commit":  func() error { return commit.Commit(ended) },
		"Release": func() error { return release.Release(ended) },
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
	d.claim(d.store, d.key, "a new key")
	pass(d.rules.Lease)
	claim := d.claim(d.other, d.key, "a key whose claim has passed")
	d.ask(d.store, d.key, inProgress, "a key that was claimed after the lease of another")
	d.commit(claim)
	d.stayDone("a committed key")
}

func leaseNotProlonged(d *desk) {
	d.claim(d.store, d.key, "a new key")
	until := time.Now().Add(d.rules.Lease)
	time.Sleep(d.rules.Lease / 2)
	d.ask(d.other, d.key, inProgress, "a claimed key, before its lease is over")
	pass(time.Until(until))
	d.claim(d.other, d.key, "a key whose claim has passed, and that was claimed in vain before")
}

func leaseRenewed(d *desk) {
	claim := d.claim(d.store, d.key, "a new key")
	time.Sleep(d.rules.Lease * 6 / 10)
	d.release(claim)
	d.claim(d.store, d.key, "a released key")
	time.Sleep(d.rules.Lease * 6 / 10)
	d.ask(d.other, d.key, inProgress, "a key whose second claim still holds")
}

func outlivesLease(d *desk) {
	d.commit(d.claim(d.store, d.key, "a new key"))
	pass(d.rules.Lease)
	d.stayDone("a committed key, after the lease of its claim")
}

func lateCommit(d *desk) {
	claim := d.claim(d.store, d.key, "a new key")
	pass(d.rules.Lease)
	d.commit(claim)
	d.stayDone("a key whose work was done after the lease, and that nobody else has claimed")
}

func lateRelease(d *desk) {
	claim := d.claim(d.store, d.key, "a new key")
	pass(d.rules.Lease)
	d.release(claim)
	d.claim(d.other, d.key, "a key that was released after the lease")
}

func windowPasses(d *desk) {
	d.commit(d.claim(d.store, d.key, "a new key"))
	pass(d.rules.Window)
	d.claim(d.other, d.key, "a key that was committed a window ago")
}

// overtaken calls check for two keys whose claims have passed. Others have
// claimed them since: a worker with the same store, and one with the other.
func (d *desk) overtaken(check func(late, holder ryze.DedupeClaim)) {
	d.Helper()
	others := []ryze.DedupeStore{d.store, d.other}
	late := make([]ryze.DedupeClaim, len(others))
	base := d.key
	key := func(i int) string { return fmt.Sprint(base, "-", i) }
	for i := range others {
		late[i] = d.claim(d.store, key(i), "a new key")
	}
	pass(d.rules.Lease)
	holders := make([]ryze.DedupeClaim, len(others))
	for i, store := range others {
		holders[i] = d.claim(store, key(i), "a key whose claim has passed")
	}
	for i := range others {
		d.key = key(i)
		check(late[i], holders[i])
	}
}

func lateReleaseOfAnother(d *desk) {
	d.overtaken(func(late, holder ryze.DedupeClaim) {
		d.lost("Release", late.Release)
		d.ask(d.store, d.key, inProgress, "a key that another claimed after the lease, and the first released after that")
		d.commit(holder)
		d.stayDone("a key that the first released before another committed it")
	})
}

func lateCommitOfAnother(d *desk) {
	d.overtaken(func(late, holder ryze.DedupeClaim) {
		d.lost("Commit", late.Commit)
		d.ask(d.store, d.key, inProgress, "a key that another claimed after the lease, and the first committed after that")
		d.release(holder)
		d.claim(d.other, d.key, "a key that its holder released, after the first had committed it late")
	})
}

func lateAfterCommit(d *desk) {
	d.overtaken(func(late, holder ryze.DedupeClaim) {
		d.commit(holder)
		d.lost("Release", late.Release)
		d.stayDone("a key that another committed, and the first released after that")
		d.lost("Commit", late.Commit)
		d.stayDone("a key that both have committed")
		d.commit(holder)
	})
}
