package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

const here, js = 0, 1

func read(t *testing.T, name string, build int) graph {
	t.Helper()
	pkg, err := load("testdata/"+name, builds[build].env)
	if err != nil {
		t.Fatal(err)
	}
	return graphOf(pkg)
}

func TestLargestCircleIsFound(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build int
		want  []string
	}{
		{"none", here, nil},
		{"two", here, []string{"a.go", "b.go"}},
		{"four", here, []string{"a.go", "b.go", "c.go", "d.go"}},
		{"js", here, nil},
		{"js", js, []string{"a.go", "dial_js.go"}},
	} {
		if got := read(t, tt.name, tt.build).largestCircle(); !slices.Equal(got, tt.want) {
			t.Errorf("%s, %s: %v, want %v", tt.name, builds[tt.build].name, got, tt.want)
		}
	}
}

func TestArrowsAreWhatIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to string
		want     string
	}{
		{"none", "top.go", "order.go", "newOrder in main; order.add in main"},
		{"none", "top.go", "item.go", ""}, // a field only
		{"none", "item.go", "order.go", ""},
		{"two", "a.go", "b.go", "limit in start"},
		{"two", "b.go", "a.go", "box in first; box.get in first"},
		{"four", "a.go", "b.go", "B in A"},
		{"four", "b.go", "c.go", "size in B"},
		{"four", "c.go", "d.go", "caller in call; caller.call in call"},
		{"four", "d.go", "a.go", "A in sum"},
		{"four", "d.go", "b.go", "B.first in sum"}, // a method that comes with an embedded field
	} {
		var uses []string
		for _, u := range read(t, tt.name, here).uses(arrow{tt.from, tt.to}) {
			uses = append(uses, u.name+" in "+strings.Join(u.users, " "))
		}
		if got := strings.Join(uses, "; "); got != tt.want {
			t.Errorf("%s, %s to %s: %q, want %q", tt.name, tt.from, tt.to, got, tt.want)
		}
	}
}

func TestNothingGoesUpWithoutTheClosingArrows(t *testing.T) {
	for _, name := range []string{"two", "four"} {
		g := read(t, name, here)
		closing := g.closing(g.largestCircle())
		if len(closing) != 1 {
			t.Errorf("%s: %v, one arrow is enough", name, closing)
		}
		for _, a := range closing {
			delete(g.arrows, a)
		}
		if left := g.largestCircle(); len(left) > 2 || name == "two" && left != nil {
			t.Errorf("%s: %v is left", name, left)
		}
	}
}

func TestCircleAboveTheLimitFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit int
		fails bool
		says  string
	}{
		{"none", 0, false, "as built here: the largest circle has 0 of 3 files"},
		{"two", 2, false, "a.go b.go\n"},
		{"two", 1, true, "a.go b.go\n"},
		{"four", 4, false, "a.go b.go c.go d.go\n"},
		{"four", 3, true, "of 6 files"},
		{"js", 1, true, "for js/wasm: the largest circle has 2 of 2 files\na.go dial_js.go\n"},
	} {
		var out bytes.Buffer
		err := run(&out, "testdata/"+tt.name, tt.limit)
		if (err != nil) != tt.fails {
			t.Errorf("%s, at most %d: %v", tt.name, tt.limit, err)
		}
		if !strings.Contains(out.String(), tt.says) {
			t.Errorf("%s does not say %q:\n%s", tt.name, tt.says, out.String())
		}
	}
}

func TestPackageThatDoesNotCompileIsNoCleanPackage(t *testing.T) {
	for _, name := range []string{"broken", "missing"} {
		if err := run(&bytes.Buffer{}, "testdata/"+name, 99); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
