package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	mod "golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// plan is what a release does: two commits. The first is what users get: each module
// asks for this version of the others, and none has a replace directive of theirs,
// which "go install PATH@VERSION" refuses. The second brings the directives back, for
// the work in this repository.
type plan struct {
	repo    *repo
	version string
	branch  string
	tags    []string
	notes   string
	tagged  map[string][]byte // the files of the first commit that change
	after   map[string][]byte // and those of the second
}

// plan checks that a version may be made, and says how.
func (r *repo) plan(ctx context.Context, version string, now time.Time) (*plan, error) {
	if semver.Canonical(version) != version || version == "" {
		return nil, fmt.Errorf("%q is no version, such as v0.1.0", version)
	}
	if err := mod.Check(r.modules[0].path, version); err != nil {
		return nil, err
	}
	status, err := git(ctx, r.dir, "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if status != "" {
		return nil, fmt.Errorf("the tree is not clean:\n%s", status)
	}
	constant, err := r.constant()
	if err != nil {
		return nil, err
	}
	if "v"+constant != version {
		return nil, fmt.Errorf("the constant Version of the root is %q, for %s it has to be %q", constant, version, version[1:])
	}
	last, err := r.lastTag(ctx)
	if err != nil {
		return nil, err
	}
	if last != "" && semver.Compare(version, last) <= 0 {
		return nil, fmt.Errorf("%s is not newer than %s", version, last)
	}
	p := &plan{repo: r, version: version, tagged: make(map[string][]byte), after: make(map[string][]byte)}
	p.branch, err = git(ctx, r.dir, "branch", "--show-current")
	if err != nil {
		return nil, err
	}
	for _, m := range r.modules {
		p.tags = append(p.tags, m.tag(version))
	}
	if there, err := git(ctx, r.dir, append([]string{"tag", "--list"}, p.tags...)...); err != nil {
		return nil, err
	} else if there != "" {
		return nil, fmt.Errorf("these tags exist: %s", strings.Join(strings.Fields(there), " "))
	}
	if err := p.changelog(last, now); err != nil {
		return nil, err
	}
	if err := p.goMods(ctx); err != nil {
		return nil, err
	}
	found, err := r.compare(ctx, last)
	if err != nil {
		return nil, err
	}
	return p, found.allowed(version)
}

func (p *plan) changelog(last string, now time.Time) error {
	before, err := p.repo.changelog()
	if err != nil {
		return err
	}
	after, notes, err := before.release(p.version, last, "https://"+p.repo.modules[0].path, now)
	if err != nil {
		return err
	}
	p.notes = notes
	return p.change(p.tagged, "CHANGELOG.md", []byte(after.String()))
}

// goMods changes the go.mod files. Every module of the repository asks for the new
// version: a module that asked for an older one than its neighbour does would no
// longer be tidy. Only what is released loses its replace directives.
func (p *plan) goMods(ctx context.Context) error {
	own := make(map[string]bool)
	isReleased := make(map[string]bool)
	for _, m := range p.repo.modules {
		own[m.path] = true
		isReleased[filepath.ToSlash(filepath.Join(m.dir, "go.mod"))] = true
	}
	names, err := p.repo.goMods(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(p.repo.dir, name))
		if err != nil {
			return err
		}
		after, err := edit(name, data, func(f *modfile.File) error {
			for _, r := range f.Require {
				if own[r.Mod.Path] {
					if err := f.AddRequire(r.Mod.Path, p.version); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		tagged := after
		if isReleased[name] {
			tagged, err = edit(name, after, func(f *modfile.File) error {
				for _, r := range slices.Clone(f.Replace) {
					if !own[r.Old.Path] {
						return fmt.Errorf("%s: replace %s: users of the module would not have it", name, r.Old.Path)
					}
					if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		if err := p.change(p.tagged, name, tagged); err != nil {
			return err
		}
		if !bytes.Equal(tagged, after) {
			p.after[name] = after
		}
	}
	return nil
}

func edit(name string, data []byte, change func(*modfile.File) error) ([]byte, error) {
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	if err := change(f); err != nil {
		return nil, err
	}
	f.Cleanup()
	return f.Format()
}

// change notes the new content of a file, unless it is the present one.
func (p *plan) change(files map[string][]byte, name string, data []byte) error {
	now, err := os.ReadFile(filepath.Join(p.repo.dir, name))
	if err == nil && !bytes.Equal(now, data) {
		files[name] = data
	}
	return err
}

func (p *plan) subject() string { return "release: " + p.version }

func (p *plan) print(out io.Writer) {
	fmt.Fprintf(out, "%s\n\n", p.subject())
	fmt.Fprintf(out, "The first commit changes:\n%s\n", list(slices.Sorted(maps.Keys(p.tagged))))
	fmt.Fprintf(out, "Its tags:\n%s\n", list(p.tags))
	fmt.Fprintf(out, "The second commit brings the replace directives back:\n%s\n", list(slices.Sorted(maps.Keys(p.after))))
	fmt.Fprintf(out, "The notes:\n\n%s\n", p.notes)
}

func list(lines []string) string {
	if len(lines) == 0 {
		return "\t(nothing)\n"
	}
	return "\t" + strings.Join(lines, "\n\t") + "\n"
}

// write makes the commits and the tags. When a step fails it says so and leaves what
// was done, which git shows.
func (p *plan) write(ctx context.Context) error {
	if p.branch == "" {
		return errors.New("HEAD is no branch: the second commit would be lost")
	}
	if err := p.commit(ctx, p.tagged, p.subject()); err != nil {
		return err
	}
	for i, tag := range p.tags {
		text := p.repo.modules[i].path + " " + p.version + "\n"
		if i == 0 {
			text += "\n" + p.notes + "\n"
		}
		// The notes have lines that begin with #, which git would drop.
		if _, err := git(ctx, p.repo.dir, "tag", "--annotate", "--cleanup=verbatim", "--message", text, tag); err != nil {
			return err
		}
	}
	return p.commit(ctx, p.after, "release: modules of this repository use each other again")
}

func (p *plan) commit(ctx context.Context, files map[string][]byte, subject string) error {
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(p.repo.dir, name), data, 0o644); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return nil
	}
	_, err := git(ctx, p.repo.dir, "commit", "--quiet", "--all", "--message", subject)
	return err
}

// push is the command that publishes the release.
func (p *plan) push() string {
	return "git push --atomic origin " + p.branch + " " + strings.Join(p.tags, " ")
}
