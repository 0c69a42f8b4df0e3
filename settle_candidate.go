package ryze

import "slices"

// try returns what the error knows of a send, nil for other operations.
func (e *OutcomeError) try() *attempted {
	if e == nil {
		return nil
	}
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

	same      []JID                  // other addresses of the recipient, as the service knows them
	strangers map[EventChat]struct{} // chats that were named of which it is unknown whether they are the recipient's

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
	chats    []EventChat
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

// isHere says how surely all chats that something names are the recipient's.
// Where none is named, it is the one that was asked for.
func (w *settling) isHere(chats ...EventChat) confidence {
	fit := certain
	for _, chat := range chats {
		fit = min(fit, w.isRecipient(chat))
	}
	return fit
}

// isRecipient is isHere for one chat, of which two addresses may be known.
func (w *settling) isRecipient(chat EventChat) confidence {
	own := append([]JID{w.outcome.Recipient}, w.same...)
	matches, contradicts := false, false
	for _, j := range [2]JID{chat.JID, chat.LID} {
		match := slices.ContainsFunc(own, func(o JID) bool { return samePerson(j, o) })
		matches = matches || match
		contradicts = contradicts || !match && slices.ContainsFunc(own, func(o JID) bool { return isAnotherChat(j, o) })
	}
	switch {
	case matches && !contradicts:
		return certain
	case !matches && contradicts:
		return unfit
	default:
		return doubtful
	}
}

// isClear reports whether everything that the search met could be read, and is of
// the chat that was asked for.
func (w *settling) isClear() bool {
	for chat := range w.strangers {
		if w.isHere(chat) != certain {
			return false
		}
	}
	return !w.unclear
}

// note remembers chats that something named, if they may not be the recipient's,
// and says how surely they are.
func (w *settling) note(chats []EventChat) confidence {
	here := w.isHere(chats...)
	if here == certain {
		return here
	}
	if w.strangers == nil {
		w.strangers = make(map[EventChat]struct{})
	}
	for _, chat := range chats {
		w.strangers[chat] = struct{}{}
	}
	return here
}
