package conformance

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// gone is the id of a message that never was.
const gone = "3EB0FFFFFFFFFFFFFFFF"

// guest leaves the instance in a group that it does not administer.
func guest(e *env) {
	g := e.sim.AddGroup(ryzetest.NewGroup{Name: "Book club", Owner: string(bruno), Members: []string{own, string(ana)}})
	e.group = ryze.JID(g.JID())
}

// refusedCalls are those whose arguments or circumstances the service refuses
// with a text of its own.
var refusedCalls = []call{
	gives("create an instance twice", func(ctx context.Context, e *env) (*ryze.Instance, error) {
		return e.account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: name})
	}).failing(ryze.ErrConflict),
	gives("create one instance too many", func(ctx context.Context, e *env) (*ryze.Instance, error) {
		return e.account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "sales-line"})
	}).with(ryzetest.WithQuota(1)).failing(ryze.ErrQuotaExceeded),
	does("reconnect without a session", func(ctx context.Context, e *env) error { return e.inst.Reconnect(ctx) }).after(unpaired).failing(ryze.ErrNoSession),
	gives("event stream that is not enabled", func(ctx context.Context, e *env) (*ryze.Subscription, error) { return e.inst.Subscribe(ctx) }).
		failing(ryze.ErrWebSocketDisabled),
	gives("a message that never was", func(ctx context.Context, e *env) (*ryze.StoredMessage, error) { return e.inst.Messages.Get(ctx, gone) }).
		failing(ryze.ErrMessageNotFound),
	gives("status of a message that never was", func(ctx context.Context, e *env) (*ryze.DeliveryStatus, error) {
		return e.inst.Messages.DeliveryStatus(ctx, gone)
	}).failing(ryze.ErrMessageNotFound),
	gives("edit a message that never was", func(ctx context.Context, e *env) (*ryze.EditedMessage, error) {
		return e.inst.Messages.Edit(ctx, gone, "x")
	}).failing(ryze.ErrMessageNotFound),
	gives("edit too late", func(ctx context.Context, e *env) (*ryze.EditedMessage, error) {
		return e.inst.Messages.Edit(ctx, e.sent, "x")
	}).
		after(func(e *env) { e.sim.Advance(24 * time.Hour) }).failing(ryze.ErrNotEditable),
	gives("edit a poll", func(ctx context.Context, e *env) (*ryze.EditedMessage, error) {
		return e.inst.Messages.Edit(ctx, e.poll, "x")
	}).
		failing(ryze.ErrNotEditable),
	does("delete a message that never was", func(ctx context.Context, e *env) error { return e.inst.Messages.DeleteForEveryone(ctx, gone) }).
		failing(ryze.ErrMessageNotFound),
	gives("forward a message that never was", func(ctx context.Context, e *env) (*ryze.ForwardedMessage, error) {
		return e.inst.Messages.Forward(ctx, gone, bruno)
	}).failing(ryze.ErrMessageNotFound),
	gives("forward a poll", func(ctx context.Context, e *env) (*ryze.ForwardedMessage, error) {
		return e.inst.Messages.Forward(ctx, e.poll, bruno)
	}).failing(refused("unsupported message type")),
	does("pin a message that never was", func(ctx context.Context, e *env) error { return e.inst.Messages.Pin(ctx, gone, 24*time.Hour) }).
		failing(ryze.ErrMessageNotFound),
	does("star a message that never was", func(ctx context.Context, e *env) error { return e.inst.Messages.Favorite(ctx, gone) }).
		failing(ryze.ErrMessageNotFound),
	gives("votes of a poll that never was", func(ctx context.Context, e *env) (*ryze.PollVotes, error) {
		return e.inst.Messages.PollVotes(ctx, gone)
	}).failing(ryze.ErrPollNotFound),
	gives("download of a text", func(ctx context.Context, e *env) (*ryze.Downloaded, error) {
		return e.inst.Messages.Download(ctx, e.received, new(bytes.Buffer), ryze.DownloadWait(time.Second))
	}).failing(ryze.ErrMessageNotFound),
	gives("react to a message that never was", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.Send(ctx, ana, ryze.Reaction{MessageID: gone, Emoji: "👍"})
	}),
	gives("send to nobody", func(ctx context.Context, e *env) (*ryze.SentMessage, error) {
		return e.inst.Messages.SendText(ctx, "5511911112222", "Hello")
	}).after(func(e *env) { e.sim.SetUnreachable("5511911112222", "551111112222") }).failing(refused("(HTTP 400)")),
	does("delete a label that never was", func(ctx context.Context, e *env) error { return e.inst.Labels.Delete(ctx, "99") }).failing(ryze.ErrLabelNotFound),
	does("put a label on that never was", func(ctx context.Context, e *env) error { return e.inst.Labels.Assign(ctx, ana, "99") }).
		failing(ryze.ErrLabelNotFound),
	gives("a group that never was", func(ctx context.Context, e *env) (*ryze.Group, error) {
		return e.inst.Groups.Info(ctx, "120363999999999999@g.us")
	}).failing(ryze.ErrGroupNotFound),
	gives("reset the link of somebody else's group", func(ctx context.Context, e *env) (*ryze.GroupInvite, error) {
		return e.inst.Groups.ResetInviteLink(ctx, e.group)
	}).after(guest).failing(ryze.ErrNotAdmin),
	gives("requests to join somebody else's group", func(ctx context.Context, e *env) ([]ryze.JoinRequest, error) {
		return e.inst.Groups.Requests(ctx, e.group)
	}).after(guest).failing(ryze.ErrNotAdmin),
	gives("join with a link that was reset", func(ctx context.Context, e *env) (*ryze.JoinedGroup, error) {
		return e.inst.Groups.Join(ctx, e.invite)
	}).after(func(e *env) {
		if _, err := e.inst.Groups.ResetInviteLink(context.Background(), e.group); err != nil {
			panic(err)
		}
	}).failing(ryze.ErrInviteRevoked),
	does("leave a group that never was", func(ctx context.Context, e *env) error {
		return e.inst.Groups.Leave(ctx, "120363999999999999@g.us")
	}).failing(ryze.ErrGroupNotFound),
	gives("subgroups that WhatsApp does not tell", func(ctx context.Context, e *env) ([]ryze.Group, error) {
		return e.inst.Communities.Subgroups(ctx, e.community)
	}).after(upstream).failing(ryze.ErrServer),
	gives("a channel that never was", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Info(ctx, "120363999999999999@newsletter")
	}).failing(ryze.ErrNewsletterNotFound),
	gives("follow a channel that never was", func(ctx context.Context, e *env) (ryze.JID, error) {
		return e.inst.Newsletters.Follow(ctx, "https://whatsapp.com/channel/0029VaNever")
	}).failing(refused("newsletter")),
	gives("create a channel that WhatsApp refuses", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Create(ctx, ryze.CreateNewsletterParams{Name: "Notices"})
	}).after(upstream).failing(ryze.ErrOutcomeUnknown),
	gives("a channel that WhatsApp does not tell", func(ctx context.Context, e *env) (*ryze.Newsletter, error) {
		return e.inst.Newsletters.Info(ctx, e.channel)
	}).after(upstream).failing(ryze.ErrServer),
	gives("follow a channel that WhatsApp refuses", func(ctx context.Context, e *env) (ryze.JID, error) {
		return e.inst.Newsletters.Follow(ctx, e.channel)
	}).after(upstream).failing(ryze.ErrServer),
	does("unfollow a channel that WhatsApp keeps", func(ctx context.Context, e *env) error { return e.inst.Newsletters.Unfollow(ctx, e.channel) }).
		after(func(e *env) { follow(e); upstream(e) }).failing(ryze.ErrServer),
	gives("update the privacy halfway", func(ctx context.Context, e *env) (*ryze.Privacy, error) {
		return e.inst.Profile.UpdatePrivacy(ctx, ryze.PrivacySettings{ReadReceipts: ryze.PrivacyNone, Calls: ryze.PrivacyKnown})
	}).after(func(e *env) { e.phone.FailPrivacyAfter(1) }),
	gives("ring nobody", func(ctx context.Context, e *env) (*ryze.PlacedCall, error) { return e.inst.Calls.Ring(ctx, ana, 0) }).
		after(upstream).failing(ryze.ErrOutcomeUnknown),
	gives("no integration with Chatwoot", func(ctx context.Context, e *env) (*ryze.Chatwoot, error) { return e.inst.Chatwoot.Get(ctx) }).failing(ryze.ErrNotFound),
	does("remove no integration with Chatwoot", func(ctx context.Context, e *env) error { return e.inst.Chatwoot.Delete(ctx) }).failing(ryze.ErrNotFound),
	chatwootRefuses("token", http.StatusUnauthorized),
	chatwootRefuses("right", http.StatusForbidden),
	chatwootRefuses("account", http.StatusNotFound),
	chatwootRefuses("request", http.StatusUnprocessableEntity),
	gives("Chatwoot that is off", func(ctx context.Context, e *env) (*ryze.Chatwoot, error) { return e.inst.Chatwoot.Get(ctx) }).
		with(ryzetest.WithoutChatwoot()).failing(ryze.ErrChatwootDisabled),
}

// upstream lets WhatsApp refuse whatever comes.
func upstream(e *env) { e.phone.FailWhatsApp("server returned error 500", 100) }

func chatwootRefuses(what string, status int) call {
	return gives("Chatwoot refuses the "+what, func(ctx context.Context, e *env) (*ryze.ChatwootActivation, error) {
		return e.inst.Chatwoot.Set(ctx, chatwoot)
	}).after(func(e *env) { e.sim.RejectChatwoot(status, "detail") }).failing(ryze.ErrChatwoot)
}
