package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// lines writes whole lines from many goroutines.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) printf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.w, text)
}

// requestLog writes a line for each request.
type requestLog struct {
	*lines
	texts   bool            // recipient and text too
	secrets func() []string // tokens, which no line may show
}

func (l *requestLog) request(r ryzetest.Request) {
	var b strings.Builder
	what := r.Route
	if what == "" {
		what = r.Method + " " + r.Path
	}
	fmt.Fprintf(&b, "%s %s", r.Time.Format(time.TimeOnly), what)
	if r.Instance != "" {
		fmt.Fprintf(&b, " instance=%q", r.Instance)
	}
	if r.Status == 0 {
		b.WriteString(" dropped")
	} else {
		fmt.Fprintf(&b, " %d", r.Status)
	}
	if l.texts {
		to, text := addressAndText(r.Body)
		if to != "" {
			fmt.Fprintf(&b, " to=%q", to)
		}
		if text != "" {
			fmt.Fprintf(&b, " text=%q", cut(text, maxLoggedText))
		}
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, " [%s: %s]", v.Kind, v.Detail)
	}
	l.printf("%s", plain(hide(b.String(), l.secrets())))
}

const maxLoggedText = 200 // characters

// textFields are those that say what a request sends, the first one that is there.
var textFields = []string{"message", "contentText", "question", "reaction", "text", "name", "subject", "description"}

// addressAndText reads what a body says of it at its top, as far as the body is there.
func addressAndText(body []byte) (to, text string) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return "", ""
	}
	best := len(textFields)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return to, text
		}
		var value any
		if dec.Decode(&value) != nil {
			return to, text
		}
		s, isText := value.(string)
		name, _ := key.(string)
		switch rank := slices.Index(textFields, name); {
		case !isText || s == "":
		case name == "number" || name == "groupJid":
			to = s
		case rank >= 0 && rank < best:
			best, text = rank, s
		}
	}
	return to, text
}

func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "..."
}

// hide takes tokens out of a line, also where they are quoted or escaped.
func hide(line string, secrets []string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		quoted := strconv.Quote(secret)
		for _, form := range []string{secret, quoted[1 : len(quoted)-1], url.PathEscape(secret), url.QueryEscape(secret)} {
			line = strings.ReplaceAll(line, form, "[token]")
		}
	}
	return line
}

// plain shows control characters as escapes, so that a line is one line and moves
// nothing on a terminal.
func plain(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isControl(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError
}

// tokensOf are the tokens of a server, the longest first: one may be a part of
// another.
func tokensOf(srv *ryzetest.Server) []string {
	list := []string{srv.AccountToken}
	for _, i := range srv.Instances() {
		list = append(list, i.Token())
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}
