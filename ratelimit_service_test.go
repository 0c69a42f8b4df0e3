package ryze

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// meteredService is a service with fixed windows and odd ways to speak of them.
type meteredService struct {
	limit   int
	period  time.Duration                                              // 0 is a minute
	clocks  []time.Duration                                            // how far its servers are ahead, in turn
	shared  bool                                                       // Reset comes from a clock of its own, not the server's
	speaks  func(h http.Header, limit, left int, reset, now time.Time) // instead of the documented headers
	travel  func(n int) time.Duration                                  // of the request, and of the reply's headers
	body    func(n int) time.Duration                                  // from the headers to the end of the body
	hold    bool                                                       // the client reports after the body, not after the headers
	fails   func(n int) bool                                           // the reply is lost
	strange float64                                                    // requests of others for each of ours

	mu      sync.Mutex
	began   time.Time
	window  time.Time
	used    int
	foreign float64
	calls   int
	byOurs  map[time.Time]int
	byAll   map[time.Time]int
	refused int
}

func documented(h http.Header, limit, left int, reset, _ time.Time) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
}

func (s *meteredService) serve() (n int, h http.Header, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for !now.Before(s.window.Add(s.period)) {
		s.window, s.used = s.window.Add(s.period), 0
	}
	n = s.calls
	s.calls++
	if ok = s.used < s.limit; ok {
		s.used++
		s.byOurs[s.window]++
		s.foreign += s.strange
		for ; s.foreign >= 1; s.foreign-- {
			s.used = min(s.used+1, s.limit)
		}
		s.byAll[s.window] = s.used
	} else {
		s.refused++
	}
	h = http.Header{}
	clock := now
	reset := s.window.Add(s.period)
	if len(s.clocks) > 0 {
		skew := s.clocks[n%len(s.clocks)]
		clock = clock.Add(skew)
		if !s.shared {
			reset = reset.Add(skew)
		}
	}
	h.Set("Date", clock.UTC().Format(http.TimeFormat))
	speaks := s.speaks
	if speaks == nil {
		speaks = documented
	}
	speaks(h, s.limit, s.limit-s.used, reset, clock)
	return n, h, ok
}

// run spends the quota with so many workers for a while. It returns the share
// of the whole windows that was used, and how many requests were refused.
func (s *meteredService) run(t *testing.T, l Limiter, workers int, d time.Duration) (used float64, refused int) {
	t.Helper()
	if s.period == 0 {
		s.period = time.Minute
	}
	s.byOurs, s.byAll = map[time.Time]int{}, map[time.Time]int{}
	s.began = time.Now()
	s.window = s.began.Truncate(time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var skew clockSkew
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				s.call(ctx, l, &skew)
			}
		})
	}
	wg.Wait()
	whole, sum := 0, 0
	for at := s.began.Truncate(time.Second); !at.Add(s.period).After(s.began.Add(d)); at = at.Add(s.period) {
		whole++
		sum += s.byAll[at]
	}
	used = float64(sum) / float64(whole*s.limit)
	t.Logf("used %.2f %%, refused %d of %d", 100*used, s.refused, s.calls)
	return used, s.refused
}

// call makes one request, again after each 429, as the engine does.
func (s *meteredService) call(ctx context.Context, l Limiter, skew *clockSkew) {
	since := time.Now()
	for {
		ticket, err := l.Acquire(ctx, LimiterRequest{LimiterKey: testKey, Since: since, MaxWait: 5*time.Minute - time.Since(since)})
		if err != nil {
			if ctx.Err() == nil { // too late for the rest of the test
				<-ctx.Done()
			}
			return
		}
		pause := func(f func(int) time.Duration, n int) {
			if f != nil {
				time.Sleep(f(n))
			}
		}
		pause(s.travel, 0)
		n, h, ok := s.serve()
		pause(s.travel, n)
		arrived := time.Now()
		if s.hold {
			pause(s.body, n)
		}
		switch {
		case s.fails != nil && s.fails(n):
			ticket.Done(RateLimit{})
			return
		case ok:
			ticket.Done(parseRateLimit(h, arrived, skew))
			if !s.hold {
				pause(s.body, n)
			}
			time.Sleep(time.Millisecond) // or the minute would be over before it began
			return
		default:
			ticket.Refused(parseRefusal(h, arrived, skew))
		}
	}
}

func every(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// inTurn is one of several times in turn.
func inTurn(d ...time.Duration) func(int) time.Duration {
	return func(n int) time.Duration { return d[n%len(d)] }
}

func TestNoWindowIsIdleAndNoneOverspent(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	net := inTurn(20*time.Millisecond, 35*time.Millisecond, 90*time.Millisecond, 50*time.Millisecond)
	for _, c := range []struct {
		name    string
		service *meteredService
		workers int
		used    float64 // at least
		refused int     // at most
	}{
		{"as documented", &meteredService{limit: 100, travel: net}, 64, 0.99, 0},
		{"plan of 20", &meteredService{limit: 20, travel: net}, 64, 0.99, 0},
		{"plan of 1,000", &meteredService{limit: 1000, travel: net}, 64, 0.99, 0},
		{"plan of 6,000", &meteredService{limit: 6000, travel: net}, 256, 0.99, 0},
		{"plan of 10,000", &meteredService{limit: 10_000, travel: net}, 512, 0.99, 0},
		{"plan of 1", &meteredService{limit: 1, travel: net}, 4, 0.99, 0},
		{"windows of ten seconds", &meteredService{limit: 100, period: 10 * time.Second, travel: net}, 64, 0.98, 0},
		{"windows of five minutes", &meteredService{limit: 500, period: 5 * minute, travel: net}, 64, 0.99, 0},

		{"bodies that take two seconds, reported after them", &meteredService{limit: 100, travel: net, body: every(2 * time.Second), hold: true}, 64, 0.99, 0},
		{"first body takes long, the others do not", &meteredService{limit: 366, travel: net, hold: true, body: func(n int) time.Duration {
			if n == 0 {
				return 2 * time.Second
			}
			return 0
		}}, 64, 0.99, 0},
		{"one body in ten takes half a minute", &meteredService{limit: 100, travel: net, hold: true, body: func(n int) time.Duration {
			if n%10 == 0 {
				return 30 * time.Second
			}
			return 0
		}}, 64, 0.98, 0},
		{"headers come late", &meteredService{limit: 100, travel: inTurn(time.Second, 3*time.Second, 2*time.Second)}, 128, 0.99, 4},
		{"one server in three is 2 s ahead", &meteredService{limit: 100, clocks: []time.Duration{0, 0, 2 * time.Second}, travel: net}, 64, 0.99, 1},
		{"one server in three is half a second ahead", &meteredService{limit: 100, clocks: []time.Duration{0, 0, 500 * time.Millisecond}, travel: net}, 64, 0.98, 2},
		{"one server in three is 2 s ahead in Date alone", &meteredService{limit: 100, shared: true, clocks: []time.Duration{0, 0, 2 * time.Second}, travel: net}, 64, 0.95, 4},
		{"one server in three is 3 s behind", &meteredService{limit: 100, clocks: []time.Duration{0, -3 * time.Second, 0}, travel: net}, 64, 0.99, 1},
		{"clock five minutes ahead", &meteredService{limit: 100, clocks: []time.Duration{5 * minute}, travel: net}, 64, 0.99, 0},
		{"clock an hour behind", &meteredService{limit: 100, clocks: []time.Duration{-60 * minute}, travel: net}, 64, 0.99, 0},

		{"no headers", &meteredService{limit: 100, travel: net, speaks: wordless}, 64, 0.98, 0},
		{"one reply in five without headers", &meteredService{limit: 100, travel: net, speaks: only(func(n int) bool { return n%5 != 2 })}, 64, 0.98, 0},
		{"one reply in two without headers", &meteredService{limit: 100, travel: net, speaks: only(func(n int) bool { return n%2 == 0 })}, 64, 0.99, 0},
		{"four replies in five without headers", &meteredService{limit: 100, travel: net, speaks: only(func(n int) bool { return n%5 == 0 })}, 64, 0.99, 0},
		{"one reply in two without Remaining", &meteredService{limit: 100, travel: net, speaks: func(h http.Header, limit, left int, reset, now time.Time) {
			documented(h, limit, left, reset, now)
			if left%2 == 0 {
				h.Del("X-RateLimit-Remaining")
			}
		}}, 64, 0.98, 1},
		{"one reply in five is lost", &meteredService{limit: 100, travel: net, fails: func(n int) bool { return n%5 == 0 }}, 64, 0.98, 0},
		{"delay, rounded up", &meteredService{limit: 100, travel: net, speaks: delay(time.Second - 1)}, 64, 0.98, 0},
		{"delay, rounded down", &meteredService{limit: 100, travel: net, speaks: delay(0)}, 64, 0.97, 3},
		{"milliseconds", &meteredService{limit: 100, travel: net, speaks: resetAs(func(r time.Time) string { return fmt.Sprint(r.UnixMilli()) })}, 64, 0.99, 0},
		{"RFC 3339", &meteredService{limit: 100, travel: net, speaks: resetAs(func(r time.Time) string { return r.Format(time.RFC3339) })}, 64, 0.99, 0},
		{"HTTP date", &meteredService{limit: 100, travel: net, speaks: resetAs(func(r time.Time) string { return r.UTC().Format(http.TimeFormat) })}, 64, 0.99, 0},
		{"Reset makes no sense", &meteredService{limit: 100, travel: net, speaks: resetAs(func(time.Time) string { return "30000" })}, 64, 0.97, 0},
		{"Reset is always now", &meteredService{limit: 100, travel: net, speaks: func(h http.Header, limit, left int, _, now time.Time) { documented(h, limit, left, now, now) }}, 64, 0.90, 20},
		{"large plan, Reset makes no sense", &meteredService{limit: 6000, travel: net, speaks: resetAs(func(time.Time) string { return "soon" })}, 256, 0.98, 0},
		{"Limit alone", &meteredService{limit: 300, travel: net, speaks: func(h http.Header, limit, _ int, _, _ time.Time) { h.Set("X-RateLimit-Limit", fmt.Sprint(limit)) }}, 64, 0.98, 0},
		{"Remaining alone", &meteredService{limit: 300, travel: net, speaks: func(h http.Header, _, left int, _, _ time.Time) { h.Set("X-RateLimit-Remaining", fmt.Sprint(left)) }}, 64, 0.98, 5},
		{"Reset alone, on a 429 alone", &meteredService{limit: 60, travel: net, speaks: func(h http.Header, _, left int, reset, _ time.Time) {
			if left == 0 {
				h.Set("X-RateLimit-Reset", fmt.Sprint(reset.Unix()))
			}
		}}, 16, 0.98, 100},
		{"Retry-After alone", &meteredService{limit: 60, travel: net, speaks: func(h http.Header, _, left int, reset, now time.Time) {
			if left == 0 {
				h.Set("Retry-After", fmt.Sprint(int(reset.Sub(now)/time.Second)+1))
			}
		}}, 16, 0.96, 100},
		{"a stranger on the token", &meteredService{limit: 100, travel: net, strange: 0.3}, 64, 0.98, 64},
		{"a stranger who takes most", &meteredService{limit: 100, travel: net, strange: 9}, 64, 0.98, 6 * 54},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				used, refused := c.service.run(t, NewMemoryLimiter(0), c.workers, 6*minute)
				assert.GreaterOrEqual(t, used, c.used, "used")
				assert.LessOrEqual(t, refused, c.refused, "429s")
			})
		})
	}
}

func wordless(http.Header, int, int, time.Time, time.Time) {}

// only lets the replies speak whose number in turn says so.
func only(speaks func(n int) bool) func(http.Header, int, int, time.Time, time.Time) {
	n := -1
	return func(h http.Header, limit, left int, reset, now time.Time) {
		if n++; speaks(n) {
			documented(h, limit, left, reset, now)
		}
	}
}

func delay(round time.Duration) func(http.Header, int, int, time.Time, time.Time) {
	return func(h http.Header, limit, left int, reset, now time.Time) {
		documented(h, limit, left, reset, now)
		h.Set("X-RateLimit-Reset", fmt.Sprint(int64((reset.Sub(now)+round)/time.Second)))
	}
}

func resetAs(format func(time.Time) string) func(http.Header, int, int, time.Time, time.Time) {
	return func(h http.Header, limit, left int, reset, now time.Time) {
		documented(h, limit, left, reset, now)
		h.Set("X-RateLimit-Reset", format(reset))
	}
}

func TestClockOfTheServiceMayBeSet(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, time.Hour, -7 * time.Second, 7 * time.Second, -90 * time.Second} {
		t.Run(step.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &meteredService{limit: 100, clocks: []time.Duration{0}, travel: inTurn(20*time.Millisecond, 60*time.Millisecond)}
				time.AfterFunc(150*time.Second, func() {
					s.mu.Lock()
					defer s.mu.Unlock()
					s.clocks[0] = step
				})
				used, refused := s.run(t, NewMemoryLimiter(0), 64, 6*time.Minute)
				assert.GreaterOrEqual(t, used, 0.98)
				assert.LessOrEqual(t, refused, 2)
			})
		})
	}
}

func TestAUsedUpTokenRefusesAfterFiveMinutesInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		began := time.Now()
		refusals := 0
		var longest time.Duration
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				since := time.Now()
				for {
					ticket, err := l.Acquire(context.Background(), LimiterRequest{LimiterKey: testKey, Since: since, MaxWait: 5*time.Minute - time.Since(since)})
					if err != nil {
						var limited *RateLimitError
						assert.ErrorAs(t, err, &limited)
						mu.Lock()
						longest = max(longest, time.Since(began))
						mu.Unlock()
						return
					}
					mu.Lock()
					refusals++
					mu.Unlock()
					ticket.Refused(RateLimit{Known: true, Limit: 100, Reset: time.Now().Truncate(time.Minute).Add(time.Minute)})
				}
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, longest, 5*time.Minute)
		assert.GreaterOrEqual(t, longest, 4*time.Minute, "not before it had to")
		assert.LessOrEqual(t, refusals, 6, "one 429 for each window")
	})
}

func TestAWaiterIsRefusedAsSoonAsItsWaitGrowsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		probe := acquired(t, l)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		waits := map[string]chan error{}
		for name, ctx := range map[string]context.Context{"hurried": ctx, "patient": t.Context()} {
			waits[name] = make(chan error, 1)
			go func() {
				_, err := l.Acquire(ctx, testRequest)
				waits[name] <- err
			}()
		}
		synctest.Wait()
		began := time.Now()
		probe.Refused(RateLimit{Known: true, Limit: 100, Reset: time.Now().Add(55 * time.Second)})
		var limited *RateLimitError
		require.ErrorAs(t, <-waits["hurried"], &limited)
		assert.Zero(t, time.Since(began))
		assert.WithinDuration(t, began.Add(55*time.Second), limited.RetryAt, time.Second)
		require.NoError(t, errors.Join(limited.Err))
		require.NoError(t, <-waits["patient"])
		assert.InDelta(t, 55, time.Since(began).Seconds(), 0.1)
	})
}

func TestWaitOfNoTimeIsNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		now := LimiterRequest{LimiterKey: testKey}
		ticket, err := l.Acquire(t.Context(), now)
		require.NoError(t, err, "there is room")
		_, err = l.Acquire(t.Context(), now)
		require.ErrorIs(t, err, ErrRateLimited, "the first reply of the window is not there yet")
		ticket.Done(RateLimit{Known: true, Limit: 100, Remaining: 1, Reset: time.Now().Add(time.Minute)})
		time.Sleep(time.Second)
		_, err = l.Acquire(t.Context(), now)
		require.NoError(t, err)
		_, err = l.Acquire(t.Context(), now)
		require.ErrorIs(t, err, ErrRateLimited)
	})
}

func TestACallThatDoesNotWaitNeedNotWaitForThoseBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 20, Reset: time.Now().Add(time.Minute)})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := l.Acquire(ctx, LimiterRequest{LimiterKey: testKey, Priority: PriorityLow, Reserve: 30, MaxWait: 2 * time.Minute})
				assert.ErrorIs(t, err, context.Canceled)
			})
		}
		synctest.Wait()
		for range 10 {
			_, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: testKey, Priority: PriorityHigh})
			require.NoError(t, err, "the others wait because they leave a reserve")
		}
		_, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: testKey, Priority: PriorityLow - 1})
		require.ErrorIs(t, err, ErrRateLimited, "its turn is after theirs")
		cancel()
		wg.Wait()
	})
}

func TestHighPriorityGoesBeforeABroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(24 * time.Hour)
		reset := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 0, Reset: reset})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var mu sync.Mutex
		var served []Priority
		ask := func(p Priority) {
			ticket, err := l.Acquire(ctx, LimiterRequest{LimiterKey: testKey, Priority: p, MaxWait: 24 * time.Hour})
			if err != nil {
				return
			}
			mu.Lock()
			served = append(served, p)
			left := 100 - len(served)
			mu.Unlock()
			ticket.Done(RateLimit{Known: true, Limit: 100, Remaining: left, Reset: reset.Add(time.Minute)})
		}
		for range 5000 {
			wg.Go(func() { ask(PriorityLow) })
		}
		time.Sleep(time.Second)
		wg.Go(func() { ask(PriorityHigh) })
		synctest.Wait()
		time.Sleep(time.Until(reset) + 30*time.Second)
		mu.Lock()
		require.NotEmpty(t, served)
		assert.Equal(t, PriorityHigh, served[0])
		assert.Equal(t, 100, len(served), "low ones fill the window") //nolint:testifylint // Len prints them all
		mu.Unlock()
		cancel()
		wg.Wait()
	})
}

func TestReserveIsThereForUrgentCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, reserve = 100, 10
		l := NewMemoryLimiter(24 * time.Hour)
		reset := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: limit, Remaining: limit - 1, Reset: reset})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var mu sync.Mutex
		served := map[Priority]int{}
		left := limit - 1
		ask := func(ctx context.Context, p Priority, reserve int) error {
			ticket, err := l.Acquire(ctx, LimiterRequest{LimiterKey: testKey, Priority: p, Reserve: reserve, MaxWait: 24 * time.Hour})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if !time.Now().Before(reset) {
				left, reset = limit, reset.Add(time.Minute)
			}
			served[p]++
			left--
			ticket.Done(RateLimit{Known: true, Limit: limit, Remaining: left, Reset: reset})
			return nil
		}
		for range 500 {
			wg.Go(func() { _ = ask(ctx, PriorityLow, reserve) })
			wg.Go(func() { _ = ask(ctx, PriorityNormal, reserve) })
		}
		time.Sleep(50 * time.Second)
		mu.Lock()
		assert.Equal(t, reserve, left, "the others go as far as the reserve and no further")
		mu.Unlock()
		began := time.Now()
		for range reserve {
			require.NoError(t, ask(ctx, PriorityHigh, 0))
		}
		assert.Less(t, time.Since(began), reserve*slowPause+time.Second, "an urgent call takes from the reserve")
		mu.Lock()
		end := reset
		mu.Unlock()
		soon, stop := context.WithDeadline(ctx, end.Add(-time.Second))
		defer stop()
		began = time.Now()
		require.ErrorIs(t, ask(soon, PriorityNormal, reserve), ErrRateLimited)
		assert.Zero(t, time.Since(began), "what cannot be served in time is told at once")
		time.Sleep(time.Until(end) + 50*time.Second)
		mu.Lock()
		assert.Equal(t, reserve, left, "in the next window too")
		assert.Equal(t, 2*(limit-reserve)-1, served[PriorityNormal]+served[PriorityLow])
		mu.Unlock()
		cancel()
		wg.Wait()
	})
}

func TestAReserveOfAWholeWindowLeavesHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		reset := time.Now().Add(time.Minute)
		ticket := acquired(t, l)
		served := 0
		for left := 19; ; left-- {
			ticket.Done(RateLimit{Known: true, Limit: 20, Remaining: left, Reset: reset})
			served++
			ctx, stop := context.WithDeadline(t.Context(), reset.Add(-time.Second))
			next, err := l.Acquire(ctx, LimiterRequest{LimiterKey: testKey, Reserve: 1000, MaxWait: time.Hour})
			stop()
			if err != nil {
				require.ErrorIs(t, err, ErrRateLimited)
				break
			}
			ticket = next
		}
		assert.Equal(t, 10, served)
	})
}

func TestACallThatMetA429KeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		since := time.Now()
		ticket := acquired(t, l)
		var mu sync.Mutex
		var order []string
		var wg sync.WaitGroup
		ask := func(name string, since time.Time) {
			ticket, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: testKey, Since: since, MaxWait: time.Minute})
			if assert.NoError(t, err) {
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				ticket.Done(RateLimit{Known: true, Limit: 100, Remaining: 50, Reset: time.Now().Add(time.Minute)})
			}
		}
		time.Sleep(10 * time.Millisecond)
		for range 10 {
			wg.Go(func() { ask("later", time.Now()) })
		}
		synctest.Wait()
		ticket.Refused(RateLimit{Reset: time.Now().Add(20 * time.Second)})
		wg.Go(func() { ask("again", since) })
		wg.Wait()
		require.Len(t, order, 11)
		assert.Equal(t, "again", order[0])
	})
}

func TestRefusalsWithoutAResetWaitLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		var gaps []time.Duration
		last := time.Now()
		for range 6 {
			ticket := acquired(t, l)
			gaps = append(gaps, time.Since(last))
			last = time.Now()
			ticket.Refused(RateLimit{})
		}
		assert.Equal(t, []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}, gaps)
		ticket := acquired(t, l)
		ticket.Done(RateLimit{})
		last = time.Now()
		acquired(t, l).Refused(RateLimit{})
		acquired(t, l).Cancel()
		assert.Equal(t, time.Second, time.Since(last), "it begins anew after a success")
	})
}

func TestRefusalsAtOnceCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		acquired(t, l).Done(RateLimit{})
		tickets := make([]Ticket, 40)
		for i := range tickets {
			tickets[i] = acquired(t, l)
		}
		time.Sleep(100 * time.Millisecond)
		for _, ticket := range tickets {
			ticket.Refused(RateLimit{})
		}
		began := time.Now()
		acquired(t, l).Cancel()
		assert.Equal(t, time.Second, time.Since(began))
	})
}

func TestNothingGoesBeforeTheResetOfA429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		known := RateLimit{Known: true, Limit: 100, Remaining: 90, Reset: time.Now().Add(30 * time.Second)}
		acquired(t, l).Done(known)
		refused, late := acquired(t, l), acquired(t, l)
		until := time.Now().Add(33 * time.Second)
		refused.Refused(RateLimit{Reset: until})
		late.Done(known)
		acquired(t, l).Cancel()
		assert.False(t, time.Now().Before(until), "went %v early", time.Until(until))
	})
}

func TestUnlimitedIsNotMetered(t *testing.T) {
	for _, rate := range []RateLimit{{Known: true, Limit: -1, Remaining: -1}, {Known: true, Limit: 100, Remaining: -1}} {
		synctest.Test(t, func(t *testing.T) {
			l := NewMemoryLimiter(0)
			began := time.Now()
			for range 1000 {
				acquired(t, l).Done(rate)
			}
			assert.Zero(t, time.Since(began))
			assert.True(t, l.Rate(testKey).Unlimited())
			time.Sleep(2 * time.Minute)
			for range 1000 {
				acquired(t, l)
			}
			acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 3, Reset: time.Now().Add(time.Minute)})
			assert.False(t, l.Rate(testKey).Unlimited(), "until the service says otherwise")
		})
	}
}

func TestOnlyTheLastTenKeepApart(t *testing.T) {
	for _, c := range []struct{ limit, left, fast int }{
		{10_000, 899, 890}, {6000, 30, 21}, {100, 30, 21}, {20, 12, 11}, {5, 4, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := NewMemoryLimiter(0)
			acquired(t, l).Done(RateLimit{Known: true, Limit: c.limit, Remaining: c.left, Reset: time.Now().Add(time.Minute)})
			began, fast := time.Now(), 0
			for n := range c.left {
				acquired(t, l)
				if time.Since(began) == 0 {
					fast = n + 1
				}
			}
			assert.Equal(t, c.fast, fast, "limit %d", c.limit)
			assert.Equal(t, time.Duration(c.left-c.fast)*500*time.Millisecond, time.Since(began))
		})
	}
}

func TestLongCallsDoNotHoldQuotaTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		reset := time.Now().Add(time.Minute)
		left := 99
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: left, Reset: reset})
		for range 40 { // connects, say: the service has counted them, their replies take a minute
			acquired(t, l)
			left--
		}
		time.Sleep(2 * time.Second)
		through := 1 + 40
		for range 59 {
			ticket := acquired(t, l)
			left--
			through++
			ticket.Done(RateLimit{Known: true, Limit: 100, Remaining: left, Reset: reset})
		}
		assert.Equal(t, 100, through)
		assert.True(t, time.Now().Before(reset), "the whole window was used before it ended")
	})
}

func TestWindowsThatAreOverAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0).(*memoryLimiter)
		key := func(n int) LimiterKey { return LimiterKey{Scope: strconv.Itoa(n), Class: RateGlobal} }
		ask := func(n int) Ticket {
			ticket, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: key(n)})
			require.NoError(t, err)
			return ticket
		}
		for n := range 20_000 {
			ask(n).Done(RateLimit{Known: true, Limit: 100, Remaining: 99, Reset: time.Now().Add(time.Minute)})
		}
		ask(20_000).Done(RateLimit{Known: true, Limit: 100, Remaining: 0, Reset: time.Now().Add(4 * time.Minute)})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		l.mu.Lock()
		assert.Len(t, l.windows, 1)
		assert.Less(t, l.most, smallMap, "the map has given its room back")
		l.mu.Unlock()
		assert.True(t, l.Rate(key(20_000)).Exhausted(), "this one is not over")
		assert.False(t, l.Rate(key(1)).Known)
		ask(1).Cancel()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		assert.Empty(t, l.windows)
		assert.Nil(t, l.oldest)
		assert.False(t, l.sweeping, "no timer is left")
	})
}

// goes counts how many requests go without a wait.
func goes(t *testing.T, l Limiter) (tickets []Ticket) {
	t.Helper()
	for {
		ticket, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: testKey})
		if err != nil {
			require.ErrorIs(t, err, ErrRateLimited)
			return tickets
		}
		tickets = append(tickets, ticket)
	}
}

func TestRequestsOnTheirWayAtTheEndCountInTheNextWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		end := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 5, Remaining: 4, Reset: end})
		time.Sleep(time.Minute - 10*time.Millisecond)
		assert.Len(t, goes(t, l), 4)
		time.Sleep(10 * time.Millisecond)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 5, Remaining: 4, Reset: end.Add(time.Minute)})
		assert.Empty(t, goes(t, l), "they may arrive now")
		time.Sleep(travelTime)
		assert.Len(t, goes(t, l), 4, "by now they have arrived, before the first reply")
	})
}

func TestADoubtEndsWithALaterReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		said := func(left int) RateLimit {
			return RateLimit{Known: true, Limit: 100, Remaining: left, Reset: time.Now().Truncate(time.Minute).Add(time.Minute)}
		}
		acquired(t, l).Done(said(99))
		time.Sleep(time.Millisecond)
		silent, other, third := acquired(t, l), acquired(t, l), acquired(t, l)
		time.Sleep(time.Millisecond)
		other.Done(said(97))
		silent.Done(RateLimit{})
		third.Done(said(96))
		assert.Equal(t, 95, l.Rate(testKey).Remaining, "all that may have been said before it came")
		time.Sleep(time.Millisecond)
		acquired(t, l).Done(said(95))
		assert.Equal(t, 95, l.Rate(testKey).Remaining, "it came before")
	})
}

func TestRequestsThatEndDoubtsBecomeRareWhenNoneComesBack(t *testing.T) {
	assert.Equal(t, []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 16 * time.Second},
		gapsInDoubt(t, func(ticket Ticket) { ticket.Done(RateLimit{}) }))
	unsent := gapsInDoubt(t, Ticket.Cancel)
	assert.Len(t, unsent, 58, "those that never left count for nothing")
	assert.Equal(t, time.Second, slices.Max(unsent))
}

// gapsInDoubt is what lies between the requests of a window whose rest is in
// doubt, each of which ends so.
func gapsInDoubt(t *testing.T, end func(Ticket)) (gaps []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		reset := time.Now().Add(time.Minute)
		said := func(left int) RateLimit { return RateLimit{Known: true, Limit: 100, Remaining: left, Reset: reset} }
		acquired(t, l).Done(said(99))
		var lost []Ticket
		for range 8 {
			lost = append(lost, acquired(t, l))
		}
		time.Sleep(time.Second)
		acquired(t, l).Done(said(8))
		for _, ticket := range lost {
			ticket.Done(RateLimit{}) // they may be in the 8 or not
		}
		for last := time.Now(); ; last = time.Now() {
			ctx, cancel := context.WithDeadline(t.Context(), reset.Add(-time.Second))
			ticket, err := l.Acquire(ctx, LimiterRequest{LimiterKey: testKey, MaxWait: time.Minute})
			cancel()
			if err != nil {
				break
			}
			gaps = append(gaps, time.Since(last))
			end(ticket)
		}
	})
	return gaps
}

func TestWithoutAWordRequestsGoOnSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		var through []int
		for range 10 {
			through = append(through, len(goes(t, l)))
			time.Sleep(probePatience)
		}
		assert.Equal(t, []int{1, 1, 2, 4, 8, 16, 32, 27, 1, 1}, through, "the last ten keep apart")
	})
}

func TestAServiceThatNeverSpeaksIsNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		began, through := time.Now(), 0
		for time.Since(began) < time.Minute {
			tickets := goes(t, l)
			if len(tickets) == 0 {
				break
			}
			through += len(tickets)
			time.Sleep(50 * time.Millisecond)
			for _, ticket := range tickets {
				ticket.Done(RateLimit{})
			}
		}
		assert.Equal(t, 91, through, "and then the last nine, which keep apart")
		assert.Less(t, time.Since(began), time.Second)
	})
}

func TestNobodyIsRefusedBeforeTheFirstReplyTellsTheLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		limit, ask    int
		deadline      time.Duration
		warm          bool
		idle          time.Duration
		lost          int // first replies
		sent, refused int
	}{
		{name: "a plan of 1,000", limit: 1000, ask: 900, deadline: 5 * time.Second, sent: 900},
		{name: "a plan of 10,000", limit: 10_000, ask: 5000, deadline: time.Hour, sent: 5000},
		{name: "known, and idle since", limit: 1000, ask: 900, deadline: 5 * time.Second, warm: true, idle: 61 * time.Second, sent: 900},
		{name: "known, and long idle since", limit: 1000, ask: 900, deadline: 5 * time.Second, warm: true, idle: 20 * time.Minute, sent: 900},
		{name: "more than the plan", limit: 1000, ask: 1200, deadline: 20 * time.Second, sent: 1000, refused: 200},
		{name: "the first replies are lost", limit: 1000, ask: 900, deadline: 5 * time.Second, lost: 3, sent: 900},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &meteredService{limit: c.limit, period: time.Minute, travel: every(25 * time.Millisecond), window: time.Now(), fails: func(n int) bool { return n < c.lost }}
				s.byOurs, s.byAll = map[time.Time]int{}, map[time.Time]int{}
				l := NewMemoryLimiter(2 * time.Hour)
				var skew clockSkew
				if c.warm {
					s.call(t.Context(), l, &skew)
					time.Sleep(c.idle)
				}
				began := time.Now()
				var mu sync.Mutex
				var wg sync.WaitGroup
				sent, refused := 0, 0
				for range c.ask {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
						defer cancel()
						ticket, err := l.Acquire(ctx, LimiterRequest{LimiterKey: testKey, MaxWait: time.Hour})
						if err != nil {
							assert.Less(t, time.Since(began), time.Second, "at once after the first reply")
							mu.Lock()
							refused++
							mu.Unlock()
							return
						}
						time.Sleep(25 * time.Millisecond)
						n, h, ok := s.serve()
						time.Sleep(25 * time.Millisecond)
						rate := parseRateLimit(h, time.Now(), &skew)
						if s.fails(n) {
							rate = RateLimit{}
						}
						ticket.Done(rate)
						mu.Lock()
						defer mu.Unlock()
						if assert.True(t, ok) {
							sent++
						}
					})
				}
				wg.Wait()
				assert.Equal(t, c.sent, sent, "sent")
				assert.Equal(t, c.refused, refused, "refused")
			})
		})
	}
}

func TestAWaitForTheFirstReplyEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		acquired(t, l)
		var wg sync.WaitGroup
		began := time.Now()
		for range 300 { // the reply does not come: these use up what is assumed
			wg.Go(func() {
				_, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: testKey, MaxWait: 10*time.Second + 300*time.Millisecond})
				if err != nil {
					assert.ErrorIs(t, err, ErrRateLimited)
					assert.Equal(t, 10*time.Second+300*time.Millisecond, time.Since(began).Truncate(time.Millisecond))
				}
			})
		}
		wg.Wait()
	})
}

func TestWaitsAreEstimatedWithTheLengthOfTheWindows(t *testing.T) {
	for _, c := range []struct {
		name          string
		limit         int
		period, phase time.Duration
		ask           int
		refused       int
	}{
		{name: "a second", limit: 10, period: time.Second, ask: 100},
		{name: "a second, begun by others", limit: 10, period: time.Second, phase: 300 * time.Millisecond, ask: 100},
		{name: "ten seconds", limit: 100, period: 10 * time.Second, ask: 2000},
		{name: "a minute", limit: 100, period: time.Minute, ask: 601, refused: 101},
		{name: "two minutes", limit: 100, period: 2 * time.Minute, ask: 400, refused: 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				s := &meteredService{limit: c.limit, period: c.period, window: began.Add(-c.phase), travel: every(time.Millisecond)}
				s.byOurs, s.byAll = map[time.Time]int{}, map[time.Time]int{}
				l := NewMemoryLimiter(290 * time.Second)
				var mu sync.Mutex
				var wg sync.WaitGroup
				refused := 0
				for range c.ask {
					wg.Go(func() {
						ticket, err := l.Acquire(t.Context(), LimiterRequest{LimiterKey: testKey, MaxWait: time.Hour})
						if err != nil {
							mu.Lock()
							defer mu.Unlock()
							refused++
							assert.Less(t, time.Since(began), c.period+5*time.Second, "once the length is known")
							return
						}
						time.Sleep(time.Millisecond)
						_, h, ok := s.serve()
						assert.True(t, ok)
						rate := parseRateLimit(h, time.Now(), new(clockSkew))
						s.mu.Lock()
						rate.Reset = s.window.Add(s.period)
						s.mu.Unlock()
						ticket.Done(rate)
					})
				}
				wg.Wait()
				assert.Equal(t, c.refused, refused)
			})
		})
	}
}

func TestSlowRequestsKeepTheirShareOfTheWindow(t *testing.T) {
	for _, upload := range []time.Duration{100 * time.Millisecond, 2 * time.Second, 5 * time.Second, 20 * time.Second, 45 * time.Second} {
		t.Run(upload.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &meteredService{limit: 100, period: time.Minute, window: time.Now()}
				s.byOurs, s.byAll = map[time.Time]int{}, map[time.Time]int{}
				l := NewMemoryLimiter(0)
				var skew clockSkew
				send := func(travel time.Duration) {
					ticket, err := l.Acquire(t.Context(), testRequest)
					if !assert.NoError(t, err) {
						return
					}
					time.Sleep(travel) // counted when the service has all of it
					_, h, ok := s.serve()
					if ok {
						ticket.Done(parseRateLimit(h, time.Now(), &skew))
					} else {
						ticket.Refused(parseRefusal(h, time.Now(), &skew))
					}
				}
				send(10 * time.Millisecond)
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() { send(upload) })
				}
				synctest.Wait()
				for range 16 {
					wg.Go(func() {
						for range 6 {
							send(10 * time.Millisecond)
						}
					})
				}
				wg.Wait()
				assert.Zero(t, s.refused, "429s")
				assert.Equal(t, 117, s.calls)
				assert.Equal(t, 100, s.byOurs[s.window.Add(-s.period)], "none is idle")
			})
		})
	}
}
