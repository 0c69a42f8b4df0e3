package ryzeredis

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
)

//go:embed limiter.lua
var limiterScript string

const (
	limiterLease = 5 * time.Second        // what a process holds that is not heard of comes back
	heartbeat    = time.Second            // how often it is heard of while it holds or waits
	idleAfter    = 200 * time.Millisecond // unused requests go back then
	flushAfter   = 50 * time.Millisecond  // how long ordinary replies may be kept together
	comeBack     = 250 * time.Millisecond // how often Redis is tried while it is away
	maxWait      = 5 * time.Minute
	forgetAfter  = time.Minute
	closeWithin  = 2 * time.Second // how long Close takes at most
	closeAtOnce  = 32              // windows that give back at the same time
	mostExtra    = 32              // requests that are leased ahead
)

var (
	errClosed    = errors.New("ryzeredis: the limiter is closed")
	errSlow      = errors.New("ryzeredis: Redis did not answer in time")
	errForgotten = errors.New("ryzeredis: window forgotten")
)

// Limiter is a [ryze.Limiter] with its windows in Redis. All processes with the
// same Redis and prefix share the quota of a token. Make one by [NewLimiter]
// for each process and give it to [ryze.WithLimiter].
type Limiter struct {
	config *limiterConfig
	prefix string
	client redis.UniversalClient
	fast   redis.UniversalClient // the same, with the patience as its timeouts
	script *redis.Script
	id     string

	ctx    context.Context //nolint:containedctx // of the limiter: ends when it closes
	cancel context.CancelFunc
	work   sync.WaitGroup
	calls  atomic.Int64 // of go-redis that have not returned
	heard  atomic.Bool  // the subscription stands

	mu      sync.Mutex
	windows map[ryze.LimiterKey]*window
	byName  map[string]*window
	closing bool    // takes no more calls
	outage  *outage // nil while Redis answers
	pubsub  *redis.PubSub
}

// NewLimiter returns a limiter with its windows in Redis. It does not close the
// Redis client: close the limiter first, then the client. When Redis fails or
// is slow, a window in memory takes over. The package comment has the rules.
//
// A nil client, a nil option or a bad value is a [*ryze.ValidationError].
func NewLimiter(client redis.UniversalClient, opts ...Option) (*Limiter, error) {
	c, err := configureFor(client, opts)
	if err != nil {
		return nil, err
	}
	c.limiter.patience = cmp.Or(c.limiter.patience, defaultPatience)
	l := &Limiter{
		config: &c.limiter, prefix: c.prefix, client: client, fast: impatient(client, c.limiter.patience),
		script: redis.NewScript(limiterScript), id: rand.Text(),
		windows: make(map[ryze.LimiterKey]*window), byName: make(map[string]*window),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// Acquire implements [ryze.Limiter]. It asks Redis only when the process has no
// leased requests. Its error is a [*ryze.RateLimitError], or says why after
// [Limiter.Close] and with [WithoutFallback].
func (l *Limiter) Acquire(ctx context.Context, req ryze.LimiterRequest) (ryze.Ticket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, o, err := l.window(req.LimiterKey)
	if err != nil {
		return nil, err
	}
	if o == nil {
		if t := w.take(req.Reserve); t != nil {
			return t, nil
		}
	}
	return l.wait(ctx, req)
}

// wait has a call served by Redis, or by the memory while Redis is away. It keeps
// its place when that changes, and what it has waited counts.
func (l *Limiter) wait(ctx context.Context, req ryze.LimiterRequest) (ryze.Ticket, error) {
	began, wait := time.Now(), req.MaxWait
	if req.Since.IsZero() {
		req.Since = began
	}
	if tell := req.OnWait; tell != nil {
		var once sync.Once
		req.OnWait = func(expected time.Duration) { once.Do(func() { tell(expected) }) }
	}
	for {
		req.MaxWait = wait - time.Since(began)
		w, o, err := l.window(req.LimiterKey)
		if err != nil {
			return nil, err
		}
		var t *ticket
		if o == nil {
			t, err = w.acquire(ctx, req)
		} else {
			t, err = o.acquire(ctx, w, req)
		}
		switch {
		case errors.Is(err, errForgotten), errors.Is(err, errRecovered):
		case o == nil && errors.Is(err, errSlow) && !l.config.noFallback:
		case o == nil && errors.Is(err, errSlow):
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		case err != nil:
			return nil, err
		default:
			return t, nil
		}
	}
}

// Rate implements [ryze.Limiter]. It asks Redis for at most the patience of
// [WithPatience]. While Redis is away it tells what this process knows.
func (l *Limiter) Rate(key ryze.LimiterKey) ryze.RateLimit {
	w, o, err := l.window(key)
	switch {
	case err != nil:
		return ryze.RateLimit{}
	case o != nil:
		if rate := o.memory.Rate(key); rate.Known {
			return rate
		}
		return w.rate()
	}
	w.report(nil, true)
	return w.rate()
}

// name is the key in Redis. Nothing of a token is in it, whatever the scope is.
func (l *Limiter) name(key ryze.LimiterKey) string {
	sum := sha256.Sum256([]byte(key.Scope + "\x00" + string(key.Class)))
	return l.prefix + ":limiter:{" + hex.EncodeToString(sum[:16]) + "}"
}

// window finds or makes the window of key, and tells of the outage if there is one.
func (l *Limiter) window(key ryze.LimiterKey) (*window, *outage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil, nil, errClosed
	}
	if w := l.windows[key]; w != nil {
		return w, l.outage, nil
	}
	for k, w := range l.windows { // map order is random: a few each time bound the growth
		if !w.forget() {
			break
		}
		delete(l.windows, k)
		delete(l.byName, w.name)
	}
	l.listen()
	w := &window{l: l, key: key, name: l.name(key), estranged: l.outage != nil}
	l.windows[key], l.byName[w.name] = w, w
	return w, l.outage, nil
}

func (l *Limiter) all() (all []*window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.windows {
		all = append(all, w)
	}
	return slices.Clip(all)
}

// Close gives back unused requests and ends the limiter's goroutines. Waiting
// and later calls fail. It takes at most two seconds; what is left then comes
// back like that of a dead process. It does not close the Redis client. A
// hanging call of a cluster's client may end only by that client's timeouts.
func (l *Limiter) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return nil
	}
	l.closing = true
	away, pubsub := l.outage != nil, l.pubsub
	l.mu.Unlock()
	windows := l.all()
	var leased []*window
	for _, w := range windows {
		if w.close() {
			leased = append(leased, w)
		}
	}
	over := time.NewTimer(closeWithin)
	defer over.Stop()
	if !away {
		l.giveBack(leased)
	}
	l.cancel()
	ended := make(chan error, 1)
	go func() { // a callback or the client may hang
		var err error
		if pubsub != nil {
			err = pubsub.Close()
		}
		l.work.Wait()
		ended <- err
	}()
	select {
	case err := <-ended:
		for began := time.Now(); l.calls.Load() > 0 && time.Since(began) < l.config.patience; {
			select {
			case <-over.C:
				return nil
			case <-time.After(time.Millisecond):
			}
		}
		if err != nil {
			return fmt.Errorf("ryzeredis: closing the subscription: %w", err)
		}
	case <-over.C:
	}
	return nil
}

// giveBack tells Redis what the windows hold still. It ends when Redis does not
// answer one of them, and after half of the time that Close has.
func (l *Limiter) giveBack(windows []*window) {
	ctx, cancel := context.WithTimeout(l.ctx, closeWithin/2)
	defer cancel()
	var next atomic.Int64
	var given sync.WaitGroup
	for range min(len(windows), closeAtOnce) {
		given.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(windows) {
					return
				}
				if windows[i].giveBack(ctx) != nil {
					cancel()
				}
			}
		})
	}
	given.Wait()
}
