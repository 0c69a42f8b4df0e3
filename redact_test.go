package ryze

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func inJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b[1 : len(b)-1])
}

// writers are the ways in which somebody may repeat a text.
var writers = map[string]func(string) string{
	"plain": func(s string) string { return s },
	"json":  func(s string) string { return inJSON(s) },
	"json, slashes": func(s string) string {
		return strings.ReplaceAll(inJSON(s), "/", `\/`)
	},
	"json, ascii": func(s string) string {
		var out strings.Builder
		for _, r := range inJSON(s) {
			switch {
			case r > 0xffff:
				r -= 0x10000
				fmt.Fprintf(&out, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			case r > 0x7e:
				fmt.Fprintf(&out, `\u%04x`, r)
			default:
				out.WriteRune(r)
			}
		}
		return out.String()
	},
	"go":   func(s string) string { q := fmt.Sprintf("%+q", s); return q[1 : len(q)-1] },
	"html": html.EscapeString,
	"html names": func(s string) string {
		return strings.NewReplacer("&", "&amp;", `"`, "&quot;", "'", "&apos;", "<", "&lt;", ">", "&gt;", "/", "&sol;", ";", "&semi;").Replace(s)
	},
	"html numbers": func(s string) string {
		var out strings.Builder
		for _, r := range s {
			fmt.Fprintf(&out, []string{"&#%d;", "&#x%x;", "&#X%X;"}[r%3], r)
		}
		return out.String()
	},
	"path":  url.PathEscape,
	"query": url.QueryEscape,
	"percent": func(s string) string {
		var out strings.Builder
		for _, b := range []byte(s) {
			fmt.Fprintf(&out, "%%%02x", b)
		}
		return out.String()
	},
}

// A secret is not seen in whatever form it is repeated, also in one form inside
// another.
func TestSecretsAreHiddenInEveryForm(t *testing.T) {
	secrets := []string{
		`tok-123/45&6`, `pä"ss\w<o>rd /&=+'`, `a"b"c"d`, `\\server\share`, `%41%22"&quot;`, `&amp;&#34;<>`, `p&lt;"x;y`, `🔑"emoji"`, "line\nbreak\ttab", `a+b c"d`, `100% "sure"`, `""""`, `\\\\`,
	}
	for _, secret := range secrets {
		for outer, write := range writers {
			for inner, writeInner := range writers {
				assert.Equal(t, redacted, string(withoutSecrets([]byte(write(writeInner(secret))), secret)), "%s in %s", inner, outer)
				around := func(middle string) string {
					return "<p>" + write(writeInner("x ")) + middle + write(writeInner(" y")) + "</p>"
				}
				got := withoutSecrets([]byte(around(write(writeInner(secret)))), secret)
				assert.Equal(t, around(redacted), string(got), "%s in %s", inner, outer)
			}
		}
		twice := secret
		for range 3 {
			twice = writers["json"](twice)
		}
		left := strings.ReplaceAll(string(withoutSecrets([]byte(twice), secret)), redacted, "")
		assert.Empty(t, left, "JSON in JSON in JSON of %s", secret)
	}
}

// What is nothing, or nearly, is in every text. It is not looked for.
func TestShortSecretsDoNotGarbleTexts(t *testing.T) {
	const text = `Instance not found: error 404 in "a b  c" [x]    {"success":false}`
	for _, secret := range []string{"", " ", "    ", "\t\n \t\n", "a", "er", "not", "404", "e", "   a", `"`, "äöü", `{"s`} {
		assert.Equal(t, text, string(withoutSecrets([]byte(text), secret)), "%q", secret)
	}
	assert.NotContains(t, string(withoutSecrets([]byte(text), "", "found")), "found", "one of several")
	assert.NotContains(t, string(withoutSecrets([]byte(text), "succ")), "succ", "four characters are enough")

	for _, token := range []string{"a", "er", "404", "fou"} {
		_, inst, _ := answering(t, token, 404, refusal("Instance not found"))
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.EqualError(t, err, "ryze: messages.text: Instance not found (HTTP 404)")
	}
}

// A secret that the end of a text cuts in two shows no more than what is too short
// to be looked for, in whatever form it is repeated.
func TestBeginningOfASecretAtTheEndIsHidden(t *testing.T) {
	const secret = `tok/3&"5<789>'é-abcdef`
	for name, write := range writers {
		text := "was: " + write(secret)
		for end := range len(text) {
			got := string(withoutBegunSecrets([]byte(text[:end]), secret))
			plain := strings.ReplaceAll(strings.TrimPrefix(got, "was: "), redacted, "")
			assert.LessOrEqual(t, len(plain), len(write(secret[:shortestSecret+1])), "%s: %s", name, got)
			assert.NotContains(t, got, write(secret[shortestSecret+1:shortestSecret+3]), "%s: %s", name, got)
		}
	}
	assert.Equal(t, "tok/3 and more", string(withoutBegunSecrets([]byte("tok/3 and more"), secret)), "not at the end")
	assert.Equal(t, "the tok", string(withoutBegunSecrets([]byte("the tok"), secret)), "too short")
}

// What a reply tells as a secret is hidden in its texts too, such as the token of an
// instance that it says was not created.
func TestSecretToldByAReplyIsHiddenInItsTexts(t *testing.T) {
	const token = "n3w/t0ken&1"
	for _, body := range []string{
		`{"success":false,"instance":{"name":"a","token":"` + token + `"},"error":{"message":"hook of ` + token + `"}}`,
		`{"success":false,"error":{"message":"hook of ` + token + `"},"data":{"token":"n3w\/t0ken\u00261"}}`,
		`{"success":false,"error":{"message":"hook of n3w%2Ft0ken%261"},"token":"` + token + `"}`,
	} {
		body = strings.ReplaceAll(body, `\`, `\`)
		for _, status := range []int{200, 400, 500} {
			client, _, _ := answering(t, "t0ken", status, body)
			_, err := client.Account("t0ken").CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
			require.Error(t, err)
			var api *APIError
			var response *ResponseError
			text := err.Error()
			if errors.As(err, &api) {
				text += api.Message + string(api.Body)
			}
			if errors.As(err, &response) {
				text += string(response.Body)
			}
			assert.NotContains(t, text, "t0ken", "%d %s", status, body)
			assert.Contains(t, text, "hook of [redacted]")
		}
	}
}

// What an error keeps of a body ends where the connection broke, or where it is
// too long; a token may be there.
func TestTokenCutByTheEndOfABodyIsHidden(t *testing.T) {
	const token = "tok-ABCDEFGH-12345678"
	fill := strings.Repeat("x", maxErrorBody-12)
	many := strings.Repeat(token, maxErrorBody/len(token)+200)
	for name, body := range map[string]string{
		"longer than is kept":      fill + token + strings.Repeat("y", 100),
		"longer than is read":      fill + token + strings.Repeat("y", maxReply),
		"many":                     many,
		"cut":                      `{"success":false,"error":{"message":"bad ` + token[:len(token)-1],
		"cut, as it came escaped":  `{"success":false,"error":{"message":"bad \u0074ok\u002dABCDEFGH\u00`,
		"longer than is announced": fill + token,
	} {
		for _, status := range []int{200, 400, 401, 500} {
			_, inst, _ := answering(t, token, status, body)
			_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			require.Error(t, err)
			var api *APIError
			var response *ResponseError
			var kept []byte
			if errors.As(err, &api) {
				kept = api.Body
			} else {
				require.ErrorAs(t, err, &response)
				kept = response.Body
			}
			text := string(kept) + err.Error()
			require.NotEmpty(t, kept)
			assert.NotContains(t, text, token[:5], "%s, %d", name, status)
			assert.NotContains(t, text, "ABCD", "%s, %d", name, status)
		}
	}
}

// A member that holds a secret is hidden, however short the secret is, and in
// whatever form the JSON is repeated.
func TestMembersWithSecretsAreHiddenInEveryForm(t *testing.T) {
	for _, value := range []string{`"abc"`, `"a"`, `"a\"bc"`, `12345`, `-1`, `["abc","def"]`, `[ "abc" , 12345 ]`, `"abc`} {
		for _, name := range []string{"token", "Token", "apiToken", "instance_token", "tokenInstance", "s3SecretKey", "proxy_password", "qrCode", "codes"} {
			text := `{"success":false,"` + name + `" : ` + value
			if value != `"abc` {
				text += `,"name":"kept"}`
			}
			for outer, write := range writers {
				got := string(withoutSecrets([]byte(write(text))))
				for _, part := range []string{"abc", "def", "12345", "-1", `"a"`, write(`"a"`)} {
					assert.NotContains(t, got, part, "%s: %s", outer, got)
				}
				assert.Contains(t, got, redacted)
				if value != `"abc` && outer != "html numbers" && outer != "percent" {
					assert.Contains(t, got, "kept")
				}
			}
			if value != `"abc` {
				assert.True(t, json.Valid(withoutSecrets([]byte(text))), "%s", withoutSecrets([]byte(text)))
			}
		}
	}
	for _, text := range []string{`{"token":""}`, `{"token":null}`, `{"tokens":"abc"}`, `{"a":"token"}`, `"token`, `"token"`, `"token":`, `"token":"`, `"token":[`, `"token":[]`, `\`, `%`, `&`, `a\"`, `&;`, `&#;`, `%u`, `\u`} {
		assert.Equal(t, text, string(withoutSecrets([]byte(text), "abcd")))
	}
}

// The cost is bounded, whatever a body is made of.
func BenchmarkRedactWorst(b *testing.B) {
	body := []byte(strings.Repeat(`\\\"%2522&amp;quot;tok-12&#34;`, maxErrorBody/30))
	secrets := []string{"tok-123/45&6", `pä"ss\w<o>rd /&=+'`, `\\\\%%%%`, `""""&&&&`}
	b.ReportAllocs()
	for b.Loop() {
		withoutSecrets(body, secrets...)
	}
}
