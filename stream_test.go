package ryze

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// streaming opens a stream of a new, paired instance of the simulator.
func streaming(t *testing.T, sim *ryzetest.Server, client *Client, opts ...SubscribeOption) (*Subscription, *ryzetest.Instance) {
	t.Helper()
	inst := paired(t, sim, client, "support-line")
	sub, err := inst.Subscribe(t.Context(), append([]SubscribeOption{WithWebSocket(WebSocketConfig{})}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sub.Close()) })
	return sub, sim.Instance("support-line")
}

// textOf is the text of the message that an event must be.
func textOf(t *testing.T, e *Event) string {
	t.Helper()
	require.NotNil(t, e, "the stream has ended")
	require.IsType(t, &MessageEvent{}, e.Data)
	return e.Data.(*MessageEvent).Text
}

func gapOf(t *testing.T, e *Event) *GapEvent {
	t.Helper()
	require.NotNil(t, e, "the stream has ended")
	require.IsType(t, &GapEvent{}, e.Data)
	return e.Data.(*GapEvent)
}

func TestStreamDeliversWhatHappens(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
		assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
		phone.Emit("something.new", map[string]any{"a": 1})
		assert.IsType(t, &UnknownEvent{}, (<-sub.Events()).Data)

		stats := sub.Stats()
		assert.Equal(t, StreamOpen, stats.State)
		assert.Equal(t, uint64(2), stats.Received)
		assert.True(t, stats.LastEvent.Equal(time.Now()))
		assert.True(t, stats.ConnectedSince.Equal(time.Now()))
		assert.Empty(t, sim.Violations())
	})
}

func TestOutageIsTold(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		time.Sleep(10 * time.Second)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "before"})
		assert.Equal(t, "before", textOf(t, <-sub.Events()))
		heard := time.Now()
		time.Sleep(10 * time.Second)
		phone.DropWebSockets(1001)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "missed"})
		time.Sleep(time.Minute)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "after"})

		e := <-sub.Events()
		gap := gapOf(t, e)
		assert.Equal(t, EventGap, e.Type)
		assert.Equal(t, "support-line", e.Instance)
		assert.Equal(t, GapOutage, gap.Reason)
		assert.True(t, gap.From.Equal(heard), "from %v, heard at %v", gap.From, heard)
		assert.WithinRange(t, gap.To, heard.Add(10*time.Second), heard.Add(11*time.Second))
		var closed *CloseError
		require.ErrorAs(t, gap.Cause, &closed)
		assert.Equal(t, 1001, closed.Code)
		assert.Equal(t, "after", textOf(t, <-sub.Events()))
		stats := sub.Stats()
		assert.Equal(t, uint64(1), stats.Reconnects)
		assert.True(t, stats.ConnectedSince.Equal(gap.To))
		assert.ErrorIs(t, stats.LastOutage, gap.Cause)
	})
}

// A restart of the service ends every connection and refuses new ones for a
// while; the stream comes through that with one gap.
func TestRestartOfTheServiceIsOneGap(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		sim.RefuseConnections(5)
		sim.Fault("events.websocket.connect", ryzetest.Fault{Status: http.StatusBadGateway, Times: 3, Gateway: true})
		sim.Restart()
		until(t, "the stream is back", func() bool { return sub.Stats().Reconnects == 1 })
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "after"})
		assert.Equal(t, GapOutage, gapOf(t, <-sub.Events()).Reason)
		assert.Equal(t, "after", textOf(t, <-sub.Events()))
	})
}

func TestSilentConnectionIsFoundAndReplaced(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, _ := streaming(t, sim, client, WithPing(10*time.Second, 5*time.Second))
		time.Sleep(time.Minute)
		assert.Zero(t, sub.Stats().Reconnects, "pings keep a quiet connection")
		frozen := time.Now()
		sim.FreezeWebSockets(true)
		gap := gapOf(t, <-sub.Events())
		sim.FreezeWebSockets(false)
		assert.WithinRange(t, gap.To, frozen.Add(5*time.Second), frozen.Add(17*time.Second), "the next ping, its wait, the pause")
		require.ErrorIs(t, gap.Cause, os.ErrDeadlineExceeded)
		assert.WithinRange(t, gap.From, frozen.Add(-11*time.Second), frozen, "the last pong")
	})
}

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

func TestFullQueueEndsTheStreamWhenToldTo(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client, WithBuffer(3, 1<<20), WithOverflow(FailWhenFull()))
		began := time.Now()
		for i := range 5 {
			phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: fmt.Sprint(i)})
			time.Sleep(time.Second)
		}
		var texts []string
		for e, err := range sub.All() {
			if err != nil {
				var full *OverflowError
				require.ErrorAs(t, err, &full)
				assert.Equal(t, 3, full.Events)
				var ended *StreamError
				require.ErrorAs(t, err, &ended)
				assert.True(t, ended.AliveUntil.Equal(began.Add(2*time.Second)), "the last one that is delivered")
				break
			}
			texts = append(texts, textOf(t, e))
		}
		assert.Equal(t, []string{"0", "1", "2"}, texts)
		assert.Zero(t, phone.WebSockets())
	})
}

func TestTwentyMegabytesOfMediaPass(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client, WithWebSocket(WebSocketConfig{MediaBase64: true}))
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Media: &ryzetest.File{Data: make([]byte, 15<<20), MIME: "video/mp4"}})
		e := <-sub.Events()
		require.IsType(t, &MessageEvent{}, e.Data)
		assert.Greater(t, len(e.Raw), 20<<20)
		assert.Zero(t, sub.Stats().Reconnects)
	})
}

func TestEventBeyondTheReadLimit(t *testing.T) {
	big, small := textMessage("big", 1, strings.Repeat("x", 2000)), textMessage("small", 1, "Hello")
	for _, test := range []struct {
		name  string
		apart time.Duration
		ends  bool
	}{
		{"twice within a minute ends the stream", 10 * time.Second, true},
		{"from time to time is survived", 2 * time.Minute, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var codes []websocket.StatusCode
				server := newStreamServer(t, nil)
				server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					p, err := server.accept(w, r, conn)
					if !assert.NoError(t, err) {
						return
					}
					assert.NoError(t, p.say(small))
					if n <= 2 {
						time.Sleep(test.apart)
						_ = p.say(big)
					}
					<-p.gone
					codes = append(codes, websocket.CloseStatus(p.left))
				}
				sub, err := server.instance(t).Subscribe(t.Context(), WithReadLimit(1000))
				require.NoError(t, err)
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
				require.ErrorIs(t, gapOf(t, <-sub.Events()).Cause, ErrEventTooLarge)
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
				if test.ends {
					_, open := <-sub.Events()
					assert.False(t, open)
					require.ErrorIs(t, sub.Err(), ErrEventTooLarge)
				} else {
					require.ErrorIs(t, gapOf(t, <-sub.Events()).Cause, ErrEventTooLarge)
					assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
					require.NoError(t, sub.Close())
				}
				synctest.Wait()
				assert.Equal(t, websocket.StatusMessageTooBig, codes[0])
			})
		})
	}
}

func TestOnlyEventsLeavesOthersOut(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client, WithEvents(EventLabel, "something.new"))
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "left out"})
		phone.Emit("something.new", map[string]any{})
		assert.Equal(t, EventType("something.new"), (<-sub.Events()).Type)
		phone.DropWebSockets(0)
		assert.Equal(t, GapOutage, gapOf(t, <-sub.Events()).Reason, "a gap is never left out")
	})
}

func TestEnsureEnabledWritesOnlyWhatDiffers(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		want := WebSocketConfig{Events: []EventType{EventMessage, EventReceipt}, MediaBase64: true}
		writes := func(config WebSocketConfig) int {
			before := sim.Count("events.websocket.set")
			sub, err := inst.Subscribe(t.Context(), WithWebSocket(config))
			require.NoError(t, err)
			require.NoError(t, sub.Close())
			return sim.Count("events.websocket.set") - before
		}
		assert.Equal(t, 1, writes(want), "never configured")
		assert.Equal(t, 0, writes(want), "as wanted")
		assert.Equal(t, 0, writes(WebSocketConfig{Events: []EventType{EventReceipt, EventMessage}, MediaBase64: true}), "in another order")
		assert.Equal(t, 1, writes(WebSocketConfig{MediaBase64: true}), "other events")
		assert.Equal(t, 1, writes(WebSocketConfig{}), "no media")
		require.NoError(t, inst.WebSocket.Disable(t.Context()))
		assert.Equal(t, 1, writes(WebSocketConfig{}), "disabled")

		sim.Fault("events.websocket.get", ryzetest.Fault{Status: 200, Times: 2, Body: `{"success":true,"websocket":{"enabled":false}}`})
		_, err := inst.Subscribe(t.Context(), WithWebSocket(want))
		var mismatch *ConfigMismatchError
		require.ErrorAs(t, err, &mismatch, "what was written is read back")
		assert.Empty(t, sim.Violations())
	})
}

func TestStreamThatIsNotEnabledIsAnErrorAtOnce(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		_, err := paired(t, sim, client, "support-line").Subscribe(t.Context())
		require.ErrorIs(t, err, ErrWebSocketDisabled)
		assert.Equal(t, 1, sim.Count("events.websocket.connect"))
	})
}

func TestStreamOptionsAreChecked(t *testing.T) {
	client, err := New()
	require.NoError(t, err)
	inst := client.Instance("support-line", "token")
	for name, opt := range map[string]SubscribeOption{
		"nil": nil, "no event": WithEvents(), "empty event": WithEvents(""),
		"no room": WithBuffer(0, 1), "no bytes": WithBuffer(1, 0), "negative wait": WithOverflow(BlockUpTo(-1, DropOldest())),
		"no limit": WithReadLimit(0), "no interval": WithPing(0, 1), "no patience": WithPing(1, 0),
		"no backoff": WithBackoff(0, 1), "shrinking backoff": WithBackoff(2, 1),
		"ensured empty event": WithWebSocket(WebSocketConfig{Events: []EventType{""}}), "no function": WithStateHandler(nil),
	} {
		var bad *ValidationError
		_, err := inst.Subscribe(t.Context(), opt)
		assert.ErrorAs(t, err, &bad, name)
	}
	_, err = client.Instance("", "token").Subscribe(t.Context())
	require.ErrorIs(t, err, ErrInvalidArgument)
}

func TestStateChangesAreToldInOrder(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		var mu sync.Mutex
		var states []StreamState
		sub, phone := streaming(t, sim, client, WithStateHandler(func(s StreamState) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, s)
		}))
		phone.DropWebSockets(1012)
		until(t, "the stream is back", func() bool { return sub.Stats().Reconnects == 1 })
		require.NoError(t, sub.Close())
		synctest.Wait()
		assert.Equal(t, []StreamState{StreamConnecting, StreamOpen, StreamReconnecting, StreamOpen, StreamClosed}, states)
		assert.Equal(t, StreamClosed, sub.State())
	})
}

func TestFunctionForStatesMayCloseTheStreamAndMayBeSlow(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		var sub *Subscription
		ready, closed := make(chan struct{}), make(chan struct{})
		sub, phone := streaming(t, sim, client, WithStateHandler(func(s StreamState) {
			<-ready
			time.Sleep(time.Hour)
			if s == StreamReconnecting {
				assert.NoError(t, sub.Close())
				close(closed)
			}
		}))
		close(ready)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "not held up"})
		assert.Equal(t, "not held up", textOf(t, <-sub.Events()))
		phone.DropWebSockets(1012)
		<-closed
		assert.Equal(t, StreamClosed, sub.State())
		time.Sleep(2 * time.Hour)
	})
}

func TestCloseOfTheClientEndsItsStreams(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		require.NoError(t, client.Close())
		_, open := <-sub.Events()
		assert.False(t, open)
		require.ErrorIs(t, sub.Err(), ErrClosed)
		synctest.Wait()
		assert.Zero(t, phone.WebSockets())
		_, err := client.Instance("support-line", "token").Subscribe(t.Context())
		require.ErrorIs(t, err, ErrClosed)
	})
}

func TestEndOfTheContextEndsTheStreamAtOnce(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		ctx, cancel := context.WithCancel(t.Context())
		sub, err := inst.Subscribe(ctx, WithWebSocket(WebSocketConfig{}))
		require.NoError(t, err)
		sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: "not taken"})
		synctest.Wait()
		cancel()
		ended := 0
		for e, err := range sub.All() {
			assert.Nil(t, e, "what was not taken before the end is not delivered")
			require.ErrorIs(t, err, context.Canceled)
			ended++
		}
		assert.Equal(t, 1, ended)
		_, open := <-sub.Events()
		assert.False(t, open)
		synctest.Wait()
		assert.Zero(t, sim.Instance("support-line").WebSockets())
		assert.Equal(t, StreamClosed, sub.State())
	})
}

func TestDeadlineOfTheContextIsItsError(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "support-line")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		sub, err := inst.Subscribe(ctx, WithWebSocket(WebSocketConfig{}))
		require.NoError(t, err)
		for range sub.Events() {
			t.Error("nothing happened")
		}
		require.ErrorIs(t, sub.Err(), context.DeadlineExceeded)
	})
}

// quickly fails when fn takes longer in virtual time.
func quickly(t *testing.T, limit time.Duration, fn func()) {
	t.Helper()
	began := time.Now()
	fn()
	assert.LessOrEqual(t, time.Since(began), limit)
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

func TestCloseWhileAnEventIsBeingDelivered(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "one"})
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "two"})
		for e, err := range sub.All() {
			require.NoError(t, err)
			assert.Equal(t, "one", textOf(t, e))
			require.NoError(t, sub.Close())
		}
		require.NoError(t, sub.Err())
	})
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
		var closed *CloseError
		require.ErrorAs(t, sub.Err(), &closed)
		require.Len(t, opened, 42)
		assert.LessOrEqual(t, opened[1].Sub(ended[0]), time.Second, "the first pause")
		assert.LessOrEqual(t, opened[2].Sub(ended[1]), 2*time.Second, "the bound doubles")
		assert.Greater(t, opened[40].Sub(ended[39]), time.Second, "after 59 seconds")
		assert.LessOrEqual(t, opened[41].Sub(ended[40]), time.Second, "after 61 seconds")
	})
}

func TestWaitConnectedHearsOfTheConnectionAtOnce(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		phone := sim.AddInstance("support-line")
		inst := client.Instance("support-line", phone.Token())
		_, err := inst.WebSocket.Set(t.Context(), WebSocketConfig{Events: []EventType{EventInstanceState}})
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { phone.Pair("5511900000001") })
		quickly(t, time.Second, func() {
			info, err := inst.WaitConnected(t.Context())
			require.NoError(t, err)
			assert.True(t, info.Connected())
		})
		synctest.Wait()
		assert.Zero(t, phone.WebSockets(), "its stream ends with it")
	})
}

func TestWaitConnectedOpensNoStreamThatTellsNothing(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		phone := sim.AddInstance("support-line")
		inst := client.Instance("support-line", phone.Token())
		_, err := inst.WebSocket.Set(t.Context(), WebSocketConfig{Events: []EventType{EventMessage}})
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { phone.Pair("5511900000001") })
		_, err = inst.WaitConnected(t.Context())
		require.NoError(t, err)
		assert.Zero(t, sim.Count("events.websocket.connect"))
	})
}

func TestStreamErrorTellsSinceWhenItIsBlind(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "last"})
		synctest.Wait()
		last := time.Now()
		time.Sleep(10 * time.Second)
		sim.Fault("events.websocket.connect", ryzetest.Fault{Status: 401, Message: "Invalid token"})
		phone.DropWebSockets(0)
		assert.Equal(t, "last", textOf(t, <-sub.Events()))
		_, open := <-sub.Events()
		assert.False(t, open)
		var ended *StreamError
		require.ErrorAs(t, sub.Err(), &ended)
		require.ErrorIs(t, ended, ErrInvalidToken)
		assert.Equal(t, "support-line", ended.Instance)
		assert.True(t, ended.AliveUntil.Equal(last))
	})
}
