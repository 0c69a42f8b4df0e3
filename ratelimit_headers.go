package ryze

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	farthestReset = 5 * time.Minute // beyond it a Reset makes no sense
	largestQuota  = 1_000_000

	// Numbers of X-RateLimit-Reset below are seconds from now, above in units
	// since 1970: seconds, or a thousandth, millionth, billionth of one.
	epochSeconds = 1e8
	epochMillis  = 1e11
	epochMicros  = 1e14
	epochNanos   = 1e17
)

// parseRateLimit reads the quota headers of a reply. arrived is when the
// headers came, which may be long before the body was read.
func parseRateLimit(h http.Header, arrived time.Time, skew *clockSkew) RateLimit {
	var rate RateLimit
	remaining, hasRemaining := headerNumber(h, "X-Ratelimit-Remaining")
	limit, hasLimit := headerNumber(h, "X-Ratelimit-Limit")
	switch {
	case hasLimit && limit == -1:
		rate.Known, rate.Limit, rate.Remaining = true, -1, -1
	case hasLimit && limit > 0:
		rate.Limit = int(min(limit, largestQuota))
	}
	nothing := hasLimit && limit == 0 && remaining == 0 // said to a request that went through, it tells nothing
	if hasRemaining && rate.Limit >= 0 && !nothing {
		rate.Known = true
		if remaining == -1 {
			rate.Remaining = -1
		} else {
			rate.Remaining = int(min(max(remaining, 0), largestQuota))
		}
		if rate.Limit > 0 {
			rate.Remaining = min(rate.Remaining, rate.Limit)
		}
	}
	if reset := header(h, "X-Ratelimit-Reset"); reset != "" {
		rate.Reset = resetTime(reset, h, arrived, skew)
	}
	return rate
}

// parseRefusal reads the quota headers of a 429 of the quota. There Retry-After,
// if there is one, is a lower bound of Reset.
func parseRefusal(h http.Header, arrived time.Time, skew *clockSkew) RateLimit {
	rate := parseRateLimit(h, arrived, skew)
	if after := header(h, "Retry-After"); after != "" {
		if at := resetTime(after, h, arrived, skew); at.After(rate.Reset) {
			rate.Reset = at
		}
	}
	return rate
}

// resetTime turns the value of X-RateLimit-Reset or Retry-After into the time
// of this machine. It is zero for a value that makes no sense.
func resetTime(value string, h http.Header, arrived time.Time, skew *clockSkew) time.Time {
	delay, at, ok := parseMoment(value)
	if !ok {
		return time.Time{}
	}
	if !at.IsZero() {
		delay = at.Sub(skew.serverTime(header(h, "Date"), arrived))
		if delay < -farthestReset {
			return time.Time{}
		}
	}
	if delay > farthestReset {
		return time.Time{}
	}
	return arrived.Add(delay).UTC()
}

// parseMoment reads a delay or a point in time: seconds from now, a Go
// duration, seconds (or thousandths, millionths, billionths) since 1970, an
// HTTP date or an RFC 3339 time.
func parseMoment(s string) (delay time.Duration, at time.Time, ok bool) {
	n, ok := parseNumber(s)
	if !ok && s != "" && '0' <= s[0] && s[0] <= '9' {
		s = firstItem(s)
		n, ok = parseNumber(s)
	}
	switch {
	case ok:
	case strings.ContainsAny(s, ":,"):
		at = timeOf([]byte(s))
		return 0, at, !at.IsZero()
	default:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return numberMoment(f)
		}
		delay, err := time.ParseDuration(s)
		return delay, at, err == nil && delay > 0
	}
	switch {
	case n < 0:
		return 0, at, false
	case n < epochSeconds:
		return time.Duration(n) * time.Second, at, true
	case n < epochMillis:
		return 0, time.Unix(n, 0), true
	case n < epochMicros:
		return 0, time.UnixMilli(n), true
	case n < epochNanos:
		return 0, time.UnixMicro(n), true
	default:
		return 0, time.Unix(0, n), true
	}
}

// numberMoment is parseMoment for a number with a fraction.
func numberMoment(f float64) (delay time.Duration, at time.Time, ok bool) {
	switch {
	case !(f > 0) || f >= math.MaxInt64: // NaN too
		return 0, at, false
	case f < epochSeconds:
		return time.Duration(f * float64(time.Second)), at, true
	case f < epochMillis:
		return 0, time.UnixMicro(int64(f * 1e6)), true
	default:
		_, at, ok = parseMoment(strconv.FormatInt(int64(f), 10))
		return 0, at, ok
	}
}

// header returns the first value of a header; name is in canonical form.
func header(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}

// firstItem returns "100" of "100, 100;w=60".
func firstItem(s string) string {
	if end := strings.IndexAny(s, ",;"); end >= 0 {
		return strings.TrimSpace(s[:end])
	}
	return s
}

func headerNumber(h http.Header, name string) (int64, bool) {
	value := header(h, name)
	n, ok := parseNumber(value)
	if !ok {
		if strings.EqualFold(value, "unlimited") {
			return -1, true
		}
		value = firstItem(value)
		n, ok = parseNumber(value)
	}
	if !ok && strings.IndexByte(value, '.') > 0 {
		if f, err := strconv.ParseFloat(value, 64); err == nil {
			return int64(min(max(f, -largestQuota), largestQuota)), true
		}
	}
	return n, ok
}

// parseNumber reads a whole number. One that is too large becomes the largest.
// Unlike strconv it allocates nothing when s is something else.
func parseNumber(s string) (n int64, ok bool) {
	digits := s
	if s != "" && (s[0] == '+' || s[0] == '-') {
		digits = s[1:]
	}
	if digits == "" {
		return 0, false
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > (math.MaxInt64-9)/10 {
			n = math.MaxInt64 / 10 * 10 // stays there
			continue
		}
		n = n*10 + int64(c-'0')
	}
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// clockSkew learns how far the service's clock is ahead of this machine's. A
// Date header is cut to the second and grows old on its way, so each one gives
// a lower bound of the difference: the largest of the last minutes is the best
// guess, and errs by waiting a fraction of a second longer, never by coming
// early. When they differ by more than one clock can, there are several, or one
// that was set. Then a reply is judged by its own Date alone.
//
// Time is counted from the first reply on, so that it does not matter when the
// clock of this machine is set.
type clockSkew struct {
	mu   sync.Mutex
	base time.Time

	text [len(http.TimeFormat)]byte // the last Date, which many replies share
	date time.Time

	last, server time.Time // when the last reply came, by both clocks

	now, before skewBounds // of this period and of the one before
	since       time.Duration
}

type skewBounds struct {
	known     bool
	low, high time.Duration
}

const (
	skewPeriod = time.Minute
	// Bounds of one clock are spread over a second, and the time that a reply takes.
	skewSpread = 1250 * time.Millisecond
	// A clock that differs by more says nothing.
	farthestClock = 100 * 365 * 24 * time.Hour
)

// serverTime says what the clock of the service shows at arrived, when a reply
// with this Date came.
func (c *clockSkew) serverTime(date string, arrived time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if arrived == c.last && date == string(c.text[:]) { // the same reply once more
		return c.server
	}
	if server, ok := c.parse(date); ok {
		if skew, ok := c.learn(server, arrived); ok {
			at := c.local(arrived).Add(skew)
			if date == string(c.text[:]) {
				c.last, c.server = arrived, at
			}
			return at
		}
	}
	if all := c.bounds(); all.known && all.agree() {
		return c.local(arrived).Add(all.high)
	}
	return arrived.Round(0)
}

// observe learns from the date of a reply, and returns how far the clock of
// the service is ahead.
func (c *clockSkew) observe(date, arrived time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	skew, _ := c.learn(date, arrived)
	return skew
}

// local is arrived by a clock that nobody sets.
func (c *clockSkew) local(arrived time.Time) time.Time {
	return c.base.Round(0).Add(arrived.Sub(c.base))
}

func (c *clockSkew) learn(date, arrived time.Time) (skew time.Duration, ok bool) {
	if c.base.IsZero() {
		c.base = arrived
	}
	bound := date.Sub(c.local(arrived))
	if bound > farthestClock || bound < -farthestClock {
		return 0, false
	}
	if elapsed := arrived.Sub(c.base); elapsed-c.since >= skewPeriod || elapsed < c.since {
		c.before, c.now, c.since = c.now, skewBounds{}, elapsed
	}
	c.now = c.now.join(skewBounds{true, bound, bound})
	if all := c.bounds(); all.agree() {
		return all.high, true
	}
	return bound, true
}

func (c *clockSkew) bounds() skewBounds { return c.now.join(c.before) }

// agree reports whether the bounds can come from one clock.
func (b skewBounds) agree() bool { return b.high-b.low <= skewSpread }

func (b skewBounds) join(other skewBounds) skewBounds {
	switch {
	case !b.known:
		return other
	case !other.known:
		return b
	default:
		return skewBounds{true, min(b.low, other.low), max(b.high, other.high)}
	}
}

// parse reads a Date header, which changes once a second at most.
func (c *clockSkew) parse(date string) (time.Time, bool) {
	if date == string(c.text[:]) {
		return c.date, true
	}
	at, err := http.ParseTime(date)
	if err != nil {
		if at = timeOf([]byte(date)); at.IsZero() {
			return time.Time{}, false
		}
	}
	if len(date) == len(c.text) {
		copy(c.text[:], date)
		c.date = at
	}
	return at, true
}

// dateSpan is how far the Date of replies was ahead of our clock.
type dateSpan struct{ low, high time.Duration }

// estimate returns what is known of the service's clocks. In truth they may be
// further ahead, by a second or so.
func (c *clockSkew) estimate() (dateSpan, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.bounds()
	return dateSpan{all.low, all.high}, all.known
}

// retryTime is when a Retry-After header allows another try, zero when there is
// none that makes sense.
func retryTime(h http.Header, arrived time.Time, skew *clockSkew) time.Time {
	const farthest = 24 * time.Hour
	value := header(h, "Retry-After")
	if value == "" {
		return time.Time{}
	}
	delay, at, ok := parseMoment(value)
	if !at.IsZero() {
		delay = at.Sub(skew.serverTime(header(h, "Date"), arrived))
	}
	if !ok || delay > farthest {
		return time.Time{}
	}
	return arrived.Add(max(delay, 0))
}
