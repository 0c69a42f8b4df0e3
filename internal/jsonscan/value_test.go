package jsonscan

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNumbersAndYesesAreReadInEveryForm(t *testing.T) {
	for in, want := range map[string]int64{`7`: 7, `"7"`: 7, `" -7 "`: -7, `7.0`: 7, `"1e3"`: 1000, `9223372036854775807`: 1<<63 - 1} {
		n, ok := Value(in).Int()
		assert.True(t, ok, in)
		assert.Equal(t, want, n, in)
	}
	for _, in := range []string{``, `null`, `true`, `7.5`, `1e400`, `"x"`, `[7]`, `1e17`} {
		_, ok := Value(in).Int()
		assert.False(t, ok, in)
	}
	for in, want := range map[string]bool{`true`: true, `"true"`: true, `1`: true, `"1"`: true, `false`: false, `0`: false, `"no"`: false, `null`: false, ``: false, `[true]`: false} {
		assert.Equal(t, want, Value(in).Bool(), in)
	}
	f, ok := Value(`"-23.5"`).Float()
	assert.True(t, ok)
	assert.InDelta(t, -23.5, f, 0)
}

func TestTextIsAPartOfTheValueUnlessItHasToChange(t *testing.T) {
	plain := Value(`"plain"`)
	plain[1] = 'P'
	text := plain.TextBytes()
	plain[1] = 'p'
	assert.Equal(t, "plain", string(text))
	for in, want := range map[string]string{`"\u00e9\/\n"`: "é/\n", `"\ud83d\ude00\ud800"`: "😀\ufffd", "\"\xff\"": "\ufffd", `1.50`: "1.50", `null`: "", ``: "", `{"a":"b"}`: ""} {
		assert.Equal(t, want, Value(in).Text(), in)
	}
}
