package jsonscan

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLongStringIsReadAsItComes(t *testing.T) {
	const long = `{"a":{"long":"x"},"b":["long"],"lo\u006eg":"QU\/\u004a\n\rD","c":1}`
	for how, wrap := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with EOF": iotest.DataErrReader,
	} {
		t.Run(how, func(t *testing.T) {
			var first, content string
			rest, err := ReadAround(bufio.NewReader(wrap(strings.NewReader(long))), "long", 1<<10, func(before []byte, r io.Reader) error {
				b, err := io.ReadAll(r)
				first, content = string(before), string(b)
				return err
			})
			require.NoError(t, err)
			assert.Equal(t, "QU/J\n\nD", content)
			assert.Equal(t, `{"a":{"long":"x"},"b":["long"],"lo\u006eg":`, first) //nolint:testifylint // no whole JSON
			assert.Equal(t, first+`"","c":1}`, string(rest))
		})
	}
}

func TestReadAroundEndsWithTheErrorOfTake(t *testing.T) {
	broken := errors.New("broken")
	for said, want := range map[error]error{broken: broken, ErrSkip: nil} {
		rest, err := ReadAround(bufio.NewReader(strings.NewReader(`{"a":1,"long":"xyz","b":2}`)), "long", 64, func([]byte, io.Reader) error { return said })
		require.ErrorIs(t, err, want)
		if want == nil {
			assert.JSONEq(t, `{"a":1,"long":null}`, string(rest))
		}
	}
}

func TestReadAroundIsBoundedAndEndsWithTheText(t *testing.T) {
	drain := func(_ []byte, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }
	for in, want := range map[string]error{
		`{"a":"` + strings.Repeat("x", 65) + `"}`:    errLongRest,
		strings.Repeat(`[`, 65):                      errLongRest,
		`{"long":"` + strings.Repeat("x", 65) + `"}`: nil,
		`{"long":"x`:     io.ErrUnexpectedEOF,
		`{"long":"x\u00`: io.ErrUnexpectedEOF,
		`{"a`:            io.ErrUnexpectedEOF,
	} {
		rest, err := ReadAround(bufio.NewReader(strings.NewReader(in)), "long", 64, drain)
		require.ErrorIs(t, err, want, in)
		assert.LessOrEqual(t, len(rest), 64+len(`""`))
	}
}
