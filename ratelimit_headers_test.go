package ryze

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

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
		{"HTTP date in UTC", "100", "57", soon.Format(time.RFC1123), date, RateLimit{true, 100, 57, soon}},
		{"HTTP date of old", "100", "57", soon.Format("Monday, 02-Jan-06 15:04:05 GMT"), date, RateLimit{true, 100, 57, soon}},
		{"HTTP date of C", "100", "57", soon.Format(time.ANSIC), date, RateLimit{true, 100, 57, soon}},
		{"lists", "100, 100;w=60", "57, 57", "30, 30", date, RateLimit{true, 100, 57, soon}},
		{"spaces", " 100 ", " 57", " 30 ", date, RateLimit{true, 100, 57, soon}},
		{"no date", "100", "57", fmt.Sprint(now.Unix() + 30), "", RateLimit{true, 100, 57, soon}},
		{"a date that is none", "100", "57", epoch, "yesterday", RateLimit{true, 100, 57, soon}},
		{"a date of another age", "100", "57", epoch, "Fri, 02 Jan 0001 03:04:05 GMT", RateLimit{true, 100, 57, soon}},
		{"clock ahead", "100", "0", fmt.Sprint(now.Unix() + 330), now.Add(5 * time.Minute).Format(http.TimeFormat), RateLimit{true, 100, 0, soon}},
		{"clock behind", "100", "0", fmt.Sprint(now.Unix() - 270), now.Add(-5 * time.Minute).Format(http.TimeFormat), RateLimit{true, 100, 0, soon}},
		{"clock ahead, date of a zone", "100", "0", fmt.Sprint(now.Unix() + 330), now.Add(5 * time.Minute).In(time.FixedZone("", -3*3600)).Format(time.RFC1123Z), RateLimit{true, 100, 0, soon}},
		{"clock ahead, date in UTC", "100", "0", fmt.Sprint(now.Unix() + 330), now.Add(5 * time.Minute).Format(time.RFC1123), RateLimit{true, 100, 0, soon}},
		{"clock behind, RFC 3339", "100", "0", fmt.Sprint(now.Unix() - 270), now.Add(-5 * time.Minute).Format(time.RFC3339), RateLimit{true, 100, 0, soon}},
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
		{"unlimited in words", "Unlimited", "unlimited", "", date, RateLimit{true, -1, -1, time.Time{}}},
		{"unlimited by Limit", "-1", "", "", date, RateLimit{true, -1, -1, time.Time{}}},
		{"unlimited by Limit, with a Remaining", "-1", "0", "", date, RateLimit{true, -1, -1, time.Time{}}},
		{"unlimited by Remaining", "100", "-1", "", date, RateLimit{true, 100, -1, time.Time{}}},
		{"overdrawn", "100", "-5", "30", date, RateLimit{true, 100, 0, soon}},
		{"a negative limit", "-7", "5", "-30", date, RateLimit{true, 0, 5, time.Time{}}},
		{"a limit of nothing", "0", "5", "30", date, RateLimit{true, 0, 5, soon}},
		{"nothing of nothing", "0", "0", "30", date, RateLimit{false, 0, 0, soon}},
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

// What one reply says of the clock is not taken for the word of another that came
// at the same moment.
func TestServerTimeIsThatOfTheReplysOwnDate(t *testing.T) {
	var skew clockSkew
	now := time.Now()
	same := now.UTC().Format(http.TimeFormat)
	skew.serverTime(same, now)
	skew.serverTime(now.Add(time.Hour).UTC().Format(time.RFC3339), now)
	assert.WithinDuration(t, now, skew.serverTime(same, now), time.Second)
}
