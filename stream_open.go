package ryze

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/ryzeapi/ryze-go/internal/transport"
)

// Subscribe opens the instance's event stream and keeps it open: through lost
// connections, restarts of the service, silent peers, pages of proxies and
// refused reconnections, until ctx ends, Close is called on the Subscription or the Client, or an
// error says that it will not come back; see [StreamError].
//
// The service does not replay what happened while a stream was down. Every
// such hole is told: an outage puts exactly one event with a [*GapEvent] at its
// place among the events, with the time of the last sign of life, the time of
// the reconnection and the cause. (Only when the queue overflows is it merged
// with the gap of what was dropped.) An application that must not miss messages
// reads the chat histories of that time, or uses a webhook beside the stream
// and a deduplicator; see [Event.DedupeKey]. The service may deliver an event
// more than once.
//
// Subscribe makes the first connection itself, so that a wrong token, a wrong
// name or a stream that is not enabled is an error at once: see
// [ErrWebSocketDisabled] and [EnsureEnabled]. Outages at that point are retried
// as in any call, within ctx and the client's [RetryPolicy]. Every attempt to
// connect takes one request from the token's quota; a refused one waits for
// the quota's reset.
//
// One goroutine reads and never waits for the application; events wait in a
// queue that is bounded by [WithBuffer] and [WithOverflow]. A frame that is not
// an event becomes a gap with the reason [GapUnreadable]. Pings find silent
// connections ([WithPing]).
//
// Time is the process's own: there is no option for a clock, because tests run
// streams in virtual time with testing/synctest.
//
// GET /ws/:instance. Safe to repeat; every stream of an instance gets every
// event. How many streams the service allows is not documented.
func (i *InstanceClient) Subscribe(ctx context.Context, opts ...SubscribeOption) (*Subscription, error) {
	if i.h.err != nil {
		return nil, i.h.err
	}
	config, err := newStreamConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		handle: i.h, config: config, queue: newEventQueue(i.h.name, config), parent: ctx,
		closed: make(chan struct{}),
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.goroutines.Add(1)
	forget, ok := i.h.client.closeWith((*streamOfClient)(s))
	if !ok {
		s.cancel()
		return nil, closedError(opWebSocketConnect)
	}
	s.setState(StreamConnecting)
	l, err := s.open(ctx, i)
	if err != nil {
		if s.isClosed() {
			err = closedError(opWebSocketConnect)
		}
		s.finish(err)
		forget()
		s.goroutines.Done()
		return nil, err
	}
	s.setOpen(l)
	go func() {
		defer s.goroutines.Done()
		defer forget()
		err := s.run(ctx, l)
		if ctx.Err() == nil {
			s.log(slog.LevelWarn, "event stream has ended", err)
		}
		s.finish(err)
	}()
	return s, nil
}

// open makes the first connection.
func (s *Subscription) open(ctx context.Context, i *InstanceClient) (*link, error) {
	if s.config.ensure != nil {
		if _, err := i.WebSocket.Ensure(ctx, *s.config.ensure); err != nil {
			return nil, err
		}
	}
	try := s.newSession()
	for {
		l, a := s.attempt(ctx, try)
		if l != nil {
			return l, nil
		}
		again, wait := s.judge(ctx, try, a)
		if !again {
			return nil, try.err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, try.interrupted(err)
		}
	}
}

// run reads, and connects again after every outage, until the stream ends: with
// a StreamError, or because the context has ended.
func (s *Subscription) run(ctx context.Context, l *link) error {
	tries := 0
	var tooLarge time.Time
	for {
		cause := s.receive(ctx, l)
		alive := l.alive
		if err := ctx.Err(); err != nil {
			return err
		}
		if endsStream(cause) {
			return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: cause}
		}
		now := time.Now()
		if errors.Is(cause, ErrEventTooLarge) {
			if !tooLarge.IsZero() && now.Sub(tooLarge) < tooLargeWithin {
				return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: cause}
			}
			tooLarge = now
		}
		if now.Sub(l.opened) >= healthyAfter {
			tries = 0
		}
		s.setLost(cause)
		var err error
		if l, err = s.reconnect(ctx, &tries); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: err}
		}
		gap := &GapEvent{From: alive, To: l.opened, Reason: GapOutage, Cause: cause}
		if err := s.queue.push(s.gapEvent(gap), l.opened); err != nil {
			l.hangUp()
			return &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: err}
		}
		s.setOpen(l)
	}
}

// reconnect tries until there is a connection, or an error that is final.
func (s *Subscription) reconnect(ctx context.Context, tries *int) (*link, error) {
	try := s.newSession()
	wait := s.backOff(tries)
	var foreign time.Time // since when only others than the service have refused
	for {
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		l, a := s.attempt(ctx, try)
		if l != nil {
			return l, nil
		}
		heard := listen(a)
		_, wait = s.judge(ctx, try, a)
		if ctx.Err() != nil {
			return nil, try.err
		}
		switch heard.understand(try.err) {
		case wordFinal:
			return nil, try.err
		case wordForeign:
			if foreign.IsZero() {
				foreign = a.Began
			}
			if time.Since(foreign) >= foreignPatience {
				return nil, try.err
			}
		case wordOutage:
			if !a.Unmade { // there was an attempt
				foreign = time.Time{}
			}
		}
		var limited *RateLimitError
		switch {
		case errors.As(try.err, &limited):
			if wait = time.Until(limited.RetryAt); wait <= 0 {
				wait = s.backOff(tries)
			}
		case !errors.Is(try.err, ErrRateLimited): // else wait is until the reset
			wait = s.backOff(tries)
		}
	}
}

// backOff draws the pause before the next attempt, with full jitter.
func (s *Subscription) backOff(tries *int) time.Duration {
	bound := s.config.maxPause
	if doubled := s.config.minPause << *tries; *tries < 32 && doubled > 0 && doubled < bound {
		bound = doubled
		*tries++
	}
	return rand.N(bound + 1)
}

// newSession returns what meters and judges attempts to connect: the same
// that does it for calls.
func (s *Subscription) newSession() *session {
	return &session{client: s.handle.client, handle: s.handle, op: opWebSocketConnect, in: input{}}
}

// attempt takes quota and tries to connect once. It returns either a
// connection or what came of the attempt.
func (s *Subscription) attempt(ctx context.Context, try *session) (*link, *transport.Attempt) {
	a := &transport.Attempt{Number: try.tries + try.limited + 1}
	if err := try.Admit(ctx); err != nil {
		a.Unmade, a.Err = true, err
		return nil, a
	}
	a.Began = time.Now()
	l := s.dial(ctx, a)
	if a.Replied {
		try.Heard(a)
	}
	if l == nil {
		return nil, a
	}
	try.returnTicket(a, false)
	l.opened = time.Now().UTC()
	l.alive = l.opened
	l.conn.SetReadLimit(s.config.readLimit)
	return l, nil
}

// judge classifies a failed attempt, into try.err, and says whether a call
// would try again.
func (s *Subscription) judge(ctx context.Context, try *session, a *transport.Attempt) (again bool, wait time.Duration) {
	if a.Unmade {
		return false, 0 // not admitted
	}
	again, wait = try.Judge(ctx, a)
	if a.Status/100 == 2 && try.err == nil {
		try.err = try.reply.unreadable(try.op, "the reply does not open a WebSocket", nil)
	}
	return again, wait
}

// word is what a failed attempt to connect says about the next one.
type word int

const (
	wordOutage  word = iota // try again
	wordForeign             // a refusal of somebody who stands before the service: try again, but not for ever
	wordFinal               // the stream will not come back
)

// foreignPatience is for how long a stream that hears nothing but the refusals
// of others than the service tries to come back. What the service itself says
// is known from documents alone, so they may be its own after all.
const foreignPatience = 15 * time.Minute

// listen returns who refused an attempt. It looks at the reply as it came.
func listen(a *transport.Attempt) word {
	switch a.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		if a.BodyErr == nil && isOwnRefusal(a.Body) {
			return wordFinal
		}
		return wordForeign
	default:
		return wordOutage
	}
}

// understand completes what listen has found by what the attempt failed with.
func (w word) understand(err error) word {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		invalidCert x509.CertificateInvalidError
		wrongHost   x509.HostnameError
	)
	switch {
	case errors.Is(err, ErrWebSocketDisabled), errors.Is(err, transport.ErrForeignOrigin):
		return wordFinal
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &invalidCert), errors.As(err, &wrongHost):
		return wordForeign // the network is somebody else's, or the certificate will be renewed
	default:
		return w
	}
}

// endsStream reports whether what broke a connection says not to come back.
func endsStream(cause error) bool {
	var closed *CloseError
	var overflow *OverflowError
	return errors.As(cause, &overflow) || errors.As(cause, &closed) && closed.Code == closePolicyViolation
}

// receive reads the connection until it breaks, and closes it. The error says
// what broke it.
func (s *Subscription) receive(ctx context.Context, l *link) error {
	hungUp := make(chan struct{})
	keep := context.AfterFunc(ctx, func() {
		defer close(hungUp)
		l.hangUp()
	})
	l.keepAlive()
	err := s.read(l) //nolint:contextcheck // the context closes the connection, above
	l.stopPings()
	var overflow *OverflowError
	switch {
	case !keep():
		<-hungUp
	case errors.As(err, &overflow):
		l.hangUp()
	default:
		l.drop()
	}
	l.waitPings()
	return err
}

// read reads until the connection breaks. Its context never ends, because a
// context that ends would cost an allocation for every frame, and take the
// connection down without a goodbye.
func (s *Subscription) read(l *link) error {
	for {
		_, r, err := l.conn.Reader(context.Background())
		if err != nil {
			return s.broken(l, err)
		}
		l.inside = true
		frame := frames.Get().(*bytes.Buffer)
		frame.Reset()
		if _, err = frame.ReadFrom(r); err != nil {
			putFrame(frame)
			return s.broken(l, err)
		}
		before := l.alive
		l.inside = false
		l.isWhole()
		err = s.take(frame.Bytes(), l.alive, before)
		putFrame(frame)
		if err != nil {
			l.alive = before // it will not be delivered
			return err
		}
	}
}

// frames holds buffers for frames; connections have none of their own, because
// most of the time they wait.
var frames = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// largestPooled is the largest buffer that is kept for the next frame.
const largestPooled = 1 << 20

func putFrame(b *bytes.Buffer) {
	if b.Cap() <= largestPooled {
		frames.Put(b)
	}
}

// broken returns why a connection broke.
func (s *Subscription) broken(l *link, err error) error {
	if cause := l.givenUp(); cause != nil {
		return cause
	}
	var closed websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		return fmt.Errorf("%w: more than %d bytes", ErrEventTooLarge, s.config.readLimit)
	case errors.As(err, &closed):
		return &CloseError{Code: int(closed.Code), Reason: s.handle.auth.redact(closed.Reason)}
	default:
		return fmt.Errorf("the connection was lost: %w", innermost(err))
	}
}

// innermost takes off what the layers above the network say about their steps.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if _, ok := err.(*net.OpError); ok || inner == nil { //nolint:errorlint // one layer at a time
			return err
		}
		err = inner
	}
}
