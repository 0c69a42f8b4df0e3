package ryze

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
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
		for i, name := range spec.Names {
			if strings.HasPrefix(name.Name, "Err") && !isSentinel(spec, i) {
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
		require.ErrorIs(t, e, row.is[0])
		assert.Equal(t, row.is[0].Error(), ErrorType(e), row.text)
	}
}

func isSentinel(spec *ast.ValueSpec, i int) bool {
	if i >= len(spec.Values) {
		return false
	}
	call, ok := spec.Values[i].(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "sentinel"
}

func TestErrorTypeNamesHowAStreamEnds(t *testing.T) {
	for kind, err := range map[string]error{
		"the queue of events is full":      &StreamError{Err: &lostError{fmt.Errorf("%w: 3 events", ErrOverflow)}},
		"event larger than the read limit": &StreamError{Err: fmt.Errorf("%w: more than 1 byte", ErrEventTooLarge)},
		"connection closed by the service": &StreamError{Err: &closeError{Code: 1008}, CloseCode: 1008},
		"connection lost":                  &lostError{io.ErrUnexpectedEOF},
		"context canceled":                 &lostError{context.Canceled},
	} {
		assert.Equal(t, kind, ErrorType(err))
	}
}
