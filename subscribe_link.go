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
	if l == nil {
		return nil, a
	}
	try.reply.rate = parseRateLimit(a.Header, a.Arrived, &try.client.skew)
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

// isFinal reports whether an error says that a stream will not come back.
func isFinal(err error) bool {
	var (
		api         *APIError
		closed      *CloseError
		overflow    *OverflowError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		invalidCert x509.CertificateInvalidError
		wrongHost   x509.HostnameError
	)
	switch {
	case errors.As(err, &api):
		switch api.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
			return true
		}
		return api.Is(ErrWebSocketDisabled)
	case errors.As(err, &closed):
		return closed.Code == closePolicyViolation
	case errors.As(err, &overflow):
		return true
	default:
		return errors.Is(err, ErrRedirect) || errors.Is(err, transport.ErrForeignOrigin) ||
			errors.As(err, &certificate) || errors.As(err, &authority) ||
			errors.As(err, &invalidCert) || errors.As(err, &wrongHost)
	}
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

// redact takes the token out of a text from the network.
func (c *credential) redact(text string) string {
	return string(withoutSecret([]byte(text), c.token()))
}
