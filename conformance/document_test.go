package conformance

import (
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	documentFile = "../api/openapi.yaml"
	documentURL  = "file:///api/openapi.yaml" // of the schemas; nothing is read there
)

// document is api/openapi.yaml, read and indexed.
type document struct {
	root       part
	schemas    *jsonschema.Compiler
	operations []*documented
}

// documented is an operation of the document.
type documented struct {
	id, method, path string // path as in the table of operations, with ":instance"
	spec             part
}

var readDocument = sync.OnceValues(func() (*document, error) { return readOpenAPI(documentFile) })

func readOpenAPI(name string) (*document, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var file yaml.Node
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	d := &document{schemas: jsonschema.NewCompiler()}
	d.root = part{document: d, node: file.Content[0]}
	d.schemas.AssertFormat()
	if err := d.schemas.AddResource(documentURL, d.root.value()); err != nil {
		return nil, err
	}
	for path, item := range d.root.get("paths").all() {
		for method, spec := range item.all() {
			if method == "parameters" { // of all operations of the path
				continue
			}
			d.operations = append(d.operations, &documented{
				id: spec.get("operationId").text(), method: strings.ToUpper(method), spec: spec,
				path: strings.NewReplacer("{", ":", "}", "").Replace(path),
			})
		}
	}
	return d, nil
}

// part is a place in the document. What is not there has no node.
type part struct {
	document *document
	node     *yaml.Node
	at       string // the JSON pointer that names it
}

func (p part) exists() bool { return p.node != nil }

// resolved follows $ref.
func (p part) resolved() part {
	for p.exists() {
		ref := p.child("$ref")
		if !ref.exists() {
			break
		}
		place, ok := strings.CutPrefix(ref.node.Value, "#")
		if !ok {
			panic(p.at + " refers to another document")
		}
		target := p.document.root
		for _, name := range strings.Split(place, "/")[1:] {
			target = target.child(fromPointer.Replace(name))
		}
		if !target.exists() {
			panic(p.at + " refers to " + place + ", which is not there")
		}
		p = target
	}
	return p
}

var (
	toPointer   = strings.NewReplacer("~", "~0", "/", "~1")
	fromPointer = strings.NewReplacer("~1", "/", "~0", "~")
)

// children are the members of an object or the items of a list, as written.
func (p part) children() iter.Seq2[string, part] {
	return func(yield func(string, part) bool) {
		if !p.exists() {
			return
		}
		step := map[yaml.Kind]int{yaml.MappingNode: 2, yaml.SequenceNode: 1}[p.node.Kind]
		for i := 0; step > 0 && i < len(p.node.Content); i += step {
			name := strconv.Itoa(i)
			if step == 2 {
				name = p.node.Content[i].Value
			}
			at := p.at + "/" + toPointer.Replace(name)
			if !yield(name, part{p.document, p.node.Content[i+step-1], at}) {
				return
			}
		}
	}
}

func (p part) child(name string) part {
	for n, c := range p.children() {
		if n == name {
			return c
		}
	}
	return part{document: p.document}
}

// all are the members of an object or the items of a list.
func (p part) all() iter.Seq2[string, part] { return p.resolved().children() }

// get descends by names.
func (p part) get(names ...string) part {
	for _, name := range names {
		p = p.resolved().child(name)
	}
	return p
}

// text is a single value as it is written, "" when it is not there.
func (p part) text() string {
	if p = p.resolved(); !p.exists() {
		return ""
	}
	return p.node.Value
}

// value is what the part is in JSON.
func (p part) value() (v any) {
	if err := p.resolved().node.Decode(&v); err != nil {
		panic(err)
	}
	return plain(v)
}

// plain turns what YAML makes of a value into what JSON does.
func plain(v any) (out any) {
	if err := json.Unmarshal(encode(v), &out); err != nil {
		panic(err)
	}
	return out
}

// schema compiles the schema that the part is, nil when it is not there.
func (p part) schema() *jsonschema.Schema {
	if !p.exists() {
		return nil
	}
	return p.document.schemas.MustCompile(documentURL + (&url.URL{Fragment: p.at}).String())
}

// body is the only content that the service knows: JSON.
func (p part) body() part { return p.get("content", "application/json") }

func theDocument(t *testing.T) *document {
	t.Helper()
	d, err := readDocument()
	require.NoError(t, err)
	return d
}

// of returns the operation with that id, or nil.
func (d *document) of(id string) *documented {
	for _, o := range d.operations {
		if o.id == id {
			return o
		}
	}
	return nil
}

// matching returns the operation that a request is for, or nil.
func (d *document) matching(r *http.Request) *documented {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for _, o := range d.operations {
		pattern := strings.Split(o.path, "/")
		if o.method != r.Method || len(pattern) != len(segments) {
			continue
		}
		same := true
		for i, p := range pattern {
			same = same && (p == segments[i] || strings.HasPrefix(p, ":") && segments[i] != "")
		}
		if same {
			return o
		}
	}
	return nil
}

// extension reads an x-ryze-* property.
func extension[T any](t *testing.T, o *documented, name string) (v T) {
	t.Helper()
	p := o.spec.get(name)
	require.True(t, p.exists(), "%s has no %s", o.id, name)
	require.NoError(t, p.node.Decode(&v), "%s of %s", name, o.id)
	return v
}
