// Command layers prints the largest circle of files of a package.
//
// A file uses another one when it names a function, a type, a constant, a
// variable or a method that is defined there; a field of a struct is not counted,
// it comes with its type. Files that use each other, directly or by way of others,
// are a circle: none of them can be read, tested or moved alone. Test files are
// left out.
//
// usage: layers [-max N] [FOLDER]
//
// The package is looked at twice, as it is built here and as it is built for
// js/wasm. Below the circle stand the arrows that close it: without them its files
// are in layers, each using only those below. There are other choices, so they are
// advice. The exit code is 1 when the circle has more than N files.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	limit := flag.Int("max", 3, "the most files that a circle may have")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: layers [-max N] [FOLDER]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	dir := "."
	if flag.NArg() == 1 {
		dir = flag.Arg(0)
	}
	if err := run(os.Stdout, dir, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(1)
	}
}

// builds are the build tags under which other files belong to the package.
var builds = []struct {
	name string
	env  []string
}{
	{name: "as built here"},
	{name: "for js/wasm", env: []string{"GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0"}},
}

func run(out io.Writer, dir string, limit int) error {
	var worst graph
	var largest []string
	for _, b := range builds {
		pkg, err := load(dir, b.env)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", dir, b.name, err)
		}
		g := graphOf(pkg)
		circle := g.largestCircle()
		fmt.Fprintf(out, "%s: the largest circle has %d of %d files\n", b.name, len(circle), len(g.files))
		if len(circle) > len(largest) {
			worst, largest = g, circle
		}
	}
	describe(out, worst, largest)
	if len(largest) > limit {
		return fmt.Errorf("the largest circle has %d files, %d are allowed", len(largest), limit)
	}
	return nil
}

func load(dir string, env []string) (*packages.Package, error) {
	found, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedTypesInfo | packages.NeedSyntax,
		Dir: dir,
		Env: append(os.Environ(), env...),
	}, ".")
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d packages, want one", len(found))
	}
	// What does not compile has arrows that are not seen.
	var all []error
	for _, e := range found[0].Errors {
		all = append(all, e)
	}
	return found[0], errors.Join(all...)
}

func describe(out io.Writer, g graph, circle []string) {
	if len(circle) == 0 {
		return
	}
	fmt.Fprintf(out, "%s\n", strings.Join(circle, " "))
	closing := g.closing(circle)
	fmt.Fprintf(out, "arrows that close it (%d):\n", len(closing))
	for _, a := range closing {
		fmt.Fprintf(out, "  %s -> %s\n", a.from, a.to)
		for _, u := range g.uses(a) {
			fmt.Fprintf(out, "      %s, in %s\n", u.name, shortened(u.users))
		}
	}
}

func shortened(names []string) string {
	const enough = 3
	if len(names) <= enough {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:enough], ", "), len(names)-enough)
}
