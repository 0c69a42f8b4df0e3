//go:build !js

package ryze_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

func TestStreamDeliversWhatHappens(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
		assert.Equal(t, "Hello", TextOf(t, <-sub.Events()))
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
		assert.Equal(t, "before", TextOf(t, <-sub.Events()))
		heard := time.Now()
		time.Sleep(10 * time.Second)
		phone.DropWebSockets(1001)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "missed"})
		time.Sleep(time.Minute)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "after"})

		e := <-sub.Events()
		gap := GapOf(t, e)
		assert.Equal(t, EventGap, e.Type)
		assert.Equal(t, "support-line", e.Instance)
		assert.Equal(t, GapOutage, gap.Reason)
		assert.True(t, gap.From.Equal(heard), "from %v, heard at %v", gap.From, heard)
		assert.WithinRange(t, gap.To, heard.Add(10*time.Second), heard.Add(11*time.Second))
		require.ErrorContains(t, gap.Cause, "with code 1001")
		assert.Equal(t, "after", TextOf(t, <-sub.Events()))
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
		assert.Equal(t, GapOutage, GapOf(t, <-sub.Events()).Reason)
		assert.Equal(t, "after", TextOf(t, <-sub.Events()))
	})
}

func TestSilentConnectionIsFoundAndReplaced(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, _ := streaming(t, sim, client, WithPing(10*time.Second, 5*time.Second))
		time.Sleep(time.Minute)
		assert.Zero(t, sub.Stats().Reconnects, "pings keep a quiet connection")
		frozen := time.Now()
		sim.FreezeWebSockets(true)
		gap := GapOf(t, <-sub.Events())
		sim.FreezeWebSockets(false)
		assert.WithinRange(t, gap.To, frozen.Add(5*time.Second), frozen.Add(17*time.Second), "the next ping, its wait, the pause")
		require.ErrorIs(t, gap.Cause, os.ErrDeadlineExceeded)
		assert.WithinRange(t, gap.From, frozen.Add(-11*time.Second), frozen, "the last pong")
	})
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
				require.ErrorIs(t, err, ErrOverflow)
				require.ErrorContains(t, err, "3 events")
				var ended *StreamError
				require.ErrorAs(t, err, &ended)
				assert.Zero(t, ended.CloseCode)
				assert.True(t, ended.AliveUntil.Equal(began.Add(2*time.Second)), "the last one that is delivered")
				break
			}
			texts = append(texts, TextOf(t, e))
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

func TestOnlyEventsLeavesOthersOut(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client, WithEvents(EventLabel, "something.new"))
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "left out"})
		phone.Emit("something.new", map[string]any{})
		assert.Equal(t, EventType("something.new"), (<-sub.Events()).Type)
		phone.DropWebSockets(0)
		assert.Equal(t, GapOutage, GapOf(t, <-sub.Events()).Reason, "a gap is never left out")
	})
}

func TestWithWebSocketWritesOnlyWhatDiffers(t *testing.T) {
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
		require.ErrorContains(t, err, "Enabled", "what was written is read back")
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
		assert.Equal(t, "not held up", TextOf(t, <-sub.Events()))
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

func TestCloseWhileAnEventIsBeingDelivered(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sub, phone := streaming(t, sim, client)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "one"})
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "two"})
		for e, err := range sub.All() {
			require.NoError(t, err)
			assert.Equal(t, "one", TextOf(t, e))
			require.NoError(t, sub.Close())
		}
		require.NoError(t, sub.Err())
	})
}

func TestWaitConnectedHearsOfTheConnectionAtOnce(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		phone := sim.AddInstance("support-line")
		inst := client.Instance("support-line", phone.Token())
		_, err := inst.WebSocket.Set(t.Context(), WebSocketConfig{Events: []EventType{EventInstanceState}})
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { phone.Pair("5511900000001") })
		Quickly(t, time.Second, func() {
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
		assert.Equal(t, "last", TextOf(t, <-sub.Events()))
		_, open := <-sub.Events()
		assert.False(t, open)
		var ended *StreamError
		require.ErrorAs(t, sub.Err(), &ended)
		require.ErrorIs(t, ended, ErrInvalidToken)
		assert.Equal(t, "support-line", ended.Instance)
		assert.True(t, ended.AliveUntil.Equal(last))
	})
}

// quotaBook is a limiter that writes down what it is told.
type quotaBook struct {
	mu    sync.Mutex
	taken []LimiterKey
	told  []string
}

func (q *quotaBook) Acquire(_ context.Context, key LimiterRequest) (Ticket, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = append(q.taken, key.LimiterKey)
	return &quotaNote{q}, nil
}

func (q *quotaBook) Rate(LimiterKey) RateLimit { return RateLimit{} }

type quotaNote struct{ book *quotaBook }

func (n *quotaNote) Done(rate RateLimit) { n.tell("used, " + rate.String()) }

func (n *quotaNote) Refused(rate RateLimit) { n.tell("refused, " + rate.String()) }

func (n *quotaNote) Cancel() { n.tell("not used") }

func (n *quotaNote) tell(what string) {
	n.book.mu.Lock()
	defer n.book.mu.Unlock()
	n.book.told = append(n.book.told, what)
}

func TestEveryHandshakeTakesQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory())
		defer sim.Close()
		book := new(quotaBook)
		client := newTestClient(t, sim, WithLimiter(book))
		defer func() { require.NoError(t, client.Close()) }()
		inst := paired(t, sim, client, "support-line")
		_, err := inst.WebSocket.Set(t.Context(), WebSocketConfig{})
		require.NoError(t, err)
		*book = quotaBook{}

		client.CloseIdle()
		sim.RefuseConnections(1)
		sim.Fault("events.websocket.connect", ryzetest.Fault{Status: 502, Gateway: true})
		sub, err := inst.Subscribe(t.Context())
		require.NoError(t, err)
		sim.Instance("support-line").DropWebSockets(1001)
		until(t, "the stream is back", func() bool { return sub.Stats().Reconnects == 1 })
		require.Len(t, book.told, 4)
		assert.Equal(t, []string{"not used", "used, unknown"}, book.told[:2])
		assert.Regexp(t, `^used, 9\d/100`, book.told[2])
		assert.Regexp(t, `^used, 9\d/100`, book.told[3])
		for _, key := range book.taken {
			assert.Equal(t, inst.LimiterKey(RateGlobal), key)
		}
		require.NoError(t, sub.Close())
	})
}

func TestFirstConnectionIsAsPatientAsACall(t *testing.T) {
	for name, faults := range map[string]int{"three outages": 3, "four outages": 4} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				sim.Fault("events.websocket.connect", ryzetest.Fault{Status: 503, Times: faults})
				inst := paired(t, sim, client, "support-line")
				sub, err := inst.Subscribe(t.Context(), WithWebSocket(WebSocketConfig{}))
				assert.Equal(t, 4, sim.Count("events.websocket.connect"))
				if faults == 4 {
					require.ErrorIs(t, err, ErrServer)
					return
				}
				require.NoError(t, err)
				assert.Zero(t, sub.Stats().Reconnects)
				require.NoError(t, sub.Close())
			})
		})
	}
}
