package ryze

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"
)

// messageQuery is the query of the routes that read one message.
func messageQuery(messageID string) (input, error) {
	if err := checkText("message id", messageID); err != nil {
		return input{}, err
	}
	return input{query: url.Values{"messageId": {messageID}}.Encode()}, nil
}

// runOnMessage runs an operation on one message: body is what it needs beside
// the message's id.
func (s *MessagesService) runOnMessage(ctx context.Context, op *Operation, messageID string, body map[string]any) error {
	if err := checkText("message id", messageID); err != nil {
		return err
	}
	body["messageId"] = messageID
	return run(ctx, s.h, op, input{body: body})
}

// StoredMessage is a message that the service has stored.
type StoredMessage struct {
	Meta `json:"-"`

	ID        string
	Type      MessageType
	Text      string
	Chat      JID
	From      JID
	To        JID
	IsGroup   bool
	Timestamp time.Time
	Status    MessageStatus // as received; see [MessageStatus]
	Media     *StoredMedia  // only for media
}

// StoredMedia describes the media of a stored message. A field in an unknown
// form is empty.
type StoredMedia struct {
	Kind     MediaKind
	MIME     string
	Size     int64         // bytes
	Duration time.Duration // audio and video
}

type storedMessageReply struct {
	envelope
	MessageID string `json:"messageId"`
	Data      object[struct {
		Content   wireText    `json:"content"`
		Type      string      `json:"type"`
		From      stringOrInt `json:"from"`
		To        stringOrInt `json:"to"`
		Chat      stringOrInt `json:"chat"`
		Timestamp stringOrInt `json:"timestamp"`
		IsGroup   wireBool    `json:"isGroup"`
		Status    stringOrInt `json:"status"`
		Media     object[struct {
			Type     MediaKind   `json:"type"`
			MIMEType string      `json:"mimeType"`
			Size     wireSize    `json:"size"`
			Duration wireSeconds `json:"duration"`
		}] `json:"media"`
	}] `json:"data"`
}

// Get returns a stored message. A new message may not be stored yet. It returns
// [ErrMessageNotFound] for an unknown id.
//
// GET /api/chat/getMessage/:instance. Safe to repeat.
func (s *MessagesService) Get(ctx context.Context, messageID string) (*StoredMessage, error) {
	in, err := messageQuery(messageID)
	if err != nil {
		return nil, err
	}
	r, err := fetchChecked(ctx, s.h, opMessageGet, in, func(r *storedMessageReply) string {
		if r.Data.value == nil {
			return "the reply has no data"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	d := r.Data.value
	m := &StoredMessage{
		Meta: r.Meta, ID: cmp.Or(r.MessageID, messageID), Type: messageType(d.Type), Text: string(d.Content),
		Chat: eventJID(string(d.Chat), ""), From: eventJID(string(d.From), ""), To: eventJID(string(d.To), ""),
		IsGroup: d.IsGroup.on, Timestamp: parseTime(d.Timestamp), Status: messageStatus(d.Status),
	}
	if media := d.Media.value; media != nil {
		m.Media = &StoredMedia{
			Kind: media.Type, MIME: media.MIMEType, Size: int64(media.Size),
			Duration: time.Duration(media.Duration),
		}
	}
	return m, nil
}

// DeliveryStatus is the status of one message.
type DeliveryStatus struct {
	Meta `json:"-"`

	MessageID string
	Status    MessageStatus
	Code      int // pending 0, sent 1, delivered 2, received 3, read 4, played 5, error -1
	Direction Direction
	Chat      JID
	Timestamp time.Time
}

type deliveryReply struct {
	envelope
	MessageID  string      `json:"message_id"`
	Status     stringOrInt `json:"status"`
	StatusCode wireInt     `json:"status_code"`
	Direction  string      `json:"direction"`
	ChatJID    stringOrInt `json:"chat_jid"`
	Timestamp  stringOrInt `json:"timestamp"`
}

// DeliveryStatus returns the status of a message, as [EventReceipt] events do.
// It returns [ErrMessageNotFound] for an unknown id.
//
// GET /api/chat/status/:instance. Safe to repeat.
func (s *MessagesService) DeliveryStatus(ctx context.Context, messageID string) (*DeliveryStatus, error) {
	in, err := messageQuery(messageID)
	if err != nil {
		return nil, err
	}
	r, err := fetchChecked(ctx, s.h, opMessageStatus, in, func(r *deliveryReply) string {
		if r.Status == "" {
			return "the reply has no status"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	d := &DeliveryStatus{
		Meta: r.Meta, MessageID: cmp.Or(r.MessageID, messageID), Status: messageStatus(r.Status), Code: int(r.StatusCode),
		Direction: Direction(r.Direction), Chat: eventJID(string(r.ChatJID), ""), Timestamp: parseTime(r.Timestamp),
	}
	switch r.Direction { // this route's words for it
	case "sent":
		d.Direction = DirectionOutgoing
	case "received":
		d.Direction = DirectionIncoming
	}
	return d, nil
}

// EditedMessage is a message after its text was replaced.
type EditedMessage struct {
	Meta `json:"-"`

	ID      string
	Chat    JID
	OldText string
	NewText string
}

type editReply struct {
	envelope
	MessageID  string `json:"messageId"`
	ChatJID    string `json:"chatJid"`
	OldContent string `json:"oldContent"`
	NewContent string `json:"newContent"`
}

// Edit replaces the text of a message that the instance sent. WhatsApp allows
// it for about 15 minutes. Captions may fail.
//
// Errors: [ErrNotEditable]; [ErrMessageNotFound]; [ErrOutcomeUnknown]: read it
// with [MessagesService.Get] first. With another error it was not edited; see
// [OutcomeOf].
//
// POST /api/chat/edit/:instance. Not safe to repeat.
func (s *MessagesService) Edit(ctx context.Context, messageID, text string) (*EditedMessage, error) {
	if err := checkText("message id", messageID); err != nil {
		return nil, err
	}
	if err := checkFilled(filled{"text", text}); err != nil {
		return nil, err
	}
	in := input{body: map[string]any{"messageId": messageID, "content": text}, hint: "the message may have been edited: read it back"}
	r, err := fetch[editReply](ctx, s.h, opMessageEdit, in)
	if err != nil {
		return nil, err
	}
	return &EditedMessage{
		Meta: r.Meta, ID: cmp.Or(r.MessageID, messageID), Chat: eventJID(r.ChatJID, ""),
		OldText: r.OldContent, NewText: cmp.Or(r.NewContent, text),
	}, nil
}

// DeleteForEveryone asks WhatsApp to remove a message from the whole chat.
// Success is no proof: apps ignore it after about two and a half days, or
// earlier. It returns [ErrMessageNotFound] for an unknown id, except after a
// lost reply.
//
// DELETE /api/chat/delete/:instance. Safe to repeat.
func (s *MessagesService) DeleteForEveryone(ctx context.Context, messageID string) error {
	return s.runOnMessage(ctx, opMessageDelete, messageID, map[string]any{"deleteForEveryone": true})
}

// DeleteForMe removes a message from the account's own devices only. Errors are
// those of [MessagesService.DeleteForEveryone].
//
// DELETE /api/chat/delete/:instance. Safe to repeat.
func (s *MessagesService) DeleteForMe(ctx context.Context, messageID string) error {
	return s.runOnMessage(ctx, opMessageDelete, messageID, map[string]any{"deleteForEveryone": false})
}

// ForwardedMessage is the copy of a message in another chat.
type ForwardedMessage struct {
	Meta `json:"-"`

	ID         string // of the new message
	OriginalID string
	Chat       JID // as the service resolved it
}

type forwardReply struct {
	envelope
	MessageID      wireID `json:"messageId"`
	OriginalID     string `json:"originalId"`
	DestinationJID string `json:"destinationJid"`
}

// Forward sends a stored message to another chat, marked as forwarded: a text,
// image, video, audio, document, sticker, contact or location.
//
// Errors: [ErrInvalidArgument] for other kinds; [ErrMessageNotFound];
// [ErrOutcomeUnknown], which [MessagesService.Settle] cannot settle. With
// another error it was not forwarded; see [OutcomeOf].
//
// POST /api/chat/forward/:instance. Not safe to repeat.
func (s *MessagesService) Forward(ctx context.Context, messageID string, to JID) (*ForwardedMessage, error) {
	if err := checkText("message id", messageID); err != nil {
		return nil, err
	}
	if err := to.check("to", anyChat); err != nil {
		return nil, err
	}
	in := input{body: map[string]any{"messageId": messageID, "to": to.wire()}, to: to, hint: "the message may have been forwarded: look into the chat"}
	r, err := fetchChecked(ctx, s.h, opMessageForward, in, func(r *forwardReply) string {
		if r.MessageID == "" {
			return "the reply has no message id"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	s.h.client.accepted.add(string(r.MessageID), time.Time{}, r.began)
	return &ForwardedMessage{
		Meta: r.Meta, ID: string(r.MessageID), OriginalID: cmp.Or(r.OriginalID, messageID), Chat: eventJID(r.DestinationJID, ""),
	}, nil
}

// Pin pins a message for everyone in the chat. WhatsApp announces it. It lasts
// 24, 7*24 or 30*24 hours; another duration is a [*ValidationError]. An
// unstored message is [ErrMessageNotFound].
//
// POST /api/chat/pinMessage/:instance. Safe to repeat.
func (s *MessagesService) Pin(ctx context.Context, messageID string, d time.Duration) error {
	const day = 24 * time.Hour
	word, ok := map[time.Duration]string{day: "24h", 7 * day: "7d", 30 * day: "30d"}[d]
	if !ok {
		return invalid("duration", fmt.Sprintf("is %v; WhatsApp offers 24, 7*24 and 30*24 hours", d))
	}
	return s.runOnMessage(ctx, opMessagePin, messageID, map[string]any{"pin": true, "duration": word})
}

// Unpin undoes Pin.
//
// POST /api/chat/pinMessage/:instance. Safe to repeat.
func (s *MessagesService) Unpin(ctx context.Context, messageID string) error {
	return s.runOnMessage(ctx, opMessagePin, messageID, map[string]any{"pin": false})
}

// Favorite stars a message, for this account only.
//
// POST /api/chat/favorite/:instance. Safe to repeat.
func (s *MessagesService) Favorite(ctx context.Context, messageID string) error {
	return s.runOnMessage(ctx, opChatFavorite, messageID, map[string]any{"favorite": true})
}

// Unfavorite undoes Favorite.
//
// POST /api/chat/favorite/:instance. Safe to repeat.
func (s *MessagesService) Unfavorite(ctx context.Context, messageID string) error {
	return s.runOnMessage(ctx, opChatFavorite, messageID, map[string]any{"favorite": false})
}

// MarkRead sends the read receipt of one message. sender is its author,
// required in a group. The chat's unread count stays; see
// [ChatsService.MarkRead].
//
// POST /api/chat/markRead/:instance. Safe to repeat.
func (s *MessagesService) MarkRead(ctx context.Context, chat JID, messageID string, sender JID) error {
	if err := chat.check("chat", anyChat); err != nil {
		return err
	}
	body := map[string]any{"number": chat.wire()}
	switch {
	case sender != "":
		if err := sender.check("sender", people); err != nil {
			return err
		}
		body["sender"] = sender.Bare()
	case chat.IsGroup():
		return invalid("sender", "is empty: in a group it names the author of the message")
	}
	return s.runOnMessage(ctx, opMessageRead, messageID, body)
}

// PollVotes are the votes of a poll that the instance sent. For what the list
// leaves out see docs/service-notes.md.
type PollVotes struct {
	Meta `json:"-"`

	MessageID string
	Question  string
	Options   []PollOption
	Votes     []PollVote
}

// PollOption is an option with the number of its votes.
type PollOption struct {
	Name  string
	Votes int
}

// PollVote is a vote of one person for one option.
type PollVote struct {
	Option     string
	OptionHash string // SHA-256 of the option's text, in upper-case hex
	Voter      JID
	MessageID  string // of the vote
	At         time.Time
}

type pollReply struct {
	envelope
	MessageID string `json:"messageId"`
	Data      object[struct {
		MessageID string `json:"messageId"`
		Name      string `json:"name"`
		Votes     []struct {
			OptionName      stringOrInt `json:"optionName"`
			OptionVoteCount wireInt     `json:"optionVoteCount"`
		} `json:"votes"`
		VoteDetails []struct {
			OptionHash    string      `json:"optionHash"`
			OptionName    stringOrInt `json:"optionName"`
			SenderJID     stringOrInt `json:"senderJid"`
			VoteMessageID string      `json:"voteMessageId"`
			CreatedAt     stringOrInt `json:"createdAt"`
		} `json:"voteDetails"`
	}] `json:"data"`
}

// PollVotes returns the votes of a poll that the instance sent, by its message
// id. It returns [ErrPollNotFound] when there is none.
//
// GET /api/chat/poll/:instance. Safe to repeat.
func (s *MessagesService) PollVotes(ctx context.Context, messageID string) (*PollVotes, error) {
	in, err := messageQuery(messageID)
	if err != nil {
		return nil, err
	}
	r, err := fetchChecked(ctx, s.h, opPollVotes, in, func(r *pollReply) string {
		if r.Data.value == nil {
			return "the reply has no data"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	d := r.Data.value
	votes := &PollVotes{Meta: r.Meta, MessageID: cmp.Or(d.MessageID, r.MessageID, messageID), Question: d.Name}
	for _, o := range d.Votes {
		if o.OptionName == "" && o.OptionVoteCount == 0 {
			continue // a null among them
		}
		votes.Options = append(votes.Options, PollOption{string(o.OptionName), int(o.OptionVoteCount)})
	}
	for _, v := range d.VoteDetails {
		if v.OptionName == "" && v.OptionHash == "" && v.SenderJID == "" && v.VoteMessageID == "" && v.CreatedAt == "" {
			continue
		}
		votes.Votes = append(votes.Votes, PollVote{
			string(v.OptionName), v.OptionHash, eventJID(string(v.SenderJID), ""), v.VoteMessageID, parseTime(v.CreatedAt),
		})
	}
	return votes, nil
}
