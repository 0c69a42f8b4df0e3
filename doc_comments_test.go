//go:build !js

package ryze_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documented are the packages whose comments are read by users.
var documented = []string{".", "ryzetest"}

// docComment is a comment on a declaration, a field or a package.
type docComment struct {
	at   token.Position
	text string
}

// sources parses a package without its tests.
func sources(t *testing.T, dir string) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	return fset, files
}

func docComments(t *testing.T, dir string) []docComment {
	t.Helper()
	fset, files := sources(t, dir)
	var all []docComment
	for _, file := range files {
		for _, group := range file.Comments {
			all = append(all, docComment{fset.Position(group.Pos()), group.Text()})
		}
	}
	require.NotEmpty(t, all)
	return all
}

// What code in comments may take for granted. Other names that a piece does not
// declare stand for what the reader has: they are let pass.
const granted = `package p
import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
	"testing"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)
var (
	ctx          context.Context
	client       *ryze.Client
	account      *ryze.AccountClient
	inst         *ryze.InstanceClient
	sub, subscription *ryze.Subscription
	e, event     *ryze.Event
	to, chat     ryze.JID
	id, text, authorization string
	handle       ryze.Handler
	mux          *http.ServeMux
	t            *testing.T
	sim, srv     *ryzetest.Server
)
`

var undefinedName = regexp.MustCompile(`^undefined: \w+$`)

// Code in a comment names what exists and passes what is wanted.
func TestCodeInCommentsCompiles(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	config := types.Config{Importer: exported(t, fset)}
	checked := 0
	for _, dir := range documented {
		for _, c := range docComments(t, dir) {
			for _, part := range new(comment.Parser).Parse(c.text).Content {
				code, ok := part.(*comment.Code)
				if !ok || !strings.Contains(code.Text, "ryze.") && !strings.Contains(code.Text, "inst.") {
					continue // a table, or a command
				}
				checked++
				source := granted + "func _() error {\n" + code.Text + "\nreturn nil\n}"
				if strings.HasPrefix(code.Text, "func ") {
					source = granted + code.Text
				}
				file, err := parser.ParseFile(fset, "comment.go", source, 0)
				if !assert.NoError(t, err, "%v:\n%s", c.at, code.Text) {
					continue
				}
				config.Error = func(err error) {
					// Soft errors are names that are not used.
					if e, ok := err.(types.Error); !ok || !e.Soft && !undefinedName.MatchString(e.Msg) { //nolint:errorlint // as documented
						t.Errorf("%v: %v:\n%s", c.at, err, code.Text)
					}
				}
				_, _ = config.Check("p", fset, []*ast.File{file}, nil)
			}
		}
	}
	assert.Greater(t, checked, 20, "code in comments is not found any more")
}

// exported imports packages as the go command has built them.
func exported(t *testing.T, fset *token.FileSet) types.Importer {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".", "./ryzetest")
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, stderr.String())
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		pkg, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[pkg] = file
	}
	return importer.ForCompiler(fset, "gc", func(pkg string) (io.ReadCloser, error) {
		if files[pkg] == "" {
			return nil, fmt.Errorf("%s is not imported by this module", pkg)
		}
		return os.Open(files[pkg])
	})
}

// names are the exported names of a package: those of the top, and Type.Member.
func names(t *testing.T, dir string) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	_, files := sources(t, dir)
	add := func(of string, name *ast.Ident) {
		if name.IsExported() {
			all[path.Join(of, name.Name)] = true
		}
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				of := ""
				if f.Recv != nil {
					of = strings.TrimLeft(types.ExprString(f.Recv.List[0].Type), "*")
				}
				add(of, f.Name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for _, name := range n.Names {
					add("", name)
				}
			case *ast.TypeSpec:
				add("", n.Name)
				var members *ast.FieldList
				switch of := n.Type.(type) {
				case *ast.StructType:
					members = of.Fields
				case *ast.InterfaceType:
					members = of.Methods
				}
				if members != nil {
					for _, member := range members.List {
						for _, name := range member.Names {
							add(n.Name.Name, name)
						}
					}
				}
			}
			return true
		})
	}
	return all
}

var (
	docLink = regexp.MustCompile(`\[\*?([A-Z]\w*)(?:\.([A-Z]\w*))?\]`)
	// What other packages have, and a header of HTTP.
	elsewhere = regexp.MustCompile("^`\\*?(?:(?:assert|context|errors|http|io|json|os|redis|slog|sql|testing|time)\\.|Date`)")
	inCode    = regexp.MustCompile("`\\*?(?:ryze\\.|ryzetest\\.)?(?:\\w+\\.)*([A-Z]\\w*[a-z]\\w*)(?:\\([^`]*\\))?`")
)

// A link in a comment leads to something, and what the pages name is there.
// A name that was changed is changed everywhere.
func TestDocumentsNameWhatExists(t *testing.T) {
	last := make(map[string]bool) // the names of all packages, without their types
	for _, dir := range documented {
		known := names(t, dir)
		for name := range known {
			last[path.Base(name)] = true
		}
		for _, c := range docComments(t, dir) {
			for _, link := range docLink.FindAllStringSubmatch(c.text, -1) {
				assert.True(t, known[path.Join(link[1], link[2])], "%v: %s", c.at, link[0])
			}
		}
	}
	for _, module := range []string{"otelryze", "outbox", "ryzeredis"} {
		for name := range names(t, module) {
			last[path.Base(name)] = true
		}
	}
	require.True(t, last["SendText"] && last["RetryAt"] && last["DropAfterProcess"])
	texts := pages(t)
	for _, page := range slices.Sorted(maps.Keys(texts)) {
		for _, name := range inCode.FindAllStringSubmatch(texts[page], -1) {
			if strings.HasPrefix(name[1], "Test") || elsewhere.MatchString(name[0]) {
				continue
			}
			assert.True(t, last[name[1]], "%s: %s", page, name[0])
		}
	}
}
