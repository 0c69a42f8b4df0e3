package ryzeredis

import (
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"
)

// mostCalls bounds the calls of go-redis that hang longer than the patience.
const mostCalls = 64

// question is what the script is asked. Durations are in milliseconds.
type question struct {
	ID      string `json:"id"`
	Gen     int64  `json:"gen"`
	Held    int    `json:"held"` // requests of this window that the process has, used or not
	Old     int    `json:"old"`  // of the window before
	Lease   int64  `json:"lease"`
	Want    int    `json:"want"`
	Extra   int    `json:"extra"` // to be leased ahead, if there are enough
	Prio    int    `json:"prio"`
	First   uint64 `json:"first"`   // number of the first waiter
	Age     int64  `json:"age"`     // how long ago it came
	Waiting int    `json:"waiting"` // how many will wait if they are not served
	Reserve int    `json:"reserve"`
	Limit   int    `json:"limit"` // the documented one
	Channel string `json:"channel"`
	News    *news  `json:"news,omitempty"`
}

// news is what a process has learned.
type news struct {
	Kind      string `json:"kind"`
	Gen       int64  `json:"gen"`
	Remaining *int   `json:"remaining,omitempty"` // -1: there is no limit
	Limit     int    `json:"limit,omitempty"`
	Reset     *int64 `json:"reset,omitempty"` // until then
	Age       int64  `json:"age"`             // since the request left
	Replies   int    `json:"replies"`         // that said what remains
	Charged   int    `json:"charged"`         // that did not
	Canceled  int    `json:"canceled"`
}

// windowState is the state of a window after a question.
type windowState struct {
	Granted   int   `json:"granted"`
	Gen       int64 `json:"gen"`
	Room      int   `json:"room"`   // what surely may go
	Likely    int   `json:"likely"` // what may go when those under way are back
	Reset     int64 `json:"reset"`  // until the window turns
	Look      int64 `json:"look"`   // until it is worth to ask again
	Heard     bool  `json:"heard"`  // the service has said what remains
	Told      bool  `json:"told"`   // and the limit, in this window or before
	Unlimited bool  `json:"unlimited"`
	Limit     int   `json:"limit"`
	Needy     int   `json:"needy"` // processes that wait and could use what this one holds
	Length    int64 `json:"length"`
}

// impatient returns a client whose connections give up after d, where that can be
// had: a context alone does not end a read of go-redis.
func impatient(client redis.UniversalClient, d time.Duration) redis.UniversalClient {
	if c, ok := client.(*redis.Client); ok {
		return c.WithTimeout(d)
	}
	return client
}

// call puts a question to Redis, and waits no longer than the patience allows.
func (l *Limiter) call(ctx context.Context, w *window, q *question) (*windowState, error) {
	if l.calls.Load() >= mostCalls {
		return nil, errSlow
	}
	q.ID, q.Lease, q.Limit, q.Channel = l.id, limiterLease.Milliseconds(), max(w.key.Class.Limit(), 1), l.channel()
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	type reply struct {
		text string
		err  error
	}
	c := make(chan reply, 1)
	ctx, cancel := context.WithTimeout(ctx, l.config.patience)
	defer cancel()
	l.calls.Add(1)
	go func() {
		defer l.calls.Add(-1)
		text, err := l.script.Run(ctx, l.fast, []string{w.name}, text).Text()
		lookAgain(l.client, err)
		c <- reply{text, err}
	}()
	select {
	case r := <-c:
		if r.err != nil {
			return nil, r.err
		}
		a := new(windowState)
		return a, json.Unmarshal([]byte(r.text), a)
	case <-ctx.Done():
		return nil, errSlow
	}
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

func (l *Limiter) channel() string { return l.prefix + ":wake:" }
