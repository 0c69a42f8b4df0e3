package ryze

import (
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A secret is found however it was escaped on its way into a text, and nothing
// else is taken out.
func TestASecretIsFoundHoweverItIsEscaped(t *testing.T) {
	asJSON := func(s string) string {
		b, err := json.Marshal(s)
		require.NoError(t, err)
		return string(b)
	}
	everyRune := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			b.WriteString("&#" + string('0'+r/100%10) + string('0'+r/10%10) + string('0'+r%10) + ";")
		}
		return b.String()
	}
	escapes := map[string]func(string) string{
		"plain": func(s string) string { return s }, "JSON": asJSON, "URL": url.PathEscape, "form": url.QueryEscape,
		"HTML": html.EscapeString, "HTML numbers": everyRune, "slashes": func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
		"XML": func(s string) string { return strings.ReplaceAll(html.EscapeString(s), "&#34;", "&quot;") },
	}
	for _, secret := range []string{"t0ken-of-a-line", `a"b/c&d`, `pass+word%41`, `<script>'&amp;`, `Bearer x y`, `back\slash\n`, "50% & more"} {
		for first, one := range escapes {
			for second, two := range escapes {
				text := two("before " + one(secret) + " after")
				got := string(withoutSecret([]byte(text), secret))
				assert.NotContains(t, html.UnescapeString(got), secret, "%s in %s: %s", first, second, text)
				assert.Equal(t, 1, strings.Count(got, redacted), "%s in %s: %s became %s", first, second, text, got)
				assert.Contains(t, html.UnescapeString(got), "before")
				assert.Contains(t, html.UnescapeString(got), "after")
			}
		}
		text := asJSON(asJSON(asJSON(secret)))
		assert.Equal(t, 1, strings.Count(string(withoutSecret([]byte(text), secret)), redacted), text)
	}
	text := `{"a":"50% of \u0061 &amp; + b\\n","t":"\ud83d\ude00"}`
	assert.Equal(t, text, string(withoutSecret([]byte(text), "t0ken")), "nothing else is touched")
	assert.Equal(t, `{"a":"[redacted]"}`, string(withoutSecret([]byte(`{"a":"x\ud83d\ude00y"}`), "x\U0001F600y")))
}

func TestAShortSecretDoesNotEatTexts(t *testing.T) {
	for _, secret := range []string{"", "a", "er"} {
		assert.Equal(t, "server error", string(withoutSecret([]byte("server error"), secret)))
	}
	assert.Equal(t, "a [redacted]", string(withoutSecret([]byte("a b&c"), "b&c")))
}

// What a text costs does not grow faster than it.
func BenchmarkRedact(b *testing.B) {
	text := []byte(strings.Repeat(`{"a":"50% of \\u0061 &amp; + b\n"}`, 2000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		withoutSecret(text, "t0ken-of-a-line")
	}
}
