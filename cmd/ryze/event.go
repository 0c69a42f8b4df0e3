package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	ryze "github.com/ryzeapi/ryze-go"
)

// describe is an event in a line: what comes now, in which chat.
func describe(event *ryze.Event) string {
	chat, what := outline(event)
	return strings.TrimRight(fmt.Sprintf("%s  %-16s  %s  %s", clock(time.Now()), line(string(event.Type)), cmp.Or(line(chat), "-"), what), " ")
}

// outline returns the chat of an event, and what happened, in a few words.
func outline(event *ryze.Event) (chat, what string) {
	switch data := event.Data.(type) {
	case *ryze.MessageEvent:
		arrow := "←"
		if data.Direction == ryze.DirectionOutgoing {
			arrow = "→"
		}
		what = string(data.Type)
		if data.Text != "" {
			what += " " + quote(data.Text)
		}
		if data.Selection != nil {
			what += " " + quote(cmp.Or(data.Selection.Title, data.Selection.ID))
		}
		return arrow + " " + person(data.Chat.JID, cmp.Or(data.Chat.Name, data.Sender.Name)), what
	case *ryze.ReceiptEvent:
		if what = string(data.Status); len(data.MessageIDs) > 1 {
			what += fmt.Sprintf(" (%d messages)", len(data.MessageIDs))
		}
		return person(data.Chat.JID, data.Chat.Name), what
	case *ryze.CallEvent:
		return person(data.Chat.JID, data.Chat.Name), string(data.Status)
	case *ryze.GroupEvent:
		return person(data.Group, data.Name), string(data.Change)
	case *ryze.InstanceStateEvent:
		return "", string(data.State)
	case *ryze.LabelEvent:
		return person(data.Chat, ""), strings.TrimSpace(string(data.Change) + " " + data.Name)
	default:
		return "", ""
	}
}

func person(jid ryze.JID, name string) string {
	address := jid.String()
	if jid.Kind() == ryze.JIDUser {
		address = jid.User()
	}
	if name == "" {
		return address
	}
	return address + " (" + excerpt(name, 24) + ")"
}

func quote(text string) string { return "\"" + excerpt(text, 48) + "\"" }

// excerpt is the beginning of a text, in one line of so many columns.
func excerpt(text string, columns int) string {
	text = line(text)
	if uniseg.StringWidth(text) <= columns {
		return text
	}
	var b strings.Builder
	width := 0
	for g := uniseg.NewGraphemes(text); g.Next(); {
		if width += g.Width(); width > columns-1 {
			break
		}
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}

func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }

func rounded(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func gapText(gap *ryze.GapEvent) string {
	text := string(gap.Reason)
	if gap.Dropped > 0 {
		text += fmt.Sprintf(", %d dropped", gap.Dropped)
	}
	return text
}

// gapView is a gap as --print-json shows it.
func gapView(gap *ryze.GapEvent) any {
	data := map[string]any{"from": gap.From, "to": gap.To, "reason": gap.Reason}
	if gap.Dropped > 0 {
		data["dropped"] = gap.Dropped
	}
	if gap.Cause != nil {
		data["cause"] = gap.Cause.Error()
	}
	return map[string]any{"event": ryze.EventGap, "data": data}
}

// printable is an event as it came, without QR codes: whoever reads one can pair
// the number.
func printable(event *ryze.Event) any {
	state, ok := event.Data.(*ryze.InstanceStateEvent)
	if !ok || state.State != ryze.InstanceQRReady && len(state.Codes) == 0 {
		return event.Raw
	}
	var raw map[string]json.RawMessage
	var data map[string]any
	if json.Unmarshal(event.Raw, &raw) != nil || json.Unmarshal(raw["data"], &data) != nil {
		return map[string]any{"event": event.Type}
	}
	for key := range data {
		switch key {
		case "state", "status", "timestamp", "jid", "id":
		default: // under which keys a code may come is not documented
			data[key] = "[redacted]"
		}
	}
	hidden := map[string]any{"event": event.Type, "data": data}
	if event.Instance != "" {
		hidden["instanceData"] = map[string]string{"instance": event.Instance}
	}
	return hidden
}

// shownURL is a URL without what may be secret in it: a password, and the values
// of its query.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "[not a URL]"
	}
	query := u.Query()
	u.RawQuery, u.Fragment = "", ""
	if u.User != nil {
		u.User = url.User("redacted")
	}
	shown := u.String()
	separator := "?"
	for _, key := range sortedKeys(query) {
		shown += separator + url.QueryEscape(key) + "=[redacted]"
		separator = "&"
	}
	return shown
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
