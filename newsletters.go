package ryze

import (
	"context"
	"strings"
)

// NewslettersService creates, reads and follows channels, which WhatsApp's
// protocol calls newsletters. Posts of the channels that the account follows
// arrive as [MessageEvent].
//
// A channel cannot be changed, muted or deleted through the service, and its
// history cannot be read.
//
// A channel is named in one of three ways: by its address
// (120363000000000009@newsletter), by its link
// (https://whatsapp.com/channel/0029Va...) or by the code at the end of the
// link. Upper and lower case of codes differ. A code of digits only is never
// taken for an address. Prefer the address, string(jid), which never changes, to
// links, which do.
type NewslettersService service

const (
	newsletterHost = "whatsapp.com"
	newsletterPath = "/channel/"
)

// channelIdentifier checks what names a channel and returns the form that travels.
func channelIdentifier(channel string) (string, error) {
	if strings.Contains(channel, "@") {
		jid := JID(channel)
		return jid.wire(), jid.check("channel", jidKinds{JIDNewsletter})
	}
	return parseInvite("channel", channel, newsletterHost, newsletterPath)
}

// NewsletterState says whether a channel works. The set is open.
type NewsletterState string

// States of a channel.
const (
	NewsletterActive       NewsletterState = "active"
	NewsletterSuspended    NewsletterState = "suspended"    // for reasons of policy; visible, but closed
	NewsletterGeosuspended NewsletterState = "geosuspended" // not available where the account is
)

// Newsletter is what the service tells about a channel.
type Newsletter struct {
	Meta `json:"-"`

	JID         JID // permanent, unlike the link
	State       NewsletterState
	Name        string
	Description string
	InviteLink  string // only for those who may see it
	Subscribers int    // 0 when not known; may lag
	PictureURL  string // for a short while only; empty when there is none or it is not ready yet
}

type wireNewsletter struct {
	JID             JID             `json:"jid"`
	State           NewsletterState `json:"state"`
	Name            string          `json:"name"`
	Description     string          `json:"description"`
	InviteLink      string          `json:"inviteLink"`
	SubscriberCount int             `json:"subscriberCount"`
	PictureURL      string          `json:"pictureUrl"`
}

func (w *wireNewsletter) newsletter(meta Meta) Newsletter {
	return Newsletter{
		Meta: meta, JID: w.JID, State: w.State, Name: w.Name, Description: w.Description,
		InviteLink: w.InviteLink, Subscribers: w.SubscriberCount, PictureURL: w.PictureURL,
	}
}

type newsletterReply struct {
	envelope
	Channel *wireNewsletter `json:"channel"`
}

func (r *newsletterReply) missing() string {
	r.Channel = resourceIn(r.Raw(), func(w *wireNewsletter) bool { return w.JID != "" }, "channel", "newsletter")
	if r.Channel == nil {
		return "the reply has no channel"
	}
	return ""
}

func newsletter(r *newsletterReply, err error) (*Newsletter, error) {
	if err != nil {
		return nil, err
	}
	n := r.Channel.newsletter(r.Meta)
	return &n, nil
}

// CreateNewsletterParams describes a new channel. Name is required. No length
// limits are documented.
type CreateNewsletterParams struct {
	Name        string
	Description string
	// Image is the picture: a URL, or a file, which is streamed. The name of
	// this field on the wire is not documented; "image" is sent, as on the
	// routes beside it.
	Image MediaSource
}

type createNewsletterBody struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Image       string `json:"image,omitempty"`
}

// Create creates a channel that the account owns. The service accepts
// WhatsApp's terms for channels by itself. A picture that it cannot use is
// dropped without a word in the reply: [Newsletter.PictureURL] stays empty,
// as it also does while the picture is being worked on.
//
// Errors: [ErrOutcomeUnknown] when the channel may have been created, in which
// case list the channels before trying again; [ErrNotConnected].
//
// POST /api/newsletter/create/:instance. Not safe to repeat.
func (s *NewslettersService) Create(ctx context.Context, params CreateNewsletterParams) (*Newsletter, error) {
	if strings.TrimSpace(params.Name) == "" {
		return nil, invalid("CreateNewsletterParams.Name", "is empty")
	}
	if err := checkTexts("CreateNewsletterParams", params); err != nil {
		return nil, err
	}
	image, err := params.Image.picture(ctx, "CreateNewsletterParams.Image")
	if err != nil {
		return nil, err
	}
	in, err := image.into(createNewsletterBody{params.Name, params.Description, image.url}, "image")
	if err != nil {
		return nil, err
	}
	defer in.close()
	in.hint = "the channel may exist: list the channels before creating it again"
	return newsletter(fetchChecked(ctx, s.h, opNewsletterCreate, in, (*newsletterReply).missing))
}

// List returns the channels that the account follows; whether its own are
// among them is not documented. A channel that was just followed may be
// missing for some seconds, one that waits for its owner's approval is.
//
// The shape of the reply is not documented: an array under "channels",
// "newsletters" or "data" is accepted, of items as elsewhere, and Raw has what
// came. Without such an array the error matches [ErrBadResponse], and its
// [*ResponseError] holds the reply.
//
// GET /api/newsletter/list/:instance. Safe to repeat.
func (s *NewslettersService) List(ctx context.Context) ([]Newsletter, error) {
	return fetchList(ctx, s.h, opNewslettersList, input{}, []string{"channels", "newsletters"}, (*wireNewsletter).newsletter)
}

// Info returns a channel, followed or not, named by its address, link or code;
// see [NewslettersService]. [ErrNewsletterNotFound] when there is none.
//
// GET /api/newsletter/info/:instance. Safe to repeat.
func (s *NewslettersService) Info(ctx context.Context, channel string) (*Newsletter, error) {
	identifier, err := channelIdentifier(channel)
	if err != nil {
		return nil, err
	}
	in := input{query: identifiedQuery(identifier)}
	return newsletter(fetchChecked(ctx, s.h, opNewsletterInfo, in, (*newsletterReply).missing))
}

type followReply struct {
	envelope
	ChannelJID JID `json:"channelJid"`
}

// Follow follows a channel and returns its address, also when it was named by
// a link or a code. Following again changes nothing. A private channel may
// answer with a success while its owner has yet to approve.
//
// [ErrNewsletterNotFound] when there is none, or the link was revoked.
//
// POST /api/newsletter/join/:instance. Safe to repeat.
func (s *NewslettersService) Follow(ctx context.Context, channel string) (JID, error) {
	identifier, err := channelIdentifier(channel)
	if err != nil {
		return "", err
	}
	r, err := fetchChecked(ctx, s.h, opNewsletterJoin, input{body: identified{identifier}}, func(r *followReply) string {
		if r.ChannelJID == "" {
			return "the reply names no channel"
		}
		return ""
	})
	if err != nil {
		return "", err
	}
	return r.ChannelJID, nil
}

// Unfollow stops following a channel. Its owner who does so keeps the channel.
// How the service answers for a channel that is not followed is not
// documented. [ErrNotImplemented] when the service cannot do it.
//
// DELETE /api/newsletter/leave/:instance. Safe to repeat.
func (s *NewslettersService) Unfollow(ctx context.Context, channel string) error {
	identifier, err := channelIdentifier(channel)
	if err != nil {
		return err
	}
	return run(ctx, s.h, opNewsletterLeave, input{query: identifiedQuery(identifier)})
}
