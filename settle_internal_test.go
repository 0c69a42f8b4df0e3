package ryze

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettleWantsTheErrorOfASendOfItsInstance(t *testing.T) {
	inst, s := script(t, scriptedReply{status: 502})
	other := inst.Client().Instance("other", "t0ken")
	_, uncertain := inst.Messages.SendText(t.Context(), ana, "Hello")
	require.ErrorIs(t, uncertain, ErrOutcomeUnknown)
	for _, err := range []error{io.EOF, &OutcomeError{}, &APIError{}} {
		_, err := inst.Messages.Settle(t.Context(), err)
		require.ErrorIs(t, err, ErrInvalidArgument)
		assert.ErrorIs(t, err, ErrOutcomeUnknown)
	}
	_, err := other.Messages.Settle(t.Context(), uncertain)
	require.ErrorIs(t, err, ErrInvalidArgument)
	assert.Len(t, s.requests(), 1)
}

// Until the delay is over the service may still be about to send.
func TestSettleDoesNotCallADelayedMessageMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := scriptedReply{body: `{"success":true,"messages":[]}`}
		inst, _ := script(t, scriptedReply{status: 502}, none, none)
		_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello", Delay(59*time.Second+1)) // as a minute
		time.Sleep(time.Minute + onItsWay - time.Second)
		_, err := inst.Messages.Settle(t.Context(), uncertain)
		assert.ErrorIs(t, err, ErrOutcomeUnknown)
		time.Sleep(time.Second)
		_, err = inst.Messages.Settle(t.Context(), uncertain)
		assert.ErrorIs(t, err, ErrNotSent)
	})
}

// What a history cannot show is not looked up.
func TestSettleDoesNotAskWhatAHistoryCannotShow(t *testing.T) {
	for name, send := range map[string]func(*MessagesService) error{
		"status": func(m *MessagesService) error {
			_, err := m.PostStatus(t.Context(), TextStatus{Text: "News"})
			return err
		},
		"reaction": func(m *MessagesService) error {
			_, err := m.Send(t.Context(), ana, Reaction{MessageID: "M", Emoji: "👍"})
			return err
		},
		"removal": func(m *MessagesService) error {
			_, err := m.Send(t.Context(), ana, RemoveReaction{MessageID: "M"})
			return err
		},
		"private answer": func(m *MessagesService) error {
			_, err := m.SendText(t.Context(), family, "Hello", ReplyPrivate("Q"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inst, s := script(t, scriptedReply{status: 504})
			message, err := inst.Messages.Settle(t.Context(), send(inst.Messages))
			assert.ErrorIs(t, err, ErrOutcomeUnknown)
			assert.Nil(t, message)
			assert.Len(t, s.requests(), 1)
		})
	}
}

// A history whose items say less than expected leaves a doubt, not a wrong
// answer.
func TestSettleDoubtsWhatAHistoryLeavesOpen(t *testing.T) {
	for name, c := range map[string]struct {
		content Content
		item    string
		want    error
	}{
		"no type":                 {Text("Hello"), `{"id":"A","fromMe":true,"content":"Hello","timestamp":"NOW"}`, nil},
		"another word for a text": {Text("Hello"), `{"id":"A","fromMe":true,"type":"extendedTextMessage","content":"Hello","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"no time":                 {Text("Hello"), `{"id":"A","fromMe":true,"type":"text","content":"Hello"}`, ErrOutcomeUnknown},
		"no id":                   {Text("Hello"), `{"fromMe":true,"type":"text","content":"Hello","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"no caption":              {Media{Source: MediaURL("https://example.com/a.jpg"), Caption: "look"}, `{"id":"A","fromMe":true,"type":"image","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"another caption":         {Media{Source: MediaURL("https://example.com/a.jpg"), Caption: "look"}, `{"id":"A","fromMe":true,"type":"image","content":"there","timestamp":"NOW"}`, ErrNotSent},
		"another kind of file":    {Media{Source: MediaURL("https://example.com/a.jpg")}, `{"id":"A","fromMe":true,"type":"video","timestamp":"NOW"}`, ErrNotSent},
		"buttons by another name": {Buttons{Text: "Choose", Buttons: []Button{{Label: "A", Value: "a"}}}, `{"id":"A","fromMe":true,"type":"interactive","content":"Choose","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"buttons without a text":  {Buttons{Text: "Choose", Buttons: []Button{{Label: "A", Value: "a"}}}, `{"id":"A","fromMe":true,"type":"interactive","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"buttons in other words":  {Buttons{Text: "Choose", Buttons: []Button{{Label: "A", Value: "a"}}}, `{"id":"A","fromMe":true,"type":"interactive","content":"[A]","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"a poll in other words":   {Poll{Question: "When?", Options: []string{"9am", "2pm"}}, `{"id":"A","fromMe":true,"type":"poll","content":"2 options","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"a location as replied":   {Location{-23.5, -46.6, "Office", "Street 1"}, `{"id":"A","fromMe":true,"type":"location","content":"📍 Office\nStreet 1\nLat: -23.5, Long: -46.6","timestamp":"NOW"}`, nil},
		"another location":        {Location{-23.5, -46.6, "Office", "Street 1"}, `{"id":"A","fromMe":true,"type":"location","content":"📍 Home\nStreet 2","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"a carousel as replied":   {Carousel{Text: "Pick", Cards: []Card{{Title: "T", Text: "x"}}}, `{"id":"A","fromMe":true,"type":"interactive","content":"Pick - Carousel with 1 card(s)","timestamp":"NOW"}`, nil},
		"a poll as replied":       {Poll{Question: "When?", Options: []string{"9am", "2pm"}}, `{"id":"A","fromMe":true,"type":"poll","content":"When?\n1. 9am\n2. 2pm","timestamp":"NOW"}`, nil},
		"a picture as a document": {Media{Source: MediaURL("https://example.com/a.jpg"), Kind: MediaDocument}, `{"id":"A","fromMe":true,"type":"image","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"a sticker as a picture":  {Sticker{MediaBytes("s.png", pngHead)}, `{"id":"A","fromMe":true,"type":"image","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"a photo, not the PDF":    {Media{Source: MediaBytes("invoice.pdf", []byte("%PDF-1.7"))}, `{"id":"A","fromMe":true,"type":"image","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"the PDF":                 {Media{Source: MediaBytes("invoice.pdf", []byte("%PDF-1.7"))}, `{"id":"A","fromMe":true,"type":"document","timestamp":"NOW"}`, nil},
		"a file of a given type":  {Media{Source: MediaBytes("a", []byte("a")), MIME: "audio/ogg"}, `{"id":"A","fromMe":true,"type":"image","timestamp":"NOW"}`, ErrNotSent},
		"a sticker by no name":    {Sticker{MediaURL("https://example.com/s.png")}, `{"id":"A","fromMe":true,"type":"","timestamp":"NOW"}`, ErrOutcomeUnknown},
		"a picture for buttons":   {Buttons{Text: "Choose", Buttons: []Button{{Label: "A", Value: "a"}}}, `{"id":"A","fromMe":true,"type":"image","timestamp":"NOW"}`, ErrNotSent},
		"a text for an event":     {CalendarEvent{Name: "Meeting", StartAt: noon}, `{"id":"A","fromMe":true,"type":"text","content":"Meeting","timestamp":"NOW"}`, ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now().Add(time.Second).Format(time.RFC3339)
				page := scriptedReply{body: `{"success":true,"messages":[` + strings.ReplaceAll(c.item, "NOW", now) + `]}`}
				inst, _ := script(t, scriptedReply{status: 502}, page, page)
				_, uncertain := inst.Messages.Send(t.Context(), family, c.content)
				time.Sleep(2 * time.Minute)
				_, err := inst.Messages.Settle(t.Context(), uncertain)
				assert.ErrorIs(t, err, c.want)
			})
		})
	}
}

// An echo settles without a request, and only the echo of that very message.
func TestSettleWithEchoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inst, s := script(t, scriptedReply{status: 502})
		_, uncertain := inst.Messages.SendText(t.Context(), ana, "Hello", SourceLabel("job-7"))
		var e *OutcomeError
		require.ErrorAs(t, uncertain, &e)

		echo := func(change func(*MessageEvent)) *Event {
			m := &MessageEvent{
				ID: "ECHO", Direction: DirectionOutgoing, Timestamp: time.Now(), Chat: EventChat{JID: "551187654321@s.whatsapp.net"},
				Type: MessageText, Text: "Hello", Source: "job-7",
			}
			change(m)
			return &Event{Type: EventMessage, Data: m}
		}
		others := []*Event{
			nil,
			{Type: EventReceipt, Data: &ReceiptEvent{MessageIDs: []string{"ECHO"}}},
			echo(func(m *MessageEvent) { m.Direction = DirectionIncoming }),
			echo(func(m *MessageEvent) { m.Source = "job-8" }),
			echo(func(m *MessageEvent) { m.Source = "" }),
			echo(func(m *MessageEvent) { m.Text = "Hello!" }),
			echo(func(m *MessageEvent) { m.Type = MessageImage }),
			echo(func(m *MessageEvent) { m.Chat.JID = "5521987654321@s.whatsapp.net" }),
			echo(func(m *MessageEvent) { m.Timestamp = time.Now().Add(-time.Second) }),
			echo(func(m *MessageEvent) { m.Timestamp = time.Time{} }),
			echo(func(m *MessageEvent) { m.ID = "" }),
			echo(func(m *MessageEvent) { m.Edit = &EventEdit{Text: "Hello"} }),
			echo(func(m *MessageEvent) { m.RevokedID = "X" }),
		}
		for i, event := range others {
			assert.False(t, e.IsEcho(event), "%d", i)
		}
		own := echo(func(*MessageEvent) {})
		assert.True(t, e.IsEcho(own))
		assert.False(t, (&OutcomeError{}).IsEcho(own))

		message, err := inst.Messages.Settle(t.Context(), uncertain, SettleWith(slices.Concat(others, []*Event{own, own})...))
		assert.NoError(t, err)
		assert.Equal(t, "ECHO", message.ID)
		assert.Equal(t, JID("551187654321@s.whatsapp.net"), message.Chat)
		assert.Len(t, s.requests(), 1)

		message, err = inst.Messages.Settle(t.Context(), uncertain, SettleWith(own, echo(func(m *MessageEvent) { m.ID = "TWIN" })))
		assert.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.Nil(t, message)
	})
}

// The echo of an earlier message with the same words and label is not taken for
// the lost one's.
func TestEchoOfAKnownMessageIsAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inst, _ := script(t, scriptedReply{body: sent}, scriptedReply{status: 502}, scriptedReply{body: `{"success":true,"messages":[]}`})
		_, err := inst.Messages.SendText(t.Context(), family, "Hello")
		require.NoError(t, err)
		_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
		var e *OutcomeError
		require.ErrorAs(t, uncertain, &e)
		echo := &Event{Type: EventMessage, Data: &MessageEvent{
			ID: anID, Direction: DirectionOutgoing, Timestamp: time.Now().Add(time.Second), Chat: EventChat{JID: family},
			Type: MessageText, Text: "Hello", Source: "ryze-go",
		}}
		assert.False(t, e.IsEcho(echo))
		time.Sleep(time.Hour)
		_, err = inst.Messages.Settle(t.Context(), uncertain, SettleWith(echo))
		assert.ErrorIs(t, err, ErrNotSent)
	})
}

func TestReactionsAreSettledByTheirEcho(t *testing.T) {
	inst, _ := script(t, scriptedReply{status: 502}, scriptedReply{status: 502})
	_, set := inst.Messages.Send(t.Context(), ana, Reaction{MessageID: "M", Emoji: "👍"})
	_, removed := inst.Messages.Send(t.Context(), ana, RemoveReaction{MessageID: "M"})
	echo := func(target, emoji string) *Event {
		return &Event{Type: EventMessage, Data: &MessageEvent{
			ID: "R", Direction: DirectionOutgoing, Timestamp: time.Now().Add(time.Second), Chat: EventChat{JID: anaFull},
			Type: MessageReaction, Source: "ryze-go", Reaction: &EventReaction{Emoji: emoji, TargetID: target},
		}}
	}
	for _, c := range []struct {
		err   error
		event *Event
		want  bool
	}{
		{set, echo("M", "👍"), true}, {set, echo("M", "👎"), false}, {set, echo("N", "👍"), false}, {set, echo("M", ""), false},
		{removed, echo("M", ""), true}, {removed, echo("M", "👍"), false},
	} {
		var e *OutcomeError
		require.ErrorAs(t, c.err, &e)
		assert.Equal(t, c.want, e.IsEcho(c.event))
	}
}

// A chat too busy to be searched to its end leaves a doubt.
func TestSettleGivesUpOnAChatWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/api/message/text/a" {
				return nil, io.ErrUnexpectedEOF
			}
			items := make([]string, settlePageSize)
			for i := range items {
				n++
				items[i] = fmt.Sprintf(`{"id":"%d","timestamp":%q}`, n, time.Now().Add(-time.Duration(n)*time.Millisecond).Format(time.RFC3339Nano))
			}
			return jsonResponse(r, `{"success":true,"hasMore":true,"messages":[`+strings.Join(items, ",")+`]}`), nil
		})}))
		require.NoError(t, err)
		inst := client.Instance("a", "t0ken")
		_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
		_, err = inst.Messages.Settle(t.Context(), uncertain)
		require.ErrorContains(t, err, "more than 5000 messages")
		assert.ErrorIs(t, err, ErrOutcomeUnknown)
	})
}

// The memory of accepted messages is bounded, forgets the oldest first, and a
// snapshot says whether one was forgotten since.
func TestAcceptedMessagesAreForgottenOldestFirst(t *testing.T) {
	var r recentIDs
	ids := func(s recentSnapshot) (list []string) {
		s.each(func(id string) { list = append(list, id) })
		return list
	}
	var early, middle recentSnapshot
	const most = 2*mostRecentIDs + 300
	for i := range most {
		switch i {
		case 10:
			early = r.snapshot()
		case most - mostRecentIDs:
			middle = r.snapshot()
		}
		r.add(strconv.Itoa(i), time.Time{}, time.Time{})
		if i == 1000 {
			require.Len(t, ids(r.snapshot()), 1001)
		}
	}
	last := ids(r.snapshot())
	assert.GreaterOrEqual(t, len(last), mostRecentIDs)
	assert.LessOrEqual(t, len(last), mostRecentIDs+idsPerChunk)
	for i, id := range last {
		require.Equal(t, strconv.Itoa(most-len(last)+i), id)
	}
	assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, ids(early), "what came later is not in it")
	assert.False(t, early.reaches(r.snapshot()))
	assert.True(t, middle.reaches(r.snapshot()))
	assert.False(t, r.snapshot().forgotten.IsZero())
	assert.Empty(t, ids(new(recentIDs).snapshot()))
}

// An error holds what Settle needs, and prints none of it.
func TestUncertainErrorsDoNotPrintTheMessage(t *testing.T) {
	inst, _ := script(t, scriptedReply{status: 502})
	_, err := inst.Messages.SendText(t.Context(), ana, "a private word")
	wrapped := fmt.Errorf("job 7: %w", errors.Join(err))
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(format, wrapped) + fmt.Sprintf(format, err)
		assert.NotContains(t, text, "private word")
		assert.NotContains(t, text, "t0ken")
	}
}

// A service that keeps the chats of both forms of a number apart is asked for
// both.
func TestSettleAsksForBothFormsOfABrazilianNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inst, s := script(t, scriptedReply{status: 502},
			scriptedReply{body: `{"success":true,"messages":[]}`},
			scriptedReply{body: fmt.Sprintf(`{"success":true,"messages":[{"id":"A","fromMe":true,"type":"text","content":"Hello","timestamp":%q}]}`, time.Now().Add(2*time.Second).Format(time.RFC3339))})
		_, err := inst.Messages.SendText(t.Context(), ana, "Hello")
		time.Sleep(3 * time.Second)
		_, err = inst.Messages.Settle(t.Context(), err)
		require.NoError(t, err)
		require.Len(t, s.requests(), 3)
		assert.Contains(t, s.requests()[2].Body, `"number":"551187654321"`)
	})

	// That nobody has the other form is not a failure, if the service says so.
	empty := scriptedReply{body: `{"success":true,"messages":[]}`}
	noLID := scriptedReply{body: `{"success":true,"contact":{"found":false}}`}
	for _, c := range []struct {
		second scriptedReply
		want   error
	}{
		{scriptedReply{status: 400, body: `{"success":false,"error":{"message":"no such number"}}`}, ErrOutcomeUnknown}, // a text that nobody knows
		{scriptedReply{status: 400, body: `{"success":false,"error":{"message":"Failed to query messages: database is locked"}}`}, ErrOutcomeUnknown},
		{scriptedReply{body: `{"success":true,"error":{"message":"database is locked"},"messages":[]}`}, ErrOutcomeUnknown},
		{scriptedReply{body: `{"success":true,"status":"error","messages":[]}`}, ErrOutcomeUnknown},
		{scriptedReply{status: 404, body: `{"success":false,"error":{"message":"Number not found"}}`}, ErrNotSent},
		{scriptedReply{status: 404, body: `{"success":false,"error":{"message":"Instance not found"}}`}, ErrOutcomeUnknown},
		{scriptedReply{status: 400, body: `{"success":false,"error":{"message":"Instance is not connected to WhatsApp"}}`}, ErrOutcomeUnknown},
		{scriptedReply{status: 400, body: `<h1>Bad request</h1>`}, ErrOutcomeUnknown},
		{scriptedReply{status: 404, body: `404 page not found`}, ErrOutcomeUnknown},
		{scriptedReply{status: 404}, ErrOutcomeUnknown},
		{scriptedReply{status: 404, body: `{"message":"no Route matched with those values"}`}, ErrOutcomeUnknown},
	} {
		synctest.Test(t, func(t *testing.T) {
			inst, _ := script(t, scriptedReply{status: 502}, empty, c.second, noLID)
			_, uncertain := inst.Messages.SendText(t.Context(), ana, "Hello")
			time.Sleep(time.Hour)
			_, err := inst.Messages.Settle(t.Context(), uncertain)
			assert.ErrorIs(t, err, c.want, "%v", c.second)
		})
	}
}
