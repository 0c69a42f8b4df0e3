package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/ryzeapi/ryze-go/api"
)

// A report is read by strangers. Whatever in it comes from the service goes through
// a redactor, twice: what was seen as a value anywhere is taken out in every spelling,
// and of the rest only the words stay that the document of the service has, too.
// The same thing becomes the same mark in the whole report.

// foreign is a text from the service.
type foreign string

// fieldName is the name of a header or of a member.
type fieldName string

// jsonPath is where something is in a JSON text: names of members, and indices.
type jsonPath []string

// redactor replaces what a report must not have.
type redactor struct {
	words   map[string]bool   // that may stay; not its own
	marks   map[string]string // what was replaced, by what
	counts  map[string]int    // of the marks, by kind
	secrets map[string]string // what must not be seen, by its mark
	spelled []spelling        // of the secrets, the longest first; nil when not built
}

type spelling struct{ text, mark string }

var wordPattern = regexp.MustCompile(`\p{L}+`)

func newRedactor() *redactor {
	return &redactor{words: knownWords(), marks: map[string]string{}, counts: map[string]int{}, secrets: map[string]string{}}
}

// knownWords are the words that may stay.
var knownWords = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(plainWords) {
		words[word] = true
	}
	for text := range strings.Lines(api.OpenAPI()) {
		// The people and texts of its examples stand behind these names.
		key, _, _ := strings.Cut(strings.TrimLeft(text, " -{"), ":")
		if exampleKeys[key] {
			continue
		}
		for _, word := range wordPattern.FindAllString(text, -1) {
			words[strings.ToLower(word)] = true
		}
	}
	return words
})

// plainWords are those of refusals and of what stands in front of services. Names are
// not among them.
const plainWords = `a an and any are as at bad be been before but by can cannot could deleted denied did do does
duplicate empty entity error exceeded exist exists expected expired failed failure first for forbidden found from
gateway get given has have how html if in internal invalid is it its json large later length limit long longer many
maximum may method minimum missing must no none not nothing null of on only or other out outdated permission plain
please post proxy rejected request required requires resource retry server service session short should something
temporarily than that the their there this time timeout to today too try type unable unauthorized unavailable
unexpected unknown unprocessable unsupported until url used valid value version was were what when which while wrong xml yet you your
different else entirely new odd surprise went happened occurred processing parse database internally upstream`

var exampleKeys = map[string]bool{"name": true, "pushName": true, "push_name": true, "full_name": true, "content": true, "jid": true, "caption": true, "text": true, "fileName": true}

// mark returns what stands in the place of a thing, the same each time.
func (r *redactor) mark(kind, thing string) string {
	key := strings.ToLower(thing)
	if kind == "number" {
		key = digits(thing)
	}
	if m := r.marks[key]; m != "" {
		return m
	}
	r.counts[kind]++
	r.marks[key] = "[" + kind + "-" + strconv.Itoa(r.counts[kind]) + "]"
	return r.marks[key]
}

func digits(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			return c
		}
		return -1
	}, s)
}

// keep has a thing replaced wherever it is seen.
func (r *redactor) keep(kind, thing string) {
	thing = strings.TrimSpace(thing)
	if len(thing) < 3 || r.secrets[thing] != "" {
		return
	}
	r.secrets[thing] = r.mark(kind, thing)
	r.spelled = nil
	// A name is known by each of its words, a JID by its number.
	for _, word := range wordPattern.FindAllString(thing, -1) {
		if word != thing && len(word) >= 3 && !r.words[strings.ToLower(word)] {
			r.keep(kind, word)
		}
	}
	if number := digits(thing); len(number) >= 7 && number != thing && len(number) <= 18 {
		r.keep("number", number)
	}
}

// learn keeps every value in a JSON text, but for the words of the document, and for
// what the service itself says in a reply: that has to be read, and goes word by word.
func (r *redactor) learn(body []byte) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return
	}
	if reply := members(v); reply["success"] != nil {
		if _, said := reply["message"].(string); said {
			delete(reply, "message")
		}
		delete(reply, "error")
	}
	r.learnValue("", v)
}

func (r *redactor) learnValue(key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			r.learnValue(name, value)
		}
	case []any:
		for _, value := range v {
			r.learnValue(key, value)
		}
	case json.Number:
		if len(v) >= 7 {
			r.keep("number", v.String())
		}
	case string:
		if r.words[strings.ToLower(v)] || len(v) > 4<<10 {
			return // a state, a kind; or a file
		}
		r.keep(kindOf(key, v), v)
	}
}

func kindOf(key, v string) string {
	lower := strings.ToLower(key)
	switch {
	case strings.Contains(lower, "token"), strings.Contains(lower, "authorization"), strings.Contains(lower, "code"):
		return "token"
	case strings.HasSuffix(v, "@s.whatsapp.net"), strings.HasSuffix(v, "@lid"), strings.HasSuffix(v, "@g.us"):
		return "person"
	case len(digits(v)) >= 7 && len(digits(v)) >= len(v)*2/3:
		return "number"
	case strings.Contains(lower, "name"):
		return "name"
	case strings.HasSuffix(lower, "id"), strings.HasSuffix(lower, "ids"):
		return "id"
	default:
		return "text"
	}
}

// spellings are the secrets as they may be written.
func (r *redactor) spellings() []spelling {
	if r.spelled != nil {
		return r.spelled
	}
	seen := map[string]bool{}
	add := func(text, mark string) {
		if len(text) >= 3 && !seen[text] {
			seen[text] = true
			r.spelled = append(r.spelled, spelling{text, mark})
		}
	}
	for secret, mark := range r.secrets {
		quoted, _ := json.Marshal(secret) //nolint:errchkjson // a text always can be
		for _, s := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`), strings.Trim(strconv.QuoteToASCII(secret), `"`)} {
			add(s, mark)
			add(strings.ToLower(s), mark)
		}
		for offset := range 3 { // base64 has three looks, by what stands before
			all := append(make([]byte, offset), secret...)
			from, to := (offset*8+5)/6, len(all)*8/6
			for _, code := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				if inner := code.EncodeToString(all)[from:to]; len(inner) >= 5 {
					add(inner, mark)
				}
			}
		}
	}
	slices.SortFunc(r.spelled, func(a, b spelling) int {
		return cmp.Or(cmp.Compare(len(b.text), len(a.text)), cmp.Compare(a.text, b.text))
	})
	return r.spelled
}

// find returns the mark of a secret that a text has in it, "" for none.
func (r *redactor) find(text string) string {
	lower := strings.ToLower(text)
	for _, s := range r.spellings() {
		if strings.Contains(text, s.text) || strings.Contains(lower, s.text) {
			return s.mark
		}
	}
	return ""
}

var numbersPattern = regexp.MustCompile(`[+(]*\p{Nd}[\p{Nd}\s()+./:-]*\p{Nd}`)

// text returns a text from the service without what is not its own.
func (r *redactor) text(s string) string {
	const longest = 300
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + " [more]"
	}
	s = strings.Join(strings.Fields(s), " ")
	for _, known := range r.spellings() {
		// Single words are looked at below.
		if phrase := strings.Join(strings.Fields(known.text), " "); strings.Contains(phrase, " ") && strings.Contains(strings.ToLower(s), strings.ToLower(phrase)) {
			s = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(phrase)).ReplaceAllLiteralString(s, " "+known.mark+" ")
		}
	}
	s = numbersPattern.ReplaceAllStringFunc(s, func(n string) string {
		if len(digits(n)) <= 3 && !strings.ContainsAny(n, " \t\n") {
			return n
		}
		return r.mark("number", n)
	})
	words := strings.Fields(s)
	for i, word := range words {
		words[i] = r.word(word)
	}
	return strings.Join(words, " ")
}

var (
	markPattern  = regexp.MustCompile(`^\[[a-z]+-\d+\]$`)
	plainPattern = regexp.MustCompile(`^\p{L}+(['_/-]\p{L}+)*$|^\d{1,3}$`)
)

// word keeps a word that the document has, and replaces any other.
func (r *redactor) word(word string) string {
	const around = `.,:;!?()"'` + "`"
	bare := strings.Trim(word, around)
	if bare == "" || markPattern.MatchString(bare) || bare == "[more]" {
		return word
	}
	before, after, _ := strings.Cut(word, bare)
	if mark := r.find(bare); mark != "" {
		return before + mark + after
	}
	if plainPattern.MatchString(bare) {
		known := true
		for _, part := range wordPattern.FindAllString(bare, -1) {
			lower := strings.ToLower(part)
			known = known && r.words[lower] && (len(part) > 1 || lower == "a" || lower == "i") // no spelled-out name
		}
		if known {
			return word
		}
	}
	return before + r.mark("word", bare) + after
}

var fieldPattern = regexp.MustCompile(`^[A-Za-z]+([_-][A-Za-z]+)*$`)

// field keeps the name of a member, unless it is data: a map may have people as
// its keys.
func (r *redactor) field(name string) string {
	if mark := r.find(name); mark != "" && !r.words[strings.ToLower(name)] {
		return mark
	}
	if len(name) > 40 || !fieldPattern.MatchString(name) && !r.words[strings.ToLower(name)] {
		return r.mark("field", name)
	}
	return name
}

func (r *redactor) place(at jsonPath) string {
	var b strings.Builder
	b.WriteString("$")
	for _, name := range at {
		if _, err := strconv.Atoi(name); err == nil && len(name) <= 3 {
			b.WriteString("[]")
			continue
		}
		b.WriteString("." + r.field(name))
	}
	return b.String()
}

// say puts an answer together.
func (r *redactor) say(parts []any) string {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case foreign:
			if part == "" {
				b.WriteString("(empty)")
			} else {
				b.WriteString(`"` + r.text(string(part)) + `"`)
			}
		case fieldName:
			b.WriteString(r.field(string(part)))
		case jsonPath:
			b.WriteString(r.place(part))
		default:
			fmt.Fprint(&b, part)
		}
	}
	return b.String()
}
