package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"

	"github.com/ryzeapi/ryze-go/api"
)

// The module conformance reads the document as well, in its tests and to break them
// at the first fault. Here a difference is a result: it has a place and a kind, and
// no value of the reply.

const documentURL = "file:///api/openapi.yaml" // of the schemas; nothing is read there

// document is the OpenAPI document of the service.
type document struct {
	root     any
	mu       sync.Mutex // of the two below
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema // by JSON pointer

	operations map[string]*operation // by id
}

// operation is one operation of the document.
type operation struct {
	id, method, path string // path with "{instance}"
	at               string // the JSON pointer that names it
}

var readDocument = sync.OnceValues(func() (*document, error) {
	var root any
	if err := yaml.Unmarshal([]byte(api.OpenAPI()), &root); err != nil {
		return nil, err
	}
	text, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	if root, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		return nil, err
	}
	d := &document{root: root, compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}, operations: map[string]*operation{}}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, root); err != nil {
		return nil, err
	}
	for path, item := range members(member(root, "paths")) {
		for method, spec := range members(item) {
			id, _ := member(spec, "operationId").(string)
			d.operations[id] = &operation{id, strings.ToUpper(method), path, "/paths/" + toPointer.Replace(path) + "/" + method}
		}
	}
	return d, nil
})

var (
	toPointer   = strings.NewReplacer("~", "~0", "/", "~1")
	fromPointer = strings.NewReplacer("~1", "/", "~0", "~")
)

func members(v any) map[string]any { o, _ := v.(map[string]any); return o }

func member(v any, name string) any { return members(v)[name] }

// get descends from a JSON pointer by names, and follows $ref. It returns where it
// came to, nil when there is nothing.
func (d *document) get(at string, names ...string) (string, any) {
	at, v := d.resolve(at)
	for _, name := range names {
		at, v = d.resolve(at + "/" + toPointer.Replace(name))
	}
	return at, v
}

func (d *document) resolve(at string) (string, any) {
	for range 10 { // references to references
		v := d.root
		for _, name := range strings.Split(at, "/")[1:] {
			v = member(v, fromPointer.Replace(name))
		}
		ref, ok := member(v, "$ref").(string)
		if !ok {
			return at, v
		}
		at = strings.TrimPrefix(ref, "#")
	}
	return at, nil
}

// schema compiles the schema at a place, nil when there is none.
func (d *document) schema(at string, v any) *jsonschema.Schema {
	if v == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.compiled[at]; s != nil {
		return s
	}
	s, err := d.compiler.Compile(documentURL + (&url.URL{Fragment: at}).String())
	if err != nil {
		return nil
	}
	d.compiled[at] = s
	return s
}

// A difference is what a reply or an event has and the document has not, or the
// other way round. Nothing in it is a value, but for what is foreign.
type difference []any

func differs(parts ...any) difference { return parts }

// against holds a reply against the document.
func (d *document) against(o *operation, status int, header http.Header, body []byte) (found []difference) {
	at, spec := d.get(o.at, "responses", strconv.Itoa(status))
	declared := spec != nil
	if !declared {
		found = append(found, differs(fmt.Sprintf("status %d is not in the document", status)))
		if at, spec = d.get(o.at, "responses", "default"); spec == nil {
			return found
		}
	}
	at, content := d.get(at, "content", "application/json", "schema")
	schema := d.schema(at, content)
	if schema == nil {
		if len(body) > 0 {
			found = append(found, differs(fmt.Sprintf("status %d has a body, which is not in the document", status)))
		}
		return found
	}
	if media, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || media != "application/json" {
		return append(found, differs(fmt.Sprintf("status %d has the content type ", status), foreign(header.Get("Content-Type")), " instead of application/json"))
	}
	found = append(found, shape(schema, body)...)
	if text := errorText(body); declared && status >= 400 && !d.knowsText(o, status, text) {
		found = append(found, differs(fmt.Sprintf("status %d has another text: ", status), foreign(text)))
	}
	return found
}

// event holds an event against the document.
func (d *document) event(name string, body []byte) []difference {
	at, spec := d.get("/webhooks/"+toPointer.Replace(name), "post", "requestBody", "content", "application/json", "schema")
	schema := d.schema(at, spec)
	if schema == nil {
		return []difference{differs("the event ", foreign(name), " is not in the document")}
	}
	return shape(schema, body)
}

func errorText(body []byte) string {
	var refusal struct {
		Error struct{ Message string }
	}
	_ = json.Unmarshal(body, &refusal)
	return refusal.Error.Message
}

// knowsText reports whether the document shows this text for the status, or none.
func (d *document) knowsText(o *operation, status int, text string) bool {
	shown := d.texts(o, strconv.Itoa(status))
	if len(shown) == 0 {
		return true
	}
	// The document says of this one that any route may have it, with 400 or 503.
	_, notConnected := d.get("/components/examples/InstanceNotConnected", "value", "error", "message")
	if s, ok := notConnected.(string); ok {
		shown = append(shown, s)
	}
	return slices.ContainsFunc(append(shown, d.texts(o, "default")...), func(s string) bool { return pattern(s).MatchString(text) })
}

// texts are those that the document shows for a status.
func (d *document) texts(o *operation, status string) (texts []string) {
	at, examples := d.get(o.at, "responses", status, "content", "application/json", "examples")
	for name := range members(examples) {
		if _, text := d.get(at, name, "value", "error", "message"); text != nil {
			texts = append(texts, fmt.Sprint(text))
		}
	}
	return texts
}

var variable = regexp.MustCompile(`\s*<[^>]*>\s*`)

// pattern matches a text in which what stands in angle brackets varies.
func pattern(shown string) *regexp.Regexp {
	parts := variable.Split(shown, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?is)^` + strings.Join(parts, `.*`) + `$`)
}

// shape lists what a schema has against a JSON text, and what it does not name.
func shape(schema *jsonschema.Schema, text []byte) (found []difference) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return []difference{differs("the body is not JSON")}
	}
	if invalid, ok := schema.Validate(value).(*jsonschema.ValidationError); ok { //nolint:errorlint // it is this one
		for _, leaf := range leaves(invalid) {
			found = append(found, named(leaf))
		}
	}
	walkUndeclared(alternatives(schema), value, jsonPath{}, func(at jsonPath) {
		found = append(found, differs(at, " is not in the document"))
	})
	return found
}

// leaves are the reasons of an error. Of alternatives, those that fit best count.
func leaves(e *jsonschema.ValidationError) (all []*jsonschema.ValidationError) {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	_, anyOf := e.ErrorKind.(*kind.AnyOf)
	_, oneOf := e.ErrorKind.(*kind.OneOf)
	for _, cause := range e.Causes {
		these := leaves(cause)
		switch {
		case !anyOf && !oneOf:
			all = append(all, these...)
		case all == nil || len(these) < len(all) || len(these) == len(all) && deepest(these) > deepest(all):
			all = these
		}
	}
	return all
}

// deepest is how far below the top the deepest reason is. An alternative that goes
// deeper before it fails is the one that was meant.
func deepest(all []*jsonschema.ValidationError) (deep int) {
	for _, e := range all {
		deep = max(deep, len(e.InstanceLocation))
	}
	return deep
}

func named(e *jsonschema.ValidationError) difference {
	at := jsonPath(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return differs(at, " is "+k.Got+" instead of "+strings.Join(k.Want, " or "))
	case *kind.Required:
		parts := differs()
		for i, name := range k.Missing {
			if i > 0 {
				parts = append(parts, ", ")
			}
			parts = append(parts, append(slices.Clone(at), name))
		}
		return append(parts, " is missing")
	case *kind.Format:
		return differs(at, " is not of the format "+k.Want)
	case *kind.Enum, *kind.Const:
		return differs(at, " is none of the values in the document")
	default:
		return differs(at, " does not fit: "+strings.Join(e.ErrorKind.KeywordPath(), "/"))
	}
}

// walkUndeclared finds members that no schema names: the schemas of replies are open.
func walkUndeclared(schemas []*jsonschema.Schema, value any, at jsonPath, report func(jsonPath)) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			walkUndeclared(itemsOf(schemas), item, append(slices.Clone(at), "0"), report)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			here := append(slices.Clone(at), name)
			declared, open := lookup(schemas, name)
			switch {
			case len(declared) > 0:
				walkUndeclared(declared, value[name], here, report)
			case !open:
				report(here)
			}
		}
	}
}

func itemsOf(schemas []*jsonschema.Schema) (items []*jsonschema.Schema) {
	for _, s := range schemas {
		items = append(items, alternatives(s.Items2020)...)
	}
	return items
}

// lookup finds the schemas of a member. open says that members without one are
// allowed: in objects of which nothing is documented, and in those that say so.
func lookup(schemas []*jsonschema.Schema, name string) (declared []*jsonschema.Schema, open bool) {
	anything := true
	for _, s := range schemas {
		if len(s.Properties) > 0 {
			anything = false
			declared = append(declared, alternatives(s.Properties[name])...)
		}
		switch more := s.AdditionalProperties.(type) {
		case *jsonschema.Schema:
			declared = append(declared, alternatives(more)...)
		case bool:
			open = open || more
			anything = anything && more
		}
	}
	return declared, open || anything
}

// alternatives are a schema and all that it is composed of.
func alternatives(s *jsonschema.Schema) []*jsonschema.Schema {
	if s == nil {
		return nil
	}
	all := append([]*jsonschema.Schema{s}, alternatives(s.Ref)...)
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		for _, part := range list {
			all = append(all, alternatives(part)...)
		}
	}
	return all
}
