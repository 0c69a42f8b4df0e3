package ryze

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streamServer is a WebSocket server in memory that a test drives by hand, to
// misbehave in ways in which the service does not on purpose.
type streamServer struct {
	conns  chan net.Conn
	closed chan struct{}
	http   http.Server
	client *http.Client
	peers  sync.WaitGroup
	count  atomic.Int64
	serve  handshakeFunc
}

// handshakeFunc serves one request: it is told its number, from 1, and the
// connection below it.
type handshakeFunc func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn)

// newStreamServer starts a server. It serves one request at a time. serve may
// be set later, before the first request.
func newStreamServer(tb testing.TB, serve handshakeFunc) *streamServer {
	tb.Helper()
	s := &streamServer{conns: make(chan net.Conn), closed: make(chan struct{}), serve: serve}
	s.http.ErrorLog = log.New(io.Discard, "", 0)
	s.http.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	turn := make(chan struct{}, 1) // a mutex would hold up virtual time
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.peers.Add(1)
		defer s.peers.Done()
		turn <- struct{}{}
		defer func() { <-turn }()
		s.serve(int(s.count.Add(1)), w, r, r.Context().Value(connKey{}).(*serverConn))
	})
	s.client = &http.Client{Transport: &http.Transport{DialContext: s.dial}}
	s.peers.Add(1) // so that no handler is ever the first
	go func() { _ = s.http.Serve(s) }()
	tb.Cleanup(func() {
		s.client.CloseIdleConnections()
		_ = s.http.Close()
		s.peers.Done()
		s.peers.Wait()
	})
	return s
}

type connKey struct{}

// instance returns a handle whose requests go to the server.
func (s *streamServer) instance(tb testing.TB, opts ...Option) *InstanceClient {
	tb.Helper()
	opts = append([]Option{WithBaseURL("http://localhost"), WithHTTPClient(s.client)}, opts...)
	client, err := New(opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client.Instance("support-line", streamToken)
}

const streamToken = "6f1c0e2a-secret-of-the-instance"

func (s *streamServer) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	reset := new(atomic.Bool)
	select {
	case s.conns <- &serverConn{Conn: server, reset: reset}:
		return &clientConn{Conn: client, reset: reset}, nil
	case <-s.closed:
		return nil, syscall.ECONNREFUSED
	}
}

func (s *streamServer) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *streamServer) Close() error {
	close(s.closed)
	return nil
}

func (s *streamServer) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// serverConn is the server's end of a connection.
type serverConn struct {
	net.Conn
	reset *atomic.Bool
}

// Reset ends the connection as an RST does.
func (c *serverConn) Reset() {
	c.reset.Store(true)
	_ = c.Close()
}

// clientConn is the other end.
type clientConn struct {
	net.Conn
	reset *atomic.Bool
}

func (c *clientConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) && c.reset.Load() {
		err = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return n, err
}

// peer is the server's side of one stream.
type peer struct {
	*websocket.Conn
	conn *serverConn
	mute atomic.Bool   // answers no pings
	gone chan struct{} // the client has left
	left error         // how, once it has
}

// accept answers a handshake and reads until the client is gone.
func (s *streamServer) accept(w http.ResponseWriter, r *http.Request, conn *serverConn) (*peer, error) {
	p := &peer{conn: conn, gone: make(chan struct{})}
	var err error
	p.Conn, err = websocket.Accept(w, r, p.acceptOptions())
	if err != nil {
		return nil, err
	}
	s.peers.Go(func() {
		defer close(p.gone)
		for {
			if _, _, err := p.Read(context.Background()); err != nil {
				p.left = err
				return
			}
		}
	})
	return p, nil
}

// frameHeader is the header of a frame of text, of 126 bytes or more.
func frameHeader(size int) []byte {
	return append([]byte{0x81, 126}, binary.BigEndian.AppendUint16(nil, uint16(size))...)
}

// say writes a frame of text.
func (p *peer) say(frame []byte) error {
	return p.Write(context.Background(), websocket.MessageText, frame)
}

// hangs closes the connection with a code and waits for the client to leave.
func (p *peer) hang(code int) {
	_ = p.Close(websocket.StatusCode(code), "")
	<-p.gone
}

// refuse answers a handshake with an error envelope.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"success":false,"error":{"message":%q}}`, message)
}

// numberedFrame is the frame of message number n, in one of ten chats.
func numberedFrame(n int) []byte { return textMessage(fmt.Sprintf("id-%d", n), n%10, "Hello") }

func textMessage(id string, chat int, text string) []byte {
	return fmt.Appendf(nil, `{"event":"message.exchange","data":{"id":%q,"direction":"incoming","timestamp":"2026-01-02T03:04:05Z",`+
		`"chat":{"jid":"55119876543%02d@s.whatsapp.net","type":"private"},"message":{"type":"text","content":%q}},`+
		`"instanceData":{"instance":"support-line","token":%q,"baseUrl":"http://localhost"}}`, id, chat, text, streamToken)
}

func gapOf(t *testing.T, e *Event) *GapEvent {
	t.Helper()
	require.NotNil(t, e, "the stream has ended")
	require.IsType(t, &GapEvent{}, e.Data)
	return e.Data.(*GapEvent)
}

// textOf is the text of the message that an event must be.
func textOf(t *testing.T, e *Event) string {
	t.Helper()
	require.NotNil(t, e, "the stream has ended")
	require.IsType(t, &MessageEvent{}, e.Data)
	return e.Data.(*MessageEvent).Text
}

// quickly fails when fn takes longer in virtual time.
func quickly(t *testing.T, limit time.Duration, fn func()) {
	t.Helper()
	began := time.Now()
	fn()
	assert.LessOrEqual(t, time.Since(began), limit)
}
