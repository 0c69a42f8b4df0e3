package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// hostile is a program that sends to the control API what its document does not have.
type hostile struct {
	*controlled

	s       *ryzetest.Server
	message string // of the customer, with a file
	poll    string // of the shop
}

// shopAgain puts the instance back that an earlier request has taken away.
func (h *hostile) shopAgain() {
	shop := h.s.Instance("shop")
	if shop == nil {
		shop = h.s.AddInstance("shop")
	}
	if shop.State() != ryzetest.StateConnected {
		shop.Pair(shopPhone)
	}
	if _, there := shop.Message(h.message); !there {
		h.message = shop.Receive(ryzetest.Incoming{From: customer, Media: &ryzetest.File{Data: []byte("GIF89a"), FileName: "a.gif"}})
		h.poll = shop.TypeOnPhone(customer, ryzetest.Incoming{Poll: &ryzetest.Poll{Question: "Which?", Options: []string{"a", "b"}}})
	}
}

// bodies are requests that are right, with every member that the document has.
func (h *hostile) bodies() map[string][]object {
	content := func(key string, common object) (all []object) {
		for _, what := range []object{
			{"text": "hello", "at": "2026-01-02T15:04:05Z"},
			{"media": object{"data": "R0lGODlh", "mime": "image/gif", "fileName": "a.gif", "kind": "image", "voice": false, "duration": 0}},
			{"location": object{"latitude": 1.5, "longitude": 2, "name": "n", "address": "a"}},
			{"card": object{"name": "Ana", "phone": customer, "vcard": "BEGIN:VCARD"}},
			{"poll": object{"question": "q", "options": []any{"a", "b"}, "max": 1}},
			{"answer": object{"kind": "form", "id": "x", "title": "t", "card": 0, "values": object{"a": 1}}},
			{"reaction": object{"emoji": "👍", "messageId": h.message}},
			{"text": "x", "forwarded": true, "mentions": []any{customer}, "replyTo": h.message, "patch": object{"a": object{"b": 1}}},
			{"text": "changed", "edit": h.message}, {"revoke": h.message}, {"text": "x", "id": "OWN"},
		} {
			what[key] = customer
			maps.Copy(what, common)
			all = append(all, what)
		}
		return all
	}
	receives, types := content("from", object{"name": "Ana", "hideNumber": false}), content("to", nil)
	receives = append(receives, object{"from": customer, "group": "status@broadcast", "text": "x"})
	return map[string][]object{
		"makeInstance": {{"name": "other"}}, "pair": {{"phone": shopPhone}}, "dropStreams": {{"code": 1012}},
		"receive": receives, "typeOnPhone": types,
		"vote":       {{"poll": h.poll, "voter": customer, "options": []any{"a"}}},
		"receipt":    {{"status": "read", "ids": []any{h.poll}}},
		"setContact": {{"phone": customer, "lid": "100000000000001@lid", "name": "Ana", "about": "x", "reachable": true}},
		"addGroup":   {{"jid": "120363000000000009@g.us", "name": "g", "description": "d", "owner": shopPhone, "members": []any{customer}, "admins": []any{customer}}},
		"addFault":   {{"route": "messages.text", "what": "slow", "times": 1, "delay": "1ms"}},
		"eatWindow":  {{"key": "account", "n": 1}}, "advanceClock": {{"by": "1s"}},
		"reset": {{}}, "failPairing": {{}}, "disconnect": {{}}, "reconnect": {{}}, "logout": {{}}, "ban": {{}},
	}
}

// at is a path of the document with values for its parameters.
func (h *hostile) at(path string) string {
	return strings.NewReplacer(":name", "shop", ":jid", customerJID, ":id", h.message, ":number", "1").Replace(path)
}

func (h *hostile) raw(method, path string, body []byte, headers ...string) *http.Response {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.base+path, bytes.NewReader(body))
	require.NoError(h.t, err)
	req.Header.Set("Content-Type", "application/json")
	for k := 0; k < len(headers); k += 2 {
		if headers[k] == "Host" {
			req.Host = headers[k+1]
		}
		req.Header.Set(headers[k], headers[k+1])
	}
	// What is redirected asks by itself for something else.
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	require.NoError(h.t, err)
	return res
}

// refusal is what the document has for everything that is refused.
func (h *hostile) refusal(res *http.Response, status int) (message, field string) {
	h.t.Helper()
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	assert.Equal(h.t, status, res.StatusCode, "%s %s: %s", res.Request.Method, res.Request.URL.Path, raw)
	var e struct {
		Error struct{ Message, Field string }
	}
	require.NoError(h.t, json.Unmarshal(raw, &e), "%s", raw)
	assert.NotEmpty(h.t, e.Error.Message)
	return e.Error.Message, e.Error.Field
}

func startHostile(t *testing.T) *hostile {
	t.Helper()
	c, s := startControlled(t)
	h := &hostile{controlled: c, s: s}
	h.shopAgain()
	return h
}

// odd are values of every type, at the edges.
var odd = []any{
	nil, true, json.Number("1.5"), json.Number("-1"), json.Number("99999999999999999999"), json.Number("1e999"), "", "x", "\x00\u202e", strings.Repeat("9", 5000),
	[]any{}, []any{nil}, []any{object{}}, object{}, object{"a": []any{1}},
}

// places lists the ways to every member of a body.
func places(v any, way ...any) (all [][]any) {
	switch v := v.(type) {
	case object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			here := append(slices.Clone(way), name)
			all = append(append(all, here), places(v[name], here...)...)
		}
	case []any:
		for k := range v {
			here := append(slices.Clone(way), k)
			all = append(append(all, here), places(v[k], here...)...)
		}
	}
	return all
}

// with is a copy of a body in which another value stands in a place.
func with(body object, way []any, value any) object {
	var copied object
	dec := json.NewDecoder(bytes.NewReader(encode(body)))
	dec.UseNumber()
	if err := dec.Decode(&copied); err != nil {
		panic(err)
	}
	var at any = copied
	for _, step := range way[:len(way)-1] {
		switch step := step.(type) {
		case string:
			at = at.(object)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	switch last := way[len(way)-1].(type) {
	case string:
		at.(object)[last] = value
	case int:
		at.([]any)[last] = value
	}
	return copied
}

// Whatever stands in the place of a member: the API answers as its document says, and
// takes nothing that the document does not have.
func TestTheControlAPITakesOnlyWhatItsDocumentHas(t *testing.T) {
	t.Parallel()
	h := startHostile(t)
	for _, o := range h.doc.operations {
		if o.method != http.MethodPost {
			continue
		}
		documented := map[string]bool{}
		seen := map[string]bool{}
		schema := o.spec.get("requestBody", "content", "application/json", "schema")
		membersOf(schema, "", documented)
		require.NotEmpty(t, h.bodies()[o.id], o.id)
		for k := range h.bodies()[o.id] {
			h.shopAgain()
			body := h.bodies()[o.id][k]
			if status, raw := h.do(o.method, h.at(o.path), body); status != http.StatusOK && status != http.StatusConflict {
				t.Errorf("%s %s: %d %s", o.id, encode(body), status, raw)
			}
			for _, way := range places(body) {
				seen[named(way)] = true
				for _, value := range odd {
					h.shopAgain()
					changed := with(body, way, value)
					res := h.raw(o.method, h.at(o.path), encode(changed))
					if res.StatusCode != http.StatusOK {
						assert.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict}, res.StatusCode)
						h.refusal(res, res.StatusCode)
						continue
					}
					res.Body.Close()
					assert.Empty(t, against(schema.schema(), encode(given(changed))), "%s took %s", o.id, encode(changed))
				}
				if last, isName := way[len(way)-1].(string); isName && !free(way) {
					other := with(body, append(slices.Clone(way[:len(way)-1]), last+"q"), 1)
					_, field := h.refusal(h.raw(o.method, h.at(o.path), encode(other)), http.StatusBadRequest)
					assert.Equal(t, last+"q", field[strings.LastIndex(field, ".")+1:], "%s %s", o.id, encode(other))
				}
			}
		}
		for member := range documented {
			assert.True(t, seen[member], "%s: no request has the member %s", o.id, member)
		}
		for _, text := range []string{"[]", "1", `"x"`, "null", "{", "{}{}", `{"a":`, "\xff\xfe", `{"name":"x","name":"y"} x`, `{"noSuch":` + strings.Repeat("[", 20000), strings.Repeat(`{"a":`, 20000)} {
			h.shopAgain()
			h.refusal(h.raw(o.method, h.at(o.path), []byte(text)), http.StatusBadRequest)
		}
		large := append(bytes.Repeat([]byte(" "), 32<<20+1), "{}"...)
		if o.id != "receive" && o.id != "typeOnPhone" {
			large = large[31<<20-2:]
		}
		h.refusal(h.raw(o.method, h.at(o.path), large), http.StatusRequestEntityTooLarge)
	}
}

// given is a body without the members that count as left out.
func given(v any) any {
	o, isObject := v.(object)
	if !isObject {
		return v
	}
	left := object{}
	for name, member := range o {
		if member != nil && member != "" {
			left[name] = given(member)
		}
	}
	return left
}

// free reports whether a place lies in an object that takes any member.
func free(way []any) bool {
	for _, step := range way[:len(way)-1] {
		if step == "patch" || step == "values" {
			return true
		}
	}
	return false
}

// named is a place without the numbers of lists.
func named(way []any) string {
	var parts []string
	for _, step := range way {
		if s, ok := step.(string); ok {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ".")
}

// membersOf collects the names of all members of a schema.
func membersOf(schema part, before string, into map[string]bool) {
	for _, one := range schema.get("allOf").all() {
		membersOf(one, before, into)
	}
	for name, member := range schema.get("properties").all() {
		into[before+name] = true
		membersOf(member, before+name+".", into)
		membersOf(member.get("items"), before+name+".", into)
	}
}

// Queries, methods and whoever asks: the same for every path.
func TestTheControlAPIRefusesStrangersOnEveryPath(t *testing.T) {
	h := startHostile(t)
	paths := map[string][]string{}
	for _, o := range h.doc.operations {
		paths[o.path] = append(paths[o.path], o.method)
	}
	before := encode(h.state()["instances"])
	for path, methods := range paths {
		where := h.at(path)
		for _, method := range methods {
			for _, headers := range [][]string{
				{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://127.0.0.1:1"}, {"Host", "evil.example"}, {"Host", "127.0.0.1.evil.example"},
				{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "?"},
			} {
				h.refusal(h.raw(method, where, []byte("{}"), headers...), http.StatusForbidden)
			}
			if method == http.MethodPost {
				for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json2", "text/json"} {
					h.refusal(h.raw(method, where, []byte("{}"), "Content-Type", kind), http.StatusUnsupportedMediaType)
				}
			}
			h.refusal(h.raw(method, where+"?noSuch=1", nil), http.StatusBadRequest)
			for _, bad := range []string{"%zz", "noSuch", "after=x&after=y"} {
				res := h.raw(method, where+"?"+bad, nil)
				res.Body.Close()
				assert.Less(t, res.StatusCode, 500, "%s %s?%s", method, where, bad)
			}
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodPatch, http.MethodOptions, "BREW"} {
			if !slices.Contains(methods, method) {
				res := h.raw(method, where, nil)
				for _, known := range methods {
					assert.Contains(t, res.Header.Get("Allow"), known, "%s %s", method, where)
				}
				h.refusal(res, http.StatusMethodNotAllowed)
			}
		}
		for _, other := range []string{where + "/", where + "/x", strings.ToUpper(where), strings.Replace(where, "shop", "sh%2Fop", 1) + "%00", strings.Replace(where, "/api/", "/api//", 1)} {
			res := h.raw(methods[0], other, []byte("{}"))
			assert.Less(t, res.StatusCode, 500, other)
			res.Body.Close()
		}
	}
	assert.Equal(t, string(before), string(encode(h.state()["instances"])), "nothing of it had an effect")

	// Parameters of the query, at their edges.
	for _, o := range h.doc.operations {
		if o.method != http.MethodGet || o.id == "streamChanges" {
			continue
		}
		for _, p := range o.spec.get("parameters").all() {
			if p.get("in").text() != "query" {
				continue
			}
			for _, value := range []string{"", "0", "1", "-1", "1.5", "x", "1001", "9007199254740993", "99999999999999999999", "%00", "1&limit=1"} {
				status, _ := h.do(o.method, h.at(o.path)+"?"+p.get("name").text()+"="+value, nil)
				assert.Less(t, status, 500, "%s %s=%s", o.id, p.get("name").text(), value)
			}
		}
	}

	// With a token nothing is told without it, whatever is asked for.
	s := ryzetest.NewServer(ryzetest.WithControl("the token of the page"))
	defer s.Close()
	h.base = s.URL
	for path, methods := range paths {
		for _, method := range methods {
			for _, headers := range [][]string{nil, {"Authorization", "Bearer x"}, {"Authorization", "Basic dGhlIHRva2VuIG9mIHRoZSBwYWdl"}, {"Cookie", "ryzesim=x"}, {"Token", "the token of the page"}} {
				res := h.raw(method, h.at(path)+"?token=the+token+of+the+page", []byte("{}"), headers...)
				assert.Equal(t, "Bearer", res.Header.Get("WWW-Authenticate"), fmt.Sprint(headers))
				message, _ := h.refusal(res, http.StatusUnauthorized)
				assert.NotContains(t, message, "the token of the page")
			}
		}
	}
	_, err := ryzetest.Start(ryzetest.WithControl(""), ryzetest.WithListen("0.0.0.0:0"))
	require.ErrorContains(t, err, "token")
}
