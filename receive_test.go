package ryze_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const hookSecret = "Bearer 0f9a1c37-receive-secret"

// channel is an EventSource that a test feeds.
type channel chan *Event

func (c channel) Events() <-chan *Event { return c }
func (c channel) Err() error            { return nil }

// flow parses deliveries. It does not end.
func flow(t *testing.T, bodies ...[]byte) channel {
	t.Helper()
	c := make(channel, len(bodies)+1)
	for _, body := range bodies {
		e, err := ParseEvent(body)
		require.NoError(t, err)
		c <- e
	}
	return c
}

// feed is flow that ends.
func feed(t *testing.T, bodies ...[]byte) channel {
	t.Helper()
	c := flow(t, bodies...)
	close(c)
	return c
}

// from are messages, each of another chat unless they have the same number.
func from(people ...int) [][]byte {
	events := ryzetest.NewEvents("support-line")
	var bodies [][]byte
	for n, person := range people {
		bodies = append(bodies, events.Message(ryzetest.Incoming{From: fmt.Sprintf("55119876%05d", person), ID: fmt.Sprintf("3EB0%06d", n), Text: "private words"}))
	}
	return bodies
}

// quietly keeps the standard logger quiet.
func quietly(t *testing.T) {
	t.Helper()
	before := log.Writer()
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(before) })
}

func newHook(t *testing.T, handle Handler, opts ...WebhookOption) *WebhookReceiver {
	t.Helper()
	r, err := NewWebhookReceiver(hookSecret, handle, opts...)
	require.NoError(t, err)
	return r
}

// An inbox that is told to stop lets those at work finish, without help.
func TestInboxRunEndsGracefully(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun, finished, reported atomic.Int32
		in, err := NewInbox(func(ctx context.Context, _ *Event) error {
			begun.Add(1)
			select {
			case <-time.After(30 * time.Second):
				finished.Add(1)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, WithConcurrency(3), WithErrorHandler(func(context.Context, *HandlerError) { reported.Add(1) }))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		bodies := from(1, 2, 3, 4, 5, 6)
		require.ErrorIs(t, in.Run(ctx, flow(t, bodies...)), context.DeadlineExceeded)
		assert.EqualValues(t, 3, begun.Load())
		assert.EqualValues(t, 3, finished.Load())
		assert.Zero(t, reported.Load())
		stats := in.Stats()
		assert.EqualValues(t, 3, stats.Handled)
		assert.Zero(t, stats.Waiting+stats.Running)

		// What had not begun is handled when it comes again, the rest is not.
		require.NoError(t, in.Run(t.Context(), feed(t, bodies...)))
		assert.EqualValues(t, 6, finished.Load())
	})
}

// A handler that does not finish in time fails, and that is told.
func TestGracefulEndOfAnInboxHasATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []error
		in, err := NewInbox(func(ctx context.Context, _ *Event) error {
			<-ctx.Done()
			return ctx.Err()
		}, WithHandlerTimeout(20*time.Second), WithErrorHandler(func(_ context.Context, err *HandlerError) { reported = append(reported, err) }))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, in.Run(ctx, flow(t, from(1)...)), context.DeadlineExceeded)
		assert.Equal(t, 20*time.Second, time.Since(began))
		require.Len(t, reported, 1)
	})
}

func TestInboxLosesNothingWhenAHandlerEndsItsGoroutine(t *testing.T) {
	quietly(t)
	for _, concurrency := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int32
			var mu sync.Mutex
			var reported []*HandlerError
			fail := true
			in, err := NewInbox(func(context.Context, *Event) error {
				calls.Add(1)
				if fail {
					runtime.Goexit()
				}
				return nil
			}, WithConcurrency(concurrency), WithBacklog(2), WithErrorHandler(func(_ context.Context, err *HandlerError) {
				mu.Lock()
				defer mu.Unlock()
				reported = append(reported, err)
			}))
			require.NoError(t, err)
			bodies := from(1, 1, 2, 3, 3, 3)
			events := make(channel, 20)
			for e := range feed(t, bodies...) {
				events <- e
			}
			events <- &Event{Type: EventGap, Data: &GapEvent{}}
			for e := range feed(t, from(7)...) {
				events <- e
			}
			close(events)
			require.NoError(t, in.Run(t.Context(), events))
			require.Len(t, reported, 8)
			for _, err := range reported {
				var panicked *PanicError
				require.ErrorAs(t, err, &panicked)
				assert.Nil(t, panicked.Value)
			}
			assert.Equal(t, InboxStats{Failed: 8}, in.Stats())

			// No claim is held, no chat locked, no place lost.
			fail = false
			require.NoError(t, in.Run(t.Context(), feed(t, bodies...)))
			assert.Equal(t, InboxStats{Failed: 8, Handled: 6}, in.Stats())
			assert.EqualValues(t, 14, calls.Load())
		})
	}
}

// The error handler of an inbox may panic and end its goroutine as well.
func TestInboxLosesNothingWhenItsErrorHandlerFails(t *testing.T) {
	quietly(t)
	for name, report := range map[string]func(context.Context, *HandlerError){
		"panic": func(context.Context, *HandlerError) { panic("no") },
		"end":   func(context.Context, *HandlerError) { runtime.Goexit() },
	} {
		synctest.Test(t, func(t *testing.T) {
			in, err := NewInbox(func(context.Context, *Event) error { return errors.New("broken") },
				WithConcurrency(1), WithBacklog(1), WithErrorHandler(report))
			require.NoError(t, err)
			require.NoError(t, in.Run(t.Context(), feed(t, from(1, 1, 2)...)))
			assert.Equal(t, InboxStats{Failed: 3}, in.Stats(), name)
		})
	}
	in, err := NewInbox(func(context.Context, *Event) error { return nil })
	require.NoError(t, err)
	require.ErrorIs(t, in.Run(t.Context(), nil), ErrInvalidArgument)
}

// A handler that ends its goroutine is one of net/http's: the delivery is
// answered all the same.
func TestDeliveryIsAnsweredWhenTheHandlerEndsItsGoroutine(t *testing.T) {
	quietly(t)
	body := from(1)[0]
	exit := func(context.Context, *Event) error { runtime.Goexit(); return nil }
	broken := func(context.Context, *Event) error { return errors.New("broken") }
	store := func() (*MemoryDedupe, *Inbox) {
		m := &MemoryDedupe{}
		in, err := NewInbox(exit, WithDedupeStore(m))
		require.NoError(t, err)
		return m, in
	}
	memory, inbox := store()
	var reported atomic.Int32
	count := WithErrorHandler(func(context.Context, *HandlerError) { reported.Add(1) })
	for name, h := range map[string]*WebhookReceiver{
		"handler":       newHook(t, exit, count),
		"error handler": newHook(t, broken, WithErrorHandler(func(context.Context, *HandlerError) { reported.Add(1); runtime.Goexit() })),
		"both":          newHook(t, exit, WithErrorHandler(func(context.Context, *HandlerError) { reported.Add(1); runtime.Goexit() })),
		"inbox":         newHook(t, inbox.Handle, count),
		"bare state":    newHook(t, broken, WithUnauthenticatedState(exit), count),
	} {
		for protocol, start := range map[string]func(*httptest.Server){
			"HTTP/1": (*httptest.Server).Start,
			"HTTP/2": func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
		} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				server := httptest.NewUnstartedServer(h)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				start(server)
				defer server.Close()
				for range 2 {
					before := reported.Load()
					sent, authorization := body, hookSecret
					if name == "bare state" {
						sent, authorization = ryzetest.NewEvents("support-line").State("connected"), ""
					}
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(sent))
					require.NoError(t, err)
					req.Header.Set("Content-Type", "application/json")
					if authorization != "" {
						req.Header.Set("Authorization", authorization)
					}
					res, err := server.Client().Do(req)
					require.NoError(t, err)
					assert.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
					_ = res.Body.Close()
					assert.EqualValues(t, 1, reported.Load()-before)
				}
				assert.Zero(t, h.Stats().Running)
			})
		}
		assert.EqualValues(t, 4, h.Stats().Failed, name)
	}
	assert.Equal(t, InboxStats{Failed: 4}, inbox.Stats())
	e, err := ParseEvent(body)
	require.NoError(t, err)
	claim, err := memory.Claim(t.Context(), e.DedupeKey())
	require.NoError(t, err)
	assert.NotNil(t, claim, "no claim is held")
}

func TestInboxCountsEachEventOnce(t *testing.T) {
	quietly(t)
	synctest.Test(t, func(t *testing.T) {
		store := &MemoryDedupe{}
		hold := make(chan struct{})
		in, err := NewInbox(func(_ context.Context, e *Event) error {
			switch m := e.Data.(*MessageEvent); m.Text {
			case "ignore":
				return fmt.Errorf("spam: %w", ErrIgnore)
			case "fail":
				return errors.New("broken")
			case "panic":
				panic("no")
			case "hold":
				<-hold
			}
			return nil
		}, WithDedupeStore(store), WithConcurrency(2))
		require.NoError(t, err)
		n := 0
		event := func(text string) *Event {
			n++
			body := ryzetest.NewEvents("a").Message(ryzetest.Incoming{From: fmt.Sprintf("55119876%05d", n), ID: fmt.Sprintf("3EB0%06d", n), Text: text})
			e, err := ParseEvent(body)
			require.NoError(t, err)
			return e
		}
		assert.Zero(t, in.Stats())
		done := event("")
		require.NoError(t, in.Handle(t.Context(), done))
		require.NoError(t, in.Handle(t.Context(), done))
		require.ErrorIs(t, in.Handle(t.Context(), event("ignore")), ErrIgnore)
		require.Error(t, in.Handle(t.Context(), event("fail")))
		require.Error(t, in.Handle(t.Context(), event("panic")))
		elsewhere := event("")
		_, err = store.Claim(t.Context(), elsewhere.DedupeKey())
		require.NoError(t, err)
		require.ErrorIs(t, in.Handle(t.Context(), elsewhere), ErrInProgress)
		assert.Equal(t, InboxStats{Handled: 1, Repeated: 1, Ignored: 1, Failed: 2, Abandoned: 1}, in.Stats())

		for range 2 {
			go func() { assert.NoError(t, in.Handle(t.Context(), event("hold"))) }()
			synctest.Wait()
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { assert.ErrorIs(t, in.Handle(ctx, event("")), context.Canceled) }()
		synctest.Wait()
		assert.Equal(t, InboxStats{Handled: 1, Repeated: 1, Ignored: 1, Failed: 2, Abandoned: 1, Running: 2, Waiting: 1}, in.Stats())
		cancel()
		close(hold)
		synctest.Wait()
		assert.Equal(t, InboxStats{Handled: 3, Repeated: 1, Ignored: 1, Failed: 2, Abandoned: 2}, in.Stats())
	})
}

// Under any timing a snapshot adds up to what has come.
func TestCountersBelongToOneMoment(t *testing.T) {
	const deliveries = 2000
	in, err := NewInbox(func(_ context.Context, e *Event) error {
		if len(e.Data.(*MessageEvent).ID)%2 == 0 {
			runtime.Gosched()
		}
		return nil
	}, WithConcurrency(4))
	require.NoError(t, err)
	h := newHook(t, in.Handle)
	bodies := from(1, 2, 3, 4, 5, 6, 7, 8)
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for n := range deliveries / 4 {
				secret := hookSecret
				if n%5 == 0 {
					secret = "Bearer guessed"
				}
				ryzetest.Deliver(h, "/", secret, bodies[(n+w)%len(bodies)])
			}
		})
	}
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		var before uint64
		for {
			s := in.Stats()
			sum := s.Handled + s.Ignored + s.Repeated + s.Failed + s.Abandoned + uint64(s.Waiting+s.Running)
			assert.GreaterOrEqual(t, sum, before)
			assert.LessOrEqual(t, s.Running, 4)
			before = sum
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	work.Wait()
	close(stop)
	watch.Wait()
	assert.Equal(t, InboxStats{Handled: 8, Repeated: deliveries*4/5 - 8}, in.Stats())
	assert.Equal(t, WebhookStats{Handled: deliveries * 4 / 5, Unauthorized: deliveries / 5}, h.Stats())
}

// bodyThatBreaksOff is cut after a few bytes.
type bodyThatBreaksOff struct{ io.Reader }

func (b *bodyThatBreaksOff) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestWebhookCountsByTheReason(t *testing.T) {
	quietly(t)
	results := []error{nil, ErrIgnore, errors.New("broken")}
	var running WebhookStats
	var h *WebhookReceiver
	h = newHook(t, func(context.Context, *Event) error {
		if len(results) == 0 {
			panic("no")
		}
		running = h.Stats()
		err := results[0]
		results = results[1:]
		return err
	}, WithInstances("support-line"), WithReadLimit(4000))
	body := from(1)[0]
	for range 4 {
		ryzetest.Deliver(h, "/", hookSecret, body)
	}
	assert.Equal(t, WebhookStats{Handled: 1, Ignored: 1, Running: 1}, running, "the third is at work")
	want := WebhookStats{Handled: 1, Ignored: 1, Failed: 2}
	assert.Equal(t, want, h.Stats())

	deliver := func(change func(*http.Request)) int {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", hookSecret)
		change(req)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w.Code
	}
	for _, c := range []struct {
		status  int
		counter *uint64
		change  func(*http.Request)
	}{
		{405, &want.NotPost, func(r *http.Request) { r.Method = http.MethodGet }},
		{401, &want.Unauthorized, func(r *http.Request) { r.Header.Del("Authorization") }},
		{401, &want.Unauthorized, func(r *http.Request) { r.Header.Set("Authorization", `"`+hookSecret+`"`) }},
		{401, &want.Unauthorized, func(r *http.Request) { r.Header.Set("Authorization", "x") }},
		{415, &want.NotJSON, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }},
		{413, &want.TooLarge, func(r *http.Request) { r.ContentLength = 5000 }},
		{413, &want.TooLarge, func(r *http.Request) {
			r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(strings.Repeat(" ", 5000)))
		}},
		{503, &want.BrokenOff, func(r *http.Request) { r.Body = io.NopCloser(&bodyThatBreaksOff{strings.NewReader("{")}) }},
		{400, &want.NotAnEvent, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{")) }},
		{403, &want.WrongInstance, func(r *http.Request) {
			r.Body = io.NopCloser(bytes.NewReader(ryzetest.NewEvents("other").State("connected")))
		}},
	} {
		*c.counter++
		assert.Equal(t, c.status, deliver(c.change))
		assert.Equal(t, want, h.Stats(), c.status)
	}
}

// A webhook may have a limit of its own; what waits is given up with its request.
func TestWebhookHandlesAsManyAsItMay(t *testing.T) {
	quietly(t)
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		fail := 0
		h := newHook(t, func(context.Context, *Event) error {
			<-hold
			if fail++; fail == 1 {
				runtime.Goexit()
			}
			return nil
		}, WithConcurrency(1))
		body := from(1)[0]
		for range 3 {
			go ryzetest.Deliver(h, "/", hookSecret, body)
			synctest.Wait()
		}
		assert.Equal(t, WebhookStats{Running: 1, Waiting: 2}, h.Stats())

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", hookSecret)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, WebhookStats{Running: 1, Waiting: 2, Abandoned: 1}, h.Stats())
		close(hold)
		synctest.Wait()
		assert.Equal(t, WebhookStats{Handled: 2, Failed: 1, Abandoned: 1}, h.Stats())
	})
}

// What is left out is not asked for again.
func TestWebhookAnswersEventsThatAreLeftOut(t *testing.T) {
	events := ryzetest.NewEvents("support-line")
	states := 0
	h := newHook(t, func(_ context.Context, e *Event) error { t.Errorf("handled: %v", e); return nil },
		WithEvents(EventReceipt), WithUnauthenticatedState(func(context.Context, *Event) error { states++; return nil }))
	res := ryzetest.Deliver(h, "/", hookSecret, events.Message(ryzetest.Incoming{From: "5511987654321", Text: "x"}))
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.JSONEq(t, `{"status":"ignored"}`, res.Body)
	assert.Equal(t, http.StatusOK, ryzetest.Deliver(h, "/", hookSecret, events.State("connected")).StatusCode)
	assert.Equal(t, http.StatusOK, ryzetest.Deliver(h, "/", "", events.State("connected")).StatusCode)
	assert.Equal(t, 1, states)
	assert.Equal(t, WebhookStats{Handled: 1, Ignored: 2}, h.Stats())
}

// stuck is a Limiter that does not heed its context once it is told so.
type stuck struct {
	Limiter
	on   atomic.Bool
	let  chan struct{}
	held atomic.Int32
}

func (l *stuck) Acquire(ctx context.Context, req LimiterRequest) (Ticket, error) {
	if l.on.Load() {
		l.held.Add(1)
		<-l.let
	}
	return l.Limiter.Acquire(ctx, req)
}

// stuckTransport does not heed the context of a request once it is told so.
type stuckTransport struct {
	http.RoundTripper
	on  atomic.Bool
	let chan struct{}
}

func (s *stuckTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.on.Load() {
		<-s.let
	}
	return s.RoundTripper.RoundTrip(r)
}

// closing runs a stream of an instance, has the application hold it up, and ends
// it.
func closing(t *testing.T, hold func(sim *ryzetest.Server, sub *Subscription, l *stuck, tr *stuckTransport), end func(*Client, *Subscription), opts ...SubscribeOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory())
		defer sim.Close()
		l := &stuck{Limiter: NewMemoryLimiter(0), let: make(chan struct{})}
		tr := &stuckTransport{RoundTripper: sim.HTTPClient().Transport, let: make(chan struct{})}
		client, err := New(WithBaseURL(sim.URL), WithHTTPClient(&http.Client{Transport: tr}), WithLimiter(l))
		require.NoError(t, err)
		instance := sim.AddInstance("support-line")
		instance.Pair("5511900000001")
		sub, err := client.Instance("support-line", instance.Token()).Subscribe(t.Context(), append(opts, WithWebSocket(WebSocketConfig{}))...)
		require.NoError(t, err)
		hold(sim, sub, l, tr)

		began := time.Now()
		end(client, sub)
		assert.LessOrEqual(t, time.Since(began), 2*time.Second)
		assert.Equal(t, StreamClosed, sub.State())
		_, open := <-sub.Events()
		assert.False(t, open)

		close(l.let)
		close(tr.let)
		synctest.Wait()
		assert.Equal(t, StreamClosed, sub.State(), "it does not come back")
		require.NoError(t, client.Close())
		synctest.Wait()
		assert.Zero(t, sim.Instance("support-line").WebSockets())
	})
}

func TestCloseDoesNotWaitForTheApplication(t *testing.T) {
	for end, f := range map[string]func(*Client, *Subscription){
		"Subscription": func(_ *Client, sub *Subscription) { _ = sub.Close() },
		"Client":       func(client *Client, _ *Subscription) { _ = client.Close() },
		"both": func(client *Client, sub *Subscription) {
			var both sync.WaitGroup
			both.Go(func() { _ = sub.Close() })
			both.Go(func() { _ = client.Close() })
			both.Wait()
		},
	} {
		t.Run(end, func(t *testing.T) {
			closing(t, func(sim *ryzetest.Server, _ *Subscription, l *stuck, _ *stuckTransport) {
				l.on.Store(true)
				sim.DropWebSockets(1006)
				time.Sleep(time.Minute)
				assert.EqualValues(t, 1, l.held.Load())
			}, f)
			closing(t, func(sim *ryzetest.Server, _ *Subscription, _ *stuck, tr *stuckTransport) {
				tr.on.Store(true)
				sim.DropWebSockets(1006)
				time.Sleep(time.Minute)
			}, f)
		})
	}
}

func TestCloseDoesNotWaitForTheStateHandler(t *testing.T) {
	hold := make(chan struct{})
	closing(t, func(*ryzetest.Server, *Subscription, *stuck, *stuckTransport) {}, func(client *Client, _ *Subscription) {
		began := time.Now()
		_ = client.Close()
		assert.Zero(t, time.Since(began))
		close(hold)
	}, WithStateHandler(func(StreamState) { <-hold }))
}

// The client is closed while Subscribe waits for a limiter that heeds nothing.
func TestCloseOfTheClientDoesNotWaitForASubscribeThatIsHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &stuck{Limiter: NewMemoryLimiter(0), let: make(chan struct{})}
		l.on.Store(true)
		client, err := New(WithBaseURL("http://localhost"), WithLimiter(l))
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			_, err := client.Instance("support-line", "token").Subscribe(t.Context())
			done <- err
		}()
		synctest.Wait()
		began := time.Now()
		require.NoError(t, client.Close())
		assert.LessOrEqual(t, time.Since(began), 2*time.Second)
		close(l.let)
		require.ErrorIs(t, <-done, ErrClosed)
	})
}

// exiting is a Limiter that ends the goroutine that asks it, once it is told so.
type exiting struct {
	Limiter
	on atomic.Bool
}

func (l *exiting) Acquire(ctx context.Context, req LimiterRequest) (Ticket, error) {
	if l.on.Load() {
		runtime.Goexit()
	}
	return l.Limiter.Acquire(ctx, req)
}

func TestStreamEndsWhenALimiterEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory())
		defer sim.Close()
		l := &exiting{Limiter: NewMemoryLimiter(0)}
		client, err := New(WithBaseURL(sim.URL), WithHTTPClient(sim.HTTPClient()), WithLimiter(l))
		require.NoError(t, err)
		instance := sim.AddInstance("support-line")
		instance.Pair("5511900000001")
		inst := client.Instance("support-line", instance.Token())
		sub, err := inst.Subscribe(t.Context(), WithWebSocket(WebSocketConfig{}))
		require.NoError(t, err)
		l.on.Store(true)
		sim.DropWebSockets(1006)
		_, open := <-sub.Events()
		assert.False(t, open)
		var ended *StreamError
		require.ErrorAs(t, sub.Err(), &ended)
		require.NoError(t, sub.Close())

		began := time.Now()
		go func() { _, _ = inst.Subscribe(t.Context()) }() // it ends that, too
		synctest.Wait()
		require.NoError(t, client.Close())
		assert.Zero(t, time.Since(began))
	})
}

// panicking is a transport that panics once it is told so.
type panicking struct {
	http.RoundTripper
	on atomic.Bool
}

func (p *panicking) RoundTrip(req *http.Request) (*http.Response, error) {
	if p.on.Load() {
		panic("private words")
	}
	return p.RoundTripper.RoundTrip(req)
}

// Nobody can recover from a panic in the goroutine of a stream, so it ends the
// stream and not the process.
func TestStreamEndsWhenAFunctionThatItUsesPanics(t *testing.T) {
	var out bytes.Buffer
	before := log.Writer()
	log.SetOutput(&out)
	defer log.SetOutput(before)
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory())
		defer sim.Close()
		p := &panicking{RoundTripper: sim.HTTPClient().Transport}
		client, err := New(WithBaseURL(sim.URL), WithHTTPClient(&http.Client{Transport: p}))
		require.NoError(t, err)
		instance := sim.AddInstance("support-line")
		instance.Pair("5511900000001")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		sub, err := client.Instance("support-line", instance.Token()).Subscribe(ctx, WithWebSocket(WebSocketConfig{}))
		require.NoError(t, err)
		p.on.Store(true)
		sim.DropWebSockets(1006)
		_, open := <-sub.Events()
		assert.False(t, open)
		var ended *StreamError
		require.ErrorAs(t, sub.Err(), &ended)
		assert.False(t, ended.AliveUntil.IsZero())
		var panicked *PanicError
		require.ErrorAs(t, ended, &panicked)
		assert.Equal(t, StreamClosed, sub.State())
		require.NoError(t, sub.Close())
		require.NoError(t, client.Close())
	})
	assert.Contains(t, out.String(), "a function that the stream uses panicked")
	assert.NotContains(t, out.String(), "private words")
}
