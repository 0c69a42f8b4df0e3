package ryze

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// That the table is the one of api/openapi.yaml, that the simulator knows all of
// it and that every row has a method is proved by the module conformance.

func TestOperationsAreWellFormed(t *testing.T) {
	ids, routes := map[string]bool{}, map[string]bool{}
	for _, op := range operations {
		assert.Regexp(t, `^[a-z]+(\.[a-z0-9_]+)+$`, op.ID)
		assert.False(t, ids[op.ID], "%s is there twice", op.ID)
		route := op.Method + " " + op.Path
		assert.False(t, routes[route], "%s is there twice", route)
		ids[op.ID], routes[route] = true, true

		assert.Contains(t, []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, op.Method, op.ID)
		assert.Regexp(t, `^/[A-Za-z0-9/]+(:instance)?$`, op.Path, op.ID)
		assert.Contains(t, []RateClass{RateGlobal, RateCreate, RateBypass}, op.Class, op.ID)
		assert.Positive(t, op.Timeout, op.ID)
		assert.Regexp(t, `^v\d+\.\d+\.\d+$`, op.Since, op.ID)
	}
}

// A GET may be repeated, but for the one that begins a pairing. What sends or
// creates may not, whatever its method.
func TestRepeatableOperations(t *testing.T) {
	for _, op := range Operations() {
		switch {
		case op.Method == http.MethodGet:
			assert.Equal(t, op.ID != "instance.connect", op.Repeatable, op.ID)
		case strings.HasPrefix(op.ID, "messages.") || strings.HasPrefix(op.ID, "calls.") || strings.HasSuffix(op.ID, "create"):
			assert.False(t, op.Repeatable, op.ID)
		}
		if op.gone != nil {
			assert.True(t, op.Repeatable, "%s: only a second attempt can find nothing left", op.ID)
			assert.Equal(t, http.MethodDelete, op.Method, op.ID)
		}
	}
}

func TestOperationsAreFoundByTheirPath(t *testing.T) {
	for _, op := range operations {
		path := strings.Replace(op.Path, ":instance", "support%2Fline", 1)
		assert.Same(t, op, operationFor(op.Method, path), op.ID)
		assert.Nil(t, operationFor(http.MethodPatch, path), op.ID)
		if path != op.Path {
			assert.Nil(t, operationFor(op.Method, strings.Replace(op.Path, ":instance", "", 1)), "%s without a name", op.ID)
			assert.Nil(t, operationFor(op.Method, path+"/more"), op.ID)
		}
	}
	assert.Nil(t, operationFor(http.MethodGet, "/api/no/such"))
}

func TestOperationsGivesACopy(t *testing.T) {
	Operations()[0].Path = "/elsewhere"
	assert.Equal(t, "/health", Operations()[0].Path)
}

// The page is written by "go generate ./conformance"; here only its columns
// that come from the table are compared.
func TestOperationsPageHasEveryRow(t *testing.T) {
	page, err := os.ReadFile("docs/operations.md")
	require.NoError(t, err)
	for _, op := range Operations() {
		again := map[bool]string{true: "yes", false: "no"}[op.Repeatable]
		row := fmt.Sprintf("(?m)^\\| %s \\| `%s %s` \\| [^|]+ \\| %s \\| %s \\| %g s \\| %s \\|$",
			regexp.QuoteMeta(op.ID), op.Method, regexp.QuoteMeta(op.Path), op.Class, again, op.Timeout.Seconds(), regexp.QuoteMeta(op.Since))
		assert.Regexp(t, row, string(page), "%s: go generate ./conformance", op.ID)
	}
	assert.Equal(t, len(Operations()), strings.Count(string(page), " s | v"), "rows of operations that are no more")
}
