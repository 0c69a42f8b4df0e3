package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
	"golang.org/x/tools/go/packages"
)

// comparison is what is different since the last tag.
type comparison struct {
	last   string // the tag; "" when there is none
	breaks []breaking
	tests  int // public test packages of the tag that were compiled
	added  int // compatible changes
}

// breaking is one thing that worked with the last tag and no longer does.
type breaking struct {
	module  module
	text    string
	names   []string // any of which announces it in the changelog
	allowed bool     // the changelog has such a name
}

func (b breaking) String() string { return b.module.path + ": " + b.text }

func (r *repo) compat(ctx context.Context, out io.Writer) error {
	last, err := r.lastTag(ctx)
	if err != nil {
		return err
	}
	found, err := r.compare(ctx, last)
	if err != nil {
		return err
	}
	if last == "" {
		fmt.Fprintln(out, "no earlier tag: there is nothing to compare with")
		return nil
	}
	for _, b := range found.breaks {
		mark := "in CHANGELOG.md"
		if !b.allowed {
			mark = "NOT IN CHANGELOG.md"
		}
		fmt.Fprintf(out, "%s (%s)\n", b, mark)
	}
	fmt.Fprintf(out, "since %s: %d incompatible changes, %d compatible ones; %d packages of its public tests compiled\n",
		last, len(found.breaks), found.added, found.tests)
	return found.announced()
}

// announced is an error when the changelog does not name something that breaks.
func (c comparison) announced() error {
	var missing []string
	for _, b := range c.breaks {
		if !b.allowed {
			missing = append(missing, b.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("these break what worked with %s, and CHANGELOG.md has no line with their name under Changed or Removed:\n%s",
		c.last, list(missing))
}

// allowed is an error when a version may not have what was found.
func (c comparison) allowed(version string) error {
	if err := c.announced(); err != nil || len(c.breaks) == 0 {
		return err
	}
	switch {
	case semver.Major(version) != "v0":
		return fmt.Errorf("%s may break nothing: %s", version, c.breaks[0])
	case semver.MajorMinor(version) == semver.MajorMinor(c.last):
		return fmt.Errorf("%s is a patch of %s and may break nothing: %s", version, c.last, c.breaks[0])
	}
	return nil
}

// compare holds the working tree against a tag.
func (r *repo) compare(ctx context.Context, last string) (comparison, error) {
	c := comparison{last: last}
	if last == "" {
		return c, nil
	}
	log, err := r.changelog()
	if err != nil {
		return c, err
	}
	temp, err := os.MkdirTemp("", "release")
	if err != nil {
		return c, err
	}
	defer os.RemoveAll(temp)
	old := filepath.Join(temp, "old")
	if err := r.export(ctx, last, old); err != nil {
		return c, err
	}
	var then []module // modules of the tag
	for _, m := range r.modules {
		if _, err := os.Stat(filepath.Join(old, m.dir, "go.mod")); err == nil {
			then = append(then, m)
		}
	}
	if err := c.api(ctx, filepath.Join(temp, "api"), old, then, r); err != nil {
		return c, err
	}
	// The tests of the tag replace those of the working tree, in a copy.
	mixed := filepath.Join(temp, "mixed")
	if err := copyFiles(r.dir, mixed, func(name string) bool { return !isTest(name) }); err != nil {
		return c, err
	}
	if err := copyFiles(old, mixed, func(name string) bool { return isTest(name) || isTestdata(name) }); err != nil {
		return c, err
	}
	if err := c.oldTests(ctx, filepath.Join(temp, "tests"), mixed, then); err != nil {
		return c, err
	}
	c.mark(log)
	return c, nil
}

// mark notes what the changelog announces.
func (c *comparison) mark(log changelog) {
	announced := log.announced(c.last)
	for i := range c.breaks {
		b := &c.breaks[i]
		b.allowed = slices.ContainsFunc(b.names, func(name string) bool { return announced[name] })
	}
}

// api compares the exported names of two trees.
func (c *comparison) api(ctx context.Context, temp, old string, then []module, now *repo) error {
	before, err := exported(ctx, filepath.Join(temp, "old"), old, then)
	if err != nil {
		return fmt.Errorf("%s: %w", c.last, err)
	}
	after, err := exported(ctx, filepath.Join(temp, "new"), now.dir, now.modules)
	if err != nil {
		return err
	}
	for _, m := range then {
		report := apidiff.ModuleChanges(before[m.path], after[m.path])
		for _, change := range report.Changes {
			if strings.HasPrefix(change.Message, "Version: value changed ") && m.dir == "." {
				continue // which each release wants
			}
			if change.Compatible {
				c.added++
				continue
			}
			c.breaks = append(c.breaks, breaking{module: m, text: change.Message, names: subject(change.Message)})
		}
	}
	return nil
}

var typeArguments = regexp.MustCompile(`\[[^]]*\]`)

// subject are the names that a message of apidiff is about: the last of
// "./ryzetest.(*Server).URL: removed", the package of "package example.com/m/p: removed".
func subject(message string) []string {
	what, _, _ := strings.Cut(message, ": ")
	what, _, _ = strings.Cut(what, ",")
	names := name.FindAllString(typeArguments.ReplaceAllString(what, ""), -1)
	if len(names) == 0 {
		return nil
	}
	return names[len(names)-1:]
}

// exported loads the packages of some modules that others can import.
func exported(ctx context.Context, temp, dir string, modules []module) (map[string]*apidiff.Module, error) {
	config, patterns, err := workspace(ctx, temp, dir, modules)
	if err != nil {
		return nil, err
	}
	config.Mode = packages.NeedName | packages.NeedModule
	all, err := packages.Load(config, patterns...)
	if err != nil {
		return nil, err
	}
	api := make(map[string]*apidiff.Module)
	for _, m := range modules {
		api[m.path] = &apidiff.Module{Path: m.path}
	}
	var paths []string
	for _, pkg := range all {
		if pkg.Module != nil && api[pkg.Module.Path] != nil && pkg.Name != "main" && !isInternal(pkg.PkgPath) {
			paths = append(paths, pkg.PkgPath)
		}
	}
	if len(paths) == 0 {
		return api, nil
	}
	config.Mode = packages.LoadTypes | packages.NeedModule
	public, err := packages.Load(config, paths...)
	if err != nil {
		return nil, err
	}
	for _, pkg := range public {
		if len(pkg.Errors) > 0 {
			return nil, fmt.Errorf("%s: %w", pkg.PkgPath, pkg.Errors[0])
		}
		if m := api[pkg.Module.Path]; pkg.Name != "" && pkg.Types.Name() != "" {
			m.Packages = append(m.Packages, pkg.Types)
		}
	}
	return api, nil
}

func isInternal(path string) bool { return slices.Contains(strings.Split(path, "/"), "internal") }

// workspace makes a workspace of some modules, so that each uses the others as they are
// in the same tree, whatever their go.mod files ask for.
func workspace(ctx context.Context, temp, dir string, modules []module) (*packages.Config, []string, error) {
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return nil, nil, err
	}
	work := new(modfile.WorkFile)
	work.Syntax = new(modfile.FileSyntax)
	version := ""
	var patterns []string
	folders := make(map[string]string)
	for _, m := range modules {
		folders[m.path] = filepath.Join(dir, m.dir)
	}
	for _, m := range modules {
		folder := filepath.Join(dir, m.dir)
		data, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err != nil {
			return nil, nil, err
		}
		f, err := modfile.Parse(folder, data, nil)
		if err != nil {
			return nil, nil, err
		}
		if f.Go != nil && (version == "" || semver.Compare("v"+f.Go.Version, "v"+version) > 0) {
			version = f.Go.Version
		}
		if err := work.AddUse(folder, m.path); err != nil {
			return nil, nil, err
		}
		// Go asks a proxy for the version of a neighbour, although it does not use it.
		for _, r := range f.Require {
			if to := folders[r.Mod.Path]; to != "" {
				if err := work.AddReplace(r.Mod.Path, r.Mod.Version, to, ""); err != nil {
					return nil, nil, err
				}
			}
		}
		patterns = append(patterns, "./"+filepath.ToSlash(filepath.Join(m.dir, "...")))
	}
	if err := work.AddGoStmt(version); err != nil {
		return nil, nil, err
	}
	file := filepath.Join(temp, "go.work")
	if err := os.WriteFile(file, modfile.Format(work.Syntax), 0o644); err != nil {
		return nil, nil, err
	}
	sum, err := os.ReadFile(filepath.Join(dir, "go.work.sum"))
	if err == nil {
		err = os.WriteFile(filepath.Join(temp, "go.work.sum"), sum, 0o644)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	env := append(os.Environ(), "GOWORK="+file, "GOFLAGS=-buildvcs=false")
	return &packages.Config{Context: ctx, Dir: dir, Env: env}, patterns, nil
}

// oldTests type-checks the public tests of the last tag, those of packages whose name
// ends in _test, in a tree that has the new code otherwise.
//
// What they need from the inside is in test files of the package itself, which may name
// things that are gone. Mistakes in those files are no matter of the public, and neither
// are those in files that import internal packages.
func (c *comparison) oldTests(ctx context.Context, temp, dir string, modules []module) error {
	config, patterns, err := workspace(ctx, temp, dir, modules)
	if err != nil {
		return err
	}
	config.Tests = true
	config.Mode = packages.LoadSyntax | packages.NeedModule
	all, err := packages.Load(config, patterns...)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for _, pkg := range all {
		if !strings.HasSuffix(pkg.Name, "_test") {
			continue
		}
		m := moduleOf(modules, pkg.PkgPath)
		c.tests++
		private := make(map[string]bool)
		for _, file := range pkg.Syntax {
			for _, spec := range file.Imports {
				if path := strings.Trim(spec.Path.Value, `"`); strings.HasPrefix(path, modules[0].path+"/") && isInternal(path) {
					private[pkg.Fset.File(file.FileStart).Name()] = true
				}
			}
		}
		for _, e := range pkg.Errors {
			if e.Kind == packages.ListError {
				continue // what go build says; the mistakes themselves come with their places
			}
			file, _, _ := strings.Cut(e.Pos, ":")
			text := strings.TrimPrefix(e.Pos, dir+string(filepath.Separator)) + ": " + e.Msg
			if private[file] || foreignImport(e.Msg, modules) || seen[text] {
				continue
			}
			seen[text] = true
			c.breaks = append(c.breaks, breaking{module: m, text: "a test of " + c.last + " does not compile: " + text, names: named(e.Msg)})
		}
	}
	return nil
}

func moduleOf(modules []module, path string) module {
	best := modules[0]
	for _, m := range modules {
		if (path == m.path || strings.HasPrefix(path, m.path+"/") || strings.HasPrefix(path, m.path+"_")) && len(m.path) > len(best.path) {
			best = m
		}
	}
	return best
}

var importError = regexp.MustCompile(`could not import (\S+)|no required module provides package ([^;\s]+)`)

// foreignImport tells of a package of somebody else that tests need no longer.
func foreignImport(text string, modules []module) bool {
	match := importError.FindStringSubmatch(text)
	return match != nil && !strings.HasPrefix(match[1]+match[2]+"/", modules[0].path+"/")
}

var selected = regexp.MustCompile(`\.([A-Z]\w*)`)

// named are the exported names that an error of the compiler tells.
func named(text string) []string {
	var names []string
	for _, match := range selected.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	if match := importError.FindStringSubmatch(text); match != nil {
		names = append(names, subject("package "+match[1]+match[2]+": removed")...)
	}
	return names
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

func isTestdata(name string) bool {
	return slices.Contains(strings.Split(filepath.ToSlash(filepath.Dir(name)), "/"), "testdata")
}

// copyFiles copies a tree, but for what git and the build put there.
func copyFiles(from, to string, wanted func(name string) bool) error {
	return filepath.WalkDir(from, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if rel == ".git" || rel == "bin" || entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || rel == ".git" || !wanted(rel) {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(to, rel), bytes.NewReader(data))
	})
}
