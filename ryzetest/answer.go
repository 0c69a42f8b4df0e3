package ryzetest

import "maps"

// AnswerKind says what a customer tapped.
type AnswerKind string

const (
	// AnswerButton is a tap on a button.
	AnswerButton AnswerKind = "button"
	// AnswerList is a row picked from a list.
	AnswerList AnswerKind = "list"
	// AnswerCarousel is a tap on a button of a carousel card.
	AnswerCarousel AnswerKind = "carousel"
	// AnswerForm is a form filled in.
	AnswerForm AnswerKind = "form"
	// AnswerText is a tap that arrives as a text message with the button's id.
	AnswerText AnswerKind = "text"
)

// Answer is a tap on a button, a list row or a carousel card, or a filled form.
// In the live layout the keys of the last two are guesses; see
// docs/service-notes.md.
type Answer struct {
	Kind  AnswerKind // a button when empty
	ID    string     // of the button or row; the flow token of a form
	Title string     // its label; a live button tap does not carry it
	Card  int        // index of the carousel card
	// Values are further members of data.message.interactive, for forms.
	Values map[string]any
}

func (a *Answer) live() obj {
	interactive := obj{}
	var kind string
	switch a.Kind {
	case AnswerText:
		return obj{"type": "text", "content": a.ID}
	case AnswerList:
		kind = "list_response"
		interactive["selectedReply"] = obj{"selectedRowID": a.ID}
		interactive["title"] = a.Title
	case AnswerCarousel:
		kind = "template_button_reply"
		interactive["selectedButtonId"] = a.ID
		interactive["selectedCarouselCardIndex"] = a.Card
		if a.Title != "" {
			interactive["title"] = a.Title
		}
	case AnswerForm:
		kind = "interactive"
		interactive["flow_token"] = a.ID
	default:
		kind = "buttons_response"
		interactive["selectedButtonId"] = a.ID
	}
	maps.Copy(interactive, a.Values)
	return obj{"type": kind, "content": "", "interactive": interactive}
}

func (a *Answer) documented() obj {
	switch a.Kind {
	case AnswerText:
		return obj{"type": "text", "content": obj{"text": a.ID}}
	case AnswerList:
		return obj{"type": "list_response", "list_response": obj{
			"title": a.Title, "single_select_reply": obj{"option_name": a.ID},
		}}
	case AnswerCarousel:
		return obj{"type": "template_button_reply", "interactive": obj{"selectedButtonId": a.ID}}
	case AnswerForm:
		interactive := obj{"flow_token": a.ID}
		maps.Copy(interactive, a.Values)
		return obj{"type": "interactive", "interactive": interactive}
	}
	return obj{"type": "button_response", "button_response": obj{
		"title": a.Title, "selected_button_id": a.ID,
	}}
}
