package ryze_test

import (
	"context"
	"fmt"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A stream that carries files, for an application that may fall behind: it is
// given ten seconds to catch up, then the oldest events are dropped, and the
// stream says how many.
func ExampleSubscribeOption() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()

	sub, err := inst.Subscribe(ctx,
		ryze.WithWebSocket(ryze.WebSocketConfig{MediaBase64: true}),
		ryze.WithReadLimit(64<<20),
		ryze.WithBuffer(4096, 256<<20),
		ryze.WithOverflow(ryze.BlockUpTo(10*time.Second, ryze.DropOldest())), // or FailWhenFull()
		ryze.WithPing(20*time.Second, 10*time.Second),
		ryze.WithStateHandler(func(ryze.StreamState) { /* show it on a health page */ }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: "hi"})
	<-sub.Events()
	stats := sub.Stats()
	fmt.Println(stats.Received, stats.Dropped, stats.Reconnects)
	_ = sub.Close()
	// Output: 1 0 0
}

// An application that would rather stop than miss an event, with one event at
// a time.
func ExampleFailWhenFull() {
	sim, inst := demo()
	defer sim.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	sub, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithOverflow(ryze.FailWhenFull()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = sub.Close() }()
	sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: "hi"})
	err = sub.Handle(ctx, ryze.On(func(_ context.Context, e *ryze.Event, m *ryze.MessageEvent) error {
		fmt.Println(m.Text, e.At().IsZero(), e.DedupeKey() != "")
		stop()
		return nil
	}), ryze.WithConcurrency(1))
	fmt.Println(err)
	// Output:
	// hi false true
	// context canceled
}

// Two values are accepted while the service is moved from one to the other.
func ExampleNewWebhookReceiver() {
	handle := func(context.Context, *ryze.Event) error { return nil }
	_, err := ryze.NewWebhookReceiver("Bearer the-new-value", handle,
		ryze.WithAcceptedAuthorization("Bearer the-old-value"),
		ryze.WithReadLimit(16<<20),
		ryze.WithHandlerTimeout(5*time.Second),
		ryze.WithUnauthenticatedState(handle), // states without the header, if the service sends them so
	)
	fmt.Println(err)
	_, err = ryze.NewWebhookReceiver("", handle)
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}

func ExampleInboxOption() {
	inbox, err := ryze.NewInbox(func(context.Context, *ryze.Event) error { return nil },
		ryze.WithDedupeStore(&ryze.MemoryDedupe{Size: 100_000}),
		ryze.WithChatLocks(new(ryze.MemoryChatLocks)), // several processes need locks that they share
		ryze.WithConcurrency(4),
		ryze.WithBacklog(1000),
		ryze.WithHandlerTimeout(30*time.Second),
	)
	fmt.Println(inbox != nil, err)
	// Output: true <nil>
}

// Two replicas behind a load balancer share the locks of chats, and what they have
// handled. Here both are in one process: the locks are in memory.
func ExampleWithChatLocks() {
	locks, store := new(ryze.MemoryChatLocks), new(ryze.MemoryDedupe)
	var replicas []*ryze.Inbox
	for n := range 2 {
		inbox, err := ryze.NewInbox(func(_ context.Context, e *ryze.Event) error {
			fmt.Println("replica", n, "handles", e.Data.(*ryze.MessageEvent).Text)
			return nil
		}, ryze.WithChatLocks(locks), ryze.WithDedupeStore(store))
		if err != nil {
			fmt.Println(err)
			return
		}
		replicas = append(replicas, inbox)
	}
	event, err := ryze.ParseEvent(ryzetest.NewEvents("shop").Message(ryzetest.Incoming{From: "5511987654321", Text: "Hello"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, inbox := range replicas {
		fmt.Println(inbox.Handle(context.Background(), event))
	}
	// Output:
	// replica 0 handles Hello
	// <nil>
	// <nil>
}

// A lock is granted to one after the other, in the order in which they asked.
func ExampleChatLocks() {
	var locks ryze.ChatLocks = new(ryze.MemoryChatLocks)
	ctx := context.Background()
	first, err := locks.Lock(ctx, []string{"chat-1"}, func() {})
	fmt.Println(first != nil, err)

	soon, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err = locks.Lock(soon, []string{"chat-1"}, func() { fmt.Println("in the line") })
	fmt.Println(err)
	fmt.Println(first.Unlock(ctx))
	// Output:
	// true <nil>
	// in the line
	// context deadline exceeded
	// <nil>
}

// A store is claimed, and committed once the work is done or released when it
// failed, so that a redelivery gets another chance.
func ExampleDedupeStore() {
	var store ryze.DedupeStore = new(ryze.MemoryDedupe)
	ctx := context.Background()
	claim, err := store.Claim(ctx, "event-1")
	fmt.Println(claim != nil, err)
	fmt.Println(claim.Release(ctx)) // the work failed

	claim, err = store.Claim(ctx, "event-1")
	fmt.Println(claim != nil, err)
	fmt.Println(claim.Commit(ctx)) // the work is done

	claim, err = store.Claim(ctx, "event-1")
	fmt.Println(claim != nil, err)
	// Output:
	// true <nil>
	// <nil>
	// true <nil>
	// <nil>
	// false <nil>
}

func ExampleWebhooksService_DisableOthers() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	for _, label := range []string{"old", "new"} {
		if _, err := inst.Webhooks.Set(ctx, ryze.WebhookConfig{Label: label, URL: "https://hooks.example.net/" + label}); err != nil {
			fmt.Println(err)
			return
		}
	}
	disabled, err := inst.Webhooks.DisableOthers(ctx, "new")
	fmt.Println(disabled, err)
	// Output: [old] <nil>
}

func ExampleMessageStatus() {
	fmt.Println(ryze.StatusRead.Rank() > ryze.StatusDelivered.Rank())
	fmt.Println(ryze.StatusDelivered.Supersedes(ryze.StatusRead)) // it came late
	// Output:
	// true
	// false
}

func ExampleEventMedia() {
	event, err := ryze.ParseEvent([]byte(`{
		"event": "message.exchange",
		"data": {"id": "3EB0", "direction": "incoming", "chat": {"jid": "5511987654321@s.whatsapp.net"},
			"message": {"type": "image", "media": {"mimetype": "image/png", "base64": "iVBORw0KGgo="}, "reaction": null}},
		"instanceData": {"instance": "support-line"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	message := event.Data.(*ryze.MessageEvent)
	if message.Media.HasBytes() {
		b, err := message.Media.Bytes()
		fmt.Println(message.Media.Kind, len(b), err)
	}
	fmt.Println(message.Reaction != nil && message.Reaction.Removed())
	// Output:
	// image 8 <nil>
	// false
}

func ExampleGroupsService_ListWithMembers() {
	sim, inst := demo()
	defer sim.Close()
	groups, err := inst.Groups.ListWithMembers(context.Background())
	fmt.Println(len(groups), err)
	// Output: 0 <nil>
}

// ryzesim prints the lines that set these variables.
func ExampleInstanceFromEnv() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	line := sim.AddInstance("support-line")
	line.Pair("5511900000001")
	defer withEnv(
		"RYZE_BASE_URL", sim.URL, "RYZE_ACCOUNT_TOKEN", sim.AccountToken,
		"RYZE_INSTANCE", "support-line", "RYZE_INSTANCE_TOKEN", line.Token(),
	)()

	ctx := context.Background()
	inst, err := ryze.InstanceFromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := inst.Info(ctx)
	fmt.Println(info.Name, info.State, err)

	account, err := ryze.AccountFromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	instances, err := account.ListInstances(ctx)
	fmt.Println(len(instances), err)

	client, err := ryze.FromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := client.Account(sim.AccountToken).GetInstance(ctx, "support-line")
	fmt.Println(again.Name, err)
	// Output:
	// support-line connected <nil>
	// 1 <nil>
	// support-line <nil>
}

func ExampleGroupsService_InfoWithoutMembers() {
	sim, inst := demo()
	defer sim.Close()
	crew := ryze.JID(sim.Instance("support-line").AddGroup("Release crew").JID())
	group, err := inst.Groups.InfoWithoutMembers(context.Background(), crew)
	fmt.Println(group.Name, group.MemberCount, len(group.Members), err)
	// Output: Release crew 1 0 <nil>
}
