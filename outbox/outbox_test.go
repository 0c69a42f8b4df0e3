package outbox

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// service is a simulator with one connected instance, "shop".
type service struct {
	*ryzetest.Server
	phone  *ryzetest.Instance
	client *ryze.InstanceClient
}

func simulated(t testing.TB, opts ...ryzetest.Option) *service {
	t.Helper()
	s := &service{Server: ryzetest.NewServer(append([]ryzetest.Option{ryzetest.WithRateLimit(1_000_000)}, opts...)...)}
	t.Cleanup(s.Close)
	s.phone = s.AddInstance("shop")
	s.phone.Pair("5511900000001")
	client, err := ryze.New(ryze.WithBaseURL(s.URL), ryze.WithHTTPClient(s.HTTPClient()), ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: 1}), ryze.WithInsecureHTTP())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	s.client = client.Instance("shop", s.phone.Token())
	return s
}

func (s *service) open(context.Context, string) (*ryze.InstanceClient, error) { return s.client, nil }

func run(t testing.TB, o *Outbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	stop = func() {
		cancel()
		if ended != nil {
			require.NoError(t, <-ended)
			ended = nil
		}
	}
	t.Cleanup(stop)
	return stop
}

func TestRunThatIsEndedAtOnceHasNoError(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody)
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
		require.NoError(t, o.Run(ctx))
		cancel()
	}
}

func TestAddedIsSentOnce(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o, err := OpenSQLite(filepath.Join(t.TempDir(), "outbox.db"), s.open)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	m := Message{Key: "order-1", Instance: "shop", To: "5511987654321", Content: ryze.Text("Thank you")}
	e, err := o.Add(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, Queued, e.State)
	again, err := o.Add(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, e, again)
	stop := run(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	e, err = o.Wait(ctx, "order-1")
	require.NoError(t, err)
	require.Equal(t, Sent, e.State, e.Reason)
	require.Len(t, s.phone.Sent(), 1)
	stop()
}
