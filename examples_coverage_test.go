package ryze

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Methods that the language or the standard library calls.
var calledByOthers = []string{
	"Error", "Is", "Unwrap", "String", "GoString", "Format", "LogValue",
	"MarshalText", "UnmarshalText", "MarshalJSON", "UnmarshalJSON", "RoundTrip", "ServeHTTP",
	"Acquire", "Rate", "Done", "Refused", "Cancel", // a Limiter is called by the client
}

// Every task appears in a runnable example, here or in the examples folder, so
// that a reader finds it in use. A task is what a file is about: something of each
// file with exported functions or methods is shown, not every method of it.
func TestEveryTaskAppearsInAnExample(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	used := make(map[string]bool)
	collect := func(name string, examplesOnly bool) {
		file, err := parser.ParseFile(fset, name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if examplesOnly && (!ok || !strings.HasPrefix(f.Name.Name, "Example")) {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					used[sel.Sel.Name] = true
				}
				return true
			})
		}
	}
	exported := make(map[string][]string) // by file
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			collect(name, true)
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || slices.Contains(calledByOthers, f.Name.Name) {
				continue
			}
			if receiver := receiverName(f); receiver == "" || ast.IsExported(receiver) {
				exported[name] = append(exported[name], f.Name.Name)
			}
		}
	}
	programs, err := filepath.Glob("examples/*/*.go")
	require.NoError(t, err)
	for _, name := range programs {
		collect(name, false)
	}
	var missing []string
	for file, names := range exported {
		if !slices.ContainsFunc(names, func(name string) bool { return used[name] }) {
			missing = append(missing, file)
		}
	}
	slices.Sort(missing)
	assert.Empty(t, missing, "files of which nothing is in an example")
	_, err = os.Stat("examples/quickstart/main.go")
	require.NoError(t, err, "the examples are looked for in another folder")
}

func receiverName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
