package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// screen collects what the program prints.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// after is what was printed behind a text.
func (s *screen) after(text string) string {
	_, rest, _ := strings.Cut(s.String(), text)
	return rest
}

func (s *screen) waitFor(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(s.String(), text) }, 10*time.Second, time.Millisecond,
		"%q in:\n%s", text, s)
}

// launch runs the simulator until stop is called, which returns its error.
func launch(t *testing.T, in io.Reader, args ...string) (out *screen, base, token string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = &screen{}
	done := make(chan error, 1)
	go func() { done <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), in, out, out) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { assert.NoError(t, stop()) })
	out.waitFor(t, "# Ctrl-C")
	_, export, _ := strings.Cut(out.String(), "export ")
	_, err := fmt.Sscanf(export, "RYZE_BASE_URL=%s RYZE_ACCOUNT_TOKEN=%s", &base, &token)
	require.NoError(t, err)
	return out, base, token, stop
}

func post(t *testing.T, url, token, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("token", token)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	return res.StatusCode
}

func TestPrintsWhatToExportAndLogsEachRequest(t *testing.T) {
	out, base, token, stop := launch(t, nil, "-token", "acct", "-instance", "demo")
	assert.Equal(t, "acct", token)
	out.waitFor(t, "export RYZE_INSTANCE=demo RYZE_INSTANCE_TOKEN=")

	assert.Equal(t, 200, post(t, base+"/api/message/text/demo", "acct", `{"number":"5511987654321","message":"x","text":"y"}`))
	out.waitFor(t, `POST /api/message/text/:instance instance="demo" 200 [unknown field: text]`)
	assert.NotContains(t, out.after("# Ctrl-C"), "acct", "a request line must not carry the token")

	require.NoError(t, stop())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/health", nil)
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(req)
	assert.Error(t, err, "the port must be closed")
}

func TestAutoPairConnectsByItself(t *testing.T) {
	out, base, token, _ := launch(t, nil, "-auto-pair", "1ms")
	require.Equal(t, 201, post(t, base+"/api/instance/new", token, `{"name":"a"}`))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/instance/connect/a", nil)
	require.NoError(t, err)
	req.Header.Set("token", token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	assert.Eventually(t, func() bool {
		return post(t, base+"/api/message/text/a", token, `{"number":"5511987654321","message":"x"}`) == 200
	}, 10*time.Second, 5*time.Millisecond, out)
}

func TestConsolePlaysThePhone(t *testing.T) {
	in, keyboard := io.Pipe()
	t.Cleanup(func() { assert.NoError(t, keyboard.Close()) })
	out, _, _, _ := launch(t, in, "-console", "-instance", "demo")
	say := func(line, want string) {
		fmt.Fprintln(keyboard, line)
		out.waitFor(t, want)
	}
	say("disconnect demo", "demo is disconnected")
	say("pair demo 5511900000009", "demo is connected")
	say("receive demo 5511987654321 hello there", "message 3EB0")
	say("receive demo", "wrong arguments")
	say("pair nobody", `no instance "nobody"`)
	say("dance demo", `unknown command "dance"`)
	say("help", "advance DURATION")
}

func TestServesHTTP2WithACertificateToTrust(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cert.pem")
	_, base, _, _ := launch(t, nil, "-tls", "-cert", file)
	assert.True(t, strings.HasPrefix(base, "https://"), base)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/health", nil)
	require.NoError(t, err)
	res, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, "HTTP/2.0", res.Proto)
}
