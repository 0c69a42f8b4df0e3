package ryzetest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ryzeapi/ryze-go/internal/levenshtein"
)

// Advice says in a sentence what the service would do. It also says what to
// write instead, when the simulator can guess it: the nearest name or value.
func (v Violation) Advice() string {
	instead := v.Instead()
	hint := ""
	if instead != "" {
		hint = fmt.Sprintf(" Did you mean “%s”?", instead)
	}
	r := findRoute(v.Route)
	switch v.Kind {
	case UnknownField:
		if instead == "" {
			if fields := fieldsAt(r, parent(v.Detail)); len(fields) > 0 {
				hint = " Known here: " + strings.Join(fieldNames(fields), ", ") + "."
			}
		}
		return fmt.Sprintf("unknown field “%s”: the service would ignore it.%s", v.Detail, hint)
	case UnknownQuery:
		if r != nil && hint == "" && len(r.query) > 0 {
			hint = " Known here: " + strings.Join(r.query, ", ") + "."
		}
		return fmt.Sprintf("unknown query parameter “%s”: the service would ignore it.%s", v.Detail, hint)
	case UnknownValue:
		path, value, _ := strings.Cut(v.Detail, ": ")
		if fields := fieldsAt(r, path); len(fields) == 1 && len(fields[0].enum) > 0 {
			return fmt.Sprintf("%s is not a value of “%s”, which takes %s.%s", value, path, strings.Join(fields[0].enum, ", "), hint)
		}
		return v.Detail + "."
	case UnknownRoute:
		if isHosted(v) {
			return "the MCP endpoint of the service is not simulated: use the HTTP routes of the API."
		}
		return fmt.Sprintf("there is no route “%s”.%s", v.Detail, hint)
	case WrongType:
		path, want, _ := strings.Cut(v.Detail, ": want ")
		return fmt.Sprintf("“%s” is of the wrong type: the service wants %s, and refuses the request.", path, article(want))
	case TokenInQuery:
		return "a token in the address ends up in logs: send it in the header “token”."
	case ContentType:
		return fmt.Sprintf("the body is JSON, and Content-Type says “%s”: write application/json.", v.Detail)
	case UselessBody:
		return "a " + v.Detail + " request has no body: the service would ignore it."
	}
	return string(v.Kind) + ": " + v.Detail + "."
}

func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// Instead is the nearest name, value or route, or "" when there is none.
func (v Violation) Instead() string {
	r := findRoute(v.Route)
	switch v.Kind {
	case UnknownField:
		return nearest(leaf(v.Detail), fieldNames(fieldsAt(r, parent(v.Detail))))
	case UnknownQuery:
		if r != nil {
			return nearest(v.Detail, r.query)
		}
	case UnknownValue:
		path, value, _ := strings.Cut(v.Detail, ": ")
		if fields := fieldsAt(r, path); len(fields) == 1 {
			return nearest(strings.Trim(value, `"`), fields[0].enum)
		}
	case UnknownRoute:
		if isHosted(v) {
			return ""
		}
		method, path, _ := strings.Cut(v.Detail, " ")
		return nearestCall(method, path)
	case WrongType, TokenInQuery, ContentType, UselessBody:
	}
	return ""
}

var index = regexp.MustCompile(`\[\d+\]`)

// steps splits the path of a member, "cards[0].header.titel", without its indexes.
func steps(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(index.ReplaceAllString(path, ""), ".")
}

func parent(path string) string {
	if k := strings.LastIndexByte(path, '.'); k >= 0 {
		return path[:k]
	}
	return ""
}

func leaf(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// fieldsAt are the members that a route knows in an object, or the one that is no
// object.
func fieldsAt(r *route, path string) []field {
	if r == nil {
		return nil
	}
	return membersAt(r.body, path)
}

func membersAt(fields []field, path string) []field {
	for _, name := range steps(path) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			return nil
		}
		f := fields[i]
		for f.elem != nil {
			f = *f.elem
		}
		fields = f.fields
		if f.kind != kindObject {
			fields = []field{f}
		}
	}
	return fields
}

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for k, f := range fields {
		names[k] = f.name
	}
	return names
}

// alike are words that programs use for the same thing, each list in the order in
// which its words are looked for.
var alike = [][]string{
	{"message", "contentText", "text", "body", "content", "msg", "caption"},
	{"number", "to", "from", "phone", "jid", "recipient", "chat", "chatId", "remoteJid"},
	{"mediaUrl", "imageUrl", "url", "link", "media", "file"},
	{"mediaBase64", "base64", "data"},
	{"mediaType", "type", "kind"},
	{"mimeType", "mime"},
	{"fileName", "name", "title"},
	{"replyTo", "quoted", "quotedMessageId", "replyToId", "reply", "quotedMsgId", "inReplyTo"},
	{"mention", "mentions", "mentioned", "mentionedJid"},
	{"messageId", "id", "msgId", "key", "ids"},
	{"displayText", "title", "label", "text", "name"},
	{"isVoice", "voice", "ptt"},
	{"latitude", "lat"},
	{"longitude", "lng", "lon", "long"},
	{"question", "title", "name"},
	{"options", "values", "choices", "answers"},
	{"maxAnswer", "max", "selectableCount"},
	{"reaction", "emoji"},
	{"vcard", "card", "contact", "contacts"},
	{"fullName", "displayName", "name"},
	{"headerText", "header", "title"},
	{"footerText", "footer"},
	{"buttonText", "button"},
	{"authorization", "auth", "token", "secret"},
}

// maxGuessed is the longest name or path that is compared with others.
const maxGuessed = 200

func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// nearest is the known name that somebody most likely meant: another spelling, a
// slip of the fingers, or another word for it. It is "" when none comes near.
func nearest(name string, known []string) string {
	if len(name) > maxGuessed {
		return ""
	}
	plain := plainName(name)
	best, fewest := "", len(plain)/4+1
	for _, k := range known {
		n := levenshtein.Distance(plain, plainName(k))
		if n == 0 {
			return k
		}
		if n <= fewest && n < len(k) && (best == "" || n < fewest) {
			best, fewest = k, n
		}
	}
	if best != "" {
		return best
	}
	for _, words := range alike {
		if !slices.ContainsFunc(words, func(w string) bool { return plainName(w) == plain }) {
			continue
		}
		for _, w := range words {
			if slices.Contains(known, w) {
				return w
			}
		}
	}
	for _, k := range known {
		if p := plainName(k); len(plain) > 2 && (strings.HasPrefix(p, plain) || strings.HasPrefix(plain, p)) {
			return k
		}
	}
	return ""
}

// nearestCall is the route that a request most likely meant, with the names that it
// gave, or "" when none comes near.
func nearestCall(method, path string) string {
	names := make([]string, len(routes))
	for k, r := range routes {
		names[k] = r.name()
	}
	return nearestOf(method, path, names, func(segment string) bool { return strings.HasPrefix(segment, ":") })
}

// nearestOf finds the nearest of some routes, of which variable segments take any name.
func nearestOf(method, path string, names []string, variable func(segment string) bool) string {
	if len(path) > maxGuessed {
		return ""
	}
	segments := strings.Split(path, "/")
	best, fewest := "", len(path)/3+1
	for _, name := range names {
		verb, pattern, _ := strings.Cut(name, " ")
		parts := strings.Split(pattern, "/")
		shift := min(0, len(segments)-len(parts)) // what is missing is missing at the beginning
		for k, p := range parts {
			if at := k + shift; variable(p) && at >= 0 && at < len(segments) {
				parts[k] = segments[at]
			}
		}
		n := levenshtein.Distance(strings.ToLower(path), strings.ToLower(strings.Join(parts, "/")))
		if verb != method {
			n++
		}
		if n < fewest {
			best, fewest = name, n
		}
	}
	return best
}
