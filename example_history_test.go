package ryze_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// One handler serves both channels. What a restarted program compares with is
// where it was before: with the service.
func ExampleEvent_IsHistory() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	info, err := inst.Info(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	handle := func(_ context.Context, event *ryze.Event) error {
		if message, ok := event.Data.(*ryze.MessageEvent); ok && !event.IsHistory(info.CreatedAt) {
			fmt.Println("new:", message.Text)
		}
		return nil
	}
	// For a stream: subscription.Handle with the same. For a webhook:
	webhook := ryze.NewWebhookHandler("Bearer svc", handle)
	for text, at := range map[string]time.Time{"Happy new year": info.CreatedAt.AddDate(0, -1, 0), "Are you open?": time.Now()} {
		body := fmt.Sprintf(`{"event": "message.exchange", "data": {"id": %q, "timestamp": %q, "message": {"type": "text", "content": %q}}}`,
			text, at.Format(time.RFC3339), text)
		delivery := httptest.NewRequestWithContext(ctx, http.MethodPost, "/wh", strings.NewReader(body))
		delivery.Header.Set("Authorization", "Bearer svc")
		delivery.Header.Set("Content-Type", "application/json")
		webhook.ServeHTTP(httptest.NewRecorder(), delivery)
	}
	// Output: new: Are you open?
}

// Whoever puts a broker between receiving and handling sends the event itself.
func ExampleEvent_MarshalJSON() {
	received, _ := ryze.ParseEvent([]byte(`{"event": "message.status", "data": {"messageIds": ["3EB0"], "status": "read"},
		"instanceData": {"instance": "support-line", "token": "a-secret"}}`))

	queued, err := json.Marshal(received) // publish it
	if err != nil {
		fmt.Println(err)
		return
	}
	var event ryze.Event // and what the worker does
	if err := json.Unmarshal(queued, &event); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(event.Data.(*ryze.ReceiptEvent).Status, event.DedupeKey() == received.DedupeKey())
	fmt.Println(string(event.Raw))
	// Output:
	// read true
	// {"event": "message.status", "data": {"messageIds": ["3EB0"], "status": "read"},
	// 		"instanceData": {"instance": "support-line"}}
}
