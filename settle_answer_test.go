package ryze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A message of another chat never settles a send, whatever names its chat; one of
// a chat that may be the recipient's leaves a doubt, unless the service knows.
func TestSettleTakesNoMessageOfAnotherChat(t *testing.T) {
	const phone, lid, other = "5511987654321@s.whatsapp.net", "123456789012345@lid", "5521987654321@s.whatsapp.net"
	known := map[string]string{"5511987654321": `{"found":true,"jid":"` + phone + `","lid":"` + lid + `"}`, lid: `{"found":true,"jid":"` + phone + `","lid":"` + lid + `"}`}
	for name, c := range map[string]struct {
		to       JID
		names    string // members of the item
		page     string // members of the page
		contacts map[string]string
		want     error
	}{
		"nothing named":                 {ana, ``, ``, nil, nil},
		"this chat":                     {ana, `"chatJid":"` + phone + `"`, ``, nil, nil},
		"this chat, chat_jid":           {ana, `"chat_jid":"` + phone + `"`, ``, nil, nil},
		"this chat, digits":             {ana, `"chat_jid":5511987654321`, ``, nil, nil},
		"this chat, other form":         {ana, `"chat":{"jid":"551187654321@c.us"}`, ``, nil, nil},
		"this chat, a device":           {ana, `"chatJid":"5511987654321:7@s.whatsapp.net"`, ``, nil, nil},
		"another, chatJid":              {ana, `"chatJid":"` + other + `"`, ``, nil, ErrOutcomeUnknown},
		"another, chat_jid":             {ana, `"chat_jid":"` + other + `"`, ``, nil, ErrOutcomeUnknown},
		"another, ChatJID":              {ana, `"ChatJID":"` + other + `"`, ``, nil, ErrOutcomeUnknown},
		"another, chat":                 {ana, `"chat":"` + other + `"`, ``, nil, ErrOutcomeUnknown},
		"another, chat.jid":             {ana, `"chat":{"jid":"` + other + `","type":"private"}`, ``, nil, ErrOutcomeUnknown},
		"another, chat.jid in digits":   {ana, `"chat":{"jid":"5521987654321"}`, ``, nil, ErrOutcomeUnknown},
		"another, chatId":               {ana, `"chatId":"` + other + `"`, ``, nil, ErrOutcomeUnknown},
		"another, remoteJid":            {ana, `"key":{"remoteJid":"` + other + `"}`, ``, nil, ErrOutcomeUnknown},
		"another, to":                   {ana, `"to":"` + other + `"`, ``, nil, ErrOutcomeUnknown},
		"another, recipient":            {ana, `"recipient":{"jid":"` + other + `"}`, ``, nil, ErrOutcomeUnknown},
		"another, of two names":         {ana, `"chatJid":"` + phone + `","chat_jid":"` + other + `"`, ``, nil, ErrOutcomeUnknown},
		"another, of two other names":   {ana, `"chat_jid":"` + phone + `","chat":{"jid":"` + other + `"}`, ``, nil, ErrOutcomeUnknown},
		"a group":                       {ana, `"chat_jid":"120363000000000001@g.us"`, ``, nil, ErrOutcomeUnknown},
		"another group":                 {family, `"chat":{"jid":"120363000000000077@g.us"}`, ``, nil, ErrOutcomeUnknown},
		"a person, for a group":         {family, `"chat_jid":"` + phone + `"`, ``, nil, ErrOutcomeUnknown},
		"a LID, for a group":            {family, `"chat_jid":"` + lid + `"`, ``, nil, ErrOutcomeUnknown},
		"whatever":                      {ana, `"chat_jid":"x@example.com"`, ``, nil, ErrOutcomeUnknown},
		"a LID, unknown":                {ana, `"chat_jid":"` + lid + `"`, ``, nil, ErrOutcomeUnknown},
		"a LID, chatJid, unknown":       {ana, `"chatJid":"` + lid + `"`, ``, nil, ErrOutcomeUnknown},
		"a LID, chatLid, unknown":       {ana, `"chatLid":"` + lid + `"`, ``, nil, ErrOutcomeUnknown},
		"a LID, of a contact":           {ana, `"chat_jid":"` + lid + `"`, ``, known, nil},
		"a LID, with the phone":         {ana, `"chat":{"jid":"` + phone + `","lid":"` + lid + `"}`, ``, nil, nil},
		"a LID, with the phone, turned": {ana, `"chat":{"jid":"` + lid + `","lid":"` + phone + `"}`, ``, nil, nil},
		"a LID, with chatLid":           {ana, `"chatJid":"` + phone + `","chatLid":"` + lid + `"`, ``, nil, nil},
		"a LID, with another phone":     {ana, `"chat":{"jid":"` + other + `","lid":"` + lid + `"}`, ``, nil, ErrOutcomeUnknown},
		"another LID than the contact":  {ana, `"chat_jid":"999999999999999@lid"`, ``, known, ErrOutcomeUnknown},
		"the phone of a LID":            {lid, `"chat_jid":"` + phone + `"`, ``, known, nil},
		"a phone for a LID, unknown":    {lid, `"chat_jid":"` + phone + `"`, ``, nil, ErrOutcomeUnknown},
		"another phone for a LID":       {lid, `"chat_jid":"` + other + `"`, ``, known, ErrOutcomeUnknown},
		"was not delivered":             {ana, `"status":"failed"`, ``, nil, ErrOutcomeUnknown},
		"an error":                      {ana, `"Status":"ERROR"`, ``, nil, ErrOutcomeUnknown},
		"was read":                      {ana, `"status":"read"`, ``, nil, nil},
		"a page of another":             {ana, ``, `"chat_jid":"` + other + `",`, nil, ErrOutcomeUnknown},
		"a page of another, chatJid":    {ana, ``, `"chatJid":"` + other + `",`, nil, ErrOutcomeUnknown},
		"a page of another, chat":       {ana, ``, `"chat":{"jid":"` + other + `"},`, nil, ErrOutcomeUnknown},
		"a page of a LID, unknown":      {ana, `"chatJid":"` + lid + `"`, `"chat_jid":"` + lid + `",`, nil, ErrOutcomeUnknown},
		"a page of a LID, of a contact": {ana, `"chatJid":"` + lid + `"`, `"chat_jid":"` + lid + `",`, known, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range []string{"Hello", "Bye"} {
				synctest.Test(t, func(t *testing.T) {
					a := &archive{contacts: c.contacts}
					inst := a.instance(t)
					_, uncertain := inst.Messages.SendText(t.Context(), c.to, "Hello")
					one := item("A", time.Now().Add(time.Second), text)
					if c.names != "" {
						one = strings.TrimSuffix(one, "}") + "," + c.names + "}"
					}
					a.chats = map[string][]string{"*": {one}}
					a.page = func(items []string) string {
						return fmt.Sprintf(`{"success":true,%s"messages":[%s],"count":%d,"hasMore":false}`, c.page, strings.Join(items, ","), len(items))
					}
					time.Sleep(time.Hour)
					message, err := inst.Messages.Settle(t.Context(), uncertain)
					switch {
					case text == "Bye" && c.want == nil:
						require.ErrorIs(t, err, ErrNotSent)
					case c.want == nil:
						require.NoError(t, err)
						assert.Equal(t, "A", message.ID)
					default:
						require.ErrorIs(t, err, c.want, "it may be elsewhere")
						assert.Nil(t, message)
					}
				})
			}
		})
	}
}

// A history that says that it has more has not been seen to its end.
func TestSettleSeesInAnySpellingThatThereIsMore(t *testing.T) {
	for member, want := range map[string]error{
		`"hasMore":true`: ErrOutcomeUnknown, `"has_more":true`: ErrOutcomeUnknown, `"HasMore":"true"`: ErrOutcomeUnknown, `"has_more":1`: ErrOutcomeUnknown,
		`"pagination":{"hasMore":true}`: ErrOutcomeUnknown, `"paging":{"has_more":"true"}`: ErrOutcomeUnknown, `"paging":{"paging":{"has_more":true}}`: ErrNotSent,
		`"total":3`: ErrOutcomeUnknown, `"pagination":{"total":"3"}`: ErrOutcomeUnknown, `"total_count":3`: ErrOutcomeUnknown,
		`"total":0,"pagination":{"total":0,"hasMore":false}`: ErrNotSent, `"total":"many","pagination":[true]`: ErrNotSent,
		`"has_more":false`: ErrNotSent, `"hasMore":null`: ErrNotSent, `"hasMore":false,"has_more":null`: ErrNotSent,
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &archive{page: func([]string) string { return `{"success":true,"messages":[],` + member + `}` }}
			inst := a.instance(t)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			time.Sleep(time.Hour)
			_, err := inst.Messages.Settle(t.Context(), uncertain)
			require.ErrorIs(t, err, want, member)
		})
	}
}

// What a history calls a chat is what its messages say in any spelling.
func TestHistoryReadsTheChatInAnySpelling(t *testing.T) {
	for _, names := range []string{
		`"chatJid":"5511987654321@s.whatsapp.net"`, `"chat_jid":"5511987654321:2@s.whatsapp.net"`, `"chat":"5511987654321"`, `"chatId":5511987654321`,
		`"chat":{"jid":"123456789012345@lid","lid":"5511987654321@s.whatsapp.net"}`, `"key":{"remoteJid":"5511987654321@c.us"}`,
	} {
		inst, _ := script(t, scriptedReply{body: `{"success":true,` + names + `,"messages":[{"id":"a"},{"id":"b",` + names + `}]}`})
		page, err := inst.Chats.HistoryPage(t.Context(), ana, HistoryQuery{})
		require.NoError(t, err)
		assert.Equal(t, JID(anaFull), page.Chat, names)
		assert.Equal(t, JID(anaFull), page.Messages[0].Chat, names)
		assert.Equal(t, JID(anaFull), page.Messages[1].Chat, names)
	}
}

// The key of a message is read, but not keys in it, however deep: a look into each
// would cost more than what there is to read.
func TestOnlyTheOuterKeyOfAMessageNamesItsChat(t *testing.T) {
	const depth = 4000
	deep := strings.Repeat(`{"key":`, depth) + `{"remoteJid":"5511987654321@c.us"}` + strings.Repeat("}", depth)
	assert.Empty(t, chatsNamedIn([]byte(deep)))
	assert.Len(t, chatsNamedIn([]byte(`{"key":{"remoteJid":"5511987654321@c.us","key":{"remoteJid":"5511900000009@c.us"}}}`)), 1)
}

// An answer that settles nothing says why, and can be settled again: it does not
// grow, whatever it wraps stays within reach, and it never looks like a refusal.
func TestWhatIsStillUnknownCanBeSettledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &archive{}
		inst := a.instance(t)
		_, err := inst.Messages.SendText(t.Context(), family, "Hello")
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		began := time.Now()

		try := func(want error, text string) {
			t.Helper()
			before := err
			_, err = inst.Messages.Settle(t.Context(), fmt.Errorf("job 7: %w", before))
			require.ErrorIs(t, err, ErrOutcomeUnknown)
			require.NotErrorIs(t, err, ErrNotSent)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the cause of the send")
			require.ErrorIs(t, err, want)
			assert.Contains(t, err.Error(), text)
			assert.LessOrEqual(t, len(err.Error()), 600)
			e := outcomeOf(t, err)
			assert.Equal(t, family, e.Recipient)
			assert.True(t, outcomeOf(t, before).SentAt.Equal(e.SentAt))
			assert.Equal(t, time.UTC, e.SentAt.Location())
		}
		try(ErrOutcomeUnknown, "on its way until "+began.Add(onItsWay).UTC().Format("2006-01-02T15:04"))
		time.Sleep(time.Hour)
		a.reply = func(r *http.Request) *http.Response {
			res := jsonResponse(r, `<h1>Bad gateway</h1>`)
			res.StatusCode = 502
			return res
		}
		for range 5 {
			try(ErrForeignReply, "502")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = inst.Messages.Settle(ctx, err)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		_, err = inst.Messages.Settle(t.Context(), err, nil)
		var bad *ValidationError
		require.ErrorAs(t, err, &bad)
		require.ErrorIs(t, err, ErrOutcomeUnknown, "it says nothing of the send")

		a.reply = nil
		a.chats = map[string][]string{"*": {item("A", began, "Hello"), item("B", began, "Hello")}}
		try(errSeveral, "several")
		a.chats = map[string][]string{"*": {item("A", began.Add(-time.Second), "Hello")}}
		try(errFitsBadly, "does not fit")
		a.chats = map[string][]string{"*": {item("A", began, "Hello")}}
		message, again := inst.Messages.Settle(t.Context(), err)
		require.NoError(t, again)
		assert.Equal(t, "A", message.ID)
		a.chats = nil
		_, again = inst.Messages.Settle(t.Context(), err)
		require.ErrorIs(t, again, ErrNotSent)
		require.NotErrorIs(t, again, ErrOutcomeUnknown)
		assert.NotErrorAs(t, again, new(*OutcomeError))
	})
}

// The same for a send that is known from records alone.
func TestWhatFindLeavesOpenCanBeSettledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inst := (&archive{}).instance(t)
		attempt := Attempt{To: family, Content: Text("Hello"), SentAt: time.Now().In(time.FixedZone("", 3600))}
		_, err := inst.Messages.Find(t.Context(), attempt)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.Equal(t, time.UTC, outcomeOf(t, err).SentAt.Location())
		time.Sleep(time.Hour)
		_, err = inst.Messages.Settle(t.Context(), err)
		require.ErrorIs(t, err, ErrNotSent)

		for name, bad := range map[string]Attempt{
			"nothing": {}, "no content": {To: family, SentAt: time.Now()}, "no content behind a pointer": {To: family, Content: (*Media)(nil), SentAt: time.Now()},
			"no time": {To: family, Content: Text("x")}, "nobody": {To: "x", Content: Text("x"), SentAt: time.Now()},
		} {
			_, err := inst.Messages.Find(t.Context(), bad)
			var reason *ValidationError
			require.ErrorAs(t, err, &reason, name)
			require.ErrorIs(t, err, ErrOutcomeUnknown, name)
			_, err = inst.Messages.Settle(t.Context(), err)
			require.ErrorIs(t, err, ErrOutcomeUnknown, name)
		}
	})
}

// An error that is certain needs no look-up; one of which nobody knows is no proof
// that nothing was sent.
func TestSettleOfAnErrorThatIsCertain(t *testing.T) {
	inst, s := script(t, scriptedReply{status: 400, body: `{"success":false,"error":{"message":"Number is required"}}`}, scriptedReply{status: 429, body: `{"success":false,"error":{"message":"slow down"}}`}, scriptedReply{status: 307})
	_, invalidNumber := inst.Messages.SendText(t.Context(), "1", "Hello")
	_, refused := inst.Messages.SendText(t.Context(), ana, "Hello")
	_, throttled := inst.Messages.SendText(t.Context(), ana, "Hello")
	_, redirected := inst.Messages.SendText(t.Context(), ana, "Hello")
	sends := len(s.requests())
	for _, certain := range []error{
		invalidNumber, refused, throttled, redirected, fmt.Errorf("job 7: %w", refused), &RateLimitError{Operation: "messages.text"}, fmt.Errorf("x: %w", ErrClosed),
		&net.OpError{Op: "dial", Err: errors.New("refused")}, &net.DNSError{Err: "no such host"}, fmt.Errorf("again: %w", ErrNotSent),
	} {
		message, err := inst.Messages.Settle(t.Context(), certain)
		require.ErrorIs(t, err, ErrNotSent, "%v", certain)
		require.ErrorIs(t, err, certain)
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
		assert.Nil(t, message)
	}
	for _, open := range []error{
		io.EOF, context.Canceled, errors.New("x"), &net.OpError{Op: "read", Err: io.EOF}, &APIError{StatusCode: 502}, ErrOutcomeUnknown, errors.Join(refused, ErrOutcomeUnknown), &OutcomeError{},
	} {
		_, err := inst.Messages.Settle(t.Context(), open)
		require.ErrorIs(t, err, ErrOutcomeUnknown, "%v", open)
		require.NotErrorIs(t, err, ErrNotSent)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	for _, none := range []error{nil, (*OutcomeError)(nil)} {
		_, err := inst.Messages.Settle(t.Context(), none)
		var bad *ValidationError
		require.ErrorAs(t, err, &bad)
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
	}
	assert.Len(t, s.requests(), sends)
}
