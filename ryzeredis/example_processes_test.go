package ryzeredis_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// replica is what each of several processes does that serve one number behind a load
// balancer.
func replica(client redis.UniversalClient, authorization string, mux *http.ServeMux) (*ryzeredis.Limiter, error) {
	limiter, err := ryzeredis.NewLimiter(client) // all processes share the quota
	if err != nil {
		return nil, err
	}
	store, err := ryzeredis.NewDedupeStore(client) // each event is handled once
	if err != nil {
		return nil, err
	}
	locks, err := ryzeredis.NewChatLocks(client) // the events of a chat take turns
	if err != nil {
		return nil, err
	}
	inst, err := ryze.InstanceFromEnv(ryze.WithLimiter(limiter))
	if err != nil {
		return nil, err
	}
	answer := ryze.On(func(ctx context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		if m.Direction != ryze.DirectionIncoming {
			return ryze.ErrIgnore
		}
		_, err := inst.Messages.SendText(ctx, m.Chat.JID, "You said: "+m.Text)
		return err
	})
	inbox, err := ryze.NewInbox(answer, ryze.WithDedupeStore(store), ryze.WithChatLocks(locks))
	if err != nil {
		return nil, err
	}
	mux.Handle("POST /hooks/ryze", inbox.Handler(authorization))
	return limiter, nil
}

// The code of the page about many processes: two of them get the deliveries in turn,
// and each twice, and every customer is answered once.
func TestReplicasAnswerOnce(t *testing.T) {
	server := redistest.Start(t)
	grants(t, server.Client, 500*time.Millisecond)
	// The server has run for longer than the lease of the replicas.
	require.NoError(t, server.Client.HSet(t.Context(), "{ryze:locks}:server", "since", 1).Err())

	muxes := []*http.ServeMux{http.NewServeMux(), http.NewServeMux()}
	var turn atomic.Int64
	balancer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		muxes[turn.Add(1)%2].ServeHTTP(w, r)
	})
	sim := ryzetest.NewServer(ryzetest.WithWebhookHandler(balancer))
	defer sim.Close()
	line := sim.AddInstance("support-line")
	line.Pair("5511900000001")
	t.Setenv("RYZE_BASE_URL", sim.URL)
	t.Setenv("RYZE_INSTANCE", line.Name())
	t.Setenv("RYZE_INSTANCE_TOKEN", line.Token())
	for _, mux := range muxes {
		limiter, err := replica(redis.NewClient(&redis.Options{Addr: server.Addr}), "Bearer secret", mux)
		require.NoError(t, err)
		defer limiter.Close() //nolint:errcheck // the test is over
	}
	inst, err := ryze.InstanceFromEnv()
	require.NoError(t, err)
	for _, label := range []string{"default", "second"} {
		_, err := inst.Webhooks.Set(t.Context(), ryze.WebhookConfig{
			Label: label, URL: "https://shop.example/hooks/ryze", Authorization: "Bearer secret",
			Events: []ryze.EventType{ryze.EventMessage},
		})
		require.NoError(t, err)
	}

	var want []string
	for _, text := range []string{"Hello", "a pizza, please", "large", "and a beer"} {
		line.Receive(ryzetest.Incoming{From: "5511987654321", Text: text})
		want = append(want, "You said: "+text)
	}
	delivered := func() int { // of what customers wrote, to one replica or the other
		return len(slices.DeleteFunc(sim.Deliveries(), func(d ryzetest.Delivery) bool { return !d.OK() }))
	}
	require.Eventually(t, func() bool { return delivered() >= 4*2+len(line.Sent())*2 && len(line.Sent()) >= 4 }, 20*time.Second, time.Millisecond)
	var got []string
	for _, m := range line.Sent() {
		got = append(got, m.Text)
	}
	assert.ElementsMatch(t, want, got)
}
