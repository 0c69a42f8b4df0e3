package ryze

import "slices"

// confidence is how well a message fits.
type confidence int

const (
	unfit confidence = iota
	doubtful
	certain
)

// plainTypes are the types about which there is no doubt what they mean.
var plainTypes = []MessageType{
	MessageText, MessageImage, MessageVideo, MessageAudio, MessageDocument, MessageSticker, MessageLocation, MessageReaction,
}

// weigh compares type and text.
func (o *outline) weigh(t MessageType, text string) confidence {
	if o.blurred {
		return doubtful
	}
	unclear := !slices.Contains(plainTypes, t)
	typeFits := slices.Contains(o.types, t) || (len(o.types) == 0 && unclear)
	textFits := text == o.text
	if o.similar != nil {
		textFits = o.similar(text)
	}
	open := o.loose || text == "" || (o.text == "" && o.similar == nil)
	switch {
	case typeFits && textFits:
		return certain
	case textFits && text != "": // under another name
		return doubtful
	case text != "" && resembles(text, o.text):
		return doubtful
	case open && (typeFits || unclear): // or with other words, or none
		return doubtful
	default:
		return unfit
	}
}

func (o *outline) ofEvent(m *MessageEvent) confidence {
	r := o.reaction
	switch {
	case r == nil:
		return o.weigh(m.Type, m.Text)
	case m.Reaction != nil && m.Reaction.Emoji == r.Emoji && m.Reaction.TargetID == r.MessageID:
		return certain
	default:
		return unfit
	}
}
