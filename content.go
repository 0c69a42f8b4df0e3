package ryze

import "strings"

// Content is what a message says. Its types are in this package: [Text],
// [Media] and one for each other kind of message.
type Content interface {
	kind() contentKind
	// body returns what travels, or a *ValidationError.
	body(common sendCommon) (any, error)
}

// contentKind is what is fixed for a kind of message.
type contentKind struct {
	name     string // for error texts
	op       *Operation
	to       jidKinds
	features features
}

// Text is a text message. Its longest length is not documented.
//
//	inst.Messages.Send(ctx, "5511987654321", ryze.Text("Hello"))
type Text string

type textBody struct {
	sendCommon
	Message string `json:"message"`
}

func (Text) kind() contentKind {
	return contentKind{"a text", opSendText, anyChat, usual | canMention | canPreview}
}

func (t Text) body(common sendCommon) (any, error) {
	if strings.TrimSpace(string(t)) == "" {
		return nil, invalid("text", "is empty")
	}
	return &textBody{common, string(t)}, nil
}
