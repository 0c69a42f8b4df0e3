package ryze

import (
	"bytes"
	"strings"
)

// MessageType says what a message is. Other values can come.
type MessageType string

// Types of messages, in one spelling: "button_response" and
// "buttonsResponseMessage" are [MessageButtonsResponse], "imageMessage" is
// [MessageImage]. "media" becomes its kind, and a missing type follows the
// content. Other names are kept as received.
const (
	MessageText                MessageType = "text"
	MessageImage               MessageType = "image"
	MessageVideo               MessageType = "video"
	MessageAudio               MessageType = "audio"
	MessageDocument            MessageType = "document"
	MessageSticker             MessageType = "sticker"
	MessageLocation            MessageType = "location"
	MessageContact             MessageType = "contact"
	MessagePoll                MessageType = "poll"
	MessageReaction            MessageType = "reaction"
	MessageButtonsResponse     MessageType = "buttons_response"
	MessageTemplateButtonReply MessageType = "template_button_reply"
	MessageListResponse        MessageType = "list_response"
	MessageInteractive         MessageType = "interactive"
	MessageEdit                MessageType = "message_edit"
	MessageRevoke              MessageType = "message_revoke"
)

// messageType gives the one name of a type; see the constants.
func messageType(wire string) MessageType {
	if word := wordFor(wire); word.kind != "" {
		return MessageType(word.kind)
	}
	var key foldedKey
	folded := key.fold([]byte(wire))
	if t, ok := messageTypes[string(folded)]; ok {
		return t
	}
	folded, _ = bytes.CutSuffix(folded, []byte("message"))
	if t, ok := messageTypes[string(folded)]; ok {
		return t
	}
	return MessageType(wire)
}

// messageTypes are the types that are no media, by their spellings in one word.
var messageTypes = func() map[string]MessageType {
	spellings := map[string]MessageType{"buttonresponse": MessageButtonsResponse}
	for _, t := range []MessageType{
		MessageText, MessageLocation, MessageContact, MessagePoll, MessageReaction, MessageButtonsResponse,
		MessageTemplateButtonReply, MessageListResponse, MessageInteractive, MessageEdit, MessageRevoke,
	} {
		spellings[strings.ReplaceAll(string(t), "_", "")] = t
	}
	return spellings
}()

// knownWord returns the known word that a word is in another case, or the word as
// received.
func knownWord[S ~string](word string, known ...S) S {
	trimmed := strings.TrimSpace(word)
	for _, k := range known {
		if strings.EqualFold(trimmed, string(k)) {
			return k
		}
	}
	return S(word)
}

// EventType is the name of an event, as the service writes it.
type EventType string

// The events of the service. An event with another name is an [*UnknownEvent].
const (
	EventMessage       EventType = "message.exchange" // a message was sent or received
	EventReceipt       EventType = "message.status"   // messages were delivered, read, played, ...
	EventCall          EventType = "call.update"      // call signalling
	EventGroup         EventType = "group.flow"       // members or properties of a group changed
	EventInstanceState EventType = "instance.state"   // the connection to WhatsApp changed
	EventLabel         EventType = "label.update"     // a label was edited, put on or taken off
)

// EventGap is the type of a [GapEvent]. A stream makes it where events may be
// missing; the service never sends it.
const EventGap EventType = "ryze.gap"
