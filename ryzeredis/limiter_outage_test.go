package ryzeredis_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

// process is what a process has: a client and a limiter of its own.
type process struct {
	*ryzeredis.Limiter
	t      *testing.T
	client redis.UniversalClient
	status chan error
}

func newProcess(t *testing.T, addr string) *process {
	t.Helper()
	p := &process{t: t, client: redis.NewClient(&redis.Options{Addr: addr}), status: make(chan error, 100)}
	l, err := ryzeredis.NewLimiter(p.client, ryzeredis.WithStatus(func(err error) { p.status <- err }))
	require.NoError(t, err)
	p.Limiter = l
	t.Cleanup(func() {
		_ = l.Close()
		_ = p.client.Close()
	})
	return p
}

// die cuts the process off for good: Redis hears no more of it.
func (p *process) die() { _ = p.client.Close() }

func (p *process) take() ryze.Ticket {
	p.t.Helper()
	ticket, err := p.Acquire(p.t.Context(), request())
	require.NoError(p.t, err)
	return ticket
}

// drain takes all that can be had without a wait.
func (p *process) drain() (count int) {
	p.t.Helper()
	for ; count < 200; count++ {
		if _, err := p.Acquire(p.t.Context(), ryze.LimiterRequest{LimiterKey: global}); err != nil {
			require.ErrorIs(p.t, err, ryze.ErrRateLimited)
			break
		}
	}
	return count
}

// hears waits until the process says that Redis is away, or back.
func (p *process) hears(away bool) {
	p.t.Helper()
	for {
		select {
		case err := <-p.status:
			if (err != nil) == away {
				return
			}
		case <-time.After(5 * time.Second):
			p.t.Fatal("nothing is said of Redis")
		}
	}
}

func TestWhatADeadProcessHeldComesBackAfterItsLease(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dead, other := newProcess(t, server.Addr), newProcess(t, server.Addr)
	reset := time.Now().Add(time.Minute)
	dead.take().Done(says(7, reset))
	for range 7 {
		dead.take()
	}
	dead.die()
	died := time.Now()
	require.Zero(t, other.drain())
	req := request()
	req.MaxWait = 2 * time.Minute
	first, err := other.Acquire(t.Context(), req)
	require.NoError(t, err)
	assert.InDelta(t, 5, time.Since(died).Seconds(), 2)
	first.Done(says(6, reset)) // so they had not been used
	assert.Equal(t, 6, other.drain())
}

func TestADeadProcessThatWaitedHoldsUpNobody(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dead, other := newProcess(t, server.Addr), newProcess(t, server.Addr)
	reset := time.Now().Add(1500 * time.Millisecond)
	dead.take().Done(says(0, reset))
	for _, p := range []*process{dead, other} {
		waits := make(chan struct{})
		req := request()
		req.OnWait = func(time.Duration) { close(waits) }
		served := make(chan error, 1)
		go func() {
			_, err := p.Acquire(context.Background(), req)
			served <- err
		}()
		<-waits
		if p == dead {
			dead.die()
			continue
		}
		require.NoError(t, <-served)
		assert.Less(t, time.Since(reset), 1500*time.Millisecond)
	}
}

func TestRedisIsToldWhatWasUsedWithoutIt(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct{ begin, end func(*redistest.Server) }{
		"killed, and back empty": {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"hung":                   {(*redistest.Server).Stop, (*redistest.Server).Cont},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			one, other := newProcess(t, server.Addr), newProcess(t, server.Addr)
			reset := time.Now().Add(time.Minute).Truncate(time.Millisecond)
			one.take().Done(says(20, reset))
			fault.begin(server)
			one.take()                       // is under way when Redis is back
			one.take().Done(says(9, reset))  // others have used some
			one.take().Done(says(12, reset)) // comes late
			one.take().Done(ryze.RateLimit{})
			back := one.take()
			one.hears(true)
			fault.end(server)
			one.hears(false)
			require.Eventually(t, func() bool { return one.Rate(global).Known }, time.Second, 10*time.Millisecond)
			assert.WithinDuration(t, reset, one.Rate(global).Reset, 100*time.Millisecond)
			back.Done(says(8, reset))
			assert.Equal(t, 6+1, other.drain(), "8 remain, one is under way, of one it is not known, and one goes to ask about that")
		})
	}
}

func TestRedisIsToldOfA429WithoutIt(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	one, other := newProcess(t, server.Addr), newProcess(t, server.Addr)
	reset := time.Now().Add(time.Minute)
	one.take().Done(says(20, reset))
	server.Kill()
	one.take().Refused(says(0, reset))
	one.hears(true)
	server.Restart()
	one.hears(false)
	require.Eventually(t, func() bool { return one.Rate(global).Known }, time.Second, 10*time.Millisecond)
	require.Zero(t, other.drain())
}

// While they wait in memory they know nothing of each other.
func TestWhoWaitsInMemoryGoesOnInRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	processes := []*process{newProcess(t, server.Addr), newProcess(t, server.Addr)}
	reset := time.Now().Add(4 * time.Second)
	processes[0].take().Done(says(0, reset))
	server.Kill()
	var went atomic.Int32
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	told := make(chan struct{}, 100)
	for _, p := range processes {
		p.take().Done(says(0, reset))
		for range 3 {
			req := request()
			req.OnWait = func(time.Duration) { told <- struct{}{} }
			go func() {
				if _, err := p.Acquire(ctx, req); err == nil {
					went.Add(1)
				}
			}()
		}
	}
	for range 6 {
		<-told
	}
	server.Restart()
	for _, p := range processes {
		p.hears(false)
	}
	require.Zero(t, went.Load())
	require.Eventually(t, func() bool { return went.Load() > 0 }, time.Until(reset)+2*time.Second, 10*time.Millisecond)
	assert.False(t, time.Now().Before(reset))
	assert.Never(t, func() bool { return went.Load() > 1 }, 500*time.Millisecond, 50*time.Millisecond,
		"the first request of a window goes alone, in all processes")
	assert.Empty(t, told, "the wait is told of once")
}

func TestCloseIsShortBesideManyWindowsAndAHungRedis(t *testing.T) {
	t.Parallel()
	single, cluster := redistest.Start(t), redistest.Cluster(t)
	for name, at := range map[string]struct {
		client redis.UniversalClient
		nodes  []*redistest.Server
	}{
		"single node": {single.Client, []*redistest.Server{single}},
		"cluster":     {cluster.Client, cluster.Nodes},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := ryzeredis.NewLimiter(at.client, ryzeredis.WithPatience(5*time.Second))
			require.NoError(t, err)
			// Until many hold leased requests that are not used.
			for i := range 200 {
				for range 3 {
					req := request()
					req.Scope = fmt.Sprint(i)
					ticket, err := l.Acquire(t.Context(), req)
					require.NoError(t, err)
					ticket.Done(says(80, time.Now().Add(time.Minute)))
				}
			}
			for _, node := range at.nodes {
				node.Stop()
				defer node.Cont()
			}
			began := time.Now()
			require.NoError(t, l.Close())
			assert.Less(t, time.Since(began), 2500*time.Millisecond)
		})
	}
}

// The service may cut off the fraction of a second at which a window ends.
func TestAServiceWhoseWindowsEndLaterThanItSaysRefusesOnce(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := newProcess(t, server.Addr)
	var reset time.Time
	refusals := 0
	for windows := 0; windows < 4; {
		ticket := p.take()
		now := time.Now()
		switch said := reset.Truncate(time.Second); {
		case !now.Before(reset):
			windows++
			reset = now.Truncate(time.Second).Add(1700 * time.Millisecond)
			ticket.Done(ryze.RateLimit{Known: true, Limit: 1, Remaining: 0, Reset: reset.Truncate(time.Second)})
		default:
			refusals++
			ticket.Refused(ryze.RateLimit{Known: true, Limit: 1, Remaining: 0, Reset: said})
		}
	}
	assert.LessOrEqual(t, refusals, 1)
}
