package conformance

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
)

// example is one reply that the document shows.
type example struct {
	operation *documented
	name      string
	status    int
	unsure    bool // which status it is
	body      any
}

// shownReplies are the examples of the replies of an operation, successes and
// refusals.
func (o *documented) shownReplies() (all []example) {
	for code, reply := range o.spec.get("responses").all() {
		status, err := strconv.Atoi(code)
		unsure := err != nil // the default reply
		if unsure {
			status = http.StatusInternalServerError
		}
		for name, e := range reply.body().get("examples").all() {
			all = append(all, example{o, name, status, unsure, e.get("value").value()})
		}
	}
	return all
}

// replies is a transport that answers one operation in a given way, and every
// other as the document shows first.
type replies struct {
	t      *testing.T
	d      *document
	target string
	status int
	body   []byte
	asked  int
}

func (r *replies) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		if err := req.Body.Close(); err != nil {
			return nil, err
		}
	}
	o := r.d.matching(req)
	if o == nil {
		return nil, fmt.Errorf("%s %s is not in the document", req.Method, req.URL.Path)
	}
	status, body := r.status, r.body
	if o.id != r.target {
		for _, e := range o.shownReplies() {
			if e.status/100 == 2 {
				status, body = e.status, encode(e.body)
				break
			}
		}
	} else {
		r.asked++
	}
	header := http.Header{"Content-Type": {"application/json"}}
	header.Set("X-RateLimit-Limit", "100")
	header.Set("X-RateLimit-Remaining", "99")
	header.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10))
	return &http.Response{
		StatusCode: status, Header: header, Request: req,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// served makes a call whose operation is answered with that body. A success in part
// is a success here: what the document shows is not what the calls ask for.
func served(t *testing.T, d *document, c *call, id string, status int, body []byte) (any, error) {
	t.Helper()
	stub := &replies{t: t, d: d, target: id, status: status, body: body}
	e := shown(t, stub)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second) // of virtual time: some methods wait for another reply
	defer cancel()
	result, err := c.do(ctx, e)
	require.NoError(t, e.client.Close())
	if errors.Is(err, ryze.ErrPartial) {
		assert.NotEmpty(t, result, "a success in part has a result")
		err = nil
	}
	return result, err
}

// callers are the calls that succeed and were seen to make the operation.
func (o *observed) callers(id string) []*call {
	var list []*call
	for _, seen := range o.all {
		if seen.call.fails == nil && slices.ContainsFunc(seen.exchanges, func(x *exchange) bool { return x.operation == id }) {
			list = append(list, seen.call)
		}
	}
	return list
}

// leaf is a place in a JSON value.
type leaf struct {
	path  string // with [] for every index
	value any
	set   func(any)
	drop  func() // nil for an element of an array
}

// leaves are the places of all strings, numbers and booleans; with all set,
// those of objects, arrays and null too.
func leaves(v any, all bool) []leaf {
	var list []leaf
	walkLeaves("$", v, nil, nil, all, &list)
	return list
}

func walkLeaves(path string, v any, set func(any), drop func(), all bool, list *[]leaf) {
	switch v := v.(type) {
	case map[string]any:
		if all && set != nil {
			*list = append(*list, leaf{path, v, set, drop})
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walkLeaves(path+"."+key, v[key], func(x any) { v[key] = x }, func() { delete(v, key) }, all, list)
		}
	case []any:
		if all && set != nil {
			*list = append(*list, leaf{path, v, set, drop})
		}
		for i := range v {
			walkLeaves(path+"[]", v[i], func(x any) { v[i] = x }, nil, all, list)
		}
	case nil:
		if all {
			*list = append(*list, leaf{path, v, set, drop})
		}
	default:
		*list = append(*list, leaf{path, v, set, drop})
	}
}

// other is another value of the same kind.
func other(v any) any {
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return v + 1
	case string:
		return otherText(v)
	}
	panic(fmt.Sprintf("%T", v))
}

func otherText(s string) string {
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return at.Add(time.Hour).Format(time.RFC3339Nano)
	}
	if head, data, ok := strings.Cut(s, ";base64,"); ok {
		return head + ";base64," + otherBase64(data)
	}
	user, server, isJID := strings.Cut(s, "@")
	if last := len(user) - 1; last >= 0 && strings.Trim(user, "0123456789:") == "" {
		user = user[:last] + string('0'+(user[last]-'0'+1)%10)
		if isJID {
			user += "@" + server
		}
		return user
	}
	if b, err := base64.StdEncoding.DecodeString(s); err == nil && len(b) > 2 && len(s)%4 == 0 {
		return otherBase64(s)
	}
	return s + "x"
}

func otherBase64(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) == 0 {
		return s + "AAAA"
	}
	b[len(b)-1]++
	return base64.StdEncoding.EncodeToString(b)
}

// shows reports whether a value of a result is what the JSON value says.
func shows(value, wire any) bool {
	if value == wire {
		return true
	}
	text, isText := wire.(string)
	switch value := value.(type) {
	case string:
		if !isText {
			return value == fmt.Sprint(wire)
		}
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil && value == at.UTC().Format(time.RFC3339Nano) {
			return true
		}
		if _, data, ok := strings.Cut(text, ";base64,"); ok {
			text = data
		}
		return strings.TrimRight(value, "=") == strings.TrimRight(text, "=") || value == string(ryze.JID(text).Bare()) || value == text+"@s.whatsapp.net"
	case float64:
		n, err := strconv.ParseFloat(text, 64)
		return isText && err == nil && n == value
	}
	return false
}

// excuse is why some fields do not reach the caller other than through Raw.
type excuse struct {
	fields *regexp.Regexp // operation and path of the field
	why    string
	used   bool
}

type excuseList []*excuse

func (l excuseList) cover(what string) bool {
	for _, e := range l {
		if e.fields.MatchString(what) {
			e.used = true
			return true
		}
	}
	return false
}

func excused(why string, fields ...string) *excuse {
	return &excuse{fields: regexp.MustCompile(`^(` + strings.Join(fields, "|") + `)$`), why: why}
}

var excuses = excuseList{
	excused("a text for people", `\S+ message`),
	excused("the method returns an error only: the reply repeats what was asked for",
		`instance\.(delete|logout) instance\.status`, `instance\.reconnect status`,
		`instance\.proxy\.update proxy\.\w+`,
		`chat\.archive (archived|chat_jid)`, `chat\.block (blocked|contact_jid)`, `chat\.delete (chat_jid|delete_media)`,
		`chat\.favorite (type|chat_jid|message_id|favorite)`, `chat\.mark_chat_read (chat_jid|read)`,
		`chat\.message\.delete delete_type`, `chat\.message\.mark_read (chat_jid|message_id)`,
		`chat\.message\.pin (chat_jid|message_id|pinned|duration)`, `chat\.mute (muted|duration)`, `chat\.pin (chat_jid|pinned)`,
		`chat\.tags\.(assign|unassign) (tag_id|chat_jid)`, `chat\.tags\.delete tag\.(id|name|color|type|deleted)`,
		`groups\.leave groupJid`, `newsletter\.leave channelJid`),
	excused("Block and Unblock return an error only, and the service lists nobody behind this number", `chat\.block blocked_count`),
	excused("the length of the list", `chat\.contacts\.list total`, `chat\.contacts\.by_label total_chats`, `chat\.history count`,
		`chat\.tags\.list total`, `groups\.requests meta\.total`, `instance\.list meta\.total`),
	excused("whose list was asked for", `communities\.list_subgroups communityJid`, `groups\.requests groupJid`),
	excused("the same as data.messageId", `chat\.poll\.votes messageId`),
	excused("always the same word", `chat\.message\.get status`, `messages\.\w+ data\.direction`),
	excused("a new label is not deleted, and a deleted one is left out", `chat\.tags\.create tag\.deleted`, `chat\.tags\.list tags\[\]\.deleted`),
	excused("connection.state comes first", `instance\.list instances\[\]\.status`),
	excused("read with Proxy.Get and Storage.Get", `instance\.(create|list) instance(s\[\])?\.(proxy|s3)\.enabled`),
	excused("told by the server of the chat's JID", `messages\.\w+ data\.chat\.isGroup`),
	excused("the cards that were sent", `messages\.contact data\.vcard\[\]\.(fullName|phone)`),
	excused("told by the names of the fields of ProfileUpdate", `profile\.update_account updatedFields\[\]`),
}

// completedExcuses are for replies with everything at once.
var completedExcuses = excuseList{
	excused("connection.numberJid and connection.state come first", `instance\.(create|list) instance(s\[\])?\.(status|numberJid)`),
	excused("what is inside the instance comes first", `instance\.create (data\.token|(webhook|websocket|chatwoot)\.\w+)`),
	excused("always null", `instance\.s3\.\w+ s3\.secretKey`),
	excused("one client expects it, nothing confirms it", `observability\.health version`),
}

// TestEveryShownFieldReachesTheCaller changes each value of each success that
// the document shows, and looks for the new value in what a method returns; then
// the same with every member that the schema names.
func TestEveryShownFieldReachesTheCaller(t *testing.T) {
	t.Parallel()
	d, o := theDocument(t), observe(t)
	for _, op := range ryze.Operations() {
		callers := o.callers(op.ID)
		for _, e := range d.of(op.ID).shownReplies() {
			if e.status/100 != 2 {
				continue
			}
			t.Run(op.ID+"/"+e.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { fieldsReach(t, d, callers, e, excuses) })
				whole := e
				schema := d.of(op.ID).reply(e.status).body().get("schema").schema()
				whole.body = completed(alternatives(schema), e.body)
				assert.Empty(t, against(schema, encode(whole.body)))
				synctest.Test(t, func(t *testing.T) { fieldsReach(t, d, callers, whole, slices.Concat(completedExcuses, excuses)) })
			})
		}
	}
	for _, e := range slices.Concat(excuses, completedExcuses) {
		assert.True(t, e.used, "no field needs the excuse %q (%s)", e.why, e.fields)
	}
}

func fieldsReach(t *testing.T, d *document, callers []*call, e example, excuses excuseList) {
	t.Helper()
	type reading struct {
		call *call
		dump dump
		raw  []byte
	}
	var readings []reading
	for _, c := range callers {
		result, err := served(t, d, c, e.operation.id, e.status, encode(e.body))
		if err == nil {
			readings = append(readings, reading{c, dumpOf(result, nil), rawOf(result)})
		}
	}
	require.NotEmpty(t, readings, "no method reads it")
	for _, l := range leaves(e.body, false) {
		if s, ok := l.value.(string); ok && variable.MatchString(s) && l.path != "$.message" {
			continue // a placeholder, in a form of its own
		}
		to := other(l.value)
		l.set(to)
		body := encode(e.body)
		l.set(l.value)
		reached, keeps, kept := false, false, false
		for _, r := range readings {
			result, err := served(t, d, r.call, e.operation.id, e.status, body)
			now := dumpOf(result, err)
			reached = reached || err != nil || slices.ContainsFunc(now.changed(r.dump), func(v any) bool { return shows(v, to) })
			keeps = keeps || bytes.Equal(r.raw, encode(e.body)) // not the items of a list, which keep their own
			kept = kept || !bytes.Equal(rawOf(result), r.raw)
		}
		if reached {
			continue
		}
		what := e.operation.id + " " + strings.TrimPrefix(l.path, "$.")
		assert.True(t, excuses.cover(what), "%s is lost on the way to the caller", what)
		assert.True(t, kept || !keeps, "%s is not in Raw", what)
	}
}

// rawOf is the JSON that a result keeps.
func rawOf(result any) []byte {
	if r, ok := result.(interface{ Raw() json.RawMessage }); ok && !reflect.ValueOf(result).IsZero() {
		return r.Raw()
	}
	return nil
}
