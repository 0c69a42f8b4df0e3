package ryze

// Settlement is what became of a send whose outcome was unknown.
type Settlement string

// Outcomes of [MessagesService.Settle].
const (
	// Sent: the message is there; its id is in the SentMessage.
	Sent Settlement = "sent"
	// NotFound: the service answered for every address of the recipient, and has
	// nothing that could be the message. It is strong evidence, not proof: the
	// service does not document how soon a history shows what was accepted.
	NotFound Settlement = "not_found"
	// StillUnknown: the message could not be looked up everywhere, several
	// messages fit, or one leaves a doubt. Nothing may be concluded from it.
	StillUnknown Settlement = "unknown"
)

var errNotOutcome = invalid("err", "is not the error of a send that matches ErrOutcomeUnknown")

// try returns what the error knows of a send, nil for other operations.
func (e *OutcomeError) try() *attempted {
	try, _ := e.content.(*attempted)
	return try
}

// settling is one search.
type settling struct {
	*attempted
	outcome *OutcomeError
	outline *outline
	events  []*Event
	except  []string
	known   map[string]struct{} // ids of other messages, nil until they are asked for
	twins   bool                // not all of them are known

	fits    []candidate
	byID    map[string]int // index in fits
	unclear bool           // something could be the message and cannot be read
	alive   bool           // the history shows a later message of the instance
}

// candidate is a message that may be the one looked for.
type candidate struct {
	message  *SentMessage
	fit      confidence // by everything but time
	labelled bool       // it carries the label of the send
}

// isAnothers reports whether the id is known to be that of another message.
func (w *settling) isAnothers(id string) bool {
	if w.known == nil {
		w.known = make(map[string]struct{})
		add := func(id string) { w.known[id] = struct{}{} }
		for _, id := range w.except {
			add(id)
		}
		if !w.recorded { // else the record may be of one that was accepted
			now := w.h.client.accepted.snapshot()
			w.others.each(add)
			now.each(add)
			w.twins = !w.others.reaches(now) || w.others.forgotten.After(w.outcome.SentAt)
		}
	}
	_, known := w.known[id]
	return known
}

// scope says which candidates are judged.
type scope bool

const (
	everything   scope = false
	labelledOnly scope = true // and only when one of them is certain
)

// isChat says how surely an event is of the chat to which the message went.
func (w *settling) isChat(m *MessageEvent) confidence {
	to := w.outcome.Recipient
	switch {
	case w.redirected && m.Reply != nil && m.Reply.MessageID == w.quotes && !m.Chat.JID.IsGroup():
		return certain
	case samePerson(m.Chat.JID, to), m.Chat.LID.Same(to):
		return certain
	case w.redirected && m.Reply == nil && !m.Chat.JID.IsGroup():
		return doubtful // it may be anybody's
	case isOtherAddress(m.Chat.JID, to) && (m.Chat.LID == "" || !to.IsLID()):
		return doubtful // a LID for a phone, or the other way round
	default:
		return unfit
	}
}

// isOtherAddress reports whether one is a LID and the other a phone, so that
// they may be one person.
func isOtherAddress(a, b JID) bool {
	return (a.IsLID() && b.Kind() == JIDUser) || (b.IsLID() && a.Kind() == JIDUser)
}

// isAnotherChat reports whether two addresses cannot be one chat.
func isAnotherChat(a, b JID) bool {
	return a != "" && a.Kind() != JIDUnknown && !samePerson(a, b) && !isOtherAddress(a, b)
}
