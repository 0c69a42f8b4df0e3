package ryze

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"github.com/ryzeapi/ryze-go/internal/transport"
	"github.com/ryzeapi/ryze-go/internal/wsconn"
)

// Subscribe keeps the instance's event stream open, until ctx ends, Close is
// called, or a [StreamError]. It waits for the first connection:
// a bad token, name or configuration is an error at once. Each connection takes
// one request of the quota.
//
// A [*GapEvent] marks each hole: the service does not send missed events again.
// To lose none, add a webhook and an [Inbox]. An event may come more than once.
// Events wait in a queue; see [WithBuffer] and [WithOverflow].
//
// GET /ws/:instance. Safe to repeat: each stream gets all events.
func (i *InstanceClient) Subscribe(ctx context.Context, opts ...SubscribeOption) (sub *Subscription, err error) {
	if i.h.err != nil {
		return nil, i.h.err
	}
	config, err := newStreamConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		handle: i.h, config: config, queue: newEventQueue(i.h.name, config), parent: ctx,
		closed: make(chan struct{}), ended: make(chan struct{}),
	}
	ctx, s.cancel = context.WithCancel(ctx)
	forget, ok := i.h.client.closeWith((*streamOfClient)(s))
	if !ok {
		s.cancel()
		return nil, closedError(opWebSocketConnect)
	}
	// A function of the application's, such as a transport, may panic or end the
	// goroutine.
	opened := false
	defer func() {
		if !opened {
			s.finish(err)
			forget()
			close(s.ended)
		}
	}()
	s.setState(StreamConnecting)
	conn, err := s.open(ctx, i)
	if err != nil {
		if s.isClosed() {
			err = closedError(opWebSocketConnect)
		}
		return nil, err
	}
	s.beginAfter(config.wholeUntil, conn.Opened())
	s.setOpen(conn)
	opened = true
	go s.live(ctx, conn, forget)
	return s, nil
}

// errHeldUp is why a stream has ended whose goroutine was ended by a function of
// the application.
var errHeldUp = errors.New("a function of the application has ended the goroutine of the stream with runtime.Goexit")

// usedByStream names who has panicked in the goroutine of a stream.
const usedByStream = "a function that the stream uses"

// live runs the stream, in a goroutine of its own. A function of the
// application, such as a transport or a logger, ends the stream when it panics, and
// not the process.
func (s *Subscription) live(ctx context.Context, conn *wsconn.Conn, forget func()) {
	defer close(s.ended)
	defer forget()
	var err error = s.over(conn.Alive(), errHeldUp)
	var panicked error
	left := false // run has, which closes the connection
	defer func() {
		defer s.finish(err)
		if !left {
			s.conn.Load().HangUp()
		}
		if ctx.Err() == nil {
			var logged error
			guard(usedByStream, &logged, func() { s.log(slog.LevelWarn, "event stream has ended", err) })
		}
	}()
	guard(usedByStream, &panicked, func() { err = s.run(ctx, conn); left = true })
	if panicked != nil {
		logUrgent(ctx, panicked)
		err = s.over(s.conn.Load().Alive(), panicked)
	}
}

// open makes the first connection.
func (s *Subscription) open(ctx context.Context, i *InstanceClient) (*wsconn.Conn, error) {
	if s.config.ensure != nil {
		if err := i.WebSocket.ensureForStream(ctx, *s.config.ensure); err != nil {
			return nil, err
		}
	}
	try := s.newSession()
	for {
		conn, a := s.attempt(ctx, try)
		if conn != nil {
			return conn, nil
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
func (s *Subscription) run(ctx context.Context, conn *wsconn.Conn) error {
	tries := 0
	for {
		cause := s.receive(ctx, conn)
		alive := conn.Alive()
		if err := ctx.Err(); err != nil {
			return err
		}
		if endsStream(cause) {
			return s.over(alive, cause)
		}
		if time.Since(conn.Opened()) >= healthyAfter {
			tries = 0
		}
		s.setLost(cause)
		var err error
		if conn, err = s.reconnect(ctx, &tries); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return s.over(alive, err)
		}
		s.queue.setWhole(s.conn.Load().Whole())
		gap := &GapEvent{From: alive, To: conn.Opened(), Reason: GapOutage, Cause: cause}
		if err := s.queue.push(s.gapEvent(gap), conn.Opened()); err != nil {
			conn.HangUp()
			return s.over(alive, err)
		}
		s.observeLoss()
		s.setOpen(conn)
	}
}

// reconnect tries until there is a connection, or an error that is final.
func (s *Subscription) reconnect(ctx context.Context, tries *int) (*wsconn.Conn, error) {
	try := s.newSession()
	wait := s.backOff(tries)
	var foreign time.Time // since when only others than the service have refused
	for {
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		try.waited = 0 // each attempt may wait for quota as long as a call may
		conn, a := s.attempt(ctx, try)
		if conn != nil {
			return conn, nil
		}
		heard := heardFrom(a)
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

// backOff draws the pause before the next attempt, and counts it.
func (s *Subscription) backOff(tries *int) time.Duration {
	*tries++
	return fullJitter(s.config.minPause, s.config.maxPause, *tries-1)
}

// newSession returns what meters and judges attempts to connect: the same
// that does it for calls.
func (s *Subscription) newSession() *session {
	c := s.handle.client
	return &session{client: c, handle: s.handle, op: opWebSocketConnect, seen: observeAttempts(s.parent, c.config.observer, opWebSocketConnect, s.handle.name)}
}

// attempt waits for quota and tries to connect once. It returns either a
// connection or what came of the attempt.
func (s *Subscription) attempt(ctx context.Context, try *session) (*wsconn.Conn, *transport.Attempt) {
	a := &transport.Attempt{Number: try.tries + try.limited + 1}
	if err := try.Admit(ctx); err != nil {
		a.Unmade, a.Err = true, err
		return nil, a
	}
	a.Began = time.Now()
	conn := s.dial(ctx, a)
	if a.Replied {
		try.Heard(a)
	}
	if conn == nil {
		return nil, a
	}
	try.returnTicket(a, false)
	if try.seen != nil {
		try.seen.heard(s.handle.key(opWebSocketConnect.Class), try.reply.rate)
		try.seen.attempted(AttemptDoneInfo{StatusCode: a.Status, Sent: true}, nil, a.Began)
	}
	return conn, nil
}

// dial makes the handshake, with the token in a header, and notes in a what came
// of it. It returns nil unless there is a connection.
func (s *Subscription) dial(ctx context.Context, a *transport.Attempt) *wsconn.Conn {
	h, c := s.handle, s.handle.client
	config := wsconn.Config{
		Client:  c.transport.HTTP(),
		URL:     url.URL{Scheme: c.config.base.Scheme, Host: c.config.base.Host},
		Header:  http.Header{h.auth.header: h.auth.values.get(), "User-Agent": c.userAgent},
		Timeout: opWebSocketConnect.Timeout, MaxRefusal: maxRefusal, MaxMessage: s.config.readLimit,
		PingEvery: s.config.pingEvery, PingWait: s.config.pingWait,
	}
	config.URL.Path, config.URL.RawPath = opWebSocketConnect.path(h.name, h.raw)
	if own := c.config.http.Timeout; own > 0 {
		config.Timeout = min(config.Timeout, own)
	}
	if runtime.GOOS == "js" {
		// A browser lets nobody set headers on a WebSocket, so there, and nowhere
		// else, the token travels in the URL.
		config.URL.RawQuery = url.Values{"token": {h.auth.token()}}.Encode()
	}
	return wsconn.Dial(ctx, &config, a)
}

// judge classifies a failed attempt, into try.err, and says whether a call
// would try again.
func (s *Subscription) judge(ctx context.Context, try *session, a *transport.Attempt) (again bool, wait time.Duration) {
	if a.Unmade {
		return false, 0 // not admitted
	}
	again, wait = try.Judge(ctx, a)
	const reason = "the reply does not open a WebSocket"
	switch {
	case a.Status == http.StatusSwitchingProtocols && a.Err != nil:
		try.err = try.reply.unreadable(try.op, reason, try.clean(a.Err))
	case a.Status/100 == 2 && try.err == nil:
		try.err = try.reply.unreadable(try.op, reason, nil)
	}
	return again, wait
}

// streamWord is what a failed attempt to connect says about the next one.
type streamWord int

const (
	wordOutage  streamWord = iota // try again
	wordForeign                   // a refusal of somebody who stands before the service: try again, but not for ever
	wordFinal                     // the stream will not come back
)

// foreignPatience is for how long a stream that hears nothing but the refusals
// of others than the service tries to come back. What the service itself says
// is known from documents alone, so they may be its own after all.
const foreignPatience = 15 * time.Minute

// heardFrom returns who refused an attempt. It looks at the reply as it came.
func heardFrom(a *transport.Attempt) streamWord {
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

// understand completes what heardFrom has found by what the attempt failed with.
func (w streamWord) understand(err error) streamWord {
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

// over is the error of a stream that has ended for good.
func (s *Subscription) over(alive time.Time, cause error) *StreamError {
	ended := &StreamError{Instance: s.handle.name, AliveUntil: alive, Err: cause}
	var closed *closeError
	if errors.As(cause, &closed) {
		ended.CloseCode = closed.Code
	}
	return ended
}

// endsStream reports whether what broke a connection says not to come back.
func endsStream(cause error) bool {
	var closed *closeError
	return errors.Is(cause, ErrOverflow) || errors.As(cause, &closed) && closed.Code == closePolicyViolation
}

// receive reads the connection until it breaks, and closes it. The error says
// what broke it.
func (s *Subscription) receive(ctx context.Context, conn *wsconn.Conn) error {
	err := conn.Receive(ctx, s.enqueue)
	var closed *wsconn.CloseError
	switch {
	case errors.Is(err, wsconn.ErrTooLarge):
		return fmt.Errorf("%w: more than %d bytes", ErrEventTooLarge, s.config.readLimit)
	case errors.As(err, &closed):
		return &closeError{Code: closed.Code, Reason: s.handle.auth.redact(closed.Reason)}
	case err != nil:
		return &lostError{err}
	default:
		return nil
	}
}
