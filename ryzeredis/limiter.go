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
	"maps"
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
	defaultPatience = 100 * time.Millisecond
	lease           = 5 * time.Second        // what a process holds that is not heard of comes back
	heartbeat       = time.Second            // how often it is heard of while it holds or waits
	idleAfter       = 200 * time.Millisecond // unused requests go back then
	flushAfter      = 50 * time.Millisecond  // how long ordinary replies may be kept together
	mostExtra       = 32                     // requests that are leased ahead
	comeBack        = 250 * time.Millisecond // how often Redis is tried while it is away
	maxWait         = 5 * time.Minute
	forgetAfter     = time.Minute
)

var (
	errClosed = errors.New("ryzeredis: the limiter is closed")
	errSlow   = errors.New("ryzeredis: Redis did not answer in time")
)

// Limiter is a [ryze.Limiter] whose windows are in Redis: all processes that use
// the same Redis and prefix share the quota of a token. Make one by [NewLimiter]
// for each process, and give it to [ryze.WithLimiter].
type Limiter struct {
	config *config
	client redis.UniversalClient
	fast   redis.UniversalClient // the same, with the patience as its timeouts
	script *redis.Script
	id     string
	memory ryze.Limiter

	ctx    context.Context //nolint:containedctx // of the limiter: ends when it closes
	cancel context.CancelFunc
	work   sync.WaitGroup
	calls  atomic.Int64 // of go-redis that have not returned
	heard  atomic.Bool  // the subscription stands

	mu      sync.Mutex
	windows map[ryze.LimiterKey]*window
	byName  map[string]*window
	closing bool // takes no more calls
	down    bool
	pubsub  *redis.PubSub
}

// NewLimiter returns a limiter that keeps its windows in Redis. The client stays
// the caller's, who closes it after the limiter.
//
// A process leases a few requests at a time while it is busy, and few or none near
// the end of a window. Unused ones go back after a fifth of a second. What a dead
// process held is in doubt five seconds after it was last heard of: the next reply
// that says what remains, or one request that asks, settles whether it was used.
//
// Higher priorities go first in all processes. Among equals the earliest call of
// each process is compared. A process that gets several requests at once may serve
// calls that came a little later than those of another.
//
// A process that waits is woken by a message of Redis, or by its own timer when the
// window turns. It also asks once a second.
//
// When Redis fails, or does not answer within 100 milliseconds, a limiter in memory
// takes over, also for the calls that wait. It does not know of other processes, so
// the service may refuse some requests with a 429, which the client repeats. A
// process that gets no processor for that long does the same: on a machine that is
// overloaded set a longer [WithPatience]. Redis is tried four times a second. It is
// not told what was learned without it: the first reply says what remains. See
// also [WithoutFallback] and [WithStatus].
func NewLimiter(client redis.UniversalClient, opts ...Option) (*Limiter, error) {
	if client == nil {
		return nil, invalid("client", "must not be nil")
	}
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	l := &Limiter{
		config: c, client: client, fast: impatient(client, c.patience), script: redis.NewScript(limiterScript), id: rand.Text(),
		memory: ryze.NewMemoryLimiter(0), windows: make(map[ryze.LimiterKey]*window), byName: make(map[string]*window),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// Close gives back what the process has not used, and ends what the limiter does
// in the background. Calls that wait fail, and so do later ones. Close takes at most
// about two times the patience of [WithPatience]. It does not close the Redis client.
// A call of a cluster's client that hangs may end only by the timeouts of that client.
func (l *Limiter) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return nil
	}
	l.closing = true
	down := l.down
	windows := make([]*window, 0, len(l.windows))
	for _, w := range l.windows {
		windows = append(windows, w)
	}
	l.mu.Unlock()
	var given sync.WaitGroup
	for i := range min(len(windows), mostExtra) {
		given.Go(func() {
			for ; i < len(windows); i += mostExtra {
				windows[i].close(!down)
			}
		})
	}
	given.Wait()
	l.mu.Lock()
	pubsub := l.pubsub
	l.mu.Unlock()
	l.cancel()
	var err error
	if pubsub != nil {
		err = pubsub.Close()
	}
	l.work.Wait()
	for began := time.Now(); l.calls.Load() > 0 && time.Since(began) < l.config.patience; {
		time.Sleep(time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("ryzeredis: closing the subscription: %w", err)
	}
	return nil
}

// Acquire implements [ryze.Limiter].
func (l *Limiter) Acquire(ctx context.Context, req ryze.LimiterRequest) (ryze.Ticket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	began := time.Now()
	w, err := l.window(req.LimiterKey)
	switch {
	case err != nil:
		return nil, err
	case w == nil:
		return l.instead(ctx, req, errSlow)
	}
	t, err := w.acquire(ctx, req)
	switch {
	case errors.Is(err, errSlow):
		// It keeps its place, and what it has waited counts.
		req.Since = cmp.Or(req.Since, began)
		req.MaxWait -= time.Since(began)
		return l.instead(ctx, req, err)
	case err != nil:
		return nil, err
	}
	return t, nil
}

// instead serves a call while Redis is away.
func (l *Limiter) instead(ctx context.Context, req ryze.LimiterRequest, cause error) (ryze.Ticket, error) {
	if l.config.noFallback {
		return nil, fmt.Errorf("ryzeredis: Redis is away: %w", cause)
	}
	t, err := l.memory.Acquire(ctx, req)
	if err != nil {
		return nil, err //nolint:wrapcheck // as documented by ryze.Limiter
	}
	return t, nil
}

// Rate implements [ryze.Limiter]. It asks Redis, for at most the patience of
// [WithPatience]. While Redis is away it tells what this process knows.
func (l *Limiter) Rate(key ryze.LimiterKey) ryze.RateLimit {
	w, err := l.window(key)
	if err != nil || w == nil {
		return l.memory.Rate(key)
	}
	w.report(nil, true)
	return w.rate()
}

// name is the key in Redis. Nothing of a token is in it, whatever the scope is.
func (l *Limiter) name(key ryze.LimiterKey) string {
	sum := sha256.Sum256([]byte(key.Scope + "\x00" + string(key.Class)))
	return l.config.prefix + ":limiter:{" + hex.EncodeToString(sum[:16]) + "}"
}

// window finds or makes the window of key. It is nil while Redis is away.
func (l *Limiter) window(key ryze.LimiterKey) (*window, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch w := l.windows[key]; {
	case l.closing:
		return nil, errClosed
	case l.down:
		return nil, nil //nolint:nilnil // as documented
	case w != nil:
		return w, nil
	}
	for k, w := range l.windows { // map order is random: a few each time bound the growth
		if w.over() {
			delete(l.windows, k)
			delete(l.byName, w.name)
			continue
		}
		break
	}
	l.listen()
	w := &window{l: l, key: key, name: l.name(key)}
	l.windows[key], l.byName[w.name] = w, w
	return w, nil
}

// ask runs fn in the background, unless the limiter is closed or Redis away.
func (l *Limiter) ask(fn func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closing:
		return errClosed
	case l.down:
		return errSlow
	}
	l.work.Go(fn)
	return nil
}

// listen begins to hear of requests that come back. l.mu is held.
func (l *Limiter) listen() {
	if l.pubsub != nil {
		return
	}
	pubsub := l.client.Subscribe(l.ctx)
	l.pubsub = pubsub
	l.work.Go(func() {
		for pubsub.Subscribe(l.ctx, l.channel()+l.id) != nil {
			select { // meanwhile the timers do the work
			case <-l.ctx.Done():
				return
			case <-time.After(comeBack):
			}
		}
		for m := range pubsub.ChannelWithSubscriptions() {
			switch m := m.(type) {
			case *redis.Subscription:
				l.heard.Store(m.Kind == "subscribe")
			case *redis.Message:
				l.mu.Lock()
				w := l.byName[m.Payload]
				l.mu.Unlock()
				if w != nil {
					w.kick()
				}
			}
		}
	})
}

func (l *Limiter) channel() string { return l.config.prefix + ":wake:" }

// away lets the memory take over until Redis answers again.
func (l *Limiter) away(cause error, failed *window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down || l.closing {
		return
	}
	l.down = true
	l.work.Go(func() {
		l.tell(cause)
		for {
			select {
			case <-l.ctx.Done():
				return
			case <-time.After(comeBack):
			}
			// Not a ping: Redis may answer and yet not do this.
			if _, err := l.state(failed, l.id+"?", 0, 0, 0); err == nil {
				break
			}
		}
		l.mu.Lock()
		l.down = false
		windows := slices.Collect(maps.Values(l.windows))
		l.mu.Unlock()
		for _, w := range windows {
			w.kick() // what it holds is to be known there
		}
		l.tell(nil)
	})
}

func (l *Limiter) tell(err error) {
	if l.config.status != nil {
		l.config.status(err)
	}
}
