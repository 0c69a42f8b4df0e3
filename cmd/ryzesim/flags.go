package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// flagSet is a flag.FlagSet whose flags are shown in groups, in the order in which
// they were declared.
type flagSet struct {
	*flag.FlagSet
	groups []flagGroup
}

type flagGroup struct {
	title string
	names []string
}

func newFlagSet(out io.Writer) *flagSet {
	f := &flagSet{FlagSet: flag.NewFlagSet("ryzesim", flag.ContinueOnError)}
	f.SetOutput(out)
	f.FlagSet.Usage = f.usage
	return f
}

// group begins a group; the flags that are declared next belong to it.
func (f *flagSet) group(title string) { f.groups = append(f.groups, flagGroup{title: title}) }

func (f *flagSet) add(name string) string {
	g := &f.groups[len(f.groups)-1]
	g.names = append(g.names, name)
	return name
}

func (f *flagSet) text(p *string, name, value, usage string) {
	f.StringVar(p, f.add(name), value, usage)
}
func (f *flagSet) yes(p *bool, name, usage string) {
	f.BoolVar(p, f.add(name), false, usage)
}
func (f *flagSet) count(p *int, name string, value int, usage string) {
	f.IntVar(p, f.add(name), value, usage)
}
func (f *flagSet) size(p *int64, name string, value int64, usage string) {
	f.Int64Var(p, f.add(name), value, usage)
}
func (f *flagSet) share(p *float64, name string, usage string) {
	f.Float64Var(p, f.add(name), 0, usage)
}
func (f *flagSet) wait(p *time.Duration, name string, value time.Duration, usage string) {
	f.DurationVar(p, f.add(name), value, usage)
}
func (f *flagSet) list(p *[]string, name, usage string) { f.Var((*words)(p), f.add(name), usage) }
func (f *flagSet) waits(p *[]time.Duration, name, usage string) {
	f.Var((*durations)(p), f.add(name), usage)
}

func (f *flagSet) given(name string) (is bool) {
	f.Visit(func(fl *flag.Flag) { is = is || fl.Name == name })
	return is
}

// usage shows one line for each flag.
func (f *flagSet) usage() {
	out := f.Output()
	fmt.Fprint(out, "ryzesim runs the RyzeAPI simulator on a port.\n\nUsage: ryzesim [FLAG]...\n")
	for _, g := range f.groups {
		fmt.Fprintf(out, "\n%s:\n", g.title)
		for _, name := range g.names {
			fl := f.Lookup(name)
			value, usage := flag.UnquoteUsage(fl)
			left := "-" + name
			if value != "" {
				left += " " + value
			}
			if d := fl.DefValue; d != "" && d != "0" && d != "0s" && d != "false" {
				usage += " (" + d + ")"
			}
			fmt.Fprintf(out, "  %-32s %s\n", left, usage)
		}
	}
}

// words is a list joined by commas; a flag that is given again adds to it.
type words []string

func (w *words) String() string { return strings.Join(*w, ",") }

func (w *words) Set(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			return errors.New("an element of the list is empty")
		}
		*w = append(*w, part)
	}
	return nil
}

// durations is a list of durations joined by commas. The first time that the flag
// is given it replaces the default; "none" is the empty list.
type durations []time.Duration

func (d *durations) String() string {
	parts := make([]string, len(*d))
	for k, v := range *d {
		parts[k] = short(v)
	}
	return strings.Join(parts, ",")
}

func (d *durations) Set(s string) error {
	*d = durations{}
	if s == "none" {
		return nil
	}
	for part := range strings.SplitSeq(s, ",") {
		v, err := time.ParseDuration(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		*d = append(*d, v)
	}
	return nil
}

// short writes a duration without its zero parts: 2m, not 2m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
