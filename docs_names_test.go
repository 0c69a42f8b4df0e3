//go:build !js

package ryze_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	testRun = regexp.MustCompile(`go test -run (Test\w+) `)
	// What a page names: ryze.Media, ryzetest.New, and alone in backquotes `Messages.Settle`, `NewInbox(handle)`.
	qualified = regexp.MustCompile(`\b(ryze|ryzetest|outbox|ryzeredis|otelryze)\.([A-Z]\w*)`)
	alone     = regexp.MustCompile("`\\*?((?:[A-Z][a-z0-9]+){2,}|[A-Z]\\w+\\.[A-Z]\\w+)(?:\\([^`]*\\))?`")
	llmsLink  = regexp.MustCompile(`\A- \[[^\]]+\]\(([^)]+)\): \S`)
	skillHead = regexp.MustCompile(`\A---\nname: ([a-z0-9-]+)\ndescription: (.+)\n---\n`)
)

// exportedNames adds the exported names of a package, those of methods and fields too.
func exportedNames(t *testing.T, dir string, all map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			var names []*ast.Ident
			switch n := n.(type) {
			case *ast.FuncDecl:
				names = []*ast.Ident{n.Name}
			case *ast.TypeSpec:
				names = []*ast.Ident{n.Name}
			case *ast.ValueSpec:
				names = n.Names
			case *ast.Field:
				names = n.Names
			}
			for _, name := range names {
				all[name.Name] = all[name.Name] || name.IsExported()
			}
			_, isBody := n.(*ast.BlockStmt)
			return !isBody
		})
	}
}

// Exported names that the pages show are there, and tests that they run.
func TestNamesInPagesExist(t *testing.T) {
	anywhere, of := make(map[string]bool), make(map[string]map[string]bool)
	for name, dir := range map[string]string{"ryze": ".", "ryzetest": "ryzetest", "outbox": "outbox", "ryzeredis": "ryzeredis", "otelryze": "otelryze"} {
		of[name] = make(map[string]bool)
		exportedNames(t, dir, of[name])
		maps.Copy(anywhere, of[name])
	}
	tests := make(map[string]bool)
	for _, name := range matches(t, "*_test.go") {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				tests[f.Name.Name] = true
			}
		}
	}
	others := map[string]bool{ // of the service, of HTTP and of Go
		"TokenAccount": true, "TokenInstance": true,
	}
	for page, text := range pages(t) {
		for _, match := range testRun.FindAllStringSubmatch(text, -1) {
			assert.True(t, tests[match[1]] || match[1] == "TestName", "%s runs %s", page, match[1])
		}
		for _, at := range qualified.FindAllStringSubmatchIndex(text, -1) {
			name := text[at[2]:at[3]]
			assert.True(t, of[name][text[at[4]:at[5]]], "%s names %s", page, text[at[0]:at[1]])
		}
		for _, match := range alone.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(match[1], "Test") {
				continue // a test of the reader's
			}
			for name := range strings.SplitSeq(match[1], ".") { // of what, and the member: Media.S3URL is of the event's field Media
				assert.True(t, anywhere[name] || others[name], "%s names %s", page, match[1])
			}
		}
	}
}

// Agents read llms.txt in the form of llmstxt.org: a title, a summary, and sections
// of links, each with a line about it. Relative links lead to files.
func TestAgentsFindTheirPages(t *testing.T) {
	text := pages(t)["llms.txt"]
	assert.Regexp(t, `\A# .+\n\n> .+\n\n[^#]*\n## `, text)
	_, sections, _ := strings.Cut(text, "\n## ")
	for line := range strings.Lines("## " + sections) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "## ") {
			continue
		}
		link := llmsLink.FindStringSubmatch(line)
		if assert.NotNil(t, link, line) && !strings.HasPrefix(link[1], "https://") {
			assert.FileExists(t, filepath.FromSlash(link[1]))
		}
	}
	for name, text := range pages(t) {
		name = filepath.ToSlash(name)
		if path.Base(name) == "SKILL.md" {
			head := skillHead.FindStringSubmatch(text)
			require.NotNil(t, head, name)
			assert.Equal(t, path.Base(path.Dir(name)), head[1], "the name of a skill is that of its folder")
			assert.LessOrEqual(t, len(head[2]), 1024, "the description that an agent reads first")
		}
	}
}

// Whoever looks for a guide finds it in each index.
func TestEveryGuideIsInTheIndexes(t *testing.T) {
	texts := pages(t)
	for _, guide := range matches(t, "docs/*.md") {
		name := filepath.Base(guide)
		if name == "README.md" {
			continue
		}
		assert.Contains(t, texts[filepath.Join("docs", "README.md")], "]("+name+")")
		assert.Contains(t, texts[filepath.Join("docs", "pt-BR", "README.md")], "]("+name+")")
		assert.Contains(t, texts["README.md"]+texts["AGENTS.md"], "](docs/"+name+")")
		assert.Contains(t, texts["llms.txt"]+texts["AGENTS.md"], "](docs/"+name+")")
	}
}
