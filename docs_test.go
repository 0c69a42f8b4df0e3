//go:build !js

package ryze_test

import (
	"bufio"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// block is a piece of code in a page.
type block struct {
	page string
	line int // of its first line; 0 when it is not known
	text string
}

func (b block) isProgram() bool { return strings.HasPrefix(b.text, "package main\n") }

var (
	fence   = regexp.MustCompile("(?ms)^[ \t]*```(\\w*)\n(.*?)^[ \t]*```[ \t]*$")
	command = regexp.MustCompile(`go run (\./[\w./]+)`)
	bench   = regexp.MustCompile(`-bench (\w+)`)
	target  = regexp.MustCompile("make ([a-z]+)(?:`|  )")
)

// matches are the files that some patterns match, each of which must match one.
func matches(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		all = append(all, names...)
	}
	return all
}

// pages are the texts that readers begin with.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, name := range matches(t, "README*.md", "CONTRIBUTING.md", "AGENTS.md", "llms.txt", "skills/*/*.md",
		"docs/*.md", "docs/pt-BR/*.md", "examples/README.md", "benchmarks/README.md") {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		texts[name] = string(b)
	}
	return texts
}

// blocks are all Go code of the pages and of the package documentation.
func blocks(t *testing.T) []block {
	t.Helper()
	var all []block
	for name, text := range pages(t) {
		for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
			language, code := text[at[2]:at[3]], text[at[4]:at[5]]
			if language == "go" || language != "text" && strings.Contains(code, "ryze.") { // text is what does not compile
				all = append(all, block{name, strings.Count(text[:at[4]], "\n") + 1, code})
			}
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	for _, part := range new(comment.Parser).Parse(file.Doc.Text()).Content {
		if code, ok := part.(*comment.Code); ok {
			all = append(all, block{page: "doc.go", text: code.Text})
		}
	}
	return all
}

// Code in a page is a piece of an example, which is compiled and run, or a whole
// program, which the next test runs.
func TestCodeInPagesIsFromExamples(t *testing.T) {
	var examples [][]string
	for _, name := range matches(t, "example*_test.go", "*/example*_test.go", "examples/*/*.go") {
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		examples = append(examples, strings.Split(string(file), "\n"))
	}
	perPage := make(map[string]int)
	for _, b := range blocks(t) {
		perPage[b.page]++
		if b.isProgram() {
			continue
		}
		piece := strings.Split(strings.Trim(b.text, "\n"), "\n")
		found := false
		for _, lines := range examples {
			found = found || hasPiece(lines, piece)
		}
		assert.True(t, found, "%s:%d: no example has these lines, one after another:\n%s", b.page, b.line, b.text)
	}
	for _, page := range []string{"README.md", "doc.go", "docs/settling.md", "docs/receiving.md", "docs/outbox.md", "skills/ryze-go/SKILL.md"} {
		assert.NotZero(t, perPage[page], "no code was found in %s", page)
	}
}

// hasPiece reports whether the lines of a piece follow one another in a file, all
// of them deeper by the same number of tabs.
func hasPiece(lines, piece []string) bool {
	for at := range lines {
		indent := lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], "\t"))]
		i := 0
		for i < len(piece) && at+i < len(lines) {
			if lines[at+i] != indent+piece[i] && (piece[i] != "" || lines[at+i] != "") {
				break
			}
			i++
		}
		if i == len(piece) {
			return true
		}
	}
	return false
}

// The whole programs of README.md, in each language, do what it says, with nothing
// but the variables that ryzesim prints. A program that both have runs once.
func TestProgramsOfReadmeRun(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds programs")
	}
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("support-line")
	phone.Pair("5511900000001")
	play := map[string]func(t *testing.T, output *bufio.Reader){
		"func Test": nil, // go test runs it
		"SendText(": func(t *testing.T, output *bufio.Reader) {
			line, err := output.ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, "sent to 5511987654321@s.whatsapp.net\n", line)
			require.Len(t, phone.Sent(), 1)
			assert.Equal(t, "Your code is 4711", phone.Sent()[0].Text)
		},
		"Subscribe(": func(t *testing.T, output *bufio.Reader) {
			require.Eventually(t, func() bool { return phone.WebSockets() == 1 }, time.Minute, time.Millisecond)
			phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hello"})
			line, err := output.ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, "incoming 5511987654321@s.whatsapp.net Hello\n", line)
			phone.DropWebSockets(1008) // for good: the program ends
			rest, err := io.ReadAll(output)
			require.NoError(t, err)
			assert.Contains(t, string(rest), "the event stream of \"support-line\" has ended")
		},
	}
	has := make(map[string]bool) // page and call
	ran := make(map[string]bool) // text of a program
	for _, b := range blocks(t) {
		if !b.isProgram() {
			continue
		}
		assert.NotContains(t, b.text, "\n    ", "it is not formatted with tabs")
		var call string
		for _, call = range []string{"func Test", "SendText(", "Subscribe("} {
			if strings.Contains(b.text, call) {
				break
			}
		}
		has[b.page+" "+call] = true
		switch {
		case ran[b.text]:
		case play[call] == nil:
			source := filepath.Join(t.TempDir(), "main_test.go")
			require.NoError(t, os.WriteFile(source, []byte(b.text), 0o600))
			out, err := exec.CommandContext(t.Context(), "go", "test", "-v", source).CombinedOutput()
			require.NoError(t, err, "%s:%d: %s", b.page, b.line, out)
			assert.Contains(t, string(out), "--- PASS: Test", "%s:%d", b.page, b.line)
		default:
			runProgram(t, b, play[call], "RYZE_BASE_URL="+sim.URL, "RYZE_INSTANCE=support-line", "RYZE_INSTANCE_TOKEN="+phone.Token())
		}
		ran[b.text] = true
	}
	for _, page := range matches(t, "README*.md") {
		for call := range play {
			assert.True(t, has[page+" "+call], "%s has no program with %s", page, call)
		}
	}
}

// runProgram builds a program, starts it, and hands its output to play.
func runProgram(t *testing.T, b block, play func(t *testing.T, output *bufio.Reader), environment ...string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(source, []byte(b.text), 0o600))
	program := filepath.Join(t.TempDir(), "program.exe")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, source).CombinedOutput()
	require.NoError(t, err, "%s:%d: %s", b.page, b.line, out)
	run := exec.CommandContext(t.Context(), program)
	run.Env = append(os.Environ(), environment...)
	output, err := run.StdoutPipe()
	require.NoError(t, err)
	run.Stderr = run.Stdout
	require.NoError(t, run.Start())
	defer func() { _ = run.Wait() }()
	defer func() { _ = run.Process.Kill() }()
	play(t, bufio.NewReader(output))
}

// What the pages name is there: programs, benchmarks, targets of make.
func TestPagesNameWhatExists(t *testing.T) {
	benchmarks := make(map[string]bool)
	tests, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, name := range tests {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Benchmark") {
				benchmarks[f.Name.Name] = true
			}
		}
	}
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	for page, text := range pages(t) {
		for _, run := range command.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(text, "`"+strings.TrimPrefix(run[1], "./")+"/main.go`") { // what the reader saves
				assert.DirExists(t, run[1], "run in %s", page)
			}
		}
		for _, run := range bench.FindAllStringSubmatch(text, -1) {
			matches := false
			for name := range benchmarks {
				matches = matches || strings.Contains(name, run[1])
			}
			assert.True(t, matches, "%s has the benchmark %s, this package has not", page, run[1])
		}
		for _, run := range target.FindAllStringSubmatch(text, -1) {
			assert.Contains(t, string(makefile), "\n"+run[1]+":", "named by %s", page)
		}
	}
}
