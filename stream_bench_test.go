//go:build !js

package ryze

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// quietServer accepts WebSockets on the loopback and keeps nothing of them but
// the connection, so that a measurement is one of the clients.
func quietServer(b *testing.B) (url string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	var mu sync.Mutex
	var conns []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			if err := upgradeQuietly(conn); err != nil {
				_ = conn.Close()
			}
		}
	}()
	b.Cleanup(func() {
		_ = l.Close()
		<-done
		mu.Lock()
		defer mu.Unlock()
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return "http://" + l.Addr().String()
}

func upgradeQuietly(conn net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	return err
}

const idleStreams = 1000

// openBare opens a connection of the WebSocket library and reads from it, as
// little as a program can do.
func openBare(b *testing.B, url string, client *http.Client) (end func()) {
	b.Helper()
	conn, _, err := websocket.Dial(b.Context(), url+"/ws/support-line", &websocket.DialOptions{HTTPClient: client})
	require.NoError(b, err)
	conn.SetReadLimit(defaultReadLimit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, _, err := conn.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	return func() {
		_ = conn.CloseNow()
		<-done
	}
}

// measureIdle reports heap and stack of many idle connections, for each.
func measureIdle(b *testing.B, open func() (end func())) float64 {
	b.Helper()
	before := inUse()
	ends := make([]func(), idleStreams)
	for i := range ends {
		ends[i] = open()
	}
	each := float64(int64(inUse())-int64(before)) / idleStreams
	var closing sync.WaitGroup
	for _, end := range ends {
		closing.Go(end)
	}
	closing.Wait()
	return each
}

// inUse is what heap and stacks hold after a collection.
func inUse() uint64 {
	for range 3 { // pools let go in two steps, stacks shrink in one
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkIdleStreams reports the memory of 1,000 subscriptions in one
// process, for each, beside that of connections of the WebSocket library that
// are only read from. It measures memory; the time per operation says nothing.
func BenchmarkIdleStreams(b *testing.B) {
	for range b.N {
		url := quietServer(b)
		client := &http.Client{Transport: &http.Transport{}}
		openBare(b, url, client)() // whatever is made once
		bare := measureIdle(b, func() func() { return openBare(b, url, client) })

		engine, err := New(WithBaseURL(url), WithHTTPClient(client), WithLimiter(unlimited{}))
		require.NoError(b, err)
		inst := engine.Instance("support-line", streamToken)
		subscribe := func() func() {
			sub, err := inst.Subscribe(b.Context())
			require.NoError(b, err)
			return func() {
				_ = sub.Close()
			}
		}
		subscribe()()
		stream := measureIdle(b, subscribe)
		require.NoError(b, engine.Close())

		b.ReportMetric(bare, "bare-B/conn")
		b.ReportMetric(stream, "stream-B/conn")
		b.ReportMetric(stream/bare, "stream/bare")
	}
}

// BenchmarkStream measures one event on its way: written, read, parsed, queued
// and taken.
func BenchmarkStream(b *testing.B) {
	frame := numberedFrame(1)
	server := newStreamServer(b, nil)
	server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
		p, err := server.accept(w, r, conn)
		if err != nil {
			b.Error(err)
			return
		}
		for range b.N {
			if err := p.say(frame); err != nil {
				b.Error(err)
				return
			}
		}
		<-p.gone
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	sub, err := server.instance(b).Subscribe(b.Context(), WithBuffer(1<<30, math.MaxInt))
	require.NoError(b, err)
	events := sub.Events()
	for range b.N {
		<-events
	}
	require.NoError(b, sub.Close())
}
