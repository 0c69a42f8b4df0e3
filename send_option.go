package ryze

import "time"

// SendOption is an option of a send. An option that the kind of message ignores
// is a [*ValidationError].
type SendOption func(*sendOptions) error

type sendOptions struct {
	delay        time.Duration
	replyTo      string
	replyPrivate bool
	mention      []string
	mentionAll   bool
	linkPreview  *bool
	source       string
	limit        time.Duration
}

// extras returns what the options add to a body, nil when that is nothing.
func (o *sendOptions) extras() *sendExtras {
	if o.delay == 0 && o.replyTo == "" && !o.replyPrivate && len(o.mention) == 0 && !o.mentionAll && o.linkPreview == nil {
		return nil
	}
	return &sendExtras{
		Delay: wholeSeconds(o.delay), ReplyTo: o.replyTo, ReplyPrivate: o.replyPrivate,
		Mention: o.mention, MentionAll: o.mentionAll, LinkPreview: o.linkPreview,
	}
}

// ReplyTo quotes a message of the same instance, by its id. The service must
// have stored it.
func ReplyTo(messageID string) SendOption {
	return func(o *sendOptions) error {
		o.replyTo, o.replyPrivate = messageID, false
		return checkText("ReplyTo", messageID)
	}
}

// ReplyPrivate quotes a group's message and answers in its author's private
// chat. The recipient of the send is the group. The service ignores it for
// other chats.
func ReplyPrivate(messageID string) SendOption {
	return func(o *sendOptions) error {
		o.replyTo, o.replyPrivate = messageID, true
		return checkText("ReplyPrivate", messageID)
	}
}

// Delay makes the service wait and show typing before it sends. It is rounded
// up to whole seconds. The call's time limit grows with it.
func Delay(d time.Duration) SendOption {
	return func(o *sendOptions) error {
		if d < 0 {
			return invalid("Delay", "is negative")
		}
		o.delay = d
		return nil
	}
}

// Mention mentions people, in groups only. The text must contain @<number>;
// otherwise they are notified silently.
func Mention(people ...JID) SendOption {
	return func(o *sendOptions) error {
		for _, p := range people {
			if err := p.check("Mention", jidKinds{JIDUser, JIDLID}); err != nil {
				return err
			}
			o.mention = append(o.mention, p.wire())
		}
		return nil
	}
}

// MentionAll mentions all members of the group, without visible tags.
func MentionAll() SendOption {
	return func(o *sendOptions) error {
		o.mentionAll = true
		return nil
	}
}

// LinkPreview sets whether WhatsApp shows a preview of a link in the text.
func LinkPreview(show bool) SendOption {
	return func(o *sendOptions) error {
		o.linkPreview = &show
		return nil
	}
}

// SourceLabel sets the label of this message; see [WithSource].
func SourceLabel(source string) SendOption {
	return func(o *sendOptions) error {
		o.source = source
		return checkText("SourceLabel", source)
	}
}

// TimeLimit replaces the time limit of the attempt: 30 s, or 120 s for media.
// The context's deadline still holds.
func TimeLimit(d time.Duration) SendOption {
	return func(o *sendOptions) error {
		if d <= 0 {
			return invalid("TimeLimit", "is not positive")
		}
		o.limit = d
		return nil
	}
}

func (o *sendOptions) check(kind string, f features, to JID) error {
	refuse := func(option string) error {
		return invalid(option, "is not supported by "+kind+": the service would ignore it")
	}
	mentions := len(o.mention) > 0 || o.mentionAll
	switch {
	case o.delay > 0 && f&canDelay == 0:
		return refuse("Delay")
	case o.replyPrivate && f&canReplyPrivate == 0:
		return refuse("ReplyPrivate")
	case o.replyTo != "" && f&canReply == 0:
		return refuse("ReplyTo")
	case mentions && f&canMention == 0:
		return refuse("Mention")
	case mentions && !to.IsGroup():
		return invalid("Mention", "works in groups only")
	case o.linkPreview != nil && f&canPreview == 0:
		return refuse("LinkPreview")
	case o.replyPrivate && !to.IsGroup():
		return invalid("ReplyPrivate", "needs the group as recipient")
	}
	return nil
}
