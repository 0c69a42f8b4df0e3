package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestWebhooksAreSetShownAndSwitchedOff(t *testing.T) {
	s := newShell(t)
	assert.Empty(t, s.ok("webhook", "demo"))
	s.vars[envAuthorization] = authorization
	assert.Equal(t, "The webhook \"default\" is set: events go to http://127.0.0.1:1/hook?key=[redacted].\n",
		s.ok("webhook", "demo", "set", "http://127.0.0.1:1/hook?key=5ecret", "--events", "message.exchange,call.update", "--by-events"))
	delete(s.vars, envAuthorization)
	assert.Contains(t, s.ok("webhook", "demo", "set", "http://127.0.0.1:1/hook?key=5ecret", "--events", "message.exchange,call.update", "--by-events"),
		"was like that already", "the stored authorization is kept")
	s.vars[envInstance] = "demo"
	assert.Equal(t, [][]string{
		{"LABEL", "STATE", "AUTHORIZATION", "BY", "EVENTS", "FILES", "EVENTS", "URL"},
		{"default", "on", "yes", "yes", "no", "message.exchange,call.update", "http://127.0.0.1:1/hook?key=[redacted]"},
	}, fields(s.ok("webhook")))
	assert.Equal(t, s.ok("webhook"), s.ok("webhook", "show"))
	all := s.ok("webhook", "demo", "show", "--json")
	assert.NotContains(t, all, authorization)
	assert.NotContains(t, all, "5ecret")
	assert.Equal(t, true, objects(t, all)[0]["authorization"])

	s.in = strings.NewReader("Bearer typed\n")
	r := s.run("webhook", "set", "http://127.0.0.1:1/other", "--label", "second", "--json")
	require.Zero(t, r.code, r.err)
	assert.Equal(t, "second", object(t, r.out)["label"])
	assert.Equal(t, "The webhook \"default\" is off.\n", s.ok("webhook", "off"))
	assert.Equal(t, []string{"default", "off", "-", "-", "-", "-", "-"}, fields(s.ok("webhook"))[1])
}

func TestAWebhookIsNotSetOpenByAccident(t *testing.T) {
	s := newShell(t)
	r := s.run("webhook", "demo", "set", "http://127.0.0.1:1/")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "--open")
	s.ok("webhook", "demo", "set", "http://127.0.0.1:1/", "--open")
	assert.Equal(t, false, objects(t, s.ok("webhook", "demo", "--json"))[0]["authorization"])
	for _, address := range []string{"notaurl", "shop.example/hook", "ftp://shop.example/", "http://", ":"} {
		r := s.run("webhook", "demo", "set", address)
		assert.Equal(t, exitUsage, r.code)
		assert.Contains(t, r.err, `"`+address+`" is not a URL`)
	}
	for _, args := range []string{"webhook demo set", "webhook demo frob", "webhook demo off now", "webhook", "webhook demo set x y"} {
		assert.Equal(t, exitUsage, s.run(strings.Fields(args)...).code, args)
	}
}

func TestLogoutAndDeleteAskBack(t *testing.T) {
	for _, command := range []string{"logout", "delete"} {
		s := newShell(t)
		for _, answer := range []string{"", "\n", "yes\n", "Demo\n"} {
			s.in = strings.NewReader(answer)
			r := s.run(command, "demo")
			assert.Equal(t, exitFailed, r.code)
			assert.Contains(t, r.err, "nothing was done")
		}
		assert.Equal(t, ryzetest.StateConnected, s.inst.State())
		s.in = strings.NewReader("demo\n")
		r := s.run(command, "demo")
		require.Zero(t, r.code, r.err)
		assert.Contains(t, r.err, "Type demo to go on")
		assert.NotEqual(t, ryzetest.StateConnected, s.inst.State())
	}
	s := newShell(t)
	assert.Equal(t, map[string]any{"done": true}, object(t, s.ok("logout", "demo", "--yes", "--json")))
	assert.Equal(t, "Deleted: demo.\n", s.ok("delete", "demo", "-y"))
	s.vars[envInstance] = "demo"
	assert.Equal(t, exitUsage, s.run("delete", "--yes").code, "a name is never left out")
	assert.Equal(t, exitFailed, s.run("delete", "demo", "--yes").code, "it is gone")
}

func TestAChangeThatMayHaveBeenMadeSaysSo(t *testing.T) {
	s := newShell(t)
	s.srv.Fault("instance.logout", ryzetest.Fault{Drop: ryzetest.DropAfterProcess, Times: 9})
	r := s.run("logout", "demo", "--yes")
	assert.Equal(t, exitUnknown, r.code)
	assert.Contains(t, r.err, "to run it again does no harm")
}

func TestLoginKeepsATokenForTheOwnerAlone(t *testing.T) {
	s := newShell(t)
	s.vars = map[string]string{envBaseURL: s.srv.URL}
	assert.Equal(t, exitUsage, s.run("instances").code)
	s.in = strings.NewReader(s.srv.AccountToken + "\n")
	r := s.run("login")
	require.Zero(t, r.code, r.err)
	path := filepath.Join(s.dir, "ryze", "credentials")
	assert.Contains(t, r.err, "It is kept in "+path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	folder, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), folder.Mode().Perm())
	assert.Contains(t, s.ok("instances"), "demo")

	s.ok("login", "--remove")
	s.in = strings.NewReader(s.inst.Token())
	require.Zero(t, s.run("login", "demo").code)
	s.ok("send", "demo", "5511987654321", "hello")
	requests := s.srv.Requests()
	assert.Equal(t, ryzetest.Digest(s.inst.Token()), requests[len(requests)-1].Header.Get("token"))

	// On a terminal it is read without being shown.
	s.term = terminal{in: true, readSecret: func(context.Context) (string, error) { return s.srv.AccountToken, nil }}
	r = s.run("login")
	assert.Zero(t, r.code)
	assert.Contains(t, r.err, "Token of the account at "+s.srv.URL)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no half-written file is left")
}

func TestLoginRefusesATokenThatIsAnother(t *testing.T) {
	s := newShell(t)
	other := s.srv.AddInstance("other")
	s.vars = map[string]string{envBaseURL: s.srv.URL}
	for _, test := range []struct{ args, token, says string }{
		{"login", "wrong", "Invalid"},
		{"login", "", "there is no token"},
		{"login", s.inst.Token(), `token of the instance "demo"`},
		{"login demo", other.Token(), `token of the instance "other"`},
		{"login demo", s.srv.AccountToken, "this is an account's token"},
	} {
		s.in = strings.NewReader(test.token)
		r := s.run(strings.Fields(test.args)...)
		assert.NotZero(t, r.code)
		assert.Contains(t, r.err, test.says)
	}
	assert.NoFileExists(t, filepath.Join(s.dir, "ryze", "credentials"))
}

func TestAFileThatOthersCanReadIsRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o666, 0o620, 0o610} {
		s := newShell(t)
		s.vars = map[string]string{envBaseURL: s.srv.URL}
		content, err := json.Marshal(credentials{map[string]*tokens{serviceKey(s.srv.URL): {Account: s.srv.AccountToken}}})
		require.NoError(t, err)
		path := s.file("ryze/credentials", string(content), 0o600)
		require.NoError(t, os.Chmod(path, mode)) // the umask does not count here
		r := s.run("instances")
		assert.Equal(t, exitFailed, r.code)
		assert.Contains(t, r.err, "others may read or write it")
		assert.Contains(t, r.err, "chmod 600")
		assert.Empty(t, s.srv.Requests())
		require.NoError(t, os.Chmod(path, 0o600))
		assert.Contains(t, s.ok("instances"), "demo")
	}
}

func TestATokenOfTheFileIsSentToItsServiceAlone(t *testing.T) {
	s := newShell(t)
	s.vars = map[string]string{envBaseURL: s.srv.URL}
	content, err := json.Marshal(credentials{map[string]*tokens{"https://ryzeapi.cloud": {Account: s.srv.AccountToken, Instances: map[string]string{"demo": s.inst.Token()}}}})
	require.NoError(t, err)
	s.file("ryze/credentials", string(content), 0o600)
	assert.Equal(t, exitUsage, s.run("instances").code)
	assert.Equal(t, exitUsage, s.run("connect", "demo").code)
	assert.Empty(t, s.srv.Requests())
	for base, key := range map[string]string{
		"https://RyzeAPI.cloud/": "https://ryzeapi.cloud", "https://ryzeapi.cloud:443": "https://ryzeapi.cloud",
		"http://ryzeapi.cloud": "http://ryzeapi.cloud", "https://ryzeapi.cloud:8443": "https://ryzeapi.cloud:8443",
	} {
		assert.Equal(t, key, serviceKey(base))
	}
}

func TestTheEnvironmentGoesFirst(t *testing.T) {
	s := newShell(t)
	content, err := json.Marshal(credentials{map[string]*tokens{serviceKey(s.srv.URL): {Account: "stale", Instances: map[string]string{"demo": "stale"}}}})
	require.NoError(t, err)
	s.file("ryze/credentials", string(content), 0o600)
	assert.Contains(t, s.ok("instances"), "demo")
	s.ok("send", "demo", "5511987654321", "x")
}

func TestExecGivesAProgramTheTokenOfTheInstance(t *testing.T) {
	s := newShell(t)
	var out, err output
	code := s.start(t.Context(), &out, &err, "exec", "demo", "--", "/bin/sh", "-c", `echo "$RYZE_INSTANCE $RYZE_INSTANCE_TOKEN $RYZE_BASE_URL [$RYZE_ACCOUNT_TOKEN]"; exit 7`)
	assert.Equal(t, 7, code, &err)
	assert.Equal(t, "demo "+s.inst.Token()+" "+s.srv.URL+" []\n", out.String())
	assert.Equal(t, exitUsage, s.run("exec", "demo", "/bin/sh").code)
	assert.Equal(t, exitUsage, s.run("exec", "demo", "--").code)
	assert.Equal(t, exitUsage, s.run("exec", "demo", "--", "/does/not/exist").code)
}

func TestEveryCommandExplainsItself(t *testing.T) {
	s := newShell(t)
	for _, c := range (&app{env: environment{getenv: func(string) string { return "" }}}).root().Commands() {
		if c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		help := s.ok(c.Name(), "--help")
		assert.Contains(t, help, "Usage:")
		assert.NotEmpty(t, c.Long, c.Name())
		assert.NotEmpty(t, c.GroupID, c.Name())
		assert.NotContains(t, strings.ToLower(c.UsageString()), "--token")
	}
}
