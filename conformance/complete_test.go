package conformance

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// aliasOf returns the operation that this one is another spelling of, "" for
// all but two. Aliases are not in the table: no method needs them.
func aliasOf(t *testing.T, spec *documented) string {
	t.Helper()
	if !spec.spec.get("x-alias-of").exists() {
		return ""
	}
	return extension[string](t, spec, "x-alias-of")
}

func TestDocumentAndTableNameTheSameOperations(t *testing.T) {
	d := theDocument(t)
	inTable := map[string]ryze.Operation{}
	for _, op := range ryze.Operations() {
		require.NotContains(t, inTable, op.ID, "twice in the table")
		inTable[op.ID] = op
		if !assert.NotNil(t, d.of(op.ID), "%s is not in the document", op.ID) {
			continue
		}
		spec := d.of(op.ID)
		assert.Equal(t, spec.method, op.Method, op.ID)
		assert.Equal(t, spec.path, op.Path, op.ID)
		assert.Equal(t, extension[string](t, spec, "x-ryze-rate-class"), string(op.Class), op.ID)
		assert.Equal(t, extension[bool](t, spec, "x-ryze-repeatable"), op.Repeatable, op.ID)
	}
	seen := map[string]bool{}
	for _, spec := range d.operations {
		assert.False(t, seen[spec.id], "%s is twice in the document", spec.id)
		seen[spec.id] = true
		target := aliasOf(t, spec)
		if target == "" {
			assert.Contains(t, inTable, spec.id, "%s is not in the table of operations", spec.id)
			continue
		}
		original := d.of(target)
		require.NotNil(t, original, "%s is an alias of nothing", spec.id)
		assert.NotContains(t, inTable, spec.id)
		assert.Equal(t, original.method, spec.method, spec.id)
		for _, name := range []string{"x-ryze-rate-class", "x-ryze-auth"} {
			assert.Equal(t, extension[string](t, original, name), extension[string](t, spec, name), "%s of %s", name, spec.id)
		}
		assert.Equal(t, extension[bool](t, original, "x-ryze-repeatable"), extension[bool](t, spec, "x-ryze-repeatable"), spec.id)
	}
}

// An alias is reached with Client.Do, with the properties of its original, and
// answers as that does.
func TestAliasesAnswerAsTheirOriginals(t *testing.T) {
	d := theDocument(t)
	for _, spec := range d.operations {
		target := aliasOf(t, spec)
		if target == "" {
			continue
		}
		t.Run(spec.id, func(t *testing.T) {
			read := func(of *documented) json.RawMessage {
				c := gives(of.id, func(ctx context.Context, e *env) (json.RawMessage, error) {
					_, err := e.client.Do(ctx, of.method, strings.ReplaceAll(of.path, ":instance", name), e.token, nil, nil)
					return nil, err
				})
				seen := play(t, &c)
				require.Len(t, seen.exchanges, 1)
				assert.Empty(t, seen.exchanges[0].validate(d))
				return seen.exchanges[0].responseBody
			}
			assert.JSONEq(t, string(read(d.of(target))), string(read(spec)))
		})
	}
}

func TestSimulatorAndDocumentNameTheSameRoutes(t *testing.T) {
	var documented []string
	for _, spec := range theDocument(t).operations {
		documented = append(documented, spec.method+" "+spec.path)
	}
	assert.ElementsMatch(t, documented, ryzetest.Routes())
}

func TestEveryOperationHasAMethod(t *testing.T) {
	o := observe(t)
	for _, op := range ryze.Operations() {
		methods := slices.DeleteFunc(slices.Clone(o.byOperation[op.ID]), func(m string) bool { return m == "Client.Do" })
		assert.NotEmpty(t, methods, "no method calls %s", op.ID)
	}
	for id := range o.byOperation {
		assert.True(t, slices.ContainsFunc(ryze.Operations(), func(op ryze.Operation) bool { return op.ID == id }), "%s is called, and not in the table", id)
	}
}

// Every exported method that takes a context makes requests, and was seen to.
func TestEveryMethodIsCalled(t *testing.T) {
	o := observe(t)
	methods := requestingMethods()
	require.Greater(t, len(methods), len(ryze.Operations()))
	for _, m := range methods {
		assert.NotEmpty(t, o.byMethod[m], "%s was never seen to make a request", m)
	}
	for m := range o.byMethod {
		assert.Contains(t, methods, m)
	}
}

// requestingMethods are the exported methods with a context of the client, its
// handles, and the services that the handle of an instance has.
func requestingMethods() []string {
	holders := []reflect.Type{reflect.TypeFor[*ryze.Client](), reflect.TypeFor[*ryze.AccountClient](), reflect.TypeFor[*ryze.InstanceClient]()}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[ryze.InstanceClient]()) {
		if f.IsExported() {
			holders = append(holders, f.Type)
		}
	}
	var methods []string
	for _, h := range holders {
		for i := range h.NumMethod() {
			m := h.Method(i)
			if m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[context.Context]() {
				methods = append(methods, h.Elem().Name()+"."+m.Name)
			}
		}
	}
	slices.Sort(methods)
	return methods
}

// A service that the handle of an instance does not hold would escape the
// tests above.
func TestEveryServiceIsWithinReach(t *testing.T) {
	files, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	var declared []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() && strings.HasSuffix(spec.Name.Name, "Service") {
				declared = append(declared, spec.Name.Name)
			}
			return true
		})
	}
	var held []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[ryze.InstanceClient]()) {
		if f.IsExported() {
			held = append(held, f.Type.Elem().Name())
		}
	}
	assert.ElementsMatch(t, declared, held)
}
