package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// hostile is what somebody may write who wants to play with a terminal.
const hostile = "a\x1b]0;title\x07b\x1b[2Jc\u009b31md\u202egnp.exe\u2066\u200fe\rf\x00g\x7fh\u2028i\nj\xffk\U000e0041l"

func TestNothingThatATerminalObeysIsPrinted(t *testing.T) {
	for _, text := range []string{clean(hostile), line(hostile)} {
		for _, r := range text {
			assert.False(t, r != '\n' && obeyed(r), "%q in %q", r, text)
		}
	}
	assert.NotContains(t, line(hostile), "\n")
	assert.Equal(t, "a�]0;title�b�[2Jc�31mdgnp.exee�f�g�h�i\nj�kl", clean(hostile))
}

func TestWhatPeopleWriteIsLeftAlone(t *testing.T) {
	for _, text := range []string{"Olá, São Paulo", "family 👨‍👩‍👧", "نمی\u200cخواهم", "עברית", "日本語", "🏳️‍🌈"} {
		assert.Equal(t, text, clean(text))
	}
}

func TestJSONKeepsItsValueWithoutTheCharacters(t *testing.T) {
	want := strings.ToValidUTF8(hostile, "\ufffd")
	b, err := json.Marshal(want)
	require.NoError(t, err)
	escaped := escapeJSON(b)
	var got string
	require.NoError(t, json.Unmarshal(escaped, &got))
	assert.Equal(t, want, got)
	assert.Equal(t, escaped, []byte(clean(string(escaped))))
}

func TestColumnsLineUpWithWideCharacters(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	a.table([][]string{{"NAME", "STATE"}, {"日本", "on"}, {"a\nb", "off"}})
	assert.Equal(t, "NAME   STATE\n日本   on\na ⏎ b  off\n", out.String())
}

func TestNamesFromTheServiceAreCleaned(t *testing.T) {
	s := newShell(t)
	s.inst.SetProfile("x\x1b[2J\u202ey", "", "")
	out := s.ok("instances")
	assert.Equal(t, clean(out), out)
	assert.NotContains(t, out, "\x1b")
	r := s.run("send", "demo\x1b[31m", "5511987654321", "x")
	assert.NotContains(t, r.err, "\x1b")
	assert.Equal(t, "x\x1b[2J\u202ey", objects(t, s.ok("instances", "--json"))[0]["profile"])

	s.srv.Fault("instance.list", ryzetest.Fault{Status: 404, Message: "no\x1b[31m\nryze: all is well"})
	r = s.run("instances")
	assert.NotContains(t, r.err, "\x1b")
	assert.Len(t, fields(r.err), 1, "no text passes for a line of its own: %s", r.err)
}
