package ryze

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const textDisabled = "WebSocket is not enabled for this instance. Configure it first using POST /api/events/websocket/support-line"

func TestRefusalThatWillNotChangeIsAnErrorAtOnce(t *testing.T) {
	for _, test := range []struct {
		status  int
		message string
		is      error
	}{
		{401, "Invalid token", ErrInvalidToken},
		{401, "Missing token in header, Authorization header, or query parameter", ErrMissingToken},
		{403, "Instance does not belong to your account", ErrInstanceNotOwned},
		{403, "Origin not allowed", ErrForbidden},
		{404, "Instance not found", ErrInstanceNotFound},
		{400, textDisabled, ErrWebSocketDisabled},
		{400, "something else", ErrInvalidArgument},
		{302, "", ErrRedirect},
		{200, "", ErrBadResponse},
		{501, "", ErrNotImplemented},
	} {
		t.Run(strconv.Itoa(test.status)+" "+test.message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newStreamServer(t, func(_ int, w http.ResponseWriter, _ *http.Request, _ *serverConn) {
					w.Header().Set("Location", "http://elsewhere.example/ws")
					refuse(w, test.status, test.message)
				})
				_, err := server.instance(t).Subscribe(t.Context())
				require.ErrorIs(t, err, test.is)
				assert.Equal(t, int64(1), server.count.Load())
				assert.NotContains(t, err.Error(), streamToken)
			})
		})
	}
}

// The whole text of a refusal counts, however long its envelope is.
func TestLongRefusalIsUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newStreamServer(t, func(_ int, w http.ResponseWriter, _ *http.Request, _ *serverConn) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"success":false,"trace":"`+string(bytes.Repeat([]byte("x"), 5000))+`","error":{"message":"`+textDisabled+`"}}`)
		})
		_, err := server.instance(t).Subscribe(t.Context())
		require.ErrorIs(t, err, ErrWebSocketDisabled)
	})
}

// interrupted serves one connection that breaks, and everything after it with
// second.
func interrupted(t *testing.T, second handshakeFunc) *streamServer {
	t.Helper()
	server := newStreamServer(t, nil)
	server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
		if n > 1 {
			second(n, w, r, conn)
			return
		}
		p, err := server.accept(w, r, conn)
		if assert.NoError(t, err) {
			assert.NoError(t, p.say(numberedFrame(1)))
			p.hang(1011)
		}
	}
	return server
}

func TestRefusalThatWillNotChangeEndsTheStream(t *testing.T) {
	for _, test := range []struct {
		status  int
		message string
		is      error
	}{
		{401, "Invalid token", ErrInvalidToken},
		{403, "", ErrForbidden},
		{404, "", ErrNotFound},
		{400, textDisabled, ErrWebSocketDisabled},
	} {
		t.Run(strconv.Itoa(test.status)+" "+test.message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := interrupted(t, func(_ int, w http.ResponseWriter, _ *http.Request, _ *serverConn) {
					refuse(w, test.status, test.message)
				})
				sub, err := server.instance(t).Subscribe(t.Context())
				require.NoError(t, err)
				time.Sleep(time.Hour)
				require.Equal(t, StreamClosed, sub.State())
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()), "what was received is still delivered")
				_, open := <-sub.Events()
				assert.False(t, open)
				var ended *StreamError
				require.ErrorAs(t, sub.Err(), &ended)
				require.ErrorIs(t, ended, test.is)
				assert.Equal(t, int64(2), server.count.Load(), "it is not tried again")
			})
		})
	}
}

// strange is a reply that is not the service's own.
type strange struct {
	status int
	body   string
	header map[string]string
}

func (r strange) String() string { return fmt.Sprintf("%d %.40q", r.status, r.body) }

func (r strange) write(w http.ResponseWriter) {
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(r.status)
	_, _ = io.WriteString(w, r.body)
}

const page = "<!doctype html><title>Attention Required!</title>"

// foreignRefusals are what routers and proxies answer.
var foreignRefusals = []strange{
	{status: 404, body: "404 page not found\n"}, {status: 403, body: page}, {status: 401, body: page}, {status: 404}, {status: 403}, {status: 401},
	{status: 401, body: `{"message":"Unauthorized"}`}, {status: 403, body: `{"error":"forbidden"}`},
	{status: 404, body: `{"success":true,"error":{"message":"Instance not found"}}`},
	{status: 404, body: `{"success":false}`}, {status: 403, body: `{"success":false,"error":{}}`},
	{status: 401, body: `{"success":false,"error":{"message":"Invalid to`}, {status: 404, body: `[]`}, {status: 404, body: `null`},
	{status: 403, body: page + strings.Repeat(" ", 2*maxErrorBody) + `{"success":false,"error":{"message":"Forbidden"}}`},
	{status: 401, body: page, header: map[string]string{"WWW-Authenticate": "Basic"}},
}

// otherFailures are what else a handshake can meet.
func otherFailures() []strange {
	var all []strange
	for _, status := range []int{200, 204, 206, 400, 402, 405, 407, 408, 409, 410, 418, 421, 425, 426, 429, 431, 451, 464, 499, 500, 501, 502, 503, 504, 505, 511, 520, 525, 599, 999} {
		all = append(all, strange{status: status})
		if status != 204 {
			all = append(all, strange{status: status, body: page}, strange{status: status, body: `{"success":false,"error":{"message":"not now"}}`})
		}
	}
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		for _, to := range []string{"", "/ws/elsewhere", "https://login.example/", "http://%zz", "wss://elsewhere.example/ws"} {
			all = append(all, strange{status: status, header: map[string]string{"Location": to}})
		}
	}
	return append(all,
		strange{status: 101}, strange{status: 101, header: map[string]string{"Upgrade": "h2c", "Connection": "upgrade"}},
		strange{status: 101, header: map[string]string{"Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Accept": "nonsense"}},
		strange{status: 429, body: page, header: map[string]string{"Retry-After": "99999999"}},
	)
}

// Each of them comes for an hour, and then the service is back.
func TestAnyOtherRefusalIsSurvived(t *testing.T) {
	t.Parallel()
	for _, reply := range otherFailures() {
		t.Run(reply.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var server *streamServer
				server = interrupted(t, func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					if time.Since(begin) < time.Hour {
						reply.write(w)
						return
					}
					p, err := server.accept(w, r, conn)
					if assert.NoError(t, err) {
						assert.NoError(t, p.say(numberedFrame(2)))
						<-p.gone
					}
				})
				sub, err := server.instance(t, WithLimiter(unlimited{})).Subscribe(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
				gap := gapOf(t, <-sub.Events())
				var closed *closeError
				require.ErrorAs(t, gap.Cause, &closed, "the cause is what ended the connection")
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
				assert.Less(t, server.count.Load(), int64(400), "pauses grow")
			})
		})
	}
}

// A foreign 401, 403 or 404 is an outage, until nothing else has come for a
// quarter of an hour.
func TestForeignRefusalIsSurvivedLikeAnOutage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		reply   func(n int, since time.Duration) *strange // nil: the service is back
		survive bool
	}{
		{"for 14 minutes", func(n int, since time.Duration) *strange {
			if since > 14*time.Minute {
				return nil
			}
			return &foreignRefusals[n%len(foreignRefusals)]
		}, true},
		{"with something else in between", func(n int, since time.Duration) *strange {
			switch {
			case since > 3*time.Hour:
				return nil
			case n%7 == 0:
				return &strange{status: 502, body: page}
			default:
				return &foreignRefusals[n%len(foreignRefusals)]
			}
		}, true},
		{"for ever", func(n int, _ time.Duration) *strange { return &foreignRefusals[n%len(foreignRefusals)] }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var server *streamServer
				server = interrupted(t, func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					if reply := test.reply(n, time.Since(begin)); reply != nil {
						reply.write(w)
						return
					}
					if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
						assert.NoError(t, p.say(numberedFrame(2)))
						<-p.gone
					}
				})
				sub, err := server.instance(t, WithLimiter(unlimited{})).Subscribe(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
				e, open := <-sub.Events()
				if test.survive {
					gapOf(t, e)
					assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
					return
				}
				require.False(t, open)
				assert.WithinRange(t, time.Now(), begin.Add(foreignPatience), begin.Add(foreignPatience+2*defaultMaxPause))
				var ended *StreamError
				require.ErrorAs(t, sub.Err(), &ended)
				assert.NotContains(t, sub.Err().Error(), streamToken)
				assert.Less(t, server.count.Load(), int64(200), "pauses grow")
			})
		})
	}
}

// One foreign refusal at a time, then the service is back: what a deployment
// looks like from outside.
func TestEveryForeignRefusalIsSurvived(t *testing.T) {
	for _, reply := range foreignRefusals {
		t.Run(reply.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var server *streamServer
				server = interrupted(t, func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					if n < 5 {
						reply.write(w)
						return
					}
					if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
						<-p.gone
					}
				})
				sub, err := server.instance(t).Subscribe(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
				gapOf(t, <-sub.Events())
			})
		})
	}
}

// A reply that never ends, or has no end in sight, holds no stream up.
func TestReplyOfAHandshakeIsBoundedInSizeAndTime(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var server *streamServer
			began := time.Now()
			server = interrupted(t, func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
				if n == 2 {
					w.WriteHeader(http.StatusBadGateway)
					_, _ = io.WriteString(w, page)
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
					return
				}
				if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
					<-p.gone
				}
			})
			sub, err := server.instance(t).Subscribe(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
			gapOf(t, <-sub.Events())
			assert.Less(t, time.Since(began), opWebSocketConnect.Timeout+10*time.Second)
		})
	})
	t.Run("a transport that does not heed the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			body, pen := io.Pipe()
			defer func() { _ = pen.Close() }()
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: body, Request: r}, nil
			})
			client, err := New(WithHTTPClient(&http.Client{Transport: transport}), WithRetry(RetryPolicy{MaxAttempts: 1}))
			require.NoError(t, err)
			quickly(t, opWebSocketConnect.Timeout+time.Second, func() {
				_, err = client.Instance("support-line", streamToken).Subscribe(t.Context())
				require.Error(t, err)
			})
		})
	})
	t.Run("size", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			endless := &endlessBody{}
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: endless, Request: r}, nil
			})
			client, err := New(WithHTTPClient(&http.Client{Transport: transport}), WithRetry(RetryPolicy{MaxAttempts: 1}))
			require.NoError(t, err)
			_, err = client.Instance("support-line", streamToken).Subscribe(t.Context())
			require.Error(t, err)
			assert.LessOrEqual(t, endless.read, maxRefusal+maxErrorBody)
			assert.True(t, endless.closed)
		})
	})
}

// endlessBody is a body without an end.
type endlessBody struct {
	read   int
	closed bool
}

func (b *endlessBody) Read(p []byte) (int, error) {
	b.read += len(p)
	return len(p), nil
}

func (b *endlessBody) Close() error {
	b.closed = true
	return nil
}

// Also with a limiter that knows of no windows.
func TestLimitedHandshakeWaitsForTheReset(t *testing.T) {
	for name, limiter := range map[string]Limiter{"own limiter": NewMemoryLimiter(0), "no limiter": unlimited{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reset time.Time
				server := newStreamServer(t, nil)
				server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					if n == 1 || n == 3 {
						reset = time.Now().Add(40 * time.Second).Truncate(time.Second)
						w.Header().Set("X-RateLimit-Limit", "100")
						w.Header().Set("X-RateLimit-Remaining", "0")
						w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
						refuse(w, http.StatusTooManyRequests, "Rate limit exceeded. Try again later.")
						return
					}
					assert.WithinRange(t, time.Now(), reset, reset.Add(3*time.Second), "neither early nor late")
					p, err := server.accept(w, r, conn)
					if !assert.NoError(t, err) {
						return
					}
					if n == 2 {
						time.Sleep(time.Minute)
						p.hang(1001)
						return
					}
					<-p.gone
				}
				sub, err := server.instance(t, WithLimiter(limiter)).Subscribe(t.Context())
				require.NoError(t, err)
				assert.Equal(t, GapOutage, gapOf(t, <-sub.Events()).Reason)
				assert.Equal(t, int64(4), server.count.Load())
			})
		})
	}
}

// unlimited is a limiter without a limit.
type unlimited struct{}

func (unlimited) Acquire(ctx context.Context, _ LimiterRequest) (Ticket, error) {
	return unlimited{}, ctx.Err()
}
func (unlimited) Rate(LimiterKey) RateLimit { return RateLimit{} }
func (unlimited) Done(RateLimit)            {}
func (unlimited) Cancel()                   {}
func (unlimited) Refused(RateLimit)         {}

// refusingLimiter refuses the attempts that it has an error for.
type refusingLimiter struct {
	unlimited
	attempts atomic.Int64
	refusals map[int64]error
}

func (l *refusingLimiter) Acquire(context.Context, LimiterRequest) (Ticket, error) {
	if err := l.refusals[l.attempts.Add(1)]; err != nil {
		return nil, err
	}
	return unlimited{}, nil
}

func TestLimiterThatRefusesIsSurvivedAndBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("the limiter's store is down")
		retryAt := time.Now().Add(time.Hour)
		var server *streamServer
		server = interrupted(t, func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			assert.WithinRange(t, time.Now(), retryAt, retryAt.Add(31*time.Second), "when the limiter said, and one pause for its store")
			if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
				<-p.gone
			}
		})
		limiter := &refusingLimiter{refusals: map[int64]error{2: &RateLimitError{RetryAt: retryAt}, 3: down}}
		sub, err := server.instance(t, WithLimiter(limiter)).Subscribe(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "Hello", textOf(t, <-sub.Events()))
		assert.Equal(t, GapOutage, gapOf(t, <-sub.Events()).Reason)
		assert.Equal(t, int64(4), limiter.attempts.Load())

		first := &refusingLimiter{refusals: map[int64]error{1: down}}
		_, err = server.instance(t, WithLimiter(first)).Subscribe(t.Context())
		require.ErrorIs(t, err, down, "Subscribe does not wait for it")
	})
}

func TestHandshakeThatNobodyAnswersIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newStreamServer(t, func(_ int, _ http.ResponseWriter, r *http.Request, _ *serverConn) { <-r.Context().Done() })
		inst := server.instance(t, WithRetry(RetryPolicy{MaxAttempts: 1}))
		quickly(t, opWebSocketConnect.Timeout, func() {
			_, err := inst.Subscribe(t.Context())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorContains(t, err, "no reply within 15s")
		})
	})
}

func TestHandshakeCarriesTheTokenInAHeader(t *testing.T) {
	for name, test := range map[string]struct {
		opts   []Option
		header string
		value  string
	}{
		"token":  {nil, "Token", streamToken},
		"bearer": {[]Option{WithBearerAuth()}, "Authorization", "Bearer " + streamToken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen *http.Request
				server := newStreamServer(t, nil)
				server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					seen = r
					if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
						<-p.gone
					}
				}
				inst := server.instance(t, append(test.opts, WithUserAgent("acme/1"))...)
				sub, err := inst.Client().Instance("a b/ü", streamToken).Subscribe(t.Context())
				require.NoError(t, err)
				require.NoError(t, sub.Close())
				synctest.Wait()
				assert.Equal(t, []string{test.value}, seen.Header[test.header])
				assert.Equal(t, "/ws/a%20b%2F%C3%BC", seen.RequestURI, "the name is one segment of the path, and there is no query")
				assert.Contains(t, seen.UserAgent(), "acme/1 ryze-go/")
				assert.Empty(t, seen.Header["Origin"])
				others := map[string]string{"Token": "Authorization", "Authorization": "Token"}
				assert.Empty(t, seen.Header[others[test.header]])
			})
		})
	}
}

// failAll is a transport that never gets anywhere.
func failAll(err error) *http.Client {
	return &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })}
}

func TestNothingThatIsSaidHasTheTokenOrTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var said bytes.Buffer
		ear := &lockedWriter{&mu, &said}
		logger := slog.New(slog.NewTextHandler(ear, &slog.HandlerOptions{Level: slog.LevelDebug}))
		note := func(err error) {
			require.Error(t, err)
			for ; err != nil; err = errors.Unwrap(err) {
				_, _ = io.WriteString(ear, err.Error()+"\n")
			}
		}

		server := newStreamServer(t, nil)
		server.serve = func(n int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			switch n {
			case 2:
				conn.Reset()
			case 3: // not a WebSocket
				w.Header().Set("Upgrade", "websocket")
				w.Header().Set("Connection", "upgrade")
				w.Header().Set("Sec-WebSocket-Accept", "nonsense")
				w.WriteHeader(http.StatusSwitchingProtocols)
			default:
				p, err := server.accept(w, r, conn)
				if !assert.NoError(t, err) {
					return
				}
				code := websocket.StatusGoingAway
				if n > 3 {
					code = websocket.StatusPolicyViolation
				}
				_ = p.Conn.Close(code, "bye "+streamToken)
			}
		}
		sub, err := server.instance(t, WithLogger(logger)).Subscribe(t.Context())
		require.NoError(t, err)
		for e, err := range sub.All() {
			if err != nil {
				note(err)
				break
			}
			note(gapOf(t, e).Cause)
		}
		for _, reason := range []error{
			errors.New("connection refused"),
			&tls.CertificateVerificationError{Err: errors.New("unknown authority")},
			context.DeadlineExceeded,
		} {
			client, err := New(WithHTTPClient(failAll(reason)), WithLogger(logger), WithRetry(RetryPolicy{MaxAttempts: 2}))
			require.NoError(t, err)
			_, err = client.Instance("support-line", streamToken).Subscribe(t.Context())
			require.ErrorIs(t, err, reason)
			note(err)
		}
		mu.Lock()
		defer mu.Unlock()
		assert.Contains(t, said.String(), "bye [redacted]")
		assert.Contains(t, said.String(), "event stream was lost")
		for _, secret := range []string{streamToken, "://", "/ws/"} {
			assert.NotContains(t, said.String(), secret)
		}
	})
}

type lockedWriter struct {
	mu *sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// The certificate is checked before anything is written: an untrusted server
// never sees the token, and is not asked twice.
func TestUntrustedCertificateIsAnErrorAtOnce(t *testing.T) {
	requests := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	client, err := New(WithBaseURL(server.URL))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	_, err = client.Instance("support-line", streamToken).Subscribe(t.Context())
	var untrusted *tls.CertificateVerificationError
	require.ErrorAs(t, err, &untrusted)
	assert.Zero(t, requests)
}

// The network may be somebody else's for a while, or the certificate late.
func TestUntrustedCertificateEndsTheStreamOnlyWhenItStays(t *testing.T) {
	for name, trusted := range map[string]time.Duration{"for a while": 10 * time.Minute, "for good": 1000 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var server *streamServer
				server = interrupted(t, func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
					if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
						<-p.gone
					}
				})
				begin, dials := time.Now(), 0
				transport := roundTripper(func(r *http.Request) (*http.Response, error) {
					if dials++; dials > 1 && time.Since(begin) < trusted {
						return nil, &tls.CertificateVerificationError{Err: errors.New("unknown authority")}
					}
					return server.client.Transport.RoundTrip(r)
				})
				sub, err := server.instance(t, WithHTTPClient(&http.Client{Transport: transport})).Subscribe(t.Context())
				require.NoError(t, err)
				time.Sleep(time.Hour)
				if trusted < time.Hour {
					assert.Equal(t, StreamOpen, sub.State())
					return
				}
				var untrusted *tls.CertificateVerificationError
				require.ErrorAs(t, sub.Err(), &untrusted)
				assert.Less(t, dials, 100)
			})
		})
	}
}

// slowLimiter lets each request wait, and notes how long it may.
type slowLimiter struct {
	Limiter

	wait    time.Duration
	maxWait []time.Duration
}

func (l *slowLimiter) Acquire(ctx context.Context, req LimiterRequest) (Ticket, error) {
	l.maxWait = append(l.maxWait, req.MaxWait)
	time.Sleep(l.wait)
	return l.Limiter.Acquire(ctx, req)
}

// A stream comes back through a used up token, however long the outage took.
func TestEachAttemptToReconnectMayWaitForQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server *streamServer
		server = interrupted(t, func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
				<-p.gone
			}
		})
		const outage = 20 * time.Minute
		begin, dials := time.Now(), 0
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			if dials++; dials > 1 && time.Since(begin) < outage {
				return nil, io.ErrUnexpectedEOF
			}
			return server.client.Transport.RoundTrip(r)
		})
		limiter := &slowLimiter{Limiter: NewMemoryLimiter(0), wait: time.Minute}
		sub, err := server.instance(t, WithHTTPClient(&http.Client{Transport: transport}), WithLimiter(limiter)).Subscribe(t.Context())
		require.NoError(t, err)
		time.Sleep(outage + 5*time.Minute)
		assert.Equal(t, StreamOpen, sub.State())
		require.Greater(t, len(limiter.maxWait), 10)
		for _, most := range limiter.maxWait {
			assert.Equal(t, 5*time.Minute, most)
		}
	})
}

func TestErrorOfATransportThatRepeatsTheTokenDoesNotShowIt(t *testing.T) {
	inner := fmt.Errorf("cannot send Token: %s: %w", streamToken, io.ErrUnexpectedEOF)
	client, err := New(WithHTTPClient(failAll(inner)), WithRetry(RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	_, err = client.Instance("support-line", streamToken).Subscribe(t.Context())
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	for e := err; e != nil; e = errors.Unwrap(e) {
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), streamToken)
	}
}

func TestRedirectOfAHandshakeIsNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newStreamServer(t, func(_ int, w http.ResponseWriter, r *http.Request, _ *serverConn) {
			http.Redirect(w, r, "/ws/elsewhere", http.StatusTemporaryRedirect)
		})
		_, err := server.instance(t).Subscribe(t.Context())
		require.ErrorIs(t, err, ErrRedirect)
		assert.Equal(t, int64(1), server.count.Load())
	})
}

func TestCloseCodesEndTheStreamOnlyWhenTheySaySo(t *testing.T) {
	for code := 1000; code <= 1014; code++ {
		if code > 1003 && code < 1007 {
			continue // never sent
		}
		final := code == closePolicyViolation
		assert.Equal(t, final, endsStream(&closeError{Code: code}), code)
	}
	assert.False(t, endsStream(&closeError{Code: 4401}))
}

// What is no event may repeat the token of the handshake, or tell another one.
func TestUnreadableFramesDoNotShowTheToken(t *testing.T) {
	const other = "another-token-0123456789"
	frames := []string{
		"unknown token " + streamToken,
		`{"error":"bad token ` + streamToken + `"}`,
		`{"event":"","data":{"note":"` + streamToken + `"}}`,
		`{"success":true,"instance":{"token":"` + other + `","name":"x"},"note":"` + other + `"}`,
		`{"event":null,"text":"` + strings.Repeat("x", maxEventErrorBody-40) + streamToken + `"}`,
	}
	synctest.Test(t, func(t *testing.T) {
		server := newStreamServer(t, nil)
		server.serve = func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			p, err := server.accept(w, r, conn)
			if !assert.NoError(t, err) {
				return
			}
			for _, frame := range frames {
				assert.NoError(t, p.say([]byte(frame)))
			}
			p.hang(closePolicyViolation)
		}
		sub, err := server.instance(t).Subscribe(t.Context())
		require.NoError(t, err)
		for _, frame := range frames {
			gap := gapOf(t, <-sub.Events())
			assert.Equal(t, GapUnreadable, gap.Reason)
			var unreadable *ResponseError
			require.ErrorAs(t, gap.Cause, &unreadable)
			assert.NotContains(t, string(unreadable.Body), streamToken[:8], frame)
			assert.NotContains(t, string(unreadable.Body), other, frame)
		}
	})
}

// panicsOpening is the handler of a logger that panics when a stream is open for
// the second time.
type panicsOpening struct{ opened *atomic.Int32 }

func (p panicsOpening) Enabled(context.Context, slog.Level) bool { return true }

func (p panicsOpening) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "is open") && p.opened.Add(1) == 2 {
		panic("full disk")
	}
	return nil
}

func (p panicsOpening) WithAttrs([]slog.Attr) slog.Handler { return p }

func (p panicsOpening) WithGroup(string) slog.Handler { return p }

// A panic before the stream reads its new connection must not leave that open.
func TestConnectionIsClosedWhenALoggerPanics(t *testing.T) {
	before := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(before)
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Int32
		var server *streamServer
		server = interrupted(t, func(_ int, w http.ResponseWriter, r *http.Request, conn *serverConn) {
			if p, err := server.accept(w, r, conn); assert.NoError(t, err) {
				<-p.gone
				gone.Add(1)
			}
		})
		var opened atomic.Int32
		sub, err := server.instance(t, WithLogger(slog.New(panicsOpening{&opened}))).Subscribe(t.Context())
		require.NoError(t, err)
		for range sub.Events() {
		}
		var panicked *PanicError
		require.ErrorAs(t, sub.Err(), &panicked)
		synctest.Wait()
		assert.EqualValues(t, 1, gone.Load())
		require.NoError(t, sub.Close())
	})
}
