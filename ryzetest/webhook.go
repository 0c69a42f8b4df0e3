package ryzetest

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// hook is one labelled webhook of an instance.
type hook struct {
	inst          *Instance
	label         string
	enabled       bool
	url           string
	authorization *string
	byEvents      bool
	events        []string
	mediaBase64   bool

	lastStatus int       // of the last attempt; 0 when nobody answered
	lastAt     time.Time // of the last attempt; zero when there was none

	count   int
	queue   []*post
	now     *post               // the one that is being delivered
	later   map[*post]time.Time // those that wait for another attempt, until then
	working bool                // a worker goroutine is there
	wake    chan struct{}
}

// post is one event on its way to one webhook. It keeps the settings of the
// moment in which the event happened.
type post struct {
	event   string
	url     string
	auth    string // of the Authorization header, "" for none
	body    []byte
	attempt int
	number  int // counts the events of the webhook
}

// Delivery is one attempt to deliver an event to a webhook.
type Delivery struct {
	// Number counts the deliveries of the server from 1, frames of event streams
	// included.
	Number   int64
	Time     time.Time // of the attempt, on the server's clock
	Instance string    // name
	Label    string    // of the webhook
	Event    string    // "message.exchange"
	URL      string    // where it went, the name of the event included with byEvents
	Attempt  int       // from 1
	Body     []byte    // the envelope, with the instance's token in it
	Status   int       // what the receiver answered; 0 when it did not
	Err      error     // why it did not

	stream bool // it is a frame of an event stream
	dead   bool // it was the last attempt
}

// OK reports whether the receiver answered with a 2xx. The rule is invented.
func (d Delivery) OK() bool { return d.Status >= 200 && d.Status < 300 }

// DeadLetter is an event that was given up after the last attempt, which it
// holds. See WithWebhookRetry.
type DeadLetter struct{ Delivery }

// maxDeliveries bounds the log.
const maxDeliveries = 20000

// Deliveries returns the webhook attempts so far, in the order in which they
// ended. A long log (20000 attempts) loses its older half.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Delivery, 0, len(s.hookLog))
	for _, d := range s.hookLog {
		if !d.stream {
			list = append(list, d)
		}
	}
	return list
}

// note writes an attempt into the log. The caller holds the lock.
func (s *Server) note(d Delivery) Delivery {
	s.lastDelivery++
	d.Number = s.lastDelivery
	s.hookLog = appendBounded(s.hookLog, d, maxDeliveries)
	s.changes.add(Change{Time: s.clock.now(), Kind: ChangeDelivery, Instance: d.Instance})
	return d
}

// DeadLetters returns the events that no attempt could deliver.
func (s *Server) DeadLetters() []DeadLetter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dead)
}

// enqueue adds an event to the webhook's queue. The caller holds the lock.
func (h *hook) enqueue(event string, body []byte) {
	p := &post{event: event, url: h.target(event), body: body}
	if h.authorization != nil && !(event == "instance.state" && h.inst.s.cfg.bareState) {
		p.auth = *h.authorization
	}
	h.add(p)
}

// add queues a new event. The caller holds the lock.
func (h *hook) add(p *post) {
	h.count++
	p.number = h.count
	h.push(p)
}

func (h *hook) push(p *post) {
	h.queue = append(h.queue, p)
	if !h.working {
		h.working = true
		h.wake = make(chan struct{}, 1)
		gone := h.inst.gone
		h.inst.s.spawn(func() { h.work(gone) })
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// target is where an event goes. With byEvents the name of the event is
// appended to the path; a query stays behind it.
func (h *hook) target(event string) string {
	if !h.byEvents {
		return h.url
	}
	base, query, has := strings.Cut(h.url, "?")
	base = strings.TrimSuffix(base, "/") + "/" + event
	if has {
		base += "?" + query
	}
	return base
}

// work delivers the queue, one event at a time, until the server closes or the
// instance is deleted. A failed event goes back to the queue later, so those
// behind it do not wait for it.
func (h *hook) work(gone <-chan struct{}) {
	s := h.inst.s
	for {
		s.mu.Lock()
		var p *post
		if len(h.queue) > 0 {
			p = h.queue[0]
			h.queue = h.queue[1:]
			p.attempt++
		}
		h.now = p
		began := s.resets
		s.mu.Unlock()
		if p == nil {
			select {
			case <-s.ctx.Done():
				return
			case <-gone:
				return
			case <-h.wake:
			}
			continue
		}
		select {
		case <-s.ctx.Done():
			return
		case <-gone:
			return
		default:
			h.deliver(p, gone, began)
		}
	}
}

func (h *hook) deliver(p *post, gone <-chan struct{}, began int) {
	s := h.inst.s
	d := Delivery{
		Time: s.clock.now(), Instance: h.inst.name, Label: h.label, Event: p.event,
		URL: p.url, Attempt: p.attempt, Body: p.body,
	}
	d.Status, d.Err = s.send(p)
	if s.ctx.Err() != nil {
		return
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	h.now = nil
	if h.inst.gone != gone || s.resets != began {
		return // of a time before the reset
	}
	h.lastStatus, h.lastAt = d.Status, d.Time
	d.dead = !d.OK() && p.attempt > len(s.cfg.webhookRetry)
	d = s.note(d)
	if d.OK() {
		return
	}
	if d.dead {
		s.dead = append(s.dead, DeadLetter{d})
		return
	}
	h.pushAfter(s.cfg.webhookRetry[p.attempt-1], p)
}

// pushAfter queues an event later. The caller holds the lock.
func (h *hook) pushAfter(d time.Duration, p *post) {
	s := h.inst.s
	if h.later == nil {
		h.later = map[*post]time.Time{}
	}
	h.later[p] = s.clock.now().Add(d)
	gone := h.inst.gone
	s.clock.after(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(h.later, p)
		if h.inst.gone == gone {
			h.push(p)
		}
	})
}

// send makes one attempt.
func (s *Server) send(p *post) (int, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.webhookTimeout)
	defer cancel()
	if u, err := url.Parse(p.url); err != nil || u.Host == "" {
		return 0, fmt.Errorf("not a URL: %q", p.url)
	}
	req, err := newDelivery(ctx, p.url, p.auth, p.body)
	if err != nil {
		return 0, err
	}
	res, err := s.hooks.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // the status has decided
	return res.StatusCode, nil
}
