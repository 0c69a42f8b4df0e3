package main

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"

	"golang.org/x/tools/go/packages"
)

// An arrow leads from a file to one that it uses.
type arrow struct{ from, to string }

// A graph holds, for each arrow, what is used, and within which definitions.
type graph struct {
	files  []string // sorted
	arrows map[arrow]map[string]map[string]bool
}

func graphOf(pkg *packages.Package) graph {
	g := graph{arrows: map[arrow]map[string]map[string]bool{}}
	fileOf := func(n interface{ Pos() token.Pos }) string {
		return filepath.Base(pkg.Fset.Position(n.Pos()).Filename)
	}
	for _, file := range pkg.Syntax {
		from := fileOf(file)
		g.files = append(g.files, from)
		for _, decl := range file.Decls {
			for user, node := range definitions(decl) {
				ast.Inspect(node, func(n ast.Node) bool {
					id, ok := n.(*ast.Ident)
					if !ok {
						return true
					}
					used := pkg.TypesInfo.Uses[id]
					if !belongs(used, pkg.Types) {
						return true
					}
					if to := fileOf(used); to != from {
						g.add(arrow{from, to}, nameOf(used), user)
					}
					return true
				})
			}
		}
	}
	slices.Sort(g.files)
	return g
}

func (g graph) add(a arrow, name, user string) {
	if g.arrows[a] == nil {
		g.arrows[a] = map[string]map[string]bool{}
	}
	if g.arrows[a][name] == nil {
		g.arrows[a][name] = map[string]bool{}
	}
	g.arrows[a][name][user] = true
}

// definitions are the parts of a declaration, with their names.
func definitions(decl ast.Decl) map[string]ast.Node {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		return map[string]ast.Node{name: d}
	case *ast.GenDecl:
		all := map[string]ast.Node{}
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				all[s.Name.Name] = s
			case *ast.ValueSpec:
				all[s.Names[0].Name] = s
			}
		}
		return all
	}
	return nil
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.ParenExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

// belongs says whether an object is defined at the top of the package, or is a
// method.
func belongs(o types.Object, pkg *types.Package) bool {
	if o == nil || o.Pkg() != pkg {
		return false
	}
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		return true
	}
	return o.Parent() == pkg.Scope()
}

func nameOf(o types.Object) string {
	f, ok := o.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return o.Name()
	}
	t := f.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Name() + "." + o.Name()
	}
	return o.Name()
}

// A use is a definition, and the definitions of another file that name it.
type use struct {
	name  string
	users []string
}

func (g graph) uses(a arrow) []use {
	var list []use
	for name, users := range g.arrows[a] {
		list = append(list, use{name, slices.Sorted(maps.Keys(users))})
	}
	slices.SortFunc(list, func(a, b use) int { return cmp.Compare(a.name, b.name) })
	return list
}

// largestCircle returns the largest set of files of which each reaches each other,
// sorted; nothing when no two files do.
func (g graph) largestCircle() []string {
	next := map[string][]string{}
	for a := range g.arrows {
		next[a.from] = append(next[a.from], a.to)
	}
	// Tarjan's algorithm: low is the earliest file on the stack that is reached.
	index, low := map[string]int{}, map[string]int{}
	var stack, largest []string
	var visit func(string)
	visit = func(f string) {
		index[f] = len(index) + 1
		low[f] = index[f]
		stack = append(stack, f)
		for _, to := range next[f] {
			if index[to] == 0 {
				visit(to)
				low[f] = min(low[f], low[to])
			} else if slices.Contains(stack, to) {
				low[f] = min(low[f], index[to])
			}
		}
		if low[f] != index[f] {
			return
		}
		at := slices.Index(stack, f)
		circle := slices.Sorted(slices.Values(stack[at:]))
		stack = stack[:at]
		if len(circle) > max(len(largest), 1) {
			largest = circle
		}
	}
	for _, f := range g.files {
		if index[f] == 0 {
			visit(f)
		}
	}
	return largest
}

// closing puts the files of a circle in an order, the user above the used, that
// leaves as few uses upwards as a simple search finds, and returns those arrows.
func (g graph) closing(circle []string) []arrow {
	weight := func(from, to string) int { return len(g.arrows[arrow{from, to}]) }
	upwards := func(order []string) int {
		sum := 0
		for i, lower := range order {
			for _, upper := range order[:i] {
				sum += weight(lower, upper)
			}
		}
		return sum
	}
	// What uses more than it is used goes first, judged by what is not yet placed.
	var order []string
	for left := slices.Clone(circle); len(left) > 0; {
		balance := func(f string) int {
			sum := 0
			for _, other := range left {
				sum += weight(f, other) - weight(other, f)
			}
			return sum
		}
		top := slices.MaxFunc(left, func(a, b string) int { return cmp.Compare(balance(a), balance(b)) })
		order = append(order, top)
		left = slices.DeleteFunc(left, func(f string) bool { return f == top })
	}
	// Then each is tried in every place.
	best := upwards(order)
	for better := true; better; {
		better = false
		for _, f := range circle {
			rest := slices.DeleteFunc(slices.Clone(order), func(s string) bool { return s == f })
			for at := range circle {
				tried := slices.Insert(slices.Clone(rest), at, f)
				if sum := upwards(tried); sum < best {
					order, best, better = tried, sum, true
				}
			}
		}
	}
	var list []arrow
	for i, lower := range order {
		for _, upper := range order[:i] {
			if weight(lower, upper) > 0 {
				list = append(list, arrow{lower, upper})
			}
		}
	}
	return list
}
