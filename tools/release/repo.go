package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// repo is a git repository with one or more modules.
type repo struct {
	dir     string
	modules []module // the released ones, the root first
}

// module is one released module.
type module struct {
	dir  string // relative to the repository; "." is the root
	path string
}

// tag is the tag of a version of the module.
func (m module) tag(version string) string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

func open(ctx context.Context, dir string) (*repo, error) {
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	r := &repo{dir: filepath.FromSlash(top)}
	for _, dir := range released {
		data, err := os.ReadFile(filepath.Join(r.dir, dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) && dir != "." {
			continue
		} else if err != nil {
			return nil, err
		}
		r.modules = append(r.modules, module{dir, modfile.ModulePath(data)})
	}
	return r, nil
}

// git runs git and returns what it prints, without the last newline.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := gitBytes(ctx, dir, args...)
	return strings.TrimRight(string(out), "\n"), err
}

func gitBytes(ctx context.Context, dir string, args ...string) ([]byte, error) {
	// A checkout may belong to another user, as in a container.
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=*", "-C", dir}, args...)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(errOut.Bytes()))
	}
	return out.Bytes(), nil
}

// lastTag is the newest version of the root that HEAD was made from, or "".
func (r *repo) lastTag(ctx context.Context) (string, error) {
	out, err := git(ctx, r.dir, "tag", "--list", "--merged", "HEAD", "v*")
	if err != nil {
		return "", err
	}
	last := ""
	for tag := range strings.Lines(out) {
		tag = strings.TrimSpace(tag)
		if semver.Canonical(tag) == tag && (last == "" || semver.Compare(tag, last) > 0) {
			last = tag
		}
	}
	return last, nil
}

// constant is the value of the constant Version of the root package, such as "0.1.0".
func (r *repo) constant() (string, error) {
	names, err := filepath.Glob(filepath.Join(r.dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return "", err
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				i := slices.IndexFunc(value.Names, func(n *ast.Ident) bool { return n.Name == "Version" })
				if i < 0 || i >= len(value.Values) {
					continue
				}
				if lit, ok := value.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					return strconv.Unquote(lit.Value)
				}
			}
		}
	}
	return "", errors.New("the root package has no constant Version")
}

func (r *repo) changelog() (changelog, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, "CHANGELOG.md"))
	if err != nil {
		return changelog{}, err
	}
	return parseChangelog(string(data))
}

// goMods are the go.mod files of all modules of the repository, the others included.
func (r *repo) goMods(ctx context.Context) ([]string, error) {
	out, err := git(ctx, r.dir, "ls-files", "--", "go.mod", "**/go.mod")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Fields(out), func(name string) bool {
		return slices.Contains(strings.Split(path.Dir(name), "/"), "testdata")
	}), nil
}

// export writes the files of a tag into a folder.
func (r *repo) export(ctx context.Context, tag, dir string) error {
	archive, err := gitBytes(ctx, r.dir, "archive", "--format=tar", tag)
	if err != nil {
		return err
	}
	for files := tar.NewReader(bytes.NewReader(archive)); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(head.Name) {
			return fmt.Errorf("%s has a file %q", tag, head.Name)
		}
		if err := writeFile(filepath.Join(dir, head.Name), files); err != nil {
			return err
		}
	}
}

func writeFile(name string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	to, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return errors.Join(err, to.Close())
	}
	return to.Close()
}
