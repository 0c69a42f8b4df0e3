package ryze

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	settlePageSize = 100
	mostSearched   = 5000 // messages of one chat
	// smallestMaximum is the smallest page that may be short because of a maximum
	// that is not documented. A smaller one may be, too, but that is asked for only
	// when it would make the message a missing one.
	smallestMaximum = 10
)

// incomplete is the error of a history that was not seen to its end.
func incomplete(page *HistoryPage, reason string) error {
	e := &ResponseError{StatusCode: http.StatusOK, Operation: opChatHistory.ID, Reason: reason}
	if page != nil {
		e.RateLimit, e.Body = page.RateLimit, bounded(page.Raw(), maxErrorBody)
	}
	return e
}

const noEnd = "the history ends before the time of the attempt"

// searchHistory looks at what the chat holds since the attempt. The replies may
// tell that the clocks differ more than was known: then it looks further back.
func (w *settling) searchHistory(ctx context.Context, s *MessagesService) error {
	for range 3 {
		from := w.earliest()
		if err := w.searchFrom(ctx, s, from); err != nil {
			return err
		}
		if !w.earliest().Before(from) {
			return nil
		}
	}
	return incomplete(nil, "the clocks of the replies differ more each time")
}

// searchFrom looks under every address of the recipient.
func (w *settling) searchFrom(ctx context.Context, s *MessagesService, from time.Time) error {
	searched := make(map[JID]bool)
	search := func(address JID) error {
		for _, chat := range BrazilAliases(address) {
			if searched[chat] {
				continue
			}
			err := w.searchChat(ctx, (*ChatsService)(s), chat, from)
			if err != nil && (len(searched) == 0 || !isNobody(err)) { // the other address may be nobody's
				return err
			}
			searched[chat] = true
		}
		return nil
	}
	to := w.outcome.Recipient
	if err := search(to); err != nil {
		return err
	}
	if to.Kind() != JIDUser && !to.IsLID() {
		return nil
	}
	found, _ := w.verdict(everything)
	if found != nil || len(w.strangers) == 0 && (w.alive || !w.isMissing()) {
		return nil
	}
	if len(w.same) == 0 {
		other, err := otherAddress(ctx, (*ContactsService)(s), to)
		if err != nil || other == "" {
			return err
		}
		w.same = append(w.same, other) // the strangers may be this one
	}
	if w.alive || !w.isMissing() {
		return nil
	}
	return search(w.same[0])
}

// otherAddress returns the LID of a phone, or the phone of a LID, "" when the
// service says that it knows none. A reply about somebody else says nothing.
func otherAddress(ctx context.Context, contacts *ContactsService, who JID) (JID, error) {
	c, err := contacts.Get(ctx, who)
	switch {
	case isNobody(err):
		return "", nil
	case err != nil:
		return "", err
	case !c.Found:
		return "", nil
	}
	asked, other := c.JID, c.LID
	if who.IsLID() {
		asked, other = c.LID, c.JID
	}
	var r struct {
		LID json.RawMessage `json:"lid"`
	}
	_ = json.Unmarshal(c.Raw(), &r)
	if !samePerson(asked, who) || other == "" && !who.IsLID() && saysYes(r.LID) {
		return "", incomplete(nil, "the service does not say under which other address it knows the recipient")
	}
	if who.IsLID() && other.Kind() != JIDUser {
		return "", nil
	}
	return other, nil
}

// isNobody reports whether the service itself says that there is no such person. A
// look-up that was refused for any other reason has not looked.
func isNobody(err error) bool {
	var e *APIError
	return errors.As(err, &e) && !e.Is(ErrForeignReply) && e.Is(ErrNotFound) && !e.Is(ErrInstanceNotFound)
}

// searchChat reads the history of a chat back to a time. It is stricter than
// [ChatsService.History]: what it has not seen to the end, it reports.
func (w *settling) searchChat(ctx context.Context, chats *ChatsService, chat JID, from time.Time) error {
	query := HistoryQuery{From: from, PageSize: settlePageSize}
	seen := make(map[string]struct{})
	for {
		page, err := chats.HistoryPage(ctx, chat, query)
		if err != nil {
			return err
		}
		if err := w.checkPage(page); err != nil {
			return err
		}
		fresh := 0
		var oldest, newest, previous time.Time
		inOrder := true
		for i := range page.Messages {
			m := &page.Messages[i]
			item := readHistoryItem(m)
			if t := item.at; !t.IsZero() {
				inOrder = inOrder && (previous.IsZero() || !t.After(previous))
				previous, newest = t, latest(newest, t)
				if oldest.IsZero() || t.Before(oldest) {
					oldest = t
				}
			}
			key := cmp.Or(item.id, string(m.Raw()))
			if _, known := seen[key]; known {
				continue
			}
			if seen[key] = struct{}{}; len(seen) > mostSearched {
				return incomplete(page, fmt.Sprintf("the chat has more than %d messages since the attempt", mostSearched))
			}
			fresh++
			w.look(m, item)
		}
		n := len(page.Messages)
		full := n >= query.PageSize || page.HasMore
		// All of one moment, out of order, or the same page again: nothing names the page before.
		blind := !newest.After(oldest) || !inOrder || !query.To.IsZero() && newest.After(query.To)
		switch {
		case n == 0 && page.HasMore:
			return incomplete(page, noEnd)
		case !full && fresh == 0 && n >= smallestMaximum && n <= settlePageSize && blind && w.isMissing():
			return incomplete(page, noEnd) // that may be a maximum
		case !full && fresh == 0:
			return nil
		case !full && n < smallestMaximum && (!inOrder || oldest.IsZero() || !w.isMissing()):
			return nil
		case fresh == 0, !inOrder, oldest.IsZero(), !query.To.IsZero() && oldest.After(query.To):
			// No way to name the page before: a larger one has what is missing.
			if query.PageSize *= 2; query.PageSize > 2*mostSearched {
				return incomplete(page, noEnd)
			}
		case oldest.Before(from):
			return nil
		default:
			query.To = oldest
			if oldest.Nanosecond() == 0 { // cut to the second, it may be earlier than others of that second
				query.To = oldest.Add(time.Second - time.Microsecond)
			}
		}
	}
}

// checkPage refuses a page that is not whole, or not of that chat. A proxy may
// answer in the service's place, also with a page that it has kept: then the
// window of its quota is long over.
func (w *settling) checkPage(page *HistoryPage) error {
	var r struct {
		Success  *bool           `json:"success"`
		Status   statusWord      `json:"status"`
		Failure  errorBody       `json:"error"`
		Messages json.RawMessage `json:"messages"`
		Count    *json.Number    `json:"count"`
	}
	var mismatch *json.UnmarshalTypeError
	err := json.Unmarshal(page.Raw(), &r)
	list := len(r.Messages) > 0 && r.Messages[0] == '['
	chats := chatsNamedIn(page.Raw())
	empty := string(r.Messages) == "null" && (len(chats) > 0 || (r.Count != nil && r.Count.String() == "0"))
	_, total := moreIn(page.Raw())
	var reason string
	switch {
	case err != nil && !errors.As(err, &mismatch), r.Success == nil, !list && !empty:
		reason = "the reply is not a history"
	case r.Failure.said() || r.Status.meansFailure():
		reason = "the history says that it failed"
	case r.Status != "" && len(page.Messages) == 0: // such as one that is being fetched
		reason = "the history is empty, and has the status " + quoted(string(r.Status))
	case r.Count != nil && r.Count.String() != fmt.Sprint(len(page.Messages)), total > 0 && len(page.Messages) == 0:
		reason = "the history is not whole"
	case w.note(chats) == unfit:
		reason = "the history is that of another chat"
	case !page.RateLimit.Reset.IsZero() && time.Since(page.RateLimit.Reset) > w.clocks().ahead+clockDoubt:
		reason = "the history is an old one"
	default:
		return nil
	}
	return incomplete(page, reason)
}
