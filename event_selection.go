package ryze

import (
	"cmp"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// SelectionKind says what a selection was made in. Other values can come.
type SelectionKind string

// Kinds of selections.
const (
	SelectionButton   SelectionKind = "button"
	SelectionList     SelectionKind = "list"
	SelectionCarousel SelectionKind = "carousel"
	SelectionForm     SelectionKind = "form"
)

// Selection is the answer to buttons, a list, a carousel or a form. It is read
// from five shapes.
//
// A tap can also arrive as a plain text with the button's id, without a
// Selection: compare Text with your ids. A tap need not name its message: use
// ids that are unique among open messages. See docs/service-notes.md.
type Selection struct {
	Kind SelectionKind
	// ID is the id of the button or row, and the flow token of a form. For a
	// list in the documented layout it is the option's name. For filled fields
	// of a form see [Event.Lookup].
	ID    string
	Title string // the visible text; "" for a button in the live layout
	Card  int    // index of the card, for SelectionCarousel
}

// answerFields is an answer as far as it has been read; see [Selection].
type answerFields struct {
	Selection
	hasCard bool
}

// selection returns the answer, nil when there is none. The type can say that
// the message is an answer whose id is the content: one of the shapes that have
// been described.
func (a *answerFields) selection(t MessageType, content string) *Selection {
	s := a.Selection
	if a.hasCard {
		s.Kind = SelectionCarousel
	}
	if s.ID == "" && !a.hasCard {
		switch t {
		case MessageButtonsResponse, MessageTemplateButtonReply:
			s.Kind = SelectionButton
		case MessageListResponse:
			s.Kind = SelectionList
		default:
			return nil
		}
		if s.ID = content; s.ID == "" && s.Title == "" {
			return nil
		}
	}
	return new(s)
}

// mergeAnswer fills the gaps of inner from outer.
func mergeAnswer(outer, inner answerFields) answerFields {
	if inner.ID == "" {
		inner.ID, inner.Kind = outer.ID, outer.Kind
	}
	inner.Title = cmp.Or(inner.Title, outer.Title)
	if !inner.hasCard {
		inner.Card, inner.hasCard = outer.Card, outer.hasCard
	}
	return inner
}

// readAnswer reads the members of button_response, list_response, interactive
// and their other spellings. The names do not clash.
func (f *messageFields) readAnswer(v jsonscan.Value) {
	a := &f.answer
	var key foldedKey
	for c := v.Members(); c.Next(); {
		name := key.fold(c.Key)
		if namesMessage(name) {
			f.tapped.MessageID = cmp.Or(readKey(c.Val), f.tapped.MessageID)
			continue
		}
		switch string(name) {
		case "reply", "context":
			f.readTapped(c.Val)
		case "selectedbuttonid":
			a.set(SelectionButton, c.Val)
		case "selectedrowid":
			a.set(SelectionList, c.Val)
		case "selectedreply", "singleselectreply":
			a.readReply(c.Val)
			f.readTapped(c.Val)
		case "flowtoken":
			if a.ID == "" {
				a.set(SelectionForm, c.Val)
			}
		case "selectedcarouselcardindex":
			if n, ok := c.Val.Int(); ok && n >= 0 && n <= 1<<16 {
				a.Card, a.hasCard = int(n), true
			}
		case "title":
			setString(&a.Title, c.Val)
		}
	}
}

// readTapped reads the id of the message that an answer quotes from an object
// inside the answer. What such an object calls its id may be that of a row.
func (f *messageFields) readTapped(v jsonscan.Value) {
	var key foldedKey
	for c := v.Members(); c.Next(); {
		if namesMessage(key.fold(c.Key)) {
			f.tapped.MessageID = cmp.Or(readKey(c.Val), f.tapped.MessageID)
		}
	}
}

// readReply reads selectedReply of the live layout, and single_select_reply of
// the documented one.
func (a *answerFields) readReply(v jsonscan.Value) {
	if a.ID == "" {
		a.set(SelectionList, v) // the id by itself
	}
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "selectedrowid":
			a.set(SelectionList, c.Val)
		case "optionname":
			if a.ID == "" {
				a.set(SelectionList, c.Val)
			}
		}
	}
}

func (a *answerFields) set(kind SelectionKind, v jsonscan.Value) {
	if id := v.Text(); id != "" {
		a.ID, a.Kind = id, kind
	}
}
