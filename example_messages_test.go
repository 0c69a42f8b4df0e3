package ryze_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// Every kind of message is a type of its own.
func ExampleContent() {
	sim, inst := demo()
	defer sim.Close()
	for _, content := range []ryze.Content{
		ryze.Text("Hello"),
		ryze.Sticker{Source: ryze.MediaURL("https://cdn.example.net/smile.png")},
		ryze.Location{Latitude: -23.5613, Longitude: -46.6565, Name: "Office", Address: "Av. Paulista, 1000"},
		ryze.ContactCard{FullName: "Ana Souza", Phone: "5511987654321", Organization: "Acme"},
		ryze.ContactCards{{FullName: "Ana", Phone: "5511987654321"}, {FullName: "Bia", Phone: "5521987654321"}},
		ryze.Poll{Question: "When?", Options: []string{"9 am", "2 pm"}},
		ryze.Pix{MerchantName: "Acme", Key: "12345678901", KeyType: ryze.PixCPF},
		ryze.CalendarEvent{Name: "Demo", StartAt: time.Now().Add(24 * time.Hour), ReminderBefore: 15 * time.Minute},
	} {
		sent, err := inst.Messages.Send(context.Background(), "5511987654321", content)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%T: %s\n", content, sent.Status)
	}
	// Output:
	// ryze.Text: sent
	// ryze.Sticker: sent
	// ryze.Location: sent
	// ryze.ContactCard: sent
	// ryze.ContactCards: sent
	// ryze.Poll: sent
	// ryze.Pix: sent
	// ryze.CalendarEvent: sent
}

func ExampleButtons() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	sent, err := inst.Messages.Send(ctx, "5511987654321", ryze.Buttons{
		Text:    "Shall we ship order 17?",
		Footer:  "Acme",
		Buttons: []ryze.Button{{Label: "Yes", Value: "order-17:yes"}, {Label: "No", Value: "order-17:no"}},
	})
	fmt.Println(sent.Type, err)

	_, err = inst.Messages.Send(ctx, "5511987654321", ryze.Buttons{
		Text: "Pay your order",
		Buttons: []ryze.Button{
			{Kind: ryze.ButtonCopy, Label: "Copy the code", Value: "4711"}, {Kind: ryze.ButtonURL, Label: "Pay", Value: "https://shop.example.net/17"}, {Kind: ryze.ButtonCall, Label: "Call us", Value: "+551133334444"},
		},
		MediaURL: "https://cdn.example.net/order-17.jpg", MediaKind: ryze.MediaImage,
	})
	fmt.Println(err)

	_, err = inst.Messages.Send(ctx, "5511987654321", ryze.Buttons{
		Text:    "Mixed",
		Buttons: []ryze.Button{{Label: "A", Value: "a"}, {Kind: ryze.ButtonURL, Label: "B", Value: "https://example.net"}},
	})
	fmt.Println(errors.Is(err, ryze.ErrInvalidArgument))
	// Output:
	// buttons <nil>
	// <nil>
	// true
}

func ExampleList() {
	sim, inst := demo()
	defer sim.Close()
	sent, err := inst.Messages.Send(context.Background(), "5511987654321", ryze.List{
		Text:  "What would you like?",
		Label: "Menu",
		Sections: []ryze.ListSection{{Title: "Dishes", Rows: []ryze.ListRow{
			{ID: "lasagna", Title: "Lasagna", Description: "Four slices"}, {ID: "soup", Title: "Soup"},
		}}},
	})
	fmt.Println(sent.Type, err)
	// Output: list <nil>
}

func ExampleCarousel() {
	sim, inst := demo()
	defer sim.Close()
	sent, err := inst.Messages.Send(context.Background(), "5511987654321", ryze.Carousel{
		Text: "Pick a plan",
		Cards: []ryze.Card{
			{Title: "Small", ImageURL: "https://cdn.example.net/s.jpg", Text: "One number", Buttons: []ryze.Button{{Label: "Take it", Value: "plan-s"}}},
			{Title: "Large", VideoURL: "https://cdn.example.net/l.mp4", Text: "Ten numbers", Buttons: []ryze.Button{{Label: "Take it", Value: "plan-l"}}},
		},
	})
	fmt.Println(sent.Type, err)
	// Output: interactive <nil>
}

func ExampleForm() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	_, err := inst.Messages.Send(ctx, "5511987654321", ryze.Form{
		Text: "Please check your data", Kind: ryze.FormContactDetails, Button: "Open", DeliveryAddress: new(false),
	})
	fmt.Println(err)
	_, err = inst.Messages.Send(ctx, "5511987654321", ryze.Form{Text: "A form of your own", ButtonParams: json.RawMessage(`{"flow_id": "17"}`)})
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
}

func ExampleReaction() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	const group = "120363000000000001@g.us"
	id := sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Group: group, Text: "Thank you!"})

	sent, err := inst.Messages.Send(ctx, group, ryze.Reaction{MessageID: id, Emoji: "👍", Participant: "5511987654321"})
	fmt.Println(sent.ReplyTo == id, err)
	_, err = inst.Messages.Send(ctx, group, ryze.RemoveReaction{MessageID: id, Participant: "5511987654321"})
	fmt.Println(err)
	// Output:
	// true <nil>
	// <nil>
}

func ExampleMessagesService_PostStatus() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	status, err := inst.Messages.PostStatus(ctx, ryze.TextStatus{Text: "Open until 10 pm today", BackgroundColor: "#00AAFF"})
	fmt.Println(status.Chat, err)
	_, err = inst.Messages.PostStatus(ctx, ryze.MediaStatus{Source: ryze.MediaURL("https://cdn.example.net/shop.jpg"), Caption: "Come in"})
	fmt.Println(err)
	fmt.Println(inst.Messages.DeleteForEveryone(ctx, status.ID))
	// Output:
	// status@broadcast <nil>
	// <nil>
	// <nil>
}

func ExampleMessagesService_Edit() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	sent, err := inst.Messages.SendText(ctx, "5511987654321", "See you at 9")
	if err != nil {
		fmt.Println(err)
		return
	}
	edited, err := inst.Messages.Edit(ctx, sent.ID, "See you at 10")
	fmt.Println(edited.OldText, "->", edited.NewText, err)
	stored, err := inst.Messages.Get(ctx, sent.ID)
	fmt.Println(stored.Text, err)
	copied, err := inst.Messages.Forward(ctx, sent.ID, "5521987654321")
	fmt.Println(copied.Chat, err)
	status, err := inst.Messages.DeliveryStatus(ctx, copied.ID)
	fmt.Println(status.Direction, err)

	fmt.Println(inst.Messages.Pin(ctx, sent.ID, 7*24*time.Hour), inst.Messages.Unpin(ctx, sent.ID))
	fmt.Println(inst.Messages.Favorite(ctx, sent.ID), inst.Messages.Unfavorite(ctx, sent.ID))
	fmt.Println(inst.Messages.DeleteForMe(ctx, copied.ID))
	_, err = inst.Messages.Get(ctx, "3EB0")
	fmt.Println(errors.Is(err, ryze.ErrMessageNotFound))
	// Output:
	// See you at 9 -> See you at 10 <nil>
	// See you at 10 <nil>
	// 5521987654321@s.whatsapp.net <nil>
	// outgoing <nil>
	// <nil> <nil>
	// <nil> <nil>
	// <nil>
	// true
}

func ExampleMessagesService_PollVotes() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	poll, err := inst.Messages.Send(ctx, "120363000000000001@g.us", ryze.Poll{Question: "Which day?", Options: []string{"Monday", "Friday"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	sim.Instance("support-line").Vote(poll.ID, "5511987654321", "Friday")

	votes, err := inst.Messages.PollVotes(ctx, poll.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, vote := range votes.Votes {
		fmt.Println(vote.Voter, "wants", vote.Option)
	}
	// Output: 5511987654321@s.whatsapp.net wants Friday
}

// Media go straight to a file, a hash or a bucket, whatever their size.
func ExampleMessagesService_Download() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	id := sim.Instance("support-line").Receive(ryzetest.Incoming{
		From: "5511987654321", Media: &ryzetest.File{Data: []byte("%PDF-1.7 ..."), MIME: "application/pdf"},
	})

	var file bytes.Buffer // in practice an *os.File
	media, err := inst.Messages.Download(ctx, id, &file, ryze.DownloadLimit(20<<20), ryze.DownloadTimeLimit(5*time.Minute))
	if err != nil {
		fmt.Println(err) // and throw the file away
		return
	}
	fmt.Println(media.Kind, media.MIME, media.Size, file.String())

	_, err = inst.Messages.Download(ctx, "3EB0", &file, ryze.DownloadWait(0))
	fmt.Println(errors.Is(err, ryze.ErrMessageNotFound))
	// Output:
	// document application/pdf 12 %PDF-1.7 ...
	// true
}

// An application that listens to events settles an uncertain send by its echo.
func ExampleOutcomeError_IsEcho() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
	_, err := inst.Messages.SendText(ctx, "5511987654321", "Your code is 4711", ryze.SourceLabel("otp-17"))

	echo, _ := ryze.ParseEvent(fmt.Appendf(nil, `{"event": "message.exchange", "data": {"id": "3EB0AB", "direction": "outgoing", "timestamp": %q,
		"chat": {"jid": "5511987654321@s.whatsapp.net"}, "message": {"type": "text", "content": "Your code is 4711", "source": "otp-17"}}}`,
		time.Now().Add(time.Second).Format(time.RFC3339)))
	var unknown *ryze.OutcomeError
	if errors.As(err, &unknown) {
		fmt.Println(unknown.IsEcho(echo))
	}
	sent, err := inst.Messages.Settle(ctx, err, ryze.SettleWith(echo), ryze.SettleExcept("3EB0OTHER"))
	fmt.Println(sent.ID, err)
	// Output:
	// true
	// 3EB0AB <nil>
}
