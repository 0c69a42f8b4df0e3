package ryze

import (
	"encoding/json"
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

// archive is a service that loses the replies of sends and shows a history.
type archive struct {
	chats    map[string][]string                  // items by number; "*" for all others
	contacts map[string]string                    // contact objects by number
	page     func(items []string) string          // instead of the documented page
	reply    func(r *http.Request) *http.Response // instead of all of this, for look-ups
	date     func() time.Duration                 // how far Date is ahead; not at all when nil
	most     int                                  // items of a page, whatever is asked
	lookUps  int
}

func (a *archive) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if strings.HasPrefix(r.URL.Path, "/api/message/") {
		_, _ = io.Copy(io.Discard, r.Body)
		return nil, io.ErrUnexpectedEOF
	}
	a.lookUps++
	if a.reply != nil {
		return a.reply(r), nil
	}
	res := a.answer(r)
	if a.date == nil {
		res.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	} else {
		now := time.Now().Add(a.date())
		res.Header.Set("Date", now.UTC().Format(http.TimeFormat))
		res.Header.Set("X-RateLimit-Limit", "100")
		res.Header.Set("X-RateLimit-Remaining", "90")
		res.Header.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(30*time.Second).Unix(), 10))
	}
	return res, nil
}

func (a *archive) answer(r *http.Request) *http.Response {
	if strings.HasPrefix(r.URL.Path, "/api/chat/contacts/") {
		contact, ok := a.contacts[r.URL.Query().Get("number")]
		if !ok {
			contact = `{"found":false}`
		}
		return jsonResponse(r, `{"success":true,"contact":`+contact+`}`)
	}
	var q struct {
		Number   string
		Count    int
		From, To time.Time
	}
	_ = json.NewDecoder(r.Body).Decode(&q)
	items, ok := a.chats[q.Number]
	if !ok {
		items = a.chats["*"]
	}
	var shown []string
	for _, item := range items {
		var m struct{ Timestamp time.Time }
		dated := json.Unmarshal([]byte(item), &m) == nil && m.Timestamp.Year() > 1990
		if dated && (m.Timestamp.Before(q.From) || (!q.To.IsZero() && m.Timestamp.After(q.To))) {
			continue
		}
		if shown = append(shown, item); len(shown) == q.Count || len(shown) == a.most {
			break
		}
	}
	if a.page != nil {
		return jsonResponse(r, a.page(shown))
	}
	return jsonResponse(r, fmt.Sprintf(`{"success":true,"messages":[%s],"count":%d,"hasMore":%t}`, strings.Join(shown, ","), len(shown), len(shown) == q.Count))
}

// instance returns an instance of that service.
func (a *archive) instance(t *testing.T) *InstanceClient {
	t.Helper()
	client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: a}))
	require.NoError(t, err)
	return client.Instance("support", "t0ken")
}

// item is a message of the instance, with a text.
func item(id string, at time.Time, text string) string {
	return fmt.Sprintf(`{"id":%q,"fromMe":true,"type":"text","content":%q,"timestamp":%q}`, id, text, at.UTC().Format(time.RFC3339))
}

func outcomeOf(t *testing.T, err error) *OutcomeError {
	t.Helper()
	var e *OutcomeError
	require.ErrorAs(t, err, &e)
	return e
}

// A clock that differs is a doubt about the time of a message: it never makes a
// message missing that was sent, nor takes an earlier one for it.
func TestSettleTakesClocksForAnUncertainty(t *testing.T) {
	for name, c := range map[string]struct {
		dates  []time.Duration // of replies before the send
		later  time.Duration   // of the replies to Settle
		stamps []time.Duration // of accepted messages before
		stamp  time.Duration   // of the message found, since the attempt
		want   error
	}{
		"all agree":                                   {stamp: 0, want: nil},
		"all agree, later":                            {stamp: 90 * time.Second, want: nil},
		"all agree, too late to be sure":              {stamp: 4 * time.Minute, want: ErrOutcomeUnknown},
		"all agree, a second before":                  {stamp: -time.Second, want: ErrOutcomeUnknown},
		"all agree, a minute before":                  {stamp: -time.Minute, want: ErrOutcomeUnknown},
		"all agree, an hour before":                   {stamp: -time.Hour, want: ErrNotSent},
		"one reply ahead":                             {dates: []time.Duration{4 * time.Second}, stamp: 0, want: ErrOutcomeUnknown},
		"one reply ahead, a second before":            {dates: []time.Duration{4 * time.Second}, stamp: -time.Second, want: ErrOutcomeUnknown},
		"one reply ahead, as it says":                 {dates: []time.Duration{4 * time.Second}, stamp: 4 * time.Second, want: nil},
		"one reply far ahead":                         {dates: []time.Duration{time.Hour}, stamp: time.Second, want: ErrOutcomeUnknown},
		"one reply far ahead, as it says":             {dates: []time.Duration{time.Hour}, stamp: time.Hour, want: nil},
		"one reply far ahead, and an hour before":     {dates: []time.Duration{time.Hour}, stamp: -time.Hour, want: ErrNotSent},
		"one reply behind":                            {dates: []time.Duration{-4 * time.Second}, stamp: 0, want: nil},
		"one reply behind, as it says":                {dates: []time.Duration{-4 * time.Second}, stamp: -4 * time.Second, want: ErrOutcomeUnknown},
		"one reply far behind":                        {dates: []time.Duration{-time.Hour}, stamp: 0, want: nil},
		"one reply far behind, as it says":            {dates: []time.Duration{-time.Hour}, stamp: -time.Hour, want: ErrOutcomeUnknown},
		"only Settle learns that it is behind":        {later: -time.Hour, stamp: -time.Hour, want: ErrOutcomeUnknown},
		"only Settle learns that it is ahead":         {later: time.Hour, stamp: 0, want: ErrOutcomeUnknown},
		"only Settle learns, and as it says":          {later: time.Hour, stamp: time.Hour, want: nil},
		"messages are stamped behind":                 {later: -time.Hour, stamps: []time.Duration{-time.Hour}, stamp: -time.Hour, want: nil},
		"messages are stamped behind, and one before": {later: -time.Hour, stamps: []time.Duration{-time.Hour}, stamp: -time.Hour - 2*time.Second, want: ErrOutcomeUnknown},
		"messages are stamped ahead":                  {stamps: []time.Duration{time.Hour}, stamp: 0, want: ErrOutcomeUnknown},
		"messages are stamped ahead, as it says":      {stamps: []time.Duration{time.Hour}, stamp: time.Hour, want: nil},
		"servers stamp differently":                   {stamps: []time.Duration{0, -time.Hour}, stamp: -time.Hour, want: ErrOutcomeUnknown},
		"servers stamp differently, and as one":       {stamps: []time.Duration{0, -time.Hour}, stamp: 0, want: nil},
		"servers stamp differently, ahead":            {stamps: []time.Duration{0, 10 * time.Second}, stamp: 0, want: ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{date: func() time.Duration { return c.later }}
				inst := a.instance(t)
				for _, d := range c.dates {
					inst.Client().skew.observe(time.Now().Add(d), time.Now())
				}
				for i, d := range c.stamps {
					inst.Client().accepted.add(strconv.Itoa(i), time.Now().Add(d), time.Now())
				}
				_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
				a.chats = map[string][]string{"*": {item("A", time.Now().Add(c.stamp), "Hello")}}
				time.Sleep(5 * time.Minute)
				message, err := inst.Messages.Settle(t.Context(), uncertain)
				assert.ErrorIs(t, err, c.want)
				assert.Equal(t, c.want == nil, message != nil)
			})
		})
	}
}

// A message is missing only when it was looked for and nothing could be it:
// what fits badly leaves a doubt.
func TestSettleDoubtsWhatFitsBadly(t *testing.T) {
	text := func(s string) string { return fmt.Sprintf(`"type":"text","content":%q`, s) }
	long := strings.Repeat("Your order has been shipped. ", 20)
	for name, c := range map[string]struct {
		content Content
		item    string // members beside id, fromMe and time, which are added when absent
		want    error
	}{
		"exact":                       {Text("Olá 😀"), text("Olá 😀"), nil},
		"trimmed":                     {Text(" Hello\n"), text("Hello"), ErrOutcomeUnknown},
		"line ends":                   {Text("a\r\nb"), `"type":"text","content":"a\nb"`, ErrOutcomeUnknown},
		"old line ends":               {Text("a\nb"), `"type":"text","content":"a\rb"`, ErrOutcomeUnknown},
		"blanks become one":           {Text("a   b"), text("a b"), ErrOutcomeUnknown},
		"a hard blank":                {Text("a\u00a0b"), text("a b"), ErrOutcomeUnknown},
		"composed":                    {Text("Sao\u0303 Paulo"), text("Saõ Paulo"), ErrOutcomeUnknown},
		"decomposed":                  {Text("São Paulo é"), `"type":"text","content":"Sa\u0303o Paulo e\u0301"`, ErrOutcomeUnknown},
		"Vietnamese":                  {Text("Việt Nam"), `"type":"text","content":"Vie\u0323\u0302t Nam"`, ErrOutcomeUnknown},
		"Korean":                      {Text("한글"), `"type":"text","content":"\u1112\u1161\u11ab\u1100\u1173\u11af"`, ErrOutcomeUnknown},
		"other accents":               {Text("avó"), text("avo"), ErrOutcomeUnknown},
		"variation selector":          {Text("❤\ufe0f"), text("❤"), ErrOutcomeUnknown},
		"variation selector added":    {Text("❤ ok"), `"type":"text","content":"❤\ufe0f ok"`, ErrOutcomeUnknown},
		"zero width":                  {Text("a\u200bb"), text("ab"), ErrOutcomeUnknown},
		"a broken character":          {Text("Promo 😀"[:9]), `"type":"text","content":"Promo \ufffd\ufffd\ufffd"`, ErrOutcomeUnknown},
		"control characters":          {Text("a\x00b"), text("ab"), ErrOutcomeUnknown},
		"cut to a limit":              {Text(long), text(long[:256]), ErrOutcomeUnknown},
		"cut, with an ellipsis":       {Text(long), text("Your order…"), ErrOutcomeUnknown},
		"cut, with dots":              {Text(long), text("Your order..."), ErrOutcomeUnknown},
		"only the begin":              {Text(long), text("Your order"), ErrOutcomeUnknown},
		"a mention by name":           {Text("Hi @5511987654321, all well?"), text("Hi @Ana Maria, all well?"), ErrOutcomeUnknown},
		"a mention by LID":            {Text("@5511987654321 hi"), text("@123456789012345 hi"), ErrOutcomeUnknown},
		"a mention, other words":      {Text("Hi @5511987654321, all well?"), text("Hi @Ana, bye"), ErrNotSent},
		"an address is no mention":    {Text("ask a@1.example"), text("tell b"), ErrNotSent},
		"other words":                 {Text("Hello"), text("Bye"), ErrNotSent},
		"another case":                {Text("Hello"), text("hello"), ErrOutcomeUnknown},
		"a link's own type":           {Text("https://x.example"), `"type":"link","content":"https://x.example"`, ErrOutcomeUnknown},
		"a text as an object":         {Text("Hello"), `"type":"text","content":{"text":"Hello"}`, ErrOutcomeUnknown},
		"a text under another name":   {Text("Hello"), `"type":"text","text":"Hello"`, ErrOutcomeUnknown},
		"a text in JSON in a text":    {Text("ok"), `"type":"text","content":"{\"text\":\"ok\"}"`, ErrOutcomeUnknown},
		"a brace":                     {Text("ok"), `"type":"text","content":"{name}, hello"`, ErrNotSent},
		"a null text":                 {Text("Hello"), `"type":"text","content":null`, ErrOutcomeUnknown},
		"edited since":                {Text("Hello"), `"type":"text","content":"Bye","isEdit":true`, ErrOutcomeUnknown},
		"edited since, an object":     {Text("Hello"), `"type":"text","content":"Bye","edit":{"originalContent":"Hello"}`, ErrOutcomeUnknown},
		"not edited":                  {Text("Hello"), `"type":"text","content":"Bye","isEdit":false,"edit":null,"deletedAt":""`, ErrNotSent},
		"an edit":                     {Text("Hello"), `"type":"message_edit","content":"Bye"`, ErrOutcomeUnknown},
		"revoked since":               {Text("Hello"), `"type":"message_revoke","content":""`, ErrOutcomeUnknown},
		"revoked since, by a flag":    {Text("Hello"), `"type":"text","content":"gone","revoked":true`, ErrOutcomeUnknown},
		"no direction":                {Text("Hello"), text("Hello") + `,"fromMe":null`, ErrOutcomeUnknown},
		"a direction of another kind": {Text("Hello"), text("Hello") + `,"fromMe":"yes"`, ErrOutcomeUnknown},
		"from the other side":         {Text("Hello"), text("Hello") + `,"fromMe":false`, ErrNotSent},
		"of both sides":               {Text("Hello"), text("Hello") + `,"fromMe":false,"direction":"outgoing"`, ErrOutcomeUnknown},
		"incoming, in two words":      {Text("Hello"), text("Hello") + `,"fromMe":false,"direction":"incoming"`, ErrNotSent},
		"another's label":             {Text("Hello"), text("Hello") + `,"source":"n8n"`, ErrOutcomeUnknown},
		"our label":                   {Text("Hello"), text("Hello") + `,"source":"ryze-go"`, nil},
		"a numeric id":                {Text("Hello"), text("Hello") + `,"id":7`, nil},
		"an empty id":                 {Text("Hello"), text("Hello") + `,"id":""`, ErrOutcomeUnknown},
		"time in seconds":             {Text("Hello"), text("Hello") + `,"timestamp":SECONDS`, nil},
		"time in seconds, as text":    {Text("Hello"), text("Hello") + `,"timestamp":"SECONDS"`, nil},
		"time in milliseconds":        {Text("Hello"), text("Hello") + `,"timestamp":SECONDS000`, nil},
		"time in microseconds":        {Text("Hello"), text("Hello") + `,"timestamp":SECONDS000000`, nil},
		"no time":                     {Text("Hello"), text("Hello") + `,"timestamp":null`, ErrOutcomeUnknown},
		"zero time":                   {Text("Hello"), text("Hello") + `,"timestamp":"0001-01-01T00:00:00Z"`, ErrOutcomeUnknown},
		"zero time of Unix":           {Text("Hello"), text("Hello") + `,"timestamp":"1970-01-01T00:00:00Z"`, ErrOutcomeUnknown},
		"zero seconds":                {Text("Hello"), text("Hello") + `,"timestamp":0`, ErrOutcomeUnknown},
		"a time without a zone":       {Text("Hello"), text("Hello") + `,"timestamp":"2000-01-01T00:00:00"`, ErrOutcomeUnknown},
		"a time in the future":        {Text("Hello"), text("Hello") + `,"timestamp":"2030-01-01T00:00:00Z"`, ErrOutcomeUnknown},
		"another chat":                {Text("Hello"), text("Hello") + `,"chatJid":"120363000000000077@g.us"`, ErrOutcomeUnknown},
		"a private chat":              {Text("Hello"), text("Bye") + `,"chatJid":"5521987654321@s.whatsapp.net"`, ErrOutcomeUnknown},
		"a placeholder for a file":    {Media{Source: MediaURL("https://example.com/a.jpg")}, `"type":"image","content":"a.jpg"`, ErrOutcomeUnknown},
		"a placeholder for a sticker": {Sticker{MediaURL("https://example.com/a.png")}, `"type":"sticker","content":"[sticker]"`, ErrOutcomeUnknown},
		"a caption, trimmed":          {Media{Source: MediaURL("https://example.com/a.jpg"), Caption: "look "}, `"type":"image","content":"look"`, ErrOutcomeUnknown},
		"a file as a document":        {Media{Source: MediaURL("https://example.com/a.jpg"), Caption: "look"}, `"type":"document","content":"look"`, ErrOutcomeUnknown},
		"a document's placeholder":    {Media{Source: MediaURL("https://example.com/a.jpg")}, `"type":"document","content":"[image]"`, ErrOutcomeUnknown},
		"a document's address":        {Media{Source: MediaURL("https://example.com/a.jpg"), Caption: "look"}, `"type":"document","content":"https://cdn.example/1"`, ErrOutcomeUnknown},
		"a text without words":        {Buttons{Text: "Shall we?", Buttons: []Button{{Label: "Yes", Value: "y"}}}, `"type":"text","content":"{}"`, ErrOutcomeUnknown},
		"another text than buttons":   {Buttons{Text: "Shall we?", Buttons: []Button{{Label: "Yes", Value: "y"}}}, text("Bye"), ErrNotSent},
		"a type of another language":  {Media{Source: MediaURL("https://example.com/a.jpg")}, `"type":"media","content":""`, ErrOutcomeUnknown},
		"a contact, somehow":          {ContactCard{FullName: "Bia", Phone: "5521987654321"}, text("Bye"), ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{}
				inst := a.instance(t)
				_, uncertain := inst.Messages.Send(t.Context(), family, Text("x"))
				outcomeOf(t, uncertain).content.(*attempted).Content = c.content // some cannot be sent any more
				now := time.Now().Add(time.Second)
				made := strings.ReplaceAll(c.item, "SECONDS", strconv.FormatInt(now.Unix(), 10))
				for _, member := range []string{`"id":"A"`, `"fromMe":true`, `"timestamp":"` + now.Format(time.RFC3339) + `"`} {
					if key, _, _ := strings.Cut(member, ":"); !strings.Contains(made, key) {
						made += "," + member
					}
				}
				a.chats = map[string][]string{"*": {"{" + made + "}"}}
				time.Sleep(5 * time.Minute)
				_, err := inst.Messages.Settle(t.Context(), uncertain)
				assert.ErrorIs(t, err, c.want, made)
			})
		})
	}
}

// What did not come from the service, or not whole, has not been looked at.
func TestSettleHasNotLookedWhereAnotherAnswered(t *testing.T) {
	plain := func(status int, body string) func(*http.Request) *http.Response {
		return func(r *http.Request) *http.Response {
			res := jsonResponse(r, body)
			res.StatusCode = status
			res.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat)) // else the clock is the doubt
			return res
		}
	}
	for name, reply := range map[string]func(*http.Request) *http.Response{
		"a page":                    plain(200, "<html>Please log in</html>"),
		"a JSON page":               plain(200, `{"status":"ok"}`),
		"an empty object":           plain(200, `{}`),
		"an empty list":             plain(200, `[]`),
		"null":                      plain(200, `null`),
		"an empty body":             plain(200, ``),
		"no content":                plain(204, ``),
		"no success":                plain(200, `{"messages":[],"count":0}`),
		"a failure":                 plain(200, `{"success":false,"messages":[]}`),
		"no messages":               plain(200, `{"success":true}`),
		"null messages and no more": plain(200, `{"success":true,"messages":null}`),
		"messages of another kind":  plain(200, `{"success":true,"messages":{}}`),
		"messages elsewhere":        plain(200, `{"success":true,"data":{"messages":[]}}`),
		"cut off":                   plain(200, `{"success":true,"messages":[{"id":"B","fromMe":true`),
		"a cut list":                plain(200, `{"success":true,"messages":[{"id":"B","fromMe":false,"timestamp":"2000-01-01T00:00:00Z"}],"count":40,"hasMore":false}`),
		"an emptied list":           plain(200, `{"success":true,"messages":[],"count":2}`),
		"an empty page with more":   plain(200, `{"success":true,"messages":[],"count":0,"hasMore":true}`),
		"a list on its way":         plain(202, `{"success":true,"status":"syncing","messages":[],"count":0,"hasMore":false}`),
		"another chat":              plain(200, `{"success":true,"chat_jid":"120363000000000077@g.us","messages":[],"count":0}`),
		"another person":            plain(200, `{"success":true,"chat_jid":"5521987654321@s.whatsapp.net","messages":[],"count":0}`),
		"a page that is not found":  plain(404, `404 page not found`),
		"a router":                  plain(404, `{"message":"no Route matched with those values"}`),
		"a firewall":                plain(403, `<h1>Forbidden</h1>`),
		"a gateway":                 plain(502, `<h1>Bad gateway</h1>`),
		"not connected":             plain(503, `{"success":false,"error":{"message":"Instance is not connected to WhatsApp"}}`),
		"no such instance":          plain(404, `{"success":false,"error":{"message":"Instance not found"}}`),
		"an old page": func(r *http.Request) *http.Response {
			res := plain(200, `{"success":true,"messages":[],"count":0}`)(r)
			res.Header.Set("X-RateLimit-Remaining", "50")
			res.Header.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(-3*time.Minute).Unix(), 10))
			return res
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{reply: reply}
				inst := a.instance(t)
				_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
				time.Sleep(time.Hour)
				message, err := inst.Messages.Settle(t.Context(), uncertain)
				assert.ErrorIs(t, err, ErrOutcomeUnknown)
				assert.Nil(t, message)
			})
		})
	}
	const empty = `{"success":true,"chat_jid":"120363000000000001@g.us","messages":[],"count":0,"hasMore":false}`
	for name, c := range map[string]struct {
		page  string
		dated bool
		want  error
	}{
		"documented":            {empty, true, ErrNotSent},
		"null messages":         {strings.Replace(empty, "[]", "null", 1), true, ErrNotSent},
		"by a clock of no Date": {empty, false, ErrOutcomeUnknown}, // it may be hours behind
	} {
		synctest.Test(t, func(t *testing.T) {
			reply := func(r *http.Request) *http.Response {
				res := jsonResponse(r, c.page)
				if c.dated {
					res.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
				}
				return res
			}
			inst := (&archive{reply: reply}).instance(t)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			time.Sleep(time.Hour)
			_, err := inst.Messages.Settle(t.Context(), uncertain)
			assert.ErrorIs(t, err, c.want, name)
		})
	}
	for name, broken := range map[string]string{"null": `null`, "a number": `7`, "a text": `"x"`, "nothing told": `{}`} {
		synctest.Test(t, func(t *testing.T) {
			inst := (&archive{chats: map[string][]string{"*": {broken}}}).instance(t)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			time.Sleep(time.Hour)
			_, err := inst.Messages.Settle(t.Context(), uncertain)
			assert.ErrorIs(t, err, ErrOutcomeUnknown, "an item that is %s", name)
		})
	}
}

// A history is read to its end, whatever ends its pages, and a history without
// end leaves a doubt.
func TestSettleReadsAHistoryToItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n       int
		oldest  bool // the first of the list is the oldest
		step    time.Duration
		most    int // of a page
		noDates bool
		there   bool
		want    error
		lookUps int
	}{
		"one page":                     {n: 5, step: time.Second, want: ErrNotSent, lookUps: 2},
		"a maximum of five":            {n: 30, step: time.Second, most: 5, there: true, want: nil, lookUps: 9},
		"a maximum of five, not there": {n: 30, step: time.Second, most: 5, want: ErrNotSent, lookUps: 9},
		"a maximum of two":             {n: 4, step: time.Second, most: 2, there: true, want: nil, lookUps: 5},
		"a full page":                  {n: 99, step: time.Second, there: true, want: nil, lookUps: 2},
		"many pages":                   {n: 950, step: time.Second, there: true, want: nil, lookUps: 12},
		"many pages, not there":        {n: 950, step: time.Second, want: ErrNotSent, lookUps: 12},
		"a maximum that nobody told":   {n: 130, step: time.Second, most: 50, there: true, want: nil, lookUps: 5},
		"a maximum, not there":         {n: 130, step: time.Second, most: 50, want: ErrNotSent, lookUps: 5},
		"all in one second":            {n: 300, there: true, want: nil, lookUps: 6},
		"all in one second, not there": {n: 300, want: ErrNotSent, lookUps: 6},
		"oldest first":                 {n: 300, oldest: true, step: time.Second / 10, there: true, want: nil, lookUps: 4},
		"oldest first, not there":      {n: 300, oldest: true, step: time.Second / 10, want: ErrNotSent, lookUps: 4},
		"no times":                     {n: 300, noDates: true, there: true, want: ErrOutcomeUnknown, lookUps: 4},
		"no end":                       {n: 6000, step: time.Second / 100, there: true, want: ErrOutcomeUnknown, lookUps: 70},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{most: c.most}
				inst := a.instance(t)
				_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
				began := time.Now()
				var items []string // newest first
				for i := range c.n {
					at := began.Add(time.Duration(c.n-i) * c.step)
					one := strings.Replace(item(fmt.Sprint(i), at, "another"), `"fromMe":true`, `"fromMe":false`, 1)
					if c.noDates {
						one = strings.Replace(one, "timestamp", "when", 1)
					}
					items = append(items, one)
				}
				if c.there {
					one := item("HERE", began, "Hello")
					if c.noDates {
						one = strings.Replace(one, "timestamp", "when", 1)
					}
					if items = append(items, one); c.oldest { // then the newest is what a cut page lacks
						items = append([]string{item("HERE", began.Add(time.Duration(c.n+1)*c.step), "Hello")}, items[:c.n]...)
					}
				}
				if c.oldest {
					for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
						items[i], items[j] = items[j], items[i]
					}
				}
				a.chats = map[string][]string{"*": items}
				time.Sleep(time.Hour)
				message, err := inst.Messages.Settle(t.Context(), uncertain)
				require.ErrorIs(t, err, c.want)
				if c.want == nil {
					assert.Equal(t, "HERE", message.ID)
				}
				assert.LessOrEqual(t, a.lookUps, c.lookUps)
			})
		})
	}
}

// A history that always shows the same page, or no page in order, does not tell
// whether there is more.
func TestSettleDoubtsAHistoryThatRepeatsItsPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n       int
		oldest  bool // first
		undated bool
		want    error
	}{
		{n: 5, want: ErrNotSent},
		{n: 12, want: ErrOutcomeUnknown},
		{n: 12, oldest: true, want: ErrOutcomeUnknown},
		{n: 100, undated: true, want: ErrOutcomeUnknown},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &archive{}
			inst := a.instance(t)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			var items []string // newest first
			for i := range c.n {
				one := item(fmt.Sprint(i), time.Now().Add(time.Minute-time.Duration(i)*time.Second/10), "another")
				if c.undated {
					one = strings.Replace(one, "timestamp", "when", 1)
				}
				items = append(items, one)
			}
			if c.oldest {
				slices.Reverse(items)
			}
			a.reply = func(r *http.Request) *http.Response {
				res := jsonResponse(r, `{"success":true,"messages":[`+strings.Join(items, ",")+`]}`)
				res.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
				return res
			}
			time.Sleep(time.Hour)
			_, err := inst.Messages.Settle(t.Context(), uncertain)
			require.ErrorIs(t, err, c.want, "%+v", c)
			assert.Less(t, a.lookUps, 10)
		})
	}
}

// A channel may show its posts as nobody's.
func TestPostInAChannelMayBeNobodys(t *testing.T) {
	for text, want := range map[string]error{"Hello": ErrOutcomeUnknown, "Bye": ErrNotSent} {
		synctest.Test(t, func(t *testing.T) {
			a := &archive{}
			inst := a.instance(t)
			_, uncertain := inst.Messages.SendText(t.Context(), "120363000000000002@newsletter", "Hello")
			post := strings.Replace(item("A", time.Now().Add(time.Second), text), `"fromMe":true`, `"fromMe":false`, 1)
			a.chats = map[string][]string{"*": {post}}
			time.Sleep(time.Hour)
			_, err := inst.Messages.Settle(t.Context(), uncertain)
			require.ErrorIs(t, err, want, text)
		})
	}
}

// One person has up to four addresses; a message is missing only when it is
// under none of them.
func TestSettleLooksUnderEveryAddress(t *testing.T) {
	const lid = "123456789012345@lid"
	contact := `{"found":true,"jid":"5511987654321@s.whatsapp.net","lid":"` + lid + `"}`
	for name, c := range map[string]struct {
		to       JID
		under    string
		contacts map[string]string
		want     error
	}{
		"the phone":                        {ana, "5511987654321", nil, nil},
		"the other form":                   {ana, "551187654321", nil, nil},
		"the other form, the other way":    {"551187654321", "5511987654321", nil, nil},
		"the LID":                          {ana, lid, map[string]string{"5511987654321": contact}, nil},
		"the phone of a LID":               {lid, "5511987654321", map[string]string{lid: contact}, nil},
		"the other form of a LID's phone":  {lid, "551187654321", map[string]string{lid: contact}, nil},
		"a LID that is another's":          {ana, lid, map[string]string{"5511987654321": `{"found":true,"jid":"5521987654321@s.whatsapp.net","lid":"` + lid + `"}`}, ErrOutcomeUnknown},
		"a contact that is nobody":         {ana, lid, map[string]string{"5511987654321": `{}`}, ErrOutcomeUnknown},
		"a contact without its phone":      {ana, lid, map[string]string{"5511987654321": `{"found":true,"lid":"` + lid + `"}`}, ErrOutcomeUnknown},
		"a LID of another form":            {ana, lid, map[string]string{"5511987654321": `{"found":true,"jid":"5511987654321","lid":{"user":"123456789012345"}}`}, ErrOutcomeUnknown},
		"a phone of another LID":           {lid, ana.wire(), map[string]string{lid: `{"found":true,"jid":"5511987654321","lid":"999999999999999@lid"}`}, ErrOutcomeUnknown},
		"a contact without a LID":          {ana, "none", map[string]string{"5511987654321": `{"found":true,"jid":"5511987654321","lid":null}`}, ErrNotSent},
		"a LID without a phone":            {lid, "none", map[string]string{lid: `{"found":true,"jid":"` + lid + `","lid":"` + lid + `"}`}, ErrNotSent},
		"none":                             {ana, "none", map[string]string{"5511987654321": contact}, ErrNotSent},
		"none, and no contact":             {ana, "none", nil, ErrNotSent},
		"contacts that cannot be asked":    {ana, "none", map[string]string{"5511987654321": `null`}, ErrOutcomeUnknown},
		"a group is asked for nobody else": {family, "none", nil, ErrNotSent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{contacts: c.contacts}
				inst := a.instance(t)
				_, uncertain := inst.Messages.SendText(t.Context(), c.to, "Hello")
				a.chats = map[string][]string{c.under: {item("A", time.Now().Add(time.Second), "Hello")}}
				time.Sleep(time.Hour)
				_, err := inst.Messages.Settle(t.Context(), uncertain)
				assert.ErrorIs(t, err, c.want)
			})
		})
	}
}

// More messages than are remembered were sent since: one of them may be the one
// that fits.
func TestSettleKnowsThatItForgetsItsOwnMessages(t *testing.T) {
	for _, c := range []struct {
		during, since int
		want          error
	}{
		{0, 0, nil}, {0, mostRecentIDs, nil}, {0, mostRecentIDs + 1, ErrOutcomeUnknown}, {2 * mostRecentIDs, 0, ErrOutcomeUnknown}, {100, 100, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &archive{}
			inst := a.instance(t)
			for i := range 3 * mostRecentIDs { // long before
				inst.Client().accepted.add(fmt.Sprint("before ", i), time.Time{}, time.Time{})
			}
			time.Sleep(time.Minute)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			began := time.Now()
			time.Sleep(time.Second)
			for i := range c.during {
				inst.Client().accepted.add(fmt.Sprint("during ", i), time.Time{}, time.Time{})
			}
			outcomeOf(t, uncertain).content.(*attempted).others = inst.Client().accepted.snapshot() // as if the reply was lost only now
			for i := range c.since {
				inst.Client().accepted.add(fmt.Sprint("since ", i), time.Time{}, time.Time{})
			}
			a.chats = map[string][]string{"*": {item("A", began, "Hello")}}
			time.Sleep(time.Minute)
			_, err := inst.Messages.Settle(t.Context(), uncertain)
			assert.ErrorIs(t, err, c.want, "%d during, %d since", c.during, c.since)
		})
	}
}

// An event that could be the echo keeps a message from being called missing; the
// label alone makes it the one.
func TestSettleDoubtsEchoesThatFitBadly(t *testing.T) {
	for name, c := range map[string]struct {
		change func(e *Event, m *MessageEvent)
		want   error
	}{
		"the echo":                  {func(*Event, *MessageEvent) {}, nil},
		"no label":                  {func(_ *Event, m *MessageEvent) { m.Source = "" }, ErrOutcomeUnknown},
		"another label":             {func(_ *Event, m *MessageEvent) { m.Source = "api" }, ErrNotSent},
		"no time":                   {func(_ *Event, m *MessageEvent) { m.Timestamp = time.Time{} }, ErrOutcomeUnknown},
		"a little early":            {func(_ *Event, m *MessageEvent) { m.Timestamp = m.Timestamp.Add(-3 * time.Second) }, ErrOutcomeUnknown},
		"hours early":               {func(_ *Event, m *MessageEvent) { m.Timestamp = m.Timestamp.Add(-3 * time.Hour) }, ErrOutcomeUnknown},
		"hours late":                {func(_ *Event, m *MessageEvent) { m.Timestamp = m.Timestamp.Add(3 * time.Hour) }, ErrOutcomeUnknown},
		"no id":                     {func(_ *Event, m *MessageEvent) { m.ID = "" }, ErrOutcomeUnknown},
		"a trimmed text":            {func(_ *Event, m *MessageEvent) { m.Text = "Hello " }, ErrOutcomeUnknown},
		"another text":              {func(_ *Event, m *MessageEvent) { m.Text = "Bye" }, ErrNotSent},
		"another type":              {func(_ *Event, m *MessageEvent) { m.Type = MessageImage }, ErrOutcomeUnknown},
		"of another instance":       {func(e *Event, _ *MessageEvent) { e.Instance = "other" }, ErrNotSent},
		"of an instance, untold":    {func(e *Event, _ *MessageEvent) { e.Instance = "" }, nil},
		"under a LID, untold":       {func(_ *Event, m *MessageEvent) { m.Chat = EventChat{JID: "123456789012345@lid"} }, ErrOutcomeUnknown},
		"of another person":         {func(_ *Event, m *MessageEvent) { m.Chat.JID = "5521987654321@s.whatsapp.net" }, ErrNotSent},
		"in the other form":         {func(_ *Event, m *MessageEvent) { m.Chat.JID = "551187654321@s.whatsapp.net" }, nil},
		"incoming":                  {func(_ *Event, m *MessageEvent) { m.Direction = DirectionIncoming }, ErrNotSent},
		"an edit of something else": {func(_ *Event, m *MessageEvent) { m.Edit = &EventEdit{Text: "Hello"} }, ErrNotSent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inst := (&archive{}).instance(t)
				_, uncertain := inst.Messages.SendText(t.Context(), ana, "Hello", SourceLabel("job-7"))
				m := &MessageEvent{ID: "E", Direction: DirectionOutgoing, Timestamp: time.Now(), Chat: EventChat{JID: anaFull}, Type: MessageText, Text: "Hello", Source: "job-7"}
				event := &Event{Type: EventMessage, Instance: "support", Data: m}
				c.change(event, m)
				time.Sleep(time.Hour)
				assert.Equal(t, c.want == nil, outcomeOf(t, uncertain).IsEcho(event))
				_, err := inst.Messages.Settle(t.Context(), uncertain, SettleWith(event))
				assert.ErrorIs(t, err, c.want)
			})
		})
	}
}

// A private answer goes to a chat that is not known beforehand: only the message
// that it quotes tells its echo from that of another.
func TestPrivateAnswersAreSettledByTheirQuote(t *testing.T) {
	inst, _ := script(t, scriptedReply{status: 502})
	_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello", ReplyPrivate("Q"))
	echo := func(chat JID, reply *EventReply) *Event {
		return &Event{Type: EventMessage, Data: &MessageEvent{
			ID: "E", Direction: DirectionOutgoing, Timestamp: time.Now().Add(time.Second), Chat: EventChat{JID: chat}, Type: MessageText,
			Text: "Hello", Source: "ryze-go", Reply: reply,
		}}
	}
	for _, c := range []struct {
		event *Event
		want  error
	}{
		{echo(anaFull, &EventReply{MessageID: "Q"}), nil},
		{echo("123456789012345@lid", &EventReply{MessageID: "Q"}), nil},
		{echo(family, &EventReply{MessageID: "Q"}), nil}, // the service ignored the redirection
		{echo(anaFull, &EventReply{MessageID: "R"}), ErrOutcomeUnknown},
		{echo(anaFull, nil), ErrOutcomeUnknown},
		{echo("120363000000000077@g.us", &EventReply{MessageID: "Q"}), ErrOutcomeUnknown},
	} {
		_, err := inst.Messages.Settle(t.Context(), uncertain, SettleWith(c.event))
		assert.ErrorIs(t, err, c.want, "%v", c.event.Data)
	}
}

// What an application wrote down is believed no further than it goes.
func TestFindDoubtsTheTimeOfARecord(t *testing.T) {
	for name, c := range map[string]struct {
		sentAt, stamp time.Duration // from now
		delay         time.Duration
		want          error
	}{
		"an hour ago":                      {-time.Hour, -time.Hour, 0, nil},
		"an hour ago, after a wait":        {-time.Hour, -time.Hour + 6*time.Minute, 0, nil},
		"an hour ago, and now":             {-time.Hour, 0, 0, ErrOutcomeUnknown},
		"an hour ago, not there":           {-time.Hour, -3 * time.Hour, 0, ErrNotSent},
		"just now, not there":              {-time.Second, -3 * time.Hour, 0, ErrOutcomeUnknown},
		"with a delay that is not over":    {-time.Hour, -3 * time.Hour, time.Hour, ErrOutcomeUnknown},
		"in the future":                    {time.Hour, -time.Second, 0, ErrOutcomeUnknown},
		"in the future, not there":         {time.Hour, -3 * time.Hour, 0, ErrOutcomeUnknown},
		"in the future, as far as it says": {time.Hour, time.Hour, 0, ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{chats: map[string][]string{"*": {item("A", time.Now().Add(c.stamp), "Hello")}}}
				_, err := a.instance(t).Messages.Find(t.Context(), Attempt{To: family, Content: Text("Hello"), SentAt: time.Now().Add(c.sentAt), Delay: c.delay})
				assert.ErrorIs(t, err, c.want)
			})
		})
	}
}

func TestSettleRefusesANilOption(t *testing.T) {
	inst, _ := script(t, scriptedReply{status: 502})
	_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
	_, err := inst.Messages.Settle(t.Context(), uncertain, nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
}

// However a text was changed on its way, its message is not said to be absent.
func TestTextChangedOnItsWayLeavesADoubt(t *testing.T) {
	for _, c := range []struct{ wanted, stored string }{
		{"Hello there", "Hello ther"}, {"Hello there", "Hello the"}, {"Hello there", "Hello there!"}, {"Hello there", "Hello there\n-- sent by X"}, //nolint:misspell // cut on purpose
		{"Hello there", `{"text":"Hello there"}`}, {"Hello there", "HELLO THERE"}, {"a *bold* word", "a bold word"}, {"it's 5", "it\u2019s 5"},
		{"Your order 7 is on its way to you", "Your order 7 is on it"}, {"https://x.com", "https://x.com/"},
		{"Promo \U0001f600 now", "Promo ? now"}, {"Promo \U0001f600 now", "Promo \ufffd now"}, {"Promo \U0001f600 now", "Promo"},
		{"Ol\u00e1 Jo\u00e3o", "Ola Joao"}, {"Ol\u00e1 Jo\u00e3o", "Ol? Jo?o"}, {"Ol\u00e1 Jo\u00e3o", "Ol\u00c3\u00a1 Jo\u00c3\u00a3o"},
		{"Tom & Jerry", "Tom &amp; Jerry"}, {"it's 5", "it&#39;s 5"}, {"find it", "\ufb01nd it"}, {"a<b is so", `a\u003cb is so`},
		{"\u3053\u3093\u306b\u3061\u306f", "?????"}, {"\U0001f600", "?"}, {"ok", "OK."},
	} {
		o := Text(c.wanted).outline()
		assert.NotEqual(t, unfit, o.weigh(MessageText, c.stored), "%q as %q", c.wanted, c.stored)
	}
	for _, c := range []struct{ wanted, stored string }{
		{"Hello", "Bye"}, {"Your order is on its way", "Good morning!"}, {"ok", "no"}, {"Lunch at noon?", "The meeting was moved"},
	} {
		assert.Equal(t, unfit, Text(c.wanted).outline().weigh(MessageText, c.stored), "%q is not %q", c.wanted, c.stored)
	}
	caption := Media{Kind: MediaImage, Caption: "look"}.outline()
	assert.Equal(t, doubtful, caption.weigh(MessageImage, "https://mmg.example/x.enc"))
}

// The next code of the same template resembles the one looked for, and has words
// of its own: it makes no doubt of the one that fits in everything. Where only the
// next one is there, it stays a doubt.
func TestSettleTellsOneCodeFromTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &archive{}
		inst := a.instance(t)
		_, first := inst.Messages.SendText(t.Context(), family, "Your code is 482913")
		_, second := inst.Messages.SendText(t.Context(), family, "Your code is 550172")
		_, third := inst.Messages.SendText(t.Context(), family, "Your code is 913550")
		now := time.Now()
		time.Sleep(time.Hour)
		a.chats = map[string][]string{"*": {item("A", now, "Your code is 482913"), item("B", now, "Your code is 550172")}}
		message, err := inst.Messages.Settle(t.Context(), first)
		require.NoError(t, err)
		assert.Equal(t, "A", message.ID)
		message, err = inst.Messages.Settle(t.Context(), second)
		require.NoError(t, err)
		assert.Equal(t, "B", message.ID)
		_, err = inst.Messages.Settle(t.Context(), third)
		require.ErrorIs(t, err, errSeveral)
		_, err = inst.Messages.Settle(t.Context(), third, SettleExcept("A", "B"))
		require.ErrorIs(t, err, ErrNotSent)

		a.chats["*"] = append(a.chats["*"], item("C", now, "Your code is 482913"))
		_, err = inst.Messages.Settle(t.Context(), first)
		require.ErrorIs(t, err, errSeveral)
	})
}
