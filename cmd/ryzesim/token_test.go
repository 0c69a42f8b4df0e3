package main

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var instanceToken = regexp.MustCompile(`RYZE_INSTANCE=(\S+) RYZE_INSTANCE_TOKEN=(\S+)`)

func tokensIn(out *screen) map[string]string {
	found := map[string]string{}
	for _, m := range instanceToken.FindAllStringSubmatch(out.String(), -1) {
		found[m[1]] = m[2]
	}
	return found
}

func TestTokensOnLoopbackAreTheSameAtEachStart(t *testing.T) {
	var before map[string]string
	for range 2 {
		out, base, token, stop := launch(t, nil, "-instance", "a,b")
		assert.Equal(t, fixedToken, token)
		found := tokensIn(out)
		assert.Len(t, found, 2)
		assert.NotEqual(t, found["a"], found["b"])
		if before != nil {
			assert.Equal(t, before, found)
		}
		before = found
		require.Equal(t, 201, post(t, base+"/api/instance/new", token, `{"name":"c"}`))
		assert.Equal(t, 503, post(t, base+"/api/message/text/c", fixedInstanceToken("c"), `{"number":"5511987654321","message":"x"}`), "one made by a request has its token by its name")
		require.NoError(t, stop())
	}
}

func TestFixedTokensAreRefusedWhereOthersCome(t *testing.T) {
	failure := func(args ...string) error {
		return run(t.Context(), append([]string{"-addr", "0.0.0.0:0"}, args...), nil, io.Discard, io.Discard)
	}
	require.ErrorContains(t, failure("-token", "acct"), "-token is refused on 0.0.0.0:0")

	state := filepath.Join(t.TempDir(), "s.json")
	_, _, _, stop := launch(t, nil, "-instance", "a", "-state", state)
	require.NoError(t, stop())
	require.ErrorContains(t, failure("-state", state), "account's public token")

	t.Setenv(tokenVariable, fixedToken)
	require.ErrorContains(t, failure(), "is refused on 0.0.0.0:0")
	t.Setenv(tokenVariable, "mine-alone")
	err := failure("-state", state)
	require.ErrorContains(t, err, `instance "a"`)
	assert.NotContains(t, err.Error(), fixedInstanceToken("a"))
	require.ErrorContains(t, run(t.Context(), []string{"-token", "x"}, nil, io.Discard, io.Discard), "both given")
}

func TestTokensWhereOthersComeAreRandomOrOfTheEnvironment(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		out, _, token, stop := launch(t, nil, "-addr", "0.0.0.0:0", "-instance", "a")
		seen[token], seen[tokensIn(out)["a"]] = true, true
		require.NoError(t, stop())
	}
	assert.Len(t, seen, 4)
	assert.False(t, seen[fixedToken] || seen[fixedInstanceToken("a")])

	t.Setenv(tokenVariable, "mine alone")
	out, base, token, _ := launch(t, nil, "-addr", "0.0.0.0:0", "-instance", "a")
	assert.Equal(t, `"$RYZESIM_TOKEN"`, token, "who has set it knows it")
	assert.NotContains(t, out.String(), "mine alone")
	assert.Equal(t, 200, post(t, base+"/api/message/text/a", "mine alone", `{"number":"5511987654321","message":"x"}`))
}

func TestLoopback(t *testing.T) {
	for addr, is := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "LOCALHOST:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "192.168.0.1:1": false, "example.com:1": false, "localhost.example.com:1": false, "nowhere": false, "": false,
	} {
		assert.Equal(t, is, isLoopback(addr), addr)
	}
}

func get(t *testing.T, address string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	return res.StatusCode
}

var pageLine = regexp.MustCompile(`(?m)\A# The page: (\S+)$`)

func TestThePageIsTheFirstLineOnLoopback(t *testing.T) {
	out, base, _, _ := launch(t, nil)
	page := pageLine.FindStringSubmatch(out.String())
	require.NotNil(t, page, out)
	assert.Equal(t, base+"/_sim/", page[1])
	assert.Equal(t, 200, get(t, page[1]))
	assert.Equal(t, 200, get(t, base+"/_sim/api/state"))

	out, base, _, _ = launch(t, nil, "-control=false")
	assert.NotContains(t, out.String(), "_sim")
	assert.Equal(t, 404, get(t, base+"/_sim/api/state"))
}

func TestThePageWantsATokenWhereOthersCome(t *testing.T) {
	out, base, _, _ := launch(t, nil, "-addr", "0.0.0.0:0")
	assert.NotContains(t, out.String(), "_sim", "it is off")
	assert.Equal(t, 404, get(t, base+"/_sim/api/state"))

	out, base, _, _ = launch(t, nil, "-addr", "0.0.0.0:0", "-control")
	page, err := url.Parse(pageLine.FindStringSubmatch(out.String())[1])
	require.NoError(t, err)
	assert.Equal(t, "localhost", page.Hostname())
	assert.NotEmpty(t, page.Query().Get("token"))
	port, err := url.Parse(base)
	require.NoError(t, err)
	assert.Equal(t, 401, get(t, "http://localhost:"+port.Port()+"/_sim/api/state"))
	assert.Less(t, get(t, page.String()), 400)

	t.Setenv(controlVariable, "of-my-own")
	out, _, _, _ = launch(t, nil, "-addr", "0.0.0.0:0", "-control")
	assert.Contains(t, pageLine.FindStringSubmatch(out.String())[1], "token=of-my-own")
}
