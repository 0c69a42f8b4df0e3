package ryze

// lane is what events have in common that keep their order: the chat of an
// instance. Events that belong to no chat share a lane by their type.
type lane struct {
	instance string
	chat     JID
	other    EventType
}

func laneOf(e *Event) lane {
	var chat EventChat
	switch d := e.Data.(type) {
	case *MessageEvent:
		chat = d.Chat
	case *ReceiptEvent:
		chat = d.Chat
	case *CallEvent:
		chat = d.Chat
	case *GroupEvent:
		chat.JID = d.Group
	case *LabelEvent:
		chat.JID = d.Chat
	}
	l := lane{instance: e.Instance}
	switch {
	case chat.LID != "": // a private chat may come under its JID, its LID or both
		l.chat = chat.LID.Bare()
	case chat.JID != "":
		l.chat = chat.JID.Bare()
	default:
		l.other = e.Type
	}
	return l
}
