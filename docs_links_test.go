//go:build !js

package ryze_test

import (
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// awaited are the pages whose twin in the other language is not written yet. One
// that has its twin must not be listed.
var awaited []string

var (
	fenceLine  = regexp.MustCompile("^[ \t>]*(```+|~~~+)[ \t]*([\\w.+-]*)")
	htmlRemark = regexp.MustCompile(`(?s)<!--.*?-->`)
	backticks  = regexp.MustCompile("`+|\n[ \t]*\n")
	heading    = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$`)
	inlineLink = regexp.MustCompile(`\]\(\s*(<[^>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)`)
	definition = regexp.MustCompile(`(?m)^ {0,3}\[([^\]\n]+)\]:[ \t]*(<[^>\n]*>|\S+)`)
	reference  = regexp.MustCompile(`\[([^\[\]\n]+)\]\[([^\[\]\n]*)\]`)
	htmlLink   = regexp.MustCompile(`(?i)<[a-z][^<>]*?\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
	htmlAnchor = regexp.MustCompile(`(?i)<[a-z][^<>]*?\s(?:id|name)\s*=\s*["']?([^\s"'>]+)`)
	linkText   = regexp.MustCompile(`!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	htmlTag    = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
	externally = regexp.MustCompile(`^(?:[a-zA-Z][a-zA-Z0-9+.-]*:|//)`)
	codeWord   = regexp.MustCompile("`+([^`]+)`+")
	digits     = regexp.MustCompile(`\d+`)
	thousands  = regexp.MustCompile(`(\d)[.,](\d{3})\b`)
)

// markdown is a page, read so far as the tests of this file need it.
type markdown struct {
	levels   []int    // of its headings, in order
	sections []string // the text before the first heading, and from each heading to the next, without blocks of code
	anchors  map[string]bool
	links    []string
	code     []string // its Go blocks
	faults   []string
}

// readMarkdown reads the Markdown that GitHub and MkDocs agree on.
func readMarkdown(text string) markdown {
	m := markdown{anchors: make(map[string]bool), sections: []string{""}}
	var prose strings.Builder
	var block []string
	var open, language string
	text = htmlRemark.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if at := fenceLine.FindStringSubmatch(line); at != nil {
			switch {
			case open == "":
				open, language, block = at[1], at[2], nil
				continue
			case strings.HasPrefix(at[1], open) && at[2] == "" && strings.Trim(line, "`~ \t>") == "":
				if language == "go" {
					m.code = append(m.code, strings.Join(block, "\n"))
				}
				open = ""
				continue
			}
		}
		if open != "" {
			block = append(block, line)
			continue
		}
		if at := heading.FindStringSubmatch(line); at != nil {
			m.levels = append(m.levels, len(at[1]))
			m.sections = append(m.sections, "")
			anchor := anchorOf(at[2])
			for n := 1; m.anchors[anchor]; n++ {
				anchor = fmt.Sprintf("%s-%d", anchorOf(at[2]), n)
			}
			m.anchors[anchor] = true
		}
		m.sections[len(m.sections)-1] += line + "\n"
		prose.WriteString(line + "\n")
	}
	if open != "" {
		m.faults = append(m.faults, "a block of code has no end")
	}
	plain := withoutCode(prose.String())
	for _, at := range htmlAnchor.FindAllStringSubmatch(plain, -1) {
		m.anchors[at[1]] = true
	}
	defined := make(map[string]bool)
	for _, at := range definition.FindAllStringSubmatch(plain, -1) {
		if !strings.HasPrefix(at[1], "^") {
			defined[strings.ToLower(at[1])] = true
			m.links = append(m.links, strings.Trim(at[2], "<>"))
		}
	}
	for _, at := range reference.FindAllStringSubmatch(plain, -1) {
		name := strings.ToLower(at[2])
		if name == "" {
			name = strings.ToLower(at[1])
		}
		if !defined[name] {
			m.faults = append(m.faults, "no link is named "+at[0])
		}
	}
	for _, at := range inlineLink.FindAllStringSubmatch(plain, -1) {
		m.links = append(m.links, strings.Trim(at[1], "<>"))
	}
	for _, at := range htmlLink.FindAllStringSubmatch(plain, -1) {
		m.links = append(m.links, at[1]+at[2]+at[3])
	}
	return m
}

// withoutCode empties the spans of code: what is between two runs of as many
// backticks, in one paragraph.
func withoutCode(text string) string {
	var plain strings.Builder
	runs := backticks.FindAllStringIndex(text, -1)
	from := 0
	for i := 0; i < len(runs); i++ {
		run := text[runs[i][0]:runs[i][1]]
		if run[0] != '`' || runs[i][0] > 0 && text[runs[i][0]-1] == '\\' {
			continue
		}
		for j := i + 1; j < len(runs) && text[runs[j][0]] == '`'; j++ {
			if text[runs[j][0]:runs[j][1]] == run {
				plain.WriteString(text[from:runs[i][1]])
				from, i = runs[j][0], j
				break
			}
		}
	}
	return plain.String() + text[from:]
}

// anchorOf is the name by which GitHub links to a heading.
func anchorOf(title string) string {
	title = linkText.ReplaceAllString(title, "$1")
	title = html.UnescapeString(htmlTag.ReplaceAllString(title, ""))
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, title)
}

// repositoryPages are all Markdown files of the repository.
func repositoryPages(t *testing.T) map[string]markdown {
	t.Helper()
	all := make(map[string]markdown)
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (name == "bin" || entry.Name() == ".git" || entry.Name() == "node_modules" || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.Type().IsRegular() && (strings.EqualFold(filepath.Ext(name), ".md") || name == "llms.txt") {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			all[filepath.ToSlash(name)] = readMarkdown(string(text))
		}
		return nil
	}))
	require.Contains(t, all, "docs/architecture.md")
	return all
}

// brokenLink says what is wrong with a link of a page, "" when nothing is.
// Links out of the repository are not followed.
func brokenLink(all map[string]markdown, page, link string) string {
	if externally.MatchString(link) {
		return ""
	}
	path, anchor, hasAnchor := strings.Cut(html.UnescapeString(link), "#")
	path, err := url.PathUnescape(path)
	if err != nil {
		return err.Error()
	}
	if anchor, err = url.PathUnescape(anchor); err != nil {
		return err.Error()
	}
	if path == "" && !hasAnchor {
		return "it is empty"
	}
	if strings.HasPrefix(path, "/") {
		return "it must be relative: the root is another one on GitHub, on the site and on a disk"
	}
	to := page
	if path != "" {
		to = filepath.Join(filepath.Dir(page), filepath.FromSlash(path))
		if !filepath.IsLocal(to) {
			return "it leaves the repository"
		}
		if !existsExactly(to) {
			return "there is no such file"
		}
		to = filepath.ToSlash(to)
	}
	if target, ok := all[to]; ok && hasAnchor && !target.anchors[anchor] {
		return "the page has no such heading"
	} else if !ok && hasAnchor && !strings.HasPrefix(anchor, "L") {
		return "only pages have headings"
	}
	return ""
}

// existsExactly reports whether a file has this name to the letter, which some
// file systems do not ask for.
func existsExactly(name string) bool {
	dir := "."
	for part := range strings.SplitSeq(filepath.ToSlash(name), "/") {
		entries, err := os.ReadDir(dir)
		if err != nil || part != "." && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == part }) {
			return false
		}
		dir = filepath.Join(dir, part)
	}
	return true
}

func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	all := repositoryPages(t)
	links := 0
	for page, m := range all {
		assert.Empty(t, m.faults, page)
		links += len(m.links)
		for _, link := range m.links {
			if fault := brokenLink(all, page, link); fault != "" {
				t.Errorf("%s: the link %q is broken: %s", page, link, fault)
			}
		}
	}
	assert.Greater(t, links, 20, "links are no longer found")
}

// Whoever adds a page with code adds it to those whose code is held against the
// examples.
func TestPagesWithCodeAreChecked(t *testing.T) {
	checked := pages(t)
	for page, m := range repositoryPages(t) {
		if len(m.code) > 0 {
			assert.Contains(t, checked, page, "its code is not known to compile")
		}
	}
}

// twinOf is the name of the same page in the other language, "" for a page that
// is in one language only.
func twinOf(page string) string {
	switch dir, name := filepath.Split(page); {
	case page == "README.md":
		return "README.pt-BR.md"
	case page == "README.pt-BR.md":
		return "README.md"
	case dir == "docs/":
		return "docs/pt-BR/" + name
	case dir == "docs/pt-BR/":
		return "docs/" + name
	}
	return ""
}

// differences says how a page and its twin differ, apart from their words.
func differences(a, b markdown) []string {
	var all []string
	if !slices.Equal(a.levels, b.levels) {
		all = append(all, fmt.Sprintf("the levels of their headings differ: %v, %v", a.levels, b.levels))
	}
	if len(a.code) != len(b.code) {
		return append(all, fmt.Sprintf("they have %d and %d blocks of Go", len(a.code), len(b.code)))
	}
	for i := range a.code {
		if a.code[i] != b.code[i] {
			all = append(all, fmt.Sprintf("block %d of Go differs:\n%s\n--\n%s", i+1, a.code[i], b.code[i]))
		}
	}
	for i := range min(len(a.sections), len(b.sections)) {
		if one, other := wordless(a.sections[i]), wordless(b.sections[i]); !slices.Equal(one, other) {
			first, _, _ := strings.Cut(a.sections[i], "\n")
			all = append(all, fmt.Sprintf("below %q one has %q, the other %q", first, without(one, other), without(other, one)))
		}
	}
	return all
}

// wordless is what a translation of a text keeps, sorted: its code words, the
// files that it links to, and its numbers. So a fact that was changed in one
// language only is noticed.
func wordless(text string) []string {
	var all []string
	for _, at := range codeWord.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Join(strings.Fields(at[1]), " "))
	}
	slices.Sort(all)
	all = slices.Compact(all) // a language may have a pronoun for the second one
	plain := codeWord.ReplaceAllString(text, "")
	for _, at := range inlineLink.FindAllStringSubmatch(plain, -1) {
		if path, _, _ := strings.Cut(at[1], "#"); path != "" && !externally.MatchString(path) {
			name := filepath.Base(path)
			name = strings.ReplaceAll(strings.ReplaceAll(name, ".pt-BR", ""), "-pt.png", ".png")
			all = append(all, "to "+name)
		}
	}
	plain = inlineLink.ReplaceAllString(plain, "]")
	for _, number := range digits.FindAllString(thousands.ReplaceAllString(plain, "$1$2"), -1) {
		all = append(all, "number "+number)
	}
	slices.Sort(all)
	return all
}

// without are the words of a, less those of b.
func without(a, b []string) []string {
	b = slices.Clone(b)
	return slices.DeleteFunc(slices.Clone(a), func(word string) bool {
		i := slices.Index(b, word)
		if i >= 0 {
			b = slices.Delete(b, i, i+1)
		}
		return i >= 0
	})
}

func TestPagesHaveTheirTwins(t *testing.T) {
	all := repositoryPages(t)
	for _, page := range awaited {
		assert.Contains(t, all, page, "awaited, but not there")
	}
	for page, m := range all {
		twin := twinOf(page)
		if twin == "" {
			continue
		}
		other, ok := all[twin]
		switch {
		case slices.Contains(awaited, page):
			assert.False(t, ok, "%s has its twin: it is awaited no more", page)
		case !ok:
			t.Errorf("%s has no twin: %s", page, twin)
		case page < twin:
			assert.Empty(t, differences(m, other), "%s and %s", page, twin)
		}
		if ok {
			toTwin, err := filepath.Rel(filepath.Dir(page), twin)
			require.NoError(t, err)
			assert.Contains(t, m.links, filepath.ToSlash(toTwin), "%s does not link to its twin", page)
		}
	}
}

// The checks above find what they look for.
func TestBrokenPagesAreFound(t *testing.T) {
	page := func(lines ...string) markdown { return readMarkdown(strings.Join(lines, "\n")) }
	all := map[string]markdown{
		"docs/architecture.md": page("# Título: uma `coisa`, e [mais](x.md)", "## Twice", "## Twice", `<a id="there"></a>`, "```", "# none", "```"),
	}
	for link, broken := range map[string]bool{
		"architecture.md":                              false,
		"architecture.md#twice":                        false,
		"architecture.md#twice-1":                      false,
		"architecture.md#there":                        false,
		"architecture.md#t%C3%ADtulo-uma-coisa-e-mais": false,
		"architecture.md#título-uma-coisa-e-mais":      false,
		"../README.md":                                 false,
		"../internal/":                                 false,
		"../client.go#L10":                             false,
		"https://example.com/no":                       false,
		"mailto:someone@example.com":                   false,
		"architecture.md#twice-2":                      true,
		"architecture.md#Twice":                        true,
		"architecture.md#none":                         true,
		"architecture.md#":                             true,
		"no.md":                                        true,
		"Architecture.md":                              true,
		"/docs/architecture.md":                        true,
		"../../elsewhere":                              true,
		"../client.go#function":                        true,
		"#nowhere":                                     true,
		"%zz":                                          true,
		"":                                             true,
	} {
		assert.Equal(t, broken, brokenLink(all, "docs/architecture.md", link) != "", "%q: %s", link, brokenLink(all, "docs/architecture.md", link))
	}

	for text, want := range map[string][]string{
		"[a](b.md)":                             {"b.md"},
		"[a](<b c.md> \"title\")":               {"b c.md"},
		"![a](b.png 'title')":                   {"b.png"},
		"[![a](b.png)](c.md)":                   {"b.png", "c.md"},
		"[a](b_(c).md)":                         {"b_(c).md"},
		"[a](\nb.md)":                           {"b.md"},
		"[a][b]\n\n[b]: c.md#d":                 {"c.md#d"},
		"<img alt=\"x\" src=\"b.png\">":         {"b.png"},
		"<a href='b.md'>":                       {"b.md"},
		"`[a](b.md)` and ``[a`](b.md)``":        nil,
		"```\n[a](b.md)\n```":                   nil,
		"````\n```\n[a](b.md)\n````\n[a](c.md)": {"c.md"},
		"~~~\n[a](b.md)\n```\n~~~\n[a](c.md)":   {"c.md"},
		"<!-- [a](b.md)\n-->":                   nil,
		"| [a](b.md) | `x` | [c](d.md) |":       {"b.md", "d.md"},
	} {
		m := page(text)
		assert.ElementsMatch(t, want, m.links, text)
		assert.Empty(t, m.faults, text)
	}
	assert.NotEmpty(t, page("[a][b]").faults)
	assert.NotEmpty(t, page("[a][]").faults)
	assert.NotEmpty(t, page("```go", "x").faults)

	english := page("# A", "```go", "x()", "```", "## B")
	assert.Empty(t, differences(english, page("# Á", "", "## Bê", "```go", "x()", "```")))
	assert.NotEmpty(t, differences(english, page("# Á", "```go", "x()", "```")), "a heading is missing")
	assert.NotEmpty(t, differences(english, page("# Á", "```go", "x()", "```", "### B")), "a level")
	assert.NotEmpty(t, differences(english, page("# Á", "```go", "y()", "```", "## B")), "code")
	assert.NotEmpty(t, differences(english, page("# Á", "```sh", "x()", "```", "## B")), "a block is missing")

	english = page("# A", "## B", "Wait 5 s, or 1,000 ms, for `X` and `X`: [see](../README.md).", "## C")
	same := "Espere 1.000 ms ou 5 s por `X`: [veja](../../README.pt-BR.md#a)."
	assert.Empty(t, differences(english, page("# Á", "## Bê", same, "## Cê")))
	for _, changed := range [][2]string{{"5", "6"}, {"1.000", "1.001"}, {"`X`", "`Y`"}, {"`X`", "X"}, {"README", "AGENTS"}} {
		assert.NotEmpty(t, differences(english, page("# Á", "## Bê", strings.Replace(same, changed[0], changed[1], 1), "## Cê")), changed)
	}
	assert.NotEmpty(t, differences(english, page("# Á", "## Bê", "## Cê", same)), "it is in another section")
}
