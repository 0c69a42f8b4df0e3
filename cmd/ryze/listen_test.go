package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const authorization = "Bearer a-long-random-text"

// listening is a ryze listen that runs.
type listening struct {
	*shell
	out, err *output
	stop     func() int // ends it, and returns the exit code
}

// listen starts ryze listen and returns when the stream is open.
func (s *shell) listen(args ...string) *listening {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	l := &listening{shell: s, out: &output{}, err: &output{}}
	done := make(chan int, 1)
	go func() { done <- s.start(ctx, l.out, l.err, append([]string{"listen", "demo"}, args...)...) }()
	l.stop = sync.OnceValue(func() int {
		cancel()
		code := <-done
		s.noSecrets(l.err.String() + l.out.String())
		return code
	})
	s.t.Cleanup(func() { l.stop() })
	require.Eventually(s.t, func() bool {
		return strings.Contains(l.out.String()+l.err.String(), "Listening to demo")
	}, 20*time.Second, time.Millisecond, "%s", l.err)
	return l
}

// answered waits until so many deliveries have been answered with 200.
func (l *listening) answered(n int) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return strings.Count(l.out.String(), "→ 200  ") == n }, 20*time.Second, time.Millisecond)
}

// receiver is a program under development: it counts what it has handled.
type receiver struct {
	mu      sync.Mutex
	handled map[string]int
	paths   []string
	order   []string
	handler http.Handler
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{handled: map[string]int{}}
	inbox, err := ryze.NewInbox(func(_ context.Context, event *ryze.Event) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if message, ok := event.Data.(*ryze.MessageEvent); ok {
			r.handled[message.ID]++
			r.order = append(r.order, message.ID)
		}
		return nil
	})
	require.NoError(t, err)
	hook := inbox.Handler(authorization, ryze.WithInstances("demo"))
	r.handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.paths = append(r.paths, req.URL.RequestURI())
		r.mu.Unlock()
		hook.ServeHTTP(w, req)
	})
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.handled)
}

func (r *receiver) assertOnce(t *testing.T, ids []string) {
	t.Helper()
	require.Eventually(t, func() bool { return r.count() == len(ids) }, 20*time.Second, time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		assert.Equal(t, 1, r.handled[id], id)
	}
}

func (s *shell) write(n int) (ids []string) {
	for range n {
		ids = append(ids, s.inst.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "hello"}))
	}
	return ids
}

func TestListenBringsEachEventOnce(t *testing.T) {
	s := newShell(t)
	s.vars[envAuthorization] = authorization
	r := newReceiver(t)
	program := httptest.NewServer(r.handler)
	defer program.Close()
	l := s.listen("--forward-to", program.URL+"/hook?a=1", "--by-events")
	ids := s.write(20)
	r.assertOnce(t, ids)
	l.out.waitFor(t, `← 5511987654321 (Ana)  text "hello"  → 200`)
	l.answered(20)
	assert.Zero(t, l.stop())
	assert.Contains(t, l.err.String(), "The event stream is switched on now, and stays on.")
	assert.Contains(t, l.err.String(), "20 events, 20 delivered.")
	assert.Equal(t, []string{"/hook/message.exchange?a=1"}, slices.Compact(r.paths))
	assert.Regexp(t, `(?m)^\d\d:\d\d:\d\d  message.exchange  ← 5511987654321 \(Ana\)  text "hello"  → 200  (<1ms|\d+(\.\d+)?m?s)$`, l.out.String())
}

func TestTheProgramMayRestart(t *testing.T) {
	s := newShell(t)
	s.vars[envAuthorization] = authorization
	r := newReceiver(t)
	program := httptest.NewServer(r.handler)
	address := program.Listener.Addr().String()
	l := s.listen("--forward-to", program.URL, "--retry", "10ms,10ms,10ms")
	ids := s.write(2)
	r.assertOnce(t, ids)

	program.Close()
	ids = append(ids, s.write(3)...)
	l.out.waitFor(t, "is not there: connection refused; events wait for it")
	require.Eventually(t, func() bool { return strings.Count(l.out.String(), "→ waits for the program\n") == 3 }, 10*time.Second, time.Millisecond)
	assert.Equal(t, 2, r.count())
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	again := &http.Server{Handler: r.handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = again.Serve(listener) }()
	defer again.Close()
	l.out.waitFor(t, "is there again")
	r.assertOnce(t, ids)
	l.answered(5)
	l.stop()
	assert.Equal(t, ids, r.order, "in their order")
	assert.Contains(t, l.err.String(), "5 events, 5 delivered.")
}

func TestAProgramThatFailsGetsTheEventAgain(t *testing.T) {
	s := newShell(t)
	s.vars[envAuthorization] = authorization
	r := newReceiver(t)
	var failures atomic.Int32
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch failures.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler) // the connection breaks off
		default:
			r.handler.ServeHTTP(w, req)
		}
	}))
	defer program.Close()
	l := s.listen("--forward-to", program.URL, "--retry", "10ms,10ms,10ms")
	r.assertOnce(t, s.write(1))
	l.out.waitFor(t, "  (try 3)")
	l.stop()
	assert.Contains(t, l.out.String(), "→ 503  ")
	assert.Contains(t, l.out.String(), "→ the connection broke off  ")
	assert.Contains(t, l.out.String(), "again in 10ms")
}

func TestTheServiceMayRestart(t *testing.T) {
	s := newShell(t)
	s.vars[envAuthorization] = authorization
	r := newReceiver(t)
	program := httptest.NewServer(r.handler)
	defer program.Close()
	l := s.listen("--forward-to", program.URL)
	ids := s.write(2)
	r.assertOnce(t, ids)
	s.srv.DropWebSockets(1001)
	l.out.waitFor(t, "the stream is down; connecting again")
	l.out.waitFor(t, "the stream is open again")
	l.out.waitFor(t, "a gap from ")
	r.assertOnce(t, append(ids, s.write(2)...))
	l.answered(4)
	l.stop()
	assert.Contains(t, l.err.String(), "4 events, 4 delivered.")
}

// What a program gets from ryze listen is held against what the webhook of the
// simulator delivers.
func TestAForwardedEventIsThatOfTheWebhook(t *testing.T) {
	type delivery struct {
		Path   string
		Header http.Header
		Body   string
	}
	record := func(to *[]delivery, mu *sync.Mutex) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			mu.Lock()
			defer mu.Unlock()
			req.Header.Del("Traceparent")
			*to = append(*to, delivery{req.URL.Path, req.Header, string(body)})
		})
	}
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		t.Run(string(layout), func(t *testing.T) {
			var mu sync.Mutex
			var hooked, forwarded []delivery
			hook := httptest.NewServer(record(&hooked, &mu))
			defer hook.Close()
			program := httptest.NewServer(record(&forwarded, &mu))
			defer program.Close()

			s := newShell(t, ryzetest.WithLayout(layout), ryzetest.WithWebhookClient(hook.Client()))
			client, err := ryze.NewInstanceClient("demo", s.inst.Token(), ryze.WithBaseURL(s.srv.URL), ryze.WithHTTPClient(s.srv.HTTPClient()))
			require.NoError(t, err)
			_, err = client.Webhooks.Set(t.Context(), ryze.WebhookConfig{URL: hook.URL + "/hook", ByEvents: true, Authorization: authorization})
			require.NoError(t, err)
			l := s.listen("--forward-to", program.URL+"/hook", "--like", "default")
			s.inst.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "olá <b> \u202e"})
			sent, err := client.Messages.SendText(t.Context(), "5511987654321", "hello")
			require.NoError(t, err)
			s.inst.Receipt("read", sent.ID)
			s.inst.Disconnect()
			s.inst.Emit("something.new", map[string]any{"a": 1})
			require.Eventually(t, func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(hooked) >= 5 && len(hooked) == len(forwarded)
			}, 10*time.Second, time.Millisecond)
			l.stop()
			mu.Lock()
			defer mu.Unlock()
			byBody := func(a, b delivery) int {
				return strings.Compare(a.Path+a.Body[strings.Index(a.Body, `"data"`):], b.Path+b.Body[strings.Index(b.Body, `"data"`):])
			}
			slices.SortFunc(hooked, byBody)
			slices.SortFunc(forwarded, byBody)
			for i := range hooked {
				assert.Equal(t, hooked[i].Path, forwarded[i].Path)
				assert.JSONEq(t, hooked[i].Body, forwarded[i].Body)
				hooked[i].Header.Del("Content-Length")
				forwarded[i].Header.Del("Content-Length")
				assert.Equal(t, hooked[i].Header, forwarded[i].Header)
			}
		})
	}
}

func TestInstanceDataIsPutBackInItsPlace(t *testing.T) {
	for event, want := range map[string]string{
		`{"event":"x","instanceData":{"instance":"a"}}`:                                `{"event":"x","instanceData":{"baseUrl":"u","token":"t","instance":"a"}}`,
		"{ \"instanceData\" : \n { }, \"data\" : {\"instanceData\":{}} }":              "{ \"instanceData\" : \n {\"baseUrl\":\"u\",\"token\":\"t\" }, \"data\" : {\"instanceData\":{}} }",
		`{"event":"x","data":{"instanceData":{"instance":"a"},"deep":[1,{"b":null}]}}`: "",
		`{"instanceData":"a string"}`:                                                  "",
		`{"instanceData":null}`:                                                        "",
		`not JSON`:                                                                     "",
	} {
		if want == "" {
			want = event // nothing is invented
		}
		assert.Equal(t, want, string(withInstanceData(json.RawMessage(event), "u", "t")))
	}
}

func TestOnlyThisMachineIsReached(t *testing.T) {
	s := newShell(t)
	for _, address := range []string{
		"http://example.org/hook", "http://192.168.0.7/hook", "http://localhost.example.org", "http://0.0.0.0:80", "http://[::]/", "http://169.254.1.1",
	} {
		r := s.run("listen", "demo", "--forward-to", address)
		assert.Equal(t, exitUsage, r.code, address)
		assert.Contains(t, r.err, "is not this machine")
		assert.Contains(t, r.err, "--forward-anywhere")
	}
	for _, address := range []string{"localhost:3000", "ftp://localhost", "http://", "/hook", "http://a:b@localhost/"} {
		assert.Equal(t, exitUsage, s.run("listen", "demo", "--forward-to", address).code, address)
	}
	for _, address := range []string{"http://127.0.0.1:1", "http://LOCALHOST.:3000/x", "https://[::1]:3", "http://app.localhost", "http://[::ffff:127.0.0.1]"} {
		_, err := newTarget(address, false)
		assert.NoError(t, err, address)
	}
	assert.Empty(t, s.srv.Requests())

	// A name that leads elsewhere.
	there, err := newTarget("http://localhost:3000", false)
	require.NoError(t, err)
	_, err = there.client.Transport.(*http.Transport).DialContext(t.Context(), "tcp", "192.0.2.1:80")
	assert.ErrorIs(t, err, errNotLoopback)
}

func TestElsewhereGetsNoToken(t *testing.T) {
	s := newShell(t)
	var bodies atomic.Pointer[string]
	program := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		bodies.Store(new(string(b)))
	}))
	defer program.Close()
	for _, test := range []struct {
		args  []string
		token bool
	}{
		{[]string{"--forward-to", program.URL}, true},
		{[]string{"--forward-to", program.URL, "--without-token"}, false},
	} {
		bodies.Store(nil)
		l := s.listen(test.args...)
		s.write(1)
		require.Eventually(t, func() bool { return bodies.Load() != nil }, 10*time.Second, time.Millisecond)
		assert.Equal(t, test.token, strings.Contains(*bodies.Load(), s.inst.Token()))
		l.stop()
	}
}

func TestListenRepeatsAsLongAsItSays(t *testing.T) {
	s := newShell(t)
	var posts atomic.Int32
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		posts.Add(1)
		http.Redirect(w, &http.Request{Method: http.MethodGet}, "http://192.0.2.1/", http.StatusTemporaryRedirect)
	}))
	defer program.Close()
	l := s.listen("--forward-to", program.URL, "--retry", "1ms,1ms")
	s.write(1)
	l.out.waitFor(t, "→ 307  ")
	l.out.waitFor(t, "given up after 3 tries")
	assert.Equal(t, 1, strings.Count(l.out.String(), "Redirects are not followed"))
	l.stop()
	assert.EqualValues(t, 3, posts.Load())
	assert.Contains(t, l.err.String(), "1 event, 0 delivered, 1 given up.")
}

func TestARefusalSaysWhatIsMissing(t *testing.T) {
	s := newShell(t)
	program := httptest.NewServer(newReceiver(t).handler)
	defer program.Close()
	l := s.listen("--forward-to", program.URL, "--retry", "1h")
	s.write(2)
	require.Eventually(t, func() bool { return strings.Count(l.out.String(), "→ 401  ") == 2 }, 10*time.Second, time.Millisecond)
	l.stop()
	assert.Equal(t, 1, strings.Count(l.out.String(), "set "+envAuthorization))
	assert.Contains(t, l.err.String(), "2 not delivered: they waited for another try")
}

func TestASlowProgramIsNotWaitedForLong(t *testing.T) {
	s := newShell(t)
	hold := make(chan struct{})
	program := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer program.Close()
	defer close(hold)
	l := s.listen("--forward-to", program.URL, "--retry", "1h", "--timeout", "30ms")
	s.write(1)
	l.out.waitFor(t, "→ no answer within 30ms")
	l.stop()
}

func TestListenPrintsEventsAsJSONWithoutSecrets(t *testing.T) {
	s := newShell(t)
	fresh := s.srv.AddInstance("fresh")
	s.vars[envInstance] = "fresh"
	ctx, cancel := context.WithCancel(t.Context())
	var out, err output
	done := make(chan int)
	go func() { done <- s.start(ctx, &out, &err, "listen", "--print-json") }()
	err.waitFor(t, "Listening to fresh")
	r := s.run("connect", "--wait", "50ms")
	assert.Equal(t, exitFailed, r.code)
	code := fresh.QRCode()
	require.NotEmpty(t, code)
	out.waitFor(t, "qr_ready")
	fresh.Pair("5511900000009")
	fresh.Receive(ryzetest.Incoming{From: "5511987654321", Text: hostile})
	out.waitFor(t, "message.exchange")
	s.srv.DropWebSockets(1001)
	out.waitFor(t, string(ryze.EventGap))
	cancel()
	assert.Zero(t, <-done)
	s.noSecrets(out.String() + err.String())
	assert.NotContains(t, out.String(), code)
	assert.Contains(t, out.String(), "[redacted]")
	assert.Equal(t, out.String(), clean(out.String()))
	for _, event := range objects(t, out.String()) {
		assert.NotEmpty(t, event["event"])
	}
}

func TestListenShowsOnlyWhatIsWanted(t *testing.T) {
	s := newShell(t)
	l := s.listen("--events", "message.status")
	s.write(1)
	s.inst.Receipt("read", "ABC")
	l.out.waitFor(t, "message.status")
	l.stop()
	assert.NotContains(t, l.out.String(), "message.exchange")
	assert.Equal(t, exitUsage, s.run("listen", "demo", "--events", "message").code)
}

func TestTextsOfEventsAreCleaned(t *testing.T) {
	s := newShell(t)
	l := s.listen()
	s.inst.Receive(ryzetest.Incoming{From: "5511987654321", Name: hostile, Text: hostile})
	l.out.waitFor(t, "message.exchange")
	l.stop()
	assert.Equal(t, l.out.String(), clean(l.out.String()))
	assert.Equal(t, 1, strings.Count(l.out.String(), "\n")-1, "an event is a line: %s", l.out)
}

func TestURLsAreShownWithoutSecrets(t *testing.T) {
	assert.Equal(t, "https://redacted@example.org/hook?key=[redacted]&z=[redacted]", shownURL("https://u:p@example.org/hook?z=1&key=secret&key=2#x"))
	assert.Equal(t, "http://localhost:3000/hook", shownURL("http://localhost:3000/hook"))
}
