//go:build unix

package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	mod "golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	modzip "golang.org/x/mod/zip"
)

// inPrograms are the modules of which a program that sends is made, and all that its
// go.sum names.
var inPrograms = []string{
	"github.com/coder/websocket",
	"github.com/hashicorp/go-cleanhttp", // of go-retryablehttp
	"github.com/hashicorp/go-retryablehttp",
	"github.com/ryzeapi/ryze-go",
}

// inTests are what only the tests of these modules want.
var inTests = []string{"github.com/stretchr/testify", "go.yaml.in/yaml/v3"}

// The most that is downloaded for a module, packed: the root and any other.
const (
	mostOfRoot  = 2 << 20
	mostOfOther = 256 << 10
)

// TestStrangersCanUseTheRelease makes the next version in a copy of this repository,
// serves its modules as a proxy does, and uses them as somebody would who has never
// seen the repository: no workspace, no replace directive, no module of it at hand.
func TestStrangersCanUseTheRelease(t *testing.T) {
	r := rehearsed(t)
	constant, err := r.constant()
	require.NoError(t, err)
	version := "v" + constant
	p := r.make(t, version)
	s := newStranger(r, version, folder(t, "programs"))
	s.env = append(s.env, "GOMODCACHE="+cache(t), "GOPROXY="+s.proxy(t, r, p)+","+dependencies(t))
	t.Run("second commit", func(t *testing.T) { everyModuleIsRead(t, r) })
	t.Run("zips", s.zips)
	t.Run("commands", s.commands)
	t.Run("send", s.send)
	for _, m := range r.modules[1:] {
		if !strings.Contains(m.dir, "/") {
			t.Run(m.dir, func(t *testing.T) { s.imports(t, m.path) })
		}
	}
}

// rehearsed is a copy of this repository in which a version can be made: that of the
// constant, or, where it is made already, the next patch.
func rehearsed(t *testing.T) *repo {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, copyFiles(root, dir, func(string) bool { return true }))
	r := repository(t, dir)
	constant, err := r.constant()
	require.NoError(t, err)
	log, err := r.changelog()
	require.NoError(t, err)
	if log.newest() != "v"+constant {
		return r
	}
	next := nextPatch(t, constant)
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		text = bytes.ReplaceAll(text, []byte(`const Version = "`+constant+`"`), []byte(`const Version = "`+next+`"`))
		require.NoError(t, os.WriteFile(name, text, 0o644))
	}
	r.replace(t, "CHANGELOG.md", "## [Unreleased]", "## [Unreleased]\n\n### Fixed\n\n- Rehearsed.")
	return r
}

// nextPatch is the version after a version.
func nextPatch(t *testing.T, version string) string {
	t.Helper()
	parts := strings.Split(strings.TrimSuffix(version, semver.Prerelease("v"+version)), ".")
	patch, err := strconv.Atoi(parts[2])
	require.NoError(t, err)
	parts[2] = strconv.Itoa(patch + 1)
	return strings.Join(parts, ".")
}

// After the release all modules of the repository are in order with their own go.mod.
func everyModuleIsRead(t *testing.T, r *repo) {
	names, err := r.goMods(t.Context())
	require.NoError(t, err)
	require.Greater(t, len(names), len(r.modules))
	for _, name := range names {
		if dir := filepath.Dir(name); dir != filepath.Join("docs", "img") && !strings.HasPrefix(dir, "tools") {
			assert.NoError(t, goList(t.Context(), filepath.Join(r.dir, dir)))
		}
	}
}

// stranger is somebody who uses the release.
type stranger struct {
	root    string // the path of the root module
	version string
	bin     string // where go install puts programs
	env     []string
	modules map[string]*zip.Reader
}

func newStranger(r *repo, version, bin string) *stranger {
	return &stranger{r.modules[0].path, version, bin, []string{
		"GOWORK=off", "GOTOOLCHAIN=local", "GOSUMDB=off", "GOPRIVATE=", "GONOPROXY=",
		"GOBIN=" + bin, "GOFLAGS=-modcacherw -buildvcs=false",
		// Go keeps a list of the files of a version, which never changes for it. Here
		// it does, from one rehearsal to the next.
		"GODEBUG=goindex=0",
	}, make(map[string]*zip.Reader)}
}

// Two rehearsals of one version, in one module cache: the second has another file.
func TestRehearsalCompilesTheFilesOfToday(t *testing.T) {
	cache := t.TempDir()
	for _, files := range []string{
		"-- day/day.go --\npackage day\n\nconst Name = \"yesterday\"\n",
		"-- day/day.go --\npackage day\n\nconst Name = today\n-- day/more.go --\npackage day\n\nconst today = \"today\"\n",
	} {
		r := shop(t)
		put(t, r.dir, files)
		r.commitAll(t)
		s := newStranger(r, "v0.1.0", t.TempDir())
		s.env = append(s.env, "GOMODCACHE="+cache, "GOPROXY="+s.proxy(t, r, r.make(t, s.version))+","+dependencies(t))
		require.NoError(t, os.RemoveAll(filepath.Join(cache, "example.com")))
		require.NoError(t, os.RemoveAll(filepath.Join(cache, "cache", "download", "example.com")))
		dir := s.module(t, "-- stranger.go --\npackage stranger\n\nimport _ \"example.com/shop/day\"\n")
		s.run(t, dir, "get", s.root+"@"+s.version)
		s.run(t, dir, "build", ".")
	}
}

func (s *stranger) run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	start := time.Now()
	out, err := goCommand(t.Context(), dir, s.env, args...)
	require.NoError(t, err)
	t.Logf("%.1fs go %s", time.Since(start).Seconds(), strings.Join(args, " "))
	return out
}

// module makes an empty module with some files.
func (s *stranger) module(t *testing.T, files string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, files)
	s.run(t, dir, "mod", "init", "example.com/stranger")
	return dir
}

// proxy writes the modules of a release as a module proxy has them, from its tags.
func (s *stranger) proxy(t *testing.T, r *repo, p *plan) string {
	t.Helper()
	dir := t.TempDir()
	for i, m := range r.modules {
		escaped, err := mod.EscapePath(m.path)
		require.NoError(t, err)
		at := func(ext string) string { return filepath.Join(dir, escaped, "@v", s.version+ext) }
		subdir := m.dir
		if subdir == "." {
			subdir = ""
		}
		var packed bytes.Buffer
		require.NoError(t, modzip.CreateFromVCS(&packed, mod.Version{Path: m.path, Version: s.version}, r.dir, p.tags[i], subdir))
		s.modules[m.path], err = zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
		require.NoError(t, err)
		t.Logf("%s: %d files, %d KB packed", m.path, len(s.modules[m.path].File), packed.Len()>>10)
		require.NoError(t, writeFile(at(".zip"), &packed))
		require.NoError(t, writeFile(at(".mod"), strings.NewReader(r.show(t, p.tags[i]+":"+filepath.ToSlash(filepath.Join(m.dir, "go.mod")))+"\n")))
		info, err := json.Marshal(map[string]any{"Version": s.version, "Time": day})
		require.NoError(t, err)
		require.NoError(t, writeFile(at(".info"), bytes.NewReader(info)))
		require.NoError(t, writeFile(filepath.Join(dir, escaped, "@v", "list"), strings.NewReader(s.version+"\n")))
	}
	return "file://" + filepath.ToSlash(dir)
}

// folder is a folder of the rehearsal's own, the same in each run, so that the
// dependencies are unpacked, built and linked once.
func folder(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "bin", ".rehearsal."+name))
	require.NoError(t, err)
	return dir
}

// cache is a module cache of the rehearsal's own: what is rehearsed must not be taken
// for the real version later. It forgets the modules of this repository. One rehearsal
// has it at a time.
func cache(t *testing.T) string {
	t.Helper()
	dir := folder(t, "modules")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	lock, err := os.Create(filepath.Join(dir, "lock"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = lock.Close() })
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	for _, part := range []string{"", "cache/download"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, part, "github.com", "ryzeapi")))
	}
	return dir
}

// dependencies is what the machine has downloaded, as a proxy. What is missing there is
// downloaded first, as any build of this repository does.
func dependencies(t *testing.T) string {
	t.Helper()
	for _, dir := range released {
		_, err := goCommand(t.Context(), filepath.Join(root, dir), []string{"GOWORK=off", "GOFLAGS=-mod=readonly"}, "mod", "download")
		require.NoError(t, err)
	}
	cache, err := goCommand(t.Context(), root, nil, "env", "GOMODCACHE")
	require.NoError(t, err)
	return "file://" + filepath.ToSlash(filepath.Join(strings.TrimSpace(cache), "cache", "download"))
}

// A zip has what users compile, embedded files too, and what they read. It has no
// examples, tools and pictures, which are modules of their own.
func (s *stranger) zips(t *testing.T) {
	for path, files := range s.modules {
		most, size := mostOfOther, 0
		if path == s.root {
			most = mostOfRoot
		}
		names := make(map[string]bool)
		for _, f := range files.File {
			name := strings.TrimPrefix(f.Name, path+"@"+s.version+"/")
			names[name] = true
			size += int(f.CompressedSize64)
			assert.Less(t, f.UncompressedSize64, uint64(512<<10), name)
			assert.NotRegexp(t, `^(bin|benchmarks|cmd/ryze|conformance|docs/img|e2e|examples|outbox|otelryze|ryzeredis|tools)/|node_modules/|\.(exe|test|prof)$`, name, path)
		}
		assert.Less(t, size, most, path)
		assert.True(t, names["go.mod"], path)
		if path != s.root {
			continue
		}
		for _, pattern := range []string{"LICENSE", "README.md", "CHANGELOG.md", "docs/*.md", "api/openapi.yaml", "ryzetest/internal/phone/page/*.*"} {
			want, err := filepath.Glob(filepath.Join(root, pattern))
			require.NoError(t, err)
			require.NotEmpty(t, want, pattern)
			for _, file := range want {
				rel, err := filepath.Rel(root, file)
				require.NoError(t, err)
				assert.True(t, names[filepath.ToSlash(rel)], rel)
			}
		}
	}
}

// Commands are installed and run by their path, which go refuses when the go.mod file
// of their module has a replace directive.
func (s *stranger) commands(t *testing.T) {
	dir := t.TempDir()
	s.run(t, dir, "install", s.root+"/cmd/ryze@"+s.version)
	s.run(t, dir, "install", s.root+"/cmd/ryzesim@"+s.version)
	out, err := exec.CommandContext(t.Context(), filepath.Join(s.bin, "ryze"), "--version").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), strings.TrimPrefix(s.version, "v"))
	s.run(t, dir, "run", s.root+"/cmd/ryzesim@"+s.version, "-h")
}

var program = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")

// The program of the README sends a message, and is made of what is documented.
func (s *stranger) send(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	var text []byte
	for _, match := range program.FindAllSubmatch(page, -1) {
		if bytes.Contains(match[1], []byte(".SendText(")) {
			text = match[1]
			break
		}
	}
	require.NotEmpty(t, text, "README.md has a program that sends")
	dir := s.module(t, "-- main.go --\n"+string(text))
	s.run(t, dir, "get", s.root+"@"+s.version)
	s.run(t, dir, "build", "-o", "send", ".")
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	require.NoError(t, err)
	var named []string
	for line := range strings.Lines(string(sum)) {
		named = append(named, strings.Fields(line)[0])
	}
	assert.Equal(t, inPrograms, slices.Compact(named), "go.sum")
	assert.Equal(t, inPrograms, s.built(t, dir), "go list -deps")

	sent := exec.CommandContext(t.Context(), filepath.Join(dir, "send"))
	sent.Env = append(os.Environ(), s.simulator(t)...)
	out, err := sent.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "@s.whatsapp.net")
}

// A module is found whole by somebody who imports it, with the root of the same
// version. With REHEARSAL=all it is built as well: the dependencies of the outbox
// alone take a minute, and its own tests build them anyway.
func (s *stranger) imports(t *testing.T, path string) {
	dir := s.module(t, "-- stranger.go --\npackage stranger\n\nimport _ \""+path+"\"\n")
	s.run(t, dir, "get", path+"@"+s.version)
	if os.Getenv("REHEARSAL") == "all" {
		s.run(t, dir, "build", ".")
	}
	built := s.built(t, dir)
	for _, m := range inTests {
		assert.NotContains(t, built, m)
	}
	assert.Subset(t, built, append(slices.Clone(inPrograms), path))
	assert.Equal(t, s.version, strings.TrimSpace(s.run(t, dir, "list", "-m", "-f", "{{.Version}}", s.root)))
}

// built are the modules that the packages of a folder are made of.
func (s *stranger) built(t *testing.T, dir string) []string {
	t.Helper()
	modules := strings.Fields(s.run(t, dir, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "."))
	slices.Sort(modules)
	return slices.Compact(modules)
}

// simulator starts the installed simulator, reads what it prints to export, and sees
// that it serves its page.
func (s *stranger) simulator(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "ryzesim"), "-addr", "127.0.0.1:0", "-instance", "support-line")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var env []string
	for lines := bufio.NewScanner(out); len(env) < 4 && lines.Scan(); {
		line := lines.Text()
		if vars, ok := strings.CutPrefix(line, "export "); ok {
			env = append(env, strings.Fields(vars)...)
		}
	}
	require.Len(t, env, 4)
	resp, err := http.Get(strings.TrimPrefix(env[0], "RYZE_BASE_URL=") + "/_sim/")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode, "the page, which is embedded")
	return env
}
