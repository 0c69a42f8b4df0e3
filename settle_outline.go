package ryze

import (
	"encoding/json"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// confidence is how well a message fits.
type confidence int

const (
	unfit confidence = iota
	doubtful
	certain
)

// plainTypes are the types about which there is no doubt what they mean.
var plainTypes = []MessageType{
	MessageText, MessageImage, MessageVideo, MessageAudio, MessageDocument, MessageSticker, MessageLocation, MessageReaction,
}

// shownAs are the types between which the service may choose another than was
// asked for: any file may go as a document, a sticker is an image, and the container
// of a sound is that of a video.
var shownAs = [][2]MessageType{
	{MessageDocument, MessageImage}, {MessageDocument, MessageVideo}, {MessageDocument, MessageAudio}, {MessageDocument, MessageSticker},
	{MessageSticker, MessageImage}, {MessageAudio, MessageVideo},
}

// mayBeShownAs reports whether a file may be shown as one of another type.
func (o *outline) mayBeShownAs(t MessageType) bool {
	return o.media && slices.ContainsFunc(shownAs, func(pair [2]MessageType) bool {
		return pair[0] == t && slices.Contains(o.types, pair[1]) || pair[1] == t && slices.Contains(o.types, pair[0])
	})
}

// weigh compares type and text.
func (o *outline) weigh(t MessageType, text string) confidence {
	if o.blurred {
		return doubtful
	}
	packed := strings.HasPrefix(text, "{") && json.Valid([]byte(text)) // the words may be in it
	unclear := !slices.Contains(plainTypes, t) || t == MessageText && (text == "" || packed)
	typeFits := slices.Contains(o.types, t) || (len(o.types) == 0 && unclear)
	textFits := text == o.text
	if o.similar != nil {
		textFits = o.similar(text)
	}
	open := o.loose || text == "" || packed || (o.text == "" && o.similar == nil)
	switch {
	case typeFits && textFits && text == "" && len(o.types) > 1: // any medium without words would do
		return doubtful
	case typeFits && textFits:
		return certain
	case textFits && text != "": // under another name
		return doubtful
	case text != "" && resembles(text, o.text):
		return doubtful
	case open && (typeFits || unclear || o.mayBeShownAs(t)): // or with other words, or none
		return doubtful
	case (typeFits || unclear) && mayComeFrom(text, o.text):
		return doubtful
	case (typeFits || o.mayBeShownAs(t)) && t != MessageText && strings.Contains(text, "://"): // the file's address in the place of words
		return doubtful
	default:
		return unfit
	}
}

func (o *outline) ofEvent(m *MessageEvent) confidence {
	r := o.reaction
	switch {
	case r == nil:
		return o.weigh(m.Type, m.Text)
	case m.Reaction != nil && m.Reaction.Emoji == r.Emoji && m.Reaction.TargetID == r.MessageID:
		return certain
	default:
		return unfit
	}
}

// shortestCut is how long a text is at least that was cut to a limit.
const shortestCut = 20

// resembles reports whether a text may be what became of the one wanted: blanks,
// line ends, invisible characters and those that are no UTF-8 do not count,
// accents may be composed or not, mentions may be names, and the end may be cut
// off. It costs as much as the texts are long.
func resembles(text, wanted string) bool {
	parts := withoutMentions(wanted)
	if len(parts) > 1 {
		return inOrder(essences(parts)...)(essence(text))
	}
	got, want := essence(text), essence(wanted)
	cut := strings.TrimRight(got, ".…")
	long := cut != got || utf8.RuneCountInString(cut) >= shortestCut
	rest, ok := skipCommon(want, cut)
	return want != "" && ok && (strings.TrimRight(rest, ".…") == "" || long && cut != "")
}

// skipCommon goes along both texts as long as they say the same, and returns
// what is left of the first when all of the second was found in it.
func skipCommon(a, b string) (rest string, ok bool) {
	for b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		switch {
		case a == "":
			return "", false
		case x == y:
			a, b = a[n:], b[m:]
		case mayBeComposed(x) && decomposed(b) > 0: // one of many letters for the same with marks
			a, b = a[n:], b[decomposed(b):]
		case mayBeComposed(y) && decomposed(a) > 0:
			a, b = a[decomposed(a):], b[m:]
		default:
			return "", false
		}
	}
	return a, true
}

// mayBeComposed reports whether a letter may stand for several characters.
func mayBeComposed(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) }

// decomposed returns the length of a letter with its marks, or of a syllable of
// Korean written letter by letter; 0 when s begins with neither.
func decomposed(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return 0
	}
	end := n
	for _, r := range s[n:] {
		if !unicode.Is(unicode.Mn, r) && !(isJamo(first) && r >= 0x1161 && r <= 0x11ff) {
			break
		}
		end += utf8.RuneLen(r)
	}
	if end == n {
		return 0
	}
	return end
}

func isJamo(r rune) bool { return r >= 0x1100 && r <= 0x115f }

// essence leaves out what may be lost or changed on the way.
func essence(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r),
			unicode.Is(unicode.Variation_Selector, r):
			return -1
		default:
			return r
		}
	}, s)
}

func essences(parts []string) []string {
	out := make([]string, len(parts))
	for i, part := range parts {
		out[i] = essence(part)
	}
	return out
}

// withoutMentions splits a text at its mentions: @ and digits.
func withoutMentions(s string) []string {
	var parts []string
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '@' {
			continue
		}
		end := i + 1
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		if end-i <= minPhoneDigits {
			continue
		}
		parts = append(parts, s[from:i])
		from, i = end, end-1
	}
	return append(parts, s[from:])
}

// mayComeFrom reports whether a text has so much in common with the one wanted
// that it may be what was made of it: cut, escaped, in another encoding, with
// something before or behind. Only the letters and digits of ASCII are compared,
// two by two, because all others may be lost. A text that has almost none of them
// may have come from anything.
func mayComeFrom(text, wanted string) bool {
	got, want := pairsOf(text), pairsOf(wanted)
	fewer := min(got.count, want.count)
	if fewer == 0 {
		return got.letters == 0 || want.letters < 2 || strings.Contains(strings.ToLower(wanted), strings.ToLower(text))
	}
	common := 0
	for pair, n := range got.of {
		common += min(n, want.of[pair])
	}
	if fewer < leastPairs {
		return 4*common >= got.count+want.count // short texts have to be alike as a whole
	}
	return 2*common >= fewer
}

// leastPairs is how many pairs of letters say something by themselves.
const leastPairs = 4

// pairs are the neighbouring letters and digits of a text.
type pairs struct {
	of      map[[2]byte]int
	count   int
	letters int
}

func pairsOf(text string) pairs {
	p := pairs{of: make(map[[2]byte]int)}
	var before byte
	for _, r := range html.UnescapeString(text) {
		r = unicode.ToLower(r)
		if r > unicode.MaxASCII || !(unicode.IsLetter(r) || unicode.IsDigit(r)) {
			continue
		}
		p.letters++
		if now := byte(r); p.letters > 1 { //nolint:gosec // ASCII
			p.of[[2]byte{before, now}]++
			p.count++
		}
		before = byte(r) //nolint:gosec // ASCII
	}
	return p
}
