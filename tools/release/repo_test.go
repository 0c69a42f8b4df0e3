package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/semver"
	"golang.org/x/tools/txtar"
)

// root is the folder of this repository.
const root = "../.."

var day = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// small is a repository with two modules, of which the second uses the first. Its
// tests see the package from outside, and something of it from the inside.
const small = `
-- go.mod --
module example.com/shop

go 1.26.0

require golang.org/x/mod v0.42.0
-- go.sum --
golang.org/x/mod v0.42.0 h1:ICeL3t2L30ljSPHHxDnR4fqVcBt/zR2zJAb9juavmQg=
golang.org/x/mod v0.42.0/go.mod h1:u5fzIrRInkL8MaO1cbRkUHT64v303YIT5KEqpNr7jRs=
-- outbox/go.sum --
golang.org/x/mod v0.42.0 h1:ICeL3t2L30ljSPHHxDnR4fqVcBt/zR2zJAb9juavmQg=
golang.org/x/mod v0.42.0/go.mod h1:u5fzIrRInkL8MaO1cbRkUHT64v303YIT5KEqpNr7jRs=
-- examples/go.sum --
golang.org/x/mod v0.42.0 h1:ICeL3t2L30ljSPHHxDnR4fqVcBt/zR2zJAb9juavmQg=
golang.org/x/mod v0.42.0/go.mod h1:u5fzIrRInkL8MaO1cbRkUHT64v303YIT5KEqpNr7jRs=
-- shop.go --
// Package ryze sells.
package ryze

const Version = "0.1.0"

// Buy buys.
func Buy(what string) error { return order(what) }

// Sell sells.
func Sell(what string) error { return nil }

// Old is old.
func Old() {}

func order(what string) error { return nil }
-- export_test.go --
package ryze

var Order = order
-- shop_test.go --
package ryze_test

import (
	"testing"

	ryze "example.com/shop"
	"example.com/shop/internal/deep"
)

func TestBuy(t *testing.T) {
	deep.Dig()
	if err := ryze.Order("x"); err != nil {
		t.Error(err)
	}
}
-- example_test.go --
package ryze_test

import ryze "example.com/shop"

func Example() {
	_ = ryze.Buy("bread")
	_ = ryze.Sell("bread")
}
-- internal/deep/deep.go --
package deep

func Dig() {}
-- ryzetest/server.go --
package ryzetest

import _ "golang.org/x/mod/semver"

// Server serves.
type Server struct{}

// URL is where it is.
func (*Server) URL() string { return "" }
-- outbox/go.mod --
module example.com/shop/outbox

go 1.26.0

require example.com/shop v0.0.0

replace example.com/shop => ../
-- outbox/outbox.go --
package outbox

import ryze "example.com/shop"

// Send sends.
func Send(what string) error { return ryze.Buy(what) }
-- examples/go.mod --
module example.com/shop/examples

go 1.26.0

require (
	example.com/shop v0.0.0 // indirect
	example.com/shop/outbox v0.0.0
)

replace (
	example.com/shop => ../
	example.com/shop/outbox => ../outbox
)
-- examples/main.go --
package main

import "example.com/shop/outbox"

func main() { _ = outbox.Send("bread") }
-- CHANGELOG.md --
# Changelog

What changed.

## [Unreleased]

### Added

- ` + "`Buy`" + ` and ` + "`Sell`" + `.

[Unreleased]: https://example.com/shop/commits/main
`

// The settings of git that a commit wants, and none of the machine's own.
func TestMain(m *testing.M) {
	for key, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull,
		"GIT_AUTHOR_NAME": "A Maintainer", "GIT_AUTHOR_EMAIL": "maintainer@example.com",
		"GIT_COMMITTER_NAME": "A Maintainer", "GIT_COMMITTER_EMAIL": "maintainer@example.com",
	} {
		if err := os.Setenv(key, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// repository makes a repository on the branch main, with one commit of a folder.
func repository(t *testing.T, dir string) *repo {
	t.Helper()
	run := func(args ...string) {
		_, err := git(t.Context(), dir, args...)
		require.NoError(t, err)
	}
	run("init", "--quiet", "--initial-branch", "main")
	run("add", "--all")
	run("commit", "--quiet", "--message", "the beginning")
	r, err := open(t.Context(), dir)
	require.NoError(t, err)
	return r
}

// shop is a repository with the files of small.
func shop(t *testing.T) *repo {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, small)
	return repository(t, dir)
}

// put writes files, given as a txtar archive, into a folder.
func put(t *testing.T, dir, files string) {
	t.Helper()
	for _, file := range txtar.Parse([]byte(files)).Files {
		require.NoError(t, writeFile(filepath.Join(dir, file.Name), bytes.NewReader(file.Data)))
	}
}

// replace changes a text in a file and commits that.
func (r *repo) replace(t *testing.T, file string, oldnew ...string) {
	t.Helper()
	name := filepath.Join(r.dir, file)
	before, err := os.ReadFile(name)
	require.NoError(t, err)
	for i := 0; i < len(oldnew); i += 2 {
		require.Contains(t, string(before), oldnew[i])
	}
	after := strings.NewReplacer(oldnew...).Replace(string(before))
	require.NoError(t, os.WriteFile(name, []byte(after), 0o644))
	r.commitAll(t)
}

func (r *repo) commitAll(t *testing.T) {
	t.Helper()
	_, err := git(t.Context(), r.dir, "add", "--all")
	require.NoError(t, err)
	_, err = git(t.Context(), r.dir, "commit", "--quiet", "--message", "a change")
	require.NoError(t, err)
}

// make makes a version.
func (r *repo) make(t *testing.T, version string) *plan {
	t.Helper()
	p, err := r.plan(t.Context(), version, day)
	require.NoError(t, err)
	require.NoError(t, p.write(t.Context()))
	return p
}

func (r *repo) show(t *testing.T, object string) string {
	t.Helper()
	text, err := git(t.Context(), r.dir, "show", object)
	require.NoError(t, err)
	return text
}

func TestReleaseIsTaggedWithoutReplaceDirectives(t *testing.T) {
	t.Parallel()
	r := shop(t)
	p := r.make(t, "v0.1.0")
	assert.Equal(t, []string{"v0.1.0", "outbox/v0.1.0"}, p.tags)

	tagged := r.show(t, "outbox/v0.1.0:outbox/go.mod")
	assert.Contains(t, tagged, "require example.com/shop v0.1.0")
	assert.NotContains(t, tagged, "replace")
	assert.Contains(t, r.show(t, "v0.1.0:examples/go.mod"), "example.com/shop => ../", "which nobody can ask for")

	now := r.show(t, "HEAD:outbox/go.mod")
	assert.Contains(t, now, "require example.com/shop v0.1.0")
	assert.Contains(t, now, "replace example.com/shop => ../")
	for _, tag := range p.tags {
		head, err := git(t.Context(), r.dir, "rev-parse", "HEAD~1", tag+"^{commit}")
		require.NoError(t, err)
		commits := strings.Fields(head)
		assert.Equal(t, commits[0], commits[1], tag)
	}
	assert.Equal(t, "git push --atomic origin main v0.1.0 outbox/v0.1.0", p.push())

	for _, dir := range []string{".", "outbox", "examples"} {
		assert.NoError(t, goList(t.Context(), filepath.Join(r.dir, dir)), "the second commit, %s", dir)
	}
}

func TestUnreleasedBecomesTheSectionAndTheNotes(t *testing.T) {
	t.Parallel()
	r := shop(t)
	p := r.make(t, "v0.1.0")
	want := "### Added\n\n- `Buy` and `Sell`."
	assert.Equal(t, want, p.notes)
	assert.Equal(t, `# Changelog

What changed.

## [Unreleased]

## [0.1.0] - 2026-12-01

`+want+`

[Unreleased]: https://example.com/shop/compare/v0.1.0...main
[0.1.0]: https://example.com/shop/releases/tag/v0.1.0
`, r.show(t, "v0.1.0:CHANGELOG.md")+"\n")
	text, err := git(t.Context(), r.dir, "tag", "--list", "--format=%(contents)", "v0.1.0")
	require.NoError(t, err)
	assert.Contains(t, text, want, "also the line that begins with #")

	r.replace(t, "shop.go", "0.1.0", "0.2.0")
	r.replace(t, "CHANGELOG.md", "## [Unreleased]", "## [Unreleased]\n\n- Faster.")
	p, err = r.plan(t.Context(), "v0.2.0", day)
	require.NoError(t, err)
	assert.Equal(t, "- Faster.", p.notes)
	assert.Contains(t, string(p.tagged["CHANGELOG.md"]), `
[Unreleased]: https://example.com/shop/compare/v0.2.0...main
[0.2.0]: https://example.com/shop/compare/v0.1.0...v0.2.0
[0.1.0]: https://example.com/shop/releases/tag/v0.1.0
`)
}

func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	r := shop(t)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-root", filepath.Join(r.dir, "outbox"), "v0.1.0"}, &out))
	for _, want := range []string{"outbox/v0.1.0", "outbox/go.mod", "- `Buy` and `Sell`.", "WRITE=1"} {
		assert.Contains(t, out.String(), want)
	}
	status, err := git(t.Context(), r.dir, "status", "--porcelain")
	require.NoError(t, err)
	tags, err := git(t.Context(), r.dir, "tag")
	require.NoError(t, err)
	assert.Empty(t, status+tags)
}

func TestReleaseIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		version string
		before  func(t *testing.T, r *repo)
		want    string
	}{
		"no version":            {"0.1.0", nil, "no version"},
		"a short version":       {"v0.1", nil, "no version"},
		"the next module path":  {"v2.0.0", nil, "should be v0 or v1"},
		"another constant":      {"v0.2.0", nil, "the constant Version"},
		"a file that is not in": {"v0.1.0", func(t *testing.T, r *repo) { put(t, r.dir, "-- new.go --\npackage ryze\n") }, "not clean"},
		"nothing to tell": {"v0.1.0", func(t *testing.T, r *repo) {
			r.replace(t, "CHANGELOG.md", "### Added\n\n- `Buy` and `Sell`.\n", "")
		}, "nothing stands under Unreleased"},
		"the same again": {"v0.1.0", func(t *testing.T, r *repo) { r.make(t, "v0.1.0") }, "not newer"},
		"a tag of one module": {"v0.1.0", func(t *testing.T, r *repo) {
			_, err := git(t.Context(), r.dir, "tag", "outbox/v0.1.0")
			require.NoError(t, err)
		}, "these tags exist: outbox/v0.1.0"},
		"a replace of somebody else": {"v0.1.0", func(t *testing.T, r *repo) {
			r.replace(t, "outbox/go.mod", "replace ", "replace example.com/x => ../x\n\nreplace ")
		}, "users of the module would not have it"},
		"more since the section": {"v0.1.0", func(t *testing.T, r *repo) {
			r.replace(t, "CHANGELOG.md", "[Unreleased]: ", "## [0.1.0] - 2026-11-30\n\n- Done.\n\n[Unreleased]: ")
		}, "there is more under Unreleased"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := shop(t)
			if tt.before != nil {
				tt.before(t, r)
			}
			_, err := r.plan(t.Context(), tt.version, day)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// The constant, the changelog and the tag of this repository are one version, or the
// constant is already that of the version that comes next.
func TestVersionIsThatOfTheChangelogAndOfTheTag(t *testing.T) {
	r, err := open(t.Context(), root)
	if err != nil {
		t.Skip("this is no clone: ", err)
	}
	constant, err := r.constant()
	require.NoError(t, err)
	log, err := r.changelog()
	require.NoError(t, err)
	tags, err := git(t.Context(), r.dir, "tag", "--points-at", "HEAD", "--list", "v*")
	require.NoError(t, err)
	assert.Empty(t, disagreement("v"+constant, log, strings.Fields(tags)))
}

func TestVersionsThatDisagreeAreFound(t *testing.T) {
	log := func(text string) changelog {
		c, err := parseChangelog(text)
		require.NoError(t, err)
		return c
	}
	first := log("## [Unreleased]\n\n- New.\n")
	made := log("## [Unreleased]\n\n## [0.1.0] - 2026-12-01\n\n- New.\n")
	more := log("## [Unreleased]\n\n- More.\n\n## [0.1.0] - 2026-12-01\n\n- New.\n")
	for _, tt := range []struct {
		constant string
		log      changelog
		tags     []string
		agree    bool
	}{
		{"v0.1.0", first, nil, true},
		{"v0.1.0", log("# Changelog\n"), nil, false},
		{"v0.1.0", made, nil, true},
		{"v0.1.0", made, []string{"v0.1.0"}, true},
		{"v0.1.0", more, nil, true},
		{"v0.1.1", more, nil, true},
		{"v0.2.0", more, nil, true},
		{"v1.0.0", more, nil, true},
		{"v0.2.0-rc.1", more, nil, true},
		{"v0.3.0", more, nil, false},
		{"v0.2.0", made, nil, false},
		{"v0.0.9", made, nil, false},
		{"v0.1", made, nil, false},
		{"v0.1.0", made, []string{"v0.1.1"}, false},
		{"v0.1.0", more, []string{"v0.1.0"}, false},
		{"v0.1.0", first, []string{"v0.1.0"}, false},
	} {
		said := disagreement(tt.constant, tt.log, tt.tags)
		assert.Equal(t, tt.agree, said == "", "%s %v: %s", tt.constant, tt.tags, said)
	}
}

// disagreement says what is wrong between the constant, the changelog and the tags of HEAD.
func disagreement(constant string, log changelog, tags []string) string {
	newest := log.newest()
	for _, tag := range tags {
		if tag != constant || tag != newest || log.pending() != "" {
			return "HEAD is " + tag + ", the constant " + constant + ", the newest section " + newest + ", and under Unreleased stands: " + log.pending()
		}
	}
	if constant == newest {
		return ""
	}
	if semver.Canonical(constant) != constant {
		return constant + " is no version"
	}
	if log.pending() == "" {
		return "the constant is " + constant + ", the newest section " + newest + ", and nothing stands under Unreleased"
	}
	if newest != "" && !follows(strings.TrimSuffix(constant, semver.Prerelease(constant)), newest) {
		return constant + " does not follow " + newest
	}
	return ""
}

// follows tells whether a version is a next one: one more in one place, zeros after it.
func follows(version, last string) bool {
	var a, b [3]int
	for i, v := range []string{version, strings.TrimSuffix(last, semver.Prerelease(last))} {
		into := []*[3]int{&a, &b}[i]
		for j, part := range strings.Split(v[1:], ".") {
			for _, digit := range part {
				into[j] = into[j]*10 + int(digit-'0')
			}
		}
	}
	return a == [3]int{b[0], b[1], b[2] + 1} || a == [3]int{b[0], b[1] + 1, 0} || a == [3]int{b[0] + 1, 0, 0} ||
		semver.Prerelease(last) != "" && a == b
}

// goList reads all packages of a module with its own go.mod, and changes nothing.
func goList(ctx context.Context, dir string) error {
	_, err := goCommand(ctx, dir, []string{"GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false"}, "list", "./...")
	return err
}
