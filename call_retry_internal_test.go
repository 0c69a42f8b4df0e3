package ryze

import (
	"bufio"
	"io"
	"math"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bound of a pause doubles up to the longest, however often and however long.
func TestJitterStaysBelowItsBound(t *testing.T) {
	for _, c := range []struct {
		shortest, longest time.Duration
		doublings         int
		bound             time.Duration
	}{
		{time.Second, 30 * time.Second, 0, time.Second},
		{time.Second, 30 * time.Second, 4, 16 * time.Second},
		{time.Second, 30 * time.Second, 5, 30 * time.Second},
		{time.Second, 32 * time.Second, 5, 32 * time.Second},
		{10 * time.Second, 10 * time.Hour, 31, 10 * time.Hour},
		{3, math.MaxInt64, 61, 3 << 61}, // the last doubling that there is room for
		{3, math.MaxInt64, 62, math.MaxInt64},
		{1, math.MaxInt64, 1 << 20, math.MaxInt64},
		{time.Second, time.Second, 1000, time.Second},
	} {
		var most time.Duration
		for range 1000 {
			pause := fullJitter(c.shortest, c.longest, c.doublings)
			require.GreaterOrEqual(t, pause, time.Duration(0), "%+v", c)
			most = max(most, pause)
		}
		assert.LessOrEqual(t, most, c.bound, "%+v", c)
		assert.Greater(t, most, c.bound/4*3, "%+v: most of it is used", c)
	}
}

// Servers that misbehave at the socket. The number of requests that reached
// them is the assertion.
func TestSocketsThatMisbehave(t *testing.T) {
	for _, c := range []struct {
		name   string
		serve  func(net.Conn, *atomic.Int32)
		posts  int32
		is     error
		isNot  error
		repeat bool
	}{
		{name: "accepts and closes", posts: 0, serve: func(c net.Conn, _ *atomic.Int32) { _ = c.Close() }},
		{name: "reads the body and closes", is: ErrOutcomeUnknown, posts: 1, serve: func(c net.Conn, n *atomic.Int32) {
			readRequest(c, n)
			_ = c.Close()
		}},
		{name: "resets", is: ErrOutcomeUnknown, posts: 1, serve: func(c net.Conn, n *atomic.Int32) {
			readRequest(c, n)
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}},
		{name: "answers half a status line", is: ErrOutcomeUnknown, posts: 1, serve: func(c net.Conn, n *atomic.Int32) {
			readRequest(c, n)
			_, _ = io.WriteString(c, "HTTP/1.1 20")
			_ = c.Close()
		}},
		{name: "answers half a body", is: ErrOutcomeUnknown, posts: 1, serve: func(c net.Conn, n *atomic.Int32) {
			readRequest(c, n)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"success\":true,")
			_ = c.Close()
		}},
		{name: "never answers", is: ErrOutcomeUnknown, posts: 1, serve: func(c net.Conn, n *atomic.Int32) {
			readRequest(c, n)
			_, _ = io.Copy(io.Discard, c) // until the client gives up
			_ = c.Close()
		}},
		{name: "answers without end", is: ErrOutcomeUnknown, posts: 1, serve: func(c net.Conn, n *atomic.Int32) {
			readRequest(c, n)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			for range 2 * maxReply / (1 << 20) {
				if _, err := c.Write(make([]byte, 1<<20)); err != nil {
					break
				}
			}
			_ = c.Close()
		}},
		{name: "speaks another protocol", is: ErrOutcomeUnknown, posts: 1, serve: func(c net.Conn, n *atomic.Int32) {
			readRequest(c, n)
			_, _ = io.WriteString(c, "220 smtp.example ESMTP\r\n")
			_ = c.Close()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			var posts atomic.Int32
			done := make(chan struct{})
			go func() {
				defer close(done)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					c.serve(conn, &posts)
				}
			}()
			client, err := New(WithBaseURL("http://"+listener.Addr().String()), WithRetry(RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
			require.NoError(t, err)
			_, err = client.Instance("a", "secret-token").Messages.SendText(t.Context(), "5511987654321", "hi", TimeLimit(2*time.Second))
			require.Error(t, err)
			if c.is != nil { // otherwise it depends on how far the request came
				require.ErrorIs(t, err, c.is)
			}
			assert.NotContains(t, err.Error(), "secret-token")
			require.NoError(t, client.Close())
			require.NoError(t, listener.Close())
			<-done
			assert.Equal(t, c.posts, posts.Load())
		})
	}
}

func readRequest(c net.Conn, n *atomic.Int32) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		n.Add(1)
	}
}
