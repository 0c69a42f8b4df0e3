package ryze

import (
	"context"
	"strings"
)

// NewslettersService creates, reads and follows channels (newsletters). Their
// posts arrive as [MessageEvent]. It cannot change, mute or delete a channel,
// or read its history.
//
// Name a channel by its address, its link
// (https://whatsapp.com/channel/0029Va...) or the link's code. Codes are
// case-sensitive, and digits only are a code. Prefer string(jid): an address
// never changes.
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

// NewsletterState is the state of a channel. Other values can come.
type NewsletterState string

// States of a channel.
const (
	NewsletterActive       NewsletterState = "active"
	NewsletterSuspended    NewsletterState = "suspended"    // for reasons of policy; visible, but closed
	NewsletterGeosuspended NewsletterState = "geosuspended" // not available where the account is
)

// Newsletter is a channel as the service shows it.
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
	SubscriberCount wireInt         `json:"subscriberCount"`
	PictureURL      string          `json:"pictureUrl"`
}

func (w *wireNewsletter) newsletter(meta Meta) Newsletter {
	return Newsletter{
		Meta: meta, JID: w.JID, State: w.State, Name: w.Name, Description: w.Description,
		InviteLink: w.InviteLink, Subscribers: int(w.SubscriberCount), PictureURL: w.PictureURL,
	}
}

type newsletterReply struct {
	envelope
	Channel *wireNewsletter `json:"channel"`
}

func (r *newsletterReply) missing() string {
	r.Channel = resourceIn(r.Raw(), func(w *wireNewsletter) bool { return names(string(w.JID)) }, "channel", "newsletter")
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

// CreateNewsletterParams describes a new channel. Name is required.
type CreateNewsletterParams struct {
	Name        string
	Description string
	// Image is the picture: a URL, or a file, which is streamed. See
	// docs/service-notes.md.
	Image MediaSource
}

type createNewsletterBody struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Image       string `json:"image,omitempty"`
}

// Create creates a channel that the account owns. The service accepts
// WhatsApp's terms for channels. [Newsletter.PictureURL] is empty while the
// picture is not ready, and when the service dropped a bad one.
//
// Errors: [ErrNotConnected]; [ErrOutcomeUnknown]: list the channels first.
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

// List returns the channels that the account follows. A new one may show some
// seconds later, and one that waits for approval is missing. For own channels
// see docs/service-notes.md.
//
// It returns [ErrBadResponse] when the reply has no list that it knows.
//
// GET /api/newsletter/list/:instance. Safe to repeat.
func (s *NewslettersService) List(ctx context.Context) ([]Newsletter, error) {
	return fetchList(ctx, s.h, opNewslettersList, input{}, []string{"channels", "newsletters"}, (*wireNewsletter).newsletter)
}

// Info returns a channel by its address, link or code, followed or not. It
// returns [ErrNewsletterNotFound] when there is none.
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

// Follow follows a channel and returns its address. A private channel's owner
// may have to approve after this success. It returns [ErrNewsletterNotFound]
// for an unknown channel or an old link.
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

// Unfollow stops following a channel. An owner keeps it. It returns
// [ErrNotImplemented] when the service cannot do it.
//
// DELETE /api/newsletter/leave/:instance. Safe to repeat.
func (s *NewslettersService) Unfollow(ctx context.Context, channel string) error {
	identifier, err := channelIdentifier(channel)
	if err != nil {
		return err
	}
	return run(ctx, s.h, opNewsletterLeave, input{query: identifiedQuery(identifier)})
}
