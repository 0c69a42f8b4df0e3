package ryze

import (
	"context"
	"strings"
	"time"
)

// Content is what a message says: [Text], [Media], [Sticker], [Location],
// [ContactCard], [ContactCards], [Poll], [Buttons], [List], [Carousel], [Form],
// [Pix], [CalendarEvent], [Reaction] or [RemoveReaction]. A status is a
// [TextStatus] or a [MediaStatus].
type Content interface {
	kind() contentKind
	// body returns what travels, or a *ValidationError.
	body(common sendCommon) (any, error)
	// outline says how the service describes such a message afterwards.
	outline() *outline
}

// contentKind is what is fixed for a kind of message.
type contentKind struct {
	name     string // for error texts
	op       *Operation
	to       jidKinds
	features features
}

// features are the common options that a kind of message supports.
type features uint8

const (
	canDelay features = 1 << iota
	canReply
	canReplyPrivate
	canMention
	canPreview

	usual = canDelay | canReply | canReplyPrivate
)

// sendCommon are the fields that bodies of sends have in common. Those that a
// kind of message does not support stay empty.
type sendCommon struct {
	Number string `json:"number,omitempty"`
	Source string `json:"source,omitempty"`
	*sendExtras

	// How long the beginning of a file may be waited for.
	ctx   context.Context //nolint:containedctx // the body does not outlive the call
	limit time.Duration
}

// sendExtras are those fields that most sends do not use: nil then, which
// encoding/json passes over at once.
type sendExtras struct {
	Delay        int64    `json:"delay,omitempty"` // seconds
	ReplyTo      string   `json:"replyTo,omitempty"`
	ReplyPrivate bool     `json:"replyPrivate,omitempty"`
	Mention      []string `json:"mention,omitempty"`
	MentionAll   bool     `json:"mentionAll,omitempty"`
	LinkPreview  *bool    `json:"linkPreview,omitempty"`
}

// outline is how the message looked for can be recognized.
type outline struct {
	types    []MessageType // none when the name is not documented
	text     string
	similar  func(text string) bool // instead of text
	loose    bool                   // how a history shows it is not documented
	reaction *Reaction

	media     bool // the service's word for its type is not reliable: a picture may be a document
	blurred   bool // neither type nor text is documented for this kind
	notStored bool // a history does not show this kind, as far as is known
}

// outlineOf says how a message of that content can be recognized, if that is known.
func outlineOf(content Content) *outline {
	if content == nil {
		return &outline{blurred: true}
	}
	return content.outline()
}

// inOrder finds texts one after the other in another.
func inOrder(parts ...string) func(string) bool {
	return func(text string) bool {
		for _, part := range parts {
			_, after, found := strings.Cut(text, part)
			if !found {
				return false
			}
			text = after
		}
		return true
	}
}
