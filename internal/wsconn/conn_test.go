package wsconn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/internal/transport"
)

// connect makes a connection to a peer that does what talk does. The channel
// gives what the peer read last: how the connection ended.
func connect(t *testing.T, change func(*Config), talk func(context.Context, *websocket.Conn)) (*Conn, <-chan error) {
	t.Helper()
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			ended <- err
			return
		}
		defer func() { _ = ws.CloseNow() }()
		talk(r.Context(), ws)
		_, _, err = ws.Read(r.Context())
		ended <- err
	}))
	t.Cleanup(server.Close)
	config := configFor(t, server.URL)
	if change != nil {
		change(config)
	}
	a := &transport.Attempt{}
	conn := Dial(t.Context(), config, a)
	require.NotNil(t, conn, "%v", a.Err)
	assert.Equal(t, http.StatusSwitchingProtocols, a.Status)
	assert.True(t, a.Replied)
	assert.True(t, a.Sent)
	return conn, ended
}

func configFor(t *testing.T, address string) *Config {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return &Config{
		Client: &http.Client{Transport: &http.Transport{}}, URL: *u, Timeout: 10 * time.Second,
		MaxRefusal: 10, MaxMessage: 100, PingEvery: time.Hour, PingWait: time.Hour,
	}
}

func say(texts ...string) func(context.Context, *websocket.Conn) {
	return func(ctx context.Context, ws *websocket.Conn) {
		for _, text := range texts {
			_ = ws.Write(ctx, websocket.MessageText, []byte(text))
		}
	}
}

func TestRefusedMessageDoesNotCountAndEndsWithAGoodbye(t *testing.T) {
	conn, ended := connect(t, nil, say("one", "two", "three"))
	refusal := errors.New("full")
	var heard []string
	last := conn.Opened()
	err := conn.Receive(t.Context(), func(message []byte, came, before time.Time) error {
		heard = append(heard, string(message))
		assert.Equal(t, last, before)
		if len(heard) == 2 {
			return refusal
		}
		last = came
		return nil
	})
	require.ErrorIs(t, err, refusal)
	assert.Equal(t, []string{"one", "two"}, heard)
	assert.Equal(t, last, conn.Alive(), "the message before it")
	assert.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(<-ended))
}

func TestEndOfTheContextSaysGoodbye(t *testing.T) {
	conn, ended := connect(t, nil, say("one"))
	ctx, cancel := context.WithCancel(t.Context())
	err := conn.Receive(ctx, func([]byte, time.Time, time.Time) error { cancel(); return nil })
	require.Error(t, err)
	assert.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(<-ended))
}

func TestPingDuringTheGoodbyeIsNobodysBusiness(t *testing.T) { // -race watches
	conn, _ := connect(t, nil, func(ctx context.Context, ws *websocket.Conn) {
		say("one")(ctx, ws)
		_ = ws.Ping(ws.CloseRead(ctx))
	})
	ctx, cancel := context.WithCancel(t.Context())
	refusal := errors.New("full")
	last := conn.Opened()
	require.ErrorIs(t, conn.Receive(ctx, func([]byte, time.Time, time.Time) error { cancel(); return refusal }), refusal)
	assert.Equal(t, last, conn.Alive())
}

func TestReceiveSaysWhatBrokeTheConnection(t *testing.T) {
	receive := func(change func(*Config), talk func(context.Context, *websocket.Conn)) error {
		conn, _ := connect(t, change, talk)
		return conn.Receive(t.Context(), func([]byte, time.Time, time.Time) error { return nil })
	}
	require.ErrorIs(t, receive(nil, say(strings.Repeat("x", 101))), ErrTooLarge)

	var closed *CloseError
	require.ErrorAs(t, receive(nil, func(_ context.Context, ws *websocket.Conn) { _ = ws.Close(4001, "enough") }), &closed)
	assert.Equal(t, CloseError{4001, "enough"}, *closed)

	lost := receive(nil, func(_ context.Context, ws *websocket.Conn) { _ = ws.CloseNow() })
	require.ErrorContains(t, lost, "the connection was lost: ")

	over := make(chan struct{})
	defer close(over)
	silent := receive(func(c *Config) { c.PingEvery, c.PingWait = time.Millisecond, 50*time.Millisecond },
		func(context.Context, *websocket.Conn) { <-over }) // nobody reads the pings
	require.ErrorIs(t, silent, os.ErrDeadlineExceeded)
}

func TestReplyThatRefusesIsKept(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not for you, whoever you are", http.StatusForbidden)
	}))
	defer server.Close()
	a := &transport.Attempt{}
	require.Nil(t, Dial(t.Context(), configFor(t, server.URL), a))
	assert.Equal(t, http.StatusForbidden, a.Status)
	assert.Equal(t, "not for yo", string(a.Body), "no more than MaxRefusal")
	assert.True(t, a.Replied)
	require.NoError(t, a.Err)

	server.Close()
	a = &transport.Attempt{}
	require.Nil(t, Dial(t.Context(), configFor(t, server.URL), a))
	require.Error(t, a.Err)
	assert.NotContains(t, a.Err.Error(), server.URL)
	assert.False(t, a.Replied)
	assert.True(t, a.Undone)
}

// A connection may end behind any byte of a message, also where the reader has
// just asked for more.
func TestMessageThatIsCutOffIsNotAccepted(t *testing.T) {
	const size = 4000
	header := []byte{0x81, 126, size >> 8, size & 0xff}
	pieces := map[string][]byte{"between two fragments": {0x01, 2, '{', '}'}}
	for _, n := range []int{0, 1, 512, 1536, 2048, size - 1} {
		pieces[strconv.Itoa(n)+" bytes"] = append(bytes.Clone(header), bytes.Repeat([]byte("x"), n)...)
	}
	for name, piece := range pieces {
		t.Run(name, func(t *testing.T) {
			var conn net.Conn
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ws, err := websocket.Accept(hijacked{w, &conn}, r, nil)
				if !assert.NoError(t, err) {
					return
				}
				defer func() { _ = ws.CloseNow() }()
				_, _ = conn.Write(piece)
			}))
			t.Cleanup(server.Close)
			config := configFor(t, server.URL)
			config.MaxMessage = 2 * size
			a := &transport.Attempt{}
			client := Dial(t.Context(), config, a)
			require.NotNil(t, client, "%v", a.Err)
			err := client.Receive(t.Context(), func(message []byte, _, _ time.Time) error {
				t.Errorf("accepted %d bytes", len(message))
				return nil
			})
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		})
	}
}

// hijacked keeps the connection that a handshake takes over.
type hijacked struct {
	http.ResponseWriter
	conn *net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.ResponseWriter.(http.Hijacker).Hijack()
	*h.conn = conn
	return conn, rw, err
}

// reading is a transport that reads each reply's body to its end, to log it.
type reading struct{ next http.RoundTripper }

func (r reading) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err == nil {
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return resp, err
}

// The body of a reply that opens a WebSocket ends with the connection, which
// outlives net/http's interest in the context.
func TestHandshakeEndsInATransportThatReadsTheWholeBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := websocket.Accept(w, r, nil); err == nil {
			_, _, _ = ws.Read(r.Context())
		}
	}))
	defer server.Close()
	for name, limit := range map[string]struct{ own, context time.Duration }{
		"its own time limit": {50 * time.Millisecond, time.Minute}, "the context": {time.Minute, 50 * time.Millisecond},
	} {
		config := configFor(t, server.URL)
		config.Client.Transport, config.Timeout = reading{config.Client.Transport}, limit.own
		ctx, cancel := context.WithTimeout(t.Context(), limit.context)
		a := &transport.Attempt{}
		assert.Nil(t, Dial(ctx, config, a), name)
		require.ErrorIs(t, a.Err, context.DeadlineExceeded, name)
		assert.True(t, a.Sent, name)
		cancel()
	}
}
