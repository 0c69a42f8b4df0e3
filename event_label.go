package ryze

import (
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// LabelChange says what a label event is about. Other values can come.
type LabelChange string

// Changes of labels.
const (
	LabelEdit    LabelChange = "edit"    // the label itself was changed or deleted
	LabelChat    LabelChange = "chat"    // put on a chat, or taken off it
	LabelMessage LabelChange = "message" // put on a message, or taken off it
)

// LabelEvent is a change of a WhatsApp Business label, by phone or API. It has
// no id and no time: a repeated delivery looks like a new change.
type LabelEvent struct {
	Change  LabelChange
	LabelID string // the id that the label methods use
	// Action is the service's word: "updated" or "deleted", "add" or "remove".
	// Deleted and Labeled say the same. For creations see
	// docs/service-notes.md.
	Action  string
	Name    string // for LabelEdit
	Color   *int   // for LabelEdit, as received
	Deleted bool   // the label is gone
	Chat    JID    // for LabelChat
	// Labeled says whether the label is on after the change: by Action, or else
	// by the event's own field. It is nil when neither says.
	Labeled *bool
	// MessageID and Timestamp may be empty; see docs/service-notes.md.
	MessageID string
	Timestamp time.Time
}

func readLabel(data jsonscan.Value) *LabelEvent {
	l := &LabelEvent{}
	var key foldedKey
	for c := data.Members(); c.Next(); {
		if c.Val[0] == 'n' {
			continue
		}
		switch string(key.fold(c.Key)) {
		case "type":
			l.Change = knownWord(c.Val.Text(), LabelEdit, LabelChat, LabelMessage)
		case "labelid":
			setID(&l.LabelID, c.Val)
		case "action":
			l.Action = knownWord(c.Val.Text(), "add", "remove", "updated", "deleted")
		case "name":
			setString(&l.Name, c.Val)
		case "color":
			if n, ok := c.Val.Int(); ok && int64(int(n)) == n {
				color := int(n)
				l.Color = &color
			}
		case "deleted":
			l.Deleted = c.Val.Bool()
		case "chatjid":
			l.Chat = readChat(c.Val).withAddress().JID
		case "labeled":
			if on, said := c.Val.Truth(); said {
				l.Labeled = &on
			}
		case "messageid":
			setID(&l.MessageID, c.Val)
		case "timestamp":
			l.Timestamp = readTime(c.Val)
		}
	}
	switch l.Action {
	case "add", "remove":
		on := l.Action == "add"
		l.Labeled = &on
	case "deleted":
		l.Deleted = true
	}
	return l
}
