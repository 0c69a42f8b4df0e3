package conformance

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/stretchr/testify/require"
)

const documentFile = "../api/openapi.yaml"

// document is api/openapi.yaml, read and indexed.
type document struct {
	model      *v3.Document
	validator  validator.Validator
	schemas    schema_validation.SchemaValidator
	operations []*documented
}

// documented is an operation of the document.
type documented struct {
	id, method, path string // path as in the table of operations, with ":instance"
	spec             *v3.Operation
}

var readDocument = sync.OnceValues(func() (*document, error) {
	text, err := os.ReadFile(documentFile)
	if err != nil {
		return nil, err
	}
	parsed, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		return nil, err
	}
	options := []config.Option{
		config.WithFormatAssertions(),
		config.WithRejectUndeclaredRequestBody(),
		config.WithRejectUnsupportedBodyContent(),
	}
	v, errs := validator.NewValidator(parsed, options...)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	d := &document{model: &model.Model, validator: v, schemas: schema_validation.NewSchemaValidator(options...)}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, spec := range item.GetOperations().FromOldest() {
			d.operations = append(d.operations, &documented{
				id: spec.OperationId, method: strings.ToUpper(method), spec: spec,
				path: strings.NewReplacer("{", ":", "}", "").Replace(path),
			})
		}
	}
	return d, nil
})

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
	node, ok := o.spec.Extensions.Get(name)
	require.True(t, ok, "%s has no %s", o.id, name)
	require.NoError(t, node.Decode(&v), "%s of %s", name, o.id)
	return v
}
