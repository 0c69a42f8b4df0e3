//go:build !js

package ryze

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A large event over a slow line is a sign of life, although the pong waits
// behind it.
func TestSlowLineIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frame := textMessage("slow", 1, strings.Repeat("x", 300))
		server := newStreamServer(t, nil)
		server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			p, err := server.accept(w, r, conn)
			if !assert.NoError(t, err) {
				return
			}
			p.mute.Store(true)
			_, _ = conn.Write(frameHeader(len(frame)))
			for i := range frame {
				time.Sleep(time.Second)
				_, _ = conn.Write(frame[i : i+1])
			}
			p.mute.Store(false)
			<-p.gone
		}
		sub, err := server.instance(t).Subscribe(t.Context(), WithPing(10*time.Second, 5*time.Second))
		require.NoError(t, err)
		assert.Len(t, textOf(t, <-sub.Events()), 300)
		assert.Zero(t, sub.Stats().Reconnects)
	})
}

// An event that is cut off began before the last pong: that pong does not make
// the stream whole.
func TestGapBeginsBeforeTheEventThatWasCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var whole time.Time
		server := newStreamServer(t, nil)
		server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			p, err := server.accept(w, r, conn)
			if !assert.NoError(t, err) {
				return
			}
			if n == 1 {
				assert.NoError(t, p.say(numberedFrame(1)))
				whole = time.Now()
				time.Sleep(time.Second)
				_, _ = conn.Write([]byte("\x01\x05{\"eve")) // the first part of a message in parts
				time.Sleep(time.Minute)                     // pings are answered in between
				conn.Reset()
			}
			<-p.gone
		}
		sub, err := server.instance(t).Subscribe(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
		gap := gapOf(t, <-sub.Events())
		assert.True(t, gap.From.Equal(whole), "from %v, whole at %v", gap.From, whole)
		require.ErrorIs(t, gap.Cause, syscall.ECONNRESET)
	})
}

func TestSlowConsumerDoesNotStopPongs(t *testing.T) {
	for name, policy := range map[string]Overflow{"drop": DropOldest(), "block": BlockUpTo(time.Hour, DropOldest())} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pongs := make(chan error)
				server := newStreamServer(t, nil)
				server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					p, err := server.accept(w, r, conn)
					if !assert.NoError(t, err) {
						return
					}
					for i := range 10_000 {
						assert.NoError(t, p.say(numberedFrame(i)))
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					pongs <- p.Ping(ctx)
					<-p.gone
				}
				sub, err := server.instance(t).Subscribe(t.Context(), WithBuffer(10, 1<<20), WithOverflow(policy))
				require.NoError(t, err)
				require.NoError(t, <-pongs)
				time.Sleep(time.Hour)
				stats := sub.Stats()
				assert.Equal(t, StreamOpen, stats.State)
				assert.Zero(t, stats.Reconnects)
				assert.Equal(t, uint64(10_000), stats.Received)
				assert.LessOrEqual(t, stats.Queued, 21)

				// What was dropped is told where it would have been.
				gap := gapOf(t, <-sub.Events())
				assert.Equal(t, GapOverflow, gap.Reason)
				assert.Equal(t, uint64(gap.Dropped), stats.Dropped)
				assert.Equal(t, fmt.Sprintf("id-%d", gap.Dropped), (<-sub.Events()).Data.(*MessageEvent).ID)
			})
		})
	}
}

// Whoever sends large files must not be able to end the stream of a bot.
func TestEventsBeyondTheReadLimitAreGapsAndNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big, small := textMessage("big", 1, strings.Repeat("x", 2000)), textMessage("small", 1, "Hello")
		const bigOnes = 20
		var codes []websocket.StatusCode
		var times []time.Time
		server := newStreamServer(t, nil)
		server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			p, err := server.accept(w, r, conn)
			if !assert.NoError(t, err) {
				return
			}
			times = append(times, time.Now())
			assert.NoError(t, p.say(small))
			if n <= bigOnes {
				_ = p.say(big)
			}
			<-p.gone
			codes = append(codes, websocket.CloseStatus(p.left))
		}
		sub, err := server.instance(t).Subscribe(t.Context(), WithReadLimit(1000))
		require.NoError(t, err)
		assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
		for range bigOnes {
			require.ErrorIs(t, gapOf(t, <-sub.Events()).Cause, ErrEventTooLarge)
			assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
		}
		assert.Greater(t, times[bigOnes].Sub(times[0]), time.Minute, "the pauses grow")
		require.NoError(t, sub.Close())
		synctest.Wait()
		assert.Equal(t, websocket.StatusMessageTooBig, codes[0])
	})
}

func TestCloseAtAnyMoment(t *testing.T) {
	// What the server does with the second connection; the first one is closed
	// with 1012.
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name   string
		second func(w http.ResponseWriter, r *http.Request)
		state  StreamState
		limit  time.Duration
	}{
		{"while it waits to reconnect", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 503, "") }, StreamReconnecting, 0},
		{"while it reconnects", hang, StreamReconnecting, 0},
		{"while it is open", nil, StreamOpen, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newStreamServer(t, nil)
				server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					if n > 1 && test.second != nil {
						test.second(w, r)
						return
					}
					p, err := server.accept(w, r, conn)
					if !assert.NoError(t, err) {
						return
					}
					if n == 1 {
						p.hang(1012)
						return
					}
					<-p.gone
					assert.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(p.left), "it says goodbye")
				}
				sub, err := server.instance(t).Subscribe(t.Context(), WithBackoff(time.Second, time.Second))
				require.NoError(t, err)
				events := sub.Events()
				time.Sleep(5*time.Second + 345*time.Millisecond)
				assert.Equal(t, test.state, sub.State())
				quickly(t, test.limit, func() {
					var closing sync.WaitGroup
					for range 3 {
						closing.Go(func() { assert.NoError(t, sub.Close()) })
					}
					closing.Wait()
				})
				_, open := <-events
				assert.False(t, open, "what was not taken is not delivered")
				require.NoError(t, sub.Err())
				for e, err := range sub.All() {
					t.Error("a closed stream delivers", e, err)
				}
			})
		})
	}
}

// A service that does not even read is left after a second.
func TestGoodbyeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		server := newStreamServer(t, nil)
		server.serve = func(_ int, w http.ResponseWriter, r *http.Request, _ *serverConn) {
			conn, err := websocket.Accept(w, r, nil)
			if assert.NoError(t, err) {
				<-over
				_ = conn.CloseNow()
			}
		}
		sub, err := server.instance(t).Subscribe(t.Context())
		require.NoError(t, err)
		quickly(t, time.Second, func() { require.NoError(t, sub.Close()) })
		close(over)
	})
}

func TestEndOfSubscribeWhileItConnects(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(client *Client, cancel context.CancelFunc)
		is   error
	}{
		{"client closed", func(client *Client, _ context.CancelFunc) { _ = client.Close() }, ErrClosed},
		{"context cancelled", func(_ *Client, cancel context.CancelFunc) { cancel() }, context.Canceled},
	} {
		for name, serve := range map[string]func(w http.ResponseWriter, r *http.Request){
			"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			"outage":    func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusServiceUnavailable, "") },
		} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := newStreamServer(t, func(_ int, w http.ResponseWriter, r *http.Request, _ *serverConn) { serve(w, r) })
					inst := server.instance(t, WithRetry(RetryPolicy{MinBackoff: time.Hour, MaxBackoff: time.Hour}))
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					ended := make(chan error)
					go func() {
						_, err := inst.Subscribe(ctx)
						ended <- err
					}()
					synctest.Wait()
					quickly(t, 0, func() {
						test.end(inst.Client(), cancel)
						err := <-ended
						require.ErrorIs(t, err, test.is)
						assert.NotContains(t, err.Error(), streamToken)
					})
				})
			})
		}
	}
}

// The pause before a reconnection is bounded anew only by a connection that
// has lasted. With a bound that soon exceeds weeks, a pause of under a second
// can have no other reason.
func TestBackoffBeginsAnewOnlyAfterAHealthyWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened []time.Time
		var ended []time.Time
		server := newStreamServer(t, nil)
		server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			p, err := server.accept(w, r, conn)
			if !assert.NoError(t, err) {
				return
			}
			opened = append(opened, time.Now())
			switch n {
			case 40: // after a row of short ones, 59 seconds are not enough
				time.Sleep(59 * time.Second)
			case 41:
				time.Sleep(61 * time.Second)
			}
			ended = append(ended, time.Now())
			if n == 42 {
				p.hang(closePolicyViolation)
				return
			}
			p.hang(1001)
		}
		sub, err := server.instance(t).Subscribe(t.Context(), WithBackoff(time.Second, 1<<22*time.Second))
		require.NoError(t, err)
		for range sub.Events() {
		}
		var closed *closeError
		require.ErrorAs(t, sub.Err(), &closed)
		require.Len(t, opened, 42)
		assert.LessOrEqual(t, opened[1].Sub(ended[0]), time.Second, "the first pause")
		assert.LessOrEqual(t, opened[2].Sub(ended[1]), 2*time.Second, "the bound doubles")
		assert.Greater(t, opened[40].Sub(ended[39]), time.Second, "after 59 seconds")
		assert.LessOrEqual(t, opened[41].Sub(ended[40]), time.Second, "after 61 seconds")
	})
}
