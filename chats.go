package ryze

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// ChatsService reads the history of chats and changes their state: archived,
// pinned, muted, read. Other devices may show a change seconds later. It cannot
// list chats.
type ChatsService service

// Archive archives a chat. Its history is kept.
//
// POST /api/chat/archive/:instance. Safe to repeat.
func (s *ChatsService) Archive(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatArchive, chat, anyChat, "archive", true)
}

// Unarchive undoes Archive.
//
// POST /api/chat/archive/:instance. Safe to repeat.
func (s *ChatsService) Unarchive(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatArchive, chat, anyChat, "archive", false)
}

// Pin pins a chat to the top of the list. WhatsApp allows three.
//
// POST /api/chat/pinChat/:instance. Safe to repeat.
func (s *ChatsService) Pin(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatPin, chat, anyChat, "pin", true)
}

// Unpin undoes Pin.
//
// POST /api/chat/pinChat/:instance. Safe to repeat.
func (s *ChatsService) Unpin(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatPin, chat, anyChat, "pin", false)
}

// MarkRead marks a whole chat as read. For the read receipt of one message use
// [MessagesService.MarkRead].
//
// POST /api/chat/markChatRead/:instance. Safe to repeat.
func (s *ChatsService) MarkRead(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatRead, chat, anyChat, "read", true)
}

// MarkUnread marks a chat as unread.
//
// POST /api/chat/markChatRead/:instance. Safe to repeat.
func (s *ChatsService) MarkUnread(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatRead, chat, anyChat, "read", false)
}

// Favorite marks a chat as a favorite, for this account only.
//
// POST /api/chat/favorite/:instance. Safe to repeat.
func (s *ChatsService) Favorite(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatFavorite, chat, anyChat, "favorite", true)
}

// Unfavorite undoes Favorite.
//
// POST /api/chat/favorite/:instance. Safe to repeat.
func (s *ChatsService) Unfavorite(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatFavorite, chat, anyChat, "favorite", false)
}

// Mute silences a chat for 8 hours or a week (7*24 hours). Another duration is
// a [*ValidationError]. For good, use [ChatsService.MuteAlways].
//
// POST /api/chat/mute/:instance. Safe to repeat: the time starts anew.
func (s *ChatsService) Mute(ctx context.Context, chat JID, d time.Duration) error {
	word, ok := map[time.Duration]string{8 * time.Hour: "8h", 7 * 24 * time.Hour: "1w"}[d]
	if !ok {
		return invalid("duration", fmt.Sprintf("is %v; the service knows 8 hours and 7*24 hours", d))
	}
	return s.mute(ctx, chat, word)
}

// MuteAlways silences a chat until [ChatsService.Unmute].
//
// POST /api/chat/mute/:instance. Safe to repeat.
func (s *ChatsService) MuteAlways(ctx context.Context, chat JID) error {
	return s.mute(ctx, chat, "always")
}

func (s *ChatsService) mute(ctx context.Context, chat JID, d string) error {
	if err := chat.check("chat", anyChat); err != nil {
		return err
	}
	return run(ctx, s.h, opChatMute, input{body: map[string]any{"number": chat.wire(), "mute": true, "duration": d}})
}

// Unmute undoes Mute.
//
// POST /api/chat/mute/:instance. Safe to repeat.
func (s *ChatsService) Unmute(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatMute, chat, anyChat, "mute", false)
}

// Delete removes a chat from all devices of the account. Other people keep it.
// It does not leave a group, and it keeps stored media.
//
// DELETE /api/chat/deleteChat/:instance. Safe to repeat.
func (s *ChatsService) Delete(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatDelete, chat, peopleGroups, "deleteMedia", false)
}

// DeleteWithMedia is Delete, and also erases the media that the service stored.
// That cannot be undone. Files on the phone stay.
//
// DELETE /api/chat/deleteChat/:instance. Safe to repeat.
func (s *ChatsService) DeleteWithMedia(ctx context.Context, chat JID) error {
	return s.h.set(ctx, opChatDelete, chat, peopleGroups, "deleteMedia", true)
}

// longestPresence is how long the service shows a state at most; it cuts a
// longer time without a word.
const longestPresence = 60 * time.Second

func (s *ChatsService) presence(ctx context.Context, chat JID, state string, d time.Duration) error {
	if err := chat.check("chat", anyChat); err != nil {
		return err
	}
	if d < 0 || d > longestPresence {
		return invalid("duration", "is not between 0 and 60 s: the service would cut it")
	}
	body := map[string]any{"number": chat.wire(), "state": state}
	if d > 0 {
		body["duration"] = wholeSeconds(d)
	}
	return run(ctx, s.h, opChatPresence, input{body: body, patient: d})
}

// Typing shows "typing..." in a chat for d: at most a minute, rounded up to
// whole seconds. When d is zero WhatsApp stops it after 5 to 10 seconds. The
// call's time limit includes d.
//
// POST /api/chat/presence/:instance. Safe to repeat.
func (s *ChatsService) Typing(ctx context.Context, chat JID, d time.Duration) error {
	return s.presence(ctx, chat, "typing", d)
}

// Recording shows "recording audio..." in a chat. It works like
// [ChatsService.Typing].
//
// POST /api/chat/presence/:instance. Safe to repeat.
func (s *ChatsService) Recording(ctx context.Context, chat JID, d time.Duration) error {
	return s.presence(ctx, chat, "recording", d)
}

// Pause ends Typing and Recording.
//
// POST /api/chat/presence/:instance. Safe to repeat.
func (s *ChatsService) Pause(ctx context.Context, chat JID) error {
	return s.presence(ctx, chat, "pause", 0)
}

// HistoryMessage is a stored message. Only Sender is documented; see
// docs/service-notes.md. Raw has all fields.
type HistoryMessage struct {
	Meta `json:"-"`

	ID        string
	Chat      JID
	Sender    JID // in a group, the author
	FromMe    bool
	Type      MessageType
	Text      string
	Timestamp time.Time
}

// HistoryQuery narrows a history.
type HistoryQuery struct {
	// From and To bound the time of the messages; both are inclusive, and zero
	// does not bound.
	From, To time.Time
	// PageSize is how many messages one request asks for: 50 when it is zero.
	// The service sets no maximum.
	PageSize int
}

// defaultPageSize is the service's own default, sent all the same so that a
// full page can be told.
const defaultPageSize = 50

// largestPage bounds the pages that [ChatsService.History] asks for by itself.
const largestPage = 1 << 16

// HistoryPage is one page of a history, newest first.
type HistoryPage struct {
	Meta `json:"-"`

	Chat     JID // as the service resolved it
	Messages []HistoryMessage
	// HasMore is true when the page is full. The next page may still be empty.
	HasMore bool
}

type historyBody struct {
	Number string `json:"number"`
	Count  int    `json:"count"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

type historyReply struct{ envelope }

// moreIn reports whether the reply to a history says that there are more messages
// than it lists, itself or in what it says of its pages. Total is how many there
// are in all, 0 when that is not said.
func moreIn(reply json.RawMessage) (more bool, total int64) {
	var pages jsonscan.Value
	read := func(object jsonscan.Value) {
		var key foldedKey
		for c := object.Members(); c.Next(); {
			switch string(key.fold(c.Key)) {
			case "hasmore":
				more = more || c.Val.Bool()
			case "total", "totalcount", "totalmessages":
				if n, ok := c.Val.Int(); ok {
					total = max(total, n)
				}
			case "pagination", "paging":
				pages = c.Val
			}
		}
	}
	read(bytes.TrimSpace(reply))
	read(pages) // one level: the cost stays that of reading the reply twice
	return more, total
}

type wireHistoryMessage struct {
	ID        stringOrInt `json:"id"`
	SenderJID stringOrInt `json:"senderJid"`
	FromMe    wireBool    `json:"fromMe"`
	Type      stringOrInt `json:"type"`
	Content   wireText    `json:"content"`
	Timestamp stringOrInt `json:"timestamp"`
}

func (q *HistoryQuery) check() error {
	switch {
	case q.PageSize < 0:
		return invalid("HistoryQuery.PageSize", "is negative")
	case !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From):
		return invalid("HistoryQuery.To", "is before From")
	}
	if q.PageSize == 0 {
		q.PageSize = defaultPageSize
	}
	return nil
}

func historyTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// HistoryPage returns the newest stored messages of a chat, at most one page.
// For older ones set To to the time of the oldest message, which then comes
// again. [ChatsService.History] does this.
//
// POST /api/chat/history/:instance. Safe to repeat.
func (s *ChatsService) HistoryPage(ctx context.Context, chat JID, query HistoryQuery) (*HistoryPage, error) {
	if err := chat.check("chat", anyChat); err != nil {
		return nil, err
	}
	if err := query.check(); err != nil {
		return nil, err
	}
	body := historyBody{chat.wire(), query.PageSize, historyTime(query.From), historyTime(query.To)}
	var list []json.RawMessage
	r, err := fetchChecked(ctx, s.h, opChatHistory, input{body: body}, func(r *historyReply) (missing string) {
		list, missing = listIn(r.Raw(), "messages") // without it, nobody has looked
		return missing
	})
	if err != nil {
		return nil, err
	}
	page := &HistoryPage{Meta: r.Meta, Chat: chatNamedIn(r.Raw())}
	page.HasMore, _ = moreIn(r.Raw())
	page.Messages = readItems(list, r.RateLimit, func(w *wireHistoryMessage, meta Meta) HistoryMessage {
		return HistoryMessage{
			Meta: meta, ID: string(w.ID),
			Chat: cmp.Or(chatNamedIn(meta.Raw()), page.Chat), Sender: eventJID(string(w.SenderJID), ""),
			FromMe: w.FromMe.on, Type: messageType(string(w.Type)), Text: string(w.Content), Timestamp: parseTime(w.Timestamp),
		}
	})
	return page, nil
}

// chatsNamedIn returns the chats that an object of a history names: the reply, or
// one of its messages. The reply calls it chat_jid and its messages chatJid;
// the names of other routes are read as well.
func chatsNamedIn(object json.RawMessage) []EventChat {
	return chatsNamedBy(bytes.TrimSpace(object), true)
}

// chatsNamedBy looks into the key of a message, and not into a key in that: so
// the cost stays that of reading the object twice.
func chatsNamedBy(object jsonscan.Value, withKey bool) []EventChat {
	var chats []EventChat
	var lid JID
	var key foldedKey
	for c := object.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "chatjid", "chatid", "chat", "groupjid", "remotejid":
			chat := readChat(c.Val).withAddress()
			if c.Val.IsNumber() {
				chat = EventChat{JID: eventJID(c.Val.Text(), "")}
			}
			if chat.JID != "" {
				chats = append(chats, chat)
			}
		case "chatlid":
			lid = eventLID(c.Val.Text())
		case "key": // of a message, as WhatsApp's own clients have it
			if withKey {
				chats = append(chats, chatsNamedBy(c.Val, false)...)
			}
		}
	}
	switch {
	case lid == "":
	case len(chats) == 1 && !chats[0].JID.IsLID() && chats[0].LID == "":
		chats[0].LID = lid
	default:
		chats = append(chats, EventChat{JID: lid, LID: lid})
	}
	return chats
}

// chatNamedIn returns the first of them.
func chatNamedIn(object json.RawMessage) JID {
	for _, chat := range chatsNamedIn(object) {
		return chat.JID
	}
	return ""
}

// History iterates over the stored messages of a chat, newest first, each once.
// Each page is one request. The first error ends it and comes alone:
//
//	for message, err := range inst.Chats.History(ctx, chat, ryze.HistoryQuery{}) {
//		if err != nil {
//			return err
//		}
//		show(message)
//	}
//
// POST /api/chat/history/:instance. Safe to repeat.
func (s *ChatsService) History(ctx context.Context, chat JID, query HistoryQuery) iter.Seq2[*HistoryMessage, error] {
	return func(yield func(*HistoryMessage, error) bool) {
		seen := make(map[string]struct{})
		for {
			page, err := s.HistoryPage(ctx, chat, query)
			if err != nil {
				yield(nil, err)
				return
			}
			before := len(seen)
			for i := range page.Messages {
				m := &page.Messages[i]
				key := m.ID
				if key == "" {
					key = string(m.Raw())
				}
				if _, known := seen[key]; known {
					continue
				}
				seen[key] = struct{}{}
				if !yield(m, nil) {
					return
				}
			}
			if !query.next(page, len(seen) > before) {
				return
			}
		}
	}
}

// next turns the query to the page that follows, older than this one, and
// reports false when there is none.
func (q *HistoryQuery) next(page *HistoryPage, progress bool) bool {
	size := q.PageSize
	if size == 0 {
		size = defaultPageSize
	}
	full := len(page.Messages) >= size
	if !full && !page.HasMore {
		return false
	}
	if !progress {
		// A full page of one and the same moment: only a larger one gets past it.
		q.PageSize = 2 * size
		return full && q.PageSize <= largestPage
	}
	var oldest time.Time
	for i := range page.Messages {
		if t := page.Messages[i].Timestamp; !t.IsZero() && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
	}
	if oldest.IsZero() || oldest.Before(q.From) || (!q.To.IsZero() && oldest.After(q.To)) {
		return false // no way to name the page before, or none wanted
	}
	q.To = oldest
	return true
}
