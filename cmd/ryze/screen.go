package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// What the service and the people behind it write is printed on a terminal, which
// obeys some characters: sequences that begin with ESC move the cursor, set the
// title or the clipboard, and marks of direction make a text look like another.
// None of them is printed. JSON keeps them, escaped.

// lockedWriter keeps the writes of several goroutines apart.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// plain returns the writer itself. A program that is given a file writes to it as
// it is, a terminal for instance, and not through a pipe.
func (a *app) plain(w io.Writer) io.Writer {
	if l, ok := w.(*lockedWriter); ok {
		if f, ok := l.w.(*os.File); ok {
			return f
		}
	}
	return w
}

// cleanWriter takes out what a terminal obeys, all but line feed and tab. Each
// write has to hold whole characters.
type cleanWriter struct{ w io.Writer }

func (c cleanWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(c.w, clean(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// clean returns s without characters that a terminal obeys. Control characters
// become a mark, so that it shows that something was there.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case !obeyed(r):
			return r
		case unicode.Is(unicode.Cf, r):
			return -1
		default:
			return utf8.RuneError
		}
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// obeyed reports whether a terminal acts on r rather than showing it. Joiners
// are no such thing: emoji and some scripts need them.
func obeyed(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	switch {
	case r == zeroWidthJoiner, r == zeroWidthNonJoiner, unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	default:
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	}
}

// visible reports whether any of a text can be seen.
func visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		switch r {
		case '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0': // letters that are blank
			return false
		}
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.In(r, unicode.Cf, unicode.Mn)
	})
}

// line returns s in one line, so that no text can pass for a line of its own.
func line(s string) string {
	s = strings.NewReplacer("\r\n", " ⏎ ", "\n", " ⏎ ", "\u2028", " ⏎ ", "\u2029", " ⏎ ", "\t", " ").Replace(strings.TrimRight(s, "\r\n"))
	return clean(s)
}

// table prints rows in columns. The first row is the head.
func (a *app) table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = line(cell)
			widths[i] = max(widths[i], uniseg.StringWidth(row[i]))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell)+2))
			}
		}
		fmt.Fprintln(a.out, strings.TrimRight(b.String(), " "))
	}
}

// value prints v as JSON.
func (a *app) value(v any) error { return a.encode(v, "  ") }

// jsonLine prints v as JSON in one line.
func (a *app) jsonLine(v any) error { return a.encode(v, "") }

func (a *app) encode(v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := a.out.Write(escapeJSON(b.Bytes()))
	return err
}

// escapeJSON writes what a terminal obeys as \u sequences. In JSON such
// characters stand only in strings, where these mean the same.
func escapeJSON(b []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case r == '\n' || !obeyed(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// note tells something beside the result.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.err, line(fmt.Sprintf(format, args...)))
}

// tell prints a line of the result.
func (a *app) tell(format string, args ...any) {
	fmt.Fprintln(a.out, line(fmt.Sprintf(format, args...)))
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// shellWord writes s so that a shell takes it for one word: advice is copied.
func shellWord(s string) string {
	safe := func(r rune) bool {
		return r == '-' || r == '_' || r == '.' || r == '/' || r == '@' || r == ':' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !safe(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
