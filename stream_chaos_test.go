package ryze

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// breakdown is one way in which a connection ends, or nearly does.
type breakdown struct {
	name string
	// end breaks the connection, after what was written.
	end func(p *peer)
	// cause checks what the client says about it.
	cause func(t assert.TestingT, err error)
}

func closedWith(code int) breakdown {
	return breakdown{
		name: "close " + strconv.Itoa(code),
		end:  func(p *peer) { p.hang(code) },
		cause: func(t assert.TestingT, err error) {
			var closed *closeError
			if assert.ErrorAs(t, err, &closed) {
				assert.Equal(t, code, closed.Code)
			}
		},
	}
}

func brokenWith(name string, is error, end func(p *peer)) breakdown {
	return breakdown{name: name, end: end, cause: func(t assert.TestingT, err error) { assert.ErrorIs(t, err, is, name) }}
}

var breakdowns = []breakdown{
	closedWith(1000), closedWith(1001), closedWith(1009), closedWith(1011), closedWith(1012), closedWith(1013), closedWith(4000),
	brokenWith("end without a close frame (1006)", io.EOF, func(p *peer) { _ = p.conn.Close() }),
	brokenWith("reset", syscall.ECONNRESET, func(p *peer) { p.conn.Reset() }),
	brokenWith("silence", os.ErrDeadlineExceeded, func(p *peer) {
		p.mute.Store(true)
		<-p.gone
	}),
	brokenWith("silence within a frame", os.ErrDeadlineExceeded, func(p *peer) {
		p.mute.Store(true)
		_, _ = p.conn.Write(half(numberedFrame(0)))
		<-p.gone
	}),
	brokenWith("half a frame", io.ErrUnexpectedEOF, func(p *peer) {
		_, _ = p.conn.Write(half(numberedFrame(0)))
		_ = p.conn.Close()
	}),
	brokenWith("reset within a frame", syscall.ECONNRESET, func(p *peer) {
		_, _ = p.conn.Write(half(numberedFrame(0)))
		p.conn.Reset()
	}),
	{
		name:  "bytes that are no frame",
		end:   func(p *peer) { _, _ = p.conn.Write([]byte{0xff, 0x00}); <-p.gone },
		cause: func(t assert.TestingT, err error) { assert.ErrorContains(t, err, "rsv bits") },
	},
}

// half is the first half of a frame of text.
func half(text []byte) []byte {
	return append(frameHeader(len(text)), text[:len(text)/2]...)
}

// story is what a stream must tell, as the server knows it.
type story struct {
	lines []string
	gaps  []toldGap
}

type toldGap struct {
	breakdown
	earliest, latest, to time.Time // From is in between
}

func (s *story) add(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// TestStreamDeliversAllThroughChaos writes 100,000 events through 200
// connections that break in every way there is. What was written whole to a
// living connection arrives once and in order, every outage is told by one gap
// at its place, every frame that is not an event by one of another kind, and
// the connection that is closed for good ends the stream.
func TestStreamDeliversAllThroughChaos(t *testing.T) {
	t.Parallel()
	const connections, events = 200, 100_000
	synctest.Test(t, func(t *testing.T) {
		var (
			want   story // written by the server while it serves, read when the stream has ended
			server *streamServer
			number int
			broken int
			doomed toldGap // the outage under way
		)
		server = newStreamServer(t, func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			if broken > 0 { // not the first connection: outages come in company
				switch n % 9 {
				case 2:
					w.Header().Set("X-RateLimit-Limit", "100")
					w.Header().Set("X-RateLimit-Remaining", "0")
					w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(17*time.Second).Unix(), 10))
					refuse(w, http.StatusTooManyRequests, "Rate limit exceeded. Try again later.")
					return
				case 4:
					refuse(w, http.StatusServiceUnavailable, "")
					return
				case 5:
					refuse(w, http.StatusTooManyRequests, "slow down")
					return
				case 6:
					conn.Reset()
					return
				case 7:
					refuse(w, http.StatusBadGateway, "")
					return
				}
			}
			if broken > 0 {
				doomed.to = time.Now()
				want.gaps = append(want.gaps, doomed)
				want.add("gap %s", doomed.name)
			}
			p, err := server.accept(w, r, conn)
			if !assert.NoError(t, err) {
				return
			}
			whole := time.Now()
			for range events / connections {
				if number%1000 == 999 {
					if assert.NoError(t, p.say([]byte(`{"event": nonsense`))) {
						want.add("unreadable")
					}
				}
				if !assert.NoError(t, p.say(numberedFrame(number))) {
					return
				}
				want.add("id-%d", number)
				whole = time.Now()
				number++
				if number%5000 == 0 {
					time.Sleep(2 * time.Minute) // pings keep it alive
				}
			}
			latest := time.Now()
			broken++
			if broken == connections {
				p.hang(closePolicyViolation)
				return
			}
			b := breakdowns[broken%len(breakdowns)]
			doomed = toldGap{breakdown: b, earliest: whole, latest: latest}
			b.end(p)
		})
		sub, err := server.instance(t).Subscribe(t.Context(), WithBuffer(events, 1<<30))
		require.NoError(t, err)

		var told story
		var gaps []*GapEvent
		for e, err := range sub.All() {
			if err != nil {
				var ended *StreamError
				require.ErrorAs(t, err, &ended)
				assert.Equal(t, closePolicyViolation, ended.CloseCode)
				break
			}
			switch data := e.Data.(type) {
			case *MessageEvent:
				told.add("%s", data.ID)
			case *GapEvent:
				if data.Reason == GapUnreadable {
					assert.ErrorIs(t, data.Cause, ErrBadResponse)
					told.add("unreadable")
					continue
				}
				assert.Equal(t, GapOutage, data.Reason)
				gaps = append(gaps, data)
				b := breakdowns[len(gaps)%len(breakdowns)]
				told.add("gap %s", b.name)
			default:
				t.Errorf("a %T was delivered", data)
			}
		}
		synctest.Wait()

		assert.Equal(t, events, number)
		require.Len(t, told.lines, len(want.lines))
		for i := range want.lines { // not assert.Equal, which would print all of it
			require.Equal(t, want.lines[i], told.lines[i], "line %d", i)
		}
		require.Len(t, gaps, connections-1)
		for i, gap := range gaps {
			w := want.gaps[i]
			w.cause(t, gap.Cause)
			assert.WithinRange(t, gap.From, w.earliest, w.latest, w.name)
			assert.True(t, gap.To.Equal(w.to), "%s: the gap ends at %v, the stream was open at %v", w.name, gap.To, w.to)
			assert.NotContains(t, gap.Cause.Error(), streamToken)
		}
		stats := sub.Stats()
		assert.Equal(t, uint64(events), stats.Received)
		assert.Equal(t, uint64(connections-1), stats.Reconnects)
		assert.Equal(t, uint64(events/1000), stats.Unreadable)
		assert.Zero(t, stats.Dropped)
		assert.Equal(t, StreamClosed, stats.State)
	})
}
