package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a row of the retry table makes of a send, which must not be repeated,
// and of a read, which may.
type tableRow struct {
	name  string
	fault ryzetest.Fault
	// Of a send: how many POSTs reach the server, how many messages it has in
	// the end, and what the error matches (nil: it succeeds).
	posts, stored int
	is            []error
	isNot         []error
	// Of a read: how many GETs reach the server until it succeeds; 0 means
	// that it fails at the first, with readIs.
	gets   int
	readIs error
}

var retryTable = []tableRow{
	{name: "429 of the rate limit", fault: ryzetest.RateLimited(), posts: 2, stored: 1, gets: 2},
	{name: "429 with another text", fault: ryzetest.Throttled(), posts: 1, is: []error{ErrThrottled}, isNot: []error{ErrOutcomeUnknown, ErrRateLimited}, gets: 2},
	{name: "429 with another text and nothing remaining", posts: 1, is: []error{ErrThrottled}, isNot: []error{ErrOutcomeUnknown, ErrRateLimited}, gets: 2,
		fault: ryzetest.Fault{Status: 429, Message: "slow down", Header: http.Header{"X-Ratelimit-Remaining": {"0"}}}},
	{name: "429 of a gateway, without headers", posts: 2, stored: 1, gets: 2,
		fault: ryzetest.Fault{Status: 429, Message: "Rate limit exceeded. Try again later.", Gateway: true}},
	{name: "connection lost before the body was read", fault: ryzetest.Fault{Drop: ryzetest.DropBeforeRead}, posts: 1, is: []error{ErrOutcomeUnknown}, gets: 2},
	{name: "connection lost before it was processed", fault: ryzetest.Fault{Drop: ryzetest.DropAfterRead}, posts: 1, is: []error{ErrOutcomeUnknown}, gets: 2},
	{name: "connection lost after it was processed", fault: ryzetest.Fault{Drop: ryzetest.DropAfterProcess}, posts: 1, stored: 1, is: []error{ErrOutcomeUnknown}, gets: 2},
	{name: "half a reply", fault: ryzetest.Fault{Drop: ryzetest.HalfReply}, posts: 1, stored: 1, is: []error{ErrOutcomeUnknown, ErrBadResponse}, gets: 2},
	{name: "no answer", fault: ryzetest.Fault{Drop: ryzetest.NeverAnswer}, posts: 1, is: []error{ErrOutcomeUnknown, context.DeadlineExceeded}, gets: 2},
	{name: "no answer, but processed", fault: ryzetest.Fault{Drop: ryzetest.NeverAnswer, AfterProcess: true}, posts: 1, stored: 1, is: []error{ErrOutcomeUnknown}, gets: 2},
	{name: "408", fault: ryzetest.Fault{Status: 408, Message: "Request Timeout"}, posts: 1, is: []error{ErrOutcomeUnknown}, gets: 2},
	{name: "500", fault: ryzetest.Fault{Status: 500, Message: "Failed to send"}, posts: 1, is: []error{ErrOutcomeUnknown, ErrServer}, gets: 2},
	{name: "502 of a gateway, after it was processed", posts: 1, stored: 1, is: []error{ErrOutcomeUnknown, ErrServer}, gets: 2,
		fault: ryzetest.Fault{Status: 502, Body: "<html>Bad Gateway</html>", AfterProcess: true, Gateway: true}},
	{name: "503 not connected", posts: 1, is: []error{ErrNotConnected}, isNot: []error{ErrOutcomeUnknown, ErrServer}, readIs: ErrNotConnected,
		fault: ryzetest.Fault{Status: 503, Message: "Instance is not connected to WhatsApp"}},
	{name: "400 not connected", posts: 1, is: []error{ErrNotConnected}, isNot: []error{ErrOutcomeUnknown, ErrInvalidArgument}, readIs: ErrNotConnected,
		fault: ryzetest.Fault{Status: 400, Message: "Instance is not connected to WhatsApp"}},
	{name: "400", fault: ryzetest.Fault{Status: 400, Message: "Number is required"}, posts: 1, is: []error{ErrInvalidArgument}, isNot: []error{ErrOutcomeUnknown}, readIs: ErrInvalidArgument},
	{name: "501", fault: ryzetest.Fault{Status: 501, Message: "WhatsApp client does not support this"}, posts: 1, is: []error{ErrNotImplemented}, isNot: []error{ErrOutcomeUnknown, ErrServer}, readIs: ErrNotImplemented},
	{name: "200 that is not JSON", fault: ryzetest.Fault{Status: 200, Body: "<html>ok</html>"}, posts: 1, is: []error{ErrOutcomeUnknown, ErrBadResponse}, readIs: ErrBadResponse},
	{name: "200 that is empty", fault: ryzetest.Fault{Status: 200, Body: " "}, posts: 1, is: []error{ErrOutcomeUnknown, ErrBadResponse}, readIs: ErrBadResponse},
	{name: "200 that is cut JSON", fault: ryzetest.Fault{Status: 200, Body: `{"success":true,"data":{"mess`}, posts: 1, is: []error{ErrOutcomeUnknown, ErrBadResponse}, readIs: ErrBadResponse},
	{name: "200 of nulls", fault: ryzetest.Fault{Status: 200, Body: `{"success":null,"data":null,"settings":null}`}, posts: 1, is: []error{ErrOutcomeUnknown, ErrBadResponse}, readIs: ErrBadResponse},
	{name: "200 without an id", fault: ryzetest.Fault{Status: 200, Body: `{"success":true,"data":{}}`}, posts: 1, is: []error{ErrOutcomeUnknown, ErrBadResponse}, readIs: ErrBadResponse},
	{name: "200 that says it failed", fault: ryzetest.Fault{Status: 200, Body: `{"success":false,"error":{"message":"Number is not on WhatsApp"}}`}, posts: 1,
		is: []error{ErrServer}, isNot: []error{ErrOutcomeUnknown}, readIs: ErrServer},
	{name: "redirect", fault: ryzetest.Fault{Status: 307, Body: "x", Header: http.Header{"Location": {"http://evil.example/api?token=x"}}}, posts: 1,
		is: []error{ErrRedirect}, isNot: []error{ErrOutcomeUnknown}, readIs: ErrRedirect},
}

func TestRetryTable(t *testing.T) {
	for _, row := range retryTable {
		t.Run(row.name, func(t *testing.T) {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				inst := paired(t, sim, client, "a")
				sim.Fault("messages.text", row.fault)
				sent, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi", SourceLabel("otp"))
				assert.Equal(t, row.posts, sim.Count("messages.text"), "POSTs that reached the server")
				assert.Len(t, sim.Instance("a").Sent(), row.stored, "messages that the service has")
				if row.is == nil {
					require.NoError(t, err)
					assert.NotEmpty(t, sent.ID)
				} else {
					require.Error(t, err)
					assert.Nil(t, sent)
				}
				for _, target := range row.is {
					assert.ErrorIs(t, err, target)
				}
				for _, target := range row.isNot {
					assert.NotErrorIs(t, err, target)
				}
				if errors.Is(err, ErrOutcomeUnknown) {
					var unknown *OutcomeError
					require.ErrorAs(t, err, &unknown)
					assert.Equal(t, JID("5511987654321"), unknown.Recipient)
					assert.Equal(t, "otp", unknown.Source)
					assert.False(t, unknown.SentAt.IsZero())
					assert.Contains(t, err.Error(), "settle")
				}
				if err != nil {
					assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), sim.Instance("a").Token())
					assert.NotContains(t, err.Error(), "token=x", "a redirect's query")
				}

				sim.Fault("instance.settings.get", row.fault)
				settings, err := inst.Settings.Get(t.Context())
				if row.gets == 0 {
					require.ErrorIs(t, err, row.readIs)
					require.NotErrorIs(t, err, ErrOutcomeUnknown, "a read has no outcome")
					assert.Equal(t, 1, sim.Count("instance.settings.get"))
					return
				}
				require.NoError(t, err)
				assert.NotNil(t, settings)
				assert.Equal(t, row.gets, sim.Count("instance.settings.get"))
			})
		})
	}
}

func TestStatusAndBodyStayReachable(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		sim.Fault("messages.text", ryzetest.Fault{Status: 502, Body: "<html>Bad Gateway</html>"})
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, 502, api.StatusCode)
		assert.Equal(t, "<html>Bad Gateway</html>", string(api.Body))
		assert.Equal(t, "messages.text", api.Operation)

		sim.Fault("messages.text", ryzetest.Fault{Status: 200, Body: strings.Repeat("x", 1<<20)})
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		var bad *ResponseError
		require.ErrorAs(t, err, &bad)
		assert.Len(t, bad.Body, MaxErrorBody, "bounded")
		assert.Less(t, len(err.Error()), 2000)
	})
}

func TestRequestThatNeverLeftIsRepeated(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		sim.RefuseConnections(2)
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.NoError(t, err)
		assert.Len(t, sim.Instance("a").Sent(), 1)

		sim.HTTPClient().CloseIdleConnections()
		sim.RefuseConnections(100)
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.Error(t, err)
		assert.NotErrorIs(t, err, ErrOutcomeUnknown, "nothing was sent")
	})
}

func TestAttemptsAreCounted(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, _ *Client) {
		sim.AddInstance("a")
		for _, attempts := range []int{1, 2, 6} {
			client := newTestClient(t, sim, WithRetry(RetryPolicy{MaxAttempts: attempts}))
			sim.Fault("instance.settings.get", ryzetest.Fault{Status: 500, Message: "Failed to get settings configuration", Times: 10})
			before := sim.Count("instance.settings.get")
			_, err := client.Instance("a", sim.Instance("a").Token()).Settings.Get(t.Context())
			require.ErrorIs(t, err, ErrServer)
			assert.Equal(t, attempts, sim.Count("instance.settings.get")-before)
			sim.ClearFaults()
		}
	})
}

func TestBackoffThatWouldPassTheDeadlineIsNotWaitedFor(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, _ *Client) {
		sim.AddInstance("a")
		client := newTestClient(t, sim, WithRetry(RetryPolicy{MaxAttempts: 50, MinBackoff: time.Hour, MaxBackoff: time.Hour}))
		sim.Fault("instance.settings.get", ryzetest.Fault{Status: 500, Times: 100})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := client.Instance("a", sim.Instance("a").Token()).Settings.Get(ctx)
		require.ErrorIs(t, err, ErrServer, "the last error, not the context's")
		assert.Less(t, time.Since(began), time.Second)
	})
}

func TestRateLimitBeyondTheCapFailsAtOnce(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		paired(t, sim, client, "a")
		client = newTestClient(t, sim, WithRetry(RetryPolicy{MaxRateLimitWait: time.Minute}))
		defer func() { require.NoError(t, client.Close()) }()
		inst := client.Instance("a", sim.Instance("a").Token())
		far := fmt.Sprint(time.Now().Add(4 * time.Minute).Unix())
		sim.Fault("messages.text", ryzetest.Fault{Status: 429, Message: "Rate limit exceeded. Try again later.", Gateway: true,
			Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Reset": {far}}})
		began := time.Now()
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		var limited *RateLimitError
		require.ErrorAs(t, err, &limited)
		var api *APIError
		require.ErrorAs(t, err, &api, "the 429 stays reachable")
		assert.WithinDuration(t, began.Add(4*time.Minute), limited.RetryAt, 2*time.Second)
		assert.Less(t, time.Since(began), time.Second)
		assert.Equal(t, 1, sim.Count("messages.text"))
	})
}

func TestConnectIsNeverRepeatedByItself(t *testing.T) {
	for _, fault := range []ryzetest.Fault{{Drop: ryzetest.DropAfterRead}, {Drop: ryzetest.DropAfterProcess}, {Status: 502, Gateway: true}} {
		simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
			inst := client.Instance("a", sim.AddInstance("a").Token())
			_, err := inst.Settings.Get(t.Context()) // leaves a connection that net/http would trust
			require.NoError(t, err)
			sim.Fault("instance.connect", fault)
			_, err = inst.Connect(t.Context(), ConnectParams{})
			require.ErrorIs(t, err, ErrOutcomeUnknown)
			assert.Equal(t, 1, sim.Count("instance.connect"))
		})
	}
}

func TestRemovalAfterALostReplyIsDone(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sim.AddInstance("a")
		account := client.Account(sim.AccountToken)
		sim.Fault("instance.delete", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
		require.NoError(t, account.DeleteInstance(t.Context(), "a"))
		assert.Equal(t, 2, sim.Count("instance.delete"))
		require.ErrorIs(t, account.DeleteInstance(t.Context(), "a"), ErrInstanceNotFound, "without a lost reply it is an error")
	})
}

func TestCreationOfUnknownOutcomeSaysToListFirst(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		account := client.Account(sim.AccountToken)
		sim.Fault("instance.create", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
		_, err := account.CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.Contains(t, err.Error(), "list the instances")
		assert.Equal(t, 1, sim.Count("instance.create"))
		_, err = account.GetInstance(t.Context(), "a")
		require.NoError(t, err)
	})
}

func TestCallsEndWithTheirContext(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.NeverAnswer})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		_, err := inst.Messages.SendText(ctx, "5511987654321", "hi")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ErrOutcomeUnknown, "it had left")
		assert.Equal(t, 2*time.Second, time.Since(began))

		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		_, err = inst.Messages.SendText(ctx, "5511987654321", "hi")
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ErrOutcomeUnknown, "it never left")
		assert.Equal(t, 1, sim.Count("messages.text"))
	})
}

// The end of the caller's context is told as such, with the cause that the caller
// gave, whenever it comes.
func TestEndOfAContextIsToldWithItsCause(t *testing.T) {
	shutdown := errors.New("shutdown")
	for end, begin := range map[error]func(context.Context) (context.Context, context.CancelFunc){
		context.Canceled: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(shutdown) })
			return ctx, func() { cancel(nil) }
		},
		context.DeadlineExceeded: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, time.Second, shutdown)
		},
	} {
		for _, fault := range []ryzetest.Fault{{Drop: ryzetest.NeverAnswer}, {Drop: ryzetest.StalledReply}} {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				inst := paired(t, sim, client, "a")
				for _, op := range []string{"messages.text", "chat.tags.list"} {
					sim.Fault(op, fault)
					ctx, cancel := begin(t.Context())
					var err error
					if op == "messages.text" {
						_, err = inst.Messages.SendText(ctx, "5511987654321", "hi")
						require.ErrorIs(t, err, ErrOutcomeUnknown)
					} else {
						_, err = inst.Labels.List(ctx)
						_, again := RetryAfter(err)
						assert.False(t, again, "%v", err)
					}
					cancel()
					require.ErrorIs(t, err, end, op)
					require.ErrorIs(t, err, shutdown, op)
					require.NotErrorIs(t, err, ErrNetwork, op)
				}
			})
		}
	}
}

func TestDelayExtendsTheTimeLimit(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		began := time.Now()
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi", Delay(45*time.Second))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(began), 45*time.Second)
	})
}

// A transport of the user's that does not report its connections must not make
// a lost reply look like a request that never left.
func TestUntracedTransportCountsAsSent(t *testing.T) {
	var posts atomic.Int32
	client, err := New(WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		posts.Add(1)
		return nil, io.ErrUnexpectedEOF
	})}))
	require.NoError(t, err)
	_, err = client.Instance("a", "t").Messages.SendText(t.Context(), "5511987654321", "hi")
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	assert.Equal(t, int32(1), posts.Load())
}

func TestRefusedConnectionIsNotAnUnknownOutcome(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	client, err := New(WithBaseURL("http://"+address), WithRetry(RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
	require.NoError(t, err)
	_, err = client.Instance("a", "t").Messages.SendText(t.Context(), "5511987654321", "hi")
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
}

// brokenLimiter is a limiter of an application's, with a mistake in it.
type brokenLimiter struct {
	acquire func(context.Context) (Ticket, error)
}

func (l brokenLimiter) Acquire(ctx context.Context, _ LimiterRequest) (Ticket, error) {
	return l.acquire(ctx)
}
func (brokenLimiter) Rate(LimiterKey) RateLimit { return RateLimit{} }

type brokenTicket struct{}

func (brokenTicket) Done(RateLimit)    { panic("done") }
func (brokenTicket) Refused(RateLimit) { panic("refused") }
func (brokenTicket) Cancel()           { panic("cancel") }

func TestBrokenLimiterDoesNoHarm(t *testing.T) {
	send := func(t *testing.T, sim *ryzetest.Server, acquire func(context.Context) (Ticket, error)) error {
		t.Helper()
		client := newTestClient(t, sim, WithLimiter(brokenLimiter{acquire}))
		defer func() { require.NoError(t, client.Close()) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := client.Instance("a", sim.Instance("a").Token()).Messages.SendText(ctx, "5511987654321", "hi")
		return err
	}
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		paired(t, sim, client, "a")
		var panicked *PanicError
		require.ErrorAs(t, send(t, sim, func(context.Context) (Ticket, error) { panic("acquire") }), &panicked)
		require.ErrorContains(t, send(t, sim, func(context.Context) (Ticket, error) { var e *RateLimitError; return nil, e }), "messages.text")
		require.ErrorIs(t, send(t, sim, func(context.Context) (Ticket, error) { time.Sleep(time.Hour); return brokenTicket{}, nil }), context.DeadlineExceeded)
		assert.Zero(t, sim.Count("messages.text"))
		require.NoError(t, send(t, sim, func(context.Context) (Ticket, error) { return brokenTicket{}, nil }), "it was accepted")
		require.NoError(t, send(t, sim, func(context.Context) (Ticket, error) { return nil, nil }), "it was accepted")
		assert.Equal(t, 2, sim.Count("messages.text"))
	})
}
