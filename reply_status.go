package ryze

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// statusWord is the business word of a reply, its member "status". It may come as
// a number or a boolean, which it keeps as they are written.
type statusWord string

// UnmarshalJSON never fails.
func (w *statusWord) UnmarshalJSON(b []byte) error {
	switch v := jsonscan.Value(b); {
	case string(b) == "true", string(b) == "false":
		*w = statusWord(b)
	case v.IsString(), v.IsNumber():
		*w = statusWord(v.Text())
	}
	return nil
}

// meansFailure reports whether the word says that nothing came of the request.
// The only word that is documented for a send is "sent". Any other counts as an
// acceptance, because the set is open, unless one of its parts is a no in English
// or Portuguese, or it is false, a negative number (-1 is the documented code of
// an error), or an HTTP status of 400 or more.
func (w statusWord) meansFailure() bool {
	switch w {
	case "", "sent":
		return false
	}
	if n, err := strconv.ParseFloat(strings.TrimSpace(string(w)), 64); err == nil {
		return n < 0 || n >= 400 && n < 600
	}
	return slices.ContainsFunc(words(string(w)), isNoWord)
}

// deniesSuccess reports whether what stands in the place of "success" says no in
// another form than false.
func deniesSuccess(text string) bool {
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case "n", "f", "off":
		return true
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n == 0 {
		return true
	}
	return statusWord(text).meansFailure()
}

// meansNotSent is meansFailure for a message. It knows words besides that tell of
// a message what they do not tell of an instance or a call.
func (w statusWord) meansNotSent() bool {
	if w == "" || w == "sent" {
		return false
	}
	return w.meansFailure() || slices.ContainsFunc(words(string(w)), func(word string) bool { return hasAnyPrefix(word, notSentStems) })
}

// isNoWord reports whether one word says no.
func isNoWord(word string) bool {
	switch word {
	case "no", "not", "non", "nao", "não", "never", "nunca", "sem", "without", "false", "ko", "nok", "nack", "bad", "unable":
		return true
	}
	if rest, ok := strings.CutPrefix(word, "not"); ok && rest != "" && rest[0] != 'i' && rest[0] != 'e' { // notsent, but not notified
		return true
	}
	return hasAnyPrefix(word, noStems)
}

// noStems begin the words that tell of a failure, whatever they are about.
var noStems = []string{
	"fail", "err", "fatal", "crash", "panic", "exception", "reject", "refus", "declin", "deny", "denied", "forbid", "abort", "invalid", "incomplete", "insufficient", "missing",
	"timeout", "timedout", "timed", "exceed", "exhaust", "throttl", "limit", "discard", "drop", "bounce", "lost",
	"unsuccess", "unsent", "undeliver", "unauthor", "unauthenticated", "unavailable", "unreach", "unregister", "unsupport", "unprocess", "unaccept", "unknown", "unexpected", "uncertain", "unconfirmed",
	"unpublish", "unposted", "undone", "nonexist", "inexist", "unallowed", "disallow",
	"falh", "rejeit", "recus", "negad", "invál", "indispon", "descart", "perdid", "excedi",
}

// notSentStems begin words that tell of a message that it was not sent.
var notSentStems = []string{
	"cancel", "expir", "block", "bloque", "ban", "disconnect", "desconect", "disabled", "offline", "closed", "loggedout", "logged", "logout", "suspend", "revok", "delet", "remov", "stop", "kill", "terminat",
	"skip", "ignor", "dead", "void", "spam", "quota", "conflict", "dismiss", "withdrawn", "recall", "undo", "unpaired", "unlinked", "unconnected", "inactive", "interrupt",
}

func hasAnyPrefix(word string, stems []string) bool {
	return slices.ContainsFunc(stems, func(stem string) bool { return strings.HasPrefix(word, stem) })
}

// words returns the words of a status in lower case, also of one in camel case.
func words(status string) []string {
	var list []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	lower := false // the last rune was a small letter
	for _, r := range status {
		if !unicode.IsLetter(r) || lower && unicode.IsUpper(r) {
			end()
		}
		if unicode.IsLetter(r) {
			word.WriteRune(unicode.ToLower(r))
		}
		lower = unicode.IsLower(r)
	}
	end()
	return list
}

// wireID is the id of something that the service has made; see idOf.
type wireID string

// saysNone reports whether a text stands for no value: a programming language's
// word for it that has slipped into a text.
func saysNone(text string) bool {
	if len(text) > len("[object object]") {
		return false
	}
	switch strings.ToLower(text) {
	case "null", "undefined", "nil", "none", "<nil>", "(null)", "[object object]", "nan", "n/a", "false":
		return true
	}
	return false
}

// names reports whether a text names something, and is no word for nothing.
func names(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && !saysNone(text)
}

// idOf returns the id that a value is, in replies and events alike, or "" when it
// is none. Words for nothing would make one message of many.
func idOf(v jsonscan.Value) string {
	text := strings.TrimSpace(v.Text())
	isInk := func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }
	isZero := text == "0" || strings.Trim(text, "+-.0") == "" && !isDigits(text) // also of a UUID; 007 and 000 are ids
	if isZero || text == "-1" || saysNone(text) || !strings.ContainsFunc(text, isInk) {
		return ""
	}
	return text
}

// UnmarshalJSON never fails.
func (id *wireID) UnmarshalJSON(b []byte) error {
	*id = wireID(idOf(b))
	return nil
}

// add takes over an id, unless it is none: an empty one under another spelling of
// its key takes nothing back.
func (id *wireID) add(v jsonscan.Value) { *id = cmp.Or(wireID(idOf(v)), *id) }

// successWord is what a reply says in its member "success", which is documented as a
// boolean. The zero value is a reply that does not say.
type successWord int

const (
	unstated successWord = iota
	succeeded
	failed
	probablyFailed // says no in another form than false
	contradictory  // says two different things
)

// isNo reports whether the word is a no, however unclear.
func (v successWord) isNo() bool { return v >= failed }

// UnmarshalJSON never fails. It takes over a further word: a yes beside a no is
// neither, whichever comes last.
func (v *successWord) UnmarshalJSON(b []byte) error {
	next := succeeded
	switch {
	case string(b) == "null":
		next = unstated
	case string(b) == "false":
		next = failed
	case string(b) != "true" && deniesSuccess(jsonscan.Value(b).Text()):
		next = probablyFailed
	}
	if *v != unstated && next != unstated && next != *v {
		next = contradictory
	}
	*v = cmp.Or(next, *v)
	return nil
}

// saysAnything reports whether a value is more than a no: a text, a number, true, or
// something that has one of them in it, a few levels deep.
func saysAnything(v jsonscan.Value, levels int) bool {
	if levels == 0 && (v.IsObject() || v.IsArray()) {
		return len(v) > len("{}")
	}
	for c := v.Elements(); c.Next(); {
		if saysAnything(c.Val, levels-1) {
			return true
		}
	}
	for c := v.Members(); c.Next(); {
		if saysAnything(c.Val, levels-1) {
			return true
		}
	}
	text := strings.TrimSpace(v.Text())
	zero, number := v.Float()
	return string(v) == "true" || text != "" && !saysNone(text) && !(number && zero == 0)
}

// plainJSON returns a body without the byte order mark that some programs write
// before a text.
func plainJSON(body []byte) []byte {
	rest := bytes.TrimLeft(body, " \t\r\n")
	if after, marked := bytes.CutPrefix(rest, []byte("\ufeff")); marked {
		return after
	}
	return body
}
