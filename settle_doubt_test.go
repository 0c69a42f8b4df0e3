package ryze

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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
	date     func() time.Duration                 // how far Date is ahead; none when nil
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
	if a.date != nil {
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
		want   Settlement
	}{
		"all agree":                                   {stamp: 0, want: Sent},
		"all agree, later":                            {stamp: 90 * time.Second, want: Sent},
		"all agree, too late to be sure":              {stamp: 4 * time.Minute, want: StillUnknown},
		"all agree, a second before":                  {stamp: -time.Second, want: StillUnknown},
		"all agree, a minute before":                  {stamp: -time.Minute, want: StillUnknown},
		"all agree, an hour before":                   {stamp: -time.Hour, want: NotFound},
		"one reply ahead":                             {dates: []time.Duration{4 * time.Second}, stamp: 0, want: StillUnknown},
		"one reply ahead, a second before":            {dates: []time.Duration{4 * time.Second}, stamp: -time.Second, want: StillUnknown},
		"one reply ahead, as it says":                 {dates: []time.Duration{4 * time.Second}, stamp: 4 * time.Second, want: Sent},
		"one reply far ahead":                         {dates: []time.Duration{time.Hour}, stamp: time.Second, want: StillUnknown},
		"one reply far ahead, as it says":             {dates: []time.Duration{time.Hour}, stamp: time.Hour, want: Sent},
		"one reply far ahead, and an hour before":     {dates: []time.Duration{time.Hour}, stamp: -time.Hour, want: NotFound},
		"one reply behind":                            {dates: []time.Duration{-4 * time.Second}, stamp: 0, want: Sent},
		"one reply behind, as it says":                {dates: []time.Duration{-4 * time.Second}, stamp: -4 * time.Second, want: StillUnknown},
		"one reply far behind":                        {dates: []time.Duration{-time.Hour}, stamp: 0, want: Sent},
		"one reply far behind, as it says":            {dates: []time.Duration{-time.Hour}, stamp: -time.Hour, want: StillUnknown},
		"only Settle learns that it is behind":        {later: -time.Hour, stamp: -time.Hour, want: StillUnknown},
		"only Settle learns that it is ahead":         {later: time.Hour, stamp: 0, want: StillUnknown},
		"only Settle learns, and as it says":          {later: time.Hour, stamp: time.Hour, want: Sent},
		"messages are stamped behind":                 {later: -time.Hour, stamps: []time.Duration{-time.Hour}, stamp: -time.Hour, want: Sent},
		"messages are stamped behind, and one before": {later: -time.Hour, stamps: []time.Duration{-time.Hour}, stamp: -time.Hour - 2*time.Second, want: StillUnknown},
		"messages are stamped ahead":                  {stamps: []time.Duration{time.Hour}, stamp: 0, want: StillUnknown},
		"messages are stamped ahead, as it says":      {stamps: []time.Duration{time.Hour}, stamp: time.Hour, want: Sent},
		"servers stamp differently":                   {stamps: []time.Duration{0, -time.Hour}, stamp: -time.Hour, want: StillUnknown},
		"servers stamp differently, and as one":       {stamps: []time.Duration{0, -time.Hour}, stamp: 0, want: Sent},
		"servers stamp differently, ahead":            {stamps: []time.Duration{0, 10 * time.Second}, stamp: 0, want: StillUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{date: func() time.Duration { return c.later }}
				inst := a.instance(t)
				for _, d := range c.dates {
					inst.Client().skew.observe(time.Now().Add(d), time.Now())
				}
				for i, d := range c.stamps {
					inst.Client().accepted.stamped(time.Now().Add(d), time.Now())
					inst.Client().accepted.add(strconv.Itoa(i))
				}
				_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
				a.chats = map[string][]string{"*": {item("A", time.Now().Add(c.stamp), "Hello")}}
				time.Sleep(5 * time.Minute)
				settlement, message, err := inst.Messages.Settle(t.Context(), uncertain)
				require.NoError(t, err)
				assert.Equal(t, c.want, settlement)
				assert.Equal(t, c.want == Sent, message != nil)
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
		want    Settlement
	}{
		"exact":                       {Text("Olá 😀"), text("Olá 😀"), Sent},
		"trimmed":                     {Text(" Hello\n"), text("Hello"), StillUnknown},
		"line ends":                   {Text("a\r\nb"), `"type":"text","content":"a\nb"`, StillUnknown},
		"old line ends":               {Text("a\nb"), `"type":"text","content":"a\rb"`, StillUnknown},
		"blanks become one":           {Text("a   b"), text("a b"), StillUnknown},
		"a hard blank":                {Text("a\u00a0b"), text("a b"), StillUnknown},
		"composed":                    {Text("Sao\u0303 Paulo"), text("Saõ Paulo"), StillUnknown},
		"decomposed":                  {Text("São Paulo é"), `"type":"text","content":"Sa\u0303o Paulo e\u0301"`, StillUnknown},
		"Vietnamese":                  {Text("Việt Nam"), `"type":"text","content":"Vie\u0323\u0302t Nam"`, StillUnknown},
		"Korean":                      {Text("한글"), `"type":"text","content":"\u1112\u1161\u11ab\u1100\u1173\u11af"`, StillUnknown},
		"other accents":               {Text("avó"), text("avo"), StillUnknown},
		"variation selector":          {Text("❤\ufe0f"), text("❤"), StillUnknown},
		"variation selector added":    {Text("❤ ok"), `"type":"text","content":"❤\ufe0f ok"`, StillUnknown},
		"zero width":                  {Text("a\u200bb"), text("ab"), StillUnknown},
		"a broken character":          {Text("Promo 😀"[:9]), `"type":"text","content":"Promo \ufffd\ufffd\ufffd"`, StillUnknown},
		"control characters":          {Text("a\x00b"), text("ab"), StillUnknown},
		"cut to a limit":              {Text(long), text(long[:256]), StillUnknown},
		"cut, with an ellipsis":       {Text(long), text("Your order…"), StillUnknown},
		"cut, with dots":              {Text(long), text("Your order..."), StillUnknown},
		"only the begin":              {Text(long), text("Your order"), StillUnknown},
		"a mention by name":           {Text("Hi @5511987654321, all well?"), text("Hi @Ana Maria, all well?"), StillUnknown},
		"a mention by LID":            {Text("@5511987654321 hi"), text("@123456789012345 hi"), StillUnknown},
		"a mention, other words":      {Text("Hi @5511987654321, all well?"), text("Hi @Ana, bye"), NotFound},
		"an address is no mention":    {Text("ask a@1.example"), text("tell b"), NotFound},
		"other words":                 {Text("Hello"), text("Bye"), NotFound},
		"another case":                {Text("Hello"), text("hello"), StillUnknown},
		"a link's own type":           {Text("https://x.example"), `"type":"link","content":"https://x.example"`, StillUnknown},
		"a text as an object":         {Text("Hello"), `"type":"text","content":{"text":"Hello"}`, StillUnknown},
		"a text under another name":   {Text("Hello"), `"type":"text","text":"Hello"`, StillUnknown},
		"a null text":                 {Text("Hello"), `"type":"text","content":null`, StillUnknown},
		"edited since":                {Text("Hello"), `"type":"text","content":"Bye","isEdit":true`, StillUnknown},
		"edited since, an object":     {Text("Hello"), `"type":"text","content":"Bye","edit":{"originalContent":"Hello"}`, StillUnknown},
		"not edited":                  {Text("Hello"), `"type":"text","content":"Bye","isEdit":false,"edit":null,"deletedAt":""`, NotFound},
		"an edit":                     {Text("Hello"), `"type":"message_edit","content":"Bye"`, StillUnknown},
		"revoked since":               {Text("Hello"), `"type":"message_revoke","content":""`, StillUnknown},
		"revoked since, by a flag":    {Text("Hello"), `"type":"text","content":"gone","revoked":true`, StillUnknown},
		"no direction":                {Text("Hello"), text("Hello") + `,"fromMe":null`, StillUnknown},
		"a direction of another kind": {Text("Hello"), text("Hello") + `,"fromMe":"yes"`, StillUnknown},
		"from the other side":         {Text("Hello"), text("Hello") + `,"fromMe":false`, NotFound},
		"another's label":             {Text("Hello"), text("Hello") + `,"source":"n8n"`, StillUnknown},
		"our label":                   {Text("Hello"), text("Hello") + `,"source":"ryze-go"`, Sent},
		"a numeric id":                {Text("Hello"), text("Hello") + `,"id":7`, Sent},
		"an empty id":                 {Text("Hello"), text("Hello") + `,"id":""`, StillUnknown},
		"time in seconds":             {Text("Hello"), text("Hello") + `,"timestamp":SECONDS`, Sent},
		"time in seconds, as text":    {Text("Hello"), text("Hello") + `,"timestamp":"SECONDS"`, Sent},
		"time in milliseconds":        {Text("Hello"), text("Hello") + `,"timestamp":SECONDS000`, Sent},
		"time in microseconds":        {Text("Hello"), text("Hello") + `,"timestamp":SECONDS000000`, StillUnknown},
		"no time":                     {Text("Hello"), text("Hello") + `,"timestamp":null`, StillUnknown},
		"zero time":                   {Text("Hello"), text("Hello") + `,"timestamp":"0001-01-01T00:00:00Z"`, StillUnknown},
		"zero time of Unix":           {Text("Hello"), text("Hello") + `,"timestamp":"1970-01-01T00:00:00Z"`, StillUnknown},
		"zero seconds":                {Text("Hello"), text("Hello") + `,"timestamp":0`, StillUnknown},
		"a time without a zone":       {Text("Hello"), text("Hello") + `,"timestamp":"2000-01-01T00:00:00"`, StillUnknown},
		"a time in the future":        {Text("Hello"), text("Hello") + `,"timestamp":"2030-01-01T00:00:00Z"`, StillUnknown},
		"another chat":                {Text("Hello"), text("Hello") + `,"chatJid":"120363000000000077@g.us"`, StillUnknown},
		"a private chat":              {Text("Hello"), text("Bye") + `,"chatJid":"5521987654321@s.whatsapp.net"`, StillUnknown},
		"a placeholder for a file":    {Media{Source: MediaURL("https://example.com/a.jpg")}, `"type":"image","content":"a.jpg"`, StillUnknown},
		"a placeholder for a sticker": {Sticker{MediaURL("https://example.com/a.png")}, `"type":"sticker","content":"[sticker]"`, StillUnknown},
		"a caption, trimmed":          {Media{Source: MediaURL("https://example.com/a.jpg"), Caption: "look "}, `"type":"image","content":"look"`, StillUnknown},
		"a file as a document":        {Media{Source: MediaURL("https://example.com/a.jpg"), Caption: "look"}, `"type":"document","content":"look"`, StillUnknown},
		"a type of another language":  {Media{Source: MediaURL("https://example.com/a.jpg")}, `"type":"media","content":""`, StillUnknown},
		"a contact, somehow":          {ContactCard{FullName: "Bia", Phone: "5521987654321"}, text("Bye"), StillUnknown},
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
				settlement, _, err := inst.Messages.Settle(t.Context(), uncertain)
				require.NoError(t, err)
				assert.Equal(t, c.want, settlement, made)
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
		"another chat":              plain(200, `{"success":true,"chat_jid":"120363000000000077@g.us","messages":[],"count":0}`),
		"another person":            plain(200, `{"success":true,"chat_jid":"5521987654321@s.whatsapp.net","messages":[],"count":0}`),
		"a page that is not found":  plain(404, `404 page not found`),
		"a router":                  plain(404, `{"message":"no Route matched with those values"}`),
		"a firewall":                plain(403, `<h1>Forbidden</h1>`),
		"a gateway":                 plain(502, `<h1>Bad gateway</h1>`),
		"not connected":             plain(503, `{"success":false,"error":{"message":"Instance is not connected to WhatsApp"}}`),
		"no such instance":          plain(404, `{"success":false,"error":{"message":"Instance not found"}}`),
		"an old page": func(r *http.Request) *http.Response {
			res := jsonResponse(r, `{"success":true,"messages":[],"count":0}`)
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
				settlement, message, err := inst.Messages.Settle(t.Context(), uncertain)
				require.Error(t, err)
				require.NotErrorIs(t, err, ErrOutcomeUnknown)
				assert.Equal(t, StillUnknown, settlement)
				assert.Nil(t, message)
			})
		})
	}
	for name, page := range map[string]string{
		"documented":    `{"success":true,"chat_jid":"120363000000000001@g.us","messages":[],"count":0,"hasMore":false}`,
		"null messages": `{"success":true,"chat_jid":"120363000000000001@g.us","messages":null,"count":0,"hasMore":false}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			inst := (&archive{reply: plain(200, page)}).instance(t)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			time.Sleep(time.Hour)
			settlement, _, err := inst.Messages.Settle(t.Context(), uncertain)
			require.NoError(t, err)
			assert.Equal(t, NotFound, settlement, name)
		})
	}
	for name, broken := range map[string]string{"null": `null`, "a number": `7`, "a text": `"x"`, "nothing told": `{}`} {
		synctest.Test(t, func(t *testing.T) {
			inst := (&archive{chats: map[string][]string{"*": {broken}}}).instance(t)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			time.Sleep(time.Hour)
			settlement, _, err := inst.Messages.Settle(t.Context(), uncertain)
			require.NoError(t, err)
			assert.Equal(t, StillUnknown, settlement, "an item that is %s", name)
		})
	}
}

// A history is read to its end, whatever ends its pages, and a history without
// end leaves a doubt.
func TestSettleReadsAHistoryToItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		n       int
		oldest  bool // the first of the list is the oldest
		step    time.Duration
		most    int // of a page
		noDates bool
		there   bool
		want    Settlement
		lookUps int
	}{
		"one page":                     {n: 5, step: time.Second, want: NotFound, lookUps: 1},
		"a full page":                  {n: 99, step: time.Second, there: true, want: Sent, lookUps: 2},
		"many pages":                   {n: 950, step: time.Second, there: true, want: Sent, lookUps: 12},
		"many pages, not there":        {n: 950, step: time.Second, want: NotFound, lookUps: 12},
		"a maximum that nobody told":   {n: 130, step: time.Second, most: 50, there: true, want: Sent, lookUps: 5},
		"a maximum, not there":         {n: 130, step: time.Second, most: 50, want: NotFound, lookUps: 5},
		"all in one second":            {n: 300, there: true, want: Sent, lookUps: 6},
		"all in one second, not there": {n: 300, want: NotFound, lookUps: 6},
		"oldest first":                 {n: 300, oldest: true, step: time.Second / 10, there: true, want: Sent, lookUps: 4},
		"oldest first, not there":      {n: 300, oldest: true, step: time.Second / 10, want: NotFound, lookUps: 4},
		"no times":                     {n: 300, noDates: true, there: true, want: StillUnknown, lookUps: 4},
		"no end":                       {n: 6000, step: time.Second / 100, there: true, want: StillUnknown, lookUps: 70},
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
				settlement, message, err := inst.Messages.Settle(t.Context(), uncertain)
				if c.want != StillUnknown {
					require.NoError(t, err)
				}
				require.Equal(t, c.want, settlement)
				if c.want == Sent {
					assert.Equal(t, "HERE", message.ID)
				}
				assert.LessOrEqual(t, a.lookUps, c.lookUps)
			})
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
		want     Settlement
	}{
		"the phone":                        {ana, "5511987654321", nil, Sent},
		"the other form":                   {ana, "551187654321", nil, Sent},
		"the other form, the other way":    {"551187654321", "5511987654321", nil, Sent},
		"the LID":                          {ana, lid, map[string]string{"5511987654321": contact}, Sent},
		"the phone of a LID":               {lid, "5511987654321", map[string]string{lid: contact}, Sent},
		"the other form of a LID's phone":  {lid, "551187654321", map[string]string{lid: contact}, Sent},
		"a LID that is another's":          {ana, lid, map[string]string{"5511987654321": `{"found":true,"jid":"5521987654321@s.whatsapp.net","lid":"` + lid + `"}`}, NotFound},
		"none":                             {ana, "none", map[string]string{"5511987654321": contact}, NotFound},
		"none, and no contact":             {ana, "none", nil, NotFound},
		"contacts that cannot be asked":    {ana, "none", map[string]string{"5511987654321": `null`}, StillUnknown},
		"a group is asked for nobody else": {family, "none", nil, NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{contacts: c.contacts}
				inst := a.instance(t)
				_, uncertain := inst.Messages.SendText(t.Context(), c.to, "Hello")
				a.chats = map[string][]string{c.under: {item("A", time.Now().Add(time.Second), "Hello")}}
				time.Sleep(time.Hour)
				settlement, _, err := inst.Messages.Settle(t.Context(), uncertain)
				assert.Equal(t, c.want, settlement)
				assert.Equal(t, c.want == StillUnknown, err != nil)
			})
		})
	}
}

// More messages than are remembered were sent since: one of them may be the one
// that fits.
func TestSettleKnowsThatItForgetsItsOwnMessages(t *testing.T) {
	for _, c := range []struct {
		during, since int
		want          Settlement
	}{
		{0, 0, Sent}, {0, mostRecentIDs, Sent}, {0, mostRecentIDs + 1, StillUnknown}, {2 * mostRecentIDs, 0, StillUnknown}, {100, 100, Sent},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &archive{}
			inst := a.instance(t)
			for i := range 3 * mostRecentIDs { // long before
				inst.Client().accepted.add(fmt.Sprint("before ", i))
			}
			time.Sleep(time.Minute)
			_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
			began := time.Now()
			time.Sleep(time.Second)
			for i := range c.during {
				inst.Client().accepted.add(fmt.Sprint("during ", i))
			}
			outcomeOf(t, uncertain).content.(*attempted).others = inst.Client().accepted.snapshot() // as if the reply was lost only now
			for i := range c.since {
				inst.Client().accepted.add(fmt.Sprint("since ", i))
			}
			a.chats = map[string][]string{"*": {item("A", began, "Hello")}}
			time.Sleep(time.Minute)
			settlement, _, err := inst.Messages.Settle(t.Context(), uncertain)
			require.NoError(t, err)
			assert.Equal(t, c.want, settlement, "%d during, %d since", c.during, c.since)
		})
	}
}

// An event that could be the echo keeps a message from being called missing; the
// label alone makes it the one.
func TestSettleDoubtsEchoesThatFitBadly(t *testing.T) {
	for name, c := range map[string]struct {
		change func(e *Event, m *MessageEvent)
		want   Settlement
	}{
		"the echo":                  {func(*Event, *MessageEvent) {}, Sent},
		"no label":                  {func(_ *Event, m *MessageEvent) { m.Source = "" }, StillUnknown},
		"another label":             {func(_ *Event, m *MessageEvent) { m.Source = "api" }, NotFound},
		"no time":                   {func(_ *Event, m *MessageEvent) { m.Timestamp = time.Time{} }, StillUnknown},
		"a little early":            {func(_ *Event, m *MessageEvent) { m.Timestamp = m.Timestamp.Add(-3 * time.Second) }, StillUnknown},
		"hours early":               {func(_ *Event, m *MessageEvent) { m.Timestamp = m.Timestamp.Add(-3 * time.Hour) }, StillUnknown},
		"hours late":                {func(_ *Event, m *MessageEvent) { m.Timestamp = m.Timestamp.Add(3 * time.Hour) }, StillUnknown},
		"no id":                     {func(_ *Event, m *MessageEvent) { m.ID = "" }, StillUnknown},
		"a trimmed text":            {func(_ *Event, m *MessageEvent) { m.Text = "Hello " }, StillUnknown},
		"another text":              {func(_ *Event, m *MessageEvent) { m.Text = "Bye" }, NotFound},
		"another type":              {func(_ *Event, m *MessageEvent) { m.Type = MessageImage }, StillUnknown},
		"of another instance":       {func(e *Event, _ *MessageEvent) { e.Instance = "other" }, NotFound},
		"of an instance, untold":    {func(e *Event, _ *MessageEvent) { e.Instance = "" }, Sent},
		"under a LID, untold":       {func(_ *Event, m *MessageEvent) { m.Chat = EventChat{JID: "123456789012345@lid"} }, StillUnknown},
		"of another person":         {func(_ *Event, m *MessageEvent) { m.Chat.JID = "5521987654321@s.whatsapp.net" }, NotFound},
		"in the other form":         {func(_ *Event, m *MessageEvent) { m.Chat.JID = "551187654321@s.whatsapp.net" }, Sent},
		"incoming":                  {func(_ *Event, m *MessageEvent) { m.Direction = DirectionIncoming }, NotFound},
		"an edit of something else": {func(_ *Event, m *MessageEvent) { m.Edit = &EventEdit{Text: "Hello"} }, NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inst := (&archive{}).instance(t)
				_, uncertain := inst.Messages.SendText(t.Context(), ana, "Hello", SourceLabel("job-7"))
				m := &MessageEvent{ID: "E", Direction: DirectionOutgoing, Timestamp: time.Now(), Chat: EventChat{JID: anaFull}, Type: MessageText, Text: "Hello", Source: "job-7"}
				event := &Event{Type: EventMessage, Instance: "support", Data: m}
				c.change(event, m)
				time.Sleep(time.Hour)
				assert.Equal(t, c.want == Sent, outcomeOf(t, uncertain).IsEcho(event))
				settlement, _, err := inst.Messages.Settle(t.Context(), uncertain, SettleWith(event))
				require.NoError(t, err)
				assert.Equal(t, c.want, settlement)
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
		want  Settlement
	}{
		{echo(anaFull, &EventReply{MessageID: "Q"}), Sent},
		{echo("123456789012345@lid", &EventReply{MessageID: "Q"}), Sent},
		{echo(family, &EventReply{MessageID: "Q"}), Sent}, // the service ignored the redirection
		{echo(anaFull, &EventReply{MessageID: "R"}), StillUnknown},
		{echo(anaFull, nil), StillUnknown},
		{echo("120363000000000077@g.us", &EventReply{MessageID: "Q"}), StillUnknown},
	} {
		settlement, _, err := inst.Messages.Settle(t.Context(), uncertain, SettleWith(c.event))
		require.NoError(t, err)
		assert.Equal(t, c.want, settlement, "%v", c.event.Data)
	}
}

// What an application wrote down is believed no further than it goes.
func TestFindDoubtsTheTimeOfARecord(t *testing.T) {
	for name, c := range map[string]struct {
		sentAt, stamp time.Duration // from now
		delay         time.Duration
		want          Settlement
	}{
		"an hour ago":                      {-time.Hour, -time.Hour, 0, Sent},
		"an hour ago, after a wait":        {-time.Hour, -time.Hour + 6*time.Minute, 0, Sent},
		"an hour ago, and now":             {-time.Hour, 0, 0, StillUnknown},
		"an hour ago, not there":           {-time.Hour, -3 * time.Hour, 0, NotFound},
		"just now, not there":              {-time.Second, -3 * time.Hour, 0, StillUnknown},
		"with a delay that is not over":    {-time.Hour, -3 * time.Hour, time.Hour, StillUnknown},
		"in the future":                    {time.Hour, -time.Second, 0, StillUnknown},
		"in the future, not there":         {time.Hour, -3 * time.Hour, 0, StillUnknown},
		"in the future, as far as it says": {time.Hour, time.Hour, 0, StillUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &archive{chats: map[string][]string{"*": {item("A", time.Now().Add(c.stamp), "Hello")}}}
				settlement, _, err := a.instance(t).Messages.Find(t.Context(), Attempt{To: family, Content: Text("Hello"), SentAt: time.Now().Add(c.sentAt), Delay: c.delay})
				require.NoError(t, err)
				assert.Equal(t, c.want, settlement)
			})
		})
	}
}

func TestSettleRefusesANilOption(t *testing.T) {
	inst, _ := script(t, scriptedReply{status: 502})
	_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
	_, _, err := inst.Messages.Settle(t.Context(), uncertain, nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
}

// However a text was changed on its way, its message is not said to be absent.
func TestTextChangedOnItsWayLeavesADoubt(t *testing.T) {
	for _, c := range []struct{ wanted, stored string }{
		{"Hello there", "Hello ther"}, {"Hello there", "Hello the"}, {"Hello there", "Hello there!"}, {"Hello there", "Hello there\n-- sent by X"},
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
