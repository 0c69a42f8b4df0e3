package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// sending is a message that was sent for a question.
type sending struct {
	id     string // "" when it was not sent, or nobody knows
	source string // the label it was sent with, "" for none
	why    string // it has no id
}

// send sends one of the few messages that may be sent, to the number that was given.
func (v *verifier) send(ctx context.Context, name, op string, body map[string]any) *sending {
	s := &sending{}
	v.sent[name] = s
	if v.messages >= verifyMessages {
		s.why = "the bound of messages was reached"
		return s
	}
	s.source, _ = body["source"].(string)
	v.messages++
	r := v.ask(ctx, question{op: op, body: body})
	if r.err != nil {
		s.why = because(r.err)
		return s
	}
	if s.id, _ = member(r.value()["data"], "messageId").(string); s.id == "" {
		s.id, _ = r.value()["messageId"].(string) // edits have it there
	}
	if !r.ok() || s.id == "" {
		s.id, s.why = "", fmt.Sprintf("the message was refused with status %d", r.status)
		return s
	}
	v.redact.keep("id", s.id)
	return s
}

func (v *verifier) newLabel() string {
	label := "ryze-verify-" + strings.ToLower(rand.Text()[:8])
	v.redact.keep("label", label)
	return label
}

const (
	textLabelled = "labelled"
	textPlain    = "plain"
	textLost     = "lost"
	theMedia     = "media"
	theReaction  = "reaction"
	theEdit      = "edit"
)

// askMessages sends the messages, but for the media.
func (v *verifier) askMessages(ctx context.Context) {
	to := v.flags.to
	first := v.send(ctx, textLabelled, "messages.text", map[string]any{"number": to, "message": "ryze verify: a message with a label", "source": v.newLabel()})
	v.send(ctx, textPlain, "messages.text", map[string]any{"number": to, "message": "ryze verify: a message without a label"})
	v.sendLost(ctx)
	if first.id == "" {
		return
	}
	v.send(ctx, theReaction, "messages.reaction", map[string]any{"number": to, "messageId": first.id, "reaction": "👍"})
	v.send(ctx, theEdit, "chat.message.edit", map[string]any{"messageId": first.id, "content": "ryze verify: an edited message with a label"})
}

// sendLost sends a text and leaves before the reply: does its echo come all the same?
func (v *verifier) sendLost(ctx context.Context) {
	s := &sending{source: v.newLabel()}
	v.sent[textLost] = s
	if v.messages >= verifyMessages || v.sent[textLabelled].id == "" {
		s.why = "no message could be sent"
		return
	}
	if err := v.count(); err != nil {
		s.why = err.Error()
		return
	}
	v.messages++
	r := v.exchange(ctx, &question{op: "messages.text", abandon: true, body: map[string]any{
		"number": v.flags.to, "message": "ryze verify: a message whose reply is not waited for", "source": s.source,
	}})
	if r.err == nil {
		s.why = "the reply came before it could be lost"
	}
}

// askMedia sends an image, and asks for it until it is there.
func (v *verifier) askMedia(ctx context.Context) {
	const id, text = "media-early", "How long is the media of a new message refused?"
	if v.sent[textLabelled].id == "" {
		v.add(isNotSeen, id, text, v.sent[textLabelled].why)
		return
	}
	var dot bytes.Buffer
	_ = png.Encode(&dot, image.NewGray(image.Rect(0, 0, 8, 8))) // a buffer takes everything
	s := v.send(ctx, theMedia, "messages.media", map[string]any{
		"number": v.flags.to, "mediaType": "image", "mimeType": "image/png", "source": v.newLabel(),
		"mediaBase64": base64.StdEncoding.EncodeToString(dot.Bytes()),
	})
	if s.id == "" {
		v.add(isNotSeen, id, text, s.why)
		return
	}
	start, said := time.Now(), ""
	for pause, tries := 250*time.Millisecond, 0; ; pause, tries = min(pause*3/2, 5*time.Second), tries+1 {
		r := v.ask(ctx, question{op: "chat.message.media_base64", query: url.Values{"messageId": {s.id}}})
		took := time.Since(start).Round(100 * time.Millisecond)
		switch {
		case r.err != nil:
			v.add(isNotSeen, id, text, because(r.err))
			return
		case r.ok() && tries == 0:
			v.add(isOpen, id, text, "not at all")
			return
		case r.ok():
			v.add(isOpen, id, text, fmt.Sprintf("for up to %s, with 404: ", took), foreign(said))
			return
		case r.status != http.StatusNotFound:
			v.add(isDifferent, id, text, fmt.Sprintf("status %d: ", r.status), foreign(errorText(r.body)))
			return
		case took+pause > v.flags.wait:
			v.add(isDifferent, id, text, fmt.Sprintf("longer than %s, with 404: ", took), foreign(errorText(r.body)))
			return
		}
		said = errorText(r.body)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// askStored asks what the service keeps of what was sent.
func (v *verifier) askStored(ctx context.Context) {
	v.ask(ctx, question{op: "chat.history", body: map[string]any{"number": v.flags.to, "count": 5}})
	if id := v.sent[textLabelled].id; id != "" {
		v.ask(ctx, question{op: "chat.message.status", query: url.Values{"messageId": {id}}})
		v.ask(ctx, question{op: "chat.message.get", query: url.Values{"messageId": {id}}})
	}
}

// inside returns the message of a message.exchange in either layout.
func inside(h heard) map[string]any { return members(h.data["message"]) }

func isLive(h heard) bool { return h.data["direction"] != nil }

// exchangeField is a member that the two layouts have in two places.
func exchangeField(h heard, name string) any {
	if value := h.data[name]; value != nil {
		return value
	}
	return inside(h)[name]
}

func (v *verifier) echo(all []heard, s *sending) (h heard, found bool) {
	for _, h := range all {
		if h.name != "message.exchange" {
			continue
		}
		if s.id != "" && exchangeField(h, "id") == s.id || s.id == "" && s.source != "" && inside(h)["source"] == s.source {
			return h, true
		}
	}
	return heard{}, false
}

// askEvents waits for what the messages have brought, and looks at it.
func (v *verifier) askEvents(ctx context.Context) {
	sent := 0
	for _, s := range v.sent {
		if s.id != "" {
			sent++
		}
	}
	if v.nothingHeard() == "" && sent > 0 {
		v.events.wait(ctx, v.flags.wait, func(all []heard) bool {
			for _, s := range v.sent {
				if _, found := v.echo(all, s); s.id != "" && !found {
					return false
				}
			}
			return true
		})
		v.events.wait(ctx, v.flags.wait, func(all []heard) bool {
			return slices.ContainsFunc(all, func(h heard) bool { return h.name == "message.status" })
		})
	}
	all := v.events.all()
	for _, h := range all {
		v.redact.learn(h.body)
	}
	v.aboutEchoes(all, sent)
	v.aboutLayout(all)
	v.aboutKinds(all)
	v.aboutReceipts(all)
	v.aboutChannels(all)
}

// nothingHeard says why no event can come, "" when some can.
func (v *verifier) nothingHeard() string {
	if v.stream.withoutIt != "" && v.hook == nil {
		return v.stream.withoutIt
	}
	return ""
}

func (v *verifier) aboutEchoes(all []heard, sent int) {
	const id, text = "echo", "Do messages sent through the API come back as events?"
	labelled, plain, lost := v.sent[textLabelled], v.sent[textPlain], v.sent[textLost]
	found := 0
	for _, s := range v.sent {
		if _, is := v.echo(all, s); is && s.id != "" {
			found++
		}
	}
	switch why := v.nothingHeard(); {
	case why != "":
		v.add(isNotSeen, id, text, why)
	case sent == 0:
		v.add(isNotSeen, id, text, labelled.why)
	case found == 0:
		v.add(isDifferent, id, text, fmt.Sprintf("none of %d came within %s", sent, v.flags.wait))
	case found < sent:
		v.add(isDifferent, id, text, fmt.Sprintf("%d of %d came within %s", found, sent, v.flags.wait))
	default:
		v.add(asDocumented, id, text, "yes")
	}
	for _, q := range []struct {
		id, text, want string
		of             *sending
	}{
		{"echo-label", "Does the echo carry the label of the send?", labelled.source, labelled},
		{"echo-unlabelled", "What label has the echo of a send without one?", "api", plain},
	} {
		h, is := v.echo(all, q.of)
		switch source := inside(h)["source"]; {
		case !is:
			v.add(isNotSeen, q.id, q.text, "there was no echo")
		case source == q.want:
			v.add(asDocumented, q.id, q.text, map[bool]string{true: `"api"`, false: "yes"}[q.want == "api"])
		case source == nil || source == "":
			v.add(isDifferent, q.id, q.text, "none")
		default:
			v.add(isDifferent, q.id, q.text, foreign(fmt.Sprint(source)))
		}
	}
	const lostText = "Does the echo come, with its label, when the reply to the send is lost?"
	switch _, is := v.echo(all, lost); {
	case lost.why != "":
		v.add(isNotSeen, "echo-lost", lostText, lost.why)
	case is:
		v.add(isOpen, "echo-lost", lostText, "yes")
	default:
		v.add(isNotSeen, "echo-lost", lostText, "no echo: the message may not have been sent")
	}
}

// aboutLayout looks at where message.exchange has its parts.
func (v *verifier) aboutLayout(all []heard) {
	counts := map[string]map[string]int{"layout": {}, "content": {}, "timestamp": {}, "jid": {}}
	for _, h := range all {
		if h.name != "message.exchange" {
			continue
		}
		switch {
		case isLive(h):
			counts["layout"]["that of the running service"]++
		case inside(h)["direction"] != nil:
			counts["layout"]["that of the documentation, all below data.message"]++
		default:
			counts["layout"]["another one"]++
		}
		switch inside(h)["content"].(type) {
		case string:
			counts["content"]["a string"]++
		case map[string]any:
			counts["content"]["an object"]++
		}
		if at, ok := exchangeField(h, "timestamp").(string); ok {
			_, err := time.Parse(time.RFC3339, at)
			switch {
			case err != nil:
				counts["timestamp"]["not RFC 3339"]++
			case strings.HasSuffix(at, "Z"):
				counts["timestamp"]["RFC 3339 in UTC"]++
			default:
				counts["timestamp"]["RFC 3339 with an offset"]++
			}
		}
		if jid, ok := member(exchangeField(h, "chat"), "jid").(string); ok {
			if _, server, full := strings.Cut(jid, "@"); full {
				counts["jid"]["a full JID (@"+map[bool]string{true: server, false: "..."}[slices.Contains([]string{"s.whatsapp.net", "lid", "g.us", "newsletter", "broadcast"}, server)]+")"]++
			} else {
				counts["jid"]["bare digits"]++
			}
		}
	}
	for _, q := range []struct{ id, text, expected string }{
		{"layout", "Which layout has message.exchange?", "that of the running service"},
		{"content", "Of what type is data.message.content?", "a string"},
		{"timestamp", "What form have the timestamps of messages?", "RFC 3339"},
		{"jid", "What form has chat.jid?", "a full JID"},
	} {
		seen := sortedKeys(counts[q.id])
		switch {
		case len(seen) == 0:
			v.add(isNotSeen, q.id, q.text, "there was no such event")
		case slices.ContainsFunc(seen, func(s string) bool { return !strings.HasPrefix(s, q.expected) }):
			v.add(isDifferent, q.id, q.text, strings.Join(seen, ", and "))
		default:
			v.add(asDocumented, q.id, q.text, strings.Join(seen, ", and "))
		}
	}
}

// aboutKinds looks at the parts of events that clients read in several spellings.
func (v *verifier) aboutKinds(all []heard) {
	for _, q := range []struct {
		id, text, name, part string
	}{
		{"media-spelling", "How does the media block of an echo spell the MIME type?", theMedia, "media"},
		{"reaction-spelling", "How is the echo of a reaction spelled?", theReaction, "reaction"},
		{"edit-spelling", "How is the echo of an edit spelled?", theEdit, "edit"},
	} {
		s := v.sent[q.name]
		if s == nil {
			s = &sending{}
		}
		channels := map[string][]any{}
		for _, h := range all {
			block := members(inside(h)[q.part])
			if h.name != "message.exchange" || block == nil || s.id == "" {
				continue
			}
			// An edit may be told under its own id or under that of the message.
			if exchangeField(h, "id") != s.id && (q.name != theEdit || exchangeField(h, "id") != v.sent[textLabelled].id) {
				continue
			}
			parts := []any{h.channel + ": type ", foreign(fmt.Sprint(inside(h)["type"]))}
			for _, key := range sortedKeys(block) {
				if q.name != theMedia || strings.HasPrefix(key, "mime") {
					parts = append(parts, ", ", jsonPath{q.part, key})
				}
			}
			channels[h.channel] = parts
		}
		var parts []any
		for _, channel := range sortedKeys(channels) {
			if parts != nil {
				parts = append(parts, "; ")
			}
			parts = append(parts, channels[channel]...)
		}
		if parts == nil {
			v.add(isNotSeen, q.id, q.text, "there was no such event")
			continue
		}
		v.add(isOpen, q.id, q.text, parts...)
	}
}

func (v *verifier) aboutReceipts(all []heard) {
	const id, text = "receipts", "Does a receipt name several messages, and has it an id of its own?"
	receipts, most, own := 0, 0, 0
	for _, h := range all {
		if h.name != "message.status" {
			continue
		}
		receipts++
		ids, _ := h.data["messageIds"].([]any)
		most = max(most, len(ids))
		if h.data["id"] != nil {
			own++
		}
	}
	if receipts == 0 {
		v.add(isNotSeen, id, text, "there was no receipt")
		return
	}
	v.add(isOpen, id, text, fmt.Sprintf("of %d receipts the longest names %d, and %d have an id", receipts, most, own))
}

// aboutChannels compares what came on both channels.
func (v *verifier) aboutChannels(all []heard) {
	const id, text = "channels", "Do stream and webhook carry the same?"
	if v.hook == nil {
		v.add(isNotSeen, id, text, v.noHook())
		return
	}
	pairs, different := 0, map[string]bool{}
	for _, a := range all {
		if a.channel != "stream" || a.name != "message.exchange" || exchangeField(a, "id") == nil {
			continue
		}
		for _, b := range all {
			if b.channel != "webhook" || b.name != a.name || exchangeField(b, "id") != exchangeField(a, "id") || inside(a)["type"] != inside(b)["type"] {
				continue
			}
			pairs++
			unlike(jsonPath{"data"}, a.data, b.data, func(at jsonPath) {
				text, _ := json.Marshal(at)
				different[string(text)] = true
			})
			break
		}
	}
	switch {
	case pairs == 0:
		v.add(isNotSeen, id, text, "no event came on both")
	case len(different) == 0:
		v.add(asDocumented, id, text, "yes")
	default:
		parts := []any{"they differ in "}
		for i, text := range sortedKeys(different) {
			var at jsonPath
			_ = json.Unmarshal([]byte(text), &at) // it was written above
			if i > 0 {
				parts = append(parts, ", ")
			}
			parts = append(parts, at)
		}
		v.add(isDifferent, id, text, parts...)
	}
}

// unlike reports the places in which two JSON values differ.
func unlike(at jsonPath, a, b any, report func(jsonPath)) {
	x, y := members(a), members(b)
	if x == nil || y == nil {
		if !reflect.DeepEqual(a, b) {
			report(at)
		}
		return
	}
	for name := range x {
		unlike(append(slices.Clone(at), name), x[name], y[name], report)
	}
	for name := range y {
		if _, both := x[name]; !both {
			report(append(slices.Clone(at), name))
		}
	}
}

func (v *verifier) noHook() string {
	if !v.hasWebhook() {
		return "the service cannot reach this program: --webhook-url says where it can"
	}
	return "no webhook could be set"
}

// askState reconnects the instance, if it may, and looks at how that is told.
func (v *verifier) askState(ctx context.Context) {
	const id, text = "state-authorization", "Does instance.state come with the authorization?"
	of := func(name string) func([]heard) bool {
		return func(all []heard) bool {
			return slices.ContainsFunc(all, func(h heard) bool { return h.channel == "webhook" && (h.name == name) })
		}
	}
	if v.flags.reconnect {
		v.reconnect(ctx)
		if v.hook != nil {
			v.events.wait(ctx, v.flags.wait, of("instance.state"))
		}
	}
	v.aboutShapes(v.events.all())
	switch {
	case v.hook == nil:
		v.add(isNotSeen, id, text, v.noHook())
	case !of("instance.state")(v.events.all()) && !v.flags.reconnect:
		v.add(isNotSeen, id, text, "the state did not change: --reconnect interrupts the number for a moment")
	default:
		v.authorization(id, text, func(h heard) bool { return h.name == "instance.state" })
	}
	v.authorization("webhook-authorization", "Do all other events come with the authorization?", func(h heard) bool { return h.name != "instance.state" })
}

func (v *verifier) authorization(id, text string, of func(heard) bool) {
	with, without := 0, 0
	for _, h := range v.events.all() {
		switch {
		case h.channel != "webhook" || !of(h):
		case h.authorized:
			with++
		default:
			without++
		}
	}
	switch {
	case v.hook == nil:
		v.add(isNotSeen, id, text, v.noHook())
	case with+without == 0:
		v.add(isNotSeen, id, text, "there was no such event")
	case without > 0:
		v.add(isDifferent, id, text, fmt.Sprintf("%d of %d came without it", without, with+without))
	default:
		v.add(asDocumented, id, text, "yes")
	}
}

// reconnect interrupts the instance, and waits until it is there again.
func (v *verifier) reconnect(ctx context.Context) {
	state := func(ctx context.Context) string {
		all, _ := v.insist(ctx, question{op: "instance.list", query: url.Values{"instanceName": {v.name}}}).value()["instances"].([]any)
		for _, one := range all {
			if member(one, "name") == v.name {
				s, _ := member(member(one, "connection"), "state").(string)
				return s
			}
		}
		return ""
	}
	before := state(ctx)
	v.undos = append(v.undos, undo{
		what: "the instance was reconnected, and is not as it was", manual: "look at it: ryze connect " + shellWord(v.name),
		do: func(ctx context.Context) error {
			for state(ctx) != before {
				select {
				case <-ctx.Done():
					return errNotPutBack
				case <-time.After(500 * time.Millisecond):
				}
			}
			return nil
		},
	})
	v.ask(ctx, question{op: "instance.reconnect"})
}

// aboutShapes holds the events against the document.
func (v *verifier) aboutShapes(all []heard) {
	found := map[string]*replies{}
	for _, name := range texts(eventNames) {
		found[name] = &replies{seen: map[int]bool{}}
	}
	strange := &replies{}
	for _, h := range all {
		v.redact.learn(h.body)
		of := found[h.name]
		if of == nil {
			of = strange
		} else {
			of.seen[0] = true
		}
		for _, d := range v.doc.event(h.name, h.body) {
			of.add(d)
		}
	}
	for _, name := range texts(eventNames) {
		text := "Events " + name
		switch of := found[name]; {
		case len(of.found) > 0:
			v.add(isDifferent, "event."+name, text, joined(of.found)...)
		case of.seen[0]:
			v.add(asDocumented, "event."+name, text)
		default:
			v.add(isNotSeen, "event."+name, text, "none came")
		}
	}
	if len(strange.found) > 0 {
		v.add(isDifferent, "event.other", "Other events", joined(strange.found)...)
	}
}
