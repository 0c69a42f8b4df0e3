package ryze

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// DedupeKey returns a key of at most 64 ASCII bytes. It is the same for each
// delivery of an event, over any channel and in any layout. It shows no
// content.
//
// Messages have a key by their id, receipts by message ids and status, other
// events by their data.
//
// Events without an id and a time ([Event.At] is zero) have one key for all
// occurrences. [Deduper] lets them pass. See docs/service-notes.md.
func (e *Event) DedupeKey() string {
	h := keyHash{sha256.New()}
	h.text(e.Instance)
	h.text(string(e.Type))
	name := string(e.Type)
	switch d := e.Data.(type) {
	case *MessageEvent:
		h.message(d)
	case *ReceiptEvent:
		h.receipt(d)
	case *GapEvent:
		h.time(d.From)
		h.time(d.To)
		h.text(string(d.Reason))
	case nil, *UnknownEvent:
		name = "unknown"
		h.data(e)
	default:
		h.data(e)
	}
	return name + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}

// tellsOccurrence reports whether two events with the same key are one.
func (e *Event) tellsOccurrence() bool {
	switch d := e.Data.(type) {
	case *GapEvent:
		return false
	case *MessageEvent:
		return d.ID != "" || !d.Timestamp.IsZero()
	case *ReceiptEvent:
		return len(d.MessageIDs) > 0
	case *CallEvent:
		return !d.Timestamp.IsZero()
	case *UnknownEvent:
		return hasTime(jsonscan.Value(d.Data))
	default:
		return !e.At().IsZero()
	}
}

// hasTime looks for a timestamp in data that is not understood otherwise.
func hasTime(data jsonscan.Value) bool {
	for c := data.Members(); c.Next(); {
		if string(c.Key) == "timestamp" && !readTime(c.Val).IsZero() {
			return true
		}
	}
	return false
}

// keyHash takes fields so that no two lists of fields look alike.
type keyHash struct{ hash.Hash }

func (h keyHash) bytes(b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	_, _ = h.Write(n[:])
	_, _ = h.Write(b)
}

func (h keyHash) text(s string) { h.bytes([]byte(s)) }

func (h keyHash) time(t time.Time) {
	var n [8]byte
	if !t.IsZero() {
		binary.BigEndian.PutUint64(n[:], uint64(t.UnixMilli()))
	}
	h.bytes(n[:])
}

func (h keyHash) message(m *MessageEvent) {
	h.text(m.ID)
	switch {
	case m.RevokedID != "":
		h.text("revoke")
		h.text(m.RevokedID)
		h.time(m.Timestamp)
	case m.Edit != nil:
		h.text("edit")
		h.text(m.Edit.OriginalID)
		h.text(m.Edit.Text)
		h.time(m.Timestamp)
	case m.Reaction != nil:
		h.text("reaction")
		h.text(m.Reaction.TargetID)
		h.text(m.Reaction.Emoji)
		h.time(m.Timestamp)
		if m.ID == "" || m.ID == m.Reaction.TargetID { // no id of its own
			h.place(m)
		}
	case m.ID == "":
		h.text("no id")
		h.time(m.Timestamp)
		h.place(m)
		h.text(m.Text)
		if m.Media != nil {
			h.text(m.Media.URL)
			h.bytes(m.Media.encoded)
		}
		if m.Selection != nil {
			h.text(m.Selection.ID)
		}
	}
}

// place takes the chat and who wrote there: in a private chat the direction
// says it, whichever of the two addresses came.
func (h keyHash) place(m *MessageEvent) {
	h.text(string(m.Direction))
	h.text(onePerson(m.Chat.JID, m.Chat.LID))
	if _, person := chatName(m.Chat.JID); !person || m.Direction == "" {
		h.text(onePerson(m.Sender.JID, m.Sender.LID))
	}
}

// onePerson is how a key knows somebody with these two addresses: by the phone
// if there is one, whichever of the two it is.
func onePerson(jid, lid JID) string {
	if jid.IsLID() && lid != "" && !lid.IsLID() {
		jid = lid
	}
	if jid == "" {
		jid = lid
	}
	name, person := chatName(jid)
	if person && jid.IsLID() {
		return string(jid.Bare())
	}
	return name
}

func (h keyHash) receipt(r *ReceiptEvent) {
	ids := slices.Clone(r.MessageIDs)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		h.text(id)
	}
	h.text("status")
	h.text(string(r.Status))
	h.time(r.Timestamp)
	chat := onePerson(r.Chat.JID, r.Chat.LID)
	h.text(chat)
	if r.byChat() {
		h.text(chat)
	} else {
		h.text(onePerson(r.Recipient, ""))
	}
}

// byChat reports whether the chat itself produced the receipt. In a private
// chat a phone and a LID cannot be told to be two people.
func (r *ReceiptEvent) byChat() bool {
	if r.Recipient == "" || r.Recipient.Same(r.Chat.JID) || r.Recipient.Same(r.Chat.LID) {
		return true
	}
	_, chat := chatName(r.Chat.JID)
	_, recipient := chatName(r.Recipient)
	return chat && recipient && r.Recipient.IsLID() != r.Chat.JID.IsLID()
}

// data takes the event's data in one canonical form; see canonicalJSON.
func (h keyHash) data(e *Event) {
	raw := []byte(e.Lookup("data"))
	if raw == nil { // an event that was not read but made
		made, err := json.Marshal(e.Data)
		if err != nil {
			made = fmt.Appendf(nil, "%v", e.Data)
		}
		raw = made
	}
	h.bytes(canonicalJSON(raw))
}

// canonicalJSON brings data into a form that does not depend on the channel:
// without space and nulls, with sorted keys, times in UTC and addresses bare.
func canonicalJSON(raw []byte) []byte {
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return raw
	}
	out, err := json.Marshal(canonical("", v))
	if err != nil {
		return raw
	}
	return out
}

func canonical(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if member == nil {
				delete(v, key)
			} else {
				v[key] = canonical(key, member)
			}
		}
	case []any:
		for i, element := range v {
			v[i] = canonical(key, element)
		}
	case json.Number:
		if key == "timestamp" {
			return canonical(key, v.String())
		}
	case string:
		switch {
		case key == "timestamp":
			if t := timeOf([]byte(v)); !t.IsZero() {
				return t
			}
		case strings.HasSuffix(strings.ToLower(key), "jid"):
			return eventJID(v, "")
		}
	}
	return v
}
