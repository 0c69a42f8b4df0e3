package ryzetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestViolationsNameWhatTheServiceWouldIgnore(t *testing.T) {
	tests := []struct {
		method, path, body string
		kind               ViolationKind
		detail             string
	}{
		{"POST", "/api/message/text/a", `{"number":"5511987654321","message":"x","text":"y"}`, UnknownField, "text"},
		{"POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"image","mediaBase64":"QUJD","mimetype":"image/png"}`, UnknownField, "mimetype"},
		{"POST", "/api/message/text/a", `{"number":5511987654321,"message":"x"}`, WrongType, "number: want string"},
		{"POST", "/api/message/text/a", `{"number":"5511987654321","message":"x","mention":[1]}`, WrongType, "mention[0]: want string"},
		{"POST", "/api/message/text/a", `{"number":"5511987654321","message":"x","delay":1.5}`, WrongType, "delay: want integer"},
		{"POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"IMAGE","mediaBase64":"QUJD"}`, UnknownValue, `mediaType: "IMAGE"`},
		{"GET", "/api/instance/list?instance=a", ``, UnknownQuery, "instance"},
		{"GET", "/api/instance/list", `{}`, UselessBody, "GET"},
		{"POST", "/api/instance/create", `{}`, UnknownRoute, "POST /api/instance/create"},
	}
	for _, tt := range tests {
		s, c := start(t)
		s.AddInstance("a").Pair("")
		c.do(tt.method, tt.path, tt.body)
		require.Len(t, s.Violations(), 1, tt.path+tt.body)
		assert.Equal(t, tt.kind, s.Violations()[0].Kind)
		assert.Equal(t, tt.detail, s.Violations()[0].Detail)
		assert.Equal(t, s.Violations(), s.Requests()[0].Violations)
	}

	s, c := start(t)
	s.AddInstance("a").Pair("")
	req := c.request("POST", "/api/message/text/a", hello)
	req.Header.Set("Content-Type", "text/plain")
	_, err := c.send(req)
	require.NoError(t, err)
	require.Len(t, s.Violations(), 1)
	assert.Equal(t, ContentType, s.Violations()[0].Kind)
	assert.Equal(t, textRoute+": content type is not application/json: text/plain", s.Violations()[0].String())
}

func TestLogTellsWhatReachedTheServerWithoutTokens(t *testing.T) {
	var seen []Request
	s, c := start(t, WithAccountToken("acct-secret"), WithObserver(func(r Request) { seen = append(seen, r) }))
	s.AddInstance("a").Pair("")
	c.do("POST", "/api/message/text/a", hello)
	req := c.with("").request("GET", "/ws/a?x=1&token=acct-secret", "")
	req.Header.Set("Authorization", "Bearer acct-secret")
	_, err := c.send(req)
	require.NoError(t, err)

	log := s.Requests()
	require.Len(t, log, 2)
	assert.Equal(t, textRoute, log[0].Route)
	assert.Equal(t, "a", log[0].Instance)
	assert.Equal(t, 200, log[0].Status)
	assert.Equal(t, hello, string(log[0].Body)) //nolint:testifylint // byte for byte, not as JSON
	assert.EqualValues(t, len(hello), log[0].Size)
	assert.Equal(t, Digest("acct-secret"), log[0].Header.Get("token"))
	assert.Equal(t, "/ws/a?x=1&token=redacted", log[1].Path)
	assert.Equal(t, "Bearer "+Digest("acct-secret"), log[1].Header.Get("Authorization"))
	assert.NotContains(t, fmt.Sprintf("%+v", log), "acct-secret")
	assert.Equal(t, 1, s.Count("messages.text"))
	assert.Equal(t, 2, s.Count("*"))
	assert.Panics(t, func() { s.Count("GET /nothing") })
	require.Len(t, seen, 2)
	assert.True(t, seen[0].Done)
}

func TestLoggedBodiesAreBounded(t *testing.T) {
	s, c := start(t)
	s.AddInstance("a").Pair("")
	body := `{"number":"5511987654321","message":"` + strings.Repeat("x", 200<<10) + `"}`
	require.Equal(t, 200, c.do("POST", "/api/message/text/a", body).status)
	r := s.Requests()[0]
	assert.Len(t, r.Body, maxLoggedBody)
	assert.EqualValues(t, len(body), r.Size)
}

func TestFieldsOfEveryKindAreChecked(t *testing.T) {
	fields := []field{
		number("n"), object("o", str("s"), boolean("b")), list("l", object("", integer("i"))),
		listOrOne("one", object("", str("s"))), object("any"), {name: "free", kind: kindAny},
	}
	check := func(text string) (details []string, v values) {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		require.NoError(t, dec.Decode((*obj)(&v)))
		for _, f := range checkObject(obj(v), fields, "") {
			details = append(details, string(f.kind)+" "+f.detail)
		}
		return details, v
	}
	bad, v := check(`{"n":1.5,"o":{"s":"x","b":true},"l":[{"i":1},{"i":2}],"one":{"s":"y"},"any":{"x":1},"free":[1]}`)
	assert.Empty(t, bad)
	assert.InDelta(t, 1.5, v.float("n"), 0)
	assert.Equal(t, "x", v.object("o").str("s"))
	assert.True(t, v.object("o").bool("b"))
	assert.Equal(t, 2, v.objects("l")[1].int("i"))
	assert.Equal(t, "y", v.objects("one")[0].str("s"))
	assert.False(t, v.has("missing"))

	bad, _ = check(`{"n":null,"o":null,"l":null,"one":null}`)
	assert.Empty(t, bad, "null is the zero value")
	bad, _ = check(`{"n":"1","o":{"S":"x","b":0},"l":[{"i":1.5},{"j":1}],"one":[{"s":1}],"any":[],"L":1}`)
	assert.ElementsMatch(t, []string{
		"unknown field L", "wrong JSON type any: want object", "wrong JSON type l[0].i: want integer", "unknown field l[1].j",
		"wrong JSON type n: want number", "wrong JSON type o.b: want boolean", "unknown field o.S", "wrong JSON type one[0].s: want string",
	}, bad)
	bad, _ = check(`{"l":{"i":1},"one":"x"}`)
	assert.Equal(t, []string{"wrong JSON type l: want array", "wrong JSON type one: want object"}, bad)
}
