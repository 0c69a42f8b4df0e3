package ryze

import (
	"bytes"
	"errors"
	"strings"
)

// withoutSecret replaces a secret in b by a mark, however JSON or a URL may have
// escaped it.
func withoutSecret(b []byte, secret string) []byte {
	if secret == "" || len(b) == 0 {
		return b
	}
	b = bytes.ReplaceAll(b, []byte(secret), []byte(redacted))
	if !bytes.ContainsAny(b, `\%+`) {
		return b
	}
	var out []byte
	copied := 0
	for i := 0; i < len(b); {
		if n := matchEscaped(b[i:], secret); n > 0 {
			out = append(append(out, b[copied:i]...), redacted...)
			i += n
			copied = i
			continue
		}
		i++
	}
	if copied == 0 {
		return b
	}
	return append(out, b[copied:]...)
}

// matchEscaped returns how many bytes at the beginning of b stand for the
// secret, some of them escaped, or 0.
func matchEscaped(b []byte, secret string) int {
	at := 0
	for secret != "" {
		r, n := unescape(b[at:])
		if n == 0 || !strings.HasPrefix(secret, r) {
			if r, n = string(b[at:min(at+1, len(b))]), 1; r == "" || secret[:1] != r {
				return 0 // neither escaped nor as it is
			}
		}
		secret = secret[len(r):]
		at += n
	}
	return at
}

// unescape returns what the beginning of b stands for, and its length there.
func unescape(b []byte) (string, int) {
	switch {
	case len(b) == 0:
		return "", 0
	case b[0] == '\\' && len(b) > 1 && b[1] == 'u':
		if r, ok := hexNumber(b[2:], 4); ok {
			return string(r), 6
		}
	case b[0] == '\\' && len(b) > 1:
		if short, ok := shortEscapes[b[1]]; ok {
			return short, 2
		}
	case b[0] == '%':
		if r, ok := hexNumber(b[1:], 2); ok {
			return string([]byte{byte(r)}), 3 //nolint:gosec // two digits
		}
	case b[0] == '+':
		return " ", 1
	}
	return string(b[:1]), 1
}

var shortEscapes = map[byte]string{'"': `"`, '\\': `\`, '/': "/", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}

// hexNumber reads a number of n hexadecimal digits.
func hexNumber(b []byte, n int) (rune, bool) {
	if len(b) < n {
		return 0, false
	}
	var r rune
	for _, c := range b[:n] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// secretMembers are the names under which the service tells secrets, in lower
// case and without underscores.
var secretMembers = map[string]bool{
	"token": true, "authorization": true, "webhookauthorization": true, "password": true, "proxypassword": true,
	"secretkey": true, "s3secretkey": true, "chatwootapitoken": true, "apitoken": true,
	"qrcode": true, "qrcodebase64": true, "pairingcode": true, "codes": true,
}

// withoutMembers replaces the values of members that hold secrets in what may be
// a JSON text, whole or cut. It sees strings, and lists of strings.
func withoutMembers(b []byte) []byte {
	var out []byte
	copied, listed := 0, false
	for i := 0; i < len(b); {
		if b[i] != '"' {
			if listed && b[i] == ']' {
				listed = false
			}
			i++
			continue
		}
		end := stringEnd(b, i)
		name, next := b[i+1:max(i+1, end-1)], skipBlank(b, end)
		switch {
		case listed:
			out = append(append(out, b[copied:i]...), `"`+redacted+`"`...)
			copied = end
		case next < len(b) && b[next] == ':' && secretMembers[memberName(name)]:
			value := skipBlank(b, next+1)
			if value < len(b) && b[value] == '[' {
				listed = true
				end = value
			}
			if value < len(b) && b[value] == '"' {
				end = stringEnd(b, value)
				if end-value > 2 { // an empty one tells that there is none
					out = append(append(out, b[copied:value]...), `"`+redacted+`"`...)
					copied = end
				}
			}
		}
		i = end
	}
	if copied == 0 {
		return b
	}
	return append(out, b[copied:]...)
}

func memberName(name []byte) string {
	return strings.ReplaceAll(strings.ToLower(string(name)), "_", "")
}

// stringEnd returns where the JSON string that begins at i ends, or the end of b.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// clean returns an error of the network whose text neither has a secret in it
// nor goes over more than one line. It is matched as before.
func clean(err error, redact func([]byte) []byte) error {
	text := err.Error()
	if safe := printable(string(redact([]byte(text)))); safe != text {
		return &cleanError{text: safe, err: hide(err)}
	}
	return err
}

// cleanError is an error of the network that cannot be printed as it is.
type cleanError struct {
	text string
	err  hidden[error]
}

func (e *cleanError) Error() string        { return e.text }
func (e *cleanError) Is(target error) bool { return errors.Is(e.err.get(), target) }
func (e *cleanError) As(target any) bool   { return errors.As(e.err.get(), target) }

// bounded copies the beginning of a body.
func bounded(body []byte, most int) []byte {
	if len(body) > most {
		body = body[:most]
	}
	return append([]byte(nil), body...)
}
