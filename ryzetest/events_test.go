package ryzetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inbox is a webhook receiver.
type inbox struct {
	mu     sync.Mutex
	got    []delivery
	count  int             // of all deliveries
	status func(n int) int // of the n-th delivery, from 1; nil: 200
}

type delivery struct {
	answer
	url, auth, contentType string
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	d := delivery{answer{raw: raw, header: r.Header}, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Content-Type")}
	d.body = parse(raw)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.got = append(in.got, d)
	in.count++
	if in.status != nil {
		w.WriteHeader(in.status(in.count))
	}
}

func (in *inbox) take() []delivery {
	synctest.Wait()
	in.mu.Lock()
	defer in.mu.Unlock()
	got := in.got
	in.got = nil
	return got
}

func (in *inbox) events() []string {
	var list []string
	for _, d := range in.take() {
		list = append(list, d.at("event").(string))
	}
	return list
}

func TestWebhookRowsAreConfiguredAsDocumented(t *testing.T) {
	s, c := start(t)
	s.AddInstance("a")
	assert.Equal(t, []any{}, c.do("GET", "/api/events/getWebhook/a", "").at("webhooks"))
	assert.Equal(t, 404, c.do("GET", "/api/events/getWebhook/a?label=x", "").status)

	a := c.do("POST", "/api/events/webhook/a", `{"label":"x","enabled":true,"url":"http://h.test/?t=1","events":["call.update","message.exchange"]}`)
	row := map[string]any{"label": "x", "enabled": true, "url": "http://h.test/?t=1", "authorization": nil,
		"byEvents": false, "events": []any{"call.update", "message.exchange"}, "mediaBase64": false}
	assert.Equal(t, row, a.at("webhook"))
	assert.Equal(t, row, c.do("GET", "/api/events/getWebhook/a?label=x", "").at("webhook"))

	c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/2"}`)
	list := c.do("GET", "/api/events/webhook/a", "").at("webhooks").([]any)
	require.Len(t, list, 2)
	assert.Equal(t, "default", list[0].(map[string]any)["label"], "sorted by label")

	c.do("POST", "/api/events/webhook/a", `{"label":"y","enabled":true,"url":"http://h.test/3","authorization":"Bearer z"}`)
	assert.Equal(t, 409, c.do("POST", "/api/events/webhook/a", `{"label":"z","enabled":true,"url":"http://h.test/4"}`).status, "three are enabled")
	a = c.do("POST", "/api/events/webhook/a", `{"label":"y","enabled":false}`)
	assert.Equal(t, map[string]any{"label": "y", "enabled": false, "url": "", "authorization": nil,
		"byEvents": false, "events": []any{}, "mediaBase64": false}, a.at("webhook"), "cleared, and still there")
	assert.Equal(t, 200, c.do("POST", "/api/events/webhook/a", `{"label":"z","enabled":true,"url":"http://h.test/4"}`).status)
	assert.Equal(t, 400, c.do("POST", "/api/events/webhook/a", `{"label":"x","enabled":true,"url":"nowhere"}`).status)
	assert.Empty(t, s.Violations())
	c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/2","events":["messages"]}`)
	require.Len(t, s.Violations(), 1)
	assert.Equal(t, UnknownValue, s.Violations()[0].Kind)
}

func TestWebSocketConfiguration(t *testing.T) {
	s, c := start(t)
	s.AddInstance("a")
	a := c.do("GET", "/api/events/getWebsocket/a", "")
	assert.Equal(t, 404, a.status)
	assert.Equal(t, "WebSocket not configured for this instance", a.text())
	a = c.do("GET", "/ws/a", "")
	assert.Equal(t, 400, a.status)
	assert.Equal(t, "WebSocket is not enabled for this instance. Configure it first using POST /api/events/websocket/a", a.text())

	c.do("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"],"mediaBase64":true}`)
	assert.Equal(t, 426, c.do("GET", "/ws/a", "").status)
	a = c.do("POST", "/api/events/websocket/a", `{"enabled":false,"events":["message.exchange"],"mediaBase64":true}`)
	off := map[string]any{"enabled": false, "events": []any{}, "mediaBase64": false}
	assert.Equal(t, off, a.at("websocket"))
	a = c.do("GET", "/api/events/getWebsocket/a", "")
	assert.Equal(t, off, a.at("websocket"))
	assert.Equal(t, "WebSocket configuration retrieved", a.at("message"))
	assert.Equal(t, 405, c.do("GET", "/api/events/websocket/a", "").status, "no alias")
}

func TestDeliveriesCarryWhatWasConfigured(t *testing.T) {
	in := &inbox{}
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		for _, row := range []string{
			`{"label":"all","enabled":true,"url":"http://h.test/all?k=1","authorization":"Bearer q","byEvents":true}`,
			`{"label":"messages","enabled":true,"url":"http://h.test/m","events":["message.exchange"],"mediaBase64":true}`,
		} {
			require.Equal(t, 200, c.do("POST", "/api/events/webhook/a", row).status)
		}
		i.SetDelivery(Receipts{Off: true})
		i.Pair("5511900000001")
		got := in.take()
		require.Len(t, got, 2)
		assert.Equal(t, "http://h.test/all/instance.state?k=1", got[0].url)
		assert.Equal(t, "pair_success", got[0].at("data", "state"))
		assert.Equal(t, "connected", got[1].at("data", "state"))
		assert.Empty(t, got[0].auth, "as one client saw it")

		c.do("POST", "/api/instance/s3/a", `{"enabled":true,"region":"r","bucket":"b","pathPrefix":"m/"}`)
		id := i.Receive(Incoming{From: "5511987654321", Media: &File{Data: []byte("hi"), MIME: "image/png"}})
		got = in.take()
		require.Len(t, got, 2)
		byPath := map[string]delivery{}
		for _, d := range got {
			byPath[d.url] = d
		}
		plain, full := byPath["http://h.test/all/message.exchange?k=1"], byPath["http://h.test/m"]
		assert.Equal(t, "Bearer q", plain.auth)
		assert.Equal(t, "application/json", plain.contentType)
		assert.Empty(t, full.auth)
		assert.Nil(t, plain.at("data", "message", "media", "base64"))
		assert.Equal(t, "https://b.s3.r.amazonaws.com/m/"+id, plain.at("data", "message", "media", "s3Url"))
		assert.Equal(t, "aGk=", full.at("data", "message", "media", "base64"))
		assert.Equal(t, map[string]any{"baseUrl": s.URL, "instance": "a", "token": i.Token()}, full.at("instanceData"))
		assert.Len(t, s.Deliveries(), 4)
		assert.Empty(t, s.DeadLetters())
	}, WithWebhookHandler(in), WithoutStateAuthorization())
}

func TestFailedDeliveriesAreRetriedThenDead(t *testing.T) {
	in := &inbox{status: func(n int) int {
		if n == 1 || n > 3 {
			return 503
		}
		return 202
	}}
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		i.Pair("")
		c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/"}`)
		i.Emit("first", obj{"n": 1})
		i.Emit("second", obj{"n": 2})
		assert.Equal(t, []string{"first", "second"}, in.events(), "the next event does not wait for the retry")
		s.Advance(10 * time.Second)
		assert.Equal(t, []string{"first"}, in.events())

		i.Emit("third", obj{})
		synctest.Wait()
		for range 2 {
			s.Advance(10 * time.Second)
			synctest.Wait()
		}
		dead := s.DeadLetters()
		require.Len(t, dead, 1)
		assert.Equal(t, "third", dead[0].Event)
		assert.Equal(t, 3, dead[0].Attempt)
		assert.Equal(t, 503, dead[0].Status)
		var log []string
		for _, d := range s.Deliveries() {
			log = append(log, fmt.Sprintf("%s#%d %d", d.Event, d.Attempt, d.Status))
		}
		assert.Equal(t, "first#1 503, second#1 202, first#2 202, third#1 503, third#2 503, third#3 503", strings.Join(log, ", "))
	}, WithWebhookHandler(in), WithWebhookRetry(10*time.Second, 10*time.Second))
}

func TestDeliveryThatCannotConnectOrHangsIsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/"}`)
		i.Emit("x", obj{})
		time.Sleep(6 * time.Second)
		require.Len(t, s.DeadLetters(), 1)
		assert.ErrorIs(t, s.DeadLetters()[0].Err, context.DeadlineExceeded)
	}, WithWebhookRetry(), WithWebhookTimeout(5*time.Second), WithWebhookHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})))
}

func TestWebhooksReachLoopbackOnly(t *testing.T) {
	in := &inbox{}
	receiver := httptest.NewServer(in)
	defer receiver.Close()
	s, c := start(t, WithWebhookRetry())
	i := s.AddInstance("a")
	c.do("POST", "/api/events/webhook/a", `{"label":"near","enabled":true,"url":"`+receiver.URL+`"}`)
	c.do("POST", "/api/events/webhook/a", `{"label":"far","enabled":true,"url":"http://192.0.2.1/"}`)
	i.Emit("x", obj{})
	require.Eventually(t, func() bool { return len(s.Deliveries()) == 2 }, 10*time.Second, time.Millisecond)
	require.Len(t, s.DeadLetters(), 1)
	assert.Equal(t, "far", s.DeadLetters()[0].Label)
	assert.Len(t, in.got, 1)
}

func TestDeletedInstanceDeliversNoMore(t *testing.T) {
	in := &inbox{status: func(int) int { return 500 }}
	var hold sync.Mutex
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/"}`)
		i.Emit("x", obj{})
		assert.Len(t, in.take(), 1)
		hold.Lock()
		i.Emit("held", obj{})
		i.Emit("queued", obj{})
		c.do("DELETE", "/api/instance/delete/a", "")
		i.Emit("y", obj{})
		hold.Unlock()
		time.Sleep(time.Hour)
		assert.LessOrEqual(t, len(in.take()), 1, "only what was on its way")
	}, WithWebhookHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hold.Lock()
		defer hold.Unlock()
		in.ServeHTTP(w, r)
	})))
}

// stream opens an event stream in a bubble, and collects its frames.
type stream struct {
	conn *websocket.Conn
	mu   sync.Mutex
	got  []answer
	err  error
}

func open(t *testing.T, s *Server, i *Instance) *stream {
	t.Helper()
	conn, res, err := websocket.Dial(t.Context(), s.URL+"/ws/"+i.Name(), &websocket.DialOptions{
		HTTPClient: s.HTTPClient(), HTTPHeader: http.Header{"Token": {i.Token()}},
	})
	require.NoError(t, err)
	assert.NotEmpty(t, res.Header.Get("X-RateLimit-Remaining"))
	conn.SetReadLimit(1 << 20)
	st := &stream{conn: conn}
	go func() {
		for {
			_, raw, err := conn.Read(context.Background())
			st.mu.Lock()
			if err != nil {
				st.err = err
				st.mu.Unlock()
				return
			}
			st.got = append(st.got, answer{raw: raw, body: parse(raw)})
			st.mu.Unlock()
		}
	}()
	return st
}

func (st *stream) take() []answer {
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	got := st.got
	st.got = nil
	return got
}

func (st *stream) failure() error {
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.err
}

func TestStreamsCarryWhatTheFilterLetsThrough(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		i.Pair("")
		i.Receive(Incoming{From: "5511987654321", Text: "before"})
		c.do("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.exchange"]}`)
		one, two := open(t, s, i), open(t, s, i)
		assert.Equal(t, 2, i.WebSockets())
		i.Receive(Incoming{From: "5511987654321", Text: "now"})
		i.Disconnect()
		for _, st := range []*stream{one, two} {
			got := st.take()
			require.Len(t, got, 1, "nothing is kept for a stream that is not there, and states are filtered")
			assert.Equal(t, "now", got[0].at("data", "message", "content"))
		}
		require.NoError(t, one.conn.Ping(t.Context()))

		c.do("POST", "/api/events/websocket/a", `{"enabled":false}`)
		i.Emit("message.exchange", obj{})
		assert.Empty(t, one.take())
		assert.NoError(t, one.failure(), "disabling leaves open streams open")
		two.conn.CloseNow()
		synctest.Wait()
		assert.Equal(t, 1, i.WebSockets())
		one.conn.CloseNow()
	})
}

func TestStreamsEndAsToldAndCanBeOpenedAgain(t *testing.T) {
	for _, code := range []int{0, 1001, 1012, 4001} {
		bubble(t, func(t *testing.T, s *Server, c client) {
			a, b := s.AddInstance("a"), s.AddInstance("b")
			c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
			c.do("POST", "/api/events/websocket/b", `{"enabled":true}`)
			st, other := open(t, s, a), open(t, s, b)
			a.DropWebSockets(code)
			var closed websocket.CloseError
			if code == 0 {
				require.Error(t, st.failure())
				assert.NotErrorAs(t, st.failure(), &closed, "no close frame")
			} else {
				require.ErrorAs(t, st.failure(), &closed)
				assert.EqualValues(t, code, closed.Code)
			}
			assert.Equal(t, 0, a.WebSockets())
			assert.NoError(t, other.failure())

			again := open(t, s, a)
			a.Emit("x", obj{})
			assert.Len(t, again.take(), 1)
			s.DropWebSockets(0)
			assert.Error(t, again.failure())
			assert.Error(t, other.failure())
		})
	}
}

func TestFrozenStreamsAreSilentWithoutClosing(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
		st := open(t, s, i)
		s.FreezeWebSockets(true)
		i.Emit("lost", obj{})
		assert.Empty(t, st.take())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		assert.Error(t, st.conn.Ping(ctx), "no pong")

		s.FreezeWebSockets(false)
		st = open(t, s, i)
		i.Emit("seen", obj{})
		got := st.take()
		require.Len(t, got, 1)
		assert.Equal(t, "seen", got[0].at("event"))
		st.conn.CloseNow()
	})
}

func TestStreamWhoseClientDoesNotReadIsCut(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
		conn, _, err := websocket.Dial(t.Context(), s.URL+"/ws/a", &websocket.DialOptions{
			HTTPClient: s.HTTPClient(), HTTPHeader: http.Header{"Token": {i.Token()}},
		})
		require.NoError(t, err)
		defer conn.CloseNow()
		for range socketQueue + 2 {
			i.Emit("x", obj{})
		}
		synctest.Wait()
		assert.Equal(t, 0, i.WebSockets())
	})
}

func TestBrowserStreamsNeedAnAllowedOrigin(t *testing.T) {
	s, c := start(t, WithAllowedOrigins("https://app.example.com"))
	i := s.AddInstance("a")
	c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
	for origin, want := range map[string]int{"https://app.example.com": 101, "https://evil.example.com": 403, "": 101, s.URL: 101} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		conn, res, err := websocket.Dial(t.Context(), s.URL+"/ws/a?token="+i.Token(), &websocket.DialOptions{HTTPHeader: header})
		require.Equal(t, want, res.StatusCode, origin)
		if err == nil {
			conn.CloseNow()
		}
	}
}

func TestRestartCutsEverythingAndKeepsState(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		i.Pair("")
		c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
		st := open(t, s, i)
		s.Restart()
		assert.Error(t, st.failure())
		synctest.Wait()
		assert.Equal(t, 200, c.do("POST", "/api/message/text/a", hello).status)
	})
}

func TestReceiptsNameEveryMessageRead(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		i.Pair("5511900000001")
		i.SetDelivery(Receipts{Delivered: time.Second, Read: 10 * time.Second, Played: 20 * time.Second})
		c.do("POST", "/api/events/websocket/a", `{"enabled":true,"events":["message.status"]}`)
		st := open(t, s, i)
		defer st.conn.CloseNow()
		first := c.do("POST", "/api/message/text/a", hello).at("data", "messageId").(string)
		time.Sleep(5 * time.Second)
		second := c.do("POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"audio","mediaBase64":"T2dnUwAA"}`).at("data", "messageId").(string)
		time.Sleep(time.Minute)
		var seen []string
		for _, a := range st.take() {
			seen = append(seen, fmt.Sprint(a.at("data", "status"), len(a.at("data", "messageIds").([]any))))
			assert.Equal(t, map[string]any{"jid": "5511987654321@s.whatsapp.net", "type": "private"}, a.at("data", "chat"))
		}
		assert.Equal(t, []string{"delivered1", "delivered1", "read2", "played1"}, seen)
		for id, want := range map[string]string{first: "read", second: "played"} {
			m, _ := i.Message(id)
			assert.Equal(t, want, m.Status)
		}

		i.Receipt("server_error", first)
		m, _ := i.Message(first)
		assert.Equal(t, "error", m.Status)
		assert.Equal(t, "server_error", st.take()[0].at("data", "status"))
	})
}

func TestPairingIsAnnounced(t *testing.T) {
	in := &inbox{}
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/"}`)
		code := c.do("GET", "/api/instance/connect/a", "").at("qrCode")
		got := in.take()
		require.Len(t, got, 1)
		assert.Equal(t, "qr_ready", got[0].at("data", "state"))
		codes := got[0].at("data", "codes").([]any)
		assert.Equal(t, code, codes[0])
		s.Advance(20 * time.Second)
		got = in.take()
		require.Len(t, got, 1)
		assert.Equal(t, codes[1:], got[0].at("data", "codes"))

		states := func() (list []string) {
			for _, d := range in.take() {
				list = append(list, d.at("data", "state").(string))
			}
			return list
		}
		i.Pair("5511900000001")
		assert.Equal(t, []string{"pair_success", "connected"}, states())
		i.Disconnect()
		c.do("POST", "/api/instance/reconnect/a", "")
		time.Sleep(time.Second)
		assert.Equal(t, []string{"disconnected", "manual_reconnect", "connected"}, states())
		i.Ban()
		c.do("DELETE", "/api/instance/logout/a", "")
		assert.Equal(t, []string{"temp_banned", "logged_out"}, states())
	}, WithWebhookHandler(in))
}

func TestHistoryComesAfterPairingWhenItWasAskedFor(t *testing.T) {
	in := &inbox{}
	bubble(t, func(t *testing.T, s *Server, c client) {
		old := []Incoming{
			{From: "5511987654321", Text: "ancient", At: s.Now().AddDate(0, 0, -30)},
			{From: "5511987654321", Text: "recent", At: s.Now().AddDate(0, 0, -2)},
			{From: "me", Group: "5511987654321", Text: "mine", At: s.Now().AddDate(0, 0, -1)},
		}
		pair := func(name, query, body string) []string {
			c.do("POST", "/api/instance/new", `{"name":"`+name+`","webhookEnabled":true,"webhookURL":"http://h.test/","webhookEvents":["message.exchange"]`+body+`}`)
			i := s.Instance(name)
			i.SetHistory(old)
			c.do("GET", "/api/instance/connect/"+name+query, "")
			i.Pair("")
			var texts []string
			for _, d := range in.take() {
				texts = append(texts, d.at("data", "direction").(string)+" "+d.at("data", "message", "content").(string))
				at, err := time.Parse(time.RFC3339, d.at("data", "timestamp").(string))
				require.NoError(t, err)
				assert.True(t, at.Before(s.Now().AddDate(0, 0, -1).Add(time.Minute)))
			}
			return texts
		}
		assert.Empty(t, pair("a", "", ""))
		assert.Equal(t, []string{"incoming recent", "outgoing mine"}, pair("b", "?history=7", ""))
		assert.Equal(t, []string{"incoming ancient", "incoming recent", "outgoing mine"}, pair("c", "", `,"disableHistorySync":false`))
	}, WithWebhookHandler(in))
}

func TestEchoesCanBeSwitchedOff(t *testing.T) {
	in := &inbox{}
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		i.Pair("")
		c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/"}`)
		c.do("POST", "/api/message/text/a", hello)
		assert.Empty(t, in.take())
		assert.Len(t, i.Sent(), 1)
		i.TypeOnPhone("5511987654321", Incoming{Text: "by hand"})
		assert.Len(t, in.take(), 1)
	}, WithWebhookHandler(in), WithoutEchoes())
}

// Between the client's 101 and the server's own view of the connection lies a
// moment: a close code given then must wait for the connection, not be lost.
func TestCloseCodeGivenDuringTheUpgradeIsKept(t *testing.T) {
	s, _ := start(t)
	i := s.AddInstance("a")
	so := &socket{inst: i, frames: make(chan frame, 1)}
	so.ctx, so.cancel = context.WithCancel(t.Context())
	defer so.cancel()
	require.True(t, s.addSocket(so))
	i.DropWebSockets(1012)
	assert.NoError(t, so.ctx.Err(), "not cut")
	assert.EqualValues(t, 1012, so.code)
	assert.Equal(t, 0, i.WebSockets())
}
