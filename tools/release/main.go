// Command release makes a version of all released modules of this repository, and
// holds the working tree against the last one.
//
// usage:
//
//	release [-root FOLDER] [-write] VERSION
//	release [-root FOLDER] -compat
//
// The first form checks that the tree is clean, that the constant Version of the root
// is VERSION, that CHANGELOG.md has its section or something under "Unreleased", and
// that the changes since the last tag are allowed in it. Then it prints what it would
// do: the files that change, the tags and the notes. With -write it does that: two
// commits, and one tag for each module on the first of them. It never pushes.
//
// The second form compares the exported names with those of the last tag, and compiles
// the public tests of the last tag against the code at hand. It fails when something
// breaks that CHANGELOG.md does not name under "Changed" or "Removed".
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// released are the folders of the modules that get a tag, all of the same version. The
// other modules of the repository are examples and tests.
var released = []string{".", "outbox", "ryzeredis", "otelryze", "cmd/ryze"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	root := flags.String("root", ".", "the `FOLDER` of the repository")
	write := flags.Bool("write", false, "make the commits and the tags")
	compat := flags.Bool("compat", false, "compare with the last tag, and do nothing else")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: release [-root FOLDER] [-write] VERSION\n       release [-root FOLDER] -compat")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := open(ctx, *root)
	if err != nil {
		return err
	}
	if *compat && flags.NArg() == 0 {
		return r.compat(ctx, out)
	}
	if *compat || flags.NArg() != 1 {
		flags.Usage()
		return flag.ErrHelp
	}
	p, err := r.plan(ctx, flags.Arg(0), time.Now().UTC())
	if err != nil {
		return err
	}
	p.print(out)
	if !*write {
		fmt.Fprintf(out, "\nNothing was written. This makes the commits and the tags:\n\n\tmake release VERSION=%s WRITE=1\n", p.version)
		return nil
	}
	if err := p.write(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe commits and the tags are made, here alone. This publishes them, all or none:\n\n\t%s\n", p.push())
	return nil
}
