package ryzeredis

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
)

// keeper is one call of Run. Its fields belong to the goroutine of run, but for
// the holds, which Streams has under its lock.
type keeper struct {
	*Streams

	open   OpenStream
	handle ryze.Handler
	opts   []ryze.HandleOption

	pace    pace
	notes   map[string]time.Time // moments of leases that were lost, until Redis has them
	failed  map[string]failure
	away    bool // Redis does not answer
	serving sync.WaitGroup
}

// failure is how often in a row the stream of an instance could not be had.
type failure struct {
	times int
	until time.Time // no other try before
}

const (
	recordKept  = 7 * 24 * time.Hour // how long the moment of an instance nobody holds is remembered
	betweenAsks = 25 * time.Millisecond
	mostTakes   = 500 // asked for at once
	longestRest = 30 * time.Second
	steadyAfter = time.Minute // then a stream's failures are forgotten
)

// interval is the time between two renewals.
func (s *Streams) interval() time.Duration { return s.lease / 5 }

func (k *keeper) run(ctx context.Context) {
	background := context.WithoutCancel(ctx)
	news := k.client.Subscribe(background, k.key("wake"))
	var listening sync.WaitGroup
	listening.Go(func() { k.listen(news) })
	defer listening.Wait()
	defer func() { _ = news.Close() }()
	defer k.serving.Wait()

	leaving := ctx.Done()
	for alive := true; ; {
		wait := k.tick(background, alive)
		if !alive && k.empty() {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-leaving:
			alive, leaving = false, nil
		case <-k.poke:
			time.Sleep(betweenAsks) // others have news at the same time
		case <-timer.C:
		}
		timer.Stop()
	}
}

// listen waits for what other workers publish.
func (k *keeper) listen(news *redis.PubSub) {
	for m := range news.Channel() {
		if m.Payload == "*" || m.Payload == k.worker {
			k.wake()
		}
	}
}

func (k *keeper) empty() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.holds) == 0
}

// tick asks Redis for everything that is to be asked, and does what follows. It
// returns how long there is nothing to do.
func (k *keeper) tick(ctx context.Context, alive bool) (wait time.Duration) {
	k.stopStrangers(alive)
	asks, room, pending := k.asks(alive)
	ctx, cancel := context.WithTimeout(ctx, k.lease/4)
	defer cancel()
	sent := time.Now()
	got, err := k.exchange(ctx, alive, room, asks)
	k.noteRedis(err)
	if err != nil {
		return k.interval() / 2
	}
	k.mu.Lock()
	same := slices.Equal(k.workers, got.workers)
	k.workers, k.grace = got.workers, got.grace
	k.mu.Unlock()
	for i, a := range asks {
		k.hear(a, got.about[i], sent) //nolint:contextcheck // it goes on when the caller has gone
	}
	k.handOver(got.wanted)
	wait = k.interval()
	if !same {
		return 0
	}
	if pending && room == 0 {
		wait = min(wait, k.pace.next())
	}
	if got.grace > 0 {
		wait = min(wait, got.grace+time.Millisecond)
	}
	return wait
}

// stopStrangers stops the holds of instances that are not for this worker any more.
func (k *keeper) stopStrangers(alive bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, h := range k.holds {
		if !alive || !k.instances[name] {
			h.stop()
		}
	}
}

// asks returns what there is to ask, and how many leases may be taken; pending
// says that some are wanted.
func (k *keeper) asks(alive bool) (asks []ask, room int, pending bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	opening := 0
	for name, h := range k.holds {
		done, whole := h.progress()
		held := h.lease.Held() // after whole, which may be wrong once the lease is lost
		switch {
		case done && held:
			asks = append(asks, ask{askFree, name, h.lease.token, h.whole, h})
		case done:
			k.note(name, h.whole)
			delete(k.holds, name)
		case held && h.lease.age() > k.interval()/2:
			asks = append(asks, ask{askRenew, name, h.lease.token, whole, h})
		}
		if h.isOpening() {
			opening++
		}
	}
	for name, whole := range k.notes {
		asks = append(asks, ask{askNote, name, 0, whole, nil})
	}
	if !alive {
		return asks, 0, false
	}
	now := time.Now()
	var takes []ask
	for name := range k.instances {
		if k.holds[name] == nil && ownerOf(name, k.workers) == k.worker && !now.Before(k.failed[name].until) {
			takes = append(takes, ask{what: askTake, instance: name})
		}
	}
	room = k.pace.room(now, opening)
	if room > 0 {
		rand.Shuffle(len(takes), func(i, j int) { takes[i], takes[j] = takes[j], takes[i] })
		asks = append(asks, takes[:min(len(takes), mostTakes)]...)
	}
	return asks, room, len(takes) > 0
}

// note remembers a moment that Redis may not know.
func (k *keeper) note(instance string, whole time.Time) {
	if whole.After(k.notes[instance]) {
		k.notes[instance] = whole
	}
}

// hear does what follows from an answer.
func (k *keeper) hear(a ask, got answer, sent time.Time) {
	switch a.what {
	case askNote:
		delete(k.notes, a.instance)
	case askRenew:
		if !got.yes || !a.hold.lease.renew(sent) {
			a.hold.lease.drop()
		}
	case askFree:
		a.hold.lease.drop()
		k.mu.Lock()
		delete(k.holds, a.instance)
		k.mu.Unlock()
		k.wake() // it may be wanted here again
	case askTake:
		if got.yes {
			k.take(a.instance, got, sent)
		}
	}
}

// take begins to hold an instance.
func (k *keeper) take(instance string, got answer, sent time.Time) {
	k.pace.taken()
	lease := newLease(context.Background(), instance, got.token, sent, k.lease-k.interval())
	h := newHold(lease, got.whole)
	k.mu.Lock()
	k.holds[instance] = h
	k.mu.Unlock()
	k.serving.Go(func() { k.serve(h) })
}

// handOver stops the holds that their own workers ask for.
func (k *keeper) handOver(wanted map[string]bool) {
	if len(wanted) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, h := range k.holds {
		if wanted[k.record(name)] && ownerOf(name, k.workers) != k.worker {
			h.stop()
		}
	}
}

// noteRedis tells when Redis goes and comes back.
func (k *keeper) noteRedis(err error) {
	k.mu.Lock()
	k.redisErr = err
	k.mu.Unlock()
	if away := err != nil; away != k.away {
		k.away = away
		state := RedisBack
		if away {
			state = RedisAway
		}
		k.tell(StreamChange{State: state, Err: err})
	}
}

func (k *keeper) tell(change StreamChange) {
	if k.onStream == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			log.Printf("ryzeredis: the stream handler panicked with a value of type %T", v) //nolint:forbidigo // an event that is lost is never silent
		}
	}()
	k.onStream(change)
}

// serve opens the stream of an instance and handles its events until it is
// stopped or the lease is lost.
func (k *keeper) serve(h *hold) {
	change := StreamChange{Instance: h.lease.instance, Token: h.lease.token, From: h.whole, State: StreamFailed, Err: errGone}
	defer func() {
		if v := recover(); v != nil {
			change.Err = fmt.Errorf("ryzeredis: the function that opens streams panicked with a value of type %T", v)
		}
		switch {
		case !h.lease.Held():
			change.State, change.Err = StreamLost, ErrLeaseLost
		case h.taking.Err() != nil:
			change.State, change.Err = StreamReleased, nil
		}
		k.rest(h, change.State == StreamFailed)
		h.finish()
		k.tell(change)
		k.wake()
	}()
	change.Err = k.deliver(h, change)
}

var errGone = errors.New("ryzeredis: the goroutine of the stream was ended")

func (k *keeper) deliver(h *hold, change StreamChange) error {
	// A moment until which the stream was whole comes of an answered ping.
	ping := ryze.WithPing(k.lease/2, 20*time.Second)
	sub, err := k.open(h.life, h.lease.instance, ping, ryze.WithWholeUntil(h.whole))
	if err == nil && sub == nil {
		err = errors.New("ryzeredis: the function that opens streams returned none")
	}
	if err != nil {
		return err
	}
	defer func() { _ = sub.Close() }()
	h.opened(sub)
	k.wake()
	change.State, change.Err = StreamOpened, nil
	k.tell(change)
	err = sub.Handle(h.taking, func(ctx context.Context, e *ryze.Event) error {
		return h.lease.do(ctx, func(ctx context.Context) error { return k.call(ctx, e) })
	}, k.opts...)
	return err
}

// call calls the handler, again and again while its store cannot be asked: the
// stream repeats nothing.
func (k *keeper) call(ctx context.Context, e *ryze.Event) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := k.handle(ctx, e)
		if !errors.Is(err, ErrUnavailable) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// rest decides when a stream that has failed is tried again.
func (k *keeper) rest(h *hold, failed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.failed[h.lease.instance]
	if !failed || time.Since(h.lease.since) > steadyAfter {
		f = failure{}
		delete(k.failed, h.lease.instance)
	}
	if failed {
		bound := min(longestRest, time.Second<<min(f.times, 5))
		k.failed[h.lease.instance] = failure{f.times + 1, time.Now().Add(bound/2 + rand.N(bound/2))}
	}
}

// logFailures is what becomes of failures that nobody takes: the stream repeats
// nothing, so none may pass in silence.
func logFailures(_ context.Context, failed *ryze.HandlerError) {
	if panicked := (*ryze.PanicError)(nil); errors.As(failed, &panicked) {
		log.Printf("%v\n%s", failed, panicked.Stack) //nolint:forbidigo // an event that is lost is never silent
		return
	}
	log.Print(failed) //nolint:forbidigo // an event that is lost is never silent
}

// hold is an instance that this worker holds.
type hold struct {
	lease *Lease
	life  context.Context //nolint:containedctx // of the stream; ends with the lease
	kill  context.CancelFunc
	// taking ends when the worker is to take no more events.
	taking context.Context //nolint:containedctx // as above
	halt   context.CancelFunc

	mu      sync.Mutex
	sub     *ryze.Subscription
	whole   time.Time // where the stream begins; once it is over, where it ended
	opening bool
	done    bool // no handler runs any more
}

func newHold(lease *Lease, whole time.Time) *hold {
	h := &hold{lease: lease, whole: whole, opening: true}
	h.life, h.kill = context.WithCancel(context.WithValue(lease.ended, leaseKey{}, lease))
	h.taking, h.halt = context.WithCancel(h.life)
	return h
}

// stop has the hold end as soon as its handlers have.
func (h *hold) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.halt()
	if h.sub == nil {
		h.kill() // also an attempt to open it
	}
}

func (h *hold) opened(sub *ryze.Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sub, h.opening = sub, false
}

func (h *hold) isOpening() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.opening
}

// progress returns until when everything has been handled.
func (h *hold) progress() (done bool, whole time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.done && h.sub != nil {
		if moment := h.sub.WholeUntil(); moment.After(h.whole) && h.lease.Held() {
			h.whole = moment
		}
	}
	return h.done, h.whole
}

// finish is called when no handler runs any more.
func (h *hold) finish() {
	h.progress()
	h.mu.Lock()
	h.done, h.opening = true, false
	h.mu.Unlock()
	h.kill()
	h.halt()
}

// pace limits how fast streams are opened.
type pace struct {
	perSecond float64
	atOnce    int

	tokens float64
	at     time.Time
}

// room is how many more may be opened now.
func (p *pace) room(now time.Time, opening int) int {
	if p.at.IsZero() {
		p.tokens = float64(p.atOnce)
	} else {
		p.tokens = min(float64(p.atOnce), p.tokens+now.Sub(p.at).Seconds()*p.perSecond)
	}
	p.at = now
	return max(0, min(p.atOnce-opening, int(p.tokens)))
}

func (p *pace) taken() { p.tokens-- }

// next is when there may be room again, unless a stream that opens makes room
// before.
func (p *pace) next() time.Duration {
	return max(betweenAsks, time.Duration((1-p.tokens)/p.perSecond*float64(time.Second)))
}
