package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing/iotest"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// sends is a send of a content to Ana.
func sends(name string, content func(*env) ryze.Content, options ...ryze.SendOption) call {
	return gives(name, func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.Send(ctx, ana, content(e), options...)
	})
}

// just is a content that needs nothing of the world.
func just(c ryze.Content) func(*env) ryze.Content { return func(*env) ryze.Content { return c } }

var ogg = append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead"), make([]byte, 64)...)

var later = time.Date(2026, 10, 1, 9, 0, 0, 0, time.FixedZone("", -3*60*60))

var sendCalls = []call{
	gives("send a text", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.SendText(ctx, ana, "Hello")
	}),
	gives("send a text with every option", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.SendText(ctx, e.group, "Hello @5511987654321 https://example.net",
			ryze.Delay(1500*time.Millisecond), ryze.ReplyTo(e.inGroup), ryze.Mention(ana, bruno), ryze.MentionAll(),
			ryze.LinkPreview(true), ryze.SourceLabel("conformance"), ryze.TimeLimit(time.Minute))
	}),
	gives("send a text without a preview to a LID", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.SendText(ctx, anaLID, "https://example.net", ryze.LinkPreview(false))
	}),
	gives("answer in private", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.SendText(ctx, e.group, "Between us", ryze.ReplyPrivate(e.inGroup))
	}),
	sends("send an image", just(ryze.Media{Source: ryze.MediaBytes("dot.png", png), Caption: "A dot"}), ryze.Delay(time.Second)),
	sends("send an image by its URL", just(ryze.Media{Source: ryze.MediaURL(picture)})),
	sends("send a document from a stream of unknown length", func(*env) ryze.Content {
		return ryze.Media{Source: ryze.MediaReader("notes.txt", iotest.OneByteReader(strings.NewReader("Some notes"))), Kind: ryze.MediaDocument, FileName: "notes of today.txt", MIME: "text/plain"}
	}),
	sends("send a voice note", just(ryze.Media{
		Source: ryze.MediaBytes("note.ogg", ogg), Kind: ryze.MediaAudio, Voice: new(true), Duration: 3 * time.Second, Waveform: []byte{0, 128, 255},
	})),
	sends("send music", just(ryze.Media{Source: ryze.MediaBytes("song.mp3", []byte("ID3\x03 a song")), Voice: new(false)})),
	gives("send a video that mentions", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.Send(ctx, e.group, ryze.Media{Source: ryze.MediaURL("https://media.example.net/clip.mp4"), Kind: ryze.MediaVideo}, ryze.Mention(ana))
	}),
	sends("send a sticker", just(ryze.Sticker{Source: ryze.MediaBytes("dot.png", png)})),
	sends("send a sticker by its URL", just(ryze.Sticker{Source: ryze.MediaURL("https://media.example.net/dot.webp")}), ryze.SourceLabel("conformance")),
	sends("send a location", just(ryze.Location{Latitude: -23.5505, Longitude: -46.6333, Name: "Office", Address: "1 Example Street"})),
	sends("send a contact", just(ryze.ContactCard{FullName: "Bruno Example", Phone: string(bruno)})),
	sends("send contacts", just(ryze.ContactCards{
		{FullName: "Bruno Example", Phone: string(bruno), Organization: "Example Ltd", Email: "bruno@example.net", URL: "https://example.net"},
		{FullName: "Carla Example", Phone: string(carla)},
	}), ryze.Delay(time.Second)),
	sends("react", func(e *env) ryze.Content { return ryze.Reaction{MessageID: e.received, Emoji: "👍"} }),
	gives("react in a group", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.Send(ctx, e.group, ryze.Reaction{MessageID: e.inGroup, Emoji: "🎉", Participant: ana})
	}),
	sends("react to an own message", func(e *env) ryze.Content { return ryze.Reaction{MessageID: e.sent, Emoji: "👍", FromMe: true} }),
	sends("take a reaction back", func(e *env) ryze.Content { return ryze.RemoveReaction{MessageID: e.received} }),
	sends("send a poll", just(ryze.Poll{Question: "Which day?", Options: []string{"Monday", "Tuesday"}})),
	sends("send a poll with several answers", just(ryze.Poll{Question: "Which days?", Options: []string{"Monday", "Tuesday", "Friday"}, MaxAnswers: 2}), ryze.SourceLabel("conformance")),
	sends("send a carousel", just(ryze.Carousel{
		Text: "Our offers", Footer: "Until Friday",
		Cards: []ryze.Card{
			{Title: "One", Subtitle: "First", ImageURL: picture, Text: "The first", Footer: "1", Buttons: []ryze.Button{{Label: "Take it", Value: "one"}}},
			{Title: "Two", VideoURL: "https://media.example.net/clip.mp4", Text: "The second", Buttons: []ryze.Button{{Kind: ryze.ButtonURL, Label: "See", Value: "https://example.net"}, {Kind: ryze.ButtonCopy, Label: "Copy", Value: "CODE"}, {Kind: ryze.ButtonCall, Label: "Call", Value: string(bruno)}}},
		},
	})),
	sends("send a carousel of a plain card", just(ryze.Carousel{Cards: []ryze.Card{{Title: "One", Text: "The first", ImageURL: picture}}})),
	sends("send buttons", just(ryze.Buttons{Text: "Shall we?", Header: "A question", Footer: "Answer today", Buttons: []ryze.Button{{Label: "Yes", Value: "yes"}, {Label: "No", Value: "no"}}})),
	sends("send buttons with an image", just(ryze.Buttons{
		Text: "Have a look", MediaURL: picture, MediaKind: ryze.MediaImage,
		Buttons: []ryze.Button{{Kind: ryze.ButtonURL, Label: "Open", Value: "https://example.net"}, {Kind: ryze.ButtonCall, Label: "Call", Value: string(bruno)}, {Kind: ryze.ButtonCopy, Label: "Copy", Value: "CODE"}},
	})),
	sends("send a list", just(ryze.List{
		Text: "What is it about?", Label: "Menu", Header: "Welcome", Footer: "At any time",
		Sections: []ryze.ListSection{{Title: "Sales", Rows: []ryze.ListRow{{ID: "row-1", Title: "Prices", Description: "All of them"}, {ID: "row-2", Title: "Orders"}}}},
	})),
	sends("send a form", just(ryze.Form{
		Text: "Tell us", Kind: ryze.FormContactDetails, Button: "Fill in", FlowToken: "t", FlowID: "1", FlowMessageVersion: "3", MessageVersion: 1,
		FullName: new(true), Phone: new(false), Email: new(true), CPFOrCNPJ: new(false), DeliveryAddress: new(true),
	})),
	sends("send an offer", just(ryze.Form{Text: "An offer", Kind: ryze.FormRegistrationOffer, OfferName: "Autumn", OfferDescription: "Ten percent"})),
	sends("send a form of one's own", just(ryze.Form{Text: "Tell us", ButtonParams: json.RawMessage(`{"flow_id":"1"}`)})),
	sends("send a PIX card", just(ryze.Pix{MerchantName: "Example Ltd", Key: "12345678909", KeyType: ryze.PixCPF})),
	sends("send a PIX card with a random key", just(ryze.Pix{MerchantName: "Example Ltd", Key: "123e4567-e89b-12d3-a456-426614174000", KeyType: ryze.PixRandom})),
	sends("send a calendar event", just(ryze.CalendarEvent{Name: "Review", StartAt: later})),
	sends("send a call with everything", just(ryze.CalendarEvent{
		Name: "Review", Description: "Of the quarter", StartAt: later, EndAt: later.Add(time.Hour),
		Place:    &ryze.Location{Latitude: -23.5, Longitude: -46.6, Name: "Office", Address: "1 Example Street"},
		JoinLink: "https://meet.example.net/r", ScheduledCall: true, Reminder: true, ReminderBefore: 15 * time.Minute, GuestsMayBring: true, Canceled: true,
	})),
	sends("send an event at a place without coordinates", just(ryze.CalendarEvent{Name: "Review", StartAt: later, Place: &ryze.Location{Name: "Office"}})),
	gives("post a text as status", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.PostStatus(ctx, ryze.TextStatus{Text: "Open today", BackgroundColor: "#00AAFF", Font: "system"}, ryze.SourceLabel("conformance"))
	}),
	gives("post an image as status", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.PostStatus(ctx, ryze.MediaStatus{Source: ryze.MediaURL(picture), Kind: ryze.MediaImage, Caption: "The view", FileName: "view.png", MIME: "image/png"})
	}),
	gives("post a voice note as status", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.PostStatus(ctx, ryze.MediaStatus{Source: ryze.MediaURL("https://media.example.net/note.ogg"), Kind: ryze.MediaAudio, Voice: new(true), Duration: 3 * time.Second, Waveform: []byte{1, 2}})
	}),
}

var messageCalls = []call{
	gives("a text", func(ctx context.Context, e *env) (*ryze.StoredMessage, error) {
		return e.inst.Messages.Get(ctx, e.received)
	}),
	gives("an image", func(ctx context.Context, e *env) (*ryze.StoredMessage, error) {
		return e.inst.Messages.Get(ctx, e.media)
	}),
	gives("a message in a group", func(ctx context.Context, e *env) (*ryze.StoredMessage, error) {
		return e.inst.Messages.Get(ctx, e.inGroup)
	}),
	gives("status of a sent message", func(ctx context.Context, e *env) (*ryze.DeliveryStatus, error) {
		return e.inst.Messages.DeliveryStatus(ctx, e.sent)
	}),
	gives("status of a received message", func(ctx context.Context, e *env) (*ryze.DeliveryStatus, error) {
		return e.inst.Messages.DeliveryStatus(ctx, e.received)
	}),
	gives("status of a message that was read", func(ctx context.Context, e *env) (*ryze.DeliveryStatus, error) {
		return e.inst.Messages.DeliveryStatus(ctx, e.sent)
	}).after(func(e *env) { e.sim.Advance(soon) }),
	gives("edit", func(ctx context.Context, e *env) (*ryze.EditedMessage, error) {
		return e.inst.Messages.Edit(ctx, e.sent, "Good evening")
	}),
	does("delete for everyone", func(ctx context.Context, e *env) error { return e.inst.Messages.DeleteForEveryone(ctx, e.sent) }),
	does("delete for me", func(ctx context.Context, e *env) error { return e.inst.Messages.DeleteForMe(ctx, e.received) }),
	gives("forward", func(ctx context.Context, e *env) (*ryze.ForwardedMessage, error) {
		return e.inst.Messages.Forward(ctx, e.received, bruno)
	}),
	gives("forward an image to a group", func(ctx context.Context, e *env) (*ryze.ForwardedMessage, error) {
		return e.inst.Messages.Forward(ctx, e.media, e.group)
	}),
	does("pin a message", func(ctx context.Context, e *env) error { return e.inst.Messages.Pin(ctx, e.received, 7*24*time.Hour) }),
	does("unpin a message", func(ctx context.Context, e *env) error { return e.inst.Messages.Unpin(ctx, e.received) }),
	does("star a message", func(ctx context.Context, e *env) error { return e.inst.Messages.Favorite(ctx, e.received) }),
	does("unstar a message", func(ctx context.Context, e *env) error { return e.inst.Messages.Unfavorite(ctx, e.received) }),
	does("mark a message read", func(ctx context.Context, e *env) error { return e.inst.Messages.MarkRead(ctx, ana, e.received, "") }),
	does("mark a message in a group read", func(ctx context.Context, e *env) error {
		return e.inst.Messages.MarkRead(ctx, e.group, e.inGroup, ana)
	}),
	gives("votes", func(ctx context.Context, e *env) (*ryze.PollVotes, error) {
		return e.inst.Messages.PollVotes(ctx, e.poll)
	}).
		after(func(e *env) { e.phone.Vote(e.poll, string(ana), "Monday") }),
	gives("no votes", func(ctx context.Context, e *env) (*ryze.PollVotes, error) {
		return e.inst.Messages.PollVotes(ctx, e.poll)
	}),
	gives("download", func(ctx context.Context, e *env) (*downloaded, error) {
		var b bytes.Buffer
		d, err := e.inst.Messages.Download(ctx, e.media, &b)
		if err != nil {
			return nil, err
		}
		return &downloaded{d, b.Bytes()}, nil
	}),
	gives("settle a lost send", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		_, err := e.inst.Messages.SendText(ctx, ana, "Was it sent?")
		return e.inst.Messages.Settle(ctx, err)
	}).after(func(e *env) { e.sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess}) }),
	gives("find a send of a crashed process", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.Find(ctx, ryze.Attempt{To: ana, Content: ryze.Text("Was it sent?"), SentAt: time.Now().Add(-time.Hour)})
	}).failing(ryze.ErrNotSent),
}

// downloaded is what became of a download, and the file.
type downloaded struct {
	*ryze.Downloaded
	File []byte
}

var chatCalls = []call{
	does("archive", func(ctx context.Context, e *env) error { return e.inst.Chats.Archive(ctx, ana) }),
	does("unarchive", func(ctx context.Context, e *env) error { return e.inst.Chats.Unarchive(ctx, e.group) }),
	does("pin a chat", func(ctx context.Context, e *env) error { return e.inst.Chats.Pin(ctx, ana) }),
	does("unpin a chat", func(ctx context.Context, e *env) error { return e.inst.Chats.Unpin(ctx, ana) }),
	does("mark a chat read", func(ctx context.Context, e *env) error { return e.inst.Chats.MarkRead(ctx, ana) }),
	does("mark a chat unread", func(ctx context.Context, e *env) error { return e.inst.Chats.MarkUnread(ctx, ana) }),
	does("favorite a chat", func(ctx context.Context, e *env) error { return e.inst.Chats.Favorite(ctx, ana) }),
	does("unfavorite a chat", func(ctx context.Context, e *env) error { return e.inst.Chats.Unfavorite(ctx, ana) }),
	does("mute for hours", func(ctx context.Context, e *env) error { return e.inst.Chats.Mute(ctx, ana, 8*time.Hour) }),
	does("mute for a week", func(ctx context.Context, e *env) error { return e.inst.Chats.Mute(ctx, e.group, 7*24*time.Hour) }),
	does("mute for good", func(ctx context.Context, e *env) error { return e.inst.Chats.MuteAlways(ctx, ana) }),
	does("unmute", func(ctx context.Context, e *env) error { return e.inst.Chats.Unmute(ctx, ana) }),
	does("delete a chat", func(ctx context.Context, e *env) error { return e.inst.Chats.Delete(ctx, ana) }),
	does("delete a chat and its media", func(ctx context.Context, e *env) error { return e.inst.Chats.DeleteWithMedia(ctx, ana) }),
	does("show presence", func(ctx context.Context, e *env) error {
		return e.inst.Chats.Typing(ctx, ana, 2*time.Second)
	}),
	does("type", func(ctx context.Context, e *env) error { return e.inst.Chats.Typing(ctx, ana, 0) }),
	does("record", func(ctx context.Context, e *env) error { return e.inst.Chats.Recording(ctx, ana, time.Minute) }),
	does("pause", func(ctx context.Context, e *env) error { return e.inst.Chats.Pause(ctx, ana) }),
	gives("a page of history", func(ctx context.Context, e *env) (*ryze.HistoryPage, error) {
		return e.inst.Chats.HistoryPage(ctx, ana, ryze.HistoryQuery{PageSize: 2})
	}),
	gives("history between two dates", func(ctx context.Context, e *env) (*ryze.HistoryPage, error) {
		return e.inst.Chats.HistoryPage(ctx, ana, ryze.HistoryQuery{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
	}),
	gives("history of nobody", func(ctx context.Context, e *env) (*ryze.HistoryPage, error) {
		return e.inst.Chats.HistoryPage(ctx, carla, ryze.HistoryQuery{})
	}),
	gives("history of a group", func(ctx context.Context, e *env) ([]ryze.HistoryMessage, error) {
		var all []ryze.HistoryMessage
		for m, err := range e.inst.Chats.History(ctx, e.group, ryze.HistoryQuery{PageSize: 10}) {
			if err != nil {
				return nil, err
			}
			all = append(all, *m)
		}
		return all, nil
	}),
	gives("contacts", func(ctx context.Context, e *env) ([]ryze.Contact, error) { return e.inst.Contacts.List(ctx) }),
	gives("a contact", func(ctx context.Context, e *env) (*ryze.Contact, error) { return e.inst.Contacts.Get(ctx, ana) }),
	gives("a contact by LID", func(ctx context.Context, e *env) (*ryze.Contact, error) { return e.inst.Contacts.Get(ctx, anaLID) }),
	gives("an unknown contact", func(ctx context.Context, e *env) (*ryze.Contact, error) {
		return e.inst.Contacts.Get(ctx, "5511911112222")
	}),
	gives("phone of a LID", func(ctx context.Context, e *env) (ryze.JID, error) { return e.inst.Contacts.PhoneOf(ctx, anaLID) }),
	gives("LID of a phone", func(ctx context.Context, e *env) (ryze.JID, error) { return e.inst.Contacts.LIDOf(ctx, ana) }),
	does("block", func(ctx context.Context, e *env) error { return e.inst.Contacts.Block(ctx, ana) }),
	does("unblock", func(ctx context.Context, e *env) error { return e.inst.Contacts.Unblock(ctx, ana) }),
	gives("chats by label", func(ctx context.Context, e *env) (*ryze.LabeledChats, error) {
		return e.inst.Contacts.ByLabel(ctx, ryze.LabelFilter{IDs: []string{e.label}, Names: []string{"Lead"}, Refresh: true})
	}).after(func(e *env) { e.phone.LabelChat(e.label, string(ana), true) }),
	gives("chats of all labels", func(ctx context.Context, e *env) (*ryze.LabeledChats, error) {
		return e.inst.Contacts.ByLabel(ctx, ryze.LabelFilter{})
	}),
	gives("labels", func(ctx context.Context, e *env) ([]ryze.Label, error) { return e.inst.Labels.List(ctx) }),
	gives("create a label", func(ctx context.Context, e *env) (*ryze.Label, error) {
		return e.inst.Labels.Create(ctx, "Customer", 0)
	}),
	does("delete a label", func(ctx context.Context, e *env) error { return e.inst.Labels.Delete(ctx, e.label) }),
	does("put a label on", func(ctx context.Context, e *env) error { return e.inst.Labels.Assign(ctx, ana, e.label) }),
	does("take a label off", func(ctx context.Context, e *env) error { return e.inst.Labels.Unassign(ctx, e.group, e.label) }).
		after(func(e *env) { e.phone.LabelChat(e.label, string(e.group), true) }),
}

var callCalls = []call{
	gives("ring", func(ctx context.Context, e *env) (*ryze.PlacedCall, error) {
		return e.inst.Calls.Ring(ctx, ana, 15*time.Second)
	}),
	gives("ring for the usual time", func(ctx context.Context, e *env) (*ryze.PlacedCall, error) { return e.inst.Calls.Ring(ctx, ana, 0) }),
	gives("play a file", func(ctx context.Context, e *env) (*ryze.PlacedCall, error) {
		return e.inst.Calls.PlayAudio(ctx, ana, ryze.MediaReader("note.mp3", io.MultiReader(strings.NewReader("ID3\x03"), strings.NewReader(" a note"))))
	}),
	gives("play a URL", func(ctx context.Context, e *env) (*ryze.PlacedCall, error) {
		return e.inst.Calls.PlayAudio(ctx, ana, ryze.MediaURL("https://media.example.net/note.mp3"))
	}),
}
