package ryze

import (
	"reflect"
	"strconv"
)

// Content is what a message says. Its types are in this package: [Text],
// [Media], [Sticker], [Location], [ContactCard] and [ContactCards], [Poll],
// [Buttons], [List], [Carousel], [Form], [Pix], [CalendarEvent], [Reaction] and
// [RemoveReaction], and for the status feed [TextStatus] and [MediaStatus].
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
	if err := checkFilled(filled{"text", string(t)}); err != nil {
		return nil, err
	}
	return &textBody{common, string(t)}, nil
}

// checkContent checks the texts of a content, whose fields it names as their
// type does.
func checkContent(c Content) error {
	if t, plain := c.(Text); plain {
		return checkUTF8("text", string(t))
	}
	t := reflect.TypeOf(c)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return checkTexts(t.Name(), c)
}

// at names an element of a list, as in "Poll.Options[3]".
func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
