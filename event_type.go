package ryze

// MessageType says what a message is. The set is open.
type MessageType string

// Types of messages. One thing has one type here, whatever the service called
// it: its spellings "button_response" and "imageMessage" are read as
// [MessageButtonsResponse] and [MessageImage], "media" as the kind of the
// media, and a message without a type (the documented layout shows none) gets
// the one that its content tells. Any other name is kept as received.
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

// EventType is the name of an event, as the service writes it.
type EventType string

// The events of the service. The set is open: an event with another name is
// delivered with an [*UnknownEvent].
const (
	EventMessage       EventType = "message.exchange" // a message was sent or received
	EventReceipt       EventType = "message.status"   // messages were delivered, read, played, ...
	EventCall          EventType = "call.update"      // call signalling
	EventGroup         EventType = "group.flow"       // members or properties of a group changed
	EventInstanceState EventType = "instance.state"   // the connection to WhatsApp changed
	EventLabel         EventType = "label.update"     // a label was edited, put on or taken off
)

// EventGap is the type of the event that a stream puts where it may have
// missed others; see [GapEvent]. The service never sends it.
const EventGap EventType = "ryze.gap"
