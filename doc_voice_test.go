//go:build !js

package ryze_test

import (
	"go/ast"
	"go/doc/comment"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
)

// spoken are the packages whose voice is checked.
var spoken = []string{".", "ryzetest", "outbox", "ryzeredis", "otelryze"}

// docstring is what a user reads of one exported declaration or field.
type docstring struct {
	at    token.Position
	name  string
	field bool // of a struct, or a method of an interface
	text  string
}

// docstrings are the comments of a package's exported declarations and of their
// exported fields.
func docstrings(t *testing.T, dir string) []docstring {
	t.Helper()
	fset, files := sources(t, dir)
	var all []docstring
	add := func(name *ast.Ident, field bool, of string, groups ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		for _, group := range groups {
			if group != nil {
				all = append(all, docstring{fset.Position(group.Pos()), of + name.Name, field, group.Text()})
			}
		}
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				of := receiverName(decl)
				if of == "" || ast.IsExported(of) {
					add(decl.Name, false, strings.TrimPrefix(of+".", "."), decl.Doc)
				}
			case *ast.GenDecl:
				first := true // the comment of a group is counted once
				for _, spec := range decl.Specs {
					var names []*ast.Ident
					var own, line *ast.CommentGroup
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names, own, line = []*ast.Ident{spec.Name}, spec.Doc, spec.Comment
						if spec.Name.IsExported() {
							for _, member := range members(spec.Type) {
								for _, name := range member.Names {
									add(name, true, spec.Name.Name+".", member.Doc, member.Comment)
									break
								}
							}
						}
					case *ast.ValueSpec:
						names, own, line = spec.Names, spec.Doc, spec.Comment
					}
					for _, name := range names {
						if first && name.IsExported() {
							first = false
							add(name, false, "", decl.Doc)
						}
						add(name, false, "", own, line)
						break
					}
				}
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

func receiverName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	switch generic := of.(type) {
	case *ast.IndexExpr:
		of = generic.X
	case *ast.IndexListExpr:
		of = generic.X
	}
	return types.ExprString(of)
}

func members(of ast.Expr) []*ast.Field {
	switch of := of.(type) {
	case *ast.StructType:
		return of.Fields.List
	case *ast.InterfaceType:
		return of.Methods.List
	}
	return nil
}

// prose is a comment without its code.
func prose(text string) string {
	var kept strings.Builder
	for _, part := range new(comment.Parser).Parse(text).Content {
		if _, ok := part.(*comment.Code); !ok {
			kept.Write(new(comment.Printer).Text(&comment.Doc{Content: []comment.Block{part}}))
			kept.WriteString("\n")
		}
	}
	return kept.String()
}

var (
	space    = regexp.MustCompile(`\s+`)
	sentence = regexp.MustCompile(`[.:;?!]\s`)
	// What is known of the service, and how surely, stands in docs/service-notes.md.
	hearsay = regexp.MustCompile(`(?i)not documented|undocumented behaviou?r|hearsay|one (public )?client (saw|reports?|found)|seen in|have been seen|has been seen|was seen to|public client|is said to|clients (saw|report|suspect|have seen|look for|rely)|reported by|it seems|apparently|one of its users`)
	// Words that turn a sentence round, or that a reader has to read twice.
	riddle    = regexp.MustCompile(`(?i)that which|whosoever|thereof|wherein|follows the policy then only|neither what nor when|give or take|no sooner|needs it not|it is no part|not un\w+`)
	pageInDoc = regexp.MustCompile(`docs/[\w/-]+\.md`)
)

func words(text string) int { return len(strings.Fields(text)) }

// Docstrings can be read at once: "go test -v -run TestDocstringsAreShort ." prints
// the figures.
func TestDocstringsAreShort(t *testing.T) {
	const mean, most, inSentence = 20, 100, 30
	for _, dir := range spoken {
		count, total, fields, inFields := 0, 0, 0, 0
		for _, d := range docstrings(t, dir) {
			text := prose(d.text)
			n := words(text)
			assert.LessOrEqual(t, n, most, "%v: %s has too many words", d.at, d.name)
			for _, s := range sentence.Split(strings.ReplaceAll(text, "\n\n", ". "), -1) {
				assert.LessOrEqual(t, words(s), inSentence, "%v: a sentence of %s is too long: %s", d.at, d.name, s)
			}
			if d.field {
				fields++
				inFields += n
			} else {
				count++
				total += n
			}
		}
		t.Logf("%s: %d declarations, %.1f words each; %d fields, %.1f words each",
			dir, count, float64(total)/float64(count), fields, float64(inFields)/float64(max(fields, 1)))
		if dir == "." {
			assert.LessOrEqual(t, total, mean*count, "docstrings have too many words: %.2f each", float64(total)/float64(count))
		}
	}
}

// A docstring says what holds. Rumours, and words that are read twice, have no
// place in it; nor has a page that does not exist.
func TestDocstringsArePlain(t *testing.T) {
	for _, dir := range spoken {
		all := docstrings(t, dir)
		fset, files := sources(t, dir)
		for _, file := range files {
			if file.Doc != nil {
				all = append(all, docstring{fset.Position(file.Doc.Pos()), "the package", false, file.Doc.Text()})
			}
		}
		for _, d := range all {
			text := space.ReplaceAllString(d.text, " ")
			assert.Empty(t, hearsay.FindString(text), "%v: %s: this belongs to docs/service-notes.md", d.at, d.name)
			assert.Empty(t, riddle.FindString(text), "%v: %s: say it straight", d.at, d.name)
			for _, page := range pageInDoc.FindAllString(text, -1) {
				assert.FileExists(t, page, "%v: %s", d.at, d.name)
			}
		}
	}
}

// The words with which a docstring says what the table of operations says.
const (
	mayRepeat    = "Safe to repeat"
	mayNotRepeat = "Not safe to repeat"
)

var routeInDoc = regexp.MustCompile(`\b(GET|POST|PUT|DELETE) (/[\w/:<>]+)`)

// A method says of the routes that it calls whether they may be repeated, as the
// table of operations does, and every route has a method.
func TestDocstringsRepeatTheTableOfOperations(t *testing.T) {
	named := make(map[string]bool) // ids of operations
	stated := make(map[string]map[string]bool)
	for _, d := range docstrings(t, ".") {
		if d.field {
			continue
		}
		text := space.ReplaceAllString(d.text, " ")
		repeatable := true
		for _, route := range routeInDoc.FindAllStringSubmatch(text, -1) {
			before, after, kinds := strings.Cut(route[2], "<kind>")
			found := false
			for _, op := range ryze.Operations() {
				if op.Method != route[1] || op.Path != route[2] && (!kinds || !strings.HasPrefix(op.Path, before) || !strings.HasSuffix(op.Path, after)) {
					continue
				}
				found, named[op.ID] = true, true
				repeatable = repeatable && op.Repeatable
				if stated[d.name] == nil {
					stated[d.name] = make(map[string]bool)
				}
				stated[d.name][op.ID] = true
			}
			assert.True(t, found, "%v: %s: there is no %s %s", d.at, d.name, route[1], route[2])
		}
		if stated[d.name] == nil {
			continue
		}
		want, not := mayRepeat, mayNotRepeat
		if !repeatable {
			want, not = not, want
		}
		assert.Regexp(t, `\. `+want+`\b|^`+want, text, "%v: %s", d.at, d.name)
		assert.NotRegexp(t, `\. `+not+`\b`, text, "%v: %s", d.at, d.name)
	}
	for _, op := range ryze.Operations() {
		assert.True(t, named[op.ID], "no docstring names %s", op.ID)
	}
	called := calledOperations(t)
	require.Greater(t, len(called), 80, "calls are not found any more")
	for method, ids := range called {
		for id := range ids {
			assert.True(t, stated[method][id], "%s calls %s, and does not name its route", method, id)
		}
	}
}

// calledOperations are the ids of the operations that exported methods call, by
// themselves or through methods of their own type and functions of the package.
func calledOperations(t *testing.T) map[string]map[string]bool {
	t.Helper()
	_, files := sources(t, ".")
	ids := make(map[string]string) // of the variables of the table
	uses := make(map[string]map[string]bool)
	for _, file := range files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					value, ok := spec.(*ast.ValueSpec)
					if !ok || len(value.Values) == 0 {
						continue
					}
					call, ok := value.Values[0].(*ast.CallExpr)
					if ok && types.ExprString(call.Fun) == "define" && value.Names[0].Name != "_" {
						id, err := strconv.Unquote(types.ExprString(call.Args[0]))
						require.NoError(t, err)
						ids[value.Names[0].Name] = id
					}
				}
			case *ast.FuncDecl:
				of, self := receiverName(decl), ""
				if of != "" && len(decl.Recv.List[0].Names) > 0 {
					self = decl.Recv.List[0].Names[0].Name
				}
				used := make(map[string]bool)
				ast.Inspect(decl, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.SelectorExpr:
						if x, ok := n.X.(*ast.Ident); ok && x.Name == self && self != "" {
							used[of+"."+n.Sel.Name] = true
						}
					case *ast.Ident:
						used[n.Name] = true
					}
					return true
				})
				uses[strings.TrimPrefix(of+"."+decl.Name.Name, ".")] = used
			}
		}
	}
	called := make(map[string]map[string]bool)
	for name := range uses {
		of, method, ok := strings.Cut(name, ".")
		if !ok || !strings.HasSuffix(of, "Service") && !strings.HasSuffix(of, "Client") || !ast.IsExported(method) {
			continue
		}
		seen := map[string]bool{name: true}
		for todo := []string{name}; len(todo) > 0; {
			at := todo[0]
			todo = todo[1:]
			for used := range uses[at] {
				if id := ids[used]; id != "" {
					if called[name] == nil {
						called[name] = make(map[string]bool)
					}
					called[name][id] = true
				}
				if !seen[used] && uses[used] != nil {
					seen[used] = true
					todo = append(todo, used)
				}
			}
		}
	}
	return called
}
