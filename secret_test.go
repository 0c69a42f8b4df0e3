package ryze

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const secretValue = "tok-4F1c9b7e"

// withSecrets are values of every exported type that holds a secret, however
// deep, filled by [fillSecrets]; TestEveryTypeWithASecretIsGuarded says when one
// is missing.
func withSecrets(t *testing.T) map[string]any {
	t.Helper()
	client, err := New(WithHTTPClient(&http.Client{Transport: roundTripper(nil)}))
	require.NoError(t, err)
	account, inst := client.Account(secretValue), client.Instance("a", secretValue)
	samples := map[string]any{
		"AccountClient": account, "InstanceClient": inst,
		"MessagesService": inst.Messages, "ChatsService": inst.Chats, "ContactsService": inst.Contacts, "LabelsService": inst.Labels, "GroupsService": inst.Groups,
		"CommunitiesService": inst.Communities, "NewslettersService": inst.Newsletters, "ProfileService": inst.Profile, "CallsService": inst.Calls,
		"SettingsService": inst.Settings, "ProxyService": inst.Proxy, "StorageService": inst.Storage, "WebhooksService": inst.Webhooks,
		"WebSocketService": inst.WebSocket, "ChatwootService": inst.Chatwoot,
		"Subscription": &Subscription{handle: inst.h},
	}
	for _, empty := range []any{
		new(Secret), new(Meta), new(CreateInstanceParams), new(Instance), new(Metrics), new(Pairing), new(InstanceStateEvent),
		new(ProxyConfig), new(Proxy), new(StorageConfig), new(Storage), new(Settings), new(WebhookConfig), new(Webhook), new(EnsuredWebhook),
		new(WebSocket), new(EnsuredWebSocket), new(PartialError),
		new(ChatwootConfig), new(Chatwoot), new(ChatwootActivation), new(Health),
		new(Group), new(GroupInvite), new(JoinedGroup), new(JoinRequest), new(MembersResult), new(MemberResult),
		new(CreatedCommunity), new(LinkResult), new(Newsletter),
		new(Label), new(Contact), new(HistoryMessage), new(HistoryPage), new(LabeledChats),
		new(SentMessage), new(StoredMessage), new(DeliveryStatus), new(EditedMessage), new(ForwardedMessage), new(PollVotes), new(Downloaded),
		new(PlacedCall), new(Profile), new(UpdatedProfile), new(Privacy),
	} {
		v := reflect.ValueOf(empty).Elem()
		fillSecrets(v)
		samples[v.Type().Name()] = empty
	}
	return samples
}

// fillSecrets fills every secret in v, fields that are not exported included.
func fillSecrets(v reflect.Value) {
	if !v.CanSet() {
		v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
	}
	switch v.Interface().(type) {
	case hidden[json.RawMessage]:
		v.Set(reflect.ValueOf(hide(json.RawMessage(secretValue))))
		return
	case hidden[[]byte]:
		v.Set(reflect.ValueOf(hide([]byte(secretValue))))
		return
	case hidden[[]string]:
		v.Set(reflect.ValueOf(hide([]string{secretValue})))
		return
	case Secret:
		v.SetString(secretValue)
		return
	case time.Time, error:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillSecrets(v.Field(i))
		}
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct {
			v.Set(reflect.New(v.Type().Elem()))
			fillSecrets(v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct || v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fillSecrets(v.Index(0))
		}
	}
}

// typesOf returns the package's types, each with the names in its definition.
func typesOf(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	types := map[string]map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				def, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				names := map[string]bool{}
				ast.Inspect(def.Type, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.FuncType, *ast.InterfaceType, *ast.SelectorExpr:
						return false // hold nothing that is printed, or lie in other packages
					case *ast.Field: // its name is not a type
						ast.Inspect(n.Type, func(n ast.Node) bool {
							switch n := n.(type) {
							case *ast.FuncType, *ast.InterfaceType, *ast.SelectorExpr:
								return false
							case *ast.Ident:
								names[n.Name] = true
							}
							return true
						})
						return false
					case *ast.Ident:
						names[n.Name] = true
					}
					return true
				})
				types[def.Name.Name] = names
			}
		}
	}
	return types
}

func TestEveryTypeWithASecretIsGuarded(t *testing.T) {
	types := typesOf(t)
	holds := map[string]bool{"Secret": true, "hidden": true}
	for grown := true; grown; {
		grown = false
		for name, uses := range types {
			for used := range uses {
				if holds[used] && !holds[name] {
					holds[name], grown = true, true
				}
			}
		}
	}
	samples := withSecrets(t)
	var missing []string
	for name := range holds {
		if ast.IsExported(name) && samples[name] == nil {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	assert.Empty(t, missing, "hold a secret and are not among withSecrets")
	for name := range samples {
		assert.True(t, holds[name], "%s holds no secret", name)
	}
}

// traces are the forms in which fmt may print the value, by verb.
func traces() []string {
	out := []string{secretValue, base64.StdEncoding.EncodeToString([]byte(secretValue))}
	for _, verb := range []string{"%d", "%x", "%X", "% x", "%o", "%b", "%c", "%U", "%#x"} {
		out = append(out, strings.Trim(fmt.Sprintf(verb, []byte(secretValue)), "[]"))
	}
	for _, verb := range []string{"%x", "%X", "% x", "% X"} {
		out = append(out, fmt.Sprintf(verb, secretValue))
	}
	return out
}

func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	traces := traces()
	for name, sample := range withSecrets(t) {
		pointer := reflect.ValueOf(sample)
		value := pointer.Elem()
		for what, x := range around(value, pointer) {
			var out bytes.Buffer
			for _, flags := range []string{"", "+", "#", "-8.3"} {
				for _, verb := range "vsqxXdobcUeEfFgGtOTyz" {
					fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", x)
				}
			}
			fmt.Fprintln(&out, x, []any{x}, &x)
			var format bytes.Buffer // not a constant: what is too much is printed as well
			format.WriteString("%v")
			fmt.Fprintf(&out, format.String(), x, x, x)
			fmt.Fprint(&out, fmt.Errorf("wrapped: %v", x))
			for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
				slog.New(handler).Info("x", "value", x, slog.Group("g", "value", x))
			}
			b, _ := json.Marshal(x) //nolint:errchkjson // what cannot be encoded prints nothing
			out.Write(b)
			b, _ = xml.Marshal(x)
			out.Write(b)
			_ = template.Must(template.New("").Parse("{{.}} {{printf `%s %q %x` . . .}}")).Execute(&out, x)
			for _, trace := range traces {
				if i := strings.Index(out.String(), trace); i >= 0 {
					t.Errorf("%s as %s is printed as %q", name, what, out.String()[max(0, i-200):i+len(trace)])
					break
				}
			}
		}
	}
}

// around are the values in which a value may lie when it is printed.
func around(value, pointer reflect.Value) map[string]any {
	slice := func(v reflect.Value) reflect.Value {
		s := reflect.MakeSlice(reflect.SliceOf(v.Type()), 1, 1)
		s.Index(0).Set(v)
		return s
	}
	array := func(v reflect.Value) reflect.Value {
		a := reflect.New(reflect.ArrayOf(1, v.Type())).Elem()
		a.Index(0).Set(v)
		return a
	}
	dict := func(v reflect.Value) reflect.Value {
		m := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), v.Type()))
		m.SetMapIndex(reflect.ValueOf("key"), v)
		return m
	}
	holder := func(v reflect.Value) reflect.Value {
		h := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Field", Type: v.Type()}})).Elem()
		h.Field(0).Set(v)
		return h
	}
	ref := func(v reflect.Value) reflect.Value {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		return p
	}
	out := map[string]any{"**T": ref(pointer).Interface(), "*T": pointer.Interface(), "[]**T": slice(ref(pointer)).Interface()}
	for name, v := range map[string]reflect.Value{"T": value, "*T": pointer} {
		if name == "T" && noCopy(value.Type()) {
			continue
		}
		out[name] = v.Interface()
		out["[]"+name] = slice(v).Interface()
		out["[1]"+name] = array(v).Interface()
		out["*[1]"+name] = ref(array(v)).Interface()
		out["map[string]"+name] = dict(v).Interface()
		out["map[string][]"+name] = dict(slice(v)).Interface()
		out["struct{"+name+"}"] = holder(v).Interface()
		out["*struct{"+name+"}"] = ref(holder(v)).Interface()
		out["[]struct{[]"+name+"}"] = slice(holder(slice(v))).Interface()
		out["[]any{"+name+"}"] = []any{v.Interface()}
		out["struct{any}"+name] = struct{ Field any }{v.Interface()}
	}
	return out
}

// noCopy reports whether values of the type are not meant to be copied.
func noCopy(t reflect.Type) bool { return t == reflect.TypeFor[Subscription]() }

// What testify prints of two different values: everything but a Secret in an
// exported field, which cannot be helped.
func TestSecretsThatAreNotExportedAreNotInATestsDiff(t *testing.T) {
	exported := map[string]bool{}
	for name, sample := range withSecrets(t) {
		exported[name] = showsSecret(reflect.TypeOf(sample).Elem())
	}
	traces := append(traces(), hexDump(secretValue))
	for name, sample := range withSecrets(t) {
		if exported[name] {
			continue
		}
		var told recorder
		assert.Equal(&told, sample, reflect.New(reflect.TypeOf(sample).Elem()).Interface())
		assert.Equal(&told, []any{sample}, []any{})
		require.Contains(t, told.String(), "Not equal", name)
		for _, trace := range traces {
			assert.NotContains(t, told.String(), trace, name)
		}
	}
	assert.True(t, exported["Instance"])
	assert.False(t, exported["InstanceClient"])
}

// showsSecret reports whether a type has a Secret where users see it.
func showsSecret(t reflect.Type) bool {
	if t == reflect.TypeFor[Secret]() {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return showsSecret(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && showsSecret(f.Type) {
				return true
			}
		}
	}
	return false
}

// hexDump is how testify prints bytes.
func hexDump(s string) string {
	_, text, _ := strings.Cut(hex.Dump([]byte(s)), "|")
	text, _, _ = strings.Cut(text, "|")
	return text
}

type recorder struct{ strings.Builder }

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(r, format, args...) }

// Two results of the same reply are equal all the same.
func TestHiddenValuesAreComparedByWhatTheyHold(t *testing.T) {
	one, other := Meta{raw: hide(json.RawMessage(`{}`))}, Meta{raw: hide(json.RawMessage(`{}`))}
	assert.Equal(t, one, other)
	assert.NotEqual(t, Meta{raw: hide(json.RawMessage(`{}`))}, Meta{raw: hide(json.RawMessage(`{"a":1}`))})
}

func TestEmptySecretShowsThatItIsNotSet(t *testing.T) {
	assert.Empty(t, Secret("").String())
	assert.True(t, Secret("").IsZero())
}

func TestSecretIsReadFromJSON(t *testing.T) {
	var v struct{ Token Secret }
	require.NoError(t, json.Unmarshal([]byte(`{"Token":"abc"}`), &v))
	assert.Equal(t, "abc", v.Token.Reveal())
	require.NoError(t, json.Unmarshal([]byte(`{"Token":null}`), &v), "null keeps what was there")
}
