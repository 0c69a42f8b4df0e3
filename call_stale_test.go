package ryze

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A connection that was closed after a time-out may be handed out again until
// net/http notices. That costs the next call none of its attempts.
func TestConnectionGivenUpCostsNoAttempt(t *testing.T) {
	var frozen atomic.Bool
	var posts atomic.Int32
	release := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		if frozen.CompareAndSwap(true, false) {
			<-release
			return
		}
		_, _ = io.WriteString(w, `{"success":true,"data":{"messageId":"X"}}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	defer close(release)

	var dials atomic.Int32
	next := server.Client().Transport.(*http.Transport).Clone()
	next.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return slowToEnd{conn}, err
	}
	client, err := New(WithBaseURL(server.URL), WithHTTPClient(&http.Client{Transport: next}), WithRetry(RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	inst := client.Instance("support", "t0ken-1")
	_, err = inst.Messages.SendText(t.Context(), "5511987654321", "one")
	require.NoError(t, err)

	frozen.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = inst.Messages.SendText(ctx, "5511987654321", "two")
	require.ErrorIs(t, err, ErrOutcomeUnknown)

	_, err = inst.Messages.SendText(t.Context(), "5511987654321", "three")
	require.NoError(t, err)
	assert.Equal(t, int32(3), posts.Load())
	assert.Equal(t, int32(2), dials.Load())
}

// slowToEnd is a connection whose end its reader notices late.
type slowToEnd struct{ net.Conn }

func (c slowToEnd) Close() error {
	time.AfterFunc(20*time.Millisecond, func() { _ = c.Conn.Close() })
	return nil
}
