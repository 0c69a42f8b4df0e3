package ryze

import (
	"fmt"
	"strings"
)

// ButtonKind says what a tap on a button does.
type ButtonKind string

// Kinds of buttons.
const (
	// ButtonReply returns Value in an event; see [Selection]. A tap does not
	// name its message: make values unique within a message and among messages.
	ButtonReply ButtonKind = "REPLY"
	ButtonURL   ButtonKind = "URL"  // opens the link in Value
	ButtonCall  ButtonKind = "CALL" // dials the number in Value; for its form see docs/service-notes.md
	ButtonCopy  ButtonKind = "COPY" // copies the text in Value, such as a code
)

// Button is a button of [Buttons] or of a [Card]. Label and Value are required:
//
//	inst.Messages.Send(ctx, chat, ryze.Buttons{
//		Text:    "Shall we send it?",
//		Buttons: []ryze.Button{{Label: "Yes", Value: "order-17:yes"}, {Label: "No", Value: "order-17:no"}},
//	})
type Button struct {
	Kind  ButtonKind `json:"kind,omitzero"`  // empty means ButtonReply
	Label string     `json:"label,omitzero"` // what people see
	Value string     `json:"value,omitzero"` // the id, link, number or text; see [ButtonKind]
}

type wireButton struct {
	ID          string     `json:"id"`
	DisplayText string     `json:"displayText"`
	Type        ButtonKind `json:"type"`
}

// wireButtons checks buttons and brings them into the form that travels. The
// type is always sent: one client's buttons without a type all became replies.
// replies are those that the message has already.
func wireButtons(field string, buttons []Button, replies distinct) ([]wireButton, error) {
	var out []wireButton
	for i, b := range buttons {
		name := at(field, i)
		switch b.Kind {
		case "":
			b.Kind = ButtonReply
		case ButtonReply, ButtonURL, ButtonCall, ButtonCopy:
		default:
			return nil, invalid(name+".Kind", "is not one of REPLY, URL, CALL, COPY")
		}
		if err := checkFilled(filled{name + ".Label", b.Label}, filled{name + ".Value", b.Value}); err != nil {
			return nil, err
		}
		if b.Kind == ButtonReply {
			if err := replies.add(name+".Value", b.Value); err != nil {
				return nil, err
			}
		}
		out = append(out, wireButton{b.Value, b.Label, b.Kind})
	}
	return out, nil
}

// distinct are texts that must differ, by themselves without blanks around
// them, with the field of each.
type distinct map[string]string

func (d distinct) add(field, text string) error {
	text = strings.TrimSpace(text)
	if first, ok := d[text]; ok {
		return invalid(field, quoted(text)+" is the same as "+first+": an answer would not tell which of the two it means")
	}
	d[text] = field
	return nil
}

const maxButtons = 3

// Buttons is a text with one to three buttons. Text and Buttons are required.
// Do not mix reply buttons with other kinds: WhatsApp Web and Desktop then hide
// the reply buttons. See Mixed.
type Buttons struct {
	Text    string   `json:"text,omitzero"`
	Header  string   `json:"header,omitzero"` // a title; not together with media
	Footer  string   `json:"footer,omitzero"`
	Buttons []Button `json:"buttons,omitzero"`
	// MediaURL puts an image, a video or a document above the text. It needs
	// MediaKind, which says which of these it is.
	MediaURL  string    `json:"mediaUrl,omitzero"`
	MediaKind MediaKind `json:"mediaKind,omitzero"`
	// Mixed allows reply buttons beside other kinds. Only the apps for phones
	// then show the reply buttons. WhatsApp Web and Desktop hide them.
	Mixed bool `json:"mixed,omitzero"`
}

type buttonsBody struct {
	sendCommon
	ContentText string       `json:"contentText"`
	Buttons     []wireButton `json:"buttons"`
	HeaderText  string       `json:"headerText,omitempty"`
	FooterText  string       `json:"footerText,omitempty"`
	MediaURL    string       `json:"mediaUrl,omitempty"`
	MediaType   string       `json:"mediaType,omitempty"` // upper case, here only
}

func (Buttons) kind() contentKind { return contentKind{"buttons", opSendButtons, anyChat, usual} }

func (c Buttons) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"Buttons.Text", c.Text}); err != nil {
		return nil, err
	}
	if n := len(c.Buttons); n < 1 || n > maxButtons {
		return nil, invalid("Buttons.Buttons", fmt.Sprintf("has %d buttons; a message has 1 to %d", n, maxButtons))
	}
	buttons, err := wireButtons("Buttons.Buttons", c.Buttons, distinct{})
	if err != nil {
		return nil, err
	}
	for _, b := range buttons {
		if !c.Mixed && (b.Type == ButtonReply) != (buttons[0].Type == ButtonReply) {
			return nil, invalid("Buttons.Buttons", "mixes REPLY with URL, CALL or COPY: WhatsApp Web and Desktop hide the REPLY buttons then; send two messages, or set Mixed")
		}
	}
	if err := c.checkMedia(); err != nil {
		return nil, err
	}
	return &buttonsBody{
		sendCommon: common, ContentText: c.Text, Buttons: buttons, HeaderText: c.Header, FooterText: c.Footer,
		MediaURL: c.MediaURL, MediaType: strings.ToUpper(string(c.MediaKind)),
	}, nil
}

func (c Buttons) checkMedia() error {
	if c.MediaURL == "" {
		if c.MediaKind != "" {
			return invalid("Buttons.MediaKind", "is set without MediaURL")
		}
		return nil
	}
	if _, err := checkMediaURL("Buttons.MediaURL", c.MediaURL); err != nil {
		return err
	}
	switch c.MediaKind {
	case MediaImage, MediaVideo, MediaDocument:
	default:
		return invalid("Buttons.MediaKind", "must be image, video or document when MediaURL is set")
	}
	if c.Header != "" {
		return invalid("Buttons.Header", "is set together with MediaURL: the service would ignore it")
	}
	return nil
}

func (c Buttons) outline() *outline {
	return &outline{types: []MessageType{"buttons"}, text: c.Text, loose: true}
}

var storedButtons = storedAsIs[Buttons]("buttons")
