package ryze

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What ErrorType does not know is "other" on every dashboard.
func TestErrorTypeKnowsEverySentinel(t *testing.T) {
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	sentinels, sorted := map[string]bool{}, map[string]bool{}
	look := func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, name := range spec.Names {
			if strings.HasPrefix(name.Name, "Err") {
				sentinels[name.Name] = true
			}
			if name.Name == "observedErrors" {
				ast.Inspect(spec.Values[0], func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "Err") {
						sorted[id.Name] = true
					}
					return true
				})
			}
		}
		return true
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, look)
	}
	delete(sentinels, "ErrIgnore") // no failure
	assert.Equal(t, sentinels, sorted)
}

func TestErrorTypeNamesTheMostSpecialKind(t *testing.T) {
	for _, kind := range observedErrors {
		assert.Equal(t, kind.Error(), ErrorType(kind))
	}
	for _, row := range errorTexts {
		e := &APIError{StatusCode: row.status, kinds: row.is}
		require.True(t, errors.Is(e, row.is[0]))
		assert.Equal(t, row.is[0].Error(), ErrorType(e), row.text)
	}
}
