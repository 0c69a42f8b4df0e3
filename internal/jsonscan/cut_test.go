package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var secrets = NewCutter("box", "token", "key")

func TestSecretsAreLeftOutAndNothingElse(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                                              `{}`,
		` [ 1 , {"token":2} ] `:                           ` [ 1 , {"token":2} ] `,
		`{"token":1}`:                                     `{}`,
		`{"token":1,"a":2}`:                               `{"a":2}`,
		`{"a":2 , "token":1}`:                             `{"a":2 }`,
		`{"a":2,"token":1,"key":[{}],"b":3}`:              `{"a":2,"b":3}`,
		`{"token":1,"key":2}`:                             `{}`,
		`{"a":{"token":1}}`:                               `{"a":{"token":1}}`,
		`{"a":[{"box":[{"b":[{"token":1}]}]}]}`:           `{"a":[{"box":[{"b":[{}]}]}]}`,
		`{"box":{"token":{"token":1,"key":2}}}`:           `{"box":{}}`,
		`{"box":"{\"token\":1}","a":"box"}`:               `{"a":"box"}`,
		`{"BOX":{"\u0074oken":1,"to\u212aen":2}}`:         `{"BOX":{}}`,
		"{\"b\\u006fx\":{\"to\u212aen\":1,\"a\":0}}":      `{"b\u006fx":{"a":0}}`,
		`{"b_ox":{"To_Ken_":1,"\u005ftoken":2,"_":3}}`:    `{"b_ox":{"_":3}}`,
		`{"a":"\"","token":"\\\"","b":"\\"}`:              `{"a":"\"","b":"\\"}`,
		"{\"\xff\":\"\xff\",\"token\":\"\xff\"}":          "{\"\xff\":\"\xff\"}",
		`{"tokens":1,"toke":2,"":3}`:                      `{"tokens":1,"toke":2,"":3}`,
		`true`:                                            `true`,
		`{"a":1,"token":1,"token":2,"box":{"key":[1,2]}}`: `{"a":1,"box":{}}`,
	} {
		before := strings.Clone(in)
		got, err := secrets.Cut([]byte(in))
		require.NoError(t, err, in)
		assert.Equal(t, want, string(got), in)
		assert.Equal(t, before, in)
		assert.NotContains(t, string(got[:cap(got)][len(got):]), "token", "nor behind the end")
	}
}

func TestOfABrokenTextWhatCanBeReadIsKept(t *testing.T) {
	for in, want := range map[string]string{
		``:                          ``,
		`{"a":1`:                    `{"a":1`,
		`{"a":1}}`:                  `{"a":1}`,
		`{"a":1} x`:                 `{"a":1} `,
		`{"a":tru}`:                 `{"a":`,
		`{"a":01}`:                  `{"a":`,
		`{"a":"\x"}`:                `{"a":`,
		"{\"a\":\"\n\"}":            `{"a":`,
		`{"a":"b`:                   `{"a":`,
		`{"a`:                       `{`,
		`{"\u00":1}`:                `{`,
		`{"a" 1}`:                   `{"a" `,
		`{"token":"T`:               `{"token":`,
		`{"token":"T"`:              `{"token":`,
		`{"token":{"a":"T"},x`:      `{`,
		`{"b":{"token":"T"]`:        `{"b":{"token":"T"`,
		`{"box":{"token":["T"}`:     `{"box":{"token":`,
		`{"box":"{\"token\":\"T`:    `{"box":`,
		`{"a":1,"token":"T","b":tr`: `{"a":1,"b":`,
		`[1,]`:                      `[1,`,
		`[1 2]`:                     `[1 `,
	} {
		got, err := secrets.Cut([]byte(in))
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax, in)
		assert.Equal(t, want, string(got), in)
		assert.LessOrEqual(t, syntax.Offset, len(in))
	}
}

func TestDepthIsThatOfEncodingJSON(t *testing.T) {
	deep := func(n int) []byte { return []byte(strings.Repeat(`[`, n) + strings.Repeat(`]`, n)) }
	for n, valid := range map[int]bool{maxDepth: true, maxDepth + 1: false, 1 << 20: false} {
		require.Equal(t, valid, json.Valid(deep(n)))
		got, err := secrets.Cut(deep(n))
		assert.Equal(t, valid, err == nil)
		assert.GreaterOrEqual(t, len(got), maxDepth)
	}
}

// FuzzCut: what is left of JSON is JSON, is read as encoding/json reads it, and
// has no secret where none may be; the readable part of a broken text is a part
// of it.
func FuzzCut(f *testing.F) {
	for _, s := range []string{
		`{"box":{"token":"T","a":[1,{"key":2}]},"token":0}`, `{"\u0062ox":"x"}`, `{"a":"\\\"","b":[]}`, `[[1.5e3,null]]`, `{"token":`, "\xff", `"\ud800"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		got, err := secrets.Cut(in)
		require.Equal(t, before, in)
		require.Equal(t, json.Valid(in), err == nil)
		if err != nil {
			require.LessOrEqual(t, len(got), len(in))
			return
		}
		require.True(t, json.Valid(got), "%q of %q", got, in)
		again, err := secrets.Cut(got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
		whole := bytes.Trim(got, " \t\r\n")
		checkValue(t, whole)
		for c := Value(whole).Members(); c.Next(); {
			require.False(t, strings.EqualFold(string(c.Key), "token"))
		}
	})
}

// checkValue holds what a value says of itself against encoding/json.
func checkValue(t *testing.T, v Value) {
	t.Helper()
	switch {
	case v.IsString():
		var want string
		require.NoError(t, json.Unmarshal(v, &want))
		require.Equal(t, want, v.Text())
	case v.IsObject():
		want := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal(v, &want))
		got := map[string]json.RawMessage{}
		for c := v.Members(); c.Next(); {
			got[string(c.Key)] = json.RawMessage(c.Val)
			checkValue(t, c.Val)
		}
		require.Equal(t, want, got)
	case v.IsArray():
		want, got := []json.RawMessage{}, []json.RawMessage{}
		require.NoError(t, json.Unmarshal(v, &want))
		for c := v.Elements(); c.Next(); {
			got = append(got, json.RawMessage(c.Val))
			checkValue(t, c.Val)
		}
		require.Equal(t, want, got)
	}
}
