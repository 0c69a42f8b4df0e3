package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ryzeapi/ryze-go"
)

func ExampleParseEvent() {
	body := []byte(`{
		"event": "message.exchange",
		"data": {
			"id": "3EB0A1B2C3D4E5F60001",
			"direction": "incoming",
			"timestamp": "2026-09-28T20:40:00-03:00",
			"chat": {"jid": "5511987654321@s.whatsapp.net", "name": "Ana", "type": "private"},
			"message": {"type": "text", "content": "Hello", "media": null}
		},
		"instanceData": {"instance": "support-line", "token": "a-secret"}
	}`)

	event, err := ryze.ParseEvent(body)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch data := event.Data.(type) {
	case *ryze.MessageEvent:
		fmt.Printf("%s: %s wrote %q\n", event.Instance, data.Chat.Name, data.Text)
	case *ryze.ReceiptEvent:
		fmt.Println(data.MessageIDs, data.Status)
	default: // other events, also those that do not exist yet
		fmt.Println(event.Type)
	}
	fmt.Println(event)
	// Output:
	// support-line: Ana wrote "Hello"
	// message.exchange instance="support-line" id="3EB0A1B2C3D4E5F60001"
}

func ExampleSelection() {
	live := `{"event":"message.exchange","data":{"id":"1","message":
		{"type":"list_response","content":"","interactive":{"selectedReply":{"selectedRowID":"size-m"},"title":"Medium"}}}}`
	documented := `{"event":"message.exchange","data":{"id":"1","message":
		{"list_response":{"title":"Medium","single_select_reply":{"option_name":"size-m"}}}}}`

	for _, body := range []string{live, documented} {
		event, err := ryze.ParseEvent([]byte(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		if message, ok := event.Data.(*ryze.MessageEvent); ok && message.Selection != nil {
			fmt.Println(message.Selection.Kind, message.Selection.ID, message.Selection.Title)
		}
	}
	// Output:
	// list size-m Medium
	// list size-m Medium
}

func ExampleEvent_Origin() {
	const label = "my-crm" // given to ryze.WithSource

	for _, source := range []string{"my-crm", "api", ""} {
		body := fmt.Sprintf(`{"event":"message.exchange","data":{"direction":"outgoing","message":{"source":%q}}}`, source)
		event, err := ryze.ParseEvent([]byte(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.Origin(label))
	}
	// Output:
	// self
	// api
	// phone
}

func ExampleEvent_Lookup() {
	event, err := ryze.ParseEvent([]byte(`{"event":"group.flow","data":{"type":"topic","topic":"Rules"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", event.Lookup("data", "topic"))
	// Output: "Rules"
}

func ExampleEventMedia_Reader() {
	event, err := ryze.ParseEvent([]byte(`{"event":"message.exchange","data":{"message":
		{"type":"document","media":{"mimetype":"text/csv","fileName":"sizes.csv","base64":"UyxNLEwK"}}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	message, ok := event.Data.(*ryze.MessageEvent)
	if !ok || message.Media == nil {
		return
	}
	_, err = io.Copy(os.Stdout, message.Media.Reader())
	if errors.Is(err, ryze.ErrNoInlineMedia) {
		fmt.Println("the webhook was set up without MediaBase64")
	}
	// Output: S,M,L
}

func ExampleReceipts() {
	var receipts ryze.Receipts

	// A receipt may be faster than the reply of the send.
	fmt.Println(len(receipts.Observe(&ryze.ReceiptEvent{MessageIDs: []string{"3EB0"}, Status: ryze.StatusRead})))
	for _, update := range receipts.Sent("3EB0") {
		fmt.Println(update.MessageID, update.Status)
	}
	// A late "delivered" does not undo it.
	fmt.Println(len(receipts.Observe(&ryze.ReceiptEvent{MessageIDs: []string{"3EB0"}, Status: ryze.StatusDelivered})))
	// Output:
	// 0
	// 3EB0 read
	// 0
}

func ExampleDeduper_Wrap() {
	dedupe := ryze.NewDeduper(&ryze.MemoryDedupe{Window: time.Hour})
	handle := dedupe.Wrap(func(_ context.Context, event *ryze.Event) error {
		fmt.Println("handled", event)
		return nil
	})

	body := []byte(`{"event":"message.exchange","data":{"id":"3EB0"},"instanceData":{"instance":"shop"}}`)
	for range 2 { // once by webhook, once by WebSocket
		event, err := ryze.ParseEvent(body)
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := handle(context.Background(), event); err != nil {
			fmt.Println(err)
		}
	}
	// Output: handled message.exchange instance="shop" id="3EB0"
}

func ExampleBrazilAliases() {
	fmt.Println(ryze.BrazilAliases("5511987654321")) // a mobile number
	fmt.Println(ryze.BrazilAliases("551133334444"))  // a landline
	// Output:
	// [5511987654321@s.whatsapp.net 551187654321@s.whatsapp.net]
	// [551133334444@s.whatsapp.net]
}

func ExampleParseInstanceState() {
	fmt.Println(ryze.ParseInstanceState("loggedout") == ryze.InstanceLoggedOut)
	fmt.Println(ryze.ParseInstanceState("qr") == ryze.InstanceQRReady)
	// Output:
	// true
	// true
}
