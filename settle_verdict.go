package ryze

import (
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

// verdict judges what was found. It is made when the search is over, because
// the search itself tells more of the clocks.
func (w *settling) verdict(s scope) (Settlement, *SentMessage) {
	var found *SentMessage
	fits, sure := 0, 0
	for _, c := range w.fits {
		if s == labelledOnly && !c.labelled {
			continue
		}
		fit := min(c.fit, w.byTime(c.message.Timestamp))
		if c.labelled {
			fit = max(fit, doubtful) // right but for its time: the clock may be wrong
		}
		if fit == certain && w.twins {
			fit = doubtful
		}
		if fit != unfit {
			fits++
		}
		if fit == certain {
			sure++
			found = c.message
		}
	}
	switch {
	case fits == 1 && sure == 1:
		return Sent, found
	case s == labelledOnly && sure == 0:
		return NotFound, nil
	case fits > 0 || w.unclear || !w.isOver():
		return StillUnknown, nil
	default:
		return NotFound, nil
	}
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
	changed   bool // edited or revoked
}

func readHistoryItem(m *HistoryMessage) historyItem {
	var members map[string]json.RawMessage
	if json.Unmarshal(m.Raw(), &members) != nil || members == nil {
		return historyItem{broken: true}
	}
	item := historyItem{id: m.ID, at: m.Timestamp}
	for name, value := range members {
		v := jsonscan.Value(value)
		switch name = strings.ToLower(name); {
		case name == "id":
			var id stringOrInt
			_ = id.UnmarshalJSON(value)
			item.id = first(item.id, string(id))
		case name == "timestamp" && item.at.IsZero():
			item.at = readTime(v)
		case name == "fromme" && (string(value) == "true" || string(value) == "false"):
			item.fromMe = new(string(value) == "true")
		case name == "source" && v.IsString():
			item.source = v.Text()
		case name == "content":
			item.otherText = !v.IsString() && string(value) != "null"
		case strings.Contains(name, "edit"), strings.Contains(name, "revok"), strings.Contains(name, "delet"):
			item.changed = item.changed || saysYes(value)
		}
	}
	if item.at.Before(allBegan) {
		item.at = time.Time{}
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
	case isAnotherChat(m.Chat, to):
		w.unclear = true // so what is of this chat may be elsewhere
		return
	case item.fromMe != nil && !*item.fromMe, item.fromMe == nil && samePerson(m.Sender, to):
		return
	}
	if item.fromMe != nil && w.byTime(item.at) == certain {
		w.alive = true
	}
	if item.id != "" && w.isAnothers(item.id) {
		return
	}
	c := w.outline.weigh(m.Type, m.Text)
	switch {
	case item.changed, m.Type == MessageEdit, m.Type == MessageRevoke, item.otherText:
		c = doubtful
	case item.fromMe == nil, item.source != "" && item.source != w.outcome.Source:
		c = min(c, doubtful)
	}
	if item.id == "" && w.byTime(item.at) == unfit {
		return
	}
	w.consider(candidate{message: &SentMessage{
		Meta: m.Meta, ID: item.id, Chat: m.Chat, Timestamp: item.at, Type: string(m.Type), Content: m.Text,
		Source: w.outcome.Source,
	}, fit: c})
}
