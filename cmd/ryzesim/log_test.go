package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestLogNamesRecipientAndTextOnRequest(t *testing.T) {
	body := `{"number":"5511987654321","message":"hello\nthere"}`
	out, base, token, _ := launch(t, nil, "-instance", "a", "-log-text")
	for sent, want := range map[string]string{
		body: `to="5511987654321" text="hello\nthere"`,
		`{"number":"5511987654321","message":"` + strings.Repeat("é", 300) + `"}`: strings.Repeat("é", 200) + `..."`,
	} {
		require.Equal(t, 200, post(t, base+"/api/message/text/a", token, sent))
		out.waitFor(t, want)
	}
	for kind, sent := range map[string]string{
		"poll":     `{"question":"which?","options":["a","b"],"number":"5511987654321"}`,
		"button":   `{"number":"5511987654321","contentText":"which?","footerText":"x","buttons":[{"id":"a","displayText":"A","type":"REPLY"}]}`,
		"location": `{"number":"5511987654321","latitude":1,"longitude":2,"name":"which?"}`,
	} {
		require.Equal(t, 200, post(t, base+"/api/message/"+kind+"/a", token, sent), kind)
		out.waitFor(t, "POST /api/message/"+kind+`/:instance instance="a" 200 to="5511987654321" text="which?"`)
	}

	out, base, token, _ = launch(t, nil, "-instance", "a")
	require.Equal(t, 200, post(t, base+"/api/message/text/a", token, body))
	out.waitFor(t, "POST /api/message/text")
	assert.NotContains(t, out.String(), "5511987654321")
	assert.NotContains(t, out.String(), "hello")
}

func TestLogShowsNoTokenAndNoControlCharacters(t *testing.T) {
	t.Setenv(tokenVariable, `secret"token`)
	out, base, _, _ := launch(t, nil, "-instance", "a", "-log-text")
	instance := fixedInstanceToken("a")
	head := out.String()
	for _, token := range []string{`secret"token`, instance} {
		quoted := strings.ReplaceAll(token, `"`, `\"`)
		post(t, base+"/api/message/text/a", token, `{"number":"5511987654321","message":"my token is `+quoted+` \u001b[31m","`+quoted+`":1}`)
		post(t, base+"/api/nothing/"+url.PathEscape(token), token, "")
		post(t, base+"/api/message/text/"+url.PathEscape(token), token, "{}")
	}
	post(t, base+"/api/message/text/a", instance, `{"number":"5511987654321","message":"x","a\nb\u202e":1}`)
	out.waitFor(t, `a\nb`)
	log := strings.TrimPrefix(out.String(), head)
	assert.NotContains(t, log, instance)
	assert.NotContains(t, log, `secret`)
	assert.NotContains(t, log, "\x1b")
	assert.NotContains(t, log, "\u202e")
	assert.Equal(t, 7, strings.Count(log, "\n"), "one line for each request:\n%s", log)
}

func TestAddressAndTextOfABodyThatWasCut(t *testing.T) {
	to, text := addressAndText([]byte(`{"number":"1","message":"look","mediaBase64":"AAAA`))
	assert.Equal(t, "1", to)
	assert.Equal(t, "look", text)
	for _, body := range []string{"", "[]", "x", `{"number":5}`, `{"a`, `{"number":{"message":"x"}}`} {
		to, text = addressAndText([]byte(body))
		assert.Empty(t, to+text, body)
	}
}

func TestQuietLogsNothing(t *testing.T) {
	out, base, token, stop := launch(t, nil, "-quiet", "-instance", "a")
	head := out.String()
	require.Equal(t, 200, post(t, base+"/api/message/text/a", token, `{"number":"5511987654321","message":"x"}`))
	require.NoError(t, stop())
	assert.Equal(t, head, out.String())
}

func TestLongerTokensAreHiddenFirst(t *testing.T) {
	srv := ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithAccountToken("abc"), ryzetest.WithInstanceTokens(func(string) string { return "abcdef" }))
	defer srv.Close()
	srv.AddInstance("x")
	assert.Equal(t, "[token] [token]", hide("abcdef abc", tokensOf(srv)))
}
