package ryze

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// sendMany makes n sends by workers through client and returns how long that
// took in virtual time and how many of the requests met a 429.
func sendMany(t *testing.T, sim *ryzetest.Server, handles []*InstanceClient, workers, n int) (took time.Duration, refused int) {
	t.Helper()
	var next, failed atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for w := range workers {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				if _, err := handles[w%len(handles)].Messages.SendText(context.Background(), "5511987654321", "hi"); err != nil {
					failed.Add(1)
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	took = time.Since(began)
	for _, r := range sim.Requests() {
		if r.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	require.Zero(t, failed.Load())
	return took, refused
}

// idealTime is how long n requests take at 100 a minute when none is wasted:
// the first hundred go at once.
func idealTime(n int) time.Duration { return time.Duration((n-1)/100) * time.Minute }

func within(t *testing.T, ideal, took time.Duration, percent float64) {
	t.Helper()
	assert.GreaterOrEqual(t, took, ideal, "faster than the quota allows: the simulator did not meter")
	assert.LessOrEqual(t, took.Seconds(), ideal.Seconds()*(1+percent/100), "ideal %v, took %v", ideal, took)
}

func TestQuotaIsUsedToTheLastRequestAndNoFurther(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []ryzetest.Option
	}{
		{"plain", nil},
		{"clock of the service five minutes ahead", []ryzetest.Option{ryzetest.WithClockSkew(5 * time.Minute)}},
		{"clock of the service five minutes behind", []ryzetest.Option{ryzetest.WithClockSkew(-5 * time.Minute)}},
		{"reset as a delay", []ryzetest.Option{ryzetest.WithRelativeReset()}},
		{"no headers at all", []ryzetest.Option{ryzetest.WithoutRateHeaders()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				a := paired(t, sim, client, "a")
				took, refused := sendMany(t, sim, []*InstanceClient{a}, 64, 1000)
				assert.Zero(t, refused, "429s")
				within(t, idealTime(1000), took, 2)
				assert.Len(t, sim.Instance("a").Sent(), 1000)
			}, c.opts...)
		})
	}
}

func TestHandlesOfOneTokenShareItsWindow(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		again := client.Instance("a", sim.Instance("a").Token())
		took, refused := sendMany(t, sim, []*InstanceClient{a, again}, 64, 300)
		assert.Zero(t, refused)
		within(t, idealTime(300), took, 5)
	})
}

func TestTokensHaveWindowsOfTheirOwn(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a, b := paired(t, sim, client, "a"), paired(t, sim, client, "b")
		var wg sync.WaitGroup
		for _, inst := range []*InstanceClient{a, b} {
			wg.Go(func() {
				took, refused := sendMany(t, sim, []*InstanceClient{inst}, 32, 100)
				assert.Zero(t, refused)
				assert.Less(t, took, time.Minute, "each token has a hundred requests in the first minute")
			})
		}
		wg.Wait()
	})
}

func TestCreationsHaveAClassBesideTheOther(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		account := client.Account(sim.AccountToken)
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				_, err := account.CreateInstance(context.Background(), CreateInstanceParams{Name: fmt.Sprint("i", i)})
				assert.NoError(t, err)
			})
			wg.Go(func() {
				_, err := account.ListInstances(context.Background())
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.GreaterOrEqual(t, time.Since(began), 2*time.Minute, "60 creations at 20 a minute")
		assert.Less(t, time.Since(began), 2*time.Minute+5*time.Second)
		for _, r := range sim.Requests() {
			require.NotEqual(t, http.StatusTooManyRequests, r.Status)
		}
	}, ryzetest.WithQuota(1000))
}

func TestAStrangerOnTheTokenCostsWaitsNotFailures(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sim.SetStranger(0.3)
		took, refused := sendMany(t, sim, []*InstanceClient{a}, 64, 500)
		assert.Len(t, sim.Instance("a").Sent(), 500, "each message once")
		assert.Less(t, took, 12*time.Minute)
		assert.Less(t, refused, 100, "429s are absorbed, not provoked")
	})
}

func TestWaitBeyondTheDeadlineFailsAtOnce(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sendMany(t, sim, []*InstanceClient{a}, 10, 100)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began, requests := time.Now(), len(sim.Requests())

		_, err := a.Messages.SendText(ctx, "5511987654321", "hi")

		var limited *RateLimitError
		require.ErrorAs(t, err, &limited)
		require.ErrorIs(t, err, ErrRateLimited)
		assert.NotErrorIs(t, err, ErrOutcomeUnknown)
		assert.Equal(t, "messages.text", limited.Operation)
		assert.True(t, limited.RetryAt.After(time.Now()))
		assert.Zero(t, time.Since(began), "it waited")
		assert.Len(t, sim.Requests(), requests, "no request was made")
	})
}

func TestWaitEndsWithTheContext(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sendMany(t, sim, []*InstanceClient{a}, 10, 100)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := a.Messages.SendText(ctx, "5511987654321", "hi")
			done <- err
		}()
		synctest.Wait()
		cancel()
		err := <-done
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, ErrRateLimited)
	})
}

func TestRateLimitIsReadableEverywhere(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		a := paired(t, sim, client, "a")
		sent, err := a.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.NoError(t, err)
		assert.Equal(t, 99, sent.RateLimit.Remaining)
		assert.Equal(t, 99, a.RateLimit().Remaining)
		assert.Equal(t, a.RateLimit(), client.RateLimit(sim.Instance("a").Token(), RateGlobal))

		_, err = client.Instance("nobody", sim.AccountToken).Messages.SendText(t.Context(), "5511987654321", "hi")
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, 99, api.RateLimit.Remaining)
	})
}

// The limiter alone, with replies made by hand.

func acquired(t *testing.T, l Limiter) Ticket {
	t.Helper()
	ticket, err := l.Acquire(t.Context(), testRequest)
	require.NoError(t, err)
	return ticket
}

var (
	testKey     = LimiterKey{Scope: "x", Class: RateGlobal}
	testRequest = LimiterRequest{LimiterKey: testKey, MaxWait: time.Hour}
)

func TestLateAndHeaderlessRepliesNeverRaiseWhatRemains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		reset := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 99, Reset: reset})
		late := acquired(t, l)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 40, Reset: reset})
		late.Done(RateLimit{Known: true, Limit: 100, Remaining: 98, Reset: reset})
		assert.Equal(t, 40, l.Rate(testKey).Remaining)

		acquired(t, l).Done(RateLimit{})
		assert.Equal(t, 39, l.Rate(testKey).Remaining, "a reply without headers was counted all the same")

		acquired(t, l).Cancel()
		assert.Equal(t, 39, l.Rate(testKey).Remaining, "a request that never left gives its place back")
	})
}

func TestReplyOfThePastWindowDoesNotDrainTheNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		first := time.Now().Add(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 5, Reset: first})
		slow := acquired(t, l)
		time.Sleep(time.Minute)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 99, Reset: first.Add(time.Minute)})
		slow.Done(RateLimit{Known: true, Limit: 100, Remaining: 4, Reset: first})
		assert.Equal(t, 99, l.Rate(testKey).Remaining)
	})
}

func TestWaitersAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 0, Reset: time.Now().Add(time.Minute)})
		var order []int
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ticket, err := l.Acquire(context.Background(), testRequest)
				assert.NoError(t, err)
				order = append(order, i) // one at a time: each waits for the one before
				ticket.Done(RateLimit{Known: true, Limit: 1, Remaining: 0, Reset: time.Now().Add(time.Second)})
			})
			synctest.Wait()
		}
		wg.Wait()
		for i, who := range order {
			require.Equal(t, i, who, "%v", order)
		}
	})
}

func TestAWaiterThatGivesUpLeavesItsPlaceToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 0, Reset: time.Now().Add(time.Minute)})
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := l.Acquire(ctx, testRequest)
			gone <- err
		}()
		synctest.Wait()
		served := make(chan time.Time, 1)
		go func() {
			ticket, err := l.Acquire(context.Background(), testRequest)
			assert.NoError(t, err)
			served <- time.Now()
			ticket.Cancel()
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		assert.WithinDuration(t, time.Now().Add(time.Minute), <-served, time.Minute)
	})
}

func TestANewWindowIsProbedByOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		var through atomic.Int32
		var wg sync.WaitGroup
		probe := acquired(t, l)
		for range 50 {
			wg.Go(func() {
				ticket, err := l.Acquire(context.Background(), testRequest)
				assert.NoError(t, err)
				through.Add(1)
				ticket.Done(RateLimit{})
			})
		}
		synctest.Wait()
		require.Zero(t, through.Load(), "nobody goes before the first reply")
		probe.Done(RateLimit{Known: true, Limit: 100, Remaining: 70, Reset: time.Now().Add(time.Minute)})
		synctest.Wait()
		assert.Equal(t, int32(50), through.Load())
		wg.Wait()
	})
}

func TestAProbeThatTakesLongHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter(0)
		probe := acquired(t, l) // a call that blocks for a minute, such as connect
		began := time.Now()
		acquired(t, l).Done(RateLimit{Known: true, Limit: 100, Remaining: 98, Reset: time.Now().Add(time.Minute)})
		assert.Equal(t, probePatience, time.Since(began))
		probe.Done(RateLimit{})
	})
}

func TestWindowsThatAreCutToTheSecondCostOneRefusal(t *testing.T) {
	// A service whose windows begin at any moment, but whose header is cut to
	// the second, seems to restart up to a second early.
	simulatedService := func(began time.Time) func() RateLimit {
		window, used := began, 0
		return func() RateLimit {
			for !time.Now().Before(window.Add(time.Minute)) {
				window, used = window.Add(time.Minute), 0
			}
			used++
			return RateLimit{Known: true, Limit: 10, Remaining: max(10-used, 0), Reset: window.Add(time.Minute).Truncate(time.Second)}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(700 * time.Millisecond)
		l := NewMemoryLimiter(0)
		reply := simulatedService(time.Now())
		refused, accepted := 0, 0
		for range 80 {
			ticket := acquired(t, l)
			rate := reply()
			if accepted > 0 && rate.Remaining == 0 && !rate.Reset.After(time.Now()) {
				refused++
			} else {
				accepted++
			}
			ticket.Done(rate)
		}
		assert.LessOrEqual(t, refused, 1)
	})
}

func TestOddRateHeadersAreHarmless(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	date := now.Format(http.TimeFormat)
	soon := now.Add(30 * time.Second)
	epoch := fmt.Sprint(soon.Unix())
	for _, c := range []struct {
		name                    string
		limit, remaining, reset string
		date                    string
		want                    RateLimit
	}{
		{"as documented", "100", "57", epoch, date, RateLimit{true, 100, 57, soon}},
		{"a delay", "100", "57", "30", date, RateLimit{true, 100, 57, soon}},
		{"a delay with a fraction", "100", "57", "30.0", date, RateLimit{true, 100, 57, soon}},
		{"a delay with a unit", "100", "57", "30s", date, RateLimit{true, 100, 57, soon}},
		{"milliseconds", "100", "57", epoch + "000", date, RateLimit{true, 100, 57, soon}},
		{"microseconds", "100", "57", epoch + "000000", date, RateLimit{true, 100, 57, soon}},
		{"nanoseconds", "100", "57", epoch + "000000000", date, RateLimit{true, 100, 57, soon}},
		{"seconds with a fraction", "100", "57", epoch + ".0", date, RateLimit{true, 100, 57, soon}},
		{"a float", "1e2", "57", "1.767323075e+09", date, RateLimit{true, 0, 57, soon}},
		{"RFC 3339", "100", "57", soon.Format(time.RFC3339), date, RateLimit{true, 100, 57, soon}},
		{"RFC 3339 elsewhere", "100", "57", soon.In(time.FixedZone("", -3*3600)).Format(time.RFC3339Nano), date, RateLimit{true, 100, 57, soon}},
		{"ISO without a zone", "100", "57", soon.Format("2006-01-02T15:04:05"), date, RateLimit{true, 100, 57, soon}},
		{"HTTP date", "100", "57", soon.Format(http.TimeFormat), date, RateLimit{true, 100, 57, soon}},
		{"lists", "100, 100;w=60", "57, 57", "30, 30", date, RateLimit{true, 100, 57, soon}},
		{"spaces", " 100 ", " 57", " 30 ", date, RateLimit{true, 100, 57, soon}},
		{"no date", "100", "57", fmt.Sprint(now.Unix() + 30), "", RateLimit{true, 100, 57, soon}},
		{"a date that is none", "100", "57", epoch, "yesterday", RateLimit{true, 100, 57, soon}},
		{"a date of another age", "100", "57", epoch, "Fri, 02 Jan 0001 03:04:05 GMT", RateLimit{true, 100, 57, soon}},
		{"clock ahead", "100", "0", fmt.Sprint(now.Unix() + 330), now.Add(5 * time.Minute).Format(http.TimeFormat), RateLimit{true, 100, 0, soon}},
		{"clock behind", "100", "0", fmt.Sprint(now.Unix() - 270), now.Add(-5 * time.Minute).Format(http.TimeFormat), RateLimit{true, 100, 0, soon}},
		{"clock days behind, HTTP date", "100", "0", soon.AddDate(0, 0, -9).Format(http.TimeFormat), now.AddDate(0, 0, -9).Format(http.TimeFormat), RateLimit{true, 100, 0, soon}},
		{"none", "", "", "", date, RateLimit{}},
		{"Limit and Reset", "100", "", "30", date, RateLimit{false, 100, 0, soon}},
		{"Limit alone", "100", "", "", date, RateLimit{false, 100, 0, time.Time{}}},
		{"Remaining alone", "", "57", "", date, RateLimit{true, 0, 57, time.Time{}}},
		{"Reset alone", "", "", epoch, date, RateLimit{false, 0, 0, soon}},
		{"not a number", "x", "y", "z", date, RateLimit{}},
		{"reset not a number", "100", "5", "soon", date, RateLimit{true, 100, 5, time.Time{}}},
		{"not finite", "NaN", "Inf", "NaN", date, RateLimit{}},
		{"unlimited", "-1", "-1", "-1", date, RateLimit{true, -1, -1, time.Time{}}},
		{"unlimited by Limit", "-1", "", "", date, RateLimit{true, -1, -1, time.Time{}}},
		{"unlimited by Limit, with a Remaining", "-1", "0", "", date, RateLimit{true, -1, -1, time.Time{}}},
		{"unlimited by Remaining", "100", "-1", "", date, RateLimit{true, 100, -1, time.Time{}}},
		{"overdrawn", "100", "-5", "30", date, RateLimit{true, 100, 0, soon}},
		{"a negative limit", "-7", "5", "-30", date, RateLimit{true, 0, 5, time.Time{}}},
		{"a limit of nothing", "0", "5", "30", date, RateLimit{true, 0, 5, soon}},
		{"huge", "9223372036854775807", "9223372036854775807", "9223372036854775807", date, RateLimit{true, largestQuota, largestQuota, time.Time{}}},
		{"five minutes", "100", "5", "300", date, RateLimit{true, 100, 5, now.Add(5 * time.Minute)}},
		{"beyond five minutes", "100", "5", "301", date, RateLimit{true, 100, 5, time.Time{}}},
		{"a delay in milliseconds", "100", "5", "30000", date, RateLimit{true, 100, 5, time.Time{}}},
		{"a plan of a day", "100", "5", fmt.Sprint(now.Add(24 * time.Hour).Unix()), date, RateLimit{true, 100, 5, time.Time{}}},
		{"huge delay", "100", "5", "999999999", date, RateLimit{true, 100, 5, time.Time{}}},
		{"overflow", "100", "5", "99999999999999999999", date, RateLimit{true, 100, 5, time.Time{}}},
		{"far future", "100", "5", fmt.Sprint(now.AddDate(1, 0, 0).Unix()), date, RateLimit{true, 100, 5, time.Time{}}},
		{"remaining above the limit", "100", "5000", "30", date, RateLimit{true, 100, 100, soon}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parseRateLimit(rateHeaders(c.limit, c.remaining, c.reset, c.date), now, new(clockSkew))
			assert.True(t, c.want.Reset.Equal(got.Reset), "reset: want %v, got %v", c.want.Reset, got.Reset)
			c.want.Reset, got.Reset = time.Time{}, time.Time{}
			assert.Equal(t, c.want, got)
		})
	}
}

func rateHeaders(limit, remaining, reset, date string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset, "Date": date} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

func TestRetryAfterIsALowerBoundOfReset(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for after, want := range map[string]int{
		"": 30, "10": 30, "45": 45, now.Add(50 * time.Second).Format(http.TimeFormat): 50, "soon": 30, "-5": 30, "86400": 30,
	} {
		h := rateHeaders("100", "0", "30", now.Format(http.TimeFormat))
		h.Set("Retry-After", after)
		assert.Equal(t, now.Add(time.Duration(want)*time.Second), parseRefusal(h, now, new(clockSkew)).Reset, after)
		assert.Equal(t, now.Add(30*time.Second), parseRateLimit(h, now, new(clockSkew)).Reset, "it speaks of refusals")
	}
	alone := parseRefusal(http.Header{"Retry-After": {"45"}}, now, new(clockSkew))
	assert.Equal(t, RateLimit{Reset: now.Add(45 * time.Second)}, alone)
}

// Each server's Reset is right by its own Date.
func TestServersWithClocksOfTheirOwnAreNotMixedUp(t *testing.T) {
	var skew clockSkew
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for n := range 300 {
		at := now.Add(time.Duration(n) * 170 * time.Millisecond)
		end := now.Add(time.Minute)
		clock := time.Duration(0)
		switch {
		case n >= 200:
			clock = -time.Hour // set back
		case n%3 == 0:
			clock = 2 * time.Second
		}
		h := rateHeaders("100", "9", fmt.Sprint(end.Add(clock).Unix()), at.Add(clock).Format(http.TimeFormat))
		reset := parseRateLimit(h, at, &skew).Reset
		if n < 10 {
			continue // not known yet that there are several
		}
		assert.WithinRange(t, reset, end, end.Add(time.Second), "%d", n)
	}
}

func TestClockOfThisMachineMayBeSet(t *testing.T) {
	var skew clockSkew
	now := time.Now() // with a monotonic reading, which Add keeps
	end := now.Add(time.Minute)
	for n, step := range []time.Duration{0, 0, -time.Hour, time.Hour, 0} {
		at := now.Add(time.Duration(n) * time.Second)
		seen := at.Round(0).Add(step) // what the clock shows now
		if n < 2 {
			seen = at
		}
		h := rateHeaders("100", "9", fmt.Sprint(end.Unix()+1), at.UTC().Format(http.TimeFormat))
		left := parseRateLimit(h, seen, &skew).Reset.Sub(seen)
		assert.InDelta(t, end.Sub(at).Seconds(), left.Seconds(), 2, "step %v", step)
	}
}

func TestRateHeadersCostNothing(t *testing.T) {
	now := time.Now()
	h := rateHeaders("100", "57", fmt.Sprint(now.Unix()+30), now.UTC().Format(http.TimeFormat))
	var skew clockSkew
	assert.Zero(t, testing.AllocsPerRun(100, func() { parseRateLimit(h, now, &skew) }))
}

func TestSkewComesCloserWithEachReply(t *testing.T) {
	var c clockSkew
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, millis := range []int{900, 400, 50, 800} {
		at := now.Add(time.Duration(millis) * time.Millisecond)
		c.observe(at.Add(3*time.Minute).Truncate(time.Second), at)
	}
	at := now.Add(500 * time.Millisecond)
	assert.Equal(t, 3*time.Minute-50*time.Millisecond, c.observe(at.Add(3*time.Minute).Truncate(time.Second), at))
}

func FuzzRateHeaders(f *testing.F) {
	f.Add("100", "57", "1767323075", "Fri, 02 Jan 2026 03:04:05 GMT")
	f.Add("-1", "9223372036854775807", "30", "")
	f.Add("", "0", "-9223372036854775808", "x")
	f.Add("1e3", "0.5", "2026-01-02T03:04:35Z", "Fri, 02 Jan 9999 03:04:05 GMT")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, limit, remaining, reset, date string) {
		h := http.Header{"X-Ratelimit-Limit": {limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}, "Date": {date}}
		rate := parseRateLimit(h, now, new(clockSkew))
		if rate.Remaining < -1 || rate.Limit < -1 || rate.Remaining > largestQuota || rate.Limit > largestQuota {
			t.Fatalf("out of bounds: %+v", rate)
		}
		if !rate.Reset.IsZero() && (rate.Reset.Sub(now) > farthestReset || now.Sub(rate.Reset) > farthestReset) {
			t.Fatalf("reset out of bounds: %v", rate.Reset)
		}
	})
}
