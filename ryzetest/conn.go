package ryzetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is one connection as net/http's server sees it: without its TLS, which ends
// here, so that the frames of HTTP/2 can be looked at and faults put between them.
type conn struct {
	net.Conn          // TLS when there is any, else the raw one
	raw      net.Conn // below TLS
	s        *Server
	id       int // counts the connections of the server from 1

	ready  sync.Once
	err    error // of the handshake
	frames *frames
	idle   atomic.Bool // it has served a request, and waits for the next

	mu     sync.Mutex
	frozen bool
}

// listener wraps what the server accepts, and plays the faults of new connections.
type listener struct {
	net.Listener
	s *Server
}

func (l listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: raw, raw: raw, s: l.s, id: int(l.s.accepted.Add(1))}
		if l.s.tls != nil {
			c.Conn = tls.Server(raw, l.s.tls)
		}
		switch l.s.takeConnFault() {
		case ConnReset:
			resetConn(c)
			continue
		case ConnSilent:
			c.freeze()
		}
		return c, nil
	}
}

// plainStarts are the first five bytes of a request without TLS.
var plainStarts = []string{"GET /", "HEAD ", "POST ", "PUT /", "DELET", "OPTIO"}

type connKey struct{}

// connOf is the connection that a request came on.
func connOf(ctx context.Context) *conn { return ctx.Value(connKey{}).(*conn) }

// start completes the handshake, and learns from it which HTTP is spoken.
func (c *conn) start() error {
	c.ready.Do(func() {
		t, ok := c.Conn.(*tls.Conn)
		if !ok {
			return
		}
		if c.err = t.HandshakeContext(c.s.ctx); c.err == nil && t.ConnectionState().NegotiatedProtocol == "h2" {
			c.frames = newFrames(c, t)
		}
		if plain, ok := errors.AsType[tls.RecordHeaderError](c.err); ok && plain.Conn != nil && slices.Contains(plainStarts, string(plain.RecordHeader[:])) {
			_, _ = io.WriteString(plain.Conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis is HTTPS: write https:// before the address.\n")
		}
	})
	return c.err
}

// Read hands on what the client sends. Of a frozen connection it hands on nothing,
// until the connection ends.
func (c *conn) Read(p []byte) (int, error) {
	if c.isFrozen() {
		return c.swallow()
	}
	if err := c.start(); err != nil {
		if c.isFrozen() {
			return c.swallow()
		}
		return 0, err
	}
	var n int
	var err error
	if c.frames != nil {
		n, err = c.frames.Read(p)
	} else {
		n, err = c.Conn.Read(p)
		if n > 0 && c.idle.Swap(false) && c.s.takeStale() {
			resetConn(c)
			return 0, syscall.ECONNRESET
		}
	}
	if c.isFrozen() {
		return c.swallow()
	}
	return n, err
}

func (c *conn) swallow() (int, error) {
	_, err := io.Copy(io.Discard, c.raw)
	if err == nil {
		err = io.EOF
	}
	return 0, err
}

// Write sends what the server answers; of a frozen connection nothing leaves.
func (c *conn) Write(p []byte) (int, error) {
	switch {
	case c.isFrozen():
		return len(p), nil
	case c.frames != nil:
		return c.frames.Write(p)
	}
	return c.Conn.Write(p)
}

// Close ends the connection, with the words of TLS unless nobody may listen any more.
func (c *conn) Close() error {
	if c.s.ctx.Err() != nil || c.isFrozen() {
		return c.raw.Close()
	}
	return c.Conn.Close()
}

// SetDeadline, SetReadDeadline and SetWriteDeadline do nothing to a frozen
// connection: it has to outlast the patience of net/http's server.
func (c *conn) SetDeadline(t time.Time) error      { return c.limit(c.Conn.SetDeadline, t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.limit(c.Conn.SetReadDeadline, t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.limit(c.Conn.SetWriteDeadline, t) }

func (c *conn) limit(set func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen {
		return nil
	}
	return set(t)
}

// freeze makes the connection swallow what comes and send nothing from now on.
func (c *conn) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = true
	_ = c.raw.SetDeadline(time.Time{}) // fails on a closed connection only
}

func (c *conn) isFrozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen
}

// resetConn ends a connection with an RST, or what looks like one in memory.
func resetConn(c *conn) {
	switch raw := c.raw.(type) {
	case *net.TCPConn:
		_ = raw.SetLinger(0) // fails on a closed connection only
	case *pipeConn:
		raw.reset.Store(true)
	}
	c.raw.Close()
}

// patienceOfClose is how long a connection that ends in order waits for the
// client to end it too.
const patienceOfClose = time.Second

// closeInOrder lets what was written arrive before the connection ends. Nobody
// else may read it.
func (c *conn) closeInOrder() {
	c.closeWrite()
	_, _ = c.swallow()
	c.raw.Close()
}

// closeWrite ends the server's half of the connection. What fails here fails
// because the client has ended the connection first.
func (c *conn) closeWrite() {
	if t, ok := c.Conn.(*tls.Conn); ok {
		_ = t.CloseWrite()
	}
	c.freeze()
	_ = c.raw.SetReadDeadline(time.Now().Add(patienceOfClose))
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
		return
	}
	c.raw.Close()
}

// A ConnFault is what happens to a connection before its first byte.
type ConnFault int

const (
	// ConnReset resets the connection as soon as it is there.
	ConnReset ConnFault = iota + 1
	// ConnSilent accepts the connection and never answers, not even the TLS
	// handshake.
	ConnSilent
)

// FaultConnections breaks the next n new connections. Nothing of their requests
// is read.
func (s *Server) FaultConnections(n int, f ConnFault) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.broken, s.brokenHow = n, f
}

func (s *Server) takeConnFault() ConnFault {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.broken <= 0 {
		return 0
	}
	s.broken--
	return s.brokenHow
}

// ResetReused resets the next n requests that come on a used connection.
// Nothing of them is read. This is how a server looks when it closes an idle
// connection as a request arrives.
func (s *Server) ResetReused(n int) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.stale = n
}

func (s *Server) takeStale() bool {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.stale <= 0 {
		return false
	}
	s.stale--
	return true
}

// CloseIdleConnections ends the connections without a running request, in
// order. HTTP/2 announces it with a GOAWAY.
func (s *Server) CloseIdleConnections() {
	for _, c := range s.connections(func(st http.ConnState) bool { return st == http.StateIdle }) {
		if c.frames != nil {
			c.frames.goAway(H2NoError, c.frames.last.Load())
		}
		_ = c.Close() // the client may have ended it first
	}
}

// FreezeConnections plays a dead network. The open connections read everything
// and answer nothing, also no HTTP/2 PING. They stay open until the client or
// the server closes them. New connections work.
func (s *Server) FreezeConnections() {
	for _, c := range s.connections(func(http.ConnState) bool { return true }) {
		c.freeze()
	}
}

// Connections returns the number of open connections, without event streams;
// see Instance.WebSockets.
func (s *Server) Connections() int {
	return len(s.connections(func(http.ConnState) bool { return true }))
}

func (s *Server) connections(which func(http.ConnState) bool) []*conn {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	var list []*conn
	for c, state := range s.open {
		if which(state) {
			list = append(list, c)
		}
	}
	return list
}

func (s *Server) connState(nc net.Conn, state http.ConnState) {
	c := nc.(*conn)
	s.connMu.Lock()
	defer s.connMu.Unlock()
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateIdle:
		c.idle.Store(true)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
		delete(s.open, c)
		return
	}
	s.open[c] = state
}

// dropConns resets every connection that net/http serves.
func (s *Server) dropConns() {
	for _, c := range s.connections(func(http.ConnState) bool { return true }) {
		resetConn(c)
	}
}

// Certificate returns the certificate of a server with WithTLS, or nil. It
// signs itself, for this machine's loopback addresses and the host of URL.
// HTTPClient trusts it. Another client needs it:
//
//	pool := x509.NewCertPool()
//	pool.AddCert(srv.Certificate())
//	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
func (s *Server) Certificate() *x509.Certificate {
	if s.tls == nil {
		return nil
	}
	return s.tls.Certificates[0].Leaf
}

// serverTLS makes a certificate, valid at any time that a test may play.
func serverTLS(host string, noHTTP2 bool) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "ryzetest"},
		NotBefore:             time.Unix(0, 0),
		NotAfter:              time.Date(2084, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = append(template.IPAddresses, ip)
	} else if host != "" {
		template.DNSNames = append(template.DNSNames, host)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	protocols := []string{"h2", "http/1.1"}
	if noHTTP2 {
		protocols = protocols[1:]
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}},
		NextProtos:   protocols,
		MinVersion:   tls.VersionTLS12,
		// A ticket is written when the client does not read yet: in memory, both
		// would wait for each other.
		SessionTicketsDisabled: true,
	}, nil
}

var errFrameTooLarge = errors.New("HTTP/2 frame too large")
