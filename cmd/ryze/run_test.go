package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// output collects what the program writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) waitFor(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(o.String(), text) }, 20*time.Second, time.Millisecond, "%q in:\n%s", text, o)
}

// shell is a user with an environment, in front of a simulator.
type shell struct {
	t    *testing.T
	srv  *ryzetest.Server
	inst *ryzetest.Instance // "demo", connected
	dir  string             // of the configuration
	vars map[string]string
	in   io.Reader
	term terminal
}

// newShell is a user who has the account's token in the environment.
func newShell(t *testing.T, opts ...ryzetest.Option) *shell {
	t.Helper()
	srv := ryzetest.NewServer(append([]ryzetest.Option{ryzetest.InMemory()}, opts...)...)
	t.Cleanup(srv.Close)
	inst := srv.AddInstance("demo")
	inst.Pair("5511900000001")
	return &shell{
		t: t, srv: srv, inst: inst, dir: t.TempDir(), in: strings.NewReader(""),
		vars: map[string]string{envBaseURL: srv.URL, envAccountToken: srv.AccountToken},
	}
}

// result is what a run came to.
type result struct {
	code     int
	out, err string
}

func (s *shell) start(ctx context.Context, stdout, stderr io.Writer, args ...string) int {
	return run(ctx, args, s.in, stdout, stderr, environment{
		getenv: func(name string) string { return s.vars[name] },
		environ: func() []string {
			var all []string
			for name, value := range s.vars {
				all = append(all, name+"="+value)
			}
			return all
		},
		configDir: func() (string, error) { return s.dir, nil },
		transport: s.srv.HTTPClient().Transport,
		terminal:  s.term,
	})
}

// run runs the program to its end. Nothing that it prints may hold a token, and
// no request may be one that the service would misread.
func (s *shell) run(args ...string) result {
	s.t.Helper()
	var out, err output
	code := s.start(s.t.Context(), &out, &err, args...)
	r := result{code, out.String(), err.String()}
	s.noSecrets(r.out + r.err)
	return r
}

func (s *shell) noSecrets(text string) {
	s.t.Helper()
	assert.NotContains(s.t, text, s.srv.AccountToken)
	for _, i := range s.srv.Instances() {
		assert.NotContains(s.t, text, i.Token())
	}
	assert.Empty(s.t, s.srv.Violations())
}

// ok runs the program and returns what it has printed as its result.
func (s *shell) ok(args ...string) string {
	s.t.Helper()
	r := s.run(args...)
	require.Zero(s.t, r.code, r.err)
	return r.out
}

// fields returns the words of each line, so that tests do not count blanks.
func fields(text string) [][]string {
	var rows [][]string
	for l := range strings.Lines(text) {
		rows = append(rows, strings.Fields(l))
	}
	return rows
}

// object decodes JSON.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

func objects(t *testing.T, text string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for l := range strings.Lines(text) {
		all = append(all, object(t, l))
	}
	return all
}

func (s *shell) file(name, content string, mode os.FileMode) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(s.t, os.WriteFile(path, []byte(content), mode))
	return path
}

func TestMistakesInArgumentsAskNothingOfTheService(t *testing.T) {
	s := newShell(t)
	for _, test := range []struct {
		args string
		says string
	}{
		{"frob", `unknown command "frob"`},
		{"sen demo", "did you mean send?"},
		{"instances --token x", "unknown flag: --token"},
		{"instances -o xml", `--output is "xml"`},
		{"new", "accepts 1 arg"},
		{"send 5511987654321 hello", "NAME can be left out only when RYZE_INSTANCE is set"},
		{"send demo 123 hello", `"123" is not a phone`},
		{"send demo someone@example.org hello", "has a server that is not one of"},
		{"send demo 5511987654321 hello there everybody", "accepts between 1 and 3 arg"},
		{"send demo 5511987654321 x --caption y", "belong to --file"},
		{"send demo 5511987654321 --file /does/not/exist", "no such file"},
		{"send demo 5511987654321 --json", "no content on standard input"},
	} {
		t.Run(test.args, func(t *testing.T) {
			r := s.run(strings.Fields(test.args)...)
			assert.Equal(t, exitUsage, r.code)
			assert.Contains(t, r.err, test.says)
			assert.Empty(t, r.out)
		})
	}
	assert.Empty(t, s.srv.Requests())
}

func TestErrorsSayInALineWhatMayBeDone(t *testing.T) {
	s := newShell(t)
	for _, test := range []struct {
		name  string
		vars  map[string]string
		fault ryzetest.Fault
		args  string
		says  string
		next  string
	}{
		{name: "no such instance", args: "send nobody 5511987654321 hi", says: `instance "nobody"`, next: "ryze instances"},
		{name: "taken", args: "new demo", says: "already exists", next: "ryze instances"},
		{name: "wrong token", vars: map[string]string{envAccountToken: "wrong"}, args: "instances", says: "Invalid", next: "check the token"},
		{name: "no token", vars: map[string]string{envAccountToken: ""}, args: "instances", says: "there is none for http", next: "ryze login"},
		{name: "no token of the instance", vars: map[string]string{envAccountToken: ""}, args: "connect demo", says: `no token for the instance "demo"`, next: "ryze login"},
		{name: "token of another", vars: map[string]string{envAccountToken: "", envInstanceToken: "other", envInstance: "demo"}, args: "connect demo", says: "Invalid", next: "check the token"},
		{name: "bad URL", vars: map[string]string{envBaseURL: "http://example.org"}, args: "instances", says: envBaseURL},
		{name: "a proxy's page", fault: ryzetest.ProxyPage(403), args: "instances", says: "403", next: "in front of the service"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := *s
			s.t, s.vars = t, map[string]string{envBaseURL: s.srv.URL, envAccountToken: s.srv.AccountToken}
			for name, value := range test.vars {
				s.vars[name] = value
			}
			if test.fault.Status != 0 {
				test.fault.Times = 9
				s.srv.Fault("*", test.fault)
			}
			r := s.run(strings.Fields(test.args)...)
			assert.NotZero(t, r.code)
			assert.Empty(t, r.out)
			lines := strings.Split(strings.TrimSpace(r.err), "\n")
			assert.Contains(t, lines[0], test.says)
			assert.True(t, strings.HasPrefix(lines[0], "ryze: "), lines[0])
			assert.LessOrEqual(t, len(lines), 2, r.err)
			if test.next != "" {
				require.Len(t, lines, 2, r.err)
				assert.Contains(t, lines[1], test.next)
			}
		})
	}
}

func TestTheNameMayBeLeftOut(t *testing.T) {
	s := newShell(t)
	s.vars[envInstance] = "demo"
	assert.Contains(t, s.ok("send", "5511987654321", "hello"), "Sent to 5511987654321")
	assert.Contains(t, s.ok("connect"), "Connected: demo")
	assert.Equal(t, "hello", s.inst.Sent()[0].Text)
}

func TestTheInstancesOwnTokenIsEnough(t *testing.T) {
	s := newShell(t)
	s.vars = map[string]string{envBaseURL: s.srv.URL, envInstance: "demo", envInstanceToken: s.inst.Token()}
	s.ok("send", "demo", "5511987654321", "hello")
	assert.Len(t, fields(s.ok("instances")), 2)
	for _, r := range s.srv.Requests() {
		assert.Equal(t, ryzetest.Digest(s.inst.Token()), r.Header.Get("token"), r.Path)
	}
}

func TestNamesAreCompleted(t *testing.T) {
	s := newShell(t)
	s.srv.AddInstance("support-line")
	assert.Contains(t, s.ok("__complete", "connect", ""), "demo\nsupport-line\n")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		assert.Contains(t, s.ok("completion", shell), "ryze")
	}
	other := s.run("completion", "tcsh")
	assert.Equal(t, exitUsage, other.code)
	assert.Empty(t, other.out, "a shell would run it")
	assert.Contains(t, s.ok("completion"), "Usage:")
}

func TestInterruptionEndsAtOnce(t *testing.T) {
	s := newShell(t)
	s.srv.Fault("instance.list", ryzetest.Fault{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	var out, err output
	done := make(chan int)
	go func() { done <- s.start(ctx, &out, &err, "instances") }()
	require.Eventually(t, func() bool { return len(s.srv.Requests()) == 1 }, 10*time.Second, time.Millisecond)
	cancel()
	assert.Equal(t, exitInterrupted, <-done)
	assert.Equal(t, "ryze: interrupted\n", err.String())
}
