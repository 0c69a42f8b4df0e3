package ryze

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func addEventSeeds(f *testing.F) {
	f.Helper()
	for _, dir := range []string{"live", "documented", "other"} {
		for _, b := range fixtures(f, dir) {
			f.Add(b)
			var compact bytes.Buffer
			if json.Compact(&compact, b) == nil {
				f.Add(compact.Bytes())
			}
		}
	}
	for _, s := range []string{
		``, `{}`, `null`, `[]`, `{"event":"x"}`, `{"event":"message.exchange","data":[]}`,
		`{"event":"message.exchange","data":{"message":{"media":{"base64":"\/\/79"}}}}`,
		`{"\u0065vent":"x","instanceData":{"\u0074oken":"t","a":1}}`,
		`{"event":"x","instanceData":"{\"token\":1}"}`,
		`{"\\":"\\","a\"":"\\\"","event":"x\\","b":["\\\\","]"],"c":{"d":"\\","e":"}"}}`,
		"{\"event\":\"\xff\",\"\xff\":\"\\ud800\"}",
		`{"event":"message.status","data":{"messageIds":[1,null,"a"],"timestamp":1e999}}`,
	} {
		f.Add([]byte(s))
	}
}

// FuzzParseEvent: it never panics, fails exactly when encoding/json would or
// when there is no event name, keeps everything but the token in Raw, and
// everything that can be done with an event works.
func FuzzParseEvent(f *testing.F) {
	addEventSeeds(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		e, err := ParseEvent(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		var want any
		valid := json.Unmarshal(in, &want) == nil || json.Valid(in) // Unmarshal refuses 1e999
		object := map[string]json.RawMessage{}
		isEvent := valid && json.Unmarshal(in, &object) == nil && object != nil
		if isEvent {
			name := ""
			isEvent = json.Unmarshal(object["event"], &name) == nil && name != ""
		}
		if isEvent != (err == nil) {
			t.Fatalf("event %v, error %v", isEvent, err)
		}
		if err != nil {
			var eventErr *ResponseError
			if !errors.As(err, &eventErr) || len(eventErr.Body) > maxEventErrorBody {
				t.Fatalf("%#v", err)
			}
			return
		}
		if !json.Valid(e.Raw) {
			t.Fatalf("raw is not JSON: %q", e.Raw)
		}
		if got, want := jsonTree(t, e.Raw), treeWithoutSecrets(jsonTree(t, in), placeRoot); !reflect.DeepEqual(got, want) {
			t.Fatalf("raw is %v, want %v", got, want)
		}
		for key, member := range object {
			if got := e.Lookup(key); got != nil && !reflect.DeepEqual(jsonTree(t, got), treeWithoutSecrets(jsonTree(t, member), below(key))) {
				t.Fatalf("member %q is %s, want %s", key, got, member)
			}
		}
		exercise(t, e)
		again, err := ParseEvent(e.Raw)
		if err != nil || again.DedupeKey() != e.DedupeKey() || !reflect.DeepEqual(again.Data, e.Data) {
			t.Fatalf("what was read from raw differs: %v", err)
		}
	})
}

// A treeObject is an object with its members in order, doubles included.
type treeObject []treeMember

type treeMember struct {
	key   string
	value any
}

// jsonTree reads JSON with encoding/json.
func jsonTree(tb testing.TB, b []byte) any {
	tb.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	token := func() json.Token {
		tok, err := dec.Token()
		if err != nil {
			tb.Fatalf("%v in %q", err, b)
		}
		return tok
	}
	var value func(json.Token) any
	value = func(tok json.Token) any {
		switch tok {
		case json.Delim('{'):
			object := treeObject{}
			for dec.More() {
				key := token().(string)
				object = append(object, treeMember{key, value(token())})
			}
			token()
			return object
		case json.Delim('['):
			array := []any{}
			for dec.More() {
				array = append(array, value(token()))
			}
			token()
			return array
		}
		return tok
	}
	return value(token())
}

// A treePlace says where in an event a value lies.
type treePlace int

const (
	placeElsewhere treePlace = iota
	placeRoot
	placeInstanceData // the value of an instanceData, or anything below it
)

// below is the place of a member of the event.
func below(key string) treePlace {
	if isKey(key, "instanceData") {
		return placeInstanceData
	}
	return placeElsewhere
}

// isKey compares a key with some names: case and underscores do not count.
func isKey(key string, names ...string) bool {
	key = strings.ReplaceAll(key, "_", "")
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(key, name) })
}

// treeWithoutSecrets says what is left of an event, by other means than the parser's.
func treeWithoutSecrets(v any, place treePlace) any {
	switch v := v.(type) {
	case treeObject:
		left := treeObject{}
		for _, m := range v {
			isInstanceData := isKey(m.key, "instanceData")
			if _, isText := m.value.(string); isInstanceData && isText ||
				place != placeElsewhere && isKey(m.key, "token", "instanceToken", "tokenInstance", "baseUrl") {
				continue
			}
			inner := placeElsewhere
			if isInstanceData || place == placeInstanceData {
				inner = placeInstanceData
			}
			left = append(left, treeMember{m.key, treeWithoutSecrets(m.value, inner)})
		}
		return left
	case []any:
		if place == placeRoot {
			place = placeElsewhere
		}
		left := []any{}
		for _, element := range v {
			left = append(left, treeWithoutSecrets(element, place))
		}
		return left
	}
	return v
}

func exercise(t *testing.T, e *Event) {
	t.Helper()
	if e.Data == nil || e.Type == "" || len(e.DedupeKey()) > 64 {
		t.Fatalf("type %q, data %v", e.Type, e.Data)
	}
	_, _ = e.At(), e.Origin("source")
	if s := fmt.Sprintf("%v%+v", e, e.Data); strings.Contains(e.String(), "\n") || s == "" {
		t.Fatalf("%q", s)
	}
	if _, err := json.Marshal(e); err != nil {
		t.Fatal(err)
	}
	m, ok := e.Data.(*MessageEvent)
	if !ok || m.Media == nil {
		return
	}
	b, err := m.Media.Bytes()
	streamed, streamErr := io.ReadAll(m.Media.Reader())
	if (err == nil) != (streamErr == nil) || err == nil && !bytes.Equal(b, streamed) {
		t.Fatalf("bytes %q %v, stream %q %v", b, err, streamed, streamErr)
	}
}

// FuzzRedact puts a token wherever instanceData may be and looks for it in
// whatever comes out, also when the event is broken at any place.
func FuzzRedact(f *testing.F) {
	addRedact := func(around, key string, cut int) { f.Add([]byte(around), key, cut) }
	for _, around := range []string{`{}`, `{"event":"message.exchange","data":{"id":"1"}}`, `{"event":"x","a":[1,{"b":"\u0041"}]}`, `{"event":1}`, `[]`, `"x"`} {
		for _, key := range []string{"token", "baseUrl", "TOKEN", `\u0074oken`, `to\u212aen`} {
			addRedact(around, key, -1)
			addRedact(around, key, 40)
		}
	}
	f.Fuzz(func(t *testing.T, around []byte, key string, cut int) {
		const token = "5ec4e700-70ce-4000-8000-5ec4e770ce00"
		name := ""
		if !json.Valid(around) || json.Unmarshal([]byte(`"`+key+`"`), &name) != nil ||
			!strings.EqualFold(name, "token") && !strings.EqualFold(name, "baseUrl") {
			t.Skip()
		}
		if bytes.Contains(around, []byte(token)) {
			t.Skip()
		}
		secret := `{"x":1,"` + key + `":"` + token + `","y":2}`
		for _, in := range []string{
			`{"event":"x","data":` + string(around) + `,"instanceData":` + secret + `}`,
			`{"instanceData":` + secret + `,"data":` + string(around) + `,"event":"x"}`,
			`{"event":"x","data":[` + string(around) + `,{"instanceData":[` + string(around) + `,` + secret + `]}]}`,
			`{"event":"x","instanceData":{"` + key + `":` + secret + `,"deep":` + secret + `,"` + key + `":[` + secret + `]}}`,
			`{"event":7,"instanceData":` + secret + `,"data":` + string(around) + `}`,
		} {
			if cut >= 0 && cut < len(in) {
				in = in[:cut] + "\x00" + in[cut:]
			}
			e, err := ParseEvent([]byte(in))
			shown := fmt.Sprintf("%v %+v %#v", err, err, e)
			var eventErr *ResponseError
			switch {
			case errors.As(err, &eventErr):
				shown += string(eventErr.Body)
			case err != nil:
				t.Fatal(err)
			default:
				shown += string(e.Raw)
				if !json.Valid(e.Raw) {
					t.Fatalf("raw is not JSON: %q", e.Raw)
				}
				if u, ok := e.Data.(*UnknownEvent); ok {
					shown += string(u.Data)
				}
			}
			if strings.Contains(shown, token) {
				t.Fatalf("the token of %s is in %s", in, shown)
			}
		}
	})
}
