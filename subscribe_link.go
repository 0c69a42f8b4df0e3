package ryze

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

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
