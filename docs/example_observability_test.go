package docs_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// watch returns an observer that logs what a person should look at.
func watch(log *slog.Logger) *ryze.Observer {
	return &ryze.Observer{
		CallDone: func(ctx context.Context, call ryze.CallDoneInfo) {
			switch {
			case call.Error == "":
			case call.Outcome == ryze.OutcomeUnknown:
				log.ErrorContext(ctx, "perhaps done", "operation", call.Operation, "instance", call.Instance, "error", call.Error)
			default:
				log.WarnContext(ctx, "not done", "operation", call.Operation, "instance", call.Instance, "error", call.Error)
			}
		},
		QuotaWaitDone: func(ctx context.Context, wait ryze.QuotaWaitInfo) {
			if wait.Waited > 10*time.Second {
				log.WarnContext(ctx, "waited for quota", "operation", wait.Operation, "waited", wait.Waited)
			}
		},
		StreamStateChange: func(ctx context.Context, stream ryze.StreamStateInfo) {
			log.InfoContext(ctx, "stream", "instance", stream.Instance, "state", stream.State, "error", stream.Error)
		},
		EventsDropped: func(ctx context.Context, lost ryze.EventsDroppedInfo) {
			log.ErrorContext(ctx, "events lost", "instance", lost.Instance, "reason", lost.Reason, "count", lost.Count)
		},
		EventDone: func(ctx context.Context, event ryze.EventDoneInfo) {
			if event.Result == "failed" {
				log.ErrorContext(ctx, "event not handled", "type", event.Type, "via", event.Via, "error", event.Error)
			}
		},
		DeliveryDone: func(ctx context.Context, delivery ryze.DeliveryDoneInfo) {
			if delivery.StatusCode != http.StatusOK {
				log.WarnContext(ctx, "delivery refused", "status", delivery.StatusCode)
			}
		},
	}
}

// One observer for everything: the client, the inbox, and the receiver of webhooks.
func Example_observabilityWatch() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	shop := sim.AddInstance("shop")
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))

	observer := watch(log)
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithObserver(observer))
	if err != nil {
		log.Error(err.Error())
		return
	}
	defer client.Close() //nolint:errcheck // it returns nil
	handle := func(context.Context, *ryze.Event) error { return nil }
	hook := ryze.NewWebhookHandler("Bearer secret", handle, ryze.WithObserver(observer))

	inst := client.Instance("shop", shop.Token())
	_, _ = inst.Messages.SendText(context.Background(), "5511987654321", "Hello") // it was never paired
	shop.Pair("5511900000001")
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
	_, _ = inst.Messages.SendText(context.Background(), "5511987654321", "Hello")
	ryzetest.Deliver(hook, "/hooks/ryze", "Bearer wrong", `{"event":"message.exchange"}`)
	// Output:
	// level=WARN msg="not done" operation=messages.text instance=shop error="instance is not connected to WhatsApp"
	// level=ERROR msg="perhaps done" operation=messages.text instance=shop error="no reply"
	// level=WARN msg="delivery refused" status=401
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
