package ryzetest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
)

var errRefused = syscall.ECONNREFUSED

// newClient returns a client without proxy or redirects, and with room for many
// idle connections. It speaks HTTP/2 when there is a certificate to trust.
func newClient(dial func(context.Context, string, string) (net.Conn, error), trust *x509.Certificate) *http.Client {
	t := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 256}
	if trust != nil {
		pool := x509.NewCertPool()
		pool.AddCert(trust)
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		t.ForceAttemptHTTP2 = true
	}
	return &http.Client{Transport: t, CheckRedirect: noRedirect}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// loopbackClient reaches nothing but this machine.
func loopbackClient() *http.Client {
	return newClient(func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if !isLoopback(host) {
			return nil, errors.New("only loopback destinations are reached; see WithWebhookClient")
		}
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}, nil)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// handlerTransport serves requests with a handler, in memory.
type handlerTransport struct{ h http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.URL.Host
	in.RemoteAddr = "127.0.0.1:0"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		t.h.ServeHTTP(w, in)
	}()
	select {
	case p := <-done:
		if err, isErr := p.(error); isErr && errors.Is(err, http.ErrAbortHandler) {
			return nil, io.ErrUnexpectedEOF
		}
		if p != nil {
			panic(p)
		}
		return w.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// pipeListener accepts in-memory connections.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	reset := new(atomic.Bool)
	select {
	case l.conns <- &pipeConn{server, reset}:
		return &pipeConn{client, reset}, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: pipeAddr{}, Err: errRefused}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "localhost:0" }

// pipeConn is one end of a net.Pipe that can be reset as a TCP connection can.
type pipeConn struct {
	net.Conn
	reset *atomic.Bool
}

func (c *pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }
func (c *pipeConn) LocalAddr() net.Addr  { return pipeAddr{} }

func (c *pipeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.err("read", err)
}

func (c *pipeConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.err("write", err)
}

func (c *pipeConn) err(op string, err error) error {
	if err == nil || !c.reset.Load() || errors.Is(err, net.ErrClosed) {
		return err
	}
	return &net.OpError{Op: op, Net: "pipe", Addr: pipeAddr{}, Err: syscall.ECONNRESET}
}
