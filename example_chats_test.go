package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func ExampleChatsService_History() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	for _, text := range []string{"Hi", "Are you open?", "Thanks"} {
		sim.Instance("support-line").Receive(ryzetest.Incoming{From: "5511987654321", Text: text})
		sim.Advance(time.Second)
	}
	for message, err := range inst.Chats.History(ctx, "5511987654321", ryze.HistoryQuery{PageSize: 2}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(message.Text)
	}
	page, err := inst.Chats.HistoryPage(ctx, "5511987654321", ryze.HistoryQuery{PageSize: 1})
	fmt.Println(len(page.Messages), page.HasMore, err)
	// Output:
	// Thanks
	// Are you open?
	// Hi
	// 1 true <nil>
}

func ExampleChatsService() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	const chat = "5511987654321"
	fmt.Println("archive", inst.Chats.Archive(ctx, chat), inst.Chats.Unarchive(ctx, chat))
	fmt.Println("pin", inst.Chats.Pin(ctx, chat), inst.Chats.Unpin(ctx, chat))
	fmt.Println("mute", inst.Chats.Mute(ctx, chat, 8*time.Hour), inst.Chats.Unmute(ctx, chat))
	fmt.Println("mute for good", inst.Chats.MuteAlways(ctx, chat))
	fmt.Println("read", inst.Chats.MarkRead(ctx, chat), inst.Chats.MarkUnread(ctx, chat))
	fmt.Println("favorite", inst.Chats.Favorite(ctx, chat), inst.Chats.Unfavorite(ctx, chat))
	fmt.Println("delete", inst.Chats.Delete(ctx, chat), inst.Chats.DeleteWithMedia(ctx, chat))
	// Output:
	// archive <nil> <nil>
	// pin <nil> <nil>
	// mute <nil> <nil>
	// mute for good <nil>
	// read <nil> <nil>
	// favorite <nil> <nil>
	// delete <nil> <nil>
}

func ExampleChatsService_Typing() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	const chat = "5511987654321"
	id := sim.Instance("support-line").Receive(ryzetest.Incoming{From: chat, Text: "Are you open?"})
	fmt.Println(inst.Messages.MarkRead(ctx, chat, id, "")) // the blue ticks
	fmt.Println(inst.Chats.Typing(ctx, chat, 5*time.Second))
	fmt.Println(inst.Chats.Recording(ctx, chat, 0))
	fmt.Println(inst.Chats.Pause(ctx, chat))
	err := inst.Chats.Typing(ctx, chat, 2*time.Minute)
	fmt.Println(errors.Is(err, ryze.ErrInvalidArgument))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// <nil>
	// true
}

func ExampleContactsService_PhoneOf() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	sim.AddContact(ryzetest.Contact{Phone: "5511987654321", LID: "123456789012345@lid", Name: "Ana"})

	phone, err := inst.Contacts.PhoneOf(ctx, "123456789012345@lid")
	fmt.Println(phone, err)
	lid, err := inst.Contacts.LIDOf(ctx, "5511987654321")
	fmt.Println(lid, err)
	_, err = inst.Contacts.PhoneOf(ctx, "999999999999999@lid")
	fmt.Println(errors.Is(err, ryze.ErrContactNotFound), errors.Is(err, ryze.ErrNotFound))
	// Output:
	// 5511987654321@s.whatsapp.net <nil>
	// 123456789012345@lid <nil>
	// true true
}

func ExampleContactsService() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	sim.AddContact(ryzetest.Contact{Phone: "5511987654321", LID: "123456789012345@lid", Name: "Ana"})

	contacts, err := inst.Contacts.List(ctx)
	fmt.Println(len(contacts), err)
	ana, err := inst.Contacts.Get(ctx, "5511987654321")
	fmt.Println(ana.Found, ana.LID, err)
	nobody, err := inst.Contacts.Get(ctx, "5521900000000")
	fmt.Println(nobody.Found, err)
	fmt.Println(inst.Contacts.Block(ctx, ana.JID), inst.Contacts.Unblock(ctx, ana.JID))
	// Output:
	// 1 <nil>
	// true 123456789012345@lid <nil>
	// false <nil>
	// <nil> <nil>
}

func ExampleLabelsService() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	lead, err := inst.Labels.Create(ctx, "Lead", 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(inst.Labels.Assign(ctx, "5511987654321", lead.ID))
	leads, err := inst.Contacts.ByLabel(ctx, ryze.LabelFilter{Names: []string{"lead"}})
	fmt.Println(len(leads.Chats), err)
	fmt.Println(inst.Labels.Unassign(ctx, "5511987654321", lead.ID))
	fmt.Println(inst.Labels.Delete(ctx, lead.ID))
	labels, err := inst.Labels.List(ctx)
	fmt.Println(len(labels), err)
	// Output:
	// <nil>
	// 1 <nil>
	// <nil>
	// <nil>
	// 0 <nil>
}

func ExampleCallsService() {
	sim, inst := demo()
	defer sim.Close()
	ctx := context.Background()
	call, err := inst.Calls.Ring(ctx, "5511987654321", 15*time.Second)
	fmt.Println(call.Phone, call.Duration, err)
	_, err = inst.Calls.PlayAudio(ctx, "5511987654321", ryze.MediaBytes("notice.mp3", []byte("ID3 ...")))
	fmt.Println(err)
	// Output:
	// 5511987654321@s.whatsapp.net 15s <nil>
	// <nil>
}
