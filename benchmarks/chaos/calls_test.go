package chaos

import (
	"context"
	"io"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// call is the call of one operation: the plainest one, that makes one request and
// succeeds.
type call struct {
	op      string
	prepare func(*world) // before it, on the simulator's side
	do      func(context.Context, *world) error
}

const (
	ana     ryze.JID = "5511987654321"
	bruno   ryze.JID = "5521912345678"
	own              = "5511900000001"
	line             = "support-line"
	picture          = "https://media.example.net/picture.png"
)

var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84\x00\x00\x00\x00IEND\xaeB`\x82")

// world is what there is before a call: an instance with a chat, a group, a
// community and a label.
type world struct {
	sim     *ryzetest.Server
	phone   *ryzetest.Instance
	client  *ryze.Client
	account *ryze.AccountClient
	inst    *ryze.InstanceClient
	// other reaches the simulator on connections of its own.
	other *ryze.InstanceClient

	group, community, label, text, sent, media, poll string
}

func (w *world) populate() {
	w.phone = w.sim.AddInstance(line)
	w.phone.Pair(own)
	w.group = w.phone.AddGroup("Release crew", string(ana)).JID()
	w.text = w.phone.Receive(ryzetest.Incoming{From: string(ana), Name: "Ana", Text: "Hello"})
	w.sent = w.phone.TypeOnPhone(string(ana), ryzetest.Incoming{Text: "Good morning"})
}

// mustBe is for what is set up through the API.
func mustBe[T any](_ T, err error) {
	if err != nil {
		panic(err)
	}
}

// of drops the result of a call: what it says is a matter of other tests.
func of[T any](_ T, err error) error { return err }

func sends(op string, content func(*world) ryze.Content) call {
	return call{op: op, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Messages.Send(ctx, ana, content(w)))
	}}
}

func just(c ryze.Content) func(*world) ryze.Content { return func(*world) ryze.Content { return c } }

func withCommunity(w *world) { w.community = w.phone.AddCommunity("Neighbours").JID() }

func linked(w *world) {
	community := w.phone.AddCommunity("Neighbours")
	w.community = community.JID()
	group := w.phone.AddGroup("Gardeners")
	if w.group = group.JID(); !group.LinkTo(community) {
		panic("the group was not linked")
	}
}

func withLabel(w *world) { w.label = w.phone.AddLabel("Lead", 3) }

func withPoll(w *world) {
	w.poll = w.phone.TypeOnPhone(string(ana), ryzetest.Incoming{Poll: &ryzetest.Poll{Question: "Which day?", Options: []string{"Monday", "Tuesday"}, Max: 1}})
}

func withMedia(w *world) {
	w.media = w.phone.Receive(ryzetest.Incoming{From: string(ana), Media: &ryzetest.File{Data: png, MIME: "image/png", FileName: "dot.png"}})
}

func withChannel(w *world) {
	w.label = w.sim.AddNewsletter("News of the day", "What happened", 12).JID()
}

func following(w *world) {
	withChannel(w)
	mustBe(w.other.Newsletters.Follow(context.Background(), w.label))
}

// unpaired leaves an instance that was never connected.
func unpaired(w *world) {
	phone := w.sim.AddInstance("new-line")
	w.inst = w.client.Instance("new-line", phone.Token())
}

var (
	later   = time.Date(2030, 10, 1, 9, 0, 0, 0, time.UTC)
	storage = ryze.StorageConfig{Region: "us-east-1", Bucket: "media", AccessKey: "AK", SecretKey: "SK", Endpoint: "https://s3.example.net"}
	inbox   = ryze.ChatwootConfig{BaseURL: "https://chat.example.net", AccountID: 1, APIToken: "cw-token", InboxName: "WhatsApp"}
	hook    = ryze.WebhookConfig{Label: "crm", URL: "https://hooks.example.net/crm"}
)

func withHook(w *world) { mustBe(w.other.Webhooks.Set(context.Background(), hook)) }
func withStream(w *world) {
	mustBe(w.other.WebSocket.Set(context.Background(), ryze.WebSocketConfig{}))
}
func withStorage(w *world)  { mustBe(w.other.Storage.Set(context.Background(), storage)) }
func withChatwoot(w *world) { mustBe(w.other.Chatwoot.Set(context.Background(), inbox)) }

// calls has one call of every operation.
var calls = []call{
	{op: "observability.health", do: func(ctx context.Context, w *world) error { return of(w.client.Health(ctx)) }},

	{op: "instance.create", do: func(ctx context.Context, w *world) error {
		return of(w.account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "sales-line"}))
	}},
	{op: "instance.list", do: func(ctx context.Context, w *world) error { return of(w.account.ListInstances(ctx)) }},
	{op: "instance.connect", prepare: unpaired, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Connect(ctx, ryze.ConnectParams{}))
	}},
	{op: "instance.reconnect", prepare: func(w *world) { w.phone.Disconnect() }, do: func(ctx context.Context, w *world) error { return w.inst.Reconnect(ctx) }},
	{op: "instance.logout", do: func(ctx context.Context, w *world) error { return w.inst.Logout(ctx) }},
	{op: "instance.delete", do: func(ctx context.Context, w *world) error { return w.account.DeleteInstance(ctx, line) }},
	{op: "instance.settings.update", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Settings.Update(ctx, ryze.SettingsUpdate{AutoReadMessages: new(false)}))
	}},
	{op: "instance.settings.get", do: func(ctx context.Context, w *world) error { return of(w.inst.Settings.Get(ctx)) }},
	{op: "instance.proxy.update", do: func(ctx context.Context, w *world) error {
		return w.inst.Proxy.Set(ctx, ryze.ProxyConfig{Host: "proxy.example.net", Port: "1080", Protocol: ryze.ProxySOCKS5, Username: "proxy-user", Password: "proxy-password"})
	}},
	{op: "instance.proxy.get", do: func(ctx context.Context, w *world) error { return of(w.inst.Proxy.Get(ctx)) }},
	{op: "instance.s3.update", do: func(ctx context.Context, w *world) error { return of(w.inst.Storage.Set(ctx, storage)) }},
	{op: "instance.s3.get", prepare: withStorage, do: func(ctx context.Context, w *world) error { return of(w.inst.Storage.Get(ctx)) }},
	{op: "instance.metrics", do: func(ctx context.Context, w *world) error { return of(w.inst.Metrics(ctx)) }},

	{op: "messages.text", do: func(ctx context.Context, w *world) error { return of(w.inst.Messages.SendText(ctx, ana, "Hello")) }},
	sends("messages.media", just(ryze.Media{Source: ryze.MediaBytes("dot.png", png)})),
	sends("messages.sticker", just(ryze.Sticker{Source: ryze.MediaBytes("dot.png", png)})),
	sends("messages.location", just(ryze.Location{Latitude: -23.5, Longitude: -46.6, Name: "Office", Address: "1 Example Street"})),
	sends("messages.contact", just(ryze.ContactCard{FullName: "Bruno Example", Phone: string(bruno)})),
	sends("messages.reaction", func(w *world) ryze.Content { return ryze.Reaction{MessageID: w.text, Emoji: "👍"} }),
	sends("messages.poll", just(ryze.Poll{Question: "Which day?", Options: []string{"Monday", "Tuesday"}})),
	sends("messages.carousel", just(ryze.Carousel{Cards: []ryze.Card{{Title: "One", Text: "The first", ImageURL: picture}}})),
	sends("messages.button", just(ryze.Buttons{Text: "Shall we?", Buttons: []ryze.Button{{Label: "Yes", Value: "yes"}}})),
	sends("messages.list", just(ryze.List{
		Text: "What is it about?", Label: "Menu",
		Sections: []ryze.ListSection{{Title: "Sales", Rows: []ryze.ListRow{{ID: "row-1", Title: "Prices"}}}},
	})),
	sends("messages.form", just(ryze.Form{Text: "An offer", Kind: ryze.FormRegistrationOffer, OfferName: "Autumn", OfferDescription: "Ten percent"})),
	sends("messages.pix", just(ryze.Pix{MerchantName: "Example Ltd", Key: "12345678909", KeyType: ryze.PixCPF})),
	sends("messages.event", just(ryze.CalendarEvent{Name: "Review", StartAt: later})),
	{op: "messages.status", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Messages.PostStatus(ctx, ryze.TextStatus{Text: "Open today", BackgroundColor: "#00AAFF", Font: "system"}))
	}},

	{op: "chat.contacts.list", do: func(ctx context.Context, w *world) error { return of(w.inst.Contacts.List(ctx)) }},
	{op: "chat.contacts.by_label", prepare: withLabel, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Contacts.ByLabel(ctx, ryze.LabelFilter{IDs: []string{w.label}}))
	}},
	{op: "chat.message.get", do: func(ctx context.Context, w *world) error { return of(w.inst.Messages.Get(ctx, w.text)) }},
	{op: "chat.history", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Chats.HistoryPage(ctx, ana, ryze.HistoryQuery{}))
	}},
	{op: "chat.message.media_base64", prepare: withMedia, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Messages.Download(ctx, w.media, io.Discard))
	}},
	{op: "chat.message.status", do: func(ctx context.Context, w *world) error { return of(w.inst.Messages.DeliveryStatus(ctx, w.sent)) }},
	{op: "chat.poll.votes", prepare: withPoll, do: func(ctx context.Context, w *world) error { return of(w.inst.Messages.PollVotes(ctx, w.poll)) }},
	{op: "chat.message.mark_read", do: func(ctx context.Context, w *world) error { return w.inst.Messages.MarkRead(ctx, ana, w.text, "") }},
	{op: "chat.message.edit", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Messages.Edit(ctx, w.sent, "Good evening"))
	}},
	{op: "chat.message.delete", do: func(ctx context.Context, w *world) error { return w.inst.Messages.DeleteForEveryone(ctx, w.sent) }},
	{op: "chat.message.forward", do: func(ctx context.Context, w *world) error { return of(w.inst.Messages.Forward(ctx, w.text, bruno)) }},
	{op: "chat.message.pin", do: func(ctx context.Context, w *world) error { return w.inst.Messages.Pin(ctx, w.text, 7*24*time.Hour) }},
	{op: "chat.favorite", do: func(ctx context.Context, w *world) error { return w.inst.Chats.Favorite(ctx, ana) }},
	{op: "chat.tags.list", do: func(ctx context.Context, w *world) error { return of(w.inst.Labels.List(ctx)) }},
	{op: "chat.tags.create", do: func(ctx context.Context, w *world) error { return of(w.inst.Labels.Create(ctx, "Customer", 0)) }},
	{op: "chat.tags.delete", prepare: withLabel, do: func(ctx context.Context, w *world) error { return w.inst.Labels.Delete(ctx, w.label) }},
	{op: "chat.tags.assign", prepare: withLabel, do: func(ctx context.Context, w *world) error { return w.inst.Labels.Assign(ctx, ana, w.label) }},
	{
		op: "chat.tags.unassign", prepare: func(w *world) { withLabel(w); w.phone.LabelChat(w.label, string(ana), true) },
		do: func(ctx context.Context, w *world) error { return w.inst.Labels.Unassign(ctx, ana, w.label) },
	},
	{op: "chat.archive", do: func(ctx context.Context, w *world) error { return w.inst.Chats.Archive(ctx, ana) }},
	{op: "chat.mark_chat_read", do: func(ctx context.Context, w *world) error { return w.inst.Chats.MarkRead(ctx, ana) }},
	{op: "chat.pin", do: func(ctx context.Context, w *world) error { return w.inst.Chats.Pin(ctx, ana) }},
	{op: "chat.mute", do: func(ctx context.Context, w *world) error { return w.inst.Chats.Mute(ctx, ana, 7*24*time.Hour) }},
	{op: "chat.block", do: func(ctx context.Context, w *world) error { return w.inst.Contacts.Block(ctx, ana) }},
	{op: "chat.presence.send", do: func(ctx context.Context, w *world) error {
		return w.inst.Chats.Typing(ctx, ana, 2*time.Second)
	}},
	{op: "chat.delete", do: func(ctx context.Context, w *world) error { return w.inst.Chats.Delete(ctx, ana) }},

	{op: "groups.create", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Groups.Create(ctx, ryze.CreateGroupParams{Name: "Launch", Members: []ryze.JID{ana}}))
	}},
	{op: "groups.list", do: func(ctx context.Context, w *world) error { return of(w.inst.Groups.List(ctx)) }},
	{op: "groups.info", do: func(ctx context.Context, w *world) error { return of(w.inst.Groups.Info(ctx, ryze.JID(w.group))) }},
	{op: "groups.update", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Groups.Update(ctx, ryze.JID(w.group), ryze.GroupUpdate{Name: new("Release")}))
	}},
	{op: "groups.participants", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Groups.AddMembers(ctx, ryze.JID(w.group), bruno))
	}},
	{
		op: "groups.join", prepare: func(w *world) {
			w.label = w.sim.AddGroup(ryzetest.NewGroup{Name: "Book club", Owner: string(bruno), Members: []string{string(ana)}}).InviteCode()
		},
		do: func(ctx context.Context, w *world) error { return of(w.inst.Groups.Join(ctx, w.label)) },
	},
	{op: "groups.reset_link", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Groups.ResetInviteLink(ctx, ryze.JID(w.group)))
	}},
	{op: "groups.requests", do: func(ctx context.Context, w *world) error { return of(w.inst.Groups.Requests(ctx, ryze.JID(w.group))) }},
	{op: "groups.leave", do: func(ctx context.Context, w *world) error { return w.inst.Groups.Leave(ctx, ryze.JID(w.group)) }},

	{op: "communities.create", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Communities.Create(ctx, ryze.CreateCommunityParams{Name: "Street"}))
	}},
	{op: "communities.link", prepare: withCommunity, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Communities.Link(ctx, ryze.JID(w.community), ryze.JID(w.group)))
	}},
	{op: "communities.unlink", prepare: linked, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Communities.Unlink(ctx, ryze.JID(w.community), ryze.JID(w.group)))
	}},
	{op: "communities.list_subgroups", prepare: linked, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Communities.Subgroups(ctx, ryze.JID(w.community)))
	}},

	{op: "newsletter.create", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Newsletters.Create(ctx, ryze.CreateNewsletterParams{Name: "Notices"}))
	}},
	{op: "newsletter.list", prepare: following, do: func(ctx context.Context, w *world) error { return of(w.inst.Newsletters.List(ctx)) }},
	{op: "newsletter.info", prepare: withChannel, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Newsletters.Info(ctx, w.label))
	}},
	{op: "newsletter.join", prepare: withChannel, do: func(ctx context.Context, w *world) error {
		return of(w.inst.Newsletters.Follow(ctx, w.label))
	}},
	{op: "newsletter.leave", prepare: following, do: func(ctx context.Context, w *world) error {
		return w.inst.Newsletters.Unfollow(ctx, w.label)
	}},

	{op: "profile.update_account", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Profile.Update(ctx, ryze.ProfileUpdate{Name: new("Support")}))
	}},
	{op: "profile.get_account", do: func(ctx context.Context, w *world) error { return of(w.inst.Profile.Get(ctx)) }},
	{op: "profile.get_privacy", do: func(ctx context.Context, w *world) error { return of(w.inst.Profile.Privacy(ctx)) }},
	{op: "profile.update_privacy", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Profile.UpdatePrivacy(ctx, ryze.PrivacySettings{ReadReceipts: ryze.PrivacyAll}))
	}},

	{op: "calls.fake", do: func(ctx context.Context, w *world) error { return of(w.inst.Calls.Ring(ctx, ana, time.Second)) }},
	{op: "calls.audio", do: func(ctx context.Context, w *world) error {
		return of(w.inst.Calls.PlayAudio(ctx, ana, ryze.MediaBytes("note.mp3", []byte("ID3\x03 a note"))))
	}},

	{op: "events.webhook.set", do: func(ctx context.Context, w *world) error { return of(w.inst.Webhooks.Set(ctx, hook)) }},
	{op: "events.webhook.get", prepare: withHook, do: func(ctx context.Context, w *world) error { return of(w.inst.Webhooks.Get(ctx, "crm")) }},
	{op: "events.websocket.set", do: func(ctx context.Context, w *world) error {
		return of(w.inst.WebSocket.Set(ctx, ryze.WebSocketConfig{}))
	}},
	{op: "events.websocket.get", prepare: withStream, do: func(ctx context.Context, w *world) error { return of(w.inst.WebSocket.Get(ctx)) }},
	{op: "events.websocket.connect", prepare: withStream, do: func(ctx context.Context, w *world) error {
		stream, err := w.inst.Subscribe(ctx, ryze.WithBackoff(time.Millisecond, 2*time.Millisecond))
		if err != nil {
			return err
		}
		return stream.Close()
	}},

	{op: "chatwoot.set", do: func(ctx context.Context, w *world) error { return of(w.inst.Chatwoot.Set(ctx, inbox)) }},
	{op: "chatwoot.get", prepare: withChatwoot, do: func(ctx context.Context, w *world) error { return of(w.inst.Chatwoot.Get(ctx)) }},
	{op: "chatwoot.delete", prepare: withChatwoot, do: func(ctx context.Context, w *world) error { return w.inst.Chatwoot.Delete(ctx) }},
}
