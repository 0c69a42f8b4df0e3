package otelryze

import (
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	ryze "github.com/ryzeapi/ryze-go"
)

const (
	// silence is for how long a token is reported of which nothing is heard.
	silence = 10 * time.Minute
	// sweepFrom is how many tokens are kept before the silent ones are looked for.
	sweepFrom = 256
)

// quota is what was heard of the windows of tokens. Its size follows the number of
// tokens in use, also when nobody reads it.
type quota struct {
	mu     sync.Mutex
	tokens map[ryze.LimiterKey]heard
	sweep  int // the size at which silent tokens are looked for
}

type heard struct {
	instance string
	rate     ryze.RateLimit
	at       time.Time
}

// quotaSet is what the gauge reports of a window: the scope of a token is no attribute.
type quotaSet struct {
	instance string
	class    ryze.RateClass
}

func (s quotaSet) attributes() attribute.Set {
	return attribute.NewSet(withInstance([]attribute.KeyValue{rateClassKey.String(string(s.class))}, s.instance)...)
}

func (q *quota) set(info ryze.QuotaInfo) {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tokens[info.Key] = heard{info.Instance, info.RateLimit, now}
	if len(q.tokens) >= max(q.sweep, sweepFrom) {
		q.forget(now)
		q.sweep = 2 * len(q.tokens)
	}
}

// forget drops the tokens of which nothing was heard for long.
func (q *quota) forget(now time.Time) {
	for key, h := range q.tokens {
		if now.Sub(h.at) > silence {
			delete(q.tokens, key)
		}
	}
}

// remaining returns the requests that are left, the smallest number for each set.
func (q *quota) remaining(now time.Time) map[quotaSet]int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(now)
	all := map[quotaSet]int64{}
	for key, h := range q.tokens {
		left := h.rate.Remaining
		switch {
		case h.rate.Unlimited():
			continue
		case !h.rate.Reset.IsZero() && !now.Before(h.rate.Reset): // the window is new
			left = max(left, h.rate.Limit)
		}
		set := quotaSet{h.instance, key.Class}
		if smallest, ok := all[set]; !ok || int64(left) < smallest {
			all[set] = int64(left)
		}
	}
	return all
}
