package ryzetest

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eventful is a server in which everything has a value that can be saved.
func eventful(t *testing.T) *Server {
	t.Helper()
	s, c := start(t, InMemory(), WithAccountToken("main"), WithWebhookRetry(time.Hour), WithWebhookHandler(http.NotFoundHandler()))
	s.AddAccount("other", 7)
	s.AddInstanceTo("other", "elsewhere").Pair("")
	s.Advance(36 * time.Hour)
	s.AddContact(Contact{Phone: "5511987654321", LID: "77@lid", Name: "Ana", About: "here", Picture: "https://x/y.jpg"})
	s.SetUnreachable("5511900000000")
	s.SetUnaddable("5511911111111")
	s.SetStranger(0.3)
	s.Degrade("db", "slow")
	s.RejectChatwoot(422, "no")

	require.Equal(t, 201, c.do("POST", "/api/instance/new", `{"name":"a","proxyEnabled":true,"proxyHost":"h","proxyPort":"1","proxyProtocol":"http",
		"proxyUsername":"u","proxyPassword":"p","webhookEnabled":true,"webhookURL":"http://x.test/","webhookAuthorization":"Bearer w",
		"webhookByEvents":true,"webhookEvents":["message.exchange"],"webhookMediaBase64":true,"websocketEnabled":true,
		"websocketEvents":["message.status"],"websocketMediaBase64":true,"s3Enabled":true,"s3Region":"r","s3Bucket":"b",
		"s3AccessKey":"k","s3SecretKey":"s","s3Endpoint":"e","s3PathPrefix":"p"}`).status)
	i := s.Instance("a")
	i.Pair("5511900000009")
	i.SetDelivery(Receipts{Off: true, Delivered: 1, Read: 2, Played: 3})
	for _, in := range []Incoming{
		{Text: "hi", ReplyTo: "x", Forwarded: true, HideNumber: true, Patch: obj{"n": 1.5, "list": []any{"a"}}},
		{Media: &File{Data: []byte("voice"), MIME: "audio/ogg", FileName: "f.ogg", Voice: true, Duration: 4}, Text: "caption"},
		{Location: &Location{1.5, 2.5, "here", "there"}},
		{Card: &ContactCard{"Bob", "551", "BEGIN:VCARD"}},
		{Answer: &Answer{Kind: AnswerCarousel, ID: "i", Title: "t", Card: 2, Values: obj{"k": 1}}},
		{Reaction: &Reaction{"+", "id"}},
		{Poll: &Poll{"q", []string{"a", "b"}, 2}},
	} {
		in.From = "5511987654321"
		require.NotEmpty(t, i.Receive(in))
	}
	poll := c.good("POST", "/api/message/poll/a", `{"number":"5511987654321","question":"?","options":["a","b"],"maxAnswer":1}`)
	require.NotEmpty(t, i.Vote(poll.at("data", "messageId").(string), "5511987654321", "b"))
	c.good("POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"image","mediaUrl":"https://x.test/a.png"}`)
	c.good("POST", "/api/chat/archive/a", `{"number":"5511987654321"}`)
	i.history = []Incoming{{From: "me", Group: "5511987654321", Text: "old", At: s.Now().Add(-time.Hour),
		Media: &File{Data: []byte("old"), MIME: "image/png"}}, {
		From: "1", Name: "n", ID: "i", ReplyTo: "r", Mentions: []string{"m"}, Forwarded: true, HideNumber: true, Edit: "e", Revoke: "r",
		Patch: obj{"a": "b"}, Media: &File{FileName: "f", Kind: "k", Voice: true, Duration: 1}, Location: &Location{}, Card: &ContactCard{},
		Poll: &Poll{}, Answer: &Answer{}, Reaction: &Reaction{},
	}}
	i.NameGroup("551-1@g.us", "Old group")
	i.LabelChat(i.AddLabel("vip", 3), "5511987654321", true)

	community := s.AddGroup(NewGroup{Name: "C", Description: "d", Owner: "5511900000009", Admins: []string{"5511922222222"}, Members: []string{"5511987654321"}})
	community.isCommunity, community.picture = true, "p"
	g := i.AddGroup("G")
	g.parent, g.isDefault = community, true
	g.settings = GroupSettings{true, true, true, true}
	g.RequestToJoin("5511987654321")
	i.Receive(Incoming{From: "5511900000009", Group: g.jid, Mentions: []string{"5511987654321"}})
	n := s.AddNewsletter("N", "d", 5)
	n.owner, n.picture, n.followers[i.jid()] = i.jid(), "p", true

	// What no short request leads to, or what no two of them leave at once.
	s.mu.Lock()
	defer s.mu.Unlock()
	i.profile = profile{"n", "p", "bn", true}
	i.settings = settings{true, "busy", true, true, true, true, true}
	i.chatwoot, i.about, i.privacy, i.privacyFault = obj{"enabled": true}, "about", map[string]string{"a.b": "c"}, new(2)
	i.chatwootLink = &chatwootLink{"i", "b", "t", "x", 1, 2, true, true, true, true, "active", "e", s.clock.now()}
	i.upstream, i.refuseCommunities = upstream{"r", 2}, true
	s.world.chatwoot.lastInbox = 2
	i.calls = []*Call{{"c", "to", 3, &Media{Kind: "audio", Bytes: []byte("x")}, s.clock.now()}}
	i.pairing = &pairing{number: "1", code: "2", codes: []string{"3"}, history: 4, expires: s.clock.now().Add(time.Hour)}
	i.unread["5511987654321@s.whatsapp.net"] = []*Message{i.messages[0]}
	i.offline = []*Message{
		{ID: "later", Chat: "x", event: eventPart{id: "e", original: "o", revoke: true}},
	}
	m := i.messages[0]
	m.MentionAll, m.Edited, m.Revoked, m.Pinned, m.Starred, m.Deleted = true, true, true, true, true, true
	*i.chatState("5511987654321@s.whatsapp.net") = chatState{
		archived: true, pinned: true, favorite: true, blocked: true, markedUnread: true, muted: true, mutedUntil: s.clock.now(), readUpTo: 1,
	}
	return s
}

// again starts a server with what another one saves.
func again(t *testing.T, s *Server, opts ...Option) (*Server, client) {
	t.Helper()
	var state bytes.Buffer
	require.NoError(t, s.Save(&state))
	return start(t, append([]Option{InMemory(), WithState(&state)}, opts...)...)
}

func TestStateKeepsEveryField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eventful(t)
		synctest.Wait()
		next, _ := again(t, s, WithAccountToken("main"), WithWebhookRetry(time.Hour), WithWebhookHandler(http.NotFoundHandler()))
		synctest.Wait() // nobody writes while it reads
		compareState(t, s, next)
	})
}

func TestStateIsTheSameWhenItIsSavedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eventful(t)
		synctest.Wait()
		next, _ := again(t, s, WithWebhookRetry(time.Hour))
		var before, after bytes.Buffer
		require.NoError(t, s.Save(&before))
		require.NoError(t, next.Save(&after))
		assert.Equal(t, strings.Split(before.String(), "\n"), strings.Split(after.String(), "\n"))
		assert.Equal(t, "main", next.AccountToken, "the stored token holds when none is given")
	})
}

func TestStateWithAnotherAccountTokenKeepsItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := start(t, InMemory())
		s.Eat(s.AccountToken, 40)
		_, c := again(t, s, WithAccountToken("new"))
		assert.Equal(t, "59", c.good("GET", "/api/instance/list", "").header.Get("X-RateLimit-Remaining"))
	})
}

func TestStateGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, InMemory())
		i := s.AddInstance("a")
		i.Pair("")
		i.SetDelivery(Receipts{Delivered: time.Minute, Read: 2 * time.Minute})
		id := c.sent("5511987654321", "hello")
		s.AddInstance("b")
		c.good("GET", "/api/instance/connect/b", "")
		s.AddInstance("c").Pair("")
		c.good("POST", "/api/instance/reconnect/c", "")
		s.Instance("a").Disconnect()
		i.Receive(Incoming{From: "5511987654321", Text: "are you there?"})
		s.Instance("a").Reconnect()
		code := s.Instance("b").QRCode()
		require.NotEmpty(t, code)

		next, _ := again(t, s, WithReconnectDelay(time.Second))
		i = next.Instance("a")
		assert.Equal(t, code, next.Instance("b").QRCode())
		next.Advance(time.Minute)
		m, _ := i.Message(id)
		assert.Equal(t, "delivered", m.Status)
		assert.NotEqual(t, code, next.Instance("b").QRCode(), "codes are renewed")
		assert.Equal(t, StateConnected, next.Instance("c").State())
		next.Advance(time.Hour)
		m, _ = i.Message(id)
		assert.Equal(t, "read", m.Status)
		assert.Equal(t, StateDisconnected, next.Instance("b").State(), "codes run out")
		assert.WithinDuration(t, s.Now().Add(time.Hour+time.Minute), next.Now(), time.Second)
	})
}

func TestStateKeepsWhatWaitsForAWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, InMemory(), WithWebhookRetry(time.Minute), WithWebhookHandler(http.NotFoundHandler()))
		s.AddInstance("a").Pair("")
		c.good("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://x.test/","authorization":"Bearer w"}`)
		s.Instance("a").Receive(Incoming{From: "5511987654321", Text: "hello"})
		synctest.Wait()
		require.Len(t, s.Deliveries(), 1)

		var got atomic.Int32
		next, _ := again(t, s, WithWebhookHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got.Add(1)
			assert.Equal(t, "Bearer w", r.Header.Get("Authorization"))
		})))
		synctest.Wait()
		assert.Zero(t, got.Load(), "the pause is not over")
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.EqualValues(t, 1, got.Load())
		require.Len(t, next.Deliveries(), 1)
		assert.Equal(t, 2, next.Deliveries()[0].Attempt)
		assert.Equal(t, string(s.Deliveries()[0].Body), string(next.Deliveries()[0].Body))
	})
}

func TestStateThatCannotBeReadIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eventful(t)
		var state bytes.Buffer
		require.NoError(t, s.Save(&state))
		whole := state.String()
		for name, c := range map[string]struct{ text, want string }{
			"empty":           {"", "cut off"},
			"text":            {"hello", "invalid character"},
			"another object":  {`{"a":1}`, "none that a simulator has saved"},
			"a list":          {`[]`, "none that a simulator has saved"},
			"no object":       {`{}`, "none that a simulator has saved"},
			"another format":  {strings.Replace(whole, stateFormat, "x", 1), "none that a simulator has saved"},
			"newer":           {strings.Replace(whole, `"version": 1`, `"version": 2`, 1), "version 2"},
			"version 0":       {strings.Replace(whole, `"version": 1`, `"version": 0`, 1), "none that a simulator has saved"},
			"half":            {whole[:len(whole)/2], "cut off"},
			"without its end": {strings.TrimSuffix(whole, "}\n"), "cut off"},
			"two of them":     {whole + whole, "something follows"},
			"unknown field":   {strings.Replace(whole, `"NextPhone"`, `"NextFax"`, 1), "NextFax"},
			"unknown list":    {strings.Replace(whole, `"messages"`, `"letters"`, 1), "letters"},
			"same name twice": {strings.NewReplacer(`{"Account":1,"ID"`, `{"Account":0,"ID"`, `"Name":"elsewhere"`, `"Name":"a"`).Replace(whole), "does not fit"},
			"no such account": {strings.Replace(whole, `{"Account":1,"ID"`, `{"Account":5,"ID"`, 1), "does not fit"},
			"no instance":     {strings.Replace(whole, `{"Instance":0`, `{"Instance":9`, 1), "belongs to no instance"},
		} {
			next, err := Start(InMemory(), WithState(strings.NewReader(c.text)))
			if assert.ErrorContains(t, err, c.want, name); err == nil {
				next.Close()
			}
		}
		_, err := Start(InMemory(), WithState(iotest.ErrReader(assert.AnError)))
		require.ErrorIs(t, err, assert.AnError)
	})
}

func TestAPairingByItselfWaitsNoLongerAfterARestart(t *testing.T) {
	for _, how := range []string{"", "?number=5511900000007"} {
		synctest.Test(t, func(t *testing.T) {
			s, c := start(t, InMemory(), WithAutoPair(30*time.Second))
			s.AddInstance("a")
			c.do("GET", "/api/instance/connect/a"+how, "")
			time.Sleep(22 * time.Second) // the QR code is the second one by now
			var state bytes.Buffer
			require.NoError(t, s.Save(&state))
			s.Close()
			next, err := Start(InMemory(), WithAutoPair(30*time.Second), WithState(&state))
			require.NoError(t, err)
			defer next.Close()
			time.Sleep(7 * time.Second)
			assert.NotEqual(t, StateConnected, next.Instance("a").State())
			time.Sleep(time.Second + time.Millisecond)
			assert.Equal(t, StateConnected, next.Instance("a").State())
		})
	}
}

func TestSaveTellsWhatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eventful(t)
		require.ErrorIs(t, s.Save(failing{}), assert.AnError)
		s.Instance("a").SetHistory([]Incoming{{From: "1", Patch: obj{"f": func() {}}}})
		require.Error(t, s.Save(&bytes.Buffer{}))
	})
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, assert.AnError }
