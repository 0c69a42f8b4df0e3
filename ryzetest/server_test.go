package ryzetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answer is a decoded reply.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

func (a answer) text() string {
	e, _ := a.body["error"].(map[string]any)
	s, _ := e["message"].(string)
	return s
}

// at follows keys into the body.
func (a answer) at(keys ...string) any {
	var v any = a.body
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

type client struct {
	t     *testing.T
	s     *Server
	token string
}

func (c client) with(token string) client { c.token = token; return c }

func (c client) request(method, path, body string) *http.Request {
	c.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL+path, r)
	require.NoError(c.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("token", c.token)
	}
	return req
}

func (c client) try(method, path, body string) (answer, error) {
	c.t.Helper()
	return c.send(c.request(method, path, body))
}

func (c client) send(req *http.Request) (answer, error) {
	res, err := c.s.HTTPClient().Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	a := answer{status: res.StatusCode, header: res.Header, raw: raw}
	a.body = parse(raw)
	return a, err
}

// parse reads a JSON object; nil for anything else.
func parse(raw []byte) (body map[string]any) {
	if json.Unmarshal(raw, &body) != nil {
		return nil
	}
	return body
}

func (c client) do(method, path, body string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body)
	require.NoError(c.t, err)
	return a
}

// start runs a server for the test, and a client with the account's token.
func start(t *testing.T, opts ...Option) (*Server, client) {
	t.Helper()
	s := NewServer(opts...)
	t.Cleanup(s.Close)
	return s, client{t, s, s.AccountToken}
}

// dial opens an event stream.
func dial(t *testing.T, s *Server, name, token string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), s.URL+"/ws/"+name, &websocket.DialOptions{
		HTTPClient: s.HTTPClient(), HTTPHeader: http.Header{"Token": {token}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

func readEvent(t *testing.T, conn *websocket.Conn) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, raw, err := conn.Read(ctx)
	require.NoError(t, err)
	a := answer{raw: raw}
	require.NoError(t, json.Unmarshal(raw, &a.body))
	return a
}

const textRoute = "POST /api/message/text/:instance"

func TestLifeOfAnInstanceOverTheAPI(t *testing.T) {
	s, c := start(t)

	a := c.do("POST", "/api/instance/new", `{"name":"support","websocketEnabled":true,"websocketEvents":["message.exchange"]}`)
	require.Equal(t, 201, a.status)
	token, _ := a.at("instance", "token").(string)
	require.NotEmpty(t, token)
	assert.Equal(t, "disconnected", a.at("instance", "status"))

	a = c.do("POST", "/api/message/text/support", `{"number":"5511987654321","message":"x"}`)
	assert.Equal(t, 503, a.status)
	assert.Equal(t, "Instance is not connected to WhatsApp", a.text())

	a = c.do("GET", "/api/instance/connect/support", "")
	assert.Equal(t, "qr", a.at("status"))
	assert.Len(t, strings.Split(a.at("qrCode").(string), ","), 4)
	s.Instance("support").Pair("5511900000001")
	assert.Equal(t, StateConnected, s.Instance("support").State())

	conn := dial(t, s, "support", token)
	a = c.with(token).do("POST", "/api/message/text/support", `{"number":"5511987654321","message":"hi","source":"crm"}`)
	require.Equal(t, 200, a.status, string(a.raw))
	id := a.at("data", "messageId")
	assert.Regexp(t, "^3EB0[0-9A-F]{16}$", id)
	assert.Equal(t, "5511987654321@s.whatsapp.net", a.at("data", "chat", "jid"))

	echo := readEvent(t, conn)
	assert.Equal(t, id, echo.at("data", "id"))
	assert.Equal(t, "outgoing", echo.at("data", "direction"))
	assert.Equal(t, "crm", echo.at("data", "message", "source"))
	assert.Equal(t, token, echo.at("instanceData", "token"))

	assert.Equal(t, "loggedout", c.do("DELETE", "/api/instance/logout/support", "").at("instance", "status"))
	assert.Equal(t, "deleted", c.do("DELETE", "/api/instance/delete/support", "").at("instance", "status"))
	assert.Nil(t, s.Instance("support"))
	assert.Empty(t, s.Violations())
}

func TestInMemoryServerWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []answer
		s := NewServer(InMemory(), WithWebhookHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := answer{header: r.Header}
			a.raw, _ = io.ReadAll(r.Body)
			a.body = parse(a.raw)
			got = append(got, a)
		})))
		defer s.Close()
		c := client{t, s, s.AccountToken}
		i := s.AddInstance("a")
		i.Pair("5511900000001")
		c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
		c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://hooks.test/x","authorization":"Bearer q"}`)
		conn, _, err := websocket.Dial(t.Context(), s.URL+"/ws/a", &websocket.DialOptions{
			HTTPClient: s.HTTPClient(), HTTPHeader: http.Header{"Token": {i.Token()}},
		})
		require.NoError(t, err)
		defer conn.CloseNow()

		started := time.Now()
		a := c.do("POST", "/api/message/text/a", `{"number":"5511987654321","message":"hi","delay":30}`)
		require.Equal(t, 200, a.status)
		assert.Equal(t, 30*time.Second, time.Since(started))

		assert.Equal(t, "message.exchange", readEvent(t, conn).at("event"))
		status := readEvent(t, conn)
		assert.Equal(t, "delivered", status.at("data", "status"))
		assert.Equal(t, []any{a.at("data", "messageId")}, status.at("data", "messageIds"))
		assert.Equal(t, "read", readEvent(t, conn).at("data", "status"))
		synctest.Wait()
		require.Len(t, got, 3)
		assert.Equal(t, "Bearer q", got[0].header.Get("Authorization"))
	})
}

func TestMediaStreamsThroughInBoundedMemory(t *testing.T) {
	s, c := start(t, WithMediaKeep(1<<20))
	s.AddInstance("a").Pair("")
	small := c.do("POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"image","mediaBase64":"iVBORw0KGgo=","message":"cap"}`)
	require.Equal(t, 200, small.status, string(small.raw))
	assert.EqualValues(t, 8, small.at("data", "mediaSize"))
	assert.Equal(t, "image/png", small.at("data", "mediaMimeType"))

	const size = 6 << 20
	body := io.MultiReader(
		strings.NewReader(`{"number":"5511987654321","mediaBase64":"`),
		strings.NewReader(strings.Repeat("QUJD", size/3)),
		strings.NewReader(`","mediaType":"document","fileName":"a.bin"}`))
	req := c.request("POST", "/api/message/media/a", "")
	req.Body = io.NopCloser(body)
	req.Header.Set("Content-Type", "application/json")
	large, err := c.send(req)
	require.NoError(t, err)
	require.Equal(t, 200, large.status, string(large.raw))
	m, ok := s.Instance("a").Message(large.at("data", "messageId").(string))
	require.True(t, ok)
	assert.EqualValues(t, size, m.Media.Size)
	assert.Nil(t, m.Media.Bytes)
	assert.Equal(t, "a.bin", m.Media.FileName)
}

func TestDropAfterProcessKeepsTheMessage(t *testing.T) {
	for _, opts := range [][]Option{nil, {InMemory()}} {
		s, c := start(t, opts...)
		s.AddInstance("a").Pair("")
		s.Fault(textRoute, Fault{Drop: DropAfterProcess}, Fault{Drop: DropAfterRead}, Fault{Drop: DropBeforeRead})
		for range 3 {
			_, err := c.try("POST", "/api/message/text/a", `{"number":"5511987654321","message":"x"}`)
			assert.Error(t, err)
		}
		assert.Equal(t, 3, s.Count(textRoute))
		assert.Len(t, s.Instance("a").Sent(), 1)
	}
}

// Whoever forgets HTTPClient gets an error, not whatever listens on this machine.
func TestInMemoryServerIsReachedByItsOwnClientOnly(t *testing.T) {
	s := NewServer(InMemory())
	defer s.Close()
	connected := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/health", nil)
	require.NoError(t, err)
	_, err = http.DefaultTransport.RoundTrip(req) // the transport of those who forget
	require.Error(t, err)
	assert.False(t, connected)
	assert.NotEqual(t, "80", cmp.Or(req.URL.Port(), "80"))
	resp, err := s.HTTPClient().Do(req.WithContext(t.Context()))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Empty(t, s.Violations())
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory())
		i := s.AddInstance("a")
		i.Pair("")
		c := client{t, s, s.AccountToken}
		c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
		conn, _, err := websocket.Dial(t.Context(), s.URL+"/ws/a?token="+i.Token(), &websocket.DialOptions{HTTPClient: s.HTTPClient()})
		require.NoError(t, err)
		defer conn.CloseNow()
		s.Fault("messages.text", Fault{Drop: NeverAnswer})
		failed := make(chan error, 1)
		go func() {
			_, err := c.try("POST", "/api/message/text/a", `{"number":"5511987654321","message":"x"}`)
			failed <- err
		}()
		synctest.Wait()
		s.Close()
		s.Close()
		assert.Error(t, <-failed)
	})
}

func TestCloseWaitsForEverythingOnTCPToo(t *testing.T) {
	s := NewServer(WithWebhookHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })))
	c := client{t, s, s.AccountToken}
	i := s.AddInstance("a")
	i.Pair("")
	c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
	c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/"}`)
	conn := dial(t, s, "a", i.Token())
	i.Emit("x", obj{})
	s.Fault("messages.text", Fault{Drop: NeverAnswer})
	failed := make(chan error, 1)
	go func() {
		_, err := c.try("POST", "/api/message/text/a", hello)
		failed <- err
	}()
	require.Eventually(t, func() bool { return s.Count(textRoute) == 1 && len(s.Deliveries()) == 1 }, 10*time.Second, time.Millisecond)

	s.Close()
	assert.Error(t, <-failed)
	_, _, err := conn.Read(t.Context())
	for err == nil { // what was written before the end
		_, _, err = conn.Read(t.Context())
	}
	assert.Eventually(t, func() bool {
		var dump bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&dump, 2); err != nil {
			return false
		}
		return !strings.Contains(dump.String(), "ryzetest.(*")
	}, 10*time.Second, time.Millisecond)
	assert.Equal(t, "a", i.Name(), "what happened can still be read")
	i.Pair("")
	s.Advance(time.Hour)
	_, err = c.try("GET", "/health", "")
	assert.Error(t, err)
}
