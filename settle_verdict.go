package ryze

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// consider takes a message that may be the one looked for.
func (w *settling) consider(c candidate) {
	if c.fit == unfit {
		return
	}
	if c.message.ID == "" {
		w.unclear = true
		return
	}
	i, again := w.byID[c.message.ID]
	switch {
	case !again:
		w.byID[c.message.ID] = len(w.fits)
		w.fits = append(w.fits, c)
	case c.fit > w.fits[i].fit || w.byTime(c.message.Timestamp) > w.byTime(w.fits[i].message.Timestamp):
		c.labelled = c.labelled || w.fits[i].labelled
		c.fit = max(c.fit, w.fits[i].fit)
		w.fits[i] = c
	}
}

// verdict judges what was found: it returns the message, or what leaves a doubt,
// or neither when the message is not there. It is made when the search is over,
// because the search itself tells more of the clocks and the addresses.
func (w *settling) verdict(s scope) (found *SentMessage, doubt error) {
	fits, sure, alike := 0, 0, 0
	for _, c := range w.fits {
		if s == labelledOnly && !c.labelled {
			continue
		}
		fit := min(c.fit, w.byTime(c.message.Timestamp), w.isHere(c.chats...))
		if c.labelled {
			fit = max(fit, doubtful) // right but for its time: the clock may be wrong
		}
		if fit == certain && w.twins {
			fit = doubtful
		}
		if fit != unfit {
			fits++
			if c.fit == certain || c.labelled {
				alike++ // others have words of their own, as the next code of the same template has
			}
		}
		if fit == certain {
			sure++
			found = c.message
		}
	}
	switch {
	case alike == 1 && sure == 1:
		return found, nil
	case s == labelledOnly && sure == 0:
		return nil, nil
	case fits > 1:
		return nil, errSeveral
	case fits == 1 && w.twins:
		return nil, errTwins
	case fits == 1:
		return nil, errFitsBadly
	case !w.isClear():
		return nil, errUnclear
	case !w.isOver():
		return nil, w.onItsWayUntil()
	case s == everything && !w.clocks().known:
		return nil, errNoClock
	default:
		return nil, nil
	}
}

// isMissing reports whether the message would be said not to be there, as far as the
// search has come.
func (w *settling) isMissing() bool {
	found, doubt := w.verdict(everything)
	return found == nil && doubt == nil
}

// echo weighs the message of an event. Of one without the label it cannot be
// said who sent it: some echoes of sends have none.
func (w *settling) echo(event *Event) candidate {
	if event == nil || (event.Instance != "" && event.Instance != w.h.name) {
		return candidate{}
	}
	m, ok := event.Data.(*MessageEvent)
	if !ok || m.Direction != DirectionOutgoing || m.Edit != nil || m.RevokedID != "" {
		return candidate{}
	}
	c := candidate{fit: w.outline.ofEvent(m), labelled: w.outcome.Source != "" && m.Source == w.outcome.Source}
	switch here := w.isChat(m); {
	case m.Source != "" && !c.labelled, c.fit == unfit, here == unfit, w.isAnothers(m.ID):
		return candidate{}
	case !c.labelled || m.ID == "":
		c.fit = doubtful
	default:
		c.fit = min(c.fit, here)
	}
	c.message = &SentMessage{
		ID: m.ID, Chat: m.Chat.JID, Timestamp: m.Timestamp, Type: string(m.Type), Content: m.Text, Source: m.Source,
	}
	return c
}

// historyItem is what an item of a history says beside the [HistoryMessage].
type historyItem struct {
	id        string
	at        time.Time
	fromMe    *bool // nil: not told
	source    string
	broken    bool // not an object
	otherText bool // the text has a form that is not known
	changed   bool // edited, revoked or not delivered
	chats     []EventChat
	to        []EventChat // whom the message is said to be for
}

func readHistoryItem(m *HistoryMessage) historyItem {
	if members := jsonscan.Value(m.Raw()).Members(); !members.Next() {
		return historyItem{broken: true}
	}
	item := historyItem{id: m.ID, chats: chatsNamedIn(m.Raw())}
	var key foldedKey
	outgoing := false
	for c := jsonscan.Value(m.Raw()).Members(); c.Next(); {
		switch name := string(key.fold(c.Key)); {
		case name == "id":
			item.id = cmp.Or(item.id, c.Val.Text())
		case name == "timestamp":
			if t, zoned := momentOf(c.Val.TextBytes()); zoned && !t.Before(allBegan) {
				item.at = t
			}
		case name == "fromme" && (string(c.Val) == "true" || string(c.Val) == "false"):
			item.fromMe = new(string(c.Val) == "true")
		case name == "direction":
			outgoing = strings.EqualFold(c.Val.Text(), string(DirectionOutgoing))
		case name == "status":
			var word statusWord
			_ = word.UnmarshalJSON(c.Val)
			item.changed = item.changed || word.meansNotSent()
		case name == "source" && c.Val.IsString():
			item.source = c.Val.Text()
		case name == "content":
			item.otherText = !c.Val.IsString() && !c.Val.IsNull()
		case name == "to" || name == "recipient" || name == "recipientjid" || name == "destinationjid":
			if to := readUser(c.Val).withAddress(); to.JID != "" {
				item.to = append(item.to, EventChat{JID: to.JID, LID: to.LID})
			}
		case strings.Contains(name, "edit"), strings.Contains(name, "revok"), strings.Contains(name, "delet"):
			item.changed = item.changed || saysYes(json.RawMessage(c.Val))
		}
	}
	if outgoing && item.fromMe != nil && !*item.fromMe {
		item.fromMe = nil // it says both
	}
	return item
}

// saysYes reports whether a member of any type is more than a no.
func saysYes(value json.RawMessage) bool {
	switch strings.TrimSpace(string(value)) {
	case "null", "false", `"false"`, "0", `""`, "{}", "[]":
		return false
	default:
		return true
	}
}

// look weighs a message of the history.
func (w *settling) look(m *HistoryMessage, item historyItem) {
	to := w.outcome.Recipient
	switch {
	case item.broken:
		w.unclear = true
		return
	case w.note(item.chats) == unfit: // so what is of this chat may be elsewhere
		return
	case item.fromMe != nil && !*item.fromMe && !to.IsNewsletter(), item.fromMe == nil && samePerson(m.Sender, to):
		return // in a channel, posts may be nobody's
	}
	if !to.IsGroup() {
		item.chats = append(item.chats, item.to...)
		if w.note(item.to) == unfit {
			return
		}
	}
	own := item.fromMe != nil && *item.fromMe
	if own && w.byTime(item.at) == certain && w.isHere(item.chats...) == certain {
		w.alive = true
	}
	if item.id != "" && w.isAnothers(item.id) {
		return
	}
	c := w.outline.weigh(m.Type, m.Text)
	switch {
	case item.changed, m.Type == MessageEdit, m.Type == MessageRevoke, item.otherText:
		c = doubtful
	case !own, item.source != "" && item.source != w.outcome.Source:
		c = min(c, doubtful)
	}
	if item.id == "" && w.byTime(item.at) == unfit {
		return
	}
	w.consider(candidate{message: &SentMessage{
		Meta: m.Meta, ID: item.id, Chat: m.Chat, Timestamp: item.at, Type: string(m.Type), Content: m.Text,
		Source: w.outcome.Source,
	}, fit: c, chats: item.chats})
}
