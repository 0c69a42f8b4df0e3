package docs_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// Bakery is the application that the page about testing tests.
type Bakery struct{ line *ryze.InstanceClient }

// Confirm tells a customer that the order is on its way. It never tells it twice.
func (b *Bakery) Confirm(ctx context.Context, customer ryze.JID) error {
	_, err := b.line.Messages.SendText(ctx, customer, "Your order is on its way")
	if errors.Is(err, ryze.ErrOutcomeUnknown) {
		_, err = b.line.Messages.Settle(ctx, err)
	}
	return err
}

// Answer is the handler of the events.
func (b *Bakery) Answer(ctx context.Context, event *ryze.Event) error {
	message, ok := event.Data.(*ryze.MessageEvent)
	if !ok || message.Direction != ryze.DirectionIncoming {
		return ryze.ErrIgnore
	}
	text := "What may it be?"
	if message.Selection != nil {
		text = "You chose " + message.Selection.ID
	}
	_, err := b.line.Messages.SendText(ctx, message.Chat.JID, text)
	return err
}

// newBakery returns the application on a simulator, which ends with the test.
func newBakery(t *testing.T) (*Bakery, *ryzetest.Server, *ryzetest.Instance) {
	t.Helper()
	sim, line, httpClient := ryzetest.New(t) // in memory, with one paired instance
	client, err := ryze.NewInstanceClient(line.Name(), line.Token(),
		ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(httpClient))
	require.NoError(t, err)
	return &Bakery{client}, sim, line
}

func TestOrderIsConfirmed(t *testing.T) {
	bakery, _, line := newBakery(t)

	require.NoError(t, bakery.Confirm(t.Context(), "5511987654321"))

	require.Len(t, line.Sent(), 1)
	assert.Equal(t, "5511987654321@s.whatsapp.net", line.Sent()[0].Chat)
	assert.Equal(t, "Your order is on its way", line.Sent()[0].Text)
}

// The service accepts the message, and the connection dies before it can say so.
func TestLostReplyIsNotSentTwice(t *testing.T) {
	bakery, sim, line := newBakery(t)
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})

	require.NoError(t, bakery.Confirm(t.Context(), "5511987654321")) // it was found in the history

	assert.Len(t, line.Sent(), 1)
	assert.Equal(t, 1, sim.Count("messages.text"))
}

// A window of the quota is over at once, and so is every other wait.
func TestHundredOrdersWaitForTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bakery, _, line := newBakery(t)
		begin := time.Now()
		for range 101 {
			require.NoError(t, bakery.Confirm(t.Context(), "5511987654321"))
		}
		assert.Len(t, line.Sent(), 101)
		assert.Greater(t, time.Since(begin), 50*time.Second) // of the bubble's time
	})
}

// The handler of a webhook, without a server: Deliver posts an event to it.
func TestCustomerIsAnswered(t *testing.T) {
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		bakery, _, line := newBakery(t)
		hook := ryze.NewWebhookHandler("Bearer secret", bakery.Answer)
		events := ryzetest.NewEvents(line.Name(), ryzetest.WithLayout(layout))

		tap := events.Message(ryzetest.Incoming{From: "5511987654321", Answer: &ryzetest.Answer{ID: "bread"}})
		reply := ryzetest.Deliver(hook, "/hooks/ryze", "Bearer secret", tap)

		assert.Equal(t, http.StatusOK, reply.StatusCode)
		assert.Equal(t, "You chose bread", line.Sent()[0].Text)
		assert.Equal(t, http.StatusUnauthorized, ryzetest.Deliver(hook, "/hooks/ryze", "Bearer wrong", tap).StatusCode)
	}
}

// The whole way: the customer writes, the stream brings it, the application answers.
func TestStreamIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bakery, _, line := newBakery(t)
		stream, err := bakery.line.Subscribe(t.Context(), ryze.WithWebSocket(ryze.WebSocketConfig{}))
		require.NoError(t, err)
		defer stream.Close()                         //nolint:errcheck // it returns nil
		go stream.Handle(t.Context(), bakery.Answer) //nolint:errcheck // it ends with the test

		line.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Hello"})
		time.Sleep(time.Second) // costs nothing
		line.DropWebSockets(0)  // the line breaks
		time.Sleep(time.Minute) // the stream has come back
		line.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Are you there?"})
		time.Sleep(time.Second)

		assert.Len(t, line.Sent(), 2)
	})
}

// Every fault of one request that the simulator knows, one after another.
func TestNoFaultSendsTwice(t *testing.T) {
	for _, c := range ryzetest.Catalogue() {
		if c.Fault.Status == http.StatusTooManyRequests {
			continue // a 429 says that nothing was done, and is believed
		}
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bakery, sim, line := newBakery(t)
				sim.Fault("messages.text", c.Fault)

				err := bakery.Confirm(t.Context(), "5511987654321")

				assert.LessOrEqual(t, len(line.Sent()), 1)
				if err == nil {
					assert.Len(t, line.Sent(), 1)
				}
			})
		})
	}
}
