package ryzetest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bothProtocols runs a test in memory over HTTP/1 and over HTTP/2.
func bothProtocols(t *testing.T, fn func(t *testing.T, s *Server, c client)) {
	t.Helper()
	t.Run(http1, func(t *testing.T) { bubble(t, fn) })
	t.Run(http2, func(t *testing.T) { bubble(t, fn, WithTLS()) })
}

// fixed is a body that net/http cannot read twice.
func fixed(body string) io.ReadCloser { return io.NopCloser(strings.NewReader(body)) }

func TestARequestWithoutTLSIsToldSo(t *testing.T) {
	s, _ := start(t, WithTLS())
	for _, method := range []string{"GET", "POST", "DELETE"} {
		req, err := http.NewRequestWithContext(t.Context(), method, "http"+strings.TrimPrefix(s.URL, "https"), nil)
		require.NoError(t, err)
		plain := &http.Transport{}
		defer plain.CloseIdleConnections()
		res, err := (&http.Client{Transport: plain}).Do(req)
		require.NoError(t, err, method)
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		assert.Equal(t, 400, res.StatusCode)
		assert.Contains(t, string(body), "https://")
	}
}

func TestTLSServesBothProtocols(t *testing.T) {
	for _, opts := range [][]Option{{WithTLS()}, {WithTLS(), InMemory()}, {WithTLS(), WithListen("localhost:0")}} {
		s, c := start(t, opts...)
		assert.True(t, strings.HasPrefix(s.URL, "https://"), s.URL)
		i := s.AddInstance("a")
		i.Pair("")
		a := c.do("POST", "/api/message/text/a", hello)
		require.Equal(t, 200, a.status, string(a.raw))

		pool := x509.NewCertPool()
		pool.AddCert(s.Certificate())
		plain := &http.Transport{DialContext: s.DialContext, TLSClientConfig: &tls.Config{RootCAs: pool, NextProtos: []string{"http/1.1"}}}
		defer plain.CloseIdleConnections()
		res, err := (&http.Client{Transport: plain}).Do(c.request("POST", "/api/message/text/a", hello))
		require.NoError(t, err)
		res.Body.Close()

		c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
		conn := dial(t, s, "a", i.Token())
		i.Emit("x", obj{})
		event := readEvent(t, conn).at("event")
		for event == "message.status" { // receipts of what was sent above
			event = readEvent(t, conn).at("event")
		}
		assert.Equal(t, "x", event)

		var protos []string
		for _, r := range s.Requests() {
			assert.NotContains(t, fmt.Sprint(r.Header), "Ryzetest", "the simulator's own header is not the client's")
			protos = append(protos, r.Proto)
		}
		assert.Equal(t, []string{"HTTP/2.0", "HTTP/1.1", "HTTP/2.0", "HTTP/1.1"}, protos)
		assert.Len(t, i.Sent(), 2)
	}
	s, _ := start(t)
	assert.Nil(t, s.Certificate())
}

// A client that begins with HTTP/2 which nobody has agreed on is told so.
func TestHTTP2WithoutALPNIsRefused(t *testing.T) {
	s, c := start(t, WithTLS(), WithControl(""))
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	rude := &http.Transport{Protocols: new(http.Protocols), DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		raw, err := s.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return tls.Client(raw, &tls.Config{RootCAs: pool, ServerName: "localhost"}), nil
	}}
	rude.Protocols.SetUnencryptedHTTP2(true)
	defer rude.CloseIdleConnections()
	rude.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return rude.DialTLSContext(ctx, network, addr)
	}
	for _, path := range []string{"/api/instance/list", "/_sim/api/state"} {
		req := c.request("GET", path, "")
		req.URL.Scheme = "http"
		res, err := (&http.Client{Transport: rude}).Do(req)
		require.NoError(t, err)
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		assert.Equal(t, 505, res.StatusCode)
		assert.Contains(t, string(body), "ALPN")
	}
	assert.Equal(t, 200, c.do("GET", "/api/instance/list", "").status)
}

func TestStrangersDoNotTrustTheCertificate(t *testing.T) {
	s, c := start(t, WithTLS())
	_, err := http.DefaultClient.Do(c.request("GET", "/health", ""))
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, err, &unknown)
	assert.Zero(t, s.Count("*"))
}

// TestResetStreamCarriesItsCode has the client see every code, before the message
// was stored and after, and leaves the connection alive.
func TestResetStreamCarriesItsCode(t *testing.T) {
	codes := []H2Code{0x99}
	for code := range H2HTTP11Required + 1 {
		codes = append(codes, code)
	}
	for _, process := range []bool{false, true} {
		for _, code := range codes {
			t.Run(fmt.Sprintf("%v/%v", code, process), func(t *testing.T) {
				bubble(t, func(t *testing.T, s *Server, c client) {
					s.AddInstance("a").Pair("")
					s.Fault(textRoute, Fault{Drop: ResetStream, Code: code, AfterProcess: process})
					req := c.request("POST", "/api/message/text/a", "")
					req.Body = fixed(hello)
					req.Header.Set("Content-Type", "application/json")
					_, err := c.send(req)
					require.Error(t, err)
					name := code.String()
					if code == 0x99 {
						name = "unknown error code 0x99"
					}
					assert.ErrorContains(t, err, name)
					assert.Len(t, s.Instance("a").Sent(), map[bool]int{false: 0, true: 1}[process])
					assert.Equal(t, 1, s.Count(textRoute))
					assert.Equal(t, 200, c.do("POST", "/api/message/text/a", hello).status)
				}, WithTLS())
			})
		}
	}
}

func TestGoAwayEndsTheConnectionAndNotTheRequest(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		c.do("GET", "/health", "")
		s.Fault(textRoute, Fault{GoAway: &GoAway{}})
		assert.Equal(t, 200, c.do("POST", "/api/message/text/a", hello).status)
		assert.Equal(t, 200, c.do("POST", "/api/message/text/a", hello).status)
		r := s.Requests()
		require.Len(t, r, 3)
		assert.Equal(t, []int{1, 1, 2}, []int{r[0].Conn, r[1].Conn, r[2].Conn})
	}, WithTLS())
}

func TestGoAwaySaysWhichRequestWasTheLast(t *testing.T) {
	tests := []struct {
		name   string
		fault  Fault
		sent   int
		status int // 0: the client is told of a failure
	}{
		{"before the request: net/http repeats it", Fault{GoAway: &GoAway{LastStream: -1}, Drop: NeverAnswer}, 1, 200},
		{"after it, and nothing done", Fault{GoAway: &GoAway{}, Drop: DropAfterRead}, 0, 0},
		{"after it, and done", Fault{GoAway: &GoAway{}, Drop: DropAfterProcess}, 1, 0},
		{"with a code", Fault{GoAway: &GoAway{Code: H2EnhanceYourCalm}, Drop: DropAfterProcess}, 1, 0},
		{"with the next stream", Fault{GoAway: &GoAway{LastStream: 1}, Drop: DropAfterProcess}, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *Server, c client) {
				s.AddInstance("a").Pair("")
				c.do("GET", "/health", "")
				s.Fault(textRoute, tt.fault)
				got, err := c.try("POST", "/api/message/text/a", hello)
				if tt.status == 0 {
					require.Error(t, err)
				} else {
					require.NoError(t, err)
				}
				assert.Equal(t, tt.status, got.status)
				assert.Len(t, s.Instance("a").Sent(), tt.sent)
				assert.Equal(t, 200, c.do("GET", "/health", "").status)
			}, WithTLS())
		})
	}
}

func TestGoAwayIsConnectionCloseOverHTTP1(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.Fault("*", Fault{GoAway: &GoAway{}})
		for range 2 {
			assert.Equal(t, 200, c.do("GET", "/health", "").status)
		}
		r := s.Requests()
		assert.Equal(t, []int{1, 2}, []int{r[0].Conn, r[1].Conn})
	})
}

func TestHalfReplyResetsItsStreamInTheBody(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		body := `{"success":true,"padding":"` + strings.Repeat("x", 100<<10) + `"}`
		s.Fault(textRoute, Fault{Drop: HalfReply, Code: H2InternalError, Body: body})
		got, err := c.try("POST", "/api/message/text/a", hello)
		assert.ErrorContains(t, err, "INTERNAL_ERROR")
		assert.Equal(t, 200, got.status)
		assert.Equal(t, body[:len(body)/2], string(got.raw))
		assert.Len(t, s.Instance("a").Sent(), 1)
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
		assert.Equal(t, 1, s.Requests()[1].Conn, "the connection lives")
	}, WithTLS())
}

func TestStalledReplyNeverEnds(t *testing.T) {
	bothProtocols(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		s.Fault(textRoute, Fault{Drop: StalledReply})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		got, err := c.send(c.request("POST", "/api/message/text/a", hello).WithContext(ctx))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 200, got.status)
		assert.NotEmpty(t, got.raw)
		synctest.Wait()
		assert.True(t, s.Requests()[0].Done)
	})
}

// ping lets the client of a server ask over HTTP/2 whether its connections live.
func ping(s *Server) *http.Transport {
	transport := s.HTTPClient().Transport.(*http.Transport)
	if transport.TLSClientConfig != nil {
		transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
	}
	return transport
}

func TestFrozenConnectionSwallowsEverything(t *testing.T) {
	bothProtocols(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		transport := ping(s)
		s.Fault(textRoute, Fault{Drop: Freeze, AfterProcess: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		req := c.request("POST", "/api/message/text/a", "").WithContext(ctx)
		req.Body = fixed(hello)
		req.Header.Set("Content-Type", "application/json")
		_, err := c.send(req)
		require.Error(t, err)
		if transport.HTTP2 != nil {
			assert.Equal(t, 15*time.Second, time.Since(began), "no PING is answered")
		} else {
			assert.Equal(t, time.Hour, time.Since(began))
		}
		assert.Len(t, s.Instance("a").Sent(), 1)
		assert.Equal(t, 200, c.do("POST", "/api/message/text/a", hello).status)
		r := s.Requests()
		assert.NotEqual(t, r[0].Conn, r[1].Conn)
	})
}

func TestFreezeConnectionsSparesNewOnes(t *testing.T) {
	bothProtocols(t, func(t *testing.T, s *Server, c client) {
		ping(s)
		c.do("GET", "/health", "")
		s.FreezeConnections()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := c.send(c.request("GET", "/health", "").WithContext(ctx))
		assert.Error(t, err)
		assert.Equal(t, 1, s.Count("*"), "nothing arrives")
		s.HTTPClient().CloseIdleConnections()
		if t := s.HTTPClient().Transport.(*http.Transport); t.HTTP2 != nil {
			time.Sleep(time.Minute) // until a PING tells that the connection is dead
		}
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
	})
}

func TestNewConnectionsGoWrong(t *testing.T) {
	for _, opts := range [][]Option{nil, {WithTLS()}} {
		s, c := start(t, opts...)
		s.FaultConnections(1, ConnReset)
		_, err := c.try("GET", "/health", "")
		assert.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
	}
	bothProtocols(t, func(t *testing.T, s *Server, c client) {
		s.FaultConnections(1, ConnSilent)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := c.send(c.request("GET", "/health", "").WithContext(ctx))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
		assert.Equal(t, 1, s.Count("*"))
	})
}

func TestResetReusedKillsTheConnectionUnderTheRequest(t *testing.T) {
	for _, opts := range [][]Option{nil, {WithTLS()}, {InMemory()}, {InMemory(), WithTLS()}} {
		s, c := start(t, opts...)
		s.ResetReused(1)
		assert.Equal(t, 200, c.do("GET", "/health", "").status, "a new connection is not a used one")
		req := c.request("POST", "/api/message/text/a", "")
		req.Body = fixed(hello)
		_, err := c.send(req)
		require.Error(t, err)
		assert.Zero(t, s.Count(textRoute))
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
	}
}

func TestIdleConnectionsCanBeClosed(t *testing.T) {
	bothProtocols(t, func(t *testing.T, s *Server, c client) {
		c.do("GET", "/health", "")
		synctest.Wait()
		require.Equal(t, 1, s.Connections())
		s.CloseIdleConnections()
		synctest.Wait()
		assert.Zero(t, s.Connections())
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
		assert.Equal(t, 2, s.Requests()[1].Conn)
	})
}

func TestPartOfTheBodyIsRead(t *testing.T) {
	bothProtocols(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a").Pair("")
		for _, f := range []Fault{
			{Drop: DropAfterRead, Read: 1000}, {Drop: ResetStream, Code: H2Cancel, Read: 1000}, {Status: 413, Read: 1000},
		} {
			s.Fault("messages.media", f)
			req := c.request("POST", "/api/message/media/a", "")
			req.Body = fixed(`{"number":"5511987654321","mediaType":"image","mediaBase64":"` + strings.Repeat("QUJD", 2<<20) + `"}`)
			req.Header.Set("Content-Type", "application/json")
			got, err := c.send(req)
			assert.True(t, err != nil || got.status == 413, "%v %d", err, got.status)
			synctest.Wait()
			r := s.Requests()
			assert.EqualValues(t, 1000, r[len(r)-1].Size)
		}
		assert.Empty(t, s.Instance("a").Sent())
	})
}

func TestStatusMayBeWhatNoServerSends(t *testing.T) {
	for _, opts := range [][]Option{nil, {WithTLS()}, {InMemory()}, {InMemory(), WithTLS()}} {
		s, c := start(t, opts...)
		s.AddInstance("a").Pair("")
		reached := 0
		for _, status := range []string{"000", "099", "600", "999"} {
			s.Fault(textRoute, Fault{RawStatus: status, AfterProcess: true})
			got, err := c.try("POST", "/api/message/text/a", hello)
			if err == nil {
				assert.Equal(t, status, fmt.Sprintf("%03d", got.status))
			}
			if s.Count(textRoute) == reached {
				s.ClearFaults() // an old connection lost the request
				continue
			}
			reached++
			r := s.Requests()
			assert.Equal(t, RawStatus, r[len(r)-1].Status)
		}
		s.Fault(textRoute, Fault{RawStatus: "abc", Times: 5})
		req := c.request("POST", "/api/message/text/a", "")
		req.Body = fixed(hello)
		got, err := c.send(req)
		assert.Error(t, err, "%v %v", got.status, opts)
		s.ClearFaults()
		assert.NotZero(t, reached)
		assert.Len(t, s.Instance("a").Sent(), reached)
	}
}

func TestSwitchingProtocolsLeavesTheConnectionOpen(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.Fault("*", Fault{RawStatus: "101", Drop: StalledReply, Header: http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Content-Length": nil,
		}})
		res, err := s.HTTPClient().Do(c.request("GET", "/health", ""))
		require.NoError(t, err)
		assert.Equal(t, 101, res.StatusCode)
		ended := make(chan struct{})
		go func() { _, _ = io.Copy(io.Discard, res.Body); close(ended) }()
		time.Sleep(time.Hour)
		select {
		case <-ended:
			t.Error("the connection ended")
		default:
		}
		res.Body.Close()
		<-ended
	})
}

// TestManyStreamsShareTheFramesWithFaults has faults between the frames of many
// requests at once.
func TestManyStreamsShareTheFramesWithFaults(t *testing.T) {
	s, c := start(t, WithTLS(), WithRateLimit(1e6))
	s.AddInstance("a").Pair("")
	big := strings.Repeat("x", 40<<10)
	s.Fault(textRoute, Fault{Drop: ResetStream, Code: H2Cancel, Times: 100})
	s.Fault("messages.media", Fault{Drop: HalfReply, Code: H2InternalError, Body: big, Times: 100})
	s.Fault("instance.list", Fault{Body: big, Times: 100})
	failed := make(chan error, 300)
	for range 100 {
		go func() {
			_, err := c.try("POST", "/api/message/text/a", hello)
			if err == nil {
				err = errors.New("a reset stream was answered")
			} else {
				err = nil
			}
			failed <- err
		}()
		go func() {
			got, err := c.try("POST", "/api/message/media/a", `{}`)
			if err == nil || string(got.raw) != big[:len(big)/2] {
				failed <- fmt.Errorf("half a reply: %w, %d bytes", err, len(got.raw))
				return
			}
			failed <- nil
		}()
		go func() {
			got, err := c.try("GET", "/api/instance/list", "")
			if err == nil && string(got.raw) != big {
				err = errors.New("a reply was damaged")
			}
			failed <- err
		}()
	}
	for range 300 {
		assert.NoError(t, <-failed)
	}
}
