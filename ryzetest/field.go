package ryzetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// kind is a JSON type as the service wants it.
type kind int

const (
	kindString kind = iota
	kindBool
	kindInt
	kindNumber
	kindObject
	kindArray
	kindAny
)

func (k kind) String() string {
	return [...]string{"string", "boolean", "integer", "number", "object", "array", "any"}[k]
}

// field is one JSON member that a route knows.
type field struct {
	name   string
	kind   kind
	enum   []string // of a string
	elem   *field   // of an array
	fields []field  // of an object
	single bool     // an array that may also be one bare element
}

func str(name string, enum ...string) field { return field{name: name, kind: kindString, enum: enum} }
func boolean(name string) field             { return field{name: name, kind: kindBool} }
func integer(name string) field             { return field{name: name, kind: kindInt} }
func number(name string) field              { return field{name: name, kind: kindNumber} }

func object(name string, fields ...field) field {
	return field{name: name, kind: kindObject, fields: fields}
}

func list(name string, elem field) field {
	return field{name: name, kind: kindArray, elem: &elem}
}

// listOrOne is an array for which a bare element is accepted too.
func listOrOne(name string, elem field) field {
	return field{name: name, kind: kindArray, elem: &elem, single: true}
}

// finding is one thing wrong with a body.
type finding struct {
	kind   ViolationKind
	detail string
}

// checkObject compares a decoded object with the fields known. A null is
// accepted for every field, as Go's decoder does.
func checkObject(v obj, fields []field, path string) []finding {
	var all []finding
	for name, value := range v {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			all = append(all, finding{UnknownField, path + name})
			continue
		}
		all = append(all, fields[i].check(value, path+name)...)
	}
	slices.SortFunc(all, func(a, b finding) int {
		switch {
		case a.detail < b.detail:
			return -1
		case a.detail > b.detail:
			return 1
		}
		return 0
	})
	return all
}

func (f field) check(value any, path string) []finding {
	if value == nil || f.kind == kindAny {
		return nil
	}
	wrong := []finding{{WrongType, fmt.Sprintf("%s: want %s", path, f.kind)}}
	switch f.kind {
	case kindString:
		s, ok := value.(string)
		if !ok {
			return wrong
		}
		if len(f.enum) > 0 && s != "" && !slices.Contains(f.enum, s) {
			return []finding{{UnknownValue, fmt.Sprintf("%s: %q", path, s)}}
		}
	case kindBool:
		if _, ok := value.(bool); !ok {
			return wrong
		}
	case kindInt:
		n, ok := value.(json.Number)
		if !ok {
			return wrong
		}
		if _, err := strconv.ParseInt(n.String(), 10, 64); err != nil {
			return wrong
		}
	case kindNumber:
		if _, ok := value.(json.Number); !ok {
			return wrong
		}
	case kindObject:
		v, ok := value.(obj)
		if !ok {
			return wrong
		}
		if f.fields != nil {
			return checkObject(v, f.fields, path+".")
		}
	case kindArray:
		items, ok := value.([]any)
		if !ok {
			if f.single {
				return f.elem.check(value, path)
			}
			return wrong
		}
		var all []finding
		for i, item := range items {
			all = append(all, f.elem.check(item, fmt.Sprintf("%s[%d]", path, i))...)
		}
		return all
	}
	return nil
}

// values reads a decoded object whose types have been checked.
type values obj

func (v values) has(name string) bool { return v[name] != nil }

func (v values) str(name string) string {
	s, _ := v[name].(string)
	return s
}

func (v values) bool(name string) bool {
	b, _ := v[name].(bool)
	return b
}

func (v values) int(name string) int {
	n, _ := v[name].(json.Number)
	i, _ := strconv.Atoi(n.String())
	return i
}

func (v values) float(name string) float64 {
	n, _ := v[name].(json.Number)
	x, _ := n.Float64()
	return x
}

func (v values) strings(name string) []string {
	items, _ := v[name].([]any)
	list := make([]string, 0, len(items))
	for _, item := range items {
		if s, ok := item.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

func (v values) object(name string) values {
	o, _ := v[name].(obj)
	return o
}

// objects reads an array of objects, or one bare object.
func (v values) objects(name string) []values {
	if o, ok := v[name].(obj); ok {
		return []values{o}
	}
	items, _ := v[name].([]any)
	var list []values
	for _, item := range items {
		if o, ok := item.(obj); ok {
			list = append(list, o)
		}
	}
	return list
}
