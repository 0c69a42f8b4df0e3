package ryzeredis_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// lockedBuffer is written by the logger and read by a test.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// A stream repeats nothing, so an event whose handler failed is gone: that is told
// although the application has named nobody to tell.
func TestFailureOfAHandlerIsNeverSilent(t *testing.T) {
	sim := ryzetest.NewServer()
	t.Cleanup(sim.Close)
	phone := sim.AddInstance("line")
	phone.Pair("5511900000001")
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(sim.HTTPClient()), ryze.WithInsecureHTTP())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	inst := client.Instance("line", phone.Token())

	var logged lockedBuffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	opened := make(chan struct{}, 1)
	streams, err := ryzeredis.NewStreams(redistest.Start(t).Client, ryzeredis.WithStreamLease(500*time.Millisecond),
		ryzeredis.WithStreamHandler(func(change ryzeredis.StreamChange) {
			if change.State == ryzeredis.StreamOpened {
				opened <- struct{}{}
			}
		}))
	require.NoError(t, err)
	streams.Set("line")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- streams.Run(ctx, func(ctx context.Context, _ string, opts ...ryze.SubscribeOption) (*ryze.Subscription, error) {
			return inst.Subscribe(ctx, append(opts, ryze.WithWebSocket(ryze.WebSocketConfig{}))...)
		}, func(context.Context, *ryze.Event) error { return errors.New("the database is away") })
	}()
	<-opened
	phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
	assert.Eventually(t, func() bool { return strings.Contains(logged.String(), "the database is away") }, 10*time.Second, 5*time.Millisecond)
	assert.NotContains(t, logged.String(), "Hello")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}
