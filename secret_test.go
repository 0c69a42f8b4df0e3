package ryze

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	const value = "tok-4f1c9b7e"
	s := Secret(value)
	type holder struct {
		Token Secret
		Ptr   *Secret
		List  []Secret
		Map   map[string]Secret
	}
	h := holder{Token: s, Ptr: &s, List: []Secret{s}, Map: map[string]Secret{"k": s}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10.3s", "%U"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", h)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "secret", s, "holder", h)
	}
	b, err := json.Marshal(h)
	require.NoError(t, err)
	out.Write(b)

	assert.NotContains(t, out.String(), value)
	assert.NotContains(t, out.String(), fmt.Sprintf("%x", value))
	assert.Contains(t, out.String(), redacted)
	assert.Equal(t, value, s.Reveal())
}

func TestEmptySecretShowsThatItIsNotSet(t *testing.T) {
	assert.Empty(t, Secret("").String())
	assert.True(t, Secret("").IsZero())
}

func TestSecretIsReadFromJSON(t *testing.T) {
	var v struct{ Token Secret }
	require.NoError(t, json.Unmarshal([]byte(`{"Token":"abc"}`), &v))
	assert.Equal(t, "abc", v.Token.Reveal())
	require.NoError(t, json.Unmarshal([]byte(`{"Token":null}`), &v), "null keeps what was there")
}
