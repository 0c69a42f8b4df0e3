package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// http2Server speaks just enough HTTP/2 to answer whole requests as it is told,
// frame by frame, which net/http's server does not allow.
type http2Server struct {
	*httptest.Server
	requests atomic.Int32 // that came whole
	answer   func(c *http2Conn, stream uint32, request int32)
}

type http2Conn struct {
	*tls.Conn
	number int32 // 1 for the first connection
}

const (
	frameData      = 0
	frameHeaders   = 1
	frameReset     = 3
	frameSettings  = 4
	framePing      = 6
	frameGoAway    = 7
	flagEnd        = 1
	flagAck        = 1
	flagEndHeaders = 4

	codeNone     = 0
	codeProtocol = 1
	codeRefused  = 7
	codeCancel   = 8
)

func (c *http2Conn) frame(kind, flags byte, stream uint32, payload ...byte) {
	head := make([]byte, 9, 9+len(payload))
	binary.BigEndian.PutUint32(head, uint32(len(payload))<<8|uint32(kind))
	head[4] = flags
	binary.BigEndian.PutUint32(head[5:], stream)
	_, _ = c.Write(append(head, payload...))
}

func (c *http2Conn) reset(stream, code uint32) {
	c.frame(frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code)...)
}

func (c *http2Conn) goAway(last, code uint32) {
	c.frame(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code)...)
}

func (c *http2Conn) ok(stream uint32) {
	c.frame(frameHeaders, flagEndHeaders, stream, 0x88) // :status 200
	c.frame(frameData, flagEnd, stream, []byte("done")...)
}

func serveHTTP2(t *testing.T, answer func(c *http2Conn, stream uint32, request int32)) (*http2Server, *http.Transport) {
	t.Helper()
	s := &http2Server{Server: httptest.NewUnstartedServer(nil), answer: answer}
	s.EnableHTTP2 = true
	s.StartTLS()
	config := s.TLS.Clone()
	transport := s.Client().Transport.(*http.Transport).Clone()
	s.Server.Close()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)
	s.URL = "https://" + listener.Addr().String()
	done := make(chan struct{})
	var conns atomic.Int32
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(&http2Conn{conn.(*tls.Conn), conns.Add(1)})
		}
	}()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = listener.Close()
		<-done
	})
	return s, transport
}

func (s *http2Server) serve(c *http2Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	if _, err := io.CopyN(io.Discard, r, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	c.frame(frameSettings, 0, 0)
	var head [9]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		size := int64(binary.BigEndian.Uint32(head[:]) >> 8)
		payload := make([]byte, size)
		if _, err := io.ReadFull(r, payload); err != nil {
			return
		}
		stream := binary.BigEndian.Uint32(head[5:])
		switch kind, flags := head[3], head[4]; {
		case kind == frameSettings && flags&flagAck == 0:
			c.frame(frameSettings, flagAck, 0)
		case (kind == frameHeaders || kind == frameData) && flags&flagEnd != 0:
			s.answer(c, stream, s.requests.Add(1))
		}
	}
}

func errorCodes() map[string]uint32 {
	return map[string]uint32{
		"NO_ERROR": 0, "PROTOCOL_ERROR": 1, "INTERNAL_ERROR": 2, "FLOW_CONTROL_ERROR": 3, "SETTINGS_TIMEOUT": 4, "STREAM_CLOSED": 5,
		"FRAME_SIZE_ERROR": 6, "REFUSED_STREAM": 7, "CANCEL": 8, "COMPRESSION_ERROR": 9, "CONNECT_ERROR": 10, "ENHANCE_YOUR_CALM": 11,
		"INADEQUATE_SECURITY": 12, "HTTP_1_1_REQUIRED": 13, "unknown": 99,
	}
}

// sends are the forms of a call that must not be carried out twice.
func sends() map[string]func(*script) *Call {
	return map[string]func(*script) *Call{
		"with bytes": func(s *script) *Call {
			call := newCall(s, http.MethodPost)
			call.Bytes = []byte(`{"number":"1"}`)
			return call
		},
		"with a stream": func(s *script) *Call {
			call := newCall(s, http.MethodPost)
			call.Size = 3
			call.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("abc")), nil }
			return call
		},
		"with a stream of unknown length": func(s *script) *Call {
			call := newCall(s, http.MethodPost)
			call.Size = -1
			call.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("abc")), nil }
			return call
		},
		"GET":             func(s *script) *Call { return newCall(s, http.MethodGet) },
		"DELETE":          func(s *script) *Call { return newCall(s, http.MethodDelete) },
		"POST of nothing": func(s *script) *Call { return newCall(s, http.MethodPost) },
	}
}

// net/http repeats by itself what an HTTP/2 peer has reset with some codes. It
// must not, and only a refusal is certain.
func TestResetStreamIsSentOnce(t *testing.T) {
	for form, newCall := range sends() {
		for name, code := range errorCodes() {
			t.Run(form+"/"+name, func(t *testing.T) {
				server, next := serveHTTP2(t, func(c *http2Conn, stream uint32, _ int32) { c.reset(stream, code) })
				client := clientFor(t, server.URL, &http.Client{Transport: next})
				s := &script{}
				require.NoError(t, client.Do(t.Context(), newCall(s)))
				require.Len(t, s.attempts, 1)
				require.Error(t, s.attempts[0].Err)
				assert.True(t, s.attempts[0].Sent)
				assert.Equal(t, code == codeRefused, s.attempts[0].Undone)
				assert.Equal(t, int32(1), server.requests.Load())
			})
		}
	}
}

// A policy that knows that nothing was done sends again, and succeeds.
func TestRefusedStreamCanBeRepeated(t *testing.T) {
	for form, newCall := range sends() {
		t.Run(form, func(t *testing.T) {
			server, next := serveHTTP2(t, func(c *http2Conn, stream uint32, request int32) {
				if request == 1 {
					c.reset(stream, codeRefused)
					return
				}
				c.ok(stream)
			})
			client := clientFor(t, server.URL, &http.Client{Transport: next})
			s := &script{again: 1}
			require.NoError(t, client.Do(t.Context(), newCall(s)))
			require.Len(t, s.attempts, 2)
			assert.True(t, s.attempts[0].Undone)
			assert.Equal(t, http.StatusOK, s.attempts[1].Status)
			assert.Equal(t, "done", string(s.attempts[1].Body))
		})
	}
}

func TestGoAwayIsAPromiseForYoungerStreamsAlone(t *testing.T) {
	for form, newCall := range sends() {
		for _, c := range []struct {
			name   string
			answer func(c *http2Conn, stream uint32)
			undone bool
		}{
			{"before the request", func(c *http2Conn, stream uint32) { c.goAway(stream-2, codeNone) }, true},
			{"after the request", func(c *http2Conn, stream uint32) { c.goAway(stream, codeNone); _ = c.Close() }, false},
			{"that promises to finish everything", func(c *http2Conn, _ uint32) { c.goAway(1<<31-1, codeNone); _ = c.Close() }, false},
			{"after the request, with an error", func(c *http2Conn, stream uint32) { c.goAway(stream, codeProtocol); _ = c.Close() }, false},
			{"none, but the end", func(c *http2Conn, _ uint32) { _ = c.Close() }, false},
		} {
			t.Run(form+"/"+c.name, func(t *testing.T) {
				server, next := serveHTTP2(t, func(conn *http2Conn, stream uint32, request int32) {
					if request == 1 { // makes the next stream older than the first
						conn.ok(stream)
						return
					}
					c.answer(conn, stream)
				})
				client := clientFor(t, server.URL, &http.Client{Transport: next})
				require.NoError(t, client.Do(t.Context(), newCall(&script{})))
				s := &script{}
				require.NoError(t, client.Do(t.Context(), newCall(s)))
				require.Len(t, s.attempts, 1)
				require.Error(t, s.attempts[0].Err)
				assert.Equal(t, c.undone, s.attempts[0].Undone, "%v", s.attempts[0].Err)
				assert.Equal(t, int32(2), server.requests.Load())
			})
		}
	}
}

// A read that the peer always resets comes back to the policy, which counts.
func TestReadIsNotRepeatedByNetHTTPWithoutEnd(t *testing.T) {
	server, next := serveHTTP2(t, func(c *http2Conn, stream uint32, _ int32) { c.reset(stream, codeProtocol) })
	client := clientFor(t, server.URL, &http.Client{Transport: next})
	s := &script{again: 2}
	call := newCall(s, http.MethodGet)
	call.Repeatable = true
	require.NoError(t, client.Do(t.Context(), call))
	require.Len(t, s.attempts, 3)
	// net/http does not always ask for a connection before it begins anew.
	assert.LessOrEqual(t, server.requests.Load(), int32(3*mostConnections))
	assert.Regexp(t, "about to send the request again|PROTOCOL_ERROR", s.attempts[2].Err) // of net/http in Go 1.26, in 1.27
}

// During a wait of net/http's own, a cancelled call has been sent all the same.
func TestConnectionOnceHadStaysHad(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server, next := serveHTTP2(t, func(c *http2Conn, stream uint32, _ int32) {
		c.reset(stream, codeProtocol)
		cancel()
	})
	client := clientFor(t, server.URL, &http.Client{Transport: next})
	for _, newCall := range sends() {
		s := &script{}
		require.NoError(t, client.Do(ctx, newCall(s)))
		if server.requests.Load() > 0 {
			assert.True(t, s.attempts[0].Sent)
			assert.False(t, s.attempts[0].Undone)
			return
		}
	}
}

// A frozen connection is not used for the next call, an answering one is.
func TestTimeoutRetiresADeadConnection(t *testing.T) {
	for _, otherAnswers := range []bool{false, true} {
		var conns atomic.Int32
		server, next := serveHTTP2(t, func(c *http2Conn, stream uint32, request int32) {
			conns.Store(max(conns.Load(), c.number))
			if request != 1 && c.number == 1 && (request == 2 || !otherAnswers) {
				return // frozen
			}
			c.ok(stream)
		})
		client := clientFor(t, server.URL, &http.Client{Transport: next})
		require.NoError(t, client.Do(t.Context(), newCall(&script{}, http.MethodGet)))

		slow := newCall(&script{}, http.MethodGet)
		slow.Timeout = 300 * time.Millisecond
		ended := make(chan error)
		go func() { ended <- client.Do(t.Context(), slow) }()
		if otherAnswers {
			for server.requests.Load() < 2 {
				time.Sleep(time.Millisecond)
			}
			require.NoError(t, client.Do(t.Context(), newCall(&script{}, http.MethodGet)))
		}
		require.NoError(t, <-ended)
		assert.ErrorIs(t, slow.attempt.Err, context.DeadlineExceeded)
		assert.False(t, slow.attempt.Undone)

		// net/http needs a moment to notice; until then nothing leaves.
		s := &script{}
		require.NoError(t, client.Do(t.Context(), newCall(s, http.MethodGet)))
		for s.attempts[len(s.attempts)-1].Err != nil {
			require.True(t, s.attempts[len(s.attempts)-1].Undone, "%v", s.attempts[len(s.attempts)-1].Err)
			require.NoError(t, client.Do(t.Context(), newCall(s, http.MethodGet)))
		}
		want := int32(2)
		if otherAnswers {
			want = 1
		}
		assert.Equal(t, want, conns.Load(), "other answers: %v", otherAnswers)
	}
}

// net/http needs a moment to notice that a connection was retired, and may hand it
// out in between. Nothing can leave on it.
func TestRetiredConnectionIsNoDoubt(t *testing.T) {
	for form, newCall := range sends() {
		t.Run(form, func(t *testing.T) {
			server, next := serveHTTP2(t, func(c *http2Conn, stream uint32, request int32) {
				if request == 1 {
					c.ok(stream)
				}
			})
			var conns []*unnoticed
			next.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				c := &unnoticed{Conn: conn, broken: make(chan struct{})}
				t.Cleanup(func() { _ = conn.Close() })
				conns = append(conns, c)
				return c, nil
			}
			client := clientFor(t, server.URL, &http.Client{Transport: next})
			require.NoError(t, client.Do(t.Context(), newCall(&script{})))
			frozen := newCall(&script{})
			frozen.Timeout = 200 * time.Millisecond
			require.NoError(t, client.Do(t.Context(), frozen))
			require.Len(t, conns, 1)
			<-conns[0].broken
			assert.False(t, frozen.attempt.Undone)

			s := &script{}
			again := newCall(s)
			again.Timeout = 5 * time.Second
			require.NoError(t, client.Do(t.Context(), again))
			require.ErrorIs(t, s.attempts[0].Err, net.ErrClosed)
			assert.Len(t, conns, 1)
			assert.False(t, s.attempts[0].Sent)
			assert.True(t, s.attempts[0].Undone)
			assert.True(t, s.attempts[0].Stale)
			assert.False(t, frozen.attempt.Stale)
			assert.Equal(t, int32(2), server.requests.Load())
		})
	}
}

// unnoticed is a connection whose user does not notice that it was closed.
type unnoticed struct {
	net.Conn
	once   sync.Once
	broken chan struct{}
}

func (c *unnoticed) Close() error {
	c.once.Do(func() { close(c.broken) })
	return nil
}

func (c *unnoticed) Write(p []byte) (int, error) {
	select {
	case <-c.broken:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

// A body that the peer never got whole cannot have been carried out.
func TestHalfABodyIsNotCarriedOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, conn, 1<<20)
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}()
	for _, size := range []int64{32 << 20, -1} {
		client := clientFor(t, "http://"+listener.Addr().String(), &http.Client{Transport: &http.Transport{}})
		s := &script{again: 1}
		call := newCall(s, http.MethodPost)
		call.Size = size
		call.Open = func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zeros{}, 32<<20)), nil }
		require.NoError(t, client.Do(t.Context(), call))
		require.Len(t, s.attempts, 2)
		for _, a := range s.attempts {
			require.Error(t, a.Err)
			assert.True(t, a.Sent)
			assert.True(t, a.Undone, "size %d: %v", size, a.Err)
		}
		client.CloseIdle()
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A connection that died while it was idle: over HTTP/1 net/http knows that
// nothing was written, and may send a small body on a new one.
func TestStaleConnectionIsNoDoubt(t *testing.T) {
	first := make(chan net.Conn, 1)
	var posts atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		posts.Add(1)
	}))
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			select {
			case first <- c:
			default:
			}
		}
	}
	server.Start()
	defer server.Close()
	broken := &breakable{}
	next := &http.Transport{DialContext: broken.dial}
	client := clientFor(t, server.URL, &http.Client{Transport: next})
	defer client.CloseIdle()
	for range 20 {
		require.NoError(t, client.Do(t.Context(), sends()["with bytes"](&script{})))
		broken.breakWrites()
		before := posts.Load()
		s := &script{}
		require.NoError(t, client.Do(t.Context(), sends()["with bytes"](s)))
		require.NoError(t, s.attempts[0].Err)
		assert.Equal(t, before+1, posts.Load())
	}
}

// breakable makes connections whose writes can be made to fail.
type breakable struct{ last atomic.Pointer[brokenConn] }

type brokenConn struct {
	net.Conn
	broken atomic.Bool
}

func (b *breakable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &brokenConn{Conn: conn}
	b.last.Store(c)
	return c, nil
}

func (b *breakable) breakWrites() { b.last.Load().broken.Store(true) }

func (c *brokenConn) Write(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, errors.New("broken pipe")
	}
	return c.Conn.Write(p)
}

// What is not HTTP any more is not waited for, and no redirect is looked at.
func TestOddRepliesEndAtOnce(t *testing.T) {
	for _, reply := range []string{
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: http://[::1/%zz\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 307 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go func() {
					if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
						_, _ = io.Copy(io.Discard, r.Body)
						_, _ = io.WriteString(conn, reply) // and the connection stays open
					}
				}()
			}
		}()
		client := clientFor(t, "http://"+listener.Addr().String(), &http.Client{Transport: &http.Transport{}})
		s := &script{}
		require.NoError(t, client.Do(t.Context(), sends()["with bytes"](s)))
		require.NoError(t, s.attempts[0].Err, reply)
		assert.True(t, s.attempts[0].Replied)
		assert.False(t, s.attempts[0].Undone)
		client.CloseIdle()
		_ = listener.Close()
	}
}
